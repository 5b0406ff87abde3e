"""The options of `cnnkit fit`, and which of them can't work or contradict each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import click

# An option, those that mean nothing beside it, and why.
CONTRADICTIONS = (
    ("cv", ("split", "test", "val_data", "test_data"), "every fold is the test part once"),
    ("cv", ("no_ablation",), "no network is trained on its halves"),
    ("val_data", ("val", "split", "test"), "the parts are data sets of their own"),
    ("test_data", ("split", "test"), "the parts are data sets of their own"),
    ("strict", ("max_bad",), "no bad item is allowed"),
)
OF_DATA = ("item", "target", "separator", "encoding", "val_data", "test_data")


@dataclass(frozen=True)
class FitOptions:
    """The options of `cnnkit fit`; the command line's help describes them."""

    data: Path | None
    adapter_name: str
    settings: tuple[str, ...]
    item: str | None
    target: str | None
    encoding: str | None
    task: str
    separator: str | None
    split: str
    val: float | None
    test: float
    val_data: Path | None
    test_data: Path | None
    cv: str | None
    network: str | None
    ensemble: int | None
    epochs: int | None
    batch_size: int | None
    lr: float | None
    mixup: float | None
    class_weight: str | None
    device: str
    seed: int
    out: Path | None
    overwrite: bool
    max_bad: float
    strict: bool
    anyway: bool
    no_ablation: bool
    no_baseline: bool
    as_json: bool


def check_options(options: FitOptions, given: Collection[str]) -> None:
    """Check what can be known from the options alone.

    Parameters
    ----------
    options : FitOptions
    given : collection of str
        Names of those that the user wrote, which a default value doesn't tell.

    Raises
    ------
    click.UsageError
        If options contradict each other.
    ValueError
        If the network, the device, the split or the folds are no such thing.
    """
    from cnnkit.adapters.folds import check_folds
    from cnnkit.adapters.parts import check_shares
    from cnnkit.adapters.splits import parse_split
    from cnnkit.cnncore.device import choose_device
    from cnnkit.cnncore.presets import check_network

    check_together(options, given)
    choose_device(options.device)
    if options.network is not None:
        check_network(options.network)
    if options.cv is not None:
        check_folds(options.cv)
    if parse_split(options.split).kind == "column" and "test" in given:
        raise click.UsageError(f"--split {options.split} says which items are tested: drop --test")
    if not {"val_data", "test_data", "cv"} & set(given):
        check_shares(options.val or 0.0, options.test)


def check_together(options: FitOptions, given: Collection[str]) -> None:
    """Refuse options that others leave without a meaning.

    Raises
    ------
    click.UsageError
    """
    for name, others, why in CONTRADICTIONS:
        wrong = [flag(other) for other in others if other in given]
        if name in given and wrong:
            raise click.UsageError(
                f"{flag(name)} can't go with {' or '.join(wrong)}: with {flag(name)} {why}"
            )
    wrong = [flag(name) for name in OF_DATA if name in given]
    if options.data is None and wrong:
        raise click.UsageError(f"{' and '.join(wrong)} without DATA: name a folder or a table")
    if options.separator is not None and options.task != "multilabel":
        raise click.UsageError(
            "--separator is for cells that hold several labels: add --task multilabel"
        )
    if options.separator == "":
        raise click.UsageError("--separator '': expected what stands between labels, such as ';'")
    if options.overwrite and options.out is None:
        raise click.UsageError("--overwrite without --out: name the model to replace")


def flag(name: str) -> str:
    """Write an option as on the command line.

    Examples
    --------
    >>> flag("val_data")
    '--val-data'
    """
    return "--" + name.replace("_", "-")
