"""The swap test as a whole, on tables whose answer is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from cnnkit.cnncore.image import Float32Array
from cnnkit.cnncore.swap_test import comparison, trained
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.procedure import swap_test
from cnnkit.cnncore.swap_test.result import SwapTestResult
from cnnkit.cnncore.swap_test.target import TableError


def ridge_only(table: PreparedTable, **_: Any) -> dict[str, Float32Array]:
    """Stand in for the models that know of no order, in a moment: trees learn nothing."""
    truth = table.target.matrix()
    said = np.empty_like(truth)
    for design, (train, test) in zip(table.designs, table.folds, strict=True):
        said[test] = Ridge(10).fit(design[train], truth[train]).predict(design[test]).reshape(
            len(test), -1
        )  # fmt: skip
    if table.target.classes:
        said = np.clip(said, 0.01, 1)
        said /= said.sum(axis=1, keepdims=True)
    return {"linear": said, "gradient boosting": table.prior()}


@pytest.fixture
def simple_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "baseline_predictions", ridge_only)


@pytest.fixture
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = trained.plan_for
    monkeypatch.setattr(trained, "plan_for", lambda *facts: replace(usual(*facts), steps=10))


def quick(X: Any, y: Any, **settings: Any) -> SwapTestResult:
    """Run the test without trained networks, on one thread and with few orders."""
    usual: dict[str, Any] = {
        "n_permutations": 19, "time_limit": 0, "n_jobs": 1, "device": "cpu", "cv": 2
    }  # fmt: skip
    return swap_test(X, y, **{**usual, **settings})


def motif_table(n: int = 240, columns: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Hide one of two short waves at any place in noise: only neighbours together tell which."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, columns))
    y = generator.integers(2, size=n)
    waves = 3 * np.array([[1, -1, 1, -1, 1, -1], [1, 1, 1, -1, -1, -1]])
    for row, start in enumerate(generator.integers(columns - 5, size=n)):
        X[row, start : start + 6] += waves[y[row]]
    return X, np.array(["jagged", "round"])[y]


def plain_table(n: int = 200, columns: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw independent columns, each with a vote of its own."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, columns))
    return X, X @ generator.normal(size=columns) + generator.normal(size=n)


def lasting(result: SwapTestResult) -> dict[str, Any]:
    """Return everything but the times."""
    found = result.to_dict()
    found.pop("seconds")
    return found


@pytest.fixture(scope="module")
def motif() -> SwapTestResult:
    return quick(*motif_table(), n_permutations=39)


@pytest.fixture(scope="module")
def plain() -> SwapTestResult:
    return quick(*plain_table())


def test_where_only_neighbours_together_tell_the_order_matters(motif: SwapTestResult) -> None:
    assert motif.verdict == "order matters"
    assert motif.pvalue == 1 / 40
    assert motif.gain_share > 0.2
    assert motif.score > motif.permutation_scores.max()
    assert motif.advice.model == "cnn"


def test_where_each_column_has_its_own_vote_the_order_does_not_matter(
    plain: SwapTestResult,
) -> None:
    assert plain.verdict == "order does not matter"
    assert plain.advice.model == "linear"
    assert plain.interval[0] <= plain.effect <= plain.interval[1] < 0.05
    assert plain.task == "regression"


@pytest.mark.usefixtures("simple_models")
def test_p_values_of_tables_whose_columns_were_shuffled_are_not_small() -> None:
    """Of 20 such tables 1 is expected at 0.05; 6 or more happen once in 3,000 trials."""
    X, y = motif_table(n=60, columns=10)
    generator = np.random.default_rng(0)
    found = [
        quick(X[:, generator.permutation(10)], y, random_state=seed).pvalue for seed in range(20)
    ]
    assert sum(p <= 0.05 for p in found) < 6
    assert sum(p <= 0.5 for p in found) < 18


@pytest.mark.usefixtures("simple_models")
def test_where_the_targets_were_shuffled_nothing_is_claimed() -> None:
    """p may be small by chance, and a little more often, as the columns aren't alike."""
    X, y = motif_table(n=200, columns=16)
    generator = np.random.default_rng(0)
    found = [quick(X, generator.permutation(y), random_state=seed) for seed in range(5)]
    assert sum(one.pvalue <= 0.05 for one in found) <= 1
    assert {one.verdict for one in found} == {"inconclusive"}
    assert {one.advice.model for one in found} == {"none"}
    assert all("learns" in one.reason for one in found)


def test_p_is_the_share_of_orders_that_do_as_well(
    motif: SwapTestResult, plain: SwapTestResult
) -> None:
    for found in (motif, plain):
        scores = found.permutation_scores[: found.settings["draws"]]
        as_good = int((scores >= found.score).sum())
        expected = 20 / len(scores) if as_good == 20 else (1 + as_good) / (len(scores) + 1)
        assert found.pvalue == pytest.approx(expected)


