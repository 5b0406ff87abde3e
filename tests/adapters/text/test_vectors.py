"""Pre-trained word vectors from files."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch

from cnnkit.adapters.text import vectors as vectors_module
from cnnkit.adapters.text.vectors import WordVectors, describe_coverage, read_vectors

TABLE = {"the": [0.5, -1.0, 2.0], "cat": [1.0, 0.25, 0.0], ",": [3.0, 4.0, 5.0]}
LINES = [" ".join([word, *map(str, row)]) for word, row in TABLE.items()]


def code(word):
    return zlib.crc32(f"<{word}>".encode())


def written(folder, lines, name="vectors.txt"):
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def as_table(read, known):
    keys, vectors, _ = read
    assert (keys.dtype, vectors.dtype) == (np.int64, np.float32)
    assert (np.diff(keys) > 0).all()
    assert set(keys.tolist()) == {code(word) for word in known}
    return {word: vectors[keys.tolist().index(code(word))].tolist() for word in known}


@pytest.mark.parametrize("header", [[], ["3 3"]])
def test_glove_and_word2vec_texts_give_the_same_table(tmp_path, header):
    file = written(tmp_path, [*header, *LINES])
    assert as_table(read_vectors(file), TABLE) == TABLE


def test_line_ends_of_windows_blanks_at_the_end_and_empty_lines_do_no_harm(tmp_path):
    file = tmp_path / "vectors.txt"
    file.write_bytes("3 3\r\n{} \r\n\r\n{}\r\n{}".format(*LINES).encode())
    assert as_table(read_vectors(file), TABLE) == TABLE


def test_other_marks_for_the_end_of_a_line_belong_to_words(tmp_path):
    file = written(tmp_path, ["a\x85b 1 2", "\u2028 3 4"])
    table = as_table(read_vectors(file), ["a\x85b", "\u2028"])
    assert table == {"a\x85b": [1, 2], "\u2028": [3, 4]}


def test_an_array_beside_a_list_of_words_gives_the_same_table(tmp_path):
    written(tmp_path, list(TABLE))
    np.save(tmp_path / "vectors.npy", np.array(list(TABLE.values()), dtype=np.float64))
    assert as_table(read_vectors(tmp_path / "vectors.npy"), TABLE) == TABLE


def test_of_words_that_differ_in_case_or_composition_the_first_counts(tmp_path):
    file = written(tmp_path, ["The 1 2", "the 3 4", "THE 5 6", "caf\u00e9 7 8", "cafe\u0301 9 9"])
    assert as_table(read_vectors(file), ["the", "café"]) == {"the": [1, 2], "café": [7, 8]}


def test_a_word_may_hold_blanks_as_some_of_the_largest_tables_do(tmp_path):
    file = written(tmp_path, ["the 1 2", ". . . 3 4", "at name@domain.com 5 6"])
    table = as_table(read_vectors(file), ["the", ". . .", "at name@domain.com"])
    assert table[". . ."] == [3, 4]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["the 1 2", "cat 1"], ":2: expected a word and 2 finite numbers, found 'cat 1'"),
        (["the 1 2", "", "cat 1 2 3"], ":3: expected a word and 2 finite numbers, found 'cat 1 2"),
        (["the 1 x"], ":1: expected a word and finite numbers, found 'the 1 x'"),
        (["the 1 nan"], ":1: expected a word and finite numbers, found 'the 1 nan'"),
        (["the 1 2", "cat inf 2"], ":2: expected a word and 2 finite numbers, found 'cat inf 2'"),
        (["the"], ":1: expected a word and finite numbers, found 'the'"),
        (["2 2", "the 1 2", "cat"], ":3: expected a word and 2 finite numbers, found 'cat'"),
        (["3 3"], " is empty; expected a word and its numbers on each line"),
        ([], " is empty; expected a word and its numbers on each line"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path, lines, said):
    with pytest.raises(ValueError, match="expected a word and") as caught:
        read_vectors(written(tmp_path, lines))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named_with_the_one_that_was_meant(tmp_path):
    written(tmp_path, LINES)
    with pytest.raises(ValueError, match=r"vectors='.*vector\.txt' doesn't exist\. Did you mean"):
        read_vectors(tmp_path / "vector.txt")
    with pytest.raises(ValueError, match=r"vectors='.*' is a folder; expected a file"):
        read_vectors(tmp_path)


@pytest.mark.parametrize(
    "raw", [b"the 1 2\ncaf\xe9 3 4\n", b"a 1 2\n\x1f\x8b\x08 4", b"3 2\nthe \xcd\xcc"]
)
def test_a_line_that_is_no_text_is_named(tmp_path, raw):
    (tmp_path / "binary.txt").write_bytes(raw)
    with pytest.raises(
        ValueError, match=r"binary\.txt:2: b'.*' isn't UTF-8; expected text"
    ) as said:
        read_vectors(tmp_path / "binary.txt")
    assert "codec" not in str(said.value)


def test_a_number_too_large_for_32_bits_is_no_finite_number(tmp_path):
    with pytest.raises(
        ValueError, match=":2: expected a word and 2 finite numbers, found 'cat 1e39"
    ):
        read_vectors(written(tmp_path, ["the 1 2", "cat 1e39 1"]))


@pytest.mark.parametrize(
    ("head", "found"), [("4 3", "3 of 3"), ("2 3", "3 of 3"), ("3 300", "3 of 3")]
)
def test_a_first_line_that_says_other_sizes_is_refused(tmp_path, head, found):
    count, width = head.split()
    said = f":1: '{head}' says {count} words of {width} numbers, found {found}: is the file whole"
    with pytest.raises(ValueError, match="is the file whole") as caught:
        read_vectors(written(tmp_path, [head, *LINES]))
    assert said in str(caught.value)


def test_words_that_repeat_another_are_counted(tmp_path):
    file = written(tmp_path, ["The 1 2", "the 3 4", "cat 1 1", "THE 5 6"])
    table = read_vectors(file)
    assert table.repeated == 2
    said = describe_coverage(table, np.array([code("the"), code("the"), code("dog")]), "v.txt")
    assert said == (
        "vectors: 2 words with 2 dimensions (2 more repeat one of them); 66.7% of the training "
        "texts' words have one, 50.0% of the different ones"
    )


def test_vectors_for_none_of_the_words_are_refused(tmp_path):
    table = read_vectors(written(tmp_path, LINES))
    with pytest.raises(ValueError, match=r"'v\.txt': none of the 2 different words"):
        describe_coverage(table, np.array([code("dog"), code("hund"), code("dog")]), "v.txt")


@pytest.mark.parametrize(
    "array", [np.zeros((3, 2)), np.zeros(2), np.zeros((2, 0)), np.zeros((2, 2, 2))]
)
def test_an_array_that_does_not_fit_its_words_is_refused(tmp_path, array):
    written(tmp_path, ["the", "cat"])
    np.save(tmp_path / "vectors.npy", array)
    with pytest.raises(ValueError, match=r"shape \(2, dimensions\), since vectors.txt has 2 words"):
        read_vectors(tmp_path / "vectors.npy")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e39])
def test_rows_of_an_array_that_hold_no_finite_numbers_are_named_by_their_word(tmp_path, bad):
    written(tmp_path, ["the", "cat"])
    np.save(tmp_path / "vectors.npy", np.array([[1.0, 2.0], [bad, 0.0]]))
    with pytest.raises(
        ValueError, match="expected finite numbers, found others in 1 row, of 'cat'"
    ):
        read_vectors(tmp_path / "vectors.npy")


def test_an_array_without_numbers_is_refused(tmp_path):
    written(tmp_path, ["the", "cat"])
    for array in (np.array([["a", "b"], ["c", "d"]]), np.ones((2, 2), bool)):
        np.save(tmp_path / "vectors.npy", array)
        with pytest.raises(ValueError, match=r"vectors\.npy is no array of numbers: it holds"):
            read_vectors(tmp_path / "vectors.npy")
    for raw in (b"", b"the 1 2"):
        (tmp_path / "vectors.npy").write_bytes(raw)
        with pytest.raises(ValueError, match=r"is no array of numbers, as numpy.save writes it$"):
            read_vectors(tmp_path / "vectors.npy")


def test_an_array_needs_its_words_and_no_pickle(tmp_path):
    np.save(tmp_path / "vectors.npy", np.array([{"the": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="expected its words beside it"):
        read_vectors(tmp_path / "vectors.npy")
    written(tmp_path, ["the"])
    with pytest.raises(ValueError, match="is no array of numbers"):
        read_vectors(tmp_path / "vectors.npy")


def test_a_file_is_parsed_again_only_when_it_has_changed(tmp_path, monkeypatch):
    parsed = []
    parse = vectors_module._read_text
    monkeypatch.setattr(vectors_module, "_read_text", lambda path: parsed.append(1) or parse(path))
    file = written(tmp_path, LINES)
    first = read_vectors(file)
    assert read_vectors(file)[1] is first[1]
    assert len(parsed) == 1
    written(tmp_path, [*LINES, "dog 7 8 9"])
    assert as_table(read_vectors(file), [*TABLE, "dog"])["dog"] == [7, 8, 9]
    assert len(parsed) == 2


def test_an_array_is_read_again_when_its_words_have_changed(tmp_path):
    np.save(tmp_path / "vectors.npy", np.eye(2))
    for words in (["cat", "the"], ["three", "mice"]):
        written(tmp_path, words)
        assert set(as_table(read_vectors(tmp_path / "vectors.npy"), words)) == set(words)


def test_words_are_looked_up_and_others_get_zeros(tmp_path):
    table = WordVectors(*read_vectors(written(tmp_path, LINES))[:2])
    codes = torch.tensor([[code("cat"), code("dog"), code("the")], [code(","), 0, 2**32 - 1]])
    shown = torch.tensor([[True, True, True], [True, True, True]])
    zeros = [0.0, 0.0, 0.0]
    expected = [[TABLE["cat"], zeros, TABLE["the"]], [TABLE[","], zeros, zeros]]
    assert table(codes, shown).tolist() == expected
    assert table(codes, ~shown).abs().sum() == 0
