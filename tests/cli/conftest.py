"""A tiny data set, a tiny model, and commands that run inside the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from cnnkit.cli.main import main

Command = Callable[..., Result]

RATE_HZ = 8000
PITCHES_HZ = {"high": 2500, "low": 300, "mid": 900}
SPEAKERS = ("anna", "ben", "cleo", "dan")
TINY = ("--epochs", 2, "--ensemble", 1, "--device", "cpu", "--network", "conv 4x5x5/4 | relu | gap")
QUICK = (*TINY, "--set", "frames=32", "--set", "speeds=[]")


def tone(pitch_hz: float, number: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Make 0.3 s of a tone with some noise, different for every number."""
    time_s = np.arange(round(0.3 * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(number).normal(size=len(time_s))
    return 0.5 * np.sin(2 * np.pi * pitch_hz * (1 + 0.01 * number) * time_s) + 0.05 * noise


def write_sounds(folder: Path, count: int) -> Path:
    """Write `count` tones of each class into folders of the classes' names."""
    for label, pitch_hz in PITCHES_HZ.items():
        (folder / label).mkdir(parents=True)
        for number in range(count):
            soundfile.write(folder / label / f"{number}.wav", tone(pitch_hz, number), RATE_HZ)
    return folder


def write_table(folder: Path, name: str, rows: list[dict[str, object]]) -> Path:
    """Write rows as a CSV file."""
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


@pytest.fixture(scope="session")
def cnnkit(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Run a command, in this process; an error that it doesn't expect is raised."""
    runner = CliRunner(env={"CNNKIT_CACHE": str(tmp_path_factory.mktemp("cache"))})

    def run(*arguments: object) -> Result:
        result = runner.invoke(main, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(scope="session")
def fit(cnnkit: Command) -> Command:
    """Fit a network that is trained in no time; it must work, and be silent on stderr."""

    def run(*arguments: object) -> Result:
        result = cnnkit("fit", "--adapter", "audio", *QUICK, *arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        return result

    return run


@pytest.fixture(scope="session")
def refused(cnnkit: Command) -> Callable[..., str]:
    """Run a command that must end with one message; return what stands after "Error: "."""

    def run(*arguments: object) -> str:
        result = cnnkit(*arguments)
        assert result.exit_code == 2
        before, start, message = result.stderr.partition("Error: ")
        # click says in two lines how a command is used where its options are wrong.
        assert start
        assert not before or before.startswith("Usage: ")
        assert "Traceback" not in result.stderr
        assert "Error: " not in message
        return message.strip()

    return run


@pytest.fixture(scope="session")
def refused_fit(refused: Callable[..., str]) -> Callable[..., str]:
    """Fit as `fit` does, where it must end with one message."""

    def run(*arguments: object) -> str:
        return refused("fit", "--adapter", "audio", *QUICK, *arguments)

    return run


@pytest.fixture(scope="session")
def make_sounds() -> Callable[[Path, int], Path]:
    """Give the function that writes tones of three classes to a new folder."""
    return write_sounds


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve tones of each of three classes, in a folder a class; never changed."""
    return write_sounds(tmp_path_factory.mktemp("data") / "sounds", 12)


@pytest.fixture(scope="session")
def table(sounds: Path) -> Path:
    """The same as a table with speakers, official parts and the pitch; it lies beside them."""
    rows: list[dict[str, object]] = [
        {
            "path": f"{label}/{number}.wav",
            "label": label,
            "speaker": SPEAKERS[number % 4],
            "part": "train" if number < 8 else "test",
            "pitch": PITCHES_HZ[label] * (1 + 0.01 * number) / 1000,
        }
        for label in PITCHES_HZ
        for number in range(12)
    ]
    return write_table(sounds, "index.csv", rows)


@pytest.fixture(scope="session")
def model(fit: Command, sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the tones; never changed."""
    folder = tmp_path_factory.mktemp("models") / "model"
    fit(sounds, "--no-baseline", "--out", folder)
    return folder
