"""Reads table files: all values as text, and the line where each row begins."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from cnnkit.adapters.encodings import decode
from cnnkit.adapters.errors import SourceError, listing
from cnnkit.adapters.fasttext_lines import is_fasttext, read_fasttext
from cnnkit.adapters.json_lines import JSON_SUFFIXES, read_json_rows
from cnnkit.adapters.sdf import SDF_SUFFIXES, read_sdf
from cnnkit.adapters.smi_lines import SMI_SUFFIXES, read_smi
from cnnkit.cnncore.image import IntArray

TABLE_SUFFIXES = frozenset(
    {".csv", ".tsv", ".tab", ".psv", ".txt", ".parquet", ".pq"}
    | JSON_SUFFIXES | SDF_SUFFIXES | SMI_SUFFIXES
)  # fmt: skip

_DELIMITERS = (",", ";", "\t", "|")
_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar |"}
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_OTHER_TEXT = re.compile(r"\s*(?:(\{\s*[\"}]|\[\s*[\[{])|<(?:!doctype|html|\?xml))", re.IGNORECASE)
_NUMBER_LIKE = re.compile(r"[-+]?[.,]?\d[\d.,' \xa0]*(?:e[-+]?\d+)?%?", re.IGNORECASE)
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-", "inf", "-inf"})
_LINES_COMPARED = 100  # with the first, to tell a header from a row
_NOT_TEXT = ("struct", "list", "large_list", "fixed_size", "map", "binary", "large_binary")


@dataclass(frozen=True, eq=False)
class Table:
    """A table file as it was read.

    Parameters
    ----------
    frame : DataFrame
        All columns as str; nothing is taken for a missing value, an empty cell is "".
    lines : int64 array [rows]
        Line of the file, from 1, where each row begins (Parquet: number of the row).
    notes : tuple of str
        What was guessed while reading.
    faults : dict of (row, column) to str
        Why cells that are "" in the frame hold no text.
    separator : str or None
        Between the labels of a cell, where cells are known to hold several.
    item_column : str or None
        The column of items, where the format says which it is.
    titles : list of str [rows] or None
        What stands for each item in lists, where the items of `item_column` are too long for that.
    beside : tuple of str
        Columns that predictions repeat, because they can't be put beside such a file.
    """

    frame: pd.DataFrame
    lines: IntArray
    notes: tuple[str, ...]
    faults: dict[tuple[int, str], str] = field(default_factory=dict)
    separator: str | None = None
    item_column: str | None = None
    titles: list[str] | None = None
    beside: tuple[str, ...] = ()


def read_table(
    path: Path,
    encoding: str | None = None,
    *,
    header: bool | None = True,
    strict: bool = False,
) -> Table:
    """Read a CSV, TSV, JSON, JSON Lines, Parquet, SDF or SMILES file, or one in fastText's format.

    The delimiter is found by looking at the file, and so is the encoding.

    Parameters
    ----------
    path : Path
    encoding : str or None
        A Python encoding name. None: by byte order mark, else UTF-8, else Latin-1 with a note.
    header : bool or None
        Whether the first line of a text file names the columns; without names they are called
        "column 1", "column 2", … None: found by looking at it, with a note where it doesn't.
    strict : bool
        Latin-1 is never guessed.

    Raises
    ------
    SourceError
        If it isn't a table, has no rows, a row has another number of fields than the header, a
        quote is never closed, or a column has no name or another one's name.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "index.csv"
    >>> _ = path.write_text("path;label\\na.wav;NA\\n")
    >>> read_table(path).frame.to_dict("list")
    {'path': ['a.wav'], 'label': ['NA']}
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.peek(4).startswith(b"PAR1")
            if is_parquet:
                table = _read_parquet(path)
            else:
                table = _read_text(path, file, encoding, header, strict)
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}.") from error
    if not len(table.frame):
        raise SourceError(f"{path} has a header but no rows.")
    return table


