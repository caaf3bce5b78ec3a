"""`docs/rules.md` is the rule format, complete, and its house is decided as it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from cortex_policy.app.checking import Selection, check
from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.app.reading import read_project
from cortex_policy.app.rule_tests import run_tests
from cortex_policy.documents.values import FieldType
from cortex_policy.errors import ConfigurationError
from cortex_policy.facts.kinds import BUILTIN_KINDS, ITEM_FIELDS
from cortex_policy.model import CheckResult, Outcome, Severity
from cortex_policy.ruleset.checker import Signature
from cortex_policy.ruleset.rules import (
    CHANGE_SIGNATURES,
    EXAMPLE_KEYS,
    EXPECT_KEYS,
    HOST_SIGNATURES,
    RULE_KEYS,
)
from tests.docs.pages import code, codes, fences, named_files, table, write_files

PAGE = "docs/rules.md"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
RULES = "policy/rules/tasks.yaml"
PLAN = "plans/move.md"


def spelled(kind: FieldType) -> str:
    """A type as the page writes it."""
    if kind.name == "reference":
        return kind.target or "any"
    if kind.name == "references":
        return f"list of {kind.target or 'any'}"
    return kind.name


def test_the_keys_of_a_rule_are_complete() -> None:
    assert [code(row["key"]) for row in table(PAGE, "The keys")] == RULE_KEYS


def test_the_keys_of_an_example_are_complete() -> None:
    assert [code(row["key"]) for row in table(PAGE, "Examples")] == EXAMPLE_KEYS
    assert [code(row["key"]) for row in table(PAGE, "Examples", 1)] == EXPECT_KEYS


def test_the_severities_are_complete() -> None:
    (row,) = [row for row in table(PAGE, "The keys") if code(row["key"]) == "severity"]
    assert sorted(codes(row["value"])) == sorted(severity.value for severity in Severity)


def test_the_fields_of_every_item_are_complete() -> None:
    shown = {code(row["field"]): code(row["type"]) for row in table(PAGE, "Kinds and fields")}
    assert shown == {name: spelled(kind) for name, kind in ITEM_FIELDS.items()}


def test_the_built_in_kinds_are_complete() -> None:
    shown = [(code(r["kind"]), code(r["field"]), code(r["type"])) for r in table(PAGE, "Kinds and fields", 1)]
    known = [
        (kind, name, spelled(declared))
        for kind, fields in BUILTIN_KINDS.items()
        for name, declared in fields.items()
    ]
    assert shown == known


@pytest.mark.parametrize(
    ("heading", "signatures"),
    [("Functions over the documents", HOST_SIGNATURES), ("Rules over changes", CHANGE_SIGNATURES)],
)
def test_the_functions_over_documents_are_complete(heading: str, signatures: Mapping[str, Signature]) -> None:
    shown = {}
    for row in table(PAGE, heading):
        name, _, arguments = code(row["function"]).rstrip(")").partition("(")
        shown[name] = len(arguments.split(","))
    assert shown == {name: len(signature.parameters) for name, signature in signatures.items()}


# --------------------------------------------------------------------------- the house of the page


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory):
    """Checks the house of the page, with some of its files replaced."""

    def run(**replaced: str) -> CheckResult:
        root = tmp_path_factory.mktemp("house")
        names = {"plan": PLAN, "rules": RULES}
        write_files(root, {**named_files(PAGE), **{names[name]: text for name, text in replaced.items()}})
        project = open_project(root, ())
        return check(read_project(project, load_ruleset(project), NOW), Selection())

    return run


def outcomes(result: CheckResult) -> list[tuple[str, Outcome]]:
    return [(finding.condition, finding.outcome) for finding in result.findings]


def with_rule(old: str, new: str) -> str:
    text = named_files(PAGE)[RULES]
    assert old in text
    return text.replace(old, new)


def test_the_rule_over_changes_shows_what_its_examples_say(house, tmp_path) -> None:
    (text,) = [fence.text for fence in fences(PAGE) if "on: change" in fence.text]
    write_files(tmp_path, {**named_files(PAGE), RULES: text})
    results = run_tests((load_ruleset(open_project(tmp_path, ())),), NOW).results
    assert [result.problem for result in results] == ["", "", ""]


def test_a_message_that_names_the_member_gives_a_finding_for_each(house) -> None:
    assert len(house().findings) == 2
    other = with_rule("{t.id} is done, but its blocker {b.id} is {b.status}", "{t.id} is done too early")
    assert len(house(rules=other).findings) == 1


@pytest.mark.parametrize(
    ("plan", "unknown", "expected"),
    [
        ("# TASK-2\nOwner: Ada\n", "report", [("when", Outcome.UNKNOWN)]),
        ("# TASK-2\nOwner: Ada\n", "ignore", []),
        (
            "# TASK-2\nOwner: Ada\nStatus: done\nBlocked by: TASK-9\n",
            "report",
            [("blockers", Outcome.UNKNOWN)],
        ),
        ("# TASK-2\nOwner: Ada\nStatus: done\nBlocked by: TASK-9\n", "ignore", []),
        ("# TASK-2\nOwner: Ada\nStatus: open\n", "report", []),
        ("# TASK-2\nOwner: Ada\nStatus: done\n", "report", []),
    ],
)
def test_what_is_unknown_is_reported_or_ignored(house, plan: str, unknown: str, expected: list) -> None:
    rules = with_rule("  severity: error\n", f"  unknown: {unknown}\n  severity: error\n")
    assert outcomes(house(plan=plan, rules=rules)) == expected


def test_an_error_is_reported_even_where_unknown_is_ignored(house) -> None:
    rules = with_rule('    blockers: t.blocked_by.all(b, b.status == "done")', "    blockers: 1 / 0 == 1")
    rules = rules.replace("{b.id} is {b.status}", "there")
    rules = rules.replace("  severity: error", "  unknown: ignore\n  severity: error")
    assert outcomes(house(plan="# TASK-2\nOwner: Ada\nStatus: done\n", rules=rules)) == [
        ("blockers", Outcome.ERROR)
    ]


@pytest.mark.parametrize(
    ("created", "exempt"), [("Created: 2026-05-31\n", 1), ("Created: 2026-06-01\n", 0), ("", 0)]
)
def test_only_what_is_surely_older_is_exempt(house, created: str, exempt: int) -> None:
    result = house(plan=f"# TASK-3\nStatus: open\n{created}")
    assert result.exempt == exempt
    assert len(result.findings) == 1 - exempt


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("t.status ==", "t.state =="),
        ('t.status == "done"', 't.status == "finished"'),
        ("severity: error", "severity: fatal"),
        ("PLAN-TSK-001", "tasks"),
        ("PLAN-TSK-001", "PLAN-TSK-002"),
        ("  why: Somebody must do it, and it must be possible to do.\n", ""),
        ('    no-cycle: "{t.id} waits for itself"\n', ""),
        ("unknown: ignore", "unknowns: ignore"),
    ],
)
def test_a_mistake_in_a_rule_is_a_mistake_of_the_pack(house, old: str, new: str) -> None:
    with pytest.raises(ConfigurationError):
        house(rules=with_rule(old, new))
