"""Divides items into whole numbers: over the parts of a split, and each class over the parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from cnnkit.cnncore.image import IntArray


def apportion(total: int, shares: ArrayLike) -> IntArray:
    """Divide a number of items by the largest-remainder method.

    Examples
    --------
    >>> apportion(10, [0.7, 0.15, 0.15])
    array([7, 2, 1])
    """
    weights = np.asarray(shares, dtype=np.float64)
    exact = total * weights / weights.sum()
    # 0.15 * 20 is 3, whatever the floats say.
    parts: IntArray = np.floor(np.round(exact, 9)).astype(np.int64)
    order = np.argsort(-np.round(exact - parts, 9), kind="stable")
    parts[order[: total - parts.sum()]] += 1
    return parts


def part_sizes(total: int, shares: Sequence[float]) -> IntArray:
    """Divide items into parts; a part that has a share gets an item at least, from the first."""
    sizes = apportion(total, shares)
    sizes[1:] = np.maximum(sizes[1:], np.asarray(shares[1:]) > 0)
    sizes[0] = total - sizes[1:].sum()
    return sizes


def quotas(counts: IntArray, sizes: IntArray, rng: np.random.Generator) -> IntArray:
    """Divide every stratum in the proportions of the parts, rounded up or down.

    Each exact quota is `counts[s] * sizes[p] / total`. Which ones are rounded up is an integral
    flow from strata to parts, which always exists, so that all sums are kept.

    Parameters
    ----------
    counts : int64 array [S]
        Items of each stratum.
    sizes : int64 array [P]
        Items of each part; as many in all.

    Returns
    -------
    int64 array [S, P]
        Rows sum to `counts`, columns to `sizes`; each less than 1 from the exact quota.

    References
    ----------
    L. H. Cox, "A constructive procedure for unbiased controlled rounding", JASA 82 (1987).

    Examples
    --------
    >>> quotas(np.array([5, 5]), np.array([7, 3]), np.random.default_rng(0)).sum(axis=0)
    array([7, 3])
    """
    strata, parts, total = len(counts), len(sizes), counts.sum()
    rounded: IntArray = counts[:, None] * sizes // total
    remainder = counts[:, None] * sizes % total
    order = rng.permutation(strata)
    row, column = np.nonzero(remainder[order])
    source, sink = strata + parts, strata + parts + 1
    begin = np.concatenate([np.full(strata, source), row, strata + np.arange(parts)])
    end = np.concatenate([np.arange(strata), strata + column, np.full(parts, sink)])
    missing = (remainder.sum(axis=1) // total)[order]
    capacity = np.concatenate([missing, np.ones_like(row), sizes - rounded.sum(axis=0)])
    network = csr_array((capacity.astype(np.int32), (begin, end)), shape=(sink + 1, sink + 1))
    flow = maximum_flow(network, source, sink).flow
    rounded[order] += flow[:strata, strata:source].toarray().astype(np.int64)
    return rounded
