"""What is always shown: a network's scores beside the majority's and the baseline's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.label_metrics import decide, macro_f1_difference, multilabel_metrics
from cnnkit.cnncore.metrics import classification_metrics, paired_difference, score_metrics
from cnnkit.cnncore.number_metrics import regression_metrics, rmse_difference
from cnnkit.cnncore.objective import Float64Array

Task = Literal["classification", "regression", "multilabel"]
Scores = dict[str, Interval]


@dataclass(frozen=True)
class Predictions:
    """What a model said about some rows.

    Parameters
    ----------
    rows : int64 array [n]
        Item numbers.
    outputs : float64 array [n, K] or [n]
        Probabilities, or scores where `probable` is False, of K classes or labels; or numbers, of
        one target or K.
    probable : bool
        The outputs of a classifier are probabilities.
    """

    rows: NDArray[np.int64]
    outputs: Float64Array
    probable: bool = True

    def score(self, y: NDArray[Any], task: Task, groups: NDArray[np.int64] | None = None) -> Scores:
        """Measure them against the targets of all items: class numbers, numbers or labels."""
        truth, groups = y[self.rows], None if groups is None else groups[self.rows]
        if task == "regression":
            return regression_metrics(truth, self.outputs, groups=groups)
        if task == "multilabel":
            return multilabel_metrics(truth, self.outputs, probable=self.probable, groups=groups)
        measure = classification_metrics if self.probable else score_metrics
        return measure(truth, self.outputs, groups=groups)

    def chosen(self, task: Task) -> NDArray[Any]:
        """Return class numbers, the numbers themselves, or which labels are predicted."""
        if task == "multilabel":
            return decide(self.outputs, probable=self.probable)
        return self.outputs if task == "regression" else self.outputs.argmax(axis=1)


def pool(parts: list[Predictions]) -> Predictions:
    """Join the predictions of all folds."""
    return Predictions(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.outputs for part in parts]),
        parts[0].probable,
    )


def majority(
    y: NDArray[Any], train: NDArray[np.int64], rows: NDArray[np.int64], task: Task, n_classes: int
) -> Predictions:
    """Predict the training part's class or label shares, or its means, for every row."""
    if task == "regression":
        mean = np.nanmean(y[train], axis=0)
        return Predictions(rows, np.repeat(mean[None], len(rows), axis=0))
    if task == "multilabel":
        n_known = (~np.isnan(y[train])).sum(axis=0)
        share = np.nansum(y[train], axis=0) / np.maximum(n_known, 1)
    else:
        share = np.bincount(y[train], minlength=n_classes) / len(train)
    return Predictions(rows, np.tile(share, (len(rows), 1)))


def align(
    outputs: Float64Array, present: NDArray[np.int64], n_classes: int, fill: float
) -> Float64Array:
    """Spread a model's columns over all classes; those that it never saw get `fill`."""
    if outputs.ndim == 1:  # two classes, one score
        outputs = np.column_stack([-outputs, outputs])
    full = np.full((len(outputs), n_classes), fill)
    full[:, present] = outputs
    return full


def compare(
    y: NDArray[Any],
    network: Predictions,
    baseline: Predictions,
    task: Task,
    groups: NDArray[np.int64] | None = None,
) -> Interval:
    """Return the network's main metric less the baseline's on the same rows."""
    truth, chosen = y[network.rows], (network.chosen(task), baseline.chosen(task))
    groups = None if groups is None else groups[network.rows]
    if task == "multilabel":
        return macro_f1_difference(truth, *chosen, groups=groups)
    difference = rmse_difference if task == "regression" else paired_difference
    return difference(truth, *chosen, groups=groups)


def verdict(difference: Interval, task: Task, baseline: str, n: int, network: str = "CNN") -> str:
    """Say in plain words which model is ahead on `n` rows, and by how much.

    Examples
    --------
    >>> verdict(Interval(0.125, 0.05, 0.2), "classification", "MFCC + SVM", 72)
    'The CNN is ahead of MFCC + SVM by 12.5 points of accuracy [5.0, 20.0] on 72 test items.'
    """
    lead = opposite(difference) if task == "regression" else difference
    cnn_leads = lead.value > 0
    if not cnn_leads:
        lead = opposite(lead)
    size = size_of(lead, task)
    tested = f"{n:,} test {'item' if n == 1 else 'items'}"
    if lead.low > 0 and cnn_leads:
        return f"The {network} is ahead of {baseline} by {size} on {tested}."
    if lead.low > 0:
        return (
            f"{baseline} is ahead of the {network} by {size} on {tested}: "
            f"use it, or give the {network} more data."
        )
    undecided = f"{tested} can't tell the {network} from {baseline}."
    if lead.value == 0:
        return f"The {network} and {baseline} score the same: {undecided}"
    leader = f"The {network}" if cnn_leads else baseline
    return f"{leader} does better by {size}, but the interval holds 0: {undecided}"


def size_of(difference: Interval, task: Task) -> str:
    """Write a difference of the main metric with its interval.

    Examples
    --------
    >>> size_of(Interval(0.125, 0.05, 0.2), "classification")
    '12.5 points of accuracy [5.0, 20.0]'
    """
    if task == "regression":
        return f"{difference.value:.3g} of RMSE [{difference.low:.3g}, {difference.high:.3g}]"
    metric = "macro F1" if task == "multilabel" else "accuracy"
    shares = (difference.value, difference.low, difference.high)
    points = [f"{100 * share:.1f}" for share in shares]
    return f"{points[0]} points of {metric} [{points[1]}, {points[2]}]"


def opposite(difference: Interval) -> Interval:
    """Return the difference as seen from the other model."""
    # 0 - x, since -x makes 0 a minus 0.
    return Interval(0 - difference.value, 0 - difference.high, 0 - difference.low)
