"""Finding the rows among items."""

import numpy as np
import pandas as pd

from cnnkit.adapters.table.column import Column
from cnnkit.adapters.table.rows import find_cells, read_rows, records

AGE, SIZE = Column("age", "number"), Column("size", "category", levels=["L", "S"], codes=[0, 1])


def test_a_data_frame_is_rows_with_names_that_are_texts():
    assert records(pd.DataFrame({1: [5, 6], "b": ["x", "y"]})) == [
        {"1": 5, "b": "x"},
        {"1": 6, "b": "y"},
    ]
    assert records(({"a": 1},)) == [{"a": 1}]


def test_cells_are_found_by_the_names_of_their_columns():
    cells = find_cells([{"a": 1, "b": 2}, {"b": 4, "c": 0, "a": 3}], ["b", "a"])
    assert [list(column) for column in cells.columns] == [[2, 4], [1, 3]]
    assert cells.items.tolist() == [0, 1]
    assert cells.problems == ()


def test_what_is_no_row_is_told_and_the_others_keep_their_numbers():
    cells = find_cells([None, {"a": 1}, "text", {"b": 1}, 5, ["a"]], ["a"])
    assert cells.items.tolist() == [1]
    reasons = {problem.item: problem.reason for problem in cells.problems}
    assert reasons[0] == "is of type NoneType; expected a row: a dict of column to value"
    assert reasons[3] == "lacks the columns 'a'"
    assert sorted(reasons) == [0, 2, 3, 4, 5]
    assert find_cells([], ["a", "b"]).columns == [(), ()]


def test_cells_that_cannot_be_read_are_missing_and_told():
    read = read_rows(
        [{"age": "31", "size": "S"}, {"age": "old", "size": "M"}, {"age": "", "size": "S"}],
        [AGE, SIZE],
    )
    np.testing.assert_array_equal(read.values, [[31, 1], [np.nan, 1]])
    assert read.items.tolist() == [0, 2]
    (problem,) = read.problems
    assert (problem.item, problem.rejected) == (1, True)
    read = read_rows([{"age": "old", "size": "S"}], [AGE, SIZE])
    (problem,) = read.problems
    assert not problem.rejected
    assert problem.reason == "taken as missing: 'age' is no number like those in training ('old')"


def test_a_row_that_says_nothing_is_rejected():
    columns = [AGE, SIZE, Column("shop", "constant")]
    read = read_rows(
        [{"age": "", "size": " ", "shop": "A"}, {"age": "x", "size": "", "shop": "A"}], columns
    )
    assert len(read.values) == 0
    assert [problem.rejected for problem in read.problems] == [True, True]
    assert read.problems[0].reason == "no column has a value"
    assert "'age' is no number" in read.problems[1].reason


def test_problems_stand_in_the_order_of_the_items():
    items = [{"age": "old", "size": "S"}, None, {"age": "1", "size": "M"}, {"age": 1}]
    read = read_rows(items, [AGE, SIZE])
    assert [problem.item for problem in read.problems] == [0, 1, 2, 3]
    assert [problem.rejected for problem in read.problems] == [False, True, False, True]


def test_of_many_cells_that_cannot_be_read_some_are_shown():
    columns = [Column(f"c{i}", "number") for i in range(9)]
    row = {column.name: "x" for column in columns} | {"c0": "1"}
    (problem,) = read_rows([row], columns).problems
    assert problem.reason.count("is no number") == 3
    assert problem.reason.endswith("; 5 more columns")
