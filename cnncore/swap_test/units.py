"""Finds what each column of a table holds, and sets aside the columns that can't help."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype, is_datetime64_any_dtype, is_timedelta64_dtype

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.date_text import days_since_1970, read_dates
from cnnkit.cnncore.swap_test.number_text import (
    MISSING_WORDS,
    Float64Array,
    holds_numbers,
    read_numbers,
)
from cnnkit.cnncore.swap_test.target import TableError, listing

Kind = Literal["number", "category", "date", "text"]

_LEAST_READ = 0.9  # of the filled values, to take a column for numbers or dates
_LEAST_WORDS = 6  # a value, on average, in free text
_MOST_LABELS = 20  # of so many words
_LEAST_FILLED = 10  # of an identifier
_DENSE = 1.1  # times as many whole numbers as row numbers, at most
_IDENTIFIERS = frozenset(
    {"id", "uuid", "guid", "name", "surname", "firstname", "lastname", "fullname", "username",
     "email", "mail", "phone", "telephone", "mobile", "address", "street", "url", "iban", "ssn"}
)  # fmt: skip
_PART_OF_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_READERS: tuple[tuple[Kind, Callable[[Sequence[str]], tuple[Float64Array, str]]], ...] = (
    ("number", read_numbers),
    ("date", read_dates),
)


@dataclass(frozen=True, eq=False)
class Unit:
    """One column of a table, as it was read.

    Parameters
    ----------
    name : str
    kind : "number", "category", "date" or "text"
    values : array [n]
        Number, date (days since the earliest): float64, NaN where missing. Category: int64 places
        in `levels`, -1 where missing. Text: object array of str, "" where missing.
    levels : tuple of str
        Of a category; else empty.
    note : str
        What had to be decided to read it, or "".
    """

    name: str
    kind: Kind
    values: NDArray[Any]
    levels: tuple[str, ...] = ()
    note: str = ""

    def __getitem__(self, rows: IntArray) -> Unit:
        """Return the unit at `rows`, int64 [m]; the levels stay the same."""
        return replace(self, values=self.values[rows])

    def missing(self) -> NDArray[np.bool_]:
        """Tell which values are missing: bool [n]."""
        if self.kind == "category":
            return np.asarray(self.values < 0)
        return np.asarray(self.values == "") if self.kind == "text" else np.isnan(self.values)


@dataclass(frozen=True, eq=False)
class Units:
    """The usable columns of a table in their given order, and the others.

    Parameters
    ----------
    units : tuple of Unit
    set_aside : dict of str to str
        Columns that can't help, and why.
    notes : tuple of str
        What was decided to read the columns, and which hold the same values.
    """

    units: tuple[Unit, ...]
    set_aside: dict[str, str]
    notes: tuple[str, ...]


def find_units(frame: pd.DataFrame, *, keep_all: bool = False) -> Units:
    """Find out what each column of a table holds.

    A column is a number or a date where at least 90 % of its filled values can be read as one
    (the others become missing), free text where they have 6 words on average and more than a few
    different ones, else a category. Constant and empty columns are set aside, and those that
    identify rows: strings that mostly differ, row numbers. The target isn't looked at.

    Parameters
    ----------
    frame : DataFrame [n rows]
        With proper types, or all values as strings ("" where missing).
    keep_all : bool
        Set nothing aside: a pixel that never varies still has its place in an image.

    Raises
    ------
    TableError
        If two columns have the same name.

    Examples
    --------
    >>> frame = pd.DataFrame({"price": ["1,5", "2,5", ""], "size": ["S", "L", "L"], "shop": "A"})
    >>> found = find_units(frame)
    >>> [(unit.name, unit.kind, unit.values.tolist()) for unit in found.units]
    [('price', 'number', [1.5, 2.5, nan]), ('size', 'category', [1, 0, 0])]
    >>> found.set_aside, found.notes
    ({'shop': "always 'A'"}, ("'price': the comma is the decimal mark ('1,5' is 1.5)",))
    """
    names = [str(name) for name in frame.columns]
    twice = [repr(name) for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"columns with the same name: {listing(twice)}; rename them")
    read = [_read(name, column) for name, (_, column) in zip(names, frame.items(), strict=True)]
    reasons = {unit.name: "" if keep_all else _reason_to_set_aside(unit) for unit in read}
    units = tuple(unit for unit in read if not reasons[unit.name])
    set_aside = {name: reason for name, reason in reasons.items() if reason}
    return Units(units, set_aside, _notes(units))


def _read(name: str, column: pd.Series[Any]) -> Unit:
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = column.cat.remove_unused_categories().cat
        levels = tuple(str(level) for level in used.categories)
        return Unit(name, "category", used.codes.to_numpy(np.int64), levels)
    if holds_numbers(column):
        return _measure(name, "number", column.to_numpy(np.float64, na_value=np.nan), [])
    if is_datetime64_any_dtype(column.dtype):
        return _measure(name, "date", days_since_1970(column), [])
    if is_timedelta64_dtype(column.dtype):
        days = column.to_numpy() / np.timedelta64(1, "D")
        return _measure(name, "number", days, ["counted in days"])
    return _read_texts(name, column)


def _read_texts(name: str, column: pd.Series[Any]) -> Unit:
    """Find out what strings, or a mixture of objects, stand for."""
    codes, words, notes = _different_words(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    for kind, read in _READERS if words else ():
        values, convention = read(words)
        unread = np.isnan(values)
        if counts[~unread].sum() >= _LEAST_READ * counts.sum():
            if unread.any():
                odd = listing([repr(words[place]) for place in np.flatnonzero(unread)], 3)
                n_odd = counts[unread].sum()
                notes.append(f"read as missing, being no {kind}: {odd} ({n_odd:,} in all)")
            notes += [convention] * bool(convention)
            return _measure(name, kind, np.append(values, np.nan)[codes], notes)
    n_words = sum(count * len(word.split()) for word, count in zip(words, counts, strict=True))
    many = len(words) > min(_MOST_LABELS, counts.sum() / 2)
    if many and n_words >= _LEAST_WORDS * counts.sum():
        texts = np.array([*words, ""], dtype=object)
        return Unit(name, "text", texts[codes], note="; ".join(notes))
    levels = sorted(words)
    places = {level: place for place, level in enumerate(levels)}
    place_of = np.array([*(places[word] for word in words), -1], dtype=np.int64)
    return Unit(name, "category", place_of[codes], tuple(levels), "; ".join(notes))


def _different_words(column: pd.Series[Any]) -> tuple[IntArray, list[str], list[str]]:
    """Return codes [n] (-1 where missing) of the different texts, these, and what there is to say.

    Each text is looked at once, however often it stands there. Blanks around it are left out.
    """
    if infer_dtype(column, skipna=True) != "string":
        column = column.astype(object).map(str, na_action="ignore")
    codes, distinct = pd.factorize(column)
    texts = [text.strip() for text in distinct]
    odd = {text for text in texts if len(text) < 5 and text.lower() in MISSING_WORDS}
    words = [None if text in odd else text for text in texts]
    if words != list(distinct):
        # The last one is that of code -1, a missing value.
        code_of_text, distinct = pd.factorize(pd.Series([*words, None], dtype=object))
        codes = code_of_text[codes]
    said = sorted(repr(text) for text in odd if text)
    return codes, list(distinct), [f"read as missing: {listing(said)}"] if said else []


def _measure(name: str, kind: Kind, values: Float64Array, notes: list[str]) -> Unit:
    """Make a unit of numbers or of days."""
    infinite = np.isinf(values)
    if infinite.any():
        values = np.where(infinite, np.nan, values)
        notes = [*notes, f"read as missing, being infinite: {infinite.sum():,} values"]
    if kind == "date" and not np.isnan(values).all():
        values = values - np.nanmin(values)
    return Unit(name, kind, values, note="; ".join(notes))


def _reason_to_set_aside(unit: Unit) -> str:
    missing = unit.missing()
    filled = unit.values[~missing]
    if not len(filled):
        return "empty"
    if not missing.any() and (filled == filled[0]).all():
        return f"always {_write(unit, filled[0])}"
    if len(filled) < _LEAST_FILLED:
        return ""
    n_filled, is_named = len(filled), _is_named_as_identifier(unit.name)
    if unit.kind == "category":
        few = max(_MOST_LABELS, n_filled / 10) if is_named else n_filled
        if len(unit.levels) > min(few, n_filled / 2):
            return _identifier(len(unit.levels), n_filled)
    if unit.kind == "number" and (filled % 1 == 0).all():
        if (filled[1:] > filled[:-1]).all():
            return "row number: rises from row to row"
        is_dense = filled.max() < filled.min() + _DENSE * n_filled
        if (is_dense or is_named) and len(np.unique(filled)) == n_filled:
            return _identifier(n_filled, n_filled)
    return ""


def _identifier(n_different: int, n_filled: int) -> str:
    return f"identifier: {n_different:,} different values in {n_filled:,} rows"


def _is_named_as_identifier(name: str) -> bool:
    return not _IDENTIFIERS.isdisjoint(part.lower() for part in _PART_OF_NAME.findall(name))


def _write(unit: Unit, value: Any) -> str:
    if unit.kind == "date":
        return "the same date"
    if unit.kind == "number":
        return f"{value:.15g}"
    return repr(unit.levels[value] if unit.levels else value)


def _notes(units: Sequence[Unit]) -> tuple[str, ...]:
    """Write what was decided, and which columns are alike, each once for all columns."""
    decided, alike = defaultdict(list), defaultdict(list)
    for unit in units:
        decided[unit.note].append(repr(unit.name))
        held = "\0".join(unit.values) if unit.kind == "text" else unit.values.tobytes()
        alike[unit.kind, unit.levels, hash(held)].append(repr(unit.name))
    notes = [f"{listing(names)}: {note}" for note, names in decided.items() if note]
    groups = [names for names in alike.values() if len(names) > 1]
    return (*notes, *(f"{listing(names)} hold the same values" for names in groups))
