"""A trained model as a folder of JSON and safetensors: no pickle, whole or absent."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file
from torch import nn

from cnnkit.cnncore import spec
from cnnkit.cnncore.arrays import ArrayImages
from cnnkit.cnncore.device import choose_device
from cnnkit.cnncore.estimator import CNNClassifier, CNNRegressor
from cnnkit.cnncore.fitting import ONE_AT_A_TIME, CNNEstimator
from cnnkit.cnncore.forest import Forest, from_arrays, to_arrays
from cnnkit.cnncore.image import Axis, ImageSpec, Recipe
from cnnkit.cnncore.network import Network
from cnnkit.cnncore.objective import Classification, MultiLabel, Regression
from cnnkit.cnncore.plugins import adapter_class
from cnnkit.cnncore.train import Plan

FORMAT = 2
CONTRACT: dict[str, Any] = {kind.__name__: kind for kind in (Axis, ImageSpec, Recipe)}
ESTIMATORS = {kind.__name__: kind for kind in (CNNClassifier, CNNRegressor)}


class ModelFolderError(ValueError):
    """A folder that holds no whole model, or one that this version can't read."""


def to_json(value: Any) -> Any:
    """Turn parameters and fitted state into what JSON holds; the contract's types keep their name.

    Raises
    ------
    TypeError
        If a value is neither a plain value nor a type of the contract.

    Examples
    --------
    >>> from_json(to_json(Axis("time", "s", 0.01, 64)))
    Axis(name='time', unit='s', step=0.01, pixels=64)
    """
    if type(value).__name__ in CONTRACT:
        state = {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__name__, **state}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: to_json(entry) for key, entry in value.items()}
        return {"type": "dict", "items": to_json(list(value.items()))}
    if isinstance(value, list | tuple):
        return [to_json(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(
        f"{value!r} can't be saved: expected JSON values, arrays or the contract's types"
    )


def from_json(value: Any) -> Any:
    """Undo `to_json`; sequences inside the contract's types are tuples again."""
    if isinstance(value, list):
        return [from_json(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    state = {key: from_json(entry) for key, entry in value.items()}
    name = state.get("type")
    if name == "dict":
        return dict(state["items"])
    if name not in CONTRACT:
        return state
    del state["type"]
    return CONTRACT[name](**{k: tuple(v) if isinstance(v, list) else v for k, v in state.items()})


def adapter_state(adapter: Any) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """Split an adapter into JSON (name, parameters, fitted values) and fitted arrays."""
    fitted = {key: value for key, value in vars(adapter).items() if key.endswith("_")}
    arrays = {key: value for key, value in fitted.items() if isinstance(value, np.ndarray)}
    plain = {key: to_json(value) for key, value in fitted.items() if key not in arrays}
    state = {"name": None, "fitted": plain, "arrays": sorted(arrays)}
    if not isinstance(adapter, ArrayImages):
        state["name"] = adapter.name
        state["parameters"] = to_json(adapter.get_params(deep=False))
    return state, arrays


def versions() -> dict[str, str]:
    """Return the versions of everything that a prediction depends on."""
    packages = ("cnnkit", "numpy", "scikit-learn", "torch")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def save(
    model: CNNEstimator,
    folder: str | os.PathLike[str],
    *,
    files: Mapping[str, str] | None = None,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a fitted model to a new folder.

    Everything is written to a folder beside it first, which then takes its name, so that a crash
    leaves no half of a model.

    Parameters
    ----------
    model : CNNClassifier or CNNRegressor
    folder : path
    files : mapping
        Further text files, by name.
    about : mapping
        Further JSON for config.json: data, split, options.
    overwrite : bool
        Replace an existing model.

    Raises
    ------
    FileExistsError
        If the folder exists and `overwrite` is False, or if it isn't a model.
    """
    target = Path(folder)
    check_free(target, overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    state, arrays = adapter_state(model.adapter_)
    with tempfile.TemporaryDirectory(prefix=".cnnkit-", dir=target.parent) as scratch:
        new = Path(scratch) / "model"
        new.mkdir()
        write_json(new / "config.json", {**config(model), **(about or {})})
        write_json(new / "adapter.json", state)
        if arrays:
            save_arrays(arrays, new / "adapter.safetensors")
        save_file(weights(model), new / "weights.safetensors")
        if model.forests_:
            save_arrays(to_arrays(model.forests_), new / "forest.safetensors")
        history = "".join(json.dumps(record) + "\n" for record in model.history_)
        for name, text in {"history.jsonl": history, **(files or {})}.items():
            (new / name).write_text(text, encoding="utf-8")
        for file in new.glob("*.safetensors"):  # which safetensors makes private
            file.chmod((new / "config.json").stat().st_mode)
        put_in_place(new, target, Path(scratch) / "replaced")
    return target


def put_in_place(new: Path, target: Path, replaced: Path) -> None:
    """Rename `new` to `target`; what stood there goes to `replaced`, and back if that fails."""
    if target.exists():
        target.rename(replaced)
    try:
        new.rename(target)
    except BaseException:
        if replaced.exists():
            replaced.rename(target)
        raise


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Raise FileExistsError or NotADirectoryError if no model may be written to `folder`."""
    whole = folder.absolute()
    above = next(place for place in (*whole.parents, whole) if place.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise NotADirectoryError(f"{folder}: {above} is no folder that can be written to")
    if not folder.exists():
        return
    if not overwrite:
        raise FileExistsError(
            f"{folder} exists; choose another folder, or overwrite it (--overwrite)"
        )
    if not (folder / "config.json").is_file():
        raise FileExistsError(f"{folder} is no cnnkit model, so it is not overwritten")


def weights(model: CNNEstimator) -> dict[str, torch.Tensor]:
    """Collect the state of all networks of an ensemble under numbered names, on the CPU."""
    return {
        f"{number}.{name}": tensor.detach().cpu().contiguous()
        for number, network in enumerate(model.networks_)
        for name, tensor in network.state_dict().items()
    }


def config(model: CNNEstimator) -> dict[str, Any]:
    """Describe a fitted estimator in JSON."""
    parameters = {
        key: value for key, value in model.get_params(deep=False).items() if key != "adapter"
    }
    if isinstance(model.random_state, np.random.RandomState):
        parameters["random_state"] = model.plan_.seed  # the generator itself has moved on
    fitted: dict[str, Any] = {
        "network": model.network_,
        "networks": len(model.networks_),
        "outputs": model.objective_.outputs,
        "prior": model.prior_.tolist(),
        "plan": asdict(model.plan_),
        "device": model.device_,
    }
    if isinstance(model, CNNClassifier):
        fitted["classes"] = [to_json(label) for label in model.classes_]
        fitted["classes_dtype"] = model.classes_.dtype.str
        fitted["temperature"] = model.temperature_
        fitted["multilabel"] = model.multilabel_
    elif isinstance(model.objective_, Regression):
        fitted["mean"] = model.objective_.mean.tolist()
        fitted["scale"] = model.objective_.scale.tolist()
        fitted["targets"] = [to_json(name) for name in model.target_names_]
        fitted["targets_dtype"] = model.target_names_.dtype.str
    if hasattr(model, "n_features_in_"):
        fitted["n_features_in"] = model.n_features_in_
    return {
        "format": FORMAT,
        "estimator": type(model).__name__,
        "parameters": to_json(parameters),
        "fitted": fitted,
        "versions": versions(),
    }


def load(
    folder: str | os.PathLike[str], *, adapter: Any = None, device: str = "auto"
) -> CNNClassifier | CNNRegressor:
    """Read a model that `save` wrote, from wherever the folder stands now.

    Parameters
    ----------
    folder : path
    adapter : Adapter, optional
        An unfitted instance, for adapters that no installed package registers.
    device : str
        Where to predict.

    Raises
    ------
    ModelFolderError
        If the folder holds no whole model of a known format.
    UnknownAdapterError
        If the model's adapter isn't installed.
    """
    source = Path(folder)
    settings = read_json(source, "config.json")
    if settings.get("format") != FORMAT:
        raise ModelFolderError(
            f"{source}: format {settings.get('format')!r}, expected {FORMAT}; "
            "it was written by another version of cnnkit"
        )
    try:
        return rebuild(source, settings, adapter, device)
    except (KeyError, TypeError) as error:
        raise ModelFolderError(
            f"{source}: config.json or adapter.json is damaged ({type(error).__name__}: {error})"
        ) from error


def rebuild(
    source: Path, settings: dict[str, Any], adapter: Any, device: str
) -> CNNClassifier | CNNRegressor:
    """Make the estimator that config.json describes, and fill in what it learnt."""
    fitted = settings["fitted"]
    model = ESTIMATORS[settings["estimator"]](**from_json(settings["parameters"]))
    model.adapter_ = load_adapter(source, adapter)
    model.adapter = None if isinstance(model.adapter_, ArrayImages) else model.adapter_
    model.network_ = fitted["network"]
    model.plan_ = Plan(**fitted["plan"])
    model.prior_ = np.array(fitted["prior"])
    model.device_ = str(choose_device(device))
    model.device = device
    if isinstance(model, CNNClassifier):
        model.classes_ = np.array(fitted["classes"], dtype=fitted["classes_dtype"])
        model.temperature_ = fitted["temperature"]
        # Models of single labels may be older than the word.
        kind = MultiLabel if fitted.get("multilabel", False) else Classification
        model.objective_ = kind(fitted["outputs"])
    else:
        model.objective_ = Regression(np.array(fitted["mean"]), np.array(fitted["scale"]))
        # Models may be older than the names.
        names = fitted.get("targets", range(fitted["outputs"]))
        model.target_names_ = np.array(names, dtype=fitted.get("targets_dtype"))
    if "n_features_in" in fitted:
        model.n_features_in_ = fitted["n_features_in"]
    history = read_text(source, "history.jsonl")
    model.history_ = [json.loads(line) for line in history.splitlines()]
    model.networks_ = load_networks(source, model, fitted["networks"])
    model.forests_ = load_forests(source) if "forest" in model.network_ else []
    return model


def load_networks(source: Path, model: Any, count: int) -> list[Network]:
    """Build the networks of an ensemble and fill in their weights.

    Raises
    ------
    ModelFolderError
        If the weights aren't there, aren't whole, or are those of other networks.
    """
    layers = spec.parse(model.network_)
    with ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):  # initial weights, to be replaced
        networks = [
            Network(layers, model.adapter_.spec_, model.objective_.outputs) for _ in range(count)
        ]
    file = source / "weights.safetensors"
    try:
        nn.ModuleList(networks).load_state_dict(load_file(file))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelFolderError(f"{file}: {error}") from error
    return [network.to(model.device_).eval() for network in networks]


def load_forests(source: Path) -> list[Forest]:
    """Read the forests of a model whose network has the word."""
    file = source / "forest.safetensors"
    try:
        return from_arrays(load_arrays(file))
    except (OSError, SafetensorError) as error:
        raise ModelFolderError(f"{file}: {error}") from error


def load_adapter(source: Path, given: Any) -> Any:
    """Rebuild the fitted adapter of a model."""
    state = read_json(source, "adapter.json")
    if state["name"] is None:
        adapter: Any = ArrayImages()
    else:
        adapter = given if given is not None else adapter_class(state["name"])()
        adapter.set_params(**from_json(state["parameters"]))
    vars(adapter).update({key: from_json(value) for key, value in state["fitted"].items()})
    if state["arrays"]:
        file = source / "adapter.safetensors"
        try:
            vars(adapter).update(load_arrays(file))
        except (OSError, SafetensorError) as error:
            raise ModelFolderError(f"{file}: {error}") from error
    return adapter


def write_json(path: Path, content: Any) -> None:
    """Write readable JSON."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read one of a model's JSON files.

    Raises
    ------
    ModelFolderError
        If it isn't there, or isn't JSON.
    """
    try:
        content: dict[str, Any] = json.loads(read_text(folder, name))
    except json.JSONDecodeError as error:
        raise ModelFolderError(f"{folder / name}: not valid JSON ({error})") from None
    return content


def read_text(folder: Path, name: str) -> str:
    """Read one of a model's text files.

    Raises
    ------
    ModelFolderError
        If it isn't there, or isn't text.
    """
    if not folder.is_dir():
        raise ModelFolderError(f"{folder}: no such folder; expected one that `cnnkit fit` wrote")
    try:
        return (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ModelFolderError(f"{folder}: no {name}, so this is no whole cnnkit model") from None
    except UnicodeDecodeError as error:
        raise ModelFolderError(f"{folder / name}: {error}") from None
