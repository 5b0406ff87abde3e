"""How far probabilities can be believed: what they cost, and the temperature that corrects them."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Family = Callable[[FloatArray], dict[str, FloatArray]]

_BINS = 15
_MAX_TEMPERATURE = 20.0  # and at least 1 / 20
_HALVINGS = 50  # of an interval of length 6: to the last digit of a float64


def softmax(logits: ArrayLike, temperature: float = 1.0) -> FloatArray:
    """Turn votes into probabilities; a temperature above 1 makes them more cautious.

    Parameters
    ----------
    logits : float array [N, K]
    temperature : float
        Above 0. The order of a row's classes stays as it is.

    Returns
    -------
    float64 array [N, K]
        Each row sums to 1.

    Raises
    ------
    ValueError
        If the temperature isn't positive.

    Examples
    --------
    >>> softmax([[0.0, 2.0]]).round(2), softmax([[0.0, 2.0]], temperature=4.0).round(2)
    (array([[0.12, 0.88]]), array([[0.38, 0.62]]))
    """
    if not temperature > 0:
        raise ValueError(f"`temperature` is {temperature}, expected a number above 0")
    votes = np.asarray(logits, np.float64)
    powers = np.exp((votes - votes.max(axis=-1, keepdims=True)) / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_temperature(logits: ArrayLike, y: ArrayLike) -> float:
    """Find the temperature that minimises the log loss of held-out rows.

    Parameters
    ----------
    logits : float32 array [N, K]
        Votes of rows that the network wasn't trained on.
    y : int64 array [N]
        Their true class numbers, 0 to K - 1.

    Returns
    -------
    float
        Between 0.05 and 20. On these rows, the log loss is never above that of temperature 1.

    Raises
    ------
    ValueError
        If there are no rows, shapes don't fit, logits aren't finite or a class number has no
        column.

    Notes
    -----
    Where no row is wrong, the loss alone would drive the temperature to its lower end, however
    few the rows. So what is minimised is the sum of the rows' losses and (log T)² / 2, a normal
    prior around T = 1: of no weight for many rows, and in charge where they say nothing. The
    minimum lies between 1 and that of the loss alone, which has only one (it is convex in 1 / T).

    References
    ----------
    Guo et al. (2017), "On Calibration of Modern Neural Networks".

    Examples
    --------
    >>> round(fit_temperature([[0.0, 8.0], [8.0, 0.0], [8.0, 0.0], [0.0, 8.0]], [1, 0, 1, 1]), 1)
    3.7
    """
    votes, labels = np.asarray(logits, np.float64), np.asarray(y)
    if votes.ndim != 2 or labels.shape != votes.shape[:1] or not votes.size:
        raise ValueError(
            f"logits of shape {votes.shape} and y of shape {labels.shape}: expected [N, K] and [N] "
            "with at least one row"
        )
    n_classes = votes.shape[1]
    if not np.isfinite(votes).all() or not 0 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(
            f"logits must be finite, and y 0 to {n_classes - 1}: found logits {votes.min()} to "
            f"{votes.max()}, y {labels.min()} to {labels.max()}"
        )
    lead = votes - votes[np.arange(len(votes)), labels][:, None]

    def slope(log_temperature: float) -> float:
        """Derivative by log T of the sum that is minimised."""
        temperature = exp(log_temperature)
        expected_lead = (softmax(votes, temperature) * lead).sum()
        return log_temperature - float(expected_lead) / temperature

    low, high = -log(_MAX_TEMPERATURE), log(_MAX_TEMPERATURE)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return exp(high)


def probability_losses(y: NDArray[Any], probabilities: FloatArray) -> Family:
    """Prepare log_loss, brier and ece, to be measured on many resamples at once.

    Parameters
    ----------
    y : int64 array [N]
        True class numbers.
    probabilities : float64 array [N, K]

    Returns
    -------
    function
        From counts, float64 [N, B] (how often each row is in each of B resamples), to the values
        of each metric, float64 [B]. See `classification_metrics` for their definitions; the 15
        bins of ece are those of Guo et al. (2017).

    Raises
    ------
    ValueError
        If rows aren't probabilities.

    Examples
    --------
    >>> measure = probability_losses(np.array([1, 0]), np.array([[0.2, 0.8], [1.0, 0.0]]))
    >>> measure(np.ones((2, 1)))["brier"].round(2)
    array([0.02])
    """
    p = probabilities
    if p.ndim != 2 or p.shape[1] < 2 or (p < 0).any() or (abs(p.sum(axis=1) - 1) > 1e-3).any():
        raise ValueError(
            f"`probabilities` of shape {p.shape}: expected [N, K], 0 or more, rows of sum 1; "
            "apply softmax first, or give the scores to `score_metrics`"
        )
    rows, n_classes = np.arange(len(y)), p.shape[1]
    of_truth = np.maximum(p[rows, y], np.finfo(np.float64).eps)
    squares = (p - (np.arange(n_classes) == y[:, None])) ** 2
    row_losses = {
        "log_loss": np.log(1 / of_truth),
        "brier": squares[:, 1] if n_classes == 2 else squares.sum(axis=1),
    }
    confidence = p.max(axis=1)
    bins = np.clip(np.ceil(confidence * _BINS).astype(np.intp) - 1, 0, _BINS - 1)
    excess = np.zeros((_BINS, len(y)))
    excess[bins, rows] = confidence - (p.argmax(axis=1) == y)

    def measure(counts: FloatArray) -> dict[str, FloatArray]:
        n_rows = counts.sum(axis=0)
        means = {name: loss @ counts / n_rows for name, loss in row_losses.items()}
        return means | {"ece": np.abs(excess @ counts).sum(axis=0) / n_rows}

    return measure
