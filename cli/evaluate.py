"""`cnnkit evaluate`: a saved model's scores on labelled items that it hasn't seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnkit.cli.options import device_option, json_option, source_options

if TYPE_CHECKING:
    from cnnkit.adapters.row_columns import RowColumns


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@source_options
@device_option
@json_option
def evaluate(
    model: Path,
    data: Path,
    item: str | None,
    target: str | None,
    encoding: str | None,
    device: str,
    as_json: bool,
) -> None:
    """Score MODEL on DATA: every metric with its 95 % interval.

    DATA is a table (CSV, TSV, JSON, JSON Lines, Parquet, SDF, fastText's format) with the columns
    that the model was trained on, or a folder with one folder of files or documents for each class.

    Items that the model was trained on are left out, and counted.
    """
    import json

    from cnnkit.cnncore.model_folder import load

    found = score_model(load(model, device=device), model, data, item, target, encoding)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found["rejects"]:
        click.echo(f"{row['place']}: {row['reason']}", err=True)
    doubtful = found["warnings"]
    for row in doubtful[:MOST_SHOWN]:
        click.echo(f"{row['place']}: {row['reason']}", err=True)
    if doubtful[MOST_SHOWN:]:
        more = f"… and {len(doubtful) - MOST_SHOWN:,} more such warnings; --json lists them all"
        click.echo(more, err=True)
    counts = ", ".join(
        f"{found[key]:,} {key.replace('_', ' ')}" for key in COUNTS if found[key] is not None
    )
    click.echo(f"{data}: {counts}\n")
    if found["seen_in_training"] is None:
        click.echo(
            "  The model doesn't list its training items, or these lack columns of them: "
            "some may be among these.\n"
        )
    if found["unknown_classes"]:
        click.echo(f"  {name_unknown(found['unknown_classes'])}\n")
    for metric, score in found["scores"].items():
        click.echo(f"  {metric:<20}{score['text']}")
    if "labels" in found or "targets" in found:
        from cnnkit.cli.fit_print import Printer

        Printer(silent=False).one_by_one(found)


MOST_SHOWN = 5
COUNTS = ("scored", "rejected", "seen_in_training", "of_unknown_classes")


def score_model(
    model: Any, folder: Path, data: Path, item: str | None, target: str | None, encoding: str | None
) -> dict[str, Any]:
    """Return counts and scores of a model on a labelled source.

    Raises
    ------
    ValueError
        If the source can't be read, or no item is left to score.
    """
    import numpy as np

    from cnnkit.adapters.sources import load_dataset
    from cnnkit.cli.trained_columns import trained_columns
    from cnnkit.cnncore.results import one_by_one
    from cnnkit.cnncore.scores import Predictions, Task

    adapter = model.adapter
    if adapter is None:
        raise ValueError("this model was trained on arrays: load it with cnnkit.load in Python")
    classes = getattr(model, "classes_", None)
    task: Task = "regression" if classes is None else "classification"
    if classes is not None and model.multilabel_:
        task = "multilabel"
    names = (model.target_names_ if classes is None else classes).astype(str).tolist()
    several = task == "multilabel" or (task == "regression" and len(names) > 1)
    row_columns = adapter.row_columns()
    learnt = trained_columns(folder, adapter)
    if target is None and not data.is_dir():
        target = learnt.target
    in_columns = target != learnt.target and "," in (target or "")  # a column for each label
    dataset = load_dataset(
        data,
        item=item,
        target=target,
        task=task,
        item_names=learnt.item_names(adapter),
        items_are_files=adapter.items_are_files,
        items_are_texts=adapter.items_are_texts,
        looks_like_item=adapter.looks_like_item,
        row_columns=row_columns,
        keep_empty=True,
        min_classes=1,
        separator=None if in_columns else learnt.separator,
        labels=names if several else None,
        encoding=encoding,
    )
    named = adapter.items_are_files or adapter.items_are_texts  # by usual names alone
    if not named or several:  # say what was looked at, and left out
        click.echo("\n".join(dataset.decided), err=True)
    listed = folder / "training_items.txt"  # models that Python code saved have none
    can_tell = listed.exists() and has_all(dataset.items[0], row_columns)
    seen_before = set(listed.read_text(encoding="utf-8").splitlines()) if can_tell else set()
    digests = adapter.fingerprints(dataset.items)
    seen = np.array([digest in seen_before for digest in digests])
    samples = adapter.read(dataset.items)
    targets = np.asarray(dataset.targets)[samples.items]
    known = np.ones(len(targets), bool)
    if task == "classification":
        known = np.isin(targets.astype(str), names)
    usable = ~seen[samples.items] & known
    if not usable.any():
        raise ValueError(
            f"{data}: no item is left to score: of {len(dataset):,}, {seen.sum():,} were in the "
            f"training set, {len(dataset) - len(samples):,} can't be read and {(~known).sum():,} "
            "are of classes that the model doesn't know"
        )
    kept = samples[np.flatnonzero(usable)]
    outputs = model.predict(kept) if task == "regression" else model.probabilities(kept)
    y = targets[usable]
    if task == "classification":
        number = {name: index for index, name in enumerate(names)}
        y = np.array([number[label] for label in y.astype(str)])
    scores = Predictions(np.arange(len(kept)), outputs).score(y, task)
    labels = one_by_one(y, outputs, dataset.labels, task) if dataset.labels else {}
    rejects = [(dataset.source_rows[found.item][0], found) for found in dataset.problems]
    rejects += [(dataset.places[found.item], found) for found in samples.problems if found.rejected]
    scored = set(kept.items.tolist())
    doubtful = [found for found in samples.problems if found.item in scored]
    strange = samples.items[~known].tolist()
    return {
        "scored": len(kept),
        "rejected": len(rejects),
        "seen_in_training": int(seen.sum()) if can_tell else None,
        "of_unknown_classes": int((~known).sum()),
        "scores": {
            metric: {**score.to_dict(), "text": str(score)} for metric, score in scores.items()
        },
        **labels,
        "rejects": [{"place": place, "reason": found.reason} for place, found in rejects],
        "warnings": [
            {"place": dataset.places[found.item], "reason": found.reason} for found in doubtful
        ],
        "unknown_classes": [
            {"place": dataset.places[item], "class": str(np.asarray(dataset.targets)[item])}
            for item in strange
        ],
    }


def name_unknown(rows: list[dict[str, str]]) -> str:
    """Name the first items of classes that the model doesn't know.

    Examples
    --------
    >>> name_unknown([{"place": "new.csv:4", "class": "meh"}])
    "Of unknown classes, left out: 'meh' (new.csv:4)"
    """
    shown = ", ".join(f"{row['class']!r} ({row['place']})" for row in rows[:MOST_SHOWN])
    more = f", … and {len(rows) - MOST_SHOWN:,} more" if rows[MOST_SHOWN:] else ""
    return f"Of unknown classes, left out: {shown}{more}"


def has_all(item: Any, row_columns: RowColumns | None) -> bool:
    """Tell whether an item has all columns of a training row, without which it isn't recognised."""
    return row_columns is None or set(row_columns.known or ()) <= set(item)
