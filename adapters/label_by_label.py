"""Any classifier of two classes as a baseline of multi-label targets: one for each label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

Float64Array = NDArray[np.float64]
Method = Callable[..., Float64Array]


def _has(method: str) -> Callable[[Method], Method]:
    """Hide a method that the classifier lacks."""
    hide: Callable[[Method], Method] = available_if(lambda self: hasattr(self.classifier, method))
    return hide


class LabelByLabel(BaseEstimator):
    """Train a copy of a classifier for each label, on the rows where that label is known.

    Parameters
    ----------
    classifier : estimator
        Of two classes, with `predict_proba` or `decision_function`.

    Attributes
    ----------
    models_ : list of estimator or float [K]
        Labels that have one value only get that value.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = [[0], [1], [2]], [[1, 0], [0, 0], [np.nan, 0]]
    >>> LabelByLabel(DecisionTreeClassifier()).fit(X, y).predict_proba(X)
    array([[1., 0.],
           [0., 0.],
           [0., 0.]])
    """

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on features [N, F], dense or sparse, and labels [N, K]: 1, 0 or NaN (not known)."""
        features, labels = _rows(X), np.asarray(y, dtype=np.float64)
        self.models_ = [self._fit_label(features, label) for label in labels.T]
        return self

    def _fit_label(self, features: Any, label: Float64Array) -> Any:
        known = ~np.isnan(label)
        if len(np.unique(label[known])) < 2:
            return float((label[known] == 1).any())
        return clone(self.classifier).fit(features[known], label[known])

    def predict(self, X: ArrayLike) -> Float64Array:
        """Return 1 where a row has a label, else 0, float64 [N, K]."""
        return self._columns(X, lambda model: model.predict(X), (0.0, 1.0))

    @_has("predict_proba")
    def predict_proba(self, X: ArrayLike) -> Float64Array:
        """Return the probability of each label, float64 [N, K]."""
        return self._columns(X, lambda model: model.predict_proba(X)[:, 1], (0.0, 1.0))

    @_has("decision_function")
    def decision_function(self, X: ArrayLike) -> Float64Array:
        """Return a score of each label, float64 [N, K], above 0 where the row has it."""
        return self._columns(X, lambda model: model.decision_function(X), (-1.0, 1.0))

    def _columns(self, X: ArrayLike, ask: Any, constants: tuple[float, float]) -> Float64Array:
        check_is_fitted(self, "models_")
        columns = [
            np.full(_rows(X).shape[0], constants[int(model)])
            if isinstance(model, float)
            else ask(model)
            for model in self.models_
        ]
        return np.stack(columns, axis=1)


def _rows(X: ArrayLike) -> Any:
    """Return features of which rows can be taken."""
    return csr_matrix(X) if issparse(X) else np.asarray(X)
