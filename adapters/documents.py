"""Reads texts that stand in files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnkit.adapters.encodings import decode
from cnnkit.adapters.errors import SourceError
from cnnkit.adapters.tables import TABLE_SUFFIXES, read_table

_HEAD = 8192  # letters that show whether a file is text


def read_documents(paths: Sequence[Path], encoding: str | None) -> tuple[list[str], dict[int, str]]:
    r"""Read each file as one text.

    Parameters
    ----------
    paths : sequence of Path
    encoding : str or None
        None: by byte order mark, else UTF-8.

    Returns
    -------
    texts : list of str
        As they stand in the files, without byte order mark; "" where a file can't be read.
    faults : dict of int to str
        By the number of the file: why it can't be read.

    Raises
    ------
    SourceError
        If Python knows no such encoding.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\xe4")
    >>> read_documents([path], "latin-1")[0]
    ['ï»¿one\r\ntwoä']
    >>> read_documents([path], None)[1][0][:41]
    "a.txt:2: byte offset 11: b'\\xe4' isn't UT"
    """
    if encoding is not None:
        decode(bytes(4), encoding, Path())  # refuses an unknown name once, not for every file
    texts, faults = [], {}
    for number, path in enumerate(paths):
        text = ""
        try:
            text = _read(path, encoding)
        except SourceError as error:
            faults[number] = str(error)
        except OSError as error:
            faults[number] = f"can't be read: {error.strerror}."
        texts.append(text)
    return texts, faults


def _read(path: Path, encoding: str | None) -> str:
    raw = path.read_bytes()
    text, _ = decode(raw, encoding, path, strict=True)
    if (place := text[:_HEAD].find("\0")) >= 0:
        raise SourceError(f"a zero byte at letter {place:,}: binary data, not text.")
    return text


def is_document(path: Path, item_names: Sequence[str], encoding: str | None) -> bool:
    r"""Tell a file that is one text from a table.

    A table has the suffix of one; where that may be a text too (.txt, .md and all others), it is
    in fastText's format, or can be read as a table of several columns, one of them of items: the
    first line of a letter may be a single word.

    Parameters
    ----------
    path : Path
    item_names : sequence of str
        Usual names of the column of items.
    encoding : str or None

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("Dear reader, the text\n")
    >>> is_document(path, ("text",), None)
    True
    >>> _ = path.write_text("id\ttext\n1\tDear reader\n")
    >>> is_document(path, ("text",), None)
    False
    """
    suffix = path.suffix.lower()
    if not path.is_file() or (suffix != ".txt" and suffix in TABLE_SUFFIXES):
        return False
    try:
        names = {str(name).lower() for name in read_table(path, encoding, strict=True).frame}
    except SourceError:
        return True
    return len(names) < 2 or names.isdisjoint(name.lower() for name in item_names)
