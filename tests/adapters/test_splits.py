"""Splits and what they promise, over random data sets."""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from cnnkit.adapters.errors import SplitError
from cnnkit.adapters.splits import SplitKind, given_split, make_split, parse_split

SEEDS = range(12)


def random_labels(rng, fewest=2):
    counts = rng.integers(fewest, 40, rng.integers(1, 9))
    labels = np.repeat([f"class {i}" for i in range(len(counts))], counts).astype(object)
    rng.shuffle(labels)
    return labels


def random_copies(rng, count):
    """Fingerprints of which about a quarter stand there twice or more."""
    return [f"content {i}" for i in rng.integers(0, max(3, int(count * 1.5)), count)]


def distinct(count):
    return [f"content {i}" for i in range(count)]


def part_of(split, count):
    part = np.full(count, -1)
    for number, items in enumerate((split.train, split.val, split.test)):
        part[items] = number
    return part


def largest_remainder(count, val, test):
    val, test = Fraction(str(val)), Fraction(str(test))
    exact = [count * (1 - val - test), count * val, count * test]
    sizes = [int(share) for share in exact]
    by_remainder = sorted(range(3), key=lambda p: sizes[p] - exact[p])
    for part in by_remainder[: count - sum(sizes)]:
        sizes[part] += 1
    return sizes


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["stratified", "random", "group:g"])
def test_parts_are_disjoint_and_cover_all_items(kind, seed):
    rng = np.random.default_rng(seed)
    labels = random_labels(rng, fewest=4)
    table = pd.DataFrame({"g": [f"g{i % 4}" for i in range(len(labels))]})
    split = make_split(kind, labels, table, distinct(len(labels)), seed=seed)
    together = np.concatenate([split.train, split.val, split.test])
    assert sorted(together) == list(range(len(labels)))
    assert all(len(part) for part in (split.train, split.val, split.test))
    assert all(part.dtype == np.int64 for part in (split.train, split.val, split.test))
    assert split.sizes() == {
        "train": len(split.train),
        "val": len(split.val),
        "test": len(split.test),
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("val", "test"), [(0.15, 0.15), (0.1, 0.2), (0.25, 0.3), (0.0, 0.25)])
def test_stratified_sizes_are_exact_and_every_class_is_divided_within_one_item(seed, val, test):
    labels = random_labels(np.random.default_rng(seed), fewest=8)
    split = make_split("stratified", labels, None, distinct(len(labels)), val=val, test=test)
    assert list(split.sizes().values()) == largest_remainder(len(labels), val, test)
    for label, count in Counter(labels).items():
        for items in (split.train, split.val, split.test):
            exact = count * len(items) / len(labels)
            assert abs((labels[items] == label).sum() - exact) < 1


@pytest.mark.parametrize("seed", SEEDS)
def test_every_class_keeps_a_training_item_even_when_little_is_trained_on(seed):
    rng = np.random.default_rng(seed)
    labels = np.array([f"c{i}" for i in rng.integers(0, 12, 60)], dtype=object)
    fingerprints = random_copies(rng, 60)
    split = make_split("stratified", labels, None, fingerprints, val=0.4, test=0.4, seed=seed)
    assert set(labels[split.train]) == set(labels)
    part = part_of(split, 60)
    assert len(set(zip(fingerprints, part, strict=True))) == len(set(fingerprints))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["stratified", "random", "group:g"])
def test_identical_items_and_groups_stand_in_one_part(kind, seed):
    rng = np.random.default_rng(seed)
    labels = random_labels(rng, fewest=5)
    fingerprints = random_copies(rng, len(labels))
    # Copies lie within few groups, so that not all groups are joined by them.
    owner = {name: f"g{rng.integers(0, 25)}" for name in set(fingerprints)}
    groups = [owner[name] for name in fingerprints]
    split = make_split(kind, labels, pd.DataFrame({"g": groups}), fingerprints, seed=seed)
    part = part_of(split, len(labels))
    assert (part >= 0).all()
    assert len(set(zip(fingerprints, part, strict=True))) == len(set(fingerprints))
    if kind == "group:g":
        assert len(set(zip(groups, part, strict=True))) == len(set(groups))
    else:
        largest = max(Counter(fingerprints).values())
        wanted = largest_remainder(len(labels), 0.15, 0.15)
        assert max(abs(np.subtract(list(split.sizes().values()), wanted))) <= largest


