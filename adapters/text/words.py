"""Texts as rows of hashes: a word and some of its character n-grams at each position.

=======  ==========================================================================================
channel  what the category number of a position says
=======  ==========================================================================================
0        the word, with a mark at its beginning and end: `<word>`
1 to 5   up to five of its character 3-, 4- and 5-grams, evenly spread over the list of all of them
=======  ==========================================================================================

Category 0 is padding and stands for nothing else. A misspelt word keeps about half of its n-grams;
a word that training never saw still has some that it did. There is no vocabulary to keep.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.text.spans import normalise
from cnnkit.adapters.text.tokens import find_words

N_GRAMS = 5  # of each word
BUCKETS = 2**15  # category numbers, padding included
CHANNELS = ("word", *(f"character n-gram {number}" for number in range(1, N_GRAMS + 1)))
CHUNK_CHARACTERS = 2**22  # read at a time, so that a large set takes no more memory than its result

Int32Array = NDArray[np.int32]


def read_words(texts: Iterable[str]) -> tuple[Int32Array, NDArray[np.int64]]:
    """Hash the words of texts.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    values : int32 array [words of all texts, 6]
        The word's 32-bit hash, then the category numbers of its n-grams (0 where it has fewer).
    lengths : int64 array [texts]
        Words of each text.

    Examples
    --------
    >>> values, lengths = read_words(["A cat!", ""])
    >>> values.shape, lengths.tolist()
    ((3, 6), [3, 0])

    References
    ----------
    Hashed n-grams of characters: Bojanowski et al. 2017, "Enriching Word Vectors with Subword
    Information".
    """
    blocks = [np.zeros((0, 1 + N_GRAMS), np.int32)]
    lengths = [np.zeros(0, np.int64)]
    for part in _chunks(texts):
        block, length = _read(part)
        blocks.append(block)
        lengths.append(length)
    return np.concatenate(blocks), np.concatenate(lengths)


def category(hashes: Int32Array) -> NDArray[np.int64]:
    """Turn 32-bit hashes into category numbers, 1 to BUCKETS - 1, of any shape."""
    return 1 + (hashes.astype(np.int64) & 0xFFFFFFFF) % (BUCKETS - 1)


def hash_words(words: Sequence[str]) -> Int32Array:
    """Return the 32-bit hash of each word, int32 [words]."""
    codes = [crc32(f"<{word}>".encode("utf-8", "surrogatepass")) for word in words]
    return np.array(codes, dtype=np.uint32).view(np.int32)


class _Numbers(dict[str, int]):
    """Numbers strings as they come."""

    def __missing__(self, string: str) -> int:
        self[string] = number = len(self)
        return number

    def number(self, groups: Iterable[list[str]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the number of each string of all groups, and the strings of each group.

        A group is dropped as soon as it is counted: thousands of lists would keep Python's garbage
        collector busier than the hashing.
        """
        numbers, sizes = array("q"), array("q")
        for group in groups:
            numbers.extend(map(self.__getitem__, group))
            sizes.append(len(group))
        return np.frombuffer(numbers, np.int64), np.frombuffer(sizes, np.int64)


def _read(texts: Sequence[str]) -> tuple[Int32Array, NDArray[np.int64]]:
    """Hash each different word once, and look for words only once in each different piece.

    A piece is what stands between blanks, at which every word ends.
    """
    pieces, words = _Numbers(), _Numbers()
    piece, pieces_of_text = pieces.number(normalise(text).split() for text in texts)
    word, words_of_piece = words.number(map(find_words, pieces))
    count = words_of_piece[piece]
    end = count.cumsum()
    first = (words_of_piece.cumsum() - words_of_piece)[piece]
    place = np.repeat(first - end + count, count) + np.arange(count.sum())
    lengths = np.diff(np.append(0, end)[np.append(0, pieces_of_text.cumsum())])
    return _hash(list(words))[word[place]], lengths


def _hash(words: Sequence[str]) -> Int32Array:
    """Hash words and their n-grams, int32 [words, 6]."""
    table = np.zeros((len(words), 1 + N_GRAMS), dtype=np.int32)
    table[:, 0] = hash_words(words)
    codes = [
        crc32(piece.encode("utf-8", "surrogatepass"))
        for word in words
        for piece in _spread_n_grams(word)
    ]
    counts = [len(_spread_places(len(word) + 2)) for word in words]
    filled = np.arange(N_GRAMS) < np.array(counts, dtype=np.int64)[:, None]
    table[:, 1:][filled] = category(np.array(codes, dtype=np.uint32).view(np.int32))
    return table


def _spread_n_grams(word: str) -> list[str]:
    """Return at most N_GRAMS of the 3-, 4- and 5-grams of `<word>`, evenly spread over all."""
    marked = f"<{word}>"
    return [marked[place] for place in _spread_places(len(marked))]


@lru_cache(maxsize=256)  # most words are short
def _spread_places(length: int) -> list[slice]:
    """Choose n-grams by their number in the list of all: first the 3-grams, then 4, then 5."""
    last = sum(max(0, length - n + 1) for n in (3, 4, 5)) - 1
    numbers: Iterable[int] = range(last + 1)
    if last >= N_GRAMS:
        numbers = (number * last // (N_GRAMS - 1) for number in range(N_GRAMS))
    return [_place(length, number) for number in numbers]


def _place(length: int, number: int) -> slice:
    n = 3
    while number > length - n:
        number -= length - n + 1
        n += 1
    return slice(number, number + n)


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(text)
        size += len(text)
        if size >= CHUNK_CHARACTERS:
            yield part
            part, size = [], 0
    if part:
        yield part
