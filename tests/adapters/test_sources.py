"""Data sets from tables, folders and single files."""

from pathlib import Path

import numpy as np
import pytest

from cnnkit.adapters.row_columns import RowColumns
from cnnkit.adapters.sources import SourceError, load_dataset
from cnnkit.cnncore.image import Problem

NAMES = ("path", "file", "filename", "audio", "wav", "clip")


def load_files(data, **options):
    return load_dataset(data, item_names=NAMES, items_are_files=True, **options)


def load_texts(data, **options):
    return load_dataset(data, item_names=("text",), items_are_files=False, **options)


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write(folder, text, name="index.csv"):
    (folder / name).write_text(text)
    return folder / name


# Tables


def test_paths_are_relative_to_the_table_and_absolute_ones_are_kept(tmp_path):
    touch(tmp_path, "sounds/a.wav", "elsewhere/b.wav")
    outside = tmp_path / "elsewhere" / "b.wav"
    table = write(tmp_path / "sounds", f"path,label\na.wav,x\n{outside},y\n")
    dataset = load_files(table)
    assert dataset.items == [str(tmp_path / "sounds" / "a.wav"), str(outside)]
    assert all(Path(item).is_absolute() for item in dataset.items)
    assert dataset.targets.dtype == object
    assert list(dataset.targets) == ["x", "y"]
    assert (dataset.item_column, dataset.target_column) == ("path", "label")
    assert dataset.task == "classification"
    assert dataset.name == "index.csv"


def test_a_relative_table_gives_absolute_items(tmp_path, monkeypatch):
    touch(tmp_path, "a.wav", "b.wav")
    write(tmp_path, "path,label\na.wav,x\nb.wav,y\n")
    monkeypatch.chdir(tmp_path)
    assert load_files(Path("index.csv")).items[0] == str(tmp_path / "a.wav")


def test_rows_that_cannot_be_used_are_reported_and_every_row_stays_known(tmp_path):
    touch(tmp_path, "dog_1.wav", "cat_1.wav", "folder.wav/x")
    table = write(
        tmp_path,
        "path,label\ndog_1.wav,dog\n,dog\ndog1.wav,dog\ncat_1.wav,\nfolder.wav,cat\ncat_1.wav,cat\n",
    )
    dataset = load_files(table)
    assert list(dataset.rows) == [0, 5]
    assert dataset.rows.dtype == np.int64
    assert dataset.places == ["index.csv:2", "index.csv:7"]
    assert [(p.item, p.value, p.reason) for p in dataset.problems] == [
        (1, "", "column 'path' is empty"),
        (2, "dog1.wav", "doesn't exist. Did you mean 'dog_1.wav'?"),
        (3, "cat_1.wav", "column 'label' is empty"),
        (4, "folder.wav", "is a folder; expected a file."),
    ]
    assert dataset.source_rows[2] == ("index.csv:4", "dog1.wav")
    assert len(dataset.source_rows) == 6
    assert dataset.table.to_dict("list") == {
        "path": ["dog_1.wav", "cat_1.wav"],
        "label": ["dog", "cat"],
    }
    assert list(dataset.table.index) == [0, 1]


def test_texts_are_kept_as_they_are(tmp_path):
    table = write(tmp_path, 'text,label\nNA,good\n" two\nlines ",bad\n')
    dataset = load_texts(table)
    assert dataset.items == ["NA", " two\nlines "]
    assert dataset.places == ["index.csv:2", "index.csv:3"]


@pytest.mark.parametrize(
    ("header", "column"), [("id,FileName,label", "FileName"), ("id,recording,label", "recording")]
)
def test_the_item_column_is_found_by_its_name_or_by_its_values(tmp_path, header, column):
    touch(tmp_path, "a.wav", "b.wav")
    dataset = load_files(write(tmp_path, f"{header}\n1.5,a.wav,x\n2.5,b.wav,y\n"))
    assert dataset.item_column == column
    assert f"items: column {column!r}" in dataset.decided


