"""Which unit fits a script."""

from __future__ import annotations

import unicodedata

import pytest

from cnnkit.adapters.text import units
from cnnkit.adapters.text.units import UNITS, choose_unit

SCRIPTS = {  # article 1 of the Universal Declaration of Human Rights
    "English": "All human beings are born free and equal in dignity and rights. They are endowed "
    "with reason and conscience and should act towards one another in a spirit of brotherhood.",
    "Russian": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены "
    "разумом и совестью и должны поступать в отношении друг друга в духе братства.",
    "Arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن "
    "يعامل بعضهم بعضا بروح الإخاء.",
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit "
    "Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    "Chinese": "人人生而自由,在尊严和权利上一律平等。"
    "他们赋有理性和良心,并应以兄弟关系的精神相对待。",
    "Japanese": "すべての人間は、生まれながらにして自由であり、かつ、"
    "尊厳と権利とについて平等である。"
    "人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
    "Thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม "
    "และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ",
}
UNSPACED = ["Chinese", "Japanese", "Thai"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_without_spaces_are_read_as_bytes(script):
    unit = "bytes" if script in UNSPACED else "words"
    assert choose_unit([SCRIPTS[script]] * 3) == unit
    assert choose_unit([f"  {SCRIPTS[script]}\n"]) == unit


def test_short_texts_count_as_much_as_long_ones():
    assert choose_unit(["人人生而自由"] * 100) == "bytes"
    assert choose_unit(["iPhone 15发布会"] * 9) == "bytes"
    assert choose_unit(["人人生而自由"] * 2 + [SCRIPTS["English"]] * 9) == "bytes"
    assert choose_unit(["yes", "no"] * 100 + [SCRIPTS["Chinese"]] * 9) == "words"


@pytest.mark.parametrize(
    "text", ["https://example.com/" + "a/b-c=d&" * 50, "9" * 99, "👩" * 99, "x" * 500]
)
def test_what_has_no_spaces_is_no_script_without_them(text):
    assert choose_unit([text] * 3) == "words"


def test_a_quotation_does_not_decide():
    assert choose_unit([SCRIPTS["English"] + " 人人生而自由"] * 9) == "words"


def test_the_scripts_without_spaces_are_those_of_their_characters_names():
    names = (
        "CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA",
        "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "JAVANESE", "BALINESE",
    )  # fmt: skip
    wrong = []
    for code in (*range(0x3000), *range(0x3040, 0x10000, 3), *range(0x20000, 0x31000, 99)):
        name = unicodedata.name(chr(code), "")
        if chr(code).isalpha() and name:
            unit = "bytes" if name.startswith(names) else "words"
            wrong += [name] if choose_unit([chr(code)]) != unit else []
    assert not wrong


def test_of_many_and_long_texts_a_part_is_looked_at(monkeypatch):
    monkeypatch.setattr(units, "MOST_LOOKED_AT", 10)
    monkeypatch.setattr(units, "MOST_LETTERS", 5)
    assert choose_unit(["人", "a"] * 50) == "bytes"  # every tenth
    assert choose_unit(["a", "人"] * 50) == "words"
    assert choose_unit(["aaaaa" + "人" * 99]) == "words"


@pytest.mark.parametrize(("unspaced", "unit"), [(0, "words"), (2, "words"), (3, "bytes")])
def test_a_tenth_of_the_texts_may_lack_spaces(unspaced, unit):
    texts = [SCRIPTS["Chinese"]] * unspaced + [SCRIPTS["English"]] * (20 - unspaced)
    assert choose_unit(texts) == unit


@pytest.mark.parametrize("text", [*SCRIPTS.values(), "lone \ud800", ""])
def test_a_unit_counts_the_positions_that_it_reads(text):
    for unit in UNITS.values():
        assert unit.count(text) == unit.read([text])[1][0]


def test_the_longest_text_is_drawn_up_to_four_thousand_positions():
    for unit, reach in (("words", 4032), ("bytes", 4350)):
        one = UNITS[unit]
        assert one.window + (one.most_windows - 1) * (one.window - one.overlap) == reach
