"""Draws rows as images: the numbers stand there already, and get height and width."""

from __future__ import annotations

import torch

from cnnkit.cnncore.image import Batch, Images, Renderer


class TableRenderer(Renderer):
    """Draws a batch of rows; nothing is augmented.

    Parameters
    ----------
    channels, height, width : int
        A sample is one step of channels * height * width numbers.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.shape = (channels, height, width)

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        return Images(batch.values[batch.starts].reshape(-1, *self.shape))
