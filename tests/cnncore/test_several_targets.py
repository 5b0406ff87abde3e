"""Several numbers for each row, some of them not known: from the estimator to the report."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, root_mean_squared_error

from cnnkit.cnncore import results
from cnnkit.cnncore.estimator import CNNRegressor
from cnnkit.cnncore.experiment import Experiment
from cnnkit.cnncore.model_folder import load, save
from cnnkit.cnncore.report import model_card, report
from cnnkit.cnncore.scores import majority

TABLE = {
    "network": "flatten | dense 16 | relu",
    "epochs": 30,
    "learning_rate": 0.05,
    "device": "cpu",
}
TRAIN, VAL, TEST = np.arange(40), np.arange(40, 50), np.arange(50, 60)
NONE = np.array([], dtype=np.int64)
TARGETS = ["<one>", "two"]


def numbers(n: int = 96, missing: float = 0.0):
    """Rows and two targets in other units; some cells aren't known."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 5)).astype(np.float32)
    y = np.column_stack([1000 + 50 * X[:, 0], X[:, 1] - X[:, 2]]).astype(np.float64)
    y[rng.random(y.shape) < missing] = np.nan
    return X, y


@pytest.mark.parametrize("settings", [{}, {"mixup": 0.2}, {"ensemble": 2}])
def test_targets_are_learnt_from_the_cells_that_are_known(settings):
    X, y = numbers()
    partly = numbers(missing=0.4)[1]
    model = CNNRegressor(**TABLE | settings).fit(X[:64], partly[:64])
    assert model.target_names_.tolist() == [0, 1]
    np.testing.assert_allclose(model.objective_.mean, np.nanmean(partly[:64], axis=0))
    np.testing.assert_allclose(model.objective_.scale, np.nanstd(partly[:64], axis=0))
    said = model.predict(X[64:])
    assert said.shape == (32, 2)
    assert r2_score(y[64:], said, multioutput="raw_values").min() > 0.8


def test_a_data_frame_names_the_targets_and_a_saved_model_keeps_them(tmp_path):
    X, y = numbers(24, missing=0.2)
    model = CNNRegressor(**TABLE).fit(X, pd.DataFrame(y, columns=["log S", "pKa"]))
    again = load(save(model, tmp_path / "model"), device="cpu")
    assert again.target_names_.tolist() == ["log S", "pKa"]
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    config = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    del config["fitted"]["targets"], config["fitted"]["targets_dtype"]  # as older versions wrote it
    (tmp_path / "model" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert load(tmp_path / "model", device="cpu").target_names_.tolist() == [0, 1]


def test_validation_chooses_the_epoch_by_what_is_known():
    X, y = numbers(missing=0.3)
    y[70] = np.nan
    model = CNNRegressor(**TABLE).fit(X[:64], y[:64], validation=(X[64:], y[64:]))
    best = min(model.history_, key=lambda record: record["val_loss"])
    error = (model.predict(X[64:]) - y[64:]) / model.objective_.scale
    assert best["val_loss"] == pytest.approx(np.nanmean(error**2), rel=1e-4)
    held_out = CNNRegressor(**TABLE | {"epochs": 2}, validation_fraction=0.25).fit(X, y)
    assert "val_loss" in held_out.history_[0]
    nothing = (X[:8], np.full((8, 2), np.nan))
    model = CNNRegressor(**TABLE | {"epochs": 2}).fit(X, y, validation=nothing)
    assert "val_loss" not in model.history_[0]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (pd.DataFrame({"a": [1.5] * 24, "b": np.nan}), r"says anything about \['b'\]"),
        (np.tile([[1.0, np.inf]], (24, 1)), "found inf in row 0, column 1, and 23 more"),
        (np.tile([["a", "b"]], (24, 1)), "found what is no number"),
        (np.full(24, np.nan), "NaN"),
        (np.full((24, 1), np.nan), "NaN"),
    ],
)
def test_targets_that_cannot_be_learnt_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        CNNRegressor(**TABLE).fit(numbers(24)[0], y)


def test_validation_of_other_targets_is_refused():
    X, y = numbers(24)
    with pytest.raises(ValueError, match=r"shape \(24, 3\): expected \[N, 2\]"):
        CNNRegressor(**TABLE).fit(X, y, validation=(X, np.zeros((24, 3))))


