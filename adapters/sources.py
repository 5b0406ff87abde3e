"""Turns what the user names (a table, a folder of classes, a file) into items and targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.columns import (
    Task,
    choose_column,
    guess_item_column,
    guess_target_column,
    guess_task,
    parse_number,
    similar_labels,
    usual_target,
)
from cnnkit.adapters.dataset import Dataset
from cnnkit.adapters.documents import is_document
from cnnkit.adapters.errors import SourceError, listing, shorten
from cnnkit.adapters.folder_sources import from_documents, from_folder
from cnnkit.adapters.folders import describe_missing, find_elsewhere, is_file, printable
from cnnkit.adapters.multilabel import (
    check_labels,
    check_multilabel,
    label_columns,
    read_labels,
    target_columns,
)
from cnnkit.adapters.row_columns import RowColumns
from cnnkit.adapters.source import Source
from cnnkit.adapters.tables import TABLE_SUFFIXES, Table, read_table
from cnnkit.adapters.text_labels import check_no_class_lost
from cnnkit.cnncore.image import Problem

__all__ = ["Dataset", "SourceError", "load_dataset"]

_HINTS = 20  # Missing files for which the nearest name is looked up: it takes a while.


def load_dataset(
    data: Path,
    *,
    item: str | None = None,
    target: str | None = None,
    task: str = "auto",
    item_names: tuple[str, ...],
    items_are_files: bool,
    items_are_texts: bool = False,
    row_columns: RowColumns | None = None,
    need_target: bool = True,
    keep_empty: bool = False,
    min_classes: int = 2,
    separator: str | None = None,
    labels: Sequence[str] | None = None,
    encoding: str | None = None,
) -> Dataset:
    """Find items and targets in a table, in a folder of classes, or take a single file.

    Parameters
    ----------
    data : Path
        A table (CSV, TSV, JSON, JSON Lines, Parquet, fastText's format); a folder with one
        sub-folder for each class; without targets also any folder, or one item. Paths in a table
        are relative to the table.
    item, target : str or None
        Columns of the table. None: guessed. A target "A,B,C" names a column for each label.
    task : "auto", "classification", "regression" or "multilabel"
        Auto: numbers that aren't whole, or more than 20 different ones, are a regression; several
        columns are multi-label.
    item_names : tuple of str
        Usual names of the item column.
    items_are_files : bool
        Items are paths of files, which must exist; otherwise the values themselves.
    items_are_texts : bool
        Items are texts, which may also stand in files of their own. They are only read in the
        encoding that was given, or in UTF-8.
    row_columns : RowColumns or None
        Items are whole rows, with these columns; then the target is guessed by its name, else it
        is the last column, and the table needs no header.
    need_target : bool
        False: a target is read only from a column that `target` names.
    keep_empty : bool
        Empty texts are items too, as a prediction needs them.
    min_classes : int
        Fewest different targets to accept.
    separator : str or None
        Between the labels of a multi-label cell. None: guessed.
    labels : sequence of str or None
        Names of all labels, where the training data told them.
    encoding : str or None
        Of a file of text. None: found by looking at it.

    Raises
    ------
    SourceError
        If the data isn't there or isn't of that kind, a column is missing, no row can be used,
        or there are fewer than `min_classes` targets.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "index.csv"
    >>> _ = path.write_text("text,label\\ngood,1\\nbad,0\\n,1\\n")
    >>> dataset = load_dataset(path, item_names=("text",), items_are_files=False)
    >>> dataset.items, list(dataset.targets), dataset.places
    (['good', 'bad'], ['1', '0'], ['index.csv:2', 'index.csv:3'])
    >>> dataset.problems
    (Problem(item=2, value='', reason="column 'text' is empty", rejected=True),)
    """
    if task not in ("auto", *get_args(Task)):
        raise SourceError(f"No task {task!r}. Expected auto, {' or '.join(get_args(Task))}.")
    data = data.absolute()
    if not data.exists():
        raise SourceError(f"{data} {describe_missing(data)}")
    read_target = need_target or target is not None
    is_item = not need_target and (
        (items_are_files and data.suffix.lower() not in TABLE_SUFFIXES)
        or (items_are_texts and item is None and is_document(data, item_names, encoding))
    )
    if data.is_dir() or is_item:
        if item is not None or target is not None:
            raise SourceError(f"{data} isn't a table: it has no column {item or target!r}.")
        if items_are_texts:
            source = from_documents(data, read_target, encoding)
        else:
            source = from_folder(data, items_are_files, read_target, encoding)
    elif row_columns is not None:
        if item is not None:
            raise SourceError(f"{data.name}: items are whole rows, not those of column {item!r}.")
        source = _from_rows(data, target, row_columns, read_target, encoding)
    else:
        table = read_table(data, encoding, strict=items_are_texts)
        source = _from_table(data, table, item, target, item_names, items_are_files, read_target)
    keep_empty = keep_empty and items_are_texts
    return _check_rows(source, task, min_classes, items_are_texts, keep_empty, separator, labels)


def _from_table(
    data: Path,
    table: Table,
    item: str | None,
    target: str | None,
    item_names: tuple[str, ...],
    items_are_files: bool,
    read_target: bool,
) -> Source:
    frame, decided = table.frame, list(table.notes)
    targets = [] if target is None else target_columns(frame, target, data.name)
    if item is None:
        others = frame.drop(columns=targets)
        item_column = guess_item_column(others, item_names, items_are_files, data.name)
        decided.append(f"items: column {item_column!r}")
    else:
        item_column = choose_column(frame, item, data.name)
    if item_column in targets:
        raise SourceError(f"{data.name}: column {item_column!r} can't hold both items and targets.")
    if read_target and target is None:
        target = guess_target_column(frame, item_column, data.name)
        targets = [target]
        decided.append(f"target: column {target!r}")
    values = frame[item_column].tolist()
    used = (item_column, *targets)
    faults = {row: fault for (row, column), fault in table.faults.items() if column in used}
    return Source(
        folder=data.parent,
        name=data.name,
        values=values,
        paths=[data.parent / value for value in values] if items_are_files else None,
        labels=frame[targets[0]].tolist() if targets else None,
        label_columns=label_columns(frame, targets),
        places=[f"{data.name}:{line}" for line in table.lines],
        decided=decided,
        no_label=f"column {target!r} is empty",
        faults=faults,
        separator=table.separator,
        table=frame,
        item_column=item_column,
        target_column=target,
    )


def _from_rows(
    data: Path,
    target: str | None,
    row_columns: RowColumns,
    read_target: bool,
    encoding: str | None,
) -> Source:
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


def _check_rows(
    source: Source,
    task_name: str,
    min_classes: int,
    items_are_texts: bool,
    keep_empty: bool,
    separator: str | None,
    labels: Sequence[str] | None,
) -> Dataset:
    """Set aside the rows that can't be used, and turn the others into a data set."""
    of_items = _item_reasons(source, keep_empty)
    task, decided = _decide_task(source, task_name)
    reasons = of_items | _target_reasons(source, task, of_items)
    found = None
    if source.labels is not None and task == "multilabel":
        usable = [row for row in range(len(source.values)) if row not in reasons]
        mark = source.separator or separator  # what joined them is known
        found = read_labels(source.labels, source.label_columns, usable, mark, labels)
        reasons |= found.reasons
    problems = tuple(Problem(row, source.values[row], reasons[row]) for row in sorted(reasons))
    kept = [row for row in range(len(source.values)) if row not in reasons]
    if not kept:
        raise SourceError(_no_rows(source, problems))
    targets = None
    if found is not None:
        targets = found.matrix[kept]
        decided += found.decided
        decided += check_labels(found, kept, source.name) if min_classes > 1 else []
    elif source.labels is not None:
        targets, noticed = _targets([source.labels[row] for row in kept], task)
        decided += noticed
        _check_distinct(targets, min_classes, source)
    items = _items(source)
    of_classes = items_are_texts and source.labels is not None and task == "classification"
    if of_classes and min_classes > 1:  # a part for testing may lack a class
        check_no_class_lost(source.labels or [], of_items, source.places, source.name)
    return Dataset(
        name=source.name,
        items=[items[row] for row in kept],
        targets=targets,
        task=task,
        places=[source.places[row] for row in kept],
        rows=np.array(kept, dtype=np.int64),
        source_rows=list(zip(source.places, source.values, strict=True)),
        problems=problems,
        table=None if source.table is None else source.table.iloc[kept].reset_index(drop=True),
        item_column=source.item_column,
        target_column=source.target_column,
        labels=None if found is None else found.names,
        separator=None if found is None else found.separator,
        decided=[*source.decided, *decided],
    )


def _items(source: Source) -> list[Any]:
    if source.paths is not None:
        return [str(path) for path in source.paths]
    return source.documents or source.cells or source.values


def _item_reasons(source: Source, keep_empty: bool) -> dict[int, str]:
    """Say of each row whose item can't be used why not."""
    reasons = dict(source.faults)
    looked_up = 0
    for row, value in enumerate(source.documents or source.values):
        if row in reasons:
            continue
        if source.cells is not None:
            if not any(cell.strip() for cell in source.cells[row].values()):
                reasons[row] = "all its columns are empty"
        elif not value.strip():
            column = source.item_column
            reason = "the file is empty" if column is None else f"column {column!r} is empty"
            reasons |= {} if keep_empty else {row: reason}
        elif source.paths is not None and not is_file(source.paths[row]):
            looked_up += 1
            path = source.paths[row]
            reasons[row] = describe_missing(path) if looked_up <= _HINTS else "is no file."
    return reasons


def _decide_task(source: Source, task: str) -> tuple[Task | None, list[str]]:
    if source.labels is None:
        return None, []
    if task == "auto" and source.separator is not None:
        return "multilabel", ["task: multilabel (items have several labels)"]
    if task == "multilabel" or source.label_columns is not None:
        check_multilabel(source, task)
        return "multilabel", []
    if task == "classification" or (task == "auto" and source.table is None):
        return "classification", []
    if task == "regression":
        return "regression", []
    guess = guess_task(source.labels)
    kind = f"{len(set(source.labels))} different values in column {source.target_column!r}"
    return guess, [f"task: {guess} ({kind})"]


def _target_reasons(
    source: Source, task: Task | None, without: Mapping[int, str]
) -> dict[int, str]:
    """Say of each row whose target can't be used why not; rows of `without` are left out."""
    if source.labels is None:
        return {}
    found = {
        row: _target_reason(label, task, source)
        for row, label in enumerate(source.labels)
        if row not in without
    }
    return {row: reason for row, reason in found.items() if reason}


def _target_reason(label: str, task: Task | None, source: Source) -> str:
    if not label.strip() and task != "multilabel":
        return source.no_label
    if task == "regression" and math.isnan(parse_number(label)):
        return f"the target {label!r} is no finite number (expected one like 3 or 0.25)"
    if label != printable(label):
        return f"the label {label!r} holds a lone surrogate, which can't be saved"
    if task == "classification" and source.separator and source.separator in label:
        several = listing(label.split(source.separator))
        return f"has the labels {several}; expected one (several: --task multilabel in training)"
    return ""


def _targets(labels: list[str], task: Task | None) -> tuple[NDArray[Any], list[str]]:
    if task == "regression":
        return np.array([parse_number(label) for label in labels]), []
    targets = np.empty(len(labels), dtype=object)
    targets[:] = labels
    return targets, similar_labels(labels)


def _check_distinct(targets: NDArray[Any], min_classes: int, source: Source) -> None:
    distinct = set(targets.tolist())
    if len(distinct) < min_classes:
        raise SourceError(
            f"{source.name}: all {len(targets)} usable items have the target "
            f"{listing(sorted(distinct))}; at least {min_classes} different ones are needed."
        )


def _no_rows(source: Source, problems: tuple[Problem, ...]) -> str:
    first = [f"  {source.places[p.item]} {shorten(p.value)!r}: {p.reason}" for p in problems[:3]]
    lines = [f"{source.name}: none of its {len(problems)} rows can be used. The first:", *first]
    if source.paths is not None and source.table is not None:
        folder, value = source.folder, next(filter(str.strip, source.values), "")
        found = find_elsewhere(folder, value)
        lines.append(
            f"Paths are relative to the table's folder, {folder}."
            + (f" There is a {found!r} as seen from there: write that path." if found else "")
        )
    return "\n".join(lines)
