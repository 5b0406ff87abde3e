"""How good predicted numbers are: of one target, or of several, some of which aren't known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cnnkit.cnncore.bootstrap import Interval, bootstrap
from cnnkit.cnncore.calibration import Family, FloatArray
from cnnkit.cnncore.metrics import check_arrays, mean_ratio


def regression_metrics(
    y: ArrayLike,
    prediction: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    groups: ArrayLike | None = None,
) -> dict[str, Interval]:
    """Measure predicted numbers against true ones.

    Parameters
    ----------
    y, prediction : float64 array [N] or [N, T]
        With several targets, NaN in `y` where nobody knows, which counts nowhere.
    seed, resamples, groups
        As for `classification_metrics`.

    Returns
    -------
    dict of str to Interval
        mae and rmse, in the target's unit; r2, which a constant target lacks. Of several targets
        each is the mean over them, mae and rmse in standard deviations of each target over these
        rows; targets that are constant here are left out, unless all are.

    Raises
    ------
    ValueError
        If shapes differ or numbers aren't finite.

    Examples
    --------
    >>> regression_metrics([1.0, 2.0, 3.0], [1.0, 2.0, 5.0])["r2"].value
    -1.0
    >>> regression_metrics([[1, 90], [3, np.nan], [np.nan, 70]], [[2, 80]] * 3)["rmse"].value
    1.0
    """
    truth, guess = np.asarray(y, np.float64), np.asarray(prediction, np.float64)
    check_arrays(truth.shape, y=_known(truth), prediction=guess)
    return bootstrap((errors(truth, guess),), len(truth), seed, resamples, groups)


def target_table(
    y: ArrayLike,
    prediction: ArrayLike,
    names: Sequence[object],
    *,
    groups: ArrayLike | None = None,
) -> list[dict[str, Any]]:
    """Measure every target for itself, in its own unit, on the rows where it is known.

    Parameters
    ----------
    y, prediction : float64 array [N, T]
        As for `regression_metrics`.
    names : sequence [T]
        The targets'.
    groups
        As for `classification_metrics`.

    Returns
    -------
    list of dict [T]
        target, known (number of rows), and rmse, mae and r2, each an Interval, or None where it is
        undefined.

    Examples
    --------
    >>> row = target_table([[1.0], [3.0], [np.nan]], [[2.0], [4.0], [9.0]], ["logS"])[0]
    >>> row["target"], row["known"], row["rmse"].value, row["r2"].value
    ('logS', 2, 1.0, 0.0)
    """
    truth, guess = np.asarray(y, np.float64), np.asarray(prediction, np.float64)
    rows = []
    for target, name in enumerate(names):
        known = np.flatnonzero(~np.isnan(truth[:, target]))
        among = None if groups is None else np.asarray(groups)[known]
        found: dict[str, Interval] = {}
        if len(known):
            found = regression_metrics(truth[known, target], guess[known, target], groups=among)
        scores = {metric: found.get(metric) for metric in ("rmse", "mae", "r2")}
        rows.append({"target": str(name), "known": len(known), **scores})
    return rows


def rmse_difference(
    y: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    groups: ArrayLike | None = None,
) -> Interval:
    """Measure how far model `a` is behind model `b` on the same rows: rmse(a) - rmse(b).

    Parameters
    ----------
    y, a, b : float64 array [N] or [N, T]
        True and predicted numbers, as for `regression_metrics`.
    seed, resamples, groups
        As for `classification_metrics`.

    Raises
    ------
    ValueError
        If shapes differ or numbers aren't finite.

    Examples
    --------
    >>> rmse_difference([0.0, 1.0], [0.0, 1.0], [1.0, 2.0]).value
    -1.0
    """
    truth, first, second = (np.asarray(x, np.float64) for x in (y, a, b))
    check_arrays(truth.shape, y=_known(truth), a=first, b=second)
    measures = errors(truth, first), errors(truth, second)

    def difference(counts: FloatArray) -> dict[str, FloatArray]:
        return {"rmse": measures[0](counts)["rmse"] - measures[1](counts)["rmse"]}

    return bootstrap((difference,), len(truth), seed, resamples, groups)["rmse"]


def errors(y: FloatArray, prediction: FloatArray) -> Family:
    """Prepare mae, rmse and r2, to be measured on many resamples at once.

    Parameters
    ----------
    y, prediction : float64 arrays [N] or [N, T]
        As for `regression_metrics`.
    """
    truth, said = (numbers.reshape(len(y), -1).T for numbers in (y, prediction))
    if len(truth) > 1:
        truth, said = _in_deviations(truth, said)
    known = ~np.isnan(truth)
    error = np.where(known, said - truth, 0.0)
    # Far from zero, the difference of two sums of squares would be rounding noise.
    centred = np.where(known, truth - np.nanmean(truth, axis=1, keepdims=True), 0.0)

    def measure(counts: FloatArray) -> dict[str, FloatArray]:
        n_rows = known @ counts
        least = np.maximum(n_rows, 1)  # a resample may know nothing of a target
        drawn = (n_rows > 0).astype(np.float64)
        squared_error, squares = error**2 @ counts, centred**2 @ counts
        scatter = squares - (centred @ counts) ** 2 / least
        scatter[scatter <= 1e-12 * squares] = 0  # constant but for rounding
        return {
            "mae": mean_ratio(np.abs(error) @ counts / least, drawn),
            "rmse": mean_ratio(np.sqrt(squared_error / least), drawn),
            "r2": mean_ratio(scatter - squared_error, scatter),
        }

    return measure


def _in_deviations(truth: FloatArray, said: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Divide each target [N] by its standard deviation; leave those out that have none."""
    known = ~np.isnan(truth).all(axis=1)
    truth, said = truth[known], said[known]
    varies = np.nanmax(truth, axis=1) > np.nanmin(truth, axis=1)
    if not varies.any():
        return truth, said
    truth, said = truth[varies], said[varies]
    scale = np.nanstd(truth, axis=1, keepdims=True)
    return truth / scale, said / scale


def _known(y: FloatArray) -> FloatArray:
    """Fill in what isn't known of several targets, so that all that is left must be finite."""
    several = y.ndim == 2 and y.shape[1] > 1
    gaps = np.isnan(y) & (several and not np.isnan(y).all())
    return np.where(gaps, 0.0, y)
