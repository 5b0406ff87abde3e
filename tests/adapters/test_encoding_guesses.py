"""Bytes that aren't UTF-8: another encoding is named, or what is to be repaired."""

import random

import pytest

from cnnkit.adapters.encoding_guesses import would_decode

FRENCH = "L'été à Genève, où l'on goûte des crêpes ; le garçon était là.\n"
RUSSIAN = "Привет, мир: сегодня хорошая погода.\n"
CHINESE = "人人生而自由，在尊严和权利上一律平等。\n"
JAPANESE = "すべての人間は、生まれながらにして自由である。\n"
KOREAN = "모든 인간은 태어날 때부터 자유로우며 평등하다.\n"


def first_fault(raw):
    with pytest.raises(UnicodeDecodeError) as caught:
        raw.decode("utf-8")
    return caught.value.start


def test_one_stray_byte_in_a_file_of_utf_8_is_to_be_repaired():
    raw = (FRENCH * 120).encode() + b"caf\xe9 au lait\n" + FRENCH.encode()
    said = would_decode(raw, first_fault(raw))
    assert said == "All else is UTF-8: repair this byte (0xE9 is 'é' in cp1252)."


def test_every_line_with_a_stray_byte_is_named():
    good = FRENCH.encode()
    raw = b"".join([good * 3, b"caf\xe9\n", good, b"\x81 na\xefve \xfc\r\n", good])
    said = would_decode(raw, first_fault(raw))
    assert said.endswith("; such bytes stand in 2 lines: 4, 6.")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (FRENCH, "cp1252"),
        (RUSSIAN, "cp1251"),
        (CHINESE, "gb18030"),
        (JAPANESE, "shift_jis"),
        (KOREAN, "euc_kr"),
    ],
)
def test_a_file_in_another_encoding_is_never_taken_for_utf_8(text, encoding):
    for count in (1, 200):
        raw = (text * count).encode(encoding)
        said = would_decode(raw, first_fault(raw))
        assert "UTF-8" not in said
        assert f"`--encoding {encoding}`" in said


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "gb18030", "shift_jis", "euc_kr", "big5"])
def test_nor_are_random_letters_of_another_encoding(encoding):
    chance = random.Random(0)
    letters = [c for c in map(chr, range(0xA1, 0x10000)) if c.isalpha() and _fits(c, encoding)]
    raw = "".join(chance.choices(letters, k=500)).encode(encoding)
    assert "UTF-8" not in would_decode(raw, first_fault(raw))


def _fits(letter, encoding):
    try:
        return len(letter.encode(encoding)) < 3
    except UnicodeEncodeError:
        return False


def test_surrogates_are_named():
    smile = "\U0001f600".encode("utf-16-be").hex()
    halves = [chr(int(smile[i : i + 4], 16)) for i in (0, 4)]
    cesu = "".join(halves).encode("utf-8", "surrogatepass")
    raw = FRENCH.encode() + b"so glad " + cesu + b"!\n"
    assert would_decode(raw, first_fault(raw)) == (
        "All else is UTF-8: ED A0 BD is a surrogate, U+D83D (with the bytes after it "
        "'\U0001f600', as CESU-8 has it); write the character itself in its place."
    )
    assert "ED B8 80 is a surrogate, U+DE00" in would_decode(b"half \xed\xb8\x80!", 5)
    for after in (b"!\n", b"\n\xe9", b"\xed", b""):
        raw = FRENCH.encode() + b"half \xed\xa0\xbd" + after
        said = would_decode(raw, first_fault(raw))
        assert "ED A0 BD is a surrogate, U+D83D (half of a character); " in said


def test_what_is_utf_8_needs_no_other_encoding():
    assert would_decode(FRENCH.encode(), 3) == "It is UTF-8: leave --encoding out."
