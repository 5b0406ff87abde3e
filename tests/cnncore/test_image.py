from pathlib import Path

import numpy as np
import pytest
import torch

from cnnkit.cnncore.image import Axis, ImageSpec, Problem, Samples, join

LENGTHS = (3, 0, 1, 5)


def ragged(seed: int = 0, *, side: bool = True) -> Samples:
    rng = np.random.default_rng(seed)
    total, n = sum(LENGTHS), len(LENGTHS)
    return Samples(
        values=rng.normal(size=(total, 2)).astype(np.float32),
        offsets=np.concatenate([[0], np.cumsum(LENGTHS)]),
        items=np.array([0, 2, 3, 7]),
        summary=rng.normal(size=(n, 1)).astype(np.float32),
        side=rng.normal(size=(n, 3)).astype(np.float32) if side else None,
        problems=(Problem(1, "b", "broken"),),
    )


def steps(samples: Samples, row: int) -> np.ndarray:
    return samples.values[samples.offsets[row] : samples.offsets[row + 1]]


@pytest.mark.parametrize("rows", [[0], [3, 0], [1, 1, 2], [3, 2, 1, 0], []])
def test_chosen_samples_hold_the_same_steps_as_before(rows):
    samples = ragged()
    chosen = samples[np.array(rows, dtype=np.int64)]
    assert len(chosen) == len(rows)
    assert chosen.offsets[0] == 0
    assert chosen.offsets[-1] == len(chosen.values)
    for new, old in enumerate(rows):
        np.testing.assert_array_equal(steps(chosen, new), steps(samples, old))
        assert chosen.items[new] == samples.items[old]
        np.testing.assert_array_equal(chosen.summary[new], samples.summary[old])
        np.testing.assert_array_equal(chosen.side[new], samples.side[old])
    assert chosen.problems == samples.problems


def test_samples_in_one_block_are_compact():
    samples = ragged()
    assert samples.compact() is samples


def test_lengths_are_the_distances_of_the_offsets():
    assert ragged().lengths.tolist() == list(LENGTHS)


def test_a_batch_finds_the_steps_of_its_samples_without_copying_them():
    samples = ragged()
    whole = samples.to("cpu")
    batch = whole[torch.tensor([3, 0])]
    assert batch.values.data_ptr() == whole.values.data_ptr()
    for new, old in enumerate([3, 0]):
        start, length = int(batch.starts[new]), int(batch.lengths[new])
        found = batch.values[start : start + length].numpy()
        np.testing.assert_array_equal(found, steps(samples, old))
    np.testing.assert_array_equal(batch.side.numpy(), samples.side[[3, 0]])
    assert ragged(side=False).to("cpu")[:2].side is None


def test_read_only_and_strided_values_are_copied_to_the_device():
    samples = ragged()
    expected = samples.values.copy()
    samples.values.setflags(write=False)
    np.testing.assert_array_equal(samples.to("cpu").values.numpy(), expected)
    every_other = np.repeat(expected, 2, axis=1)[:, ::2]
    other = Samples(every_other, samples.offsets, samples.items, samples.summary)
    np.testing.assert_array_equal(other.to("cpu").values.numpy(), expected)


def test_joined_readings_keep_every_sample_and_say_which_are_altered():
    first, second = ragged(0), ragged(1)
    both = join([first, second])
    assert len(both) == 8
    for row in range(4):
        np.testing.assert_array_equal(steps(both, row), steps(first, row))
        np.testing.assert_array_equal(steps(both, row + 4), steps(second, row))
    assert both.version.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert both.problems == first.problems


def test_altered_copies_are_found_only_when_asked_for():
    both = join([ragged(0), ragged(1)])
    wanted = np.array([2, 7, 99])
    assert both.rows_of(wanted).tolist() == [1, 3]
    assert both.rows_of(wanted, altered=True).tolist() == [1, 3, 5, 7]
    assert ragged().rows_of(wanted).tolist() == [1, 3]


def test_the_shape_of_a_spec_is_channels_rows_columns():
    time, band = Axis("time", "s"), Axis("mel band", "Hz", pixels=40)
    assert ImageSpec(("a", "b"), band, time).shape == (2, 40, None)
    assert ImageSpec(("a",), None, Axis("position", pixels=9)).shape == (1, 1, 9)
    assert ImageSpec(("a",), None, None).shape == (1, 1, 1)


def test_selections_of_a_memory_map_share_it_and_hold_the_same_samples(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 6, 12)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.normal(size=(offsets[-1], 3)).astype(np.float32)
    np.save(tmp_path / "values.npy", values)
    on_disk = np.load(tmp_path / "values.npy", mmap_mode="r")
    summary = np.zeros((12, 0), np.float32)
    in_memory = Samples(values, offsets, np.arange(12), summary)
    mapped = Samples(on_disk, offsets, np.arange(12), summary)
    rows, again = np.array([7, 2, 2, 11, 0]), np.array([3, 1])
    assert mapped[rows].values is on_disk
    for one, other in (
        (in_memory[rows], mapped[rows]),
        (in_memory[rows][again], mapped[rows][again]),
    ):
        batch, same = one.to("cpu"), other.to("cpu")
        assert torch.equal(batch.values, same.values)
        assert torch.equal(batch.starts, same.starts)
        assert torch.equal(batch.lengths, same.lengths)
