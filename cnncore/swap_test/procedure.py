"""The swap test: is a table just as useful after its columns change places?"""

from __future__ import annotations

import math
import time as clock
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import torch

from cnnkit.cnncore.device import choose_device
from cnnkit.cnncore.errors import did_you_mean
from cnnkit.cnncore.swap_test.comparison import compare_models
from cnnkit.cnncore.swap_test.correlation import order_hints, unit_correlation
from cnnkit.cnncore.swap_test.effect import measure_effect
from cnnkit.cnncore.swap_test.engines import Engine, Progress, score_orders
from cnnkit.cnncore.swap_test.orders import draw_orders
from cnnkit.cnncore.swap_test.preparation import prepare
from cnnkit.cnncore.swap_test.probe import RandomProbe
from cnnkit.cnncore.swap_test.result import SwapTestResult
from cnnkit.cnncore.swap_test.scoring import choose_scoring, prior_losses
from cnnkit.cnncore.swap_test.trained import TrainedProbe
from cnnkit.cnncore.swap_test.verdict import Evidence, advise, judge

ENGINES = ("random", "cnn")
FEWEST_PERMUTATIONS = 19  # with fewer, p can't fall to 0.05


def swap_test(
    X: Any,
    y: Any,
    *,
    n_permutations: int = 199,
    cv: int = 3,
    units: Sequence[Sequence[Any]] | None = None,
    shape: tuple[int, int] | None = None,
    groups: Any = None,
    time: Any = None,
    scoring: str | None = None,
    margin: float = 0.05,
    alpha: float = 0.05,
    max_rows: int = 2000,
    random_state: int = 0,
    n_jobs: int | None = None,
    device: str = "auto",
    engine: Literal["random", "cnn"] = "random",
    time_limit: float = 60.0,
    task: Literal["auto", "classification", "regression"] = "auto",
    target_name: str | None = None,
    on_progress: Progress | None = None,
) -> SwapTestResult:
    """Test whether a table loses anything when its columns change places.

    Parameters
    ----------
    X : DataFrame or array [n, columns]
        Numbers, categories, dates, free text, with missing values. Each column is one *unit*,
        which moves as a whole.
    y : array [n] or str
        Classes or numbers, or the name of a column of X; rows without a target are left out.
    n_permutations : int
        Most random orders that are compared with the given one, at least 19.
    cv : int
        Folds.
    units : sequence of sequences of column names, or None
        Columns that move together. None: neighbouring columns of 0 and 1 of which each row has one
        1 (a category, written as columns) are found, and noted.
    shape : (rows, columns) or None
        Read the columns as an image, row by row; None: as one row.
    groups : array [n] or None
        Rows of a group stay in one fold.
    time : array [n] or None
        Numbers or datetimes: folds are stretches of time.
    scoring : str or None
        What the scores for people are: accuracy, balanced_accuracy, roc_auc, skill or r2. None:
        accuracy, or roc_auc where one class prevails; r2 for numbers.
    margin : float
        Skill below which an effect is no reason to keep the order.
    alpha : float
        Largest p-value that speaks against a random order.
    max_rows : int
        More rows than that are drawn from.
    random_state : int
        The same seed gives the same result, on the same device with as many threads, unless the
        networks are left out for lack of time.
    n_jobs : int or None
        Threads of the cheap engine and of the order-free models; None: as many as torch uses.
    device : str
        "auto", "cpu", "cuda", "cuda:N" or "mps".
    engine : "random" or "cnn"
        What the p-value rests on: random convolutions with ridge regression, or trained networks.
    time_limit : float
        Seconds that the trained networks beside the test may take by estimate; 0 leaves them out.
        It doesn't limit the engine "cnn".
    task : "auto", "classification" or "regression"
    target_name : str or None
        None: the name of `y`, if it has one.
    on_progress : callable (what, done, total) or None

    Returns
    -------
    SwapTestResult

    Raises
    ------
    TableError
        If the table can't be tested as it stands.
    ValueError
        If a setting is out of range.

    Notes
    -----
    H0: the given order of the columns is no more than one of all orders, drawn at random. Every
    order is scored by the same code with the same folds, kernels and seeds, so under H0 the given
    order's score is one more draw, and p <= x has at most probability x: for any model, any number
    of rows, and rows that depend on each other. A small p speaks against a *random* order, not yet
    for a useful one: people put related columns side by side. So the verdict also asks how much
    the order is worth, and the advice how other models do on the same folds.

    References
    ----------
    Ojala, Garriga (2010), "Permutation tests for studying classifier performance", JMLR 11;
    Phipson, Smyth (2010), "Permutation p-values should never be zero"; Ivan (2019), "Convolutional
    neural networks on randomized data", CVPR workshops.

    Examples
    --------
    >>> import numpy as np
    >>> generator = np.random.default_rng(0)
    >>> X = generator.normal(size=(300, 16)).cumsum(axis=1)  # a smooth curve in each row
    >>> y = np.where(np.abs(np.diff(X)).max(axis=1) > 2.3, "jump", "calm")
    >>> result = swap_test(X, y, n_permutations=39, time_limit=0)
    >>> result.verdict, result.pvalue
    ('order matters', 0.025)
    """
    watch = Stopwatch()
    report: Progress = on_progress or (lambda what, done, total: None)
    _check(n_permutations, cv, margin, alpha, max_rows, random_state, engine, time_limit)
    where = choose_device(device)
    ready = prepare(
        X,
        y,
        target_name=target_name,
        task=task,
        folds=cv,
        together=units,
        shape=shape,
        groups=groups,
        time=time,
        max_rows=max_rows,
        seed=random_state,
    )
    table = ready.table
    metric, metric_note = choose_scoring(table.target, scoring)
    orders = draw_orders(table.widths, n_permutations, random_state)
    networks = TrainedProbe(table, seed=random_state, device=where, on_progress=report)
    threads = n_jobs if n_jobs and n_jobs > 0 else torch.get_num_threads()
    probe: Engine = networks
    if engine == "random":
        probe = RandomProbe(table, seed=random_state, device=where, threads=threads)
    watch.lap("preparation")

    prior = prior_losses(table)
    losses, p = score_orders(probe, orders, prior, report)
    watch.lap("random orders")
    models = compare_models(
        table, ready.groups, metric, networks, orders, seed=random_state, n_jobs=threads,
        time_limit=time_limit if engine == "random" else math.inf, on_progress=report,
    )  # fmt: skip
    watch.lap("models")

    found = Evidence(
        units=len(table.widths),
        rows=len(table.target),
        pvalue=p.value,
        alpha=alpha,
        draws=p.draws,
        asked=n_permutations,
        alone=measure_effect(losses.alone, prior, ready.groups),
        beside=measure_effect(losses.beside, prior, ready.groups),
        margin=margin,
        baseline_skills=models.skills,
    )
    verdict, reason = judge(found)
    columns = [unit.width for unit in ready.units]
    correlation = unit_correlation(table, columns)
    # The summary has room for the first few: warnings before what was merely guessed.
    hints = order_hints(table, correlation, columns)
    notes = [*models.notes, *hints[::-1], *ready.notes, metric_note]
    return SwapTestResult(
        score=float(found.alone.skills[0]),
        permutation_scores=found.alone.skills[1:],
        pvalue=p.value,
        effect=found.beside.value,
        interval=(found.beside.low, found.beside.high),
        score_low=found.alone.reached,
        bar=found.bar,
        gain_share=found.alone.gain_share,
        verdict=verdict,
        reason=reason,
        advice=advise(verdict, found, models.scores, models.always, metric),
        scoring=metric,
        scores=models.scores,
        network_scores=models.network_scores,
        target=table.target.name,
        task=table.target.task,
        classes=table.target.classes,
        rows=len(table.target),
        rows_total=ready.rows_total,
        units=ready.units,
        set_aside=ready.set_aside,
        notes=tuple(note for note in notes if note),
        settings={
            "task": task,
            "engine": engine,
            "permutations": n_permutations,
            "draws": p.draws,
            "folds": cv,
            "margin": margin,
            "alpha": alpha,
            "max_rows": max_rows,
            "time_limit": time_limit,
            "seed": int(random_state),
            "groups": groups is not None,
            "time": time is not None,
            "shape": list(table.shape),
            "device": str(where),
            "network": networks.spec,
            "network_steps": networks.plan.steps,
        },
        seconds=watch.stop(),
        correlation=correlation,
    )


