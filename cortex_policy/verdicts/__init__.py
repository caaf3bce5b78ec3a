"""The decision: rules over facts give findings with their reasons.

A rule is evaluated fast first; only what is not plainly true is evaluated again for its reasons. INVARIANT: a subject
passes only when every condition is true; unknown and error never pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cortex_policy.documents.faults import FAULTS, FaultKind
from cortex_policy.facts import Facts
from cortex_policy.graph import Graph
from cortex_policy.model import UNKNOWN, Fault, Finding, Location, OpenTuple, Outcome, Past, Place, Record
from cortex_policy.ruleset.evaluator import compile_expression
from cortex_policy.ruleset.explain import Explanation, Read, Witness, explain
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.ruleset.rules import Condition, Rule
from cortex_policy.ruleset.template import render

MAX_WITNESSES: Final = 100
"""Findings that one condition gives for one subject; the rest are counted in the last message."""

PARTS: Final = frozenset({"box", "section", "mention", "declaration", "conflict", "claim", "stale"})
"""Built-in kinds that are parts of an item or document and have no id of their own in reports."""

Lines = Callable[[str], Sequence[str]]
"""The lines of a document, by its path."""


class Decision(NamedTuple):
    """What the rules say: findings in order, how many subjects `since` exempts, and how often each rule applied.

    `not_applied` counts the rules that judge a change, where there is no base to compare with.
    """

    findings: tuple[Finding, ...]
    exempt: int
    applied: Mapping[str, int]
    not_applied: int = 0


def outcome_of(value: Any) -> Outcome:
    """The one table from values to outcomes. What is neither true nor false nor unknown is an error."""
    if value is True:
        return Outcome.TRUE
    if value is False:
        return Outcome.FALSE
    return Outcome.UNKNOWN if value is UNKNOWN else Outcome.ERROR


def decide(ruleset: Ruleset, facts: Facts, graph: Graph, lines: Lines, now: datetime) -> Decision:
    """Evaluate every rule on every subject at the time `now`; faults of documents are findings like the rest."""
    findings = list(_faults(graph, lines))
    exempt = 0
    applied: dict[str, int] = {}
    judged = [rule for rule in ruleset.rules if facts.has_base or not rule.on_change]
    for rule in judged:
        run = _Run(rule, facts, lines, now)
        findings += run.findings()
        exempt += run.exempt
        applied[rule.info.id] = run.applied
    return Decision(in_order(findings), exempt, applied, len(ruleset.rules) - len(judged))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By place, then rule: independent of the order of files and rules. Equal findings are one."""
    unique = {(finding.fingerprint, finding.locations): finding for finding in findings}
    return tuple(sorted(unique.values(), key=order))


def order(finding: Finding) -> tuple[Any, ...]:
    """What findings are sorted by, for whoever may not join equal ones."""
    first = finding.locations[0] if finding.locations else Location("", 0, 0, "", "primary")
    return (
        first.path,
        first.line,
        first.column,
        finding.rule,
        finding.condition,
        finding.subjects,
        tuple((location.path, location.line, location.column) for location in finding.locations),
        finding.message,
        finding.fingerprint,
    )


class Application:
    """What a rule is asked of at the time `now`: its subjects, and which of them it binds."""

    def __init__(self, rule: Rule, facts: Facts, now: datetime) -> None:
        self.rule = rule
        self.facts = facts
        self.injected = {"now": now, "today": now.date()}
        self.when = compile_expression(rule.when, facts.functions) if rule.when is not None else None

    def subjects(self) -> Any:
        """A list, which may be open, or why it cannot be had."""
        return compile_expression(self.rule.collection, self.facts.functions)(dict(self.injected))

    def env(self, subject: Any) -> dict[str, Any]:
        """The variables that the expressions of the rule read for one subject."""
        return {**self.injected, self.rule.variable: subject}

    def applies(self, env: dict[str, Any]) -> Outcome:
        """What `when` says."""
        return Outcome.TRUE if self.when is None else outcome_of(self.when(env))

    def exempts(self, subject: Any) -> bool:
        """Whether `since` exempts the subject: only a date that is surely before it does."""
        if self.rule.since is None or not isinstance(subject, Record):
            return False
        name, day = self.rule.since
        value = subject.values.get(name)
        if value is None and isinstance(document := subject.values.get("document"), Record):
            value = document.values.get(name)
        if isinstance(value, datetime):
            return value.date() < day
        return isinstance(value, date) and value < day


