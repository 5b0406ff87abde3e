"""How often the swap test is wrong where the truth is known, and how often it finds an order.

    python benchmarks/swap_test_calibration.py [--data FOLDER] [--parts null power …]

FOLDER holds `ordered/*.csv` and `unordered/*.csv` (last column: the target); without it the real
tables are those that scikit-learn ships. `null`: tables whose columns were shuffled once for each
seed, so that every rejection is a mistake. `power`: tables with a useful order. `categories`: a
target that acts on groups of levels of nominal columns. `tables`: every table of FOLDER as a user
would test it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import made_tables as made
import numpy as np
import torch
from scipy import stats

from cnnkit.cnncore.swap_test import TableError, swap_test
from cnnkit.cnncore.swap_test.sequential import ENOUGH

SIZES = (60, 100, 200, 500, 1000)
POWER_SIZES = (100, 300, 1000)
Case = tuple[str, int, int, Callable[[], made.Table], dict[str, Any]]


def null_cases(count: int, folder: Path | None) -> Iterator[Case]:
    """Take made and real tables in turn, in five sizes, each with its own seed."""
    real = [(one.name, partial(made.rows, one)) for one in made.real_tables(folder)]
    own = [(maker.__name__, maker) for maker in made.MADE]
    makers = [maker for pair in zip(itertools.cycle(own), real) for maker in pair]
    for seed in range(count):
        name, maker = makers[seed % len(makers)]
        n = SIZES[(seed // len(makers) + seed) % len(SIZES)]
        yield name, n, seed, partial(null_table, maker, n, 1000 + seed), {}


def null_table(maker: Callable[..., made.Table], n: int, seed: int) -> made.Table:
    generator = np.random.default_rng(seed)
    return made.shuffle_columns(maker(n, generator=generator), generator)


def power_cases(count: int, folder: Path | None, only: list[str] | None = None) -> Iterator[Case]:
    """Yield `count` tables of each kind and size."""
    kinds: list[tuple[str, Callable[..., made.Table], dict[str, Any]]] = [
        ("motif", made.motif, {}),
        ("spectra, fixed", made.spectra, {}),
        ("spectra, any", made.spectra_anywhere, {}),
        ("digits", made.digits, {}),
        ("digits 8x8", made.digits, {"shape": (8, 8)}),
    ]
    if folder:
        mnist1d = made.read(folder / "ordered" / "mnist1d.csv")
        kinds.append(("mnist1d", partial(made.rows, mnist1d), {}))
    kinds = [kind for kind in kinds if only is None or kind[0] in only]
    for (name, maker, options), n, seed in itertools.product(kinds, POWER_SIZES, range(count)):
        yield name, n, seed, partial(ordered_table, maker, n, 5000 + seed), options


def ordered_table(maker: Callable[..., made.Table], n: int, seed: int) -> made.Table:
    return maker(n, generator=np.random.default_rng(seed))


def category_cases(count: int) -> Iterator[Case]:
    for seed in range(count):
        yield "categories", 200, seed, partial(ordered_table, made.categories, 200, 9000 + seed), {}


def measure(case: Case, permutations: int) -> dict[str, Any]:
    """Test one table; a table that can't be tested says why."""
    torch.set_num_threads(1)
    name, n, seed, make, options = case
    began = time.perf_counter()
    record = {"name": name, "n": n, "seed": seed}
    try:
        X, y = make()[1:]
        found = swap_test(
            X, y, n_permutations=permutations, time_limit=0, random_state=seed, n_jobs=1, **options
        )
    except TableError as error:
        return {**record, "refused": str(error)}
    draws = found.settings["draws"]
    return {
        **record,
        "p": found.pvalue,
        "draws": draws,
        "asked": permutations,
        "verdict": found.verdict,
        "reason": found.reason,
        "advice": found.advice.model,
        "effect": found.effect,
        "gain_share": found.gain_share,
        "seconds": time.perf_counter() - began,
    }


