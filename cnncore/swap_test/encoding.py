"""Turns the units of a table into standardised columns; everything is learnt on training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.model_selection import KFold

from cnnkit.cnncore.image import Float32Array, IntArray
from cnnkit.cnncore.swap_test.number_text import Float64Array
from cnnkit.cnncore.swap_test.target import Target
from cnnkit.cnncore.swap_test.units import Unit

_MOST_ONE_HOT = 8
_MOST_CLASS_SHARES = 4
_HASHED_WORDS = 6
_PARTS = 5
_CLIP = 5.0
_ROUNDING = 1e-13  # relative to the largest number of a column

_Way = Literal["number", "switch", "levels", "target", "frequency", "text"]


def encode(
    units: Sequence[Unit],
    target: Target | None,
    train: IntArray,
    *,
    groups: IntArray | None = None,
    seed: int = 0,
) -> Float32Array:
    """Encode a table for one fold.

    Numbers and dates stay one column, missing ones at the mean. A category of up to 8 levels
    becomes one column for each; where such values are missing, one more column says so. A category
    of more levels becomes the mean target of the row's level (the share of each class), or its
    frequency where there are more than 4 classes; "missing" is one more level. A text becomes its
    length in letters and words, and 6 hashed word counts. Last, each column is standardised.

    Parameters
    ----------
    units : sequence of Unit
        Of n rows.
    target : Target or None
        Of the same rows. Only those of `train` are looked at; None: nothing is learnt from it.
    train : int64 array
        Rows, at least 2, on which everything is learnt. What a training row gets as the mean
        target comes from other training rows only.
    groups : int64 array [n] or None
        Rows of a group belong together: they teach each other nothing.
    seed : int
        Cuts the training rows into 5 parts for that.

    Returns
    -------
    float32 array [n, D]
        The units side by side, as wide as `widths` says. Among training rows of mean 0 and
        standard deviation 1 (a column that is constant there is 0); clipped to ±5, never NaN.

    References
    ----------
    Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes in
    classification and prediction problems". Weinberger et al. (2009), "Feature hashing for large
    scale multitask learning".

    Examples
    --------
    >>> units = [Unit("age", "number", np.array([20.0, 40.0, np.nan, 40.0]))]
    >>> target = Target("y", "regression", np.array([1.0, 2.0, 3.0, 4.0]))
    >>> encode(units, target, np.array([0, 1, 2])).round(1)
    array([[-1.2, -0.7],
           [ 1.2, -0.7],
           [ 0. ,  1.4],
           [ 1.2, -0.7]], dtype=float32)
    """
    columns = widths(units, target)
    by_target = [unit for unit in units if _way(unit, target) == "target"]
    target_means = iter(_target_means(by_target, target, train, groups, seed))
    rows = len(units[0].values) if target is None else len(target)
    encoded = np.empty((rows, sum(columns)), dtype=np.float32)
    end = 0
    for unit, width in zip(units, columns, strict=True):
        way = _way(unit, target)
        block = next(target_means) if way == "target" else _block(unit, way, train)
        encoded[:, end : end + width] = _standardise(block, train)
        end += width
    return encoded


def widths(units: Sequence[Unit], target: Target | None) -> tuple[int, ...]:
    """Return how many columns each unit becomes, whatever the fold.

    Examples
    --------
    >>> target = Target("y", "regression", np.array([1.0, 2.0]))
    >>> widths([Unit("age", "number", np.array([20.0, np.nan]))], target)
    (2,)
    """
    return tuple(_width(unit, target) for unit in units)


def encoded_as(unit: Unit, target: Target) -> str:
    """Say in a few words how a unit is encoded.

    Examples
    --------
    >>> target = Target("y", "regression", np.array([1.0, 2.0]))
    >>> encoded_as(Unit("size", "category", np.array([2, -1]), ("L", "M", "S")), target)
    '3 levels: one column each, and one for missing values'
    """
    what = {
        "number": "days since the earliest" if unit.kind == "date" else "as it is",
        "switch": f"{len(unit.levels)} levels: 0 or 1",
        "levels": f"{len(unit.levels)} levels: one column each",
        "target": f"{len(unit.levels)} levels: out-of-fold "
        + ("target mean" if target.classes is None else "class shares"),
        "frequency": f"{len(unit.levels)} levels: how frequent each is",
        "text": f"its length and {_HASHED_WORDS} hashed word counts",
    }
    way = _way(unit, target)
    own_column = way in ("number", "levels") and unit.missing().any()
    return what[way] + (", and one for missing values" if own_column else "")


def _way(unit: Unit, target: Target | None) -> _Way:
    if unit.kind != "category":
        return "text" if unit.kind == "text" else "number"
    if len(unit.levels) == 1 or (len(unit.levels) == 2 and not unit.missing().any()):
        return "switch"
    if len(unit.levels) <= _MOST_ONE_HOT:
        return "levels"
    if target is None or len(target.classes or ()) > _MOST_CLASS_SHARES:
        return "frequency"
    return "target"


def _width(unit: Unit, target: Target | None) -> int:
    way = _way(unit, target)
    if way == "target":
        classes = len(target.classes or ()) if target else 0
        return classes if classes > 2 else 1
    if way in ("number", "levels"):
        return (len(unit.levels) or 1) + bool(unit.missing().any())
    return 2 + _HASHED_WORDS if way == "text" else 1


def _block(unit: Unit, way: _Way, train: IntArray) -> Float64Array:
    """Encode a unit without the target: float64 [n, width]."""
    values, missing = unit.values, unit.missing()
    if way == "text":
        hashed = HashingVectorizer(n_features=_HASHED_WORDS, alternate_sign=True).transform(values)
        lengths = [(len(text), len(text.split())) for text in values]
        return np.hstack([np.log1p(lengths), hashed.toarray()])
    if way == "switch":
        return np.asarray(values == len(unit.levels) - 1, dtype=np.float64)[:, None]
    if way == "frequency":
        counts = np.bincount(values[train] + 1, minlength=len(unit.levels) + 1)
        return np.asarray(counts[values + 1] / len(train))[:, None]
    if way == "levels":
        columns = values[:, None] == np.arange(len(unit.levels))
    else:
        known = values[train][~missing[train]]
        mean = (known / max(len(known), 1)).sum()  # a sum of huge numbers would overflow
        columns = np.where(missing, mean, values)[:, None]
    return np.hstack([columns, missing[:, None]][: 1 + missing.any()]).astype(np.float64)


def _target_means(
    units: Sequence[Unit],
    target: Target | None,
    train: IntArray,
    groups: IntArray | None,
    seed: int,
) -> list[Float64Array]:
    """Encode units by the mean target of each level, [n, q] each.

    Each part of the training rows is encoded by what the other parts teach, and the rest of the
    table by what all of them do.
    """
    if not units or target is None:
        return []
    first_of_next = np.cumsum([len(unit.levels) + 1 for unit in units])
    firsts = np.r_[0, first_of_next[:-1]]
    # All units share one numbering of levels, so that one pass counts them all.
    levels = np.stack([unit.values + 1 for unit in units], axis=1) + firsts
    truth = _columns_of(target)
    means = np.empty((*levels.shape, truth.shape[1]))
    of_group = np.arange(len(train)) if groups is None else groups[train]
    different = np.unique(of_group)
    parts = KFold(min(_PARTS, len(different)), shuffle=True, random_state=seed).split(different)
    held = [np.isin(of_group, different[held_out]) for _, held_out in parts]
    steps = [(train[~out], train[out]) for out in held]
    steps.append((train, np.setdiff1d(np.arange(len(target)), train)))
    for learnt, rows in steps:
        for column, values in enumerate(truth[learnt].T):
            of_levels = _level_means(levels[learnt], values, first_of_next[-1])
            means[rows, :, column] = of_levels[levels[rows]]
    return list(means.swapaxes(0, 1))


def _level_means(levels: IntArray, values: Float64Array, n_levels: int) -> Float64Array:
    """Average a target, [m], over the rows of each level, [n_levels], for all units at once.

    The mean of a level is drawn to that of all rows, the more so the less is known of it (equations
    5 and 6 of Micci-Barreca, as in scikit-learn's TargetEncoder).
    """
    flat, each = levels.ravel(), np.repeat(values, levels.shape[1])
    counts = np.bincount(flat, minlength=n_levels)
    of_levels = np.bincount(flat, each, n_levels) / np.maximum(counts, 1)
    squares = np.bincount(flat, (each - of_levels[flat]) ** 2, n_levels)
    spread, noise = values.var() * counts, squares / np.maximum(counts, 1)
    trust = spread / np.where(spread + noise > 0, spread + noise, 1.0)
    return np.asarray(trust * of_levels + (1 - trust) * values.mean())


def _columns_of(target: Target) -> Float64Array:
    if target.classes is None:
        return target.values[:, None].astype(np.float64)
    numbers = np.arange(len(target.classes)) if len(target.classes) > 2 else np.array([1])
    return np.asarray(target.values[:, None] == numbers, dtype=np.float64)


def _standardise(block: Float64Array, train: IntArray) -> Float32Array:
    scale = np.abs(block[train]).max(axis=0)
    with np.errstate(over="ignore"):  # beyond float64 is beyond the clip
        scaled = block / np.where(scale > 0, scale, 1.0)
    learnt = scaled[train]
    constant = np.ptp(learnt, axis=0) < _ROUNDING
    scores = (scaled - learnt.mean(axis=0)) / np.where(constant, 1.0, learnt.std(axis=0))
    scores[:, constant] = 0.0
    return np.asarray(scores.clip(-_CLIP, _CLIP), dtype=np.float32)
