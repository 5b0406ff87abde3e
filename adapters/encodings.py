"""Decodes a file whose encoding nobody told, and tells text from binary data."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from cnnkit.adapters.encoding_guesses import utf_16_by_zeros, would_decode
from cnnkit.adapters.errors import SourceError

_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_SIGNATURES = {
    b"PK\x03\x04": "a ZIP archive (as Excel's .xlsx files are): save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file: save the table as CSV",
    b"\x1f\x8b": "packed with gzip: unpack it first",
    b"%PDF": "a PDF document",
    b"RIFF": "an audio (RIFF) file",
    b"fLaC": "an audio (FLAC) file",
    b"OggS": "an audio (Ogg) file",
    b"ID3": "an audio (MP3) file",
}
_LINE_END = re.compile(r"\r\n|\r|\n")


def decode(
    raw: bytes, encoding: str | None, path: Path, *, strict: bool = False
) -> tuple[str, list[str]]:
    """Turn the bytes of a table file into text.

    Parameters
    ----------
    raw : bytes
    encoding : str or None
        None: by byte order mark, else UTF-8, else Latin-1 with a note.
    path : Path
        Named in messages.
    strict : bool
        None stands for a byte order mark, else UTF-8, and for no other encoding: where the text
        itself is learnt from, no letter may be wrong.

    Returns
    -------
    text : str
    notes : list of str
        What was guessed.

    Raises
    ------
    SourceError
        If the bytes are no text, or not in the given encoding.

    Examples
    --------
    >>> decode("Käse".encode("utf-16"), None, Path("index.csv"))
    ('Käse', [])
    >>> decode("a\\nKäse".encode("latin-1"), None, Path("index.csv"))[1][0][:36]
    "index.csv:2: byte 0xE4 isn't UTF-8, "
    """
    if strict:
        return _decode_strictly(raw, encoding, path), []
    encoding = encoding or _encoding_by_bytes(raw, path)
    try:
        return raw.decode(encoding or "utf-8").removeprefix("\ufeff"), []
    except LookupError as error:
        raise SourceError(f"{encoding!r} is no encoding that Python knows.") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"{path.name}:{line}: byte 0x{raw[error.start]:02X} isn't {error.encoding.upper()}"
        if encoding:
            raise SourceError(
                f"{found}. Give the encoding that the file was saved with."
            ) from error
    note = f"{found}, so the file was read as Latin-1; give its encoding if letters look wrong"
    return raw.decode("latin-1"), [note]


def _decode_strictly(raw: bytes, encoding: str | None, path: Path) -> str:
    if not encoding and not _by_mark(raw) and utf_16_by_zeros(raw):
        raise SourceError(f"{path.name}: every second byte is 0. {would_decode(raw, 0)}")
    try:
        return raw.decode(encoding or _by_mark(raw) or "utf-8").removeprefix("\ufeff")
    except LookupError as error:
        raise SourceError(f"{encoding!r} is no encoding that Python knows.") from error
    except UnicodeDecodeError as error:
        kinds = [kind for signature, kind in _SIGNATURES.items() if raw.startswith(signature)]
        if kinds:
            raise SourceError(f"{path.name} isn't text, it is {kinds[0]}.") from error
        before = raw[: error.start].decode(error.encoding, "ignore")
        line = len(_LINE_END.findall(before)) + 1
        found = raw[error.start : max(error.end, error.start + 1)]
        raise SourceError(
            f"{path.name}:{line}: byte offset {error.start:,}: {found!r} isn't "
            f"{error.encoding.upper()}. {would_decode(raw, error.start)}"
        ) from error


def _by_mark(raw: bytes) -> str | None:
    names = (name for mark, name in _BYTE_ORDER_MARKS.items() if raw.startswith(mark))
    return next(names, None)


def _encoding_by_bytes(raw: bytes, path: Path) -> str | None:
    """Name the encoding where bytes show it; None where UTF-8 is to be tried."""
    if encoding := _by_mark(raw):
        return encoding
    head = np.frombuffer(raw[:65536], dtype=np.uint8)
    zero = head == 0
    control = (head < 32) & ~np.isin(head, [9, 10, 12, 13])
    if not zero.any() and control.sum() <= 0.01 * len(head):
        return None
    for signature, kind in _SIGNATURES.items():
        if raw.startswith(signature):
            raise SourceError(f"{path} isn't a table, it is {kind}.")
    if encoding := utf_16_by_zeros(raw, share=0.3):
        return encoding
    raise SourceError(f"{path} isn't a table: it holds binary data, not text.")
