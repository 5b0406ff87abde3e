"""What the columns of a table hold, and which of them are set aside."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cnnkit.cnncore.swap_test.target import TableError
from cnnkit.cnncore.swap_test.units import Unit, find_units

RNG = np.random.default_rng(0)
WORDS = ["quick", "brown", "slow", "fox", "dog", "jumps", "over", "under", "lazy", "house"]


def only(values: Any, name: str = "x") -> Unit:
    """Return the unit of a table with one column, which isn't set aside."""
    found = find_units(pd.DataFrame({name: values}))
    assert found.set_aside == {}
    return found.units[0]


def why_not(values: Any, name: str = "x") -> str:
    """Return why the only column of a table is set aside."""
    found = find_units(pd.DataFrame({name: values}))
    assert found.units == ()
    return found.set_aside[name]


def labels_of(unit: Unit) -> list[str | None]:
    return [unit.levels[code] if code >= 0 else None for code in unit.values]


def sentences(n: int) -> list[str]:
    return [" ".join(RNG.choice(WORDS, 8)) + f" {number}" for number in range(n)]


# Numbers


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1.5, None, 3.0]),
        pd.Series([1.5, np.inf, 3.0]),
        pd.Series([1.5, pd.NA, 3.0], dtype="Float64"),
        pd.Series([1.5, None, 3.0], dtype=object),
        pd.Series([Decimal("1.5"), None, 3], dtype=object),
        pd.Series(["1.5", "", "3"], dtype=object),
        pd.Series(["1.5", None, "3.0"]),
        pd.Series([" 1.5", "n/a", "3 "]),
        pd.Series(["1,5", "?", "3,0"]),
        pd.Series(["1.5", "-inf", "3"]),
        pd.Series([1.5, np.nan, 3.0], dtype="float32"),
    ],
)
def test_numbers_of_every_kind_become_floats_with_nan(values: pd.Series) -> None:
    unit = only(values)
    assert unit.kind == "number"
    assert unit.values.dtype == np.float64
    np.testing.assert_array_equal(unit.values, [1.5, np.nan, 3.0])
    assert unit.missing().tolist() == [False, True, False]


def test_a_column_is_a_number_if_nine_in_ten_values_are() -> None:
    unit = only([*map(str, RNG.normal(size=18)), "much", "more"])
    assert unit.kind == "number"
    assert np.isnan(unit.values[-2:]).all()
    assert unit.note == "read as missing, being no number: 'much', 'more' (2 in all)"
    assert only(["1", "2", "3", "3", "2", "1", "1", "2", "x", "y"]).kind == "category"


def test_what_counts_as_missing_is_said() -> None:
    assert only(["1.5", "?", "NA", "", "2"]).note == "read as missing: '?', 'NA'"
    assert only([1.5, np.inf, -np.inf, 2]).note == "read as missing, being infinite: 2 values"
    assert only(["1.5", "", "2"]).note == ""


def test_how_numbers_were_read_is_said_once_for_alike_columns() -> None:
    prices = ["1,50", "2,50", "3,50"]
    found = find_units(pd.DataFrame({"a": prices, "b": prices, "c": [1.0, 5.0, 2.0]}))
    assert found.notes == (
        "'a', 'b': the comma is the decimal mark ('1,50' is 1.5)",
        "'a', 'b' hold the same values",
    )


def test_two_numbers_stay_numbers_and_codes_are_categories() -> None:
    assert only([0, 1, 1, 0]).kind == only(["0", "1", "1", "0"]).kind == "number"
    assert labels_of(only(["007", "012", "7", "007"])) == ["007", "012", "7", "007"]


def test_durations_are_counted_in_days() -> None:
    unit = only(pd.Series(pd.to_timedelta(["12h", "3D", None])))
    np.testing.assert_array_equal(unit.values, [0.5, 3, np.nan])
    assert unit.note == "counted in days"


# Categories


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["b", "a", "", "b"], ["b", "a", None, "b"]),
        (["b ", "a", "?", " b"], ["b", "a", None, "b"]),
        ([True, False, True, True], ["True", "False", "True", "True"]),
        ([True, None, False, True], ["True", None, "False", "True"]),
        (pd.array([True, None, False], dtype="boolean"), ["True", None, "False"]),
        (pd.Categorical(["z", None, "y"], categories=["z", "y", "x"]), ["z", None, "y"]),
        (pd.Categorical([3, 1, 3]), ["3", "1", "3"]),
        (pd.Series(["b", "a", None, "b"], dtype="string"), ["b", "a", None, "b"]),
        ([1, "a", 2.5, "a"], ["1", "a", "2.5", "a"]),
        ([["list"], ["list"], ["other"]], ["['list']", "['list']", "['other']"]),
        (["inf", "a", "inf", "a"], ["inf", "a", "inf", "a"]),
    ],
)
def test_everything_else_is_a_category(values: Any, labels: list[str | None]) -> None:
    unit = only(values)
    assert unit.kind == "category"
    assert unit.values.dtype == np.int64
    assert labels_of(unit) == labels
    assert set(unit.levels) == {label for label in labels if label is not None}
    assert unit.missing().tolist() == [label is None for label in labels]


