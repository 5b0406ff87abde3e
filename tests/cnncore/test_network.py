"""Networks built from specs: equal to hand-built ones, and blind to padding."""

from __future__ import annotations

import copy
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

from cnnkit.cnncore.describe import Input
from cnnkit.cnncore.image import Images
from cnnkit.cnncore.network import BatchNorm, Convolution, Dropout, Features, Network, WindowPool
from cnnkit.cnncore.spec import SpecError, parse

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


def test_a_network_equals_the_same_network_built_by_hand() -> None:
    torch.manual_seed(0)
    text = "conv 8x3x3 | pool 2x2 | norm | relu | conv 6x3x5/2 | gelu | avgpool 2x2 | flatten"
    network = Network(parse(text + " | dense 7 | tanh"), (3, 16, 20), outputs=4)
    by_hand = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 6, (3, 5), stride=2, padding=(1, 2)),
        nn.GELU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * 2 * 2, 7),
        nn.Tanh(),
        nn.Linear(7, 4),
    )
    for own, copied in zip(network.parameters(), by_hand.parameters(), strict=True):
        own.data.copy_(copied)
    pixels = torch.randn(5, 3, 16, 20)
    torch.testing.assert_close(network(Images(pixels)), by_hand(pixels), rtol=1e-5, atol=1e-5)
    network.eval()
    by_hand.eval()
    torch.testing.assert_close(network(Images(pixels)), by_hand(pixels), rtol=1e-5, atol=1e-5)


def test_res_adds_par_joins_and_repeats_have_their_own_weights() -> None:
    network = shaken(Network(parse("2*(res(conv 2x1x1)) | par(gap ; gmp)"), (2, 3, 4), outputs=3))
    first, second = (m.layer for m in network.modules() if isinstance(m, Convolution))
    assert not torch.equal(first.weight, second.weight)
    pixels = torch.randn(5, 2, 3, 4)
    after = pixels + first(pixels)
    after = after + second(after)
    joined = torch.cat([after.mean((2, 3)), after.flatten(2).max(2)[0]], 1)
    torch.testing.assert_close(network(Images(pixels)), network.head(joined))


def test_side_joins_and_wide_votes() -> None:
    image = Input((2, 3, 4), side=3)
    network = shaken(Network(parse("gap | side | dense 5 | relu | wide"), image, outputs=2))
    pixels, side = torch.randn(4, 2, 3, 4), torch.randn(4, 3)
    dense, wide = network.body[2].layer, network.wide
    assert isinstance(wide, nn.Linear)
    hidden = torch.relu(dense(torch.cat([pixels.mean((2, 3)), side], 1)))
    expected = network.head(hidden) + side @ wide.weight.T
    torch.testing.assert_close(network(Images(pixels, side=side)), expected)


def test_an_embedding_adds_up_the_features_of_all_slots_but_the_empty_ones() -> None:
    network = Network(parse("embed 4 | gsum"), Input((2, 1, 1), vocabulary=5), outputs=2)
    table = network.body[0].layer.weight
    assert table[0].abs().sum() == 0
    votes = network(Images(torch.tensor([[[[3]], [[1]]], [[[0]], [[2]]]])))
    expected = network.head(torch.stack([table[3] + table[1], table[2]]))
    torch.testing.assert_close(votes, expected)


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


def test_convolutions_before_a_norm_have_no_bias() -> None:
    text = "conv 2x3x3 | pool 2x2 | norm | conv 2x3x3 | norm group 1 | conv 2x3x3 | relu | gap"
    network = Network(parse(text), (1, 8, 8), outputs=2)
    convolutions = [m.layer for m in network.modules() if isinstance(m, Convolution)]
    assert [layer.bias is None for layer in convolutions] == [True, True, False]


def test_training_begins_with_kaiming_weights_and_a_small_head() -> None:
    torch.manual_seed(0)
    network = Network(parse("conv 64x3x3 | relu | gap | dense 200 | relu"), (32, 8, 8), 50)
    convolution = next(m.layer for m in network.modules() if isinstance(m, Convolution))
    assert convolution.weight.std().item() == pytest.approx(math.sqrt(2 / (32 * 9)), rel=0.05)
    assert network.head.weight.std().item() == pytest.approx(0.01, rel=0.1)
    biases = [w for name, w in network.named_parameters() if name.endswith("bias")]
    assert all(bias.abs().sum() == 0 for bias in biases)


