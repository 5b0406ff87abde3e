"""The dear engine: networks of the core's kind, trained on each order, many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cnnkit.cnncore.image import Float32Array, IntArray
from cnnkit.cnncore.swap_test.engines import Progress
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.probe import Losses
from cnnkit.cnncore.swap_test.training import (
    estimate_seconds,
    network_spec,
    plan_for,
    train_orders,
)


class TrainedProbe:
    """Scores orders of a table's columns by networks that are trained on them.

    Parameters
    ----------
    table : PreparedTable
    seed : int
    device : torch.device
    on_progress : callable (what, done, total)

    Attributes
    ----------
    spec : str
        The network.
    plan : TrainingPlan
        How it is trained.
    """

    def __init__(
        self, table: PreparedTable, *, seed: int, device: torch.device, on_progress: Progress
    ) -> None:
        self.table, self.seed, self.device, self.on_progress = table, seed, device, on_progress
        self.spec = network_spec(table.shape)
        self.plan = plan_for(len(table.target), table.target.task)
        self.known: dict[bytes, Float32Array] = {}

    def left_out(self, orders: int, time_limit: float) -> list[str]:
        """Say that training on so many orders takes too long, if it does."""
        if not time_limit:
            return ["trained networks: left out (a time limit of 0)"]
        expected = estimate_seconds(
            self.table, orders, plan=self.plan, spec=self.spec, device=self.device
        )
        if expected <= time_limit:
            return []
        return [
            f"trained networks: left out, as they would take about {expected:,.0f} s; "
            f"--time-limit (time_limit) allows {time_limit:g} s"
        ]

    def predictions(self, orders: Sequence[IntArray], *, raw_columns: bool = False) -> Float32Array:
        """Train a network on each order and fold, and predict the held-out rows.

        Parameters
        ----------
        orders : sequence of int64 array [D]
        raw_columns : bool
            Let the raw columns vote too, whose order never matters.

        Returns
        -------
        float32 array [orders, n, q]
        """
        if not raw_columns and all(order.tobytes() in self.known for order in orders):
            return np.stack([self.known[order.tobytes()] for order in orders])
        said = train_orders(
            self.table,
            orders,
            plan=self.plan,
            spec=self.spec,
            device=self.device,
            seed=self.seed,
            raw_columns=raw_columns,
            on_step=lambda done, total: self.on_progress("networks", done, total),
        )
        if not raw_columns:
            self.known |= {order.tobytes(): one for order, one in zip(orders, said, strict=True)}
        return said

    def losses(self, orders: Sequence[IntArray]) -> Losses:
        """Score orders: squared errors of all rows, each while it was held out."""
        truth = self.table.target.matrix()

        def errors(said: Float32Array) -> NDArray[np.float64]:
            return np.asarray(np.square((said - truth).astype(np.float64)).sum(axis=-1))

        alone = errors(self.predictions(orders))
        return Losses(alone, errors(self.predictions(orders, raw_columns=True)))
