import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss, root_mean_squared_error

from cnnkit.cnncore.objective import Classification, MultiLabel, Regression

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(7, 3)).astype(np.float32)
CLASSES = np.array([0, 2, 1, 1, 0, 2, 2])


def log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits.astype(np.float64)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("weight", [None, [1.0, 0.5, 3.0]])
def test_cross_entropy_is_the_one_of_the_textbook(smoothing, weight):
    target = np.eye(3)[CLASSES] * (1 - smoothing) + smoothing / 3
    factors = np.ones(3) if weight is None else np.array(weight)
    by_hand = -(target * factors * log_softmax(LOGITS)).sum(axis=1)
    given = None if weight is None else np.array(weight, dtype=np.float32)
    objective = Classification(3, smoothing, given)
    found = objective.losses(torch.from_numpy(LOGITS), objective.encode(CLASSES))
    np.testing.assert_allclose(found.numpy(), by_hand, rtol=1e-5)


def test_classes_are_scored_by_log_loss_and_accuracy():
    objective = Classification(3)
    predicted = objective.predict(torch.from_numpy(LOGITS).double()).numpy()
    np.testing.assert_allclose(predicted, np.exp(log_softmax(LOGITS)), rtol=1e-5)
    loss, accuracy = objective.score(predicted, CLASSES)
    assert loss == pytest.approx(log_loss(CLASSES, predicted, labels=[0, 1, 2]), rel=1e-5)
    assert accuracy == accuracy_score(CLASSES, predicted.argmax(axis=1))


def test_a_probability_of_zero_costs_a_finite_amount():
    loss, _ = Classification(2).score(np.array([[0.0, 1.0]]), np.array([0]))
    assert loss == pytest.approx(-np.log(1e-12))


CELLS = np.array([[1, 0, np.nan], [np.nan, np.nan, np.nan], [0, 1, 1]] * 2 + [[1, 1, 0]])


@pytest.mark.parametrize("weight", [None, [1.0, 0.5, 3.0]])
def test_the_loss_of_labels_is_the_mean_over_those_that_are_known(weight):
    factors = np.ones(3) if weight is None else np.array(weight)
    given = None if weight is None else np.array(weight, dtype=np.float32)
    objective = MultiLabel(3, given)
    logits = torch.from_numpy(LOGITS).requires_grad_()
    found = objective.losses(logits, objective.encode(CELLS))
    for row in range(7):
        p = 1 / (1 + np.exp(-LOGITS[row].astype(np.float64)))
        cells = np.where(CELLS[row] == 1, -factors * np.log(p), -np.log(1 - p))
        known = ~np.isnan(CELLS[row])
        expected = cells[known].mean() if known.any() else 0.0
        assert float(found[row].detach()) == pytest.approx(expected, rel=1e-5)
    found.sum().backward()
    assert (logits.grad == 0).tolist() == np.isnan(CELLS).tolist()


def test_labels_are_scored_by_the_log_loss_and_the_macro_f1_of_known_cells():
    objective = MultiLabel(3)
    predicted = objective.predict(torch.from_numpy(LOGITS).double()).numpy()
    np.testing.assert_allclose(predicted, 1 / (1 + np.exp(-LOGITS.astype(np.float64))))
    known = ~np.isnan(CELLS)
    loss, f1 = objective.score(predicted, CELLS)
    assert loss == pytest.approx(log_loss(CELLS[known], predicted[known]))
    by_label = [
        f1_score(CELLS[known[:, k], k], predicted[known[:, k], k] > 0.5, zero_division=np.nan)
        for k in range(3)
    ]
    assert f1 == pytest.approx(np.nanmean(by_label))


def test_huber_is_quadratic_near_the_target_and_linear_far_from_it():
    objective = Regression(np.array([10.0]), np.array([2.0]))
    targets = objective.encode(np.array([10.0, 12.0, 30.0]))
    np.testing.assert_array_equal(targets.numpy(), [[0.0], [1.0], [10.0]])
    found = objective.losses(torch.zeros(3, 1), targets)
    np.testing.assert_allclose(found.numpy(), [0.0, 0.5, 10 - 0.5])


def test_the_loss_of_several_targets_is_their_mean():
    objective = Regression(np.zeros(2), np.ones(2))
    targets = objective.encode(np.array([[0.5, 4.0]]))
    assert objective.losses(torch.zeros(1, 2), targets).tolist() == [(0.125 + 3.5) / 2]


def test_what_is_not_known_of_several_targets_teaches_nothing():
    y = np.array([[0.5, np.nan], [np.nan, np.nan], [0.5, 4.0]])
    objective = Regression(np.zeros(2), np.ones(2))
    votes = torch.zeros(3, 2, requires_grad=True)
    losses = objective.losses(votes, objective.encode(y))
    assert losses.tolist() == [0.125, 0.0, (0.125 + 3.5) / 2]
    losses.sum().backward()
    np.testing.assert_allclose(votes.grad, [[-0.5, 0], [0, 0], [-0.25, -0.5]])


def test_several_targets_are_scored_where_they_are_known():
    y = np.array([[1.0, 50.0], [3.0, np.nan], [np.nan, 90.0]])
    objective = Regression(np.zeros(2), np.array([2.0, 10.0]))
    loss, rmse = objective.score(np.array([[2.0, 60.0], [2.0, 0.0], [0.0, 80.0]]), y)
    assert loss == pytest.approx((0.5**2 + 0.5**2 + 1 + 1) / 4)
    assert rmse == pytest.approx((1 / 1 + 10 / 20) / 2)  # in standard deviations of these rows


def test_predictions_come_back_in_the_units_of_the_targets():
    y = RNG.normal(50, 7, size=(20, 2))
    objective = Regression(y.mean(axis=0), y.std(axis=0))
    encoded = objective.encode(y)
    np.testing.assert_allclose(encoded.mean(dim=0).numpy(), 0, atol=1e-6)
    np.testing.assert_allclose(encoded.std(dim=0, unbiased=False).numpy(), 1, rtol=1e-6)
    np.testing.assert_allclose(objective.predict(encoded).numpy(), y, rtol=1e-5)


def test_numbers_are_scored_by_their_standardised_square_and_by_rmse():
    y, predicted = RNG.normal(50, 7, size=20), RNG.normal(50, 7, size=(20, 1))
    objective = Regression(np.array([50.0]), np.array([7.0]))
    loss, rmse = objective.score(predicted, y)
    expected = root_mean_squared_error(y, predicted[:, 0])
    assert rmse == pytest.approx(expected)
    assert loss == pytest.approx((expected / 7) ** 2)


def test_what_is_most_likely_before_anything_is_seen():
    np.testing.assert_allclose(Classification(4).prior(CLASSES), np.array([2, 2, 3, 0]) / 7)
    shares = [np.mean([row[k] for row in CELLS if row[k] in (0, 1)]) for k in range(3)]
    np.testing.assert_allclose(MultiLabel(3).prior(CELLS), shares)
    y = RNG.normal(50, 7, size=(20, 2))
    np.testing.assert_array_equal(Regression(y.mean(0), y.std(0)).prior(y), y.mean(axis=0))
