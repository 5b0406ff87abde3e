"""How a mistake in a spec is shown."""

from __future__ import annotations

from cnnkit.cnncore.errors import SpecError, did_you_mean


def test_all_problems_are_said_and_marked() -> None:
    error = SpecError(
        "relu | pol 2 | gapp", [(7, "no pol"), (15, "no gapp")], "relu | pool 2 | gap"
    )
    assert str(error).splitlines() == [
        "no pol",
        "no gapp",
        "    relu | pol 2 | gapp",
        "           ^       ^",
        'The nearest spec that works: "relu | pool 2 | gap"',
    ]


def test_a_place_behind_the_end_is_marked() -> None:
    assert str(SpecError("relu |", [(6, "missing")])).splitlines()[-1] == "    " + " " * 6 + "^"


def test_a_long_spec_is_folded_with_the_caret_under_its_own_line() -> None:
    text = " | ".join(["conv 32x3x3"] * 20 + ["gupp"])
    message = str(SpecError(text, [(text.index("gupp"), "unknown word")]))
    above, carets = message.splitlines()[-2:]
    assert max(len(line) for line in message.splitlines()) <= 95
    assert above[carets.index("^") :] == "gupp"


def test_a_word_that_is_near_no_other_is_not_guessed() -> None:
    assert did_you_mean("xyzzy", ["conv", "pool"]) == ""
