"""Reading the cells of one column."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cnnkit.adapters.table.column import Column, learn_column
from cnnkit.cnncore.swap_test.units import find_units


def learn(cells):
    """Learn the only column of a table."""
    (unit,) = find_units(pd.DataFrame({"x": cells})).units
    return learn_column(unit, cells)


def read(column, cells):
    values, unread = column.read(cells)
    assert unread.dtype == bool
    assert np.isnan(values[unread]).all()
    return values.tolist(), np.flatnonzero(unread).tolist()


def test_plain_numbers_are_read_as_python_reads_them():
    cells = ["1", " -2.5 ", "1e3", "NA", "", "0.125"]
    column = learn(cells)
    values, unread = column.read(cells)
    np.testing.assert_array_equal(values, [1, -2.5, 1000, np.nan, np.nan, 0.125])
    assert not unread.any()
    filled = [1, -2.5, 1000, 0.125]
    assert column.mean == pytest.approx(np.mean(filled))
    assert column.scale == pytest.approx(np.std(filled))
    assert not column.is_whole


def test_numbers_may_be_of_any_type():
    column = learn([1.5, 2, np.float32(0.25), 7])
    assert column.is_whole
    assert read(column, ["1.5", 2, np.int8(3), 0.5, True, None, float("nan")])[0][:5] == [
        1.5, 2, 3, 0.5, 1,
    ]  # fmt: skip


def test_what_is_no_number_in_a_column_of_numbers_is_told():
    column = learn(["1", "2", "4"])
    values, unread = read(column, ["3", "many", "", "inf", "1,5", [1], None])
    assert (values[0], unread) == (3, [1, 3, 4, 5])


@pytest.mark.parametrize(
    ("training", "new", "expected"),
    [
        (["1,5", "2,25", "1.234,5"], ["1,234", "1.234", "7"], [1.234, 1234, 7]),
        (["1,234.5", "2", "9,000"], ["1,234", "7"], [1234, 7]),
        (["$5", "$7.50", "$1,000"], ["$1,234", "3"], [1234, 3]),
    ],
)
def test_new_numbers_are_written_as_those_in_training(training, new, expected):
    column = learn(training)
    assert column.kind == "number"
    assert read(column, new) == (expected, [])
    for cell, value in zip(new, expected, strict=True):  # also where nothing else stands there
        assert read(column, [cell]) == ([value], [])


def test_a_code_among_new_numbers_does_not_make_codes_of_the_others():
    column = learn(["1,5", "2,25", "7,125"])
    values, unread = read(column, ["1,5", "007", "3,5"])
    assert (values[0], values[2], unread) == (1.5, 3.5, [1])


@pytest.mark.parametrize(
    ("training", "new", "expected"),
    [
        (["13.01.2000", "02.03.2001", "05.06.2002"], "04.05.2003", dt.date(2003, 5, 4)),
        (["01/13/2000", "03/02/2001", "06/05/2002"], "05/04/2003", dt.date(2003, 5, 4)),
        (["13/01/2000", "02/03/2001", "05/06/2002"], "05/04/2003", dt.date(2003, 4, 5)),
        (["2000-01-13", "2001-03-02", "2002-06-05"], "2003-05-04", dt.date(2003, 5, 4)),
    ],
)
def test_new_dates_are_written_as_those_in_training(training, new, expected):
    column = learn(training)
    assert column.kind == "date"
    days = (expected - dt.date(1970, 1, 1)).days
    assert read(column, [new]) == ([days], [])
    assert read(column, ["soon", new, "later", "never", ""])[1] == [0, 2, 3]


def test_dates_of_python_and_their_texts_are_the_same():
    days = [dt.datetime(2020, 1, 1) + dt.timedelta(days=i * i, hours=i) for i in range(8)]
    column = learn(pd.Series(days).tolist())
    expected = [(day - dt.datetime(1970, 1, 1)) / dt.timedelta(days=1) for day in days]
    np.testing.assert_allclose(column.read(days)[0], expected)
    np.testing.assert_allclose(column.read([str(day) for day in days])[0], expected)


def test_of_two_values_one_is_0_and_the_other_1():
    column = learn(["no", "yes", " no", "", "yes"])
    assert (column.kind, list(column.levels)) == ("category", ["no", "yes"])
    values, unread = column.read(["yes", "no ", "NA", "perhaps"])
    np.testing.assert_array_equal(values, [1, 0, np.nan, np.nan])
    assert np.flatnonzero(unread).tolist() == [3]


def test_more_values_are_counted_from_rare_to_common():
    cells = ["a"] * 5 + ["b"] * 3 + ["c"] * 3 + ["d"] + [None, ""]
    column = learn(cells)
    values, unread = read(column, ["a", "b", "c", "d", "never seen"])
    assert (values[0], sorted(values[1:3]), values[3:], unread) == (4, [2, 3], [1, 0], [])
    assert column.mean == pytest.approx((5 * 4 + 3 * 3 + 3 * 2 + 1 * 1) / 12)
    assert np.isnan(column.read(["", None, float("nan"), "n/a"])[0]).all()


def test_values_are_told_apart_whatever_their_type():
    column = learn([True, False, True, False])
    assert read(column, [False, True, "True", np.True_]) == ([0, 1, 1, 1], [])


def test_a_text_is_its_number_of_letters():
    texts = [f"the quick brown fox number {i} jumps over it " + "again " * i for i in range(30)]
    column = learn(texts)
    assert column.kind == "text"
    assert read(column, [" four ", "the"]) == ([4, 3], [])
    assert np.isnan(column.read([""])[0]).all()


def test_a_constant_is_0_whatever_stands_there():
    assert read(Column("x", "constant"), ["", "7", None]) == ([0, 0, 0], [])


def test_mean_and_scale_of_huge_numbers_are_finite():
    column = learn(["1e300", "3e300", "2e300"])
    assert column.mean == pytest.approx(2e300)
    assert column.scale == pytest.approx(np.sqrt(2 / 3) * 1e300)


def test_cells_are_read_alike_whatever_stands_beside_them():
    generator = np.random.default_rng(0)
    pools = [
        ["1,5", "1.234", "2,25", "", "007", "x", "1.234,5"],
        ["01/02/2003", "13/01/2003", "2003-01-02", "?", "12/31/2003"],
        ["a", "b", "c", "", "d"],
    ]
    for pool in pools:
        column = learn([str(generator.choice(pool[:3])) for _ in range(30)])
        for _ in range(20):
            cells = generator.choice(pool, size=generator.integers(1, 30)).tolist()
            together = column.read(cells)
            alone = [column.read([cell]) for cell in cells]
            np.testing.assert_array_equal(together[0], [values[0] for values, _ in alone])
            np.testing.assert_array_equal(together[1], [unread[0] for _, unread in alone])
