"""From figures to words: every branch by evidence made for it, and what never may happen."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.swap_test.effect import Effect
from cnnkit.cnncore.swap_test.result import Advice, Verdict
from cnnkit.cnncore.swap_test.sequential import sequential_p
from cnnkit.cnncore.swap_test.verdict import AHEAD, ARTICLES, Evidence, advise, judge

VERDICTS: tuple[Verdict, ...] = ("order matters", "order does not matter", "inconclusive")


def effect(
    given: float, random: float, rows_error: float = 0.01, orders_error: float = 0.002
) -> Effect:
    """Make an effect whose random orders have skills around `random`."""
    skills = np.array([given, random - 0.01, random + 0.01])
    learnt = float(skills.mean() - 1.645 * rows_error)
    return Effect(skills, given - random, rows_error, orders_error, learnt)


def evidence(**changed: Any) -> Evidence:
    """Make evidence of a table whose order is plainly worth a lot, with some fields changed."""
    usual = Evidence(
        units=30,
        rows=1000,
        pvalue=0.005,
        alpha=0.05,
        draws=199,
        asked=199,
        alone=effect(0.6, 0.4),
        beside=effect(0.62, 0.5),
        margin=0.05,
        baseline_skills={"linear": 0.45, "gradient boosting": 0.5},
    )
    return replace(usual, **changed)


def random_evidence(generator: np.random.Generator) -> Evidence:
    """Draw evidence of any kind."""

    def any_effect() -> Effect:
        given, random = generator.uniform(-0.3, 0.95, 2)
        if generator.random() < 0.5:
            given = random + generator.normal(0, 0.03)
        errors = generator.gamma(1, 0.02, 2)
        return effect(min(given, 0.99), random, *errors)

    return evidence(
        units=int(generator.integers(1, 60)),
        rows=int(generator.integers(20, 3000)),
        pvalue=float(generator.choice([0.005, 0.02, 0.05, 0.06, 0.2, 0.9])),
        alone=any_effect(),
        beside=any_effect(),
        margin=float(generator.choice([0.01, 0.05, 0.1])),
        baseline_skills={
            "linear": float(generator.uniform(-0.3, 0.9)),
            "gradient boosting": float(generator.uniform(-0.3, 0.9)),
        },
    )


USELESS = {"alone": effect(0.45, 0.44), "beside": effect(0.5, 0.499)}
BRANCHES: dict[str, tuple[Evidence, Verdict, list[str]]] = {
    "too few columns": (evidence(units=4), "inconclusive", ["4 usable columns", "5"]),
    "the order is worth a lot": (
        evidence(), "order matters", ["33%", "none of 199 random orders", "p = 0.005"]
    ),
    "no model learns": (
        evidence(pvalue=0.4, alone=effect(0.01, 0.0), beside=effect(0.01, 0.02, rows_error=0.02),
                 baseline_skills={"linear": 0.015, "gradient boosting": -0.1}),
        "inconclusive", ["no model learns", "0.020"],
    ),
    "the probe learns nothing, others do": (
        evidence(pvalue=0.4, alone=effect(0.01, 0.0), beside=effect(0.01, 0.02, rows_error=0.02),
                 baseline_skills={"linear": 0.1, "gradient boosting": 0.16}),
        "inconclusive", ["learns too little", "0.020", "gradient boosting 0.160"],
    ),
    "the skill is so little that the order may be half of it": (
        evidence(pvalue=0.4, alone=effect(0.05, 0.05), beside=effect(0.06, 0.055, rows_error=0.02),
                 baseline_skills={"linear": 0.06, "gradient boosting": 0.08}),
        "inconclusive", ["0.038", "margin of 0.03", "rows would settle it"],
    ),
    "the probe is far behind": (
        evidence(pvalue=0.4, alone=effect(0.2, 0.2), beside=effect(0.3, 0.3),
                 baseline_skills={"linear": 0.46, "gradient boosting": 0.2}),
        "inconclusive", ["learns too little", "0.300", "linear 0.460"],
    ),
    "the order is worth nothing": (
        evidence(pvalue=0.4, draws=50, **USELESS), "order does not matter",
        ["at most 0.018 of skill", "margin 0.05"],
    ),
    "the order isn't random, but worth nothing": (
        evidence(pvalue=0.005, **USELESS), "order does not matter",
        ["at most 0.018", "p = 0.005", "worth little"],
    ),
    "the order is worse than others": (
        evidence(pvalue=0.9, draws=22, alone=effect(0.3, 0.4), beside=effect(0.3, 0.5)),
        "order does not matter", ["at most 0.000 of skill"],
    ),
    "few rows": (
        evidence(pvalue=0.3, alone=effect(0.42, 0.4), beside=effect(0.51, 0.5, rows_error=0.05)),
        "inconclusive", ["0.092", "margin of 0.05", "p = 0.3", "rows would settle it"],
    ),
    "few orders": (
        evidence(pvalue=0.3, alone=effect(0.42, 0.4),
                 beside=effect(0.51, 0.5, rows_error=0.01, orders_error=0.03)),
        "inconclusive", ["p = 0.3", "orders"],
    ),
    "p is close to alpha": (
        evidence(pvalue=0.08, beside=effect(0.58, 0.5)), "inconclusive",
        ["p = 0.08", "close to 0.05", "--permutations 999"],
    ),
    "p is small, the share too": (
        evidence(pvalue=0.005, alone=effect(0.41, 0.4), beside=effect(0.58, 0.5)), "inconclusive",
        ["p = 0.005", "only 1.7%", "rows would settle it"],
    ),
    "the effect is above the margin, the p-value too": (
        evidence(pvalue=0.3, beside=effect(0.58, 0.5)), "inconclusive",
        ["p = 0.3", "more rows would settle it"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("branch", list(BRANCHES))
def test_each_kind_of_evidence_gets_its_verdict_with_figures(branch: str) -> None:
    found, verdict, phrases = BRANCHES[branch]
    said, reason = judge(found)
    assert said == verdict
    assert [phrase for phrase in phrases if phrase not in reason] == []


def test_all_verdicts_are_tried_and_all_reasons_hold_figures_whatever_the_evidence() -> None:
    generator = np.random.default_rng(0)
    met = set()
    for _ in range(3000):
        verdict, reason = judge(random_evidence(generator))
        met.add(verdict)
        assert re.search(r"\d", reason)
        assert "nan" not in reason
        assert "inf" not in reason
        assert "-0.000" not in reason
    assert met == set(VERDICTS)


def test_the_p_value_alone_never_decides_that_the_order_matters() -> None:
    generator = np.random.default_rng(1)
    for _ in range(3000):
        found = random_evidence(generator)
        small, large = (judge(replace(found, pvalue=p))[0] for p in (0.001, 0.9))
        assert large != "order matters"
        if found.alone.gain_share < found.margin or found.alone.skills[0] <= 0:
            assert small == large  # only the words change
        if small == "order matters":
            assert found.alone.gain_share >= found.margin
            assert found.units >= 5


def test_an_order_does_not_matter_to_a_convolution_that_learns_next_to_nothing() -> None:
    """Where the targets are noise, p may still be small: columns that differ aren't random."""
    found = evidence(
        alone=effect(0.01, -0.06),
        beside=effect(0.01, -0.05),
        baseline_skills={"linear": -0.02, "gradient boosting": 0.01},
    )
    assert found.alone.gain_share > found.margin
    verdict, reason = judge(found)
    assert verdict == "inconclusive"
    assert "no model learns" in reason


