"""The table of layers, and what they cost."""

from __future__ import annotations

from cnnkit.cnncore.describe import describe, format_table
from cnnkit.cnncore.image import Axis, ImageSpec
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layer_types import Layers
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.spec import parse


def test_the_weights_are_those_of_the_network(
    random_networks: list[tuple[Layers, Input]],
) -> None:
    for layers, image in random_networks[:60]:
        counted = sum(row.weights for row in describe(layers, image, outputs=3))
        network = Network(layers, image, outputs=3)
        assert counted == sum(weight.numel() for weight in network.parameters())


def test_a_small_network_is_counted_by_hand() -> None:
    text = "conv 8x3x3 | relu | conv 16x3x3/2 | pool 2x2 | norm | relu | flatten | dense 32 | relu"
    rows = describe(parse(text), (1, 28, 28), outputs=10)
    assert [row.shape for row in rows] == [
        (1, 28, 28), (8, 28, 28), (8, 28, 28), (16, 14, 14), (16, 7, 7), (16, 7, 7), (16, 7, 7),
        (784,), (32,), (32,), (10,),
    ]  # fmt: skip
    # 8 filters of 1*3*3 with bias; 16 of 8*3*3 without (norm follows); norm: scale and shift.
    assert [row.weights for row in rows] == [0, 80, 0, 1152, 0, 32, 0, 0, 25_120, 0, 330]
    assert [row.multiply_adds for row in rows] == [
        0, 72 * 784, 0, 1152 * 196, 0, 0, 0, 0, 784 * 32, 0, 320
    ]  # fmt: skip


def test_embedding_side_and_wide_are_counted() -> None:
    image = ImageSpec(("slot",), None, Axis("position"), "index", 100, ("mass", "charge"))
    rows = describe(parse("embed 8 | gap | side | wide"), image, outputs=3)
    assert [row.weights for row in rows] == [0, 800, 0, 0, 6, 33]
    assert [row.shape for row in rows][1:] == [(8, 1, None), (8,), (10,), (10,), (3,)]


def test_the_table_shows_totals_and_says_what_is_not_known() -> None:
    table = format_table(describe(parse("res(conv 2x3x3) | gap"), (2, 28, 28), outputs=10))
    assert [line.split() for line in table.splitlines()] == [
        ["layer", "output", "weights", "multiply-adds"],
        ["input", "2", "x", "28", "x", "28", "0", "0"],
        ["1", "res(", "…", ")", "2", "x", "28", "x", "28", "0", "0"],
        ["2", "conv", "2x3x3", "2", "x", "28", "x", "28", "38", "28,224"],
        ["3", "gap", "2", "0", "0"],
        ["head", "10", "30", "20"],
        ["total", "68", "28,244"],
    ]
    table = format_table(describe(parse("conv 2x3x3 | gap"), (1, 28, None), outputs=10))
    assert "2 x 28 x any" in table
    assert table.splitlines()[-1].split() == ["total", "50", "unknown"]
