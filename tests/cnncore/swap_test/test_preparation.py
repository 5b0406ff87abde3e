"""From tables as people have them to tables that are ready for the test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cnnkit.cnncore.swap_test import preparation
from cnnkit.cnncore.swap_test.preparation import (
    Preparation,
    as_frame,
    check_shape,
    choose_rows,
    join_units,
    prepare,
)
from cnnkit.cnncore.swap_test.target import TableError, Target
from cnnkit.cnncore.swap_test.units import Unit

USUAL: dict[str, Any] = {
    "target_name": None, "task": "auto", "folds": 3, "together": None, "shape": None,
    "groups": None, "time": None, "max_rows": 2000, "seed": 0,
}  # fmt: skip


def prepared(X: Any, y: Any, **changed: Any) -> Preparation:
    return prepare(X, y, **{**USUAL, **changed})


def drawn_numbers(n: int = 90, columns: int = 6) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n, columns))
    return X, np.where(X[:, 0] + generator.normal(size=n) > 0, "yes", "no")


def mixed_frame(n: int = 120) -> pd.DataFrame:
    """Draw numbers, a category in 0/1 columns, a category, and a number with gaps."""
    generator = np.random.default_rng(1)
    colour = generator.integers(3, size=n)
    return pd.DataFrame({
        "height": generator.normal(size=n),
        "red": (colour == 0).astype(float),
        "weight": generator.normal(size=n),
        "green": (colour == 1).astype(float),
        "blue": (colour == 2).astype(float),
        "shop": generator.choice(["north", "south", "west"], size=n),
        "age": np.where(generator.random(n) < 0.2, np.nan, generator.normal(size=n)),
        "country": "Austria",
    })  # fmt: skip


# Rows.


def classes(*counts: int) -> Target:
    values = np.repeat(np.arange(len(counts)), counts)
    values = np.random.default_rng(0).permutation(values)
    return Target("y", "classification", values, tuple(f"class {k}" for k in range(len(counts))))


@pytest.mark.parametrize("target", [classes(50, 50), Target("y", "regression", np.arange(100.0))])
def test_all_rows_are_kept_where_they_are_few_enough(target: Target) -> None:
    for most in (100, 101, 10_000):
        assert choose_rows(target, most, seed=0).tolist() == list(range(100))


@pytest.mark.parametrize(
    "target",
    [Target("y", "regression", np.arange(1000.0)), classes(700, 300), classes(975, 20, 5)],
)
def test_as_many_rows_as_allowed_are_drawn_in_their_given_order(target: Target) -> None:
    found = choose_rows(target, 200, seed=3)
    assert len(found) == 200
    assert (np.diff(found) > 0).all()
    assert found.tolist() == choose_rows(target, 200, seed=3).tolist()
    assert found.tolist() != choose_rows(target, 200, seed=4).tolist()


def test_every_number_is_as_likely_to_be_drawn() -> None:
    target = Target("y", "regression", np.arange(40.0))
    times = np.zeros(40)
    for seed in range(1000):
        times[choose_rows(target, 10, seed)] += 1
    assert times.min() > 180  # 250 are expected, with a standard deviation of 14
    assert times.max() < 320


def test_classes_are_drawn_in_proportion_and_rare_ones_keep_10_rows_or_all_they_have() -> None:
    target = classes(6000, 3000, 900, 60, 7)
    found = choose_rows(target, 1000, seed=0)
    rows = np.bincount(target.values[found].astype(int), minlength=5)
    assert rows.sum() == 1000
    assert rows[4] == 7
    assert rows[3] >= 10
    shares = rows[:3] / rows[:3].sum()
    np.testing.assert_allclose(shares, np.array([6000, 3000, 900]) / 9900, atol=0.002)


@pytest.mark.parametrize("counts", [(1000, 1001), (500, 500, 500, 501), (1990, 6, 6)])
def test_one_row_too_many_can_be_left_out(counts: tuple[int, ...]) -> None:
    found = choose_rows(classes(*counts), sum(counts) - 1, seed=0)
    assert len(found) == sum(counts) - 1


@pytest.mark.parametrize(("n_classes", "most"), [(60, 300), (150, 600), (20, 190)])
def test_many_small_classes_all_keep_enough_rows_for_the_folds(n_classes: int, most: int) -> None:
    target = classes(*[30] * n_classes)
    for seed in range(5):
        found = choose_rows(target, most, seed)
        assert len(found) <= max(most, 10 * n_classes)
        rows = np.bincount(target.values[found].astype(int), minlength=n_classes)
        assert rows.min() >= 3, rows


# Columns.


def test_the_columns_of_an_array_are_numbered_from_1() -> None:
    assert list(as_frame(np.zeros((2, 3))).columns) == ["column 1", "column 2", "column 3"]
    assert as_frame([[1, "a"], [2, "b"]]).shape == (2, 2)


def test_a_frame_is_taken_as_it_is() -> None:
    frame = mixed_frame()
    assert as_frame(frame) is frame


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(5), r"\(5,\): expected rows and columns"),
        (np.zeros((2, 3, 4)), r"\(2, 3, 4\): expected rows and columns"),
        (3, "expected rows and columns"),
        (np.zeros((0, 3)), "no rows"),
        (pd.DataFrame({"a": []}), "no rows"),
    ],
)
def test_what_is_no_table_is_refused(X: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        as_frame(X)


def units(*names: str) -> list[Unit]:
    return [Unit(name, "number", np.arange(3.0)) for name in names]


def joined(names: str, together: list[list[str]] | None) -> str:
    """Write the blocks of units that have one letter for a name."""
    blocks = join_units(units(*names), together)
    return " ".join("".join(unit.name for unit in block) for block in blocks)


@pytest.mark.parametrize(
    ("together", "expected"),
    [
        (None, "a b c d e"),
        ([], "a b c d e"),
        ([["b", "c"]], "a bc d e"),
        ([["c", "b"]], "a cb d e"),
        ([["b", "e"], ["a", "d"]], "ad be c"),
        ([["d"]], "a b c d e"),
        ([["a", "b", "c", "d", "e"]], "abcde"),
    ],
)
def test_units_that_move_together_stand_where_the_first_of_them_stood(
    together: list[list[str]] | None, expected: str
) -> None:
    assert joined("abcde", together) == expected


@pytest.mark.parametrize(
    ("together", "message"),
    [
        ([["a", "b"], ["b", "c"]], "'b' more than once"),
        ([["a", "a"]], "'a' more than once"),
        ([["a", "x"], ["y", "b"]], "'x', 'y': not among"),
    ],
)
def test_wrong_names_of_units_are_all_told(together: list[list[str]], message: str) -> None:
    with pytest.raises(TableError, match=message):
        join_units(units(*"abcde"), together)


def test_columns_may_be_named_by_numbers() -> None:
    X, y = drawn_numbers()
    found = prepared(pd.DataFrame(X), y, together=[[1, 4]])
    assert [unit.name for unit in found.units] == ["0", "1", "4", "2", "3", "5"]
    assert found.table.widths == (1, 2, 1, 1, 1)


@pytest.mark.parametrize("shape", [(2, 6), (12, 1), (1, 12), (3, 4)])
def test_a_shape_that_the_columns_fill_is_taken(shape: tuple[int, int]) -> None:
    assert check_shape(shape, [1] * 12) == shape


def test_without_a_shape_all_encoded_columns_form_a_row() -> None:
    assert check_shape(None, [1, 4, 2]) == (1, 7)


@pytest.mark.parametrize(
    ("shape", "columns", "message"),
    [
        ((3, 3), [1] * 12, "3x3 has 9 pixels, but 12 columns"),
        ((2, 2), [1, 1, 2, 1], "categories, text or missing"),
        ((-3, -4), [1] * 12, "shape"),
        ((0, 12), [1] * 12, "shape"),
        ((12,), [1] * 12, "shape"),
        ((2.0, 6.0), [1] * 12, "shape"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(shape: Any, columns: list[int], message: str) -> None:
    with pytest.raises(TableError, match=message):
        check_shape(shape, columns)


def test_pixels_that_never_vary_belong_to_an_image() -> None:
    """Corners of handwritten digits are always 0; the image has 64 pixels nevertheless."""
    X, y = drawn_numbers(n=90, columns=12)
    X[:, 0] = X[:, 11] = 0.0
    found = prepared(X, y, shape=(3, 4))
    assert found.table.shape == (3, 4)
    assert found.table.designs[0].shape == (90, 12)


# Everything together.


def test_an_array_and_a_frame_of_the_same_values_give_the_same_table() -> None:
    X, y = drawn_numbers()
    frame = pd.DataFrame(X, columns=[f"column {k}" for k in range(1, 7)])
    one, two = prepared(X, y), prepared(frame, pd.Series(y))
    np.testing.assert_array_equal(one.table.designs, two.table.designs)
    np.testing.assert_array_equal(one.table.target.values, two.table.target.values)
    assert one.table.widths == two.table.widths == (1,) * 6
    assert one.units == two.units
    for fold, other in zip(one.table.folds, two.table.folds, strict=True):
        np.testing.assert_array_equal(fold[1], other[1])


def test_each_fold_has_a_design_that_its_training_rows_standardise() -> None:
    X, y = drawn_numbers()
    table = prepared(X * 7 + 3, y).table
    tested = np.concatenate([test for _, test in table.folds])
    assert sorted(tested.tolist()) == list(range(90))
    for design, (train, test) in zip(table.designs, table.folds, strict=True):
        assert not set(train.tolist()) & set(test.tolist())
        np.testing.assert_allclose(design[train].mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(design[train].std(axis=0), 1, atol=1e-4)
        expected = (X - X[train].mean(axis=0)) / X[train].std(axis=0)
        np.testing.assert_allclose(design, np.clip(expected, -5, 5), atol=1e-3)


def test_a_table_of_all_kinds_names_its_units_and_what_was_set_aside() -> None:
    frame = mixed_frame()
    y = np.random.default_rng(0).normal(size=len(frame))
    found = prepared(frame, y, together=[["red", "green", "blue"]])
    names = [unit.name for unit in found.units]
    assert names == ["height", "red", "green", "blue", "weight", "shop", "age"]
    assert list(found.set_aside) == ["country"]
    widths = {unit.name: unit.width for unit in found.units}
    assert found.table.widths == (
        1, widths["red"] + widths["green"] + widths["blue"], 1, widths["shop"], widths["age"]
    )  # fmt: skip
    assert (widths["shop"], widths["age"]) == (3, 2)  # levels; number and a mark of the gaps
    assert sum(found.table.widths) == found.table.designs[0].shape[1] == found.table.shape[1]
    start = 1
    for name in ("red", "green", "blue"):
        column = found.table.designs[0][:, start]
        assert abs(np.corrcoef(column, frame[name])[0, 1]) > 0.999
        start += 1


def test_a_column_that_was_set_aside_may_still_be_named_in_units() -> None:
    """A level that no drawn row has must not stop the test of a category's 0/1 columns."""
    frame = mixed_frame()
    frame["purple"] = 0.0
    y = np.random.default_rng(0).normal(size=len(frame))
    found = prepared(frame, y, together=[["red", "green", "blue", "purple"]])
    assert 3 in found.table.widths


