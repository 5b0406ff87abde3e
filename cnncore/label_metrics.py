"""How good predictions of several labels for each row are: all together, and label by label.

A cell (row, label) whose truth isn't known is NaN, and counts nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnkit.cnncore.bootstrap import Interval, bootstrap
from cnnkit.cnncore.calibration import Family, FloatArray
from cnnkit.cnncore.metrics import mean_ratio, ranking

BoolArray = NDArray[np.bool_]


def multilabel_metrics(
    y: ArrayLike,
    outputs: ArrayLike,
    *,
    probable: bool = True,
    seed: int = 0,
    resamples: int = 1000,
    groups: ArrayLike | None = None,
) -> dict[str, Interval]:
    """Measure what was predicted of several labels against those that are known.

    Parameters
    ----------
    y : float array [N, K]
        1 where a row has the label, 0 where not, NaN where that isn't known.
    outputs : float array [N, K]
        Probabilities, each for itself.
    probable : bool
        False: the outputs are scores, above 0 for a label that the row has.
    seed, resamples, groups
        As for `classification_metrics`.

    Returns
    -------
    dict of str to Interval
        macro_f1 (mean over the labels that are true or predicted somewhere) and micro_f1 (of all
        cells together), 0 where no label is; roc_auc and average_precision (mean over the labels
        with both values); of probabilities also log_loss in nats and brier, means over the known
        cells. What is undefined on these rows is left out.

    Raises
    ------
    ValueError
        If shapes differ, or a value isn't one of the above.

    Examples
    --------
    >>> y = [[1, 0], [0, np.nan], [1, 1], [0, 0]]
    >>> found = multilabel_metrics(y, [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0, 0]])
    >>> found["macro_f1"].value, found["roc_auc"].value
    (0.5, 1.0)
    """
    truth, said = np.asarray(y, np.float64), np.asarray(outputs, np.float64)
    _check(truth, said, probable=probable)
    families = [label_decisions(truth, decide(said, probable=probable)), _rankings(truth, said)]
    if probable:
        families.append(label_losses(truth, said))
    return bootstrap(tuple(families), len(truth), seed, resamples, groups)


def macro_f1_difference(
    y: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    groups: ArrayLike | None = None,
) -> Interval:
    """Measure how far model `a` is ahead of model `b` on the same rows: macro_f1(a) - macro_f1(b).

    Parameters
    ----------
    y : float array [N, K]
        As for `multilabel_metrics`.
    a, b : bool array [N, K]
        The labels that each model predicts.
    seed, resamples, groups
        As for `classification_metrics`.

    Examples
    --------
    >>> y = [[1, 0], [0, 1]]
    >>> macro_f1_difference(y, [[True, False], [False, True]], [[True, True], [False, False]]).value
    0.5
    """
    truth = np.asarray(y, np.float64)
    first, second = (label_decisions(truth, np.asarray(said, bool)) for said in (a, b))

    def difference(counts: FloatArray) -> dict[str, FloatArray]:
        return {"macro_f1": first(counts)["macro_f1"] - second(counts)["macro_f1"]}

    return bootstrap((difference,), len(truth), seed, resamples, groups)["macro_f1"]


def label_table(
    y: ArrayLike, probabilities: ArrayLike, labels: Sequence[object]
) -> list[dict[str, Any]]:
    """Measure every label for itself, on the rows where it is known.

    Parameters
    ----------
    y, probabilities : float array [N, K]
        As for `multilabel_metrics`.
    labels : sequence [K]
        Their names.

    Returns
    -------
    list of dict [K]
        label; known and positive (numbers of rows); accuracy, balanced_accuracy, f1, roc_auc and
        average_precision, None where these rows leave it undefined (the label has one value only,
        and for f1 nothing is to be found and nothing was).

    Examples
    --------
    >>> row = label_table([[1], [0], [np.nan]], [[0.8], [0.6], [0.1]], ["rock"])[0]
    >>> row["label"], row["known"], row["positive"], row["balanced_accuracy"]
    ('rock', 2, 1, 0.5)
    """
    truth, said = np.asarray(y, np.float64), np.asarray(probabilities, np.float64)
    _check(truth, said, probable=True)
    return [
        {"label": str(label), **_measure_label(truth[:, k], said[:, k])}
        for k, label in enumerate(labels)
    ]


def _measure_label(truth: FloatArray, said: FloatArray) -> dict[str, Any]:
    known = ~np.isnan(truth)
    positive, score = truth[known] == 1, said[known]
    decided = decide(score)
    right, once = decided == positive, np.ones((len(score), 1))
    n_true, n_false, n_said = positive.sum(), (~positive).sum(), decided.sum()
    won, pairs, precision, hits = ranking(positive, score)(once)[:, 0]
    both = n_true > 0 and n_false > 0
    recalls = [right[side].mean() for side in (positive, ~positive)] if both else []
    found = {
        "accuracy": right.mean() if len(right) else None,
        "balanced_accuracy": np.mean(recalls) if both else None,
        "f1": 2 * (positive & decided).sum() / (n_true + n_said) if n_true + n_said else None,
        "roc_auc": won / pairs if both else None,
        "average_precision": precision / hits if both else None,
    }
    scores = {name: None if value is None else float(value) for name, value in found.items()}
    return {"known": len(score), "positive": int(n_true), **scores}


def decide(outputs: FloatArray, *, probable: bool = True) -> BoolArray:
    """Say which labels are predicted, bool [N, K]: probabilities above 0.5, or scores above 0."""
    return outputs > (0.5 if probable else 0.0)


def label_decisions(truth: FloatArray, decided: BoolArray) -> Family:
    """Prepare macro_f1 and micro_f1, to be measured on many resamples at once.

    Parameters
    ----------
    truth : float64 array [N, K]
        0, 1 or NaN.
    decided : bool array [N, K]
    """
    is_true = truth == 1
    is_said = decided & ~np.isnan(truth)
    columns = [cells.T.astype(np.float64) for cells in (is_true, is_said, is_true & is_said)]

    def measure(counts: FloatArray) -> dict[str, FloatArray]:
        true, said, hit = (cells @ counts for cells in columns)
        micro = mean_ratio(2 * hit.sum(axis=0)[None], (true + said).sum(axis=0)[None])
        macro = mean_ratio(2 * hit, true + said)
        # Models are compared by it, so it must always be a number.
        return {"macro_f1": np.nan_to_num(macro), "micro_f1": np.nan_to_num(micro)}

    return measure


def label_losses(truth: FloatArray, probabilities: FloatArray) -> Family:
    """Prepare log_loss and brier, means over the known cells of each resample.

    Parameters
    ----------
    truth, probabilities : float64 arrays [N, K]
    """
    known = ~np.isnan(truth)
    least = np.finfo(np.float64).eps
    of_truth = np.where(truth == 1, probabilities, 1 - probabilities)
    cells = {"log_loss": -np.log(np.maximum(of_truth, least)), "brier": (1 - of_truth) ** 2}
    rows = {name: np.where(known, cell, 0.0).sum(axis=1) for name, cell in cells.items()}
    n_known = known.sum(axis=1).astype(np.float64)

    def measure(counts: FloatArray) -> dict[str, FloatArray]:
        total = (n_known @ counts)[None]
        return {name: mean_ratio((row @ counts)[None], total) for name, row in rows.items()}

    return measure


def _rankings(truth: FloatArray, outputs: FloatArray) -> Family:
    """roc_auc and average_precision, each the mean over the labels with both values."""
    columns = []
    for label, score in zip(truth.T, outputs.T, strict=True):
        known = ~np.isnan(label)
        columns.append((known, ranking(label[known] == 1, score[known])))

    def measure(counts: FloatArray) -> dict[str, FloatArray]:
        measured = [column(counts[known]) for known, column in columns]
        won, pairs, precision, hits = np.stack(measured, axis=1)
        return {
            "roc_auc": mean_ratio(won, pairs),
            "average_precision": mean_ratio(precision, hits * (pairs > 0)),
        }

    return measure


def _check(truth: FloatArray, outputs: FloatArray, *, probable: bool) -> None:
    """Refuse what isn't 0, 1 or NaN, no probability or score, or of another shape."""
    problems = []
    if truth.ndim != 2 or truth.shape != outputs.shape or not truth.size:
        shapes = f"`y` of shape {truth.shape} and outputs of shape {outputs.shape}"
        problems.append(f"{shapes}: expected [N, K] for both, with at least one row")
    wrong = truth[~(np.isnan(truth) | np.isin(truth, (0, 1)))]
    if wrong.size:
        problems.append(f"`y` holds {wrong[0]:g}: expected 0, 1 or NaN (not known)")
    low, high = (0.0, 1.0) if probable else (-np.inf, np.inf)
    bad = outputs[~((outputs >= low) & (outputs <= high) & np.isfinite(outputs))]
    if bad.size:
        kind = "probabilities from 0 to 1" if probable else "finite scores"
        problems.append(f"the outputs hold {bad[0]:g}: expected {kind}")
    if problems:
        raise ValueError("; ".join(problems))
