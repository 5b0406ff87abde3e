"""Reads texts in fastText's format: on every line the labels, marked `__label__`, and a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

_MARKED = re.compile(r"[ \t]*__label__[^ \t\r\n]+(?:[ \t\r]|$)")
_LABEL = re.compile(r"(?:^|(?<=[ \t]))__label__([^ \t]+)[ \t]*")
_SEPARATORS = (";", "|", ",")
_LINES_COMPARED = 100


def is_fasttext(text: str) -> bool:
    r"""Tell whether at least half of the first lines begin with a label.

    Examples
    --------
    >>> is_fasttext("__label__pos good\n__label__neg bad\n"), is_fasttext("text,label\na,x\n")
    (True, False)
    """
    filled = (line for line in text.split("\n", 2 * _LINES_COMPARED) if line.strip())
    marked = [_MARKED.match(line) is not None for line in islice(filled, _LINES_COMPARED)]
    return bool(marked) and sum(marked) >= len(marked) / 2


@dataclass(frozen=True)
class FasttextRows:
    """Lines as rows.

    Parameters
    ----------
    texts : list of str [N]
    labels : list of str [N]
        Several labels of a line are joined by `separator`; "" where a line has none.
    lines : list of int [N]
        Of the file, from 1; blank ones at its end are left out.
    separator : str or None
        A sign that stands in no label; None where no line has more than one.
    """

    texts: list[str]
    labels: list[str]
    lines: list[int]
    separator: str | None


def read_fasttext(text: str) -> FasttextRows:
    r"""Cut lines into labels and texts.

    A label may stand anywhere in its line, as fastText reads it: none stays in a text, where a
    model would find it.

    Parameters
    ----------
    text : str
        Lines end in \n or \r\n.

    Examples
    --------
    >>> rows = read_fasttext("__label__a __label__b one\n\n__label__b two\n")
    >>> rows.texts, rows.labels, rows.lines
    (['one', '', 'two'], ['a;b', '', 'b'], [1, 2, 3])
    """
    texts, labels = [], []
    for content in text.rstrip(" \t\r\n").split("\n"):
        content = content.removesuffix("\r")
        labels.append(list(dict.fromkeys(_LABEL.findall(content))))
        texts.append(_LABEL.sub("", content).strip(" \t"))
    used = "".join(label for of_line in labels for label in of_line)
    separator = next((mark for mark in _SEPARATORS if mark not in used), " ")
    joined = [separator.join(of_line) for of_line in labels]
    several = any(len(of_line) > 1 for of_line in labels)
    lines = list(range(1, len(texts) + 1))
    return FasttextRows(texts, joined, lines, separator if several else None)