def test_rows_without_a_target_leave_with_their_groups_and_times() -> None:
    generator = np.random.default_rng(0)
    groups = generator.integers(12, size=200)
    X = np.c_[groups * 1.5 - 2, generator.normal(size=(200, 5))]
    y = generator.normal(size=200)
    y[generator.random(200) < 0.3] = np.nan
    names = np.array([f"patient {number}" for number in groups])
    found = prepared(X, y, groups=names, max_rows=100)
    assert found.rows_total == np.isfinite(y).sum()
    assert found.groups is not None
    assert len(found.groups) == len(found.table.target) == 100
    design = found.table.designs[0]
    for group in np.unique(found.groups):
        assert np.ptp(design[found.groups == group, 0]) < 1e-5
    assert len(np.unique(design[:, 0])) == len(np.unique(found.groups))
    for train, test in found.table.folds:
        assert not set(found.groups[train]) & set(found.groups[test])


def test_folds_of_time_are_stretches_of_the_rows_that_were_kept() -> None:
    generator = np.random.default_rng(0)
    hours = generator.permutation(200) * 0.5
    X = np.c_[hours, generator.normal(size=(200, 5))]
    y = generator.normal(size=200)
    y[::7] = np.nan
    found = prepared(X, y, time=hours, max_rows=90)
    spans = []
    for design, (_, test) in zip(found.table.designs, found.table.folds, strict=True):
        scores = np.argsort(np.argsort(design[:, 0]))[test]
        spans.append((scores.min(), scores.max(), len(scores)))
    for low, high, count in spans:
        assert high - low + 1 == count  # no row of another fold in between


