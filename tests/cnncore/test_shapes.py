"""What comes out of every layer, and what is said where one doesn't fit."""

from __future__ import annotations

import pytest
import torch

from cnnkit.cnncore.errors import SpecError
from cnnkit.cnncore.image import Images
from cnnkit.cnncore.input import Input, Shape
from cnnkit.cnncore.layer_types import Layers, Repeat, to_text
from cnnkit.cnncore.layers import (
    BatchNorm,
    Convolution,
    Embedding,
    Features,
    GlobalPool,
    GroupNorm,
    JoinSide,
    OnValues,
    WindowPool,
)
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.shapes import fit_to, shapes
from cnnkit.cnncore.spec import parse


def random_images(image: Input, length: int = 11) -> Images:
    size = (2, *(length if size is None else size for size in image.shape))
    if image.vocabulary is None:
        pixels = torch.randn(size)
    else:
        pixels = torch.randint(image.vocabulary, size)
    return Images(pixels, side=torch.randn(2, image.side) if image.side else None)


def test_the_nearest_spec_of_an_error_works(random_networks: list[tuple[Layers, Input]]) -> None:
    for layers, image in random_networks:
        assert len(shapes(layers, image)) >= 1


def test_every_layer_gives_the_shape_that_was_predicted(
    random_networks: list[tuple[Layers, Input]],
) -> None:
    leaves = (
        Convolution, WindowPool, BatchNorm, GroupNorm, OnValues, GlobalPool, Embedding, JoinSide
    )  # fmt: skip
    for layers, image in random_networks[:60]:
        known = Input(tuple(size or 11 for size in image.shape), image.vocabulary, image.side)
        try:
            steps = shapes(layers, known)
        except SpecError:  # the 11 pixels that stand for any number are too few for this network
            continue
        network = Network(layers, image, outputs=3).eval()
        seen: list[tuple[int, ...]] = []

        def note(
            module: torch.nn.Module, inputs: object, features: Features, seen: list = seen
        ) -> None:
            seen.append(tuple(features.values.shape[1:]))

        for module in network.modules():
            if isinstance(module, leaves):
                module.register_forward_hook(note)
        assert network(random_images(image)).shape == (2, 3)
        simple = [s for s in steps if "(" not in str(s.layer) and str(s.layer) != "wide"]
        assert seen == [step.after for step in simple]


