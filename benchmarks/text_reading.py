"""How fast texts become numbers: bytes against loops and memory, words against HashingVectorizer.

    python benchmarks/text_reading.py [--data TABLE.csv] [--column text] [--rounds 5]

All ways run in one process with one thread, in turns, and are measured in processor time. Without
--data the texts are those of the adapter's demo, cut out of installed packages, ten times over.

Bytes are measured on the texts repeated to 32 MB, as a set that fits the processor's cache measures
the allocator. The quickest that a program in numpy can be gets the texts already encoded, joins
them, and makes the same two arrays: values as int16, and lengths.

Words are measured with the hashes of pairs of words, as the renderer makes them.
HashingVectorizer finds words and pairs of words, all 3- to 5-grams of characters inside words
(cnnkit keeps five of a word), or both; it counts them too.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.pipeline import FeatureUnion
from threadpoolctl import threadpool_limits

from cnnkit.adapters.text.demo import make_demo_texts
from cnnkit.adapters.text.spans import normalise
from cnnkit.adapters.text.tf_idf import CODES, n_grams
from cnnkit.adapters.text.tokens import find_words
from cnnkit.adapters.text.utf8 import read_bytes
from cnnkit.adapters.text.words import read_words

MEMORY_BYTES = 32_000_000
CHECKED_TEXTS = 2_000
DEMO_TIMES = 10


class Way(NamedTuple):
    """One way to read texts, and the ratio of speeds that cnnkit's is to reach."""

    name: str
    read: Callable[[], object]
    megabytes: float
    goal: float | None = None


def by_dict(texts: Sequence[str]) -> list[list[int]]:
    """Look up every byte."""
    numbers = {value: 1 + value for value in range(256)}
    rows = []
    for text in texts:
        row = []
        for value in text.encode("utf-8", "surrogatepass"):
            row.append(numbers[value])
        rows.append(row)
    return rows


def by_ord(texts: Sequence[str]) -> list[list[int]]:
    """Take the number of every character: no UTF-8, and the same only for ASCII."""
    rows = []
    for text in texts:
        row = []
        for character in text:
            row.append(1 + ord(character))
        rows.append(row)
    return rows


def by_memory(encoded: Sequence[bytes]) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Only copy what is encoded already."""
    values = np.frombuffer(b"".join(encoded), dtype=np.uint8).astype(np.int16)
    values += 1
    return values, np.fromiter(map(len, encoded), np.int64, len(encoded))


def by_words(texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Hash words, n-grams of their characters and pairs of words."""
    values, lengths = read_words(texts)
    text = torch.repeat_interleave(torch.arange(len(texts)), torch.from_numpy(lengths))
    return n_grams(torch.from_numpy(values[:, 0]).long() & CODES, text, longest=2)


def vectorizers() -> dict[str, HashingVectorizer | FeatureUnion]:
    """Make scikit-learn's ways; words are cut as cnnkit cuts them."""
    words = HashingVectorizer(
        preprocessor=normalise, tokenizer=find_words, token_pattern=None, ngram_range=(1, 2)
    )
    characters = HashingVectorizer(preprocessor=normalise, analyzer="char_wb", ngram_range=(3, 5))
    return {
        "words (1,2)": words,
        "characters (3,5) in words": characters,
        "both": FeatureUnion([("words", words), ("characters", characters)]),
    }


def megabytes(encoded: Sequence[bytes]) -> float:
    """Return the size of texts in UTF-8."""
    return sum(map(len, encoded)) / 1e6


def byte_ways(texts: Sequence[str]) -> list[Way]:
    """List the ways to read bytes, cnnkit's first."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    times = max(1, round(MEMORY_BYTES / 1e6 / megabytes(encoded)))
    texts, encoded, size = list(texts) * times, encoded * times, times * megabytes(encoded)
    return [
        Way("cnnkit, bytes", lambda: read_bytes(texts), size),
        Way("loop over bytes, dict", lambda: by_dict(texts), size, 25.0),
        Way("loop over characters, ord", lambda: by_ord(texts), size, 25.0),
        Way("numpy, already encoded", lambda: by_memory(encoded), size, 0.5),
    ]


def word_ways(texts: Sequence[str]) -> list[Way]:
    """List the ways to hash words and n-grams, cnnkit's first."""
    size = megabytes([text.encode("utf-8", "surrogatepass") for text in texts])
    # scikit-learn can't encode lone surrogates.
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    goals = {"both": 1.0}
    return [
        Way("cnnkit, words and n-grams", lambda: by_words(texts), size),
        *(
            Way(f"HashingVectorizer, {name}", partial(made.transform, clean), size, goals.get(name))
            for name, made in vectorizers().items()
        ),
    ]


def compare(ways: Sequence[Way], rounds: int) -> bool:
    """Run all ways in turns, print their rows, and say whether the goals are met."""
    speeds: dict[str, list[float]] = {way.name: [] for way in ways}
    for number in range(rounds + 1):
        for way in ways:
            started_s = time.process_time()
            way.read()
            seconds = time.process_time() - started_s
            if number:  # the first fills caches
                speeds[way.name].append(way.megabytes / seconds)
    ours = statistics.median(speeds[ways[0].name])
    met = [print_row(way, speeds[way.name], ours) for way in ways]
    print()
    return all(met)


def print_row(way: Way, speeds: Sequence[float], ours: float) -> bool:
    """Print median and range of one way's speeds, cnnkit's beside it, and the goal."""
    median = statistics.median(speeds)
    ratio = ours / median
    met = way.goal is None or ratio >= way.goal
    goal = "" if way.goal is None else f"  >= {way.goal:g}x {'met' if met else 'MISSED'}"
    print(
        f"{way.name:<46}{median:>9.1f}{min(speeds):>9.1f}{max(speeds):>9.1f}{ratio:>9.2f}x{goal}",
        flush=True,
    )
    return met


def read_texts(table: Path, column: str) -> list[str]:
    """Read a column of a CSV file."""
    csv.field_size_limit(sys.maxsize)
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if column not in (rows.fieldnames or ()):
            raise SystemExit(f"{table}: no column {column!r} among {rows.fieldnames}")
        return [row[column] for row in rows]


def check_values(texts: Sequence[str]) -> None:
    """Compare cnnkit's bytes with those of the loop."""
    few = [unicodedata.normalize("NFC", text) for text in texts[:CHECKED_TEXTS]]
    expected = [value for row in by_dict(few) for value in row]
    if read_bytes(few)[0][:, 0].tolist() != expected:
        raise SystemExit("cnnkit's bytes aren't those of the loop")


def main() -> int:
    """Print both tables; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="CSV file with a column of texts")
    parser.add_argument("--column", default="text")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.data is None:
        texts = make_demo_texts()[0] * DEMO_TIMES
    else:
        texts = read_texts(options.data, options.column)
    size = megabytes([text.encode("utf-8", "surrogatepass") for text in texts])
    print(f"{len(texts):,} texts, {size:.1f} MB of UTF-8, {options.rounds} rounds\n")
    print(f"{'MB/s':<46}{'median':>9}{'least':>9}{'most':>9}{'cnnkit is':>10}  goal")
    check_values(texts)
    with threadpool_limits(1):
        met = [compare(ways(texts), options.rounds) for ways in (byte_ways, word_ways)]
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
