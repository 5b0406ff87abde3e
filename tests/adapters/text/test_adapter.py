"""Texts as images: the contract, places in the original, and whole models."""

from __future__ import annotations

import math
import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError

from cnnkit import CNNClassifier
from cnnkit.adapters import TextAdapter
from cnnkit.adapters.text import adapter as adapter_module
from cnnkit.adapters.text.adapter import windows_for
from cnnkit.adapters.text.units import UNITS
from cnnkit.testing import check_adapter

NFD = unicodedata.normalize("NFD", "École ñandú Ångström")
FAMILY = "👩\u200d👩\u200d👧 and ❤\ufe0f!"
ARABIC = "سلام عليكم، كيف الحال؟"
MIXED = [
    "A good film, really.",
    "Bad; don't watch it!",
    NFD,
    FAMILY,
    ARABIC,
    "İstanbul is not ISTANBUL",
    "lone \ud800 half",
    "שלום עולם " * 60,
    "人人生而自由",
    "one " * 300 + "two",
]
LABELS = ["a", "b"] * 5
GOOD, BAD = ["good", "great", "fine", "superb"], ["bad", "awful", "poor", "dull"]


@pytest.mark.parametrize(
    "adapter",
    [
        TextAdapter(unit="words"),
        TextAdapter(unit="bytes"),
        TextAdapter(windows=2, n_grams=0, position_dropout=0.3),
    ],
)
@pytest.mark.parametrize("bad_item", [None, 3.5])
def test_the_contract_is_kept(adapter, bad_item):
    check_adapter(adapter, MIXED, LABELS, bad_item=bad_item)


@pytest.mark.parametrize("text", MIXED)
def test_a_word_is_found_in_the_text_as_it_was_given(text):
    adapter = TextAdapter(unit="words").fit(MIXED)
    lower = unicodedata.normalize("NFC", text).lower()
    tokens = re.findall(r"\w[\w\u0307]*|[^\w\s]", lower)  # no other mark follows a letter
    begin = 0
    for column, token in enumerate(tokens):
        place = adapter.locate(text, 0, column)
        assert place["text"] == text[place["start"] : place["end"]]
        whole = unicodedata.normalize("NFC", place["text"]).lower()
        assert whole == token
        assert place["start"] >= begin
        begin = place["end"]
    assert adapter.edge_labels(text, 1, [0, len(tokens) - 1, len(tokens)]) == [
        adapter.locate(text, 0, 0)["text"],
        adapter.locate(text, 0, len(tokens) - 1)["text"],
        "",
    ]


@pytest.mark.parametrize("text", MIXED)
def test_a_byte_is_found_in_the_character_that_it_belongs_to(text):
    adapter = TextAdapter(unit="bytes").fit(MIXED)
    column = 0
    for character in unicodedata.normalize("NFC", text):
        for _ in character.encode("utf-8", "surrogatepass"):
            place = adapter.locate(text, 0, column)
            assert place["text"] == text[place["start"] : place["end"]]
            assert unicodedata.normalize("NFC", place["text"]) == character
            column += 1
    with pytest.raises(IndexError, match=f"1 row and {column} columns"):
        adapter.locate(text, 0, column)


def test_places_by_hand():
    words, by_bytes = (TextAdapter(unit=unit).fit(MIXED) for unit in ("words", "bytes"))
    decomposed = "E\u0301cole!"
    assert words.locate(decomposed, 0, 0) == {"start": 0, "end": 6, "text": "E\u0301cole"}
    assert by_bytes.locate(decomposed, 0, 1) == {"start": 0, "end": 2, "text": "E\u0301"}
    assert by_bytes.locate(decomposed, 0, 2) == {"start": 2, "end": 3, "text": "c"}
    assert words.locate("İ x", 0, 1) == {"start": 2, "end": 3, "text": "x"}
    assert words.locate("👩\u200d👧", 0, 2) == {"start": 2, "end": 3, "text": "👧"}
    assert by_bytes.locate("a👩", 0, 4) == {"start": 1, "end": 2, "text": "👩"}
    assert words.locate("a हिन्दी!", 0, 1) == {"start": 2, "end": 8, "text": "हिन्दी"}
    assert words.locate("سلام عليكم", 0, 1) == {"start": 5, "end": 10, "text": "عليكم"}
    assert words.edge_labels("a", 0, [0, 5]) == ["word", "character n-gram 5"]