class _Run:
    """One rule over all its subjects."""

    def __init__(self, rule: Rule, facts: Facts, lines: Lines, now: datetime) -> None:
        self.rule = rule
        self.application = Application(rule, facts, now)
        self.facts = facts
        self.lines = lines
        self.exempt = 0
        self.applied = 0
        self.conditions = [(c, compile_expression(c.tree, facts.functions)) for c in rule.require]

    def findings(self) -> Iterable[Finding]:
        subjects = self.application.subjects()
        if not isinstance(subjects, tuple):
            yield self._whole(subjects)
            return
        for subject in subjects:
            yield from self._subject(subject)

    def _subject(self, subject: Any) -> Iterable[Finding]:
        """Every condition on one subject; `when` that is unknown or wrong is itself a finding."""
        env = self.application.env(subject)
        applies = self.application.applies(env)
        if applies is Outcome.FALSE:
            return
        if applies is not Outcome.TRUE:
            yield from self._undecided_when(subject, env, applies)
            return
        if self.application.exempts(subject):
            self.exempt += 1
            return
        self.applied += 1
        for condition, run in self.conditions:
            outcome = outcome_of(run(env))
            if outcome is not Outcome.TRUE and (outcome is not Outcome.UNKNOWN or self.rule.report_unknown):
                yield from self._broken(condition, subject, env, outcome)

    def _undecided_when(self, subject: Any, env: dict[str, Any], outcome: Outcome) -> Iterable[Finding]:
        if outcome is Outcome.UNKNOWN and not self.rule.report_unknown:
            return
        tree = self.rule.when
        reasons = (
            explain(tree, env, self.facts.functions) if tree is not None else Explanation(UNKNOWN, (), ())
        )
        if outcome is Outcome.UNKNOWN and _told_by_fault(subject, reasons):
            return
        missing = _missing(reasons.reads)
        message = f"cannot tell whether this rule applies to {name_of(subject)}" + (
            f": {missing}" if missing else ""
        )
        yield self._finding("when", subject, outcome, message, reasons.reads, tuple, ())

    def _broken(
        self, condition: Condition, subject: Any, env: dict[str, Any], outcome: Outcome
    ) -> Iterable[Finding]:
        """One finding, or one for each deciding member when the message speaks of the member."""
        reasons = explain(condition.tree, env, self.facts.functions)
        if outcome is Outcome.UNKNOWN and _told_by_fault(subject, reasons):
            return
        context = partial(self._context, env)
        speaking = [
            w for w in reasons.witnesses if condition.message.names & {name for name, _ in w.bindings}
        ]
        if not speaking:
            reads = [*reasons.reads, *(read for witness in reasons.witnesses for read in witness.reads)]
            message = self._message(condition, env, reasons.value, reads)
            yield self._finding(condition.id, subject, outcome, message, reads, context, reasons.witnesses)
            return
        for number, witness in enumerate(speaking[:MAX_WITNESSES], start=1):
            reads = [*reasons.reads, *witness.reads]
            bound = {**env, **dict(witness.bindings)}
            message = self._message(condition, bound, reasons.value, reads)
            if number == MAX_WITNESSES < len(speaking):
                message += f" (and {len(speaking) - number} more like it)"
            yield self._finding(condition.id, subject, outcome, message, reads, context, (witness,))

    def _context(self, env: dict[str, Any]) -> Sequence[Read]:
        """What `when` read: where the subject says that the rule is about it."""
        return explain(self.rule.when, env, self.facts.functions).reads if self.rule.when is not None else ()

    def _message(self, condition: Condition, env: dict[str, Any], value: Any, reads: Iterable[Read]) -> str:
        """The rule's own sentence, and why it could not be decided when it could not."""
        text = render(condition.message, _with_unknowns(condition, env), self.facts.functions)
        if isinstance(value, Failure):
            return f"{text} (cannot be evaluated: {value.reason})"
        if value is UNKNOWN:
            return f"{text} ({_missing(reads) or 'what could tell cannot be read, or lies out of sight'})"
        return text

    def _whole(self, value: Any) -> Finding:
        """The rule's own collection cannot be had: that is an error of this run, never a pass."""
        reason = value.reason if isinstance(value, Failure) else "unknown"
        return self._finding(
            "for", None, outcome_of(value), f"the subjects cannot be listed: {reason}", (), tuple, ()
        )

    def _finding(
        self,
        condition: str,
        subject: Any,
        outcome: Outcome,
        message: str,
        reads: Iterable[Read],
        context: Callable[[], Iterable[Read]],
        witnesses: Sequence[Witness],
    ) -> Finding:
        if self.rule.on_change:
            # What made the rule apply is what was before, and that is half of what happened.
            reads = [*reads, *(read for read in context() if isinstance(read.record.place, Past))]
        places = _places(subject, reads, context)
        subjects = (name_of(subject),)
        return Finding(
            rule=self.rule.info.id,
            name=self.rule.info.name,
            severity=self.rule.info.severity,
            outcome=outcome,
            subjects=subjects,
            condition=condition,
            message=message,
            locations=tuple(
                Location(place.path, place.line, place.column, _line(self.lines, place), role)
                for place, role in places
            ),
            fingerprint=fingerprint(
                self.rule.info.id, subjects, condition, _content(subject, outcome, reads, witnesses)
            ),
        )


