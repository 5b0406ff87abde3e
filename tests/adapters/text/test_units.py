"""Which unit fits a script."""

from __future__ import annotations

import pytest

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


def test_short_texts_do_not_decide():
    assert choose_unit(["人人生而自由"] * 100 + ["supercalifragilistic"]) == "words"
    assert choose_unit(["人人生而自由"] * 100 + [SCRIPTS["English"]]) == "words"
    assert choose_unit(["yes", "no"] * 100 + [SCRIPTS["Chinese"]]) == "bytes"


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
