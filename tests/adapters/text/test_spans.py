"""Normalised texts, and where their characters come from."""

from __future__ import annotations

import random
import re
import sys
import unicodedata
from itertools import pairwise

import numpy as np
import pytest

from cnnkit.adapters.text.spans import (
    encode_with_starts,
    normalise,
    normalise_with_starts,
    original_spans,
)

TOKEN = re.compile(r"\w+|[^\w\s]")
CHANGED_BY_NFC_OR_NFD = [
    char
    for char in map(chr, range(0x300, 0x20000))
    if unicodedata.combining(char) or unicodedata.normalize("NFD", char) != char
]
ALPHABETS = {
    "latin": "aeoAEOnTK .1-\u0301\u0300\u0323\u0308\u0302éÉÅ\u212b\u212aİıßẞﬁ",
    "jamo": "\u1100\u1101\u1161\u1162\u11a8\u11a9가각 a",
    "greek": "ΑΣσςα Ω\u2126\u0301\u0345ᾼ.",
    "devanagari": "कखग\u093c\u0958\u0959\u093e\u093f\u094d \u09c7\u09be\u09d7",
    "right to left": "שלום אלף\u05bc\u05c1\u05b0\ufb2aسلام\u0654\u064b\u0627\u0653 ",
    "emoji": "👩👨👧\u200d\ufe0f❤🏽🇩🇪 a",
    "surrogates": "\ud800\udc00\udfffa\u0301 É",
    "everything that composes": "".join(random.Random(0).sample(CHANGED_BY_NFC_OR_NFD, 1500))
    + "aE ",
}


def texts(alphabet: str, number: int = 300) -> list[str]:
    """Random strings, and the same in decomposed form."""
    chance = random.Random(len(alphabet))
    drawn = ["".join(chance.choices(alphabet, k=chance.randrange(16))) for _ in range(number)]
    return drawn + [unicodedata.normalize("NFD", text) for text in drawn]


def letters_and_marks(text: str) -> list[str]:
    """What a text is made of, however it is composed, ordered or written."""
    return sorted(unicodedata.normalize("NFD", text.lower()).replace("ς", "σ"))


def pieces(text: str, starts: np.ndarray) -> list[tuple[slice, slice]]:
    """Which characters of the normalised text come from which of the original."""
    firsts = [*np.unique(starts[:-1], return_index=True)[1].tolist(), len(starts) - 1]
    return [(slice(a, b), slice(int(starts[a]), int(starts[b]))) for a, b in pairwise(firsts)]


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=list(ALPHABETS))
def test_the_pieces_of_any_text_make_up_its_normal_form(alphabet: str) -> None:
    for text in texts(alphabet):
        normalised, starts = normalise_with_starts(text)
        assert normalised == normalise(text) == unicodedata.normalize("NFC", text).lower()
        assert starts.dtype == np.int64
        assert starts.shape == (len(normalised) + 1,)
        assert (starts[0], starts[-1]) == (0, len(text))
        assert (np.diff(starts) >= 0).all()
        for of_normalised, of_text in pieces(text, starts):
            made, source = normalised[of_normalised], text[of_text]
            assert letters_and_marks(made) == letters_and_marks(source)


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=list(ALPHABETS))
def test_a_piece_is_one_character_or_one_with_its_marks(alphabet: str) -> None:
    for text in texts(alphabet):
        for _, of_text in pieces(text, normalise_with_starts(text)[1]):
            for char in text[of_text][1:]:
                is_jamo = "HANGUL J" in unicodedata.name(char, "")
                assert unicodedata.category(char)[0] == "M" or is_jamo


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=list(ALPHABETS))
def test_the_span_of_a_token_normalises_to_the_token(alphabet: str) -> None:
    for text in texts(alphabet):
        normalised, starts = normalise_with_starts(text)
        tokens = [match.span() for match in TOKEN.finditer(normalised)]
        spans = original_spans(starts, np.array(tokens, np.int64).reshape(-1, 2))
        inside = {int(a) for a, b in pairwise(starts) if a == b}  # starts that several share
        for (begin, end), (first, last) in zip(tokens, spans.tolist(), strict=True):
            token = normalised[begin:end].replace("ς", "σ")
            found = normalise(text[first:last]).replace("ς", "σ")
            assert token in found
            if starts[begin] not in inside and starts[end - 1] not in inside:
                assert token == found
        for (_, left_end), (right_begin, right_end) in pairwise(spans.tolist()):
            assert left_end <= right_end
            assert left_end <= right_begin or right_begin in inside


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=list(ALPHABETS))
def test_every_byte_comes_from_the_whole_character_that_it_encodes(alphabet: str) -> None:
    for text in texts(alphabet):
        composed = unicodedata.normalize("NFC", text)
        encoded, starts = encode_with_starts(text)
        assert encoded == composed.encode("utf-8", "surrogatepass")
        assert starts.shape == (len(encoded) + 1,)
        for of_bytes, of_text in pieces(text, starts):
            made = encoded[of_bytes].decode("utf-8", "surrogatepass")
            assert unicodedata.normalize("NFD", made) == unicodedata.normalize("NFD", text[of_text])
        if composed == text:
            lengths = [len(char.encode("utf-8", "surrogatepass")) for char in text]
            assert starts.tolist() == [*np.repeat(np.arange(len(text)), lengths), len(text)]


