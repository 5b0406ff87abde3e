"""Pre-trained word vectors from a file: what each word brings along, besides what is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnkit.adapters.errors import count_of, listing
from cnnkit.adapters.folders import describe_missing, is_file
from cnnkit.adapters.text.spans import normalise
from cnnkit.adapters.text.tf_idf import CODES
from cnnkit.adapters.text.words import hash_words
from cnnkit.cnncore.image import Float32Array, IntArray

SHOWN = 60  # characters of a line in a message


class VectorTable(NamedTuple):
    """What `read_vectors` finds: keys int64 [V], vectors float32 [V, D], and repeated words."""

    keys: IntArray
    vectors: Float32Array
    repeated: int


class WordVectors(nn.Module):
    """Looks words up by their hash; a word without a vector gets zeros.

    Parameters
    ----------
    keys : int64 array [V]
        Hashes of the words, in ascending order.
    vectors : float32 array [V, D]
    """

    keys: Tensor
    vectors: Tensor

    def __init__(self, keys: IntArray, vectors: Float32Array) -> None:
        super().__init__()
        self.register_buffer("keys", torch.from_numpy(keys))
        self.register_buffer("vectors", torch.from_numpy(vectors))

    def forward(self, codes: Tensor, shown: Tensor) -> Tensor:
        """Return the vectors of words, float32 Tensor [M, W, D].

        Parameters
        ----------
        codes : int64 Tensor [M, W]
        shown : bool Tensor [M, W]
            Elsewhere there is no word.
        """
        place = torch.searchsorted(self.keys, codes).clamp(max=len(self.keys) - 1)
        known = shown & (self.keys[place] == codes)
        return torch.where(known[:, :, None], self.vectors[place], 0.0)


def read_vectors(path: Path) -> VectorTable:
    """Read word vectors: GloVe or word2vec text, or a .npy array beside a .txt list of its words.

    Words are read in lower case; of several that become the same, the first one counts, which in
    such files is the most frequent. The table read last is kept, as every fold of a
    cross-validation needs it: nobody may write into the arrays.

    Returns
    -------
    keys : int64 array [V]
        Hashes of the words, in ascending order.
    vectors : float32 array [V, D]
    repeated : int
        Words that became the same as an earlier one.

    Raises
    ------
    ValueError
        If the file isn't there, or isn't of that form: with the line, what was found and what was
        expected.

    References
    ----------
    Pennington et al. 2014, "GloVe"; Mikolov et al. 2013, "Distributed Representations of Words".

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "tiny.txt"
    >>> _ = file.write_text("the 0.1 0.2\\ncat 0.3 0.4\\n")
    >>> read_vectors(file)[1].shape
    (2, 2)
    """
    if not is_file(path):
        raise ValueError(f"vectors={str(path)!r} {describe_missing(path)}")
    try:
        return _read_version(path, tuple(map(_version, _files(path))))
    except OSError as error:
        raise ValueError(f"vectors={str(path)!r} can't be read: {error.strerror}") from error


def describe_coverage(table: VectorTable, hashes: IntArray, path: str) -> str:
    """Say how much of some texts the vectors know, as a sentence.

    Parameters
    ----------
    table : VectorTable
    hashes : int64 array [words of the texts]
    path : str
        Of the table, for the message.

    Raises
    ------
    ValueError
        If none of the words has a vector.
    """
    words, times = np.unique(hashes, return_counts=True)
    known = np.isin(words, table.keys)
    if not known.any():
        raise ValueError(
            f"vectors={path!r}: none of the {len(words):,} different words in the training texts "
            f"is among its {count_of(len(table.keys), 'word')}: is it of another language?"
        )
    repeated = f" ({table.repeated:,} more repeat one of them)" if table.repeated else ""
    return (
        f"vectors: {count_of(len(table.keys), 'word')} with "
        f"{count_of(table.vectors.shape[1], 'dimension')}{repeated}; "
        f"{times[known].sum() / len(hashes):.1%} of the training texts' words have one, "
        f"{known.mean():.1%} of the different ones"
    )


def _files(path: Path) -> list[Path]:
    """Return the files that hold a table, as far as they are there."""
    files = [path, path.with_suffix(".txt")] if path.suffix == ".npy" else [path]
    return [file for file in files if file.exists()]


def _version(file: Path) -> tuple[int, int, int]:
    """Return what tells a file and its content from others."""
    state = file.stat()
    return state.st_ino, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=1)
def _read_version(path: Path, versions: tuple[tuple[int, int, int], ...]) -> VectorTable:
    words, vectors = _read_array(path) if path.suffix == ".npy" else _read_text(path)
    hashes = hash_words([normalise(word) for word in words]).astype(np.int64) & CODES
    keys, first = np.unique(hashes, return_index=True)
    return VectorTable(keys, np.ascontiguousarray(vectors[first]), len(words) - len(keys))


def _read_text(path: Path) -> tuple[list[str], Float32Array]:
    words: list[str] = []
    rows: list[NDArray[np.float32]] = []
    size: list[str] = []
    for number, line in _lines(path):
        parts = line.split(" ")
        if number == 1 and len(parts) == 2 and parts[0].isdecimal() and parts[1].isdecimal():
            size = parts
            continue  # word2vec begins with the size of the table
        width = len(rows[0]) if rows else len(parts) - 1
        row = _numbers(parts[-width:])
        # GloVe's largest table has words with blanks, as ". . .".
        if not 0 < width < len(parts) or not len(row) or len(_numbers(parts[1:-width])):
            expected = f"{width} finite numbers" if rows else "finite numbers"
            found = line[:SHOWN]
            raise ValueError(f"{path}:{number}: expected a word and {expected}, found {found!r}")
        words.append(" ".join(parts[:-width]))
        rows.append(row)
    if not rows:
        raise ValueError(f"{path} is empty; expected a word and its numbers on each line")
    if size and (int(size[0]), int(size[1])) != (len(rows), len(rows[0])):
        raise ValueError(
            f"{path}:1: {' '.join(size)!r} says {size[0]} words of {size[1]} numbers, found "
            f"{len(rows)} of {len(rows[0])}: is the file whole? If so, delete or correct its first "
            "line"
        )
    return words, np.stack(rows)


def _numbers(texts: list[str]) -> NDArray[np.float32]:
    """Read numbers; none where one of them is no finite number."""
    try:
        with np.errstate(over="ignore"):  # too large for 32 bits: infinity, which isn't finite
            row = np.array(texts, dtype=np.float32)
    except ValueError:
        return np.zeros(0, np.float32)
    return row if np.isfinite(row).all() else row[:0]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines; other marks that some take for line ends are not."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                found = raw[error.start : error.start + 1]
                raise ValueError(
                    f"{path}:{number}: {found!r} isn't UTF-8; expected text, neither packed nor in "
                    "word2vec's binary form: save it as UTF-8"
                ) from error
            if line.strip():
                yield number, line.rstrip("\r\n ")


def _read_array(path: Path) -> tuple[list[str], Float32Array]:
    listed = path.with_suffix(".txt")
    if not listed.exists():
        raise ValueError(f"{path}: expected its words beside it, one on each line, in {listed}")
    words = [word.strip() for _, word in _lines(listed)]
    try:
        vectors = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is no array of numbers, as numpy.save writes it") from error
    if not isinstance(vectors, np.ndarray) or vectors.dtype.kind not in "fiu":
        kind = getattr(vectors, "dtype", "several arrays")
        raise ValueError(f"{path} is no array of numbers: it holds {kind}")
    if vectors.ndim != 2 or len(vectors) != len(words) or not vectors.size:
        raise ValueError(
            f"{path}: expected finite numbers of shape ({len(words)}, dimensions), since "
            f"{listed.name} has {len(words)} words; found shape {vectors.shape}"
        )
    with np.errstate(over="ignore"):
        narrow: Float32Array = vectors.astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(narrow).all(axis=1)).tolist()
    if wrong:
        named = listing([words[row] for row in wrong], limit=3)
        raise ValueError(
            f"{path}: expected finite numbers, found others in {count_of(len(wrong), 'row')}, of "
            f"{named}"
        )
    return words, narrow
