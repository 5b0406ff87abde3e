"""Targets of several columns: labels, 1 or 0, or numbers, and NaN where nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.cnncore.image import Samples

Float64Array = NDArray[np.float64]
HeldOut = tuple[Samples, NDArray[Any]] | None


def has_columns(y: Any) -> bool:
    """Say whether each row has several targets: a matrix of two columns or more.

    Examples
    --------
    >>> has_columns([[0, 1], [1, np.nan]]), has_columns(["a", "b"])
    (True, False)
    """
    shape = np.asarray(y).shape
    return len(shape) == 2 and shape[1] > 1


def label_matrix(y: Any) -> Float64Array:
    """Return multi-label targets as float64 [N, K] of 0, 1 and NaN (not known).

    Raises
    ------
    ValueError
        If they hold anything else.

    Examples
    --------
    >>> label_matrix([[True, False], [1, np.nan]])
    array([[ 1.,  0.],
           [ 1., nan]])
    """
    expected = "multi-label targets (a matrix): expected 0, 1 or NaN (not known)"
    return _matrix(y, expected, lambda matrix: np.isin(matrix, (0, 1)))


def number_matrix(y: Any) -> Float64Array:
    """Return the targets of a regression as float64 [N, T] of numbers and NaN (not known).

    Raises
    ------
    ValueError
        If they hold anything else.

    Examples
    --------
    >>> number_matrix([[0.5, None], [1, 7]])
    array([[0.5, nan],
           [1. , 7. ]])
    """
    return _matrix(y, "several targets: expected finite numbers or NaN (not known)", np.isfinite)


def _matrix(y: Any, expected: str, fits: Callable[[Float64Array], Any]) -> Float64Array:
    """Read a matrix of what fits, and of NaN."""
    try:
        matrix = np.array(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{expected}, found what is no number ({error})") from None
    wrong = np.argwhere(~(np.isnan(matrix) | fits(matrix)))
    if len(wrong):
        row, column = wrong[0].tolist()
        more = f", and {len(wrong) - 1:,} more such cells" if len(wrong) > 1 else ""
        raise ValueError(
            f"{expected}, found {matrix[row, column]:g} in row {row}, column {column}{more}"
        )
    return matrix


def column_names(y: Any) -> NDArray[Any]:
    """Return the names of labels or targets, [K]: a DataFrame's columns, else numbers from 0."""
    columns = getattr(y, "columns", None)
    return np.arange(np.asarray(y).shape[1]) if columns is None else np.asarray(columns)


def check_known(targets: Float64Array, names: NDArray[Any]) -> None:
    """Refuse labels or targets of which no training row says anything.

    Raises
    ------
    ValueError
    """
    unknown = names[np.isnan(targets).all(axis=0)].tolist()
    if unknown:
        raise ValueError(
            f"no training row says anything about {unknown}: leave these targets out, or fill in "
            "some of their cells"
        )


def positive_weights(targets: Float64Array, class_weight: object) -> NDArray[np.float32] | None:
    """Weigh each label's positive cells so that they count as much as its negative ones.

    Parameters
    ----------
    targets : float64 array [N, K]
    class_weight : "balanced" or None

    Returns
    -------
    float32 array [K] or None
        1 where a label has one value only.

    Raises
    ------
    ValueError
        If the class weights are anything else.

    Examples
    --------
    >>> positive_weights(np.array([[1, 1], [0, 1], [0, np.nan], [0, 1]]), "balanced")
    array([3., 1.], dtype=float32)
    """
    if class_weight is None:
        return None
    if class_weight != "balanced":
        raise ValueError(
            f'class_weight={class_weight!r} with multi-label targets: expected "balanced" or None'
        )
    positive, negative = (targets == 1).sum(axis=0), (targets == 0).sum(axis=0)
    both = (positive > 0) & (negative > 0)
    return np.where(both, negative / np.maximum(positive, 1), 1.0).astype(np.float32)


def rows_with_targets(held_out: HeldOut, n_targets: int) -> HeldOut:
    """Keep the validation samples of which a target is known; None if there are none.

    Raises
    ------
    ValueError
        If there aren't `n_targets` targets.
    """
    if held_out is None:
        return None
    samples, targets = held_out
    if targets.ndim != 2 or targets.shape[1] != n_targets:
        raise ValueError(
            f"validation targets of shape {targets.shape}: expected [N, {n_targets}], as in "
            "training"
        )
    known = np.flatnonzero(~np.isnan(targets).all(axis=1))
    return (samples[known], targets[known]) if len(known) else None
