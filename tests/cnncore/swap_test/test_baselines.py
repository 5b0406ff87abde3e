import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from cnnkit.cnncore.swap_test import baselines
from cnnkit.cnncore.swap_test.baselines import baseline_predictions
from cnnkit.cnncore.swap_test.folds import make_folds
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.scoring import skill
from cnnkit.cnncore.swap_test.target import Target


def table(X, y, **options) -> PreparedTable:
    y = np.asarray(y)
    target = Target("y", "regression", y)
    if y.dtype.kind == "i":
        target = Target("y", "classification", y, tuple(f"class {k}" for k in range(y.max() + 1)))
    folds, _ = make_folds(target, folds=3, seed=0, **options)
    X = np.asarray(X, np.float32)
    return PreparedTable((X,) * 3, (1,) * X.shape[1], folds, target, (1, X.shape[1]))


def draw(n: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, width))


def classes_along(X, weights, noise: float = 1.0) -> np.ndarray:
    """Two classes on the sides of a plane that the noise blurs."""
    return (X @ weights + noise * draw(len(X), 1, 99)[:, 0] > 0).astype(np.int64)


@pytest.mark.parametrize("width", [4, 60], ids=["narrow", "wide"])
def test_numbers_are_ridge_regression_with_the_best_penalty_by_leaving_one_out(width):
    X = draw(27, width).astype(np.float32)
    of = table(X, X[:, 0] - X[:, 1] + draw(27, 1, 1)[:, 0])
    y, said = of.target.matrix()[:, 0], baseline_predictions(of, seed=0)["linear"][:, 0]
    for train, test in of.folds:
        models = [Ridge(alpha) for alpha in 10.0 ** np.arange(-3, 5)]
        left_out = [
            cross_val_predict(model, X[train], y[train], cv=LeaveOneOut()) for model in models
        ]
        best = np.argmin([np.square(guess - y[train]).sum() for guess in left_out])
        expected = models[best].fit(X[train], y[train]).predict(X[test])
        np.testing.assert_allclose(said[test], expected, atol=1e-4)


@pytest.mark.parametrize("width", [4, 100], ids=["narrow", "wide"])
def test_classes_are_logistic_regression_of_some_penalty(width):
    X = draw(60, width).astype(np.float32)
    of = table(X, classes_along(X[:, :2], [2.0, -2.0]))
    said = baseline_predictions(of, seed=0)["linear"]
    for train, test in of.folds:
        models = [LogisticRegression(C=c, tol=1e-6) for c in (1e-4, 1e-3, 0.01, 0.1, 1, 10)]
        fitted = [model.fit(X[train], of.target.values[train]) for model in models]
        errors = [np.abs(model.predict_proba(X[test]) - said[test]).max() for model in fitted]
        assert min(errors) < 2e-3


def test_the_penalty_is_small_for_a_clear_signal_and_large_for_noise():
    X = draw(300, 20)
    clear = table(X, classes_along(X[:, :1], [1.0], noise=0.02))
    assert skill(clear, baseline_predictions(clear, seed=0)["linear"]) > 0.8
    noise = table(X, classes_along(X[:, :1], [0.0]))
    assert np.abs(baseline_predictions(noise, seed=0)["linear"] - 0.5).max() < 0.2


@pytest.mark.parametrize("kinds", ["classes", "numbers"])
def test_trees_find_what_no_plane_can(kinds):
    X = draw(600, 6)
    signal = X[:, 0] * np.where(X[:, 1] > 0, 1.0, -1.0)
    of = table(X, (signal > 0).astype(np.int64) if kinds == "classes" else signal)
    said = baseline_predictions(of, seed=0)
    assert skill(of, said["linear"]) < 0.1
    assert skill(of, said["gradient boosting"]) > 0.6


@pytest.mark.parametrize("n", [90, 300])
@pytest.mark.parametrize("kinds", ["classes", "numbers"])
def test_noise_teaches_neither_model_to_be_sure(n, kinds):
    y = draw(n, 1, 5)[:, 0]
    of = table(draw(n, 15), (y > 0.3).astype(np.int64) if kinds == "classes" else y)
    for said in baseline_predictions(of, seed=0).values():
        assert skill(of, said) > -0.1


