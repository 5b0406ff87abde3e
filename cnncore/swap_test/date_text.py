"""Reads dates that people wrote, as days since 1970."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cnnkit.cnncore.swap_test.number_text import Float64Array

_YEAR = r"(?P<year>[12]\d{3})"
_TIME = (
    r"(?:(?:T|,? +)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d(?:\.\d+)?))?"
    r"(?: ?(?P<half>[AaPp])[Mm])?(?: ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d))?)?"
)
_LAYOUTS = tuple(
    re.compile(date + _TIME)
    for date in (
        _YEAR + r"(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
        r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})(?P=mark)" + _YEAR,
        _YEAR + r"-(?P<month>\d\d)",
        r"(?P<day>\d{1,2})\.?[ -](?P<name>[A-Za-z]{3,9})[ -]" + _YEAR,
        r"(?P<name>[A-Za-z]{3,9}) (?P<day>\d{1,2}),? " + _YEAR,
    )
)
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_GLANCE = 50


def read_dates(texts: Sequence[str]) -> tuple[Float64Array, str]:
    """Read dates, with or without a time of day.

    Known are 2023-05-13 (also with / or .), 2023-05, 13.05.2023, 05/13/2023, 13-05-2023,
    13 May 2023 and May 13, 2023. Whether the day or the month comes first is the same in a whole
    column, and numbers above 12 tell; where there are none, the month comes first with /, else
    the day.

    Parameters
    ----------
    texts : sequence of str
        Different ones, without blanks around them.

    Returns
    -------
    days : float64 array [n]
        Since 1970-01-01 (UTC where there are time zones); NaN where a text is no date.
    convention : str
        Which of day and month comes first, with an example; empty if that was no question.

    Examples
    --------
    >>> read_dates(["01/02/1970", "01/31/1970 12:00", "soon"])
    (array([ 1. , 30.5,  nan]), "the month comes first ('01/02/1970' is 1970-01-02)")
    """
    glance = [bool(_parts(text)) for text in texts[:_GLANCE]]
    if 2 * sum(glance) < len(glance):
        return np.full(len(texts), np.nan), ""
    parts = [_parts(text) for text in texts]
    day_first, is_sure = _day_comes_first([part for part in parts if "first" in part])
    iso = pd.Series([_iso(part, day_first) for part in parts], dtype=object)
    stamps = pd.to_datetime(iso, format="ISO8601", utc=True, errors="coerce")
    days = days_since_1970(stamps)
    decided = [row for row, part in enumerate(parts) if "first" in part and days[row] == days[row]]
    if not decided:
        return days, ""
    row = decided[0]
    convention = f"the {'day' if day_first else 'month'} comes first"
    doubt = "" if is_sure else ", though no number above 12 confirms it"
    return days, f"{convention} ({texts[row]!r} is {stamps[row]:%Y-%m-%d}){doubt}"


def days_since_1970(stamps: pd.Series[pd.Timestamp]) -> Float64Array:
    """Return moments as days, float64 [n]; NaN where there is none, UTC where there are zones.

    Examples
    --------
    >>> days_since_1970(pd.Series(pd.to_datetime(["1970-01-02 06:00", None])))
    array([1.25,  nan])
    """
    moments = stamps.dt.tz_convert(None) if stamps.dt.tz is not None else stamps
    return np.asarray((moments.to_numpy() - np.datetime64(0, "s")) / np.timedelta64(1, "D"))


def _parts(text: str) -> dict[str, str]:
    """Cut a date into year, month (or its name), day and time; empty if it is none."""
    found = next((match for layout in _LAYOUTS if (match := layout.fullmatch(text))), None)
    return found.groupdict("") if found else {}


def _day_comes_first(unclear: Sequence[dict[str, str]]) -> tuple[bool, bool]:
    """Tell whether the day comes before the month in 05/06/2023, and whether that is sure."""
    days_first = sum(int(part["first"]) > 12 for part in unclear)
    months_first = sum(int(part["other"]) > 12 for part in unclear)
    if days_first != months_first:
        return days_first > months_first, True
    marks = {part["mark"] for part in unclear}
    return "/" not in marks, marks <= {"."}


def _iso(part: dict[str, str], day_first: bool) -> str:
    """Write a date as 2023-05-13T12:30:00+02:00; no date at all stays none."""
    if not part:
        return ""
    month, day = part.get("month", ""), part.get("day", "1")
    if "first" in part:
        month, day = (part["other"], part["first"]) if day_first else (part["first"], part["other"])
    if name := part.get("name", "").lower():
        month = next((str(n) for n, full in enumerate(_MONTHS, 1) if full.startswith(name)), "")
    date = f"{part['year']}-{month:0>2}-{day:0>2}"
    if not part.get("hour"):
        return date
    hour = int(part["hour"])
    if part["half"]:
        hour = hour % 12 + 12 * (part["half"] in "Pp")
    zone = part["zone"].replace("UTC", "Z")
    return f"{date}T{hour:02}:{part['minute']}:{part['second'] or '00'}{zone}"
