"""Texts to molecules: SMILES, InChI and MOL blocks, or the reason why there is none.

RDKit says why it can't read a text only in its log. So the log is silenced for every text, and a
text that failed is read once more with the log caught.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import rdinchi

from cnnkit.adapters.errors import did_you_mean
from cnnkit.adapters.molecule.repairs import largest_part, name_parts, plain_letters, tidy

Salts = Literal["keep", "largest", "refuse"]

MISSING = ("", "nan", "na", "n/a", "#n/a", "<na>", "none", "null")
EXPECTED = "expected a SMILES, an InChI or a MOL block"
LETTERS_PER_ATOM = 40  # of a SMILES or an InChI; RDKit takes minutes for a million brackets
BLOCK_LETTERS_PER_ATOM = 1000  # of a MOL block: lines for the atom, its hydrogens and its bonds
MOST_PARTS = 100  # compared for the largest one, which takes as long as their number squared
HINTS = {
    "explicit valence": "correct its bonds or its charge",
    "can't kekulize": "an aromatic ring lacks a hydrogen, as in [nH], or a charge",
    "non-ring atom": "small letters are for atoms of aromatic rings",
    "unclosed ring": "the number of a ring must stand at both of its ends",
}

NEEDS_TIDYING = re.compile(r"\[[\dH#]|:\d")  # isotopes, hydrogens, atom maps
V3000_COUNTS = re.compile(r"^M  V30 COUNTS +(\d+) +(\d+)", re.MULTILINE)
COUNTS_LINE = re.compile(r"^[ \d]{6}.*V[23]000", re.MULTILINE)
BLOCK_END = re.compile(r"^(?:M  END|\$\$\$\$)", re.MULTILINE)
SMARTS_ONLY = re.compile(r"[,;&!]|\$\(")
INCHI_KEY = re.compile(r"[A-Z]{14}-[A-Z]{10}-[A-Z]")
INCHI_ERROR = re.compile(r"^Structure: \d+ (.*[Ee]rror.*)$", re.MULTILINE)
LOG_PREFIX = re.compile(r"^(\[[\d:]+\] )?((SMILES Parse Error|ERROR): )?", re.MULTILINE)
LOG_PLACE = re.compile(r"around position (\d+)")
LOG_ECHO = re.compile(r" (?:while parsing|for input): .*")  # of the whole text

# RDKit's logs belong to the process; while it works it holds the GIL, so waiting costs nothing.
LOGS = threading.Lock()


class UnreadableMolecule(ValueError):  # noqa: N818 - it is the item that is at fault
    """A text that gives no molecule. The reason begins with empty, invalid or unsupported."""


@dataclass(frozen=True)
class Parsing:
    """How molecules are read.

    Parameters
    ----------
    max_atoms : int
        Heavy atoms of the largest molecule that is accepted.
    salts : {'keep', 'largest', 'refuse'}
        What becomes of a text with several parts: all are kept, only the part with the most heavy
        atoms is, or the text is refused.
    ignore_stereo : bool
        Leave out which mirror image and which side of a double bond is meant.

    Raises
    ------
    ValueError
        If `max_atoms` is less than 1, or `salts` is none of the three words.
    """

    max_atoms: int = 200
    salts: Salts = "keep"
    ignore_stereo: bool = False

    def __post_init__(self) -> None:
        if self.max_atoms < 1:
            raise ValueError(f"max_atoms is {self.max_atoms}; expected 1 or more")
        if self.salts not in get_args(Salts):
            near = did_you_mean(str(self.salts), get_args(Salts))
            raise ValueError(f"salts is {self.salts!r}; expected keep, largest or refuse.{near}")


@dataclass(frozen=True)
class Molecule:
    """A molecule as it is drawn.

    Parameters
    ----------
    mol : Mol
        Sanitised, without explicit hydrogens, isotopes, atom maps and coordinates, with stereo
        assigned; atoms in the order of the text.
    smiles : str
        Its canonical isomeric SMILES.
    notes : tuple of str
        What was repaired or left out.
    """

    mol: Chem.Mol
    smiles: str
    notes: tuple[str, ...] = ()


def read_again(molecule: Molecule) -> Chem.Mol:
    """Read the canonical SMILES of a molecule, whose order of atoms drawings have.

    Raises
    ------
    UnreadableMolecule
        If RDKit can't read what it wrote.
    """
    with rdBase.BlockLogs():
        canonical = Chem.MolFromSmiles(molecule.smiles)
    if canonical is None:
        raise UnreadableMolecule(unreadable_again(molecule.smiles))
    return canonical


def unreadable_again(smiles: str) -> str:
    """Say that a canonical SMILES is none."""
    return f"unsupported: RDKit writes it as {smiles!r}, but can't read that again"


def is_mol_block(text: str) -> bool:
    r"""Say whether a text is a MOL block or an SDF record, whole or not.

    Examples
    --------
    >>> is_mol_block("CCO"), is_mol_block("\n\n\n  0  0  0     0  0            999 V3000")
    (False, True)
    """
    lines = "\n" in text or "\r" in text
    return lines and ("V2000" in text or "V3000" in text or "M  END" in text)


def parse_molecule(text: str, how: Parsing) -> Molecule:
    """Read one item.

    Parameters
    ----------
    text : str
        A SMILES, maybe with a CXSMILES extension or a name behind a blank; an InChI; a MOL block
        (V2000 or V3000) or a record of an SDF file, whose coordinates give stereo and no more.
    how : Parsing

    Raises
    ------
    UnreadableMolecule
        If it is empty, invalid or unsupported.

    Examples
    --------
    >>> molecule = parse_molecule("OCC ethanol", Parsing())
    >>> molecule.smiles, molecule.notes
    ('CCO', ())
    >>> parse_molecule("[Na+].CC(=O)[O-]", Parsing(salts="largest")).notes
    ('the largest of 2 parts kept; left out: [Na+]',)
    >>> try:
    ...     parse_molecule("C1CC", Parsing())
    ... except UnreadableMolecule as error:
    ...     print(error)
    invalid: unclosed ring; the number of a ring must stand at both of its ends
    """
    if not isinstance(text, str):
        raise UnreadableMolecule(_not_a_text(text))
    with LOGS, rdBase.BlockLogs():
        mol, notes = _read(text, how)
        if how.salts != "keep":
            _refuse_parts(mol, 1 if how.salts == "refuse" else MOST_PARTS)
            mol, left_out = largest_part(mol)
            notes += left_out
        if mol.GetNumAtoms() > how.max_atoms:
            raise UnreadableMolecule(_too_large(mol.GetNumAtoms(), how))
        if how.ignore_stereo:
            Chem.RemoveStereochemistry(mol)
        return Molecule(mol, Chem.MolToSmiles(mol), tuple(notes))


def _not_a_text(value: Any) -> str:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return f"empty: found {value}; {EXPECTED}"
    advice = "; decode it" if isinstance(value, bytes) else ""
    return f"invalid: found a value of type {type(value).__name__}; {EXPECTED} as text{advice}"


def _read(text: str, how: Parsing) -> tuple[Chem.Mol, list[str]]:
    if is_mol_block(text):
        return _tidy(_read_block(text, how), [])
    words = text.split(maxsplit=1)
    if not words or (len(words[0]) <= 5 and text.strip().lower() in MISSING):
        raise UnreadableMolecule(f"empty: found {text[:20]!r}; {EXPECTED}")
    if len(words) > 1 and len(text.strip().splitlines()) > 1:
        raise UnreadableMolecule(
            "invalid: found several lines, but none that says V2000 or V3000; expected one SMILES "
            "or InChI an item, or a whole MOL block"
        )
    _refuse_long(len(words[0]), LETTERS_PER_ATOM, how)
    smiles, notes = _plain(words[0])
    if smiles.startswith("InChI="):
        mol, warnings = _read_inchi(smiles)
        return _tidy(mol, [*notes, "read from InChI", *warnings])
    if len(words) > 1 and words[1].startswith("|"):
        mol, left_out = _read_extended(smiles, words[1], how)
        return _tidy(mol, notes + left_out)
    mol = _read_smiles(smiles, how)
    return _tidy(mol, notes) if NEEDS_TIDYING.search(smiles) else (mol, notes)


def _plain(smiles: str) -> tuple[str, list[str]]:
    if smiles.isascii() and "\0" not in smiles:
        return smiles, []
    plain, notes = plain_letters(smiles)
    for place, letter in enumerate(plain, 1):
        if not letter.isascii() or letter == "\0":
            raise UnreadableMolecule(
                f"invalid: letter {place} is {letter!a}, which no SMILES has; {EXPECTED}"
            )
    return plain, notes


def _tidy(mol: Chem.Mol, notes: list[str]) -> tuple[Chem.Mol, list[str]]:
    if mol.GetNumAtoms() == 0:
        raise UnreadableMolecule(f"empty: found a molecule without atoms; {EXPECTED}")
    try:
        mol, tidied = tidy(mol)
    except Chem.MolSanitizeException as error:  # chains of hydrogens
        raise UnreadableMolecule(_chemistry(str(error))) from error
    if mol.GetNumAtoms() == 0:
        raise UnreadableMolecule(
            "unsupported: found only hydrogen; expected at least one other atom to draw"
        )
    if any(atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()):
        raise UnreadableMolecule(
            "unsupported: found a hydrogen between two atoms, which can't be drawn as a part of "
            "one of them; leave the hydrogen or the molecule out"
        )
    return mol, notes + tidied


def _read_smiles(smiles: str, how: Parsing) -> Chem.Mol:
    if len(smiles) > how.max_atoms:  # so it may be large: look before all the rest is worked out
        _refuse_large(Chem.MolFromSmiles(smiles, sanitize=False), how)
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise UnreadableMolecule(_why_no_smiles(smiles))
    return mol


def _read_extended(smiles: str, extension: str, how: Parsing) -> tuple[Chem.Mol, list[str]]:
    mol = _read_smiles(smiles, how)
    if len(extension) <= LETTERS_PER_ATOM * how.max_atoms:
        extended = Chem.MolFromSmiles(f"{smiles} {extension}")
        if extended is not None:
            return extended, []
    return mol, ["what follows the SMILES is no CXSMILES extension that RDKit can read: left out"]


def _read_inchi(inchi: str) -> tuple[Chem.Mol, list[str]]:
    try:
        mol, _, warning, log = rdinchi.InchiToMol(inchi)
    except Chem.MolSanitizeException as error:
        raise UnreadableMolecule(_chemistry(str(error))) from error
    if mol is None:
        found = INCHI_ERROR.search(log)
        reason = (found.group(1) if found else warning.strip("* ")) or "no reason given"
        raise UnreadableMolecule(
            f"invalid: the InChI library can't read it ({reason}); expected a whole InChI=1S/…, "
            "or give a SMILES"
        )
    return mol, [f"InChI with a warning: {warning.strip()}"] if warning.strip() else []


def _read_block(text: str, how: Parsing) -> Chem.Mol:
    block = _plain_block(text)
    _refuse_long(len(block), BLOCK_LETTERS_PER_ATOM, how)
    _refuse_missing_lines(block)
    mol = Chem.MolFromMolBlock(block)
    if mol is None:
        raise UnreadableMolecule(_why_no_block(block))
    return mol


def _plain_block(text: str) -> str:
    """Cut a record to its MOL block, with a blank title, even where strip() took the title away."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    counts = COUNTS_LINE.search(lines)
    if counts is not None:
        header = lines[: counts.start()].split("\n")[:-1]
        lines = "\n".join(["", "", "", *header][-3:]) + "\n" + lines[counts.start() :]
    lines = lines[lines.find("\n") :]
    end = BLOCK_END.search(lines)
    if end is not None:
        lines = lines[: end.start()] + ("M  END\n" if end.group() == "M  END" else "")
    return lines.encode("ascii", "replace").decode().replace("\0", "?")


