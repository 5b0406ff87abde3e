"""What in a table makes a test mislead: said in notes, and mended where that is certain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnkit.cnncore.swap_test.target import Target
from cnnkit.cnncore.swap_test.units import Unit

FAR = 10  # times the distance between the quartiles
MOST_OF_IT = 0.5  # of a target's variance
FEWEST_LEVELS = 3  # columns of 0 and 1, of which each row has one 1


def find_one_hot(units: Sequence[Unit]) -> list[list[str]]:
    """Find neighbouring columns of 0 and 1, of which each row has exactly one 1.

    They are one category, written as columns. Moved one by one they would seem to have an order.

    Returns
    -------
    list of lists of str
        The names of each category's columns.

    Examples
    --------
    >>> levels = np.eye(3)[[0, 1, 2, 1]]
    >>> find_one_hot([Unit(f"is_{i}", "number", levels[:, i]) for i in range(3)])
    [['is_0', 'is_1', 'is_2']]
    """
    found: list[list[str]] = []
    start = 0
    while start < len(units):
        ones = np.zeros(len(units[0].values))
        end = start
        while end < len(units) and _is_binary(units[end]) and ones.min() == 0:
            ones = ones + units[end].values
            end += 1
            if ones.max() > 1:
                break
        if end - start >= FEWEST_LEVELS and (ones == 1).all():
            found.append([unit.name for unit in units[start:end]])
            start = end
        else:
            start += 1
    return found


def odd_values(units: Sequence[Unit]) -> list[str]:
    """Name columns in which one far value, such as -999, stands several times."""
    notes = []
    for unit in units:
        if unit.kind != "number":
            continue
        known = unit.values[np.isfinite(unit.values)]
        low, middle, high = np.quantile(known, [0.25, 0.5, 0.75]) if len(known) else (0, 0, 0)
        for value in {known.min(), known.max()} if high > low else ():
            times = int((known == value).sum())
            if times > 1 and abs(value - middle) > FAR * (high - low):
                notes.append(
                    f"{unit.name!r}: {value:g} stands {times} times far from all else; if it means "
                    "that the value is missing, leave those cells empty"
                )
    return notes


def odd_target(target: Target) -> list[str]:
    """Name a value of the target that makes most of its variance."""
    if target.classes is not None:
        return []
    squares = np.square(target.values - target.values.mean())
    share = squares.max() / max(squares.sum(), 1e-300)
    if share < MOST_OF_IT:
        return []
    value = target.values[squares.argmax()]
    return [
        f"one value of {target.name!r}, {value:g}, makes {share:.0%} of its variance, so that no "
        "model seems to learn the rest; leave that row out if it is an error"
    ]


def _is_binary(unit: Unit) -> bool:
    return unit.kind == "number" and bool(np.isin(unit.values, [0, 1]).all())
