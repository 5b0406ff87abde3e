"""Sound files to mono samples: what is in a file decides, never the ending of its name."""

from __future__ import annotations

import difflib
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from cnnkit.adapters.audio.wave import Wave, parse_wave
from cnnkit.cnncore.image import Float32Array

AnyPath = str | bytes | os.PathLike[str]
Samples = Float32Array | NDArray[np.int16]

# What 1.0 is among 16-bit integers.
FULL_SCALE = 2.0**15

# A named pipe must not keep us waiting; Windows would change the ends of lines.
OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
HEADER_BYTES = 4096
BLOCK_SAMPLES = 1 << 20
# libsndfile's word for a length that the header doesn't give.
UNKNOWN_FRAMES = 2**63 - 1
# Programs that write a wav file into a pipe announce about 2 or 4 GiB, as they can't know.
STREAMED_BYTES = 0x7FFFF000
# Far above any sound (32-bit integers kept as floats: 2e9), far below where |X|² overflows.
LARGEST_SAMPLE = 1e12
LARGEST_FACTOR = 100
# Mono keeps less than 1 % of the channels' energy (-20 dB): they cancel each other.
ANTIPHASE_ENERGY = 0.01

AGAIN = "copy or download it again"
CONVERT = "convert it to wav or flac, e.g. `ffmpeg -i IN out.wav`"
# Where the first bytes of what is no readable sound stand, and what they mean.
SIGNATURES = (
    (0, b"version https://git-lfs", "a git-lfs pointer, not the sound itself: run `git lfs pull`"),
    (0, b"<!doctype html", f"an HTML page, not a sound: {AGAIN}"),
    (0, b"<html", f"an HTML page, not a sound: {AGAIN}"),
    (4, b"ftyp", f"an MP4/M4A (AAC) file, which can't be read: {CONVERT}"),
    (0, b"\xff\xf1", f"an AAC file, which can't be read: {CONVERT}"),
    (0, b"\xff\xf9", f"an AAC file, which can't be read: {CONVERT}"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", f"a WMA file, which can't be read: {CONVERT}"),
    (0, b"\x1a\x45\xdf\xa3", f"a WebM or Matroska file, which can't be read: {CONVERT}"),
)


class UnreadableSound(ValueError):  # noqa: N818 - a finding about a file, not a program's error
    """A file gives no sound. The message says what was found and what to do."""


class Header(NamedTuple):
    """What a sound file says about itself.

    Parameters
    ----------
    sample_rate : int
        Samples per second (Hz).
    frames : int
        Samples of each channel.
    channels : int
    """

    sample_rate: int
    frames: int
    channels: int


class Sound(NamedTuple):
    """A sound after decoding.

    Parameters
    ----------
    stored : float32 or int16 array [n]
        Mono samples. Those of a plain 16-bit file are left as integers, with full scale ±2**15.
    sample_rate : int
        In Hz.
    warnings : tuple of str
        What looks wrong with a sound that could be read.
    """

    stored: Samples
    sample_rate: int
    warnings: tuple[str, ...] = ()

    @property
    def samples(self) -> Float32Array:
        """Mono samples as float32 array [n]: full scale is ±1, values beyond it are kept."""
        return _as_floats(self.stored)


def read_header(path: AnyPath) -> Header:
    """Read rate, length and number of channels without decoding the sound.

    Raises
    ------
    UnreadableSound
        If there is no sound in the file, or no such file.
    """
    descriptor = _open(path)
    try:
        size = _regular_size(descriptor)
        head = os.read(descriptor, HEADER_BYTES)
        wave = parse_wave(head)
        if wave and wave.is_plain(size):
            return Header(wave.sample_rate, wave.data_bytes // wave.block_bytes, wave.channels)
        os.lseek(descriptor, 0, os.SEEK_SET)
        with _sound_file(descriptor, head) as sound:
            header = Header(sound.samplerate, sound.frames, sound.channels)
    except OSError as error:
        raise UnreadableSound(_why_not_read(error, path)) from None
    finally:
        os.close(descriptor)
    if header.frames <= 0:
        raise UnreadableSound(f"the file holds a header, but no sound (0 samples): {AGAIN}")
    return header


def read_sound(path: AnyPath, sample_rate: int | None = None) -> Sound:
    """Read a sound file as mono samples: `decode(read_bytes(path), sample_rate)`.

    Raises
    ------
    UnreadableSound
        If there is no sound in the file, or no such file.
    """
    return decode(read_bytes(path), sample_rate)


def read_bytes(path: AnyPath) -> bytes:
    """Read a whole file, so that one read serves `content_digest` and `decode`.

    Raises
    ------
    UnreadableSound
        If the file can't be opened or read, or is empty.
    """
    descriptor = _open(path)
    try:
        size = _regular_size(descriptor)
        content = os.read(descriptor, size)
        # One call gives 2 GiB at most.
        while len(content) < size and (more := os.read(descriptor, size - len(content))):
            content += more
        return content
    except OSError as error:
        raise UnreadableSound(_why_not_read(error, path)) from None
    finally:
        os.close(descriptor)


def content_digest(content: bytes) -> str:
    """Digest a file's content (BLAKE2b, 16 bytes in hex): equal digests mean equal files.

    Examples
    --------
    >>> content_digest(b"")
    'cae66941d9efbd404e4d88758ea67670'
    """
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def decode(content: bytes, sample_rate: int | None = None) -> Sound:
    """Decode a sound file's content as mono samples, the mean of its channels.

    Parameters
    ----------
    content : bytes
        A whole wav, flac, ogg, opus, mp3, aiff, au, caf or w64 file.
    sample_rate : int or None
        Rate to resample to, in Hz (soxr, high quality); None keeps the file's own.

    Raises
    ------
    UnreadableSound
        If `content` holds no sound, or samples that are not finite.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.array([[0.5, 0.25]] * 8), 8000, format="WAV")
    >>> sound = decode(file.getvalue())
    >>> sound.sample_rate, sound.samples[:2].tolist()
    (8000, [0.375, 0.375])
    """
    wave = parse_wave(content)
    warnings: tuple[str, ...] = ()
    stored: Samples
    if wave and wave.is_plain(len(content)):
        stored, rate = _decode_plain(content, wave), wave.sample_rate
    else:
        stored, rate, warnings = _decode_any(content)
    # The corners first: they nearly always differ.
    if stored.item(0) == stored.item(-1) and stored.min() == stored.max():
        warnings += (f"silence: all {len(stored)} samples are equal",)
    if stored.ndim == 2:
        stored, cancelling = _mix(_as_floats(stored))
        warnings += cancelling
    if sample_rate is not None and sample_rate != rate:
        stored = _resample(_as_floats(stored), rate, sample_rate)
    return Sound(stored, sample_rate or rate, warnings)


def shown(path: object) -> str:
    r"""Name a path so that it can always be printed.

    Examples
    --------
    >>> shown(b"caf\xe9.wav") == r"caf\udce9.wav"
    True
    """
    name = os.fsdecode(path) if isinstance(path, bytes | os.PathLike) else str(path)
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _decode_plain(content: bytes, wave: Wave) -> NDArray[np.int16]:
    """Return the integers in a plain file, [frames] or [frames, 2], without copying them."""
    integers = np.frombuffer(content, "<i2", wave.data_bytes // 2, wave.data_start)
    return integers if wave.channels == 1 else integers.reshape(-1, wave.channels)


def _as_floats(samples: Samples) -> Float32Array:
    """Turn 16-bit integers into fractions of full scale, bit for bit as libsndfile does."""
    floats = samples.astype(np.float32, copy=False)
    return floats if floats is samples else floats * np.float32(1 / FULL_SCALE)


def _decode_any(content: bytes) -> tuple[Float32Array, int, tuple[str, ...]]:
    """Decode whatever libsndfile knows: samples like `_decode_plain`, rate in Hz, warnings."""
    with _sound_file(_Stream(content), content[:HEADER_BYTES]) as sound:
        announced, rate, count = sound.frames, sound.samplerate, sound.channels
        size = max(1, min(announced, BLOCK_SAMPLES // count))
        # In blocks, since a file may announce any length, and some kinds can't be rewound.
        blocks = [sound.read(size, "float32", always_2d=True)]
        while len(blocks[-1]) == size:
            blocks.append(sound.read(size, "float32", always_2d=True))
    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    if len(samples) == 0:
        raise UnreadableSound(f"the file holds a header, but no sound (0 samples): {AGAIN}")
    finite = np.abs(samples) <= LARGEST_SAMPLE
    if not finite.all():
        first = int(np.argmin(finite.all(axis=1)))
        worst = samples[first][~finite[first]][0]
        raise UnreadableSound(
            f"sample {first} (at {first / rate:.3f} s) is {worst:g}: expected finite numbers, "
            "mostly within ±1; write the file again"
        )
    warnings = []
    if len(samples) < announced:
        warnings.append(f"cut off: {announced} samples announced, {len(samples)} found; {AGAIN}")
    elif len(content) < (size := _announced_bytes(content)):
        warnings.append(f"cut off: {size} bytes announced, {len(content)} found; {AGAIN}")
    return samples[:, 0] if count == 1 else samples, rate, tuple(warnings)


def _announced_bytes(content: bytes) -> int:
    """Return the file size that the header gives, 0 where it gives none."""
    wave = parse_wave(content)
    if wave:
        return 0 if wave.data_bytes >= STREAMED_BYTES else wave.data_start + wave.data_bytes
    if content[:4] == b"FORM":
        return 8 + int.from_bytes(content[4:8], "big")
    if content[:4] == b".snd":
        size = int.from_bytes(content[8:12], "big")
        return 0 if size == 2**32 - 1 else size + int.from_bytes(content[4:8], "big")
    if content[:4] == b"RF64":
        return 8 + int.from_bytes(content[20:28], "little")
    return int.from_bytes(content[16:24], "little") if content[:4] == b"riff" else 0


def _resample(samples: Float32Array, rate: int, wanted: int) -> Float32Array:
    # A damaged header may give any rate; by such a factor the sound would fill the memory.
    if not 1 / LARGEST_FACTOR <= wanted / rate <= LARGEST_FACTOR:
        raise UnreadableSound(
            f"a sample rate of {rate} Hz, where {wanted} Hz are expected: correct the header"
        )
    resampled: Float32Array = soxr.resample(samples, rate, wanted, quality="HQ")
    if len(resampled) == 0:
        raise UnreadableSound(
            f"{len(samples)} samples at {rate} Hz are less than one at {wanted} Hz: "
            "leave the file out"
        )
    return resampled


def _mix(channels: Float32Array) -> tuple[Float32Array, tuple[str, ...]]:
    """Return the mean of the channels, and a warning where they cancel each other."""
    count = channels.shape[1]
    mono: Float32Array = channels @ np.full(count, 1 / count, np.float32)
    loud = np.square(channels, dtype=np.float64).mean()
    if np.square(mono, dtype=np.float64).mean() >= ANTIPHASE_ENERGY * loud:
        return mono, ()
    return mono, (
        "the channels cancel each other (antiphase): their mean, which is used, is nearly "
        "silent; turn one channel's sign or keep one channel only",
    )


class _Stream(io.BytesIO):
    """Bytes for libsndfile, which seeks to before the start of some damaged files."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(max(0, offset) if whence == io.SEEK_SET else offset, whence)


@contextmanager
def _sound_file(source: _Stream | int, head: bytes) -> Iterator[Any]:
    """Open a stream or descriptor by libsndfile; explain why it is no sound by its `head`."""
    try:
        with soundfile.SoundFile(source, closefd=False) as sound:
            if sound.frames == UNKNOWN_FRAMES:
                raise UnreadableSound(f"the header gives no length (streamed flac): {CONVERT}")
            yield sound
    except soundfile.LibsndfileError as error:
        start = head.lstrip().lower()
        for offset, signature, meaning in SIGNATURES:
            if head[offset:].startswith(signature) or start.startswith(signature):
                raise UnreadableSound(meaning) from None
        if "not recognised" in error.error_string:
            raise UnreadableSound(
                f"no sound that can be read (it starts with {head[:8]!r}): expected wav, flac, "
                f"ogg, opus, mp3, aiff, au, caf or w64; {AGAIN}, or {CONVERT}"
            ) from None
        raise UnreadableSound(
            f"damaged or cut off ({error.error_string.strip(' .')}): {AGAIN}"
        ) from None


def _open(path: AnyPath) -> int:
    """Open a file; explain how that can fail."""
    try:
        return os.open(path, OPEN_FLAGS)
    except TypeError:
        raise UnreadableSound(f"{path!r} is not a path: expected a sound file's name") from None
    except ValueError as error:
        raise UnreadableSound(f"no file can have this name ({error}): correct it") from None
    except OSError as error:
        raise UnreadableSound(_why_not_read(error, path)) from None


def _regular_size(descriptor: int) -> int:
    """Return the bytes in a regular file; refuse anything else, and an empty file."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise UnreadableSound(f"{kind}, not a sound file: name the files themselves")
    if not status.st_size:
        raise UnreadableSound(f"the file is empty (0 bytes): {AGAIN}")
    return status.st_size


def _why_not_read(error: OSError, path: AnyPath) -> str:
    file = Path(os.fsdecode(path))
    if isinstance(error, PermissionError):
        return "permission denied: make the file readable (`chmod +r`)"
    if not isinstance(error, FileNotFoundError):
        return f"the file can't be read ({error.strerror}): check the disk and the name"
    if not file.parent.is_dir():
        return f"no such file, nor a folder '{shown(file.parent)}': correct the path"
    try:
        names = sorted(other.name for other in file.parent.iterdir())
    except OSError:
        names = []
    same = [name for name in names if Path(name).stem.lower() == file.stem.lower()]
    # To compare with every name of a large folder would take longer than to read the sounds.
    close = same or difflib.get_close_matches(file.name, names[:500], n=1)
    hint = f"did you mean '{shown(close[0])}'?" if close else "correct the path"
    return f"no such file: {hint}"
