"""Rows of a table as images."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from cnnkit import CNNClassifier, load, save
from cnnkit.adapters import TableAdapter
from cnnkit.adapters.row_columns import RowColumns
from cnnkit.adapters.table.adapter import parse_shape
from cnnkit.cnncore.image import Axis
from cnnkit.testing import check_adapter

RNG = np.random.default_rng(0)


def numbers(rows, columns, seed=0):
    values = np.random.default_rng(seed).normal(size=(rows, columns))
    return pd.DataFrame(values, columns=[f"t{i}" for i in range(columns)])


def customers(count):
    return [
        {
            "id": f"C{i:04}",
            "age": "" if i % 7 == 3 else str(RNG.integers(18, 80)),
            "paid": f"{1000 * RNG.normal():,.2f}",
            "city": "abcdef"[RNG.integers(6)],
            "smokes": ("yes", "no")[RNG.integers(2)],
            "since": f"{RNG.integers(1, 28):02}.{RNG.integers(1, 13):02}.2020",
            "shop": "A",
        }
        for i in range(count)
    ]


@pytest.mark.parametrize("shape", [None, "4x5", "20x1"])
def test_numbers_are_standardised_as_scikit_learn_does_it(shape):
    frame, new = numbers(50, 20), numbers(30, 20, seed=1)
    adapter = TableAdapter(shape=shape).fit(frame.to_dict("records"))
    expected = StandardScaler().fit(frame).transform(new)
    height, width = parse_shape(shape) if shape else (1, 20)
    pixels = adapter.transform(new.to_dict("records"))
    np.testing.assert_allclose(pixels, expected.reshape(-1, 1, height, width), rtol=1e-5, atol=1e-6)


def test_texts_numbers_and_data_frames_give_the_same_images():
    frame = numbers(20, 6)
    adapter = TableAdapter().fit(frame)
    for rows in (frame, frame.to_dict("records"), frame.map(repr).to_dict("records")):
        np.testing.assert_array_equal(adapter.transform(rows), adapter.transform(frame))


def test_pixels_far_from_the_mean_are_clipped():
    frame = numbers(50, 5)
    pixels = TableAdapter().fit(frame).transform([{**frame.iloc[0], "t1": 1e9, "t3": -1e9}])
    assert (pixels[0, 0, 0, 1], pixels[0, 0, 0, 3]) == (5, -5)


def test_numbers_that_hardly_differ_keep_their_differences():
    seconds = 1.7e9 + np.arange(10)[:, None] * np.array([[1, 3]]) % 7
    rows = pd.DataFrame(seconds, columns=["a", "b"])
    np.testing.assert_allclose(
        TableAdapter().fit(rows).transform(rows)[:, 0, 0],
        StandardScaler().fit_transform(seconds - 1.7e9),
        atol=1e-5,
    )


def test_missing_cells_have_a_channel_of_their_own():
    frame = numbers(30, 5)
    frame.iloc[4, 2] = np.nan
    adapter = TableAdapter().fit(frame)
    assert adapter.spec_.channels == ("value", "missing")
    pixels = adapter.transform(frame)
    assert np.argwhere(pixels[:, 1]).tolist() == [[4, 0, 2]]
    assert pixels[4, 0, 0, 2] == 0
    np.testing.assert_allclose(pixels[:, 0, 0, 2].sum(), 0, atol=1e-5)


def test_without_missing_cells_in_training_there_is_one_channel():
    frame = numbers(30, 5)
    adapter = TableAdapter().fit(frame)
    assert adapter.spec_.channels == ("value",)
    samples = adapter.read([{**frame.iloc[0], "t2": "many"}])
    assert samples.values[0, 2] == 0
    (problem,) = samples.problems
    assert (problem.item, problem.rejected) == (0, False)
    assert "'t2' is no number like those in training ('many')" in problem.reason


def test_new_rows_are_looked_up_by_the_names_of_their_columns():
    frame = numbers(30, 5)
    adapter = TableAdapter().fit(frame)
    mixed = frame.assign(more="x")[["t3", "more", "t1", "t0", "t4", "t2"]]
    np.testing.assert_array_equal(adapter.transform(mixed), adapter.transform(frame))


def test_the_image_is_described():
    frame = numbers(30, 6)
    spec = TableAdapter().fit(frame).spec_
    assert (spec.shape, spec.height) == ((1, 1, 6), None)
    spec = TableAdapter(shape="2x3").fit(frame).spec_
    assert (spec.height, spec.width) == (Axis("row", pixels=2), Axis("column", pixels=3))


def test_what_was_decided_is_told():
    adapter = TableAdapter().fit(customers(40))
    said = "\n".join(adapter.decided_)
    assert "columns: 5: 2 numbers, 2 categories, 1 date" in said
    assert "set aside: 'id' (identifier" in said
    assert "'paid': commas separate thousands" in said
    assert "image: 1 × 5 pixels, one for each column" in said
    assert "missing: " in said


def test_the_columns_must_fill_the_shape():
    with pytest.raises(ValueError, match="shape 2x4 has 8 pixels, but 6 of 7 columns") as caught:
        TableAdapter(shape="2x4").fit(
            numbers(30, 6).assign(name=[f"n{i}" for i in range(30)]).to_dict("records")
        )
    assert "'name' (identifier" in str(caught.value)


@pytest.mark.parametrize("shape", ["8", "8x", "0x8", "8x8x8", "eight"])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(ValueError, match="expected rows x columns, such as 8x8"):
        TableAdapter(shape=shape).fit(numbers(10, 8))
    assert parse_shape(" 12X3 ") == (12, 3)


def test_a_pixel_is_located_in_its_column():
    frame = numbers(30, 6)
    row = frame.to_dict("records")[5]
    assert TableAdapter().fit(frame).locate(row, 0, 4) == {"column": "t4", "value": row["t4"]}
    adapter = TableAdapter(shape="2x3").fit(frame)
    assert adapter.locate(row, 1, 0) == {"column": "t3", "value": row["t3"]}
    assert adapter.edge_labels(row, 0, [0, 1]) == ["t0", "t3"]
    assert adapter.edge_labels(row, 1, [0, 2]) == ["t0", "t2"]
    with pytest.raises(IndexError, match="the image has 2 rows and 3 columns"):
        adapter.locate(row, 0, 3)


def test_rows_with_the_same_values_have_the_same_fingerprint():
    row = {"a": "1", "b": "2"}
    same, other, swapped, bad = TableAdapter().fingerprints(
        [{"b": "2", "a": "1"}, {"a": "1", "b": "3"}, {"a": "2", "b": "1"}, None]
    )
    assert TableAdapter().fingerprints([row]) == [same]
    assert len({same, other, swapped, bad}) == 4


def test_the_columns_that_new_rows_need_are_those_that_are_used():
    assert TableAdapter().row_columns() == RowColumns()
    columns = TableAdapter().fit(customers(40)).row_columns()
    assert columns.needed == ("age", "paid", "city", "smokes", "since")
    assert columns.known == ("id", *columns.needed, "shop")


def test_the_demo_set_is_the_handwritten_digits():
    items, labels = TableAdapter().demo()
    pixels, digits = load_digits(return_X_y=True)
    assert list(items[0]) == [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    np.testing.assert_array_equal([list(item.values()) for item in items], pixels)
    assert [int(label) for label in labels] == digits.tolist()


def test_an_image_of_digits_keeps_pixels_that_are_always_empty():
    items, _ = TableAdapter().demo()
    pixels = TableAdapter(shape="8x8").fit(items).transform(items)
    assert pixels.shape == (1797, 1, 8, 8)
    always = load_digits().images.std(axis=0) == 0
    assert always.any()
    np.testing.assert_array_equal(pixels.std(axis=0)[0] == 0, always)


def test_small_tables_are_trained_in_smaller_batches():
    few, many = (TableAdapter().fit(numbers(rows, 3)).recipe_ for rows in (100, 2000))
    assert few.batch_size < many.batch_size


def test_it_has_to_be_fitted():
    with pytest.raises(NotFittedError):
        TableAdapter().transform([{"a": 1}])


@pytest.mark.parametrize("shape", [None, "8x8"])
def test_the_rules_of_all_adapters_are_kept(shape):
    items, labels = TableAdapter().demo()
    check_adapter(TableAdapter(shape=shape), items[:24], labels[:24])


def test_the_rules_are_kept_for_all_kinds_of_columns():
    check_adapter(TableAdapter(), customers(30), ["a", "b", "c"] * 10)


def test_a_model_of_rows_is_saved_and_loaded(tmp_path):
    rows = customers(60)
    model = CNNClassifier(TableAdapter(), epochs=1, device="cpu").fit(rows, ["a", "b"] * 30)
    save(model, tmp_path / "model")
    loaded = load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(loaded.predict_proba(rows), model.predict_proba(rows))


def test_the_swap_test_is_asked_about_all_rows_in_the_given_order(monkeypatch):
    monkeypatch.setattr("cnnkit.adapters.table.adapter.PERMUTATIONS", 19)
    steps = numbers(240, 16)
    walks = steps.cumsum(axis=1)
    labels = np.where(steps.abs().max(axis=1) > 2.3, "jump", "calm")
    rows = [None, *walks.to_dict("records")]  # what is no row takes no part
    result = TableAdapter().swap_test(rows, ["calm", *labels], groups=range(241))
    assert result.verdict == "order matters"
    assert (result.rows_total, len(result.units), result.task) == (240, 16, "classification")
    assert "cnn" not in result.scores


def test_the_swap_test_refuses_a_shape_that_the_columns_do_not_fill():
    with pytest.raises(ValueError, match="shape 3x3 has 9 pixels, but 12 of 12 columns"):
        TableAdapter(shape="3x3").swap_test(numbers(30, 12), ["a", "b"] * 15)
