"""Where the atoms of a molecule stand on paper, in Å."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDepictor

GAP = 3.0  # Å between fragments: two bonds, so that no counter-ion looks bonded

Float64Array = NDArray[np.float64]


def lay_out(mol: Chem.Mol, layouts: int = 1) -> Float64Array:
    """Draw a molecule in the plane, several times.

    The first layout depends on the order of the atoms only, so give them in canonical order. The
    others are those of other orders, drawn with a fixed seed; about half of them look the same.

    Parameters
    ----------
    mol : Chem.Mol
        Sanitised, without explicit hydrogens. It gets the first layout as its conformer.
    layouts : int

    Returns
    -------
    float64 array [atoms, layouts, 2]
        x and y in Å.

    References
    ----------
    RDKit's `Compute2DCoords`: bonds of 1.5 Å and angles of 120°, rings as regular polygons.

    Examples
    --------
    >>> places = lay_out(Chem.MolFromSmiles("CC"))
    >>> places.shape, float(np.linalg.norm(places[0] - places[1]).round(3))
    ((2, 1, 2), 1.5)
    """
    drawings = [_compute(mol)]
    if layouts > 1:
        drawings += _redrawn(mol, layouts - 1)
    fragments = Chem.GetMolFrags(mol)
    if len(fragments) > 1:
        drawings = [pack(places, fragments) for places in drawings]
    return np.array(drawings).swapaxes(0, 1)


def _redrawn(mol: Chem.Mol, layouts: int) -> list[Float64Array]:
    rng = np.random.default_rng(0)
    orders = [rng.permutation(mol.GetNumAtoms()) for _ in range(layouts)]
    return [
        _compute(Chem.RenumberAtoms(mol, order.tolist()))[np.argsort(order)] for order in orders
    ]


def _compute(mol: Chem.Mol) -> Float64Array:
    rdDepictor.Compute2DCoords(mol, canonOrient=True)
    places: Float64Array = mol.GetConformer().GetPositions()[:, :2]
    return places


def pack(places: Float64Array, fragments: Sequence[Sequence[int]]) -> Float64Array:
    """Move fragments apart: into rows, the highest first, as near to a square as rows can be.

    Parameters
    ----------
    places : float64 array [atoms, 2]
    fragments : sequence of sequence of int
        The atoms of each.

    Returns
    -------
    float64 array [atoms, 2]
        The boxes around any two fragments, and so their atoms, are at least `GAP` apart.

    Examples
    --------
    >>> pack(np.zeros((4, 2)), [[0], [1], [2], [3]]).tolist()
    [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]]
    """
    boxes = [np.ptp(places[list(fragment)], axis=0) + GAP for fragment in fragments]
    highest_first = sorted(range(len(fragments)), key=lambda number: -boxes[number][1])
    sizes = np.array([boxes[number] for number in highest_first])
    rows = [_rows(sizes, width) for width in np.cumsum(sizes[:, 0])]
    corners = min(rows, key=lambda corners: sorted((corners + sizes).max(axis=0), reverse=True))
    packed = np.empty_like(places)
    for number, corner in zip(highest_first, corners, strict=True):
        atoms = list(fragments[number])
        packed[atoms] = places[atoms] - places[atoms].min(axis=0) + corner
    return packed


def _rows(sizes: Float64Array, width: float) -> Float64Array:
    """Set boxes, sorted by height, into rows of at most a width if they can be; their corners."""
    corners = np.zeros_like(sizes)
    x = y = height = 0.0
    for corner, (box_width, box_height) in zip(corners, sizes, strict=True):
        if x + box_width > width:
            x, y, height = 0.0, y + height, 0.0
        corner[:] = x, y
        x, height = x + box_width, max(height, box_height)
    return corners
