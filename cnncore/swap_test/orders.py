"""Random orders of a table's columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnnkit.cnncore.image import IntArray


def draw_orders(widths: Sequence[int], count: int, seed: int) -> list[IntArray]:
    """Draw orders of the units: the given one first, then `count` random ones.

    Parameters
    ----------
    widths : sequence of int
        Encoded columns of each unit; they stay side by side, in their own order.
    count, seed : int

    Returns
    -------
    list of int64 array [D]
        Which encoded column stands at each place.

    Examples
    --------
    >>> given, shuffled = draw_orders([1, 2, 1], count=1, seed=3)
    >>> given.tolist(), shuffled.tolist()
    ([0, 1, 2, 3], [3, 1, 2, 0])
    """
    ends = np.cumsum(widths)
    blocks = [np.arange(end - width, end) for width, end in zip(widths, ends, strict=True)]
    generator = np.random.default_rng(seed)
    drawn = [generator.permutation(len(blocks)) for _ in range(count)]
    return [
        np.concatenate([blocks[unit] for unit in order])
        for order in [np.arange(len(blocks)), *drawn]
    ]
