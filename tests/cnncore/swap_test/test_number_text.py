"""Numbers as people write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cnnkit.cnncore.swap_test.number_text import holds_numbers, read_numbers


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", "-2.5", ".5", "+3", "1e3", "0"], [1, -2.5, 0.5, 3, 1000, 0]),
        (["1,234", "12"], [1234, 12]),
        (["1,234,567.5", "-1,000", "3.25"], [1234567.5, -1000, 3.25]),
        (["3,14", "2"], [3.14, 2]),
        (["1.234,56", "1.000", "0,5"], [1234.56, 1000, 0.5]),
        (["1,234", "0,5"], [1.234, 0.5]),
        (["0,123", "0,456"], [0.123, 0.456]),
        (["$1,200", "-$5", "€ 3", "£7", "8 €"], [1200, -5, 3, 7, 8]),
        (["45%", "3.5 %"], [45, 3.5]),
        (["12,5 %", "7,25%"], [12.5, 7.25]),
    ],
)
def test_a_convention_is_found_for_the_whole_column(texts: list[str], numbers: list[float]) -> None:
    np.testing.assert_allclose(read_numbers(texts)[0], numbers, rtol=1e-14)


@pytest.mark.parametrize(
    "text",
    ["abc", "12 apples", "1_000", "1,23,4", "0x10", "True", "12-5", "1.2.3", "$", "%", "1 2"],
)
def test_what_is_no_number_is_nan(text: str) -> None:
    numbers, convention = read_numbers([text, "7"])
    assert np.isnan(numbers[0])
    assert numbers[1] == 7
    assert convention == ""


def test_one_code_with_a_leading_zero_makes_the_column_no_numbers() -> None:
    assert np.isnan(read_numbers(["12345", "02134"])[0]).all()
    assert not np.isnan(read_numbers(["0", "0.5", "-0.25", "10"])[0]).any()


def test_the_convention_that_reads_more_wins() -> None:
    mostly_thousands = [f"{number},000" for number in range(1, 10)] + ["12,34.5", "1,000.5"]
    numbers, convention = read_numbers(mostly_thousands)
    assert numbers[:9].tolist() == [1000.0 * number for number in range(1, 10)]
    assert np.isnan(numbers[9])
    assert "thousands" in convention


def test_random_numbers_are_read_back_from_either_convention() -> None:
    rng = np.random.default_rng(0)
    truth = np.round(rng.normal(size=200) * 10.0 ** rng.integers(0, 7, 200), 2)
    english = [f"{number:,.2f}" for number in truth]
    swap = str.maketrans(",.", ".,")
    for texts in (english, [text.translate(swap) for text in english]):
        np.testing.assert_allclose(read_numbers(texts)[0], truth, rtol=1e-14)


def test_the_convention_is_said_with_an_example() -> None:
    assert read_numbers(["5", "3,14"])[1] == "the comma is the decimal mark ('3,14' is 3.14)"
    assert read_numbers(["5", "1,500"])[1] == "commas separate thousands ('1,500' is 1500)"
    assert read_numbers(["5", "20%"])[1] == "signs are left out ('20%' is 20)"
    assert read_numbers(["5", "2.5"])[1] == ""


def test_no_texts_are_no_numbers() -> None:
    numbers, convention = read_numbers([])
    assert numbers.shape == (0,)
    assert convention == ""


def test_types_of_real_numbers_are_told_from_others() -> None:
    for dtype in ("int64", "uint8", "float32", "Int64", "Float64"):
        assert holds_numbers(pd.Series([1, 2], dtype=dtype))
    for column in ([True, False], ["1", "2"], [1 + 2j], pd.Categorical([1, 2])):
        assert not holds_numbers(pd.Series(column))
