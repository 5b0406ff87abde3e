"""Texts as rows of hashes: a word and some of its character n-grams at each position.

=======  ==========================================================================================
channel  what the category number of a position says
=======  ==========================================================================================
0        the word, with a mark at its beginning and end: `<word>`
1 to 5   up to five of its character 3-, 4- and 5-grams, evenly spread over the list of all of them
=======  ==========================================================================================

Category 0 is padding and stands for nothing else. A misspelt word keeps most of its n-grams; a word
that training never saw still has some that it did. There is no vocabulary to keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.text.spans import normalise

TOKEN = re.compile(r"\w+|[^\w\s]")
N_GRAMS = 5  # of each word
BUCKETS = 2**15  # category numbers, padding included
CHANNELS = ("word", *(f"character n-gram {number}" for number in range(1, N_GRAMS + 1)))
CHUNK_CHARACTERS = 2**22  # read at a time, so that a large set takes no more memory than its result

Int32Array = NDArray[np.int32]


def read_words(texts: Iterable[str]) -> tuple[Int32Array, NDArray[np.int64]]:
    """Hash the words of texts.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    values : int32 array [words of all texts, 6]
        The word's 32-bit hash, then the category numbers of its n-grams (0 where it has fewer).
    lengths : int64 array [texts]
        Words of each text.

    Examples
    --------
    >>> values, lengths = read_words(["A cat!", ""])
    >>> values.shape, lengths.tolist()
    ((3, 6), [3, 0])

    References
    ----------
    Hashed n-grams of characters: Bojanowski et al. 2017, "Enriching Word Vectors with Subword
    Information".
    """
    blocks: list[Int32Array] = []
    lengths: list[int] = []
    for part in _chunks(texts):
        found = [TOKEN.findall(normalise(text)) for text in part]
        lengths += map(len, found)
        blocks.append(_hash(list(chain.from_iterable(found))))
    width = 1 + N_GRAMS
    values = np.concatenate(blocks) if blocks else np.zeros((0, width), np.int32)
    return values, np.array(lengths, dtype=np.int64)


def category(hashes: Int32Array) -> NDArray[np.int64]:
    """Turn 32-bit hashes into category numbers, 1 to BUCKETS - 1, of any shape."""
    return 1 + (hashes.astype(np.int64) & 0xFFFFFFFF) % (BUCKETS - 1)


def hash_words(words: Sequence[str]) -> Int32Array:
    """Return the 32-bit hash of each word, int32 [words]."""
    codes = [crc32(f"<{word}>".encode("utf-8", "surrogatepass")) for word in words]
    return np.array(codes, dtype=np.uint32).view(np.int32)


class _Numbers(dict[str, int]):
    """Numbers words as they come."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


def _hash(words: list[str]) -> Int32Array:
    """Hash each different word once."""
    numbers = _Numbers()
    rows = np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))
    different = list(numbers)
    table = np.zeros((len(different), 1 + N_GRAMS), dtype=np.int32)
    table[:, 0] = hash_words(different)
    n_grams = [_spread_n_grams(word) for word in different]
    counts = [len(some) for some in n_grams]
    codes = [crc32(piece.encode("utf-8", "surrogatepass")) for some in n_grams for piece in some]
    hashes = np.array(codes, dtype=np.uint32).view(np.int32)
    filled = np.arange(N_GRAMS) < np.array(counts, dtype=np.int64)[:, None]
    table[:, 1:][filled] = category(hashes)
    return table[rows]


def _spread_n_grams(word: str) -> list[str]:
    """Return at most N_GRAMS of the 3-, 4- and 5-grams of `<word>`, evenly spread over all."""
    marked = f"<{word}>"
    length = len(marked)
    starts = [(start, n) for n in (3, 4, 5) for start in range(length - n + 1)]
    if len(starts) > N_GRAMS:
        last = len(starts) - 1
        starts = [starts[place * last // (N_GRAMS - 1)] for place in range(N_GRAMS)]
    return [marked[start : start + n] for start, n in starts]


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(text)
        size += len(text)
        if size >= CHUNK_CHARACTERS:
            yield part
            part, size = [], 0
    if part:
        yield part
