"""Layers are blind to padding, and add and join as they say."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from cnnkit.cnncore.image import Images, SparseRows
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layers import (
    BatchNorm,
    Bias,
    Convolution,
    Dropout,
    Features,
    GlobalPool,
    Nothing,
    Wide,
    WindowPool,
    over_windows,
)
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.spec import parse

LENGTHS = [(11, 9), (6, 12), (1, 1), (2, 7)]

# Each leaves plain features; the image has 2 channels and any number of rows and columns.
PADDED = [
    "conv 4x3x3 | conv 4x5x1 | gap",
    "conv 4x3x3 | pool 2x2 | conv 4x3x3 | gap",
    "conv 4x3x3 | pool 3x3/2 | relu | conv 4x3x3 | pool 2x2 | gmp",
    "conv 4x3x3 | pool 3x3/1 | conv 4x3x3 | gap",
    "conv 4x3x3 | pool 3x2/2x3 | conv 4x3x3 | gsum",
    "conv 4x3x3 | avgpool 3x3/2 | conv 4x3x3 | avgpool 2x2 | gsum",
    "conv 4x3x3/2 | conv 4x5x3/3x2 | gap",
    "conv 4x2x4 | conv 4x4x2/2 | gap",
    "conv 4x3x3 | norm | relu | conv 4x3x3 | norm | tanh | gap",
    "conv 4x3x3 | pool 2x2 | norm group 2 | gelu | conv 4x3x3 | norm group 1 | gsum",
    "par(gap ; gmp ; gsum) | norm | dense 5 | relu",
    "par( ; conv 4x3x3 | norm ; conv 4x1x1) | pool 2x2 | conv 4x3x3 | gmp",
    "par(conv 4x1x3/2x2 ; conv 4x3x1/2x2 | relu) | gap",
    "conv 4x3x3 | res(norm | relu | conv 4x3x3) | 2*(res(conv 4x3x3 | norm)) | gap",
    "3*(conv 4x3x3 | pool 2x2 | norm | relu) | conv 4x3x3 | gap",
    "conv 4x3x3 | silu | drop 0.5 | elu | gap",
]


def shaken(network: Network) -> Network:
    """Set everything that begins as 0 or 1 to something that would show."""
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point() and tensor.ndim:
            tensor.data.uniform_(0.3, 1.2)
    return network.eval()


def padded(items: list[Tensor], rows: int, columns: int) -> Images:
    """Put items into the corner of larger images, with rubbish around them."""
    pixels = torch.full((len(items), len(items[0]), rows, columns), 1e3)
    if not items[0].is_floating_point():
        pixels = pixels.long().fill_(7)
    mask = torch.zeros(len(items), 1, rows, columns, dtype=torch.bool)
    for number, item in enumerate(items):
        pixels[number, :, : item.shape[1], : item.shape[2]] = item
        mask[number, :, : item.shape[1], : item.shape[2]] = True
    return Images(pixels, mask)


@pytest.mark.parametrize("text", PADDED)
def test_an_item_alone_and_in_a_padded_batch_get_the_same_votes(text: str) -> None:
    torch.manual_seed(0)
    network = shaken(Network(parse(text), (2, None, None), outputs=3))
    items = [torch.randn(2, *lengths) for lengths in LENGTHS]
    alone = torch.cat([network(Images(item[None])) for item in items])
    assert alone.std(0).min() > 0
    for rows, columns in [(11, 12), (20, 31)]:
        together = network(padded(items, rows, columns))
        torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_category_numbers_in_a_padded_batch_get_the_same_votes() -> None:
    torch.manual_seed(0)
    text = "embed 4 | conv 4x1x3 | pool 1x2 | norm | relu | conv 4x1x2 | gap"
    network = shaken(Network(parse(text), Input((3, 1, None), vocabulary=9), outputs=3))
    items = [torch.randint(0, 9, (3, 1, length)) for length in (1, 2, 5, 8)]
    alone = torch.cat([network(Images(item[None])) for item in items])
    together = network(padded(items, 1, 13))
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_flatten_leaves_out_what_is_outside_of_the_item() -> None:
    network = shaken(Network(parse("conv 4x3x3 | norm | flatten"), (2, 6, 7), outputs=3))
    item = torch.randn(2, 4, 5)
    first, second = (padded([item], 6, 7) for _ in range(2))
    second.pixels[:, :, 4:] = -50
    torch.testing.assert_close(network(first), network(second))


def test_a_batch_norm_learns_from_the_pixels_of_items_only() -> None:
    torch.manual_seed(0)
    norm, truth = BatchNorm(2), nn.BatchNorm1d(2)
    items = [torch.randn(2, *lengths) * 3 + 1 for lengths in LENGTHS]
    images = padded(items, 13, 14)
    assert images.mask is not None
    out = norm(Features(images.pixels, images.mask, None)).values
    pixels = torch.cat([item.flatten(1) for item in items], 1).T
    expected = truth(pixels)
    found = out.permute(0, 2, 3, 1)[images.mask[:, 0]]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.layer.running_mean, truth.running_mean)
    torch.testing.assert_close(norm.layer.running_var, truth.running_var)


def test_gradients_do_not_depend_on_padding() -> None:
    torch.manual_seed(0)
    text = "conv 4x3x3 | pool 2x2 | norm | relu | conv 4x3x3 | pool 2x2 | norm group 2 | gmp"
    items = [torch.randn(2, *lengths) for lengths in LENGTHS]
    gradients = []
    network = Network(parse(text), (2, None, None), outputs=3)
    for rows, columns in [(11, 12), (17, 30)]:
        network.zero_grad()
        network.train()(padded(items, rows, columns)).square().sum().backward()
        gradients.append([weight.grad.clone() for weight in network.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert one.isfinite().all()
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("length", "kept"), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2)])
def test_a_pool_keeps_whole_windows_and_at_least_one_position(length: int, kept: int) -> None:
    layer = parse("pool 1x3/2")[0]
    item = torch.arange(1.0, length + 1).reshape(1, 1, 1, length)
    images = padded([item[0]], 1, 12)
    after = WindowPool(layer)(Features(images.pixels, images.mask, None))
    assert after.mask.sum() == kept
    assert after.values[after.mask].tolist() == [min(3 + 2 * i, length) for i in range(kept)]
    mean = WindowPool(parse("avgpool 1x3/2")[0])(Features(images.pixels, images.mask, None))
    assert mean.values[mean.mask][0] == (1 + min(3, length)) / 2


@pytest.mark.parametrize(
    "text", ["par(pool 1x2 ; conv 1x1x1/1x2) | gsum", "par(conv 1x1x1/1x2 ; pool 1x2) | gsum"]
)
def test_a_position_counts_where_it_counts_in_all_branches(text: str) -> None:
    network = Network(parse(text), (1, 1, 4), outputs=2)
    pixels, mask = torch.tensor([[[[1.0, 2, 3, 4]]]]), torch.tensor([[[[True, True, True, False]]]])
    whole = Network(parse(text), (1, 1, 2), outputs=2)
    whole.load_state_dict(network.state_dict())
    torch.testing.assert_close(network(Images(pixels, mask)), whole(Images(pixels[..., :2])))


def test_dropout_keeps_the_mean_and_is_off_in_eval_mode() -> None:
    dropout = Dropout(0.3)
    dropout.generator = torch.Generator().manual_seed(0)
    values = dropout(torch.ones(100_000))
    assert values.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert values.mean().item() == pytest.approx(1, abs=0.01)
    assert dropout.eval()(torch.ones(10)).tolist() == [1] * 10


def test_res_adds_par_joins_and_repeats_have_their_own_weights() -> None:
    network = shaken(Network(parse("2*(res(conv 2x1x1)) | par(gap ; gmp)"), (2, 3, 4), outputs=3))
    first, second = (m.layer for m in network.modules() if isinstance(m, Convolution))
    assert not torch.equal(first.weight, second.weight)
    pixels = torch.randn(5, 2, 3, 4)
    after = pixels + first(pixels)
    after = after + second(after)
    joined = torch.cat([after.mean((2, 3)), after.flatten(2).max(2)[0]], 1)
    torch.testing.assert_close(network(Images(pixels)), network.head(joined))


def test_an_embedding_adds_up_the_slots_that_arent_empty_over_the_root_of_their_number() -> None:
    network = Network(parse("embed 4 | gsum"), Input((2, 1, 1), vocabulary=5), outputs=2)
    table = network.body[0].layer.weight
    assert table[0].abs().sum() == 0
    votes = network(Images(torch.tensor([[[[3]], [[1]]], [[[0]], [[2]]]])))
    expected = network.head(torch.stack([(table[3] + table[1]) / math.sqrt(2), table[2]]))
    torch.testing.assert_close(votes, expected)


@pytest.mark.parametrize("reduce", ["sum", "amax"])
@pytest.mark.parametrize("counts", [[1], [3, 1, 2], [1, 1, 1], [5, 2]])
def test_the_windows_of_an_item_are_put_together_as_in_a_plain_loop(
    reduce: str, counts: list[int]
) -> None:
    torch.manual_seed(0)
    values = torch.randn(sum(counts), 4, requires_grad=True)
    twin = values.detach().clone().requires_grad_()
    parts = torch.split(twin, counts)
    expected = torch.stack([part.sum(0) if reduce == "sum" else part.amax(0) for part in parts])
    found = over_windows(values, torch.tensor(counts), reduce)
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(found)
    (found * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(values.grad, twin.grad)
    assert over_windows(values, None, reduce) is values


@pytest.mark.parametrize("word", ["gap", "gmp", "gsum"])
def test_a_global_pool_sees_the_windows_of_an_item_as_one_image(word: str) -> None:
    torch.manual_seed(0)
    counts, lengths = [2, 1, 3], [[5, 2], [4], [5, 5, 1]]
    parts = [[torch.randn(3, 1, length) for length in item] for item in lengths]
    images = padded([part for item in parts for part in item], 1, 5)
    together = GlobalPool(word)(
        Features(images.pixels, images.mask, None, torch.tensor(counts))
    ).values
    alone = [GlobalPool(word)(Features(torch.cat(item, 2)[None], None, None)) for item in parts]
    torch.testing.assert_close(together, torch.cat([one.values for one in alone]))


def test_a_global_pool_of_windows_without_a_mask_counts_all_their_pixels() -> None:
    pixels = torch.randn(5, 3, 1, 4)
    found = GlobalPool("gap")(Features(pixels, None, None, torch.tensor([2, 3]))).values
    expected = torch.stack([pixels[:2].mean((0, 2, 3)), pixels[2:].mean((0, 2, 3))])
    torch.testing.assert_close(found, expected)


def test_an_embedding_of_one_slot_is_a_look_up() -> None:
    network = Network(parse("embed 4 | gsum"), Input((1, 1, 3), vocabulary=5), outputs=2)
    table = network.body[0].layer.weight
    votes = network(Images(torch.tensor([[[[3, 0, 1]]]])))
    torch.testing.assert_close(votes, network.head((table[3] + table[1])[None]))
    votes.sum().backward()
    assert table.grad is not None
    assert (table.grad.abs().sum(1) > 0).tolist() == [False, True, False, True, False]


def test_what_a_pixel_brings_along_is_joined_to_its_embedding() -> None:
    torch.manual_seed(0)
    image = Input((2, 1, None), vocabulary=5, vectors=3)
    network = Network(parse("embed 4 | gsum"), image, outputs=2)
    plain = Network(parse("embed 4 | gsum"), replace(image, vectors=0), outputs=2)
    plain.body[0].layer.weight.data.copy_(network.body[0].layer.weight)
    pixels, vectors = torch.randint(0, 5, (6, 2, 1, 7)), torch.randn(6, 3, 1, 7)
    features = Features(pixels, None, None, None, vectors)
    embedded = plain.body(features._replace(vectors=None)).values
    expected = torch.cat([embedded, vectors.sum((2, 3))], 1)
    torch.testing.assert_close(network.body(features).values, expected)


@pytest.mark.parametrize("windows", [None, [2, 1, 3]])
def test_no_layers_at_all_give_the_same_votes_to_every_item(windows: list[int] | None) -> None:
    features = Features(
        torch.ones(6, 2, 1, 4), None, None, None if windows is None else torch.tensor(windows)
    )
    nothing, bias = Nothing(), Bias(2)
    bias.bias.data = torch.tensor([1.0, -2.0])
    votes = bias(nothing(features).values)
    assert votes.tolist() == [[1, -2]] * (6 if windows is None else 3)


def test_sparse_side_features_vote_as_the_dense_product() -> None:
    torch.manual_seed(0)
    dense = torch.randn(6, 9) * (torch.rand(6, 9) < 0.3)
    dense[2] = 0  # a row without an entry
    rows, columns = dense.nonzero(as_tuple=True)
    offsets = torch.searchsorted(rows, torch.arange(6))
    wide = Wide(9, 4)
    assert wide.weight.abs().sum() == 0
    torch.nn.init.normal_(wide.weight)
    found = wide(SparseRows(columns, dense[rows, columns], offsets))
    torch.testing.assert_close(found, dense @ wide.weight)
    torch.testing.assert_close(found, wide(dense))
    assert found[2].tolist() == [0] * 4
    (gradient,) = torch.autograd.grad(found.square().sum(), wide.weight)
    votes = dense @ wide.weight.detach()
    torch.testing.assert_close(gradient, 2 * dense.T @ votes)
