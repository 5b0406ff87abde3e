"""Adapters by name: entry points of all installed packages, listed without importing them."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

GROUP = "cnnkit.adapters"


class UnknownAdapterError(ValueError):
    """No installed package brings an adapter of this name, or the one that does is broken."""


def adapter_entries() -> dict[str, EntryPoint]:
    """Return the installed adapters' entry points by name, in alphabetical order."""
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    return dict(sorted(entries.items()))


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
        near = get_close_matches(name, entries, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
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
