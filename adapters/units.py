"""Finds which items must stay together in a split, and which are to be alike in its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cnnkit.cnncore.image import IntArray

_MOST_BINS = 10
_FEWEST_PER_BIN = 10


def codes(values: ArrayLike) -> IntArray:
    """Number the sorted distinct values, and give each value's number, int64 [N].

    Examples
    --------
    >>> codes(["dog", "cat", "dog"])
    array([1, 0, 1])
    """
    array = np.asarray(values)
    if array.dtype == object:
        array = array.astype(str)
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def find_units(fingerprints: Sequence[str], groups: Sequence[str] | None = None) -> IntArray:
    """Find the items that must stay together: equal content, equal group, or a chain of both.

    Parameters
    ----------
    fingerprints : sequence of str [N]
        Equal texts mean identical items.
    groups : sequence of str [N] or None

    Returns
    -------
    int64 array [N]
        Number of each item's unit, in the order of the units' smallest fingerprints, so that it
        doesn't depend on the order of the items.

    Examples
    --------
    >>> find_units(["b", "a", "c", "b"])
    array([1, 0, 2, 1])
    >>> find_units(["b", "a", "c", "b"], groups=["x", "x", "y", "z"])
    array([0, 0, 1, 0])
    """
    contents = codes(fingerprints)
    if groups is None:
        return contents
    owners = codes(groups) + contents.max() + 1
    nodes = owners.max() + 1
    edges = (np.ones(len(contents)), (contents, owners))
    component = connected_components(coo_array(edges, shape=(nodes, nodes)))[1][contents]
    return codes(component)


def find_strata(
    targets: NDArray[Any] | None, task: str | None, count: int, parts: int = 3
) -> IntArray:
    """Number what is to be alike in all parts.

    That is classes, tenths of the numbers' range of ranks, combinations of labels, or, with
    several numbers for each item, which of them are known.

    Parameters
    ----------
    targets : array [count] or [count, K] or None
        None: all items are alike.
    task : "classification", "regression" or "multilabel" or None
    parts : int
        Combinations with fewer items than parts are all alike.

    Returns
    -------
    int64 array [count]
    """
    if targets is None:
        return np.zeros(count, dtype=np.int64)
    if task == "regression" and targets.ndim == 2:
        targets, task = np.where(np.isnan(targets), np.nan, 1.0), "multilabel"
    if task == "multilabel":
        combinations = codes(label_patterns(targets)) + 1
        rare = np.bincount(combinations)[combinations] < parts
        return codes(np.where(rare, 0, combinations))
    if task != "regression":
        return codes(targets)
    numbers = np.asarray(targets, dtype=np.float64)
    bins = int(np.clip(count // _FEWEST_PER_BIN, 1, _MOST_BINS))
    edges = np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1])
    return codes(np.searchsorted(edges, numbers))


def label_patterns(targets: NDArray[np.float64]) -> NDArray[Any]:
    """Write the labels of each item as a text: 1, 0, and ? where a label isn't known.

    Examples
    --------
    >>> label_patterns(np.array([[1, 0, np.nan], [0, 0, 1]])).tolist()
    ['10?', '001']
    """
    signs = np.where(np.isnan(targets), "?", np.where(targets == 1, "1", "0"))
    patterns = np.empty(len(targets), dtype=object)
    patterns[:] = ["".join(row) for row in signs.tolist()]
    return patterns


def has_classes(task: str | None) -> bool:
    """Say whether each item is of one class, of which every part should have some."""
    return task not in ("regression", "multilabel")
