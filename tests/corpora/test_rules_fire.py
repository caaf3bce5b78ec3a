"""One fault planted into the real documents for each rule that they do not break by themselves: every shipped rule of
the pack, and every fault of a document, fires at least once on real documents."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cortex_policy.app.checking import Selection, check
from cortex_policy.app.project import Project, load_ruleset
from cortex_policy.app.reading import read_project
from cortex_policy.cli import _run
from cortex_policy.documents.faults import FAULTS

DOCS = ".sot/03-PROTOCOLS"
PRD = f"{DOCS}/CTO-CASE-ADAPTER-CONTRACT.md"
ISSUES = f"{DOCS}/CTO-FIRST-REAL-GOVERNED-WORKFLOW-ISSUES.md"
ADMISSION = f"{DOCS}/CTO-CASE-STAGE5-TARGET-REPOSITORY-ADMISSION.json"
EVIDENCE = f"{DOCS}/CTO-CASE-STAGE6-REPEATABILITY-REFRESH-EVIDENCE.md"
BOARD = "WORKBOARD.yaml"
STAGES = f"{DOCS}/CTO-CASE-STAGED-PROOF-GATES.md"
PROVIDER = f"{DOCS}/CTO-CASE-PROVIDER-DECISION-RECORD.md"
REQUEST = f"{DOCS}/CTO-GOVERNED-EXECUTION-REQUEST-RECORD.md"
APPROVAL = f"{DOCS}/CTO-GOVERNED-EXECUTION-APPROVAL-RECORD.md"
PACKET = f"{DOCS}/CTO-FIRST-REAL-GOVERNED-WORKFLOW-APPROVAL-PACKET.md"
CONTRACT = f"{DOCS}/CTO-HARNESS-EVIDENCE-INTERFACE-CONTRACT.md"
BLOCKER = f"{DOCS}/CTO-CASE-AGENT-PROTOCOL-BLOCKER.md"
GATES = f"{DOCS}/CTO-CASE-STAGED-PROOF-GATES.md"
MATRIX = f"{DOCS}/CTO-CASE-FAILURE-FIXTURE-MATRIX.md"
PASS = f"{DOCS}/CTO-FIRST-REAL-GOVERNED-WORKFLOW-PASS-EVIDENCE.md"
GUARD = f"{DOCS}/CTO-CORE-ROUTE-ADMISSION-GUARD.md"
PROMOTION = f"{DOCS}/CTO-CORE-PROMOTION-DECISION-RECORD.md"
PROMOTED = f"{DOCS}/CTO-CORE-PROMOTION-DECISION-PACKET-CLOSEOUT.md"
CONSUMED = f"{DOCS}/CTO-HERMES-CONSUMED-APPROVAL-EVIDENCE-CLOSEOUT.md"
EXECUTED = f"{DOCS}/CTO-GOVERNED-EXECUTION-EVIDENCE-CLOSEOUT.md"
SECOND = f"{DOCS}/CTO-CASE-STAGE5-REPEATABILITY-PROOF-EVIDENCE.md"
AUDIT = f"{DOCS}/CTO-ENDGOAL-COMPLETION-AUDIT-CLOSEOUT.md"
MODEL = f"{DOCS}/CTO-CASE-MODEL-PROVIDER-ADMISSION.qwen-local-qwen3.6-35b-a3b.json"
SOURCE = f"{DOCS}/CTO-CASE-SOURCE-ADMISSION-RECORD.md"

Fault = Callable[[Path], None]


def swap(path: str, old: str, new: str) -> Fault:
    def plant(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        assert old in text
        (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return plant


def write(path: str, data: str | bytes) -> Fault:
    def plant(root: Path) -> None:
        (root / path).write_bytes(data if isinstance(data, bytes) else data.encode())

    return plant


def append(path: str, text: str) -> Fault:
    def plant(root: Path) -> None:
        with (root / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return plant


def prepend(path: str, data: bytes) -> Fault:
    def plant(root: Path) -> None:
        (root / path).write_bytes(data + (root / path).read_bytes())

    return plant


def link(root: Path) -> None:
    os.symlink("CTO-LOOP-PRD.md", root / DOCS / "CTO-LOOP-PRD.md")


def sparse(root: Path) -> None:
    with (root / DOCS / "CTO-HUGE-PRD.md").open("wb") as file:
        file.truncate(100 * 1024 * 1024)


BROKEN: dict[str, Fault] = {
    "CPX-SCH-001": swap(PRD, "name: cto-case-adapter-contract", "name: cto-case-adapter"),
    "CPX-SCH-002": swap(PRD, "\n# CTO Case Adapter Contract", "\n## CTO Case Adapter Contract"),
    "CPX-SCH-004": swap(ISSUES, "Validator: `python3 tools/validate_cto_child.py`\n", ""),
    "CPX-GRD-002": swap(PRD, "core_promotion_status: not-promoted", "core_promotion_status: promoted"),
    "CPX-GRD-003": append(EVIDENCE, "\n## More\n\n- runtime_default_activation: true\n"),
    "CPX-DAT-001": swap(PRD, "created: 2026-05-31", "created: 2026-06-30"),
    "CPX-DAT-002": swap(PRD, "last_reviewed: 2026-05-31", "last_reviewed: 2999-05-31"),
    "CPX-CLM-001": write(
        f"{DOCS}/CTO-NEW-EVIDENCE.md", "# CTO New Evidence\n\n`CTO-WORK-073` is blocked because it stopped.\n"
    ),
    "CPX-CLM-003": write(BOARD, "items:\n  - {id: CTO-WORK-049, status: candidate}\n"),
    "CPX-CLM-005": append(
        f"{DOCS}/CTO-CASE-PROVIDER-BUILD-ISSUES.md",
        "\n## A Later Run - 2026-06-01\n\n- Report: `runs/20260601T040000Z-r1-1/report.json`.\n"
        "- `CTO-WORK-016` remains blocked because it stopped.\n",
    ),
    "CPX-CLM-006": write(BOARD, "items:\n  - {id: CTO-WORK-048, status: candidate}\n"),
    "CPX-CLM-007": append(EVIDENCE, "\n## More\n\n- Case runtime default active: true\n"),
    "CPX-STA-002": swap(ISSUES, "Status: candidate.", "Status: nearly."),
    "CPX-STA-004": swap(ISSUES, "Status: candidate.", "Status: candidate"),
    "CPX-STA-007": swap(f"{DOCS}/CTO-HERMES-CONTROL-SURFACE-PRD.md", "status: draft", "status: validated"),
    "CPX-STA-008": swap(ISSUES, "Status: candidate.", "Status: candidate.\n\nStatus: blocked."),
    "CPX-REF-005": swap(ISSUES, "-WORKFLOW-PRD.md\n", "-WORKFLOW-PLAN.md\n"),
    "CPX-REF-006": append(PRD, "\nSee `.sot/03-PROTOCOLS/CTO-NOT-THERE-PRD.md`.\n"),
    "CPX-REF-007": swap(ISSUES, "Blocked by: CTO-WORK-048", "Blocked by: CTO-WORK-050"),
    "CPX-REF-010": write(f"{DOCS}/CTO-NEW-EVIDENCE.md", "# CTO New Evidence\n\nIt works.\n"),
    "CPX-AUT-001": swap(
        f"{DOCS}/CTO-HERMES-CONTROL-SURFACE-ISSUES.md",
        "Done evidence: PRD, issue artifact, validator JSON, clean worktree, commit.",
        "Done evidence:\n\n- Hermes commit: `0123456 Do more`.",
    ),
    "CPX-AUT-002": swap(
        f"{DOCS}/CTO-CASE-BACKEND-BRIEF.md", "Cortex authority, JP approval, Core promotion |", " |"
    ),
    "CPX-AUT-003": append(EXECUTED, "\n## More\n\nThis closeout authorizes another Case run.\n"),
    "CPX-AUT-004": swap(
        CONSUMED, "upstream `hermes-webui` edited: false", "upstream `hermes-webui` edited: true"
    ),
    "CPX-AUT-005": swap(AUDIT, "| CTO routes | proven |", "| CTO routes | partial |"),
    "CPX-CTL-001": swap(
        f"{DOCS}/CTO-HERMES-REAL-REFRESH-CONTROL-REPLAY-EVIDENCE.md",
        "- summary exposes `case_stage6_real_governed_refresh`\n",
        "",
    ),
    "CPX-CTL-002": swap(EVIDENCE, "Pi lane: blocked with rationale", "Pi lane: blocked"),
    "CPX-CTL-003": swap(CONSUMED, "approval_required: true", "approval_required: false"),
    "CPX-CTL-004": swap(
        f"{DOCS}/CTO-GOVERNED-EXECUTION-REQUEST-RECORD.md",
        "- execution_allowed: false",
        "- execution_allowed: true",
    ),
    "CPX-CTL-005": swap(CONSUMED, "- approval_consumed\n", ""),
    "CPX-CTL-006": swap(
        f"{DOCS}/CTO-HERMES-APPROVAL-PACKET-EVIDENCE.md", "- API invariant: not executable\n", ""
    ),
    "CPX-EVD-001": swap(PACKET, "- `trace.jsonl`\n", ""),
    "CPX-EVD-003": append(
        EXECUTED,
        "\n## More\n\n- First pass report: `/home/svrnty/.hermes/profiles/cto-planb/harness-runs/"
        "20260601T013918Z-r1-string-slugify-2381028/report.json`\n",
    ),
    "CPX-EVD-004": append(
        BLOCKER,
        "\n## A Later Run\n\n- Report: `harness-runs/20260603T040000Z-r1-1`.\n- Report status: `fail`.\n",
    ),
    "CPX-EVD-005": swap(BLOCKER, "b7852b855`", "b785`"),
    "CPX-EVD-006": swap(PASS, "180161/report.json", "180161/report.md"),
    "CPX-EVD-007": swap(EXECUTED, "- operator outcome: `accepted`\n", ""),
    "CPX-EVD-008": append(PRD, "\nSee `.sot/runs/20260601T105222Z-r1-1/report.json`.\n"),
    "CPX-EVD-009": swap(GATES, "- Source repository mutated: `false`.\n", ""),
    "CPX-EVD-010": swap(PACKET, "- `CTO_HARNESS_ALLOW_CASE=1`\n", ""),
    "CPX-FIX-001": swap(
        MATRIX,
        "`no_diff` | `git.diff.checked` | `fail` | nonzero",
        "`no_diff` | `git.diff.checked` | `fail` | zero",
    ),
    "CPX-FIX-002": swap(CONTRACT, "- provider unavailable.", "- provider unavailable;\n- clock skew."),
    "CPX-FIX-003": swap(
        f"{DOCS}/CTO-CASE-FAILURE-FIXTURE-MATRIX.md",
        "`provider_unavailable` | `run.completed` | `blocked`",
        "`provider_unavailable` | `run.completed` | `fail`",
    ),
    "CPX-FIX-004": swap(MATRIX, "`approval.denied`", "`approval.refused`"),
    "CPX-PHR-001": swap(EXECUTED, "- Do not activate Case as default backend.\n", ""),
    "CPX-PHR-002": swap(EXECUTED, "- result: `3 passed`\n", ""),
    "CPX-PHR-003": append(PRD, "\nCase is the default backend.\n"),
    "CPX-PHR-004": append(PRD, "\nThis packet has been approved for promotion.\n"),
    "CPX-PHR-005": write(f"{DOCS}/CTO-NEW-CLOSEOUT.md", "# CTO New Closeout\n\n`CTO-WORK-049` is done.\n"),
    "CPX-PRO-001": swap(GUARD, "- do_not_touch_other_agent_work: true\n", ""),
    "CPX-PRO-002": swap(
        f"{DOCS}/CTO-CORE-ROUTE-ADMISSION-GUARD-CLOSEOUT.md",
        "- guard_status: blocked",
        "- guard_status: passed",
    ),
    "CPX-PRO-003": swap(PROMOTED, "- repeatability_count: 2", "- repeatability_count: 3"),
    "CPX-PRO-004": swap(GUARD, "- Ownership uncertainty blocks action.\n", ""),
    "CPX-PRO-005": swap(
        PROMOTION, "- recommendation_status: candidate_only_until_core_route_admission_guard_passes\n", ""
    ),
    "CPX-PRO-006": swap(GUARD, "- No Core reservation occurs.\n", ""),
    "CPX-PRO-007": swap(PROMOTION, "- runtime_default_activation: false\n", ""),
    "CPX-PRO-008": swap(
        f"{DOCS}/CTO-CASE-STAGE6-CANDIDATE-DEFAULT-ISSUES.md",
        "Candidate-default activation remains `false`",
        "Candidate-default activation remains `true`",
    ),
    "CPX-RPT-001": swap(EVIDENCE, "- repeat report: ", "- other report: "),
    "CPX-RPT-002": swap(PROMOTION, "- repeatability_count: 2\n", "- repeatability_count: 1\n"),
    "CPX-RPT-003": swap(EVIDENCE, "- failure closure: pass\n", "- failure closure: fail\n"),
    "CPX-RPT-004": swap(EVIDENCE, "- first target commit: `7706f99`", "- first target commit: `7706f98`"),
    "CPX-RPT-005": swap(EVIDENCE, "- no target repository mutation attempted\n", ""),
    "CPX-RPT-006": swap(SECOND, "20260602T101410Z", "20260602T111410Z"),
    "CPX-SEC-001": swap(MODEL, '"provider"', '"access": {"auth_token": "x"},\n  "provider"'),
    "CPX-SEC-002": append(PRD, "\nIt answers at http://192.168.1.5:8000/v1.\n"),
    "CPX-SEC-003": swap(MODEL, "local-tailscale-vllm-spark1", "spark1:8000"),
    "CPX-TRC-001": write(f"{DOCS}/CTO-NEW-PRD.md", "# CTO New PRD\n"),
    "CPX-TRC-002": swap(
        SOURCE, "| Pinned commit | `7959ac917cdeb0983b4aaa20bb9f42021747fed8` |", "| Pinned commit | `main` |"
    ),
    "CPX-TRC-003": swap(BLOCKER, "built binary: `7959ac9", "built binary: `7959ac8"),
    "CPX-TRC-004": swap(
        f"{DOCS}/CTO-CASE-STAGE4-DISPOSABLE-SANDBOX-ISSUES.md",
        "- Hermes commit: `033fec8 Add Case Stage 4 disposable sandbox proof`.\n",
        "",
    ),
    "CPX-TRC-005": write("CONTEXT.md", "# Words\n\n- **Core Promotion Decision Packet**: a packet.\n"),
    "CPX-TRC-006": swap(PROMOTED, "| validated | `CTO-WORK-071` |", "| validated | as we said |"),
    "CPX-WBD-001": write(BOARD, "items: []\n"),
    "CPX-WBD-002": write(BOARD, "items:\n  - {id: CTO-WORK-001, status: validated}\n"),
    "CPX-WBD-003": write(BOARD, "items:\n  - {id: CTO-WORK-049, status: validated}\n"),
    "CPX-WBD-004": write(BOARD, "items:\n  - {id: CTO-WORK-049}\n"),
    "CPX-WBD-005": write(BOARD, "items: []\n"),
    "CPX-WBD-006": write(
        BOARD, "items:\n  - {id: CTO-WORK-049, status: candidate, blocked_by: [CTO-WORK-047]}\n"
    ),
    "CPX-STG-004": swap(STAGES, "scope: disposable repository only", "scope: any repository"),
    "CPX-STG-009": swap(STAGES, "- Operator outcome: `accepted`.\n", ""),
    "CPX-ADM-001": swap(ADMISSION, '"admission_status": "admitted"', '"admission_status": "not_admitted"'),
    "CPX-ADM-003": swap(ADMISSION, '    "src/",\n', ""),
    "CPX-ADM-005": write(
        f"{DOCS}/CTO-TARGET-REPOSITORY-ADMISSION-TEMPLATE.json",
        '{"admission_status": "admitted", "target_repository_path": "/srv/a"}',
    ),
    "CPX-ADM-008": swap(MODEL, '"provider": "qwen-local"', '"provider": "anthropic"'),
    "CPX-ADM-011": write(
        f"{DOCS}/CTO-ELIGIBILITY-DECISION.json",
        '{"decision_id": "E-1", "task_id": "CTO-WORK-049", "selected_backend": "case"}',
    ),
    "CPX-DEC-001": swap(PROVIDER, "status`: `local_provider_required`", "status`: `core_promotion_deferred`"),
    "CPX-DEC-002": swap(PROVIDER, "status`: `local_provider_required`", "status`: `not_decided`"),
    "CPX-DEC-004": swap(PROVIDER, "- `approval_source`: JP chat", "- `approval_source`: a chat"),
    "CPX-DEC-006": swap(PROVIDER, "`local_case_compatible`", "`external_openai_codex`"),
    "CPX-APR-001": swap(REQUEST, "approval_granted: false", "approval_granted: true"),
    "CPX-APR-004": swap(APPROVAL, "one approved Harness run only", "all Harness runs"),
    "CPX-APR-005": swap(PACKET, "Rollback expectation:", "What then:"),
    "CPX-APR-007": swap(APPROVAL, "for the src/strings.py slugify", "for the src/strings.py and test"),
    "CPX-APR-008": swap(APPROVAL, "approval_source: JP chat", "approval_source: Case"),
    "CPX-APR-009": swap(PASS, "- changed files: `src/strings.py`", "- changed files: `README.md`"),
    "CPX-APR-012": swap(EXECUTED, "20260601T105222Z-r1", "20260601T105000Z-r1"),
    "CPX-WBD-007": write(BOARD, "items:\n  - {id: CTO-WORK-066, status: validated}\n"),
    "not-a-file": link,
    "too-large": sparse,
    "not-utf-8": write(f"{DOCS}/CTO-NEW-PRD.md", b"# \xff\xfe\n"),
    "nul-character": write(f"{DOCS}/CTO-NEW-PRD.md", b"# a\0b\n"),
    "byte-order-mark": prepend(PRD, b"\xef\xbb\xbf"),
    "text-before-front-matter": prepend(PRD, b"\n"),
    "front-matter-unclosed": swap(PRD, "\n---\n", "\n"),
    "second-front-matter": swap(PRD, "\n---\n", "\n---\n\n---\nstatus: validated\n---\n"),
    "front-matter-missing": write(f"{DOCS}/CTO-NEW-PRD.md", "# CTO New PRD\n"),
    "yaml-syntax": swap(PRD, "owner: jp", "owner: [jp"),
    "json-syntax": swap(ADMISSION, '"admission_status"', "admission_status"),
    "duplicate-key": swap(PRD, "owner: jp", "owner: jp\nowner: jp"),
    "yaml-tag": swap(PRD, "owner: jp", "owner: !!str jp"),
    "yaml-alias": swap(PRD, "owner: jp", "owner: &o jp"),
    "yaml-key": swap(PRD, "owner: jp", "[owner]: jp"),
    "yaml-second-document": write(BOARD, "items: []\n---\nitems: []\n"),
    "too-deep": swap(PRD, "owner: jp", "owner: " + "[" * 50_000),
    "too-many-nodes": swap(PRD, "owner: jp", "owner: [" + "a," * 250_000 + "a]"),
    "schema-violation": swap(ADMISSION, "low_risk_noncritical", "high_risk"),
    "value-not-of-type": swap(PRD, "created: 2026-05-31", "created: 2026-31-05"),
    "empty-document": write(f"{DOCS}/CTO-NEW-PRD.md", "\n"),
    "not-a-mapping": write(f"{DOCS}/CTO-NEW-PRD.md", "---\n- a\n---\n# CTO New PRD\n"),
}
"""Rule code or fault name, and how to plant it."""


def codes(capfdbinary, root: Path) -> set[str]:
    _run(["check", str(root), "--pack", "cortex", "--format", "json"])
    return {finding["rule"] for finding in json.loads(capfdbinary.readouterr().out)["findings"]}


@pytest.fixture(scope="module")
def alone(corpus) -> set[str]:
    """The rules that the documents break by themselves."""
    project = Project(root=corpus("cortex"), packs=("cortex",), base=Path())
    reading = read_project(project, load_ruleset(project), datetime(2026, 11, 20, tzinfo=UTC))
    return {finding.rule for finding in check(reading, Selection()).findings}


def test_every_rule_has_a_fault_here_or_breaks_by_itself(alone):
    rules = {  # those over changes are planted in test_changes
        rule.info.id
        for rule in load_ruleset(Project(root=Path(), packs=("cortex",), base=Path())).rules
        if not rule.on_change
    }
    planted = {FAULTS[name].id if name in FAULTS else name for name in BROKEN}
    # a file that its own owner may not read is planted in tests/world, where the system is replaced
    assert rules | {kind.id for kind in FAULTS.values()} == alone | planted | {FAULTS["unreadable"].id}


@pytest.mark.parametrize("name", BROKEN)
def test_the_planted_fault_is_found(capfdbinary, corpus, alone, tmp_path, name):
    root = tmp_path / "copy"
    shutil.copytree(corpus("cortex"), root)
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    code = FAULTS[name].id if name in FAULTS else name
    assert code not in alone
    BROKEN[name](root)
    assert code in codes(capfdbinary, root)
