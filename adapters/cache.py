"""What was once read from an item, kept on disk so that the next run need not read it again."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOG = logging.getLogger(__name__)

FORMAT = 1
MOST_BYTES = 4 * 2**30
# A temporary file this old was left behind by a process that died.
ABANDONED_S = 3600.0
TRIM_EVERY_S = 3600


def cache_folder() -> Path:
    """Return the folder for everything that can be made again.

    `$CNNKIT_CACHE`, else `$XDG_CACHE_HOME/cnnkit`, else `~/.cache/cnnkit`.
    """
    own = os.environ.get("CNNKIT_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path("~/.cache").expanduser()) / "cnnkit"


class ItemCache:
    """Arrays on disk, found by the digest of the item and the parameters they were made with.

    Several processes may use it at once: an entry is whole or absent. A cache that can't be read
    or written is no cache, not an error (a warning is logged once).

    Parameters
    ----------
    kind : str
        What the arrays are, e.g. "log-mel"; the name of a folder.
    parameters : mapping
        Everything besides the item that the arrays depend on, as JSON values, with a version of
        the code that makes them.
    folder : path or None
        Folder of all kinds; None is `cache_folder()`.
    most_bytes : int
        When all kinds together take more, `trim` removes the oldest entries.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     cache = ItemCache("squares", {"version": 1}, folder=folder)
    ...     cache.put("ab12", np.arange(3) ** 2)
    ...     cache.get("ab12"), cache.get("cd34")
    (array([0, 1, 4]), None)
    """

    def __init__(
        self,
        kind: str,
        parameters: Mapping[str, Any],
        *,
        folder: str | Path | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        key = json.dumps([FORMAT, kind, dict(parameters)], sort_keys=True)
        name = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        self.root = (cache_folder() if folder is None else Path(folder)) / "items"
        self.folder = self.root / kind / name
        self.most_bytes = most_bytes
        self._is_writable = True

    def get(self, digest: str) -> NDArray[Any] | None:
        """Return the array of the item with this digest, or None."""
        try:
            with self._path(digest).open("rb") as file:
                array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            # Absent, or damaged: both mean that it has to be made.
            return None
        return array

    def put(self, digest: str, array: NDArray[Any]) -> None:
        """Keep an array; a reader sees all of it or nothing."""
        if not self._is_writable:
            return
        path = self._path(digest)
        content = io.BytesIO()
        np.lib.format.write_array(content, array, allow_pickle=False)
        temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
        try:
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(content.getbuffer())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            self._is_writable = False
            LOG.warning(
                "%s can't be written (%s): going on without it; free some space or set "
                "CNNKIT_CACHE to another folder",
                self.folder,
                error.strerror or error,
            )

    def trim(self) -> None:
        """Remove the oldest entries of all kinds if they take too much; at most every hour.

        To look at all entries takes longer than to read a few files.
        """
        marker = self.root / "trimmed"
        with suppress(OSError):
            if time.time() - marker.stat().st_mtime < TRIM_EVERY_S:
                return
        with suppress(OSError):
            marker.touch()
        entries = sorted(_list_entries(self.root), reverse=True)
        total = 0
        for modified_s, size, path in entries:
            abandoned = path.suffix == ".tmp" and time.time() - modified_s > ABANDONED_S
            total += size
            if abandoned or total > self.most_bytes:
                with suppress(OSError):  # another process was faster
                    path.unlink()

    def _path(self, digest: str) -> Path:
        # Folders with a hundred thousand files are slow on some disks.
        return self.folder / digest[:2] / f"{digest}.npy"


def _list_entries(root: Path) -> list[tuple[float, int, Path]]:
    """Return time of change (s), size (bytes) and path of each file below `root`."""
    entries = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            with suppress(OSError):
                status = path.stat()
                entries.append((status.st_mtime, status.st_size, path))
    return entries
