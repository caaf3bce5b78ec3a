"""`check`: every rule over the whole graph, less what waivers and a baseline excuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from cortex_policy import world
from cortex_policy.app.reading import Reading
from cortex_policy.documents.faults import FAULTS
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import CheckResult, Finding, RuleInfo
from cortex_policy.ruleset.baseline import Baseline, read_baseline
from cortex_policy.ruleset.forms import suggest
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.ruleset.waivers import WAIVER_FAULTS
from cortex_policy.verdicts import decide, excuse

MAX_BASELINE_BYTES: Final = 64 * 1024 * 1024
"""A hundred thousand findings; whoever has more of them changes the rules first."""


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


def open_baseline(path: Path) -> Baseline:
    """The baseline in a file. Raises `ConfigurationError`."""
    if not path.exists():
        hint = f"write it with `cortex-policy check --format json > {path}`"
        raise ConfigurationError((Problem(message=f"no such file: `{path}`", hint=hint),))
    return read_baseline(world.read_text(path, str(path), MAX_BASELINE_BYTES), str(path))


def check(reading: Reading, selection: Selection, baseline: Baseline | None = None) -> CheckResult:
    """Every rule over the whole graph; the selection hides findings, never documents.

    Waivers and the baseline are compared with everything that was found, whatever the selection shows.
    """
    codes = _codes(reading.ruleset)
    _known(selection, codes)
    rules = tuple(rule for rule in reading.ruleset.rules if selection.takes(rule.info.id))
    chosen = Ruleset(
        model=reading.ruleset.model, rules=rules, digest=reading.ruleset.digest, packs=reading.ruleset.packs
    )
    decision = decide(chosen, reading.facts, reading.graph, reading.lines, reading.now)
    excused = excuse(
        decision.findings,
        reading.waivers,
        baseline,
        codes=codes,
        takes=selection.takes,
        lines=reading.lines,
        today=reading.now.date(),
    )
    return CheckResult(
        documents=len(reading.graph.documents),
        items=count_items(reading),
        rules=rule_infos(chosen, selection, waivers=bool(reading.waivers.files)),
        findings=tuple(finding for finding in excused.findings if selection.shows(finding)),
        inputs=reading.inputs._replace(
            waivers=reading.waivers.digest, baseline=baseline.digest if baseline is not None else ""
        ),
        exempt=decision.exempt,
        notes=(*reading.notes, *_notes(excused.gone)),
        waived=tuple(waived for waived in excused.waived if selection.shows(waived.finding)),
        known=tuple(finding for finding in excused.known if selection.shows(finding)),
        gone=excused.gone,
    )


def _notes(gone: int) -> Iterator[str]:
    """An old entry of a baseline would excuse the same fault when it comes back."""
    if gone:
        what = "1 known finding is" if gone == 1 else f"{gone} known findings are"
        yield f"{what} gone: write the baseline again, so that they count when they come back"


def count_items(reading: Reading) -> int:
    """How many items are declared, of the kinds that the packs name."""
    kinds = set(reading.ruleset.model.kinds) - {"document"}
    return sum(1 for kind, _ in reading.graph.declarations if kind in kinds)


def _codes(ruleset: Ruleset) -> frozenset[str]:
    """The code of everything that can give findings."""
    built_in = chain(FAULTS.values(), WAIVER_FAULTS.values())
    return frozenset([*(rule.info.id for rule in ruleset.rules), *(kind.id for kind in built_in)])


def _known(selection: Selection, known: frozenset[str]) -> None:
    """A selector that matches nothing is a mistake, not an empty result."""
    codes = sorted(known)
    for wanted in (*selection.select, *selection.ignore):
        if not any(code.startswith(wanted) for code in codes):
            raise ConfigurationError(
                (
                    Problem(
                        message=f"no rule has a code that starts with `{wanted}`", hint=suggest(wanted, codes)
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
