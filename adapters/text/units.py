"""The two units of a text, words and bytes: what differs between them, and which one fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from cnnkit.adapters.text import utf8, words
from cnnkit.adapters.text.words import TOKEN
from cnnkit.cnncore.image import IntArray, Recipe

LEAST_SPACED = 1 / 40  # of a text's characters are spaces, where a script has them
LONG_ENOUGH = 40  # characters, to tell
UNSPACED_SHARE = 0.1  # of the texts without spaces, from which on all are read as bytes


@dataclass(frozen=True)
class Unit:
    """How texts are read, drawn and trained in one unit.

    Parameters
    ----------
    read : callable
        Texts to values [positions, C] and lengths [texts].
    count : callable
        A text to its number of positions, about.
    channels : tuple of str
    vocabulary : int
        Categories, padding included.
    buckets : int or None
        Categories that the first channel is folded into.
    window, overlap : int
        Positions of an image, and those that it shares with the next.
    most_windows : int
    crop : tuple of int
        Fewest and most positions of the stretch that is drawn in training.
    n_grams : int
        Positions of the longest n-gram that votes directly.
    most_features : int
        N-grams that vote directly.
    position_dropout : float
    recipe : Recipe
    """

    read: Callable[[Iterable[str]], tuple[NDArray[Any], IntArray]]
    count: Callable[[str], int]
    channels: tuple[str, ...]
    vocabulary: int
    buckets: int | None
    window: int
    overlap: int
    most_windows: int
    crop: tuple[int, int]
    n_grams: int
    most_features: int
    position_dropout: float
    recipe: Recipe


UNITS = {
    "words": Unit(
        read=words.read_words,
        count=lambda text: len(TOKEN.findall(text)),
        channels=words.CHANNELS,
        vocabulary=words.BUCKETS,
        buckets=words.BUCKETS,
        window=80,
        overlap=4,
        most_windows=53,  # 4,032 words
        crop=(320, 320),
        n_grams=2,
        most_features=2**20,
        position_dropout=0.1,
        recipe=Recipe(network="text", samples_seen=0, epochs=5, batch_size=64),
    ),
    "bytes": Unit(
        read=utf8.read_bytes,
        count=lambda text: len(text.encode("utf-8", "surrogatepass")),
        channels=utf8.CHANNELS,
        vocabulary=utf8.VOCABULARY,
        buckets=None,
        window=400,
        overlap=5,
        most_windows=11,  # 4,350 bytes
        crop=(24, 192),
        n_grams=6,  # two or three letters of a script that takes two or three bytes for each
        most_features=2**17,
        position_dropout=0.0,
        recipe=Recipe(
            network="bytes", samples_seen=0, epochs=10, batch_size=64, learning_rate=0.01
        ),
    ),
}


def choose_unit(texts: Sequence[str]) -> str:
    """Choose words, or bytes where many texts are in a script without spaces.

    Examples
    --------
    >>> choose_unit(["The quick brown fox jumps over the lazy dog, twice."])
    'words'
    >>> choose_unit(["人人生而自由,在尊严和权利上一律平等。" * 3])
    'bytes'
    """
    long = [text for text in texts if len(text.strip()) >= LONG_ENOUGH]
    unspaced = sum(len(text.split()) - 1 < LEAST_SPACED * len(text.strip()) for text in long)
    return "bytes" if unspaced > UNSPACED_SHARE * len(long) else "words"
