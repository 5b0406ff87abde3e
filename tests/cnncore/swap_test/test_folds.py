import numpy as np
import pytest

from cnnkit.cnncore.swap_test.folds import make_folds
from cnnkit.cnncore.swap_test.target import TableError, Target

RNG = np.random.default_rng(0)


def classes(values, names="abcdefgh") -> Target:
    values = np.asarray(values)
    return Target("y", "classification", values, tuple(names[: values.max() + 1]))


def numbers(n: int) -> Target:
    return Target("y", "regression", np.random.default_rng(n).normal(size=n))


KINDS = {
    "classes": (classes(RNG.integers(0, 3, 100)), {}),
    "numbers": (numbers(100), {}),
    "groups of classes": (classes(RNG.integers(0, 3, 100)), {"groups": np.arange(100) // 7}),
    "groups of numbers": (numbers(100), {"groups": np.arange(100) % 9}),
    "times of classes": (classes(RNG.integers(0, 3, 100)), {"time": RNG.permutation(100)}),
    "times of numbers": (numbers(100), {"time": RNG.permutation(100)}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_each_row_is_tested_once_and_trains_the_other_folds(kind, count):
    target, options = KINDS[kind]
    folds, notes = make_folds(target, folds=count, seed=1, **options)
    assert len(folds) == count
    assert notes == []
    tested = np.concatenate([test for _, test in folds])
    assert sorted(tested.tolist()) == list(range(100))
    for train, test in folds:
        assert train.dtype == test.dtype == np.int64
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(100))
        assert np.array_equal(train, np.sort(train))
        assert np.array_equal(test, np.sort(test))


def test_each_fold_holds_the_same_share_of_each_class():
    target = classes(RNG.permutation(np.repeat([0, 1, 2], [60, 24, 6])))
    for _, test in make_folds(target, folds=3, seed=0)[0]:
        assert np.bincount(target.values[test]).tolist() == [20, 8, 2]


def test_each_fold_holds_the_same_share_of_each_tenth_of_the_numbers():
    target = numbers(300)
    tenth = np.searchsorted(np.sort(target.values), target.values) // 30
    for _, test in make_folds(target, folds=3, seed=0)[0]:
        assert np.bincount(tenth[test]).tolist() == [10] * 10


def test_few_or_equal_numbers_are_divided_too():
    for n in (3, 5, 8):
        sizes = [len(test) for _, test in make_folds(numbers(n), folds=3, seed=0)[0]]
        assert max(sizes) - min(sizes) <= 1
    mostly_zero = Target("y", "regression", np.repeat([0.0, 1.0], [28, 2]))
    assert [len(test) for _, test in make_folds(mostly_zero, folds=3, seed=0)[0]] == [10, 10, 10]


def test_the_seed_decides():
    target = classes(RNG.integers(0, 2, 60))
    tested = [make_folds(target, folds=3, seed=seed)[0][0][1].tolist() for seed in (5, 5, 6)]
    assert tested[0] == tested[1] != tested[2]


@pytest.mark.parametrize("kind", ["groups of classes", "groups of numbers"])
def test_groups_stay_whole(kind):
    target, options = KINDS[kind]
    names = np.array([f"group {k}" for k in options["groups"]], dtype=object)
    for train, test in make_folds(target, folds=3, groups=names, seed=0)[0]:
        assert not set(names[train]) & set(names[test])


@pytest.mark.parametrize("seed", range(10))
def test_a_class_in_few_of_few_groups_is_in_every_training_part(seed):
    rng = np.random.default_rng(119)  # a table on which half of the draws fail
    groups, values = rng.integers(0, 7, 60), rng.integers(0, 2, 60)
    for group, share in ((0, 0.5), (1, 0.2)):
        values[(groups == group) & (rng.random(60) < share)] = 2
    folds, notes = make_folds(classes(values), folds=3, groups=groups, seed=seed)
    assert notes == []
    assert all(set(values[train]) == {0, 1, 2} for train, _ in folds)


def test_a_class_in_one_group_is_named_in_a_note():
    groups = np.arange(120) // 10
    values = RNG.integers(0, 2, 120)
    values[:5] = 2
    folds, notes = make_folds(classes(values), folds=3, groups=groups, seed=0)
    without = next(k for k, (_, test) in enumerate(folds, 1) if 0 in test)
    assert notes == [f"The training rows of fold {without} hold no row of class 'c'."]
    assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)


def test_rows_without_a_group_are_one_group_and_counted():
    groups = np.array(["x", None, "y", None, "z", "x", float("nan"), "y", "z"], dtype=object)
    folds, notes = make_folds(numbers(9), folds=3, groups=groups, seed=0)
    assert notes == ["3 rows without a group were taken as one group."]
    assert sum({1, 3, 6} <= set(test.tolist()) for _, test in folds) == 1
    assert "3 different groups: expected at least 4" in problem(
        numbers(9), folds=4, groups=np.array(["x", "y", None] * 3, dtype=object)
    )


@pytest.mark.parametrize("unit", [1, np.timedelta64(1, "h")])
def test_times_are_cut_into_blocks(unit):
    start = 0 if unit == 1 else np.datetime64("2026-01-01T00")
    position = RNG.permutation(20)
    folds, _ = make_folds(numbers(20), folds=3, time=start + position * unit, seed=0)
    blocks = [sorted(position[test].tolist()) for _, test in folds]
    assert blocks == [list(range(7)), list(range(7, 14)), list(range(14, 20))]


def test_a_class_of_one_stretch_of_time_is_named():
    values = np.repeat([0, 1, 0, 2], 10)
    _, notes = make_folds(classes(values), folds=4, time=np.arange(40), seed=0)
    assert notes == [
        "The training rows of fold 2 hold no row of class 'b'.",
        "The training rows of fold 4 hold no row of class 'c'.",
    ]


def problem(target: Target, folds: int = 3, **options) -> str:
    with pytest.raises(TableError) as caught:
        make_folds(target, folds=folds, seed=0, **options)
    return str(caught.value)


def test_rare_classes_are_all_named_with_their_rows():
    said = problem(classes([0] * 9 + [1] * 2 + [2]))
    assert "'b' (2), 'c' (1); expected at least 3" in said
    assert "'a'" not in said


def test_of_very_many_rare_classes_a_few_are_named():
    names = [f"id{k}" for k in range(50)]
    said = problem(classes(np.arange(50), names))
    assert "'id4' (1) and 45 more" in said
    assert "id5" not in said


def test_what_cannot_be_divided_is_refused():
    even = classes([0, 1] * 10)
    assert "2 rows: expected at least 3" in problem(numbers(2))
    assert "1 folds: expected at least 2" in problem(even, folds=1)
    assert "2 different groups: expected at least 3" in problem(even, groups=np.arange(20) % 2)
    assert "Groups of shape (3,): expected 20" in problem(even, groups=np.arange(3))
    assert "Times of shape (3,): expected 20" in problem(even, time=np.arange(3))
    assert "Both groups and times" in problem(even, time=np.arange(20), groups=np.arange(20))


def test_a_missing_time_is_counted_and_placed():
    time = np.arange("2026-01-01", "2026-01-21", dtype="datetime64[D]")
    time[[4, 9]] = np.datetime64("NaT")
    said = problem(numbers(20), time=time)
    assert "2 of 20 rows have no time, first row 5" in said


def test_training_rows_of_a_single_class_are_refused():
    sorted_by_class = classes([0] * 10 + [1] * 10)
    said = problem(sorted_by_class, folds=2, time=np.arange(20))
    assert "fold 1 of 2 hold one class only" in said
    assert "one class only" in problem(sorted_by_class, folds=2, groups=np.arange(20) // 10)
