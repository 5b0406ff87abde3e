"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click


class AdapterName(click.ParamType[str]):
    """The name of an installed adapter; entry points are listed without importing them."""

    name = "adapter"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from cnnkit.cnncore.plugins import adapter_entries

        names = list(adapter_entries())
        if value in names:
            return value
        return click.Choice(names).convert(value, param, ctx)


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


def read_settings(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Read `name=value` pairs; values are JSON where they can be, else text.

    Raises
    ------
    click.BadParameter
        If a pair has no "=".

    Examples
    --------
    >>> read_settings(("n_mels=64", "preset=speech", "pcen=true"))
    {'n_mels': 64, 'preset': 'speech', 'pcen': True}
    """
    settings = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r}: expected NAME=VALUE, such as --set n_mels=64")
        try:
            settings[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            settings[name.strip()] = value
    return settings


def make_adapter(name: str, pairs: tuple[str, ...]) -> Any:
    """Make the adapter called `name` with the parameters of `--set`.

    Raises
    ------
    click.BadParameter
        If the adapter has no such parameter; all wrong names are listed at once.
    """
    from cnnkit.cnncore.plugins import adapter_class

    adapter = adapter_class(name)()
    settings, known = read_settings(pairs), adapter.get_params(deep=False)
    wrong = [did_you_mean(setting, list(known)) for setting in settings if setting not in known]
    if wrong:
        raise click.BadParameter(
            f"adapter {name} has no parameter {'; '.join(wrong)}. It has: {', '.join(known)}",
            param_hint="--set",
        )
    return adapter.set_params(**settings)


def did_you_mean(word: str, known: list[str]) -> str:
    """Quote a wrong word, with the nearest right one."""
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1)
    return f'"{word}"' + (f' (did you mean "{near[0]}"?)' if near else "")


def adapter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --adapter and --set."""
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


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --item, --target and --encoding."""
    for names, metavar, text in (
        (("--encoding",), "NAME", "Encoding of the table, such as latin-1."),
        (("--target",), "COL", "Column of the table that is to be predicted."),
        (("--item",), "COL", "Column of the table that holds the items."),
    ):
        command = click.option(*names, metavar=metavar, help=text)(command)
    return command


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps."
)
