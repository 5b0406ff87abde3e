"""Scaffolds against known ones, RDKit's own module, and a plain pruning of the graph."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from cnnkit.adapters.families import draw_families
from cnnkit.adapters.molecule.scaffolds import scaffold

KNOWN = {
    "aspirin": ("CC(=O)Oc1ccccc1C(=O)O", "c1ccccc1"),
    "caffeine": ("Cn1cnc2c1c(=O)n(C)c(=O)n2C", "O=c1[nH]c(=O)c2[nH]cnc2[nH]1"),
    "diphenhydramine": ("CN(C)CCOC(c1ccccc1)c1ccccc1", "c1ccc(Cc2ccccc2)cc1"),
    "fenfuram": ("Cc1occc1C(=O)Nc1ccccc1", "O=C(Nc1ccccc1)c1ccoc1"),
    "camphor": ("CC1(C)C2CCC1(C)C(=O)C2", "O=C1CC2CCC1C2"),
    "methyl pyrrole": ("Cn1cccc1", "c1cc[nH]c1"),
    "chiral linker": ("C[C@H](c1ccccc1)[C@@H](O)C1CC1", "c1ccc(CCC2CC2)cc1"),
    "double bond in the linker": ("OC/C(=C/c1ccccc1)c1ccccc1", "C(=Cc1ccccc1)c1ccccc1"),
    "labelled": ("[13CH3][13c]1ccccc1", "c1ccccc1"),
    "two fragments": ("Cc1ccccc1.CC1CC1", "C1CC1.c1ccccc1"),
    "salt": ("[Na+].[O-]C(=O)c1ccccc1", "c1ccccc1"),
    "hexane": ("CCCCCC", ""),
    "water": ("O", ""),
}
SMILES = [smiles for smiles, _ in KNOWN.values()] + [
    "O1CC[C@@H](NC(=O)[C@@H](Cc2cc3cc(ccc3nc2N)-c2ccccc2C)C)CC1(C)C",
    "CCOc1ccc2nc(S(N)(=O)=O)sc2c1",
    "CN1C(=O)NC(c2ccccc2)C1=O",
    "OCC3OC(OCC2OC(OC(C#N)c1ccccc1)C(O)C(O)C2O)C(O)C(O)C3O",
    "C[C@]12CC[C@H]3[C@@H](CCc4cc(O)ccc43)[C@@H]1CC[C@@H]2O",
    "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O",
    "O=S(=O)(c1ccccc1)N1CCCC1",
    "N#CC(=C1CCCCC1)C#N",
    "C1CC12CC2",
    "[O-][n+]1ccccc1C",
]


def pruned(mol):
    """Take off end atoms, again and again, unless a double bond holds them to what remains."""
    inside = {atom.GetIdx() for atom in mol.GetAtoms()}
    rings = {atom for ring in mol.GetRingInfo().AtomRings() for atom in ring}
    core = set(inside)
    while True:
        ends = {
            atom
            for atom in core - rings
            if sum(other.GetIdx() in core for other in mol.GetAtomWithIdx(atom).GetNeighbors()) < 2
        }
        if not ends:
            break
        core -= ends
    held = {
        bond.GetOtherAtomIdx(atom)
        for atom in core
        for bond in mol.GetAtomWithIdx(atom).GetBonds()
        if bond.GetBondType() == Chem.BondType.DOUBLE
    }
    return core | held


@pytest.mark.parametrize("name", KNOWN)
def test_known_molecules_have_their_known_scaffold(name):
    smiles, expected = KNOWN[name]
    assert scaffold(Chem.MolFromSmiles(smiles)) == expected


@pytest.mark.parametrize("smiles", SMILES)
def test_a_scaffold_is_that_of_rdkits_own_module(smiles):
    mol = Chem.MolFromSmiles(smiles)
    before = Chem.MolToCXSmiles(mol)
    expected = MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False)
    assert scaffold(mol) == expected
    assert Chem.MolToCXSmiles(mol) == before


@pytest.mark.parametrize("smiles", [s for s in SMILES if "." not in s and "C#N)C#N" not in s])
def test_a_scaffold_has_the_atoms_that_pruning_leaves(smiles):
    mol = Chem.MolFromSmiles(smiles)
    left = sorted(mol.GetAtomWithIdx(atom).GetAtomicNum() for atom in pruned(mol))
    found = Chem.MolFromSmiles(scaffold(mol))
    assert sorted(atom.GetAtomicNum() for atom in found.GetAtoms()) == left


@pytest.mark.parametrize("smiles", SMILES)
def test_the_order_of_atoms_and_what_hangs_on_a_scaffold_do_not_matter(smiles):
    mol = Chem.MolFromSmiles(smiles)
    expected = scaffold(mol)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(mol.GetNumAtoms()).tolist()
        assert scaffold(Chem.RenumberAtoms(mol, order)) == expected
    if expected:
        assert scaffold(Chem.MolFromSmiles(expected)) == expected


def test_molecules_without_rings_are_one_family():
    acyclic = ["C" * length for length in range(1, 8)]
    families = [scaffold(Chem.MolFromSmiles(s)) for s in [*acyclic, "c1ccccc1C", "C1CC1", "C1CCC1"]]
    shares, rng = (0.7, 0.1, 0.2), np.random.default_rng(0)
    part, _ = draw_families("scaffold", families, list("abcdefghij"), shares, rng)
    assert part.tolist() == [0] * 7 + [2, 2, 1]
