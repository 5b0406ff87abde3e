"""Bars for people at a terminal, and JSON that every reader takes."""

import io
import sys

import numpy as np
import pytest

from cnnkit.cli.output import Bars, without_nan


class Terminal(io.StringIO):
    def isatty(self):
        return True


def show_bars(monkeypatch, stream, hidden):
    monkeypatch.setattr(sys, "stderr", stream)
    bars = Bars(hidden)
    for done in range(5):
        bars("random orders", done, 4)
    bars("networks", 1, 2)
    bars.bar.refresh()  # steps that follow at once aren't drawn
    bars.close()
    return stream.getvalue()


def test_a_terminal_shows_each_step(monkeypatch):
    shown = show_bars(monkeypatch, Terminal(), hidden=False)
    assert "random orders:   0%" in shown
    assert "networks:  50%" in shown
    assert "1/2 [00:00<" in shown  # the time that remains stands behind <


@pytest.mark.parametrize(("stream", "hidden"), [(io.StringIO(), False), (Terminal(), True)])
def test_progress_is_silent_off_a_terminal_and_with_json(monkeypatch, stream, hidden):
    assert show_bars(monkeypatch, stream, hidden) == ""


def test_json_has_null_for_what_is_no_number():
    value = {"a": [np.nan, 1.5, -np.inf], "b": (True, "nan", None, 3)}
    assert without_nan(value) == {"a": [None, 1.5, None], "b": [True, "nan", None, 3]}
