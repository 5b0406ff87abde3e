"""Batches without a DataLoader: from the device's memory, or streamed from a memory map."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from cnnkit.cnncore.image import Batch, Samples


def fits_on(device: torch.device, samples: Samples) -> bool:
    """Say whether the samples leave at least half of the device's free memory to the network."""
    if isinstance(samples.values, np.memmap):
        return False
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return samples.values.nbytes < free // 2


class Feed:
    """Gives any rows of a sample set as a `Batch` on the device.

    Parameters
    ----------
    samples : Samples
    device : torch.device
    resident : bool or None
        True: all samples lie on the device, and a batch is only a list of starts and lengths.
        False: the batch's samples are copied there. None: resident where they fit.
    """

    def __init__(
        self, samples: Samples, device: torch.device, resident: bool | None = None
    ) -> None:
        self.samples = samples
        self.device = device
        self.resident = fits_on(device, samples) if resident is None else resident
        if self.resident:
            self._whole = samples.to(device)

    def __len__(self) -> int:
        return len(self.samples)

    def epoch(self, generator: torch.Generator) -> Tensor:
        """Draw one version of every item, in random order: rows, int64 Tensor [items]."""
        by_item = torch.from_numpy(np.argsort(self.samples.items, kind="stable"))
        _, counts = np.unique(self.samples.items, return_counts=True)
        count = torch.from_numpy(counts)
        first = count.cumsum(0) - count
        share = torch.rand(len(count), generator=generator, dtype=torch.float64)
        rows = by_item[first + (share * count).long()]
        return rows[torch.randperm(len(rows), generator=generator)]

    def batch(self, rows: Tensor) -> Batch:
        """Return the samples at `rows`, int64 Tensor [n] on the CPU."""
        if self.resident:
            return self._whole[rows.to(self.device)]
        return self.samples[rows.numpy()].to(self.device)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Go through all samples once, in their order."""
        for start in range(0, len(self), batch_size):
            yield self.batch(torch.arange(start, min(start + batch_size, len(self))))
