"""Many sound files to log-mel frames, in parallel where it pays; bad files are listed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from cnnkit.adapters.audio.files import (
    AnyPath,
    Sound,
    UnreadableSound,
    content_digest,
    decode,
    read_bytes,
    shown,
)
from cnnkit.adapters.audio.frame_store import FrameStore
from cnnkit.adapters.audio.log_mel import LogMel
from cnnkit.adapters.cache import ItemCache
from cnnkit.adapters.tasks import do_tasks
from cnnkit.cnncore.image import Float32Array, IntArray, Problem

# Files that one task reads: enough to outweigh handing it over, few enough to share out evenly.
TASK_FILES = 512
TASK_BYTES = 2**22
SIZED_FILES = 20
# Samples whose spectrograms are computed together.
BATCH_SAMPLES = 2**21
# Below this time it is faster to compute a file's frames again than to write them to the cache.
WORTH_CACHING_S = 1e-3


@dataclass(frozen=True)
class FrameSet:
    """Log-mel frames of all files that could be read.

    Clip i is `values[offsets[i]:offsets[i + 1]]`.

    Parameters
    ----------
    values : float32 array [total, n_mels]
        Frames of all clips, one after the other; a memory map where they are too many.
    offsets : int64 array [N + 1]
        Where each clip begins and the last one ends.
    items : int64 array [N]
        Number of the file that each clip was read from.
    problems : tuple of Problem
        Rejected files and warnings, by number of the file.
    """

    values: Float32Array
    offsets: IntArray
    items: IntArray
    problems: tuple[Problem, ...] = field(default=(), repr=False)


class Outcome(NamedTuple):
    """What reading one file gave: frames (or None), and the reason or the warnings."""

    frames: Float32Array | None
    remarks: tuple[str, ...] = ()


class Waiting(NamedTuple):
    """A decoded sound whose frames are still to be computed."""

    sound: Sound
    digest: str
    seconds: float


def read_frames(
    paths: Sequence[AnyPath],
    log_mel: LogMel,
    *,
    speed: float = 1.0,
    n_jobs: int | None = None,
    cache: ItemCache | None = None,
    progress: bool = True,
) -> FrameSet:
    """Decode files and compute their log-mel frames. A bad file never stops the others.

    Files at another rate than `log_mel.sample_rate` are resampled. The result is the same for
    every `n_jobs`.

    Parameters
    ----------
    paths : sequence of str, bytes or path
    log_mel : LogMel
    speed : float
        Read the sounds as if played at this speed, which moves their pitch too.
    n_jobs : int or None
        Processes (joblib; -1: one per processor). None starts them only if the work left after a
        second would take more than another four. Inside `joblib.parallel_config` its backend
        and, for None, its number of jobs are used.
    cache : ItemCache or None
        Where frames are kept whose reading took long and gave no warning; its parameters are
        `log_mel.parameters()` and the speed.
    progress : bool
        Show a bar on standard error, where that is a terminal.

    Returns
    -------
    FrameSet

    Examples
    --------
    >>> log_mel = LogMel(sample_rate=8000, n_fft=256, hop_length=80, n_mels=40)
    >>> frames = read_frames(["missing-folder/a.wav"], log_mel)
    >>> frames.values.shape
    (0, 40)
    >>> print(frames.problems[0].reason)
    no such file, nor a folder 'missing-folder': correct the path
    """
    # Fewer samples for each second, taken as if they were all of it, play faster.
    rate_hz = round(log_mel.sample_rate / speed)
    store, lengths, items, problems = FrameStore(log_mel.n_mels), [], [], []
    hidden = None if progress else True
    with tqdm(total=len(paths), desc="reading", unit="file", disable=hidden) as bar:
        for item, outcome in enumerate(_outcomes(paths, log_mel, rate_hz, n_jobs, cache)):
            bar.update()
            rejected = outcome.frames is None
            if outcome.frames is not None:
                store.append(outcome.frames)
                lengths.append(len(outcome.frames))
                items.append(item)
            for remark in outcome.remarks:
                problems.append(Problem(item, shown(paths[item]), remark, rejected))
    if cache is not None:
        cache.trim()
    return FrameSet(
        values=store.block(),
        offsets=np.cumsum([0, *lengths], dtype=np.int64),
        items=np.array(items, dtype=np.int64),
        problems=tuple(problems),
    )


def fingerprints(paths: Sequence[AnyPath]) -> list[str]:
    """Digest each file's content: equal digests mean identical files.

    A file that can't be read gets a text of its own, equal to no other.
    """
    digests = []
    for item, path in enumerate(paths):
        try:
            digests.append(content_digest(read_bytes(path)))
        except UnreadableSound:
            digests.append(f"unreadable item {item}: {shown(path)}")
    return digests


def _outcomes(
    paths: Sequence[AnyPath],
    log_mel: LogMel,
    rate_hz: int,
    n_jobs: int | None,
    cache: ItemCache | None,
) -> Iterator[Outcome]:
    """Read all files in order: in this process first, and in others once that pays."""
    work = partial(_read_task, log_mel=log_mel, rate_hz=rate_hz, cache=cache)
    for outcomes in do_tasks(work, list(_split(paths)), n_jobs):
        yield from outcomes


def _split(paths: Sequence[AnyPath]) -> Iterator[list[AnyPath]]:
    """Cut the list of files into tasks, the same ones whatever reads them."""
    sizes = []
    for path in paths[:: max(1, len(paths) // SIZED_FILES)]:
        with suppress(OSError, ValueError, TypeError):  # the task itself will say what is wrong
            sizes.append(Path(os.fsdecode(path)).stat().st_size)
    usual = max(1, sorted(sizes)[len(sizes) // 2]) if sizes else 1
    length = min(max(1, TASK_BYTES // usual), TASK_FILES)
    for start in range(0, len(paths), length):
        yield list(paths[start : start + length])


def _read_task(
    paths: list[AnyPath], log_mel: LogMel, rate_hz: int, cache: ItemCache | None
) -> list[Outcome]:
    """Read a few files: what the cache doesn't hold is decoded, and transformed in batches."""
    outcomes = [Outcome(None)] * len(paths)
    waiting: dict[int, Waiting] = {}
    samples = 0
    with _one_thread():
        for place, path in enumerate(paths):
            found = _look_up(path, rate_hz, cache)
            if isinstance(found, Outcome):
                outcomes[place] = found
                continue
            waiting[place] = found
            samples += len(found.sound.stored)
            if samples >= BATCH_SAMPLES:
                _transform(waiting, outcomes, log_mel, cache)
                samples = 0
        _transform(waiting, outcomes, log_mel, cache)
    return outcomes


