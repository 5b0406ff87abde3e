"""The dear engine as the test uses it; the training itself is checked in test_training.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cnnkit.cnncore.image import Float32Array, IntArray
from cnnkit.cnncore.swap_test import trained
from cnnkit.cnncore.swap_test.orders import draw_orders
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.target import Target
from cnnkit.cnncore.swap_test.trained import TrainedProbe

CPU = torch.device("cpu")


def table(classes: int = 3, n: int = 60) -> PreparedTable:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(n, 12)).astype(np.float32)
    target = Target("y", "regression", values[:, 0] + values[:, 1])
    if classes:
        names = tuple(f"class {number}" for number in range(classes))
        target = Target("y", "classification", generator.integers(classes, size=n), names)
    rows = np.arange(n)
    folds = ((rows[::2], rows[1::2]), (rows[1::2], rows[::2]))
    return PreparedTable((values, values), (1,) * 12, folds, target, (1, 12))


def probe(of: PreparedTable, on_progress: Any = lambda what, done, total: None) -> TrainedProbe:
    return TrainedProbe(of, seed=7, device=CPU, on_progress=on_progress)


@pytest.mark.parametrize("classes", [0, 3])
def test_losses_are_squared_errors_with_and_without_the_raw_columns(
    monkeypatch: pytest.MonkeyPatch, classes: int
) -> None:
    of = table(classes)
    outputs = classes or 1
    said = {
        raw: np.random.default_rng(raw).random((3, 60, outputs)).astype(np.float32)
        for raw in (False, True)
    }
    calls: list[dict[str, Any]] = []

    def known(of: PreparedTable, orders: Sequence[IntArray], **options: Any) -> Float32Array:
        calls.append(options)
        options["on_step"](1, 4)
        return said[options["raw_columns"]]

    monkeypatch.setattr(trained, "train_orders", known)
    told: list[tuple[str, int, int]] = []
    orders = draw_orders(of.widths, 2, seed=0)
    losses = probe(of, lambda *news: told.append(news)).losses(orders)
    if classes:
        truth = np.eye(classes)[of.target.values]
    else:
        truth = ((of.target.values - of.target.values.mean()) / of.target.values.std())[:, None]
    for raw, found in ((False, losses.alone), (True, losses.beside)):
        expected = ((said[raw] - truth) ** 2).sum(axis=2)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
        assert found.dtype == np.float64
    assert {call["raw_columns"] for call in calls} == {False, True}
    assert {call["seed"] for call in calls} == {7}
    assert told == [("networks", 1, 4)] * 2


@pytest.mark.parametrize(
    ("seconds", "limit", "phrases"),
    [
        (59.0, 60.0, []),
        (60.0, 60.0, []),
        (1234.4, 60.0, ["left out", "1,234 s", "60 s", "--time-limit"]),
        (0.0, 0.0, ["left out", "time limit of 0"]),
    ],
)
def test_networks_are_left_out_only_where_they_take_too_long(
    monkeypatch: pytest.MonkeyPatch, seconds: float, limit: float, phrases: list[str]
) -> None:
    asked: list[int] = []

    def estimate(of: PreparedTable, orders: int, **options: Any) -> float:
        asked.append(orders)
        return seconds

    monkeypatch.setattr(trained, "estimate_seconds", estimate)
    notes = probe(table()).left_out(10, limit)
    assert bool(notes) == bool(phrases)
    assert [phrase for phrase in phrases if phrase not in " ".join(notes)] == []
    assert asked == ([10] if limit else [])


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Callable[[PreparedTable], TrainedProbe]:
    """Return a function that makes a probe whose networks take few steps."""

    def make(of: PreparedTable) -> TrainedProbe:
        made = probe(of)
        monkeypatch.setattr(made, "plan", replace(made.plan, steps=5))
        return made

    return make


@pytest.mark.parametrize("classes", [0, 3])
def test_trained_networks_predict_every_row_for_every_order(
    short: Callable[[PreparedTable], TrainedProbe], classes: int
) -> None:
    of = table(classes)
    orders = draw_orders(of.widths, 2, seed=0)
    said = short(of).predictions(orders)
    assert said.shape == (3, 60, classes or 1)
    assert np.isfinite(said).all()
    if classes:
        np.testing.assert_allclose(said.sum(axis=2), 1, atol=1e-5)


def test_a_table_whose_columns_were_moved_beforehand_gets_the_same_losses(
    short: Callable[[PreparedTable], TrainedProbe],
) -> None:
    """The given order is nothing special: the networks see the same pixels either way."""
    of = table()
    moved = np.random.default_rng(1).permutation(12)
    designs = tuple(design[:, moved] for design in of.designs)
    other = PreparedTable(designs, of.widths, of.folds, of.target, of.shape)
    orders = draw_orders(of.widths, 2, seed=3)
    there = short(other).losses(orders)
    here = short(of).losses([moved[order] for order in orders])
    np.testing.assert_allclose(there.alone, here.alone, rtol=1e-3, atol=1e-4)
