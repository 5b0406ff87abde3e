"""Texts in all the forms in which people bring them, and all that can be wrong with them."""

import csv
import json
import random

import numpy as np
import pandas as pd
import pytest

from cnnkit.adapters.lines import load_lines
from cnnkit.adapters.sources import SourceError, load_dataset
from cnnkit.adapters.splits import make_split


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


# Tables


@pytest.mark.parametrize("word", ["NA", "null", "None", "nan", "N/A", "NULL", "true", "007"])
@pytest.mark.parametrize("name", ["texts.csv", "texts.tsv", "texts.jsonl", "texts.parquet"])
def test_words_for_missing_values_are_texts(tmp_path, word, name):
    frame = pd.DataFrame({"text": [word, "other"], "label": ["a", "b"]})
    if name.endswith("parquet"):
        frame.to_parquet(tmp_path / name)
    elif name.endswith("jsonl"):
        frame.to_json(tmp_path / name, orient="records", lines=True)
    else:
        frame.to_csv(tmp_path / name, index=False, sep="\t" if name.endswith("tsv") else ",")
    assert load(tmp_path / name).items == [word, "other"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path, encoding):
    dataset = load(write(tmp_path, "text,label\nä,a\nb,b\n".encode(encoding)))
    assert (dataset.item_column, dataset.items) == ("text", ["ä", "b"])


def test_a_byte_order_mark_may_stand_before_a_given_encoding(tmp_path):
    path = write(tmp_path, "text,label\nä,a\nb,b\n".encode("utf-8-sig"))
    assert load(path, encoding="utf-8").item_column == "text"


def test_a_newline_in_quotes_is_part_of_one_text(tmp_path):
    dataset = load(write(tmp_path, 'text,label\n"one\ntwo\r\nthree",a\nfour,b\n'))
    assert dataset.items == ["one\ntwo\r\nthree", "four"]
    assert dataset.places == ["texts.csv:2", "texts.csv:5"]


@pytest.mark.parametrize("rest", ["more,b\n", 'say "hi",b\n"fine",a\n', '"fine",a\nmore,b\n'])
def test_a_quote_that_is_never_closed_is_told_with_the_line_where_its_row_began(tmp_path, rest):
    path = write(tmp_path, f'text,label\n"two\nlines",a\n"open,b\n{rest * 30}')
    with pytest.raises(SourceError, match=r"texts\.csv:4: the quotes in the row that begins here"):
        load(path)


def test_a_text_may_be_longer_than_131_072_letters(tmp_path):
    long = "word, " * 40_000
    assert load(write(tmp_path, f'text,label\n"{long}",a\nb,b\n')).items == [long, "b"]
    line = json.dumps({"text": long, "label": "a"})
    path = write(tmp_path, f'{line}\n{{"text": "b", "label": "b"}}', "texts.jsonl")
    assert load(path).items == [long, "b"]


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "gb18030", "shift_jis", "euc_kr", "big5"])
def test_what_is_not_utf_8_is_told_with_line_offset_bytes_and_an_encoding(tmp_path, encoding):
    text = {
        "cp1252": "Der Käse ist süß und der Tee kalt",
        "cp1251": "Привет! Это простой текст",
        "gb18030": "这是一个简单的中文句子",
        "shift_jis": "これは日本語の文章です",
        "euc_kr": "이것은 간단한 문장입니다",
        "big5": "這是一個簡單的中文句子",
    }[encoding]
    raw = f"text,label\nplain,a\n{text},b\n".encode(encoding)
    offset = raw.index(b"plain,a\n") + 8
    while raw[offset] < 128:
        offset += 1
    with pytest.raises(SourceError) as caught:
        load(write(tmp_path, raw))
    message = str(caught.value)
    assert message.startswith(f"texts.csv:3: byte offset {offset}: b'\\x{raw[offset]:02x}")
    assert f"isn't UTF-8. `--encoding {encoding}` would decode it as " in message
    assert load(write(tmp_path, raw), encoding=encoding).items == ["plain", text]


def test_no_encoding_is_ever_chosen_where_items_are_texts(tmp_path):
    path = write(tmp_path, "text,label\nKäse,a\nb,b\n".encode("latin-1"))
    with pytest.raises(SourceError, match="isn't UTF-8"):
        load(path)
    other = load_dataset(path, item_names=("text",), items_are_files=False)
    assert other.items == ["Käse", "b"]
    assert "read as Latin-1" in other.decided[0]


