"""Scores that people read: held-out predictions of all folds, measured together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cnnkit.cnncore.bootstrap import Interval, bootstrap
from cnnkit.cnncore.calibration import Family, FloatArray
from cnnkit.cnncore.errors import did_you_mean
from cnnkit.cnncore.metrics import score_metrics
from cnnkit.cnncore.number_metrics import regression_metrics
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.target import Target

_SCORINGS = {
    "classification": ("accuracy", "balanced_accuracy", "roc_auc", "skill"),
    "regression": ("r2", "skill"),
}
_IMBALANCE = 2  # the largest class, compared with the mean of the others


def choose_scoring(target: Target, scoring: str | None = None) -> tuple[str, str]:
    """Choose what the scores of a table are.

    Numbers get r2; classes get accuracy, or roc_auc where the largest class has more than twice
    the rows that the others have on average.

    Parameters
    ----------
    target : Target
    scoring : str or None
        The user's choice. Classes: accuracy, balanced_accuracy, roc_auc (more than two classes:
        one against the rest, averaged) or skill (1 - squared error / squared error of the
        training shares: the Brier skill). Numbers: r2 or skill (against the training means).

    Returns
    -------
    scoring, note : str
        The note says why, and is "" where there is nothing to explain.

    Raises
    ------
    ValueError
        If the user's choice isn't one of these.

    Examples
    --------
    >>> target = Target("y", "classification", np.array([0, 0, 0, 0, 1]), ("no", "yes"))
    >>> name, note = choose_scoring(target)
    >>> name, note[:40]
    ('roc_auc', "80 % of the rows are of class 'no', whic")
    """
    if scoring is not None:
        known = _SCORINGS[target.task]
        if scoring not in known:
            names = ", ".join(known) + did_you_mean(scoring, known)
            raise ValueError(f"scoring {scoring!r}: expected, for {target.task}, one of {names}")
        return scoring, ""
    if target.classes is None:
        return "r2", ""
    rows = np.bincount(target.values.astype(np.int64), minlength=len(target.classes))
    others = (len(target) - rows.max()) / max(len(rows) - 1, 1)
    if rows.max() <= _IMBALANCE * others:
        return "accuracy", ""
    share, name = rows.max() / len(target), target.classes[rows.argmax()]
    return "roc_auc", (
        f"{100 * share:.0f} % of the rows are of class {name!r}, which makes accuracy easy to get: "
        "scores are the area under the ROC curve (0.5: no better than chance)."
    )


def score(scoring: str, table: PreparedTable, predictions: NDArray[Any]) -> float:
    """Measure held-out predictions, as `score_interval` does, without the interval."""
    # As one group, the rows are always drawn as they are.
    together = np.zeros(len(predictions), np.int64)
    return score_interval(scoring, table, predictions, seed=0, groups=together, resamples=1).value


def score_interval(
    scoring: str,
    table: PreparedTable,
    predictions: NDArray[Any],
    *,
    seed: int,
    groups: NDArray[Any] | None = None,
    resamples: int = 1000,
) -> Interval:
    """Measure held-out predictions of all rows together, with a 95 % bootstrap interval.

    Parameters
    ----------
    scoring : str
        As `choose_scoring` returns it.
    table : PreparedTable
        Of n rows.
    predictions : float array [n, q]
        For each row by the models of the fold that tests it, in the units of
        `table.target.matrix()`: class probabilities, or one column of z-scores.
    seed, resamples : int
    groups : array [n] or None
        Rows of the same group are drawn together.

    Raises
    ------
    ValueError
        If predictions aren't finite or of another shape.

    References
    ----------
    Brier (1950), "Verification of forecasts expressed in terms of probability".
    """
    options: dict[str, Any] = {"seed": seed, "resamples": resamples, "groups": groups}
    # On products this small, the threads of a busy machine mostly wait for each other.
    with threadpool_limits(1, "blas"):
        if scoring == "skill":
            family = _skill_of(table, predictions)
            return bootstrap((family,), len(predictions), **options)[scoring]
        if table.target.task == "regression":
            return regression_metrics(table.target.matrix(), predictions, **options)[scoring]
        return score_metrics(table.target.values, predictions, **options)[scoring]


def score_prior(
    scoring: str,
    table: PreparedTable,
    *,
    seed: int,
    groups: NDArray[Any] | None = None,
    resamples: int = 1000,
) -> tuple[str, Interval]:
    """Name and score what needs no model: the majority class, or the mean.

    Returns
    -------
    name : "majority class" or "mean"
    score : Interval
        Of predicting the class shares of all rows for each: those of the training parts differ a
        little, which would rank the folds. r2 and skill compare with a mean, so they are 0.
    """
    name = "mean" if table.target.classes is None else "majority class"
    if scoring in ("r2", "skill"):
        scoring, guess = "skill", table.prior()
    else:
        truth = table.target.matrix()
        guess = np.tile(truth.mean(axis=0), (len(truth), 1))
    found = score_interval(scoring, table, guess, seed=seed, groups=groups, resamples=resamples)
    return name, found


def skill(table: PreparedTable, predictions: NDArray[Any]) -> float:
    """Return 1 - squared error / squared error of each fold's training mean, over all rows."""
    return float(1 - row_losses(table, predictions).sum() / prior_losses(table).sum())


def row_losses(table: PreparedTable, predictions: NDArray[Any]) -> FloatArray:
    """Return each row's squared error, summed over the columns of the target: float64 [n]."""
    error = predictions.astype(np.float64) - table.target.matrix()
    return np.asarray(np.square(error).sum(axis=1))


def prior_losses(table: PreparedTable) -> FloatArray:
    """Return the losses of each fold's training mean: float64 [n]."""
    return row_losses(table, table.prior())


def _skill_of(table: PreparedTable, predictions: NDArray[Any]) -> Family:
    losses, prior = row_losses(table, predictions), prior_losses(table)

    def measure(counts: FloatArray) -> dict[str, FloatArray]:
        return {"skill": 1 - (losses @ counts) / (prior @ counts)}

    return measure
