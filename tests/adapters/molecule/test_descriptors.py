import warnings

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from cnnkit.adapters.molecule import descriptors
from cnnkit.adapters.molecule.descriptors import DESCRIPTORS, describe

SLOW = {"qed", "SPS", "BertzCT", "AvgIpc", "Ipc"} | {
    f"{extreme}EStateIndex" for extreme in ("MaxAbs", "MinAbs", "Min")
}
DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",  # aspirin
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",  # caffeine
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",  # ibuprofen
    "CC1([C@@H](N2[C@H](S1)[C@@H](C2=O)NC(=O)Cc3ccccc3)C(=O)O)C",  # penicillin: ring of four
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",  # glucose
    "CN1CCC[C@H]1c2cccnc2",  # nicotine
    "O=[N+]([O-])c1ccc(Cl)cc1S(=O)(=O)NC#N",
    "C[C@]12CC[C@H]3[C@H]([C@@H]1CC[C@@H]2O)CCC4=CC(=O)CC[C@]34C",  # testosterone
    "CCOP(=S)(OCC)Oc1cc(C)nc(n1)C(C)C",  # diazinon
]
SMALL_RINGS = ["C1CC1", "C1CCC1N", "NC1CC1C(=O)Cl", "C12C3C4C1C5C2C3C45", "C1CC12CO2", "N1=NC1CBr"]
ODD = [
    *("C", "[Na+]", "*", "C*", "[2H]C", "[H][H]", "[2H]OCC(O[2H])[2H]", "C[CH2]", "[H+].[Cl-]"),
    *("CC(=O)[O-].[Na+]", "O.O.O", "C.CC", "[AlH4-]", "F[P-](F)(F)(F)(F)F", "C[Pt](Cl)(Cl)C"),
    *("[NaH].CCSSC", "CC(C)(C)[N+]#[C-]", "C=C=C=O", "B1OBOBO1", "I[I-]I", "N->[Fe]", "CCl~CC"),
]


def by_rdkit(mol: Chem.Mol) -> dict[str, float]:
    with warnings.catch_warnings(action="ignore"):
        return Descriptors.CalcMolDescriptors(mol, missingVal=float("nan"))


def test_they_are_all_that_this_rdkit_has_but_the_slow_ones():
    assert len(set(DESCRIPTORS)) == len(DESCRIPTORS) == 209
    assert {name for name, _ in Descriptors.descList} - set(DESCRIPTORS) == SLOW


@pytest.mark.parametrize("smiles", DRUGS + SMALL_RINGS + ODD)
def test_each_value_is_that_of_rdkit(smiles):
    mol = Chem.MolFromSmiles(smiles)
    truth = by_rdkit(Chem.MolFromSmiles(smiles))
    expected = np.array([truth[name] for name in DESCRIPTORS])
    expected[~np.isfinite(expected)] = np.nan
    found = describe(mol)
    if smiles == "[NaH].CCSSC":  # one charge isn't known: RDKit's extremes are those of some atoms
        charges = [number for number, name in enumerate(DESCRIPTORS) if "PartialCharge" in name]
        assert np.isnan(found[charges]).all()
        expected[charges] = np.nan
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_most_values_of_a_drug_are_known_and_several_of_a_metal_are_not():
    assert np.isfinite([describe(Chem.MolFromSmiles(smiles)) for smiles in DRUGS]).all()
    unknown = np.isnan(describe(Chem.MolFromSmiles("[Na+]")))
    assert {DESCRIPTORS[number] for number in np.flatnonzero(unknown)} >= {"BCUT2D_MWHI"}
    assert not unknown[DESCRIPTORS.index("MolWt")]


def test_the_order_of_the_atoms_does_not_matter():
    mol = Chem.MolFromSmiles(DRUGS[-1])
    order = np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist()
    shuffled = Chem.RenumberAtoms(mol, order)
    np.testing.assert_allclose(describe(shuffled), describe(mol), rtol=1e-9, atol=1e-9)


def test_the_molecule_is_left_as_it_is():
    mol = Chem.MolFromSmiles("CCO")
    before = list(mol.GetPropNames(True, True))
    describe(mol)
    assert not vars(mol)
    assert list(mol.GetPropNames(True, True)) == before
    assert not any(atom.HasProp("_GasteigerCharge") for atom in mol.GetAtoms())


def test_what_rdkit_raises_is_not_known(monkeypatch):
    def fail(mol):
        raise RuntimeError("Pre-condition Violation")

    monkeypatch.setattr(descriptors.rdMolDescriptors, "PEOE_VSA_", fail)
    unknown = np.isnan(describe(Chem.MolFromSmiles("CCO")))
    names = {DESCRIPTORS[number] for number in np.flatnonzero(unknown)}
    assert names == {f"PEOE_VSA{number}" for number in range(1, 15)}


def test_an_rdkit_without_a_descriptor_is_refused_by_name(monkeypatch):
    descriptors._families.cache_clear()
    monkeypatch.delattr(Descriptors, "fr_urea")
    with pytest.raises(RuntimeError, match=r"RDKit \d{4}.* doesn't know .*fr_urea"):
        describe(Chem.MolFromSmiles("CCO"))


@pytest.mark.parametrize("smiles", DRUGS[:3])
def test_the_paths_are_those_that_rdkit_walks(smiles):
    mol = Chem.MolFromSmiles(smiles)
    counts = descriptors.Intermediates(mol).paths[:, 0]
    walked = [len(Chem.FindAllPathsOfLengthN(mol, bonds)) for bonds in (2, 3, 4)]
    np.testing.assert_allclose(counts, walked)
