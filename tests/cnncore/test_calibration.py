"""Temperature scaling, against known temperatures and a search of every temperature."""

import numpy as np
import pytest
from scipy.special import softmax as scipy_softmax
from sklearn.metrics import log_loss

from cnnkit.cnncore.calibration import fit_temperature, probability_losses, softmax


def drawn_from(logits, seed=0):
    """Classes drawn with the probabilities that the logits state, so that T = 1 is right."""
    uniform = np.random.default_rng(seed).random((len(logits), 1))
    return (scipy_softmax(logits, axis=1).cumsum(axis=1) < uniform).sum(axis=1)


def random_logits(seed, n_rows, n_classes, scale=2.0):
    return np.random.default_rng(seed).normal(0, scale, (n_rows, n_classes)).astype(np.float32)


def test_softmax_is_the_one_of_scipy():
    logits = random_logits(0, 20, 5)
    np.testing.assert_allclose(softmax(logits), scipy_softmax(logits.astype(float), axis=1))
    np.testing.assert_allclose(softmax(logits, 3.0), scipy_softmax(logits / 3.0, axis=1), rtol=1e-6)
    np.testing.assert_array_equal(softmax([[1e30, -1e30]], 0.05), [[1.0, 0.0]])


@pytest.mark.parametrize("temperature", [0.25, 0.7, 1.0, 2.5, 8.0])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_a_known_temperature_is_recovered(temperature, n_classes):
    logits = random_logits(1, 5000, n_classes)
    y = drawn_from(logits)
    assert fit_temperature(logits * temperature, y) == pytest.approx(temperature, rel=0.06)


def test_for_many_rows_no_other_temperature_has_a_lower_log_loss():
    logits = random_logits(2, 2000, 4)
    y = drawn_from(logits / 3)
    found = log_loss(y, softmax(logits, fit_temperature(logits, y)), labels=range(4))
    others = [log_loss(y, softmax(logits, t), labels=range(4)) for t in np.geomspace(0.05, 20, 300)]
    assert found < min(others) + 1e-5


@pytest.mark.parametrize("n_rows", [1, 2, 5, 40])
def test_the_log_loss_of_the_fitted_rows_never_rises(n_rows):
    for seed in range(30):
        logits = random_logits(seed, n_rows, 3, scale=10.0 ** (seed % 5 - 2))
        y = np.random.default_rng(seed + 100).integers(3, size=n_rows)
        ones = np.ones((n_rows, 1))
        before = probability_losses(y, softmax(logits))(ones)["log_loss"]
        after = probability_losses(y, softmax(logits, fit_temperature(logits, y)))(ones)["log_loss"]
        assert after <= before + 1e-12


def test_the_predicted_class_stays():
    logits = random_logits(3, 500, 6)
    for temperature in (0.05, 0.5, 20.0):
        predicted = softmax(logits, temperature).argmax(axis=1)
        np.testing.assert_array_equal(predicted, logits.argmax(axis=1))


def test_a_few_rows_without_a_mistake_do_not_make_the_network_certain():
    """Log loss alone would choose the lowest temperature here, and certainty for every new row."""
    y = np.arange(20) % 2
    logits = np.where(y[:, None] == [0, 1], 3.0, -3.0)
    assert 0.5 < fit_temperature(logits, y) < 1


def test_logits_that_say_nothing_keep_temperature_1():
    assert fit_temperature(np.full((10, 3), 3.7, np.float32), np.arange(10) % 3) == pytest.approx(1)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_temperature_stays_between_a_20th_and_20(sign):
    y = np.arange(20_000) % 2
    logits = sign * np.where(y[:, None] == [0, 1], 0.01, -0.01)
    limit = 0.05 if sign == 1 else 20
    assert fit_temperature(logits, y) == pytest.approx(limit)
    assert np.isfinite(fit_temperature(logits * 1e30, y))


@pytest.mark.parametrize(
    ("logits", "y", "message"),
    [
        (np.zeros((0, 3)), np.zeros(0, int), "at least one row"),
        (np.zeros((4, 3)), np.zeros(3, int), r"\(4, 3\).*\(3,\)"),
        (np.zeros((2, 3)), [0, 3], "0 to 2.*y 0 to 3"),
        (np.array([[0, np.nan]]), [0], "finite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(logits, y, message):
    with pytest.raises(ValueError, match=message):
        fit_temperature(logits, y)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan])
def test_a_temperature_is_positive(temperature):
    with pytest.raises(ValueError, match="above 0"):
        softmax([[0.0, 1.0]], temperature)
