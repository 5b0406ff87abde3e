"""What the votes are for: the loss of a batch, and probabilities or numbers from logits."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnkit.cnncore.label_metrics import decide, label_decisions, label_losses
from cnnkit.cnncore.number_metrics import errors

Float64Array = NDArray[np.float64]


class Objective(Protocol):
    """A kind of target, seen from the training loop.

    Attributes
    ----------
    outputs : int
        Votes for each image.
    """

    outputs: int

    def encode(self, y: NDArray[np.generic]) -> Tensor:
        """Turn targets [N, …] into a tensor for `losses`."""

    def prior(self, y: NDArray[np.generic]) -> Float64Array:
        """Return the prediction for an item of which nothing is known, float64 [outputs]."""

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of every image, float32 [N]."""

    def predict(self, logits: Tensor) -> Tensor:
        """Turn logits [N, outputs] into what is averaged over an ensemble's members."""

    def score(self, predicted: Float64Array, y: NDArray[np.generic]) -> tuple[float, float]:
        """Return (loss to choose the best epoch by, metric to print) of averaged predictions."""


class Classification:
    """One class for each image: cross-entropy with label smoothing.

    Parameters
    ----------
    n_classes : int
    label_smoothing : float
        Share of the target that is spread over all classes (Szegedy et al. 2016).
    class_weight : float32 array [n_classes] or None
        Weight of each class in the loss.
    """

    metric = "accuracy"

    def __init__(
        self,
        n_classes: int,
        label_smoothing: float = 0.1,
        class_weight: NDArray[np.float32] | None = None,
    ) -> None:
        self.outputs = n_classes
        self.label_smoothing = label_smoothing
        self.class_weight = None if class_weight is None else torch.from_numpy(class_weight)

    def encode(self, y: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.asarray(y, dtype=np.int64))

    def prior(self, y: NDArray[np.generic]) -> Float64Array:
        return np.bincount(np.asarray(y, dtype=np.int64), minlength=self.outputs) / len(y)

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        weight = None if self.class_weight is None else self.class_weight.to(logits.device)
        return functional.cross_entropy(
            logits, targets, weight, reduction="none", label_smoothing=self.label_smoothing
        )

    def predict(self, logits: Tensor) -> Tensor:
        return logits.softmax(dim=1)

    def score(self, predicted: Float64Array, y: NDArray[np.generic]) -> tuple[float, float]:
        truth = np.asarray(y, dtype=np.int64)
        chosen = predicted[np.arange(len(truth)), truth]
        loss = -np.log(np.maximum(chosen, 1e-12)).mean()
        return float(loss), float((predicted.argmax(axis=1) == truth).mean())


class MultiLabel:
    """Any number of labels for each image: binary cross-entropy over those that are known.

    Parameters
    ----------
    n_labels : int
    positive_weight : float32 array [n_labels] or None
        Weight of each label's positive cells in the loss.

    Notes
    -----
    Targets are 1, 0 or NaN, float32 [N, n_labels]; a NaN is not known, and left out of the loss.
    An image's loss is the mean over its known labels, 0 without any. Targets aren't smoothed: that
    draws the probabilities of rare labels towards 0.5, and no temperature takes it back.
    """

    metric = "macro_f1"

    def __init__(self, n_labels: int, positive_weight: NDArray[np.float32] | None = None) -> None:
        self.outputs = n_labels
        self.positive_weight = (
            None if positive_weight is None else torch.from_numpy(positive_weight)
        )

    def encode(self, y: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.asarray(y, dtype=np.float32))

    def prior(self, y: NDArray[np.generic]) -> Float64Array:
        # The estimator refuses labels that no row knows.
        shares: Float64Array = np.nanmean(np.asarray(y, dtype=np.float64), axis=0)
        return shares

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        weight = None if self.positive_weight is None else self.positive_weight.to(logits.device)
        known = ~targets.isnan()
        # A NaN, even times 0, would make the gradients NaN.
        truth = torch.where(known, targets, 0.0)
        cells = functional.binary_cross_entropy_with_logits(
            logits, truth, reduction="none", pos_weight=weight
        )
        return mean_over(known, cells)

    def predict(self, logits: Tensor) -> Tensor:
        return logits.sigmoid()

    def score(self, predicted: Float64Array, y: NDArray[np.generic]) -> tuple[float, float]:
        truth = np.asarray(y, dtype=np.float64)
        once = np.ones((len(truth), 1))
        loss = label_losses(truth, predicted)(once)["log_loss"]
        return float(loss[0]), float(label_decisions(truth, decide(predicted))(once)["macro_f1"][0])


class Regression:
    """Numbers: Huber loss on standardised targets, so that outliers pull with bounded force.

    Parameters
    ----------
    mean, scale : float64 array [outputs]
        Of the training targets.

    Notes
    -----
    With several targets a NaN is not known, and left out of the loss: an image's loss is the mean
    over its known targets, 0 without any.
    """

    metric = "rmse"

    def __init__(self, mean: Float64Array, scale: Float64Array) -> None:
        self.mean = mean
        self.scale = scale
        self.outputs = len(mean)

    def encode(self, y: NDArray[np.generic]) -> Tensor:
        numbers = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        return torch.from_numpy(((numbers - self.mean) / self.scale).astype(np.float32))

    def prior(self, y: NDArray[np.generic]) -> Float64Array:
        return self.mean

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        known = ~targets.isnan()
        truth = torch.where(known, targets, 0.0)
        return mean_over(known, functional.huber_loss(logits, truth, reduction="none"))

    def predict(self, logits: Tensor) -> Tensor:
        mean = torch.as_tensor(self.mean, dtype=torch.float32, device=logits.device)
        scale = torch.as_tensor(self.scale, dtype=torch.float32, device=logits.device)
        return logits * scale + mean

    def score(self, predicted: Float64Array, y: NDArray[np.generic]) -> tuple[float, float]:
        truth = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        rmse = errors(truth, predicted)(np.ones((len(truth), 1)))["rmse"]
        return float(np.nanmean(((predicted - truth) / self.scale) ** 2)), float(rmse[0])


def mean_over(known: Tensor, cells: Tensor) -> Tensor:
    """Return the mean loss of each image's known cells, float32 [N]; 0 where it has none."""
    return (cells * known).sum(dim=1) / known.sum(dim=1).clamp(min=1)
