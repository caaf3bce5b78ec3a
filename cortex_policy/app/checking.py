"""`check`: every rule over the whole graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cortex_policy.app.reading import Reading
from cortex_policy.documents.faults import FAULTS
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import CheckResult, Finding, RuleInfo
from cortex_policy.ruleset.forms import suggest
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.verdicts import decide


class Selection(NamedTuple):
    """Which rules and findings a caller wants to see; prefixes of codes, and paths relative to the root."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def takes(self, code: str) -> bool:
        wanted = not self.select or code.startswith(self.select)
        return wanted and not (self.ignore and code.startswith(self.ignore))

    def shows(self, finding: Finding) -> bool:
        if not self.takes(finding.rule):
            return False
        return not self.only or any(_within(place.path, self.only) for place in finding.locations)


def _within(path: str, only: Sequence[str]) -> bool:
    return any(
        path == wanted or wanted in ("", ".") or path.startswith(wanted.rstrip("/") + "/") for wanted in only
    )


def check(reading: Reading, selection: Selection) -> CheckResult:
    """Every rule over the whole graph; the selection hides findings, never documents."""
    _known(selection, reading.ruleset)
    rules = tuple(rule for rule in reading.ruleset.rules if selection.takes(rule.info.id))
    chosen = Ruleset(
        model=reading.ruleset.model, rules=rules, digest=reading.ruleset.digest, packs=reading.ruleset.packs
    )
    decision = decide(chosen, reading.facts, reading.graph, reading.lines, reading.now)
    return CheckResult(
        documents=len(reading.graph.documents),
        items=count_items(reading),
        rules=rule_infos(chosen, selection),
        findings=tuple(finding for finding in decision.findings if selection.shows(finding)),
        inputs=reading.inputs,
        exempt=decision.exempt,
        notes=reading.notes,
    )


def count_items(reading: Reading) -> int:
    """How many items are declared, of the kinds that the packs name."""
    kinds = set(reading.ruleset.model.kinds) - {"document"}
    return sum(1 for kind, _ in reading.graph.declarations if kind in kinds)


def _known(selection: Selection, ruleset: Ruleset) -> None:
    """A selector that matches nothing is a mistake, not an empty result."""
    codes = [*(rule.info.id for rule in ruleset.rules), *(kind.id for kind in FAULTS.values())]
    for wanted in (*selection.select, *selection.ignore):
        if not any(code.startswith(wanted) for code in codes):
            raise ConfigurationError(
                (
                    Problem(
                        message=f"no rule has a code that starts with `{wanted}`", hint=suggest(wanted, codes)
                    ),
                )
            )


def rule_infos(ruleset: Ruleset, selection: Selection) -> tuple[RuleInfo, ...]:
    """Every rule that can give findings, the faults of documents among them, in order of code."""
    faults = [
        RuleInfo(
            id=kind.id,
            name=kind.name,
            severity=kind.severity,
            why=kind.why,
            source=("docs/readers.md",),
            message=kind.fix,
            pack="documents",
        )
        for kind in FAULTS.values()
        if selection.takes(kind.id)
    ]
    return tuple(sorted([*faults, *(rule.info for rule in ruleset.rules)], key=lambda info: info.id))
