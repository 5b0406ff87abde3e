"""List what each layer of a network makes of an image, and what it costs. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from cnnkit.cnncore.input import Input, Shape
from cnnkit.cnncore.layer_shapes import shape_text
from cnnkit.cnncore.layer_types import Conv, Dense, Embed, Layers, Norm, Side, brief
from cnnkit.cnncore.shapes import Step, shapes

if TYPE_CHECKING:
    from cnnkit.cnncore.image import ImageSpec


@dataclass(frozen=True)
class Row:
    """One line of the description of a network.

    `multiply_adds` counts those of convolutions and fully connected layers for one image; None
    where rows or columns are not known.
    """

    number: int | None
    text: str
    depth: int
    shape: Shape
    weights: int
    multiply_adds: int | None


def describe(layers: Layers, image: ImageSpec | Input | Shape, outputs: int) -> list[Row]:
    """List what each layer makes of the image, its weights and its multiply-adds.

    Raises
    ------
    SpecError
        If layers don't fit.

    Examples
    --------
    >>> from cnnkit.cnncore.spec import parse
    >>> for row in describe(parse("conv 8x3x3 | gap"), (1, 28, 28), outputs=10):
    ...     print(row.text, row.shape, row.weights, row.multiply_adds)
    input (1, 28, 28) 0 0
    conv 8x3x3 (8, 28, 28) 80 56448
    gap (8,) 0 0
    head (10,) 90 80
    """
    image = Input.of(image)
    steps = shapes(layers, image)
    rows = [Row(None, "input", 0, image.shape, 0, 0)]
    for step in steps:
        weights, multiply_adds = _cost(step, image, outputs)
        text = brief(step.layer)
        rows.append(Row(step.number, text, step.depth, step.after, weights, multiply_adds))
    features = cast(int, [row.shape for row in rows if not row.depth][-1][0])
    head = Row(None, "head", 0, (outputs,), (features + 1) * outputs, features * outputs)
    return [*rows, head]


def format_table(rows: Sequence[Row]) -> str:
    """Write the rows of `describe` as a table with totals, for people."""
    total = None
    if all(row.multiply_adds is not None for row in rows):
        total = sum(row.multiply_adds or 0 for row in rows)
    cells = [("", "layer", "output", "weights", "multiply-adds")]
    for row in rows:
        number = "" if row.number is None else str(row.number)
        text = "  " * row.depth + row.text
        cells.append(
            (number, text, shape_text(row.shape), f"{row.weights:,}", _count(row.multiply_adds))
        )
    cells.append(("", "total", "", f"{sum(row.weights for row in rows):,}", _count(total)))
    widths = [max(len(cell[column]) for cell in cells) for column in range(5)]
    return "\n".join(
        f"{number:>{widths[0]}}  {text:<{widths[1]}}  {shape:<{widths[2]}}  "
        f"{weights:>{widths[3]}}  {count:>{widths[4]}}"
        for number, text, shape, weights, count in cells
    )


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _cost(step: Step, image: Input, outputs: int) -> tuple[int, int | None]:
    """Weights and multiply-adds of one layer."""
    features = cast(int, step.before[0])
    match step.layer:
        case Conv(filters, rows, columns):
            weights = filters * features * rows * columns
            lengths = step.after[1:]
            pixels = None if None in lengths else math.prod(cast(tuple[int, ...], lengths))
            return weights + filters * step.bias, None if pixels is None else weights * pixels
        case Dense(neurons):
            return neurons * (features + step.bias), neurons * features
        case Norm():
            return 2 * features, 0
        case Embed(dimension):
            return cast(int, image.vocabulary) * dimension, 0
        case Side("wide"):
            return image.side * outputs, image.side * outputs
    return 0, 0
