"""Says what RDKit says about atoms, from memory where it can."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cnnkit.adapters.molecule.bonds import starts

Int16Array = NDArray[np.int16]
UInt64Array = NDArray[np.uint64]

MOST = 2**16  # environments remembered, in about 10 MB


class Memory:
    """Remembers what a function says about atoms in environments that decide on it.

    What it says never depends on what it has been asked before; only the time does.

    Parameters
    ----------
    ask : function of a Mol
        Returns an int16 array [atoms, columns].
    columns : int
    most : int
        Environments remembered; when there are more, it begins anew.

    Attributes
    ----------
    asked : int
        How many molecules the function was asked about.
    """

    def __init__(
        self, ask: Callable[[Chem.Mol], Int16Array], columns: int, most: int = MOST
    ) -> None:
        self.asked = 0
        self._ask = ask
        self._most = most
        self._rows: dict[int, int] = {}
        self._said = np.empty((most, columns), dtype=np.int16)
        self._lock = threading.Lock()

    def describe(self, mols: Sequence[Chem.Mol], environments: UInt64Array) -> Int16Array:
        """Say it of all atoms of molecules.

        Parameters
        ----------
        mols : sequence of Mol
        environments : uint64 array [atoms of all]
            The number of each atom's environment; 0: not to be remembered.

        Returns
        -------
        int16 array [atoms of all, columns]
        """
        sizes = np.array([mol.GetNumAtoms() for mol in mols])
        begin = starts(sizes)
        with self._lock:
            rows = self._find(environments)
            described = self._said[rows]
            for molecule in np.flatnonzero(np.logical_or.reduceat(rows < 0, begin)).tolist():
                part = slice(begin[molecule], begin[molecule] + sizes[molecule])
                rows = self._find(environments[part])  # those before may have taught it
                if (rows < 0).any():
                    described[part] = self._ask(mols[molecule])
                    self._learn(environments[part], described[part])
                else:
                    described[part] = self._said[rows]
        return described

    def _find(self, environments: UInt64Array) -> NDArray[np.intp]:
        rows = self._rows
        return np.array([rows.get(number, -1) for number in environments.tolist()], dtype=np.intp)

    def _learn(self, environments: UInt64Array, described: Int16Array) -> None:
        self.asked += 1
        found = {number: place for place, number in enumerate(environments.tolist()) if number}
        if len(self._rows) + len(found) > self._most:
            self._rows.clear()
        for number, place in list(found.items())[: self._most]:
            row = self._rows.setdefault(number, len(self._rows))
            self._said[row] = described[place]
