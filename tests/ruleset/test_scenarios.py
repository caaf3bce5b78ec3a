"""Scenario files: what they may say, and each mistake with its place."""

from __future__ import annotations

import pytest

from cortex_policy.ruleset.packs import PackFiles, Ruleset, load
from cortex_policy.ruleset.scenarios import ExpectedFact, ExpectedFinding, Scenario, read_scenarios
from tests.support import PACK

GATE = """
gate: start
for: t in items("task")
profiles: [own, team]
require:
  - {id: open, profile: own, that: t.status == "done", phase: pre, why: w, source: [tests]}
  - {id: titled, profile: team, that: has(t.title), phase: pre, why: w, source: [tests]}
"""
HEAD = 'scenario: one\ndocuments: {a.md: "## T-1\\nStatus: open\\n"}\n'
QUIET = "expect: {findings: []}\n"


def rules(text: str, name: str = "scenarios/one.yaml") -> Ruleset:
    files = {**PACK, "gates/start.yaml": GATE, name: text}
    return load([PackFiles(name="tiny", origin="tiny", files=files, schemas={})])


def scenarios(text: str) -> tuple[Scenario, ...]:
    found = read_scenarios(rules(text))
    assert [problem.message for problem in found.problems] == []
    return found.found


def problems(text: str) -> list[tuple[str, int, int, str]]:
    found = read_scenarios(rules(text))
    assert found.found == ()
    assert {problem.path for problem in found.problems} == {"tiny/scenarios/one.yaml"}
    return [(problem.message, problem.line, problem.column, problem.hint) for problem in found.problems]


def finding(text: str) -> str:
    return f"{HEAD}expect:\n  findings:\n    - {{{text}}}\n"


def verdict(text: str) -> str:
    return f"{HEAD}expect:\n  gates:\n    - {{{text}}}\n"


