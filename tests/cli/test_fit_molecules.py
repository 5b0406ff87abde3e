"""`cnnkit fit` on molecules, and what the model folder says of them afterwards."""

import csv
import json

import pytest
from rdkit import Chem

QUICK = ("--network", "molecule-quick", "--epochs", 1, "--device", "cpu", "--no-baseline")


@pytest.fixture(scope="module")
def rows():
    """Thirty alcohols and amines of growing chains, some of them salts."""
    chains = ["C" * n for n in range(1, 16)]
    return [f"{c}O,{len(c) / 2}" for c in chains] + [f"{c}[NH3+].[Cl-],{len(c)}.5" for c in chains]


@pytest.fixture(scope="module")
def table(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("molecules") / "data.csv"
    path.write_text("\n".join(["id,SMILES,logS", *(f"m{n},{r}" for n, r in enumerate(rows))]))
    return path


@pytest.fixture(scope="module")
def molecules_model(cnnkit, table, tmp_path_factory):
    """A model that was trained under the adapter's other name, with options of molecules."""
    out = tmp_path_factory.mktemp("models") / "model"
    options = ("--adapter", "molecules", "--salts", "largest", "--max-atoms", 100)
    result = cnnkit("fit", table, *options, *QUICK, "--out", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "task        regression" in result.stdout
    return out


def test_a_model_says_what_its_adapter_is_called_and_set_to(molecules_model):
    config = json.loads((molecules_model / "config.json").read_text())
    assert config["options"]["adapter_name"] == "molecule"
    adapter = json.loads((molecules_model / "adapter.json").read_text())
    assert adapter["name"] == "molecule"
    assert (adapter["parameters"]["salts"], adapter["parameters"]["max_atoms"]) == ("largest", 100)


def test_every_row_is_answered_from_smiles_and_from_sdf_alike(cnnkit, molecules_model, tmp_path):
    smiles = {"butanol": "CCCCO", "salt": "CC[NH3+].[Cl-]", "heavy": "C" * 101}
    lines = [f"{text} {name}" for name, text in smiles.items()]
    (tmp_path / "new.smi").write_text("\n".join([*lines, "C1CC broken"]) + "\n")
    blocks = []
    for name, text in smiles.items():
        mol = Chem.MolFromSmiles(text)
        mol.SetProp("_Name", name)
        blocks.append(Chem.MolToMolBlock(mol) + "$$$$\n")
    (tmp_path / "new.sdf").write_text("".join([*blocks, "broken\n\n\n$$$$\n"]))
    answers = []
    for name in ("new.smi", "new.sdf"):
        result = cnnkit("predict", molecules_model, tmp_path / name)
        assert result.exit_code == 0
        found = list(csv.DictReader(result.stdout.splitlines()))
        assert [row["status"] for row in found] == ["ok", "warning", "rejected", "rejected"]
        assert found[1]["reason"] == "the largest of 2 parts kept; left out: [Cl-]"
        assert found[2]["reason"].startswith("unsupported: found 101 heavy atoms; expected at most")
        assert found[3]["reason"].startswith("invalid: ")
        answers.append([row["prediction"] for row in found])
    assert answers[0] == answers[1]
    assert answers[0][2:] == ["", ""]


def test_salts_that_are_refused_stop_fit_with_the_rows(refused, table, tmp_path):
    options = ("--adapter", "molecule", "--salts", "refuse", *QUICK, "--out", tmp_path / "model")
    message = refused("fit", table, *options)
    assert message.startswith("15 of 30 items can't be used, and --max-bad allows 5%:")
    assert "data.csv:17: unsupported: found 2 parts" in message


def test_the_demo_set_is_a_regression(cnnkit, monkeypatch, rows, tmp_path):
    demo = [row.split(",")[0] for row in rows], [row.split(",")[1] for row in rows]
    monkeypatch.setattr("cnnkit.adapters.molecule.adapter.MoleculeAdapter.demo", lambda self: demo)
    result = cnnkit("fit", "--adapter", "molecule", *QUICK, "--out", tmp_path / "model")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "cnnkit fit: molecule demo, 30 items" in result.stdout
    assert "rmse" in result.stdout
