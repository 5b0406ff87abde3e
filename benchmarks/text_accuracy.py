"""Accuracy on public sets of texts, beside the linear models that are hard to beat.

    python benchmarks/text_accuracy.py --data FOLDER [--seeds 0 1 2] [--ensemble 1]
    python benchmarks/text_accuracy.py --data FOLDER --sets udhr --unit bytes
    python benchmarks/text_accuracy.py --data FOLDER --sets 20ng_noheaders

FOLDER holds NAME/NAME.csv (or .csv.gz) with the columns text, label and split. Sets without a split
(mr, subj) are cut into 10 stratified folds, the others have their official test part. All models
see the same rows. Differences are in points, paired by document (the network's seeds averaged),
with the interval of 1.96 standard errors.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import LabelEncoder
from sklearn.svm import LinearSVC
from torch import nn
from torch.nn import functional

from cnnkit import CNNClassifier
from cnnkit.adapters import TextAdapter

SETS = ("trec6", "mr", "subj", "ag_news_9k")
TOKEN = r"\w+|[^\w\s]"
FOLDS = 10
Texts = NDArray[Any]


def words() -> TfidfVectorizer:
    """Weigh words and pairs of words, punctuation kept."""
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=TOKEN)


def characters() -> TfidfVectorizer:
    """Weigh runs of characters inside words."""
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)


class NaiveBayesSVM:
    """LinearSVC on binary n-grams times their log-count ratios (Wang & Manning 2012)."""

    def fit(self, X: Texts, y: NDArray[np.int64]) -> NaiveBayesSVM:
        self.count = CountVectorizer(ngram_range=(1, 2), binary=True, token_pattern=TOKEN)
        counts = self.count.fit_transform(X)
        self.ratios, self.models = [], []
        for label in np.unique(y):
            positive = np.asarray(counts[y == label].sum(axis=0)).ravel() + 1
            negative = np.asarray(counts[y != label].sum(axis=0)).ravel() + 1
            ratio = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
            model = LinearSVC(random_state=0).fit(counts.multiply(ratio).tocsr(), y == label)
            self.ratios.append(ratio)
            self.models.append(model)
        return self

    def predict(self, X: Texts) -> NDArray[np.int64]:
        counts: csr_matrix = self.count.transform(X)
        votes = [
            model.decision_function(counts.multiply(ratio).tocsr())
            for ratio, model in zip(self.ratios, self.models, strict=True)
        ]
        return np.argmax(votes, axis=0)


class BagOfNGrams:
    """The mean of hashed word and bigram embeddings, and a linear vote (Joulin et al. 2017)."""

    hashed = HashingVectorizer(
        ngram_range=(1, 2), n_features=2**18, norm=None, alternate_sign=False, token_pattern=TOKEN
    )

    def fit(self, X: Texts, y: NDArray[np.int64]) -> BagOfNGrams:
        torch.manual_seed(0)
        counts = self.hashed.transform(X)
        self.bag = nn.EmbeddingBag(2**18, 32, mode="sum", sparse=True)
        self.head = nn.Linear(32, int(y.max()) + 1)
        nn.init.uniform_(self.bag.weight, -1 / 32, 1 / 32)
        steps = 10 * (len(y) // 64)
        optimizers = [
            torch.optim.SparseAdam(self.bag.parameters(), lr=0.01),
            torch.optim.Adam(self.head.parameters(), lr=0.01),
        ]
        schedules = [torch.optim.lr_scheduler.LinearLR(o, 1, 0, steps) for o in optimizers]
        rng = np.random.default_rng(0)
        for _ in range(10):
            for rows in np.array_split(rng.permutation(len(y)), len(y) // 64):
                loss = functional.cross_entropy(self.votes(counts[rows]), torch.tensor(y[rows]))
                torch.autograd.backward(loss)
                for step in (*optimizers, *schedules):
                    step.step()
                for optimizer in optimizers:
                    optimizer.zero_grad()
        return self

    def votes(self, counts: csr_matrix) -> torch.Tensor:
        """Vote on rows of counts."""
        shares = counts.multiply(1 / np.maximum(counts.sum(axis=1), 1)).tocsr()
        mean = self.bag(
            torch.from_numpy(shares.indices).long(),
            torch.from_numpy(shares.indptr[:-1]).long(),
            per_sample_weights=torch.from_numpy(shares.data).float(),
        )
        votes: torch.Tensor = self.head(mean)
        return votes

    def predict(self, X: Texts) -> NDArray[np.int64]:
        with torch.inference_mode():
            return self.votes(self.hashed.transform(X)).argmax(dim=1).numpy()


MODELS: dict[str, Callable[[], Any]] = {
    "word TF-IDF + LinearSVC": lambda: make_pipeline(words(), LinearSVC(random_state=0)),
    "word+char TF-IDF + LinearSVC": lambda: make_pipeline(
        make_union(words(), characters()), LinearSVC(random_state=0)
    ),
    "word TF-IDF + LR": lambda: make_pipeline(words(), LogisticRegression(C=10, max_iter=1000)),
    "NB-SVM": NaiveBayesSVM,
    "bag of n-grams": BagOfNGrams,
    "char (1,3) TF-IDF + LinearSVC": lambda: make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3)), LinearSVC(random_state=0)
    ),
}
OF_WORDS = tuple(name for name in MODELS if not name.startswith("char"))
OF_CHARACTERS = ("char (1,3) TF-IDF + LinearSVC",)


@dataclass
class Record:
    """Whether each test document was right, for each fit that predicted it, and the time."""

    right: list[NDArray[np.float64]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def shares(self) -> NDArray[np.float64]:
        """Return how often each document was right, over the fits that predicted it."""
        return np.asarray(np.nanmean(np.array(self.right), axis=0))


def parts(frame: pd.DataFrame) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield training and test rows: the official ones, or ten folds."""
    split = frame["split"].to_numpy()
    if (split == "test").any():
        yield np.flatnonzero(split == "train"), np.flatnonzero(split == "test")
        return
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    yield from folds.split(frame["text"], frame["label"])


