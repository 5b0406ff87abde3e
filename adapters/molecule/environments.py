"""Kinds of surroundings of atoms, so that RDKit is asked once for each kind.

What RDKit says of an atom follows from its symbol in the SMILES, from its bonds, and from what is
near it. RDKit's sources (Crippen.txt, MolSurf.cpp, ConjugHybrid.cpp) tell how far that goes.

`describe_atoms`:

- Hydrogens, charge, aromatic: the symbol and the orders of its bonds.
- Surface, polar surface: also the elements of the neighbours, and whether it is in a ring of three.
- logP, molar refractivity: of a neighbour its element, charge, and whether it is aromatic. Only
  the patterns for oxygen, and hydrogen on it, go on: they ask for the bonds and hydrogens of the
  neighbour, and for elements two bonds away, as `[#1]OC=[#6,#7,O,S]` does. None of these is for
  oxygen with two single bonds.

`hybrids_of`: the bonds of the atom decide, unless it has a lone pair to lend to a neighbour with a
multiple bond. Then both ends of that bond must be able to conjugate: their symbols and bonds tell,
for the second row of the periodic table the symbol alone. Carbon has no lone pair, halogens lend
none, aromatic atoms are sp2 anyway. From the third row on, an atom may have a lone pair and a
multiple bond itself: then all of its neighbours' neighbours count.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cnnkit.adapters.molecule.bonds import UNUSUAL, Bonds, starts

UNCLEAR = "@?"  # the symbol of an atom of which the SMILES doesn't tell all

# Symbols by what they are told by: their bonds and neighbours' elements; these, and what they lend
# a lone pair to; the same, and for oxygen that isn't between two bonds what is behind the
# neighbours; the same as the second, and for multiple bonds what is behind the neighbours.
_PLAIN, _LENDING, _OXYGEN, _CHARGED_OXYGEN, _HEAVY = range(5)

UInt64Array = NDArray[np.uint64]

_SYMBOL = re.compile(r"\[[^]]*\]|Br|Cl|[BCNOPSFIbcnops*]")
_STEREO_CARBON = re.compile(r"\[C@+H?\]")
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)
_SHIFT = np.uint64(31)


def symbols_of(mol: Chem.Mol, smiles: str) -> list[str]:
    """Return the symbol of each atom of a molecule that was made from a canonical SMILES.

    Examples
    --------
    >>> symbols_of(Chem.MolFromSmiles("C[C@H](Cl)c1c[nH]cc1"), "C[C@H](Cl)c1c[nH]cc1")
    ['C', '[C@H]', 'Cl', 'c', 'c', '[nH]', 'c', 'c']
    """
    symbols = _SYMBOL.findall(smiles)
    n = mol.GetNumAtoms()
    if len(symbols) != n or UNUSUAL.search(smiles):  # hydrogens left out; bonds with a direction
        return [UNCLEAR] * n
    return symbols


class Environments(NamedTuple):
    """Numbers of the kinds of surroundings of atoms.

    Parameters
    ----------
    description, hybrid : uint64 array [atoms]
        What decides on `describe_atoms` and `hybrids_of`. 0 for all atoms of molecules that only
        RDKit can describe.
    """

    description: UInt64Array
    hybrid: UInt64Array


def environments_of(symbols: Sequence[Sequence[str]], bonds: Bonds) -> Environments:
    """Number the kinds of surroundings of atoms, by hashes that know no order of neighbours.

    Parameters
    ----------
    symbols : sequence of sequence of str
        Of the atoms of each molecule, from canonical SMILES.
    bonds : Bonds

    Examples
    --------
    >>> from cnnkit.adapters.molecule.bonds import bonds_of
    >>> smiles = ["CCCCC", "CCO"]
    >>> mols = [Chem.MolFromSmiles(text) for text in smiles]
    >>> symbols = [symbols_of(mol, text) for mol, text in zip(mols, smiles, strict=True)]
    >>> numbers = environments_of(symbols, bonds_of(mols, smiles)).description.tolist()
    >>> [numbers.index(number) for number in numbers]
    [0, 1, 1, 1, 0, 0, 6, 7]
    """
    own, element, aromatic, second_row, reach = _symbol_table(symbols)
    degree = np.bincount(bonds.first, minlength=len(own))
    ends = np.cumsum(degree)
    orders = _mixed(bonds.order.view(np.uint64))
    multiple = bonds.order > 1

    def neighbours(numbers: UInt64Array) -> UInt64Array:
        """Number the bonds by their order and the number of the atom at the other end."""
        return _mixed(numbers[bonds.second] + orders)

    def around(seen: UInt64Array) -> UInt64Array:
        """Number the atoms by their symbol and the numbers of their bonds."""
        sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(seen, dtype=np.uint64)])
        return _mixed(own * _FACTORS[0] + sums[ends] - sums[ends - degree])

    by_bonds = around(orders)
    by_elements = around(neighbours(element))
    # An atom of the second row can conjugate if it has a multiple bond; others need a look.
    partner = np.where(second_row == 1, element, by_bonds)
    by_lending = around(neighbours(around(np.where(multiple, neighbours(partner), orders))))
    far_oxygen = (reach == _CHARGED_OXYGEN) | ((reach == _OXYGEN) & (degree <= 1))
    inner_multiple = np.zeros(len(own), dtype=bool)
    inner_multiple[bonds.first[multiple & (degree[bonds.second] > 1)]] = True
    far_heavy = (reach == _HEAVY) & inner_multiple
    description = np.where(far_oxygen, around(neighbours(by_elements)), by_elements)
    description += bonds.in_triangle
    hybrid = np.where(far_heavy, around(neighbours(by_lending)), by_lending)
    hybrid = np.where(reach == _PLAIN, by_bonds, hybrid)

    # Small letters must be the aromatic atoms; else the hydrogens of some nitrogens are unclear.
    is_aromatic = np.zeros(len(own), dtype=np.uint64)
    is_aromatic[bonds.first[bonds.order == 1.5]] = 1
    sizes = np.array([len(found) for found in symbols])
    unclear = np.logical_or.reduceat(aromatic != is_aromatic, starts(sizes))
    clear = np.repeat(~unclear, sizes)
    return Environments(description * clear, hybrid * clear)


def _symbol_table(symbols: Sequence[Sequence[str]]) -> UInt64Array:
    """Return what `_read_symbol` says about each atom, uint64 [5, atoms]."""
    every = [symbol for found in symbols for symbol in found]
    places = {symbol: place for place, symbol in enumerate(dict.fromkeys(every))}
    table = np.array([_read_symbol(symbol) for symbol in places], dtype=np.uint64)
    return table[[places[symbol] for symbol in every]].T


@lru_cache(maxsize=4096)
def _read_symbol(symbol: str) -> tuple[int, int, int, int, int]:
    """Return numbers of the symbol and of the element with charge, aromatic, second row, reach."""
    # A stereocentre of carbon has four neighbours, so the symbol need not count its hydrogens.
    own = "C" if _STEREO_CARBON.fullmatch(symbol) else symbol.replace("@", "")
    charged = re.sub(r"(?<=.)H\d*", "", own.strip("[]"))
    found = re.search(r"[A-Z][a-z]?|[a-z]+|\*", charged)
    element = found.group() if found else "?"
    aromatic = 2 if element in "H?" else int(element.islower())
    if aromatic or own in ("C", "F", "Cl", "Br"):
        reach = _PLAIN
    elif element == "O":
        reach = _OXYGEN if own == "O" else _CHARGED_OXYGEN
    else:
        reach = _LENDING if element in ("B", "C", "N") else _HEAVY
    second_row = int(element.upper() in ("B", "C", "N", "O"))
    return _hash(own), _hash(charged), aromatic, second_row, reach


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mixed(values: UInt64Array) -> UInt64Array:
    """Let every bit depend on all others, as the finaliser of splitmix64 does."""
    values = (values ^ (values >> _SHIFT)) * _FACTORS[1]
    values = (values ^ (values >> _SHIFT)) * _FACTORS[2]
    mixed: UInt64Array = values ^ (values >> _SHIFT)
    return mixed
