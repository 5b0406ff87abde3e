"""P-values that stop early, against hand calculations and a simulation of exchangeable orders."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from cnnkit.cnncore.swap_test.sequential import sequential_p

RUNS = 15_000


def blocks(size: int, most: int) -> list[int]:
    """Return how many orders have been drawn after each block."""
    return [*range(size, most, size), most]


def stopped(scores: np.ndarray, size: int) -> tuple[float, int]:
    """Draw block by block until the p-value is settled, as the test does."""
    for drawn in blocks(size, len(scores) - 1):
        p = sequential_p(float(scores[0]), scores[1 : 1 + drawn], len(scores) - 1)
        if p.settled:
            return p.value, p.draws
    raise AssertionError("never settled")


@pytest.mark.parametrize("better", range(20))
def test_with_all_orders_drawn_p_counts_those_at_least_as_good(better: int) -> None:
    scores = np.zeros(99)
    scores[40 : 40 + better] = 1.0
    p = sequential_p(0.5, scores, most=99)
    assert (p.value, p.draws, p.settled) == ((1 + better) / 100, 99, True)


def test_a_level_score_counts_as_good() -> None:
    assert sequential_p(0.5, np.full(19, 0.5), most=19).value == 1.0


@pytest.mark.parametrize("twentieth", [20, 21, 57, 199])
def test_the_twentieth_order_that_is_as_good_ends_the_drawing(twentieth: int) -> None:
    scores = np.zeros(199)
    scores[:19] = scores[twentieth - 1] = 1.0
    p = sequential_p(1.0, scores, most=199)
    assert (p.value, p.draws, p.settled) == (20 / twentieth, twentieth, True)
    before = sequential_p(1.0, scores[: twentieth - 1], most=199)
    assert not before.settled


def test_no_order_drawn_says_nothing() -> None:
    p = sequential_p(0.5, np.array([]), most=39)
    assert (p.value, p.settled) == (1.0, False)


def test_the_smallest_p_is_one_of_all_orders() -> None:
    assert sequential_p(1.0, np.zeros(199), most=199).value == 1 / 200


def test_a_score_that_is_no_number_never_counts_as_better_than_random_orders() -> None:
    assert sequential_p(np.nan, np.zeros(19), most=19).value == 1.0


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("most", [19, 39, 99, 199])
def test_of_one_more_random_order_p_is_at_most_x_with_probability_x(most: int, ties: bool) -> None:
    generator = np.random.default_rng(most)
    shape = (RUNS, most + 1)
    scores = generator.integers(0, 6, shape) if ties else generator.random(shape)
    found = np.array([sequential_p(float(row[0]), row[1:], most).value for row in scores])
    for x in [*np.arange(1, most + 1) / (most + 1), *(20 / np.arange(20, most + 1))]:
        share = int((found <= x + 1e-12).sum())
        assert share <= binom.ppf(1 - 1e-6, len(found), x), x
        if not ties and x < 0.1:  # where every p of the grid can be reached
            reachable = np.floor(x * (most + 1) + 1e-9) / (most + 1)
            assert share >= binom.ppf(1e-6, len(found), reachable), x


@pytest.mark.parametrize("size", [1, 7, 20, 64, 199])
def test_p_does_not_depend_on_how_many_orders_are_drawn_at_once(size: int) -> None:
    generator = np.random.default_rng(3)
    for shift in np.linspace(-1, 2.5, 60):
        scores = generator.normal(size=200)
        scores[0] = shift
        whole = sequential_p(scores[0], scores[1:], 199)
        assert stopped(scores, size) == (whole.value, whole.draws)
