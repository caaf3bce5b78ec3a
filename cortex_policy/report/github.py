"""`check --format github`: workflow commands, which GitHub Actions shows as annotations on the changed files.

GitHub shows at most ten annotations of each level for a step, so the loudest come first, and a notice before
all of them says how many are not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from cortex_policy.model import CheckResult, Finding, Outcome, Severity
from cortex_policy.report.escape import defuse, lines_to_text, visible
from cortex_policy.report.style import Sources, Style
from cortex_policy.report.words import (
    SEVERITIES,
    counted,
    explained,
    loudest_first,
    message_of,
    place_of,
    remarks_of,
    split_locations,
    verdict_of,
)

SHOWN_PER_LEVEL: Final = 10
MAX_RELATED: Final = 5

_COMMAND: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}
_MARK: Final[Mapping[Outcome, str]] = {Outcome.UNKNOWN: " (undecided)", Outcome.ERROR: " (not evaluated)"}
_DATA: Final = {ord("%"): "%25", ord("\r"): "%0D", ord("\n"): "%0A"}
_PROPERTY: Final = {**_DATA, ord(":"): "%3A", ord(","): "%2C"}


def render(result: CheckResult, style: Style, sources: Sources) -> str:
    """Return a command for every finding, loudest first, then the summary for the log."""
    hidden = _hidden(result)
    lines = [_overflow(hidden)] if hidden else []
    lines += [_annotation(finding) for finding in loudest_first(result.findings)]
    return "".join(f"{line}\n" for line in lines) + lines_to_text([verdict_of(result), *remarks_of(result)])


def _hidden(result: CheckResult) -> int:
    counts = [result.count(severity) for severity in SEVERITIES]
    if max(counts) <= SHOWN_PER_LEVEL:
        return 0
    # The notice about the others is itself one of the notices that are shown.
    limits = (SHOWN_PER_LEVEL, SHOWN_PER_LEVEL, SHOWN_PER_LEVEL - 1)
    return sum(max(0, count - limit) for count, limit in zip(counts, limits, strict=True))


def _overflow(hidden: int) -> str:
    return _command(
        "notice",
        {"title": "cortex-policy"},
        f"{counted(hidden, 'more finding')} not shown as annotations, because GitHub shows {SHOWN_PER_LEVEL} "
        "of a level; all of them stand in the log of this step, and `cortex-policy check` shows them",
    )


def _annotation(finding: Finding) -> str:
    primary, related = split_locations(finding)
    properties = {}
    if primary and primary.path:
        properties = {
            "file": visible(primary.path),
            "line": str(max(primary.line, 1)),
            "col": str(max(primary.column, 1)),
        }
    properties["title"] = visible(f"{finding.rule} {finding.name}{_MARK.get(finding.outcome, '')}")
    seen = [f"see {place_of(place)}: {visible(place.text)}" for place in related[:MAX_RELATED]]
    rest = len(related) - len(seen)
    more = f"and {counted(rest, 'more place')}" if rest else ""
    body = filter(None, (message_of(finding, marked=False), explained(finding), *seen, more))
    return _command(_COMMAND[finding.severity], properties, "\n".join(_safe(body)))


def _safe(lines: Iterable[str]) -> Iterable[str]:
    # The older `##[command]` counts anywhere in a line, in the data of another command too.
    return (defuse(line) for line in lines)


def _command(name: str, properties: Mapping[str, str], data: str) -> str:
    listed = ",".join(f"{key}={defuse(value).translate(_PROPERTY)}" for key, value in properties.items())
    return f"::{name} {listed}::{data.translate(_DATA)}"
