"""Outcomes of swap tests as they are found on real tables, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.swap_test.result import Advice, SwapTestResult, UnitInfo

RNG = np.random.default_rng(0)
NASTY = ["<b>&", '"quoted"', "价格_元", "prix \U0001f600 €", "$x_1$", "two\nlines", "\x1b[31mred"]


def correlations(units: int) -> np.ndarray:
    """Let neighbours be alike: float64 [units, units]."""
    place = np.arange(units)
    return np.exp(-np.abs(place - place[:, None]) / 5)


def numbers(names: list[str]) -> tuple[UnitInfo, ...]:
    return tuple(UnitInfo(name, "number", 1) for name in names)


SETTINGS: dict[str, Any] = {
    "engine": "random", "permutations": 199, "draws": 199, "folds": 3, "margin": 0.05,
    "alpha": 0.05, "max_rows": 2000, "time_limit": 60.0, "seed": 0, "shape": [1, 40],
    "device": "cpu", "network": "conv 16x1x3 | relu | gap", "network_steps": 200,
}  # fmt: skip

# The twentieth that does as well comes last: no more were drawn.
UNORDERED = np.sort(RNG.normal(0.0402, 0.0041, 58))
SCATTERED = np.sort(RNG.normal(0.14, 0.11, 93))

SIGNALS = SwapTestResult(
    score=0.4731,
    permutation_scores=RNG.normal(0.281, 0.024, 199),
    pvalue=0.005,
    effect=0.1213,
    interval=(0.1021, 0.1405),
    score_low=0.25,
    bar=0.05,
    gain_share=0.2672,
    verdict="order matters",
    reason="a convolution errs 27% less with the columns in the given order than in random orders, "
    "and none of 199 random orders did as well: p = 0.005",
    advice=Advice("cnn", "Use a CNN: accuracy 0.741 in the given order (gradient boosting 0.522)."),
    scoring="accuracy",
    scores={
        "cnn": Interval(0.741, 0.721, 0.760),
        "cnn shuffled": Interval(0.4871, 0.4702, 0.5034),
        "linear": Interval(0.334, 0.313, 0.355),
        "gradient boosting": Interval(0.522, 0.500, 0.544),
        "majority class": Interval(0.106, 0.093, 0.120),
    },
    network_scores=RNG.normal(0.487, 0.014, 9),
    target="target",
    task="classification",
    classes=tuple("0123456789"),
    rows=2000,
    rows_total=4000,
    units=numbers([f"t{n:02d}" for n in range(40)]),
    set_aside={},
    notes=(
        "2,000 of 4,000 rows were drawn at random for the test",
        "neighbouring columns correlate by 0.82, any two columns by 0.21",
    ),
    settings=SETTINGS,
    seconds={"encode": 0.21, "random orders": 9.4, "networks": 18.3, "total": 28.4},
    correlation=correlations(40),
)

SPECTRA = replace(
    SIGNALS,
    score=0.8012,
    permutation_scores=RNG.normal(0.782, 0.005, 199),
    effect=0.0012,
    interval=(-0.0031, 0.0055),
    gain_share=0.0871,
    advice=Advice(
        "gradient boosting",
        "The order carries information, but gradient boosting is the better model here: accuracy "
        "0.930 (CNN 0.902).",
    ),
    scores={
        "cnn": Interval(0.902, 0.861, 0.938),
        "cnn shuffled": Interval(0.885, 0.842, 0.921),
        "linear": Interval(0.911, 0.872, 0.944),
        "gradient boosting": Interval(0.930, 0.894, 0.961),
        "majority class": Interval(0.5, 0.43, 0.57),
    },
    network_scores=RNG.normal(0.885, 0.008, 9),
    reason="a convolution errs 9% less with the columns in the given order than in random orders, "
    "and none of 199 random orders did as well: p = 0.005",
    classes=("good", "bad"),
    rows=215,
    rows_total=215,
    notes=(),
)

CUSTOMERS = replace(
    SIGNALS,
    score=float(UNORDERED[-20]),
    permutation_scores=UNORDERED,
    pvalue=20 / 58,
    effect=-0.0004,
    interval=(-0.0052, 0.0044),
    gain_share=0.001,
    verdict="order does not matter",
    reason="the given order adds at most 0.004 of skill (margin 0.05) to what swapped columns give",
    advice=Advice("linear", "Don't use a CNN: use a linear model (accuracy 0.731)."),
    scores={
        "cnn": Interval(0.722, 0.702, 0.741),
        "cnn shuffled": Interval(0.7214, 0.7015, 0.7405),
        "linear": Interval(0.731, 0.711, 0.750),
        "gradient boosting": Interval(0.728, 0.708, 0.748),
        "majority class": Interval(0.722, 0.702, 0.741),
    },
    network_scores=RNG.normal(0.7214, 0.0031, 9),
    classes=("no", "yes"),
    rows=2000,
    rows_total=2000,
    units=(
        UnitInfo("state", "category", 1, "51 levels: their mean target, learnt in each fold"),
        *numbers(["age", "income", "visits", "pages_viewed", "purchases", "nps"]),
        UnitInfo("member_since", "date", 3, "days, month, weekday"),
        UnitInfo("last_visit", "date", 3, "days, month, weekday"),
        UnitInfo("channel", "category", 4, "one column for each of 4 levels"),
        UnitInfo("comment", "text", 8, "hashed words"),
    ),
    set_aside={
        "name": "every value is different",
        "address": "every value is different",
        "email": "every value is different",
        "country": "has one value",
    },
    notes=(
        "the target was guessed by its name: target (--target names another)",
        "'income': 93 values are missing; they became the mean of the fold, with a mark",
        "'last_visit': dates were read as year-month-day",
        "'nps': numbers with a decimal comma were read as numbers",
        "neighbouring columns correlate by 0.08, any two columns by 0.05",
    ),
    settings={**SETTINGS, "draws": 58, "shape": [1, 23]},
    correlation=correlations(11),
)

FEW_ROWS = replace(
    CUSTOMERS,
    score=float(SCATTERED[-20]),
    permutation_scores=SCATTERED,
    pvalue=20 / 93,
    effect=0.041,
    interval=(-0.082, 0.164),
    gain_share=0.0837,
    verdict="inconclusive",
    reason="the given order may add up to 0.164 of skill, which isn't below the margin of 0.05, "
    "but p = 0.215 says nothing against a random order; about 700 rows would settle it",
    advice=Advice("linear", "Until that is settled: use a linear model (accuracy 0.731)."),
    rows=64,
    rows_total=64,
    settings={**SETTINGS, "draws": 93, "shape": [1, 23]},
)

NO_NETWORKS = replace(
    SIGNALS,
    scores={name: score for name, score in SIGNALS.scores.items() if not name.startswith("cnn")},
    network_scores=np.zeros(0),
    advice=Advice(
        "gradient boosting",
        "The order carries information, but gradient boosting is the better model here: skill "
        "0.552 (CNN 0.473).",
    ),
    notes=("trained networks were left out: about 140 s, more than the time limit of 60 s",),
)

NUMBERS = replace(
    SPECTRA,
    task="regression",
    classes=None,
    scoring="r2",
    target="fat, in %",
    advice=Advice("cnn", "Use a CNN: r2 0.962 in the given order (a linear model 0.958)."),
    network_scores=RNG.normal(0.921, 0.006, 9),
    scores={
        "cnn": Interval(0.962, 0.951, 0.971),
        "cnn shuffled": Interval(0.921, 0.904, 0.937),
        "linear": Interval(0.958, 0.947, 0.968),
        "gradient boosting": Interval(0.894, 0.861, 0.917),
        "mean": Interval(-0.004, -0.012, 0.0),
    },
)

DIGITS = replace(
    SIGNALS,
    settings={**SETTINGS, "shape": [8, 8]},
    target="digit",
    units=numbers([f"pixel_{n // 8}_{n % 8}" for n in range(64)]),
    set_aside={f"pixel_{n}": "has one value" for n in range(50)},
    rows_total=2000,
    notes=(),
    correlation=correlations(64),
)

WIDE = replace(
    CUSTOMERS,
    target="would you buy it again?\n" * 5,
    units=numbers([*NASTY, *(f"a very long name of a column, number {n:04d}" for n in range(193))]),
    set_aside={f"{name} {n}": f"looks like {name}" for n in range(9) for name in NASTY},
    reason="Long words " * 60,
    notes=tuple(
        f"{name}: a note of some length, number {n}. " * 3 for n in range(4) for name in NASTY
    ),
    correlation=np.zeros((0, 0)),
)

OUTCOMES = {
    "signals": SIGNALS, "spectra": SPECTRA, "customers": CUSTOMERS, "few rows": FEW_ROWS,
    "no networks": NO_NETWORKS, "numbers": NUMBERS, "digits": DIGITS, "wide": WIDE,
}  # fmt: skip


@pytest.fixture(params=list(OUTCOMES))
def outcome(request: pytest.FixtureRequest) -> SwapTestResult:
    """Return each outcome in turn."""
    return OUTCOMES[request.param]


@pytest.fixture(scope="session")
def changed() -> Callable[..., SwapTestResult]:
    """Return a function that takes the name of an outcome, and changes some of its fields."""
    return lambda name, **fields: replace(OUTCOMES[name], **fields) if fields else OUTCOMES[name]
