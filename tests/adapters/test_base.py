"""What every adapter inherits: fitting, transforming, and scikit-learn's own rules."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from cnnkit.adapters import Adapter, AudioAdapter, BadItemsError
from cnnkit.cnncore.image import Axis, Images, ImageSpec, Problem, Recipe, Renderer, Samples, join


class CountRenderer(Renderer):
    """One row; in training, or in another view, with 100 added."""

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.mean = mean

    def forward(
        self, batch: Any, generator: torch.Generator | None = None, view: int = 0
    ) -> Images:
        rows = batch.starts[:, None] + torch.arange(3)
        pixels = batch.values[rows, 0] - self.mean + 100 * (self.training or view > 0)
        return Images(pixels[:, None, None])


class Counts(Adapter):
    """Draws the number n as n, n + 1, n + 2; negative numbers are bad, odd ones doubtful."""

    name = "counts"

    def fit_reading(self, items: Any, y: Any = None) -> Counts:
        self.spec_ = ImageSpec(("count",), None, Axis("step", pixels=3))
        self.recipe_, self.decided_ = Recipe(), []
        return self

    def read(self, items: Any) -> Samples:
        good = [number for number, item in enumerate(items) if item >= 0]
        values = np.array([items[number] + step for number in good for step in range(3)])
        return Samples(
            values=values.reshape(-1, 1).astype(np.float32),
            offsets=np.arange(len(good) + 1) * 3,
            items=np.array(good, dtype=np.int64),
            summary=np.zeros((len(good), 0), np.float32),
            problems=tuple(
                Problem(number, str(item), "negative" if item < 0 else "odd", rejected=item < 0)
                for number, item in enumerate(items)
                if item < 0 or item % 2
            ),
        )

    def fit_rendering(self, samples: Samples) -> Counts:
        self.fitted_to_ = samples.items.tolist()
        self.mean_ = float(samples.values.mean())
        return self

    def renderer(self) -> Renderer:
        return CountRenderer(self.mean_)

    def locate(self, item: int, row: int, column: int) -> dict[str, Any]:
        raise NotImplementedError  # no test here comes to this part of the contract

    def edge_labels(self, item: int, axis: int, places: Any) -> list[str]:
        raise NotImplementedError  # no test here comes to this part of the contract

    def fingerprints(self, items: Any) -> list[str]:
        raise NotImplementedError  # no test here comes to this part of the contract

    def baseline(self, task: str = "classification") -> Any:
        raise NotImplementedError  # no test here comes to this part of the contract

    def demo(self) -> tuple[list[int], list[str]]:
        raise NotImplementedError  # no test here comes to this part of the contract


class CopyingCounts(Counts):
    """With an altered copy of each number for training: a thousand times as large."""

    def read_training(self, items: Any) -> Samples:
        return join([self.read(items), self.read([1000 * item for item in items])])


@pytest.fixture
def clips(tmp_path: Path) -> tuple[list[str], list[str]]:
    """Low and high tones in noise."""
    random = np.random.default_rng(0)
    paths, labels = [], []
    for number in range(16):
        label, hz = [("low", 400), ("high", 2_000)][number % 2]
        time_s = np.arange(2_000 + 100 * number) / 8_000
        clip = np.sin(2 * np.pi * hz * time_s) + random.normal(0, 0.1, len(time_s))
        paths.append(str(tmp_path / f"{number}.wav"))
        labels.append(label)
        soundfile.write(paths[-1], 0.3 * clip, 8_000)
    return paths, labels


def problems(count: int) -> list[Problem]:
    return [Problem(3 * n, f"clip{n}.wav", f"reason {n}") for n in range(count)]


def test_the_error_lists_every_item_with_its_reason() -> None:
    error = BadItemsError(problems(2), 9)
    assert str(error).splitlines() == [
        "2 of 9 items could not be read:",
        "  item 0 'clip0.wav': reason 0",
        "  item 3 'clip1.wav': reason 1",
    ]
    assert isinstance(error, ValueError)


def test_a_long_list_is_shortened_in_the_text_only() -> None:
    error = BadItemsError(problems(12), 40)
    lines = str(error).splitlines()
    assert len(lines) == 12
    assert lines[0].startswith("12 of 40")
    assert lines[10].endswith("reason 9")
    assert "2 more" in lines[11]
    assert error.problems == tuple(problems(12))
    assert "more" not in str(BadItemsError(problems(10), 40))


def test_a_long_item_is_shortened_in_the_text_only() -> None:
    error = BadItemsError([Problem(0, "a" * 200_000, "too long")], 1)
    assert str(error).splitlines()[1] == f"  item 0 '{79 * 'a'}…': too long"
    assert len(error.problems[0].value) == 200_000


def test_the_error_survives_the_way_between_processes() -> None:
    error = BadItemsError(problems(3), 4)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.problems) == (str(error), error.problems)


def test_fitting_learns_from_the_true_samples_and_returns_all() -> None:
    adapter = CopyingCounts()
    samples = adapter.fit_read([2, -1, 4])
    assert samples.values[:, 0].tolist() == [
        2,
        3,
        4,
        4,
        5,
        6,
        *range(2000, 2003),
        *range(4000, 4003),
    ]
    assert samples.version is not None
    assert samples.version.tolist() == [0, 0, 1, 1]
    assert adapter.fitted_to_ == [0, 2]
    assert adapter.mean_ == 4
    other = CopyingCounts()
    assert other.fit([2, -1, 4]) is other
    assert (other.mean_, other.fitted_to_) == (4, [0, 2])


def test_without_copies_training_reads_as_usual() -> None:
    samples = Counts().fit_read([2, 4])
    assert samples.version is None
    assert len(samples) == 2


def test_transform_gives_one_plain_image_for_each_item() -> None:
    adapter = Counts().fit([2, 4])
    images = adapter.transform([10, 2, 3])
    np.testing.assert_array_equal(images[:, 0, 0], [[6, 7, 8], [-2, -1, 0], [-1, 0, 1]])
    assert images.dtype == np.float32
    np.testing.assert_array_equal(Counts().fit_transform([2, 4]), adapter.transform([2, 4]))


def test_many_items_are_drawn_in_batches_in_their_order() -> None:
    adapter = Counts().fit([0])
    numbers = np.random.default_rng(0).permutation(600)
    np.testing.assert_array_equal(adapter.transform(numbers)[:, 0, 0, 0] + adapter.mean_, numbers)
    batches = list(adapter.draw(adapter.read(numbers), batch_size=256))
    assert [len(batch) for batch in batches] == [256, 256, 88]


def test_no_items_give_no_images_of_the_same_shape() -> None:
    images = Counts().fit([2]).transform([])
    assert images.shape == (0, 1, 1, 3)
    assert images.dtype == np.float32


def test_a_bad_item_stops_transform_and_a_doubtful_one_does_not() -> None:
    adapter = Counts().fit([2, 4])
    assert adapter.transform([1, 3]).shape == (2, 1, 1, 3)
    with pytest.raises(BadItemsError, match="2 of 4 items") as caught:
        adapter.transform([2, -5, 3, -7])
    assert [(problem.item, problem.value) for problem in caught.value.problems] == [
        (1, "-5"),
        (3, "-7"),
    ]


def test_before_fit_nothing_is_read() -> None:
    with pytest.raises(NotFittedError):
        Counts().transform([1])
    with pytest.raises(NotFittedError):
        Counts().read_all([1])


def test_scikit_learn_clones_the_parameters_and_forgets_the_rest(
    clips: tuple[list[str], list[str]],
) -> None:
    adapter = AudioAdapter(n_mels=24, speeds=(0.9,), cache=False).fit(clips[0])
    copy = clone(adapter)
    assert copy.get_params() == adapter.get_params()
    assert not [name for name in vars(copy) if name.endswith("_")]
    assert copy.set_params(n_mels=32).fit(clips[0]).transform(clips[0][:2]).shape[2] == 32
    assert adapter.n_mels == 24


def make_pipeline() -> Pipeline:
    flatten = FunctionTransformer(lambda images: images.reshape(len(images), -1))
    return Pipeline(
        [
            ("adapter", AudioAdapter(preset="speech", cache=False)),
            ("flatten", flatten),
            ("clf", LogisticRegression(max_iter=1_000)),
        ]
    )


def test_an_adapter_is_a_step_of_a_scikit_learn_pipeline(
    clips: tuple[list[str], list[str]],
) -> None:
    paths, labels = clips
    pipeline = make_pipeline().set_params(adapter__n_mels=20)
    pipeline.fit(paths[:10], labels[:10])
    assert pipeline["adapter"].spec_.shape[1] == 20
    assert pipeline.predict(paths[10:]).tolist() == labels[10:]
    scores = cross_val_score(make_pipeline(), np.array(paths), labels, cv=2)
    assert scores.tolist() == [1, 1]


def test_a_pandas_column_is_read_whatever_its_index(clips: tuple[list[str], list[str]]) -> None:
    paths = clips[0][:4]
    column = pd.Series(paths, index=[7, 0, 9, 1])
    adapter = AudioAdapter(cache=False).fit(column)
    np.testing.assert_array_equal(adapter.transform(column), adapter.transform(paths))
    column[9] = "missing.wav"
    (problem,) = adapter.read(column).problems
    assert (problem.item, problem.value) == (2, "missing.wav")


def test_items_stand_in_one_column_and_have_an_order_unless_an_adapter_says_otherwise() -> None:
    assert Counts().row_columns() is None
    assert Counts().swap_test([1, 2], ["a", "b"]) is None


def test_items_have_no_picture_unless_an_adapter_draws_one() -> None:
    assert Counts().picture(1) is None


def test_items_have_no_families_unless_an_adapter_names_some() -> None:
    assert Counts().families([1, 2]) is None
    assert Counts().split_kinds == ()
