"""From what the user brought to a table that is ready for the test."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.encoding import encode, encoded_as, widths
from cnnkit.cnncore.swap_test.folds import make_folds
from cnnkit.cnncore.swap_test.oddities import find_one_hot, odd_target, odd_values
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.result import UnitInfo
from cnnkit.cnncore.swap_test.target import TableError, Target, Task, make_target
from cnnkit.cnncore.swap_test.units import Unit, find_units

MOST_CELLS = 1_000_000  # rows times columns; what takes about a minute on two cores
FEWEST_ROWS = 200  # however many columns there are
RARE = 10  # rows of a class that are all taken
STRETCHES = 30  # of time, of which each counts as one row for the width of intervals


@dataclass(frozen=True, eq=False)
class Preparation:
    """A prepared table, and what was decided on the way.

    Parameters
    ----------
    table : PreparedTable
    groups : int64 array [n] or None
        Rows that belong together, or stretches of time.
    rows_total : int
        Rows with a known target, before some were drawn.
    units : tuple of UnitInfo
    set_aside : dict of str to str
    notes : list of str
    """

    table: PreparedTable
    groups: NDArray[np.int64] | None
    rows_total: int
    units: tuple[UnitInfo, ...]
    set_aside: dict[str, str]
    notes: list[str]


def prepare(
    X: Any,
    y: Any,
    *,
    target_name: str | None,
    task: Task | Literal["auto"],
    folds: int,
    together: Sequence[Sequence[Any]] | None,
    shape: tuple[int, int] | None,
    groups: Any,
    time: Any,
    max_rows: int,
    seed: int,
) -> Preparation:
    """Choose rows and units, draw folds, and encode the units in each fold.

    Parameters are those of `swap_test`; `together` is its `units`.

    Raises
    ------
    TableError
        If the table can't be tested as it stands.
    """
    frame = as_frame(X)
    if y is None:
        raise TableError("there is no target: give y, one value for each row of X")
    if isinstance(y, str):
        if y not in frame.columns:
            raise TableError(f"X has no column {y!r} to predict")
        frame, y = frame.drop(columns=y), frame[y]
    name = target_name or str(getattr(y, "name", None) or "y")
    if len(frame) != len(y):
        raise TableError(f"X has {len(frame):,} rows, y has {len(y):,}: expected one target a row")
    target, known, notes = make_target(y, name=name, task=task, least=folds)
    most = max(FEWEST_ROWS, MOST_CELLS // max(frame.shape[1], 1))
    kept = choose_rows(target, min(max_rows, most), seed)
    if len(kept) < len(known):
        by_class = "" if target.classes is None else ", of rare classes more than their share"
        notes.append(
            f"{len(kept):,} of {len(known):,} rows were drawn at random for the test{by_class}"
        )
    rows = known[kept]
    target = target[kept]
    when = None if time is None else _one_a_row("time", time, len(frame))[rows]
    if when is not None and when.dtype.kind not in "biufmM":
        raise TableError(
            f"time holds {when.dtype}: expected numbers or datetimes, which have an order"
        )
    group = None
    if groups is not None:
        codes, _ = pd.factorize(
            _one_a_row("groups", groups, len(frame))[rows], use_na_sentinel=True
        )
        if (codes < 0).any():
            notes.append(f"{(codes < 0).sum():,} rows without a group were taken as one group")
        group = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    drawn, fold_notes = make_folds(target, folds=folds, groups=group, time=when, seed=seed)
    found = find_units(frame.iloc[rows].reset_index(drop=True), keep_all=shape is not None)
    if not found.units:
        reasons = [f"{column!r} ({why})" for column, why in found.set_aside.items()][:5]
        raise TableError(f"no column can be used: {', '.join(reasons) or 'there is none'}")
    one_hot = find_one_hot(found.units) if together is None and shape is None else []
    blocks = join_units(found.units, one_hot if together is None else together, found.set_aside)
    units = [unit for block in blocks for unit in block]
    columns = widths(units, target)
    if when is not None:
        group = np.argsort(np.argsort(when, kind="stable")) * STRETCHES // len(when)
    designs = tuple(encode(units, target, train, groups=group, seed=seed) for train, _ in drawn)
    table = PreparedTable(
        designs=designs,
        widths=_block_widths(blocks, columns),
        folds=drawn,
        target=target,
        shape=check_shape(shape, columns),
        groups=group,
    )
    infos = tuple(
        UnitInfo(unit.name, unit.kind, width, encoded_as(unit, target))
        for unit, width in zip(units, columns, strict=True)
    )
    joined = [
        f"{names[0]!r} to {names[-1]!r} are one category written as {len(names)} columns of 0 and "
        "1: they move together"
        for names in one_hot
    ]
    # What changes the data comes before what was merely guessed.
    warned = [*odd_target(target), *odd_values(found.units), *joined]
    notes = [*warned, *notes[1:], *fold_notes, *found.notes, *notes[:1]]
    return Preparation(table, group, len(known), infos, found.set_aside, notes)


def as_frame(X: Any) -> pd.DataFrame:
    """Take a DataFrame as it is, and name the columns of an array "column 1", "column 2", …

    Raises
    ------
    TableError
        If it has no two axes, or no rows.
    """
    if isinstance(X, pd.DataFrame):
        frame = X
    else:
        values = np.asarray(X)
        if values.ndim != 2:
            raise TableError(f"X has the shape {values.shape}: expected rows and columns")
        frame = pd.DataFrame(values, columns=[f"column {i + 1}" for i in range(values.shape[1])])
    if not len(frame):
        raise TableError("the table has no rows")
    return frame


def choose_rows(target: Target, most: int, seed: int) -> IntArray:
    """Draw at most so many rows, classes in proportion but rare ones 10 each; in their order."""
    n = len(target)
    if n <= most:
        return np.arange(n)
    generator = np.random.default_rng(seed)
    if target.classes is None:
        return np.sort(generator.choice(n, most, replace=False))
    classes = target.values.astype(np.int64)
    counts = np.bincount(classes)
    quota = _quota(counts, most)
    drawn = generator.permutation(n)
    by_class = drawn[np.argsort(classes[drawn], kind="stable")]
    place_in_class = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(by_class[place_in_class < np.repeat(quota, counts)])


def _quota(counts: IntArray, most: int) -> IntArray:
    """Share `most` rows among classes; what is left after rounding goes to the largest shares."""
    rare = counts * most < RARE * counts.sum()
    kept = np.where(rare, np.minimum(counts, RARE), 0)
    if rare.all() or kept.sum() + (~rare).sum() > most:
        rare, kept = np.zeros_like(rare), np.zeros_like(kept)
    shares = np.where(rare, 0, counts) * (most - kept.sum()) / counts[~rare].sum()
    quota = kept + shares.astype(np.int64)
    quota[np.argsort(quota - kept - shares, kind="stable")[: most - quota.sum()]] += 1
    return np.asarray(quota, dtype=np.int64)


def join_units(
    units: Sequence[Unit],
    together: Sequence[Sequence[Any]] | None,
    set_aside: Container[str] = (),
) -> list[list[Unit]]:
    """Put units that move together into one block, where the first of them stands.

    Raises
    ------
    TableError
        If a column is named twice, or isn't there.
    """
    if any(isinstance(block, str) for block in together or ()):
        raise TableError("`units` lists names: expected lists of names, one for each unit")
    wanted = [
        [str(name) for name in block if str(name) not in set_aside] for block in together or ()
    ]
    names = [name for block in wanted for name in block]
    by_name = {unit.name: unit for unit in units}
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"`units` names {', '.join(map(repr, twice))} more than once")
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise TableError(
            f"`units` names {', '.join(map(repr, unknown[:5]))}: not among the usable columns "
            f"({', '.join(map(repr, list(by_name)[:10]))}, …)"
        )
    block_of = {name: block for block in wanted for name in block}
    joined: list[list[Unit]] = []
    seen: set[str] = set()
    for unit in units:
        if unit.name not in seen:
            block = block_of.get(unit.name, [unit.name])
            joined.append([by_name[name] for name in block])
            seen.update(block)
    return joined


def check_shape(shape: tuple[int, int] | None, columns: Sequence[int]) -> tuple[int, int]:
    """Return the image that the encoded columns form.

    Raises
    ------
    TableError
        If the units don't fill the shape one by one.
    """
    if shape is None:
        return 1, sum(columns)
    if len(shape) != 2 or not all(type(size) is int and size > 0 for size in shape):
        raise TableError(f"shape {shape}: expected (rows, columns), two whole numbers above 0")
    rows, width = shape
    if rows * width != len(columns):
        raise TableError(
            f"shape {rows}x{width} has {rows * width} pixels, but {len(columns)} columns can be "
            "used: every column must be one pixel"
        )
    if max(columns) > 1:
        raise TableError(
            f"shape {rows}x{width} needs one number for each pixel, but some columns have "
            "categories, text or missing values"
        )
    return shape


def _one_a_row(name: str, values: Any, rows: int) -> NDArray[Any]:
    found = np.asarray(values)
    if found.shape != (rows,):
        raise TableError(
            f"{name} has the shape {found.shape}: expected one for each of {rows} rows"
        )
    return found


def _block_widths(blocks: Sequence[Sequence[Unit]], columns: Sequence[int]) -> tuple[int, ...]:
    ends = np.cumsum([len(block) for block in blocks])
    sizes = np.add.reduceat(np.asarray(columns), np.r_[0, ends[:-1]])
    return tuple(int(size) for size in sizes)
