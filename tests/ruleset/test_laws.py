"""Laws of the two evaluators, over expressions and values that nobody would write."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.checker import Environment, Signature, check
from cortex_policy.ruleset.evaluator import compile_expression
from cortex_policy.ruleset.explain import explain
from cortex_policy.ruleset.functions import STANDARD
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.syntax import DYN, SyntaxFault
from cortex_policy.ruleset.template import show

NAMES = ["a", "b", "c", "xs", "ys", "r"]
FIELDS = ["f", "g", "xs"]

SCALARS = (
    st.sampled_from([True, False, UNKNOWN, Failure("broken"), None, object(), [1]])
    | st.integers(-3, 3)
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "ab", "2026-05-10", "f"])
    | st.text(max_size=3)
    | st.binary(max_size=2)
    | st.dates(date(2026, 5, 9), date(2026, 5, 11))
    | st.dates()
    | st.datetimes(datetime(2026, 5, 9), datetime(2026, 5, 11), timezones=st.just(UTC))  # noqa: DTZ001 - the bounds of hypothesis are naive; `timezones` adds the zone
    | st.datetimes()
    | st.timedeltas()
)


def record(name: str, values: dict[str, Any]) -> Record:
    return Record(kind="task", id=name, place=None, values=values, places={})


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=4)
    return (
        lists.map(tuple)
        | lists.map(OpenTuple)
        | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)
        | st.builds(
            record, st.sampled_from("AB"), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)
        )
    )


VALUES = st.recursive(SCALARS, nested, max_leaves=8)
BOOLS = st.sampled_from([True, False, UNKNOWN, Failure("broken")])
BOOL_LISTS = st.lists(BOOLS, max_size=4)
ENVIRONMENTS = st.fixed_dictionaries(
    {"a": VALUES, "b": BOOLS, "c": SCALARS, "r": VALUES},
    optional={"xs": BOOL_LISTS.map(tuple) | BOOL_LISTS.map(OpenTuple), "ys": VALUES},
)

LEAVES = st.sampled_from(
    [
        *NAMES,
        "v",
        "1",
        "-2",
        "0",
        "1.5",
        "'a'",
        "''",
        "b'a'",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[1, 2]",
        "['a', 'f']",
    ]
)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from("&& || && || == != < <= > >= in + - * / %".split())
    macro = st.sampled_from(["all", "exists", "exists_one", "filter", "map"])
    member = st.sampled_from(["size", "contains", "matches", "split", "sort", "distinct", "join", "sum"])
    plain = st.sampled_from([*sorted(STANDARD), "host", "missing", "lost", "failed", "opened"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, operator, inner),
        st.builds("({} && {} && {})".format, inner, inner, inner),
        st.builds("({} || {} || {})".format, inner, inner, inner),
        st.builds("({} == 'a')".format, inner),
        st.builds("({} != 'a')".format, inner),
        st.builds("!({})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("({}).{}".format, inner, st.sampled_from(FIELDS)),
        st.builds("has(({}).{})".format, inner, st.sampled_from(FIELDS)),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'f': {}, 'g': {}}}".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
        st.builds("({}).{}(v, {})".format, inner, macro, inner),
        st.builds("xs.{}(v, v && {})".format, macro, inner),
        st.builds("({}).map(v, {}, {})".format, inner, inner, inner),
        st.builds("({}).{}({})".format, inner, member, inner),
        st.builds("{}({})".format, plain, inner),
    )


EXPRESSIONS = st.recursive(LEAVES, compound, max_leaves=12)
FUNCTIONS = {
    "host": lambda value: (value, value),
    "lost": lambda _value: UNKNOWN,
    "failed": lambda _value: Failure("failed"),
    "opened": lambda value: OpenTuple((value,)),
}


def key(value: Any) -> Any:
    """Something that tells any two values apart, and takes NaN for itself."""
    if isinstance(value, Record):
        return ("record", id(value))
    if isinstance(value, tuple | list):
        return (type(value), [key(each) for each in value])
    if isinstance(value, dict):
        return (dict, [(name, key(each)) for name, each in value.items()])
    return (type(value), "nan" if isinstance(value, float) and math.isnan(value) else value)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, ENVIRONMENTS)
def test_both_evaluators_agree_and_neither_raises(text: str, env: dict[str, Any]) -> None:
    node = parse(text)
    before = key(env)
    fast = compile_expression(node, FUNCTIONS)(env)
    explained = explain(node, env, FUNCTIONS)
    assert key(explained.value) == key(fast)
    assert key(env) == before
    assert isinstance(show(fast), str)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, ENVIRONMENTS)
def test_witnesses_name_only_what_an_all_ran_over(text: str, env: dict[str, Any]) -> None:
    explained = explain(parse(text), env, FUNCTIONS)
    assert not explained.witnesses or ".all(" in text
    for witness in explained.witnesses:
        assert {name for name, _ in witness.bindings} == {"v"}
    keys = [(id(read.record), read.field) for read in explained.reads]
    assert len(keys) == len(set(keys))
    for read in explained.reads:
        assert key(read.value) == key(read.record.values.get(read.field, UNKNOWN))


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS)
def test_checking_gives_a_type_or_a_fault_inside_the_text(text: str) -> None:
    environment = Environment(
        functions={name: Signature((DYN,), DYN) for name in FUNCTIONS}, variables=dict.fromkeys(NAMES, DYN)
    )
    try:
        check(parse(text), environment)
    except SyntaxFault as fault:
        assert 0 <= fault.start < fault.end <= len(text)
        assert fault.message


def weakened(value: Any) -> Any:
    """The same values with less known: lists may lack members, and one value of each record is lost."""
    if isinstance(value, tuple):
        return OpenTuple(value)
    if isinstance(value, Record):
        return record(value.id, dict(list(value.values.items())[1:]))
    return UNKNOWN if isinstance(value, bool) else value


CONDITIONS = st.recursive(
    st.sampled_from(["b", "c", "a.f", "r.g == 1", "xs.all(v, v)", "xs.exists(v, v)", "xs.exists_one(v, v)"])
    | st.sampled_from(
        ["true in xs", "xs.filter(v, v).exists(v, !v)", "xs.map(v, !v).all(v, v)", "size(xs) > 1"]
    ),
    lambda inner: (
        st.builds("!({})".format, inner)
        | st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {} || {})".format, inner, inner, inner)
        | st.builds("xs.all(v, v || {})".format, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
    ),
    max_leaves=8,
)
KNOWN = st.fixed_dictionaries(
    {
        "a": st.builds(record, st.just("A"), st.fixed_dictionaries({"f": st.booleans()})),
        "b": st.booleans(),
        "c": st.booleans(),
        "r": st.builds(record, st.just("R"), st.fixed_dictionaries({"g": st.integers(0, 2)})),
        "xs": st.lists(st.booleans(), max_size=3).map(tuple),
    }
)


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, KNOWN, st.sets(st.sampled_from(["a", "b", "c", "r", "xs"])))
def test_knowing_less_never_turns_a_decision_round(text: str, env: dict[str, Any], lost: set[str]) -> None:
    """INVARIANT: what is decided although something is unknown stays so, whatever that turns out to be."""
    evaluate = compile_expression(parse(text), {})
    less = {name: weakened(value) if name in lost else value for name, value in env.items()}
    found = evaluate(less)
    assert found is UNKNOWN or found is evaluate(env)


@given(st.timedeltas(timedelta(hours=-14), timedelta(hours=14)), st.integers(0, 86_399))
def test_a_date_contains_each_of_its_instants(offset: timedelta, second: int) -> None:
    day = date(2026, 5, 10)
    moment = datetime(2026, 5, 10, tzinfo=UTC) + timedelta(seconds=second) - max(offset, timedelta(hours=-12))
    for text in ("d < m", "d > m", "d == m"):
        assert compile_expression(parse(text), {})({"d": day, "m": moment}) is not True