def test_groups_joined_by_a_chain_of_copies_stand_in_one_part():
    groups = ["a", "a", "b", "b", "c", "c", "d", "e", "f", "g"]
    fingerprints = ["1", "2", "2", "3", "3", "4", "5", "6", "7", "8"]
    for seed in range(10):
        table = pd.DataFrame({"g": groups})
        split = make_split("group:g", None, table, fingerprints, val=0.2, test=0.2, seed=seed)
        assert len(set(part_of(split, 10)[:6])) == 1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["stratified", "random", "group:g"])
def test_a_split_depends_on_the_contents_and_the_seed_but_not_on_the_order(kind, seed):
    rng = np.random.default_rng(seed)
    labels = random_labels(rng, fewest=10)
    count = len(labels)
    fingerprints = random_copies(rng, count)
    owner = {name: f"g{rng.integers(0, 20)}" for name in set(fingerprints)}
    table = pd.DataFrame({"g": [owner[name] for name in fingerprints]})
    split = make_split(kind, labels, table, fingerprints, seed=seed)
    order = rng.permutation(count)
    mixed = [fingerprints[i] for i in order]
    again = make_split(kind, labels[order], table.iloc[order], mixed, seed=seed)
    assert again.sha256 == split.sha256
    assert (part_of(again, count) == part_of(split, count)[order]).all()


def test_another_seed_gives_another_split_and_another_digest():
    labels = np.array(["a", "b"] * 50, dtype=object)
    splits = [make_split("stratified", labels, None, distinct(100), seed=s) for s in range(5)]
    assert len({split.sha256 for split in splits}) == 5
    assert len({tuple(split.test) for split in splits}) == 5


def test_the_digest_tells_the_parts_apart():
    fingerprints = distinct(4)
    digests = {given_split(sizes, None, fingerprints).sha256 for sizes in [(2, 1, 1), (1, 2, 1)]}
    assert len(digests) == 2


