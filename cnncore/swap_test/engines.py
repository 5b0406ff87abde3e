"""Scores orders until the p-value is settled and the effect is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.probe import Losses
from cnnkit.cnncore.swap_test.sequential import PValue, sequential_p

FEWEST_ORDERS = 39  # random ones: fewer say too little about the effect
ORDERS_AT_ONCE = 20

Progress = Callable[[str, int, int], None]


class Engine(Protocol):
    """Whatever gives the held-out errors of a table's columns in some orders."""

    def losses(self, orders: Sequence[IntArray]) -> Losses:
        """Score each order, all in the same way."""
        ...


def score_orders(
    engine: Engine, orders: Sequence[IntArray], prior: np.ndarray, on_progress: Progress
) -> tuple[Losses, PValue]:
    """Score the given order and random ones, until more of them can't change the p-value.

    Parameters
    ----------
    engine : Engine
    orders : sequence of int64 array [D]
        The given one first.
    prior : float64 array [n]
        Squared errors of always predicting the mean.
    on_progress : callable (what, done, total)

    Returns
    -------
    losses : Losses
        Of the given order and all random orders that were scored.
    p : PValue
        From statistic A.
    """
    most = len(orders) - 1
    done: list[Losses] = []
    scored = 0
    p = PValue(1.0, 0, settled=False)
    while scored <= most and not (p.settled and scored > min(FEWEST_ORDERS, most)):
        count = FEWEST_ORDERS + 1 if not scored else ORDERS_AT_ONCE
        done.append(engine.losses(orders[scored : scored + count]))
        scored += len(done[-1].alone)
        skills = 1 - np.concatenate([losses.alone.sum(axis=1) for losses in done]) / prior.sum()
        p = sequential_p(skills[0], skills[1:], most)
        on_progress("random orders", scored - 1, most)
    alone, beside = (np.concatenate(kind) for kind in zip(*done, strict=True))
    return Losses(alone, beside), p