def _look_up(path: AnyPath, rate_hz: int, cache: ItemCache | None) -> Outcome | Waiting:
    """Take a file's frames from the cache, or decode it; one read of the file serves both."""
    started_s, digest = time.perf_counter(), ""
    try:
        content = read_bytes(path)
        if cache is not None:
            digest = content_digest(content)
            frames = cache.get(digest)
            if frames is not None:
                return Outcome(frames)
        sound = decode(content, rate_hz)
    except UnreadableSound as error:
        return Outcome(None, (str(error),))
    return Waiting(sound, digest, time.perf_counter() - started_s)


def _transform(
    waiting: dict[int, Waiting],
    outcomes: list[Outcome],
    log_mel: LogMel,
    cache: ItemCache | None,
) -> None:
    """Compute the frames of all waiting sounds, put them into their places, and into the cache."""
    started_s = time.perf_counter()
    clips = log_mel([one.sound.stored for one in waiting.values()])
    share_s = (time.perf_counter() - started_s) / max(len(clips), 1)
    window = log_mel.win_length or log_mel.n_fft
    for (place, one), frames in zip(waiting.items(), clips, strict=True):
        remarks = one.sound.warnings
        if (length := len(one.sound.stored)) < window:
            remarks += (f"shorter than one window ({length} of {window} samples): padded",)
        outcomes[place] = Outcome(frames, remarks)
        # The cache holds no remarks, and they must come again with the next run.
        if cache is not None and not remarks and one.seconds + share_s >= WORTH_CACHING_S:
            cache.put(one.digest, frames)
    waiting.clear()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread: files are shared out among processes.

    The setting holds for all threads of a process, so only its main thread may change it.
    """
    threads = torch.get_num_threads()
    if threads == 1 or threading.current_thread() is not threading.main_thread():
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
