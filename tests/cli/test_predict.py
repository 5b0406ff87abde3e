"""`cnnkit predict`: one row out for every row in."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile

import cnnkit as package

CLASSES = ["high", "low", "mid"]
COLUMNS = ["item", "prediction", *(f"p({label})" for label in CLASSES), "status", "reason"]


@pytest.fixture(scope="module")
def mixed(sounds, tmp_path_factory):
    """A table of good, silent, broken, missing and unnamed files."""
    folder = tmp_path_factory.mktemp("mixed")
    soundfile.write(folder / "silence.wav", np.zeros(2400), 8000)
    (folder / "broken.wav").write_bytes(b"not a sound")
    good = [sounds / label / "3.wav" for label in ("mid", "low")]
    items = [good[0], "missing.wav", "silence.wav", "broken.wav", "", good[1]]
    lines = ["nr,path", *(f"{number},{item}" for number, item in enumerate(items))]
    (folder / "new.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "new.csv"


def test_every_row_of_a_table_has_its_row_in_order(cnnkit, model, mixed, tmp_path):
    out = tmp_path / "said.csv"
    result = cnnkit("predict", model, mixed, "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{out}: 6 rows (3 rejected, 2 ok, 1 warning)\n"
    said = pd.read_csv(out, keep_default_na=False)
    assert list(said) == COLUMNS
    items = [line.partition(",")[2] for line in mixed.read_text().splitlines()[1:]]
    assert said["item"].tolist() == items
    status = ["ok", "rejected", "warning", "rejected", "rejected", "ok"]
    assert said["status"].tolist() == status
    reasons = ["", "doesn't exist", "silence", "no sound that can be read", "is empty", ""]
    for reason, expected in zip(said["reason"], reasons, strict=True):
        assert expected in reason
        assert bool(reason) == bool(expected)


def test_probabilities_sum_to_1_and_the_largest_is_the_prediction(cnnkit, model, mixed, tmp_path):
    cnnkit("predict", model, mixed, "--out", tmp_path / "said.csv")
    said = pd.read_csv(tmp_path / "said.csv")
    used = said["status"] != "rejected"
    probabilities = said[COLUMNS[2:5]]
    np.testing.assert_allclose(probabilities[used].sum(axis=1), 1)
    largest = probabilities[used].to_numpy().argmax(axis=1)
    assert said.loc[used, "prediction"].tolist() == [CLASSES[one] for one in largest]
    assert said.loc[~used, ["prediction", *COLUMNS[2:5]]].isna().all(axis=None)


def test_the_probabilities_are_those_of_the_model_in_python(cnnkit, model, sounds):
    files = [sounds / label / "7.wav" for label in CLASSES]
    expected = package.load(model, device="cpu").predict_proba([str(file) for file in files])
    for file, row in zip(files, expected, strict=True):
        (said,) = json.loads(cnnkit("predict", model, file, "--json").stdout)["predictions"]
        assert said["item"] == "7.wav"
        np.testing.assert_allclose([said[f"p({label})"] for label in CLASSES], row)


def test_json_is_one_object_with_null_where_nothing_was_predicted(cnnkit, model, mixed, tmp_path):
    out = tmp_path / "said.csv"
    result = cnnkit("predict", model, mixed, "--json", "--out", out)
    rows = json.loads(result.stdout)["predictions"]
    assert [list(row) for row in rows] == [COLUMNS] * 6
    assert [row["prediction"] is None for row in rows] == [False, True, False, True, True, False]
    assert len(pd.read_csv(out)) == 6


def test_a_folder_is_predicted_file_by_file(cnnkit, model, sounds):
    result = cnnkit("predict", model, sounds)
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].split(",") == COLUMNS
    files = sorted(path.relative_to(sounds).as_posix() for path in sounds.rglob("*.wav"))
    assert [line.split(",")[0] for line in lines[1:]] == files


def test_a_column_of_items_may_be_named(cnnkit, refused, model, mixed, tmp_path):
    renamed = mixed.parent / "renamed.csv"
    lines = [f"{line},b.wav" for line in mixed.read_text().replace("path", "take").splitlines()]
    renamed.write_text("\n".join(lines), encoding="utf-8")
    assert "Say which column holds the items" in refused("predict", model, renamed)
    assert "Did you mean 'take'?" in refused("predict", model, renamed, "--item", "takes")
    assert cnnkit("predict", model, renamed, "--item", "take").exit_code == 0


def test_a_table_of_nothing_readable_still_has_its_rows(cnnkit, model, mixed):
    (mixed.parent / "bad.csv").write_text("path\nbroken.wav\nbroken.wav\n", encoding="utf-8")
    result = cnnkit("predict", model, mixed.parent / "bad.csv", "--json")
    rows = json.loads(result.stdout)["predictions"]
    assert [row["status"] for row in rows] == ["rejected"] * 2
    assert list(rows[0]) == COLUMNS


def test_numbers_are_predicted_in_their_own_units(cnnkit, fit, table, tmp_path):
    out = tmp_path / "model"
    fit(table, "--target", "pitch", "--no-baseline", "--out", out)
    rows = json.loads(cnnkit("predict", out, table, "--json").stdout)["predictions"]
    assert list(rows[0]) == ["item", "prediction", "status", "reason"]
    files = [str(path) for path in pd.read_csv(table)["path"].map(table.parent.joinpath)]
    expected = package.load(out, device="cpu").predict(files)
    np.testing.assert_allclose([row["prediction"] for row in rows], expected)


def test_a_moved_model_predicts_the_same(cnnkit, fit, sounds, tmp_path):
    fit(sounds, "--no-baseline", "--out", tmp_path / "model")
    before = cnnkit("predict", tmp_path / "model", sounds).stdout
    moved = (tmp_path / "model").rename(tmp_path / "moved")
    assert cnnkit("predict", moved, sounds).stdout == before


def test_an_existing_file_is_replaced_only_when_asked(cnnkit, refused, model, mixed, tmp_path):
    out = tmp_path / "said.csv"
    out.write_text("mine")
    assert refused("predict", model, mixed, "--out", out).startswith(f"{out} exists")
    assert out.read_text() == "mine"
    assert cnnkit("predict", model, mixed, "--out", out, "--overwrite").exit_code == 0
    assert out.read_text().startswith("item,prediction")


def test_a_model_folder_that_is_none_is_refused(refused, sounds, tmp_path):
    assert "no config.json, so this is no whole" in refused("predict", sounds, sounds)
    assert "no such folder" in refused("predict", tmp_path / "none", sounds)


def test_data_that_is_not_there_is_refused_with_the_nearest(refused, model, sounds):
    message = refused("predict", model, sounds / "low" / "00.wav")
    assert "doesn't exist. Did you mean '0.wav'?" in message