def test_an_encoding_that_python_does_not_know_is_refused(tmp_path):
    with pytest.raises(SourceError, match="'utf-9' is no encoding that Python knows"):
        load(write(tmp_path, "text,label\na,a\nb,b\n"), encoding="utf-9")


def test_utf_16_without_a_mark_is_told_and_not_chosen(tmp_path):
    path = write(tmp_path, "text,label\nplain,a\nb,b\n".encode("utf-16-le"))
    with pytest.raises(SourceError, match="`--encoding utf-16-le` would decode it as 'text,label'"):
        load(path)
    assert load(path, encoding="utf-16-le").items == ["plain", "b"]


@pytest.mark.parametrize(
    "text", ["a\0b", "a\0b\n", "\0", "\0a", "a\0bc\0d\n", "a\0b\0c\0d e f g h."]
)
def test_zero_letters_in_utf_8_are_not_taken_for_utf_16(text):
    dataset = load_lines(text.encode(), "stdin", items_are_files=False)
    assert dataset.items == [text.removesuffix("\n")]
    raw = text.encode() + b"\xe4\xff"
    with pytest.raises(SourceError, match=r"b'\\xe4' isn't UTF-8") as caught:
        load_lines(raw, "stdin", items_are_files=False)
    assert "utf-16" not in str(caught.value)


def test_bytes_that_no_encoding_reads_are_told_to_be_no_text(tmp_path):
    raw = b"text,label\n" + np.random.default_rng(0).bytes(4000)
    with pytest.raises(SourceError, match="No common encoding reads it as text"):
        load(write(tmp_path, raw))
    with pytest.raises(SourceError, match="it is a ZIP archive"):
        load(write(tmp_path, b"PK\x03\x04\xff\xff"))


def test_lone_surrogates_of_json_are_kept(tmp_path):
    lines = '{"text": "\\ud83d!", "label": "a"}\n{"text": "b", "label": "b"}'
    path = write(tmp_path, lines, "t.jsonl")
    assert load(path).items == ["\ud83d!", "b"]


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1e"])
@pytest.mark.parametrize("name", ["texts.csv", "texts.tsv", "texts.jsonl", "texts.txt"])
def test_only_newlines_end_a_line(tmp_path, mark, name):
    text = f"one{mark}two"
    content = {
        "texts.csv": f"text,label\n{text},a\nthree,b\n",
        "texts.tsv": f"text\tlabel\n{text}\ta\nthree\tb\n",
        "texts.jsonl": json.dumps({"text": text, "label": "a"}, ensure_ascii=False)
        + '\n{"text": "three", "label": "b"}\n',
        "texts.txt": f"__label__a {text}\n__label__b three\n",
    }[name]
    assert load(write(tmp_path, content, name)).items == [text, "three"]


def test_zero_letters_are_kept(tmp_path):
    assert load(write(tmp_path, "text,label\na\0b,a\nc,b\n")).items == ["a\0b", "c"]


def test_emoji_and_scripts_from_right_to_left_are_kept(tmp_path):
    texts = ["👨‍👩‍👧‍👦 ok", "שלום עולם", "नमस्ते", "e\u0301"]
    lines = "".join(f"{text},{number % 2}x\n" for number, text in enumerate(texts))
    assert load(write(tmp_path, f"text,label\n{lines}")).items == texts


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["texts.csv", "texts.tsv"])
@pytest.mark.parametrize("seed", range(5))
def test_the_delimiter_is_found_among_texts_full_of_the_others(tmp_path, delimiter, name, seed):
    draw = random.Random(seed)
    words = ["one", "two", ",", ";", "\t", "|", ", ", "'", '"', "\n"]
    texts = ["".join(draw.choices(words, k=12)) + "." for _ in range(40)]
    with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(["id", "text", "label"])
        writer.writerows([number, text, f"x{number % 2}"] for number, text in enumerate(texts))
    assert load(tmp_path / name).items == texts


def test_texts_that_should_be_quoted_are_told_with_their_lines(tmp_path):
    with pytest.raises(SourceError, match=r"line 2 has 4, line 3 has 3\. Quote values"):
        load(write(tmp_path, "text,label\nso, so, yes,a\nno, no,b\n"))


