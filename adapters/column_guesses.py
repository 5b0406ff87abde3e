"""Guesses which columns of a table hold the items and the targets, where nobody named them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cnnkit.adapters.columns import MISSING, columns_named, is_number
from cnnkit.adapters.errors import SourceError, listing

LooksLikeItem = Callable[[str], bool | None]

_TARGET_NAMES = (
    "label", "target", "class", "y", "category", "outcome", "labels", "class_name", "class_label",
    "species", "genre", "emotion", "diagnosis", "response",
)  # fmt: skip
_NO_TARGETS = re.compile(
    r"(.*[ _])?(id|idx)|c?id|name|title|index|row|fold|split|(sub)?set|part|group|weight|"
    r"unnamed: \d+",
    re.IGNORECASE,
)
_FILE_LIKE = re.compile(r"[^\n]+\.[A-Za-z][A-Za-z0-9]{1,4}")
_SAMPLED = 200  # cells of a column
_SHARE = 0.9  # of them that must look like items
_SHARE_OF_NAMED = 0.5  # the same, where the column has a usual name
_LISTED = 30


def guess_item_column(
    frame: pd.DataFrame,
    names: Sequence[str],
    items_are_files: bool,
    name: str,
    looks_like_item: LooksLikeItem | None = None,
) -> tuple[str, list[str]]:
    """Find the column of items by its name, else the only one whose cells look like items.

    Parameters
    ----------
    frame : DataFrame
    names : sequence of str
        Usual names, the best first.
    items_are_files : bool
        Items look like paths.
    name : str
        The table's, for messages.
    looks_like_item : callable or None
        Tells whether a cell looks like an item, or None where that can't be told. At most 200
        cells of a column are shown to it. A column with a usual name of which it knows less than
        half is passed over, if it finds another.

    Returns
    -------
    column : str
    decided : list of str
        The choice and its reason, as sentences.

    Raises
    ------
    SourceError
        If none is found, or several; or the header is a row.

    Examples
    --------
    >>> frame = pd.DataFrame({"file": ["a.wav"], "path": ["b.wav"]})
    >>> guess_item_column(frame, ["path", "file"], True, "index.csv")
    ('path', ["items: column 'path'; also called as items usually are: 'file' (--item)"])
    """
    named = columns_named(frame, names)
    shares = {column: _share(frame[column], looks_like_item) for column in named}
    found = [c for c, share in shares.items() if share is None or share >= _SHARE_OF_NAMED]
    if found:
        return found[0], [_chosen_by_name(found)]
    others = [str(column) for column in frame if column not in named]
    like = [c for c in others if _is_like(frame[c], items_are_files, looks_like_item)]
    if len(like) == 1 and items_are_files:
        return like[0], [f"items: column {like[0]!r}"]
    if len(like) == 1:
        _check_header(like[0], frame, name, looks_like_item)
        decided = [f"items: column {like[0]!r} (its cells look like items)"]
        return like[0], decided + [f"no items: column {listing(named)}"] * bool(named)
    if named and not like:
        return named[0], [_chosen_by_name(named)]  # every cell's fault will be told
    kind = "paths" if items_are_files else "items"
    several = f"; {listing(like)} all look like {kind}" if like else ""
    columns = listing(list(frame.columns), limit=_LISTED)
    raise SourceError(
        f"{name}: none of its columns is called {', '.join(names)}{several}. "
        f"Say which column holds the items. Columns: {columns}."
    )


def _chosen_by_name(found: Sequence[str]) -> str:
    others = f"; also called as items usually are: {listing(found[1:])} (--item)"
    return f"items: column {found[0]!r}{others if found[1:] else ''}"


def _is_like(
    values: pd.Series[str], items_are_files: bool, looks_like_item: LooksLikeItem | None
) -> bool:
    if items_are_files:
        return _looks_like_files(values)
    return (_share(values, looks_like_item) or 0) >= _SHARE


def _share(values: pd.Series[str], looks_like_item: LooksLikeItem | None) -> float | None:
    """Return which part of a column's cells look like items; None where that can't be told."""
    filled = [value for value in values if value.strip()] if looks_like_item else []
    if looks_like_item is None or not filled:
        return None
    places = np.linspace(0, len(filled) - 1, min(_SAMPLED, len(filled))).round().astype(int)
    said = [looks_like_item(filled[place]) for place in places]
    return None if None in said else sum(map(bool, said)) / len(said)


def _check_header(
    column: str, frame: pd.DataFrame, name: str, looks_like_item: LooksLikeItem | None
) -> None:
    """Refuse a first line that is a row, whose item would be lost as the name of a column."""
    numbers = [str(other) for other in frame if is_number(str(other))]
    is_row = looks_like_item is not None and looks_like_item(column)
    if is_row or (numbers and not _count_up(numbers)):
        cells = listing(list(frame.columns), limit=5)
        raise SourceError(
            f"{name}:1: the first line is no header but a row: {cells}. Put a line with a name for "
            "each column above it."
        )


def _count_up(numbers: Sequence[str]) -> bool:
    """Tell columns that are numbered, which a header may well be."""
    steps = np.diff([float(number) for number in numbers])
    return len(steps) > 0 and bool((steps == 1).all())


def _looks_like_files(values: pd.Series[str]) -> bool:
    filled = [value.strip() for value in values if value.strip()]
    return bool(filled) and sum(map(_is_file_like, filled)) >= _SHARE * len(filled)


def _is_file_like(value: str) -> bool:
    return len(value) < 4096 and _FILE_LIKE.fullmatch(value) is not None


def guess_target_column(
    frame: pd.DataFrame, item_column: str, name: str, *, numbers_too: bool = False
) -> tuple[str, str]:
    """Find the column of targets by name; of numbers and the names they stand for, the names.

    Parameters
    ----------
    frame : DataFrame
    item_column : str
    name : str
        The table's, for messages.
    numbers_too : bool
        If no column has a usual name, take the only other column, or the only other one that
        holds numbers. Those whose cells are all different, but no decimals, count or name rows.

    Returns
    -------
    column : str
    decided : str
        The choice and its reason, as a sentence.

    Raises
    ------
    SourceError
        If no column has a usual name, or several hold numbers.

    Examples
    --------
    >>> frame = pd.DataFrame({"smiles": ["C", "O"], "id": ["1", "2"], "logS": ["0.5", "-2"]})
    >>> guess_target_column(frame, "smiles", "data.csv", numbers_too=True)
    ('logS', "target: column 'logS' (the only other one that holds numbers)")
    """
    columns = frame.drop(columns=item_column)
    possible = [str(c) for c in columns if numbers_too and _may_be_target(str(c), columns[c])]
    numeric = [column for column in possible if _holds_numbers(columns[column])]
    found = columns_named(columns, _TARGET_NAMES)
    if found:
        column = _names_rather_than_numbers(frame, found)
        others = listing([other for other in numeric if other != column], limit=3)
        reason = f" (by its name; others that hold numbers: {others})" if others else ""
        return column, f"target: column {column!r}{reason}"
    if len(columns.columns) == 1 and possible:
        return possible[0], f"target: column {possible[0]!r} (the only other one)"
    if len(numeric) == 1:
        return numeric[0], f"target: column {numeric[0]!r} (the only other one that holds numbers)"
    if numeric:
        raise SourceError(_several_targets(columns, numeric, name))
    raise SourceError(
        f"{name}: none of its columns is called {', '.join(_TARGET_NAMES[:6])} or the like. "
        "Say which column holds the targets. "
        f"Columns: {listing(list(columns), limit=_LISTED) or 'none but that of items'}."
    )


def _names_rather_than_numbers(frame: pd.DataFrame, found: Sequence[str]) -> str:
    """Return the first column, or the one with the names for which its numbers stand."""
    first = found[0]
    for other in found[1:]:
        pairs = set(zip(frame[first], frame[other], strict=True))
        if (
            all(map(is_number, set(frame[first])))
            and not all(map(is_number, set(frame[other])))
            and len(pairs) == frame[first].nunique() == frame[other].nunique()
        ):
            return other
    return first


def _may_be_target(column: str, values: pd.Series[str]) -> bool:
    """Leave out columns that say which row it is, or in which part it stands."""
    filled = _filled(values)
    distinct = set(filled)
    numbers = [float(value) for value in distinct if is_number(value)]
    has_decimals = any(not number.is_integer() for number in numbers)
    are_names = len(distinct) == len(filled) and not has_decimals
    return len(distinct) > 1 and not are_names and _NO_TARGETS.fullmatch(column.strip()) is None


def _holds_numbers(values: pd.Series[str]) -> bool:
    return all(map(is_number, set(_filled(values))))


def _filled(values: pd.Series[str]) -> list[str]:
    stripped = (value.strip() for value in values)
    return [value for value in stripped if value.lower() not in MISSING]


def _several_targets(columns: pd.DataFrame, numeric: Sequence[str], name: str) -> str:
    flags = [column for column in numeric if set(_filled(columns[column])) <= {"0", "1"}]
    several = shlex.quote(",".join(flags[:3])) + ("…" if len(flags) > 3 else "")
    labels = f", or several of 0 and 1, each a label: --target {several}"
    return (
        f"{name}: {len(numeric)} columns hold numbers, and each may be the target: "
        f"{listing(numeric, limit=_LISTED)}. Name one: --target COLUMN"
        f"{labels if len(flags) > 1 else ''}."
    )
