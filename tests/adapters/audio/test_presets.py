"""How window, step and image size follow the files; what is given is kept."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cnnkit.adapters.audio.log_mel import LogMel
from cnnkit.adapters.audio.presets import (
    PRESETS,
    Framing,
    check_parameters,
    choose_preset,
    frame_clips,
    survey,
)

# What a data set is like: rate (Hz), lengths (s).
FSDD = (8_000, [0.14, 0.3, 0.35, 0.4, 0.42, 0.45, 0.5, 0.55, 0.64, 2.3])
ESC_50 = (44_100, [5.0] * 10)
COMMANDS = (16_000, [1.0] * 10)
DIGITS_48K = (48_000, [0.4, 0.6, 0.6, 0.7])
MUSIC = (22_050, [30.0] * 10)
CLICKS = (44_100, [0.05] * 10)
SETS = [FSDD, ESC_50, COMMANDS, DIGITS_48K, MUSIC, CLICKS]


def frame(files: tuple[int, list[float]], preset: str = "auto", **given: int) -> Framing:
    rate, lengths_s = files
    return frame_clips(PRESETS[choose_preset(preset, lengths_s)], rate, lengths_s, dict(given))


@pytest.mark.parametrize(
    ("files", "preset"),
    [
        (FSDD, "speech"),
        (ESC_50, "environment"),
        (COMMANDS, "speech"),
        (DIGITS_48K, "speech"),
        (MUSIC, "environment"),
        (CLICKS, "speech"),
    ],
)
def test_short_clips_are_taken_for_speech(files: tuple[int, list[float]], preset: str) -> None:
    assert choose_preset("auto", files[1]) == preset


def test_a_named_preset_is_taken_whatever_the_lengths() -> None:
    for name, lengths_s in itertools.product(PRESETS, ([0.1], [60.0])):
        assert choose_preset(name, lengths_s) == name
    with pytest.raises(ValueError, match=r'preset "speach": .*did you mean "speech"'):
        choose_preset("speach", [1.0])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # 32 ms windows, 10 ms steps; 0.64 s and a rest hold all but the longest of the digits
        (FSDD, Framing(8_000, 256, 80, 40, 128)),
        # 93 ms windows, half a window apart: 5 s are 107.7 steps
        (ESC_50, Framing(22_050, 2_048, 1_024, 64, 108)),
        (COMMANDS, Framing(16_000, 512, 160, 64, 100)),
        (DIGITS_48K, Framing(16_000, 512, 160, 64, 68)),
        # cropped to 10 s
        (MUSIC, Framing(22_050, 2_048, 1_024, 64, 216)),
        # the smallest image, mostly padding
        (CLICKS, Framing(16_000, 512, 160, 64, 32)),
    ],
)
def test_known_kinds_of_data_get_the_usual_framing(
    files: tuple[int, list[float]], expected: Framing
) -> None:
    assert frame(files) == expected


@pytest.mark.parametrize("files", SETS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_framing_is_sane(files: tuple[int, list[float]], preset: str) -> None:
    rate, lengths_s = files
    chosen, limits = frame(files, preset), PRESETS[preset]
    assert chosen.sample_rate == min(rate, limits.highest_rate_hz)
    assert chosen.n_fft & (chosen.n_fft - 1) == 0
    # Every sample lies in a window, and a window isn't much longer than the preset's.
    assert chosen.hop_length <= chosen.n_fft
    assert chosen.n_fft / chosen.sample_rate < 1.5 * limits.window_s
    assert chosen.hop_length / chosen.sample_rate >= 0.0075
    assert chosen.frames % 4 == 0
    assert 32 <= chosen.frames <= limits.most_columns
    shown_s = chosen.frames * chosen.hop_length / chosen.sample_rate
    usual_s = float(np.quantile(lengths_s, 0.95))
    if 32 < chosen.frames < limits.most_columns:
        assert shown_s == pytest.approx(usual_s, abs=2.1 * chosen.hop_length / chosen.sample_rate)
    # No band is empty: this raises ValueError otherwise.
    LogMel(
        sample_rate=chosen.sample_rate,
        n_fft=chosen.n_fft,
        hop_length=chosen.hop_length,
        n_mels=chosen.n_mels,
    )


@pytest.mark.parametrize("rate", [4_000, 6_000, 8_000, 11_025, 12_000, 16_000, 22_050, 96_000])
@pytest.mark.parametrize("preset", PRESETS)
def test_no_common_rate_leaves_a_band_empty(rate: int, preset: str) -> None:
    for length_s in (0.02, 0.3, 1.0, 3.0, 600.0):
        chosen = frame((rate, [length_s]), preset)
        LogMel(
            sample_rate=chosen.sample_rate,
            n_fft=chosen.n_fft,
            hop_length=chosen.hop_length,
            n_mels=chosen.n_mels,
        )


@pytest.mark.parametrize("files", SETS)
@pytest.mark.parametrize("preset", PRESETS)
def test_all_given_numbers_are_kept(files: tuple[int, list[float]], preset: str) -> None:
    given = {
        "sample_rate": 12_345,
        "n_fft": 600,
        "hop_length": 77,
        "n_mels": 13,
        "frames": 51,
    }
    assert frame(files, preset, **given) == Framing(**given)
    for name, number in given.items():
        assert getattr(frame(files, preset, **{name: number}), name) == number
    nothing = dict.fromkeys(given)
    rate, lengths_s = files
    assert frame_clips(PRESETS[preset], rate, lengths_s, nothing) == frame(files, preset)


def test_the_strong_preset_differs_in_its_training_only() -> None:
    plain, strong = PRESETS["environment"], PRESETS["environment-strong"]
    assert strong.recipe.ensemble > plain.recipe.ensemble
    assert {**vars(strong), "recipe": None} == {**vars(plain), "recipe": None}


def test_files_are_surveyed_by_their_headers(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{number}.wav") for number in range(4)]
    for path, (rate, frames) in zip(
        paths, [(8_000, 4_000), (16_000, 4_000), (8_000, 100)], strict=False
    ):
        soundfile.write(path, np.zeros(frames), rate)
    rates, lengths_s = survey(paths)
    assert rates == {8_000: 2, 16_000: 1}
    assert lengths_s == [0.5, 0.25, 0.0125]
    for items, reason in (([paths[3]], "3.wav: no such file"), ([None], "None is not a path")):
        with pytest.raises(ValueError, match=f"none of the 1 training files.*{reason}"):
            survey(items)


def test_parameters_that_are_left_open_are_no_mistake() -> None:
    check_parameters({})
    check_parameters(dict.fromkeys(["shift", "level", "standardise", "n_mels", "speeds"]))
    check_parameters({"shift": "none", "level": "mean", "views": 1, "speeds": [], "masks": 0})
