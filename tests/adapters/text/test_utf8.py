"""Texts as bytes."""

import unicodedata

import numpy as np
import pytest

from cnnkit.adapters.text.utf8 import VOCABULARY, read_bytes

TEXTS = ["cafe\u0301", "", "a\x00b", "👩‍👧 שלום", "人", "\ud800", " "]


def test_categories_are_the_bytes_of_the_composed_text_plus_one():
    values, lengths = read_bytes(TEXTS)
    assert (values.dtype, values.shape[1]) == (np.int16, 1)
    expected = [
        unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass") for text in TEXTS
    ]
    assert lengths.tolist() == [len(each) for each in expected]
    assert bytes((values[:, 0] - 1).tolist()) == b"".join(expected)


def test_every_byte_has_a_category_of_its_own_that_is_no_padding():
    values, _ = read_bytes([chr(code) for code in range(0x500)] + ["人", "👩", "\U0010ffff"])
    assert values.min() == 1
    assert values.max() < VOCABULARY


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_nothing_gives_no_rows(texts):
    values, lengths = read_bytes(texts)
    assert values.shape == (0, 1)
    assert lengths.tolist() == [0] * len(texts)
