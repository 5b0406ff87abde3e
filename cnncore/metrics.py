"""How good predictions are: every metric with the interval that a bootstrap gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.cnncore.bootstrap import Interval, bootstrap, widen_perfect
from cnnkit.cnncore.calibration import Family, FloatArray, probability_losses
from cnnkit.cnncore.errors import did_you_mean

_GAINS = (
    "accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "roc_auc", "average_precision", "r2",
)  # fmt: skip
_LOSSES = ("log_loss", "brier", "ece", "mae", "rmse")
_MAIN: dict[str, Literal["accuracy", "rmse", "macro_f1"]] = {
    "classification": "accuracy",
    "regression": "rmse",
    "multilabel": "macro_f1",
}


def main_metric(
    task: Literal["classification", "regression", "multilabel"],
) -> Literal["accuracy", "rmse", "macro_f1"]:
    """Name the metric that a task's models are compared by."""
    return _MAIN[task]


def higher_is_better(name: str) -> bool:
    """Say whether a larger value of a metric is the better one.

    Raises
    ------
    ValueError
        If there is no metric of that name.

    Examples
    --------
    >>> higher_is_better("accuracy"), higher_is_better("rmse")
    (True, False)
    """
    if name not in _GAINS + _LOSSES:
        known = _GAINS + _LOSSES
        hint = did_you_mean(name, known)
        raise ValueError(f"metric {name!r}: expected one of {', '.join(known)}{hint}")
    return name in _GAINS


def classification_metrics(
    y: ArrayLike,
    probabilities: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    groups: ArrayLike | None = None,
) -> dict[str, Interval]:
    """Measure predicted probabilities against true classes.

    Parameters
    ----------
    y : int64 array [N]
        True class numbers, 0 to K - 1.
    probabilities : float array [N, K]
        Each row sums to 1.
    seed, resamples : int
        Seed and number of the resamples.
    groups : int array [N] or None
        Rows of the same group (windows of one recording, say) are drawn together.

    Returns
    -------
    dict of str to Interval
        accuracy; balanced_accuracy (mean recall of the classes in `y`); macro_f1 (mean over the
        classes in `y` or predicted); roc_auc and average_precision (two classes: of class 1;
        more: one against the rest, mean over the classes in `y`; left out where that is only
        one); log_loss in nats; brier (two classes: squared error of class 1's probability; more:
        summed over the classes); ece (calibration error, 15 equal bins of the top probability).

    Raises
    ------
    ValueError
        If shapes, class numbers or probabilities are wrong.

    Notes
    -----
    The interval holds the middle 95 % of the resamples in which a metric is defined. An
    accuracy of 0 or 1 gets the exact interval instead, since resampling rows without a mistake
    makes none. The interval of ece leans up and can miss `value`.

    References
    ----------
    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13.

    Examples
    --------
    >>> found = classification_metrics([0, 1, 1, 0], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [1, 0]])
    >>> found["accuracy"].value, found["roc_auc"].value
    (0.75, 1.0)
    """
    labels, p = np.asarray(y), np.asarray(probabilities, np.float64)
    check_arrays(p.shape[:1], p.shape[-1], y=labels)
    check_arrays(p.shape, probabilities=p)
    losses = probability_losses(labels, p)
    rankings = _rankings(labels, p[:, 1] if p.shape[1] == 2 else p)
    families = (_decisions(labels, p.argmax(axis=1)), rankings, losses)
    return _with_honest_accuracy(families, len(labels), seed, resamples, groups)


def score_metrics(
    y: ArrayLike,
    scores: ArrayLike,
    predicted: ArrayLike | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    groups: ArrayLike | None = None,
) -> dict[str, Interval]:
    """Measure scores that are no probabilities, such as a linear model's `decision_function`.

    Parameters
    ----------
    y : int64 array [N]
        True class numbers, 0 to K - 1.
    scores : float array [N] or [N, K]
        Two classes: [N], above 0 for class 1. More classes: one column each.
    predicted : int64 array [N] or None
        Predicted class numbers; None takes them from the scores.
    seed, resamples, groups
        As for `classification_metrics`.

    Returns
    -------
    dict of str to Interval
        accuracy, balanced_accuracy, macro_f1, roc_auc and average_precision, defined as there.

    Raises
    ------
    ValueError
        If shapes, class numbers or scores are wrong.

    Examples
    --------
    >>> print(score_metrics([0, 1, 1, 0], [-1.2, 0.3, 2.0, -0.1])["roc_auc"])
    1.000
    """
    labels, votes = np.asarray(y), np.asarray(scores, np.float64)
    if votes.ndim == 2 and votes.shape[1] == 2:
        votes = votes[:, 1] - votes[:, 0]
    binary = votes.ndim == 1
    decided = (votes > 0).astype(np.int64) if binary else votes.argmax(axis=1)
    if predicted is not None:
        decided = np.asarray(predicted)
    check_arrays(votes.shape[:1], 2 if binary else votes.shape[1], y=labels, predicted=decided)
    check_arrays(votes.shape, scores=votes)
    families = _decisions(labels, decided), _rankings(labels, votes)
    return _with_honest_accuracy(families, len(labels), seed, resamples, groups)


