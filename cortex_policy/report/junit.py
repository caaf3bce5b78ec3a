"""`check --format junit`: a test case for each rule, as Jenkins and GitLab read it.

A test case holds at most one `failure`, `error` or `skipped`, because GitLab reads no more; its text lists all
findings of the rule. A rule is skipped when all of its findings are waived or known: it did not pass.
A finding of any severity fails its case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from cortex_policy.model import CheckResult, Finding, Outcome, RuleInfo
from cortex_policy.report.escape import visible
from cortex_policy.report.style import Sources, Style
from cortex_policy.report.words import (
    counted,
    excused_of,
    loudest_first,
    message_of,
    nothing_checked,
    place_of,
    rules_of,
    split_locations,
    subjects_of,
)

_TOOL: Final = "cortex-policy"


def render(result: CheckResult, style: Style, sources: Sources) -> str:
    """Return one test suite; what XML 1.0 forbids is escaped visibly before it reaches the writer."""
    suite = ET.Element("testsuite", {"name": "cortex-policy check"})
    _properties(suite, result, style)
    by_rule: dict[str, list[Finding]] = {rule.id: [] for rule in rules_of(result)}
    for finding in loudest_first(result.findings):
        by_rule[finding.rule].append(finding)
    waived = Counter(waived.finding.rule for waived in result.waived)
    known = Counter(finding.rule for finding in result.known)
    for rule in rules_of(result):
        case = _case(suite, rule, by_rule[rule.id])
        excused = excused_of(waived[rule.id], known[rule.id])
        if excused and not len(case):
            ET.SubElement(case, "skipped", {"message": excused})
    empty = nothing_checked(result)
    if empty:
        case = ET.SubElement(
            suite, "testcase", {"name": "something was checked", "classname": _TOOL, "time": "0"}
        )
        ET.SubElement(case, "error", {"type": "undecided", "message": empty})
    return suite_text(suite)


def suite_text(suite: ET.Element) -> str:
    """Return the document with one test suite, whose counts are made here."""
    totals = {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "time": "0",
    }
    suite.attrib.update(totals)
    suites = ET.Element("testsuites", {"name": _TOOL, **totals})
    suites.append(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _properties(suite: ET.Element, result: CheckResult, style: Style) -> None:
    inputs = result.inputs
    named = [
        ("version", style.version),
        ("documents", str(result.documents)),
        ("items", str(result.items)),
        ("undecided", str(result.undecided)),
        ("exempt", str(result.exempt)),
        ("waived", str(len(result.waived))),
        ("known", str(len(result.known))),
        ("gone", str(result.gone)),
        ("inputs.documents", inputs.documents),
        ("inputs.rules", inputs.rules),
        ("inputs.now", inputs.now),
        ("inputs.revision", inputs.revision),
        *([("inputs.base", inputs.base)] if inputs.base else []),
        ("inputs.waivers", inputs.waivers),
        ("inputs.baseline", inputs.baseline),
        *(("note", note) for note in result.notes),
    ]
    properties = ET.SubElement(suite, "properties")
    for name, value in named:
        ET.SubElement(properties, "property", {"name": name, "value": visible(value)})


def _case(suite: ET.Element, rule: RuleInfo, findings: Sequence[Finding]) -> ET.Element:
    attributes = {
        "name": visible(f"{rule.id} {rule.name}".rstrip()),
        "classname": visible(rule.pack) or _TOOL,
        "time": "0",
    }
    first = next((primary for primary, _ in map(split_locations, findings) if primary), None)
    if first:
        attributes |= {"file": visible(first.path), "line": str(first.line)}
    case = ET.SubElement(suite, "testcase", attributes)
    if findings:
        _failure(case, findings)
    return case


def _failure(case: ET.Element, findings: Sequence[Finding]) -> None:
    broken = any(finding.outcome is Outcome.ERROR for finding in findings)
    first = findings[0]
    more = f" (and {counted(len(findings) - 1, 'more finding')})" if len(findings) > 1 else ""
    failure = ET.SubElement(
        case,
        "error" if broken else "failure",
        {
            "type": "undecided" if first.outcome is Outcome.UNKNOWN else first.severity.value,
            "message": message_of(first) + more,
        },
    )
    failure.text = "\n".join(["", *_lines(findings)])


def _lines(findings: Iterable[Finding]) -> Iterable[str]:
    for finding in findings:
        primary, related = split_locations(finding)
        place = f"{place_of(primary)}: " if primary else ""
        subjects = f" [{subjects_of(finding)}]" if finding.subjects else ""
        yield f"{place}{finding.severity.value}{subjects} {message_of(finding)}"
        yield from (f"  see {place_of(location)}: {visible(location.text)}" for location in related)