@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 12, 12), (1, 1, 12), (5, 1, 12), (1, 12, 1)])
def test_channels_come_last_in_the_memory_of_every_layer(shape: tuple[int, int, int]) -> None:
    text = "conv 4x1x1 | pool 1x1/1 | norm | relu | par(conv 4x1x1 ; conv 3x1x1) | conv 4x1x1 | gap"
    network = Network(parse(text), shape, outputs=2)
    strides: list[int] = []

    def note(module: nn.Module, inputs: object, features: Features) -> None:
        if features.values.ndim == 4:
            strides.append(features.values.stride(1))

    for module in network.body.modules():
        if not isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.ReLU):
            module.register_forward_hook(note)
    network(Images(torch.randn(2, *shape)))
    assert strides
    assert set(strides) == {1}
    assert all(tensor.is_contiguous() for tensor in network.state_dict().values())


def test_dropout_keeps_the_mean_and_is_off_in_eval_mode() -> None:
    dropout = Dropout(0.3)
    dropout.generator = torch.Generator().manual_seed(0)
    values = dropout(torch.ones(100_000))
    assert values.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert values.mean().item() == pytest.approx(1, abs=0.01)
    assert dropout.eval()(torch.ones(10)).tolist() == [1] * 10


def run_steps(network: Network, seed: int) -> Tensor:
    network.set_generator(torch.Generator().manual_seed(seed))
    pixels = Images(torch.ones(8, 1, 6, 6))
    return torch.stack([network(pixels) for _ in range(20)])


def test_dropout_in_threads_repeats_exactly() -> None:
    torch.manual_seed(0)
    layers = parse("conv 4x3x3 | drop 0.5 | relu | gap | drop 0.5")
    networks = [Network(layers, (1, 6, 6), outputs=2) for _ in range(2)]
    one_by_one = [run_steps(network, seed) for seed, network in enumerate(networks)]
    with ThreadPoolExecutor(2) as threads:
        at_once = list(threads.map(run_steps, networks, range(2)))
    for one, other in zip(one_by_one, at_once, strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(one_by_one[0][0], one_by_one[0][1])


def test_a_network_with_a_generator_can_be_copied() -> None:
    network = Network(parse("gap | drop 0.5"), (1, 6, 6), outputs=2)
    network.set_generator(torch.Generator().manual_seed(0))
    images = Images(torch.randn(2, 1, 6, 6))
    assert torch.equal(copy.deepcopy(network)(images), network(images))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_dropout_draws_from_a_generator_on_the_gpu() -> None:
    network = Network(parse("conv 4x3x3 | gap | drop 0.5"), (1, 6, 6), outputs=2).cuda()
    images = Images(torch.randn(2, 1, 6, 6, device="cuda"))
    votes = []
    for _ in range(2):
        network.set_generator(torch.Generator("cuda").manual_seed(0))
        votes.append(network(images))
    assert torch.equal(*votes)


def test_images_of_another_shape_are_refused() -> None:
    network = Network(parse("conv 4x3x3 | gap"), (1, 6, None), outputs=2)
    assert network(Images(torch.zeros(2, 1, 6, 9))).shape == (2, 2)
    for shape in [(2, 1, 7, 9), (2, 2, 6, 9), (2, 6, 9)]:
        with pytest.raises(ValueError, match=r"the network was built for \(1, 6, None\)"):
            network(Images(torch.zeros(shape)))
    network = Network(parse("gap | side"), Input((1, 6, 6), side=3), outputs=2)
    for side in [None, torch.zeros(2, 2)]:
        with pytest.raises(ValueError, match="side features, but the network was built for 3"):
            network(Images(torch.zeros(2, 1, 6, 6), side=side))


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SpecError, match="does not fit 1 row"):
        Network(parse("conv 4x3x3 | gap"), (1, 1, 6), outputs=2)
