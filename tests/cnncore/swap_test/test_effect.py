"""The effect of the given order, by hand and against the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit.cnncore.swap_test.effect import Effect, measure_effect


def drawn(seed: int, orders: int = 40, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Draw losses [orders, n] of rows that are easy or hard in every order, and the prior's [n]."""
    generator = np.random.default_rng(seed)
    hard = generator.gamma(2.0, size=n)
    luck = generator.normal(1.0, 0.02, size=(orders, 1))
    losses = hard * luck * generator.uniform(0.5, 1.5, (orders, n))
    losses[0] *= 0.93
    return losses, generator.uniform(2.5, 3.5, n)


def bootstrapped(losses: np.ndarray, prior: np.ndarray, unit: np.ndarray) -> float:
    """Return the standard deviation of the effect over resamples of units of rows."""
    generator = np.random.default_rng(0)
    units = unit.max() + 1
    saved = np.bincount(unit, weights=losses[1:].mean(axis=0) - losses[0])
    size = np.bincount(unit, weights=prior)
    picked = generator.integers(units, size=(4000, units))
    return float((saved[picked].sum(axis=1) / size[picked].sum(axis=1)).std())


def test_a_small_table_by_hand() -> None:
    losses = np.array([[1.0, 2.0, 0.0], [2.0, 3.0, 1.0], [3.0, 2.0, 4.0]])
    effect = measure_effect(losses, prior=np.array([4.0, 3.0, 5.0]))
    assert effect.skills.tolist() == [1 - 3 / 12, 1 - 6 / 12, 1 - 9 / 12]
    assert effect.value == pytest.approx(0.75 - 0.375)
    # Saved by the given order: 1.5, 0.5, 2.5 (mean 1.5, standard deviation 1) of a prior of 4.
    assert effect.rows_error == pytest.approx(1.0 / 4 / np.sqrt(3))
    # Skills of random orders: 0.5 and 0.25, whose standard deviation is 0.25 / sqrt(2).
    assert effect.orders_error == pytest.approx(0.25 / np.sqrt(2) / np.sqrt(2))
    assert effect.gain_share == pytest.approx(0.375 / 0.625)
    error = np.sqrt(effect.rows_error**2 + effect.orders_error**2)
    assert (effect.low, effect.high) == pytest.approx(
        (0.375 - 1.645 * error, 0.375 + 1.645 * error)
    )


def test_groups_by_hand() -> None:
    losses = np.array([[1.0, 2.0, 0.0], [2.0, 3.0, 1.0], [3.0, 2.0, 4.0]])
    effect = measure_effect(losses, np.array([4.0, 3.0, 5.0]), groups=np.array([0, 0, 1]))
    # Two groups add -1 and 1 to the sum over rows; the variance of a sum of m terms is m / (m - 1)
    # times their sum of squares.
    assert effect.rows_error == pytest.approx(np.sqrt(2 * 2) / 3 / 4)


@pytest.mark.parametrize("seed", range(5))
def test_the_error_of_few_rows_is_that_of_the_bootstrap(seed: int) -> None:
    losses, prior = drawn(seed)
    expected = bootstrapped(losses, prior, np.arange(300))
    assert measure_effect(losses, prior).rows_error == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_the_error_of_few_groups_is_that_of_a_bootstrap_of_groups(seed: int) -> None:
    losses, prior = drawn(seed, n=80)
    groups = np.repeat(np.arange(80), np.random.default_rng(seed).integers(1, 8, 80))
    losses, prior = losses[:, groups], prior[groups]
    expected = bootstrapped(losses, prior, groups)
    assert measure_effect(losses, prior, groups).rows_error == pytest.approx(expected, rel=0.15)


def test_copies_of_rows_in_their_group_make_nothing_surer() -> None:
    losses, prior = drawn(0, n=60)
    single = measure_effect(losses, prior)
    groups = np.repeat(np.arange(60), 9)
    naive = measure_effect(losses[:, groups], prior[groups])
    grouped = measure_effect(losses[:, groups], prior[groups], groups)
    assert grouped.rows_error == pytest.approx(single.rows_error)
    assert naive.rows_error == pytest.approx(single.rows_error / 3, rel=0.02)


def test_groups_of_one_row_are_no_groups() -> None:
    losses, prior = drawn(1)
    moved = np.random.default_rng(0).permutation(300)
    plain, grouped = measure_effect(losses, prior), measure_effect(losses, prior, groups=moved)
    assert grouped.rows_error == pytest.approx(plain.rows_error)


def test_bounds_hold_the_true_effect_in_19_of_20_tables() -> None:
    """Rows and orders are drawn anew for each table; the true effect is known."""
    generator = np.random.default_rng(0)
    below = above = 0
    for _ in range(1500):
        orders = np.r_[0.9, generator.normal(1.0, 0.05, 40)]
        losses = orders[:, None] * generator.gamma(3.0, 1 / 3, 200)
        losses *= generator.uniform(0.8, 1.2, losses.shape)
        effect = measure_effect(losses, np.full(200, 2.0))
        below += effect.high < 0.05
        above += effect.low > 0.05
    assert 45 < below < 110  # 75 of 1,500 on either side are expected
    assert 45 < above < 110


def test_the_mean_of_the_saved_losses_is_the_difference_of_the_skills() -> None:
    losses, prior = drawn(3)
    effect = measure_effect(losses, prior)
    saved = (losses[1:].mean(axis=0) - losses[0]) / prior.mean()
    assert effect.value == pytest.approx(saved.mean())
    assert effect.value == pytest.approx(effect.skills[0] - effect.skills[1:].mean())


def test_orders_that_are_all_alike_leave_no_error() -> None:
    effect = measure_effect(np.full((5, 9), 0.5), np.ones(9))
    assert (effect.value, effect.error, effect.gain_share) == (0, 0, 0)


def test_the_share_stays_finite_where_random_orders_make_no_mistake() -> None:
    assert np.isfinite(Effect(np.array([1.0, 1.0, 1.0]), 0.0, 0.0, 0.0, 1.0).gain_share)


def test_what_was_surely_learnt_by_hand() -> None:
    losses = np.array([[1.0, 2.0, 0.0], [2.0, 3.0, 1.0], [3.0, 1.0, 2.0]])
    effect = measure_effect(losses, prior=np.array([4.0, 3.0, 5.0]))
    # The orders' mean losses are 2, 2 and 1: of a prior of 4 they take 2, 1 and 4 away (mean 7 / 3,
    # standard deviation sqrt(7 / 3)).
    assert effect.skills.mean() == pytest.approx(7 / 3 / 4)
    assert effect.learnt == pytest.approx((7 / 3 - 1.645 * np.sqrt(7 / 3 / 3)) / 4)


@pytest.mark.parametrize("groups", [False, True])
def test_of_tables_that_teach_nothing_one_in_20_seems_to_have_taught_something(
    groups: bool,
) -> None:
    generator = np.random.default_rng(0)
    unit = np.repeat(np.arange(100), 3 if groups else 1)
    seeming = 0
    for _ in range(1500):
        prior = generator.uniform(1, 2, 100)[unit]
        losses = prior + generator.normal(0, 0.3, 100)[unit] + np.zeros((3, 1))
        found = measure_effect(losses, prior, unit if groups else None)
        seeming += found.learnt > 0
    assert 45 < seeming < 110  # 75 of 1,500 are expected
