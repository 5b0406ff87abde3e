"""What stays beside a model for people: a model card, and a report that opens offline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from cnnkit.cnncore import figures
from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.experiment import Experiment, Fitted
from cnnkit.cnncore.model_folder import versions
from cnnkit.cnncore.objective import Float64Array
from cnnkit.cnncore.results import STANDARDISED, write_score
from cnnkit.cnncore.scores import Predictions

TEMPLATES = Path(__file__).parent / "templates"
MOST_CLASSES = 30  # a larger confusion matrix can't be read
MOST_MISTAKES = 12
MOST_TARGETS = 12


def model_card(model: Any, name: str, titles: dict[str, str], metrics: dict[str, Any]) -> str:
    """Write the model's README.md.

    Parameters
    ----------
    model : CNNClassifier or CNNRegressor
        Fitted.
    name : str
        Of the data.
    titles : dict
        What "majority", "baseline" and "cnn" are called.
    metrics : dict
        The content of metrics.json.
    """
    return render("model_card.md", model, name, titles, metrics)


def report(
    model: Any,
    name: str,
    titles: dict[str, str],
    metrics: dict[str, Any],
    *,
    experiment: Experiment,
    shown: Fitted,
    places: Sequence[str],
) -> str:
    """Write one self-contained HTML page: scores, curves, confusion, calibration, mistakes.

    Parameters
    ----------
    model, name, titles, metrics
        As for `model_card`.
    experiment : Experiment
    shown : Fitted
        Whose test predictions are drawn.
    places : sequence of str [N]
        Where each item was found.
    """
    pictures = [("Learning curve", figures.learning_curve(model.history_))]
    part = next((part for part in ("test", "val") if part in shown.network), "")
    mistakes: list[dict[str, str]] = []
    if part:
        said = shown.network[part]
        truth = experiment.y[said.rows]
        if experiment.task == "regression":
            pictures += scatters(truth, said.outputs, experiment.labels)
        elif experiment.classes is not None:
            labels = [str(label) for label in experiment.classes]
            if len(labels) <= MOST_CLASSES:
                picture = figures.confusion(truth, said.outputs.argmax(axis=1), labels)
                pictures.append(("Confusion matrix", picture))
            pictures.append(("Calibration", figures.reliability(truth, said.outputs)))
            mistakes = worst_mistakes(said, truth, labels, places)
    return render(
        "report.html",
        model,
        name,
        titles,
        metrics,
        part=part,
        pictures=pictures,
        mistakes=mistakes,
        one_by_one=metrics.get("labels", metrics.get("targets")),
        write=write_score,
        standardised=" ".join(STANDARDISED),
        dump=json.dumps(metrics, indent=1, ensure_ascii=False),
    )


def render(
    template: str,
    model: Any,
    name: str,
    titles: dict[str, str],
    metrics: dict[str, Any],
    **more: Any,
) -> str:
    """Fill in a template; HTML is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    metric = metrics["metric"]
    scores = {
        kind: {
            part: str(Interval(**metrics[kind][part][metric]))
            for part in ("val", "test")
            if part in metrics[kind]
        }
        for kind in titles
        if kind in metrics
    }
    return environment.get_template(template).render(
        name=name,
        network=model.network_,
        versions=versions(),
        parts=list(scores["cnn"]),
        titles={kind: title for kind, title in titles.items() if scores.get(kind)},
        scores=scores,
        metrics=metrics,
        **more,
    )


def scatters(
    truth: Float64Array, said: Float64Array, names: Sequence[str] | None
) -> list[tuple[str, Markup]]:
    """Draw predicted against true numbers, of several targets each where it is known."""
    title = "Predicted against true"
    if names is None:
        return [(title, figures.scatter(truth, said))]
    known = ~np.isnan(truth.T)
    return [
        (f"{title}: {name}", figures.scatter(truth[rows, target], said[rows, target]))
        for target, (name, rows) in enumerate(zip(names, known, strict=True))
        if target < MOST_TARGETS and rows.any()
    ]


def worst_mistakes(
    said: Predictions, truth: NDArray[np.int64], labels: Sequence[str], places: Sequence[str]
) -> list[dict[str, str]]:
    """List the wrong predictions with the highest probabilities, worst first."""
    chosen = said.outputs.argmax(axis=1)
    sure = said.outputs.max(axis=1)
    wrong = np.flatnonzero(chosen != truth)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST_MISTAKES]
    return [
        {
            "place": places[said.rows[i]],
            "truth": labels[truth[i]],
            "said": labels[chosen[i]],
            "probability": f"{sure[i]:.2f}",
        }
        for i in worst
    ]
