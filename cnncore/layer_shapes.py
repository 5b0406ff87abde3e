"""What one layer makes of the shape that it gets, and how a window is cut to it."""

from __future__ import annotations

import math
from dataclasses import replace

from cnnkit.cnncore.input import Input, Shape
from cnnkit.cnncore.layer_types import Conv, Dense, Embed, Gather, Layer, Pool, Side

# While walking, an unknown length is the list of windows and strides that it went through: two
# branches have equally many pixels only if they agree on it.
Length = int | tuple[tuple[int, int], ...]
Walked = tuple[int] | tuple[int, Length, Length]


def shape_after(layer: Layer, shape: Walked, image: Input) -> Walked:
    """Shape after a layer that fits."""
    match layer, shape:
        case Conv(), (_, rows, columns):
            row_stride, column_stride = layer.stride
            return (
                layer.features,
                _strided(rows, row_stride),
                _strided(columns, column_stride),
            )
        case Pool(), (features, rows, columns):
            row_stride, column_stride = layer.stride
            return (
                features,
                _pooled(rows, layer.rows, row_stride),
                _pooled(columns, layer.columns, column_stride),
            )
        case Gather("flatten"), (features, int(rows), int(columns)):
            return (features * rows * columns,)
        case Gather(), (features, _, _):
            return (features,)
        case Embed(), (_, rows, columns):
            return (layer.features + image.vectors, rows, columns)
        case Dense(), _:
            return (layer.neurons,)
        case Side("side"), (features,):
            return (features + image.side,)
    return shape


def cut_window(layer: Conv | Pool, rows: Length, columns: Length) -> Conv | Pool:
    """Cut window and stride to rows and columns that are too few for them."""
    window, stride = [layer.rows, layer.columns], list(layer.stride)
    for axis, length in enumerate((rows, columns)):
        too_large = isinstance(layer, Pool) and isinstance(length, int) and window[axis] > length
        if isinstance(length, int) and (length == 1 or too_large):
            window[axis] = stride[axis] = length
    return replace(layer, rows=window[0], columns=window[1], stride=(stride[0], stride[1]))


def name_excess(layer: Conv | Pool, rows: Length, columns: Length) -> str:
    """Say which windows and strides are too large."""
    found = []
    for window, stride, length, name in (
        (layer.rows, layer.stride[0], rows, "row"),
        (layer.columns, layer.stride[1], columns, "column"),
    ):
        if isinstance(length, int) and (length == 1 or isinstance(layer, Pool)):
            lengths = f"{length} {name}" + "s" * (length > 1)
            if window > length:
                found.append(f"a {window}-{name} window does not fit {lengths}")
            elif stride > length == 1:
                found.append(f"a stride of {stride} {name}s does not fit {lengths}")
    return " and ".join(found)


def public_shape(shape: Walked) -> Shape:
    """Shape without the history of its unknown lengths."""
    return tuple(size if isinstance(size, int) else None for size in shape)


def shape_text(shape: Shape | Walked) -> str:
    """Write a shape for people: `64 x 20 x any`."""
    return " x ".join(str(size) if isinstance(size, int) else "any" for size in shape)


def _strided(length: Length, stride: int) -> Length:
    """Length after a convolution with zeros around the image."""
    if isinstance(length, int):
        return math.ceil(length / stride)
    return length if stride == 1 else (*length, (1, stride))


def _pooled(length: Length, window: int, stride: int) -> Length:
    """Length after a pool, whose windows lie fully inside."""
    if isinstance(length, int):
        return (length - window) // stride + 1
    return length if window == stride == 1 else (*length, (window, stride))
