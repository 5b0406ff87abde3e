"""Many files at once: order, problems, processes, cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import soundfile
import torch

from cnnkit.adapters import tasks
from cnnkit.adapters.audio import reading
from cnnkit.adapters.audio.files import read_sound
from cnnkit.adapters.audio.log_mel import LogMel
from cnnkit.adapters.audio.reading import FrameSet, fingerprints, read_frames
from cnnkit.adapters.cache import ItemCache

LOG_MEL = LogMel(sample_rate=8_000, n_fft=256, hop_length=80, n_mels=40)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Thirty clips of mixed lengths, kinds and rates, with bad files among them."""
    random = np.random.default_rng(0)
    made = []
    for number in range(30):
        rate = [8_000, 96_000, 8_000][number % 3]
        ending = ["wav", "flac"][number % 2]
        made.append(tmp_path / f"{number:02d}.{ending}")
        length = random.integers(rate // 20, rate // 2)
        soundfile.write(made[-1], random.normal(0, 0.1, length), rate)
    made[4].write_bytes(b"")
    made[11].unlink()
    made[17].write_bytes(b"\0garbage" * 100)
    soundfile.write(made[20], np.zeros(4_000), 8_000)
    soundfile.write(made[22], random.normal(0, 0.1, 50), 8_000)
    made[24].write_bytes(made[24].read_bytes()[:-100])
    return made


BAD, WARNED = [4, 11, 17], [20, 22, 24]


def assert_equal(a: FrameSet, b: FrameSet) -> None:
    np.testing.assert_array_equal(a.values, b.values)
    np.testing.assert_array_equal(a.offsets, b.offsets)
    np.testing.assert_array_equal(a.items, b.items)
    assert a.problems == b.problems


def test_every_readable_file_gives_its_own_frames_in_order(paths: list[Path]) -> None:
    frames = read_frames(paths, LOG_MEL, n_jobs=1)
    assert frames.items.tolist() == [item for item in range(30) if item not in BAD]
    assert (frames.values.dtype, frames.offsets.dtype) == (np.float32, np.int64)
    for clip, item in enumerate(frames.items):
        sound = read_sound(paths[item], 8_000)
        values = frames.values[frames.offsets[clip] : frames.offsets[clip + 1]]
        np.testing.assert_allclose(values, LOG_MEL([sound.samples])[0], rtol=0, atol=1e-4)


def test_bad_files_are_listed_with_their_reasons_and_warnings_with_their_clips(
    paths: list[Path],
) -> None:
    problems = read_frames(paths, LOG_MEL, n_jobs=1).problems
    assert [problem.item for problem in problems] == sorted(BAD + WARNED)
    assert [problem.item for problem in problems if problem.rejected] == BAD
    assert all(problem.value == str(paths[problem.item]) for problem in problems)
    words = ["empty", "no such file", "no sound that can be read"]
    words += ["silence", "shorter than one window (50 of 256 samples)", "cut off"]
    for problem, word in zip(problems, words, strict=True):
        assert word in problem.reason


def test_nothing_to_read_gives_no_frames(tmp_path: Path) -> None:
    for paths in ([], [tmp_path / "missing.wav"]):
        frames = read_frames(paths, LOG_MEL)
        assert frames.values.shape == (0, 40)
        assert frames.offsets.tolist() == [0]
        assert len(frames.problems) == len(paths)


def test_paths_of_every_type_are_read_and_anything_else_is_a_problem(paths: list[Path]) -> None:
    items: list[Any] = [paths[0], str(paths[0]), bytes(paths[0]), float("nan"), None, 3.5]
    frames = read_frames(items, LOG_MEL, n_jobs=1)
    assert frames.items.tolist() == [0, 1, 2]
    assert [problem.value for problem in frames.problems] == ["nan", "None", "3.5"]


def test_two_processes_give_exactly_what_one_gives(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TASK_FILES", 4)
    assert_equal(read_frames(paths, LOG_MEL, n_jobs=2), read_frames(paths, LOG_MEL, n_jobs=1))


@pytest.mark.parametrize("backend", ["threading", "multiprocessing"])
def test_another_backend_of_joblib_is_used_where_it_is_configured(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    expected = read_frames(paths, LOG_MEL, n_jobs=1)
    monkeypatch.setattr(reading, "TASK_FILES", 4)
    monkeypatch.setattr(tasks, "PROBE_S", 0.0)
    monkeypatch.setattr(tasks, "WORTH_PROCESSES_S", -1.0)
    used = []
    parallel = joblib.Parallel

    def watch(*arguments: Any, **options: Any) -> Any:
        used.append(joblib.parallel.get_active_backend()[0].__class__.__name__.lower())
        return parallel(*arguments, **options)

    monkeypatch.setattr(joblib, "Parallel", watch)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert_equal(read_frames(paths, LOG_MEL), expected)
    assert used == [f"{backend}backend"]


def test_without_n_jobs_a_short_reading_starts_no_process(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(joblib, "Parallel", refuse)
    assert len(read_frames(paths, LOG_MEL).items) == 27
    with pytest.raises(AssertionError, match="a process was started"):
        read_frames(paths, LOG_MEL, n_jobs=2)


def test_the_number_of_torch_threads_is_left_as_it_was(paths: list[Path]) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        read_frames(paths, LOG_MEL, n_jobs=1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_cache_gives_the_same_frames_and_problems_without_decoding(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WORTH_CACHING_S", 0.0)
    expected = read_frames(paths, LOG_MEL, n_jobs=1)
    decoded = []
    decode = reading.decode

    def watch(content: bytes, sample_rate: int | None = None) -> Any:
        decoded.append(content)
        return decode(content, sample_rate)

    monkeypatch.setattr(reading, "decode", watch)
    for _ in range(2):
        decoded.clear()
        cache = ItemCache("log-mel", LOG_MEL.parameters(), folder=tmp_path / "cache")
        assert_equal(read_frames(paths, LOG_MEL, n_jobs=1, cache=cache), expected)
    # Only what can't be read, or gives a warning each time, is decoded a second time.
    assert len(decoded) == len(WARNED) + 1


def test_a_file_with_new_content_is_not_taken_from_the_cache(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WORTH_CACHING_S", 0.0)
    cache = ItemCache("log-mel", LOG_MEL.parameters(), folder=tmp_path / "cache")
    read_frames(paths[:1], LOG_MEL, n_jobs=1, cache=cache)
    paths[0].write_bytes(paths[1].read_bytes())
    assert_equal(
        read_frames(paths[:1], LOG_MEL, n_jobs=1, cache=cache),
        read_frames(paths[:1], LOG_MEL, n_jobs=1),
    )


def test_clips_longer_than_a_batch_are_read_one_by_one(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = read_frames(paths, LOG_MEL, n_jobs=1)
    monkeypatch.setattr(reading, "BATCH_SAMPLES", 1)
    frames = read_frames(paths, LOG_MEL, n_jobs=1)
    np.testing.assert_allclose(frames.values, expected.values, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(frames.offsets, expected.offsets)
    assert frames.problems == expected.problems


def test_nothing_is_printed_off_a_terminal(
    paths: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    read_frames(paths, LOG_MEL, n_jobs=1, progress=True)
    assert capfd.readouterr() == ("", "")


def test_fingerprints_are_equal_for_equal_content_only(paths: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy of 0.flac"
    copy.write_bytes(paths[0].read_bytes())
    items = [paths[0], copy, paths[1], paths[4], paths[11], paths[11]]
    digests = fingerprints(items)
    assert digests[0] == digests[1]
    assert len(set(digests)) == 5
