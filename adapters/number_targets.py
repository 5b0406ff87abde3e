"""Several numeric targets: a column for each, some of whose cells are empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cnnkit.adapters.columns import MISSING, parse_number
from cnnkit.adapters.errors import SourceError, listing
from cnnkit.adapters.multilabel import read_label
from cnnkit.adapters.target_columns import CellKind, LabelTargets, check_columns, read_columns

NUMBER_CELLS = CellKind(
    "target",
    parse_number,
    "is no finite number (expected one like 3 or 0.25, or nothing where it isn't known)",
)


def number_column(columns: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """Find a column of numbers that are no labels, and the first of these.

    At least half its filled cells are numbers other than 0 and 1: a single one may be a mistake.

    Examples
    --------
    >>> number_column({"active": ["1", "", "0"], "logS": ["1", "-3.2", "4"]})
    ('logS', '-3.2')
    >>> number_column({"active": ["1", "", "0"], "toxic": ["yes", "no", "2"]}) is None
    True
    """
    for column, cells in columns.items():
        filled = [cell for cell in cells if cell.strip().lower() not in MISSING]
        numbers = [
            cell.strip()
            for cell in filled
            if np.isnan(read_label(cell)) and not np.isnan(parse_number(cell))
        ]
        if numbers and 2 * len(numbers) >= len(filled):
            return column, numbers[0]
    return None


def describe_numbers(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Say why several columns of targets are numbers, and which of them look like labels."""
    found = number_column(columns)
    reason = "" if found is None else f"; column {found[0]!r} holds {found[1]}"
    binary = [
        column
        for column, cells in columns.items()
        if {cell.strip().lower() for cell in cells} - MISSING <= {"0", "1", "0.0", "1.0"}
    ]
    decided = [f"task: regression ({len(columns)} targets{reason})"]
    if binary:
        decided.append(f"note: targets that hold 0 and 1 only, read as numbers: {listing(binary)}")
    return decided


def read_numbers(
    columns: Mapping[str, Sequence[str]], rows: Sequence[int], names: Sequence[str] | None = None
) -> LabelTargets:
    """Read a column of numbers and empty cells for each target.

    Parameters
    ----------
    columns : mapping of str to sequence of str [rows of the source]
        By name of the target.
    rows : sequence of int
        Those to read.
    names : sequence of str or None
        All targets, where a model knows them; those without a column are NaN. None: the columns.

    Raises
    ------
    SourceError
        If a column is none of the known targets.

    Examples
    --------
    >>> cells = {"logS": ["-3.2", "", "NA"], "pKa": ["4.8", ">9", ""]}
    >>> found = read_numbers(cells, [0, 1, 2])
    >>> found.matrix[0]
    array([-3.2,  4.8])
    >>> found.reasons[1].split(" (")[0], found.reasons[2]
    ("column 'pKa': '>9' is no finite number", 'none of its targets is known')
    """
    return read_columns(columns, rows, names, NUMBER_CELLS)


def check_numbers(found: LabelTargets, kept: Sequence[int], name: str) -> list[str]:
    """Refuse targets from which nothing can be learnt; name those with one value only.

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
        If one can't be written or is never known, or all are constant.
    """
    matrix = found.matrix[list(kept)]
    check_columns(found, matrix, name, "target")
    varies = (np.nanmax(matrix, axis=0) > np.nanmin(matrix, axis=0)).tolist()
    if not any(varies):
        raise SourceError(
            f"{name}: every target is the same in all {len(kept):,} usable rows: nothing to learn."
        )
    alike = [column for column, differs in zip(found.names, varies, strict=True) if not differs]
    return [f"targets that are the same in every row: {listing(alike)}"] if alike else []
