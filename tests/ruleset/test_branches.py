"""Which parts of an expression are questions, and what a proof answers them."""

from __future__ import annotations

from typing import Any

import pytest

from cortex_policy.model import UNKNOWN
from cortex_policy.ruleset.branches import answers, questions
from cortex_policy.ruleset.operators import MAX_STEPS
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.proof import compile_proof


def asked(text: str, *, truth: bool = True) -> list[str]:
    return [text[node.start : node.end] for node in questions(parse(text), asked=truth)]


def answered(text: str, *, truth: bool = True, **values: Any) -> list[tuple[str, str]]:
    proof = compile_proof(parse(text), {"size": len})(dict(values))
    return [(text[node.start : node.end], outcome.value) for node, outcome in answers(proof, asked=truth)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("true", ["true"]),
        ("a", ["a"]),
        ("a == 1", ["a == 1"]),
        ("!a", ["a"]),
        ("!!(a == 1)", ["a == 1"]),
        ("-a == 1", ["-a == 1"]),
        ("a && b && c", ["a", "b", "c"]),
        ("a || !(b && c)", ["a", "b", "c"]),
        ("a ? b : c", ["a", "b", "c"]),
        ("a ? b : false", ["a", "b"]),
        ("a ? true : false", ["a"]),
        ("size(a && b) == c", ["size(a && b) == c", "a", "b"]),
        ("size(a ? 1 : 2) == 1", ["size(a ? 1 : 2) == 1", "a"]),
        ("l.all(x, x && a)", ["l.all(x, x && a)", "x", "a"]),
        ("l.exists(x, !x)", ["l.exists(x, !x)", "x"]),
        ("l.exists_one(x, x)", ["l.exists_one(x, x)", "x"]),
        ("size(l.filter(x, x)) == 1", ["size(l.filter(x, x)) == 1", "x"]),
        ("size(l.map(x, x)) == 1", ["size(l.map(x, x)) == 1"]),
        ("size(l.map(x, a, x)) == 1", ["size(l.map(x, a, x)) == 1", "a"]),
        ("l.map(x, a, b || x) == l", ["l.map(x, a, b || x) == l", "a", "b", "x"]),
        ("{'k': a && b}['k']", ["{'k': a && b}['k']", "a", "b"]),
        ("has(m.k)", ["has(m.k)"]),
        ("l.all(x, m.all(y, x == y))", ["l.all(x, m.all(y, x == y))", "m.all(y, x == y)", "x == y"]),
    ],
)
def test_the_questions_of_a_condition(text: str, found: list[str]) -> None:
    assert asked(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("l", []),
        ("l.filter(x, x && a)", ["x", "a"]),
        ("a ? l : m", ["a"]),
        ("!a", ["a"]),
        ("a && b", ["a", "b"]),
    ],
)
def test_what_is_asked_of_an_expression_that_is_a_value(text: str, found: list[str]) -> None:
    assert asked(text, truth=False) == found


@pytest.mark.parametrize(
    ("text", "values", "found"),
    [
        ("a && b", {"a": False, "b": True}, [("a", "false")]),
        ("a && b", {"a": True, "b": False}, [("a", "true"), ("b", "false")]),
        ("a || b", {"a": True, "b": False}, [("a", "true")]),
        ("a || b", {"a": False, "b": True}, [("a", "false"), ("b", "true")]),
        ("a && b", {"a": UNKNOWN, "b": False}, [("a", "unknown"), ("b", "false")]),
        ("a && b", {"a": 1, "b": False}, [("a", "error"), ("b", "false")]),
        ("(a && b) || c", {"a": False, "b": True, "c": True}, [("a", "false"), ("c", "true")]),
        ("!a", {"a": True}, [("a", "true")]),
        ("a ? b : c", {"a": True, "b": False, "c": True}, [("a", "true"), ("b", "false")]),
        ("a ? b : c", {"a": False, "b": False, "c": True}, [("a", "false"), ("c", "true")]),
        ("a ? b : c", {"a": UNKNOWN, "b": True, "c": True}, [("a", "unknown")]),
        ("a ? b : false", {"a": False, "b": True}, [("a", "false")]),
        ("l.all(x, x)", {"l": ()}, [("l.all(x, x)", "true")]),
        ("l.all(x, x)", {"l": (False, True)}, [("l.all(x, x)", "false"), ("x", "false"), ("x", "true")]),
        ("l.map(x, a, x) == l", {"l": (1,), "a": False}, [("l.map(x, a, x) == l", "false"), ("a", "false")]),
        ("l.map(x, a, x) == l", {"l": (1,), "a": True}, [("l.map(x, a, x) == l", "true"), ("a", "true")]),
    ],
)
def test_an_answer_counts_where_the_question_was_asked(
    text: str, values: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert answered(text, **values) == found


@pytest.mark.parametrize("text", ["a && (b || !c)", "l.all(x, a ? x : !b)", "size(l.filter(x, x && a)) == 1"])
def test_every_answer_is_to_a_question(text: str) -> None:
    positions = {(node.start, node.end) for node in questions(parse(text), asked=True)}
    for a, b in [(True, True), (True, False), (False, True), (False, False)]:
        proof = compile_proof(parse(text), {"size": len})({"a": a, "b": b, "c": a, "l": (a, b)})
        found = {(node.start, node.end) for node, _ in answers(proof, asked=True)}
        assert found
        assert found <= positions


def test_a_proof_beyond_the_budget_answers_the_whole_only() -> None:
    large = tuple(range(MAX_STEPS))
    found = answered("l.all(x, m.all(y, x == y) && a)", l=large, m=(1, 2), a=True)
    assert [outcome for _, outcome in found] == ["error"]
