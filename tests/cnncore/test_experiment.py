import numpy as np
import pytest
import torch
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from cnnkit.cnncore.estimator import CNNClassifier, CNNRegressor
from cnnkit.cnncore.experiment import Experiment, Fitted
from cnnkit.cnncore.image import join

RNG = np.random.default_rng(0)
WORDS = ["".join(RNG.permutation(list("aabb" if row % 2 else "ccdd"))) for row in range(36)]
LABELS = np.array(["early" if row % 2 else "late" for row in range(36)], dtype=object)
NUMBERS = np.array([10.0 * word.count("a") + len(word) for word in WORDS])
TRAIN, VAL, TEST = np.arange(20), np.arange(20, 28), np.arange(28, 36)
NONE = np.array([], dtype=np.int64)


def experiment(adapter, *, words=WORDS, targets=LABELS, task="classification", **more):
    kind = CNNClassifier if task == "classification" else CNNRegressor
    model = kind(epochs=3, device="cpu")
    return Experiment(adapter, model, words, targets, task, **more)


def weights(fitted: Fitted) -> list[torch.Tensor]:
    return list(fitted.model.networks_[0].state_dict().values())


def test_each_item_is_read_once_over_all_folds(letter_adapter):
    run = experiment(letter_adapter())
    fits = [run.fit(np.setdiff1d(np.arange(36), fold), NONE, fold) for fold in (TEST, VAL, TRAIN)]
    run.fit_everything(fits, np.arange(36))
    assert letter_adapter.reads == [WORDS]


def test_items_are_read_again_where_the_training_part_changes_the_reading(letter_adapter):
    words = ["eaabb", *WORDS[1:]]
    run = experiment(letter_adapter(), words=words, with_baseline=False)
    for train in (TRAIN, np.arange(1, 20), np.arange(2, 20), TRAIN):
        run.fit(train, NONE, TEST)
    assert letter_adapter.reads == [words] * 3


def test_nothing_is_read_again_where_only_the_drawing_differs(letter_adapter):
    class Drawn(letter_adapter):
        rendering_only = ("windows_",)

        def fit_reading(self, items, y=None):
            super().fit_reading(items, y)
            self.windows_ = len(items)
            return self

    run = experiment(Drawn(), with_baseline=False)
    fits = [run.fit(train, NONE, TEST) for train in (TRAIN, np.arange(19))]
    assert [fitted.model.adapter_.windows_ for fitted in fits] == [20, 19]
    assert Drawn.reads == [WORDS]


def test_targets_of_the_test_part_change_nothing_in_the_network(letter_adapter):
    shuffled = LABELS.copy()
    shuffled[TEST] = LABELS[TEST][::-1]
    assert (shuffled != LABELS).any()
    fits = [
        experiment(letter_adapter(), targets=targets).fit(TRAIN, VAL, TEST)
        for targets in (LABELS, shuffled)
    ]
    assert all(map(torch.equal, *map(weights, fits)))
    assert fits[0].model.temperature_ == fits[1].model.temperature_
    for model in ("network", "baseline", "majority"):
        first, second = (getattr(fitted, model)["test"].outputs for fitted in fits)
        np.testing.assert_array_equal(first, second)


def test_contents_of_the_test_part_change_nothing_in_the_network(letter_adapter):
    others = [*WORDS[:28], *["dcba"] * 8]
    fits = [
        experiment(letter_adapter(), words=words).fit(TRAIN, VAL, TEST) for words in (WORDS, others)
    ]
    assert all(map(torch.equal, *map(weights, fits)))


def test_the_network_learns_from_the_training_part_alone(letter_adapter):
    fitted = experiment(letter_adapter()).fit(TRAIN, NONE, TEST)
    model = CNNClassifier(letter_adapter(), epochs=3, device="cpu")
    model.fit([WORDS[row] for row in TRAIN], LABELS[TRAIN])
    assert all(map(torch.equal, weights(fitted), model.networks_[0].state_dict().values()))
    said = model.predict_proba([WORDS[row] for row in TEST])
    np.testing.assert_array_equal(fitted.network["test"].outputs, said)


