"""The signs of a SMILES, as categories, and the atoms and bonds that they stand for.

What stands in brackets is one sign, whose parts are categories of their own: [C@@H] and [C@H] are
the same element with the same hydrogens. So a small fixed vocabulary has room for every atom.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

CHANNELS = ("sign", "hydrogens in brackets", "charge", "handedness")

HEAVIEST = 118  # atomic number
AROMATIC = ("b", "c", "n", "o", "p", "s", "as", "se", "te", "si")
BONDS = ("-", "=", "#", "$", ":", "/", "\\", "~", "->", "<-")
RINGS = tuple(map(str, range(10)))
LONG_RING = "%"  # a ring's number from 10 on; all of them are one category
OTHER = "other"

TOKEN = re.compile(r"\[[^\]]*\]|Br|Cl|%\d\d|%\(\d+\)|->|<-|.", re.DOTALL)
BRACKET = re.compile(
    r"\[\d*(?P<symbol>\*|[A-Za-z][a-z]?)"
    r"(?P<hand>@(?:@|[A-Z]{2}\d+)?)?(?P<hydrogens>H\d*)?(?P<charge>[+-]+\d*)?(?::\d+)?\]"
)
RING = re.compile(r"\d|%\d\d|%\(\d+\)")
MOST_HYDROGENS = 4
MOST_CHARGE = 4


class Meaning(NamedTuple):
    """What a sign stands for.

    Parameters
    ----------
    atoms : list of int
        The number of an atom, from 0 in the order of the SMILES.
    bonds : list of (int, int)
        The atoms of a bond; of a ring's number those of the bond that closes the ring.
    """

    atoms: list[int]
    bonds: list[tuple[int, int]]


def tokens_of(smiles: str) -> list[str]:
    """Cut a SMILES into signs: atoms, bonds, brackets, numbers of rings.

    Examples
    --------
    >>> tokens_of("[NH4+].Clc1ccccc1")
    ['[NH4+]', '.', 'Cl', 'c', '1', 'c', 'c', 'c', 'c', 'c', '1']
    """
    return TOKEN.findall(smiles)


@cache
def vocabulary() -> dict[str, int]:
    """Number the categories of all channels, from 1."""
    table = Chem.GetPeriodicTable()
    elements = [table.GetElementSymbol(number) for number in range(1, HEAVIEST + 1)]
    signs = ("*", *elements, *AROMATIC, *BONDS, "(", ")", ".", *RINGS, LONG_RING)
    hydrogens = [f"H{count}" for count in range(1, MOST_HYDROGENS + 1)]
    charges = [f"{charge:+}" for charge in range(-MOST_CHARGE, MOST_CHARGE + 1) if charge]
    categories = (OTHER, *signs, *hydrogens, *charges, "@", "@@")
    return {category: number for number, category in enumerate(categories, 1)}


@cache
def categories_of(token: str) -> tuple[int, ...]:
    """Describe a sign on each channel; 0: nothing to say.

    More than four hydrogens or charges count as four. What isn't known is a category of its own.
    """
    numbers = vocabulary()
    other = numbers[OTHER]
    if not token.startswith("["):
        return numbers.get(LONG_RING if token.startswith("%") else token, other), 0, 0, 0
    found = BRACKET.fullmatch(token)
    if found is None:
        return other, 0, 0, 0
    hydrogens = min(_count(found["hydrogens"], "H"), MOST_HYDROGENS)
    sign = -1 if "-" in (found["charge"] or "") else 1
    charge = sign * min(_count(found["charge"], "+-"), MOST_CHARGE)
    return (
        numbers.get(found["symbol"], other),
        numbers[f"H{hydrogens}"] if hydrogens else 0,
        numbers[f"{charge:+}"] if charge else 0,
        numbers.get(found["hand"], other) if found["hand"] else 0,
    )


def encode(tokens: Sequence[str]) -> NDArray[np.uint8]:
    """Describe the signs of a SMILES, uint8 [signs, 4]."""
    return np.array([categories_of(token) for token in tokens], dtype=np.uint8)


def meanings(tokens: Sequence[str]) -> list[Meaning]:
    """Say which atoms and bonds the signs of a SMILES stand for.

    Examples
    --------
    >>> [meaning.bonds for meaning in meanings(tokens_of("C1=CC1"))]
    [[], [(0, 2)], [(0, 1)], [], [], [(0, 2)]]
    """
    found = [Meaning([], []) for _ in tokens]
    branches: list[int | None] = []
    open_rings: dict[str, tuple[int, list[Meaning]]] = {}
    before: int | None = None
    atom, bond_signs = 0, list[Meaning]()
    for token, meaning in zip(tokens, found, strict=True):
        if token == "(":
            branches.append(before)
        elif token == ")":
            before = branches.pop()
        elif token == ".":
            before = None
        elif token in BONDS:
            bond_signs.append(meaning)
        elif RING.fullmatch(token):
            number, here = token.strip("%()"), int(before or 0)
            signs = [*bond_signs, meaning]
            if number in open_rings:
                there, opened = open_rings.pop(number)
                _join(there, here, [*opened, *signs])
            else:
                open_rings[number] = here, signs
            bond_signs = []
        else:
            meaning.atoms.append(atom)
            if before is not None:
                _join(before, atom, bond_signs)
            before, atom, bond_signs = atom, atom + 1, []
    return found


def _join(first: int, second: int, signs: Sequence[Meaning]) -> None:
    for meaning in signs:
        meaning.bonds.append((first, second))


def _count(text: str | None, sign: str) -> int:
    """Read how many "H3", "+2" or "--" says."""
    if not text:
        return 0
    number = text.lstrip(sign)
    return int(number) if number else len(text)
