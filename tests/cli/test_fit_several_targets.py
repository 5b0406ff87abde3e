"""Several numeric targets, from a table to the scores of a saved model."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

import cnnkit as package

UNKNOWN = {"hz": {1, 5}, "loudness": {0, 7, 13}}


@pytest.fixture(scope="module")
def measured(sounds, tmp_path_factory):
    """Write the tones with two numbers of each, some of them missing, and a bad row."""
    folder = tmp_path_factory.mktemp("measured")
    paths = [
        str(sounds / label / f"{n}.wav") for label in ("high", "low", "mid") for n in range(12)
    ]
    hz = [{"h": 2500, "l": 300, "m": 900}[Path(path).parent.name[0]] + 0.5 for path in paths]
    frame = pd.DataFrame({"path": paths, "hz": hz, "loudness": np.linspace(-1, 1, 36).round(3)})
    frame = frame.astype(object)
    for name, rows in UNKNOWN.items():
        frame.loc[sorted(rows), name] = None
    frame.loc[20, "hz"] = "~900"
    frame.to_csv(folder / "numbers.csv", index=False)
    return folder / "numbers.csv"


@pytest.fixture(scope="module")
def trained(fit, measured, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "numbers"
    options = ("--target", "hz,loudness", "--out", folder)
    return folder, fit(measured, *options)


def test_several_numbers_are_learnt_where_they_are_known(trained):
    folder, result = trained
    assert "task        regression (2 targets; column 'hz' holds 2500.5)" in result.stdout
    assert "targets     2: hz 33, loudness 32; 5 of 70 cells not known" in result.stdout
    assert "numbers.csv:22: column 'hz': '~900' is no finite number" in result.stdout
    table = result.stdout.split("\n\n  target ")[1].splitlines()
    assert table[0].split() == ["known", "rmse", "mae", "r2"]
    assert [row.split()[0] for row in table[1:3]] == ["hz", "loudness"]
    assert "standard deviation on the scored rows" in result.stdout
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["task"], metrics["metric"]) == ("regression", "rmse")
    assert metrics["majority"]["test"]["rmse"]["value"] == pytest.approx(1, abs=0.3)
    assert "of RMSE" in metrics["verdict"]
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "Predicted against true: loudness" in report


def test_the_prediction_has_a_column_for_each_target(cnnkit, trained, measured):
    folder, _ = trained
    result = cnnkit("predict", folder, measured, "--json")
    assert result.exit_code == 0
    found = pd.DataFrame(json.loads(result.stdout)["predictions"])
    columns = ["prediction(hz)", "prediction(loudness)"]
    assert found.columns.tolist() == ["item", *columns, "status", "reason"]
    said = package.load(folder, device="cpu").predict(pd.read_csv(measured)["path"].tolist())
    np.testing.assert_allclose(found[columns], said, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [(), ("--target", "loudness")])
def test_a_model_is_scored_on_the_targets_that_are_there(
    cnnkit, trained, measured, tmp_path, options
):
    folder, _ = trained
    table = pd.read_csv(measured).drop(index=20).reset_index(drop=True)
    files = []
    for number, path in enumerate(table["path"]):
        files.append(str(tmp_path / f"{number}.wav"))
        Path(files[-1]).write_bytes(Path(path).read_bytes() + b"new")
    table["path"] = files
    table.to_csv(tmp_path / "new.csv", index=False)
    result = cnnkit("evaluate", folder, tmp_path / "new.csv", *options, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    named = [True, True] if not options else [False, True]
    said = package.load(folder, device="cpu").predict(files)
    expected = []
    for k, name in enumerate(("hz", "loudness")):
        truth = table[name].astype(float).to_numpy() if named[k] else np.full(35, np.nan)
        known = ~np.isnan(truth)
        row = found["targets"][k]
        assert (row["target"], row["known"]) == (name, known.sum())
        if not named[k]:
            assert row["rmse"] is None
            continue
        pair = truth[known], said[known, k]
        assert row["rmse"]["value"] == pytest.approx(root_mean_squared_error(*pair))
        assert row["mae"]["value"] == pytest.approx(mean_absolute_error(*pair))
        assert row["r2"]["value"] == pytest.approx(r2_score(*pair))
        expected.append(root_mean_squared_error(*pair) / truth[known].std())
    assert found["scores"]["rmse"]["value"] == pytest.approx(np.mean(expected))
    assert found["scored"] == (32 if options else 35)  # rows without a known target are left out
    printed = cnnkit("evaluate", folder, tmp_path / "new.csv", *options).stdout
    assert [line.split()[0] for line in printed.splitlines()[-4:-2]] == ["hz", "loudness"]


def test_folds_and_validation_work_with_missing_cells(fit, measured, tmp_path):
    result = fit(
        measured, "--target", "hz,loudness", "--task", "regression", "--cv", 3, "--val", "20%",
        "--no-baseline", "--out", tmp_path / "model",
    )  # fmt: skip
    assert "mean over folds" in result.stdout
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))
    assert [row["known"] for row in metrics["targets"]] == [33, 32]
    assert "rmse" in metrics["cv"]["cnn"]


def test_a_table_of_rows_with_several_targets_is_trained_without_the_swap_test(
    cnnkit, refused, tmp_path
):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 4)).round(3), columns=list("abcd"))
    frame["sum"], frame["big"] = frame["a"] + frame["b"], 1000 * frame["c"]
    frame.loc[::5, "sum"] = None
    frame.to_csv(tmp_path / "rows.csv", index=False)
    command = ("fit", tmp_path / "rows.csv", "--adapter", "table", "--target", "sum,big")
    command = (*command, "--epochs", 1, "--device", "cpu", "--out", tmp_path / "model")
    assert "takes one target, and these are 2" in refused(*command)
    result = cnnkit(*command, "--anyway")
    assert result.exit_code == 0
    assert "rows of 4 columns\n" in result.stdout
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["baseline"]["test"]["rmse"]["value"] < 0.9
    result = cnnkit("evaluate", tmp_path / "model", tmp_path / "rows.csv", "--json")
    assert json.loads(result.stdout)["scored"] == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--target hz,loudness --task classification", "a classification has one target"),
        ("--target hz,loudnes", "Did you mean 'loudness'?"),
        ("--target hz,loudness --class-weight balanced", "--class-weight is for classes"),
        ("--target hz,loudness --strict", "~900"),
    ],
)
def test_what_does_not_go_with_several_numbers_is_refused(refused_fit, measured, options, message):
    assert message in refused_fit(measured, *options.split())
