"""A table made ready for the test: numbers, folds, and the grid that its columns form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnnkit.cnncore.image import Float32Array, IntArray
from cnnkit.cnncore.swap_test.target import Target

Fold = tuple[IntArray, IntArray]


@dataclass(frozen=True, eq=False)
class PreparedTable:
    """Rows as every engine and baseline gets them.

    Parameters
    ----------
    designs : tuple of float32 array [n, D]
        The encoded columns, once for each fold: everything in it was fitted on the fold's training
        rows. Standardised, clipped to ±5, missing values 0.
    widths : tuple of int
        Columns of each unit; their sum is D. A unit's columns stay side by side, in this order.
    folds : tuple of (train, test), int64 arrays
        Each row is a test row once.
    target : Target
    shape : (rows, columns)
        The image that the D columns form, row by row; (1, D) unless the user says otherwise.
    groups : int64 array [n] or None
        Rows that belong together, or stretches of time: never torn apart, also inside training.
    """

    designs: tuple[Float32Array, ...]
    widths: tuple[int, ...]
    folds: tuple[Fold, ...]
    target: Target
    shape: tuple[int, int]
    groups: IntArray | None = None

    def prior(self) -> Float32Array:
        """Predict each row by the mean of its fold's training rows: float32 [n, q]."""
        truth = self.target.matrix()
        guess = np.empty_like(truth)
        for train, test in self.folds:
            guess[test] = truth[train].mean(axis=0)
        return guess
