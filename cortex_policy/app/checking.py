"""`check`: every rule over the whole graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cortex_policy.app.reading import Reading
from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.spec import ReaderSpec
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import CheckResult, Finding, RuleInfo
from cortex_policy.ruleset.forms import suggest
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.verdicts import decide

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
    unread = tuple(document.path for document in reading.graph.documents if not document.complete)
    return CheckResult(
        documents=len(reading.graph.documents),
        items=count_items(reading),
        rules=rule_infos(chosen, selection),
        findings=tuple(finding for finding in decision.findings if selection.shows(finding)),
        inputs=reading.inputs,
        exempt=decision.exempt,
        unread=unread,
        notes=(*reading.notes, *_notes(reading, unread, selection)),
    )


def _notes(reading: Reading, unread: Sequence[str], selection: Selection) -> Iterator[str]:
    """What a person should know of what was not looked at."""
    if unread and (selection.select or selection.ignore):
        yield f"{len(unread)} of the documents could not be read whole, whatever rules were selected: {_some(unread)}"
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
