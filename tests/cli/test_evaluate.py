"""`cnnkit evaluate`: scores on items that the model hasn't seen."""

import json

import numpy as np
import pandas as pd
import pytest

import cnnkit as package
from cnnkit.cnncore.model_folder import save


def evaluate(cnnkit, *arguments):
    result = cnnkit("evaluate", *arguments, "--json")
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_items_of_the_training_set_are_left_out_and_counted(cnnkit, model, sounds):
    found = evaluate(cnnkit, model, sounds)
    # `model` learnt from 25 of the 36, and was chosen by 6.
    assert (found["scored"], found["seen_in_training"]) == (5, 31)
    assert (found["rejected"], found["of_unknown_classes"]) == (0, 0)


def test_the_accuracy_is_that_of_the_predictions(cnnkit, model, make_sounds, tmp_path):
    folder = make_sounds(tmp_path / "new", 5)
    for file in folder.rglob("*.wav"):
        file.write_bytes(file.read_bytes() + b"new")
    found = evaluate(cnnkit, model, folder)
    assert (found["scored"], found["seen_in_training"]) == (15, 0)
    files = sorted(folder.rglob("*.wav"))
    said = package.load(model, device="cpu").predict([str(file) for file in files])
    accuracy = np.mean(said == [file.parent.name for file in files])
    score = found["scores"]["accuracy"]
    assert score["value"] == pytest.approx(accuracy)
    assert score["low"] <= score["value"] <= score["high"]
    assert score["text"].startswith(f"{accuracy:.3f} [")


def test_unknown_classes_and_bad_files_are_counted(cnnkit, model, make_sounds, tmp_path):
    folder = make_sounds(tmp_path / "new", 2)
    for file in folder.rglob("*.wav"):
        file.write_bytes(file.read_bytes() + b"new")
    (folder / "mid").rename(folder / "middle")
    (folder / "low" / "2.wav").write_bytes(b"")
    found = evaluate(cnnkit, model, folder)
    assert {key: found[key] for key in ("scored", "rejected", "of_unknown_classes")} == {
        "scored": 4, "rejected": 1, "of_unknown_classes": 2
    }  # fmt: skip
    shown = cnnkit("evaluate", model, folder)
    assert "4 scored, 1 rejected, 0 seen in training, 2 of unknown classes" in shown.stdout
    assert "\n  accuracy            " in shown.stdout
    assert shown.stderr.startswith("low/2.wav: the file is empty")


def test_rows_without_a_file_count_as_rejected(cnnkit, model, table, sounds, tmp_path):
    rows = pd.read_csv(table)[["path", "label"]]
    rows["path"] = [str(sounds / path) for path in rows["path"]]
    rows.loc[len(rows)] = ["missing.wav", "low"]
    rows.to_csv(tmp_path / "index.csv", index=False)
    found = evaluate(cnnkit, model, tmp_path / "index.csv", "--item", "path", "--target", "label")
    assert (found["rejected"], found["scored"], found["seen_in_training"]) == (1, 5, 31)
    ((place, reason),) = (row.values() for row in found["rejects"])
    assert place == "index.csv:38"
    assert reason.startswith("doesn't exist")


def test_numbers_are_scored_with_the_metrics_of_a_regression(cnnkit, fit, table, tmp_path):
    fit(table, "--target", "pitch", "--no-baseline", "--out", tmp_path / "model")
    found = evaluate(cnnkit, tmp_path / "model", table, "--target", "pitch")
    assert found["scores"].keys() == {"mae", "rmse", "r2"}
    assert found["scored"] + found["seen_in_training"] == 36


def test_nothing_left_to_score_is_explained(refused, fit, sounds, tmp_path):
    out = tmp_path / "model"
    fit(sounds, "--val", 0, "--test", 0, "--out", out)
    message = refused("evaluate", out, sounds)
    assert "no item is left to score: of 36, 36 were in the training set" in message


def test_a_model_that_does_not_list_its_training_items_is_scored_and_says_so(
    cnnkit, model, sounds, tmp_path
):
    save(package.load(model), tmp_path / "copy")
    shown = cnnkit("evaluate", tmp_path / "copy", sounds)
    assert "36 scored" in shown.stdout
    assert "doesn't list its training items" in shown.stdout
    assert evaluate(cnnkit, tmp_path / "copy", sounds)["seen_in_training"] is None


def test_labels_that_are_numbers_in_python_are_the_same_in_a_table(
    cnnkit, model, table, sounds, tmp_path
):
    numbered = package.load(model)
    numbered.classes_ = np.arange(len(numbered.classes_))
    save(numbered, tmp_path / "numbered")
    rows = pd.read_csv(table)[["path", "label"]]
    rows["path"] = [str(sounds / path) for path in rows["path"]]
    rows["label"] = rows["label"].astype("category").cat.codes
    rows.to_csv(tmp_path / "index.csv", index=False)
    arguments = ("--item", "path", "--target", "label")
    found = evaluate(cnnkit, tmp_path / "numbered", tmp_path / "index.csv", *arguments)
    assert (found["scored"], found["of_unknown_classes"]) == (36, 0)


def test_a_model_of_arrays_is_refused(refused, sounds, tmp_path):
    X = np.random.default_rng(0).normal(size=(8, 1, 4, 4))
    trained = package.CNNClassifier(network="relu | gap", epochs=1, device="cpu").fit(X, [0, 1] * 4)
    save(trained, tmp_path / "model")
    for command in ("evaluate", "predict"):
        assert "was trained on arrays" in refused(command, tmp_path / "model", sounds)


def test_a_folder_without_classes_is_refused(refused, model, sounds):
    assert "has no sub-folders" in refused("evaluate", model, sounds / "low")


def test_the_column_that_the_model_learnt_is_the_one_that_is_scored(cnnkit, fit, table, tmp_path):
    fit(table, "--target", "pitch", "--no-baseline", "--out", tmp_path / "model")
    assert "mae" in evaluate(cnnkit, tmp_path / "model", table)["scores"]
