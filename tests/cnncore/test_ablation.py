"""What the image adds is measured on the same split, and said in plain words."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit.adapters import TextAdapter
from cnnkit.cnncore.ablation import BOTH, IMAGE, SIDE, ablate, halves, in_words
from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.estimator import CNNClassifier
from cnnkit.cnncore.experiment import Experiment
from cnnkit.cnncore.presets import PRESETS
from cnnkit.cnncore.spec import parse


def test_the_halves_of_a_network_are_itself_without_the_other() -> None:
    found = halves(PRESETS["text"])
    assert parse(found[SIDE] + " | relu")[:1] == parse(PRESETS["text"])[-1:]
    assert f"{found[IMAGE]} | wide" == PRESETS["text"]
    joined = halves("conv 8x3x3 | relu | gap | side | dense 16 | relu")
    image = "conv 8x3x3 | relu | gap | dense 16 | relu"
    assert joined == {SIDE: "side | dense 16 | relu", IMAGE: image}
    twice = halves("gap | side | dense 16 | relu | wide")
    for beside in ("wide | forest", "forest | wide"):
        assert halves(f"conv 8x3x3 | gap | {beside}") == {SIDE: beside, IMAGE: "conv 8x3x3 | gap"}
    assert halves("conv 8x3x3 | gap | forest")[SIDE] == "wide | forest"
    assert twice == {SIDE: "side | dense 16 | relu | wide", IMAGE: "gap | dense 16 | relu"}


@pytest.mark.parametrize("network", ["wide", "side | dense 8 | relu", PRESETS["small"]])
def test_a_network_without_side_features_or_without_an_image_has_no_halves(network: str) -> None:
    assert halves(network) == {}


def ordered_pairs(count: int) -> tuple[list[str], np.ndarray]:
    """Make texts of the same words, whose class is which of two words stands first."""
    rng = np.random.default_rng(0)
    texts, labels = [], []
    for _ in range(count):
        first = int(rng.integers(2))
        words = list(rng.choice(["u", "v", "w", "x", "y", "z"], size=6))
        near, far = ("not", "good") if first else ("good", "not")
        words[2:2] = [near, str(rng.choice(["q", "r", "s"])), far]
        texts.append(" ".join(words))
        labels.append("ab"[first])
    return texts, np.array(labels, dtype=object)


def test_an_image_adds_what_n_grams_cannot_see(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels = ordered_pairs(300)
    adapter = TextAdapter(n_grams=1)
    experiment = Experiment(adapter, CNNClassifier(epochs=8), texts, labels, "classification")
    rows = {"train": np.arange(200), "val": np.arange(0), "test": np.arange(200, 300)}
    fitted = experiment.fit(**rows)
    before = dict(experiment.seconds)
    clock = iter([10.0, 12.5])
    monkeypatch.setattr("cnnkit.cnncore.ablation.perf_counter", lambda: next(clock))
    found = ablate(experiment, fitted, rows)
    assert found["seconds"] == 2.5
    assert found["part"] == "test"
    assert found["n"] == 100
    assert found[BOTH].value > 0.95
    assert found[IMAGE].value > 0.95
    assert found[SIDE].value < 0.7  # single words are the same in both classes
    assert found["adds"].value == pytest.approx(found[BOTH].value - found[SIDE].value)
    assert found["text"].startswith("The image is worth")
    assert experiment.seconds == before
    assert fitted.model.network_ == PRESETS["text"]


def test_nothing_is_compared_without_held_out_items() -> None:
    texts, labels = ordered_pairs(20)
    experiment = Experiment(TextAdapter(), CNNClassifier(epochs=1), texts, labels, "classification")
    none = np.arange(0)
    rows = {"train": np.arange(20), "val": none, "test": none}
    assert ablate(experiment, experiment.fit(**rows), rows) == {}


def test_words_say_which_half_is_enough() -> None:
    assert "costs 2.0 points" in in_words(Interval(-0.02, -0.03, -0.01), "classification", 9)
    assert "is worth 0.5 of RMSE" in in_words(Interval(-0.5, -0.7, -0.2), "regression", 9)
    assert in_words(Interval(0.0, -0.1, 0.1), "multilabel", 9).startswith("9 items can't tell")
