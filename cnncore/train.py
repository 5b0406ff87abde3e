"""The training loop: networks of an ensemble learn at once, each in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnkit.cnncore.device import autocast_dtype
from cnnkit.cnncore.feed import Feed
from cnnkit.cnncore.image import Images, Renderer
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.objective import Float64Array, Objective

if TYPE_CHECKING:
    from collections.abc import Iterator

WARM_UP = 0.15  # share of the steps in which the learning rate rises


EpochRecord = dict[str, float]


class DivergedError(ArithmeticError):
    """The loss became infinite or NaN."""


@dataclass(frozen=True)
class Plan:
    """Every decision of a training run.

    Parameters
    ----------
    epochs, batch_size : int
    learning_rate : float
        Its peak, reached after 15 % of the steps; then it falls linearly to 0.
    weight_decay : float
        On weights, not on biases and norms.
    mixup : float
        Both parameters of the beta distribution that mixes pairs of images; 0 = off.
    patience : int
        Epochs without a better validation loss before training stops; 0: it never does.
    clip_norm : float
        Longest allowed gradient.
    seed : int
    threads : int
        Of the CPU, for each network. Another number gives slightly other weights.
    """

    epochs: int
    batch_size: int
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    mixup: float = 0.0
    patience: int = 10
    clip_norm: float = 5.0
    seed: int = 0
    threads: int = 1


class Member:
    """One network with its optimiser and its own source of random numbers."""

    def __init__(self, network: Network, plan: Plan, device: torch.device, seed: int) -> None:
        self.network = network
        self.plan = plan
        self.generator = torch.Generator(device).manual_seed(seed)
        self.order = torch.Generator().manual_seed(seed)
        network.set_generator(self.generator)
        fixed = network.undecayed()
        decayed = [w for w in network.parameters() if not any(w is other for other in fixed)]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": plan.weight_decay},
                {"params": fixed, "weight_decay": 0.0},
            ],
            betas=(0.9, 0.99),
            fused=device.type in ("cpu", "cuda"),
        )

    def train_epoch(
        self, renderer: Renderer, feed: Feed, targets: Tensor, objective: Objective, epoch: int
    ) -> float:
        """Show every item once, up to an incomplete last batch; return the mean loss."""
        self.network.train()
        # The items left over by the last whole batch differ from epoch to epoch, so that none is
        # left out for good.
        batches = feed.batches(self.plan.batch_size, self.order)
        steps = len(batches)
        total = torch.zeros((), device=feed.device)
        for step, rows in enumerate(batches):
            # A batch norm needs two images.
            rows = rows if len(rows) > 1 else rows.repeat(2)
            # Not 0 at the first step or the last: each of them is to learn something.
            self._set_learning_rate((epoch * steps + step + 1) / (self.plan.epochs * steps + 1))
            images = renderer(feed.batch(rows), self.generator)
            total += self._step(images, targets[rows.to(targets.device)], objective)
        return float(total) / steps

    def _set_learning_rate(self, progress: float) -> None:
        share = min(progress / WARM_UP, (1 - progress) / (1 - WARM_UP))
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * max(share, 0.0)

    def _step(self, images: Images, targets: Tensor, objective: Objective) -> Tensor:
        images, partner, share = mix_up(images, self.plan.mixup, self.generator)
        device = images.pixels.device
        dtype = autocast_dtype(device)
        with torch.autocast(device.type, dtype, enabled=dtype is not None):
            logits = self.network(images)
        losses = objective.losses(logits.float(), targets)
        if self.plan.mixup:
            mixed = objective.losses(logits.float(), targets[partner])
            losses = share * losses + (1 - share) * mixed
        loss = losses.mean()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()


def mix_up(
    images: Images, alpha: float, generator: torch.Generator
) -> tuple[Images, Tensor, Tensor]:
    """Blend every image with another one of its batch; return also the partners and shares.

    References
    ----------
    Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization".
    """
    n, device = len(images.pixels), images.pixels.device
    if not alpha:
        return images, torch.arange(n, device=device), torch.ones(n, device=device)
    partner = torch.randperm(n, generator=generator, device=device)
    # A Beta(a, a) number is the share of one of two Gamma(a) numbers.
    gammas = torch._standard_gamma(torch.full((2, n), alpha, device=device), generator=generator)
    share = gammas[0] / gammas.sum(dim=0).clamp_min(1e-12)
    blend = share[:, None, None, None]
    pixels = images.pixels
    if images.mask is not None:
        pixels = torch.where(images.mask, pixels, 0.0)  # what is outside has no meaning
    pixels = blend * pixels + (1 - blend) * pixels[partner]
    mask = None if images.mask is None else images.mask | images.mask[partner]
    side = images.side
    if isinstance(side, Tensor):
        side = share[:, None] * side + (1 - share[:, None]) * side[partner]
    return Images(pixels, mask, side), partner, share


@contextmanager
def side_by_side(networks: int, threads: int) -> Iterator[ThreadPoolExecutor]:
    """Run as many networks at a time as there are threads; each has `threads` for itself."""
    before = torch.get_num_threads()
    workers = min(networks, before)
    try:
        with ThreadPoolExecutor(
            workers, initializer=torch.set_num_threads, initargs=(threads,)
        ) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def predict(
    networks: Sequence[Network],
    renderer: Renderer,
    feed: Feed,
    objective: Objective,
    *,
    views: int = 1,
    batch_size: int = 128,
) -> Float64Array:
    """Average the networks' predictions over `views` ways to draw each sample, float64 [N, K]."""
    renderer.eval()
    averaged = np.zeros((len(feed), objective.outputs))
    # Convolutions in the GPU's own float32, which is shorter, would not predict as a CPU does.
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for rows in feed.once(batch_size):
            batch = feed.batch(rows)
            drawn = [renderer(batch, view=view) for view in range(views)]
            votes = [
                objective.predict(network.eval()(images).float())
                for images in drawn
                for network in networks
            ]
            averaged[rows.numpy()] = torch.stack(votes).mean(dim=0).double().cpu().numpy()
    return averaged


