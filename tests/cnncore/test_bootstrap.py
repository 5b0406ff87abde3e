"""Intervals are checked in test_metrics.py; here stands what a share of 0 or 1 gets."""

import pytest
from scipy.stats import binomtest

from cnnkit.cnncore.bootstrap import Interval, widen_perfect
from cnnkit.cnncore.metrics import classification_metrics


@pytest.mark.parametrize("n", [1, 5, 72, 3000])
@pytest.mark.parametrize("right", [0, 1])
def test_a_share_of_zero_or_one_gets_the_clopper_pearson_interval(n: int, right: int) -> None:
    exact = binomtest(right * n, n).proportion_ci(method="exact")
    widened = widen_perfect(Interval(right, right, right), n)
    assert (widened.low, widened.high) == pytest.approx((exact.low, exact.high))


def test_any_other_share_keeps_its_interval() -> None:
    assert widen_perfect(Interval(0.9, 0.8, 1.0), 10) == Interval(0.9, 0.8, 1.0)


def test_accuracy_without_a_mistake_is_as_uncertain_as_its_groups_are_few() -> None:
    y = [0, 1] * 10
    probabilities = [[0.9, 0.1], [0.1, 0.9]] * 10
    rows = classification_metrics(y, probabilities)["accuracy"]
    groups = classification_metrics(y, probabilities, groups=[0] * 10 + [1] * 10)["accuracy"]
    assert groups.low < rows.low < 1


def test_where_no_resample_differs_no_interval_is_shown() -> None:
    found = classification_metrics([0, 1] * 9, [[0.9, 0.1], [0.1, 0.9]] * 9)
    assert str(found["balanced_accuracy"]) == "1.000"
    assert str(found["accuracy"]) == f"1.000 [{0.025 ** (1 / 18):.3f}, 1.000]"
    assert str(Interval(0.5, 0.5, 0.5)) == "0.500"
    assert str(Interval(0.5, 0.25, 0.5)) == "0.500 [0.250, 0.500]"