def test_that_the_order_does_not_matter_is_a_claim_which_the_bound_and_some_skill_must_carry() -> (
    None
):
    generator = np.random.default_rng(2)
    claims = 0
    for _ in range(3000):
        found = random_evidence(generator)
        if judge(found)[0] == "order does not matter":
            claims += 1
            skills = found.beside.skills
            probe = max(skills[0], skills[1:].mean())
            assert found.beside.value + 1.645 * found.beside.error < min(found.margin, probe / 2)
            assert found.beside.learnt > 0
            best = max(found.baseline_skills.values())
            assert probe >= min(best - 0.15, 0.75 * best)
    assert claims > 100


@pytest.mark.parametrize(("most", "place"), [(199, None), (999, 900), (999, 410)])
def test_the_odds_are_those_that_were_counted(most: int, place: int | None) -> None:
    """With many orders drawing may end early though p is small."""
    scores = np.zeros(most)
    if place:
        scores[:19] = scores[place - 1] = 1.0
    p = sequential_p(0.5, scores, most)
    assert p.value <= 0.05
    _, reason = judge(evidence(pvalue=p.value, draws=p.draws, asked=most))
    counted = f"20 of {place} random orders" if place else "none of 199 random orders"
    assert counted in reason


def test_one_of_a_hundred_orders_is_counted() -> None:
    _, reason = judge(evidence(pvalue=2 / 100, draws=99))
    assert "1 of 99 random orders did as well: p = 0.02" in reason


