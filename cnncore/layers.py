"""The layers of a network as torch modules.

Padding never changes a result: pixels outside the mask count as the zeros around the image in a
convolution and are left out of pools, norms and global pools. A pool keeps the windows that lie
fully inside the item. An item that is shorter than the window keeps those that cover most of it,
with what they cover, so that every item keeps at least one position.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnkit.cnncore.image import SparseRows
from cnnkit.cnncore.layer_types import Conv, Pool


class Features(NamedTuple):
    """What goes from layer to layer.

    Parameters
    ----------
    values : Tensor [M, C, H, W], or [N, C] once the pixels are gone
    mask : bool Tensor [M, 1, H, W] or None
        True where `values` belong to the item; what is elsewhere has no meaning.
    side : Tensor [N, S], SparseRows or None
    windows : int64 Tensor [N] or None
        Images of each item, which a global pool puts together.
    vectors : Tensor [M, V, H, W] or None
        What each pixel of category numbers brings along.
    """

    values: Tensor
    mask: Tensor | None
    side: Tensor | SparseRows | None
    windows: Tensor | None = None
    vectors: Tensor | None = None

    def inside(self, outside: float = 0.0) -> Tensor:
        """Return the values, with `outside` wherever there is no item."""
        if self.mask is None:
            return self.values
        return torch.where(self.mask, self.values, outside)


class OnValues(nn.Module):
    """A layer that looks at neither mask nor side features."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, features: Features) -> Features:
        return features._replace(values=self.layer(features.values))