def test_levels_are_sorted_whatever_the_order_of_rows() -> None:
    assert only(["c", "a", "b", "a"]).levels == only(["a", "b", "c", "a"]).levels == ("a", "b", "c")


def test_random_categories_keep_their_labels() -> None:
    labels = [RNG.choice([*WORDS, "NA"]) for _ in range(500)]
    assert labels_of(only(labels)) == [None if label == "NA" else label for label in labels]


# Dates


@pytest.mark.parametrize(
    "values",
    [
        ["2023-05-13", "2023-05-15", ""],
        ["13.05.2023", "15.05.2023", "none"],
        ["05/13/2023", "05/15/2023", ""],
        [date(2023, 5, 13), date(2023, 5, 15), None],
        pd.to_datetime(["2023-05-13", "2023-05-15", None]),
        pd.to_datetime(["2023-05-13", "2023-05-15", None]).tz_localize("UTC"),
        pd.PeriodIndex(["2023-05-13", "2023-05-15", None], freq="D"),
    ],
)
def test_dates_become_days_since_the_earliest(values: Any) -> None:
    unit = only(values)
    assert unit.kind == "date"
    np.testing.assert_array_equal(unit.values, [0, 2, np.nan])


def test_what_is_no_date_in_a_column_of_dates_is_missing_and_said() -> None:
    unit = only([f"2023-05-{day:02}" for day in range(1, 20)] + ["2023-05-45"])
    assert unit.kind == "date"
    assert np.isnan(unit.values[-1])
    assert unit.note == "read as missing, being no date: '2023-05-45' (1 in all)"


def test_dates_that_all_differ_are_no_identifier() -> None:
    assert only(pd.date_range("2020-01-01", periods=50).strftime("%d.%m.%Y")).kind == "date"


# Texts


def test_long_strings_that_differ_are_text() -> None:
    texts = sentences(30)
    unit = only(["", *texts])
    assert unit.kind == "text"
    assert unit.values.tolist() == ["", *texts]
    assert unit.missing().tolist() == [True] + 30 * [False]


def test_a_few_long_labels_are_a_category() -> None:
    answers = ["I have used it more than once", "I have never used it before today"]
    assert only(answers * 10).levels == tuple(sorted(answers))


# Set aside


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["", "", ""], "empty"),
        ([None, np.nan, None], "empty"),
        (["?", "NA", ""], "empty"),
        ([np.inf, np.nan, np.inf], "empty"),
        (pd.Categorical([None, None, None], categories=["a"]), "empty"),
        (["a", "a", "a"], "always 'a'"),
        (["one text of quite a few words"], "always 'one text of quite a few words'"),
        (["5", "5.0", "5"], "always 5"),
        ([2.5, 2.5, 2.5], "always 2.5"),
        (["2023-05-13"] * 3, "always the same date"),
        (pd.Categorical(["a", "a", "a"], categories=["a", "b"]), "always 'a'"),
    ],
)
def test_columns_without_information_are_set_aside(values: Any, reason: str) -> None:
    assert why_not(values) == reason


def test_one_value_beside_missing_ones_is_information() -> None:
    assert labels_of(only(["yes", "", "yes"])) == ["yes", None, "yes"]
    assert only([1.5, np.nan, 1.5]).kind == "number"


@pytest.mark.parametrize(
    "values",
    [
        [f"user{number}@example.com" for number in range(10)],
        [f"{number:08x}" for number in RNG.integers(0, 2**31, 50)],
        [f"{number // 2:05}" for number in range(15)],
        [f"{number} High St" for number in range(12)] + [""] * 50,
        pd.Categorical([f"n{number}" for number in range(20)]),
    ],
)
def test_strings_that_mostly_differ_are_identifiers(values: Any) -> None:
    assert "identifier" in why_not(values)


def test_half_the_values_different_or_few_rows_make_no_identifier() -> None:
    assert only([f"n{number // 2}" for number in range(20)]).kind == "category"
    assert only([f"n{number}" for number in range(9)]).kind == "category"