@pytest.mark.parametrize(
    ("text", "message", "line", "hint"),
    [
        ("", "the file is empty", 1, ""),
        ("[]", "no scenario in this file", 1, "a scenario has `scenario`, `documents` and `expect`"),
        ("- 1\n", "a scenario is a mapping of keys to values", 1, ""),
        ("scenario: [\n", "did not find expected node content", 2, ""),
        (f"{HEAD}{HEAD}{QUIET}", "key `scenario` stands twice (first on line 1)", 3, ""),
        (f"{HEAD}{QUIET}docs: {{}}\n", "a scenario has no key `docs`", 4, "did you mean `documents`?"),
        (f"documents: {{a.md: x}}\n{QUIET}", "a scenario lacks `scenario`", 1, ""),
        (f"scenario: one\n{QUIET}", "a scenario without documents says nothing", 1, ""),
        (f"scenario: one\ndocuments: {{}}\n{QUIET}", "a scenario without documents says nothing", 2, ""),
        (f"scenario: one\ndocuments: []\n{QUIET}", "`documents` of a scenario is a mapping", 2, ""),
        (HEAD, "a scenario expects something", 1, "`findings` (`[]` for none) or `gates`"),
        (f"{HEAD}expect: {{}}\n", "a scenario expects something", 3, "`findings` (`[]` for none) or `gates`"),
        (f"{HEAD}expect: {{gates: []}}\n", "a scenario expects something", 3, ""),
        (f"{HEAD}expect: []\n", "`expect` is a mapping of keys to values", 3, ""),
        (f"{HEAD}expect: {{finding: []}}\n", "`expect` has no key `finding`", 3, "did you mean `findings`?"),
        (f"{HEAD}expect: {{findings: none}}\n", "`findings` of `expect` is a list", 3, ""),
        (f"{HEAD}now: soon\n{QUIET}", "`soon` is no time", 3, "such as 2026-01-31T12:00:00Z"),
        (f"{HEAD}truncated: [/a]\n{QUIET}", "`/a` cannot be used: ", 3, ""),
        (f"{HEAD}vacuous: maybe\n{QUIET}", "`vacuous` is `maybe`, not one of true, false", 3, ""),
        (f"{HEAD}rules: [TNY-TSK-003]\n{QUIET}", "no rule `TNY-TSK-003`", 3, "did you mean `TNY-TSK-002`?"),
        (
            f"{HEAD}rules: [TNY-TSK-001]\nexpect: {{gates: [{{gate: start, subject: T-1, verdict: allow}}]}}\n",
            "`rules` without `findings` asks nothing",
            3,
            "add `findings`",
        ),
        (
            f"{HEAD}rules: [TNY-TSK-001]\nexpect:\n  findings:\n    - {{rule: TNY-TSK-002}}\n",
            "`TNY-TSK-002` is not among the `rules` of the scenario",
            6,
            "add it there, or leave `rules` out",
        ),
        (finding("subjects: [T-1]"), "a finding lacks `rule`", 5, ""),
        (finding("rule: TNY-TSK-01"), "no rule `TNY-TSK-01`", 5, "did you mean `TNY-TSK-001`?"),
        (finding("rule: X"), "no rule `X`", 5, "rules: CPX-DOC-001"),
        (finding("rule: TNY-TSK-001, condition: need"), "no condition `need`", 5, "did you mean `needs`?"),
        (finding("rule: TNY-TSK-001, outcome: true"), "`outcome` is `true`, not one of false", 5, ""),
        (finding("rule: TNY-TSK-001, path: b.md"), "no document `b.md` in this scenario", 5, ""),
        (finding("rule: TNY-TSK-001, line: x"), "`x` is no line", 5, "lines count from 1"),
        (finding("rule: TNY-TSK-001, line: 0"), "`0` is no line", 5, "lines count from 1"),
        (finding("rule: TNY-TSK-001, line: ²"), "`²` is no line", 5, "lines count from 1"),
        (
            finding("rule: TNY-TSK-001, path: a.md, line: 9"),
            "there is no line 9",
            5,
            "`a.md` has 3 lines",
        ),
        (finding("rule: TNY-TSK-001, line: 9"), "there is no line 9", 5, "no document has more than 3 lines"),
        (finding("rule: TNY-TSK-001, lines: 9"), "a finding has no key `lines`", 5, ""),
        (f"{HEAD}expect: {{findings: [x]}}\n", "a finding is a mapping of keys to values", 3, ""),
        (verdict("gate: stat, subject: T-1, verdict: allow"), "no gate `stat`", 5, "did you mean `start`?"),
        (verdict("subject: T-1, verdict: allow"), "a verdict lacks `gate`", 5, ""),
        (verdict("gate: start, verdict: allow"), "a verdict lacks `subject`", 5, ""),
        (verdict("gate: start, subject: T-1"), "a verdict lacks `verdict`", 5, ""),
        (
            verdict("gate: start, subject: T-1, verdict: allow, set: {clean: [x]}"),
            "supplied fact `clean` is a text",
            5,
            "",
        ),
        (
            verdict("gate: start, subject: T-1, verdict: pass"),
            "`verdict` is `pass`, not one of allow, deny, blocked",
            5,
            "",
        ),
        (
            verdict("gate: start, subject: T-1, verdict: allow, profile: all"),
            "no profile `all`",
            5,
            "profiles: own, team",
        ),
        (
            verdict("gate: start, subject: T-1, verdict: allow, phase: later"),
            "`phase` is `later`, not one of pre, post",
            5,
            "",
        ),
        (
            verdict("gate: start, subject: T-1, verdict: deny"),
            "`deny` needs `because`: the conditions that decide",
            5,
            "such as `because: [{condition: blockers}]`",
        ),
        (
            verdict("gate: start, subject: T-1, verdict: blocked, because: []"),
            "`blocked` needs `because`: the conditions that decide",
            5,
            "",
        ),
        (
            verdict("gate: start, subject: T-1, verdict: deny, because: [{condition: opem}]"),
            "no condition `opem`",
            5,
            "did you mean `open`?",
        ),
        (
            verdict("gate: start, subject: T-1, verdict: deny, because: [x]"),
            "a condition is a mapping of keys to values",
            5,
            "",
        ),
        (
            verdict("gate: start, subject: T-1, verdict: deny, because: [{condition: open, facts: [x]}]"),
            "a fact is a mapping of keys to values",
            5,
            "",
        ),
        (
            verdict(
                "gate: start, subject: T-1, verdict: deny, because: [{condition: open, facts: [{line: 1}]}]"
            ),
            "a fact lacks `name`",
            5,
            "",
        ),
        (
            verdict(
                "gate: start, subject: T-1, verdict: deny, "
                "because: [{condition: open, facts: [{name: T-1.status, line: 8}]}]"
            ),
            "there is no line 8",
            5,
            "no document has more than 3 lines",
        ),
        (f"{HEAD}expect: {{gates: [x]}}\n", "a verdict is a mapping of keys to values", 3, ""),
    ],
)
def test_a_mistake_has_its_place_and_the_next_step(text: str, message: str, line: int, hint: str) -> None:
    found = problems(text)
    assert [(m[: len(message)], at) for m, at, _, _ in found if m.startswith(message)] == [(message, line)], (
        found
    )
    assert [h for m, _, _, h in found if m.startswith(message) and hint in h] != []
    assert all(column > 0 for _, _, column, _ in found)


