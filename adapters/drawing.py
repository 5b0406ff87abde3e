"""Draws the parts of a data set: in exact sizes, in every class alike, never cutting a unit.

A unit is a set of items that must stand in the same part: copies of each other, or a group. A
stratum is what is to be alike in all parts: a class.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from cnnkit.adapters.quotas import apportion, quotas
from cnnkit.cnncore.image import IntArray

_MOST_ASSIGNMENTS = 100_000
_MOST_COSTS = 10_000_000


def draw(units: IntArray, strata: IntArray, sizes: IntArray, rng: np.random.Generator) -> IntArray:
    """Give every unit to a part.

    Where all units are single items, sizes are exact and each part has its `quotas` of each
    stratum. A few units are tried in all ways. Otherwise the large ones go first, each to the part
    that misses most of its strata; single items then fill the quotas; at last units are moved and
    swapped while that brings the sizes nearer.

    Parameters
    ----------
    units, strata : int64 array [N]
        Numbers from 0, none left out.
    sizes : int64 array [P]
        Wanted numbers of items; they sum to N.

    Returns
    -------
    int64 array [N]
        Part of each item.

    Examples
    --------
    >>> units = np.array([0, 0, 0, 1, 2, 2])
    >>> draw(units, np.zeros(6, np.int64), np.array([3, 2, 1]), np.random.default_rng(0))
    array([0, 0, 0, 2, 1, 1])
    """
    wanted = np.flatnonzero(sizes)
    sizes = sizes[wanted]
    weights = np.bincount(units)
    if weights.max() > 1 and len(sizes) ** len(weights) <= _MOST_ASSIGNMENTS:
        part = _best_assignment(units, strata, sizes, rng)
    else:
        part = _near_assignment(units, strata, sizes, rng)
    of_items: IntArray = wanted[part[units]]
    return of_items


def _best_assignment(
    units: IntArray, strata: IntArray, sizes: IntArray, rng: np.random.Generator
) -> IntArray:
    """Try all assignments: the nearest sizes, and of those the strata most alike (chi-square)."""
    held = np.zeros((units.max() + 1, strata.max() + 1), dtype=np.int64)
    np.add.at(held, (units, strata), 1)
    every = np.indices((len(sizes),) * len(held)).reshape(len(held), -1).T
    amounts = np.stack([(every == part) @ held.sum(axis=1) for part in range(len(sizes))], axis=1)
    off = abs(amounts - sizes).sum(axis=1) + len(units) * (amounts == 0).sum(axis=1)
    nearest = rng.permutation(np.flatnonzero(off == off.min()))
    nearest = nearest[: 1 + _MOST_COSTS // held.shape[1]]
    cost = np.zeros(len(nearest))
    for part, size in enumerate(sizes):
        exact = held.sum(axis=0) * size / sizes.sum()
        cost += (((every[nearest] == part) @ held - exact) ** 2 / exact).sum(axis=1)
    best: IntArray = every[nearest[cost.argmin()]]
    return best


def _near_assignment(
    units: IntArray, strata: IntArray, sizes: IntArray, rng: np.random.Generator
) -> IntArray:
    counts, weights = np.bincount(strata), np.bincount(units)
    order = rng.permutation(len(weights))
    part = np.full(len(weights), -1)
    placed = np.zeros((len(counts), len(sizes)), dtype=np.int64)
    _place_large_units(part, placed, sizes, units, strata, order)
    single_items = np.flatnonzero(weights[units] == 1)
    missing = quotas(counts, sizes, rng) - placed
    _place_single_items(part, missing, units[single_items], strata[single_items], order)
    _fill_empty_parts(part, weights, sizes)
    _even_out(part, weights, sizes)
    return part


def _place_large_units(
    part: IntArray,
    placed: IntArray,
    sizes: IntArray,
    units: IntArray,
    strata: IntArray,
    order: IntArray,
) -> None:
    """Place units of several items where the chi-square distance from exact quotas grows least.

    `part` and `placed` (items of each stratum in each part) are filled in.
    """
    width = len(placed)
    cells, counts = np.unique(units * width + strata, return_counts=True)
    starts = np.searchsorted(cells // width, np.arange(len(part) + 1))
    weights = np.bincount(units)
    exact = np.bincount(strata)[:, None] * sizes / sizes.sum()
    large = order[weights[order] > 1]
    for unit in large[np.argsort(-weights[large], kind="stable")]:
        cell = slice(starts[unit], starts[unit + 1])
        rows, items = cells[cell] % width, counts[cell][:, None]
        cost = items * (items - 2 * (exact[rows] - placed[rows])) / exact[rows]
        part[unit] = best = cost.sum(axis=0).argmin()
        placed[rows, best] += items[:, 0]


def _place_single_items(
    part: IntArray, missing: IntArray, units: IntArray, strata: IntArray, order: IntArray
) -> None:
    """Fill what each part misses of each stratum with single items in random order."""
    for row in np.flatnonzero((missing < 0).any(axis=1) & (missing.sum(axis=1) > 0)):
        missing[row] = apportion(missing[row].sum(), np.maximum(missing[row], 0))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    ordered = np.lexsort((place[units], strata))
    strata = strata[ordered]
    rank = np.arange(len(strata)) - np.searchsorted(strata, strata)
    bounds = np.cumsum(missing, axis=1)[:, :-1]
    part[units[ordered]] = (rank[:, None] >= bounds[strata]).sum(axis=1)


def _fill_empty_parts(part: IntArray, weights: IntArray, sizes: IntArray) -> None:
    """Give a part that got nothing the smallest unit of the part with most units."""
    for empty in range(len(sizes)):
        if not (part == empty).any():
            owned = np.flatnonzero(part == np.bincount(part).argmax())
            part[owned[weights[owned].argmin()]] = empty


def _even_out(part: IntArray, weights: IntArray, sizes: IntArray) -> None:
    """Move or swap units between parts while that brings the sizes nearer to those wanted."""
    while (surplus := np.bincount(part, weights, len(sizes)).astype(np.int64) - sizes).any():
        pairs = permutations(range(len(sizes)), 2)
        gain, giver, taker, given, taken = max(
            _best_exchange(part, weights, surplus, giver, taker) for giver, taker in pairs
        )
        if gain <= 0:
            return
        there = np.flatnonzero((part == giver) & (weights == given))
        back = np.flatnonzero((part == taker) & (weights == taken))
        limit = len(back) if taken else np.count_nonzero(part == giver) - 1
        times = min(surplus[giver], -surplus[taker]) // (given - taken)
        times = max(1, min(times, len(there), limit))
        part[there[:times]], part[back[:times]] = taker, giver


def _best_exchange(
    part: IntArray, weights: IntArray, surplus: IntArray, giver: int, taker: int
) -> tuple[int, int, int, int, int]:
    """Find the two sizes to be exchanged (the second may be 0), and how much nearer that brings."""
    given, taken = np.unique(weights[part == giver]), np.unique(weights[part == taker])
    if np.count_nonzero(part == giver) > 1:
        taken = np.append(taken, 0)
    moved = given[:, None] - taken
    before = abs(surplus[giver]) + abs(surplus[taker])
    gain = before - abs(surplus[giver] - moved) - abs(surplus[taker] + moved)
    row, column = np.unravel_index(gain.argmax(), gain.shape)
    return int(gain[row, column]), giver, taker, int(given[row]), int(taken[column])
