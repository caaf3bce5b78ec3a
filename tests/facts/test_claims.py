"""Claims: what documents say of items in prose, which of it asserts, when it was said, and which of it holds."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cortex_policy.app.checking import Selection, check
from cortex_policy.app.reading import read_files
from cortex_policy.facts import gather
from cortex_policy.facts.resolving import Claim, before, newest, resolve, resolve_at
from cortex_policy.model import UNKNOWN, OpenTuple, Outcome, Place, Record, When
from cortex_policy.ruleset.packs import PackFiles, load
from tests.support import NOW

PACK = {
    "pack.yaml": r"""
pack: said
about: Tasks, and what is said of them.
precedence: [board, [proof, report], declared, dated]
kinds:
  document:
    about: One file.
    fields:
      created: date
      reviewed: date
      about: {references: task}
      seen: date
      count: int
  task:
    about: One piece of work.
    id: 'T-\d+'
    fields:
      status: {enum: [open, done]}
      note: text
      weight: int
      needs: {references: task}
""",
    "readers/all.yaml": r"""
- reader: notes
  about: Markdown.
  format: markdown
  files: ["**/*.md"]
  kinds:
    - {kind: proof, files: ["**/*proof*.md"]}
    - {kind: report, files: ["**/*report*.md"]}
    - {kind: plan, files: ["**/*.md"]}
  fields:
    created: {key: created}
    reviewed: {key: reviewed}
    about: {label: About}
  silent: ['^Phrases$']
  silent_lists: '^Do not'
  templates: ["form*.md"]
  times:
    runs: 'run-(?P<at>[0-9TZ:+-]+)'
    headings: '(?P<at>\d{4}-\d{2}-\d{2})$'
    dates: [created, reviewed]
  unclaimed:
    criterion:
      headings: ['^Accepted$']
      lists: ['^Accepted when:$']
    conditional:
      sentences: ['(?i)\b(?:until|if)\b']
    history:
      lists: ['\bbefore\b']
  claims:
    - kind: task
      source: proof
      documents: [proof]
      pattern: >-
        (?P<id>`?T-\d+`?(?:(?:, and |, | and )`?T-\d+`?)*) (?:is|are) (?P<status>\w+)(?: (?P<scope>for [^.]*? only))?
      in: [paragraph, item]
      fields: {status: {group: status}}
      at: [section, heading, document, dates]
    - kind: task
      source: report
      documents: [report]
      label: [Status, Now]
      subject: [about, item]
      fields: {status: {group: value}}
      at: [section, heading, document, dates]
    - kind: task
      source: report
      documents: [report]
      row: [Task, State]
      subject: Task
      fields: {status: {column: State}, weight: {value: "1"}}
    - kind: task
      source: report
      documents: [report]
      pattern: '^(?P<at>[0-9TZ:+-]+) closes (?P<id>T-\d+)'
      fields: {status: {value: done}}
      at: [group]
    - kind: task
      source: dated
      documents: [plan]
      under: '\d{4}-\d{2}-\d{2}$'
      pattern: '(?P<id>T-\d+) was (?P<status>open|done)'
      fields: {status: {group: status}}
      at: [section, heading]
    - kind: document
      subject: document
      in: [heading]
      pattern: '(?P<day>\d{4}-\d{2}-\d{2})$'
      fields: {seen: {group: day}}
      at: [heading]
    - {kind: document, subject: document, label: [Count, Number of things], fields: {count: {group: value}}}
  items:
    - kind: task
      heading: {levels: [2], pattern: '^(?P<id>T-\d+)$'}
      fields:
        status: {label: State}
        needs: {label: Needs}
- reader: board
  about: The board.
  format: yaml
  files: ["**/*.yaml"]
  items:
    - kind: task
      source: board
      record: {id: [id], scalar: status}
      fields: {status: {key: status}, needs: {key: needs}}
""",
    "rules/rules.yaml": r"""
id: TNY-SAY-001
name: said-once
for: t in items("task")
require:
  agree: size(t.conflicts) == 0
