"""What a gate says of one subject: allow, deny or blocked, with the proof of each condition and what would turn it.

Holds the one table by which the outcomes of conditions combine. INVARIANT: only conditions that are all true allow, and
there must be one; a subject that is not there, or not surely one, is blocked. Source: `docs/gates.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cortex_policy.documents.spec import DocumentModel
from cortex_policy.facts import Facts, Trial
from cortex_policy.model import UNKNOWN, Declaration, OpenTuple, Outcome, Record
from cortex_policy.ruleset.evaluator import compile_expression
from cortex_policy.ruleset.explain import Read, explain
from cortex_policy.ruleset.forms import suggest
from cortex_policy.ruleset.gates import GIVEN, NOTHING_GIVEN, Demand, Gate, Let
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.proof import compile_proof, reads, walk
from cortex_policy.ruleset.steps import GateFact, Lines, ProofStep, Writer, missing
from cortex_policy.ruleset.syntax import Node as Expression
from cortex_policy.ruleset.syntax import free_names
from cortex_policy.ruleset.unblock import Attempt, Fields, Unblocking, needed, obstacles, search
from cortex_policy.verdicts import outcome_of


class Verdict(Enum):
    """What a gate says. Only ALLOW ever lets anything happen."""

    ALLOW = "allow"
    DENY = "deny"
    BLOCKED = "blocked"


class GateCondition(NamedTuple):
    """One condition of a gate as evaluated. `counts`: whether the verdict asks for it, by its phase.

    `proof` is None where there was no subject to evaluate it on.
    """

    id: str
    profile: str
    phase: str
    counts: bool
    outcome: Outcome
    expression: str
    facts: tuple[GateFact, ...]
    missing: tuple[str, ...]
    why: str
    source: tuple[str, ...]
    proof: ProofStep | None


class GateVerdict(NamedTuple):
    """What a gate says of one subject, with its reasons. `reason` is set where there was nothing to evaluate it on."""

    gate: str
    subject: str
    profile: str
    phase: str
    verdict: Verdict
    reason: str
    conditions: tuple[GateCondition, ...]
    unblocking: Unblocking
    given: Mapping[str, Any] = MappingProxyType({})
    """What the caller supplied."""


def combine(outcomes: Iterable[Outcome]) -> Verdict:
    """The one table by which the outcomes of conditions become a verdict.

    | outcomes | verdict |
    | --- | --- |
    | none at all | blocked |
    | one is false | deny |
    | none false, one unknown or an error | blocked |
    | all true | allow |
    """
    seen = frozenset(outcomes)
    if Outcome.FALSE in seen:
        return Verdict.DENY
    return Verdict.ALLOW if seen == {Outcome.TRUE} else Verdict.BLOCKED


NOTHING_TRIED: Final = Unblocking((), True, ())


class Judge:
    """One gate in one profile and phase, over the facts at one time; `judge` and the agenda are made of it."""

    def __init__(
        self,
        gate: Gate,
        profile: str,
        phase: str,
        facts: Facts,
        lines: Lines,
        now: datetime,
        given: Record = NOTHING_GIVEN,
    ) -> None:
        self.gate = gate
        self.profile = profile
        self.phase = phase
        self.given = given
        self.facts = facts
        self.lines = lines
        self.now = now
        self._copy: tuple[Trial, Judge] | None = None
        self.injected = {"now": now, "today": now.date(), GIVEN: given}
        self.demands = gate.demands(profile)
        self.counted = tuple(demand for demand in self.demands if phase == "post" or demand.phase == "pre")

    def subjects(self) -> Any:
        """What the gate is for: a list of records, which may be open, or why it cannot be had."""
        return compile_expression(self.gate.collection, self.facts.functions)(dict(self.injected))

    def find(self, name: str, subjects: Any) -> tuple[Record | None, str]:
        """The subject called `name`, or why there is none to decide on. INVARIANT: whoever is in doubt is blocked."""
        if not isinstance(subjects, tuple):
            reason = subjects.reason if isinstance(subjects, Failure) else "unknown"
            return None, f"what the gate is for cannot be listed: {reason}"
        known = [record for record in subjects if isinstance(record, Record) and record.id == name]
        if not known:
            return None, self._absent(name, subjects)
        if len(known) > 1:
            kinds = " and a ".join(sorted(record.kind for record in known))
            return None, f"`{name}` is the name of several things: a {kinds}"
        return (None, twice) if (twice := self._doubt(known[0])) else (known[0], "")

    def _absent(self, name: str, subjects: Sequence[Record]) -> str:
        if isinstance(subjects, OpenTuple):
            return f"it cannot be told whether the gate is for `{name}`: `{self.gate.collection_text}` may lack members"
        declared = any(key[1] == name for key in self.facts.claims)
        if not declared:
            hint = suggest(name, [record.id for record in subjects if isinstance(record, Record)])
            return f"no document declares `{name}`" + (f": {hint}" if hint else "")
        return f"the gate is not for `{name}`: it is for `{self.gate.collection_text}`"

    def _doubt(self, record: Record) -> str:
        """Why it is not certain which item this is: one that is declared twice may be two."""
        claims: Sequence[Declaration] = self.facts.claims.get((record.kind, record.id), ())
        own = sorted({claim.place for claim in claims if claim.source == "declared"})
        if not claims:
            return f"no document declares `{record.id}`"
        if len(own) < 2:
            return ""
        places = ", ".join(f"{place.path}:{place.line}" for place in own)
        return f"`{record.id}` is declared {len(own)} times: {places}"

    def values(self, subject: Record) -> dict[str, Any]:
        """The variables of the conditions on one subject: the present, what was supplied, and what `let` names."""
        env = {**self.injected, self.gate.variable: subject}
        for each in self.gate.lets:
            env[each.name] = compile_expression(each.tree, self.facts.functions)(dict(env))
        return env

    def quickly(self, subject: Record) -> Verdict:
        """The verdict alone."""
        env = self.values(subject)
        functions = self.facts.functions
        verdict = combine(outcome_of(compile_expression(d.tree, functions)(dict(env))) for d in self.counted)
        return Verdict.BLOCKED if verdict is Verdict.ALLOW and self.unseen(subject) else verdict

    def unseen(self, subject: Record) -> str:
        """Why nothing may be allowed on the subject, whatever its conditions say: some document could not be read, or
        lies out of sight, that may say more of it. INVARIANT: what nobody read never opens a gate.
        """
        if not isinstance(self.facts.items.get(subject.kind), OpenTuple):
            return ""
        return f"a document that may say more of `{subject.id}` could not be read, or lies out of sight"

    def condition(self, demand: Demand, subject: Record) -> GateCondition:
        """One condition on one subject, with its proof."""
        env = self.values(subject)
        proof = compile_proof(demand.tree, self.facts.functions)(dict(env))
        found = self.reasons(demand, subject)
        names = self._names(env)
        text = demand.written.text
        writer = Writer(self.facts, self.lines, text, names)
        outcome = outcome_of(proof.value)
        return self._reported(demand, outcome)._replace(
            facts=writer.stated(found),
            missing=()
            if outcome is Outcome.TRUE
            else (*missing(found, walk(proof), text, names), *self._unnamed(demand.tree, env)),
            proof=writer.step(proof),
        )

    def _names(self, env: Mapping[str, Any]) -> dict[tuple[str, str], str]:
        """What `let` calls a record; the first name counts."""
        found: dict[tuple[str, str], str] = {}
        for each in self.gate.lets:
            value = env[each.name]
            if isinstance(value, Record):
                found.setdefault((value.kind, value.id), each.name)
        return found

    def _unnamed(self, tree: Expression, env: Mapping[str, Any]) -> Iterator[str]:
        """What the expression calls by a name of `let` that stands for nothing known, as the name is explained."""
        for each in self._lets_of(tree):
            if env[each.name] is UNKNOWN and all(
                env[o.name] is not UNKNOWN for o in self._lets_of(each.tree)
            ):
                yield f"{each.name}, that is {each.text}"

    def _lets_of(self, tree: Expression) -> tuple[Let, ...]:
        """The names of `let` that an expression rests on, those that they rest on among them."""
        names = set(free_names(tree))
        for each in reversed(self.gate.lets):
            if each.name in names:
                names |= free_names(each.tree)
        return tuple(each for each in self.gate.lets if each.name in names)

    def _reported(self, demand: Demand, outcome: Outcome) -> GateCondition:
        return GateCondition(
            id=demand.id,
            profile=demand.profile,
            phase=demand.phase,
            counts=demand in self.counted,
            outcome=outcome,
            expression=" ".join(demand.written.text.split()),
            facts=(),
            missing=(),
            why=demand.why,
            source=demand.source,
            proof=None,
        )

    def verdict(self, name: str) -> GateVerdict:
        """What the gate says of one subject, without what would turn it."""
        subject, reason = self.find(name, self.subjects())
        if subject is None:
            nothing = (self._reported(demand, Outcome.UNKNOWN) for demand in self.demands)
            return self._verdict(name, reason, [each._replace(missing=(name,)) for each in nothing])
        conditions = [self.condition(demand, subject) for demand in self.demands]
        told = self._verdict(name, self.nothing_asked(), conditions)
        unseen = self.unseen(subject)
        return (
            told._replace(verdict=Verdict.BLOCKED, reason=unseen)
            if told.verdict is not Verdict.DENY and unseen
            else told
        )

    def nothing_asked(self) -> str:
        """Why no subject can ever pass, or an empty text. INVARIANT: no condition at all allows nothing."""
        return "" if self.counted else f"profile `{self.profile}` asks nothing in phase `{self.phase}`"

    def _verdict(self, name: str, reason: str, conditions: Sequence[GateCondition]) -> GateVerdict:
        return GateVerdict(
            gate=self.gate.name,
            subject=name,
            profile=self.profile,
            phase=self.phase,
            verdict=combine(each.outcome for each in conditions if each.counts),
            reason=reason,
            conditions=tuple(conditions),
            unblocking=NOTHING_TRIED,
            given=self.given.values,
        )

    def unblocking(self, subject: Record, model: DocumentModel, *, every: bool = True) -> Unblocking:
        """What would turn the verdict on `subject` to allow; each set is tried on a copy of the facts."""
        if not self.counted or self.unseen(subject):
            return NOTHING_TRIED
        trial, other = self._second()
        (copy,) = [record for record in trial.facts.items[subject.kind] if record.id == subject.id]

        def attempt(changes: Fields) -> Attempt:
            trial.set(changes)
            return other.attempt(copy)

        found = search(attempt, model, every=every)
        asked = {
            f"{GIVEN}.{r.field}"
            for r in self.obstacles(subject)
            if r.record is self.given and r.value is UNKNOWN
        }
        return found._replace(open=tuple(sorted(asked.union(found.open))))

    def _second(self) -> tuple[Trial, Judge]:
        """A copy of the facts and a judge of it; made once, because it costs as much as joining all documents."""
        if self._copy is None:
            trial = self.facts.trial()
            other = Judge(self.gate, self.profile, self.phase, trial.facts, self.lines, self.now, self.given)
            self._copy = trial, other
        return self._copy

    def reasons(self, demand: Demand, subject: Record) -> tuple[Read, ...]:
        """The fields that decided one condition, each once."""
        env = self.values(subject)
        found = explain(demand.tree, env, self.facts.functions)
        read = [*found.reads, *(read for witness in found.witnesses for read in witness.reads)]
        return tuple({(id(each.record), each.field): each for each in read}.values())

    def obstacles(self, subject: Record) -> tuple[Read, ...]:
        """Every fact that keeps a condition that counts from being true."""
        env = self.values(subject)
        proofs = (compile_proof(d.tree, self.facts.functions)(dict(env)) for d in self.lacking(subject))
        found = [read for proof in proofs for read in obstacles(proof)]
        return tuple({(id(read.record), read.field): read for read in found}.values())

    def lacking(self, subject: Record) -> tuple[Demand, ...]:
        """The conditions that count and are not true."""
        env = self.values(subject)
        functions = self.facts.functions
        return tuple(d for d in self.counted if compile_expression(d.tree, functions)(dict(env)) is not True)

    def _behind(self, tree: Expression, env: Mapping[str, Any]) -> Iterator[Read]:
        """What was read for the values that the expression calls by names of `let`: the proof of it does not show."""
        for each in self._lets_of(tree):
            yield from reads(compile_proof(each.tree, self.facts.functions)(dict(env)))

    def attempt(self, subject: Record) -> Attempt:
        """Whether the gate allows `subject`, else what the first condition that is not true depends on."""
        for demand in self.lacking(subject)[:1]:
            env = self.values(subject)
            told = needed(compile_proof(demand.tree, self.facts.functions)(dict(env)))
            return told._replace(reads=(*told.reads, *self._behind(demand.tree, env)))
        found, _ = self.find(subject.id, self.subjects())
        return Attempt(found is subject, whole=False)


def judge(judging: Judge, subject: str, model: DocumentModel) -> GateVerdict:
    """What a gate says of `subject`, with the proof of every condition and what would turn the verdict.

    Only conditions of the phase count: those of `pre`, and for `post` all. What counts not is evaluated and shown.
    """
    found = judging.verdict(subject)
    record, _ = judging.find(subject, judging.subjects())
    if record is None or found.verdict is Verdict.ALLOW:
        return found
    return found._replace(unblocking=judging.unblocking(record, model))


def deciding(verdict: GateVerdict) -> Iterator[GateCondition]:
    """The conditions that keep a verdict from being allow: the false ones of a denial, else those that are not true."""
    wanted = (Outcome.FALSE,) if verdict.verdict is Verdict.DENY else (Outcome.UNKNOWN, Outcome.ERROR)
    yield from (each for each in verdict.conditions if each.counts and each.outcome in wanted)
