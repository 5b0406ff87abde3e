"""Build a spec as a torch module.

    images --layers--> plain features --head--> votes

Padding never changes a result; `layers` tells how.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn

from cnnkit.cnncore import layer_types
from cnnkit.cnncore.image import Images, ImageSpec, SparseRows
from cnnkit.cnncore.input import Input, Shape
from cnnkit.cnncore.layers import (
    BatchNorm,
    Bias,
    Branches,
    Convolution,
    Dropout,
    Embedding,
    Features,
    GlobalPool,
    GroupNorm,
    JoinSide,
    Nothing,
    OnValues,
    Residually,
    Wide,
    WindowPool,
)
from cnnkit.cnncore.shapes import Step, shapes, without_image

ACTIVATION_MODULES = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
}


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

    def __init__(
        self, layers: layer_types.Layers, image: ImageSpec | Input | Shape, outputs: int
    ) -> None:
        super().__init__()
        self.image = Input.of(image)
        steps = shapes(layers, self.image)
        features = cast(int, [step.after for step in steps if not step.depth][-1][0])
        body = _chain(layers, iter(steps), self.image)
        self.body = nn.Sequential(Nothing(), *body) if without_image(layers) else body
        self.head: nn.Linear | Bias
        if features:
            self.head = nn.Linear(features, outputs)
        else:
            self.head = Bias(outputs)
        wide = layer_types.Side("wide") in layers
        self.wide = Wide(self.image.side, outputs) if wide else None
        self.apply(_begin)
        if isinstance(self.head, nn.Linear):  # a small head begins with nearly equal votes
            nn.init.normal_(self.head.weight, std=0.01)

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
        features: Features = self.body(
            Features(pixels, images.mask, images.side, images.windows, images.vectors)
        )
        votes: Tensor = self.head(features.values)
        if self.wide is not None:
            votes = votes + self.wide(images.side)
        return votes

    def undecayed(self) -> list[nn.Parameter]:
        """Return the weights that are not to shrink in training: biases, norms and look-up tables.

        An entry of a table would shrink at every step, but learn only where its category occurs.
        """
        tables = [table for table in self.modules() if isinstance(table, Wide | nn.EmbeddingBag)]
        weights = [weight for weight in self.parameters() if weight.ndim < 2]
        return weights + [cast(nn.Parameter, table.weight) for table in tables]

    def _check(self, images: Images) -> None:
        found, expected = tuple(images.pixels.shape[1:]), self.image.shape
        if len(found) != 3 or any(
            size not in (None, length) for size, length in zip(expected, found, strict=True)
        ):
            raise ValueError(
                f"found images of shape {found}, but the network was built for {expected} "
                "(channels, rows, columns; None: any number)"
            )
        if isinstance(images.side, SparseRows) or self.image.sparse:
            return
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
        case nn.EmbeddingBag():
            nn.init.normal_(module.weight, std=0.1)
            with torch.no_grad():
                module.weight[0] = 0


def _chain(layers: layer_types.Layers, steps: Iterator[Step], image: Input) -> nn.Sequential:
    # A list, not a generator: each layer takes its own steps, in order.
    return nn.Sequential(*[_module(layer, steps, image) for layer in layers])


def _module(layer: layer_types.Layer, steps: Iterator[Step], image: Input) -> nn.Module:
    """Build one layer, taking its step and those of the layers inside it."""
    step = next(steps)
    features = cast(int, step.before[0])
    match layer:
        case layer_types.Conv():
            return Convolution(features, layer, step.bias)
        case layer_types.Pool():
            return WindowPool(layer)
        case layer_types.Norm(int(groups)):
            return GroupNorm(groups, features)
        case layer_types.Norm():
            return BatchNorm(features)
        case layer_types.Activation(word):
            return OnValues(ACTIVATION_MODULES[word]())
        case layer_types.Gather(word, divisor):
            return GlobalPool(word, divisor)
        case layer_types.Dense(neurons):
            return OnValues(nn.Linear(features, neurons, bias=step.bias))
        case layer_types.Drop(probability):
            return OnValues(Dropout(probability))
        case layer_types.Embed(dimension):
            return Embedding(cast(int, image.vocabulary), dimension)
        case layer_types.Side("side"):
            return JoinSide()
        case layer_types.Side():
            return nn.Identity()  # these vote beside the head, or beside the network
        case layer_types.Repeat(times, inner):
            return nn.Sequential(*[_chain(inner, steps, image) for _ in range(times)])
        case layer_types.Residual(inner):
            return Residually(_chain(inner, steps, image))
        case layer_types.Parallel(branches):
            return Branches([_chain(branch, steps, image) for branch in branches])
