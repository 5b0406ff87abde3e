"""Reads numbers that people wrote: 1,234.5 or 1.234,5, with signs such as % and $."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

Float64Array = NDArray[np.float64]

MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})

_CODE = re.compile(r"^[+-]?0[0-9]+$", re.MULTILINE)
_NUMBER_LIKE = r"[+-]?\s*[$€£]?\s*[+-]?[0-9][0-9.,'’]*([eE][+-]?[0-9]+)?\s*[$€£%]?"
_SIGNS = re.compile(r"^([+-]?)\s*[$€£]\s*|\s*[$€£%]$")
_APOSTROPHES = re.compile(r"(?<=[0-9])['’](?=[0-9]{3})")  # 1'234.50
_COMMAS_GROUP = r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?"
_POINTS_GROUP = r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]*)?"


def read_numbers(texts: Sequence[str]) -> tuple[Float64Array, str]:
    """Read numbers, all by the same convention.

    Plain numbers are tried first. Else currency and percent signs are left out, and commas
    separate thousands (1,234.5) or decimals (1.234,5), whichever reads more of the texts. Where
    every comma fits both (1,234), they separate thousands.

    Parameters
    ----------
    texts : sequence of str
        Different ones, without blanks around them.

    Returns
    -------
    numbers : float64 array [n]
        NaN where a text is no number; everywhere if one is a code such as 007.
    convention : str
        How they were read, with an example; empty if they are plain numbers.

    Examples
    --------
    >>> read_numbers(["1.234,5", "7", "many"])
    (array([1234.5,    7. ,    nan]), "the comma is the decimal mark ('1.234,5' is 1234.5)")
    >>> read_numbers(["007", "12"])
    (array([nan, nan]), '')
    """
    if _CODE.search("\n".join(texts)):
        return np.full(len(texts), np.nan), ""
    series = pd.Series(texts, dtype=object)
    plain = _parse(series)
    odd = series[np.isnan(plain)]
    if not odd.str.fullmatch(_NUMBER_LIKE).any():
        return plain, ""
    bare = series.str.replace(_SIGNS, r"\1", regex=True)
    bare = bare.str.replace(_APOSTROPHES, "", regex=True)
    by_thousands, by_decimals = _read_thousands(bare), _read_decimals(bare)
    commas_are_decimal = np.isfinite(by_decimals).sum() > np.isfinite(by_thousands).sum()
    numbers = by_decimals if commas_are_decimal else by_thousands
    read = odd[~np.isnan(numbers[odd.index])]
    with_comma = read[read.str.contains(",", regex=False)]
    role = "the comma is the decimal mark" if commas_are_decimal else "commas separate thousands"
    notes = [role + _example(with_comma, numbers)] if len(with_comma) else []
    with_sign = read[read != bare[read.index]]
    notes += ["signs are left out" + _example(with_sign, numbers)] if len(with_sign) else []
    return numbers, " and ".join(notes)


def holds_numbers(column: pd.Series[Any]) -> bool:
    """Tell whether a column's type is one of real numbers; bools are none."""
    is_other = is_bool_dtype(column.dtype) or is_complex_dtype(column.dtype)
    return is_numeric_dtype(column.dtype) and not is_other


def _parse(texts: pd.Series[str]) -> Float64Array:
    return pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)


def _read_thousands(texts: pd.Series[str]) -> Float64Array:
    fits = ~texts.str.contains(",", regex=False) | texts.str.fullmatch(_COMMAS_GROUP)
    return _parse(texts.where(fits).str.replace(",", "", regex=False))


def _read_decimals(texts: pd.Series[str]) -> Float64Array:
    fits = ~texts.str.contains(".", regex=False) | texts.str.fullmatch(_POINTS_GROUP)
    plain = texts.where(fits).str.replace(".", "", regex=False)
    return _parse(plain.str.replace(",", ".", regex=False))


def _example(texts: pd.Series[str], numbers: Float64Array) -> str:
    return f" ({texts.iloc[0]!r} is {numbers[texts.index[0]]:.10g})"
