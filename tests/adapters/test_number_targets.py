"""Several numeric targets, from a column each."""

import numpy as np
import pytest

from cnnkit.adapters.errors import SourceError
from cnnkit.adapters.sources import load_dataset
from cnnkit.adapters.splits import make_split


@pytest.fixture
def load(tmp_path):
    """Return a function that writes a table of texts and loads it."""

    def run(text: str, **options):
        path = tmp_path / "assays.csv"
        path.write_text(text, encoding="utf-8")
        options = {"item_names": ("text",), "items_are_files": False} | options
        return load_dataset(path, **options)

    return run


def test_numbers_are_read_where_they_are_known_and_bad_rows_are_named(load):
    dataset = load(
        "text,logS,pKa\none,-3.2,NA\ntwo,,\nthree,>4,inf\nfour, 1e-2 ,7\n", target="logS, pKa"
    )
    assert (dataset.task, dataset.labels) == ("regression", ["logS", "pKa"])
    assert dataset.items == ["one", "four"]
    np.testing.assert_array_equal(dataset.targets, [[-3.2, np.nan], [0.01, 7.0]])
    assert dataset.targets.dtype == np.float64
    unknown, bad = dataset.problems
    assert unknown.reason == "none of its targets is known"
    assert bad.reason.startswith("column 'logS': '>4', column 'pKa': 'inf' is no finite number")
    assert [dataset.source_rows[problem.item][0] for problem in (unknown, bad)] == [
        "assays.csv:3", "assays.csv:4",
    ]  # fmt: skip
    assert "task: regression (2 targets; column 'logS' holds -3.2)" in dataset.decided
    assert "targets that are the same in every row: 'pKa'" in dataset.decided


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_columns_of_0_and_1_beside_numbers_are_numbers_with_a_note(load, task):
    text = "text,active,logS\none,1,0.5\ntwo,0,\nthree,,1\nfour,1,2\n"
    dataset = load(text, target="active,logS", task=task)
    assert dataset.task == "regression"
    np.testing.assert_array_equal(dataset.targets, [[1, 0.5], [0, np.nan], [np.nan, 1], [1, 2]])
    note = "note: targets that hold 0 and 1 only, read as numbers: 'active'"
    assert note in dataset.decided


def test_columns_of_0_and_1_are_numbers_where_the_user_says_so(load):
    text = "text,a,b\none,1,0\ntwo,0,1\nthree,1,0\nfour,0,2\n"
    assert load(text, target="a,b").task == "multilabel"  # 2 may be mistyped
    assert load(text, target="a,b").items == ["one", "two", "three"]
    assert load(text, target="a,b", task="regression").targets[3].tolist() == [0, 2]
    assert load(text, target="a,b", task="multilabel").task == "multilabel"


def test_a_model_knows_its_targets_whatever_columns_there_are(load):
    options = {"task": "regression", "labels": ["logS", "pKa"], "min_classes": 1}
    dataset = load("text,x,pKa\none,1,2.5\ntwo,2,\n", target="pKa", **options)
    np.testing.assert_array_equal(dataset.targets, [[np.nan, 2.5]])
    assert dataset.labels == ["logS", "pKa"]
    with pytest.raises(SourceError, match=r"'pka' are no targets .* Did you mean 'pKa'\?"):
        load("text,logS,pka\none,1,2.5\n", target="logS,pka", **options)


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("text,a,b\none,1.5,\ntwo,2.5,\n", "a,b", "says anything about 'b': leave these targets"),
        ("text,a,b\none,1.5,2\ntwo,1.5,\n", "a,b", "every target is the same in all 2"),
        ("text,a,b\none,1.5?,2?\n", "a,b", "says nothing about a label"),
    ],
)
def test_targets_from_which_nothing_can_be_learnt_are_refused(load, text, target, message):
    with pytest.raises(SourceError, match=message):
        load(text, target=target)


def test_one_column_of_numbers_is_one_target(load):
    dataset = load("text,a\none,1.5\ntwo,2.5\n", target="a")
    assert (dataset.targets.tolist(), dataset.labels) == ([1.5, 2.5], None)


def test_conflicts_of_several_targets_are_told_apart():
    targets = np.array([[1.0, 5.0], [1.0, 7.0], [np.nan, 1.0], [2.0, 1.0]])
    split = make_split("random", targets, None, list("aabb"), task="regression", val=0, test=0.5)
    conflicts = [note for note in split.notes if "different numbers" in note]
    assert [note[:55] for note in conflicts] == [
        "target 2: identical items with different numbers: 1 tim"
    ]