def best_total_deviation(group_sizes, wanted):
    return min(
        sum(abs(sum(s for s, p in zip(group_sizes, parts, strict=True) if p == part) - wanted[part])
            for part in range(3))
        for parts in itertools.product(range(3), repeat=len(group_sizes))
        if len(set(parts)) == 3
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_a_few_groups_are_divided_as_evenly_as_any_division_can(seed):
    rng = np.random.default_rng(seed)
    group_sizes = rng.integers(1, 40, rng.integers(3, 8))
    count = int(group_sizes.sum())
    table = pd.DataFrame({"g": np.repeat(np.arange(len(group_sizes)).astype(str), group_sizes)})
    labels = rng.choice(["a", "b"], count).astype(object)
    split = make_split("group:g", labels, table, distinct(count), seed=seed)
    wanted = largest_remainder(count, 0.15, 0.15)
    deviation = np.abs(np.subtract(list(split.sizes().values()), wanted)).sum()
    assert deviation == best_total_deviation(group_sizes.tolist(), wanted)


@pytest.mark.parametrize("seed", range(12))
def test_with_many_groups_no_move_or_swap_of_groups_brings_the_sizes_nearer(seed):
    rng = np.random.default_rng(seed)
    group_sizes = rng.integers(1, 60, 20)
    count = int(group_sizes.sum())
    groups = np.repeat(np.arange(20), group_sizes)
    labels = rng.choice(["a", "b", "c"], count).astype(object)
    table = pd.DataFrame({"g": groups.astype(str)})
    split = make_split("group:g", labels, table, distinct(count), seed=seed)
    wanted = np.array(largest_remainder(count, 0.15, 0.15))
    part = part_of(split, count)[np.searchsorted(groups, np.arange(20))]

    def deviation(parts):
        return np.abs(np.bincount(parts, group_sizes, 3) - wanted).sum()

    for i, j in itertools.product(range(20), repeat=2):
        swapped = part.copy()
        swapped[[i, j]] = part[[j, i]]
        moved = part.copy()
        moved[i] = j % 3
        assert deviation(swapped) >= deviation(part)
        assert deviation(moved) >= deviation(part)


@pytest.mark.parametrize("kind", ["random", "group:g"])
def test_every_part_that_was_asked_for_gets_an_item_however_small_its_share(kind):
    for count, size in [(3, 1), (20, 10)]:
        table = pd.DataFrame({"g": np.repeat(np.arange(count).astype(str), size)})
        split = make_split(kind, None, table, distinct(count * size), val=0.01, test=0.2)
        assert min(split.sizes().values()) > 0


def test_groups_that_are_classes_are_divided_in_the_wanted_sizes():
    groups = np.repeat(np.arange(50), 4).astype(str)
    labels = groups.astype(object)
    table = pd.DataFrame({"g": groups})
    split = make_split("group:g", labels, table, distinct(200), val=0.16, test=0.2)
    assert split.sizes() == {"train": 128, "val": 32, "test": 40}


def test_groups_of_one_class_each_are_divided_so_that_every_part_has_every_class():
    groups = np.repeat(np.arange(60), 5)
    labels = np.array([f"class {g % 3}" for g in groups], dtype=object)
    table = pd.DataFrame({"g": groups.astype(str)})
    for seed in range(5):
        split = make_split("group:g", labels, table, distinct(300), seed=seed)
        assert set(Counter(labels[split.test]).values()) == {15}
        assert set(Counter(labels[split.val]).values()) == {15}


def test_a_class_with_a_single_item_is_trained_on_and_named_in_a_note():
    labels = np.array(["a"] * 10 + ["b"] * 10 + ["rare"], dtype=object)
    for seed in range(10):
        split = make_split("stratified", labels, None, distinct(21), seed=seed)
        assert 20 in split.train
        assert split.sizes() == {"train": 15, "val": 3, "test": 3}
        assert "1 of 3 classes have a single item" in split.notes[0]


def test_a_class_of_copies_of_one_item_counts_as_a_single_item():
    labels = np.array(["a"] * 10 + ["rare"] * 3, dtype=object)
    split = make_split("stratified", labels, None, [*distinct(10), "x", "x", "x"])
    assert {10, 11, 12} <= set(split.train)


def test_regression_targets_are_alike_in_all_parts():
    rng = np.random.default_rng(0)
    targets = rng.gamma(1.0, 10.0, 400)
    split = make_split("stratified", targets, None, distinct(400), task="regression")
    tenth = pd.qcut(targets, 10, labels=False)
    for items in (split.train, split.val, split.test):
        assert max(abs(np.bincount(tenth[items]) - len(items) / 10)) < 1


def test_regression_targets_that_are_mostly_equal_can_be_split():
    targets = np.array([0.0] * 90 + [1.0] * 10)
    split = make_split("stratified", targets, None, distinct(100), task="regression")
    assert list(split.sizes().values()) == [70, 15, 15]


def test_a_column_can_name_the_parts_in_any_case_and_by_their_usual_names():
    values = ["Train", "TRAIN", "train", "dev", "Valid", "validation", "val", "test", "Test "]
    split = make_split("column:part", None, pd.DataFrame({"part": values}), distinct(9))
    assert (list(split.train), list(split.val), list(split.test)) == (
        [0, 1, 2], [3, 4, 5, 6], [7, 8],
    )  # fmt: skip
    assert split.name == "column:part"


def test_a_missing_validation_part_is_drawn_from_the_training_part_of_the_column():
    labels = np.array(["a", "b"] * 50, dtype=object)
    table = pd.DataFrame({"part": ["train"] * 80 + ["test"] * 20})
    split = make_split("column:part", labels, table, distinct(100), val=0.25)
    assert list(split.test) == list(range(80, 100))
    assert Counter(labels[split.val]) == {"a": 10, "b": 10}
    assert sorted([*split.train, *split.val]) == list(range(80))
    assert "20 items drawn" in split.notes[0]
    without = make_split("column:part", labels, table, distinct(100), val=0)
    assert without.sizes() == {"train": 80, "val": 0, "test": 20}


def test_of_copies_in_given_parts_the_earlier_one_is_set_aside():
    table = pd.DataFrame({"part": ["train", "train", "val", "test", "val"]})
    places = [f"index.csv:{line}" for line in range(2, 7)]
    fingerprints = ["x", "y", "x", "z", "z"]
    split = make_split("column:part", None, table, fingerprints, places=places)
    assert (list(split.train), list(split.val), list(split.test)) == ([1], [2], [3])
    assert [(p.item, p.value, p.reason) for p in split.set_aside] == [
        (0, "index.csv:2", "has the same content as index.csv:4, which stands in the val part"),
        (4, "index.csv:6", "has the same content as index.csv:5, which stands in the test part"),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_given_parts_share_no_content_and_lose_only_copies(seed):
    rng = np.random.default_rng(seed)
    labels = random_labels(rng, fewest=6)
    count = len(labels)
    fingerprints = random_copies(rng, count)
    sizes = (count - 2 * (count // 5), count // 5, count // 5)
    split = given_split(sizes, labels, fingerprints, seed=seed)
    contents = [{fingerprints[i] for i in items} for items in (split.train, split.val, split.test)]
    assert not contents[0] & contents[1]
    assert not contents[0] & contents[2]
    assert not contents[1] & contents[2]
    assert set.union(*contents) == set(fingerprints)
    assert list(split.test) == list(range(count - sizes[2], count))
    aside = [problem.item for problem in split.set_aside]
    assert sorted([*split.train, *split.val, *split.test, *aside]) == list(range(count))


def test_files_without_a_validation_part_get_one_from_the_training_file():
    labels = np.array(["a", "b"] * 20 + ["a"], dtype=object)
    split = given_split((40, 0, 1), labels, [*distinct(40), "new"], val=0.25)
    assert Counter(labels[split.val]) == {"a": 5, "b": 5}
    assert list(split.test) == [40]


def test_identical_items_with_different_labels_are_reported():
    labels = np.array(["dog"] * 5 + ["cat"] * 5, dtype=object)
    fingerprints = [*distinct(9), "content 0"]
    split = make_split("random", labels, None, fingerprints)
    assert any("item 9 ('cat')" in note and "item 0 ('dog')" in note for note in split.notes)


def test_classes_that_are_only_tested_are_reported():
    labels = np.array(["dog", "dog", "cat"], dtype=object)
    split = given_split((1, 1, 1), labels, distinct(3))
    assert split.notes == ("classes without a training item, which can't be learned: 'cat'",)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("stratified", SplitKind("stratified")),
        ("random", SplitKind("random")),
        ("scaffold", SplitKind("scaffold")),
        ("scaffold-balanced", SplitKind("scaffold-balanced")),
        ("group:my column", SplitKind("group", "my column")),
        ("column:a:b", SplitKind("column", "a:b")),
    ],
)
def test_a_split_is_written_as_it_is_read(text, kind):
    assert parse_split(text) == kind
    assert str(kind) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("stratify", "Did you mean 'stratified'"),
        ("groups:a", "Did you mean 'group'"),
        ("scafold_balanced", "Did you mean 'scaffold-balanced'"),
        ("scaffold:x", "Did you mean 'scaffold'"),
        ("group", "group:COL"),
        ("column:", "column:COL"),
        ("random:x", "'random:x'"),
        ("", "Expected stratified"),
    ],
)
def test_an_unknown_split_is_refused_with_the_nearest_one(text, hint):
    with pytest.raises(SplitError, match=hint):
        parse_split(text)


