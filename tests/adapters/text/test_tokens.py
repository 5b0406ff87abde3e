"""What a word is."""

from __future__ import annotations

import random
import re
import sys
import unicodedata

import pytest

from cnnkit.adapters.text.spans import normalise
from cnnkit.adapters.text.tokens import find_words, word_spans


@pytest.mark.parametrize(
    "word",
    [
        "हिन्दी",
        "தமிழ்",
        "العَرَبِيَّة",
        "ẹ̀kọ́",
        "İstanbul",
        "می\u200cخواهم",
        "ශ්\u200dරී",
        "နိုင်ငံ",
        "1\ufe0f\u20e3",
        "snake_case2",
    ],
)
def test_a_word_keeps_its_marks_and_joiners(word):
    word = normalise(word)
    assert find_words(f"{word} ({word}), {word}!") == [word, "(", word, ")", ",", word, "!"]


def test_a_mark_or_joiner_that_follows_no_letter_stands_alone():
    assert find_words("a👩\u200d👧b") == ["a", "👩", "\u200d", "👧", "b"]
    assert find_words("❤\ufe0f x") == ["❤", "\ufe0f", "x"]
    assert find_words(" \u0301a") == ["\u0301", "a"]


def test_every_mark_of_unicode_belongs_to_the_word_before_it():
    marks = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c)[0] == "M"]
    assert find_words(" ".join(f"a{mark}b" for mark in marks)) == [f"a{mark}b" for mark in marks]


def test_what_is_no_mark_goes_as_in_a_plain_pattern():
    chance = random.Random(0)
    codes = [c for c in range(0x30000) if unicodedata.category(chr(c))[0] != "M"]
    text = "".join(chr(c) for c in chance.choices(codes, k=20_000)).translate(
        dict.fromkeys([0x200C, 0x200D])
    )
    assert find_words(text) == re.findall(r"\w+|[^\w\s]", text)


@pytest.mark.parametrize("text", ["", " ", "A cat!", "don't हिन्दी 👩\u200d👧"])
def test_spans_are_those_of_the_words(text):
    assert [text[begin:end] for begin, end in word_spans(text)] == find_words(text)
    assert word_spans(text).shape == (len(find_words(text)), 2)
