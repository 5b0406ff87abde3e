"""Chooses the columns of a table that make an item, where an item is a whole row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnnkit.adapters.errors import SourceError, did_you_mean, listing


@dataclass(frozen=True)
class RowColumns:
    """The columns that a row has for an adapter.

    Parameters
    ----------
    needed : tuple of str
        Without these a row can't be read.
    known : tuple of str or None
        Columns that make a row, where the table has them; None: all.
    left_out : tuple of str
        Columns that are never part of a row, such as the one to split by.
    """

    needed: tuple[str, ...] = ()
    known: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()

    def choose(self, names: Sequence[str], target: str | None, table: str) -> list[str]:
        """Return the columns of a table that make a row, in the table's order.

        Parameters
        ----------
        names : sequence of str
            The table's columns.
        target : str or None
            The one of targets, which is no part of a row.
        table : str
            Its name, for messages.

        Raises
        ------
        SourceError
            If a needed column isn't there or holds the targets, or no column is left.

        Examples
        --------
        >>> RowColumns(left_out=("patient",)).choose(["patient", "age", "ill"], "ill", "data.csv")
        ['age']
        >>> RowColumns(needed=("age",)).choose(["Age", "ill"], None, "new.csv")
        Traceback (most recent call last):
        cnnkit.adapters.errors.SourceError: new.csv lacks columns that a row must have: 'age'. \
Did you mean 'Age'? Columns: 'Age', 'ill'.
        """
        if target in self.needed:
            raise SourceError(
                f"{table}: column {target!r} is one that targets are predicted from: name another."
            )
        missing = [name for name in self.needed if name not in names]
        if missing:
            hint = did_you_mean(missing[0], names)
            raise SourceError(
                f"{table} lacks columns that a row must have: {listing(missing)}.{hint} "
                f"Columns: {listing(list(names), limit=30)}."
            )
        others = {target, *self.left_out}
        known = names if self.known is None else self.known
        chosen = [name for name in names if name in known and name not in others]
        if not chosen:
            raise SourceError(f"{table}: no column is left to predict from: {listing(list(names))}")
        return chosen
