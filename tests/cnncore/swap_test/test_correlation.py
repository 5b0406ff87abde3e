"""Correlations of the units, against numpy, and what they hint at."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit.cnncore.swap_test.correlation import order_hints, unit_correlation
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.target import Target


def table(values: np.ndarray, target: Target) -> PreparedTable:
    """Lay out a table with one design for all folds."""
    rows = np.arange(len(values))
    folds = ((rows[::2], rows[1::2]), (rows[1::2], rows[::2]))
    design = values.astype(np.float32)
    columns = values.shape[1]
    return PreparedTable((design, design), (1,) * columns, folds, target, (1, columns))


def numbers(values: np.ndarray) -> Target:
    return Target("y", "regression", values.astype(np.float64))


def smooth(columns: int, n: int = 400) -> np.ndarray:
    """Draw rows in which neighbours are alike."""
    return np.random.default_rng(0).normal(size=(n, columns)).cumsum(axis=1)


def hints_of(values: np.ndarray, target: Target, widths: tuple[int, ...] | None = None) -> str:
    found = table(values, target)
    return "; ".join(order_hints(found, unit_correlation(found, widths), widths))


def correlations_of(values: np.ndarray) -> np.ndarray:
    return unit_correlation(table(values, numbers(values[:, 0])))


def test_correlations_of_single_columns_are_those_of_numpy_without_their_sign() -> None:
    values = smooth(9) * np.where(np.arange(9) % 2, -3.0, 0.2)
    found = correlations_of(values)
    np.testing.assert_allclose(found, np.abs(np.corrcoef(values.T)), atol=1e-5)


@pytest.mark.parametrize("widths", [(1, 3, 2, 4), (4, 1, 1, 4), (10,)])
def test_between_units_the_strongest_pair_of_columns_counts(widths: tuple[int, ...]) -> None:
    values = smooth(10)
    found = unit_correlation(table(values, numbers(values[:, 0])), widths)
    single = np.abs(np.corrcoef(values.T))
    ends = np.cumsum(widths)
    parts = [slice(end - width, end) for width, end in zip(widths, ends, strict=True)]
    expected = [[single[one, other].max() for other in parts] for one in parts]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_column_that_never_varies_correlates_with_nothing() -> None:
    values = smooth(6, n=999)
    values[:, 2] = 0.1
    values[:, 5] = 0.7
    found = correlations_of(values)
    assert found[2].tolist() == [0.0] * 6
    assert found[5].tolist() == [0.0] * 6


def test_a_very_wide_table_gets_no_map() -> None:
    values = np.random.default_rng(0).normal(size=(20, 1001))
    assert correlations_of(values).shape == (0, 0)
    assert correlations_of(values[:, 1:]).shape == (1000, 1000)
    assert hints_of(values, numbers(values[:, 0])) == ""


def test_the_hint_compares_neighbours_with_all_pairs() -> None:
    values = smooth(12)
    single = np.abs(np.corrcoef(values.T))
    pairs = [single[one, other] for one in range(12) for other in range(one)]
    beside = [single[one, one + 1] for one in range(11)]
    expected = (
        f"neighbouring columns correlate by {np.mean(beside):.2f}, any two columns by "
        f"{np.mean(pairs):.2f}"
    )
    assert expected in hints_of(values, numbers(np.random.default_rng(1).normal(size=400)))


def test_two_columns_have_no_order_to_hint_at() -> None:
    assert hints_of(smooth(2), numbers(smooth(2)[:, 0])) == ""


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("classes", [False, True])
def test_columns_sorted_by_how_they_relate_to_the_target_are_noticed(
    backwards: bool, classes: bool
) -> None:
    generator = np.random.default_rng(0)
    signal = generator.normal(size=600)
    strength = np.linspace(0, 1.5, 12) * np.where(np.arange(12) % 2, 1, -1)
    values = signal[:, None] * (strength[::-1] if backwards else strength)
    values = values + generator.normal(size=(600, 12))
    target = numbers(signal)
    if classes:
        target = Target("y", "classification", np.digitize(signal, [-0.5, 0.5]), ("a", "b", "c"))
    assert "sorted" in hints_of(values, target)
    shuffled = values[:, generator.permutation(12)]
    assert "sorted" not in hints_of(shuffled, target)
    assert "sorted" not in hints_of(values[:, -7:], target)  # 7 columns happen to be sorted


def test_units_of_several_columns_are_sorted_as_units() -> None:
    generator = np.random.default_rng(0)
    signal = generator.normal(size=600)
    strength = np.repeat(np.linspace(0, 1.5, 9), 2) * np.tile([1, 0], 9)
    values = signal[:, None] * strength + generator.normal(size=(600, 18))
    assert "sorted" in hints_of(values, numbers(signal), (2,) * 9)
    assert "sorted" not in hints_of(values, numbers(signal))


def test_columns_that_say_nothing_about_the_target_are_not_sorted_by_it() -> None:
    values = np.zeros((50, 10))
    assert "sorted" not in hints_of(values, numbers(np.random.default_rng(0).normal(size=50)))


def test_a_table_of_independent_columns_rarely_seems_sorted() -> None:
    generator = np.random.default_rng(0)
    seeming = 0
    for _ in range(200):
        values = generator.normal(size=(60, 8))
        seeming += "sorted" in hints_of(values, numbers(generator.normal(size=60)))
    assert seeming <= 3
