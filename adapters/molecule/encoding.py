"""What an encoding of molecules has to offer: from a canonical SMILES to an image, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from torch import nn

from cnnkit.cnncore.image import ImageSpec, Recipe, Renderer

# The last epoch is kept: validation parts of whole scaffolds are too small to choose one by.
RECIPE = Recipe(samples_seen=24_000, epochs=15, batch_size=32, learning_rate=1e-3, patience=0)


class Encoded(NamedTuple):
    """A molecule as it is kept.

    Parameters
    ----------
    values : array [steps, D]
    summary : tuple of float
        What the renderer must know of the whole molecule.
    remark : str
        What is to be said of it; empty if nothing.
    """

    values: NDArray[Any]
    summary: tuple[float, ...]
    remark: str = ""


class Place(NamedTuple):
    """What a pixel shows of a molecule, by RDKit's numbers of the canonical SMILES.

    Parameters
    ----------
    atoms, bonds : list of int
    where : dict
        The pixel in the encoding's own units.
    """

    atoms: list[int]
    bonds: list[int]
    where: dict[str, Any]


class Encoding(Protocol):
    """A way to make images of molecules. Frozen and picklable: processes share it.

    Attributes
    ----------
    version : int
        Of the code that makes `Encoded`; another number makes the cache forget.
    dtype : numpy type
        Of the values of `Encoded`.
    spec : ImageSpec
        Without side features.
    recipe : Recipe
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def dtype(self) -> type[np.generic]: ...

    @property
    def version(self) -> int: ...

    @property
    def spec(self) -> ImageSpec: ...

    @property
    def recipe(self) -> Recipe: ...

    def encode(self, smiles: Sequence[str]) -> list[Encoded]:
        """Encode molecules, given by their canonical SMILES."""

    def renderer(self, side: nn.Module | None) -> Renderer:
        """Make the module that draws batches; `side` scales the side features."""

    def whole(self) -> Renderer:
        """Make the module that draws every molecule on an image of the same size."""

    def place(self, mol: Chem.Mol, row: int, column: int) -> Place:
        """Say what a pixel of `whole` shows of the molecule of a canonical SMILES."""

    def edge_label(self, axis: int, place: int) -> str:
        """Name a row (axis 0) or column (axis 1) of `whole`."""


def check_place(row: int, column: int, pixels: int) -> None:
    """Refuse a pixel that an image of so many rows and columns doesn't have.

    Raises
    ------
    IndexError

    Examples
    --------
    >>> check_place(0, 31, 32)
    """
    if not (0 <= row < pixels and 0 <= column < pixels):
        raise IndexError(f"pixel ({row}, {column}): the image has {pixels} rows and columns")
