"""What several of RDKit's descriptors are made of: properties of atoms, bonds and paths."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors
from rdkit.Chem.rdPartialCharges import ComputeGasteigerCharges

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NOBLE_GASES = [2, 10, 18, 36, 54, 86]
_ELECTRONS = Chem.GetPeriodicTable()


class Intermediates:
    """What several descriptors of a molecule are made of, each computed when first asked for.

    Parameters
    ----------
    mol : Chem.Mol
        Left as it is: RDKit notes charges and matrices in a copy.
    """

    def __init__(self, mol: Chem.Mol) -> None:
        self.mol = Chem.Mol(mol, True)

    @cached_property
    def atoms(self) -> IntArray:
        """Atomic number, hydrogens, charge and unpaired electrons of each atom, int64 [4, A]."""
        return np.array(
            [
                (
                    atom.GetAtomicNum(),
                    atom.GetTotalNumHs(),
                    atom.GetFormalCharge(),
                    atom.GetNumRadicalElectrons(),
                )
                for atom in self.mol.GetAtoms()
            ],
            dtype=np.int64,
        ).T

    @cached_property
    def outer_electrons(self) -> FloatArray:
        """Valence electrons of each atom's element, float64 [A]."""
        numbers = self.atoms[0].tolist()
        return np.array([_ELECTRONS.GetNOuterElecs(number) for number in numbers], np.float64)

    @cached_property
    def bonds(self) -> tuple[IntArray, IntArray]:
        """The two atoms of each bond, int64 [B] twice."""
        first, second = np.nonzero(np.triu(Chem.GetAdjacencyMatrix(self.mol)))
        return first, second

    @cached_property
    def degrees(self) -> FloatArray:
        """Neighbours of each atom but hydrogens, float64 [A]."""
        ends = np.concatenate(self.bonds)
        return np.bincount(ends, minlength=self.mol.GetNumAtoms()).astype(np.float64)

    @cached_property
    def e_state(self) -> FloatArray:
        """Electrotopological state of each atom, float64 [A] (Hall, Mohney & Kier 1991)."""
        shells = np.searchsorted(NOBLE_GASES, self.atoms[0]) + 1
        intrinsic = (4 / shells**2 * self.valence_electrons + 1) / self.degrees
        intrinsic[self.degrees == 0] = 0
        distance = Chem.GetDistanceMatrix(self.mol) + 1  # 1e8 between fragments: no pull
        pull = (intrinsic[:, None] - intrinsic) / distance**2
        states: FloatArray = pull.sum(1) + intrinsic
        return states

    @cached_property
    def surface(self) -> FloatArray:
        """Labute's approximate surface area of each atom, float64 [A] (Å²)."""
        return np.array(rdMolDescriptors._CalcLabuteASAContribs(self.mol)[0])

    @cached_property
    def crippen(self) -> FloatArray:
        """Contributions to logP and to molar refractivity, float64 [A + hydrogens, 2]."""
        with_hydrogens = Chem.AddHs(self.mol)
        return np.array(rdMolDescriptors._CalcCrippenContribs(with_hydrogens))

    @cached_property
    def charges(self) -> FloatArray:
        """Gasteiger's partial charges, float64 [A]; NaN where they don't converge."""
        ComputeGasteigerCharges(self.mol)
        atoms = self.mol.GetAtoms()
        return np.array([atom.GetDoubleProp("_GasteigerCharge") for atom in atoms])

    @cached_property
    def valence_electrons(self) -> FloatArray:
        """Electrons of each atom's bonds to other atoms than hydrogen, float64 [A]."""
        bonds: FloatArray = self.outer_electrons - self.atoms[1]
        return bonds

    @property
    def has_closed_forms(self) -> bool:
        """Whether `paths` may be asked: no path runs into itself, and no weight is odd."""
        if self.mol.GetNumHeavyAtoms() < self.mol.GetNumAtoms() or self.valence_electrons.min() < 0:
            return False
        return all(len(ring) > 4 for ring in self.mol.GetRingInfo().AtomRings())

    @cached_property
    def paths(self) -> FloatArray:
        """Sums over all paths of two, three and four bonds, float64 [3, 3].

        Columns: of 1, and of the products of 1/√(valence electrons) and of 1/√(Kier and Hall's δ)
        along the path. An atom's neighbours are summed by the adjacency matrix.
        """
        inner = self.atoms[0] - self.outer_electrons - 1
        delta = self.valence_electrons / np.where(self.atoms[0] <= 10, 1, inner)
        weights = np.stack([np.ones_like(delta), self.valence_electrons**-0.5, delta**-0.5])
        weights[1:, delta == 0] = 0
        adjacent = Chem.GetAdjacencyMatrix(self.mol).astype(np.float64)
        beside = weights @ adjacent
        squares = weights**2 @ adjacent
        pairs = weights * beside
        two = weights * (beside**2 - squares)
        three = pairs * (pairs @ adjacent) - 2 * pairs**2 + weights**2 * squares
        arms = pairs @ adjacent - pairs
        arm_squares = pairs**2 @ adjacent - 2 * weights * (weights * pairs @ adjacent)
        four = weights * (arms**2 - arm_squares - weights**2 * squares)
        sums: FloatArray = np.stack([two, three, four]).sum(2) / 2
        return sums
