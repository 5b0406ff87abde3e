"""Metrics and their intervals, against scikit-learn and the theory of the bootstrap."""

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.metrics import (
    classification_metrics,
    higher_is_better,
    main_metric,
    paired_difference,
    score_metrics,
)
from cnnkit.cnncore.number_metrics import regression_metrics


def random_probabilities(seed, n_rows, n_classes, absent=(), ties=False):
    """Imbalanced classes, informative probabilities; with `ties`, on a grid of a few values."""
    generator = np.random.default_rng(seed)
    share = generator.dirichlet(np.ones(n_classes)) + 0.05
    share[list(absent)] = 0
    y = generator.choice(n_classes, n_rows, p=share / share.sum())
    y[: n_classes - len(absent)] = [k for k in range(n_classes) if k not in absent]
    logits = generator.normal(size=(n_rows, n_classes))
    logits[np.arange(n_rows), y] += 1
    weights = np.exp(logits.round() if ties else logits)
    return y, weights / weights.sum(axis=1, keepdims=True)


def expected_calibration_error(y, p):
    """Guo et al. (2017), equation 3, bin by bin."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    total = 0.0
    for lower in range(15):
        inside = (confidence > lower / 15) & (confidence <= (lower + 1) / 15)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            total += inside.sum() * gap / len(y)
    return total


def expected_metrics(y, p):
    """What scikit-learn says, class by class where it refuses a missing class."""
    n_classes, predicted = p.shape[1], p.argmax(axis=1)
    ranked = [1] if n_classes == 2 else np.unique(y)
    return {
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced_accuracy": sk.recall_score(y, predicted, labels=np.unique(y), average="macro"),
        "macro_f1": sk.f1_score(y, predicted, average="macro"),
        "roc_auc": np.mean([sk.roc_auc_score(y == k, p[:, k]) for k in ranked]),
        "average_precision": np.mean([sk.average_precision_score(y == k, p[:, k]) for k in ranked]),
        "log_loss": sk.log_loss(y, p, labels=range(n_classes)),
        "brier": sk.brier_score_loss(y, p, labels=range(n_classes)),
        "ece": expected_calibration_error(y, p),
    }


def values(found):
    return {name: interval.value for name, interval in found.items()}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(
    ("n_rows", "n_classes", "absent"),
    [
        (2, 2, ()),
        (30, 2, ()),
        (300, 2, ()),
        (8, 3, ()),
        (200, 3, ()),
        (200, 7, ()),
        (60, 5, (0, 3)),
    ],
)
def test_every_classification_metric_is_the_one_of_scikit_learn(n_rows, n_classes, absent, ties):
    for seed in range(5):
        y, p = random_probabilities(seed, n_rows, n_classes, absent, ties)
        found = values(classification_metrics(y, p, resamples=20))
        assert found == pytest.approx(expected_metrics(y, p), abs=1e-12)


def test_a_certain_and_wrong_probability_costs_what_scikit_learn_says():
    y, p = np.array([0, 1, 1]), np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = classification_metrics(y, p)
    assert found["log_loss"].value == pytest.approx(sk.log_loss(y, p))
    assert np.isfinite([list(x.to_dict().values()) for x in found.values()]).all()


def test_the_highest_bin_of_calibration_error_holds_certainty_and_the_lowest_is_its_own():
    certain = classification_metrics([1, 0], [[1.0, 0.0], [0.95, 0.05]])
    assert certain["ece"].value == pytest.approx((1 - 0.05) / 2)
    flat, peaked = np.full(20, 1 / 20), np.r_[0.1, np.full(19, 0.9 / 19)]
    unsure = classification_metrics([1, 0], [flat, peaked])
    assert unsure["ece"].value == pytest.approx((0.05 + 0.9) / 2)


def test_scores_rank_as_probabilities_do():
    for n_classes in (2, 4):
        y, p = random_probabilities(0, 150, n_classes)
        scores = p[:, 1] - 0.5 if n_classes == 2 else p * 8 - 3
        found, expected = score_metrics(y, scores), classification_metrics(y, p)
        assert list(found) == list(expected)[:5]
        assert {name: expected[name].value for name in found} == pytest.approx(values(found))
        if n_classes == 2:
            assert score_metrics(y, np.stack([-scores, scores], axis=1)) == found


def test_predictions_that_are_given_replace_the_highest_score():
    y, p = random_probabilities(1, 80, 3)
    predicted = np.random.default_rng(0).integers(3, size=80)
    found = score_metrics(y, p, predicted)
    assert found["accuracy"].value == pytest.approx(sk.accuracy_score(y, predicted))
    assert found["roc_auc"].value == pytest.approx(expected_metrics(y, p)["roc_auc"])


def test_an_interval_is_the_one_of_a_loop_that_draws_rows():
    y, p = random_probabilities(3, 100, 3, ties=True)
    generator = np.random.default_rng(8)
    drawn = []
    for _ in range(120):
        rows = generator.integers(100, size=100)
        drawn.append(expected_metrics(y[rows], p[rows]))
    for name, found in classification_metrics(y, p, resamples=3000).items():
        looped = [one[name] for one in drawn]
        # A percentile of 120 draws is known to about 0.25 standard deviations.
        low, high = np.percentile(looped, [2.5, 97.5])
        assert [found.low, found.high] == pytest.approx([low, high], abs=0.6 * np.std(looped)), name


def test_the_interval_of_accuracy_is_near_the_normal_approximation():
    right = np.arange(2000) < 1500
    found = classification_metrics(np.ones(2000, int), np.stack([~right, right], axis=1) * 1.0)
    spread = 1.96 * np.sqrt(0.75 * 0.25 / 2000)
    assert found["accuracy"].value == 0.75
    assert found["accuracy"].low == pytest.approx(0.75 - spread, abs=0.15 * spread)
    assert found["accuracy"].high == pytest.approx(0.75 + spread, abs=0.15 * spread)


def test_intervals_hold_the_truth_about_19_times_in_20():
    """150 trials of a model that is right with probability 0.7; 95 % are 142.5 of them."""
    generator = np.random.default_rng(0)
    held = 0
    for trial in range(150):
        right = (generator.random(200) < 0.7).astype(int)
        accuracy = score_metrics(np.ones(200, int), right - 0.5, seed=trial, resamples=300)
        held += accuracy["accuracy"].low <= 0.7 <= accuracy["accuracy"].high
    assert 132 <= held <= 149


def test_copies_within_groups_do_not_narrow_the_interval():
    y, p = random_probabilities(4, 60, 3)
    groups = np.repeat(np.arange(60), 10)
    copied = np.repeat(y, 10), np.repeat(p, 10, axis=0)
    alone = classification_metrics(y, p)
    grouped = classification_metrics(*copied, groups=groups)
    ungrouped = classification_metrics(*copied)
    for name in alone:
        width, naive = (x[name].high - x[name].low for x in (grouped, ungrouped))
        assert width > 2 * naive
        # The same seed draws the same items, so copying every row changes nothing.
        assert list(grouped[name].to_dict().values()) == pytest.approx(
            list(alone[name].to_dict().values())
        )


def test_groups_may_have_any_names_and_sizes():
    y, p = random_probabilities(5, 50, 2)
    groups = np.random.default_rng(0).integers(7, size=50)
    assert classification_metrics(y, p, groups=groups) == classification_metrics(
        y, p, groups=groups * 100 - 3
    )


def test_a_seed_gives_the_same_interval_and_another_seed_another():
    y, p = random_probabilities(6, 90, 4)
    assert classification_metrics(y, p, seed=3) == classification_metrics(y, p, seed=3)
    first, second = (classification_metrics(y, p, seed=seed) for seed in (3, 4))
    assert values(first) == values(second)
    assert first["log_loss"] != second["log_loss"]


def test_many_rows_are_measured_in_chunks():
    """40,000 rows fill a chunk with 13 resamples, so 30 need three."""
    y, p = random_probabilities(7, 40_000, 2)
    found = classification_metrics(y, p, resamples=30)
    assert values(found) == pytest.approx(expected_metrics(y, p), abs=1e-10)
    error = np.sqrt(found["accuracy"].value * (1 - found["accuracy"].value) / 40_000)
    assert 2 < (found["accuracy"].high - found["accuracy"].low) / error < 6


def test_metrics_that_the_data_does_not_define_are_left_out():
    one_class = classification_metrics([1, 1, 1], [[0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
    assert list(one_class) == [
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "log_loss",
        "brier",
        "ece",
    ]
    for constant in np.random.default_rng(0).normal(size=20):  # some means differ by rounding
        assert list(regression_metrics([constant] * 7, range(7))) == ["mae", "rmse"]
    assert list(regression_metrics([2.0], [1.0])) == ["mae", "rmse"]


def test_resamples_without_the_rare_class_do_not_spoil_the_interval():
    y = np.array([1] + [0] * 20)
    scores = np.linspace(1, 0, 21)
    scores[5] = 2
    roc_auc = score_metrics(y, scores)["roc_auc"]
    assert roc_auc.value == pytest.approx(0.95)
    assert 0.8 < roc_auc.low < 0.95 < roc_auc.high <= 1


def test_the_paired_interval_is_narrower_than_the_intervals_of_the_models():
    generator = np.random.default_rng(0)
    y = generator.integers(4, size=500)
    b = np.where(generator.random(500) < 0.7, y, (y + 1) % 4)
    a = np.where(generator.random(500) < 0.1, y, b)
    found = paired_difference(y, a, b)
    assert found.value == pytest.approx(np.mean(a == y) - np.mean(b == y))
    spread = 1.96 * np.std((a == y) * 1.0 - (b == y)) / np.sqrt(500)
    assert found.low == pytest.approx(found.value - spread, abs=0.2 * spread)
    assert found.high == pytest.approx(found.value + spread, abs=0.2 * spread)
    assert found.low > 0
    opposite = paired_difference(y, b, a)
    assert (opposite.low, opposite.high) == pytest.approx((-found.high, -found.low))


def test_models_with_equal_predictions_do_not_differ():
    y = np.array([0, 1, 2, 1])
    assert paired_difference(y, y[::-1], y[::-1]) == Interval(0.0, 0.0, 0.0)


def test_an_interval_prints_as_many_digits_as_it_needs():
    assert str(Interval(0.9131, 0.8942, 1.0)) == "0.913 [0.894, 1.000]"
    assert str(Interval(0.0, 0.0, 0.5)) == "0.000 [0.000, 0.500]"
    assert str(Interval(1234.56, 1111.1, 1300)) == "1235 [1111, 1300]"
    assert str(Interval(0.00123, 0.001, 0.0015)) == "0.0012 [0.0010, 0.0015]"
    assert str(Interval(-0.012, -0.034, 0.01)) == "-0.012 [-0.034, 0.010]"
    assert json.loads(json.dumps(Interval(1.0, 0.5, 2.0).to_dict())) == {
        "value": 1.0,
        "low": 0.5,
        "high": 2.0,
    }


def test_every_metric_has_a_better_direction():
    y, p = random_probabilities(0, 200, 3)
    perfect = {**classification_metrics(y, np.eye(3)[y]), **regression_metrics(p, p)}
    worse = {**classification_metrics(y, p), **regression_metrics(p, p[::-1])}
    assert len(perfect) == 11
    for name in perfect:
        assert higher_is_better(name) == (perfect[name].value > worse[name].value)
    assert higher_is_better(main_metric("classification"))
    assert not higher_is_better(main_metric("regression"))


def test_a_misspelt_metric_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"'acuracy'.*did you mean .accuracy"):
        higher_is_better("acuracy")


P = np.full((4, 2), 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: classification_metrics([0, 1, 2, 0], P), "`y`.*class numbers 0 to 1.*1 of them"),
        (lambda: classification_metrics([0.0, 1, 1, 0], P), "`y`.*class numbers.*float64"),
        (lambda: classification_metrics([0, 1, 1], P), r"`y`.*shape \(4,\).*shape \(3,\)"),
        (lambda: classification_metrics([0, 1, 1, 0], P * 3), "softmax"),
        (lambda: classification_metrics([0, 1, 1, 0], [[1.5, -0.5]] * 4), "softmax"),
        (lambda: classification_metrics([0, 1, 1, 0], P[:, 0]), r"\[N, K\]"),
        (lambda: classification_metrics([0, 1, 1, 0], P * np.nan), "`probabilities`.*finite"),
        (lambda: classification_metrics([], P[:0]), "`y`"),
        (lambda: classification_metrics([0, 1, 1, 0], P, groups=[1, 2]), "`groups`"),
        (lambda: score_metrics([0, 1, 1, 0], [1, 2, 3]), "`y`"),
        (lambda: score_metrics([0, 1, 1, 0], P, [0, 1, 2, 0]), "`predicted`"),
        (lambda: score_metrics([0, 1, 1, 0], [1, np.inf, 3, 4]), "`scores`.*finite"),
        (lambda: regression_metrics([1.0, 2], [[1.0], [2]]), r"`prediction`.*\(2,\).*\(2, 1\)"),
        (lambda: regression_metrics([1.0, np.nan], [1.0, 2]), "`y`.*finite"),
        (lambda: paired_difference([0, 1], [0], [0, 1, 1]), "`a`.*; `b`"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
