"""Finds identical items (equal fingerprints) in different parts, or with different labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.units import codes
from cnnkit.cnncore.image import IntArray, Problem

PARTS = ("train", "val", "test")
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
