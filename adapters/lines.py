"""Takes each line of some bytes for an item: what comes through a pipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnkit.adapters.dataset import Dataset
from cnnkit.adapters.encodings import decode
from cnnkit.adapters.errors import SourceError
from cnnkit.adapters.folders import describe_missing, is_file
from cnnkit.cnncore.image import Problem

_HINTS = 20  # Missing files for which the nearest name is looked up: it takes a while.


def load_lines(
    raw: bytes, name: str, *, items_are_files: bool, encoding: str | None = None
) -> Dataset:
    r"""Take each line for an item without a target.

    Parameters
    ----------
    raw : bytes
        Lines end in \n or \r\n, and in nothing else.
    name : str
        What to call it in messages.
    items_are_files : bool
        Lines are paths of files, which must exist; else they are the items, also where empty.
    encoding : str or None
        None: by byte order mark, else UTF-8.

    Raises
    ------
    SourceError
        If there is nothing, it can't be decoded, or no line is the path of a file.

    Examples
    --------
    >>> dataset = load_lines(b"good\r\n\nbad", "stdin", items_are_files=False)
    >>> dataset.items, dataset.places
    (['good', '', 'bad'], ['stdin:1', 'stdin:2', 'stdin:3'])
    """
    kind = "path" if items_are_files else "text"
    text, _ = decode(raw, encoding, Path(name), strict=True)
    if not text:
        raise SourceError(f"{name} is empty; expected one {kind} a line.")
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    places = [f"{name}:{number}" for number in range(1, len(lines) + 1)]
    problems = _missing(lines) if items_are_files else ()
    rows = np.setdiff1d(np.arange(len(lines)), [problem.item for problem in problems])
    if not len(rows):
        first = f"{places[0]} {lines[0]!r}: {problems[0].reason}"
        raise SourceError(f"{name}: no line is the path of a file. The first: {first}")
    items = [lines[row] for row in rows]
    taken = f"each of {len(lines):,} lines is" if len(lines) > 1 else "the line is"
    return Dataset(
        name=name,
        items=[str(Path(item).absolute()) for item in items] if items_are_files else items,
        targets=None,
        task=None,
        places=[places[row] for row in rows],
        rows=rows,
        source_rows=list(zip(places, lines, strict=True)),
        problems=problems,
        decided=[f"items: {taken} one {kind}"],
    )


def _missing(lines: list[str]) -> tuple[Problem, ...]:
    """Report the lines that are no path of a file."""
    problems: list[Problem] = []
    for row, line in enumerate(lines):
        if not line or not is_file(Path(line)):
            reason = describe_missing(Path(line)) if len(problems) < _HINTS else "is no file."
            problems.append(Problem(row, line, reason if line else "the line is empty"))
    return tuple(problems)
