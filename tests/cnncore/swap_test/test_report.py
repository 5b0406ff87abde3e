import functools
import html
import json
import re
from html.parser import HTMLParser

import pytest

from cnnkit.cnncore.swap_test.report import order_does_not_matter, order_matters, swap_report
from cnnkit.cnncore.swap_test.result import Advice, SwapTestResult, UnitInfo

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Reads a page: its text, its tables, and what isn't closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name.endswith(("src", "href"))]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


@functools.cache
def page_of(outcome: SwapTestResult) -> str:
    return swap_report(outcome, "my <data>.csv")


def said(page: Page) -> str:
    return " ".join(page.text.split())


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(outcome):
    text = page_of(outcome)
    page = Page(text)
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert not {"script", "link", "iframe", "img", "object", "data"} & set(page.tags)
    assert not re.search(r"@import|url\((?!#|\"#|'#|data:)", text)
    assert page.tags.count("svg") == 2 + (outcome.correlation.size > 0)
    assert "my <data>.csv" in page.text
    text.encode()


def test_everything_that_was_found_is_on_the_page(outcome):
    page = Page(page_of(outcome))
    words = said(page)
    assert "Is this table just as useful after its columns change places?" in words
    assert f": {outcome.verdict}." in words
    for sentence in (outcome.reason, outcome.advice.text, *outcome.notes):
        assert " ".join(sentence.split())[1:] in words
    for unit in outcome.units:
        assert [unit.name, unit.kind, str(unit.width), unit.note] in page.rows
    for name, reason in outcome.set_aside.items():
        assert [name, reason] in page.rows
    for setting, value in outcome.settings.items():
        assert [setting, str(value)] in page.rows
    for model, score in outcome.scores.items():
        if model != "cnn shuffled":
            assert any(row[-1] == str(score) for row in page.rows)
    for step, seconds in outcome.seconds.items():
        assert [f"seconds: {step}", f"{seconds:.1f}"] in page.rows
    assert {"python", "cnnkit", "torch"} <= {row[0] for row in page.rows if row}


def test_the_figures_are_there_for_programs(outcome):
    text = page_of(outcome)
    dump = html.unescape(text[text.index("<pre>") + 5 : text.index("</pre>")])
    assert json.loads(dump) == json.loads(json.dumps(outcome.to_dict()))


def test_whatever_the_user_brings_is_escaped(changed):
    bad = "<script>alert('x')</script>&amp;"
    text = swap_report(
        changed(
            "customers", reason=bad, advice=Advice("none", bad), target=bad, notes=(bad,),
            units=(UnitInfo(bad, bad, 1, bad),) * 11, set_aside={bad: bad}, scoring=bad,
            settings={**changed("customers").settings, "network": bad}, seconds={bad: 1.0},
            classes=(bad,),
        ),
        bad,
    )  # fmt: skip
    assert "<script" not in text
    assert Page(text).rows.count([bad, bad, "1", bad]) == 11


def test_the_page_says_how_the_verdict_is_reached(changed):
    words = said(Page(page_of(changed("signals"))))
    assert "A verdict is never taken from the p-value alone" in words
    assert "✓ the p-value is at most 0.05: 0.005" in words
    bound = "below 5 points: the margin, or half of the skill if that is less: +14.1 points"
    assert f"✗ the upper bound of the effect is {bound}" in words


@pytest.mark.parametrize(
    ("name", "matters", "does_not"),
    [
        ("signals", [True] * 4, [False]),
        ("customers", [True, False, False, True], [True]),
        ("few rows", [True, False, True, True], [False]),
    ],
)
def test_the_conditions_of_the_verdict_agree_with_it(changed, name, matters, does_not):
    outcome = changed(name)
    assert [condition.holds for condition in order_matters(outcome)] == matters
    assert [condition.holds for condition in order_does_not_matter(outcome)] == does_not


def test_conditions_hold_up_to_their_limits(changed):
    at_limit = changed("signals", pvalue=0.05, gain_share=0.05, score_low=0.0, interval=(0.0, 0.05))
    assert [condition.holds for condition in order_matters(at_limit)] == [True, True, True, False]
    assert [condition.holds for condition in order_does_not_matter(at_limit)] == [False]


def test_a_long_list_of_columns_is_folded(changed):
    short, long = (page_of(changed(name)) for name in ("customers", "wide"))
    assert re.search(r"<details open>\s*<summary>11 tested", short)
    assert re.search(r"<details>\s*<summary>200 tested", long)


def test_the_same_result_is_the_same_page(changed):
    assert page_of(changed("digits")) == swap_report(changed("digits"), "my <data>.csv")
