"""Gathers the items of a run: a demo set, one source, or separate files for each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cnnkit.adapters.columns import guess_task
from cnnkit.adapters.errors import listing
from cnnkit.adapters.sources import Dataset, load_dataset
from cnnkit.cnncore.image import IntArray, Problem
from cnnkit.cnncore.scores import Task


@dataclass(frozen=True)
class Collection:
    """Items from one or more sources, in one sequence.

    Parameters
    ----------
    name : str
    items : list [N]
    targets : array [N] or [N, K]
    task : Task
    places : list of str [N]
    parts : list of (str, int)
        Part that each source was given as ("train", "val", "test"), and its number of items.
    table : DataFrame or None
        The columns of a single source.
    target : str or None
        Column of the targets, for tables.
    labels : list of str [K] or None
        Names of the labels of a multi-label task, or of several targets of a regression.
    separator : str or None
        Between the labels of a cell.
    values : list of str [N] or None
        What stands for each item in lists, where items are too long for that.
    unusable : list of (place, Problem)
        Rows that gave no item.
    decided : list of str
    """

    name: str
    items: list[Any]
    targets: NDArray[Any]
    task: Task
    places: list[str]
    parts: list[tuple[str, int]]
    table: pd.DataFrame | None = None
    target: str | None = None
    labels: list[str] | None = None
    separator: str | None = None
    values: list[str] | None = None
    unusable: list[tuple[str, Problem]] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)

    def never_seen(self, train: IntArray) -> list[str]:
        """Name the labels that no training item has, as a sentence if there are any."""
        if self.labels is None or self.task != "multilabel":
            return []
        seen = (self.targets[train] == 1).any(axis=0)
        names = [label for label, is_seen in zip(self.labels, seen, strict=True) if not is_seen]
        return [f"labels that no training item has: {listing(names)}"] if names else []


def collect_demo(adapter: Any, task: str = "auto") -> Collection:
    """Make the adapter's demo set; numbers among its labels are a regression, as in tables.

    Raises
    ------
    ValueError
        If another task is asked for than it is.
    """
    items, labels = adapter.demo()
    found = guess_task(labels)
    if task not in ("auto", found):
        raise ValueError(
            f"--task {task}: the demo set of adapter {adapter.name} is a {found}; leave --task "
            "out, or name DATA"
        )
    targets = np.array(labels, dtype=object)
    places = list(items)
    if adapter.items_are_files:
        places = [Path(item).name for item in items]
    elif adapter.row_columns() is not None:
        places = [f"row {number:,}" for number in range(1, len(items) + 1)]
    return Collection(
        name=f"{adapter.name} demo",
        items=items,
        targets=targets.astype(np.float64) if found == "regression" else targets,
        task=found,
        places=places,
        parts=[("train", len(items))],
        decided=[f"data: the adapter's demo set, {adapter.demo_source}"],
    )


def collect(
    sources: Sequence[tuple[str, Path]],
    adapter: Any,
    *,
    item: str | None,
    target: str | None,
    task: str,
    encoding: str | None,
    separator: str | None = None,
    split_columns: Sequence[str] = (),
) -> Collection:
    """Load every (part, path) and join the items.

    A path is a table (CSV, TSV, JSON, JSON Lines, Parquet, SDF, fastText's format) or a folder
    of files or documents with one sub-folder for each class.

    Where items are rows of a table, `split_columns` are no part of them, and all sources have the
    columns of the first.

    Raises
    ------
    SourceError
        If a source can't be read, or the sources' targets are of different tasks.
    """
    sets: list[Dataset] = []
    row_columns = adapter.row_columns()
    if row_columns is not None:
        row_columns = replace(row_columns, left_out=tuple(split_columns))
    for part, path in sources:
        if row_columns is not None and sets:
            names = tuple(sets[0].items[0])
            row_columns = replace(row_columns, needed=names, known=names)
            target = sets[0].target_column
        sets.append(
            load_dataset(
                path,
                item=item,
                target=target,
                task=task if not sets else str(sets[0].task),
                item_names=adapter.item_columns,
                items_are_files=adapter.items_are_files,
                items_are_texts=adapter.items_are_texts,
                looks_like_item=adapter.looks_like_item,
                row_columns=row_columns,
                min_classes=2 if part == "train" else 1,
                separator=separator if not sets else sets[0].separator,
                labels=sets[0].labels if sets else None,
                encoding=encoding,
            )
        )
    first = sets[0]
    assert first.task is not None  # load_dataset was asked for targets
    return Collection(
        name=first.name,
        items=[item for one in sets for item in one.items],
        targets=np.concatenate([one.targets for one in sets if one.targets is not None]),
        task=first.task,
        places=[place for one in sets for place in one.places],
        parts=[(part, len(one)) for (part, _), one in zip(sources, sets, strict=True)],
        table=first.table if len(sets) == 1 else None,
        target=first.target_column,
        labels=first.labels,
        separator=first.separator,
        values=_values(sets),
        unusable=[
            (one.source_rows[problem.item][0], problem) for one in sets for problem in one.problems
        ],
        decided=[sentence for one in sets for sentence in one.decided],
    )


def _values(sets: Sequence[Dataset]) -> list[str] | None:
    """Return the titles of the items, where a source has records with titles."""
    if not any(one.has_titles for one in sets):
        return None
    return [one.source_rows[row][1] for one in sets for row in one.rows]
