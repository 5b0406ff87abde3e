"""Rows of a table as images: one pixel for each column, in the table's order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from cnnkit.adapters.base import Adapter
from cnnkit.adapters.row_columns import RowColumns
from cnnkit.adapters.table.baseline import BASELINE_NAME, make_baseline
from cnnkit.adapters.table.column import Column
from cnnkit.adapters.table.learning import Learnt, learn_columns, training_frame
from cnnkit.adapters.table.renderer import TableRenderer
from cnnkit.adapters.table.rows import read_rows, records
from cnnkit.cnncore.image import Axis, ImageSpec, Recipe, Samples

if TYPE_CHECKING:
    from cnnkit.cnncore.swap_test.result import SwapTestResult

FARTHEST = 5.0  # standard deviations from the mean, at which pixels are clipped
PERMUTATIONS = 99  # p can fall to 0.01; the networks are trained by `fit` itself
FEW_ROWS = 1_000


class TableAdapter(Adapter):
    """Turn rows of a table into images of one pixel for each column, in the given order.

    That suits tables whose neighbouring columns belong together: signals, spectra, pixels. So
    `cnnkit fit` first asks the swap test whether the order of the columns matters.

    An item is a row: a dict of column to value (text, number, date, None), with the same columns
    in every row. All rows together may also be a DataFrame. Which columns hold numbers, dates,
    categories or text, and how these are written, is found out from the training rows; constant and
    identifier-like columns are set aside.

    ======= ======== ==========================================================================
    channel name     pixel
    ======= ======== ==========================================================================
    0       value    the column's number, standardised by the training rows' mean and scale and
                     clipped to ±5; 0 where it is missing. Dates: days. Categories: of two
                     values 0 and 1; of more, the value's place among all from rare to common,
                     since names have no order. Text: its number of letters
    1       missing  1 where the cell is missing or can't be read, else 0; only if cells of the
                     training rows are missing
    ======= ======== ==========================================================================

    Parameters
    ----------
    shape : str, optional
        Rows x columns of the image, such as "8x8"; the table's columns fill it row by row, and
        constant ones hold their place. Default: one row.

    Attributes
    ----------
    decided_ : list of str
        What `fit` found in the columns, for people.

    Examples
    --------
    >>> rows = [{"a": i % 7, "b": f"{i % 5},5", "c": "xyz"[i % 3], "d": "A"} for i in range(20)]
    >>> adapter = TableAdapter().fit(rows[:10])
    >>> adapter.transform(rows[10:]).shape
    (10, 1, 1, 3)
    >>> adapter.locate(rows[10], row=0, column=1)
    {'column': 'b', 'value': '0,5'}
    """

    name = "table"
    baseline_name = BASELINE_NAME
    demo_source = "handwritten digits that scikit-learn ships"

    def __init__(self, *, shape: str | None = None) -> None:
        self.shape = shape

    def fit_reading(self, items: Iterable[Any], y: ArrayLike | None = None) -> Self:
        """Find out from the training rows what the columns hold, their mean and their scale.

        Raises
        ------
        ValueError
            If no item is a row, no column can be used, or they don't fill the shape.
        """
        items = records(items)
        learnt, height, width = self._learn(items)
        self.columns_ = [vars(column) for column in learnt.columns]
        self.row_columns_ = learnt.names
        with_missing = not all(column.is_whole for column in learnt.columns)
        self.spec_ = ImageSpec(
            channels=("value", "missing") if with_missing else ("value",),
            height=None if height == 1 else Axis("row", pixels=height),
            width=Axis("column", pixels=width),
        )
        # Training ends after so many epochs without progress: few rows need small batches.
        batch_size = 64 if len(items) >= FEW_ROWS else 32
        self.recipe_ = Recipe(samples_seen=60_000, batch_size=batch_size, learning_rate=4e-3)
        image = f"{height} × {width} pixels" + (", row by row" if height > 1 else "")
        self.decided_ = [*learnt.explain(), f"image: {image}, one for each column"]
        if with_missing:
            self.decided_.append("missing: cells are 0, and marked in a channel of their own")
        return self

    def read(self, items: Iterable[Any]) -> Samples:
        """Turn rows into standardised numbers; cells that can't be read are missing, and named."""
        check_is_fitted(self, "spec_")
        columns = self._columns()
        read = read_rows(records(items), columns)
        values = (read.values - [column.mean for column in columns]) / [
            column.scale for column in columns
        ]
        channels = [np.nan_to_num(values, nan=0.0).clip(-FARTHEST, FARTHEST)]
        if len(self.spec_.channels) > 1:
            channels.append(np.isnan(values))
        count = len(read.items)
        return Samples(
            values=np.hstack(channels).astype(np.float32),
            offsets=np.arange(count + 1, dtype=np.int64),
            items=read.items,
            summary=np.zeros((count, 0), dtype=np.float32),
            problems=read.problems,
        )

    def fit_rendering(self, samples: Samples) -> Self:
        """Learn nothing: rows are standardised when they are read, in double precision."""
        return self

    def renderer(self) -> TableRenderer:
        """Make the module that draws rows as images."""
        check_is_fitted(self, "spec_")
        return TableRenderer(len(self.spec_.channels), *self._size())

    def locate(self, item: Mapping[str, Any], row: int, column: int) -> dict[str, Any]:
        """Say which column of the table a pixel shows, and its value in this row.

        Raises
        ------
        IndexError
            If the image has no such pixel.
        """
        height, width = self._size()
        if not (0 <= row < height and 0 <= column < width):
            raise IndexError(
                f"pixel ({row}, {column}): the image has {height} rows and {width} columns"
            )
        name = self._columns()[row * width + column].name
        value = item[name]
        plain = value is None or isinstance(value, str | int | float | np.generic)
        return {"column": name, "value": value if plain else str(value)}

    def edge_labels(self, item: Any, axis: int, places: Sequence[int]) -> list[str]:
        """Name pixels by their column; rows by the first column in them."""
        height, width = self._size()
        names = [column.name for column in self._columns()]
        if axis == 0:
            return [names[place * width] if height > 1 else "" for place in places]
        return [names[place] for place in places]

    def fingerprints(self, items: Iterable[Any]) -> list[str]:
        """Digest each row's columns and values, in whatever order they stand."""
        return [_digest(item) for item in records(items)]

    def baseline(self, task: str = "classification") -> BaseEstimator:
        """Make gradient-boosted trees over the same numbers."""
        return make_baseline(task)

    def demo(self) -> tuple[list[dict[str, float]], list[str]]:
        """Take scikit-learn's handwritten digits: 1,797 rows of 64 pixels."""
        from sklearn.datasets import load_digits

        pixels, digits = load_digits(return_X_y=True, as_frame=True)
        return pixels.to_dict("records"), [str(digit) for digit in digits]

    def row_columns(self) -> RowColumns:
        """Say which columns a row must have: once fitted, those that are used."""
        if not hasattr(self, "columns_"):
            return RowColumns()
        needed = tuple(column.name for column in self._columns())
        return RowColumns(needed, known=tuple(self.row_columns_))

    def swap_test(
        self,
        items: Iterable[Any],
        y: ArrayLike,
        *,
        task: Literal["auto", "classification", "regression"] = "auto",
        groups: Sequence[Any] | None = None,
        seed: int = 0,
        device: str = "auto",
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> SwapTestResult:
        """Test whether the columns' order matters, without the networks trained beside the test.

        `cnnkit.cnncore.swap_test.swap_test` describes parameters and result.

        Raises
        ------
        ValueError
            If the columns can't be used (as for `fit_reading`), or the rows can't be tested.
        """
        from cnnkit.cnncore.swap_test.procedure import swap_test

        items = records(items)
        shape = None if self.shape is None else self._learn(items)[1:]
        frame, rows = training_frame(items)
        return swap_test(
            frame,
            np.asarray(y)[rows],
            n_permutations=PERMUTATIONS,
            shape=shape,
            groups=None if groups is None else np.asarray(groups)[rows],
            random_state=seed,
            device=device,
            time_limit=0.0,
            task=task,
            on_progress=on_progress,
        )

    def _learn(self, items: Sequence[Any]) -> tuple[Learnt, int, int]:
        """Find out what the columns hold, and how many rows and columns of pixels they are."""
        if self.shape is None:
            learnt = learn_columns(items)
            return learnt, 1, len(learnt.columns)
        height, width = parse_shape(self.shape)
        learnt = learn_columns(items, keep_constant=True)
        if height * width != len(learnt.columns):
            raise ValueError(_misfit(height, width, learnt))
        return learnt, height, width

    def _columns(self) -> list[Column]:
        return [Column(**state) for state in self.columns_]

    def _size(self) -> tuple[int, int]:
        _, height, width = self.spec_.shape
        assert height is not None
        assert width is not None
        return height, width


def parse_shape(text: str) -> tuple[int, int]:
    """Read an image's rows and columns.

    Raises
    ------
    ValueError
        If it is no shape.

    Examples
    --------
    >>> parse_shape("8x16")
    (8, 16)
    """
    match = re.fullmatch(r"\s*([1-9]\d*)\s*[x×]\s*([1-9]\d*)\s*", str(text).lower())
    if match is None:
        raise ValueError(f"shape {text!r}: expected rows x columns, such as 8x8")
    return int(match[1]), int(match[2])


def _misfit(height: int, width: int, learnt: Learnt) -> str:
    reasons = [f"{name!r} ({why})" for name, why in learnt.set_aside.items()]
    aside = f"; set aside: {', '.join(reasons[:5])}" if reasons else ""
    return (
        f"shape {height}x{width} has {height * width:,} pixels, but {len(learnt.columns):,} of "
        f"{len(learnt.names):,} columns can be used{aside}. Every column must be one pixel."
    )


def _digest(item: Any) -> str:
    cells = sorted(item.items()) if isinstance(item, Mapping) else item
    return hashlib.blake2b(repr(cells).encode(), digest_size=16).hexdigest()
