"""Splits by families against the rules of deepchem and chemprop, written from their description."""

from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest

from cnnkit.adapters.errors import SplitError
from cnnkit.adapters.families import check_offered, draw_families, family_units
from cnnkit.adapters.folds import make_folds, validation_part
from cnnkit.adapters.splits import make_split

SEEDS = range(15)
SHARES = [(0.7, 0.15, 0.15), (0.8, 0.1, 0.1), (0.8, 0.0, 0.2), (0.75, 0.25, 0.0)]


def random_families(rng, count=200):
    """A few large families, often one of acyclic molecules (""), and many of a single item."""
    names = np.array(["", *(f"ring {number}" for number in range(count))])
    return names[np.minimum(rng.geometric(rng.choice([0.05, 0.1, 0.02]), count), count)].tolist()


def distinct(count):
    return [f"content {number}" for number in range(count)]


def draw(kind, families, shares=(0.8, 0.1, 0.1), seed=0, fingerprints=None):
    contents = distinct(len(families)) if fingerprints is None else fingerprints
    return draw_families(kind, families, contents, shares, np.random.default_rng(seed))[0]


def by_size_as_deepchem(families, shares):
    """Sort by (size, first row), both descending; training, then validation, then test."""
    rows_of = defaultdict(list)
    for row, family in enumerate(families):
        rows_of[family].append(row)
    train, val, _ = (Fraction(str(share)) * len(families) for share in shares)
    sizes, part = [0, 0, 0], np.full(len(families), -1)
    for rows in sorted(rows_of.values(), key=lambda rows: (len(rows), rows[0]), reverse=True):
        chosen = 2
        if sizes[0] + len(rows) <= train:
            chosen = 0
        elif sizes[0] + sizes[1] + len(rows) <= train + val:
            chosen = 1
        part[rows] = chosen
        sizes[chosen] += len(rows)
    return part


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shares", SHARES)
def test_scaffold_divides_as_deepchem_does_whatever_the_seed(seed, shares):
    families = random_families(np.random.default_rng(seed))
    expected = by_size_as_deepchem(families, shares)
    for random_state in (0, 1):
        assert (draw("scaffold", families, shares, random_state) == expected).all()


@pytest.mark.parametrize("kind", ["scaffold", "scaffold-balanced"])
@pytest.mark.parametrize("shares", [("0.15", "0.15"), ("0.3", "0.3"), ("0.1", "0.2")])
@pytest.mark.parametrize("count", [10, 20, 35, 90])
def test_families_of_one_item_are_divided_in_the_sizes_of_exact_arithmetic(kind, shares, count):
    names = distinct(count)
    val, test = map(float, shares)
    sizes = make_split(kind, None, None, names, val=val, test=test, families=names).sizes()
    exact_val, exact_test = (Fraction(share) * count for share in shares)
    assert sizes["train"] == int(count - exact_val - exact_test)
    if kind == "scaffold":
        assert sizes["train"] + sizes["val"] == int(count - exact_test)
    else:
        assert sizes["val"] == int(exact_val)


