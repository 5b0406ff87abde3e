"""Turns what the user names (a table, a folder of classes, a file) into items and targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.column_guesses import LooksLikeItem
from cnnkit.adapters.columns import MISSING, Task, guess_task, parse_number, similar_labels
from cnnkit.adapters.dataset import Dataset
from cnnkit.adapters.documents import is_document
from cnnkit.adapters.errors import SourceError, count_of, listing, shorten
from cnnkit.adapters.folder_sources import from_documents, from_folder
from cnnkit.adapters.folders import describe_missing, find_elsewhere, is_file, printable
from cnnkit.adapters.multilabel import (
    check_labels,
    check_multilabel,
    read_labels,
    several_labels_hint,
)
from cnnkit.adapters.number_targets import (
    check_numbers,
    describe_numbers,
    number_column,
    read_numbers,
)
from cnnkit.adapters.row_columns import RowColumns
from cnnkit.adapters.source import Source
from cnnkit.adapters.table_sources import ItemKind, from_rows, from_table
from cnnkit.adapters.tables import TABLE_SUFFIXES, read_table
from cnnkit.adapters.target_columns import LabelTargets
from cnnkit.adapters.text_labels import check_no_class_lost
from cnnkit.cnncore.image import Problem

__all__ = ["Dataset", "SourceError", "load_dataset"]

MOST_ODD = 0.2  # share of targets that aren't numbers, where the others are
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
    looks_like_item: LooksLikeItem | None = None,
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
        A table (CSV, TSV, JSON, JSON Lines, Parquet, SDF, SMILES, fastText's format); a folder
        with one sub-folder for each class; without targets also any folder, or one item. Paths in
        a table are relative to the table.
    item, target : str or None
        Columns of the table. None: guessed. A target "A,B,C" names a column for each label, or
        for each of several numbers.
    task : "auto", "classification", "regression" or "multilabel"
        Auto: numbers that aren't whole, or more than 20 different ones, are a regression. Several
        columns are one where any holds numbers other than 0 and 1; else they are multi-label.
    item_names : tuple of str
        Usual names of the item column.
    items_are_files : bool
        Items are paths of files, which must exist; otherwise the values themselves.
    items_are_texts : bool
        Items are texts, which may also stand in files of their own. They are only read in the
        encoding that was given, or in UTF-8.
    looks_like_item : callable or None
        Tells whether a text looks like an item, or None where that can't be told: for a column of
        items without a usual name. Where items are neither files nor texts, the target may have
        no usual name either, if it is the only other column that holds numbers.
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
        Names of all labels, or of all of several targets, where the training data told them.
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
        source = from_rows(data, target, row_columns, read_target, encoding)
    else:
        table = read_table(data, encoding, strict=items_are_texts)
        wanted = ItemKind(item_names, items_are_files, items_are_texts, looks_like_item)
        source = from_table(data, table, item, target, wanted, read_target)
    keep_empty = keep_empty and items_are_texts
    return _check_rows(source, task, min_classes, items_are_texts, keep_empty, separator, labels)


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
    numbers = task == "regression" and (source.label_columns or labels) is not None
    reasons = of_items | ({} if numbers else _target_reasons(source, task, of_items))
    found = None
    if source.labels is not None and (numbers or task == "multilabel"):
        usable = [row for row in range(len(source.values)) if row not in reasons]
        mark = source.separator or separator  # what joined them is known
        found = _read_several(source, source.labels, task, usable, mark, labels)
        reasons |= found.reasons
    problems = tuple(Problem(row, source.values[row], reasons[row]) for row in sorted(reasons))
    kept = [row for row in range(len(source.values)) if row not in reasons]
    if not kept:
        raise SourceError(_no_rows(source, problems))
    targets = None
    if found is not None:
        targets = found.matrix[kept]
        decided += found.decided
        check = check_labels if task == "multilabel" else check_numbers
        decided += check(found, kept, source.name) if min_classes > 1 else []
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
        beside=source.beside,
        has_titles=source.table is not None and source.documents is not None,
        table=None if source.table is None else source.table.iloc[kept].reset_index(drop=True),
        item_column=source.item_column,
        target_column=source.target_column,
        labels=None if found is None else found.names,
        separator=None if found is None else found.separator,
        decided=[*source.decided, *decided],
    )


def _read_several(
    source: Source,
    cells: Sequence[str],
    task: Task | None,
    rows: Sequence[int],
    separator: str | None,
    names: Sequence[str] | None,
) -> LabelTargets:
    """Read several labels or numbers for each row, of which a table may have one column."""
    columns = source.label_columns
    if task == "multilabel":
        return read_labels(cells, columns, rows, separator, names)
    return read_numbers(columns or {str(source.target_column): cells}, rows, names)


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
    columns = source.label_columns
    if columns is not None and (
        task == "regression" or (task == "auto" and number_column(columns) is not None)
    ):
        return "regression", describe_numbers(columns)
    if task == "multilabel" or columns is not None:
        check_multilabel(source, task)
        return "multilabel", []
    if task == "classification" or (task == "auto" and source.table is None):
        return "classification", []
    if task == "regression":
        return "regression", []
    guess = guess_task(source.labels)
    if guess == "classification":
        _refuse_odd_numbers(source, source.labels)
    count = len(set(filter(str.strip, source.labels)))
    kind = f"{count_of(count, 'different value')} in column {source.target_column!r}"
    hint = several_labels_hint(source.labels) if guess == "classification" else []
    return guess, [f"task: {guess} ({kind})", *hint]


def _refuse_odd_numbers(source: Source, labels: Sequence[str]) -> None:
    """Refuse to take numbers for names of classes because a few cells are none."""
    filled = {row: label for row, label in enumerate(labels) if label.strip()}
    odd = [row for row, label in filled.items() if math.isnan(parse_number(label))]
    odd = [row for row in odd if filled[row].strip().lower() not in MISSING]
    numbers = [label for row, label in filled.items() if row not in set(odd)]
    if not odd or len(odd) > MOST_ODD * len(filled) or guess_task(numbers) != "regression":
        return
    first = ", ".join(f"{source.places[row]} {shorten(labels[row])!r}" for row in odd[:3])
    raise SourceError(
        f"{source.name}: {len(odd)} of {len(filled)} cells of column {source.target_column!r} are "
        f"no finite numbers ({first}), all others are. Correct them, add --task regression to "
        "leave these rows out, or --task classification if each value is a class."
    )


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
    if source.table is None and source.places == [source.name]:  # a single file
        reason = problems[0].reason
        return reason if reason.startswith(source.name) else f"{source.name}: {reason}"
    first = []
    for problem in problems[:3]:
        place = source.places[problem.item]
        shown = "" if problem.value == place else f" {shorten(problem.value)!r}"
        first.append(f"  {place}{shown}: {problem.reason}")
    lines = [f"{source.name}: none of its {len(problems)} rows can be used. The first:", *first]
    if source.paths is not None and source.table is not None:
        folder, value = source.folder, next(filter(str.strip, source.values), "")
        found = find_elsewhere(folder, value)
        lines.append(
            f"Paths are relative to the table's folder, {folder}."
            + (f" There is a {found!r} as seen from there: write that path." if found else "")
        )
    return "\n".join(lines)
