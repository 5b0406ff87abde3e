"""Ridge regression for several strengths at once, on some features and on those with more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

STRENGTHS = (0.01, 0.1, 1.0, 10.0)  # for features of which a row's squares sum to about 1
FEATURES_A_ROW = 1.5  # up to which solving for weights is quicker than for rows
BLOCKS = 4  # in which half of a Gram matrix is computed


def standardise(features: Tensor, train: int) -> Tensor:
    """Centre and scale in place by the first `train` columns, so that a column's norm is about 1.

    Parameters
    ----------
    features : float32 Tensor [D, n]
    train : int

    Returns
    -------
    float32 Tensor [D, n]
    """
    known = features[:, :train]
    features -= known.mean(dim=1, keepdim=True)
    spread = known.square().mean(dim=1, keepdim=True).sqrt_()
    # Where a feature hardly varies in training it says nothing: don't blow it up in the test.
    features /= torch.where(spread > 1e-6, spread, torch.inf) * len(features) ** 0.5
    return features


def ridge(features: Tensor, more: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Fit on the first rows, predict the others, for each strength.

    Parameters
    ----------
    features : float32 Tensor [D, n]
        Standardised by the training rows, which come first.
    more : float32 Tensor [E, n]
        Features that only the second fit has.
    target : float32 Tensor [train, q]

    Returns
    -------
    alone, beside : float32 Tensor [strengths, n - train, q]
        Predictions from `features`, and from both; never beyond the range of `target`, as a fit
        that goes wrong on a few rows would else drown all others.
    """
    both = torch.cat([features, more])
    mean = target.mean(dim=0)
    known, unknown = both[:, : len(target)], both[:, len(target) :]
    solve = _primal if len(known) <= FEATURES_A_ROW * len(target) else _dual
    low, high = target.amin(dim=0), target.amax(dim=0)
    try:
        alone, beside = solve(known, unknown, target - mean, len(features))
    except np.linalg.LinAlgError:
        # Columns that nearly repeat each other in very many rows: single precision isn't enough.
        exact = solve(known.double(), unknown.double(), (target - mean).double(), len(features))
        alone, beside = (said.to(target.dtype) for said in exact)
    return (alone + mean).clamp_(low, high), (beside + mean).clamp_(low, high)


def _primal(known: Tensor, unknown: Tensor, target: Tensor, first: int) -> tuple[Tensor, Tensor]:
    """Solve for weights: both fits need but one factor."""
    moment = known @ target
    alone, beside = [], []
    for factor in _factors(_gram(known)):
        # The factor of the leading block is the leading block of the factor.
        alone.append(torch.cholesky_solve(moment[:first], factor[:first, :first]))
        beside.append(torch.cholesky_solve(moment, factor))
    return _weighted(alone, unknown[:first]), _weighted(beside, unknown)


def _dual(known: Tensor, unknown: Tensor, target: Tensor, first: int) -> tuple[Tensor, Tensor]:
    """Solve for one coefficient a row: quick where features far outnumber rows."""
    gram = target.new_zeros(len(target), len(target))
    alike = target.new_zeros(len(target), unknown.shape[1])
    predictions = []
    for part in (slice(first), slice(first, None)):
        gram += _gram(known[part].T)
        alike += known[part].T @ unknown[part]
        rows = [torch.cholesky_solve(target, factor) for factor in _factors(gram)]
        predictions.append(_weighted(rows, alike))
    return predictions[0], predictions[1]


def _gram(rows: Tensor) -> Tensor:
    """Multiply all rows by each other; entries far below the diagonal, which repeat, are 0."""
    gram = rows.new_zeros(len(rows), len(rows))
    step = -(-len(rows) // BLOCKS)
    for start in range(0, len(rows), step):
        block = slice(start, start + step)
        torch.mm(rows[block], rows[start:].T, out=gram[block, start:])
    return gram


def _factors(gram: Tensor) -> Iterator[Tensor]:
    """Factor a Gram matrix with each strength on its diagonal."""
    ridged = gram.clone()
    for strength in STRENGTHS:
        torch.add(gram.diagonal(), strength, out=ridged.diagonal())
        # Transposed, the upper triangle lies where LAPACK looks for the lower one.
        factor, failed = torch.linalg.cholesky_ex(ridged.mT)
        if failed:
            raise np.linalg.LinAlgError("the features are too much alike for a ridge regression")
        yield factor


def _weighted(weights: Sequence[Tensor], values: Tensor) -> Tensor:
    """Add up [D, t] by the weights [D, q] of each strength: [strengths, t, q]."""
    sums = torch.cat(list(weights), dim=1).T @ values
    return sums.view(len(weights), -1, values.shape[1]).mT
