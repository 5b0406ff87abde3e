"""Shows drawings of molecules to the network: turned by quarters and mirrored, pixel by pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnkit.cnncore.image import Batch, Images, Renderer

POSES = 8  # four quarter turns, plain and mirrored


class DrawingRenderer(Renderer):
    """Drawings as [3, S, S] images, 0 where there is paper.

    Parameters
    ----------
    pixels : int
        In a row and a column.
    side : SideScaling or None
    augment : bool
        False: training shows drawings as they are.
    views : int
        Poses at test time; there are eight.
    """

    def __init__(
        self, pixels: int, side: nn.Module | None = None, *, augment: bool = False, views: int = 1
    ) -> None:
        super().__init__()
        self.pixels = pixels
        self.side = side
        self.augment = augment
        self.views = min(views, POSES)

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        """Draw a batch: pixels float32 [n, 3, S, S], side features."""
        n, device = len(batch), batch.starts.device
        rows = batch.starts[:, None] + torch.arange(self.pixels, device=device)
        ink = batch.values[rows].view(n, self.pixels, self.pixels, 3)
        pixels = ink.permute(0, 3, 1, 2).float() / 255
        if self.training and self.augment and generator is not None:
            pose = torch.randint(POSES, (n,), generator=generator, device=device)
            for number in range(POSES):
                chosen = (pose == number).nonzero()[:, 0]
                pixels[chosen] = posed(pixels[chosen], number)
        else:
            pixels = posed(pixels, view)
        return Images(pixels, side=None if self.side is None else self.side(batch.side))


def posed(pixels: Tensor, pose: int) -> Tensor:
    """Turn images [n, C, S, S] by quarters; from pose 4 on, mirror them first.

    Examples
    --------
    >>> posed(torch.tensor([[[[1, 2], [3, 4]]]]), 1).tolist()
    [[[[2, 4], [1, 3]]]]
    """
    if pose >= POSES // 2:
        pixels = pixels.flip(3)
    return pixels.rot90(pose, (2, 3))
