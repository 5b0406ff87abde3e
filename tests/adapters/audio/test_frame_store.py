from pathlib import Path

import numpy as np
import pytest

from cnnkit.adapters.audio import frame_store
from cnnkit.adapters.audio.adapter import AudioAdapter
from cnnkit.adapters.audio.demo import make_demo_sounds
from cnnkit.adapters.audio.frame_store import FrameStore
from cnnkit.cnncore.estimator import CNNClassifier


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNKIT_CACHE", str(tmp_path / "cache"))


def spill(monkeypatch: pytest.MonkeyPatch, most_bytes: int) -> None:
    monkeypatch.setattr(frame_store, "LARGEST_IN_MEMORY", most_bytes)
    monkeypatch.setattr(frame_store, "WRITTEN_AT_ONCE", most_bytes)


@pytest.mark.parametrize("most_bytes", [0, 100, 500, 10**6])
def test_frames_are_the_same_in_memory_and_on_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, most_bytes: int
) -> None:
    spill(monkeypatch, most_bytes)
    rng = np.random.default_rng(0)
    clips = [rng.normal(size=(n, 3)).astype(np.float32) for n in (4, 1, 9, 2)]
    store = FrameStore(3)
    for clip in clips:
        store.append(clip)
    block = store.block()
    np.testing.assert_array_equal(block, np.concatenate(clips))
    assert isinstance(block, np.memmap) == (most_bytes < 192)
    # The file has no name, so nothing is left behind.
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


def test_no_clips_are_an_empty_block() -> None:
    assert FrameStore(3).block().shape == (0, 3)


def test_a_network_trained_from_disk_is_the_one_trained_from_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paths, labels = make_demo_sounds(tmp_path / "demo", clips_per_class=2)
    adapter = AudioAdapter(speeds=[], cache=False).fit(paths)
    in_memory = adapter.read(paths)
    spill(monkeypatch, 1000)
    on_disk = adapter.read(paths)
    assert isinstance(on_disk.values, np.memmap)
    votes = [
        CNNClassifier(adapter, ensemble=1, epochs=1, device="cpu")
        .fit(samples, labels)
        .predict_proba(samples)
        for samples in (in_memory, on_disk)
    ]
    np.testing.assert_array_equal(*votes)
