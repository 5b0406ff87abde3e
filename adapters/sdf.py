"""Reads SDF and MOL files: records of one molecule each, with properties."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SDF_SUFFIXES = frozenset({".sdf", ".sd", ".mol"})

_END = re.compile(r"^\$\$\$\$.*\n?", re.MULTILINE)
_COUNTS = re.compile(r"[ \d]{6}.*V[23]000\s*")  # the fourth line of a MOL block
_PROPERTY = re.compile(r">[^<]*<(.*)>|>\s*(DT\d+)\b")
_LISTED = 5


@dataclass(frozen=True)
class SdfRows:
    """Records as rows.

    Parameters
    ----------
    columns : dict of str to list of str [N]
        "molecule" (the MOL block), "name" (the title line, where a record has one), and the
        properties in the order in which they appear; one that a record lacks is "" there.
    properties : list of str
        The columns of properties.
    titles : list of str [N]
        What to call each record: its title, else "record 17".
    lines : list of int [N]
        Line of the file, from 1, where each record begins.
    empty : list of int
        Rows whose record is empty.
    notes : list of str
        What was noticed while reading.
    """

    columns: dict[str, list[str]]
    properties: list[str]
    titles: list[str]
    lines: list[int]
    empty: list[int]
    notes: list[str]


@dataclass(frozen=True)
class _Record:
    line: int
    block: str
    properties: dict[str, str]
    notes: list[tuple[int, str]]

    @property
    def title(self) -> str:
        return self.block.split("\n", 1)[0].strip()

    @property
    def is_empty(self) -> bool:
        return not self.block.strip() and not self.properties


def read_sdf(text: str, name: str) -> SdfRows:
    r"""Cut a file into records, each into its MOL block and its properties.

    A record ends at a line `$$$$`, and where the next MOL block begins without one: a broken
    record never swallows those that follow.

    Parameters
    ----------
    text : str
        Lines end in \n, \r\n or \r.
    name : str
        The file's, for messages.

    References
    ----------
    BIOVIA, *CTfile Formats*, 2020: chapters on the MOL block and SDfiles.

    Examples
    --------
    >>> block = "\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0 0.0 0.0 O   0\nM  END\n"
    >>> rows = read_sdf(f"water{block}> <logS>\n1.7\n\n$$$$\n{block}", "two.sdf")
    >>> rows.columns["name"], rows.columns["logS"], rows.titles, rows.lines
    (['water', ''], ['1.7', ''], ['water', 'record 2'], [1, 11])
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    after: list[tuple[int, str]] = []
    records = [_read(line, lines) for line, lines in _records(text, after)]
    columns = {"molecule": [record.block for record in records]}
    if any(record.title for record in records):
        columns["name"] = [record.title for record in records]
    named = list(dict.fromkeys(key for record in records for key in record.properties))
    called = _free_names(named, list(columns))
    for key in named:
        columns[called[key]] = [record.properties.get(key, "") for record in records]
    notes = [f"property {key!r} is column {new!r}" for key, new in called.items() if key != new]
    notes += _told([note for record in records for note in record.notes] + after)
    return SdfRows(
        columns=columns,
        properties=list(called.values()),
        titles=[record.title or f"record {row:,}" for row, record in enumerate(records, start=1)],
        lines=[record.line for record in records],
        empty=[row for row, record in enumerate(records) if record.is_empty],
        notes=[f"{name}: {note}" for note in notes],
    )


def _records(text: str, after: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line's number and the lines of each record; note what follows the last."""
    line = 1
    for chunk, is_closed in _chunks(text):
        lines = chunk.removesuffix("\n").split("\n") if chunk else []
        if is_closed or _holds_record(lines):
            starts = _starts(lines)
            for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
                yield line + start, lines[start:end]
        elif chunk.strip():
            place = line + next(number for number, one in enumerate(lines) if one.strip())
            after.append((place, "text after the last record is left out"))
        line += len(lines) + 1


def _chunks(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what stands between lines `$$$$`, and whether one follows it."""
    place = 0
    for end in _END.finditer(text):
        yield text[place : end.start()], True
        place = end.end()
    yield text[place:], False


def _holds_record(lines: Sequence[str]) -> bool:
    return any(_COUNTS.fullmatch(line) or line.startswith("M  END") for line in lines)


def _starts(lines: Sequence[str]) -> list[int]:
    """Return where records begin: three lines before their counts.

    A property may hold a MOL block, too: that begins right below the property's name.
    """
    counts = [number for number, line in enumerate(lines) if _COUNTS.fullmatch(line)]
    further = [
        number - 3 for number in counts if number > 3 and not _PROPERTY.match(lines[number - 4])
    ]
    if further and not "".join(lines[: further[0]]).strip():
        return further  # what stands above the first are blank lines
    return [0, *further]


def _read(line: int, lines: Sequence[str]) -> _Record:
    """Cut a record's lines into its MOL block and its properties."""
    stop = len(lines)
    for number, content in enumerate(lines):
        if content.startswith("M  END"):
            stop = number + 1
            break
        if _PROPERTY.match(content):
            stop = number
            break
    cells: dict[str, list[str]] = {}
    properties: dict[str, str] = {}
    notes: list[tuple[int, str]] = []
    key = None
    for number, content in enumerate(lines[stop:], start=line + stop):
        if header := _PROPERTY.match(content):
            _keep(properties, key, cells)
            key = (header[1] or header[2] or "").strip() or "property without a name"
            if key in properties:
                notes.append((number, f"property {key!r} stands in a record more than once"))
            cells[key] = []
        elif key is not None:
            cells[key].append(content)
        elif content.strip():
            notes.append((number, "text between MOL block and properties is left out"))
    _keep(properties, key, cells)
    return _Record(line, "\n".join(lines[:stop]), properties, notes)


def _keep(properties: dict[str, str], key: str | None, cells: dict[str, list[str]]) -> None:
    """Join the lines of a property; if it stands there twice, different values are both kept."""
    if key is None:
        return
    value = "\n".join(cells[key]).strip("\n")
    before = properties.get(key, value)
    properties[key] = value if value == before else f"{before}\n{value}"


def _free_names(keys: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Return a column for each property, under another name where that is taken."""
    used = {*keys, *taken}
    called = {}
    for key in keys:
        name, number = key, 1
        while key in taken and name in used:
            name = f"{key} (property)" if number == 1 else f"{key} (property {number})"
            number += 1
        used.add(name)
        called[key] = name
    return called


def _told(found: Sequence[tuple[int, str]]) -> list[str]:
    """Say each thing once, with the first lines where it was found."""
    by_note: dict[str, list[int]] = {}
    for line, note in found:
        by_note.setdefault(note, []).append(line)
    told = []
    for note, lines in by_note.items():
        more = f", … and {len(lines) - _LISTED:,} more" if len(lines) > _LISTED else ""
        word = "line" if len(lines) == 1 else "lines"
        told.append(f"{note} ({word} {', '.join(map(str, lines[:_LISTED]))}{more})")
    return told
