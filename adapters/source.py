"""All that a table or folder holds, before anything is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Source:
    """All rows of a table, or files of a folder, as text.

    Parameters
    ----------
    folder : Path
        Paths are relative to it.
    name : str
        Of the table or folder.
    values : list of str [N]
        What stands for each item in lists: its cell, its title, its path, or "row 17".
    paths : list of Path [N] or None
        Where items are files.
    labels : list of str [N] or None
        None: without targets.
    places : list of str [N]
        "index.csv:17", or the path.
    decided : list of str
        What was guessed.
    no_label : str
        What to say of an item without a label.
    label_columns : dict of str to list of str [N] or None
        Cells of each column of targets, where there are several.
    cells : list of dict [N] or None
        Where items are rows of a table.
    documents : list of str [N] or None
        The items themselves, where they are too long for lists: files, or records of one.
    faults : dict of int to str
        By row: what couldn't be read.
    separator : str or None
        Between the labels of an item, where items are known to have several.
    table : DataFrame [N rows] or None
    beside : DataFrame [N rows] or None
        What predictions repeat of each row.
    item_column, target_column : str or None
    """

    folder: Path
    name: str
    values: list[str]
    paths: list[Path] | None
    labels: list[str] | None
    places: list[str]
    decided: list[str]
    no_label: str
    label_columns: dict[str, list[str]] | None = None
    cells: list[dict[str, str]] | None = None
    documents: list[str] | None = None
    faults: dict[int, str] = field(default_factory=dict)
    separator: str | None = None
    table: pd.DataFrame | None = None
    beside: pd.DataFrame | None = None
    item_column: str | None = None
    target_column: str | None = None
