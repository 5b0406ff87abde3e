"""Random convolutions, against torch's own convolutions of images whose columns were moved."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cnnkit.cnncore.swap_test import kernels
from cnnkit.cnncore.swap_test.kernels import KERNELS, RandomConvolutions, as_design, quarters

CPU = torch.device("cpu")
SHAPES = [
    *((1, columns) for columns in (2, 3, 4, 5, 6, 7, 8, 13, 16, 33, 64, 70)),
    *[(2, 2), (2, 3), (3, 5), (8, 8), (16, 17), (3, 1), (8, 1), (1, 9)],
]


def expected_reaches(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """List length and dilation: a kernel's steps span at most half of each axis, or are of 1."""
    lengths = (3, 5) if shape[0] == 1 else (3,)
    sides = [size for size in shape if size > 1]
    return [
        (length, dilation)
        for length, dilation in product(lengths, (1, 2, 4, 8))
        if dilation == 1 or all(2 * (length - 1) * dilation <= size for size in sides)
    ]


def quarter_masks(shape: tuple[int, int]) -> Tensor:
    """Mark the pixels of each quarter (along one row, or 2 x 2): bool [quarters, rows, columns]."""
    rows, columns = shape
    down = 1 if rows == 1 else 2
    right = 4 // down
    masks = torch.zeros(down, right, rows, columns, dtype=torch.bool)
    for row, column in product(range(rows), range(columns)):
        masks[row * down // rows, column * right // columns, row, column] = True
    masks = masks.flatten(0, 1)
    return masks[masks.any(dim=(1, 2))]


def convolved(
    images: Tensor, weights: Tensor, biases: Tensor, length: int, dilation: int
) -> Tensor:
    """Convolve [n, 1, rows, columns] with torch, padded by zeros to the same size."""
    rows, columns = images.shape[2:]
    size = (length if rows > 1 else 1, length if columns > 1 else 1)
    if rows == 1:
        flat = functional.conv1d(
            images[:, :, 0], weights.view(-1, 1, size[1]), biases[:, 0], padding="same",
            dilation=dilation,
        )  # fmt: skip
        return flat[:, :, None].relu()
    kernels = weights.view(-1, 1, *size)
    return functional.conv2d(
        images, kernels, biases[:, 0], padding="same", dilation=dilation
    ).relu()


def expected_features(
    convolutions: RandomConvolutions, shape: tuple[int, int], values: np.ndarray, order: np.ndarray
) -> Tensor:
    """Pool what torch's convolutions find: float32 [features, n]."""
    images = torch.as_tensor(values[:, order]).view(-1, 1, *shape)
    masks = quarter_masks(shape)
    found = []
    for bank, (length, dilation) in zip(convolutions.banks, expected_reaches(shape), strict=True):
        answers = convolved(images, bank.weights, bank.biases, length, dilation)
        parts = [answers[:, :, mask] for mask in masks]
        found += [answers.mean(dim=(2, 3)), answers.amax(dim=(2, 3))]
        found += [part.mean(dim=2) for part in parts] + [part.amax(dim=2) for part in parts]
    return torch.cat(found, dim=1).T


@pytest.mark.parametrize("shape", SHAPES)
def test_features_are_those_of_torch_convolutions_on_the_moved_columns(
    shape: tuple[int, int],
) -> None:
    columns = shape[0] * shape[1]
    generator = np.random.default_rng(columns)
    values = generator.normal(size=(7, columns)).astype(np.float32)
    convolutions = RandomConvolutions(shape, 0, CPU)
    for _ in range(3):
        order = generator.permutation(columns)
        found = convolutions(as_design(values, CPU), torch.from_numpy(order))
        expected = expected_features(convolutions, shape, values, order)
        assert found.shape == (convolutions.features, 7)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_one_pixel_is_an_image_too() -> None:
    convolutions = RandomConvolutions((1, 1), 0, CPU)
    found = convolutions(as_design([[-1.0], [0.0], [2.0]], CPU), torch.tensor([0]))
    assert found.shape == (convolutions.features, 3)
    assert found.isfinite().all()


@pytest.mark.parametrize("shape", [(1, 5), (1, 40), (6, 7)])
def test_rows_are_convolved_a_part_at_a_time_without_a_change(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    columns = shape[0] * shape[1]
    design = as_design(np.random.default_rng(0).normal(size=(259, columns)), CPU)
    order = torch.randperm(columns, generator=torch.Generator().manual_seed(1))
    whole = RandomConvolutions(shape, 0, CPU)(design, order)
    monkeypatch.setattr(kernels, "CACHED_PIXELS", 1)  # 64 rows at a time
    torch.testing.assert_close(RandomConvolutions(shape, 0, CPU)(design, order), whole)


@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_have_length_1_and_half_of_them_ignore_the_level(shape: tuple[int, int]) -> None:
    banks = RandomConvolutions(shape, 0, CPU).banks
    assert sum(len(bank.weights) for bank in banks) == KERNELS
    for bank in banks:
        torch.testing.assert_close(bank.weights.norm(dim=1), torch.ones(len(bank.weights)))
        ignoring = int((bank.weights.sum(dim=1).abs() < 1e-5).sum())
        assert ignoring == (len(bank.weights) + 1) // 2


def test_a_seed_gives_the_same_kernels_and_another_one_others() -> None:
    first, again, other = (RandomConvolutions((1, 20), seed, CPU) for seed in (4, 4, 5))
    assert all(
        torch.equal(one.weights, two.weights) and torch.equal(one.biases, two.biases)
        for one, two in zip(first.banks, again.banks, strict=True)
    )
    assert not torch.equal(first.banks[0].weights, other.banks[0].weights)


def test_an_order_and_its_columns_moved_the_other_way_cancel_out() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(5, 24)).astype(np.float32)
    moved = generator.permutation(24)
    convolutions = RandomConvolutions((4, 6), 0, CPU)
    plain = convolutions(as_design(values, CPU), torch.arange(24))
    back = convolutions(as_design(values[:, moved], CPU), torch.from_numpy(np.argsort(moved)))
    assert torch.equal(plain, back)


@pytest.mark.parametrize("shape", SHAPES)
def test_quarters_hold_every_pixel_once(shape: tuple[int, int]) -> None:
    positions, edges = quarters(shape)
    assert sorted(positions.tolist()) == list(range(shape[0] * shape[1]))
    found = [set(positions[start:end].tolist()) for start, end in edges]
    assert found == [set(mask.flatten().nonzero()[:, 0].tolist()) for mask in quarter_masks(shape)]


def test_a_design_has_columns_as_rows_and_a_last_row_of_zeros() -> None:
    design = as_design([[1, 2, 3], [4, 5, 6]], CPU)
    assert design.dtype == torch.float32
    assert design.tolist() == [[1, 4], [2, 5], [3, 6], [0, 0]]
