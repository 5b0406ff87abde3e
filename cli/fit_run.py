"""What `cnnkit fit` does, step by step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.copies import count_copies
from cnnkit.adapters.families import FAMILY_KINDS, Families, check_offered
from cnnkit.adapters.folds import folds_digest, make_folds, validation_part
from cnnkit.adapters.parts import column_values
from cnnkit.adapters.splits import Split, given_split, make_split
from cnnkit.adapters.units import codes
from cnnkit.cli import fit_files
from cnnkit.cli.collect import Collection, collect, collect_demo
from cnnkit.cli.fit_options import FitOptions
from cnnkit.cli.fit_print import Printer, model_titles, network_title
from cnnkit.cli.fit_swap_test import ask_swap_test, check_anyway
from cnnkit.cli.settings import make_adapter
from cnnkit.cnncore import results
from cnnkit.cnncore.ablation import ablate
from cnnkit.cnncore.bootstrap import Interval
from cnnkit.cnncore.estimator import CNNClassifier, CNNRegressor
from cnnkit.cnncore.experiment import Experiment, Fitted
from cnnkit.cnncore.image import IntArray, Problem
from cnnkit.cnncore.model_folder import save
from cnnkit.cnncore.presets import sees_image
from cnnkit.cnncore.scores import verdict

DEFAULT_VAL = 0.15
FEWEST_GROUPS = 4  # in a held-out part; resampling fewer says little about others
NONE = np.array([], dtype=np.int64)


@dataclass(frozen=True)
class Outcome:
    """What a run ends with.

    Parameters
    ----------
    final : Fitted
        Whose model is saved.
    shown : Fitted
        Whose predictions are scored: the same, or those of all folds.
    groups : int64 array [N] or None
        Items that the bootstrap draws together.
    content : dict
        What is special to this way of splitting, for metrics.json.
    seen : int64 array
        Items that the final model learnt from, or was chosen by.
    """

    final: Fitted
    shown: Fitted
    groups: NDArray[np.int64] | None
    content: dict[str, Any]
    seen: IntArray


class FitRun:
    """One run of `cnnkit fit`.

    Raises
    ------
    ValueError, OSError
        If the options or the data are wrong.
    """

    def __init__(self, options: FitOptions) -> None:
        self.options = options
        self.printer = Printer(options.as_json)
        self.out = fit_files.free_folder(options)
        self.adapter = make_adapter(options.adapter_name, options.settings)
        check_anyway(self.adapter, anyway=options.anyway)
        self.kind = options.cv or options.split
        check_offered(self.kind, self.adapter.split_kinds, self.adapter.name)
        self.split_column = self.kind.partition(":")[2]
        self.data = self._collect()
        estimator = self._estimator()
        if self.split_column:  # refuse one that isn't there before any item is read
            column_values(self.data.table, self.split_column)
        self.fingerprints = self.adapter.fingerprints(self.data.items)
        self.set_aside: tuple[Problem, ...] = ()
        self.swap_test: dict[str, Any] = {}
        self.ablation: dict[str, Any] = {}
        self.experiment = Experiment(
            self.adapter,
            estimator,
            self.data.items,
            self.data.targets,
            self.data.task,
            labels=self.data.labels,
            with_baseline=not options.no_baseline,
            on_read=self._on_read,
            on_start=self.printer.plan,
            on_epoch=self.printer.epoch,
        )

    def run(self) -> dict[str, Any]:
        """Do everything; return the content of metrics.json."""
        self.printer.found(self.data)
        outcome = self._fit_split() if self.options.cv is None else self._fit_folds()
        scores = results.score_parts(self.experiment, outcome.shown, outcome.groups)
        rejects = fit_files.list_rejects(self.data, (*self.experiment.problems, *self.set_aside))
        metrics = {
            **results.metrics_json(self.experiment, scores, self.adapter.baseline_name),
            **outcome.content,
            **results.label_scores(self.experiment, outcome.shown, outcome.groups),
            **self.swap_test,
            "rejects": sum(row["status"] == "rejected" for row in rejects),
            "seconds": {key: round(s, 3) for key, s in self.experiment.seconds.items()},
            "fit_cpu_seconds": round(outcome.final.cpu_seconds, 2),
            "device": outcome.final.model.device_,
            "parameters": self._parameters(outcome.final.model),
        }
        self.printer.table(self._titles(outcome.final.model), scores, metrics["metric"])
        if self.data.task == "classification" and scores["cnn"]:
            self.printer.table(self._titles(outcome.final.model), scores, "balanced_accuracy")
        self.printer.one_by_one(metrics)
        difference = results.ahead(self.experiment, outcome.shown, outcome.groups)
        if difference is not None:
            n = len(outcome.shown.network["test"].rows)
            metrics["verdict"] = verdict(
                difference,
                self.data.task,
                self.adapter.baseline_name,
                n,
                network_title(outcome.final.model.network_),
            )
            self.printer.line(f"\n  {metrics['verdict']}")
        if self.ablation:
            self.printer.ablation(self.ablation, metrics["metric"])
            metrics["ablation"] = {
                name: value.to_dict() if isinstance(value, Interval) else value
                for name, value in self.ablation.items()
            }
        self._save(outcome, metrics, rejects)
        self.printer.end(metrics, self.out)
        return metrics

    def _collect(self) -> Collection:
        options = self.options
        if options.data is None:
            return collect_demo(self.adapter, options.task)
        given = {"train": options.data, "val": options.val_data, "test": options.test_data}
        return collect(
            [(part, path) for part, path in given.items() if path is not None],
            self.adapter,
            item=options.item,
            target=options.target,
            task=options.task,
            encoding=options.encoding,
            separator=options.separator,
            split_columns=[self.split_column] if self.split_column else [],
        )

    def _estimator(self) -> CNNClassifier | CNNRegressor:
        options = self.options
        shared: dict[str, Any] = {
            "network": options.network,
            "ensemble": options.ensemble,
            "epochs": options.epochs,
            "batch_size": options.batch_size,
            "learning_rate": options.lr,
            "mixup": options.mixup,
            "device": options.device,
            "random_state": options.seed,
        }
        if self.data.task == "regression":
            if options.class_weight is not None:
                raise ValueError(
                    "--class-weight is for classes, but the targets are numbers (a regression): "
                    "leave it out, or add --task classification"
                )
            return CNNRegressor(**shared)
        return CNNClassifier(**shared, class_weight=options.class_weight)

    def _fit_split(self) -> Outcome:
        """Train once, on the training part of one split."""
        split = self._split()
        self.set_aside = split.set_aside
        parts = {"train": split.train, "val": split.val, "test": split.test}
        self.printer.split(split.name, {part: len(rows) for part, rows in parts.items()})
        self.printer.notes([*split.notes, *self.data.never_seen(split.train)])
        self._ask_swap_test(split.train)
        fitted = self.experiment.fit(**parts)
        sizes = {part: self.experiment.count_readable(rows) for part, rows in parts.items()}
        content = {
            "split": {"name": split.name, "sizes": sizes, "sha256": split.sha256},
            "calibration": results.calibration(self.experiment, fitted),
        }
        groups = self._groups(self.options.split, fitted)
        if not self.options.no_ablation:
            with self.printer.without_epochs():
                self.ablation = ablate(self.experiment, fitted, parts, groups)
        return Outcome(fitted, fitted, groups, content, np.concatenate([split.train, split.val]))

    def _split(self) -> Split:
        options, data = self.options, self.data
        val = DEFAULT_VAL if options.val is None else options.val
        if len(data.parts) > 1:
            sizes = dict(data.parts)
            return given_split(
                (sizes["train"], sizes.get("val", 0), sizes.get("test", 0)),
                data.targets,
                self.fingerprints,
                val=val,
                seed=options.seed,
                task=data.task,
                places=data.places,
            )
        return make_split(
            options.split,
            data.targets,
            data.table,
            self.fingerprints,
            val=val,
            test=options.test,
            seed=options.seed,
            task=data.task,
            places=data.places,
            families=self._families(),
        )

    def _families(self) -> Families | None:
        """Name the families of the items if the split is by these."""
        if self.kind not in FAMILY_KINDS:
            return None
        families: Families | None = self.adapter.families(self.data.items)
        return families

    def _fit_folds(self) -> Outcome:
        """Train once for each fold, then on everything."""
        options, data = self.options, self.data
        kind, families = self.kind, self._families()
        folds = make_folds(
            kind,
            data.targets,
            data.table,
            self.fingerprints,
            seed=options.seed,
            task=data.task,
            places=data.places,
            families=families,
        )
        self.printer.folds(kind, len(folds), bool(options.val))
        copies = count_copies(codes(self.fingerprints), data.places)
        self.printer.notes([*folds[0].notes, *copies])
        self._ask_swap_test(np.arange(len(data.items)))
        fits: dict[str, Fitted] = {}
        with self.printer.without_epochs():
            for fold in folds:
                train, val = fold.train, NONE
                if options.val:
                    train, val = validation_part(
                        train,
                        kind,
                        data.targets,
                        data.table,
                        self.fingerprints,
                        val=options.val,
                        seed=options.seed,
                        task=data.task,
                        families=families,
                    )
                self.set_aside += tuple(aside_in(fold.name, copy) for copy in fold.set_aside)
                fitted = self.experiment.fit(train, val, fold.test)
                if "test" not in fitted.network:
                    self.printer.notes([f"{fold.name}: none of its items could be read"])
                    continue
                fits[fold.name] = fitted
                self.printer.fold(fold.name, self.experiment, fitted)
        if not fits:
            raise ValueError("none of the folds has an item that could be read")
        table = results.fold_table(self.experiment, fits)
        self.printer.fold_means(table)
        everything = np.arange(len(data.items))
        final = self.experiment.fit_everything(list(fits.values()), everything)
        content = {
            "split": {
                "name": f"cv {kind}",
                "sizes": {fold["name"]: fold["n"] for fold in table["folds"]},
                "sha256": folds_digest(folds, self.fingerprints),
            },
            "cv": table,
        }
        pooled = results.pool_folds(list(fits.values()))
        return Outcome(final, pooled, self._groups(kind, pooled), content, everything)

    def _ask_swap_test(self, rows: IntArray) -> None:
        """Ask whether the order of a table's columns matters; refuse to train where it doesn't."""
        found = ask_swap_test(self.adapter, self.data, rows, self.options, self.printer)
        self.swap_test = {} if found is None else {"swap_test": found}

    def _groups(self, kind: str, shown: Fitted) -> NDArray[np.int64] | None:
        """Return group numbers where whole groups are drawn, so that the bootstrap does so too."""
        name, _, column = kind.partition(":")
        if name != "group" or self.data.table is None:
            return None
        groups = np.unique(self.data.table[column].to_numpy(), return_inverse=True)[1]
        fewest = min(len(np.unique(groups[said.rows])) for said in shown.network.values())
        if fewest >= FEWEST_GROUPS:
            return groups
        self.printer.notes(
            [
                f"a held-out part has {fewest} of the groups in {column!r}: too few to tell how "
                "groups differ, so the intervals are over items and hold for these groups only"
            ]
        )
        return None

    def _on_read(self, adapter: Any, problems: Sequence[Problem]) -> None:
        """Print what reading decided and found; stop if too much of it is bad."""
        decided = adapter.decided_
        if not sees_image(self.options.network):
            decided = [sentence for sentence in decided if not sentence.startswith("image: ")]
        self.printer.read(decided, self.data.places, problems)
        rows = fit_files.list_rejects(self.data, problems)
        rejected = [row for row in rows if row["status"] == "rejected"]
        total = len(self.data.items) + len(self.data.unusable)
        allowed = 0 if self.options.strict else self.options.max_bad * total
        if len(rejected) > allowed:
            rule = (
                "--strict allows none"
                if self.options.strict
                else (f"--max-bad allows {self.options.max_bad:.0%}")
            )
            shown = "\n".join(f"  {row['place']}: {row['reason']}" for row in rejected[:10])
            more = f"\n  … and {len(rejected) - 10:,} more" if len(rejected) > 10 else ""
            raise ValueError(
                f"{len(rejected):,} of {total:,} items can't be used, and {rule}:\n{shown}{more}"
            )

    def _titles(self, model: Any) -> dict[str, str]:
        network = network_title(model.network_)
        count = len(model.networks_)
        return model_titles(self.data.task, self.adapter.baseline_name, count, network)

    def _parameters(self, model: Any) -> dict[str, Any]:
        """Collect every setting, chosen or given."""
        weights = sum(weight.numel() for weight in model.networks_[0].parameters())
        return {
            "adapter": {"name": self.adapter.name, **self.adapter.get_params(deep=False)},
            "network": model.network_,
            "networks": len(model.networks_),
            "weights": weights,
            **asdict(model.plan_),
            "seed": self.options.seed,
        }

    def _save(
        self, outcome: Outcome, metrics: dict[str, Any], rejects: list[dict[str, str]]
    ) -> None:
        """Write the model folder with everything that belongs to it."""
        seen = [self.fingerprints[row] for row in sorted(outcome.seen)]
        titles = self._titles(outcome.final.model)
        files = {
            **fit_files.lists(metrics, rejects, seen),
            **fit_files.reports(
                outcome.final, outcome.shown, self.data, titles, metrics, self.experiment
            ),
        }
        if self.options.out is None:  # another run may have taken the number
            self.out = fit_files.free_folder(self.options)
        about = fit_files.about(self.data, self.options)
        save(
            outcome.final.model,
            self.out,
            files=files,
            about=about,
            overwrite=self.options.overwrite,
        )


def aside_in(fold: str, copy: Problem) -> Problem:
    """Report a copy that one fold doesn't learn from; the others and the final model do."""
    return replace(copy, reason=f"left out of training in {fold}: {copy.reason}", rejected=False)


def run(options: FitOptions) -> None:
    """Do what `cnnkit fit` was asked to; print for people, or one JSON object."""
    fitting = FitRun(options)
    metrics = fitting.run()
    if options.as_json:
        click.echo(json.dumps({**metrics, "model": str(fitting.out)}, ensure_ascii=False))
