"""Finds the rows among items, and reads them as numbers."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cnnkit.adapters.errors import listing
from cnnkit.adapters.table.column import Column, Float64Array
from cnnkit.cnncore.image import IntArray, Problem

MOST_CELLS = 3  # of a row, in a warning


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of all items that are rows with the columns that are asked for.

    Parameters
    ----------
    columns : list of sequences
        One for each column, with a cell for each row.
    items : int64 array [n]
        Number of the item that each row is.
    problems : tuple of Problem
        The other items.
    """

    columns: list[Sequence[Any]]
    items: IntArray
    problems: tuple[Problem, ...]


@dataclass(frozen=True, eq=False)
class ReadRows:
    """Rows as numbers.

    Parameters
    ----------
    values : float64 array [n, columns]
        NaN where a cell is missing, or can't be read.
    items : int64 array [n]
        Number of the item that each row is.
    problems : tuple of Problem
        Items that are no row or hold nothing, and warnings of cells that can't be read.
    """

    values: Float64Array
    items: IntArray
    problems: tuple[Problem, ...]


def records(items: Iterable[Any]) -> list[Any]:
    """Take a DataFrame apart into rows; of everything else, list the items."""
    if isinstance(items, pd.DataFrame):
        found: list[Any] = items.set_axis(items.columns.map(str), axis=1).to_dict("records")
        return found
    return list(items)


def find_cells(items: Sequence[Any], names: Sequence[str]) -> Cells:
    """Collect the cells of the columns `names`."""
    rows, numbers, problems = [], [], []
    for number, item in enumerate(items):
        try:
            rows.append([item[name] for name in names])
            numbers.append(number)
        except (KeyError, TypeError, IndexError):
            problems.append(Problem(number, reprlib.repr(item), _why_no_row(item, names)))
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(names)
    return Cells(columns, np.array(numbers, dtype=np.int64), tuple(problems))


def read_rows(items: Sequence[Any], columns: Sequence[Column]) -> ReadRows:
    """Read all items that are rows and hold anything."""
    cells = find_cells(items, [column.name for column in columns])
    values = np.empty((len(cells.items), len(columns)))
    unread = np.zeros(values.shape, dtype=bool)
    for place, column in enumerate(columns):
        values[:, place], unread[:, place] = column.read(cells.columns[place])
    says_nothing = np.isnan(values) | [column.kind == "constant" for column in columns]
    is_empty = np.asarray(says_nothing.all(axis=1))
    problems = list(cells.problems)
    for row in np.flatnonzero(is_empty | unread.any(axis=1)).tolist():
        places = np.flatnonzero(unread[row]).tolist()
        odd = [(columns[place], cells.columns[place][row]) for place in places]
        item, rejected = int(cells.items[row]), bool(is_empty[row])
        reason = _why_unread(odd, is_empty=rejected)
        problems.append(Problem(item, reprlib.repr(items[item]), reason, rejected))
    problems.sort(key=lambda problem: problem.item)
    return ReadRows(values[~is_empty], cells.items[~is_empty], tuple(problems))


def _why_no_row(item: Any, names: Sequence[str]) -> str:
    if not isinstance(item, Mapping):
        return f"is of type {type(item).__name__}; expected a row: a dict of column to value"
    return f"lacks the columns {listing([name for name in names if name not in item])}"


def _why_unread(odd: Sequence[tuple[Column, Any]], *, is_empty: bool) -> str:
    shown = [
        f"{column.name!r} is no {column.kind} like those in training ({reprlib.repr(cell)})"
        for column, cell in odd[:MOST_CELLS]
    ]
    if len(odd) > MOST_CELLS:
        shown.append(f"{len(odd) - MOST_CELLS:,} more columns")
    if is_empty:
        return "; ".join(["no column has a value", *shown])
    return f"taken as missing: {'; '.join(shown)}"
