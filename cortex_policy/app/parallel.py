"""A share of the same pure work for each processor.

Reading a document is a function of its bytes (architecture, law 7), so the order and the process in which it happens
cannot be seen in the result. What a child does not deliver, for whatever reason, the parent does itself.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

MAX_PROCESSES: Final = 8
"""Beyond this the parent's own part, joining what was read, is all that is left."""

Job = TypeVar("Job")
Result = TypeVar("Result")


def processes() -> int:
    """How many processes are worth it here: one where processes cannot be forked safely."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MAX_PROCESSES)


def spread(work: Callable[[Job], Result], jobs: Sequence[Job], count: int) -> list[Result]:
    """`[work(job) for job in jobs]`, done by `count` processes. Raises whatever `work` raises."""
    children = [(share, _start(work, jobs[share::count])) for share in range(1, count)]
    results: dict[int, list[Result]] = {0: [work(job) for job in jobs[::count]]}
    for share, (process, pipe) in children:
        found = _collect(process, pipe)
        own = jobs[share::count]
        results[share] = found if found is not None and len(found) == len(own) else [work(job) for job in own]
    return [results[index % count][index // count] for index in range(len(jobs))]


def _start(work: Callable[[Job], Result], jobs: Sequence[Job]) -> tuple[int, int]:
    """Fork a child that does `jobs` and writes the results into a pipe; returns its process and the pipe's read end."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        os.close(reading)
        with open(writing, "wb") as pipe:
            pipe.write(pickle.dumps([work(job) for job in jobs], pickle.HIGHEST_PROTOCOL))
        status = 0
    finally:
        os._exit(status)  # INVARIANT: a child never returns into the parent's code, not even by an exception


def _collect(process: int, pipe: int) -> list[Result] | None:
    """What a child wrote, or None when it did not finish. The bytes come from our own child, never from a file."""
    with open(pipe, "rb") as reading:
        data = reading.read()
    _, status = os.waitpid(process, 0)
    if status != 0:
        return None
    found: list[Result] = pickle.loads(data)  # noqa: S301
    return found
