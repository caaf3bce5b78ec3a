"""`check --format json`: the public contract (`docs/contract.md`, `schemas/check.schema.json`), key by
key.
"""

from __future__ import annotations

from typing import Any, Final

from cortex_policy.model import CheckResult, Finding, Inputs, Waived
from cortex_policy.report.escape import json_text
from cortex_policy.report.style import Sources, Style
from cortex_policy.report.words import SEVERITIES

SCHEMA_VERSION: Final = "1"


def render(result: CheckResult, style: Style, sources: Sources) -> str:
    """Return the result as JSON; the keys stand in the order of the contract."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "summary": {
                "documents": result.documents,
                "items": result.items,
                "rules": len(result.rules),
                "findings": {severity.value: result.count(severity) for severity in SEVERITIES},
                "undecided": result.undecided,
                "exempt": result.exempt,
                "not_applied": result.not_applied,
                "waived": len(result.waived),
                "known": len(result.known),
                "gone": result.gone,
            },
            "inputs": check_inputs_value(result.inputs),
            "findings": [_finding(finding) for finding in result.findings],
            "waived": [_waived(waived) for waived in result.waived],
            "notes": list(result.notes),
        }
    )


def inputs_value(inputs: Inputs) -> dict[str, str]:
    """Return `inputs` as the object that every JSON of the contract carries; `base` only where there is one."""
    value = {
        "documents": inputs.documents,
        "rules": inputs.rules,
        "now": inputs.now,
        "revision": inputs.revision,
    }
    return {**value, "base": inputs.base} if inputs.base else value


def check_inputs_value(inputs: Inputs) -> dict[str, str]:
    """Return `inputs` with what only a check is computed from."""
    return {**inputs_value(inputs), "waivers": inputs.waivers, "baseline": inputs.baseline}


def _waived(waived: Waived) -> dict[str, Any]:
    """A finding as it would count, and the waiver that covers it."""
    waiver = {
        "reason": waived.reason,
        "owner": waived.owner,
        "until": waived.until,
        "path": waived.place.path,
        "line": waived.place.line,
    }
    return {**_finding(waived.finding), "waiver": waiver}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "outcome": finding.outcome.value,
        "subjects": list(finding.subjects),
        "condition": finding.condition,
        "message": finding.message,
        "locations": [location._asdict() for location in finding.locations],
        "fingerprint": finding.fingerprint,
    }
