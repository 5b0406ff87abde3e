"""Do near pixels of a molecule belong together? The rule of thumb, on molecules.

    python benchmarks/molecule_order.py --data FOLDER [--sets ESOL BACE] [--seeds 0 1 2] [--still]

"If your data is just as useful after swapping any of your columns with each other, then you can't
use Convolutional Neural Networks" (Rohrer, How Convolutional Neural Networks Work). FOLDER holds
ESOL.csv, BACE.csv and BBBP.csv, as MoleculeNet gives them.

The molecules' grids, without side features: the network as it is by default, on the grids and
on the same grids whose pixels one random permutation, the same for all molecules, has scattered;
beside both, a network of 1 x 1 convolutions, which sees each pixel for itself, so that the order of
pixels is nothing to it. All three get canvases of 32 x 32 pixels; what lies outside is cut off, and
there is no mask. --still leaves turning and mirroring out, in training and afterwards: a scattered
grid knows no turns.

Fingerprints, folded to 256 bits by a hash, so at random: the swap test asks whether their
order matters, as a row and as a square. One test in twenty may give p <= 0.05.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from cnnkit import CNNClassifier, CNNRegressor, swap_test
from cnnkit.adapters.molecule.adapter import MoleculeAdapter
from cnnkit.adapters.molecule.renderer import GridRenderer
from cnnkit.adapters.splits import make_split
from cnnkit.cnncore.ablation import IMAGE, halves
from cnnkit.cnncore.experiment import Experiment, Fitted
from cnnkit.cnncore.image import Batch, Images, Renderer
from cnnkit.cnncore.presets import PRESETS

PARTS = ("fingerprints", "grids")
PIXELS = 32
BITS = 256
SQUARE = (16, 16)
LOGS = "measured log solubility in mols per litre"
SETS = {"ESOL": ("smiles", LOGS), "BACE": ("mol", "Class"), "BBBP": ("smiles", "BBBP")}
KINDS = ("scaffold", "scaffold-balanced")
DEFAULT = halves(PRESETS["molecule"])[IMAGE]
# Without its two poolings, sums go over 16 times as many pixels.
PIXEL_BY_PIXEL = (
    DEFAULT.replace("x3x3", "x1x1").replace(" | pool 2x2/2", "").replace("gsum/12", "gsum/192")
)


class Canvas(Renderer):
    """Draws grids of 32 x 32 pixels, in their order or in another one.

    Parameters
    ----------
    grid : GridRenderer
    order : int64 array [32 * 32] or None
    """

    def __init__(self, grid: GridRenderer, order: NDArray[np.int64] | None) -> None:
        super().__init__()
        grid.least = PIXELS
        self.grid = grid
        self.views = grid.views
        self.order = None if order is None else torch.from_numpy(order)

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        pixels = self.grid(batch, generator, view).pixels
        outside = (pixels.shape[2] - PIXELS) // 2  # of a molecule that is turned out of the canvas
        inside = slice(outside, outside + PIXELS)
        pixels = pixels[:, :, inside, inside]
        if self.order is not None:
            pixels = pixels.flatten(2)[:, :, self.order].view(pixels.shape)
        return Images(pixels.contiguous())


class InOrder(MoleculeAdapter):
    """Molecules on a canvas of 32 x 32 pixels."""

    order: NDArray[np.int64] | None = None

    def renderer(self) -> Renderer:
        grid = super().renderer()
        assert isinstance(grid, GridRenderer)
        return Canvas(grid, self.order)


class Scattered(InOrder):
    """The same with pixels in a random order, one for all molecules."""

    order = np.random.default_rng(0).permutation(PIXELS * PIXELS)


WAYS: dict[str, tuple[type[InOrder], str]] = {
    "grid": (InOrder, DEFAULT),
    "scattered pixels": (Scattered, DEFAULT),
    "pixel by pixel": (InOrder, PIXEL_BY_PIXEL),
}


def read_set(name: str, folder: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Return molecules and targets."""
    column, target = SETS[name]
    frame = pd.read_csv(folder / f"{name}.csv")[[column, target]].dropna()
    return frame[column].tolist(), frame[target].to_numpy(np.float64)


