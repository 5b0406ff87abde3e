"""Accuracy on two public sets, with unseen speakers and official folds, beside MFCC + SVM.

    python benchmarks/audio_accuracy.py --data FOLDER [--seeds 0 1] [--runs speech environment …]

FOLDER holds `fsdd/index.csv` (path, label, speaker, split; Free Spoken Digit Dataset) and
`esc10/index.csv` (path, label, fold; ESC-10). Each run is the command line as users call it; the
table shows every fold, the mean over folds for each seed, and the CPU seconds of training a fold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MODELS = ("cnn", "baseline")
RUNS = {
    "speech": ("fsdd", ["--cv", "group:speaker"]),
    "environment": ("esc10", ["--cv", "column:fold"]),
    "environment-strong": (
        "esc10",
        ["--cv", "column:fold", "--set", "preset=environment-strong"],
    ),
    "official": ("fsdd", ["--split", "column:split"]),
}


def fit(data: Path, options: list[str], seed: int) -> dict[str, Any]:
    """Run `cnnkit fit --json` in a folder of its own and return what it printed."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "cnnkit", "fit", str(data), "--adapter", "audio"]
        command += ["--item", "path", "--target", "label", "--seed", str(seed), "--json"]
        command += ["--out", f"{scratch}/model", *options]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    metrics: dict[str, Any] = json.loads(done.stdout)
    return metrics


def show(name: str, seed: int, metrics: dict[str, Any]) -> None:
    """Print one run: folds, means, CPU seconds."""
    if "cv" not in metrics:
        scores = {model: metrics[model]["test"]["accuracy"]["value"] for model in MODELS}
        print(
            f"{name:<20} seed {seed}   CNN {100 * scores['cnn']:.2f} %   "
            f"MFCC + SVM {100 * scores['baseline']:.2f} %   "
            f"{metrics['fit_cpu_seconds']:.0f} CPU-s",
            flush=True,
        )
        return
    table = metrics["cv"]
    for model in MODELS:
        folds = " ".join(f"{100 * fold[model]['accuracy']:5.1f}" for fold in table["folds"])
        mean = 100 * table[model]["accuracy"]["mean"]
        print(f"{name:<20} seed {seed}   {model:<9}{folds}   mean {mean:.2f} %", flush=True)
    spent = [fold["fit_cpu_seconds"] for fold in table["folds"]]
    print(f"{'':<20} CPU seconds a fold: {min(spent):.0f} to {max(spent):.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=list(RUNS))
    options = parser.parse_args()
    for name in options.runs:
        folder, arguments = RUNS[name]
        for seed in options.seeds:
            show(name, seed, fit(options.data / folder / "index.csv", arguments, seed))


if __name__ == "__main__":
    main()
