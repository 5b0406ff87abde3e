"""What a user would try first on sounds: statistics of the MFCCs and a support vector machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct
from scipy.ndimage import correlate1d
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.utils.validation import check_is_fitted

from cnnkit.adapters.audio.files import UnreadableSound, read_header, shown
from cnnkit.adapters.audio.log_mel import LogMel
from cnnkit.adapters.audio.reading import read_frames
from cnnkit.adapters.base import BadItemsError
from cnnkit.adapters.cache import ItemCache
from cnnkit.adapters.label_by_label import LabelByLabel
from cnnkit.cnncore.image import Problem

FloatArray = NDArray[np.float64]

BASELINE_NAME = "MFCC + SVM"

HIGHEST_RATE_HZ = 22_050
WINDOW_S = 0.04
FILES_AT_ONCE = 1_000  # whose frames are in memory
FEWEST_SAMPLES = 128  # a shorter window has too few bins for so many mel bands
N_MELS = 64
N_MFCC = 20
DELTA_FRAMES = 9


class MFCCStatistics(TransformerMixin, BaseEstimator):
    """Describe each sound file by the mean, the spread and the liveliness of its MFCCs.

    Parameters
    ----------
    n_jobs : int, optional
        Processes that read files; None starts them only where it pays.
    cache : bool
        Keep what was read on disk.

    Attributes
    ----------
    sample_rate_ : int
        The commonest rate of the training files, at most 22,050 Hz; other files are resampled.

    References
    ----------
    Davis & Mermelstein 1980 (MFCC); McFee et al. 2015, "librosa", whose `feature.mfcc` and
    `feature.delta` give the same coefficients.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from cnnkit.adapters.audio.demo import make_demo_sounds
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths, _ = make_demo_sounds(Path(folder) / "sounds", clips_per_class=1)
    ...     MFCCStatistics(cache=False).fit_transform(paths).shape
    (8, 60)
    """

    def __init__(self, *, n_jobs: int | None = None, cache: bool = True) -> None:
        self.n_jobs = n_jobs
        self.cache = cache

    def fit(self, items: Sequence[str], y: ArrayLike | None = None) -> Self:
        """Choose the sample rate from the files' headers.

        Raises
        ------
        BadItemsError
            If a header can't be read.
        """
        rates: Counter[int] = Counter()
        problems = []
        for number, item in enumerate(items):
            try:
                rates[read_header(item).sample_rate] += 1
            except UnreadableSound as error:
                problems.append(Problem(number, shown(item), str(error)))
        if problems:
            raise BadItemsError(problems, len(items))
        self.sample_rate_ = min(rates.most_common(1)[0][0], HIGHEST_RATE_HZ)
        return self

    def transform(self, items: Sequence[str]) -> FloatArray:
        """Read the files and describe each by 60 numbers.

        Returns
        -------
        float64 array [N, 60]
            Mean over time of 20 MFCCs, their standard deviations, and those of their deltas (dB).

        Raises
        ------
        BadItemsError
            If a file can't be read.
        """
        check_is_fitted(self, "sample_rate_")
        log_mel = self._log_mel()
        cache = ItemCache("log-mel", log_mel.parameters()) if self.cache else None
        rows: list[FloatArray] = []
        rejected: list[Problem] = []
        for first in range(0, len(items), FILES_AT_ONCE):
            some = list(items[first : first + FILES_AT_ONCE])
            frames = read_frames(some, log_mel, n_jobs=self.n_jobs, cache=cache)
            rejected += [
                replace(problem, item=first + problem.item)
                for problem in frames.problems
                if problem.rejected
            ]
            bounds = zip(frames.offsets[:-1], frames.offsets[1:], strict=True)
            rows += [self._describe(frames.values[start:stop]) for start, stop in bounds]
        if rejected:
            raise BadItemsError(rejected, len(items))
        return np.array(rows).reshape(len(rows), 3 * N_MFCC)

    def _log_mel(self) -> LogMel:
        n_fft = max(FEWEST_SAMPLES, 2 ** round(np.log2(WINDOW_S * self.sample_rate_)))
        return LogMel(
            sample_rate=self.sample_rate_,
            n_fft=n_fft,
            hop_length=n_fft // 4,
            n_mels=N_MELS,
            fmin_hz=0.0,
            fmax_hz=self.sample_rate_ / 2,
        )

    def _describe(self, level_db: NDArray[np.float32]) -> FloatArray:
        series = mfcc(level_db)
        return np.concatenate([series.mean(0), series.std(0), delta(series).std(0)])


def mfcc(level_db: NDArray[np.float32]) -> FloatArray:
    """Compute the cepstrum of each frame: the cosine transform of its log-mel levels.

    Parameters
    ----------
    level_db : float32 array [frames, n_mels]

    Returns
    -------
    float64 array [frames, 20]
        From the 0th, the loudness, on.

    Examples
    --------
    >>> mfcc(np.full((1, 4), -10, np.float32))  # flat: only the loudness, √4 times the level
    array([[-20.,   0.,   0.,   0.]])
    """
    cepstrum: FloatArray = dct(level_db.astype(np.float64), type=2, norm="ortho", axis=1)
    return cepstrum[:, :N_MFCC]


def delta(series: FloatArray) -> FloatArray:
    """Compute the slope of the straight line through nine frames, around every frame.

    Parameters
    ----------
    series : float64 array [frames, K]
        The first and the last frame are repeated beyond the ends.

    Returns
    -------
    float64 array [frames, K]
        Change per frame.

    Examples
    --------
    >>> delta(np.arange(20.0)[:, None] * 3)[8:11, 0]
    array([3., 3., 3.])
    """
    steps = np.arange(DELTA_FRAMES) - DELTA_FRAMES // 2
    slopes: FloatArray = correlate1d(series, steps / np.sum(steps**2), axis=0, mode="nearest")
    return slopes


def make_baseline(
    task: str = "classification", *, n_jobs: int | None = None, cache: bool = True
) -> Pipeline:
    """Make the baseline: MFCC statistics, standardised, and a support vector machine.

    Parameters
    ----------
    task : {"classification", "regression", "multilabel"}
        In regression the target is standardised too. Multi-label: a machine for each label.
    n_jobs, cache
        As for `MFCCStatistics`.

    Returns
    -------
    Pipeline
        An unfitted scikit-learn estimator over paths of sound files.

    Examples
    --------
    >>> list(make_baseline().named_steps)
    ['mfcc', 'scale', 'svm']
    """
    svm: BaseEstimator = SVC(C=10)
    if task == "regression":
        svm = TransformedTargetRegressor(SVR(C=10), transformer=StandardScaler())
    elif task == "multilabel":
        svm = LabelByLabel(svm)
    statistics = MFCCStatistics(n_jobs=n_jobs, cache=cache)
    return Pipeline([("mfcc", statistics), ("scale", StandardScaler()), ("svm", svm)])
