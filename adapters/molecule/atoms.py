"""What RDKit says about the atoms of a molecule."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdCIPLabeler, rdMolDescriptors

ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P")
DESCRIPTION = 8  # columns of `describe_atoms`
HYBRIDS = 2  # columns of `hybrids_of`
MOST = np.iinfo(np.int16).max

_ELEMENT = {Chem.GetPeriodicTable().GetAtomicNumber(e): i for i, e in enumerate(ELEMENTS)}
_OTHER = len(ELEMENTS)
CIP_STEPS = 100_000  # about a second
_HYBRIDS = {Chem.HybridizationType.SP2: (1, 0), Chem.HybridizationType.SP: (0, 1)}


def describe_atoms(mol: Chem.Mol) -> NDArray[np.int16]:
    """Describe each atom.

    Parameters
    ----------
    mol : Chem.Mol
        Sanitised, without explicit hydrogens.

    Returns
    -------
    int16 array [atoms, 8]
        Element (its place in `ELEMENTS`, or behind them), charge, hydrogens, aromatic; and
        contributions: to logP in 0.0001, molar refractivity in 0.001, polar surface in 0.01 Å²,
        surface in 0.001 Å², at most 32.767 Å²: heavier metals have more.

    References
    ----------
    Contributions of atoms: Wildman & Crippen 1999 (logP, MR), Ertl et al. 2000 (TPSA), Labute 2000
    (surface), as in RDKit; those of hydrogens are added to the atom they belong to.

    Examples
    --------
    >>> describe_atoms(Chem.MolFromSmiles("C#N"))[:, :4].tolist()
    [[0, 0, 1, 0], [1, 0, 0, 0]]
    """
    atoms = list(mol.GetAtoms())
    n = len(atoms)
    described = np.zeros((n, DESCRIPTION), dtype=np.int16)
    described[:, 0] = [_ELEMENT.get(atom.GetAtomicNum(), _OTHER) for atom in atoms]
    described[:, 1] = [atom.GetFormalCharge() for atom in atoms]
    described[:, 2] = [atom.GetTotalNumHs() for atom in atoms]
    described[:, 3] = [atom.GetIsAromatic() for atom in atoms]
    crippen = np.array(rdMolDescriptors._CalcCrippenContribs(Chem.AddHs(mol)))
    folded = crippen[:n]
    # RDKit puts the hydrogens behind all other atoms, in the order of those they belong to.
    np.add.at(folded, np.repeat(np.arange(n), described[:, 2]), crippen[n:])
    described[:, 4] = np.rint(folded[:, 0] * 1e4)
    described[:, 5] = np.rint(folded[:, 1] * 1e3)
    described[:, 6] = np.rint(np.array(rdMolDescriptors._CalcTPSAContribs(mol)) * 1e2)
    surface = np.array(rdMolDescriptors._CalcLabuteASAContribs(mol)[0])
    surface = np.nan_to_num(surface)  # not defined between two dummies
    # Beyond the largest 16-bit number a large metal's surface would become a negative one.
    described[:, 7] = np.rint(surface * 1e3).clip(max=MOST)
    return described


def hybrids_of(mol: Chem.Mol) -> NDArray[np.int16]:
    """Say of each atom whether it is sp2 and whether it is sp, int16 [atoms, 2].

    Examples
    --------
    >>> hybrids_of(Chem.MolFromSmiles("CC=O")).tolist()
    [[0, 0], [1, 0], [1, 0]]
    """
    hybrids = [_HYBRIDS.get(atom.GetHybridization(), (0, 0)) for atom in mol.GetAtoms()]
    return np.array(hybrids, dtype=np.int16)


def cip_labels(mol: Chem.Mol, atoms: list[int]) -> list[int]:
    """Return for each of the atoms 1 if it is R, -1 if it is S, else 0.

    RDKit labels most centres as it reads a molecule. Those that only a ring makes different (cis
    and trans) it leaves out: they are labelled by its other, slower implementation, r as R and s
    as S.

    Examples
    --------
    >>> cip_labels(Chem.MolFromSmiles("C[C@H](N)C(=O)O"), [0, 1])
    [0, -1]
    """
    found = [mol.GetAtomWithIdx(number) for number in atoms]
    if not all(atom.HasProp("_CIPCode") for atom in found):
        with suppress(RuntimeError):  # too many steps, in large cages: what is labelled remains
            rdCIPLabeler.AssignCIPLabels(mol, set(atoms), set(), maxRecursiveIterations=CIP_STEPS)
    codes = [atom.GetProp("_CIPCode") if atom.HasProp("_CIPCode") else "" for atom in found]
    return [{"R": 1, "S": -1}.get(code.upper(), 0) for code in codes]
