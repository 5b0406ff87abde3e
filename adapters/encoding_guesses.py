"""Names the encodings in which bytes that aren't UTF-8 read like text; people choose."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

import numpy as np

from cnnkit.adapters.errors import listing

# Of two that read equally well, the first is named first.
_ENCODINGS = ("cp1252", "cp1250", "cp1251", "euc_kr", "gb18030", "big5", "shift_jis", "latin-1")
# The first of two bytes, for the letters that make up nearly all of a real text.
_COMMON_LEADS = {
    "euc_kr": ("euc_kr", range(0xB0, 0xC9)),
    "gb18030": ("gb2312", range(0xB0, 0xD8)),
    "big5": ("big5", range(0xA4, 0xC7)),
    "shift_jis": ("shift_jis", (0x82, 0x83, *range(0x88, 0x98))),
}
_PUNCTUATION = "“”„‘’‚–—…«»¡¿·•°€£©®™\xa0。、「」『』，！？（）：；《》"
_WORD = re.compile(rf"[^\s\d!-/:-@\[-`{{-~\x7f{_PUNCTUATION}]+")
_FOREIGN_RUN = re.compile(r"[^\x00-\x7f]{3}")
_WORDS_COMPARED = 2000
_LEAST_SCORE = 0.5
_NEARLY = 0.9  # of the best score, to be named beside it
_FEWEST_ZEROS = 3  # fewer may be letters of their own
_SHOWN = 12  # letters on each side of the place
_VALID_FOR_ONE_STRAY = 2  # letters beyond ASCII: in other encodings hardly any are valid UTF-8
_STRAY = re.compile("[\udc80-\udcff]+")  # as "surrogateescape" writes bytes that are no UTF-8
_VALID = re.compile("[^\x00-\x7f\udc80-\udcff]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_PAIR = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


def would_decode(raw: bytes, offset: int) -> str:
    """Say which encodings would decode the bytes, and how the place would read.

    Parameters
    ----------
    raw : bytes
    offset : int
        Of the first byte that isn't UTF-8.

    Returns
    -------
    str
        A sentence. The best one or two encodings are named; where most of the letters beyond ASCII
        are UTF-8, no other encoding, but what is to be repaired.

    Examples
    --------
    >>> would_decode("ein Käse".encode("latin-1"), 5)
    "`--encoding cp1252` would decode it as 'ein Käse'."
    >>> would_decode("Привет, мир".encode("cp1251"), 0)
    "`--encoding cp1251` would decode it as 'Привет, мир'."
    >>> would_decode("Käse, Brühe\\n".encode() + b"Fl\\xe4che", 16)
    "All else is UTF-8: repair this byte (0xE4 is 'ä' in cp1252)."
    """
    if repair := _repair(raw, offset):
        return repair
    scores = {}
    utf_16 = utf_16_by_zeros(raw)
    for encoding in (utf_16, *_ENCODINGS) if utf_16 else _ENCODINGS:
        try:
            scores[encoding] = _score(raw.decode(encoding), encoding)
        except UnicodeDecodeError:
            continue
    best = max(scores.values(), default=0.0)
    if best < _LEAST_SCORE:
        return "No common encoding reads it as text: is it another kind of file?"
    readings: dict[str, str] = {}
    for encoding in sorted(scores, key=lambda name: -scores[name]):
        if scores[encoding] >= _NEARLY * best:
            readings.setdefault(_excerpt(raw, offset, encoding), encoding)
    named = [f"`--encoding {name}` would decode it as {text!r}" for text, name in readings.items()]
    return ", ".join(named[:2]) + "."


def _repair(raw: bytes, offset: int) -> str:
    """Say what to repair where all but a few places are UTF-8; "" where they aren't."""
    text = raw.decode("utf-8", "surrogateescape")
    strays = len(_STRAY.findall(text))
    valid = sum(len(run) for run in _VALID.findall(text))
    surrogates = len(_SURROGATE.findall(raw)) if _SURROGATE.match(raw, offset) else 0
    if valid + surrogates < max(_VALID_FOR_ONE_STRAY * (strays - surrogates), 1):
        return ""
    if not strays:
        return "It is UTF-8: leave --encoding out."
    lines = [n for n, line in enumerate(_LINE_END.split(text), start=1) if _STRAY.search(line)]
    more = f"; such bytes stand in {len(lines):,} lines: {listing(lines)}" if lines[1:] else ""
    return f"All else is UTF-8: {_name_stray(raw, offset)}{more}."


