"""Which columns of a table make a row."""

import pytest

from cnnkit.adapters.errors import SourceError
from cnnkit.adapters.row_columns import RowColumns

NAMES = ["patient", "age", "height", "ill"]


def test_all_columns_make_a_row_but_the_target_and_those_left_out():
    assert RowColumns().choose(NAMES, "ill", "t.csv") == ["patient", "age", "height"]
    assert RowColumns().choose(NAMES, None, "t.csv") == NAMES
    assert RowColumns(left_out=("patient", "none")).choose(NAMES, "ill", "t.csv") == [
        "age",
        "height",
    ]


def test_columns_that_are_not_known_are_left_out_and_known_ones_may_be_missing():
    columns = RowColumns(needed=("age",), known=("age", "weight", "patient"))
    assert columns.choose(NAMES, None, "t.csv") == ["patient", "age"]


def test_all_missing_columns_are_named_with_the_nearest_of_those_that_are_there():
    with pytest.raises(SourceError) as caught:
        RowColumns(needed=("Age", "weight", "ill")).choose(NAMES, None, "t.csv")
    said = str(caught.value)
    assert said.startswith("t.csv lacks columns that a row must have: 'Age', 'weight'.")
    assert "Did you mean 'age'?" in said


def test_a_target_cannot_be_predicted_from_itself():
    with pytest.raises(SourceError, match="column 'age' is one that targets are predicted from"):
        RowColumns(needed=("age",)).choose(NAMES, "age", "t.csv")


def test_a_row_has_at_least_one_column():
    with pytest.raises(SourceError, match="no column is left to predict from: 'patient', 'ill'"):
        RowColumns(left_out=("patient",)).choose(["patient", "ill"], "ill", "t.csv")
