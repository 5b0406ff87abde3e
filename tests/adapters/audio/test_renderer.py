"""Drawing log-mel frames: properties of every image and of every augmentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnkit.adapters.audio.renderer import AudioRenderer, Drawing
from cnnkit.cnncore.image import Batch, Samples

FRAMES, BANDS, RANGE_DB = 16, 10, 50.0
PLAIN = Drawing(
    frames=FRAMES,
    range_db=RANGE_DB,
    cyclic=False,
    shift_frames=0,
    mean=np.zeros(1, np.float32),
    scale=np.ones(1, np.float32),
)
BAND_WISE = replace(
    PLAIN,
    mean=np.linspace(0.1, 0.5, BANDS, dtype=np.float32),
    scale=np.linspace(0.5, 2, BANDS, dtype=np.float32),
)
ALL = {"filter_gain_db": 6.0, "noise_floor": True, "masks": 0.3}
LENGTHS = (1, 7, 15, 16, 17, 40, 16, 3)


def samples(lengths: tuple[int, ...] = LENGTHS, seed: int = 0) -> Samples:
    """Clips of noise between -90 and -20 dB; each is drawn from its middle, floor at -75 dB."""
    random = np.random.default_rng(seed)
    first = [(length - FRAMES) // 2 for length in lengths]
    return Samples(
        values=random.uniform(-90, -20, (sum(lengths), BANDS)).astype(np.float32),
        offsets=np.cumsum([0, *lengths]),
        items=np.arange(len(lengths)),
        summary=np.column_stack([np.full(len(lengths), -75.0), first]).astype(np.float32),
    )


def draw(
    drawing: Drawing, batch: Batch | None = None, *, seed: int | None = None, view: int = 0
) -> Tensor:
    """Draw images [n, bands, frames]; with a seed, as in training."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    renderer = AudioRenderer(drawing).train(seed is not None)
    images = renderer(samples().to("cpu") if batch is None else batch, generator, view)
    assert images.mask is None
    assert images.side is None
    return images.pixels[:, 0]


def expected_level(clips: Samples, row: int, first: int) -> np.ndarray:
    """Draw one clip by plain loops [bands, frames]."""
    steps = clips.values[clips.offsets[row] : clips.offsets[row + 1]]
    level = np.zeros((BANDS, FRAMES))
    for column in range(FRAMES):
        if 0 <= first + column < len(steps):
            for band in range(BANDS):
                decibels = float(steps[first + column, band])
                level[band, column] = max(0.0, decibels + 75) / RANGE_DB
    return level


def columns(image: Tensor) -> Counter[tuple[float, ...]]:
    return Counter(tuple(column) for column in image.T.tolist())


def test_a_clip_is_cropped_or_padded_around_its_middle_and_standardised() -> None:
    clips = samples()
    plain, standardised = draw(PLAIN), draw(BAND_WISE)
    for row, first in enumerate(clips.summary[:, 1].astype(int)):
        expected = expected_level(clips, row, first)
        np.testing.assert_allclose(plain[row], expected, atol=1e-6)
        by_band = (expected - BAND_WISE.mean[:, None]) / BAND_WISE.scale[:, None]
        np.testing.assert_allclose(standardised[row], by_band, atol=1e-5)
    assert (plain == 0).any()
    assert plain.max() > 1


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("view", [0, 1, 2])
def test_mixed_lengths_together_equal_each_clip_alone(cyclic: bool, view: int) -> None:
    drawing = replace(BAND_WISE, cyclic=cyclic, shift_frames=4, views=3)
    clips = samples()
    together = draw(drawing, clips.to("cpu"), view=view)
    for row in range(len(clips)):
        alone = draw(drawing, clips[np.array([row])].to("cpu"), view=view)
        torch.testing.assert_close(together[row], alone[0], rtol=0, atol=0)


@pytest.mark.parametrize("seed", [None, 3])
def test_images_do_not_depend_on_what_else_lies_in_the_values(seed: int | None) -> None:
    rows = np.array([5, 1, 6])
    whole = samples()
    cut_out = whole[rows].to("cpu")
    within = whole.to("cpu")[torch.from_numpy(rows)]
    for cyclic in (False, True):
        drawing = replace(BAND_WISE, cyclic=cyclic, shift_frames=4, **ALL)
        a, b = draw(drawing, cut_out, seed=seed), draw(drawing, within, seed=seed)
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    other = replace(whole, values=whole.values.copy())
    for row in np.setdiff1d(np.arange(len(whole)), rows):
        other.values[other.offsets[row] : other.offsets[row + 1]] = 99
    again = draw(BAND_WISE, other.to("cpu")[torch.from_numpy(rows)])
    torch.testing.assert_close(again, draw(BAND_WISE, cut_out), rtol=0, atol=0)


