"""The encoding `smiles`: the text that chemists write, sign by sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from rdkit import Chem
from torch import nn

from cnnkit.adapters.molecule.encoding import RECIPE, Encoded, Place
from cnnkit.adapters.molecule.smiles_renderer import SmilesRenderer
from cnnkit.adapters.molecule.smiles_tokens import (
    CHANNELS,
    encode,
    meanings,
    tokens_of,
    vocabulary,
)
from cnnkit.cnncore.image import Axis, ImageSpec

SEED = 1  # of the other SMILES of each molecule


@dataclass(frozen=True)
class SmilesText:
    """Molecules as index images of their SMILES: a column is a sign.

    | channel | what it holds |
    |---|---|
    | sign | the element or aromatic atom, bond, bracket, dot or number of a ring |
    | hydrogens in brackets | of [NH3+] the H3 |
    | charge | of [NH3+] the + |
    | handedness | of [C@@H] the @@ |

    Parameters
    ----------
    layouts : int
        SMILES of each molecule, of which training takes one at random: the canonical one, and
        others that begin at any atom and take any turn.
    augment : bool
    views : int
        SMILES of each molecule at test time, the canonical one first; not more than `layouts`.

    References
    ----------
    Bjerrum 2017, "SMILES Enumeration as Data Augmentation"; Kimber et al. 2021 (maxsmi).

    Examples
    --------
    >>> (encoded,) = SmilesText(layouts=1).encode(["C[NH3+]"])
    >>> encoded.values.shape, encoded.summary
    ((2, 4), (2.0,))
    """

    layouts: int = 4
    augment: bool = True
    views: int = 4

    dtype = np.uint8
    version = 1
    recipe = replace(RECIPE, network="smiles")

    def __post_init__(self) -> None:
        wrong = [
            f"{name}={getattr(self, name)}: expected 1 or more"
            for name in ("layouts", "views")
            if getattr(self, name) < 1
        ]
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def spec(self) -> ImageSpec:
        return ImageSpec(
            CHANNELS,
            height=None,
            width=Axis("position"),
            values="index",
            vocabulary=len(vocabulary()) + 1,
        )

    def encode(self, smiles: Sequence[str]) -> list[Encoded]:
        return [self._encode(Chem.MolFromSmiles(text)) for text in smiles]

    def _encode(self, mol: Chem.Mol) -> Encoded:
        versions = [Chem.MolToSmiles(mol)]
        if self.layouts > 1:
            versions += Chem.MolToRandomSmilesVect(mol, self.layouts - 1, randomSeed=SEED)
        rows = [encode(tokens_of(version)) for version in versions]
        return Encoded(np.concatenate(rows), tuple(float(len(row)) for row in rows))

    def renderer(self, side: nn.Module | None = None) -> SmilesRenderer:
        return SmilesRenderer(side, augment=self.augment, views=min(self.views, self.layouts))

    def whole(self) -> SmilesRenderer:
        return SmilesRenderer()

    def place(self, mol: Chem.Mol, row: int, column: int) -> Place:
        tokens = tokens_of(Chem.MolToSmiles(mol))
        if row != 0 or not 0 <= column < len(tokens):
            raise IndexError(
                f"pixel ({row}, {column}): this molecule's image has 1 row and {len(tokens)} "
                "columns"
            )
        order = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
        shown = meanings(tokens)[column]
        bonds = [
            mol.GetBondBetweenAtoms(order[first], order[second]).GetIdx()
            for first, second in shown.bonds
        ]
        where = {"sign": tokens[column], "position": column}
        return Place([order[atom] for atom in shown.atoms], bonds, where)

    def edge_label(self, axis: int, place: int) -> str:
        return CHANNELS[place] if axis == 0 else str(place)
