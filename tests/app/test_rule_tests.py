"""`test`: examples and scenarios are run for what they assert, and count for what they saw."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cortex_policy.app.reading import read_files
from cortex_policy.app.rule_tests import MAX_PROOFS, run_tests
from cortex_policy.errors import ConfigurationError
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load
from cortex_policy.verdicts.expecting import AllTried, Tried
from tests.support import NOW, PACK

RULE = """
id: TNY-TSK-001
name: done-needs-done
for: t in items("task")
when: t.status == "done"
require:
  needs: t.needs.all(n, n.status == "done")
severity: error
message: "{t.id} needs {n.id}"
why: w
source: [tests]
examples:
  pass:
    - files: {a.md: "## T-1\\nStatus: done\\n"}
  fail:
    - files: {a.md: "## T-1\\nStatus: done\\nNeeds: T-2\\n## T-2\\nStatus: draft\\n"}
      expect: {subjects: [T-1], line: 3}
"""
CHANGE = """
id: TNY-TSK-002
name: done-stays-done
on: change
for: t in items("task")
when: 'old(t).is_declared ? old(t).status == "done" : false'
require:
  status: t.status == "done"
severity: error
message: "{t.id} was done"
why: w
source: [tests]
examples:
  pass:
    - before: {a.md: "## T-1\\nStatus: done\\n"}
      files: {a.md: "## T-1\\nStatus: done\\n"}
  fail:
    - before: {a.md: "## T-1\\nStatus: done\\n"}
      files: {a.md: "## T-1\\nStatus: draft\\n"}
"""
GATE = """
gate: start
for: t in items("task").filter(t, t.id != "T-9")
profiles: [own, team]
require:
  - {id: ready, profile: own, that: 't.needs.all(n, n.status == "done")', phase: pre, why: w, source: [tests]}
  - {id: titled, profile: team, that: has(t.title), phase: post, why: w, source: [tests]}
examples:
  pass:
    - files: {a.md: "## T-1: one\\n"}
      expect: {subject: T-1}
  fail:
    - files: {a.md: "## T-1\\nNeeds: T-2\\n## T-2\\nStatus: draft\\n"}
      expect: {subject: T-1, condition: ready}
  blocked:
    - files: {a.md: "## T-1\\nNeeds: T-2\\n## T-2\\n"}
      expect: {subject: T-1, profile: own, condition: ready}
