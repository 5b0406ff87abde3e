"""Training speed of the audio preset on a CUDA device, against the CPU and a hand-tuned loop.

    python benchmarks/gpu.py [--rounds 5] [--batch 256]

The hand-tuned loop holds all images on the device in channels_last memory, draws batches by a
permutation, trains in bfloat16 autocast with fused AdamW, and knows nothing of samples, renderers
or ensembles. Rounds are interleaved; times are of the wall clock, after the device has finished.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from cnnkit import CNNClassifier
from cnnkit.cnncore.image import Images
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.presets import PRESETS, resolve

SHAPE = (1, 64, 108)
CLASSES = 10


def hand_tuned(X: Tensor, y: Tensor, batch: int, epochs: int) -> None:
    """Train the preset's network with everything that is known to be fast on a GPU."""
    network = Network(resolve(PRESETS["audio"], SHAPE), SHAPE, CLASSES).cuda().train()
    X = X.cuda().contiguous(memory_format=torch.channels_last)
    y = y.cuda()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05, fused=True)
    for _ in range(epochs):
        order = torch.randperm(len(X), device="cuda")
        for rows in order.split(batch)[: len(X) // batch]:
            with torch.autocast("cuda", torch.bfloat16):
                logits = network(Images(X[rows]))
                loss = nn.functional.cross_entropy(logits, y[rows], label_smoothing=0.1)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()


def cnnkit_fit(X: Tensor, y: Tensor, batch: int, epochs: int, device: str) -> None:
    """Train one network with cnnkit."""
    model = CNNClassifier(network=PRESETS["audio"], epochs=epochs, batch_size=batch, device=device)
    model.fit(X.numpy(), y.numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=256)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("This benchmark needs a CUDA device, and torch finds none.")
    rng = np.random.default_rng(0)
    X = torch.from_numpy(rng.normal(size=(options.samples, *SHAPE)).astype(np.float32))
    y = torch.from_numpy(rng.integers(CLASSES, size=options.samples))
    some = options.samples // 16
    # name: (samples trained on, the run)
    rivals: dict[str, tuple[int, Callable[[], None]]] = {
        "cnnkit on cuda": (
            10 * options.samples,
            lambda: cnnkit_fit(X, y, options.batch, 10, "cuda"),
        ),
        "hand-tuned loop on cuda": (
            10 * options.samples,
            lambda: hand_tuned(X, y, options.batch, 10),
        ),
        "cnnkit on cpu": (some, lambda: cnnkit_fit(X[:some], y[:some], 32, 1, "cpu")),
    }
    speed: dict[str, list[float]] = {name: [] for name in rivals}
    for round_number in range(options.rounds + 1):  # the first is a warm-up
        for name, (samples, fit) in rivals.items():
            torch.cuda.synchronize()
            began = time.perf_counter()
            fit()
            torch.cuda.synchronize()
            if round_number:
                speed[name].append(samples / (time.perf_counter() - began))
    print(f"{torch.cuda.get_device_name()}, {options.rounds} rounds, images {SHAPE}")
    own = np.array(speed["cnnkit on cuda"])
    for name, values in speed.items():
        ratio = own / np.array(values)
        text = f"{np.median(ratio):.2f}x ({ratio.min():.2f} to {ratio.max():.2f})"
        print(f"{name:<26}{np.median(values):>12,.0f} samples/s   cnnkit on cuda is {text}")


if __name__ == "__main__":
    main()
