"""`gate`: the verdict, the proof of every condition, what is missing, and what would turn it; as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cortex_policy.facts.questions import Hop
from cortex_policy.model import Inputs, Outcome
from cortex_policy.report.check_json import SCHEMA_VERSION, inputs_value
from cortex_policy.report.escape import json_text, lines_to_text, visible
from cortex_policy.report.frame import wrap
from cortex_policy.report.style import Style
from cortex_policy.report.words import counted
from cortex_policy.ruleset.gates import GIVEN
from cortex_policy.ruleset.steps import GateFact, ProofStep, plain
from cortex_policy.ruleset.unblock import Change, Unblocking
from cortex_policy.verdicts.gates import GateCondition, GateVerdict, Verdict

MAX_MEMBERS: Final = 10
"""Members of one collection that the text shows; `--format json` has all that the proof kept."""

MAX_FACTS: Final = 20
"""Facts of a condition that holds, which the text shows; as above."""

CLAIMED: Final = "taken on what documents claim (trust `documents`): for review, it never dispatches anything"

_TONES: Final[Mapping[Outcome, str]] = {
    Outcome.TRUE: "good",
    Outcome.FALSE: "error",
    Outcome.UNKNOWN: "warning",
    Outcome.ERROR: "error",
}
_MOODS: Final[Mapping[Verdict, str]] = {
    Verdict.ALLOW: "good",
    Verdict.DENY: "error",
    Verdict.BLOCKED: "warning",
}
_OUTCOME_ROOM: Final = len("unknown")


def render_gate(found: GateVerdict, inputs: Inputs, *, style: Style) -> str:
    """The verdict as text for people; `style.width` None wraps nothing."""
    lines = list(_head(found, style))
    for condition in found.conditions:
        if condition.proof is not None:
            lines += ["", *_condition(condition, condition.proof, style)]
    if found.verdict is not Verdict.ALLOW and not found.reason:
        lines += ["", *unblocking_lines(found.unblocking, style)]
    lines += ["", *hanging(CLAIMED, "", style)]
    computed = f"as of {inputs.now}, revision {inputs.revision}"
    lines += [style.paint("quiet", line) for line in hanging(visible(computed), "", style)]
    return lines_to_text(lines)


def _head(found: GateVerdict, style: Style) -> Iterator[str]:
    verdict = style.paint(_MOODS[found.verdict], found.verdict.value)
    where = f"gate {found.gate}, profile {found.profile}" + (", phase post" if found.phase == "post" else "")
    yield f"{verdict} {style.paint('strong', visible(found.subject))}"
    yield from hanging(visible(where), "  ", style)
    if found.reason:
        yield from hanging(visible(found.reason), "  ", style)
    for outcome in (Outcome.FALSE, Outcome.ERROR, Outcome.UNKNOWN):
        names = [each.id for each in found.conditions if each.counts and each.outcome is outcome]
        if names:
            yield from hanging(f"{outcome.value}: {visible(', '.join(names))}", "  ", style)


def _condition(condition: GateCondition, proof: ProofStep, style: Style) -> Iterator[str]:
    later = "" if condition.counts else "  (not asked yet: phase post)"
    yield outcome_text(condition.outcome, style) + style.paint("strong", visible(condition.id)) + later
    inner = " " * (_OUTCOME_ROOM + 1)
    if condition.outcome is Outcome.TRUE or not condition.counts:
        yield from hanging(visible(condition.expression), inner, style)
        yield from _facts(condition.facts[:MAX_FACTS], f"{inner}  ", style)
        if len(condition.facts) > MAX_FACTS:
            yield f"{inner}  and {counted(len(condition.facts) - MAX_FACTS, 'more fact')}"
    else:
        yield from hanging(visible(condition.why), inner, style)
        yield from proof_lines(proof, inner, style)
    if condition.counts and condition.missing:
        yield from hanging(f"missing: {visible(', '.join(condition.missing))}", inner, style)


def outcome_text(outcome: Outcome, style: Style) -> str:
    """The outcome in its colour, as wide as the widest."""
    return style.paint(_TONES[outcome], f"{outcome.value:<{_OUTCOME_ROOM}}") + " "


def proof_lines(step: ProofStep, indent: str, style: Style) -> Iterator[str]:
    """A proof as text: the expression, what was read for it, and its operands further in."""
    yield from hanging(visible(_named(step)), indent, style)
    yield from _reasons(step, f"{indent}  ", style)
    shown = [inner for inner in step.steps if not inner.member]
    members = [inner for inner in step.steps if inner.member]
    members.sort(key=lambda inner: inner.outcome is Outcome.TRUE)
    common = _common(members)
    yield from _facts(common, f"{indent}  ", style)
    for inner in (*shown, *members[:MAX_MEMBERS]):
        yield from _operand(_without(inner, common), f"{indent}  ", style)
    hidden = len(members[MAX_MEMBERS:]) + step.left_out
    if hidden:
        yield f"{indent}  and {counted(hidden, 'more member')}"


def _common(members: Sequence[ProofStep]) -> tuple[GateFact, ...]:
    """The facts that were read for every member alike: they are shown once."""
    if len(members) < 2:
        return ()
    return tuple(fact for fact in members[0].facts if all(fact in inner.facts for inner in members[1:]))


def _without(step: ProofStep, facts: Sequence[GateFact]) -> ProofStep:
    return (
        step._replace(facts=tuple(fact for fact in step.facts if fact not in facts)) if step.member else step
    )


def _operand(step: ProofStep, indent: str, style: Style) -> Iterator[str]:
    """An operand behind its outcome; what is below it stands further in."""
    first, *rest = proof_lines(step, indent + " " * (_OUTCOME_ROOM + 1), style)
    yield indent + outcome_text(step.outcome, style) + first.lstrip(" ")
    yield from rest


def _named(step: ProofStep) -> str:
    return f"{step.member}: {step.text}" if step.member else step.text


def _reasons(step: ProofStep, indent: str, style: Style) -> Iterator[str]:
    if step.reason and not step.steps:
        yield from hanging(f"cannot be evaluated: {visible(step.reason)}", indent, style)
    yield from _facts(step.facts, indent, style)
    shown = {fact.name for fact in step.facts}
    for name in (name for name in step.missing if name not in shown):
        yield from hanging(f"{visible(name)}: no value", indent, style)
    yield from (line for hop in step.hops for line in hanging(_hop(hop), indent, style))


def _facts(facts: Iterable[GateFact], indent: str, style: Style) -> Iterator[str]:
    for fact in facts:
        yield from hanging(fact_text(fact), indent, style)


def fact_text(fact: GateFact) -> str:
    """A fact with its place; where no value counts, with the line that ought to say one, or that contradicts."""
    if not fact.line:
        return _supplied_text(fact)
    place = f"{fact.path}:{fact.line}:{fact.column}"
    if fact.value is None:
        return visible(f"{fact.name} has no value  {place}: {fact.text}")
    return visible(f"{fact.name} = {value_text(fact.value)}  {place}")


def _supplied_text(fact: GateFact) -> str:
    """A fact that no document states."""
    if fact.value is None:
        name = fact.name.rpartition(".")[2]
        return visible(f"{fact.name} is not supplied: only the caller can say it, by --set {name}=VALUE")
    return visible(f"{fact.name} = {value_text(fact.value)}  ({fact.text})")


def _hop(hop: Hop) -> str:
    return visible(f"{hop.source} -> {hop.target}  {hop.place.path}:{hop.place.line}:{hop.place.column}")


def value_text(value: Any) -> str:
    """A value of a fact for people."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(value_text(each) for each in value) or "none"
    return str(value)


