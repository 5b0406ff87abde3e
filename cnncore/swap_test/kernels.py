"""Random convolutions: fixed features of an image that no training has seen.

A kernel looks at an image's pixels through a few *taps*, which neighbours of each other are. What
it finds is rectified and pooled over the whole image and over its quarters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from cnnkit.cnncore.image import IntArray

KERNELS = 32
LENGTHS = (3, 5)  # of kernels along one axis; 3 x 3 on images of several rows
DILATIONS = (1, 2, 4, 8)
BIAS_SPREAD = 0.7  # of a kernel's answer to white noise, which has spread 1
CACHED_PIXELS = 2**16  # of all rows that are convolved at once: they fit the processor's cache


@dataclass(frozen=True)
class Bank:
    """Kernels of one length and dilation.

    Parameters
    ----------
    taps : int64 Tensor [T, P]
        For each of P positions the T pixels under a kernel; pixel P is the padding, which is 0.
    weights : float32 Tensor [F, T]
    biases : float32 Tensor [F, 1]
    """

    taps: Tensor
    weights: Tensor
    biases: Tensor


class RandomConvolutions:
    """Random kernels for images of one shape, and what they find there.

    Parameters
    ----------
    shape : (rows, columns)
    seed : int
    device : torch.device

    Attributes
    ----------
    features : int
        Features of one image: mean and maximum of each kernel's rectified answers over the whole
        image and over each quarter of it.

    References
    ----------
    Dempster, Petitjean, Webb (2020), "ROCKET", Data Mining and Knowledge Discovery 34: random
    kernels of several dilations with a linear classifier. Here fewer kernels, and pooling in
    quarters, so that a table's columns keep a part of their place.
    """

    def __init__(self, shape: tuple[int, int], seed: int, device: torch.device) -> None:
        self.device = device
        positions, edges = quarters(shape)
        self.edges = edges
        reaches = [reach for reach in _reaches(shape) if _fits(reach, shape)]
        generator = torch.Generator().manual_seed(seed)
        self.banks = [
            _bank(shape, positions, reach, len(range(number, KERNELS, len(reaches))), generator)
            for number, reach in enumerate(reaches)
        ]
        self.banks = [
            Bank(bank.taps.to(device), bank.weights.to(device), bank.biases.to(device))
            for bank in self.banks
        ]
        self.features = KERNELS * 2 * (1 + len(edges))

    def __call__(self, design: Tensor, order: Tensor) -> Tensor:
        """Return the features of all rows with their columns in one order.

        Parameters
        ----------
        design : float32 Tensor [D + 1, n]
            Encoded columns as rows; the last one is 0.
        order : int64 Tensor [D]

        Returns
        -------
        float32 Tensor [features, n]
        """
        pixels, n = len(order), design.shape[1]
        padded = torch.cat([order, order.new_tensor([pixels])])
        step = max(64, CACHED_PIXELS // pixels)
        found = []
        for start in range(0, n, step):
            rows = design[:, start : start + step].contiguous()
            found.append(torch.cat([self._pooled(bank, rows, padded) for bank in self.banks]))
        return found[0] if len(found) == 1 else torch.cat(found, dim=1)

    def _pooled(self, bank: Bank, design: Tensor, padded: Tensor) -> Tensor:
        """Convolve, rectify and pool: float32 [features of this bank, rows]."""
        kernels, taps = bank.weights.shape
        n = design.shape[1]
        seen = design.index_select(0, padded[bank.taps].flatten()).view(taps, -1)
        answers = torch.addmm(bank.biases, bank.weights, seen).relu_().view(kernels, -1, n)
        parts = [answers[:, start:end] for start, end in self.edges]
        sums = torch.stack([part.sum(dim=1) for part in parts])
        peaks = torch.stack([part.amax(dim=1) for part in parts])
        sizes = sums.new_tensor([end - start for start, end in self.edges])[:, None, None]
        whole = [sums.sum(dim=0, keepdim=True) / sizes.sum(), peaks.amax(dim=0, keepdim=True)]
        return torch.cat([*whole, sums / sizes, peaks]).view(-1, n)


def quarters(shape: tuple[int, int]) -> tuple[IntArray, list[tuple[int, int]]]:
    """List the pixels of an image by the quarter they lie in: along one axis, or 2 x 2.

    Parameters
    ----------
    shape : (rows, columns)

    Returns
    -------
    positions : int64 array [rows * columns]
        All pixels, those of a quarter side by side.
    edges : list of (start, end)
        Where each quarter lies in `positions`; quarters without pixels are left out.

    Examples
    --------
    >>> quarters((2, 4))
    (array([0, 1, 2, 3, 4, 5, 6, 7]), [(0, 2), (2, 4), (4, 6), (6, 8)])
    """
    rows, columns = shape
    pixels = np.arange(rows * columns)
    if rows == 1:
        quarter = pixels * 4 // columns
    else:
        quarter = (pixels // columns * 2 // rows) * 2 + pixels % columns * 2 // columns
    ends = np.cumsum(np.bincount(quarter))
    starts = [0, *ends[:-1].tolist()]
    edges = [(start, end) for start, end in zip(starts, ends.tolist(), strict=True) if end > start]
    return np.argsort(quarter, kind="stable"), edges


def _reaches(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """List (length, dilation) of the kernels that are tried on an image."""
    lengths = LENGTHS if shape[0] == 1 else LENGTHS[:1]
    return list(product(lengths, DILATIONS))


def _fits(reach: tuple[int, int], shape: tuple[int, int]) -> bool:
    """Say whether a kernel covers at most half of each axis; the smallest always fits."""
    length, dilation = reach
    smallest = min((size for size in shape if size > 1), default=1)
    return dilation == 1 or (length - 1) * dilation <= smallest / 2


def _bank(
    shape: tuple[int, int],
    positions: IntArray,
    reach: tuple[int, int],
    kernels: int,
    generator: torch.Generator,
) -> Bank:
    taps = torch.from_numpy(np.ascontiguousarray(_taps(shape, reach)[:, positions]))
    weights = torch.randn(kernels, len(taps), generator=generator)
    # Half of the kernels ignore the level and see only differences between neighbours.
    weights[::2] -= weights[::2].mean(dim=1, keepdim=True)
    weights /= weights.norm(dim=1, keepdim=True).clamp_min(1e-6)  # of one tap no difference is left
    return Bank(taps, weights, BIAS_SPREAD * torch.randn(kernels, 1, generator=generator))


def _taps(shape: tuple[int, int], reach: tuple[int, int]) -> IntArray:
    """Number the pixels under a kernel at each position: int64 [T, rows * columns]."""
    (rows, columns), (length, dilation) = shape, reach
    steps = (np.arange(length) - length // 2) * dilation
    row, column = np.divmod(np.arange(rows * columns), columns)
    taps = []
    for down, right in product(steps if rows > 1 else [0], steps if columns > 1 else [0]):
        inside = _within(row + down, rows) & _within(column + right, columns)
        taps.append(np.where(inside, (row + down) * columns + column + right, rows * columns))
    return np.array(taps)


def _within(places: IntArray, size: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (places >= 0) & (places < size)


def as_design(values: Sequence[Sequence[float]] | np.ndarray, device: torch.device) -> Tensor:
    """Lay out rows [n, D] as the convolutions want them: float32 Tensor [D + 1, n]."""
    columns = torch.as_tensor(np.asarray(values, np.float32).T, device=device)
    return torch.cat([columns, columns.new_zeros(1, columns.shape[1])])
