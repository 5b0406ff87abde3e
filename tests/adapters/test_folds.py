"""Folds against scikit-learn's, and what they promise."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold

from cnnkit.adapters.errors import SplitError
from cnnkit.adapters.folds import make_folds, validation_part


def distinct(count):
    return [f"content {i}" for i in range(count)]


def labels_of(rng, count):
    return rng.choice(["a", "b", "c"], count, p=[0.6, 0.3, 0.1]).astype(object)


@pytest.mark.parametrize("kind", ["group:g", "column:g"])
def test_groups_in_turn_are_those_of_scikit_learn(kind):
    groups = np.random.default_rng(0).integers(0, 7, 60).astype(str)
    folds = make_folds(kind, None, pd.DataFrame({"g": groups}), distinct(60))
    expected = list(LeaveOneGroupOut().split(np.zeros(60), groups=groups))
    assert len(folds) == len(expected)
    for fold, (train, test) in zip(folds, expected, strict=True):
        assert (fold.train == train).all()
        assert (fold.test == test).all()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("count", [2, 5, 10])
def test_folds_are_as_even_as_those_of_scikit_learn(count, seed):
    rng = np.random.default_rng(seed)
    labels = labels_of(rng, 203)
    folds = make_folds(str(count), labels, None, distinct(203), seed=seed)
    theirs = StratifiedKFold(count).split(np.zeros(203), labels)
    assert sorted(len(fold.test) for fold in folds) == sorted(len(test) for _, test in theirs)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(203))
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == list(range(203))
        for label, total in Counter(labels).items():
            exact = total * len(fold.test) / 203
            assert abs((labels[fold.test] == label).sum() - exact) < 1


@pytest.mark.parametrize("seed", range(10))
def test_identical_items_stand_in_the_same_fold_whatever_the_order(seed):
    rng = np.random.default_rng(seed)
    labels = labels_of(rng, 100)
    fingerprints = [f"content {i}" for i in rng.integers(0, 80, 100)]
    folds = make_folds("4", labels, None, fingerprints, seed=seed)
    tested = [{fingerprints[i] for i in fold.test} for fold in folds]
    assert sum(map(len, tested)) == len(set(fingerprints))
    order = rng.permutation(100)
    mixed = make_folds("4", labels[order], None, [fingerprints[i] for i in order], seed=seed)
    assert [set(order[fold.test]) for fold in mixed] == [set(fold.test) for fold in folds]


def test_more_than_ten_groups_become_five_folds_of_whole_groups():
    groups = np.repeat(np.arange(23), 4).astype(str)
    table = pd.DataFrame({"g": groups})
    folds = make_folds("group:g", None, table, distinct(92))
    assert [fold.name for fold in folds] == [f"fold {i} of 5" for i in range(1, 6)]
    assert "23 groups: 5 folds of whole groups" in folds[0].notes[0]
    assert sum(len(set(groups[fold.test])) for fold in folds) == 23
    assert {len(fold.test) for fold in folds} == {16, 20}
    assert len(make_folds("group:g", None, table, distinct(92), max_groups=30)) == 23


def test_values_in_turn_are_named_in_their_natural_order():
    table = pd.DataFrame({"fold": ["10", "2", "1"]})
    folds = make_folds("column:fold", None, table, distinct(3))
    assert [fold.name for fold in folds] == ["fold=1", "fold=2", "fold=10"]
    assert [list(fold.test) for fold in folds] == [[2], [1], [0]]


def test_training_copies_of_tested_items_are_set_aside():
    table = pd.DataFrame({"fold": ["1", "1", "2", "2"]})
    first, second = make_folds("column:fold", None, table, ["x", "y", "x", "z"])
    assert (list(first.train), list(first.test)) == ([3], [0, 1])
    assert [problem.item for problem in first.set_aside] == [2]
    assert (list(second.train), list(second.test)) == ([1], [2, 3])
    assert "item 2" in second.set_aside[0].reason


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("1", "expected 2 to 120"),
        ("121", "can't be divided into 121 folds"),
        ("stratified", "Expected a number like 5"),
        ("group:", "Expected a number like 5"),
        ("scaffold-balanced", "Did you mean 'scaffold'"),
        ("column:all", "holds only 'x'"),
        ("column:own", "has 120 values.*Did you mean 'group:own'"),
        ("column:alll", "Did you mean 'all'"),
    ],
)
def test_folds_that_cannot_be_made_are_refused_with_the_reason(kind, message):
    table = pd.DataFrame({"all": ["x"] * 120, "own": distinct(120)})
    with pytest.raises(SplitError, match=message):
        make_folds(kind, None, table, distinct(120))


def test_a_fold_whose_training_items_are_all_copies_is_refused():
    with pytest.raises(SplitError, match="no training item is left"):
        make_folds("column:f", None, pd.DataFrame({"f": ["1", "2"]}), ["x", "x"])


@pytest.mark.parametrize("seed", range(10))
def test_a_validation_part_is_stratified_and_shares_no_content_with_the_training_part(seed):
    rng = np.random.default_rng(seed)
    labels = labels_of(rng, 200)
    fold = make_folds("5", labels, None, distinct(200), seed=seed)[0]
    train, val = validation_part(fold.train, "5", labels, None, distinct(200), val=0.2, seed=seed)
    assert sorted([*train, *val]) == list(fold.train)
    assert len(val) == round(0.2 * len(fold.train))
    for label, total in Counter(labels[fold.train]).items():
        assert abs((labels[val] == label).sum() - 0.2 * total) < 1.1


@pytest.mark.parametrize("kind", ["group:g", "column:g"])
def test_a_validation_part_takes_whole_groups(kind):
    groups = np.repeat(np.arange(6), 10).astype(str)
    table = pd.DataFrame({"g": groups})
    for fold in make_folds(kind, None, table, distinct(60)):
        train, val = validation_part(fold.train, kind, None, table, distinct(60), val=0.2)
        assert len(set(groups[val])) == 1
        assert len(val) == 10
        assert len(train) == 40


def test_a_validation_part_of_a_single_group_is_refused():
    table = pd.DataFrame({"g": ["a", "b", "b"]})
    with pytest.raises(SplitError, match="has 1 groups; 2 parts need at least 2"):
        validation_part(np.array([1, 2]), "group:g", None, table, distinct(3))


def test_no_validation_part_leaves_all_for_training():
    train, val = validation_part(np.array([3, 1]), "5", None, None, distinct(4), val=0)
    assert (list(train), list(val)) == ([1, 3], [])
