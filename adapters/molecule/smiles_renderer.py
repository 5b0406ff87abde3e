"""Draws SMILES as index images; in training any of those that were kept of a molecule."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnkit.cnncore.image import Batch, Images, Renderer


class SmilesRenderer(Renderer):
    """SMILES as [4, 1, W] images of categories; W is the longest of the batch.

    Parameters
    ----------
    side : SideScaling or None
    augment : bool
        False: training shows the canonical SMILES.
    views : int
        SMILES of each molecule at test time.
    """

    def __init__(
        self, side: nn.Module | None = None, *, augment: bool = False, views: int = 1
    ) -> None:
        super().__init__()
        self.side = side
        self.augment = augment
        self.views = views

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        """Draw a batch: pixels int64 [n, 4, 1, W], mask [n, 1, 1, W], side features."""
        lengths = batch.summary.long()
        version = self._choice(lengths, generator, view)[:, None]
        length = lengths.gather(1, version)
        first = (lengths.cumsum(1) - lengths).gather(1, version) + batch.starts[:, None]
        width = int(length.max()) if len(batch) else 1
        position = torch.arange(width, device=length.device)
        inside = position < length
        steps = batch.values[torch.where(inside, first + position, 0)].long()
        pixels = torch.where(inside[:, :, None], steps, 0).permute(0, 2, 1)[:, :, None]
        side = None if self.side is None else self.side(batch.side)
        return Images(pixels, inside[:, None, None], side)

    def _choice(self, lengths: Tensor, generator: torch.Generator | None, view: int) -> Tensor:
        """Choose a SMILES of each molecule, int64 [n]."""
        n, versions = lengths.shape
        if self.training and self.augment and generator is not None:
            return torch.randint(versions, (n,), generator=generator, device=lengths.device)
        return lengths.new_full((n,), view % versions)