def test_a_column_that_is_called_so_identifies_rows_more_easily() -> None:
    people = [f"person {number // 4}" for number in range(400)]
    for name in ("name", "LastName", "customer_id", "customerId", "E-Mail"):
        assert "100 different values in 400 rows" in why_not(people, name)
    numbers = RNG.permutation(400) * 7
    assert "400 different values" in why_not(numbers, "Customer ID")
    assert only(numbers, "price").kind == only(numbers // 14, "Customer ID").kind == "number"
    assert only(people, "brand").kind == "category"
    shops = [f"shop {number % 20}" for number in range(100)]
    assert only(shops, "shop_name").kind == "category"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.arange(1, 31), "row number: rises"),
        ([str(number) for number in range(100, 130)], "row number: rises"),
        (np.arange(30) ** 2, "row number: rises"),
        (np.arange(30.0), "row number: rises"),
        (np.where(np.arange(30) == 5, np.nan, np.arange(30)), "row number: rises"),
        (RNG.permutation(30) + 1, "identifier: 30 different values in 30 rows"),
        (np.arange(30)[::-1], "identifier: 30 different values in 30 rows"),
    ],
)
def test_row_numbers_are_set_aside(values: Any, reason: str) -> None:
    assert why_not(values).startswith(reason)


@pytest.mark.parametrize(
    "values",
    [
        RNG.permutation(30) * 2,
        np.arange(30) + 0.5,
        np.sort(RNG.normal(size=30)),
        RNG.permutation(np.arange(60) // 2),
        RNG.permutation([1e308, -1e308, *range(30)]),
        np.arange(9),
        np.r_[np.arange(29), 28],
    ],
)
def test_measurements_are_kept(values: Any) -> None:
    assert only(values).kind == "number"


# Tables


def test_columns_keep_their_order_and_their_names_become_strings() -> None:
    frame = pd.DataFrame({3: [1.5, 2.5], "b": ["u", "v"], ("c", 1): ["k", "k"], None: [4, 2]})
    found = find_units(frame)
    assert [unit.name for unit in found.units] == ["3", "b", "None"]
    assert found.set_aside == {"('c', 1)": "always 'k'"}


def test_the_same_name_twice_is_an_error() -> None:
    with pytest.raises(TableError, match="columns with the same name: 'a', '1'"):
        find_units(pd.DataFrame([[1, 2, 3, 4, 5]], columns=["a", "a", 1, "1", "b"]))


def test_columns_with_the_same_values_are_named_but_kept() -> None:
    frame = pd.DataFrame({"a": ["x", "y", ""], "b": [1, 2, 4], "c": ["x ", "y", "NA"]})
    frame["d"], frame["e"] = [1.0, 2.0, 4.0], ["x", "z", ""]
    found = find_units(frame)
    assert len(found.units) == 5
    assert {note for note in found.notes if "same" in note} == {
        "'a', 'c' hold the same values",
        "'b', 'd' hold the same values",
    }


def test_a_table_without_rows_or_columns_has_no_units() -> None:
    assert find_units(pd.DataFrame({"a": []})).set_aside == {"a": "empty"}
    assert find_units(pd.DataFrame(index=range(3))).units == ()


def test_rows_can_be_chosen_before_or_after() -> None:
    n = 400
    frame = pd.DataFrame(
        {
            "number": RNG.normal(size=n).round(3).astype(str),
            "category": RNG.choice(["a", "b", ""], n),
            "date": pd.date_range("2020-01-01", periods=n, freq="h").astype(str),
            "text": sentences(n),
            "id": [f"id{number}" for number in range(n)],
            "row": np.arange(n).astype(str),
        }
    )
    rows = np.sort(RNG.choice(n, 100, replace=False))
    after, before = find_units(frame), find_units(frame.iloc[rows])
    assert set(after.set_aside) == set(before.set_aside) == {"id", "row"}
    for whole, part in zip(after.units, before.units, strict=True):
        assert whole.kind == part.kind == whole.name
        values = whole[rows].values
        if whole.kind == "date":
            values = values - values.min()
        np.testing.assert_array_equal(values, part.values)


def test_strings_and_proper_types_are_read_alike() -> None:
    n = 60
    proper = pd.DataFrame(
        {
            "float": np.where(RNG.random(n) < 0.2, np.nan, RNG.normal(size=n)),
            "whole": RNG.integers(0, 9, n),
            "bool": RNG.random(n) < 0.5,
            "label": RNG.choice(["u", "v", "w"], n),
            "when": RNG.choice(pd.date_range("2020-01-01", periods=20, freq="6h"), n),
        }
    )
    as_text = proper.astype(object).map(str).replace("nan", "").astype(object)
    for one, other in zip(find_units(proper).units, find_units(as_text).units, strict=True):
        assert (one.name, one.kind, one.levels) == (other.name, other.kind, other.levels)
        np.testing.assert_allclose(one.values, other.values, rtol=1e-14)
