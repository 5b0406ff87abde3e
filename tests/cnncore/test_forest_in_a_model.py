"""The word `forest` in a network spec: its prediction counts as much as the networks'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnnkit import CNNClassifier, CNNRegressor, load, save
from cnnkit.adapters import MoleculeAdapter
from cnnkit.cnncore.forest import vote
from cnnkit.cnncore.model_folder import ModelFolderError

QUICK = "side | dense 8 | relu"
SMILES = [f"{'C' * carbons}{end}" for carbons in range(1, 11) for end in ("O", "N", "Cl", "S")]
IS_ALCOHOL = np.array([smiles.endswith("O") for smiles in SMILES]).astype(int)
CARBONS = np.array([float(smiles.count("C")) for smiles in SMILES])


def adapter() -> MoleculeAdapter:
    return MoleculeAdapter(side="descriptors", layouts=1, views=1, cache=False)


def test_the_mean_of_network_and_forest_is_predicted() -> None:
    both = CNNRegressor(adapter(), network=f"{QUICK} | forest", epochs=2).fit(SMILES, CARBONS)
    alone = CNNRegressor(adapter(), network=QUICK, epochs=2).fit(SMILES, CARBONS)
    samples = both.adapter_.read(SMILES)
    forest = vote(both.forests_, samples.side)[:, 0]
    np.testing.assert_allclose(both.predict(SMILES), (alone.predict(SMILES) + forest) / 2)
    assert alone.forests_ == []


def test_a_saved_forest_predicts_the_same(tmp_path: Path) -> None:
    model = CNNClassifier(adapter(), network=f"{QUICK} | forest", epochs=1).fit(SMILES, IS_ALCOHOL)
    folder = save(model, tmp_path / "model")
    np.testing.assert_array_equal(load(folder).predict_proba(SMILES), model.predict_proba(SMILES))
    (folder / "forest.safetensors").unlink()
    with pytest.raises(ModelFolderError, match=r"forest\.safetensors"):
        load(folder)


def test_what_a_forest_learns_from_are_the_items_as_they_are() -> None:
    model = CNNRegressor(adapter(), network=f"{QUICK} | forest", epochs=1)
    shuffled = np.random.default_rng(0).permutation(len(SMILES))
    model.fit([SMILES[row] for row in shuffled], CARBONS[shuffled])
    said = vote(model.forests_, model.adapter_.read(SMILES).side)[:, 0]
    assert np.corrcoef(said, CARBONS)[0, 1] > 0.95  # rows and targets belong together
