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

SIZE = ("pixel", "pixels")  # parameters that each encoding has its own defaults for


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
    """Return what the user wants of the image's size, or had; the rest is the encoding's own."""
    wanted = {name: getattr(adapter, name) for name in SIZE if getattr(adapter, name) is not None}
    return {**getattr(adapter, "size_", {}), **wanted}


ENCODINGS: dict[str, Callable[[MoleculeAdapter], Encoding]] = {
    "grid": _grid,
    "drawing": _drawing,
    "chemception": _chemception,
    "smiles": _smiles,
}


def make_encoding(adapter: MoleculeAdapter) -> Encoding:
    """Make the encoding that an adapter names, with its parameters."""
    return ENCODINGS[adapter.encoding](adapter)


def size_of(encoding: Encoding) -> dict[str, Any]:
    """Return the size of its images, for a model to keep: another release may have other defaults.

    Examples
    --------
    >>> size_of(Grid())
    {'pixel': 1.0, 'pixels': 32}
    """
    return {name: getattr(encoding, name) for name in SIZE if hasattr(encoding, name)}


def check_version(stored: int, encoding: Encoding) -> None:
    """Refuse an encoding that a model was trained on and this release draws otherwise.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> check_version(Grid.version, Grid())
    """
    if stored != encoding.version:
        raise ValueError(
            f"The model was trained on version {stored} of the encoding {type(encoding).__name__}, "
            f"and this release of cnnkit has version {encoding.version}. Train the model again, or "
            "install the release that it was trained with."
        )
