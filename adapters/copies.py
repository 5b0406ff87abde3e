"""Finds identical items (equal fingerprints) in different parts, or with different targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.units import codes
from cnnkit.cnncore.image import IntArray, Problem

PARTS = ("train", "val", "test")
PART_NAMES = ("training", "validation", "test")
ASIDE = -1


def item_names(places: Sequence[str] | None, count: int) -> Sequence[str]:
    """Name items in messages: by their places, else by their numbers."""
    return [f"item {number}" for number in range(count)] if places is None else places


def set_aside_copies(
    part: IntArray, contents: IntArray, names: Sequence[str]
) -> tuple[IntArray, tuple[Problem, ...]]:
    """Leave out every item whose copy stands in a later part (of train, val, test).

    Parameters
    ----------
    part : int64 array [N]
        0, 1 or 2 for each item.
    contents : int64 array [N]
        Equal numbers (from 0) for identical items.
    names : sequence of str [N]

    Returns
    -------
    part : int64 array [N]
        -1 where an item is left out.
    set_aside : tuple of Problem
    """
    latest = np.zeros(contents.max() + 1, dtype=np.int64)
    np.maximum.at(latest, contents, part)
    copies = np.flatnonzero(part < latest[contents])
    kept = np.flatnonzero(part == latest[contents])
    original = dict(zip(contents[kept][::-1].tolist(), kept[::-1].tolist(), strict=True))
    problems = []
    for item in copies.tolist():
        twin = original[contents[item]]
        reason = f"has the same content as {names[twin]}, which stands in the {PARTS[part[twin]]}"
        problems.append(Problem(item, names[item], f"{reason} part"))
    left = part.copy()
    left[copies] = ASIDE
    return left, tuple(problems)


def count_set_aside(part: IntArray, contents: IntArray, names: Sequence[str]) -> list[str]:
    """Say for each pair of parts how many items `set_aside_copies` leaves out, as sentences.

    Parameters
    ----------
    part, contents, names
        As for `set_aside_copies`.

    Examples
    --------
    >>> count_set_aside(np.array([0, 0, 2]), np.array([0, 1, 1]), ["a.csv:2", "a.csv:3", "b.csv:2"])
    ['1 training item is a copy of a test item and was set aside, for example a.csv:3 = b.csv:2']
    """
    latest = np.zeros(contents.max(initial=0) + 1, dtype=np.int64)
    np.maximum.at(latest, contents, part)
    said = []
    for low, high in ((0, 2), (0, 1), (1, 2)):
        copies = np.flatnonzero((part == low) & (latest[contents] == high))
        if len(copies):
            twin = np.flatnonzero((contents == contents[copies[0]]) & (part == high))[0]
            pair = PART_NAMES[low], PART_NAMES[high]
            sentence = "{:,} {} items are copies of {} items and were"
            if len(copies) == 1:
                sentence = "{} {} item is a copy of a {} item and was"
            example = f"{names[copies[0]]} = {names[twin]}"
            said.append(f"{sentence.format(len(copies), *pair)} set aside, for example {example}")
    return said


def count_copies(contents: IntArray, names: Sequence[str]) -> list[str]:
    """Say how many items are copies of an earlier one, as a sentence if there are any.

    Examples
    --------
    >>> count_copies(np.array([0, 1, 0]), ["a.csv:2", "a.csv:3", "a.csv:4"])
    ['1 item is a copy of another one, for example a.csv:4 = a.csv:2; copies stand on one side']
    """
    first = np.unique(contents, return_index=True)[1]
    copies = np.setdiff1d(np.arange(len(contents)), first)
    if not len(copies):
        return []
    original = first[contents[copies[0]]]
    are = "item is a copy of another one" if len(copies) == 1 else "items are copies of other ones"
    return [
        f"{len(copies):,} {are}, for example {names[copies[0]]} = {names[original]}; copies stand "
        "on one side"
    ]


def label_conflicts(contents: IntArray, targets: NDArray[Any], names: Sequence[str]) -> list[str]:
    """Report identical items (equal numbers, int64 [N]) with different labels."""
    labels = codes(targets)
    pairs = np.unique(np.stack([contents, labels]), axis=1)
    several = np.flatnonzero(np.bincount(pairs[0]) > 1)
    if not len(several):
        return []
    labels_there = pairs[1][pairs[0] == several[0]]
    items = [
        np.flatnonzero((contents == several[0]) & (labels == label))[0] for label in labels_there
    ]
    example = ", ".join(f"{names[item]} ({targets[item]!r})" for item in items)
    return [f"identical items with different labels: {len(several)} times, for example {example}"]


def number_conflicts(
    contents: IntArray, targets: NDArray[np.float64], names: Sequence[str]
) -> list[str]:
    """Report identical items (equal numbers from 0, int64 [N]) whose targets differ, float64 [N].

    A target of NaN isn't known and differs from none.

    Examples
    --------
    >>> number_conflicts(np.array([0, 0, 1]), np.array([0.5, 2.0, 3.0]), ["a", "b", "c"])
    ['identical items with different numbers: 1 times, by up to 1.5: a (0.5), b (2.0)']
    """
    lowest = np.full(contents.max(initial=0) + 1, np.inf)
    highest = -lowest
    np.fmin.at(lowest, contents, targets)
    np.fmax.at(highest, contents, targets)
    spread = np.fmax(highest - lowest, 0)  # -inf where no target is known
    if not spread.any():
        return []
    worst = spread.argmax()
    ends = [
        np.flatnonzero((contents == worst) & (targets == end[worst]))[0]
        for end in (lowest, highest)
    ]
    example = ", ".join(f"{names[item]} ({targets[item]})" for item in sorted(ends))
    return [
        f"identical items with different numbers: {np.count_nonzero(spread)} times, by up to "
        f"{spread[worst]:.4g}: {example}"
    ]
