"""The real documents as a Git repository, and one change for each rule over changes: every one of them fires."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cortex_policy.app.changing import Request, judge_policy, open_change, open_requested
from cortex_policy.app.checking import Selection, check
from cortex_policy.app.project import Project, load_ruleset
from cortex_policy.app.reading import read_project
from cortex_policy.model import CheckResult, Outcome
from tests.corpora.test_rules_fire import DOCS, EVIDENCE, ISSUES, swap
from tests.git import GitRepository

NOW = datetime(2026, 11, 20, tzinfo=UTC)
VALIDATED = f"{DOCS}/CTO-LOOP-ISSUES.md"


def remove(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).unlink()


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "CPX-TRN-001": (swap(ISSUES, "Status: validated.", "Status: candidate."), "CTO-WORK-"),
    "CPX-TRN-002": (swap(ISSUES, "## CTO-WORK-048 - ", "## Formerly CTO-WORK-048 - "), "CTO-WORK-048"),
    "CPX-TRN-003": (remove(EVIDENCE), f"doc:{EVIDENCE}"),
    "CPX-TRN-004": (swap(ISSUES, "- [x] ", "- [ ] "), "CTO-WORK-"),
}
"""Rule over changes, what makes it fire, and the start of the subject."""


@pytest.fixture
def repo(corpus, tmp_path: Path) -> GitRepository:
    shutil.copytree(corpus("cortex"), tmp_path / "repo")
    for path in [tmp_path / "repo", *(tmp_path / "repo").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    repo = GitRepository(tmp_path / "repo")
    repo.commit({})
    return repo


def changed(repo: GitRepository) -> CheckResult:
    request = Request(repo.root, ("cortex",), None, "HEAD")
    change = open_change(request)
    return check(change.read(NOW), Selection(), judge_policy(change, request))


def test_every_rule_over_changes_has_a_change_here():
    rules = load_ruleset(Project(root=Path(), packs=("cortex",), base=Path())).rules
    assert {rule.info.id for rule in rules if rule.on_change} == set(CHANGES)


@pytest.mark.parametrize("code", CHANGES)
def test_the_change_is_found(repo, code):
    plant, subject = CHANGES[code]
    plant(repo.root)
    findings = [finding for finding in changed(repo).findings if finding.rule == code]
    assert len(findings) == 1
    assert findings[0].outcome is Outcome.FALSE
    assert findings[0].subjects[0].startswith(subject)
    assert findings[0].locations


def test_no_change_brings_nothing_and_a_commit_is_read_as_its_checkout(repo):
    result = changed(repo)
    assert result.findings == ()
    requests = (Request(repo.root, ("cortex",)), Request(repo.root, ("cortex",), "HEAD"))
    projects = [open_requested(request) for request in requests]
    here, there = (
        check(read_project(project, load_ruleset(project), NOW), Selection()) for project in projects
    )
    assert len(here.findings) > 0
    assert here.findings == there.findings
    assert here.inputs.documents == there.inputs.documents
    assert f"has {len(here.findings)} findings already" in result.notes[0]


def test_nothing_of_the_past_is_needed_where_everything_is_new(repo):
    repo.git("checkout", "-q", "--orphan", "empty")
    repo.git("rm", "-rqf", ".")
    repo.commit({"README.md": "nothing yet"})
    repo.git("checkout", "-q", "main", "--", ".")
    result = changed(repo)
    assert len(result.findings) > 0
    assert [finding for finding in result.findings if finding.rule in CHANGES] == []
