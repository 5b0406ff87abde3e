"""What `cnnkit fit` tells people while it works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.errors import count_of
from cnnkit.adapters.folders import printable
from cnnkit.cli.collect import Collection
from cnnkit.cnncore.ablation import BOTH, IMAGE, SIDE
from cnnkit.cnncore.experiment import Experiment, Fitted
from cnnkit.cnncore.image import Problem
from cnnkit.cnncore.layer_types import Side
from cnnkit.cnncore.metrics import main_metric
from cnnkit.cnncore.presets import sees_image
from cnnkit.cnncore.results import STANDARDISED, by_model, write_score
from cnnkit.cnncore.scores import Scores, Task
from cnnkit.cnncore.spec import parse
from cnnkit.cnncore.train import EpochRecord

LABEL = 12  # width of the left column
PART_NAMES = {"train": "training", "val": "validation", "test": "test"}
MAJORITY: dict[Task, str] = {
    "classification": "majority class",
    "regression": "mean",
    "multilabel": "label shares",
}
LISTED = "all are listed in rejects.csv"
MOST_SHOWN = 5
FEW_TESTED = 10
MOST_CLASSES = 12
SCORES = (
    "positive", "known", "f1", "balanced_accuracy", "roc_auc", "average_precision", "rmse", "mae",
    "r2",
)  # fmt: skip


class Printer:
    """Prints aligned lines; a silent one prints nothing (with --json).

    Parameters
    ----------
    silent : bool
    """

    def __init__(self, silent: bool) -> None:
        self.silent = silent
        self.epochs_shown = True
        self.metric = ""
        self.network = "CNN"

    def line(self, text: str = "") -> None:
        """Print one line on stdout."""
        if not self.silent:
            click.echo(printable(text))

    def fact(self, sentence: str) -> None:
        """Print "label: text" with the label in the left column."""
        label, colon, text = sentence.partition(": ")
        if not colon or len(label) > LABEL - 2:
            label, text = "", sentence
        self.line(f"  {label:<{LABEL}}{text}")

    def found(self, data: Collection) -> None:
        """Print what the data is: items, columns, classes."""
        self.metric = main_metric(data.task)
        self.line(f"cnnkit fit: {data.name}, {count_of(len(data.items), 'item')}\n")
        for sentence in data.decided:
            self.fact(sentence)
        if data.task == "classification":
            sizes = Counter(data.targets).most_common()
            self.fact(f"classes: {name_counts(sizes)}")
        if data.labels is not None and data.task == "regression":
            self.fact(f"targets: {count_known(data.targets, data.labels)}")
        elif data.labels is not None:
            self.fact(f"labels: {count_labels(data.targets, data.labels)}")
        for place, problem in data.unusable[:MOST_SHOWN]:
            self.fact(f"{place}: {problem.reason}")
        if data.unusable:
            self.fact(f"rejected: {count_of(len(data.unusable), 'row')}; {LISTED}")

    def read(
        self, decided: Sequence[str], places: Sequence[str], problems: Sequence[Problem]
    ) -> None:
        """Print what the adapter chose, and the first of what was rejected or doubtful."""
        for sentence in decided:
            self.fact(sentence)
        for kind, rejected in (("rejected", True), ("warnings", False)):
            some = [problem for problem in problems if problem.rejected is rejected]
            if some:
                count = len({problem.item for problem in some})
                self.fact(f"{kind}: {count_of(count, 'item')}; {LISTED}")
            for problem in some[:MOST_SHOWN]:
                self.fact(f"{places[problem.item]}: {problem.reason}")

    def split(self, name: str, sizes: dict[str, int]) -> None:
        """Print how many items each part has."""
        shown = ", ".join(f"{size:,} {PART_NAMES[part]}" for part, size in sizes.items())
        self.fact(f"split: {name}: {shown}")
        if 0 < sizes["test"] < FEW_TESTED:
            tested = count_of(sizes["test"], "test item")
            self.fact(f"note: {tested} can't tell a good model from a poor one (--cv 5 tests all)")

    def notes(self, notes: Sequence[str]) -> None:
        """Print what was noticed on the way."""
        for note in notes:
            self.fact(f"note: {note}")

    def swap_test(self, found: dict[str, Any]) -> None:
        """Print whether the order of a table's columns matters, why, and the advice if any."""
        self.fact(f"swap test: {found['verdict']}: {found['reason']}")
        if "advice" in found:
            self.fact(f"advice: {found['advice']['text']}")

    def plan(self, model: Any) -> None:
        """Print what will be trained, and the head of the table of epochs."""
        self.network = network_title(model.network_)
        if not self.epochs_shown:
            return
        plan, count = model.plan_, len(model.networks_)
        weights = sum(weight.numel() for weight in model.networks_[0].parameters())
        self.fact(f"network: {model.network_}")
        if model.adapter_.spec_.vectors and "embed" not in model.network_:
            self.fact("note: the network embeds nothing, so the word vectors are not used")
        epochs = count_of(plan.epochs, "epoch")
        self.fact(
            f"training: {count} × {weights:,} weights on {model.device_}, {epochs} in "
            f"batches of {plan.batch_size}, learning rate up to {plan.learning_rate:g}"
        )
        self.line()

    def epoch(self, record: EpochRecord) -> None:
        """Print one row, under a heading if it is the first."""
        if not self.epochs_shown:
            return
        with_validation = "val_loss" in record
        if record["epoch"] == 1:
            more = f"{'val loss':>11}{'val ' + self.metric:>15}" if with_validation else ""
            self.line(f"  {'epoch':>5}{'train loss':>13}{more}{'seconds':>10}")
        more = ""
        if with_validation:
            more = f"{record['val_loss']:>11.4f}{record['val_metric']:>15.4f}"
        self.line(
            f"  {int(record['epoch']):>5}{record['train_loss']:>13.4f}{more}"
            f"{record['seconds']:>10.1f}"
        )

    @contextmanager
    def without_epochs(self) -> Iterator[None]:
        """Print no epochs while the folds are trained: one row a fold is enough."""
        self.epochs_shown = False
        try:
            yield
        finally:
            self.epochs_shown = True

    def folds(self, kind: str, count: int, with_validation: bool) -> None:
        """Say how the folds are made."""
        self.fact(f"folds: {count} by {kind}; each is the test part once")
        if not with_validation:
            self.fact(
                "every fold trains its full length on all the others, without a validation part "
                "(--val 15% holds one out)"
            )

    def fold(self, name: str, experiment: Experiment, fitted: Fitted) -> None:
        """Print one fold's scores."""
        cells = [f"{len(fitted.network['test'].rows):>6,} items"]
        for model, title in (("cnn", self.network), ("baseline", "baseline")):
            said = by_model(fitted)[model].get("test")
            if said is not None:
                score = said.score(experiment.y, experiment.task)[self.metric]
                cells.append(f"{title} {score.value:.3f}")
        cells.append(f"{fitted.cpu_seconds:.0f} CPU-s")
        self.line(f"  {name:<20}" + "   ".join(cells))

    def fold_means(self, table: dict[str, Any]) -> None:
        """Print mean and standard deviation over the folds."""
        for model, title in (("cnn", self.network), ("baseline", "baseline")):
            if model in table:
                over = table[model][self.metric]
                self.line(
                    f"  mean over folds     {title}: {self.metric} {over['mean']:.4f} "
                    f"(sd {over['sd']:.4f})"
                )
        self.line("\n  Now the final model, on everything:\n")

    def ablation(self, found: dict[str, Any], metric: str) -> None:
        """Print a network's two halves beside it, and what the image adds."""
        names = (SIDE, IMAGE, BOTH)
        width = max(map(len, names)) + 3
        self.line(f"\n  {metric:<{width}}{PART_NAMES[found['part']]}")
        for name in names:
            self.line(f"  {name:<{width}}{found[name]}")
        self.line(f"\n  {found['text']}")

    def table(
        self, names: dict[str, str], scores: dict[str, dict[str, Scores]], metric: str
    ) -> None:
        """Print the closing table: models down, parts across."""
        parts = list(scores["cnn"])
        if not parts:
            self.line("\n  Nothing was held out, so there is no score.")
            return
        width = max(len(name) for name in (metric, *names.values())) + 3
        head = "".join(f"{PART_NAMES[part]:<26}" for part in parts)
        self.line(f"\n  {metric:<{width}}{head}".rstrip())
        for model, name in names.items():
            if scores[model]:
                cells = "".join(f"{scores[model][part][metric]!s:<26}" for part in parts)
                self.line(f"  {name:<{width}}{cells}".rstrip())

    def one_by_one(self, metrics: dict[str, Any]) -> None:
        """Print the network's scores on each label, the most frequent first, or on each target.

        Parameters
        ----------
        metrics : dict
            With "labels" or "targets", as `results.one_by_one` gives them, or neither.
        """
        rows = metrics.get("labels", metrics.get("targets", []))
        if not rows:
            return
        kind = next(iter(rows[0]))
        shown = sorted(rows, key=lambda row: -row.get("positive", 0))[:MOST_CLASSES]
        columns = [name for name in SCORES if name in rows[0]]
        table = [[kind, *columns]]
        table += [[row[kind], *(write_score(row[name]) for name in columns)] for row in shown]
        widths = [max(map(len, column)) + 3 for column in zip(*table, strict=True)]
        self.line()
        for cells in table:
            line = "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
            self.line(f"  {line}".rstrip())
        if len(rows) > len(shown):
            self.line(f"  … and {len(rows) - len(shown)} more; metrics.json has them all")
        if kind == "target":
            for sentence in STANDARDISED:
                self.line(f"  {sentence}")

    def end(self, metrics: dict[str, Any], folder: Path) -> None:
        """Say how well calibrated the model is, what it took, and what can be done next."""
        calibration = metrics.get("calibration")
        if calibration:
            self.line(
                f"  Probabilities: expected calibration error on validation "
                f"{calibration['ece_before']:.3f}, {calibration['ece_after']:.3f} after "
                f"temperature {calibration['temperature']:.2f}."
            )
        seconds = metrics["seconds"]
        self.line(
            f"  Read in {seconds['read']:.1f} s, trained in {seconds['fit']:.1f} s, predicted in "
            f"{seconds['predict']:.1f} s on {metrics['device']}."
        )
        self.line(f"\n  Model and report: {folder}")
        self.line(f"  Next: cnnkit predict {folder} NEW_DATA")