class Stopwatch:
    """Tells how long each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = self._lap = clock.perf_counter()

    def lap(self, name: str) -> None:
        """End the step `name`."""
        now = clock.perf_counter()
        self.seconds[name], self._lap = round(now - self._lap, 3), now

    def stop(self) -> dict[str, float]:
        """Return the seconds of all steps, and their "total"."""
        return {**self.seconds, "total": round(clock.perf_counter() - self._began, 3)}


def _check(
    n_permutations: int,
    cv: int,
    margin: float,
    alpha: float,
    max_rows: int,
    random_state: int,
    engine: str,
    time_limit: float,
) -> None:
    """Refuse settings that are out of range, all at once."""
    fewest = max(FEWEST_PERMUTATIONS, math.ceil(1 / alpha) - 1 if 0 < alpha < 1 else 0)
    wrong = [
        sentence
        for fine, sentence in (
            (
                n_permutations >= fewest,
                f"n_permutations={n_permutations}: at least {fewest} are needed, or p can't fall "
                f"to alpha={alpha:g}",
            ),
            (cv >= 2, f"cv={cv}: expected at least 2 folds"),
            (margin > 0, f"margin={margin:g}: expected a skill above 0, such as 0.05"),
            (0 < alpha < 1, f"alpha={alpha:g}: expected a probability between 0 and 1"),
            (max_rows >= 20, f"max_rows={max_rows}: expected at least 20"),
            (
                isinstance(random_state, Integral) and 0 <= random_state < 2**32,
                f"random_state={random_state}: expected a whole number from 0 to 2**32 - 1",
            ),
            (time_limit >= 0, f"time_limit={time_limit:g}: expected seconds, 0 or more"),
            (
                engine in ENGINES,
                f'engine "{engine}": expected random or cnn{did_you_mean(engine, ENGINES)}',
            ),
        )
        if not fine
    ]
    if wrong:
        raise ValueError("; ".join(wrong))
