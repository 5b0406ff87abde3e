"""The order of rows: what was planted is found, and what isn't there mostly isn't."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from scipy import stats

from cnnkit.cnncore.swap_test.row_order import RowOrderResult, row_order_test, stretches
from cnnkit.cnncore.swap_test.target import TableError, Target


def log(n: int = 300, *, memory: float, seed: int, columns: int = 4) -> tuple[np.ndarray, Target]:
    """Make rows whose target also depends on what the first column was two rows before."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, columns)).astype(np.float32)
    y = X[:, 1] + memory * np.roll(X[:, 0], 2) + 0.7 * generator.normal(size=n)
    return X, Target("load", "regression", y)


def classes_of(target: Target) -> Target:
    above = (target.values > np.median(target.values)).astype(np.int64)
    return Target("load", "classification", above, ("low", "high"))


def quick(X: np.ndarray, target: Target, seed: int = 0) -> RowOrderResult:
    return row_order_test(X, target, n_permutations=39, random_state=seed)


@pytest.mark.parametrize("as_classes", [False, True])
def test_a_target_that_remembers_earlier_rows_is_found(as_classes: bool) -> None:
    X, target = log(memory=1.5, seed=1)
    found = quick(X, classes_of(target) if as_classes else target)
    assert found.verdict == "row order matters"
    assert found.pvalue == 1 / 40
    assert found.score > 0.1


def test_where_rows_stand_in_no_order_p_is_small_as_rarely_as_it_should_be() -> None:
    small = sum(
        quick(*log(120, memory=0.0, seed=seed), seed=seed).pvalue <= 0.05 for seed in range(24)
    )
    assert small <= stats.binom.ppf(0.999, 24, 0.05)


def test_rows_put_into_another_order_lose_what_they_remember() -> None:
    X, target = log(memory=1.5, seed=2)
    mixed = np.random.default_rng(0).permutation(len(X))
    assert quick(X[mixed], target[mixed]).verdict != "row order matters"


def test_each_row_is_held_out_once_and_its_neighbours_are_not_learnt_from() -> None:
    folds = stretches(103, 5, 8)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(103))
    for train, test in folds:
        assert np.abs(train[:, None] - test).min() == 9


def test_the_target_of_the_row_itself_never_predicts_it() -> None:
    """A random walk of targets goes on from row to row, but the columns know nothing of it."""
    generator = np.random.default_rng(3)
    X = generator.normal(size=(300, 4)).astype(np.float32)
    walk = Target("y", "regression", np.cumsum(generator.normal(size=300)))
    found = quick(X, walk)
    assert found.autocorrelation > 0.8
    assert found.verdict != "row order matters"


def test_what_it_says_to_do_runs() -> None:
    X, target = log(memory=1.5, seed=1)
    found = quick(X, classes_of(target))
    code = [line.strip().split("#")[0] for line in found.text.splitlines()[1:]]
    assert len(code) == 2
    assert re.search(r"CNNClassifier\(\)\.fit", code[1])
    from cnnkit import CNNClassifier

    class Quick(CNNClassifier):
        def __init__(self) -> None:
            super().__init__(epochs=1)

    exec(
        "\n".join(code), {"np": np, "X": X, "y": classes_of(target).values, "CNNClassifier": Quick}
    )


def test_everything_is_json_and_says_that_it_is_experimental() -> None:
    found = quick(*log(memory=0.0, seed=0)).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["experimental"] is True
    assert len(found["permutation_scores"]) == 39


def test_too_few_rows_are_refused_with_the_number_that_is_needed() -> None:
    X, target = log(70, memory=0.0, seed=0)
    with pytest.raises(TableError, match="70 rows: at least 80"):
        quick(X, target)


def test_the_same_seed_finds_the_same() -> None:
    X, target = log(memory=0.3, seed=4)
    np.testing.assert_array_equal(
        quick(X, target, seed=5).permutation_scores, quick(X, target, seed=5).permutation_scores
    )
