"""Labels from the cells of one column, or from a column each."""

import numpy as np
import pytest

from cnnkit.adapters.errors import SourceError
from cnnkit.adapters.multilabel import (
    check_labels,
    guess_separator,
    read_label_columns,
    split_labels,
)
from cnnkit.adapters.sources import load_dataset


@pytest.fixture
def load(tmp_path):
    """Return a function that writes a table of texts and loads it."""

    def run(text: str, **options):
        path = tmp_path / "songs.csv"
        path.write_text(text, encoding="utf-8")
        options = {"item_names": ("text",), "items_are_files": False} | options
        return load_dataset(path, **options)

    return run


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["a;b", "c"], ";"),
        (["a|b", "c;d", "e|f"], "|"),
        (["a, b", "c,d"], ","),
        (["a", "b"], ";"),
        (["R&B, soul|pop", "rock|pop", "folk, country|pop"], "|"),
    ],
)
def test_the_separator_stands_in_the_most_cells(cells, separator):
    assert guess_separator(cells) == separator


def test_cells_are_cut_into_labels_without_blanks_and_doubles():
    found = split_labels([" b ;a;; a", "", "c", "a"], [0, 1, 3])
    assert found.names == ["a", "b"]
    np.testing.assert_array_equal(found.matrix, [[1, 1], [0, 0], [np.nan] * 2, [1, 0]])
    assert found.decided == [
        "separator: ';' between the labels of a cell",
        "1 item has no label at all: its cell is empty",
    ]


def test_a_separator_that_stands_in_no_cell_is_refused_where_another_does():
    cells = ["rock; pop", "folk", "a; b", ""]
    with pytest.raises(
        SourceError, match=r"'\|' stands in none of 3 cells of labels, ';' in 2: give"
    ):
        split_labels(cells, [0, 1, 2], "|")
    assert split_labels(["rock", "pop"], [0, 1], "|").names == ["pop", "rock"]
    assert split_labels(["rock/a;b", "pop"], [0, 1], "/").names == ["a;b", "pop", "rock"]
    assert split_labels(cells, [0], "|", names=["rock; pop"]).names == ["rock; pop"]


@pytest.mark.parametrize(
    ("cells", "holding"),
    [
        (["rock; pop", "pop; folk", "rock; folk", "rock; pop"], 4),
        (["a|b", "b|c", "a", "c|a", "c", ""], 3),
        (["Paris; France", "Rome; Italy", "Bern"], 0),
        (["rock", "pop", "rock; pop"], 0),
        (["a, b", "b, c", "a, c"], 0),
    ],
)
def test_targets_that_look_like_several_labels_are_pointed_out(load, cells, holding):
    text = "text,label\n" + "".join(f'w{n},"{cell}"\n' for n, cell in enumerate(cells))
    decided = load(text).decided
    hints = [sentence for sentence in decided if "--task multilabel" in sentence]
    filled = sum(cell != "" for cell in cells)
    assert [hint.startswith(f"note: {holding} of {filled} targets hold ") for hint in hints] == (
        [True] if holding else []
    )
    assert f"({len({*cells} - {''})} different values in column 'label')" in " ".join(decided)


def test_labels_that_differ_only_in_case_are_reported_and_not_merged():
    found = split_labels(["rock;pop", "Rock", "rock"], [0, 1, 2])
    assert found.names == ["Rock", "pop", "rock"]
    assert "labels 'Rock' (1) and 'rock' (2) differ only in case" in found.decided


def test_a_known_set_of_labels_keeps_its_order_and_leaves_out_others():
    found = split_labels(["a/x", "x/b"], [0, 1], "/", names=["b", "a"])
    assert found.matrix.tolist() == [[0, 1], [1, 0]]
    assert found.decided == ["labels that the training data lacks, left out: 1 in 2 places: 'x'"]


@pytest.mark.parametrize("missing", ["", "NA", "nan", "?", " "])
@pytest.mark.parametrize("yes", ["1", "1.0", "True", " yes "])
@pytest.mark.parametrize("no", ["0", "0.0", "FALSE", "no"])
def test_words_of_a_label_column(yes, no, missing):
    found = read_label_columns({"a": [yes], "b": [no], "c": [missing]}, [0])
    np.testing.assert_array_equal(found.matrix, [[1, 0, np.nan]])
    assert found.reasons == {}


