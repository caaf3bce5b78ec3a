"""`check`: every rule over the whole graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cortex_policy.app.changing import PolicyChange, change_infos
from cortex_policy.app.reading import Reading
from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.spec import ReaderSpec
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import CheckResult, Finding, RuleInfo
from cortex_policy.ruleset.forms import suggest
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.verdicts import Decision, decide, in_order

UNCHANGED: Final = PolicyChange()

MAX_NAMED: Final = 3
"""Documents that a note names."""


class Selection(NamedTuple):
    """Which rules and findings a caller wants to see; prefixes of codes, and paths relative to the root."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def takes(self, code: str) -> bool:
        wanted = not self.select or code.startswith(self.select)
        return wanted and not (self.ignore and code.startswith(self.ignore))

    def shows(self, finding: Finding, origin: str = "") -> bool:
        """Whether the caller wants to see it; `origin` is what paths at a base start with."""
        if not self.takes(finding.rule):
            return False
        paths = (place.path.removeprefix(origin) for place in finding.locations)
        return not self.only or any(_within(path, self.only) for path in paths)


def _within(path: str, only: Sequence[str]) -> bool:
    return any(
        path == wanted or wanted in ("", ".") or path.startswith(wanted.rstrip("/") + "/") for wanted in only
    )


def check(reading: Reading, selection: Selection, policy: PolicyChange = UNCHANGED) -> CheckResult:
    """Every rule over the whole graph; the selection hides findings, never documents.

    Where the reading has a base, only what the change brings: findings that the base does not have by the same rules
    at the same time, transitions, and what `policy` tells of the rules themselves.
    """
    _known(selection, reading.ruleset)
    rules = tuple(rule for rule in reading.ruleset.rules if selection.takes(rule.info.id))
    chosen = Ruleset(
        model=reading.ruleset.model, rules=rules, digest=reading.ruleset.digest, packs=reading.ruleset.packs
    )
    unread = tuple(document.path for document in reading.graph.documents if not document.complete)
    decision = _decide(chosen, reading)
    notes = (*reading.notes, *_notes(reading, unread, selection))
    findings, origin = decision.findings, ""
    if reading.base is not None:
        before = _decide(chosen, reading.base).findings
        findings = in_order((*_brought(findings, before), *policy.findings))
        notes = (*notes, _standing(reading.base, before, selection), *policy.notes)
        origin = reading.base.origin
    return CheckResult(
        documents=len(reading.graph.documents),
        items=count_items(reading),
        rules=_applied(chosen, selection, reading.base is not None),
        findings=tuple(finding for finding in findings if selection.shows(finding, origin)),
        inputs=reading.inputs,
        exempt=decision.exempt,
        unread=unread,
        notes=notes,
        not_applied=decision.not_applied,
    )


def _notes(reading: Reading, unread: Sequence[str], selection: Selection) -> Iterator[str]:
    """What a person should know of what was not looked at."""
    if unread and (selection.select or selection.ignore or reading.base is not None):
        yield f"{len(unread)} of the documents could not be read whole, whatever is shown: {_some(unread)}"
    for reader in reading.ruleset.model.readers:
        own = {document.path for document in reading.graph.documents if document.reader == reader.name}
        items = (declaration for document in reading.graph.documents for declaration in document.declarations)
        if (
            own
            and reader.declarations
            and not any(d.kind in _kinds(reader) and d.place.path in own for d in items)
        ):
            yield f"reader `{reader.name}` found no item in {len(own)} documents: does its pattern fit?"


def _kinds(reader: ReaderSpec) -> frozenset[str]:
    return frozenset(spec.kind for spec in reader.declarations)


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else ""
    return ", ".join(f"`{path}`" for path in paths[:MAX_NAMED]) + more


def _decide(ruleset: Ruleset, reading: Reading) -> Decision:
    return decide(ruleset, reading.facts, reading.graph, reading.lines, reading.now)


def _brought(findings: Sequence[Finding], before: Sequence[Finding]) -> tuple[Finding, ...]:
    """What was not found before. INVARIANT: by fingerprint and never by count, so that one fault for another shows."""
    known = {finding.fingerprint for finding in before}
    return tuple(finding for finding in findings if finding.fingerprint not in known)


def _standing(base: Reading, before: Sequence[Finding], selection: Selection) -> str:
    count = sum(1 for finding in before if selection.shows(finding, base.origin))
    found = f"{count:,} finding" + ("" if count == 1 else "s")
    return f"the base {base.origin.rstrip(':')} has {found} already; only what the change brings is shown"


def _applied(ruleset: Ruleset, selection: Selection, change: bool) -> tuple[RuleInfo, ...]:
    """The rules that applied: those over changes only where there is one."""
    rules = tuple(rule for rule in ruleset.rules if change or not rule.on_change)
    infos = rule_infos(ruleset._replace(rules=rules), selection)
    over = [info for info in change_infos() if change and selection.takes(info.id)]
    return tuple(sorted((*infos, *over), key=lambda info: info.id))


def count_items(reading: Reading) -> int:
    """How many items are declared, of the kinds that the packs name."""
    kinds = set(reading.ruleset.model.kinds) - {"document"}
    return sum(1 for kind, _ in reading.graph.declarations if kind in kinds)


def _known(selection: Selection, ruleset: Ruleset) -> None:
    """A selector that matches nothing is a mistake, not an empty result."""
    codes = [*(rule.info.id for rule in ruleset.rules), *(kind.id for kind in FAULTS.values())]
    codes += (info.id for info in change_infos())
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
