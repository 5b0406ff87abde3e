"""Molecules as images: the contract, places in the text, and whole models."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem.rdDepictor import Compute2DCoords
from sklearn.exceptions import NotFittedError

from cnnkit import CNNClassifier, load, save
from cnnkit.adapters.base import BadItemsError
from cnnkit.adapters.molecule import adapter as adapter_module
from cnnkit.adapters.molecule.adapter import MoleculeAdapter
from cnnkit.adapters.molecule.chemception import Chemception
from cnnkit.adapters.molecule.drawing import Drawing
from cnnkit.adapters.molecule.grid import Grid
from cnnkit.adapters.molecule.parsing import UnreadableMolecule
from cnnkit.adapters.molecule.points import CHANNELS
from cnnkit.adapters.molecule.renderer import GridRenderer
from cnnkit.cnncore import fitting
from cnnkit.testing import check_adapter

FEW = [
    "CCO",
    "c1ccccc1",
    "[Na+].CC(=O)[O-]",
    "C[C@H](N)C(=O)O",
    "O",
    "C" * 60,
    "OCC",
    "F/C=C/Cl",
]
ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "Br", "I", "P")
BONDS = {"single bond": "SINGLE", "double bond": "DOUBLE", "triple bond": "TRIPLE"}


class FewDemo(MoleculeAdapter):
    """With a demo that is read in a moment."""

    def demo(self):
        return FEW, ["a", "b"] * 4


def plain(**settings):
    return MoleculeAdapter(**{"side": "none", "cache": False, "n_jobs": 1, **settings})


@pytest.mark.parametrize("bad_item", [None, "C1CC"])
def test_the_contract_is_kept(bad_item):
    adapter = plain(layouts=2) if bad_item is None else FewDemo(cache=False, n_jobs=1)
    check_adapter(adapter, FEW, ["a", "b"] * 4, bad_item=bad_item)


def test_unknown_descriptors_reach_no_network():
    adapter = plain(side="morgan,descriptors").fit(["[Na+]", *FEW])
    samples = adapter.read(["[Na+]", *FEW])
    assert np.isnan(samples.side[0]).any()
    images = adapter.renderer().eval()(samples.to("cpu"))
    assert images.side.shape == (9, len(adapter.spec_.side))
    assert images.side.isfinite().all()
    assert images.side.abs().max() <= 10
    kinds = Counter(name.startswith("morgan ") for name in adapter.spec_.side)
    assert kinds[True] > 3
    assert kinds[False] > 50
    # A count that fewer than two of the training molecules have says nothing.
    counts = np.array([name.startswith("morgan ") for name in adapter.side_names_])
    having = (samples.side[:, counts] > 0).sum(0)
    assert kinds[True] == (having >= 2).sum()


def drawn_on(image, row, column):
    elements = {name for number, name in enumerate(CHANNELS[:10]) if image[number, row, column]}
    bonds = {name for name in (*BONDS, "aromatic bond") if image[CHANNELS.index(name), row, column]}
    return elements, bonds


def explicit_block():
    mol = Chem.AddHs(Chem.MolFromSmiles("FC(Cl)(Br)C#N"))
    mol = Chem.RenumberAtoms(mol, list(range(mol.GetNumAtoms()))[::-1])
    Compute2DCoords(mol)
    return Chem.MolToMolBlock(mol)


@pytest.mark.parametrize(
    ("text", "salts"),
    [
        ("N#CC(Cl)=C(F)OS", "keep"),
        ("SOC(F)=C(Cl)C#N a name", "keep"),
        ("[H]OC(F)=C(Cl)C#N", "keep"),
        ("[2H]OC([3H])=C(Cl)C([2H])([2H])C#N", "keep"),
        ("C([2H])(F)(Cl)[15N]([2H])C=O", "keep"),
        ("[Na+].[K+].FC(Cl)=CC([O-])=O", "largest"),
        ("[Na+].[2H]OC(F)=C(Cl)C#N.O", "largest"),
        ("[2H]O.[Na+].FC(=O)C#N", "keep"),
        ("[CH3:7][O:3][CH:1]=[N:2]F", "keep"),
        ("F[C@@H](Cl)[C@H](Br)C#N |o1:1|", "keep"),
        ("FC(Cl)(Br)C#N", "keep"),
        (explicit_block(), "keep"),
    ],
)
def test_a_pixel_is_located_in_the_numbers_of_the_text(text, salts):
    adapter = plain(salts=salts, layouts=2).fit([text])
    read = Chem.MolFromMolBlock if "\n" in text else Chem.MolFromSmiles
    mol = read(text)
    (image,) = adapter.transform([text])
    atoms, bonds = set(), set()
    for row, column in np.argwhere(image.any(0)).tolist():
        place = adapter.locate(text, row, column)
        elements, kinds = drawn_on(image, row, column)
        symbols = {mol.GetAtomWithIdx(atom).GetSymbol() for atom in place["atoms"]}
        assert {one if one in ELEMENTS else "other element" for one in symbols} == elements
        names = {mol.GetBondWithIdx(bond).GetBondType().name for bond in place["bonds"]}
        assert names == {BONDS[kind] for kind in kinds}
        assert place["atoms"] == sorted(place["atoms"])
        atoms.update(place["atoms"])
        bonds.update(place["bonds"])
    parts = Chem.GetMolFrags(mol)
    heavy = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1}
    largest = max((heavy.intersection(part) for part in parts), key=len)
    kept = largest if salts == "largest" else heavy
    assert atoms == kept
    ends = [{bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()} for bond in mol.GetBonds()]
    assert bonds == {number for number, pair in enumerate(ends) if pair <= kept}


def test_a_bond_is_located_between_its_atoms():
    text = "OCC#N"
    adapter = plain().fit([text])
    (image,) = adapter.transform([text])
    triple = image[CHANNELS.index("triple bond")]
    row, column = np.unravel_index(triple.argmax(), triple.shape)
    place = adapter.locate(text, int(row), int(column))
    assert 2 in place["bonds"]
    assert set(place["atoms"]) <= {2, 3}
    assert place["x"] == column - 15.5
    assert place["y"] == row - 15.5


def test_what_is_no_molecule_is_not_located():
    adapter = plain().fit(FEW)
    with pytest.raises(UnreadableMolecule, match="unclosed ring"):
        adapter.locate("C1CC", 0, 0)
    assert adapter.edge_labels("CCO", 1, [0, 31]) == ["-15.5 Å", "15.5 Å"]


def test_every_row_in_is_a_row_out_or_told(monkeypatch):
    adapter = plain().fit(FEW)
    monkeypatch.setattr("cnnkit.adapters.molecule.adapter.DRAWN_AT_ONCE", 3)
    images = adapter.transform(FEW)
    assert images.shape == (8, 26, 32, 32)
    assert images.dtype == np.float32
    assert images.flags.c_contiguous
    alone = [adapter.transform([text])[0] for text in FEW]
    np.testing.assert_array_equal(images, alone)
    assert adapter.transform([]).shape == (0, 26, 32, 32)
    with pytest.raises(BadItemsError, match="item 1 'C1CC': invalid: unclosed ring"):
        adapter.transform(["CCO", "C1CC"])


@pytest.mark.parametrize("side", ["none", "descriptors"])
def test_a_saved_model_predicts_the_same(tmp_path, side, varied):
    adapter = plain(side=side, layouts=2, views=3)
    model = CNNClassifier(adapter, epochs=1, batch_size=8, device="cpu")
    model.fit(varied, ["a", "b", "c"] * 5)
    new = [*FEW, *varied[::-1]]
    expected = model.predict_proba(new)
    loaded = load(save(model, tmp_path / "model"))
    np.testing.assert_allclose(loaded.predict_proba(new), expected, atol=1e-6)
    assert loaded.adapter_.get_params() == adapter.get_params()
    assert loaded.adapter_.spec_ == model.adapter_.spec_
    files = {path.suffix for path in (tmp_path / "model").iterdir()}
    assert not files & {".pkl", ".pickle", ".pt", ".joblib"}
    alone = np.concatenate([model.predict_proba([text]) for text in new])
    np.testing.assert_allclose(alone, expected, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(new[::-1])[::-1], expected, atol=1e-5)
    assert len(np.unique(expected.round(6), axis=0)) > 15


@pytest.mark.parametrize("encoding", [Grid, Drawing, Chemception])
def test_a_saved_model_keeps_the_size_of_its_images(tmp_path, monkeypatch, encoding, varied):
    adapter = plain(encoding=encoding.__name__.lower(), layouts=1, views=1)
    model = CNNClassifier(adapter, network="gap", epochs=1, batch_size=8, device="cpu")
    folder = save(model.fit(varied, ["a", "b", "c"] * 5), tmp_path / "model")
    expected, images = model.predict_proba(FEW), model.adapter_.transform(FEW)
    others = (0.4, 160, *encoding.__init__.__defaults__[2:])  # as another release may have
    monkeypatch.setattr(encoding.__init__, "__defaults__", others)
    assert plain(encoding=adapter.encoding).fit(FEW).transform(FEW).shape[2] == 160
    loaded = load(folder)
    np.testing.assert_array_equal(loaded.adapter_.transform(FEW), images)
    np.testing.assert_allclose(loaded.predict_proba(FEW), expected, atol=1e-6)


def test_an_earlier_fit_has_no_say_in_the_size_of_images():
    adapter = plain(encoding="drawing").fit(FEW)
    assert adapter.set_params(encoding="grid").fit(FEW).transform(FEW).shape[1:] == (26, 32, 32)
    assert adapter.set_params(pixels=64).fit(FEW).transform(FEW).shape[1:] == (26, 64, 64)
    assert adapter.set_params(pixels=None).fit(FEW).transform(FEW).shape[1:] == (26, 32, 32)


def test_a_model_that_sees_no_image_is_asked_once_and_not_for_each_view(monkeypatch, varied):
    views = []
    forward = GridRenderer.forward
    monkeypatch.setattr(
        GridRenderer,
        "forward",
        lambda self, batch, generator=None, view=0: (
            views.append(view) or forward(self, batch, generator, view)
        ),
    )
    for network, expected in [("molecule-quick", [0]), ("gsum | side", [0, 1, 2])]:
        adapter = plain(side="descriptors", views=3)
        model = CNNClassifier(adapter, network=network, epochs=1, batch_size=8, device="cpu")
        model.fit(varied, ["a", "b", "c"] * 5)
        views.clear()
        model.predict_proba(FEW)
        assert views == expected


def test_a_model_of_another_version_of_its_encoding_is_refused(monkeypatch):
    adapter = plain().fit(FEW)
    monkeypatch.setattr(Grid, "version", Grid.version + 1)
    with pytest.raises(ValueError, match=r"version 2 of the encoding Grid.*has version 3"):
        adapter.read(FEW)


def test_a_model_of_other_side_features_is_refused():
    adapter = plain(side="descriptors").fit(FEW)
    adapter.side_names_ = ["of another release", *adapter.side_names_[1:]]
    with pytest.raises(ValueError, match="it lacks 'of another release'"):
        adapter.read(FEW)


@pytest.mark.parametrize(("network", "sorted_"), [("norm | gsum", False), ("gsum", True)])
def test_a_batch_norm_learns_from_small_and_large_molecules_together(monkeypatch, network, sorted_):
    feeds = []
    train = fitting.train

    def seeing(networks, renderer, feed, *rest, **settings):
        feeds.append(feed)
        return train(networks, renderer, feed, *rest, **settings)

    monkeypatch.setattr(fitting, "train", seeing)
    model = CNNClassifier(plain(), network=network, epochs=1, batch_size=4, device="cpu")
    model.fit(FEW, ["a", "b"] * 4)
    assert [feed.by_length for feed in feeds] == [sorted_]


@pytest.mark.parametrize("encoding", ["grid", "drawing", "chemception", "smiles"])
def test_training_without_a_generator_augments_nothing(encoding):
    adapter = plain(encoding=encoding, layouts=4).fit(FEW)
    batch, renderer = adapter.read(["CC(C)CC(=O)N"] * 8).to("cpu"), adapter.renderer()
    expected = renderer.eval()(batch).pixels
    before = torch.get_rng_state()
    assert torch.equal(renderer.train()(batch).pixels, expected)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_canonical_smiles_that_cannot_be_read_again_has_no_places_and_no_picture(monkeypatch):
    parse = adapter_module.parse_molecule
    monkeypatch.setattr(
        adapter_module,
        "parse_molecule",
        lambda text, how: replace(parse(text, how), smiles="C1CC"),
    )
    with pytest.raises(UnreadableMolecule, match="writes it as 'C1CC', but can't read that again"):
        plain().locate("CCO", 0, 0)
    assert plain().picture("CCO") is None


def test_the_same_seed_gives_the_same_weights(varied):
    states = []
    for seed in (0, 0, 1):
        model = CNNClassifier(plain(), epochs=1, batch_size=8, device="cpu", random_state=seed)
        model.fit(varied, ["a", "b", "c"] * 5)
        states.append(list(model.networks_[0].state_dict().values()))
    assert all(map(torch.equal, states[0], states[1]))
    assert not all(map(torch.equal, states[0], states[2]))


def test_wrong_parameters_are_refused():
    for settings, said in [
        ({"encoding": "gird"}, "encoding='gird': expected grid.*mean 'grid'"),
        ({"side": "morgn"}, "mean 'morgan'"),
        ({"side": "none,morgan"}, "none can't stand beside"),
        ({"salts": "larges"}, "mean 'largest'"),
        ({"max_atoms": 0}, "max_atoms is 0"),
        ({"pixels": 30, "views": 0}, "pixels=30.*; views=0"),
    ]:
        with pytest.raises(ValueError, match=said):
            plain(**settings).fit(FEW)
    for side in ("", "none", " none "):
        assert plain(side=side).fit(FEW).spec_.side == ()
    assert plain(side="").fit(FEW).decided_ == ["encoding: grid", "side: none"]


def test_items_that_are_no_molecules_are_refused_at_once():
    with pytest.raises(ValueError, match=r"none of the first 2 items is a molecule.*'hi there'"):
        plain().fit(["hi there", "good morning"])
    with pytest.raises(ValueError, match="no items"):
        plain().fit([])
    with pytest.raises(TypeError, match="expected a list of molecules, found the text 'CCO'"):
        plain().fit("CCO")
    assert len(plain().fit_read(["hi there", "CCO"])) == 1
    with pytest.raises(NotFittedError):
        plain().read(FEW)
    with pytest.raises(NotFittedError):
        plain().renderer()


def test_the_parameters_of_parsing_and_of_the_grid_are_obeyed():
    assert len(plain(max_atoms=3).fit(FEW).read(["CCO", "CCCC"])) == 1
    assert plain(salts="refuse").fit(FEW).read(["[Na+].[Cl-]"]).problems[0].rejected
    stereo = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"]
    one, other = plain(ignore_stereo=True).fit(FEW).transform(stereo)
    np.testing.assert_array_equal(one, other)
    one, other = plain().fit(FEW).transform(stereo)
    assert (one != other).any()
    wide = plain(pixel=0.5, pixels=64).fit(FEW)
    assert wide.transform(["CCO"]).shape == (1, 26, 64, 64)
    assert wide.spec_.height.step == 0.5
    renderer = plain(views=3, augment=False).fit(FEW).renderer()
    assert renderer.views == 3
    assert not renderer.augment


def test_fingerprints_and_families_know_the_molecule_behind_the_text():
    adapter = plain()
    ethanol = ["CCO", "OCC", "C(O)C ethanol", "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3"]
    same = adapter.fingerprints(ethanol)
    assert len(set(same)) == 1
    others = adapter.fingerprints(["CCN", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "C1CC", "", None])
    assert len({same[0], *others}) == 7
    families = adapter.families(["c1ccccc1C", "OCc1ccccc1", "c1ccncc1", "C1CC"])
    assert families[0] == families[1] != families[2]
    assert families[3] is None


def test_cells_of_tables_are_told_apart():
    adapter = plain()
    for text in ("CCO", "c1ccccc1C(=O)O", "InChI=1S/CH4/h1H4", explicit_block()):
        assert adapter.looks_like_item(text)
    for text in ("aspirin", "3.5", "active"):
        assert not adapter.looks_like_item(text)


def test_a_single_text_is_no_list_of_molecules() -> None:
    adapter = MoleculeAdapter(side="none", cache=False).fit(["CCO"])
    for read in (adapter.fit, adapter.read, adapter.transform):
        with pytest.raises(TypeError, match="expected a list of molecules, found the text 'CCO'"):
            read("CCO")
