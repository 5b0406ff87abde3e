"""Targets of several labels, from a table to the scores of a saved model."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

import cnnkit as package

MISSING = {("high", 3), ("low", 5), ("odd", 0), ("odd", 7)}


def tags(label: str, number: int) -> set[str]:
    return {label, "odd"} if number % 2 else {label}


@pytest.fixture(scope="module")
def labelled(sounds, tmp_path_factory):
    """Write the tones with their labels in one column, and with a column for each label."""
    folder = tmp_path_factory.mktemp("labelled")
    rows = [(label, n) for label in ("high", "low", "mid") for n in range(12)]
    paths = [str(sounds / label / f"{n}.wav") for label, n in rows]
    together = [" | ".join(sorted(tags(*row) - {"mid"})) for row in rows]
    pd.DataFrame({"path": paths, "tags": together}).to_csv(folder / "together.csv", index=False)
    apart = {
        name: [
            "" if (name, n) in MISSING else str(int(name in tags(label, n))) for label, n in rows
        ]
        for name in ("low", "high", "odd")
    }
    pd.DataFrame({"path": paths, **apart}).to_csv(folder / "apart.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def trained(fit, labelled, tmp_path_factory):
    """Fit on labels in a column each, some of them missing."""
    folder = tmp_path_factory.mktemp("models") / "apart"
    return folder, fit(labelled / "apart.csv", "--target", "low,high,odd", "--out", folder)


def test_labels_in_one_column_are_learnt(fit, labelled, tmp_path):
    result = fit(
        labelled / "together.csv", "--target", "tags", "--task", "multilabel", "--out",
        tmp_path / "model", "--cv", 3,
    )  # fmt: skip
    assert "separator   '|' between the labels of a cell" in result.stdout
    assert "labels      3: odd 18, high 12, low 12; 1.17 an item\n" in result.stdout
    assert "6 items have no label at all: their cells are empty" in result.stdout
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["task"], metrics["metric"]) == ("multilabel", "macro_f1")
    assert [row["label"] for row in metrics["labels"]] == ["high", "low", "odd"]
    assert [row["known"] for row in metrics["labels"]] == [36, 36, 36]
    assert metrics["labels"][2]["positive"] == 18
    said = metrics["baseline"]["test"]["macro_f1"]["value"]
    lead = metrics["cnn"]["test"]["macro_f1"]["value"] - said
    assert f"{abs(100 * lead):.1f} points of macro F1" in metrics["verdict"]


def test_labels_in_columns_of_their_own_are_learnt_where_they_are_known(trained):
    folder, result = trained
    assert "labels      3: odd 15, low 11, high 11; 1.03 an item; 12 of 108 cells" in result.stdout
    table = result.stdout.split("\n\n  label ")[1].split("\n\n")[0].splitlines()
    assert table[0].split() == [
        "positive", "known", "f1", "balanced_accuracy", "roc_auc", "average_precision",
    ]  # fmt: skip
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert {row.split()[0] for row in table[1:4]} == {"low", "high", "odd"}
    assert set(metrics["cnn"]["test"]) >= {"macro_f1", "micro_f1", "log_loss", "brier"}
    assert "log_loss" not in metrics["baseline"]["test"]
    assert "log_loss" in metrics["majority"]["test"]
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "Label by label (test)" in report
    assert all(f"<td>{name}</td>" in report for name in ("low", "high", "odd"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["fitted"]["classes"] == ["low", "high", "odd"]


def test_the_prediction_names_the_labels_and_gives_each_a_probability(cnnkit, trained, labelled):
    folder, _ = trained
    result = cnnkit("predict", folder, labelled / "together.csv", "--json")
    assert result.exit_code == 0
    found = pd.DataFrame(json.loads(result.stdout)["predictions"])
    files = pd.read_csv(labelled / "together.csv")["path"].tolist()
    said = package.load(folder, device="cpu").predict_proba(files)
    np.testing.assert_allclose(found[["p(low)", "p(high)", "p(odd)"]], said, atol=1e-6)
    names = np.array(["low", "high", "odd"])
    assert found["prediction"].tolist() == [";".join(names[row > 0.5]) for row in said]
    assert set(found["status"]) == {"ok"}


@pytest.mark.parametrize("options", [("together.csv", "--target", "tags"), ("apart.csv",)])
def test_a_model_is_scored_on_labels_in_either_form(cnnkit, trained, labelled, tmp_path, options):
    folder, _ = trained
    table = pd.read_csv(labelled / options[0], dtype=str, keep_default_na=False)
    for number, path in enumerate(table["path"]):
        (tmp_path / f"{number}.wav").write_bytes(Path(path).read_bytes() + b"new")
    table["path"] = [f"{number}.wav" for number in range(len(table))]
    if "tags" in table:
        table.loc[0, "tags"] = "high|strange"
    table.to_csv(tmp_path / "new.csv", index=False)
    result = cnnkit("evaluate", folder, tmp_path / "new.csv", *options[1:], "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["scored"] == 36
    printed = cnnkit("evaluate", folder, tmp_path / "new.csv", *options[1:]).stdout
    assert [line.split()[0] for line in printed.splitlines()[-3:]] == ["odd", "low", "high"]
    assert ("left out: 1 in 1 places: 'strange'" in result.stderr) == ("tags" in table)
    truth = np.full((36, 3), np.nan)
    for k, name in enumerate(("low", "high", "odd")):
        for row in range(36):
            if "tags" in table:
                truth[row, k] = name in table["tags"][row].replace(" ", "").split("|")
            elif table[name][row]:
                truth[row, k] = float(table[name][row])
    files = [str(tmp_path / path) for path in table["path"]]
    said = package.load(folder, device="cpu").predict(files)
    by_label = [
        f1_score(truth[known, k], said[known, k], zero_division=np.nan)
        for k, known in enumerate(~np.isnan(truth.T))
    ]
    assert found["scores"]["macro_f1"]["value"] == pytest.approx(np.nanmean(by_label))
    assert [row["known"] for row in found["labels"]] == (~np.isnan(truth)).sum(axis=0).tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--target low,hihg", "lacks columns of --target 'low,hihg': 'hihg'. Did you mean 'high'?"),
        ("--target low,high --task classification", "a classification has one target"),
        ("--target low,high,low", "names 'low' twice"),
        ("--target odd --separator ;", "--separator is for cells that hold several labels"),
        ("--target odd --task multilabel", "holds '0', '1', which are no names"),
        ("--target low,high --task multilabel --separator /", "is for one column of labels"),
        ("--target path,high --item path", "column 'path' can't hold both items and targets"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(refused_fit, labelled, options, message):
    assert message in refused_fit(labelled / "apart.csv", *options.split())


def test_a_folder_of_classes_is_no_multilabel_data(refused_fit, sounds):
    message = refused_fit(sounds, "--task", "multilabel")
    assert "multi-label targets need a table" in message


def test_a_table_of_rows_with_labels_is_trained_without_the_swap_test(cnnkit, refused, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 4)).round(3), columns=list("abcd"))
    frame["up"], frame["down"] = (frame["a"] > 0).astype(int), (frame["b"] < 0).astype(int)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    command = ("fit", tmp_path / "rows.csv", "--adapter", "table", "--target", "up,down")
    command = (*command, "--epochs", 1, "--device", "cpu", "--out", tmp_path / "model")
    assert "takes one target, and these are multi-label" in refused(*command)
    result = cnnkit(*command, "--anyway")
    assert result.exit_code == 0
    assert "rows of 4 columns\n  labels      2: " in result.stdout
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["baseline"]["test"]["roc_auc"]["value"] > 0.8
    result = cnnkit("evaluate", tmp_path / "model", tmp_path / "rows.csv", "--json")
    assert json.loads(result.stdout)["scored"] == 9


def test_item_and_separator_of_the_training_are_those_of_a_saved_model(
    fit, cnnkit, labelled, tmp_path
):
    frame = pd.read_csv(labelled / "together.csv", dtype=str, keep_default_na=False)
    frame["tags"] = frame["tags"].str.replace(" | ", "+").replace("odd", "odd;x")
    frame = frame.rename(columns={"path": "clip"}).assign(other=frame["path"])
    frame.to_csv(tmp_path / "new.csv", index=False)
    options = ("--item", "clip", "--target", "tags", "--task", "multilabel", "--separator", "+")
    folder = tmp_path / "model"
    fit(tmp_path / "new.csv", *options, "--no-baseline", "--out", folder)
    for chosen in ((), ("--target", "tags")):
        result = cnnkit("evaluate", folder, tmp_path / "new.csv", *chosen, "--json")
        assert result.exit_code == 0
        assert "training data lacks" not in result.stderr
    result = cnnkit("predict", folder, tmp_path / "new.csv", "--json")
    rows = json.loads(result.stdout)["predictions"]
    assert len(rows) == 36
    names = {name for row in rows for name in row["prediction"].split("+")}
    assert names <= {"", "high", "low", "odd", "odd;x"}
    said = package.load(folder, device="cpu").predict_proba(frame["clip"].tolist())
    several = (said > 0.5).sum(axis=1) > 1
    assert ["+" in row["prediction"] for row in rows] == several.tolist()
