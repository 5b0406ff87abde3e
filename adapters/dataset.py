"""A data set as the user brought it: items, targets, and where each of them was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from cnnkit.adapters.columns import Task
from cnnkit.cnncore.image import IntArray, Problem


@dataclass(frozen=True, eq=False)
class Dataset:
    """Items with their targets, and where each of them was found.

    Parameters
    ----------
    name : str
        Name of the table or folder.
    items : list [N]
        Usable items: values as str, files as absolute paths, or rows as a dict of column to str.
    targets : object array of str or float64 array [N] or [N, K], or None
        Labels (classification) or numbers (regression), several with NaN (not known); multi-label:
        1, 0 or NaN.
    task : "classification", "regression" or "multilabel" or None
    places : list of str [N]
        "index.csv:17" (the line where the row begins, the header is line 1), or the path relative
        to the folder.
    rows : int64 array [N]
        For each item, its number in the source, from 0.
    source_rows : list of (place, value) [rows of the source]
        Every row of the source, usable or not; where items are rows, the value is "row 17", and
        where they are records of a file, it is the title or "record 17".
    problems : tuple of Problem
        Rows that can't be used, by their number in the source.
    beside : DataFrame [rows of the source] or None
        What predictions repeat of each row: the properties of a record.
    has_titles : bool
        The values of `source_rows` are titles of records, which are too long for lists.
    table : DataFrame [N rows] or None
        All columns as str, for tables.
    item_column, target_column : str or None
        Several columns of targets are "A,B,C".
    labels : list of str [K] or None
        Names of the labels of a multi-label task, or of several targets of a regression.
    separator : str or None
        Between the labels of a cell.
    decided : list of str
        What was guessed or noticed, as sentences.
    """

    name: str
    items: list[Any]
    targets: NDArray[Any] | None
    task: Task | None
    places: list[str]
    rows: IntArray
    source_rows: list[tuple[str, str]]
    problems: tuple[Problem, ...] = ()
    beside: pd.DataFrame | None = None
    has_titles: bool = False
    table: pd.DataFrame | None = None
    item_column: str | None = None
    target_column: str | None = None
    labels: list[str] | None = None
    separator: str | None = None
    decided: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.items)