@pytest.mark.parametrize(
    ("text", "image", "parts", "nearest"),
    [
        (
            "conv 64x1x3 | pool 2x2/2 | gap",
            (1, 1, 16),
            [
                'layer 2 "pool 2x2/2": input is 64 x 1 x 16 (features x rows x columns)',
                'a 2-row window does not fit 1 row. Write "pool 1x2/2".',
            ],
            "conv 64x1x3 | pool 1x2/2 | gap",
        ),
        (
            "conv 8x3x3 | gap",
            (1, 1, 16),
            ["a 3-row window does not fit 1 row", 'Write "conv 8x1x3"'],
            "conv 8x1x3 | gap",
        ),
        (
            "conv 8x3x3/2 | gap",
            (1, 1, 16),
            ["a 3-row window does not fit 1 row"],
            "conv 8x1x3/2 | gap",
        ),
        (
            "conv 8x1x3/2x2 | gap",
            (1, 1, 16),
            ["a stride of 2 rows does not fit 1 row"],
            "conv 8x1x3/2 | gap",
        ),
        (
            "pool 2x2 | pool 2x2 | pool 2x2 | gap",
            (1, 4, 4),
            ['layer 3 "pool 2x2/2"', "1 row and a 2-column window", "Leave it out."],
            "pool 2x2/2 | pool 2x2/2 | gap",
        ),
        (
            "pool 4x4 | gap",
            (1, 3, 9),
            ["a 4-row window does not fit 3 rows"],
            "pool 3x4/3x4 | gap",
        ),
        (
            "4*(conv 8x3x3 | pool 2x2) | gap",
            (1, 8, 8),
            ['layer 2 "conv 8x3x3" in round 4: input is 8 x 1 x 1', 'layer 3 "pool 2x2/2"'],
            "3*(conv 8x3x3 | pool 2x2/2) | conv 8x1x1 | gap",
        ),
        (
            "gap | conv 8x3x3",
            (1, 8, 8),
            ['layer 2 "conv 8x3x3": input is 1 plain features, no pixels; leave it out'],
            "gap",
        ),
        ("flatten | gap", (1, 8, 8), ['layer 2 "gap"', "already; leave it out"], "flatten"),
        (
            "conv 8x3x3 | dense 9 | relu",
            (1, 8, 8),
            ['layer 2 "dense 9": input is 8 x 8 x 8', 'add "gap" before it'],
            "conv 8x3x3 | gap | dense 9 | relu",
        ),
        (
            "relu | side",
            Input((1, 8, 8), side=2),
            ['layer 2 "side"', 'add "gap" before it'],
            "relu | gap | side",
        ),
        ("conv 8x3x3", (1, 8, 8), ["the head's input is 8 x 8 x 8", 'end with "gap"'],
         "conv 8x3x3 | gap"),
        (
            "flatten",
            (1, 8, None),
            ['"any" can\'t be flattened; write "gap"'],
            "gap",
        ),
        (
            "res(conv 8x3x3) | gap",
            (2, 8, 8),
            ['layer 1 "res( … )": turns 2 x 8 x 8 into 8 x 8 x 8', 'add "conv 2x1x1" at its end'],
            "res(conv 8x3x3 | conv 2x1x1) | gap",
        ),
        (
            "gap | res(dense 9 | relu)",
            (2, 8, 8),
            ["turns 2 into 9", 'add "dense 2"'],
            "gap | res(dense 9 | relu | dense 2)",
        ),
        (
            "res(pool 2x2) | gap",
            (2, None, None),
            ["turns 2 x any x any into 2 x any x any", "out of the brackets"],
            "pool 2x2/2 | gap",
        ),
        (
            "par(gap ; conv 4x1x1)",
            (2, 8, 8),
            ['layer 1 "par( … )": its branches give 2 and 4 x 8 x 8', 'end each with "gap"'],
            "par(gap ; conv 4x1x1 | gap)",
        ),
        (
            "par(pool 2x2 ; conv 4x1x1) | gap",
            (2, 8, 8),
            ["its branches give 2 x 4 x 4 and 4 x 8 x 8", "give all the same windows"],
            None,
        ),
        (
            "par(pool 2x2 ; conv 4x3x3/2) | gap",
            (2, 8, None),
            ["its branches give 2 x 4 x any and 4 x 4 x any"],
            None,
        ),
        (
            "conv 9x3x3 | norm group | gap",
            (2, 8, 8),
            ["8 groups don't divide 9 features", 'write "norm group 1"'],
            "conv 9x3x3 | norm group 1 | gap",
        ),
        ("embed 8 | gap", (2, 8, 8), ["embed is for images of category numbers"], "gap"),
        (
            "embed 8 | embed 8 | gap",
            Input((1, 8, 8), vocabulary=9),
            ['layer 2 "embed 8": embed comes first'],
            "embed 8 | gap",
        ),
        (
            "gap",
            Input((1, 8, 8), vocabulary=9),
            ["the image holds category numbers", 'begin with "embed 64"'],
            "embed 64 | gap",
        ),
        ("gap | side", (1, 8, 8), ['layer 2 "side": there are no side features'], "gap"),
        (
            "gap | side",
            Input((1, 8, 8), side=9000, sparse=True),
            ["an item has but a few of the 9,000 side features", 'vote directly; write "wide"'],
            "gap | wide",
        ),
        ("gap | wide", (1, 8, 8), ['layer 2 "wide": there are no side features'], "gap"),
        (
            "par(gap ; gmp | wide) | wide | wide",
            Input((1, 8, 8), side=2),
            ['layer 4 "wide"', 'layer 6 "wide"', "outside of all brackets, once"],
            "par(gap ; gmp) | wide",
        ),
        (
            "gap | dense 10 | drop 0.1",
            (1, 8, 8),
            ['layer 2 "dense 10"', "the head, a dense layer, is appended", '"dense 10 | relu"'],
            "gap | drop 0.1",
        ),
        (
            "conv 8x3x3 | dense 9 | side | relu",
            (1, 1, 8),
            ['Write "conv 8x1x3"', 'add "gap" before it', "no side features"],
            "conv 8x1x3 | gap | dense 9 | relu",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_what_to_write(
    text: str, image: Input | Shape, parts: list[str], nearest: str | None
) -> None:
    with pytest.raises(SpecError) as caught:
        shapes(parse(text), image)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == []
    assert caught.value.nearest == nearest
    if nearest is not None:
        assert message.endswith(f'The nearest spec that works: "{nearest}"')


def test_the_caret_stands_under_the_layer_that_does_not_fit() -> None:
    with pytest.raises(SpecError) as caught:
        shapes(parse("relu | 2*(relu | pool 9x9) | gap"), (1, 8, 8))
    _, spec, caret, _ = str(caught.value).splitlines()
    assert caret.index("^") == spec.index("pool")


def test_only_layers_that_are_repeated_are_said_to_be_in_a_round() -> None:
    with pytest.raises(SpecError) as caught:
        shapes(parse("2*(relu) | pool 9x9 | gap"), (1, 8, 8))
    assert "round" not in str(caught.value)


def test_windows_are_cut_to_the_image_on_request_only() -> None:
    layers = parse("conv 8x3x3/2 | pool 2x2 | relu | 2*(conv 8x3x3 | pool 2x2) | gap")
    cut = fit_to(layers, (1, 1, 8))
    expected = "conv 8x1x3/2 | pool 1x2/2 | relu | conv 8x1x3 | pool 1x2/2 | conv 8x1x1 | gap"
    assert to_text(cut) == expected
    assert fit_to(cut, (1, 1, 8)) == cut
    with pytest.raises(SpecError, match="does not fit"):
        shapes(layers, (1, 1, 8))
    with pytest.raises(SpecError, match='end with "gap"'):
        fit_to(parse("conv 8x3x3"), (1, 1, 8))


def test_a_spec_that_fits_is_not_changed() -> None:
    layers = parse("1*(conv 8x3x3) | res(1*(relu)) | par( ; 2*(relu)) | gap")
    assert fit_to(layers, (1, 8, 8)) == layers
    assert isinstance(layers[0], Repeat)