class Convolution(nn.Module):
    """Convolution with zeros around the item.

    The output at a position sees the same pixels whatever the length of the image, so positions
    0, S, 2S, … remain with a stride S. A window of even extent reaches one pixel further to the
    right and down.
    """

    def __init__(self, features: int, layer: Conv, bias: bool) -> None:
        super().__init__()
        window = layer.rows, layer.columns
        self.uneven = layer.rows % 2 == 0 or layer.columns % 2 == 0
        self.before = [(extent - 1) // 2 for extent in window]
        self.after = [extent // 2 for extent in window]
        padding = (0, 0) if self.uneven else (self.before[0], self.before[1])
        self.layer = nn.Conv2d(features, layer.features, window, layer.stride, padding, bias=bias)

    def forward(self, features: Features) -> Features:
        values, mask = features.inside(), features.mask
        if self.uneven:
            (up, left), (down, right) = self.before, self.after
            values = functional.pad(values, (left, right, up, down))
        rows, columns = self.layer.stride
        mask = None if mask is None else mask[:, :, ::rows, ::columns]
        return features._replace(values=self.layer(values), mask=mask)


class WindowPool(nn.Module):
    """Largest value or mean of windows inside the item."""

    def __init__(self, layer: Pool) -> None:
        super().__init__()
        self.mean = layer.word == "avgpool"
        self.window, self.stride = (layer.rows, layer.columns), layer.stride

    def forward(self, features: Features) -> Features:
        features = self._long_enough(features)
        if features.mask is None:
            pool = functional.avg_pool2d if self.mean else functional.max_pool2d
            return features._replace(values=pool(features.values, self.window, self.stride))
        covered = self._sum(features.mask.float())
        # For all but items shorter than the window, the most that is covered is a whole window.
        mask = covered == covered.amax((2, 3), keepdim=True)
        if self.mean:
            values = self._sum(features.inside()) / covered.clamp(min=1)
        else:
            values = functional.max_pool2d(features.inside(-torch.inf), self.window, self.stride)
        # Windows without a pixel of the item hold infinities, which no gradient survives.
        return features._replace(values=torch.where(mask, values, 0.0), mask=mask)

    def _sum(self, values: Tensor) -> Tensor:
        return functional.avg_pool2d(values, self.window, self.stride, divisor_override=1)

    def _long_enough(self, features: Features) -> Features:
        """Pad a batch in which every item is shorter than the window."""
        values, mask = features.values, features.mask
        rows, columns = (
            max(0, extent - length)
            for extent, length in zip(self.window, values.shape[2:], strict=True)
        )
        if not rows and not columns:
            return features
        if mask is None:
            mask = values.new_ones((len(values), 1, *values.shape[2:]), dtype=torch.bool)
        around = (0, columns, 0, rows)
        return features._replace(
            values=functional.pad(values, around), mask=functional.pad(mask, around)
        )


class BatchNorm(nn.Module):
    """Batch normalisation over the pixels that belong to items."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layer = nn.BatchNorm2d(features)

    def forward(self, features: Features) -> Features:
        values, mask = features.values, features.mask
        if values.ndim == 2:
            return features._replace(values=self.layer(values[:, :, None, None])[:, :, 0, 0])
        if mask is None or not self.training:
            return features._replace(values=self.layer(values))
        # Only the pixels of items, as a list: torch's own norm then learns from nothing else.
        images, channels, rows, columns = values.shape
        places = mask.flatten().nonzero()[:, 0]
        pixels = values.permute(0, 2, 3, 1).reshape(-1, channels)
        normed = self.layer(pixels[:, :, None, None].index_select(0, places))[:, :, 0, 0]
        pixels = torch.zeros_like(pixels, dtype=normed.dtype).index_copy(0, places, normed)
        values = pixels.view(images, rows, columns, channels).permute(0, 3, 1, 2)
        return features._replace(values=values)


class GroupNorm(nn.Module):
    """Normalisation of groups of features over the pixels of each item."""

    def __init__(self, groups: int, features: int) -> None:
        super().__init__()
        self.layer = nn.GroupNorm(groups, features)

    def forward(self, features: Features) -> Features:
        values, mask = features.values, features.mask
        if mask is None:
            return features._replace(values=self.layer(values))
        shape, groups = values.shape, self.layer.num_groups
        grouped = values.float().reshape(shape[0], groups, -1, *shape[2:])
        mask, axes = mask[:, :, None], (2, 3, 4)
        count = mask.sum(axes, keepdim=True) * grouped.shape[2]
        mean = torch.where(mask, grouped, 0.0).sum(axes, keepdim=True) / count
        squares = torch.where(mask, grouped - mean, 0.0).square()
        variance = squares.sum(axes, keepdim=True) / count
        normed = ((grouped - mean) * torch.rsqrt(variance + self.layer.eps)).reshape(shape)
        values = normed * self.layer.weight[:, None, None] + self.layer.bias[:, None, None]
        return features._replace(values=values)


class GlobalPool(nn.Module):
    """Pixels become plain features, over all images of an item."""

    def __init__(self, word: str, divisor: int = 1) -> None:
        super().__init__()
        self.word, self.divisor = word, divisor

    def forward(self, features: Features) -> Features:
        return features._replace(values=self._pooled(features), mask=None, windows=None)

    def _pooled(self, features: Features) -> Tensor:
        windows = features.windows
        if self.word == "gmp":
            return over_windows(features.inside(-torch.inf).amax((2, 3)), windows, "amax")
        values = features.inside()
        if self.word == "flatten":
            return over_windows(values.flatten(1), windows, "amax")
        sums = over_windows(values.sum((2, 3)), windows, "sum")
        if self.word == "gsum":
            return sums / self.divisor
        if features.mask is None:
            pixels = values.new_full((len(values), 1), values.shape[2] * values.shape[3])
        else:
            pixels = features.mask.sum((2, 3))
        return sums / over_windows(pixels, windows, "sum")


def over_windows(values: Tensor, windows: Tensor | None, reduce: str) -> Tensor:
    """Sum or largest value of the images of each item: [M, C] to [N, C].

    Parameters
    ----------
    values : Tensor [M, C]
    windows : int64 Tensor [N] or None
        Images of each item, one after the other.
    reduce : "sum" or "amax"
    """
    if windows is None:
        return values
    item = torch.repeat_interleave(windows, output_size=len(values))
    pooled = values.new_zeros((len(windows), values.shape[1]))
    return pooled.scatter_reduce(
        0, item[:, None].expand_as(values), values, reduce, include_self=False
    )


class Dropout(nn.Module):
    """Dropout that draws from a generator of its own.

    Attributes
    ----------
    generator : torch.Generator or None
        None: torch's default generator.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.generator: torch.Generator | None = None

    def forward(self, values: Tensor) -> Tensor:
        if not self.training or not self.probability:
            return values
        kept = 1 - self.probability
        return values * torch.empty_like(values).bernoulli_(kept, generator=self.generator) / kept


class Embedding(nn.Module):
    """The features of a pixel's categories: their sum over the root of their number.

    Category 0 is none. The root keeps the size of the sum, whatever the number of categories.
    """

    def __init__(self, vocabulary: int, dimension: int) -> None:
        super().__init__()
        self.layer = nn.EmbeddingBag(vocabulary, dimension, mode="sum", padding_idx=0)

    def forward(self, features: Features) -> Features:
        categories = features.values.permute(0, 2, 3, 1)
        images, rows, columns, channels = categories.shape
        bags = categories.reshape(-1, channels)
        if channels == 1:  # a bag of one costs twice as much
            values = functional.embedding(bags[:, 0], self.layer.weight, padding_idx=0)
        else:
            count = (bags != 0).sum(1, keepdim=True).clamp(min=1)
            values = self.layer(bags) * count.rsqrt()
        values = values.view(images, rows, columns, -1).permute(0, 3, 1, 2)
        if features.vectors is not None:
            values = torch.cat([values, features.vectors], 1)
        return features._replace(values=values, vectors=None)


class JoinSide(nn.Module):
    """Joins the side features to the plain features."""

    def forward(self, features: Features) -> Features:
        side = cast(Tensor, features.side)
        return features._replace(values=torch.cat([features.values, side], 1))


class Nothing(nn.Module):
    """No features at all: where only side features vote."""

    def forward(self, features: Features) -> Features:
        n = len(features.values) if features.windows is None else len(features.windows)
        values = torch.zeros((n, 0), device=features.values.device)
        return Features(values, None, features.side)


class Bias(nn.Module):
    """The head where there are no plain features: the same votes for every item."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, features: Tensor) -> Tensor:
        return self.bias.expand(len(features), -1)


class Wide(nn.Module):
    """Side features that vote directly: one weight for each feature and vote, at first 0."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features, outputs))

    def forward(self, side: Tensor | SparseRows) -> Tensor:
        if isinstance(side, Tensor):
            return side @ self.weight
        return functional.embedding_bag(
            side.columns, self.weight, side.offsets, mode="sum", per_sample_weights=side.values
        )


class Residually(nn.Module):
    """Adds what comes in to what comes out."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, features: Features) -> Features:
        after: Features = self.layers(features)
        return after._replace(values=features.values + after.values)


class Branches(nn.Module):
    """Joins the features of branches; a pixel counts where it counts in all of them."""

    def __init__(self, branches: list[nn.Sequential]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, features: Features) -> Features:
        after: list[Features] = [branch(features) for branch in self.branches]
        mask = after[0].mask
        for other in after[1:]:
            mask = mask if mask is None or other.mask is None else mask & other.mask
        values = torch.cat([one.values for one in after], 1)
        return Features(values, mask, features.side, after[0].windows)
