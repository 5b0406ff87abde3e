"""Normalises texts, and says from where in the original every normalised character comes."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from itertools import pairwise, takewhile

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def compose(text: str) -> str:
    """Write a text in Unicode's normal form C: é is one character, however it was typed.

    Examples
    --------
    >>> len("e\\u0301"), len(compose("e\\u0301"))
    (2, 1)
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def normalise(text: str) -> str:
    """Compose a text and write it in lower case.

    Examples
    --------
    >>> normalise("ΟΔΟΣ and E\\u0301cole")
    'οδος and école'
    """
    return compose(text).lower()


def normalise_with_starts(text: str) -> tuple[str, IntArray]:
    """Normalise a text, and find where in the original each of its characters begins.

    Returns
    -------
    normalised : str
        What `normalise` returns.
    starts : int64 array [len(normalised) + 1]
        Never falling; the last is the length of the original. Characters that come from the same
        piece of the original, which can't be divided among them, share its start.

    References
    ----------
    Unicode Standard Annex 15, "Unicode Normalization Forms".

    Examples
    --------
    >>> normalise_with_starts("AE\\u0301A")
    ('aéa', array([0, 1, 3, 4]))
    >>> normalise_with_starts("İA")[1]  # i, a dot above, a
    array([0, 0, 1, 2])
    """
    composed, starts = _compose_with_starts(text)
    lower = composed.lower()
    if len(lower) > len(composed):
        starts = _repeat(starts, np.array([len(character.lower()) for character in composed]))
    return lower, starts


def encode_with_starts(text: str) -> tuple[bytes, IntArray]:
    """Encode a text, and find where in the original the character of each byte begins.

    Returns
    -------
    encoded : bytes
        The composed text as UTF-8; lone surrogates are encoded too.
    starts : int64 array [len(encoded) + 1]
        As of `normalise_with_starts`.

    Examples
    --------
    >>> encode_with_starts("aé!")
    (b'a\\xc3\\xa9!', array([0, 1, 1, 2, 3]))
    """
    composed, starts = _compose_with_starts(text)
    codes = np.frombuffer(composed.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = 1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000)
    return composed.encode("utf-8", "surrogatepass"), _repeat(starts, lengths)


def original_spans(starts: IntArray, spans: IntArray) -> IntArray:
    """Find what ranges of normalised characters, or of bytes, cover in the original.

    Parameters
    ----------
    starts : int64 array [n + 1]
        From `normalise_with_starts` or `encode_with_starts`.
    spans : int64 array [M, 2]
        Begin and end (excluded) of each range, 0 <= begin <= end <= n.

    Returns
    -------
    int64 array [M, 2]
        Begin and end (excluded) in the original. A range that covers a part of a character, or
        of a composition, covers all of it; two ranges overlap where they divide one.

    Examples
    --------
    >>> _, starts = encode_with_starts("aé!")
    >>> original_spans(starts, np.array([[0, 1], [2, 4], [4, 4]]))
    array([[0, 1],
           [1, 3],
           [3, 3]])
    """
    begins, ends = spans[:, 0], spans[:, 1]
    next_piece = np.searchsorted(starts, starts[np.maximum(ends, 1) - 1], side="right")
    covered_to = starts[np.minimum(next_piece, len(starts) - 1)]
    found = np.stack([starts[begins], np.where(ends > begins, covered_to, starts[begins])], 1)
    return found.astype(np.int64)


def _repeat(starts: IntArray, times: NDArray[np.integer]) -> IntArray:
    return np.append(np.repeat(starts[:-1], times), starts[-1])


def _compose_with_starts(text: str) -> tuple[str, IntArray]:
    composed = compose(text)
    if composed == text:
        return composed, np.arange(len(text) + 1)
    pieces, starts = [], []
    for begin, end in pairwise(_cuts(text)):
        pieces.append(compose(text[begin:end]))
        starts += [begin + start for start in _piece_starts(text[begin:end], pieces[-1])]
    return "".join(pieces), np.array([*starts, len(text)])


def _cuts(text: str) -> list[int]:
    """Find the places over which normal form C moves and joins nothing."""
    return [0, *(i for i, char in enumerate(text) if i and not _attaches(char)), len(text)]


@cache
def _attaches(character: str) -> bool:
    """Say whether a character can be moved before, or joined to, what stands before it."""
    first = unicodedata.normalize("NFD", character)[0]
    return unicodedata.combining(first) > 0 or first in _second_parts()


@cache
def _second_parts() -> frozenset[str]:
    """Collect the characters that stand behind another one in a decomposition."""
    characters = map(chr, range(sys.maxunicode + 1))
    return frozenset().union(*(unicodedata.normalize("NFD", char)[1:] for char in characters))


def _piece_starts(piece: str, composed: str) -> list[int]:
    """Align a piece with its normal form: what is equal at both ends stays, the rest is one."""
    head = _shared(piece, composed)
    tail = _shared(piece[head:][::-1], composed[head:][::-1])
    changed = len(composed) - head - tail
    return [*range(head), *[head] * changed, *range(len(piece) - tail, len(piece))]


def _shared(one: str, other: str) -> int:
    """Count the characters at the beginning that two strings share."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
