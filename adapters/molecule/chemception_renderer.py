"""Draws molecules as Chemception sees them: each atom and each point of a bond on one pixel."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnkit.adapters.molecule.points import PLACE_UNIT
from cnnkit.cnncore.image import Batch, Images, Renderer

COLUMNS = 6  # x, y and four properties of an atom; both ends and the doubled order of a bond
CHARGE_UNIT = 2**-12  # elementary charges
UNITS = (1.0, CHARGE_UNIT, 1.0, 1.0)
POINTS = 4  # on a bond, its ends among them


class Writing(NamedTuple):
    """Everything that is written on the images of a batch, in this order.

    Parameters
    ----------
    pixel : int64 Tensor [writes]
        Numbers of pixels of the whole batch.
    step : int64 Tensor [writes]
        What is written: an atom or a bond, by its row in the values of its molecule.
    values : float32 Tensor [writes, 4]
    """

    pixel: Tensor
    step: Tensor
    values: Tensor


class ChemceptionRenderer(Renderer):
    """Molecules as [4, S, S] images; rows are y, columns x, and (0, 0) Å is at pixel (S/2, S/2).

    Parameters
    ----------
    pixel : float
        Å.
    pixels : int
        In a row and a column.
    side : SideScaling or None
    augment : bool
        False: training shows molecules as they are.
    views : int
        Ways to draw each molecule at test time, turned by equal steps.
    """

    units: Tensor

    def __init__(
        self,
        pixel: float,
        pixels: int,
        side: nn.Module | None = None,
        *,
        augment: bool = False,
        views: int = 1,
    ) -> None:
        super().__init__()
        self.pixel = pixel
        self.pixels = pixels
        self.side = side
        self.augment = augment
        self.views = views
        self.register_buffer("units", torch.tensor(UNITS), persistent=False)

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        """Draw a batch: pixels float32 [n, 4, S, S], side features."""
        writing = self._writing(batch, generator, view)
        last = self._last(writing, len(batch))
        blank = writing.values.new_zeros((1, len(UNITS)))
        flat = torch.cat([writing.values, blank])[last]  # -1, nothing, is the blank
        image = flat.view(len(batch), self.pixels, self.pixels, len(UNITS)).permute(0, 3, 1, 2)
        return Images(image, side=None if self.side is None else self.side(batch.side))

    def shown(self, batch: Batch) -> Tensor:
        """Say which atom or bond each pixel shows, by its step, int64 [n, S, S]; -1: none."""
        writing = self._writing(batch, None, 0)
        last = self._last(writing, len(batch))
        step = torch.cat([writing.step, writing.step.new_full((1,), -1)])[last]
        return step.view(len(batch), self.pixels, self.pixels)

    def _last(self, writing: Writing, n: int) -> Tensor:
        """Number the last write on each pixel of a batch, int64 [pixels]; -1: none."""
        order = torch.arange(len(writing.pixel), device=writing.pixel.device)
        blank = order.new_full((n * self.pixels**2,), -1)
        return blank.scatter_reduce(0, writing.pixel, order, "amax")

    def _writing(self, batch: Batch, generator: torch.Generator | None, view: int) -> Writing:
        device = batch.starts.device
        molecule = torch.repeat_interleave(batch.lengths)
        first = batch.lengths.cumsum(0) - batch.lengths
        step = torch.arange(len(molecule), device=device) - first[molecule]
        rows = batch.values[batch.starts[molecule] + step]
        turn = self._turn(len(batch), device, generator, view)[molecule]
        place = (turn @ (rows[:, :2].float() * PLACE_UNIT)[:, :, None])[:, :, 0] / self.pixel
        is_atom = step < batch.summary[molecule, 0]
        bonds, ends = rows[~is_atom].long(), molecule[~is_atom]
        begin, end = place[first[ends, None] + bonds[:, :2]].unbind(1)
        # From the end to the beginning, as deepchem does: of two bonds on a pixel one is seen.
        points = [end + (begin - end) * (k / (POINTS - 1)) for k in range(POINTS)]
        orders = place.new_zeros((len(bonds), len(UNITS)))
        orders[:, 0] = bonds[:, 2] / 2
        properties = rows[is_atom, 2:].float() * self.units
        return Writing(
            self._pixel(
                torch.cat([ends.repeat(POINTS), molecule[is_atom]]),
                torch.cat([*[point.ceil() for point in points], place[is_atom].round()]),
            ),
            torch.cat([step[~is_atom].repeat(POINTS), step[is_atom]]),
            torch.cat([orders.repeat(POINTS, 1), properties]),
        )

    def _pixel(self, molecule: Tensor, place: Tensor) -> Tensor:
        """Number pixels of the batch from whole pixels from the middle, float [n, 2]."""
        # A shrunk molecule reaches the last pixel; rounding would put its bonds one farther.
        place = (place.long() + self.pixels // 2).clamp(0, self.pixels - 1)
        column, row = place.unbind(1)
        return (molecule * self.pixels + row) * self.pixels + column

    def _turn(
        self, n: int, device: torch.device, generator: torch.Generator | None, view: int
    ) -> Tensor:
        """Choose how each molecule is turned, float32 [n, 2, 2]."""
        if self.training and self.augment and generator is not None:
            angle = torch.rand(n, generator=generator, device=device) * (2 * math.pi)
        else:
            angle = torch.full((n,), 2 * math.pi * view / self.views, device=device)
        cosine, sine = angle.cos(), angle.sin()
        return torch.stack([cosine, -sine, sine, cosine], dim=1).view(n, 2, 2)
