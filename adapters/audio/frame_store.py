"""Where the frames of many clips are gathered: in memory, or on disk once they are too many."""

from __future__ import annotations

import tempfile
from typing import IO

import numpy as np

from cnnkit.adapters.cache import cache_folder
from cnnkit.cnncore.image import Float32Array

LARGEST_IN_MEMORY = 2**32  # bytes
WRITTEN_AT_ONCE = 2**28


class FrameStore:
    """Gathers clips of frames into one block.

    Parameters
    ----------
    n_mels : int

    Examples
    --------
    >>> store = FrameStore(n_mels=2)
    >>> store.append(np.zeros((3, 2), np.float32))
    >>> store.append(np.ones((1, 2), np.float32))
    >>> store.block().shape
    (4, 2)
    """

    def __init__(self, n_mels: int) -> None:
        self.n_mels = n_mels
        self._frames = 0
        self._waiting: list[Float32Array] = []
        self._waiting_bytes = 0
        self._file: IO[bytes] | None = None

    def append(self, clip: Float32Array) -> None:
        """Add a clip, float32 [T, n_mels]."""
        self._frames += len(clip)
        self._waiting.append(clip)
        self._waiting_bytes += clip.nbytes
        if self._waiting_bytes > (LARGEST_IN_MEMORY if self._file is None else WRITTEN_AT_ONCE):
            self._write()

    def block(self) -> Float32Array:
        """Return all clips, float32 [total, n_mels]: an array, or a memory map of a file.

        The file has no name and is gone with the map.
        """
        if self._file is None:
            return np.concatenate([np.empty((0, self.n_mels), np.float32), *self._waiting])
        self._write()
        self._file.flush()
        shape = (self._frames, self.n_mels)
        with self._file as file:
            mapped: Float32Array = np.memmap(file, dtype=np.float32, mode="r", shape=shape)
        return mapped

    def _write(self) -> None:
        if self._file is None:
            cache_folder().mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=cache_folder())  # noqa: SIM115 - `block` closes it
        for clip in self._waiting:
            self._file.write(np.ascontiguousarray(clip).data)
        self._waiting, self._waiting_bytes = [], 0
