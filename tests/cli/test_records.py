"""Files of records, such as SDF, in `cnnkit predict`, `cnnkit evaluate` and the list of rejects."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from cnnkit.adapters.base import Adapter
from cnnkit.cli.collect import collect
from cnnkit.cli.fit_files import list_rejects
from cnnkit.cli.main import main
from cnnkit.cnncore import model_folder
from cnnkit.cnncore.image import Problem, Samples

ATOM = "    0.0000    0.0000    0.0000 O   0  0\n"


def record(title, atoms, **properties):
    block = f"{title}\n\n\n{atoms:3}  0  0  0  0  0  0  0  0  0999 V2000\n{ATOM * atoms}M  END\n"
    rest = "".join(f"> <{name}>\n{value}\n\n" for name, value in properties.items())
    return f"{block}{rest}$$$$\n"


SDF = "".join(
    [
        record("water", 1, size="1", status="wet", remark="two\nlines"),
        record("", 2, size="2", status="a,b"),
        "broken\n\n\n  2  0  0  0  0  0  0  0  0  0999 V2000\n> <size>\n2\n\n$$$$\n",
        "$$$$\n",
        record("ozone", 3, size="2", prediction="9"),
    ]
)


class Molecules(Adapter):
    """Reads a MOL block as the number of its lines."""

    name = "blocks"
    item_columns = ("smiles", "molecule")

    def read(self, items: Any) -> Samples:
        good = [row for row, item in enumerate(items) if "M  END" in item or item == "CCO"]
        bad = [number for number in range(len(items)) if number not in good]
        return Samples(
            values=np.array([[items[number].count("\n") - 4] for number in good], np.float32),
            offsets=np.arange(len(good) + 1),
            items=np.array(good),
            summary=np.zeros((len(good), 0), np.float32),
            problems=tuple(Problem(row, items[row], "it breaks off") for row in bad),
        )

    def looks_like_item(self, value: str) -> bool:
        return value.startswith("C")

    def fingerprints(self, items: Any) -> list[str]:
        return list(items)

    def fit_reading(self, items: Any, y: Any = None) -> Molecules:
        raise NotImplementedError  # predicting fits nothing, and draws no picture

    fit_rendering = renderer = locate = edge_labels = baseline = demo = fit_reading


class Sizes:
    """Predicts the number of atoms."""

    target_names_ = np.arange(1)

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter

    def predict(self, samples: Samples) -> Any:
        return samples.values[:, 0]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command with the model of molecules."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"options": {"target": "size"}}')
    monkeypatch.setattr(model_folder, "load", lambda path, device: Sizes(Molecules()))

    def run(command, name, text, *arguments):
        (tmp_path / name).write_text(text)
        words = [command, tmp_path / "model", tmp_path / name, *arguments]
        return CliRunner().invoke(main, [str(word) for word in words])

    return run


def rows_of(result):
    return list(csv.DictReader(io.StringIO(result.stdout, newline="")))


def test_predictions_stand_beside_titles_and_properties(run):
    result = run("predict", "a.sdf", SDF)
    assert result.exit_code == 0, result.output
    rows = rows_of(result)
    assert list(rows[0]) == [
        "item", "size", "source status", "remark", "source prediction", "prediction", "status",
        "reason",
    ]  # fmt: skip
    assert [row["item"] for row in rows] == ["water", "record 2", "broken", "record 4", "ozone"]
    assert [row["prediction"] for row in rows] == ["1.0", "2.0", "", "", "3.0"]
    assert [row["size"] for row in rows] == ["1", "2", "2", "", "2"]
    assert [row["source status"] for row in rows] == ["wet", "a,b", "", "", ""]
    assert (rows[0]["remark"], rows[4]["source prediction"]) == ("two\nlines", "9")
    assert [row["status"] for row in rows] == ["ok", "ok", "rejected", "rejected", "ok"]
    assert [row["reason"] for row in rows][2:4] == ["it breaks off", "the record is empty"]
    assert "items: column 'molecule'" in result.stderr


def test_many_properties_are_repeated(run):
    properties = {f"p{number}": str(number) for number in range(150)}
    (row,) = rows_of(run("predict", "a.sdf", record("a", 1, **properties)))
    assert {name: row[name] for name in properties} == properties


def test_names_of_smiles_are_repeated_and_columns_of_a_table_are_not(run):
    (row,) = rows_of(run("predict", "a.smi", "CCO ethanol\n"))
    assert (row["item"], row["name"], row["status"]) == ("CCO", "ethanol", "ok")
    result = run("predict", "a.csv", "drawn,name\nCCO,ethanol\n")
    (row,) = rows_of(result)
    assert list(row) == ["item", "prediction", "status", "reason"]
    assert "items: column 'drawn' (its cells look like items)" in result.stderr


def test_a_property_is_the_target_that_a_model_is_scored_on(run):
    result = run("evaluate", "a.sdf", SDF, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["scored"], found["rejected"]) == (3, 2)
    errors = [0, 0, 1]  # ozone has three atoms, and its size is 2
    assert found["scores"]["mae"]["value"] == pytest.approx(np.mean(errors))
    assert "M  END" not in result.output


def test_rejects_are_listed_by_title(tmp_path):
    (tmp_path / "a.sdf").write_text(SDF)
    (tmp_path / "b.sdf").write_text(SDF.replace("water", "ice"))
    given = {"item": None, "target": "size", "task": "regression", "encoding": None}
    sources = [("train", tmp_path / "a.sdf"), ("test", tmp_path / "b.sdf")]
    data = collect(sources, Molecules(), **given)
    rejects = list_rejects(data, Molecules().read(data.items).problems)
    assert [(row["place"], row["value"], row["reason"]) for row in rejects] == [
        ("a.sdf:40", "record 4", "the record is empty"),
        ("b.sdf:40", "record 4", "the record is empty"),
        ("a.sdf:32", "broken", "it breaks off"),
        ("b.sdf:32", "broken", "it breaks off"),
    ]
    assert data.values[4:6] == ["ice", "record 2"]
