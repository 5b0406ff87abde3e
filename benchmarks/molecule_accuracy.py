"""Accuracy on public sets of molecules, split by scaffolds, beside random forests.

    python benchmarks/molecule_accuracy.py --data FOLDER [--seeds 0 1 2 3 4] [--keep PREDICTIONS]
    python benchmarks/molecule_accuracy.py --data FOLDER --sets ESOL --models cnnkit "side alone"

FOLDER holds ESOL.csv, BACE.csv, BBBP.csv and Tox21.csv, as MoleculeNet gives them. `scaffold` is
one split (80/10/10, the smallest scaffolds are tested), fitted with each seed; `scaffold-balanced`
is drawn anew with each seed, which the fit gets too. All models learn from the same training part;
the networks choose epoch and temperature by the validation part.

Figures are means over the seeds of RMSE (ESOL) or ROC-AUC (Tox21: the mean over 12 labels).
Intervals are 95 % bootstraps over the tested molecules, which all seeds and models share: they
don't know that other splits or other sets could have been drawn. CPU seconds are those of training,
without reading and describing molecules. With --keep, predictions are kept in a folder, and what is
there isn't fitted again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cnnkit import CNNClassifier, CNNRegressor
from cnnkit.adapters.molecule.adapter import MoleculeAdapter
from cnnkit.adapters.molecule.baseline import MoleculeFeatures, forest
from cnnkit.adapters.molecule.side import MORGAN_SIZE, SIDES
from cnnkit.adapters.splits import Split, make_split
from cnnkit.cnncore.ablation import IMAGE, SIDE, halves
from cnnkit.cnncore.bootstrap import Interval, bootstrap
from cnnkit.cnncore.calibration import Family
from cnnkit.cnncore.experiment import Experiment
from cnnkit.cnncore.metrics import mean_ratio, ranking
from cnnkit.cnncore.presets import PRESETS
from cnnkit.cnncore.scores import Task

MOST_CPU_S = 180
KINDS = ("scaffold", "scaffold-balanced")
Floats = NDArray[np.float64]
Measure = Callable[[Floats], Floats]


class Table(NamedTuple):
    """Where a set's molecules and targets stand, and what is to be reached on each split."""

    items: str
    targets: tuple[str, ...]
    task: Task
    goals: tuple[float, float]


TOX21 = (
    "NR-AR", "NR-AR-LBD", "NR-AhR", "NR-Aromatase", "NR-ER", "NR-ER-LBD", "NR-PPAR-gamma",
    "SR-ARE", "SR-ATAD5", "SR-HSE", "SR-MMP", "SR-p53",
)  # fmt: skip
LOGS = "measured log solubility in mols per litre"
SETS = {
    "ESOL": Table("smiles", (LOGS,), "regression", (0.83, 0.78)),
    "BACE": Table("mol", ("Class",), "classification", (0.83, 0.87)),
    "BBBP": Table("smiles", ("BBBP",), "classification", (0.73, 0.915)),
    "Tox21": Table("smiles", TOX21, "multilabel", (0.78, 0.78)),
}


class Fit(NamedTuple):
    """What a model says of the tested molecules, and the CPU seconds that training took.

    Parameters
    ----------
    rows : int64 array [n]
    outputs : float64 array [n, targets]
        Numbers, or probabilities.
    seconds : float
    """

    rows: NDArray[np.int64]
    outputs: Floats
    seconds: float


class Molecules:
    """One set, read once for all fits."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.table = SETS[name]
        frame = pd.read_csv(folder / f"{name}.csv")
        targets = frame[list(self.table.targets)].to_numpy(np.float64)
        keep = ~np.isnan(targets).all(axis=1)
        self.items: list[str] = frame[self.table.items][keep].tolist()
        self.y = targets[keep]
        adapter = MoleculeAdapter()
        self.fingerprints = adapter.fingerprints(self.items)
        self.families = adapter.families(self.items)
        labels = self.table.targets if self.table.task == "multilabel" else None
        self.targets = self.y if labels else self.y[:, 0]
        if self.table.task == "classification":
            self.targets = self.targets.astype(np.int64)
        self.experiment = Experiment(
            adapter,
            CNNClassifier(),
            self.items,
            self.targets,
            self.table.task,
            labels=labels,
            with_baseline=False,
        )

    def split(self, kind: str, seed: int) -> Split:
        """Split by scaffolds, 80/10/10."""
        return make_split(
            kind,
            self.targets,
            None,
            self.fingerprints,
            val=0.1,
            test=0.1,
            seed=seed,
            task=self.table.task,
            families=self.families,
        )

    @cached_property
    def readable(self) -> NDArray[np.int64]:
        """Rows of molecules that RDKit can read."""
        return np.flatnonzero([family is not None for family in self.families])

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """Morgan counts and descriptors, [N, S]; NaN for what can't be read."""
        found = MoleculeFeatures(SIDES).transform([self.items[row] for row in self.readable])
        features = np.full((len(self.items), found.shape[1]), np.nan, np.float32)
        features[self.readable] = found
        return features

    def measure(self, fit: Fit) -> Measure:
        """Prepare RMSE or mean ROC-AUC, for many resamples: counts [n, B] to values [B]."""
        truth = self.y[fit.rows]
        if self.table.task == "regression":
            squares = (fit.outputs - truth)[:, 0] ** 2
            return lambda counts: np.sqrt(squares @ counts / counts.sum(axis=0))
        columns = []
        for label, said in zip(truth.T, fit.outputs.T, strict=True):
            known = ~np.isnan(label)
            columns.append((known, ranking(label[known] == 1, said[known])))

        def roc_auc(counts: Floats) -> Floats:
            measured = [column(counts[known]) for known, column in columns]
            won, pairs = np.stack(measured, axis=1)[:2]
            return mean_ratio(won, pairs)

        return roc_auc

    def ahead(self, ours: Floats, theirs: Floats) -> Floats:
        """Say how far ours is the better one."""
        return theirs - ours if self.table.task == "regression" else ours - theirs

    def points(self, ours: Floats, theirs: Floats) -> Floats:
        """Say the same in points: hundredths of ROC-AUC, or percent of RMSE."""
        ahead = 100 * self.ahead(ours, theirs)
        return ahead / theirs if self.table.task == "regression" else ahead


