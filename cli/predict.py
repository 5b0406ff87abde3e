"""`cnnkit predict`: one row for every input row, in order."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnkit.cli.options import ENCODING, check_output, device_option, json_option

if TYPE_CHECKING:
    import pandas as pd

    from cnnkit.adapters.dataset import Dataset


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--item", metavar="COL", help="Column of the table that holds the items.")
@click.option("--encoding", metavar="NAME", help=ENCODING)
@click.option("--out", type=click.Path(path_type=Path), help="Write a CSV file, not stdout.")
@click.option("--overwrite", is_flag=True, help="Replace the file in --out.")
@device_option
@json_option
def predict(
    model: Path,
    data: Path,
    item: str | None,
    encoding: str | None,
    out: Path | None,
    overwrite: bool,
    device: str,
    as_json: bool,
) -> None:
    """Predict every item in DATA.

    DATA is a file or document, a folder of them, a table (CSV, TSV, JSON, JSON Lines, Parquet,
    SDF, SMILES, fastText's format), or - for lines from stdin.

    The output has one row for every input row: the item, the prediction (several labels: joined
    as in the training data, else by ";"; several numbers: a column each), a probability for each
    class or label, a status (ok, warning or rejected) and the reason. Of an SDF or SMILES file it
    repeats titles and properties.
    """
    import json

    from cnnkit.cnncore.model_folder import load

    if out is not None:
        check_output(out, overwrite=overwrite)
    frame = predict_rows(load(model, device=device), model, data, item, encoding)
    if as_json:
        records = json.loads(frame.to_json(orient="records", force_ascii=False))
        click.echo(json.dumps({"predictions": records}, ensure_ascii=False))
    elif out is None:
        click.echo(as_csv(frame), nl=False)
    if out is not None:
        out.write_text(as_csv(frame), encoding="utf-8", newline="")
        counts = ", ".join(
            f"{n:,} {status}" for status, n in frame["status"].value_counts().items()
        )
        click.echo(f"{out}: {len(frame):,} rows ({counts})", err=True)


def predict_rows(
    model: Any, folder: Path, data: Path, item: str | None, encoding: str | None
) -> pd.DataFrame:
    """Return a table with one row for every row of the source, in its order.

    Raises
    ------
    SourceError
        If the source can't be read.
    ValueError
        If the model was trained on arrays.
    """
    import pandas as pd

    from cnnkit.adapters.folders import printable
    from cnnkit.cli.trained_columns import trained_columns

    adapter = model.adapter
    if adapter is None:
        raise ValueError("this model was trained on arrays: load it with cnnkit.load in Python")
    learnt = trained_columns(folder, adapter)
    dataset = find_items(adapter, data, item, learnt.item_names(adapter), encoding)
    if not adapter.items_are_files:  # say what was looked at
        click.echo("\n".join(dataset.decided), err=True)
    samples = adapter.read(dataset.items)
    columns = prediction_columns(model, samples, learnt.separator or ";")
    values = [printable(value) for _, value in dataset.source_rows]
    others = repeated_columns(dataset, {"item", *columns, "status", "reason"})
    frame = pd.DataFrame({"item": values, **others})
    rows = dataset.rows[samples.items]
    for name, column in columns.items():
        frame[name] = pd.Series(column, index=rows)
    frame["status"] = pd.Series("ok", index=frame.index)
    reasons: dict[int, list[str]] = {}
    for row, (_, value) in enumerate(dataset.source_rows):
        if printable(value) != value:
            frame.loc[row, "status"] = "warning"
            reasons[row] = ["lone surrogates, which no file can hold, are written as escapes"]
    read_problems = [(int(dataset.rows[found.item]), found) for found in samples.problems]
    for row, problem in [*((found.item, found) for found in dataset.problems), *read_problems]:
        frame.loc[row, "status"] = "rejected" if problem.rejected else "warning"
        reasons.setdefault(row, []).append(problem.reason)
    frame["reason"] = pd.Series(
        {row: "; ".join(texts) for row, texts in reasons.items()}, dtype=str
    )
    frame["reason"] = frame["reason"].reindex(frame.index).fillna("")
    return frame


def repeated_columns(dataset: Dataset, taken: set[str]) -> dict[str, list[str]]:
    """Return what the source tells of each row, by a name that no column of the output has."""
    from cnnkit.adapters.folders import printable

    found: dict[str, list[str]] = {}
    for column, values in () if dataset.beside is None else dataset.beside.items():
        name = str(column)
        while name in taken or name in found:
            name = f"source {name}"
        found[name] = [printable(value) for value in values]
    return found


def find_items(
    adapter: Any, data: Path, item: str | None, item_names: tuple[str, ...], encoding: str | None
) -> Dataset:
    """Return the items of a source, or the lines of stdin where it is called "-".

    Without the column `item` it is the first that has one of the `item_names`.

    Raises
    ------
    SourceError
        If the source can't be read.
    ValueError
        If the adapter's items are no lines.
    """
    from cnnkit.adapters.lines import load_lines
    from cnnkit.adapters.sources import load_dataset

    if data != Path("-"):
        return load_dataset(
            data,
            item=item,
            item_names=item_names,
            items_are_files=adapter.items_are_files,
            items_are_texts=adapter.items_are_texts,
            looks_like_item=adapter.looks_like_item,
            row_columns=adapter.row_columns(),
            need_target=False,
            keep_empty=True,
            encoding=encoding,
        )
    if item is not None or adapter.row_columns() is not None:
        raise ValueError(
            "stdin is read as lines, each of which is an item; a table with columns must be a "
            "file: save it as CSV and name that"
        )
    raw = sys.stdin.buffer.read()
    return load_lines(raw, "stdin", items_are_files=adapter.items_are_files, encoding=encoding)


def as_csv(frame: pd.DataFrame) -> str:
    r"""Write a table as CSV, from which every text is read back as it was.

    The csv module quotes \n, but not \r, which is read as the end of a line too.
    """
    if any("\r" in item for item in frame["item"]):
        return frame.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    return frame.to_csv(index=False)


def prediction_columns(model: Any, samples: Any, separator: str) -> dict[str, Any]:
    """Return the columns of the output by name: prediction and probabilities, or numbers."""
    from cnnkit.cnncore.label_metrics import decide

    if not hasattr(model, "classes_"):
        numbers = model.predict(samples)
        if numbers.ndim == 1:
            return {"prediction": numbers}
        names = [f"prediction({name})" for name in model.target_names_]
        return dict(zip(names, numbers.T, strict=True))
    probabilities = model.probabilities(samples)
    if model.multilabel_:
        names = model.classes_.astype(str)
        said = [separator.join(names[chosen]) for chosen in decide(probabilities)]
    else:
        said = model.classes_[probabilities.argmax(axis=1)]
    return {
        "prediction": said,
        **{
            f"p({label})": column
            for label, column in zip(model.classes_, probabilities.T, strict=True)
        },
    }
