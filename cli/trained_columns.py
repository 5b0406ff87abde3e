"""Which columns of a table a saved model was trained on, so that nobody names them again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrainedColumns:
    """What config.json tells; all None where Python code saved the model.

    Parameters
    ----------
    item, target : str or None
        The columns that were named in training; of whole rows also a target that was guessed.
    separator : str or None
        Between the labels of a cell.
    """

    item: str | None = None
    target: str | None = None
    separator: str | None = None

    def item_names(self, adapter: Any) -> tuple[str, ...]:
        """Return the names by which to find the column of items, the best first."""
        usual: tuple[str, ...] = adapter.item_columns
        return usual if self.item is None else (self.item, *usual)


def trained_columns(folder: Path, adapter: Any) -> TrainedColumns:
    """Read the columns of a model folder.

    Raises
    ------
    ModelFolderError
        If its config.json can't be read.
    """
    from cnnkit.cnncore.model_folder import read_json

    config = read_json(folder, "config.json")
    options, data = config.get("options", {}), config.get("data", {})
    target = (options if adapter.row_columns() is None else data).get("target")
    return TrainedColumns(options.get("item"), target, data.get("separator"))
