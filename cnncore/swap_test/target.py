"""What a table is to predict: classes or numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_float_dtype

from cnnkit.cnncore.errors import did_you_mean
from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.number_text import (
    MISSING_WORDS,
    Float64Array,
    holds_numbers,
    read_numbers,
)

Task = Literal["classification", "regression"]

_MOST_CLASSES_AS_NUMBERS = 20
_MANY_ROWS = 20
_CHOOSE_ANOTHER = "choose another target"


class TableError(ValueError):
    """The table or its target can't be tested as it stands."""


@dataclass(frozen=True, eq=False)
class Target:
    """The known targets of a table's rows.

    Parameters
    ----------
    name : str
    task : "classification" or "regression"
    values : int64 array [n] (class numbers) or float64 array [n] (numbers)
    classes : tuple of str or None
        Names of the classes, by number.
    """

    name: str
    task: Task
    values: NDArray[np.int64] | NDArray[np.float64]
    classes: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: NDArray[np.int64]) -> Target:
        """Return the targets at `rows`, int64 [m]; the classes stay the same."""
        return Target(self.name, self.task, self.values[rows], self.classes)

    def matrix(self) -> NDArray[np.float32]:
        """Return one column for each class (0 or 1), or one of z-scores: float32 [n, q]."""
        if self.classes is None:
            spread = self.values.std() or 1.0
            scores = (self.values - self.values.mean()) / spread
            return np.asarray(scores[:, None], dtype=np.float32)
        return np.eye(len(self.classes), dtype=np.float32)[self.values]


def make_target(
    y: ArrayLike | pd.Series[Any],
    *,
    name: str = "y",
    task: Task | Literal["auto"] = "auto",
    least: int = 2,
) -> tuple[Target, IntArray, list[str]]:
    """Read the column that is to be predicted.

    More than 20 different numbers, or numbers that aren't whole, are predicted as numbers;
    everything else as classes. Missing are empty values and, where all others are numbers, also
    words such as NA and numbers that aren't finite.

    Parameters
    ----------
    y : array-like [N]
        Numbers, bools, strings or dates; numbers may be written as strings.
    name : str
        Of the column, for messages.
    task : "auto", "classification" or "regression"
    least : int
        Classes with fewer rows are left out.

    Returns
    -------
    target : Target
        Of the n rows whose target is known; classes in the order of numbers or letters.
    rows : int64 array [n]
        Numbers of these rows, rising.
    notes : list of str
        What was guessed or left out.

    Raises
    ------
    TableError
        If no target is known, there is only one class or number, numbers can't be read, or the
        values only name or number the rows.

    Examples
    --------
    >>> target, rows, notes = make_target(["yes", "no", "", "no", "yes", "perhaps"])
    >>> target.values, target.classes, rows
    (array([1, 0, 0, 1]), ('no', 'yes'), array([0, 1, 3, 4]))
    >>> notes[-1]
    "classes of 'y' with fewer than 2 rows are left out: 'perhaps' (1)"
    """
    if task not in ("auto", *get_args(Task)):
        hint = did_you_mean(str(task), get_args(Task))
        raise ValueError(f'`task` is {task!r}: expected "auto" or one of {get_args(Task)}{hint}')
    column, notes = _read(y, name)
    known = column.dropna()
    if not len(known):
        raise TableError(
            f"all {len(column):,} values of column {name!r} are missing; {_CHOOSE_ANOTHER}"
        )
    if lost := len(column) - len(known):
        notes.append(f"rows without {name!r} are left out: {lost:,} of {len(column):,}")
    if task == "auto":
        task = _guess_task(known)
        kind = "classes" if task == "classification" else "a number"
        notes.append(f"{name!r} has {known.nunique():,} different values, predicted as {kind}")
    if task == "regression":
        return _numbers(known, name), known.index.to_numpy(np.int64), notes
    target, rows, more_notes = _classes(known, name, least)
    return target, rows, notes + more_notes


def listing(texts: Sequence[str], limit: int = 10) -> str:
    """Write the first texts, and how many more there are.

    Examples
    --------
    >>> listing(["a", "b", "c"], limit=2)
    'a, b, … and 1 more'
    """
    shown = ", ".join(texts[:limit])
    return shown + (f", … and {len(texts) - limit:,} more" if len(texts) > limit else "")


