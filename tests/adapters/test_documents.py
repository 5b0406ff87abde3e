"""Texts that stand in files of their own."""

import pytest

from cnnkit.adapters.sources import SourceError, load_dataset


def load(data, **options):
    names = ("text", "sentence", "review")
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


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, b"\xef\xbb\xbfgood\r\nfine\x0c", "texts/pos/1.txt")
    write(tmp_path, "fein é", "texts/pos/deep/er/2.html")
    write(tmp_path, "bad, text\n", "texts/neg/1")
    write(tmp_path, "text,label\na,b\n", "texts/neg/a table.csv")
    write(tmp_path, "hidden", "texts/neg/.hidden")
    return tmp_path / "texts"


def test_each_file_of_a_folder_of_classes_is_one_text(folder):
    dataset = load(folder)
    assert dataset.items == [
        "bad, text\n",
        "text,label\na,b\n",
        "good\r\nfine\x0c",
        "fein é",
    ]
    assert dataset.places == ["neg/1", "neg/a table.csv", "pos/1.txt", "pos/deep/er/2.html"]
    assert dataset.targets.tolist() == ["neg", "neg", "pos", "pos"]
    assert dataset.source_rows == [(place, place) for place in dataset.places]
    assert "items: each of 4 files is one text" in dataset.decided
    assert "skipped 1 files that are no items: .hidden (1)" in dataset.decided


def test_files_that_hold_no_text_are_told_with_the_place(folder):
    write(folder, b"MZ\0\0", "neg/program.exe")
    write(folder, b"one\ntwo \xe4h", "pos/3.txt")
    write(folder, " \n", "pos/4.txt")
    (folder / "pos" / "5.txt").symlink_to(folder / "nothing.txt")
    write(folder, "x", "outside.txt")
    dataset = load(folder)
    assert len(dataset) == 4
    said = dict(reasons(dataset))
    assert said.keys() == {
        "neg/program.exe", "pos/3.txt", "pos/4.txt", "pos/5.txt", "outside.txt"
    }  # fmt: skip
    assert said["neg/program.exe"] == "a zero byte at letter 2: binary data, not text."
    assert said["pos/3.txt"] == (
        "3.txt:2: byte offset 8: b'\\xe4' isn't UTF-8. "
        "`--encoding cp1252` would decode it as 'two äh'."
    )
    assert said["pos/4.txt"] == "the file is empty"
    assert said["pos/5.txt"] == "can't be read: No such file or directory."
    assert said["outside.txt"] == "stands in no sub-folder, so its class is unknown"


def test_a_folder_is_read_in_the_encoding_that_was_given(folder):
    write(folder, "Käse".encode("cp1252"), "pos/3.txt")
    assert load(folder, encoding="cp1252").items[3:] == ["Käse", "fein Ã©"]
    with pytest.raises(SourceError, match="'cp1' is no encoding"):
        load(folder, encoding="cp1")


def test_a_class_whose_files_are_all_empty_is_named(folder):
    write(folder, "", "new/1.txt")
    with pytest.raises(SourceError, match=r"class 'new' \(1 row, the first new/1\.txt: the file"):
        load(folder)


def test_a_model_reads_each_file_of_any_folder(folder):
    write(folder, "", "pos/0.txt")
    dataset = load_new(folder / "pos")
    assert dataset.places == ["0.txt", "1.txt", "deep/er/2.html"]
    assert dataset.items == ["", "good\r\nfine\x0c", "fein é"]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a", "a.html"])
@pytest.mark.parametrize(
    "text",
    [
        "Dear reader,\nthe text\n",
        "",
        "a\n\nb",
        'a "quote',
        "A text;x\tx\n",
        "Dear all, text\nto\n",
        "text\x85x",
        "text\n",
        "Review\n\nI liked this film a lot\n",
        "\ntext \none\ntwo\n",
    ],
)
def test_a_model_reads_a_file_as_one_text(tmp_path, name, text):
    dataset = load_new(write(tmp_path, text, name))
    assert (dataset.items, dataset.places) == ([text], [name])
    assert dataset.decided == ["items: the file is one text"]


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
@pytest.mark.parametrize("content", ["id\tTEXT\n1\tone\n2\ttwo\n", "\ntext |n\none|1\ntwo|2\n"])
def test_a_file_with_a_column_of_texts_in_its_first_line_is_a_table(tmp_path, name, content):
    dataset = load_new(write(tmp_path, content, name))
    assert dataset.items == ["one", "two"]
    assert dataset.decided[-1].startswith("items: column ")


def test_a_column_that_is_named_makes_a_file_a_table(tmp_path):
    assert load_new(write(tmp_path, "body\nx\n", "a.txt"), item="body").items == ["x"]


def test_a_single_file_that_is_no_text_is_refused(tmp_path):
    with pytest.raises(SourceError, match="b'\\\\xe4' isn't UTF-8"):
        load_new(write(tmp_path, b"\xe4h", "a.txt"))
    with pytest.raises(SourceError, match="binary data, not text"):
        load_new(write(tmp_path, b"a\0c", "a.md"))
