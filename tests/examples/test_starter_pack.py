"""The starter pack: its examples pass, its page names every rule, other people's files are left alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cortex_policy.app.checking import Selection, check
from cortex_policy.app.project import Project, load_ruleset
from cortex_policy.app.reading import Reading, read_files
from cortex_policy.app.rule_tests import run_tests

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "rules" / "starter" / "README.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RULESET = load_ruleset(Project(root=CHECKOUT, packs=("starter",), base=CHECKOUT))
PLAN, BOARD = "docs/plan.md", "WORKBOARD.yaml"
FRONT = "---\ntype: prd\nstatus: active\n---\n"


def read(files: dict[str, str]) -> Reading:
    return read_files(files, RULESET, NOW)


def codes(reading: Reading) -> list[str]:
    return [finding.rule for finding in check(reading, Selection()).findings]


def test_every_example_and_scenario_shows_what_it_should() -> None:
    results = run_tests([RULESET], NOW).results
    assert [(r.owner, r.name, r.problem) for r in results if r.problem] == []
    tried = {kind: {r.owner for r in results if r.kind == kind} for kind in ("rule", "gate", "scenario")}
    assert tried["rule"] == {rule.info.id for rule in RULESET.rules}
    assert tried["gate"] == {gate.name for gate in RULESET.gates} == {"start-work"}
    assert tried["scenario"] == {"starter"}


def test_every_condition_of_every_gate_decides_an_example() -> None:
    for gate in RULESET.gates:
        shown = {example.condition for example in gate.examples().found}
        assert {demand.id for demand in gate.require} <= shown


def test_the_page_names_every_condition_of_every_gate() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| `(\w+)` \| [^|]+ \| before ([^|]+) \|$", PAGE, re.MULTILINE)
    when = {"pre": "the start", "post": "it counts as done"}
    assert rows == [(g.name, d.profile, when[d.phase]) for g in RULESET.gates for d in g.require]
    headings = {re.sub(r"\W+", "-", title.lower()) for title in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)}
    sources = {source for g in RULESET.gates for d in g.require for source in d.source}
    assert {source.partition("#")[2] for source in sources} <= headings


def test_codes_are_of_one_series_and_sources_lead_to_a_heading_of_the_page() -> None:
    headings = {re.sub(r"\W+", "-", title.lower()) for title in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)}
    for rule in RULESET.rules:
        assert re.fullmatch(r"SOT-[A-Z]{3}-\d{3}", rule.info.id)
        assert {source.partition("#")[2] for source in rule.info.source} <= headings, rule.info.id


def test_the_page_names_every_rule_with_its_severity() -> None:
    rows = re.findall(r"^\| (SOT-[A-Z]{3}-\d{3}) \| [^|]+ \| (\w+) \|$", PAGE, re.MULTILINE)
    assert sorted(rows) == [(rule.info.id, rule.info.severity.value) for rule in RULESET.rules]


def test_markdown_of_others_is_left_alone() -> None:
    reading = read(
        {
            "README.md": "# A project\n\nFixes WORK-99.\n\n## WORK-1 - Not ours\n",
            "docs/guide.md": "---\nlayout: page\n---\n## WORK-2 - Not ours\n",
            PLAN: FRONT + "# Plan\n",
            "src/notes.md": FRONT + "## WORK-3 - In a folder that is not read\n",
        }
    )
    assert [document.path for document in reading.graph.documents] == ["docs/plan.md"]
    assert codes(reading) == []


@pytest.mark.parametrize(
    "body",
    [
        "```text\n## WORK-7 - Shown only\nBlocked by: WORK-8\n```\n",
        "<!--\n## WORK-7 - Hidden\n-->\n",
        "## Item template\n\n### WORK-7 - Copy me\n\nBlocked by: WORK-8\n",
        "## Example\n\nWrite WORK-7 for the seventh.\n",
    ],
    ids=["fence", "comment", "template", "example"],
)
def test_what_only_shows_a_form_declares_and_mentions_nothing(body: str) -> None:
    reading = read({PLAN: f"{FRONT}# Plan\n\n{body}"})
    assert reading.facts.items["work_item"] == ()
    assert codes(reading) == []


@pytest.mark.parametrize(
    "written",
    [
        "Status: Done",
        "status: `done`",
        "Status: **done**",
        "**Status:** DONE.",
        "**Status**: done",
        "- Status: done",
        "Owner: Ada\nStatus: done\nEstimate: 3 days",
        "Some words.\n\nStatus: done",
    ],
)
def test_the_form_of_a_status_line_does_not_matter(written: str) -> None:
    reading = read({PLAN: f"{FRONT}## WORK-1 - One\n\n{written}\n"})
    (item,) = reading.facts.items["work_item"]
    assert item.values["status"] == "done"
    assert codes(reading) == []


def test_a_missing_status_is_reported_once_and_not_by_every_rule() -> None:
    assert codes(read({PLAN: f"{FRONT}## WORK-1 - One\n\n- [ ] open\n"})) == ["SOT-STA-001"]


def test_an_unreadable_workboard_never_passes() -> None:
    reading = read(
        {
            PLAN: f"{FRONT}## WORK-1 - One\nStatus: open\n",
            BOARD: "items:\n  - {id: WORK-1, status: open\n",
        }
    )
    assert "CPX-DOC-011" in codes(reading)


@pytest.mark.parametrize(
    "entry",
    ["{id: WORK-1, staus: open}", "{id: WORK-1}", "{id: work-1, status: open}", "[WORK-1, open]"],
    ids=["misspelt key", "no status", "misspelt id", "not a mapping"],
)
def test_a_workboard_entry_that_could_be_overlooked_is_a_finding(entry: str) -> None:
    reading = read(
        {
            PLAN: f"{FRONT}## WORK-1 - One\nStatus: open\n",
            BOARD: f"items:\n  - {entry}\n",
        }
    )
    assert "CPX-DOC-020" in codes(reading)


def test_without_a_workboard_nothing_is_missing_on_it() -> None:
    assert codes(read({PLAN: f"{FRONT}## WORK-1 - One\nStatus: open\n"})) == []


def test_workboard_and_document_that_disagree_are_shown_side_by_side() -> None:
    reading = read(
        {
            PLAN: f"{FRONT}## WORK-1 - One\nStatus: done\n",
            BOARD: "items:\n  - {id: WORK-1, status: open}\n",
        }
    )
    (finding,) = check(reading, Selection()).findings
    assert finding.rule == "SOT-BRD-001"
    assert {(place.path, place.line) for place in finding.locations} == {(BOARD, 2), (PLAN, 6)}
