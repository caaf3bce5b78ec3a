"""The cortex pack on the real documents of its house: what must be found, and what must not."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cortex_policy.app.project import Project, load_ruleset
from cortex_policy.app.reading import read_project
from cortex_policy.cli import _run


@pytest.fixture(scope="module")
def root(corpus):
    return corpus("cortex")


def command(capfdbinary, *args: str) -> tuple[int, bytes, bytes]:
    code = _run(args)
    out = capfdbinary.readouterr()
    return code, out.out, out.err


def check(capfdbinary, root: Path, *args: str) -> dict:
    code, out, err = command(capfdbinary, "check", str(root), "--pack", "cortex", "--format", "json", *args)
    assert code in (0, 1, 3), err
    return json.loads(out)


def items(capfdbinary, root: Path, kind: str) -> list[dict]:
    code, out, err = command(
        capfdbinary, "items", "--root", str(root), "--pack", "cortex", "--kind", kind, "--format", "json"
    )
    assert code == 0, err
    return json.loads(out)["items"]


def places(finding: dict) -> list[tuple[str, int]]:
    return [(Path(location["path"]).name, location["line"]) for location in finding["locations"]]


def of(result: dict, rule: str, subject: str | None = None) -> list[dict]:
    return [
        f for f in result["findings"] if f["rule"] == rule and (subject is None or f["subjects"] == [subject])
    ]


# ------------------------------------------------------------------------------------------------- what is read


def test_every_document_is_read(capfdbinary, root):
    assert check(capfdbinary, root)["summary"]["documents"] == 98
    assert len(items(capfdbinary, root, "document")) == 98


def test_items_fields_and_boxes_are_those_of_the_inventory(capfdbinary, root):
    work = items(capfdbinary, root, "work_item")
    boxes = [box for item in work for box in item["fields"].get("boxes", {"value": []})["value"]]
    assert len(work) == 87
    assert sum(len(item["declarations"]) for item in work) == 88
    assert sum("blocked_by" in item["fields"] for item in work) == 47
    assert (
        sum(len(item["fields"]["blocked_by"]["value"]) for item in work if "blocked_by" in item["fields"])
        == 52
    )
    assert Counter(box["checked"] for box in boxes) == {True: 162, False: 142}
    stated = Counter(name for item in work for name in item["fields"])
    assert (stated["status"], stated["type"], stated["build"], stated["validator"], stated["stories"]) == (
        78,
        46,
        34,
        34,
        23,
    )
    assert stated["allowed_files"] == 29


def test_every_value_stands_where_its_claim_says(capfdbinary, root):
    for item in items(capfdbinary, root, "work_item"):
        for field in item["fields"].values():
            for claim in field["claims"]:
                lines = (root / claim["path"]).read_text(encoding="utf-8").split("\n")
                assert lines[claim["line"] - 1] == claim["text"]
                assert 1 <= claim["column"] <= len(claim["text"]) + 1


# ------------------------------------------------------------------------------------------------- what is found


def test_an_item_is_validated_before_its_blocker(capfdbinary, root):
    (finding,) = of(check(capfdbinary, root), "CPX-STA-003", "CTO-WORK-050")
    assert finding["outcome"] == "false"
    assert finding["condition"] == "blockers"
    assert finding["message"] == "CTO-WORK-050 is validated, but its blocker CTO-WORK-049 is candidate"
    name = "CTO-FIRST-REAL-GOVERNED-WORKFLOW-ISSUES.md"
    assert places(finding)[:2] == [(name, 81), (name, 47)]
    assert [location["role"] for location in finding["locations"]][:2] == ["primary", "related"]
    assert finding["locations"][0]["text"] == "Blocked by: CTO-WORK-049"


def test_a_blocker_without_a_status_leaves_the_rule_undecided(capfdbinary, root):
    (finding,) = of(check(capfdbinary, root), "CPX-STA-003", "CTO-WORK-012")
    name = "CTO-CASE-STAGE2-ARTIFICIAL-FIXTURE-ISSUES.md"
    assert finding["outcome"] == "unknown"
    assert places(finding) == [(name, 56), (name, 20)]


def test_a_validated_item_has_open_criteria(capfdbinary, root):
    result = check(capfdbinary, root)
    (finding,) = of(result, "CPX-STA-005", "CTO-WORK-012")
    assert finding["message"] == "CTO-WORK-012 is validated, but 0 of its 15 criteria are ticked"
    assert len(finding["locations"]) >= 15
    declared, by_evidence = (12, 33, 34, 35), (49, 55, 57, 59)
    assert {f["subjects"][0] for f in of(result, "CPX-STA-005")} == {
        f"CTO-WORK-{n:03d}" for n in (*declared, *by_evidence)
    }


def test_items_without_a_status(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-STA-001")
    assert [f["subjects"] for f in found] == [[f"CTO-WORK-{n:03d}"] for n in range(3, 12)]


def test_an_id_declared_twice_is_shown_at_both_places(capfdbinary, root):
    (finding,) = of(check(capfdbinary, root), "CPX-REF-001")
    assert finding["subjects"] == ["CTO-WORK-078"]
    assert places(finding) == [
        ("CTO-CASE-STAGE5-REPEATABILITY-PROOF-ISSUES.md", 17),
        ("CTO-ENDGOAL-COMPLETION-AUDIT-ISSUES.md", 44),
    ]


def test_two_documents_lack_the_disclaimer(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-GRD-001")
    assert [Path(f["subjects"][0]).name for f in found] == [
        "CTO-WORKSPACE-INTENT.md",
        "CTO-CASE-BACKEND-BRIEF.md",
    ]


def test_the_same_criterion_is_open_here_and_ticked_there(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-STA-006")
    assert all(len({path for path, _ in places(finding)}) == 2 for finding in found)
    assert ("CTO-HERMES-CONTROL-SURFACE-PRD.md", 55) in {places(finding)[0] for finding in found}


def test_undeclared_and_unused_ids(capfdbinary, root):
    result = check(capfdbinary, root)
    assert [f["subjects"][0] for f in of(result, "CPX-REF-002")] == ["CTO-WORK-001", "CTO-WORK-002"]
    assert [f["subjects"][0] for f in of(result, "CPX-REF-003")] == [
        "CTO-WORK-051",
        "CTO-WORK-052",
        "CTO-WORK-053",
    ]


def test_sources_that_are_no_paths(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-REF-004")
    assert len(found) == 6
    assert all(location["text"].startswith("source: ") for f in found for location in f["locations"])


def test_evidence_in_another_items_place(capfdbinary, root):
    result = check(capfdbinary, root)
    (label,) = of(result, "CPX-REF-009")
    assert places(label)[0] == ("CTO-CASE-STAGE5-OWNED-NONCRITICAL-REPO-ISSUES.md", 205)
    assert ("CTO-CASE-PROVIDER-BUILD-ISSUES.md", 195) in {places(f)[0] for f in of(result, "CPX-REF-008")}


# ------------------------------------------------------------------------------------------------- what is claimed


STALE = {
    "CTO-WORK-049": ("FIRST-REAL-GOVERNED-WORKFLOW", 47, "FIRST-REAL-GOVERNED-WORKFLOW-PASS", (20, 87)),
    "CTO-WORK-055": ("CASE-STAGE6-REAL-GOVERNED-REFRESH", 49, "CASE-STAGE6-REAL-GOVERNED-REFRESH", (20, 83)),
    "CTO-WORK-057": (
        "HERMES-REAL-REFRESH-CONTROL-REPLAY",
        53,
        "HERMES-REAL-REFRESH-CONTROL-REPLAY",
        (20, 83),
    ),
    "CTO-WORK-059": ("HERMES-WEBUI-CONTROL-PANEL", 52, "HERMES-WEBUI-CONTROL-PANEL", (17, 54)),
    "CTO-WORK-061": ("HERMES-WEBUI-LIVE-SMOKE", 31, "HERMES-WEBUI-LIVE-SMOKE", (17, 54)),
    "CTO-WORK-063": ("HERMES-APPROVAL-STATE", 29, "HERMES-APPROVAL-STATE", (17, 56)),
    "CTO-WORK-065": ("HERMES-APPROVAL-PACKET", 30, "HERMES-APPROVAL-PACKET", (17, 57)),
}
"""Item, where it is declared a candidate, and where evidence validates it."""


def test_seven_declarations_lag_behind_their_evidence(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-CLM-002")
    assert {f["subjects"][0]: places(f) for f in found} == {
        name: [(f"CTO-{issues}-ISSUES.md", line), *((f"CTO-{evidence}-EVIDENCE.md", at) for at in lines)]
        for name, (issues, line, evidence, lines) in STALE.items()
    }


def test_the_order_of_dated_sections_is_that_of_their_runs(capfdbinary, root):
    (item,) = [i for i in items(capfdbinary, root, "work_item") if i["id"] == "CTO-WORK-016"]
    claims = [c for c in item["fields"]["status"]["claims"] if c["kind"] == "dated"]
    by_time = sorted(claims, key=lambda claim: claim["at"])
    assert [c["line"] for c in by_time] != [c["line"] for c in claims]
    assert [(c["value"], c["scope"]) for c in by_time] == [("blocked", "")] * 10 + [
        ("validated", "for Stage 2 artificial fixture only")
    ]
    assert (by_time[-1]["at"], by_time[-1]["line"]) == ("2026-06-01T02:58:17Z", 214)
    assert not any(claim["holds"] for claim in claims)


def test_an_attempt_that_was_blocked_gives_way_to_the_pass_after_it(capfdbinary, root):
    (item,) = [i for i in items(capfdbinary, root, "work_item") if i["id"] == "CTO-WORK-049"]
    claims = [(c["kind"], c["value"], c["at"], c["holds"]) for c in item["fields"]["status"]["claims"]]
    assert claims == [
        ("evidence", "validated", "2026-06-01T10:52:22Z", True),
        ("evidence", "validated", "2026-06-01T10:52:22Z", True),
        ("evidence", "blocked", "2026-06-01T10:39:32Z", False),
        ("declared", "candidate", None, False),
    ]


def test_a_scope_is_not_dropped(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-CLM-004")
    assert {f["subjects"][0] for f in found} == {f"CTO-WORK-{n:03d}" for n in (16, 20, 28, 30, 31, 32)}
    assert all("only" in f["locations"][0]["text"] for f in found)


def test_a_section_is_younger_than_the_last_review(capfdbinary, root):
    (finding,) = of(check(capfdbinary, root), "CPX-DAT-004")
    assert places(finding)[0] == ("CTO-CASE-PROVIDER-DECISION-RECORD.md", 64)


# ------------------------------------------------------------------------------------------------- what was gated


STAGES = "CTO-CASE-STAGED-PROOF-GATES.md"
SOURCE = "CTO-CASE-SOURCE-ADMISSION-RECORD.md"
QWEN = "CTO-CASE-MODEL-PROVIDER-ADMISSION.qwen-local-qwen3.6-35b-a3b.json"
CODEX = "CTO-CASE-MODEL-PROVIDER-ADMISSION.openai-codex-gpt-5.5.json"
PASSED = "CTO-FIRST-REAL-GOVERNED-WORKFLOW-PASS-EVIDENCE.md"
APPROVAL = "CTO-GOVERNED-EXECUTION-APPROVAL-RECORD.md"


def test_a_stage_is_validated_although_its_entry_gate_is_false(capfdbinary, root):
    (finding,) = of(check(capfdbinary, root), "CPX-STG-002")
    assert (finding["subjects"], finding["condition"], finding["outcome"]) == (
        ["stage:5"],
        "licence",
        "false",
    )
    assert places(finding) == [(STAGES, 245), (SOURCE, 45)]
    assert finding["locations"][1]["text"] == "License status is unresolved."


def test_later_stages_stand_on_one_that_nobody_calls_proven(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-STG-001")
    assert [(f["subjects"], f["condition"], f["outcome"]) for f in found] == [
        ([f"stage:{n}"], "proven", "unknown") for n in range(2, 7)
    ]
    assert {places(f)[1] for f in found} == {(STAGES, 45)}


def test_the_source_blocks_what_the_stages_prove(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-STG-003")
    assert [(f["subjects"][0], places(f)[1]) for f in found] == [
        (f"stage:{n}", (SOURCE, 76)) for n in range(2, 7)
    ]


def test_two_models_are_admitted_at_once_and_only_one_was_decided_on(capfdbinary, root):
    result = check(capfdbinary, root)
    (finding,) = of(result, "CPX-ADM-006")
    assert finding["message"] == (
        "model:qwen-local/qwen3.6-35b-a3b and model:openai-codex/gpt-5.5 are admitted at once"
    )
    assert {(QWEN, 9), (CODEX, 9)} <= set(places(finding))
    (other,) = of(result, "CPX-DEC-003")
    assert other["subjects"] == ["model:openai-codex/gpt-5.5"]
    assert ("CTO-CASE-PROVIDER-DECISION-RECORD.md", 18) in places(other)


def test_a_model_was_admitted_after_the_runs_that_count(capfdbinary, root):
    """The runs of 02:58 and 03:22 UTC, and an admission at midnight four hours behind."""
    found = of(check(capfdbinary, root), "CPX-STG-010")
    assert [(f["subjects"], f["condition"], f["outcome"]) for f in found] == [
        (["stage:2"], "before", "false"),
        (["stage:3"], "before", "false"),
    ]
    assert all((QWEN, 2) in places(f) for f in found)


def test_an_approval_still_allows_after_its_one_run_was_consumed(capfdbinary, root):
    (finding,) = of(check(capfdbinary, root), "CPX-APR-002")
    assert finding["outcome"] == "false"
    assert places(finding)[0] == (APPROVAL, 25)
    assert places(finding)[-1] == ("CTO-GOVERNED-EXECUTION-EVIDENCE-CLOSEOUT.md", 19)


def test_a_run_was_requested_after_it_took_place(capfdbinary, root):
    result = check(capfdbinary, root)
    (request,) = of(result, "CPX-APR-010")
    assert {("CTO-GOVERNED-EXECUTION-REQUEST-RECORD.md", 54), (PASSED, 45)} <= set(places(request))
    assert request["outcome"] == "false"
    (grant,) = of(result, "CPX-APR-011")  # it bears only a day
    assert grant["outcome"] == "unknown"
    assert {(APPROVAL, 6), (PASSED, 45)} <= set(places(grant))
    (target,) = of(result, "CPX-ADM-004")
    assert target["outcome"] == "unknown"


def test_what_the_approval_does_not_say(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-APR-003")
    assert sorted(f["condition"] for f in found) == ["actor", "mode", "time"]
    assert all(places(f) == [(APPROVAL, 24)] for f in found)


def test_runs_without_an_eligibility_decision_an_admitted_source_or_an_approval(capfdbinary, root):
    result = check(capfdbinary, root)
    again = "run:CTO-CASE-STAGE5-REPEATABILITY-PROOF-EVIDENCE"
    runs = [
        again,
        "run:CTO-FIRST-REAL-GOVERNED-WORKFLOW-PASS-EVIDENCE",
        "run:CTO-FIRST-REAL-GOVERNED-WORKFLOW-SCOPE-CASE-EVIDENCE",
    ]
    assert [f["subjects"][0] for f in of(result, "CPX-ADM-009")] == runs
    assert [f["subjects"][0] for f in of(result, "CPX-ADM-010")] == runs
    assert [f["subjects"][0] for f in of(result, "CPX-APR-006")] == [again]


def test_the_packet_forbids_less_than_the_admission(capfdbinary, root):
    (finding,) = of(check(capfdbinary, root), "CPX-ADM-002")
    assert finding["message"].endswith(
        ": package-lock.json, pnpm-lock.yaml, yarn.lock, node_modules/, vendor/"
    )
    assert {
        ("CTO-FIRST-REAL-GOVERNED-WORKFLOW-APPROVAL-PACKET.md", 55),
        ("CTO-CASE-STAGE5-TARGET-REPOSITORY-ADMISSION.json", 24),
    } <= set(places(finding))


def test_review_triggers_have_fired(capfdbinary, root):
    result = check(capfdbinary, root)
    (model,) = of(result, "CPX-ADM-007")
    assert {(QWEN, 8), (STAGES, 133), (STAGES, 243)} <= set(places(model))
    (decision,) = of(result, "CPX-DEC-005")  # the day before, somewhere in the world
    assert decision["outcome"] == "unknown"
    assert {("CTO-CASE-PROVIDER-DECISION-RECORD.md", 7), (QWEN, 2)} <= set(places(decision))


def test_what_the_evidence_of_the_stages_does_not_name(capfdbinary, root):
    result = check(capfdbinary, root)
    classes = Counter(f["subjects"][0] for f in of(result, "CPX-STG-006"))
    assert classes == {"stage:2": 5, "stage:3": 4, "stage:4": 3, "stage:5": 4}
    assert [(f["subjects"][0], f["message"].rpartition(": ")[2]) for f in of(result, "CPX-STG-007")] == [
        ("stage:2", "allowed-write"),
        ("stage:2", "digest"),
        ("stage:4", "branch policy"),
        ("stage:4", "disposal or retention"),
        ("stage:5", "approval event"),
    ]
    (baseline,) = of(result, "CPX-STG-008")
    assert (baseline["subjects"], baseline["condition"]) == (["stage:2"], "baseline")


# ------------------------------------------------------------------------------------------------- what evidence shows


def test_evidence_omits_what_its_packet_demands(capfdbinary, root):
    (finding,) = of(check(capfdbinary, root), "CPX-EVD-002")
    paths = {path for path, _ in places(finding)}
    assert {
        f"CTO-FIRST-REAL-GOVERNED-WORKFLOW-{end}.md" for end in ("PASS-EVIDENCE", "APPROVAL-PACKET")
    } <= paths
    demanded = finding["message"].partition(" demands: ")[2].split(", ")
    assert demanded[0] == "report.md"
    assert len(demanded) == 9
    assert "report.json" not in demanded


def test_failure_fixtures_are_claimed_but_not_cited(capfdbinary, root):
    found = {f["subjects"][0]: f["message"] for f in of(check(capfdbinary, root), "CPX-FIX-005")}
    assert {name: re.findall(r"with (\d+) .* cites (\d+) ", text)[0] for name, text in found.items()} == {
        "CTO-WORK-012": ("6", "0"),
        "CTO-WORK-034": ("8", "0"),
        "CTO-WORK-036": ("6", "2"),
        "CTO-WORK-038": ("10", "0"),
    }


def test_two_closeouts_only_say_that_their_checks_are_required(capfdbinary, root):
    found = of(check(capfdbinary, root), "CPX-EVD-011")
    assert [places(f)[0] for f in found] == [
        ("CTO-CORE-PROMOTION-DECISION-PACKET-CLOSEOUT.md", 124),
        ("CTO-CORE-ROUTE-ADMISSION-GUARD-CLOSEOUT.md", 61),
    ]


def test_runs_are_known_by_what_is_said_of_them(root):
    """The order of lines in a section tells which run a status belongs to."""
    project = Project(root=root, packs=("cortex",), base=Path())
    facts = read_project(project, load_ruleset(project), datetime(2026, 11, 20, tzinfo=UTC)).facts
    runs = facts.functions["mentioned"]("run")
    told = Counter(str(run.values.get("status")) for run in runs if "status" in run.values)
    assert told == {"pass": 7, "fail": 6, "blocked": 2}
    assert all("reason" in run.values for run in runs if run.values.get("status") in ("fail", "blocked"))
    assert not any(run.values["conflicts"] for run in runs)


# ------------------------------------------------------------------------------------------------- what must not be


def test_only_these_rules_speak(capfdbinary, root):
    """Anything else on these documents is a false alarm, or a new kind of truth that deserves a look."""
    counts = Counter(f["rule"] for f in check(capfdbinary, root)["findings"])
    assert (
        counts
        == {
            "CPX-ADM-002": 1,
            "CPX-ADM-004": 1,
            "CPX-ADM-006": 1,
            "CPX-ADM-007": 1,
            "CPX-ADM-009": 3,
            "CPX-ADM-010": 3,
            "CPX-APR-002": 1,
            "CPX-APR-003": 3,
            "CPX-APR-006": 1,
            "CPX-APR-010": 1,
            "CPX-APR-011": 1,
            "CPX-CLM-002": 7,
            "CPX-CLM-004": 6,
            "CPX-DAT-004": 1,
            "CPX-DEC-003": 1,
            "CPX-DEC-005": 1,
            "CPX-EVD-002": 1,  # the evidence of the first run names two of the eleven artifacts of its packet
            "CPX-EVD-011": 2,  # two closeouts say of their own checks only that they are required
            "CPX-FIX-005": 4,  # stages 2 to 5 claim failure fixtures; one of them cites two reports, the others none
            "CPX-GRD-001": 2,
            "CPX-REF-001": 1,
            "CPX-REF-002": 2,
            "CPX-REF-003": 3,
            "CPX-REF-004": 6,
            "CPX-REF-008": 18,
            "CPX-REF-009": 1,
            "CPX-SCH-003": 1,
            "CPX-STA-001": 9,
            "CPX-STA-003": 5,
            "CPX-STA-005": 8,  # four of them are validated by evidence, while their declarations have open criteria
            "CPX-STA-006": 38,
            "CPX-STG-001": 5,
            "CPX-STG-002": 1,
            "CPX-STG-003": 5,
            "CPX-STG-005": 2,
            "CPX-STG-006": 16,
            "CPX-STG-007": 5,
            "CPX-STG-008": 1,
            "CPX-STG-010": 2,
        }
    )


TRUE_THERE = {
    # the runs that it names were over when it was written
    "CTO-GOVERNED-EXECUTION-REQUEST-RECORD.md": {("CPX-APR-010", line) for line in (54, 55, 56)},
    # it forbids fewer paths than the admission of its target, and its demands are those that the evidence omits
    "CTO-FIRST-REAL-GOVERNED-WORKFLOW-APPROVAL-PACKET.md": {
        ("CPX-ADM-002", 26),
        ("CPX-ADM-002", 55),
        ("CPX-EVD-002", 91),
        ("CPX-EVD-002", 107),
    },
}
"""What is found in these places and is true: read in the documents, one by one."""


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("CTO-CASE-STAGE5-TARGET-REPOSITORY-ADMISSION-TEMPLATE.md", range(1, 95)),
        ("CTO-CASE-MODEL-PROVIDER-ADMISSION-ISSUES.md", range(74, 91)),
        ("CTO-CASE-MODEL-PROVIDER-ADMISSION-PRD.md", range(105, 129)),
        ("CTO-GOVERNED-EXECUTION-REQUEST-RECORD.md", range(1, 69)),
        ("CTO-FIRST-REAL-GOVERNED-WORKFLOW-APPROVAL-PACKET.md", range(1, 124)),
        ("CTO-GOVERNED-EXECUTION-EVIDENCE-ISSUES.md", range(1, 75)),
        ("CTO-ENDGOAL-COMPLETION-AUDIT-ISSUES.md", range(46, 70)),
        ("CTO-CORE-ROUTE-ADMISSION-GUARD.md", range(1, 72)),
    ],
    ids=[
        "template",
        "record template",
        "skeleton",
        "request record",
        "packet",
        "criteria",
        "phrases",
        "guard",
    ],
)
def test_nothing_is_raised_in_templates_phrase_lists_and_prohibitions(capfdbinary, root, name, lines):
    findings = check(capfdbinary, root)["findings"]
    hit = {(f["rule"], place) for f in findings for place in places(f) if place[0] == name}
    assert {(rule, line) for rule, (_, line) in hit if line in lines} == TRUE_THERE.get(name, set())


def test_ids_of_other_houses_are_none_of_ours(capfdbinary, root):
    assert "CORE-WORK-172" not in json.dumps(check(capfdbinary, root)["findings"])


@pytest.mark.parametrize("name", ["plans", "sessions"])
def test_a_house_of_another_kind_has_no_findings_and_is_no_pass(capfdbinary, corpus, name):
    code, out, err = command(capfdbinary, "check", str(corpus(name)), "--pack", "cortex", "--format", "json")
    assert code == 3
    assert json.loads(out)["findings"] == []
    assert b"nothing was checked" in err


# ------------------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize("form", ["full", "concise", "json", "sarif", "junit", "github", "gitlab"])
def test_the_order_of_files_cannot_be_seen(capfdbinary, root, tmp_path, form):
    """A copy whose files were made in another order, so that the directory lists them in another order."""
    copy = tmp_path / "copy"
    for path in sorted((p for p in root.rglob("*") if p.is_file()), key=lambda p: p.name[::-1]):
        target = copy / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    now = ("--now", "2026-11-20T00:00:00Z")
    outputs = {
        command(capfdbinary, "check", str(where), "--pack", "cortex", "--format", form, *now)[1]
        for where in (root, copy)
    }
    assert len(outputs) == 1


def test_line_numbers_are_not_in_fingerprints(capfdbinary, root, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    for path in copy.rglob("*.md"):
        path.chmod(0o644)
        head, end, body = path.read_text(encoding="utf-8").partition("\n---\n")
        path.write_text(f"{head}{end}\n\n\n{body}", encoding="utf-8")
    before, after = check(capfdbinary, root), check(capfdbinary, copy)
    assert [f["fingerprint"] for f in before["findings"]] == [f["fingerprint"] for f in after["findings"]]
    assert [f["locations"] for f in before["findings"]] != [f["locations"] for f in after["findings"]]


def test_fingerprints_tell_findings_apart(capfdbinary, root):
    fingerprints = [f["fingerprint"] for f in check(capfdbinary, root)["findings"]]
    assert len(fingerprints) == len(set(fingerprints))
