"""Does the order of a table's rows carry information, as in the log of a sensor? Experimental."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from cnnkit.cnncore.image import Float32Array
from cnnkit.cnncore.swap_test.baselines import baseline_predictions
from cnnkit.cnncore.swap_test.prepared import Fold, PreparedTable
from cnnkit.cnncore.swap_test.scoring import skill
from cnnkit.cnncore.swap_test.target import TableError, Target

RowVerdict = Literal["row order matters", "row order does not matter", "inconclusive"]
Float64Array = NDArray[np.float64]

FEWEST_ROWS = 60
KERNELS, LENGTH = 64, 3  # random convolutions along time
MOST_LAGS = 400  # values of the rows before, up to which they are features themselves
STRENGTHS = (1.0, 10.0, 100.0)  # of the ridge, for rows whose squares sum to about 1
ONE_SIDED_95 = 1.645

HOW_TO_FIT = """\
Windows of rows make an image: columns are its channels, time is its width. From Python:
  windows = np.lib.stride_tricks.sliding_window_view(X, {window}, axis=0)  # [n, columns, window]
  {estimator}().fit(windows[:, :, None, :], y[{last}:])"""


@dataclass(frozen=True, eq=False)
class RowOrderResult:
    """The outcome of `row_order_test`; experimental.

    Parameters
    ----------
    score : float
        Skill of the rows before in predicting what the row itself leaves unexplained.
    permutation_scores : float64 array [K]
        The same after circular shifts.
    pvalue : float
        Approximate: it takes the rows for a stationary process.
    autocorrelation : float
        Of what the row itself leaves unexplained, from one row to the next.
    window : int
    verdict : "row order matters", "row order does not matter" or "inconclusive"
    reason, text : str
        Why, and what to do.
    """

    score: float
    permutation_scores: Float64Array
    pvalue: float
    autocorrelation: float
    window: int
    verdict: RowVerdict
    reason: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        scores = self.permutation_scores.tolist()
        return {**asdict(self), "permutation_scores": scores, "experimental": True}


def row_order_test(
    values: Float32Array,
    target: Target,
    *,
    window: int = 8,
    n_permutations: int = 199,
    folds: int = 5,
    alpha: float = 0.05,
    margin: float = 0.02,
    random_state: int = 0,
) -> RowOrderResult:
    """Test whether the rows before a row say something about its target that the row doesn't.

    What is left of the target when the row itself is known is predicted from the window of rows
    before it (their columns, not their targets), on stretches of rows that were held out with a
    gap. The null are circular shifts of what is left, which keep how each side goes on from row to
    row. Experimental: the p-value is approximate, and needs rows that come from a stationary
    process.

    Parameters
    ----------
    values : float32 array [n, D]
        Encoded columns, rows in the order of time.
    target : Target
        Of n rows.
    window : int
        Rows before that are looked at.
    n_permutations : int
        Most shifts.
    folds : int
    alpha : float
    margin : float
        Skill below which the rows before are worth nothing.
    random_state : int

    Returns
    -------
    RowOrderResult

    Raises
    ------
    TableError
        If there are too few rows.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> X = generator.normal(size=(300, 3)).astype(np.float32)
    >>> y = np.roll(X[:, 0], 2) + 0.3 * generator.normal(size=300)  # what was two rows before
    >>> row_order_test(X, Target("y", "regression", y), n_permutations=39).verdict
    'row order matters'
    """
    n = len(values)
    fewest = max(FEWEST_ROWS, 2 * folds * window)
    if n < fewest:
        raise TableError(f"{n} rows: at least {fewest} are needed to test their order")
    if not values.shape[1]:
        raise TableError("no column can be used")
    for known, _ in stretches(n, folds, window):
        if target.classes and len(np.unique(target.values[known])) < len(np.unique(target.values)):
            raise TableError(
                "a class stands in one stretch of rows only: its rows can't be compared"
            )
    generator = np.random.default_rng(random_state)
    left = _left_unexplained(values, target, stretches(n, folds, window), random_state)[window:]
    history = _history(values.astype(np.float64), window, generator)
    shifts = generator.permutation(np.arange(window, len(left) - window + 1))[:n_permutations]
    shifted = np.stack([left, *(np.roll(left, shift, axis=0) for shift in shifts)])
    scores = _skills(history, shifted, stretches(len(left), folds, window))
    score, others = float(scores[0]), scores[1:]
    pvalue = (1 + int((others >= score).sum())) / (1 + len(others))
    high = score + ONE_SIDED_95 * float(others.std(ddof=1))
    verdict, reason = _judge(score, pvalue, high, alpha, margin, len(others))
    return RowOrderResult(
        score=score,
        permutation_scores=others,
        pvalue=pvalue,
        autocorrelation=_autocorrelation(left),
        window=window,
        verdict=verdict,
        reason=reason,
        text=_what_to_do(verdict, target, window),
    )


def stretches(n: int, folds: int, gap: int) -> tuple[Fold, ...]:
    """Cut rows into stretches, each held out once; rows next to it are left out of training."""
    rows = np.arange(n)
    return tuple(
        (rows[(rows < test[0] - gap) | (rows > test[-1] + gap)], test)
        for test in np.array_split(rows, folds)
    )


def _left_unexplained(
    values: Float32Array, target: Target, folds: tuple[Fold, ...], seed: int
) -> Float64Array:
    """Take from the target what a linear model or trees, whichever is better, know from the row."""
    columns = values.shape[1]
    table = PreparedTable((values,) * len(folds), (1,) * columns, folds, target, (1, columns))
    predictions = [*baseline_predictions(table, seed=seed).values(), table.prior()]
    best = max(predictions, key=lambda said: skill(table, said))
    return (target.matrix() - best).astype(np.float64)


def _history(values: Float64Array, window: int, generator: np.random.Generator) -> Float64Array:
    """Describe the rows before each row, from row `window` on: float64 [n - window, F]."""
    columns = values.shape[1]
    before = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)[:-1]
    kernels = generator.normal(size=(KERNELS, columns, LENGTH)) / np.sqrt(columns * LENGTH)
    biases = 0.7 * generator.normal(size=KERNELS)
    # A kernel's answer to the window that begins at each row, then those inside of `before`.
    looks = np.lib.stride_tricks.sliding_window_view(values, LENGTH, axis=0)
    answers = np.maximum(np.einsum("ncl,kcl->nk", looks, kernels, optimize=True) + biases, 0)
    inside = np.lib.stride_tricks.sliding_window_view(answers, window - LENGTH + 1, axis=0)
    inside = inside[: len(before)]
    parts = [inside.mean(axis=2), inside.max(axis=2)]
    if columns * window <= MOST_LAGS:
        parts.append(before.reshape(len(before), -1))
    features = np.hstack(parts)
    features -= features.mean(axis=0)
    spread = features.std(axis=0)
    return np.asarray(features / np.where(spread > 0, spread, np.inf) / np.sqrt(features.shape[1]))


def _skills(history: Float64Array, targets: Float64Array, folds: tuple[Fold, ...]) -> Float64Array:
    """Predict all targets [K, n, q] at once; the skill of each at its best strength: [K]."""
    number, n, outputs = targets.shape
    flat = targets.transpose(1, 0, 2).reshape(n, -1)
    errors, prior = np.zeros((len(STRENGTHS), number)), np.zeros(number)
    for train, test in folds:
        mean = flat[train].mean(axis=0)
        truth = flat[test] - mean
        prior += np.square(truth).reshape(-1, number, outputs).sum(axis=(0, 2))
        known = history[train]
        gram, moment = known.T @ known, known.T @ (flat[train] - mean)
        for place, strength in enumerate(STRENGTHS):
            weights = cho_solve(cho_factor(gram + strength * np.eye(len(gram))), moment)
            missed = np.square(history[test] @ weights - truth)
            errors[place] += missed.reshape(-1, number, outputs).sum(axis=(0, 2))
    return np.asarray(1 - errors.min(axis=0) / np.where(prior > 0, prior, 1))


def _autocorrelation(left: Float64Array) -> float:
    excess = left - left.mean(axis=0)
    total = float(np.square(excess).sum())
    return float((excess[1:] * excess[:-1]).sum()) / total if total else 0.0


def _judge(
    score: float, pvalue: float, high: float, alpha: float, margin: float, shifts: int
) -> tuple[RowVerdict, str]:
    """Give the verdict and its reason; the p-value alone never decides."""
    found = (
        f"the rows before explain {max(score, 0):.1%} of what the row itself leaves unexplained "
        f"(p = {pvalue:.3g}, {shifts:,} shifts)"
    )
    if pvalue <= alpha and score >= margin:
        return "row order matters", found
    if pvalue > alpha and high < margin:
        return "row order does not matter", f"{found}; at most {max(high, 0):.1%}"
    return "inconclusive", f"{found}, which may be {max(high, 0):.1%}; more rows would settle it"


def _what_to_do(verdict: RowVerdict, target: Target, window: int) -> str:
    if verdict == "row order matters":
        estimator = "CNNRegressor" if target.classes is None else "CNNClassifier"
        return HOW_TO_FIT.format(window=window, last=window - 1, estimator=estimator)
    if verdict == "row order does not matter":
        return "Windows of rows would make no useful image: keep to single rows."
    return "Until that is clear, keep to single rows."
