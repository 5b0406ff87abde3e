"""Sound files of every kind, good and bad, written here and read back."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from cnnkit.adapters.audio.files import (
    UnreadableSound,
    content_digest,
    decode,
    read_bytes,
    read_header,
    read_sound,
    shown,
)

RATE = 16_000


def sine(seconds: float = 0.5, rate: int = RATE, hz: float = 440.0) -> NDArray[np.float32]:
    time_s = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)


def encode(samples: Any, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def with_data_bytes(wav: bytes, size: int) -> bytes:
    place = wav.index(b"data") + 4
    return wav[:place] + struct.pack("<I", size) + wav[place + 4 :]


def without_length(flac: bytes) -> bytes:
    """Clear the number of samples, as programs do that write into a pipe."""
    return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]


LOSSLESS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAVEX", "PCM_16"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("AU", "PCM_16"),
    ("CAF", "PCM_16"),
    ("FLAC", "PCM_16"),
]
LOSSY = [
    ("WAV", "PCM_U8"),
    ("WAV", "ULAW"),
    ("WAV", "ALAW"),
    ("WAV", "IMA_ADPCM"),
    ("WAV", "MS_ADPCM"),
    ("WAV", "GSM610"),
    ("WAV", "G721_32"),
    ("WAV", "NMS_ADPCM_32"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("kind", "subtype"), LOSSLESS)
def test_lossless_kinds_give_back_the_samples_that_were_written(kind: str, subtype: str) -> None:
    sound = decode(encode(sine(), kind=kind, subtype=subtype))
    assert sound.sample_rate == RATE
    assert sound.warnings == ()
    assert sound.samples.dtype == np.float32
    np.testing.assert_allclose(sound.samples, sine(), atol=2**-15)


@pytest.mark.parametrize(("kind", "subtype"), LOSSY)
def test_lossy_kinds_give_back_a_sound_that_resembles_what_was_written(
    kind: str, subtype: str
) -> None:
    rate = 8_000 if subtype in ("GSM610", "G721_32", "NMS_ADPCM_32") else RATE
    sound = decode(encode(sine(rate=rate), rate, kind, subtype))
    length = min(len(sound.samples), len(sine(rate=rate)))
    assert length >= 0.99 * len(sine(rate=rate))
    assert len(sound.samples) < 1.2 * length
    assert sound.warnings == ()
    # The strongest frequency survives, whatever the delay of the codec.
    spectrum = np.abs(np.fft.rfft(sound.samples[:length]))
    assert np.fft.rfftfreq(length, 1 / rate)[spectrum.argmax()] == pytest.approx(440, abs=5)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("length", [1, 7, 4096])
def test_the_fast_path_for_16_bit_wav_equals_soundfile_bit_for_bit(
    channels: int, length: int
) -> None:
    values = np.random.default_rng(length).integers(-(2**15), 2**15, (length, channels))
    content = encode(values.astype(np.int16), subtype="PCM_16")
    expected, _ = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    np.testing.assert_array_equal(decode(content).samples, expected.mean(axis=1))


def test_the_integers_of_a_16_bit_wav_file_are_kept_as_they_are_stored() -> None:
    values = np.array([-(2**15), -1, 0, 1, 2**15 - 1], dtype=np.int16)
    sound = decode(encode(values, subtype="PCM_16"), RATE)
    assert sound.stored.dtype == np.int16
    np.testing.assert_array_equal(sound.stored, values)
    assert decode(encode(values, subtype="FLOAT")).stored.dtype == np.float32


@pytest.mark.parametrize("extra", [b"", b"x", b"LIST\x04\x00\x00\x00abcd"])
def test_chunks_before_and_after_the_samples_of_a_wav_file_are_skipped(extra: bytes) -> None:
    content = encode(sine(), subtype="PCM_16")
    odd = b"note" + struct.pack("<I", 3) + b"abc\x00"
    content = content[:12] + odd + content[12:] + extra
    np.testing.assert_array_equal(
        decode(content).samples, soundfile.read(io.BytesIO(content), dtype="float32")[0]
    )


def test_samples_beyond_full_scale_are_not_clipped() -> None:
    sound = decode(encode(8 * sine(), subtype="FLOAT"))
    assert sound.samples.max() == pytest.approx(4.0, abs=1e-3)


def test_mono_is_the_mean_of_any_number_of_channels() -> None:
    channels = np.random.default_rng(0).normal(0, 0.1, (100, 5)).astype(np.float32)
    sound = decode(encode(channels, subtype="FLOAT"))
    np.testing.assert_allclose(sound.samples, channels.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("rate", [96_000, 44_100, 8_000])
def test_resampling_keeps_the_sound_and_its_length_in_seconds(rate: int) -> None:
    sound = decode(encode(sine(rate=rate), rate, subtype="FLOAT"), RATE)
    assert sound.sample_rate == RATE
    assert len(sound.samples) == len(sine())
    # The filter rings at both ends.
    np.testing.assert_allclose(sound.samples[800:-800], sine()[800:-800], atol=2e-3)


def test_samples_at_the_wanted_rate_are_not_touched() -> None:
    content = encode(sine(), subtype="FLOAT")
    np.testing.assert_array_equal(decode(content, RATE).samples, sine())


@pytest.mark.parametrize("name", ["wav.mp3", "no ending", "LOUD.WAV", "x.flac", "наш звук 音.wav"])
def test_the_content_decides_and_not_the_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(encode(sine(), kind="OGG"))
    assert read_sound(tmp_path / name).sample_rate == RATE
    assert read_header(str(tmp_path / name)).channels == 1


def test_a_name_that_is_no_text_is_read_and_shown(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    try:
        with open(path, "wb") as file:  # noqa: PTH123 - Path takes no bytes
            file.write(encode(sine()))
    except OSError:
        pytest.skip("this file system only takes names that are text")
    assert len(read_sound(path).samples) == len(sine())
    assert len(read_sound(os.fsdecode(path)).samples) == len(sine())
    assert shown(path).endswith("caf\\udce9.wav")


@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "GSM610"), ("OGG", None)]
)
def test_the_header_agrees_with_the_decoded_sound(
    tmp_path: Path, kind: str, subtype: str | None
) -> None:
    path = tmp_path / "sound"
    path.write_bytes(encode(sine(0.4, 8_000), 8_000, kind, subtype))
    assert read_header(path) == (8_000, len(read_sound(path).samples), 1)


def test_one_read_serves_digest_and_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encode(sine()))
    content = read_bytes(path)
    assert content == path.read_bytes()
    assert content_digest(content) == hashlib.blake2b(content, digest_size=16).hexdigest()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
NO_SOUND = [
    (b"", "empty"),
    (bytes(range(256)) * 8, "no sound that can be read"),
    (b"\n <!DOCTYPE HTML><html><body>404</body></html>", "HTML page"),
    (b"<html><head></head></html>", "HTML page"),
    (LFS, "git lfs pull"),
    (b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(500), "MP4/M4A .*ffmpeg"),
    (b"\xff\xf1\x50\x80\x10\x1f\xfc" + bytes(500), "AAC .*ffmpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(500), "WMA .*ffmpeg"),
    (b"\x1a\x45\xdf\xa3" + bytes(500), "WebM .*ffmpeg"),
    (encode(sine())[:30], "damaged or cut off"),
    (encode(sine(), kind="AIFF")[:30], "damaged or cut off"),
    (encode(sine(), kind="FLAC")[:30], "damaged or cut off"),
    (encode(sine(), kind="MP3")[:30], "damaged or cut off"),
    (encode(sine(), kind="OGG")[:2000], "damaged or cut off"),
    (without_length(encode(sine(), kind="FLAC")), "no length .*ffmpeg"),
    (encode(np.zeros(0, np.float32)), "0 samples"),
    (with_data_bytes(encode(sine()), 0), "0 samples"),
]


@pytest.mark.parametrize(("content", "reason"), NO_SOUND)
def test_what_is_no_sound_is_refused_with_its_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(UnreadableSound, match=reason):
        read_sound(path)
    with pytest.raises(UnreadableSound, match=reason):
        read_header(path)


def test_a_flac_file_cut_in_half_is_refused() -> None:
    content = encode(sine(), kind="FLAC")
    with pytest.raises(UnreadableSound, match="damaged or cut off"):
        decode(content[: len(content) // 2])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_sample_that_is_no_finite_number_is_named(value: float) -> None:
    samples = np.stack([sine(), sine()], axis=1)
    samples[[320, 400], 1] = value
    with pytest.raises(UnreadableSound, match=re.escape(f"sample 320 (at 0.020 s) is {value:g}:")):
        decode(encode(samples, subtype="FLOAT"))


def test_a_sound_without_a_whole_sample_at_the_wanted_rate_is_refused() -> None:
    with pytest.raises(UnreadableSound, match="less than one at 1000 Hz"):
        decode(encode(sine()[:3]), 1_000)


@pytest.mark.parametrize("rate", [1, 2_000_000])
def test_an_absurd_sample_rate_is_refused_where_it_would_be_resampled(rate: int) -> None:
    with pytest.raises(UnreadableSound, match=f"sample rate of {rate} Hz"):
        decode(encode(sine(), rate), RATE)


@pytest.mark.parametrize("read", [read_header, read_sound])
def test_paths_without_a_file_are_refused_with_their_reason(tmp_path: Path, read: Any) -> None:
    (tmp_path / "dog_bark_1.wav").write_bytes(encode(sine()))
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for path, reason in [
        (tmp_path / "folder.wav", "a folder, not a sound"),
        (tmp_path / "pipe", "a pipe"),
        (tmp_path / "dog_brak_1.wav", "did you mean 'dog_bark_1.wav'"),
        (tmp_path / "Dog_Bark_1.ogg", "did you mean 'dog_bark_1.wav'"),
        (tmp_path / "zzz", "no such file: correct the path"),
        (tmp_path / "nowhere" / "a.wav", "nor a folder .*nowhere"),
        (tmp_path / "dog_bark_1.wav" / "a.wav", "Not a directory"),
        (tmp_path / ("x" * 300), "name too long"),
        ("a\0b.wav", "no file can have this name"),
        ("lone \ud800.wav", "no file can have this name"),
        (float("nan"), "nan is not a path"),
        (None, "None is not a path"),
    ]:
        with pytest.raises(UnreadableSound, match=reason):
            read(path)


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnreadableSound, match="permission denied: make the file readable"):
        read_sound(tmp_path / "a.wav")


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "W64", "RF64", "MP3"])
def test_a_file_that_was_cut_off_is_read_with_a_warning(kind: str) -> None:
    content = encode(sine(), kind=kind)
    assert decode(content).warnings == ()
    sound = decode(content[: len(content) // 2 + 1])
    assert len(sound.samples) < len(sine())
    assert len(sound.warnings) == 1
    assert sound.warnings[0].startswith("cut off:")


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000])
def test_the_unknown_length_of_a_streamed_wav_file_is_no_cut(size: int) -> None:
    sound = decode(with_data_bytes(encode(sine()), size))
    assert len(sound.samples) == len(sine())
    assert sound.warnings == ()


@pytest.mark.parametrize("samples", [np.zeros(500), np.full(500, 0.25), np.zeros((500, 2))])
def test_silence_is_read_with_a_warning(samples: Any) -> None:
    assert decode(encode(samples)).warnings == ("silence: all 500 samples are equal",)


def test_channels_that_cancel_each_other_give_a_warning_and_others_do_not() -> None:
    opposed = decode(encode(np.stack([sine(), -sine()], axis=1)))
    assert "antiphase" in opposed.warnings[0]
    one_side = decode(encode(np.stack([sine(), 0 * sine()], axis=1)))
    other_tone = decode(encode(np.stack([sine(), -sine(hz=660)], axis=1)))
    assert one_side.warnings == other_tone.warnings == ()


def test_garbage_never_raises_anything_else() -> None:
    random = np.random.default_rng(0)
    starts = [b"", b"RIFF\xff\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"FORM", b"ID3\x03", b".snd"]
    for number in range(140):
        noise = random.integers(0, 256, random.integers(1, 500), dtype=np.uint8).tobytes()
        try:
            sound = decode(starts[number % len(starts)] + noise)
        except UnreadableSound:
            continue
        assert np.isfinite(sound.samples).all()


def test_damaged_wav_files_never_raise_anything_else() -> None:
    random = np.random.default_rng(1)
    whole = encode(sine(0.01), subtype="PCM_16")
    for _ in range(300):
        content = bytearray(whole)
        for place in random.integers(0, 60, 3):
            content[place] = random.integers(0, 256)
        try:
            sound = decode(bytes(content))
        except UnreadableSound:
            continue
        assert len(sound.samples) > 0
