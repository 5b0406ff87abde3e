"""The network spec: a convolutional network written on one line, with every decision visible.

    conv 16x3x3 | pool 2x2/2 | norm | relu | par(gap ; gmp) | dense 64 | relu | drop 0.2

=====================  ============================================================================
conv FxRxC[/S]         F features of R rows x C columns. Zeros around the image keep its size at
                       stride 1; a stride keeps every S-th position (SRxSC: of rows, of columns)
                       along the axes with a window larger than 1
pool RxC[/S]           largest value of each window (`avgpool`: mean). Only windows fully inside the
                       image count. Without /S, windows don't overlap. `pool 2/2` is `pool 2x2/2`.
norm, norm group G     batch normalisation; normalisation of G groups of features (8 if left out)
relu gelu silu ...     activations: see `layer_types.ACTIVATIONS`
gap gmp gsum flatten   pixels become plain features: mean, largest, sum, or all of them in a row;
                       `gsum/12` is the sum over 12, of the size that other features have
dense N                N hidden neurons
drop P                 dropout with probability P
embed D                first layer for category numbers: D features each; channels are added up
N*( ... )              the layers inside, N times, each time with new weights
res( ... )             adds its input to its output
par( ... ; ... )       joins the features of branches; an empty branch hands on its input
side                   joins the side features to the plain features
wide                   lets the side features vote directly: a linear vote added to the head's
forest                 a random forest learns from the side features, and its prediction counts as
                       much as the networks'
=====================  ============================================================================

The head (one vote for each class or target) is appended and never written. This file knows the
language only; `cnnkit.cnncore.shapes` follows an image through the layers.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cnnkit.cnncore.errors import SpecError, did_you_mean
from cnnkit.cnncore.layer_types import (
    ACTIVATIONS,
    GATHERS,
    SIDES,
    Activation,
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
    spread_stride,
)


def parse(text: str) -> Layers:
    """Read a spec. Whether the layers fit an image is checked by `shapes.shapes`.

    Raises
    ------
    SpecError
        If the text is no spec. All unknown words and wrong numbers are reported at once.

    Examples
    --------
    >>> from cnnkit.cnncore.layer_types import to_text
    >>> to_text(parse("conv 8x3x3|pool 2/2 | 2*(res(conv 8x3x3 | relu)) | gap"))
    'conv 8x3x3 | pool 2x2/2 | 2*(res(conv 8x3x3 | relu)) | gap'
    """
    return _Parser(" ".join(text.split())).network()


def word_places(text: str) -> list[int]:
    """Find where the words of a spec begin: layer n of an error message is the n-th of them."""
    return [place for place, token in _tokens(text) if token not in "()|;"]


_N = r"([1-9]\d{0,8})"
_STRIDE = rf"(?:/{_N}(?:x{_N})?)?"


def _conv(match: re.Match[str]) -> Layer:
    features, rows, columns = (int(match[number]) for number in (1, 2, 3))
    return Conv(features, rows, columns, _stride(match, (rows, columns), (1, 1)))


def _pool(match: re.Match[str]) -> Layer:
    rows, columns = int(match[2]), int(match[3] or match[2])
    return Pool(match[1], rows, columns, _stride(match, (rows, columns), (rows, columns)))


def _stride(
    match: re.Match[str], window: tuple[int, int], default: tuple[int, int]
) -> tuple[int, int]:
    if match[5]:
        return int(match[4]), int(match[5])
    return spread_stride(int(match[4]), *window) if match[4] else default


# Of each word: the pattern of the whole layer, how it is written, and what to make of it.
_FORMS: dict[str, tuple[str, str, Callable[[re.Match[str]], Layer]]] = {
    "conv": (rf"conv {_N}x{_N}x{_N}{_STRIDE}", "conv 32x3x3 or conv 32x3x3/2", _conv),
    "pool": (rf"(pool) {_N}(?:x{_N})?{_STRIDE}", "pool 2x2 or pool 3x3/2", _pool),
    "avgpool": (rf"(avgpool) {_N}(?:x{_N})?{_STRIDE}", "avgpool 2x2 or avgpool 3x3/2", _pool),
    "norm": (
        rf"norm(?: (group)(?: {_N})?)?",
        "norm, norm group or norm group 8",
        lambda match: Norm(int(match[2] or 8) if match[1] else None),
    ),
    **{word: (word, word, lambda match: Activation(match[0])) for word in ACTIVATIONS},
    **{word: (word, word, lambda match: Gather(match[0])) for word in GATHERS},
    "gsum": (
        rf"gsum(?:/{_N})?",
        "gsum or gsum/16 (the sum over 16)",
        lambda match: Gather("gsum", int(match[1] or 1)),
    ),
    "dense": (rf"dense {_N}", "dense 128", lambda match: Dense(int(match[1]))),
    "drop": (
        r"drop (0|0?\.\d+|\d(?:\.\d+)?e-\d+)",
        "drop 0.2 (a probability, at least 0 and below 1)",
        lambda match: Drop(float(match[1])),
    ),
    "embed": (rf"embed {_N}", "embed 64", lambda match: Embed(int(match[1]))),
    **{word: (word, word, lambda match: Side(match[0])) for word in SIDES},
}
_GROUPS = {"res": "res( … )", "par": "par( … ; … )"}
_HEAD = ("head", "logits", "output", "sigmoid", "softmax", "votes")
# What others call a layer, where spelling alone doesn't lead to the word used here.
_ALSO_CALLED = {"bn": "norm", "concat": "par", "fc": "dense", "linear": "dense", "swish": "silu"}


def _simple_layer(text: str) -> Layer:
    """Read a layer without brackets; a ValueError says what is wrong with it."""
    written = re.sub(r"\s*([x×/])\s*", r"\1", text.lower()).replace("×", "x")
    word = re.split("[^a-z]", written, maxsplit=1)[0]
    if word in _HEAD:
        raise ValueError("the head (a vote for each class or target) is appended; leave it out")
    if word in _GROUPS:
        raise ValueError(f"expected {_GROUPS[word]}")
    if word not in _FORMS:
        known = (*_FORMS, *_GROUPS)
        hint = did_you_mean(_ALSO_CALLED.get(word, word), known)
        raise ValueError(f"unknown word{hint or ': the words are ' + ', '.join(known)}")
    pattern, form, make = _FORMS[word]
    match = re.fullmatch(pattern, written)
    if match is None:
        raise ValueError(f"expected {form}")
    return make(match)


def _tokens(text: str) -> list[tuple[int, str]]:
    """Cut a spec into brackets, separators and what stands between them, each with its place."""
    pattern = r"[()|;]|[^()|;\s](?:[^()|;]*[^()|;\s])?"
    return [(match.start(), match[0]) for match in re.finditer(pattern, text)]


class _Parser:
    """Recursive descent: a network is layers separated by bars, some with layers inside."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [*_tokens(text), (len(text), "")]
        self.at = 0
        self.number = 0
        self.problems: list[tuple[int, str]] = []

    @property
    def token(self) -> str:
        return self.tokens[self.at][1]

    def network(self) -> Layers:
        layers = self.chain()
        if self.token:
            raise self.broken(f'unexpected "{self.token}"')
        if self.problems:
            raise SpecError(self.text, self.problems)
        return layers

    def chain(self) -> Layers:
        layers = [self.layer()]
        while self.token == "|":
            self.at += 1
            layers.append(self.layer())
        if self.token == "(":
            raise self.broken("only N*( … ), res( … ) and par( … ; … ) have brackets")
        if self.token not in ("", ";", ")"):
            raise self.broken(f'expected "|" before "{self.token}"')
        return tuple(layers)

    def layer(self) -> Layer:
        place, text = self.tokens[self.at]
        if text in ("", "(", ")", "|", ";"):
            raise self.broken("a layer is missing here")
        self.at += 1
        self.number += 1
        number = self.number
        if self.token == "(" and (group := re.fullmatch(rf"{_N}\s*\*|res|par", text.lower())):
            return self.group(group, place)
        try:
            return _simple_layer(text)
        except ValueError as error:
            self.problems.append((place, f'layer {number} "{text}": {error}'))
            return Activation("relu")  # a stand-in: the network is never returned

    def group(self, opening: re.Match[str], place: int) -> Layer:
        branches = [self.branch()]
        while self.token == ";":
            branches.append(self.branch())
        if self.token != ")":
            raise self.broken("this bracket is never closed", place)
        self.at += 1
        if opening[0] == "par" and len(branches) > 1:
            return Parallel(tuple(branches))
        if opening[0] == "par" or len(branches) > 1:
            raise self.broken(
                'par( … ; … ), and nothing else, has branches separated by ";"', place
            )
        layers = branches[0]
        if not layers:
            raise self.broken("a layer is missing inside these brackets", place)
        return Residual(layers) if opening[0] == "res" else Repeat(int(opening[1]), layers)

    def branch(self) -> Layers:
        self.at += 1
        return () if self.token in (";", ")") else self.chain()

    def broken(self, message: str, place: int | None = None) -> SpecError:
        """Say what is wrong with the brackets or bars, after all that was found before it."""
        place = self.tokens[self.at][0] if place is None else place
        return SpecError(self.text, [*self.problems, (place, message)])