def test_the_validation_part_of_scaffold_also_takes_the_room_left_in_training():
    families = [*"aaaaa", *"bbbb", *"cde"]  # room for 6 and 3, together 9
    assert draw("scaffold", families, (0.5, 0.25, 0.25)).tolist() == [0] * 5 + [1] * 4 + [2, 2, 0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shares", SHARES)
def test_scaffold_balanced_fills_the_parts_where_families_fit(seed, shares):
    families = np.array(random_families(np.random.default_rng(seed)))
    part = draw("scaffold-balanced", families.tolist(), shares, seed)
    part_of = dict(zip(families.tolist(), part.tolist(), strict=True))
    weights = Counter(families.tolist())
    room = [Fraction(str(share)) * len(families) for share in shares]
    sizes = np.bincount(part, minlength=3)
    last = max(number for number in range(3) if shares[number])
    assert all(sizes[number] <= room[number] for number in range(3) if number != last)
    half = min(share for share in room[1:] if share) / 2
    large_in_training = sum(w for f, w in weights.items() if w > half and part_of[f] == 0)
    for family, number in part_of.items():
        weight = weights[family]
        # Where a family is not in an earlier part, that part had no room for it.
        assert all(sizes[before] + weight > room[before] for before in range(number))
        if number and weight > half:  # when large ones are placed, only such take room
            assert large_in_training + weight > room[0]


@pytest.mark.parametrize("kind", ["scaffold", "scaffold-balanced"])
@pytest.mark.parametrize("seed", SEEDS)
def test_whole_families_and_all_copies_stand_on_one_side(kind, seed):
    rng = np.random.default_rng(seed)
    families = random_families(rng)
    fingerprints = [f"content {number}" for number in rng.integers(0, 2000, 200)]
    part = make_split(kind, None, None, fingerprints, seed=seed, families=families)
    sides = np.full(200, -1)
    for number, rows in enumerate((part.train, part.val, part.test)):
        sides[rows] = number
    assert (sides >= 0).all()
    assert len(set(zip(families, sides, strict=True))) == len(set(families))
    assert len(set(zip(fingerprints, sides, strict=True))) == len(set(fingerprints))
    assert part.name == kind


def test_families_that_share_a_copy_are_one():
    families = ["a", "a", "b", "b", "c"]
    assert family_units(families, ["1", "2", "2", "3", "4"]).tolist() == [0, 0, 0, 0, 1]
    # A name that isn't a family's is none, whatever an item's content is called.
    assert family_units(["x", None, None], ["y", "x", "y"]).tolist() == [1, 0, 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_scaffold_balanced_depends_on_the_seed_and_not_on_the_order(seed):
    rng = np.random.default_rng(seed)
    families = random_families(rng)
    part = draw("scaffold-balanced", families, seed=seed)
    assert (draw("scaffold-balanced", families, seed=seed + 1) != part).any()
    order = rng.permutation(200)
    mixed = [families[row] for row in order]
    contents = [distinct(200)[row] for row in order]
    again = draw("scaffold-balanced", mixed, seed=seed, fingerprints=contents)
    assert (again == part[order]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_leaves_the_sizes_of_scaffold_as_they_are(seed):
    rng = np.random.default_rng(seed)
    families = random_families(rng)
    mixed = rng.permutation(families).tolist()
    expected = np.bincount(draw("scaffold", families))
    assert (np.bincount(draw("scaffold", mixed)) == expected).all()


@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.1), (0.8, 0, 0.2), (0.8, 0.2, 0)])
def test_scaffold_balanced_holds_out_small_families_equally_often(shares):
    families = [*["large"] * 30, *distinct(70)]
    draws = [draw("scaffold-balanced", families, shares, seed) > 0 for seed in range(300)]
    held_out = np.mean(draws, axis=0)
    assert not held_out[:30].any()
    # 20 of 70; four standard errors of 300 draws
    assert abs(held_out[30:] - 2 / 7).max() < 4 * (2 / 7 * 5 / 7 / 300) ** 0.5


def test_the_validation_part_of_scaffold_balanced_takes_no_room_of_training():
    families = [*"aaaaa", *"bbbb", *"cde"]
    for seed in range(10):
        part = draw("scaffold-balanced", families, (0.5, 0.25, 0.25), seed)
        # Of the large ones the first is trained on; the other one is larger than 3.
        assert sorted([part[0], part[5]]) == [0, 2]


@pytest.mark.parametrize("kind", ["scaffold", "scaffold-balanced"])
@pytest.mark.parametrize("seed", SEEDS)
def test_unreadable_items_are_trained_on_and_change_nothing_else(kind, seed):
    rng = np.random.default_rng(seed)
    families = random_families(rng)
    unreadable = np.isin(np.arange(230), rng.choice(230, 30, replace=False))
    given = iter(families)
    with_them = [None if bad else next(given) for bad in unreadable]
    part = draw(kind, with_them, seed=seed)
    assert (part[unreadable] == 0).all()
    if kind == "scaffold":
        assert (part[~unreadable] == draw(kind, families)).all()
    else:
        assert (np.bincount(part[~unreadable])[:2] <= [160, 20]).all()


