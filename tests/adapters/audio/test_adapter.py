"""The audio adapter against librosa, numpy and sounds whose image is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from cnnkit.adapters import AudioAdapter, BadItemsError
from cnnkit.adapters.audio import adapter as adapter_module
from cnnkit.adapters.audio.demo import make_demo_sounds
from cnnkit.testing import check_adapter

FloatArray = NDArray[np.float64]


def write(path: Path, samples: FloatArray, rate: int = 8_000) -> str:
    soundfile.write(path, samples, rate, subtype="FLOAT", format="WAV")
    return str(path)


def beep(hz: float, start_s: float, end_s: float, length_s: float, rate: int = 8_000) -> FloatArray:
    """A tone somewhere in a silent clip."""
    time_s = np.arange(round(length_s * rate)) / rate
    inside = (time_s >= start_s) & (time_s < end_s)
    return 0.5 * np.sin(2 * np.pi * hz * time_s) * inside


def noise(seed: int, samples: int) -> FloatArray:
    random = np.random.default_rng(seed)
    return random.normal(0, 0.1, samples) * np.linspace(1, 0.01, samples)


@pytest.fixture
def clips(tmp_path: Path) -> list[str]:
    """Fading noise of different lengths, at 8 kHz."""
    lengths = (2_000, 3_500, 4_000, 5_000, 6_400)
    return [write(tmp_path / f"{n}.wav", noise(n, n)) for n in lengths]


def levels(adapter: AudioAdapter, paths: list[str]) -> FloatArray:
    """Images before they were standardised [N, bands, frames]."""
    pixels: FloatArray = adapter.transform(paths)[:, 0].astype(np.float64)
    return pixels * adapter.scale_[:, None] + adapter.mean_[:, None]


def levels_by_librosa(path: str, adapter: AudioAdapter, level: str, range_db: float) -> FloatArray:
    """The image of a clip that isn't longer than it [bands, frames]."""
    clip, rate = soundfile.read(path)
    power = librosa.feature.melspectrogram(
        y=clip, sr=rate, n_fft=256, hop_length=80, n_mels=40, pad_mode="constant"
    )
    decibels = librosa.power_to_db(power, ref=1.0, top_db=80)
    if level == "peak":
        bottom = decibels.max() - range_db
    else:
        bottom = 10 * np.log10((10 ** (decibels / 10)).mean()) - 0.75 * range_db
    drawn = np.maximum(decibels - bottom, 0) / range_db
    spare = adapter.frames_ - drawn.shape[1]
    return np.pad(drawn, ((0, 0), (spare - spare // 2, spare // 2)))


@pytest.mark.parametrize("parameters", [
    {"preset": "speech"},
    {"preset": "environment"},
    {"preset": "environment", "views": 3, "filter_gain_db": 3.0, "noise_floor": True, "masks": 0.2},
    {"preset": "speech", "views": 2, "level": "mean", "standardise": "band", "cache": False},
    {"pcen": True, "frames": 20, "speeds": [0.9]},
])  # fmt: skip
def test_it_keeps_the_rules_of_the_contract(
    parameters: dict[str, Any],
    clips: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CNNKIT_CACHE", str(tmp_path / "cache"))
    demo = make_demo_sounds(tmp_path / "demo", clips_per_class=1)
    monkeypatch.setattr(AudioAdapter, "demo", lambda self: demo)
    check_adapter(AudioAdapter(**parameters), clips, ["a", "b", "b", "a", "a"])


@pytest.mark.parametrize(
    ("preset", "rate", "hz"),
    [("speech", 8_000, 1_000), ("speech", 16_000, 440), ("environment", 22_050, 6_000)],
)
def test_a_tone_lights_its_band_while_it_sounds(
    preset: str, rate: int, hz: float, tmp_path: Path
) -> None:
    path = write(tmp_path / "beep.wav", beep(hz, 0.3, 0.7, 1.0, rate), rate)
    adapter = AudioAdapter(preset=preset, cache=False).fit([path])
    level = levels(adapter, [path])[0]
    row = int(level.max(axis=1).argmax())
    columns = [adapter.locate(path, row, column) for column in range(adapter.frames_)]
    assert all(place["low_hz"] < hz < place["high_hz"] for place in columns)
    window_s = adapter.n_fft_ / adapter.sample_rate_
    lit = level[row] > level[row].max() - 20 / adapter.dynamic_range_db_
    for place, is_lit in zip(columns, lit, strict=True):
        if place["start_s"] >= 0.3 and place["end_s"] <= 0.7:
            assert is_lit
        elif place["end_s"] < 0.3 - window_s / 2 or place["start_s"] > 0.7 + window_s / 2:
            assert not is_lit


def test_the_bands_are_librosas(clips: list[str]) -> None:
    adapter = AudioAdapter(fmin_hz=100, fmax_hz=3_500, n_mels=20, cache=False).fit(clips)
    edges_hz = librosa.mel_frequencies(22, fmin=100, fmax=3_500)
    for row in range(20):
        place = adapter.locate(clips[0], row, 0)
        assert place["low_hz"] == pytest.approx(edges_hz[row])
        assert place["high_hz"] == pytest.approx(edges_hz[row + 2])
    middles = [f"{(edges_hz[row] + edges_hz[row + 2]) / 2:.0f}" for row in (0, 19)]
    assert adapter.edge_labels(clips[0], 0, [0, 19]) == middles


@pytest.mark.parametrize("level", ["peak", "mean"])
@pytest.mark.parametrize("range_db", [30.0, 60.0])
def test_pixels_are_decibels_above_the_clips_own_floor(
    level: str, range_db: float, clips: list[str]
) -> None:
    adapter = AudioAdapter(level=level, dynamic_range_db=range_db, frames=80, cache=False)
    adapter.fit(clips)
    assert (adapter.n_fft_, adapter.hop_length_, adapter.n_mels_) == (256, 80, 40)
    for path, found in zip(clips[:4], levels(adapter, clips[:4]), strict=True):
        expected = levels_by_librosa(path, adapter, level, range_db)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4)
        assert (expected == 0).any()
        assert expected.max() == pytest.approx(1) if level == "peak" else expected.max() > 0.75


@pytest.mark.parametrize("level", ["peak", "mean"])
def test_a_clips_image_does_not_depend_on_its_volume(
    level: str, clips: list[str], tmp_path: Path
) -> None:
    adapter = AudioAdapter(level=level, cache=False).fit(clips)
    clip, rate = soundfile.read(clips[1])
    loud = write(tmp_path / "loud.wav", 5 * clip, rate)
    images = adapter.transform([clips[1], loud])
    np.testing.assert_allclose(images[0], images[1], rtol=0, atol=1e-3)


@pytest.mark.parametrize("standardise", ["all", "band"])
def test_mean_and_scale_are_numpys_over_the_training_clips(
    standardise: str, clips: list[str]
) -> None:
    adapter = AudioAdapter(standardise=standardise, frames=90, cache=False).fit(clips)
    pixels = np.stack([levels_by_librosa(path, adapter, "peak", 60.0) for path in clips])
    axes = (0, 2) if standardise == "band" else (0, 1, 2)
    np.testing.assert_allclose(adapter.mean_, np.atleast_1d(pixels.mean(axis=axes)), atol=2e-4)
    np.testing.assert_allclose(adapter.scale_, np.atleast_1d(pixels.std(axis=axes)), atol=2e-4)
    images = adapter.transform(clips)[:, 0]
    np.testing.assert_allclose(images.mean(axis=axes), 0, atol=1e-4)
    np.testing.assert_allclose(images.std(axis=axes), 1, atol=1e-4)


def test_altered_copies_do_not_change_mean_and_scale(clips: list[str]) -> None:
    plain = AudioAdapter(speeds=[], cache=False).fit(clips)
    copied = AudioAdapter(speeds=[0.5, 2.0], cache=False).fit(clips)
    np.testing.assert_array_equal(plain.mean_, copied.mean_)
    np.testing.assert_array_equal(plain.scale_, copied.scale_)


@pytest.mark.parametrize(
    ("rates", "preset", "expected"),
    [
        ([8_000, 8_000, 16_000], "speech", 8_000),
        ([8_000, 16_000, 11_025, 11_025, 11_025], "speech", 11_025),
        ([44_100, 44_100, 8_000], "speech", 16_000),
        ([44_100, 48_000, 44_100, 8_000], "environment", 22_050),
    ],
)
def test_the_commonest_rate_of_the_training_files_is_taken_up_to_the_presets(
    rates: list[int], preset: str, expected: int, tmp_path: Path
) -> None:
    paths = [
        write(tmp_path / f"{n}.wav", noise(n, rate // 2), rate) for n, rate in enumerate(rates)
    ]
    bad = str(tmp_path / "missing.wav")
    adapter = AudioAdapter(preset=preset, speeds=[], cache=False).fit([bad, *paths])
    assert adapter.sample_rate_ == expected
    resampled = sum(rate != expected for rate in rates)
    assert any(f"{resampled} training files are resampled" in line for line in adapter.decided_)
    # Other files are read at the training files' rate.
    other = write(tmp_path / "other.wav", noise(9, 6_000), 12_000)
    adapter.transform([other] * 5)
    assert adapter.sample_rate_ == expected
    kept = AudioAdapter(preset=preset, sample_rate=9_000, speeds=[], cache=False).fit(paths)
    assert kept.sample_rate_ == 9_000


def test_a_resampled_file_gives_nearly_the_image_of_the_original(tmp_path: Path) -> None:
    def sound(rate: int) -> FloatArray:
        return beep(700, 0.1, 0.5, 0.6, rate) + beep(2_300, 0.3, 0.6, 0.6, rate)

    paths = [write(tmp_path / f"{rate}.wav", sound(rate), rate) for rate in (8_000, 22_050, 48_000)]
    adapter = AudioAdapter(sample_rate=8_000, cache=False).fit(paths)
    original, *others = levels(adapter, paths)
    for other in others:
        # Where a tone begins or ends, a click holds what the other rate can't.
        assert np.quantile(np.abs(other - original), 0.9) < 0.02
        assert np.corrcoef(other.ravel(), original.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("speed", [0.82, 1.1, 1.22])
def test_a_copy_at_another_speed_is_higher_and_shorter(speed: float, tmp_path: Path) -> None:
    path = write(tmp_path / "beep.wav", beep(1_500, 0.4, 1.2, 2.0))
    adapter = AudioAdapter(speeds=[speed], n_mels=60, n_fft=512, hop_length=80, cache=False)
    samples = adapter.fit_read([path])
    assert samples.version is not None
    assert samples.version.tolist() == [0, 1]
    for version, factor in enumerate([1.0, speed]):
        frames = samples.values[samples.offsets[version] : samples.offsets[version + 1]]
        assert len(frames) == pytest.approx(200 / factor, abs=1.5)
        band = int(frames.max(axis=0).argmax())
        place = adapter.locate(path, band, 0)
        assert place["low_hz"] < 1_500 * factor < place["high_hz"]
        lit = np.flatnonzero(frames[:, band] > frames[:, band].max() - 6)
        assert len(lit) == pytest.approx(80 / factor, abs=3)
        assert lit[0] == pytest.approx(40 / factor, abs=3)


def test_copies_are_made_of_few_clips_only(
    clips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def versions(**parameters: Any) -> int:
        adapter = AudioAdapter(preset="environment", cache=False, **parameters)
        return len(adapter.fit_read(clips)) // len(clips)

    assert versions() == 5
    assert versions(speeds=[]) == 1
    monkeypatch.setattr(adapter_module, "FEW_CLIPS", len(clips) - 1)
    assert versions() == 1
    assert versions(speeds=[0.9]) == 2


def chirp_hz(time_s: float) -> float:
    return 300 + 800 * time_s


@pytest.mark.parametrize(
    "parameters",
    [
        {"preset": "speech", "frames": 48},
        {"preset": "speech", "frames": 480},
        {"preset": "environment", "frames": 32, "views": 1},
        {"preset": "environment", "frames": 32, "views": 3},
        {"preset": "environment", "frames": 400},
    ],
)
def test_locate_knows_the_second_of_every_column(
    parameters: dict[str, Any], tmp_path: Path
) -> None:
    time_s = np.arange(4 * 8_000) / 8_000
    phase = 2 * np.pi * (300 * time_s + 400 * time_s**2)  # its derivative is chirp_hz
    path = write(tmp_path / "chirp.wav", 0.5 * np.sin(phase))
    adapter = AudioAdapter(cache=False, speeds=[], **parameters).fit([path])
    rows = levels(adapter, [path])[0].argmax(axis=0)
    seen, columns = 0, range(0, adapter.frames_, 5)
    for column in columns:
        place = adapter.locate(path, int(rows[column]), column)
        middle_s = (place["start_s"] + place["end_s"]) / 2
        assert place["end_s"] - place["start_s"] == pytest.approx(adapter.hop_length_ / 8_000)
        if 0.1 < middle_s < 3.9:
            assert place["low_hz"] - 10 < chirp_hz(middle_s) < place["high_hz"] + 10
            seen += 1
    assert seen > 0.2 * len(columns)
    starts = [f"{adapter.locate(path, 0, column)['start_s']:.2f}" for column in (0, 5)]
    assert adapter.edge_labels(path, 1, [0, 5]) == starts


def test_a_click_lies_in_the_middle_of_its_column(tmp_path: Path) -> None:
    clip = np.zeros(4_000)
    clip[20 * 80] = 0.5  # the middle of frame 20, where hop_length is 80
    path = write(tmp_path / "click.wav", clip)
    adapter = AudioAdapter(hop_length=80, cache=False).fit([path])
    column = int(adapter.transform([path])[0, 0].sum(axis=0).argmax())
    place = adapter.locate(path, 0, column)
    assert (place["start_s"], place["end_s"]) == pytest.approx((0.195, 0.205))


@pytest.mark.parametrize("start_s", [0.0, 1.3, 2.6])
def test_the_loudest_part_of_a_long_clip_is_shown(start_s: float, tmp_path: Path) -> None:
    clip = beep(900, start_s, start_s + 0.3, 3.0) + noise(0, 24_000) * 0.01
    path = write(tmp_path / "long.wav", clip)
    adapter = AudioAdapter(preset="speech", frames=40, cache=False).fit([path])
    first, last = adapter.locate(path, 0, 0), adapter.locate(path, 0, 39)
    assert first["start_s"] <= start_s + 0.01
    assert last["end_s"] >= start_s + 0.29
    assert first["start_s"] >= -0.006  # nothing is padded
    assert last["end_s"] <= 3.006


def test_the_views_of_a_long_clip_are_spread_over_it(tmp_path: Path) -> None:
    tones_hz = [500, 1_200, 2_500]
    parts = [beep(hz, 0, 2, 2) for hz in tones_hz]
    path = write(tmp_path / "long.wav", np.concatenate(parts))
    adapter = AudioAdapter(preset="environment", frames=32, views=3, speeds=[], cache=False)
    batch = adapter.fit_read([path]).to("cpu")
    for view, hz in enumerate(tones_hz):
        image = adapter.renderer().eval()(batch, None, view).pixels[0, 0]
        assert image.shape == (40, 32)
        level = image.numpy() * adapter.scale_[:, None] + adapter.mean_[:, None]
        place = adapter.locate(path, int(level.mean(axis=1).argmax()), 0)
        assert place["low_hz"] < hz < place["high_hz"]


@pytest.mark.parametrize("pcen", [False, True])
@pytest.mark.parametrize("preset", ["speech", "environment"])
def test_silence_and_clips_of_one_sample_stay_finite(
    pcen: bool, preset: str, clips: list[str], tmp_path: Path
) -> None:
    silence = write(tmp_path / "silence.wav", np.zeros(3_000))
    click = write(tmp_path / "click.wav", np.full(1, 0.5))
    odd = [silence, click]
    for training in (odd, [silence], clips):
        adapter = AudioAdapter(preset=preset, pcen=pcen, cache=False).fit(training)
        images = adapter.transform([*odd, *clips])
        assert np.isfinite(images).all()
        assert images.shape == (7, 1, 40, adapter.frames_)
        assert adapter.spec_.channels == ("pcen" if pcen else "log-mel",)
    problems = adapter.read(odd).problems
    assert {problem.item for problem in problems} == {0, 1}
    assert not any(problem.rejected for problem in problems)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"preset": "enviroment"}, 'did you mean "environment"'),
        ({"preset": "zzz"}, "expected auto, speech, environment or environment-strong$"),
        ({"shift": "rol"}, 'shift "rol": expected roll, slide or none; did you mean "roll"'),
        ({"level": "max"}, 'level "max": expected peak or mean'),
        ({"standardise": "bands"}, 'expected all or band; did you mean "band"'),
        ({"n_mels": 0}, "n_mels=0: expected a number above 0"),
        ({"frames": -8}, "frames=-8"),
        ({"views": 0}, "views=0"),
        ({"dynamic_range_db": -60.0}, "dynamic_range_db=-60"),
        ({"speeds": [1.1, 0]}, "speeds"),
        ({"masks": 1.5}, "masks=1.5: expected a share from 0 to 1"),
        ({"fmax_hz": 5_000.0}, "fmax_hz=5000.*half the sample rate"),
        ({"n_mels": 200}, "n_mels=200.*take n_mels="),
    ],
)  # fmt: skip
def test_an_impossible_parameter_is_named(
    parameters: dict[str, Any], message: str, clips: list[str]
) -> None:
    with pytest.raises(ValueError, match=message):
        AudioAdapter(cache=False, **parameters).fit(clips)


def test_no_readable_training_file_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "page.wav").write_text("<html></html>")
    for items, reason in (
        ([str(tmp_path / "page.wav")], "page.wav: an HTML page"),
        ([float("nan")], "nan is not a path"),
        ([], "no files were given"),
    ):
        with pytest.raises(ValueError, match=reason):
            AudioAdapter(cache=False).fit(items)


def test_before_fit_nothing_can_be_read_or_drawn(clips: list[str]) -> None:
    adapter = AudioAdapter(cache=False)
    for use in (adapter.read, adapter.transform):
        with pytest.raises(NotFittedError):
            use(clips)
    with pytest.raises(NotFittedError):
        adapter.fit_reading(clips).renderer()


def test_a_file_that_can_not_be_read_has_no_place(clips: list[str]) -> None:
    adapter = AudioAdapter(cache=False).fit(clips)
    with pytest.raises(BadItemsError, match=r"missing\.wav"):
        adapter.locate("missing.wav", 0, 0)


def test_what_comes_from_the_cache_is_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("cnnkit.adapters.audio.reading.WORTH_CACHING_S", 0.0)
    paths = [write(tmp_path / f"{n}.wav", noise(n, 4_000 + n)) for n in range(3)]
    images, copies = [], []
    for cache in (False, True, True):
        adapter = AudioAdapter(preset="environment", speeds=[0.8], cache=cache)
        copies.append(adapter.fit_read(paths).values)
        images.append(adapter.transform(paths))
    files = [path for path in (tmp_path / "cache").rglob("*.npy") if path.is_file()]
    assert len(files) == 6  # of each clip: as it is, and at another speed
    for found, read in zip(images[1:] + copies[1:], [images[0]] * 2 + [copies[0]] * 2, strict=True):
        np.testing.assert_array_equal(found, read)
