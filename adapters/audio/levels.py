"""Levels of whole clips: from which decibel on they are drawn, and where they are loudest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnkit.cnncore.image import Float32Array, IntArray

QUIETEST_DB = -100.0  # digital silence; it is never drawn as loud
MEAN_LEVEL = 0.75  # where a clip's mean power is drawn, so that its peaks are seldom above 1
FRAMES_AT_ONCE = 2**15  # of a set that may lie on disk


def floors_db(
    values: Float32Array, offsets: IntArray, level: str, range_db: float
) -> NDArray[np.float64]:
    """Return the level of each clip that is drawn as 0, in dB, float64 [N].

    Parameters
    ----------
    values : float32 array [total, bands]
        Frames of all clips, in dB.
    offsets : int64 array [N + 1]
    level : "peak" or "mean"
        The floor lies `range_db` below the clip's maximum, or so that its mean power is drawn at
        three quarters of the range.
    range_db : float

    Examples
    --------
    >>> floors_db(np.array([[0.0, -20.0], [-30.0, -10.0]]), np.array([0, 2]), "peak", 60.0)
    array([-60.])
    """
    if level == "peak":
        peak = np.maximum.reduceat(values.max(axis=1), offsets[:-1])
        floor = peak.astype(np.float64) - range_db
    else:
        power = np.add.reduceat(mean_power(values), offsets[:-1]) / np.diff(offsets)
        floor = 10 * np.log10(power) - MEAN_LEVEL * range_db
    return np.maximum(floor, QUIETEST_DB)


def mean_power(values: Float32Array) -> NDArray[np.float64]:
    """Return the mean power of each frame, float64 [T], of levels in dB [T, bands]."""
    power = np.empty(len(values))
    for start in range(0, len(values), FRAMES_AT_ONCE):
        some = slice(start, start + FRAMES_AT_ONCE)
        power[some] = (10.0 ** (values[some] / 10.0)).mean(axis=1, dtype=np.float64)
    return power


def loudest_window(level: Float32Array, frames: int) -> int:
    """Return the first frame of the window with the most energy above the floor.

    Parameters
    ----------
    level : float32 array [T, bands]
        dB above the floor.
    frames : int
        Width of the window, at most T.
    """
    energy = np.maximum(level, 0).mean(axis=1, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    return int((sums[frames:] - sums[:-frames]).argmax())
