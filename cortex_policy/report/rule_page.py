"""The page of a rule: what it demands, of what, why, and by which examples; as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cortex_policy.model import RuleInfo
from cortex_policy.report.escape import json_text, lines_to_text, visible
from cortex_policy.report.frame import cell_width, wrap
from cortex_policy.report.style import Style

_INDENT = "  "


class RulePage(NamedTuple):
    """A rule and its text: `require` holds (condition, expression), `examples` (verdict, document).

    `on` is `change` for a rule that judges a change, else an empty text.
    """

    rule: RuleInfo
    for_: str = ""
    when: str = ""
    require: Sequence[tuple[str, str]] = ()
    examples: Sequence[tuple[str, str]] = ()
    on: str = ""


def render_rule(page: RulePage, *, style: Style) -> str:
    """Return the page of one rule as text."""
    return lines_to_text(_page(page, style))


def render_rules(pages: Sequence[RulePage], *, style: Style) -> str:
    """Return the pages of several rules, one after the other."""
    return "\n".join(render_rule(page, style=style) for page in pages)


def render_index(rules: Sequence[RuleInfo], *, style: Style) -> str:
    """Return one line a rule: id, severity, name."""
    if not rules:
        return lines_to_text(["no rules: name a pack with `--pack` or in `cortex-policy.yaml`"])
    room = max(cell_width(visible(rule.id)) for rule in rules)
    return lines_to_text(_entry(rule, room, style) for rule in rules)


def render_rules_json(pages: Sequence[RulePage]) -> str:
    """Return the rules as JSON: `{"schema_version": "1", "rules": [...]}`."""
    return json_text({"schema_version": "1", "rules": [_value(page) for page in pages]})


def _entry(rule: RuleInfo, room: int, style: Style) -> str:
    code = visible(rule.id)
    padding = " " * (room - cell_width(code))
    severity = style.paint(rule.severity.value, f"{rule.severity.value:<7}")
    return f"{style.paint('strong', code)}{padding}  {severity}  {visible(rule.name)}"


def _page(page: RulePage, style: Style) -> Iterator[str]:
    rule = page.rule
    severity = rule.severity.value
    yield f"{style.paint('strong', visible(rule.id))} {visible(rule.name)}"
    yield f"{style.paint(severity, severity)}{f' in pack {visible(rule.pack)}' if rule.pack else ''}"
    yield from _section("message", rule.message, style)
    yield from _section("why", rule.why, style)
    yield from _code("on", page.on, style)
    yield from _code("for", page.for_, style)
    yield from _code("when", page.when, style)
    if page.require:
        yield from _heading("require", style)
        for condition, expression in page.require:
            yield f"{_INDENT}{style.paint('strong', visible(condition))}:"
            yield from _verbatim(expression, 2 * _INDENT)
    if rule.source:
        yield from _heading("source", style)
        yield from (_INDENT + visible(source) for source in rule.source)
    for number, (verdict, document) in enumerate(page.examples, start=1):
        yield from _heading(f"example {number}: {visible(verdict)}", style)
        yield from _verbatim(document, f"{_INDENT}| ")


def _heading(title: str, style: Style) -> list[str]:
    return ["", style.paint("strong", title)]


def _section(title: str, text: str, style: Style) -> Iterator[str]:
    """Yield prose: paragraphs of the author are kept, lines are wrapped anew."""
    if not text.strip():
        return
    yield from _heading(title, style)
    room = None if style.width is None else style.width - len(_INDENT)
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        yield from (_INDENT + line for line in wrap(visible(" ".join(paragraph.split())), room))


def _code(title: str, text: str, style: Style) -> Iterator[str]:
    if text.strip():
        yield from _heading(title, style)
        yield from _verbatim(text, _INDENT)


def _verbatim(text: str, indent: str) -> Iterator[str]:
    """Yield lines as the author laid them out; a tab becomes spaces, so that columns stay columns."""
    for line in text.rstrip("\n").split("\n"):
        yield f"{indent}{visible(line.expandtabs(4))}".rstrip()


def _value(page: RulePage) -> dict[str, Any]:
    rule = page.rule
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity.value,
        "pack": rule.pack,
        "message": rule.message,
        "why": rule.why,
        "source": list(rule.source),
        "on": page.on,
        "for": page.for_,
        "when": page.when,
        "require": [{"condition": name, "expression": text} for name, text in page.require],
        "examples": [{"verdict": verdict, "document": document} for verdict, document in page.examples],
    }
