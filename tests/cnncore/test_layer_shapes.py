"""Shapes of single layers are those of torch."""

from __future__ import annotations

from itertools import product

import torch
from torch.nn import functional

from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layer_shapes import (
    cut_window,
    name_excess,
    public_shape,
    shape_after,
    shape_text,
)
from cnnkit.cnncore.layer_types import Conv, Dense, Embed, Gather, Norm, Pool, Side

LENGTHS = range(1, 9)
PLAIN, WITH_SIDE = Input((1, 8, 8)), Input((1, 8, 8), side=5)


def test_a_convolution_gives_the_lengths_of_torch() -> None:
    for length, window, stride in product(LENGTHS, (1, 3, 5), (1, 2, 3)):
        found = functional.conv1d(
            torch.zeros(1, 1, length), torch.zeros(1, 1, window), None, stride, window // 2
        )
        after = shape_after(Conv(4, 1, window, (1, stride)), (2, 1, length), PLAIN)
        assert after == (4, 1, found.shape[-1])


def test_a_pool_gives_the_lengths_of_torch() -> None:
    for length, window, stride in product(LENGTHS, LENGTHS, (1, 2, 3)):
        if window <= length:
            found = functional.max_pool1d(torch.zeros(1, 1, length), window, stride)
            after = shape_after(Pool("pool", window, 1, (stride, 1)), (2, length, 5), PLAIN)
            assert after == (2, found.shape[-1], 5)


def test_layers_without_a_window_give_these_shapes() -> None:
    assert shape_after(Gather("flatten"), (2, 3, 4), PLAIN) == (24,)
    assert shape_after(Gather("gap"), (2, 3, ()), PLAIN) == (2,)
    assert shape_after(Embed(8), (2, 3, ()), PLAIN) == (8, 3, ())
    assert shape_after(Embed(8), (2, 3, ()), Input((2, 3, None), 10, vectors=3)) == (11, 3, ())
    assert shape_after(Dense(7), (2,), WITH_SIDE) == (7,)
    assert shape_after(Side("side"), (2,), WITH_SIDE) == (7,)
    assert shape_after(Side("wide"), (2,), WITH_SIDE) == (2,)
    assert shape_after(Norm(), (2, 3, 4), WITH_SIDE) == (2, 3, 4)


def test_unknown_lengths_agree_only_after_the_same_windows_and_strides() -> None:
    start = (2, 3, ())
    halved = shape_after(Conv(4, 1, 3, (1, 2)), start, PLAIN)
    assert shape_after(Conv(4, 1, 5, (1, 2)), start, PLAIN) == halved
    assert shape_after(Conv(4, 3, 3), start, PLAIN) == (4, 3, ())
    assert shape_after(Pool("pool", 1, 2, (1, 2)), start, PLAIN)[1:] != halved[1:]
    assert public_shape(halved) == (4, 3, None)
    assert shape_text(halved) == "4 x 3 x any"


def test_a_window_is_cut_to_lengths_that_are_too_short() -> None:
    conv, pool = Conv(8, 3, 5, (2, 2)), Pool("pool", 3, 5, (2, 2))
    assert cut_window(conv, 1, 2) == Conv(8, 1, 5, (1, 2))
    assert cut_window(pool, 1, 2) == Pool("pool", 1, 2, (1, 2))
    assert cut_window(pool, 4, 4) == Pool("pool", 3, 4, (2, 4))
    assert cut_window(pool, (), ()) == pool
    assert name_excess(pool, 1, 2) == (
        "a 3-row window does not fit 1 row and a 5-column window does not fit 2 columns"
    )
    assert name_excess(Conv(8, 1, 3, (2, 2)), 1, 2) == "a stride of 2 rows does not fit 1 row"
    assert name_excess(conv, 2, 2) == ""