def _read_text(
    path: Path, file: BinaryIO, encoding: str | None, header: bool | None, strict: bool
) -> Table:
    text, notes = decode(file.read(), encoding, path, strict=strict)
    if not text.strip():
        raise SourceError(f"{path} is empty; expected a table with a header line.")
    suffix = path.suffix.lower()
    if suffix in JSON_SUFFIXES:
        return _read_json(path, text, notes)
    if suffix in SDF_SUFFIXES:
        return _read_sdf(path, text, notes)
    if suffix in SMI_SUFFIXES:
        return _read_smi(path, text, notes)
    if is_fasttext(text):
        return _read_fasttext(path, text, notes)
    if other := _OTHER_TEXT.match(text):
        kind = "JSON" if other[1] else "HTML or XML"
        advice = "Call it .json or .jsonl" if other[1] else "Save the table as CSV"
        raise SourceError(f"{path} isn't a table, it is {kind}. {advice}.")
    delimiter = _sniff_delimiter(text, tab_first=suffix in {".tsv", ".tab"})
    if delimiter != ("\t" if suffix in {".tsv", ".tab"} else ","):
        notes = [*notes, f"{path.name}: the delimiter is a {_DELIMITER_NAMES[delimiter]}"]
    rows, lines = _parse(text, delimiter, path.name)
    del text  # a large file needn't stand in the memory twice
    return _with_names(rows, lines, notes, header, path.name)


def _read_json(path: Path, text: str, notes: list[str]) -> Table:
    rows = read_json_rows(text, path.name)
    if not rows.lines:
        raise SourceError(f"{path} holds no objects.")
    first: dict[str, int] = {}
    for row, column in rows.nested:
        first.setdefault(column, rows.lines[row])
    if first:
        places = [f"{column!r} (first in line {line})" for column, line in first.items()]
        notes = [*notes, f"{path.name}: columns with lists or objects: {', '.join(places)}"]
    faults = {
        (row, column): f"column {column!r} holds {kind}; expected a text or a number"
        for (row, column), kind in rows.nested.items()
    }
    return replace(_table(rows.columns, rows.lines, notes), faults=faults)


def _read_fasttext(path: Path, text: str, notes: list[str]) -> Table:
    rows = read_fasttext(text)
    notes = [*notes, f"{path.name}: fastText's format"]
    unlabelled = "the line has no label: expected __label__, then its name"
    faults = {
        (row, "label"): unlabelled if rows.texts[row] else "the line is empty"
        for row, label in enumerate(rows.labels)
        if not label
    }
    table = _table({"text": rows.texts, "label": rows.labels}, rows.lines, notes)
    return replace(table, faults=faults, separator=rows.separator)


def _read_sdf(path: Path, text: str, notes: list[str]) -> Table:
    rows = read_sdf(text, path.name)
    if not rows.lines:
        raise SourceError(
            f"{path} holds no molecule; expected MOL blocks that end in 'M  END', with a line "
            "'$$$$' after each and its properties."
        )
    return replace(
        _table(rows.columns, rows.lines, [*notes, *rows.notes]),
        faults={(row, "molecule"): "the record is empty" for row in rows.empty},
        item_column="molecule",
        titles=rows.titles,
        beside=tuple(rows.properties),
    )


def _read_smi(path: Path, text: str, notes: list[str]) -> Table:
    rows = read_smi(text, path.name)
    table = _table(rows.columns, rows.lines, [*notes, *rows.notes])
    beside = tuple(column for column in rows.columns if column != "smiles")
    return replace(table, item_column="smiles", beside=beside)


def _table(columns: dict[str, list[str]], lines: Sequence[int], notes: Sequence[str]) -> Table:
    frame = pd.DataFrame(columns, dtype=object)
    return Table(frame, np.array(lines, dtype=np.int64), tuple(notes))


