from __future__ import annotations

import csv
import shutil
import wave
from collections import Counter
from pathlib import Path

import librosa
import numpy as np
import pytest
from scipy.signal import find_peaks

from cnnkit.adapters.audio import demo
from cnnkit.adapters.audio.demo import SOUNDS, make_demo_sounds

RATE = 16_000


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def event(label: str, seed: int) -> np.ndarray:
    """Two seconds of a sound without its background."""
    return SOUNDS[label](np.random.default_rng(seed), np.arange(2 * RATE) / RATE)


def test_each_class_gets_a_folder_of_short_16_bit_mono_wav_files(tmp_path: Path) -> None:
    paths, labels = make_demo_sounds(tmp_path / "sounds", clips_per_class=3, sample_rate=22_050)
    assert Counter(labels) == dict.fromkeys(SOUNDS, 3)
    assert len(SOUNDS) == 8
    for path, label in zip(paths, labels, strict=True):
        assert Path(path).parent == tmp_path / "sounds" / label
        with wave.open(path) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
            assert 1 * 22_050 <= file.getnframes() <= 3 * 22_050
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        peak = np.abs(samples.astype(int)).max()
        assert 2**15 * 10 ** (-30 / 20) - 1 <= peak < 2**15 - 1, "too faint, or clipped"


def test_the_index_lists_every_file_and_its_label(tmp_path: Path) -> None:
    paths, labels = make_demo_sounds(tmp_path / "sounds", clips_per_class=2)
    with (tmp_path / "sounds" / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [str(tmp_path / "sounds" / row["path"]) for row in rows] == paths
    assert [row["label"] for row in rows] == labels
    assert sorted(map(str, (tmp_path / "sounds").rglob("*.wav"))) == sorted(paths)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_other_clips(
    tmp_path: Path,
) -> None:
    for name, seed in [("first", 5), ("again", 5), ("other", 6)]:
        make_demo_sounds(tmp_path / name, clips_per_class=2, seed=seed)
    first, other = contents(tmp_path / "first"), contents(tmp_path / "other")
    assert first == contents(tmp_path / "again")
    clips = [name for name in first if name.endswith(".wav")]
    assert len({first[name] for name in clips}) == len(clips) == 16
    assert not any(first[name] == other[name] for name in clips)


def test_a_complete_set_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_demo_sounds(tmp_path / "sounds", clips_per_class=1)

    def forbidden(*_: object) -> None:
        raise AssertionError("a clip was made again")

    monkeypatch.setattr(demo, "make_clip", forbidden)
    assert make_demo_sounds(tmp_path / "sounds", clips_per_class=1) == made


def test_an_empty_folder_is_filled_and_missing_parents_are_made(tmp_path: Path) -> None:
    empty, nested = tmp_path / "empty", tmp_path / "not" / "there" / "yet"
    empty.mkdir()
    for folder in (empty, nested):
        paths, _ = make_demo_sounds(folder, clips_per_class=1)
        assert all(Path(path).is_file() for path in paths)


@pytest.mark.parametrize("change", [{"seed": 1}, {"clips_per_class": 2}, {"sample_rate": 22_050}])
def test_a_set_of_other_parameters_is_refused_and_kept(
    tmp_path: Path, change: dict[str, int]
) -> None:
    make_demo_sounds(tmp_path / "sounds", clips_per_class=1)
    before = contents(tmp_path / "sounds")
    with pytest.raises(FileExistsError, match="delete it or name another folder"):
        make_demo_sounds(tmp_path / "sounds", **{"clips_per_class": 1, **change})
    assert contents(tmp_path / "sounds") == before


def test_a_set_with_a_lost_file_and_a_folder_of_other_files_are_refused(tmp_path: Path) -> None:
    paths, _ = make_demo_sounds(tmp_path / "sounds", clips_per_class=1)
    Path(paths[3]).unlink()
    with pytest.raises(FileExistsError, match="lacks 1 of 8 sounds"):
        make_demo_sounds(tmp_path / "sounds", clips_per_class=1)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_mother.txt").write_text("Dear")
    with pytest.raises(FileExistsError, match="holds other files"):
        make_demo_sounds(tmp_path / "letters", clips_per_class=1)
    assert contents(tmp_path / "letters") == {"to_mother.txt": b"Dear"}


def test_an_interrupted_run_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip = demo.make_clip

    def interrupted(random: np.random.Generator, label: str, rate: int) -> np.ndarray:
        if label == "knock":
            raise KeyboardInterrupt
        return make_clip(random, label, rate)

    monkeypatch.setattr(demo, "make_clip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_demo_sounds(tmp_path / "sounds", clips_per_class=1)
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_another_process_finished_first_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename_too_late(whole: Path, folder: Path) -> None:
        shutil.copytree(whole, folder)
        raise OSError("directory not empty")

    monkeypatch.setattr(Path, "rename", rename_too_late)
    paths, _ = make_demo_sounds(tmp_path / "sounds", clips_per_class=1)
    assert all(Path(path).is_file() for path in paths)
    assert [path.name for path in tmp_path.iterdir()] == ["sounds"]


@pytest.mark.parametrize("wrong", [{"clips_per_class": 0}, {"sample_rate": 8_000}])
def test_too_few_clips_or_too_low_a_rate_is_an_error(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        make_demo_sounds(tmp_path / "sounds", **wrong)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("label", "climbs"), [("rising_siren", True), ("falling_siren", False)])
def test_a_rising_siren_climbs_and_a_falling_one_drops_nearly_always(
    label: str, climbs: bool, seed: int
) -> None:
    pitch_hz = librosa.yin(event(label, seed), fmin=300, fmax=2400, sr=RATE, frame_length=1024)
    steps = np.diff(pitch_hz[2:-2])
    assert (np.mean(steps > 0) > 0.75) == climbs
    assert (np.mean(steps < 0) > 0.75) != climbs


@pytest.mark.parametrize("seed", range(5))
def test_a_clock_taps_at_equal_distances_and_a_tap_drips_at_unequal_ones(seed: int) -> None:
    spread = {}
    for label in ("clock", "drip"):
        power = np.convolve(event(label, seed) ** 2, np.ones(160) / 160)
        taps, _ = find_peaks(power, height=power.max() / 5, distance=0.05 * RATE)
        spread[label] = np.diff(taps).std() / np.diff(taps).mean()
    assert spread["clock"] < 0.05
    assert spread["drip"] > 0.2