def unblocking_lines(found: Unblocking, style: Style) -> Iterator[str]:
    """What would turn the verdict, each set on lines of its own."""
    if found.sets:
        yield style.paint("strong", "what would unblock it:")
        for changes in found.sets:
            first, *rest = hanging(", and ".join(change_text(change) for change in changes), "    ", style)
            yield f"  - {first.lstrip(' ')}"
            yield from rest
    asked = [name for name in found.open if name.startswith(f"{GIVEN}.")]
    others = [name for name in found.open if name not in asked]
    if not found.sets and found.complete and not others:
        yield "nothing that is marked as actionable would unblock it"
    if asked:
        names = ", ".join(name.partition(".")[2] for name in asked)
        text = f"not supplied, and only the caller can say it (--set NAME=VALUE): {visible(names)}"
        yield from hanging(text, "", style)
    for name in others:
        yield from hanging(f"{visible(name)} may have to change too, to what nobody can guess", "  ", style)
    if not found.complete:
        yield "the search reached a limit: there may be others"


def change_text(change: Change) -> str:
    """`WORK-1.status -> done`."""
    return visible(f"{change.subject}.{change.field} -> {value_text(change.to)}")


def hanging(text: str, indent: str, style: Style) -> list[str]:
    """A visible text at `indent`, wrapped to the width, further lines two cells further in."""
    if style.width is None:
        return [indent + text]
    first, *rest = wrap(text, max(style.width - len(indent) - 2, 20))
    return [indent + first, *(f"{indent}  {line}" for line in rest)]


# --------------------------------------------------------------------------- JSON


def render_gate_json(found: GateVerdict, inputs: Inputs) -> str:
    """The verdict as JSON; the keys stand in the order of the contract."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "gate": found.gate,
            "subject": found.subject,
            "profile": found.profile,
            "verdict": found.verdict.value,
            "conditions": [_condition_value(condition) for condition in found.conditions],
            "unblock": unblock_value(found.unblocking),
            "inputs": inputs_value(inputs),
            "phase": found.phase,
            "reason": found.reason,
            "unblock_complete": found.unblocking.complete,
            "unblock_open": list(found.unblocking.open),
            "trust": "documents",
            "dispatches": False,
            "given": {name: plain(value) for name, value in sorted(found.given.items())},
        }
    )


def unblock_value(found: Unblocking) -> list[list[dict[str, Any]]]:
    """`unblock` as every JSON of the contract writes it."""
    return [
        [{"subject": change.subject, "field": change.field, "to": change.to} for change in changes]
        for changes in found.sets
    ]


def fact_value(fact: GateFact) -> dict[str, Any]:
    """A fact with its place."""
    return fact._asdict()


def _condition_value(condition: GateCondition) -> dict[str, Any]:
    return {
        "id": condition.id,
        "phase": condition.phase,
        "outcome": condition.outcome.value,
        "expression": condition.expression,
        "facts": [fact_value(fact) for fact in condition.facts],
        "missing": list(condition.missing),
        "why": condition.why,
        "profile": condition.profile,
        "counts": condition.counts,
        "source": list(condition.source),
        "proof": None if condition.proof is None else step_value(condition.proof),
    }


def step_value(step: ProofStep) -> dict[str, Any]:
    """A proof as every JSON of the contract writes it."""
    return {
        "text": step.text,
        "outcome": step.outcome.value,
        "member": step.member,
        "reason": step.reason,
        "facts": [fact_value(fact) for fact in step.facts],
        "missing": list(step.missing),
        "path": [{"from": hop.source, "to": hop.target, **hop.place._asdict()} for hop in step.hops],
        "steps": [step_value(inner) for inner in step.steps],
        "left_out": step.left_out,
    }
