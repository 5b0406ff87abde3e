"""What each atom and each bond has to do with a vote: pixels gathered back to points."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from cnnkit.adapters.molecule.points import CHANNELS
from cnnkit.adapters.molecule.renderer import SAMPLES, Drawn, GridRenderer, corners
from cnnkit.cnncore.image import Batch


class Attribution(NamedTuple):
    """Shares of atoms and bonds, in the order of the samples: one molecule after the other.

    Parameters
    ----------
    atoms : float32 Tensor [atoms of all molecules]
    bonds : float32 Tensor [bonds of all molecules]
    """

    atoms: Tensor
    bonds: Tensor


def gather(renderer: GridRenderer, batch: Batch, gradient: Tensor, view: int = 0) -> Attribution:
    """Share gradient × pixels out among atoms and bonds.

    A pixel is a sum over points, each with a weight and features. So the sum of gradient × pixels
    over an image is a sum over points: the features of each times the gradient around it, which
    is gathered with the weights that the point was drawn with. Nothing is lost or approximated.

    Parameters
    ----------
    renderer : GridRenderer
    batch : Batch
        What was drawn.
    gradient : float32 Tensor [n, 26, S, S]
        Of anything with respect to the pixels that `renderer(batch, view=view)` drew in eval mode.
    view : int

    Returns
    -------
    atoms, bonds : float32 Tensor
        Those of a molecule add up to the sum of gradient × pixels of its image.

    Raises
    ------
    ValueError
        If the gradient isn't that of such a batch.

    References
    ----------
    Shrikumar et al. 2016, "Not Just a Black Box" (gradient × input).

    Examples
    --------
    >>> from cnnkit.adapters.molecule.adapter import MoleculeAdapter
    >>> adapter = MoleculeAdapter(side="none", cache=False).fit(["CO"])
    >>> batch, renderer = adapter.read(["CO"]).to("cpu"), adapter.renderer().eval()
    >>> gradient = torch.zeros_like(renderer(batch).pixels)
    >>> gradient[:, CHANNELS.index("O")] = 2.0  # the vote grows by 2 with each oxygen
    >>> gather(renderer, batch, gradient)
    Attribution(atoms=tensor([0., 2.]), bonds=tensor([0.]))
    """
    atoms, bonds = renderer.points(batch, view=view)
    _check(gradient, batch, atoms)
    samples = _gather(bonds, gradient).view(len(SAMPLES), -1)
    return Attribution(_gather(atoms, gradient), samples.sum(0))


def _gather(drawn: Drawn, gradient: Tensor) -> Tensor:
    """Return the share of each point, float32 [points]."""
    pixels, weights = corners(drawn, gradient.shape[-1])
    by_pixel = gradient[:, drawn.channels].permute(0, 2, 3, 1).reshape(-1, drawn.features.shape[1])
    shares = torch.zeros_like(weights[0])
    for pixel, weight in zip(pixels, weights, strict=True):
        shares += (by_pixel[pixel] * drawn.features).sum(1) * weight
    return shares


def _check(gradient: Tensor, batch: Batch, atoms: Drawn) -> None:
    least = 2 * float(atoms.place.abs().max()) + 1 if len(atoms.place) else 1.0
    n, channels, rows, columns = gradient.shape if gradient.ndim == 4 else (0, 0, 0, 0)
    if (n, channels) != (len(batch), len(CHANNELS)) or rows != columns or rows < least:
        raise ValueError(
            f"gradient: found the shape {tuple(gradient.shape)}; expected ({len(batch)}, "
            f"{len(CHANNELS)}, S, S), S pixels that hold the molecules as this view shows them"
        )
