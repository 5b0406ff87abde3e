import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from cnnkit.cnncore import results
from cnnkit.cnncore.estimator import CNNClassifier, CNNRegressor
from cnnkit.cnncore.experiment import Experiment, Fitted
from cnnkit.cnncore.metrics import Interval
from cnnkit.cnncore.scores import Predictions

N = 30
Y = np.arange(N) % 2
MODELS = ("majority", "baseline", "cnn")


def an_experiment(task: str = "classification", *, with_baseline: bool = True) -> Experiment:
    kind = CNNClassifier if task == "classification" else CNNRegressor
    targets = np.where(Y, "b", "a") if task == "classification" else Y * 2.0
    return Experiment(None, kind(), [""] * N, targets, task, with_baseline=with_baseline)


def said(rows: np.ndarray, right: float, seed: int = 0) -> Predictions:
    """Probabilities that are right for about this share of the rows."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(len(rows)) < right, Y[rows], 1 - Y[rows])
    p = np.where(truth, 0.8, 0.3)
    return Predictions(rows, np.column_stack([1 - p, p]))


def a_fit(rows: np.ndarray, *, val: np.ndarray | None = None, baseline: bool = True) -> Fitted:
    fitted = Fitted(model=None)
    parts = {"test": rows} if val is None else {"val": val, "test": rows}
    for part, its in parts.items():
        fitted.network[part] = said(its, 0.9, seed=1)
        fitted.majority[part] = Predictions(its, np.full((len(its), 2), 0.5))
        if baseline:
            fitted.baseline[part] = said(its, 0.6, seed=2)
    return fitted


def test_metrics_json_has_every_score_with_its_interval_by_model_and_part():
    run, fitted = an_experiment(), a_fit(np.arange(20, 30), val=np.arange(10, 20))
    content = results.metrics_json(run, results.score_parts(run, fitted), "MFCC + SVM")
    content = json.loads(json.dumps(content))
    assert set(content) == {"task", "metric", *MODELS}
    assert (content["task"], content["metric"]) == ("classification", "accuracy")
    assert content["baseline"].pop("name") == "MFCC + SVM"
    for model in MODELS:
        assert set(content[model]) == {"val", "test"}
        for scores in content[model].values():
            assert {"accuracy", "balanced_accuracy", "log_loss", "ece"} <= set(scores)
            for score in scores.values():
                assert set(score) == {"value", "low", "high"}
                assert score["low"] <= score["high"]
    network = fitted.network["test"]
    expected = accuracy_score(Y[20:], network.outputs.argmax(axis=1))
    assert content["cnn"]["test"]["accuracy"]["value"] == pytest.approx(expected)
    expected = log_loss(Y[10:20], fitted.baseline["val"].outputs)
    assert content["baseline"]["val"]["log_loss"]["value"] == pytest.approx(expected)


def test_without_a_baseline_metrics_json_names_none():
    run = an_experiment(with_baseline=False)
    fitted = a_fit(np.arange(20, 30), baseline=False)
    content = results.metrics_json(run, results.score_parts(run, fitted), "SVM")
    assert set(content) == {"task", "metric", "majority", "cnn"}
    assert results.ahead(run, fitted) is None


def test_metrics_of_a_regression_are_its_errors():
    run, rows, fitted = an_experiment("regression"), np.arange(10), Fitted(model=None)
    for model in (fitted.network, fitted.baseline, fitted.majority):
        model["test"] = Predictions(rows, np.linspace(0, 2, 10))
    content = results.metrics_json(run, results.score_parts(run, fitted), "ridge")
    assert content["metric"] == "rmse"
    assert set(content["cnn"]["test"]) == {"mae", "rmse", "r2"}


FOLDS = [np.arange(start, start + 10) for start in (0, 10, 20)]


def test_every_fold_has_its_scores_and_all_folds_a_mean_and_a_standard_deviation():
    fits = {name: a_fit(rows) for name, rows in zip("123", FOLDS, strict=True)}
    table = results.fold_table(an_experiment(), fits)
    assert [fold["name"] for fold in table["folds"]] == ["1", "2", "3"]
    assert [fold["n"] for fold in table["folds"]] == [10, 10, 10]
    for model in ("cnn", "baseline"):
        by_fold = [fold[model]["accuracy"] for fold in table["folds"]]
        predictions = [results.by_model(fitted)[model]["test"].outputs for fitted in fits.values()]
        expected = [
            accuracy_score(Y[rows], p.argmax(axis=1))
            for rows, p in zip(FOLDS, predictions, strict=True)
        ]
        assert by_fold == pytest.approx(expected)
        summary = table[model]["accuracy"]
        assert summary["mean"] == pytest.approx(np.mean(expected))
        assert summary["sd"] == pytest.approx(np.std(expected, ddof=1))
    assert "majority" not in table["folds"][0]
    assert "baseline" not in results.fold_table(
        an_experiment(), {"1": a_fit(FOLDS[0], baseline=False)}
    )


def test_a_metric_that_a_fold_lacks_has_no_mean():
    table = results.over_folds([{"accuracy": 0.5, "roc_auc": 0.7}, {"accuracy": 1.0}])
    assert table == {"accuracy": {"mean": 0.75, "sd": pytest.approx(0.125**0.5)}}
    assert results.over_folds([{"accuracy": 0.5}]) == {"accuracy": {"mean": 0.5, "sd": 0.0}}


def test_pooled_folds_are_one_test_part():
    fits = [a_fit(rows) for rows in FOLDS]
    pooled = results.pool_folds(fits)
    for parts in (pooled.network, pooled.baseline, pooled.majority):
        assert set(parts) == {"test"}
        assert parts["test"].rows.tolist() == list(range(N))
    assert results.pool_folds([a_fit(FOLDS[0], baseline=False)]).baseline == {}


def test_the_lead_over_the_baseline_is_measured_on_test():
    run, fitted = an_experiment(), a_fit(np.arange(N), val=np.arange(5))
    right = [
        accuracy_score(Y, parts["test"].outputs.argmax(axis=1))
        for parts in (fitted.network, fitted.baseline)
    ]
    assert results.ahead(run, fitted).value == pytest.approx(right[0] - right[1])
    assert isinstance(results.ahead(run, fitted, np.arange(N) // 5), Interval)


def test_calibration_shows_the_error_before_and_after():
    class Model:
        temperature_ = 1.7

    run, fitted = an_experiment(), a_fit(np.arange(10), val=np.arange(10, 30))
    assert results.calibration(run, fitted) is None
    right = (np.arange(20) < 15).astype(int)  # 15 of 20 are right
    truth = Y[10:30]
    chosen = np.where(right, truth, 1 - truth)
    for target, sure in (("uncalibrated", 0.95), ("network", 0.75)):
        p = np.where(chosen[:, None] == [0, 1], sure, 1 - sure)
        if target == "network":
            fitted.network["val"] = Predictions(np.arange(10, 30), p)
        else:
            fitted.uncalibrated = Predictions(np.arange(10, 30), p)
    fitted.model = Model()
    found = results.calibration(run, fitted)
    assert found == pytest.approx({"temperature": 1.7, "ece_before": 0.2, "ece_after": 0.0})