@pytest.mark.parametrize("length", [89, 91, 180])
@pytest.mark.parametrize("what", ["groups", "time"])
def test_groups_and_times_of_another_length_are_refused(what: str, length: int) -> None:
    X, y = drawn_numbers()
    with pytest.raises(TableError, match=rf"{length}.*90|90.*{length}"):
        prepared(X, y, **{what: np.arange(length) % 9})


def test_rows_without_a_group_are_a_group_and_it_is_said() -> None:
    X, y = drawn_numbers()
    groups = np.array(["a", "b", "c", "d", "e", None] * 15, dtype=object)
    found = prepared(X, y, groups=groups)
    assert found.groups is not None
    assert found.groups.min() == 0
    assert len(np.unique(found.groups)) == 6
    assert any("without a group" in note for note in found.notes)


def test_a_target_of_another_length_is_refused_with_both_numbers() -> None:
    X, y = drawn_numbers()
    with pytest.raises(TableError, match="X has 90 rows, y has 89"):
        prepared(X, y[:-1])


def test_a_table_without_a_usable_column_says_why() -> None:
    frame = pd.DataFrame({"country": ["Austria"] * 60, "nothing": [np.nan] * 60})
    with pytest.raises(TableError, match=r"no column can be used: 'country'.*'nothing'"):
        prepared(frame, np.arange(60) % 2)
    with pytest.raises(TableError, match="no column can be used"):
        prepared(pd.DataFrame(index=range(60)), np.arange(60) % 2)


