import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, root_mean_squared_error

from cnnkit.cnncore.metrics import Interval
from cnnkit.cnncore.scores import Predictions, align, compare, majority, pool, verdict

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, size=40)
ROWS = RNG.permutation(40)[:30]


def random_probabilities(n: int = 30, k: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(k), size=n)


def test_predictions_are_scored_on_their_own_rows():
    said = Predictions(ROWS, random_probabilities())
    scores = said.score(Y, "classification")
    chosen = said.outputs.argmax(axis=1)
    assert scores["accuracy"].value == pytest.approx(accuracy_score(Y[ROWS], chosen))
    assert scores["log_loss"].value == pytest.approx(log_loss(Y[ROWS], said.outputs))
    assert said.chosen("classification").tolist() == chosen.tolist()


def test_scores_that_are_no_probabilities_have_no_log_loss():
    said = Predictions(ROWS, RNG.normal(size=(30, 3)), probable=False)
    scores = said.score(Y, "classification")
    expected = accuracy_score(Y[ROWS], said.outputs.argmax(axis=1))
    assert scores["accuracy"].value == pytest.approx(expected)
    assert "log_loss" not in scores


def test_numbers_are_scored_as_numbers():
    y, numbers = RNG.normal(size=40), RNG.normal(size=30)
    said = Predictions(ROWS, numbers)
    expected = root_mean_squared_error(y[ROWS], numbers)
    assert said.score(y, "regression")["rmse"].value == pytest.approx(expected)
    assert said.chosen("regression") is numbers


def test_groups_widen_the_interval_of_rows_that_repeat_each_other():
    y, said = np.repeat([0, 1, 0, 1] * 5, 10), np.repeat([0, 1, 1, 1] * 5, 10)
    one = Predictions(np.arange(200), np.eye(2)[said])
    alone = one.score(y, "classification")["accuracy"]
    grouped = one.score(y, "classification", np.repeat(np.arange(20), 10))["accuracy"]
    assert alone.value == grouped.value == 0.75
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_pooled_folds_hold_every_row_once_with_its_own_outputs():
    said = random_probabilities()
    parts = [Predictions(ROWS[:10], said[:10], False), Predictions(ROWS[10:], said[10:], False)]
    pooled = pool(parts)
    assert pooled.rows.tolist() == ROWS.tolist()
    np.testing.assert_array_equal(pooled.outputs, said)
    assert not pooled.probable


def test_the_majority_says_the_class_shares_of_the_training_part():
    y = np.array([0, 0, 0, 1, 2, 2, 2, 2])
    said = majority(y, np.array([0, 1, 2, 3]), np.array([6, 7]), "classification", 3)
    assert said.outputs.tolist() == [[0.75, 0.25, 0.0]] * 2
    assert said.rows.tolist() == [6, 7]


def test_the_majority_of_numbers_is_the_mean_of_the_training_part():
    y = np.array([1.0, 3.0, 100.0])
    said = majority(y, np.array([0, 1]), np.array([2]), "regression", 0)
    assert said.outputs.tolist() == [2.0]


def test_columns_go_to_the_classes_that_the_model_knows():
    outputs = np.array([[0.2, 0.8], [0.6, 0.4]])
    aligned = align(outputs, np.array([0, 2]), 4, 0.0)
    assert aligned.tolist() == [[0.2, 0, 0.8, 0], [0.6, 0, 0.4, 0]]


def test_one_score_for_two_classes_becomes_two_columns():
    aligned = align(np.array([1.5, -0.5]), np.array([1, 2]), 3, -9.0)
    assert aligned.tolist() == [[-9, -1.5, 1.5], [-9, 0.5, -0.5]]
    assert aligned.argmax(axis=1).tolist() == [2, 1]


def test_models_are_compared_on_the_same_rows():
    network = Predictions(ROWS, random_probabilities(seed=1))
    baseline = Predictions(ROWS, random_probabilities(seed=2))
    right = [(said.outputs.argmax(axis=1) == Y[ROWS]).astype(float) for said in (network, baseline)]
    found = compare(Y, network, baseline, "classification")
    assert found.value == pytest.approx((right[0] - right[1]).mean())
    assert found.low < found.value < found.high


def test_a_smaller_error_of_the_network_is_a_negative_difference():
    y = RNG.normal(size=40)
    good = Predictions(ROWS, y[ROWS] + 0.1 * RNG.normal(size=30))
    bad = Predictions(ROWS, y[ROWS] + RNG.normal(size=30))
    expected = root_mean_squared_error(y[ROWS], good.outputs) - root_mean_squared_error(
        y[ROWS], bad.outputs
    )
    found = compare(y, good, bad, "regression")
    assert found.value == pytest.approx(expected)
    assert found.high < 0


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        (
            Interval(0.05, 0.01, 0.09),
            "The CNN is ahead of SVM by 5.0 points of accuracy [1.0, 9.0] on 1,200 test items.",
        ),
        (
            Interval(-0.05, -0.09, -0.01),
            "SVM is ahead of the CNN by 5.0 points of accuracy [1.0, 9.0] on 1,200 test items: "
            "use it, or give the CNN more data.",
        ),
        (
            Interval(0.05, -0.01, 0.11),
            "The CNN does better by 5.0 points of accuracy [-1.0, 11.0], but the interval "
            "holds 0: 1,200 test items can't tell the CNN from SVM.",
        ),
        (
            Interval(-0.05, -0.11, 0.0),
            "SVM does better by 5.0 points of accuracy [0.0, 11.0], but the interval "
            "holds 0: 1,200 test items can't tell the CNN from SVM.",
        ),
        (
            Interval(0.0, -0.1, 0.1),
            "The CNN and SVM score the same: 1,200 test items can't tell the CNN from SVM.",
        ),
    ],
)
def test_the_verdict_names_the_leader_its_lead_and_the_interval_of_the_lead(difference, sentence):
    assert verdict(difference, "classification", "SVM", 1200) == sentence


@pytest.mark.parametrize(
    ("difference", "beginning"),
    [
        (Interval(-0.5, -0.75, -0.25), "The CNN is ahead of SVM by 0.5 of RMSE [0.25, 0.75] on"),
        (Interval(0.5, 0.25, 0.75), "SVM is ahead of the CNN by 0.5 of RMSE [0.25, 0.75] on"),
        (Interval(-0.5, -1.5, 0.5), "The CNN does better by 0.5 of RMSE [-0.5, 1.5], but"),
        (Interval(0.5, -0.5, 1.5), "SVM does better by 0.5 of RMSE [-0.5, 1.5], but"),
    ],
)
def test_the_model_with_the_smaller_error_leads(difference, beginning):
    assert verdict(difference, "regression", "SVM", 9).startswith(beginning)


def test_a_network_that_is_no_cnn_and_a_single_item_are_named_as_such():
    even = verdict(Interval(0.0, 0.0, 0.0), "classification", "SVM", 1, "network")
    assert even == (
        "The network and SVM score the same: 1 test item can't tell the network from SVM."
    )
    behind = verdict(Interval(-0.2, -0.3, -0.1), "classification", "SVM", 20, "network")
    assert behind.endswith("use it, or give the network more data.")
