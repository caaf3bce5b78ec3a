from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.evaluator import compile_expression
from cortex_policy.ruleset.explain import explain
from cortex_policy.ruleset.operators import MAX_STEPS, OVER_BUDGET, Failure
from cortex_policy.ruleset.parser import parse

FAILED = Failure("broken")


def record(name: str, **values: Any) -> Record:
    return Record(kind="task", id=name, place=None, values={"id": name, **values}, places={})


DONE = record("A", status="validated", count=1)
OPEN = record("B", status="candidate", count=2)
SILENT = record("C")

ENV: dict[str, Any] = {
    "t": True,
    "f": False,
    "u": UNKNOWN,
    "e": FAILED,
    "n": 3,
    "s": "text",
    "d": date(2026, 5, 10),
    "now": datetime(2026, 5, 10, tzinfo=UTC),
    "m": {"a": 1, "b": UNKNOWN},
    "i": record("I", status="validated", blocked_by=(DONE, OPEN), silent=(DONE, SILENT)),
    "done": (DONE, DONE),
    "none": (),
    "open": OpenTuple((DONE,)),
    "four": (True, False, UNKNOWN, FAILED),
    "mixed": (True, UNKNOWN),
    "ones": (1, 1),
}


def raising(*_values: Any) -> Any:
    raise ValueError("a host function with a fault in it")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "pair": lambda left, right: (left, right),
    "nothing": lambda: UNKNOWN,
    "fails": lambda: FAILED,
    "some": lambda: OpenTuple((1,)),
    "raises": raising,
}


def value_of(text: str, env: dict[str, Any] | None = None) -> Any:
    """The value by both evaluators, which must agree."""
    node = parse(text)
    values = ENV if env is None else env
    found = compile_expression(node, FUNCTIONS)(values)
    explained = explain(node, values, FUNCTIONS).value
    assert (type(explained), explained) == (type(found), found)
    return found


