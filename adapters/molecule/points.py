"""Molecules as points in the plane, in fixed-point numbers: what is kept of each.

A molecule is a row for each atom, then one for each bond:

    atom: x, y of each layout | element | charge | hydrogens | … | contributions
    bond: 0, 0 of each layout | first atom | second atom | kind | in a ring | 0 …

The layouts' coordinates are rows of atoms only; a bond knows the numbers of its atoms. Fixed-point
numbers of 16 bits take the room of half-precision floats and hold the contributions, which are
defined by two to four decimals, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cnnkit.adapters.molecule.atoms import (
    DESCRIPTION,
    ELEMENTS,
    HYBRIDS,
    cip_labels,
    describe_atoms,
    hybrids_of,
)
from cnnkit.adapters.molecule.bonds import Bonds, Int64Array, bonds_of, starts
from cnnkit.adapters.molecule.environments import environments_of, symbols_of
from cnnkit.adapters.molecule.layout import lay_out
from cnnkit.adapters.molecule.memory import Memory

ATOM_CHANNELS = (
    *ELEMENTS,
    "other element",
    "charge",
    "hydrogens / 2",
    "aromatic atom",
    "ring atom",
    "sp2",
    "sp",
    "CIP (R +1, S -1)",
    "logP",
    "molar refractivity / 3",
    "TPSA / 10",
    "surface / 6",
)
BOND_CHANNELS = ("single bond", "double bond", "triple bond", "aromatic bond", "ring bond")
CHANNELS = ATOM_CHANNELS + BOND_CHANNELS

PLACE_UNIT = 2**-9  # Å
# What 1 stands for in each column after the coordinates of an atom. Crippen's contributions to
# logP have four decimals, those to the molar refractivity and the polar surface three and two.
ATOM_UNITS = (1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1e-4, 1e-3 / 3, 1e-3, 1e-3 / 6)
ATOM_COLUMNS = len(ATOM_UNITS)
FARTHEST = 60.0  # Å from the middle that can be told
CHUNK = 128  # molecules described at once

_DESCRIPTIONS = Memory(describe_atoms, DESCRIPTION)
_HYBRIDS = Memory(hybrids_of, HYBRIDS)


class Points(NamedTuple):
    """A molecule as rows of points.

    Parameters
    ----------
    values : int16 array [atoms + bonds, 2 · layouts + 12]
    atoms : int
        Rows that are atoms; the others are bonds.
    scale : float
        Below 1: the molecule was shrunk to fit on the grid.
    """

    values: NDArray[np.int16]
    atoms: int
    scale: float


def points_of(smiles: Sequence[str], layouts: int, widest: float) -> list[Points]:
    """Lay out molecules and describe their atoms and bonds.

    Parameters
    ----------
    smiles : sequence of str
        Canonical: they decide on the order of the atoms, and so on the layout.
    layouts : int
    widest : float
        Å; what is wider or higher is shrunk to it.

    Examples
    --------
    >>> (points,) = points_of(["CCO"], layouts=1, widest=31.0)
    >>> points.values.shape, points.atoms
    ((5, 14), 3)
    """
    found: list[Points] = []
    for start in range(0, len(smiles), CHUNK):
        found += _points_of_chunk(smiles[start : start + CHUNK], layouts, widest)
    return found


def _points_of_chunk(smiles: Sequence[str], layouts: int, widest: float) -> list[Points]:
    mols = [Chem.MolFromSmiles(text) for text in smiles]
    drawings = [lay_out(mol, layouts) for mol in mols]
    symbols = [symbols_of(mol, text) for mol, text in zip(mols, smiles, strict=True)]
    bonds = bonds_of(mols, smiles)
    atoms = np.array([len(places) for places in drawings])
    places, scales = fitted(np.concatenate(drawings), atoms, widest)
    environments = environments_of(symbols, bonds)
    described = _DESCRIPTIONS.describe(mols, environments.description)
    hybrids = _HYBRIDS.describe(mols, environments.hybrid)
    ring_cip = np.zeros((len(places), 2), dtype=np.int16)
    ring_cip[bonds.first[bonds.in_ring], 0] = 1
    for start, mol, found in zip(starts(atoms).tolist(), mols, symbols, strict=True):
        centres = [number for number, symbol in enumerate(found) if "@" in symbol]
        if centres:
            ring_cip[[start + number for number in centres], 1] = cip_labels(mol, centres)
    columns = (
        places.reshape(len(places), -1),
        described[:, :4],
        ring_cip[:, :1],
        hybrids,
        ring_cip[:, 1:],
        described[:, 4:],
    )
    return _points(np.concatenate(columns, axis=1), atoms, bonds, scales)


def fitted(
    places: NDArray[np.float64], atoms: Int64Array, widest: float
) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Put the middle of each molecule's bounding boxes at (0, 0), and shrink what is too large.

    Parameters
    ----------
    places : float64 array [atoms of all, layouts, 2]
    atoms : int64 array [molecules]
        How many each molecule has, one or more.
    widest : float

    Returns
    -------
    int16 array [atoms of all, layouts, 2]
        In `PLACE_UNIT`.
    float64 array [molecules]
        Scales; one for all layouts of a molecule.
    """
    begin = starts(atoms)
    widest -= widest % (2 * PLACE_UNIT)  # else half of it would be rounded up, off the grid
    middle = (np.minimum.reduceat(places, begin) + np.maximum.reduceat(places, begin)) / 2
    centred = places - np.repeat(middle, atoms, axis=0)
    extent = np.maximum.reduceat(centred, begin) - np.minimum.reduceat(centred, begin)
    scales = widest / np.maximum(extent.max(axis=(1, 2)), widest)
    zoom = np.repeat(scales / PLACE_UNIT, atoms)[:, None, None]
    return np.rint(centred * zoom).astype(np.int16), scales


def _points(
    rows: NDArray[np.int16], atoms: Int64Array, bonds: Bonds, scales: NDArray[np.float64]
) -> list[Points]:
    """Gather each molecule's rows of atoms, and put those of its bonds behind them."""
    once = bonds.first < bonds.second
    first, second = bonds.first[once], bonds.second[once]
    molecule = np.repeat(np.arange(len(atoms)), atoms)[first]
    bond_rows = np.zeros((len(first), rows.shape[1]), dtype=np.int16)
    columns = rows.shape[1] - ATOM_COLUMNS
    shift = starts(atoms)[molecule]
    values = (first - shift, second - shift, bonds.kinds()[once], bonds.in_ring[once])
    bond_rows[:, columns : columns + 4] = np.stack(values, axis=1)
    atom_ends = np.cumsum(atoms)
    bond_ends = np.searchsorted(molecule, np.arange(len(atoms)), side="right")
    found, atom, bond = [], 0, 0
    for atom_end, bond_end, scale in zip(
        atom_ends.tolist(), bond_ends.tolist(), scales.tolist(), strict=True
    ):
        own = np.concatenate([rows[atom:atom_end], bond_rows[bond:bond_end]])
        found.append(Points(own, atom_end - atom, scale))
        atom, bond = atom_end, bond_end
    return found
