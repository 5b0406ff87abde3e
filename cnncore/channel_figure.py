"""The preview of images with many channels: an item as people know it beside each channel."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

PANELS = 8  # side by side
PANEL_INCHES = 1.15
PICTURE_PANELS = 3  # as wide as so many of them
LETTERS = 42  # in a line below the picture

Picture = NDArray[np.uint8] | None
Pixels = NDArray[np.float32]


def draw_channels(
    pictures: Sequence[Picture],
    images: Sequence[Pixels],
    channels: Sequence[str],
    titles: Sequence[str],
    *,
    origin: Literal["upper", "lower"] = "upper",
) -> Figure:
    """Draw each item's picture, and beside it every channel of its image that isn't empty.

    White is 0, red is more and blue less; the darkest is the channel's largest value. Rows and
    columns at the edges that are 0 on all channels are cut off.

    Parameters
    ----------
    pictures : sequence [N] of uint8 arrays [rows, columns, 3], or None
    images : sequence [N] of float32 arrays [C, H, W]
    channels : sequence of str [C]
    titles : sequence of str [N]
    origin : {"upper", "lower"}
        Where row 0 is.

    Examples
    --------
    >>> figure = draw_channels([None], [np.eye(3)[None]], ["diagonal"], ["three"])
    >>> [axes.get_title() for axes in figure.axes]
    ['', 'diagonal']
    """
    images = [_cut(image) for image in images]
    rows = [-(-max(1, int(image.any(axis=(1, 2)).sum())) // PANELS) for image in images]
    width = (PICTURE_PANELS + PANELS) * PANEL_INCHES
    heights = [max(PICTURE_PANELS, 1.25 * count) * PANEL_INCHES + 0.4 for count in rows]
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    parts = figure.subfigures(len(images), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, picture, image, title, count in zip(
        parts, pictures, images, titles, rows, strict=True
    ):
        part.suptitle(title, fontsize=9, parse_math=False)
        _draw_item(part, picture, image, channels, count, origin)
    return figure


def _draw_item(
    part: SubFigure,
    picture: Picture,
    image: Pixels,
    channels: Sequence[str],
    rows: int,
    origin: Literal["upper", "lower"],
) -> None:
    grid = part.add_gridspec(rows, PICTURE_PANELS + PANELS)
    axes = part.add_subplot(grid[:, :PICTURE_PANELS])
    if picture is not None:
        axes.imshow(picture)
    _strip(axes)
    held = np.flatnonzero(image.any(axis=(1, 2))).tolist()
    empty = [name for number, name in enumerate(channels) if number not in held]
    if empty:
        lines = textwrap.wrap(f"empty: {', '.join(empty)}", LETTERS)
        axes.set_xlabel("\n".join(lines), fontsize=7)
    for place, number in enumerate(held):
        row, column = divmod(place, PANELS)
        axes = part.add_subplot(grid[row, PICTURE_PANELS + column])
        most = float(np.abs(image[number]).max())
        axes.imshow(
            image[number],
            cmap="RdBu_r",
            vmin=-most,
            vmax=most,
            origin=origin,
            interpolation="nearest",
        )
        axes.set_title(channels[number], fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])


def _cut(image: Pixels) -> Pixels:
    """Cut off what is empty around an image."""
    rows, columns = (np.flatnonzero(image.any(axis=(0, axis))) for axis in (2, 1))
    if not len(rows):
        return image
    return image[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _strip(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_frame_on(False)
