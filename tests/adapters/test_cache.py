"""The cache of arrays on disk: whole or absent, and never an error."""

from __future__ import annotations

import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cnnkit.adapters.cache import ItemCache, cache_folder

ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_put_comes_back_the_same_also_from_another_object(tmp_path: Path) -> None:
    ItemCache("kind", {"a": 1}, folder=tmp_path).put("ab12", ARRAY)
    found = ItemCache("kind", {"a": 1}, folder=str(tmp_path)).get("ab12")
    assert found is not None
    assert found.dtype == ARRAY.dtype
    np.testing.assert_array_equal(found, ARRAY)
    assert ItemCache("kind", {"a": 1}, folder=tmp_path).get("ab13") is None


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("other", {"a": 1, "b": None}), ("kind", {"a": 2, "b": None}), ("kind", {"a": 1})],
)
def test_another_kind_or_parameter_is_another_entry(
    tmp_path: Path, kind: str, parameters: dict[str, int | None]
) -> None:
    ItemCache("kind", {"a": 1, "b": None}, folder=tmp_path).put("ab12", ARRAY)
    assert ItemCache(kind, parameters, folder=tmp_path).get("ab12") is None


def test_the_order_of_the_parameters_does_not_matter(tmp_path: Path) -> None:
    ItemCache("kind", {"a": 1, "b": 2}, folder=tmp_path).put("ab12", ARRAY)
    assert ItemCache("kind", {"b": 2, "a": 1}, folder=tmp_path).get("ab12") is not None


def test_parameters_that_are_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        ItemCache("kind", {"a": object()}, folder=tmp_path)


@pytest.mark.parametrize("length", [0, 5, 60, 140])
def test_a_damaged_entry_counts_as_absent_and_can_be_replaced(tmp_path: Path, length: int) -> None:
    cache = ItemCache("kind", {}, folder=tmp_path)
    cache.put("ab12", ARRAY)
    (entry,) = files_in(tmp_path)
    entry.write_bytes(entry.read_bytes()[:length])
    assert cache.get("ab12") is None
    cache.put("ab12", ARRAY)
    np.testing.assert_array_equal(cache.get("ab12"), ARRAY)


def test_an_entry_of_zeros_or_with_pickled_objects_counts_as_absent(tmp_path: Path) -> None:
    cache = ItemCache("kind", {}, folder=tmp_path)
    cache.put("ab12", ARRAY)
    (entry,) = files_in(tmp_path)
    entry.write_bytes(bytes(200))
    assert cache.get("ab12") is None
    np.save(entry, np.array([{"not": "data"}]), allow_pickle=True)
    assert cache.get("ab12") is None


def test_a_write_that_fails_halfway_leaves_nothing_behind_and_warns_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    cache = ItemCache("kind", {}, folder=tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    with caplog.at_level(logging.WARNING):
        cache.put("ab12", ARRAY)
        cache.put("cd34", ARRAY)
    assert files_in(tmp_path) == []
    assert len(caplog.records) == 1
    assert "No space left on device" in caplog.text
    monkeypatch.undo()
    assert cache.get("ab12") is None


def test_a_folder_that_cannot_be_made_is_no_cache_but_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = ItemCache("kind", {}, folder=tmp_path / "file")
    cache.put("ab12", ARRAY)
    assert cache.get("ab12") is None
    cache.trim()
    assert len(caplog.records) == 1


def test_many_writers_and_readers_never_see_half_an_entry(tmp_path: Path) -> None:
    big = np.arange(50_000)

    def use(number: int) -> bool:
        cache = ItemCache("kind", {}, folder=tmp_path)
        if number % 2:
            cache.put("ab12", big)
        found = cache.get("ab12")
        return found is None or np.array_equal(found, big)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(200)))
    assert len(files_in(tmp_path)) == 1


def test_the_oldest_entries_go_when_all_kinds_together_take_too_much(tmp_path: Path) -> None:
    names = ["aa", "bb", "cc", "dd"]
    for age, name in enumerate(reversed(names)):
        cache = ItemCache(name, {}, folder=tmp_path)
        cache.put(name, ARRAY)
        (entry,) = cache.folder.rglob("*.npy")
        size = entry.stat().st_size
        then = time.time() - 100 * age
        os.utime(entry, (then, then))
    small = ItemCache("aa", {}, folder=tmp_path, most_bytes=2 * size)
    small.trim()
    left = [name for name in names if ItemCache(name, {}, folder=tmp_path).get(name) is not None]
    assert left == ["cc", "dd"]


def test_a_cache_within_its_size_is_left_alone_but_for_what_dead_processes_left(
    tmp_path: Path,
) -> None:
    cache = ItemCache("kind", {}, folder=tmp_path)
    cache.put("ab12", ARRAY)
    abandoned, young = cache.folder / "ab" / "x.1-1.tmp", cache.folder / "ab" / "y.2-2.tmp"
    abandoned.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(abandoned, (0, 0))
    cache.trim()
    assert not abandoned.exists()
    assert young.exists()
    assert cache.get("ab12") is not None


def test_files_that_are_not_the_caches_own_are_never_removed(tmp_path: Path) -> None:
    (tmp_path / "demo-audio").mkdir()
    (tmp_path / "demo-audio" / "a.wav").write_bytes(bytes(1000))
    cache = ItemCache("kind", {}, folder=tmp_path, most_bytes=0)
    cache.put("ab12", ARRAY)
    cache.trim()
    assert files_in(tmp_path) == [tmp_path / "demo-audio" / "a.wav"]


def test_the_folder_is_chosen_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("CNNKIT_CACHE", raising=False)
    assert cache_folder() == tmp_path / "home" / ".cache" / "cnnkit"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "cnnkit"
    monkeypatch.setenv("CNNKIT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    ItemCache("kind", {}).put("ab12", ARRAY)
    assert len(files_in(tmp_path / "own")) == 1
