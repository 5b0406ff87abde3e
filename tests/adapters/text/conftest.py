"""Small sets of texts, and models that learn them in a moment."""

from __future__ import annotations

import random

import pytest

from cnnkit import CNNClassifier, load, save
from cnnkit.adapters import TextAdapter

TELLING = {
    "down": ["bad", "awful", "poor", "dull"],
    "up": ["good", "great", "fine", "superb"],
}
FILLER = [f"w{number}" for number in range(30)]


def make_opinions(count, seed=0):
    """Texts with one telling word each, and what it tells."""
    chance = random.Random(seed)
    labels = [chance.choice(["down", "up"]) for _ in range(count)]
    texts = []
    for label in labels:
        words = chance.choices(FILLER, k=chance.randrange(2, 15))
        words.insert(chance.randrange(len(words)), chance.choice(TELLING[label]))
        texts.append(" ".join(words))
    return texts, labels


def make_small(**settings):
    """Count single words alone: pairs of them would be learnt by heart."""
    given = {"network": "text-quick", "epochs": 3, "batch_size": 16, "learning_rate": 0.01}
    return CNNClassifier(TextAdapter(n_grams=1), device="cpu", **(given | settings))


@pytest.fixture
def opinions():
    return make_opinions


@pytest.fixture
def small():
    return make_small


@pytest.fixture
def round_trip():
    return lambda model, folder: load(save(model, folder / "model"))
