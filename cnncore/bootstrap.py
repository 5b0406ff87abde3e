"""Intervals for any metric: what it would have been on other rows drawn from the same source.

A resample of N rows is a column of counts: how often each row was drawn. A *family* of metrics is
a function from counts [N, B] to values [B], so the data itself (all counts are 1) and every
resample go through the same lines, many at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import floor, log10

import numpy as np
from numpy.typing import ArrayLike

from cnnkit.cnncore.calibration import Family, FloatArray

_COUNTS_PER_CHUNK = 2**19  # 4 MiB: small enough for the cache, large enough for numpy
_TAIL = 0.025  # on either side of a 95 % interval


@dataclass(frozen=True)
class Interval:
    """A metric's value on the data (float), and its 95 % bootstrap interval (low, high: float).

    Examples
    --------
    >>> print(Interval(0.9131, 0.8942, 0.9308))
    0.913 [0.894, 0.931]
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return value, low and high by name, as JSON wants them."""
        return asdict(self)

    def __str__(self) -> str:
        """Three decimals; fewer where numbers are large, more (up to 6) where they are tiny.

        Where no resample differs, there is no interval: that they are alike is no certainty.
        """
        largest = max(abs(self.value), abs(self.low), abs(self.high))
        digits = floor(log10(largest)) if largest else 0
        decimals = min(max(0, 3 - max(digits, 0) + max(-2 - digits, 0)), 6)
        if self.low == self.high:
            return f"{self.value:.{decimals}f}"
        return f"{self.value:.{decimals}f} [{self.low:.{decimals}f}, {self.high:.{decimals}f}]"


def bootstrap(
    families: tuple[Family, ...], n_rows: int, seed: int, resamples: int, groups: ArrayLike | None
) -> dict[str, Interval]:
    """Turn families of metrics into 95 % intervals; what is undefined on the data is left out.

    Parameters
    ----------
    families : tuple of Family
        Each from counts [N, B] to metrics [B] by name.
    n_rows, seed, resamples : int
    groups : int array [N] or None
        Rows of the same group are drawn together.

    References
    ----------
    Efron, Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13.
    """
    chunks = []
    for counts in _draw(n_rows, seed, resamples, groups):
        chunks.append({name: x for family in families for name, x in family(counts).items()})
    found = {}
    for name in chunks[0]:
        values = np.concatenate([chunk[name] for chunk in chunks])
        defined = values[1:][np.isfinite(values[1:])]
        if np.isfinite(values[0]) and defined.size:
            found[name] = Interval(*map(float, (values[0], *np.percentile(defined, [2.5, 97.5]))))
    return found


def _draw(n_rows: int, seed: int, resamples: int, groups: ArrayLike | None) -> Iterator[FloatArray]:
    """Yield counts [N, B]: of the data itself (all ones), then of the resamples, by chunks."""
    yield np.ones((n_rows, 1))
    unit = np.arange(n_rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    if unit.shape != (n_rows,):
        raise ValueError(f"`groups` has shape {unit.shape}: expected ({n_rows},), one for each row")
    n_units = unit.max() + 1
    generator = np.random.default_rng(seed)
    width = max(1, _COUNTS_PER_CHUNK // n_rows)
    for start in range(0, resamples, width):
        size = min(width, resamples - start)
        drawn = generator.integers(n_units, size=(size, n_units)) * size + np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_units * size).reshape(n_units, size)
        yield counts.astype(np.float64)[unit]


def widen_perfect(score: Interval, units: int) -> Interval:
    """Widen the interval of a share that is 0 or 1, which resampling the same rows never does.

    Parameters
    ----------
    score : Interval
        Of a share such as accuracy.
    units : int
        Rows, or groups of rows, that were drawn.

    References
    ----------
    Clopper, Pearson (1934), "The use of confidence or fiducial limits": the exact limit where all
    of n trials end alike is 0.025 ** (1 / n).

    Examples
    --------
    >>> print(widen_perfect(Interval(1.0, 1.0, 1.0), 72))
    1.000 [0.950, 1.000]
    """
    limit = float(_TAIL ** (1 / units))
    if score.value == 1:
        return Interval(1.0, limit, 1.0)
    return Interval(0.0, 0.0, 1 - limit) if score.value == 0 else score
