"""Every expression of a rule or a gate that was asked, with its proof: what tests count, and what they show.

`decide` and `Judge` look for verdicts; here nothing is left out, so that a test knows which conditions it has tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from cortex_policy.facts import Facts
from cortex_policy.model import Outcome, Record
from cortex_policy.ruleset.forms import Written
from cortex_policy.ruleset.proof import Proof, compile_proof
from cortex_policy.ruleset.rules import Rule
from cortex_policy.ruleset.steps import Lines, ProofStep, Writer
from cortex_policy.verdicts import Application, name_of
from cortex_policy.verdicts.gates import Judge

FOR = "for"
WHEN = "when"


class Asked(NamedTuple):
    """One expression that was asked of one subject: `part` is `for`, `when` or a condition's id.

    `subject` is empty for `for`, which is asked once.
    """

    part: str
    subject: str
    written: Written
    proof: Proof


class Shown(NamedTuple):
    """One proof as a person reads it."""

    part: str
    subject: str
    step: ProofStep


def prove_rule(rule: Rule, facts: Facts, now: datetime) -> Iterator[Asked]:
    """Every expression of a rule, each as often as `decide` asks it; of a rule over changes none without a base."""
    if rule.on_change and not facts.has_base:
        return
    application = Application(rule, facts, now)
    yield Asked(FOR, "", rule.collection_written, _prove(rule.collection, facts, application.injected))
    when = None if rule.when is None else compile_proof(rule.when, facts.functions)
    conditions = [(each, compile_proof(each.tree, facts.functions)) for each in rule.require]
    subjects = application.subjects()
    for subject in subjects if isinstance(subjects, tuple) else ():
        env, name = application.env(subject), name_of(subject)
        if when is not None and rule.when_written is not None:
            yield Asked(WHEN, name, rule.when_written, when(env))
        if application.applies(env) is not Outcome.TRUE or application.exempts(subject):
            continue
        for condition, prove in conditions:
            yield Asked(condition.id, name, condition.written, prove(env))


def prove_gate(judging: Judge, name: str) -> Iterator[Asked]:
    """Every expression of a gate that its verdict on the subject `name` asks for."""
    gate, facts = judging.gate, judging.facts
    yield Asked(FOR, "", gate.collection_written, _prove(gate.collection, facts, judging.injected))
    subject, _ = judging.find(name, judging.subjects())
    if isinstance(subject, Record):
        env = judging.values(subject)
        for demand in judging.counted:
            yield Asked(demand.id, name, demand.written, _prove(demand.tree, facts, env))


def _prove(tree: Any, facts: Facts, env: dict[str, Any]) -> Proof:
    return compile_proof(tree, facts.functions)(dict(env))


def shown(asked: Asked, facts: Facts, lines: Lines) -> Shown:
    """A proof with the places of what was read for it."""
    step = Writer(facts, lines, asked.written.text).step(asked.proof)
    return Shown(asked.part, asked.subject, step)
