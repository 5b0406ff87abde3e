"""Texts in fastText's format."""

from cnnkit.adapters.sources import load_dataset


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


def test_lines_of_fasttext_are_labels_and_texts(tmp_path):
    content = "__label__pos good, \tfine\r\n\n__label__neg\tbad __label\n__label__pos NA\n"
    dataset = load(write(tmp_path, content, "t.txt"))
    assert dataset.items == ["good, \tfine", "bad __label", "NA"]
    assert dataset.targets.tolist() == ["pos", "neg", "pos"]
    assert dataset.places == ["t.txt:1", "t.txt:3", "t.txt:4"]
    assert "t.txt: fastText's format" in dataset.decided
    assert reasons(dataset) == [("t.txt:2", "the line is empty")]
    new = load_new(tmp_path / "t.txt")
    assert new.items == ["good, \tfine", "", "bad __label", "NA"]
    assert new.places == [f"t.txt:{line}" for line in (1, 2, 3, 4)]


def test_blank_lines_at_the_end_are_no_texts(tmp_path):
    path = write(tmp_path, "__label__a one\n__label__b two\r\n \n\r\n\n", "t.txt")
    assert load(path).problems == ()
    assert load_new(path).items == ["one", "two"]


def test_a_label_inside_of_a_line_is_no_part_of_the_text(tmp_path):
    content = "__label__a one __label__b two\n__label__b three __label__b\n__label__a x\n"
    dataset = load(write(tmp_path, content, "t.txt"))
    assert dataset.items == ["one two", "three", "x"]
    assert (dataset.task, dataset.labels) == ("multilabel", ["a", "b"])
    assert dataset.targets.tolist() == [[1, 1], [0, 1], [1, 0]]


def test_labels_may_hold_what_separates_others(tmp_path):
    content = "__label__a;b __label__c|d one\n__label__a;b two\n__label__c|d three\n"
    dataset = load(write(tmp_path, content, "t.txt"))
    assert dataset.labels == ["a;b", "c|d"]


def test_a_line_without_a_label_is_told(tmp_path):
    for several in ("", "__label__b "):
        content = f"__label__a {several}one\nno label\n__label__b two\n"
        dataset = load(write(tmp_path, content, "t.txt"))
        assert dataset.items == ["one", "two"]
        reason = "the line has no label: expected __label__, then its name"
        assert reasons(dataset) == [("t.txt:2", reason)]
        assert load_new(tmp_path / "t.txt").items == ["one", "no label", "two"]


def test_a_line_with_several_labels_is_told_where_one_is_expected(tmp_path):
    content = "__label__p one\n__label__p __label__n two\n__label__n three\n"
    for min_classes in (1, 2):
        path = write(tmp_path, content, "t.txt")
        dataset = load(path, task="classification", min_classes=min_classes)
        assert dataset.targets.tolist() == ["p", "n"]
        ((place, reason),) = reasons(dataset)
        assert place == "t.txt:2"
        assert reason.startswith("has the labels 'p', 'n'; expected one")
        assert "--task multilabel" in reason
