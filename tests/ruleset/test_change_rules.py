"""Rules `on: change`: what loads, what `old` and `ever` answer, and what their examples need."""

from __future__ import annotations

import pytest

from cortex_policy.app.reading import History, read_files
from cortex_policy.app.rule_tests import run_tests
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import Finding, Past
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.verdicts import decide
from tests.support import NOW, ruleset

BEFORE = "## T-1\n\nStatus: done\n\n- [x] it works\n\n## T-2\n"


def one(require: str, *, on: str = "  on: change\n", loop: str = 't in items("task")', more: str = "") -> str:
    """One rule as text; `require` is in single quotes."""
    return (
        f"- id: TNY-CHG-001\n  name: x\n{on}  for: {loop}\n  require:\n    it: '{require}'\n"
        f'  severity: error\n  message: "no"\n  why: x\n  source: [tests]\n{more}'
    )


def findings(text: str, after: str, before: str = BEFORE) -> list[Finding]:
    rules = ruleset(rules=text)
    base = read_files({"a.md": before}, rules, NOW, History(origin="before:"))
    reading = read_files({"a.md": after}, rules, NOW, History(base=base))
    found = decide(rules, reading.facts, reading.graph, reading.lines, NOW).findings
    return [finding for finding in found if finding.rule == "TNY-CHG-001"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (one("old(t).is_declared", on=""), "there is no function `old`", "on: change"),
        (one("true", on="", loop='t in ever("task")'), "there is no function `ever`", "on: change"),
        (one("true", on="  on: change!\n"), "`on` is `change!`", "change"),
        (one("true", on="  on: [change]\n"), "`on` of a rule is a text", ""),
        (one("true", loop='t in ever("tusk")'), "there is no kind `tusk`", "task"),
        (one("old(t).stats == t.status"), "has no field `stats`", "status"),
        (one('old("T-1").is_declared'), "`old` needs", ""),
        (one("old(t.tags)"), "`old` needs", ""),
    ],
)
def test_what_does_not_load(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        ruleset(rules=text)
    (problem,) = raised.value.problems
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("require", "after", "outcomes"),
    [
        ("old(t).is_declared", "## T-1\n## T-2\n", []),
        ("old(t).is_declared", "## T-3\n", ["false"]),  # it was not there
        ('old(t).status == "done"', "## T-3\n", ["unknown"]),  # nor had it a status
        ('old(t).status == "done"', "## T-1\n", []),
        ('has(old(t).status) || t.id == "T-2"', "## T-1\n## T-2\n", []),
        ("old(t.document).is_declared", "## T-1\n", []),
        ('old(t.declared).status == "done"', "## T-1\n", []),  # a view is asked about as its item
        ('old(old(t)).status == "done"', "## T-1\n", []),
        ("t.declarations.all(d, old(d) == d)", "## T-1\n", ["error"]),
        ('reach(old(t), "needs").size() == 0', "## T-1\n", []),
    ],
)
def test_what_old_answers(require: str, after: str, outcomes: list[str]) -> None:
    assert [finding.outcome.value for finding in findings(one(require), after)] == outcomes


@pytest.mark.parametrize(
    ("loop", "after", "subjects"),
    [
        ('t in ever("task")', "## T-1\n## T-3\n", ["T-1", "T-2", "T-3"]),
        ('t in ever("document")', "## T-1\n", ["doc:a.md"]),
    ],
)
def test_what_ever_lists(loop: str, after: str, subjects: list[str]) -> None:
    assert sorted(finding.subjects[0] for finding in findings(one("false", loop=loop), after)) == subjects


def test_ever_of_parts_is_an_error_and_no_empty_list() -> None:
    (finding,) = findings(one("true", loop='b in ever("box")'), "## T-1\n")
    assert (finding.outcome.value, finding.condition) == ("error", "for")


@pytest.mark.parametrize(("before", "after"), [(BEFORE + "\0", "## T-1\n"), (BEFORE, "## T-1\n\0")])
def test_ever_is_open_where_one_side_could_not_be_read(before: str, after: str) -> None:
    loop = 'd in items("document")'
    text = one('ever("task").all(t, t.kind == "task")', loop=loop)
    assert [finding.outcome.value for finding in findings(text, after, before)] == ["unknown"]


@pytest.mark.parametrize(("before", "expected"), [(BEFORE, []), (BEFORE + "\0", ["unknown"])])
def test_what_was_there_is_unknown_only_where_it_could_not_be_read(before: str, expected: list[str]) -> None:
    found = findings(one("!old(t).is_declared || true == old(t).is_declared"), "## T-9\n", before)
    assert [finding.outcome.value for finding in found] == expected


def test_without_a_base_the_rule_is_counted_and_old_is_unknown() -> None:
    rules = ruleset(rules=one("old(t).is_declared"))
    reading = read_files({"a.md": BEFORE}, rules, NOW)
    decision = decide(rules, reading.facts, reading.graph, reading.lines, NOW)
    assert (decision.not_applied, dict(decision.applied)) == (1, {})
    (task, _) = reading.facts.items["task"]
    assert repr(reading.facts.functions["old"](task)) == "UNKNOWN"
    assert reading.facts.functions["ever"]("task") == reading.facts.items["task"]


def test_every_place_of_a_base_is_in_the_past() -> None:
    rules = ruleset()
    base = read_files({"a.md": BEFORE + "\nNeeds: T-7\n"}, rules, NOW, History(origin="before:"))
    records = [record for kind in ("task", "box", "document") for record in base.facts.items[kind]]
    places = [place for record in records for found in record.places.values() for place in found]
    places += [record.place for record in records if record.place is not None]
    assert places
    assert all(isinstance(place, Past) and place.path == "before:a.md" for place in places)


EXAMPLE = """  examples:
    pass:
      - before: {{}}
        files: {{a.md: "## T-1"}}
    fail:
      - {fail}
"""


def problems(rules: Ruleset) -> list[str]:
    return [result.problem for result in run_tests((rules,), NOW).results]


def test_examples_begin_with_what_was_before() -> None:
    fail = '{before: {a.md: "## T-1"}, files: {a.md: "## T-1"}, expect: {subjects: [T-1], line: 1}}'
    assert problems(ruleset(rules=one("!old(t).is_declared", more=EXAMPLE.format(fail=fail)))) == ["", ""]


@pytest.mark.parametrize(
    ("on", "require", "fail"),
    [
        ("  on: change\n", "!old(t).is_declared", '{files: {a.md: "## T-1"}}'),
        ("", "false", '{before: {}, files: {a.md: "## T-1"}}'),
    ],
)
def test_before_belongs_to_rules_over_changes(on: str, require: str, fail: str) -> None:
    with pytest.raises(ConfigurationError, match="has `before`, and no other has"):
        run_tests((ruleset(rules=one(require, on=on, more=EXAMPLE.format(fail=fail))),), NOW)
