"""Adapters by name: entry points of all installed packages, listed without importing them."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cnnkit.cnncore.errors import did_you_mean

GROUP = "cnnkit.adapters"


class UnknownAdapterError(ValueError):
    """No installed package brings an adapter of this name, or the one that does is broken."""


def adapter_entries() -> dict[str, EntryPoint]:
    """Return the installed adapters' entry points by name, in alphabetical order."""
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    return dict(sorted(entries.items()))


def adapter_names() -> dict[str, list[str]]:
    """Return the installed adapters' names, each with its other names.

    Entry points that lead to the same class are one adapter; the first of its
    names in alphabetical order is the main one.

    Examples
    --------
    >>> adapter_names()["molecule"]
    ['molecules']
    """
    main: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    for name, entry in adapter_entries().items():
        first = main.setdefault(entry.value, name)
        if first == name:
            names[name] = []
        else:
            names[first].append(name)
    return names


def adapter_class(name: str) -> Any:
    """Import the adapter called `name`.

    Raises
    ------
    UnknownAdapterError
        If there is none, or importing it fails; the message names the package.

    Examples
    --------
    >>> adapter_class("audio").name
    'audio'
    """
    entries = adapter_entries()
    if name not in entries:
        hint = did_you_mean(name, list(entries))
        raise UnknownAdapterError(
            f'adapter "{name}": the installed ones are {", ".join(entries) or "none"}{hint}'
        )
    entry = entries[name]
    try:
        return entry.load()
    except Exception as error:
        package = entry.dist.name if entry.dist else "an unknown package"
        raise UnknownAdapterError(
            f'adapter "{name}" of {package} can\'t be imported: {type(error).__name__}: {error}'
        ) from error
