"""Adapters: raw items to samples to images. Each is imported when used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnkit.adapters.audio.adapter import AudioAdapter as AudioAdapter
    from cnnkit.adapters.base import Adapter as Adapter
    from cnnkit.adapters.base import BadItemsError as BadItemsError
    from cnnkit.adapters.molecule.adapter import MoleculeAdapter as MoleculeAdapter
    from cnnkit.adapters.table.adapter import TableAdapter as TableAdapter
    from cnnkit.adapters.text.adapter import TextAdapter as TextAdapter

_HOMES = {
    "Adapter": "cnnkit.adapters.base",
    "AudioAdapter": "cnnkit.adapters.audio.adapter",
    "BadItemsError": "cnnkit.adapters.base",
    "MoleculeAdapter": "cnnkit.adapters.molecule.adapter",
    "TableAdapter": "cnnkit.adapters.table.adapter",
    "TextAdapter": "cnnkit.adapters.text.adapter",
}
__all__ = [
    "Adapter",
    "AudioAdapter",
    "BadItemsError",
    "MoleculeAdapter",
    "TableAdapter",
    "TextAdapter",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnnkit.adapters' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
