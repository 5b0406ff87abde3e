"""Tables that are written as JSON."""

import json

import pytest

from cnnkit.adapters.sources import SourceError, load_dataset


def load(data, **options):
    names = ("text", "sentence")
    return load_dataset(
        data, item_names=names, items_are_files=False, items_are_texts=True, **options
    )


def load_new(data, **options):
    return load(data, need_target=False, keep_empty=True, **options)


def write(folder, content, name="texts.csv"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def reasons(dataset):
    return [(dataset.source_rows[found.item][0], found.reason) for found in dataset.problems]


def test_objects_are_rows_and_their_keys_are_columns(tmp_path):
    lines = [
        '{"text": "a", "label": "x", "n": 1.50}',
        "",
        '{"label": "y", "text": "b\\nc", "big": 12345678901234567890, "ok": true, "no": null}',
    ]
    dataset = load(write(tmp_path, "\r\n".join(lines), "t.ndjson"))
    assert dataset.items == ["a", "b\nc"]
    assert dataset.places == ["t.ndjson:1", "t.ndjson:3"]
    assert dataset.table.to_dict("list") == {
        "text": ["a", "b\nc"],
        "label": ["x", "y"],
        "n": ["1.50", ""],
        "big": ["", "12345678901234567890"],
        "ok": ["", "true"],
        "no": ["", ""],
    }


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_an_array_of_objects_is_a_table_too(tmp_path, indent):
    rows = [{"text": "[1, 2]", "label": "x"}, {"text": "b\n}", "label": "y"}] * 2
    text = json.dumps(rows, indent=indent)
    dataset = load(write(tmp_path, f"\ufeff \n{text}\n", "t.json"))
    assert dataset.items == ["[1, 2]", "b\n}"] * 2
    begins = [number for number, line in enumerate(f"\n{text}".split("\n"), 1) if "{" in line]
    assert dataset.places == [f"t.json:{line}" for line in begins] or indent is None
    assert load(write(tmp_path, "\n".join(map(json.dumps, rows)), "t.json")).items == dataset.items


def test_all_bad_lines_of_json_are_told_at_once(tmp_path):
    lines = ['{"text": "a"}', '{"text": 1,', "[1]", '{"a": 1, "b": 2, "a": 3}', '{"text": "a}', "7"]
    with pytest.raises(SourceError) as caught:
        load(write(tmp_path, "\n".join(lines), "t.jsonl"))
    assert str(caught.value).split("\n") == [
        "t.jsonl: 5 of its 6 lines can't be read as JSON:",
        "  t.jsonl:2: column 12: Expecting property name enclosed in double quotes",
        '  t.jsonl:3: expected an object such as {"text": "…"}, found a list',
        "  t.jsonl:4: the key 'a' stands there more than once",
        "  t.jsonl:5: column 10: Unterminated string starting at",
        '  t.jsonl:6: expected an object such as {"text": "…"}, found a single value',
    ]
    with pytest.raises(SourceError, match=r"12 of its 12 lines(.*\n){11}  … and 2 more$"):
        load(write(tmp_path, "x\n" * 12, "t.jsonl"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1},\n {"a" 1}]', r"t\.json:2: column 7: Expecting ':' delimiter"),
        ('[{"a": 1}\n {"a": 1}]', r"t\.json:2: column 2: expected ',' or '\]'"),
        ('[{"a": 1},]', r"t\.json:1: column 11: Expecting value"),
        ('[\n{"a": 1, "a": 2}]', r"t\.json:2: the key 'a' stands there more than once"),
        ('[{"a": 1}] x', "something follows the array: 'x'"),
        ("[1, 2]", "2 of its 2 lines"),
        ('{"texts":\n ["a", "b"]}', "one JSON object; expected an array of objects"),
        ("[]", "holds no objects"),
        ("", "is empty"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_json_of_another_form_is_refused_with_the_place(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        load(write(tmp_path, text, "t.json"))


def test_lists_and_objects_are_told_where_a_text_or_label_was_expected(tmp_path):
    lines = [
        '{"text": "a", "label": "x", "tags": [1]}',
        '{"text": ["b"], "label": "x", "tags": {}}',
        '{"text": "c", "label": {"n": 1}}',
        '{"text": "d", "label": "y"}',
    ]
    dataset = load(write(tmp_path, "\n".join(lines), "t.jsonl"))
    assert dataset.items == ["a", "d"]
    assert reasons(dataset) == [
        ("t.jsonl:2", "column 'text' holds a list; expected a text or a number"),
        ("t.jsonl:3", "column 'label' holds an object; expected a text or a number"),
    ]
    assert dataset.decided[0] == (
        "t.jsonl: columns with lists or objects: 'tags' (first in line 1), "
        "'text' (first in line 2), 'label' (first in line 3)"
    )
    assert load_new(tmp_path / "t.jsonl").items == ["a", "c", "d"]
