"""Empty texts: left out of training, answered from the training targets alone."""

from __future__ import annotations

import numpy as np
import pytest

from cnnkit import CNNRegressor
from cnnkit.adapters import BadItemsError, TextAdapter


@pytest.mark.parametrize("items", [[], ["", " \n"], [None, 3]])
def test_without_a_text_there_is_nothing_to_fit(items):
    with pytest.raises(ValueError, match=f"none of {len(items)} items is a text that isn't empty"):
        TextAdapter().fit(items)


@pytest.mark.parametrize("unit", ["words", "bytes"])
def test_an_empty_text_is_refused_in_training_and_kept_in_prediction(unit):
    adapter = TextAdapter(unit=unit).fit(["one two"])
    items = ["one", "", " \t\n", 7, "two"]
    kept, left = adapter.read(items), adapter.read_training(items)
    assert kept.items.tolist() == [0, 1, 2, 4]
    assert (kept.lengths > 0).tolist() == [True, False, False, True]
    assert left.items.tolist() == [0, 4]
    assert [(problem.item, problem.rejected) for problem in kept.problems] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert all(problem.rejected for problem in left.problems)
    assert [problem.reason for problem in left.problems] == [
        "the text is empty",
        "the text is empty",
        "found int, expected a text",
    ]
    told = "the text is empty: the prediction is made from the training targets alone"
    assert kept.problems[0].reason.startswith(told)
    with pytest.raises(BadItemsError, match="item 3 '7': found int, expected a text"):
        adapter.transform(items)


@pytest.mark.parametrize("unit", ["words", "bytes"])
@pytest.mark.parametrize("text", ["\u200b", "\0", "\u0301", "\ufe0f", "\x07 \u00ad"])
def test_a_text_of_which_nothing_can_be_seen_is_empty(unit, text):
    adapter = TextAdapter(unit=unit).fit(["one two", text])
    kept, left = adapter.read(["one", text]), adapter.read_training(["one", text])
    assert (kept.lengths > 0).tolist() == [True, False]
    assert left.items.tolist() == [0]
    unseen = "the text is empty but for characters that can't be seen"
    assert [problem.reason for problem in left.problems] == [unseen]
    assert kept.problems[0].reason.startswith(f"{unseen}: the prediction is made from")
    with pytest.raises(IndexError, match="1 row and 0 columns"):
        adapter.locate(text, 0, 0)


def test_an_empty_text_gets_the_shares_of_training(tmp_path, opinions, small, round_trip):
    texts, labels = opinions(50)
    model = small().fit(texts, labels)
    expected = [labels.count("down") / 50, labels.count("up") / 50]
    for one in (model, round_trip(model, tmp_path)):
        found = one.predict_proba(["", "good", " \n"])
        assert found[0].tolist() == pytest.approx(expected, abs=1e-12)
        assert found[2].tolist() == found[0].tolist()
        assert found[1].tolist() != found[0].tolist()
        assert one.predict([""]).tolist() == [max(("down", "up"), key=labels.count)]
        np.testing.assert_array_equal(one.predict_proba(["", ""]), [found[0], found[0]])


def test_an_empty_text_gets_the_shares_also_after_calibration(opinions, small):
    texts, labels = opinions(80)
    model = small().fit(texts[:50], labels[:50], validation=(texts[50:], labels[50:]))
    assert model.temperature_ != 1
    share = labels[:50].count("down") / 50
    assert model.predict_proba([""])[0].tolist() == pytest.approx([share, 1 - share], abs=1e-12)


def test_an_empty_text_gets_the_mean_of_numbers(tmp_path, opinions, round_trip):
    texts, labels = opinions(50)
    y = np.array([label == "up" for label in labels]) * 3.0 + np.arange(50) / 50
    model = CNNRegressor(TextAdapter(), network="text-quick", epochs=2, device="cpu").fit(texts, y)
    for one in (model, round_trip(model, tmp_path)):
        assert one.predict(["", "good"])[0] == pytest.approx(y.mean(), abs=1e-12)
    two = CNNRegressor(TextAdapter(), network="text-quick", epochs=2, device="cpu")
    targets = np.stack([y, -y], axis=1)
    found = two.fit(texts, targets).predict([""])
    np.testing.assert_allclose(found, targets.mean(axis=0)[None], atol=1e-12)


def test_an_empty_text_gets_the_shares_of_known_labels(tmp_path, opinions, small, round_trip):
    texts, labels = opinions(50)
    y = np.array([[label == "up", label == "down", n % 5 == 0] for n, label in enumerate(labels)])
    y = y.astype(np.float64)
    y[::7, 2] = np.nan
    model = small().fit(texts, y)
    for one in (model, round_trip(model, tmp_path)):
        found = one.predict_proba(["", "good"])
        np.testing.assert_allclose(found[0], np.nanmean(y, axis=0), atol=1e-12)
        assert (found[1] != found[0]).all()


def test_empty_training_texts_are_left_out_with_a_warning(opinions, small):
    texts, labels = opinions(20)
    model = small(epochs=1)
    with pytest.warns(UserWarning, match="1 of 21 items could not be read and are left out"):
        model.fit(["", *texts], ["odd", *labels])
    assert model.classes_.tolist() == ["down", "up"]
