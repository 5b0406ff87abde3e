"""Multi-label targets: a matrix of 1, 0 and NaN where nobody knows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.cnncore.image import Samples

Float64Array = NDArray[np.float64]
HeldOut = tuple[Samples, NDArray[Any]] | None


def is_multilabel(y: Any) -> bool:
    """Say whether targets are several labels for each row: a matrix of two columns or more.

    Examples
    --------
    >>> is_multilabel([[0, 1], [1, np.nan]]), is_multilabel(["a", "b"])
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
    try:
        matrix = np.array(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{expected}, found what is no number ({error})") from None
    wrong = np.argwhere(~(np.isnan(matrix) | np.isin(matrix, (0, 1))))
    if len(wrong):
        row, column = wrong[0].tolist()
        more = f", and {len(wrong) - 1:,} more such cells" if len(wrong) > 1 else ""
        raise ValueError(
            f"{expected}, found {matrix[row, column]:g} in row {row}, column {column}{more}"
        )
    return matrix


def label_names(y: Any) -> NDArray[Any]:
    """Return the names of the labels, [K]: the columns of a DataFrame, else numbers from 0."""
    columns = getattr(y, "columns", None)
    return np.arange(np.asarray(y).shape[1]) if columns is None else np.asarray(columns)


def check_known(targets: Float64Array, names: NDArray[Any]) -> None:
    """Refuse labels of which no training row says anything.

    Raises
    ------
    ValueError
    """
    unknown = names[np.isnan(targets).all(axis=0)].tolist()
    if unknown:
        raise ValueError(
            f"no training row says whether it has the labels {unknown}: leave them out, or fill "
            "in some of their cells"
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


def rows_with_labels(held_out: HeldOut, n_labels: int) -> HeldOut:
    """Keep the validation samples of which a label is known; None if there are none.

    Raises
    ------
    ValueError
        If the targets aren't those of `n_labels` labels.
    """
    if held_out is None:
        return None
    samples, targets = held_out
    if targets.ndim != 2 or targets.shape[1] != n_labels:
        raise ValueError(
            f"validation targets of shape {targets.shape}: expected [N, {n_labels}], as in training"
        )
    known = np.flatnonzero(~np.isnan(targets).all(axis=1))
    return (samples[known], targets[known]) if len(known) else None
