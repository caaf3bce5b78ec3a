"""Every condition of every gate of the pack on the real documents: what it comes to, and one change that turns it.

A change is an edit of a copy of the documents, or another fact that the executor supplies. A condition that no change
turns would be one that cannot fail, or that nothing can meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.documents.reading import read_document
from cortex_policy.facts import gather
from cortex_policy.graph import Truncated, build
from cortex_policy.model import Document
from cortex_policy.ruleset.gates import supplied
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.verdicts.gates import GateVerdict, Judge
from tests.corpora.test_run_admission import ADMISSION, CONSUMED, DOCS, SUPPLIED, of

NOW = datetime(2026, 6, 3, tzinfo=UTC)
D = f"{DOCS}/CTO-"
ISSUES = f"{D}FIRST-REAL-GOVERNED-WORKFLOW-ISSUES.md"
PACKET = f"{D}FIRST-REAL-GOVERNED-WORKFLOW-APPROVAL-PACKET.md"
REQUEST = f"{D}GOVERNED-EXECUTION-REQUEST-RECORD.md"
APPROVAL = f"{D}GOVERNED-EXECUTION-APPROVAL-RECORD.md"
PASS = f"{D}FIRST-REAL-GOVERNED-WORKFLOW-PASS-EVIDENCE.md"
REPLAY = f"{D}HERMES-REAL-REFRESH-CONTROL-REPLAY-EVIDENCE.md"
STAGES = f"{D}CASE-STAGED-PROOF-GATES.md"
SOURCE = f"{D}CASE-SOURCE-ADMISSION-RECORD.md"
INTERFACE = f"{D}HARNESS-EVIDENCE-INTERFACE-CONTRACT.md"
ADAPTER = f"{D}CASE-ADAPTER-CONTRACT.md"
MATRIX = f"{D}CASE-FAILURE-FIXTURE-MATRIX.md"
PROVIDER = f"{D}CASE-PROVIDER-DECISION-RECORD.md"
PROMOTION = f"{D}CORE-PROMOTION-DECISION-RECORD.md"
GUARD = f"{D}CORE-ROUTE-ADMISSION-GUARD.md"
CLOUD = f"{D}CASE-MODEL-PROVIDER-ADMISSION.openai-codex-gpt-5.5.json"
LOCAL = f"{D}CASE-MODEL-PROVIDER-ADMISSION.qwen-local-qwen3.6-35b-a3b.json"
COMPARISON = f"{D}CASE-STAGE6-CANDIDATE-DEFAULT-ISSUES.md"
NEW_MODEL = f"{D}CASE-MODEL-PROVIDER-ADMISSION.new.json"
CLOSED = f"{D}NEW-CLOSEOUT.md"
ELIGIBLE = f"{D}NEW-ELIGIBILITY-DECISION.json"

Files = dict[str, str]
Change = Callable[[Files], None]
T, F, U = "true", "false", "unknown"


def swap(path: str, *pairs: tuple[str, str]) -> Change:
    """The first `old` in the file becomes `new`, for each pair; it must be there."""

    def change(files: Files) -> None:
        for old, new in pairs:
            assert old in files[path], (path, old)
            files[path] = files[path].replace(old, new, 1)

    return change


def both(*changes: Change) -> Change:
    def change(files: Files) -> None:
        for each in changes:
            each(files)

    return change


def add(path: str, text: str) -> Change:
    def change(files: Files) -> None:
        files[path] = files.get(path, "") + text

    return change


def remove(path: str) -> Change:
    def change(files: Files) -> None:
        del files[path]

    return change


def nothing(files: Files) -> None:
    """The documents as they are: only what is supplied changes."""


def every_artifact(files: Files) -> None:
    """The evidence lists what the packet demands, word for word."""
    demanded = files[PACKET].partition("## Evidence Required After Execution")[2].partition("## ")[0]
    files[PASS] += f"\n## Evidence Artifacts\n{demanded}"


MODE = ("Allowed paths:", "Mutation mode: owned-noncritical-repo\n\nAllowed paths:")
ADMITTED = ('"admitted"', '"not_admitted"')
VALIDATED = ("status: draft", "status: validated")
ELIGIBILITY = (
    '{"decision_id": "E", "task_id": "CTO-WORK-049", "selected_backend": "case", '
    '"required_gates": ["a"], "passed_gates": ["a"], "missing_gates": []}\n'
)
SPENT = "# Spent\n\n## Result\n\n- one approved Harness run consumed\n- CTO-WORK-049\n"
ONE_MODEL = both(
    swap(CLOUD, ADMITTED),
    swap(LOCAL, ("promotion beyond copied artificial fixture", "review")),
)
EVENTS = both(
    add(REQUEST, "\n- actor: jp\n- requested_at: 2026-06-01T09:00:00Z\n"),
    add(
        APPROVAL,
        "\n- actor: jp\n- mutation_mode: owned-noncritical-repo\n- granted_at: 2026-06-01T10:00:00Z\n",
    ),
)
FIRST = "## Stage 1 - Gated Case Engine\n"
FIRST_STAGE = swap(STAGES, (FIRST, f"{FIRST}\nStatus: validated for it on 2026-05-31.\n"))
PROVEN = (
    "Validator expectation:",
    "Validation evidence:\n\n- Pass report: `/x/harness-runs/1/report.json`, status `pass`.\n"
    "- provider unavailable, missing required event and artifact write failure were closed.\n\n"
    "Validator expectation:",
)

RUN = [
    ("g01", T, swap(PACKET, ("Rollback expectation:", "Remarks:")), {}, F),
    ("g02", T, swap(ISSUES, ("Status: validated.", "Status: candidate.")), {}, F),
    ("g02", T, swap(ISSUES, ("Blocked by: CTO-WORK-048", "Blocked by: none")), {}, U),
    ("g03", T, swap(PACKET, ("Status: validated as", "Status: draft as")), {}, F),
    (
        "g04",
        T,
        swap(ADMISSION, ('"admission_status": "admitted"', '"admission_status": "not_admitted"')),
        {},
        F,
    ),
    ("g04", T, remove(ADMISSION), {}, U),
    (
        "g05",
        T,
        swap(ADMISSION, ('"operator_outcome_required": true', '"operator_outcome_required": false')),
        {},
        F,
    ),
    ("g05", T, swap(ADMISSION, ('    "deploy",\n', "")), {}, F),
    ("g06", T, nothing, {"review_trigger_fired": "true"}, F),
    ("g07", T, swap(PACKET, ("- `src/strings.py`", "- `lib/strings.py`")), {}, F),
    ("g07", T, swap(PACKET, ("- `src/strings.py`", "- `src/../lib/strings.py`")), {}, F),
    ("g08", T, swap(PACKET, ("- pr_open\n", "")), {}, F),
    ("g09", T, nothing, {"forbidden_paths": "packet"}, F),
    ("g09", T, swap(ADMISSION, ('"vendor/"', '"src/"')), {}, F),
    ("g10", T, swap(APPROVAL, ("approval_granted: true", "approval_granted: false")), {}, F),
    (
        "g10",
        T,
        swap(APPROVAL, ("I approve CTO-WORK-049 against /home", "I approve CTO-WORK-049 against  /srv")),
        {},
        F,
    ),
    ("g10", T, remove(APPROVAL), {}, U),
    (
        "g11",
        T,
        swap(APPROVAL, ("admitted target repository: `/home", "admitted target repository: `/srv")),
        {},
        F,
    ),
    ("g12", T, add(CLOSED, SPENT), {}, F),
    ("g13", T, swap(APPROVAL, ("execution_allowed: true", "execution_allowed: false")), {}, F),
    ("g13", T, remove(APPROVAL), {}, F),
    ("g14", T, add(APPROVAL, "\n- runtime_default_activation: true\n"), {}, F),
    ("g15", T, nothing, {"case_writes": "strings.py"}, F),
    ("g16", T, nothing, {"provider_available": "false"}, F),
    ("g17", T, nothing, {"target_clean": "false"}, F),
    ("g18", T, nothing, {"case_stage": "4"}, F),
    ("g18", T, nothing, {"allow_case": "true"}, F),
    ("g18", T, nothing, {"target_admission_file": "/tmp/other.json"}, F),
    ("g19", T, swap(STAGES, ("Status: validated for owned", "Status: candidate for owned")), {}, F),
    ("g20", U, FIRST_STAGE, {}, T),
    ("g20", U, swap(STAGES, ("Status: validated for copied", "Status: blocked for copied")), {}, F),
    ("g21", F, swap(SOURCE, ("is unresolved.", "is resolved.")), {}, T),
    (
        "g22",
        F,
        both(
            swap(PACKET, MODE),
            swap(
                SOURCE,
                VALIDATED,
                ("Status: not admitted for execution", "Status: admitted for execution"),
                ("mode: planning-only", "mode: owned-noncritical-repo"),
            ),
        ),
        {},
        T,
    ),
    ("g23", F, swap(INTERFACE, VALIDATED), {}, T),
    ("g24", F, swap(ADAPTER, VALIDATED), {}, T),
    ("g25", U, swap(PACKET, MODE), {}, T),
    (
        "g25",
        U,
        swap(PACKET, (MODE[0], MODE[1].replace("owned-noncritical-repo", "candidate-default"))),
        {},
        F,
    ),
    ("g26", U, add(ELIGIBLE, ELIGIBILITY), {}, T),
    ("g26", U, add(ELIGIBLE, ELIGIBILITY.replace('"missing_gates": []', '"missing_gates": ["b"]')), {}, F),
    ("g26", U, add(ELIGIBLE, ELIGIBILITY.replace('"passed_gates": ["a"]', '"passed_gates": []')), {}, F),
    ("g27", F, ONE_MODEL, {}, T),
    ("g28", F, EVENTS, {}, T),
]
"""Conditions of `run-admission` after the approval: what they come to, and what a change makes of them."""

AFTER = [
    ("g29", F, every_artifact, {}, T),
    ("g30", T, swap(PASS, ("changed files: `src/strings.py`", "changed files: `src/other.py`")), {}, F),
    (
        "g30",
        T,
        swap(PASS, ("forbidden actions attempted: false", "forbidden actions attempted: true")),
        {},
        F,
    ),
    ("g31", T, swap(PASS, ("validation passed: true", "validation passed: false")), {}, F),
    ("g32", T, swap(PASS, ("- operator outcome: `accepted`\n", "")), {}, U),
    ("g33", T, swap(REPLAY, ("Status: validated.", "Status: blocked.")), {}, F),
    ("g34", T, nothing, {"health_after_merge": "false"}, F),
    (
        "g35",
        T,
        swap(PASS, ("target repository ending clean: true", "target repository ending clean: false")),
        {},
        F,
    ),
    ("g36", F, swap(ISSUES, ("Status: candidate.", "Status: validated.")), {}, T),
]
"""The conditions that come after the run, on all documents."""

STAGE_FACTS = {
    "stage-1": {"artifacts_complete": "true"},
    "stage-2": {"artifacts_complete": "true", "task_contract": "true", "paths_and_command": "true"},
    "stage-3": {"artifacts_complete": "true", "source_owned": "true", "source_read_only": "true"},
    "stage-4": {"artifacts_complete": "true", "disposal_policy": "true", "approval_events": "true"},
    "stage-5": {"artifacts_complete": "true"},
    "stage-6": {"artifacts_complete": "true", "comparisons": "true"},
}
LAST_OF_STAGE = {
    2: "- Report status: `pass`.",
    3: "- Stage 3 pass report status: `pass`.",
    4: "- Focused Stage 4 validator status: `ok: true`.",
    5: "- Target repo proof commit: `155b442 stage5 case result`.",
    6: "- Focused Stage 6 validator status: `ok: true`.",
}
CLASSES = {
    2: "no diff, disallowed file, failed tests, missing test command, missing required event",
    3: "dirty starting tree, dirty ending tree, timeout, artifact write failure",
    4: "reviewer reject, timeout, provider unavailable",
    5: "disallowed file, failed tests, approval denied, dirty ending tree",
    6: "no diff, disallowed file, failed tests, missing test command, missing event, reviewer reject, timeout, "
    "dirty starting tree, dirty ending tree, artifact write failure, provider unavailable",
}
TITLES = {
    2: "Status: validated for Case/Qwen",
    3: "Status: validated for copied",
    4: "Status: validated for disposable",
    5: "Status: validated for owned",
    6: "Status: validated for candidate",
}


def shown(stage: int) -> Change:
    last = LAST_OF_STAGE[stage]
    return swap(STAGES, (last, f"{last}\n- Closed: {CLASSES[stage]}."))


def entry_gates(stage: int) -> Change:
    def change(files: Files) -> None:
        before, heading, after = files[STAGES].partition(f"## Stage {stage} - ")
        assert "Entry gates:" in after
        files[STAGES] = before + heading + after.replace("Entry gates:", "Remarks:", 1)

    return change


def unrequired(path: str, name: str) -> Change:
    """Without the row of one fixture."""

    def change(files: Files) -> None:
        rows = files[path].split("\n")
        files[path] = "\n".join(row for row in rows if not row.startswith(f"| {name} |"))
        assert len(rows) > len(files[path].split("\n"))

    return change


OF_STAGES: list[tuple[str, str, str, Change, Mapping[str, str], str]] = [
    ("stage-1", "entry-gates", T, entry_gates(1), {}, F),
    ("stage-1", "evidence-contract", F, swap(INTERFACE, VALIDATED), {}, T),
    ("stage-1", "adapter-contract", F, swap(ADAPTER, VALIDATED), {}, T),
    ("stage-1", "source-record", T, remove(SOURCE), {}, U),
    ("stage-1", "failure-matrix", T, remove(MATRIX), {}, U),
    ("stage-1", "classes-defined", T, unrequired(MATRIX, "provider-unavailable"), {}, F),
    (
        "stage-1",
        "classes-shown",
        U,
        swap(STAGES, PROVEN),
        {},
        T,
    ),
    (
        "stage-1",
        "artifacts",
        U,
        swap(STAGES, PROVEN),
        {},
        T,
    ),
    ("stage-1", "artifacts", U, nothing, {"artifacts_complete": "false"}, F),
    (
        "stage-1",
        "promotion",
        U,
        both(FIRST_STAGE, swap(STAGES, PROVEN)),
        {},
        T,
    ),
    ("stage-2", "task-contract", T, nothing, {"task_contract": "false"}, F),
    ("stage-2", "paths-and-command", T, nothing, {"paths_and_command": "false"}, F),
    ("stage-3", "source-owned", T, nothing, {"source_owned": "false"}, F),
    ("stage-3", "source-read-only", T, nothing, {"source_read_only": "false"}, F),
    ("stage-4", "disposal-policy", T, nothing, {"disposal_policy": "false"}, F),
    ("stage-4", "approval-events", T, nothing, {"approval_events": "false"}, F),
    ("stage-5", "ownership", T, swap(ADMISSION, ('"ownership_evidence": "JP', '"remark": "JP')), {}, F),
    ("stage-5", "low-risk", T, swap(ADMISSION, ('"low_risk_noncritical"', '"critical"')), {}, F),
    ("stage-5", "human-approval", T, swap(ADMISSION, ('"approval_source"', '"remark"')), {}, F),
    ("stage-5", "licence", F, swap(SOURCE, ("is unresolved.", "is resolved.")), {}, T),
    ("stage-6", "comparisons", T, nothing, {"comparisons": "false"}, F),
    ("stage-6", "source-current", F, swap(SOURCE, ("Status: not admitted", "Status: admitted")), {}, T),
    ("stage-6", "matrix-covered", F, shown(6), {}, T),
]
for _stage in range(2, 7):
    _gate = f"stage-{_stage}"
    OF_STAGES += [
        (_gate, "order", U, FIRST_STAGE, {}, T),
        (_gate, "entry-gates", T, entry_gates(_stage), {}, F),
        (_gate, "artifacts", T, nothing, {"artifacts_complete": "false"}, F),
        (
            _gate,
            "promotion",
            T,
            swap(STAGES, (TITLES[_stage], TITLES[_stage].replace("validated", "blocked"))),
            {},
            F,
        ),
    ]
    if _stage > 2:
        _lower = TITLES[_stage - 1]
        OF_STAGES.append(
            (_gate, "order", U, swap(STAGES, (_lower, _lower.replace("validated", "blocked"))), {}, F)
        )
    if _stage < 6:
        _class = CLASSES[_stage].split(",")[0].replace(" ", "-")
        OF_STAGES += [
            (_gate, "classes-defined", T, unrequired(MATRIX, _class), {}, F),
            (_gate, "classes-shown", F, shown(_stage), {}, T),
        ]

ROUTE = {"core_idle": "true", "no_conflict": "true", "ownership_certain": "true"}
USE = {"stage": "2", "review_trigger_fired": "false"}
MADE = "decision:CTO-CASE-PROVIDER-DECISION-RECORD"
CORE = "decision:CTO-CORE-PROMOTION-DECISION-RECORD"
KEEPER = "guard:CTO-CORE-ROUTE-ADMISSION-GUARD"
QWEN = "model:qwen-local/qwen3.6-35b-a3b"
TARGET = "target:/home/svrnty/workspaces/cortex-os/cto-stage5-target-sandbox"
THIRD = '{"status": "admitted", "provider": "third", "model": "m"}\n'
OTHERS: list[tuple[str, str, str, str, Change, Mapping[str, str], str]] = [
    (
        "provider-decision",
        MADE,
        "decided",
        T,
        swap(PROVIDER, ("`local_provider_required`.", "`not_decided`.")),
        {},
        F,
    ),
    ("provider-decision", MADE, "complete", T, swap(PROVIDER, ("- `effect`:", "- `remark`:")), {}, F),
    (
        "provider-decision",
        MADE,
        "one-branch",
        T,
        swap(PROVIDER, ("`local_case_compatible`", "`external_anthropic`")),
        {},
        F,
    ),
    (
        "provider-decision",
        MADE,
        "model-admitted",
        T,
        swap(LOCAL, ADMITTED),
        {},
        F,
    ),
    ("provider-decision", MADE, "one-model", F, swap(CLOUD, ADMITTED), {}, T),
    (
        "promotion-decision",
        CORE,
        "requested",
        T,
        swap(PROMOTION, (": core_promotion_requested", ": core_promotion_deferred")),
        {},
        F,
    ),
    ("promotion-decision", CORE, "ready", T, swap(PROMOTION, ("review: true", "review: false")), {}, F),
    ("promotion-decision", CORE, "repeatable", T, swap(PROMOTION, ("count: 2", "count: 1")), {}, F),
    (
        "promotion-decision",
        CORE,
        "nothing-active",
        T,
        swap(PROMOTION, ("activation: false", "activation: true")),
        {},
        F,
    ),
    (
        "promotion-decision",
        CORE,
        "guard-passed",
        F,
        swap(GUARD, ("guard_status: blocked", "guard_status: passed")),
        {},
        T,
    ),
    ("core-route", KEEPER, "admitted", F, swap(GUARD, (": not_admitted", ": admitted")), {}, T),
    (
        "core-route",
        KEEPER,
        "passed",
        F,
        swap(GUARD, ("guard_status: blocked", "guard_status: passed")),
        {},
        T,
    ),
    ("core-route", KEEPER, "ready", T, swap(GUARD, ("route_review: true", "route_review: false")), {}, F),
    ("core-route", KEEPER, "careful", T, swap(GUARD, ("agent_work: true", "agent_work: false")), {}, F),
    (
        "core-route",
        KEEPER,
        "nothing-active",
        T,
        swap(GUARD, ("status: not-promoted\n- No", "status: promoted\n- No")),
        {},
        F,
    ),
    (
        "core-route",
        KEEPER,
        "checks-named",
        T,
        swap(GUARD, ("- Ownership uncertainty blocks action.\n", "")),
        {},
        F,
    ),
    ("core-route", KEEPER, "core-idle", T, nothing, {"core_idle": "false"}, F),
    ("core-route", KEEPER, "no-conflict", T, nothing, {"no_conflict": "false"}, F),
    ("core-route", KEEPER, "ownership-certain", T, nothing, {"ownership_certain": "false"}, F),
    ("model-admission", QWEN, "admitted", T, swap(LOCAL, ADMITTED), {}, F),
    ("model-admission", QWEN, "complete", T, swap(LOCAL, ('"review_trigger"', '"remark"')), {}, F),
    ("model-admission", QWEN, "alone", F, swap(CLOUD, ADMITTED), {}, T),
    ("model-admission", QWEN, "alone", F, add(NEW_MODEL, THIRD), {}, F),
    (
        "model-admission",
        QWEN,
        "as-decided",
        T,
        swap(PROVIDER, ("`provider`: `qwen-local`", "`provider`: `other`")),
        {},
        F,
    ),
    ("model-admission", QWEN, "reaches-stage", T, nothing, {"stage": "5"}, F),
    ("model-admission", QWEN, "current", T, nothing, {"review_trigger_fired": "true"}, F),
    ("target-admission", TARGET, "admitted", T, swap(ADMISSION, ADMITTED), {}, F),
    (
        "target-admission",
        TARGET,
        "complete",
        T,
        swap(ADMISSION, ('"noncritical_rationale"', '"remark"')),
        {},
        F,
    ),
    ("target-admission", TARGET, "owned", T, swap(ADMISSION, ('"ownership_evidence"', '"remark"')), {}, F),
    (
        "target-admission",
        TARGET,
        "low-risk",
        T,
        swap(ADMISSION, ('"low_risk_noncritical"', '"critical"')),
        {},
        F,
    ),
    ("target-admission", TARGET, "paths", T, swap(ADMISSION, ('"allowed_paths"', '"remark"')), {}, F),
    ("target-admission", TARGET, "actions", T, swap(ADMISSION, ('    "push",\n', "")), {}, F),
    ("target-admission", TARGET, "approved", T, swap(ADMISSION, ('"approval_source"', '"remark"')), {}, F),
    (
        "target-admission",
        TARGET,
        "outcome-required",
        T,
        swap(ADMISSION, ('required": true', 'required": false')),
        {},
        F,
    ),
    ("target-admission", TARGET, "current", T, nothing, {"review_trigger_fired": "true"}, F),
]
FACTS = {"core-route": ROUTE, "model-admission": USE, "target-admission": {"review_trigger_fired": "false"}}


# --------------------------------------------------------------------------- running them


class House:
    """The documents as texts, and what the gates say of them after a change; each text is read once."""

    def __init__(self, root: Path) -> None:
        self.ruleset: Ruleset = load_ruleset(open_project(root, ("cortex",)))
        self.gates = {gate.name: gate for gate in self.ruleset.gates}
        self.all = {
            path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }
        self.approved = {path: text for path, text in self.all.items() if not of(CONSUMED, Path(path).name)}
        self.document = cache(self._document)

    def _document(self, path: str, text: str) -> Document:
        model = self.ruleset.model
        readers = (reader for reader in model.readers if reader.takes(path))
        found = (read_document(path, text.encode(), reader, model) for reader in readers)
        return next(document for document in found if document is not None)

    def verdict(
        self, gate: str, subject: str, change: Change, given: Mapping[str, str], approved: bool
    ) -> GateVerdict:
        files = dict(self.approved if approved else self.all)
        change(files)
        documents = [self.document(path, text) for path, text in sorted(files.items())]
        facts = gather(build(documents, self.ruleset.model, sorted(files), Truncated()), self.ruleset.model)
        chosen = self.gates[gate]

        def lines(path: str) -> list[str]:
            return files[path].split("\n")

        judge = Judge(chosen, chosen.profiles[-1], "post", facts, lines, NOW, supplied(chosen, given))
        return judge.verdict(subject)

    def outcome(
        self, gate: str, subject: str, name: str, change: Change, given: Mapping[str, str], approved: bool
    ) -> str:
        """What one condition comes to. One that is not true must show a fact, or say what is missing."""
        found = self.verdict(gate, subject, change, given, approved)
        assert not found.reason, found.reason
        (each,) = [c for c in found.conditions if c.id == name or c.id.startswith(f"{name}-")]
        assert each.outcome.value == "true" or each.facts or each.missing
        return each.outcome.value


@pytest.fixture(scope="module")
def house(corpus: Callable[[str], Path]) -> House:
    return House(corpus("cortex"))


def turns(
    house: House, gate: str, subject: str, case: Any, base: Mapping[str, str], *, approved: bool
) -> None:
    condition, before, change, given, after = case
    was = house.outcome(gate, subject, condition, nothing, base, approved)
    now = house.outcome(gate, subject, condition, change, {**base, **given}, approved)
    assert (was, now) == (before, after)


def name_of(case: Any) -> str:
    return "-".join(str(part) for part in case if isinstance(part, str) and ":" not in part)


@pytest.mark.parametrize("case", RUN, ids=name_of)
def test_a_condition_before_the_run(case: Any, house: House) -> None:
    turns(house, "run-admission", "CTO-WORK-049", case, SUPPLIED, approved=True)


@pytest.mark.parametrize("case", AFTER, ids=name_of)
def test_a_condition_after_the_run(case: Any, house: House) -> None:
    turns(house, "run-admission", "CTO-WORK-049", case, SUPPLIED, approved=False)


@pytest.mark.parametrize("case", OF_STAGES, ids=name_of)
def test_a_condition_of_a_stage(case: Any, house: House) -> None:
    gate, *rest = case
    turns(house, gate, f"stage:{gate[-1]}", rest, STAGE_FACTS[gate], approved=False)


@pytest.mark.parametrize("case", OTHERS, ids=name_of)
def test_a_condition_of_another_gate(case: Any, house: House) -> None:
    gate, subject, *rest = case
    turns(house, gate, subject, rest, FACTS.get(gate, {}), approved=False)


def test_every_condition_of_every_gate_is_turned_by_some_change(house: House) -> None:
    turned = {("run-admission", case[0]) for case in (*RUN, *AFTER)}
    turned |= {(case[0], case[1]) for case in OF_STAGES} | {(case[0], case[2]) for case in OTHERS}
    wanted = {
        (gate.name, demand.id.partition("-")[0] if gate.name == "run-admission" else demand.id)
        for gate in house.ruleset.gates
        for demand in gate.require
    }
    assert turned == wanted


def test_an_unreadable_document_opens_no_gate(house: House) -> None:
    """Whatever it might declare, an approval or its consumption, nobody has seen it."""
    broken = add(f"{D}UNREADABLE.md", "---\nstatus: [\n---\n# A\n")
    found = house.verdict("run-admission", "CTO-WORK-049", broken, SUPPLIED, True)
    own = [each for each in found.conditions if each.profile == "own" and each.phase == "pre"]
    assert {each.outcome.value for each in own if each.id.startswith(("g10", "g12", "g13"))} == {"unknown"}
