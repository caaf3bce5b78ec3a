"""A share of the same pure work for each processor.

Reading a document is a function of its bytes (architecture, law 7), so the order and the process in which it happens
cannot be seen in the result. What a child does not deliver, for whatever reason, the parent does itself.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final

MAX_PROCESSES: Final = 8
"""Beyond this the parent's own part, joining what was read, is all that is left."""


def processes() -> int:
    """How many processes are worth it here: one where processes cannot be forked safely."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return 1
    return min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        MAX_PROCESSES,
    )


class Helpers:
    """Children at work, each on its share; share 0 is the parent's, who has work of weight `lead` to do besides."""

    def __init__(self, children: Sequence[tuple[int, int]] = (), lead: int = 0) -> None:
        self._children = list(children)
        self.lead = lead
        self.count = 1 + len(children)

    def __enter__(self) -> Helpers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End whoever is still at work: nobody waits for the result any more."""
        for process, pipe in self._children:
            os.close(pipe)
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        self._children.clear()

    def collect(self) -> list[Any]:
        """What each child that finished has made. The bytes come from our own children, never from a file."""
        found = []
        for process, pipe in self._children:
            with open(pipe, "rb") as reading:
                data = reading.read()
            _, status = os.waitpid(process, 0)
            if status == 0:
                import pickle  # after the parent's own share is done: the child needs longer anyway

                found.append(pickle.loads(data))  # noqa: S301 - our own child wrote it
        self._children.clear()
        return found


def start(work: Callable[[int, int], Any], count: int, lead: int = 0) -> Helpers:
    """Fork `count` - 1 children; each does `work(number, count)`, with its number from 1, and delivers the result."""
    return Helpers([_fork(work, number, count) for number in range(1, count)], lead)


def _fork(work: Callable[[int, int], Any], number: int, count: int) -> tuple[int, int]:
    """A child that writes its result into a pipe; returns its process and the pipe's read end."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    status = 1
    try:
        import pickle

        os.close(reading)
        result = pickle.dumps(work(number, count), pickle.HIGHEST_PROTOCOL)
        with open(writing, "wb") as pipe:
            pipe.write(result)
        status = 0
    finally:
        os._exit(status)  # INVARIANT: a child never returns into the parent's code, not even by an exception


def shares(weights: Sequence[int], count: int, lead: int) -> list[list[int]]:
    """The indexes of the jobs of each process: the heaviest first, each to whoever has least so far."""
    found: list[list[int]] = [[] for _ in range(count)]
    load = [lead, *[0] * (count - 1)]
    for index in sorted(range(len(weights)), key=lambda index: -weights[index]):
        least = load.index(min(load))
        found[least].append(index)
        load[least] += weights[index]
    return found
