"""Draws molecules on a grid: the points of each spread over the four pixels around them."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnkit.adapters.molecule.atoms import ELEMENTS
from cnnkit.adapters.molecule.points import (
    ATOM_CHANNELS,
    ATOM_UNITS,
    CHANNELS,
    PLACE_UNIT,
)
from cnnkit.cnncore.image import Batch, Images, Renderer

BLOCK = 4  # pixels: two poolings of 2 x 2 end between blocks
CANVAS = 2 * BLOCK  # a canvas grows by so many pixels, so that its middle stays between blocks
SAMPLES = (0.25, 0.75)  # where on a bond its weight lies
# Places are rounded to this part of a pixel: then they, and the quarters of bonds between them,
# are exact in float32 on every canvas, and a molecule looks the same on all.
GRAIN = 2**-12
N_ELEMENTS = len(ELEMENTS) + 1
N_ATOM_CHANNELS = len(ATOM_CHANNELS)


class Drawn(NamedTuple):
    """All points of a batch: atoms, or samples of bonds.

    Parameters
    ----------
    molecule : int64 Tensor [n]
    place : float32 Tensor [n, 2]
        x and y in pixels from the middle of the molecule.
    features : float32 Tensor [n, C]
    channels : slice
        Of the grid, which the features belong to.
    """

    molecule: Tensor
    place: Tensor
    features: Tensor
    channels: slice


class GridRenderer(Renderer):
    """Molecules as [26, S, S] grids, S a multiple of 8 pixels that holds the largest of the batch.

    Each point is spread over the four pixels around it (bilinear), so that the sum of a channel
    is the sum over the atoms or bonds, wherever they stand. In training every molecule is turned
    by any angle, mirrored every other time, and drawn in one of its layouts. All of that acts on
    coordinates, so it is exact. A mirrored drawing shows the same molecule: the labels R and S
    stay as they are.

    Parameters
    ----------
    pixel : float
        Å.
    layouts : int
    side : SideScaling or None
    augment : bool
        False: training shows the first layout, as it is.
    views : int
        Ways to draw each molecule at test time: the first layout as it is, then turned, mirrored
        and in the other layouts, the same for every molecule.
    least : int
        Pixels of the smallest canvas.

    Notes
    -----
    The mask holds the blocks of 4 x 4 pixels that something is drawn on, so that sums go over
    what is there and don't know the size of the canvas.
    """

    units: Tensor

    def __init__(
        self,
        pixel: float = 1.0,
        layouts: int = 1,
        side: nn.Module | None = None,
        *,
        augment: bool = True,
        views: int = 1,
        least: int = CANVAS,
    ) -> None:
        super().__init__()
        self.pixel = pixel
        self.layouts = layouts
        self.augment = augment
        self.views = views
        self.least = least
        self.side = side
        self.register_buffer("units", torch.tensor(ATOM_UNITS), persistent=False)

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        """Draw a batch: pixels [n, 26, S, S], mask [n, 1, S, S], side features."""
        atoms, bonds = self.points(batch, generator, view)
        reach = atoms.place.abs().max() if len(atoms.place) else atoms.place.new_zeros(())
        size = self.canvas(float(reach))
        n = len(batch)
        grid = atoms.features.new_zeros((n * size * size, len(CHANNELS)))
        for drawn in (atoms, bonds):
            pixels, weights = corners(drawn, size)
            for pixel, weight in zip(pixels, weights, strict=True):
                grid[:, drawn.channels].index_add_(0, pixel, drawn.features * weight[:, None])
        grid = grid.view(n, size, size, len(CHANNELS)).permute(0, 3, 1, 2)
        side = None if self.side is None else self.side(batch.side)
        return Images(grid, occupied(grid), side)

    def canvas(self, reach: float) -> int:
        """Return the pixels of a canvas on which points so many pixels from the middle lie."""
        return max(self.least, math.ceil((2 * reach + 1) / CANVAS) * CANVAS)

    def points(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> tuple[Drawn, Drawn]:
        """Return atoms and bonds of a batch, turned and mirrored."""
        n_atoms = batch.summary[:, 0].long()
        n_bonds = batch.lengths - n_atoms
        layout, turn = self._pose(len(batch), batch.values.device, generator, view)
        molecule, first = _flat(n_atoms)
        rows = batch.values[batch.starts[molecule] + first]
        columns = 2 * layout[molecule, None] + torch.arange(2, device=rows.device)
        place = rows.gather(1, columns).float() * (PLACE_UNIT / self.pixel)
        place = (turn[molecule] @ place[:, :, None])[:, :, 0].div(GRAIN).round() * GRAIN
        values = rows[:, 2 * self.layouts :].float() * self.units
        features = values.new_zeros((len(rows), N_ATOM_CHANNELS))
        features.scatter_(1, values[:, :1].long(), 1.0)
        features[:, N_ELEMENTS:] = values[:, 1:]
        atoms = Drawn(molecule, place, features, slice(0, N_ATOM_CHANNELS))
        return atoms, self._bonds(batch, n_atoms, n_bonds, place)

    def _bonds(self, batch: Batch, n_atoms: Tensor, n_bonds: Tensor, place: Tensor) -> Drawn:
        molecule, number = _flat(n_bonds)
        rows = batch.values[batch.starts[molecule] + n_atoms[molecule] + number]
        columns = rows[:, 2 * self.layouts : 2 * self.layouts + 4].long()
        ends = place[(n_atoms.cumsum(0) - n_atoms)[molecule, None] + columns[:, :2]]
        features = place.new_zeros((len(rows), len(CHANNELS) - N_ATOM_CHANNELS))
        features.scatter_(1, columns[:, 2:3], 1.0)
        features[:, -1] = columns[:, 3]
        places = [ends[:, 0] * (1 - share) + ends[:, 1] * share for share in SAMPLES]
        return Drawn(
            molecule.repeat(len(SAMPLES)),
            torch.cat(places),
            features.repeat(len(SAMPLES), 1),
            slice(N_ATOM_CHANNELS, len(CHANNELS)),
        )

    def _pose(
        self, n: int, device: torch.device, generator: torch.Generator | None, view: int
    ) -> tuple[Tensor, Tensor]:
        """Choose a layout, int64 [n], and a turn with or without mirror, float32 [n, 2, 2]."""
        if self.training and self.augment and generator is not None:
            angle = torch.rand(n, generator=generator, device=device) * (2 * math.pi)
            mirror = torch.rand(n, generator=generator, device=device) < 0.5
            layout = torch.randint(self.layouts, (n,), generator=generator, device=device)
        else:
            angle = torch.full((n,), 2 * math.pi * view / self.views, device=device)
            mirror = torch.full((n,), view % 2 == 1, device=device)
            layout = torch.full((n,), view % self.layouts, device=device)
        cosine, sine = angle.cos(), angle.sin()
        sign = 1.0 - 2.0 * mirror
        turn = torch.stack([cosine * sign, -sine, sine * sign, cosine], dim=1).view(n, 2, 2)
        return layout, turn


def _flat(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each of `counts` things of each molecule the molecule and the thing's number."""
    molecule = torch.repeat_interleave(counts)
    first = counts.cumsum(0) - counts
    return molecule, torch.arange(len(molecule), device=counts.device) - first[molecule]


