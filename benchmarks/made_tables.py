"""Tables whose answer is known: with a useful order, with none, and real ones to shuffle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.random import Generator
from sklearn import datasets


class Table(NamedTuple):
    """Columns and the target, with the name of where they come from."""

    name: str
    X: pd.DataFrame
    y: pd.Series


def table(name: str, X: np.ndarray | pd.DataFrame, y: np.ndarray | pd.Series) -> Table:
    frame = pd.DataFrame(X)
    frame.columns = pd.Index([f"c{i}" for i in range(frame.shape[1])])
    return Table(name, frame.reset_index(drop=True), pd.Series(np.asarray(y), name="target"))


def rows(made: Table, n: int, generator: Generator) -> Table:
    """Draw n rows (all, if there are fewer)."""
    drawn = generator.permutation(len(made.X))[:n]
    return Table(made.name, made.X.iloc[drawn].reset_index(drop=True), made.y.iloc[drawn])


def shuffle_columns(made: Table, generator: Generator) -> Table:
    """Put the columns into one random order: from now on the order means nothing."""
    return made._replace(X=made.X.iloc[:, generator.permutation(made.X.shape[1])])


# -- no order: made ------------------------------------------------------------------------------


def correlated(n: int, columns: int, generator: Generator) -> np.ndarray:
    """Columns that relate to each other, none to its neighbours in particular."""
    factors = generator.normal(size=(n, 4)) @ generator.normal(size=(4, columns))
    return factors + generator.normal(size=(n, columns))


def linear(n: int, generator: Generator) -> Table:
    X = correlated(n, 16, generator)
    signal = X @ generator.normal(size=16)
    return table("linear", X, signal + generator.normal(size=n) * signal.std() > 0)


def products(n: int, generator: Generator) -> Table:
    X = generator.normal(size=(n, 14))
    signal = X[:, 0] * X[:, 1] + np.abs(X[:, 2]) - 1 + 0.5 * X[:, 3]
    return table("products", X, signal + 0.5 * generator.normal(size=n) > 0)


def regression(n: int, generator: Generator) -> Table:
    X = correlated(n, 20, generator)
    return table("regression", X, np.sin(X[:, 0]) + X[:, 1] + generator.normal(size=n))


def three_classes(n: int, generator: Generator) -> Table:
    X = correlated(n, 16, generator)
    votes = X @ generator.normal(size=(16, 3)) + 3 * generator.normal(size=(n, 3))
    return table("three classes", X, votes.argmax(axis=1))


def imbalanced(n: int, generator: Generator) -> Table:
    X = correlated(n, 16, generator)
    signal = X[:, :3].sum(axis=1) + 2 * generator.normal(size=n)
    return table("imbalanced, 12 %", X, signal > np.quantile(signal, 0.88))


def noise(n: int, generator: Generator) -> Table:
    return table("noise", generator.normal(size=(n, 12)), generator.integers(0, 2, n))


def categories(n: int, generator: Generator) -> Table:
    """Five nominal columns of six levels, groups of which act on the target, and six numbers."""
    codes = generator.integers(0, 6, size=(n, 5))
    acts = np.stack([generator.permutation(np.arange(6) % 2) for _ in range(5)])
    numbers = generator.normal(size=(n, 6))
    signal = sum(acts[i][codes[:, i]] for i in range(3)) - 1.5 + 0.5 * numbers[:, 0]
    X = pd.concat(
        [pd.DataFrame(codes).map(lambda code: f"level {code}"), pd.DataFrame(numbers)], axis=1
    )
    X = X.iloc[:, generator.permutation(11)]
    return table("categories", X, signal + 0.7 * generator.normal(size=n) > 0)


MADE: tuple[Callable[[int, Generator], Table], ...] = (
    linear, products, regression, three_classes, imbalanced, noise, categories,
)  # fmt: skip


# -- no order: real ------------------------------------------------------------------------------


def real_tables(folder: Path | None) -> Iterator[Table]:
    """Yield tables of scikit-learn, and those of a folder's CSV files (last column: target)."""
    for load in (
        datasets.load_digits,
        datasets.load_wine,
        datasets.load_breast_cancer,
        datasets.load_diabetes,
    ):
        data = load()
        yield table(load.__name__.removeprefix("load_"), data.data, data.target)
    for path in sorted(folder.glob("*/*.csv")) if folder else []:
        yield read(path)


def read(path: Path) -> Table:
    frame = pd.read_csv(path)
    return Table(path.stem, frame.iloc[:, :-1], frame.iloc[:, -1])


# -- a useful order ------------------------------------------------------------------------------


def digits(n: int, generator: Generator) -> Table:
    data = datasets.load_digits()
    return rows(table("digits", data.data, data.target), n, generator)


def motif(n: int, generator: Generator) -> Table:
    """One of two short waves at a random place in noise, 64 columns."""
    waves = np.array([[1, 2, -2, -1, 1, 2, -2, -1], [2, 1, -1, -2, -2, -1, 1, 2]])
    y = generator.integers(0, 2, n)
    X = generator.normal(size=(n, 64))
    for row, start in enumerate(generator.integers(0, 57, n)):
        X[row, start : start + 8] += 1.2 * waves[y[row]]
    return table("motif", X, y)


def spectra(n: int, generator: Generator) -> Table:
    """Smooth spectra; the class moves a small peak at a fixed place: a linear model reads that."""
    y = generator.integers(0, 2, n)
    return _spectra(y, 40 + 3 * y + generator.normal(0, 1.5, n), np.full(n, 2.5), generator)


def spectra_anywhere(n: int, generator: Generator) -> Table:
    """Smooth spectra; the class makes a small peak, which may stand anywhere, narrow or wide."""
    y = generator.integers(0, 2, n)
    return _spectra(y, generator.uniform(20, 80, n), np.where(y, 1.5, 3.0), generator)


def _spectra(y: np.ndarray, place: np.ndarray, width: np.ndarray, generator: Generator) -> Table:
    n, axis = len(y), np.arange(100)

    def peaks(centre: np.ndarray, width: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * ((axis - centre[:, None]) / width[:, None]) ** 2)

    broad = sum(
        generator.uniform(0.5, 1.5, n)[:, None] * peaks(generator.normal(at, 3, n), np.full(n, 8.0))
        for at in (20, 55, 80)
    )
    small = generator.uniform(0.3, 0.6, n)[:, None] * peaks(place, width)
    return table("spectra", broad + small + 0.03 * generator.normal(size=(n, 100)), y)
