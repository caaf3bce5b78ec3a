"""What a gate says of all its subjects: which are ready, which wait and for what in the end, which wait for ever.

An item waits for the others whose fields keep its conditions from being true. At the root stand those that wait for
nobody, and those that wait for each other in a circle. Source: `docs/gates.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cortex_policy.documents.spec import DocumentModel
from cortex_policy.errors import UndecidedError
from cortex_policy.graph import Key, in_cycles, reachable
from cortex_policy.model import SUPPLIED, UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.explain import Read
from cortex_policy.ruleset.steps import GateFact, Writer, missing
from cortex_policy.ruleset.unblock import Unblocking
from cortex_policy.verdicts.gates import NOTHING_TRIED, Judge, Verdict


class Cause(NamedTuple):
    """An item that others wait for in the end. `circle`: it waits for one that waits for it, else for nobody."""

    subject: str
    circle: bool
    facts: tuple[GateFact, ...]
    missing: tuple[str, ...]


class Waiting(NamedTuple):
    """A subject that is not let through: the conditions that are not true, the root causes, one way out if known.

    `reason` is set where there was nothing to evaluate it on.
    """

    subject: str
    verdict: Verdict
    reason: str
    conditions: tuple[str, ...]
    causes: tuple[Cause, ...]
    unblocking: Unblocking


class Agenda(NamedTuple):
    """Every subject of a gate, in one of three lists, each in the order of ids."""

    gate: str
    profile: str
    ready: tuple[str, ...]
    blocked: tuple[Waiting, ...]
    dead: tuple[Waiting, ...]
    notes: tuple[str, ...]


def agenda(judge: Judge, model: DocumentModel) -> Agenda:
    """All subjects of the gate. Raises `UndecidedError` when they cannot be listed."""
    subjects = judge.subjects()
    if not isinstance(subjects, tuple):
        raise UndecidedError(judge.find("", subjects)[1])
    return _Waits(judge, model, subjects).agenda()


class _Waits:
    """Who waits for whom, found out as far as somebody asks."""

    def __init__(self, judge: Judge, model: DocumentModel, subjects: Sequence[Record]) -> None:
        self.judge = judge
        self.model = model
        self.subjects = subjects
        self.own = {(record.kind, record.id): record for record in subjects if isinstance(record, Record)}
        self.edges: dict[Key, list[Key]] = {}
        self.said: dict[Key, tuple[Read, ...]] = {}
        """What was read of an item when another was found to wait for it, or of itself when it waits for nobody."""

    def agenda(self) -> Agenda:
        ready: list[str] = []
        blocked: list[Waiting] = []
        dead: list[Waiting] = []
        for key in sorted(self.own, key=lambda key: (key[1], key[0])):
            waiting = self.waiting(key)
            if waiting is None:
                ready.append(key[1])
            elif _for_ever(waiting):
                dead.append(waiting)
            else:
                blocked.append(waiting)
        notes = []
        if isinstance(self.subjects, OpenTuple):
            notes.append(f"there may be more subjects: `{self.judge.gate.collection_text}` may lack members")
        return Agenda(
            gate=self.judge.gate.name,
            profile=self.judge.profile,
            ready=tuple(ready),
            blocked=tuple(blocked),
            dead=tuple(dead),
            notes=tuple(notes),
        )

    def waiting(self, key: Key) -> Waiting | None:
        """What one subject waits for; None when it is ready."""
        record, reason = self.judge.find(key[1], self.subjects)
        reason = reason or self.judge.nothing_asked()
        if record is None or reason:
            return Waiting(key[1], Verdict.BLOCKED, reason, (), (), NOTHING_TRIED)
        verdict = self.judge.quickly(record)
        if verdict is Verdict.ALLOW:
            return None
        return Waiting(
            subject=key[1],
            verdict=verdict,
            reason="",
            conditions=tuple(demand.id for demand in self.judge.lacking(record)),
            causes=self._causes(key),
            unblocking=self.judge.unblocking(record, self.model, every=False),
        )

    def _causes(self, start: Key) -> tuple[Cause, ...]:
        self._explore(start)
        closure = [start, *(key for key in reachable(self.edges, start) if key != start)]
        inside = {key: self.edges[key] for key in closure}
        circles = in_cycles(inside)
        roots = [key for key in closure if not inside[key] or key in circles]
        return tuple(self._cause(key, key in circles) for key in sorted(roots, key=lambda key: key[1]))

    def _explore(self, start: Key) -> None:
        queue = [start]
        for key in queue:
            if key not in self.edges:
                self.edges[key] = list(self._others(key))
            queue.extend(other for other in self.edges[key] if other not in self.edges and other not in queue)

    def _others(self, key: Key) -> Iterable[Key]:
        """The items that one waits for: those whose fields decided a condition that is not true."""
        record = self.own.get(key)
        if record is None or self.judge.find(key[1], self.subjects)[0] is None:
            return ()
        read = self.judge.obstacles(record)
        found: dict[Key, list[Read]] = {}
        for each in read:
            other = (each.record.kind, each.record.id)
            if other != key and (_is_item(other, self.model) or _is_asked_for(each)):
                found.setdefault(other, []).append(each)
        if read and not found:
            self.said[key] = read
        for other, reads in found.items():
            self.said.setdefault(other, tuple(reads))
        return found

    def _cause(self, key: Key, circle: bool) -> Cause:
        read = self.said.get(key, ())
        writer = Writer(self.judge.facts, self.judge.lines, "")
        return Cause(key[1], circle, writer.stated(read), missing(read, (), ""))


def _is_item(key: Key, model: DocumentModel) -> bool:
    return key[0] in model.kinds and key[0] != "document"


def _is_asked_for(read: Read) -> bool:
    """Whether only the caller can tell this fact, and has not."""
    return read.record.place == SUPPLIED and read.value is UNKNOWN


def _for_ever(waiting: Waiting) -> bool:
    """Whether no change to an actionable field lets the subject through. INVARIANT: only a whole search can tell."""
    found = waiting.unblocking
    return not waiting.reason and not found.sets and found.complete and not found.open