def test_the_same_seed_gives_the_same_result_and_another_one_other_orders(
    plain: SwapTestResult,
) -> None:
    again, other = quick(*plain_table()), quick(*plain_table(), random_state=1)
    assert lasting(again) == lasting(plain)
    np.testing.assert_array_equal(again.correlation, plain.correlation)
    assert other.permutation_scores.tolist() != plain.permutation_scores.tolist()
    assert other.verdict == plain.verdict


@pytest.mark.usefixtures("simple_models")
def test_neither_a_frame_nor_the_number_of_threads_changes_anything() -> None:
    X, y = plain_table()
    frame = pd.DataFrame(X, columns=[f"column {number}" for number in range(1, 9)])
    array = lasting(quick(X, y))
    assert lasting(quick(frame, pd.Series(y))) == array
    assert lasting(quick(X, y, n_jobs=2)) == array


def test_everything_can_be_written_as_json(motif: SwapTestResult) -> None:
    read = json.loads(json.dumps(motif.to_dict(), allow_nan=False))
    assert read["verdict"] == "order matters"
    assert read["pvalue"] == motif.pvalue
    assert read["classes"] == ["jagged", "round"]
    assert read["effect"] == {
        "value": motif.effect, "low": motif.interval[0], "high": motif.interval[1]
    }  # fmt: skip
    assert len(read["permutation_scores"]) == len(motif.permutation_scores) == 39
    assert [unit["name"] for unit in read["units"]] == [f"column {k}" for k in range(1, 33)]
    assert read["settings"]["seed"] == 0
    assert read["settings"]["permutations"] == 39
    assert read["seconds"]["total"] >= sum(
        seconds for step, seconds in read["seconds"].items() if step != "total"
    ) - 0.01  # fmt: skip


def test_the_result_can_be_printed_and_drawn(motif: SwapTestResult, plain: SwapTestResult) -> None:
    for found in (motif, plain):
        assert found.verdict in repr(found).lower()
        assert found.plot().get_xlabel()


@pytest.mark.usefixtures("simple_models")
def test_columns_that_move_together_are_one_unit_of_the_test() -> None:
    """A target of groups of levels: moving 0/1 columns one by one would change it, units don't."""
    generator = np.random.default_rng(0)
    level = generator.integers(6, size=240)
    frame = pd.DataFrame({f"level {k}": (level == k) * 1.0 for k in range(6)})
    for k in range(5):
        frame[f"number {k}"] = generator.normal(size=240)
    y = (level < 3) * 1.0 + generator.normal(size=240)
    levels = [f"level {k}" for k in range(6)]
    found = quick(frame, y, units=[levels])
    assert [unit.name for unit in found.units] == list(frame.columns)
    assert found.settings["shape"] == [1, 11]
    swapped = quick(frame[[*frame.columns[6:], *levels]], y, units=[levels])
    assert swapped.correlation.shape == found.correlation.shape
    alone = quick(frame, y, units=[])
    assert alone.permutation_scores.tolist() != found.permutation_scores.tolist()
    by_itself = quick(frame, y)
    assert by_itself.permutation_scores.tolist() == found.permutation_scores.tolist()
    assert "one category written as 6 columns" in " ".join(by_itself.notes)


@pytest.mark.usefixtures("simple_models")
def test_the_correlations_are_those_of_the_units_also_where_some_move_together() -> None:
    X, y = plain_table()
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    found = quick(frame, y, units=[["b", "c"]])
    assert found.correlation.shape == (len(found.units), len(found.units))


@pytest.mark.usefixtures("simple_models")
def test_an_image_is_read_row_by_row() -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(200, 5, 6))
    y = (X[:, 1:] * X[:, :-1]).sum(axis=(1, 2))  # neighbours above each other
    found = quick(X.reshape(200, 30), y, shape=(5, 6))
    assert found.settings["shape"] == [5, 6]
    assert found.pvalue == 0.05


@pytest.mark.usefixtures("simple_models")
def test_handwritten_digits_are_an_image_though_their_corners_never_vary() -> None:
    digits = load_digits()
    found = quick(digits.data, digits.target, shape=(8, 8), max_rows=200)
    assert found.settings["shape"] == [8, 8]
    assert found.score > found.permutation_scores.mean()


@pytest.mark.usefixtures("simple_models")
@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_fewer_than_five_columns_are_never_enough(columns: int) -> None:
    X, y = plain_table(n=60, columns=columns)
    found = quick(X, y)
    assert found.verdict == "inconclusive"
    assert str(columns) in found.reason
    assert json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.usefixtures("simple_models")
