"""A proof as a person reads it: operands with their outcome, the facts below them with their places, what is missing.

Literals, names and field accesses are no steps of their own: what they read is a fact of the comparison around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cortex_policy.facts import Facts
from cortex_policy.facts.questions import Hop
from cortex_policy.model import SUPPLIED, UNKNOWN, OpenTuple, Outcome, Place, Record
from cortex_policy.ruleset.explain import Read
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.proof import Proof
from cortex_policy.ruleset.syntax import Call, Comprehension, Logical, Ternary, Unary
from cortex_policy.ruleset.template import show

SUPPLIED_BY: Final = "supplied by the caller"
"""Stands for the line of a fact that no document states."""

MAX_PLACES: Final = 20
"""Places of one fact: a list may have been read in as many places as it has members."""

Lines = Callable[[str], Sequence[str]]


class GateFact(NamedTuple):
    """A fact that was read: `name` is `ID.FIELD`, `value` fit for JSON (None: no value counts), `text` the line."""

    name: str
    value: Any
    path: str
    line: int
    column: int
    text: str


class ProofStep(NamedTuple):
    """One operand of a condition: what it came to, what was read for it, and its own operands.

    `member` names the element of a collection that it is about, `reason` says why it is an error, `missing` which facts
    nobody states, `hops` how one item reaches the other; `left_out` counts members that are not listed.
    """

    text: str
    outcome: Outcome
    value: Any
    member: str
    reason: str
    facts: tuple[GateFact, ...]
    missing: tuple[str, ...]
    hops: tuple[Hop, ...]
    steps: tuple[ProofStep, ...]
    left_out: int


Names = Mapping[tuple[str, str], str]
"""What records are called by an expression, by kind and id; others go by their id."""


class Writer(NamedTuple):
    """What steps are made with: the facts, the lines of documents, the expression's text, and names for records."""

    facts: Facts
    lines: Lines
    source: str
    names: Names = MappingProxyType({})

    def step(self, proof: Proof, member: str = "", hops: tuple[Hop, ...] = ()) -> ProofStep:
        """The proof as steps."""
        own = [read for part in _own(proof) if (read := part.read) is not None]
        found = tuple({(id(read.record), read.field): read for read in own}.values())
        outcome = proof.outcome
        return ProofStep(
            text=proof.text(self.source),
            outcome=outcome,
            value=plain(proof.value),
            member=member,
            reason=proof.value.reason if isinstance(proof.value, Failure) else "",
            facts=self.stated(found),
            missing=() if outcome is Outcome.TRUE else missing(found, _own(proof), self.source, self.names),
            hops=hops or self._way(proof),
            steps=tuple(self._below(proof)),
            left_out=proof.left_out,
        )

    def stated(self, found: Iterable[Read]) -> tuple[GateFact, ...]:
        """The reads as facts, one for each place; what nobody states is shown at the item that lacks it."""
        return tuple(
            GateFact(
                called(read, self.names),
                plain(read.value),
                place.path,
                place.line,
                place.column,
                self._line(place),
            )
            for read in found
            for place in dict.fromkeys(read.places[:MAX_PLACES] or _home(read))
        )

    def _line(self, place: Place) -> str:
        if place == SUPPLIED:
            return SUPPLIED_BY
        rows = self.lines(place.path)
        return rows[place.line - 1].strip() if 0 < place.line <= len(rows) else ""

    def _below(self, proof: Proof) -> Iterator[ProofStep]:
        if isinstance(proof.node, Comprehension):
            yield from (self.step(part) for part in _steps_in(proof.children[:1]))
            for element, part in zip(proof.members, proof.children[1:], strict=True):
                yield self.step(
                    part, f"{proof.node.variable} = {show(element)}", self._reached(proof, element)
                )
        elif _is_step(proof):
            yield from (self.step(part) for part in proof.children)
        else:
            yield from (self.step(part) for part in _steps_in(proof.children))

    def _reached(self, proof: Proof, element: Any) -> tuple[Hop, ...]:
        """How a member of `reach(…)` is reached."""
        start = _reach(proof.children[0])
        return self.facts.path(*start, element) if start and isinstance(element, Record) else ()

    def _way(self, proof: Proof) -> tuple[Hop, ...]:
        """How an item that is in a cycle reaches itself; of a bare `reach`, the way to the last that it gives."""
        for part in _own(proof):
            start = _reach(part)
            if start is None:
                continue
            if part.value is True:
                return self.facts.path(*start, start[0])
            if isinstance(part.value, tuple) and part.value and not isinstance(proof.node, Comprehension):
                return self.facts.path(*start, part.value[-1])
        return ()


def _home(read: Read) -> tuple[Place, ...]:
    """Where a fact that nobody states is shown: at the item that lacks it. A list of which nobody says anything is
    empty; it is shown there too.
    """
    lacks = read.value is UNKNOWN or read.value == ()
    return (read.record.place,) if lacks and read.record.place is not None else ()


def _reach(proof: Proof) -> tuple[Record, str] | None:
    """The item and the relation that a call of `reach` or `in_cycle` asks about."""
    node = proof.node
    if not isinstance(node, Call) or node.function not in ("reach", "in_cycle") or len(proof.children) != 2:
        return None
    record, relation = (part.value for part in proof.children)
    return (record, relation) if isinstance(record, Record) and isinstance(relation, str) else None


def _is_step(proof: Proof) -> bool:
    """Whether its operands are steps of their own."""
    node = proof.node
    return isinstance(node, Logical | Ternary | Comprehension) or (
        isinstance(node, Unary) and node.operator == "!"
    )


def _own(proof: Proof) -> Iterator[Proof]:
    """The parts of a step that are no steps: itself and, where it has no operands of its own, what it is made of."""
    inner = proof.children[:1] if isinstance(proof.node, Comprehension) else proof.children
    if isinstance(proof.node, Comprehension) or not _is_step(proof):
        for child in inner:
            if not _is_step(child):
                yield from _own(child)
    yield proof


def _steps_in(proofs: Iterable[Proof]) -> Iterator[Proof]:
    """The nearest steps in `proofs`."""
    for proof in proofs:
        if _is_step(proof):
            yield proof
        else:
            yield from _steps_in(proof.children)


def called(read: Read, names: Names) -> str:
    """How a fact is named: by what the expression calls the record, else by its id."""
    record = read.record
    return f"{names.get((record.kind, record.id), record.id)}.{read.field}"


def missing(
    found: Iterable[Read], parts: Iterable[Proof], source: str, called_by: Names = MappingProxyType({})
) -> tuple[str, ...]:
    """What nobody states, and which lists may lack members, in the order of the text."""
    names: dict[str, None] = {}
    for read in found:
        if read.value is UNKNOWN:
            names[called(read, called_by)] = None
        elif isinstance(read.value, OpenTuple):
            names[f"{called(read, called_by)} (may lack members)"] = None
    for part in parts:
        if isinstance(part.node, Call) and isinstance(part.value, OpenTuple):
            names[f"{part.text(source)} (may lack members)"] = None
        elif isinstance(part.node, Call) and part.value is UNKNOWN:
            names[part.text(source)] = None
    return tuple(names)


def plain(value: Any) -> Any:
    """A value fit for JSON: items by id, dates and times in ISO 8601; None for what is unknown or an error."""
    if value is UNKNOWN or isinstance(value, Failure):
        return None
    if isinstance(value, Record):
        return value.id
    if isinstance(value, tuple):
        return [plain(element) for element in value]
    if isinstance(value, dict):
        return {str(key): plain(element) for key, element in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    return show(value) if isinstance(value, timedelta | bytes) else value
