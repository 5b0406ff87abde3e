"""Looks for classes that lost all their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cnnkit.adapters.errors import SourceError


def check_no_class_lost(
    labels: Sequence[str], reasons: Mapping[int, str], places: Sequence[str], name: str
) -> None:
    """Refuse to go on without a class of which no text can be used.

    Parameters
    ----------
    labels, places : sequence of str [N]
        Blank labels are no class.
    reasons : mapping of int to str
        By row: why its text can't be used.
    name : str
        Of the table or folder.

    Raises
    ------
    SourceError
        If there is such a class; all are named.

    Examples
    --------
    >>> check_no_class_lost(["a", "b"], {1: "column 'text' is empty"}, ["t.csv:2", "t.csv:3"], "t")
    Traceback (most recent call last):
    cnnkit.adapters.errors.SourceError: t: no text can be used of class 'b' (1 row, the first \
t.csv:3: column 'text' is empty). Give it texts, or take its rows out.
    """
    kept = {label for row, label in enumerate(labels) if row not in reasons}
    lost: dict[str, list[int]] = defaultdict(list)
    for row in sorted(reasons):
        if labels[row].strip() and labels[row] not in kept:
            lost[labels[row]].append(row)
    told = []
    for label, rows in lost.items():
        count = "1 row" if len(rows) == 1 else f"{len(rows):,} rows"
        first = f"{places[rows[0]]}: {reasons[rows[0]]}"
        told.append(f"{label!r} ({count}, the first {first})")
    if told:
        classes = "class" if len(told) == 1 else "classes"
        whose = (
            "it texts, or take its rows out" if len(told) == 1 else "them texts, or take them out"
        )
        raise SourceError(
            f"{name}: no text can be used of {classes} {', '.join(told)}. Give {whose}."
        )
