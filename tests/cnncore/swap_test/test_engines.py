"""When the drawing of orders ends, with engines whose scores are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test import engines
from cnnkit.cnncore.swap_test.engines import score_orders
from cnnkit.cnncore.swap_test.probe import Losses
from cnnkit.cnncore.swap_test.sequential import sequential_p

ROWS = 4
PRIOR = np.full(ROWS, 2.0)


class KnownScores:
    """Gives order number k (it stands in the order) the skill k-th in a list."""

    def __init__(self, skills: Sequence[float]) -> None:
        self.skills = np.asarray(skills)
        self.asked: list[int] = []

    def losses(self, orders: Sequence[IntArray]) -> Losses:
        numbers = [int(order[0]) for order in orders]
        self.asked += numbers
        alone = np.repeat(2.0 * (1 - self.skills[numbers])[:, None], ROWS, axis=1)
        return Losses(alone, alone / 2)


def silent(what: str, done: int, total: int) -> None:
    pass


def orders(most: int) -> list[IntArray]:
    return [np.array([number]) for number in range(most + 1)]


def at_rank(better: int, most: int) -> np.ndarray:
    """Return skills of the given order and `most` others, the first `better` of which beat it."""
    return np.r_[0.5, np.full(better, 0.6), np.full(most - better, 0.4)]


@pytest.mark.parametrize(
    ("better", "most", "scored"),
    [
        (0, 199, 199),  # a small p needs every order
        (19, 199, 199),
        (20, 199, 39),  # settled after 20, but the effect wants 39
        (0, 19, 19),
        (19, 19, 19),
        (0, 39, 39),
        (39, 39, 39),
        (25, 30, 30),
        (0, 40, 40),
    ],
)
def test_drawing_ends_when_p_is_settled_and_the_effect_known(
    better: int, most: int, scored: int
) -> None:
    engine = KnownScores(at_rank(better, most))
    losses, p = score_orders(engine, orders(most), PRIOR, silent)
    assert len(losses.alone) == len(losses.beside) == scored + 1
    assert engine.asked == list(range(scored + 1))  # each once, the given one first
    assert p == sequential_p(0.5, engine.skills[1:], most)
    assert p.settled


def test_it_goes_on_in_small_parts_until_the_twentieth_better_order() -> None:
    skills = np.full(200, 0.4)
    skills[0] = 0.5
    skills[3:118:6] = 0.7  # the 20th at number 117
    assert np.flatnonzero(skills[1:] > 0.5)[19] + 1 == 117
    engine = KnownScores(skills)
    losses, p = score_orders(engine, orders(199), PRIOR, silent)
    assert (p.value, p.draws) == (20 / 117, 117)
    assert 118 <= len(losses.alone) < 118 + engines.ORDERS_AT_ONCE


@pytest.mark.parametrize("most", [19, 45, 199])
def test_p_does_not_depend_on_how_many_orders_are_scored_at_once(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    generator = np.random.default_rng(most)
    for _ in range(20):
        skills = generator.normal(size=most + 1)
        found = []
        for at_once in (1, 13, 20, 500):
            monkeypatch.setattr(engines, "ORDERS_AT_ONCE", at_once)
            found.append(score_orders(KnownScores(skills), orders(most), PRIOR, silent)[1])
        assert found == [sequential_p(skills[0], skills[1:], most)] * 4


def test_p_rests_on_the_convolution_alone() -> None:
    """Statistic B of this engine is the worst for the given order, statistic A the best."""

    class Contrary(KnownScores):
        def losses(self, orders: Sequence[IntArray]) -> Losses:
            alone, _ = super().losses(orders)
            return Losses(alone, 10 - alone)

    skills = np.r_[0.9, np.linspace(0.1, 0.8, 39)]
    losses, p = score_orders(Contrary(skills), orders(39), PRIOR, silent)
    assert p.value == 1 / 40
    assert losses.beside[0].sum() > losses.beside[1:].sum(axis=1).max()


def test_the_losses_are_those_of_the_engine() -> None:
    engine = KnownScores(np.linspace(0, 1, 60))
    losses, _ = score_orders(engine, orders(59), PRIOR, silent)
    expected = engine.losses(orders(59)[: len(losses.alone)])
    np.testing.assert_array_equal(losses.alone, expected.alone)
    np.testing.assert_array_equal(losses.beside, expected.beside)


def test_progress_is_told_after_every_part() -> None:
    told: list[tuple[str, int, int]] = []
    score_orders(KnownScores(at_rank(0, 100)), orders(100), PRIOR, lambda *news: told.append(news))
    assert told[0] == ("random orders", 39, 100)
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert told[-1] == ("random orders", 100, 100)


def test_each_share_of_p_is_met_with_its_probability() -> None:
    """The whole loop, with exchangeable scores: p <= x at most with probability x."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(3000):
        skills = generator.random(60)
        found.append(score_orders(KnownScores(skills), orders(59), PRIOR, silent)[1].value)
    for x in (0.05, 0.1, 0.25, 0.5):
        error = (x * (1 - x) / len(found)) ** 0.5
        assert np.mean(np.array(found) <= x) <= x + 4 * error
