"""Gradient boosting over rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import cross_val_score

from cnnkit.adapters import BadItemsError
from cnnkit.adapters.table.baseline import TableNumbers, make_baseline

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": RNG.normal(size=80), "b": RNG.normal(size=80), "c": RNG.normal(size=80)})
ROWS = FRAME.map(str).to_dict("records")
LABELS = np.where(FRAME["a"] > FRAME["b"], "up", "down")


def test_it_says_what_scikit_learn_says_of_the_same_numbers():
    trees = HistGradientBoostingClassifier(random_state=0).fit(FRAME, LABELS)
    said = make_baseline().fit(ROWS, LABELS).predict_proba(ROWS)
    np.testing.assert_allclose(said, trees.predict_proba(FRAME))
    trees = HistGradientBoostingRegressor(random_state=0).fit(FRAME, FRAME["a"])
    said = make_baseline("regression").fit(ROWS, FRAME["a"]).predict(ROWS)
    np.testing.assert_allclose(said, trees.predict(FRAME))


def test_a_data_frame_is_taken_too():
    np.testing.assert_array_equal(TableNumbers().fit_transform(FRAME), FRAME)


def test_missing_cells_stay_missing():
    rows = [{**ROWS[0], "b": ""}, *ROWS[1:]]
    values = TableNumbers().fit_transform(rows)
    assert np.argwhere(np.isnan(values)).tolist() == [[0, 1]]


def test_items_that_are_no_rows_are_named():
    with pytest.raises(BadItemsError, match=r"1 of 81 items(.|\n)*item 80 'None'"):
        TableNumbers().fit_transform([*ROWS, None])


def test_it_can_be_cloned_and_cross_validated():
    scores = cross_val_score(clone(make_baseline()), ROWS, LABELS, cv=2)
    assert (scores > 0.6).all()
