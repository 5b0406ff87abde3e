import numpy as np
import pytest
import torch
from rdkit import Chem

from cnnkit.adapters.molecule.adapter import MoleculeAdapter
from cnnkit.adapters.molecule.drawing import Drawing
from cnnkit.adapters.molecule.drawing_renderer import POSES
from cnnkit.adapters.molecule.parsing import Parsing
from cnnkit.adapters.molecule.reading import Reading, read_molecules
from cnnkit.cnncore.image import Batch

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
MOLECULES = [ASPIRIN, "c1ccccc1", "CCO", "O=C(Nc1ccc(Cl)cc1)c1ccccc1"]


def batch_of(smiles: list[str], drawing: Drawing) -> Batch:
    return read_molecules(smiles, Reading(Parsing(), drawing)).to("cpu")


def poses_of(image: np.ndarray) -> list[np.ndarray]:
    """All eight ways to lay a sheet [3, S, S] on the table, by numpy alone."""
    turned = [np.rot90(image, turns, (1, 2)) for turns in range(4)]
    return turned + [np.rot90(image[:, :, ::-1], turns, (1, 2)) for turns in range(4)]


def bond_lengths(smiles: str, drawing: Drawing) -> np.ndarray:
    mol = Chem.MolFromSmiles(smiles)
    atoms = drawing.draw(mol).atoms
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    return np.array([np.linalg.norm(atoms[one] - atoms[other]) for one, other in ends])


def test_views_are_the_quarter_turns_of_the_plain_drawing_and_of_its_mirror_image():
    drawing = Drawing()
    batch, renderer = batch_of(MOLECULES, drawing), drawing.renderer(None).eval()
    assert renderer.views == POSES == 8
    plain = renderer(batch).pixels.numpy()
    for view in range(POSES):
        found = renderer(batch, view=view).pixels.numpy()
        for image, one in zip(plain, found, strict=True):
            np.testing.assert_array_equal(one, poses_of(image)[view])


def test_training_shows_all_poses_and_nothing_else():
    drawing = Drawing()
    batch, renderer = batch_of([ASPIRIN] * 100, drawing), drawing.renderer(None).train()
    poses = poses_of(drawing.whole().eval()(batch).pixels[0].numpy())
    found = renderer(batch, torch.Generator().manual_seed(1)).pixels.numpy()
    seen = [[np.array_equal(image, pose) for pose in poses].index(True) for image in found]
    assert set(seen) == set(range(8))
    again = renderer(batch, torch.Generator().manual_seed(1)).pixels.numpy()
    np.testing.assert_array_equal(found, again)


def test_without_augmentation_training_shows_the_plain_drawing():
    drawing = Drawing(augment=False, views=3)
    batch, renderer = batch_of(MOLECULES, drawing), drawing.renderer(None)
    assert renderer.views == 3
    plain = renderer.eval()(batch).pixels
    torch.testing.assert_close(renderer.train()(batch, torch.Generator()).pixels, plain)


def test_paper_is_0_and_hydrocarbons_are_grey():
    drawing = Drawing()
    image = drawing.whole().eval()(batch_of(["c1ccccc1"], drawing)).pixels[0].numpy()
    assert image.shape == (3, 112, 112)
    np.testing.assert_array_equal(image[0], image[1])
    np.testing.assert_array_equal(image[0], image[2])
    assert image.max() > 0.8
    # Benzene is 3 Å wide, 12 pixels: the margins are paper.
    assert (image != 0).sum() == (image[:, 44:68, 44:68] != 0).sum()


@pytest.mark.parametrize(
    ("smiles", "least_ink", "most_ink"), [("O", 0, 1), ("N", 2, 0), ("Cl", 1, 0)]
)
def test_elements_have_rdkits_colours(smiles, least_ink, most_ink):
    # Oxygen is red, nitrogen blue, chlorine green: there is least ink in the channel of that name.
    (encoded,) = Drawing().encode([smiles])
    ink = encoded.values.reshape(112, 112, 3).sum((0, 1), dtype=int)
    assert ink[most_ink] > 5 * ink[least_ink]


def test_a_bond_is_as_long_in_every_drawing_and_shrinks_with_the_molecule():
    for smiles in ("CC", "CCO", "c1ccccc1", ASPIRIN):  # 1.5 Å of 0.25 Å a pixel
        np.testing.assert_allclose(bond_lengths(smiles, Drawing()), 6.0, atol=0.1)
    chain = "C" * 40
    (encoded,) = Drawing().encode([chain])
    (scale,) = encoded.summary
    assert scale == pytest.approx(112 / (39 * 1.5 * 0.866 / 0.25), rel=0.1)
    assert f"{scale:.0%} of its size" in encoded.remark
    np.testing.assert_allclose(bond_lengths(chain, Drawing()), 6 * scale, rtol=0.02)
    (whole,) = Drawing(pixels=320).encode([chain])
    assert whole.summary == (1.0,)
    assert whole.remark == ""


def test_parts_are_farther_apart_than_bonded_atoms():
    atoms = Drawing().draw(Chem.MolFromSmiles("CC(=O)[O-].[Na+]")).atoms
    distances = np.linalg.norm(atoms[:-1] - atoms[-1], axis=1)
    assert distances.min() >= 3.0 / 0.25 - 0.1


def test_mirror_images_have_other_wedges():
    left, right = Drawing().encode(["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"])
    assert (left.values != right.values).any()


def test_the_order_of_a_smiles_changes_nothing():
    mol = Chem.MolFromSmiles("CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O")
    adapter = MoleculeAdapter(encoding="drawing", side="none", cache=False).fit(["CCO"])
    images = adapter.transform(Chem.MolToRandomSmilesVect(mol, 5, randomSeed=1))
    assert images.shape == (5, 3, 112, 112)
    np.testing.assert_array_equal(images, images[:1].repeat(5, 0))


def test_a_pixel_shows_the_atoms_and_bonds_beside_it():
    drawing, mol = Drawing(), Chem.MolFromSmiles("CCO")
    atoms = drawing.draw(mol).atoms
    for number, (x, y) in enumerate(atoms):
        place = drawing.place(mol, int(y), int(x))
        assert place.atoms == [number]
        assert place.bonds == [[0], [0, 1], [1]][number]
    x, y = atoms[:2].mean(axis=0)
    assert drawing.place(mol, int(y), int(x))[:2] == ([], [0])
    assert drawing.place(mol, 0, 0) == ([], [], {"x": 0, "y": 0})
    with pytest.raises(IndexError, match="112 rows and columns"):
        drawing.place(mol, 112, 0)


def test_all_ink_of_a_hydrocarbon_belongs_to_a_bond():
    drawing, mol = Drawing(), Chem.MolFromSmiles("CCC=CC#C")
    inked = np.argwhere(drawing.draw(mol).ink.any(2)).tolist()
    assert len(inked) > 50
    assert all(drawing.place(mol, row, column).bonds for row, column in inked)


def test_the_adapter_hands_on_its_size():
    adapter = MoleculeAdapter(encoding="drawing", side="none", pixels=64, pixel=0.4, cache=False)
    adapter.fit(["CCO"])
    assert adapter.spec_.shape == (3, 64, 64)
    assert adapter.transform(["CCO", "O"]).shape == (2, 3, 64, 64)
    assert adapter.edge_labels("CCO", 0, [0, 63]) == ["0", "63"]


def test_wrong_sizes_are_refused_all_at_once():
    with pytest.raises(ValueError, match=r"pixel=0: .*; pixels=16: expected 32 .*; views=0"):
        Drawing(pixel=0, pixels=16, views=0)