def test_augmentation_needs_train_mode_and_a_generator() -> None:
    drawing = replace(BAND_WISE, cyclic=True, **ALL)
    batch = samples().to("cpu")
    plain = draw(drawing)
    renderer = AudioRenderer(drawing)
    generator = torch.Generator().manual_seed(0)
    torch.testing.assert_close(renderer.eval()(batch, generator).pixels[:, 0], plain)
    torch.testing.assert_close(renderer.train()(batch).pixels[:, 0], plain)
    augmented = renderer(batch, generator).pixels[:, 0]
    assert augmented.shape == plain.shape
    assert not torch.isclose(augmented, plain).all(dim=(1, 2)).any()


@pytest.mark.parametrize("cyclic", [False, True])
def test_a_seed_repeats_every_random_number(cyclic: bool) -> None:
    drawing = replace(BAND_WISE, cyclic=cyclic, shift_frames=4, **ALL)
    first = draw(drawing, seed=1)
    torch.rand(3)  # the global generator plays no part
    torch.testing.assert_close(draw(drawing, seed=1), first, rtol=0, atol=0)
    assert not torch.allclose(draw(drawing, seed=2), first)


def test_rolling_keeps_all_columns_in_their_cyclic_order() -> None:
    clips = samples((5, 12, 16) * 40)
    plain = draw(PLAIN, clips.to("cpu"))
    drawing = replace(PLAIN, cyclic=True)
    rolls = set()
    for image, rolled in zip(plain, draw(drawing, clips.to("cpu"), seed=0), strict=True):
        assert columns(rolled) == columns(image)
        found = [by for by in range(FRAMES) if torch.equal(image.roll(-by, 1), rolled)]
        assert found
        rolls.add(found[0])
    assert rolls == set(range(FRAMES))  # 120 images: every place comes up


def test_a_long_cyclic_clip_is_cropped_anywhere() -> None:
    length = FRAMES + 5
    clips = samples((length,) * 100)
    drawing = replace(PLAIN, cyclic=True)
    starts = set()
    for row, image in enumerate(draw(drawing, clips.to("cpu"), seed=0)):
        fitting = [
            first
            for first in range(length - FRAMES + 1)
            if np.allclose(np.sort(expected_level(clips, row, first)), image.sort().values)
        ]
        assert len(fitting) == 1
        starts.update(fitting)
    assert starts == set(range(6))


def test_sliding_moves_by_at_most_the_shift_and_fills_with_the_floor() -> None:
    clips = samples((5, 16, 30) * 40)
    drawing = replace(PLAIN, shift_frames=3)
    moves = []
    for row, image in enumerate(draw(drawing, clips.to("cpu"), seed=0)):
        first = int(clips.summary[row, 1])
        fitting = [
            move
            for move in range(-FRAMES, FRAMES + 1)
            if np.allclose(image, expected_level(clips, row, first + move), atol=1e-6)
        ]
        assert len(fitting) == 1
        moves += fitting
    assert set(moves) == set(range(-3, 4))
    assert np.mean(moves) == pytest.approx(0, abs=0.8)


@pytest.mark.parametrize(
    ("shift_frames", "moves"), [(0, [0, 0, 0, 0, 0]), (4, [0, -2, 2, -4, 4]), (8, [0, -4, 4])]
)
def test_views_of_a_sliding_clip_lie_on_both_sides(shift_frames: int, moves: list[int]) -> None:
    clips = samples()
    drawing = replace(PLAIN, shift_frames=shift_frames, views=len(moves))
    assert AudioRenderer(drawing).views == len(moves)
    for view, move in enumerate(moves):
        for row, image in enumerate(draw(drawing, view=view)):
            expected = expected_level(clips, row, int(clips.summary[row, 1]) + move)
            np.testing.assert_allclose(image, expected, atol=1e-6)