"""
DOCUMENTS = '{a.md: "## T-1: one\\nStatus: done\\nNeeds: T-2\\n## T-2: two\\nStatus: draft\\n"}'
FOUND = "{rule: TNY-TSK-001, subjects: [T-1], condition: needs, path: a.md, line: 3, text: 'Needs: T-2'}"


def pack(files: Mapping[str, str]) -> Ruleset:
    every = {**PACK, "rules/rules.yaml": RULE, "rules/change.yaml": CHANGE, "gates/start.yaml": GATE, **files}
    return load([PackFiles(name="tiny", origin="tiny", files=every, schemas={})])


def run(**files: str) -> AllTried:
    names = {"rule": "rules/rules.yaml", "gate": "gates/start.yaml", "scenario": "scenarios/one.yaml"}
    return run_tests([pack({names[key]: text for key, text in files.items()})], NOW)


def scenario(
    expect: str, documents: str = DOCUMENTS, before: str = "", rules: str = "[TNY-TSK-001]", more: str = ""
) -> Tried:
    first = f"before: {before}\n" if before else ""
    asked = f"rules: {rules}\n" if rules else ""
    text = f"scenario: one\n{first}{asked}{more}documents: {documents}\nexpect: {expect}\n"
    (found,) = [tried for tried in run(scenario=text).results if tried.kind == "scenario"]
    return found


def gaps(found: AllTried, level: str = "") -> list[tuple[str, str, tuple[str, ...]]]:
    return [(gap.owner, gap.part, gap.lacks) for gap in found.coverage.gaps if level in ("", gap.level)]


# ------------------------------------------------------------------ findings


def test_what_is_named_comes() -> None:
    assert scenario(f"{{findings: [{FOUND}]}}").misses == ()


@pytest.mark.parametrize(
    ("findings", "problem"),
    [
        ("", "expected no other finding of TNY-TSK-001, got needs (false) for T-1 at a.md:3: T-1 needs T-2"),
        (
            "{rule: TNY-TSK-001, subjects: [T-2]}",
            "expected a finding of TNY-TSK-001 for T-2 (false), got none; "
            "expected no other finding of TNY-TSK-001, got needs (false) for T-1 at a.md:3: T-1 needs T-2",
        ),
        (
            "{rule: TNY-TSK-001, subjects: [T-1], line: 2}",
            "expected a finding of TNY-TSK-001 for T-1 (false) at line 2, "
            "got needs (false) for T-1 at a.md:3: T-1 needs T-2",
        ),
        (
            "{rule: TNY-TSK-001, path: a.md, line: 3, text: 'Needs: T-3'}",
            "expected a finding of TNY-TSK-001 (false) at a.md:3 that reads `Needs: T-3`, "
            "got needs (false) for T-1 at a.md:3: T-1 needs T-2",
        ),
        (
            "{rule: TNY-TSK-001, outcome: unknown, path: a.md}",
            "expected a finding of TNY-TSK-001 (unknown) at a.md, "
            "got needs (false) for T-1 at a.md:3: T-1 needs T-2",
        ),
        (
            "{rule: TNY-TSK-001, condition: when}",
            "expected a finding of TNY-TSK-001, condition when (false), "
            "got needs (false) for T-1 at a.md:3: T-1 needs T-2",
        ),
    ],
)
def test_what_is_expected_and_what_came_is_told(findings: str, problem: str) -> None:
    assert scenario(f"{{findings: [{findings}]}}").problem == problem


def test_path_line_and_text_are_those_of_one_place() -> None:
    other = "{rule: TNY-TSK-001, line: 3, text: 'Status: draft'}"
    assert "that reads `Status: draft`" in scenario(f"{{findings: [{other}]}}").problem
    assert scenario("{findings: [{rule: TNY-TSK-001, line: 5, text: 'Status: draft'}]}").misses == ()


def test_every_subject_that_is_named_needs_its_finding() -> None:
    found = scenario("{findings: [{rule: TNY-TSK-001, subjects: [T-1, T-2]}]}")
    assert found.problem == "expected a finding of TNY-TSK-001 for T-2 (false), got none"


def test_many_findings_are_counted() -> None:
    text = (
        "".join(f"## T-{n}\\nStatus: done\\nNeeds: T-9\\n" for n in range(1, 6)) + "## T-9\\nStatus: draft\\n"
    )
    found = scenario("{findings: [{rule: TNY-TSK-001, line: 1}]}", f'{{a.md: "{text}"}}')
    assert found.misses[0].got.endswith("; and 2 more")
    assert len(found.misses[0].proofs) == MAX_PROOFS


def test_a_fault_of_a_document_is_a_finding_too() -> None:
    found = scenario(
        "{findings: [{rule: CPX-DOC-005, condition: readable, line: 1}]}", '{a.md: "\\0"}', rules=""
    )
    assert found.misses == ()
    half = read_files({"a.md": "\ud800"}, pack({}), NOW).graph.documents[0]
    assert [fault.code for fault in half.faults] == ["not-utf-8"]  # and no fault of ours


@pytest.mark.parametrize("rules", ["", "[TNY-TSK-001]", "[TNY-TSK-002]"])
def test_rules_that_looked_at_nothing_prove_nothing(rules: str) -> None:
    found = scenario("{findings: []}", '{a.md: "## T-1\\nStatus: draft\\n"}', rules=rules)
    named = rules.strip("[]") or "a rule"
    assert found.problem == f"expected {named} to apply to something, got no subject"
    assert (
        scenario(
            "{findings: []}", '{a.md: "## T-1\\nStatus: draft\\n"}', rules=rules, more="vacuous: true\n"
        ).misses
        == ()
    )


def test_now_is_that_of_the_scenario() -> None:
    text = RULE.replace(
        't.needs.all(n, n.status == "done")', 't.due < today || t.needs.all(n, n.status == "done")'
    )
    one = (
        "scenario: one\nrules: [TNY-TSK-001]\ndocuments:\n"
        '  a.md: "## T-1\\nStatus: done\\nDue: 2026-01-01\\nNeeds: T-2\\n## T-2\\nStatus: draft\\n"\n'
    )
    for now, problem in [("2026-02-01", ""), ("2025-02-01", "expected no other finding")]:
        results = run(rule=text, scenario=f"{one}now: {now}\nexpect: {{findings: []}}\n").results
        assert results[-1].problem.startswith(problem)
        assert bool(results[-1].problem) == bool(problem)


# ------------------------------------------------------------------ before and after


@pytest.mark.parametrize(
    ("before", "after", "findings"),
    [
        ("done", "draft", "{rule: TNY-TSK-002, subjects: [T-1], condition: status, path: a.md, line: 2}"),
        ("done", "draft", '{rule: TNY-TSK-002, path: "before:a.md", line: 2}'),
        ("draft", "done", ""),
        ("done", "done", ""),
    ],
)
def test_a_change_is_judged(before: str, after: str, findings: str) -> None:
    then, now = (f'{{a.md: "## T-1\\nStatus: {status}\\n"}}' for status in (before, after))
    found = scenario(f"{{findings: [{findings}]}}", now, then, rules="[TNY-TSK-002]", more="vacuous: true\n")
    assert found.problem == ""


def test_with_before_only_what_the_change_brings_is_found() -> None:
    assert scenario("{findings: []}", before=DOCUMENTS).problem == ""
    assert scenario("{findings: []}").problem != ""


def test_without_before_a_rule_over_changes_asks_nothing() -> None:
    found = scenario("{findings: []}", rules="[TNY-TSK-002]")
    assert found.problem == "expected TNY-TSK-002 to apply to something, got no subject"


def test_a_base_that_was_empty() -> None:
    found = scenario("{findings: [{rule: TNY-TSK-001, line: 3}]}", before="{}")
    assert found.problem == ""


# ------------------------------------------------------------------ verdicts


def said(entry: str, documents: str = DOCUMENTS) -> Tried:
    return scenario(f"{{gates: [{{gate: start, {entry}}}]}}", documents, rules="")


BECAUSE = "{condition: ready, facts: [{name: T-2.status, value: draft, path: a.md, line: 5, text: 'Status: draft'}]}"


@pytest.mark.parametrize(
    "entry",
    [
        f"subject: T-1, verdict: deny, because: [{BECAUSE}]",
        f"subject: T-1, phase: post, verdict: deny, because: [{BECAUSE}, {{condition: titled, outcome: 'true'}}]",
        "subject: T-1, verdict: deny, because: [{condition: ready, facts: [{name: T-1.needs, value: [T-2]}]}]",
        "subject: T-2, verdict: allow, because: [{condition: ready}]",
        "subject: T-2, verdict: allow, phase: post",
        "subject: T-7, verdict: blocked, reason: no document declares",
    ],
)
def test_the_verdict_and_what_decides_are_as_named(entry: str) -> None:
    assert said(entry).problem == ""


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("subject: T-1, verdict: allow", "expected allow, got deny: ready"),
        (
            "subject: T-2, verdict: deny, because: [{condition: ready}]",
            "expected deny, got allow: every condition is true",
        ),
        (
            "subject: T-7, verdict: deny, because: [{condition: ready}]",
            "expected deny, got blocked: no document declares `T-7`: did you mean `T-2`?",
        ),
        (
            "subject: T-1, verdict: deny, because: [{condition: titled}]",
            "expected deny by `titled`, got ready; expected `titled` to be false, got true",
        ),
        (
            "subject: T-1, verdict: deny, reason: nobody",
            "expected the reason `nobody`, got ready",
        ),
        (
            "subject: T-1, verdict: deny, because: [{condition: ready, outcome: unknown}]",
            "expected `ready` to be unknown, got false",
        ),
        (
            "subject: T-1, verdict: deny, profile: own, "
            "because: [{condition: ready}, {condition: titled, outcome: 'true'}]",
            "expected the condition `titled`, got a profile that does not ask it",
        ),
        (
            "subject: T-1, verdict: deny, "
            "because: [{condition: ready, facts: [{name: T-2.status, value: done, line: 5}]}]",
            "expected `ready` to be decided by T-2.status = done at line 5, "
            "got T-1.needs = T-2 at a.md:3, T-2.status = draft at a.md:5",
        ),
        (
            "subject: T-1, verdict: deny, because: [{condition: ready, facts: [{name: T-1.needs, value: [T-3]}]}]",
            "expected `ready` to be decided by T-1.needs = T-3, "
            "got T-1.needs = T-2 at a.md:3, T-2.status = draft at a.md:5",
        ),
        (
            "subject: T-1, verdict: deny, because: [{condition: ready, missing: [T-2.status]}]",
            "expected `ready` to miss T-2.status, got nothing missing",
        ),
    ],
)
def test_a_verdict_counts_only_for_the_reason_that_is_named(entry: str, problem: str) -> None:
    assert said(entry).problem == problem


def test_every_condition_that_decides_must_be_named() -> None:
    untitled = '{a.md: "## T-1\\nNeeds: T-2\\n## T-2\\nStatus: draft\\n"}'
    found = said("subject: T-1, phase: post, verdict: deny, because: [{condition: ready}]", untitled)
    assert found.problem == "expected deny by nothing but `ready`, got titled too"


def test_what_nobody_states_is_missing_and_null() -> None:
    stated = '{a.md: "## T-1\\nNeeds: T-2\\n## T-2\\n"}'
    fact = "{name: T-2.status, value: null, line: 3}"
    entry = f"subject: T-1, verdict: blocked, because: [{{condition: ready, missing: [T-2.status], facts: [{fact}]}}]"
    assert said(entry, stated).problem == ""


# ------------------------------------------------------------------ proofs


def test_a_miss_carries_the_proof_of_what_it_is_about() -> None:
    (miss,) = scenario("{findings: [{rule: TNY-TSK-001, subjects: [T-1], line: 2}]}").misses
    assert [(shown.part, shown.subject, shown.step.outcome.value) for shown in miss.proofs] == [
        ("needs", "T-1", "false"),
        ("when", "T-1", "true"),
    ]
    (member,) = miss.proofs[0].step.steps
    assert [(fact.name, fact.value, fact.path, fact.line) for fact in member.facts] == [
        ("T-2.status", "draft", "a.md", 5)
    ]


def test_a_verdict_that_is_missed_carries_the_proof_of_its_conditions() -> None:
    (miss,) = said("subject: T-1, phase: post, verdict: allow").misses
    assert [(shown.part, shown.subject) for shown in miss.proofs] == [("ready", "T-1"), ("titled", "T-1")]


def test_a_rule_that_does_not_apply_is_proven_by_its_when() -> None:
    text = RULE.replace('Status: done\\n"}', 'Status: draft\\n"}').replace(
        "Needs: T-2\\n## T-2\\nStatus: draft", "Needs: T-2\\n## T-2\\nStatus: draft"
    )
    failed = [tried for tried in run(rule=text).results if tried.misses]
    assert [tried.problem for tried in failed] == [
        "expected the rule to apply to something in this example, got no subject"
    ]
    assert [shown.part for shown in failed[0].misses[0].proofs] == ["when"]


def test_a_collection_that_cannot_be_had_is_proven() -> None:
    text = RULE.replace('items("task")', 'items("task").map(t, t.needs[0])')
    failed = [tried for tried in run(rule=text).results if tried.misses]
    assert {tried.name for tried in failed} == {"pass 1", "fail 1"}
    assert "the subjects cannot be listed" in failed[0].problem
    assert [shown.part for shown in failed[0].misses[0].proofs] == ["for"]


# ------------------------------------------------------------------ examples


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'Status: done\\n"}',
            'Status: done\\nNeeds: T-2\\n"}',
            "expected no finding, got needs (unknown) for T-1 at a.md:3: T-1 needs T-2 (no document declares T-2)",
        ),
        (
            "Needs: T-2\\n## T-2\\nStatus: draft",
            "Needs: T-2\\n## T-2\\nStatus: done",
            "expected a finding, got none",
        ),
        ("subjects: [T-1]", "subjects: [T-2]", "expected findings for T-2, got T-1"),
        (
            "line: 3",
            "line: 4",
            "expected a finding of TNY-TSK-001 (false) at line 4, got no such finding; the first is "
            "needs (false) for T-1 at a.md:3: T-1 needs T-2",
        ),
        (
            "  fail:\n",
            "  never: {needs: unknown}\n  fail:\n"
            '    - files: {a.md: "## T-1\\nStatus: done\\nNeeds: T-2\\n"}\n'
            "      expect: {outcome: unknown}\n",
            "expected `needs` never to be unknown, as `never` says, got a test where it is",
        ),
    ],
)
def test_an_example_that_shows_something_else_fails(old: str, new: str, problem: str) -> None:
    assert old in RULE
    failed = [tried for tried in run(rule=RULE.replace(old, new, 1)).results if tried.misses]
    assert [(tried.owner, tried.problem) for tried in failed] == [("TNY-TSK-001", problem)]


def test_an_example_is_named_by_its_place() -> None:
    places = [(tried.name, tried.path, tried.line) for tried in run().results]
    assert places[:2] == [("pass 1", "tiny/rules/rules.yaml", 14), ("fail 1", "tiny/rules/rules.yaml", 16)]
    assert places[4:] == [
        ("pass 1", "tiny/gates/start.yaml", 10),
        ("fail 1", "tiny/gates/start.yaml", 13),
        ("blocked 1", "tiny/gates/start.yaml", 16),
    ]


def test_a_rule_without_a_passing_or_a_failing_example_fails() -> None:
    without = RULE[: RULE.index("examples:")]
    failed = [tried for tried in run(rule=without).results if tried.misses]
    assert [(tried.name, tried.verdict, tried.problem, tried.line) for tried in failed] == [
        ("examples", "pass", "expected an example of the rule that should pass, got none", 2),
        ("examples", "fail", "expected an example of the rule that should fail, got none", 2),
    ]


@pytest.mark.parametrize(
    ("never", "message"),
    [
        ("{need: unknown}", "`never` has no key `need`"),
        ("{needs: maybe}", "`maybe` is not one of true, false, unknown"),
        ("needs", "`never` is a mapping of keys to values"),
    ],
)
def test_a_mistake_in_never_has_its_place(never: str, message: str) -> None:
    text = RULE.replace("examples:\n", f"examples:\n  never: {never}\n")
    with pytest.raises(ConfigurationError) as raised:
        run(rule=text)
    assert [(p.path, p.line) for p in raised.value.problems if p.message == message] == [
        ("tiny/rules/rules.yaml", 13)
    ]


def test_mistakes_of_scenarios_and_examples_are_told_together() -> None:
    with pytest.raises(ConfigurationError) as raised:
        run(rule=RULE.replace("pass:", "pas:"), gate=GATE.replace("pass:", "pas:"), scenario="[]")
    assert [p.path for p in raised.value.problems] == [
        "tiny/gates/start.yaml",
        "tiny/rules/rules.yaml",
        "tiny/scenarios/one.yaml",
    ]


# ------------------------------------------------------------------ coverage


def test_what_examples_do_not_show_is_a_gap() -> None:
    found = run()
    assert gaps(found, "rules") == [
        ("start", "own", ("allows",)),
        ("TNY-TSK-002", "", ("does not apply",)),
    ]
    assert ("TNY-TSK-001", "needs", ("unknown",)) in gaps(found, "conditions")


def test_a_scenario_fills_the_gaps_of_the_rules_that_it_asks() -> None:
    text = (
        "scenario: one\nrules: [{rules}]\nvacuous: true\n"
        'documents: {{a.md: "## T-1\\nStatus: done\\nNeeds: T-2\\n"}}\nexpect: {{findings: [{found}]}}\n'
    )
    lacking = ("TNY-TSK-001", "needs", ("unknown",))
    assert lacking in gaps(run())
    unknown = "{rule: TNY-TSK-001, outcome: unknown}"
    assert lacking not in gaps(run(scenario=text.format(rules="TNY-TSK-001", found=unknown)))
    assert lacking in gaps(run(scenario=text.format(rules="TNY-TSK-002", found="")))


def test_a_condition_of_a_gate_counts_only_in_the_phase_that_is_asked() -> None:
    text = (
        "scenario: one\ndocuments: {{a.md: '## T-1'}}\n"
        "expect: {{gates: [{{gate: start, subject: T-1, phase: {phase}, verdict: {verdict}}}]}}\n"
    )
    lacking = ("start", "titled", ("not true",))
    assert lacking not in gaps(run(), "conditions")
    assert ("start", "titled", ("true", "not true")) in gaps(run(), "conditions")
    seen = text.format(phase="post", verdict="deny, because: [{condition: titled}]")
    assert ("start", "titled", ("true",)) in gaps(run(scenario=seen), "conditions")
    assert ("start", "titled", ("true", "not true")) in gaps(
        run(scenario=text.format(phase="pre", verdict="allow")), "conditions"
    )


def test_never_is_not_asked_for() -> None:
    text = RULE.replace("examples:\n", "examples:\n  never: {needs: unknown}\n")
    assert ("TNY-TSK-001", "needs", ("unknown",)) not in gaps(run(rule=text))


def test_unknown_that_a_rule_ignores_is_not_asked_for() -> None:
    text = RULE.replace("severity:", "unknown: ignore\nseverity:")
    assert ("TNY-TSK-001", "needs", ("unknown",)) not in gaps(run(rule=text))


def test_a_gap_has_the_place_of_its_expression() -> None:
    text = RULE.replace(
        'needs: t.needs.all(n, n.status == "done")',
        'needs: >-\n    t.needs.all(n, n.status == "done")\n    || has(t.title)',
    )
    (gap,) = [
        gap
        for gap in run(rule=text).coverage.gaps
        if (gap.owner, gap.text) == ("TNY-TSK-001", "has(t.title)")
    ]
    assert (gap.place.path, gap.place.line, gap.place.column, gap.lacks) == (
        "tiny/rules/rules.yaml",
        9,
        8,
        ("true",),
    )


def test_several_packs_are_counted_together() -> None:
    one, both = run_tests([pack({})], NOW), run_tests([pack({}), pack({})], NOW)
    assert [level.percent for level in both.coverage.levels] == [
        level.percent for level in one.coverage.levels
    ]
    assert both.coverage.levels[0].total == 2 * one.coverage.levels[0].total
