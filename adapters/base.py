"""The contract of an adapter: raw items in, image-like arrays out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from cnnkit.adapters.errors import shorten
from cnnkit.adapters.label_by_label import by_target
from cnnkit.adapters.row_columns import RowColumns
from cnnkit.cnncore.image import ImageSpec, Problem, Recipe, Renderer, Samples

if TYPE_CHECKING:
    from cnnkit.cnncore.swap_test.result import SwapTestResult


class BadItemsError(ValueError):
    """Some items could not be read, where a result for every item was asked for."""

    def __init__(self, problems: Sequence[Problem], total: int) -> None:
        super().__init__(tuple(problems), total)  # what pickle, between processes, hands on
        self.problems = tuple(problems)
        self.total = total

    def __str__(self) -> str:
        lines = [f"{len(self.problems)} of {self.total} items could not be read:"]
        lines += [f"  item {p.item} {shorten(p.value)!r}: {p.reason}" for p in self.problems[:10]]
        if len(self.problems) > 10:
            more = len(self.problems) - 10
            lines.append(f"  … and {more} more (all in `problems` of this error)")
        return "\n".join(lines)


class Adapter(TransformerMixin, BaseEstimator, ABC):
    """Turns one kind of raw item into images. Subclass it to bring a new kind of data to cnnkit.

    `__init__` only stores keyword parameters; what `fit` learns ends in an underscore and is JSON
    or arrays, so that a fitted adapter is saved without pickle.

    Attributes
    ----------
    name : str
        What `--adapter` calls it.
    item_columns : tuple of str
        Column names under which tables usually hold such items.
    items_are_files : bool
        Items are paths; in a table they are relative to the table.
    items_are_texts : bool
        Items are texts, which may be empty, and may stand in files of their own.
    baseline_name : str
        What tables call the baseline.
    demo_source : str
        Where the demo set comes from.
    split_kinds : tuple of str
        Ways to split by families that it offers, such as "scaffold".
    standardised : bool
        Its intensities are standardised by mean and scale of training items.
    rendering_only : tuple of str
        What `fit_reading` sets and `read` doesn't need: where only this differs from fold to fold
        of a cross-validation, nothing is read again.
    spec_ : ImageSpec
        What the images look like, known after `fit_reading`.
    recipe_ : Recipe
        How a network is best trained on them, known after `fit_reading`.
    decided_ : list of str
        What `fit_reading` found and chose, for people.
    """

    name: str
    item_columns: tuple[str, ...] = ()
    items_are_files: bool = False
    items_are_texts: bool = False
    baseline_name: str = "baseline"
    demo_source: str = "made on this machine from code and a seed"
    split_kinds: tuple[str, ...] = ()
    standardised: bool = True
    rendering_only: tuple[str, ...] = ()
    spec_: ImageSpec
    recipe_: Recipe
    decided_: list[str]

    def fit(self, items: Sequence[Any], y: ArrayLike | None = None) -> Self:
        """Learn from training items only: `fit_reading`, `read`, `fit_rendering`."""
        self.fit_read(items, y)
        return self

    def fit_read(self, items: Sequence[Any], y: ArrayLike | None = None) -> Samples:
        """Fit, and return the samples to train on, which were read on the way."""
        self.fit_reading(items, y)
        samples = self.read_training(items)
        altered = samples.version is not None
        self.fit_rendering(samples[samples.rows_of(samples.items)] if altered else samples)
        return samples

    @abstractmethod
    def fit_reading(self, items: Sequence[Any], y: ArrayLike | None = None) -> Self:
        """Choose everything that `read` depends on (cheap: headers, not contents)."""

    @abstractmethod
    def read(self, items: Sequence[Any]) -> Samples:
        """Read items into samples. A bad item becomes a `Problem`, never an exception."""

    def read_training(self, items: Sequence[Any]) -> Samples:
        """Read items for training: as `read`, with altered copies where an adapter makes some."""
        return self.read(items)

    @abstractmethod
    def fit_rendering(self, samples: Samples) -> Self:
        """Learn what the renderer needs from the training samples (mean and scale)."""

    @abstractmethod
    def renderer(self) -> Renderer:
        """Make the module that draws a batch of samples as images."""

    @abstractmethod
    def locate(self, item: Any, row: int, column: int) -> dict[str, Any]:
        """Say which place of the item a pixel shows, in the item's own units."""

    @abstractmethod
    def edge_labels(self, item: Any, axis: int, places: Sequence[int]) -> list[str]:
        """Name rows (axis 0) or columns (axis 1) of an item's image in the axis's unit."""

    @abstractmethod
    def fingerprints(self, items: Sequence[Any]) -> list[str]:
        """Digest each item's content: equal digests mean identical items."""

    @abstractmethod
    def baseline(self, task: str = "classification") -> BaseEstimator:
        """Make the simple model over items that a user would pick instead of a CNN."""

    def baseline_by_target(self) -> BaseEstimator:
        """Make the baseline of several numbers, some of them NaN: that of one, for each target."""
        return by_target(self.baseline("regression"))

    @abstractmethod
    def demo(self) -> tuple[list[Any], list[str]]:
        """Make a small labelled data set without a download: items and labels."""

    def row_columns(self) -> RowColumns | None:
        """Say which columns of a table make an item; None: an item stands in a single column."""
        return None

    def looks_like_item(self, value: str) -> bool | None:
        """Tell a cell that is an item from others, where no column has one of `item_columns`.

        None where that can't be told: most texts could be texts, or paths.
        """
        return None

    def families(self, items: Sequence[Any]) -> list[str | None] | None:
        """Name the family of each item for `split_kinds`: equal names stay on one side.

        None for an item that can't be read; None for all where an adapter knows no families.
        """
        return None

    def picture(self, item: Any) -> NDArray[np.uint8] | None:
        """Draw an item as people know it, uint8 [rows, columns, 3], red, green and blue.

        `cnnkit preview` shows it beside all channels of the image. None where there is no such
        picture, or the item can't be read: then the image speaks for itself.
        """
        return None

    def swap_test(
        self,
        items: Sequence[Any],
        y: ArrayLike,
        *,
        task: Literal["auto", "classification", "regression"] = "auto",
        groups: Sequence[Any] | None = None,
        seed: int = 0,
        device: str = "auto",
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> SwapTestResult | None:
        """Test on training items whether the order of their columns matters.

        None where that is no question: sounds, for example, have an order. `cnnkit fit` asks
        before it trains, and refuses where the order doesn't matter.
        """
        return None

    def transform(self, items: Sequence[Any]) -> NDArray[Any]:
        """Read and draw items as the network sees them, without augmentation.

        Returns
        -------
        ndarray [N, C, H, W]
            float32 intensities, or int64 category numbers.

        Raises
        ------
        BadItemsError
            If an item can't be read: every row in must be a row out.
        """
        samples = self.read_all(items)
        drawn = [pixels.numpy() for pixels in self.draw(samples)]
        if drawn:
            return np.concatenate(drawn)
        dtype = np.float32 if self.spec_.values == "intensity" else np.int64
        return np.zeros((0, *(length or 0 for length in self.spec_.shape)), dtype)

    def read_all(self, items: Sequence[Any]) -> Samples:
        """Read items of which none may be bad.

        Raises
        ------
        BadItemsError
            If an item can't be read.
        """
        check_is_fitted(self, "spec_")
        samples = self.read(items)
        rejected = [problem for problem in samples.problems if problem.rejected]
        if rejected:
            raise BadItemsError(rejected, len(items))
        return samples

    def draw(self, samples: Samples, batch_size: int = 256) -> Iterator[Tensor]:
        """Draw samples as the network sees them, without augmentation, a batch at a time.

        Yields
        ------
        Tensor [n, C, H, W]
        """
        renderer = self.renderer().eval()
        with torch.no_grad():
            for start in range(0, len(samples), batch_size):
                rows = np.arange(start, min(start + batch_size, len(samples)))
                yield renderer(samples[rows].to("cpu")).pixels
