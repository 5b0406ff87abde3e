"""Every order is treated alike, and each row is predicted by networks that never saw it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cnnkit.cnncore.errors import SpecError
from cnnkit.cnncore.image import Float32Array, Images, IntArray
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layer_types import Conv
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.shapes import shapes
from cnnkit.cnncore.spec import parse
from cnnkit.cnncore.swap_test import training
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.target import Target
from cnnkit.cnncore.swap_test.training import (
    TrainingPlan,
    estimate_seconds,
    network_spec,
    plan_for,
    train_orders,
)

CPU = torch.device("cpu")
SHORT = TrainingPlan(steps=12, batch_size=8)
SPEC = "conv 4x1x3 | pool 1x2/2 | relu | par(gap ; gmp ; flatten)"


def table_of(
    X: NDArray[Any], y: NDArray[Any], shape: tuple[int, int] | None = None, folds: int = 3
) -> PreparedTable:
    """Make every `folds`-th row a test row of the same fold; each fold's design is another one."""
    rows = np.arange(len(X))
    classes = None if y.dtype.kind == "f" else tuple(map(str, range(int(y.max()) + 1)))
    return PreparedTable(
        tuple((X * (1 + fold / 10)).astype(np.float32) for fold in range(folds)),
        (1,) * X.shape[1],
        tuple((rows[rows % folds != fold], rows[rows % folds == fold]) for fold in range(folds)),
        Target("y", "regression" if classes is None else "classification", y, classes),
        shape or (1, X.shape[1]),
    )


def random_table(rows: int = 50, columns: int = 10, **settings: Any) -> PreparedTable:
    generator = np.random.default_rng(0)
    X = generator.standard_normal((rows, columns))
    return table_of(X, generator.integers(3, size=rows), **settings)


def random_orders(columns: int, count: int) -> list[IntArray]:
    generator = np.random.default_rng(1)
    return [generator.permutation(columns) for _ in range(count)]


def train(table: PreparedTable, orders: list[IntArray], **settings: Any) -> Float32Array:
    settings = {"plan": SHORT, "spec": SPEC, "device": CPU, "seed": 0} | settings
    return train_orders(table, orders, **settings)


def accuracy(said: Float32Array, table: PreparedTable) -> float:
    return float((said.argmax(1) == table.target.values).mean())


@pytest.mark.parametrize("raw_columns", [False, True])
def test_the_other_orders_and_an_orders_place_among_them_make_no_difference(
    monkeypatch: pytest.MonkeyPatch, raw_columns: bool
) -> None:
    table, orders = random_table(), random_orders(10, 3)
    together = train(table, orders, raw_columns=raw_columns)
    backwards = train(table, orders[::-1], raw_columns=raw_columns)[::-1]
    monkeypatch.setattr(training, "CPU_BYTES", 1)  # each network by itself
    alone = np.concatenate([train(table, [order], raw_columns=raw_columns) for order in orders])
    np.testing.assert_allclose(backwards, together, atol=1e-5)
    np.testing.assert_allclose(alone, together, atol=1e-5)
    assert np.abs(together[1:] - together[0]).max(axis=(1, 2)).min() > 0.01


def test_an_order_equals_a_table_whose_columns_stand_in_that_order() -> None:
    table, (order,) = random_table(), random_orders(10, 1)
    moved = replace(table, designs=tuple(design[:, order] for design in table.designs))
    expected = train(moved, [np.arange(10)])
    np.testing.assert_allclose(train(table, [order]), expected, atol=1e-6)


