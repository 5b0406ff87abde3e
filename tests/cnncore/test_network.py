"""Networks built from specs equal those built by hand."""

from __future__ import annotations

import copy
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

from cnnkit.cnncore.errors import SpecError
from cnnkit.cnncore.image import Images, SparseRows
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layers import Convolution, Features, Wide
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.spec import parse


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


def test_side_joins_and_wide_votes() -> None:
    image = Input((2, 3, 4), side=3)
    network = Network(parse("gap | side | dense 5 | relu | wide"), image, outputs=2)
    pixels, side = torch.randn(4, 2, 3, 4), torch.randn(4, 3)
    dense, wide = network.body[2].layer, network.wide
    assert isinstance(wide, Wide)
    assert wide.weight.abs().sum() == 0
    nn.init.normal_(wide.weight)  # it begins as 0, which no test would notice
    hidden = torch.relu(dense(torch.cat([pixels.mean((2, 3)), side], 1)))
    expected = network.head(hidden) + side @ wide.weight
    torch.testing.assert_close(network(Images(pixels, side=side)), expected)


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


TEXTS = Input((1, 1, None), vocabulary=9, side=5, sparse=True)


def one_hot(entries: list[int]) -> SparseRows:
    n = len(entries)
    return SparseRows(torch.tensor(entries), torch.ones(n), torch.arange(n))


def test_side_features_alone_are_logistic_regression() -> None:
    network = Network(parse("wide"), TEXTS, outputs=3)
    assert {name for name, _ in network.named_parameters()} == {"head.bias", "wide.weight"}
    images = Images(torch.ones(4, 1, 1, 2, dtype=torch.long), side=one_hot([0, 3, 3, 4]))
    assert network(images).tolist() == [[0, 0, 0]] * 4
    weight, bias = network.wide.weight, network.head.bias
    weight.data.normal_()
    bias.data.normal_()
    torch.testing.assert_close(network(images), weight[[0, 3, 3, 4]] + bias)


def test_side_features_alone_learn() -> None:
    network = Network(parse("wide"), TEXTS, outputs=2)
    images = Images(torch.ones(5, 1, 1, 2, dtype=torch.long), side=one_hot([0, 1, 2, 3, 4]))
    truth = torch.tensor([0, 1, 1, 1, 0])
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    for _ in range(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), truth).backward()
        optimizer.step()
    assert torch.equal(network(images).argmax(1), truth)
    assert network.head.bias[1] > network.head.bias[0]  # three of five


def test_side_features_alone_give_one_row_of_votes_for_each_item_of_several_windows() -> None:
    network = Network(parse("wide"), TEXTS, outputs=2)
    network.wide.weight.data.normal_()
    pixels = torch.ones(7, 1, 1, 2, dtype=torch.long)
    images = Images(pixels, side=one_hot([2, 4, 0]), windows=torch.tensor([4, 1, 2]))
    torch.testing.assert_close(network(images), network.wide.weight[[2, 4, 0]])


def test_tables_biases_and_norms_do_not_decay() -> None:
    text = (
        "embed 4"
        " | par(conv 3x1x2 | gmp ; conv 3x1x3 | norm | gmp ; conv 3x1x1 | norm group 3 | gap)"
        " | dense 5 | relu | wide"
    )
    network = Network(parse(text), TEXTS, outputs=2)
    named = {id(weight): name for name, weight in network.named_parameters()}
    fixed = {named[id(weight)] for weight in network.undecayed()}
    assert len(network.undecayed()) == len(fixed)
    kinds = nn.Conv2d | nn.Linear
    kernels = {id(m.weight) for m in network.modules() if isinstance(m, kinds)}
    assert fixed == {name for weight, name in named.items() if weight not in kernels}
    assert {"body.0.layer.weight", "wide.weight", "head.bias"} <= fixed
