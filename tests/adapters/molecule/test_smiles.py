import numpy as np
import pytest
import torch
from rdkit import Chem

from cnnkit.adapters.molecule.adapter import MoleculeAdapter
from cnnkit.adapters.molecule.parsing import Parsing
from cnnkit.adapters.molecule.reading import Reading, read_molecules
from cnnkit.adapters.molecule.smiles import SmilesText
from cnnkit.adapters.molecule.smiles_tokens import (
    OTHER,
    categories_of,
    encode,
    meanings,
    tokens_of,
    vocabulary,
)
from cnnkit.cnncore.image import Batch
from cnnkit.cnncore.layer_types import to_text
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.presets import resolve

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
CAGE = "C12C3C4C1C5C2C3C45"  # cubane
MOLECULES = [
    ASPIRIN, CAGE, "CN1CCC[C@H]1c1cccnc1", "C[N+](C)(C)CC(=O)[O-].[Na+].[Cl-]", "F/C=C/C#N",
    "O", "c1ccc2[nH]ccc2c1", "N->[Pt+2](<-N)(<-[Cl-])<-[Cl-]", "C%10CC%11CCC%10C%11",
    "Clc1cccc(Br)c1", "F[Pt@SP1](Cl)(Br)I", "c1cc[se]c1", "C~C", "*CC", "[Fe+6]", "C[SiH3]",
    "C1CC1" * 6,
]  # fmt: skip
NAMES = {number: name for name, number in vocabulary().items()}


def written(smiles: str, count: int = 20) -> list[str]:
    mol = Chem.MolFromSmiles(smiles)
    return [smiles, Chem.MolToSmiles(mol), *Chem.MolToRandomSmilesVect(mol, count, randomSeed=3)]


def batch_of(smiles: list[str], encoding: SmilesText) -> Batch:
    return read_molecules(smiles, Reading(Parsing(), encoding)).to("cpu")


def text_of(row: torch.Tensor) -> str:
    """Write the signs [1, W] of a molecule without brackets."""
    return "".join(NAMES[number] for number in row.flatten().tolist() if number)


@pytest.mark.parametrize("smiles", MOLECULES)
def test_tokens_join_to_the_smiles_and_are_all_known(smiles):
    for text in written(smiles):
        tokens = tokens_of(text)
        assert "".join(tokens) == text
        if "@SP" not in text:
            assert vocabulary()[OTHER] not in encode(tokens)


@pytest.mark.parametrize("smiles", MOLECULES)
def test_atoms_are_rdkits_atoms(smiles):
    for text in written(smiles):
        mol = Chem.MolFromSmiles(text, sanitize=False)
        tokens, said = tokens_of(text), meanings(tokens_of(text))
        assert [atom for one in said for atom in one.atoms] == list(range(mol.GetNumAtoms()))
        for token, meaning in zip(tokens, said, strict=True):
            sign, hydrogens, charge, _ = categories_of(token)
            for number in meaning.atoms:
                atom = mol.GetAtomWithIdx(number)
                symbol = atom.GetSymbol().lower() if atom.GetIsAromatic() else atom.GetSymbol()
                assert NAMES[sign] == symbol
                assert int(NAMES[charge] if charge else 0) == min(atom.GetFormalCharge(), 4)
                count = atom.GetNumExplicitHs()
                assert (NAMES[hydrogens] if hydrogens else "H0") == f"H{count}"


@pytest.mark.parametrize("smiles", MOLECULES)
def test_bond_signs_and_ring_numbers_are_rdkits_bonds(smiles):
    kinds = {"=": "DOUBLE", "#": "TRIPLE", "/": "SINGLE", "\\": "SINGLE", "-": "SINGLE"}
    for text in written(smiles):
        mol = Chem.MolFromSmiles(text, sanitize=False)
        closing = []
        for token, meaning in zip(tokens_of(text), meanings(tokens_of(text)), strict=True):
            bonds = [mol.GetBondBetweenAtoms(*ends) for ends in meaning.bonds]
            assert None not in bonds
            if token in kinds:
                assert [bond.GetBondType().name for bond in bonds] == [kinds[token]]
            if token[0].isdigit() or token[0] == "%":
                closing += [bond.GetIdx() for bond in bonds]
        rings = mol.GetNumBonds() - mol.GetNumAtoms() + len(Chem.GetMolFrags(mol))
        # Each stands where the ring opens and where it closes.
        assert {closing.count(bond) for bond in closing} <= {2}
        assert len(set(closing)) == rings


def test_a_bond_sign_before_a_ring_number_belongs_to_the_ring():
    assert [one.bonds for one in meanings(tokens_of("C=1CCC1"))][1] == [(0, 3)]
    assert [one.bonds for one in meanings(tokens_of("C1CCC=1"))][5:] == [[(0, 3)]] * 2


def test_what_is_unknown_is_other_and_what_is_far_is_the_farthest():
    other = vocabulary()[OTHER]
    assert categories_of("?") == categories_of("[?]") == (other, 0, 0, 0)
    assert categories_of("[Xx]")[0] == categories_of("[Pt@SP1]")[3] == other
    assert NAMES[categories_of("[Fe+6]")[2]] == "+4"
    assert NAMES[categories_of("[N---]")[2]] == "-3"
    assert categories_of("%10") == categories_of("%(123)") != categories_of("1")


