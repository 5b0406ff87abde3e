import math

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdPartialCharges

from cnnkit.adapters.molecule.adapter import MoleculeAdapter
from cnnkit.adapters.molecule.chemception import Chemception
from cnnkit.adapters.molecule.parsing import Parsing
from cnnkit.adapters.molecule.reading import Reading, read_molecules
from cnnkit.cnncore.image import Batch, Samples

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
MOLECULES = [
    ASPIRIN, "CCO", "CC#N", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "O=S(=O)(O)c1ccc2[nH]ccc2c1",
    "C[N+](C)(C)CC(=O)[O-]", "Clc1ccc(Br)c(I)c1", "CN1CCC[C@H]1c1cccnc1", "FC(F)(F)C#CC=C",
]  # fmt: skip


def batch_of(smiles: list[str], encoding: Chemception) -> Batch:
    return read_molecules(smiles, Reading(Parsing(), encoding)).to("cpu")


def drawn_by_loops(smiles: str, angle: float) -> np.ndarray:
    """Draw as the papers and deepchem describe it: bonds one by one, then atoms one by one."""
    mol = Chem.MolFromSmiles(Chem.CanonSmiles(smiles))
    rdDepictor.Compute2DCoords(mol)
    rdPartialCharges.ComputeGasteigerCharges(mol)
    x, y, _ = np.rint(mol.GetConformer().GetPositions() * 512).T / 512
    x, y = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
    image = np.zeros((4, 80, 80))
    for share in np.linspace(0, 1, 4):
        for bond in mol.GetBonds():
            one, other = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            column = math.ceil((share * x[one] + (1 - share) * x[other] + 20) / 0.5)
            row = math.ceil((share * y[one] + (1 - share) * y[other] + 20) / 0.5)
            image[0, row, column] = bond.GetBondTypeAsDouble()
    for atom in mol.GetAtoms():
        number = atom.GetIdx()
        image[:, round((y[number] + 20) / 0.5), round((x[number] + 20) / 0.5)] = (
            atom.GetAtomicNum(),
            atom.GetDoubleProp("_GasteigerCharge"),
            atom.GetValence(Chem.ValenceType.EXPLICIT),
            int(atom.GetHybridization()),
        )
    return image


def test_images_equal_those_drawn_point_by_point_from_rdkits_layout():
    # Turned by sevenths: no atom lies just between two pixels, where rounding errors decide.
    encoding = Chemception(views=7)
    batch, renderer = batch_of(MOLECULES, encoding), encoding.renderer(None).eval()
    for view in (1, 2, 5):
        found = renderer(batch, view=view).pixels.numpy()
        for smiles, image in zip(MOLECULES, found, strict=True):
            truth = drawn_by_loops(smiles, 2 * math.pi * view / 7)
            np.testing.assert_allclose(image, truth, atol=2e-4)


def test_methanol_by_hand():
    encoding, mol = Chemception(), Chem.MolFromSmiles("CO")
    rdDepictor.Compute2DCoords(mol)
    left_is_carbon = mol.GetConformer().GetPositions()[0, 0] < 0
    image = encoding.whole().eval()(batch_of(["OC"], encoding)).pixels[0].numpy()
    # Atoms at -0.75 and 0.75 Å: -1.5 and 1.5 pixels, of which the even neighbours are -2 and 2.
    # Points of the bond at ±0.75 and ±0.25 Å, rounded up: -1, 0, 1 and 2, below the atom.
    atoms = (6, 8) if left_is_carbon else (8, 6)
    np.testing.assert_array_equal(image[0, 40, 38:43], [atoms[0], 1, 1, 1, atoms[1]])
    np.testing.assert_array_equal(image[2, 40, 38:43], [1, 0, 0, 0, 1])
    np.testing.assert_array_equal(image[3, 40, 38:43], [4, 0, 0, 0, 4])
    assert (image[0] != 0).sum() == 5
    assert (image[1] != 0).sum() == 2


@pytest.mark.parametrize(
    ("smiles", "number", "valence", "hybridisation"),
    [("O", 8, 0, 4), ("[Na+]", 11, 0, 1), ("[NH4+]", 7, 4, 4)],
)
def test_a_single_atom_is_a_single_pixel_in_the_middle(smiles, number, valence, hybridisation):
    encoding = Chemception()
    image = encoding.whole().eval()(batch_of([smiles], encoding)).pixels[0].numpy()
    assert image[[0, 2, 3], 40, 40].tolist() == [number, valence, hybridisation]
    assert np.argwhere(image.any(axis=0)).tolist() == [[40, 40]]


def test_a_quarter_turn_turns_the_pixels_of_atoms():
    encoding = Chemception(views=8)  # views 1 and 3 are a quarter apart
    batch, renderer = batch_of(MOLECULES, encoding), encoding.renderer(None).eval()
    one, other = (renderer(batch, view=view).pixels.numpy()[:, 1:, 1:, 1:] for view in (1, 3))
    assert one.shape[2] == 79  # with the middle in the middle
    np.testing.assert_array_equal(other, np.rot90(one, -1, (2, 3)))


def test_sums_over_atoms_are_properties_of_the_molecule():
    encoding = Chemception()
    images = encoding.whole().eval()(batch_of(MOLECULES, encoding)).pixels.double().numpy()
    for smiles, image in zip(MOLECULES, images, strict=True):
        mol = Chem.MolFromSmiles(smiles)
        rdPartialCharges.ComputeGasteigerCharges(mol)
        atoms = image[3] != 0
        assert atoms.sum() == mol.GetNumAtoms()
        assert image[0, atoms].sum() == sum(atom.GetAtomicNum() for atom in mol.GetAtoms())
        charge = sum(atom.GetDoubleProp("_GasteigerCharge") for atom in mol.GetAtoms())
        assert image[1].sum() == pytest.approx(charge, abs=len(smiles) * 2**-13)
        orders = set(image[0, (image[0] != 0) & ~atoms].tolist())
        assert orders == {bond.GetBondTypeAsDouble() for bond in mol.GetBonds()}


