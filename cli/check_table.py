"""`cnnkit check-table`: does a table lose anything when its columns change places?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from cnnkit.cli.options import device_option, json_option, seed_option


class Shape(click.ParamType[tuple[int, int]]):
    """An image such as 8x8: rows, then columns."""

    name = "shape"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"\s*([1-9]\d*)\s*[x×]\s*([1-9]\d*)\s*", value.lower())
        if match is None:
            self.fail(f"{value!r}: expected rows x columns, such as 8x8", param, ctx)
        return int(match[1]), int(match[2])


@click.command("check-table")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--target",
    metavar="COL",
    help="Column that is to be predicted.  [default: one called target, label, class, y, outcome, "
    "…, else the last]",
)
@click.option(
    "--task",
    type=click.Choice(["auto", "classification", "regression"]),
    default="auto",
    show_default=True,
    help="What the target is.",
)
@click.option(
    "--columns",
    metavar="A:B",
    help="Test only the columns from A to B: names, or numbers from 1.",
)
@click.option(
    "--shape",
    type=Shape(),
    metavar="HxW",
    help="The columns are an image of H rows and W columns, row by row.",
)
@click.option(
    "--group",
    metavar="COL",
    help="Rows of the same group, such as a patient, belong together: they are never torn apart.",
)
@click.option("--time", metavar="COL", help="Numbers or dates: test on rows of another time.")
@click.option("--rows", is_flag=True, help="Experimental: does the order of the rows matter too?")
@click.option(
    "--permutations",
    type=click.IntRange(19),
    default=199,
    show_default=True,
    help="Most random orders to compare with.",
)
@click.option("--folds", type=click.IntRange(2), default=3, show_default=True)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of the error below which an order is worth nothing.",
)
@click.option(
    "--engine",
    type=click.Choice(["random", "cnn"]),
    default="random",
    show_default=True,
    help="What the p-value rests on: random convolutions (quick), or trained networks.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Leave the trained networks out where they would take more seconds.",
)
@click.option(
    "--max-rows",
    type=click.IntRange(20),
    default=2000,
    show_default=True,
    help="Of more rows, so many are drawn.",
)
@click.option("--scoring", metavar="NAME", help="What the models' scores are, such as roc_auc.")
@click.option("--encoding", metavar="NAME", help="Encoding of the table, such as latin-1.")
@device_option
@seed_option
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Write a page with pictures, all scores and all columns.",
)
@click.option("--overwrite", is_flag=True, help="Replace the file in --report.")
@json_option
def check_table(**options: Any) -> None:
    """Test whether a convolutional network can use the order of a table's columns.

    DATA is a CSV, TSV or Parquet table with a row for each case and a column to be predicted.
    Answered is the question behind this rule of thumb:

    "If your data is just as useful after swapping any of your columns with each other, then you
    can't use Convolutional Neural Networks." (Brandon Rohrer, "How Convolutional Neural Networks
    Work")

    The columns are put in random orders, and the same models try to predict the target from each.
    The outcome is a verdict (order matters, order does not matter, or inconclusive), and the
    advice which model to use.

    \b
    cnnkit check-table customers.csv
    cnnkit check-table churn.csv --target churned --report churn.html
    cnnkit check-table digits.csv --shape 8x8 --columns pixel_0_0:pixel_7_7
    cnnkit check-table sensors.csv --time timestamp --rows
    """
    from cnnkit.cli.check_table_run import CheckOptions, run

    run(CheckOptions(**options))