@pytest.mark.parametrize(
    ("y", "name", "expected"),
    [
        (pd.Series(np.arange(90) % 3, name="kind"), None, "kind"),
        (pd.Series(np.arange(90) % 3, name="kind"), "sort", "sort"),
        (np.arange(90) % 3, None, "y"),
        (pd.Series(np.arange(90) % 3), None, "y"),
    ],
)
def test_the_target_has_the_name_that_is_given_or_its_own(
    y: Any, name: str | None, expected: str
) -> None:
    assert prepared(drawn_numbers()[0], y, target_name=name).table.target.name == expected


def test_that_rows_were_drawn_is_said() -> None:
    X, y = drawn_numbers()
    found = prepared(X, y, max_rows=50)
    assert any("50 of 90 rows were drawn" in note for note in found.notes)
    assert found.rows_total == 90
    assert not any("drawn" in note for note in prepared(X, y).notes)


def test_of_wide_tables_fewer_rows_are_taken_but_never_too_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = drawn_numbers(n=600, columns=10)
    monkeypatch.setattr(preparation, "MOST_CELLS", 4000)
    assert len(prepared(X, y).table.target) == 400
    monkeypatch.setattr(preparation, "MOST_CELLS", 1000)
    assert len(prepared(X, y).table.target) == 200
    assert len(prepared(X, y, max_rows=80).table.target) == 80


def test_the_index_of_a_frame_means_nothing() -> None:
    X, y = drawn_numbers()
    frame = pd.DataFrame(X)
    moved = frame.set_axis(np.random.default_rng(0).permutation(90) * 3, axis=0)
    one, two = prepared(frame, y), prepared(moved, pd.Series(y, index=moved.index[::-1]))
    np.testing.assert_array_equal(one.table.designs, two.table.designs)
    np.testing.assert_array_equal(one.table.target.values, two.table.target.values)


def test_what_the_user_brought_is_left_as_it_was() -> None:
    frame = mixed_frame()
    y = pd.Series(np.random.default_rng(0).normal(size=len(frame)))
    before, y_before = frame.copy(), y.copy()
    prepared(frame, y, max_rows=60)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_series_equal(y, y_before)
