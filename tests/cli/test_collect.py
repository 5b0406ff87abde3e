"""Where the items of a run come from."""

import numpy as np
import pytest

from cnnkit.adapters.sources import SourceError
from cnnkit.cli.collect import collect, collect_demo
from cnnkit.cli.settings import make_adapter


@pytest.fixture
def gather(sounds):
    """Return a function that collects sources of sounds."""
    defaults = {"item": None, "target": None, "task": "auto", "encoding": None}

    def run(*sources, **options):
        return collect(sources, make_adapter("audio", ()), **defaults | options)

    return run


def test_sources_are_joined_in_their_order(gather, sounds, table):
    data = gather(("train", sounds), ("test", table), target=None)
    assert data.parts == [("train", 36), ("test", 36)]
    assert len(data.items) == len(data.targets) == len(data.places) == 72
    assert data.items[:36] == [str(path) for path in sorted(sounds.rglob("*.wav"), key=str)]
    assert sorted(data.items[36:]) == sorted(data.items[:36])
    assert np.unique(data.targets).tolist() == ["high", "low", "mid"]
    assert data.places[36] == "index.csv:2"
    assert data.table is None


def test_the_columns_of_a_single_table_are_kept(gather, table):
    data = gather(("train", table), target="pitch")
    assert data.task == "regression"
    assert list(data.table) == ["path", "label", "speaker", "part", "pitch"]


def test_rows_that_give_no_item_are_kept_with_their_places(gather, sounds, tmp_path):
    lines = ["path,label", f"{sounds}/low/0.wav,low", "none.wav,low", f"{sounds}/mid/0.wav,mid"]
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    data = gather(("train", tmp_path / "rows.csv"))
    ((place, problem),) = data.unusable
    assert (place, problem.value, problem.rejected) == ("rows.csv:3", "none.wav", True)
    assert problem.reason.startswith("doesn't exist")


def test_parts_must_be_of_one_task(gather, table, tmp_path):
    with pytest.raises(SourceError, match="is no finite number"):
        gather(("train", table), ("test", write_words(table, tmp_path)), target="pitch")


def write_words(table, folder):
    """Copy a table with words where numbers were."""
    (folder / "words.csv").write_text(f"path,pitch\n{table.parent}/low/0.wav,deep\n")
    return folder / "words.csv"


def test_a_test_part_may_hold_one_class_only(gather, sounds, tmp_path):
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "a.wav").write_bytes((sounds / "low" / "0.wav").read_bytes())
    assert gather(("train", sounds), ("test", tmp_path)).parts[1] == ("test", 1)
    with pytest.raises(SourceError, match="at least 2 different ones are needed"):
        gather(("train", tmp_path), ("test", sounds))


def test_the_demo_set_is_told_and_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "cnnkit.adapters.audio.adapter.AudioAdapter.demo",
        lambda self: ([f"{tmp_path}/{n}.wav" for n in range(4)], ["a", "a", "b", "b"]),
    )
    data = collect_demo(make_adapter("audio", ()))
    assert (data.name, data.task, data.parts) == ("audio demo", "classification", [("train", 4)])
    assert data.places == ["0.wav", "1.wav", "2.wav", "3.wav"]
    assert data.targets.tolist() == ["a", "a", "b", "b"]
    assert "the adapter's demo set" in data.decided[0]


def test_a_demo_set_of_numbers_is_a_regression(monkeypatch):
    smiles = ["C", "CC", "CCC"]
    monkeypatch.setattr(
        "cnnkit.adapters.molecule.adapter.MoleculeAdapter.demo",
        lambda self: (smiles, ["0.5", "-1", "2e1"]),
    )
    adapter = make_adapter("molecule", ())
    for task in ("auto", "regression"):
        data = collect_demo(adapter, task)
        assert (data.task, data.targets.dtype, data.places) == ("regression", float, smiles)
        assert data.targets.tolist() == [0.5, -1, 20]
    with pytest.raises(ValueError, match="--task classification: the demo set of adapter molecule"):
        collect_demo(adapter, "classification")


def write_tags(folder, name, sounds, tags):
    lines = [f"{sounds}/low/{number}.wav,{tag}" for number, tag in enumerate(tags)]
    (folder / name).write_text("\n".join(["path,tags", *lines]), encoding="utf-8")
    return folder / name


def test_labels_of_later_parts_are_those_of_the_first(gather, sounds, tmp_path):
    train = write_tags(tmp_path, "train.csv", sounds, ["a;b", "b", "c"])
    test = write_tags(tmp_path, "test.csv", sounds, ["b", "c|a;new"])
    data = gather(("train", train), ("test", test), target="tags", task="multilabel")
    assert (data.task, data.labels, data.separator) == ("multilabel", ["a", "b", "c"], ";")
    assert data.targets.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert "labels that the training data lacks, left out: 2 in 2 places: 'c|a', 'new'" in (
        data.decided
    )
    assert data.never_seen(np.array([1, 2])) == ["labels that no training item has: 'a'"]
    assert data.never_seen(np.array([0, 2])) == []