VALUES: list[tuple[str, Any]] = [
    ("1", 1),
    ("n", 3),
    ("nobody", Failure("`nobody` has no value here")),
    ("nobody.field", Failure("`nobody` has no value here")),
    ("i.status", "validated"),
    ("i.missing", UNKNOWN),
    ("i.missing.deeper", UNKNOWN),
    ("i.blocked_by[1].status", "candidate"),
    ("m.a", 1),
    ("m['zzz']", UNKNOWN),
    ("s.field", Failure("a string has no field `field`")),
    ("has(i.status)", True),
    ("has(i.missing)", False),
    ("has(m.b)", UNKNOWN),
    ("has(u.a)", UNKNOWN),
    ("[1, u, s]", (1, UNKNOWN, "text")),
    ("[1, e]", FAILED),
    ("size([u])", 1),
    ("{'a': n, s: u}", {"a": 3, "text": UNKNOWN}),
    ("{'a': 1}.a == 1", True),
    ("-n", -3),
    ("-(n + 1) * 2", -8),
    ("!t", False),
    ("!f", True),
    ("!u", UNKNOWN),
    ("!n", Failure("expected true or false, found an int")),
    # logic: two operands and more have code of their own
    *(
        (f"{left} && {right}", ENV[want])
        for left, row in {"t": "tfue", "f": "ffff", "u": "ufue", "e": "efee"}.items()
        for right, want in zip("tfue", row, strict=True)
    ),
    *(
        (f"{left} || {right}", ENV[want])
        for left, row in {"t": "tttt", "f": "tfue", "u": "tuue", "e": "teee"}.items()
        for right, want in zip("tfue", row, strict=True)
    ),
    *(
        (f"t && {left} && {right}", ENV[want])
        for left, row in {"t": "tfue", "f": "ffff", "u": "ufue", "e": "efee"}.items()
        for right, want in zip("tfue", row, strict=True)
    ),
    *(
        (f"f || {left} || {right}", ENV[want])
        for left, row in {"t": "tttt", "f": "tfue", "u": "tuue", "e": "teee"}.items()
        for right, want in zip("tfue", row, strict=True)
    ),
    ("n && f", False),
    ("n && t", Failure("expected true or false, found an int")),
    ("t && n", Failure("expected true or false, found an int")),
    ("s || t", True),
    ("u && n && t", Failure("expected true or false, found an int")),
    ("t ? 1 : e", 1),
    ("f ? e : 2", 2),
    ("u ? 1 : 1", UNKNOWN),
    ("e ? 1 : 1", FAILED),
    ("n ? 1 : 1", Failure("expected true or false, found an int")),
    # comparison
    ("i.status == 'validated'", True),
    ("i.status != 'validated'", False),
    ("i.missing == 'validated'", UNKNOWN),
    ("i.missing != 'validated'", UNKNOWN),
    ("n == 'validated'", Failure("cannot compare an int with a string")),
    ("n != 'validated'", Failure("cannot compare an int with a string")),
    ("n == 3.0", True),
    ("n != 4", True),
    ("i.status in ['a', 'validated']", True),
    ("i.status in ['a']", False),
    ("i.missing in ['a']", UNKNOWN),
    ("n in ['a']", Failure("cannot compare an int with a string")),
    ("n in [u, 3]", True),
    ("n < 4 && n >= 3", True),
    ("d < now", UNKNOWN),
    ("d + days(3) > now", True),
    ("n / 0", Failure("division by zero")),
    # calls
    ("size(s)", 4),
    ("s.size() + 1", 5),
    ("size(open)", UNKNOWN),
    ("s.matches('^te')", True),
    ("s.matches(s)", True),
    ("matches(s, '(')", Failure("not a pattern: missing ): (")),
    ("n.matches('a')", Failure("`matches` has no meaning for an int, a string")),
    ("n.matches('(')", Failure("not a pattern: missing ): (")),
    ("matches()", Failure("`matches` has no meaning for nothing")),
    ("pair(1, s)", (1, "text")),
    ("pair(1, u)", UNKNOWN),
    ("pair(u, e)", FAILED),
    ("nothing()", UNKNOWN),
    ("fails()", FAILED),
    ("some().exists(x, x == 1)", True),
    ("some().all(x, x == 1)", UNKNOWN),
    ("raises(1)", Failure("`raises` has no meaning for an int")),
    ("pair(1)", Failure("`pair` has no meaning for an int")),
    ("no_such(1)", Failure("there is no function `no_such`")),
    # closed collections
    ("none.all(x, false)", True),
    ("none.exists(x, true)", False),
    ("none.exists_one(x, true)", False),
    ("none.filter(x, true)", ()),
    ("i.blocked_by.all(b, b.status == 'validated')", False),
    ("done.all(b, b.status == 'validated')", True),
    ("i.silent.all(b, b.status == 'validated')", UNKNOWN),
    ("i.silent.exists(b, b.status == 'validated')", True),
    ("i.silent.exists(b, b.status == 'candidate')", UNKNOWN),
    ("done.exists(b, b.status == 'candidate')", False),
    ("four.all(x, x)", False),
    ("four.exists(x, x)", True),
    ("four.all(x, x || x == x)", FAILED),
    ("four.exists(x, !x && x)", FAILED),
    ("mixed.all(x, x)", UNKNOWN),
    ("mixed.exists(x, !x)", UNKNOWN),
    ("ones.all(x, x)", Failure("expected true or false, found an int")),
    ("ones.exists(x, x)", Failure("expected true or false, found an int")),
    ("mixed.exists_one(x, x)", UNKNOWN),
    ("[1, 2, 3].exists_one(x, x == 2)", True),
    ("ones.exists_one(x, x == 1)", False),
    ("four.exists_one(x, x)", FAILED),
    ("done.map(b, b.count)", (1, 1)),
    ("i.silent.map(b, b.status)", ("validated", UNKNOWN)),
    ("[1, 2, 3].map(x, x > 1, x * 2)", (4, 6)),
    ("[1, 2, 3].filter(x, x > 1)", (2, 3)),
    ("four.map(x, x)", FAILED),
    ("four.filter(x, true)", FAILED),
    ("ones.filter(x, x)", Failure("expected true or false, found an int")),
    ("ones.map(x, x, x)", Failure("expected true or false, found an int")),
    ("m.all(k, k in ['a', 'b'])", True),
    ("u.all(x, true)", UNKNOWN),
    ("u.map(x, true)", UNKNOWN),
    ("e.exists(x, true)", FAILED),
    ("s.all(x, true)", Failure("expected a list, found a string")),
    # open collections
    ("open.all(b, b.status == 'validated')", UNKNOWN),
    ("open.all(b, b.status == 'candidate')", False),
    ("open.exists(b, b.status == 'validated')", True),
    ("open.exists(b, b.status == 'candidate')", UNKNOWN),
    ("open.exists_one(b, true)", UNKNOWN),
    ("(open + open).exists_one(b, true)", False),
    ("open.all(b, e)", FAILED),
    ("size(open) > 0", UNKNOWN),
    ("open == done", UNKNOWN),
    ("open[0]", UNKNOWN),
    ("open.map(b, b.count)", OpenTuple((1,))),
    ("open.filter(b, true)", OpenTuple((DONE,))),
    ("i.silent.filter(b, b.status == 'validated')", OpenTuple((DONE,))),
    ("i.silent.map(b, b.status == 'validated', b.id)", OpenTuple(("A",))),
    ("1 in open.map(b, b.count)", True),
    ("2 in open.map(b, b.count)", UNKNOWN),
    # variables of macros
    ("[1].all(n, n == 1) && n == 3", True),
    ("[1, 2].all(x, [2, 1].exists(y, x == y))", True),
    ("[[1], [2]].all(x, x.all(x, x < 3))", True),
]


