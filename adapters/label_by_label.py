"""Any baseline of two classes for several labels, or of one number for several targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

Float64Array = NDArray[np.float64]
Method = Callable[..., Float64Array]


def _has(method: str) -> Callable[[Method], Method]:
    """Hide a method that the estimator lacks."""
    hide: Callable[[Method], Method] = available_if(lambda self: hasattr(self.estimator, method))
    return hide


class LabelByLabel(BaseEstimator):
    """Train a copy of an estimator for each label or target, on the rows where that is known.

    Parameters
    ----------
    estimator : estimator
        A classifier of two classes, with `predict_proba` or `decision_function`, or a regressor.

    Attributes
    ----------
    models_ : list of estimator or float [K]
        Labels and targets that have one value only get that value.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = [[0], [1], [2]], [[1, 0], [0, 0], [np.nan, 0]]
    >>> LabelByLabel(DecisionTreeClassifier()).fit(X, y).predict_proba(X)
    array([[1., 0.],
           [0., 0.],
           [0., 0.]])
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on features [N, F], dense or sparse, and labels or numbers [N, K], NaN: unknown."""
        features, labels = _rows(X), np.asarray(y, dtype=np.float64)
        self.models_ = [self._fit_label(features, label) for label in labels.T]
        return self

    def _fit_label(self, features: Any, label: Float64Array) -> Any:
        known = ~np.isnan(label)
        values = np.unique(label[known])
        if len(values) < 2:
            return float(values.sum())
        return clone(self.estimator).fit(features[known], label[known])

    def predict(self, X: ArrayLike) -> Float64Array:
        """Return 1 where a row has a label, else 0, or the numbers, float64 [N, K]."""
        return self._columns(X, lambda model: model.predict(X), lambda value: value)

    @_has("predict_proba")
    def predict_proba(self, X: ArrayLike) -> Float64Array:
        """Return the probability of each label, float64 [N, K]."""
        return self._columns(X, lambda model: model.predict_proba(X)[:, 1], lambda value: value)

    @_has("decision_function")
    def decision_function(self, X: ArrayLike) -> Float64Array:
        """Return a score of each label, float64 [N, K], above 0 where the row has it."""
        return self._columns(
            X, lambda model: model.decision_function(X), lambda value: 2 * value - 1
        )

    def _columns(self, X: ArrayLike, ask: Any, constant: Callable[[float], float]) -> Float64Array:
        check_is_fitted(self, "models_")
        columns = [
            np.full(_rows(X).shape[0], constant(model)) if isinstance(model, float) else ask(model)
            for model in self.models_
        ]
        return np.stack(columns, axis=1)


def by_target(model: Any) -> BaseEstimator:
    """Make a regressor of several targets out of one of a single target.

    Of a pipeline each target has a copy of the last step, so that items are described once.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.pipeline import make_pipeline
    >>> by_target(make_pipeline(StandardScaler(), Ridge()))[-1]
    LabelByLabel(estimator=Ridge())
    """
    if not isinstance(model, Pipeline):
        return LabelByLabel(model)
    *before, (name, last) = model.steps
    return Pipeline([*before, (name, LabelByLabel(last))])


def _rows(X: ArrayLike) -> Any:
    """Return features of which rows can be taken."""
    return csr_matrix(X) if issparse(X) else np.asarray(X)
