"""`check --format gitlab`: the Code Quality report of GitLab, a JSON array with one object a finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cortex_policy.model import CheckResult, Finding, Severity
from cortex_policy.report.escape import json_text
from cortex_policy.report.style import Sources, Style
from cortex_policy.report.words import message_of, nothing_checked, split_locations

# GitLab knows info, minor, major, critical and blocker; the upper two are for what stops a service.
_SEVERITY: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "major",
    Severity.WARNING: "minor",
    Severity.INFO: "info",
}


def render(result: CheckResult, style: Style, sources: Sources) -> str:
    """Return the array; an empty one only where something was checked."""
    seen: dict[str, int] = {}
    issues = [_issue(finding, seen) for finding in result.findings]
    empty = nothing_checked(result)
    if empty:
        issues.append(_entry(empty, "nothing-checked", "nothing-checked", "major", ".", 1))
    return json_text(issues)


def _issue(finding: Finding, seen: dict[str, int]) -> dict[str, Any]:
    primary, _ = split_locations(finding)
    # GitLab drops every issue but one of those with the same fingerprint.
    number = seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
    return _entry(
        message_of(finding),
        finding.rule,
        finding.fingerprint if number == 1 else f"{finding.fingerprint}-{number}",
        _SEVERITY[finding.severity],
        (primary.path if primary else "") or ".",
        max(primary.line, 1) if primary else 1,
    )


def _entry(text: str, rule: str, fingerprint: str, severity: str, path: str, line: int) -> dict[str, Any]:
    return {
        "description": text,
        "check_name": rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line}},
    }