def test_a_condition_of_a_gate_that_does_not_exist_is_no_second_mistake() -> None:
    found = problems(
        verdict("gate: stat, subject: T-1, profile: own, verdict: deny, because: [{condition: open}]")
    )
    assert [message for message, *_ in found] == ["no gate `stat`", "no profile `own`"]


def test_what_a_scenario_holds() -> None:
    (found,) = scenarios(
        """
scenario: one
now: 2026-01-31
documents: {a.md: "## T-1\\nStatus: open\\n", b.md: x}
before: {a.md: "## T-1\\n"}
truncated: ["c/**"]
rules: [TNY-TSK-001, TNY-TSK-002]
vacuous: true
expect:
  findings:
    - {rule: TNY-TSK-001, subjects: [T-1, T-2], path: "before:a.md", line: 2, text: x, outcome: unknown}
  gates:
    - gate: start
      subject: T-1
      verdict: blocked
      because:
        - {condition: open, missing: [T-1.status], facts: [{name: T-1.x, value: [a, b]}, {name: T-1.y, value: "1"}]}
        - {condition: titled, outcome: "true", facts: [{name: T-1.z, value: []}, {name: T-1.w}]}
    - {gate: start, subject: T-9, profile: own, phase: post, verdict: blocked, reason: nobody}
"""
    )
    assert (found.name, found.pack, found.path, found.line) == ("one", "tiny", "tiny/scenarios/one.yaml", 2)
    assert found.now is not None
    assert found.now.isoformat() == "2026-01-31T00:00:00+00:00"
    assert (dict(found.documents), dict(found.before or {})) == (
        {"a.md": "## T-1\nStatus: open\n", "b.md": "x"},
        {"a.md": "## T-1\n"},
    )
    assert (found.truncated, found.rules, found.named, found.vacuous) == (
        ("c/**",),
        ("TNY-TSK-001", "TNY-TSK-002"),
        True,
        True,
    )
    one = ExpectedFinding("TNY-TSK-001", "T-1", "", "unknown", "before:a.md", 2, "x", 11)
    assert found.findings == (one, one._replace(subject="T-2"))
    first, second = found.gates
    assert (first.profile, first.phase, first.exact, first.written) == ("team", "pre", True, 13)
    assert [because.outcome for because in first.because] == ["unknown", "true"]
    assert first.because[0].facts == (ExpectedFact("T-1.x", ("a", "b")), ExpectedFact("T-1.y", "1"))
    assert first.because[1].facts == (ExpectedFact("T-1.z", ()), ExpectedFact("T-1.w"))
    assert first.because[0].missing == ("T-1.status",)
    assert (second.profile, second.phase, second.reason, second.because) == ("own", "post", "nobody", ())


def test_without_rules_those_of_its_own_pack_and_the_faults_are_asked() -> None:
    (found,) = scenarios(f"- {HEAD.replace(chr(10), chr(10) + '  ').rstrip(' ')}  {QUIET}")
    assert found.rules[:2] == ("TNY-TSK-001", "TNY-TSK-002")
    assert all(code.startswith("CPX-DOC-") for code in found.rules[2:])
    assert (found.named, found.findings, found.gates, found.now) == (False, (), (), None)


def test_only_yaml_below_scenarios_is_read_and_only_when_asked() -> None:
    assert read_scenarios(rules("[", name="other/one.yaml")).found == ()
    assert rules("[").scenarios[0].text == "["  # a pack loads, whatever its scenarios say
    assert read_scenarios(rules("[")).problems != ()