severity: error
message: "{t.id} is two things"
why: A thing is one thing.
""",
}
RULESET = load([PackFiles(name="said", origin="said", files=PACK, schemas={})])
DECLARED = "## T-1\n\nState: open\n"
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


def gathered(files: Mapping[str, str]) -> Any:
    return read_files(files, RULESET, NOW)


def task(files: Mapping[str, str], name: str = "T-1") -> Record:
    return next(found for found in gathered(files).facts.items["task"] if found.id == name)


def said(files: Mapping[str, str], name: str = "T-1") -> list[Record]:
    found = gathered(files).facts
    return list(found.functions["claims"](found.functions["item"](name)))


def proof(text: str) -> list[tuple[str, str]]:
    """Value and scope of every claim that a proof makes of T-1."""
    return [
        (claim.values["value"], claim.values["scope"])
        for claim in said({"plan.md": DECLARED, "proof.md": f"# A\n\n{text}\n"})
        if claim.values["source"] == "proof"
    ]


# ------------------------------------------------------------------------------------------------- what asserts

SILENT = {
    "a quotation": '"T-1 is done."',
    "a quotation of two sentences": '"All is well. T-1 is done."',
    "a quotation in another tongue": "„All is well. T-1 is done.“",
    "a quotation with guillemets": "«T-1 is done.»",
    "typographic quotes": "“T-1 is done.”",
    "a code span": "`effect: T-1 is done`",
    "a block quote": "> T-1 is done.",
    "a fence": "```text\nT-1 is done.\n```",
    "a comment": "<!-- T-1 is done. -->",
    "a heading": "## T-1 is done",
    "a list of phrases": "## Phrases\n\n- T-1 is done.",
    "a section below phrases": "## Phrases\n\n### More\n\nT-1 is done.",
    "a prohibition": "Do not say:\n\n- T-1 is done.",
    "a criterion by heading": "## Accepted\n\n- T-1 is done.",
    "a criterion below a criterion": "## Accepted\n\n### More\n\nT-1 is done.",
    "a criterion by lead-in": "Accepted when:\n\n- T-1 is done.",
    "a nested criterion": "- Accepted when:\n  - It works:\n    - T-1 is done.",
    "history": "What was before:\n\n- T-1 is done.",
    "a condition after it": "T-1 is done until the tide turns.",
    "a condition before it": "If nobody objects, T-1 is done.",
    "a condition on the next line": "T-1 is done\nif the tide turns.",
    "a sentence without an end": "T-1 is done " + "and " * 1_000,
    "another id": "T-11 is done, and T-1-x is done.",
    "a word that is no status": "T-1 is nearly done.",
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_nothing_is_claimed_by(text: str) -> None:
    assert proof(text) == []


ASSERTED = {
    "a sentence": "T-1 is done.",
    "the second sentence": "It went well. T-1 is done.",
    "after a quotation": '"It went well," he said, and `that` was that. T-1 is done.',
    "after a quotation in another tongue": "„Gut.“ T-1 is done.",
    "after a condition": "Nothing happens if nobody acts. T-1 is done.",
    "a code span around the id": "`T-1` is done.",
    "wrapped": "T-1\nis done.",
    "a list item": "- T-1 is done.",
    "after a criterion": "Accepted when:\n\n- it works\n\nT-1 is done.",
    "in a list after a criterion": "Accepted when:\n\n- it works\n\nResult:\n\n- T-1 is done.",
    "below a heading after the criteria": "## Accepted\n\n- it works\n\n## Result\n\nT-1 is done.",
    "without a full stop": "T-1 is done",
    "several": "`T-2`, `T-1`, and T-3 are done.",
}


@pytest.mark.parametrize("text", ASSERTED.values(), ids=ASSERTED)
def test_it_is_claimed_by(text: str) -> None:
    assert proof(text) == [("done", "")]


CROSSING = {
    "into the next paragraph": "T-1 is\n\ndone. T-1 is done.",
    "out of a scope that never ends": "T-1 is done for this\n\nT-2 is done for that only.",
    "over several": "T-1 is done for this\n\nT-1 is done.\n\nT-2 is done for that only",
}


@pytest.mark.parametrize("text", CROSSING.values(), ids=CROSSING)
def test_no_claim_runs_from_one_block_into_the_next(text: str) -> None:
    assert set(proof(text)) == {("done", "")}


def test_what_follows_a_match_that_runs_on_is_found_once() -> None:
    text = "T-1 is done for this\n\nT-2 is done for that only. T-1 is open."
    assert proof(text) == [("done", ""), ("open", "")]


def test_a_document_with_too_many_claims_is_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex_policy.documents.claims.MAX_CLAIMS", 2)
    found = gathered({"plan.md": DECLARED, "proof.md": "T-1 is done. T-2 is done. T-3 is done.\n"})
    (document,) = [document for document in found.graph.documents if document.path == "proof.md"]
    assert ([fault.code for fault in document.faults], document.complete) == (["too-many-nodes"], False)
    assert len(document.claims) == 2
    assert found.facts.items["task"][0].values["status"] is UNKNOWN


def test_an_escaped_cell_has_its_place() -> None:
    text = "| Note | Task | State |\n| --- | --- | --- |\n| a \\| b | T-1 | done |\n"
    (place,) = task({"plan.md": DECLARED, "report.md": text}).places["status"]
    assert (place.line, place.column) == (3, text.split("\n")[2].index("done") + 1)


def test_a_form_to_fill_in_claims_nothing() -> None:
    assert [
        c.values["source"] for c in said({"plan.md": DECLARED, "form-proof.md": "# A\n\nT-1 is done.\n"})
    ] == ["declared"]


def test_a_document_of_another_kind_claims_nothing() -> None:
    assert task({"plan.md": DECLARED, "other.md": "T-1 is done.\n"}).values["status"] == "open"


def test_several_items_stand_in_one_sentence_each_at_its_place() -> None:
    files = {"proof.md": "## T-1\n\n## T-2\n\n## T-3\n\n# A\n\n`T-1`, `T-2`, and\nT-3 are done.\n"}
    places = {c.id: c.place for name in ("T-1", "T-2", "T-3") for c in said(files, name) if c.place}
    assert {name: (place.line, place.column) for name, place in places.items()} == {
        f"T-{n}.status": (10, 9) for n in (1, 2, 3)
    }
    claimed = {
        key[1]: found[0].place for key, found in gathered(files).graph.claims.items() if key[0] == "task"
    }
    assert {name: (place.line, place.column) for name, place in claimed.items()} == {
        "T-1": (9, 2),
        "T-2": (9, 9),
        "T-3": (10, 1),
    }


# ------------------------------------------------------------------------------------------------- about what

SUBJECTS = {
    "what the document is about": "About: T-1\n\nStatus: done\n",
    "an alias of the label": "About: T-1\n\n- **now**: done\n",
    "the item around it": "## T-1\n\nStatus: done\n",
    "a row": "| Task | Note | State |\n| --- | --- | --- |\n| `T-1` | x | done |\n",
}


@pytest.mark.parametrize("text", SUBJECTS.values(), ids=SUBJECTS)
def test_a_claim_has_its_subject_from(text: str) -> None:
    files = {"plan.md": DECLARED, "report.md": text}
    held = task(files)
    assert held.values["status"] == "done"
    (place,) = held.places["status"]
    line = files["report.md"].split("\n")[place.line - 1]
    assert line[place.column - 1 :].startswith("done")


def test_a_status_without_a_subject_is_nobodys() -> None:
    assert task({"plan.md": DECLARED, "report.md": "Status: done\n"}).values["status"] == "open"


def test_a_value_that_is_not_of_its_type_claims_nothing() -> None:
    assert (
        task({"plan.md": DECLARED, "report.md": "About: T-1\n\nStatus: nearly done\n"}).values["status"]
        == "open"
    )


def test_a_constant_is_of_its_type() -> None:
    text = "| Task | State |\n| --- | --- |\n| T-1 | done |\n"
    assert task({"plan.md": DECLARED, "report.md": text}).values["weight"] == 1


def test_a_claim_declares_nothing() -> None:
    found = gathered({"plan.md": DECLARED, "proof.md": "T-1 is done. T-2 is done.\n"}).facts
    assert [item.id for item in found.items["task"]] == ["T-1"]
    assert len(found.items["task"][0].values["declarations"]) == 1


def test_claims_on_an_id_that_nobody_declares_are_shown_and_hold_nothing() -> None:
    files = {"plan.md": "## T-1\n\nNeeds: T-2\n", "proof.md": "T-2 is done.\n"}
    (needed,) = task(files).values["needs"]
    assert "status" not in needed.values
    (claim,) = said(files, "T-2")
    assert (claim.values["value"], claim.values["holds"]) == ("done", False)


def test_a_document_claims_facts_of_itself_under_several_keys() -> None:
    found = gathered({"a.md": "# A\n\n- Count: 2\n- number of things: `2`.\n"}).facts.items["document"][0]
    assert found.values["count"] == 2
    twice = gathered({"a.md": "# A\n\n- Count: 2\n- number of things: 3\n"}).facts.items["document"][0]
    assert twice.values["count"] is UNKNOWN
    assert len(twice.values["conflicts"]) == 1


def test_the_latest_dated_heading_holds() -> None:
    text = "# A\n\n## B 2026-06-01\n\n## C 2026-06-03\n\n## D 2026-06-02\n\n## E 2026-06-31\n"
    found = gathered({"a.md": text}).facts.items["document"][0]
    assert found.values["seen"] == date(2026, 6, 3)


# ------------------------------------------------------------------------------------------------- when

TIMES = {
    "a run in the section": ("## A\n\nrun-20260601T105222Z\n\nT-1 is done.", "2026-06-01T10:52:22+00:00"),
    "a run in a fence": (
        "## A\n\n```text\nrun-20260601T105222Z\n```\n\nT-1 is done.",
        "2026-06-01T10:52:22+00:00",
    ),
    "the latest run": (
        "## A\n\nrun-20260601T105222Z run-20260601T103932Z\n\nT-1 is done.",
        "2026-06-01T10:52:22+00:00",
    ),
    "a run in the section around it": (
        "## A\n\nrun-20260601T105222Z\n\n### B\n\nT-1 is done.",
        "2026-06-01T10:52:22+00:00",
    ),
    "an offset": ("## A\n\nrun-20260601T105222+0200\n\nT-1 is done.", "2026-06-01T10:52:22+02:00"),
    "an offset with a colon": (
        "## A\n\nrun-2026-06-01T10:52:22+02:00\n\nT-1 is done.",
        "2026-06-01T10:52:22+02:00",
    ),
    "a run in the next section": (
        "## A 2026-05-31\n\nT-1 is done.\n\n## B\n\nrun-20260601T105222Z",
        "2026-05-31",
    ),
    "the heading": ("## A 2026-05-31\n\nT-1 is done.", "2026-05-31"),
    "a month 13": ("## A 2026-05-31\n\nrun-20261301T105222Z\n\nT-1 is done.", "2026-05-31"),
    "a month 13 beside a run": (
        "## A 2026-05-31\n\nrun-20261301T105222Z run-20260601T105222Z\n\nT-1 is done.",
        "2026-05-31",
    ),
    "a year 0": ("## A 2026-05-31\n\nrun-00000101T000000Z\n\nT-1 is done.", "2026-05-31"),
    "no offset": ("## A 2026-05-31\n\nrun-20260601T105222\n\nT-1 is done.", "2026-05-31"),
    "the end of time": ("## A\n\nrun-99991231T235959-1400\n\nT-1 is done.", "9999-12-31T23:59:59-14:00"),
    "a day that is none": ("## A 2026-02-30\n\nT-1 is done.", "None"),
    "a run of the whole document": (
        "## A\n\nT-1 is done.\n\n## B\n\nrun-20260601T105222Z",
        "2026-06-01T10:52:22+00:00",
    ),
    "nothing": ("T-1 is done.", "None"),
}


@pytest.mark.parametrize(("text", "expected"), TIMES.values(), ids=TIMES)
def test_the_time_is_that_of(text: str, expected: str) -> None:
    (claim,) = [
        c
        for c in said({"plan.md": DECLARED, "proof.md": f"# A\n\n{text}\n"})
        if c.values["source"] == "proof"
    ]
    at = claim.values.get("at")
    assert (at.isoformat() if at is not None else "None") == expected
    assert claim.values.get("until") == at


DATES = {
    "created: 2026-05-31\nreviewed: 2026-06-01": ("2026-05-31", "2026-06-01"),
    "created: 2026-06-01\nreviewed: 2026-05-31": None,
    "reviewed: 2026-06-01": None,
    "created: 2026-05-31\nreviewed: 2026-13-01": None,
}


@pytest.mark.parametrize(("matter", "expected"), DATES.items())
def test_the_dates_of_the_document_bound_a_claim(matter: str, expected: tuple[str, str] | None) -> None:
    files = {"plan.md": DECLARED, "proof.md": f"---\n{matter}\n---\n# A\n\nT-1 is done.\n"}
    (claim,) = [c for c in said(files) if c.values["source"] == "proof"]
    told = tuple(str(claim.values[name]) for name in ("at", "until")) if "at" in claim.values else None
    assert told == expected


# ------------------------------------------------------------------------------------------------- what holds


def section(run: str, status: str) -> str:
    return f"## S\n\n{f'run-{run}' if run else ''}\n\nT-1 is {status}.\n\n"


EARLY, LATE = section("20260601T103932Z", "open"), section("20260601T105222Z", "done")
HOLDS = {
    "evidence over the declaration": ({"proof.md": LATE}, "done"),
    "the newer, which stands first": ({"proof.md": LATE + EARLY}, "done"),
    "the newer, which stands last": ({"proof.md": EARLY + LATE}, "done"),
    "the newer of two offsets": (
        {"proof.md": section("20260601T105222+0200", "open") + section("20260601T090000Z", "done")},
        "done",
    ),
    "the newer of another source of that rank": (
        {"proof.md": EARLY, "report.md": "20260601T110000Z closes T-1\n"},
        "done",
    ),
    "the board over evidence": ({"proof.md": LATE, "b.yaml": "T-1: open\n"}, "open"),
    "the declaration over dated sections": ({"other.md": "## Log 2026-06-01\n\nT-1 was done.\n"}, "open"),
    "no claim with a scope": ({"proof.md": "T-1 is done for the fixture only.\n"}, "open"),
    "no later claim with a scope": (
        {"proof.md": EARLY + LATE.replace("done.", "done for x only.")},
        "open",
    ),
    "claims that agree, without a time": ({"proof.md": "T-1 is done.\n\nT-1 is done.\n"}, "done"),
    "the newer day": (
        {"proof.md": "## A 2026-06-02\n\nT-1 is done.\n\n## B 2026-06-01\n\nT-1 is open.\n"},
        "done",
    ),
    "a tie": ({"proof.md": LATE + LATE.replace("done", "open")}, None),
    "one without a time": ({"proof.md": LATE, "other-proof.md": "T-1 is open.\n"}, None),
    "none with a time": ({"proof.md": "T-1 is done.\n\nT-1 is open.\n"}, None),
    "a run on the day": ({"proof.md": "## A 2026-06-01\n\nT-1 is open.\n\n" + LATE}, None),
    "a run on the day after, where it may be the same": (
        {"proof.md": "## A 2026-05-31\n\nT-1 is open.\n\n" + section("20260601T010000Z", "done")},
        None,
    ),
    "two boards": ({"b.yaml": "T-1: open\n", "c.yaml": "T-1: done\n"}, None),
    "two boards, whatever evidence says": (
        {"b.yaml": "T-1: open\n", "c.yaml": "T-1: done\n", "proof.md": LATE},
        None,
    ),
}


@pytest.mark.parametrize(("files", "expected"), HOLDS.values(), ids=HOLDS)
def test_what_holds_is(files: dict[str, str], expected: str | None) -> None:
    held = task({"plan.md": DECLARED, **files})
    if expected is not None:
        assert (held.values["status"], held.values["conflicts"]) == (expected, ())
        return
    assert held.values["status"] is UNKNOWN
    (conflict,) = held.values["conflicts"]
    assert len(conflict.places["values"]) >= 2
    assert held.values["stale"] == ()


def test_every_claim_that_lost_is_stale_with_both_places() -> None:
    held = task(
        {"plan.md": DECLARED, "proof.md": LATE + EARLY, "other.md": "## Log 2026-05-01\n\nT-1 was open.\n"}
    )
    told = [
        (s.values["source"], s.values["value"], s.values["holds"], s.place[:2], s.places["holds"][0][:2])
        for s in held.values["stale"]
    ]
    winner = ("proof.md", 5)
    assert sorted(told) == [
        ("dated", "open", "done", ("other.md", 3), winner),
        ("declared", "open", "done", ("plan.md", 3), winner),
        ("proof", "open", "done", ("proof.md", 11), winner),
    ]


def test_views_show_what_each_source_says() -> None:
    held = task({"plan.md": DECLARED, "proof.md": LATE, "report.md": "20260601T000000Z closes T-1\n"})
    views = {name: held.values[name].values["status"] for name in ("declared", "proof", "report")}
    assert views == {"declared": "open", "proof": "done", "report": "done"}


def test_claims_tell_all_that_was_said() -> None:
    told = [
        (c.values["source"], c.values["field"], c.values["value"], c.values["holds"])
        for c in said(
            {"plan.md": DECLARED, "proof.md": LATE, "b.yaml": "T-1: {status: done, needs: [T-2]}\n"}
        )
    ]
    assert told == [
        ("board", "status", "done", True),
        ("proof", "status", "done", False),
        ("declared", "status", "open", False),
    ]


def test_every_claim_can_be_listed() -> None:
    found = gathered({"plan.md": DECLARED, "proof.md": LATE}).facts
    assert [c.id for c in found.functions["items"]("claim")] == ["T-1.status", "T-1.status"]
    assert [c.id for c in found.functions["items"]("stale")] == ["T-1.status"]


# ------------------------------------------------------------------------------------------------- what was not read

UNREAD = {
    "a board": "b.yaml",
    "a board elsewhere": "deep/down/b.yaml",
    "evidence": "new-proof.md",
    "a report": "new-report.md",
}


@pytest.mark.parametrize("path", UNREAD.values(), ids=UNREAD)
def test_an_unread_document_of_a_stronger_source_leaves_the_value_unknown(path: str) -> None:
    held = task({"plan.md": DECLARED, path: "\0"})
    assert held.values["status"] is UNKNOWN
    assert [place.path for place in held.places["status"]] == [path]
    assert held.values["declared"].values["status"] == "open"
    assert (held.values["stale"], type(held.values["stale"])) == ((), OpenTuple)


def test_a_finding_names_the_document_that_nobody_read() -> None:
    rule = PACK["rules/rules.yaml"].replace("size(t.conflicts) == 0", 't.status == "open"')
    rules = load(
        [PackFiles(name="said", origin="said", files={**PACK, "rules/rules.yaml": rule}, schemas={})]
    )
    files = {"plan.md": DECLARED, "b.yaml": "\0", "proof.md": LATE}
    found = check(read_files(files, rules, NOW), Selection()).findings
    (finding,) = [each for each in found if each.rule == "TNY-SAY-001"]
    assert finding.outcome is Outcome.UNKNOWN
    assert "b.yaml, which could not be read, may state the status of T-1" in finding.message


def test_an_unread_document_of_equal_strength_does_too() -> None:
    assert task({"plan.md": DECLARED, "proof.md": LATE, "other-proof.md": "\0"}).values["status"] is UNKNOWN


def test_an_unread_board_opens_the_lists_that_it_could_state() -> None:
    held = task({"plan.md": DECLARED + "Needs: T-2\n", "b.yaml": "\0"})
    assert isinstance(held.values["needs"], OpenTuple)
    assert [needed.id for needed in held.values["needs"]] == ["T-2"]


def test_an_unread_document_of_a_weaker_source_changes_nothing() -> None:
    held = task({"plan.md": DECLARED, "b.yaml": "T-1: done\n", "proof.md": "\0", "other.md": "\0"})
    assert held.values["status"] == "done"


def test_claims_are_open_where_more_may_be_made() -> None:
    found = gathered({"plan.md": DECLARED, "proof.md": "\0"}).facts
    assert isinstance(found.functions["claims"](found.items["task"][0]), OpenTuple)


# ------------------------------------------------------------------------------------------------- status_at

AT = {
    "before anything": (datetime(2026, 6, 1, 10, 0, tzinfo=UTC), None),
    "after the first": (datetime(2026, 6, 1, 10, 45, tzinfo=UTC), "open"),
    "at the moment of the first": (datetime(2026, 6, 1, 10, 39, 32, tzinfo=UTC), "open"),
    "after the second": (datetime(2026, 6, 1, 11, 0, tzinfo=UTC), "done"),
    "on the day": (date(2026, 6, 1), None),
    "a week later": (date(2026, 6, 8), "done"),
}


@pytest.mark.parametrize(("moment", "expected"), AT.values(), ids=AT)
def test_the_status_at_a_time(moment: date, expected: str | None) -> None:
    found = gathered({"plan.md": DECLARED, "proof.md": LATE + EARLY}).facts
    status = found.functions["status_at"](found.items["task"][0], moment)
    assert status == expected if expected else status is UNKNOWN


OPENED = {
    "only claims without a time": {"plan.md": DECLARED},
    "a board, of which nobody knows since when": {
        "plan.md": DECLARED,
        "proof.md": LATE,
        "b.yaml": "T-1: open\n",
    },
    "evidence without a time": {"plan.md": DECLARED, "proof.md": LATE, "other-proof.md": "T-1 is open.\n"},
    "an unread document": {"plan.md": DECLARED, "proof.md": LATE, "b.yaml": "\0"},
    "nothing": {"plan.md": "## T-1\n"},
}


@pytest.mark.parametrize("files", OPENED.values(), ids=OPENED)
def test_the_status_at_a_time_is_left_open_by(files: dict[str, str]) -> None:
    found = gathered(files).facts
    assert found.functions["status_at"](found.items["task"][0], datetime(2026, 7, 1, tzinfo=UTC)) is UNKNOWN


# ------------------------------------------------------------------------------------------------- at the base


def test_the_claims_on_an_item_of_the_base_are_those_of_the_base() -> None:
    before_, after = (
        gathered({"plan.md": DECLARED, "proof.md": EARLY}),
        gathered({"plan.md": DECLARED, "proof.md": LATE}),
    )
    base = gather(before_.graph, RULESET.model, None, "base:")
    found = gather(after.graph, RULESET.model, base)
    (now,) = found.items["task"]
    then = found.functions["old"](now)
    assert [(c.values["value"], c.values["holds"]) for c in found.functions["claims"](then)] == [
        ("open", True),
        ("open", False),
    ]
    assert [c.place.path for c in found.functions["claims"](then)] == ["base:proof.md", "base:plan.md"]
    assert [c.values["value"] for c in found.functions["claims"](now)] == ["done", "open"]
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    assert found.functions["status_at"](then, moment) == "open"
    assert found.functions["status_at"](now, moment) == "done"
    with pytest.raises(TypeError):
        found.functions["old"](found.functions["claims"](now)[0])


# ------------------------------------------------------------------------------------------------- laws

POSSIBLE = [
    None,
    When(date(2026, 6, 1), date(2026, 6, 1)),
    When(date(2026, 6, 2), date(2026, 6, 4)),
    When(datetime(2026, 6, 1, 10, tzinfo=UTC), datetime(2026, 6, 1, 10, tzinfo=UTC)),
    When(datetime(2026, 6, 3, 10, tzinfo=UTC), datetime(2026, 6, 3, 10, tzinfo=UTC)),
    When(date(2026, 6, 8), date(2026, 6, 8)),
]


def claims_of(times: tuple[When | None, ...], values: tuple[str, ...]) -> list[Claim]:
    return [
        Claim("status", value, "proof", 0, Place("a.md", line, 1), at)
        for line, (at, value) in enumerate(zip(times, values, strict=True), 1)
    ]


def test_the_newest_is_later_than_all_that_contradict_it_whatever_the_order() -> None:
    for times in itertools.product(POSSIBLE, repeat=3):
        for values in (("a", "b", "b"), ("a", "b", "c"), ("a", "a", "b")):
            claims = claims_of(times, values)
            wanted = {
                one.value
                for one in claims
                if all(other.value == one.value or before(other.at, one.at) for other in claims)
            }
            for order in itertools.permutations(claims):
                found = newest(order)
                assert ({found} if found is not UNKNOWN else set()) == wanted


def test_a_further_claim_never_turns_one_value_into_another_without_being_newer() -> None:
    for times in itertools.product(POSSIBLE, repeat=3):
        claims = claims_of(times, ("a", "b", "c"))
        first, second = resolve(claims[:2]), resolve(claims)
        assert first is not None and second is not None
        if UNKNOWN not in (first.value, second.value) and first.value != second.value:
            assert second.value == "c"


def test_an_answer_about_the_past_holds_for_every_way_in_which_it_can_have_been() -> None:
    """Whatever instants the claims were made at, what was known by then comes to the answer given."""
    moment = datetime(2026, 6, 3, 12, tzinfo=UTC)
    for times in itertools.product(POSSIBLE, repeat=2):
        claims = claims_of(times, ("a", "b"))
        found = resolve_at(claims, moment)
        known = [c for c in claims if c.at is not None and before(c.at, When(moment, moment))]
        if found is not UNKNOWN:
            held = resolve(known)
            assert held is not None and held.value == found


def test_a_document_full_of_claims_is_read_in_time() -> None:
    line = 'run-20260601T105222Z T-1 is done and `x` is "y". '
    started = time.process_time()
    found = gathered(
        {"plan.md": DECLARED, "proof.md": line * 20_000, "other-proof.md": "- T-1 is open.\n" * 20_000}
    )
    assert found.facts.items["task"][0].values["status"] is UNKNOWN
    assert time.process_time() - started < 20
