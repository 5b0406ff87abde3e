"""Convolutional networks for data that isn't images: the public names, imported when used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnkit.cnncore.estimator import CNNClassifier as CNNClassifier
    from cnnkit.cnncore.estimator import CNNRegressor as CNNRegressor
    from cnnkit.cnncore.model_folder import load as load
    from cnnkit.cnncore.model_folder import save as save
    from cnnkit.cnncore.swap_test import swap_test as swap_test

__version__ = "0.1.0"

_HOMES = {
    "CNNClassifier": "cnnkit.cnncore.estimator",
    "CNNRegressor": "cnnkit.cnncore.estimator",
    "load": "cnnkit.cnncore.model_folder",
    "save": "cnnkit.cnncore.model_folder",
    "swap_test": "cnnkit.cnncore.swap_test",
}
__all__ = ["CNNClassifier", "CNNRegressor", "__version__", "load", "save", "swap_test"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnnkit' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
