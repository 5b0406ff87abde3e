import numpy as np
import pytest
import torch

from cnnkit.cnncore.feed import Feed, fits_on
from cnnkit.cnncore.image import Samples

CPU = torch.device("cpu")


def ragged(values: np.ndarray) -> Samples:
    lengths = [2, 0, 3, 1]
    return Samples(
        values=values,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        items=np.arange(4),
        summary=np.arange(4, dtype=np.float32)[:, None],
        side=np.arange(8, dtype=np.float32).reshape(4, 2),
    )


def memory_map(folder, values: np.ndarray) -> np.memmap:
    np.save(folder / "values.npy", values)
    return np.load(folder / "values.npy", mmap_mode="r")


def contents(batch) -> list[tuple[list, list, list]]:
    rows = zip(batch.starts, batch.lengths, batch.summary, batch.side, strict=True)
    return [
        (batch.values[start : start + length].tolist(), summary.tolist(), side.tolist())
        for start, length, summary, side in rows
    ]


VALUES = np.arange(12, dtype=np.float32).reshape(6, 2)


@pytest.mark.parametrize("rows", [[0], [3, 0, 2], [1], [2, 2]])
def test_resident_and_streamed_batches_hold_the_same(tmp_path, rows):
    resident = Feed(ragged(VALUES.copy()), CPU)
    streamed = Feed(ragged(memory_map(tmp_path, VALUES)), CPU)
    assert resident.resident
    assert not streamed.resident
    expected = [
        (VALUES[begin:end].tolist(), [float(row)], [2.0 * row, 2.0 * row + 1])
        for row in rows
        for begin, end in [((0, 2), (2, 2), (2, 5), (5, 6))[row]]
    ]
    assert contents(resident.batch(torch.tensor(rows))) == expected
    assert contents(streamed.batch(torch.tensor(rows))) == expected


def test_a_memory_map_can_be_made_resident_on_request(tmp_path):
    feed = Feed(ragged(memory_map(tmp_path, VALUES)), CPU, resident=True)
    np.testing.assert_array_equal(feed.batch(torch.tensor([0])).values.numpy(), VALUES)


def test_going_in_order_meets_every_sample_once():
    feed = Feed(ragged(VALUES.copy()), CPU)
    for batch_size in (1, 3, 4, 100):
        assert torch.cat(list(feed.once(batch_size))).tolist() == [0, 1, 2, 3]


def test_an_empty_set_gives_no_batch():
    nothing = ragged(VALUES.copy())[np.array([], dtype=np.int64)]
    for by_length in (False, True):
        assert list(Feed(nothing, CPU, by_length=by_length).once(4)) == []


def test_samples_fit_on_a_gpu_that_keeps_half_of_its_free_memory(monkeypatch):
    samples, cuda = ragged(VALUES.copy()), torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda which: (2 * VALUES.nbytes + 2, 10**9))
    assert fits_on(cuda, samples)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda which: (2 * VALUES.nbytes, 10**9))
    assert not fits_on(cuda, samples)
