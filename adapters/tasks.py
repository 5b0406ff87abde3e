"""Work that is cut into tasks: done here as long as it is little, then by several processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import joblib

# How long one process works before the rest is estimated, and from which rest on the start of
# other processes (a few seconds) pays.
PROBE_S = 1.0
WORTH_PROCESSES_S = 4.0

Task = TypeVar("Task")
Result = TypeVar("Result")


def do_tasks(
    work: Callable[[Task], Result], tasks: Sequence[Task], n_jobs: int | None = None
) -> Iterator[Result]:
    """Do all tasks, and give the results in their order.

    Parameters
    ----------
    work : callable
        A function of a module, which other processes can import.
    tasks : sequence
    n_jobs : int or None
        Processes (joblib; -1: one per processor). None starts them only if the work left after a
        second would take more than another four. Inside `joblib.parallel_config` its backend
        and, for None, its number of jobs are used.

    Examples
    --------
    >>> list(do_tasks(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    done, started_s = 0, time.monotonic()
    while done < len(tasks) and _is_serial(n_jobs, done, len(tasks), time.monotonic() - started_s):
        yield work(tasks[done])
        done += 1
    if done == len(tasks):
        return
    backend, configured = joblib.parallel.get_active_backend()
    if n_jobs is None and configured is None:
        n_jobs = -1
    # Some backends can only give everything at the end.
    generates = getattr(backend, "supports_return_generator", False)
    parallel = joblib.Parallel(n_jobs, return_as="generator" if generates else "list")
    yield from parallel(joblib.delayed(work)(task) for task in tasks[done:])


def _is_serial(n_jobs: int | None, done: int, tasks: int, elapsed_s: float) -> bool:
    """Say whether the next task is done in this process."""
    if n_jobs is not None:
        return n_jobs == 1
    if not done or elapsed_s < PROBE_S:
        return True
    rest_s = elapsed_s / done * (tasks - done)
    configured = joblib.parallel.get_active_backend()[1]
    return rest_s <= WORTH_PROCESSES_S or joblib.effective_n_jobs(configured or -1) == 1
