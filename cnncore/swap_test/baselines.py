"""The models that know of no order: a linear one and gradient-boosted trees."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from threadpoolctl import threadpool_limits

from cnnkit.cnncore.image import Float32Array, IntArray
from cnnkit.cnncore.scores import align
from cnnkit.cnncore.swap_test.prepared import PreparedTable

Array = NDArray[Any]
# Learns train [m, D] -> truth [m, q] at each setting; predictions of test [t, D], each [t, q].
Fit = Callable[[Array, Array, Array, Sequence[float]], list[Array]]

_INVERSE_PENALTIES = (1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0)
_PENALTIES = np.logspace(-3, 4, 8)
_PARTS = 3  # of the training rows, to choose a setting on
_MOST_STEPS = 400  # of lbfgs
_TREES = 500  # for 10 classes: 50 rounds of 10
_ROUNDS = 30, 100  # at least and at most
_LEAVES = 8
_LEAF_ROWS = 5, 20  # at least and at most
_BINS = 63
_ROUNDING = 1e-12  # of the largest square
_MOST_COLUMNS = 300  # that trees look at


def baseline_predictions(
    table: PreparedTable, *, seed: int, n_jobs: int | None = None
) -> dict[str, Float32Array]:
    """Predict each row by models that its fold's training rows have taught.

    Every setting is chosen inside the training rows. "linear": logistic regression, its penalty
    by the squared error of held-out thirds; ridge regression for numbers, by leaving one out.
    "gradient boosting": small trees, as many as serve a held-out third best, which keeps
    probabilities modest on small tables. In tables with more than 300 columns the trees look at
    the 300 that vary most with the target among the training rows.

    Parameters
    ----------
    table : PreparedTable
        Of n rows.
    seed : int
        Of the thirds.
    n_jobs : int or None
        Threads that share the folds, as in scikit-learn.

    Returns
    -------
    dict of str to float32 array [n, q]
        "linear" and "gradient boosting", in the units of `table.target.matrix()`: class
        probabilities, or one column of z-scores.

    References
    ----------
    Friedman (2001), "Greedy function approximation: a gradient boosting machine".
    """
    truth = table.target.matrix()
    # On steps this small, the threads of a busy machine mostly wait for each other.
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        # Logistic regression may stop early at weak penalties: as good a candidate as any other.
        warnings.simplefilter("ignore", ConvergenceWarning)
        parts = Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(_predict)(
                design[train],
                truth[train],
                design[test],
                None if table.groups is None else table.groups[train],
                seed,
            )
            for design, (train, test) in zip(table.designs, table.folds, strict=True)
        )
    found = {name: np.empty_like(truth) for name in parts[0]}
    for (_, test), part in zip(table.folds, parts, strict=True):
        for name, guess in part.items():
            found[name][test] = guess
    return found


def _predict(
    train: Array, truth: Array, test: Array, groups: IntArray | None, seed: int
) -> dict[str, Array]:
    """Predict the test rows of one fold."""
    part = _deal(truth, groups, np.random.default_rng(seed))
    held = [part == k for k in range(_PARTS)]
    rounds = range(1, int(np.clip(_TREES // truth.shape[1], *_ROUNDS)) + 1)
    narrow = _rotated(train.astype(np.float64), test.astype(np.float64))
    if truth.shape[1] == 1:
        # None: leaving one row out, in closed form.
        thirds = None if groups is None else [(np.where(~out)[0], np.where(out)[0]) for out in held]
        ridge = RidgeCV(_PENALTIES, cv=thirds).fit(narrow[0], truth[:, 0])
        linear = ridge.predict(narrow[1])[:, None]
    else:
        linear = _tuned(_logistic, _INVERSE_PENALTIES, narrow[0], truth, narrow[1], *held)
    with threadpool_limits(1, "openmp"):
        trees = _tuned(_trees, rounds, train, truth, test, part == 0)
    return {"linear": linear, "gradient boosting": trees}


def _tuned(
    fit: Fit, settings: Sequence[float], train: Array, truth: Array, test: Array, *held: Array
) -> Array:
    """Predict with the setting that has the least squared error on held-out training rows."""
    losses = np.zeros(len(settings))
    for out in held:
        guesses = fit(train[~out], truth[~out], train[out], settings)
        losses += [np.square(guess - truth[out]).sum() for guess in guesses]
    return fit(train, truth, test, [settings[int(losses.argmin())]])[0]


def _deal(truth: Array, groups: IntArray | None, rng: np.random.Generator) -> IntArray:
    """Deal the rows of each class, or of similar numbers, to the parts in turn: int64 [m].

    Groups are dealt as a whole, where every class stays on both sides of each part. The only row of
    a class goes to no part, so that whatever is held out, no class is lost.
    """
    key = truth[:, 0] if truth.shape[1] == 1 else truth.argmax(axis=1)
    if groups is not None:
        names, of_row = np.unique(groups, return_inverse=True)
        typical = np.bincount(of_row, weights=key) / np.bincount(of_row)
        part = _deal_in_turn(typical, rng)[of_row]
        learnt = [truth[part != k].sum(axis=0) for k in range(_PARTS)]
        if len(names) >= _PARTS and (truth.shape[1] == 1 or np.min(learnt) > 0):
            return part
    part = _deal_in_turn(key, rng)
    if truth.shape[1] > 1:
        part[truth.sum(axis=0)[key] == 1] = _PARTS
    return part


def _deal_in_turn(key: Array, rng: np.random.Generator) -> IntArray:
    shuffled = rng.permutation(len(key))
    part = np.empty(len(key), np.int64)
    part[shuffled[np.argsort(key[shuffled], kind="stable")]] = np.arange(len(key)) % _PARTS
    return part


def _rotated(train: Array, test: Array) -> tuple[Array, Array]:
    """Write wide tables in at most as many columns as there are training rows.

    A squared penalty keeps the weights in the space of the training rows: no linear model changes.
    """
    if train.shape[1] <= train.shape[0]:
        return train, test
    squares, directions = np.linalg.eigh(train @ train.T)
    kept = squares > squares[-1] * _ROUNDING
    directions, lengths = directions[:, kept], np.sqrt(squares[kept])
    return directions * lengths, test @ train.T @ directions / lengths


def _logistic(train: Array, truth: Array, test: Array, settings: Sequence[float]) -> list[Array]:
    guesses = []
    for inverse_penalty in settings:
        model = LogisticRegression(C=inverse_penalty, max_iter=_MOST_STEPS)
        model.fit(train, truth.argmax(axis=1))
        guesses.append(align(model.predict_proba(test), model.classes_, truth.shape[1], 0.0))
    return guesses


def _trees(train: Array, truth: Array, test: Array, rounds: Sequence[float]) -> list[Array]:
    """Boost trees on the columns that vary most with the target; predict after some rounds."""
    covariance = (train - train.mean(axis=0)).T @ (truth - truth.mean(axis=0))
    telling = np.argsort(-np.square(covariance).sum(axis=1), kind="stable")
    columns = np.sort(telling[:_MOST_COLUMNS])
    regression = truth.shape[1] == 1
    learner = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    model = learner(
        max_iter=int(max(rounds)),
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=int(np.clip(len(train) // 10, *_LEAF_ROWS)),
        max_bins=_BINS,
        early_stopping=False,
        random_state=0,
    )
    model.fit(train[:, columns], truth[:, 0] if regression else truth.argmax(axis=1))
    if regression:
        stages = [guess[:, None] for guess in model.staged_predict(test[:, columns])]
    else:
        staged = model.staged_predict_proba(test[:, columns])
        stages = [align(guess, model.classes_, truth.shape[1], 0.0) for guess in staged]
    return [stages[int(stop) - 1] for stop in rounds]
