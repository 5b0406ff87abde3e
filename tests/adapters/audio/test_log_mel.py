"""Log-mel spectrograms against librosa."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import librosa
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cnnkit.adapters.audio.log_mel import LogMel, mel_filter_bank

PARAMETERS = [
    {"sample_rate": 8_000, "n_fft": 256, "hop_length": 80, "n_mels": 64},
    {"sample_rate": 22_050, "n_fft": 1024, "hop_length": 512, "n_mels": 64, "fmin_hz": 50.0},
    {"sample_rate": 44_100, "n_fft": 2048, "hop_length": 512, "n_mels": 128},
    {"sample_rate": 16_000, "n_fft": 512, "hop_length": 160, "n_mels": 40, "win_length": 400},
    {"sample_rate": 16_000, "n_fft": 401, "hop_length": 160, "n_mels": 20, "fmax_hz": 7600.0},
    {"sample_rate": 8_000, "n_fft": 128, "hop_length": 200, "n_mels": 17},
]


def clips(seed: int) -> list[NDArray[np.float32]]:
    """Noise, fading tones and clicks of all lengths and levels, of a few samples too."""
    random = np.random.default_rng(seed)
    lengths = [1, 2, 50, 300, *random.integers(500, 9_000, 5)]
    made = [random.normal(0, 10 ** random.uniform(-4, 1), length) for length in lengths]
    steps = np.arange(6_000)
    made.append(np.sin(random.uniform(0.1, 3) * steps) * np.exp(-steps / 1_000))
    made.append(np.sin(0.3 * steps) + random.normal(0, 1e-3, 6_000))
    made.append((steps % 1_000 == 0).astype(float))
    return [made[place].astype(np.float32) for place in random.permutation(len(made))]


def mel_power(clip: NDArray[np.float32], log_mel: LogMel) -> NDArray[np.float32]:
    power: NDArray[np.float32] = librosa.feature.melspectrogram(
        y=clip,
        sr=log_mel.sample_rate,
        n_fft=log_mel.n_fft,
        hop_length=log_mel.hop_length,
        win_length=log_mel.win_length,
        n_mels=log_mel.n_mels,
        fmin=log_mel.fmin_hz,
        fmax=log_mel.fmax_hz,
        pad_mode="constant",
    )
    return power


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal")
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_values_equal_librosas_for_mixed_lengths_and_repeated_calls(
    parameters: dict[str, float],
) -> None:
    log_mel = LogMel(**parameters)  # type: ignore[arg-type] # a dict has one type of value
    for call in range(3):
        signals = clips(call)
        for signal, frames in zip(signals, log_mel(signals), strict=True):
            expected = librosa.power_to_db(mel_power(signal, log_mel), ref=1.0, top_db=80).T
            assert frames.dtype == np.float32
            assert frames.shape == (log_mel.count_frames(len(signal)), log_mel.n_mels)
            np.testing.assert_allclose(frames, expected, rtol=0, atol=0.002)


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal")
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_pcen_equals_librosas(parameters: dict[str, float]) -> None:
    log_mel = LogMel(**parameters, pcen=True)  # type: ignore[arg-type] # as above
    for call in range(2):
        signals = clips(call)
        for signal, frames in zip(signals, log_mel(signals), strict=True):
            expected = librosa.pcen(
                mel_power(signal, log_mel) * 2**31,
                sr=log_mel.sample_rate,
                hop_length=log_mel.hop_length,
            ).T
            assert frames.dtype == np.float32
            np.testing.assert_allclose(frames, expected, rtol=0, atol=1e-3 * expected.max())


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_the_filter_bank_equals_librosas(parameters: dict[str, float]) -> None:
    log_mel = LogMel(**parameters)  # type: ignore[arg-type] # as above
    fmax_hz = log_mel.fmax_hz or log_mel.sample_rate / 2
    ours = mel_filter_bank(
        log_mel.sample_rate, log_mel.n_fft, log_mel.n_mels, log_mel.fmin_hz, fmax_hz
    )
    theirs = librosa.filters.mel(
        sr=log_mel.sample_rate,
        n_fft=log_mel.n_fft,
        n_mels=log_mel.n_mels,
        fmin=log_mel.fmin_hz,
        fmax=fmax_hz,
    )
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6 * theirs.max())


def test_a_clips_values_do_not_depend_on_the_clips_beside_it() -> None:
    log_mel = LogMel(8_000, 256, 80, 40)
    signals = clips(7)
    together = log_mel(signals)
    for signal, frames in zip(signals, together, strict=True):
        np.testing.assert_allclose(log_mel([signal])[0], frames, rtol=0, atol=1e-4)


def test_clips_are_not_changed_and_results_are_not_overwritten_by_the_next_call() -> None:
    log_mel = LogMel(8_000, 256, 80, 40)
    signals = clips(1)
    before = [signal.copy() for signal in signals]
    frames = log_mel(signals)
    kept = [values.copy() for values in frames]
    log_mel(clips(2))
    for pair in (*zip(signals, before, strict=True), *zip(frames, kept, strict=True)):
        np.testing.assert_array_equal(*pair)


def test_16_bit_integers_give_what_their_fractions_of_full_scale_give() -> None:
    log_mel = LogMel(8_000, 256, 80, 40)
    random = np.random.default_rng(0)
    integers = [random.integers(-(2**15), 2**15, n).astype(np.int16) for n in (1, 300, 4_000)]
    fractions = [(values / 2**15).astype(np.float32) for values in integers]
    expected = log_mel(fractions)
    for signals in (integers, [integers[0], fractions[1], integers[2]]):
        for frames, wanted in zip(log_mel(signals), expected, strict=True):
            np.testing.assert_array_equal(frames, wanted)


def test_no_parameter_is_missing_from_the_keys_of_the_internal_caches() -> None:
    base = {"sample_rate": 16_000, "n_fft": 512, "hop_length": 160, "n_mels": 20}
    signal = np.random.default_rng(0).normal(0, 0.1, 4_000).astype(np.float32)
    for name, value in [
        ("sample_rate", 15_000),
        ("n_fft", 400),
        ("n_mels", 21),
        ("fmin_hz", 100.0),
        ("fmax_hz", 7_000.0),
        ("win_length", 400),
    ]:
        for parameters in (base, {**base, name: value}):
            log_mel = LogMel(**parameters)  # type: ignore[arg-type] # as above
            expected = librosa.power_to_db(mel_power(signal, log_mel)).T
            np.testing.assert_allclose(log_mel([signal])[0], expected, rtol=0, atol=0.002)


def test_silence_is_the_floor_and_no_clips_give_no_frames() -> None:
    log_mel = LogMel(8_000, 256, 80, 40)
    frames = log_mel([np.zeros(800, dtype=np.float32)])[0]
    np.testing.assert_allclose(frames, np.full((11, 40), -100), rtol=0, atol=1e-4)
    assert log_mel([]) == []


def test_a_tone_is_loudest_in_a_band_whose_limits_hold_it() -> None:
    log_mel = LogMel(16_000, 512, 160, 40)
    for hz in (300.0, 1_000.0, 5_000.0):
        tone = np.sin(2 * np.pi * hz * np.arange(8_000) / 16_000).astype(np.float32)
        band = log_mel([tone])[0][25].argmax()
        low_hz, high_hz = log_mel.band_limits_hz()[band]
        assert low_hz < hz < high_hz


def test_too_many_bands_are_refused_and_the_number_that_fits_is_true() -> None:
    with pytest.raises(ValueError, match="hold no bin") as error:
        LogMel(8_000, 256, 80, 200)
    fitting = int(str(error.value).split("take n_mels=")[1].split()[0])
    assert librosa.filters.mel(sr=8_000, n_fft=256, n_mels=fitting).max(axis=1).all()
    LogMel(8_000, 256, 80, fitting)
    with pytest.raises(ValueError, match="hold no bin"):
        LogMel(8_000, 256, 80, fitting + 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample_rate": 0},
        {"n_fft": 1},
        {"hop_length": 0},
        {"n_mels": 0},
        {"fmin_hz": -1.0},
        {"fmin_hz": 4_000.0},
        {"fmax_hz": 4_001.0},
        {"win_length": 257},
        {"win_length": 0},
    ],
)
def test_parameters_out_of_range_are_refused_by_name(wrong: dict[str, float]) -> None:
    right = {"sample_rate": 8_000, "n_fft": 256, "hop_length": 80, "n_mels": 40}
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.*expected"):
        LogMel(**{**right, **wrong})  # type: ignore[arg-type] # as above


def test_parameters_are_json_and_the_object_can_be_sent_to_another_process() -> None:
    log_mel = LogMel(8_000, 256, 80, 40, win_length=200, pcen=True)
    parameters = json.loads(json.dumps(log_mel.parameters()))
    assert parameters.pop("version") >= 1
    assert LogMel(**parameters) == log_mel == pickle.loads(pickle.dumps(log_mel))


def test_the_number_of_threads_does_not_change_the_values() -> None:
    log_mel = LogMel(8_000, 256, 80, 40)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(np.concatenate(log_mel(clips(3))))
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_allclose(*results, rtol=0, atol=1e-4)


def test_librosa_is_not_imported() -> None:
    program = (
        "import sys, numpy as np, cnnkit.adapters.audio.reading as reading;"
        "reading.LogMel(8000, 256, 80, 40)([np.ones(500, dtype=np.float32)]);"
        "print('librosa' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