def test_the_names_of_classes_are_preferred_to_their_numbers(tmp_path):
    rows = "".join(f"t{i},{i % 40},name{i % 40}\n" for i in range(80))
    dataset = load_texts(write(tmp_path, f"text,target,category\n{rows}"))
    assert dataset.target_column == "category"
    assert dataset.task == "classification"
    rows = "".join(f"t{i},{i % 40},name{i % 3}\n" for i in range(80))
    assert load_texts(write(tmp_path, f"text,target,category\n{rows}")).target_column == "target"


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([str(i % 20) for i in range(60)], "classification"),
        ([str(i % 21) for i in range(60)], "regression"),
        (["1.0", "2.0", "3"] * 5, "classification"),
        (["0.5", "1", "2"], "regression"),
        (["-1e-3", "4", "NA"], "regression"),
        ([f"{i:03}" for i in range(30)], "classification"),
        ([f"1_{i}" for i in range(30)], "classification"),
        (["1", "2", "x"], "classification"),
    ],
)
def test_the_task_follows_from_the_targets(tmp_path, values, task):
    rows = "".join(f"t{i},{value}\n" for i, value in enumerate(values))
    dataset = load_texts(write(tmp_path, f"text,y\n{rows}"))
    assert dataset.task == task
    assert any(f"task: {task}" in sentence for sentence in dataset.decided)
    assert dataset.targets.dtype == (float if task == "regression" else object)


def test_targets_of_a_regression_that_are_no_numbers_are_reported(tmp_path):
    table = write(tmp_path, 'text,y\na,1.5\nb,"2,5"\nc,inf\nd,007\n')
    dataset = load_texts(table, task="regression")
    assert dataset.targets.tolist() == [1.5, 7.0]
    assert [problem.item for problem in dataset.problems] == [1, 2]
    assert "'2,5' is no finite number" in dataset.problems[0].reason


def test_numbers_are_classes_where_the_user_says_so(tmp_path):
    rows = "".join(f"t{i},{i}\n" for i in range(30))
    dataset = load_texts(write(tmp_path, f"text,y\n{rows}"), task="classification")
    assert list(dataset.targets[:2]) == ["0", "1"]


def test_labels_that_differ_only_in_case_or_blanks_are_reported_and_not_merged(tmp_path):
    rows = "a,dog\nb,Dog\nc,dog\nd,cat\ne,cat \n"
    dataset = load_texts(write(tmp_path, f"text,label\n{rows}"))
    assert set(dataset.targets) == {"dog", "Dog", "cat", "cat "}
    assert "labels 'Dog' (1) and 'dog' (2) differ only in case" in dataset.decided
    assert "labels 'cat' (1) and 'cat ' (1) differ only in surrounding blanks" in dataset.decided


