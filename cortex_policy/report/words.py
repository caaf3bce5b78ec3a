"""The sentences that several formats share: counts, outcomes, what was checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from cortex_policy.model import CheckResult, Finding, Location, Outcome, RuleInfo, Severity, Waived
from cortex_policy.report.escape import visible

# Loudest first, as people read.
SEVERITIES: Final = (Severity.ERROR, Severity.WARNING, Severity.INFO)

_PREFIX: Final[Mapping[Outcome, str]] = {Outcome.UNKNOWN: "undecided: ", Outcome.ERROR: "not evaluated: "}

# Outcome words of docs/architecture.md: unknown and error are never a pass.
_EXPLAINED: Final[Mapping[Outcome, str]] = {
    Outcome.UNKNOWN: "undecided: something this condition needs is missing, unreadable or contradictory, "
    "so it neither holds nor fails",
    Outcome.ERROR: "not evaluated: this condition ended in an error, which never counts as a pass",
}

# What to say of a condition whose rule has no message; a finding is never about what is true.
_SILENT: Final[Mapping[Outcome, str]] = {
    Outcome.TRUE: "holds",
    Outcome.FALSE: "does not hold",
    Outcome.UNKNOWN: "cannot be decided",
    Outcome.ERROR: "cannot be evaluated",
}

_DIGEST_SHOWN: Final = len("sha256:") + 12


def counted(number: int, noun: str) -> str:
    """Return `1 rule`, `2 rules`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def message_of(finding: Finding, *, marked: bool = True) -> str:
    """Return the message, never empty; `marked` says first where the finding is not a plain failure."""
    text = finding.message or f"the condition `{finding.condition}` {_SILENT[finding.outcome]}"
    return visible((_PREFIX.get(finding.outcome, "") if marked else "") + text)


def explained(finding: Finding) -> str:
    """Return the outcome as a sentence, or the empty string for a plain failure."""
    return _EXPLAINED.get(finding.outcome, "")


def place_of(location: Location) -> str:
    """Return `path:line:column`, visible."""
    return f"{visible(location.path) or '.'}:{location.line}:{location.column}"


def subjects_of(finding: Finding, most: int | None = None) -> str:
    """Return the subjects with commas between them, the first `most` of them."""
    shown = finding.subjects[:most]
    rest = len(finding.subjects) - len(shown)
    return ", ".join(visible(subject) for subject in shown) + (f" and {rest} more" if rest else "")


def split_locations(finding: Finding) -> tuple[Location | None, tuple[Location, ...]]:
    """Return the one place to look at first, and every other place once, in the order given."""
    ordered = sorted(finding.locations, key=lambda location: location.role != "primary")
    distinct: dict[tuple[str, int, int], Location] = {}
    for location in ordered:
        distinct.setdefault((location.path, location.line, location.column), location)
    places = tuple(distinct.values())
    return (places[0] if places else None), places[1:]


def rules_of(result: CheckResult) -> tuple[RuleInfo, ...]:
    """Return the rules of the result, and a bare one for each finding whose rule is not among them."""
    rules = {rule.id: rule for rule in result.rules}
    for finding in (*result.findings, *(waived.finding for waived in result.waived), *result.known):
        rules.setdefault(finding.rule, _bare_rule(finding))
    return tuple(rules.values())


def _bare_rule(finding: Finding) -> RuleInfo:
    return RuleInfo(
        id=finding.rule, name=finding.name, severity=finding.severity, why="", source=(), message="", pack=""
    )


def nothing_checked(result: CheckResult) -> str:
    """Return why the result says nothing, or the empty string. INVARIANT: empty is never shown as a pass."""
    if result.documents and result.rules:
        return ""
    return f"nothing was checked: there is {_none(result)}; this is not a pass"


def _none(result: CheckResult) -> str:
    numbers = {"document": result.documents, "rule": len(result.rules)}
    return " and ".join(f"no {noun}" for noun, number in numbers.items() if not number)


def scope_of(result: CheckResult) -> str:
    """Return `98 documents with 92 items`."""
    return f"{counted(result.documents, 'document')} with {counted(result.items, 'item')}"


def verdict_of(result: CheckResult) -> str:
    """Return the one sentence that sums up the result; it always says what was checked."""
    rules = counted(len(result.rules), "rule")
    if result.findings:
        parts = [counted(n, s.value) if s is not Severity.INFO else f"{n} info" for s, n in _counts(result)]
        undecided = f"; {result.undecided} undecided" if result.undecided else ""
        found = counted(len(result.findings), "finding")
        return (
            f"{found} ({', '.join(parts)}{undecided}) in {scope_of(result)}, checked against {rules}"
            f"{_beside(result)}"
        )
    nothing = nothing_checked(result)
    return nothing or f"no findings: {scope_of(result)}, checked against {rules}{_beside(result)}"


def _beside(result: CheckResult) -> str:
    """Return what was found and does not count, after a semicolon. INVARIANT: what is excused is never silent."""
    said = excused_of(len(result.waived), len(result.known))
    return f"; {said}" if said else ""


def excused_of(waived: int, known: int) -> str:
    """Return `2 findings waived, 1 known to the baseline`, or the empty string."""
    parts = [f"{counted(waived, 'finding')} waived"] if waived else []
    parts += [f"{counted(known, 'finding')} known to the baseline"] if known else []
    return ", ".join(parts)


def waiver_of(waived: Waived) -> str:
    """Return who took which exception, to when, and why; visible."""
    return visible(f"until {waived.until} by {waived.owner}: {waived.reason}")


def _counts(result: CheckResult) -> Iterator[tuple[Severity, int]]:
    for severity in SEVERITIES:
        number = result.count(severity)
        if number:
            yield severity, number


def remarks_of(result: CheckResult) -> tuple[str, ...]:
    """Return what else a person should know: exemptions, notes, and what the result was computed from."""
    exempt = result.exempt
    remarks = [f"{counted(exempt, 'subject')} exempt, being older than the rule"] if exempt else []
    remarks += [_waived_remark(waived) for waived in result.waived]
    remarks += [f"note: {visible(note)}" for note in result.notes]
    inputs = result.inputs
    digests = ", ".join(
        f"{name} {digest[:_DIGEST_SHOWN]}"
        for name in ("documents", "rules", "waivers", "baseline")
        if (digest := getattr(inputs, name)) or name in ("documents", "rules")
    )
    base = f", base {inputs.base}" if inputs.base else ""
    return (*remarks, visible(f"as of {inputs.now}, revision {inputs.revision}{base}, {digests}"))


def _waived_remark(waived: Waived) -> str:
    primary, _ = split_locations(waived.finding)
    place = f" at {place_of(primary)}" if primary else ""
    what = f"{visible(waived.finding.rule)} [{subjects_of(waived.finding)}]{place}"
    granted = f"{visible(waived.place.path)}:{waived.place.line}"
    return f"waived: {what} {waiver_of(waived)} ({granted})"


def loudest_first(findings: Iterable[Finding]) -> Sequence[Finding]:
    """Return findings by severity, errors first, otherwise in the order given."""
    return sorted(findings, key=lambda finding: -finding.severity.rank)
