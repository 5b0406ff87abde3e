"""TF-IDF and a linear model of texts."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from cnnkit.adapters.text.baseline import TextTfidf, make_baseline

RNG = np.random.default_rng(0)
WORDS = ["Good", "bad", "film", "!", "?", "the", "Café", "a", "ΟΔΟΣ", "👩", "7"]
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(1, 9))) for _ in range(60)]
SCORES = np.array(
    [text.count("Good") - text.count("bad") + 0.5 * text.count("!") for text in TEXTS]
)
LABELS = np.where(SCORES > 0.7, "liked", np.where(SCORES < -0.2, "disliked", "neither"))
FEATURES = {
    "words": TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), sublinear_tf=True),
    "bytes": TfidfVectorizer(analyzer="char", ngram_range=(1, 3), lowercase=False),
}


def target(task: str) -> np.ndarray:
    if task == "multilabel":
        return np.stack([SCORES > 0, SCORES < 1], axis=1).astype(float)
    return SCORES if task == "regression" else LABELS


@pytest.mark.parametrize("unit", ["words", "bytes"])
def test_it_says_what_scikit_learn_says_of_the_same_tokens(unit: str) -> None:
    machine = Pipeline([("tfidf", FEATURES[unit]), ("svm", LinearSVC(random_state=0))])
    found = make_baseline("classification", unit).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(found.classes_, np.unique(LABELS))
    by_hand = machine.fit(TEXTS, LABELS).decision_function(TEXTS)
    np.testing.assert_allclose(found.decision_function(TEXTS), by_hand)
    ridge = Pipeline([("tfidf", FEATURES[unit]), ("ridge", Ridge())])
    found = make_baseline("regression", unit).fit(TEXTS, SCORES)
    np.testing.assert_allclose(found.predict(TEXTS), ridge.fit(TEXTS, SCORES).predict(TEXTS))


def test_a_label_is_learnt_from_the_rows_where_it_is_known() -> None:
    y = target("multilabel")
    y[:20, 0] = y[30:, 1] = np.nan
    found = make_baseline("multilabel").fit(TEXTS, y)
    X = FEATURES["words"].fit_transform(TEXTS)
    for column, rows in enumerate([slice(20, None), slice(30)]):
        machine = LinearSVC(random_state=0).fit(X[rows], y[rows, column])
        votes = found.decision_function(TEXTS)[:, column]
        np.testing.assert_allclose(votes, machine.decision_function(X))
        np.testing.assert_array_equal(found.predict(TEXTS)[:, column], machine.predict(X))


def test_a_label_with_one_known_value_or_none_is_constant() -> None:
    y = np.full((len(TEXTS), 4), np.nan)
    y[:5, 0], y[:5, 1], y[:, 3] = 1, 0, SCORES > 0
    found = make_baseline("multilabel").fit(TEXTS, y)
    assert found.decision_function(TEXTS).shape == (len(TEXTS), 4)
    assert np.isfinite(found.decision_function(TEXTS)).all()
    np.testing.assert_array_equal(found.predict(TEXTS)[:, :3], [[1, 0, 0]] * len(TEXTS))


@pytest.mark.parametrize("unit", ["words", "bytes"])
def test_a_text_is_the_same_however_its_accents_are_typed(unit: str) -> None:
    tfidf = TextTfidf(unit).fit(TEXTS)
    typed_otherwise = [unicodedata.normalize("NFD", text) for text in TEXTS]
    assert typed_otherwise != TEXTS
    assert (tfidf.transform(typed_otherwise) != tfidf.transform(TEXTS)).nnz == 0


def test_words_are_the_same_in_any_case_and_characters_are_not() -> None:
    assert TextTfidf("words").fit(["GOOD"]).transform(["good"]).nnz == 1
    assert TextTfidf("bytes").fit(["GOOD"]).transform(["good"]).nnz == 0


@pytest.mark.parametrize("unit", ["words", "bytes"])
@pytest.mark.parametrize("task", ["classification", "regression", "multilabel"])
def test_odd_texts_are_answered(task: str, unit: str) -> None:
    odd = ["", "  \n", "\x00", "\ud800", "unseen", "\u0301", "word " * 20_000]
    model = make_baseline(task, unit).fit([*TEXTS, *odd], np.concatenate([target(task)] * 2)[:67])
    answers = model.predict(odd)
    assert len(answers) == len(odd)
    empty_for_words = model.predict(["", " \t"])
    np.testing.assert_array_equal(empty_for_words[0], model.predict([""])[0])


@pytest.mark.parametrize("texts", [["", " ", "\n", "", ""], [""] * 5])
def test_without_any_word_the_majority_or_the_mean_is_the_answer(texts: list[str]) -> None:
    new = ["", "good film"]
    y = np.array(["a", "b", "c", "c", "c"])
    assert make_baseline().fit(texts, y).predict(new).tolist() == ["c", "c"]
    two = make_baseline().fit(texts, y == "c")
    assert two.predict(new).tolist() == [True, True]
    numbers = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    np.testing.assert_allclose(make_baseline("regression").fit(texts, numbers).predict(new), 22.0)
    many = np.array([[0, 1], [1, 1], [1, 0], [1, 0], [np.nan, 0]])
    found = make_baseline("multilabel").fit(texts, many).predict(new)
    np.testing.assert_array_equal(found, [[1, 0], [1, 0]])


def test_it_can_be_cloned_and_cross_validated() -> None:
    scores = cross_val_score(clone(make_baseline()), TEXTS, LABELS, cv=3)
    assert scores.mean() > 0.6  # three classes
