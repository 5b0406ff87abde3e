"""What a network is told of its images."""

from __future__ import annotations

import pytest

from cnnkit.cnncore.image import Axis, ImageSpec
from cnnkit.cnncore.input import Input


def test_an_image_of_category_numbers_is_known_by_their_number() -> None:
    image = ImageSpec(("slot",), None, Axis("position"), "index", 100, ("mass", "charge"))
    assert Input.of(image) == Input((1, 1, None), vocabulary=100, side=2)


def test_side_features_of_which_an_item_has_a_few_take_the_place_of_the_others() -> None:
    position = Axis("position")
    image = ImageSpec(("word",), None, position, "index", 100, ("mass",), sparse_side=9, vectors=3)
    expected = Input((1, 1, None), vocabulary=100, side=9, sparse=True, vectors=3)
    assert Input.of(image) == expected


def test_the_vocabulary_of_an_intensity_image_is_left_out() -> None:
    image = ImageSpec(("red", "green"), Axis("y"), Axis("x"), "intensity", 100)
    assert Input.of(image) == Input((2, None, None))


def test_an_image_without_shape_is_refused() -> None:
    for shape in [(1, 8), (1, 0, 8), (None, 8, 8)]:
        with pytest.raises(ValueError, match="expected \\(channels, rows, columns\\)"):
            Input(shape)
    with pytest.raises(ValueError, match="vocabulary"):
        Input.of(ImageSpec(("slot",), None, Axis("position"), "index"))
