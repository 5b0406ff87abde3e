"""Arrays that are images already, and rows of a table as 1 × F images."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnkit.cnncore.image import Axis, Batch, Images, ImageSpec, Recipe, Renderer, Samples


class ArrayRenderer(Renderer):
    """Standardises dense images; nothing is augmented.

    Parameters
    ----------
    shape : tuple of int
        Channels, rows, columns.
    mean, scale : float32 array [C, 1, 1] or [C, H, W]
    """

    def __init__(
        self, shape: tuple[int, int, int], mean: NDArray[Any], scale: NDArray[Any]
    ) -> None:
        super().__init__()
        self.shape = shape
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("scale", torch.from_numpy(scale))

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        pixels = batch.values[batch.starts].reshape(-1, *self.shape)
        return Images((pixels - self.mean) / self.scale)


class ArrayImages:
    """What an adapter is to items, for arrays [N, C, H, W] or [N, F].

    The pixels of an image share a unit, so a channel has one mean and one scale. The columns of
    a table don't, so each has its own.
    """

    spec_: ImageSpec
    recipe_: Recipe

    def fit_read(self, X: NDArray[Any], y: Any = None) -> Samples:
        """Learn shape, mean and scale from the training array, and return its samples."""
        images = as_images(X)
        self.shape_ = images.shape[1:]
        self.is_table_ = np.ndim(X) == 2
        channels, rows, columns = self.shape_
        self.spec_ = ImageSpec(
            channels=tuple(f"channel {number}" for number in range(channels)),
            height=Axis("row", pixels=rows) if rows > 1 else None,
            width=Axis("column", pixels=columns) if columns > 1 else None,
        )
        self.recipe_ = Recipe(samples_seen=6_400, batch_size=min(64, max(8, len(images) // 16)))
        samples = self.read(X)
        self.fit_rendering(samples)
        return samples

    def fit_rendering(self, samples: Samples) -> None:
        """Learn mean and scale from the training samples."""
        images = samples.values.reshape(-1, *self.shape_)
        across = 0 if self.is_table_ else (0, 2, 3)
        mean = images.mean(axis=across, dtype=np.float64).reshape(self.shape_[0], 1, -1)
        scale = images.std(axis=across, dtype=np.float64).reshape(self.shape_[0], 1, -1)
        self.mean_ = mean.astype(np.float32)
        self.scale_ = np.where(scale > 0, scale, 1.0).astype(np.float32)

    def read(self, X: NDArray[Any]) -> Samples:
        """Flatten each image to one step of values, float32 [N, C * H * W].

        Raises
        ------
        ValueError
            If the images have another shape than those of the training array.
        """
        images = as_images(X)
        n, expected = len(images), tuple(self.shape_)
        if images.shape[1:] != expected:
            raise ValueError(
                f"images of shape {images.shape[1:]}: the model was trained on {expected} "
                "(channels, rows, columns)"
            )
        return Samples(
            values=np.ascontiguousarray(images.reshape(n, -1)),
            offsets=np.arange(n + 1),
            items=np.arange(n),
            summary=np.zeros((n, 0), dtype=np.float32),
        )

    def renderer(self) -> ArrayRenderer:
        """Make the module that standardises these images."""
        return ArrayRenderer(self.shape_, self.mean_, self.scale_)


def as_images(X: NDArray[Any]) -> NDArray[np.float32]:
    """Return float32 images [N, C, H, W]; a table [N, F] becomes [N, 1, 1, F].

    Raises
    ------
    ValueError
        If the array has neither 2 nor 4 dimensions.
    """
    array = np.asarray(X, dtype=np.float32)
    if array.ndim == 2:
        return array[:, None, None, :]
    if array.ndim == 4:
        return array
    raise ValueError(
        f"array of shape {array.shape}: expected images [N, C, H, W] or a table [N, F]; "
        "one channel is added with X[:, None]"
    )