def test_all_cells_that_say_nothing_are_named_and_rows_without_a_known_label_rejected(load):
    dataset = load("text,a,b\none,1,0\ntwo,2,maybe\nthree,,NA\nfour,0,\n", target="a, b")
    assert dataset.task == "multilabel"
    assert dataset.labels == ["a", "b"]
    assert dataset.items == ["one", "four"]
    np.testing.assert_array_equal(dataset.targets, [[1, 0], [0, np.nan]])
    bad, unknown = dataset.problems
    assert bad.reason.startswith("column 'a': '2', column 'b': 'maybe' says nothing about a label")
    assert unknown.reason == "none of its labels is known"
    assert (bad.item, unknown.item) == (1, 2)


def test_known_labels_take_columns_in_any_order_and_number():
    found = read_label_columns({"c": ["1"], "a": ["0"]}, [0], names=["a", "b", "c"])
    np.testing.assert_array_equal(found.matrix, [[0, np.nan, 1]])
    with pytest.raises(SourceError, match=r"'rok' are no labels.*Did you mean 'rock'"):
        read_label_columns({"rok": ["1"]}, [0], names=["rock", "pop"])


def test_labels_of_rejected_rows_are_no_labels(load):
    dataset = load("text,labels\none,a;b\n,c\ntwo,\n", task="multilabel")
    assert dataset.labels == ["a", "b"]
    assert dataset.targets.tolist() == [[1, 1], [0, 0]]
    assert (dataset.target_column, dataset.separator) == ("labels", ";")


def test_a_column_whose_name_holds_a_comma_is_one_column(load):
    dataset = load('text,"a,b"\none,x\ntwo,y\n', target="a,b")
    assert (dataset.task, list(dataset.targets)) == ("classification", ["x", "y"])


def test_labels_with_one_value_only_are_named(load):
    dataset = load("text,a,b,c\none,1,0,1\ntwo,1,0,0\n", target="a,b,c")
    assert dataset.decided[-2:] == [
        "labels that every row has: 'a'",
        "labels that no row has: 'b'",
    ]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("text,l\na,x\nb,\n", {"task": "multilabel"}, "at least 2 labels, separated by ';'"),
        ("text,l\na,0\nb,1\n", {"task": "multilabel"}, "which are no names"),
        ("text,l,m\na,0,\nb,1,\n", {"target": "l,m"}, "says anything about 'm'"),
        ("text,l,m\na,0,1\nb,0,1\n", {"target": "l,m"}, "every label is the same in all 2"),
        ("text,l,m\na,0,1\nb,1,1\n", {"target": "l,m", "task": "classification"}, "one target"),
        ("text,l,m\na,0,1\n", {"target": "l,m", "separator": ";"}, "for one column of labels"),
        ("text,l,m\na,0,1\n", {"target": "l,x,y"}, "lacks columns of --target 'l,x,y': 'x', 'y'"),
        ("text,l,m\na,x,1\n", {"target": "l,m"}, "none of its 1 rows can be used"),
    ],
)
def test_labels_from_which_nothing_can_be_learnt_are_refused(load, text, options, message):
    options = {"target": "l"} | options
    with pytest.raises(SourceError, match=message):
        load(text, **options)


def test_a_part_for_testing_may_lack_labels(load):
    text = "text,l\na,x\nb,\n"
    dataset = load(text, target="l", task="multilabel", min_classes=1, labels=["y", "x"])
    assert dataset.targets.tolist() == [[0, 1], [0, 0]]


def test_columns_of_labels_that_cannot_be_saved_are_refused():
    found = read_label_columns({"a": ["1", "0"], "\ud83d": ["0", "1"]}, [0, 1])
    with pytest.raises(SourceError, match=r"labels with lone surrogates .*'\\ud83d'\. Rename"):
        check_labels(found, [0, 1], "t.jsonl")
