"""What a word is."""

from __future__ import annotations

import random
import re
import sys
import unicodedata

import pytest

from cnnkit.adapters.text.spans import normalise
from cnnkit.adapters.text.tokens import find_words, is_blank, word_spans


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


def test_what_is_no_mark_control_or_format_goes_as_in_a_plain_pattern():
    chance = random.Random(0)
    kinds = [(c, unicodedata.category(chr(c))) for c in range(0x30000)]
    codes = [c for c, kind in kinds if kind[0] != "M" and kind not in ("Cc", "Cf")]
    text = "".join(chr(c) for c in chance.choices(codes, k=20_000))
    assert find_words(text) == re.findall(r"\w+|[^\w\s]", text)


IGNORED = ["\u00ad", "\u200e", "\u200f", "\u202b", "\u202c", "\u2060", "\u2069", "\ufeff"]


@pytest.mark.parametrize("mark", IGNORED)
def test_format_characters_count_nowhere(mark):
    text = f"{mark}co{mark}operate{mark}, {mark} {mark}हि{mark}न्दी{mark}!{mark}"
    assert find_words(text) == ["cooperate", ",", "हिन्दी", "!"]
    spans = [text[begin:end].replace(mark, "") for begin, end in word_spans(text)]
    assert spans == find_words(text)


@pytest.mark.parametrize("separator", ["\u200b", "\0", "\x07", "\x1b", "\x9d"])
def test_control_characters_and_spaces_of_zero_width_part_words(separator):
    assert find_words(f"{separator}to{separator}day é{separator}") == ["to", "day", "é"]


def test_signs_of_category_format_that_can_be_seen_stand_alone():
    assert find_words("a \u0600 b") == ["a", "\u0600", "b"]


@pytest.mark.parametrize(
    "text", ["", " \n", "\0", "\x07", "\u200b", "\u0301", "\ufe0f", "\u00ad \x9d"]
)
def test_a_text_without_visible_characters_is_blank(text):
    assert is_blank(text)


def test_letters_numbers_punctuation_and_symbols_can_be_seen():
    shown = [c for c in map(chr, range(0x20000)) if unicodedata.category(c)[0] in "LNPS"]
    assert [c for c in shown if is_blank(c)] == []
    assert not is_blank(" \u0301e")


@pytest.mark.parametrize(
    "text", ["", " ", "A cat!", "don't हिन्दी 👩\u200d👧", "\x07a\x07", "to\u200bday é"]
)
def test_spans_are_those_of_the_words(text):
    assert [text[begin:end] for begin, end in word_spans(text)] == find_words(text)
    assert word_spans(text).shape == (len(find_words(text)), 2)
