"""Molecules of many kinds, and where nothing of a test stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem, RDConfig

from cnnkit.adapters.molecule.demo import make_demo_molecules

VARIED = [
    "O",
    "[Na+]",
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O",
    "F/C=C/[C@@H](Cl)Br",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "C[S@](=O)c1ccc([N+](=O)[O-])cc1",
    "CC#CC=C=C",
    "N#CB(O)[Si](C)(C)I",
    "N[Pt](N)(Cl)Cl",
    "[Na+].[Cl-].CC(=O)[O-].[NH4+]",
    "CCOP(=S)(OCC)SC(C)(C)C#N",
    "c1ccc2c(c1)[nH]c1cnccc12",
    "*c1ccc(*)s1",
    "C[C@]12CC[C@H]3[C@@H](CC[C@@H]4CC(=O)CC[C@]34C)[C@@H]1CC[C@@H]2O",
]


@pytest.fixture(scope="session")
def varied() -> list[str]:
    return list(VARIED)


@pytest.fixture(scope="session")
def shipped() -> list[str]:
    """The molecules of RDKit's Free-Wilson examples: 1,017 in SMILES, the others drawn."""
    ligands = Path(RDConfig.RDContribDir, "FreeWilson", "data", "cmet_ligands.sdf")
    drawn = [Chem.MolToSmiles(mol) for mol in Chem.SDMolSupplier(str(ligands))]
    return make_demo_molecules()[0] + drawn


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNKIT_CACHE", str(tmp_path / "cache"))
