import numpy as np
import pytest

from cnnkit.adapters.audio.levels import FRAMES_AT_ONCE, floors_db, loudest_window, mean_power


def ragged(seed: int, lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.uniform(-60, 10, (sum(lengths), 5)).astype(np.float32)
    return values, np.cumsum([0, *lengths])


@pytest.mark.parametrize("level", ["peak", "mean"])
def test_each_clip_has_a_floor_of_its_own(level: str) -> None:
    lengths = [3, 1, 40]
    values, offsets = ragged(0, lengths)
    floors = floors_db(values, offsets, level, 60.0)
    for clip, floor in zip(np.split(values.astype(np.float64), offsets[1:-1]), floors, strict=True):
        reference = clip.max() if level == "peak" else 10 * np.log10((10 ** (clip / 10)).mean())
        drawn_at = 1.0 if level == "peak" else 0.75
        assert (reference - floor) / 60 == pytest.approx(drawn_at, abs=1e-5)


def test_digital_silence_is_drawn_as_silence() -> None:
    silence = np.full((4, 5), -100.0, np.float32)
    for level in ("peak", "mean"):
        (floor,) = floors_db(silence, np.array([0, 4]), level, 60.0)
        assert (silence - floor).max() <= 0


def test_mean_power_is_the_same_in_pieces_as_at_once() -> None:
    values, _ = ragged(1, [FRAMES_AT_ONCE + 7])
    whole = (10 ** (values.astype(np.float64) / 10)).mean(axis=1)
    np.testing.assert_allclose(mean_power(values), whole, rtol=1e-5)


def test_the_loudest_window_is_the_one_that_a_search_over_all_finds() -> None:
    for seed in range(20):
        level, _ = ragged(seed, [30])
        energy = [np.maximum(level[i : i + 8], 0).sum(dtype=np.float64) for i in range(23)]
        assert loudest_window(level, 8) == int(np.argmax(energy))
