"""Learns from the training rows which columns are used, and how each is read."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cnnkit.adapters.errors import listing
from cnnkit.adapters.table.column import Column, learn_column
from cnnkit.adapters.table.rows import find_cells
from cnnkit.cnncore.image import IntArray
from cnnkit.cnncore.swap_test.units import find_units

PLURALS = {"category": "categories"}


@dataclass(frozen=True, eq=False)
class Learnt:
    """What the training rows tell of their columns.

    Parameters
    ----------
    names : list of str
        All columns of a row, in their given order.
    columns : list of Column
        Those that are used, in the same order.
    set_aside : dict of str to str
        The others, and why.
    notes : list of str
        What had to be decided to read them.
    """

    names: list[str]
    columns: list[Column]
    set_aside: dict[str, str]
    notes: list[str]

    def explain(self) -> list[str]:
        """Say in sentences which columns are used, and how."""
        kinds = Counter(column.kind for column in self.columns)
        shown = [
            f"{count:,} {kind if count == 1 else PLURALS.get(kind, kind + 's')}"
            for kind, count in kinds.items()
        ]
        said = [f"columns: {len(self.columns):,}: {', '.join(shown)}"]
        if any(len(column.levels) > 2 for column in self.columns):
            said.append(
                "categories: a value is drawn as its place among all from rare to common, since "
                "names have no order; of two values, one is 0 and the other 1"
            )
        if self.set_aside:
            shown = [f"{name!r} ({why})" for name, why in self.set_aside.items()]
            more = f", … and {len(shown) - 5:,} more" if len(shown) > 5 else ""
            said.append(f"set aside: {', '.join(shown[:5])}{more}")
        return [*said, *(f"note: {note}" for note in self.notes)]


def learn_columns(items: Sequence[Any], *, keep_constant: bool = False) -> Learnt:
    """Find out what each column of the training rows holds.

    Parameters
    ----------
    items : sequence
        Rows, a dict of column to value each; what is none is left out.
    keep_constant : bool
        Columns whose value never changes hold their place, as 0.

    Raises
    ------
    ValueError
        If no item is a row, or no column can be used.

    Examples
    --------
    >>> rows = [{"x": str(i % 4), "shop": "A", "size": "SML"[i % 3]} for i in range(20)]
    >>> learnt = learn_columns(rows)
    >>> [(column.name, column.kind) for column in learnt.columns], learnt.set_aside
    ([('x', 'number'), ('size', 'category')], {'shop': "always 'A'"})
    """
    frame, _ = training_frame(items)
    names = [str(name) for name in frame]
    found = find_units(frame)
    learnt = {unit.name: learn_column(unit, frame[unit.name].tolist()) for unit in found.units}
    if not learnt:
        reasons = [f"{name!r} ({why})" for name, why in found.set_aside.items()]
        raise ValueError(f"no column can be used: {', '.join(reasons[:5])}")
    if keep_constant:
        constant = [name for name in found.set_aside if frame[name].nunique() <= 1]
        learnt |= {name: Column(name, "constant") for name in constant}
    columns = [learnt[name] for name in names if name in learnt]
    set_aside = {name: why for name, why in found.set_aside.items() if name not in learnt}
    return Learnt(names, columns, set_aside, list(found.notes))


def training_frame(items: Sequence[Any]) -> tuple[pd.DataFrame, IntArray]:
    """Put the rows among the items into a table with the columns that most of them have.

    Returns
    -------
    frame : DataFrame [n, columns]
    rows : int64 array [n]
        The number of each row among the items.

    Raises
    ------
    ValueError
        If no item is a row.
    """
    headers = Counter(tuple(item) for item in items if isinstance(item, Mapping))
    if not any(headers):
        shown = f", such as {reprlib.repr(items[0])}" if items else ""
        raise ValueError(
            f"none of {len(items):,} items is a row{shown}: expected dicts of column to value"
        )
    names = max(headers, key=lambda header: headers[header])
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise ValueError(f"columns whose name is no text: {listing(odd)}")
    cells = find_cells(items, names)
    return pd.DataFrame(dict(zip(names, cells.columns, strict=True))), cells.items
