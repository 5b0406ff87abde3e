"""Tasks are done in order, here or by several processes."""

from __future__ import annotations

import operator
import os

import joblib
import pytest

from cnnkit.adapters import tasks
from cnnkit.adapters.tasks import do_tasks


@pytest.mark.parametrize(
    ("elapsed_s", "done", "count", "serial"),
    [(0.5, 1, 1000, True), (2.0, 10, 29, True), (2.0, 10, 31, False), (2.0, 0, 9, True)],
)
def test_processes_start_only_where_the_estimated_rest_is_long(
    monkeypatch: pytest.MonkeyPatch, elapsed_s: float, done: int, count: int, serial: bool
) -> None:
    monkeypatch.setattr(joblib, "effective_n_jobs", lambda _: 2)
    assert tasks._is_serial(None, done, count, elapsed_s) is serial


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_results_come_in_the_order_of_the_tasks(n_jobs: int | None) -> None:
    assert list(do_tasks(operator.neg, list(range(50)), n_jobs)) == [-n for n in range(50)]
    assert list(do_tasks(operator.neg, [], n_jobs)) == []


def test_two_jobs_are_other_processes_and_one_job_is_this_one() -> None:
    names = ["PATH"] * 4
    assert os.getpid() not in do_tasks(_process, names, 2)
    assert set(do_tasks(_process, names, 1)) == {os.getpid()}


def _process(_: str) -> int:
    return os.getpid()