def test_unknown_charges_are_0_and_said():
    encoding = Chemception()
    metal, plain = encoding.encode(["C[Pt]Cl", "CCO"])
    assert metal.remark.startswith("RDKit knows no Gasteiger charges")
    assert (metal.values[:3, 3] == 0).all()
    assert plain.remark == ""
    assert (plain.values[:3, 3] != 0).all()


def test_what_does_not_fit_is_shrunk_and_said():
    encoding, chain = Chemception(views=5), "C" * 60
    (encoded,) = encoding.encode([chain])
    extent = np.ptp(_layout(chain), axis=0)
    assert encoded.summary[1] == pytest.approx(39 / np.linalg.norm(extent), rel=0.02)
    assert f"drawn at {encoded.summary[1]:.0%} of its size" in encoded.remark
    batch, renderer = batch_of([chain], encoding), encoding.renderer(None).eval()
    for view in range(5):
        atoms = (renderer(batch, view=view).pixels[0, 3] != 0).sum()
        assert atoms >= 40  # a chain of 60 bonds, drawn at half its size, meets some pixels twice
    (whole,) = Chemception(pixels=240).encode([chain])
    assert whole.summary[1] == 1
    assert whole.remark == ""


def test_a_bond_at_the_edge_stays_on_its_image_however_it_is_turned():
    # Both ends at the farthest place that may be kept, a whole unit more than 39 pixels away.
    far = 39 * 256 + 1
    values = np.array([[far, 0, 6, 0, 4, 4], [0, far, 6, 0, 4, 4], [0, 1, 2, 0, 0, 0]], np.int16)
    sample = Samples(
        np.concatenate([values] * 2),
        offsets=np.array([0, 3, 6]),
        items=np.arange(2),
        summary=np.array([[2, 0.5]] * 2, np.float32),
    )
    renderer = Chemception(views=4).renderer(None).eval()
    for view in range(4):
        one, other = renderer(sample.to("cpu"), view=view).pixels
        assert torch.equal(one, other)  # nothing of it is drawn on its neighbour
        rows, columns = one[0].nonzero().T
        assert rows.max() - rows.min() in (38, 39, 40)
        assert columns.max() - columns.min() in (38, 39, 40)


def _layout(smiles: str) -> np.ndarray:
    mol = Chem.MolFromSmiles(smiles)
    rdDepictor.Compute2DCoords(mol)
    return mol.GetConformer().GetPositions()[:, :2]


def test_a_molecule_is_drawn_alike_alone_and_among_others():
    encoding = Chemception()
    whole = encoding.whole().eval()
    together = whole(batch_of(MOLECULES, encoding)).pixels
    for smiles, image in zip(MOLECULES, together, strict=True):
        assert torch.equal(whole(batch_of([smiles], encoding)).pixels[0], image)
    assert whole(batch_of(MOLECULES, encoding)[:0]).pixels.shape == (0, 4, 80, 80)


def test_training_turns_each_molecule_by_an_angle_of_its_own():
    encoding = Chemception()
    batch, renderer = batch_of([ASPIRIN] * 8, encoding), encoding.renderer(None).train()
    first, again = (renderer(batch, torch.Generator().manual_seed(1)).pixels for _ in range(2))
    assert torch.equal(first, again)
    assert len({image.numpy().tobytes() for image in first}) == 8
    plain = Chemception(augment=False).renderer(None).train()(batch, torch.Generator()).pixels
    assert torch.equal(plain, encoding.whole().eval()(batch).pixels)


def test_every_pixel_says_what_it_shows():
    encoding, mol = Chemception(), Chem.MolFromSmiles(ASPIRIN)
    image = encoding.whole().eval()(batch_of([ASPIRIN], encoding)).pixels[0].numpy()
    atoms = []
    for row, column in np.argwhere(image[0] != 0).tolist():
        place = encoding.place(mol, row, column)
        if image[3, row, column]:
            (atom,) = place.atoms
            assert image[0, row, column] == mol.GetAtomWithIdx(atom).GetAtomicNum()
            atoms.append(atom)
        else:
            (bond,) = place.bonds
            assert image[0, row, column] == mol.GetBondWithIdx(bond).GetBondTypeAsDouble()
    assert sorted(atoms) == list(range(13))
    assert encoding.place(mol, 0, 79) == ([], [], {"x": 19.5, "y": -20.0})
    with pytest.raises(IndexError, match="80 rows and columns"):
        encoding.place(mol, 0, 80)


def test_the_order_of_a_smiles_changes_nothing_and_labels_are_in_angstrom():
    mol = Chem.MolFromSmiles("CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O.[Na+]")
    adapter = MoleculeAdapter(encoding="chemception", side="none", cache=False).fit(["CCO"])
    images = adapter.transform(Chem.MolToRandomSmilesVect(mol, 5, randomSeed=1))
    assert images.shape == (5, 4, 80, 80)
    np.testing.assert_array_equal(images, images[:1].repeat(5, 0))
    assert adapter.edge_labels("CCO", 0, [0, 40, 79]) == ["-20.0 Å", "0.0 Å", "19.5 Å"]


def test_wrong_sizes_are_refused_all_at_once():
    with pytest.raises(ValueError, match=r"pixel=2 x pixels=81: .*; pixels=81: .*; views=0: "):
        Chemception(pixel=2, pixels=81, views=0)
