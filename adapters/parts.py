"""Draws the parts of a data set: checks what was asked for, and says why it can't be done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cnnkit.adapters.drawing import draw
from cnnkit.adapters.errors import SplitError, did_you_mean, listing
from cnnkit.adapters.quotas import part_sizes
from cnnkit.adapters.units import codes, find_units
from cnnkit.cnncore.image import IntArray


def check_shares(val: float, test: float) -> None:
    """Refuse shares that leave no training part."""
    if not (val >= 0 and test >= 0 and val + test < 1):
        raise SplitError(
            f"val={val:g} and test={test:g} can't be shares of a data set. Expected numbers from 0 "
            "that sum to less than 1, for example 0.15 and 0.15."
        )


def column_values(table: pd.DataFrame | None, column: str) -> list[str]:
    """Read a column that says how to split.

    Raises
    ------
    SplitError
        If there is no table, no such column, or a cell is empty.
    """
    if table is None:
        raise SplitError(f"Splitting by {column!r} needs a table; a folder has no columns.")
    if column not in table.columns:
        columns = listing(list(table.columns), limit=30)
        hint = did_you_mean(column, table.columns)
        raise SplitError(f"There is no column {column!r} to split by.{hint} Columns: {columns}.")
    values = [str(value) for value in table[column]]
    empty = sum(not value.strip() for value in values)
    if empty:
        raise SplitError(f"Column {column!r}, to split by, is empty in {empty} usable rows.")
    return values


def draw_items(
    units: IntArray,
    strata: IntArray,
    shares: Sequence[float],
    rng: np.random.Generator,
    *,
    keep_classes: bool,
) -> tuple[IntArray, list[str]]:
    """Draw parts; with `keep_classes` each stratum keeps an item in the first part.

    Returns
    -------
    part : int64 array [N]
    notes : list of str
    """
    part = np.zeros(len(units), dtype=np.int64)
    notes = []
    free = np.ones(len(units), dtype=bool)
    if keep_classes:
        pairs = np.unique(np.stack([strata, units]), axis=1)
        alone = np.bincount(pairs[0]) == 1
        free = ~np.isin(units, pairs[1][alone[pairs[0]]])
        if alone.any():
            notes.append(
                f"{alone.sum()} of {len(alone)} classes have a single item (copies not counted); "
                "it stands in the training part, and the class isn't tested"
            )
    parts = np.count_nonzero(shares)
    if len(np.unique(units[free])) < parts:
        raise SplitError(
            f"{len(np.unique(units))} different items can't be split into {parts} parts"
            + (", as classes with a single item aren't divided." if notes else ".")
            + " Add items, or leave a part out: --val 0 or --test 0."
        )
    sizes = part_sizes(int(free.sum()), shares)
    part[free] = draw(codes(units[free]), codes(strata[free]), sizes, rng)
    if keep_classes:
        _keep_classes(part, units, strata)
    return part, notes


def _keep_classes(part: IntArray, units: IntArray, strata: IntArray) -> None:
    """Move the smallest unit of a class without a training item to the training part."""
    lacking = np.bincount(strata[part == 0], minlength=strata.max() + 1) == 0
    items = np.flatnonzero(lacking[strata])
    items = items[np.lexsort((units[items], np.bincount(units)[units[items]], strata[items]))]
    _, first = np.unique(strata[items], return_index=True)
    part[np.isin(units, units[items[first]])] = 0


def draw_groups(
    groups: Sequence[str],
    fingerprints: Sequence[str],
    strata: IntArray,
    shares: Sequence[float],
    rng: np.random.Generator,
    column: str,
) -> IntArray:
    """Draw parts of whole groups, as int64 [N].

    Raises
    ------
    SplitError
        If there are fewer groups than parts.
    """
    units = find_units(fingerprints, groups)
    parts, found, joined = np.count_nonzero(shares), len(set(groups)), len(np.unique(units))
    if joined < parts:
        copies = f", and {joined} after joining those that share items" if joined < found else ""
        raise SplitError(
            f"Column {column!r} has {found} groups{copies}; {parts} parts need at least {parts}. "
            "Split by a column with more groups, leave a part out (--val 0 or --test 0), or use "
            "'stratified' if items of one group don't resemble each other."
        )
    return draw(units, strata, part_sizes(len(units), shares), rng)
