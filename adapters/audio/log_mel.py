"""Log-mel spectrograms, equal to librosa's and several times as fast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnkit.adapters.audio.files import FULL_SCALE, Samples
from cnnkit.cnncore.image import Float32Array, IntArray

# A new number whenever the same parameters give other values, so that no old cache is used.
VERSION = 1
SMALLEST_POWER = 1e-10
DYNAMIC_RANGE_DB = 80.0
# Bands further below a frame's loudest one are less exact than 0.002 dB in float32.
FLOAT32_RANGE_DB = 72.0
PCEN_INPUT_SCALE = 2.0**31
# A block of frames and its spectra must stay in the processor's cache.
BLOCK_VALUES = 2**18
# Neighbouring bands share few bins, so the product is taken for this many bands at a time.
BANDS_AT_ONCE = 16


@dataclass(frozen=True)
class LogMel:
    """Mel spectrogram in dB (or PCEN) of many clips at once.

    Equal to `librosa.feature.melspectrogram` (centred frames, zero padding, power 2, Slaney's mel
    scale and area normalisation) and `librosa.power_to_db(ref=1.0, amin=1e-10, top_db=80)` within
    0.002 dB: the Fourier transform is taken in float32 here, in float64 there.

    Parameters
    ----------
    sample_rate : int
        Of the clips, in Hz.
    n_fft : int
        Length of the Fourier transform, in samples.
    hop_length : int
        Distance between frames, in samples.
    n_mels : int
        Number of mel bands.
    fmin_hz, fmax_hz : float or None
        Limits of the bands; None means half the sample rate.
    win_length : int or None
        Length of the Hann window, at most and by default `n_fft`.
    pcen : bool
        Per-channel energy normalisation instead of dB: `librosa.pcen(power * 2**31)` with its
        defaults, within 0.1 % of the clip's maximum.

    Raises
    ------
    ValueError
        If a parameter is out of range, or a band holds no bin of the Fourier transform.

    Examples
    --------
    >>> log_mel = LogMel(sample_rate=8000, n_fft=256, hop_length=80, n_mels=40)
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 8000).astype(np.float32)
    >>> frames, = log_mel([tone])
    >>> frames.shape
    (51, 40)
    >>> loudest = frames[25].argmax()
    >>> low_hz, high_hz = log_mel.band_limits_hz()[loudest]
    >>> bool(low_hz < 1000 < high_hz)
    True

    References
    ----------
    McFee et al., "librosa: Audio and Music Signal Analysis in Python", SciPy 2015.
    Wang et al., "Trainable Frontend For Robust and Far-Field Keyword Spotting", ICASSP 2017 (PCEN).
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    fmin_hz: float = 0.0
    fmax_hz: float | None = None
    win_length: int | None = None
    pcen: bool = False

    def __post_init__(self) -> None:
        for name, least in (("sample_rate", 1), ("n_fft", 2), ("hop_length", 1), ("n_mels", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: expected at least {least}")
        if not 1 <= self._window_length <= self.n_fft:
            raise ValueError(f"win_length={self.win_length}: expected 1 to n_fft ({self.n_fft})")
        if not 0 <= self.fmin_hz < self._highest_hz <= self.sample_rate / 2:
            raise ValueError(
                f"fmin_hz={self.fmin_hz:g}, fmax_hz={self._highest_hz:g}: expected "
                f"0 <= fmin_hz < fmax_hz <= {self.sample_rate / 2:g} (half the sample rate)"
            )
        bins = 1 + self.n_fft // 2
        if self.n_mels > 8 * bins:  # to look for a number that fits would take very long
            raise ValueError(
                f"n_mels={self.n_mels}: each band needs a bin of the Fourier transform, which has "
                f"{bins} (n_fft={self.n_fft}); take fewer bands or a larger n_fft"
            )
        weights = self._weights(self.n_mels)
        if _count_empty(weights):
            fitting = (
                n for n in range(self.n_mels - 1, 0, -1) if not _count_empty(self._weights(n))
            )
            raise ValueError(
                f"n_mels={self.n_mels}: {_count_empty(weights)} bands hold no bin of the Fourier "
                f"transform (n_fft={self.n_fft}, {self.sample_rate / self.n_fft:.4g} Hz apart); "
                f"take n_mels={next(fitting, 0)} or a larger n_fft"
            )

    @torch.inference_mode()
    def __call__(self, signals: Sequence[Samples]) -> list[Float32Array]:
        """Compute the spectrogram of each clip.

        Parameters
        ----------
        signals : sequence of float32 or int16 arrays [n]
            Mono clips of at least one sample at `sample_rate`, of any lengths. Full scale is ±1,
            or ±2**15 for integers.

        Returns
        -------
        list of float32 arrays [T, n_mels]
            Frame t is centred at sample `t * hop_length`; T = 1 + n // hop_length (for an even
            n_fft). In dB, within 80 dB of the clip's maximum; or PCEN.
        """
        if not len(signals):
            return []
        track, first = self._lay_out(signals)
        last = first + np.array([self.count_frames(len(signal)) for signal in signals])
        power = self._mel_power(track)
        if not self.pcen:
            self._to_decibels(power, track, first, last)
        values: Float32Array = power.numpy()
        # Rows between the clips are computed too, and left out here.
        clips = [values[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
        if not self.pcen:
            return clips
        return [_pcen(clip, self.sample_rate / self.hop_length) for clip in clips]

    def count_frames(self, samples: int) -> int:
        """Return the number of frames of a clip of this many samples."""
        return 1 + (samples - self.n_fft % 2) // self.hop_length

    def band_limits_hz(self) -> NDArray[np.float64]:
        """Return where each band begins and ends, [n_mels, 2] in Hz; neighbours overlap by half."""
        edges = mel_edges_hz(self.n_mels, self.fmin_hz, self._highest_hz)
        return np.stack([edges[:-2], edges[2:]], axis=1)

    def parameters(self) -> dict[str, Any]:
        """Return everything that the values depend on, as JSON values, for the key of a cache."""
        return {**asdict(self), "version": VERSION}

    @property
    def _highest_hz(self) -> float:
        return self.sample_rate / 2 if self.fmax_hz is None else self.fmax_hz

    @property
    def _window_length(self) -> int:
        return self.n_fft if self.win_length is None else self.win_length

    def _weights(self, n_mels: int) -> Float32Array:
        limits = self.fmin_hz, self._highest_hz
        return mel_filter_bank(self.sample_rate, self.n_fft, n_mels, *limits)

    def _lay_out(self, signals: Sequence[Samples]) -> tuple[Tensor, IntArray]:
        """Put all clips on one track of samples, so that their frames are cut out together.

        Full scale is 2**15 on the track, since integers are copied faster than fractions are made.
        Each clip's first frame begins at a multiple of the hop, its first row. Between the clips
        stand the zeros that `center=True` pads them with. The track holds whole blocks of rows.
        """
        half, hop = self.n_fft // 2, self.hop_length
        lengths = np.array([len(signal) for signal in signals])
        ends = np.cumsum(-(-(half + lengths) // hop))
        first = np.concatenate([[0], ends[:-1]])
        rows = int(ends[-1]) + int(-ends[-1] % _block_rows(self.n_fft))
        track = np.zeros(rows * hop + self.n_fft, dtype=np.float32)
        for start, signal in zip((first * hop + half).tolist(), signals, strict=True):
            place = track[start : start + len(signal)]
            place[:] = signal
            if signal.dtype.kind == "f":
                place *= FULL_SCALE
        return torch.from_numpy(track), first

    def _mel_power(self, track: Tensor) -> Tensor:
        """Return the power in each band of the frame at each hop, float32 [rows, n_mels]."""
        window = _window(self.n_fft, self._window_length).float()
        block, hop = _block_rows(self.n_fft), self.hop_length
        frames = torch.empty(block, self.n_fft)
        power = torch.empty((len(track) - self.n_fft) // hop, self.n_mels)
        # Blocks are always whole: a clip's values must not depend on the clips beside it.
        for row in range(0, len(power), block):
            torch.mul(track.as_strided(frames.shape, (hop, 1), row * hop), window, out=frames)
            torch.cat(self._band_powers(frames), dim=1, out=power[row : row + block])
        return power

    def _exact_mel_power(self, frames: Tensor) -> Tensor:
        """Return the power in each band of some frames, with a Fourier transform in float64."""
        window = _window(self.n_fft, self._window_length)
        return torch.cat(self._band_powers(frames * window), dim=1)

    def _band_powers(self, frames: Tensor) -> list[Tensor]:
        """Return the power of windowed frames in each group of bands, float32 [rows, bands]."""
        squares = torch.view_as_real(torch.fft.rfft(frames)).square_().numpy()
        # Real and imaginary parts take turns; numpy adds such values faster than torch.
        spectra = torch.from_numpy(squares[..., 0] + squares[..., 1]).float()
        limits = self.fmin_hz, self._highest_hz
        bank = _banded_filters(self.sample_rate, self.n_fft, self.n_mels, *limits)
        return [spectra[:, used] @ weights for used, weights in bank]

    def _to_decibels(self, power: Tensor, track: Tensor, first: IntArray, last: IntArray) -> None:
        """Turn power [rows, n_mels] into dB, in place, down to 80 dB below each clip's maximum.

        Beside a loud band, the rounding errors of float32 show in a very quiet one. Frames with
        such bands, a few percent, are transformed again in float64.
        """
        _decibels(power)
        low, top = power.amin(1).numpy(), power.amax(1).numpy()
        # Every other range is a clip; the others are the rows between clips, which may be louder.
        ranges = np.stack([first, last], axis=1).ravel()
        peak = np.maximum.reduceat(top[: last[-1] + 1], ranges)[::2]
        rows = np.diff(first, append=len(power))
        floor = np.repeat(peak - DYNAMIC_RANGE_DB, rows)
        limit = top - FLOAT32_RANGE_DB
        deep = np.flatnonzero(limit > np.maximum(low, floor))
        deep = deep[deep < np.repeat(last, rows)[deep]]
        values = power.numpy()[deep]
        quiet = (values < limit[deep, None]) & (values > floor[deep, None])
        deep = deep[quiet.any(axis=1)]
        frames = track.as_strided((len(power), self.n_fft), (self.hop_length, 1))
        for start in range(0, len(deep), _block_rows(self.n_fft)):
            some = torch.from_numpy(deep[start : start + _block_rows(self.n_fft)])
            power[some] = _decibels(self._exact_mel_power(frames[some]))
        torch.maximum(power, torch.from_numpy(floor)[:, None], out=power)


def mel_filter_bank(
    sample_rate: int, n_fft: int, n_mels: int, fmin_hz: float, fmax_hz: float
) -> Float32Array:
    """Return the weight of each Fourier bin in each mel band: triangles of equal area.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_fft, n_mels : int
    fmin_hz, fmax_hz : float
        Where the first band begins and the last one ends.

    Returns
    -------
    float32 array [n_mels, 1 + n_fft // 2]
        Equal to `librosa.filters.mel`.

    Examples
    --------
    >>> mel_filter_bank(8000, 256, 40, 0.0, 4000.0).shape
    (40, 129)

    References
    ----------
    Slaney, "Auditory Toolbox", Technical Report 1998-010, Interval Research, 1998.
    """
    bins_hz = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    edges_hz = mel_edges_hz(n_mels, fmin_hz, fmax_hz)
    widths = np.diff(edges_hz)
    distances = bins_hz - edges_hz[:, None]
    rising = distances[:-2] / widths[:-1, None]
    falling = -distances[2:] / widths[1:, None]
    area = (edges_hz[2:] - edges_hz[:-2])[:, None] / 2
    weights: Float32Array = (np.minimum(rising, falling).clip(min=0) / area).astype(np.float32)
    return weights


def mel_edges_hz(n_mels: int, fmin_hz: float, fmax_hz: float) -> NDArray[np.float64]:
    """Return `n_mels` + 2 frequencies at equal distances on Slaney's mel scale.

    Band i begins at edge i, is centred at edge i + 1 and ends at edge i + 2. The scale is linear
    up to 1 kHz (3 mel per 200 Hz) and logarithmic above (27 mel per factor of 6.4).

    Examples
    --------
    >>> mel_edges_hz(4, 0.0, 1000.0).tolist()
    [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]
    """
    hz_per_mel, log_step, corner_mel = 200 / 3, math.log(6.4) / 27, 15.0

    def to_mel(hz: float) -> float:
        if hz < 1000:
            return hz / hz_per_mel
        return corner_mel + math.log(hz / 1000) / log_step

    mel = np.linspace(to_mel(fmin_hz), to_mel(fmax_hz), n_mels + 2)
    above = 1000 * np.exp(log_step * (mel - corner_mel))
    return np.where(mel < corner_mel, mel * hz_per_mel, above)


def _decibels(power: Tensor) -> Tensor:
    """Turn power into dB, in place."""
    values = power.clamp_(min=SMALLEST_POWER).numpy()
    np.log10(values, out=values)  # four times as fast as torch's
    return power.mul_(10)


def _count_empty(weights: Float32Array) -> int:
    return int((weights.max(axis=1) == 0).sum())


def _block_rows(n_fft: int) -> int:
    return int(np.clip(BLOCK_VALUES // n_fft, 16, 1024))


@lru_cache(maxsize=32)
def _window(n_fft: int, win_length: int) -> Tensor:
    """Return a Hann window with zeros on both sides, for full scale on the track; float64."""
    before = (n_fft - win_length) // 2
    window = torch.zeros(n_fft, dtype=torch.float64)
    window[before : before + win_length] = torch.hann_window(win_length, dtype=torch.float64)
    return window / FULL_SCALE


@lru_cache(maxsize=32)
def _banded_filters(
    sample_rate: int, n_fft: int, n_mels: int, fmin_hz: float, fmax_hz: float
) -> list[tuple[slice, Tensor]]:
    """Return the filter bank in groups of bands: the bins in them, weights [bins, bands]."""
    bank = mel_filter_bank(sample_rate, n_fft, n_mels, fmin_hz, fmax_hz)
    groups = []
    for start in range(0, n_mels, BANDS_AT_ONCE):
        group = bank[start : start + BANDS_AT_ONCE]
        used = np.flatnonzero(group.any(axis=0))
        bins = slice(int(used[0]), int(used[-1]) + 1)
        groups.append((bins, torch.from_numpy(np.ascontiguousarray(group[:, bins].T))))
    return groups


def _pcen(power: Float32Array, frames_per_s: float) -> Float32Array:
    """Divide each band by its own slow average and compress it; float32 [T, n_mels].

    The constants are librosa's: gain 0.98, bias 2, exponent 0.5, time constant 0.4 s, epsilon 1e-6.
    """
    from scipy import signal  # slow to import, and few need it

    gain, bias, exponent, epsilon = 0.98, 2.0, 0.5, 1e-6
    span = 0.4 * frames_per_s
    update = (np.sqrt(1 + 4 * span**2) - 1) / (2 * span**2)
    energy = power.astype(np.float64) * PCEN_INPUT_SCALE
    # librosa starts from an average of 1, whatever the clip's first frame holds.
    state = np.full((1, energy.shape[1]), 1 - update)
    average, _ = signal.lfilter([update], [1, update - 1], energy, axis=0, zi=state)
    ratio = energy * np.exp(-gain * (np.log(epsilon) + np.log1p(average / epsilon)))
    compressed: Float32Array = (
        bias**exponent * np.expm1(exponent * np.log1p(ratio / bias))
    ).astype(np.float32)
    return compressed
