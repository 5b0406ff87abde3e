"""A random forest on dense side features, whose vote counts as much as the networks'.

Trees are good where networks are not: at thresholds of single descriptors, and with few items.
scikit-learn grows them; what is kept are arrays, so that a model is saved without pickle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.objective import Classification, Float64Array, MultiLabel, Objective

TREES = 100
ROWS = 1_024  # that walk down the trees together
REGRESSION_SHARE = 1 / 3  # of the features that a split may choose from; classes: the square root


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees as arrays: node i has children `left[i]` and `right[i]`; a leaf is its own child.

    Parameters
    ----------
    roots : int64 array [trees]
    left, right, feature : int64 arrays [nodes]
    threshold : float64 array [nodes]
        A row goes left where its feature is not above it.
    lacking_left : bool array [nodes]
        Where a row goes that lacks the feature.
    value : float64 array [nodes, outputs]

    References
    ----------
    Breiman 2001, "Random Forests"; grown by scikit-learn.
    """

    roots: IntArray
    left: IntArray
    right: IntArray
    feature: IntArray
    threshold: Float64Array
    lacking_left: NDArray[np.bool_]
    value: Float64Array

    def predict(self, side: NDArray[np.floating]) -> Float64Array:
        """Average the trees' leaves, float64 [N, outputs], for side features [N, S]."""
        found = np.empty((len(side), self.value.shape[1]))
        for start in range(0, len(side), ROWS):
            rows = side[start : start + ROWS].astype(np.float32)
            found[start : start + ROWS] = self.value[self._leaves(rows)].mean(axis=1)
        return found

    def _leaves(self, rows: NDArray[np.float32]) -> IntArray:
        """Walk down all trees, int64 [n, trees]."""
        node = np.tile(self.roots, (len(rows), 1))
        while True:
            seen = np.take_along_axis(rows, self.feature[node], axis=1)
            left = np.where(np.isnan(seen), self.lacking_left[node], seen <= self.threshold[node])
            child = np.where(left, self.left[node], self.right[node])
            if np.array_equal(child, node):
                return node
            node = child


def learn_forests(
    side: NDArray[np.floating], y: NDArray[Any], objective: Objective, seed: int
) -> list[Forest]:
    """Grow a forest; for several labels or targets one for each, on the rows that know it.

    Parameters
    ----------
    side : float array [N, S]
        NaN where an item lacks a feature.
    y : array [N] or [N, K]
        As the objective takes them; in a matrix NaN where a row doesn't know.
    objective : Objective
    seed : int

    Examples
    --------
    >>> side = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> forests = learn_forests(side, np.array([0, 0, 1, 1]), Classification(2), seed=0)
    >>> vote(forests, side).argmax(axis=1)
    array([0, 0, 1, 1])
    """
    rows = side.astype(np.float32)
    if isinstance(objective, Classification):
        weight = None if objective.class_weight is None else objective.class_weight.numpy()[y]
        model = RandomForestClassifier(TREES, random_state=seed)
        return [_arrays(model.fit(rows, y, sample_weight=weight))]
    # Labels are numbers too: so one that all rows have, or none, is no special case.
    share = "sqrt" if isinstance(objective, MultiLabel) else REGRESSION_SHARE
    model = RandomForestRegressor(TREES, max_features=share, random_state=seed)
    return [_of_target(rows, target, model) for target in y.T]


def vote(forests: Sequence[Forest], side: NDArray[np.floating]) -> Float64Array:
    """Return probabilities or numbers, float64 [N, outputs], for side features [N, S]."""
    return np.concatenate([forest.predict(side) for forest in forests], axis=1)


def to_arrays(forests: Sequence[Forest]) -> dict[str, NDArray[Any]]:
    """Give the arrays of all forests, under numbered names."""
    return {
        f"{number}.{field.name}": getattr(forest, field.name)
        for number, forest in enumerate(forests)
        for field in fields(Forest)
    }


def from_arrays(arrays: dict[str, NDArray[Any]]) -> list[Forest]:
    """Undo `to_arrays`.

    Raises
    ------
    KeyError
        If an array is missing.
    """
    count = 1 + max((int(name.partition(".")[0]) for name in arrays), default=-1)
    return [
        Forest(**{field.name: arrays[f"{number}.{field.name}"] for field in fields(Forest)})
        for number in range(count)
    ]


def _of_target(rows: NDArray[np.float32], y: Float64Array, model: RandomForestRegressor) -> Forest:
    """Grow the forest of one target, or of one label, the probability of having it."""
    known = ~np.isnan(y)
    return _arrays(clone(model).fit(rows[known], y[known]))


def _arrays(model: RandomForestClassifier | RandomForestRegressor) -> Forest:
    trees = [estimator.tree_ for estimator in model.estimators_]
    counts = [tree.node_count for tree in trees]
    first = np.cumsum([0, *counts[:-1]])
    own = np.arange(sum(counts))
    begin = np.repeat(first, counts)

    def join(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    left, right = join("children_left"), join("children_right")
    leaf = left < 0
    values = [tree.value.reshape(tree.node_count, -1) for tree in trees]
    return Forest(
        roots=first.astype(np.int64),
        left=np.where(leaf, own, left + begin),
        right=np.where(leaf, own, right + begin),
        feature=np.where(leaf, 0, join("feature")).astype(np.int64),
        threshold=join("threshold"),
        lacking_left=join("missing_go_to_left").astype(bool),
        value=np.concatenate(values),
    )
