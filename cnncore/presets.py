"""Networks that are ready to use. A preset is nothing but a spec; `resolve` cuts it to the image.

audio
    Spectrograms and other large images: few features while there are many pixels, then more.
small
    Images of a few dozen pixels in height and width.
sequence
    One row of many pixels: texts, signals.
text
    Positions of a text: windows of 3, 4 and 5 words (Kim 2014) beside the words themselves, which
    vote directly.
text-quick
    The words alone: what a linear model sees. Seconds.
bytes
    Positions of bytes: windows of 2, 3, 4 and 6.
molecule
    Points of molecules on a grid: extensive properties need the sum over all of them. Descriptors
    join before a hidden layer, and a forest learns from them beside the network.
molecule-quick
    The descriptors alone. Seconds.
smiles
    Signs of a SMILES: windows of 3, 5 and 7. Descriptors join as above.
vector
    One row of few pixels: the columns of a table. It keeps all positions, so that the head knows
    which column a value stands in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cnnkit.cnncore.errors import SpecError, did_you_mean
from cnnkit.cnncore.input import Input, Shape
from cnnkit.cnncore.layer_types import Embed, Layers, Side, to_text
from cnnkit.cnncore.shapes import fit_to, shapes, without_image
from cnnkit.cnncore.spec import parse

if TYPE_CHECKING:
    from cnnkit.cnncore.image import ImageSpec

PRESETS: dict[str, str] = {
    "audio": (
        "conv 16x3x3 | pool 2x2/2 | norm | relu | conv 32x3x3 | pool 2x2/2 | norm | relu"
        " | conv 32x3x3 | norm | relu | conv 64x3x3 | pool 2x2/2 | norm | relu"
        " | conv 64x3x3 | norm | relu | conv 128x3x3 | pool 2x2/2 | norm | relu"
        " | conv 128x3x3 | norm | relu | par(gap ; gmp) | drop 0.2"
    ),
    "small": (
        "conv 16x3x3 | pool 2x2/2 | norm | relu | conv 32x3x3 | pool 2x2/2 | norm | relu"
        " | conv 64x3x3 | norm | relu | par(gap ; gmp) | drop 0.2"
    ),
    "sequence": (
        "conv 32x1x5 | pool 1x2/2 | norm | relu | conv 64x1x3 | pool 1x2/2 | norm | relu"
        " | conv 64x1x3 | norm | relu | par(gap ; gmp) | drop 0.2"
    ),
    "text": (
        "embed 64 | drop 0.2"
        " | par(conv 64x1x3 | relu | gmp ; conv 64x1x4 | relu | gmp ; conv 64x1x5 | relu | gmp)"
        " | drop 0.5 | wide"
    ),
    "text-quick": "wide",
    "bytes": (
        "embed 32 | par(conv 64x1x2 ; conv 64x1x3 ; conv 64x1x4 ; conv 64x1x6) | norm | relu"
        " | par(gap ; gmp) | drop 0.2 | wide"
    ),
    "molecule": (
        "conv 32x3x3 | pool 2x2/2 | norm | relu | conv 64x3x3 | norm | relu"
        " | conv 64x3x3 | pool 2x2/2 | norm | relu | conv 128x3x3 | norm | relu"
        " | res(conv 128x3x3 | norm | relu) | par(gsum/12 ; gmp)"
        " | side | dense 256 | relu | drop 0.5 | forest"
    ),
    "smiles": (
        "embed 64 | par(conv 64x1x3 ; conv 64x1x5 ; conv 64x1x7) | norm | relu"
        " | conv 128x1x3 | norm | relu | par(gsum/24 ; gmp) | side | dense 256 | relu | drop 0.5"
    ),
    "molecule-quick": "side | dense 256 | relu | drop 0.5 | forest",
    "vector": "conv 32x1x3 | norm | relu | conv 32x1x3 | norm | relu | flatten | drop 0.2",
}
LARGE = 32  # pixels in height and width, from which on "auto" takes "audio"
NARROW = 16  # pixels in a row, up to which "auto" takes "vector"


def choose(image: ImageSpec | Input | Shape) -> str:
    """Choose a preset by the shape of the image, and cut it to the image.

    Images of category numbers get an embedding first. Where there are side features, they are
    joined before a hidden layer.

    Examples
    --------
    >>> choose((3, 1, 2))
    'conv 32x1x3 | norm | relu | conv 32x1x3 | norm | relu | flatten | drop 0.2'
    """
    image = Input.of(image)
    _, rows, columns = image.shape
    if image.vocabulary is not None and rows == 1:
        name = "text"
    elif rows == 1:
        name = "vector" if columns is not None and columns <= NARROW else "sequence"
    else:
        large = all(length is None or length >= LARGE for length in (rows, columns))
        name = "audio" if large else "small"
    return to_text(_cut(name, image))


def resolve(network: str, image: ImageSpec | Input | Shape) -> Layers:
    """Give the layers that a preset's name, "auto" or a spec stands for.

    A preset is cut to the image, and gets an embedding and side features as in `choose`: show the
    result. A spec is taken as it is written.

    Raises
    ------
    SpecError
        If `network` is no preset and no spec, or a spec that doesn't fit.

    Examples
    --------
    >>> to_text(resolve("vector", (1, 1, 1)))
    'conv 32x1x1 | norm | relu | conv 32x1x1 | norm | relu | flatten | drop 0.2'
    """
    name = network.strip().lower()
    if name == "auto":
        return parse(choose(image))
    if name in PRESETS:
        return _cut(name, Input.of(image))
    layers = _parse_spec(network)
    shapes(layers, image)
    return layers


def check_network(network: str) -> None:
    """Refuse what is no preset's name, not "auto" and no spec, before an image is known.

    Raises
    ------
    SpecError

    Examples
    --------
    >>> check_network("audio")
    """
    if network.strip().lower() not in ("auto", *PRESETS):
        _parse_spec(network)


def sees_image(network: str | None) -> bool:
    """Say whether a preset or a spec, or what stands for None or "auto", looks at any pixels.

    Examples
    --------
    >>> sees_image("text"), sees_image("text-quick")
    (True, False)
    """
    name = (network or "auto").strip().lower()
    return name == "auto" or not without_image(parse(PRESETS.get(name, name)))


def _parse_spec(network: str) -> Layers:
    """Read a spec; where a single word isn't one, it was to be a preset's name."""
    name = network.strip().lower()
    try:
        return parse(network)
    except SpecError as error:
        if not re.fullmatch(r"[\w-]+", name):
            raise
        known = ("auto", *PRESETS)
        hint = did_you_mean(name, known) or f"; the presets are {', '.join(known)}"
        raise SpecError(
            network, [(0, f'"{network}" is no preset{hint}'), *error.problems]
        ) from error


def _cut(name: str, image: Input) -> Layers:
    """Give a preset what the image needs, and take away what it has no use for."""
    layers = parse(PRESETS[name])
    if without_image(layers) and image.sparse:
        return (Side("wide"),)
    begins, votes = isinstance(layers[0], Embed), Side("wide") in layers
    joins = Side("side") in layers or Side("forest") in layers
    if image.vocabulary is not None and not begins and len(layers) > 1:
        layers = (Embed(64), *layers)
    if without_image(layers) and not image.side:
        told = f'"{name}" is nothing but side features (of texts the n-grams, of molecules side=…)'
        lacks = "but there are none: choose another network, or leave n_grams=0 or side=none out"
        raise SpecError(name, [(0, f"{told}, {lacks}")])
    if joins and (image.sparse or not image.side):
        layers = tuple(layer for layer in layers if layer not in (Side("side"), Side("forest")))
    if image.vocabulary is None and begins:
        layers = layers[1:]
    if votes and not image.side and len(layers) > 1:
        layers = tuple(layer for layer in layers if layer != Side("wide"))
    if image.sparse and not votes:
        layers = (*layers, Side("wide"))
    if image.side and not image.sparse and not votes and not joins:
        layers = (*layers[:-1], Side("side"), *parse("dense 128 | relu"), layers[-1])
    return fit_to(layers, image)
