"""How fast sound files become log-mel frames, against a plain loop over the files with librosa.

    python benchmarks/audio_reading.py --data FOLDER_WITH_fsdd_AND_esc10 [--rounds 5]

Both ways run in one process with one thread, in turns, and are measured in processor time.
Without --data the script makes clips of its own, of the same kinds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import librosa
import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cnnkit.adapters.audio.log_mel import LogMel
from cnnkit.adapters.audio.reading import FrameSet, read_frames

LARGEST_DIFFERENCE_DB = 0.002
TURN_CLIPS = 500


class Case(NamedTuple):
    """Files of one rate, how they are transformed, and the ratio of times to reach."""

    name: str
    paths: list[Path]
    log_mel: LogMel
    goal: float | None


def by_librosa(case: Case, paths: list[Path]) -> list[NDArray[np.float32]]:
    """Read files as the documentation of librosa shows it."""
    clips = []
    for path in paths:
        samples, rate = librosa.load(path, sr=None)
        power = librosa.feature.melspectrogram(
            y=samples,
            sr=rate,
            n_fft=case.log_mel.n_fft,
            hop_length=case.log_mel.hop_length,
            n_mels=case.log_mel.n_mels,
        )
        clips.append(librosa.power_to_db(power).T)
    return clips


def by_cnnkit(case: Case, paths: list[Path]) -> FrameSet:
    """Read the same files without a cache, in this process."""
    return read_frames(paths, case.log_mel, n_jobs=1, cache=None, progress=False)


def measure(read: Callable[[Case, list[Path]], object], case: Case, paths: list[Path]) -> float:
    """Return seconds of processor time."""
    started_s = time.process_time()
    read(case, paths)
    return time.process_time() - started_s


def largest_difference_db(case: Case, paths: list[Path]) -> float:
    """Compare every value of every clip."""
    frames = by_cnnkit(case, paths)
    if len(frames.items) != len(paths):
        raise SystemExit(f"{case.name}: files that can't be read: {frames.problems[:3]}")
    pairs = zip(np.split(frames.values, frames.offsets[1:-1]), by_librosa(case, paths), strict=True)
    return max(float(abs(ours - theirs).max()) for ours, theirs in pairs)


def compare(case: Case, rounds: int) -> bool:
    """Run both ways in turns, print one row of the table, and say whether the values agree."""
    random = np.random.default_rng(0)
    # Both ways have their first call, which fills caches and compiles, before the clock starts.
    by_librosa(case, case.paths[:20])
    by_cnnkit(case, case.paths[:20])
    times: dict[str, list[float]] = {"librosa": [], "cnnkit": []}
    difference_db = 0.0
    for _ in range(rounds):
        # Another order in each round: values must not depend on the clips before and beside.
        paths = [case.paths[place] for place in random.permutation(len(case.paths))]
        # In short turns, so that other work on the machine slows down both ways alike.
        turns = [paths[start : start + TURN_CLIPS] for start in range(0, len(paths), TURN_CLIPS)]
        spent_s = {"librosa": 0.0, "cnnkit": 0.0}
        for turn in turns:
            spent_s["librosa"] += measure(by_librosa, case, turn)
            spent_s["cnnkit"] += measure(by_cnnkit, case, turn)
        for name, seconds in spent_s.items():
            times[name].append(1000 * seconds / len(paths))
        difference_db = max(difference_db, largest_difference_db(case, paths))
    print_row(case, times, difference_db)
    return difference_db <= LARGEST_DIFFERENCE_DB


def print_row(case: Case, times: dict[str, list[float]], difference_db: float) -> None:
    """Print least and median times, their ratios, and whether the goal is met."""
    columns = [f"{case.name:<32}{len(case.paths):>6}"]
    for values in times.values():
        columns.append(f"{min(values):>9.3f}{statistics.median(values):>9.3f}")
    ratio = min(times["librosa"]) / min(times["cnnkit"])
    median_ratio = statistics.median(times["librosa"]) / statistics.median(times["cnnkit"])
    columns.append(f"{ratio:>7.1f}{median_ratio:>7.1f}{difference_db:>9.5f}")
    if case.goal is not None:
        columns.append(f">= {case.goal:g}x {'met' if ratio >= case.goal else 'MISSED'}")
    print("  ".join(columns), flush=True)


def synthesise(folder: Path) -> None:
    """Write short wav clips at 8 kHz and long ogg clips at 44.1 kHz."""
    random = np.random.default_rng(0)
    for name, rate, count, lengths_s, ending in (
        ("fsdd", 8_000, 300, (0.15, 0.9), "wav"),
        ("esc10", 44_100, 40, (3.6, 7.2), "ogg"),
    ):
        (folder / name).mkdir()
        for number in range(count):
            time_s = np.arange(int(rate * random.uniform(*lengths_s))) / rate
            tones = np.sin(2 * np.pi * random.uniform(80, rate / 3, (5, 1)) * time_s).mean(axis=0)
            noise = random.standard_normal(len(time_s)) * np.exp(-3 * time_s)
            clip = 0.3 * tones + 0.1 * noise
            soundfile.write(folder / name / f"{number}.{ending}", clip, rate)


def write_five_seconds(paths: list[Path], folder: Path) -> list[Path]:
    """Write the first five seconds of each clip, repeated where it is shorter, as 16-bit wav."""
    written = []
    for number, path in enumerate(paths):
        samples, rate = soundfile.read(path, dtype="float32")
        written.append(folder / f"{number}.wav")
        soundfile.write(written[-1], np.resize(samples, 5 * rate).clip(-1, 1), rate, "PCM_16")
    return written


def find_cases(data: Path, temporary: Path) -> list[Case]:
    """List the three comparisons."""
    short = sorted((data / "fsdd").rglob("*.wav"))
    compressed = sorted((data / "esc10").rglob("*.ogg"))
    if not short or not compressed:
        raise SystemExit(f"{data}: expected wav files below fsdd/ and ogg files below esc10/")
    long = write_five_seconds(compressed, temporary)
    at_8_khz = LogMel(sample_rate=8_000, n_fft=256, hop_length=80, n_mels=64)
    at_44_khz = LogMel(sample_rate=44_100, n_fft=2048, hop_length=512, n_mels=128)
    return [
        Case("spoken digits, 8 kHz wav", short, at_8_khz, 15.0),
        Case("environment, 5 s, 44.1 kHz wav", long, at_44_khz, 2.5),
        Case("environment, 44.1 kHz ogg", compressed, at_44_khz, None),
    ]


def main() -> int:
    """Print the table; return 1 where values differ by more than the goal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with fsdd/ and esc10/")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        data = options.data
        if data is None:
            data = Path(name, "synthetic")
            data.mkdir()
            synthesise(data)
        long = Path(name, "long")
        long.mkdir()
        cases = find_cases(data, long)
        pair = f"  {'min':>9}{'median':>9}"
        print(f"{'CPU ms per clip':<40}{'librosa':^18}  {'cnnkit':^18}  {'ratio':^14}  largest")
        print(f"{'clips':>38}{pair}{pair}  {'min':>7}{'median':>7}  dB diff.  goal")
        agree = [compare(case, options.rounds) for case in cases]
    if not all(agree):
        print(f"values differ by more than {LARGEST_DIFFERENCE_DB} dB")
    return 0 if all(agree) else 1


if __name__ == "__main__":
    raise SystemExit(main())
