"""The text adapter: documents as index images, one position in each column."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from cnnkit.adapters.base import Adapter
from cnnkit.adapters.text.baseline import BASELINE_NAME, make_baseline
from cnnkit.adapters.text.demo import DEMO_SOURCE, make_demo_texts
from cnnkit.adapters.text.renderer import Drawing, TextRenderer
from cnnkit.adapters.text.spans import (
    encode_with_starts,
    normalise,
    normalise_with_starts,
    original_spans,
)
from cnnkit.adapters.text.tf_idf import CODES, TfIdf, learn_idf
from cnnkit.adapters.text.tokens import is_blank, word_spans
from cnnkit.adapters.text.units import UNITS, Unit, choose_unit
from cnnkit.adapters.text.vectors import VectorTable, WordVectors, describe_coverage, read_vectors
from cnnkit.cnncore.image import Axis, ImageSpec, IntArray, Problem, Samples

LONGEST_TOLD = 0.99  # quantile of the training texts' lengths, up to which the convolution reads
MOST_COUNTED = 20_000  # texts whose lengths are looked at
EMPTY = "the text is empty"
UNSEEN = f"{EMPTY} but for characters that can't be seen"
UNTOLD = (
    "the prediction is made from the training targets alone (shares of classes or labels, or the "
    "mean of numbers)"
)


class TextAdapter(Adapter):
    """Turns texts into index images: the position in the text is the only ordered axis.

    Characters, n-grams and dimensions of an embedding have no neighbours, so they are channels.
    A column is a word (its hash and those of some of its character n-grams; see
    `cnnkit.adapters.text.words`) or a byte (`cnnkit.adapters.text.utf8`). No vocabulary is kept.
    A long text is drawn in several windows, over all of which the network pools. Beside the image,
    n-grams of the whole text vote directly, weighted by TF-IDF.

    Parameters
    ----------
    unit : {"auto", "words", "bytes"}
        What a position is. Auto: words, or bytes where more than a tenth of the letters are of
        scripts without spaces.
    windows : int or None
        Most windows of a text that are drawn, of 80 words or 400 bytes each. None: enough for 99 %
        of the training texts, up to about 4,000 words or bytes.
    n_grams : int or None
        Positions in the longest n-gram that votes directly; 0: none does. None: 2 words (1 where
        half of the texts have 80 words or more), or 6 bytes.
    most_features : int or None
        N-grams that vote directly; of more, those that most training texts have. None: 1,048,576
        of words, 131,072 of bytes.
    vectors : str or None
        File of pre-trained word vectors, which each word brings along: GloVe or word2vec text, or
        a .npy array beside a .txt file with a word on each line.
    position_dropout : float or None
        Share of the positions that are blank in training. None: 0.1 of words, no bytes.
    n_gram_dropout : float
        Share of the n-grams whose vote is left out in training.

    Attributes
    ----------
    unit_ : str
    windows_ : int
    keys_ : int64 array [S]
        Hashes of the n-grams that vote directly.
    idf_ : float32 array [S]
    spec_, recipe_, decided_
        As for every adapter.

    Examples
    --------
    >>> texts = ["good film", "bad film", "a good one", "really bad"]
    >>> adapter = TextAdapter().fit(texts)
    >>> adapter.transform(texts).shape  # 4 texts, 6 channels, 1 row, 3 words at most
    (4, 6, 1, 3)
    >>> adapter.locate("Really  BAD", row=0, column=1)
    {'start': 8, 'end': 11, 'text': 'BAD'}

    References
    ----------
    Kim 2014, "Convolutional Neural Networks for Sentence Classification"; side features as in Cheng
    et al. 2016, "Wide & Deep Learning for Recommender Systems".
    """

    name = "text"
    item_columns = ("text", "document", "sentence", "content", "body", "message", "review", "title")
    items_are_texts = True
    rendering_only = ("windows_", "n_grams_")
    baseline_name = BASELINE_NAME
    demo_source = DEMO_SOURCE

    def __init__(
        self,
        *,
        unit: str = "auto",
        windows: int | None = None,
        n_grams: int | None = None,
        most_features: int | None = None,
        vectors: str | None = None,
        position_dropout: float | None = None,
        n_gram_dropout: float = 0.2,
    ) -> None:
        self.unit = unit
        self.windows = windows
        self.n_grams = n_grams
        self.most_features = most_features
        self.vectors = vectors
        self.position_dropout = position_dropout
        self.n_gram_dropout = n_gram_dropout

    def fit_reading(self, items: Sequence[str], y: ArrayLike | None = None) -> Self:
        """Choose the unit and the number of windows by the training texts' scripts and lengths.

        Raises
        ------
        ValueError
            If a parameter is wrong, there is no text, or the file of vectors can't be read.
        TypeError
            If the items are a single text.
        """
        self._check()
        items = _listed(items)
        texts = [item for item in items if isinstance(item, str) and not is_blank(item)]
        if not texts:
            raise ValueError(f"none of {len(items):,} items is a text that isn't empty")
        self.unit_ = choose_unit(texts) if self.unit == "auto" else self.unit
        unit = UNITS[self.unit_]
        every = math.ceil(len(texts) / MOST_COUNTED)
        lengths = np.array([unit.count(text) for text in texts[::every]])
        self.windows_ = self.windows or windows_for(lengths, unit)
        self.n_grams_ = n_grams_for(lengths, unit) if self.n_grams is None else self.n_grams
        self.most_features_ = self.most_features or unit.most_features
        self.recipe_ = unit.recipe
        table = self._fit_vectors()
        self.spec_ = ImageSpec(
            channels=unit.channels,
            height=None,
            width=Axis("position"),
            values="index",
            vocabulary=unit.vocabulary,
            sparse_side=self.most_features_ if self.n_grams_ else 0,
            vectors=0 if table is None else table.vectors.shape[1],
        )
        looked_at = "" if every == 1 else " looked at"
        self.decided_ = self._explain(lengths, f"{len(lengths):,} texts{looked_at}")
        if table is not None:
            hashes = unit.read(texts[::every])[0][:, 0].astype(np.int64) & CODES
            self.decided_.append(describe_coverage(table, hashes, str(self.vectors)))
        return self

    def _fit_vectors(self) -> VectorTable | None:
        """Read the file of word vectors, if there is one."""
        if self.vectors is None:
            return None
        if self.unit_ == "bytes":
            raise ValueError(
                f"vectors={self.vectors!r}: they are for words, but the unit is bytes, since many "
                "texts are in a script without spaces; leave vectors out, or give unit='words'"
            )
        table = read_vectors(Path(self.vectors))
        self.vector_keys_, self.vectors_, _ = table
        return table

    def read(self, items: Sequence[str]) -> Samples:
        """Hash the words of texts, or encode them; an empty one gives an empty sample."""
        return self._read(items, keep_empty=True)

    def read_training(self, items: Sequence[str]) -> Samples:
        """Read texts for training: an empty one is rejected, since it teaches nothing."""
        return self._read(items, keep_empty=False)

    def _read(self, items: Sequence[str], *, keep_empty: bool) -> Samples:
        check_is_fitted(self, "spec_")
        items = _listed(items)
        problems: list[Problem] = []
        kept: list[int] = []
        texts: list[str] = []
        for number, item in enumerate(items):
            if not isinstance(item, str):
                found = f"found {type(item).__name__}, expected a text"
                problems.append(Problem(number, repr(item), found))
                continue
            blank = is_blank(item)
            if blank:
                reason = UNSEEN if item.strip() else EMPTY
                told = f"{reason}: {UNTOLD}" if keep_empty else reason
                problems.append(Problem(number, item, told, rejected=not keep_empty))
            if keep_empty or not blank:
                kept.append(number)
                texts.append("" if blank else item)
        values, lengths = UNITS[self.unit_].read(texts)
        return Samples(
            values=values,
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            items=np.array(kept, dtype=np.int64),
            summary=np.zeros((len(kept), 0), dtype=np.float32),
            problems=tuple(problems),
        )

    def fit_rendering(self, samples: Samples) -> Self:
        """Learn which n-grams the training texts have, and how seldom each is."""
        self.keys_, self.idf_ = learn_idf(samples, self.n_grams_, self.most_features_)
        self.spec_ = replace(self.spec_, sparse_side=len(self.keys_))
        return self

    def renderer(self) -> TextRenderer:
        """Make the module that draws windows of texts as index images."""
        return self._renderer(UNITS[self.unit_].window, self.windows_)

    def _renderer(self, window: int, windows: int) -> TextRenderer:
        check_is_fitted(self, "keys_")
        unit = UNITS[self.unit_]
        tf_idf, vectors = None, None
        if len(self.keys_):
            tf_idf = TfIdf(self.keys_, self.idf_, self.n_grams_, self.n_gram_dropout)
        if self.vectors is not None:
            vectors = WordVectors(self.vector_keys_, self.vectors_)
        dropout = unit.position_dropout if self.position_dropout is None else self.position_dropout
        return TextRenderer(
            Drawing(
                buckets=unit.buckets,
                window=window,
                overlap=unit.overlap,
                windows=windows,
                crop=unit.crop,
                position_dropout=dropout,
            ),
            tf_idf,
            vectors,
        )

    def transform(self, items: Sequence[str]) -> NDArray[np.int64]:
        """Read and draw texts, each as one image of all positions that the network reads.

        Returns
        -------
        ndarray [N, C, 1, L]
            int64 category numbers; 0 after the end of a text. L is the length of the longest.

        Raises
        ------
        BadItemsError
            If an item is no text: every row in must be a row out.
        """
        samples = self.read_all(items)
        whole = self._renderer(self._reach(), windows=1).eval()
        pixels: NDArray[np.int64] = whole(samples.to("cpu")).pixels.numpy()
        return pixels

    def locate(self, item: str, row: int, column: int) -> dict[str, Any]:
        """Say which characters of a text a column shows.

        Returns
        -------
        dict
            `start`, `end`: places in the text as it was given, such that `text[start:end]` is the
            word, or the character that the byte belongs to; `text`: those characters.

        Raises
        ------
        IndexError
            If the image has no such pixel.
        """
        spans = self._spans(item)
        if row != 0 or not 0 <= column < len(spans):
            raise IndexError(
                f"pixel ({row}, {column}): this text's image has 1 row and {len(spans)} columns"
            )
        start, end = spans[column].tolist()
        return {"start": start, "end": end, "text": item[start:end]}

    def edge_labels(self, item: str, axis: int, places: Sequence[int]) -> list[str]:
        """Name rows by their channel, columns by what stands there."""
        if axis == 0:
            return [self.spec_.channels[place] for place in places]
        spans = self._spans(item)
        return [item[slice(*spans[place])] if place < len(spans) else "" for place in places]

    def _spans(self, item: str) -> IntArray:
        """Return begin and end of what each column shows, int64 [columns, 2]."""
        check_is_fitted(self, "spec_")
        if is_blank(item):
            return np.zeros((0, 2), dtype=np.int64)
        if self.unit_ == "bytes":
            encoded, starts = encode_with_starts(item)
            begins = np.arange(len(encoded))
            found = np.stack([begins, begins + 1], axis=1)
        else:
            normalised, starts = normalise_with_starts(item)
            found = word_spans(normalised)
        return original_spans(starts, found[: self._reach()])

    def _reach(self) -> int:
        """Return the number of positions of a text that are drawn at most."""
        unit = UNITS[self.unit_]
        return unit.window + (self.windows_ - 1) * (unit.window - unit.overlap)

    def fingerprints(self, items: Sequence[str]) -> list[str]:
        """Digest each text, composed, in lower case, and whatever the blanks between its words."""
        return [
            hashlib.sha256(
                " ".join(normalise(str(item)).split()).encode("utf-8", "surrogatepass")
            ).hexdigest()
            for item in _listed(items)
        ]

    def baseline(self, task: str = "classification") -> BaseEstimator:
        """Make the TF-IDF and linear model that a user would try first."""
        unit = self.unit if self.unit != "auto" else getattr(self, "unit_", "words")
        return make_baseline(task, unit)

    def demo(self) -> tuple[list[str], list[str]]:
        """Take snippets from the files of installed packages; labels say what they come from."""
        return make_demo_texts()

    def _check(self) -> None:
        """Refuse impossible parameters, all at once."""
        wrong = []
        if self.unit not in ("auto", *UNITS):
            wrong.append(f"unit={self.unit!r}: expected auto, {' or '.join(UNITS)}")
        for name, least in (("windows", 1), ("n_grams", 0), ("most_features", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                wrong.append(f"{name}={value}: expected {least} or more")
        for name in ("position_dropout", "n_gram_dropout"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                wrong.append(f"{name}={value}: expected a share, at least 0 and below 1")
        if self.vectors is not None and not isinstance(self.vectors, str):
            wrong.append(f"vectors={self.vectors!r}: expected a str, such as {str(self.vectors)!r}")
        if self.vectors is not None and self.unit == "bytes":
            wrong.append("vectors: they are for words, but unit is 'bytes'")
        if wrong:
            raise ValueError("; ".join(wrong))

    def _explain(self, lengths: IntArray, texts: str) -> list[str]:
        chosen = {"words": "", "bytes": ": many texts are in a script without spaces"}[self.unit_]
        middle, long = np.quantile(lengths, [0.5, LONGEST_TOLD])
        reach = self._reach()
        cut = np.maximum(lengths - reach, 0)
        beyond = "nothing lies beyond"
        if cut.any():
            votes = ", where only n-grams are seen" if self.n_grams_ else ""
            beyond = (
                f"{cut.sum() / lengths.sum():.1%} of the text ({(cut > 0).sum():,} of {texts}) "
                f"lies beyond{votes}"
            )
        windows = f" in {self.windows_} windows" if self.windows_ > 1 else ""
        runs = f"runs of up to {self.n_grams_} {self.unit_}"
        if self.n_grams_ == 1:
            runs = f"single {self.unit_}"
        side = f"{runs} vote directly, weighted by TF-IDF"
        return [
            f"unit: {self.unit_}{chosen if self.unit == 'auto' else ''}",
            f"length: {middle:,.0f} {self.unit_} in half of the texts, over {long:,.0f} in 1 %",
            f"image: {len(self.spec_.channels)} channels × up to {reach:,} positions{windows}; "
            f"{beyond}",
            f"n-grams: {side if self.n_grams_ else 'none votes directly'}",
        ]


def _listed(items: Sequence[str]) -> list[str]:
    """Return items by their place, whatever they are indexed by."""
    if isinstance(items, str):
        start = items if len(items) <= 30 else f"{items[:30]}…"
        raise TypeError(f"found one text, {start!r}, expected a list of texts: [text]")
    return list(items)


def n_grams_for(lengths: IntArray, unit: Unit) -> int:
    """Choose the longest n-gram that votes directly: shorter where half of the texts are long."""
    return unit.n_grams if np.median(lengths) < unit.window else unit.n_grams_of_long


def windows_for(lengths: IntArray, unit: Unit) -> int:
    """Choose the number of windows that hold nearly all texts."""
    long = float(np.quantile(lengths, LONGEST_TOLD))
    needed = math.ceil((long - unit.overlap) / (unit.window - unit.overlap))
    return min(max(1, needed), unit.most_windows)
