"""What is said when the user's data can't be used as it stands."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class SourceError(ValueError):
    """The data that the user named can't be read as a data set."""


class SplitError(ValueError):
    """The data can't be split in the way that the user asked for."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Name the nearest of the known names, as a sentence to append; empty if none is near.

    Examples
    --------
    >>> did_you_mean("Lable", ["path", "label"])
    " Did you mean 'label'?"
    >>> did_you_mean("speaker", ["path", "label"])
    ''
    """
    by_lower = {known.strip().lower(): known for known in names}
    near = difflib.get_close_matches(name.strip().lower(), by_lower, n=1)
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""


def shorten(text: str, most: int = 80) -> str:
    """Cut a text to at most so many letters.

    Examples
    --------
    >>> shorten("a long text", most=7)
    'a long…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def listing(values: Sequence[object], limit: int = 10) -> str:
    """Write the first values, and how many more there are.

    Examples
    --------
    >>> listing(["a", "b", "c"], limit=2)
    "'a', 'b', … and 1 more"
    """
    shown = ", ".join(repr(value) for value in values[:limit])
    return shown + (f", … and {len(values) - limit} more" if len(values) > limit else "")


def count_of(number: int, noun: str) -> str:
    """Write a number before its noun, whose plural ends in s.

    Examples
    --------
    >>> count_of(1, "item"), count_of(2000, "item")
    ('1 item', '2,000 items')
    """
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"