@pytest.mark.parametrize("value", [-0.03, 0.0, 0.01, 0.03])
@pytest.mark.parametrize("orders_error", [0.0, 0.004])
def test_with_so_many_rows_the_bound_would_end_at_the_margin(
    value: float, orders_error: float
) -> None:
    beside = effect(0.5 + value, 0.5, rows_error=0.08, orders_error=orders_error)
    verdict, reason = judge(evidence(rows=120, pvalue=0.5, alone=effect(0.4, 0.4), beside=beside))
    assert verdict == "inconclusive"
    found = re.search(r"about ([\d,]+) rows would settle it", reason)
    assert found
    needed = int(found[1].replace(",", ""))
    assert needed > 120

    def bound(rows: float) -> float:
        return max(value, 0) + 1.645 * float(np.hypot(0.08 * (120 / rows) ** 0.5, orders_error))

    assert bound(needed) <= 0.05 + 1e-9
    assert bound(0.9 * needed) > 0.05


def test_no_absurd_number_of_rows_is_asked_for() -> None:
    beside = effect(0.5499999, 0.5, rows_error=0.08, orders_error=0.0)
    _, reason = judge(evidence(pvalue=0.5, alone=effect(0.4, 0.4), beside=beside))
    numbers = [int(found.replace(",", "")) for found in re.findall(r"[\d,]{4,}", reason)]
    assert all(number <= 10_000_000 for number in numbers)


@pytest.mark.parametrize(("pvalue", "draws", "asked"), [(20 / 30, 30, 199), (0.5, 999, 999)])
def test_more_permutations_are_not_advised_where_they_would_change_nothing(
    pvalue: float, draws: int, asked: int
) -> None:
    """Drawing ended early, and would do so again; or 999 were drawn already."""
    beside = effect(0.51, 0.5, rows_error=0.01, orders_error=0.03)
    found = evidence(pvalue=pvalue, draws=draws, asked=asked, alone=effect(0.4, 0.4), beside=beside)
    assert "999 would settle" not in judge(found)[1]
    assert "(--permutations 999)" not in judge(found)[1]


def test_a_large_share_of_a_convolution_without_skill_is_not_called_small() -> None:
    found = evidence(alone=effect(-0.02, -0.5), beside=effect(0.56, 0.5))
    verdict, reason = judge(found)
    assert verdict == "inconclusive"
    assert "only 32" not in reason


# What to use.

SKILLS = {"linear": 0.45, "gradient boosting": 0.5}


def scored(linear: float, boosting: float, cnn: float | None = None) -> dict[str, float]:
    scores = {"linear": linear, "gradient boosting": boosting, "majority class": 0.1}
    return scores if cnn is None else {**scores, "cnn": cnn, "cnn shuffled": cnn - 0.05}


def advised(verdict: Verdict, found: Evidence, scores: dict[str, float]) -> Advice:
    """Advise by scores whose intervals reach 0.02 to either side."""
    intervals = {
        name: Interval(value, value - 0.02, value + 0.02) for name, value in scores.items()
    }
    return advise(verdict, found, intervals, "majority class", "accuracy")


@pytest.mark.parametrize(
    ("verdict", "scores", "model", "phrases"),
    [
        ("order matters", scored(0.7, 0.8, 0.9), "cnn", ["Use a CNN", "accuracy 0.900", "0.800"]),
        (
            "order matters", scored(0.7, 0.8, 0.75), "gradient boosting",
            ["order carries information", "gradient boosting", "0.800", "0.750"],
        ),
        ("order matters", scored(0.85, 0.8, 0.75), "linear", ["a linear model", "0.850", "0.750"]),
        (
            "order does not matter", scored(0.7, 0.8, 0.9), "gradient boosting",
            ["Don't use a CNN", "gradient boosting (accuracy 0.800)"],
        ),
        (
            "order does not matter", scored(0.795, 0.8, 0.9), "linear",
            ["Don't use a CNN", "a linear model (accuracy 0.795)"],
        ),
        (
            "inconclusive", scored(0.7, 0.8, 0.9), "gradient boosting",
            ["Until that is clear", "gradient boosting (accuracy 0.800)"],
        ),
        ("inconclusive", scored(0.7, 0.8), "gradient boosting", ["gradient boosting"]),
    ],
)  # fmt: skip
def test_each_verdict_gets_its_advice(
    verdict: Verdict, scores: dict[str, float], model: str, phrases: list[str]
) -> None:
    advice = advised(verdict, evidence(), scores)
    assert advice.model == model
    assert [phrase for phrase in phrases if phrase not in advice.text] == []


