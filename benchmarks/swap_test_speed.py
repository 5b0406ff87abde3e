"""How long the swap test takes, and what its engines save over a plain loop of networks.

    python benchmarks/swap_test_speed.py [--parts engines test file] [--rounds 3] [--threads 1]

`engines`: random convolutions with ridge regression, and networks trained many at once, against a
loop that trains the same networks one after the other (the core's network and optimiser, the same
initial weights, minibatches and number of threads). `test`: `swap_test` as a user calls it, with
networks. `file`: `cnnkit check-table` on a CSV of 100,000 x 100. The last two use all cores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import made_tables as made
import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from cnnkit.cnncore.image import Float32Array, Images, IntArray
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.spec import parse
from cnnkit.cnncore.swap_test import swap_test
from cnnkit.cnncore.swap_test.orders import draw_orders
from cnnkit.cnncore.swap_test.preparation import prepare
from cnnkit.cnncore.swap_test.prepared import PreparedTable
from cnnkit.cnncore.swap_test.probe import RandomProbe
from cnnkit.cnncore.swap_test.training import TrainingPlan, network_spec, plan_for, train_orders
from cnnkit.cnncore.train import WARM_UP

SIZES = ((500, 30, 15), (1000, 64, 30))  # rows, columns, and seconds that the test may take
FILE_ROWS = 100_000
# A child's memory counts from that of the process which starts it: so a small one does.
WATCH = """
import resource, subprocess, sys, time
began, command = time.perf_counter(), "from cnnkit.cli.main import main; main()"
subprocess.run([sys.executable, "-c", command, *sys.argv[1:]], check=True)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def ordered(rows: int, columns: int) -> made.Table:
    """Make a table whose order matters: the middle columns of `motif`."""
    table = made.motif(rows, np.random.default_rng(0))
    first = (table.X.shape[1] - columns) // 2
    return table._replace(X=table.X.iloc[:, first : first + columns])


def plain_loop(
    table: PreparedTable, orders: Sequence[IntArray], spec: str, plan: TrainingPlan
) -> Float32Array:
    """Train network after network; predict the held-out rows, float32 [orders, n, q]."""
    count = plan.steps * plan.batch_size
    truth = torch.from_numpy(table.target.matrix())
    said = np.empty((len(orders), *truth.shape), np.float32)
    for number, order in enumerate(orders):
        for fold, (train, test) in enumerate(table.folds):
            images = torch.from_numpy(table.designs[fold][:, order]).view(-1, 1, *table.shape)
            torch.manual_seed(fold)
            network = Network(parse(spec), (1, *table.shape), truth.shape[1])
            draw = torch.Generator().manual_seed(fold)
            epochs = range(0, count, len(train))
            drawn = torch.cat([torch.randperm(len(train), generator=draw) for _ in epochs])
            batches = torch.from_numpy(train)[drawn[:count]].view(plan.steps, -1)
            learn(network, images, truth, batches, plan)
            with torch.inference_mode():
                said[number, test] = network(Images(images[test])).softmax(1).numpy()
    return said


