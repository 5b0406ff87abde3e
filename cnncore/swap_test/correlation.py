"""How the columns of a table relate to each other, and to the order they stand in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.prepared import PreparedTable

MOST_UNITS = 1000  # a larger map can't be seen
SORTED = 0.85  # rank correlation of place and strength


def unit_correlation(
    table: PreparedTable, widths: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """Correlate the units; of a unit of several columns the strongest one counts.

    Parameters
    ----------
    table : PreparedTable
    widths : sequence of int or None
        Encoded columns of each unit; None: of what moves as one.

    Returns
    -------
    float64 array [units, units]
        Absolute correlations; empty for more than 1,000 units.
    """
    widths = widths or table.widths
    if len(widths) > MOST_UNITS:
        return np.zeros((0, 0))
    starts = _starts(widths)
    values = _z_scores(table)
    between = np.abs(values.T @ values) / len(values)
    for axis in (0, 1):
        between = np.maximum.reduceat(between, starts, axis=axis)
    return between


def order_hints(
    table: PreparedTable,
    correlation: NDArray[np.float64],
    widths: Sequence[int] | None = None,
) -> list[str]:
    """Say what stands out about the order, as a hint; the verdict doesn't rest on it."""
    hints = []
    units = len(correlation)
    if units >= 3:
        beside = float(np.diagonal(correlation, offset=1).mean())
        any_two = float(correlation[np.triu_indices(units, k=1)].mean())
        hints.append(
            f"neighbouring columns correlate by {beside:.2f}, any two columns by {any_two:.2f}"
        )
    if len(widths or table.widths) >= 8 and _sorted_by_target(table, widths or table.widths):
        hints.append(
            "the columns seem to be sorted by how strongly they relate to the target; an order "
            "that was made from the target makes the test too easy"
        )
    return hints


def _starts(widths: Sequence[int]) -> IntArray:
    return np.cumsum([0, *widths[:-1]])


def _z_scores(table: PreparedTable) -> NDArray[np.float64]:
    values = table.designs[0].astype(np.float64)
    values -= values.mean(axis=0)
    spread = values.std(axis=0)
    return values / np.where(spread > 0, spread, np.inf)


def _sorted_by_target(table: PreparedTable, widths: Sequence[int]) -> bool:
    truth = table.target.matrix().astype(np.float64)
    truth -= truth.mean(axis=0)
    relation = np.abs(_z_scores(table).T @ truth).max(axis=1)
    strongest = np.maximum.reduceat(relation, _starts(widths))
    if np.ptp(strongest) == 0:
        return False
    return bool(
        abs(spearmanr(strongest, np.arange(len(strongest))).statistic)
        > (SORTED if len(strongest) >= 12 else 0.95)
    )
