"""Pictures of a swap test: orders' scores, models' scores, and how the columns correlate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cnnkit.cnncore.swap_test.result import SwapTestResult
from cnnkit.cnncore.swap_test.summary import (
    MODELS,
    NAME_WIDTH,
    count,
    metric_name,
    ranked_models,
    shorten,
)

BINS = 20
MOST_NAMES = 30  # more of them can't be read beside a map
GIVEN, SHUFFLED = "#d1495b", "#4c78a8"


def draw_scores(result: SwapTestResult, axes: Axes | None = None) -> Axes:
    """Draw the shuffled orders' scores as a histogram, with a line for the given order.

    Parameters
    ----------
    result : SwapTestResult
    axes : matplotlib Axes or None
        Where to draw; None: on a new figure.

    Returns
    -------
    Axes
    """
    if axes is None:
        axes = Figure(figsize=(7, 3), layout="constrained").subplots()
    scores = result.permutation_scores
    space = 1e-6 * max(1.0, float(np.abs(scores).max()))  # equal scores need a bin, too
    edges = np.linspace(scores.min() - space, scores.max() + space, BINS + 1).tolist()
    label = count(len(scores), "shuffled order")
    axes.hist(scores, bins=edges, color=SHUFFLED, label=label)
    axes.axvline(result.score, color=GIVEN, linewidth=2, label=f"given order {result.score:.3f}")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="skill of a convolution", ylabel="shuffled orders")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return axes


def scores_figure(result: SwapTestResult) -> Figure:
    """Draw every model's score with its interval, and each shuffled network's score as a dot.

    Parameters
    ----------
    result : SwapTestResult

    Returns
    -------
    Figure
    """
    models = ranked_models(result)[::-1]  # the first one stands at the top
    figure = Figure(figsize=(7, 0.8 + 0.45 * len(models)), layout="constrained")
    axes = figure.subplots()
    for place, model in enumerate(models):
        score = result.scores[model]
        reach = [[max(score.value - score.low, 0)], [max(score.high - score.value, 0)]]
        colour = GIVEN if model == "cnn" else SHUFFLED
        axes.errorbar(score.value, place, xerr=reach, fmt="o", color=colour, capsize=4)
        if model == "cnn shuffled":
            dots = result.network_scores
            axes.scatter(dots, np.full(len(dots), place - 0.25), s=14, color=SHUFFLED, alpha=0.5)
    axes.set_yticks(range(len(models)), [MODELS[model] for model in models])
    axes.set_ylim(-0.6, len(models) - 0.4)
    axes.set_xlabel(drawable(metric_name(result)), parse_math=False)
    axes.grid(axis="x", alpha=0.3)
    return figure


def correlation_figure(result: SwapTestResult, seed: int = 0) -> Figure | None:
    """Draw how strongly any two columns correlate: in the given order, and in a shuffled one.

    Parameters
    ----------
    result : SwapTestResult
    seed : int
        Of the shuffled order.

    Returns
    -------
    Figure or None
        None where no correlations were kept.
    """
    strength = np.abs(result.correlation)
    if not strength.size:
        return None
    names = [drawable(unit.name) for unit in result.units]
    given = np.arange(len(names))
    shuffled = np.random.default_rng(seed).permutation(len(names))
    figure = Figure(figsize=(10, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, title, order in (
        (left, "given order", given),
        (right, "a shuffled order", shuffled),
    ):
        drawn = axes.imshow(strength[np.ix_(order, order)], cmap="viridis", vmin=0, vmax=1)
        axes.set_title(title)
        _name_places(axes, [names[unit] for unit in order])
    figure.colorbar(drawn, ax=[left, right], shrink=0.7, label="absolute correlation")
    return figure


def drawable(text: str) -> str:
    """Return one short line in which "?" stands for what the font has no picture of.

    Examples
    --------
    >>> drawable("price in €, 价格")
    'price in €, ??'
    """
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    known = font.get_charmap()
    return "".join(c if ord(c) in known else "?" for c in shorten(text, NAME_WIDTH))


def _name_places(axes: Axes, names: Sequence[str]) -> None:
    """Label both axes of a map, unless there are too many names to read."""
    if len(names) > MOST_NAMES:
        axes.set(xticks=[], yticks=[])
        return
    places = range(len(names))
    axes.set_xticks(places, names, rotation=90, fontsize=8, parse_math=False)
    axes.set_yticks(places, names, fontsize=8, parse_math=False)
