"""Random orders of units: whole blocks move, and nothing else happens to them."""

from __future__ import annotations

from itertools import chain, pairwise, permutations

import numpy as np
import pytest

from cnnkit.cnncore.swap_test.orders import draw_orders

WIDTHS = [[1], [1, 1], [3], [1, 4, 2], [2, 2, 1, 1, 5, 1], [1] * 30]


@pytest.mark.parametrize("widths", WIDTHS)
def test_the_first_order_is_the_given_one_and_the_rest_move_every_column_to_one_place(
    widths: list[int],
) -> None:
    orders = draw_orders(widths, count=25, seed=1)
    assert len(orders) == 26
    assert orders[0].tolist() == list(range(sum(widths)))
    for order in orders:
        assert order.dtype == np.int64
        assert sorted(order.tolist()) == list(range(sum(widths)))


@pytest.mark.parametrize("widths", WIDTHS)
def test_the_columns_of_a_unit_stay_side_by_side_in_their_own_order(widths: list[int]) -> None:
    unit_of = [unit for unit, width in enumerate(widths) for _ in range(width)]
    for order in draw_orders(widths, count=25, seed=2):
        for left, right in pairwise(order):
            inside = unit_of[left] == unit_of[right]
            assert not inside or right == left + 1
        met = [unit_of[column] for column in order]
        starts = [unit for place, unit in enumerate(met) if not place or met[place - 1] != unit]
        assert sorted(starts) == list(range(len(widths)))


def test_the_same_seed_draws_the_same_orders_and_fewer_are_the_first_of_more() -> None:
    many = draw_orders([1, 2, 3, 1], count=30, seed=5)
    few = draw_orders([1, 2, 3, 1], count=10, seed=5)
    assert [order.tolist() for order in few] == [order.tolist() for order in many[:11]]
    other = draw_orders([1, 2, 3, 1], count=30, seed=6)
    assert [order.tolist() for order in other] != [order.tolist() for order in many]


def test_all_orders_of_the_units_are_equally_likely_whatever_their_widths() -> None:
    drawn = draw_orders([1, 5, 2, 1], count=12_000, seed=0)[1:]
    blocks = [[0], [1, 2, 3, 4, 5], [6, 7], [8]]
    number = dict.fromkeys((tuple(chain(*moved)) for moved in permutations(blocks)), 0)
    assert len(number) == 24
    for order in drawn:
        number[tuple(order.tolist())] += 1
    expected = len(drawn) / 24
    chi_square = sum((count - expected) ** 2 / expected for count in number.values())
    assert chi_square < 49.7  # the 0.999 quantile of chi-square with 23 degrees of freedom
