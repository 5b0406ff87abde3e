"""Reads tables that are written as JSON: one object a line, or one array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnnkit.adapters.errors import SourceError

JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})

_BLANK = re.compile(r"[ \t\r\n]*")
_LISTED = 10  # bad lines that are told one by one


@dataclass(frozen=True)
class JsonRows:
    """Objects as rows.

    Parameters
    ----------
    columns : dict of str to list of str
        Keys in the order in which they appear; a key that an object lacks is "" there.
    lines : list of int
        Line of the file, from 1, where each object begins.
    nested : dict of (row, column) to str
        Cells that hold an object or a list, which stand in `columns` as "", and which of both.
    """

    columns: dict[str, list[str]]
    lines: list[int]
    nested: dict[tuple[int, str], str]


def read_json_rows(text: str, name: str) -> JsonRows:
    r"""Read objects as rows of text: numbers, true and false as JSON writes them, null as "".

    Parameters
    ----------
    text : str
        Begins with `[`: one array of objects. Else every line that isn't blank is an object.
    name : str
        The file's, for messages.

    Raises
    ------
    SourceError
        If something isn't JSON, is no object, or has a key twice; all such lines are told.

    Examples
    --------
    >>> rows = read_json_rows('{"text": "NA", "n": 1.50}\n\n{"text": null, "ok": true}', "a.jsonl")
    >>> rows.columns
    {'text': ['NA', ''], 'n': ['1.50', ''], 'ok': ['', 'true']}
    >>> rows.lines
    [1, 3]
    """
    is_array = text.startswith("[", _end_of_blank(text, 0))
    found = list(_elements(text, name) if is_array else _lines(text))
    faults = [(line, value.fault) for line, value in found if isinstance(value, _Fault)]
    faults += [
        (line, f'expected an object such as {{"text": "…"}}, found {_kind(value)}')
        for line, value in found
        if not isinstance(value, dict | _Fault)
    ]
    if faults:
        if isinstance(_decode(text), dict):
            raise SourceError(f"{name} is one JSON object; expected an array of objects.")
        told = [f"  {name}:{line}: {fault}" for line, fault in sorted(faults)[:_LISTED]]
        more = [f"  … and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
        count = f"{len(faults)} of its {len(found)} lines can't be read"
        raise SourceError("\n".join([f"{name}: {count} as JSON:", *told, *more]))
    return _as_columns([value for _, value in found], [line for line, _ in found])


@dataclass(frozen=True)
class _Fault:
    fault: str


class _RepeatedKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise _RepeatedKeyError(f"the key {repeated!r} stands there more than once")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=str, strict=False
)


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if content.strip(" \t\r"):
            yield line, _decode(content)


def _decode(content: str) -> Any:
    try:
        return _DECODER.decode(content)
    except json.JSONDecodeError as error:
        return _Fault(f"column {error.colno}: {error.msg}")
    except (_RepeatedKeyError, RecursionError) as error:
        return _Fault(str(error))


def _elements(text: str, name: str) -> Iterator[tuple[int, Any]]:
    """Yield the elements of one array; where it breaks off, nothing after it can be read."""
    place = _end_of_blank(text, _end_of_blank(text, 0) + 1)
    line, counted, ended = 1, 0, text.startswith("]", place)
    while not ended:
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = _DECODER.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise SourceError(
                f"{name}:{error.lineno}: column {error.colno}: {error.msg}: the array isn't JSON."
            ) from error
        except (_RepeatedKeyError, RecursionError) as error:
            raise SourceError(f"{name}:{line}: {error}") from error
        yield line, value
        place = _end_of_blank(text, place)
        ended = text.startswith("]", place)
        if text.startswith(",", place):
            place = _end_of_blank(text, place + 1)
        elif not ended:
            at = json.JSONDecodeError("expected ',' or ']'", text, place)
            raise SourceError(f"{name}:{at.lineno}: column {at.colno}: {at.msg}")
    if rest := text[place + 1 :].strip():
        raise SourceError(f"{name}: something follows the array: {rest[:30]!r}")


def _end_of_blank(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    assert match is not None  # it may be empty
    return match.end()


def _as_columns(rows: list[dict[str, Any]], lines: list[int]) -> JsonRows:
    keys = dict.fromkeys(key for row in rows for key in row)
    columns = {key: [""] * len(rows) for key in keys}
    nested = {}
    for number, row in enumerate(rows):
        for key, value in row.items():
            if isinstance(value, dict | list):
                nested[number, key] = _kind(value)
            else:
                columns[key][number] = _as_text(value)
    return JsonRows(columns, lines, nested)


def _as_text(value: str | bool | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value).lower()


def _kind(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return "a single value"
