"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click


class AdapterName(click.ParamType[str]):
    """The main name of an installed adapter; entry points are listed without importing them."""

    name = "adapter"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from cnnkit.cnncore.plugins import adapter_names

        names = {name: main for main, others in adapter_names().items() for name in (main, *others)}
        if value in names:
            return names[value]
        return click.Choice(sorted(names)).convert(value, param, ctx)


class Percentage(click.ParamType[float]):
    """A share such as 5% or 0.05."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = str(value)
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{value!r}: expected a share such as 5% or 0.05", param, ctx)
        return share


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse a place where no file can or may be written, before the work is done.

    Raises
    ------
    OSError
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected the name of a file")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; choose another file, or add --overwrite")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}; make it first")


def written_options(context: click.Context) -> set[str]:
    """Return the names of the options that the user wrote, which a default value doesn't tell."""
    written = click.core.ParameterSource.COMMANDLINE
    return {name for name in context.params if context.get_parameter_source(name) is written}


def adapter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --adapter, --set and `OF_MOLECULES`, which the command finds among the settings."""
    command = _as_settings(command)
    for name, kind in OF_MOLECULES.items():
        command = click.option("--" + name.replace("_", "-"), name, **kind)(command)
    command = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="A parameter of the adapter, such as n_mels=64; may be repeated.",
    )(command)
    return click.option(
        "--adapter",
        "adapter_name",
        type=AdapterName(),
        required=True,
        help="What kind of items the data holds; `cnnkit adapters` lists them.",
    )(command)


# Parameters of the adapter with an option of their own; a value of None or False is none given.
OF_MOLECULES: dict[str, dict[str, Any]] = {
    "ignore_stereo": {
        "is_flag": True,
        "help": "Molecules: forget R and S, and the sides of double bonds.",
    },
    "salts": {
        "type": click.Choice(["keep", "largest", "refuse"]),
        "help": "Molecules of several parts: keep all, only the largest, or refuse them.  [keep]",
    },
    "max_atoms": {
        "type": click.IntRange(1),
        "help": "Molecules with more heavy atoms are refused.  [200]",
    },
}


def _as_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the options of molecules on to a command as if they had been written with --set."""

    @wraps(command)
    def run(*arguments: Any, adapter_name: str, settings: tuple[str, ...], **options: Any) -> Any:
        from cnnkit.cli.settings import join_settings

        values = {name: options.pop(name) for name in OF_MOLECULES}
        given = {name: value for name, value in values.items() if value not in (None, False)}
        settings = join_settings(adapter_name, settings, given)
        return command(*arguments, adapter_name=adapter_name, settings=settings, **options)

    return run


ENCODING = "Encoding of a table (also JSON Lines, fastText) or of documents, such as latin-1."


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --item, --target and --encoding."""
    for names, metavar, text in (
        (("--encoding",), "NAME", ENCODING),
        (("--target",), "COL", "Column that is to be predicted; A,B,C: 0/1 columns of labels."),
        (("--item",), "COL", "Column of the table that holds the items."),
    ):
        command = click.option(*names, metavar=metavar, help=text)(command)
    return command


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="The same seed chooses the same.",
)
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps."
)