Model = Callable[[Molecules, Split, int], Fit]


def network(spec: str | None = None, **adapter: Any) -> Model:
    """Make a model of cnnkit: its defaults, but for a network or settings of the adapter."""

    def fit(data: Molecules, split: Split, seed: int) -> Fit:
        experiment, task = data.experiment, data.table.task
        estimator = CNNRegressor if task == "regression" else CNNClassifier
        experiment.model = estimator(network=spec, random_state=seed)
        experiment.adapter = MoleculeAdapter(**adapter)
        fitted = experiment.fit(split.train, split.val, split.test)
        said = fitted.network["test"]
        outputs = said.outputs[:, 1:] if task == "classification" else said.outputs
        return Fit(said.rows, outputs.reshape(len(said.rows), -1), fitted.cpu_seconds)

    return fit


def trees(change: Callable[[NDArray[np.float32]], NDArray[Any]]) -> Model:
    """Make the random forest that is cnnkit's baseline, on other features."""

    def fit(data: Molecules, split: Split, seed: int) -> Fit:
        train = np.intersect1d(split.train, data.readable)
        test = np.intersect1d(split.test, data.readable)
        features = change(data.features)
        model = forest(data.table.task).named_steps["forest"]
        seeds = [name for name in model.get_params() if name.endswith("random_state")]
        model.set_params(**dict.fromkeys(seeds, seed))
        began = time.process_time()
        model.fit(features[train], data.targets[train])
        seconds = time.process_time() - began
        if data.table.task == "regression":
            outputs = model.predict(features[test])
        else:
            outputs = model.predict_proba(features[test])
        if data.table.task == "classification":
            outputs = outputs[:, 1:]
        return Fit(test, outputs.reshape(len(test), -1), seconds)

    return fit


OURS = "cnnkit"
HALVES = halves(PRESETS["molecule"])
ABLATIONS: dict[str, Model] = {
    "image alone": network(HALVES[IMAGE]),
    "side alone": network(HALVES[SIDE]),
    # Where training turns nothing, turned views at test time would be new to the network.
    "no augmentation": network(augment=False, views=1),
}
FORESTS: dict[str, Model] = {
    "forest, Morgan bits": trees(lambda features: features[:, :MORGAN_SIZE] > 0),
    "forest, Morgan counts": trees(lambda features: features[:, :MORGAN_SIZE]),
    "forest, descriptors": trees(lambda features: features[:, MORGAN_SIZE:]),
    "forest, counts + descriptors": trees(lambda features: features),
}
MODELS = {OURS: network(), **ABLATIONS, **FORESTS}
BETTER_OF = ("forest, Morgan counts", "forest, counts + descriptors")


def kept(path: Path | None, make: Callable[[], Fit]) -> Fit:
    """Take a fit's predictions from a file, or make and keep them."""
    if path is not None and path.exists():
        with np.load(path) as file:
            return Fit(file["rows"], file["outputs"], float(file["seconds"]))
    fit = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **fit._asdict())
    return fit


def fit_all(
    data: Molecules, kind: str, seeds: Sequence[int], models: Sequence[str], keep: Path | None
) -> dict[str, list[Fit]]:
    """Fit each model with each seed, print each figure, and check that all saw the same rows."""
    fits: dict[str, list[Fit]] = {name: [] for name in models}
    for seed in seeds:
        split = data.split(kind, seed)
        for name in models:
            file = f"{data.name} {kind} {seed} {name}.npz"
            path = None if keep is None else keep / file
            fit = kept(path, partial(MODELS[name], data, split, seed))
            value = float(data.measure(fit)(np.ones((len(fit.rows), 1)))[0])
            print(
                f"  {data.name} {kind} seed {seed}: {name:<30}{value:.3f}{fit.seconds:9.1f} CPU-s",
                flush=True,
            )
            fits[name].append(fit)
            if not np.array_equal(fit.rows, fits[models[0]][-1].rows):
                raise SystemExit(f"{file}: its molecules aren't those of {models[0]}")
    return fits


