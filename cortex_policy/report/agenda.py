"""`next`: what is ready, what is blocked and by what in the end, what is blocked for ever; as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cortex_policy.model import Inputs
from cortex_policy.report.check_json import SCHEMA_VERSION, inputs_value
from cortex_policy.report.escape import json_text, lines_to_text, visible
from cortex_policy.report.gate import change_text, fact_text, fact_value, hanging, unblock_value
from cortex_policy.report.style import Style
from cortex_policy.ruleset.gates import GIVEN
from cortex_policy.verdicts.agenda import Agenda, Cause, Waiting


def render_agenda(found: Agenda, inputs: Inputs, *, style: Style) -> str:
    """The three lists as text for people."""
    lines = [style.paint("good", f"ready ({len(found.ready)})")]
    lines += [f"  {visible(subject)}" for subject in found.ready]
    lines += ["", style.paint("warning", f"blocked ({len(found.blocked)})")]
    lines += _waiting(found.blocked, style)
    lines += ["", style.paint("error", f"dead-blocked ({len(found.dead)}): nothing actionable unblocks them")]
    lines += _waiting(found.dead, style)
    lines.append("")
    lines += [line for note in found.notes for line in hanging(f"note: {visible(note)}", "", style)]
    computed = f"gate {found.gate}, profile {found.profile}, as of {inputs.now}, revision {inputs.revision}"
    lines += [style.paint("quiet", line) for line in hanging(visible(computed), "", style)]
    return lines_to_text(lines)


def _waiting(subjects: Sequence[Waiting], style: Style) -> Iterator[str]:
    for waiting in subjects:
        asked = visible(", ".join(waiting.conditions)) or "not decided"
        first, *rest = hanging(f"{visible(waiting.subject)}  {waiting.verdict.value}: {asked}", "  ", style)
        yield first.replace(visible(waiting.subject), style.paint("strong", visible(waiting.subject)), 1)
        yield from rest
        if waiting.reason:
            yield from hanging(visible(waiting.reason), "    ", style)
        for cause in waiting.causes:
            yield from hanging(_cause(cause), "    ", style)
        for changes in waiting.unblocking.sets[:1]:
            way = ", and ".join(change_text(change) for change in changes)
            yield from hanging(f"one way out: {way}", "    ", style)


def _cause(cause: Cause) -> str:
    if cause.subject == GIVEN:
        names = ", ".join(fact.name.rpartition(".")[2] for fact in cause.facts)
        return visible(f"not supplied, and only the caller can say it (--set NAME=VALUE): {names}")
    stated = [fact_text(fact) for fact in cause.facts]
    stated += [visible(f"{name} has no value") for name in cause.missing if name not in _names(cause)]
    kind = "root cause, in a circle" if cause.circle else "root cause"
    return f"{kind}: {visible(cause.subject)}" + (f" ({', '.join(stated)})" if stated else "")


def _names(cause: Cause) -> set[str]:
    return {fact.name for fact in cause.facts}


def render_agenda_json(found: Agenda, inputs: Inputs) -> str:
    """The same as JSON."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "gate": found.gate,
            "profile": found.profile,
            "ready": [{"subject": subject} for subject in found.ready],
            "blocked": [_value(waiting) for waiting in found.blocked],
            "dead_blocked": [_value(waiting) for waiting in found.dead],
            "notes": list(found.notes),
            "inputs": inputs_value(inputs),
        }
    )


def _value(waiting: Waiting) -> dict[str, Any]:
    return {
        "subject": waiting.subject,
        "verdict": waiting.verdict.value,
        "reason": waiting.reason,
        "conditions": list(waiting.conditions),
        "root_causes": [
            {
                "subject": cause.subject,
                "circle": cause.circle,
                "facts": [fact_value(fact) for fact in cause.facts],
                "missing": list(cause.missing),
            }
            for cause in waiting.causes
        ],
        "unblock": unblock_value(waiting.unblocking),
    }