def measure(
    frame: pd.DataFrame, models: dict[str, list[Callable[[], Any]]]
) -> tuple[dict[str, Record], NDArray[np.int64]]:
    """Fit every model on every part, in turn."""
    texts = frame["text"].to_numpy()
    y = LabelEncoder().fit_transform(frame["label"])
    records = {name: Record() for name in models}
    tested = np.zeros(len(frame), dtype=bool)
    for train, test in parts(frame):
        train = np.array([row for row in train if texts[row].strip()])  # nothing can be learnt
        tested[test] = True
        for name, makers in models.items():
            for make in makers:
                right = np.full(len(frame), np.nan)
                began = time.process_time()
                model = make().fit(texts[train].tolist(), y[train])
                records[name].seconds.append(time.process_time() - began)
                right[test] = model.predict(texts[test].tolist()) == y[test]
                records[name].right.append(right)
    rows = np.flatnonzero(tested)
    for record in records.values():
        record.right = [right[rows] for right in record.right]
    return records, rows


def networks(seeds: list[int], ensemble: int, unit: str) -> list[Callable[[], Any]]:
    """Return a maker for the network with its defaults, for each seed."""

    def maker(seed: int) -> Callable[[], Any]:
        given = None if ensemble == 1 else ensemble
        return lambda: CNNClassifier(TextAdapter(unit=unit), ensemble=given, random_state=seed)

    return [maker(seed) for seed in seeds]


def difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and half the 95 % interval of the paired difference, in points."""
    gap = 100 * (a - b)
    return float(gap.mean()), float(1.96 * gap.std(ddof=1) / np.sqrt(len(gap)))


def show(name: str, records: dict[str, Record], network: str) -> dict[str, tuple[float, float]]:
    """Print one set's table; return the network's lead over each other model."""
    n = len(records[network].right[0])
    shares = {model: record.shares() for model, record in records.items()}
    leads = {}
    print(f"\n{name}: {n:,} test documents")
    for model, record in records.items():
        line = f"  {model:<32}{100 * shares[model].mean():6.2f} %"
        spent = f"{np.mean(record.seconds):6.1f} CPU-s a fit (most {max(record.seconds):.1f})"
        lead = ""
        if model != network:
            leads[model] = difference(shares[network], shares[model])
            lead = "   network ahead by {:+.2f} ± {:.2f}".format(*leads[model])
        print(f"{line}   {spent}{lead}", flush=True)
    return leads


def show_means(leads: list[dict[str, tuple[float, float]]]) -> None:
    """Print the mean lead over all sets, each counted once."""
    print(f"\nMean of {len(leads)} sets:")
    for model in leads[0]:
        mean = np.mean([lead[model][0] for lead in leads])
        half = np.sqrt(np.sum([lead[model][1] ** 2 for lead in leads])) / len(leads)
        print(f"  network ahead of {model:<32}{mean:+.2f} ± {half:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ensemble", type=int, default=1)
    parser.add_argument("--unit", choices=["words", "bytes"], default="words")
    options = parser.parse_args()
    network = "network" if options.ensemble == 1 else f"{options.ensemble} networks"
    chosen = OF_WORDS if options.unit == "words" else OF_CHARACTERS
    models = {network: networks(options.seeds, options.ensemble, options.unit)}
    models |= {name: [MODELS[name]] for name in chosen}
    leads = []
    for name in options.sets:
        found = sorted((options.data / name).glob(f"{name}.csv*"))
        frame = pd.read_csv(found[0], dtype=str, keep_default_na=False)
        records, _ = measure(frame, models)
        leads.append(show(name, records, network))
    if len(leads) > 1:
        show_means(leads)


if __name__ == "__main__":
    main()
