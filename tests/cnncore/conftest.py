"""Random networks that fit their images, and an adapter for words."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from cnnkit.adapters import Adapter
from cnnkit.cnncore.errors import SpecError
from cnnkit.cnncore.image import Axis, Batch, Images, ImageSpec, Problem, Recipe, Renderer, Samples
from cnnkit.cnncore.input import Input
from cnnkit.cnncore.layer_types import Layers
from cnnkit.cnncore.shapes import shapes
from cnnkit.cnncore.spec import parse

LAYERS = [
    "conv 4x3x3", "conv 6x1x5/2", "conv 4x2x4", "pool 2x2/2", "pool 3x1/2x1", "avgpool 2x3/1",
    "norm", "norm group 2", "relu", "gap", "gmp", "gsum", "flatten", "dense 7", "drop 0.5", "side",
    "wide",
]  # fmt: skip


def random_text(rng: random.Random, depth: int = 2) -> str:
    """Draw layers that may or may not fit."""
    words = rng.choices(LAYERS, k=rng.randint(1, 5))
    if depth:
        inner = [random_text(rng, depth - 1) for _ in range(2)]
        words.append(rng.choice(["res({})", "3*({})", "par({} ; {})", "par( ; {})"]).format(*inner))
    rng.shuffle(words)
    return " | ".join(words)


def random_network(rng: random.Random) -> tuple[Layers, Input]:
    """Draw a network that fits its image: random layers, mended as the error message says."""
    lengths = [rng.choice([1, 2, 3, 8, 13, None]) for _ in range(2)]
    vocabulary = rng.choice([None, None, 9])
    image = Input((rng.randint(1, 3), *lengths), vocabulary, rng.choice([0, 2]))
    while True:
        layers = parse(random_text(rng))
        try:
            shapes(layers, image)
        except SpecError as error:
            if error.nearest is None:
                continue
            layers = parse(error.nearest)
        return layers, image


@pytest.fixture(scope="session")
def random_networks() -> list[tuple[Layers, Input]]:
    rng = random.Random(0)
    return [random_network(rng) for _ in range(300)]


class LetterRenderer(Renderer):
    """Draws a word as 1 × width pixels; in training each letter moves a little."""

    def __init__(self, width: int, mean: float, noise: float) -> None:
        super().__init__()
        self.width, self.mean, self.noise = width, mean, noise

    def forward(self, batch: Batch, generator=None, view: int = 0) -> Images:
        column = torch.arange(self.width, device=batch.starts.device)
        mask = (column < batch.lengths[:, None])[:, None, None]
        where = (batch.starts[:, None] + column).clamp(max=len(batch.values) - 1)
        pixels = torch.where(mask, batch.values[where, 0][:, None, None] - self.mean, 0.0)
        if self.training and self.noise:
            moved = torch.empty_like(pixels).normal_(0, self.noise, generator=generator)
            pixels = pixels + moved * mask
        return Images(pixels, mask)


class LetterAdapter(Adapter):
    """Words as rows of letters; a word with a "?" can't be read."""

    name = "letters"
    baseline_name = "letter shares"
    reads: list[list[str]]
    fits: list[list[str]]

    def __init__(self, width: int = 8, noise: float = 0.1, network: str = "gap") -> None:
        self.width = width
        self.noise = noise
        self.network = network

    def fit_reading(self, items, y=None):
        if y is not None:
            self.fits.append([f"{item} is {label}" for item, label in zip(items, y, strict=True)])
        self.alphabet_ = np.array(sorted({ord(letter) for item in items for letter in item}))
        columns = Axis("position", pixels=self.width)
        self.spec_ = ImageSpec(("letter",), None, columns)
        network = f"conv 4x1x3 | norm | relu | {self.network} | drop 0.2"
        self.recipe_ = Recipe(network=network, samples_seen=200, batch_size=8)
        self.decided_ = [f"{len(self.alphabet_)} letters"]
        return self

    def read(self, items):
        self.reads.append(list(items))
        good = [number for number, item in enumerate(items) if "?" not in item]
        rows = [np.searchsorted(self.alphabet_, [*map(ord, items[number])]) for number in good]
        return Samples(
            values=np.concatenate([[], *rows]).astype(np.float32)[:, None],
            offsets=np.cumsum([0, *map(len, rows)]),
            items=np.array(good, dtype=np.int64),
            summary=np.zeros((len(rows), 0), np.float32),
            problems=tuple(
                Problem(number, item, "has a question mark")
                for number, item in enumerate(items)
                if "?" in item
            ),
        )

    def fit_rendering(self, samples):
        self.mean_ = float(samples.values.mean())
        return self

    def renderer(self):
        return LetterRenderer(self.width, self.mean_, self.noise)

    def locate(self, item, row, column):
        return {"position": column}

    def edge_labels(self, item, axis, places):
        return [str(place) for place in places]

    def fingerprints(self, items):
        return list(items)

    def baseline(self, task="classification"):
        model = LogisticRegression() if task == "classification" else Ridge()
        return make_pipeline(FunctionTransformer(letter_shares), model)

    def demo(self):
        return ["aab", "bba"], ["a", "b"]


def letter_shares(items: list[str]) -> np.ndarray:
    """Count the first letters of the alphabet in each word, float64 [N, 4]."""
    return np.array([[item.count(letter) / len(item) for letter in "abcd"] for item in items])


@pytest.fixture
def letter_adapter() -> type[LetterAdapter]:
    """Make an adapter class that writes down what it has read, and what it was fitted on."""
    return type("CountingLetterAdapter", (LetterAdapter,), {"reads": [], "fits": []})
