"""Splits a data set into folds for cross-validation, so that nothing stands on two sides."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cnnkit.adapters.copies import item_names, set_aside_copies
from cnnkit.adapters.drawing import draw
from cnnkit.adapters.errors import SplitError, did_you_mean
from cnnkit.adapters.families import FAMILY_FOLDS, Families, family_units, require_families
from cnnkit.adapters.parts import check_shares, column_values, draw_groups, draw_items
from cnnkit.adapters.quotas import apportion, part_sizes
from cnnkit.adapters.units import codes, find_strata, find_units, has_classes
from cnnkit.cnncore.image import IntArray, Problem

_FOLDS_OF_GROUPS = 5
_MOST_VALUES = 100
_TEST = 2


@dataclass(frozen=True, eq=False)
class Fold:
    """One round of cross-validation.

    Parameters
    ----------
    name : str
        "fold 1 of 5", or the value that is tested: "speaker=anna".
    train, test : int64 arrays
        Sorted numbers of items; disjoint. With `set_aside` they are all items.
    set_aside : tuple of Problem
        Training items left out because their copy is tested.
    notes : tuple of str
    """

    name: str
    train: IntArray
    test: IntArray
    set_aside: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def make_folds(
    kind: str,
    targets: NDArray[Any] | None,
    table: pd.DataFrame | None,
    fingerprints: Sequence[str],
    *,
    seed: int = 0,
    task: str | None = "classification",
    max_groups: int = 10,
    places: Sequence[str] | None = None,
    families: Families | None = None,
) -> list[Fold]:
    """Split items into folds; every item is tested once.

    Parameters
    ----------
    kind : str
        A number of folds, each with the same proportions of classes. `group:COL`: each group in
        turn; with more than `max_groups` groups 5 folds of whole groups. `column:COL`: each value
        of the column in turn. `scaffold`: 5 folds of whole families.
    targets, table, fingerprints, seed, task, places, families
        As for `make_split`. Identical items stand in the same fold; where the folds are given by
        a column, the copy in the training part is set aside.

    Raises
    ------
    SplitError
        If there are too few items, groups or families, or there's no such column.

    Examples
    --------
    >>> table = pd.DataFrame({"speaker": ["anna", "ben", "anna"]})
    >>> [(f.name, f.test) for f in make_folds("group:speaker", None, table, ["x", "y", "z"])]
    [('speaker=anna', array([0, 2])), ('speaker=ben', array([1]))]
    """
    check_folds(kind)
    name, _, column = kind.partition(":")
    rng = np.random.default_rng(seed)
    parts = int(kind) if kind.isdecimal() else _FOLDS_OF_GROUPS
    strata = find_strata(targets, task, len(fingerprints), parts)
    if kind.isdecimal():
        return _drawn_folds(int(kind), find_units(fingerprints), strata, rng)
    if kind == FAMILY_FOLDS:
        known = require_families(families)
        units = family_units(known, fingerprints)
        note = f"{len({*known} - {None})} scaffolds: {_FOLDS_OF_GROUPS} folds of whole scaffolds"
        return _drawn_folds(_FOLDS_OF_GROUPS, units, strata, rng, "scaffolds", (note,))
    values = column_values(table, column)
    distinct = sorted(set(values), key=_in_natural_order)
    if len(distinct) < 2:
        raise SplitError(f"Column {column!r} holds only {distinct[0]!r}; folds need two values.")
    if name == "group" and len(distinct) > max_groups:
        return _folds_of_groups(column, values, fingerprints, strata, rng)
    if len(distinct) > _MOST_VALUES:
        raise SplitError(
            f"Column {column!r} has {len(distinct)} values, each of which would be a fold (at most "
            f"{_MOST_VALUES}). Did you mean 'group:{column}'?"
        )
    names = item_names(places, len(fingerprints))
    contents = codes(fingerprints)
    return [_value_in_turn(column, value, values, contents, names) for value in distinct]


def check_folds(kind: str) -> None:
    """Refuse a text that names no way to make folds, whatever the data.

    Raises
    ------
    SplitError

    Examples
    --------
    >>> check_folds("group:speaker")
    """
    name, _, column = kind.partition(":")
    if kind.isdecimal() or kind == FAMILY_FOLDS or (name in ("group", "column") and column):
        return
    hint = did_you_mean(name, ["group", "column", FAMILY_FOLDS])
    raise SplitError(
        f"No way to make folds: {kind!r}.{hint} Expected a number like 5, group:COL or column:COL, "
        f"or {FAMILY_FOLDS} for molecules."
    )


def folds_digest(folds: Sequence[Fold], fingerprints: Sequence[str]) -> str:
    """Return the sha256 of which content is tested in which fold, whatever the files' order."""
    lines = [f"{fingerprints[item]} {fold.name}\n" for fold in folds for item in fold.test.tolist()]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _in_natural_order(value: str) -> tuple[float, str]:
    return (float(value) if value.isdecimal() else math.inf, value)


