"""Networks computed together are what they are alone."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cnnkit.cnncore.image import Images
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layer_types import Layers, to_text
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.spec import parse
from cnnkit.cnncore.swap_test.networks import BatchedNetwork

SPECS = [
    "conv 6x3x5 | pool 2x2/2 | relu | conv 5x3x3 | gelu | par(gap ; gmp ; avgpool 2x3 | flatten)",
    "conv 4x2x4/2 | silu | conv 3x1x5/1x2 | elu | par(conv 2x1x1 ; ) | gsum | dense 7 | tanh",
    "2*(conv 4x3x1 | relu | avgpool 3x2/1) | pool 1x3/2 | flatten | wide",
]


def networks_of(spec: str, count: int, side: int = 0) -> list[Network]:
    torch.manual_seed(0)
    layers, image = parse(spec), Input((2, 9, 14), side=side)
    networks = [Network(layers, image, outputs=3) for _ in range(count)]
    for network in networks:
        for weights in network.parameters():  # no bias and no vote begins at 0
            torch.nn.init.normal_(weights, std=0.3)
    return networks


def batch_last(images: list[Tensor]) -> Tensor:
    return torch.stack([each.movedim(0, -1) for each in images])


@pytest.mark.parametrize("spec", SPECS)
def test_networks_vote_together_as_they_do_alone(spec: str) -> None:
    side = 5 if "wide" in spec else 0
    networks = networks_of(spec, 4, side)
    pixels = [torch.randn(6, 2, 9, 14) for _ in networks]
    sides = [torch.randn(6, side) if side else None for _ in networks]

    together = BatchedNetwork(networks)
    columns = batch_last([each for each in sides if each is not None]) if side else None
    votes = together(batch_last(pixels), columns)

    assert votes.shape == (4, 3, 6)
    for network, own, beside, found in zip(networks, pixels, sides, votes, strict=True):
        torch.testing.assert_close(found.T, network(Images(own, side=beside)))


def test_random_specs_vote_together_as_they_do_alone_or_are_refused(
    random_networks: list[tuple[Layers, Input]],
) -> None:
    compared = 0
    for layers, image in random_networks:
        if None in image.shape:
            continue
        if re.search("embed|norm|drop|res|side", to_text(layers)):
            with pytest.raises(ValueError, match="found a layer"):
                BatchedNetwork([Network(layers, image, outputs=2)])
            continue
        networks = [Network(layers, image, outputs=2) for _ in range(2)]
        pixels = [torch.randn(3, *image.shape) for _ in networks]
        sides = [torch.randn(3, image.side) for _ in networks]
        votes = BatchedNetwork(networks)(batch_last(pixels), batch_last(sides))
        for network, own, beside, found in zip(networks, pixels, sides, votes, strict=True):
            torch.testing.assert_close(found.T, network(Images(own, side=beside)))
        compared += 1
    assert compared > 10


@pytest.mark.parametrize("spec", SPECS)
def test_training_together_equals_separate_trainings(spec: str) -> None:
    side = 5 if "wide" in spec else 0
    networks = networks_of(spec, 3, side)
    together = BatchedNetwork(networks)
    pixels = torch.randn(3, 40, 2, 9, 14)
    sides = torch.randn(3, 40, side)
    classes = torch.randint(3, (3, 40))
    minibatches = [torch.randint(40, (8,)) for _ in range(25)]
    settings = {"lr": 1e-3, "betas": (0.9, 0.99), "weight_decay": 0.3, "fused": True}

    optimizer = torch.optim.AdamW(together.parameters(), **settings)
    for rows in minibatches:
        votes = together(pixels[:, rows].movedim(1, -1), sides[:, rows].transpose(1, 2))
        loss = functional.cross_entropy(votes, classes[:, rows], reduction="sum") / len(rows)
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()

    after = together(pixels.movedim(1, -1), sides.transpose(1, 2))
    for number, network in enumerate(networks):
        before = {name: weights.clone() for name, weights in network.state_dict().items()}
        alone = torch.optim.AdamW(network.parameters(), **settings)
        for rows in minibatches:
            images = Images(pixels[number, rows], side=sides[number, rows] if side else None)
            torch.autograd.backward(
                functional.cross_entropy(network(images), classes[number, rows])
            )
            alone.step()
            alone.zero_grad()
        learnt = together.weights_of(number)
        torch.testing.assert_close(learnt, dict(network.state_dict()), atol=1e-4, rtol=1e-3)
        assert all((learnt[name] - before[name]).abs().max() > 1e-3 for name in learnt)
        images = Images(pixels[number], side=sides[number] if side else None)
        torch.testing.assert_close(after[number].T, network(images), atol=1e-3, rtol=1e-2)


def test_the_weights_of_one_make_a_network() -> None:
    networks = networks_of(SPECS[0], 3)
    other = Network(parse(SPECS[0]), (2, 9, 14), outputs=3)
    other.load_state_dict(BatchedNetwork(networks).weights_of(1))
    images = Images(torch.randn(5, 2, 9, 14))
    assert torch.equal(other(images), networks[1](images))


def test_the_given_networks_keep_their_weights() -> None:
    (network,) = networks_of(SPECS[0], 1)
    before = {name: weights.clone() for name, weights in network.state_dict().items()}
    together = BatchedNetwork([network, network])
    for weights in together.parameters():
        torch.nn.init.zeros_(weights)
    assert all(torch.equal(before[name], weights) for name, weights in network.state_dict().items())


@pytest.mark.parametrize(
    ("layer", "name"),
    [("norm", "BatchNorm"), ("norm group 2", "GroupNorm"), ("drop 0.5", "Dropout")],
)
def test_a_layer_that_is_not_supported_is_named(layer: str, name: str) -> None:
    network = Network(parse(f"conv 4x3x3 | {layer} | relu | gap"), (1, 8, 8), outputs=2)
    with pytest.raises(ValueError, match=f"found a layer {name}; .*conv, pool"):
        BatchedNetwork([network])
