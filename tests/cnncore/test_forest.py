"""A forest that is kept as arrays says what scikit-learn's own says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from cnnkit.cnncore import forest
from cnnkit.cnncore.forest import from_arrays, learn_forests, to_arrays, vote
from cnnkit.cnncore.objective import Classification, MultiLabel, Regression


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forest, "TREES", 7)
    monkeypatch.setattr(forest, "ROWS", 50)


@pytest.fixture
def side() -> NDArray[np.float16]:
    """Counts and numbers, some of which are missing."""
    rng = np.random.default_rng(0)
    made = np.hstack([rng.poisson(1, (120, 5)), rng.normal(size=(120, 4))]).astype(np.float16)
    made[rng.random(made.shape) < 0.1] = np.nan
    return made


def test_classes_get_the_shares_of_scikit_learns_forest(side: NDArray[Any]) -> None:
    y = np.digitize(np.nan_to_num(side[:, 0] + side[:, 6]), [0.0, 1.5])
    found = vote(learn_forests(side, y, Classification(3), seed=4), side)
    truth = RandomForestClassifier(7, random_state=4).fit(side.astype(np.float32), y)
    np.testing.assert_allclose(found, truth.predict_proba(side.astype(np.float32)), atol=1e-12)


def test_class_weights_reach_the_forest(side: NDArray[Any]) -> None:
    y = (np.nan_to_num(side[:, 6]) > 1).astype(np.int64)
    weight = np.array([0.2, 5.0], dtype=np.float32)
    found = vote(learn_forests(side, y, Classification(2, class_weight=weight), seed=0), side)
    truth = RandomForestClassifier(7, random_state=0)
    truth.fit(side.astype(np.float32), y, sample_weight=weight[y])
    np.testing.assert_allclose(found, truth.predict_proba(side.astype(np.float32)), atol=1e-12)


@pytest.mark.parametrize("outputs", [1, 2])
def test_numbers_are_those_of_scikit_learns_forest(side: NDArray[Any], outputs: int) -> None:
    y = np.nan_to_num(side[:, :outputs].astype(np.float64)) * 3 + 1
    objective = Regression(y.mean(axis=0), y.std(axis=0))
    found = vote(learn_forests(side, y, objective, seed=1), side)
    assert found.shape == (len(y), outputs)
    for column, target in zip(found.T, y.T, strict=True):
        truth = RandomForestRegressor(7, max_features=1 / 3, random_state=1)
        truth.fit(side.astype(np.float32), target)
        np.testing.assert_allclose(column, truth.predict(side.astype(np.float32)), atol=1e-9)


def test_each_target_has_a_forest_of_the_rows_that_know_it(side: NDArray[Any]) -> None:
    y = np.nan_to_num(side[:, [0, 6]].astype(np.float64)) * [1, 1000]
    y[::3, 1] = np.nan
    objective = Regression(np.zeros(2), np.ones(2))
    found = vote(learn_forests(side, y, objective, seed=1), side)
    known = ~np.isnan(y[:, 1])
    truth = RandomForestRegressor(7, max_features=1 / 3, random_state=1)
    truth.fit(side[known].astype(np.float32), y[known, 1])
    np.testing.assert_allclose(found[:, 1], truth.predict(side.astype(np.float32)), atol=1e-9)


def test_each_label_has_a_forest_that_learns_from_the_rows_that_know_it(side: NDArray[Any]) -> None:
    y = np.stack([side[:, 0] > 0, side[:, 6] > 0, side[:, 6] < 99], axis=1).astype(np.float64)
    y[::3, 1] = np.nan
    y[:, 2] = 1.0  # everybody has it
    found = vote(learn_forests(side, y, MultiLabel(3), seed=2), side)
    known = ~np.isnan(y[:, 1])
    truth = RandomForestRegressor(7, max_features="sqrt", random_state=2)
    truth.fit(side[known].astype(np.float32), y[known, 1])
    np.testing.assert_allclose(found[:, 1], truth.predict(side.astype(np.float32)), atol=1e-12)
    assert (found[:, 2] == 1).all()


def test_arrays_bring_the_same_forest_back(side: NDArray[Any]) -> None:
    y = np.stack([side[:, 0] > 0, side[:, 5] > 0], axis=1).astype(np.float64)
    forests = learn_forests(side, y, MultiLabel(2), seed=0)
    again = from_arrays(to_arrays(forests))
    assert len(again) == 2
    np.testing.assert_array_equal(vote(again, side), vote(forests, side))
    assert from_arrays({}) == []
    arrays = to_arrays(forests)
    del arrays["1.value"]
    with pytest.raises(KeyError, match=r"1\.value"):
        from_arrays(arrays)
