"""`check --format full`: every finding with the lines it speaks of, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cortex_policy.model import CheckResult, Finding, Location
from cortex_policy.report.escape import lines_to_text, visible
from cortex_policy.report.frame import frame, wrap
from cortex_policy.report.style import Sources, Style
from cortex_policy.report.words import (
    counted,
    explained,
    message_of,
    place_of,
    remarks_of,
    split_locations,
    subjects_of,
    verdict_of,
)

# Two sides of a contradiction and one more fit on a screen; all of them stand in `--format json`.
MAX_RELATED: Final = 3
MAX_SUBJECTS: Final = 5


def render(result: CheckResult, style: Style, sources: Sources) -> str:
    """Return the findings as frames and a summary; `style.width` None wraps nothing."""
    lines: list[str] = []
    for finding in result.findings:
        lines += [*_finding(finding, style, sources), ""]
    return lines_to_text([*lines, *_summary(result, style)])


def _finding(finding: Finding, style: Style, sources: Sources) -> Iterator[str]:
    severity = finding.severity.value
    head = f"{style.paint(severity, severity)} {style.paint('strong', visible(finding.rule))}"
    yield f"{head} {style.paint('quiet', visible(finding.name))}".rstrip()
    yield from _indented(message_of(finding, marked=False), "  ", style)
    primary, related = split_locations(finding)
    shown = related[:MAX_RELATED]
    places = [place for place in (primary, *shown) if place is not None]
    margin = max((len(str(place.line)) for place in places), default=1) + 1
    for place in places:
        if place is not places[0]:
            yield f"{' ' * margin} {style.paint('gutter', '|')}"
        label = "" if place is primary else " (related)"
        yield from _frame(place, label, margin, severity if place is primary else "gutter", style, sources)
    if places:
        yield f"{' ' * margin} {style.paint('gutter', '|')}"
    yield from _remarks(finding, len(related) - len(shown), margin, style)


def _frame(
    place: Location, label: str, margin: int, caret: str, style: Style, sources: Sources
) -> Iterator[str]:
    bar = f"{' ' * margin} {style.paint('gutter', '|')}"
    yield f"{' ' * margin}{style.paint('gutter', '-->')} {place_of(place)}{style.paint('quiet', label)}"
    text = _line(place, sources)
    if text is None:
        return
    room = None if style.width is None else style.width - margin - len(" | ")
    line, before = frame(text, place.column, room)
    yield bar
    yield f"{style.paint('gutter', f'{place.line:>{margin}} |')} {line}".rstrip()
    yield f"{bar} {' ' * before}{style.paint(caret, '^')}"


def _line(place: Location, sources: Sources) -> str | None:
    """Return the whole line where the document is at hand (columns count in it), else the place's text."""
    lines = sources(place.path)
    if 1 <= place.line <= len(lines):
        return lines[place.line - 1].rstrip("\r\n")
    return place.text or None


def _remarks(finding: Finding, hidden: int, margin: int, style: Style) -> Iterator[str]:
    remarks = [
        f"and {counted(hidden, 'more place')}" if hidden else "",
        explained(finding),
        f"subject: {subjects_of(finding, MAX_SUBJECTS)}" if finding.subjects else "",
        f"condition: {visible(finding.condition)}" if finding.condition else "",
    ]
    for remark in filter(None, remarks):
        room = None if style.width is None else style.width - margin - len(" = ")
        first, *rest = wrap(remark, room)
        yield f"{' ' * margin} {style.paint('gutter', '=')} {_keyed(first, style)}"
        yield from (f"{' ' * margin}   {line}" for line in rest)
    # A command is to be copied: one line, whatever the width.
    command = visible(style.next_command(f"rule {finding.rule}"))
    yield f"{' ' * margin} {style.paint('gutter', '=')} {_keyed(f'help: {command}', style)}"


def _keyed(line: str, style: Style) -> str:
    key, colon, value = line.partition(": ")
    return f"{style.paint('strong', key + colon)}{value}" if colon else line


def _indented(text: str, indent: str, style: Style) -> list[str]:
    room = None if style.width is None else style.width - len(indent)
    return [indent + line for line in wrap(text, room)]


def _summary(result: CheckResult, style: Style) -> Iterator[str]:
    for line in wrap(verdict_of(result), style.width):
        yield style.paint(_mood(result), line)
    for remark in remarks_of(result):
        yield from (style.paint("quiet", line) for line in _indented(remark, "  ", style))


def _mood(result: CheckResult) -> str:
    if result.findings:
        return max(result.findings, key=lambda finding: finding.severity.rank).severity.value
    return "good" if result.documents and result.rules else "error"
