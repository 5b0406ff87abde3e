"""The encoding `grid`: atoms and bonds of a drawing in Å, on a channel for each of their kinds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from rdkit import Chem
from torch import nn

from cnnkit.adapters.molecule.encoding import RECIPE, Encoded, Place, check_place
from cnnkit.adapters.molecule.layout import lay_out
from cnnkit.adapters.molecule.points import CHANNELS, FARTHEST, PLACE_UNIT, fitted, points_of
from cnnkit.adapters.molecule.renderer import CANVAS, SAMPLES, GridRenderer
from cnnkit.cnncore.image import Axis, ImageSpec


@dataclass(frozen=True)
class Grid:
    """Molecules as typed points on a grid, which the network sees turned and mirrored.

    Parameters
    ----------
    pixel : float
        Å.
    pixels : int
        In a row and a column; a larger molecule is shrunk.
    layouts : int
        Drawings of each molecule, of which training takes one at random.
    augment : bool
    views : int
        Ways to draw each molecule at test time.
    """

    pixel: float = 1.0
    pixels: int = 32
    layouts: int = 4
    augment: bool = True
    views: int = 8

    dtype = np.int16
    version = 2
    recipe = replace(RECIPE, network="molecule")

    def __post_init__(self) -> None:
        wrong = []
        if not 0 < self.pixel * self.pixels / 2 <= FARTHEST:
            widest = 2 * FARTHEST
            wrong.append(f"pixel={self.pixel} x pixels={self.pixels}: expected 0 to {widest:g} Å")
        if self.pixels < CANVAS or self.pixels % CANVAS:
            wrong.append(f"pixels={self.pixels}: expected a multiple of {CANVAS}")
        for name in ("layouts", "views"):
            if getattr(self, name) < 1:
                wrong.append(f"{name}={getattr(self, name)}: expected 1 or more")
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def spec(self) -> ImageSpec:
        return ImageSpec(CHANNELS, Axis("y", "Å", self.pixel), Axis("x", "Å", self.pixel))

    def encode(self, smiles: Sequence[str]) -> list[Encoded]:
        widest = (self.pixels - 1) * self.pixel
        return [
            Encoded(points.values, (points.atoms, points.scale), self._remark(points.scale))
            for points in points_of(smiles, self.layouts, widest)
        ]

    def _remark(self, scale: float) -> str:
        if scale == 1.0:
            return ""
        widest = (self.pixels - 1) * self.pixel
        enough = math.ceil((widest / scale / self.pixel + 1) / CANVAS) * CANVAS
        hint = f" (--set pixels={enough} holds it)"
        if enough * self.pixel / 2 > FARTHEST:
            hint = f"; {2 * FARTHEST:g} Å are the most that one can hold"
        return (
            f"drawn at {scale:.0%} of its size: it is {widest / scale:.0f} Å wide, and the grid "
            f"holds {widest:.0f} Å{hint}"
        )

    def renderer(self, side: nn.Module | None = None) -> GridRenderer:
        return GridRenderer(self.pixel, self.layouts, side, augment=self.augment, views=self.views)

    def whole(self) -> GridRenderer:
        return GridRenderer(self.pixel, self.layouts, least=self.pixels)

    def place(self, mol: Chem.Mol, row: int, column: int) -> Place:
        check_place(row, column, self.pixels)
        widest, middle = (self.pixels - 1) * self.pixel, (self.pixels - 1) / 2
        drawn, _ = fitted(lay_out(mol, self.layouts), np.array([mol.GetNumAtoms()]), widest)
        places = drawn[:, 0] * (PLACE_UNIT / self.pixel) + middle
        pixel = np.array([column, row])
        atoms = np.flatnonzero((np.abs(places - pixel) < 1).all(axis=1)).tolist()
        bonds = []
        for bond in mol.GetBonds():
            one, other = places[bond.GetBeginAtomIdx()], places[bond.GetEndAtomIdx()]
            drawn = np.array([one * (1 - share) + other * share for share in SAMPLES])
            if (np.abs(drawn - pixel) < 1).all(axis=1).any():
                bonds.append(bond.GetIdx())
        where = {"x": (column - middle) * self.pixel, "y": (row - middle) * self.pixel}
        return Place(atoms, bonds, where)

    def edge_label(self, axis: int, place: int) -> str:
        return f"{(place - (self.pixels - 1) / 2) * self.pixel:.1f} Å"