@pytest.mark.parametrize(("text", "wanted"), VALUES, ids=[text for text, _ in VALUES])
def test_an_expression_has_its_value_in_both_evaluators(text: str, wanted: Any) -> None:
    found = value_of(text)
    assert (type(found), found) == (type(wanted), wanted)


def test_the_values_handed_in_are_not_changed() -> None:
    env = {"n": 3}
    assert value_of("[1].all(n, n == 1)", env) is True
    assert env == {"n": 3}


def test_a_value_of_a_foreign_type_is_an_error_wherever_it_is_used() -> None:
    env = {"x": object(), "l": [1]}
    for text in (
        "x == 1",
        "x < 1",
        "x + 1",
        "-x",
        "!x",
        "x.a",
        "x[0]",
        "x in [1]",
        "l.all(y, true)",
        "size(x)",
    ):
        assert isinstance(value_of(text, env), Failure), text


# --------------------------------------------------------------------------- budgets

MANY = tuple(range(2_000))

HEAVY = [
    "many.all(x, many.all(y, x + y >= 0))",
    "many.exists(x, many.exists(y, x + y < 0))",
    "many.map(x, many.filter(y, y > x))",
    "many.all(x, !(-1 in many))",
    "many.all(x, many == many.map(y, y))",
    "many.all(x, size(many) > x)",
    "many.all(x, 'abc'.matches(string(x) + '|.'))",
    "many.all(x, size(many + many) > x)",
]


@pytest.mark.parametrize("text", HEAVY)
def test_endless_work_ends_in_an_error(text: str) -> None:
    assert value_of(text, {"many": MANY}) == OVER_BUDGET


def test_what_no_list_is_long_enough_to_exhaust_is_evaluated() -> None:
    assert value_of("many.all(x, x in many)", {"many": MANY[:100]}) is True


def test_a_list_that_doubles_itself_does_not_hang() -> None:
    text = "[1]" + ".map(x, [x, x])" * 25
    assert value_of(f"{text} == {text}", {}) == Failure("lists and maps are compared down to 16 levels only")


def test_a_used_up_budget_is_the_end_whatever_the_other_operand_would_decide() -> None:
    assert value_of(f"({HEAVY[0]}) || true", {"many": MANY}) == OVER_BUDGET
    assert value_of(f"({HEAVY[0]}) && false", {"many": MANY}) == OVER_BUDGET
    assert value_of(f"true || ({HEAVY[0]})", {"many": MANY}) is True  # it was never asked


def test_each_evaluation_has_the_whole_budget() -> None:
    evaluate = compile_expression(parse("many.all(x, x >= 0)"), {})
    rounds = 2 * MAX_STEPS // (3 * len(MANY))
    assert all(evaluate({"many": MANY}) is True for _ in range(rounds))


def test_an_evaluation_inside_another_does_not_refill_its_budget() -> None:
    inner = compile_expression(parse("again(xs, n)"), {"again": lambda xs, n: outer({"xs": xs, "n": n - 1})})
    source = parse("n == 0 ? xs.all(x, x >= 0) : again(xs, n) && xs.all(x, xs.all(y, y >= 0))")
    outer = compile_expression(source, {"again": lambda xs, n: inner({"xs": xs, "n": n})})
    assert outer({"xs": MANY, "n": 1}) == OVER_BUDGET
