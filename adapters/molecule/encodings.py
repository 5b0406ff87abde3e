"""The encodings of molecules by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cnnkit.adapters.molecule.chemception import Chemception
from cnnkit.adapters.molecule.drawing import Drawing
from cnnkit.adapters.molecule.encoding import Encoding
from cnnkit.adapters.molecule.grid import Grid
from cnnkit.adapters.molecule.smiles import SmilesText

if TYPE_CHECKING:
    from cnnkit.adapters.molecule.adapter import MoleculeAdapter


def _grid(adapter: MoleculeAdapter) -> Encoding:
    return Grid(
        **_size(adapter), layouts=adapter.layouts, augment=adapter.augment, views=adapter.views
    )


def _drawing(adapter: MoleculeAdapter) -> Encoding:
    return Drawing(**_size(adapter), augment=adapter.augment, views=adapter.views)


def _chemception(adapter: MoleculeAdapter) -> Encoding:
    return Chemception(**_size(adapter), augment=adapter.augment, views=adapter.views)


def _smiles(adapter: MoleculeAdapter) -> Encoding:
    if size := _size(adapter):
        name, value = next(iter(size.items()))
        raise ValueError(f"{name}={value}: a SMILES has no size that could be set; leave it out")
    return SmilesText(adapter.layouts, adapter.augment, adapter.views)


def _size(adapter: MoleculeAdapter) -> dict[str, Any]:
    """Return what the user wants of the image's size; the rest is the encoding's own."""
    wanted = {"pixel": adapter.pixel, "pixels": adapter.pixels}
    return {name: value for name, value in wanted.items() if value is not None}


ENCODINGS: dict[str, Callable[[MoleculeAdapter], Encoding]] = {
    "grid": _grid,
    "drawing": _drawing,
    "chemception": _chemception,
    "smiles": _smiles,
}


def make_encoding(adapter: MoleculeAdapter) -> Encoding:
    """Make the encoding that an adapter names, with its parameters."""
    return ENCODINGS[adapter.encoding](adapter)