def test_without_need_of_targets_only_a_named_target_is_read(tmp_path):
    table = write(tmp_path, "text,label\na,x\nb,\n")
    assert load_texts(table, need_target=False).targets is None
    assert len(load_texts(table, need_target=False)) == 2
    assert list(load_texts(table, need_target=False, target="label", min_classes=1).targets) == [
        "x"
    ]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("text,label\na,x\nb,y\n", {"target": "lable"}, "no column 'lable'. Did you mean 'label'"),
        (
            "text,label\na,x\nb,y\n",
            {"item": "Text"},
            "Did you mean 'text'.*Columns: 'text', 'label'",
        ),
        ("text,label\na,x\nb,y\n", {"item": "label", "target": "label"}, "both items and targets"),
        ("a,b\n1,2\n", {}, "none of its columns is called text.*Columns: 'a', 'b'"),
        ("text,b\n1,2\n", {}, "none of its columns is called label, target.*Columns: 'b'"),
        (
            "text,label\na,\nb, \n",
            {},
            "none of its 2 rows.*index.csv:2 'a': column 'label' is empty",
        ),
        ("text,label\na,x\nb,x\n", {}, "all 2 usable items have the target 'x'"),
        ("text,label\na,1.5\nb,1.5\n", {}, "all 2 usable items have the target 1.5"),
        ("text,label\na,1\nb,2\n", {"task": "classify"}, "No task 'classify'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_the_reason(tmp_path, text, options, message):
    with pytest.raises(SourceError, match=f"(?s){message}"):
        load_texts(write(tmp_path, text), **options)


def test_several_columns_of_paths_must_be_chosen_from(tmp_path):
    table = write(tmp_path, "left,right,label\na.wav,b.wav,x\n")
    with pytest.raises(SourceError, match="'left', 'right' all look like paths"):
        load_files(table)


def test_files_in_a_folder_beside_the_table_are_pointed_out(tmp_path):
    touch(tmp_path, "audio/a.wav")
    (tmp_path / "meta").mkdir()
    table = write(tmp_path / "meta", "filename,label\na.wav,x\nb.wav,y\n")
    with pytest.raises(SourceError, match=r"There is a '\.\./audio/a\.wav'"):
        load_files(table)


def test_a_column_of_long_texts_is_no_column_of_files(tmp_path):
    table = write(tmp_path, f"path,label\n{'x' * 5000},a\n")
    with pytest.raises(SourceError, match="none of its 1 rows"):
        load_files(table)


def test_data_that_does_not_exist_is_refused_with_the_nearest_name(tmp_path):
    touch(tmp_path, "index.csv")
    with pytest.raises(SourceError, match=r"index\.cvs doesn't exist\. Did you mean 'index\.csv'"):
        load_files(tmp_path / "index.cvs")
    (tmp_path / "sounds").mkdir()
    with pytest.raises(SourceError, match=r"no 'sonds' in .*Did you mean 'sounds'"):
        load_files(tmp_path / "sonds" / "a" / "index.csv")


def test_a_recording_is_no_table(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    with pytest.raises(SourceError, match="isn't a table, it is an audio"):
        load_files(tmp_path / "a.wav")


# Folders and single files


def test_sub_folders_are_classes_and_what_is_no_item_is_counted(tmp_path):
    touch(
        tmp_path, "dog/b.wav", "dog/deep/er/a.flac", "cat/x.wav/y.mp3", "cat/.DS_Store",
        "dog/._b.wav", "dog/notes.txt", "cat/list.csv", "dog/more.txt", ".git/c.wav",
        "__MACOSX/d.wav", "empty/readme.md",
    )  # fmt: skip
    dataset = load_files(tmp_path)
    assert dataset.places == ["cat/x.wav/y.mp3", "dog/b.wav", "dog/deep/er/a.flac"]
    assert dataset.items == [str(tmp_path / place) for place in dataset.places]
    assert list(dataset.targets) == ["cat", "dog", "dog"]
    assert dataset.table is None
    assert dataset.task == "classification"
    skipped = dataset.decided[0]
    assert skipped.startswith("skipped 6 files that are no items: .txt (2)")
    for kind in (".csv (1)", ".DS_Store (1)", "._* (1)", ".md (1)"):
        assert kind in skipped
    assert "sub-folders without items: 'empty'" in dataset.decided


def test_a_file_outside_the_classes_is_reported(tmp_path):
    touch(tmp_path, "a/1.wav", "b/2.wav", "3.wav")
    dataset = load_files(tmp_path)
    assert list(dataset.targets) == ["a", "b"]
    assert [(p.item, p.value) for p in dataset.problems] == [(0, "3.wav")]
    assert list(dataset.rows) == [1, 2]


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path):
    touch(tmp_path, "store/1.wav", "data/b/2.wav")
    (tmp_path / "data" / "a").symlink_to(tmp_path / "store")
    (tmp_path / "data" / "b" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "b" / "gone.wav").symlink_to(tmp_path / "nothing.wav")
    dataset = load_files(tmp_path / "data")
    assert dataset.places == ["a/1.wav", "b/2.wav"]
    assert [p.reason for p in dataset.problems] == ["is a link to a file that doesn't exist."]


def test_any_folder_and_any_file_can_be_predicted(tmp_path):
    touch(tmp_path, "flat/b.wav", "flat/a.wav")
    dataset = load_files(tmp_path / "flat", need_target=False)
    assert dataset.places == ["a.wav", "b.wav"]
    assert dataset.targets is None
    assert dataset.task is None
    single = load_files(tmp_path / "flat" / "a.wav", need_target=False)
    assert single.items == [str(tmp_path / "flat" / "a.wav")]
    assert single.places == ["a.wav"]


def test_numbers_as_names_of_folders_can_be_a_regression(tmp_path):
    touch(tmp_path, "0.5/a.wav", "2/b.wav")
    assert load_files(tmp_path, task="regression").targets.tolist() == [0.5, 2.0]
    assert load_files(tmp_path).task == "classification"


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ((), {}, "holds no items"),
        (("a/x.txt", ".hidden"), {}, r"holds only 2 files that are no items: .*\.hidden \(1\)"),
        (("1.wav", "2.wav"), {}, "has no sub-folders"),
        (("dog/1.wav", "dog/2.wav"), {}, "all 2 usable items have the target 'dog'"),
        (("train/1.wav", "Test/2.wav"), {}, "parts of a data set, not classes: 'Test', 'train'"),
        (("a/1.wav", "b/2.wav"), {"target": "label"}, "isn't a table: it has no column 'label'"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_with_the_reason(tmp_path, names, options, message):
    touch(tmp_path, *names)
    with pytest.raises(SourceError, match=message):
        load_files(tmp_path, **options)


def test_a_folder_holds_no_texts(tmp_path):
    with pytest.raises(SourceError, match="expected a table"):
        load_texts(tmp_path)


# Rows


def load_rows(data, **options):
    options = {"row_columns": RowColumns(), **options}
    return load_dataset(data, item_names=(), items_are_files=False, **options)


def test_rows_are_items_with_all_columns_but_the_target(tmp_path):
    dataset = load_rows(write(tmp_path, "a,class,b\n1,x, u \n ,y,\n3,z,w\n"))
    assert dataset.items == [{"a": "1", "b": " u "}, {"a": "3", "b": "w"}]
    assert dataset.targets.tolist() == ["x", "z"]
    assert (dataset.item_column, dataset.target_column) == (None, "class")
    assert dataset.places == ["index.csv:2", "index.csv:4"]
    assert dataset.source_rows[1] == ("index.csv:3", "row 2")
    assert dataset.problems == (Problem(1, "row 2", "all its columns are empty"),)
    assert list(dataset.table) == ["a", "class", "b"]
    assert "target: column 'class' (by its name)" in dataset.decided
    assert "items: rows of 2 columns" in dataset.decided


def test_the_last_column_is_the_target_where_no_name_tells(tmp_path):
    table = write(tmp_path, "species,a,leaves\nx,1,p\ny,2,q\n")
    dataset = load_rows(table)
    assert dataset.target_column == "leaves"
    assert "target: column 'leaves' (the last one)" in dataset.decided
    other = load_rows(table, row_columns=RowColumns(left_out=("leaves",)))
    assert (other.target_column, other.items) == ("a", [{"species": "x"}, {"species": "y"}])
    assert "items: rows of 1 column, without 'leaves'" in other.decided


def test_rows_need_no_header(tmp_path):
    rows = "".join(f"{i}.5,{i * i},{'MR'[i % 2]}\n" for i in range(9))
    dataset = load_rows(write(tmp_path, rows))
    assert dataset.target_column == "column 3"
    assert dataset.items[0] == {"column 1": "0.5", "column 2": "0"}
    assert len(dataset) == 9


def test_new_rows_need_the_columns_of_the_old_ones_and_no_target(tmp_path):
    table = write(tmp_path, "y,extra,b,a\n,7,1,2\n")
    columns = RowColumns(needed=("a", "b"), known=("id", "a", "b"))
    dataset = load_rows(table, row_columns=columns, need_target=False)
    assert dataset.items == [{"b": "1", "a": "2"}]
    assert dataset.targets is None
    assert "items: rows of 2 columns, without 'y', 'extra'" in dataset.decided
    with pytest.raises(SourceError, match=r"index.csv lacks columns .*: 'c'\."):
        load_rows(table, row_columns=RowColumns(needed=("a", "c")), need_target=False)


def test_rows_come_from_a_table_without_a_column_of_items(tmp_path):
    table = write(tmp_path, "a,y\n1,2\n")
    with pytest.raises(SourceError, match="items are whole rows, not those of column 'a'"):
        load_rows(table, item="a")
    with pytest.raises(SourceError, match="no column 'z'"):
        load_rows(table, target="z")
    with pytest.raises(SourceError, match="is a folder; expected a table"):
        load_rows(tmp_path)
