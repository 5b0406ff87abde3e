"""Reads SMILES files: on every line a SMILES, and perhaps a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

SMI_SUFFIXES = frozenset({".smi", ".smiles"})

_HEADER = re.compile(r"(?:\w*_)?smiles(?:_\w*)?|smi", re.IGNORECASE)
# A SMILES, perhaps with an extension between bars (CXSMILES), and what follows.
_LINE = re.compile(r"(\S+(?:[ \t]+\|[^|]*\|)?)[ \t]*(.*)")


@dataclass(frozen=True)
class SmiRows:
    """Lines as rows.

    Parameters
    ----------
    columns : dict of str to list of str [N]
        "smiles", and "name" where a line has one.
    lines : list of int [N]
        Of the file, from 1.
    notes : list of str
        What was left out.
    """

    columns: dict[str, list[str]]
    lines: list[int]
    notes: list[str]


def read_smi(text: str, name: str) -> SmiRows:
    r"""Cut each line at the first blank or tab into a SMILES and a name.

    Blank lines and those that begin with # are left out, and so is a header such as "SMILES Name".

    Parameters
    ----------
    text : str
        Lines end in \n, \r\n or \r.
    name : str
        The file's, for messages.

    Examples
    --------
    >>> rows = read_smi("SMILES Name\nCCO grain alcohol\n\nO\n", "two.smi")
    >>> rows.columns, rows.lines
    ({'smiles': ['CCO', 'O'], 'name': ['grain alcohol', '']}, [2, 4])
    >>> rows.notes
    ['two.smi: the first line is a header: SMILES Name', 'two.smi: blank lines left out: 1']
    """
    smiles: list[str] = []
    names: list[str] = []
    lines: list[int] = []
    notes = []
    blank = comments = 0
    is_first = True
    contents = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    for number, content in enumerate(contents, start=1):
        match = _LINE.fullmatch(content.strip())
        if match is None:
            blank += 1
        elif content.lstrip().startswith("#"):
            comments += 1
        elif is_first and _HEADER.fullmatch(match[1]):
            notes.append(f"the first line is a header: {' '.join(content.split())}")
            is_first = False
        else:
            smiles.append(match[1])
            names.append(match[2])
            lines.append(number)
            is_first = False
    notes += [f"lines that begin with #, left out: {comments:,}"] if comments else []
    notes += [f"blank lines left out: {blank:,}"] if blank else []
    columns = {"smiles": smiles, **({"name": names} if any(names) else {})}
    return SmiRows(columns, lines, [f"{name}: {note}" for note in notes])
