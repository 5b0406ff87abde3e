"""What a swap test found, as one frozen object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnkit.cnncore.bootstrap import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Verdict = Literal["order matters", "order does not matter", "inconclusive"]
Model = Literal["cnn", "gradient boosting", "linear", "none"]


@dataclass(frozen=True)
class Advice:
    """Which model to use for this table.

    Parameters
    ----------
    model : "cnn", "gradient boosting", "linear" or "none"
        "none" where no model learnt anything.
    text : str
        One sentence for people.
    """

    model: Model
    text: str


@dataclass(frozen=True)
class UnitInfo:
    """One column of the table, as the test took it.

    Parameters
    ----------
    name : str
    kind : "number", "category", "date" or "text"
    width : int
        Columns that it became; they stay side by side wherever the unit moves.
    note : str
        How it was encoded, or "".
    """

    name: str
    kind: str
    width: int
    note: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class SwapTestResult:
    """The outcome of `swap_test`.

    Parameters
    ----------
    score : float
        Statistic A of the given order: skill (the share of the squared error of always predicting
        the mean that disappears; Brier skill for classes, R² for numbers) of the convolution
        alone, over the held-out rows.
    permutation_scores : float64 array [K]
        The same for each random order that was scored. The p-value counts the first
        `settings["draws"]` of them, which settled it; the effect counts all.
    pvalue : float
        Probability that a random order scores as well as the given one, if the given order is no
        more than a random order.
    effect, interval : float and (float, float)
        Statistic B: what the given order adds, in skill, over the mean of the shuffled ones where
        the model sees the raw columns too; each end is a one-sided 95 % bound.
    score_low : float
        One-sided lower 95 % bound of `score`.
    bar : float
        What the effect's upper bound must stay below for "order does not matter": the margin, or
        half of the skill if that is less.
    gain_share : float
        Share of the error left by shuffled orders that the given order removes (statistic A).
    verdict : "order matters", "order does not matter" or "inconclusive"
    reason : str
        Why, in words; of an inconclusive verdict also what would settle it.
    advice : Advice
    scoring : str
        What `scores` are: "accuracy", "roc_auc", "r2", …
    scores : dict of str to Interval
        Held-out scores with 95 % intervals: "cnn" (a trained network, missing where it was left
        out), "linear", "gradient boosting", and "majority class" or "mean". "cnn shuffled": the
        mean, the least and the most of the networks in shuffled orders.
    network_scores : float64 array [orders]
        The trained network's score for each shuffled order; empty where it was left out.
    target, task : str
    classes : tuple of str or None
    rows, rows_total : int
        Rows that were tested, and those with a known target.
    units : tuple of UnitInfo
        In the given order.
    set_aside : dict of str to str
        Columns that took no part, and why.
    notes : tuple of str
        What was guessed, or left out, as sentences.
    settings : dict
        Everything that decides the outcome: engine, permutations asked for, folds, margin, alpha,
        max_rows, seed, shape, network, device.
    seconds : dict of str to float
        Time of each step, and "total".
    correlation : float64 array [units, units]
        Correlations of the units in the given order, for the report's map.
    """

    score: float
    permutation_scores: NDArray[np.float64]
    pvalue: float
    effect: float
    interval: tuple[float, float]
    score_low: float
    bar: float
    gain_share: float
    verdict: Verdict
    reason: str
    advice: Advice
    scoring: str
    scores: dict[str, Interval]
    network_scores: NDArray[np.float64]
    target: str
    task: Literal["classification", "regression"]
    classes: tuple[str, ...] | None
    rows: int
    rows_total: int
    units: tuple[UnitInfo, ...]
    set_aside: dict[str, str]
    notes: tuple[str, ...]
    settings: dict[str, Any]
    seconds: dict[str, float]
    correlation: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def baselines(self) -> dict[str, Interval]:
        """Scores of the models that know of no order."""
        return {name: score for name, score in self.scores.items() if not name.startswith("cnn")}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        from cnnkit.cnncore.model_folder import versions

        return {
            "target": self.target,
            "task": self.task,
            "classes": None if self.classes is None else list(self.classes),
            "rows": self.rows,
            "rows_total": self.rows_total,
            "units": [vars(unit) for unit in self.units],
            "set_aside": self.set_aside,
            "score": self.score,
            "permutation_scores": self.permutation_scores.tolist(),
            "pvalue": self.pvalue,
            "effect": {"value": self.effect, "low": self.interval[0], "high": self.interval[1]},
            "score_low": self.score_low,
            "bar": self.bar,
            "gain_share": self.gain_share,
            "verdict": self.verdict,
            "reason": self.reason,
            "advice": vars(self.advice),
            "scoring": self.scoring,
            "scores": {name: score.to_dict() for name, score in self.scores.items()},
            "network_scores": self.network_scores.tolist(),
            "notes": list(self.notes),
            "settings": self.settings,
            "seconds": self.seconds,
            "versions": versions(),
        }

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the shuffled orders' scores as a histogram, with a line for the given order.

        Parameters
        ----------
        axes : matplotlib Axes or None
            Where to draw; None: on a new figure of pyplot, which notebooks show.

        Returns
        -------
        Axes
        """
        from cnnkit.cnncore.swap_test.pictures import draw_scores

        if axes is None:
            from matplotlib import pyplot

            axes = pyplot.figure(figsize=(7, 3), layout="constrained").subplots()
        return draw_scores(self, axes)

    def __repr__(self) -> str:
        """Write what `cnnkit check-table` prints."""
        from cnnkit.cnncore.swap_test.summary import summary

        return summary(self)