def _told_by_fault(subject: Any, reasons: Explanation) -> bool:
    """Whether all that is missing is what an unread document would say of itself: its fault has told that already.

    INVARIANT: nothing passes by this. The fault is an error, neither waiver nor baseline covers it, and a document that
    was not read whole makes the check undecided whatever is shown.
    """
    reads = (*reasons.reads, *(read for witness in reasons.witnesses for read in witness.reads))
    missing = [read for read in reads if read.value is UNKNOWN or isinstance(read.value, OpenTuple)]
    return bool(missing) and all(_is_own(read, subject) and _unread(read) for read in missing)


def _unread(read: Read) -> bool:
    """Whether a document states this nowhere that could be read, now and not at the base."""
    record = read.record
    now = record.kind == "document" and not isinstance(record.place, Past)
    differs = read.value is UNKNOWN and read.places and not _veiled(read)
    return now and not differs and record.values.get("complete") is False


def _with_unknowns(condition: Condition, env: dict[str, Any]) -> dict[str, Any]:
    """A message that names a macro's variable when no member decided says so instead of failing."""
    return {**dict.fromkeys(condition.message.names, UNKNOWN), **env}


def name_of(subject: Any) -> str:
    """How a finding names its subject: items and documents by id, their parts by what they belong to."""
    if not isinstance(subject, Record):
        return str(subject)
    for owner in ("owner", "document"):
        whole = subject.values.get(owner)
        if subject.kind in PARTS and isinstance(whole, Record):
            return whole.id
    return subject.id


def _missing(reads: Iterable[Read]) -> str:
    """Which facts nobody states, as a person would say it."""
    names: list[str] = []
    for read in reads:
        reason = _reason(read)
        if reason and reason not in names:
            names.append(reason)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _reason(read: Read) -> str:
    """Why one value is unknown, or an empty text."""
    name = name_of(read.record)
    if isinstance(read.value, OpenTuple):
        return f"{read.field} of {name} may be incomplete"
    if read.value is not UNKNOWN:
        return ""
    if read.places and _veiled(read):
        return f"{read.places[0].path}, which could not be read, may state the {read.field} of {name}"
    if read.places:
        return f"{name} states its {read.field} more than once, and differently"
    if read.field == "is_declared":
        return f"{name} may be declared in a document that could not be read, or lies out of sight"
    if read.record.values.get("is_declared", True) is False:
        return f"no document declares {name}"
    return f"{name} has no {read.field}"


def _veiled(read: Read) -> bool:
    """Whether an unknown value is one that a document may state which could not be read, and not a conflict."""
    conflicts = read.record.values.get("conflicts")
    return conflicts is not None and not any(each.values["field"] == read.field for each in conflicts)


def _places(
    subject: Any, reads: Iterable[Read], context: Callable[[], Iterable[Read]]
) -> list[tuple[Place, str]]:
    """Where to look: the subject's own statement that the condition read, else the one that made the rule apply, else
    the subject itself; then what other records say. A fact that nobody states is shown at the record that lacks it.
    What stood at the base comes last: the place to mend is in the change.
    """
    reads = list(reads)
    own = [
        place
        for read in reads
        if _is_own(read, subject) and not _lists_parts(read, reads)
        for place in read.places
    ]
    if not own:
        own = [place for read in context() if _is_own(read, subject) for place in read.places]
    if not own:
        own = [place for read in reads if _lacks(read, subject) for place in _home(read.record)]
    nowhere = all(isinstance(place, Past) for place in own)
    if isinstance(subject, Record) and subject.place is not None and (nowhere or subject.kind in PARTS):
        own.insert(0, subject.place)
    foreign = [read for read in reads if not _is_own(read, subject) and not _is_view(read)]
    other = [place for read in foreign for place in _shown_at(read, subject)]
    ordered = sorted(dict.fromkeys([*own, *other]), key=lambda place: isinstance(place, Past))
    return [(place, "related" if index else "primary") for index, place in enumerate(ordered)]


