"""`test`: the examples of every rule, run as the rule's tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from cortex_policy.app.reading import ALONE, History, read_files
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import Finding
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.ruleset.rules import Example, Rule
from cortex_policy.verdicts import Decision, decide


class ExampleResult(NamedTuple):
    """One example of a rule or gate that was run; `problem` is empty when it showed what it should."""

    rule: str
    name: str
    verdict: str
    problem: str
    is_gate: bool = False


def run_examples(rulesets: Sequence[Ruleset], now: datetime) -> tuple[ExampleResult, ...]:
    """Every example of every rule. Raises `ConfigurationError` when examples cannot be read at all."""
    results: list[ExampleResult] = []
    problems: list[Problem] = []
    for ruleset in rulesets:
        for rule in ruleset.rules:
            examples = rule.examples()
            problems += examples.problems
            results += _missing(rule, examples.found)
            results += (_run(rule, example, ruleset, now) for example in examples.found)
    if problems:
        raise ConfigurationError(tuple(problems))
    return tuple(results)


def _missing(rule: Rule, examples: tuple[Example, ...]) -> Iterator[ExampleResult]:
    """A rule that was never seen to pass, or never seen to fail, is not known to work."""
    for verdict in ("pass", "fail"):
        if not any(example.verdict == verdict for example in examples):
            problem = f"the rule has no example that should {verdict}"
            yield ExampleResult(rule=rule.info.id, name="examples", verdict=verdict, problem=problem)


def _run(rule: Rule, example: Example, ruleset: Ruleset, now: datetime) -> ExampleResult:
    reading = read_files(example.files, ruleset, now, _history(example, ruleset, now))
    alone = Ruleset(model=ruleset.model, rules=(rule,), digest=ruleset.digest, packs=ruleset.packs)
    decision = decide(alone, reading.facts, reading.graph, reading.lines, now)
    own = tuple(finding for finding in decision.findings if finding.rule == rule.info.id)
    problem = (
        _not_passed(rule, example, decision, own) if example.verdict == "pass" else _not_failed(example, own)
    )
    return ExampleResult(rule=rule.info.id, name=example.name, verdict=example.verdict, problem=problem)


def _history(example: Example, ruleset: Ruleset, now: datetime) -> History:
    """What a change began with, for a rule that judges one."""
    if example.before is None:
        return ALONE
    return History(base=read_files(example.before, ruleset, now, History(origin="before:")))


def _not_passed(rule: Rule, example: Example, decision: Decision, own: tuple[Finding, ...]) -> str:
    """INVARIANT: an example in which the rule met no subject does not pass, unless it says that this is its point."""
    if own:
        return f"expected no finding, got: {own[0].message}"
    if not example.vacuous and not decision.applied.get(rule.info.id):
        return "the rule applied to nothing in this example"
    return ""


def _not_failed(example: Example, own: tuple[Finding, ...]) -> str:
    if not own:
        return "expected a finding, got none"
    subjects = sorted({subject for finding in own for subject in finding.subjects})
    if example.subjects and subjects != sorted(example.subjects):
        return f"expected findings for {', '.join(example.subjects)}, got {', '.join(subjects)}"
    matching = [finding for finding in own if _matches(example, finding)]
    if matching:
        return ""
    first = own[0]
    place = f"{first.locations[0].path}:{first.locations[0].line}" if first.locations else "no place"
    shown = f"{first.condition} ({first.outcome.value}) at {place}: {first.message}"
    return f"no finding is as expected; the first is {shown}"


def _matches(example: Example, finding: Finding) -> bool:
    lines = {location.line for location in finding.locations}
    paths = {location.path for location in finding.locations}
    return (
        (not example.outcome or finding.outcome.value == example.outcome)
        and (not example.condition or finding.condition == example.condition)
        and (not example.line or example.line in lines)
        and (not example.path or example.path in paths)
    )
