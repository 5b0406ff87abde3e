"""N-grams of a text as sparse side features: each votes directly, weighted by TF-IDF.

An n-gram is known by its hash, so no words are kept: what training found is two arrays, the hashes
and their weights.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnkit.cnncore.image import Float32Array, IntArray, Samples, SparseRows

CODES = 0xFFFFFFFF  # hashes have 32 bits
MIXER = 0x5BD1E995  # of MurmurHash2: odd, and below 2^31, so that no product leaves 63 bits
CHUNK_STEPS = 2**20  # positions whose n-grams are counted at a time

# A text of 60 n-grams has entries of about 1/8. The network learns best from numbers of about 1.
LENGTH = 8.0


def n_grams(codes: Tensor, text: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """Hash all runs of 1 to `longest` neighbouring codes of the same text.

    Parameters
    ----------
    codes : int64 Tensor [T]
        One for each position, 0 to 2^32 - 1.
    text : int64 Tensor [T]
        Number of the text that a position belongs to.
    longest : int

    Returns
    -------
    text, key : int64 Tensors [n-grams]

    Examples
    --------
    >>> text, key = n_grams(torch.tensor([7, 9, 7]), torch.tensor([0, 0, 1]), longest=2)
    >>> text.tolist(), len(set(key.tolist()))
    ([0, 0, 1, 0], 3)
    """
    texts, keys, key = [text], [codes], codes
    for n in range(2, longest + 1):
        key = (key[:-1] * MIXER + codes[n - 1 :] + n) & CODES
        whole = text[: len(key)] == text[n - 1 :]
        texts.append(text[: len(key)][whole])
        keys.append(key[whole])
    return torch.cat(texts), torch.cat(keys)


class TfIdf(nn.Module):
    """Weighs the n-grams of texts by how often they occur there, and how seldom elsewhere.

    Each row is sublinear term frequency times smoothed inverse document frequency, scaled to
    length 8, as `TfidfTransformer(sublinear_tf=True)` gives it at length 1.

    Parameters
    ----------
    keys : int64 array [S]
        Hashes of the n-grams that are known, in ascending order.
    idf : float32 array [S]
    longest : int
        Codes in the longest n-gram.
    dropout : float
        Share of the entries that are left out in training.
    """

    keys: Tensor
    idf: Tensor

    def __init__(self, keys: IntArray, idf: Float32Array, longest: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("keys", torch.from_numpy(keys))
        self.register_buffer("idf", torch.from_numpy(idf))
        self.longest = longest
        self.dropout = dropout

    def forward(
        self, codes: Tensor, text: Tensor, count: int, generator: torch.Generator | None
    ) -> SparseRows:
        """Return the side features of `count` texts; see `n_grams` for the parameters."""
        width = len(self.keys)
        text, key = n_grams(codes, text, self.longest)
        column = torch.searchsorted(self.keys, key).clamp(max=width - 1)
        known = self.keys[column] == key
        entries, times = torch.unique(text[known] * width + column[known], return_counts=True)
        text, column = entries // width, entries % width
        values = (1 + times.float().log()) * self.idf[column]
        squares = values.new_zeros(count).index_add_(0, text, values.square())
        values = values * (LENGTH * squares.rsqrt())[text]
        if self.training and generator is not None and self.dropout:
            kept = 1 - self.dropout
            values = values * torch.empty_like(values).bernoulli_(kept, generator=generator) / kept
        offsets = torch.searchsorted(text, torch.arange(count, device=text.device))
        return SparseRows(column, values, offsets)


def learn_idf(samples: Samples, longest: int, most: int) -> tuple[IntArray, NDArray[np.float32]]:
    """Find the n-grams of texts and their inverse document frequencies.

    Parameters
    ----------
    samples : Samples
        Whose first column of values holds the codes.
    longest : int
        0: none is found.
    most : int
        Of more n-grams, those that most texts have are kept.

    Returns
    -------
    keys : int64 array [S], in ascending order
    idf : float32 array [S]
        ln((1 + texts) / (1 + texts with it)) + 1, as scikit-learn's `TfidfTransformer`.
    """
    found = [np.zeros(0, np.int64)]
    if not longest:
        return found[0], np.zeros(0, np.float32)
    counts = [np.zeros(0, np.int64)]
    first = 0
    while first < len(samples):
        last = int(np.searchsorted(samples.offsets, samples.offsets[first] + CHUNK_STEPS))
        rows = np.arange(first, min(max(last, first + 1), len(samples)))
        keys, count = _texts_with(samples[rows], longest)
        found.append(keys)
        counts.append(count)
        first = int(rows[-1]) + 1
    keys, place = np.unique(np.concatenate(found), return_inverse=True)
    texts = np.bincount(place, np.concatenate(counts), len(keys))
    if len(keys) > most:
        # Of n-grams in equally many texts those of a smaller hash: as good as drawn.
        kept = np.sort(np.argsort(-texts, kind="stable")[:most])
        keys, texts = keys[kept], texts[kept]
    return keys, (np.log((1 + len(samples)) / (1 + texts)) + 1).astype(np.float32)


def _texts_with(samples: Samples, longest: int) -> tuple[IntArray, IntArray]:
    """Count, for each n-gram, the texts that have it."""
    text = np.repeat(np.arange(len(samples)), samples.lengths)
    codes = samples.values[: len(text), 0].astype(np.int64) & CODES
    texts, keys = n_grams(torch.from_numpy(codes), torch.from_numpy(text), longest)
    once = torch.unique((texts << 32) | keys)
    found, count = torch.unique(once & CODES, return_counts=True)
    return found.numpy(), count.numpy()
