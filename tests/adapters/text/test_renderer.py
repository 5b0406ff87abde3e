"""Windows of texts: the same votes in any company, and nothing of a text is lost."""

from __future__ import annotations

import math
import random
from functools import cache

import numpy as np
import pytest
import torch

from cnnkit.adapters import TextAdapter
from cnnkit.adapters.text.renderer import Drawing, TextRenderer
from cnnkit.adapters.text.units import UNITS
from cnnkit.cnncore.image import Images, Samples
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layers import Features
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.presets import resolve
from cnnkit.cnncore.spec import parse

VOCABULARY = ["".join(random.Random(n).choices("aeioulmnrst", k=2 + n % 7)) for n in range(300)]
SMALL = Drawing(buckets=None, window=10, overlap=3, windows=4, crop=(5, 12), position_dropout=0.0)


def text_of(length, seed=0):
    """Draw a text of `length` words."""
    return " ".join(random.Random(seed).choices(VOCABULARY, k=length))


@cache
def fitted(unit, windows=None, **settings):
    texts = [text_of(length, seed) for seed, length in enumerate([1000, 5, 60, 200])]
    return TextAdapter(unit=unit, windows=windows, **settings).fit(texts)


def edges(unit):
    """Lengths around the places where another window begins."""
    one = UNITS[unit]
    step = one.window - one.overlap
    return [one.window + number * step + more for number in (0, 1, 2) for more in (-1, 0, 1)]


def texts_around_edges(unit):
    if unit == "words":
        texts = [text_of(length, length) for length in edges(unit)]
    else:
        texts = [text_of(2000, length)[:length] for length in edges(unit)]
    return ["", "a", "an odd one", *texts, text_of(1000, seed=99)]


def shaken(network):
    """Set everything that begins as 0 or 1 to something that would show."""
    torch.manual_seed(0)
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point() and tensor.ndim:
            tensor.data.uniform_(0.1, 0.5)
    for module in network.modules():
        if isinstance(module, torch.nn.EmbeddingBag | torch.nn.Conv2d):
            torch.nn.init.normal_(module.weight, std=0.3)
    return network.eval()


def draw(adapter, texts, generator=None, *, training=False):
    renderer = adapter.renderer().train(training)
    return renderer(adapter.read(texts).to("cpu"), generator)


def numbers(count):
    """Samples of the numbers 1, 2, … as bare category numbers, one for each length."""
    offsets = np.concatenate([[0], np.cumsum(count)])
    values = np.concatenate([np.arange(1, n + 1) for n in count]).astype(np.int64)
    n = len(count)
    return Samples(values[:, None], offsets, np.arange(n), np.zeros((n, 0), np.float32))


