"""Whether findings and verdicts are those that a test expects; what is not is told with what came instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from cortex_policy.model import Finding, Location
from cortex_policy.ruleset.rules import Example
from cortex_policy.ruleset.scenarios import (
    ExpectedCondition,
    ExpectedFact,
    ExpectedFinding,
    ExpectedVerdict,
)
from cortex_policy.ruleset.steps import GateFact
from cortex_policy.ruleset.template import show
from cortex_policy.verdicts.coverage import Coverage
from cortex_policy.verdicts.gates import GateCondition, GateVerdict, deciding
from cortex_policy.verdicts.proving import Shown

MAX_NAMED: Final = 3
"""Findings, or facts, that one sentence names."""


class Miss(NamedTuple):
    """What was expected and did not come: by which `owner` (a rule or a gate), of which subject and condition.

    `subject` and `condition` are empty where all are meant. `proofs` are added by who can make them.
    """

    expected: str
    got: str
    owner: str = ""
    subject: str = ""
    condition: str = ""
    proofs: tuple[Shown, ...] = ()

    @property
    def problem(self) -> str:
        """Both, as one sentence."""
        return f"expected {self.expected}, got {self.got}"


class Tried(NamedTuple):
    """One example or scenario that was run. `kind` is `rule`, `gate` or `scenario`, `owner` a code, a gate or a pack.

    `misses` is empty when it showed what it should; `path` and `line` say where it is written.
    """

    kind: str
    owner: str
    name: str
    verdict: str
    misses: tuple[Miss, ...]
    path: str
    line: int

    @property
    def problem(self) -> str:
        """Every miss, as one text; empty when there is none."""
        return "; ".join(miss.problem for miss in self.misses)


class AllTried(NamedTuple):
    """Everything that was run, and what it covered."""

    results: tuple[Tried, ...]
    coverage: Coverage

    @property
    def passed(self) -> bool:
        """INVARIANT: where nothing was run, nothing passed."""
        reached = all(level.reached for level in self.coverage.levels)
        return reached and bool(self.results) and not any(tried.misses for tried in self.results)


# --------------------------------------------------------------------------- findings


def missed(example: Example, rule: str, found: Sequence[Finding]) -> Iterator[Miss]:
    """What an example of a rule should have shown: a passing one no finding, a failing one what it names."""
    if example.verdict == "pass":
        if found:
            first = found[0]
            yield Miss("no finding", _told(found[0]), rule, first.subjects[0], first.condition)
        return
    wanted = ExpectedFinding(
        rule=rule,
        condition=example.condition,
        outcome=example.outcome,
        path=example.path,
        line=example.line,
    )
    subjects = sorted({subject for finding in found for subject in finding.subjects})
    if not found:
        yield Miss("a finding", "none", rule, "", example.condition)
    elif example.subjects and subjects != sorted(example.subjects):
        yield Miss(f"findings for {', '.join(example.subjects)}", ", ".join(subjects), rule)
    elif not any(_fits(wanted, finding) for finding in found):
        yield Miss(_asked(wanted), f"no such finding; the first is {_told(found[0])}", rule)


def unmatched(expected: Sequence[ExpectedFinding], found: Sequence[Finding]) -> Iterator[Miss]:
    """INVARIANT: a scenario names everything that is found; neither more nor less may come."""
    told: list[Finding] = []
    for wanted in expected:
        if not any(_fits(wanted, finding) for finding in found):
            near = [finding for finding in found if _near(wanted, finding)]
            told += near
            yield Miss(_asked(wanted), _some(near), wanted.rule, wanted.subject, wanted.condition)
    for finding in found:
        if finding not in told and not any(_fits(wanted, finding) for wanted in expected):
            subject = finding.subjects[0]
            yield Miss(f"no other finding of {finding.rule}", _told(finding), finding.rule, subject)


def _near(wanted: ExpectedFinding, finding: Finding) -> bool:
    """Whether it is what came instead: the same rule finds something else of the same subject."""
    return finding.rule == wanted.rule and (not wanted.subject or wanted.subject in finding.subjects)


def _fits(wanted: ExpectedFinding, finding: Finding) -> bool:
    return (
        finding.rule == wanted.rule
        and (not wanted.subject or wanted.subject in finding.subjects)
        and (not wanted.outcome or finding.outcome.value == wanted.outcome)
        and (not wanted.condition or finding.condition == wanted.condition)
        and any(_at(wanted, place) for place in finding.locations or (_NOWHERE,))
    )


_NOWHERE: Final = Location("", 0, 0, "", "primary")


def _at(wanted: ExpectedFinding | ExpectedFact, place: Location | GateFact) -> bool:
    """Whether one and the same place has the path, the line and the text."""
    return (
        (not wanted.path or place.path == wanted.path)
        and (not wanted.line or place.line == wanted.line)
        and (not wanted.text or place.text == wanted.text)
    )


def _asked(wanted: ExpectedFinding) -> str:
    """`a finding of ABC-XYZ-001 for TASK-1, condition blockers (false) at a.md:3`."""
    subject = f" for {wanted.subject}" if wanted.subject else ""
    condition = f", condition {wanted.condition}" if wanted.condition else ""
    outcome = f" ({wanted.outcome})" if wanted.outcome else ""
    return f"a finding of {wanted.rule}{subject}{condition}{outcome}{_where(wanted)}"


def _where(wanted: ExpectedFinding | ExpectedFact) -> str:
    line = f"line {wanted.line}" if wanted.line else ""
    place = f"{wanted.path}:{wanted.line}" if wanted.path and wanted.line else wanted.path or line
    return (f" at {place}" if place else "") + (f" that reads `{wanted.text}`" if wanted.text else "")


def _told(finding: Finding) -> str:
    """A finding as it came."""
    first = finding.locations[0] if finding.locations else _NOWHERE
    place = f"{first.path}:{first.line}" if first.path else "no place"
    subjects = ", ".join(finding.subjects)
    return f"{finding.condition} ({finding.outcome.value}) for {subjects} at {place}: {finding.message}"


def _some(findings: Sequence[Finding]) -> str:
    more = f"; and {len(findings) - MAX_NAMED} more" if len(findings) > MAX_NAMED else ""
    return "; ".join(_told(finding) for finding in findings[:MAX_NAMED]) + more or "none"


# --------------------------------------------------------------------------- verdicts


def unsaid(wanted: ExpectedVerdict, found: GateVerdict) -> Iterator[Miss]:
    """INVARIANT: a verdict counts only for the reason that is named, never for another."""
    decided = [condition.id for condition in deciding(found)] if not found.reason else []
    told = found.reason or ", ".join(decided) or "every condition is true"
    if found.verdict.value != wanted.verdict:
        got = f"{found.verdict.value}: {told}"
        yield Miss(wanted.verdict, got, wanted.gate, wanted.subject)
        return
    yield from _reasons(wanted, found, decided, told)
    conditions = {condition.id: condition for condition in found.conditions}
    for because in wanted.because:
        for expected, got in _unlike(because, conditions.get(because.id)):
            yield Miss(expected, got, wanted.gate, wanted.subject, because.id)


def _reasons(
    wanted: ExpectedVerdict, found: GateVerdict, decided: Sequence[str], told: str
) -> Iterator[Miss]:
    """Whether the conditions that decided are those that were named."""
    named = [because.id for because in wanted.because if because.outcome != "true"]
    lacking = [name for name in named if name not in decided]
    if wanted.reason not in found.reason:
        yield Miss(f"the reason `{wanted.reason}`", told, wanted.gate, wanted.subject)
    elif lacking:
        names = ", ".join(f"`{name}`" for name in lacking)
        yield Miss(f"{wanted.verdict} by {names}", told, wanted.gate, wanted.subject)
    elif wanted.exact and (others := [name for name in decided if name not in named]):
        expected = f"{wanted.verdict} by nothing but {', '.join(f'`{name}`' for name in named)}"
        yield Miss(expected, f"{', '.join(others)} too", wanted.gate, wanted.subject)


def _unlike(wanted: ExpectedCondition, found: GateCondition | None) -> Iterator[tuple[str, str]]:
    """What one condition should have come to, and did not."""
    if found is None:
        yield f"the condition `{wanted.id}`", "a profile that does not ask it"
        return
    if wanted.outcome and found.outcome.value != wanted.outcome:
        yield f"`{wanted.id}` to be {wanted.outcome}", found.outcome.value
    for fact in wanted.facts:
        if not any(_is(fact, other) for other in found.facts):
            yield f"`{wanted.id}` to be decided by {_fact(fact)}", _facts(found.facts)
    for name in wanted.missing:
        if name not in found.missing:
            yield f"`{wanted.id}` to miss {name}", ", ".join(found.missing) or "nothing missing"


def _is(wanted: ExpectedFact, found: GateFact) -> bool:
    same = wanted.value is None or wanted.value == _plain(found.value)
    return wanted.name == found.name and same and _at(wanted, found)


def _plain(value: Any) -> str | tuple[str, ...]:
    """A value as a scenario writes it; `null` where no value counts."""
    return tuple(show(each) for each in value) if isinstance(value, list) else show(value)


def _fact(wanted: ExpectedFact) -> str:
    value = ", ".join(wanted.value) if isinstance(wanted.value, tuple) else wanted.value
    return wanted.name + ("" if value is None else f" = {value}") + _where(wanted)


def _facts(found: Iterable[GateFact]) -> str:
    told = [f"{fact.name} = {show(_plain(fact.value))} at {fact.path}:{fact.line}" for fact in found]
    return (
        ", ".join(told[:MAX_NAMED]) + (f" and {len(told) - MAX_NAMED} more" if told[MAX_NAMED:] else "")
        or "no fact"
    )
