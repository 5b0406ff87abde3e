"""Trains a network of the core on each order of a table's columns, many of them at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnnkit.cnncore.fitting import ONE_AT_A_TIME
from cnnkit.cnncore.image import Float32Array, IntArray
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layer_types import Side, to_text
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.shapes import shapes
from cnnkit.cnncore.spec import parse
from cnnkit.cnncore.swap_test.networks import BatchedNetwork
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.train import WARM_UP, side_by_side

# Bytes of layer outputs of the networks that are computed together: a CPU's cache holds them.
CPU_BYTES, GPU_BYTES = 2**24, 2**30
ROWS_AT_ONCE = 64  # when predicting


@dataclass(frozen=True)
class TrainingPlan:
    """Every decision of the training.

    Parameters
    ----------
    steps, batch_size : int
    learning_rate : float
        Its peak, reached after 15 % of the steps; then it falls linearly to 0.
    weight_decay : float
        On weights, not on biases.
    label_smoothing : float
        Share of a class target that is spread over all classes.
    """

    steps: int
    batch_size: int = 16
    learning_rate: float = 1e-2
    weight_decay: float = 0.3
    label_smoothing: float = 0.0


def plan_for(rows: int, task: Literal["classification", "regression"]) -> TrainingPlan:
    """Choose the plan for a table.

    It is the same for tables of few and many columns: with fewer steps, wide ones were learnt
    worse.

    Parameters
    ----------
    rows : int
    task : "classification" or "regression"

    Returns
    -------
    TrainingPlan

    Examples
    --------
    >>> plan_for(1000, "classification").steps
    450
    """
    steps = min(max(200, round(0.45 * rows)), 1000)
    smoothing = 0.05 if task == "classification" else 0.0
    # Over the whole training, weights shrink by the same share whatever the number of steps.
    return TrainingPlan(steps, weight_decay=150 / steps, label_smoothing=smoothing)


def network_spec(shape: tuple[int, int]) -> str:
    """Choose the network for a table whose columns form an image.

    Its head sees the mean and the largest value of each feature, so that a pattern counts wherever
    it stands, and means of a few parts of the image, so that columns keep a rough place.

    Parameters
    ----------
    shape : (rows, columns)
        Of the image, which has one channel.

    Returns
    -------
    str
        A spec.

    Examples
    --------
    >>> print(network_spec((1, 30)))
    conv 16x1x5 | pool 1x2/2 | relu | conv 32x1x5 | relu | par(gap ; gmp ; avgpool 1x3/3 | flatten)
    """
    axes = [_along(length, line=1 in shape) for length in shape]
    begin, stride, first, window, second, part = (
        "x".join(map(str, sizes)) for sizes in zip(*axes, strict=True)
    )
    pools = [
        "" if size == "1x1" else f"{word} {size} | "
        for word, size in (("pool", first), ("pool", second), ("avgpool", part))
    ]
    # Only a third layer relates columns that stand far apart in a long row.
    third = f"conv 32x{window} | relu | " if second != "1x1" else ""
    spec = (
        f"conv 16x{begin}/{stride} | {pools[0]}relu"
        f" | conv 32x{window} | {pools[1]}relu | {third}"
        f"par(gap ; gmp ; {pools[2]}flatten)"
    )
    return to_text(parse(spec))


def _along(length: int, line: bool) -> tuple[int, int, int, int, int, int]:
    """Choose sizes along an axis, in the order of the layers; 1 leaves a pool out."""
    extent, enough, parts = (5, 16, 4) if line else (3, 4, 2)
    window = extent if length > 1 else 1
    stride = math.ceil(length / 512)
    left = math.ceil(length / stride)
    first = max(2, round(math.sqrt(left / 32))) if left >= (16 if line else 8) else 1
    second = max(1, left // first // enough)
    part = max(1, left // first // second // parts)
    return max(window, stride), stride, first, window, second, part


def train_orders(
    table: PreparedTable,
    orders: Sequence[IntArray],
    *,
    plan: TrainingPlan,
    spec: str,
    device: torch.device,
    seed: int,
    raw_columns: bool = False,
    on_step: Callable[[int, int], None] | None = None,
) -> Float32Array:
    """Train a network on each order and fold, and predict the rows that were held out.

    All orders are treated alike: the networks of a fold begin with the same weights and see the
    same rows in each step, whatever other orders are trained beside them.

    Parameters
    ----------
    table : PreparedTable
    orders : sequence of int64 array [D]
        Which encoded column stands at each place.
    plan : TrainingPlan
    spec : str
        The network, for an image 1 x rows x columns of the table's `shape`.
    device : torch.device
    seed : int
        Of initial weights and minibatches.
    raw_columns : bool
        Let the columns also vote directly (`wide`), whatever their order.
    on_step : callable (done, total) or None
        Called after each step, from several threads in turn.

    Returns
    -------
    float32 array [orders, n, q]
        Probabilities of classes, or numbers in the units of `Target.matrix`, no further out than
        those of the training rows.

    Raises
    ------
    SpecError
        If `spec` doesn't fit the image.
    ValueError
        If `spec` has layers that can't be computed for many networks at once.
    """
    training = _Training(table, orders, plan, spec, device, seed, raw_columns)
    jobs = training.jobs()
    truth = table.target.matrix()
    said = np.empty((len(orders), *truth.shape), np.float32)
    done, lock = 0, Lock()

    def count() -> None:
        nonlocal done
        with lock:
            done += 1
            if on_step is not None:
                on_step(done, plan.steps * len(jobs))

    def work(job: IntArray) -> None:
        predicted = training.predict(training.train(job, count), job)
        for pair, rows in zip(job, predicted, strict=True):
            order, fold = divmod(int(pair), len(table.folds))
            train, test = table.folds[fold]
            said[order, test] = rows[test].clip(truth[train].min(axis=0), truth[train].max(axis=0))

    with side_by_side(len(jobs), threads=1) as pool:
        list(pool.map(work, jobs))
    return said


def estimate_seconds(
    table: PreparedTable, orders: int, *, plan: TrainingPlan, spec: str, device: torch.device
) -> float:
    """Estimate how long `train_orders` takes on this machine, by taking a few of its steps.

    Parameters
    ----------
    table : PreparedTable
    orders : int
        How many.
    plan : TrainingPlan
    spec : str
    device : torch.device

    Returns
    -------
    float
        Seconds.
    """
    few = replace(plan, steps=8)
    given = np.arange(table.designs[0].shape[1])
    training = _Training(table, [given] * orders, few, spec, device, seed=0, raw_columns=False)
    jobs = training.jobs()
    first_round = jobs[: torch.get_num_threads()]
    with side_by_side(len(jobs), threads=1) as pool:
        for _ in range(2):  # the first time is slow
            began = time.perf_counter()
            for model in list(pool.map(training.train, first_round)):
                model.weights_of(0)["head.bias"].tolist()  # waits for the device
            seconds = time.perf_counter() - began
    return seconds / few.steps * plan.steps * len(jobs) / len(first_round)


class _Training:
    """A network for each pair of an order and a fold; a *job* are pairs that are trained together.

    Pair number p is order p // folds and fold p % folds.
    """

    def __init__(
        self,
        table: PreparedTable,
        orders: Sequence[IntArray],
        plan: TrainingPlan,
        spec: str,
        device: torch.device,
        seed: int,
        raw_columns: bool,
    ) -> None:
        self.plan, self.device, self.raw_columns = plan, device, raw_columns
        self.shape, self.classes = table.shape, table.target.classes is not None
        self.designs = [torch.tensor(design.T.copy(), device=device) for design in table.designs]
        self.truth = torch.tensor(table.target.matrix().T.copy(), device=device)
        self.orders = torch.tensor(np.stack(orders), device=device)
        layers = (*parse(spec), *([Side("wide")] if raw_columns else []))
        image = Input((1, *table.shape), side=len(self.designs[0]) if raw_columns else 0)
        size = min(plan.batch_size, *(len(train) for train, _ in table.folds))
        self.minibatches: list[Tensor] = []
        self.networks: list[Network] = []
        for fold, (train, _) in enumerate(table.folds):
            rows = _minibatches(torch.from_numpy(train), plan.steps, size, seed + fold)
            self.minibatches.append(rows.to(device))
            # Initial weights come from torch's own generator, of which a process has one.
            with ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed + fold)
                self.networks.append(Network(layers, image, len(self.truth)))
        steps = shapes(layers, image)
        outputs = sum(math.prod(cast(tuple[int, ...], step.after)) for step in steps)
        self.bytes = 4 * size * outputs

    def jobs(self) -> list[IntArray]:
        """Share the pairs out evenly among threads, in jobs of a size that suits the device."""
        pairs = len(self.orders) * len(self.networks)
        on_cpu = self.device.type == "cpu"
        workers = torch.get_num_threads() if on_cpu else 1
        together = max(1, (CPU_BYTES if on_cpu else GPU_BYTES) // self.bytes)
        jobs = math.ceil(pairs / together / workers) * workers
        return np.array_split(np.arange(pairs), min(jobs, pairs))

    def train(self, job: IntArray, on_step: Callable[[], None] = lambda: None) -> BatchedNetwork:
        """Train one network for each pair of a job."""
        model = BatchedNetwork([self.networks[fold] for fold in job % len(self.networks)])
        weights = list(model.to(self.device).parameters())
        optimizer = torch.optim.AdamW(
            [
                {
                    "params": [w for w in weights if w.ndim > 2],
                    "weight_decay": self.plan.weight_decay,
                },
                {"params": [w for w in weights if w.ndim <= 2], "weight_decay": 0.0},
            ],
            betas=(0.9, 0.99),
            fused=self.device.type in ("cpu", "cuda"),
        )
        orders, folds = self._pairs(job)
        for step in range(self.plan.steps):
            progress = (step + 1) / (self.plan.steps + 1)
            share = min(progress / WARM_UP, (1 - progress) / (1 - WARM_UP))
            for group in optimizer.param_groups:
                group["lr"] = self.plan.learning_rate * share
            rows = [minibatches[step] for minibatches in self.minibatches]
            truth = torch.stack([self.truth[:, each] for each in rows])[folds]
            torch.autograd.backward(self._loss(self._votes(model, orders, folds, rows), truth))
            optimizer.step()
            optimizer.zero_grad()
            on_step()
        return model

    def predict(self, model: BatchedNetwork, job: IntArray) -> Float32Array:
        """Predict all rows with each network, float32 [pairs of the job, n, q]."""
        orders, folds = self._pairs(job)
        rows = torch.arange(self.truth.shape[1], device=self.device)
        with torch.inference_mode():
            votes = [
                self._votes(model, orders, folds, [part] * len(self.designs))
                for part in torch.split(rows, ROWS_AT_ONCE)
            ]
            said = torch.cat([part.softmax(1) if self.classes else part for part in votes], 2)
        return np.asarray(said.transpose(1, 2).cpu())

    def _pairs(self, job: IntArray) -> tuple[Tensor, Tensor]:
        """Return the orders [pairs, D] and folds [pairs] of a job."""
        order, fold = np.divmod(job, len(self.networks))
        return self.orders[order], torch.tensor(fold, device=self.device)

    def _votes(
        self, model: BatchedNetwork, orders: Tensor, folds: Tensor, rows: Sequence[Tensor]
    ) -> Tensor:
        """Show the networks the rows of their fold, float32 [pairs, q, B]."""
        columns = torch.stack(
            [design[:, each] for design, each in zip(self.designs, rows, strict=True)]
        )
        pixels = columns[folds[:, None], orders].view(len(folds), 1, *self.shape, -1)
        # Together, the columns may change a vote about as fast as one feature does.
        side = columns[folds] / math.sqrt(columns.shape[1]) if self.raw_columns else None
        votes: Tensor = model(pixels, side)
        return votes

    def _loss(self, votes: Tensor, truth: Tensor) -> Tensor:
        """Add up the networks' mean losses."""
        smoothing = self.plan.label_smoothing
        if self.classes:
            loss = functional.cross_entropy(
                votes, truth, reduction="sum", label_smoothing=smoothing
            )
        else:
            loss = functional.mse_loss(votes, truth, reduction="sum")
        return loss / votes.shape[2]


def _minibatches(rows: Tensor, steps: int, size: int, seed: int) -> Tensor:
    """Draw the rows of each step, int64 [steps, size]; all are drawn equally often."""
    generator = torch.Generator().manual_seed(seed)
    rounds = math.ceil(steps * size / len(rows))
    drawn = [rows[torch.randperm(len(rows), generator=generator)] for _ in range(rounds)]
    return torch.cat(drawn)[: steps * size].view(steps, size)
