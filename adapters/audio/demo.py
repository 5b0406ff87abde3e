"""A small labelled set of everyday sounds, synthesised: the demo that needs no download.

The classes differ in *patterns* over time and frequency. A rising and a falling siren hold the same
frequencies for the same time, a clock and a dripping tap the same strokes; what tells them apart is
the order in time, which averages over time lose and a convolution sees.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Signal = NDArray[np.float32]

RECIPE = 1  # raise it when the sounds change, so that an older set is not taken for the new one

CLIP_S = (1.0, 3.0)
EVENT_SHARE = (0.7, 1.0)
SIGNAL_TO_NOISE_DB = (-6.0, 12.0)
PEAK_DB = (-30.0, -1.0)


def tone(time_s: FloatArray, pitch_hz: FloatArray | float, brightness: float) -> Signal:
    """Make a tone of a moving pitch; its overtones get stronger with `brightness`."""
    cycles = np.cumsum(np.broadcast_to(pitch_hz, time_s.shape)) * time_s[1]
    phase = (2 * np.pi * (cycles % 1)).astype(np.float32)
    signal: Signal = np.sin(phase + np.float32(brightness) * np.sin(phase))
    return signal


def strokes(
    time_s: FloatArray, starts_s: FloatArray, pitches_hz: FloatArray, decay_s: float, bend: float
) -> Signal:
    """Strike at each start: a tone that dies away while its pitch moves by the factor 1 + bend."""
    after_s = time_s[time_s < 6 * decay_s]
    fading = np.exp(-after_s / decay_s)
    loudness = (fading * np.minimum(after_s / 0.001, 1)).astype(np.float32)
    signal = np.zeros(len(time_s), np.float32)
    for start, pitch_hz in zip(np.searchsorted(time_s, starts_s), pitches_hz, strict=True):
        stroke = loudness * tone(after_s, pitch_hz * (1 + bend * (1 - fading)), 0.5)
        rest = signal[start : start + len(stroke)]
        rest += stroke[: len(rest)]
    return signal


def siren(random: Generator, time_s: FloatArray, *, falling: bool) -> Signal:
    """A siren that climbs, or drops, again and again."""
    progress = (time_s / random.uniform(0.35, 0.9) + random.random()) % 1
    octaves = random.uniform(0.7, 1.4) * (1 - progress if falling else progress)
    return tone(time_s, random.uniform(350, 800) * 2**octaves, random.uniform(0, 1.5))


def taps(random: Generator, time_s: FloatArray, *, regular: bool) -> Signal:
    """Short high strokes at equal distances (a clock) or unequal ones (a dripping tap)."""
    gaps_s = np.full(40, random.uniform(0.15, 0.28))
    if not regular:
        gaps_s *= np.exp(random.uniform(-0.9, 0.9, len(gaps_s)))
    starts_s = np.cumsum(gaps_s) - random.uniform(0, gaps_s[0])
    starts_s = starts_s[starts_s < time_s[-1]]
    pitches_hz = random.uniform(700, 2500) * random.uniform(0.93, 1.07, len(starts_s))
    return strokes(time_s, starts_s, pitches_hz, random.uniform(0.008, 0.03), 0.2)


def knock(random: Generator, time_s: FloatArray) -> Signal:
    """Somebody at the door: groups of three to five quick, dull blows."""
    count, gap_s = random.integers(3, 6), random.uniform(0.09, 0.15)
    groups_s = np.arange(0, time_s[-1], count * gap_s + random.uniform(0.25, 0.5))
    starts_s = (groups_s[:, None] + gap_s * np.arange(count)).ravel()
    starts_s = starts_s[starts_s < time_s[-1]]
    pitches_hz = random.uniform(120, 350) * random.uniform(0.9, 1.1, len(starts_s))
    return strokes(time_s, starts_s, pitches_hz, random.uniform(0.01, 0.03), -0.3)


def bird(random: Generator, time_s: FloatArray) -> Signal:
    """A bird: chirps that sweep up and down within a fifth of a second."""
    progress = (time_s / random.uniform(0.12, 0.3) + random.random()) % 1
    sweep = np.sin(2 * np.pi * progress * random.uniform(0.7, 1.6))
    loudness = np.sin(np.pi * np.minimum(progress / 0.6, 1)).astype(np.float32)
    pitch_hz = random.uniform(1800, 3500) * 2 ** (random.uniform(0.3, 0.6) * sweep)
    return loudness * tone(time_s, pitch_hz, 0.1)


def phone(random: Generator, time_s: FloatArray) -> Signal:
    """A telephone: two tones in quick turns, with pauses."""
    high = np.sin(2 * np.pi * random.uniform(8, 16) * time_s) > 0
    ringing = (time_s / random.uniform(0.5, 0.9) + random.random()) % 1 < 0.65
    pitch_hz = random.uniform(500, 1600) * np.where(high, random.uniform(1.15, 1.35), 1.0)
    return ringing.astype(np.float32) * tone(time_s, pitch_hz, random.uniform(0, 1.5))


def engine(random: Generator, time_s: FloatArray) -> Signal:
    """An engine that is revved: a low, rough tone that swells and sinks."""
    revs = np.sin(2 * np.pi * (time_s / random.uniform(0.8, 2.0) + random.random()))
    pitch_hz = random.uniform(50, 110) * 2 ** (random.uniform(0.2, 0.6) * revs)
    return tone(time_s, pitch_hz, random.uniform(1.5, 3.0))


SOUNDS: dict[str, Callable[[Generator, FloatArray], Signal]] = {
    "bird": bird,
    "clock": partial(taps, regular=True),
    "drip": partial(taps, regular=False),
    "engine": engine,
    "falling_siren": partial(siren, falling=True),
    "knock": knock,
    "phone": phone,
    "rising_siren": partial(siren, falling=False),
}


def background(random: Generator, time_s: FloatArray) -> Signal:
    """Noise between white and brown, mains hum, and up to two strokes that mean nothing."""
    count = round(CLIP_S[1] / time_s[1]) // 2 + 1  # one length for all clips: a quick FFT
    bins = random.standard_normal((count, 2), np.float32).view(np.complex64)[:, 0]
    bins /= np.arange(20, 20 + count) ** np.float32(random.uniform(0, 1))
    noise: Signal = np.fft.irfft(bins)[: len(time_s)].astype(np.float32)
    noise /= noise.std()
    hum_hz = random.choice([100.0, 120.0])
    noise += np.float32(random.uniform(0, 0.7)) * tone(time_s, hum_hz, random.uniform(0, 2))
    strays = int(random.integers(0, 3))
    pitches_hz = np.exp(random.uniform(np.log(150), np.log(3500), strays))
    starts_s = random.uniform(0, time_s[-1], strays)
    stray = strokes(time_s, starts_s, pitches_hz, random.uniform(0.01, 0.08), 0.0)
    return noise + np.float32(random.uniform(1, 3)) * stray


def make_clip(random: Generator, label: str, sample_rate: int) -> Signal:
    """Make one clip: the sound somewhere in it, the background throughout."""
    time_s = np.arange(int(random.uniform(*CLIP_S) * sample_rate)) / sample_rate
    length = int(random.uniform(*EVENT_SHARE) * len(time_s))
    start = random.integers(0, len(time_s) - length + 1)
    event = SOUNDS[label](random, time_s[:length])
    gain = 10 ** (random.uniform(*SIGNAL_TO_NOISE_DB) / 20)
    clip = background(random, time_s)
    clip[start : start + length] += event * np.float32(gain / np.sqrt(np.mean(event**2)))
    return clip * np.float32(10 ** (random.uniform(*PEAK_DB) / 20) / np.abs(clip).max())


def make_demo_sounds(
    folder: Path, *, clips_per_class: int = 60, sample_rate: int = 16_000, seed: int = 0
) -> tuple[list[str], list[str]]:
    """Write a set of synthesised everyday sounds as wav files: a folder for each class.

    The folder also gets `index.csv` (path, label) and appears whole or not at all. Where the same
    set stands already, it is used again. The same seed gives the same samples, bit for bit.

    Parameters
    ----------
    folder : Path
        Folder to make; an empty one is fine.
    clips_per_class : int
    sample_rate : int
        In Hz, at least 12,000: the highest chirps reach 5.3 kHz.
    seed : int

    Returns
    -------
    paths, labels : list of str
        One wav file (16 bit, mono, 1 to 3 s) and one class name for each clip, class by class.

    Raises
    ------
    ValueError
        If `clips_per_class` or `sample_rate` is too small.
    FileExistsError
        If the folder holds anything but this very set.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths, labels = make_demo_sounds(Path(folder) / "sounds", clips_per_class=1)
    >>> labels[:4], Path(paths[0]).name
    (['bird', 'clock', 'drip', 'engine'], 'bird-000.wav')
    """
    if clips_per_class < 1 or sample_rate < 12_000:
        raise ValueError(
            f"clips_per_class={clips_per_class}, sample_rate={sample_rate}: "
            "expected at least 1 clip per class and at least 12000 Hz"
        )
    parameters = {
        "recipe": RECIPE,
        "clips_per_class": clips_per_class,
        "sample_rate": sample_rate,
        "seed": seed,
    }
    index = [
        (f"{label}/{label}-{number:03d}.wav", label)
        for label in SOUNDS
        for number in range(clips_per_class)
    ]
    if not _holds(folder, parameters, index):
        _write_set(folder, parameters, index)
    return [str(folder / path) for path, _ in index], [label for _, label in index]


def _holds(folder: Path, parameters: dict[str, int], index: list[tuple[str, str]]) -> bool:
    """Say whether the folder holds this set; raise where it holds something else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    note, expected = folder / "demo.json", json.dumps(parameters)
    found = note.read_text("utf-8", errors="replace") if note.is_file() else "other files"
    missing = sum(not (folder / path).is_file() for path, _ in index)
    if found == expected and not missing:
        return True
    raise FileExistsError(
        f"{folder} holds {found} and lacks {missing} of {len(index)} sounds of the demo set "
        f"{expected}: delete it or name another folder"
    )


def _write_set(folder: Path, parameters: dict[str, int], index: list[tuple[str, str]]) -> None:
    """Write all files next to the folder and move them there in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        whole = Path(temporary) / folder.name
        for number, (path, label) in enumerate(index):
            (whole / path).parent.mkdir(parents=True, exist_ok=True)
            random = np.random.default_rng([parameters["seed"], number])
            clip = make_clip(random, label, parameters["sample_rate"])
            wav = io.BytesIO()  # soundfile would wait for the disk after every file
            soundfile.write(wav, clip, parameters["sample_rate"], "PCM_16", format="WAV")
            (whole / path).write_bytes(wav.getvalue())
        with (whole / "index.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("path", "label"), *index])
        (whole / "demo.json").write_text(json.dumps(parameters), "utf-8")
        try:
            if folder.exists():
                folder.rmdir()  # it was empty; Windows renames onto nothing that exists
            whole.rename(folder)
        except OSError:  # another process may have made the same set meanwhile
            if not _holds(folder, parameters, index):
                raise
