"""The contract between the rooms: what an image is, and what stands between an item and an image.

    items --read--> Samples --batch--> Batch --render--> Images --network--> votes

Adapters make `Samples` (on the CPU, once per item); a `Renderer` makes `Images` from a `Batch` of
them (on the training device, for every batch). This file is all that an adapter may know of the
core.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """One ordered axis of an image: neighbours on it are closely related.

    Parameters
    ----------
    name : str
        "time", "mel band", "position", "x".
    unit : str
        "s", "Hz", "Å"; empty where positions are counted.
    step : float or None
        Units per pixel, where that is constant.
    pixels : int or None
        Length of the axis; None where it differs from batch to batch.
    """

    name: str
    unit: str = ""
    step: float | None = None
    pixels: int | None = None


@dataclass(frozen=True)
class ImageSpec:
    """What the network will see: unordered channels over ordered rows and columns.

    Parameters
    ----------
    channels : tuple of str
        One name for each channel. Channels have no order.
    height, width : Axis or None
        None means length 1: nothing is convolved along it.
    values : "intensity" or "index"
        Index images hold category numbers; their network starts with an embedding.
    vocabulary : int or None
        Number of categories of an index image; category 0 is padding.
    side : tuple of str
        Names of unordered side features that go straight to the fully connected layers.
    sparse_side : int
        Number of side features of which an item has but a few (the words of a text). They vote
        directly, and take the place of `side`.
    vectors : int
        Features that each pixel of an index image brings along, joined to those of its embedding.

    Examples
    --------
    >>> mel = Axis("mel band", "Hz", pixels=40)
    >>> ImageSpec(("log-mel",), mel, Axis("time", "s", 0.01, 64)).shape
    (1, 40, 64)
    """

    channels: tuple[str, ...]
    height: Axis | None
    width: Axis | None
    values: Literal["intensity", "index"] = "intensity"
    vocabulary: int | None = None
    side: tuple[str, ...] = ()
    sparse_side: int = 0
    vectors: int = 0

    @property
    def shape(self) -> tuple[int, int | None, int | None]:
        """Channels, rows, columns; None where a length differs from batch to batch."""
        rows = 1 if self.height is None else self.height.pixels
        columns = 1 if self.width is None else self.width.pixels
        return len(self.channels), rows, columns


@dataclass(frozen=True)
class Problem:
    """What was wrong with one item.

    Parameters
    ----------
    item : int
        Number of the item in the sequence that was read, from 0.
    value : str
        The item itself (a path, a text, a SMILES), shortened by whoever prints it.
    reason : str
        What was found, what was expected, what to do.
    rejected : bool
        True: the item gives no sample. False: it was read, and this is a warning.
    """

    item: int
    value: str
    reason: str
    rejected: bool = True


@dataclass(frozen=True)
class Samples:
    """Items after reading: compact, ragged, in one block of memory (or a memory map).

    Sample `i` is `values[offsets[i]:offsets[i + 1]]`, or begins at `starts[i]` where those are
    given.

    Parameters
    ----------
    values : array [total, D]
        The steps of all samples, one after the other (audio: frames of D mel bands). A memory map
        is shared by all selections of its samples; an array in memory is copied.
    offsets : int64 array [N + 1]
        Where each sample begins and the last one ends, if they stood one after the other.
    items : int64 array [N]
        Number of the item that each sample was made from.
    summary : float32 array [N, K]
        What a renderer must know of a whole sample when it draws a part of it (audio: its peak).
    side : float32 or float16 array [N, S] or None
        Side features, as a renderer takes them.
    problems : tuple of Problem
        Rejected items and warnings, by item number.
    version : int64 array [N] or None
        0 for an item as it is; 1, 2, … for altered copies, which are for training only. None: all
        are as they are.
    starts : int64 array [N] or None
        Where each sample begins in a memory map that holds other samples too.
    """

    values: NDArray[Any]
    offsets: IntArray
    items: IntArray
    summary: Float32Array
    side: NDArray[np.floating] | None = None
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    version: IntArray | None = None
    starts: IntArray | None = None

    def __len__(self) -> int:
        return len(self.items)

    @property
    def lengths(self) -> IntArray:
        """Steps of each sample, int64 [N]."""
        return np.diff(self.offsets)

    def __getitem__(self, rows: IntArray) -> Samples:
        """Return the samples at `rows`, int64 [n]."""
        rows = np.asarray(rows)
        starts = self.offsets[:-1] if self.starts is None else self.starts
        selection = replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(self.lengths[rows])]).astype(np.int64),
            items=self.items[rows],
            summary=self.summary[rows],
            side=None if self.side is None else self.side[rows],
            version=None if self.version is None else self.version[rows],
            starts=starts[rows],
        )
        return selection if isinstance(self.values, np.memmap) else selection.compact()

    def compact(self) -> Samples:
        """Copy the samples' values into one block of memory, one sample after the other."""
        if self.starts is None:
            return self
        # Step j of the new block lies at the same distance from its sample's old start.
        shift = np.repeat(self.starts - self.offsets[:-1], self.lengths)
        steps = np.arange(self.offsets[-1]) + shift
        return replace(self, values=self.values[steps], starts=None)

    def rows_of(self, items: IntArray, *, altered: bool = False) -> IntArray:
        """Return the rows, int64 [n], that were made from these items.

        Parameters
        ----------
        items : int64 array
        altered : bool
            Altered copies too.
        """
        wanted = np.isin(self.items, items)
        if self.version is not None and not altered:
            wanted &= self.version == 0
        return np.flatnonzero(wanted)

    def to(self, device: torch.device | str) -> Batch:
        """Copy all samples to the device, as one batch."""
        if self.starts is not None:
            return self.compact().to(device)

        def move(array: NDArray[Any]) -> Tensor:
            # torch refuses to share memory that it can't write to (a memory map): copy it.
            return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(device)

        return Batch(
            values=move(self.values),
            starts=move(self.offsets[:-1]),
            lengths=move(self.lengths),
            summary=move(self.summary),
            side=None if self.side is None else move(self.side),
        )


