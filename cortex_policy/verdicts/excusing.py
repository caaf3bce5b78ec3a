"""What does not count: findings that a waiver covers, or that a baseline knows (`docs/waivers.md`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from cortex_policy.documents.faults import FAULTS
from cortex_policy.model import Fault, Finding, Outcome, Waived
from cortex_policy.ruleset.baseline import Baseline
from cortex_policy.ruleset.changes import CHANGES
from cortex_policy.ruleset.forms import suggest
from cortex_policy.ruleset.waivers import WAIVER_FAULTS, Waiver, Waivers
from cortex_policy.verdicts import Lines, fault_findings, order

_BLIND: Final = frozenset(
    [
        *(kind.id for kind in FAULTS.values() if kind.hides),
        *(kind.id for kind in WAIVER_FAULTS.values()),
        *(kind.id for kind in CHANGES.values()),
    ]
)


def excusable(rule: str, outcome: Outcome, condition: str) -> bool:
    """Whether a waiver or a baseline may take a finding out of the count (`docs/waivers.md`).

    INVARIANT: what hides documents, what is wrong with waivers, what a change does to the policy, an evaluation that
    failed, and a rule whose subjects cannot be listed are never excused: behind each of them may stand a fault that
    nobody has seen.
    """
    return rule not in _BLIND and outcome is not Outcome.ERROR and condition != "for"


class Excused(NamedTuple):
    """Findings by whether they count: those that do, the waived, the known; and how many known ones are gone."""

    findings: tuple[Finding, ...]
    waived: tuple[Waived, ...]
    known: tuple[Finding, ...]
    gone: int


def excuse(
    findings: Sequence[Finding],
    waivers: Waivers,
    baseline: Baseline | None,
    *,
    codes: Collection[str],
    takes: Callable[[str], bool],
    lines: Lines,
    today: date,
) -> Excused:
    """Take out of the count what a waiver covers, then what the baseline knows (`docs/waivers.md`).

    `codes` are those of every rule there is; `takes` tells of which of them no finding means that there is none. What
    is wrong with a waiver is a finding like the rest, and such a waiver covers nothing.
    """
    sound, faults = _sound(waivers, codes, today)
    counting, waived, used = _waive(findings, sound)
    faults += [
        Fault("waiver-unused", f"the waiver {waiver.label} covers no finding", waiver.place)
        for waiver in sound
        if waiver not in used and takes(waiver.rule)
    ]
    counting, known = _split(counting, baseline)
    for path in waivers.files:
        own = sorted((fault for fault in faults if fault.place.path == path), key=lambda fault: fault.place)
        counting += fault_findings(path, own, WAIVER_FAULTS, "waiver", lines)
    return Excused(
        tuple(sorted(counting, key=order)), tuple(waived), tuple(known), _gone(findings, baseline, takes)
    )


def _sound(waivers: Waivers, codes: Collection[str], today: date) -> tuple[list[Waiver], list[Fault]]:
    """The waivers that count today, and what is wrong with the others."""
    sound: list[Waiver] = []
    faults = list(waivers.faults)
    for waiver in waivers.entries:
        wrong = list(_unsound(waiver, codes, today))
        faults += wrong
        if waiver.sound and not wrong:
            sound.append(waiver)
    return sound, faults


def _unsound(waiver: Waiver, codes: Collection[str], today: date) -> Iterable[Fault]:
    """What is wrong with a waiver on this day and under these rules, beside what its file shows."""
    if waiver.rule and waiver.rule not in codes:
        hint = suggest(waiver.rule, sorted(codes))
        message = f"no rule has the code `{waiver.rule}`" + (f" ({hint})" if hint else "")
        yield Fault("waiver-of-unknown-rule", message, waiver.place)
    if not excusable(waiver.rule, Outcome.FALSE, waiver.condition):
        yield Fault("waiver-not-allowed", f"the waiver {waiver.label} cannot count", waiver.place)
    if waiver.until is not None and today > waiver.until:
        yield Fault("waiver-expired", f"the waiver {waiver.label} ended with {waiver.until}", waiver.place)


def _waive(
    findings: Sequence[Finding], sound: Sequence[Waiver]
) -> tuple[list[Finding], list[Waived], set[Waiver]]:
    """What still counts, what is waived, and the waivers that met a finding: of several, the first one does."""
    by_rule: dict[tuple[str, tuple[str, ...]], list[Waiver]] = {}
    for waiver in sound:
        by_rule.setdefault((waiver.rule, waiver.subjects), []).append(waiver)
    counting: list[Finding] = []
    waived: list[Waived] = []
    used: set[Waiver] = set()
    for finding in findings:
        candidates = by_rule.get((finding.rule, tuple(sorted(finding.subjects))), ())
        first = next((candidate for candidate in candidates if candidate.covers(finding)), None)
        if first is not None:
            used.add(first)
        if first is not None and excusable(finding.rule, finding.outcome, finding.condition):
            waived.append(Waived(finding, first.reason, first.owner, str(first.until), first.place))
        else:
            counting.append(finding)
    return counting, waived, used


def _split(findings: Sequence[Finding], baseline: Baseline | None) -> tuple[list[Finding], list[Finding]]:
    """What still counts, and what the baseline knows.

    INVARIANT: only fingerprints are compared, never numbers: a new fault in the place of an old one counts.
    """
    sides: tuple[list[Finding], list[Finding]] = ([], [])
    for finding in findings:
        known = baseline is not None and _key(finding) in baseline.known
        sides[known and excusable(finding.rule, finding.outcome, finding.condition)].append(finding)
    return sides


def _gone(findings: Sequence[Finding], baseline: Baseline | None, takes: Callable[[str], bool]) -> int:
    """How many known findings, of the rules that were asked for, are found no more."""
    if baseline is None:
        return 0
    there = {_key(finding) for finding in findings}
    return sum(1 for key, rule in baseline.known.items() if key not in there and takes(rule))


def _key(finding: Finding) -> tuple[str, Outcome]:
    return finding.fingerprint, finding.outcome