def test_the_notes_tell_the_families_and_what_the_seed_does():
    families = ["a", "a", "", "b", None, None]
    split = make_split("scaffold", None, None, distinct(6), test=0.25, val=0, families=families)
    assert split.notes == (
        "3 scaffolds, the largest with 2 items; the seed has no influence, the order of rows has",
        "2 unreadable items stand in the training part, uncounted",
    )
    assert split.sizes() == {"train": 5, "val": 0, "test": 1}
    balanced = make_split("scaffold-balanced", None, None, distinct(20), families=distinct(20))
    assert balanced.notes == ("20 scaffolds, the largest with 1 items",)


def test_a_digest_tells_splits_by_families_apart():
    families = distinct(40)
    kinds = [("scaffold", 0), ("scaffold", 1), *(("scaffold-balanced", s) for s in range(4))]
    splits = [
        make_split(kind, None, None, distinct(40), seed=seed, families=families)
        for kind, seed in kinds
    ]
    digests = [split.sha256 for split in splits]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 5


@pytest.mark.parametrize(
    ("families", "message"),
    [
        (["a"] * 10, "leaves the train and the val part empty: of 10 items there are 1 scaffolds"),
        ([*"aaaaaaaab", None], "leaves the val part empty: of 9 items .* largest with 8 items"),
        ([*"aaaaa", *"bbbbb"], "leaves the val part empty"),
        ([None] * 10, "No item has a scaffold"),
        (None, "have no scaffolds to split by"),
    ],
)
def test_families_that_cannot_be_divided_are_refused_with_the_reason(families, message):
    with pytest.raises(SplitError, match=message):
        make_split("scaffold", None, None, distinct(10), val=0.2, test=0.2, families=families)


def test_an_adapter_without_families_is_named():
    with pytest.raises(SplitError, match=r"Adapter audio knows no scaffolds.*Expected stratified"):
        check_offered("scaffold-balanced", (), "audio")


@pytest.mark.parametrize("seed", SEEDS)
def test_folds_of_scaffolds_are_whole_and_even_whatever_the_order(seed):
    rng = np.random.default_rng(seed)
    families = np.array(random_families(rng), dtype=object)
    families[rng.choice(200, 5, replace=False)] = None
    folds = make_folds("scaffold", None, None, distinct(200), seed=seed, families=families)
    fold_of = np.full(200, -1)
    for number, fold in enumerate(folds):
        fold_of[fold.test] = number
        assert sorted([*fold.train, *fold.test]) == list(range(200))
    assert set(fold_of) == set(range(5))
    known = [family for family in families if family is not None]
    pairs = {(f, n) for f, n in zip(families, fold_of, strict=True) if f is not None}
    assert len(pairs) == len(set(known))
    largest = max(Counter(known).values())
    assert max(np.bincount(fold_of)) <= max(41, largest)
    assert folds[0].notes == (f"{len(set(known))} scaffolds: 5 folds of whole scaffolds",)
    order = rng.permutation(200)
    contents = [distinct(200)[row] for row in order]
    mixed = make_folds("scaffold", None, None, contents, seed=seed, families=families[order])
    assert [set(order[fold.test]) for fold in mixed] == [set(fold.test) for fold in folds]
    other = make_folds("scaffold", None, None, distinct(200), seed=seed + 1, families=families)
    assert any(set(a.test) != set(b.test) for a, b in zip(folds, other, strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_validation_part_of_a_fold_takes_whole_scaffolds(seed):
    families = random_families(np.random.default_rng(seed))
    for fold in make_folds("scaffold", None, None, distinct(200), seed=seed, families=families):
        train, val = validation_part(
            fold.train, "scaffold", None, None, distinct(200), val=0.2, families=families
        )
        assert sorted([*train, *val]) == list(fold.train)
        assert len(val)
        assert not {families[row] for row in train} & {families[row] for row in val}


def test_too_few_scaffolds_for_folds_are_refused():
    families = [*"aaabbbccdd"]
    with pytest.raises(SplitError, match="4 different scaffolds can't be divided into 5 folds"):
        make_folds("scaffold", None, None, distinct(10), families=families)
    with pytest.raises(SplitError, match="have no scaffolds"):
        make_folds("scaffold", None, None, distinct(10))
    with pytest.raises(SplitError, match="of one scaffold"):
        validation_part(
            np.arange(3), "scaffold", None, None, distinct(10), families=families, val=0.5
        )
