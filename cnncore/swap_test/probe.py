"""The cheap engine: random convolutions and ridge regression, order by order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.kernels import RandomConvolutions, as_design
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.ridge import STRENGTHS, ridge, standardise
from cnnkit.cnncore.train import side_by_side


class Losses(NamedTuple):
    """Squared errors of held-out rows, summed over the target's columns.

    Parameters
    ----------
    alone : float64 array [orders, n]
        Of the convolution alone: statistic A.
    beside : float64 array [orders, n]
        Of the convolution and the raw columns together: statistic B.
    """

    alone: NDArray[np.float64]
    beside: NDArray[np.float64]


class RandomProbe:
    """Scores orders of a table's columns by random convolutions with ridge regression.

    Every order goes through the same kernels, folds and lines of code, and gets the strength of
    the ridge that suits it best, so that the given order is treated as any other.

    Parameters
    ----------
    table : PreparedTable
    seed : int
    device : torch.device
    threads : int
        Orders that are scored at once on a CPU.
    """

    def __init__(
        self, table: PreparedTable, *, seed: int, device: torch.device, threads: int = 1
    ) -> None:
        self.table, self.device, self.threads = table, device, threads
        self.convolutions = RandomConvolutions(table.shape, seed, device)
        truth = table.target.matrix()
        self.folds = []
        for design, (train, test) in zip(table.designs, table.folds, strict=True):
            # Training rows first, so that both parts are views of one block of memory.
            rows = np.concatenate([train, test])
            columns = as_design(design[rows], device)
            raw = standardise(columns[:-1].clone(), len(train))
            known, unknown = (torch.as_tensor(truth[part], device=device) for part in (train, test))
            self.folds.append((test, columns, raw, known, unknown))

    def losses(self, orders: Sequence[IntArray]) -> Losses:
        """Score orders: squared errors of all rows, each while it was held out."""
        if self.device.type != "cpu":
            found = [self._one(order) for order in orders]
        else:
            with side_by_side(self.threads, threads=1) as pool:
                found = list(pool.map(self._one, orders))
        alone, beside = zip(*found, strict=True)
        return Losses(np.stack(alone), np.stack(beside))

    def _one(self, order: IntArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        n = len(self.table.target)
        losses = np.empty((2, len(STRENGTHS), n))
        places = torch.as_tensor(order, device=self.device)
        with torch.inference_mode():
            for test, columns, raw, known, unknown in self.folds:
                features = standardise(self.convolutions(columns, places), len(known))
                for kind, predicted in enumerate(ridge(features, raw, known)):
                    losses[kind][:, test] = _squared_errors(predicted, unknown)
        alone, beside = (kind[kind.sum(axis=1).argmin()] for kind in losses)
        return alone, beside


def _squared_errors(predicted: Tensor, truth: Tensor) -> NDArray[np.float64]:
    errors: NDArray[np.float64] = (predicted - truth).square_().sum(dim=-1).cpu().double().numpy()
    return errors
