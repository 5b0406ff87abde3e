"""From items, targets and settings to trained networks: what both estimators share."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from cnnkit.cnncore import presets
from cnnkit.cnncore.arrays import ArrayImages
from cnnkit.cnncore.device import choose_device
from cnnkit.cnncore.feed import Feed
from cnnkit.cnncore.forest import Forest, learn_forests, vote
from cnnkit.cnncore.image import Samples
from cnnkit.cnncore.label_targets import HeldOut, check_known, column_names, rows_with_targets
from cnnkit.cnncore.layer_types import Side, to_text
from cnnkit.cnncore.layers import BatchNorm
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.objective import Float64Array, Objective
from cnnkit.cnncore.train import EpochRecord, Plan, predict, train

FEWEST_STEPS = 400  # fewer cost more accuracy than any augmentation gains (docs/audio.md)
PIXELS_FOR_THREADS = 2**17  # in a batch; with fewer, threads wait for each other more than they do

FOREST = Side("forest")

ONE_AT_A_TIME = threading.Lock()

OnEpoch = Callable[[EpochRecord], None]
OnStart = Callable[["CNNEstimator"], None]
Validation = tuple[Any, Any] | None


class CNNEstimator(BaseEstimator):
    """What the classifier and the regressor share; their docstrings describe the parameters."""

    def __init__(
        self,
        adapter: Any = None,
        *,
        network: str | None = None,
        ensemble: int | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        weight_decay: float = 0.05,
        mixup: float | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.0,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.adapter = adapter
        self.network = network
        self.ensemble = ensemble
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.mixup = mixup
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state

    def _training_samples(self, X: Any, y: Any) -> tuple[Samples, NDArray[Any]]:
        """Settle `adapter_`; return samples and the targets of those that could be read."""
        if isinstance(X, Samples):
            check_is_fitted(self.adapter, "spec_")
            check_consistent_length(X, y)
            self.adapter_: Any = self.adapter
            return X, np.asarray(y)
        if self.adapter is None:
            X, y = validate_data(self, X, y, allow_nd=True, dtype=np.float32, multi_output=True)
            self.adapter_ = ArrayImages()
            return self.adapter_.fit_read(X), y
        check_consistent_length(X, y)
        self.adapter_ = clone(self.adapter)
        return left_over(self.adapter_.fit_read(X, y), y)

    def _prepare_columns(
        self, X: Any, y: Any, validation: Validation, read: Callable[[Any], Float64Array]
    ) -> tuple[Samples, Float64Array, HeldOut, NDArray[Any]]:
        """Read samples with several targets each, hold some out, and name the targets."""
        matrix, names = read(y), column_names(y)
        # Numbers of rows pass scikit-learn's checks, which refuse NaN among targets.
        samples, rows = self._training_samples(X, np.arange(len(matrix)))
        targets, held_out = matrix[rows], None
        if validation is None:
            samples, targets, held_out = self._hold_out(samples, targets, None)
        else:
            held, held_targets = self._held_out(validation)
            held_out = (held, read(held_targets))
        check_known(targets, names)
        return samples, targets, rows_with_targets(held_out, len(names)), names

    def _samples(self, X: Any) -> Samples:
        """Return samples to predict, one for every row of X."""
        check_is_fitted(self, "networks_")
        if isinstance(X, Samples):
            return X
        if isinstance(self.adapter_, ArrayImages):
            X = validate_data(self, X, allow_nd=True, dtype=np.float32, reset=False)
            return self.adapter_.read(X)
        samples: Samples = self.adapter_.read_all(X)
        return samples

    def _hold_out(
        self, samples: Samples, y: NDArray[Any], stratify: NDArray[Any] | None
    ) -> tuple[Samples, NDArray[Any], tuple[Samples, NDArray[Any]] | None]:
        """Take `validation_fraction` of the items, with all their copies, out of the samples."""
        if not self.validation_fraction:
            return samples, y, None
        items, first = np.unique(samples.items, return_index=True)
        kept, held = train_test_split(
            items,
            test_size=self.validation_fraction,
            random_state=check_random_state(self.random_state),
            stratify=None if stratify is None else stratify[first],
        )
        train, val = samples.rows_of(kept, altered=True), samples.rows_of(held)
        if self.adapter_ is not self.adapter:  # learn nothing from what is held out
            self.adapter_.fit_rendering(samples[samples.rows_of(kept)])
        return samples[train], y[train], (samples[val], y[val])

    def _held_out(self, validation: tuple[Any, Any]) -> tuple[Samples, NDArray[Any]]:
        """Read the validation data that the user gave."""
        X, y = validation
        check_consistent_length(X, y)
        if isinstance(X, Samples):
            return X, np.asarray(y)
        if isinstance(self.adapter_, ArrayImages):
            X = validate_data(self, X, allow_nd=True, dtype=np.float32, reset=False)
        return left_over(self.adapter_.read(X), y)

    def _check_settings(self) -> None:
        """Refuse impossible settings, all at once; None is chosen later.

        Raises
        ------
        ValueError
        """
        least = {"ensemble": 1, "epochs": 1, "batch_size": 1, "patience": 0}
        wrong = [
            f"{name}={value}: expected {low} or more"
            for name, low in {**least, "weight_decay": 0, "mixup": 0}.items()
            if (value := getattr(self, name)) is not None and value < low
        ]
        if self.learning_rate is not None and self.learning_rate <= 0:
            wrong.append(f"learning_rate={self.learning_rate}: expected more than 0")
        if wrong:
            raise ValueError("; ".join(wrong))

    def _plan(self, n: int, seed: int) -> Plan:
        """Fill in what was left open: the recipe's batch size, and epochs by samples seen."""
        recipe = self.adapter_.recipe_
        batch_size = min(self.batch_size or recipe.batch_size, n)
        samples_seen = max(recipe.samples_seen, FEWEST_STEPS * batch_size)
        epochs = math.ceil(samples_seen / (n // batch_size * batch_size))
        # Each network has a thread anyhow.
        threads = max(1, torch.get_num_threads() // (self.ensemble or recipe.ensemble))
        _, rows, columns = self.adapter_.spec_.shape
        if batch_size * (rows or 1) * (columns or 1) < PIXELS_FOR_THREADS:
            threads = 1
        return Plan(
            epochs=self.epochs or max(recipe.epochs, epochs),
            batch_size=batch_size,
            learning_rate=self.learning_rate or recipe.learning_rate,
            weight_decay=self.weight_decay,
            mixup=recipe.mixup if self.mixup is None else self.mixup,
            patience=recipe.patience if self.patience is None else self.patience,
            seed=seed,
            threads=threads,
        )

    def _train(
        self,
        samples: Samples,
        y: NDArray[Any],
        objective: Objective,
        validation: tuple[Samples, NDArray[Any]] | None,
        on_start: OnStart,
        on_epoch: OnEpoch,
    ) -> None:
        """Build the networks and train them."""
        self._check_settings()
        recipe = self.adapter_.recipe_
        layers = presets.resolve(self.network or recipe.network, self.adapter_.spec_)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        device = choose_device(self.device)
        if self.mixup and self.adapter_.spec_.values == "index":
            raise ValueError("mixup blends pixels, but these images hold category numbers")
        self.plan_ = self._plan(len(np.unique(samples.items)), seed)
        self.network_ = to_text(layers)
        self.objective_ = objective
        self.prior_ = objective.prior(y)
        self.device_ = str(device)
        self.networks_ = []
        for number in range(self.ensemble or recipe.ensemble):
            # Initial weights come from torch's own generator, of which a process has one: seed it,
            # and leave no trace, also beside other threads.
            with ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed + number)
                network = Network(layers, self.adapter_.spec_, objective.outputs)
            self.networks_.append(network.to(device))
        on_start(self)
        self.forests_ = self._grow(samples, y, objective, seed) if FOREST in layers else []
        held_out = None
        if validation is not None:
            held_out = (self._feed(validation[0], device), validation[1])
        self.history_ = train(
            self.networks_,
            self.adapter_.renderer().to(device),
            self._feed(samples, device, train=True),
            y,
            objective,
            self.plan_,
            validation=held_out,
            on_epoch=on_epoch,
        )

    def _grow(
        self, samples: Samples, y: NDArray[Any], objective: Objective, seed: int
    ) -> list[Forest]:
        """Let a forest learn from the side features of the items as they are."""
        rows = samples.rows_of(samples.items)
        side = cast(NDArray[np.floating], samples.side)
        return learn_forests(side[rows], y[rows], objective, seed)

    def _feed(self, samples: Samples, device: torch.device, *, train: bool = False) -> Feed:
        """Give samples out; those of like length together, where their images are as long.

        Not to a batch norm in training, which would learn from batches of large items and batches
        of small ones, and predict by the mean of both.
        """
        by_length = None in self.adapter_.spec_.shape
        if train and any(isinstance(m, BatchNorm) for m in self.networks_[0].modules()):
            by_length = False
        return Feed(samples, device, by_length=by_length)

    def _predict(self, samples: Samples) -> Float64Array:
        """Average the networks' predictions over all test views, float64 [N, outputs]."""
        device = torch.device(self.device_)
        renderer = self.adapter_.renderer().to(device)
        feed = self._feed(samples, device)
        views = renderer.views if presets.sees_image(self.network_) else 1
        said = predict(self.networks_, renderer, feed, self.objective_, views=views)
        if self.forests_:
            side = cast(NDArray[np.floating], samples.side)  # without it the networks had failed
            said = (said + vote(self.forests_, side)) / 2
        return self._with_prior(said, samples)

    def _with_prior(self, outputs: Float64Array, samples: Samples) -> Float64Array:
        """Answer samples without content with what is most likely before anything is seen."""
        outputs[samples.lengths == 0] = self.prior_
        return outputs


def left_over(samples: Samples, y: Any) -> tuple[Samples, NDArray[Any]]:
    """Return samples with their targets, and warn of items that gave none.

    Raises
    ------
    ValueError
        If no item gave a sample.
    """
    rejected = [problem for problem in samples.problems if problem.rejected]
    if rejected:
        first = f"item {rejected[0].item} {rejected[0].value!r}: {rejected[0].reason}"
        found = f"{len(rejected)} of {len(y)} items could not be read"
        if not len(samples):
            raise ValueError(f"{found}; the first: {first}")
        warnings.warn(f"{found} and are left out; the first: {first}", stacklevel=4)
    return samples, np.asarray(y)[samples.items]
