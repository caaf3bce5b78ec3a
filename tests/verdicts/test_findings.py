"""How findings come out at the edges: many members, subjects that are no records, times under `since`."""

from __future__ import annotations

import pytest

from cortex_policy.app.reading import read_files
from cortex_policy.model import Finding
from cortex_policy.ruleset.packs import PackFiles, load
from cortex_policy.verdicts import MAX_WITNESSES, Decision, decide
from tests.support import NOW, PACK

RULE = """
id: TNY-TSK-001
name: n
for: {loop}
require:
  one: {require}
severity: error
message: "{message}"
why: w
{more}
"""


def decision(
    text: str, require: str, loop: str = 't in items("task")', message: str = "m", more: str = ""
) -> Decision:
    kinds = PACK["pack.yaml"].replace("      due: date\n", "      due: date\n      seen: datetime\n")
    notes = PACK["readers/notes.yaml"].replace(
        "      due: {label: Due}\n", "      due: {label: Due}\n      seen: {label: Seen}\n"
    )
    rule = RULE.format(loop=loop, require=require, message=message, more=more)
    files = {**PACK, "pack.yaml": kinds, "readers/notes.yaml": notes, "rules/rules.yaml": rule}
    ruleset = load([PackFiles("tiny", "tiny", files, {})])
    reading = read_files({"a.md": text}, ruleset, NOW)
    return decide(ruleset, reading.facts, reading.graph, reading.lines, NOW)


def findings(
    text: str, require: str, loop: str = 't in items("task")', message: str = "m"
) -> tuple[Finding, ...]:
    return decision(text, require, loop, message).findings


@pytest.mark.parametrize("more", [0, 1, 7])
def test_beyond_the_limit_members_are_counted_and_never_lost(more: int) -> None:
    count = MAX_WITNESSES + more
    needs = ", ".join(f"T-{number}" for number in range(2, count + 2))
    found = findings(f"## T-1\nNeeds: {needs}\n", "t.needs.all(n, n.id == 'T-0')", message="{n.id}")
    assert len(found) == MAX_WITNESSES
    told = [finding.message for finding in found if "more like it" in finding.message]
    assert told == ([f"T-{MAX_WITNESSES + 1} (and {more} more like it)"] if more else [])


def test_a_subject_that_is_a_text_is_named_by_itself_and_shown_where_it_was_read() -> None:
    (found,) = findings("## T-1\nStatus: draft\n", 'item(t).status == "done"', 't in ["T-1"]')
    assert (found.subjects, [(place.path, place.line) for place in found.locations]) == (
        ("T-1",),
        [("a.md", 2)],
    )


@pytest.mark.parametrize(
    ("seen", "exempt"),
    [
        ("2026-01-09T23:59:59Z", 1),
        ("2026-01-10T00:00:00Z", 0),
        ("2026-01-11", 0),
        ("", 0),  # what is not known to be old is not old
    ],
)
def test_a_time_before_the_day_exempts(seen: str, exempt: int) -> None:
    found = decision(f"## T-1\nSeen: {seen}\n", "false", more="since: {seen: 2026-01-10}")
    assert (found.exempt, found.applied["TNY-TSK-001"]) == (exempt, 1 - exempt)
    assert [finding.condition for finding in found.findings if finding.rule == "TNY-TSK-001"] == ["one"] * (
        1 - exempt
    )