@pytest.mark.parametrize("unit", ["words", "bytes"])
@pytest.mark.parametrize("text", ["", " ", "one"])
def test_there_is_nothing_outside_of_a_text(unit, text):
    adapter = TextAdapter(unit=unit).fit(MIXED)
    columns = len(text.strip()) if unit == "bytes" else len(text.split())
    columns += unit == "bytes" and text == " "
    for row, column in [(0, -1), (0, columns), (1, 0), (-1, 0)]:
        with pytest.raises(IndexError, match="this text's image has 1 row and"):
            adapter.locate(text, row, column)


def test_what_lies_beyond_the_last_window_is_not_drawn():
    adapter = TextAdapter(unit="words", windows=2).fit(["a"])
    text = " ".join(f"t{number}" for number in range(200))
    assert adapter.transform([text]).shape == (1, 6, 1, 156)
    assert adapter.locate(text, 0, 155)["text"] == "t155"
    with pytest.raises(IndexError, match="156 columns"):
        adapter.locate(text, 0, 156)


@pytest.mark.parametrize(
    ("longest", "windows"),
    [(1, 1), (80, 1), (81, 2), (156, 2), (157, 3), (1000, 14), (4032, 53), (100_000, 53)],
)
def test_there_are_windows_enough_for_nearly_all_texts(longest, windows):
    # All texts are that long, so that the 99th of 100 is too.
    text = "a " * longest
    assert TextAdapter(unit="words").fit([text, text]).windows_ == windows
    assert windows_for(np.full(9, longest), UNITS["words"]) == windows


def test_a_few_very_long_texts_get_no_windows_of_their_own():
    texts = ["a " * 70] * 995 + ["a " * 5000] * 5
    assert TextAdapter(unit="words").fit(texts).windows_ == 1
    assert TextAdapter(unit="words", windows=7).fit(texts).windows_ == 7
    lengths = np.arange(1, 2001)
    needed = windows_for(lengths, UNITS["bytes"])
    reach = [400 + number * 395 for number in range(11)]
    assert needed == 1 + next(n for n, end in enumerate(reach) if end >= np.quantile(lengths, 0.99))


def test_of_many_texts_a_part_is_measured(monkeypatch):
    texts = ["a b c d"] * 30 + ["a"] * 30
    monkeypatch.setattr(adapter_module, "MOST_COUNTED", 10)
    told = TextAdapter().fit(texts).decided_[1]
    assert told == "length: 2 words in half of the texts, over 4 in 1 %"
    told = TextAdapter(windows=1).fit(["x " * 100] * 60).decided_[2]
    assert "20.0% of the text (10 of 10 texts looked at) lies beyond" in told


def test_what_was_decided_is_told_with_the_share_that_is_cut():
    texts = ["x " * 100, *["y " * 50] * 3]
    told = TextAdapter(windows=1).fit(texts).decided_
    assert told == [
        "unit: words",
        "length: 50 words in half of the texts, over 98 in 1 %",  # 50 + 0.97 * 50
        "image: 6 channels × up to 80 positions; 8.0% of the text (1 of 4 texts) lies beyond, "
        "where only n-grams are seen",
        "n-grams: runs of up to 2 words vote directly, weighted by TF-IDF",
    ]
    told = TextAdapter(windows=1, n_grams=0).fit(texts).decided_
    assert told[2].endswith("(1 of 4 texts) lies beyond")
    assert told[3] == "n-grams: none votes directly"
    told = TextAdapter().fit(texts).decided_
    assert told[2] == "image: 6 channels × up to 156 positions in 2 windows; nothing lies beyond"
    told = TextAdapter().fit(["人人生而自由" * 20]).decided_
    assert told[0] == "unit: bytes: many texts are in a script without spaces"
    assert told[3].startswith(f"n-grams: runs of up to {UNITS['bytes'].n_grams} bytes")


def test_wrong_parameters_are_refused_all_at_once():
    wrong = {
        "unit": "letters",
        "windows": 0,
        "n_grams": -1,
        "most_features": 0,
        "position_dropout": 1.0,
        "n_gram_dropout": -0.1,
    }
    with pytest.raises(ValueError, match="expected") as caught:
        TextAdapter(**wrong).fit(["a"])
    for name, value in wrong.items():
        assert f"{name}={value!r}: expected" in str(caught.value)
    with pytest.raises(ValueError, match="vectors: they are for words, but unit is 'bytes'"):
        TextAdapter(unit="bytes", vectors="none.txt").fit(["a"])
    with pytest.raises(ValueError, match=r"vectors=.*: expected a str, such as 'none.txt'"):
        TextAdapter(vectors=Path("none.txt")).fit(["a"])


