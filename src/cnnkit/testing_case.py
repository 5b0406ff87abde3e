"""What the rules of the contract look at, and how they compare."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from cnnkit.adapters.base import Adapter
from cnnkit.cnncore.image import Images, ImageSpec, Samples, SparseRows
from cnnkit.cnncore.model_folder import to_json

FEWEST_ITEMS = 4
TOLERANCE = 1e-4  # of standardised pixels: batches of other sizes may be rounded otherwise


@dataclass(frozen=True)
class Case:
    """What a rule looks at.

    Parameters
    ----------
    adapter : Adapter
        To make new ones from: rules never fit it.
    items, labels : list
    bad_item : object
    """

    adapter: Adapter
    items: list[Any]
    labels: list[Any]
    bad_item: Any

    def new(self) -> Adapter:
        """Make an adapter that isn't fitted."""
        made: Adapter = clone(self.adapter)
        return made

    @cached_property
    def fitted(self) -> Adapter:
        """An adapter that is fitted to all items."""
        return self.new().fit(self.items, self.labels)

    @cached_property
    def samples(self) -> Samples:
        """All items, read."""
        return self.fitted.read(self.items)

    @cached_property
    def pixels(self) -> NDArray[Any]:
        """The images of all items."""
        return self.fitted.transform(self.items)

    def draw(self, *, training: bool = False, seed: int | None = None, view: int = 0) -> Images:
        """Draw the samples by a new renderer."""
        renderer = self.fitted.renderer().train(training)
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        with torch.no_grad():
            drawn: Images = renderer(self.samples.to("cpu"), generator, view)
        return drawn


def require(kept: bool | np.bool, found: str) -> None:
    """Raise AssertionError unless a rule is kept."""
    if not kept:
        raise AssertionError(found)


def require_spec(pixels: NDArray[Any], spec: ImageSpec, count: int, what: str) -> None:
    """Compare images with what the spec says of them."""
    shape = (count, *spec.shape)
    fits = len(shape) == pixels.ndim and all(
        expected in (None, length) for expected, length in zip(shape, pixels.shape, strict=True)
    )
    require(fits, f"{what} has the shape {pixels.shape}; `spec_` says {shape}")
    dtype = "int64" if spec.values == "index" else "float32"
    require(pixels.dtype == dtype, f"{what} is {pixels.dtype}; expected {dtype}")
    require(np.isfinite(pixels).all(), f"{what} holds NaN or infinity")
    if spec.values == "index":
        inside = spec.vocabulary is not None and ((pixels >= 0) & (pixels < spec.vocabulary)).all()
        require(inside, f"{what} holds numbers outside 0 to below {spec.vocabulary=}")


def image_count(drawn: Images, items: int) -> int:
    """Return how many images there should be of so many items."""
    if drawn.windows is None:
        return items
    require(
        drawn.windows.shape == (items,) and bool((drawn.windows >= 1).all()),
        f"windows are {drawn.windows.tolist()}; expected 1 or more for each of {items} items",
    )
    return int(drawn.windows.sum())


def first_images(drawn: Images) -> NDArray[Any]:
    """Return the first image of each item."""
    pixels = drawn.pixels
    if drawn.windows is not None:
        pixels = pixels[drawn.windows.cumsum(0) - drawn.windows]
    return pixels.numpy()


def require_same(pixels: NDArray[Any], expected: NDArray[Any], what: str) -> None:
    """Compare images that should be equal, on their common part where lengths differ.

    That is at the beginning of both, or in their middle.
    """
    size = np.minimum(pixels.shape[2:], expected.shape[2:])
    pairs = (
        (_part(pixels, size, middle), _part(expected, size, middle)) for middle in (False, True)
    )
    differ = min(
        (~np.isclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)).mean() if a.size else 0.0
        for a, b in pairs
    )
    require(differ == 0, f"{what}: {differ:.2%} of the pixels differ")


def _part(pixels: NDArray[Any], size: NDArray[Any], middle: bool) -> NDArray[Any]:
    rows, columns = (np.array(pixels.shape[2:]) - size) // 2 * middle
    return pixels[..., rows : rows + size[0], columns : columns + size[1]]


def require_sparse(side: SparseRows, count: int, width: int) -> None:
    """Compare sparse side features with what the spec says of them."""
    require(len(side.offsets) == count, f"{len(side.offsets)} rows of side features, not {count}")
    inside = (side.columns >= 0) & (side.columns < width)
    require(bool(inside.all()), f"side features of columns outside 0 to below {width}")
    require(bool(side.values.isfinite().all()), "side features hold NaN or infinity")


def require_json(value: Any, what: str) -> None:
    """Check that a value is made of what JSON holds, and of the contract's types."""
    try:
        json.dumps(to_json(value))
    except TypeError as error:
        raise AssertionError(f"{what}: {error}") from None
