"""Presets fit every image."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import torch

from cnnkit.cnncore.describe import describe
from cnnkit.cnncore.errors import SpecError
from cnnkit.cnncore.image import Axis, Images, ImageSpec, SparseRows
from cnnkit.cnncore.input import Input, Shape
from cnnkit.cnncore.layer_types import to_text
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.presets import PRESETS, choose, resolve
from cnnkit.cnncore.shapes import shapes
from cnnkit.cnncore.spec import parse

LENGTHS = (1, 2, 3, 5, 8, 16, 17, 40, None)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_written_in_its_canonical_form(name: str) -> None:
    assert to_text(parse(PRESETS[name])) == PRESETS[name]


@pytest.mark.parametrize("name", ["auto", "audio", "small", "sequence"])
def test_a_preset_is_cut_to_any_image(name: str) -> None:
    for rows, columns in product(LENGTHS, LENGTHS):
        assert len(shapes(resolve(name, (2, rows, columns)), (2, rows, columns))[-1].after) == 1


@pytest.mark.parametrize("columns", range(1, 17))
def test_a_table_of_any_width_gets_votes(columns: int) -> None:
    network = Network(resolve("vector", (1, 1, columns)), (1, 1, columns), outputs=3).eval()
    assert network(Images(torch.zeros(2, 1, 1, columns))).shape == (2, 3)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 2), (1, 4, 1), (1, 3, 3), (1, 40, 33)])
def test_auto_networks_give_votes(shape: tuple[int, int, int]) -> None:
    network = Network(resolve("auto", shape), shape, outputs=3).eval()
    assert network(Images(torch.zeros(2, *shape))).shape == (2, 3)


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((1, 40, 64), "audio"),
        ((1, 40, None), "audio"),
        ((3, 24, 24), "small"),
        ((1, 1, 500), "sequence"),
        ((1, 1, None), "sequence"),
        ((1, 1, 8), "vector"),
    ],
)
def test_auto_goes_by_the_shape(shape: Shape, name: str) -> None:
    assert choose(shape) == PRESETS[name]


def test_the_audio_preset_has_the_weights_counted_by_hand() -> None:
    # Convolutions 9 (16 + 16*32 + 32*32 + 32*64 + 64*64 + 64*128 + 128*128) = 290,448, norms
    # 2 (16 + 32 + 32 + 64 + 64 + 128 + 128) = 928, head 256 * 10 + 10 = 2,570.
    rows = describe(parse(PRESETS["audio"]), (1, 40, 64), outputs=10)
    assert sum(row.weights for row in rows) == 290_448 + 928 + 2_570


def test_category_numbers_and_side_features_are_used() -> None:
    image = ImageSpec(("slot",), None, Axis("position"), "index", 100, ("mass", "charge"))
    layers = resolve("sequence", image)
    assert to_text(layers).startswith("embed 64 | conv 32x1x5")
    assert to_text(layers).endswith("par(gap ; gmp) | side | dense 128 | relu | drop 0.2")


def test_a_preset_of_texts_votes_directly_only_where_there_are_side_features() -> None:
    positions = Input((6, 1, None), vocabulary=100)
    with_side = replace(positions, side=9, sparse=True)
    assert choose(positions).endswith("gmp) | drop 0.5")
    assert choose(with_side) == to_text(resolve("text", with_side)) == PRESETS["text"]
    assert to_text(resolve("text-quick", with_side)) == "wide"
    assert to_text(resolve("sequence", with_side)).endswith("drop 0.2 | wide")
    with pytest.raises(SpecError, match="but there are none: choose another net") as caught:
        resolve("text-quick", positions)
    assert "leave n_grams=0 or side=none out" in str(caught.value)
    assert "nearest" not in str(caught.value)


def test_a_preset_of_texts_can_look_at_numbers() -> None:
    assert to_text(resolve("bytes", (4, 1, 20))).startswith("par(conv 64x1x2 ; conv 64x1x3")


def test_a_tall_image_is_convolved_along_its_rows() -> None:
    assert choose((1, 20, 1)).startswith("conv 16x3x1 | pool 2x1/2 | norm")


def test_a_spec_is_taken_as_it_is_written() -> None:
    assert resolve("conv 8x3x3 | gap", (1, 8, 8)) == parse("conv 8x3x3 | gap")
    with pytest.raises(SpecError, match='Write "conv 8x1x3"'):
        resolve("conv 8x3x3 | gap", (1, 1, 8))


def test_a_misspelt_preset_is_guessed() -> None:
    with pytest.raises(SpecError, match=r'"sequense" is no preset; did you mean "sequence"\?'):
        resolve("sequense", (1, 1, 8))
    with pytest.raises(SpecError, match="the presets are auto, audio, small, sequence, text, "):
        resolve("xyzzy", (1, 1, 8))
    with pytest.raises(SpecError) as caught:
        resolve("conv 8x3x3 | gupp", (1, 8, 8))
    assert "preset" not in str(caught.value)


def test_all_positions_of_an_unknown_number_of_columns_cannot_be_kept() -> None:
    with pytest.raises(SpecError, match='"any" can\'t be flattened; write "gap"'):
        resolve("vector", (1, 1, None))


@pytest.mark.parametrize("name", ["auto", *PRESETS])
def test_sparse_side_features_vote_in_every_preset(name: str) -> None:
    columns = 20 if name == "vector" else None  # which keeps all positions
    image = Input((2, 1, columns), vocabulary=100, side=9, sparse=True)
    layers = resolve(name, image)
    assert to_text(layers).endswith("wide")
    assert to_text(layers).count("wide") == 1
    network = Network(layers, image, outputs=3).eval()
    side = SparseRows(torch.tensor([0, 8, 3]), torch.ones(3), torch.tensor([0, 2, 3]))
    pixels = torch.randint(0, 100, (3, 2, 1, 20))
    plain = network(Images(pixels, side=side))
    torch.nn.init.ones_(network.wide.weight)
    torch.testing.assert_close(
        network(Images(pixels, side=side)), plain + torch.tensor([[2.0], [1.0], [0.0]])
    )
