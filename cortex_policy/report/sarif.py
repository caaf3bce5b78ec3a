"""`check --format sarif`: SARIF 2.1.0 (OASIS Standard), for code scanning and editors.

Each result is of kind `fail`, undecided ones too. SARIF 3.27.9 has `open` for them, but 3.27.10 then demands
the level `none`, and a viewer that filters by level would show what is undecided as clean. What is undecided
never passes here, so it keeps its level, says so in its message, and carries `properties.outcome`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from cortex_policy.model import CheckResult, Finding, Location, Place, RuleInfo, Severity, Waived
from cortex_policy.report.check_json import check_inputs_value
from cortex_policy.report.escape import json_text
from cortex_policy.report.style import Sources, Style
from cortex_policy.report.words import (
    message_of,
    nothing_checked,
    rules_of,
    split_locations,
    waiver_of,
)

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "SRCROOT"
_LEVEL: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}


def render(result: CheckResult, style: Style, sources: Sources) -> str:
    """Return one run with the rules, the results and what they were computed from."""
    rules = rules_of(result)
    index = {rule.id: number for number, rule in enumerate(rules)}
    driver = {"name": "cortex-policy", "rules": [_rule(rule) for rule in rules]}
    if style.version:
        driver["version"] = style.version
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(result)],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the root that was checked"}}},
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_result(finding, index) for finding in result.findings),
            *(_suppressed(waived, index) for waived in result.waived),
        ],
        "properties": {
            "documents": result.documents,
            "items": result.items,
            "undecided": result.undecided,
            "exempt": result.exempt,
            "waived": len(result.waived),
            "known": len(result.known),
            "gone": result.gone,
            "inputs": check_inputs_value(result.inputs),
        },
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _invocation(result: CheckResult) -> dict[str, Any]:
    empty = nothing_checked(result)
    notices = [{"level": "error", "message": {"text": empty}}] if empty else []
    notices += [{"level": "note", "message": {"text": _plain(note)}} for note in result.notes]
    invocation: dict[str, Any] = {"executionSuccessful": not empty}
    if notices:
        invocation["toolExecutionNotifications"] = notices
    return invocation


def _rule(rule: RuleInfo) -> dict[str, Any]:
    sources = f"\n\nsource: {', '.join(rule.source)}" if rule.source else ""
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": _plain(rule.name.replace("-", " ")) or rule.id},
        "fullDescription": {"text": _plain(rule.why or rule.message or rule.name) or rule.id},
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "help": {"text": _plain(f"{rule.why or rule.name}{sources}\n\nmore: cortex-policy rule {rule.id}")},
        "properties": {"pack": rule.pack},
    }


def _result(finding: Finding, index: Mapping[str, int]) -> dict[str, Any]:
    primary, related = split_locations(finding)
    location = _location(primary or Location("", 0, 0, "", ""))
    if finding.subjects:
        location["logicalLocations"] = _logical(finding.subjects)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "kind": "fail",
        "level": _LEVEL[finding.severity],
        "message": {"text": _plain(message_of(finding))},
        "locations": [location],
    }
    if related:
        result["relatedLocations"] = [
            _related(place, number) for number, place in enumerate(related, start=1)
        ]
    result["partialFingerprints"] = {"cortexPolicy/v1": finding.fingerprint}
    result["properties"] = {"outcome": finding.outcome.value, "condition": finding.condition}
    return result


def _suppressed(waived: Waived, index: Mapping[str, int]) -> dict[str, Any]:
    """A waived finding: SARIF 3.35, suppressed outside the source, by a decision that was taken already."""
    result = _result(waived.finding, index)
    suppression = {
        "kind": "external",
        "status": "accepted",
        "justification": _plain(waiver_of(waived)),
        "location": _location(_at(waived.place)),
        "properties": {"owner": waived.owner, "until": waived.until},
    }
    return {**result, "suppressions": [suppression]}


def _at(place: Place) -> Location:
    return Location(place.path, place.line, place.column, "", "")


def _plain(text: str) -> str:
    """Part `](`, so that no viewer makes a link of a document's text (SARIF 3.11.6, embedded links)."""
    return text.replace("](", "] (")


def _location(place: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.path), "uriBaseId": _ROOT}}
    if place.line >= 1:
        physical["region"] = _region(place)
    return {"physicalLocation": physical}


def _region(place: Location) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": place.line, "startColumn": max(place.column, 1)}
    if place.text:
        region["snippet"] = {"text": place.text}
    return region


def _related(place: Location, number: int) -> dict[str, Any]:
    return {"id": number, **_location(place), "message": {"text": "related"}}


def _logical(subjects: Sequence[str]) -> list[dict[str, str]]:
    # A subject is stated by a record of a document; `object` is the kind of SARIF 3.33.7 that comes nearest.
    return [{"name": subject, "fullyQualifiedName": subject, "kind": "object"} for subject in subjects]


def _uri(path: str) -> str:
    """Return a relative URI reference; a name that is not UTF-8 keeps the bytes of the file system."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogatepass")
    return quote(raw, safe="/") or "."
