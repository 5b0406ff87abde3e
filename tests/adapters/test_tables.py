"""Table files in all the forms in which people bring them."""

import csv
import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pandas as pd
import pytest

from cnnkit.adapters.errors import SourceError
from cnnkit.adapters.tables import read_table


def write(folder, content, name="index.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


TEXT = "path{d}label{d}note\na.wav{d}dog{d}Käse\nb.wav{d}NA{d}\n"
VALUES = {"path": ["a.wav", "b.wav"], "label": ["dog", "NA"], "note": ["Käse", ""]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiter_encoding_and_line_ends_are_found(tmp_path, delimiter, encoding, newline):
    text = TEXT.format(d=delimiter).replace("\n", newline)
    table = read_table(write(tmp_path, text.encode(encoding)))
    assert table.frame.to_dict("list") == VALUES
    assert list(table.lines) == [2, 3]
    assert len(table.notes) == (delimiter != ",")


def test_latin_1_is_read_with_a_note_of_the_line_where_utf_8_failed(tmp_path):
    table = read_table(write(tmp_path, TEXT.format(d=",").encode("latin-1")))
    assert table.frame.to_dict("list") == VALUES
    assert "index.csv:2: byte 0xE4 isn't UTF-8" in table.notes[0]


def test_a_given_encoding_is_used_and_must_fit(tmp_path):
    path = write(tmp_path, TEXT.format(d=",").encode("cp437"))
    assert read_table(path, "cp437").frame.to_dict("list") == VALUES
    with pytest.raises(SourceError, match=r"index.csv:2: byte 0x84 isn't UTF-8"):
        read_table(path, "utf-8")
    with pytest.raises(SourceError, match="'utf-9' is no encoding"):
        read_table(path, "utf-9")


def test_a_tsv_may_hold_commas_and_semicolons(tmp_path):
    path = write(tmp_path, "a,b\tc;d\n1,2\t3;4\n5\t6\n", "index.tsv")
    table = read_table(path)
    assert table.frame.to_dict("list") == {"a,b": ["1,2", "5"], "c;d": ["3;4", "6"]}
    assert table.notes == ()


def test_the_delimiter_is_the_one_that_cuts_the_rows_like_the_header(tmp_path):
    table = read_table(write(tmp_path, "dose, mg;label\n1,5;x\n2;y\n"))
    assert list(table.frame) == ["dose, mg", "label"]


def test_a_table_may_have_a_single_column(tmp_path):
    table = read_table(write(tmp_path, 'text\ngood\n"a, b"\n'))
    assert table.frame["text"].tolist() == ["good", "a, b"]


def test_lines_are_those_of_the_file_also_after_quoted_line_breaks_and_blank_lines(tmp_path):
    content = 'text,label\n"one\ntwo\nthree",a\n\nfour,b\n   \n"say ""hi""",c\n'
    table = read_table(write(tmp_path, content))
    assert list(table.lines) == [2, 6, 8]
    assert table.frame["text"].tolist() == ["one\ntwo\nthree", "four", 'say "hi"']
    file_lines = content.split("\n")
    starts = [file_lines[line - 1] for line in table.lines]
    assert [start[:3] for start in starts] == ['"on', "fou", '"sa']


def test_values_stay_text_as_they_are(tmp_path):
    table = read_table(write(tmp_path, "a,b\n007, x \nnan,1e5\nNULL,\n"))
    assert table.frame.to_dict("list") == {"a": ["007", "nan", "NULL"], "b": [" x ", "1e5", ""]}


def test_a_column_may_be_called_like_the_start_of_another_kind_of_file(tmp_path):
    assert list(read_table(write(tmp_path, "ID3,label\n1,x\n")).frame) == ["ID3", "label"]


def test_a_text_may_be_longer_than_the_csv_module_allows(tmp_path):
    text = "x" * 200_000
    assert read_table(write(tmp_path, f"a,b\n{text},1\n")).frame["a"][0] == text


def test_parquet_gives_the_same_texts_as_the_csv_of_it(tmp_path):
    frame = pd.DataFrame({"n": [1, None, 3], "s": ["NA", "", "x"], "x": [0.5, 1.0, -2.0]})
    frame = frame.astype({"n": "Int64"})
    frame.to_parquet(tmp_path / "index.parquet")
    frame.to_csv(tmp_path / "index.csv", index=False)
    parquet, csv = read_table(tmp_path / "index.parquet"), read_table(tmp_path / "index.csv")
    assert parquet.frame.to_dict("list") == csv.frame.to_dict("list")
    assert list(parquet.lines) == [1, 2, 3]


def test_parquet_columns_that_hold_no_text_are_left_out_and_named(tmp_path):
    path = tmp_path / "index.parquet"
    pd.DataFrame({"a": [1], "sound": [b"\0\1"], "tags": [["x"]]}).to_parquet(path)
    table = read_table(path)
    assert list(table.frame) == ["a"]
    assert "'sound', 'tags'" in table.notes[0]


def test_a_named_index_of_a_parquet_file_is_a_column(tmp_path):
    path = tmp_path / "index.parquet"
    pd.DataFrame({"label": ["x"]}, index=pd.Index(["a.wav"], name="path")).to_parquet(path)
    assert read_table(path).frame.to_dict("list") == {"path": ["a.wav"], "label": ["x"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"a,b\n", "no rows"),
        (
            b"a,b\n1,2\n1\n1,2,3\n",
            "2 of 3 rows don't have the 2 fields.*line 3 has 1, line 4 has 3",
        ),
        (b'a,b\n1,2\n"open,2\n3,4\n', "index.csv:3: the quotes in the row that begins here"),
        (b'a,b\n"x"y,2\n', "index.csv:2: the quotes"),
        (b"a,,b,\n1,2,3,4\n", "columns without a name: number 2, 4"),
        (b"a,b, a\n1,2,3\n", "more than once: 'a'"),
        (b"PK\x03\x04rest", "ZIP archive .*xlsx.*save the table as CSV"),
        (b"RIFF\0\0\0\0WAVE", "audio"),
        (bytes(range(256)) * 4, "binary data"),
        (b"PAR1 but not really", "can't be read as Parquet"),
    ],
)
def test_what_is_no_good_table_is_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(SourceError, match=message):
        read_table(write(tmp_path, content))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(SourceError, match="can't be read"):
        read_table(tmp_path)


SPICY = ["", " ", "a", "1", '"', ",", ";", "\n", "\r", "\r\n", "x\ny", " é ", "\u2028", "\x85"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_csv_module_writes_is_read_back(tmp_path, end, seed):
    random = Random(seed)
    height, width = random.randint(1, 8), random.randint(2, 5)
    rows = [["".join(random.choices(SPICY, k=2)) for _ in range(width)] for _ in range(height)]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([[f"c{number}" for number in range(width)], *rows])
    text = file.getvalue()
    table = read_table(write(tmp_path, text))
    assert table.frame.to_numpy().tolist() == rows
    # An editor shows line breaks of all three kinds, also those inside of quotes.
    starts = [text.index(end) + len(end)]
    for row in rows[:-1]:
        file = io.StringIO(newline="")
        csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL).writerow(row)
        starts.append(starts[-1] + len(file.getvalue()))
    breaks = [len(re.findall("\r\n|\r|\n", text[:start])) for start in starts]
    assert list(table.lines) == [count + 1 for count in breaks]


@pytest.mark.parametrize(
    "content",
    [
        "5.1,3.5,0.2\n4.9,-3,0.3\n",  # numbers
        "5.1,3.5,iris-a\n4.9,3.0,iris-a\n7.0,3.2,iris-b\n",  # a class at the end
        "39,private,?\n50,self,ok\n38,private,ok\n",  # a missing value
        "2020-01-05,3.2,7\n2020-01-06,3.1,9\n",  # dates
        "1,c17,0.5\n2,c18,0.5\n",  # codes that count
        '"1.234,5";2;7%\n"1,5";3;9%\n',  # numbers of other countries
    ],
)
def test_a_first_line_like_all_others_is_a_row(tmp_path, content):
    table = read_table(write(tmp_path, content), header=None)
    assert list(table.frame) == ["column 1", "column 2", "column 3"]
    assert len(table.frame) == content.count("\n")
    assert table.lines[0] == 1
    assert table.notes[-1] == "index.csv: no header: the first line is a row like the others"


@pytest.mark.parametrize(
    "content",
    [
        "a,b,c\n1,2,3\n",
        "a,b,c\nx,y,z\n",
        "yes,no,c\nyes,no,x\n",  # names that are values too, but no number among them
        "850,852,854\n0.1,0.2,0.3\n0.1,0.2,0.4\n",  # wavelengths
        "0,1,2\n5,5,5\n7,5,5\n",  # as pandas numbers the columns of an array
        "2019,2022,country\n5,7,Peru\n6,8,Chad\n",
        "1,3,7\nx,2,3\ny,4,5\n",  # one column is text
    ],
)
def test_a_first_line_unlike_the_others_names_the_columns(tmp_path, content):
    table = read_table(write(tmp_path, content), header=None)
    assert list(table.frame) == content.partition("\n")[0].split(",")
    assert table.notes == ()
    assert table.lines[0] == 2


def test_a_single_line_is_a_header_without_rows(tmp_path):
    with pytest.raises(SourceError, match="has a header but no rows"):
        read_table(write(tmp_path, "1.5,2,7\n"), header=None)


def test_only_those_who_ask_get_a_table_without_a_header(tmp_path):
    path = write(tmp_path, "5.1,3.5\n4.9,-3\n4.8,-2\n")
    assert list(read_table(path).frame) == ["5.1", "3.5"]
    named = "name,kind\na,b\n"
    assert read_table(write(tmp_path, named), header=False).frame.to_numpy().tolist() == [
        ["name", "kind"],
        ["a", "b"],
    ]


def test_without_a_header_the_first_line_tells_how_many_fields_there_are(tmp_path):
    path = write(tmp_path, "1,5,4\n2,9,3\n3,8\n")
    with pytest.raises(SourceError, match=r"1 of 3 rows don't have the 3 fields.*line 3 has 2"):
        read_table(path, header=None)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ('{"a": 1, "b": 2}', "JSON"),
        ('\n[\n  {"a": 1,\n "b": 2}]', "JSON"),
        ("[[1, 2], [3, 4]]", "JSON"),
        ("<!DOCTYPE html>\n<p>a, b</p>", "HTML or XML"),
        ('<?xml version="1.0"?>', "HTML or XML"),
    ],
)
def test_text_of_another_kind_is_no_table(tmp_path, content, kind):
    with pytest.raises(SourceError, match=f"index.csv isn't a table, it is {kind}"):
        read_table(write(tmp_path, content))


def test_a_column_name_may_begin_with_a_bracket(tmp_path):
    assert list(read_table(write(tmp_path, "[mg],{x},<2\n1,2,3\n")).frame) == ["[mg]", "{x}", "<2"]


def test_a_table_can_come_through_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        pool.submit(pipe.write_text, "a,b\n1,2\n")
        assert read_table(pipe).frame.to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_a_blank_line_between_the_rows_of_a_single_column_is_an_empty_cell(tmp_path):
    table = read_table(write(tmp_path, '\ntext\n\none\n\n\n"two\n"\n""\n\n\n'))
    assert table.frame["text"].tolist() == ["", "one", "", "", "two\n", ""]
    assert list(table.lines) == [3, 4, 5, 6, 7, 9]
