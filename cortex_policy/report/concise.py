"""`check --format concise`: one line a finding, `path:line:column: severity CODE [subjects] message`, then
one summary.
"""

from __future__ import annotations

from cortex_policy.model import CheckResult, Finding
from cortex_policy.report.escape import lines_to_text, visible
from cortex_policy.report.style import Sources, Style
from cortex_policy.report.words import message_of, place_of, split_locations, subjects_of, verdict_of


def render(result: CheckResult, style: Style, sources: Sources) -> str:
    """Return one line for each finding and the summary as the last line; never wrapped."""
    return lines_to_text([*(_line(finding, style) for finding in result.findings), verdict_of(result)])


def _line(finding: Finding, style: Style) -> str:
    return f"{style.paint('strong', _place(finding))}: {_rest(finding, style)}"


def _place(finding: Finding) -> str:
    primary, _ = split_locations(finding)
    return place_of(primary) if primary else ".:1:1"


def _rest(finding: Finding, style: Style) -> str:
    severity = style.paint(finding.severity.value, finding.severity.value)
    subjects = f"[{subjects_of(finding)}] " if finding.subjects else ""
    return f"{severity} {visible(finding.rule)} {subjects}{message_of(finding)}"
