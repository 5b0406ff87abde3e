"""Several columns of targets: which are meant, and what their cells hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cnnkit.adapters.columns import MISSING, choose_column
from cnnkit.adapters.errors import SourceError, did_you_mean, listing
from cnnkit.adapters.folders import printable


@dataclass(frozen=True)
class CellKind:
    """What the cells of columns of targets may hold.

    Parameters
    ----------
    word : str
        What a column is: "label" or "target".
    read : callable
        Gives a cell's number, NaN where it has none.
    fault : str
        What to say of a cell that can't be read.
    """

    word: str
    read: Callable[[str], float]
    fault: str


@dataclass(frozen=True, eq=False)
class LabelTargets:
    """The labels, or several numeric targets, of every row of a source.

    Parameters
    ----------
    names : list of str [K]
    matrix : float64 array [rows of the source, K]
        1 where a row has the label, 0 where not, or numbers; NaN where that isn't known.
    reasons : dict of int to str
        Of rows whose targets can't be used, why not.
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


def read_columns(
    cells: Mapping[str, Sequence[str]],
    rows: Sequence[int],
    names: Sequence[str] | None,
    kind: CellKind,
) -> LabelTargets:
    """Read a column of one kind of cells, some of them empty, for each label or target.

    Parameters
    ----------
    cells, rows, names
        As for `read_label_columns`.
    kind : CellKind

    Raises
    ------
    SourceError
        If a column is none of the known names.
    """
    names = list(cells) if names is None else list(names)
    unknown = [column for column in cells if column not in names]
    if unknown:
        hint = did_you_mean(unknown[0], names)
        raise SourceError(
            f"Columns {listing(unknown)} are no {kind.word}s of the training data.{hint} "
            f"{kind.word.capitalize()}s: {listing(names, limit=30)}."
        )
    matrix = np.full((len(next(iter(cells.values()))), len(names)), np.nan)
    wrong: dict[int, list[str]] = {}
    for column, texts in cells.items():
        place = names.index(column)
        for row in rows:
            if texts[row].strip().lower() not in MISSING:
                matrix[row, place] = kind.read(texts[row])
                if np.isnan(matrix[row, place]):
                    wrong.setdefault(row, []).append(f"column {column!r}: {texts[row]!r}")
    reasons = {row: f"{', '.join(found)} {kind.fault}" for row, found in wrong.items()}
    for row in rows:
        if row not in reasons and np.isnan(matrix[row]).all():
            reasons[row] = f"none of its {kind.word}s is known"
    return LabelTargets(names, matrix, reasons)


def check_columns(found: LabelTargets, matrix: NDArray[np.float64], name: str, word: str) -> None:
    """Refuse labels or targets, whose `word` is given, that can't be written or are never known.

    Raises
    ------
    SourceError
    """
    broken = [column for column in found.names if column != printable(column)]
    if broken:
        raise SourceError(
            f"{name}: {word}s with lone surrogates can't be saved: {listing(broken)}. Rename them."
        )
    known = ~np.isnan(matrix)
    never = [column for k, column in enumerate(found.names) if not known[:, k].any()]
    if never:
        raise SourceError(
            f"{name}: no usable row says anything about {listing(never)}: leave these {word}s out."
        )