def _refuse_long(letters: int, per_atom: int, how: Parsing) -> None:
    if letters > per_atom * how.max_atoms:
        raise UnreadableMolecule(
            f"unsupported: found {letters} letters, far more than {how.max_atoms} heavy atoms "
            "take; leave it out, or raise max_atoms (--max-atoms)"
        )


def _refuse_missing_lines(block: str) -> None:
    """Look before RDKit takes memory for every atom and bond that the block announces."""
    counts = V3000_COUNTS.search(block)
    if counts is not None:
        announced, lines = sum(map(int, counts.groups())), block.count("\n")
        if announced > lines:
            raise UnreadableMolecule(
                f"invalid: the MOL block announces {announced} atoms and bonds, but has {lines} "
                "lines; expected the whole record, up to 'M  END'"
            )


def _refuse_large(mol: Chem.Mol | None, how: Parsing) -> None:
    if mol is None:
        return
    parts = Chem.GetMolFrags(mol) if how.salts == "largest" else (range(mol.GetNumAtoms()),)
    elements = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    atoms = max(sum(elements[index] > 1 for index in part) for part in parts)
    if atoms > how.max_atoms:
        raise UnreadableMolecule(_too_large(atoms, how))


def _too_large(atoms: int, how: Parsing) -> str:
    return (
        f"unsupported: found {atoms} heavy atoms; expected at most {how.max_atoms}; leave it out, "
        "or raise max_atoms (--max-atoms)"
    )


