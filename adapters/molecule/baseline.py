"""What a user would try first on molecules: Morgan counts and a random forest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import Pipeline

from cnnkit.adapters.base import BadItemsError
from cnnkit.adapters.label_by_label import LabelByLabel
from cnnkit.adapters.molecule.parsing import Parsing, UnreadableMolecule, parse_molecule
from cnnkit.adapters.molecule.side import side_features, side_names
from cnnkit.cnncore.image import Problem

BASELINE_NAME = "Morgan + forest"

TREES = 100
COLUMNS_PER_SPLIT = 1 / 3  # in regression; Breiman's choice, and half the time of all of them


class MoleculeFeatures(TransformerMixin, BaseEstimator):
    """Describe molecules, written as text, by their side features.

    Parameters
    ----------
    sides : sequence of {"morgan", "descriptors"}
    parsing : Parsing, optional
        How molecules are read; None: as `Parsing()` does.

    Examples
    --------
    >>> MoleculeFeatures().fit_transform(["CCO", "c1ccccc1"]).shape
    (2, 2048)
    """

    def __init__(
        self, sides: Sequence[str] = ("morgan",), *, parsing: Parsing | None = None
    ) -> None:
        self.sides = sides
        self.parsing = parsing

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, items: Sequence[str], y: ArrayLike | None = None) -> Self:
        """Learn nothing: a molecule's features are its own."""
        return self

    def transform(self, items: Sequence[str]) -> NDArray[np.float32]:
        """Read the molecules and compute their features.

        Returns
        -------
        float32 array [N, S]
            NaN where RDKit has no value.

        Raises
        ------
        BadItemsError
            If an item can't be read.
        """
        how = Parsing() if self.parsing is None else self.parsing
        rows = np.empty((len(items), len(side_names(self.sides))), np.float32)
        problems = []
        for number, item in enumerate(items):
            try:
                rows[number] = side_features(parse_molecule(item, how).mol, self.sides)
            except UnreadableMolecule as error:
                problems.append(Problem(number, str(item), str(error)))
        if problems:
            raise BadItemsError(problems, len(items))
        return rows


def forest(
    task: str = "classification",
    sides: Sequence[str] = ("morgan",),
    *,
    parsing: Parsing | None = None,
    n_jobs: int | None = None,
) -> Pipeline:
    """Make a random forest on side features of molecules.

    Parameters
    ----------
    task : {"classification", "regression", "multilabel"}
        Multi-label: a forest for each label, on the rows where it is known.
    sides, parsing
        As for `MoleculeFeatures`.
    n_jobs : int, optional
        Threads that grow trees; None is one.

    Returns
    -------
    Pipeline
        An unfitted scikit-learn estimator over SMILES and other texts of molecules.

    References
    ----------
    Breiman 2001, "Random forests"; Wu et al. 2018, "MoleculeNet", whose baseline this is.

    Examples
    --------
    >>> model = forest("regression", ["descriptors"]).fit(["C", "CC", "CCC", "CCCC"], [1, 2, 3, 4])
    >>> float(model.predict(["CCCCCC"])[0]) > 3
    True
    """
    trees: BaseEstimator = RandomForestClassifier(TREES, n_jobs=n_jobs, random_state=0)
    if task == "regression":
        trees = RandomForestRegressor(
            TREES, max_features=COLUMNS_PER_SPLIT, n_jobs=n_jobs, random_state=0
        )
    elif task == "multilabel":
        trees = LabelByLabel(trees)
    return Pipeline([("features", MoleculeFeatures(sides, parsing=parsing)), ("forest", trees)])


def make_baseline(task: str = "classification", parsing: Parsing | None = None) -> Pipeline:
    """Make the baseline: a random forest on Morgan counts.

    Parameters
    ----------
    task : {"classification", "regression", "multilabel"}
    parsing : Parsing, optional
        How molecules are read.

    Returns
    -------
    Pipeline
        An unfitted scikit-learn estimator over SMILES and other texts of molecules.

    Examples
    --------
    >>> list(make_baseline().named_steps)
    ['features', 'forest']
    """
    return forest(task, parsing=parsing)