def paired_difference(
    y: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    groups: ArrayLike | None = None,
) -> Interval:
    """Measure how far model `a` is ahead of model `b` on the same rows: accuracy(a) - accuracy(b).

    Both models meet the same rows in every resample, so what makes a row hard for both cancels
    out. Where the interval holds 0, these rows can't tell which model is ahead.

    Parameters
    ----------
    y, a, b : int64 array [N]
        True and predicted class numbers.
    seed, resamples, groups
        As for `classification_metrics`.

    Raises
    ------
    ValueError
        If shapes differ or numbers aren't finite.

    Examples
    --------
    >>> paired_difference([0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 0]).value
    0.25
    """
    truth, first, second = (np.asarray(x, np.float64) for x in (y, a, b))
    check_arrays(truth.shape, y=truth, a=first, b=second)
    measures = _decisions(truth, first), _decisions(truth, second)

    def difference(counts: FloatArray) -> dict[str, FloatArray]:
        return {"accuracy": measures[0](counts)["accuracy"] - measures[1](counts)["accuracy"]}

    return bootstrap((difference,), len(truth), seed, resamples, groups)["accuracy"]


def _with_honest_accuracy(
    families: tuple[Family, ...], n_rows: int, seed: int, resamples: int, groups: ArrayLike | None
) -> dict[str, Interval]:
    """Bootstrap; a model without a mistake on few rows isn't a model without mistakes."""
    found = bootstrap(families, n_rows, seed, resamples, groups)
    units = n_rows if groups is None else len(np.unique(groups))
    found["accuracy"] = widen_perfect(found["accuracy"], units)
    return found


def mean_ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Mean over the first axis of the ratios whose denominator isn't 0; NaN where there is none."""
    defined = denominator > 0
    ratios = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=defined)
    n_defined = defined.sum(axis=0)
    return np.where(n_defined > 0, ratios.sum(axis=0) / np.maximum(n_defined, 1), np.nan)


def _decisions(y: NDArray[Any], predicted: NDArray[Any]) -> Family:
    """accuracy, balanced_accuracy, macro_f1: from the rows true, predicted and right per class."""
    classes = np.union1d(y, predicted)[:, None]
    is_true, is_guessed = (classes == y).astype(float), (classes == predicted).astype(float)
    is_right = is_true * is_guessed

    def measure(counts: FloatArray) -> dict[str, FloatArray]:
        true, guessed, right = is_true @ counts, is_guessed @ counts, is_right @ counts
        return {
            "accuracy": right.sum(axis=0) / true.sum(axis=0),
            "balanced_accuracy": mean_ratio(right, true),
            "macro_f1": mean_ratio(2 * right, true + guessed),
        }

    return measure


def _rankings(y: NDArray[Any], scores: FloatArray) -> Family:
    """roc_auc and average_precision: of class 1 for scores [N], one against the rest for [N, K]."""
    classes = [1] if scores.ndim == 1 else np.unique(y)
    columns = [ranking(y == k, scores if scores.ndim == 1 else scores[:, k]) for k in classes]

    def measure(counts: FloatArray) -> dict[str, FloatArray]:
        won, pairs, precision, hits = np.stack([column(counts) for column in columns], axis=1)
        return {
            "roc_auc": mean_ratio(won, pairs),
            "average_precision": mean_ratio(precision, hits * (pairs > 0)),
        }

    return measure


def ranking(positive: NDArray[np.bool_], score: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Count, of one class against the rest, pairs won (ties half), pairs, precision sum, hits."""
    order = np.argsort(score)
    score, positive = score[order], positive[order]
    levels = np.unique(score[positive])

    def measure(counts: FloatArray) -> FloatArray:
        drawn = counts.take(order, axis=0)
        below, up_to, rows = _cumulate(drawn, score, levels)
        hits_below, hits_up_to, hits = _cumulate(drawn[positive], score[positive], levels)
        here = hits_up_to - hits_below
        won = here * (below + up_to - hits_below - hits_up_to) / 2
        # Where a resample has no row from a level up, `here` is 0 as well.
        precision = (hits - hits_below) / np.maximum(rows - below, 1)
        totals = won.sum(axis=0), hits * (rows - hits), (here * precision).sum(axis=0), hits
        return np.stack(totals)

    return measure


def _cumulate(counts: FloatArray, score: FloatArray, levels: FloatArray) -> tuple[FloatArray, ...]:
    """Count the rows (in order of score) below each level [G, B], up to and at it, and all [B]."""
    running = np.zeros((len(counts) + 1, counts.shape[1]))
    np.cumsum(counts, axis=0, out=running[1:])
    below, up_to = np.searchsorted(score, levels, "left"), np.searchsorted(score, levels, "right")
    return running[below], running[up_to], running[-1]


def check_arrays(
    shape: tuple[int, ...], n_classes: int | None = None, **arrays: NDArray[Any]
) -> None:
    """Refuse what isn't finite, no class number, or of another shape ([N, 1] would broadcast)."""
    kind = "finite numbers" if n_classes is None else f"class numbers 0 to {n_classes - 1}"
    problems = []
    for name, array in arrays.items():
        if n_classes is None:
            fits = np.isfinite(array)
        else:
            fits = np.isin(array, np.arange(n_classes)) & (array.dtype.kind in "iu")
        if array.shape != shape or not fits.size or not fits.all():
            found = f"{array.dtype} of shape {array.shape}, {fits.size - fits.sum()} of them wrong"
            problems.append(f"`{name}`: expected {kind} of shape {shape}, found {found}")
    if problems:
        raise ValueError("; ".join(problems))
