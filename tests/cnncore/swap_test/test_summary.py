import unicodedata
from dataclasses import replace

import numpy as np
import pytest

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.swap_test.result import Advice, UnitInfo
from cnnkit.cnncore.swap_test.summary import (
    effect_in_words,
    gain_in_words,
    histogram,
    pvalue_in_words,
    score_table,
    shorten,
    summary,
    what_was_tested,
)

LETTERS = np.array([*"abcdefg ,.-_$<&价格\U0001f600éﷺ\t\n\x1b\u202e"])


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def check_limits(text: str) -> list[str]:
    lines = text.split("\n")
    assert len(lines) <= 25
    assert max(map(width, lines)) <= 100
    assert all(line.isprintable() for line in lines)
    assert all(line == line.rstrip() for line in lines)
    return lines


def rows(lines: list[str], label: str) -> list[str]:
    """Return the texts beside a label."""
    first = next(n for n, line in enumerate(lines) if line[2:14].strip() == label)
    found = [lines[first][14:]]
    for line in lines[first + 1 :]:
        if not line or line[:14].strip():
            break
        found.append(line[14:])
    return found


def random_words(rng: np.random.Generator, most: int) -> str:
    return "".join(LETTERS[rng.integers(len(LETTERS), size=rng.integers(1, most))])


def random_outcome(rng: np.random.Generator, base):
    """Change everything that changes the summary's size."""
    draws = int(rng.choice([1, 19, 39, 199, 999]))
    scale = rng.choice([0.0, 1e-9, 0.1, 100.0])
    scores = {
        model: Interval(value, value - 0.1, value + 0.1)
        for model in base.scores
        for value in [float(rng.normal()) * 10.0 ** rng.integers(4)]
    }
    return replace(
        base,
        score=float(rng.normal() * scale),
        permutation_scores=rng.normal(size=draws) * scale,
        pvalue=float(rng.uniform()),
        effect=float(rng.normal() * scale),
        interval=(float(-scale), float(rng.normal() * 1e4)),
        gain_share=float(rng.normal() * 10),
        reason=random_words(rng, 600),
        advice=Advice("none", random_words(rng, 400)),
        scores=scores,
        network_scores=rng.normal(size=rng.choice([0, 1, 9])),
        target=random_words(rng, 200),
        rows=int(rng.integers(1, 10**6)),
        rows_total=10**6,
        units=tuple(
            UnitInfo(random_words(rng, 40), kind, 1)
            for kind in rng.choice(
                ["number", "category", "date", "text"], rng.choice([5, 60, 1000])
            )
        ),
        set_aside={
            random_words(rng, 90): random_words(rng, rng.choice([5, 200]))
            for _ in range(rng.choice([0, 1, 3, 50, 300]))
        },
        notes=tuple(random_words(rng, 300) for _ in range(rng.choice([0, 1, 2, 3, 4, 40]))),
        settings={**base.settings, "draws": draws, "shape": [1, 9]},
    )


def test_question_and_verdict_come_first_and_everything_fits_a_screen(outcome):
    lines = check_limits(summary(outcome))
    assert lines[0] == "Is this table just as useful after its columns change places?"
    assert lines[1].endswith(f": {outcome.verdict}.")
    labels = [line[2:14].strip() for line in lines[2:] if line[2:14].strip()]
    assert [label for label in labels if label not in ("set aside", "notes")] == [
        "why", "advice", "tested", "skill", "shuffled", "p-value", "gain", "effect", "scores",
    ]  # fmt: skip
    assert ("set aside" in labels) == bool(outcome.set_aside)
    assert ("notes" in labels) == bool(outcome.notes)


@pytest.mark.parametrize(
    ("verdict", "answer"),
    [
        ("order matters", "No: order matters."),
        ("order does not matter", "Yes: order does not matter."),
        ("inconclusive", "Can't tell: inconclusive."),
    ],
)
def test_the_verdict_answers_the_question(changed, verdict, answer):
    assert summary(changed("signals", verdict=verdict)).split("\n")[1] == answer


def test_no_table_makes_the_summary_too_large(changed):
    rng = np.random.default_rng(0)
    base = changed("customers")
    for _ in range(80):
        check_limits(summary(random_outcome(rng, base)))


def test_a_short_summary_says_all_in_full(changed):
    outcome = changed("spectra")
    text = " ".join(summary(outcome).split())
    assert outcome.reason in text
    assert outcome.advice.text in text


def test_columns_set_aside_are_counted_even_where_they_are_not_listed(changed):
    lines = summary(changed("digits")).split("\n")
    found = " ".join(rows(lines, "set aside"))
    listed = found.split(" (")[0].split(", ")
    assert listed == [f"pixel_{n}" for n in range(len(listed))]
    assert found.endswith(f"(has one value), … and {50 - len(listed)} more")
    assert len(rows(lines, "set aside")) == 2


def test_columns_that_are_set_aside_for_one_reason_stand_together(changed):
    reasons = {"id": "is a key", "name": "is text", "code": "is a key"}
    lines = summary(changed("customers", set_aside=reasons)).split("\n")
    assert rows(lines, "set aside") == ["id, code (is a key), name (is text)"]


@pytest.mark.parametrize(("number", "shown"), [(1, 1), (3, 3), (4, 2), (40, 2)])
def test_as_many_notes_are_shown_as_there_is_room_for_and_the_others_counted(
    changed, number, shown
):
    notes = tuple(f"note {n}" for n in range(number))
    lines = rows(summary(changed("numbers", notes=notes)).split("\n"), "notes")
    more = f"… and {number - shown} more notes: --json or --report"
    assert lines == [*notes[:shown], *([more] if number > 3 else [])]


