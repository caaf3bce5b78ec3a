"""The gate of the first governed run on the real documents, at three points in time.

What the documents said after the packet, after the approval and after the consumption are three revisions of one
repository. The executor's facts are supplied as it would supply them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from cortex_policy.cli import _run
from tests.support import write

ITEM = "CTO-WORK-049"
DOCS = ".sot/03-PROTOCOLS"
PACKET = f"{DOCS}/CTO-FIRST-REAL-GOVERNED-WORKFLOW-APPROVAL-PACKET.md"
ADMISSION = f"{DOCS}/CTO-CASE-STAGE5-TARGET-REPOSITORY-ADMISSION.json"
NOW = "2026-06-03T00:00:00Z"

APPROVED = ("*-GOVERNED-EXECUTION-REQUEST-*", "*-GOVERNED-EXECUTION-APPROVAL-*", "*-HERMES-APPROVAL-*")
"""What was written to ask for the approval and to record it."""
CONSUMED = (
    "*-WORKFLOW-EXECUTION-ATTEMPT.md",
    "*-WORKFLOW-SCOPE-CASE-EVIDENCE.md",
    "*-WORKFLOW-PASS-EVIDENCE.md",
    "*-GOVERNED-EXECUTION-EVIDENCE-*",
    "*-HERMES-CONSUMED-*",
    "*-HERMES-LIVE-SMOKE-*",
    "*-HERMES-REAL-REFRESH-*",
    "*-HERMES-WEBUI-*",
    "*-STAGE5-REPEATABILITY-*",
    "*-STAGE6-REAL-GOVERNED-*",
    "*-STAGE6-REPEATABILITY-*",
    "*-ENDGOAL-*",
    "*-CORE-*",
)
"""What was written when the run was over, and later."""

STATES = ("after-packet", "after-approval", "after-consumption")

SUPPLIED = {
    "allow_case": "1",
    "case_stage": "5",
    "target_admission_file": f"/home/svrnty/workspaces/cto/{ADMISSION}",
    "forbidden_paths": "union",
    "case_writes": "src/strings.py,test_strings.py",
    "provider_available": "true",
    "target_clean": "true",
    "review_trigger_fired": "false",
    "artifacts_fresh": "true",
    "health_before_merge": "true",
    "health_after_merge": "true",
}


def of(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def git(root: Path, *args: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", *args]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def history(corpus: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents as a repository with one tag for each point in time."""
    source = corpus("cortex")
    root = tmp_path_factory.mktemp("history")
    git(root, "init", "-q")
    files = sorted(path for path in source.rglob("*") if path.is_file())
    left_out = ((*APPROVED, *CONSUMED), CONSUMED, ())
    for state, later in zip(STATES, left_out, strict=True):
        for path in files:
            target = root / path.relative_to(source)
            if not of(later, path.name) and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        git(root, "add", "-A")
        git(root, "commit", "-qm", state)
        git(root, "tag", state)
    for patterns in (APPROVED, CONSUMED):
        assert sum(of(patterns, path.name) for path in files) >= len(patterns)
    return root


@pytest.fixture(scope="module")
def at(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """The options that read one revision."""
    roots: dict[str, Path] = {}

    def options(state: str) -> list[str]:
        if state not in roots:
            roots[state] = tmp_path_factory.mktemp(state) / "root"
            git(history, "worktree", "add", "-q", "--detach", str(roots[state]), state)
        return ["--root", str(roots[state])]

    return options


def ask(capfdbinary: Any, options: list[str], *args: str, supplied: dict[str, str] = SUPPLIED) -> Any:
    """The verdict on the item as JSON, with its exit code beside it."""
    given = [f"--set={name}={value}" for name, value in supplied.items()]
    base = ["gate", ITEM, "--gate", "run-admission", "--pack", "cortex", "--now", NOW, "--format", "json"]
    code = _run([*base, *options, *given, *args])
    written = capfdbinary.readouterr()
    assert code in (0, 1, 3), written.err
    return {**json.loads(written.out), "code": code}


def outcomes(found: Any) -> dict[str, str]:
    return {each["id"].partition("-")[0]: each["outcome"] for each in found["conditions"]}


def places(found: Any, condition: str) -> set[tuple[str, int]]:
    (each,) = [each for each in found["conditions"] if each["id"].startswith(f"{condition}-")]
    return {(Path(fact["path"]).name, fact["line"]) for fact in each["facts"]}


def test_show(capfdbinary, at):
    rows = {}
    for state in STATES:
        for profile in ("own", "contract"):
            f = ask(capfdbinary, at(state), "--profile", profile, "--phase", "pre")
            rows.setdefault("v", []).append((state, profile, f["verdict"], f["code"], f["reason"]))
        for k, v in outcomes(f).items():
            rows.setdefault(k, []).append(v)
    for k, v in rows.items():
        print(k, v)
    raise AssertionError
