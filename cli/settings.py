"""Reads `--set NAME=VALUE` into an adapter: its parameters by name and type."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import click

IN_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a word",
    NoneType: "null",
}


def make_adapter(name: str, pairs: tuple[str, ...]) -> Any:
    """Make the adapter called `name` with the parameters of `--set`.

    Raises
    ------
    click.BadParameter
        If the adapter has no such parameter, or a value is of another type than it takes; all of
        them are listed at once.
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
    hints = parameter_hints(type(adapter).__init__)
    wrong = [
        f"{setting}={json.dumps(value)}: expected {in_words(hints[setting])}"
        for setting, value in settings.items()
        if not is_of_type(value, hints.get(setting, Any))
    ]
    if wrong:
        raise click.BadParameter("; ".join(wrong), param_hint="--set")
    return adapter.set_params(**settings)


def join_settings(name: str, pairs: tuple[str, ...], given: dict[str, Any]) -> tuple[str, ...]:
    """Add what was given by options of its own to the pairs of `--set`.

    Raises
    ------
    click.UsageError
        If something is given both ways, or the adapter called `name` has no such parameter.
    """
    if not given:
        return pairs
    from cnnkit.cnncore.plugins import adapter_class

    settings, known = read_settings(pairs), adapter_class(name)().get_params(deep=False)
    for parameter in given:
        option = "--" + parameter.replace("_", "-")
        if parameter not in known:
            raise click.UsageError(
                f"{option} is for molecules: adapter {name} has no parameter {parameter}"
            )
        if parameter in settings:
            raise click.UsageError(
                f"{option} and --set {parameter}=… set the same parameter: drop one"
            )
    return (*pairs, *(f"{key}={json.dumps(value)}" for key, value in given.items()))


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
            raise click.BadParameter(
                f"{pair!r}: expected NAME=VALUE, such as n_mels=64", param_hint="--set"
            )
        try:
            settings[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            settings[name.strip()] = value
    return settings


def parameter_hints(create: Callable[..., Any]) -> dict[str, Any]:
    """Return the type hints of a function's parameters; none where they can't be looked up."""
    try:
        return get_type_hints(create)
    except NameError:  # a name that is imported for type checkers only
        return {}


def did_you_mean(word: str, known: list[str]) -> str:
    """Quote a wrong word, with the nearest right one."""
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1)
    return f'"{word}"' + (f' (did you mean "{near[0]}"?)' if near else "")


def is_of_type(value: Any, hint: Any) -> bool:
    """Say whether a JSON value is what a type hint asks for; hints it doesn't know allow all.

    Examples
    --------
    >>> is_of_type(64, int | None), is_of_type("x", int | None), is_of_type([1, 2.5], list[float])
    (True, False, True)
    """
    if is_union(hint):
        return any(is_of_type(value, option) for option in get_args(hint))
    if hint in IN_WORDS:
        # To Python true is the number 1, but nobody means that.
        return type(value) is hint or (hint is float and type(value) is int)
    if is_list(hint):
        entries = get_args(hint)[0]
        return isinstance(value, list) and all(is_of_type(entry, entries) for entry in value)
    return True


def in_words(hint: Any) -> str:
    """Name a type hint for people; null is left out, as nobody has to write it.

    Examples
    --------
    >>> in_words(int | None), in_words(list[float])
    ('a whole number', 'a list [...], each a number')
    """
    if is_union(hint):
        return " or ".join(in_words(option) for option in get_args(hint) if option is not NoneType)
    if is_list(hint):
        return f"a list [...], each {in_words(get_args(hint)[0])}"
    return IN_WORDS.get(hint, str(hint))


def is_union(hint: Any) -> bool:
    """Say whether a hint is `A | B`."""
    return get_origin(hint) in (Union, UnionType)


def is_list(hint: Any) -> bool:
    """Say whether a hint is a sequence of one type, which JSON writes as a list."""
    return get_origin(hint) in (Sequence, list) and len(get_args(hint)) == 1
