"""The measured activities that come with RDKit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, RDConfig

from cnnkit.adapters.molecule.adapter import MoleculeAdapter
from cnnkit.adapters.molecule.demo import DEMO_SOURCE, make_demo_molecules


def test_each_molecule_has_the_activity_of_its_name():
    smiles, activities = make_demo_molecules()
    assert len(smiles) == len(activities) == len(set(smiles)) == 1_017
    assert f"{len(smiles):,} " in DEMO_SOURCE
    folder = Path(RDConfig.RDContribDir, "FreeWilson", "data")
    lines = (folder / "CHEMBL2321810.smi").read_text().splitlines()
    names = dict(line.split() for line in lines)
    rows = (folder / "CHEMBL2321810_act.csv").read_text().splitlines()
    table = [row.split(",") for row in rows]
    measured = {row[table[0].index("Name")]: row[table[0].index("Act")] for row in table[1:]}
    for text, activity in zip(smiles, activities, strict=True):
        assert activity == measured[names[text]]
    values = np.array(activities, dtype=float)
    assert 2 < values.min() < values.max() < 12
    assert values.std() > 0.5


def test_all_are_arylsulfonamides():
    pattern = Chem.MolFromSmarts("S(=O)(=O)N")
    mols = [Chem.MolFromSmiles(text) for text in make_demo_molecules()[0]]
    assert np.mean([mol.HasSubstructMatch(pattern) for mol in mols]) > 0.95


def test_the_adapter_reads_its_demo():
    smiles, activities = MoleculeAdapter().demo()
    assert (smiles, activities) == make_demo_molecules()
    adapter = MoleculeAdapter(side="none", layouts=1, cache=False, n_jobs=1)
    some = smiles[::20]
    samples = adapter.fit_read(some)
    assert samples.items.tolist() == list(range(len(some)))
    assert not samples.problems


def test_an_rdkit_without_examples_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(RDConfig, "RDContribDir", str(tmp_path))
    with pytest.raises(RuntimeError, match="--adapter molecule"):
        make_demo_molecules()
