"""The two units of a text, words and bytes: what differs between them, and which one fits."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from cnnkit.adapters.text import utf8, words
from cnnkit.adapters.text.tokens import find_words
from cnnkit.cnncore.image import IntArray, Recipe

UNSPACED = re.compile(
    "["
    "\u0e00-\u0fff"  # Thai, Lao, Tibetan
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u1b00-\u1b7f\ua980-\ua9df"  # Balinese, Javanese
    "\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b16f"  # kana, Bopomofo
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "]+"
)
UNSPACED_SHARE = 0.1  # of the letters in a text, on average, from which on all are read as bytes
MOST_LOOKED_AT = 2_000  # texts whose script is looked at
MOST_LETTERS = 1_000  # characters of each


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
    n_grams, n_grams_of_long : int
        Positions of the longest n-gram that votes directly, and where half of the texts fill a
        window or more: what a long text is about shows in its words, and its hundreds of rare
        pairs are learnt by heart.
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
    n_grams_of_long: int
    most_features: int
    position_dropout: float
    recipe: Recipe


UNITS = {
    "words": Unit(
        read=words.read_words,
        count=lambda text: len(find_words(text)),
        channels=words.CHANNELS,
        vocabulary=words.BUCKETS,
        buckets=words.BUCKETS,
        window=80,
        overlap=4,
        most_windows=53,  # 4,032 words
        crop=(320, 320),
        n_grams=2,
        n_grams_of_long=1,
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
        n_grams_of_long=6,
        most_features=2**17,
        position_dropout=0.0,
        recipe=Recipe(
            network="bytes",
            ensemble=2,
            samples_seen=0,
            epochs=10,
            batch_size=64,
            learning_rate=0.01,
        ),
    ),
}


def choose_unit(texts: Sequence[str]) -> str:
    """Choose words, or bytes where more than a tenth of the letters are of scripts without spaces.

    In Chinese, Japanese, Thai and such scripts a whole clause would be one word, that no other text
    has: such texts would teach next to nothing, whereas bytes suit every script. A few names or
    quotations don't decide. Korean has spaces. The share is the mean over texts, as each of them is
    one example: counted in letters, Chinese would seem rarer than it is, for it needs fewer.

    Examples
    --------
    >>> choose_unit(["The quick brown fox jumps over the lazy dog, twice."])
    'words'
    >>> choose_unit(["人人生而自由"])
    'bytes'
    """
    shares = []
    for text in texts[:: math.ceil(len(texts) / MOST_LOOKED_AT)]:
        looked_at = text[:MOST_LETTERS]
        letters = _count_letters(looked_at)
        if letters:
            shares.append(_count_letters("".join(UNSPACED.findall(looked_at))) / letters)
    return "bytes" if sum(shares) > UNSPACED_SHARE * len(shares) else "words"


def _count_letters(text: str) -> int:
    return sum(map(str.isalpha, text))
