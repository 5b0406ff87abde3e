import numpy as np
import pytest

from cnnkit.cnncore.arrays import ArrayImages, as_images

RNG = np.random.default_rng(0)


def drawn(arrays: ArrayImages, X: np.ndarray) -> np.ndarray:
    return arrays.renderer()(arrays.read(X).to("cpu")).pixels.numpy()


def test_each_channel_of_an_image_is_standardised_as_a_whole():
    X = RNG.normal([[[[3]], [[-5]]]], [[[[2]], [[9]]]], size=(50, 2, 4, 6))
    arrays = ArrayImages()
    arrays.fit_read(X)
    mean, scale = X.mean(axis=(0, 2, 3), keepdims=True), X.std(axis=(0, 2, 3), keepdims=True)
    np.testing.assert_allclose(drawn(arrays, X), (X - mean) / scale, rtol=1e-4, atol=1e-5)


def test_each_column_of_a_table_is_standardised_for_itself():
    X = RNG.normal([0, 100, -3], [1, 20, 0.1], size=(30, 3))
    arrays = ArrayImages()
    arrays.fit_read(X)
    expected = ((X - X.mean(axis=0)) / X.std(axis=0))[:, None, None]
    np.testing.assert_allclose(drawn(arrays, X), expected, rtol=1e-4, atol=1e-4)
    assert arrays.spec_.shape == (1, 1, 3)


def test_new_images_are_standardised_as_the_training_images_were():
    arrays = ArrayImages()
    arrays.fit_read(np.array([[[[0.0, 2.0]]], [[[0.0, 2.0]]]]))
    np.testing.assert_allclose(drawn(arrays, np.array([[[[3.0, 1.0]]]])), [[[[2.0, 0.0]]]])


def test_a_constant_channel_stays_finite():
    arrays = ArrayImages()
    arrays.fit_read(np.full((4, 1, 2, 2), 7.0))
    np.testing.assert_array_equal(drawn(arrays, np.full((1, 1, 2, 2), 7.0)), 0)


def test_an_axis_of_length_1_is_no_axis():
    arrays = ArrayImages()
    arrays.fit_read(np.zeros((4, 2, 1, 5)))
    assert arrays.spec_.height is None
    assert arrays.spec_.width.pixels == 5
    assert arrays.spec_.channels == ("channel 0", "channel 1")


@pytest.mark.parametrize("shape", [(2, 1, 8, 3), (2, 1, 4, 12), (2, 1, 3, 8), (2, 24)])
def test_images_of_another_shape_are_refused_even_if_the_pixels_would_fit(shape):
    arrays = ArrayImages()
    arrays.fit_read(np.zeros((4, 1, 4, 6)))
    with pytest.raises(ValueError, match=r"trained on \(1, 4, 6\)"):
        arrays.read(np.zeros(shape))


@pytest.mark.parametrize("shape", [(5,), (5, 2, 2), (1, 1, 1, 1, 1)])
def test_arrays_of_other_dimensions_are_refused_with_advice(shape):
    with pytest.raises(ValueError, match=r"expected images \[N, C, H, W\] or a table"):
        as_images(np.zeros(shape))
