from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import joblib
import librosa
import numpy as np
import pytest
import soundfile
from scipy.ndimage import gaussian_filter1d
from sklearn.model_selection import cross_val_predict
from sklearn.svm import SVR

from cnnkit.adapters.audio.baseline import MFCCStatistics, delta, make_baseline, mfcc
from cnnkit.adapters.audio.demo import SOUNDS, make_demo_sounds
from cnnkit.adapters.base import BadItemsError

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write one second of random, smoothed noise and return its path."""

    def write(name: str, seed: int = 0, sample_rate: int = 16_000, gain: float = 0.1) -> str:
        noise = np.random.default_rng(seed).standard_normal(sample_rate)
        soundfile.write(tmp_path / name, gain * gaussian_filter1d(noise, 1 + seed), sample_rate)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("frames", [1, 5, 9, 40])
def test_mfcc_and_delta_are_those_of_librosa(frames: int) -> None:
    level_db = np.random.default_rng(0).uniform(-80, 0, (frames, 64)).astype(np.float32)
    expected = librosa.feature.mfcc(S=level_db.T.astype(np.float64), n_mfcc=20)
    np.testing.assert_allclose(mfcc(level_db), expected.T, rtol=0, atol=1e-10)
    slopes = librosa.feature.delta(expected, mode="nearest")
    np.testing.assert_allclose(delta(expected.T), slopes.T, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("rate", "n_fft"), [(2_000, 128), (8_000, 256), (16_000, 512)])
def test_the_statistics_are_those_of_librosas_mfccs_of_the_file(
    write: Write, rate: int, n_fft: int
) -> None:
    path = write("noise.wav", seed=1, sample_rate=rate)
    signal, _ = soundfile.read(path)
    power = librosa.feature.melspectrogram(
        y=signal, sr=rate, n_fft=n_fft, hop_length=n_fft // 4, n_mels=64
    )
    series = librosa.feature.mfcc(S=librosa.power_to_db(power), n_mfcc=20)
    slopes = librosa.feature.delta(series, mode="nearest")
    expected = np.concatenate([series.mean(1), series.std(1), slopes.std(1)])
    found = MFCCStatistics(cache=False).fit_transform([path])
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected[None], rtol=0, atol=0.01)


def test_the_commonest_rate_up_to_22050_hz_is_used(write: Write) -> None:
    slow = [write(f"slow{seed}.wav", seed, 8_000) for seed in range(2)]
    fast = [write(f"fast{seed}.wav", seed, 44_100) for seed in range(3)]
    assert MFCCStatistics().fit([*slow, *fast[:1]]).sample_rate_ == 8_000
    assert MFCCStatistics().fit([*slow, *fast]).sample_rate_ == 22_050


@pytest.mark.parametrize("rate", [500, 1_000, 4_000, 11_025, 12_000, 32_000, 48_000, 192_000])
def test_every_usual_rate_has_enough_bins_for_the_mel_bands(write: Write, rate: int) -> None:
    found = MFCCStatistics(cache=False).fit_transform([write("noise.wav", sample_rate=rate)])
    assert np.isfinite(found).all()
    assert np.ptp(found[0, 20:40]) > 0


def test_a_row_does_not_depend_on_the_other_files_or_the_number_of_jobs(write: Write) -> None:
    paths = [write(f"{seed}.wav", seed, gain=0.05 * (seed + 1)) for seed in range(4)]
    statistics = MFCCStatistics(cache=False).fit(paths)
    together = statistics.transform(paths)
    alone = np.concatenate([statistics.transform([path]) for path in paths])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[::-1], statistics.transform(paths[::-1]))
    with joblib.parallel_config("threading"):
        statistics.set_params(n_jobs=2)
        np.testing.assert_array_equal(together, statistics.transform(paths))


def test_the_cache_changes_no_value(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("cnnkit.adapters.audio.reading.WORTH_CACHING_S", 0.0)
    path = write("noise.wav")
    without = MFCCStatistics(cache=False).fit_transform([path])
    assert not (tmp_path / "cache").exists()
    for _ in range(2):
        np.testing.assert_array_equal(MFCCStatistics().fit_transform([path]), without)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 1


def test_all_unreadable_files_are_named_in_one_error(write: Write, tmp_path: Path) -> None:
    good = write("good.wav")
    (tmp_path / "bad.wav").write_text("<html>not found")
    items = [good, str(tmp_path / "bad.wav"), good, str(tmp_path / "absent.wav")]
    statistics = MFCCStatistics(cache=False)
    for call in (statistics.fit, statistics.fit([good]).transform):
        with pytest.raises(BadItemsError, match="2 of 4 items") as caught:
            call(items)
        assert [problem.item for problem in caught.value.problems] == [1, 3]
        assert "HTML" in str(caught.value)


def test_a_regression_is_an_svr_on_the_standardised_target(write: Write) -> None:
    paths = [write(f"{i}.wav", seed=i % 4, gain=0.02 * (i + 1)) for i in range(12)]
    target = 1e6 + 1e5 * np.arange(12.0) ** 1.5
    predicted = make_baseline("regression", cache=False).fit(paths[:8], target[:8]).predict(paths)
    columns = MFCCStatistics(cache=False).fit_transform(paths)
    columns = (columns - columns[:8].mean(0)) / columns[:8].std(0)
    centre, scale = target[:8].mean(), target[:8].std()
    by_hand = SVR(C=10).fit(columns[:8], (target[:8] - centre) / scale).predict(columns)
    np.testing.assert_allclose(predicted, centre + scale * by_hand, rtol=1e-6)


def test_the_demo_is_learnable_but_averages_over_time_cannot_tell_the_sirens_apart(
    tmp_path: Path,
) -> None:
    paths, labels = make_demo_sounds(tmp_path / "sounds", clips_per_class=30)
    model = make_baseline(cache=False)
    statistics = model[0].fit_transform(paths)
    y = np.array(labels)
    predicted = cross_val_predict(model[1:], statistics, y, cv=5)
    right = {label: np.mean(predicted[y == label] == label) for label in SOUNDS}
    assert 0.55 < np.mean(list(right.values())) < 0.85
    assert right["rising_siren"] + right["falling_siren"] < 2 * 0.75
    assert right["engine"] > 0.7