def _refuse_parts(mol: Chem.Mol, most: int) -> None:
    if len(Chem.GetMolFrags(mol)) > most:
        parts = Chem.MolToSmiles(mol).split(".")
        raise UnreadableMolecule(
            f"unsupported: found {len(parts)} parts: {name_parts(parts)}; expected at most {most}; "
            "leave it out, or choose other salts (--salts keep|largest)"
        )


def _why_no_smiles(smiles: str) -> str:
    without_arrows = smiles.replace("->", "")
    if without_arrows.count(">") == 2:
        return "unsupported: found a reaction; expected one molecule: give a column of products"
    if INCHI_KEY.fullmatch(smiles):
        return (
            "unsupported: found an InChIKey, which can't be turned back; give the SMILES or InChI"
        )
    log = _caught_log(lambda: Chem.MolFromSmiles(smiles))
    message = LOG_ECHO.sub("", LOG_PREFIX.sub("", log)).partition("\n")[0]
    place = LOG_PLACE.search(log)
    if place is None:
        return _chemistry(message)
    if SMARTS_ONLY.search(smiles) and Chem.MolFromSmarts(smiles) is not None:
        return "unsupported: found a SMARTS pattern; expected one molecule as a SMILES"
    letter = int(place.group(1))
    bracket = ", a bracket isn't closed" if smiles.count("[") > smiles.count("]") else ""
    return (
        f"invalid: no SMILES: {message} at letter {letter}, "
        f"{smiles[letter - 1 : letter]!r}{bracket}; {EXPECTED}"
    )


def _why_no_block(block: str) -> str:
    def read() -> None:
        records = Chem.SDMolSupplier()
        records.SetData(block)
        next(records, None)

    lines = LOG_PREFIX.sub("", _caught_log(read)).split("\n")
    if "****" in lines:  # a violated condition: its name, what was found, and a stack
        return f"invalid: the MOL block can't be read: {lines[lines.index('****') + 2]}"
    message = lines[0]
    if any(line.startswith("Could not sanitize") for line in lines):
        return _chemistry(message)
    return (
        f"invalid: the MOL block can't be read: {message or 'it ends too early'}; expected the "
        "whole record, up to 'M  END'"
    )


def _chemistry(message: str) -> str:
    words = " ".join(message.split()) or "no reason given by RDKit"
    reason = words[0].lower() + words[1:]
    counted = " (RDKit counts atoms from 0)" if "atom" in reason else ""
    hint = next((f"; {hint}" for start, hint in HINTS.items() if start in reason), "")
    return f"invalid: {reason}{counted}{hint}"


def _caught_log(read: Callable[[], object]) -> str:
    with rdBase.CaptureErrorLog() as caught:
        read()
    return cast(str, caught.messages)
