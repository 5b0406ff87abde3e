"""Follow an image through the layers of a spec: what fits, what comes out, what to write instead.

Needs no torch. This is the one place that knows which networks are valid; `Network` is built from
the steps found here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import dropwhile, groupby
from typing import TYPE_CHECKING, cast

from cnnkit.cnncore.errors import SpecError
from cnnkit.cnncore.input import Input, Shape
from cnnkit.cnncore.layer_shapes import (
    Walked,
    cut_window,
    name_excess,
    public_shape,
    shape_after,
    shape_text,
)
from cnnkit.cnncore.layer_types import (
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
    brief,
    to_text,
)
from cnnkit.cnncore.spec import word_places

if TYPE_CHECKING:
    from cnnkit.cnncore.image import ImageSpec


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


BESIDE = (Side("wide"), Side("forest"))  # what votes beside the head


def without_image(layers: Layers) -> bool:
    """Say whether nothing looks at the pixels: the spec begins with the side features.

    Examples
    --------
    >>> without_image((Side("wide"), Side("forest"))), without_image((Side("side"), Dense(8)))
    (True, True)
    """
    if not layers or layers[0] == Side("side"):
        return bool(layers)
    return Side("wide") in layers and set(layers) <= set(BESIDE)


def _norm_follows(layers: Layers) -> bool:
    rest = dropwhile(lambda layer: isinstance(layer, Pool), layers)
    return isinstance(next(rest, None), Norm)


def _final_dense(layers: Layers) -> int | None:
    """Find a dense layer that makes two linear maps in a row of itself and the head."""
    at = len(layers) - 1
    while at >= 0 and (isinstance(layers[at], Drop) or layers[at] in BESIDE):
        at -= 1
    return at if at >= 0 and isinstance(layers[at], Dense) else None


def _got(shape: Walked) -> str:
    if len(shape) == 1:
        return f"input is {shape[0]} plain features"
    return f"input is {shape_text(shape)} (features x rows x columns)"


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
        self.nearest_known, self.beside = True, set[Side]()
        begun, shape = self.begun()
        fitted, shape = self.chain(layers, shape)
        self.fitted = self.ended((*begun, *fitted), shape)

    def begun(self) -> tuple[Layers, Walked]:
        """Check that category numbers are embedded; give the shape that the walk starts with."""
        channels, rows, columns = self.image.shape
        can_join = self.image.side and not self.image.sparse
        if without_image(self.layers) and (can_join or Side("side") not in self.layers):
            return (), (0,)
        lengths = (() if rows is None else rows, () if columns is None else columns)
        if self.image.vocabulary is None or isinstance(next(iter(self.layers), None), Embed):
            return (), (cast(int, channels), *lengths)
        message = 'the image holds category numbers; begin with "embed 64"'
        self.problems.append(_Problem(1, message, size=False))
        return (Embed(64),), (64, *lengths)

    def ended(self, fitted: Layers, shape: Walked) -> Layers:
        """Check that the head can be appended."""
        if len(shape) == 3:
            message = f'the head\'s {_got(shape)}, not plain features; end with "gap"'
            self.problems.append(_Problem(self.number + 1, message, size=False))
            return (*fitted, Gather("gap"))
        at = _final_dense(self.layers)
        if at is not None:
            advice = f'leave it out or write "{self.layers[at]} | relu"'
            message = f"the head, a dense layer, is appended; {advice}"
            self.note(self.number - (len(self.layers) - 1 - at), self.layers[at], message)
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
            to_text(self.fitted) if self.nearest_known and self.fitted else None,
        )

    def note(self, number: int, layer: Layer, message: str, size: bool = False) -> None:
        where = f" in round {self.round}" if self.round > 1 else ""
        message = f'layer {number} "{brief(layer)}"{where}: {message}'
        self.problems.append(_Problem(number, message, size))

    def chain(self, layers: Layers, shape: Walked) -> tuple[Layers, Walked]:
        fitted: list[Layer] = []
        for index, layer in enumerate(layers):
            self.number += 1
            number, before, at = self.number, shape, len(self.steps)
            new, shape = self.fit(number, layer, shape)
            fitted += new
            bias = not _norm_follows(layers[index + 1 :])
            step = Step(number, layer, self.depth, public_shape(before), public_shape(shape), bias)
            self.steps.insert(at, step)
        return tuple(fitted), shape

    def fit(self, number: int, layer: Layer, shape: Walked) -> tuple[Layers, Walked]:
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
            shape = shape_after(each, shape, self.image)
        return fitted, shape

    def window(self, number: int, layer: Conv | Pool, shape: Walked) -> Layers:
        if len(shape) == 1:
            self.note(number, layer, f"{_got(shape)}, no pixels; leave it out or move it forward")
            return ()
        _, rows, columns = shape
        fitted = cut_window(layer, rows, columns)
        if fitted == layer:
            return (layer,)
        gone = isinstance(fitted, Pool) and fitted.rows == fitted.columns == 1
        advice = "Leave it out." if gone else f'Write "{fitted}".'
        excess = name_excess(layer, rows, columns)
        self.note(number, layer, f"{_got(shape)}; {excess}. {advice}", size=True)
        return () if gone else (fitted,)

    def pixelless(self, number: int, layer: Layer, shape: Walked) -> Layers:
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
            case Side("side" | "forest") if image.sparse:
                found = f"an item has but a few of the {image.side:,} side features"
                self.note(number, layer, f'{found}: they can only vote directly; write "wide"')
                return self.pixelless(number, Side("wide"), shape)
            case Side() if not image.side:
                self.note(number, layer, "there are no side features; leave it out")
                return ()
            case Side("wide" | "forest") if self.depth or layer in self.beside:
                advice = "stands outside of all brackets, once; leave it out"
                self.note(number, layer, f"{layer} {advice}")
                return ()
            case Side("wide" | "forest"):
                self.beside.add(layer)
        return (layer,)

    def inside(self, layers: Layers, shape: Walked) -> tuple[Layers, Walked]:
        self.depth += 1
        fitted = self.chain(layers, shape)
        self.depth -= 1
        return fitted

    def repeat(self, layer: Repeat, shape: Walked) -> tuple[Layers, Walked]:
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

    def residual(self, number: int, layer: Residual, shape: Walked) -> tuple[Layers, Walked]:
        fitted, after = self.inside(layer.layers, shape)
        if after == shape:
            return ((Residual(fitted),) if fitted else ()), shape
        found = f"turns {shape_text(shape)} into {shape_text(after)}, which can't be added up"
        if shape[1:] != after[1:]:
            self.note(number, layer, f"{found}; take what shrinks the image out of the brackets")
            return fitted, after
        same = Conv(shape[0], 1, 1) if len(shape) == 3 else Dense(shape[0])
        self.note(number, layer, f'{found}; add "{same}" at its end')
        return (Residual((*fitted, same)),), shape

    def parallel(self, number: int, layer: Parallel, shape: Walked) -> tuple[Layers, Walked]:
        walked = [self.inside(branch, shape) for branch in layer.branches]
        branches = [fitted for fitted, _ in walked]
        after = [shape for _, shape in walked]
        if len({shape[1:] for shape in after}) > 1:
            found = "its branches give " + " and ".join(shape_text(shape) for shape in after)
            mixed = any(len(shape) == 1 for shape in after)
            advice = 'end each with "gap"' if mixed else "give all the same windows"
            self.note(number, layer, f"{found}, which can't be joined; {advice}")
            self.nearest_known &= mixed
            if mixed:
                gap = (Gather("gap"),)
                branches = [one if len(shape) == 1 else one + gap for one, shape in walked]
                after = [(shape[0],) for shape in after]
        joined = sum(shape[0] for shape in after)
        return (Parallel(tuple(branches)),), cast(Walked, (joined, *after[0][1:]))