def _read(y: ArrayLike | pd.Series[Any], name: str) -> tuple[pd.Series[Any], list[str]]:
    """Return float64 where all values are numbers, else str; missing ones are NaN or None."""
    values = _one_column(y)
    if holds_numbers(values):
        return _finite(values.to_numpy(np.float64, na_value=np.nan), [], name)
    codes, distinct = pd.factorize(values.astype(object).map(str, na_action="ignore"))
    texts = [*distinct, ""]  # the last one is that of code -1, a missing value
    words = [text.strip() for text in texts]
    said = [word for word in words if word.lower() not in MISSING_WORDS]
    numbers, convention = read_numbers(said)
    if not np.isnan(numbers).any():
        known = dict(zip(said, numbers, strict=True))
        of_words = np.array([known.get(word, np.nan) for word in words])
        return _finite(of_words[codes], [f"{name!r}: {convention}"] * bool(convention), name)
    odd = sorted({repr(word) for word in words if word and word.lower() in MISSING_WORDS})
    notes = [f"{name!r}: read as a class, not as missing: {listing(odd)}"] if odd else []
    labels = [text if word else None for text, word in zip(texts, words, strict=True)]
    return pd.Series(np.array(labels, dtype=object)[codes], dtype=object), notes


def _one_column(y: ArrayLike | pd.Series[Any]) -> pd.Series[Any]:
    shape = np.shape(y)
    if len(shape) == 2 and shape[1] == 1:
        y = np.asarray(y)[:, 0]
    elif len(shape) != 1:
        raise TableError(f"`y` has the shape {shape}: expected one target for each row")
    return pd.Series(y)


def _finite(numbers: Float64Array, notes: list[str], name: str) -> tuple[pd.Series[Any], list[str]]:
    infinite = np.isinf(numbers)
    if infinite.any():
        notes = [*notes, f"{name!r}: read as missing, being infinite: {infinite.sum():,} values"]
    return pd.Series(np.where(infinite, np.nan, numbers)), notes


def _guess_task(known: pd.Series[Any]) -> Task:
    if not is_float_dtype(known.dtype):
        return "classification"
    whole = (known == np.floor(known)).all()
    few = known.nunique() <= _MOST_CLASSES_AS_NUMBERS
    return "classification" if whole and few else "regression"


def _numbers(known: pd.Series[Any], name: str) -> Target:
    if not is_float_dtype(known.dtype):
        words = [text.strip() for text in known.unique()]
        said = [word for word in words if word.lower() not in MISSING_WORDS]
        unread = np.isnan(read_numbers(said)[0])
        odd = [repr(word) for word, is_odd in zip(said, unread, strict=True) if is_odd]
        raise TableError(
            f"column {name!r} can't be predicted as a number: {listing(odd)} can't be read as "
            "one; correct these values or leave them empty, or predict classes"
        )
    values = known.to_numpy(np.float64)
    if values.min() == values.max():
        raise TableError(f"column {name!r} is always {values[0]:g}; {_CHOOSE_ANOTHER}")
    rows = known.index.to_numpy()
    if (values == values[0] + (rows - rows[0])).all():
        raise TableError(
            f"column {name!r} numbers the rows: {values[0]:g}, {values[1]:g}, …; {_CHOOSE_ANOTHER}"
        )
    return Target(name, "regression", values)


def _classes(known: pd.Series[Any], name: str, least: int) -> tuple[Target, IntArray, list[str]]:
    """Number the classes with enough rows; return also these rows, and what there is to say."""
    values, codes, counts = np.unique(known.to_numpy(), return_inverse=True, return_counts=True)
    if is_float_dtype(known.dtype):
        values = np.array([np.format_float_positional(value, trim="-") for value in values])
    labels = values.tolist()
    if len(labels) == 1:
        raise TableError(f"column {name!r} is always {labels[0]!r}; {_CHOOSE_ANOTHER}")
    mostly_differ = len(labels) > len(known) / 2 and len(known) >= _MANY_ROWS
    if mostly_differ or len(labels) == len(known):
        raise TableError(
            f"column {name!r} looks like an identifier: {len(labels):,} different values in "
            f"{len(known):,} rows; {_CHOOSE_ANOTHER}"
        )
    kept = counts >= least
    named = [f"{label!r} ({count:,})" for label, count in zip(labels, counts, strict=True)]
    if kept.sum() < 2:
        raise TableError(
            f"column {name!r} needs two classes with {least} or more rows, but its classes are "
            f"{listing(named)}; add rows, or {_CHOOSE_ANOTHER}"
        )
    notes = _similar_labels(labels, named)
    if not kept.all():
        few = listing([text for text, keep in zip(named, kept, strict=True) if not keep])
        notes.append(f"classes of {name!r} with fewer than {least} rows are left out: {few}")
    rows = np.flatnonzero(kept[codes])
    numbers = (np.cumsum(kept) - 1)[codes[rows]]
    classes = tuple(label for label, keep in zip(labels, kept, strict=True) if keep)
    return Target(name, "classification", numbers, classes), known.index.to_numpy()[rows], notes


def _similar_labels(labels: Sequence[str], named: Sequence[str]) -> list[str]:
    alike = defaultdict(list)
    for label, text in zip(labels, named, strict=True):
        alike[label.strip().casefold()].append(text)
    groups = [" and ".join(texts) for texts in alike.values() if len(texts) > 1]
    return [f"classes {group} differ only in case or blanks; they stay apart" for group in groups]
