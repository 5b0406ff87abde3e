"""Follow an image through the layers of a spec: what fits, what comes out, and what it costs.

Needs no torch. This is the one place that knows which networks are valid; `Network` is built from
the steps found here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile, groupby
from typing import TYPE_CHECKING, cast

from cnnkit.cnncore.spec import (
    Conv,
    Dense,
    Drop,
    Embed,
    Gather,
    Layer,
    Layers,
    Norm,
    Parallel,
    Pool,
    Repeat,
    Residual,
    Side,
    SpecError,
    to_text,
    word_places,
)

if TYPE_CHECKING:
    from cnnkit.cnncore.image import ImageSpec

# (channels, rows, columns), None for a length that differs from batch to batch; (features,) once
# the pixels are gone.
Shape = tuple[int | None, ...]
# While walking, an unknown length is the list of windows and strides that it went through: two
# branches have equally many pixels only if they agree on it.
_Length = int | tuple[tuple[int, int], ...]
_Walked = tuple[int] | tuple[int, _Length, _Length]


@dataclass(frozen=True)
class Input:
    """What the layers must know of an image.

    Parameters
    ----------
    shape : tuple (channels, rows, columns)
        None for rows or columns whose number differs from batch to batch.
    vocabulary : int or None
        Number of categories of an image of category numbers.
    side : int
        Number of side features.
    """

    shape: Shape
    vocabulary: int | None = None
    side: int = 0

    def __post_init__(self) -> None:
        known = [length for length in self.shape if length is not None]
        if len(self.shape) != 3 or self.shape[0] is None or min(known) < 1:
            raise ValueError(
                f"found image shape {self.shape}, expected (channels, rows, columns), each at "
                "least 1, or None for rows or columns whose number differs from batch to batch"
            )

    @classmethod
    def of(cls, image: ImageSpec | Input | Shape) -> Input:
        """Take over an `ImageSpec`, or the bare shape of an intensity image."""
        if isinstance(image, Input):
            return image
        if isinstance(image, tuple):
            return cls(image)
        if image.values == "index" and image.vocabulary is None:
            raise ValueError("an image of category numbers needs `vocabulary`, their number")
        vocabulary = image.vocabulary if image.values == "index" else None
        return cls(image.shape, vocabulary, len(image.side))


@dataclass(frozen=True)
class Step:
    """One layer at work; those inside its brackets follow it (of `N*( … )`, N times).

    Parameters
    ----------
    number : int
        Which word of the spec the layer is, from 1.
    layer : Layer
    depth : int
        Brackets around it.
    before, after : tuple
        Shapes of its input and output: (features, rows, columns) or (features,).
    bias : bool
        Whether a `Conv` or `Dense` has a bias. It has none before a `norm`, which would take it
        away again.
    """

    number: int
    layer: Layer
    depth: int
    before: Shape
    after: Shape
    bias: bool


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


def shapes(layers: Layers, image: ImageSpec | Input | Shape) -> list[Step]:
    """Follow an image through the layers.

    Raises
    ------
    SpecError
        If layers don't fit: all of them, each with what it got and what to write instead, and the
        nearest spec that works.

    Examples
    --------
    >>> from cnnkit.cnncore.spec import parse
    >>> [step.after for step in shapes(parse("conv 8x3x3 | pool 2x2 | gap"), (1, 28, 28))]
    [(8, 28, 28), (8, 14, 14), (8,)]
    """
    walk = _Walk(layers, Input.of(image))
    if walk.problems:
        raise walk.error()
    return walk.steps


def fit_to(layers: Layers, image: ImageSpec | Input | Shape) -> Layers:
    """Cut the windows of a spec to an image that is too small for them.

    Along an axis of length 1 every window and stride becomes 1, a pool that is larger than what
    it gets becomes as large as that, and pools that became 1x1 are left out. Show the result to
    the user: it is the network that is trained.

    Raises
    ------
    SpecError
        If something other than the size of windows is wrong.

    Examples
    --------
    >>> from cnnkit.cnncore.spec import parse
    >>> to_text(fit_to(parse("conv 8x3x3 | pool 2x2 | relu | pool 2x2 | gap"), (1, 1, 3)))
    'conv 8x1x3 | pool 1x2/2 | relu | gap'
    """
    walk = _Walk(layers, Input.of(image))
    if not all(problem.size for problem in walk.problems):
        raise walk.error()
    return walk.fitted


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
        text = _brief(step.layer)
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
        cells.append((number, text, _sizes(row.shape), f"{row.weights:,}", _count(row)))
    known = "unknown" if total is None else f"{total:,}"
    cells.append(("", "total", "", f"{sum(row.weights for row in rows):,}", known))
    widths = [max(len(cell[column]) for cell in cells) for column in range(5)]
    return "\n".join(
        f"{number:>{widths[0]}}  {text:<{widths[1]}}  {shape:<{widths[2]}}  "
        f"{weights:>{widths[3]}}  {count:>{widths[4]}}"
        for number, text, shape, weights, count in cells
    )


def _count(row: Row) -> str:
    return "unknown" if row.multiply_adds is None else f"{row.multiply_adds:,}"


def _cost(step: Step, image: Input, outputs: int) -> tuple[int, int | None]:
    """Weights and multiply-adds of one layer."""
    features = cast(int, step.before[0])
    match step.layer:
        case Conv(filters, rows, columns):
            weights = filters * features * rows * columns
            pixels = (
                None if None in step.after else math.prod(cast(tuple[int, int], step.after[1:]))
            )
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


def _sizes(shape: Shape | _Walked) -> str:
    """Write a shape for people: `64 x 20 x any`."""
    return " x ".join(str(size) if isinstance(size, int) else "any" for size in shape)


def _brief(layer: Layer) -> str:
    """Name a layer without what is inside its brackets."""
    match layer:
        case Repeat(times):
            return f"{times}*( … )"
        case Residual():
            return "res( … )"
        case Parallel():
            return "par( … )"
    return str(layer)


def _strided(length: _Length, stride: int) -> _Length:
    """Length after a convolution with zeros around the image."""
    if isinstance(length, int):
        return math.ceil(length / stride)
    return length if stride == 1 else (*length, (1, stride))


def _pooled(length: _Length, window: int, stride: int) -> _Length:
    """Length after a pool, whose windows lie fully inside."""
    if isinstance(length, int):
        return (length - window) // stride + 1
    return length if window == stride == 1 else (*length, (window, stride))


def _after(layer: Layer, shape: _Walked, side: int) -> _Walked:
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
            return (layer.features, rows, columns)
        case Dense(), _:
            return (layer.neurons,)
        case Side("side"), (features,):
            return (features + side,)
    return shape


def _cut(layer: Conv | Pool, rows: _Length, columns: _Length) -> Conv | Pool:
    """Cut window and stride to rows and columns that are too few for them."""
    window, stride = [layer.rows, layer.columns], list(layer.stride)
    for axis, length in enumerate((rows, columns)):
        too_large = isinstance(layer, Pool) and isinstance(length, int) and window[axis] > length
        if isinstance(length, int) and (length == 1 or too_large):
            window[axis] = stride[axis] = length
    return replace(layer, rows=window[0], columns=window[1], stride=(stride[0], stride[1]))


def _excess(layer: Conv | Pool, rows: _Length, columns: _Length) -> str:
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


def _norm_follows(layers: Layers) -> bool:
    rest = dropwhile(lambda layer: isinstance(layer, Pool), layers)
    return isinstance(next(rest, None), Norm)


def _final_dense(layers: Layers) -> int | None:
    """Find a dense layer that makes two linear maps in a row of itself and the head."""
    at = len(layers) - 1
    while at >= 0 and (isinstance(layers[at], Drop) or layers[at] == Side("wide")):
        at -= 1
    return at if at >= 0 and isinstance(layers[at], Dense) else None


def _public(shape: _Walked) -> Shape:
    return tuple(size if isinstance(size, int) else None for size in shape)


def _got(shape: _Walked) -> str:
    if len(shape) == 1:
        return f"input is {shape[0]} plain features"
    return f"input is {_sizes(shape)} (features x rows x columns)"


@dataclass(frozen=True)
class _Problem:
    number: int
    message: str
    size: bool  # only the size of a window is wrong


class _Walk:
    """Walks through the layers; where one doesn't fit, notes it and goes on with one that does."""

    def __init__(self, layers: Layers, image: Input) -> None:
        self.layers, self.image = layers, image
        self.steps: list[Step] = []
        self.problems: list[_Problem] = []
        self.number = self.depth = self.round = 0
        self.nearest_known, self.wide = True, False
        begun, shape = self.begun()
        fitted, shape = self.chain(layers, shape)
        self.fitted = self.ended((*begun, *fitted), shape)

    def begun(self) -> tuple[Layers, _Walked]:
        """Check that category numbers are embedded; give the shape that the walk starts with."""
        channels, rows, columns = self.image.shape
        lengths = (() if rows is None else rows, () if columns is None else columns)
        if self.image.vocabulary is None or isinstance(next(iter(self.layers), None), Embed):
            return (), (cast(int, channels), *lengths)
        message = 'the image holds category numbers; begin with "embed 64"'
        self.problems.append(_Problem(1, message, size=False))
        return (Embed(64),), (64, *lengths)

    def ended(self, fitted: Layers, shape: _Walked) -> Layers:
        """Check that the head can be appended."""
        number = len(word_places(to_text(self.layers)))
        if len(shape) == 3:
            message = f"the head's {_got(shape)}, not plain features"
            message += '; end with "gap"'
            self.problems.append(_Problem(number + 1, message, size=False))
            return (*fitted, Gather("gap"))
        at = _final_dense(self.layers)
        if at is not None:
            advice = f'leave it out or write "{self.layers[at]} | relu"'
            message = f"the head, a dense layer, is appended; {advice}"
            self.note(number - (len(self.layers) - 1 - at), self.layers[at], message)
        while (at := _final_dense(fitted)) is not None:
            fitted = fitted[:at] + fitted[at + 1 :]
        return fitted

    def error(self) -> SpecError:
        text = to_text(self.layers)
        places = [*word_places(text), len(text)]
        problems = {problem.number: problem for problem in reversed(self.problems)}
        return SpecError(
            text,
            [(places[number - 1], problems[number].message) for number in sorted(problems)],
            to_text(self.fitted) if self.nearest_known else None,
        )

    def note(self, number: int, layer: Layer, message: str, size: bool = False) -> None:
        where = f" in round {self.round}" if self.round > 1 else ""
        message = f'layer {number} "{_brief(layer)}"{where}: {message}'
        self.problems.append(_Problem(number, message, size))

    def chain(self, layers: Layers, shape: _Walked) -> tuple[Layers, _Walked]:
        fitted: list[Layer] = []
        for index, layer in enumerate(layers):
            self.number += 1
            number, before, at = self.number, shape, len(self.steps)
            new, shape = self.fit(number, layer, shape)
            fitted += new
            bias = not _norm_follows(layers[index + 1 :])
            step = Step(number, layer, self.depth, _public(before), _public(shape), bias)
            self.steps.insert(at, step)
        return tuple(fitted), shape

    def fit(self, number: int, layer: Layer, shape: _Walked) -> tuple[Layers, _Walked]:
        """Give the layers that fit in the place of this one, and the shape after them."""
        match layer:
            case Repeat():
                return self.repeat(layer, shape)
            case Residual():
                return self.residual(number, layer, shape)
            case Parallel():
                return self.parallel(number, layer, shape)
            case Conv() | Pool():
                fitted = self.window(number, layer, shape)
            case _:
                fitted = self.pixelless(number, layer, shape)
        for each in fitted:
            shape = _after(each, shape, self.image.side)
        return fitted, shape

    def window(self, number: int, layer: Conv | Pool, shape: _Walked) -> Layers:
        if len(shape) == 1:
            self.note(number, layer, f"{_got(shape)}, no pixels; leave it out or move it forward")
            return ()
        _, rows, columns = shape
        fitted = _cut(layer, rows, columns)
        if fitted == layer:
            return (layer,)
        gone = isinstance(fitted, Pool) and fitted.rows == fitted.columns == 1
        advice = "Leave it out." if gone else f'Write "{fitted}".'
        excess = _excess(layer, rows, columns)
        self.note(number, layer, f"{_got(shape)}; {excess}. {advice}", size=True)
        return () if gone else (fitted,)

    def pixelless(self, number: int, layer: Layer, shape: _Walked) -> Layers:
        """Check a layer that has no window."""
        image, got = self.image, _got(shape)
        match layer:
            case Gather() if len(shape) == 1:
                self.note(number, layer, f"{got} already; leave it out")
                return ()
            case Gather("flatten") if not all(isinstance(size, int) for size in shape):
                self.note(number, layer, f'{got}, and "any" can\'t be flattened; write "gap"')
                return (Gather("gap"),)
            case Dense() | Side("side") if len(shape) == 3:
                self.note(number, layer, f'{got}, not plain features; add "gap" before it')
                return (Gather("gap"), *self.pixelless(number, layer, (shape[0],)))
            case Norm(int(groups)) if shape[0] % groups:
                nearest = Norm(math.gcd(groups, shape[0]))
                found = f"{got}; {groups} groups don't divide {shape[0]} features"
                self.note(number, layer, f'{found}; write "{nearest}"')
                return (nearest,)
            case Embed() if image.vocabulary is None or number > 1:
                only = "comes first" if image.vocabulary else "is for images of category numbers"
                self.note(number, layer, f"embed {only}; leave it out")
                return ()
            case Side() if not image.side:
                self.note(number, layer, "there are no side features; leave it out")
                return ()
            case Side("wide") if self.depth or self.wide:
                self.note(number, layer, "wide stands outside of all brackets, once; leave it out")
                return ()
            case Side("wide"):
                self.wide = True
        return (layer,)

    def inside(self, layers: Layers, shape: _Walked) -> tuple[Layers, _Walked]:
        self.depth += 1
        fitted = self.chain(layers, shape)
        self.depth -= 1
        return fitted

    def repeat(self, layer: Repeat, shape: _Walked) -> tuple[Layers, _Walked]:
        number, outer_round = self.number, self.round
        rounds: list[Layers] = []
        for self.round in range(1, layer.times + 1):
            self.number = number
            fitted, shape = self.inside(layer.layers, shape)
            rounds.append(fitted)
        self.round = outer_round
        if all(fitted == layer.layers for fitted in rounds):
            return (layer,), shape
        new: list[Layer] = []
        for fitted, same in groupby(rounds):
            times = len(list(same))
            new += [Repeat(times, fitted)] if times > 1 and fitted else fitted
        return tuple(new), shape

    def residual(self, number: int, layer: Residual, shape: _Walked) -> tuple[Layers, _Walked]:
        fitted, after = self.inside(layer.layers, shape)
        if after == shape:
            return ((Residual(fitted),) if fitted else ()), shape
        found = f"turns {_sizes(shape)} into {_sizes(after)}, which can't be added up"
        if shape[1:] != after[1:]:
            self.note(number, layer, f"{found}; take what shrinks the image out of the brackets")
            return fitted, after
        same = Conv(shape[0], 1, 1) if len(shape) == 3 else Dense(shape[0])
        self.note(number, layer, f'{found}; add "{same}" at its end')
        return (Residual((*fitted, same)),), shape

    def parallel(self, number: int, layer: Parallel, shape: _Walked) -> tuple[Layers, _Walked]:
        walked = [self.inside(branch, shape) for branch in layer.branches]
        branches = [fitted for fitted, _ in walked]
        after = [shape for _, shape in walked]
        if len({shape[1:] for shape in after}) > 1:
            found = "its branches give " + " and ".join(_sizes(shape) for shape in after)
            mixed = any(len(shape) == 1 for shape in after)
            advice = 'end each with "gap"' if mixed else "give all the same windows"
            self.note(number, layer, f"{found}, which can't be joined; {advice}")
            self.nearest_known &= mixed
            if mixed:
                gap = (Gather("gap"),)
                branches = [one if len(shape) == 1 else one + gap for one, shape in walked]
                after = [(shape[0],) for shape in after]
        joined = sum(shape[0] for shape in after)
        return (Parallel(tuple(branches)),), cast(_Walked, (joined, *after[0][1:]))
