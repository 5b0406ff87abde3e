"""The check for authors of adapters: it passes good ones, and names the rule that one breaks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor

from cnnkit.adapters import Adapter
from cnnkit.cnncore.image import Axis, Images, ImageSpec, Problem, Recipe, Renderer, Samples, join
from cnnkit.testing import check_adapter
from cnnkit.testing_rules import RULES

WORDS = ["tick", "tock", "ticking", "tocked", "tickle", "to", "it", "octet"]
LABELS = ["i", "o", "i", "o", "i", "o", "i", "o"]


class LetterRenderer(Renderer):
    """Letters as levels, the alphabet from 0 to 1; in training shifted by up to one column."""

    def __init__(self, columns: int, mean: float) -> None:
        super().__init__()
        self.columns, self.mean = columns, mean
        self.views = 2

    def forward(
        self, batch: Any, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        shift = torch.full((len(batch),), view)
        if self.training and generator is not None:
            shift = torch.randint(0, 2, (len(batch),), generator=generator)
        columns = self.columns or int(batch.lengths.max())
        step = torch.arange(columns) - shift[:, None]
        inside = (step >= 0) & (step < batch.lengths[:, None])
        rows = batch.starts[:, None] + step.clamp_min(0).minimum(batch.lengths[:, None] - 1)
        level = (batch.values[rows, 0] - self.mean) * inside
        mask = inside[:, None, None]
        return Images(level[:, None, None], mask, batch.summary[:, :1])


class Letters(Adapter):
    """Words as one row of letters, and their length as a side feature."""

    name = "letters"
    item_columns = ("word",)
    renderer_class = LetterRenderer

    def __init__(self, *, columns: int | None = None) -> None:
        self.columns = columns

    def fit_reading(self, items: Any, y: Any = None) -> Letters:
        self.columns_ = self.columns or max(len(word) for word in items if word)
        width = Axis("position", pixels=self.columns_)
        self.spec_ = ImageSpec(("letter",), None, width, side=("length",))
        self.recipe_, self.decided_ = Recipe(), [f"columns: {self.columns_}"]
        return self

    def read(self, items: Any) -> Samples:
        good = [number for number, word in enumerate(items) if isinstance(word, str) and word]
        letters = [ord(letter) for number in good for letter in items[number]]
        return Samples(
            values=(np.array(letters, dtype=np.float32).reshape(-1, 1) - 97) / 26,
            offsets=np.cumsum([0, *(len(items[number]) for number in good)]),
            items=np.array(good, dtype=np.int64),
            summary=np.array([[len(items[n])] for n in good], np.float32).reshape(-1, 1),
            side=np.array([[len(items[n])] for n in good], np.float32).reshape(-1, 1),
            problems=tuple(
                Problem(number, repr(word), "no word") for number, word in enumerate(items)
                if number not in good
            ),
        )  # fmt: skip

    def read_training(self, items: Any) -> Samples:
        return join([self.read(items), self.read([word and word[::-1] for word in items])])

    def fit_rendering(self, samples: Samples) -> Letters:
        self.mean_ = np.array([samples.values.mean()])
        return self

    def renderer(self) -> Renderer:
        return self.renderer_class(self.columns_, float(self.mean_[0]))

    def locate(self, item: str, row: int, column: int) -> dict[str, Any]:
        if row != 0 or not 0 <= column < self.columns_:
            raise IndexError(f"({row}, {column})")
        return {"letter": item[column : column + 1]}

    def edge_labels(self, item: str, axis: int, places: Any) -> list[str]:
        return [str(place) for place in places]

    def fingerprints(self, items: Any) -> list[str]:
        return [hashlib.sha256(repr(item).encode()).hexdigest() for item in items]

    def baseline(self, task: str = "classification") -> Any:
        return DummyClassifier() if task == "classification" else DummyRegressor()

    def demo(self) -> tuple[list[str], list[str]]:
        return WORDS, LABELS


class Ragged(Letters):
    """Images as wide as the longest word of a batch."""

    def fit_reading(self, items: Any, y: Any = None) -> Ragged:
        super().fit_reading(items)
        self.spec_ = replace(self.spec_, width=Axis("position"))
        self.columns_ = 0
        return self

    def locate(self, item: str, row: int, column: int) -> dict[str, Any]:
        if row != 0 or not 0 <= column < len(item):
            raise IndexError(f"({row}, {column})")
        return {"letter": item[column]}


class AlphabetRenderer(LetterRenderer):
    """Letters as category numbers: a = 1, b = 2; 0 is padding."""

    def forward(self, batch: Any, generator: Any = None, view: int = 0) -> Images:
        images = super().forward(batch, generator, view)
        number = ((images.pixels + self.mean) * 26 + 1).round().long()
        return Images(number * images.mask, images.mask, images.side)


class Alphabet(Letters):
    """Words as category numbers, for an embedding."""

    renderer_class = AlphabetRenderer
    vocabulary = 27

    def fit_reading(self, items: Any, y: Any = None) -> Alphabet:
        super().fit_reading(items)
        self.spec_ = replace(self.spec_, values="index", vocabulary=self.vocabulary)
        return self


@pytest.mark.parametrize("columns", [None, 4, 12])
def test_an_adapter_that_keeps_all_rules_passes(columns: int | None) -> None:
    check_adapter(Letters(columns=columns), WORDS, LABELS)
    check_adapter(Letters(), np.array(WORDS), LABELS, bad_item="")


def test_images_of_any_width_and_of_category_numbers_pass() -> None:
    check_adapter(Ragged(), WORDS, LABELS)
    check_adapter(Alphabet(), WORDS, LABELS)
    few = type("Few", (Alphabet,), {"vocabulary": 20})  # "t" is the 20th letter, and 0 is padding
    with pytest.raises(AssertionError, match="outside 0 to below"):
        check_adapter(few(), WORDS, LABELS)


def test_the_adapter_that_is_given_stays_as_it_is() -> None:
    adapter = Letters(columns=9)
    check_adapter(adapter, WORDS, LABELS)
    assert vars(adapter) == {"columns": 9}


@pytest.mark.parametrize(
    ("items", "labels"), [(WORDS[:3], LABELS[:3]), (WORDS, LABELS[:-1]), (WORDS, ["i"] * 8)]
)
def test_too_few_items_or_classes_are_the_callers_mistake(
    items: list[str], labels: list[str]
) -> None:
    with pytest.raises(ValueError, match=f"{len(items)} items, {len(labels)} labels"):
        check_adapter(Letters(), items, labels)


def init_converting(self: Any, *, columns: Any = None) -> None:
    self.columns = columns and int(columns)


def init_preparing(self: Any, *, columns: Any = None) -> None:
    self.columns, self.ready = columns, False


def init_needing(self: Any, *, columns: Any) -> None:
    self.columns = columns


def init_with_a_set(self: Any, *, columns: Any = None, letters: Any = frozenset("ab")) -> None:
    self.columns, self.letters = columns, letters


def before(method: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    """Make a method that gets changed items."""
    return {method: lambda self, items, *_: getattr(Letters, method)(self, change(items))}


def after(method: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    """Make a method that returns something else than it should."""
    return {method: lambda self, *given: change(getattr(Letters, method)(self, *given))}


def fit_setting(**attributes: Any) -> dict[str, Any]:
    """Make a `fit_reading` that sets attributes."""

    def fit_reading(self: Letters, items: Any, y: Any = None) -> Letters:
        vars(Letters.fit_reading(self, items)).update(attributes)
        return self

    return {"fit_reading": fit_reading}


def drawn(change: Callable[[Images, bool, Any, int], Images]) -> dict[str, Any]:
    """Make a renderer; `change` gets images, train mode, generator and view."""

    class Changed(LetterRenderer):
        def forward(self, batch: Any, generator: Any = None, view: int = 0) -> Images:
            images = super().forward(batch, generator, view)
            return change(images, self.training, generator, view)

    return {"renderer_class": Changed}


def noisy(images: Images, generator: torch.Generator | None = None) -> Images:
    noise = torch.rand(images.pixels.shape, generator=generator)
    return replace(images, pixels=images.pixels + noise)


def noisy_steps(samples: Samples) -> Samples:
    noise = np.random.random(samples.values.shape).astype(np.float32)
    return replace(samples, values=samples.values + noise)


def narrower(images: Images, columns: int) -> Images:
    return replace(images, pixels=images.pixels[..., columns:])


class WritingRenderer(LetterRenderer):
    def forward(self, batch: Any, generator: Any = None, view: int = 0) -> Images:
        images = super().forward(batch, generator, view)
        if self.training and generator:
            batch.values.mul_(1 + 1e-6)
        return images


def fit_knowing_words(self: Letters, items: Any, y: Any = None) -> Letters:
    self.known_ = {word: 0 for word in items if word}
    return Letters.fit_reading(self, items)


def read_known_words(self: Letters, items: Any) -> Samples:
    for word in items:
        _ = word and self.known_[word]
    return Letters.read(self, items)


def fit_a_hidden_number(self: Letters, samples: Samples) -> Letters:
    self._mean = float(samples.values.mean())
    return self


class Stranger(DummyClassifier):  # type: ignore[misc] # scikit-learn has no types
    def predict(self, X: Any) -> Any:
        return ["elsewhere"] * len(X)


TWO_CHANNELS = ImageSpec(("a", "b"), None, Axis("position", pixels=8), side=("length",))
BROKEN: dict[str, list[dict[str, Any]]] = {
    "the_adapter_introduces_itself": [{"name": None}, {"item_columns": "word"}],
    "init_only_stores_its_parameters": [
        {"__init__": init_converting},
        {"__init__": init_preparing},
        {"__init__": init_needing},
    ],
    "parameters_round_trip_and_are_json": [
        {"__init__": init_with_a_set},
        {"set_params": lambda self, **_: self},
    ],
    "fit_returns_the_adapter_and_keeps_its_parameters": [
        after("fit", lambda _: None),
        fit_setting(columns=7),
        fit_setting(recipe_=None),
    ],
    "images_are_what_spec_says": [
        fit_setting(spec_=TWO_CHANNELS),
        drawn(lambda images, *_: replace(images, pixels=images.pixels.double())),
        drawn(lambda images, *_: replace(images, pixels=images.pixels.log())),
        drawn(lambda images, *_: replace(images, side=None)),
        drawn(lambda images, *_: replace(images, mask=torch.ones(1, dtype=torch.bool))),
        after("transform", lambda pixels: pixels + 1),
    ],
    "an_item_gives_the_same_image_whatever_lies_beside_it": [
        after("read", noisy_steps),
        drawn(lambda images, *_: replace(images, pixels=images.pixels - images.pixels.mean())),
    ],
    "a_bad_item_becomes_a_problem": [
        before("read", lambda items: [word.lower() for word in items]),
        after("read", lambda samples: replace(samples, problems=())),
        before("transform", lambda items: [word for word in items if word]),
    ],
    "fitting_goes_on_where_an_item_is_bad": [
        before("fit_reading", lambda items: [word.lower() for word in items]),
    ],
    "samples_are_in_order": [
        after("read", lambda samples: samples[np.argsort(-samples.lengths)]),
        after("read", lambda samples: replace(samples, offsets=samples.offsets[:-1])),
        after("read", lambda samples: replace(samples, offsets=samples.offsets.astype(np.int32))),
        after("read", lambda samples: replace(samples, items=samples.items.astype(np.int32))),
        after("read", lambda samples: replace(samples, summary=samples.summary.astype(float))),
        after("read", lambda samples: replace(samples, side=samples.side * np.inf)),
        after("read", lambda samples: replace(samples, summary=samples.summary * np.nan)),
        after("read", lambda samples: replace(samples, values=np.tile(samples.values, (2, 1)))),
        after("read", lambda samples: replace(samples, version=np.zeros_like(samples.items))),
    ],
    "altered_copies_stand_beside_the_true_samples": [
        after("read_training", lambda samples: replace(samples, version=1 - samples.version)),
        after("read_training", lambda samples: replace(samples, items=samples.items + 1)),
    ],
    "the_renderer_augments_in_training_only": [
        drawn(lambda images, _, generator, __: noisy(images, generator) if generator else images),
        drawn(lambda images, training, *_: noisy(images) if training else images),
    ],
    "augmentation_is_repeatable": [
        drawn(lambda images, training, seed, _: noisy(images) if training and seed else images),
        drawn(lambda images, training, seed, _: narrower(images, int(training and bool(seed)))),
        {"renderer_class": WritingRenderer},
    ],
    "every_view_is_what_spec_says": [drawn(lambda images, _, __, view: narrower(images, view))],
    "a_fitted_adapter_is_saved_without_pickle": [
        fit_setting(letters_={"a"}),
        {
            "fit_rendering": fit_a_hidden_number,
            "renderer": lambda self: LetterRenderer(self.columns_, self._mean),
        },
    ],
    "other_items_than_those_of_fit_are_read": [
        {
            "fit_reading": fit_knowing_words,
            "read": read_known_words,
            "read_training": read_known_words,
        }
    ],
    "equal_fingerprints_mean_identical_items": [
        after("fingerprints", lambda prints: ["same"] * len(prints)),
        after("fingerprints", lambda prints: [str(number) for number in range(len(prints))]),
        after("fingerprints", lambda prints: prints[:-1]),
        after("fingerprints", lambda prints: [one.encode() for one in prints]),
    ],
    "locate_answers_inside_only": [
        {"locate": lambda self, item, row, column: {"letter": item}},
        after("locate", lambda _: {}),
        after("locate", lambda _: {"letter": b"a"}),
    ],
    "edges_have_a_label_for_each_place": [
        after("edge_labels", lambda labels: labels[:-1]),
        {"edge_labels": lambda self, item, axis, places: places},
    ],
    "the_demo_has_classes_and_can_be_read": [
        {"demo": lambda _: (WORDS, ["i"] * 8)},
        {"demo": lambda _: (WORDS, LABELS[:-1])},
        {"demo": lambda _: ([None, "b"], ["i", "o"])},
    ],
    "the_baseline_fits_and_predicts": [
        {"baseline": lambda *_: Stranger()},
        {"baseline": lambda *_: None},
    ],
}


@pytest.mark.parametrize(
    ("rule", "changes"), [(rule, changes) for rule, many in BROKEN.items() for changes in many]
)
def test_an_adapter_that_breaks_a_rule_is_told_which(rule: str, changes: dict[str, Any]) -> None:
    broken = type("Broken", (Letters,), changes)(columns=8)
    with pytest.raises(AssertionError) as caught:
        check_adapter(broken, WORDS, LABELS)
    title, *lines = str(caught.value).splitlines()
    assert re.fullmatch(rf"Broken breaks \d+ of {len(RULES)} rules:", title)
    assert rule.replace("_", " ") in [line.split(":")[0].strip() for line in lines]


def test_every_rule_has_an_adapter_that_breaks_it() -> None:
    assert list(BROKEN) == [rule.__name__ for rule in RULES]


def test_what_breaks_fit_is_told_once() -> None:
    def refuse(self: Letters, items: Any, y: Any = None) -> Letters:
        raise RuntimeError("no disk")

    with pytest.raises(AssertionError) as caught:
        check_adapter(type("Broken", (Letters,), {"fit_reading": refuse})(), WORDS, LABELS)
    assert str(caught.value).count("RuntimeError: no disk") == 1
    assert isinstance(caught.value.__cause__, RuntimeError)