TABLE = pd.DataFrame({"speaker": ["a", "b"] * 5, "hole": ["x", " "] * 5, "part": ["train"] * 10})


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("group:speker", {}, "Did you mean 'speaker'.*'hole'"),
        ("group:speaker", {}, "has 2 groups; 3 parts need at least 3"),
        ("group:hole", {}, "empty in 5 usable rows"),
        ("column:speaker", {}, "holds 'a', 'b'; expected.*Did you mean 'group:speaker'"),
        ("column:part", {}, "holds 'train', but no test rows"),
        ("random", {"val": 0.5, "test": 0.5}, "sum to less than 1"),
        ("random", {"val": -0.1}, "val=-0.1"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused_with_the_reason(kind, options, message):
    with pytest.raises(SplitError, match=message):
        make_split(kind, None, TABLE, distinct(10), **options)


def test_groups_that_copies_join_are_counted_as_one():
    table = pd.DataFrame({"g": ["a", "b", "c"]})
    with pytest.raises(SplitError, match="3 groups, and 2 after joining"):
        make_split("group:g", None, table, ["x", "x", "y"])


def test_a_folder_has_no_column_to_split_by():
    with pytest.raises(SplitError, match="a folder has no columns"):
        make_split("group:speaker", None, None, distinct(5))


def test_too_few_different_items_are_refused():
    with pytest.raises(SplitError, match="2 different items can't be split into 3 parts"):
        make_split("random", None, None, ["x", "y", "x", "y"])


def test_a_training_part_of_nothing_but_copies_is_refused():
    with pytest.raises(SplitError, match="No training item is left"):
        given_split((1, 0, 1), None, ["x", "x"])