def _name_stray(raw: bytes, offset: int) -> str:
    """Say what the bytes at a place may be, and what to do about them."""
    if _SURROGATE.match(raw, offset):
        found = raw[offset : offset + 3]
        half = found.decode("utf-8", "surrogatepass")
        means, pair = "half of a character", _PAIR.match(raw, offset)
        if pair:
            halves = pair[0].decode("utf-8", "surrogatepass")
            whole = halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            means = f"with the bytes after it {whole!r}, as CESU-8 has it"
        return (
            f"{found.hex(' ').upper()} is a surrogate, U+{ord(half):04X} ({means}); write the "
            "character itself in its place"
        )
    byte = raw[offset : offset + 1]
    letter = byte.decode("cp1252", "ignore")
    means = f" (0x{byte.hex().upper()} is {letter!r} in cp1252)" if letter else ""
    return f"repair this byte{means}"


def utf_16_by_zeros(raw: bytes, *, share: float = 0.5) -> str | None:
    """Name the encoding: Latin letters have a zero in every second byte, and only there.

    Parameters
    ----------
    raw : bytes
    share : float
        More than this of the even or of the odd bytes must be zero.

    Examples
    --------
    >>> utf_16_by_zeros("plain".encode("utf-16-le"))
    'utf-16-le'
    >>> utf_16_by_zeros(b"a\\0bc a\\0bc") is None
    True
    """
    zero = np.frombuffer(raw[:65536], dtype=np.uint8) == 0
    if zero.sum() < _FEWEST_ZEROS or len(raw) % 2:
        return None
    even, odd = 2 * zero[::2].sum() / len(zero), 2 * zero[1::2].sum() / len(zero)
    if max(even, odd) > share and min(even, odd) < 0.02:
        return "utf-16-be" if even > odd else "utf-16-le"
    return None


def _score(text: str, encoding: str) -> float:
    """Return the share of the words with other letters than English that could be words."""
    words = (word for word in _WORD.findall(text) if not word.isascii())
    scores = [_score_word(word, encoding) for word in islice(words, _WORDS_COMPARED)]
    # Only dashes or quotes, such as those of Windows, are enough where there are no letters.
    readable = "\0" not in text and (text.isascii() or any(mark in text for mark in _PUNCTUATION))
    return sum(scores) / len(scores) if scores else float(readable)


def _score_word(word: str, encoding: str) -> float:
    if encoding in _COMMON_LEADS:
        codec, leads = _COMMON_LEADS[encoding]
        codes = [letter.encode(codec, "replace") for letter in word if not letter.isascii()]
        return sum(len(code) == 2 and code[0] in leads for code in codes) / len(codes)
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in word}
    regular_case = word.isupper() or not any(letter.isupper() for letter in word[1:])
    if not word.isalpha() or len(scripts) > 1 or not regular_case:
        return 0.0
    return float(scripts != {"LATIN"} or not _FOREIGN_RUN.search(word))


def _excerpt(raw: bytes, offset: int, encoding: str) -> str:
    place = len(raw[:offset].decode(encoding, "ignore"))
    text = raw.decode(encoding)
    before = text[max(0, place - _SHOWN) : place].rpartition("\n")[2]
    return (before + text[place : place + _SHOWN].partition("\n")[0]).strip()
