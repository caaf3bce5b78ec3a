"""The proof evaluator: the value of the fast one, and everything that was looked at for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from cortex_policy.model import UNKNOWN, OpenTuple, Outcome, Place
from cortex_policy.ruleset.evaluator import compile_expression
from cortex_policy.ruleset.explain import explain
from cortex_policy.ruleset.operators import OVER_BUDGET, Failure
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.proof import MAX_MEMBERS, Proof, compile_proof, reads, walk
from cortex_policy.ruleset.syntax import children
from tests.ruleset.test_laws import CONDITIONS, ENVIRONMENTS, EXPRESSIONS, FUNCTIONS, KNOWN, key
from tests.support import task

A = task("A", status="validated", n=1)
B = task("B", status="candidate", n=2)
C = task("C", n=3)
ITEM = task("I", status="validated", blocked_by=(A, B, C), done=(A,))
ENV: dict[str, Any] = {"i": ITEM, "m": {"a": 1}, "open": OpenTuple((A,)), "xs": (1, 2, 3)}
REFERENCE = 'i.status == "validated" && i.blocked_by.all(b, b.status == "validated")'


def prove(text: str, env: dict[str, Any] | None = None) -> Proof:
    return compile_proof(parse(text), FUNCTIONS)(ENV if env is None else env)


def names(proof: Proof) -> str:
    return " ".join(f"{read.record.id}.{read.field}" for read in reads(proof))


# --------------------------------------------------------------------------- laws


@settings(max_examples=600, deadline=None)
@given(EXPRESSIONS, ENVIRONMENTS)
def test_fast_and_proof_agree_on_every_input(text: str, env: dict[str, Any]) -> None:
    node = parse(text)
    before = key(env)
    proof = compile_proof(node, FUNCTIONS)(env)
    assert key(proof.value) == key(compile_expression(node, FUNCTIONS)(env))
    assert key(env) == before
    assert proof.node is node


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, KNOWN)
def test_fast_and_proof_agree_on_conditions_and_a_proof_can_be_made_again(
    text: str, env: dict[str, Any]
) -> None:
    run = compile_proof(parse(text), {})
    assert run(env) == run(env)
    assert run(env).value is compile_expression(parse(text), {})(env)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, ENVIRONMENTS)
def test_a_proof_names_all_that_an_explanation_names(text: str, env: dict[str, Any]) -> None:
    node = parse(text)
    explained = {(id(read.record), read.field) for read in explain(node, env, FUNCTIONS).reads}
    proved = {(id(read.record), read.field) for read in reads(compile_proof(node, FUNCTIONS)(env))}
    assert explained <= proved


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, ENVIRONMENTS)
def test_every_part_is_a_node_below_its_own_and_reads_what_is_there(text: str, env: dict[str, Any]) -> None:
    for part in walk(compile_proof(parse(text), FUNCTIONS)(env)):
        below = [id(node) for node in children(part.node)]
        inside = [id(child.node) for child in part.children]
        assert set(inside) <= set(below) or len(part.children) == 1
        if (read := part.read) is not None:
            assert key(read.value) == key(read.record.values.get(read.field, UNKNOWN))


# --------------------------------------------------------------------------- trees

READS = [
    # expression, what was read: all operands, whatever the others came to
    ("true", ""),
    ("i.missing", "I.missing"),
    ("has(i.missing)", "I.missing"),
    ("i.status == 'a' && i.missing == 'a'", "I.status I.missing"),
    ("i.status == 'validated' || i.missing == 'a'", "I.status I.missing"),
    (REFERENCE, "I.status I.blocked_by A.status B.status C.status"),
    ("i.blocked_by.exists(b, b.n == 1)", "I.blocked_by A.n B.n C.n"),
    ("i.blocked_by[1].status", "I.blocked_by B.status"),
    ("i.status == 'a' ? i.done : i.missing", "I.status I.missing"),
    ("i.missing == 'a' ? i.done : i.status", "I.missing"),
    ("host(i.status)", "I.status"),
    ("[i.status, i.done]", "I.status I.done"),
    ("{i.status: i.done}", "I.status I.done"),
    ("i.blocked_by.map(b, b.n > 2, b.status)", "I.blocked_by A.n B.n C.n C.status"),
]


@pytest.mark.parametrize(("text", "read"), READS, ids=[text for text, _ in READS])
def test_a_proof_holds_every_fact_that_was_looked_at(text: str, read: str) -> None:
    assert names(prove(text)) == read


def test_each_operand_has_its_outcome_and_its_part_of_the_text() -> None:
    proof = prove(REFERENCE)
    left, right = proof.children
    assert (proof.outcome, left.outcome, right.outcome) == (Outcome.FALSE, Outcome.TRUE, Outcome.FALSE)
    assert left.text(REFERENCE) == 'i.status == "validated"'
    assert right.text(REFERENCE) == 'i.blocked_by.all(b, b.status == "validated")'
    assert right.members == (A, B, C)
    assert [member.outcome for member in right.children[1:]] == [
        Outcome.TRUE,
        Outcome.FALSE,
        Outcome.UNKNOWN,
    ]
    read = left.children[0].read
    assert read is not None
    assert read.places == (Place("I.md", 1, 1),)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("i.missing", Outcome.UNKNOWN),
        ("nobody", Outcome.ERROR),
        ("no_such(i)", Outcome.ERROR),
        ("i.n", Outcome.UNKNOWN),
        ("1", Outcome.ERROR),
        ("1 / 0 == 1", Outcome.ERROR),
        ("open.all(b, b.n == 1)", Outcome.UNKNOWN),
        ("open.exists(b, b.n == 1)", Outcome.TRUE),
        ("xs.exists_one(x, x == 1)", Outcome.TRUE),
    ],
)
def test_what_is_neither_true_nor_false_nor_unknown_is_an_error(text: str, outcome: Outcome) -> None:
    assert prove(text).outcome is outcome


def test_what_is_no_field_of_a_record_is_no_read() -> None:
    assert reads(prove("m.a == 1")) == ()
    assert prove("m.a").read is None
    assert prove("m.a == 'x'").outcome is Outcome.ERROR
    assert prove("has(m.a)").read is None


# --------------------------------------------------------------------------- limits


def test_of_very_many_members_those_that_decide_are_kept_and_the_rest_is_counted() -> None:
    many = tuple(range(MAX_MEMBERS + 50))
    proof = prove(f"xs.all(x, x < {MAX_MEMBERS + 40})", {"xs": many})
    assert proof.value is False
    assert proof.members == many[MAX_MEMBERS + 40 :]
    assert proof.left_out == MAX_MEMBERS + 40


def test_of_very_many_images_the_first_are_kept() -> None:
    many = tuple(range(MAX_MEMBERS + 50))
    proof = prove("xs.map(x, x + 1)", {"xs": many})
    assert len(proof.value) == len(many)
    assert (len(proof.members), proof.left_out) == (MAX_MEMBERS, 50)


def test_one_proof_keeps_no_more_however_its_macros_are_nested() -> None:
    many = tuple(range(200))
    proof = prove("xs.all(x, xs.all(y, x == y))", {"xs": many})
    assert sum(len(part.members) for part in walk(proof)) <= 3 * MAX_MEMBERS
    assert any(part.left_out for part in walk(proof))


def test_where_looking_at_everything_costs_too_much_the_value_stands_without_a_tree() -> None:
    wide = tuple(range(1_100))
    text = "true || xs.all(x, xs.all(y, x == y))"
    run = compile_proof(parse(text), {})
    for proof in (run({"xs": wide}), run({"xs": wide})):
        assert (proof.value, proof.children, proof.left_out) == (True, (), 1)
    assert prove("xs.all(x, xs.all(y, x < 9999))", {"xs": wide}).value is OVER_BUDGET


def test_the_same_holds_where_no_macro_is_nested() -> None:
    wide = tuple(range(2_000))
    run = compile_proof(parse("true || xs.all(x, x in xs)"), {})
    for proof in (run({"xs": wide}), run({"xs": wide})):
        assert (proof.value, proof.children, proof.left_out) == (True, (), 1)
    assert run({"xs": (1, 2)}).children


def test_a_budget_that_was_used_up_is_there_again_for_the_next_subject() -> None:
    run = compile_proof(parse("xs.all(x, xs.all(y, x < 9999))"), {})
    assert isinstance(run({"xs": tuple(range(1_100))}).value, Failure)
    assert run({"xs": (1, 2)}).value is True