def test_the_adapter_learns_from_the_training_part_alone(letter_adapter):
    train = np.arange(1, 20)  # one class more often, so that the mean is not that of all words
    fitted = experiment(letter_adapter()).fit(train, VAL, TEST)
    assert letter_adapter.fits == [[f"{WORDS[row]} is {LABELS[row]}" for row in train]]
    samples = letter_adapter().fit_read([WORDS[row] for row in train])
    assert fitted.model.adapter_.mean_ == float(samples.values.mean())


def test_altered_copies_are_for_training_only(letter_adapter):
    def read_training(self, items):
        return join([self.read(items), self.read([item[::-1] for item in items])])

    plain = experiment(letter_adapter()).fit(TRAIN, VAL, TEST)
    letter_adapter.read_training = read_training
    run = experiment(letter_adapter())
    fitted = run.fit(TRAIN, VAL, TEST)
    assert fitted.network["test"].rows.tolist() == TEST.tolist()
    assert fitted.network["val"].rows.tolist() == VAL.tolist()
    assert not all(map(torch.equal, weights(plain), weights(fitted)))
    np.testing.assert_array_equal(fitted.baseline["test"].outputs, plain.baseline["test"].outputs)
    assert run.count_readable(TRAIN) == 20


def test_predictions_stand_beside_the_item_numbers_of_their_part(letter_adapter):
    fitted = experiment(letter_adapter()).fit(TRAIN, VAL, TEST)
    for said in (fitted.network, fitted.baseline, fitted.majority):
        assert {part: one.rows.tolist() for part, one in said.items()} == {
            "val": VAL.tolist(),
            "test": TEST.tolist(),
        }
        for one in said.values():
            np.testing.assert_allclose(one.outputs.sum(axis=1), 1)
    assert fitted.majority["test"].outputs[0].tolist() == [0.5, 0.5]


def test_rejected_items_are_listed_and_predicted_by_nobody(letter_adapter):
    words = list(WORDS)
    words[3] = words[30] = "a?b"
    read = []
    run = experiment(
        letter_adapter(), words=words, on_read=lambda a, problems: read.append(problems)
    )
    fitted = run.fit(TRAIN, NONE, TEST)
    assert [problem.item for problem in run.problems] == [3, 30]
    assert read == [run.problems]
    for said in (fitted.network, fitted.baseline, fitted.majority):
        assert said["test"].rows.tolist() == [28, 29, 31, 32, 33, 34, 35]
    assert fitted.majority["test"].outputs[0] == pytest.approx([9 / 19, 10 / 19])
    assert (run.count_readable(TRAIN), run.count_readable(TEST)) == (19, 7)


def three_classes() -> np.ndarray:
    targets = LABELS.copy()
    targets[[20, 28, 29]] = "never"
    return targets


@pytest.mark.parametrize("probable", [True, False])
def test_a_class_that_the_training_part_lacks_gets_no_votes(letter_adapter, probable):
    if not probable:
        letter_adapter.baseline = scores_baseline
    run = experiment(letter_adapter(), targets=three_classes())
    fitted = run.fit(TRAIN, VAL, TEST)
    assert run.classes.tolist() == ["early", "late", "never"]
    assert fitted.network["test"].outputs[:, 2].tolist() == [0] * 8
    assert fitted.network["test"].outputs.shape == (8, 3)
    assert fitted.majority["test"].outputs[0].tolist() == [0.5, 0.5, 0]
    baseline = fitted.baseline["test"]
    assert baseline.probable is probable
    assert set(baseline.chosen("classification")) == {0, 1}


def scores_baseline(self, task):
    shares = FunctionTransformer(lambda items: [[item.count(x) for x in "abcd"] for item in items])
    return make_pipeline(shares, RidgeClassifier())


