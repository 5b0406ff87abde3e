import numpy as np
import pytest
from matplotlib.figure import Figure

from cnnkit.cnncore.figures import as_svg
from cnnkit.cnncore.swap_test.pictures import (
    correlation_figure,
    draw_scores,
    drawable,
    scores_figure,
)
from cnnkit.cnncore.swap_test.result import UnitInfo

NASTY = ["$", "$x$", r"$\nonsense{$", "价格", "\U0001f9e0\u200d", "a\nb", "\x1b[31m", "x" * 400]


@pytest.mark.parametrize(
    "scores",
    [np.linspace(0.2, 0.4, 199), np.full(39, 0.3), np.array([0.3]), np.array([-7e8, 2.0])],
)
def test_every_shuffled_order_is_counted_and_the_given_one_is_a_line(changed, scores):
    outcome = changed("signals", permutation_scores=scores, score=0.45)
    axes = draw_scores(outcome)
    assert sum(bar.get_height() for bar in axes.patches) == len(scores)
    assert axes.lines[0].get_xdata() == [0.45, 0.45]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "given order 0.450" in texts
    assert any(text.startswith(f"{len(scores)} shuffled order") for text in texts)
    as_svg(axes.figure)


def test_a_bar_stands_where_its_orders_score(changed):
    scores = np.array([0.0, 0.0, 1.0])
    bars = draw_scores(changed("signals", permutation_scores=scores)).patches
    assert [bar.get_height() for bar in bars] == [2, *[0] * 18, 1]
    assert bars[0].get_x() == pytest.approx(0, abs=1e-4)
    assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(1, abs=1e-4)


def test_scores_are_drawn_on_given_axes(changed):
    axes = Figure().subplots()
    assert draw_scores(changed("signals"), axes) is axes
    assert changed("signals").plot(axes) is axes


def test_every_model_has_a_bar_from_low_to_high(outcome):
    axes = scores_figure(outcome).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == len(outcome.scores)
    spans = {
        (round(start[0], 6), round(end[0], 6))
        for container in axes.containers
        for start, end in container.lines[2][0].get_segments()
    }
    intervals = outcome.scores.values()
    assert spans == {(round(score.low, 6), round(score.high, 6)) for score in intervals}
    dots = [points for points in axes.collections if len(points.get_offsets()) > 1]
    found = dots[0].get_offsets()[:, 0] if "cnn shuffled" in outcome.scores else []
    assert np.allclose(found, outcome.network_scores)


def test_the_network_in_the_given_order_stands_at_the_top(changed):
    axes = scores_figure(changed("signals")).axes[0]
    top = axes.get_yticklabels()[int(np.argmax(axes.get_yticks()))]
    assert top.get_text() == "CNN, given order"


def test_a_score_outside_its_interval_is_drawn(changed):
    scores = changed("signals").scores
    odd = type(scores["cnn"])(0.5, 0.6, 0.7)
    as_svg(scores_figure(changed("signals", scores={**scores, "cnn": odd})))


def test_the_shuffled_map_is_the_given_one_with_its_columns_moved(changed):
    outcome = changed("customers")
    left, right = correlation_figure(outcome).axes[:2]
    assert (left.get_title(), right.get_title()) == ("given order", "a shuffled order")
    names = [unit.name for unit in outcome.units]
    assert [label.get_text() for label in left.get_yticklabels()] == names
    moved = [label.get_text() for label in right.get_yticklabels()]
    assert sorted(moved) == sorted(names)
    assert moved != names
    order = [names.index(name) for name in moved]
    given, shuffled = (axes.images[0].get_array() for axes in (left, right))
    assert np.array_equal(given, np.abs(outcome.correlation))
    assert np.array_equal(shuffled, np.abs(outcome.correlation)[np.ix_(order, order)])


def test_strength_is_drawn_not_sign(changed):
    opposite = np.array([[1.0, -0.8], [-0.8, 1.0]])
    units = changed("signals").units[:2]
    figure = correlation_figure(changed("signals", correlation=opposite, units=units))
    assert figure.axes[0].images[0].get_array().min() == 0.8


def test_without_correlations_there_is_no_map(changed):
    assert correlation_figure(changed("wide")) is None


def test_many_columns_have_no_names_beside_the_map(changed):
    left, _ = correlation_figure(changed("digits")).axes[:2]
    assert [*left.get_xticks(), *left.get_yticks()] == []


def test_no_name_is_a_formula_or_a_letter_without_a_picture(changed):
    units = tuple(UnitInfo(name, "number", 1) for name in NASTY)
    outcome = changed(
        "signals", units=units, correlation=np.eye(len(units)), scoring="$\\bad{$ 价格"
    )
    as_svg(correlation_figure(outcome))  # a warning is an error here
    as_svg(scores_figure(outcome))
    assert [drawable(name) for name in NASTY[3:6]] == ["??", "?", "a b"]
    assert drawable("€, é, \u03c3") == "€, é, \u03c3"
