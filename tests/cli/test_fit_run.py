"""The ways to split, and what happens to items that can't be used."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cnnkit.adapters import AudioAdapter
from cnnkit.cnncore.experiment import Experiment

QUICK = ("--no-baseline", "--json")
SPEAKERS = ("anna", "ben", "cleo", "dan")


def digest(path):
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def rejects(folder):
    with (folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def fitted_parts(monkeypatch):
    """Note the rows of every training, validation and test part."""
    parts = []
    original = Experiment.fit

    def fit(self, train, val, test):
        parts.append([train.tolist(), val.tolist(), test.tolist()])
        return original(self, train, val, test)

    monkeypatch.setattr(Experiment, "fit", fit)
    return parts


def groups_of(table, rows):
    return set(pd.read_csv(table)["speaker"].iloc[rows])


def test_no_group_stands_on_two_sides(fit, table, tmp_path, fitted_parts):
    out = tmp_path / "model"
    metrics = json.loads(fit(table, "--split", "group:speaker", *QUICK, "--out", out).stdout)
    speakers = [groups_of(table, rows) for rows in fitted_parts[0]]
    assert all(speakers)
    assert sum(map(len, speakers)) == len(set.union(*speakers)) == 4
    assert metrics["split"]["sizes"] == dict(
        zip(("train", "val", "test"), map(len, fitted_parts[0]), strict=True)
    )
    learnt = (out / "training_items.txt").read_text().split()
    seen = [*fitted_parts[0][0], *fitted_parts[0][1]]
    paths = pd.read_csv(table)["path"].iloc[seen]
    assert sorted(learnt) == sorted(digest(table.parent / path) for path in paths)


def test_cross_validation_tests_every_item_once_and_then_learns_all(
    fit, table, tmp_path, fitted_parts
):
    arguments = (table, "--cv", "group:speaker", "--json", "--out", tmp_path / "model")
    metrics = json.loads(fit(*arguments).stdout)
    folds = metrics["cv"]["folds"]
    assert [fold["name"] for fold in folds] == [f"speaker={name}" for name in SPEAKERS]
    assert [fold["n"] for fold in folds] == [9, 9, 9, 9]
    for model in ("cnn", "baseline"):
        for metric, over in metrics["cv"][model].items():
            values = [fold[model][metric] for fold in folds]
            assert over["mean"] == pytest.approx(np.mean(values))
            assert over["sd"] == pytest.approx(np.std(values, ddof=1))
    *rounds, (everything, *nothing) = fitted_parts
    assert (everything, nothing) == (list(range(36)), [[], []])
    assert sorted(row for _, _, test in rounds for row in test) == everything
    for train, val, test in rounds:
        assert not val
        assert not groups_of(table, train) & groups_of(table, test)
    # All folds together: of 36 items as many are right as in the four folds.
    accuracy = metrics["cnn"]["test"]["accuracy"]["value"]
    assert accuracy == pytest.approx(metrics["cv"]["cnn"]["accuracy"]["mean"])
    assert metrics["cnn"].keys() == {"test"}
    assert len((tmp_path / "model" / "training_items.txt").read_text().split()) == 36


def test_a_validation_part_of_a_fold_is_made_of_whole_groups(fit, table, tmp_path, fitted_parts):
    fit(table, "--cv", "group:speaker", "--val", "30%", *QUICK, "--out", tmp_path / "model")
    for train, val, test in fitted_parts[:-1]:
        speakers = [groups_of(table, rows) for rows in (train, val, test)]
        assert [len(one) for one in speakers] == [2, 1, 1]
        assert len(set.union(*speakers)) == 4


@pytest.fixture
def with_scaffolds(monkeypatch):
    """Let tones of the same number be of one scaffold, five of them in all."""

    def families(_, items):
        return [f"scaffold {int(Path(item).stem) % 5}" for item in items]

    monkeypatch.setattr(AudioAdapter, "split_kinds", ("scaffold", "scaffold-balanced"))
    monkeypatch.setattr(AudioAdapter, "families", families)
    return lambda rows: {row % 12 % 5 for row in rows}


@pytest.mark.parametrize(
    ("kind", "seed", "note"),
    [("scaffold", 5, "seed has no influence"), ("scaffold-balanced", 1, "largest with 9 items")],
)
def test_whole_scaffolds_are_learnt_or_tested(
    fit, table, tmp_path, fitted_parts, with_scaffolds, kind, seed, note
):
    shares = ("--val", "20%", "--test", "20%", "--seed", seed, "--no-baseline")
    shown = fit(table, "--target", "label", "--split", kind, *shares, "--out", tmp_path / "model")
    sides = [with_scaffolds(rows) for rows in fitted_parts[0]]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides)) == 5
    assert "5 scaffolds" in shown.stdout
    assert note in shown.stdout
    split = json.loads((tmp_path / "model" / "metrics.json").read_text())["split"]
    assert split["name"] == kind
    assert list(split["sizes"].values()) == list(map(len, fitted_parts[0]))


def test_folds_and_their_validation_parts_are_made_of_whole_scaffolds(
    fit, table, tmp_path, fitted_parts, with_scaffolds
):
    out = tmp_path / "model"
    fit(table, "--target", "label", "--cv", "scaffold", "--val", "25%", *QUICK, "--out", out)
    *rounds, _ = fitted_parts
    assert len(rounds) == 5
    for parts in rounds:
        assert [len(with_scaffolds(rows)) for rows in parts] == [3, 1, 1]
        assert len(set.union(*map(with_scaffolds, parts))) == 5


def test_a_number_makes_as_many_folds(fit, sounds, tmp_path):
    shown = fit(sounds, "--cv", 2, "--no-baseline", "--out", tmp_path / "model").stdout
    assert "2 by 2; each is the test part once" in shown
    assert "fold 1 of 2" in shown
    assert "fold 2 of 2" in shown
    assert "mean over folds     CNN: accuracy" in shown
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    assert metrics["split"]["name"] == "cv 2"
    assert metrics["split"]["sizes"] == {"fold 1 of 2": 18, "fold 2 of 2": 18}


@pytest.fixture
def more(make_sounds, tmp_path):
    """Nine sounds like those of the training folder, and none of them equal to one."""
    folder = make_sounds(tmp_path / "more", 3)
    for file in folder.rglob("*.wav"):
        file.write_bytes(file.read_bytes() + b"other")  # bytes after the sound are no sound
    return folder


def test_parts_may_be_data_sets_of_their_own(fit, sounds, more, tmp_path, fitted_parts):
    copied = sounds / "low" / "5.wav"
    (more / "low" / "copy.wav").write_bytes(copied.read_bytes())
    out = tmp_path / "model"
    # A copy of a test item isn't learnt, which --strict has nothing to say about.
    metrics = json.loads(fit(sounds, "--test-data", more, "--strict", *QUICK, "--out", out).stdout)
    assert metrics["split"]["name"] == "given"
    assert metrics["split"]["sizes"] == {"train": 30, "val": 5, "test": 10}  # 15 % of 35 drawn
    assert fitted_parts[0][2] == list(range(36, 46))
    (row,) = rejects(out)
    assert (row["place"], row["status"]) == ("low/5.wav", "rejected")
    assert row["reason"] == "has the same content as low/copy.wav, which stands in the test part"
    assert metrics["rejects"] == 1
    assert digest(copied) not in (out / "training_items.txt").read_text()


def test_validation_data_of_its_own_is_the_validation_part(
    fit, sounds, more, tmp_path, fitted_parts
):
    fit(sounds, "--val-data", more, *QUICK, "--out", tmp_path / "model")
    assert fitted_parts == [[list(range(36)), list(range(36, 45)), []]]


def test_a_test_part_that_holds_the_whole_training_part_is_refused(refused_fit, sounds, tmp_path):
    message = refused_fit(sounds, "--test-data", sounds, "--out", tmp_path / "model")
    assert message.startswith("No training item is left: all of them have a copy")


def test_a_copy_that_a_fold_does_not_learn_is_a_warning(fit, table, tmp_path):
    rows = pd.read_csv(table).iloc[[0, 1, 2, 3, 12, 13, 14, 15, 24, 25, 26, 27]]
    rows["path"] = [str(table.parent / path) for path in rows["path"]]
    rows = pd.concat([rows, rows.iloc[[0]].assign(speaker="dan")])
    rows.to_csv(tmp_path / "index.csv", index=False)
    out = tmp_path / "model"
    arguments = (tmp_path / "index.csv", "--target", "label", "--cv", "column:speaker")
    metrics = json.loads(fit(*arguments, "--strict", *QUICK, "--out", out).stdout)
    assert metrics["rejects"] == 0
    assert [(row["place"], row["status"]) for row in rejects(out)] == [
        ("index.csv:14", "warning"), ("index.csv:2", "warning")
    ]  # fmt: skip
    assert rejects(out)[1]["reason"].startswith("left out of training in speaker=dan: has the same")


@pytest.fixture(scope="module")
def some_bad(make_sounds, tmp_path_factory):
    """38 sounds, two of which (5.3 %) can't be read."""
    folder = make_sounds(tmp_path_factory.mktemp("bad") / "sounds", 12)
    for name in ("empty.wav", "none.wav"):
        (folder / "low" / name).write_bytes(b"")
    return folder


def test_too_many_bad_items_stop_the_run_and_are_told(refused_fit, some_bad, tmp_path):
    message = refused_fit(some_bad, *QUICK, "--out", tmp_path / "model")
    assert message.startswith("2 of 38 items can't be used, and --max-bad allows 5%:\n")
    assert message.count("the file is empty (0 bytes)") == 2
    assert list(tmp_path.iterdir()) == []


def test_as_many_bad_items_as_allowed_are_left_out_and_listed(fit, some_bad, tmp_path):
    out = tmp_path / "model"
    metrics = json.loads(fit(some_bad, "--max-bad", "6%", *QUICK, "--out", out).stdout)
    assert metrics["rejects"] == 2
    assert sum(metrics["split"]["sizes"].values()) == 36
    assert [row["place"] for row in rejects(out)] == ["low/empty.wav", "low/none.wav"]


def test_strict_allows_no_bad_item(refused_fit, some_bad, tmp_path):
    message = refused_fit(some_bad, "--strict", *QUICK, "--out", tmp_path / "model")
    assert message.startswith("2 of 38 items can't be used, and --strict allows none:\n")