def network_title(network: str) -> str:
    """Return what a network is called, by its spec: one that sees no pixel is no CNN.

    Examples
    --------
    >>> network_title("conv 8x1x3 | gmp | wide"), network_title("side | dense 8 | relu | forest")
    ('CNN', 'network + forest')
    """
    title = "CNN" if sees_image(network) else "network"
    return f"{title} + forest" if Side("forest") in parse(network) else title


def model_titles(task: Task, baseline: str, networks: int, network: str = "CNN") -> dict[str, str]:
    """Return what the three models are called in tables.

    Examples
    --------
    >>> model_titles("regression", "ridge", 2)
    {'majority': 'mean', 'baseline': 'ridge', 'cnn': 'CNN (2 networks)'}
    """
    several = f" ({networks} networks)" if networks > 1 else ""
    return {"majority": MAJORITY[task], "baseline": baseline, "cnn": f"{network}{several}"}


def name_counts(sizes: Sequence[tuple[str, int]]) -> str:
    """Write how many there are, and the first of them with their counts.

    Examples
    --------
    >>> name_counts([("cat", 1200), ("dog", 7)])
    '2: cat 1,200, dog 7'
    """
    shown = ", ".join(f"{label} {count:,}" for label, count in sizes[:MOST_CLASSES])
    more = f", … and {len(sizes) - MOST_CLASSES} more" if len(sizes) > MOST_CLASSES else ""
    return f"{len(sizes)}: {shown}{more}"


