"""A p-value that stops early where it is large anyway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ENOUGH = 20  # random orders at least as good as the given one: the next ones hardly change p


@dataclass(frozen=True)
class PValue:
    """A Monte-Carlo p-value.

    Parameters
    ----------
    value : float
    draws : int
        Random orders that it rests on.
    settled : bool
        No further order can change it.
    """

    value: float
    draws: int
    settled: bool


def sequential_p(score: float, permutation_scores: NDArray[np.float64], most: int) -> PValue:
    """Compare the given order's score with those of random orders, in the order of their drawing.

    Drawing ends when `ENOUGH` of them are at least as good (p = `ENOUGH` / draws), or after `most`
    (p = (1 + those at least as good) / (most + 1)). Both are exact: where the given order is one
    more random order, p <= x has at most probability x.

    Parameters
    ----------
    score : float
    permutation_scores : float64 array [drawn so far]
    most : int

    References
    ----------
    Besag, Clifford (1991), "Sequential Monte Carlo p-values", Biometrika 78.
    Phipson, Smyth (2010), "Permutation p-values should never be zero".

    Examples
    --------
    >>> sequential_p(0.9, np.full(39, 0.5), most=39)
    PValue(value=0.025, draws=39, settled=True)
    >>> sequential_p(0.1, np.full(39, 0.5), most=99)
    PValue(value=1.0, draws=20, settled=True)
    """
    as_good = np.flatnonzero(~(permutation_scores < score))
    if len(as_good) >= ENOUGH:
        draws = int(as_good[ENOUGH - 1]) + 1
        return PValue(ENOUGH / draws, draws, settled=True)
    drawn = min(len(permutation_scores), most)
    return PValue((1 + len(as_good)) / (drawn + 1), drawn, settled=drawn == most)
