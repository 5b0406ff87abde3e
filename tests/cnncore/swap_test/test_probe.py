"""The cheap engine: every order is treated alike, and scored as scikit-learn would score it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from cnnkit.cnncore.swap_test.kernels import RandomConvolutions, as_design
from cnnkit.cnncore.swap_test.orders import draw_orders
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.probe import RandomProbe
from cnnkit.cnncore.swap_test.ridge import STRENGTHS
from cnnkit.cnncore.swap_test.target import Target

CPU = torch.device("cpu")


def drawn_table(
    n: int, shape: tuple[int, int], *, classes: int = 0, seed: int = 0, folds: int = 3
) -> PreparedTable:
    """Draw a table whose target depends on neighbouring columns; each fold has its own design."""
    generator = np.random.default_rng(seed)
    columns = shape[0] * shape[1]
    values = generator.normal(size=(n, columns))
    signal = values[:, 0] * values[:, 1] + values[:, 2] + 0.3 * generator.normal(size=n)
    if classes:
        edges = np.quantile(signal, np.arange(1, classes) / classes)
        names = tuple(f"class {number}" for number in range(classes))
        target = Target("y", "classification", np.searchsorted(edges, signal), names)
    else:
        target = Target("y", "regression", signal)
    parts = np.array_split(generator.permutation(n), folds)
    drawn = tuple((np.setdiff1d(np.arange(n), part), np.sort(part)) for part in parts)
    designs = tuple(
        np.clip(StandardScaler().fit(values[train]).transform(values), -5, 5).astype(np.float32)
        for train, _ in drawn
    )
    return PreparedTable(designs, (1,) * columns, drawn, target, shape)


def by_sklearn(table: PreparedTable, order: np.ndarray, *, beside: bool) -> np.ndarray:
    """Score an order fold by fold and strength by strength: squared errors of the best, [n]."""
    truth = table.target.matrix().astype(np.float64)
    convolutions = RandomConvolutions(table.shape, 0, CPU)
    errors = np.zeros((len(STRENGTHS), len(truth)))
    for design, (train, test) in zip(table.designs, table.folds, strict=True):
        seen = convolutions(as_design(design, CPU), torch.from_numpy(order)).numpy().T
        parts = [seen, design] if beside else [seen]
        rows = np.hstack([
            StandardScaler().fit(part[train]).transform(part) / np.sqrt(part.shape[1])
            for part in parts
        ]).astype(np.float64)  # fmt: skip
        low, high = truth[train].min(axis=0), truth[train].max(axis=0)
        for number, strength in enumerate(STRENGTHS):
            model = Ridge(alpha=strength, solver="cholesky").fit(rows[train], truth[train])
            said = np.clip(model.predict(rows[test]).reshape(len(test), -1), low, high)
            errors[number, test] = np.square(said - truth[test]).sum(axis=1)
    return errors[errors.sum(axis=1).argmin()]


@pytest.mark.parametrize(
    ("n", "shape", "classes"), [(90, (1, 12), 0), (500, (1, 6), 3), (120, (4, 5), 2)]
)
def test_losses_are_those_of_scikit_learn_on_the_same_features(
    n: int, shape: tuple[int, int], classes: int
) -> None:
    table = drawn_table(n, shape, classes=classes)
    orders = draw_orders(table.widths, 1, seed=0)
    losses = RandomProbe(table, seed=0, device=CPU).losses(orders)
    assert losses.alone.shape == losses.beside.shape == (2, n)
    for number, order in enumerate(orders):
        for found, beside in ((losses.alone, False), (losses.beside, True)):
            expected = by_sklearn(table, order, beside=beside)
            assert found[number].sum() == pytest.approx(expected.sum(), rel=2e-3)
            np.testing.assert_allclose(found[number], expected, atol=0.02)


@pytest.mark.parametrize(
    ("n", "shape", "classes"), [(80, (1, 9), 0), (500, (1, 12), 2), (150, (3, 6), 3)]
)
def test_a_table_whose_columns_were_moved_beforehand_gets_the_same_losses(
    n: int, shape: tuple[int, int], classes: int
) -> None:
    """The given order is nothing special: all orders of one table are all orders of the other."""
    table = drawn_table(n, shape, classes=classes)
    moved = np.random.default_rng(1).permutation(shape[0] * shape[1])
    designs = tuple(design[:, moved] for design in table.designs)
    other = PreparedTable(designs, table.widths, table.folds, table.target, shape)
    orders = draw_orders(table.widths, 2, seed=3)
    there = RandomProbe(other, seed=0, device=CPU).losses(orders)
    here = RandomProbe(table, seed=0, device=CPU).losses([moved[order] for order in orders])
    np.testing.assert_array_equal(there.alone, here.alone)
    np.testing.assert_allclose(there.beside.sum(axis=1), here.beside.sum(axis=1), rtol=1e-3)
    np.testing.assert_allclose(there.beside, here.beside, atol=0.01)


def test_the_losses_of_an_order_depend_on_nothing_else() -> None:
    """To the last bit, so that equal orders count as level."""
    table = drawn_table(200, (1, 15))
    orders = draw_orders(table.widths, 5, seed=0)
    probe = RandomProbe(table, seed=0, device=CPU)
    together = probe.losses(orders)
    backwards = probe.losses(orders[::-1])
    repeated = probe.losses([orders[2]] * 3)
    for number, order in enumerate(orders):
        alone, beside = probe.losses([order])
        for kind, found in ((alone, together.alone), (beside, together.beside)):
            np.testing.assert_array_equal(kind[0], found[number])
        np.testing.assert_array_equal(backwards.alone[-1 - number], together.alone[number])
    for found in repeated.alone:
        np.testing.assert_array_equal(found, together.alone[2])


def test_threads_change_nothing_and_their_number_is_put_back() -> None:
    table = drawn_table(150, (1, 10), classes=2)
    orders = draw_orders(table.widths, 6, seed=0)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        found = [
            RandomProbe(table, seed=0, device=CPU, threads=threads).losses(orders)
            for threads in (1, 2)
        ]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(found[0].alone, found[1].alone)
    np.testing.assert_array_equal(found[0].beside, found[1].beside)


def test_another_seed_means_other_kernels() -> None:
    table = drawn_table(100, (1, 8))
    orders = draw_orders(table.widths, 1, seed=0)
    one, other = (RandomProbe(table, seed=seed, device=CPU).losses(orders) for seed in (0, 1))
    assert not np.allclose(one.alone, other.alone)


def test_columns_next_to_each_other_that_only_count_together_are_found() -> None:
    """The target is a product of neighbours all along the row, which no raw column shows."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(400, 20)).astype(np.float32)
    target = Target("y", "regression", (values[:, 1:] * values[:, :-1]).sum(axis=1))
    half = np.arange(200)
    folds = ((half, half + 200), (half + 200, half))
    table = PreparedTable((values, values), (1,) * 20, folds, target, (1, 20))
    losses = RandomProbe(table, seed=0, device=CPU).losses(draw_orders(table.widths, 19, seed=0))
    for kind in losses:
        given, *others = kind.sum(axis=1)
        assert given < min(others)