@pytest.mark.parametrize("unit", ["words", "bytes"])
@pytest.mark.parametrize("windows", [1, 3, None])
def test_a_text_gets_the_same_votes_alone_and_beside_longer_ones(unit, windows):
    adapter = fitted(unit, windows)
    network = shaken(Network(resolve(adapter.recipe_.network, adapter.spec_), adapter.spec_, 3))
    texts = texts_around_edges(unit)
    with torch.no_grad():
        together = network(draw(adapter, texts))
        backwards = network(draw(adapter, texts[::-1])).flip(0)
        alone = torch.cat([network(draw(adapter, [text])) for text in texts])
    assert together.isfinite().all()
    assert len(together.round(decimals=3).unique(dim=0)) > len(texts) // 2
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(together, backwards, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("unit", ["words", "bytes"])
def test_empty_texts_get_finite_votes(unit):
    adapter = fitted(unit)
    network = shaken(Network(resolve(adapter.recipe_.network, adapter.spec_), adapter.spec_, 3))
    with torch.no_grad():
        only = network(draw(adapter, ["", " "]))
        beside = network(draw(adapter, ["", text_of(300)]))
    assert only.isfinite().all()
    assert torch.equal(only[0], only[1])
    torch.testing.assert_close(beside[0], only[0])


@pytest.mark.parametrize("unit", ["words", "bytes"])
def test_a_huge_text_pads_no_other(unit):
    adapter, one = fitted(unit), UNITS[unit]
    texts = [text_of(100_000), *["a", "good one"] * 10, text_of(90 if unit == "words" else 200)]
    images = draw(adapter, texts)
    lengths = adapter.read(texts).lengths.tolist()
    step = one.window - one.overlap
    expected = [
        min(adapter.windows_, max(1, math.ceil((length - one.overlap) / step)))
        for length in lengths
    ]
    assert images.windows.tolist() == expected
    assert len(images.pixels) == len(images.mask) == sum(expected)
    assert images.pixels.shape[3] == one.window


def test_images_are_as_long_as_the_longest_text():
    images = draw(fitted("words"), ["a b c", "a", ""])
    assert images.pixels.shape == (3, 6, 1, 3)
    assert images.windows is None
    assert images.mask.sum((1, 2, 3)).tolist() == [3, 1, 1]


@pytest.mark.parametrize("length", range(40))
def test_windows_cover_a_text_up_to_the_last_that_is_allowed(length):
    images = TextRenderer(SMALL).eval()(numbers([length, 3]).to("cpu"))
    count = 1 if images.windows is None else int(images.windows[0])
    shown = images.pixels[:count, 0, 0]
    reach = min(length, 10 + 3 * 7)
    assert set(shown[shown > 0].tolist()) == set(range(1, reach + 1))
    # Every run of overlap + 1 positions stands in one window whole, and no window is in vain.
    rows = [set(row[row > 0].tolist()) for row in shown]
    for first in range(1, reach - 3 + 1):
        assert any(set(range(first, first + 4)) <= row for row in rows)
    assert all(len(row) > 3 for row in rows[1:])
    assert (images.mask[:count, 0, 0] == (shown > 0))[:, 1:].all()


def one_image(adapter, text):
    pixels = torch.from_numpy(adapter.transform([text]))
    return Images(pixels, pixels[:, :1] > 0)


def features(images):
    return Features(images.pixels, images.mask, images.side, images.windows, images.vectors)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_windows_lose_no_n_gram_of_a_text(width):
    # With nothing negative, a run that the edge of a window cuts can't win against the whole run.
    adapter = fitted("words", n_grams=0)
    spec = Input.of(adapter.spec_)
    network = Network(parse(f"embed 4 | conv 64x1x{width} | gmp"), spec, outputs=2)
    texts = [text_of(length, length) for length in (3, 80, 81, 200, 400, 990)]
    signed = []
    torch.manual_seed(0)
    for positive in (True, False):
        with torch.no_grad():
            for weight in network.parameters():
                torch.nn.init.normal_(weight)
                weight.copy_(weight.abs() if positive else weight)
            found = network.body(features(draw(adapter, texts))).values
            whole = [network.body(features(one_image(adapter, text))).values for text in texts]
        signed.append((found, torch.cat(whole)))
    torch.testing.assert_close(*signed[0], rtol=1e-5, atol=1e-5)
    assert (signed[1][0] >= signed[1][1] - 1e-5).all()


@pytest.mark.parametrize(("width", "cut"), [(1, 0), (3, 0), (5, 0), (6, 1), (7, 2)])
def test_runs_of_up_to_one_more_than_the_overlap_stand_in_one_window_wherever_they_lie(width, cut):
    adapter = fitted("words", n_grams=0)
    network = Network(parse(f"embed 1 | conv 1x1x{width} | gmp"), Input.of(adapter.spec_), 2)
    counted = torch.from_numpy(adapter.transform(["b"])).unique()
    with torch.no_grad():
        for weight in network.body.parameters():
            weight.fill_(1.0)
        table = network.body[0].layer.weight
        table.zero_()[counted[counted > 0]] = 1.0
    most = {}
    for first in range(60, 136):  # a step of windows
        words = ["a"] * 200
        words[first : first + width] = ["b"] * width
        with torch.no_grad():
            most[first] = float(network.body(features(draw(adapter, [" ".join(words)]))).values)
    assert sum(found < max(most.values()) - 0.1 for found in most.values()) == cut


def stretches(seed, lengths, drawing=SMALL):
    """Draw in training; give the positions that are shown of each text, in order."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    images = TextRenderer(drawing).train()(numbers(lengths).to("cpu"), generator)
    counts = [1] * len(lengths) if images.windows is None else images.windows.tolist()
    parts = torch.split(images.pixels[:, 0, 0], counts)
    return [sorted(set(part[part > 0].tolist())) for part in parts]


def test_training_draws_a_random_stretch_of_each_text_and_repeats_it():
    lengths = [100, 100, 8, 3, 0]
    seen = [stretches(seed, lengths) for seed in range(60)]
    for shown in seen:
        for length, positions in zip(lengths, shown, strict=True):
            assert min(length, 5) <= len(positions) <= min(length, 12)
            if positions:
                assert positions == list(range(positions[0], positions[-1] + 1))
    sizes = {len(shown[0]) for shown in seen}
    assert sizes == set(range(5, 13))
    assert min(shown[0][0] for shown in seen) < 15
    assert max(shown[0][-1] for shown in seen) > 85
    assert len({tuple(shown[2]) for shown in seen}) > 3
    assert seen[7] == stretches(7, lengths)
    assert seen[7][0] != seen[7][1]


def test_without_a_generator_training_draws_as_prediction_does():
    shown = stretches(None, [100, 8])
    assert shown == [list(range(1, 32)), list(range(1, 9))]


def test_a_share_of_the_positions_is_blank_in_training():
    adapter = fitted("words", position_dropout=0.25)
    texts = [text_of(300, seed) for seed in range(20)]
    plain = draw(adapter, texts)
    drawn = [
        draw(adapter, texts, torch.Generator().manual_seed(seed), training=True)
        for seed in (0, 0, 1)
    ]
    assert torch.equal(drawn[0].pixels, drawn[1].pixels)
    assert not torch.equal(drawn[0].pixels, drawn[2].pixels)
    blank = (drawn[0].pixels == 0).all(dim=1, keepdim=True)
    kept = torch.where(blank, 0, plain.pixels)
    assert torch.equal(drawn[0].pixels, kept)
    assert torch.equal(drawn[0].mask, plain.mask)
    assert float(blank[plain.mask].float().mean()) == pytest.approx(0.25, abs=0.02)
    assert not (plain.pixels[:, :1] == 0)[plain.mask].any()
    unseeded = draw(adapter, texts, training=True)
    assert torch.equal(unseeded.pixels, plain.pixels)


def test_side_features_are_those_of_the_whole_text_also_in_training():
    adapter = fitted("words", windows=1, n_gram_dropout=0.0)
    text = text_of(1000, seed=3)
    side = [
        draw(adapter, [text]).side,
        draw(adapter, [text], torch.Generator(), training=True).side,
        fitted("words", windows=13, n_gram_dropout=0.0)
        .renderer()(adapter.read([text]).to("cpu"))
        .side,
    ]
    assert len(side[0].columns) > 200
    for other in side[1:]:
        assert torch.equal(other.columns, side[0].columns)
        torch.testing.assert_close(other.values, side[0].values)


def test_rows_of_a_larger_set_in_any_order_are_drawn_as_alone():
    adapter = fitted("words")
    texts = texts_around_edges("words")
    whole = adapter.read(texts).to("cpu")
    rows = [5, 0, 11, 5, 2]
    renderer = adapter.renderer().eval()
    found, expected = renderer(whole[torch.tensor(rows)]), draw(adapter, [texts[r] for r in rows])
    assert torch.equal(found.pixels, expected.pixels)
    assert torch.equal(found.windows, expected.windows)
    for name in ("columns", "values", "offsets"):
        assert torch.equal(getattr(found.side, name), getattr(expected.side, name))


def test_side_features_are_the_same_however_few_texts_are_weighed_at_a_time(monkeypatch):
    adapter = fitted("words")
    texts = [text_of(length, seed) for seed, length in enumerate([0, 40, 3, 300, 0, 7, 90])]
    renderer, batch = adapter.renderer().eval(), adapter.read(texts).to("cpu")
    whole = renderer(batch).side
    for steps in (1, 5, 64):
        monkeypatch.setattr("cnnkit.adapters.text.renderer.PIECE_STEPS", steps)
        piecewise = renderer(batch).side
        assert torch.equal(piecewise.columns, whole.columns)
        assert torch.equal(piecewise.values, whole.values)
        assert torch.equal(piecewise.offsets, whole.offsets)
