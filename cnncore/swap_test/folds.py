"""Deals a table's rows to folds: each row is tested once, by models that never saw it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.prepared import Fold
from cnnkit.cnncore.swap_test.target import TableError, Target

_MOST_BINS = 10  # of a number
_DRAWS = 5  # of groups, before classes are given up
_MOST_NAMES = 5  # of classes in a message


def make_folds(
    target: Target,
    *,
    folds: int,
    groups: NDArray[Any] | None = None,
    time: NDArray[Any] | None = None,
    seed: int,
) -> tuple[tuple[Fold, ...], list[str]]:
    """Split rows into folds; every row is a test row once.

    Each fold holds about the same share of every class, or of low and high numbers (stretches of
    the sorted target). Groups stay whole: the shares of classes are then kept as well as the
    groups permit, those of numbers aren't. Times are cut into blocks of neighbouring rows; each
    is tested by what comes before and after it, so that rows next to a cut still resemble each
    other, and scores are a little better than those on the future would be.

    Parameters
    ----------
    target : Target
        Of n rows.
    folds : int
        At least 2.
    groups : array [n] or None
        Anything that can be told apart; rows of the same group are tested together.
    time : array [n] or None
        Numbers or dates.
    seed : int

    Returns
    -------
    folds : tuple of (train, test), int64 arrays
        Sorted row numbers.
    notes : list of str
        What people should know about them.

    Raises
    ------
    TableError
        If there are too few rows, rows of a class, or groups for so many folds; if `groups` or
        `time` don't fit the rows or both are given; if a training part holds a single class.

    Examples
    --------
    >>> target = Target("y", "classification", np.array([0, 1, 0, 1]), ("no", "yes"))
    >>> [test.tolist() for _, test in make_folds(target, folds=2, seed=0)[0]]
    [[1, 2], [0, 3]]
    >>> parts, _ = make_folds(target, folds=2, time=np.array([4, 3, 1, 2]), seed=0)
    >>> [test.tolist() for _, test in parts]
    [[2, 3], [0, 1]]
    """
    _check_rows(target, folds)
    notes: list[str] = []
    if groups is not None and time is not None:
        raise TableError("Both groups and times are given: expected one of them; leave one out.")
    if time is not None:
        tests = _blocks(np.asarray(time), len(target), folds)
    elif groups is not None:
        codes = _group_codes(np.asarray(groups), len(target), folds, notes)
        tests = _whole_groups(target, codes, folds, seed)
    else:
        strata = target.values if target.classes else _bins(target.values, folds)
        splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
        tests = [test for _, test in splitter.split(strata, strata)]
    _check_training(target, tests, notes)
    every = np.arange(len(target))
    return tuple((np.setdiff1d(every, test), np.sort(test)) for test in tests), notes


def _check_rows(target: Target, folds: int) -> None:
    if folds < 2:
        raise TableError(f"{folds} folds: expected at least 2.")
    if len(target) < folds:
        raise TableError(f"{len(target)} rows: expected at least {folds}, one for each fold.")
    if target.classes is None:
        return
    rows = np.bincount(target.values.astype(np.int64), minlength=len(target.classes))
    if (rows < folds).any():
        rare = [f"{target.classes[k]!r} ({rows[k]})" for k in np.flatnonzero(rows < folds)]
        raise TableError(
            f"Classes with too few rows: {_some(rare)}; expected at least {folds}, one for each "
            "fold. Use fewer folds, join rare classes with others, or leave their rows out."
        )


def _bins(values: NDArray[Any], folds: int) -> IntArray:
    """Number equal stretches of the sorted values, each of which reaches all folds."""
    bins = min(_MOST_BINS, len(values) // folds)
    return np.argsort(np.argsort(values, kind="stable")) * bins // len(values)


def _blocks(time: NDArray[Any], n_rows: int, folds: int) -> list[IntArray]:
    """Cut the rows, in order of time, into blocks."""
    if time.shape != (n_rows,):
        raise TableError(f"Times of shape {time.shape}: expected {n_rows}, one for each row.")
    missing = np.flatnonzero(pd.isna(time))
    if missing.size:
        raise TableError(
            f"{missing.size} of {n_rows} rows have no time, first row {missing[0] + 1}; expected "
            "a time in every row: fill it in, or leave these rows out."
        )
    return np.array_split(np.argsort(time, kind="stable"), folds)


def _group_codes(groups: NDArray[Any], n_rows: int, folds: int, notes: list[str]) -> IntArray:
    if groups.shape != (n_rows,):
        raise TableError(f"Groups of shape {groups.shape}: expected {n_rows}, one for each row.")
    codes, names = pd.factorize(groups, use_na_sentinel=False)
    if len(names) < folds:
        raise TableError(
            f"{len(names)} different groups: expected at least {folds}, one for each fold. "
            "Use fewer folds, or another column for the groups."
        )
    missing = int(pd.isna(groups).sum())
    if missing:
        notes.append(f"{missing} rows without a group were taken as one group.")
    return codes.astype(np.int64)


def _whole_groups(target: Target, codes: IntArray, folds: int, seed: int) -> list[IntArray]:
    if target.classes is not None:
        random = np.random.RandomState(seed)
        for _ in range(_DRAWS):
            drawn = StratifiedGroupKFold(folds, shuffle=True, random_state=random)
            tests = [test for _, test in drawn.split(codes, target.values, codes)]
            if all(map(len, tests)) and not any(_lacking(target, test) for test in tests):
                return tests
    return [test for _, test in GroupKFold(folds).split(codes, groups=codes)]


def _lacking(target: Target, test: IntArray) -> list[str]:
    """Name the classes that no row outside `test` has."""
    present = set(np.delete(target.values, test).tolist())
    return [name for k, name in enumerate(target.classes or ()) if k not in present]


def _check_training(target: Target, tests: list[IntArray], notes: list[str]) -> None:
    """Note the classes that a training part lacks; refuse one that holds a single class."""
    for number, test in enumerate(tests, 1):
        lacking = _lacking(target, test)
        if target.classes and len(lacking) > len(target.classes) - 2:
            raise TableError(
                f"The training rows of fold {number} of {len(tests)} hold one class only: expected "
                "two. Groups or times go with the classes: use another column, or neither."
            )
        if lacking:
            names = _some([repr(name) for name in lacking])
            notes.append(f"The training rows of fold {number} hold no row of class {names}.")


def _some(names: list[str]) -> str:
    """Join names; of many only the first."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