def test_word_vectors_are_refused_where_the_script_makes_the_unit_bytes():
    with pytest.raises(ValueError, match="they are for words, but the unit is bytes, since"):
        TextAdapter(vectors="none.txt").fit(["人人生而自由"])


def test_texts_are_taken_by_their_place_whatever_their_index(opinions, small):
    texts, labels = opinions(30)
    series = pd.Series(texts, index=np.random.default_rng(0).permutation(30))
    lettered = pd.Series(texts, index=[f"row {n}" for n in range(30)])
    adapter = TextAdapter().fit(texts)
    for one in (series, lettered):
        again = TextAdapter().fit(one)
        np.testing.assert_array_equal(again.keys_, adapter.keys_)
        np.testing.assert_array_equal(again.transform(one), adapter.transform(texts))
        assert again.fingerprints(one) == adapter.fingerprints(texts)
        assert again.read(one).lengths.tolist() == [len(text.split()) for text in texts]
    model = small().fit(series, pd.Series(labels, index=series.index))
    assert model.predict(series).tolist() == model.predict(texts).tolist()


@pytest.mark.parametrize("method", ["fit", "read", "read_training", "fingerprints", "transform"])
def test_one_text_is_no_list_of_texts(method):
    adapter = TextAdapter().fit(["good film"])
    said = r"found one text, 'good film', expected a list of texts: \[text\]"
    with pytest.raises(TypeError, match=said):
        getattr(adapter, method)("good film")
    with pytest.raises(TypeError, match="found one text, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…', "):
        getattr(adapter, method)("a" * 100_000)


def test_most_features_bounds_the_votes(opinions):
    texts, _ = opinions(40)
    assert TextAdapter(most_features=9).fit(texts).spec_.sparse_side == 9
    free = TextAdapter().fit(texts)
    assert free.spec_.sparse_side == len(free.keys_) == len(free.idf_) > 50
    assert TextAdapter(n_grams=0).fit(texts).spec_.sparse_side == 0


def test_equal_texts_have_equal_fingerprints_however_they_are_written():
    adapter = TextAdapter()
    first, *same = adapter.fingerprints(
        ["É cole", "E\u0301 cole", " é  COLE\n", "É\u00a0cole", "\u00c9\tcole"]
    )
    assert set(same) == {first}
    others = adapter.fingerprints(["e cole", "école", "", "É cole."])
    assert len({first, *others}) == 5


def test_the_baseline_has_the_unit_of_the_adapter():
    chinese = ["人人生而自由" * 20, "在尊严和权利上" * 20]
    for adapter, expected in [
        (TextAdapter(), "words"),
        (TextAdapter().fit(chinese), "bytes"),
        (TextAdapter(unit="words").fit(chinese), "words"),
        (TextAdapter(unit="bytes"), "bytes"),
    ]:
        units = [
            value
            for name, value in adapter.baseline().get_params().items()
            if name.endswith("unit")
        ]
        assert units == [expected]


@pytest.mark.parametrize("network", ["text", "bytes", "text-quick"])
def test_a_saved_model_predicts_the_same(tmp_path, network, opinions, round_trip):
    texts, labels = opinions(24)
    unit = "bytes" if network == "bytes" else "words"
    model = CNNClassifier(
        TextAdapter(unit=unit), network=network, epochs=1, batch_size=12, device="cpu"
    ).fit(texts, labels)
    new = [*opinions(9, seed=1)[0], "", "words " * 500, FAMILY, "\ud800"]
    expected = model.predict_proba(new)
    np.testing.assert_allclose(round_trip(model, tmp_path).predict_proba(new), expected, atol=1e-6)
    files = {path.suffix for path in (tmp_path / "model").iterdir()}
    assert not files & {".pkl", ".pickle", ".pt", ".joblib"}


