"""What the squared errors of all orders say: the effect of the given order, and its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ONE_SIDED_95 = 1.645  # standard errors


@dataclass(frozen=True, eq=False)
class Effect:
    """How much skill the given order adds to that of random orders.

    Parameters
    ----------
    skills : float64 array [orders]
        Of the given order, then of the random ones.
    value : float
        Skill of the given order above the mean of the random ones.
    rows_error, orders_error : float
        Standard errors of `value`: because there are few rows, and because few orders were drawn.
    learnt : float
        One-sided lower 95 % bound of the mean skill over all orders.
    """

    skills: NDArray[np.float64]
    value: float
    rows_error: float
    orders_error: float
    learnt: float

    @property
    def error(self) -> float:
        """The whole standard error."""
        return float(np.hypot(self.rows_error, self.orders_error))

    @property
    def low(self) -> float:
        """One-sided lower 95 % bound."""
        return self.value - ONE_SIDED_95 * self.error

    @property
    def high(self) -> float:
        """One-sided upper 95 % bound."""
        return self.value + ONE_SIDED_95 * self.error

    @property
    def reached(self) -> float:
        """One-sided lower 95 % bound of the given order's skill."""
        return float(self.skills[0] - (self.skills.mean() - self.learnt))

    @property
    def gain_share(self) -> float:
        """Share of the error that random orders leave, which the given order removes."""
        return self.value / max(1 - float(self.skills[1:].mean()), 1e-9)


def measure_effect(
    losses: NDArray[np.float64],
    prior: NDArray[np.float64],
    groups: NDArray[np.int64] | None = None,
) -> Effect:
    """Compare the given order with random ones.

    Parameters
    ----------
    losses : float64 array [orders, n]
        Squared errors of held-out rows; the given order first.
    prior : float64 array [n]
        The same for always predicting the training rows' mean.
    groups : int64 array [n] or None
        Rows of a group err alike, so that groups, not rows, are what the interval counts.

    Examples
    --------
    >>> losses = np.array([[0.1, 0.3], [0.3, 0.4], [0.3, 0.6]])
    >>> effect = measure_effect(losses, prior=np.array([0.5, 0.5]))
    >>> effect.skills.round(3).tolist(), round(effect.value, 3)
    ([0.6, 0.3, 0.1], 0.4)
    """
    skills = 1 - losses.sum(axis=1) / prior.sum()
    saved = (losses[1:].mean(axis=0) - losses[0]) / prior.mean()
    learnt = (prior - losses.mean(axis=0)) / prior.mean()
    return Effect(
        skills=skills,
        value=float(skills[0] - skills[1:].mean()),
        rows_error=_error_of_mean(saved, groups),
        orders_error=float(skills[1:].std(ddof=1) / np.sqrt(len(skills) - 1)),
        learnt=float(learnt.mean() - ONE_SIDED_95 * _error_of_mean(learnt, groups)),
    )


def _error_of_mean(values: NDArray[np.float64], groups: NDArray[np.int64] | None) -> float:
    """Return the standard error of a mean over rows; rows of a group stand or fall together."""
    excess = values - values.mean()
    if groups is not None:
        excess = np.bincount(groups, weights=excess)
    correction = len(excess) / max(len(excess) - 1, 1)
    return float(np.sqrt(np.square(excess).sum() * correction) / len(values))