def train(
    networks: Sequence[Network],
    renderer: Renderer,
    feed: Feed,
    y: NDArray[Any],
    objective: Objective,
    plan: Plan,
    *,
    validation: tuple[Feed, NDArray[Any]] | None = None,
    on_epoch: Callable[[EpochRecord], None] = lambda record: None,
) -> list[EpochRecord]:
    """Train the networks in place and return one record for each epoch.

    With validation data the weights of the epoch with the lowest validation loss are restored,
    and training stops after `plan.patience` epochs without a better one. A patience of 0 keeps the
    last epoch, whatever the validation loss.

    Raises
    ------
    DivergedError
        If the loss is no longer finite.
    """
    members = [
        Member(network, plan, feed.device, plan.seed + number)
        for number, network in enumerate(networks)
    ]
    targets = objective.encode(y).to(feed.device)
    history: list[EpochRecord] = []
    chooses = validation is not None and plan.patience > 0
    best_loss, best_epoch, best = np.inf, 0, [copy_weights(network) for network in networks]
    with side_by_side(len(members), plan.threads) as pool:
        for epoch in range(plan.epochs):
            began = time.perf_counter()
            renderer.train()
            learn = [
                pool.submit(member.train_epoch, renderer, feed, targets, objective, epoch)
                for member in members
            ]
            loss = float(np.mean([member.result() for member in learn]))
            check_finite("loss", loss, epoch, plan)
            record = {"epoch": epoch + 1, "train_loss": loss}
            if validation is not None:
                predicted = predict(networks, renderer, validation[0], objective)
                record["val_loss"], record["val_metric"] = objective.score(predicted, validation[1])
                check_finite("validation loss", record["val_loss"], epoch, plan)
                if chooses and record["val_loss"] < best_loss:
                    best_loss, best_epoch = record["val_loss"], epoch
                    best = [copy_weights(network) for network in networks]
            record["seconds"] = time.perf_counter() - began
            history.append(record)
            on_epoch(record)
            if chooses and epoch - best_epoch >= plan.patience:
                break
    if chooses:
        for network, weights in zip(networks, best, strict=True):
            network.load_state_dict(weights)
    return history


def check_finite(name: str, loss: float, epoch: int, plan: Plan) -> None:
    """Raise DivergedError if a loss is infinite or NaN."""
    if not np.isfinite(loss):
        raise DivergedError(
            f"epoch {epoch + 1}: the {name} became {loss}; try a smaller learning rate "
            f"than {plan.learning_rate:g}"
        )


def copy_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the network's state that later steps don't change."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
