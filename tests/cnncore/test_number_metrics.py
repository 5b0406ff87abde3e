"""Predicted numbers, of one target or of several: scikit-learn's values, on the known rows."""

import numpy as np
import pytest
from sklearn import metrics as sk

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.number_metrics import regression_metrics, rmse_difference, target_table


@pytest.mark.parametrize("n_targets", [None, 1, 3])
def test_every_regression_metric_is_the_one_of_scikit_learn(n_targets):
    generator = np.random.default_rng(0)
    shape = (40,) if n_targets is None else (40, n_targets)
    y = generator.normal(1e6, 3, size=shape)
    prediction = y + generator.normal(0.5, 1, size=shape)
    raw = {"multioutput": "raw_values"}
    scale = y.std(axis=0) if n_targets == 3 else 1
    found = regression_metrics(y, prediction)
    assert {name: score.value for name, score in found.items()} == pytest.approx(
        {
            "mae": np.mean(sk.mean_absolute_error(y, prediction, **raw) / scale),
            "rmse": np.mean(sk.root_mean_squared_error(y, prediction, **raw) / scale),
            "r2": sk.r2_score(y, prediction),
        },
        rel=1e-9,
    )


def test_every_resample_is_measured_as_scikit_learn_would():
    """Two rows have four equally likely resamples, so the percentiles are known."""
    prediction = np.array([1.0, 4.0])
    rmse = regression_metrics([0.0, 0.0], prediction)["rmse"]
    assert rmse == Interval(pytest.approx(np.sqrt(17 / 2)), 1.0, 4.0)


def test_r2_is_the_mean_over_the_targets_that_vary():
    y = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    prediction = y + 0.5
    expected = sk.r2_score(y[:, 0], prediction[:, 0])
    assert regression_metrics(y, prediction)["r2"].value == pytest.approx(expected)


def test_resamples_with_a_constant_target_do_not_spoil_r2():
    """With the odd value drawn, the scatter is 0.8 or more; the error 5 × 0.05² = 0.0125."""
    for constant in np.random.default_rng(0).normal(size=10):
        y = np.array([constant] * 4 + [constant + 1])
        assert regression_metrics(y, y + 0.05)["r2"].low > 0.98


def test_the_paired_difference_of_numbers_is_that_of_their_rmse():
    generator = np.random.default_rng(0)
    y = generator.normal(size=(100, 2))
    a, b = (y + scale * generator.normal(size=(100, 2)) for scale in (1, 2))
    found = rmse_difference(y, a, b, groups=np.arange(100) // 2)
    scale = y.std(axis=0)
    truth, one, other = y / scale, a / scale, b / scale
    expected = sk.root_mean_squared_error(truth, one) - sk.root_mean_squared_error(truth, other)
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high < 0


def test_what_is_not_known_of_several_targets_counts_nowhere():
    generator = np.random.default_rng(0)
    y = generator.normal(size=(60, 3)) * [1, 50, 1e-3]
    said = y + generator.normal(size=y.shape) * [0.5, 5, 2e-3]
    y[generator.random(y.shape) < 0.4] = np.nan
    table = target_table(y, said, ["a", "b", "c"])
    assert [row["target"] for row in table] == ["a", "b", "c"]
    for row, truth, guess in zip(table, y.T, said.T, strict=True):
        known = ~np.isnan(truth)
        alone = regression_metrics(truth[known], guess[known])
        assert row["known"] == known.sum()
        assert {metric: row[metric] for metric in ("mae", "rmse", "r2")} == alone
    scale = np.nanstd(y, axis=0)
    found = regression_metrics(y, said)
    for metric in ("mae", "rmse"):
        each = [row[metric].value for row in table] / scale
        assert found[metric].value == pytest.approx(each.mean())
        assert found[metric].low < found[metric].value < found[metric].high
    assert found["r2"].value == pytest.approx(np.mean([row["r2"].value for row in table]))
    mean = regression_metrics(y, np.tile(np.nanmean(y, axis=0), (60, 1)))
    assert mean["rmse"].value == pytest.approx(1)
    difference = rmse_difference(y, said, np.zeros_like(y))
    other = regression_metrics(y, np.zeros_like(y))
    assert difference.value == pytest.approx(found["rmse"].value - other["rmse"].value)


def test_targets_that_are_constant_or_unknown_here_have_no_standard_deviation():
    y = np.array([[1.0, 500.0, np.nan], [3.0, 500.0, np.nan], [np.nan, 500.0, np.nan]])
    said = y + np.array([[0.5, 900, 0]])
    said[np.isnan(y)] = 7
    assert regression_metrics(y, said)["rmse"].value == pytest.approx(0.5)
    assert regression_metrics(y[:1], said[:1])["mae"].value == pytest.approx((0.5 + 900) / 2)
    row = target_table(y, said, "abc")[2]
    assert row == {"target": "c", "known": 0, "rmse": None, "mae": None, "r2": None}


@pytest.mark.parametrize("y", [[0.0, np.nan], [[0.0], [np.nan]], [[np.nan] * 2] * 2, [[0, np.inf]]])
def test_what_must_be_known_is_asked_for(y):
    with pytest.raises(ValueError, match="finite numbers"):
        regression_metrics(y, np.zeros(np.shape(y)))