def _drawn_folds(
    count: int,
    units: IntArray,
    strata: IntArray,
    rng: np.random.Generator,
    what: str = "items",
    notes: tuple[str, ...] = (),
) -> list[Fold]:
    different = len(np.unique(units))
    if not 2 <= count <= different:
        raise SplitError(
            f"{different} different {what} can't be divided into {count} folds; "
            f"expected 2 to {different} folds."
        )
    return _folds(draw(units, strata, apportion(len(units), np.ones(count)), rng), count, notes)


def _folds_of_groups(
    column: str,
    values: list[str],
    fingerprints: Sequence[str],
    strata: IntArray,
    rng: np.random.Generator,
) -> list[Fold]:
    shares = [1 / _FOLDS_OF_GROUPS] * _FOLDS_OF_GROUPS
    part = draw_groups(values, fingerprints, strata, shares, rng, column)
    groups = len(set(values))
    note = f"column {column!r} has {groups} groups: {_FOLDS_OF_GROUPS} folds of whole groups"
    return _folds(part, _FOLDS_OF_GROUPS, (note,))


def _folds(part: IntArray, count: int, notes: tuple[str, ...]) -> list[Fold]:
    return [
        Fold(
            f"fold {number + 1} of {count}",
            np.flatnonzero(part != number),
            np.flatnonzero(part == number),
            notes=notes,
        )
        for number in range(count)
    ]


def _value_in_turn(
    column: str, value: str, values: list[str], contents: IntArray, names: Sequence[str]
) -> Fold:
    part = np.where(np.array(values, dtype=object) == value, _TEST, 0)
    part, set_aside = set_aside_copies(part, contents, names)
    if not (part == 0).any():
        raise SplitError(
            f"Without {column} {value!r} no training item is left: all others are copies of its."
        )
    train, test = np.flatnonzero(part == 0), np.flatnonzero(part == _TEST)
    return Fold(f"{column}={value}", train, test, set_aside)


def validation_part(
    train: IntArray,
    kind: str,
    targets: NDArray[Any] | None,
    table: pd.DataFrame | None,
    fingerprints: Sequence[str],
    *,
    val: float = 0.15,
    seed: int = 0,
    task: str | None = "classification",
    families: Families | None = None,
) -> tuple[IntArray, IntArray]:
    """Draw a validation part out of a fold's training part.

    Parameters
    ----------
    train : int64 array [n]
        The fold's training items.
    kind : str
        As for `make_folds`: with `group:COL`, `column:COL` and `scaffold` whole groups, values or
        families are drawn.
    targets, table, fingerprints, families
        Of all items.
    val : float
        Share of the training items; 0 for an empty part.

    Returns
    -------
    train, val : int64 arrays
        Sorted; together the given items.

    Examples
    --------
    >>> train, val = validation_part(np.arange(8), "4", None, None, list("abcdefgh"), val=0.25)
    >>> len(train), len(val)
    (6, 2)
    """
    check_shares(val, 0.0)
    train = np.sort(train)
    rng = np.random.default_rng(seed)
    inside = [fingerprints[item] for item in train.tolist()]
    strata = find_strata(None if targets is None else targets[train], task, len(train), parts=2)
    shares = (1 - val, val)
    _, _, column = kind.partition(":")
    if kind == FAMILY_FOLDS:
        known = require_families(families)
        units = family_units([known[item] for item in train.tolist()], inside)
        if len(np.unique(units)) < 2:
            raise SplitError("A training part of one scaffold can't give a validation part.")
        part = draw(units, strata, part_sizes(len(units), shares), rng)
    elif column:
        values = column_values(table, column)
        groups = [values[item] for item in train.tolist()]
        part = draw_groups(groups, inside, strata, shares, rng, column)
    else:
        keep_classes = has_classes(task)
        part, _ = draw_items(find_units(inside), strata, shares, rng, keep_classes=keep_classes)
    return train[part == 0], train[part == 1]