def test_where_room_is_short_a_note_is_cut_and_the_others_counted(changed):
    lines = check_limits(summary(changed("wide")))
    shown = rows(lines, "notes")
    assert shown[0].endswith("…")
    assert shown[-1] == "… and 27 more notes: --json or --report"


def test_what_was_tested_is_said_in_one_sentence(changed):
    assert what_was_tested(changed("signals")) == (
        '2,000 of 4,000 rows, 40 columns of numbers, target "target": 10 classes'
    )
    assert what_was_tested(changed("customers")) == (
        "2,000 rows, 11 columns (2 categories, 6 numbers, 2 dates, 1 text), "
        'target "target": 2 classes'
    )
    assert what_was_tested(changed("digits")) == (
        '2,000 rows, 64 columns of numbers as an image of 8 × 8, target "digit": 10 classes'
    )
    assert what_was_tested(changed("numbers")).endswith('target "fat, in %": numbers')


def test_the_pvalue_says_how_many_orders_it_counted(changed):
    assert pvalue_in_words(changed("signals")) == (
        "0.005: none of 199 random orders scored as well as the given one"
    )
    settings = {**changed("signals").settings, "draws": 40}
    scores = np.r_[np.full(20, 0.7), np.full(20, 0.5), np.full(39, 0.9)]  # drawn for the effect
    tested = changed("signals", score=0.7, permutation_scores=scores, settings=settings, pvalue=0.5)
    assert pvalue_in_words(tested) == (
        "0.5: 20 of 40 random orders scored at least as well as the given one"
    )


def test_effect_and_gain_are_told_in_points_and_percent(changed):
    better = changed("signals", effect=0.0213, interval=(-0.0004, 0.0321), gain_share=0.2672)
    assert effect_in_words(better).startswith("+2.1 points of skill [+0.0, +3.2] ")
    assert " removes 26.7 % of the error " in gain_in_words(better)
    worse = changed("signals", effect=-0.5, interval=(-0.75, -0.25), gain_share=-0.031)
    assert effect_in_words(worse).startswith("-50.0 points of skill [-75.0, -25.0] ")
    assert " adds 3.1 % to the error " in gain_in_words(worse)


def test_the_table_of_scores_shows_every_model_at_the_decimal_point(changed):
    shuffled = np.array([0.9, 0.92, 0.94])
    outcome = changed("numbers", network_scores=shuffled)
    assert score_table(outcome) == {
        "CNN, given order": "0.962 [0.951, 0.971]",
        "CNN, shuffled orders": "0.920 ± 0.020 (sd over 3 orders)",
        "gradient boosting": "0.894 [0.861, 0.917]",
        "linear model": "0.958 [0.947, 0.968]",
        "always the mean": "-0.004 [-0.012, 0.000]",
    }
    head, *table = rows(summary(outcome).split("\n"), "scores")
    assert head == "R² on held-out rows [95 % interval]"
    assert [line.split("  ")[0] for line in table] == list(score_table(outcome))
    assert len({line.index(".") for line in table}) == 1


def test_networks_that_were_left_out_are_said_to_be(changed):
    table = score_table(changed("no networks"))
    assert table["CNN, given order"] == "not trained"
    assert list(table)[1:] == ["gradient boosting", "linear model", "majority class"]


# 40 columns: "0.000 │" and "│ 1.000" take 7 each, so 13 bars of 2 columns start at column 7.
@pytest.mark.parametrize(
    ("scores", "given", "bars", "mark"),
    [
        ([0.0, 1.0], 0.5, {0: "█", 12: "█"}, 20),
        ([0.0, 0.1, 0.1, 0.1, 0.1], 1.0, {0: "▂", 1: "█"}, 32),
        ([0.9, 0.9, 1.0, 1.0], 0.0, {11: "█", 12: "█"}, 7),
        ([0.25], 0.25, {6: "█"}, 20),
        ([0.25, 0.25], 0.25, {6: "█"}, 20),
        ([1.0], 0.0, {12: "█"}, 7),
    ],
)
def test_blocks_and_mark_stand_where_the_scores_are(scores, given, bars, mark):
    drawn, beside = histogram(np.array(scores), given, 40)
    cells = "".join(bars.get(place, " ") * 2 for place in range(13))
    low, high = min([*scores, given]), max([*scores, given])
    assert drawn == f"{low:.3f} │{cells}│ {high:.3f}"
    assert beside.index("▲") == mark
    assert f"given order {given:.3f}" in beside
    assert len(beside) <= 40


def test_every_shuffled_order_is_part_of_a_block():
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores, given = rng.normal(size=rng.integers(1, 200)), rng.normal() * 3
        drawn, _ = histogram(scores, given, 85)
        cells = drawn[drawn.index("│") + 1 : drawn.rindex("│")]
        low, high = min(scores.min(), given), max(scores.max(), given)
        counts = np.histogram(scores, bins=24, range=(low, high))[0]
        heights = np.array([" ▁▂▃▄▅▆▇█".index(block) for block in cells])
        assert np.array_equal(heights[::2], heights[1::2])
        assert np.array_equal(heights[::2] > 0, counts > 0)
        assert np.array_equal(heights[::2] == 8, counts > counts.max() * 7 / 8)


def test_names_are_cut_to_a_width_in_terminal_columns():
    assert shorten("short", 5) == "short"
    assert shorten("longer", 5) == "long…"
    assert shorten("价格价格", 5) == "价格…"
    assert shorten("two\n lines\x1b\u202e", 20) == "two lines"
