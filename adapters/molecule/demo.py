"""The measured activities that every installation of RDKit has: which molecules block a channel?"""

from __future__ import annotations

import csv
from pathlib import Path

from rdkit import RDConfig

DEMO_SOURCE = (
    "1,017 arylsulfonamides and how strongly each blocks the sodium channel Nav1.7 (pIC50; "
    "ChEMBL document CHEMBL2321810), which come with RDKit"
)
NAME = "CHEMBL2321810"


def make_demo_molecules() -> tuple[list[str], list[str]]:
    """Read the molecules and activities of RDKit's Free-Wilson example.

    Returns
    -------
    smiles : list of str
    activities : list of str
        Numbers.

    Raises
    ------
    RuntimeError
        If this installation of RDKit came without its Contrib folder.

    References
    ----------
    Free & Wilson 1964; rdkit/Contrib/FreeWilson.

    Examples
    --------
    >>> smiles, activities = make_demo_molecules()
    >>> len(smiles), activities[0]
    (1017, '5.48')
    """
    folder = Path(RDConfig.RDContribDir) / "FreeWilson" / "data"
    molecules, activities = folder / f"{NAME}.smi", folder / f"{NAME}_act.csv"
    if not (molecules.is_file() and activities.is_file()):
        raise RuntimeError(
            f"the demo needs {molecules}, which RDKit's wheels bring; give a table of your own: "
            "cnnkit fit molecules.csv --adapter molecule"
        )
    with activities.open(encoding="utf-8", newline="") as file:
        measured = {row["Name"]: row["Act"] for row in csv.DictReader(file)}
    lines = [line.split() for line in molecules.read_text(encoding="utf-8").splitlines()]
    found = [(smiles, measured[name]) for smiles, name in lines if name in measured]
    return [smiles for smiles, _ in found], [activity for _, activity in found]
