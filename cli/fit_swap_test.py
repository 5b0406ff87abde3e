"""What `cnnkit fit` asks before it trains on a table: does the order of its columns matter?"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from cnnkit.adapters.base import Adapter
from cnnkit.cli.collect import Collection
from cnnkit.cli.fit_options import FitOptions
from cnnkit.cli.fit_print import Printer
from cnnkit.cli.output import Bars, without_nan
from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.result import SwapTestResult
from cnnkit.cnncore.swap_test.target import TableError

# Of the result's JSON: long lists, and what metrics.json says elsewhere.
LEFT_OUT = {"permutation_scores", "network_scores", "units", "classes", "target", "versions"}


def check_anyway(adapter: Adapter, *, anyway: bool) -> None:
    """Refuse --anyway for adapters whose items have an order by nature.

    Raises
    ------
    click.UsageError
    """
    if anyway and type(adapter).swap_test is Adapter.swap_test:
        raise click.UsageError(
            f"--anyway is for tables: adapter {adapter.name} trains without a swap test; drop it"
        )


def ask_swap_test(
    adapter: Adapter, data: Collection, rows: IntArray, options: FitOptions, printer: Printer
) -> dict[str, Any] | None:
    """Test whether the order of the columns matters, and print the verdict.

    Parameters
    ----------
    adapter : Adapter
        Unfitted.
    data : Collection
    rows : int64 array
        The items that may be looked at.
    options : FitOptions
    printer : Printer

    Returns
    -------
    dict or None
        What metrics.json keeps; None if the adapter's items have an order by nature.

    Raises
    ------
    ValueError
        If the order doesn't matter, or the items can't be tested, unless --anyway is given.
    """
    try:
        result = run_test(adapter, data, rows, options)
    except TableError as error:
        if not options.anyway:
            reason = str(error).rstrip(".")
            raise ValueError(f"the swap test: {reason}. --anyway trains without it.") from error
        found: dict[str, Any] = {"verdict": "not tested", "reason": str(error).rstrip(".")}
        printer.swap_test(found)
        return found
    if result is None:
        return None
    found = without_nan(result.to_dict())
    found = {key: value for key, value in found.items() if key not in LEFT_OUT}
    if result.verdict == "order matters":
        del found["advice"]  # it knows no trained network; those that follow say more
    printer.swap_test(found)
    if result.verdict == "order does not matter" and not options.anyway:
        raise ValueError(
            f"the order of the columns does not matter: {result.reason}. {result.advice.text} "
            "--anyway trains the network all the same."
        )
    return found


def run_test(
    adapter: Adapter, data: Collection, rows: IntArray, options: FitOptions
) -> SwapTestResult | None:
    """Run the adapter's swap test, with a bar on stderr.

    Raises
    ------
    TableError
        If the items can't be tested.
    """
    if type(adapter).swap_test is Adapter.swap_test:
        return None
    if data.task == "multilabel":
        raise TableError("it takes one target, and these are multi-label")
    if data.labels is not None:
        raise TableError(f"it takes one target, and these are {len(data.labels)}")
    with closing(Bars(hidden=options.as_json)) as bars:
        return adapter.swap_test(
            [data.items[row] for row in rows],
            data.targets[rows],
            task=data.task,
            groups=groups(data, rows, options),
            seed=options.seed,
            device=options.device,
            on_progress=bars,
        )


def groups(data: Collection, rows: IntArray, options: FitOptions) -> list[str] | None:
    """Return the groups that the split keeps together, so that the test does so too."""
    kind, _, column = (options.cv or options.split).partition(":")
    if kind != "group" or data.table is None:
        return None
    return [str(value) for value in data.table[column].iloc[rows]]
