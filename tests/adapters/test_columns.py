"""Columns that are chosen by their names or places."""

import itertools

import pytest

from cnnkit.adapters.columns import choose_range, similar_labels, usual_target
from cnnkit.adapters.errors import SourceError

NAMES = ["id", "t:0", "t:1", "3", "t2", "label"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t:0:t:1", ["t:0", "t:1"]),
        ("t:1:t2", ["t:1", "3", "t2"]),
        (":t:0", ["id", "t:0"]),
        ("t2:", ["t2", "label"]),
        (":", NAMES),
        ("2:4", ["t:0", "t:1", "3"]),
        ("2:3", ["t:0", "t:1", "3"]),  # there is a column that is called 3
        ("5 : label", ["t2", "label"]),
        ("t2:t2", ["t2"]),
    ],
)
def test_a_range_holds_both_its_ends(text, expected):
    assert choose_range(NAMES, text, "ecg.csv") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t2", "expected a range such as 'first:last' or '3:66'"),
        ("t2:lable", r"ecg.csv has no column 'lable'. Did you mean 'label'\? Columns: 'id', "),
        ("0:2", "no column number 0: expected a number from 1 to 6"),
        ("2:7", "no column number 7: expected a number from 1 to 6"),
        ("label:t2", "'label' stands after 't2' in ecg.csv"),
        ("-2:", "has no column '-2'"),
    ],
)
def test_what_is_no_range_is_refused(text, message):
    with pytest.raises(SourceError, match=message):
        choose_range(NAMES, text, "ecg.csv")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Class", "label", "a"], "label"),
        (["TARGET", "label"], "TARGET"),
        (["species", "genre", "category"], None),  # features of a table more often than not
        (["targets", "my label"], None),
        ([], None),
    ],
)
def test_a_target_is_known_by_its_name_in_any_case(names, expected):
    assert usual_target(names) == expected


def edits(word, letters):
    """Return all words that are one letter more, less, other or swapped away."""
    found = {word[:at] + letter + word[at:] for at in range(len(word) + 1) for letter in letters}
    for at in range(len(word)):
        found |= {word[:at] + letter + word[at + 1 :] for letter in letters}
        found |= {word[:at] + word[at + 1 :], word[:at] + word[at : at + 2][::-1] + word[at + 2 :]}
    return found - {word}


@pytest.mark.parametrize("often", ["abab", "aaaab", "abbba", "bbbb"])
def test_labels_one_edit_from_a_frequent_one_are_reported(often):
    words = ["".join(word) for size in (4, 5, 6) for word in itertools.product("ab", repeat=size)]
    rare = [word for word in words if word != often]
    told = [f"label {word!r} (1) looks like {often!r} (100)" for word in rare
            if word in edits(often, "ab")]  # fmt: skip
    assert similar_labels([*rare, *[often] * 100]) == sorted(told)
    assert similar_labels([*rare, *[often] * 99]) == []
