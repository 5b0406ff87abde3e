"""What `cnnkit fit` says of texts."""

import re

import pytest

QUICK = ("--adapter", "text", "--network", "text-quick", "--epochs", 1, "--device", "cpu")


@pytest.fixture
def texts(tmp_path):
    """A table of 40 texts, and its rows."""
    rows = [f"{'good' if n % 2 else 'bad'} film number w{n},{'pos' if n % 2 else 'neg'}"
            for n in range(40)]  # fmt: skip
    return write(tmp_path / "base.csv", rows), rows


def write(path, rows):
    path.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def said(cnnkit, tmp_path):
    """Run `fit`, and return what it says, with single blanks."""

    def run(*arguments):
        result = cnnkit("fit", *QUICK, "--out", tmp_path / "model", *arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        return re.sub(" +", " ", result.stdout)

    return run


def test_training_copies_of_test_texts_are_counted_on_the_screen(said, texts, tmp_path):
    table, rows = texts
    test = write(
        tmp_path / "test.csv", [rows[3], rows[4].replace("bad film", "BAD  film"), "new,pos"]
    )
    shown = said(table, "--test-data", test, "--no-baseline")
    assert (
        " note 2 training items are copies of test items and were set aside, for example "
        "base.csv:5 = test.csv:2\n"
    ) in shown


@pytest.mark.parametrize("way", [("--split", "stratified"), ("--cv", "2")])
def test_copies_inside_a_table_are_counted_on_the_screen(said, texts, tmp_path, way):
    table = write(tmp_path / "copies.csv", [*texts[1], texts[1][7]])
    assert (
        " note 1 item is a copy of another one, for example copies.csv:42 = copies.csv:9; copies "
        "stand on one side\n"
    ) in said(table, *way, "--no-baseline")


def test_a_network_without_an_image_is_not_called_a_cnn(said, texts):
    shown = said(texts[0])
    assert "CNN" not in shown
    assert not re.search("^ image ", shown, re.MULTILINE)
    assert re.search(r"^ network (0|1)\.\d", shown, re.MULTILINE)
    assert re.search("^ balanced_accuracy validation test$", shown, re.MULTILINE)


def test_the_head_of_a_table_does_not_touch_its_columns(cnnkit, texts, tmp_path):
    shown = cnnkit("fit", *QUICK, "--out", tmp_path / "model", texts[0], "--no-baseline").stdout
    assert "balanced_accuracy   validation" in shown


def test_that_nothing_was_held_out_is_said_once(said, texts):
    shown = said(texts[0], "--val", 0, "--test", 0, "--no-baseline")
    assert shown.count("Nothing was held out") == 1


def test_vectors_that_the_network_does_not_use_are_told(said, texts, tmp_path):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("good 1 0\nbad 0 1\n", encoding="utf-8")
    used = ("--set", f"vectors={vectors}", "--no-baseline")
    shown = said(texts[0], *used)
    assert " note the network embeds nothing, so the word vectors are not used" in shown
    shown = said(texts[0], *used, "--network", "embed 2 | gmp", "--overwrite")
    assert "not used" not in shown
    assert " vectors 2 words with 2 dimensions; 25.0% of the training texts' words" in shown


def test_a_test_part_of_a_few_texts_is_told_to_be_too_small(said, texts, tmp_path):
    shown = said(write(tmp_path / "few.csv", texts[1][:6]), "--val", 0, "--no-baseline")
    assert " note 1 test item can't tell a good model from a poor one (--cv 5 tests all)\n" in shown
    assert "good model" not in said(texts[0], "--test", "50%", "--no-baseline", "--overwrite")


def test_too_few_texts_for_three_parts_are_refused_with_the_options_that_help(
    cnnkit, texts, tmp_path
):
    data = write(tmp_path / "two.csv", texts[1][:2] * 2)
    result = cnnkit("fit", *QUICK, data, "--out", tmp_path / "model")
    assert result.exit_code == 2
    assert "Add items, or leave a part out: --val 0 or --test 0." in result.stderr
