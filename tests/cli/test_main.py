"""What all commands share: help, and how a run ends when something is wrong."""

import json
import os
import signal
import subprocess
import sys

import pytest

import cnnkit as package

TINY = ("--epochs", "2", "--ensemble", "1", "--device", "cpu", "--network", "conv 4x5x5/4 | gap")
COMMANDS = ("fit", "predict", "evaluate", "check-table", "preview", "describe", "adapters")


def start(arguments, folder, **streams) -> subprocess.Popen:
    """Start cnnkit in a process of its own."""
    environment = {**os.environ, "CNNKIT_CACHE": str(folder / "cache"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "cnnkit", *map(str, arguments)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.Popen(command, env=environment, cwd=folder, text=True, **streams)


def test_help_names_every_command_and_a_first_step(cnnkit):
    shown = cnnkit("--help").stdout
    assert all(f"\n  {command} " in shown for command in COMMANDS)
    assert "cnnkit fit --adapter audio" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(cnnkit, command):
    result = cnnkit(command, "-h")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {command}")


def test_the_version_is_that_of_the_package(cnnkit):
    assert package.__version__ in cnnkit("--version").stdout


def test_an_unknown_command_is_refused(refused):
    assert "No such command 'fitt'" in refused("fitt")


def test_a_mistake_gives_one_message_and_no_traceback_in_a_process_of_its_own(tmp_path):
    process = start(["predict", "no-model", "no-data"], tmp_path)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (2, "")
    assert stderr == "Error: no-model: no such folder; expected one that `cnnkit fit` wrote\n"


def test_debug_shows_where_the_error_came_from(cnnkit):
    with pytest.raises(ValueError, match='"nix" is no preset'):
        cnnkit("--debug", "describe", "nix")


def test_a_program_that_stops_reading_the_output_is_no_mistake(cnnkit, model, sounds, monkeypatch):
    def stopped(*_, **__):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("cnnkit.cli.predict.click.echo", stopped)
    result = cnnkit("predict", model, sounds / "low" / "0.wav")
    assert result.exit_code == 1
    assert "Error" not in result.stderr


def test_a_loss_that_becomes_infinite_is_explained(cnnkit, sounds, tmp_path):
    arguments = ("fit", sounds, "--adapter", "audio", *TINY, "--lr", "1e38", "--epochs", "5")
    result = cnnkit(*arguments, "--no-baseline", "--out", tmp_path / "model")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: epoch ")
    assert "try a smaller learning rate" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[…] DefaultCPUAllocator: can't allocate memory: […]")]
)
def test_a_lack_of_memory_is_explained(refused, sounds, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("cnnkit.cli.fit_run.FitRun", fail)
    assert "take a smaller --batch-size" in refused("fit", sounds, "--adapter", "audio")


def test_any_other_error_is_a_bug_and_shows_where_it_is(cnnkit, sounds, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("shapes can't be multiplied")

    monkeypatch.setattr("cnnkit.cli.fit_run.FitRun", fail)
    with pytest.raises(RuntimeError, match="multiplied"):
        cnnkit("fit", sounds, "--adapter", "audio")


@pytest.mark.parametrize(
    "moment", ["cli.fit_print.Printer.epoch", "cnncore.model_folder.put_in_place"]
)
def test_an_interrupted_run_leaves_nothing_behind(cnnkit, sounds, tmp_path, monkeypatch, moment):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"cnnkit.{moment}", interrupt)
    arguments = ("fit", sounds, "--adapter", "audio", *TINY, "--no-baseline")
    result = cnnkit(*arguments, "--out", tmp_path / "model")
    assert result.exit_code == 130
    assert result.stderr == "\nInterrupted; nothing was saved.\n"
    assert list(tmp_path.iterdir()) == []


def test_control_c_ends_a_run_with_130(sounds, tmp_path):
    arguments = ["fit", sounds, "--adapter", "audio", *TINY, "--epochs", "100000", "--val", "0"]
    process = start([*arguments, "--no-baseline", "--out", tmp_path / "model"], tmp_path)
    for line in process.stdout:
        if line.split()[:1] == ["2"]:
            break
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert process.stderr.read() == "\nInterrupted; nothing was saved.\n"
    process.stdout.close()
    process.stderr.close()
    assert {path.name for path in tmp_path.iterdir()} <= {"cache"}


def test_progress_goes_to_the_terminal_and_json_alone_to_stdout(sounds, tmp_path):
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    arguments = ["fit", sounds, "--adapter", "audio", *TINY, "--json", "--set", "speeds=[]"]
    arguments += ["--no-baseline", "--out", tmp_path / "model"]
    process = start(arguments, tmp_path, stderr=theirs)
    os.close(theirs)
    stdout = process.communicate(timeout=60)[0]
    shown = b""
    try:
        while more := os.read(ours, 4096):
            shown += more
    except OSError:  # that is how a terminal says that the other side is closed
        pass
    os.close(ours)
    assert process.returncode == 0
    assert b"reading" in shown
    assert json.loads(stdout)["task"] == "classification"
