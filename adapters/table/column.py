"""Reads the cells of one column as numbers, by what was learnt from the training rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype

from cnnkit.cnncore.swap_test.date_text import read_dates
from cnnkit.cnncore.swap_test.number_text import MISSING_WORDS, read_numbers
from cnnkit.cnncore.swap_test.units import Unit

Float64Array = NDArray[np.float64]

# How numbers and dates can be written: examples, each of which can be read in one way only.
_EXAMPLES: dict[str, tuple[str, ...]] = {
    "number": ("", "1,234,567", "1.234.567,5"),
    "date": ("13/01/2000", "01/13/2000"),
}
_CODE = re.compile(r"[+-]?0[0-9]+")


@dataclass(frozen=True)
class Column:
    """How the cells of one column become numbers.

    Parameters
    ----------
    name : str
    kind : "number", "date", "category", "text" or "constant"
        A date is the days since 1970, a text its number of letters, a constant 0.
    example : str
        A number or date that shows how all are written; "" if numbers are plain.
    levels : list of str
        Of a category.
    codes : list of float
        The number for each level: 0 and 1 where there are two, else its place among all from rare
        (1) to common. Names have no order of their own; how common they are needs no target to be
        known, and unlike shares of the rows, places are never equal.
    mean, scale : float
        Of the training rows' numbers.
    is_whole : bool
        No training row lacks a number.
    """

    name: str
    kind: Literal["number", "date", "category", "text", "constant"]
    example: str = ""
    levels: Sequence[str] = ()
    codes: Sequence[float] = ()
    mean: float = 0.0
    scale: float = 1.0
    is_whole: bool = True

    def read(self, cells: Sequence[Any]) -> tuple[Float64Array, NDArray[np.bool_]]:
        """Read cells, each in the same way whatever stands beside it.

        Parameters
        ----------
        cells : sequence [n]
            Texts, numbers, dates, None.

        Returns
        -------
        values : float64 array [n]
            NaN where a cell is missing, or can't be read.
        unread : bool array [n]
            Where it can't be read.

        Examples
        --------
        >>> Column("price", "number", example="1.234.567,5").read(["1,5", "NA", "cheap"])
        (array([1.5, nan, nan]), array([False, False,  True]))
        """
        if self.kind == "constant":
            return np.zeros(len(cells)), np.zeros(len(cells), dtype=bool)
        series = pd.Series(cells, dtype=object)
        values, unread = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=bool)
        rest = np.arange(len(cells))
        if self.kind == "number" and not self.example:
            values = pd.to_numeric(series, errors="coerce").to_numpy(np.float64, copy=True)
            rest = np.flatnonzero(~np.isfinite(values))
        if len(rest):
            values[rest], unread[rest] = self._read_words(series.iloc[rest])
        return values, unread

    def _read_words(self, cells: pd.Series[Any]) -> tuple[Float64Array, NDArray[np.bool_]]:
        """Read cells by looking at each different text once."""
        if infer_dtype(cells, skipna=True) != "string":
            cells = cells.map(str, na_action="ignore")
        places, texts = pd.factorize(cells)
        words = [text.strip() for text in texts]
        known = np.array([*(word.lower() not in MISSING_WORDS for word in words), False])
        values = np.full(len(words) + 1, np.nan)  # the last is that of place -1, a missing cell
        values[known] = self._numbers([word for word in words if word.lower() not in MISSING_WORDS])
        unread = known & np.isnan(values)
        return values[places], unread[places]

    def _numbers(self, words: list[str]) -> Float64Array:
        if self.kind == "text":
            return np.array([len(word) for word in words], dtype=np.float64)
        if self.kind == "category":
            # A level that no training row has is rarer than all; of two levels it is neither.
            code = dict(zip(self.levels, self.codes, strict=True))
            other = 0.0 if len(self.levels) > 2 else np.nan
            return np.array([code.get(word, other) for word in words], dtype=np.float64)
        if not self.example:
            return np.full(len(words), np.nan)  # plain numbers have been read before
        read = read_dates if self.kind == "date" else read_numbers
        # How all are written is what most of them say; a code such as 007 makes all of them codes.
        examples = [self.example] * (len(words) + 1)
        values, _ = read(examples + ["" if _CODE.fullmatch(word) else word for word in words])
        values = values[len(examples) :]
        return np.where(np.isfinite(values), values, np.nan)


def learn_column(unit: Unit, cells: Sequence[Any]) -> Column:
    """Learn how the training rows' cells of a column are read, and their mean and scale.

    Parameters
    ----------
    unit : Unit
        What `find_units` made of them.
    cells : sequence [n]
    """
    column = Column(unit.name, unit.kind)
    ways = [replace(column, example=example) for example in _EXAMPLES.get(unit.kind, ())]
    if unit.kind == "category":
        ways = [replace(column, levels=list(unit.levels), codes=_codes(unit))]
    for way in ways or [column]:
        column, (values, _) = way, way.read(cells)
        if unit.kind not in _EXAMPLES or _agrees(values, unit.values):
            break
    filled = values[~np.isnan(values)]
    most = np.abs(filled).max() or 1.0  # squares of large numbers are infinite
    return replace(
        column,
        mean=float(most * (filled / most).mean()),
        scale=float(most * (filled / most).std()) or 1.0,
        is_whole=len(filled) == len(values),
    )


def _codes(unit: Unit) -> list[float]:
    if len(unit.levels) == 2:
        return [0.0, 1.0]
    counts = np.bincount(unit.values[~unit.missing()], minlength=len(unit.levels))
    codes = np.empty(len(counts))
    codes[np.argsort(counts, kind="stable")] = np.arange(1, len(counts) + 1)
    found: list[float] = codes.tolist()
    return found


def _agrees(values: Float64Array, expected: Float64Array) -> bool:
    """Tell whether values, float64 [n], are the expected ones; days may be counted from any day."""
    filled = np.flatnonzero(~np.isnan(expected))[0]
    moved = values - values[filled] + expected[filled]
    return np.allclose(moved, expected, rtol=1e-9, atol=1e-6, equal_nan=True)
