"""Tells SMILES from other texts, to find their column in a table."""

from __future__ import annotations

import re

from rdkit import Chem, rdBase

_LONGEST = 4000  # letters; a protein of 200 amino acids has about 3,500
_ALPHABET = re.compile(r"[A-Za-z\[*][A-Za-z0-9@+\-\[\]()\\/%=#$:.*~]+")
_SYMBOLS = re.compile(r"Cl|Br|[A-Za-z]")
# What words, codes and formulae seldom have: double bonds, branches, brackets, numbered rings.
_STRUCTURE = re.compile(r"[=#()\[\]*]|[A-Za-z\])]\d")


def looks_like_smiles(value: str) -> bool:
    """Tell a SMILES with more than one heavy atom from words, names, codes, numbers and formulae.

    A chain of plain letters, such as CCO, needs three atoms, at least two of them carbon and at
    least half: CN, NO, US, COIN and CNS are words, too. Names may follow the SMILES.

    Parameters
    ----------
    value : str

    Examples
    --------
    >>> [looks_like_smiles(text) for text in ("CCO", "c1ccccc1O phenol", "[Na+].[Cl-]")]
    [True, True, True]
    >>> [looks_like_smiles(text) for text in ("CC", "COOH", "Pt", "BACE_1", "C6H12O6", "0.5")]
    [False, False, False, False, False, False]
    """
    first = value.split(maxsplit=1)[0] if value.strip() else ""
    if len(first) > _LONGEST or not _ALPHABET.fullmatch(first):
        return False
    if not _STRUCTURE.search(first) and not _is_chain(first):
        return False
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(first)
    return mol is not None and mol.GetNumHeavyAtoms() > 1


def _is_chain(text: str) -> bool:
    symbols = _SYMBOLS.findall(text)
    carbons = symbols.count("C")
    return len(symbols) >= 3 and carbons >= 2 and 2 * carbons >= len(symbols)
