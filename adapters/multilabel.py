"""Multi-label targets: a column whose cells hold several labels, or a column for each label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cnnkit.adapters.columns import MISSING, choose_column, similar_labels
from cnnkit.adapters.errors import SourceError, did_you_mean, listing
from cnnkit.adapters.folders import printable
from cnnkit.adapters.source import Source

SEPARATORS = (";", "|", ",")
_YES = frozenset({"1", "1.0", "true", "yes"})
_NO = frozenset({"0", "0.0", "false", "no"})
_EXPECTED = "expected 1, 0, true, false, yes, no, or nothing where it isn't known"


@dataclass(frozen=True, eq=False)
class LabelTargets:
    """The labels of every row of a source.

    Parameters
    ----------
    names : list of str [K]
    matrix : float64 array [rows of the source, K]
        1 where a row has the label, 0 where not, NaN where that isn't known.
    reasons : dict of int to str
        Of rows whose labels can't be used, why not.
    decided : list of str
        What was guessed or noticed, as sentences.
    separator : str or None
        Between the labels of a cell; None where each has a column.
    """

    names: list[str]
    matrix: NDArray[np.float64]
    reasons: dict[int, str] = field(default_factory=dict)
    decided: list[str] = field(default_factory=list)
    separator: str | None = None


def target_columns(frame: pd.DataFrame, target: str, name: str) -> list[str]:
    """Return the columns of targets that the user named: one, or several as "A,B,C".

    Raises
    ------
    SourceError
        If the table `name` lacks one of them, or one is named twice.

    Examples
    --------
    >>> target_columns(pd.DataFrame({"rock": [], "pop": []}), "rock, pop", "songs.csv")
    ['rock', 'pop']
    """
    if target in frame.columns or "," not in target:
        return [choose_column(frame, target, name)]
    columns = [column.strip() for column in target.split(",") if column.strip()]
    known = list(frame.columns)
    unknown = [column for column in columns if column not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known)
        raise SourceError(
            f"{name} lacks columns of --target {target!r}: {listing(unknown)}.{hint} "
            f"Columns: {listing(known, limit=30)}."
        )
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise SourceError(f"{name}: --target {target!r} names {listing(twice)} twice.")
    return columns


def label_columns(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, list[str]] | None:
    """Return the cells of the columns of targets, by column; None where they aren't several."""
    return {name: frame[name].tolist() for name in columns} if len(columns) > 1 else None


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
            "columns: name one, or choose the task multilabel."
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
    names = list(cells) if names is None else list(names)
    unknown = [column for column in cells if column not in names]
    if unknown:
        hint = did_you_mean(unknown[0], names)
        raise SourceError(
            f"Columns {listing(unknown)} are no labels of the training data.{hint} "
            f"Labels: {listing(names, limit=30)}."
        )
    matrix = np.full((len(next(iter(cells.values()))), len(names)), np.nan)
    wrong: dict[int, list[str]] = {}
    for column, texts in cells.items():
        place = names.index(column)
        for row in rows:
            word = texts[row].strip().lower()
            if word in _YES or word in _NO:
                matrix[row, place] = word in _YES
            elif word not in MISSING:
                wrong.setdefault(row, []).append(f"column {column!r}: {texts[row]!r}")
    reasons = {
        row: f"{', '.join(found)} says nothing about a label ({_EXPECTED})"
        for row, found in wrong.items()
    }
    for row in rows:
        if row not in reasons and np.isnan(matrix[row]).all():
            reasons[row] = "none of its labels is known"
    return LabelTargets(names, matrix, reasons)


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
        decided.append(f"{without:,} items have no label at all: their cells are empty")
    return LabelTargets(known, matrix, {}, decided, separator)


def guess_separator(cells: Sequence[str]) -> str:
    """Choose of ; | and , the one that stands in the most cells; the first where none does.

    Examples
    --------
    >>> guess_separator(["rock, hard|metal", "pop|soul", "folk"])
    '|'
    """
    return max(SEPARATORS, key=lambda mark: sum(mark in cell for cell in cells))


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
    broken = [label for label in found.names if label != printable(label)]
    if broken:
        raise SourceError(
            f"{name}: labels with lone surrogates can't be saved: {listing(broken)}. Rename them."
        )
    if found.separator and {label.lower() for label in found.names} <= _YES | _NO | MISSING:
        raise SourceError(
            f"{name}: the column of labels holds {listing(found.names)}, which are no names. Name "
            "a column for each label ('A,B,C'), or choose the task classification."
        )
    yes, no = (matrix == 1).any(axis=0), (matrix == 0).any(axis=0)
    names = np.array(found.names, dtype=object)
    never = names[~yes & ~no].tolist()
    if never:
        raise SourceError(
            f"{name}: no usable row says anything about {listing(never)}: leave these labels out."
        )
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