@pytest.mark.parametrize("columns", [5, 6, 7, 8])
def test_few_columns_can_be_tested(columns: int) -> None:
    X, y = plain_table(n=60, columns=columns)
    assert 0 < quick(X, y).pvalue <= 1


@pytest.mark.usefixtures("simple_models", "short_training")
def test_trained_networks_stand_beside_the_test() -> None:
    X, y = plain_table(n=60)
    found = quick(X, y > 0, time_limit=600)
    assert {"cnn", "cnn shuffled", "linear", "gradient boosting"} < set(found.scores)
    assert len(found.network_scores) == 9
    assert not any("left out" in note for note in found.notes)


def test_that_networks_were_left_out_is_said(plain: SwapTestResult) -> None:
    assert "cnn" not in plain.scores
    assert plain.network_scores.shape == (0,)
    assert any("trained networks" in note and "left out" in note for note in plain.notes)


@pytest.mark.usefixtures("simple_models", "short_training")
def test_networks_can_be_the_engine_of_everything() -> None:
    X, y = plain_table(n=40, columns=6)
    found = quick(X, y, engine="cnn")
    assert found.settings["engine"] == "cnn"
    assert len(found.permutation_scores) == 19
    assert 0 < found.pvalue <= 1
    cheap = quick(X, y)
    assert found.score != cheap.score
    assert found.baselines == cheap.baselines


@pytest.mark.usefixtures("simple_models")
def test_rows_are_drawn_from_large_tables_and_it_is_said() -> None:
    found = quick(*plain_table(n=201), max_rows=60)
    assert (found.rows, found.rows_total) == (60, 201)
    assert any("60 of 201" in note for note in found.notes)


@pytest.mark.usefixtures("simple_models")
def test_groups_make_the_interval_wider_where_rows_are_repeated() -> None:
    X, y = plain_table(n=40)
    groups = np.repeat(np.arange(40), 5)
    rows, grouped = quick(X[groups], y[groups]), quick(X[groups], y[groups], groups=groups)

    def width(found: SwapTestResult) -> float:
        return found.scores["linear"].high - found.scores["linear"].low

    assert width(rows) < 0.7 * width(grouped)


@pytest.mark.usefixtures("simple_models")
def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    quick(*plain_table(n=60), on_progress=lambda *news: told.append(news))
    assert ("random orders", 19, 19) in told
    assert all(0 <= done <= total for _, done, total in told)


def test_all_settings_that_are_out_of_range_are_told_at_once() -> None:
    X, y = plain_table(n=40)
    with pytest.raises(ValueError, match="n_permutations") as caught:
        swap_test(
            X, y, n_permutations=18, cv=1, margin=0, alpha=1, max_rows=19, engine="rnadom",
            time_limit=-1,
        )  # fmt: skip
    said = str(caught.value)
    for word in ("n_permutations=18", "cv=1", "margin=0", "alpha=1", "max_rows=19", "rnadom"):
        assert word in said
    assert "time_limit=-1" in said
    assert 'did you mean "random"' in said


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"margin": float("nan")}, "margin"),
        ({"alpha": float("nan")}, "alpha"),
        ({"alpha": 0.01}, "n_permutations.*99|alpha.*n_permutations"),  # p can't fall to 0.01
        ({"random_state": -1}, "random_state"),
        ({"random_state": None}, "random_state"),
        ({"device": "gpu"}, "device"),
        ({"scoring": "accuracy"}, "r2"),
        ({"task": "regresion"}, "regression"),
        ({"shape": (3, 3)}, "9 pixels"),
        ({"units": [["column 1", "column 9"]]}, "column 9"),
        ({"groups": np.arange(39)}, "40"),
        ({"time": np.arange(41)}, "40"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quick(*plain_table(n=40), **settings)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((5, 3)), np.zeros(4), "X has 5 rows, y has 4"),
        (np.zeros(5), np.zeros(5), "rows and columns"),
        (np.zeros((0, 4)), np.zeros(0), "no rows"),
        (np.random.default_rng(0).normal(size=(50, 6)), np.zeros(50), "always"),
        (np.random.default_rng(0).normal(size=(50, 6)), np.full(50, np.nan), "missing"),
        (np.ones((50, 6)), np.arange(50) % 2, "no column can be used"),
        (np.random.default_rng(0).normal(size=(50, 6)), np.zeros((50, 2)), r"\(50, 2\)"),
    ],
)
def test_a_table_that_cannot_be_tested_is_refused_with_a_reason(
    X: np.ndarray, y: np.ndarray, message: str
) -> None:
    with pytest.raises(TableError, match=message):
        quick(X, y)
