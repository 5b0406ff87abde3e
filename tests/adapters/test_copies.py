"""Copies, also with different numbers, against plain loops; with other labels: test_splits.py."""

from collections import defaultdict

import numpy as np
import pytest

from cnnkit.adapters.copies import count_copies, count_set_aside, number_conflicts
from cnnkit.adapters.splits import given_split, make_split


def conflicts_one_by_one(contents, targets):
    by_content = defaultdict(list)
    for content, target in zip(contents, targets, strict=True):
        if not np.isnan(target):
            by_content[content].append(target)
    spreads = [max(known) - min(known) for known in by_content.values()]
    return sum(spread > 0 for spread in spreads), max(spreads, default=0)


@pytest.mark.parametrize("seed", range(20))
def test_conflicting_numbers_are_counted_with_the_largest_spread(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(5, 80))
    contents = np.unique(rng.integers(0, 40, count), return_inverse=True)[1]
    targets = rng.integers(-4, 5, count) / 8
    targets[rng.random(count) < 0.2] = np.nan
    names = [f"row {number}" for number in range(count)]
    expected, spread = conflicts_one_by_one(contents, targets)
    notes = number_conflicts(contents, targets, names)
    if not expected:
        assert notes == []
        return
    head, _, example = notes[0].rpartition(f"{spread:g}: ")
    assert head == f"identical items with different numbers: {expected} times, by up to "
    places, values = zip(*(part.rstrip(")").split(" (") for part in example.split(", ")),
                         strict=True)  # fmt: skip
    rows = [names.index(place) for place in places]
    assert rows == sorted(rows)
    assert contents[rows[0]] == contents[rows[1]]
    assert [float(value) for value in values] == targets[rows].tolist()
    assert abs(targets[rows[0]] - targets[rows[1]]) == spread


def test_a_split_of_a_regression_reports_copies_with_different_numbers():
    fingerprints = [*(f"content {number}" for number in range(9)), "content 4", "content 5"]
    targets = np.array([*range(9), 4.0, 5.75])
    places = [f"solubility.csv:{line}" for line in range(2, 13)]
    split = make_split("random", targets, None, fingerprints, task="regression", places=places)
    conflict = (
        "identical items with different numbers: 1 times, by up to 0.75: "
        "solubility.csv:7 (5.0), solubility.csv:12 (5.75)"
    )
    assert split.notes[1:] == (conflict,)
    given = given_split((9, 0, 2), targets, fingerprints, val=0, task="regression", places=places)
    assert given.notes[1:] == (conflict,)


def test_identical_numbers_and_unknown_ones_are_no_conflict():
    contents = np.array([0, 0, 0, 1, 1, 2, 2])
    targets = np.array([3.5, 3.5, np.nan, np.nan, np.nan, 1.0, np.nan])
    assert number_conflicts(contents, targets, [""] * 7) == []


@pytest.mark.parametrize("seed", range(20))
def test_copies_in_later_parts_are_counted_for_each_pair_of_parts(seed):
    rng = np.random.default_rng(seed)
    contents = np.unique(rng.integers(0, 30, 40), return_inverse=True)[1]
    part = rng.integers(0, 3, 40)
    names = [f"row {number}" for number in range(40)]
    expected = defaultdict(list)
    for item in range(40):
        last = max(part[other] for other in range(40) if contents[other] == contents[item])
        if last > part[item]:
            expected[part[item], last].append(item)
    notes = count_set_aside(part, contents, names)
    words = ("training", "validation", "test")
    assert len(notes) == len(expected)
    for note in notes:
        counted, example = note.split(" set aside, for example ")
        count, low, *_, high, _, _, _ = counted.split()
        copy, original = (names.index(name) for name in example.split(" = "))
        assert contents[copy] == contents[original]
        pair = words.index(low), words.index(high)
        assert (part[copy], part[original]) == pair
        assert int(count) == len(expected[pair])


def test_training_copies_of_test_items_are_counted_among_the_notes_of_a_given_split():
    fingerprints = [*"abcdefgh", *"bcx"]
    places = [*(f"base.csv:{line}" for line in range(2, 10)), *(f"t.csv:{n}" for n in (2, 3, 4))]
    split = given_split((8, 0, 3), None, fingerprints, val=0, places=places)
    assert split.notes == (
        "2 training items are copies of test items and were set aside, for example "
        "base.csv:3 = t.csv:2",
    )
    assert given_split((8, 0, 1), None, [*"abcdefgh", "x"], val=0).notes == ()


def test_copies_inside_one_source_are_counted_where_parts_are_drawn():
    split = make_split("random", None, None, [*"abcdefghij", *"aab"])
    assert split.notes == (
        "3 items are copies of other ones, for example item 10 = item 0; copies stand on one side",
    )
    assert count_copies(np.arange(5), [""] * 5) == []
