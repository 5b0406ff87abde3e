"""Categories written as columns, signs for missing values, and targets ruled by one row."""

from __future__ import annotations

import numpy as np

from cnnkit.cnncore.swap_test.oddities import find_one_hot, odd_target, odd_values
from cnnkit.cnncore.swap_test.target import Target
from cnnkit.cnncore.swap_test.units import Unit


def numbers(**columns: np.ndarray) -> list[Unit]:
    return [Unit(name, "number", np.asarray(x, np.float64)) for name, x in columns.items()]


def one_hot(levels: int, n: int = 60, seed: int = 0) -> np.ndarray:
    return np.eye(levels)[np.random.default_rng(seed).integers(levels, size=n)]


def test_two_categories_side_by_side_are_told_apart() -> None:
    first, second = one_hot(3), one_hot(4, seed=1)
    columns = {f"a{i}": first[:, i] for i in range(3)} | {f"b{i}": second[:, i] for i in range(4)}
    age = np.arange(60.0)
    found = find_one_hot(numbers(age=age, **columns, height=age))
    assert found == [["a0", "a1", "a2"], ["b0", "b1", "b2", "b3"]]


def test_independent_columns_of_0_and_1_are_no_category() -> None:
    coins = np.random.default_rng(0).integers(0, 2, size=(60, 6))
    assert find_one_hot(numbers(**{f"c{i}": coins[:, i] for i in range(6)})) == []


def test_a_column_and_its_opposite_are_left_alone() -> None:
    coin = np.random.default_rng(0).integers(0, 2, 60)
    assert find_one_hot(numbers(yes=coin, no=1 - coin)) == []


def test_a_far_value_that_stands_several_times_is_named_once() -> None:
    weights = np.random.default_rng(0).normal(70, 10, 100)
    weights[[3, 50, 80]] = -999
    (note,) = odd_values(numbers(weight=weights, height=np.arange(100)))
    assert "'weight': -999 stands 3 times" in note


def test_ordinary_extremes_are_not_odd() -> None:
    counts = np.random.default_rng(0).poisson(2, 200)
    assert odd_values(numbers(counts=counts, flat=np.zeros(200))) == []


def test_a_target_ruled_by_one_row_is_noticed() -> None:
    y = np.random.default_rng(0).normal(size=150)
    assert odd_target(Target("y", "regression", y)) == []
    y[7] = 1e9
    assert "1e+09" in odd_target(Target("y", "regression", y))[0]
    assert odd_target(Target("y", "classification", np.array([0, 1]), ("a", "b"))) == []
