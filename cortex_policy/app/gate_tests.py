"""`test`: the examples of every gate, run as the gate's tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from cortex_policy.app.reading import read_files
from cortex_policy.app.rule_tests import ExampleResult
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.ruleset.gates import EXAMPLE_VERDICTS, Gate, GateExample, supplied
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.verdicts.gates import GateVerdict, Judge, deciding


def run_gate_examples(rulesets: Sequence[Ruleset], now: datetime) -> tuple[ExampleResult, ...]:
    """Every example of every gate. Raises `ConfigurationError` when examples cannot be read at all."""
    results: list[ExampleResult] = []
    problems: list[Problem] = []
    for ruleset in rulesets:
        for gate in ruleset.gates:
            examples = gate.examples()
            problems += examples.problems
            results += _missing(gate, examples.found)
            results += (_run(gate, example, ruleset, now) for example in examples.found)
    if problems:
        raise ConfigurationError(tuple(problems))
    return tuple(results)


def _missing(gate: Gate, examples: Sequence[GateExample]) -> Iterator[ExampleResult]:
    """A gate that was never seen to let through, to refuse and to block is not known to work."""
    for key, verdict in EXAMPLE_VERDICTS.items():
        if not any(example.verdict == key for example in examples):
            problem = f"the gate has no example below `{key}`, which should {_MEANS[verdict]}"
            yield ExampleResult(rule=gate.name, name="examples", verdict=key, problem=problem, is_gate=True)


_MEANS: Final = {"allow": "be allowed", "deny": "be denied", "blocked": "be blocked"}


def _run(gate: Gate, example: GateExample, ruleset: Ruleset, now: datetime) -> ExampleResult:
    reading = read_files(example.files, ruleset, now)
    given = supplied(gate, example.given)
    judge = Judge(gate, example.profile, example.phase, reading.facts, reading.lines, now, given)
    problem = _not_shown(example, judge.verdict(example.subject))
    return ExampleResult(
        rule=gate.name, name=example.name, verdict=example.verdict, problem=problem, is_gate=True
    )


def _not_shown(example: GateExample, found: GateVerdict) -> str:
    """INVARIANT: an example passes only for the reason that it names, never for another."""
    wanted = EXAMPLE_VERDICTS[example.verdict]
    decided = [condition.id for condition in deciding(found)] if not found.reason else []
    shown = found.reason or ", ".join(decided) or "every condition is true"
    if found.verdict.value != wanted:
        return f"expected {wanted}, got {found.verdict.value}: {shown}"
    if wanted != "allow" and example.condition not in decided:
        return f"expected {wanted} by `{example.condition}`, got {shown}"
    return ""
