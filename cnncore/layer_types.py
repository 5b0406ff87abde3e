"""The layers of a network as plain data, each written as in a spec.

Needs no torch. `spec.parse` makes them, `shapes` follows an image through them, and `Network`
builds them as the modules of `layers`.
"""

from __future__ import annotations

from dataclasses import dataclass

ACTIVATIONS = ("relu", "gelu", "silu", "elu", "tanh")
SIDES = ("side", "wide", "forest")
GATHERS = ("gap", "gmp", "gsum", "flatten")


@dataclass(frozen=True)
class Conv:
    """Convolution: `features` filters of `rows` x `columns` pixels."""

    features: int
    rows: int
    columns: int
    stride: tuple[int, int] = (1, 1)

    def __str__(self) -> str:
        stride = "" if self.stride == (1, 1) else _stride_text(self)
        return f"conv {self.features}x{self.rows}x{self.columns}{stride}"


@dataclass(frozen=True)
class Pool:
    """Largest value or mean of windows; `word` is "pool" or "avgpool"."""

    word: str
    rows: int
    columns: int
    stride: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.word} {self.rows}x{self.columns}{_stride_text(self)}"


@dataclass(frozen=True)
class Norm:
    """Normalisation over the batch, or over `groups` groups of features of each image."""

    groups: int | None = None

    def __str__(self) -> str:
        return "norm" if self.groups is None else f"norm group {self.groups}"


@dataclass(frozen=True)
class Word:
    """A layer without numbers: nothing but its word."""

    word: str

    def __str__(self) -> str:
        return self.word


class Activation(Word):
    """An elementwise function; `word` is one of `ACTIVATIONS`."""


@dataclass(frozen=True)
class Gather:
    """Pixels become plain features; `word` is one of `GATHERS`. A sum may be divided."""

    word: str
    divisor: int = 1

    def __str__(self) -> str:
        return self.word if self.divisor == 1 else f"{self.word}/{self.divisor}"


class Side(Word):
    """Side features: `word` is one of `SIDES`.

    They are joined here ("side"), vote directly ("wide"), or a forest learns from them ("forest").
    """


@dataclass(frozen=True)
class Dense:
    """Fully connected layer."""

    neurons: int

    def __str__(self) -> str:
        return f"dense {self.neurons}"


@dataclass(frozen=True)
class Drop:
    """Dropout, 0 <= `probability` < 1."""

    probability: float

    def __str__(self) -> str:
        return f"drop {self.probability!r}"


@dataclass(frozen=True)
class Embed:
    """Embedding of category numbers."""

    features: int

    def __str__(self) -> str:
        return f"embed {self.features}"


@dataclass(frozen=True)
class Repeat:
    """The same layers several times."""

    times: int
    layers: Layers

    def __str__(self) -> str:
        return f"{self.times}*({to_text(self.layers)})"


@dataclass(frozen=True)
class Residual:
    """Layers whose input is added to their output."""

    layers: Layers

    def __str__(self) -> str:
        return f"res({to_text(self.layers)})"


@dataclass(frozen=True)
class Parallel:
    """Branches side by side."""

    branches: tuple[Layers, ...]

    def __str__(self) -> str:
        return f"par({' ; '.join(to_text(branch) for branch in self.branches)})"


Layer = (
    Conv | Pool | Norm | Activation | Gather | Dense | Drop | Embed | Side
    | Repeat | Residual | Parallel
)  # fmt: skip
Layers = tuple[Layer, ...]


def to_text(layers: Layers) -> str:
    """Write layers as a spec, in the one form that `parse` reads back as the same layers.

    Examples
    --------
    >>> to_text((Conv(8, 3, 3), Pool("pool", 2, 2, (2, 2)), Gather("gap")))
    'conv 8x3x3 | pool 2x2/2 | gap'
    """
    return " | ".join(str(layer) for layer in layers)


def brief(layer: Layer) -> str:
    """Name a layer without what is inside its brackets."""
    match layer:
        case Repeat(times):
            return f"{times}*( … )"
        case Residual():
            return "res( … )"
        case Parallel():
            return "par( … )"
    return str(layer)


def spread_stride(stride: int, rows: int, columns: int) -> tuple[int, int]:
    """Spread one stride over the axes along which the window is larger than 1."""
    if rows == columns == 1:
        return stride, stride
    return (stride if rows > 1 else 1), (stride if columns > 1 else 1)


def _stride_text(layer: Conv | Pool) -> str:
    rows, columns = layer.stride
    one = max(rows, columns)
    short = spread_stride(one, layer.rows, layer.columns) == layer.stride
    return f"/{one}" if short else f"/{rows}x{columns}"
