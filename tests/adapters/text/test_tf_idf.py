"""N-grams weighted as scikit-learn does it."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from cnnkit.adapters.text import tf_idf
from cnnkit.adapters.text.spans import normalise
from cnnkit.adapters.text.tf_idf import LENGTH, TfIdf, learn_idf, n_grams
from cnnkit.adapters.text.words import read_words
from cnnkit.cnncore.image import Samples

TOKENS = r"\w+|[^\w\s]"
WORDS = [f"w{number}" for number in range(40)] + [",", "."]
UNKNOWN = [f"x{number}" for number in range(10)]


def drawn_texts(count, seed, words=WORDS):
    chance = random.Random(seed)
    return [" ".join(chance.choices(words, k=chance.randrange(1, 60))) for _ in range(count)]


TRAIN = [*drawn_texts(30, 0), "w0", "w0 w0 w0", "A cat, a CAT"]
TEST = [*drawn_texts(10, 1, WORDS + UNKNOWN), "", "x0 x1 x2", "w0 x0 w0", "a cat"]


def read(texts):
    values, lengths = read_words(texts)
    count = len(texts)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Samples(values, offsets, np.arange(count), np.zeros((count, 0), np.float32))


def codes_of(texts):
    samples = read(texts)
    text = torch.from_numpy(np.repeat(np.arange(len(texts)), samples.lengths))
    return torch.from_numpy(samples.values[:, 0].astype(np.int64) & 0xFFFFFFFF), text


def dense(rows, width, count):
    """Write sparse rows out, float32 [count, width]."""
    matrix = np.zeros((count, width), np.float32)
    ends = [*rows.offsets.tolist()[1:], len(rows.columns)]
    for row, (begin, end) in enumerate(zip(rows.offsets.tolist(), ends, strict=True)):
        columns = rows.columns[begin:end].numpy()
        assert len(set(columns.tolist())) == len(columns)
        matrix[row, columns] = rows.values[begin:end].numpy()
    return matrix


def weighed(longest, texts, most=10**6):
    keys, idf = learn_idf(read(TRAIN), longest, most)
    module = TfIdf(keys, idf, longest, dropout=0.5).eval()
    rows = module(*codes_of(texts), len(texts), None)
    return dense(rows, len(keys), len(texts)), keys, idf


def scikit_learn(longest):
    return TfidfVectorizer(
        preprocessor=normalise, token_pattern=TOKENS, ngram_range=(1, longest), sublinear_tf=True
    ).fit(TRAIN)


def sorted_columns(matrix):
    """Order the columns by what stands in them: their own order has no meaning."""
    rounded = matrix.round(4)
    return matrix[:, np.lexsort(rounded)]


@pytest.mark.parametrize("longest", [1, 2, 3, 4])
def test_rows_are_those_of_scikit_learn_at_length_8(longest):
    truth = scikit_learn(longest)
    found, keys, _ = weighed(longest, TRAIN + TEST)
    expected = LENGTH * truth.transform(TRAIN + TEST).toarray()
    assert len(keys) == expected.shape[1]
    np.testing.assert_allclose(sorted_columns(found), sorted_columns(expected), atol=1e-4)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-3)


def test_frequencies_are_those_of_scikit_learn():
    truth = scikit_learn(2)
    keys, idf = learn_idf(read(TRAIN), 2, 10**6)
    assert (np.diff(keys) > 0).all()
    assert idf.dtype == np.float32
    np.testing.assert_allclose(np.sort(idf), np.sort(truth.idf_), rtol=1e-6)
    for number in range(40):
        place = np.searchsorted(keys, zlib.crc32(f"<w{number}>".encode()))
        assert idf[place] == pytest.approx(truth.idf_[truth.vocabulary_[f"w{number}"]], rel=1e-6)


@pytest.mark.parametrize("steps", [1, 50, 300])
def test_chunks_change_nothing(monkeypatch, steps):
    keys, idf = learn_idf(read(TRAIN + [""] * 5 + TRAIN), 2, 10**6)
    monkeypatch.setattr(tf_idf, "CHUNK_STEPS", steps)
    in_chunks = learn_idf(read(TRAIN + [""] * 5 + TRAIN), 2, 10**6)
    np.testing.assert_array_equal(in_chunks[0], keys)
    np.testing.assert_array_equal(in_chunks[1], idf)


@pytest.mark.parametrize("most", [1, 10, 100])
def test_of_too_many_n_grams_those_in_most_texts_are_kept(most):
    texts = [text.lower().split() for text in drawn_texts(30, 0)]
    counts = Counter(
        n_gram for words in texts for n_gram in {(word,) for word in words} | set(pairwise(words))
    )
    keys, idf = learn_idf(read([" ".join(words) for words in texts]), 2, most)
    assert len(keys) == len(set(keys.tolist())) == most
    assert (np.diff(keys) > 0).all()
    with_it = 31 / np.exp(idf.astype(np.float64) - 1) - 1
    expected = sorted(counts.values())[-most:]
    np.testing.assert_allclose(np.sort(with_it), expected, rtol=1e-4)


@pytest.mark.parametrize("texts", [["", ""], ["x0 x1", "x2", ""], []])
def test_texts_without_a_known_n_gram_give_empty_rows(texts):
    keys, idf = learn_idf(read(TRAIN), 2, 10**6)
    rows = TfIdf(keys, idf, 2, 0.5)(*codes_of(texts), len(texts), torch.Generator())
    assert len(rows.columns) == len(rows.values) == 0
    assert rows.offsets.tolist() == [0] * len(texts)


def test_without_n_grams_nothing_is_learnt():
    keys, idf = learn_idf(read(TRAIN), 0, 10)
    assert (keys.shape, idf.shape) == ((0,), (0,))


def test_n_grams_stay_inside_their_texts_and_know_the_order_of_words():
    codes = torch.tensor([5, 6, 7, 6, 5, 5, 6])
    text, key = n_grams(codes, torch.tensor([0, 0, 0, 1, 1, 2, 2]), longest=4)
    found = Counter(text.tolist())
    assert found == {0: 3 + 2 + 1, 1: 2 + 1, 2: 2 + 1}
    by_text = [set(key[text == number].tolist()) for number in range(3)]
    assert by_text[0] & by_text[1] == {5, 6}  # 6 5 is not 5 6
    assert len(by_text[0] & by_text[2]) == 3  # 5, 6 and 5 6
    assert int(key.max()) < 2**32


def test_a_text_shorter_than_the_longest_n_gram_has_the_others():
    text, key = n_grams(torch.tensor([9]), torch.tensor([0]), longest=4)
    assert (text.tolist(), key.tolist()) == ([0], [9])
    assert n_grams(torch.tensor([], dtype=torch.int64), torch.tensor([]), 3)[1].tolist() == []


def test_in_training_a_share_of_the_votes_is_left_out_and_the_others_make_up_for_it():
    keys, idf = learn_idf(read(TRAIN), 2, 10**6)
    module = TfIdf(keys, idf, 2, dropout=0.25)
    arguments = *codes_of(TRAIN), len(TRAIN)
    plain = module.eval()(*arguments, torch.Generator().manual_seed(0)).values
    torch.testing.assert_close(module.train()(*arguments, None).values, plain, rtol=0, atol=0)
    drawn = [module(*arguments, torch.Generator().manual_seed(seed)).values for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    kept = drawn[0] != 0
    torch.testing.assert_close(drawn[0][kept], plain[kept] / 0.75)
    assert len(plain) > 1000
    assert float(kept.float().mean()) == pytest.approx(0.75, abs=0.05)
