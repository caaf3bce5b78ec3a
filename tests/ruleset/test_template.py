from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.parser import MAX_EXPRESSION_CHARS
from cortex_policy.ruleset.syntax import SyntaxFault
from cortex_policy.ruleset.template import MAX_SHOWN_CHARS, parse_template, render, show

B = Record(kind="task", id="B", place=None, values={"id": "B", "status": "candidate"}, places={})
ITEM = Record(kind="task", id="I", place=None, values={"id": "I", "by": (B, B)}, places={})


def rendered(text: str, **env: Any) -> str:
    return render(parse_template(text), {"i": ITEM, "b": B, **env}, {})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{i.id} waits for {b.id}, which is {b.status}", "I waits for B, which is candidate"),
        ("{i}: {i.by}", "I: B, B"),
        ("{ i.by.map(x, x.status) }!", "candidate, candidate!"),
        ("{{{i.id}}}", "{I}"),
        ("{{i.id}}", "{i.id}"),
        ('{ {"a": 1}["a"] } of {"}"}', "1 of }"),
        ("{i.by.all(x, x.id == 'B')}", "true"),
        ("{i.missing}", "not stated"),
        ("{i.id / 1}", "error (`/` has no meaning for a string and an int)"),
        ("{nobody}", "error (`nobody` has no value here)"),
    ],
)
def test_a_message_is_filled_in(text: str, wanted: str) -> None:
    assert rendered(text) == wanted


def test_a_message_knows_its_variables_and_expressions() -> None:
    template = parse_template("{i.id} {b.all(x, x == y)} {{z}}")
    assert template.names == {"i", "b", "y"}
    assert [(node.start, node.end) for node in template.expressions] == [(1, 5), (8, 24)]


@pytest.mark.parametrize(
    ("text", "start", "end", "message", "hint"),
    [
        ("a } b", 2, 3, "this `}` closes nothing", "write `}}` for a brace"),
        ("a {i.id", 2, 3, "this `{` is never closed", "add `}`, or write `{{` for a brace"),
        ("a {}", 3, 4, "expected a value, found `}`", ""),
        ("a {", 3, 3, "expected a value, but the expression ends here", ""),
        ("a {i.id b}", 8, 9, "expected an operator, found `b`", ""),
        ("a {i.id = 3}", 8, 9, "expected an operator, found `=`", "write `==` to compare"),
        ("a {i.} b", 5, 6, "expected the name of a field or function, found `}`", ""),
    ],
)
def test_a_slip_in_a_message_is_named_where_it_stands(
    text: str, start: int, end: int, message: str, hint: str
) -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse_template(text)
    fault = caught.value
    assert (fault.start, fault.end, fault.message, fault.hint) == (start, end, message, hint)


def test_a_very_long_message_is_refused() -> None:
    parse_template("a" * MAX_EXPRESSION_CHARS)
    with pytest.raises(SyntaxFault, match="a message may have 16,384 characters at most"):
        parse_template("a" * (MAX_EXPRESSION_CHARS + 1))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (3, "3"),
        (1.5, "1.5"),
        ("a", "a"),
        (b"a\xff", "a\N{REPLACEMENT CHARACTER}"),
        (date(2026, 5, 10), "2026-05-10"),
        (datetime(2026, 5, 10, tzinfo=UTC), "2026-05-10T00:00:00Z"),
        (timedelta(hours=1), "3600s"),
        ((), "none"),
        ((1, UNKNOWN), "1, not stated"),
        (OpenTuple((1,)), "1, …"),
        (OpenTuple(()), "…"),
        ({"a": 1, "b": None}, "a: 1, b: null"),
        ((((((1,),),),),), "…"),
        (tuple(range(30)), ", ".join(map(str, range(20))) + ", …"),
        (Failure("broken"), "error (broken)"),
        (object(), "a value that cannot be shown"),
        pytest.param(10**5000, "a value that cannot be shown", id="huge"),
    ],
)
def test_a_value_reads_as_a_person_writes_it(value: Any, wanted: str) -> None:
    assert show(value) == wanted


def test_a_message_stays_short_whatever_it_shows() -> None:
    wide: Any = ("x" * 5_000,) * 100
    for _ in range(30):
        wide = (wide,) * 100
    for value in ("x" * 5_000, ("x" * 5_000,) * 100, {"a": wide}, wide):
        assert len(rendered("{v}", v=value)) <= MAX_SHOWN_CHARS


@given(st.text(alphabet="ab.{}[]() \"'+1\ud800"))
def test_any_text_is_a_message_or_a_fault_inside_it(text: str) -> None:
    try:
        template = parse_template(text)
    except SyntaxFault as fault:
        assert 0 <= fault.start <= fault.end <= len(text)
    else:
        assert isinstance(render(template, {"a": ITEM}, {}), str)
