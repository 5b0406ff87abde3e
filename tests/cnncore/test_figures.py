import xml.etree.ElementTree as ET

import numpy as np
import pytest

from cnnkit.cnncore import figures

RNG = np.random.default_rng(0)
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def points(svg: str) -> int:
    """Count the markers of a scatter plot."""
    groups = ET.fromstring(svg).iterfind(f".//{SVG}g")
    markers = [group for group in groups if group.get("id", "").startswith("PathCollection")]
    # Markers of one size are uses of one path, others are paths.
    return sum(len([*g.iter(f"{SVG}use")] or [*g.iter(f"{SVG}path")]) for g in markers)


def test_the_learning_curve_shows_both_losses_where_there_are_both():
    history = [{"epoch": n, "train_loss": 1 / n, "val_loss": 2 / n} for n in range(1, 5)]
    assert {"training", "validation", "epoch", "loss"} <= set(
        texts(figures.learning_curve(history))
    )
    alone = [{"epoch": 1, "train_loss": 0.5}]
    assert "validation" not in texts(figures.learning_curve(alone))


def test_the_confusion_matrix_shows_counts_and_escapes_labels():
    truth, said = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 0])
    svg = figures.confusion(truth, said, ["<b>&", "two", "three"])
    assert "<b>" not in svg
    shown = texts(svg)
    assert sorted(text for text in shown if text.isdigit()) == ["1", "1", "1", "2"]
    assert shown.count("<b>&") == 2


@pytest.mark.parametrize("label", ["$", "$x$", r"$\nonsense{$", "a$b$c_d"])
def test_a_dollar_in_a_label_is_no_formula(label):
    svg = figures.confusion(np.array([0, 1]), np.array([0, 1]), [label, "other"])
    assert texts(svg).count(label) == 2


def test_reliability_has_one_point_for_each_bin_that_holds_rows():
    p = np.array([0.55, 0.58, 0.72, 0.99, 1.0])
    svg = figures.reliability(np.zeros(5, dtype=int), np.column_stack([p, 1 - p]))
    assert points(svg) == 3


def test_predicted_against_true_has_one_point_for_each_row():
    assert points(figures.scatter(RNG.normal(size=40), RNG.normal(size=40))) == 40


def test_thousands_of_points_become_one_small_picture():
    svg = figures.scatter(RNG.normal(size=50_000), RNG.normal(size=50_000))
    assert points(svg) == 0
    assert "data:image/png;base64" in svg
    assert len(svg) < 200_000


def test_the_same_figure_is_the_same_text():
    truth, said = RNG.normal(size=20), RNG.normal(size=20)
    assert figures.scatter(truth, said) == figures.scatter(truth, said)


@pytest.mark.parametrize(("seed", "count"), [(None, 3), (1, 2), (None, 1)])
def test_images_are_drawn_as_the_network_sees_them(letter_adapter, seed, count):
    words = ["abcd", "dc$a$", "aabbccdd"][:count]
    adapter = letter_adapter(width=8).fit(words)
    samples = adapter.read(words)
    figure = figures.draw_images(adapter, samples, words, words, seed)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == words
    assert drawn[0].get_xlabel() == "position"
    shown = np.concatenate([axes.images[0].get_array() for axes in drawn])
    assert np.array_equal(shown, adapter.transform(words)[:, 0, 0]) is (seed is None)
    figure.canvas.draw()
