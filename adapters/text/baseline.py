"""What a user would try first on texts: TF-IDF and a linear model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from cnnkit.adapters.label_by_label import LabelByLabel
from cnnkit.adapters.text.spans import compose, normalise
from cnnkit.adapters.text.tokens import find_words

BASELINE_NAME = "TF-IDF + linear"


def word_tfidf() -> TfidfVectorizer:
    """Count words, punctuation marks and pairs of them."""
    return TfidfVectorizer(
        preprocessor=normalise,
        tokenizer=find_words,
        token_pattern=None,
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
    svm = LinearSVC(random_state=0)
    return Pipeline([tfidf, ("svm", LabelByLabel(svm) if task == "multilabel" else svm)])
