"""`cnnkit fit`: from items to a trained, evaluated, saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cnnkit.cli.options import (
    Percentage,
    adapter_options,
    device_option,
    json_option,
    seed_option,
    source_options,
    written_options,
)


@click.command()
@click.argument("data", required=False, type=click.Path(path_type=Path))
@adapter_options
@source_options
@click.option(
    "--task",
    type=click.Choice(["auto", "classification", "regression", "multilabel"]),
    default="auto",
    show_default=True,
    help="Auto: numbers with decimals, or with over 20 different values, are a regression, also "
    "in several columns. Multilabel: any number of labels for each item, in one column or a column "
    "each.",
)
@click.option(
    "--separator",
    metavar="TEXT",
    help="Stands between the labels of a cell, with --task multilabel.  [one of ; | ,]",
)
@click.option(
    "--split",
    default="stratified",
    show_default=True,
    help="stratified, random, group:COL (whole groups on one side) or column:COL (the column "
    "says train, validation or test); molecules also: scaffold (whole scaffolds on one side, the "
    "rare ones tested) or scaffold-balanced (drawn by --seed).",
)
@click.option("--val", type=Percentage(), help="Share held out to choose the best epoch.  [15%]")
@click.option("--test", type=Percentage(), default="15%", show_default=True, help="Share held out.")
@click.option("--val-data", type=click.Path(path_type=Path), help="Validation items of their own.")
@click.option("--test-data", type=click.Path(path_type=Path), help="Test items of their own.")
@click.option(
    "--cv",
    metavar="N|group:COL|column:COL|scaffold",
    help="Cross-validate: N folds, each group in turn, each value of a column in turn, or 5 folds "
    "of whole scaffolds; then train the final model on everything.",
)
@click.option("--network", help="A preset or a spec; `cnnkit describe` explains them.")
@click.option("--ensemble", type=click.IntRange(1), help="Networks that are trained at once.")
@click.option("--epochs", type=click.IntRange(1), help="Default: by images seen.")
@click.option("--batch-size", type=click.IntRange(1))
@click.option("--lr", type=click.FloatRange(0, min_open=True), help="Peak learning rate.")
@click.option("--mixup", type=click.FloatRange(0), help="Strength of mixup; 0 turns it off.")
@click.option(
    "--class-weight",
    type=click.Choice(["balanced"]),
    help="Weigh rare classes up; this spoils the probabilities.",
)
@device_option
@seed_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the model.")
@click.option("--overwrite", is_flag=True, help="Replace the model in --out.")
@click.option(
    "--max-bad",
    type=Percentage(),
    default="5%",
    show_default=True,
    help="Stop if more items than this can't be read.",
)
@click.option("--strict", is_flag=True, help="Stop at any item that can't be read.")
@click.option(
    "--anyway", is_flag=True, help="Train on a table although the order of its columns is useless."
)
@click.option(
    "--no-ablation",
    is_flag=True,
    help="Where a network has side features, with a single split: don't train it on each half "
    "alone.",
)
@click.option("--no-baseline", is_flag=True, help="Leave out the adapter's baseline.")
@json_option
@click.pass_context
def fit(context: click.Context, /, **options: Any) -> None:
    """Train a network on DATA, score it beside a baseline, and save it.

    DATA is a folder with one folder of files or documents for each class, or a table (CSV, TSV,
    JSON, JSON Lines, Parquet, SDF, fastText's format) with a column of items and a column of
    targets. Without DATA the adapter makes a demo set.

    With --adapter table each row is an item. Whether the order of its columns matters is tested
    first (see `cnnkit check-table`); if it doesn't, nothing is trained without --anyway.
    """
    from cnnkit.cli.fit_options import FitOptions, check_options

    check_options(FitOptions(**options), written_options(context))
    from cnnkit.cli.fit_run import run

    run(FitOptions(**options))
