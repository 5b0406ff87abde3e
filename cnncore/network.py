"""Build a spec as a torch module.

    images --layers--> plain features --head--> votes

Padding never changes a result: pixels outside the mask count as the zeros around the image in a
convolution and are left out of pools, norms and global pools. A pool keeps the windows that lie
fully inside the item. An item that is shorter than the window keeps those that cover most of it,
with what they cover, so that every item keeps at least one position.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnkit.cnncore import spec
from cnnkit.cnncore.describe import Input, Shape, Step, shapes
from cnnkit.cnncore.image import Images, ImageSpec

ACTIVATION_MODULES = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
}


class Features(NamedTuple):
    """What goes from layer to layer.

    Parameters
    ----------
    values : Tensor [N, C, H, W], or [N, C] once the pixels are gone
    mask : bool Tensor [N, 1, H, W] or None
        True where `values` belong to the item; what is elsewhere has no meaning.
    side : Tensor [N, S] or None
    """

    values: Tensor
    mask: Tensor | None
    side: Tensor | None

    def inside(self, outside: float = 0.0) -> Tensor:
        """Return the values, with `outside` wherever there is no item."""
        if self.mask is None:
            return self.values
        return torch.where(self.mask, self.values, outside)


class Network(nn.Module):
    """The network that a spec describes, with its head.

    Parameters
    ----------
    layers : tuple of Layer
        From `spec.parse` or `presets.resolve`.
    image : ImageSpec, Input or tuple (channels, rows, columns)
        What the network will see.
    outputs : int
        Votes for each image: one for each class or target.

    Raises
    ------
    SpecError
        If layers don't fit the image.

    Examples
    --------
    >>> from cnnkit.cnncore.spec import parse
    >>> network = Network(parse("conv 8x3x3 | relu | gap"), (1, 28, 28), outputs=10)
    >>> network(Images(torch.zeros(2, 1, 28, 28))).shape
    torch.Size([2, 10])

    References
    ----------
    Weights begin as in He et al., "Delving deep into rectifiers", ICCV 2015.
    """

    def __init__(self, layers: spec.Layers, image: ImageSpec | Input | Shape, outputs: int) -> None:
        super().__init__()
        self.image = Input.of(image)
        steps = shapes(layers, self.image)
        features = cast(int, [step.after for step in steps if not step.depth][-1][0])
        self.body = _chain(layers, iter(steps), self.image)
        self.head = nn.Linear(features, outputs)
        wide = spec.Side("wide") in layers
        self.wide = nn.Linear(self.image.side, outputs, bias=False) if wide else None
        self.apply(_begin)
        # A small head begins with nearly equal votes, and a wide part without an opinion.
        nn.init.normal_(self.head.weight, std=0.01)
        if self.wide is not None:
            nn.init.zeros_(self.wide.weight)

    def set_generator(self, generator: torch.Generator | None) -> None:
        """Let all dropout draw from one generator (on the network's device); None: torch's own.

        Networks that are trained at once, in threads, are repeatable only with one each.
        """
        for module in self.modules():
            if isinstance(module, Dropout):
                module.generator = generator

    def forward(self, images: Images) -> Tensor:
        """Return the votes, float32 [N, outputs].

        Raises
        ------
        ValueError
            If the images are not of the shape that the network was built for.
        """
        self._check(images)
        numbers = self.image.vocabulary is not None
        pixels = images.pixels if numbers else _channels_last(images.pixels)
        features: Features = self.body(Features(pixels, images.mask, images.side))
        votes: Tensor = self.head(features.values)
        if self.wide is not None:
            votes = votes + self.wide(images.side)
        return votes

    def _check(self, images: Images) -> None:
        found, expected = tuple(images.pixels.shape[1:]), self.image.shape
        if len(found) != 3 or any(
            size not in (None, length) for size, length in zip(expected, found, strict=True)
        ):
            raise ValueError(
                f"found images of shape {found}, but the network was built for {expected} "
                "(channels, rows, columns; None: any number)"
            )
        side = 0 if images.side is None else images.side.shape[1]
        if self.image.side not in (0, side):
            raise ValueError(
                f"found {side} side features, but the network was built for {self.image.side}"
            )


def _channels_last(pixels: Tensor) -> Tensor:
    """Lay out memory with the channels of a pixel side by side, as fast convolutions want it.

    torch takes an image of one channel, row or column for either layout; these strides settle it,
    and all later layers follow. Measured on a CPU: training steps 1.5 to 2.8 times as fast.
    """
    _, channels, rows, columns = pixels.shape
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    strides = (channels * rows * columns, 1, columns * channels, channels)
    return pixels.as_strided(pixels.shape, strides)


def _begin(module: nn.Module) -> None:
    """Set the weights that training begins with."""
    match module:
        case nn.Conv2d() | nn.Linear():
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        case nn.Embedding():
            nn.init.normal_(module.weight, std=0.1)
            with torch.no_grad():
                module.weight[0] = 0


def _chain(layers: spec.Layers, steps: Iterator[Step], image: Input) -> nn.Sequential:
    # A list, not a generator: each layer takes its own steps, in order.
    return nn.Sequential(*[_module(layer, steps, image) for layer in layers])


def _module(layer: spec.Layer, steps: Iterator[Step], image: Input) -> nn.Module:
    """Build one layer, taking its step and those of the layers inside it."""
    step = next(steps)
    features = cast(int, step.before[0])
    match layer:
        case spec.Conv():
            return Convolution(features, layer, step.bias)
        case spec.Pool():
            return WindowPool(layer)
        case spec.Norm(int(groups)):
            return GroupNorm(groups, features)
        case spec.Norm():
            return BatchNorm(features)
        case spec.Activation(word):
            return OnValues(ACTIVATION_MODULES[word]())
        case spec.Gather(word):
            return GlobalPool(word)
        case spec.Dense(neurons):
            return OnValues(nn.Linear(features, neurons, bias=step.bias))
        case spec.Drop(probability):
            return OnValues(Dropout(probability))
        case spec.Embed(dimension):
            return Embedding(cast(int, image.vocabulary), dimension)
        case spec.Side("side"):
            return JoinSide()
        case spec.Side():
            return nn.Identity()  # `wide` votes beside the head
        case spec.Repeat(times, inner):
            return nn.Sequential(*[_chain(inner, steps, image) for _ in range(times)])
        case spec.Residual(inner):
            return Residually(_chain(inner, steps, image))
        case spec.Parallel(branches):
            return Branches([_chain(branch, steps, image) for branch in branches])


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

    def __init__(self, features: int, layer: spec.Conv, bias: bool) -> None:
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

    def __init__(self, layer: spec.Pool) -> None:
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
        values, mask, _ = features
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
        values, mask, _ = features
        if values.ndim == 2:
            return features._replace(values=self.layer(values[:, :, None, None])[:, :, 0, 0])
        if mask is None or not self.training:
            return features._replace(values=self.layer(values))
        return features._replace(values=self._masked(values.float(), mask))

    def _masked(self, values: Tensor, mask: Tensor) -> Tensor:
        layer, count = self.layer, mask.sum()
        mean, variance = _moments(values, mask, count, (0, 2, 3))
        unbiased = variance * count / (count - 1).clamp(min=1)
        for running, now in ((layer.running_mean, mean), (layer.running_var, unbiased)):
            cast(Tensor, running).lerp_(now.detach().flatten(), cast(float, layer.momentum))
        return _scaled(values, mean, variance, layer)


class GroupNorm(nn.Module):
    """Normalisation of groups of features over the pixels of each item."""

    def __init__(self, groups: int, features: int) -> None:
        super().__init__()
        self.layer = nn.GroupNorm(groups, features)

    def forward(self, features: Features) -> Features:
        values, mask, _ = features
        if mask is None:
            return features._replace(values=self.layer(values))
        groups = self.layer.num_groups
        grouped = values.float().reshape(len(values), groups, -1, *values.shape[2:])
        count = mask.sum((2, 3), keepdim=True)[:, :, None] * grouped.shape[2]
        moments = _moments(grouped, mask[:, :, None], count, (2, 3, 4))
        mean, variance = (
            moment.expand_as(grouped[..., :1, :1]).flatten(1, 2) for moment in moments
        )
        return features._replace(values=_scaled(values, mean, variance, self.layer))


def _moments(
    values: Tensor, mask: Tensor, count: Tensor, axes: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Mean and variance over some axes, of what lies inside the mask."""
    mean = torch.where(mask, values, 0.0).sum(axes, keepdim=True) / count
    squares = torch.where(mask, values - mean, 0.0).square()
    return mean, squares.sum(axes, keepdim=True) / count


def _scaled(
    values: Tensor, mean: Tensor, variance: Tensor, layer: nn.BatchNorm2d | nn.GroupNorm
) -> Tensor:
    weight, bias = layer.weight[:, None, None], layer.bias[:, None, None]
    return (values - mean) * torch.rsqrt(variance + layer.eps) * weight + bias


class GlobalPool(nn.Module):
    """Pixels become plain features."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def forward(self, features: Features) -> Features:
        return features._replace(values=self._pooled(features), mask=None)

    def _pooled(self, features: Features) -> Tensor:
        if self.word == "gmp":
            return features.inside(-torch.inf).amax((2, 3))
        values = features.inside()
        if self.word == "flatten":
            return values.flatten(1)
        if self.word == "gsum":
            return values.sum((2, 3))
        if features.mask is None:
            return values.mean((2, 3))
        return values.sum((2, 3)) / features.mask.sum((2, 3))


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
    """The features of a pixel's categories, added up; category 0 has none."""

    def __init__(self, vocabulary: int, dimension: int) -> None:
        super().__init__()
        self.layer = nn.Embedding(vocabulary, dimension, padding_idx=0)

    def forward(self, features: Features) -> Features:
        values = self.layer(features.values).sum(1).permute(0, 3, 1, 2)
        return features._replace(values=values)


class JoinSide(nn.Module):
    """Joins the side features to the plain features."""

    def forward(self, features: Features) -> Features:
        side = cast(Tensor, features.side)
        return features._replace(values=torch.cat([features.values, side], 1))


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
        return Features(torch.cat([one.values for one in after], 1), mask, features.side)
