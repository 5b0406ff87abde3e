"""Several labels for each row: from the estimator to the report."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from cnnkit.adapters.label_by_label import LabelByLabel
from cnnkit.cnncore import results
from cnnkit.cnncore.estimator import CNNClassifier
from cnnkit.cnncore.experiment import Experiment
from cnnkit.cnncore.model_folder import load, save
from cnnkit.cnncore.report import model_card, report
from cnnkit.cnncore.scores import Interval, Predictions, majority, verdict

SMALL = "conv 8x3x3 | norm | relu | gap"
TRAIN, VAL, TEST = np.arange(40), np.arange(40, 50), np.arange(50, 60)
NONE = np.array([], dtype=np.int64)
LABELS = ["<one>", "two"]


def patterns(n: int = 96, missing: float = 0.0):
    """Images with rows, with columns, both or neither; and which of the two they have."""
    rng = np.random.default_rng(0)
    X = rng.normal(scale=0.4, size=(n, 1, 6, 6)).astype(np.float32)
    y = (rng.random((n, 2)) < 0.5).astype(float)
    X[y[:, 0] == 1] += np.tile([[1.0], [-1.0]], (3, 6))
    X[y[:, 1] == 1] += np.tile([[1.0, -1.0]], (6, 3))
    y[rng.random((n, 2)) < missing] = np.nan
    return X, y


def small(**settings) -> CNNClassifier:
    return CNNClassifier(**{"network": SMALL, "epochs": 12, "device": "cpu"} | settings)


@pytest.mark.parametrize("settings", [{}, {"mixup": 0.2}, {"class_weight": "balanced"}])
def test_labels_are_learnt_from_the_cells_that_are_known(settings):
    X, y = patterns()
    partly = patterns(missing=0.4)[1]
    model = small(**settings).fit(X[:64], partly[:64])
    assert model.multilabel_
    assert model.classes_.tolist() == [0, 1]
    p = model.predict_proba(X[64:])
    assert min(roc_auc_score(y[64:, k], p[:, k]) for k in range(2)) > 0.9
    said = model.predict(X[64:])
    assert said.dtype == np.int64
    np.testing.assert_array_equal(said, p > 0.5)


def test_an_unknown_cell_teaches_nothing():
    X, y = patterns(32)
    y[:, 1] = np.nan
    y[0, 1] = 1
    first = small(epochs=2).fit(X, y)
    # The output of a label with a single positive cell is never pulled down.
    assert (first.predict_proba(X)[:, 1] > 0.5).mean() > 0.9


def test_a_data_frame_names_the_labels():
    X, y = patterns(24, missing=0.2)
    frame = pd.DataFrame(y, columns=["rows", "columns"])
    named, numbered = small(epochs=2).fit(X, frame), small(epochs=2).fit(X, y)
    assert named.classes_.tolist() == ["rows", "columns"]
    np.testing.assert_array_equal(named.predict_proba(X), numbered.predict_proba(X))


def test_validation_chooses_the_epoch_and_no_temperature():
    X, y = patterns(missing=0.2)
    y[70] = np.nan
    model = small(epochs=6).fit(X[:64], y[:64], validation=(X[64:], y[64:]))
    assert model.temperature_ == 1.0
    best = min(model.history_, key=lambda record: record["val_loss"])
    known = ~np.isnan(y[64:])
    p = model.predict_proba(X[64:])
    right = np.where(y[64:] == 1, p, 1 - p)[known]
    assert best["val_loss"] == pytest.approx(-np.log(right).mean(), rel=1e-4)
    held_out = small(epochs=3, validation_fraction=0.25).fit(X, y)
    assert "val_loss" in held_out.history_[0]
    nothing_known = np.full((8, 2), np.nan)
    model = small(epochs=2).fit(X, y, validation=(X[:8], nothing_known))
    assert "val_loss" not in model.history_[0]


@pytest.mark.parametrize(
    ("y", "settings", "message"),
    [
        (np.full((24, 2), 2), {}, "found 2 in row 0"),
        (np.tile([[np.nan, 1.0]], (24, 1)), {}, r"says anything about \[0\]"),
        (np.tile([[0, 1]], (24, 1)), {"class_weight": {0: 2.0}}, 'expected "balanced" or None'),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(y, settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings).fit(patterns(24)[0], y)


def test_validation_of_other_labels_is_refused():
    X, y = patterns(24)
    with pytest.raises(ValueError, match=r"shape \(24, 3\): expected \[N, 2\]"):
        small().fit(X, y, validation=(X, np.zeros((24, 3))))


def test_a_saved_model_keeps_its_labels(tmp_path):
    X, y = patterns(24, missing=0.2)
    model = small(epochs=2).fit(X, pd.DataFrame(y, columns=["ü", "b<"]))
    again = load(save(model, tmp_path / "model"), device="cpu")
    assert again.multilabel_
    assert again.classes_.tolist() == ["ü", "b<"]
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    config = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    del config["fitted"]["multilabel"]  # as an older version wrote it
    (tmp_path / "model" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert not load(tmp_path / "model", device="cpu").multilabel_


class Shares(BaseEstimator):
    """A baseline that asks of each label how often its first letter stands in a word."""

    def fit(self, items, y):
        assert np.isnan(y).any()  # what isn't known reaches a baseline as it is
        return self

    def decision_function(self, items):
        return np.array([[item.count("a") - 1, item.count("c") - 1] for item in items], float)


@pytest.fixture
def run(letter_adapter):
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcd"), size=6)) for _ in range(60)]
    y = np.array([["a" in word, "c" in word] for word in words], dtype=float)
    y[rng.random(y.shape) < 0.2] = np.nan
    letter_adapter.baseline = lambda self, task: Shares()
    model = CNNClassifier(epochs=3, device="cpu")
    return Experiment(letter_adapter(), model, words, y, "multilabel", labels=LABELS)


def test_an_experiment_scores_network_baseline_and_label_shares(run):
    fitted = run.fit(TRAIN, VAL, TEST)
    assert fitted.model.classes_.tolist() == LABELS
    assert fitted.uncalibrated is None
    share = np.nanmean(run.y[TRAIN], axis=0)
    np.testing.assert_allclose(fitted.majority["test"].outputs, np.tile(share, (10, 1)))
    assert not fitted.baseline["test"].probable
    content = results.metrics_json(run, results.score_parts(run, fitted), "shares")
    assert (content["task"], content["metric"]) == ("multilabel", "macro_f1")
    scores = {}
    for name, said in (("cnn", fitted.network["test"]), ("baseline", fitted.baseline["test"])):
        decided = said.outputs > (0.5 if name == "cnn" else 0)
        known = ~np.isnan(run.y[TEST])
        scores[name] = np.nanmean(
            [
                f1_score(run.y[TEST][known[:, k], k], decided[known[:, k], k], zero_division=np.nan)
                for k in range(2)
            ]
        )
        assert content[name]["test"]["macro_f1"]["value"] == pytest.approx(scores[name])
    ahead = results.ahead(run, fitted)
    assert ahead.value == pytest.approx(scores["cnn"] - scores["baseline"])
    table = results.label_scores(run, fitted)["labels"]
    assert [row["label"] for row in table] == LABELS
    assert [row["known"] for row in table] == (~np.isnan(run.y[TEST])).sum(axis=0).tolist()


def test_the_final_model_of_folds_has_no_temperature(run):
    run.with_baseline = False
    fits = [run.fit(np.setdiff1d(np.arange(60), fold), NONE, fold) for fold in (TEST, VAL)]
    final = run.fit_everything(fits, np.arange(60))
    assert final.model.temperature_ == 1.0
    assert results.label_scores(run, final) == {}
    assert "macro_f1" in results.fold_table(run, {"1": fits[0], "2": fits[1]})["cnn"]


def test_report_and_card_show_label_by_label_what_is_escaped(run):
    run.y[TEST, 1] = 0  # no F1 of its own to find
    fitted = run.fit(TRAIN, VAL, TEST)
    titles = {"majority": "label shares", "baseline": "shares", "cnn": "CNN"}
    metrics = {
        **results.metrics_json(run, results.score_parts(run, fitted), "shares"),
        **results.label_scores(run, fitted),
        "split": {"name": "random", "sizes": {"train": 40, "val": 10, "test": 10}},
    }
    page = report(
        fitted.model, "data", titles, metrics, experiment=run, shown=fitted, places=[""] * 60
    )
    assert "Label by label (test)" in page
    assert "<td>&lt;one&gt;</td>" in page
    assert "<td>–</td>" in page
    assert f"<td>{metrics['labels'][0]['accuracy']:.3f}</td>" in page
    assert page.count("<svg") == 1
    assert "macro_f1" in model_card(fitted.model, "data", titles, metrics)


def test_the_share_of_a_label_is_that_of_the_known_cells_in_training():
    y = np.array([[1, np.nan], [0, np.nan], [np.nan, np.nan], [1, 1]])
    said = majority(y, np.array([0, 1, 2]), np.array([3]), "multilabel", 0)
    assert said.outputs.tolist() == [[0.5, 0.0]]


def test_labels_are_predicted_above_a_half_or_above_zero():
    outputs = np.array([[0.4, 0.6], [-1.0, 0.2]])
    rows = np.arange(2)
    assert Predictions(rows, outputs).chosen("multilabel").tolist() == [[False, True], [False] * 2]
    scores = Predictions(rows, outputs, probable=False)
    assert scores.chosen("multilabel").tolist() == [[True, True], [False, True]]


def test_the_verdict_is_in_points_of_macro_f1():
    assert verdict(Interval(0.05, 0.01, 0.09), "multilabel", "SVM", 1200) == (
        "The CNN is ahead of SVM by 5.0 points of macro F1 [1.0, 9.0] on 1,200 test items."
    )


def test_a_baseline_with_probabilities_is_measured_by_them(run, letter_adapter):
    from sklearn.linear_model import LogisticRegression

    counts = FunctionTransformer(
        lambda items: np.array([[i.count(c) for c in "ac"] for i in items])
    )
    letter_adapter.baseline = lambda self, task: make_pipeline(
        counts, LabelByLabel(LogisticRegression())
    )
    fitted = run.fit(TRAIN, NONE, TEST)
    assert fitted.baseline["test"].probable
    assert "log_loss" in fitted.baseline["test"].score(run.y, "multilabel")
    assert fitted.baseline["test"].outputs.shape == (10, 2)
