"""What `cnnkit check-table` does: it reads a table, tests it, and tells what it found."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cnnkit.adapters.columns import choose_column, choose_range, usual_target
from cnnkit.adapters.errors import SourceError, listing
from cnnkit.adapters.folders import describe_missing
from cnnkit.adapters.tables import Table, read_table
from cnnkit.cli.options import check_output
from cnnkit.cli.output import Bars, without_nan
from cnnkit.cnncore.swap_test.date_text import read_dates
from cnnkit.cnncore.swap_test.encoding import encode
from cnnkit.cnncore.swap_test.number_text import read_numbers
from cnnkit.cnncore.swap_test.procedure import swap_test
from cnnkit.cnncore.swap_test.report import swap_report
from cnnkit.cnncore.swap_test.result import SwapTestResult
from cnnkit.cnncore.swap_test.row_order import row_order_test
from cnnkit.cnncore.swap_test.summary import LABEL, WIDTH, summary
from cnnkit.cnncore.swap_test.target import TableError, make_target
from cnnkit.cnncore.swap_test.units import find_units

MOST_PLACES = 5  # of a kind, in a message
INDENT = " " * (2 + LABEL)
MOST_LETTERS = 60  # of a name, in a message


@dataclass(frozen=True)
class CheckOptions:
    """The options of `cnnkit check-table`; the command line's help describes them."""

    data: Path
    target: str | None
    task: Literal["auto", "classification", "regression"]
    columns: str | None
    shape: tuple[int, int] | None
    group: str | None
    time: str | None
    rows: bool
    permutations: int
    folds: int
    margin: float
    engine: Literal["random", "cnn"]
    time_limit: float
    max_rows: int
    scoring: str | None
    encoding: str | None
    device: str
    seed: int
    report: Path | None
    overwrite: bool
    as_json: bool


@dataclass(frozen=True, eq=False)
class Source:
    """A table whose columns have their parts.

    Parameters
    ----------
    features : DataFrame [n, columns]
        Columns to be tested, as str.
    target : Series [n]
        What is to be predicted, as str.
    groups : object array [n] of str, or None
    times : float64 array [n] or None
        Moments, in any unit.
    notes : tuple of str
        What was guessed.
    """

    features: pd.DataFrame
    target: pd.Series[str]
    groups: NDArray[np.object_] | None
    times: NDArray[np.float64] | None
    notes: tuple[str, ...]


def run(options: CheckOptions) -> None:
    """Read the table, test it, print the outcome, and write the report if one is wanted.

    Raises
    ------
    click.UsageError
        If options contradict each other.
    ValueError
        If the table can't be read or tested, or a setting is out of range.
    OSError
        If the report's place can't be written to.
    """
    if options.group and options.time:
        raise click.UsageError("--group can't go with --time: rows are held out by one of them")
    if options.group and options.rows:
        raise click.UsageError("--rows can't go with --group: windows of rows would span groups")
    if options.report is not None:
        check_output(options.report, overwrite=options.overwrite)
    source = read_source(options)
    with closing(Bars(hidden=options.as_json)) as bars:
        result = swap_test(
            source.features,
            source.target,
            n_permutations=options.permutations,
            cv=options.folds,
            shape=options.shape,
            groups=source.groups,
            time=source.times,
            scoring=options.scoring,
            margin=options.margin,
            max_rows=options.max_rows,
            random_state=options.seed,
            device=options.device,
            engine=options.engine,
            time_limit=options.time_limit,
            task=options.task,
            target_name=str(source.target.name),
            on_progress=bars,
        )
    result = replace(result, notes=(*source.notes, *result.notes))
    rows = check_rows(source, options) if options.rows else None
    if options.report is not None:
        options.report.write_text(swap_report(result, options.data.name), encoding="utf-8")
    if options.as_json:
        found = {**result.to_dict(), "file": options.data.name}
        if rows is not None:
            found["row_order"] = rows
        click.echo(json.dumps(without_nan(found), ensure_ascii=False, allow_nan=False))
    else:
        print_outcome(result, rows, options.report)


def print_outcome(result: SwapTestResult, rows: dict[str, Any] | None, report: Path | None) -> None:
    """Print the summary, what the rows' order is worth, and where the pictures are."""
    click.echo(summary(result))
    if rows is not None:
        said = f"experimental, on {rows['rows']:,} rows: {rows['verdict']}: {rows['reason']}"
        label = f"\n  {'rows':<{LABEL}}"
        click.echo(label + textwrap.fill(said, WIDTH - len(INDENT)).replace("\n", "\n" + INDENT))
        click.echo(textwrap.indent(rows["text"], INDENT))
    where = "--report out.html writes the pictures" if report is None else f"Report: {report}"
    click.echo(where)


def read_source(options: CheckOptions) -> Source:
    """Read the table, and find out what each column is for.

    Raises
    ------
    SourceError
        If it is no table, or a column that the options name isn't there or can't serve.
    """
    data, name = options.data, options.data.name
    if data.is_dir() or not data.exists():
        raise SourceError(f"{data} {describe_missing(data)}")
    table = read_table(data, options.encoding, header=None)
    notes = list(table.notes)
    target, names = choose_columns(table.frame, options, notes)
    return Source(
        features=table.frame[names],
        target=table.frame[target],
        groups=filled(table, options.group, name) if options.group else None,
        times=moments(table, options.time, name, notes) if options.time else None,
        notes=tuple(notes),
    )


