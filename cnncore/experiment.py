"""Fit on the training part, choose on validation, score once on test, beside the baseline."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from cnnkit.cnncore.calibration import fit_temperature
from cnnkit.cnncore.estimator import as_logits
from cnnkit.cnncore.fitting import CNNEstimator
from cnnkit.cnncore.image import Problem, Samples
from cnnkit.cnncore.objective import Float64Array
from cnnkit.cnncore.presets import resolve
from cnnkit.cnncore.scores import Predictions, Task, align, majority
from cnnkit.cnncore.train import EpochRecord

Rows = NDArray[np.int64]


@dataclass
class Fitted:
    """A trained model and what it, the baseline and the majority say about the held-out parts.

    Parameters
    ----------
    model : CNNClassifier or CNNRegressor
    network, baseline, majority : dict of str to Predictions
        By part: "val", "test".
    uncalibrated : Predictions or None
        The network's validation probabilities before temperature scaling.
    cpu_seconds : float
        That training the network took, on all processors together.
    """

    model: Any
    network: dict[str, Predictions] = field(default_factory=dict)
    baseline: dict[str, Predictions] = field(default_factory=dict)
    majority: dict[str, Predictions] = field(default_factory=dict)
    uncalibrated: Predictions | None = None
    cpu_seconds: float = 0.0


class Experiment:
    """Everything that is done with one data set, each item read once.

    Parameters
    ----------
    adapter : Adapter
        Unfitted.
    model : CNNClassifier or CNNRegressor
        Unfitted, without an adapter.
    items : sequence
    targets : array [N]
        Labels, or float64 numbers, several targets [N, K] with NaN (not known); multi-label:
        float64 [N, K] of 0, 1 and NaN.
    task : "classification", "regression" or "multilabel"
    labels : sequence of str [K] or None
        Names of the labels of a multi-label task, or of several targets.
    with_baseline : bool
    on_read : callable
        Called with the fitted adapter and the problems, after reading and before training.
    on_start : callable
        Called with the model when its networks and its plan are settled.
    on_epoch : callable
        Called with the record of every epoch.

    Attributes
    ----------
    classes : array [K] or None
    y : int64 array [N] of class numbers, or float64 array [N] or [N, K]
    problems : tuple of Problem
        Rejected items and warnings of the latest reading.
    seconds : dict
        Spent on "read", "fit" and "predict".
    """

    def __init__(
        self,
        adapter: Any,
        model: CNNEstimator,
        items: Sequence[Any],
        targets: NDArray[Any],
        task: Task,
        *,
        labels: Sequence[str] | None = None,
        with_baseline: bool = True,
        on_read: Callable[[Any, tuple[Problem, ...]], None] = lambda adapter, problems: None,
        on_start: Callable[[CNNEstimator], None] = lambda model: None,
        on_epoch: Callable[[EpochRecord], None] = lambda record: None,
    ) -> None:
        self.adapter = adapter
        self.model = model
        self.items = items
        self.targets = targets
        self.task = task
        self.labels = labels
        self.with_baseline = with_baseline
        self.on_read = on_read
        self.on_start = on_start
        self.on_epoch = on_epoch
        self.classes: NDArray[Any] | None = None
        self.y = targets
        if task == "classification":
            self.classes, self.y = np.unique(targets, return_inverse=True)
        self.problems: tuple[Problem, ...] = ()
        self.seconds = {"read": 0.0, "fit": 0.0, "predict": 0.0}
        self._read_with: dict[str, Any] = {}
        self._samples: Samples | None = None

    def fit(self, train: Rows, val: Rows, test: Rows) -> Fitted:
        """Train on `train`, choose on `val` (may be empty) and predict `val` and `test`."""
        began = time.perf_counter()
        adapter, samples = self._read(train)
        parts = {
            "train": samples.rows_of(train, altered=True),
            "val": samples.rows_of(val),
            "test": samples.rows_of(test),
        }
        if not len(parts["train"]):
            raise ValueError("none of the items of the training part could be read")
        originals = samples.rows_of(train)
        adapter.fit_rendering(samples[originals])
        read = time.perf_counter()
        self.seconds["read"] += read - began
        held_out = {name: samples[parts[name]] for name in ("val", "test") if len(parts[name])}
        cpu = time.process_time()
        model = self._train(adapter, samples[parts["train"]], held_out.get("val"))
        fitted = Fitted(model, cpu_seconds=time.process_time() - cpu)
        trained = time.perf_counter()
        self.seconds["fit"] += trained - read
        for name, part in held_out.items():
            fitted.network[name] = self._predict(model, part)
        self.seconds["predict"] += time.perf_counter() - trained
        if "val" in held_out and self.task == "classification":
            fitted.uncalibrated = self._predict(model, held_out["val"], calibrated=False)
        kept = samples.items[originals]
        for name, part in held_out.items():
            fitted.majority[name] = majority(
                self.y,
                kept,
                part.items,
                self.task,
                0 if self.classes is None else len(self.classes),
            )
        if self.with_baseline:
            fitted.baseline = self._baseline(adapter, kept, held_out)
        return fitted

    def fit_everything(self, fits: Sequence[Fitted], train: Rows) -> Fitted:
        """Train the final model on `train`; its temperature comes from the folds' predictions."""
        final = self.fit(train, np.array([], dtype=np.int64), np.array([], dtype=np.int64))
        if self.task == "classification":
            votes = [self._known_votes(fit) for fit in fits]
            truth = np.concatenate([known for _, known in votes])
            if len(truth):  # none where each class is a fold of its own
                logits = np.concatenate([logits for logits, _ in votes])
                final.model.temperature_ = fit_temperature(logits, truth)
        return final

    def _known_votes(self, fit: Fitted) -> tuple[Float64Array, NDArray[np.int64]]:
        """Return uncalibrated logits and truths of the test items whose class the network knows."""
        said = fit.network["test"]
        known = np.isin(self.targets[said.rows], fit.model.classes_)
        # What the fold's own temperature divided is multiplied again.
        logits = fit.model.temperature_ * as_logits(said.outputs[known])
        return logits, self.y[said.rows[known]]

    def count_readable(self, rows: Rows) -> int:
        """Return how many of these items gave a sample."""
        return 0 if self._samples is None else len(self._samples.rows_of(rows))

    def _read(self, train: Rows) -> tuple[Any, Samples]:
        """Fit the adapter's reading on the training part; read all items if that changed it."""
        adapter = clone(self.adapter)
        adapter.fit_reading([self.items[row] for row in train], self.targets[train])
        needless = ("decided_", *adapter.rendering_only)
        settings = {k: v for k, v in vars(adapter).items() if k.endswith("_") and k not in needless}
        if self._samples is None or not same(settings, self._read_with):
            # A network that doesn't fit the images is refused before they are read.
            resolve(self.model.network or adapter.recipe_.network, adapter.spec_)
            self._samples = adapter.read_training(self.items)
            self._read_with = settings
            self.problems = self._samples.problems
            self.on_read(adapter, self.problems)
        return adapter, self._samples

    def _train(self, adapter: Any, train: Samples, val: Samples | None) -> Any:
        model = clone(self.model).set_params(adapter=adapter)
        # `clone` would copy the adapter without what it learnt.
        model.adapter = adapter
        validation = None
        if val is not None:
            # A class that the training part lacks can't say which epoch is the best.
            known = np.flatnonzero(np.isin(self.targets[val.items], self.targets[train.items]))
            val = val if self.classes is None else val[known]
            validation = (val, self.targets[val.items]) if len(val) else None
        targets = self.targets[train.items]
        return model.fit(
            train,
            targets if self.labels is None else pd.DataFrame(targets, columns=list(self.labels)),
            validation=validation,
            on_start=self.on_start,
            on_epoch=self.on_epoch,
        )

    def _predict(self, model: Any, samples: Samples, *, calibrated: bool = True) -> Predictions:
        if self.task == "multilabel":
            return Predictions(samples.items, model.probabilities(samples))
        if self.classes is None:
            return Predictions(samples.items, model.predict(samples))
        outputs = model.probabilities(samples, calibrated=calibrated)
        present = np.searchsorted(self.classes, model.classes_)
        return Predictions(samples.items, align(outputs, present, len(self.classes), 0.0))

    def _baseline(
        self, adapter: Any, train: Rows, held_out: dict[str, Samples]
    ) -> dict[str, Predictions]:
        """Train the adapter's baseline on the same items and predict the same parts."""
        if not held_out:
            return {}
        several = self.task == "regression" and self.labels is not None
        model = adapter.baseline_by_target() if several else adapter.baseline(self.task)
        model.fit([self.items[row] for row in train], self.y[train])
        return {
            name: self._baseline_predictions(model, part.items) for name, part in held_out.items()
        }

    def _baseline_predictions(self, model: Any, rows: Rows) -> Predictions:
        items = [self.items[row] for row in rows]
        if self.task == "regression":
            return Predictions(rows, model.predict(items))
        probable = hasattr(model, "predict_proba")
        outputs = model.predict_proba(items) if probable else model.decision_function(items)
        if self.classes is None:
            return Predictions(rows, outputs, probable)
        fill = 0.0 if probable else float(outputs.min()) - 1
        return Predictions(rows, align(outputs, model.classes_, len(self.classes), fill), probable)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether two adapters learnt the same, arrays included."""
    return one.keys() == other.keys() and all(
        np.array_equal(value, other[name])
        if isinstance(value, np.ndarray)
        else value == other[name]
        for name, value in one.items()
    )