def test_predictions_do_not_depend_on_order_and_company(opinions):
    texts, labels = opinions(24)
    model = CNNClassifier(TextAdapter(), epochs=1, batch_size=12, device="cpu").fit(texts, labels)
    new = [*opinions(5, seed=1)[0], "", "long " * 700, "b"]
    together = model.predict_proba(new)
    assert len(np.unique(together.round(6), axis=0)) > 5
    np.testing.assert_allclose(model.predict_proba(new[::-1])[::-1], together, atol=1e-5)
    alone = np.concatenate([model.predict_proba([text]) for text in new])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_sorted_files_train_as_well_as_shuffled_ones(opinions, small):
    texts, labels = opinions(120)
    order = np.argsort(labels, kind="stable")
    new, truth = opinions(100, seed=1)
    for rows in (np.arange(120), order, order[::-1]):
        model = small(epochs=8).fit([texts[n] for n in rows], [labels[n] for n in rows])
        assert model.score(new, truth) >= 0.95


def test_vectors_from_a_file_are_kept_with_the_model(tmp_path, opinions, round_trip):
    texts, labels = opinions(60)
    chance = np.random.default_rng(0)
    # Words that training never saw lie beside those that it did.
    known = {word: chance.normal(0.5 if word in (*GOOD, "lovely") else -0.5, 0.1, 4)
             for word in (*GOOD, *BAD, "lovely", "horrid")}  # fmt: skip
    file = tmp_path / "vectors.txt"
    file.write_text("\n".join(" ".join([w, *map(str, row)]) for w, row in known.items()))
    model = CNNClassifier(
        TextAdapter(vectors=str(file), n_grams=0),
        network="embed 2 | conv 8x1x1 | gmp",
        epochs=10,
        batch_size=8,
        learning_rate=0.03,
        device="cpu",
    ).fit(texts, labels)
    assert model.adapter_.spec_.vectors == 4
    words = " ".join(texts).split()  # one in each text is among the vectors
    assert model.adapter_.decided_[-1] == (
        f"vectors: 10 words with 4 dimensions; {60 / len(words):.1%} of the training texts' words "
        f"have one, {8 / len(set(words)):.1%} of the different ones"
    )
    file.unlink()
    for one in (model, round_trip(model, tmp_path)):
        assert one.predict(["w1 lovely", "horrid w2"]).tolist() == ["up", "down"]


def test_the_same_seed_gives_the_same_weights(opinions):
    texts, labels = opinions(24)
    first, second, third = (
        CNNClassifier(TextAdapter(), epochs=1, batch_size=12, device="cpu", random_state=seed).fit(
            texts, labels
        )
        for seed in (0, 0, 1)
    )
    states = [list(model.networks_[0].state_dict().values()) for model in (first, second, third)]
    assert all(map(torch.equal, states[0], states[1]))
    assert not all(map(torch.equal, states[0], states[2]))


def test_mixup_of_category_numbers_is_refused(opinions, small):
    with pytest.raises(ValueError, match="mixup blends pixels, but these images hold category"):
        small(mixup=0.4).fit(*opinions(8))


def test_each_text_is_shown_five_times_at_least(opinions, small):
    model = small(epochs=None, batch_size=2)
    plan = model.fit(*opinions(400)).plan_
    assert plan.epochs == 5  # 400 steps would be 2
    few = small(epochs=None, batch_size=2).fit(*opinions(20)).plan_
    assert few.epochs == math.ceil(400 / 10)


@pytest.mark.parametrize(("words", "runs"), [(79, "runs of up to 2 words"), (80, "single words")])
def test_in_long_texts_single_words_vote(words, runs):
    adapter = TextAdapter(unit="words").fit(["good " * words, "bad " * words, "one", "two " * 200])
    assert adapter.decided_[-1] == f"n-grams: {runs} vote directly, weighted by TF-IDF"
    assert adapter.n_grams_ == (2 if words < 80 else 1)


def test_a_word_is_located_with_the_format_characters_inside_it():
    text = "\ufeffIt\u200e Co\u00ado\u0301perates\u200bnow"
    adapter = TextAdapter(unit="words").fit([text])
    found = [adapter.locate(text, 0, column) for column in range(3)]
    assert [text[place["start"] : place["end"]] for place in found] == [p["text"] for p in found]
    assert [place["text"].strip("\u200e") for place in found] == [
        "It",
        "Co\u00ado\u0301perates",
        "now",
    ]
    plain = adapter.transform(["It Coo\u0301perates now"])
    np.testing.assert_array_equal(adapter.transform([text]), plain)


def test_nothing_is_located_before_the_adapter_is_fitted():
    with pytest.raises(NotFittedError, match="fit"):
        TextAdapter().locate("a text", 0, 0)
