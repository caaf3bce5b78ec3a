"""`test`: the examples of rules and gates and the scenarios of packs, run as their tests; and what they covered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from cortex_policy.app.checking import Selection, check
from cortex_policy.app.reading import ALONE, History, Reading, read_files
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import Finding, Outcome
from cortex_policy.ruleset.gates import EXAMPLE_VERDICTS, Gate, GateExample, supplied
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.ruleset.rules import Example, Rule
from cortex_policy.ruleset.scenarios import (
    BEFORE,
    ExpectedCondition,
    ExpectedVerdict,
    Scenario,
    read_scenarios,
)
from cortex_policy.verdicts.coverage import (
    Point,
    Seen,
    applied,
    coverage,
    gate_points,
    gate_seen,
    rule_points,
    rule_seen,
    was,
)
from cortex_policy.verdicts.expecting import AllTried, Miss, Tried, missed, unmatched, unsaid
from cortex_policy.verdicts.gates import Judge
from cortex_policy.verdicts.proving import FOR, WHEN, Asked, prove_gate, prove_rule, shown

MAX_PROOFS: Final = 5
"""Proofs that one failed expectation shows: who has more of them narrows the example."""


NO_THRESHOLD: Final[Mapping[str, float]] = MappingProxyType({})


def run_tests(
    rulesets: Sequence[Ruleset], now: datetime, thresholds: Mapping[str, float] = NO_THRESHOLD
) -> AllTried:
    """Every example and scenario. Raises `ConfigurationError` when some cannot be read at all."""
    results: list[Tried] = []
    problems: list[Problem] = []
    points: list[Point] = []
    seen: set[Seen] = set()
    for ruleset in rulesets:
        run = _Run(ruleset, now)
        results += run.results()
        problems += run.problems
        points += run.points
        seen |= run.seen
    if problems:
        raise ConfigurationError(
            tuple(sorted(problems, key=lambda each: (each.path, each.line, each.column)))
        )
    return AllTried(tuple(results), coverage(points, frozenset().union(*seen), thresholds))


class _Run:
    """The tests of the packs that are loaded together, and what they show on the way."""

    def __init__(self, ruleset: Ruleset, now: datetime) -> None:
        self.ruleset = ruleset
        self.now = now
        self.problems: list[Problem] = []
        self.points: list[Point] = []
        self.seen: set[Seen] = set()
        self.rules = {rule.info.id: rule for rule in ruleset.rules}
        self.gates = {gate.name: gate for gate in ruleset.gates}

    def results(self) -> tuple[Tried, ...]:
        found = [tried for rule in self.ruleset.rules for tried in self._rule(rule)]
        found += [tried for gate in self.ruleset.gates for tried in self._gate(gate)]
        scenarios = read_scenarios(self.ruleset)
        self.problems += scenarios.problems
        found += [self._scenario(scenario) for scenario in scenarios.found]
        return (*found, *self._yet_seen())

    # ----------------------------------------------------------------- rules

    def _rule(self, rule: Rule) -> Iterator[Tried]:
        examples = rule.examples()
        self.problems += examples.problems
        self.points += rule_points(rule, examples.never)
        verdicts = [example.verdict for example in examples.found]
        for verdict in ("pass", "fail"):
            # A rule that was never seen to pass, or never seen to fail, is not known to work.
            if verdict not in verdicts:
                miss = Miss(f"an example of the rule that should {verdict}", "none")
                yield _tried(rule, "examples", verdict, [miss], rule.line)
        for example in examples.found:
            reading = self._read(example.files, example.before, self.now)
            misses = self._missed(rule, example, reading)
            yield _tried(rule, example.name, example.verdict, misses, example.written)

    def _missed(self, rule: Rule, example: Example, reading: Reading) -> list[Miss]:
        """INVARIANT: an example in which the rule met no subject does not pass, unless it says that this is meant."""
        code = rule.info.id
        seen = self._observe(rule, reading)
        misses = list(missed(example, code, self._found([code], reading)))
        vacuous = example.verdict == "pass" and not example.vacuous and not applied(seen, code)
        if vacuous and not misses:
            misses.append(Miss("the rule to apply to something in this example", "no subject", code))
        return [self._proven(miss, reading, None) for miss in misses]

    def _observe(self, rule: Rule, reading: Reading) -> Seen:
        seen = rule_seen(rule, prove_rule(rule, reading.facts, reading.now))
        self.seen.add(seen)
        return seen

    def _found(self, codes: Sequence[str], reading: Reading) -> tuple[Finding, ...]:
        """What `check` would say of these rules."""
        return check(reading, Selection(select=tuple(codes))).findings

    def _yet_seen(self) -> Iterator[Tried]:
        """Outcomes that a condition is said never to have, and had."""
        everything: Seen = frozenset().union(*self.seen)
        for rule in self.ruleset.rules:
            for condition, outcomes in rule.examples().never.items():
                for outcome in outcomes:
                    if was(everything, rule.info.id, condition, outcome):
                        miss = Miss(
                            f"`{condition}` never to be {outcome}, as `never` says", "a test where it is"
                        )
                        yield _tried(rule, "never", "pass", [miss], rule.line)

    # ----------------------------------------------------------------- gates

    def _gate(self, gate: Gate) -> Iterator[Tried]:
        examples = gate.examples()
        self.problems += examples.problems
        self.points += gate_points(gate)
        for key, verdict in EXAMPLE_VERDICTS.items():
            # A gate that was never seen to let through, to refuse and to block is not known to work.
            if not any(example.verdict == key for example in examples.found):
                miss = Miss(f"an example of the gate below `{key}`, which should {_MEANS[verdict]}", "none")
                yield _tried(gate, "examples", key, [miss], gate.line)
        for example in examples.found:
            reading = self._read(example.files, None, self.now)
            misses = self._unsaid(_expected(gate, example), reading)
            yield _tried(gate, example.name, example.verdict, misses, example.written)

    def _unsaid(self, wanted: ExpectedVerdict, reading: Reading) -> list[Miss]:
        gate = self.gates[wanted.gate]
        judging = Judge(
            gate,
            wanted.profile,
            wanted.phase,
            reading.facts,
            reading.lines,
            reading.now,
            supplied(gate, wanted.given),
        )
        found = judging.verdict(wanted.subject)
        asked = tuple(prove_gate(judging, wanted.subject))
        self.seen.add(gate_seen(gate, wanted.profile, found.verdict, asked))
        return [self._proven(miss, reading, asked) for miss in unsaid(wanted, found)]

    # ----------------------------------------------------------------- scenarios

    def _scenario(self, scenario: Scenario) -> Tried:
        reading = self._read(
            scenario.documents, scenario.before, scenario.now or self.now, scenario.truncated
        )
        misses = [] if scenario.findings is None else self._unmatched(scenario, reading)
        for wanted in scenario.gates:
            misses += self._unsaid(wanted, reading)
        return Tried(
            "scenario", scenario.pack, scenario.name, "", tuple(misses), scenario.path, scenario.line
        )

    def _unmatched(self, scenario: Scenario, reading: Reading) -> list[Miss]:
        rules = [self.rules[code] for code in scenario.rules if code in self.rules]
        seen = {rule.info.id: self._observe(rule, reading) for rule in rules}
        found = self._found(scenario.rules, reading)
        misses = list(unmatched(scenario.findings or (), found))
        used = {code for code in seen if applied(seen[code], code)} | {finding.rule for finding in found}
        idle = [code for code in scenario.rules if code not in used]
        if not scenario.vacuous and idle and (scenario.named or not used):
            # INVARIANT: nothing found by rules that looked at nothing is no pass.
            names = ", ".join(idle) if scenario.named else "a rule"
            misses.append(Miss(f"{names} to apply to something", "no subject"))
        return [self._proven(miss, reading, None) for miss in misses]

    # ----------------------------------------------------------------- both

    def _read(
        self,
        files: Mapping[str, str],
        before: Mapping[str, str] | None,
        now: datetime,
        truncated: Sequence[str] = (),
    ) -> Reading:
        """Documents, and those that a change began with where there are any."""
        history = ALONE
        if before is not None:
            base = read_files(before, self.ruleset, now, History(origin=BEFORE), truncated)
            history = History(base=base)
        return read_files(files, self.ruleset, now, history, truncated)

    def _proven(self, miss: Miss, reading: Reading, asked: Iterable[Asked] | None) -> Miss:
        """The miss with the proofs of what it is about, those that are not true first."""
        if asked is None:
            rule = self.rules.get(miss.owner)
            asked = () if rule is None else prove_rule(rule, reading.facts, reading.now)
        about = [each for each in asked if _concerns(miss, each)]
        about.sort(key=lambda each: each.proof.outcome is Outcome.TRUE)
        proofs = tuple(shown(each, reading.facts, reading.lines) for each in about[:MAX_PROOFS])
        return miss._replace(proofs=proofs)


def _concerns(miss: Miss, asked: Asked) -> bool:
    """Whether a proof is about the subject and the condition of a miss; `when` always is, `for` where it gives none."""
    if asked.part == FOR:
        return not isinstance(asked.proof.value, tuple)
    same = not miss.subject or asked.subject == miss.subject
    return same and (not miss.condition or asked.part in (miss.condition, WHEN))


_MEANS: Final = {"allow": "be allowed", "deny": "be denied", "blocked": "be blocked"}


def _expected(gate: Gate, example: GateExample) -> ExpectedVerdict:
    because = (ExpectedCondition(example.condition),) if example.condition else ()
    verdict = EXAMPLE_VERDICTS[example.verdict]
    return ExpectedVerdict(
        gate=gate.name,
        subject=example.subject,
        profile=example.profile,
        phase=example.phase,
        verdict=verdict,
        because=() if verdict == "allow" else because,
        exact=False,
        given=example.given,
    )


def _tried(owner: Rule | Gate, name: str, verdict: str, misses: Sequence[Miss], line: int) -> Tried:
    kind, code = ("rule", owner.info.id) if isinstance(owner, Rule) else ("gate", owner.name)
    return Tried(kind, code, name, verdict, tuple(misses), owner.path, line)
