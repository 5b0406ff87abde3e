"""Draws log-mel frames as images: crop or pad, level, standardise and, in training, augment."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cnnkit.cnncore.image import Batch, Float32Array, Images, Renderer

CONTROL_POINTS = 4  # of the smooth random curves over the bands


@dataclass(frozen=True)
class Drawing:
    """How a clip becomes an image.

    Parameters
    ----------
    frames : int
        Columns of the image.
    range_db : float
        Levels from a clip's floor up to 1: this many dB.
    cyclic : bool
        Sounds without beginning or end: shifting rolls the image round. Otherwise the window
        slides over the clip, and what lies outside is drawn as 0.
    shift_frames : int
        Largest random shift in training.
    filter_gain_db : float
        Standard deviation of a random smooth gain over the bands.
    noise_floor : bool
        Raise the quietest pixels to a random background level.
    masks : float
        Widest random stripe of bands, and of frames, that is blanked: a share of the image.
    views : int
        Shifted copies that are averaged at test time.
    mean, scale : float32 array [bands] or [1]
        Of the training clips' pixels: of each band, or of all.
    """

    frames: int
    range_db: float
    cyclic: bool
    shift_frames: int
    mean: Float32Array
    scale: Float32Array
    filter_gain_db: float = 0.0
    noise_floor: bool = False
    masks: float = 0.0
    views: int = 1


class AudioRenderer(Renderer):
    """Draws a batch of log-mel clips; the columns of `summary` are floor (dB) and first frame.

    Parameters
    ----------
    drawing : Drawing
    """

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self.drawing = drawing
        self.views = drawing.views
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.from_numpy(drawing.mean)[:, None])
        self.register_buffer("scale", torch.from_numpy(drawing.scale)[:, None])

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        if not self.training or generator is None:
            level = self.level(batch, *self.place(batch, view))
            return Images((level - self.mean) / self.scale)
        level = self.level(batch, *self._random_place(batch, generator))
        level = self._colour(level, generator)
        pixels = (level - self.mean) / self.scale
        return Images(self._mask(pixels, generator))  # filled with 0, now the training mean

    def level(self, batch: Batch, first: Tensor, roll: Tensor) -> Tensor:
        """Return levels from 0 (a clip's floor and deeper, and outside the clip) upwards.

        Parameters
        ----------
        batch : Batch
        first : int64 Tensor [n]
            Each clip's frame in the leftmost column; negative where the image is padded.
        roll : int64 Tensor [n]
            Columns by which each image is then rolled round to the left.

        Returns
        -------
        float32 Tensor [n, 1, bands, frames]
        """
        frames = self.drawing.frames
        column = torch.arange(frames, device=first.device)
        step = first[:, None] + (column + roll[:, None]) % frames
        inside = (step >= 0) & (step < batch.lengths[:, None])
        row = batch.starts[:, None] + step.clamp_min(0).minimum(batch.lengths[:, None] - 1)
        above_floor = batch.values[row] - batch.summary[:, :1, None]
        level = (above_floor / self.drawing.range_db).clamp_min(0) * inside[..., None]
        return level.transpose(1, 2).unsqueeze(1)

    def place(self, batch: Batch, view: int = 0) -> tuple[Tensor, Tensor]:
        """Return first frame and roll, as for `level`, of each image in one of the test views."""
        first = batch.summary[:, 1].long()
        if self.drawing.cyclic:
            spare = batch.lengths - self.drawing.frames
            spread = spare * (2 * view + 1) // (2 * self.views)  # views share a long clip evenly
            first = torch.where(spare > 0, spread, first)
            return first, torch.full_like(first, view * self.drawing.frames // self.views)
        # 0, then steps to the right and to the left in turn
        step = (view + 1) // 2 * (self.drawing.shift_frames // 2) * (-1) ** view
        return first + step, torch.zeros_like(first)

    def _random_place(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        first = batch.summary[:, 1].long()

        def draw(most: Tensor | int) -> Tensor:  # whole numbers from 0 to most, int64 [n]
            share = torch.rand(len(batch), generator=generator, device=first.device)
            return (share * (most + 1)).long()

        if self.drawing.cyclic:
            spare = batch.lengths - self.drawing.frames
            first = torch.where(spare > 0, draw(spare.clamp_min(0)), first)
            return first, draw(self.drawing.frames - 1)
        most = self.drawing.shift_frames
        return first + draw(2 * most) - most, torch.zeros_like(first)

    def _colour(self, level: Tensor, generator: torch.Generator) -> Tensor:
        """Change the sound's colour as another room, microphone or background would."""
        n, _, bands, _ = level.shape

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator, device=level.device)

        def curve() -> Tensor:  # [n, 1, bands, 1]
            points = normal(n, 1, CONTROL_POINTS)
            smooth = functional.interpolate(points, bands, mode="linear", align_corners=True)
            return smooth[..., None]

        if self.drawing.filter_gain_db:
            gain = curve() * (self.drawing.filter_gain_db / self.drawing.range_db)
            level = torch.where(level > 0, (level + gain).clamp_min(0), level)
        if self.drawing.noise_floor:
            base = torch.rand((n, 1, 1, 1), generator=generator, device=level.device)
            floor = -0.3 + 0.55 * base + 0.06 * curve() + 0.04 * normal(*level.shape)
            level = level.maximum(floor)
        return level

    def _mask(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Blank one random stripe of bands and one of frames.

        References
        ----------
        Park et al. 2019, "SpecAugment".
        """
        if not self.drawing.masks:
            return pixels
        for axis in (2, 3):
            size = pixels.shape[axis]
            width, place = torch.rand(
                (2, len(pixels), 1), generator=generator, device=pixels.device
            )
            widest = int(self.drawing.masks * size)
            width = (width * (widest + 1)).floor()
            place = (place * (size - width + 1)).floor()
            position = torch.arange(size, device=pixels.device)
            hit = (position >= place) & (position < place + width)  # [n, size]
            pixels = pixels.masked_fill(hit[:, None].unsqueeze(5 - axis), 0)
        return pixels
