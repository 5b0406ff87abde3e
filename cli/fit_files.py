"""What `cnnkit fit` writes beside a model: scores, rejects, training items, reports."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cnnkit.adapters.folders import printable
from cnnkit.cli.collect import Collection
from cnnkit.cli.fit_options import FitOptions
from cnnkit.cnncore.experiment import Experiment, Fitted
from cnnkit.cnncore.image import Problem
from cnnkit.cnncore.model_folder import check_free
from cnnkit.cnncore.report import model_card, report

MODELS = Path("cnnkit-models")


def free_folder(options: FitOptions) -> Path:
    """Return the folder for the model: --out, or the next free number below cnnkit-models."""
    folder, number = options.out, 1
    while folder is None or (options.out is None and folder.exists()):
        folder = MODELS / f"{options.adapter_name}-{number}"
        number += 1
    check_free(folder, overwrite=options.overwrite)
    return folder


def list_rejects(data: Collection, problems: Sequence[Problem]) -> list[dict[str, str]]:
    """List the rows that gave no item, and what is wrong with items, as text that can be saved."""
    found = [(place, problem.value, problem) for place, problem in data.unusable]
    for problem in problems:
        value = problem.value if data.values is None else data.values[problem.item]
        found.append((data.places[problem.item], value, problem))
    return [
        {
            "place": printable(place),
            "value": printable(value),
            "status": "rejected" if problem.rejected else "warning",
            "reason": printable(problem.reason),
        }
        for place, value, problem in found
    ]


def lists(
    metrics: dict[str, Any], rejects: Sequence[dict[str, str]], seen: Iterable[str]
) -> dict[str, str]:
    """Write metrics.json, rejects.csv and training_items.txt, the fingerprints `seen`."""
    rows = io.StringIO()
    writer = csv.DictWriter(rows, ["place", "value", "status", "reason"])
    writer.writeheader()
    writer.writerows(rejects)
    return {
        "metrics.json": json.dumps(metrics, indent=2, ensure_ascii=False),
        "rejects.csv": rows.getvalue(),
        "training_items.txt": "".join(f"{fingerprint}\n" for fingerprint in seen),
    }


def reports(
    final: Fitted,
    shown: Fitted,
    data: Collection,
    titles: dict[str, str],
    metrics: dict[str, Any],
    experiment: Experiment,
) -> dict[str, str]:
    """Write what people read: README.md, the model card, and report.html."""
    name = printable(data.name)
    page = report(
        final.model,
        name,
        titles,
        metrics,
        experiment=experiment,
        shown=shown,
        places=[printable(place) for place in data.places],
    )
    return {"README.md": model_card(final.model, name, titles, metrics), "report.html": page}


def about(data: Collection, options: FitOptions) -> dict[str, Any]:
    """Collect what config.json tells of the data and the options."""
    return {
        "data": {
            "name": printable(data.name),
            "items": len(data.items),
            "target": data.target,
            "separator": data.separator,
        },
        "options": {
            name: printable(str(value)) if isinstance(value, Path) else value
            for name, value in asdict(options).items()
        },
    }