def test_the_mean_of_a_target_is_that_of_the_known_cells_in_training():
    y = np.array([[1, np.nan], [3, 8], [np.nan, np.nan], [100, 100]])
    said = majority(y, np.array([0, 1, 2]), np.array([3, 0]), "regression", 0)
    assert said.outputs.tolist() == [[2, 8], [2, 8]]
    one = majority(y[:, 0], np.array([0, 1]), np.array([3, 0]), "regression", 0)
    assert one.outputs.tolist() == [2, 2]


@pytest.fixture
def run(letter_adapter):
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcd"), size=6)) for _ in range(60)]
    y = np.array([[word.count("a"), 500 + 30 * word.count("c")] for word in words], dtype=float)
    y[rng.random(y.shape) < 0.2] = np.nan
    model = CNNRegressor(epochs=3, device="cpu")
    return Experiment(letter_adapter(), model, words, y, "regression", labels=TARGETS)


def test_an_experiment_scores_network_baseline_and_mean(run):
    fitted = run.fit(TRAIN, VAL, TEST)
    assert fitted.model.target_names_.tolist() == TARGETS
    mean = np.nanmean(run.y[TRAIN], axis=0)
    np.testing.assert_allclose(fitted.majority["test"].outputs, np.tile(mean, (10, 1)))
    shares = np.array([[word.count(letter) / 6 for letter in "abcd"] for word in run.items])
    scores = {}
    for k, target in enumerate(run.y.T):
        rows = TRAIN[~np.isnan(target[TRAIN])]
        alone = Ridge().fit(shares[rows], target[rows]).predict(shares[TEST])
        np.testing.assert_allclose(fitted.baseline["test"].outputs[:, k], alone)
    content = results.metrics_json(run, results.score_parts(run, fitted), "ridge")
    assert (content["task"], content["metric"]) == ("regression", "rmse")
    table = results.label_scores(run, fitted)["targets"]
    for name, said in (("cnn", fitted.network["test"]), ("baseline", fitted.baseline["test"])):
        errors = []
        for k, target in enumerate(run.y[TEST].T):
            known = ~np.isnan(target)
            rmse = root_mean_squared_error(target[known], said.outputs[known, k])
            if name == "cnn":
                assert (table[k]["target"], table[k]["known"]) == (TARGETS[k], known.sum())
                assert table[k]["rmse"]["value"] == pytest.approx(rmse)
            errors.append(rmse / target[known].std())
        scores[name] = np.mean(errors)
        assert content[name]["test"]["rmse"]["value"] == pytest.approx(scores[name])
    ahead = results.ahead(run, fitted)
    assert ahead.value == pytest.approx(scores["cnn"] - scores["baseline"])


def test_a_target_that_no_training_row_knows_is_refused_by_name(run):
    run.targets[TRAIN, 1] = np.nan
    with pytest.raises(ValueError, match=r"says anything about \['two'\]"):
        run.fit(TRAIN, NONE, TEST)


def test_report_and_card_show_target_by_target_what_is_escaped(run):
    run.y[TEST, 1] = np.nan
    fitted = run.fit(TRAIN, NONE, TEST)
    titles = {"majority": "mean", "baseline": "ridge", "cnn": "CNN"}
    metrics = {
        **results.metrics_json(run, results.score_parts(run, fitted), "ridge"),
        **results.label_scores(run, fitted),
        "split": {"name": "random", "sizes": {"train": 40, "val": 0, "test": 10}},
    }
    page = report(
        fitted.model, "data", titles, metrics, experiment=run, shown=fitted, places=[""] * 60
    )
    assert "Target by target (test)" in page
    assert "<td>&lt;one&gt;</td>" in page
    assert "<td>–</td>" in page
    assert f"<td>{metrics['targets'][0]['rmse']['value']:.3f} [" in page
    assert "Predicted against true: &lt;one&gt;" in page
    assert page.count("<svg") == 2  # the learning curve and the target that is known
    assert "standard deviation on the scored rows" in page
    assert "rmse" in model_card(fitted.model, "data", titles, metrics)
    assert results.fold_table(run, {"1": fitted, "2": fitted})["cnn"]["rmse"]["sd"] == 0