def choose_columns(
    frame: pd.DataFrame, options: CheckOptions, notes: list[str]
) -> tuple[str, list[str]]:
    """Return the target and the columns to test, and note what was guessed.

    Raises
    ------
    SourceError
        If a column that the options name isn't there or can't serve, or none is left to test.
    """
    columns, name = list(map(str, frame)), options.data.name
    check_width(columns, name)
    special = [column for column in (options.target, options.group, options.time) if column]
    for column in special:
        choose_column(frame, column, name)
    if len(set(special)) < len(special):
        role = "--group" if options.group else "--time"
        raise SourceError(f"{name}: column {special[0]!r} can't be both --target and {role}")
    others = [column for column in columns if column not in special]
    if not others:
        raise SourceError(f"{name}: no column is left beside {listing(special)}")
    target = options.target or guess_target(others, notes)
    chosen = columns if options.columns is None else choose_range(columns, options.columns, name)
    names = [column for column in chosen if column not in {target, *special}]
    if not names:
        raise SourceError(f"{name}: no column is left to test beside the target, {target!r}")
    if options.columns is not None:
        notes.append(f"columns: {len(names):,} of {len(columns):,} ({options.columns})")
    return target, names


def check_width(columns: list[str], name: str) -> None:
    """Refuse a table of one column, whose delimiter is probably none of those that are tried."""
    if len(columns) == 1:
        (column,) = columns
        shown = column if len(column) <= MOST_LETTERS else column[:MOST_LETTERS] + "…"
        raise SourceError(
            f"{name}:1: found one column: {shown!r}; expected at least 5 and a target. Is the "
            "delimiter something else than a comma, semicolon, tab or bar?"
        )


def guess_target(names: list[str], notes: list[str]) -> str:
    """Choose the column with a usual name of targets, else the last one, and note which."""
    found = usual_target(names)
    target, why = (found, "by its name") if found else (names[-1], "the last one")
    notes.append(f"target: column {target!r} ({why}; --target names another)")
    return target


def filled(table: Table, column: str, name: str) -> NDArray[np.object_]:
    """Return a column's values, object [n] of str, where none may be empty.

    Raises
    ------
    SourceError
        If a value is missing.
    """
    values = table.frame[column].to_numpy()
    refuse_rows(table, [not value.strip() for value in values], column, name, "a value")
    return values


def moments(table: Table, column: str, name: str, notes: list[str]) -> NDArray[np.float64]:
    """Return a column of numbers or dates as float64 [n], and note how they were read.

    Raises
    ------
    SourceError
        If a value is neither.
    """
    stripped = [value.strip() for value in filled(table, column, name)]
    texts, places = np.unique(stripped, return_inverse=True)
    plain = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(np.float64)
    ways = [(plain, ""), read_numbers(texts.tolist()), read_dates(texts.tolist())]
    numbers, convention = max(ways, key=lambda way: np.isfinite(way[0]).sum())
    times = numbers[places]
    refuse_rows(table, ~np.isfinite(times), column, name, "a number or a date like the others")
    if convention:
        notes.append(f"time {column!r}: {convention}")
    return times


def refuse_rows(
    table: Table, bad: Sequence[bool] | NDArray[np.bool_], column: str, name: str, expected: str
) -> None:
    """Name the lines in which a column can't be used, if there are any.

    Raises
    ------
    SourceError
    """
    rows = np.flatnonzero(bad)
    if rows.size:
        values = table.frame[column]
        shown = ", ".join(f"line {table.lines[row]}: {values[row]!r}" for row in rows[:MOST_PLACES])
        more = f", … and {len(rows) - MOST_PLACES:,} more" if len(rows) > MOST_PLACES else ""
        raise SourceError(
            f"{name}: column {column!r}: expected {expected} in every row, found {shown}{more}."
        )


def check_rows(source: Source, options: CheckOptions) -> dict[str, Any]:
    """Test whether the order of the rows carries information; of many rows, take the first.

    Returns
    -------
    dict
        As JSON has it: "rows" (how many), "verdict", "reason", "text", …
    """
    target, known, _ = make_target(
        source.target, name=str(source.target.name), task=options.task, least=options.folds
    )
    order = np.arange(len(known))
    if source.times is not None:
        order = np.argsort(source.times[known], kind="stable")
    order = order[: options.max_rows]
    try:
        units = find_units(source.features.iloc[known[order]].reset_index(drop=True)).units
        # Without the target: a row must not learn from those before it what its own target is.
        values = encode(units, None, np.arange(len(order)), seed=options.seed)
        found = row_order_test(
            values,
            target[order],
            n_permutations=options.permutations,
            random_state=options.seed,
        ).to_dict()
    except TableError as error:  # what was found about the columns is told all the same
        found = {"verdict": "inconclusive", "reason": str(error), "text": "Keep to single rows."}
    return {"rows": len(order), **found, "experimental": True}
