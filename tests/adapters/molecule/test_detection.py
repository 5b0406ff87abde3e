"""SMILES among other texts."""

import pytest
from rdkit import Chem

from cnnkit.adapters.molecule.detection import looks_like_smiles


@pytest.mark.parametrize(
    "text",
    [
        "CCO", "c1ccccc1", "CC(=O)O", "C#N", "O=O", "[Na+].[Cl-]", "ClCCl.CCO", "CCCBr",
        "N[C@@H](C)C(=O)O", "F/C=C/F", "CCO ethanol", " CCO ", "CC* |$;;R1$|", "[2H]C([2H])O",
        "C1CC1\tcyclopropane", "OC(=O)c1ccccc1OC(C)=O", "C%10CCCCC%10",
    ],
)  # fmt: skip
def test_molecules_are_known(text):
    assert looks_like_smiles(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "C", "CC", "NO", "CN", "US", "CO", "IN", "COOH", "Pt", "[Pt]", "O", "CNS",
        "CNS+", "BBBP", "COIN", "ICON", "SCION", "INFO", "BOSS", "no", "on", "cos", "son", "nose",
        "N-S", "C-C", "C/N", "I/O", "C#", "C++", "N/A", "n/a", "nan", "NaN", "None", "?", "-",
        "0", "1", "-0.5", "1e5", "2020-01-01", "BACE_1", "TOX3021", "CHEMBL25", "MOL0001", "C1",
        "CCR5", "CF3", "p53", "C6H12O6", "CH4", "CO2", "NaCl", "H2O", "64-17-5",
        "LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "InChI=1S/CH4/h1H4", "CCO>>CC=O",
        "[C][=C][Branch1][C][O][C]", "Aspirin", "ethanol", "grain alcohol", "CO and NO",
        "MKTAYIAKQR", "ACGTACGT", "B[a]P", "Class(1)", "http://example.com/CCO", "C(C)(C)(C)(C)C",
        "c1cccn1", "\ud83d", "benzène", "CCO" * 2000,
    ],
)  # fmt: skip
def test_other_texts_are_not(text):
    assert not looks_like_smiles(text)


@pytest.mark.parametrize("atoms", range(3, 8))
def test_every_way_of_writing_a_molecule_is_known(atoms):
    mol = Chem.MolFromSmiles("C" * atoms + "(O)N")
    assert mol.GetNumAtoms() == atoms + 2
    for seed in range(20):
        assert looks_like_smiles(Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed + 1)[0])


def test_nothing_is_written_to_the_terminal(capfd):
    assert not looks_like_smiles("C(C)(C)(C)(C)C")
    assert not looks_like_smiles("C1CC(")
    assert capfd.readouterr() == ("", "")
