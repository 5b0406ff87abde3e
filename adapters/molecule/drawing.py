"""The encoding `drawing`: molecules as chemists draw them, in colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D
from rdkit.Geometry import Point3D
from torch import nn

from cnnkit.adapters.molecule.drawing_renderer import POSES, DrawingRenderer
from cnnkit.adapters.molecule.encoding import RECIPE, Encoded, Place, check_place
from cnnkit.adapters.molecule.layout import lay_out
from cnnkit.cnncore.image import Axis, ImageSpec

COLOURS = ("red", "green", "blue")
FEWEST_PIXELS = 32
OFFSET = 0.25  # Å from the middle of a bond to its outer lines
BLUR = 1.2  # pixels from the middle of a line to the last one that it touches
SHRUNK = 0.99  # of the size; the drawer rounds


class Drawn(NamedTuple):
    """A drawing, and where in it things stand.

    Parameters
    ----------
    ink : uint8 array [pixels, pixels, 3]
        255 minus red, green and blue: paper is 0.
    atoms : float64 array [atoms, 2]
        x and y in pixels from the corner at the upper left.
    scale : float
        Below 1: the molecule was shrunk to fit.
    """

    ink: NDArray[np.uint8]
    atoms: NDArray[np.float64]
    scale: float


@dataclass(frozen=True)
class Drawing:
    """Molecules as RDKit draws them: lines, letters, colours of elements.

    A bond is as long in every drawing, unless the molecule had to be shrunk. Paper is 0, ink up to
    1: white on black, so to say, so that the paper is like the padding around an image.

    | channel | what it holds |
    |---|---|
    | red, green, blue | 1 minus the colour, 0 to 1 |

    Parameters
    ----------
    pixel : float
        Å.
    pixels : int
        In a row and a column; a larger molecule is shrunk.
    augment : bool
        Turn by quarters and mirror in training. That moves pixels and changes none.
    views : int
        Ways to draw each molecule at test time, of which there are eight.

    References
    ----------
    RDKit's MolDraw2DCairo. Cortés-Ciriano & Bender 2019 (KekuleScope) and Zeng et al. 2022
    (ImageMol) train on such drawings.

    Examples
    --------
    >>> (encoded,) = Drawing(pixels=64).encode(["CCO"])
    >>> encoded.values.shape, encoded.remark
    ((64, 192), '')
    """

    pixel: float = 0.25
    pixels: int = 112
    augment: bool = True
    views: int = POSES

    dtype = np.uint8
    version = 1
    recipe = replace(RECIPE, network="audio", learning_rate=2e-3)

    def __post_init__(self) -> None:
        wrong = []
        if not self.pixel > 0:
            wrong.append(f"pixel={self.pixel}: expected Å, more than 0")
        if self.pixels < FEWEST_PIXELS:
            wrong.append(f"pixels={self.pixels}: expected {FEWEST_PIXELS} or more")
        if self.views < 1:
            wrong.append(f"views={self.views}: expected 1 or more")
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def spec(self) -> ImageSpec:
        return ImageSpec(
            COLOURS, Axis("row", pixels=self.pixels), Axis("column", pixels=self.pixels)
        )

    def encode(self, smiles: Sequence[str]) -> list[Encoded]:
        found = []
        for text in smiles:
            drawn = self.draw(Chem.MolFromSmiles(text))
            found.append(
                Encoded(drawn.ink.reshape(self.pixels, -1), (drawn.scale,), self._remark(drawn))
            )
        return found

    def draw(self, mol: Chem.Mol) -> Drawn:
        """Draw a molecule, given in canonical order."""
        mol, places = _with_layout(mol)
        drawer = rdMolDraw2D.MolDraw2DCairo(self.pixels, self.pixels)
        options = cast(Any, drawer.drawOptions())  # RDKit's types of its numbers are wrong
        options.fixedBondLength = 1 / self.pixel
        options.bondLineWidth = 1
        options.padding = 0.02
        options.prepareMolsBeforeDrawing = False
        drawer.DrawMolecule(mol)
        drawer.FinishDrawing()
        with Image.open(io.BytesIO(drawer.GetDrawingText())) as image:
            ink = 255 - np.asarray(image.convert("RGB"))
        points = [drawer.GetDrawCoords(atom) for atom in range(len(places))]
        atoms = np.array([(point.x, point.y) for point in points])
        return Drawn(ink, atoms, self._scale(places, atoms))

    def _scale(self, places: NDArray[np.float64], atoms: NDArray[np.float64]) -> float:
        """Compare the size of the drawing with that of the layout."""
        extent = float(np.ptp(places, axis=0).max())
        if extent == 0:
            return 1.0
        scale = float(np.ptp(atoms, axis=0).max()) * self.pixel / extent
        return scale if scale < SHRUNK else 1.0

    def _remark(self, drawn: Drawn) -> str:
        if drawn.scale == 1.0:
            return ""
        return (
            f"drawn at {drawn.scale:.0%} of its size: it doesn't fit on {self.pixels} x "
            f"{self.pixels} pixels of {self.pixel:g} Å (--set pixels=… holds more)"
        )

    def renderer(self, side: nn.Module | None = None) -> DrawingRenderer:
        return DrawingRenderer(self.pixels, side, augment=self.augment, views=self.views)

    def whole(self) -> DrawingRenderer:
        return DrawingRenderer(self.pixels)

    def place(self, mol: Chem.Mol, row: int, column: int) -> Place:
        check_place(row, column, self.pixels)
        drawn = self.draw(mol)
        reach = OFFSET * drawn.scale / self.pixel + BLUR
        pixel = np.array([column + 0.5, row + 0.5])
        near = np.linalg.norm(drawn.atoms - pixel, axis=1) <= reach
        bonds = []
        for bond in mol.GetBonds():
            ends = drawn.atoms[[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]]
            if _distance(pixel, ends) <= reach:
                bonds.append(bond.GetIdx())
        return Place(np.flatnonzero(near).tolist(), bonds, {"x": column, "y": row})

    def edge_label(self, axis: int, place: int) -> str:
        return str(place)


def _with_layout(mol: Chem.Mol) -> tuple[Chem.Mol, NDArray[np.float64]]:
    """Return a copy that is ready to be drawn, with wedges, and its atoms' places in Å."""
    mol = Chem.Mol(mol)
    places = lay_out(mol)[:, 0]
    conformer = mol.GetConformer()
    for atom, (x, y) in enumerate(places.tolist()):  # fragments have been moved apart
        conformer.SetAtomPosition(atom, Point3D(x, y, 0.0))
    return rdMolDraw2D.PrepareMolForDrawing(mol, addChiralHs=False), places


def _distance(point: NDArray[np.float64], ends: NDArray[np.float64]) -> float:
    """Return the distance of a point from the line between two ends."""
    along = ends[1] - ends[0]
    square = float(along @ along)
    share = float(np.clip((point - ends[0]) @ along / square, 0, 1)) if square else 0.0
    return float(np.linalg.norm(ends[0] + share * along - point))
