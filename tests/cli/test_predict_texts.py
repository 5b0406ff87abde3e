"""Texts to `cnnkit predict` and `cnnkit evaluate`: from stdin, files and tables."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from cnnkit.adapters.base import Adapter
from cnnkit.adapters.row_columns import RowColumns
from cnnkit.cli.main import main
from cnnkit.cnncore import model_folder
from cnnkit.cnncore.image import Problem, Samples


class Letters(Adapter):
    """Reads a text as the number of its letters."""

    name = "letters"
    item_columns = ("text",)
    items_are_texts = True

    def read(self, items: Any) -> Samples:
        blank = [number for number, item in enumerate(items) if not item.strip()]
        return Samples(
            values=np.array([[len(item)] for item in items], np.float32),
            offsets=np.arange(len(items) + 1),
            items=np.arange(len(items)),
            summary=np.zeros((len(items), 0), np.float32),
            problems=tuple(Problem(row, "", "the text is empty", rejected=False) for row in blank),
        )

    def fingerprints(self, items: Any) -> list[str]:
        return list(items)

    def fit_reading(self, items: Any, y: Any = None) -> Letters:
        raise NotImplementedError  # predicting fits nothing, and draws no picture

    fit_rendering = renderer = locate = edge_labels = baseline = demo = fit_reading


class Rows(Letters):
    """The same of whole rows."""

    def row_columns(self) -> RowColumns:
        return RowColumns()


class LongOrShort:
    """Finds texts of more than five letters long."""

    classes_ = np.array(["long", "short"], dtype=object)
    multilabel_ = False

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter

    def probabilities(self, samples: Samples) -> Any:
        long = samples.values[:, 0] > 5
        return np.stack([long, ~long], axis=1).astype(float)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command with the model of texts."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"options": {"target": "label"}}')

    def run(command, *arguments, stdin=b"", adapter=Letters):
        model = LongOrShort(adapter())
        monkeypatch.setattr(model_folder, "load", lambda path, device: model)
        words = [command, tmp_path / "model", *arguments]
        return CliRunner().invoke(main, [str(word) for word in words], input=stdin)

    return run


def refused(result):
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stdout == ""
    return result.stderr.partition("Error: ")[2].strip()


def rows_of(result):
    text = result.stdout_bytes.decode()  # where click leaves \r as it is
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_lone_surrogate_is_marked_where_it_is_written_as_an_escape(run, tmp_path):
    data = tmp_path / "t.jsonl"
    data.write_text('{"text": "half \\ud83d"}\n{"text": "\\\\ud83d"}\n', encoding="ascii")
    half, whole = rows_of(run("predict", data))
    assert half["item"] == r"half \ud83d"
    assert half["status"] == "warning"
    assert half["reason"] == "lone surrogates, which no file can hold, are written as escapes"
    assert (whole["item"], whole["status"], whole["reason"]) == (r"\ud83d", "ok", "")


def test_evaluate_names_what_it_answered_without_a_text_and_what_it_left_out(run, tmp_path):
    data = tmp_path / "new.csv"
    empty = ",short\n" * 6
    data.write_text(f"text,label\nrather long,long\nodd,medium\n{empty}", encoding="utf-8")
    shown = run("evaluate", data)
    assert "  Of unknown classes, left out: 'medium' (new.csv:3)\n" in shown.stdout
    told = shown.stderr.splitlines()
    assert told[:5] == [f"new.csv:{line}: the text is empty" for line in range(4, 9)]
    assert told[5] == "… and 1 more such warnings; --json lists them all"
    found = json.loads(run("evaluate", data, "--json").stdout)
    assert [row["place"] for row in found["warnings"]] == [f"new.csv:{n}" for n in range(4, 10)]
    assert found["unknown_classes"] == [{"place": "new.csv:3", "class": "medium"}]


def test_one_line_and_one_file_are_told_in_the_singular(run, tmp_path):
    assert run("predict", "-", stdin=b"short\n").stderr == "items: the line is one text\n"
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.txt").write_text("short", encoding="utf-8")
    assert run("predict", tmp_path / "one").stderr == "items: the file is one text\n"


def test_a_file_that_is_no_text_is_named_once(run, tmp_path):
    (tmp_path / "doc.pdf").write_bytes(b"%PDF-1.7\n\xe2\xe3")
    assert (
        refused(run("predict", tmp_path / "doc.pdf")) == "doc.pdf isn't text, it is a PDF document."
    )
    (tmp_path / "odd.txt").write_bytes(b"K\xe4se")
    assert refused(run("predict", tmp_path / "odd.txt")).startswith("odd.txt:1: byte offset 1: ")


def test_each_line_of_stdin_is_a_text_and_gives_a_row(run):
    lines = ["short", "rather long", "", "one, two", 'say "hi"', "NA"]
    result = run("predict", "-", stdin="\n".join(lines).encode())
    assert result.exit_code == 0
    assert result.stderr == "items: each of 6 lines is one text\n"
    rows = rows_of(result)
    assert [row["item"] for row in rows] == lines
    assert [row["prediction"] == "long" for row in rows] == [len(line) > 5 for line in lines]
    assert [row["status"] for row in rows] == ["ok", "ok", "warning", "ok", "ok", "ok"]
    assert rows[2]["reason"] == "the text is empty"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_only_newlines_end_a_line_of_stdin(run, end, last):
    lines = ["a\x85b", "c\u2028d\u2029", "\x0b\x0c\x1c", "e\rf", "g\0", "é👍🏽"]
    result = run("predict", "-", stdin=(end.join(lines) + end * last).encode())
    assert [row["item"] for row in rows_of(result)] == lines
    result = run("predict", "-", "--json", stdin=(end.join(lines) + end * last).encode())
    assert [row["item"] for row in json.loads(result.stdout)["predictions"]] == lines


def test_a_byte_order_mark_is_no_letter_of_stdin(run):
    result = run("predict", "-", stdin=b"\xef\xbb\xbfshort")
    assert rows_of(result)[0]["item"] == "short"


def test_one_blank_line_of_stdin_is_one_empty_text_and_none_is_refused(run):
    assert [row["item"] for row in rows_of(run("predict", "-", stdin=b"\n"))] == [""]
    assert refused(run("predict", "-")) == "stdin is empty; expected one text a line."


def test_stdin_in_another_encoding_is_told_with_the_place(run):
    raw = b"one\r\ntwo\nK\xe4se"
    message = refused(run("predict", "-", stdin=raw))
    assert message.startswith("stdin:3: byte offset 10: b'\\xe4' isn't UTF-8. ")
    assert "`--encoding cp1252` would decode it as 'Käse'" in message
    result = run("predict", "-", "--encoding", "cp1252", stdin=raw)
    assert [row["item"] for row in rows_of(result)] == ["one", "two", "Käse"]


def test_stdin_has_no_columns(run):
    assert "a table with columns must be a file" in refused(run("predict", "-", "--item", "text"))
    result = run("predict", "-", stdin=b"a,b\n1,2\n", adapter=Rows)
    assert "a table with columns must be a file" in refused(result)


def test_each_line_of_stdin_is_a_path_where_items_are_files(model, sounds, monkeypatch):
    monkeypatch.chdir(sounds)
    lines = ["low/3.wav", "low/33.wav", str(sounds / "high" / "2.wav"), "", "mid"]
    said = CliRunner().invoke(main, ["predict", str(model), "-"], input="\n".join(lines))
    assert (said.exit_code, said.stderr) == (0, "")
    rows = rows_of(said)
    assert [row["item"] for row in rows] == lines
    assert [row["status"] for row in rows] == ["ok", "rejected", "ok", "rejected", "rejected"]
    assert "doesn't exist. Did you mean '3.wav'?" in rows[1]["reason"]
    assert rows[3]["reason"] == "the line is empty"
    none = CliRunner().invoke(main, ["predict", str(model), "-"], input="none.wav\n")
    assert "no line is the path of a file. The first: stdin:1 'none.wav': doesn't" in refused(none)


def test_texts_come_back_as_they_were_from_a_table(run, tmp_path):
    texts = ["a\r\nb", "c\rd", "e\nf", "NA", "", " ", "\0", "\u2028", '"', ",", "👍"]
    lines = [json.dumps({"n": number, "text": text}) for number, text in enumerate(texts)]
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    result = run("predict", tmp_path / "new.jsonl")
    assert "items: column 'text'" in result.stderr
    assert [row["item"] for row in rows_of(result)] == texts
    result = run("predict", tmp_path / "new.jsonl", "--json")
    assert [row["item"] for row in json.loads(result.stdout)["predictions"]] == texts
    run("predict", tmp_path / "new.jsonl", "--out", tmp_path / "said.csv")
    with (tmp_path / "said.csv").open(encoding="utf-8", newline="") as file:
        assert [row["item"] for row in csv.DictReader(file)] == texts


def test_letters_that_cannot_be_written_are_written_as_escapes(run, tmp_path):
    (tmp_path / "new.jsonl").write_text('{"text": "\\ud83d short"}')
    for options in ((), ("--json",), ("--out", tmp_path / "said.csv")):
        result = run("predict", tmp_path / "new.jsonl", *options)
        assert result.exit_code == 0
        written = (tmp_path / "said.csv").read_text() if "--out" in options else result.stdout
        assert "\\ud83d short" in written.replace("\\\\", "\\")


def test_a_table_needs_no_labels_and_may_have_other_columns(run, tmp_path):
    (tmp_path / "new.csv").write_text("id,text,more\n7,short,\n8,rather long,x\n")
    rows = rows_of(run("predict", tmp_path / "new.csv"))
    assert [row["prediction"] for row in rows] == ["short", "long"]


def test_each_file_of_a_folder_and_a_single_file_is_a_text(run, tmp_path):
    for name, text in {"a.txt": "short", "b/c.md": "rather\nlong", "d.txt": ""}.items():
        (tmp_path / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / name).write_text(text)
    (tmp_path / "texts" / "e.txt").write_bytes(b"\xff\xff")
    result = run("predict", tmp_path / "texts")
    assert result.stderr == "items: each of 4 files is one text\n"
    rows = rows_of(result)
    assert [row["item"] for row in rows] == ["a.txt", "b/c.md", "d.txt", "e.txt"]
    assert [row["prediction"] for row in rows] == ["short", "long", "short", ""]
    assert [row["status"] for row in rows] == ["ok", "ok", "warning", "rejected"]
    result = run("predict", tmp_path / "texts" / "b" / "c.md")
    assert result.stderr == "items: the file is one text\n"
    assert [row["prediction"] for row in rows_of(result)] == ["long"]


def test_empty_texts_are_scored_and_unknown_labels_are_counted(run, tmp_path):
    rows = ["short,short", "rather long,long", ",short", "  ,long", "other,middle", "short,"]
    (tmp_path / "new.csv").write_text("\n".join(["text,label", *rows]))
    found = json.loads(run("evaluate", tmp_path / "new.csv", "--json").stdout)
    assert (found["scored"], found["of_unknown_classes"], found["rejected"]) == (4, 1, 1)
    assert found["scores"]["accuracy"]["value"] == 0.75


def test_a_file_called_minus_can_still_be_named(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("-").write_text("rather long")
    assert rows_of(run("predict", tmp_path / "-"))[0]["prediction"] == "long"


def test_the_column_of_items_is_the_one_of_the_training_where_the_table_has_it(run, tmp_path):
    config = {"options": {"target": "label", "item": "body"}}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    content = "text\tbody\tlabel\nx\trather long\tlong\ny\tshort\tshort\n"
    (tmp_path / "c.txt").write_text(content)
    result = run("predict", tmp_path / "c.txt")
    assert "items: column 'body'" in result.stderr
    assert [row["item"] for row in rows_of(result)] == ["rather long", "short"]
    found = json.loads(run("evaluate", tmp_path / "c.txt", "--json").stdout)
    assert found["scores"]["accuracy"]["value"] == 1
    (tmp_path / "c.txt").write_text(content.replace("body", "more"))
    assert [row["item"] for row in rows_of(run("predict", tmp_path / "c.txt"))] == ["x", "y"]
    result = run("predict", tmp_path / "c.txt", "--item", "more")
    assert [row["item"] for row in rows_of(result)] == ["rather long", "short"]


def test_a_table_with_a_single_column_gives_a_row_for_blank_lines_too(run, tmp_path):
    (tmp_path / "new.csv").write_text("text\nshort\n\nrather long\n\n")
    rows = rows_of(run("predict", tmp_path / "new.csv"))
    assert [row["item"] for row in rows] == ["short", "", "rather long"]
