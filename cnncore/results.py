"""metrics.json: every score with its interval and the split that it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.experiment import Experiment, Fitted
from cnnkit.cnncore.label_metrics import label_table
from cnnkit.cnncore.metrics import main_metric
from cnnkit.cnncore.number_metrics import target_table
from cnnkit.cnncore.objective import Float64Array
from cnnkit.cnncore.scores import Predictions, Scores, Task, compare, pool

MODELS = ("majority", "baseline", "cnn")
STANDARDISED = (
    "These are in each target's own unit. Over all targets, rmse and mae are means of such errors,",
    "each divided by its target's standard deviation on the scored rows: about 1 for the mean.",
)


def by_model(fitted: Fitted) -> dict[str, dict[str, Predictions]]:
    """Return the predictions of the three models, by model and part."""
    return {"majority": fitted.majority, "baseline": fitted.baseline, "cnn": fitted.network}


def score_parts(
    experiment: Experiment, fitted: Fitted, groups: NDArray[np.int64] | None = None
) -> dict[str, dict[str, Scores]]:
    """Measure every model on every held-out part: {model: {part: {metric: Interval}}}."""
    return {
        model: {
            part: said.score(experiment.y, experiment.task, groups) for part, said in parts.items()
        }
        for model, parts in by_model(fitted).items()
    }


def pool_folds(fits: Sequence[Fitted]) -> Fitted:
    """Join all folds' test predictions, as if they were one test part."""
    pooled = Fitted(model=None)
    for model, parts in by_model(pooled).items():
        said = [by_model(fitted)[model] for fitted in fits]
        if all("test" in one for one in said):
            parts["test"] = pool([one["test"] for one in said])
    return pooled


def fold_table(experiment: Experiment, fits: Mapping[str, Fitted]) -> dict[str, Any]:
    """Return each fold's scores by name, and their mean and standard deviation over the folds."""
    folds: list[dict[str, Any]] = []
    for name, fitted in fits.items():
        fold: dict[str, Any] = {
            "name": name,
            "n": len(fitted.network["test"].rows),
            "fit_cpu_seconds": round(fitted.cpu_seconds, 2),
        }
        for model, parts in by_model(fitted).items():
            if model != "majority" and "test" in parts:
                scores = parts["test"].score(experiment.y, experiment.task)
                fold[model] = {metric: score.value for metric, score in scores.items()}
        folds.append(fold)
    table: dict[str, Any] = {"folds": folds}
    for model in ("cnn", "baseline"):
        if all(model in fold for fold in folds):
            table[model] = over_folds([fold[model] for fold in folds])
    return table


def over_folds(scores: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean and standard deviation of each metric that every fold has."""
    common = [metric for metric in scores[0] if all(metric in fold for fold in scores)]
    values = {metric: [fold[metric] for fold in scores] for metric in common}
    return {
        metric: {"mean": float(np.mean(v)), "sd": float(np.std(v, ddof=1)) if len(v) > 1 else 0.0}
        for metric, v in values.items()
    }


def calibration(experiment: Experiment, fitted: Fitted) -> dict[str, float] | None:
    """Return the temperature, and the validation part's ECE before and after it."""
    if fitted.uncalibrated is None:
        return None
    before = fitted.uncalibrated.score(experiment.y, experiment.task)
    after = fitted.network["val"].score(experiment.y, experiment.task)
    return {
        "temperature": fitted.model.temperature_,
        "ece_before": before["ece"].value,
        "ece_after": after["ece"].value,
    }


def label_scores(
    experiment: Experiment, fitted: Fitted, groups: NDArray[np.int64] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Return how well the network does on each label, or target, of what is held out: of test."""
    part = next((part for part in ("test", "val") if part in fitted.network), None)
    if experiment.labels is None or part is None:
        return {}
    said = fitted.network[part]
    groups = None if groups is None else groups[said.rows]
    truth = experiment.y[said.rows]
    return one_by_one(truth, said.outputs, experiment.labels, experiment.task, groups)


def one_by_one(
    y: Float64Array,
    outputs: Float64Array,
    names: Sequence[str],
    task: Task,
    groups: NDArray[np.int64] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Return the scores of "labels" each for itself, or of "targets", as JSON holds them.

    Parameters
    ----------
    y, outputs : float64 array [N, K]
        Truth, with NaN where it isn't known, and probabilities or numbers.
    names : sequence of str [K]
    task : "multilabel" or "regression"
    groups : int64 array [N] or None
        Rows that the bootstrap draws together.
    """
    if task == "multilabel":
        return {"labels": label_table(y, outputs, names)}
    rows = target_table(y, outputs, names, groups=groups)
    return {
        "targets": [
            {name: cell.to_dict() if isinstance(cell, Interval) else cell for name, cell in row}
            for row in (row.items() for row in rows)
        ]
    }


def write_score(value: str | float | dict[str, float] | None) -> str:
    """Write a cell of `one_by_one`.

    Examples
    --------
    >>> [write_score(cell) for cell in ("logS", 1200, 0.25, None)]
    ['logS', '1,200', '0.250', '–']
    >>> write_score({"value": 0.5, "low": 0.4, "high": 0.6})
    '0.500 [0.400, 0.600]'
    """
    match value:
        case None:
            return "–"
        case dict():
            return str(Interval(**value))
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.3f}"
        case _:
            return value


def ahead(
    experiment: Experiment, fitted: Fitted, groups: NDArray[np.int64] | None = None
) -> Interval | None:
    """Return how far the network is ahead of the baseline on test, or None without both."""
    if "test" not in fitted.baseline or "test" not in fitted.network:
        return None
    network, baseline = fitted.network["test"], fitted.baseline["test"]
    return compare(experiment.y, network, baseline, experiment.task, groups)


def metrics_json(
    experiment: Experiment, scores: dict[str, dict[str, Scores]], baseline_name: str
) -> dict[str, Any]:
    """Return the part of metrics.json that holds the scores."""
    content: dict[str, Any] = {"task": experiment.task, "metric": main_metric(experiment.task)}
    for model in MODELS:
        if model == "baseline" and not experiment.with_baseline:
            continue
        parts = scores[model]
        content[model] = {
            part: {metric: score.to_dict() for metric, score in parts[part].items()}
            for part in parts
        }
    if experiment.with_baseline:
        content["baseline"]["name"] = baseline_name
    return content
