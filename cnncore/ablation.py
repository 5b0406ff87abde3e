"""What the image adds: a network beside its two halves, the image and the side features alone."""

from __future__ import annotations

import copy
from itertools import dropwhile
from time import perf_counter
from typing import Any

from numpy.typing import NDArray
from sklearn.base import clone

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.experiment import Experiment, Fitted, Rows
from cnnkit.cnncore.layer_types import Side, to_text
from cnnkit.cnncore.metrics import main_metric
from cnnkit.cnncore.scores import Task, compare, opposite, size_of
from cnnkit.cnncore.shapes import without_image
from cnnkit.cnncore.spec import parse

SIDE, IMAGE, BOTH = "side features alone", "image alone", "both"


def halves(network: str) -> dict[str, str]:
    """Write the specs of a network's two halves; none where it has no side features or no image.

    Examples
    --------
    >>> halves("conv 8x1x3 | relu | gmp | wide")
    {'side features alone': 'wide', 'image alone': 'conv 8x1x3 | relu | gmp'}
    >>> halves("conv 8x3x3 | gap | side | dense 9 | relu | forest")["side features alone"]
    'side | dense 9 | relu | forest'
    >>> halves("conv 8x3x3 | gap | forest")["side features alone"]
    'wide | forest'
    >>> halves("conv 8x1x3 | relu | gmp")
    {}
    """
    layers = parse(network)
    image = tuple(layer for layer in layers if not isinstance(layer, Side))
    if image == layers or without_image(layers):
        return {}
    joined = tuple(dropwhile(lambda layer: not isinstance(layer, Side), layers))
    if joined == (Side("forest"),):  # which votes beside a network, so there must be one
        joined = (Side("wide"), *joined)
    return {SIDE: to_text(joined), IMAGE: to_text(image)}


def ablate(
    experiment: Experiment,
    fitted: Fitted,
    rows: dict[str, Rows],
    groups: NDArray[Any] | None = None,
) -> dict[str, Any]:
    """Train the halves of a fitted network on the same split, and compare them with it.

    Parameters
    ----------
    experiment : Experiment
        That `fitted` comes from.
    fitted : Fitted
    rows : dict
        Its "train", "val" and "test".
    groups : int64 array [items] or None
        Items that the bootstrap draws together.

    Returns
    -------
    dict
        Empty where there is nothing to compare. Else `part` ("test", or "val" without it), `n`, for
        each of the three networks its main metric's Interval, `adds` (of both over side features
        alone), `text`, the same in words, and `seconds`, what the halves took.
    """
    part = next((part for part in ("test", "val") if part in fitted.network), None)
    specs = halves(fitted.model.network_)
    if part is None or not specs:
        return {}
    start = perf_counter()
    said = {name: _fit(experiment, spec, rows).network[part] for name, spec in specs.items()}
    seconds = perf_counter() - start
    said[BOTH] = fitted.network[part]
    metric = main_metric(experiment.task)
    adds = compare(experiment.y, said[BOTH], said[SIDE], experiment.task, groups)
    return {
        "part": part,
        "n": len(said[BOTH].rows),
        **{
            name: one.score(experiment.y, experiment.task, groups)[metric]
            for name, one in said.items()
        },
        "adds": adds,
        "text": in_words(adds, experiment.task, len(said[BOTH].rows), specs[SIDE]),
        "seconds": round(seconds, 3),
    }


def in_words(adds: Interval, task: Task, n: int, side: str = "wide") -> str:
    """Say what the image adds to the side features alone, whose network is `side`.

    Examples
    --------
    >>> in_words(Interval(0.04, 0.02, 0.06), "classification", 500)[:58]
    'The image is worth 4.0 points of accuracy [2.0, 6.0]: the '
    >>> in_words(Interval(0.001, -0.02, 0.02), "classification", 500)
    "500 items can't tell whether the image adds anything: 0.1 points of accuracy [-2.0, 2.0]."
    """
    gain = opposite(adds) if task == "regression" else adds
    size, worse = size_of(gain, task), size_of(opposite(gain), task)
    if gain.low > 0:
        return f"The image is worth {size}: the side features alone are behind by that."
    if gain.high < 0:
        return f"The image costs {worse}: the side features alone are better (--network '{side}')."
    return f"{n:,} items can't tell whether the image adds anything: {size}."


def _fit(experiment: Experiment, network: str, rows: dict[str, Rows]) -> Fitted:
    half = copy.copy(experiment)  # which shares what was read
    half.model = clone(experiment.model).set_params(network=network)
    half.with_baseline = False
    half.on_start = half.on_epoch = lambda told: None
    half.seconds = dict.fromkeys(experiment.seconds, 0.0)
    return half.fit(**rows)
