"""Multi-label targets: a column whose cells hold several labels, or a column for each label."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from cnnkit.adapters.columns import MISSING, similar_labels
from cnnkit.adapters.errors import SourceError, count_of, listing
from cnnkit.adapters.source import Source
from cnnkit.adapters.target_columns import CellKind, LabelTargets, check_columns, read_columns

SEPARATORS = (";", "|", ",")
_YES = frozenset({"1", "1.0", "true", "yes"})
_NO = frozenset({"0", "0.0", "false", "no"})


def check_multilabel(source: Source, task: str) -> None:
    """Refuse the task that the user named, where it doesn't go with the source.

    Raises
    ------
    SourceError
        If several columns of targets are to be one target, or a folder's classes several labels.
    """
    if task not in ("auto", "multilabel"):
        raise SourceError(
            f"{source.name}: a {task} has one target, but {source.target_column!r} are several "
            "columns: name one, or choose the task multilabel (or regression, of numbers)."
        )
    if source.table is None:
        raise SourceError(
            f"{source.name} is a folder, whose items have one class each; multi-label targets need "
            "a table."
        )


def read_label_columns(
    cells: Mapping[str, Sequence[str]], rows: Sequence[int], names: Sequence[str] | None = None
) -> LabelTargets:
    """Read a column of 0, 1 and empty cells for each label.

    Parameters
    ----------
    cells : mapping of str to sequence of str [rows of the source]
        By column, which names its label.
    rows : sequence of int
        Those to read.
    names : sequence of str or None
        All labels, where a model knows them; those without a column are NaN. None: the columns.

    Raises
    ------
    SourceError
        If a column is none of the known labels.

    Examples
    --------
    >>> found = read_label_columns({"rock": ["1", "no", "x"], "pop": ["", "yes", "0"]}, [0, 1, 2])
    >>> found.matrix[:2]
    array([[ 1., nan],
           [ 0.,  1.]])
    >>> found.reasons[2].split(" (")[0]
    "column 'rock': 'x' says nothing about a label"
    """
    return read_columns(cells, rows, names, LABEL_CELLS)


def read_label(cell: str) -> float:
    """Return 1 or 0, or NaN where a cell says neither.

    Examples
    --------
    >>> [read_label(cell) for cell in ("yes", "0", "2")]
    [1.0, 0.0, nan]
    """
    word = cell.strip().lower()
    return float(word in _YES) if word in _YES | _NO else math.nan


LABEL_CELLS = CellKind(
    "label",
    read_label,
    "says nothing about a label (expected 1, 0, true, false, yes, no, or nothing where it isn't "
    "known)",
)


def split_labels(
    cells: Sequence[str],
    rows: Sequence[int],
    separator: str | None = None,
    names: Sequence[str] | None = None,
) -> LabelTargets:
    """Read cells that hold all labels of their row; an empty cell means that it has none.

    Parameters
    ----------
    cells : sequence of str [rows of the source]
    rows : sequence of int
        Those to read.
    separator : str or None
        None: of ; | and , the one that stands in the most cells.
    names : sequence of str or None
        All labels, where a model knows them; others are left out, and counted. None: those found.

    Raises
    ------
    SourceError
        If the separator stands in no cell, but another usual one does.

    Examples
    --------
    >>> found = split_labels(["rock; pop", "", "pop"], [0, 1, 2])
    >>> found.names, found.separator
    (['pop', 'rock'], ';')
    >>> found.matrix
    array([[1., 1.],
           [0., 0.],
           [1., 0.]])
    """
    decided = []
    if separator is None:
        separator = guess_separator([cells[row] for row in rows])
        decided.append(f"separator: {separator!r} between the labels of a cell")
    elif names is None:
        _check_separator([cells[row] for row in rows], separator)
    of_rows = {row: _cut(cells[row], separator) for row in rows}
    found = [label for labels in of_rows.values() for label in labels]
    decided += similar_labels(found)
    known = sorted(set(found)) if names is None else list(names)
    unknown = Counter(label for label in found if label not in set(known))
    if unknown:
        decided.append(
            f"labels that the training data lacks, left out: {len(unknown)} in "
            f"{unknown.total():,} places: {listing(list(unknown))}"
        )
    number = {label: index for index, label in enumerate(known)}
    matrix = np.full((len(cells), len(known)), np.nan)
    for row, labels in of_rows.items():
        matrix[row] = 0
        matrix[row, [number[label] for label in labels if label in number]] = 1
    without = sum(not labels for labels in of_rows.values())
    if without:
        have = "items have no label at all: their cells are"
        if without == 1:
            have = "item has no label at all: its cell is"
        decided.append(f"{without:,} {have} empty")
    return LabelTargets(known, matrix, {}, decided, separator)


def guess_separator(cells: Sequence[str]) -> str:
    """Choose of ; | and , the one that stands in the most cells; the first where none does.

    Examples
    --------
    >>> guess_separator(["rock, hard|metal", "pop|soul", "folk"])
    '|'
    """
    return max(SEPARATORS, key=lambda mark: sum(mark in cell for cell in cells))


def several_labels_hint(cells: Sequence[str]) -> list[str]:
    """Say that cells look like lists of labels, if at least half hold ; or | and parts recur.

    Examples
    --------
    >>> several_labels_hint(["a; b", "b; c", "c", "a; c"])
    ["note: 3 of 4 targets hold ';': if they are several labels each, add --task multilabel"]
    >>> several_labels_hint(["a; b", "c; d"])
    []
    """
    filled = [cell for cell in cells if cell.strip()]
    mark = max(";|", key=lambda mark: sum(mark in cell for cell in filled))
    holding = sum(mark in cell for cell in filled)
    parts = {part for cell in set(filled) for part in _cut(cell, mark)}
    if not holding or 2 * holding < len(filled) or len(parts) > len(set(filled)):
        return []
    return [
        f"note: {holding:,} of {len(filled):,} targets hold {mark!r}: if they are several labels "
        "each, add --task multilabel"
    ]


def _check_separator(cells: Sequence[str], separator: str) -> None:
    """Refuse a separator that stands in no cell where another one does."""
    if any(separator in cell for cell in cells):
        return
    other = guess_separator(cells)
    found = sum(other in cell for cell in cells)
    if found:
        raise SourceError(
            f"--separator {separator!r} stands in none of {count_of(len(cells), 'cell')} of "
            f"labels, {other!r} in {found:,}: give --separator {other!r}, or leave it out."
        )


def _cut(cell: str, separator: str) -> list[str]:
    parts = (part.strip() for part in cell.split(separator))
    return list(dict.fromkeys(part for part in parts if part))


def check_labels(found: LabelTargets, kept: Sequence[int], name: str) -> list[str]:
    """Refuse labels from which nothing can be learnt; name those with one value only.

    Parameters
    ----------
    found : LabelTargets
    kept : sequence of int
        Usable rows of the source.
    name : str
        Of the source.

    Raises
    ------
    SourceError
        If there are fewer than two labels, they can't be written or are words such as 0 and 1, one
        is never known, or none has both values.
    """
    matrix = found.matrix[list(kept)]
    if len(found.names) < 2:
        mark = f", separated by {found.separator!r}" if found.separator else ""
        raise SourceError(
            f"{name}: multi-label targets need at least 2 labels{mark}, found "
            f"{listing(found.names) or 'none'}."
        )
    check_columns(found, matrix, name, "label")
    if found.separator and {label.lower() for label in found.names} <= _YES | _NO | MISSING:
        raise SourceError(
            f"{name}: the column of labels holds {listing(found.names)}, which are no names. Name "
            "a column for each label ('A,B,C'), or choose the task classification."
        )
    yes, no = (matrix == 1).any(axis=0), (matrix == 0).any(axis=0)
    names = np.array(found.names, dtype=object)
    if not (yes & no).any():
        raise SourceError(
            f"{name}: every label is the same in all {len(kept):,} usable rows: nothing to learn."
        )
    return [
        f"labels that {word} has: {listing(alike)}"
        for word, alike in (("every row", names[~no].tolist()), ("no row", names[~yes].tolist()))
        if alike
    ]


def read_labels(
    cells: Sequence[str],
    columns: Mapping[str, Sequence[str]] | None,
    rows: Sequence[int],
    separator: str | None = None,
    names: Sequence[str] | None = None,
) -> LabelTargets:
    """Read either form: `columns` of 0 and 1 if there are any, else `cells` of several labels.

    Raises
    ------
    SourceError
        If a separator is given for columns, or a column is none of the known labels.
    """
    if columns is None:
        return split_labels(cells, rows, separator, names)
    if separator is not None:
        raise SourceError(
            f"A separator, {separator!r}, is for one column of labels; the targets are in columns "
            f"{listing(list(columns))}: leave it out."
        )
    return read_label_columns(columns, rows, names)
