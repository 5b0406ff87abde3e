r"""What a word is: letters, digits and underscores, with the marks and joiners that follow them.

Python's `\w` alone has no combining marks: it would take हिन्दी, and Arabic with its vowel signs,
apart. Any other visible character, also a mark that follows no letter, stands alone. Format
characters, such as the soft hyphen, don't count, inside a word or beside it; control characters and
the space of zero width end a word, as blanks do.

References
----------
Unicode Standard Annex 29, "Unicode Text Segmentation": rule WB4.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

ASCII_TOKEN = re.compile(r"\w+|[^\w\s\x00-\x1f\x7f]")
ASCII_VISIBLE = re.compile("[!-~]")
JOINERS = "\u200c\u200d"  # of zero width: not joined, joined (Persian, Hindi, Sinhala)
SEPARATORS = "\x00-\x1f\x7f-\x9f\u200b"
FORMAT = (  # the Arabic and Syriac ones that aren't here can be seen
    "\xad\u061c\u180e\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
)
_FORMAT = re.compile(f"[{FORMAT}]")


def find_words(text: str) -> list[str]:
    """Return the words and other visible characters of a normalised text, in order.

    Examples
    --------
    >>> find_words("don't हिन्दी!")
    ['don', "'", 't', 'हिन्दी', '!']
    >>> find_words("co\xadop")  # with a soft hyphen
    ['coop']
    """
    words = _token(text).findall(text)
    if not text.isascii() and _FORMAT.search(text):
        return [_FORMAT.sub("", word) for word in words]
    return words


def word_spans(text: str) -> NDArray[np.int64]:
    """Return begin and end (excluded) of what `find_words` finds, int64 [words, 2].

    Examples
    --------
    >>> word_spans("a cat!").tolist()
    [[0, 1], [2, 5], [5, 6]]
    """
    spans = [match.span() for match in _token(text).finditer(text)]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def is_blank(text: str) -> bool:
    """Tell whether a text is empty or holds nothing that can be seen, as a lone accent.

    Examples
    --------
    >>> is_blank(" " + chr(0x301)), is_blank("?")
    (True, False)
    """
    visible = ASCII_VISIBLE if text.isascii() else _unicode_visible()
    return visible.search(text) is None


def _token(text: str) -> re.Pattern[str]:
    return ASCII_TOKEN if text.isascii() else _unicode_token()


@cache
def _unicode_token() -> re.Pattern[str]:
    """Compile the pattern of words with marks, which takes a moment that ASCII never needs."""
    within = f"\\w{_marks()}{JOINERS}{FORMAT}"
    return re.compile(rf"\w[{within}]*|[^\w\s{SEPARATORS}{FORMAT}]")


@cache
def _unicode_visible() -> re.Pattern[str]:
    return re.compile(rf"[^\s{SEPARATORS}{FORMAT}{JOINERS}{_marks()}\U000e0000-\U000e0fff]")


@cache
def _marks() -> str:
    places = (*range(0x300, 0x20000), *range(0xE0000, 0xE1000))  # elsewhere are no marks
    return "".join(chr(place) for place in places if unicodedata.category(chr(place))[0] == "M")