def count_labels(targets: NDArray[Any], labels: Sequence[str]) -> str:
    """Write how many items have each label, and how many cells aren't known.

    Examples
    --------
    >>> count_labels(np.array([[1, 0], [1, np.nan]]), ["rock", "pop"])
    '2: rock 2, pop 0; 1.00 an item; 1 of 4 cells not known'
    """
    counts = (targets == 1).sum(axis=0).tolist()
    sizes = Counter(dict(zip(labels, counts, strict=True))).most_common()
    missing = int(np.isnan(targets).sum())
    unknown = f"; {missing:,} of {targets.size:,} cells not known" if missing else ""
    return f"{name_counts(sizes)}; {sum(counts) / len(targets):.2f} an item{unknown}"


def count_known(targets: NDArray[Any], names: Sequence[str]) -> str:
    """Write how many items know each target.

    Examples
    --------
    >>> count_known(np.array([[0.5, 7.1], [1.2, np.nan]]), ["logS", "pKa"])
    '2: logS 2, pKa 1; 1 of 4 cells not known'
    """
    missing = np.isnan(targets)
    sizes = list(zip(names, (~missing).sum(axis=0).tolist(), strict=True))
    unknown = f"; {missing.sum():,} of {targets.size:,} cells not known" if missing.any() else ""
    return f"{name_counts(sizes)}{unknown}"
