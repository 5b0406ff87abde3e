"""Metrics of several labels for each row, against scikit-learn label by label."""

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from cnnkit.cnncore.label_metrics import label_table, macro_f1_difference, multilabel_metrics
from cnnkit.cnncore.metrics import higher_is_better, main_metric


def random_labels(seed: int, n: int = 60, k: int = 4, missing: float = 0.0):
    """Labels from frequent to rare, probabilities that say something of them, in few values."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, k)) < np.linspace(0.6, 0.1, k)).astype(float)
    p = np.clip(0.3 * y + 0.7 * rng.random((n, k)), 0, 1).round(2)
    y[rng.random((n, k)) < missing] = np.nan
    return y, p


def by_label(measure, y, p):
    """Ask scikit-learn about each label alone, without the rows where it isn't known."""
    known = ~np.isnan(y)
    return [measure(y[known[:, k], k], p[known[:, k], k]) for k in range(y.shape[1])]


def f1(truth, p):
    return sk.f1_score(truth, p > 0.5, zero_division=np.nan)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_every_metric_is_scikit_learns(seed, missing):
    y, p = random_labels(seed, missing=missing)
    known = ~np.isnan(y)
    found = {name: score.value for name, score in multilabel_metrics(y, p).items()}
    assert found == pytest.approx(
        {
            "macro_f1": np.nanmean(by_label(f1, y, p)),
            "micro_f1": sk.f1_score(y[known], p[known] > 0.5),
            "roc_auc": np.mean(by_label(sk.roc_auc_score, y, p)),
            "average_precision": np.mean(by_label(sk.average_precision_score, y, p)),
            "log_loss": sk.log_loss(y[known], p[known]),
            "brier": np.mean((y[known] - p[known]) ** 2),
        }
    )
    if not missing:
        assert found["macro_f1"] == pytest.approx(sk.f1_score(y, p > 0.5, average="macro"))
        assert found["micro_f1"] == pytest.approx(sk.f1_score(y, p > 0.5, average="micro"))
        assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, p))
        assert found["average_precision"] == pytest.approx(sk.average_precision_score(y, p))


def test_labels_with_one_value_are_left_out_where_they_are_undefined():
    y, p = random_labels(0)
    y[:, 0], y[:, 1] = 1, 0
    y[:, 2] = np.nan
    p[:, 1] = 0.1  # not there, and not predicted: no F1
    found = multilabel_metrics(y, p)
    assert found["roc_auc"].value == pytest.approx(sk.roc_auc_score(y[:, 3], p[:, 3]))
    expected = np.mean([f1(y[:, 0], p[:, 0]), f1(y[:, 3], p[:, 3])])
    assert found["macro_f1"].value == pytest.approx(expected)


def test_where_no_label_is_known_the_main_metric_is_zero_and_the_others_are_left_out():
    found = multilabel_metrics(np.full((3, 2), np.nan), np.full((3, 2), 0.9))
    assert {name: score.value for name, score in found.items()} == {"macro_f1": 0, "micro_f1": 0}


def test_scores_are_above_zero_for_a_label_and_have_no_log_loss():
    y, p = random_labels(1, missing=0.2)
    votes = np.log(np.clip(p, 0.001, 0.999) / (1 - np.clip(p, 0.001, 0.999)))
    of_scores, of_p = multilabel_metrics(y, votes, probable=False), multilabel_metrics(y, p)
    assert set(of_scores) == {"macro_f1", "micro_f1", "roc_auc", "average_precision"}
    for name, score in of_scores.items():
        assert score.value == pytest.approx(of_p[name].value)


@pytest.mark.parametrize("groups", [None, np.arange(60) // 6])
def test_the_interval_is_that_of_resampled_rows(groups):
    y, p = random_labels(2, missing=0.2)
    found = multilabel_metrics(y, p, groups=groups, resamples=400)["micro_f1"]
    rng = np.random.default_rng(1)
    values = []
    for _ in range(400):
        if groups is None:
            rows = rng.integers(60, size=60)
        else:
            rows = np.concatenate([np.flatnonzero(groups == g) for g in rng.integers(10, size=10)])
        known = ~np.isnan(y[rows])
        values.append(sk.f1_score(y[rows][known], p[rows][known] > 0.5))
    low, high = np.percentile(values, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)


def test_a_difference_is_that_of_the_macro_f1_on_the_same_rows():
    y, p = random_labels(3, missing=0.2)
    _, q = random_labels(4)
    found = macro_f1_difference(y, p > 0.5, q > 0.5)
    expected = np.nanmean(by_label(f1, y, p)) - np.nanmean(by_label(f1, y, q))
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high
    same = macro_f1_difference(y, p > 0.5, p > 0.5)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_table_says_of_each_label_what_scikit_learn_says():
    y, p = random_labels(5, missing=0.3)
    table = label_table(y, p, ["a", "b", "c", "d"])
    table = json.loads(json.dumps(table))
    assert [row["label"] for row in table] == list("abcd")
    assert [row["known"] for row in table] == (~np.isnan(y)).sum(axis=0).tolist()
    assert [row["positive"] for row in table] == (y == 1).sum(axis=0).tolist()
    for name, measure in {
        "accuracy": lambda truth, p: sk.accuracy_score(truth, p > 0.5),
        "balanced_accuracy": lambda truth, p: sk.balanced_accuracy_score(truth, p > 0.5),
        "f1": f1,
        "roc_auc": sk.roc_auc_score,
        "average_precision": sk.average_precision_score,
    }.items():
        assert [row[name] for row in table] == pytest.approx(by_label(measure, y, p))


def test_what_a_label_leaves_undefined_is_none():
    y = np.array([[0, 1, np.nan], [0, 1, np.nan]])
    p = np.array([[0.2, 0.9, 0.9], [0.1, 0.2, 0.1]])
    zero, one, unknown = label_table(y, p, "abc")
    nothing = {"balanced_accuracy": None, "roc_auc": None, "average_precision": None}
    assert zero == {"label": "a", "known": 2, "positive": 0, "accuracy": 1, "f1": None} | nothing
    assert one == {
        "label": "b", "known": 2, "positive": 2, "accuracy": 0.5, "f1": pytest.approx(2 / 3),
    } | nothing  # fmt: skip
    none = {"accuracy": None, "f1": None} | nothing
    assert unknown == {"label": "c", "known": 0, "positive": 0} | none


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([[0, 2]], [[0.5, 0.5]], "`y` holds 2"),
        ([[0, 1]], [[0.5, 1.5]], "hold 1.5: expected probabilities"),
        ([[0, 1]], [[0.5, np.nan]], "hold nan: expected probabilities"),
        ([[0, 1]], [[0.5]], r"shape \(1, 2\) and outputs of shape \(1, 1\)"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "at least one row"),
    ],
)
def test_what_is_no_label_or_no_probability_is_refused(y, p, message):
    with pytest.raises(ValueError, match=message):
        multilabel_metrics(y, p)


def test_labels_are_compared_by_their_macro_f1():
    assert main_metric("multilabel") == "macro_f1"
    assert higher_is_better("macro_f1")
    assert higher_is_better("micro_f1")