def test_the_image_holds_the_columns_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    table, orders = random_table(columns=12, shape=(3, 4)), random_orders(12, 2)
    seen: list[torch.Tensor] = []

    class Spy(training.BatchedNetwork):
        def forward(self, pixels: torch.Tensor, side: torch.Tensor | None = None) -> torch.Tensor:
            seen.append(pixels)
            return super().forward(pixels, side)

    monkeypatch.setattr(training, "BatchedNetwork", Spy)
    monkeypatch.setattr(training, "CPU_BYTES", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    train(table, orders, plan=replace(SHORT, steps=1))
    predicting = [pixels.numpy() for pixels in seen if pixels.shape[-1] == 50]
    pairs = [(order, design) for order in orders for design in table.designs]
    assert len(predicting) == len(pairs)
    for pixels, (order, design) in zip(predicting, pairs, strict=True):
        expected = design[:, order].reshape(50, 1, 3, 4)
        np.testing.assert_array_equal(np.moveaxis(pixels[0], -1, 0), expected)


def test_a_row_has_no_say_in_its_own_prediction() -> None:
    table = random_table()
    _, test = table.folds[1]
    values = table.target.values.copy()
    values[test] = 2 - values[test]
    designs = list(table.designs)
    designs[0], designs[2] = designs[0] + 1, designs[2] - 1
    other = replace(table, designs=tuple(designs), target=replace(table.target, values=values))
    before, after = (train(each, [np.arange(10)])[0] for each in (table, other))
    np.testing.assert_allclose(after[test], before[test], atol=1e-6)
    assert np.abs(after - before).max() > 0.01


def test_a_short_wave_is_found_wherever_it_stands_until_the_columns_are_shuffled() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(2, size=240)
    X = generator.standard_normal((240, 32)) / 2
    wave = np.sin(2 * np.pi * np.arange(6) / 6) * 2
    for row, label in zip(X, y, strict=True):
        start = generator.integers(32 - 6)
        row[start : start + 6] += wave if label else -wave
    table = table_of(X, y)
    plan, spec = plan_for(240, "classification"), network_spec((1, 32))
    given, shuffled = train(table, [np.arange(32), *random_orders(32, 1)], plan=plan, spec=spec)
    assert accuracy(given, table) > 0.9
    assert accuracy(shuffled, table) < accuracy(given, table) - 0.15


def test_raw_columns_vote_in_any_order() -> None:
    generator = np.random.default_rng(0)
    X = generator.standard_normal((300, 10))
    table, orders = table_of(X, (X[:, 3] > X[:, 7]).astype(int)), random_orders(10, 2)
    blind = {"spec": "conv 2x1x1 | relu | gmp", "plan": replace(SHORT, steps=300)}
    assert all(accuracy(said, table) < 0.6 for said in train(table, orders, **blind))
    beside = train(table, orders, raw_columns=True, **blind)
    assert all(accuracy(said, table) > 0.8 for said in beside)


def test_predictions_are_probabilities() -> None:
    said = train(random_table(), random_orders(10, 2), raw_columns=True)
    assert said.shape == (2, 50, 3)
    assert said.dtype == np.float32
    assert said.min() >= 0
    np.testing.assert_allclose(said.sum(axis=2), 1, atol=1e-5)


def test_numbers_are_predicted_but_not_beyond_those_of_the_training_rows() -> None:
    x = np.linspace(-1, 1, 90)
    x[::10] *= 3  # some rows lie outside of what most folds know
    X = np.repeat(x[:, None], 6, axis=1)
    table = table_of(X, x.copy())
    plan = replace(SHORT, steps=300, weight_decay=0.0)
    (said,) = train(table, [np.arange(6)], plan=plan, raw_columns=True)
    truth = table.target.matrix()
    assert np.square(said - truth).sum() < 0.1 * np.square(truth).sum()
    for known, test in table.folds:
        assert said[test].max() <= truth[known].max()
        assert said[test].min() >= truth[known].min()
    assert said.max() < truth.max()


def test_folds_may_be_smaller_than_a_minibatch_and_of_different_sizes() -> None:
    table = random_table(rows=14)
    folds = ((np.arange(4), np.arange(4, 14)), (np.arange(2, 14), np.arange(4)))
    table = replace(table, designs=table.designs[:2], folds=folds)
    said = train(table, random_orders(10, 3), plan=replace(SHORT, batch_size=100))
    np.testing.assert_allclose(said.sum(axis=2), 1, atol=1e-5)


def test_a_seed_repeats_a_training_and_another_seed_does_not() -> None:
    table, orders = random_table(), random_orders(10, 2)
    first = train(table, orders, seed=3)
    torch.rand(5)  # torch's own generator plays no part
    again, other = (train(table, orders, seed=seed) for seed in (3, 4))
    assert np.array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_steps_are_counted_up_to_their_total() -> None:
    counts: list[tuple[int, int]] = []
    train(random_table(), random_orders(10, 4), on_step=lambda *count: counts.append(count))
    total = counts[0][1]
    assert total % SHORT.steps == 0
    assert counts == [(done, total) for done in range(1, total + 1)]


def test_training_leaves_torch_as_it_was() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    train(random_table(), random_orders(10, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_the_estimate_is_the_time_of_all_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    table, totals = random_table(), []
    monkeypatch.setattr(training, "CPU_BYTES", 20_000)  # several jobs
    train(table, random_orders(10, 20), on_step=lambda done, total: totals.append(total))
    steps = []
    real = training._Training._loss
    monkeypatch.setattr(
        training._Training, "_loss", lambda *given: (steps.append(1), real(*given))[1]
    )
    monkeypatch.setattr(training.time, "perf_counter", lambda: 2.0 * len(steps))  # 2 s a step
    expected = estimate_seconds(table, 20, plan=SHORT, spec=SPEC, device=CPU)
    assert expected == 2 * totals[0]
    assert totals[0] > 2 * SHORT.steps


def test_every_column_of_any_shape_is_seen_by_a_network_that_fits() -> None:
    lengths = (1, 2, 3, 5, 8, 9, 16, 17, 31, 40, 64, 100, 511, 513, 2000, 10_000)
    for shape in [(rows, columns) for rows in lengths for columns in lengths]:
        layers = parse(network_spec(shape))
        shapes(layers, (1, *shape))
        first = layers[0]
        assert isinstance(first, Conv)
        assert first.stride[0] <= first.rows
        assert first.stride[1] <= first.columns


def test_larger_tables_are_trained_longer_within_bounds() -> None:
    plans = [plan_for(rows, "regression") for rows in (20, 500, 1000, 2000, 10**6)]
    steps = [plan.steps for plan in plans]
    assert steps == sorted(steps)
    assert steps[0] >= 200
    assert steps[-1] <= 1000
    assert len({round(plan.steps * plan.weight_decay, 3) for plan in plans}) == 1


def test_a_spec_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SpecError, match="does not fit"):
        train(random_table(), random_orders(10, 1), spec="conv 4x3x3 | gap")


def train_alone(network: Network, images: Images, truth: torch.Tensor, known: IntArray) -> None:
    """Train a network of the core as SHORT says; seed 7 draws the minibatches."""
    optimizer = torch.optim.AdamW(
        [
            {"params": [weights], "weight_decay": SHORT.weight_decay if weights.ndim > 1 else 0.0}
            for weights in network.parameters()
        ],
        betas=(0.9, 0.99),
    )
    loss_of = functional.mse_loss if truth.shape[1] == 1 else functional.cross_entropy
    draw, drawn = torch.Generator().manual_seed(7), torch.zeros(0, dtype=torch.int64)
    while len(drawn) < SHORT.steps * SHORT.batch_size:
        drawn = torch.cat([drawn, torch.randperm(len(known), generator=draw)])
    for step in range(SHORT.steps):
        rows = known[drawn[step * SHORT.batch_size : (step + 1) * SHORT.batch_size]]
        progress = (step + 1) / (SHORT.steps + 1)
        for group in optimizer.param_groups:
            group["lr"] = SHORT.learning_rate * min(progress / 0.15, (1 - progress) / 0.85)
        optimizer.zero_grad()
        votes = network(Images(images.pixels[rows], side=images.side[rows]))
        torch.autograd.backward(loss_of(votes, truth[rows]))
        optimizer.step()


@pytest.mark.parametrize("raw_columns", [False, True])
@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize(
    ("shape", "spec"), [((1, 20), SPEC), ((4, 5), "conv 4x3x3 | pool 2x2/2 | relu | gap")]
)
def test_networks_learn_together_what_they_learn_alone(
    shape: tuple[int, int], spec: str, numbers: bool, raw_columns: bool
) -> None:
    table, orders = random_table(columns=20, shape=shape), random_orders(20, 2)
    if numbers:
        values = np.random.default_rng(2).standard_normal(50)
        table = replace(table, target=Target("y", "regression", values))
    together = train(table, orders, spec=spec, seed=7, raw_columns=raw_columns)

    truth, (known, test) = torch.from_numpy(table.target.matrix()), table.folds[0]
    columns = torch.from_numpy(table.designs[0])
    layers = parse(f"{spec} | wide" if raw_columns else spec)
    for order, found in zip(orders, together, strict=True):
        torch.manual_seed(7)
        network = Network(layers, Input((1, *shape), side=20 * raw_columns), truth.shape[1])
        images = Images(columns[:, order].view(-1, 1, *shape), side=columns / 20**0.5)
        train_alone(network, images, truth, known)
        votes = network(images).detach()
        expected = (
            votes.clamp(truth[known].amin(), truth[known].amax()) if numbers else votes.softmax(1)
        )
        np.testing.assert_allclose(found[test], expected[test].numpy(), atol=1e-4)