def test_mirror_images_differ_in_handedness_only():
    left, right = SmilesText(layouts=1).encode(["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"])
    np.testing.assert_array_equal(left.values[:, :3], right.values[:, :3])
    assert (left.values[:, 3] != right.values[:, 3]).sum() == 1


def test_views_are_other_smiles_of_the_same_molecule_and_the_first_is_canonical():
    encoding, smiles = SmilesText(layouts=4, views=8), [ASPIRIN, CAGE, "CC(C)CC(=O)c1ccncc1"]
    batch, renderer = batch_of(smiles, encoding), encoding.renderer(None).eval()
    assert renderer.views == 4
    drawn = [renderer(batch, view=view).pixels[:, 0] for view in range(4)]
    for molecule, text in enumerate(smiles):
        texts = [text_of(rows[molecule]) for rows in drawn]
        assert texts[0] == Chem.CanonSmiles(text)
        assert {Chem.CanonSmiles(one) for one in texts} == {texts[0]}
    assert len({text_of(rows[2]) for rows in drawn}) == 4


def test_training_shows_every_smiles_of_a_molecule():
    encoding = SmilesText(layouts=3)
    batch, renderer = batch_of([ASPIRIN] * 60, encoding), encoding.renderer(None).train()
    shown = {text_of(row) for row in renderer(batch, torch.Generator().manual_seed(0)).pixels[:, 0]}
    renderer.eval()
    assert shown == {text_of(renderer(batch, view=view).pixels[0, 0]) for view in range(3)}
    plain = SmilesText(layouts=3, augment=False).renderer(None).train()(batch, torch.Generator())
    assert {text_of(row) for row in plain.pixels[:, 0]} == {Chem.CanonSmiles(ASPIRIN)}


def test_a_network_sees_no_padding():
    encoding = SmilesText()
    network = Network(resolve("smiles", encoding.spec), encoding.spec, outputs=2).eval()
    for weight in network.parameters():  # no vote may be 0 by chance
        torch.nn.init.normal_(weight, std=0.2, generator=torch.Generator().manual_seed(weight.ndim))
    whole = encoding.whole().eval()
    together = whole(batch_of(MOLECULES, encoding))
    assert not together.pixels[:, :, 0][~together.mask.expand(-1, 4, -1, -1)[:, :, 0]].any()
    votes = network(together)
    for smiles, vote in zip(MOLECULES, votes, strict=True):
        torch.testing.assert_close(network(whole(batch_of([smiles], encoding)))[0], vote)


def test_side_features_join_before_a_hidden_layer():
    adapter = MoleculeAdapter(encoding="smiles", side="morgan", cache=False)
    adapter.fit([ASPIRIN, "CCO", "CCN"])
    assert " | side | dense 256 | " in to_text(resolve("smiles", adapter.spec_))
    assert "side" not in to_text(resolve("smiles", SmilesText().spec))
    images = adapter.renderer().eval()(adapter.read([ASPIRIN]).to("cpu"))
    assert images.side.shape == (1, len(adapter.spec_.side))
    votes = Network(resolve("smiles", adapter.spec_), adapter.spec_, outputs=1).eval()(images)
    assert votes.shape == (1, 1)


def test_transform_is_as_long_as_the_longest_of_many():
    adapter = MoleculeAdapter(encoding="smiles", side="none", cache=False).fit(["CCO"])
    items = ["C" * (1 + number % 7) for number in range(600)] + ["C" * 40]
    images = adapter.transform(items)
    assert images.shape == (601, 4, 1, 40)
    assert images.dtype == np.int64
    np.testing.assert_array_equal((images[:, 0, 0] != 0).sum(axis=1), [len(one) for one in items])
    assert adapter.transform([]).shape == (0, 4, 1, 1)


def test_the_order_of_a_smiles_changes_nothing():
    mol = Chem.MolFromSmiles("CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)[O-].[Na+]")
    adapter = MoleculeAdapter(encoding="smiles", side="none", cache=False).fit(["CCO"])
    samples = adapter.read(Chem.MolToRandomSmilesVect(mol, 5, randomSeed=1))
    for row in range(1, 5):  # all SMILES that are kept
        one = samples[np.array([row])]
        np.testing.assert_array_equal(one.values, samples[np.array([0])].values)


def test_a_column_says_which_atom_or_bond_of_the_item_it_shows():
    adapter = MoleculeAdapter(encoding="smiles", side="none", cache=False).fit(["CCO"])
    item = "O=C(C)Cl"  # canonical CC(=O)Cl
    shown = [adapter.locate(item, 0, column) for column in range(7)]
    assert [one["sign"] for one in shown] == ["C", "C", "(", "=", "O", ")", "Cl"]
    assert [one["atoms"] for one in shown] == [[2], [1], [], [], [0], [], [3]]
    assert [one["bonds"] for one in shown] == [[], [], [], [0], [], [], []]
    assert shown[6]["position"] == 6
    with pytest.raises(IndexError, match="1 row and 7 columns"):
        adapter.locate(item, 0, 7)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"layouts=0: .*; views=0: "):
        SmilesText(layouts=0, views=0)
    with pytest.raises(ValueError, match="pixels=64: a SMILES has no size"):
        MoleculeAdapter(encoding="smiles", pixels=64).fit(["CCO"])
