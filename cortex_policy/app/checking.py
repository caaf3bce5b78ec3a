"""`check`: every rule over the whole graph, less what waivers and a baseline excuse."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from cortex_policy import world
from cortex_policy.app.changing import PolicyChange, change_infos
from cortex_policy.app.reading import Reading, some
from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.spec import ReaderSpec
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import CheckResult, Finding, RuleInfo, Waived
from cortex_policy.ruleset.baseline import Baseline, read_baseline
from cortex_policy.ruleset.changes import CHANGES
from cortex_policy.ruleset.forms import starts_of, suggest
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.ruleset.waivers import WAIVER_FAULTS, Waivers
from cortex_policy.verdicts import Decision, decide, in_order
from cortex_policy.verdicts.excusing import Excused, excuse

UNCHANGED: Final = PolicyChange()

MAX_BASELINE_BYTES: Final = 64 * 1024 * 1024
"""A hundred thousand findings; whoever has more of them changes the rules first."""

_OF_WAIVERS: Final = frozenset(kind.id for kind in WAIVER_FAULTS.values())


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


def open_baseline(path: Path, call: str = "cortex-policy check") -> Baseline:
    """The baseline in a file; `call` is the command that could write one. Raises `ConfigurationError`."""
    if not path.exists():
        from shlex import quote  # only for a message

        hint = f"write it with `{call} --format json > {quote(str(path))}`"
        raise ConfigurationError((Problem(message=f"no such file: `{path}`", hint=hint),))
    return read_baseline(world.read_text(path, str(path), MAX_BASELINE_BYTES), str(path))


def check(
    reading: Reading,
    selection: Selection,
    policy: PolicyChange = UNCHANGED,
    baseline: Baseline | None = None,
) -> CheckResult:
    """Every rule over the whole graph; the selection hides findings, never documents.

    Waivers and the baseline are compared with everything that was found, whatever the selection shows. Where the
    reading has a base, only what the change brings: findings that the base does not have by the same rules at the same
    time, transitions, and what `policy` tells of the rules themselves.
    """
    codes = _codes(reading.ruleset)
    _known(selection, codes)
    rules = tuple(rule for rule in reading.ruleset.rules if selection.takes(rule.info.id))
    chosen = reading.ruleset._replace(rules=rules)
    unread = tuple(document.path for document in reading.graph.documents if not document.complete)
    decision = _decide(chosen, reading)
    silent = {rule.info.id for rule in rules if rule.on_change} | (policy.codes - codes)
    excusing = _Excusing(codes | policy.codes, selection, silent, reading)
    excused = excusing.excuse(decision.findings, reading.waivers, baseline)
    notes = (*reading.notes, *_notes(reading, unread, selection), *_note_gone(excused.gone))
    origin = ""
    if reading.base is not None:
        before = _decide(chosen, reading.base).findings
        stood = excusing.excuse(before, reading.base.waivers, baseline)
        own = excusing.excuse(decision.findings, policy.waivers, None)
        excused = _brought(excused, (*before, *_of_waivers(stood)), (*_of_waivers(own), *policy.findings))
        notes = (*notes, _standing(reading.base, stood.findings, selection), *policy.notes)
        origin = reading.base.origin
    return CheckResult(
        documents=len(reading.graph.documents),
        items=count_items(reading),
        rules=_applied(chosen, selection, reading, policy),
        findings=tuple(finding for finding in excused.findings if selection.shows(finding, origin)),
        inputs=reading.inputs._replace(
            waivers=reading.waivers.digest, baseline=baseline.digest if baseline is not None else ""
        ),
        exempt=decision.exempt,
        unread=unread,
        notes=notes,
        not_applied=decision.not_applied,
        waived=tuple(
            _shown(waived, origin) for waived in excused.waived if selection.shows(waived.finding, origin)
        ),
        known=tuple(finding for finding in excused.known if selection.shows(finding, origin)),
        gone=excused.gone,
    )


class _Excusing(NamedTuple):
    """What `excuse` needs beside findings and waivers; `silent` are rules of which no finding says nothing."""

    codes: Collection[str]
    selection: Selection
    silent: Collection[str]
    reading: Reading

    def takes(self, code: str) -> bool:
        """Whether a rule that finds nothing means that nothing is there. A transition is seen once only, by the
        check of its own change, and a rule that the change adds was not applied: neither makes a waiver unused.
        """
        return self.selection.takes(code) and code not in self.silent

    def excuse(self, findings: Sequence[Finding], waivers: Waivers, baseline: Baseline | None) -> Excused:
        return excuse(
            findings,
            waivers,
            baseline,
            codes=self.codes,
            takes=self.takes,
            lines=self.reading.lines,
            today=self.reading.now.date(),
        )


def _of_waivers(excused: Excused) -> Iterator[Finding]:
    """What is wrong with the waivers themselves."""
    return (finding for finding in excused.findings if finding.rule in _OF_WAIVERS)


def _brought(excused: Excused, before: Iterable[Finding], more: Iterable[Finding]) -> Excused:
    """What was not found before. INVARIANT: by fingerprint and never by count, so that one fault for another shows.

    The waivers that excuse are those of the base; what is wrong with waivers is told of those that the change leaves,
    which are in `more`.
    """
    seen = {finding.fingerprint for finding in before}
    found = [*(finding for finding in excused.findings if finding.rule not in _OF_WAIVERS), *more]
    return excused._replace(
        findings=in_order(finding for finding in found if finding.fingerprint not in seen),
        waived=tuple(waived for waived in excused.waived if waived.finding.fingerprint not in seen),
        known=tuple(finding for finding in excused.known if finding.fingerprint not in seen),
    )


def _shown(waived: Waived, origin: str) -> Waived:
    """Where the waiver stands: with a base, there."""
    return waived._replace(place=waived.place._replace(path=origin + waived.place.path))


def _notes(reading: Reading, unread: Sequence[str], selection: Selection) -> Iterator[str]:
    """What a person should know of what was not looked at."""
    if unread and (selection.select or selection.ignore or reading.base is not None):
        yield f"{len(unread)} of the documents could not be read whole, whatever is shown: {some(unread)}"
    for reader in reading.ruleset.model.readers:
        read = [document for document in reading.graph.documents if document.reader == reader.name]
        own = {document.path for document in read if document.complete}  # a fault tells of the others
        items = (declaration for document in reading.graph.documents for declaration in document.declarations)
        if (
            own
            and reader.declarations
            and not any(d.kind in _kinds(reader) and d.place.path in own for d in items)
        ):
            many = "1 document" if len(own) == 1 else f"{len(own):,} documents"
            yield f"reader `{reader.name}` found no item in {many}: does its pattern fit?"


def _note_gone(gone: int) -> Iterator[str]:
    """An old entry of a baseline would excuse the same fault when it comes back."""
    if gone:
        what = "1 known finding is" if gone == 1 else f"{gone} known findings are"
        yield f"{what} gone: write the baseline again, so that they count when they come back"


def _kinds(reader: ReaderSpec) -> frozenset[str]:
    return frozenset(spec.kind for spec in reader.declarations)


def _decide(ruleset: Ruleset, reading: Reading) -> Decision:
    return decide(ruleset, reading.facts, reading.graph, reading.lines, reading.now)


def _standing(base: Reading, before: Sequence[Finding], selection: Selection) -> str:
    count = sum(1 for finding in before if selection.shows(finding, base.origin))
    found = f"{count:,} finding" + ("" if count == 1 else "s")
    return f"the base {base.origin.rstrip(':')} has {found} already; only what the change brings is shown"


def _applied(
    ruleset: Ruleset, selection: Selection, reading: Reading, policy: PolicyChange
) -> tuple[RuleInfo, ...]:
    """The rules that applied: those over changes, and those over waivers, only where there are such."""
    change = reading.base is not None
    rules = tuple(rule for rule in ruleset.rules if change or not rule.on_change)
    waivers = bool(reading.waivers.files or policy.waivers.files)
    infos = rule_infos(ruleset._replace(rules=rules), selection, waivers=waivers)
    over = [info for info in change_infos() if change and selection.takes(info.id)]
    return tuple(sorted((*infos, *over), key=lambda info: info.id))


def count_items(reading: Reading) -> int:
    """How many items are declared, of the kinds that the packs name."""
    kinds = set(reading.ruleset.model.kinds) - {"document"}
    return sum(1 for kind, _ in reading.graph.declarations if kind in kinds)


def _codes(ruleset: Ruleset) -> frozenset[str]:
    """The code of everything that can give findings."""
    faults = (kind.id for kind in chain(FAULTS.values(), WAIVER_FAULTS.values()))
    changes = (kind.id for kind in CHANGES.values())
    return frozenset([*(rule.info.id for rule in ruleset.rules), *faults, *changes])


def _known(selection: Selection, known: frozenset[str]) -> None:
    """A selector that matches nothing is a mistake, not an empty result."""
    codes = sorted(known)
    for wanted in (*selection.select, *selection.ignore):
        if not any(code.startswith(wanted) for code in codes):
            raise ConfigurationError(
                (
                    Problem(
                        message=f"no rule has a code that starts with `{wanted}`",
                        hint=suggest(wanted, codes) or starts_of(codes),
                    ),
                )
            )


def rule_infos(ruleset: Ruleset, selection: Selection, *, waivers: bool = True) -> tuple[RuleInfo, ...]:
    """Every rule that can give findings, in order of code; the faults of documents are among them, and with `waivers`
    those of waivers.
    """
    tables = [("documents", "docs/readers.md", FAULTS), ("waivers", "docs/waivers.md", WAIVER_FAULTS)]
    faults = [
        RuleInfo(
            id=kind.id,
            name=kind.name,
            severity=kind.severity,
            why=kind.why,
            source=(page,),
            message=kind.fix,
            pack=pack,
        )
        for pack, page, kinds in (tables if waivers else tables[:1])
        for kind in kinds.values()
        if selection.takes(kind.id)
    ]
    return tuple(sorted([*faults, *(rule.info for rule in ruleset.rules)], key=lambda info: info.id))
