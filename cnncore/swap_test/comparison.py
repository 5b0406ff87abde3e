"""The scores that people read: trained networks in the given and in shuffled orders, and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.image import Float32Array, IntArray
from cnnkit.cnncore.swap_test.baselines import baseline_predictions
from cnnkit.cnncore.swap_test.engines import Progress
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.scoring import score_interval, score_prior, skill
from cnnkit.cnncore.swap_test.trained import TrainedProbe

SHUFFLED = 9  # orders on which networks are trained beside the given one


@dataclass(frozen=True, eq=False)
class Comparison:
    """How several models do on the same folds.

    Parameters
    ----------
    scores : dict of str to Interval
        "cnn shuffled" is the mean, the least and the most of the shuffled orders.
    always : str
        Which of them is that of always predicting the same.
    network_scores : float64 array [orders]
        Of trained networks in shuffled orders; empty where they were left out.
    skills : dict of str to float
        Of the models that know of no order.
    notes : list of str
    """

    scores: dict[str, Interval]
    always: str
    network_scores: NDArray[np.float64]
    skills: dict[str, float]
    notes: list[str]


def compare_models(
    table: PreparedTable,
    groups: NDArray[np.int64] | None,
    scoring: str,
    networks: TrainedProbe,
    orders: Sequence[IntArray],
    *,
    time_limit: float,
    seed: int,
    n_jobs: int | None,
    on_progress: Progress,
) -> Comparison:
    """Score networks, models that know of no order, and always predicting the mean.

    Parameters
    ----------
    table : PreparedTable
    groups : int64 array [n] or None
        Rows that the bootstrap draws together.
    scoring : str
    networks : TrainedProbe
    orders : sequence of int64 array [D]
        The given one first.
    time_limit : float
        Networks are left out where their estimated time is above it.
    seed : int
    n_jobs : int or None
    on_progress : callable
    """

    def measured(said: Float32Array) -> Interval:
        return score_interval(scoring, table, said, seed=seed, groups=groups)

    scores: dict[str, Interval] = {}
    shuffled = np.array([])
    orders = orders[: SHUFFLED + 1]
    notes = networks.left_out(len(orders), time_limit)
    if not notes:
        said = networks.predictions(orders)
        scores["cnn"] = measured(said[0])
        each = [measured(one) for one in said[1:]]
        shuffled = np.array([one.value for one in each])
        scores["cnn shuffled"] = Interval(
            *map(float, (shuffled.mean(), *np.quantile(shuffled, [0, 1])))
        )
    on_progress("order-free models", 0, 1)
    others = baseline_predictions(table, seed=seed, n_jobs=n_jobs)
    on_progress("order-free models", 1, 1)
    scores |= {name: measured(one) for name, one in others.items()}
    always, prior = score_prior(scoring, table, seed=seed, groups=groups)
    scores[always] = prior
    skills = {name: skill(table, one) for name, one in others.items()}
    return Comparison(scores, always, shuffled, skills, notes)