@pytest.mark.parametrize("verdict", ["order does not matter", "inconclusive"])
def test_where_nothing_learns_nothing_is_advised(verdict: Verdict) -> None:
    scores = {**scored(0.51, 0.5, 0.515), "majority class": 0.5}
    skills = {"linear": -0.01, "gradient boosting": 0.01}
    found = evidence(beside=effect(0.0, 0.0), baseline_skills=skills)
    assert advised(verdict, found, scores).model == "none"
    assert advised(verdict, evidence(), scores).model != "none"


@pytest.mark.parametrize("verdict", ["order does not matter", "inconclusive"])
def test_one_model_that_is_surely_better_than_a_constant_is_enough_to_advise(
    verdict: Verdict,
) -> None:
    scores = {**scored(0.49, 0.53, 0.5), "majority class": 0.5}
    assert advised(verdict, evidence(), scores).model == "gradient boosting"


def test_a_cnn_is_advised_only_where_the_order_matters_and_it_is_ahead_of_all_others() -> None:
    generator = np.random.default_rng(0)
    times = 0
    for verdict, _ in product(VERDICTS, range(1500)):
        scores = scored(*(float(score) for score in generator.uniform(0.7, 0.75, 3)))
        advice = advised(verdict, evidence(), scores)
        if advice.model == "cnn":
            times += 1
            assert verdict == "order matters"
            assert scores["cnn"] > max(scores["linear"], scores["gradient boosting"])
    assert times > 100


def test_a_network_that_is_level_with_a_simpler_model_gives_way_to_it() -> None:
    assert advised("order matters", evidence(), scored(0.8, 0.7, 0.801)).model == "linear"


@pytest.mark.parametrize(
    ("skills", "model"),
    [
        ({"linear": 0.45, "gradient boosting": 0.5}, "cnn"),
        ({"linear": 0.45, "gradient boosting": 0.7}, "gradient boosting"),
        ({"linear": 0.7, "gradient boosting": 0.5}, "linear"),
    ],
)
def test_without_trained_networks_the_skill_of_the_probe_decides(
    skills: dict[str, float], model: str
) -> None:
    scores = scored(skills["linear"] + 0.3, skills["gradient boosting"] + 0.3)
    advice = advised("order matters", evidence(baseline_skills=skills), scores)
    assert advice.model == model
    assert "0.620" in advice.text
    assert f"{max(skills.values()):.3f}" in advice.text


def test_without_trained_networks_what_is_advised_instead_has_at_least_the_skill_of_the_probe() -> (
    None
):
    generator = np.random.default_rng(4)
    models = set()
    for _ in range(500):
        skills = dict(zip(SKILLS, map(float, generator.uniform(0.4, 0.8, 2)), strict=True))
        scores = scored(*(float(score) for score in generator.uniform(0.7, 0.72, 2)))
        advice = advised("order matters", evidence(baseline_skills=skills), scores)
        models.add(advice.model)
        assert {**skills, "cnn": 0.62}[advice.model] >= 0.62 - AHEAD, advice.text
    assert models == {"cnn", "linear", "gradient boosting"}


def test_a_network_that_does_as_well_in_shuffled_orders_is_not_advised() -> None:
    scores = {**scored(0.7, 0.8, 0.9), "cnn shuffled": 0.91}
    advice = advised("order matters", evidence(), scores)
    assert advice.model == "gradient boosting"
    assert [figure for figure in ("0.900", "0.910", "0.800") if figure not in advice.text] == []


def test_every_figure_in_the_advice_is_that_of_the_model_beside_it() -> None:
    generator = np.random.default_rng(3)
    for verdict, is_trained in product(VERDICTS, (False, True)):
        for _ in range(300):
            linear, boosting, cnn = (float(score) for score in generator.uniform(0.2, 0.9, 3))
            boosting = linear + 0.008 if generator.random() < 0.3 else boosting
            skills = dict(zip(SKILLS, map(float, generator.uniform(0.2, 0.7, 2)), strict=True))
            scores = scored(linear, boosting, cnn if is_trained else None)
            advice = advised(verdict, evidence(baseline_skills=skills), scores)
            for name in SKILLS:
                said = re.search(rf"{ARTICLES[name]} \(?(accuracy |skill )?([\d.]+\d)", advice.text)
                if said:
                    known = skills if "skill" in advice.text else scores
                    assert said[2] == f"{known[name]:.3f}", advice.text
