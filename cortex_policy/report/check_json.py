"""`check --format json`: the public contract (`docs/contract.md`, `schemas/check.schema.json`), key by
key.
"""

from __future__ import annotations

from typing import Any, Final

from cortex_policy.model import CheckResult, Finding, Inputs
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
            },
            "inputs": inputs_value(result.inputs),
            "findings": [_finding(finding) for finding in result.findings],
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
