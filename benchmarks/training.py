"""Training speed on the CPU, side by side in one run.

    python benchmarks/training.py [--rounds 5] [--threads 1]

Compares cnnkit's training step with what people write otherwise, on the same images, batch size,
optimiser and number of steps, interleaved round by round:

- *plain loop*: a PyTorch loop with a DataLoader over a TensorDataset, AdamW, NCHW memory;
- *skorch*: NeuralNetClassifier with the same module, optimiser and batch size;
- each with the identical network (pool before norm), and with the same layers in the customary
  order (conv, norm, relu, pool).

Prints samples per CPU-second and the ratios (median of the rounds' ratios, and their range).
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cnnkit import CNNClassifier
from cnnkit.cnncore import train
from cnnkit.cnncore.device import autocast_dtype
from cnnkit.cnncore.presets import PRESETS

SHAPE = (1, 64, 108)
CLASSES = 10
BATCH = 32


def customary(features: tuple[int, ...] = (16, 32, 64, 128)) -> nn.Sequential:
    """Build the audio preset's layers as tutorials order them: conv, norm, relu, pool."""
    return build(features, pool_first=False)


def identical(features: tuple[int, ...] = (16, 32, 64, 128)) -> nn.Sequential:
    """Build the audio preset in plain PyTorch: conv, pool, norm, relu."""
    return build(features, pool_first=True)


class MeanAndMaximum(nn.Module):
    """Global mean and maximum, side by side."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)


def build(features: tuple[int, ...], *, pool_first: bool) -> nn.Sequential:
    """Build one convolution in the first stage and two in each of the others."""
    layers: list[nn.Module] = []
    channels = 1
    for stage, width in enumerate(features):
        for pooled in (True,) if stage == 0 else (True, False):
            pool = [nn.MaxPool2d(2)] if pooled else []
            rest: list[nn.Module] = [nn.BatchNorm2d(width), nn.ReLU()]
            layers.append(nn.Conv2d(channels, width, 3, padding=1, bias=False))
            layers += pool + rest if pool_first else rest + pool
            channels = width
    return nn.Sequential(
        *layers, MeanAndMaximum(), nn.Dropout(0.2), nn.Linear(2 * channels, CLASSES)
    )


def plain_loop(make: Callable[[], nn.Module], X: Tensor, y: Tensor) -> None:
    """Train for one epoch as a tutorial would."""
    torch.manual_seed(0)
    network = make().train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=len(X) // BATCH)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    for images, labels in DataLoader(TensorDataset(X, y), BATCH, shuffle=True, drop_last=True):
        optimizer.zero_grad()
        loss_of(network(images), labels).backward()
        optimizer.step()
        schedule.step()


def skorch_fit(make: Callable[[], nn.Module], X: Tensor, y: Tensor) -> None:
    """Train for one epoch with skorch."""
    from skorch import NeuralNetClassifier

    torch.manual_seed(0)
    NeuralNetClassifier(
        make,
        criterion=nn.CrossEntropyLoss,
        criterion__label_smoothing=0.1,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=0.05,
        lr=3e-3,
        max_epochs=1,
        batch_size=BATCH,
        iterator_train__shuffle=True,
        iterator_train__drop_last=True,
        train_split=None,
        verbose=0,
    ).fit(X.numpy(), y.numpy())


def cnnkit_fit(X: Tensor, y: Tensor, *, low_precision: bool = True) -> None:
    """Train for one epoch with cnnkit; bfloat16 only where the CPU has it, and if wanted."""
    model = CNNClassifier(network=PRESETS["audio"], epochs=1, batch_size=BATCH, device="cpu")
    with patch.object(train, "autocast_dtype", autocast_dtype if low_precision else no_dtype):
        model.fit(X.numpy(), y.numpy())


def no_dtype(device: torch.device) -> None:
    """Stand in for a CPU without bfloat16."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=960)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    X = torch.from_numpy(rng.normal(size=(options.samples, *SHAPE)).astype(np.float32))
    y = torch.from_numpy(rng.integers(CLASSES, size=options.samples))
    y[:CLASSES] = torch.arange(CLASSES)
    rivals: dict[str, Callable[[], None]] = {
        "cnnkit": lambda: cnnkit_fit(X, y),
        "cnnkit, float32": lambda: cnnkit_fit(X, y, low_precision=False),
        "plain loop, identical network": lambda: plain_loop(identical, X, y),
        "skorch, identical network": lambda: skorch_fit(identical, X, y),
        "plain loop, customary order": lambda: plain_loop(customary, X, y),
        "skorch, customary order": lambda: skorch_fit(customary, X, y),
    }
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for fit in rivals.values():  # warm up: libraries, kernels, memory
        fit()
    for _ in range(options.rounds):
        for name, fit in rivals.items():
            began = time.process_time()
            fit()
            seconds[name].append(time.process_time() - began)
    dtype = autocast_dtype(torch.device("cpu")) or "float32"
    print(
        f"{options.samples} images {SHAPE}, batch {BATCH}, {torch.get_num_threads()} thread(s), "
        f"{options.rounds} rounds; cnnkit computes in {dtype}"
    )
    print(f"{'':<32}{'samples/CPU-s':>14}{'cnnkit is faster by':>24}{'cnnkit in float32 by':>24}")
    for name, spent in seconds.items():
        ratios = "".join(
            f"{compare(spent, seconds[own]):>24}" for own in ("cnnkit", "cnnkit, float32")
        )
        print(f"{name:<32}{options.samples / np.median(spent):>14.0f}{ratios}")


def compare(spent: list[float], own: list[float]) -> str:
    """Return the median and the range of the rounds' ratios."""
    ratio = np.array(spent) / np.array(own)
    return f"{np.median(ratio):.2f}x ({ratio.min():.2f} to {ratio.max():.2f})"


if __name__ == "__main__":
    main()
