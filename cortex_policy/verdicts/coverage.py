"""What tests have seen of rules and gates: which outcomes of which expressions, out of those that they could see.

Counted in outcomes, on three levels (`docs/testing-rules.md`): whether a rule applies, and a profile of a gate allows;
what each condition comes to; what each question inside an expression comes to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from cortex_policy.model import Outcome, Place
from cortex_policy.ruleset.branches import answers, questions
from cortex_policy.ruleset.forms import Written
from cortex_policy.ruleset.gates import Gate
from cortex_policy.ruleset.rules import Rule
from cortex_policy.ruleset.syntax import Node
from cortex_policy.verdicts.gates import Verdict
from cortex_policy.verdicts.proving import FOR, WHEN, Asked

LEVELS: Final = ("rules", "conditions", "branches")

APPLIES, NOT_APPLIES = "applies", "does not apply"
ALLOWS, NOT_ALLOWS = "allows", "does not allow"
TRUE, FALSE, UNKNOWN, NOT_TRUE = "true", "false", "unknown", "not true"

Key: TypeAlias = tuple[str, str, str, int, int]
"""Level, code of the rule or name of the gate, part of it, and the offsets of the question (0 for the whole)."""
Seen: TypeAlias = frozenset[tuple[Key, str]]


class Point(NamedTuple):
    """Something that tests can see: `wants` are its outcomes, `text` the expression and `place` where it stands."""

    key: Key
    wants: tuple[str, ...]
    text: str
    place: Place


class Gap(NamedTuple):
    """A point with the outcomes that no test has seen."""

    level: str
    owner: str
    part: str
    lacks: tuple[str, ...]
    text: str
    place: Place


class Level(NamedTuple):
    """How many outcomes were seen on one level, of how many, and how many are asked for (percent; None: none)."""

    name: str
    covered: int
    total: int
    threshold: float | None = None

    @property
    def percent(self) -> float:
        """To one digit, and never rounded up: 100 means all."""
        return self.covered * 1000 // self.total / 10 if self.total else 0.0

    @property
    def reached(self) -> bool:
        """INVARIANT: where there was nothing to see, nothing is reached."""
        return self.threshold is None or (
            self.total > 0 and self.covered * 100 >= self.threshold * self.total
        )


class Coverage(NamedTuple):
    """The three levels, and every gap in the order of places."""

    levels: tuple[Level, ...]
    gaps: tuple[Gap, ...]


def rule_points(rule: Rule, never: Mapping[str, Collection[str]]) -> Iterator[Point]:
    """All that can be seen of a rule; `never` names outcomes that its conditions cannot have."""
    code, place = rule.info.id, Place(rule.path, rule.line, 1)
    said = (APPLIES,) if rule.when is None else (APPLIES, NOT_APPLIES)
    yield Point(_whole("rules", code, ""), said, rule.info.name, place)
    yield from _questions(code, FOR, rule.collection, rule.collection_written, asked=False)
    if rule.when is not None and rule.when_written is not None:
        yield from _questions(code, WHEN, rule.when, rule.when_written, asked=True)
    for condition in rule.require:
        outcomes = (TRUE, FALSE, UNKNOWN) if rule.report_unknown else (TRUE, FALSE)
        wants = tuple(each for each in outcomes if each not in never.get(condition.id, ()))
        yield _condition(code, condition.id, wants, condition.tree, condition.written)
        for point in _questions(code, condition.id, condition.tree, condition.written, asked=True):
            # A condition that is one question cannot have as a question what it cannot have as a condition.
            whole = point.key[3:] == (condition.tree.start, condition.tree.end)
            yield (
                point._replace(wants=tuple(each for each in point.wants if each in wants)) if whole else point
            )


def gate_points(gate: Gate) -> Iterator[Point]:
    """All that can be seen of a gate."""
    place = Place(gate.path, gate.line, 1)
    for profile in gate.profiles:
        yield Point(_whole("rules", gate.name, profile), (ALLOWS, NOT_ALLOWS), f"profile {profile}", place)
    yield from _questions(gate.name, FOR, gate.collection, gate.collection_written, asked=False)
    for demand in gate.require:
        yield _condition(gate.name, demand.id, (TRUE, NOT_TRUE), demand.tree, demand.written)
        yield from _questions(gate.name, demand.id, demand.tree, demand.written, asked=True)


def _whole(level: str, owner: str, part: str) -> Key:
    return (level, owner, part, 0, 0)


def _condition(owner: str, part: str, wants: tuple[str, ...], tree: Node, written: Written) -> Point:
    return Point(
        _whole("conditions", owner, part), wants, " ".join(written.text.split()), written.place(tree)
    )


def _questions(owner: str, part: str, tree: Node, written: Written, *, asked: bool) -> Iterator[Point]:
    for node in questions(tree, asked=asked):
        key = ("branches", owner, part, node.start, node.end)
        yield Point(key, (TRUE, FALSE), written.part(node), written.place(node))


def rule_seen(rule: Rule, found: Iterable[Asked]) -> Seen:
    """What the proofs of a rule show."""
    seen: set[tuple[Key, str]] = set()
    code = rule.info.id
    conditions = {condition.id for condition in rule.require}
    for asked in found:
        seen |= _answered(code, asked)
        if asked.part in conditions:
            seen |= {
                (_whole("rules", code, ""), APPLIES),
                (_whole("conditions", code, asked.part), asked.proof.outcome.value),
            }
        elif asked.part == WHEN and asked.proof.outcome is Outcome.FALSE:
            seen.add((_whole("rules", code, ""), NOT_APPLIES))
    return frozenset(seen)


def gate_seen(gate: Gate, profile: str, verdict: Verdict, found: Iterable[Asked]) -> Seen:
    """What a verdict of a gate and its proofs show."""
    said = ALLOWS if verdict is Verdict.ALLOW else NOT_ALLOWS
    seen: set[tuple[Key, str]] = {(_whole("rules", gate.name, profile), said)}
    for asked in found:
        seen |= _answered(gate.name, asked)
        outcome = TRUE if asked.proof.outcome is Outcome.TRUE else NOT_TRUE
        seen.add((_whole("conditions", gate.name, asked.part), outcome))
    return frozenset(seen)


def _answered(owner: str, asked: Asked) -> set[tuple[Key, str]]:
    found = answers(asked.proof, asked=asked.part != FOR)
    return {(("branches", owner, asked.part, node.start, node.end), outcome.value) for node, outcome in found}


def applied(seen: Seen, code: str) -> bool:
    """Whether the rule was seen to apply to something."""
    return (_whole("rules", code, ""), APPLIES) in seen


def was(seen: Seen, code: str, condition: str, outcome: str) -> bool:
    """Whether the condition was seen to have the outcome."""
    return (_whole("conditions", code, condition), outcome) in seen


def coverage(points: Iterable[Point], seen: Seen, thresholds: Mapping[str, float]) -> Coverage:
    """How much of `points` was seen, and what was not; `thresholds` are percentages by level."""
    counts = {level: [0, 0] for level in LEVELS}
    gaps = []
    for point in points:
        level, owner, part, *_ = point.key
        lacks = tuple(outcome for outcome in point.wants if (point.key, outcome) not in seen)
        counts[level][0] += len(point.wants) - len(lacks)
        counts[level][1] += len(point.wants)
        if lacks:
            gaps.append(Gap(level, owner, part, lacks, point.text, point.place))
    levels = tuple(Level(name, counts[name][0], counts[name][1], thresholds.get(name)) for name in LEVELS)
    return Coverage(levels, tuple(sorted(gaps, key=_order)))


def _order(gap: Gap) -> tuple[Any, ...]:
    return (gap.place, LEVELS.index(gap.level), gap.owner, gap.part, gap.text)
