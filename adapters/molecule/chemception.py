"""The encoding `chemception`: the four channels of Goh et al., as deepchem draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdPartialCharges
from torch import nn

from cnnkit.adapters.molecule.chemception_renderer import (
    CHARGE_UNIT,
    COLUMNS,
    ChemceptionRenderer,
)
from cnnkit.adapters.molecule.encoding import RECIPE, Encoded, Place, check_place
from cnnkit.adapters.molecule.layout import lay_out
from cnnkit.adapters.molecule.points import FARTHEST, PLACE_UNIT
from cnnkit.cnncore.image import Axis, ImageSpec, Samples

CHANNELS = ("atomic number or bond order", "Gasteiger charge", "explicit valence", "hybridisation")
FEWEST_PIXELS = 8
MOST = np.iinfo(np.int16).max
NO_CHARGES = (
    "RDKit knows no Gasteiger charges for some of its atoms; their pixels in that channel are 0"
)


@dataclass(frozen=True)
class Chemception:
    """Molecules as deepchem's `SmilesToImage(img_spec="engd")` draws them: one pixel an atom.

    | channel | pixel of an atom | pixel of a bond |
    |---|---|---|
    | atomic number or bond order | atomic number | 1, 2, 3; aromatic 1.5 |
    | Gasteiger charge | partial charge, hydrogens left out | 0 |
    | explicit valence | orders of its bonds, and hydrogens in brackets | 0 |
    | hybridisation | RDKit's number: s 1, sp 2, sp² 3, sp³ 4, … | 0 |

    An atom colours the nearest pixel; a bond colours those of its ends and its thirds, rounded up.
    What is drawn later covers what was there: bonds first, atoms last.

    Parameters
    ----------
    pixel : float
        Å.
    pixels : int
        In a row and a column; a larger molecule is shrunk.
    augment : bool
        Turn molecules by any angle in training.
    views : int
        Ways to draw each molecule at test time: as it is, and turned.

    Notes
    -----
    On a molecule of one part that it can draw, deepchem 2.8 gives the same image, transposed to
    [x, y, channel], from the canonical SMILES; only what lies within 0.001 Å of the border between
    two pixels may be on the other one, for places are kept to 1/512 Å. It differs

    - where a charge isn't known, as of metals: deepchem gives no image, here those charges are 0;
    - for single atoms, and for what doesn't fit: deepchem gives no image, here the molecule is
      drawn, shrunk if need be;
    - for salts: deepchem may draw their parts as close together as bonded atoms, here they are
      3 Å apart, around a common middle;
    - with other pixels than 0.5 Å: deepchem changes the number of points on a bond, here it's four;
    - in training: deepchem turns pixels, which blends atomic numbers; here coordinates are turned.

    References
    ----------
    Goh et al. 2017 (Chemception); Goh et al. 2018, "How Much Chemistry Does a Deep Neural Network
    Need to Know to Make Accurate Predictions?"; deepchem's `SmilesToImage`.

    Examples
    --------
    >>> (encoded,) = Chemception().encode(["CC#N"])
    >>> encoded.values[:, 2].tolist(), encoded.summary  # C, C, N; orders of bonds, doubled
    ([6, 6, 7, 2, 6], (3.0, 1.0))
    """

    pixel: float = 0.5
    pixels: int = 80
    augment: bool = True
    views: int = 8

    dtype = np.int16
    version = 1
    recipe = replace(RECIPE, network="audio", learning_rate=2e-3)

    def __post_init__(self) -> None:
        wrong = []
        if not 0 < self.pixel * self.pixels / 2 <= FARTHEST:
            widest = 2 * FARTHEST
            wrong.append(f"pixel={self.pixel} x pixels={self.pixels}: expected 0 to {widest:g} Å")
        if self.pixels < FEWEST_PIXELS or self.pixels % 2:
            wrong.append(f"pixels={self.pixels}: expected an even number from {FEWEST_PIXELS} on")
        if self.views < 1:
            wrong.append(f"views={self.views}: expected 1 or more")
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def spec(self) -> ImageSpec:
        return ImageSpec(
            CHANNELS,
            Axis("y", "Å", self.pixel, self.pixels),
            Axis("x", "Å", self.pixel, self.pixels),
        )

    @property
    def _radius(self) -> float:
        """Å from the middle that are on the image, however the molecule is turned."""
        return (self.pixels / 2 - 1) * self.pixel

    def encode(self, smiles: Sequence[str]) -> list[Encoded]:
        return [self._encode(Chem.MolFromSmiles(text)) for text in smiles]

    def _encode(self, mol: Chem.Mol) -> Encoded:
        places, scale = self._places(mol)
        properties, known = _properties(mol)
        atoms, bonds = mol.GetNumAtoms(), mol.GetNumBonds()
        values = np.zeros((atoms + bonds, COLUMNS), dtype=np.int16)
        values[:atoms, :2] = np.rint(places / PLACE_UNIT)
        values[:atoms, 2:] = properties
        for row, bond in zip(values[atoms:], mol.GetBonds(), strict=True):
            doubled = round(2 * bond.GetBondTypeAsDouble())
            row[:3] = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), doubled
        remarks = [] if known else [NO_CHARGES]
        if scale < 1:
            remarks.append(
                f"drawn at {scale:.0%} of its size: it reaches {self._radius / scale:.0f} Å from "
                f"its middle, and the image {self._radius:.0f} Å (--set pixels=… holds more)"
            )
        return Encoded(values, (float(atoms), scale), "; ".join(remarks))

    def _places(self, mol: Chem.Mol) -> tuple[NDArray[np.float64], float]:
        places = lay_out(mol)[:, 0]
        places = places - places.mean(axis=0)  # RDKit's own middle, but for salts
        reach = float(np.linalg.norm(places, axis=1).max())
        scale = self._radius / reach if reach > self._radius else 1.0
        return places * scale, scale

    def renderer(self, side: nn.Module | None = None) -> ChemceptionRenderer:
        return ChemceptionRenderer(
            self.pixel, self.pixels, side, augment=self.augment, views=self.views
        )

    def whole(self) -> ChemceptionRenderer:
        return ChemceptionRenderer(self.pixel, self.pixels)

    def place(self, mol: Chem.Mol, row: int, column: int) -> Place:
        check_place(row, column, self.pixels)
        values = self._encode(mol).values
        atoms = mol.GetNumAtoms()
        sample = Samples(
            values,
            offsets=np.array([0, len(values)]),
            items=np.zeros(1, np.int64),
            summary=np.array([[atoms, 1.0]], np.float32),
        )
        shown = self.whole().eval().shown(sample.to(torch.device("cpu")))
        step = int(shown[0, row, column])
        where = {"x": self._angstrom(column), "y": self._angstrom(row)}
        if step < 0:
            return Place([], [], where)
        return Place([step], [], where) if step < atoms else Place([], [step - atoms], where)

    def _angstrom(self, place: int) -> float:
        return (place - self.pixels / 2) * self.pixel

    def edge_label(self, axis: int, place: int) -> str:
        return f"{self._angstrom(place):.1f} Å"


def _properties(mol: Chem.Mol) -> tuple[NDArray[np.int16], bool]:
    """Describe atoms, int16 [atoms, 4], charges in `CHARGE_UNIT`; say whether all are known."""
    rdPartialCharges.ComputeGasteigerCharges(mol)
    charges = np.array([atom.GetDoubleProp("_GasteigerCharge") for atom in mol.GetAtoms()])
    known = np.isfinite(charges)
    units = np.where(known, charges, 0.0) / CHARGE_UNIT
    rows = [
        (
            atom.GetAtomicNum(),
            0,
            atom.GetValence(Chem.ValenceType.EXPLICIT),
            int(atom.GetHybridization()),
        )
        for atom in mol.GetAtoms()
    ]
    properties = np.array(rows, dtype=np.int16)
    properties[:, 1] = np.rint(units).clip(-MOST, MOST)
    return properties, bool(known.all())
