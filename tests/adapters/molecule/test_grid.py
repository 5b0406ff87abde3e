"""Molecules as typed points: what must hold for every one of them."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Crippen, rdCIPLabeler, rdMolDescriptors

from cnnkit.adapters.molecule.grid import Grid
from cnnkit.adapters.molecule.parsing import Parsing
from cnnkit.adapters.molecule.points import CHANNELS, PLACE_UNIT
from cnnkit.adapters.molecule.reading import Reading, read_molecules

GRID = Grid(layouts=1)
CIP = CHANNELS.index("CIP (R +1, S -1)")
FULL = 50  # molecules that are drawn whole, where all are compared as they are kept


def read(smiles, grid=GRID):
    samples = read_molecules(smiles, Reading(Parsing(), grid), n_jobs=1)
    assert len(samples) == len(smiles)
    return samples


def draw(samples, grid=GRID):
    return grid.whole().eval()(samples.to("cpu")).pixels.numpy()


def sums_of(samples):
    """Sums of channels, a row for each molecule."""
    parts = np.array_split(np.arange(len(samples)), len(samples) // 100 + 1)
    return np.concatenate([draw(samples[rows]).sum((2, 3), dtype=float) for rows in parts])


def mirrored(smiles):
    """Turn every centre of a SMILES into its mirror image."""
    return re.sub("@+", lambda found: "@" if found.group() == "@@" else "@@", smiles)


def test_however_a_molecule_is_written_it_is_the_same_image(shipped, varied):
    mols = [Chem.MolFromSmiles(smiles) for smiles in dict.fromkeys([*shipped, *varied])]
    assert len(mols) >= 1_000
    ways = [Chem.MolToRandomSmilesVect(mol, 5, randomSeed=seed) for seed, mol in enumerate(mols)]
    several = [mol.GetNumAtoms() > 3 for mol in mols]
    assert np.mean([len(set(texts)) > 1 for texts in ways]) > 0.99 * np.mean(several)
    first = read([Chem.MolToSmiles(mol) for mol in mols])
    chosen = np.linspace(0, len(mols) - 1, FULL).astype(int)
    for way in zip(*ways, strict=True):
        samples = read(list(way))
        np.testing.assert_array_equal(samples.offsets, first.offsets)
        np.testing.assert_array_equal(samples.values, first.values)
        np.testing.assert_array_equal(draw(samples[chosen]), draw(first[chosen]))


ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P")


def counted(mol):
    """What RDKit says of a molecule, by the name of the channel that should hold its sum."""
    atoms, bonds = list(mol.GetAtoms()), list(mol.GetBonds())
    symbols = Counter(atom.GetSymbol() for atom in atoms)
    hybrids = Counter(atom.GetHybridization().name for atom in atoms)
    kinds = Counter(bond.GetBondType().name for bond in bonds)
    centres = [atom for atom in atoms if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
    if not all(atom.HasProp("_CIPCode") for atom in centres):  # cis and trans on a ring
        rdCIPLabeler.AssignCIPLabels(mol)
    found = (atom.GetProp("_CIPCode") for atom in centres if atom.HasProp("_CIPCode"))
    labels = Counter(label.upper() for label in found)
    return {
        **{symbol: symbols[symbol] for symbol in ELEMENTS},
        "other element": len(atoms) - sum(symbols[symbol] for symbol in ELEMENTS),
        "charge": Chem.GetFormalCharge(mol),
        "hydrogens / 2": (Chem.AddHs(mol).GetNumAtoms() - len(atoms)) / 2,
        "aromatic atom": sum(atom.GetIsAromatic() for atom in atoms),
        "ring atom": sum(atom.IsInRing() for atom in atoms),
        "sp2": hybrids["SP2"],
        "sp": hybrids["SP"],
        "CIP (R +1, S -1)": labels["R"] - labels["S"],
        "logP": Crippen.MolLogP(mol),
        "molar refractivity / 3": Crippen.MolMR(mol) / 3,
        "TPSA / 10": rdMolDescriptors.CalcTPSA(mol) / 10,
        "surface / 6": sum(rdMolDescriptors._CalcLabuteASAContribs(mol)[0]) / 6,
        "single bond": 2 * kinds["SINGLE"],
        "double bond": 2 * kinds["DOUBLE"],
        "triple bond": 2 * kinds["TRIPLE"],
        "aromatic bond": 2 * kinds["AROMATIC"],
        "ring bond": 2 * sum(bond.IsInRing() for bond in bonds),
    }


def test_the_sums_of_channels_are_what_rdkit_counts(shipped, varied):
    smiles = [*shipped, *varied]
    sums = sums_of(read(smiles))
    truth = [counted(Chem.MolFromSmiles(text)) for text in smiles]
    for number, channel in enumerate(CHANNELS):
        expected = np.array([one[channel] for one in truth])
        assert np.ptp(expected) > 0
        rounded = "surface" in channel  # to 0.001 Å² for each atom
        within = 0.01 if rounded else 1e-3
        np.testing.assert_allclose(sums[:, number], expected, atol=within, err_msg=channel)


def test_r_and_s_differ_only_in_their_label():
    groups = ["N", "O", "CO", "C(C)C", "c1ccccc1", "C#N", "Br", "CC(=O)O"]
    smiles = [f"F[C@]({a})({b}){c}" for a, b, c in itertools.combinations(groups, 3)]
    assert len(smiles) == 56
    one, other = (draw(read(texts)) for texts in (smiles, [mirrored(text) for text in smiles]))
    np.testing.assert_array_equal(np.delete(one, CIP, 1), np.delete(other, CIP, 1))
    np.testing.assert_array_equal(one[:, CIP], -other[:, CIP])
    np.testing.assert_allclose(np.abs(one[:, CIP].sum((1, 2))), 1, rtol=1e-5)


def test_mirror_images_with_several_centres_differ_only_in_their_labels():
    residues = ["C", "CO", "CC(C)C", "Cc1ccccc1", "CS"]
    peptides = [
        f"N[C@@H]({a})C(=O)N[C@@H]({b})C(=O)N[C@@H]({c})C(=O)O"
        for a, b, c in itertools.permutations(residues, 3)
    ]
    others = [
        "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
        "C[C@@H](O)[C@H](N)C(=O)O",
        "F/C=C/[C@@H](Cl)[C@H](C)Br",
        "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
    ]
    smiles = [*peptides, *others]
    one, other = (draw(read(texts)) for texts in (smiles, [mirrored(text) for text in smiles]))
    np.testing.assert_array_equal(np.delete(one, CIP, 1), np.delete(other, CIP, 1))
    np.testing.assert_array_equal(one[:, CIP], -other[:, CIP])
    assert (np.abs(one[:, CIP]).sum((1, 2)) > 1.5).all()


def test_e_and_z_are_drawn_apart():
    one, other = draw(read(["F/C=C/Cl", "F/C=C\\Cl"]))
    assert np.abs(one - other).max() > 0.5
    np.testing.assert_allclose(one.sum((1, 2)), other.sum((1, 2)), atol=1e-3)


def test_the_label_of_a_centre_does_not_hang_on_the_order_of_its_neighbours():
    samples = read(["N[C@@H](C)C(=O)O", "C[C@H](N)C(=O)O"])  # alanine: raw tags differ
    images = draw(samples)
    np.testing.assert_array_equal(images[0], images[1])
    assert images[0, CIP].sum() == pytest.approx(-1)


def places_of(samples, number, layout=0):
    atoms = int(samples.summary[number, 0])
    start = samples.offsets[number]
    return samples.values[start : start + atoms, 2 * layout : 2 * layout + 2] * PLACE_UNIT


@pytest.mark.parametrize(
    "smiles",
    [
        "[Na+].[Cl-]",
        "[Na+].CC(=O)[O-]",
        "CCO.c1ccccc1.O",
        ".".join(["O"] * 17),
        "[K+].[K+].[O-]S(=O)(=O)[O-].NCCCCN",
    ],
)
def test_parts_lie_at_least_two_bonds_apart(smiles):
    samples = read([smiles], Grid(layouts=3))
    mol = Chem.MolFromSmiles(Chem.CanonSmiles(smiles))
    for layout in range(3):
        places = places_of(samples, 0, layout)
        for one, other in itertools.combinations(Chem.GetMolFrags(mol), 2):
            apart = np.linalg.norm(places[list(one)][:, None] - places[list(other)], axis=2)
            assert apart.min() >= 2 * 1.5 - 2 * PLACE_UNIT


def test_a_molecule_stands_in_the_middle_and_its_bonds_are_drawn_to_scale(varied):
    smiles = ["c1ccccc1O", "CCCCCC", *varied]
    samples = read(smiles, Grid(layouts=2))
    for number, text in enumerate(smiles):
        for layout in range(2):
            places = places_of(samples, number, layout)
            middle = (places.min(0) + places.max(0)) / 2
            np.testing.assert_allclose(middle, 0, atol=PLACE_UNIT)
        mol = Chem.MolFromSmiles(Chem.CanonSmiles(text))
        lengths = [
            np.linalg.norm(places[bond.GetBeginAtomIdx()] - places[bond.GetEndAtomIdx()])
            for bond in mol.GetBonds()
        ]
        if lengths:
            assert np.median(lengths) == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize("smiles", ["O", "C", "[Na+]", "[U]"])
def test_a_single_atom_is_one_point(smiles):
    image = draw(read([smiles]))[0]
    kinds = image[: CHANNELS.index("charge")]
    assert kinds.sum() == 1
    assert (kinds[:, 15:17, 15:17].sum(0) == 0.25).all()  # the middle lies between four pixels
    assert (image[-5:] == 0).all()


def test_what_is_too_large_is_shrunk_to_the_grid_and_marked():
    smiles = ["C" * 60, "CCO", "C" * 22]
    samples = read(smiles, Grid(layouts=2))
    scales = samples.summary[:, 1]
    assert scales[0] < 0.5
    assert scales[1] == 1
    (problem, *others) = samples.problems
    assert problem.item == 0
    assert not problem.rejected
    wide = re.search(r"drawn at (\d+)% of its size: it is (\d+) Å wide", problem.reason)
    assert int(wide[1]) == pytest.approx(100 * scales[0], abs=0.51)
    assert int(wide[2]) == pytest.approx(31 / scales[0], abs=0.51)
    assert int(wide[2]) == pytest.approx(59 * 1.5 * np.cos(np.pi / 6), rel=0.05)
    assert "pixels=80 holds it" in problem.reason
    assert all(other.item == 2 for other in others)
    images = draw(samples, Grid(layouts=2))
    assert images.shape == (3, 26, 32, 32)
    np.testing.assert_allclose(images[:, 0].sum((1, 2)), [60, 2, 22], rtol=1e-5)
    places = places_of(samples, 0)
    assert np.ptp(places, axis=0).max() <= 31
    larger = read(["C" * 60], Grid(layouts=2, pixels=96))
    assert larger.summary[0, 1] == 1
    assert not larger.problems


def test_what_just_fits_is_drawn_on_the_grid_of_its_size():
    for length in (23, 24, 25, 26):  # around 31 Å
        assert draw(read(["C" * length])).shape == (1, 26, 32, 32)
    small = Grid(layouts=1, pixels=8)
    assert draw(read(["C" * 30, "CC"], small), small).shape == (2, 26, 8, 8)


def test_a_shrunk_molecule_fits_whatever_the_size_of_a_pixel():
    chains = ["C" * length for length in range(6, 40)]
    for pixel in (0.3, 0.123, 0.7):  # half of the grid is no multiple of 1/512 Å
        grid = Grid(layouts=1, pixel=pixel)
        assert draw(read(chains, grid), grid).shape == (34, 26, 32, 32)


@pytest.mark.parametrize("pixel", [0.5, 1.0])
def test_a_pixel_names_the_atoms_and_bonds_that_are_drawn_on_it(varied, pixel):
    unequal = "Cc1onc(n1)c2cccc(Oc3ccc(cc3C#N)S(=O)(=O)Nc4ccc(F)cn4)c2"  # layouts of two sizes
    smiles = [Chem.CanonSmiles(text) for text in [*varied[1:11], unequal, "C" * 60]]
    grid = Grid(layouts=2, pixel=pixel)
    images = draw(read(smiles, grid), grid)
    for text, image in zip(smiles, images, strict=True):
        mol = Chem.MolFromSmiles(text)
        elements = (image[:10] != 0).sum(0)
        bonds = (image[21:25] != 0).sum(0)
        found = Counter()
        drawn = np.argwhere(elements + bonds)
        for row, column in [*drawn.tolist(), *np.argwhere(elements + bonds == 0)[::60].tolist()]:
            place = grid.place(mol, row, column)
            symbols = {mol.GetAtomWithIdx(atom).GetSymbol() for atom in place.atoms}
            kinds = {symbol if symbol in ELEMENTS else "other" for symbol in symbols}
            assert len(kinds) == elements[row, column]
            types = {mol.GetBondWithIdx(bond).GetBondType() for bond in place.bonds}
            assert len(types) == bonds[row, column]
            found.update(place.atoms)
            assert place.where == {"x": (column - 15.5) * pixel, "y": (row - 15.5) * pixel}
        assert set(found) == set(range(mol.GetNumAtoms()))
        assert max(found.values()) <= 4


def test_there_is_nothing_outside_of_the_grid():
    mol = Chem.MolFromSmiles("CCO")
    for row, column in [(-1, 0), (0, -1), (32, 0), (0, 32)]:
        with pytest.raises(IndexError, match="32 rows and columns"):
            GRID.place(mol, row, column)
    assert [GRID.edge_label(0, place) for place in (0, 16)] == ["-15.5 Å", "0.5 Å"]


def test_wrong_parameters_are_refused_all_at_once():
    with pytest.raises(ValueError, match="expected") as caught:
        Grid(pixel=-1, pixels=30, layouts=0, views=0)
    for name in ("pixel=-1", "pixels=30: expected a multiple of 8", "layouts=0", "views=0"):
        assert name in str(caught.value)
    with pytest.raises(ValueError, match="0 to 120 Å"):
        Grid(pixel=4)
    Grid(pixel=3.75)
