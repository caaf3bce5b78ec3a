"""What would turn a verdict: minimal sets of changes to actionable fields, found and tried out.

A condition depends on the fields that its proof read, and on nothing else. So of the fields that keep one condition
from being true, every set that turns the verdict changes at least one: from there the sets grow change by change. This
finds every minimal set, unless a limit is reached, and then the result says so. Source: `docs/gates.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cortex_policy.documents.spec import DocumentModel
from cortex_policy.graph import Key
from cortex_policy.model import SUPPLIED, UNKNOWN, Record
from cortex_policy.ruleset.explain import Read
from cortex_policy.ruleset.proof import Proof, reads, walk
from cortex_policy.ruleset.syntax import Comprehension, Logical, Unary

MAX_CHANGES: Final = 5
"""Changes in one set when every set is looked for: whoever needs more has other troubles."""

MAX_SETS: Final = 20
"""Sets that are looked for: more of them nobody compares."""

MAX_TRIALS: Final = 2_000
"""Sets that are tried out in one search, and as many again where one large set is looked for: a second of work."""

Fields = Mapping[tuple[Key, str], Any]
"""Values of fields by item and name, as `facts.Trial.set` takes them."""


class Change(NamedTuple):
    """A value that somebody could give to an actionable field."""

    kind: str
    subject: str
    field: str
    to: Any


class Unblocking(NamedTuple):
    """What would turn a verdict to allow: minimal sets of changes, smallest first, each tried out.

    `complete` is false when a limit of the search was reached, so that there may be others. `open` names actionable
    fields for which no value can be proposed.
    """

    sets: tuple[tuple[Change, ...], ...]
    complete: bool
    open: tuple[str, ...]


class Attempt(NamedTuple):
    """What came of a set: whether it turns the verdict, else the reads of which at least one must change.

    `whole` is false where a proof left members out, so that the reads may be too few.
    """

    allowed: bool
    reads: tuple[Read, ...] = ()
    whole: bool = True


Try = Callable[[Fields], Attempt]


def needed(proof: Proof) -> Attempt:
    """What must change before a condition that is not true can be."""
    whole = all(part.left_out == 0 for part in walk(proof))
    unique = {(id(read.record), read.field): read for read in _needed(proof, True)}
    return Attempt(False, tuple(unique.values()), whole)


def obstacles(proof: Proof) -> tuple[Read, ...]:
    """All that keeps a condition from being true, where `needed` names no more than the first of several."""
    found = _needed(proof, True, every=True)
    return tuple({(id(read.record), read.field): read for read in found}.values())


def _needed(proof: Proof, wanted: bool, *, every: bool = False) -> Iterator[Read]:
    """Reads of which one must change before `proof` comes to `wanted`; with `every`, all that stand in the way."""
    node = proof.node
    if isinstance(node, Logical):
        first = not every and (node.operator == "&&") is wanted
        yield from _of_operands(proof.children, wanted, first, every)
    elif isinstance(node, Unary) and node.operator == "!":
        yield from _needed(proof.children[0], not wanted, every=every)
    elif isinstance(node, Comprehension) and node.macro in ("all", "exists") and proof.children:
        found = list(
            _of_operands(proof.children[1:], wanted, not every and (node.macro == "all") is wanted, every)
        )
        if not (
            every and found
        ):  # that somebody stands in the list is no obstacle beside what is said of them
            yield from reads(proof.children[0])
        yield from found
    else:
        yield from reads(proof)


def _of_operands(operands: Sequence[Proof], wanted: bool, first: bool, every: bool) -> Iterator[Read]:
    """Those of the operands that do not come to `wanted`; only the `first` where all of them must."""
    lacking = [operand for operand in operands if operand.value is not wanted]
    for operand in lacking[:1] if first else lacking:
        yield from _needed(operand, wanted, every=every)


def search(attempt: Try, model: DocumentModel, *, every: bool = True) -> Unblocking:
    """The minimal sets of changes that turn the verdict, smallest first; without `every`, one that need not be least.

    `attempt` tells what comes of a set; the empty set, which is tried first, must not turn it.
    """
    found = _Search(attempt, model)
    if every:
        found.smallest()
    if not found.sets and not (every and found.complete):
        found.any_set()
    return Unblocking(
        tuple(tuple(sorted(changes, key=_order)) for changes in found.sets[:MAX_SETS]),
        found.complete,
        tuple(sorted(found.open)),
    )


def _order(change: Change) -> tuple[str, str, str]:
    return change.subject, change.field, change.kind


class _Search:
    def __init__(self, attempt: Try, model: DocumentModel) -> None:
        self.attempt = attempt
        self.model = model
        self.trials = 0
        self.sets: list[frozenset[Change]] = []
        self.open: set[str] = set()
        self.complete = True

    def smallest(self) -> None:
        """Every minimal set up to MAX_CHANGES, by size."""
        level: dict[frozenset[Change], None] = {frozenset(): None}
        for size in range(MAX_CHANGES + 1):
            grown: dict[frozenset[Change], None] = {}
            for changes in level:
                if any(known <= changes for known in self.sets):
                    continue
                if not self._may_go_on():
                    return
                for larger in self._grown(changes):
                    grown[larger] = None
            if grown and size == MAX_CHANGES:
                self.complete = False
            level = grown

    def any_set(self) -> None:
        """Some set, however large, by going as deep as possible; then less of it, as long as less will do."""
        self.trials = 0
        seen: set[frozenset[Change]] = set()
        stack: list[frozenset[Change]] = [frozenset()]
        while stack and not self.sets:
            changes = stack.pop()
            if changes in seen:
                continue
            seen.add(changes)
            if not self._may_go_on():
                return
            stack.extend(reversed(list(self._grown(changes))))
        self.sets = [self._less(changes) for changes in self.sets]

    def _less(self, changes: frozenset[Change]) -> frozenset[Change]:
        for change in sorted(changes, key=_order):
            fewer = changes - {change}
            if fewer and self._try(fewer).allowed:
                changes = fewer
        return changes

    def _may_go_on(self) -> bool:
        if self.trials >= MAX_TRIALS or len(self.sets) >= MAX_SETS:
            self.complete = False
            return False
        return True

    def _try(self, changes: Iterable[Change]) -> Attempt:
        self.trials += 1
        return self.attempt({((change.kind, change.subject), change.field): change.to for change in changes})

    def _grown(self, changes: frozenset[Change]) -> Iterator[frozenset[Change]]:
        """The set with one change more, in every way that may help; none when it turns the verdict itself."""
        attempt = self._try(changes)
        if attempt.allowed:
            self.sets.append(changes)
            return
        self.complete = self.complete and attempt.whole
        changed = {(change.kind, change.subject, change.field) for change in changes}
        for read in attempt.reads:
            if (read.record.kind, read.record.id, read.field) not in changed:
                for change in self._changes(read):
                    yield changes | {change}

    def _changes(self, read: Read) -> Iterator[Change]:
        """Every other value of an actionable field; of an item that nobody declares nothing can be changed."""
        record = read.record
        if record.place == SUPPLIED and read.field not in record.values:
            self.open.add(f"{record.id}.{read.field}")
        kind = self.model.kinds.get(record.kind)
        if kind is None or read.field not in kind.actionable or not _declared(record):
            return
        declared = kind.fields[read.field]
        if declared.name == "enum":
            values: tuple[Any, ...] = declared.words
        elif declared.name == "bool":
            values = (True, False)
        else:
            self.open.add(f"{record.id}.{read.field}")
            return
        now = record.values.get(read.field, UNKNOWN)
        yield from (Change(record.kind, record.id, read.field, value) for value in values if value != now)


def _declared(record: Record) -> bool:
    return record.values.get("is_declared") is True