def learn(network: Network, X: Tensor, y: Tensor, batches: Tensor, plan: TrainingPlan) -> None:
    """Train one network by AdamW, as the plan says."""
    weights = [w for w in network.parameters() if w.ndim > 1]
    biases = {"params": [w for w in network.parameters() if w.ndim == 1], "weight_decay": 0.0}
    groups = [{"params": weights, "weight_decay": plan.weight_decay}, biases]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.99), fused=True)
    for step, rows in enumerate(batches, 1):
        done = step / (plan.steps + 1)
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))
        votes, smoothing = network(Images(X[rows])), plan.label_smoothing
        functional.cross_entropy(votes, y[rows], label_smoothing=smoothing).backward()
        optimizer.step()
        optimizer.zero_grad()


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU seconds and seconds."""
    began, began_cpu = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - began_cpu, time.perf_counter() - began


def compare_engines(rows: int, columns: int, options: argparse.Namespace) -> None:
    """Run the loop and both engines in turns, and print times and ratios."""
    torch.set_num_threads(options.threads)
    table = prepare(
        *ordered(rows, columns)[1:], target_name=None, task="auto", folds=3, together=None,
        shape=None, groups=None, time=None, max_rows=2000, seed=0,
    ).table  # fmt: skip
    orders, cpu = draw_orders(table.widths, 199, 0), torch.device("cpu")
    few = orders[: options.trained]
    probe = RandomProbe(table, seed=0, device=cpu, threads=options.threads)
    plan, spec = plan_for(rows, table.target.task), network_spec(table.shape)
    loop = partial(plain_loop, table, spec=spec, plan=plan)
    together = partial(train_orders, table, spec=spec, plan=plan, device=cpu, seed=0)
    brief = replace(plan, steps=20)  # later, rounding errors grow
    difference = np.abs(together(few, plan=brief) - loop(few, plan=brief)).max()
    works = (lambda: loop(few), lambda: probe.losses(orders), lambda: together(orders[:10]))
    rounds = [[measure(work) for work in works] for _ in range(options.rounds)]
    loops, randoms, batched = np.array(rounds).transpose(1, 2, 0)  # each [CPU s and s, rounds]
    print(
        f"\n{rows:,} x {columns}, 3 folds, {options.threads} thread(s), {options.rounds} rounds; "
        f"{plan.steps} steps of {spec}\nThe loop trained {len(few)} orders, and its time was "
        "multiplied; after 20 steps it predicts the same as the batched networks up to "
        f"{difference:.0e}\n{'':<33}{'loop, CPU s':>18}{'engine, CPU s':>18}"
        f"{'ratio of CPU s':>18}{'ratio of s':>18}\n{'':<33}" + "      min   median" * 4 + "  goal"
    )
    show("random convolutions, 200 orders", loops / len(few) * len(orders), randoms, 50)
    show("batched networks, 10 orders", loops / len(few) * 10, batched, 3)


def show(name: str, loop: np.ndarray, engine: np.ndarray, goal: float) -> None:
    """Print a row: least and median times, their ratios, and whether the goal is met."""
    (loop_cpu, loop_s), (cpu, seconds) = (
        np.stack([each.min(axis=1), np.median(each, axis=1)], axis=1) for each in (loop, engine)
    )
    numbers = np.concatenate([loop_cpu, cpu, loop_cpu / cpu, loop_s / seconds])
    met = "met" if (loop_cpu / cpu).min() >= goal else "MISSED"
    print(f"{name:<33}{''.join(f'{each:>9.2f}' for each in numbers)}  >= {goal}x {met}", flush=True)


def time_test(name: str, table: made.Table, goal_s: float, rounds: int) -> None:
    """Print a row: seconds of the whole test, and of the last one's steps."""
    tests = [swap_test(table.X, table.y, time_limit=1e9) for _ in range(rounds)]
    seconds, last = [test.seconds["total"] for test in tests], tests[-1]
    steps = ", ".join(f"{step} {s:.1f}" for step, s in last.seconds.items() if step != "total")
    print(
        f"{name:<9}{min(seconds):>8.1f}{np.median(seconds):>8.1f}  <= {goal_s} s "
        f"{'met' if max(seconds) <= goal_s else 'MISSED'}  {last.settings['draws']} draws, "
        f"p {last.pvalue:.3f}, {last.verdict}; {steps}",
        flush=True,
    )


def time_file() -> None:
    """Time the command line on 60 columns of numbers, 39 of categories, and a target."""
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(FILE_ROWS, 60)).round(3)
    frame = pd.DataFrame(numbers).add_prefix("number_")
    for column in range(39):
        levels = np.array([f"level {level}" for level in range(2 + column % 29)])
        frame[f"category_{column}"] = generator.choice(levels, FILE_ROWS)
    frame["target"] = np.where(numbers[:, 0] > generator.normal(size=FILE_ROWS), "yes", "no")
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(Path(folder, "large.csv"), index=False)
        command = [sys.executable, "-c", WATCH, "check-table", f"{folder}/large.csv"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, kilobytes = map(float, said.splitlines()[-1].split())
    found = f"{seconds:.1f} s and {kilobytes * 1024 / 1e9:.2f} GB  <= 120 s and < 2 GB"
    met = "met" if seconds <= 120 and kilobytes * 1024 < 2e9 else "MISSED"
    print(f"\ncheck-table, {FILE_ROWS:,} x 100: {found} {met}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ("engines", "test", "file")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="the loop does best with one")
    parser.add_argument("--trained", type=int, default=2, help="orders that the loop trains")
    options = parser.parse_args()
    cores = torch.get_num_threads()
    if "engines" in options.parts:
        for rows, columns, _ in SIZES:
            compare_engines(rows, columns, options)
    if "test" in options.parts:
        torch.set_num_threads(cores)
        for rows, columns, goal_s in SIZES:
            print(f"\nswap_test, {rows:,} x {columns}, {cores} threads: min and median s")
            table = ordered(rows, columns)
            time_test("motif", table, goal_s, options.rounds)
            shuffled = made.shuffle_columns(table, np.random.default_rng(1))
            time_test("shuffled", shuffled, goal_s, options.rounds)
    if "file" in options.parts:
        time_file()


if __name__ == "__main__":
    main()
