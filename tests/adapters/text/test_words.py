"""Words and their n-grams as hashes."""

from __future__ import annotations

import random
import re
import tracemalloc
import unicodedata
import zlib
from itertools import pairwise

import numpy as np
import pytest

from cnnkit.adapters.text import words
from cnnkit.adapters.text.words import BUCKETS, N_GRAMS, category, read_words

TEXTS = [
    "A cat, a CAT!",
    "",
    "   ",
    "E\u0301cole école — naïve",
    "don't stop_now 3.14",
    "👩‍👩‍👧 שלום سلام 人人",
    "lone \ud800 half",
    "İstanbul ΟΔΟΣ",
]
LONG = ["restaurant", "excellent", "definitely", "government", "performance", "disappointed"]


def tokens(text):
    # The dot above of a lower-case İ is the only mark after a letter in TEXTS.
    return re.findall(r"\w[\w\u0307]*|[^\w\s]", unicodedata.normalize("NFC", text).lower())


def crc(text):
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def all_n_grams(word):
    marked = f"<{word}>"
    return [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)]


def test_each_word_is_the_crc_of_its_marked_form():
    values, lengths = read_words(TEXTS)
    found = [tokens(text) for text in TEXTS]
    assert lengths.tolist() == [len(each) for each in found]
    expected = [crc(f"<{word}>") for each in found for word in each]
    assert (values[:, 0].astype(np.int64) & 0xFFFFFFFF).tolist() == expected
    assert values.dtype == np.int32


def test_the_other_channels_are_n_grams_of_the_word_evenly_spread_over_all():
    for word in [*LONG, "the", "film", "👩", "schifffahrt" * 5]:
        row = read_words([word])[0][0, 1:].tolist()
        codes = [1 + crc(n_gram) % (BUCKETS - 1) for n_gram in all_n_grams(word)]
        if len(codes) <= N_GRAMS:
            assert row == codes + [0] * (N_GRAMS - len(codes))
            continue
        if len(set(codes)) < len(codes):  # a place can't be told by its number
            assert set(row) <= set(codes)
            continue
        places = [codes.index(code) for code in row]
        assert (places[0], places[-1]) == (0, len(codes) - 1)
        gaps = [b - a for a, b in pairwise(places)]
        assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize("length", [*range(1, 40), 333])
def test_the_n_grams_are_those_that_a_list_of_all_would_give(length):
    word = "".join(chr(0x4E00 + place) for place in range(length))  # no n-gram comes twice
    found = all_n_grams(word)
    if len(found) > N_GRAMS:
        found = [found[number * (len(found) - 1) // 4] for number in range(N_GRAMS)]
    expected = [1 + crc(n_gram) % (BUCKETS - 1) for n_gram in found]
    assert read_words([word])[0][0, 1 : 1 + len(found)].tolist() == expected


def test_a_run_of_millions_of_letters_takes_no_list_of_its_n_grams():
    word = "a" * 1_000_000
    tracemalloc.start()
    values, _ = read_words([word])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * len(word)
    spread = ["<aa", "aaa", "aaaa", "aaaaa", "aaaa>"]
    assert values[0, 1:].tolist() == [1 + crc(n_gram) % (BUCKETS - 1) for n_gram in spread]


@pytest.mark.parametrize(("word", "count"), [("a", 1), ("an", 3), ("and", 5), ("!", 1)])
def test_words_of_one_or_two_letters_have_fewer_n_grams(word, count):
    row = read_words([word])[0][0, 1:]
    assert (row != 0).tolist() == [True] * count + [False] * (N_GRAMS - count)


def typos(word):
    for i in range(len(word)):
        yield word[:i] + "q" + word[i + 1 :]
        yield word[:i] + "q" + word[i:]
        yield word[:i] + word[i + 1 :]


def test_a_misspelt_word_keeps_about_half_of_its_n_grams_and_another_word_none():
    shares, others = [], []
    for word, other in pairwise(LONG):
        own = set(read_words([word])[0][0, 1:].tolist())
        for typo in typos(word):
            shares.append(len(own & set(read_words([typo])[0][0, 1:].tolist())) / len(own))
        others.append(len(own & set(read_words([other])[0][0, 1:].tolist())))
    assert np.mean(shares) > 0.45
    assert np.mean(np.array(shares) > 0) > 0.95
    assert sum(others) == 0


@pytest.mark.parametrize("size", [1, 7, 30, 10_000])
def test_chunks_change_nothing(monkeypatch, size):
    texts = TEXTS * 3
    values, lengths = read_words(texts)
    monkeypatch.setattr(words, "CHUNK_CHARACTERS", size)
    in_chunks = read_words(iter(texts))
    np.testing.assert_array_equal(in_chunks[0], values)
    np.testing.assert_array_equal(in_chunks[1], lengths)


def test_no_texts_give_no_rows():
    values, lengths = read_words([])
    assert (values.shape, lengths.shape) == ((0, 1 + N_GRAMS), (0,))
    assert read_words(["", " \n"])[0].shape == (0, 1 + N_GRAMS)


def test_a_category_is_never_padding_and_stays_inside_the_table():
    chance = random.Random(0)
    drawn = [chance.randrange(-(2**31), 2**31) for _ in range(10_000)]
    edges = [-(2**31), -1, 0, 1, BUCKETS - 2, BUCKETS - 1, BUCKETS, 2**31 - 1]
    hashes = np.array([*drawn, *edges], dtype=np.int32)
    found = category(hashes)
    assert found.tolist() == [1 + (code % 2**32) % (BUCKETS - 1) for code in hashes.tolist()]
    assert found.min() >= 1
    assert found.max() < BUCKETS
    n_grams = read_words([" ".join(LONG)])[0][:, 1:]
    assert n_grams.min() >= 1
    assert n_grams.max() < BUCKETS
