"""Turns a table into items and targets: a column of items, or rows that are items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from cnnkit.adapters.column_guesses import (
    LooksLikeItem,
    guess_item_column,
    guess_target_column,
)
from cnnkit.adapters.columns import choose_column, usual_target
from cnnkit.adapters.errors import SourceError, listing
from cnnkit.adapters.row_columns import RowColumns
from cnnkit.adapters.source import Source
from cnnkit.adapters.tables import Table, read_table
from cnnkit.adapters.target_columns import label_columns, target_columns


@dataclass(frozen=True)
class ItemKind:
    """How to know a column of items.

    Parameters
    ----------
    names : tuple of str
        Usual names of the column.
    are_files, are_texts : bool
        Items are paths of files, or texts; else other values, such as molecules.
    looks_like_item : callable or None
        Tells whether a cell looks like an item, or None where that can't be told.
    """

    names: tuple[str, ...]
    are_files: bool = False
    are_texts: bool = False
    looks_like_item: LooksLikeItem | None = None


def from_table(
    data: Path,
    table: Table,
    item: str | None,
    target: str | None,
    kind: ItemKind,
    read_target: bool,
) -> Source:
    """Take a column of a table for the items, and one or several for the targets.

    Raises
    ------
    SourceError
        If the table lacks a column that was named, or one that wasn't can't be guessed.
    """
    frame, decided = table.frame, list(table.notes)
    targets = [] if target is None else target_columns(frame, target, data.name)
    item_column, why = _choose_items(table, item, targets, kind, data.name)
    decided += why
    if item_column in targets:
        raise SourceError(f"{data.name}: column {item_column!r} can't hold both items and targets.")
    if read_target and target is None:
        are_values = not (kind.are_files or kind.are_texts)
        target, reason = guess_target_column(frame, item_column, data.name, numbers_too=are_values)
        targets = [target]
        decided.append(reason)
    cells = frame[item_column].tolist()
    titles = table.titles if item_column == table.item_column else None
    used = (item_column, *targets)
    faults = {row: fault for (row, column), fault in table.faults.items() if column in used}
    return Source(
        folder=data.parent,
        name=data.name,
        values=titles or cells,
        paths=[data.parent / cell for cell in cells] if kind.are_files else None,
        labels=frame[targets[0]].tolist() if targets else None,
        label_columns=label_columns(frame, targets),
        places=[f"{data.name}:{line}" for line in table.lines],
        decided=decided,
        no_label=f"column {target!r} is empty",
        documents=cells if titles else None,
        faults=faults,
        separator=table.separator,
        table=frame,
        beside=frame[beside] if (beside := _beside(table, item_column)) else None,
        item_column=item_column,
        target_column=target,
    )


def _choose_items(
    table: Table, item: str | None, targets: list[str], kind: ItemKind, name: str
) -> tuple[str, list[str]]:
    """Return the column of items, and what to say of the choice where nobody named it."""
    if item is not None:
        return choose_column(table.frame, item, name), []
    others = table.frame.drop(columns=targets)
    own = table.item_column
    if own in others and own in {usual.lower() for usual in kind.names}:
        return own, [f"items: column {own!r}"]
    return guess_item_column(others, kind.names, kind.are_files, name, kind.looks_like_item)


def _beside(table: Table, item_column: str) -> list[str]:
    return [column for column in table.beside if column != item_column]


def from_rows(
    data: Path,
    target: str | None,
    row_columns: RowColumns,
    read_target: bool,
    encoding: str | None,
) -> Source:
    """Take each row of a table for an item, without the columns of targets.

    Raises
    ------
    SourceError
        If the table lacks a column, or none is left to make a row.
    """
    table = read_table(data, encoding, header=None)
    frame, decided, names = table.frame, list(table.notes), [str(name) for name in table.frame]
    targets = [] if target is None else target_columns(frame, target, data.name)
    if read_target and target is None:
        target, why = _guess_target_of_rows(names, row_columns)
        targets = [target]
        decided.append(f"target: column {target!r} ({why})")
    row_columns = replace(row_columns, left_out=(*row_columns.left_out, *targets[1:]))
    columns = row_columns.choose(names, targets[0] if targets else None, data.name)
    others = [name for name in names if name not in columns and name not in targets]
    without = f", without {listing(others)}" if others else ""
    width = "1 column" if len(columns) == 1 else f"{len(columns):,} columns"
    decided.append(f"items: rows of {width}{without}")
    lists = [frame[name].tolist() for name in columns]
    return Source(
        folder=data.parent,
        name=data.name,
        values=[f"row {number:,}" for number in range(1, len(frame) + 1)],
        paths=None,
        labels=frame[targets[0]].tolist() if targets else None,
        label_columns=label_columns(frame, targets),
        places=[f"{data.name}:{line}" for line in table.lines],
        decided=decided,
        no_label=f"column {target!r} is empty",
        cells=[dict(zip(columns, values, strict=True)) for values in zip(*lists, strict=True)],
        table=frame,
        target_column=target,
    )


def _guess_target_of_rows(names: list[str], row_columns: RowColumns) -> tuple[str, str]:
    """Choose the column of targets among all that may make a row, and say why."""
    others = [name for name in names if name not in row_columns.left_out]
    usual = usual_target(others)
    return (usual, "by its name") if usual else ([*names, *others][-1], "the last one")
