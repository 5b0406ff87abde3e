"""Texts as bytes: any script, no words, no vocabulary.

=======  ==========================================================================================
channel  what the category number of a position says
=======  ==========================================================================================
0        1 + the byte of the UTF-8 encoding, so that a NUL byte is no padding
=======  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from cnnkit.adapters.text.spans import compose

VOCABULARY = 257
CHANNELS = ("byte",)
CHUNK_TEXTS = 64  # encoded at a time: few enough to stay in the processor's cache


def read_bytes(texts: Iterable[str]) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Encode texts as UTF-8, composed (NFC); lone surrogates get three bytes too.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    values : int16 array [bytes of all texts, 1]
        Category numbers, 1 to 256.
    lengths : int64 array [texts]
        Bytes of each text.

    Examples
    --------
    >>> read_bytes(["aé", ""])[0][:, 0].tolist()
    [98, 196, 170]

    References
    ----------
    Zhang & LeCun 2017, "Which Encoding is the Best for Text Classification?", arXiv 1708.02657.
    """
    encoded = bytearray()
    lengths: list[int] = []
    remaining = iter(texts)
    while part := list(islice(remaining, CHUNK_TEXTS)):
        joined = "".join(part)
        if joined.isascii():
            encoded += joined.encode("ascii")
            lengths += map(len, part)
        else:
            each = [text.encode() if text.isascii() else _encode(text) for text in part]
            encoded += b"".join(each)
            lengths += map(len, each)
    values = np.add(np.frombuffer(encoded, dtype=np.uint8), 1, dtype=np.int16)
    return values[:, None], np.array(lengths, dtype=np.int64)


def _encode(text: str) -> bytes:
    return compose(text).encode("utf-8", "surrogatepass")