def join(versions: Sequence[Samples]) -> Samples:
    """Put several readings of the same items one after the other; the first is the true one.

    Parameters
    ----------
    versions : sequence of Samples
        Of which the first keeps its problems.
    """
    lengths = np.concatenate([samples.lengths for samples in versions])
    sides = [samples.side for samples in versions if samples.side is not None]
    return Samples(
        values=np.concatenate([samples.values for samples in versions]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        items=np.concatenate([samples.items for samples in versions]),
        summary=np.concatenate([samples.summary for samples in versions]),
        side=np.concatenate(sides) if sides else None,
        problems=versions[0].problems,
        version=np.repeat(np.arange(len(versions)), [len(samples) for samples in versions]),
    )


@dataclass(frozen=True)
class Batch:
    """Samples on the training device, as a renderer gets them.

    Sample `i` is `values[starts[i]:starts[i] + lengths[i]]`; `values` may hold other samples too
    (the whole set, where it fits on the device), so nothing is copied to make a batch.

    Parameters
    ----------
    values : Tensor [total, D]
    starts, lengths : int64 Tensor [n]
    summary : float32 Tensor [n, K]
    side : float32 or float16 Tensor [n, S] or None
    """

    values: Tensor
    starts: Tensor
    lengths: Tensor
    summary: Tensor
    side: Tensor | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: Tensor | slice) -> Batch:
        """Return the batch of the samples at `rows`; their values are not copied."""
        return replace(
            self,
            starts=self.starts[rows],
            lengths=self.lengths[rows],
            summary=self.summary[rows],
            side=None if self.side is None else self.side[rows],
        )


@dataclass(frozen=True)
class SparseRows:
    """A matrix [N, S] of which only the entries that aren't 0 are kept, row by row.

    Parameters
    ----------
    columns : int64 Tensor [entries]
        Column of each entry, 0 to S - 1.
    values : float32 Tensor [entries]
    offsets : int64 Tensor [N]
        Where each row begins.
    """

    columns: Tensor
    values: Tensor
    offsets: Tensor


@dataclass(frozen=True)
class Images:
    """What the network gets.

    Parameters
    ----------
    pixels : float32 Tensor [M, C, H, W], or int64 for index images
    mask : bool Tensor [M, 1, H, W] or None
        True where a pixel belongs to the item; None where all do.
    side : float32 Tensor [N, S], SparseRows or None
    windows : int64 Tensor [N] or None
        How many of the M images, one after the other, show parts of the same item; global pools
        go over all of them. None: every item has one.
    vectors : float32 Tensor [M, V, H, W] or None
        What each pixel brings along.
    """

    pixels: Tensor
    mask: Tensor | None = None
    side: Tensor | SparseRows | None = None
    windows: Tensor | None = None
    vectors: Tensor | None = None


class Renderer(nn.Module, ABC):
    """Draws a `Batch` as `Images`: crops, pads, standardises and, in training, augments.

    A renderer augments only in train mode, and draws every random number from the generator that
    it is given, so that a run can be repeated exactly.

    Attributes
    ----------
    views : int
        Number of ways to draw one sample at test time; the votes of all views are averaged.
        View 0 is the plain one.
    """

    views: int = 1

    @abstractmethod
    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        """Draw one image for each sample of the batch."""


@dataclass(frozen=True)
class Recipe:
    """How an adapter's images are best trained; each setting can be overridden by the user.

    Parameters
    ----------
    network : str
        A preset's name or a network spec.
    ensemble : int
        Networks trained at once; their probabilities are averaged.
    samples_seen : int
        Length of training: images shown to each network.
    epochs : int
        At least so many times each item is shown.
    batch_size : int
    learning_rate : float
    mixup : float
        Both parameters of the beta distribution of mixup; 0 turns it off.
    patience : int
        Epochs without a better validation loss, after which training ends with the best of them.
        0: the last epoch is kept; for sets whose validation parts are too small to choose by.
    """

    network: str = "auto"
    ensemble: int = 1
    samples_seen: int = 10_000
    epochs: int = 4
    batch_size: int = 32
    learning_rate: float = 3e-3
    mixup: float = 0.0
    patience: int = 10
