"""Results to report: a small one that a person can read, and builders for hostile ones."""

from __future__ import annotations

from collections.abc import Sequence

from cortex_policy.model import CheckResult, Finding, Inputs, Location, Outcome, RuleInfo, Severity, Waived

INPUTS = Inputs(
    documents="sha256:" + "a1" * 32,
    rules="sha256:" + "b2" * 32,
    now="2026-01-02T00:00:00Z",
    revision="worktree",
)

BLOCKERS = RuleInfo(
    id="TST-001",
    name="done-needs-done-blockers",
    severity=Severity.ERROR,
    why="work that waits for other work is not done before it.\n\nA second paragraph.",
    source=("docs/plan.md:3",),
    message="{i.id} is done, but its blocker is not",
    pack="demo",
)
EXPIRY = RuleInfo(
    id="TST-002",
    name="approval-has-an-end",
    severity=Severity.WARNING,
    why="an approval without an end never ends.",
    source=(),
    message="",
    pack="demo",
)
SPELLING = RuleInfo(
    id="TST-003", name="status-is-lower-case", severity=Severity.INFO, why="", source=(), message="", pack=""
)
RULES = (BLOCKERS, EXPIRY, SPELLING)


def place(
    path: str = "plan.md", line: int = 3, column: int = 1, text: str = "Status: done", role: str = "primary"
) -> Location:
    return Location(path, line, column, text, role)


def finding(
    rule: RuleInfo = BLOCKERS,
    *,
    outcome: Outcome = Outcome.FALSE,
    subjects: tuple[str, ...] = ("TASK-2",),
    condition: str = "blockers",
    message: str = "TASK-2 is done, but its blocker TASK-1 is open",
    locations: tuple[Location, ...] = (place(),),
    fingerprint: str = "sha256:" + "0f" * 32,
) -> Finding:
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=rule.severity,
        outcome=outcome,
        subjects=subjects,
        condition=condition,
        message=message,
        locations=locations,
        fingerprint=fingerprint,
    )


def result(
    *findings: Finding,
    rules: tuple[RuleInfo, ...] = RULES,
    documents: int = 2,
    items: int = 3,
    exempt: int = 0,
    notes: tuple[str, ...] = (),
    waived: tuple[Waived, ...] = (),
    known: tuple[Finding, ...] = (),
    gone: int = 0,
) -> CheckResult:
    return CheckResult(
        documents=documents,
        items=items,
        rules=rules,
        findings=findings,
        inputs=INPUTS,
        exempt=exempt,
        notes=notes,
        waived=waived,
        known=known,
        gone=gone,
    )


def sample() -> CheckResult:
    """One finding of each severity and outcome."""
    contradiction = finding(
        locations=(
            place("plan/tasks.md", 12, 3, "- Status: done"),
            place("board.md", 104, 8, "TASK-1\tStatus: open", "related"),
        )
    )
    undecided = finding(
        EXPIRY,
        outcome=Outcome.UNKNOWN,
        subjects=("GRANT-1", "doc:grants/one.md"),
        condition="ends",
        message="nobody says when GRANT-1 ends",
        locations=(place("grants/one.md", 1, 1, "# GRANT-1"),),
        fingerprint="sha256:" + "1e" * 32,
    )
    failed = finding(
        SPELLING,
        outcome=Outcome.ERROR,
        subjects=(),
        condition="lower",
        message="`status` is a number, not a text",
        locations=(),
        fingerprint="sha256:" + "2d" * 32,
    )
    return result(contradiction, undecided, failed, exempt=1, notes=("the root is a shallow clone",))


TEXTS: dict[str, Sequence[str]] = {
    "plan/tasks.md": ["", *["- line"] * 10, "- Status: done"],
    "board.md": ["x"] * 103 + ["TASK-1\tStatus: open"],
}


def sources(path: str) -> Sequence[str]:
    return TEXTS.get(path, ())
