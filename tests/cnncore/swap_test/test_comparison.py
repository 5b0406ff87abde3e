"""Scores for people, against scikit-learn's, with networks and models whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

from cnnkit.cnncore.image import Float32Array, IntArray
from cnnkit.cnncore.swap_test import comparison
from cnnkit.cnncore.swap_test.comparison import Comparison, compare_models
from cnnkit.cnncore.swap_test.orders import draw_orders
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.target import Target

N = 120


def table(classes: int, share: float = 0.5) -> PreparedTable:
    """Make a table of four columns; of two classes the first has a `share` of the rows."""
    generator = np.random.default_rng(0)
    signal = generator.normal(size=N)
    target = Target("y", "regression", signal)
    if classes:
        cuts = np.quantile(signal, [share] if classes == 2 else np.arange(1, classes) / classes)
        names = tuple(f"class {number}" for number in range(classes))
        target = Target("y", "classification", np.searchsorted(cuts, signal), names)
    parts = np.array_split(generator.permutation(N), 3)
    folds = tuple((np.setdiff1d(np.arange(N), part), np.sort(part)) for part in parts)
    design = np.c_[signal + generator.normal(size=N), generator.normal(size=(N, 3))]
    return PreparedTable((design.astype(np.float32),) * 3, (1,) * 4, folds, target, (1, 4))


def guesses(of: PreparedTable, noise: float, seed: int) -> Float32Array:
    """Blur the truth: class probabilities, or z-scores."""
    truth = of.target.matrix()
    blurred = truth + noise * np.random.default_rng(seed).normal(size=truth.shape)
    if of.target.classes:
        blurred = np.exp(blurred) / np.exp(blurred).sum(axis=1, keepdims=True)
    return blurred.astype(np.float32)


class KnownNetworks:
    """Stands in for trained networks: the given order blurs the truth less than the others."""

    def __init__(self, of: PreparedTable, notes: list[str] | None = None) -> None:
        self.said = [guesses(of, 0.5 + 0.1 * (number > 0), number) for number in range(30)]
        self.notes = notes or []
        self.asked: list[tuple[int, float]] = []

    def left_out(self, orders: int, time_limit: float) -> list[str]:
        self.asked.append((orders, time_limit))
        return self.notes

    def predictions(self, orders: Sequence[IntArray]) -> Float32Array:
        assert not self.notes
        return np.stack(self.said[: len(orders)])


def compared(
    of: PreparedTable, scoring: str, *, networks: Any = None, orders: int = 19, **options: Any
) -> Comparison:
    return compare_models(
        of,
        options.get("groups"),
        scoring,
        networks or KnownNetworks(of),
        draw_orders(of.widths, orders, seed=0),
        time_limit=60,
        seed=0,
        n_jobs=1,
        on_progress=options.get("on_progress", lambda what, done, total: None),
    )


@pytest.fixture
def known_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the models that know of no order blur the truth, too."""
    monkeypatch.setattr(
        comparison,
        "baseline_predictions",
        lambda of, **_: {"linear": guesses(of, 0.8, 50), "gradient boosting": guesses(of, 1, 51)},
    )


def by_sklearn(scoring: str, of: PreparedTable, said: Float32Array) -> float:
    if scoring == "accuracy":
        return float(accuracy_score(of.target.values, said.argmax(axis=1)))
    if scoring == "roc_auc":
        return float(roc_auc_score(of.target.values, said[:, 1]))
    known = (of.target.values - of.target.values.mean()) / of.target.values.std()
    return float(r2_score(known, said[:, 0]))


@pytest.mark.usefixtures("known_models")
@pytest.mark.parametrize(
    ("classes", "scoring", "always"),
    [
        (2, "accuracy", "majority class"),
        (4, "accuracy", "majority class"),
        (2, "roc_auc", "majority class"),
        (0, "r2", "mean"),
    ],
)
def test_scores_are_those_of_scikit_learn_on_all_rows(
    classes: int, scoring: str, always: str
) -> None:
    of = table(classes)
    networks = KnownNetworks(of)
    found = compared(of, scoring, networks=networks)
    assert list(found.scores) == ["cnn", "cnn shuffled", "linear", "gradient boosting", always]
    expected = [by_sklearn(scoring, of, said) for said in networks.said[:10]]
    assert found.scores["cnn"].value == pytest.approx(expected[0], abs=1e-5)
    np.testing.assert_allclose(found.network_scores, expected[1:], atol=1e-5)
    assert found.scores["cnn shuffled"].value == pytest.approx(np.mean(expected[1:]), abs=1e-5)
    linear = by_sklearn(scoring, of, guesses(of, 0.8, 50))
    assert found.scores["linear"].value == pytest.approx(linear, abs=1e-5)
    assert found.notes == []


