"""What units become, against scikit-learn and pandas, and what may not leak into it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler, TargetEncoder

from cnnkit.cnncore.swap_test.encoding import encode, encoded_as, widths
from cnnkit.cnncore.swap_test.target import Target
from cnnkit.cnncore.swap_test.units import Unit

N = 300
RNG = np.random.default_rng(0)
TRAIN = np.sort(RNG.choice(N, 200, replace=False))
TEST = np.setdiff1d(np.arange(N), TRAIN)


def number(gaps: float = 0.0, seed: int = 0, kind: Any = "number") -> Unit:
    rng = np.random.default_rng(seed)
    return Unit("n", kind, np.where(rng.random(N) < gaps, np.nan, rng.normal(50, 20, N)))


def category(n_levels: int, gaps: bool = False, seed: int = 0) -> Unit:
    codes = np.random.default_rng(seed).integers(-1 if gaps else 0, n_levels, N)
    return Unit("c", "category", codes, tuple(f"level {level}" for level in range(n_levels)))


def text() -> Unit:
    words = [f"word{number}" for number in range(40)]
    texts = [" ".join(RNG.choice(words, row % 20)) for row in range(N)]
    return Unit("t", "text", np.array(texts, dtype=object))


def target(n_classes: int = 0, seed: int = 0) -> Target:
    rng = np.random.default_rng(seed)
    if not n_classes:
        return Target("y", "regression", rng.normal(100, 30, N))
    classes = tuple(f"class {number}" for number in range(n_classes))
    return Target("y", "classification", rng.integers(0, n_classes, N), classes)


UNITS = [
    number(), number(0.1), number(0.1, kind="date"), category(2), category(2, True),
    category(1, True), category(3), category(8, True), category(9), category(30, True), text(),
]  # fmt: skip
TARGETS = [target(), target(2), target(3), target(4), target(5)]


def standardised(columns: Any) -> np.ndarray:
    """Standardise by the training rows and clip, by scikit-learn."""
    values = np.asarray(columns, dtype=float).reshape(N, -1)
    return StandardScaler().fit(values[TRAIN]).transform(values).clip(-5, 5)


def means_by_scikit_learn(unit: Unit, truth: np.ndarray, seed: int) -> np.ndarray:
    """Encode training rows by cross-fitting, and test rows by all training rows."""
    codes, means = unit.values[:, None], np.empty(N)
    parts = KFold(5, shuffle=True, random_state=seed).split(TRAIN)
    steps = [(TRAIN[learnt], TRAIN[held_out]) for learnt, held_out in parts] + [(TRAIN, TEST)]
    for learnt, rows in steps:
        encoder = TargetEncoder(target_type="continuous").fit(codes[learnt], truth[learnt])
        means[rows] = encoder.transform(codes[rows])[:, 0]
    return means


def test_numbers_are_imputed_and_standardised_as_scikit_learn_does() -> None:
    for unit in (number(), number(0.2), number(0.2, kind="date")):
        imputer = SimpleImputer(add_indicator=True).fit(unit.values[TRAIN, None])
        expected = standardised(imputer.transform(unit.values[:, None]))
        np.testing.assert_allclose(encode([unit], target(), TRAIN), expected, atol=1e-6)


@pytest.mark.parametrize("n_levels", [2, 3, 8])
@pytest.mark.parametrize("gaps", [False, True])
def test_few_levels_become_one_column_each(n_levels: int, gaps: bool) -> None:
    unit = category(n_levels, gaps)
    dummies = pd.get_dummies(pd.Series(unit.values)).sort_index(axis=1)
    if gaps:
        dummies = dummies[[*range(n_levels), -1]]
    elif n_levels == 2:
        dummies = dummies[[1]]
    encoded = encode([unit], target(3), TRAIN)
    np.testing.assert_allclose(encoded, standardised(dummies), atol=1e-6)


def test_one_level_and_missing_values_become_one_column() -> None:
    unit = category(1, gaps=True)
    encoded = encode([unit], target(), TRAIN)
    np.testing.assert_allclose(encoded, standardised(unit.values == 0), atol=1e-6)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", [0, 7])
def test_many_levels_become_the_means_of_scikit_learns_target_encoder(
    gaps: bool, seed: int
) -> None:
    unit = category(25, gaps)
    for y in (target(), target(2), target(3), target(4)):
        columns = {0: [y.values], 2: [y.values == 1]}.get(
            len(y.classes or ()), [y.values == k for k in range(len(y.classes or ()))]
        )
        means = [means_by_scikit_learn(unit, np.asarray(c, float), seed) for c in columns]
        encoded = encode([category(3), unit, number()], y, TRAIN, seed=seed)
        expected = standardised(np.stack(means, axis=1))
        np.testing.assert_allclose(encoded[:, 3:-1], expected, atol=1e-5)


def test_many_levels_become_their_training_frequency_for_more_than_four_classes() -> None:
    unit = category(25, gaps=True)
    frequency = pd.Series(unit.values[TRAIN]).value_counts(normalize=True)
    expected = standardised(pd.Series(unit.values).map(frequency).fillna(0))
    np.testing.assert_allclose(encode([unit], target(5), TRAIN), expected, atol=1e-6)


def test_texts_become_lengths_and_hashed_words() -> None:
    unit = text()
    texts = pd.Series(unit.values)
    hashed = HashingVectorizer(n_features=6, norm="l2").transform(texts).toarray()
    lengths = np.log1p(np.c_[texts.str.len(), texts.str.split().str.len()])
    expected = standardised(np.hstack([lengths, hashed]))
    np.testing.assert_allclose(encode([unit], target(), TRAIN), expected, atol=1e-5)


def test_a_level_that_no_training_row_has_is_as_good_as_unknown() -> None:
    few, many = category(4), category(30)
    for unit in (few, many):
        unit.values[unit.values == 3] = 2
        unit.values[TEST[0]] = 3
    encoded = encode([few], target(), TRAIN)
    assert not encoded[:, 3].any()
    y = target()
    means = encode([many], y, TRAIN)
    unknown = replace(many, values=np.where(np.arange(N) == TEST[0], -1, many.values))
    np.testing.assert_array_equal(means, encode([unknown], y, TRAIN))
    assert encode([many], target(5), TRAIN)[TEST[0]] <= encode([many], target(5), TRAIN).min()


@pytest.mark.parametrize("y", TARGETS, ids=lambda y: str(y.classes and len(y.classes)))
def test_a_test_rows_target_changes_nothing(y: Target) -> None:
    values = y.values.copy()
    values[TEST] = values[np.roll(TEST, 1)] if y.classes else 1e6
    other = replace(y, values=values)
    assert (other.values != y.values).any()
    np.testing.assert_array_equal(encode(UNITS, y, TRAIN), encode(UNITS, other, TRAIN))


@pytest.mark.parametrize("y", TARGETS, ids=lambda y: str(y.classes and len(y.classes)))
def test_test_rows_change_no_training_row(y: Target) -> None:
    shuffled = np.arange(N)
    shuffled[TEST] = np.random.default_rng(1).choice(TEST[: len(TEST) // 3], len(TEST))
    others = [unit[shuffled] for unit in UNITS]
    assert widths(others, y) == widths(UNITS, y)
    before, after = encode(UNITS, y, TRAIN), encode(others, y, TRAIN)
    np.testing.assert_array_equal(before[TRAIN], after[TRAIN])
    assert (before[TEST] != after[TEST]).any()


def test_a_training_row_never_sees_its_own_target() -> None:
    unit = Unit("c", "category", np.arange(N), tuple(map(str, range(N))))
    encoded = encode([unit], target(), TRAIN)[TRAIN, 0]
    assert np.corrcoef(encoded, target().values[TRAIN])[0, 1] < 0


@pytest.mark.parametrize("y", TARGETS, ids=lambda y: str(y.classes and len(y.classes)))
def test_widths_are_the_same_in_every_fold(y: Target) -> None:
    n_means = {None: 1, 2: 1, 3: 3, 4: 4, 5: 1}[y.classes and len(y.classes)]
    assert widths(UNITS, y) == (1, 2, 2, 1, 3, 1, 3, 9, n_means, n_means, 8)
    for train, _ in KFold(3).split(np.arange(N)):
        encoded = encode(UNITS, y, train)
        assert encoded.shape == (N, sum(widths(UNITS, y)))
        assert encoded.dtype == np.float32
        blocks = np.split(encoded, np.cumsum(widths(UNITS, y))[:-1], axis=1)
        for unit, block in zip(UNITS, blocks, strict=True):
            np.testing.assert_array_equal(block, encode([unit], y, train))


@pytest.mark.parametrize("y", TARGETS, ids=lambda y: str(y.classes and len(y.classes)))
def test_columns_are_standardised_on_training_rows_and_clipped(y: Target) -> None:
    wild = number()
    wild.values[TRAIN] /= 1e9
    wild.values[TEST[:2]] = [1e308, -1e308]
    encoded = encode([*UNITS, wild], y, TRAIN)
    assert np.isfinite(encoded).all()
    assert np.abs(encoded).max() == 5
    assert encoded[TEST[:2], -1].tolist() == [5, -5]
    inner = np.abs(encoded[TRAIN]).max(axis=0) < 5
    np.testing.assert_allclose(encoded[TRAIN].mean(axis=0)[inner], 0, atol=1e-5)
    np.testing.assert_allclose(encoded[TRAIN].std(axis=0)[inner], 1, atol=1e-5)


@pytest.mark.parametrize("values", [[1e308, -1e308, 1e308], [5e-324, 0, 1e-323], [1e300, 1, 0]])
def test_numbers_of_any_size_stay_finite(values: list[float]) -> None:
    column = np.resize([*values, np.nan], N)
    assert np.isfinite(encode([Unit("n", "number", column)], target(), TRAIN)).all()


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e-30, 12345.678])
def test_what_is_constant_among_training_rows_becomes_zero(constant: float) -> None:
    values = number().values.copy()
    values[TRAIN] = constant
    assert not encode([Unit("n", "number", values)], target(), TRAIN).any()
    values[TRAIN[::3]] = np.nan
    encoded = encode([Unit("n", "number", values)], target(), TRAIN)
    assert not encoded[:, 0].any()
    assert encoded[:, 1].any()
    values[TRAIN] = np.nan
    assert not encode([Unit("n", "number", values)], target(), TRAIN).any()


def test_tiny_classes_and_folds_are_encoded() -> None:
    codes = np.arange(12) % 9
    unit = Unit("c", "category", codes, tuple(map(str, range(9))))
    rare = Target("y", "classification", np.array([0] * 10 + [1, 2]), ("a", "b", "c"))
    for train in (np.arange(10), np.arange(11), np.array([0, 11]), np.arange(12)):
        encoded = encode([unit], rare, train)
        assert encoded.shape == (12, 3)
        assert np.isfinite(encoded).all()


def test_the_same_seed_gives_the_same_and_another_one_other_parts() -> None:
    first, again, other = (encode([category(30)], target(), TRAIN, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_no_units_are_no_columns() -> None:
    assert encode([], target(), TRAIN).shape == (N, 0)


@pytest.mark.parametrize(
    ("unit", "y", "words"),
    [
        (number(), target(), "as it is"),
        (number(0.1), target(), "as it is, and one for missing values"),
        (number(kind="date"), target(), "days since the earliest"),
        (category(2), target(), "2 levels: 0 or 1"),
        (category(2, True), target(), "2 levels: one column each, and one for missing values"),
        (category(8), target(), "8 levels: one column each"),
        (category(12), target(), "12 levels: out-of-fold target mean"),
        (category(12), target(2), "12 levels: out-of-fold class shares"),
        (category(12, True), target(5), "12 levels: how frequent each is"),
        (text(), target(), "its length and 6 hashed word counts"),
    ],
)
def test_the_encoding_is_said_in_words(unit: Unit, y: Target, words: str) -> None:
    assert encoded_as(unit, y) == words
