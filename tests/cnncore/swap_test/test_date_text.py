"""Dates as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from cnnkit.cnncore.swap_test.date_text import days_since_1970, read_dates


def day(text: str) -> float:
    """Return the days since 1970 of an ISO text, by Python's own datetime."""
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp() / 86400


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2023-05-13", "2023-05-13"),
        ("2023-5-3", "2023-05-03"),
        ("2023/05/13", "2023-05-13"),
        ("2023.05.13", "2023-05-13"),
        ("2023-05", "2023-05-01"),
        ("1821-03-04", "1821-03-04"),
        ("13.05.2023", "2023-05-13"),
        ("13. May 2023", "2023-05-13"),
        ("13-May-2023", "2023-05-13"),
        ("13 Sept 2023", "2023-09-13"),
        ("May 3, 2023", "2023-05-03"),
        ("2023-05-13 12:30", "2023-05-13T12:30"),
        ("2023-05-13T12:30:15.5", "2023-05-13T12:30:15.500"),
        ("2023-05-13T12:30:15Z", "2023-05-13T12:30:15"),
        ("2023-05-13 23:30:00+02:00", "2023-05-13T21:30:00"),
        ("13.05.2023 9:05", "2023-05-13T09:05"),
        ("05/13/2023 12:05 AM", "2023-05-13T00:05"),
        ("05/13/2023 1:05:10 pm", "2023-05-13T13:05:10"),
        ("13 May 2023 08:00", "2023-05-13T08:00"),
    ],
)
def test_common_forms_are_read(text: str, iso: str) -> None:
    days, _ = read_dates([text])
    assert days[0] == pytest.approx(day(iso), abs=1e-9)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2023-13-01", "30.02.2023", "13/14/2023", "5 Foo 2023", "2023", "20230513",
     "12:30", "9999-12-31", "0001-01-01", "2023-05/13", "1.2.3", "2023-05-13 25:00", "may 2023"],
)  # fmt: skip
def test_what_is_no_date_is_nan(text: str) -> None:
    days, _ = read_dates([text, "2020-01-01"])
    assert np.isnan(days[0])
    assert days[1] == day("2020-01-01")


@pytest.mark.parametrize(
    ("texts", "second", "sure"),
    [
        (["31/12/2020", "05/06/2023"], "2023-06-05", True),
        (["12/31/2020", "05/06/2023"], "2023-05-06", True),
        (["31-12-2020", "05-06-2023"], "2023-06-05", True),
        (["12-31-2020", "05-06-2023"], "2023-05-06", True),
        (["01/12/2020", "05/06/2023"], "2023-05-06", False),
        (["01-12-2020", "05-06-2023"], "2023-06-05", False),
        (["01.12.2020", "05.06.2023"], "2023-06-05", True),
    ],
)
def test_numbers_above_12_tell_days_from_months(texts: list[str], second: str, sure: bool) -> None:
    days, convention = read_dates(texts)
    assert days[1] == day(second)
    assert ("no number above 12" in convention) != sure


def test_the_order_of_day_and_month_never_changes_within_a_column() -> None:
    days, convention = read_dates(["31/12/2020", "30/12/2020", "12/31/2020"])
    assert days[0] == day("2020-12-31")
    assert np.isnan(days[2])
    assert convention == "the day comes first ('31/12/2020' is 2020-12-31)"


def test_iso_dates_are_not_turned_round_by_day_first_neighbours() -> None:
    days, _ = read_dates(["31.12.2020", "2023-05-06"])
    assert days[1] == day("2023-05-06")


def test_nothing_is_said_where_nothing_had_to_be_decided() -> None:
    assert read_dates(["2023-05-06", "13 May 2023"])[1] == ""


def test_random_moments_are_read_back_from_every_form() -> None:
    rng = np.random.default_rng(0)
    start = datetime(1950, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(minutes=int(m)) for m in rng.integers(0, 4e7, 100)]
    truth = np.array([moment.timestamp() / 86400 for moment in moments])
    for form in ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d %B %Y %H:%M"):
        days, _ = read_dates([moment.strftime(form) for moment in moments])
        np.testing.assert_allclose(days, truth, atol=1e-9, rtol=0)


def test_columns_of_other_texts_are_left_after_a_glance() -> None:
    days, convention = read_dates(["a", "b", "2023-05-06"])
    assert np.isnan(days).all()
    assert convention == ""
    assert read_dates([])[0].shape == (0,)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_timestamps_of_any_unit_and_zone_become_days(unit: str, zone: timezone | None) -> None:
    stamps = pd.Series(pd.to_datetime(["2023-01-01 06:00", None])).dt.as_unit(unit)
    days = days_since_1970(stamps.dt.tz_localize(zone) if zone else stamps)
    assert days[0] == day("2023-01-01T05:00" if zone else "2023-01-01T06:00")
    assert np.isnan(days[1])
