import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.estimator_checks import parametrize_with_checks

from cnnkit.adapters import BadItemsError, TextAdapter
from cnnkit.cnncore import fitting
from cnnkit.cnncore.arrays import ArrayImages
from cnnkit.cnncore.estimator import CNNClassifier, CNNRegressor
from cnnkit.cnncore.image import Samples, join

RNG = np.random.default_rng(0)
SMALL = "conv 4x3x3 | norm | relu | gap | drop 0.2"
TABLE = {"network": "flatten | dense 16 | relu", "epochs": 10, "learning_rate": 0.05}
ROUNDING = {
    "check_methods_subset_invariance": "float32 sums of batches of other sizes differ by 1e-7"
}


def stripes(n: int = 32, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images [n, 1, 4, 8] of noise, every other one with stripes: easy, but not by one pixel."""
    rng = np.random.default_rng(seed)
    X = rng.normal(scale=0.5, size=(n, 1, 4, 8)).astype(np.float32)
    X[::2] += np.tile([[1.0, -1.0], [-1.0, 1.0]], (2, 4))
    return X, np.where(np.arange(n) % 2 == 0, "striped", "plain")


def small(**settings) -> CNNClassifier:
    settings = {"network": SMALL, "epochs": 3, "device": "cpu"} | settings
    return CNNClassifier(**settings)


def weights(model) -> list[torch.Tensor]:
    return [weight for network in model.networks_ for weight in network.state_dict().values()]


def same_weights(one, other) -> bool:
    return all(map(torch.equal, weights(one), weights(other)))


@parametrize_with_checks(
    [CNNClassifier(**TABLE, device="cpu"), CNNRegressor(**TABLE, device="cpu")],
    expected_failed_checks=lambda estimator: ROUNDING,
)
def test_the_estimators_keep_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_default_classifier_learns_what_it_has_seen():
    X, y = stripes(40)
    model = CNNClassifier(epochs=8, device="cpu").fit(X[:30], y[:30])
    assert model.score(X[30:], y[30:]) == 1.0
    assert model.classes_.tolist() == ["plain", "striped"]
    assert model.network_.startswith("conv 16x3x3")


@pytest.mark.parametrize("ensemble", [1, 2])
def test_the_same_seed_gives_the_same_weights_bit_for_bit(ensemble):
    X, y = stripes()
    settings = {"ensemble": ensemble, "mixup": 0.5, "validation_fraction": 0.25}
    first, again = (small(**settings).fit(X, y) for _ in range(2))
    assert same_weights(first, again)
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not same_weights(first, small(**settings, random_state=1).fit(X, y))


def test_the_networks_of_an_ensemble_differ_from_the_beginning_to_the_end():
    X, y = stripes()
    differ = []

    def compare(model):
        one, other = (network.head.weight for network in model.networks_)
        differ.append(not torch.equal(one, other))

    compare(small(ensemble=2).fit(X, y, on_start=compare))
    assert differ == [True, True]


def test_the_first_network_of_an_ensemble_is_the_single_one():
    X, y = stripes()
    alone, pair = small(ensemble=1).fit(X, y), small(ensemble=2).fit(X, y)
    assert all(map(torch.equal, weights(alone), weights(pair)))


def test_fitting_and_predicting_leave_the_global_generators_as_they_were():
    X, y = stripes()
    torch.manual_seed(7)
    np.random.seed(7)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    threads = torch.get_num_threads()
    small(ensemble=2, mixup=0.5, validation_fraction=0.25).fit(X, y).predict(X)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    assert torch.get_num_threads() == threads


def test_the_state_of_the_global_generator_does_not_matter():
    X, y = stripes()
    torch.manual_seed(1)
    first = small().fit(X, y)
    torch.manual_seed(2)
    assert same_weights(first, small().fit(X, y))


def test_a_random_state_object_is_accepted_and_moves_on():
    X, y = stripes()
    source = np.random.RandomState(3)
    first, second = (small(random_state=source).fit(X, y) for _ in range(2))
    assert not same_weights(first, second)
    assert same_weights(first, small(random_state=np.random.RandomState(3)).fit(X, y))


def test_the_classifier_works_in_pipelines_and_cross_validation():
    X, y = stripes(24)
    flat = X.reshape(24, -1)
    fold = FunctionTransformer(np.reshape, kw_args={"shape": (-1, 1, 4, 8)})
    # Centred pixels would make plain images negatives of stripes: stripes, one pixel further.
    scale = StandardScaler(with_mean=False)
    network = small(network="conv 8x3x3 | relu | gap", epochs=40, learning_rate=0.03)
    model = make_pipeline(scale, fold, network)
    assert model.fit(flat, y).predict_proba(flat).shape == (24, 2)
    assert cross_val_score(model, flat, y, cv=2).mean() > 0.8


def test_networks_can_be_searched():
    X, y = stripes(16)
    networks = [SMALL, "flatten | dense 4 | relu"]
    search = GridSearchCV(small(), {"network": networks}, cv=2).fit(X, y)
    assert search.best_params_["network"] in networks
    assert len(search.cv_results_["mean_test_score"]) == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_clone_has_the_parameters_and_nothing_learnt():
    X, y = stripes()
    model = small(class_weight={"plain": 2.0, "striped": 1.0}, mixup=0.1).fit(X, y)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(X)


@pytest.mark.parametrize("kind", [CNNClassifier, CNNRegressor])
def test_a_fitted_estimator_survives_pickling(kind):
    X, _ = stripes()
    y = np.arange(32) % 2
    model = kind(network=SMALL, epochs=2, ensemble=2, device="cpu").fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_balanced_class_weights_are_those_of_scikit_learn():
    X, _ = stripes()
    y = np.array(["rare"] * 4 + ["common"] * 28)
    model = small(class_weight="balanced").fit(X, y)
    expected = compute_class_weight("balanced", classes=model.classes_, y=y)
    np.testing.assert_allclose(model.objective_.class_weight.numpy(), expected)
    unweighted = small().fit(X, y)
    probability = [m.predict_proba(X)[:, 1].mean() for m in (model, unweighted)]
    assert probability[0] > probability[1]


def test_several_targets_are_predicted_at_once_in_their_units():
    X = RNG.normal(size=(60, 5)).astype(np.float32)
    y = np.column_stack([1000 + 50 * X[:, 0], X[:, 1] - X[:, 2]])
    settings = {**TABLE, "epochs": 30, "device": "cpu"}
    model = CNNRegressor(**settings).fit(X, y)
    assert model.predict(X).shape == (60, 2)
    assert model.score(X, y) > 0.9
    assert CNNRegressor(**TABLE, device="cpu").fit(X, y[:, 0]).predict(X).shape == (60,)


def test_targets_that_are_not_finite_are_refused():
    X, _ = stripes(8)
    with pytest.raises(ValueError, match="NaN"):
        CNNRegressor(device="cpu").fit(X, [0, 1, 2, 3, 4, 5, 6, np.nan])
    with pytest.raises(ValueError, match=r"first in row 2 of those that could be read \(2 in all"):
        CNNRegressor(TextAdapter(), device="cpu").fit(list("abcd"), [0, 1, np.inf, None])


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["a", "b", None, "a"], "y[2] is None: expected a label for each row"),
        ([1.0, np.nan, 0.0, np.nan], "y[1] is nan, and 1 more: expected a label"),
        (np.array([0, 1, np.nan, 1], np.float32), "y[2] is nan: "),
        (pd.Series(["a", "b", pd.NA, "a"], dtype=object), "y[2] is <NA>: "),
        (["a", np.nan, "b", "a"], "y[1] is nan: "),
    ],
)
def test_a_missing_label_is_refused_with_its_place(labels, said):
    with pytest.raises(ValueError, match="expected a label") as caught:
        CNNClassifier(TextAdapter(), device="cpu").fit(["one", "two", "three", "four"], labels)
    assert said in str(caught.value)
    known = ["a", "b", "a", "b"]
    with pytest.raises(ValueError, match=r"^validation y\[") as caught:
        CNNClassifier(TextAdapter(), device="cpu").fit(known, known, validation=(known, labels))
    assert said in str(caught.value)


def test_a_single_class_is_refused_by_name():
    X, _ = stripes(8)
    with pytest.raises(ValueError, match=r"1 class, \['a'\]"):
        small().fit(X, ["a"] * 8)


def test_given_validation_data_choose_the_epoch_and_the_temperature():
    X, y = stripes(40)
    model = small(epochs=6, patience=2).fit(X[:24], y[:24], validation=(X[24:], y[24:]))
    losses = [record["val_loss"] for record in model.history_]
    assert model.temperature_ != 1.0
    said = model.probabilities(model.adapter_.read(X[24:]), calibrated=False)
    truth = np.searchsorted(model.classes_, y[24:])
    loss = -np.log(said[np.arange(16), truth]).mean()
    assert loss == pytest.approx(min(losses), rel=1e-4)


def test_a_validation_fraction_is_held_out_in_equal_shares_of_the_classes():
    X, y = stripes(40)
    X[:, 0, 0, 0] = np.arange(40)
    seen = []
    model = small(validation_fraction=0.25, batch_size=30)
    model.fit(X, y, on_start=lambda m: seen.append(m.plan_.batch_size))
    assert seen == [30]
    assert "val_loss" in model.history_[0]
    assert "val_loss" not in small().fit(X, y).history_[0]


WORDS = ["aabb", "abab", "baab", "ccdd", "cdcd", "dccd"] * 4
KINDS = ["early", "early", "early", "late", "late", "late"] * 4


def test_an_adapter_takes_items(letter_adapter):
    model = CNNClassifier(letter_adapter(), epochs=20, device="cpu").fit(WORDS, KINDS)
    assert model.score(WORDS, KINDS) == 1.0
    assert not hasattr(model.adapter, "spec_")
    assert model.predict_proba(["ab", "dddd", "c"]).shape == (3, 2)


@pytest.mark.parametrize("ensemble", [1, 2])
def test_augmented_training_can_be_repeated_bit_for_bit(letter_adapter, ensemble):
    def fit(noise: float) -> CNNClassifier:
        adapter = letter_adapter(noise=noise)
        return CNNClassifier(adapter, ensemble=ensemble, mixup=0.3, epochs=3).fit(WORDS, KINDS)

    assert same_weights(fit(0.5), fit(0.5))
    assert not same_weights(fit(0.5), fit(0.0))


def test_samples_that_the_adapter_has_read_stand_for_the_items(letter_adapter):
    direct = CNNClassifier(letter_adapter(), epochs=2, device="cpu").fit(WORDS, KINDS)
    adapter = letter_adapter()
    samples = adapter.fit_read(WORDS)
    given = CNNClassifier(adapter, epochs=2, device="cpu").fit(samples, KINDS)
    assert same_weights(direct, given)
    np.testing.assert_array_equal(given.predict_proba(samples), direct.predict_proba(WORDS))


def test_no_copy_of_a_held_out_item_is_trained_on(letter_adapter, monkeypatch):
    def read_training(self, items):
        return join([self.read(items), self.read([item[::-1] for item in items])])

    def watch(networks, renderer, feed, *rest, validation, on_epoch):
        seen.update(train=feed.samples, val=validation[0].samples)
        return []

    seen: dict[str, Samples] = {}
    letter_adapter.read_training = read_training
    monkeypatch.setattr(fitting, "train", watch)
    CNNClassifier(letter_adapter(), validation_fraction=0.25).fit(WORDS, KINDS)
    assert seen["val"].version.tolist() == [0] * 6
    assert len(seen["train"]) == 2 * 18
    assert {*seen["train"].items}.isdisjoint(seen["val"].items)


def test_items_that_can_not_be_read_are_left_out_with_a_warning(letter_adapter):
    words, kinds = ["a?", *WORDS, "?"], ["late", *KINDS, "early"]
    with pytest.warns(UserWarning, match="2 of 26 items could not be read.*item 0 'a.'"):
        model = CNNClassifier(letter_adapter(), epochs=2).fit(words, kinds)
    assert same_weights(model, CNNClassifier(letter_adapter(), epochs=2).fit(WORDS, KINDS))
    with pytest.warns(UserWarning, match="1 of 2 items could not be read"):
        model.fit(WORDS, KINDS, validation=(["?", "aabb"], ["late", "early"]))
    with pytest.raises(BadItemsError, match="has a question mark"):
        model.predict(["aabb", "?"])


def test_validation_items_of_which_none_can_be_read_are_refused(letter_adapter):
    model = CNNClassifier(letter_adapter(), epochs=2)
    with pytest.raises(ValueError, match="1 of 1 items could not be read; the first: item 0"):
        model.fit(WORDS, KINDS, validation=(["?"], ["early"]))


def test_targets_of_another_length_than_the_items_are_refused(letter_adapter):
    samples = letter_adapter().fit_read(WORDS)
    unequal = pytest.raises(ValueError, match="inconsistent numbers of samples")
    with unequal:
        CNNClassifier(letter_adapter()).fit(WORDS, KINDS[:-1])
    with unequal:
        CNNClassifier(letter_adapter().fit(WORDS)).fit(samples, KINDS[:-1])
    with unequal:
        CNNClassifier(letter_adapter()).fit(WORDS, KINDS, validation=(WORDS, KINDS[:-1]))


def test_images_of_another_shape_are_refused():
    X, y = stripes()
    model = small().fit(X, y)
    with pytest.raises(ValueError, match=r"trained on \(1, 4, 8\)"):
        model.predict(X.reshape(-1, 1, 8, 4))
    with pytest.raises(ValueError, match=r"trained on \(1, 4, 8\)"):
        small().fit(X, y, validation=(X[:, :, :, :4], y))


def test_validation_labels_must_be_known():
    X, y = stripes()
    with pytest.raises(ValueError, match=r"'dotted'.* not among the training labels"):
        small().fit(X, y, validation=(X[:2], ["dotted", "plain"]))


@pytest.mark.parametrize(
    ("n", "settings", "batch_size", "epochs"),
    [
        (6400, {}, 64, 4),  # 400 steps would be 25 600 images, 4 epochs of 100 steps
        (100, {}, 8, 67),  # 6 400 images, 12 whole batches of 8 in an epoch
        (100, {"batch_size": 50}, 50, 200),  # 400 steps, 2 in an epoch
        (100, {"epochs": 3}, 8, 3),
        (5, {}, 5, 1280),
        (50_000, {}, 64, 4),
    ],
)
def test_open_settings_are_filled_in_by_the_number_of_images(n, settings, batch_size, epochs):
    model = CNNRegressor(**settings)
    model.adapter_ = ArrayImages()
    model.adapter_.fit_read(np.zeros((n, 1)))
    plan = model._plan(n, seed=0)
    assert (plan.batch_size, plan.epochs) == (batch_size, epochs)


def test_every_epoch_is_reported_as_it_ends():
    X, y = stripes()
    records = []
    model = small(epochs=4).fit(X, y, on_epoch=records.append)
    assert [record["epoch"] for record in records] == [1, 2, 3, 4]
    assert model.history_ == records


@pytest.mark.parametrize(
    "settings",
    [{"epochs": 0}, {"batch_size": -4}, {"ensemble": 0}, {"learning_rate": 0.0}, {"mixup": -1}],
)
def test_impossible_settings_are_refused_by_name(settings: dict[str, float]) -> None:
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name}=.*: expected"):
        CNNClassifier(network="gap", **settings).fit(np.eye(8), [0, 1] * 4)


def test_fits_in_threads_give_the_same_weights_as_one_after_the_other() -> None:
    X, y = np.random.default_rng(0).normal(size=(16, 5)), [0, 1] * 8

    def fit(seed: int) -> torch.Tensor:
        network = "flatten | dense 64 | relu"
        model = CNNClassifier(network=network, epochs=2, random_state=seed).fit(X, y)
        return torch.cat([w.flatten() for w in model.networks_[0].state_dict().values()])

    before = torch.get_rng_state()
    alone = [fit(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fit, range(8)))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_is_learnt_from_items_that_are_held_out():
    # Each text has a word of its own: those of held-out texts are not to be among the n-grams.
    texts = [f"word{number} {'good' if number % 2 else 'bad'}" for number in range(40)]
    labels = ["good" if number % 2 else "bad" for number in range(40)]
    adapter = TextAdapter(n_grams=1)
    model = CNNClassifier(adapter, network="text-quick", epochs=1, validation_fraction=0.25)
    assert len(model.fit(texts, labels).adapter_.keys_) == 30 + 2