def test_a_signal_among_thousands_of_columns_is_found():
    X = draw(150, 3000)
    of = table(X, classes_along(X[:, 1234:1235], [1.0], noise=0.1))
    assert skill(of, baseline_predictions(of, seed=0)["gradient boosting"]) > 0.4


def test_probabilities_of_many_classes_sum_to_one():
    X = draw(300, 5)
    of = table(X, np.random.default_rng(1).permutation(np.arange(300) % 20))
    for said in baseline_predictions(of, seed=0).values():
        assert said.shape == (300, 20)
        assert said.dtype == np.float32
        assert said.min() >= 0
        np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kinds", ["classes", "numbers"])
def test_no_model_sees_the_targets_that_it_is_tested_on(kinds):
    X = draw(90, 4)
    y = (
        classes_along(X[:, :2], [1.0, 1.0])
        if kinds == "classes"
        else X[:, 0] + draw(90, 1, 3)[:, 0]
    )
    before = table(X, y)
    tested = before.folds[0][1]
    changed = y.copy()
    changed[tested] = y[tested][::-1]  # which leaves mean and shares as they are
    target = Target("y", before.target.task, changed, before.target.classes)
    after = PreparedTable(before.designs, before.widths, before.folds, target, before.shape)
    assert (changed != y).any()
    said = [baseline_predictions(one, seed=0) for one in (before, after)]
    for name, guess in said[0].items():
        np.testing.assert_allclose(guess[tested], said[1][name][tested], atol=1e-6)


def test_every_fold_is_predicted_from_its_own_design():
    X = draw(120, 3)
    of = table(X, X[:, 0])
    designs = tuple(design * (fold == 0) for fold, design in enumerate(of.designs))
    mixed = PreparedTable(designs, of.widths, of.folds, of.target, of.shape)
    for said in baseline_predictions(mixed, seed=0).values():
        assert said[of.folds[0][1]].std() > 0.5
        assert all(np.ptp(said[test]) < 1e-6 for _, test in of.folds[1:])


def test_a_class_that_no_training_row_has_gets_probability_0():
    of = table(draw(60, 3), np.repeat([0, 1, 0, 1, 2], 12), time=np.arange(60))
    train, test = of.folds[2]
    assert 2 not in of.target.values[train]
    for said in baseline_predictions(of, seed=0).values():
        assert said[test, 2].tolist() == [0.0] * 20
        assert (said[train, 2] > 0).all()


def test_a_class_with_one_training_row_is_no_problem():
    of = table(draw(60, 3), np.repeat([0, 1, 0, 1, 0, 1], 10))
    values = np.zeros(60, np.int64)
    values[[of.folds[0][1][0], of.folds[1][1][0]]] = 1  # so the first two folds train on one
    target = Target("y", "classification", values, ("common", "rare"))
    lonely = PreparedTable(of.designs, of.widths, of.folds, target, of.shape)
    for said in baseline_predictions(lonely, seed=0).values():
        assert (said[:, 1] < 0.5).all()


def test_a_fit_that_stops_early_is_a_candidate_and_no_warning(monkeypatch):
    monkeypatch.setattr(baselines, "_MOST_STEPS", 2)
    X = draw(90, 30)
    of = table(X, classes_along(X[:, :2], [1.0, 1.0]))
    assert skill(of, baseline_predictions(of, seed=0)["linear"]) > 0


def test_the_same_seed_gives_the_same_predictions_on_one_or_two_threads():
    X = draw(90, 4)
    of = table(X, classes_along(X[:, :2], [1.0, 1.0]))
    said = [baseline_predictions(of, seed=4, n_jobs=jobs) for jobs in (None, 2)]
    assert list(said[0]) == ["linear", "gradient boosting"]
    for name, guess in said[0].items():
        np.testing.assert_array_equal(guess, said[1][name])
