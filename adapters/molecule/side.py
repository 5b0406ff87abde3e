"""Side features of molecules: what has no place in a picture and is voted on directly."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator

from cnnkit.adapters.errors import did_you_mean, listing
from cnnkit.adapters.molecule.descriptors import DESCRIPTORS, describe

SIDES = ("morgan", "descriptors")
SIDE_VERSION = 1  # of the code that computes them; another number makes the cache forget

MORGAN_RADIUS = 2
MORGAN_SIZE = 2_048

_NAMES = {
    "morgan": tuple(f"morgan {number}" for number in range(MORGAN_SIZE)),
    "descriptors": DESCRIPTORS,
}


def side_names(sides: Sequence[str]) -> tuple[str, ...]:
    """Name the side features in their order.

    Parameters
    ----------
    sides : sequence of {"morgan", "descriptors"}

    Returns
    -------
    tuple of str [S]
        For Morgan counts "morgan 0" to "morgan 2047"; descriptors as RDKit calls them.

    Raises
    ------
    ValueError
        If a side isn't known, or stands twice.

    Examples
    --------
    >>> len(side_names(["morgan", "descriptors"])), side_names(["descriptors"])[0]
    (2257, 'MaxPartialCharge')
    """
    for side in sides:
        if side not in SIDES:
            known = " and ".join(map(repr, SIDES))
            raise ValueError(
                f"{side!r} is no side feature of molecules: there are {known}."
                f"{did_you_mean(side, SIDES)}"
            )
    if len(set(sides)) < len(sides):
        raise ValueError(f"Each side feature may stand once, not {listing(list(sides))}.")
    return tuple(name for side in sides for name in _NAMES[side])


def check_side_names(stored: Sequence[str], sides: Sequence[str]) -> None:
    """Refuse side features that a model was trained on and this release computes otherwise.

    Parameters
    ----------
    stored : sequence of str [S]
        As they were named when the model was trained.
    sides : sequence of {"morgan", "descriptors"}

    Raises
    ------
    ValueError
        If `side_names` gives other names now, or in another order.

    Examples
    --------
    >>> check_side_names(side_names(["descriptors"]), ["descriptors"])
    """
    now = side_names(sides)
    if tuple(stored) == now:
        return
    gone = [name for name in stored if name not in set(now)]
    new = [name for name in now if name not in set(stored)]
    differences = [
        f"{what} {listing(names)}"
        for what, names in [("it lacks", gone), ("and the model was trained without", new)]
        if names
    ]
    raise ValueError(
        "The model's side features aren't those that this release of cnnkit computes: "
        f"{', '.join(differences) or 'they stand in another order'}. "
        "Train the model again, or install the release that it was trained with."
    )


@cache
def _morgan() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=MORGAN_RADIUS, fpSize=MORGAN_SIZE)


def morgan_counts(mol: Chem.Mol) -> NDArray[np.float32]:
    """Count the surroundings of atoms, up to two bonds away, each kind in one of 2,048 slots.

    Mirror images have the same counts: RDKit leaves chirality out unless it is asked for.

    Parameters
    ----------
    mol : Chem.Mol

    Returns
    -------
    float32 array [2048]

    References
    ----------
    Rogers & Hahn 2010, "Extended-connectivity fingerprints".

    Examples
    --------
    >>> counts = morgan_counts(Chem.MolFromSmiles("CCO"))  # 3 atoms; at radius 1, 3 surroundings
    >>> float(counts.sum())
    6.0
    """
    with rdBase.BlockLogs():
        counts: NDArray[np.uint32] = _morgan().GetCountFingerprintAsNumPy(mol)
    return counts.astype(np.float32)


def side_features(mol: Chem.Mol, sides: Sequence[str]) -> NDArray[np.float32]:
    """Compute the side features of a molecule. RDKit's log stays silent.

    Parameters
    ----------
    mol : Chem.Mol
        Sanitised, at least one atom. It is not changed.
    sides : sequence of {"morgan", "descriptors"}

    Returns
    -------
    float32 array [S]
        In the order of `side_names`; NaN where RDKit has no value.

    Raises
    ------
    ValueError
        If a side isn't known.
    RuntimeError
        If the installed RDKit lacks a descriptor.

    Examples
    --------
    >>> side_features(Chem.MolFromSmiles("CCO"), ["morgan", "descriptors"]).shape
    (2257,)
    """
    side_names(sides)
    parts = [morgan_counts(mol) if side == "morgan" else _as_float32(mol) for side in sides]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _as_float32(mol: Chem.Mol) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        values = describe(mol).astype(np.float32)
    values[np.isinf(values)] = np.nan
    return values
