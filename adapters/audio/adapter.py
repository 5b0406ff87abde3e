"""Sound files as log-mel images: rows are frequency bands, columns are time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from cnnkit.adapters.audio.baseline import BASELINE_NAME, make_baseline
from cnnkit.adapters.audio.demo import make_demo_sounds
from cnnkit.adapters.audio.levels import floors_db, loudest_window
from cnnkit.adapters.audio.log_mel import LogMel
from cnnkit.adapters.audio.presets import (
    FEW_CLIPS,
    PRESETS,
    check_parameters,
    choose_preset,
    frame_clips,
    survey,
)
from cnnkit.adapters.audio.reading import fingerprints, read_frames
from cnnkit.adapters.audio.renderer import AudioRenderer, Drawing
from cnnkit.adapters.base import Adapter
from cnnkit.adapters.cache import ItemCache, cache_folder
from cnnkit.cnncore.image import Axis, Float32Array, ImageSpec, IntArray, Samples, join

SMALLEST_SCALE = 1e-3


class AudioAdapter(Adapter):
    """Turn sound files into log-mel images, with levels relative to each clip's own.

    Every parameter that is left at None is chosen by `fit` from the training files' rates and
    lengths; `decided_` says what was chosen.

    ======= ============== ====================================================================
    channel name           pixel
    ======= ============== ====================================================================
    0       log-mel        power in a mel band, in dB: 1 at the clip's maximum, or 0.75 at its mean
                           (`level`), falling by 1 over `dynamic_range_db`; 0 below that and outside
                           the clip; then standardised by the training clips' mean and scale
    ======= ============== ====================================================================

    Parameters
    ----------
    preset : {"auto", "speech", "environment", "environment-strong"}
        Starting point for all that follows; "auto" takes one of the first two by the clips'
        lengths.
    sample_rate : int, optional
        Every file is resampled to this rate (Hz). Default: the commonest rate among the training
        files, at most the preset's.
    n_fft, hop_length : int, optional
        Window and step of the Fourier transform, in samples.
    n_mels : int, optional
        Number of mel bands: rows of the image.
    fmin_hz, fmax_hz : float, optional
        Limits of the bands. Default: 0 and half the sample rate.
    frames : int, optional
        Columns of the image; longer clips are cropped, shorter ones padded.
    dynamic_range_db : float, optional
        Decibels from silence to full level.
    level : {"peak", "mean"}, optional
        What a clip's levels are relative to: its loudest pixel, or its mean power.
    standardise : {"all", "band"}, optional
        One mean and scale for all pixels, or one for each band.
    speeds : sequence of float, optional
        Copies of the training clips are read as if played at these speeds (which moves their pitch
        too). Default: the preset's, for up to 4,000 training clips.
    pcen : bool
        Per-channel energy normalisation instead of decibels.
    shift : {"roll", "slide", "none"}, optional
        Random move along time in training: round and round (sounds without beginning or end),
        or past the edges.
    filter_gain_db : float
        Standard deviation of a random smooth gain over the bands in training; 0 = off.
    noise_floor : bool
        Lift the quietest pixels to a random background level in training.
    masks : float
        Widest random stripe of bands and of frames that is blanked in training, as a share of
        the image (SpecAugment); 0 = off.
    views : int, optional
        Shifted copies of a clip whose votes are averaged at test time.
    n_jobs : int, optional
        Processes that read files; None starts them only where it pays.
    cache : bool
        Keep what was read on disk, keyed by the file's content and every parameter that matters.

    Attributes
    ----------
    decided_ : list of str
        What `fit` chose and why, for people.

    References
    ----------
    Stevens, Volkmann & Newman 1937 (mel scale); McFee et al. 2015, "librosa" (the exact formula of
    the log-mel values); Wang et al. 2017 (PCEN); Park et al. 2019 (SpecAugment).

    Examples
    --------
    >>> adapter = AudioAdapter(n_mels=32)
    >>> paths, labels = adapter.demo()
    >>> adapter.fit(paths[:20]).transform(paths[:3]).shape[:3]
    (3, 1, 32)
    """

    name = "audio"
    baseline_name = BASELINE_NAME
    item_columns = ("path", "file", "filename", "file_name", "audio", "wav", "clip", "sound")
    items_are_files = True

    def __init__(
        self,
        *,
        preset: str = "auto",
        sample_rate: int | None = None,
        n_fft: int | None = None,
        hop_length: int | None = None,
        n_mels: int | None = None,
        fmin_hz: float = 0.0,
        fmax_hz: float | None = None,
        frames: int | None = None,
        dynamic_range_db: float | None = None,
        level: str | None = None,
        standardise: str | None = None,
        speeds: Sequence[float] | None = None,
        pcen: bool = False,
        shift: str | None = None,
        filter_gain_db: float = 0.0,
        noise_floor: bool = False,
        masks: float = 0.0,
        views: int | None = None,
        n_jobs: int | None = None,
        cache: bool = True,
    ) -> None:
        self.preset = preset
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin_hz = fmin_hz
        self.fmax_hz = fmax_hz
        self.frames = frames
        self.dynamic_range_db = dynamic_range_db
        self.level = level
        self.standardise = standardise
        self.speeds = speeds
        self.pcen = pcen
        self.shift = shift
        self.filter_gain_db = filter_gain_db
        self.noise_floor = noise_floor
        self.masks = masks
        self.views = views
        self.n_jobs = n_jobs
        self.cache = cache

    def fit_reading(self, items: Sequence[str], y: ArrayLike | None = None) -> Self:
        """Choose rate, window, hop, bands and image size from the headers of the files.

        Raises
        ------
        ValueError
            If no file has a readable header, or a parameter is wrong.
        """
        check_parameters(self.get_params())
        rates, lengths_s = survey(items)
        self.preset_ = choose_preset(self.preset, lengths_s)
        preset = PRESETS[self.preset_]
        given = {
            name: getattr(self, name)
            for name in ("sample_rate", "n_fft", "hop_length", "n_mels", "frames")
        }
        framing = frame_clips(preset, rates.most_common(1)[0][0], lengths_s, given)
        self.sample_rate_ = framing.sample_rate
        self.n_fft_ = framing.n_fft
        self.hop_length_ = framing.hop_length
        self.n_mels_ = framing.n_mels
        self.frames_ = framing.frames
        self.fmax_hz_ = self.fmax_hz or framing.sample_rate / 2
        self.dynamic_range_db_ = self.dynamic_range_db or preset.dynamic_range_db
        self.shift_ = self.shift or preset.shift
        self.level_ = self.level or preset.level
        self.standardise_ = self.standardise or preset.standardise
        preset_speeds = preset.speeds if len(items) <= FEW_CLIPS else ()
        self.speeds_ = list(preset_speeds if self.speeds is None else self.speeds)
        self.views_ = self.views or preset.views
        self.recipe_ = preset.recipe
        self.spec_ = ImageSpec(
            channels=("pcen" if self.pcen else "log-mel",),
            height=Axis("mel band", "Hz", pixels=self.n_mels_),
            width=Axis("time", "s", self.hop_length_ / self.sample_rate_, self.frames_),
        )
        self.decided_ = self._explain(rates, lengths_s)
        self._log_mel()  # refuses impossible bands now, not file by file
        return self

    def read(self, items: Sequence[str]) -> Samples:
        """Decode the files and compute their log-mel frames, in parallel where it pays."""
        return self._read_at(items, speed=1.0)

    def read_training(self, items: Sequence[str]) -> Samples:
        """Read the files, then copies of them at other speeds."""
        original = self.read(items)
        return join([original, *(self._read_at(items, speed) for speed in self.speeds_)])

    def _read_at(self, items: Sequence[str], speed: float) -> Samples:
        check_is_fitted(self, "spec_")
        log_mel = self._log_mel()
        key = {**log_mel.parameters(), "speed": speed}
        frames = read_frames(
            list(items),  # a pandas column is not numbered from 0
            log_mel,
            speed=speed,
            n_jobs=self.n_jobs,
            cache=ItemCache("log-mel", key) if self.cache else None,
        )
        return Samples(
            values=frames.values,
            offsets=frames.offsets,
            items=frames.items,
            summary=self._summarise(frames.values, frames.offsets),
            problems=frames.problems,
        )

    def fit_rendering(self, samples: Samples) -> Self:
        """Learn the mean and the scale of the training clips' pixels."""
        bands = self.n_mels_ if self.standardise_ == "band" else 1
        self.mean_, self.scale_ = np.zeros(bands, np.float32), np.ones(bands, np.float32)
        count, total, squares = 0, np.zeros(self.n_mels_), np.zeros(self.n_mels_)
        for pixels in self.draw(samples):
            count += len(pixels) * self.frames_
            total += pixels.sum(dim=(0, 1, 3), dtype=torch.float64).numpy()
            squares += pixels.double().square().sum(dim=(0, 1, 3)).numpy()
        if count:
            mean = (total / count).reshape(bands, -1).mean(axis=1)
            variance = (squares / count).reshape(bands, -1).mean(axis=1) - mean**2
            self.mean_ = mean.astype(np.float32)
            # A band that is always silent has no scale.
            self.scale_ = np.sqrt(np.maximum(variance, SMALLEST_SCALE**2)).astype(np.float32)
        return self

    def renderer(self) -> AudioRenderer:
        """Make the module that draws clips of log-mel frames as images."""
        check_is_fitted(self, "mean_")
        return AudioRenderer(
            Drawing(
                frames=self.frames_,
                range_db=1.0 if self.pcen else self.dynamic_range_db_,
                cyclic=self.shift_ == "roll",
                shift_frames=0 if self.shift_ == "none" else self.frames_ // 8,
                filter_gain_db=self.filter_gain_db,
                noise_floor=self.noise_floor,
                masks=self.masks,
                views=self.views_,
                mean=self.mean_,
                scale=self.scale_,
            )
        )

    def locate(self, item: str, row: int, column: int) -> dict[str, float]:
        """Say which seconds and frequencies of a file a pixel shows.

        Returns
        -------
        dict
            `start_s`, `end_s`: the hop that the column stands for, from the start of the file;
            below 0 or past the end where the image is padded. `low_hz`, `high_hz`: the band,
            which overlaps with its neighbours.

        Raises
        ------
        BadItemsError
            If the file can't be read.
        IndexError
            If the image has no such pixel.
        """
        if not (0 <= row < self.n_mels_ and 0 <= column < self.frames_):
            raise IndexError(
                f"pixel ({row}, {column}): the image has {self.n_mels_} rows "
                f"and {self.frames_} columns"
            )
        start_s, end_s = self._column_edges_s(item)[column : column + 2]
        low_hz, high_hz = self._log_mel().band_limits_hz()[row]
        return {
            "start_s": float(start_s),
            "end_s": float(end_s),
            "low_hz": float(low_hz),
            "high_hz": float(high_hz),
        }

    def edge_labels(self, item: str, axis: int, places: Sequence[int]) -> list[str]:
        """Name rows by the middle of their band in Hz, columns by their time in s."""
        if axis == 0:
            return [f"{self._log_mel().band_limits_hz()[row].mean():.0f}" for row in places]
        edges_s = self._column_edges_s(item)
        return [f"{edges_s[column]:.2f}" for column in places]

    def fingerprints(self, items: Sequence[str]) -> list[str]:
        """Digest each file's bytes."""
        return fingerprints(items)

    def baseline(self, task: str = "classification") -> BaseEstimator:
        """Make the MFCC statistics + SVM that a user would try first."""
        return make_baseline(task, n_jobs=self.n_jobs, cache=self.cache)

    def demo(self) -> tuple[list[str], list[str]]:
        """Synthesise a set of everyday sounds in the cache folder, or find it there."""
        return make_demo_sounds(cache_folder() / "demo-audio")

    def _log_mel(self) -> LogMel:
        return LogMel(
            sample_rate=self.sample_rate_,
            n_fft=self.n_fft_,
            hop_length=self.hop_length_,
            n_mels=self.n_mels_,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz_,
            pcen=self.pcen,
        )

    def _column_edges_s(self, item: str) -> NDArray[np.float64]:
        """Return where each column begins, and the last one ends, in the file [frames + 1]."""
        first, _ = self.renderer().place(self.read_all([item]).to("cpu"))
        # Frame i is centred at i * hop_length.
        steps = int(first) + np.arange(self.frames_ + 1) - 0.5
        return steps * self.hop_length_ / self.sample_rate_

    def _summarise(self, values: Float32Array, offsets: IntArray) -> Float32Array:
        """Return each clip's floor and the first frame of its image, float32 [N, 2]."""
        lengths = np.diff(offsets)
        first = (lengths - self.frames_) // 2  # negative: padded on both sides
        if not len(lengths):
            return np.zeros((0, 2), dtype=np.float32)
        if self.pcen:
            floor = np.zeros(len(lengths))
        else:
            floor = floors_db(values, offsets, self.level_, self.dynamic_range_db_)
        if self.shift_ != "roll":
            for clip in np.flatnonzero(lengths > self.frames_):
                above = values[offsets[clip] : offsets[clip + 1]] - floor[clip]
                first[clip] = loudest_window(above, self.frames_)
        return np.column_stack([floor, first]).astype(np.float32)

    def _explain(self, rates: Counter[int], lengths_s: list[float]) -> list[str]:
        low, middle, high = np.quantile(lengths_s, [0, 0.5, 1])
        found = ", ".join(f"{count:,} × {rate:,} Hz" for rate, count in rates.most_common(4))
        hop_ms = 1000 * self.hop_length_ / self.sample_rate_
        window_ms = 1000 * self.n_fft_ / self.sample_rate_
        resampled = sum(count for rate, count in rates.items() if rate != self.sample_rate_)
        return [
            f"clips: {low:.2f} to {high:.2f} s, half of them under {middle:.2f} s; {found}",
            f"preset: {self.preset_}"
            + ("" if self.preset != "auto" else " (by the clips' length; --set preset=…)"),
            f"rate: {self.sample_rate_:,} Hz"
            + (f" ({resampled:,} training files are resampled)" if resampled else ""),
            f"image: {self.n_mels_} mel bands {self.fmin_hz:g} to {self.fmax_hz_:g} Hz × "
            f"{self.frames_} frames of {hop_ms:.1f} ms = "
            f"{self.frames_ * hop_ms / 1000:.2f} s (window {window_ms:.0f} ms, "
            f"n_fft {self.n_fft_}, hop_length {self.hop_length_})",
            *self._explain_speeds(),
        ]

    def _explain_speeds(self) -> list[str]:
        if not self.speeds_:
            return []
        shown = ", ".join(f"{speed:g}" for speed in self.speeds_)
        return [f"speeds: training clips also played at {shown} times their speed"]
