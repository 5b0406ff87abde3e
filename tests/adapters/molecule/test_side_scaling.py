"""Side features on a common scale, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from cnnkit.adapters.molecule.side_scaling import BLOCK, FARTHEST, SideScaling, learn_scaling


def scaled(scaling, side):
    return SideScaling(scaling)(torch.from_numpy(side)).numpy()


@pytest.mark.parametrize("columns", [1, BLOCK, 2 * BLOCK + 3])
def test_numbers_are_scaled_as_scikit_learn_does(columns):
    chance = np.random.default_rng(0)
    side = chance.normal(5, 3, (40, columns)).astype(np.float32)
    side[chance.random(side.shape) < 0.2] = np.nan
    scaling = learn_scaling(side, np.zeros(columns, bool))
    expected = StandardScaler().fit_transform(side.astype(float))
    expected = np.nan_to_num(expected).clip(-FARTHEST, FARTHEST)
    assert scaling.columns.tolist() == list(range(columns))
    np.testing.assert_allclose(scaled(scaling, side), expected, atol=1e-4)


def test_counts_are_taken_by_their_logarithm():
    side = np.array([[0, 1, 5.0], [3, 0, 5.0], [1, 0, 5.0]], dtype=np.float16)
    scaling = learn_scaling(side, np.ones(3, bool))
    assert scaling.columns.tolist() == [0, 2]  # only one molecule has the second
    np.testing.assert_allclose(scaled(scaling, side), np.log1p(side[:, [0, 2]]), rtol=1e-3)


def test_what_never_differs_and_what_is_never_known_is_left_out():
    side = np.array([[7, np.nan, 1, np.nan], [7, np.nan, 2, 3], [7, np.nan, 3, 5]], np.float32)
    assert learn_scaling(side, np.zeros(4, bool)).columns.tolist() == [2, 3]
    assert len(learn_scaling(side[:, :2], np.zeros(2, bool)).columns) == 0
    assert len(learn_scaling(np.empty((3, 0)), np.zeros(0, bool)).columns) == 0


def test_new_molecules_are_held_within_four_deviations():
    side = np.array([[0.0], [2.0]], dtype=np.float32)
    scaling = learn_scaling(side, np.zeros(1, bool))
    new = np.array([[60_000.0], [-np.inf], [np.nan], [1.5]], dtype=np.float16)
    assert scaled(scaling, new)[:, 0].tolist() == [FARTHEST, -FARTHEST, 0.0, 0.5]


def test_counts_and_numbers_may_stand_in_any_order():
    chance = np.random.default_rng(1)
    is_count = chance.random(300) < 0.5
    counts = chance.poisson(2, (50, 300))
    side = np.where(is_count, counts, chance.normal(size=(50, 300))).astype(np.float32)
    scaling = learn_scaling(side, is_count)
    found = scaled(scaling, side)
    for place, column in enumerate(scaling.columns):
        one = learn_scaling(side[:, [column]], is_count[[column]])
        np.testing.assert_array_equal(found[:, [place]], scaled(one, side[:, [column]]))
    assert found.dtype == np.float32
    assert len(scaling.columns) == 300
