"""`cnnkit fit`: from a folder or a table to a model folder and metrics.json."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

import cnnkit as package

FILES = {
    "README.md", "adapter.json", "adapter.safetensors", "config.json", "history.jsonl",
    "metrics.json", "rejects.csv", "report.html", "training_items.txt", "weights.safetensors",
}  # fmt: skip
CLASSIFICATION = {
    "accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "average_precision", "log_loss",
    "brier", "ece",
}  # fmt: skip


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def with_baseline(fit, table, tmp_path_factory):
    """The folder and the printed metrics of a run on official parts, beside the baseline."""
    out = tmp_path_factory.mktemp("fit") / "model"
    arguments = (table, "--target", "label", "--split", "column:part", "--json", "--out", out)
    return out, json.loads(fit(*arguments, "--set", "n_mels=32").stdout)


def test_json_is_what_the_folder_keeps_and_the_folder(with_baseline):
    folder, printed = with_baseline
    assert {**read_json(folder / "metrics.json"), "model": str(folder)} == printed


def test_all_files_of_the_model_folder_can_be_read_by_the_same_people(with_baseline):
    assert len({file.stat().st_mode for file in with_baseline[0].iterdir()}) == 1


def test_json_has_all_that_is_documented(with_baseline):
    metrics = with_baseline[1]
    assert (metrics["task"], metrics["metric"]) == ("classification", "accuracy")
    assert metrics["split"].keys() == {"name", "sizes", "sha256"}
    assert metrics["split"]["name"] == "column:part"
    assert metrics["split"]["sizes"] == {"train": 20, "val": 4, "test": 12}  # 15 % of 24 drawn
    assert len(bytes.fromhex(metrics["split"]["sha256"])) == 32
    assert metrics["baseline"].pop("name") == "MFCC + SVM"
    for model in ("majority", "baseline", "cnn"):
        assert metrics[model].keys() == {"val", "test"}
        for scores in metrics[model].values():
            assert scores.keys() <= CLASSIFICATION
            accuracy = scores["accuracy"]
            assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
            assert all(score["low"] <= score["high"] for score in scores.values())
    assert metrics["cnn"]["test"].keys() == CLASSIFICATION
    assert metrics["rejects"] == 0
    assert metrics["seconds"].keys() == {"read", "fit", "predict"}
    assert metrics["device"] == "cpu"
    assert metrics["parameters"]["seed"] == 0
    assert metrics["parameters"]["network"] == "conv 4x5x5/4 | relu | gap"


def test_the_majority_is_right_for_its_share_of_the_test_part(with_baseline):
    # 4 of 12 test items are of any class.
    assert with_baseline[1]["majority"]["test"]["accuracy"]["value"] == pytest.approx(4 / 12)


def test_settings_reach_the_adapter(with_baseline):
    folder, metrics = with_baseline
    assert metrics["parameters"]["adapter"]["n_mels"] == 32
    assert package.load(folder).adapter_.spec_.shape == (1, 32, 32)


def test_the_scores_are_those_of_the_saved_model(with_baseline, table):
    folder, metrics = with_baseline
    rows = pd.read_csv(table).query("part == 'test'")
    model = package.load(folder, device="cpu")
    predicted = model.predict([str(table.parent / path) for path in rows["path"]])
    accuracy = np.mean(predicted == rows["label"].to_numpy())
    assert metrics["cnn"]["test"]["accuracy"]["value"] == pytest.approx(accuracy)


def test_the_model_folder_is_whole(with_baseline):
    folder = with_baseline[0]
    assert {path.name for path in folder.iterdir()} == FILES
    assert list(folder.parent.iterdir()) == [folder]
    assert len((folder / "training_items.txt").read_text().split()) == 24
    assert len((folder / "history.jsonl").read_text().splitlines()) == 2
    with (folder / "rejects.csv").open(encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["place", "value", "status", "reason"]]
    options = read_json(folder / "config.json")["options"]
    assert (options["split"], options["epochs"], options["seed"]) == ("column:part", 2, 0)


def test_card_and_report_tell_the_verdict_and_every_score(with_baseline):
    folder, metrics = with_baseline
    card = (folder / "README.md").read_text(encoding="utf-8")
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in (card, page):
        assert metrics["verdict"] in text
        assert "MFCC + SVM" in text
        for part in ("val", "test"):
            assert f"{metrics['cnn'][part]['accuracy']['value']:.3f}" in text
    assert page.count("<svg") == 3


def test_a_folder_of_classes_is_told_and_trained_on(fit, sounds, tmp_path):
    shown = fit(sounds, "--no-baseline", "--out", tmp_path / "model").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0] == "cnnkit fit: sounds, 36 items"
    assert "classes 3: high 12, low 12, mid 12" in lines
    assert "split stratified: 25 training, 6 validation, 5 test" in lines
    assert "rate 8,000 Hz" in lines
    assert "network conv 4x5x5/4 | relu | gap" in lines
    assert "epoch train loss val loss val accuracy seconds" in lines
    assert [line.split()[0] for line in lines if line[:2] in ("1 ", "2 ")] == ["1", "2"]
    assert "accuracy validation test" in lines
    assert lines[-2] == f"Model and report: {tmp_path / 'model'}"
    assert "baseline" not in read_json(tmp_path / "model" / "metrics.json")
    assert "MFCC" not in shown


def test_without_data_the_adapter_makes_its_demo_set(fit, sounds, tmp_path, monkeypatch):
    files = sorted(sounds.rglob("*.wav"))
    demo = [str(file) for file in files], [file.parent.name for file in files]
    monkeypatch.setattr("cnnkit.adapters.audio.adapter.AudioAdapter.demo", lambda self: demo)
    shown = fit("--no-baseline", "--out", tmp_path / "model").stdout
    assert shown.startswith("cnnkit fit: audio demo, 36 items\n")
    assert "the adapter's demo set, made on this machine from code and a seed" in shown


def test_numbers_are_predicted_from_a_table(fit, table, tmp_path):
    arguments = (table, "--target", "pitch", "--out", tmp_path / "model", "--json")
    metrics = json.loads(fit(*arguments).stdout)
    assert (metrics["task"], metrics["metric"]) == ("regression", "rmse")
    for model in ("majority", "baseline", "cnn"):
        assert metrics[model]["test"].keys() == {"mae", "rmse", "r2"}
    assert metrics["calibration"] is None
    assert "<svg" in (tmp_path / "model" / "report.html").read_text(encoding="utf-8")


def test_the_same_seed_gives_the_same_weights_bit_for_bit(fit, sounds, model, tmp_path):
    for name, seed in (("again", 0), ("other", 1)):
        fit(sounds, "--no-baseline", "--seed", seed, "--out", tmp_path / name)
    first, again, other = (
        (folder / "weights.safetensors").read_bytes()
        for folder in (model, tmp_path / "again", tmp_path / "other")
    )
    assert first == again
    assert first != other


def test_without_held_out_parts_there_is_a_model_and_no_score(fit, sounds, tmp_path):
    out = tmp_path / "model"
    shown = fit(sounds, "--val", 0, "--test", 0, "--out", out).stdout
    assert "Nothing was held out, so there is no score." in shown
    assert read_json(out / "metrics.json")["split"]["sizes"] == {"train": 36, "val": 0, "test": 0}
    assert package.load(out).classes_.tolist() == ["high", "low", "mid"]


def test_without_out_models_are_numbered(fit, sounds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        shown = fit(sounds, "--no-baseline").stdout
        assert f"Model and report: cnnkit-models/audio-{number}" in shown
    assert {path.name for path in (tmp_path / "cnnkit-models").iterdir()} == {"audio-1", "audio-2"}


def test_a_number_that_another_run_took_meanwhile_is_left_to_it(fit, sounds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    taken = tmp_path / "cnnkit-models" / "audio-1"
    monkeypatch.setattr(
        "cnnkit.cli.fit_print.Printer.plan", lambda *_: taken.mkdir(parents=True, exist_ok=True)
    )
    assert "report: cnnkit-models/audio-2" in fit(sounds, "--no-baseline").stdout
    assert list(taken.iterdir()) == []


def test_a_model_is_replaced_only_when_asked(fit, refused, sounds, tmp_path):
    out = tmp_path / "model"
    fit(sounds, "--no-baseline", "--out", out)
    before = (out / "weights.safetensors").read_bytes()
    message = refused("fit", sounds, "--adapter", "audio", "--out", out)
    assert message.startswith(f"{out} exists")
    assert (out / "weights.safetensors").read_bytes() == before
    fit(sounds, "--no-baseline", "--out", out, "--overwrite", "--seed", 5)
    assert (out / "weights.safetensors").read_bytes() != before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
