"""What is to be predicted, and what can't be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cnnkit.cnncore.swap_test.target import TableError, Target, listing, make_target

FORTY = np.arange(40) * 7 % 41


def classes_of(y: Any, **options: Any) -> tuple[list[str], tuple[str, ...]]:
    """Return the label of each known row, and the classes."""
    target, _, _ = make_target(y, **options)
    assert target.classes is not None
    return [target.classes[number] for number in target.values], target.classes


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a", "b", "a"], ("a", "b")),
        (["10", "9", "10", "9"], ("9", "10")),
        ([10.0, 9.0, 10.0, 9.0], ("9", "10")),
        (["1.0", "1", "2", "2"], ("1", "2")),
        ([-1, 1, -1, 1], ("-1", "1")),
        ([True, False, True, False], ("False", "True")),
        (np.array([True, False, True, False]), ("False", "True")),
        (["007", "7", "007", "7"], ("007", "7")),
        (["1,000", "2,000", "1,000", "2,000"], ("1000", "2000")),
        (pd.Series(["x", "y", "x", "y"], dtype="category"), ("x", "y")),
        (pd.Series([3, 1, 3, 1], dtype="Int64", index=[9, 8, 7, 6]), ("1", "3")),
        (pd.Series(["u", "v", "u", "v"], index=[5, 5, 0, 0]), ("u", "v")),
        (np.array([["a"], ["b"], ["b"], ["a"]]), ("a", "b")),
        (("u", "v", "v", "u"), ("u", "v")),
    ],
)
def test_classes_are_sorted_as_numbers_or_as_text(y: Any, classes: tuple[str, ...]) -> None:
    target, rows, _ = make_target(y)
    assert target.task == "classification"
    assert target.classes == classes
    assert target.values.dtype == rows.dtype == np.int64
    assert rows.tolist() == [0, 1, 2, 3]


def test_each_row_keeps_its_own_label() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(["red", "green", "blue"], 50).tolist()
    assert classes_of(labels) == (labels, ("blue", "green", "red"))
    numbers = rng.integers(-3, 4, 50)
    assert classes_of(numbers)[0] == [str(number) for number in numbers]


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.arange(60) % 20, "classification"),
        (np.arange(63) % 21, "regression"),
        ([0.5, 1.0, 1.0, 0.5], "regression"),
        (["0.5", "1", "NA", "2"], "regression"),
        (["1", "2", "x", "1", "2", "x"], "classification"),
        (["3,5", "2", "1,5"], "regression"),
    ],
)
def test_more_than_20_numbers_or_broken_ones_are_predicted_as_numbers(y: Any, task: str) -> None:
    target, _, notes = make_target(y)
    assert target.task == task
    assert any("predicted as" in note for note in notes)


def test_the_task_can_be_said() -> None:
    target, _, notes = make_target(["1", "2", "1", "2"], task="regression")
    assert target.task == "regression"
    assert target.values.tolist() == [1, 2, 1, 2]
    assert notes == []
    halves = [0.5, 1.5, 0.5, 1.5]
    assert classes_of(halves, task="classification") == (["0.5", "1.5"] * 2, ("0.5", "1.5"))
    with pytest.raises(ValueError, match=r"'regresion': expected .* did you mean .regression.\?"):
        make_target(halves, task="regresion")  # type: ignore[arg-type]  # a slip on purpose


@pytest.mark.parametrize("missing", ["", "  ", None, np.nan, pd.NaT, pd.NA])
def test_rows_without_a_target_are_left_out_and_counted(missing: Any) -> None:
    target, rows, notes = make_target(["a", missing, "b", "a", missing, "b"], name="kind")
    assert rows.tolist() == [0, 2, 3, 5]
    assert target.values.tolist() == [0, 1, 0, 1]
    assert "rows without 'kind' are left out: 2 of 6" in notes


def test_words_for_missing_count_only_among_numbers() -> None:
    words = ["NA", "n/a", "NaN", "null", "None", "?", "-", "inf"]
    target, rows, notes = make_target([*words, "1.5", "2.5", "4"])
    assert target.values.tolist() == [1.5, 2.5, 4]
    assert rows.tolist() == [8, 9, 10]
    assert any("infinite" in note and "1" in note for note in notes)
    labels, classes = classes_of(["none", "some", "none", "some"])
    assert classes == ("none", "some")
    assert labels == ["none", "some", "none", "some"]
    assert "'y': read as a class, not as missing: 'none'" in make_target(["none", "some"] * 2)[2]


def test_numbers_that_are_not_finite_are_missing() -> None:
    target, rows, notes = make_target([1.5, np.inf, 2.5, -np.inf, np.nan, 3.0])
    assert target.values.tolist() == [1.5, 2.5, 3.0]
    assert rows.tolist() == [0, 2, 5]
    assert "'y': read as missing, being infinite: 2 values" in notes
    assert "rows without 'y' are left out: 3 of 6" in notes


def test_numbers_in_text_are_read_and_the_convention_is_said() -> None:
    truth = np.random.default_rng(0).normal(size=100)
    written = [repr(float(number)) for number in truth]
    np.testing.assert_allclose(make_target(written)[0].values, truth, rtol=1e-14)
    target, _, notes = make_target(["1,5", "2,5", "1.000,5"])
    assert target.values.tolist() == [1.5, 2.5, 1000.5]
    assert "'y': the comma is the decimal mark ('1,5' is 1.5)" in notes


def test_small_classes_are_set_aside_by_name() -> None:
    y = ["a", "b", "c", "a", "b", "d", "a", "d", "a"]
    target, rows, notes = make_target(y)
    assert target.classes == ("a", "b", "d")
    assert rows.tolist() == [0, 1, 3, 4, 5, 6, 7, 8]
    assert [target.classes[number] for number in target.values] == [y[row] for row in rows]
    assert "classes of 'y' with fewer than 2 rows are left out: 'c' (1)" in notes
    with pytest.raises(TableError, match=r"two classes with 3 or more rows.*'a' \(4\), 'b' \(2\)"):
        make_target(y, least=3)


def test_labels_that_differ_only_in_case_or_blanks_are_pointed_out_but_kept() -> None:
    target, _, notes = make_target(["dog", "Dog", "dog ", "cat"] * 2)
    assert target.classes == ("Dog", "cat", "dog", "dog ")
    expected = "classes 'Dog' (2) and 'dog' (2) and 'dog ' (2) differ only in case or blanks"
    assert any(note.startswith(expected) for note in notes)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([], "all 0 values of column 'price' are missing"),
        (["", None, np.nan], "all 3 values of column 'price' are missing"),
        (["NA", "?", "NA"], "all 3 values of column 'price' are missing"),
        ([np.nan, np.inf], "all 2 values of column 'price' are missing"),
        (["yes", "yes", ""], "column 'price' is always 'yes'"),
        ([1, 1, 1], "column 'price' is always '1'"),
        ([2.5, 2.5], "column 'price' is always 2.5"),
        ([3, 1, 7], "identifier: 3 different values in 3 rows"),
        (["a", "b", "c"], "identifier: 3 different values in 3 rows"),
        ([f"x{number // 2}" for number in range(39)] + ["z", "w"], "identifier: 22 different"),
        (range(100, 150), r"column 'price' numbers the rows: 100, 101, …"),
        ([float(n) if n % 7 else np.nan for n in range(50)], "numbers the rows: 1, 2, …"),
        (["a", "b", "b", "c"], r"two classes with 2 or more rows.*'a' \(1\), 'b' \(2\), 'c' \(1\)"),
        (np.zeros((3, 2)), r"shape \(3, 2\): expected one target for each row"),
    ],
)
def test_what_can_not_be_predicted_is_refused_with_a_reason(y: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        make_target(list(y) if isinstance(y, range) else y, name="price")


def test_words_can_not_be_predicted_as_numbers() -> None:
    with pytest.raises(TableError, match="can't be predicted as a number: 'many', 'few' can't be"):
        make_target(["1", "many", "2", "few", "NA"], task="regression")


def test_measurements_are_no_row_numbers() -> None:
    for y in (FORTY, np.arange(40) * 2, np.arange(40) + 0.5 * (np.arange(40) == 7)):
        assert make_target(y)[0].task == "regression"


def test_half_as_many_classes_as_rows_are_classes() -> None:
    assert len(classes_of([f"x{number // 2}" for number in range(40)])[1]) == 20


def test_a_part_of_a_target_keeps_its_classes() -> None:
    target = Target("y", "classification", np.array([0, 1, 2, 1]), ("a", "b", "c"))
    part = target[np.array([1, 3])]
    assert part.values.tolist() == [1, 1]
    assert part.classes == target.classes
    assert part.matrix().tolist() == [[0, 1, 0], [0, 1, 0]]


def test_numbers_become_z_scores() -> None:
    values = np.random.default_rng(0).normal(3, 5, 50)
    matrix = Target("y", "regression", values).matrix()
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix[:, 0], (values - values.mean()) / values.std(), atol=1e-6)
    assert Target("y", "regression", np.array([2.0, 2.0])).matrix().tolist() == [[0], [0]]


def test_a_listing_counts_what_it_leaves_out() -> None:
    assert listing(["a", "b"]) == "a, b"
    assert listing([str(number) for number in range(1500)], limit=1) == "0, … and 1,499 more"
