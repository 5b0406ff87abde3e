"""Drawing rows as images."""

import numpy as np
import torch

from cnnkit.adapters.table.renderer import TableRenderer
from cnnkit.cnncore.image import Samples


def test_a_row_fills_the_image_channel_by_channel_and_row_by_row():
    values = np.arange(24, dtype=np.float32).reshape(2, 12)
    samples = Samples(values, np.arange(3), np.arange(2), np.zeros((2, 0), np.float32))
    batch = samples.to("cpu")[torch.tensor([1, 0, 1])]
    pixels = TableRenderer(2, 2, 3)(batch).pixels
    assert pixels.shape == (3, 2, 2, 3)
    expected = [[[12, 13, 14], [15, 16, 17]], [[18, 19, 20], [21, 22, 23]]]
    np.testing.assert_array_equal(pixels[0], expected)
    np.testing.assert_array_equal(pixels[1], np.array(expected) - 12)
    np.testing.assert_array_equal(pixels[2], pixels[0])
