import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from cnnkit.cnncore.label_targets import (
    column_names,
    has_columns,
    label_matrix,
    number_matrix,
    positive_weights,
)


@pytest.mark.parametrize(
    ("y", "several"),
    [
        ([0, 1], False),
        ([[0], [1]], False),
        ([[0, 1]], True),
        (["a", "b"], False),
        (pd.DataFrame({"a": [0], "b": [1]}), True),
        (pd.Series([1, 0]), False),
    ],
)
def test_a_matrix_of_two_columns_or_more_has_several_targets(y, several):
    assert has_columns(y) is several


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([[0, 1], [2, 3]], "found 2 in row 1, column 0, and 1 more such cells"),
        ([[0, np.inf]], "found inf in row 0, column 1"),
        ([["a", "b"]], "what is no number"),
    ],
)
def test_cells_that_are_neither_0_nor_1_nor_missing_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        label_matrix(y)


def test_numbers_are_finite_or_missing():
    frame = pd.DataFrame({"logS": [-3.2, None], "pKa": [None, 7]})
    np.testing.assert_array_equal(number_matrix(frame), [[-3.2, np.nan], [np.nan, 7]])
    with pytest.raises(ValueError, match=r"several targets: .* found -inf in row 0, column 1"):
        number_matrix([[1, -np.inf]])


def test_labels_are_named_by_columns_or_numbered():
    frame = pd.DataFrame([[0, 1]], columns=["rock", "pop"])
    assert column_names(frame).tolist() == ["rock", "pop"]
    assert column_names([[0, 1, 0]]).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(label_matrix(frame), [[0.0, 1.0]])


def test_with_weights_positive_and_negative_cells_count_the_same():
    y = (np.random.default_rng(0).random((50, 3)) < [0.1, 0.5, 0.9]).astype(float)
    y[:7, 1] = np.nan
    weights = positive_weights(y, "balanced")
    for label, weight in zip(y.T, weights, strict=True):
        known = label[~np.isnan(label)]
        of_rows = compute_sample_weight("balanced", known)
        assert weight == pytest.approx(of_rows[known == 1][0] / of_rows[known == 0][0])
    assert positive_weights(y, None) is None
    with pytest.raises(ValueError, match='expected "balanced" or None'):
        positive_weights(y, {0: 1.0})
