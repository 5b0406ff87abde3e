import numpy as np
import pytest
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from cnnkit.adapters.audio.baseline import make_baseline
from cnnkit.adapters.label_by_label import LabelByLabel, by_target

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = (X[:, :2] > 0).astype(float)
Y[RNG.random(Y.shape) < 0.3] = np.nan


def test_each_label_has_the_classifier_of_the_rows_where_it_is_known():
    found = LabelByLabel(LogisticRegression()).fit(X, Y).predict_proba(X)
    for k in range(2):
        known = ~np.isnan(Y[:, k])
        alone = LogisticRegression().fit(X[known], Y[known, k])
        np.testing.assert_array_equal(found[:, k], alone.predict_proba(X)[:, 1])


def test_labels_with_one_value_get_it():
    y = np.column_stack([Y[:, 0], np.ones(40), np.zeros(40), np.full(40, np.nan)])
    y[:5, 1:3] = np.nan
    votes = LabelByLabel(SVC()).fit(X, y).decision_function(X)
    assert (votes[:, 1:] > 0).tolist() == [[True, False, False]] * 40
    p = LabelByLabel(LogisticRegression()).fit(X, y).predict_proba(X)
    assert p[:, 1:].tolist() == [[1.0, 0.0, 0.0]] * 40


@pytest.mark.parametrize(("kind", "has"), [(SVC, False), (LogisticRegression, True)])
def test_it_has_probabilities_where_the_classifier_has(kind, has):
    assert hasattr(LabelByLabel(kind()), "predict_proba") is has


def test_the_baseline_of_sounds_has_a_machine_for_each_label():
    machine = make_baseline("multilabel")[1:]
    assert machine.fit(X, Y).decision_function(X).shape == (40, 2)


def test_each_target_has_the_regressor_of_the_rows_where_it_is_known():
    y = np.column_stack([X[:, 0] * 3, np.exp(X[:, 1]), np.full(40, 7.5)])
    y[RNG.random(y.shape) < 0.3] = np.nan
    found = LabelByLabel(Ridge()).fit(X, y).predict(X)
    for k in range(2):
        known = ~np.isnan(y[:, k])
        alone = Ridge().fit(X[known], y[known, k]).predict(X)
        np.testing.assert_array_equal(found[:, k], alone)
    assert (found[:, 2] == 7.5).all()


def test_a_pipeline_describes_items_once_for_all_targets():
    asked = []

    def describe(items):
        asked.append(len(items))
        return np.array([[float(item)] for item in items])

    pipeline = make_pipeline(FunctionTransformer(describe), Ridge(alpha=0))
    y = np.array([[1.0, 20.0], [2.0, np.nan], [3.0, 40.0]])
    said = by_target(pipeline).fit(["1", "2", "3"], y).predict(["5"])
    np.testing.assert_allclose(said, [[5, 60]])
    assert asked == [3, 1]
    assert isinstance(by_target(Ridge()), LabelByLabel)


def test_sparse_features_give_the_same_as_dense_ones():
    y = np.column_stack([Y, np.ones(40)])
    model = LabelByLabel(LogisticRegression())
    dense = model.fit(X, y).predict_proba(X)
    for kind in (csr_matrix, coo_matrix):
        sparse = model.fit(kind(X), y)
        np.testing.assert_allclose(sparse.predict_proba(kind(X)), dense, atol=1e-3)
        np.testing.assert_array_equal(sparse.predict(kind(X)), dense > 0.5)