def _is_own(read: Read, subject: Any) -> bool:
    """Whether the subject, or a part of it, states this; what only holds a view of the subject states nothing."""
    if not isinstance(subject, Record):
        return False
    record = read.record
    owner = record.values.get("owner") if record.kind in PARTS else None
    if isinstance(owner, Record) and _same(owner, subject):
        return True
    return _same(record, subject) and not _is_view(read)


def _is_view(read: Read) -> bool:
    """Whether this is only what one source says of the item; what is read of that view states something."""
    return isinstance(read.value, Record) and _same(read.value, read.record)


def _lacks(read: Read, subject: Any) -> bool:
    """Whether a view of the subject (what one source says of it) does not state this."""
    return _is_own(read, subject) and read.record is not subject and not read.places


def _home(record: Record) -> tuple[Place, ...]:
    return (record.place,) if record.place is not None else ()


def _same(one: Record, other: Record) -> bool:
    """Parts have no id of their own: two boxes with one text are two."""
    return one is other if one.kind in PARTS else one.kind == other.kind and one.id == other.id


def _lists_parts(read: Read, reads: Sequence[Read]) -> bool:
    """Whether this is only the list whose deciding members were read too: the members are the place to look."""
    if not isinstance(read.value, tuple) or not read.value:
        return False
    members = {id(member) for member in read.value if isinstance(member, Record) and member.kind in PARTS}
    return any(id(other.record) in members for other in reads)


def _shown_at(read: Read, subject: Any) -> Sequence[Place]:
    """The places of what another record states, or the record itself when it states nothing."""
    if isinstance(subject, Record) and _same(read.record, subject):
        return ()
    return read.places or _home(read.record)


def _line(lines: Lines, place: Place) -> str:
    rows = lines(place.path)
    return rows[place.line - 1].strip() if 0 < place.line <= len(rows) else ""


def _content(
    subject: Any, outcome: Outcome, reads: Iterable[Read], witnesses: Sequence[Witness]
) -> list[Any]:
    """What the finding is about, beside its subject: the facts that decided, and the members; never lines."""
    members = sorted(_member(value) for witness in witnesses for _, value in witness.bindings)
    part = subject.id if isinstance(subject, Record) and subject.kind in PARTS else ""
    facts = sorted({f"{_member(read.record)}.{read.field}={_value(read.value)}" for read in reads})
    return [part, outcome.value, members, facts]


def _value(value: Any) -> str:
    """A value in a fingerprint."""
    if isinstance(value, tuple):
        return "[" + ",".join(sorted(_value(member) for member in value)) + "]"
    if isinstance(value, Record):
        return _member(value)
    return "?" if value is UNKNOWN else str(value)


def _member(value: Any) -> str:
    """A deciding member in a fingerprint; parts of different documents with the same text are told apart."""
    if isinstance(value, Record):
        return f"{name_of(value)}#{value.id}" if value.kind in PARTS else value.id
    return str(value)


def fingerprint(rule: str, subjects: Sequence[str], condition: str, content: Sequence[Any]) -> str:
    """What names a finding across runs (`docs/contract.md`, "Fingerprints")."""
    text = json.dumps(
        [rule, list(subjects), condition, list(content)], ensure_ascii=True, separators=(",", ":")
    )
    return "sha256:" + sha256(text.encode()).hexdigest()


def _faults(graph: Graph, lines: Lines) -> Iterable[Finding]:
    """What is wrong with the documents themselves."""
    for document in graph.documents:
        yield from fault_findings(document.path, document.faults, FAULTS, "readable", lines)


def fault_findings(
    path: str, faults: Iterable[Fault], kinds: Mapping[str, FaultKind], condition: str, lines: Lines
) -> Iterable[Finding]:
    """The faults of one file; the same fault twice is told apart by its count."""
    seen: dict[tuple[str, str], int] = {}
    for fault in faults:
        kind = kinds[fault.code]
        subjects = (f"doc:{path}",)
        count = seen[(fault.code, fault.message)] = seen.get((fault.code, fault.message), 0) + 1
        yield Finding(
            rule=kind.id,
            name=kind.name,
            severity=kind.severity,
            outcome=Outcome.FALSE,
            subjects=subjects,
            condition=condition,
            message=f"{fault.message}; {kind.fix}",
            locations=(
                Location(
                    fault.place.path,
                    fault.place.line,
                    fault.place.column,
                    _line(lines, fault.place),
                    "primary",
                ),
            ),
            fingerprint=fingerprint(kind.id, subjects, fault.message, [count]),
        )
