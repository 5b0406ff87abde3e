"""What is to be alike in all parts, where items have several labels; classes: test_splits.py."""

from collections import Counter

import numpy as np
import pytest

from cnnkit.adapters.folds import make_folds
from cnnkit.adapters.splits import make_split
from cnnkit.adapters.units import find_strata


def random_targets(rng, count):
    targets = (rng.random((count, 4)) < [0.6, 0.4, 0.1, 0.05]).astype(float)
    targets[rng.random(targets.shape) < 0.05] = np.nan
    return targets


def combinations(targets):
    return [str(row) for row in targets.tolist()]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("parts", [2, 3, 10])
def test_combinations_with_fewer_items_than_parts_are_all_alike(seed, parts):
    targets = random_targets(np.random.default_rng(seed), 80)
    strata = find_strata(targets, "multilabel", 80, parts)
    names = combinations(targets)
    counts = Counter(names)
    expected = [name if counts[name] >= parts else "rare" for name in names]
    pairs = set(zip(strata.tolist(), expected, strict=True))
    assert len(pairs) == len(set(expected)) == len(set(strata.tolist()))


@pytest.mark.parametrize("seed", range(5))
def test_frequent_combinations_stand_in_all_parts_in_the_same_proportions(seed):
    targets = random_targets(np.random.default_rng(seed), 200)
    fingerprints = [f"content {number}" for number in range(200)]
    split = make_split("stratified", targets, None, fingerprints, seed=seed, task="multilabel")
    assert split.sizes() == {"train": 140, "val": 30, "test": 30}
    assert split.notes == ()
    folds = make_folds("5", targets, None, fingerprints, seed=seed, task="multilabel")
    names = np.array(combinations(targets))
    for name, count in Counter(names.tolist()).items():
        if count < 5:
            continue
        for rows, share in ((split.train, 0.7), (split.val, 0.15), (split.test, 0.15)):
            assert abs((names[rows] == name).sum() - share * count) < 1
        for fold in folds:
            assert abs((names[fold.test] == name).sum() - count / 5) < 1


def test_identical_items_with_other_labels_are_reported():
    targets = np.array([[1, 0], [1, np.nan], *[[0, 1]] * 8])
    contents = ["same", "same", *(f"content {number}" for number in range(8))]
    split = make_split("random", targets, None, contents, task="multilabel")
    assert split.notes[1:] == (
        "identical items with different labels: 1 times, for example item 0 ('10'), item 1 ('1?')",
    )


def test_items_that_know_the_same_targets_are_alike_in_all_parts():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(200, 2))
    targets[:60, 0] = np.nan
    targets[60:100, 1] = np.nan
    fingerprints = [f"content {number}" for number in range(200)]
    split = make_split("stratified", targets, None, fingerprints, task="regression")
    for items in (split.train, split.val, split.test):
        assert np.isnan(targets[items]).sum(axis=0).tolist() == [
            round(0.3 * len(items)), round(0.2 * len(items)),
        ]  # fmt: skip
