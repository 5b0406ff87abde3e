import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from cnnkit.adapters import MoleculeAdapter, TextAdapter
from cnnkit.cnncore import figures
from cnnkit.cnncore.image import Axis, Images, ImageSpec, Renderer, Samples

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


def test_lone_surrogates_are_drawn_as_escapes(letter_adapter, tmp_path):
    svg = figures.confusion(np.array([0, 1]), np.array([0, 1]), ["\ud83d!", "other"])
    assert texts(svg).count(r"\ud83d!") == 2
    words = ["ab\ud83d$", "dcba"]
    adapter = letter_adapter(width=8).fit(["abcd", "dcba"])
    adapter.edge_labels = lambda item, axis, places: [item[-1]] * len(places)
    figure = figures.draw_images(adapter, adapter.read(["abcd", "dcba"]), words, words, None)
    assert figure.axes[0].get_title() == r"ab\ud83d$"
    figure.savefig(tmp_path / "preview.png")


def test_letters_that_the_font_lacks_are_drawn_by_their_number(tmp_path):
    texts = ["人人 go", "\U0001f951! \x07", "हि " + "人" * 30, "  "]
    adapter = TextAdapter(unit="words").fit(texts)
    figure = figures.draw_images(adapter, adapter.read(texts), texts, texts, None)
    figure.savefig(tmp_path / "preview.png")  # warnings are errors
    words = [[tick.get_text() for tick in axes.get_xticklabels()] for axes in figure.axes]
    assert words[0] == ["U+4EBA U+4EBA", "go"]
    assert words[1][:2] == ["U+1F951", "!"]
    assert words[2][0] == "U+0939 U+093F"
    assert words[2][1].startswith("U+4EBA U+4EBA U+4EBA")
    assert len(words[2][1]) == 40
    assert figure.axes[0].get_title() == "U+4EBA U+4EBA go"


def test_letters_that_the_font_lacks_stay_in_the_report():
    svg = figures.confusion(np.array([0, 1]), np.array([0, 1]), ["人\U0001f600", "other"])
    assert texts(svg).count("人\U0001f600") == 2


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


@pytest.mark.parametrize("seed", [None, 1])
def test_category_numbers_are_drawn_in_colours_with_a_row_for_each_channel(seed):
    texts = ["costs $5 or $x$", "a", "", "word " * 300]
    adapter = TextAdapter(windows=4).fit(texts)
    samples = adapter.read(texts)
    figure = figures.draw_images(adapter, samples, texts, [str(n) for n in range(4)], seed)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == ["0", "1", "2", "3"]
    for axes in drawn:
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels == list(adapter.spec_.channels)
        assert axes.get_xlabel() == "position"
    shown = [axes.images[0].get_array() for axes in drawn]
    assert [picture.shape for picture in shown] == [(6, n, 4) for n in (7, 1, 1, 80)]
    words = [label.get_text() for label in drawn[0].get_xticklabels()]
    assert words == ["costs", r"\$", "5", "or", r"\$", "x", r"\$"]
    figures.as_svg(figure)
    if seed is None:  # equal categories have the same colour, and none has none
        np.testing.assert_array_equal(shown[0][0, 1], shown[0][0, 4])
        assert (shown[0][0, 0] != shown[0][0, 1]).any()
        assert (shown[2] == 0).all()
        blank = adapter.transform(texts)[0, :, 0, :7] == 0
        np.testing.assert_array_equal((shown[0] == 0).all(axis=2), blank)


def test_an_item_that_has_a_picture_is_drawn_beside_all_its_channels():
    smiles = ["CCO", "[NH4+]", "C#N"]
    adapter = MoleculeAdapter(side="none", cache=False).fit(smiles)
    figure = figures.draw_images(adapter, adapter.read(smiles), smiles, smiles, None)
    images = adapter.transform(smiles)
    for part, item, image in zip(figure.subfigs, smiles, images, strict=True):
        assert part.get_suptitle() == item
        picture, *panels = part.axes
        np.testing.assert_array_equal(picture.images[0].get_array(), adapter.picture(item))
        shown = {axes.get_title(): axes.images[0] for axes in panels}
        for name, channel in zip(adapter.spec_.channels, image, strict=True):
            assert (name in shown) is bool(channel.any())
            if name in shown:  # without the empty edges
                drawn = shown[name].get_array()
                np.testing.assert_array_equal(drawn[drawn != 0], channel[channel != 0])
                assert shown[name].origin == "lower"  # y rises


class Unmasked:
    """An adapter whose images have no mask and no windows."""

    spec_ = ImageSpec(("up", "down"), None, Axis("position", pixels=3), "index", 9)

    def renderer(self):
        pixels = torch.tensor([[[[1, 2, 3]], [[0, 0, 4]]], [[[5, 5, 5]], [[6, 7, 8]]]])

        class Drawn(Renderer):
            def forward(self, batch, generator=None, view=0):
                return Images(pixels)

        return Drawn()

    def edge_labels(self, item, axis, places):
        return [str(place) for place in places]


def test_category_numbers_without_a_mask_are_drawn_whole():
    nothing = np.zeros((2, 0), np.float32)
    samples = Samples(np.zeros((2, 1)), np.arange(3), np.arange(2), nothing)
    figure = figures.draw_images(Unmasked(), samples, ["a", "b"], ["A", "B"], None)
    shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert [picture.shape for picture in shown] == [(2, 3, 4)] * 2
    np.testing.assert_array_equal(shown[1][0, 0], shown[1][0, 2])
