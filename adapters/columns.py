"""Columns that are named or have usual names, and what their values tell: the kind of task."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import pandas as pd

from cnnkit.adapters.errors import SourceError, did_you_mean, listing

Task = Literal["classification", "regression", "multilabel"]

# Among the columns of a customer table, a category or a species is more often a feature.
_TARGET_NAMES_OF_ROWS = (
    "target", "label", "class", "y", "outcome", "labels", "class_label", "class_name", "response",
    "churn", "churned", "survived",
)  # fmt: skip
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
# Not 007, which is a code, and not 1_2, both of which float() would read.
_NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MOST_CLASSES_AS_NUMBERS = 20
_TIMES_RARER = 100  # than a label that looks alike: then it is probably mistyped
_LONGEST_COMPARED = 60  # letters of a label that may be mistyped


def choose_column(frame: pd.DataFrame, column: str, name: str) -> str:
    """Return the column that the user named.

    Raises
    ------
    SourceError
        If the table `name` doesn't have it.

    Examples
    --------
    >>> choose_column(pd.DataFrame({"Label": []}), "label", "index.csv")
    Traceback (most recent call last):
    cnnkit.adapters.errors.SourceError: index.csv has no column 'label'. Did you mean 'Label'? \
Columns: 'Label'.
    """
    if column in frame.columns:
        return column
    raise _unknown_column(column, list(frame.columns), name)


def _unknown_column(column: str, names: Sequence[str], name: str) -> SourceError:
    hint = did_you_mean(column, names)
    columns = listing(names, limit=30)
    return SourceError(f"{name} has no column {column!r}.{hint} Columns: {columns}.")


def usual_target(names: Sequence[str]) -> str | None:
    """Find the column whose name says that it is predicted from all the others.

    Examples
    --------
    >>> usual_target(["age", "Outcome", "category"])
    'Outcome'
    >>> usual_target(["age", "height"]) is None
    True
    """
    found = columns_named(names, _TARGET_NAMES_OF_ROWS)
    return found[0] if found else None


def choose_range(names: Sequence[str], text: str, name: str) -> list[str]:
    """Return the columns from A to B, both included, of a range "A:B".

    Parameters
    ----------
    names : sequence of str
        All columns of the table, in order.
    text : str
        A and B are names, or numbers from 1 (where no column is called so). Without A the range
        begins at the first column, without B it ends at the last.
    name : str
        The table's, for messages.

    Raises
    ------
    SourceError
        If it is no range, a column isn't there, or B stands before A.

    Examples
    --------
    >>> choose_range(["id", "t0", "t1", "t2", "label"], "t0:t2", "ecg.csv")
    ['t0', 't1', 't2']
    >>> choose_range(["id", "t0", "t1", "t2", "label"], "4:", "ecg.csv")
    ['t2', 'label']
    """
    cuts = [(text[: cut.start()], text[cut.end() :]) for cut in re.finditer(":", text)]
    if not cuts:
        raise SourceError(f"columns {text!r}: expected a range such as 'first:last' or '3:66'.")
    # Names may hold colons too: the cut that leaves known names on both sides is meant.
    first, last = max(cuts, key=lambda sides: sum(_is_side(side, names) for side in sides))
    begin = _place(first, names, name) if first.strip() else 0
    end = _place(last, names, name) if last.strip() else len(names) - 1
    if begin > end:
        raise SourceError(
            f"columns {text!r}: {names[begin]!r} stands after {names[end]!r} in {name}; expected "
            "the first column of the range, then the last."
        )
    return list(names[begin : end + 1])


def _is_side(side: str, names: Sequence[str]) -> bool:
    return not side.strip() or side.strip() in names or side.strip().isdecimal()


def _place(side: str, names: Sequence[str], name: str) -> int:
    """Return the index of the column that one side of a range means."""
    side = side.strip()
    if side in names:
        return names.index(side)
    if not side.isdecimal():
        raise _unknown_column(side, names, name)
    if not 1 <= int(side) <= len(names):
        raise SourceError(
            f"{name} has no column number {side}: expected a number from 1 to {len(names)}."
        )
    return int(side) - 1


def columns_named(columns: Iterable[object], names: Sequence[str]) -> list[str]:
    """Return the columns that have one of the names, in any case; in the order of the names.

    Examples
    --------
    >>> columns_named(["Path", "label", "file"], ["file", "path"])
    ['file', 'Path']
    """
    by_lower = {str(column).lower(): str(column) for column in reversed(list(columns))}
    return [by_lower[name.lower()] for name in names if name.lower() in by_lower]


def is_number(text: str) -> bool:
    """Tell a number from other texts; 007 is a code.

    Examples
    --------
    >>> [is_number(text) for text in ("-1.5e3", " 7 ", "007", "1_2", "nan")]
    [True, True, False, False, False]
    """
    return _NUMBER.fullmatch(text.strip()) is not None


def guess_task(values: Sequence[str]) -> Task:
    """Tell numbers to be predicted from names (or numbers) of classes.

    More than 20 different numbers, or numbers that aren't whole, are predicted as numbers.

    Parameters
    ----------
    values : sequence of str
        Targets; empty ones and words like NA don't count.

    Examples
    --------
    >>> guess_task(["0", "1", "1"]), guess_task(["0.5", "1", "NA"])
    ('classification', 'regression')
    >>> guess_task([str(year) for year in range(1990, 2020)])
    'regression'
    """
    distinct = {value.strip() for value in values}
    distinct = {value for value in distinct if value.lower() not in MISSING}
    if not distinct or not all(map(is_number, distinct)):
        return "classification"
    numbers = {float(value) for value in distinct}
    whole = all(number.is_integer() for number in numbers)
    return "classification" if whole and len(numbers) <= _MOST_CLASSES_AS_NUMBERS else "regression"


def parse_number(value: str) -> float:
    """Read a regression target; NaN where it is no finite number.

    Examples
    --------
    >>> parse_number(" 1e3 "), parse_number("1,5")
    (1000.0, nan)
    """
    try:
        number = float(value)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def similar_labels(labels: Sequence[str]) -> list[str]:
    """Report labels that differ only in case or blanks, or look mistyped; they are never merged.

    Mistyped is what is a letter away from a label that is at least 100 times as frequent.

    Examples
    --------
    >>> similar_labels(["dog", "Dog", "dog", "cat"])
    ["labels 'Dog' (1) and 'dog' (2) differ only in case"]
    >>> similar_labels(["spam"] * 1000 + ["spma"])
    ["label 'spma' (1) looks like 'spam' (1,000)"]
    """
    counts = Counter(labels)
    alike = defaultdict(list)
    for label in sorted(counts):
        alike[label.strip().casefold()].append(label)
    sentences = []
    for group in alike.values():
        if len(group) > 1:
            blanks = len({label.strip() for label in group}) < len(group)
            case = len({label.casefold() for label in group}) < len(group)
            kinds = ["case"] * case + ["surrounding blanks"] * blanks
            names = " and ".join(f"{label!r} ({counts[label]})" for label in group)
            difference = " and ".join(kinds or ["case", "surrounding blanks"])
            sentences.append(f"labels {names} differ only in {difference}")
    return sentences + _mistyped(counts)


def _mistyped(counts: Counter[str]) -> list[str]:
    """Report rare labels that are one edit away from a frequent one."""
    short = {label: count for label, count in counts.items() if len(label) <= _LONGEST_COMPARED}
    by_variant = defaultdict(set)
    for label, count in short.items():
        for variant in _without_a_letter(label) if count >= _TIMES_RARER else ():
            by_variant[variant].add(label)
    sentences = []
    for rare in sorted(short) if by_variant else ():
        near = {label for variant in _without_a_letter(rare) for label in by_variant[variant]}
        for label in sorted(near):
            often = counts[label] >= _TIMES_RARER * counts[rare]
            if often and _is_one_edit_apart(rare.strip().casefold(), label.strip().casefold()):
                sentences.append(
                    f"label {rare!r} ({counts[rare]:,}) looks like {label!r} ({counts[label]:,})"
                )
    return sentences


def _without_a_letter(label: str) -> list[str]:
    """Return the label and what is left of it without one letter; two that are near share one."""
    label = label.strip().casefold()
    return [label, *(label[:place] + label[place + 1 :] for place in range(len(label)))]


def _is_one_edit_apart(first: str, second: str) -> bool:
    """Tell labels that differ by a letter: one more, one less, another, or two that are swapped.

    Short ones, and those that differ in a digit, mean different things.
    """
    digits = re.compile(r"\d")
    if min(len(first), len(second)) < 4 or digits.sub("", first) == digits.sub("", second):
        return False
    pairs = enumerate(zip(first, second, strict=False))
    head = next((place for place, (a, b) in pairs if a != b), min(len(first), len(second)))
    rest, other = first[head:], second[head:]
    swapped = rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return swapped or rest[1:] == other[1:] or rest[1:] == other or rest == other[1:]
