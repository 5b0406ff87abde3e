"""The molecule adapter: SMILES, InChI and SDF records as images of atoms and bonds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rdkit import Chem
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from cnnkit.adapters.base import Adapter
from cnnkit.adapters.errors import did_you_mean
from cnnkit.adapters.molecule.baseline import BASELINE_NAME, make_baseline
from cnnkit.adapters.molecule.demo import DEMO_SOURCE, make_demo_molecules
from cnnkit.adapters.molecule.detection import looks_like_smiles
from cnnkit.adapters.molecule.drawing import Drawing
from cnnkit.adapters.molecule.encoding import Encoding
from cnnkit.adapters.molecule.encodings import (
    ENCODINGS,
    check_version,
    make_encoding,
    size_of,
)
from cnnkit.adapters.molecule.parsing import (
    Molecule,
    Parsing,
    Salts,
    UnreadableMolecule,
    is_mol_block,
    parse_molecule,
    read_again,
)
from cnnkit.adapters.molecule.reading import Reading, read_molecules
from cnnkit.adapters.molecule.repairs import number_in_text
from cnnkit.adapters.molecule.scaffolds import scaffold
from cnnkit.adapters.molecule.side import SIDES, check_side_names, side_names
from cnnkit.adapters.molecule.side_scaling import Scaling, SideScaling, learn_scaling
from cnnkit.cnncore.image import Renderer, Samples

DRAWN_AT_ONCE = 256
PICTURE = Drawing(pixel=0.03, pixels=400)  # for people
LOOKED_AT = 200  # items that are parsed before anything else, to see whether they are molecules


class MoleculeAdapter(Adapter):
    """Turns molecules into images of their drawing, atoms and bonds on channels of their own.

    The x and y of the drawing are ordered: what is close together is bonded. Elements, kinds of
    bonds and contributions have no neighbours, so they are channels. What has no place in a
    picture at all (counts of fragments, descriptors) are side features.

    | channel | what it holds, summed over the points at a pixel |
    |---|---|
    | C, N, O, S, F, Cl, Br, I, P, other element | 1 for each atom |
    | charge, hydrogens / 2 | formal charge; attached hydrogens |
    | aromatic atom, ring atom, sp2, sp | 1 for each such atom |
    | CIP (R +1, S -1) | handedness of a stereo centre |
    | logP, molar refractivity / 3, TPSA / 10, surface / 6 | contribution of the atom |
    | single, double, triple, aromatic, ring bond | 2 for each such bond, at its quarters |

    Parameters
    ----------
    encoding : {"grid", "drawing", "chemception", "smiles"}
        The image: the channels above; an RGB drawing; the four channels of Chemception; or the
        SMILES as a text.
    side : str
        Side features: "none", or some of morgan and descriptors, with commas.
    pixel : float or None
        Å. None: 1 (grid), 0.25 (drawing) or 0.5 (chemception).
    pixels : int or None
        In rows and columns; a larger molecule is shrunk, and said. None: 32 (grid), 112 (drawing)
        or 80 (chemception).
    layouts : int
        Drawings, or SMILES, of each molecule, of which training takes one at random (grid and
        smiles).
    augment : bool
        Turn and mirror molecules in training, or write their SMILES in other orders.
    views : int
        Ways to draw each molecule at test time, whose predictions are averaged; at most 8
        (drawing) or `layouts` (smiles).
    max_atoms : int
        Molecules with more heavy atoms are refused.
    salts : {"keep", "largest", "refuse"}
        What becomes of molecules of several parts.
    ignore_stereo : bool
    n_jobs : int or None
        Processes. None: as many as pay.
    cache : bool
        Keep what was read for the next run.

    Attributes
    ----------
    scaling_columns_, scaling_mean_, scaling_scale_ : arrays [S]
        Side features that are used, and their scale.
    size_ : dict
        Pixel and pixels of the images, which a saved model keeps, whatever the defaults become.
    spec_, recipe_, decided_
        As for every adapter.

    Examples
    --------
    >>> adapter = MoleculeAdapter(side="none", cache=False).fit(["CCO", "c1ccccc1"])
    >>> adapter.transform(["CCO"]).shape
    (1, 26, 32, 32)
    >>> adapter.locate("OCC", row=16, column=14)
    {'x': -1.5, 'y': 0.5, 'atoms': [2], 'bonds': [1]}

    References
    ----------
    Typed points on a grid: as the channels of Goh et al. 2018 ("How Much Chemistry Does a Deep
    Neural Network Need to Know?"), with sub-pixel places instead of nearest pixels. Side features:
    Rogers & Hahn 2010; RDKit's descriptors.
    """

    name = "molecule"
    item_columns = (
        "smiles", "canonical_smiles", "isomeric_smiles", "smi", "mol", "molecule", "structure",
        "inchi",
    )  # fmt: skip
    baseline_name = BASELINE_NAME
    demo_source = DEMO_SOURCE
    split_kinds = ("scaffold", "scaffold-balanced")
    standardised = False

    def __init__(
        self,
        *,
        encoding: str = "grid",
        side: str = "morgan,descriptors",
        pixel: float | None = None,
        pixels: int | None = None,
        layouts: int = 4,
        augment: bool = True,
        views: int = 8,
        max_atoms: int = 200,
        salts: str = "keep",
        ignore_stereo: bool = False,
        n_jobs: int | None = None,
        cache: bool = True,
    ) -> None:
        self.encoding = encoding
        self.side = side
        self.pixel = pixel
        self.pixels = pixels
        self.layouts = layouts
        self.augment = augment
        self.views = views
        self.max_atoms = max_atoms
        self.salts = salts
        self.ignore_stereo = ignore_stereo
        self.n_jobs = n_jobs
        self.cache = cache

    def looks_like_item(self, value: str) -> bool:
        """Say whether a cell of a table holds a molecule."""
        return value.startswith("InChI=") or is_mol_block(value) or looks_like_smiles(value)

    def fit_reading(self, items: Sequence[str], y: ArrayLike | None = None) -> Self:
        """Settle the encoding, and look whether some items are molecules.

        Raises
        ------
        ValueError
            If a parameter is wrong, or none of the first items is a molecule.
        TypeError
            If the items are a single text.
        """
        _refuse_text(items)
        self.size_: dict[str, Any] = {}  # an earlier fit has no say
        encoding, parsing = self._encoding(), self._parsing()
        sides = self._sides()
        self._look_at(items[:LOOKED_AT], parsing)
        self.size_, self.encoding_version_ = size_of(encoding), encoding.version
        self.side_names_ = list(side_names(sides))
        self.spec_ = replace(encoding.spec, side=tuple(self.side_names_))
        self.recipe_ = encoding.recipe
        self.decided_ = [f"encoding: {self.encoding}", f"side: {', '.join(sides) or 'none'}"]
        return self

    def _look_at(self, items: Sequence[Any], parsing: Parsing) -> None:
        reason = ""
        for item in items:
            try:
                parse_molecule(item, parsing)
            except UnreadableMolecule as error:
                reason = reason or f"; the first, {str(item)[:40]!r}: {error}"
            else:
                return
        if items:
            raise ValueError(f"none of the first {len(items):,} items is a molecule{reason}")
        raise ValueError("there are no items to learn from")

    def read(self, items: Sequence[str]) -> Samples:
        """Parse, lay out and describe molecules; each gives one sample."""
        check_is_fitted(self, "spec_")
        _refuse_text(items)
        encoding, sides = self._encoding(), self._sides()
        check_version(self.encoding_version_, encoding)
        check_side_names(self.side_names_, sides)
        return read_molecules(
            items,
            Reading(self._parsing(), encoding, sides),
            n_jobs=self.n_jobs,
            cached=self.cache,
        )

    def fit_rendering(self, samples: Samples) -> Self:
        """Learn which side features the training molecules have, and their scales."""
        names = self.side_names_
        side = np.empty((len(samples), 0)) if samples.side is None else samples.side
        is_count = np.array([name.startswith("morgan ") for name in names], dtype=bool)
        scaling = learn_scaling(side, is_count)
        self.scaling_columns_, self.scaling_mean_, self.scaling_scale_ = scaling
        used = tuple(names[column] for column in scaling.columns.tolist())
        self.spec_ = replace(self.spec_, side=used)
        return self

    def renderer(self) -> Renderer:
        """Make the module that draws batches of molecules."""
        check_is_fitted(self, "scaling_columns_")
        scaling = Scaling(self.scaling_columns_, self.scaling_mean_, self.scaling_scale_)
        return self._encoding().renderer(SideScaling(scaling) if self.spec_.side else None)

    def transform(self, items: Sequence[str]) -> NDArray[Any]:
        """Read molecules and draw each on an image of the same size, middle in the middle.

        Returns
        -------
        float32 array [N, C, H, W], or int64 of SMILES
            Of the grid [N, 26, 32, 32]; of SMILES as long as the longest, with 0 behind the others.

        Raises
        ------
        BadItemsError
            If an item is no molecule: every row in must be a row out.
        """
        samples = self.read_all(items)
        whole = self._encoding().whole().eval()
        parts = np.array_split(np.arange(len(samples)), len(samples) // DRAWN_AT_ONCE + 1)
        drawn = [whole(samples[rows].to("cpu")).pixels.numpy() for rows in parts]
        width = max(part.shape[3] for part in drawn)
        pixels = np.zeros((len(samples), *drawn[0].shape[1:3], width), drawn[0].dtype)
        for rows, part in zip(parts, drawn, strict=True):
            pixels[rows, ..., : part.shape[3]] = part
        return pixels

    def locate(self, item: str, row: int, column: int) -> dict[str, Any]:
        """Say which atoms and bonds a pixel of `transform` shows.

        Returns
        -------
        dict
            Of grid and chemception `x`, `y`: the pixel's middle in Å from the middle of the
            molecule; of the drawing in pixels from the upper left; of SMILES `sign`, `position`.
            `atoms`, `bonds`: numbers as RDKit counts them in the item, from 0.

        Raises
        ------
        IndexError
            If the image has no such pixel.
        UnreadableMolecule
            If the item is no molecule.
        """
        molecule = parse_molecule(item, self._parsing())
        canonical = read_again(molecule)
        place = self._encoding().place(canonical, row, column)
        atoms, bonds = numbers_in_text(molecule, canonical)
        return {
            **place.where,
            "atoms": sorted(atoms[atom] for atom in place.atoms),
            "bonds": sorted(bonds[bond] for bond in place.bonds),
        }

    def edge_labels(self, item: str, axis: int, places: Sequence[int]) -> list[str]:
        """Name rows and columns, as by their distance from the middle."""
        encoding = self._encoding()
        return [encoding.edge_label(axis, place) for place in places]

    def fingerprints(self, items: Sequence[str]) -> list[str]:
        """Digest each molecule's canonical SMILES: OCC and CCO are the same."""
        parsing = self._parsing()
        return [_fingerprint(item, parsing) for item in items]

    def families(self, items: Sequence[str]) -> list[str | None]:
        """Name each molecule's scaffold; None where there is no molecule."""
        parsing = self._parsing()
        return [_family(item, parsing) for item in items]

    def picture(self, item: str) -> NDArray[np.uint8] | None:
        """Draw a molecule as chemists do, upright as on the grid; None where there is none."""
        try:
            molecule = read_again(parse_molecule(item, self._parsing()))
        except UnreadableMolecule:
            return None
        ink = PICTURE.draw(molecule).ink
        inked = np.argwhere(ink.any(axis=2))
        (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0) + 1
        return 255 - ink[top:bottom, left:right]

    def baseline(self, task: str = "classification") -> BaseEstimator:
        """Make the forest on Morgan counts that a chemist would try first."""
        return make_baseline(task, self._parsing())

    def demo(self) -> tuple[list[str], list[str]]:
        """Take the measured activities that come with RDKit."""
        return make_demo_molecules()

    def _parsing(self) -> Parsing:
        # `Parsing` itself refuses other words, with a hint.
        return Parsing(self.max_atoms, cast(Salts, self.salts), self.ignore_stereo)

    def _encoding(self) -> Encoding:
        if self.encoding not in ENCODINGS:
            known = ", ".join(ENCODINGS)
            hint = did_you_mean(self.encoding, ENCODINGS)
            raise ValueError(f"encoding={self.encoding!r}: expected {known}.{hint}")
        return make_encoding(self)

    def _sides(self) -> tuple[str, ...]:
        sides = tuple(word.strip() for word in self.side.split(",") if word.strip())
        if "none" in sides or not sides:
            if len(sides) > 1:
                raise ValueError(f"side={self.side!r}: none can't stand beside {', '.join(SIDES)}")
            return ()
        side_names(sides)  # refuses what isn't known
        return sides


def numbers_in_text(molecule: Molecule, canonical: Chem.Mol) -> tuple[list[int], list[int]]:
    """Return the numbers in the text of each atom and each bond of the canonical molecule."""
    Chem.MolToSmiles(molecule.mol)
    known = molecule.mol.GetPropsAsDict(includePrivate=True, includeComputed=True)
    order = [molecule.mol.GetAtomWithIdx(number) for number in known["_smilesAtomOutputOrder"]]
    bonds = [
        molecule.mol.GetBondBetweenAtoms(
            order[bond.GetBeginAtomIdx()].GetIdx(), order[bond.GetEndAtomIdx()].GetIdx()
        )
        for bond in canonical.GetBonds()
    ]
    return [number_in_text(atom) for atom in order], [number_in_text(bond) for bond in bonds]


def _refuse_text(items: Sequence[str]) -> None:
    if isinstance(items, str):
        raise TypeError(f"items: expected a list of molecules, found the text {items[:40]!r}")


def _fingerprint(item: Any, parsing: Parsing) -> str:
    try:
        content = parse_molecule(item, parsing).smiles
    except UnreadableMolecule:
        content = f"unreadable {item!r}"
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _family(item: Any, parsing: Parsing) -> str | None:
    try:
        return scaffold(parse_molecule(item, parsing).mol)
    except UnreadableMolecule:
        return None
