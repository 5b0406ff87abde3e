"""Which columns of the training rows are used, and how."""

import pytest

from cnnkit.adapters.table.learning import learn_columns, training_frame

ROWS = [
    {
        "id": f"C{i:03}",
        "age": "" if i == 3 else str(20 + i * 7 % 50),
        "city": "abc"[i % 3],
        "smokes": "yes" if i % 2 else "no",
        "since": f"2020-01-{1 + i:02}",
        "shop": "A",
        "none": "",
    }
    for i in range(25)
]


def test_each_kind_of_column_is_found_in_the_given_order():
    learnt = learn_columns(ROWS)
    assert [(column.name, column.kind) for column in learnt.columns] == [
        ("age", "number"),
        ("city", "category"),
        ("smokes", "category"),
        ("since", "date"),
    ]
    assert [column.is_whole for column in learnt.columns] == [False, True, True, True]
    assert learnt.names == list(ROWS[0])
    assert list(learnt.set_aside) == ["id", "shop", "none"]


def test_what_was_found_is_told():
    said = learn_columns(ROWS).explain()
    assert said[0] == "columns: 4: 1 number, 2 categories, 1 date"
    assert said[1].startswith(
        "categories: a value is drawn as its place among all from rare to common"
    )
    assert "'id' (identifier: 25 different values in 25 rows), 'shop' (always 'A')" in said[2]
    two = [{"a": "yes", "b": 1.5}, {"a": "no", "b": 2.5}] * 3
    assert learn_columns(two).explain() == ["columns: 2: 1 category, 1 number"]


def test_of_many_columns_set_aside_some_are_shown():
    rows = [{**{f"c{k}": "1" for k in range(9)}, "x": i % 3, "y": -i % 4} for i in range(20)]
    (said,) = (one for one in learn_columns(rows).explain() if one.startswith("set aside"))
    assert said.count("always") == 5
    assert said.endswith("… and 4 more")


def test_constant_and_empty_columns_may_hold_their_place():
    learnt = learn_columns(ROWS, keep_constant=True)
    kinds = {column.name: column.kind for column in learnt.columns}
    assert list(kinds) == ["age", "city", "smokes", "since", "shop", "none"]
    assert kinds["shop"] == kinds["none"] == "constant"
    assert list(learnt.set_aside) == ["id"]


def test_the_columns_are_those_that_most_rows_have():
    rows = [{"a": 1}, None, {"b": 1, "a": 2}, {"b": 3, "a": 4}, "text"]
    frame, numbers = training_frame(rows)
    assert frame.to_dict("list") == {"b": [1, 3], "a": [2, 4]}
    assert numbers.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "none of 0 items is a row: expected dicts"),
        ([None, 5], "none of 2 items is a row, such as None"),
        ([{}, {}], "none of 2 items is a row"),
        ([{1: 2}], "columns whose name is no text: 1"),
        ([{"a": "x", "b": ""}] * 3, r"no column can be used: 'a' \(always 'x'\), 'b' \(empty\)"),
    ],
)
def test_what_no_row_can_be_learnt_from_is_refused(items, message):
    with pytest.raises(ValueError, match=message):
        learn_columns(items)