def corners(drawn: Drawn, size: int) -> tuple[list[Tensor], list[Tensor]]:
    """Return the four pixels around each point, and how much of it each of them gets.

    Returns
    -------
    list of int64 Tensor [n]
        Numbers of pixels of the whole batch, of grids of `size` x `size`.
    list of float32 Tensor [n]
        They add up to 1.
    """
    place = drawn.place + (size - 1) / 2
    low = place.floor().clamp(max=size - 2)  # all of a point on the last pixel is on that one
    share = place - low
    column, row = low.long().unbind(1)
    first = (drawn.molecule * size + row) * size + column
    pixels, weights = [], []
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        pixels.append(first + down * size + across)
        vertical = share[:, 1] if down else 1 - share[:, 1]
        weights.append(vertical * (share[:, 0] if across else 1 - share[:, 0]))
    return pixels, weights


def occupied(grid: Tensor) -> Tensor:
    """Say which blocks of 4 x 4 pixels something is drawn on, bool [n, 1, S, S]."""
    n, _, size, _ = grid.shape
    drawn = (grid[:, :N_ELEMENTS] != 0).any(1) | (grid[:, N_ATOM_CHANNELS:] != 0).any(1)
    blocks = drawn.view(n, size // BLOCK, BLOCK, size // BLOCK, BLOCK).any(4).any(2)
    return blocks.repeat_interleave(BLOCK, 1).repeat_interleave(BLOCK, 2)[:, None]
