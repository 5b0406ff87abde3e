"""The language: reading, printing, and what is said about mistakes."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from cnnkit.cnncore.errors import SpecError
from cnnkit.cnncore.layer_types import (
    ACTIVATIONS,
    GATHERS,
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
    to_text,
)
from cnnkit.cnncore.spec import parse, word_places


def random_chain(rng: random.Random, depth: int) -> Layers:
    return tuple(random_layer(rng, depth) for _ in range(rng.randint(1, 4)))


def random_layer(rng: random.Random, depth: int) -> Layer:
    stride = rng.choice([(1, 1), (2, 2), (3, 1), (1, 2)])
    simple: list[Layer] = [
        Conv(rng.randint(1, 64), rng.randint(1, 5), rng.randint(1, 5), stride),
        Pool(rng.choice(["pool", "avgpool"]), rng.randint(1, 4), rng.randint(1, 4), stride),
        Norm(rng.choice([None, 1, 8])),
        Activation(rng.choice(ACTIVATIONS)),
        Gather(rng.choice(GATHERS)),
        Dense(rng.randint(1, 999)),
        Drop(rng.choice([0.0, 0.2, 1e-5, rng.random()])),
        Embed(rng.randint(1, 99)),
        Side(rng.choice(["side", "wide"])),
    ]
    if depth and rng.random() < 0.4:
        branches = ((), *(random_chain(rng, depth - 1) for _ in range(2)))
        return rng.choice(
            [
                Repeat(rng.randint(1, 4), branches[1]),
                Residual(branches[1]),
                Parallel(branches[rng.randint(0, 1) :]),
            ]
        )
    return rng.choice(simple)


def test_what_is_printed_is_read_back_as_the_same_layers() -> None:
    rng = random.Random(0)
    for _ in range(500):
        layers = random_chain(rng, depth=3)
        assert parse(to_text(layers)) == layers


def test_every_word_is_read_as_the_layer_it_names() -> None:
    text = "embed 8 | conv 4x3x5/2 | norm | norm group 2 | relu | gap | dense 7 | drop 0.5 | side"
    assert parse(text) == (
        Embed(8),
        Conv(4, 3, 5, (2, 2)),
        Norm(None),
        Norm(2),
        Activation("relu"),
        Gather("gap"),
        Dense(7),
        Drop(0.5),
        Side("side"),
    )


def test_brackets_hold_layers() -> None:
    assert parse("2*(relu | norm) | res(relu) | par(gap ; gmp | relu ; )") == (
        Repeat(2, (Activation("relu"), Norm())),
        Residual((Activation("relu"),)),
        Parallel(((Gather("gap"),), (Gather("gmp"), Activation("relu")), ())),
    )


@pytest.mark.parametrize(
    ("short", "canonical"),
    [
        ("pool 2", "pool 2x2/2"),
        ("pool 2/2", "pool 2x2/2"),
        ("pool 3/2", "pool 3x3/2"),
        ("pool 2x3", "pool 2x3/2x3"),
        ("pool 1x2", "pool 1x2/2"),
        ("pool 1x2/1x2", "pool 1x2/2"),
        ("avgpool 2", "avgpool 2x2/2"),
        ("conv 8x3x3/1", "conv 8x3x3"),
        ("conv 8x1x3/2", "conv 8x1x3/2"),
        ("conv 8x1x3/1x2", "conv 8x1x3/2"),
        ("conv 8x1x3/2x2", "conv 8x1x3/2x2"),
        ("conv 8 x 3 × 3 / 2", "conv 8x3x3/2"),
        ("norm group", "norm group 8"),
        ("drop .20", "drop 0.2"),
        (" RELU|\n  GAP ", "relu | gap"),
        ("res( relu )|3 * (gap)", "res(relu) | 3*(gap)"),
    ],
)
def test_short_forms_are_printed_in_full(short: str, canonical: str) -> None:
    assert to_text(parse(short)) == canonical


def test_one_stride_holds_for_the_axes_with_a_window() -> None:
    assert parse("conv 8x1x3/2") == (Conv(8, 1, 3, (1, 2)),)
    assert parse("conv 8x1x1/2") == (Conv(8, 1, 1, (2, 2)),)
    assert parse("pool 3x3/2x1") == (Pool("pool", 3, 3, (2, 1)),)


@pytest.mark.parametrize(
    ("text", "place", "parts"),
    [
        ("relu | pol 2x2", 7, ['layer 2 "pol 2x2"', "unknown word", 'did you mean "pool"?']),
        ("linear 10", 0, ["layer 1", 'did you mean "dense"?']),
        ("xyzzy", 0, ["unknown word", "conv, pool", "res, par"]),
        ("3x3", 0, ["unknown word"]),
        ("conv 32x3", 0, ['layer 1 "conv 32x3"', "expected conv 32x3x3"]),
        ("conv 0x3x3", 0, ["expected conv 32x3x3"]),
        ("relu | pool", 7, ["expected pool 2x2"]),
        ("gap 3", 0, ["expected gap"]),
        ("norm batch", 0, ["expected norm, norm group or norm group 8"]),
        ("dense 1 28", 0, ["expected dense 128"]),
        ("drop 1", 0, ["at least 0 and below 1"]),
        ("drop 0.2.3", 0, ["expected drop 0.2"]),
        ("gap | softmax", 6, ['layer 2 "softmax"', "the head", "is appended; leave it out"]),
        ("res | relu", 0, ["expected res( … )"]),
        ("", 0, ["a layer is missing"]),
        ("relu |", 6, ["a layer is missing"]),
        ("relu | | gap", 7, ["a layer is missing"]),
        ("relu ; gap", 5, ['unexpected ";"']),
        ("relu)", 4, ['unexpected ")"']),
        ("gap | res(relu", 6, ["never closed"]),
        ("res(relu) gap", 10, ['expected "|" before "gap"']),
        ("relu(gap)", 4, ["only N*( … ), res( … ) and par( … ; … ) have brackets"]),
        ("res()", 0, ["a layer is missing inside"]),
        ("par(gap | gmp)", 0, ["branches separated by"]),
        ("2*(gap ; gmp)", 0, ["branches separated by"]),
    ],
)
def test_a_mistake_is_shown_with_its_place(text: str, place: int, parts: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == []
    assert message.splitlines()[-1] == "    " + " " * place + "^"


def test_all_wrong_layers_are_reported_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        parse("pol 2x2 | relu | par(gapp ; dense x)")
    *problems, spec, carets = str(caught.value).splitlines()
    assert len(problems) == 3
    assert spec == "    pol 2x2 | relu | par(gapp ; dense x)"
    assert carets == "    ^                    ^      ^"


def test_words_are_counted_with_brackets_as_words() -> None:
    text = "relu | 2*(gap) | par(gmp ; norm group 8)"
    starts = ("relu", "2*", "gap", "par", "gmp", "norm")
    assert word_places(text) == [text.index(word) for word in starts]


def test_the_language_is_read_without_torch() -> None:
    modules = ", ".join(
        f"cnnkit.cnncore.{name}" for name in ("spec", "shapes", "describe", "presets")
    )
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
