r"""What a word is: letters, digits and underscores, with the marks and joiners that follow them.

Python's `\w` alone has no combining marks: it would take हिन्दी, and Arabic with its vowel signs,
apart. Any other visible character, also a mark that follows no letter, stands alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

ASCII_TOKEN = re.compile(r"\w+|[^\w\s]")
JOINERS = "\u200c\u200d"  # of zero width: not joined, joined (Persian, Hindi, Sinhala)


def find_words(text: str) -> list[str]:
    """Return the words and other visible characters of a normalised text, in order.

    Examples
    --------
    >>> find_words("don't हिन्दी!")
    ['don', "'", 't', 'हिन्दी', '!']
    """
    return _token(text).findall(text)


def word_spans(text: str) -> NDArray[np.int64]:
    """Return begin and end (excluded) of what `find_words` finds, int64 [words, 2].

    Examples
    --------
    >>> word_spans("a cat!").tolist()
    [[0, 1], [2, 5], [5, 6]]
    """
    spans = [match.span() for match in _token(text).finditer(text)]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def _token(text: str) -> re.Pattern[str]:
    return ASCII_TOKEN if text.isascii() else _unicode_token()


@cache
def _unicode_token() -> re.Pattern[str]:
    """Compile the pattern of words with marks, which takes a moment that ASCII never needs."""
    places = (*range(0x300, 0x20000), *range(0xE0000, 0xE1000))  # elsewhere are no marks
    marks = "".join(chr(place) for place in places if unicodedata.category(chr(place))[0] == "M")
    return re.compile(rf"\w[\w{marks}{JOINERS}]*|[^\w\s]")