@pytest.mark.parametrize("views", [1, 2, 4])
def test_views_of_a_cyclic_clip_share_the_clip_and_the_circle_evenly(views: int) -> None:
    clips = samples()
    drawing = replace(PLAIN, cyclic=True, views=views)
    for view in range(views):
        for row, image in enumerate(draw(drawing, view=view)):
            spare = LENGTHS[row] - FRAMES
            # The middles of `views` equal parts of what may be left out.
            first = int(spare * (view + 0.5) / views) if spare > 0 else int(clips.summary[row, 1])
            expected = np.roll(expected_level(clips, row, first), -view * FRAMES // views, axis=1)
            np.testing.assert_allclose(image, expected, atol=1e-6)


def test_masks_blank_stripes_no_wider_than_their_share_with_the_mean() -> None:
    clips = samples((FRAMES,) * 300)
    clips.values[:] = -30  # above the floor everywhere
    share = 0.3
    found = draw(replace(BAND_WISE, masks=share), clips.to("cpu"), seed=0)
    plain = draw(BAND_WISE, clips.to("cpu"))
    blank = found == 0
    torch.testing.assert_close(found[~blank], plain[~blank], rtol=0, atol=0)
    widths = []
    for axis, size in ((2, BANDS), (1, FRAMES)):
        whole = blank.all(dim=axis)  # [n, size]: rows, then columns, that are blank throughout
        width = whole.sum(dim=1)
        assert set(width.tolist()) == set(range(int(share * size) + 1))
        edges = (whole[:, 1:] != whole[:, :-1]).sum(dim=1) + whole[:, 0].int() + whole[:, -1].int()
        assert set(edges.tolist()) <= {0, 2}  # one stripe, or none
        assert whole.any(dim=0).all()  # which lies everywhere
        widths.append(width)
    rows, cols = widths
    expected = rows * FRAMES + cols * BANDS - rows * cols
    assert torch.equal(blank.sum(dim=(1, 2)), expected)


def test_a_filter_gain_leaves_silence_silent_and_is_smooth_over_the_bands() -> None:
    clips = samples((8, 16) * 100)
    plain = draw(PLAIN, clips.to("cpu"))
    found = draw(replace(PLAIN, filter_gain_db=4.0), clips.to("cpu"), seed=0)
    assert (found[plain == 0] == 0).all()
    assert (found >= 0).all()
    gains_db = []
    for before, after in zip(plain, found, strict=True):
        gain = torch.where((before > 0) & (after > 0), (after - before) * RANGE_DB, torch.nan)
        by_band = np.nanmedian(gain, axis=1)
        # One gain for each band, whatever the frame.
        np.testing.assert_allclose(gain[~gain.isnan()], np.broadcast_to(
            by_band[:, None], gain.shape)[~gain.isnan()], atol=1e-3)  # fmt: skip
        gains_db.append(by_band)
        bends = np.abs(np.diff(by_band, n=2)) > 1e-3
        assert bends.sum() <= 4  # straight between four points; a point between two bands bends two
    ends = np.array(gains_db)[:, [0, -1]]
    assert ends.std() == pytest.approx(4.0, rel=0.15)
    assert abs(ends.mean()) < 0.8


def test_a_noise_floor_only_raises_and_mostly_the_quietest() -> None:
    plain = draw(PLAIN)
    found = draw(replace(PLAIN, noise_floor=True), seed=0)
    assert (found >= plain).all()
    raised = found > plain
    assert raised.any()
    assert plain[raised].max() < 0.75  # a floor is seldom above 0.25 + 4 × 0.07
    torch.testing.assert_close(found[~raised], plain[~raised], rtol=0, atol=0)


@pytest.mark.parametrize("change", [
    lambda values: values.fill_(-100.0),
    lambda values: values.fill_(0.0),
    lambda values: values.mul_(1e3),
])  # fmt: skip
def test_every_image_is_finite_float32(change: Callable[[Tensor], Any]) -> None:
    batch = samples().to("cpu")
    change(batch.values)
    for cyclic in (False, True):
        drawing = replace(BAND_WISE, cyclic=cyclic, shift_frames=9, views=2, **ALL)
        for seed, view in ((None, 0), (None, 1), (0, 0)):
            pixels = draw(drawing, batch, seed=seed, view=view)
            assert pixels.dtype == torch.float32
            assert pixels.shape == (len(LENGTHS), BANDS, FRAMES)
            assert pixels.isfinite().all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_cuda_device_draws_the_same_and_augments_there() -> None:
    drawing = replace(BAND_WISE, cyclic=True, views=2, **ALL)
    renderer = AudioRenderer(drawing).cuda().eval()
    batch = samples().to("cuda")
    for view in range(2):
        pixels = renderer(batch, view=view).pixels[:, 0]
        torch.testing.assert_close(pixels.cpu(), draw(drawing, view=view))
    images = [
        renderer.train()(batch, torch.Generator("cuda").manual_seed(1)).pixels for _ in range(2)
    ]
    assert images[0].is_cuda
    torch.testing.assert_close(images[0], images[1], rtol=0, atol=0)
