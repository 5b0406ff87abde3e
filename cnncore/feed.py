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


CHUNK = 20  # batches, inside which samples of like length are put together
MOST_STEPS = 2**17  # in a batch of predictions by length


class Feed:
    """Gives any rows of a sample set as a `Batch` on the device.

    Parameters
    ----------
    samples : Samples
    device : torch.device
    by_length : bool
        Images are as long as the longest sample of their batch, so samples of like length are put
        together.
    resident : bool or None
        True: all samples lie on the device, and a batch is only a list of starts and lengths.
        False: the batch's samples are copied there. None: resident where they fit.
    """

    def __init__(
        self,
        samples: Samples,
        device: torch.device,
        *,
        by_length: bool = False,
        resident: bool | None = None,
    ) -> None:
        self.samples = samples
        self.device = device
        self.by_length = by_length
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

    def batches(self, size: int, generator: torch.Generator) -> list[Tensor]:
        """Draw an epoch and cut it into batches of `size` (or all samples, if they are fewer).

        What is left over is left out.

        With `by_length`, chunks of the epoch are sorted, cut, and their batches drawn in random
        order, so that batches stay different from epoch to epoch.
        """
        order = self.epoch(generator)
        size = min(size, len(order))
        order = order[: len(order) // size * size]
        if not self.by_length:
            return list(torch.split(order, size))
        lengths = torch.from_numpy(self.samples.lengths)
        chunks = [
            part[lengths[part].argsort(stable=True)] for part in torch.split(order, CHUNK * size)
        ]
        cut = [batch for part in chunks for batch in torch.split(part, size)]
        return [cut[number] for number in torch.randperm(len(cut), generator=generator)]

    def batch(self, rows: Tensor) -> Batch:
        """Return the samples at `rows`, int64 Tensor [n] on the CPU."""
        if self.resident:
            return self._whole[rows.to(self.device)]
        return self.samples[rows.numpy()].to(self.device)

    def once(self, size: int) -> Iterator[Tensor]:
        """Go through all samples once: rows of batches of at most `size`, int64 Tensor [n].

        In their order; with `by_length` the longest first, and fewer of those at a time.
        """
        if not self.by_length:
            for start in range(0, len(self), size):
                yield torch.arange(start, min(start + size, len(self)))
            return
        lengths = self.samples.lengths
        order = np.argsort(-lengths, kind="stable")
        start = 0
        while start < len(order):
            n = min(size, max(1, MOST_STEPS // max(1, int(lengths[order[start]]))))
            yield torch.from_numpy(order[start : start + n])
            start += n
