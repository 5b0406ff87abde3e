"""The bonds of many molecules at once, as arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

Int64Array = NDArray[np.int64]

UNUSUAL = re.compile(r"[<>~]")  # in a SMILES: dative bonds, and those of no order
_KINDS = {2.0: 1, 3.0: 2, 1.5: 3}  # double, triple, aromatic; all other orders count as single


class Bonds(NamedTuple):
    """Each bond twice, once from either atom; sorted by the first atom, then by the second.

    Parameters
    ----------
    first, second : int64 array [2 · bonds]
        Atoms, numbered through all molecules.
    order : float64 array [2 · bonds]
        1.5 if aromatic.
    in_ring : bool array [2 · bonds]
    in_triangle : bool array [atoms]
        Whether an atom is in a ring of three.
    """

    first: Int64Array
    second: Int64Array
    order: NDArray[np.float64]
    in_ring: NDArray[np.bool_]
    in_triangle: NDArray[np.bool_]

    def kinds(self) -> Int64Array:
        """Return 0 for single bonds, 1 for double, 2 for triple, 3 for aromatic ones."""
        kinds = np.zeros(len(self.order), dtype=np.int64)
        for order, kind in _KINDS.items():
            kinds[self.order == order] = kind
        return kinds


def bonds_of(mols: Sequence[Chem.Mol], smiles: Sequence[str]) -> Bonds:
    """List the bonds of molecules, given with their SMILES.

    Examples
    --------
    >>> smiles = ["C=O", "C1CC1"]
    >>> bonds = bonds_of([Chem.MolFromSmiles(text) for text in smiles], smiles)
    >>> bonds.first.tolist(), bonds.second.tolist()
    ([0, 1, 2, 2, 3, 3, 4, 4], [1, 0, 3, 4, 2, 4, 2, 3])
    >>> bonds.kinds().tolist()
    [1, 1, 0, 0, 0, 0, 0, 0]
    """
    # A matrix for each molecule, all of them row by row in one array: a bond is a place in it.
    matrices = [_orders(mol, text).ravel() for mol, text in zip(mols, smiles, strict=True)]
    sizes = np.array([mol.GetNumAtoms() for mol in mols])
    atom_starts, matrix_starts = starts(sizes), starts(sizes**2)
    orders = np.concatenate(matrices)
    places = np.flatnonzero(orders)
    molecule = np.searchsorted(matrix_starts, places, side="right") - 1
    first, second = np.divmod(places - matrix_starts[molecule], sizes[molecule])

    ring_molecule, ring_first, ring_second, ring_size = _ring_bonds(mols)
    in_ring = np.zeros(len(orders), dtype=bool)
    for one, other in ((ring_first, ring_second), (ring_second, ring_first)):
        in_ring[matrix_starts[ring_molecule] + one * sizes[ring_molecule] + other] = True
    in_triangle = np.zeros(int(sizes.sum()), dtype=bool)
    in_triangle[(atom_starts[ring_molecule] + ring_first)[ring_size == 3]] = True

    shift = atom_starts[molecule]
    return Bonds(first + shift, second + shift, orders[places], in_ring[places], in_triangle)


def _orders(mol: Chem.Mol, smiles: str) -> NDArray[np.float64]:
    orders: NDArray[np.float64] = Chem.GetAdjacencyMatrix(mol, useBO=True)
    if UNUSUAL.search(smiles):
        # A dative bond has an order for one of its atoms only, others for none.
        orders = np.maximum(orders, Chem.GetAdjacencyMatrix(mol))
    return orders


def _ring_bonds(
    mols: Sequence[Chem.Mol],
) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """Return each ring's bonds: molecule, first atom, second atom, size of the ring."""
    rings = [mol.GetRingInfo().AtomRings() for mol in mols]
    molecule = np.repeat(np.arange(len(mols)), [len(found) for found in rings])
    sizes = np.array([len(ring) for found in rings for ring in found], dtype=np.int64)
    atoms = np.array([atom for found in rings for ring in found for atom in ring], dtype=np.int64)
    following = np.arange(1, len(atoms) + 1)
    following[starts(sizes) + sizes - 1] = starts(sizes)  # the last atom is beside the first
    return np.repeat(molecule, sizes), atoms, atoms[following], np.repeat(sizes, sizes)


def starts(lengths: Int64Array) -> Int64Array:
    """Return where each of several arrays begins that lie one behind another."""
    begin: Int64Array = np.cumsum(lengths) - lengths
    return begin
