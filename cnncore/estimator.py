"""CNNClassifier and CNNRegressor: convolutional networks with scikit-learn's rules."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from cnnkit.cnncore.calibration import fit_temperature, softmax
from cnnkit.cnncore.fitting import CNNEstimator, OnEpoch, OnStart, Validation
from cnnkit.cnncore.image import Samples
from cnnkit.cnncore.label_metrics import decide
from cnnkit.cnncore.label_targets import (
    HeldOut,
    has_columns,
    label_matrix,
    number_matrix,
    positive_weights,
)
from cnnkit.cnncore.objective import Classification, Float64Array, MultiLabel, Objective, Regression


class CNNClassifier(ClassifierMixin, CNNEstimator):
    """Classify images, or items that an adapter turns into images, with convolutional networks.

    Parameters
    ----------
    adapter : Adapter, optional
        Turns items into images; `X` is then a list of items. Without it `X` is an array
        [N, C, H, W], or a table [N, F] whose rows are seen as 1 × F images.
    network : str, optional
        A preset ("audio", …), "auto", or a network spec such as
        "conv 32x3x3 | pool 2x2/2 | norm | relu | gap". Default: the adapter's.
    ensemble : int, optional
        Networks trained at once, whose probabilities are averaged. Default: the adapter's.
    epochs : int, optional
        Default: by the number of images that the adapter's recipe wants to be seen, at least
        400 steps and 4 epochs.
    batch_size : int, optional
    learning_rate : float, optional
        Peak of the one-cycle schedule.
    weight_decay : float
    mixup : float, optional
        Strength of mixup (both parameters of its beta distribution); 0 = off.
    label_smoothing : float
        Share of the target that is spread over all classes; multi-label targets aren't smoothed.
    class_weight : dict, "balanced" or None
        Weights in the loss. They help rare classes and spoil the probabilities. Of multi-label
        targets "balanced" alone: positive and negative cells of a label weigh the same.
    patience : int, optional
        With validation data: epochs without a better validation loss before training stops, and
        the best one is kept. 0: training goes on to the end, and the last one is kept.
    validation_fraction : float
        Share of the training items that is held out for choosing the best epoch and for
        calibrating the probabilities; 0 = train on everything for the full length.
    device : str
        "auto", "cpu", "cuda", "cuda:1" or "mps".
    random_state : int, RandomState or None
        Same number, machine and thread count: the same weights, bit for bit, on a CPU.

    Attributes
    ----------
    classes_ : ndarray [K]
        Multi-label: the labels' names, or their numbers.
    multilabel_ : bool
        Each row has any number of labels.
    adapter_ : Adapter
    network_ : str
        The network spec that was used.
    networks_ : list of Network
    plan_ : Plan
        Epochs, batch size, learning rate and seed that were used.
    prior_ : float64 array [K]
        Shares of the classes in training: the probabilities for an item without content.
    temperature_ : float
        Divides the logits (Guo et al. 2017); 1 without validation data, or with multi-label
        targets.
    history_ : list of dict
        One record for each epoch.

    Examples
    --------
    >>> import numpy as np
    >>> stripes = np.tile([[0.0, 1.0], [1.0, 0.0]], (2, 8))  # 4 x 16
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 1, 4, 16))
    >>> X[:20] += stripes
    >>> y = ["striped"] * 20 + ["plain"] * 20
    >>> model = CNNClassifier(epochs=5).fit(X, y)
    >>> model.predict(X[:2])
    array(['striped', 'striped'], dtype='<U7')
    """

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
        label_smoothing: float = 0.1,
        class_weight: dict[Any, float] | str | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.0,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        super().__init__(
            adapter,
            network=network,
            ensemble=ensemble,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            mixup=mixup,
            patience=patience,
            validation_fraction=validation_fraction,
            device=device,
            random_state=random_state,
        )
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        validation: Validation = None,
        on_start: OnStart = lambda model: None,
        on_epoch: OnEpoch = lambda record: None,
    ) -> Self:
        """Train on items (or arrays, or samples that the fitted adapter has read) and labels.

        Parameters
        ----------
        X : sequence of items, array [N, C, H, W] or [N, F], or Samples
        y : array [N] of labels, or [N, K] of 0, 1 and NaN
            A matrix of two columns or more is multi-label: 1 where a row has the label, NaN where
            nobody knows, which is left out of the loss. A DataFrame's columns name the labels.
        validation : tuple (X, y), optional
            Chooses the best epoch and calibrates the probabilities.
        on_start : callable
            Called with the model when its networks and its plan are settled.
        on_epoch : callable
            Called with the record of every epoch.

        Raises
        ------
        ValueError
            If there is one class only, no training row knows a label, or shapes don't agree.
        """
        prepare = self._prepare_labels if has_columns(y) else self._prepare_classes
        samples, targets, held_out, objective = prepare(X, y, validation)
        self._train(samples, targets, objective, held_out, on_start, on_epoch)
        self.temperature_ = 1.0
        if held_out is not None and not self.multilabel_:
            self.calibrate(*held_out)
        return self

    def _prepare_classes(
        self, X: Any, y: Any, validation: Validation
    ) -> tuple[Samples, NDArray[Any], HeldOut, Objective]:
        """Turn labels into class numbers, and settle what is held out and how it is trained."""
        check_labels(y)
        samples, labels = self._training_samples(X, y)
        check_classification_targets(labels)
        labels = column_or_1d(labels, warn=True)
        self.classes_, targets = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"found 1 class, {self.classes_.tolist()}: a classifier needs at least 2"
            )
        held_out: HeldOut
        if validation is None:
            samples, targets, held_out = self._hold_out(samples, targets, targets)
        else:
            check_labels(validation[1], "validation y")
            held, held_labels = self._held_out(validation)
            held_out = (held, self._class_numbers(held_labels))
        weight = None
        if self.class_weight is not None:
            weight = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
            weight = weight.astype(np.float32)
        objective = Classification(len(self.classes_), self.label_smoothing, weight)
        return samples, targets, held_out, objective

    def _prepare_labels(
        self, X: Any, y: Any, validation: Validation
    ) -> tuple[Samples, NDArray[Any], HeldOut, Objective]:
        """Check multi-label targets, and settle what is held out and how it is trained."""
        prepared = self._prepare_columns(X, y, validation, label_matrix)
        samples, targets, held_out, self.classes_ = prepared
        weight = positive_weights(targets, self.class_weight)
        return samples, targets, held_out, MultiLabel(len(self.classes_), weight)

    @property
    def multilabel_(self) -> bool:
        """Whether each row has any number of labels, not one class."""
        return isinstance(self.objective_, MultiLabel)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def calibrate(self, samples: Samples, targets: NDArray[Any]) -> None:
        """Choose the temperature on held-out samples and their class numbers, int64 [N]."""
        self.temperature_ = fit_temperature(as_logits(self._predict(samples)), targets)

    def predict_proba(self, X: Any) -> Float64Array:
        """Return calibrated probabilities, float64 [N, K], for the same kind of X as `fit`.

        Those of classes sum to 1 in every row; each label's is for itself.
        """
        return self.probabilities(self._samples(X))

    def probabilities(self, samples: Samples, *, calibrated: bool = True) -> Float64Array:
        """Return probabilities of samples, float64 [N, K], before or after calibration."""
        averaged = self._predict(samples)
        if self.multilabel_:
            return averaged
        divided = softmax(as_logits(averaged), self.temperature_ if calibrated else 1.0)
        return self._with_prior(divided, samples)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the most votes for every row of X, array [N].

        Multi-label: 1 for labels with a probability above 0.5, else 0, int64 array [N, K].
        """
        probabilities = self.predict_proba(X)
        if self.multilabel_:
            return decide(probabilities).astype(np.int64)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def _class_numbers(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        """Turn labels [N] into class numbers, int64 [N]."""
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(
                f"validation labels {list(unknown[:5])} are not among the training labels"
            )
        return np.searchsorted(self.classes_, labels)


class CNNRegressor(RegressorMixin, CNNEstimator):
    """Predict numbers from images, or from items that an adapter turns into images.

    The parameters are those of `CNNClassifier`, without label smoothing and class weights. The
    targets are standardised; the loss is Huber's, the mean over the targets that a row knows.

    Attributes
    ----------
    adapter_, network_, networks_, plan_, history_
        As in `CNNClassifier`.
    target_names_ : ndarray [T]
        Names of the targets, or their numbers.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(64, 1, 1, 8))
    >>> y = X.mean(axis=(1, 2, 3))
    >>> CNNRegressor(epochs=2).fit(X, y).predict(X).shape
    (64,)
    """

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        validation: Validation = None,
        on_start: OnStart = lambda model: None,
        on_epoch: OnEpoch = lambda record: None,
    ) -> Self:
        """Train on items (or arrays, or samples that the fitted adapter has read) and numbers.

        Parameters
        ----------
        X : sequence of items, array [N, C, H, W] or [N, F], or Samples
        y : array [N] or [N, T]
            With several targets NaN where nobody knows. A DataFrame's columns name them.
        validation : tuple (X, y), optional
            Chooses the best epoch.
        on_start : callable
            Called with the model when its networks and its plan are settled.
        on_epoch : callable
            Called with the record of every epoch.

        Raises
        ------
        ValueError
            If the targets aren't finite numbers, no training row knows one of several, or shapes
            don't agree.
        """
        prepare = self._prepare_targets if has_columns(y) else self._prepare_numbers
        samples, targets, held_out = prepare(X, y, validation)
        scale = np.nanstd(targets, axis=0)
        objective = Regression(np.nanmean(targets, axis=0), np.where(scale > 0, scale, 1.0))
        self._train(samples, targets, objective, held_out, on_start, on_epoch)
        return self

    def _prepare_targets(
        self, X: Any, y: Any, validation: Validation
    ) -> tuple[Samples, Float64Array, HeldOut]:
        """Check several targets, some of which aren't known, and settle what is held out."""
        prepared = self._prepare_columns(X, y, validation, number_matrix)
        samples, targets, held_out, self.target_names_ = prepared
        return samples, targets, held_out

    def _prepare_numbers(
        self, X: Any, y: Any, validation: Validation
    ) -> tuple[Samples, Float64Array, HeldOut]:
        """Check the numbers of one target, and settle what is held out."""
        samples, y = self._training_samples(X, y)
        self.target_names_ = np.arange(1)
        targets = np.asarray(y, dtype=np.float64)
        targets = targets.reshape(len(targets), -1)
        wrong = np.flatnonzero(~np.isfinite(targets).all(axis=1))
        if len(wrong):
            raise ValueError(
                f"the targets hold NaN or infinity, first in row {wrong[0]} of those that could be "
                f"read ({len(wrong):,} in all): expected finite numbers"
            )
        if validation is None:
            return self._hold_out(samples, targets, None)
        return samples, targets, self._held_out(validation)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> Float64Array:
        """Return the numbers for every row of X, float64 [N] or [N, T]."""
        predicted = self._predict(self._samples(X))
        return predicted[:, 0] if self.objective_.outputs == 1 else predicted


def check_labels(y: Any, name: str = "y") -> None:
    """Refuse labels of which some are missing.

    Raises
    ------
    ValueError
        If one is None, NaN or pandas' NA.

    Examples
    --------
    >>> check_labels(["a", None])
    Traceback (most recent call last):
    ValueError: y[1] is None: expected a label for each row; leave rows without one out
    """
    if y is None or getattr(getattr(y, "dtype", None), "kind", "O") in "biuSU":
        return  # fit says what it needs; such arrays have no place for a missing label
    # Without its own type, NumPy would make NaN among texts the text "nan".
    values = np.asarray(y, dtype=object).ravel().tolist()
    missing = [
        row
        for row, value in enumerate(values)
        if value is None
        or (isinstance(value, float | np.floating) and np.isnan(value))
        or type(value).__name__ in ("NAType", "NaTType")
    ]
    if missing:
        more = f", and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise ValueError(
            f"{name}[{missing[0]}] is {values[missing[0]]}{more}: expected a label for each row; "
            "leave rows without one out"
        )


def as_logits(probabilities: Float64Array) -> Float64Array:
    """Return logits whose softmax gives these probabilities, float64 [N, K]."""
    return np.log(np.maximum(probabilities, 1e-12))
