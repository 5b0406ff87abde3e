"""Ridge regression for several strengths at once, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from cnnkit.cnncore.swap_test.ridge import STRENGTHS, ridge, standardise

TRAIN, TEST = 60, 25


def drawn(columns: int, seed: int) -> np.ndarray:
    """Draw rows whose columns have different means and spreads: float32 [n, columns]."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(TRAIN + TEST, columns)) * generator.uniform(0.1, 9, columns)
    return (rows + generator.normal(size=columns)).astype(np.float32)


def targets(outputs: int) -> np.ndarray:
    generator = np.random.default_rng(9)
    if outputs == 1:
        return generator.normal(size=(TRAIN, 1)).astype(np.float32)
    return np.eye(outputs, dtype=np.float32)[generator.integers(outputs, size=TRAIN)]


def as_tensor(rows: np.ndarray) -> torch.Tensor:
    return standardise(torch.from_numpy(rows.T.copy()), TRAIN)


def by_sklearn(parts: list[np.ndarray], target: np.ndarray, strength: float) -> np.ndarray:
    """Standardise, fit, predict and clip: float64 [TEST, q]."""
    scaled = [
        StandardScaler().fit(part[:TRAIN]).transform(part) / np.sqrt(part.shape[1])
        for part in parts
    ]
    rows = np.hstack(scaled).astype(np.float64)
    model = Ridge(alpha=strength, solver="svd").fit(rows[:TRAIN], target.astype(np.float64))
    said = model.predict(rows[TRAIN:]).reshape(TEST, -1)
    return np.clip(said, target.min(axis=0), target.max(axis=0))


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(
    ("features", "more"),
    [
        (1, 1),
        (12, 5),
        (55, 5),
        (60, 1),
        (61, 3),
        (85, 5),
        (85, 6),
        (2, 89),
        (30, 90),
        (150, 7),
        (400, 30),
    ],
)
def test_predictions_are_those_of_scikit_learn_at_every_strength(
    features: int, more: int, outputs: int
) -> None:
    first, second, target = drawn(features, 0), drawn(more, 1), targets(outputs)
    alone, beside = ridge(as_tensor(first), as_tensor(second), torch.from_numpy(target))
    assert alone.shape == beside.shape == (len(STRENGTHS), TEST, outputs)
    for number, strength in enumerate(STRENGTHS):
        for said, parts in ((alone, [first]), (beside, [first, second])):
            expected = by_sklearn(parts, target, strength)
            np.testing.assert_allclose(said[number].numpy(), expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("features", [20, 200, 400])
def test_what_the_first_fit_says_does_not_depend_on_the_features_of_the_second(
    features: int,
) -> None:
    first, target = as_tensor(drawn(features, 0)), torch.from_numpy(targets(2))
    said = [
        ridge(first, as_tensor(drawn(more, seed)), target)[0]
        for more, seed in [(1, 1), (9, 2), (39, 3), (150, 4)]
    ]
    for other in said[1:]:
        torch.testing.assert_close(other, said[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("features", [5, 100])
def test_predictions_never_leave_the_range_of_the_known_targets(features: int) -> None:
    rows = drawn(features, 0)
    rows[TRAIN:] *= 1000
    target = torch.from_numpy(targets(1))
    alone, beside = ridge(as_tensor(rows), as_tensor(rows[:, :2]), target)
    for said in (alone, beside):
        assert float(said.min()) == pytest.approx(float(target.min()))
        assert float(said.max()) == pytest.approx(float(target.max()))


def test_features_are_centred_and_scaled_by_the_training_rows() -> None:
    rows = drawn(9, 3)
    expected = StandardScaler().fit(rows[:TRAIN]).transform(rows) / 3
    np.testing.assert_allclose(as_tensor(rows).numpy().T, expected, rtol=1e-4, atol=1e-5)


def test_a_feature_that_never_varies_in_training_says_nothing_later() -> None:
    rows = drawn(4, 0)
    rows[:TRAIN, 2] = 3.0
    found = as_tensor(rows)
    assert found[2].tolist() == [0.0] * (TRAIN + TEST)
    assert found.isfinite().all()


def test_columns_that_nearly_repeat_each_other_in_very_many_rows_can_be_fitted() -> None:
    """Where rounding errors of the Gram matrix could outgrow the smallest strength."""
    generator, n = torch.Generator().manual_seed(0), 100_000
    alike = torch.randn(1, n, generator=generator) + 1e-3 * torch.randn(16, n, generator=generator)
    features = standardise(alike, n - 100)
    target = torch.randn(n - 100, 1, generator=generator)
    alone, beside = ridge(features, features[:3].clone(), target)
    assert alone.isfinite().all()
    assert beside.isfinite().all()
