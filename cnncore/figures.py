"""Pictures: the report's, each as an SVG text without a file, and the preview of images."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import torch
from markupsafe import Markup
from matplotlib import font_manager
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cnnkit.cnncore.channel_figure import draw_channels
from cnnkit.cnncore.image import Axis, Images, Samples
from cnnkit.cnncore.objective import Float64Array
from cnnkit.cnncore.train import EpochRecord

BINS = 10
MOST_POINTS = 2000
TICKS = 6
TICKS_OF_WORDS = 24
MOST_LETTERS = 40  # of a label on an axis
GOLDEN = 0.6180339887  # multiples of the golden ratio are spread evenly over 0 to 1


def as_svg(figure: Figure) -> Markup:
    """Return the figure as an <svg> element, the same text for the same figure."""
    buffer = io.StringIO()
    with (
        mpl.rc_context({"svg.hashsalt": "cnnkit", "svg.fonttype": "none"}),
        warnings.catch_warnings(),
    ):
        # The browser has its own fonts: here letters are only measured.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    return Markup(text[text.index("<svg") :])  # matplotlib escapes what it writes


def learning_curve(history: Sequence[EpochRecord]) -> Markup:
    """Draw the losses over the epochs."""
    figure = Figure(figsize=(7, 3))
    axes = figure.subplots()
    epochs = [record["epoch"] for record in history]
    for key, label in (("train_loss", "training"), ("val_loss", "validation")):
        if key in history[0]:
            axes.plot(epochs, [record[key] for record in history], marker=".", label=label)
    axes.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    axes.legend()
    return as_svg(figure)


def confusion(truth: NDArray[np.int64], said: NDArray[np.int64], labels: Sequence[str]) -> Markup:
    """Draw how often each class (row) was called what (column)."""
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, (truth, said), 1)
    size = 2 + 0.45 * len(labels)
    figure = Figure(figsize=(size, size))
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts > 0):
        colour = "white" if shares[row, column] > 0.5 else "black"
        number = str(counts[row, column])
        axes.text(column, row, number, ha="center", va="center", color=colour, fontsize=8)
    # A "$" in a label is no formula.
    names = [_printable(label) for label in labels]
    axes.set_xticks(range(len(names)), names, rotation=90, parse_math=False)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set(xlabel="predicted", ylabel="true")
    return as_svg(figure)


def reliability(truth: NDArray[np.int64], probabilities: Float64Array) -> Markup:
    """Draw how often the network was right against how sure it was."""
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    used = np.unique(bins)
    figure = Figure(figsize=(4, 4))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.scatter(
        [sure[bins == b].mean() for b in used],
        [right[bins == b].mean() for b in used],
        s=[10 + 200 * (bins == b).mean() for b in used],
    )
    axes.set(xlabel="probability", ylabel="share that was right", xlim=(0, 1.02), ylim=(0, 1.02))
    return as_svg(figure)


def scatter(truth: Float64Array, said: Float64Array) -> Markup:
    """Draw predicted against true numbers."""
    figure = Figure(figsize=(4.5, 4.5))
    axes = figure.subplots()
    axes.axline((truth.mean(), truth.mean()), slope=1, color="grey", linestyle=":")
    # Thousands of points are smaller as one picture.
    axes.scatter(truth, said, s=8, alpha=0.6, rasterized=len(truth) > MOST_POINTS)
    axes.set(xlabel="true", ylabel="predicted")
    return as_svg(figure)


def draw_images(
    adapter: Any, samples: Samples, items: Sequence[Any], titles: Sequence[str], seed: int | None
) -> Figure:
    """Draw samples as the network sees them; axes are labelled by the adapter's `edge_labels`.

    Of intensities the first channel is drawn; where the adapter has a `picture` of the items, that
    and all channels.

    Parameters
    ----------
    adapter : Adapter
        Fitted.
    samples : Samples
    items, titles : sequence [N]
        What the samples were made from.
    seed : int or None
        Augment as in training, with this seed; None: as in prediction.
    """
    renderer = adapter.renderer().train(seed is not None)
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    images = renderer(samples.to("cpu"), generator)
    height, width = adapter.spec_.height, adapter.spec_.width
    # Measured axes (Hz) rise; rows without a unit are read from the top.
    origin: Literal["upper", "lower"] = "lower" if height and height.unit else "upper"
    indexed = adapter.spec_.values == "index"
    known = [] if indexed else [adapter.picture(items[item]) for item in samples.items]
    if any(picture is not None for picture in known):
        names = [_drawable(titles[item]) for item in samples.items]
        channels = adapter.spec_.channels
        return draw_channels(known, images.pixels.numpy(), channels, names, origin=origin)
    pixels = _pictures(images)
    columns = min(2, len(pixels))
    rows = -(-len(pixels) // columns)
    figure = Figure(figsize=(6 * columns, 3.2 * rows), layout="constrained")
    all_axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes, image, item in zip(all_axes, pixels, samples.items, strict=False):
        axes.imshow(
            _coloured(image) if indexed else image,
            origin=origin,
            aspect="auto",
            interpolation="nearest",
        )
        if indexed:  # its rows are the channels
            axes.set_yticks(range(len(image)), adapter.spec_.channels)
        else:
            _label(axes.set_yticks, adapter, items[item], 0, len(image), TICKS)
        most = TICKS_OF_WORDS if indexed else TICKS
        _label(axes.set_xticks, adapter, items[item], 1, image.shape[1], most)
        if indexed:
            axes.tick_params("x", rotation=90)
        axes.set_ylabel(_title(height))
        axes.set_xlabel(_title(width))
        axes.set_title(_drawable(titles[item]), fontsize=9, parse_math=False)
    for axes in all_axes[len(pixels) :]:
        axes.set_axis_off()
    return figure


def _pictures(images: Images) -> list[NDArray[Any]]:
    """Return one picture [rows, columns] for each item: of a long one its first window.

    Of intensities the first channel; of categories all channels, one below the other.
    """
    firsts = np.arange(len(images.pixels))
    if images.windows is not None:
        firsts = (images.windows.cumsum(0) - images.windows).numpy()
    pixels = images.pixels.numpy()[firsts]
    if pixels.dtype == np.float32:
        return list(pixels[:, 0])
    pictures = [image.reshape(-1, image.shape[2]) for image in pixels]
    if images.mask is None:
        return pictures
    widths = images.mask.numpy()[firsts].any(axis=(1, 2)).sum(axis=1)
    return [picture[:, :width] for picture, width in zip(pictures, widths, strict=True)]


def _coloured(categories: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give categories colours, [rows, columns, 4]: equal ones the same, none none."""
    # Neighbouring numbers are no more alike than others, so they get distant hues.
    colours = np.asarray(mpl.colormaps["hsv"](categories * GOLDEN % 1))
    colours[categories == 0] = 0
    return colours


def _label(set_ticks: Any, adapter: Any, item: Any, axis: int, size: int, most: int) -> None:
    """Name some rows (axis 0) or columns (axis 1) in the adapter's own units."""
    places = np.unique(np.linspace(0, size - 1, min(most, size)).round().astype(int))
    labels = adapter.edge_labels(item, axis, places.tolist())
    set_ticks(places, [_drawable(label).replace("$", r"\$") for label in labels])


def _title(axis: Axis | None) -> str:
    if axis is None:
        return ""
    return f"{axis.name} ({axis.unit})" if axis.unit else axis.name


def _drawable(text: str) -> str:
    """Write what the font has no picture of by its number, U+4EBA, and cut a long text."""
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    known = font.get_charmap()
    pieces = [c if ord(c) in known else f" U+{ord(c):04X} " for c in _printable(text)]
    shown = "".join(pieces).replace("  ", " ").strip(" ") or text
    return shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 1]}…"


def _printable(text: str) -> str:
    """Write lone surrogates, which no font has and no file can hold, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