@pytest.mark.parametrize(
    ("text", "normalised", "starts"),
    [
        ("", "", [0]),
        ("Ab c", "ab c", [0, 1, 2, 3, 4]),
        ("e\u0301A", "éa", [0, 2, 3]),
        ("e\u0323\u0301", "\u1eb9\u0301", [0, 2, 3]),  # only the first mark is joined
        ("q\u0301\u0323!", "q\u0323\u0301!", [0, 1, 1, 3, 4]),  # the marks change places
        ("\u1100\u1161\u11a8\u1100\u1161", "각가", [0, 3, 5]),
        ("가\u11a8.", "각.", [0, 2, 3]),
        ("\u212b\u212a", "åk", [0, 1, 2]),
        ("a\u0958b", "a\u0915\u093cb", [0, 1, 1, 2, 3]),  # never composed
        ("\u0f72\u0f73", "\u0f71\u0f72\u0f72", [0, 0, 0, 2]),  # a letter made of two marks
        ("İx", "i\u0307x", [0, 0, 1, 2]),
        ("I\u0307x", "i\u0307x", [0, 0, 2, 3]),
        ("ΑΣ ΣΑ", "ας σα", [0, 1, 2, 3, 4, 5]),
        ("👩\u200d👧E\u0301", "👩\u200d👧é", [0, 1, 2, 3, 5]),
        ("\ud800E\u0301", "\ud800é", [0, 1, 3]),
    ],
)
def test_starts_of_texts_that_were_worked_out_by_hand(
    text: str, normalised: str, starts: list[int]
) -> None:
    found, found_starts = normalise_with_starts(text)
    assert found == normalised
    assert found_starts.tolist() == starts


def test_no_character_of_unicode_takes_a_letter_behind_it_into_its_piece() -> None:
    changed = [
        c for c in map(chr, range(sys.maxunicode + 1)) if c != unicodedata.normalize("NFC", c)
    ]
    assert len(changed) > 1000
    for char in changed:
        _, starts = normalise_with_starts(f"x{char}y")
        assert starts[-2:].tolist() == [2, 3]


def test_ranges_cover_whole_characters_and_empty_ranges_nothing() -> None:
    encoded, starts = encode_with_starts("E\u0301€👩")  # É in 2 bytes, € in 3, the woman in 4
    assert len(encoded) == 9
    ranges = np.array([[0, 1], [1, 3], [2, 5], [4, 9], [0, 0], [3, 3], [9, 9]])
    spans = [[0, 2], [0, 3], [2, 3], [2, 4], [0, 0], [2, 2], [4, 4]]
    assert original_spans(starts, ranges).tolist() == spans
    _, starts = normalise_with_starts("")
    assert original_spans(starts, np.array([[0, 0]])).tolist() == [[0, 0]]
    assert original_spans(starts, np.zeros((0, 2), np.int64)).shape == (0, 2)


def test_ascii_stays_where_it_is() -> None:
    text = "".join(map(chr, range(128)))
    assert normalise_with_starts(text)[1].tolist() == list(range(129))
    assert encode_with_starts(text)[1].tolist() == list(range(129))
