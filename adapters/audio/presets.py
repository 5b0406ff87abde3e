"""Starting points for two kinds of sound, and how they follow the files' rates and lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from cnnkit.adapters.audio.files import UnreadableSound, read_header, shown
from cnnkit.cnncore.image import Recipe


@dataclass(frozen=True)
class Preset:
    """What is good for one kind of sound.

    Parameters
    ----------
    highest_rate_hz : int
        Faster files are resampled down to this rate.
    window_s, hop_s : float
        Longest window and step of the Fourier transform.
    columns : int
        The step is shortened until a typical clip fills this many columns.
    most_columns : int
        Longer clips are cropped.
    bands_below_10_khz, bands : int
        Mel bands for low and for other sample rates.
    dynamic_range_db : float
    level : str
        "peak" or "mean": what a clip's levels are relative to.
    standardise : str
        "all" or "band".
    shift : str
        "roll" or "slide".
    speeds : tuple of float
        At which copies of the training clips are played, where there are few clips.
    views : int
    recipe : Recipe
    """

    highest_rate_hz: int
    window_s: float
    hop_s: float
    columns: int
    most_columns: int
    bands_below_10_khz: int
    bands: int
    dynamic_range_db: float
    level: str
    standardise: str
    shift: str
    speeds: tuple[float, ...]
    views: int
    recipe: Recipe


# Measured on spoken digits and on environment sounds: docs/audio.md has the figures.
PRESETS = {
    "speech": Preset(
        highest_rate_hz=16_000,
        window_s=0.032,
        hop_s=0.010,
        columns=64,
        most_columns=128,
        bands_below_10_khz=40,
        bands=64,
        dynamic_range_db=60.0,
        level="peak",
        standardise="all",
        shift="slide",
        speeds=(0.9, 1.1),
        views=1,
        recipe=Recipe("audio", ensemble=3, samples_seen=24_000, batch_size=32),
    ),
    "environment": Preset(
        highest_rate_hz=22_050,
        window_s=0.093,
        hop_s=0.0465,
        columns=108,
        most_columns=216,
        bands_below_10_khz=40,
        bands=64,
        dynamic_range_db=80.0,
        level="mean",
        standardise="band",
        shift="roll",
        speeds=(0.82, 0.91, 1.1, 1.22),
        views=2,
        recipe=Recipe("audio", ensemble=3, samples_seen=6_400, batch_size=16),
    ),
}
# The same, with more time for training and for predicting.
PRESETS["environment-strong"] = replace(
    PRESETS["environment"], recipe=replace(PRESETS["environment"].recipe, ensemble=10)
)

CHOICES = {
    "level": ("peak", "mean"),
    "standardise": ("all", "band"),
    "shift": ("roll", "slide", "none"),
}
ABOVE_0 = ("sample_rate", "n_fft", "hop_length", "n_mels", "frames", "dynamic_range_db", "views")

SHORT_CLIP_S = 1.5
SPEEDS = 0.25, 4.0  # beyond, little is left of a sound
FEW_CLIPS = 4_000  # training clips, up to which copies at other speeds are worth reading


@dataclass(frozen=True)
class Framing:
    """Rate, window, hop, bands and image width for one set of clips.

    Parameters
    ----------
    sample_rate, n_fft, hop_length, n_mels, frames : int
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    frames: int


def survey(items: Sequence[str]) -> tuple[Counter[int], list[float]]:
    """Count the sample rates (Hz) of the files and list their lengths (s).

    Raises
    ------
    ValueError
        If no file has a readable header.
    """
    rates: Counter[int] = Counter()
    lengths_s = []
    reason = "no files were given"
    for item in items:
        try:
            header = read_header(item)
        except UnreadableSound as error:
            reason = f"{Path(shown(item)).name}: {error}"
            continue
        rates[header.sample_rate] += 1
        lengths_s.append(header.frames / header.sample_rate)
    if not rates:
        raise ValueError(f"none of the {len(items)} training files is readable sound ({reason})")
    return rates, lengths_s


def check_parameters(given: Mapping[str, Any]) -> None:
    """Refuse impossible values of the parameters of an `AudioAdapter`; None is chosen later.

    Raises
    ------
    ValueError
        With the parameter, its value and what was expected.

    Examples
    --------
    >>> check_parameters({"shift": "rol"})
    Traceback (most recent call last):
    ValueError: shift "rol": expected roll, slide or none; did you mean "roll"?
    """
    for name, choices in CHOICES.items():
        if given.get(name) is not None:
            check_choice(name, given[name], choices)
    for name in ABOVE_0:
        if given.get(name) is not None and not given[name] > 0:
            raise ValueError(f"{name}={given[name]}: expected a number above 0")
    low, high = SPEEDS
    if not all(low <= speed <= high for speed in given.get("speeds") or ()):
        raise ValueError(f"speeds={given['speeds']}: expected numbers from {low:g} to {high:g}")
    if given.get("n_fft") == 1:
        raise ValueError("n_fft=1: expected 2 or more")
    if given.get("n_jobs") == 0:
        raise ValueError("n_jobs=0: expected a number of processes, or -1 for one per processor")
    if not 0 <= given.get("masks", 0) <= 1:
        raise ValueError(f"masks={given['masks']}: expected a share from 0 to 1")


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise ValueError, with the nearest choice, if the value is none of the choices."""
    if value not in choices:
        near = get_close_matches(str(value), choices, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        expected = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise ValueError(f'{name} "{value}": expected {expected}{hint}')


def choose_preset(name: str, lengths_s: Sequence[float]) -> str:
    """Return the preset called `name`; "auto" takes speech for clips that are mostly short.

    Raises
    ------
    ValueError
        If there is no such preset.

    Examples
    --------
    >>> choose_preset("auto", [0.4, 0.6, 2.0])
    'speech'
    """
    if name == "auto":
        return "speech" if np.median(lengths_s) <= SHORT_CLIP_S else "environment"
    check_choice("preset", name, ["auto", *PRESETS])
    return name


def frame_clips(
    preset: Preset, rate: int, lengths_s: Sequence[float], given: dict[str, int | None]
) -> Framing:
    """Choose the framing for clips of these lengths (s); numbers in `given` are kept.

    Examples
    --------
    >>> frame_clips(PRESETS["environment"], 44_100, [5.0], {})
    Framing(sample_rate=22050, n_fft=2048, hop_length=1024, n_mels=64, frames=108)
    >>> frame_clips(PRESETS["speech"], 8_000, [0.4, 0.64], {"n_mels": 64})
    Framing(sample_rate=8000, n_fft=256, hop_length=80, n_mels=64, frames=64)
    """
    sample_rate = given.get("sample_rate") or min(rate, preset.highest_rate_hz)
    # Nearly all clips should fit whole.
    length_s = float(np.quantile(lengths_s, 0.95))
    hop_s = min(preset.hop_s, max(length_s / preset.columns, 0.010))
    window_s = hop_s * preset.window_s / preset.hop_s
    n_fft = given.get("n_fft") or 2 ** round(np.log2(window_s * sample_rate))
    if preset.shift == "roll":
        hop_length = given.get("hop_length") or n_fft // 2
    else:
        hop_length = given.get("hop_length") or round(hop_s * sample_rate)
    # A multiple of 8 halves evenly in every pooling layer, and one of 4 in all but the last.
    columns = 4 * max(8, round(length_s * sample_rate / hop_length / 4))
    return Framing(
        sample_rate,
        n_fft,
        hop_length,
        given.get("n_mels")
        or (preset.bands_below_10_khz if sample_rate < 10_000 else preset.bands),
        given.get("frames") or min(columns, preset.most_columns),
    )