def mean_over_fits(
    data: Molecules, fits: Iterable[Fit], tested: NDArray[np.int64]
) -> tuple[Measure, list[float]]:
    """Prepare the mean of a model's figures, for counts of the tested molecules; and list them."""
    parts = [(np.searchsorted(tested, fit.rows), data.measure(fit)) for fit in fits]
    each = [float(measure(np.ones((len(places), 1)))[0]) for places, measure in parts]

    def mean(counts: Floats) -> Floats:
        values = [measure(counts[places]) for places, measure in parts]
        return np.asarray(np.mean(values, axis=0))

    return mean, each


def compare(
    data: Molecules, fits: dict[str, list[Fit]]
) -> tuple[dict[str, Interval], dict[str, list[float]]]:
    """Return, of each model, the figure and cnnkit's lead over it, with intervals; each figure."""
    tested = np.unique(np.concatenate([fit.rows for some in fits.values() for fit in some]))
    made = {name: mean_over_fits(data, some, tested) for name, some in fits.items()}

    def figures(counts: Floats) -> dict[str, Floats]:
        values = {name: mean(counts) for name, (mean, _) in made.items()}
        found = dict(values)
        if OURS in values:
            for name in values.keys() - {OURS}:
                found[f"ahead of {name}"] = data.ahead(values[OURS], values[name])
                found[f"points ahead of {name}"] = data.points(values[OURS], values[name])
        return found

    family: Family = figures
    groups = [data.fingerprints[row] for row in tested.tolist()]
    found = bootstrap((family,), len(tested), seed=0, resamples=1000, groups=groups)
    return found, {name: each for name, (_, each) in made.items()}


def show(data: Molecules, kind: str, fits: dict[str, list[Fit]]) -> dict[str, Interval]:
    """Print the table of a set and a split; return figures and leads."""
    found, each = compare(data, fits)
    tests = sorted({len(fit.rows) for fit in next(iter(fits.values()))})
    lower = data.table.task == "regression"
    metric = "RMSE" if lower else "ROC-AUC"
    print(f"\n{data.name}, {kind}: {metric}, {'/'.join(map(str, tests))} tested molecules")
    for name, some in fits.items():
        listed = " ".join(f"{value:.3f}" for value in each[name])
        longest = max(fit.seconds for fit in some)
        line = f"  {name:<30}{found[name]!s:<23} each {listed}  at most {longest:.1f} CPU-s"
        if f"ahead of {name}" in found:
            line += f"  {OURS} ahead by {found[f'ahead of {name}']}"
        if name == OURS:
            goal = data.table.goals[KINDS.index(kind)]
            good = found[name].value <= goal if lower else found[name].value >= goal
            line += f"  {'<=' if lower else '>='} {goal:g} {'met' if good else 'MISSED'}"
            line += f", < {MOST_CPU_S} CPU-s {'met' if longest < MOST_CPU_S else 'MISSED'}"
        print(line, flush=True)
    print()
    return found


def show_means(results: dict[tuple[str, str], dict[str, Interval]]) -> None:
    """Print cnnkit's mean lead over all sets, each counted once, in points.

    Which forest is the better one, the tested molecules say: no one could have known before.
    """
    for kind in KINDS:
        sets = {name: found for (name, of), found in results.items() if of == kind}
        forests = [name for name in FORESTS if all(f"ahead of {name}" in f for f in sets.values())]
        if len(sets) < 2 or not forests:
            continue
        print(f"{kind}: {OURS} ahead, mean of {', '.join(sets)} (points of ROC-AUC; % of RMSE)")
        rivals: dict[str, tuple[str, ...]] = {name: (name,) for name in forests}
        if set(BETTER_OF) <= set(forests):
            rivals["each set's better one of counts and counts + descriptors"] = BETTER_OF
        rivals["each set's best one of all"] = tuple(forests)
        for name, choice in rivals.items():
            leads = [
                min((found[f"points ahead of {one}"] for one in choice), key=lambda i: i.value)
                for found in sets.values()
            ]
            print(f"  of {name:<58}{mean_of(leads)}", flush=True)


def mean_of(leads: Sequence[Interval]) -> str:
    """Write the mean of leads on sets that have nothing in common, with its interval."""
    mean, n = float(np.mean([lead.value for lead in leads])), len(leads)
    below = np.sqrt(np.sum([(lead.value - lead.low) ** 2 for lead in leads])) / n
    above = np.sqrt(np.sum([(lead.high - lead.value) ** 2 for lead in leads])) / n
    listed = " ".join(f"{lead.value:+.1f}" for lead in leads)
    return f"{mean:+.1f} [{mean - below:+.1f}, {mean + above:+.1f}]  each {listed}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--splits", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--keep", type=Path, help="folder for predictions, which are used again")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    with threadpool_limits(1):
        for name in options.sets:
            data = Molecules(name, options.data)
            for kind in options.splits:
                fits = fit_all(data, kind, options.seeds, options.models, options.keep)
                results[name, kind] = show(data, kind, fits)
    show_means(results)


if __name__ == "__main__":
    main()