class GridOrder:
    """One set, on which all networks are compared."""

    def __init__(self, name: str, folder: Path, *, still: bool) -> None:
        self.name = name
        self.items, self.y = read_set(name, folder)
        self.is_regression = name == "ESOL"
        self.settings: dict[str, Any] = {"augment": False, "views": 1} if still else {}
        adapter = MoleculeAdapter()
        self.fingerprints = adapter.fingerprints(self.items)
        self.families = adapter.families(self.items)
        self.experiment = Experiment(
            adapter,
            CNNRegressor(),
            self.items,
            self.y if self.is_regression else self.y.astype(np.int64),
            "regression" if self.is_regression else "classification",
            with_baseline=False,
        )

    def fit(self, kind: str, seed: int, way: str) -> Fitted:
        """Train one network on one split."""
        experiment = self.experiment
        split = make_split(
            kind,
            experiment.targets,
            None,
            self.fingerprints,
            val=0.1,
            test=0.1,
            seed=seed,
            task=experiment.task,
            families=self.families,
        )
        adapter, spec = WAYS[way]
        estimator = CNNRegressor if self.is_regression else CNNClassifier
        experiment.model = estimator(network=spec, random_state=seed)
        experiment.adapter = adapter(side="none", **self.settings)
        return experiment.fit(split.train, split.val, split.test)

    def figure(self, fitted: Fitted) -> float:
        """Return RMSE or ROC-AUC of the tested molecules."""
        said = fitted.network["test"]
        truth = self.y[said.rows]
        if self.is_regression:
            return float(np.sqrt(np.mean((said.outputs - truth) ** 2)))
        return float(roc_auc_score(truth, said.outputs[:, 1]))


def compare(name: str, folder: Path, kinds: list[str], seeds: list[int], *, still: bool) -> None:
    """Print what scattering the pixels of a set's grids costs."""
    data = GridOrder(name, folder, still=still)
    metric = "RMSE" if data.is_regression else "ROC-AUC"
    for kind in kinds:
        figures: dict[str, list[float]] = {way: [] for way in WAYS}
        for seed in seeds:
            for way, found in figures.items():
                fitted = data.fit(kind, seed, way)
                found.append(data.figure(fitted))
                spent = f"{fitted.cpu_seconds:6.1f} CPU-s"
                print(f"  {name} {kind} seed {seed}: {way:<18}{found[-1]:.3f}{spent}", flush=True)
        print(f"\n{name}, {kind}{', not turned' if still else ''}: {metric}")
        for way, found in figures.items():
            lost = np.array(found) - np.array(figures["grid"])
            lost = lost if data.is_regression else -lost
            listed = " ".join(f"{value:.3f}" for value in found)
            line = f"  {way:<18}{np.mean(found):.3f}  each {listed}"
            if way != "grid":
                losses = " ".join(f"{value:+.3f}" for value in lost)
                line += f"   loses {lost.mean():+.3f}  each {losses}"
            print(line, flush=True)
        print(flush=True)


def test_fingerprints(name: str, folder: Path, seeds: list[int]) -> None:
    """Print what the swap test says of folded fingerprints, in folds and orders of each seed."""
    items, y = read_set(name, folder)
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text.strip()) for text in items]
    rows = [row for row, mol in enumerate(mols) if mol is not None]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
    bits = np.stack([generator.GetFingerprintAsNumPy(mols[row]) for row in rows])
    classes = y[rows].astype(np.int64)
    for shape in (None, SQUARE):
        as_what = "a row" if shape is None else f"{shape[0]} x {shape[1]}"
        print(f"{name}, {len(rows):,} fingerprints of {BITS} bits as {as_what}:", flush=True)
        for seed in seeds:
            result = swap_test(
                bits, classes, shape=shape, time_limit=0, n_jobs=1, random_state=seed
            )
            low, high = result.interval
            print(
                f"  seed {seed}: {result.verdict}, p = {result.pvalue:.3f}, beside the raw columns "
                f"{100 * result.effect:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}] points of skill",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["ESOL", "BACE"])
    parser.add_argument("--splits", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--still", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        if "fingerprints" in options.parts:
            for name in ("BACE", "BBBP"):
                test_fingerprints(name, options.data, options.seeds)
            print()
        if "grids" in options.parts:
            for name in options.sets:
                compare(name, options.data, options.splits, options.seeds, still=options.still)


if __name__ == "__main__":
    main()