def run(cases: Iterator[Case], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure all cases, in processes; tell refused ones."""
    jobs = joblib.Parallel(n_jobs=options.jobs, return_as="generator_unordered")
    found = []
    for record in jobs(joblib.delayed(measure)(case, options.permutations) for case in cases):
        if "refused" in record:
            print(f"  not tested: {record['name']} n={record['n']}: {record['refused']}")
            continue
        found.append(record)
        print(f"\r{len(found)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if options.out:
        with options.out.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in found)
    return found


def uniform(record: dict[str, Any], generator: np.random.Generator) -> float:
    """Spread a p-value evenly down to the next smaller one that it could have been."""
    p, asked, draws = record["p"], record["asked"], record["draws"]
    stopped = np.isclose(p * draws, ENOUGH)
    below = ENOUGH / (draws + 1) if stopped else p - 1 / (asked + 1)
    return float(generator.uniform(max(below, 0), p))


def band(n: int, share: float) -> tuple[int, int]:
    """Return the middle 99 % of how many of n exact tests reject."""
    low, high = stats.binom.interval(0.99, n, share)
    return int(low), int(high)


def show_null(found: list[dict[str, Any]]) -> None:
    n = len(found)
    p = np.array([record["p"] for record in found])
    print(f"\nnull: {n} tables whose order means nothing (mean {mean_seconds(found):.1f} s each)")
    for level in (0.05, 0.10, 0.25, 0.50):
        low, high = band(n, level)
        print(
            f"  p <= {level:.2f}: {np.mean(p <= level):.3f}  ({np.sum(p <= level)} tables; "
            f"99 % band {low / n:.3f} to {high / n:.3f})"
        )
    generator = np.random.default_rng(0)
    ks = stats.kstest([uniform(record, generator) for record in found], "uniform")
    print(f"  p-values uniform? Kolmogorov-Smirnov D = {ks.statistic:.3f}, p = {ks.pvalue:.3f}")
    for verdict in ("order matters", "order does not matter", "inconclusive"):
        print(f"  {verdict:<22} {np.mean([r['verdict'] == verdict for r in found]):.3f}")
    print(f"  advice: a CNN          {np.mean([r['advice'] == 'cnn' for r in found]):.3f}")
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in found:
        groups[f"n = {record['n']}"].append(record)
        groups[record["name"]].append(record)
    print(f"\n  {'':<24} tables  p<=.05  matters  does not  inconclusive")
    for name, records in sorted(groups.items()):
        verdicts = [record["verdict"] for record in records]
        print(
            f"  {name:<24} {len(records):6} {np.mean([r['p'] <= 0.05 for r in records]):7.3f} "
            f"{verdicts.count('order matters'):8} {verdicts.count('order does not matter'):9} "
            f"{verdicts.count('inconclusive'):13}"
        )


def show_power(found: list[dict[str, Any]]) -> None:
    print("\npower: share of tables with a useful order on which the verdict is so")
    print(
        f"  {'':<16}" + "".join(f"{'n = ' + str(n):>12}" for n in POWER_SIZES) + "   effect B, gain"
    )
    for name in dict.fromkeys(record["name"] for record in found):
        shares, effects = [], []
        for n in POWER_SIZES:
            own = [r for r in found if r["name"] == name and r["n"] == n]
            hits = [r["verdict"] == "order matters" for r in own]
            shares.append(f"{sum(hits):>6} of {len(hits):<2}" if hits else " " * 12)
            gain = np.median([r["gain_share"] for r in own])
            effects.append(f"{np.median([r['effect'] for r in own]):+.3f}, {gain:.0%}")
        print(
            f"  {name:<16}" + "".join(f"{share:>12}" for share in shares), " ", "; ".join(effects)
        )


def show_categories(found: list[dict[str, Any]]) -> None:
    rejected = sum(record["p"] <= 0.05 for record in found)
    matters = sum(record["verdict"] == "order matters" for record in found)
    print(
        f"\ncategories: p <= 0.05 on {rejected} of {len(found)} tables, "
        f'"order matters" on {matters}'
    )


def show_tables(folder: Path) -> None:
    """Test every table as a user would, with trained networks beside."""
    for path in sorted(folder.glob("*/*.csv"), key=lambda path: (path.parent.name, path.stem)):
        X, y = made.read(path)[1:]
        found = swap_test(X, y)
        scores = "  ".join(f"{name} {score.value:.3f}" for name, score in found.scores.items())
        print(
            f"\n{path.parent.name}/{path.stem}: {found.rows} of {found.rows_total} rows, "
            f"{len(found.units)} columns, {found.seconds['total']:.0f} s\n"
            f"  {found.verdict}: {found.reason}\n"
            f"  p {found.pvalue:.3f}, effect {found.effect:+.3f} "
            f"[{found.interval[0]:+.3f}, {found.interval[1]:+.3f}], gain {found.gain_share:.1%}\n"
            f"  {found.scoring}: {scores}\n  {found.advice.text}",
            flush=True,
        )


def mean_seconds(found: list[dict[str, Any]]) -> float:
    return float(np.mean([record["seconds"] for record in found]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parts = ("null", "power", "categories", "tables")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--tables", type=int, default=420, help="null tables")
    parser.add_argument("--kinds", nargs="+", help="of tables with an order; default: all")
    parser.add_argument("--repeats", type=int, default=10, help="tables of each kind with an order")
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="a JSON line for each table")
    options = parser.parse_args()
    if "null" in options.parts:
        show_null(run(null_cases(options.tables, options.data), options))
    if "power" in options.parts:
        show_power(run(power_cases(options.repeats, options.data, options.kinds), options))
    if "categories" in options.parts:
        show_categories(run(category_cases(100), options))
    if "tables" in options.parts and options.data:
        show_tables(options.data)


if __name__ == "__main__":
    main()
