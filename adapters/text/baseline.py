"""What a user would try first on texts: TF-IDF and a linear model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from cnnkit.adapters.text.spans import compose, normalise

FloatArray = NDArray[np.float64]

BASELINE_NAME = "TF-IDF + linear"


def word_tfidf() -> TfidfVectorizer:
    """Count words, punctuation marks and pairs of them."""
    return TfidfVectorizer(
        preprocessor=normalise,
        token_pattern=r"\w+|[^\w\s]",
        ngram_range=(1, 2),
        sublinear_tf=True,
    )


def character_tfidf() -> TfidfVectorizer:
    """Count characters, as they are written, and runs of two and three of them."""
    return TfidfVectorizer(preprocessor=compose, analyzer="char", ngram_range=(1, 3))


_TFIDF: dict[str, Callable[[], TfidfVectorizer]] = {
    "words": word_tfidf,
    "bytes": character_tfidf,
}


class TextTfidf(TransformerMixin, BaseEstimator):
    """Describe texts by TF-IDF, also where none of them holds a word.

    Parameters
    ----------
    unit : {"words", "bytes"}
        Words and pairs of words, or runs of up to three characters.

    References
    ----------
    Salton & Buckley 1988, "Term-weighting approaches in automatic text retrieval".

    Examples
    --------
    >>> TextTfidf().fit_transform(["Good!", "good", ""]).toarray().round(2)
    array([[0.62, 0.47, 0.62],
           [0.  , 1.  , 0.  ],
           [0.  , 0.  , 0.  ]])
    """

    def __init__(self, unit: str = "words") -> None:
        self.unit = unit

    def fit(self, items: Sequence[str], y: ArrayLike | None = None) -> Self:
        """Collect the vocabulary and count in how many texts each of its entries stands."""
        self.vectorizer_ = _TFIDF[self.unit]()
        analyse = self.vectorizer_.build_analyzer()
        self.has_vocabulary_ = any(analyse(item) for item in items)
        if self.has_vocabulary_:
            self.vectorizer_.fit(items)
        return self

    def transform(self, items: Sequence[str]) -> csr_matrix:
        """Weigh what stands in each text.

        Returns
        -------
        sparse float64 matrix [N, vocabulary]
            Rows of length 1, or 0 where a text holds nothing known; without a vocabulary, a single
            column of zeros, from which a linear model learns the majority or the mean.
        """
        check_is_fitted(self, "vectorizer_")
        if not self.has_vocabulary_:
            return csr_matrix((len(items), 1), dtype=np.float64)
        weights: csr_matrix = self.vectorizer_.transform(items)
        return weights


class LabelwiseSVC(BaseEstimator):
    """One linear support vector machine for each label, on the rows where the label is known.

    Attributes
    ----------
    classes_ : int64 array [K]
        The labels' numbers.

    Examples
    --------
    >>> X = csr_matrix([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> y = [[1, 1], [0, np.nan], [1, 1]]
    >>> LabelwiseSVC().fit(X, y).predict(X)
    array([[1., 1.],
           [0., 1.],
           [1., 1.]])
    """

    def fit(self, X: csr_matrix, y: ArrayLike) -> Self:
        """Fit the machines.

        Parameters
        ----------
        X : sparse matrix [N, D]
        y : array [N, K]
            0, 1 and NaN (unknown). A label with a single known value always gets it, and one of
            which nothing is known gets 0.
        """
        y = np.asarray(y, dtype=np.float64)
        self.classes_ = np.arange(y.shape[1])
        self.machines_ = [_fit_label(X, column) for column in y.T]
        return self

    def decision_function(self, X: csr_matrix) -> FloatArray:
        """Return how clearly each row has each label.

        Returns
        -------
        float64 array [N, K]
            Above 0: it has the label.
        """
        check_is_fitted(self, "machines_")
        columns = [
            machine.decision_function(X)
            if isinstance(machine, LinearSVC)
            else np.full(X.shape[0], machine)
            for machine in self.machines_
        ]
        return np.stack(columns, axis=1)

    def predict(self, X: csr_matrix) -> FloatArray:
        """Return 1 where a row has a label, else 0: float64 array [N, K]."""
        return (self.decision_function(X) > 0).astype(np.float64)


def _fit_label(X: csr_matrix, values: FloatArray) -> LinearSVC | float:
    """Fit a machine, or return the constant decision where there is nothing to tell apart."""
    known = np.flatnonzero(~np.isnan(values))
    found = set(values[known])
    if len(found) < 2:
        return 1.0 if found == {1.0} else -1.0
    return LinearSVC(random_state=0).fit(X[known], values[known])


def make_baseline(task: str = "classification", unit: str = "words") -> Pipeline:
    """Make the baseline over texts: TF-IDF, and a linear model of its weights.

    Parameters
    ----------
    task : {"classification", "regression", "multilabel"}
        Targets of the last are an array [N, K] of 0, 1 and NaN (unknown).
    unit : {"words", "bytes"}
        As for `TextTfidf`.

    Returns
    -------
    Pipeline
        An unfitted scikit-learn estimator over strings.

    References
    ----------
    Joachims 1998, "Text categorization with support vector machines".

    Examples
    --------
    >>> list(make_baseline().named_steps), list(make_baseline("regression").named_steps)
    (['tfidf', 'svm'], ['tfidf', 'ridge'])
    """
    tfidf = ("tfidf", TextTfidf(unit))
    if task == "regression":
        return Pipeline([tfidf, ("ridge", Ridge())])
    machine = LabelwiseSVC() if task == "multilabel" else LinearSVC(random_state=0)
    return Pipeline([tfidf, ("svm", machine)])
