"""Side features on a common scale, as the network gets them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnkit.cnncore.image import Float32Array, IntArray

FARTHEST = 4.0  # standard deviations from the mean; what lies farther is put there
FEWEST = 2  # training molecules that have what is counted
BLOCK = 64  # columns that are looked at together: all of them in float64 take gigabytes


class Scaling(NamedTuple):
    """Which side features are used, and how they are scaled.

    Parameters
    ----------
    columns : int64 array [S]
        Of the features as they were read.
    mean, scale : float32 array [S]
        A scale of 0 marks a count, of which the logarithm of 1 + n is taken.
    """

    columns: IntArray
    mean: Float32Array
    scale: Float32Array


def learn_scaling(side: NDArray[np.floating], is_count: NDArray[np.bool_]) -> Scaling:
    """Choose among side features and learn their scales from training molecules.

    Left out are counts of what fewer than two molecules have, and numbers that never differ.

    Parameters
    ----------
    side : float array [N, S]
        NaN where a molecule has no value.
    is_count : bool array [S]

    Examples
    --------
    >>> scaling = learn_scaling(np.array([[1, 0, 2.0], [3, 1, 4.0]]), np.array([1, 1, 0], bool))
    >>> scaling.columns, scaling.mean, scaling.scale
    (array([0, 2]), array([0., 3.], dtype=float32), array([0., 1.], dtype=float32))
    """
    columns, means, scales = [], [], []
    for start in range(0, side.shape[1], BLOCK):
        part, counted = side[:, start : start + BLOCK].astype(np.float64), is_count[start:][:BLOCK]
        known = ~np.isnan(part)
        n = known.sum(axis=0).clip(min=1)
        mean = np.where(known, part, 0.0).sum(axis=0) / n
        deviation = np.sqrt((np.where(known, part - mean, 0.0) ** 2).sum(axis=0) / n)
        useful = np.where(counted, (part > 0).sum(axis=0) >= FEWEST, deviation > 1e-6)
        columns.append(np.flatnonzero(useful) + start)
        means.append(np.where(counted, 0.0, mean)[useful])
        scales.append(np.where(counted, 0.0, deviation)[useful])
    return Scaling(
        np.concatenate([np.empty(0, np.int64), *columns]),
        np.concatenate([np.empty(0), *means]).astype(np.float32),
        np.concatenate([np.empty(0), *scales]).astype(np.float32),
    )


class SideScaling(nn.Module):
    """Scales side features: counts by their logarithm, numbers by mean and standard deviation.

    A number that a molecule lacks is taken for the mean, and one farther than four standard
    deviations from it for the one there.

    Parameters
    ----------
    scaling : Scaling
    """

    columns: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        for name, array in scaling._asdict().items():
            self.register_buffer(name, torch.from_numpy(array), persistent=False)

    def forward(self, side: Tensor) -> Tensor:
        """Scale side features, float [n, all] to float32 [n, S]."""
        side = side[:, self.columns].float()
        counts = self.scale == 0
        numbers = ((side - self.mean) / self.scale.masked_fill(counts, 1.0)).nan_to_num(0.0)
        return torch.where(counts, side.log1p(), numbers.clamp(-FARTHEST, FARTHEST))
