"""What a change does to the policy that judges it: one literal table, and a comparison of two rulesets.

Only what is weaker for certain is told as such. Whether an expression that was rewritten demands less cannot be told
from its text; those rules are named, for a person to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from cortex_policy.model import Past, Place, Severity
from cortex_policy.ruleset.gates import Gate
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.ruleset.rules import Rule
from cortex_policy.ruleset.waivers import Waiver, Waivers


class ChangeKind(NamedTuple):
    """A rule over changes of the policy: `id` is stable and never reused, `fix` is the next step."""

    id: str
    name: str
    severity: Severity
    why: str
    fix: str


_SEPARATE: Final = "land the change of the policy by itself, reviewed by those who own it, and then the rest"

CHANGES: Final[dict[str, ChangeKind]] = {
    name: ChangeKind(f"CPX-CHG-{number:03d}", name, Severity.ERROR, why, fix)
    for number, name, why, fix in (
        (
            1,
            "policy-unreadable",
            "A policy that cannot be loaded after the change judges nothing from then on.",
            "mend the configuration or the pack",
        ),
        (
            2,
            "pack-dropped",
            "With the pack go all of its rules, and nobody is told that they stopped to apply.",
            _SEPARATE,
        ),
        (
            3,
            "documents-excluded",
            "What is excluded is judged by no rule, and what is truncated is never found missing.",
            _SEPARATE,
        ),
        (
            4,
            "rule-removed",
            "A change that removes what forbids it would pass by its own hand.",
            _SEPARATE,
        ),
        (
            5,
            "severity-lowered",
            "A finding below the threshold of the check no longer stops anything.",
            _SEPARATE,
        ),
        (
            6,
            "unknown-ignored",
            "A rule that ignores what cannot be decided takes silence for a pass.",
            _SEPARATE,
        ),
        (
            7,
            "exemption-widened",
            "A later day under `since` lets documents off that the rule bound before.",
            _SEPARATE,
        ),
        (
            8,
            "reader-removed",
            "Documents that no reader takes are judged by no rule.",
            _SEPARATE,
        ),
        (
            9,
            "waiver-added",
            "A change that excuses its own findings would pass by its own hand.",
            _SEPARATE,
        ),
        (
            10,
            "gate-weakened",
            "A gate that asks less, or is not there, lets through what it held back, and nobody is told.",
            _SEPARATE,
        ),
    )
}


class Weakening(NamedTuple):
    """One way in which the policy is weaker: the key in `CHANGES`, what it concerns, and where."""

    change: str
    subject: str
    message: str
    place: Place


class Comparison(NamedTuple):
    """What is weaker for certain, and the codes of rules and names of gates whose expressions differ."""

    weaker: tuple[Weakening, ...]
    rewritten: tuple[str, ...]


def compare(before: Ruleset, after: Ruleset, origin: str) -> Comparison:
    """Two rulesets; what is gone is shown where it stood, with `origin` before its path."""
    new = {rule.info.id: rule for rule in after.rules}
    kept = [rule for rule in before.rules if rule.info.pack in after.packs]
    found: list[Weakening] = []
    rewritten = []
    for rule in kept:
        now = new.get(rule.info.id)
        if now is None:
            found.append(_weaker("rule-removed", rule, "is gone", Past(origin + rule.path, rule.line, 1)))
            continue
        found += _weaker_rule(rule, now)
        if _expressions(rule) != _expressions(now):
            rewritten.append(rule.info.id)
    names = {reader.name for reader in after.model.readers}
    if set(before.packs) <= set(after.packs):
        found += (
            Weakening(
                "reader-removed", f"reader:{reader.name}", f"reader `{reader.name}` is gone", Place("", 0, 0)
            )
            for reader in before.model.readers
            if reader.name not in names
        )
    gates = {gate.name: gate for gate in after.gates}
    for gate in (gate for gate in before.gates if gate.pack in after.packs):
        found += _weaker_gate(gate, gates.get(gate.name), origin)
        if gate.name in gates and _asked(gate) != _asked(gates[gate.name]):
            rewritten.append(gate.name)
    return Comparison(tuple(found), tuple(rewritten))


def _weaker(change: str, rule: Rule, what: str, place: Place) -> Weakening:
    return Weakening(change, f"rule:{rule.info.id}", f"rule {rule.info.id} {what}", place)


def _weaker_rule(before: Rule, after: Rule) -> Iterator[Weakening]:
    place = Place(after.path, after.line, 1)
    was, now = before.info.severity, after.info.severity
    if now.rank < was.rank:
        yield _weaker("severity-lowered", before, f"was of severity {was.value}, and is {now.value}", place)
    if before.report_unknown and not after.report_unknown:
        yield _weaker("unknown-ignored", before, "ignores what it cannot decide", place)
    if _exempts_more(before, after):
        yield _weaker("exemption-widened", before, "exempts more than before", place)
    if after.on_change and not before.on_change:
        yield _weaker("rule-removed", before, "judges changes only, and no longer what stands", place)
    names = {condition.id for condition in after.require}
    for condition in before.require:
        if condition.id not in names:
            yield _weaker("rule-removed", before, f"lacks its condition `{condition.id}`", place)


def _exempts_more(before: Rule, after: Rule) -> bool:
    """Whether `since` lets off what it did not; another field is taken for that, since nothing says otherwise."""
    if after.since is None or before.since == after.since:
        return False
    return before.since is None or before.since[0] != after.since[0] or before.since[1] < after.since[1]


def _expressions(rule: Rule) -> tuple[object, ...]:
    conditions = tuple((condition.id, condition.text) for condition in rule.require)
    return rule.variable, rule.collection_text, rule.when_text, conditions


def _weaker_gate(before: Gate, after: Gate | None, origin: str) -> Iterator[Weakening]:
    """A gate that is gone, or of which a profile asks less, or asks it later."""
    subject, name = f"gate:{before.name}", f"gate `{before.name}`"
    if after is None:
        place: Place = Past(origin + before.path, before.line, 1)
        yield Weakening("gate-weakened", subject, f"{name} is gone", place)
        return
    place = Place(after.path, after.line, 1)
    for profile in before.profiles:
        if profile not in after.profiles:
            message = f"{name} lacks its profile `{profile}`"
            yield Weakening("gate-weakened", subject, message, place)
            continue
        asked = {demand.id: demand.phase for demand in after.demands(profile)}
        for demand in before.demands(profile):
            if demand.id not in asked:
                message = f"{name} lacks its condition `{demand.id}` in profile `{profile}`"
                yield Weakening("gate-weakened", subject, message, place)
            elif (demand.phase, asked[demand.id]) == ("pre", "post"):
                message = (
                    f"{name} asks for its condition `{demand.id}` only afterwards in profile `{profile}`"
                )
                yield Weakening("gate-weakened", subject, message, place)


def _asked(gate: Gate) -> tuple[object, ...]:
    return (
        gate.variable,
        gate.collection_text,
        tuple((demand.id, demand.written.text) for demand in gate.require),
    )


def weaker_waivers(before: Waivers, after: Waivers) -> Iterator[Weakening]:
    """Waivers that excuse what none of those before does, or for longer."""
    for waiver in after.entries:
        if waiver.sound and not any(old.sound and _includes(old, waiver) for old in before.entries):
            yield Weakening(
                "waiver-added",
                f"rule:{waiver.rule}",
                f"the waiver {waiver.label} is new, or wider",
                waiver.place,
            )


def _includes(old: Waiver, new: Waiver) -> bool:
    """Whether all that the new one excuses, the old one excuses too, as long at least."""
    return (
        (old.rule, old.subjects) == (new.rule, new.subjects)
        and old.condition in ("", new.condition)
        and old.path in ("", new.path)
        and (old.until or date.min) >= (new.until or date.min)
    )
