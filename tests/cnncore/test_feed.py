import numpy as np
import pytest
import torch

from cnnkit.cnncore import feed as feed_module
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


def of_lengths(lengths: np.ndarray) -> Samples:
    n, offsets = len(lengths), np.concatenate([[0], np.cumsum(lengths)])
    values = np.zeros((offsets[-1], 1), np.int8)
    return Samples(values, offsets, np.arange(n), np.zeros((n, 0), np.float32))


def padding(batches: list[torch.Tensor], lengths: np.ndarray) -> int:
    """Count the steps that a batch is longer than its samples."""
    by_batch = [lengths[rows.numpy()] for rows in batches]
    return sum(int((each.max() - each).sum()) for each in by_batch)


@pytest.mark.parametrize(("n", "size"), [(1000, 8), (1003, 16), (40, 64), (5, 1), (23, 7)])
def test_batches_by_length_are_whole_and_hold_no_sample_twice(n, size):
    lengths = np.random.default_rng(0).integers(0, 50, n)
    feed = Feed(of_lengths(lengths), CPU, by_length=True)
    for seed in range(3):
        batches = feed.batches(size, torch.Generator().manual_seed(seed))
        whole = min(n, size)
        assert [len(rows) for rows in batches] == [whole] * (n // whole)
        rows = torch.cat(batches).tolist()
        assert len(set(rows)) == len(rows)


def test_what_one_epoch_by_length_leaves_out_others_show():
    feed = Feed(of_lengths(np.arange(23)), CPU, by_length=True)
    generator = torch.Generator().manual_seed(0)
    seen = {row for _ in range(20) for rows in feed.batches(7, generator) for row in rows.tolist()}
    assert seen == set(range(23))


def test_batches_by_length_need_little_padding():
    lengths = np.random.default_rng(0).lognormal(4, 1, 2000).astype(int)
    samples = of_lengths(lengths)
    generator = torch.Generator().manual_seed(0)
    together = Feed(samples, CPU, by_length=True).batches(16, generator)
    drawn = Feed(samples, CPU).batches(16, generator)
    assert padding(together, lengths) < padding(drawn, lengths) / 4


def test_batches_by_length_differ_from_epoch_to_epoch_and_repeat_with_their_seed():
    lengths = np.random.default_rng(0).integers(0, 9, 500)
    feed = Feed(of_lengths(lengths), CPU, by_length=True)

    def epochs() -> list[list[list[int]]]:
        generator = torch.Generator().manual_seed(3)
        drawn = [feed.batches(8, generator) for _ in range(2)]
        return [[rows.tolist() for rows in batches] for batches in drawn]

    first, second = epochs()
    assert epochs() == [first, second]
    shared = {frozenset(rows) for rows in first} & {frozenset(rows) for rows in second}
    assert not shared


def test_batches_by_length_come_in_random_order():
    feed = Feed(of_lengths(np.arange(100)), CPU, by_length=True)  # all in one chunk
    longest = [int(rows.max()) for rows in feed.batches(8, torch.Generator().manual_seed(0))]
    assert longest != sorted(longest)
    assert longest != sorted(longest, reverse=True)


def test_batches_by_length_mix_what_stands_sorted_in_a_file():
    n = 2000
    feed = Feed(of_lengths(np.full(n, 5)), CPU, by_length=True)
    batches = feed.batches(20, torch.Generator().manual_seed(0))
    share = [float((rows < n // 2).float().mean()) for rows in batches]
    assert min(share) > 0.1
    assert max(share) < 0.9


@pytest.mark.parametrize("most", [1, 60, 1000, 10**9])
def test_going_by_length_meets_every_sample_once_the_longest_first(monkeypatch, most):
    monkeypatch.setattr(feed_module, "MOST_STEPS", most)
    lengths = np.random.default_rng(0).integers(0, 50, 200)
    batches = list(Feed(of_lengths(lengths), CPU, by_length=True).once(32))
    rows = torch.cat(batches).numpy()
    assert sorted(rows.tolist()) == list(range(200))
    assert (np.diff(lengths[rows]) <= 0).all()
    for batch in batches:
        assert len(batch) <= 32
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= most


def test_texts_without_content_are_predicted_too():
    feed = Feed(of_lengths(np.zeros(5, dtype=int)), CPU, by_length=True)
    assert sorted(torch.cat(list(feed.once(2))).tolist()) == [0, 1, 2, 3, 4]
