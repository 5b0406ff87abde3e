import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDepictor

from cnnkit.adapters.molecule.layout import GAP, lay_out, pack


def random_fragments(rng):
    sizes = rng.integers(1, 12, rng.integers(2, 15))
    numbers = rng.permutation(sizes.sum())
    fragments = np.split(numbers, np.cumsum(sizes)[:-1])
    places = rng.normal(size=(len(numbers), 2)) * rng.uniform(0, 8, 2)
    return places, [fragment.tolist() for fragment in fragments]


def distances(one, other):
    return np.linalg.norm(one[:, None] - other[None], axis=2)


@pytest.mark.parametrize("seed", range(30))
def test_fragments_are_a_gap_apart_and_keep_their_shape(seed):
    places, fragments = random_fragments(np.random.default_rng(seed))
    packed = pack(places, fragments)
    for number, fragment in enumerate(fragments):
        own = packed[fragment]
        np.testing.assert_allclose(np.ptp(own - places[fragment], axis=0), 0, atol=1e-9)
        for other in fragments[number + 1 :]:
            assert distances(own, packed[other]).min() >= GAP - 1e-9


@pytest.mark.parametrize("seed", range(30))
def test_fragments_stay_as_close_as_rows_of_boxes_can(seed):
    places, fragments = random_fragments(np.random.default_rng(seed))
    boxes = np.array([np.ptp(places[fragment], axis=0) + GAP for fragment in fragments])
    extent = np.ptp(pack(places, fragments), axis=0).max() + GAP
    # Boxes of at most w x h fit on rows of a square of the side sqrt(2 · area) + max(w, h).
    assert extent <= np.sqrt(2 * boxes.prod(axis=1).sum()) + boxes.max()


def test_fragments_that_fit_beside_or_above_make_the_whole_nearly_square():
    wide = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 1.0]])
    ion = np.array([[0.0, 0.0]])
    beside = np.ptp(pack(np.concatenate([wide, ion]), [[0, 1, 2], [3]]), axis=0)
    above = np.ptp(pack(np.concatenate([wide[:, ::-1], ion]), [[0, 1, 2], [3]]), axis=0)
    np.testing.assert_allclose(beside, (10, 1 + GAP))
    np.testing.assert_allclose(above, (1 + GAP, 10))


@pytest.mark.parametrize("smiles", ["CC(=O)Oc1ccccc1C(=O)O", "C", "C1CCCCCCCCCCC1"])
def test_one_fragment_lies_as_rdkit_draws_it(smiles):
    mol = Chem.MolFromSmiles(smiles)
    rdDepictor.Compute2DCoords(mol, canonOrient=True)
    expected = mol.GetConformer().GetPositions()[:, :2]
    found = lay_out(Chem.MolFromSmiles(smiles))
    np.testing.assert_array_equal(found[:, 0], expected)


def test_every_layout_bonds_the_same_atoms():
    mol = Chem.MolFromSmiles("O=C(O)c1ccc(CCN2CCCC2)cc1.Cl")
    places = lay_out(mol, layouts=6)
    assert places.shape == (17, 6, 2)
    for bond in mol.GetBonds():
        ends = places[bond.GetBeginAtomIdx()] - places[bond.GetEndAtomIdx()]
        np.testing.assert_allclose(np.linalg.norm(ends, axis=1), 1.5, atol=0.15)
    assert np.array_equal(places, lay_out(mol, layouts=6))
    # Turned and mirrored drawings have the same distances; some of the six are others.
    inner = [np.sort(distances(drawing, drawing)[0]) for drawing in places.swapaxes(0, 1)]
    assert any(not np.allclose(inner[0], other, atol=1e-3) for other in inner[1:])


@pytest.mark.parametrize("smiles", ["[Na+].[Cl-]", "O.O.O.O.O", "CCN.Cl", "c1ccccc1.[K+].[Br-]"])
def test_no_counter_ion_looks_bonded(smiles):
    mol = Chem.MolFromSmiles(smiles)
    for drawing in lay_out(mol, layouts=3).swapaxes(0, 1):
        fragments = [list(fragment) for fragment in Chem.GetMolFrags(mol)]
        for number, fragment in enumerate(fragments):
            for other in fragments[number + 1 :]:
                assert distances(drawing[fragment], drawing[other]).min() >= GAP - 1e-9
