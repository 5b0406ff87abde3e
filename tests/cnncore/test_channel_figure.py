"""An item as people know it, beside the channels of its image."""

import numpy as np
import pytest

from cnnkit.cnncore.channel_figure import draw_channels

RNG = np.random.default_rng(0)
RED = np.full((4, 6, 3), [255, 0, 0], dtype=np.uint8)


def panels(figure):
    """Return the drawn channels by their names."""
    return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def test_every_channel_that_is_not_empty_is_a_panel_and_the_others_are_named(tmp_path):
    image = RNG.normal(size=(12, 5, 5)).astype(np.float32)
    image[[2, 7]] = 0
    names = [f"channel {number}" for number in range(12)]
    figure = draw_channels([RED], [image], names, ["x $y$"])
    shown = panels(figure)
    assert list(shown) == [name for number, name in enumerate(names) if number not in (2, 7)]
    np.testing.assert_array_equal(shown["channel 9"].images[0].get_array(), image[9])
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), RED)
    assert figure.axes[0].get_xlabel() == "empty: channel 2, channel 7"
    assert [part.get_suptitle() for part in figure.subfigs] == ["x $y$"]
    figure.savefig(tmp_path / "p.png")  # warnings are errors


def test_zero_has_the_same_colour_in_all_panels():
    image = np.zeros((2, 3, 3), np.float32)
    image[0, 0, 0], image[1, 2, 2], image[1, 1, 1] = 5, -0.5, 0.25
    for axes in panels(draw_channels([None], [image], ["up", "down"], [""])).values():
        (picture,) = axes.images
        assert picture.norm(0.0) == 0.5
        assert np.abs(picture.norm(picture.get_array()) - 0.5).max() == 0.5


def test_what_is_empty_around_an_image_is_cut_off():
    image = np.zeros((2, 8, 9), np.float32)
    image[0, 2, 3], image[1, 4, 5] = 1, 2
    shown = panels(draw_channels([None], [image], ["a", "b"], [""]))
    assert shown["a"].images[0].get_array().tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert shown["b"].images[0].get_array().tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 2]]


@pytest.mark.parametrize("origin", ["upper", "lower"])
def test_row_0_is_where_it_is_said_to_be(origin):
    shown = panels(draw_channels([None], [np.eye(2)[None]], ["a"], [""], origin=origin))
    assert shown["a"].images[0].origin == origin


def test_items_stand_below_each_other_also_one_of_which_nothing_is_drawn(tmp_path):
    images = [np.ones((1, 2, 2), np.float32), np.zeros((1, 2, 2), np.float32)]
    figure = draw_channels([RED, None], images, ["only"], ["one", "two"])
    assert [part.get_suptitle() for part in figure.subfigs] == ["one", "two"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", "empty: only"]
    figure.savefig(tmp_path / "p.png")