@pytest.mark.parametrize("targets", [LABELS, np.array(list("xyz") * 12, dtype=object)])
def test_a_baseline_without_probabilities_is_judged_by_its_scores(letter_adapter, targets):
    letter_adapter.baseline = scores_baseline
    fitted = experiment(letter_adapter(), targets=targets).fit(TRAIN, NONE, TEST)
    said = fitted.baseline["test"]
    model = scores_baseline(None, "").fit([WORDS[row] for row in TRAIN], targets[TRAIN])
    chosen = np.unique(targets)[said.chosen("classification")]
    assert chosen.tolist() == model.predict([WORDS[row] for row in TEST]).tolist()
    assert not said.probable
    assert "log_loss" not in said.score(
        np.unique(targets, return_inverse=True)[1], "classification"
    )


def test_numbers_are_predicted_in_their_units_beside_their_mean(letter_adapter):
    fitted = experiment(letter_adapter(), targets=NUMBERS, task="regression").fit(TRAIN, VAL, TEST)
    assert fitted.network["test"].outputs.shape == (8,)
    np.testing.assert_allclose(fitted.majority["test"].outputs, NUMBERS[TRAIN].mean())
    np.testing.assert_allclose(fitted.baseline["test"].outputs, NUMBERS[TEST], atol=5)
    assert fitted.uncalibrated is None


def test_without_a_baseline_none_is_trained(letter_adapter):
    letter_adapter.baseline = lambda self, task: DummyRegressor("not a strategy")
    fitted = experiment(letter_adapter(), with_baseline=False).fit(TRAIN, VAL, TEST)
    assert fitted.baseline == {}


def test_calibration_never_raises_the_log_loss_of_the_validation_part(letter_adapter):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        noisy = np.where(rng.random(36) < 0.3, LABELS[::-1], LABELS)
        run = experiment(letter_adapter(), targets=noisy)
        fitted = run.fit(TRAIN, VAL, TEST)
        before, after = fitted.uncalibrated.outputs, fitted.network["val"].outputs
        assert log_loss(run.y[VAL], after) <= log_loss(run.y[VAL], before) + 1e-9
        assert (before.argmax(axis=1) == after.argmax(axis=1)).all()


@pytest.mark.parametrize("with_val", [False, True])
def test_the_final_temperature_suits_the_raw_votes_of_all_folds(letter_adapter, with_val):
    rng = np.random.default_rng(1)
    noisy = np.where(rng.random(36) < 0.3, LABELS[::-1], LABELS)
    run = experiment(letter_adapter(), targets=noisy, with_baseline=False)
    folds = np.arange(36).reshape(3, 12)
    fits, raw = [], []
    for fold in folds:
        train = np.setdiff1d(np.arange(36), fold)
        val = train[:6] if with_val else NONE
        fits.append(run.fit(train[6:] if with_val else train, val, fold))
        samples = run._samples[np.flatnonzero(np.isin(run._samples.items, fold))]
        raw.append(fits[-1].model.probabilities(samples, calibrated=False))
    final = run.fit_everything(fits, np.arange(36))
    logits, truth = np.log(np.concatenate(raw)), run.y[folds.ravel()]

    def cost(temperature: float) -> float:
        p = np.exp(logits / temperature)
        p /= p.sum(axis=1, keepdims=True)
        return -np.log(p[np.arange(36), truth]).sum() + np.log(temperature) ** 2 / 2

    best = cost(final.model.temperature_)
    assert all(best <= cost(t) + 1e-9 for t in np.geomspace(0.1, 10, 400))
    assert final.network == {}


def test_classes_that_a_fold_can_not_know_do_not_count_for_the_final_temperature(letter_adapter):
    run = experiment(letter_adapter(), targets=three_classes(), with_baseline=False)
    fit = run.fit(TRAIN, NONE, TEST)
    final = run.fit_everything([fit], np.arange(36))
    known = Experiment(
        letter_adapter(), run.model, WORDS[:28] + WORDS[30:], np.delete(three_classes(), [28, 29]),
        "classification", with_baseline=False,
    )  # fmt: skip
    fit = known.fit(TRAIN, NONE, np.arange(28, 34))
    expected = known.fit_everything([fit], np.arange(34)).model.temperature_
    assert final.model.temperature_ == pytest.approx(expected, rel=1e-4)
