"""Many networks of one spec as a single module, which computes them all at once.

A small network spends much of its time on the overhead of each operation. Here one operation
serves all networks: the features of their images stand side by side, as groups of one convolution
(float32 [B, M * C, H, W] for B items of M networks), and plain features [M, F, B] are weighted by
one batched matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnkit.cnncore.layers import (
    Branches,
    Convolution,
    GlobalPool,
    OnValues,
    Wide,
    WindowPool,
)
from cnnkit.cnncore.network import ACTIVATION_MODULES, Network


class BatchedNetwork(nn.Module):
    """Networks of one spec, side by side.

    Each has weights of its own, whose gradient depends on its own votes alone. With an optimiser
    that treats each weight alone, such as AdamW, each learns what it would learn by itself.

    Parameters
    ----------
    networks : sequence of Network
        At least one; all of one spec of `conv`, `pool`, `avgpool`, activations, `gap`, `gmp`,
        `gsum`, `flatten`, `dense`, `par( … ; … )`, `N*( … )` and `wide`. Their weights are copied,
        so one network may be given several times.

    Raises
    ------
    ValueError
        If the spec has other layers.

    Examples
    --------
    >>> from cnnkit.cnncore.spec import parse
    >>> network = Network(parse("conv 4x1x3 | relu | par(gap ; gmp)"), (1, 1, 20), outputs=2)
    >>> batched = BatchedNetwork([network] * 3)
    >>> batched(torch.zeros(3, 1, 1, 20, 8)).shape
    torch.Size([3, 2, 8])
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        self.names = [name for name, _ in networks[0].named_parameters()]
        self.body = _batched([network.body for network in networks])
        self.head = _Linear([cast(nn.Linear, network.head) for network in networks])
        wide = [network.wide for network in networks if network.wide is not None]
        self.wide = _Wide(wide) if wide else None

    def forward(self, pixels: Tensor, side: Tensor | None = None) -> Tensor:
        """Return the votes.

        Parameters
        ----------
        pixels : float32 Tensor [M, C, H, W, B]
            A minibatch of B images for each of the M networks.
        side : float32 Tensor [M, S, B] or None
            Side features, where the spec has `wide`.

        Returns
        -------
        Tensor
            float32 [M, outputs, B]
        """
        side_by_side = pixels.movedim(-1, 0).flatten(1, 2)
        # As in `Network`: training steps are 1.3 to 1.6 times as fast (measured on a CPU).
        side_by_side = side_by_side.contiguous(memory_format=torch.channels_last)
        votes: Tensor = self.head(self.body(side_by_side))
        return votes if self.wide is None else votes + self.wide(side)

    def weights_of(self, model: int) -> dict[str, Tensor]:
        """Return a copy of one network's weights, as `Network.load_state_dict` takes them."""
        return {
            name: weights[model].detach().clone()
            for name, weights in zip(self.names, self.parameters(), strict=True)
        }


def _batched(layers: Sequence[Any]) -> nn.Module:
    """Make one layer of the same layer of each network."""
    match layers[0]:
        case nn.Sequential():
            return nn.Sequential(*[_batched(same) for same in zip(*layers, strict=True)])
        case Branches():
            branches = zip(*[layer.branches for layer in layers], strict=True)
            return _Branches([_batched(same) for same in branches], len(layers))
        case Convolution():
            return _Convolution(layers)
        case WindowPool():
            return _WindowPool(layers[0])
        case GlobalPool(word=word):
            return _GlobalPool(word, len(layers))
        case OnValues(layer=nn.Linear()):
            return _Linear([layer.layer for layer in layers])
        case OnValues(layer=layer) if type(layer) in ACTIVATION_MODULES.values():
            return layer
        case nn.Identity():
            return nn.Identity()
    found = layers[0].layer if isinstance(layers[0], OnValues) else layers[0]
    raise ValueError(
        f"found a layer {type(found).__name__}; networks can be computed together that consist of "
        "conv, pool, avgpool, activations, gap, gmp, gsum, flatten, dense, par( … ; … ), N*( … ) "
        "and wide"
    )


def _stack(tensors: Sequence[Tensor]) -> nn.Parameter:
    return nn.Parameter(torch.stack([tensor.detach() for tensor in tensors]))


class _Linear(nn.Module):
    def __init__(self, layers: Sequence[nn.Linear | nn.Conv2d]) -> None:
        super().__init__()
        self.weight = _stack([layer.weight for layer in layers])
        biases = [layer.bias for layer in layers if layer.bias is not None]
        self.bias = _stack(biases) if biases else None

    def forward(self, features: Tensor) -> Tensor:
        if self.bias is None:
            return self.weight @ features
        return torch.baddbmm(self.bias[:, :, None], self.weight, features)


class _Wide(nn.Module):
    def __init__(self, layers: Sequence[Wide]) -> None:
        super().__init__()
        self.weight = _stack([layer.weight for layer in layers])

    def forward(self, side: Tensor) -> Tensor:
        return self.weight.mT @ side


class _Convolution(_Linear):
    def __init__(self, layers: Sequence[Convolution]) -> None:
        super().__init__([layer.layer for layer in layers])
        (up, left), (down, right) = layers[0].before, layers[0].after
        self.around = (left, right, up, down) if layers[0].uneven else None
        self.padding, self.stride = layers[0].layer.padding, layers[0].layer.stride

    def forward(self, pixels: Tensor) -> Tensor:
        if self.around is not None:
            pixels = functional.pad(pixels, self.around)
        weight = self.weight.flatten(0, 1)
        bias = None if self.bias is None else self.bias.flatten()
        groups = len(self.weight)
        return functional.conv2d(pixels, weight, bias, self.stride, self.padding, groups=groups)


class _WindowPool(nn.Module):
    def __init__(self, layer: WindowPool) -> None:
        super().__init__()
        self.pool = functional.avg_pool2d if layer.mean else functional.max_pool2d
        self.window, self.stride = layer.window, layer.stride

    def forward(self, pixels: Tensor) -> Tensor:
        return self.pool(pixels, self.window, self.stride)


class _GlobalPool(nn.Module):
    def __init__(self, word: str, networks: int) -> None:
        super().__init__()
        self.word, self.networks = word, networks

    def forward(self, pixels: Tensor) -> Tensor:
        features = self._pooled(pixels).reshape(len(pixels), self.networks, -1)
        return features.permute(1, 2, 0)

    def _pooled(self, pixels: Tensor) -> Tensor:
        match self.word:
            case "gap":
                return pixels.mean((2, 3))
            case "gmp":
                return pixels.amax((2, 3))
            case "gsum":
                return pixels.sum((2, 3))
        return pixels


class _Branches(nn.Module):
    def __init__(self, branches: Sequence[nn.Module], networks: int) -> None:
        super().__init__()
        self.branches, self.networks = nn.ModuleList(branches), networks

    def forward(self, values: Tensor) -> Tensor:
        after = [branch(values) for branch in self.branches]
        if after[0].ndim == 3:
            return torch.cat(after, 1)
        images = [torch.unflatten(each, 1, (self.networks, -1)) for each in after]
        return torch.cat(images, 2).flatten(1, 2)
