"""Splits a data set into training, validation and test part, so that nothing stands on two sides.

Identical items (equal fingerprints) stand in the same part where parts are drawn; where parts are
given, the copy in the training part is set aside. A split depends on the seed and the contents
only, not on the order of the files; `scaffold` alone depends on the order, and not on the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cnnkit.adapters.copies import (
    ASIDE,
    PARTS,
    count_copies,
    count_set_aside,
    item_names,
    label_conflicts,
    number_conflicts,
    set_aside_copies,
)
from cnnkit.adapters.errors import SplitError, did_you_mean, listing
from cnnkit.adapters.families import Families, draw_families, require_families
from cnnkit.adapters.parts import check_shares, column_values, draw_groups, draw_items
from cnnkit.adapters.units import codes, find_strata, find_units, has_classes, label_patterns
from cnnkit.cnncore.image import IntArray, Problem

_PART_OF_VALUE = {
    "train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "dev": 1, "test": 2,
    "testing": 2,
}  # fmt: skip


@dataclass(frozen=True)
class SplitKind:
    """How to split: the kind, and for `group` and `column` the column of the table."""

    kind: Literal["stratified", "random", "scaffold", "scaffold-balanced", "group", "column"]
    column: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.column}" if self.column else self.kind


_WITHOUT_COLUMN = {
    "stratified": SplitKind("stratified"),
    "random": SplitKind("random"),
    "scaffold": SplitKind("scaffold"),
    "scaffold-balanced": SplitKind("scaffold-balanced"),
}


@dataclass(frozen=True, eq=False)
class Split:
    """Which items are trained on, chosen by, and tested on.

    Parameters
    ----------
    name : str
        "stratified", "random", "scaffold", "scaffold-balanced", "group:COL", "column:COL" or
        "given".
    train, val, test : int64 arrays
        Sorted numbers of items; disjoint. With `set_aside` they are all items.
    sha256 : str
        Digest of which content stands in which part, whatever the order and paths of the files.
    set_aside : tuple of Problem
        Items left out because their copy stands in a later part.
    notes : tuple of str
        What is worth knowing, as sentences.
    """

    name: str
    train: IntArray
    val: IntArray
    test: IntArray
    sha256: str
    set_aside: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    def sizes(self) -> dict[str, int]:
        """Count the items of each part."""
        return {part: len(getattr(self, part)) for part in PARTS}


def parse_split(text: str) -> SplitKind:
    """Read how to split: a kind such as `stratified`, or `group:COL` or `column:COL`.

    Raises
    ------
    SplitError
        If it is none of these.

    Examples
    --------
    >>> parse_split("group:speaker")
    SplitKind(kind='group', column='speaker')
    """
    if text in _WITHOUT_COLUMN:
        return _WITHOUT_COLUMN[text]
    kind, _, column = text.partition(":")
    if kind in ("group", "column") and column:
        return SplitKind("group" if kind == "group" else "column", column)
    known = [*_WITHOUT_COLUMN, "group:COL", "column:COL"]
    hint = did_you_mean(kind, [*_WITHOUT_COLUMN, "group", "column"])
    raise SplitError(
        f"No split {text!r}.{hint} Expected {', '.join(known)} (COL: a column's name)."
    )


def make_split(
    kind: str,
    targets: NDArray[Any] | None,
    table: pd.DataFrame | None,
    fingerprints: Sequence[str],
    *,
    val: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    task: str | None = "classification",
    places: Sequence[str] | None = None,
    families: Families | None = None,
) -> Split:
    """Split items into training, validation and test part.

    Parameters
    ----------
    kind : str
        `stratified`: each class (regression: each tenth of the targets; multi-label: each frequent
        combination; several numbers: each frequent combination of known ones) in the same
        proportions.
        `random`: in exact sizes. `group:COL`: whole groups, with sizes as near as possible.
        `scaffold`, `scaffold-balanced`: whole families, as `families.draw_families` describes.
        `column:COL`: the column says train, val or test; a missing validation part is drawn.
    targets : array [N] or [N, K] or None
        Labels or numbers; multi-label: 1, 0 and NaN.
    table : DataFrame [N rows] or None
        Holds the column.
    fingerprints : sequence of str [N]
        Equal where the items' contents are identical.
    val, test : float
        Shares of all items; 0 for no such part. With `column:COL`, `val` is the share of the
        training part that is drawn.
    seed : int
    task : "classification", "regression" or "multilabel" or None
    places : sequence of str [N] or None
        Names of the items in messages. None: their numbers.
    families : sequence of str or None [N] or None
        The family of each item, None where it can't be read; for kinds that divide by families.

    Raises
    ------
    SplitError
        If there are too few items, groups or families, or the column is missing or says something
        else.

    Examples
    --------
    >>> labels = np.array(["cat", "dog"] * 10, dtype=object)
    >>> make_split("stratified", labels, None, [str(i) for i in range(20)]).sizes()
    {'train': 14, 'val': 3, 'test': 3}
    """
    chosen = parse_split(kind)
    check_shares(val, test)
    count = len(fingerprints)
    names = item_names(places, count)
    rng = np.random.default_rng(seed)
    if chosen.kind == "column":
        part = _read_parts(column_values(table, chosen.column), chosen.column)
        return _given(str(chosen), part, targets, fingerprints, val, rng, task, names)
    strata = find_strata(None if chosen.kind == "random" else targets, task, count)
    shares = (1 - val - test, val, test)
    notes: list[str] = []
    if chosen.kind == "scaffold" or chosen.kind == "scaffold-balanced":
        known = require_families(families)
        part, notes = draw_families(chosen.kind, known, fingerprints, shares, rng)
    elif chosen.kind == "group":
        groups = column_values(table, chosen.column)
        part = draw_groups(groups, fingerprints, strata, shares, rng, chosen.column)
    else:
        keep_classes = chosen.kind == "stratified" and has_classes(task)
        units = find_units(fingerprints)
        part, notes = draw_items(units, strata, shares, rng, keep_classes=keep_classes)
    notes += count_copies(codes(fingerprints), names)
    notes += _label_notes(part, targets, task, fingerprints, names)
    return _split(str(chosen), part, fingerprints, (), notes)


def given_split(
    sizes: tuple[int, int, int],
    targets: NDArray[Any] | None,
    fingerprints: Sequence[str],
    *,
    val: float = 0.15,
    seed: int = 0,
    task: str | None = "classification",
    places: Sequence[str] | None = None,
) -> Split:
    """Make the split of a data set that comes as separate files: train, then val, then test.

    Parameters
    ----------
    sizes : (train, val, test)
        Numbers of items; `targets` and `fingerprints` hold the three after one another. With 0
        validation items that part is drawn from the training items.
    targets, fingerprints, seed, task, places
        As for `make_split`.
    val : float
        Share of the training items to draw; 0 for no validation part.

    Examples
    --------
    >>> split = given_split((3, 1, 1), None, ["a", "b", "c", "d", "b"])
    >>> split.train, split.val, split.test
    (array([0, 2]), array([3]), array([4]))
    >>> split.set_aside[0].reason
    'has the same content as item 4, which stands in the test part'
    """
    check_shares(val, 0.0)
    part = np.repeat([0, 1, 2], sizes)
    names = item_names(places, len(part))
    rng = np.random.default_rng(seed)
    return _given("given", part, targets, fingerprints, val, rng, task, names)


def _read_parts(values: list[str], column: str) -> IntArray:
    """Turn the words of a column into numbers of parts, int64 [N]."""
    found = [_PART_OF_VALUE.get(value.strip().lower(), ASIDE) for value in values]
    words = sorted(set(values))
    if ASIDE in found:
        raise SplitError(
            f"Column {column!r} doesn't name the parts: it holds {listing(words)}; expected "
            f"train, val (or none) and test. Did you mean 'group:{column}'?"
        )
    missing = [PARTS[part] for part in (0, 2) if part not in found]
    if missing:
        raise SplitError(
            f"Column {column!r} holds {listing(words)}, but no {' and no '.join(missing)} rows."
        )
    return np.array(found, dtype=np.int64)


def _given(
    name: str,
    part: IntArray,
    targets: NDArray[Any] | None,
    fingerprints: Sequence[str],
    val: float,
    rng: np.random.Generator,
    task: str | None,
    names: Sequence[str],
) -> Split:
    """Set copies aside, and draw a validation part where none is given."""
    contents = codes(fingerprints)
    notes = count_set_aside(part, contents, names)
    part, set_aside = set_aside_copies(part, contents, names)
    train = np.flatnonzero(part == 0)
    if not len(train):
        raise SplitError("No training item is left: all of them have a copy in a later part.")
    if val > 0 and not (part == 1).any():
        units = find_units([fingerprints[item] for item in train.tolist()])
        strata = find_strata(None if targets is None else targets[train], task, len(train), parts=2)
        keep_classes = has_classes(task)
        part[train], drawn = draw_items(
            units, strata, (1 - val, val), rng, keep_classes=keep_classes
        )
        count = (part == 1).sum()
        items = "item" if count == 1 else "items"
        notes += [*drawn, f"validation part: {count} {items} drawn from the training part"]
    notes += _label_notes(part, targets, task, fingerprints, names)
    return _split(name, part, fingerprints, set_aside, notes)


def _label_notes(
    part: IntArray,
    targets: NDArray[Any] | None,
    task: str | None,
    fingerprints: Sequence[str],
    names: Sequence[str],
) -> list[str]:
    """Report classes that can't be learned, and identical items with different targets."""
    if targets is None:
        return []
    if task == "regression" and targets.ndim == 2:
        return [
            f"target {number}: {note}"
            for number, target in enumerate(targets.T, 1)
            for note in number_conflicts(codes(fingerprints), target, names)
        ]
    if task == "regression":
        return number_conflicts(codes(fingerprints), targets, names)
    if task == "multilabel":
        return label_conflicts(codes(fingerprints), label_patterns(targets), names)
    notes = label_conflicts(codes(fingerprints), targets, names)
    unseen = sorted(set(targets) - set(targets[part == 0]))
    if unseen:
        notes.append(f"classes without a training item, which can't be learned: {listing(unseen)}")
    return notes


def _split(
    name: str,
    part: IntArray,
    fingerprints: Sequence[str],
    set_aside: tuple[Problem, ...],
    notes: Sequence[str],
) -> Split:
    train, val, test = (np.flatnonzero(part == number) for number in range(3))
    words = (*PARTS, "set aside")
    lines = sorted(f"{fp} {words[p]}\n" for fp, p in zip(fingerprints, part, strict=True))
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return Split(name, train, val, test, digest, set_aside, tuple(notes))