@pytest.mark.usefixtures("known_models")
@pytest.mark.parametrize(("classes", "scoring"), [(2, "accuracy"), (0, "r2"), (2, "roc_auc")])
def test_every_score_lies_within_its_interval(classes: int, scoring: str) -> None:
    for name, score in compared(table(classes), scoring).scores.items():
        assert score.low <= score.value <= score.high, name


@pytest.mark.usefixtures("known_models")
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_what_needs_no_model_scores_what_it_must(share: float) -> None:
    of = table(2, share)
    networks = KnownNetworks(of, ["left out"])
    accuracy = compared(of, "accuracy", networks=networks).scores["majority class"].value
    assert accuracy == pytest.approx(share, abs=0.01 if share > 0.5 else 0.06)
    auc = compared(of, "roc_auc", networks=networks).scores["majority class"].value
    assert auc == pytest.approx(0.5)
    assert compared(table(0), "r2", networks=networks).scores["mean"].value == pytest.approx(0)


@pytest.mark.usefixtures("known_models")
def test_skills_are_shares_of_the_squared_error_that_disappear() -> None:
    for of in (table(3), table(0)):
        found = compared(of, "accuracy" if of.target.classes else "r2").skills
        truth = of.target.matrix()
        prior = np.zeros_like(truth)
        for train, test in of.folds:
            prior[test] = truth[train].mean(axis=0)
        for name, said in (
            ("linear", guesses(of, 0.8, 50)),
            ("gradient boosting", guesses(of, 1, 51)),
        ):
            expected = 1 - np.square(said - truth).sum() / np.square(prior - truth).sum()
            assert found[name] == pytest.approx(expected, abs=1e-5)


@pytest.mark.usefixtures("known_models")
@pytest.mark.parametrize(("orders", "trained"), [(199, 10), (5, 6)])
def test_networks_are_trained_on_the_given_order_and_at_most_nine_others(
    orders: int, trained: int
) -> None:
    of = table(2)
    networks = KnownNetworks(of)
    found = compared(of, "accuracy", networks=networks, orders=orders)
    assert networks.asked == [(trained, 60)]
    assert len(found.network_scores) == trained - 1


@pytest.mark.usefixtures("known_models")
def test_networks_that_are_left_out_have_no_scores_and_it_is_said() -> None:
    of = table(2)
    found = compared(of, "accuracy", networks=KnownNetworks(of, ["trained networks: left out"]))
    assert list(found.scores) == ["linear", "gradient boosting", "majority class"]
    assert found.network_scores.shape == (0,)
    assert found.notes == ["trained networks: left out"]


@pytest.mark.usefixtures("known_models")
def test_rows_of_few_groups_make_wider_intervals() -> None:
    """All rows of a group are copies of one row, so there is less to learn from them."""
    of = table(2)
    groups = np.repeat(np.arange(12), N // 12)
    values = np.repeat(of.target.values[:12], N // 12)
    copies = PreparedTable(
        of.designs, of.widths, of.folds, Target("y", "classification", values, ("a", "b")), of.shape
    )
    networks = KnownNetworks(copies)
    networks.said = [np.repeat(guesses(of, 1.0, 3)[:12], N // 12, axis=0)] * 30
    rows = compared(copies, "accuracy", networks=networks)
    grouped = compared(copies, "accuracy", networks=networks, groups=groups)
    assert grouped.scores["cnn"].value == rows.scores["cnn"].value
    width, wider = (one.scores["cnn"].high - one.scores["cnn"].low for one in (rows, grouped))
    assert wider > 2 * width


def test_real_models_learn_a_plain_signal_and_progress_is_told() -> None:
    of = table(2)
    told: list[tuple[str, int, int]] = []
    found = compared(of, "accuracy", on_progress=lambda *news: told.append(news))
    assert found.scores["linear"].value > 0.65
    assert found.skills["linear"] > 0.1
    assert told[-1][1] == told[-1][2]
