"""Draws texts as index images, in windows, on the training device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cnnkit.adapters.text.tf_idf import CODES, TfIdf
from cnnkit.adapters.text.vectors import WordVectors
from cnnkit.cnncore.image import Batch, Images, Renderer, SparseRows

PIECE_STEPS = 2**18  # positions whose n-grams are weighed at a time


@dataclass(frozen=True)
class Drawing:
    """How texts are drawn.

    Parameters
    ----------
    buckets : int or None
        Number of categories that the code of a position is folded into, padding included; None:
        codes are categories.
    window : int
        Positions of an image.
    overlap : int
        Positions that neighbouring windows share, so that no n-gram is cut by all of them.
    windows : int
        Most windows of a text; what lies beyond is not drawn.
    crop : tuple of int
        Fewest and most positions of the stretch of a text that is drawn in training.
    position_dropout : float
        Share of the positions that are blank in training.
    """

    buckets: int | None
    window: int
    overlap: int
    windows: int
    crop: tuple[int, int]
    position_dropout: float


@dataclass(frozen=True)
class Windows:
    """Where the images of a batch lie.

    Parameters
    ----------
    text : int64 Tensor [M]
        Text of each image.
    index : int64 Tensor [M, W]
        Step of the batch's values at each position.
    inside : bool Tensor [M, W]
    count : int64 Tensor [N]
        Images of each text.
    """

    text: Tensor
    index: Tensor
    inside: Tensor
    count: Tensor


class TextRenderer(Renderer):
    """Draws windows of texts; in training a random stretch of each, with blank positions.

    Parameters
    ----------
    drawing : Drawing
    tf_idf : TfIdf or None
        Makes the side features.
    vectors : WordVectors or None
        Gives each word the features that it brings along.
    """

    def __init__(
        self, drawing: Drawing, tf_idf: TfIdf | None = None, vectors: WordVectors | None = None
    ) -> None:
        super().__init__()
        self.drawing = drawing
        self.tf_idf = tf_idf
        self.vectors = vectors

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        """Draw int64 images [M, C, 1, W]; M is the number of windows of all texts."""
        windows = self._windows(batch, generator)
        inside = windows.inside
        values = batch.values
        if not len(values):  # all texts are empty
            values = values.new_zeros((1, values.shape[1]))
        steps = values[windows.index].long()
        codes = steps[:, :, 0] & CODES
        if self.drawing.buckets is not None:
            steps[:, :, 0] = 1 + codes % (self.drawing.buckets - 1)
        shown = inside
        if self.training and generator is not None and self.drawing.position_dropout:
            shown = inside & ~_drawn(inside, self.drawing.position_dropout, generator)
        pixels = torch.where(shown[:, :, None], steps, 0).permute(0, 2, 1)[:, :, None]
        # The first position of an empty text counts, as a blank: a pool needs one.
        mask = inside | (torch.arange(inside.shape[1], device=inside.device) == 0)
        vectors = None
        if self.vectors is not None:
            vectors = self.vectors(codes, shown).permute(0, 2, 1)[:, :, None]
        return Images(
            pixels,
            mask[:, None, None],
            self._side(batch, generator),
            None if len(windows.text) == len(batch) else windows.count,
            vectors,
        )

    def _side(self, batch: Batch, generator: torch.Generator | None) -> SparseRows | None:
        """Weigh the n-grams of the whole texts, also of what isn't drawn."""
        if self.tf_idf is None:
            return None
        # A few texts at a time, so that long ones take no more memory than their n-grams.
        pieces = batch.lengths.cumsum(0) // PIECE_STEPS
        counts = torch.unique_consecutive(pieces, return_counts=True)[1].tolist()
        parts, first = [], 0
        for count in counts:
            parts.append(self._side_of(self.tf_idf, batch[first : first + count], generator))
            first += count
        return _below_each_other(parts) if len(parts) != 1 else parts[0]

    def _side_of(
        self, tf_idf: TfIdf, batch: Batch, generator: torch.Generator | None
    ) -> SparseRows:
        n, device = len(batch), batch.lengths.device
        text = torch.repeat_interleave(torch.arange(n, device=device), batch.lengths)
        before = batch.lengths.cumsum(0) - batch.lengths
        step = torch.arange(len(text), device=device) + (batch.starts - before)[text]
        codes = batch.values[step, 0].long() & CODES
        side: SparseRows = tf_idf(codes, text, n, generator)
        return side

    def _windows(self, batch: Batch, generator: torch.Generator | None) -> Windows:
        drawing, device = self.drawing, batch.lengths.device
        step = drawing.window - drawing.overlap
        reach = batch.lengths.clamp(max=drawing.window + (drawing.windows - 1) * step)
        first = torch.zeros_like(reach)
        if self.training and generator is not None:
            fewest, most = drawing.crop
            lot = torch.rand((2, len(batch)), generator=generator, device=device)
            reach = torch.minimum(reach, fewest + (lot[0] * (most - fewest + 1)).long())
            first = (lot[1] * (batch.lengths - reach + 1)).long()
        count = (reach - drawing.overlap + step - 1).div(step, rounding_mode="floor").clamp(min=1)
        text = torch.repeat_interleave(torch.arange(len(batch), device=device), count)
        number = torch.arange(len(text), device=device) - (count.cumsum(0) - count)[text]
        begin = number * step
        size = (reach[text] - begin).clamp(max=drawing.window)
        position = torch.arange(max(1, int(size.max())) if len(size) else 1, device=device)
        inside = position < size[:, None]
        start = batch.starts[text] + first[text] + begin
        index = torch.where(inside, start[:, None] + position, 0)
        return Windows(text, index, inside, count)


def _below_each_other(parts: list[SparseRows]) -> SparseRows:
    """Join matrices of the same width, one below the other."""
    if not parts:
        none = torch.zeros(0, dtype=torch.int64)
        return SparseRows(none, none.float(), none)
    offsets, before = [], 0
    for part in parts:
        offsets.append(part.offsets + before)
        before += len(part.columns)
    return SparseRows(
        torch.cat([part.columns for part in parts]),
        torch.cat([part.values for part in parts]),
        torch.cat(offsets),
    )


def _drawn(like: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    """Choose each element with probability `share`."""
    return torch.rand(like.shape, generator=generator, device=like.device) < share
