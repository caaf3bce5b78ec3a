"""A share of the same pure work for each processor.

Reading a document is a function of its bytes (architecture, law 7), so the order and the process in which it happens
cannot be seen in the result. What a child does not deliver, for whatever reason, the parent does itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

MAX_PROCESSES: Final = 8
"""Beyond this the parent's own part, joining what was read, is all that is left."""

Job = TypeVar("Job")
Result = TypeVar("Result")


def processes() -> int:
    """How many processes are worth it here: one where processes cannot be forked safely."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return 1
    return min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        MAX_PROCESSES,
    )


def spread(
    work: Callable[[Job], Result], jobs: Sequence[Job], weights: Sequence[int], count: int
) -> list[Result]:
    """`[work(job) for job in jobs]`, done by `count` processes with shares of equal weight.

    Raises whatever `work` raises.
    """
    shares = _shares(weights, count)
    children = [(share, _start(work, [jobs[index] for index in share])) for share in shares[1:]]
    results: dict[int, Result] = {index: work(jobs[index]) for index in shares[0]}
    for share, (process, pipe) in children:
        found = _collect(process, pipe)
        if found is None:
            found = [work(jobs[index]) for index in share]
        results.update(zip(share, found, strict=True))
    return [results[index] for index in range(len(jobs))]


def _shares(weights: Sequence[int], count: int) -> list[list[int]]:
    """The indexes of the jobs of each process: the heaviest first, each to whoever has least so far."""
    shares: list[list[int]] = [[] for _ in range(count)]
    load = [0] * count
    for index in sorted(range(len(weights)), key=lambda index: -weights[index]):
        least = load.index(min(load))
        shares[least].append(index)
        load[least] += weights[index]
    return shares


def _start(work: Callable[[Job], Result], jobs: Sequence[Job]) -> tuple[int, int]:
    """Fork a child that does `jobs` and writes the results into a pipe; returns its process and the pipe's read end."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        import pickle

        os.close(reading)
        with open(writing, "wb") as pipe:
            pipe.write(pickle.dumps([work(job) for job in jobs], pickle.HIGHEST_PROTOCOL))
        status = 0
    finally:
        os._exit(status)  # INVARIANT: a child never returns into the parent's code, not even by an exception


def _collect(process: int, pipe: int) -> list[Any] | None:
    """What a child wrote, or None when it did not finish. The bytes come from our own child, never from a file."""
    with open(pipe, "rb") as reading:
        data = reading.read()
    _, status = os.waitpid(process, 0)
    if status != 0:
        return None
    import pickle  # after the parent's own share is done: the child needs longer anyway

    found: list[Any] = pickle.loads(data)  # noqa: S301 - our own child wrote it
    return found
