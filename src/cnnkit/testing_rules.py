"""The rules of the contract (adapters/base.py, cnncore/image.py), a function for each."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from sklearn.base import BaseEstimator, clone

from cnnkit.adapters.base import Adapter, BadItemsError
from cnnkit.cnncore.image import ImageSpec, Recipe, Samples, SparseRows
from cnnkit.cnncore.model_folder import adapter_state, load_adapter, to_json, write_json
from cnnkit.testing_case import (
    FEWEST_ITEMS,
    Case,
    first_images,
    image_count,
    require,
    require_json,
    require_same,
    require_sparse,
    require_spec,
)


def the_adapter_introduces_itself(case: Case) -> None:
    adapter = case.adapter
    require(isinstance(adapter, Adapter), "it is no subclass of cnnkit.adapters.Adapter")
    require(isinstance(getattr(adapter, "name", None), str), "`name` is no text")
    columns = adapter.item_columns
    require(
        isinstance(columns, tuple) and all(isinstance(column, str) for column in columns),
        f"`item_columns` is {columns!r}; expected a tuple of texts",
    )


def init_only_stores_its_parameters(case: Case) -> None:
    kind = type(case.adapter)
    needed = [
        parameter.name
        for parameter in inspect.signature(kind).parameters.values()
        if parameter.default is inspect.Parameter.empty
    ]
    require(not needed, f"{', '.join(needed)}: a parameter needs a default")
    # Nothing can be done with these but to store them.
    marks = {name: object() for name in case.adapter.get_params(deep=False)}
    made = kind(**marks)
    for name, mark in marks.items():
        require(getattr(made, name) is mark, f"`{name}` is not kept as it was given")
    more = sorted(vars(made).keys() - marks.keys())
    require(not more, f"it sets {', '.join(more)}, which is no parameter")


def parameters_round_trip_and_are_json(case: Case) -> None:
    given = case.adapter.get_params(deep=False)
    require_json(given, "parameters")
    for how, copy in (
        ("clone", clone(case.adapter)),
        ("set_params", type(case.adapter)().set_params(**given)),
    ):
        found = to_json(copy.get_params(deep=False))
        require(found == to_json(given), f"{how} makes {found} of {given}")


def fit_returns_the_adapter_and_keeps_its_parameters(case: Case) -> None:
    adapter = case.new()
    before = to_json(adapter.get_params(deep=False))
    returned = adapter.fit(case.items, case.labels)
    require(returned is adapter, f"`fit` returned {returned!r}, not the adapter itself")
    after = to_json(adapter.get_params(deep=False))
    require(after == before, f"`fit` changed the parameters from {before} to {after}")
    for name, kind in (("spec_", ImageSpec), ("recipe_", Recipe), ("decided_", list)):
        found = getattr(adapter, name, None)
        require(isinstance(found, kind), f"`{name}` is {found!r}, not an instance of {kind}")


def images_are_what_spec_says(case: Case) -> None:
    spec, count = case.fitted.spec_, len(case.items)
    require_spec(case.pixels, spec, count, "transform(items)")
    drawn = case.draw()
    images = image_count(drawn, count)
    require_spec(drawn.pixels.numpy(), spec, images, "what the renderer draws")
    require_same(first_images(drawn), case.pixels, "renderer and transform")
    if drawn.mask is not None:
        expected = (images, 1, *drawn.pixels.shape[2:])
        require(
            drawn.mask.dtype == torch.bool and drawn.mask.shape == expected,
            f"mask is {drawn.mask.dtype} {tuple(drawn.mask.shape)}; expected bool {expected}",
        )
    if isinstance(drawn.side, SparseRows):
        require_sparse(drawn.side, count, spec.sparse_side)
        return
    side = np.zeros((count, 0)) if drawn.side is None else drawn.side.numpy()
    require(
        side.shape == (count, len(spec.side)) and np.isfinite(side).all(),
        f"side features are {side.shape}; expected {len(spec.side)} finite ones for each item",
    )
    require_spec(case.fitted.transform([]), spec, 0, "transform([])")


def an_item_gives_the_same_image_whatever_lies_beside_it(case: Case) -> None:
    again = case.fitted.transform(case.items)
    require_same(again, case.pixels, "the same items twice")
    backwards = case.fitted.transform(case.items[::-1])[::-1]
    require_same(backwards, case.pixels, "the items in another order")
    for number, item in enumerate(case.items[:FEWEST_ITEMS]):
        alone = case.fitted.transform([item])
        require_same(alone, case.pixels[number : number + 1], f"item {number} alone")


def a_bad_item_becomes_a_problem(case: Case) -> None:
    items = [case.items[0], case.bad_item, case.items[1]]
    samples = case.fitted.read(items)
    rejected = [problem for problem in samples.problems if problem.rejected]
    places = {problem.item for problem in rejected}
    require(places == {1}, f"items {places or '{}'} are rejected; expected 1, {case.bad_item!r}")
    require(samples.items.tolist() == [0, 2], f"samples of items {samples.items.tolist()}")
    for problem in rejected:
        require(bool(problem.reason), "a `Problem` gives no reason")
        require(isinstance(problem.value, str), f"its value is {problem.value!r}, not a text")
    try:
        case.fitted.transform(items)
    except BadItemsError as error:
        require({one.item for one in error.problems} == {1}, "BadItemsError names other items")
    else:
        raise AssertionError("transform raises no BadItemsError")


def fitting_goes_on_where_an_item_is_bad(case: Case) -> None:
    items, labels = [case.bad_item, *case.items], [case.labels[0], *case.labels]
    adapter = case.new()
    samples = adapter.fit_read(items, labels)
    rejected = {problem.item for problem in samples.problems if problem.rejected}
    require(rejected == {0}, f"rejected: {rejected or '{}'}; expected {{0}}, {case.bad_item!r}")
    pixels = adapter.transform(case.items)
    require_same(pixels, case.pixels, "fitted with and without a bad item")


def samples_are_in_order(case: Case) -> None:
    samples, count = case.samples, len(case.items)
    require_block(samples, "read")
    require(samples.items.tolist() == list(range(count)), "read: not one sample for each item")
    require(samples.version is None, "read: altered copies belong in `read_training`")
    places = [problem.item for problem in samples.problems]
    require(places == sorted(places), "read: problems are not in the order of their items")


def require_block(samples: Samples, what: str) -> None:
    """Check the arrays of samples against each other."""
    offsets, count = samples.offsets, len(samples)
    require(offsets.shape == (count + 1,), f"{what}: {offsets.shape} offsets, {count} samples")
    for name in ("offsets", "items"):
        dtype = getattr(samples, name).dtype
        require(dtype == np.int64, f"{what}: {name} are {dtype}; expected int64")
    require(
        offsets[0] == 0 and offsets[-1] == len(samples.values) and (samples.lengths > 0).all(),
        f"{what}: offsets should increase from 0 to {len(samples.values)}, the number of steps",
    )
    for name, dtypes in (("summary", ["float32"]), ("side", ["float32", "float16"])):
        array = getattr(samples, name)
        if name == "side" and array is None:
            continue
        require(
            array.ndim == 2 and len(array) == count and array.dtype in dtypes,
            f"{what}: {name} is {array.dtype} {array.shape}; "
            f"expected {' or '.join(dtypes)} [{count}, …]",
        )
        require(not np.isinf(array).any(), f"{what}: {name} holds infinity")
    require(not np.isnan(samples.summary).any(), f"{what}: summary holds NaN")


def altered_copies_stand_beside_the_true_samples(case: Case) -> None:
    samples = case.fitted.read_training(case.items)
    require_block(samples, "read_training")
    true = samples[samples.rows_of(np.arange(len(case.items)))]
    for name in ("values", "offsets", "items", "summary", "side"):
        found, expected = getattr(true, name), getattr(case.samples, name)
        same = (
            found is None if expected is None else np.array_equal(found, expected, equal_nan=True)
        )
        require(same, f"version 0 of `read_training` has other {name} than `read`")
    strange = np.setdiff1d(samples.items, case.samples.items).tolist()
    require(not strange, f"copies of items {strange}, which weren't read")


def the_renderer_augments_in_training_only(case: Case) -> None:
    plain = case.draw().pixels.numpy()
    seeded = case.draw(seed=0).pixels.numpy()
    require_same(seeded, plain, "eval mode, with and without a generator")
    unseeded = case.draw(training=True).pixels.numpy()
    require_same(unseeded, plain, "train mode without a generator, and eval mode")


def augmentation_is_repeatable(case: Case) -> None:
    values = case.samples.values.copy()
    for seed in range(3):
        drawn, again = (case.draw(training=True, seed=seed) for _ in range(2))
        first, second = drawn.pixels.numpy(), again.pixels.numpy()
        images = image_count(drawn, len(case.items))
        require_spec(first, case.fitted.spec_, images, "an augmented batch")
        if None not in case.fitted.spec_.shape:
            require(first.shape == case.draw().pixels.shape, "augmentation changes the shape")
        require_same(first, second, f"twice with seed {seed}")
    same = np.array_equal(values, case.samples.values)
    require(same, "the renderer writes into the samples")


def every_view_is_what_spec_says(case: Case) -> None:
    views = case.fitted.renderer().views
    require(isinstance(views, int) and views >= 1, f"`views` is {views!r}; expected at least 1")
    for view in range(views):
        drawn = case.draw(view=view)
        images = image_count(drawn, len(case.items))
        require_spec(drawn.pixels.numpy(), case.fitted.spec_, images, f"view {view}")


def a_fitted_adapter_is_saved_without_pickle(case: Case) -> None:
    state, arrays = adapter_state(case.fitted)
    with tempfile.TemporaryDirectory() as folder:
        write_json(Path(folder, "adapter.json"), state)
        if arrays:
            save_file(arrays, Path(folder, "adapter.safetensors"))
        loaded = load_adapter(Path(folder), type(case.adapter)())
    require(loaded.spec_ == case.fitted.spec_, f"`spec_` comes back as {loaded.spec_}")
    require_same(loaded.transform(case.items), case.pixels, "saved and loaded again")


def other_items_than_those_of_fit_are_read(case: Case) -> None:
    adapter = case.new().fit(case.items[::2], case.labels[::2])
    others = case.items[1::2]
    pixels = adapter.transform(others)
    require_spec(pixels, adapter.spec_, len(others), "fitted to every other item, the rest")


def equal_fingerprints_mean_identical_items(case: Case) -> None:
    items = case.items
    prints = case.fitted.fingerprints([*items, case.bad_item])
    require(len(prints) == len(items) + 1, f"{len(prints)} for {len(items) + 1} items")
    require(all(isinstance(one, str) for one in prints), "a fingerprint is no text")
    again = case.fitted.fingerprints(items[::-1])[::-1]
    require(again == prints[: len(items)], "the same items have others in another order")
    first: dict[str, int] = {}
    for number, one in enumerate(prints[: len(items)]):
        other = first.setdefault(one, number)
        a, b = case.pixels[[number]], case.pixels[[other]]
        require_same(a, b, f"items {other} and {number} share one")


def locate_answers_inside_only(case: Case) -> None:
    for item in case.items[:FEWEST_ITEMS]:
        rows, columns = case.fitted.transform([item]).shape[2:]
        for row, column in product((0, rows - 1), (0, columns - 1)):
            place = case.fitted.locate(item, row, column)
            named = isinstance(place, dict) and all(isinstance(key, str) for key in place)
            require(named and bool(place), f"pixel ({row}, {column}) is {place!r}")
            require_json(place, f"pixel ({row}, {column})")
        for row, column in ((-1, 0), (0, -1), (rows, 0), (0, columns)):
            try:
                place = case.fitted.locate(item, row, column)
            except IndexError:
                continue
            raise AssertionError(f"({row}, {column}) is outside, but no IndexError: {place!r}")


def edges_have_a_label_for_each_place(case: Case) -> None:
    item = case.items[0]
    for axis, length in enumerate(case.fitted.transform([item]).shape[2:]):
        places = sorted({0, length // 2, length - 1})
        labels = case.fitted.edge_labels(item, axis, places)
        texts = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
        require(
            texts and len(labels) == len(places),
            f"axis {axis}, places {places}: {labels!r}; expected one text each",
        )


def the_demo_has_classes_and_can_be_read(case: Case) -> None:
    items, labels = case.new().demo()
    classes = sorted(set(labels))
    require(len(items) == len(labels), f"{len(items)} items, {len(labels)} labels")
    require(len(classes) >= 2, f"its only class is {classes}; expected two or more")
    some = [items[labels.index(label)] for label in classes]
    case.new().fit(some, classes).transform(some)


def the_baseline_fits_and_predicts(case: Case) -> None:
    targets: dict[str, Any] = {"classification": case.labels, "regression": range(len(case.items))}
    for task, target in targets.items():
        model = case.fitted.baseline(task)
        require(isinstance(model, BaseEstimator), f"{model!r} is no scikit-learn estimator")
        said = model.fit(case.items, np.asarray(target)).predict(case.items)
        require(len(said) == len(case.items), f"{task}: {len(said)} predictions")
        known = set(said) <= set(case.labels) or task == "regression"
        require(known, f"{task}: it predicts {sorted(set(said))[:5]}")


RULES: tuple[Callable[[Case], None], ...] = (
    the_adapter_introduces_itself,
    init_only_stores_its_parameters,
    parameters_round_trip_and_are_json,
    fit_returns_the_adapter_and_keeps_its_parameters,
    images_are_what_spec_says,
    an_item_gives_the_same_image_whatever_lies_beside_it,
    a_bad_item_becomes_a_problem,
    fitting_goes_on_where_an_item_is_bad,
    samples_are_in_order,
    altered_copies_stand_beside_the_true_samples,
    the_renderer_augments_in_training_only,
    augmentation_is_repeatable,
    every_view_is_what_spec_says,
    a_fitted_adapter_is_saved_without_pickle,
    other_items_than_those_of_fit_are_read,
    equal_fingerprints_mean_identical_items,
    locate_answers_inside_only,
    edges_have_a_label_for_each_place,
    the_demo_has_classes_and_can_be_read,
    the_baseline_fits_and_predicts,
)
