"""Layers are written as in a spec."""

from __future__ import annotations

import pytest

from cnnkit.cnncore.layer_types import (
    Activation,
    Conv,
    Gather,
    Layer,
    Norm,
    Parallel,
    Pool,
    Repeat,
    Residual,
    brief,
    to_text,
)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Conv(8, 3, 3), "conv 8x3x3"),
        (Conv(8, 3, 3, (2, 2)), "conv 8x3x3/2"),
        (Conv(8, 1, 3, (1, 2)), "conv 8x1x3/2"),
        (Conv(8, 1, 3, (2, 2)), "conv 8x1x3/2x2"),
        (Conv(8, 1, 1, (2, 2)), "conv 8x1x1/2"),
        (Pool("pool", 2, 2, (2, 2)), "pool 2x2/2"),
        (Pool("avgpool", 3, 2, (1, 1)), "avgpool 3x2/1"),
        (Pool("pool", 3, 3, (2, 1)), "pool 3x3/2x1"),
    ],
)
def test_a_stride_is_written_in_the_shortest_form(layer: Layer, text: str) -> None:
    assert str(layer) == text


def test_brackets_are_written_with_what_is_inside_or_without() -> None:
    inner = (Activation("relu"), Norm(2))
    layers = (Repeat(3, inner), Residual(inner), Parallel(((), (Gather("gap"),))), Norm())
    assert to_text(layers) == (
        "3*(relu | norm group 2) | res(relu | norm group 2) | par( ; gap) | norm"
    )
    assert [brief(layer) for layer in layers] == ["3*( … )", "res( … )", "par( … )", "norm"]