def _with_names(
    rows: list[list[str]], lines: list[int], notes: list[str], header: bool | None, name: str
) -> Table:
    """Take the first row for the names of the columns, if it is a header."""
    if header or (header is None and _is_header(rows[0], rows[1 : 1 + _LINES_COMPARED])):
        columns = _column_names(rows.pop(0), name)
        del lines[0]
    else:
        columns = [f"column {number}" for number in range(1, len(rows[0]) + 1)]
        if header is None:
            notes = [*notes, f"{name}: no header: the first line is a row like the others"]
    _check_widths(rows, lines, len(columns), name)
    values = zip(*rows, strict=True) if rows else ([] for _ in columns)
    named = {column: list(cells) for column, cells in zip(columns, values, strict=True)}
    return _table(named, lines, notes)


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Tell names of columns from a row: in a row, every cell is of a form that its column repeats.

    Names may be numbers too, such as the wavelengths of a spectrum: those grow in even steps.
    """
    forms = [_form(cell) for cell in first]
    if not others or "number" not in forms:
        return True
    if _grows_evenly(first):
        return True
    return not all(
        form == "missing" or any(_form(row[place]) == form for row in others if place < len(row))
        for place, form in enumerate(forms)
    )


def _form(cell: str) -> str:
    """Return "number", "missing", or the text with all its digits taken for the same."""
    cell = cell.strip()
    if cell.lower() in _MISSING:
        return "missing"
    return "number" if _NUMBER_LIKE.fullmatch(cell) else "text " + re.sub(r"\d+", "0", cell)


def _grows_evenly(cells: Sequence[str]) -> bool:
    try:
        steps = np.diff([float(cell) for cell in cells])
    except ValueError:
        return False
    return len(steps) > 1 and bool(steps[0] != 0 and np.allclose(steps, steps[0]))


def _lines(text: str) -> Iterator[str]:
    """Yield the lines with their ends, of any kind; io.StringIO takes four bytes a letter."""
    return (match[0] for match in _LINE.finditer(text))


def _sniff_delimiter(text: str, tab_first: bool) -> str:
    """Choose the delimiter that cuts the first rows into as many fields as the header."""
    delimiters = sorted(_DELIMITERS, key=lambda mark: mark != "\t") if tab_first else _DELIMITERS
    best, best_score = delimiters[0], (0.0, 1)
    for delimiter in delimiters:
        with _long_fields():
            reader = csv.reader(_lines(text), delimiter=delimiter)
            widths = [len(row) for row in islice(reader, 100) if "".join(row).strip()]
        if not widths or widths[0] == 1:
            continue
        score = (widths.count(widths[0]) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _parse(text: str, delimiter: str, name: str) -> tuple[list[list[str]], list[int]]:
    """Cut the text into rows, and give the line where each begins.

    Blank lines are left out; in a single column those between rows are empty cells.
    """
    rows: list[list[str]] = []
    lines: list[int] = []
    line, filled = 1, 0
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    with _long_fields():
        try:
            for row in reader:
                if len(row) > 1 or "".join(row).strip() or (rows and len(rows[0]) == 1):
                    rows.append(row or [""])
                    lines.append(line)
                    filled = len(rows) if row else filled
                line = reader.line_num + 1
        except csv.Error as error:
            raise SourceError(
                f"{name}:{line}: the quotes in the row that begins here don't match ({error}). "
                'Close the quote, and write a quote inside a quoted value twice: "".'
            ) from error
    return rows[:filled], lines[:filled]


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let texts be longer than the 131,072 letters that the csv module allows."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _column_names(header: Sequence[str], name: str) -> list[str]:
    columns = [column.strip() for column in header]
    unnamed = [number for number, column in enumerate(columns, start=1) if not column]
    repeated = sorted({column for column in columns if column and columns.count(column) > 1})
    faults = []
    if unnamed:
        saved = " (a row number? pandas leaves it out by to_csv(index=False))" * (unnamed == [1])
        faults.append(f"columns without a name: number {listing(unnamed)}{saved}")
    if repeated:
        faults.append(f"names that stand there more than once: {listing(repeated)}")
    if faults:
        raise SourceError(
            f"{name}:1: the header has {'; '.join(faults)}. Give every column a name of its own."
        )
    return columns


def _check_widths(rows: list[list[str]], lines: list[int], width: int, name: str) -> None:
    numbered = zip(lines, rows, strict=True)
    bad = [f"line {line} has {len(row)}" for line, row in numbered if len(row) != width]
    if bad:
        more = f", … and {len(bad) - 10} more" if len(bad) > 10 else ""
        advice = "Quote values that contain the delimiter."
        if width == 1:
            advice = "Is the first line no header? Take away what stands before it."
        raise SourceError(
            f"{name}: {len(bad)} of {len(rows)} rows don't have the {width} fields of the "
            f"header: {', '.join(bad[:10])}{more}. {advice}"
        )


def _read_parquet(path: Path) -> Table:
    try:
        frame = pd.read_parquet(path, dtype_backend="pyarrow")
    except ImportError as error:
        raise SourceError(
            f"{path}: reading Parquet needs pyarrow: pip install 'cnnkit[parquet]'"
        ) from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} can't be read as Parquet: {error}") from error
    if frame.index.names != [None]:
        frame = frame.reset_index()
    frame.columns = pd.Index(_column_names([str(column) for column in frame], path.name))
    left_out = [name for name in frame if str(frame[name].dtype).startswith(_NOT_TEXT)]
    notes = [f"{path.name}: columns that aren't text or numbers: {listing(left_out)}"]
    texts = {
        str(name): column.astype(object).map(str, na_action="ignore").fillna("").tolist()
        for name, column in frame.drop(columns=left_out).items()
    }
    return _table(texts, range(1, len(frame) + 1), notes if left_out else [])
