"""What a user would try first on a table: gradient boosting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from cnnkit.adapters.base import BadItemsError
from cnnkit.adapters.label_by_label import LabelByLabel
from cnnkit.adapters.table.column import Float64Array
from cnnkit.adapters.table.learning import learn_columns
from cnnkit.adapters.table.rows import read_rows, records

BASELINE_NAME = "gradient boosting"


class TableNumbers(TransformerMixin, BaseEstimator):
    """Turn rows into the numbers that the network sees, before they are standardised.

    Examples
    --------
    >>> rows = [{"age": "31", "smokes": "yes"}, {"age": "", "smokes": "no"}] * 3
    >>> rows[4:] = [{"age": "60", "smokes": "no"}]
    >>> TableNumbers().fit_transform(rows)[3:]
    array([[nan,  0.],
           [60.,  0.]])
    """

    def fit(self, items: Iterable[Any], y: ArrayLike | None = None) -> Self:
        """Find out what the columns hold."""
        self.columns_ = learn_columns(records(items)).columns
        return self

    def transform(self, items: Iterable[Any]) -> Float64Array:
        """Read rows.

        Returns
        -------
        float64 array [N, columns]
            NaN where a cell is missing.

        Raises
        ------
        BadItemsError
            If an item is no row, or holds nothing.
        """
        check_is_fitted(self, "columns_")
        items = records(items)
        read = read_rows(items, self.columns_)
        rejected = [problem for problem in read.problems if problem.rejected]
        if rejected:
            raise BadItemsError(rejected, len(items))
        return read.values


def make_baseline(task: str = "classification") -> Pipeline:
    """Make the baseline over rows: gradient-boosted trees, which see the same numbers.

    Parameters
    ----------
    task : {"classification", "regression", "multilabel"}
        Multi-label: trees for each label.

    References
    ----------
    Ke et al. 2017, "LightGBM", whose histograms scikit-learn's trees use.

    Examples
    --------
    >>> list(make_baseline().named_steps)
    ['numbers', 'boosting']
    """
    is_regression = task == "regression"
    kind = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
    boosting = kind(random_state=0)
    if task == "multilabel":
        boosting = LabelByLabel(boosting)
    return Pipeline([("numbers", TableNumbers()), ("boosting", boosting)])
