"""Draws parts of whole families of items, so that tested items resemble little of what is learnt.

Which family an item is of, an adapter says: the scaffold of a molecule, for example.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.copies import PARTS
from cnnkit.adapters.errors import SplitError
from cnnkit.adapters.units import find_units
from cnnkit.cnncore.image import IntArray

FamilyKind = Literal["scaffold", "scaffold-balanced"]
Families = Sequence[str | None]

FAMILY_KINDS: tuple[FamilyKind, ...] = ("scaffold", "scaffold-balanced")
FAMILY_FOLDS = "scaffold"
_ROUNDING = 1e-6  # 0.1 * 1130 is 113, whatever the floats say


def check_offered(kind: str, offered: Sequence[str], adapter: str) -> None:
    """Refuse a split by families that the adapter doesn't know; other kinds pass.

    Raises
    ------
    SplitError

    Examples
    --------
    >>> check_offered("scaffold", ("scaffold", "scaffold-balanced"), "molecule")
    >>> check_offered("group:speaker", (), "audio")
    """
    if kind in FAMILY_KINDS and kind not in offered:
        raise SplitError(
            f"Adapter {adapter} knows no scaffolds: its items can't be split by {kind!r}. Expected "
            "stratified, random, group:COL or column:COL; in a cross-validation a number like 5, "
            "group:COL or column:COL."
        )


def require_families(families: Families | None) -> Families:
    """Return the families; refuse where there are none to split by.

    Raises
    ------
    SplitError
    """
    if families is None:
        raise SplitError("These items have no scaffolds to split by: none were given.")
    if all(family is None for family in families):
        raise SplitError("No item has a scaffold to split by: none of them can be read.")
    return families


def family_units(families: Families, fingerprints: Sequence[str]) -> IntArray:
    """Find the items that must stay together: of one family, identical, or a chain of both.

    Parameters
    ----------
    families : sequence of str or None [N]
        None where an item has no family, because it can't be read.
    fingerprints : sequence of str [N]

    Returns
    -------
    int64 array [N]
        As `find_units`.

    Examples
    --------
    >>> family_units(["ring", "", None, "ring"], ["c", "a", "d", "b"])
    array([1, 0, 2, 1])
    """
    owners = [
        f"item {content}" if family is None else f"family {family}"
        for family, content in zip(families, fingerprints, strict=True)
    ]
    return find_units(fingerprints, owners)


def draw_families(
    kind: FamilyKind,
    families: Families,
    fingerprints: Sequence[str],
    shares: Sequence[float],
    rng: np.random.Generator,
) -> tuple[IntArray, list[str]]:
    """Draw training, validation and test part of whole families.

    `scaffold`: the largest family first, of equal ones the one that begins last. Each goes to the
    training part while it fits, else to the validation part while both together have room for it,
    else to the test part. So the families that are tested are small, and most of them single items:
    a hard test, always the same for the same rows in the same order.

    `scaffold-balanced`: families larger than half a held-out part first, then the others, both in
    random order. Each goes to the first part that has room for it, else to the last one. So what is
    tested depends on the seed, but large families are mostly trained on.

    Items without a family stand in the training part and don't count.

    Parameters
    ----------
    kind : "scaffold" or "scaffold-balanced"
    families, fingerprints
        As for `family_units`.
    shares : (train, val, test)
        They sum to 1.
    rng : Generator
        Without influence on `scaffold`.

    Returns
    -------
    part : int64 array [N]
    notes : list of str

    Raises
    ------
    SplitError
        If the families are too large, or too few, to give each part an item.

    References
    ----------
    `scaffold` divides as deepchem's `ScaffoldSplitter` (MoleculeNet: Z. Wu et al., Chem. Sci. 9,
    2018). `scaffold-balanced` is the rule of chemprop's `scaffold_balanced` (K. Yang et al., J.
    Chem. Inf. Model. 59, 2019) with this project's random numbers.

    Examples
    --------
    >>> families = ["a", "b", "b", "c", "a", "b", "a", "a", "d", "a"]
    >>> shares, rng = (0.8, 0.1, 0.1), np.random.default_rng(0)
    >>> part, notes = draw_families("scaffold", families, list("0123456789"), shares, rng)
    >>> part
    array([0, 0, 0, 2, 0, 0, 0, 0, 1, 0])
    >>> notes
    ['4 scaffolds, the largest with 5 items; the seed has no influence, the order of rows has']
    """
    units = family_units(families, fingerprints)
    readable = np.array([family is not None for family in families])
    weights = np.bincount(units, readable).astype(np.int64)
    room = np.array(shares) * weights.sum()
    if kind == "scaffold":
        order = _largest_first(units, weights)
    else:
        order = _large_ones_first(weights, room[1:], rng)
    part = _fill(weights, order, room, hand_on=kind == "scaffold")[units]
    sizes = np.bincount(part, readable, minlength=3)
    found = len({*families} - {None})
    about = f"{found} scaffolds, the largest with {weights.max()} items"
    empty = [PARTS[number] for number in range(3) if shares[number] > 0 and not sizes[number]]
    if empty:
        raise SplitError(
            f"A split by {kind!r} leaves the {' and the '.join(empty)} part empty: of "
            f"{weights.sum()} items there are {about}, and a scaffold isn't divided. Change the "
            "shares, leave a part out (--val 0 or --test 0), or split by 'stratified'."
        )
    fixed = "; the seed has no influence, the order of rows has" if kind == "scaffold" else ""
    notes = [about + fixed]
    if not readable.all():
        notes.append(f"{(~readable).sum()} unreadable items stand in the training part, uncounted")
    return part, notes


def _largest_first(units: IntArray, weights: IntArray) -> IntArray:
    """Order units by weight, and equal ones by their first items, both descending."""
    first = np.unique(units, return_index=True)[1]
    return np.lexsort((first, weights))[::-1]


def _large_ones_first(
    weights: IntArray, held_out: NDArray[np.float64], rng: np.random.Generator
) -> IntArray:
    """Shuffle units; those larger than half of a held-out part that is wanted come first."""
    half = min(held_out[held_out > 0], default=np.inf) / 2
    order = rng.permutation(len(weights))
    large = weights[order] > half
    return np.concatenate([order[large], order[~large]])


def _fill(
    weights: IntArray, order: IntArray, room: NDArray[np.float64], *, hand_on: bool
) -> IntArray:
    """Give each unit, in this order, to the first part with room for it; the last takes the rest.

    With `hand_on` a part's free room is also that of the next.
    """
    part = np.zeros(len(weights), dtype=np.int64)
    free = room + _ROUNDING
    free[np.flatnonzero(room)[-1]] = np.inf
    for unit in order.tolist():
        fits = weights[unit] <= (np.cumsum(free) if hand_on else free)
        part[unit] = chosen = fits.argmax()
        free[chosen] -= weights[unit]
    return part