def test_the_columns_are_told_where_none_is_known_to_hold_texts(tmp_path):
    with pytest.raises(SourceError, match=r"columns is called text.*'body', 'label'"):
        load(write(tmp_path, "body\tlabel\nx\ta\n"))


# Empty texts


BLANK = "text,label\ngood,a\n,a\nbad,b\n   ,b\n\u3000\u2003,b\n"


def test_blank_texts_are_rejected_and_listed_in_training(tmp_path):
    dataset = load(write(tmp_path, BLANK))
    assert dataset.items == ["good", "bad"]
    places = ["texts.csv:3", "texts.csv:5", "texts.csv:6"]
    assert reasons(dataset) == [(place, "column 'text' is empty") for place in places]


def test_blank_texts_are_items_where_a_model_is_used(tmp_path):
    dataset = load_new(write(tmp_path, BLANK))
    assert dataset.items == ["good", "", "bad", "   ", "\u3000\u2003"]
    assert dataset.problems == ()
    scored = load(write(tmp_path, BLANK), keep_empty=True, min_classes=1)
    assert scored.items == dataset.items
    assert scored.targets.tolist() == ["a", "a", "b", "b", "b"]


def test_a_class_that_loses_all_its_texts_is_named(tmp_path):
    path = write(tmp_path, "text,label\ngood,a\n,c\nbad,b\n ,c\n,d\n")
    message = r"of classes 'c' \(2 rows, the first texts\.csv:3: .*\), 'd' \(1 row, .*csv:6"
    with pytest.raises(SourceError, match=message):
        load(path)
    assert len(load(path, min_classes=1)) == 2


# Labels


def test_a_label_that_is_probably_mistyped_is_reported_and_never_merged(tmp_path):
    rare = ["spma", "spa", "han", "Spam", "spams", *["sham"] * 11]
    labels = ["spam"] * 1000 + ["ham"] * 500 + rare
    rows = "".join(f"t{number},{label}\n" for number, label in enumerate(labels))
    dataset = load(write(tmp_path, f"text,label\n{rows}"))
    assert set(dataset.targets) == set(labels)
    told = [sentence for sentence in dataset.decided if "looks like" in sentence]
    assert told == [
        "label 'spams' (1) looks like 'spam' (1,000)",
        "label 'spma' (1) looks like 'spam' (1,000)",
    ]


def test_labels_that_differ_in_a_digit_or_are_not_that_rare_are_not_mistyped(tmp_path):
    labels = ["level1"] * 300 + ["level2", "1000", "1001"] + ["1002"] * 300 + ["lever1"] * 4
    rows = "".join(f"t{number},{label}\n" for number, label in enumerate(labels))
    dataset = load(write(tmp_path, f"text,label\n{rows}"), task="classification")
    assert not any("looks like" in sentence for sentence in dataset.decided)


def test_a_text_with_two_labels_is_told_once_when_the_items_are_split(tmp_path):
    dataset = load(write(tmp_path, "text,label\nhi,a\nyo,a\nhi,b\nyo,a\nho,b\nhe,b\n"))
    split = make_split(
        "stratified", dataset.targets, None, dataset.items,
        val=0.2, test=0.2, seed=0, task="classification", places=dataset.places,
    )  # fmt: skip
    (told,) = [said for said in [*dataset.decided, *split.notes] if "different labels" in said]
    assert "texts.csv:2 ('a'), texts.csv:4 ('b')" in told


def test_a_label_that_cannot_be_saved_is_told_with_its_place(tmp_path):
    lines = [{"text": "one", "label": "a"}, {"text": "two", "label": "\ud83d"}]
    lines += [{"text": "three", "label": "b"}]
    path = write(tmp_path, "\n".join(map(json.dumps, lines)), "t.jsonl")
    for task in ("auto", "multilabel"):
        dataset = load(path, task=task)
        assert dataset.items == ["one", "three"]
        reason = "the label '\\ud83d' holds a lone surrogate, which can't be saved"
        assert reasons(dataset) == [("t.jsonl:2", reason)]


def test_a_model_reads_texts_without_labels_and_beside_other_columns(tmp_path):
    dataset = load_new(write(tmp_path, "id,Text,when\n1,a,x\n2,b,y\n"))
    assert (dataset.items, dataset.targets, dataset.item_column) == (["a", "b"], None, "Text")
