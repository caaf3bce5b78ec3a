from __future__ import annotations

import pytest

from cortex_policy.ruleset.checker import STANDARD_SIGNATURES, Environment, Signature, check, check_bool
from cortex_policy.ruleset.functions import STANDARD
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.syntax import (
    BOOL,
    BYTES,
    DATE,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    MAP,
    NULL,
    RECORD,
    STRING,
    TIMESTAMP,
    SyntaxFault,
    Type,
    enum_of,
    list_of,
    record_of,
)

STATUS = enum_of(frozenset({"candidate", "validated", "closed"}))

ENVIRONMENT = Environment(
    kinds={
        "task": {
            "status": STATUS,
            "title": STRING,
            "count": INT,
            "share": DOUBLE,
            "due": DATE,
            "seen": TIMESTAMP,
            "took": DURATION,
            "ready": BOOL,
            "labels": list_of(enum_of(frozenset({"red", "blue"}))),
            "blockers": list_of(record_of("task")),
            "extra": MAP,
            "any": DYN,
        },
        "date": {"year": INT},
    },
    functions={
        "items": Signature((STRING,), DYN, result_of_kind=True),
        "item": Signature((STRING, STRING), DYN, result_of_kind=True, many=False),
        "in_cycle": Signature((RECORD, STRING), BOOL),
        "near": Signature((record_of("task"), list_of(INT)), BOOL),
        "tags": Signature((), list_of(STRING)),
    },
    variables={
        "i": record_of("task"),
        "d": record_of("date"),
        "g": record_of("ghost"),
        "r": RECORD,
        "now": TIMESTAMP,
        "colour": enum_of(frozenset({"red"})),
        "x": DYN,
        "raw": BYTES,
    },
)


def fault_of(text: str, *, condition: bool = False) -> SyntaxFault:
    with pytest.raises(SyntaxFault) as caught:
        (check_bool if condition else check)(parse(text), ENVIRONMENT)
    return caught.value


TYPES = [
    ("null", NULL),
    ('b"x"', BYTES),
    ("i", record_of("task")),
    ("i.status", STATUS),
    ("i.any", DYN),
    ("i.extra.whatever", DYN),
    ("x.whatever", DYN),
    ("r.whatever", DYN),
    ("g.whatever", DYN),
    ("has(i.due)", BOOL),
    ("i.blockers[0].title", STRING),
    ("i.extra['k']", DYN),
    ("x[0]", DYN),
    ("[x][x]", DYN),
    ("[1, 2]", list_of(INT)),
    ("[1, 'a']", list_of(DYN)),
    ("[i.status, 'a']", list_of(STRING)),
    ("[]", list_of(DYN)),
    ("{'a': 1, 2: x, x: 3}", MAP),
    ("!i.ready", BOOL),
    ("-i.count", INT),
    ("-x", DYN),
    ("i.count + 1", INT),
    ("i.share / 2.0", DOUBLE),
    ("i.count + x", DYN),
    ("'a' + i.title", STRING),
    ("raw + raw", BYTES),
    ("[1] + [2]", list_of(INT)),
    ("[1] + ['a']", list_of(DYN)),
    ("i.due + days(3)", DATE),
    ("days(3) + i.due", DATE),
    ("i.due - i.due", DURATION),
    ("now - i.took", TIMESTAMP),
    ("now - now", DURATION),
    ("i.took + i.took", DURATION),
    ("i.due < now", BOOL),
    ("i.count <= i.share", BOOL),
    ("x > i.took", BOOL),
    ("i.count == i.share", BOOL),
    ("i.due == now", BOOL),
    ("i.title == null", BOOL),
    ("i == i.blockers[0]", BOOL),
    ("r == i", BOOL),
    ("[1] == [x]", BOOL),
    ("x != 3", BOOL),
    ("i.status == 'validated'", BOOL),
    ("i.status == i.title", BOOL),
    ("i.status in ['validated', 'closed']", BOOL),
    ("'red' in i.labels", BOOL),
    ("'k' in i.extra", BOOL),
    ("i in x", BOOL),
    ("i.ready && x || true", BOOL),
    ("i.ready ? i.status : 'a'", STRING),
    ("i.ready ? 1 : 'a'", DYN),
    ("i.ready ? 1 : 2", INT),
    ("i.blockers.all(b, b.ready)", BOOL),
    ("i.blockers.filter(b, b.ready)", list_of(record_of("task"))),
    ("i.blockers.map(b, b.title)", list_of(STRING)),
    ("i.blockers.map(b, b.ready, b.count)", list_of(INT)),
    ("i.extra.exists(k, k == 'a')", BOOL),
    ("x.exists_one(k, k)", BOOL),
    ("items('task')", list_of(record_of("task"))),
    ("item('task', 'T1')", record_of("task")),
    ("items('date').all(each, each.year > 2000)", BOOL),
    ("in_cycle(i, 'blockers')", BOOL),
    ("in_cycle(x, 'blockers') || in_cycle(r, '')", BOOL),
    ("near(i, [1])", BOOL),
    ("near(r, [])", BOOL),
    ("near(x, [x])", BOOL),
    ("tags()", list_of(STRING)),
    ("size(i.title)", INT),
    ("i.title.size()", INT),
    ("i.title.startsWith('a')", BOOL),
    ("i.title.matches('^a+$')", BOOL),
    ("matches(i.title, i.title)", BOOL),
    ("i.title.split(',')", list_of(STRING)),
    ("i.title.split(',', 2).join()", STRING),
    ("i.title.substring(1, 2)", STRING),
    ("sum(i.blockers.map(b, b.count))", INT),
    ("max(x)", DYN),
    ("sort([2, 1])", list_of(INT)),
    ("date('2026-01-31')", DATE),
    ("timestamp(i.title)", TIMESTAMP),
    ("duration('36h')", DURATION),
    ("int('1') + 1", INT),
]


@pytest.mark.parametrize(("text", "found"), TYPES)
def test_an_expression_has_a_type(text: str, found: Type) -> None:
    assert check(parse(text), ENVIRONMENT) == found


FAULTS = [
    # names: the words that are marked, the message, the hint
    ("j.status == 'closed'", "j", "`j` is not declared", "known here: colour, d, g, i, now, r, raw, x"),
    ("nwo > i.seen", "nwo", "`nwo` is not declared", "did you mean `now`?"),
    ("I.ready", "I", "`I` is not declared", "did you mean `i`?"),
    ("True", "True", "`True` is not declared", "did you mean `true`?"),
    ("None", "None", "`None` is not declared", "did you mean `null`?"),
    (
        "i.blockers.all(b, c.ready)",
        "c",
        "`c` is not declared",
        "known here: b, colour, d, g, i, now, r, raw, x",
    ),
    ("itms('task')", "itms", "there is no function `itms`", "did you mean `items`?"),
    ("len(i.title)", "len", "there is no function `len`", "did you mean `size`?"),
    ("not(i.ready)", "not", "there is no function `not`", "write `!(…)` for not"),
    ("i.blockers.exist(b, 1)", "exist", "there is no function `exist`", "did you mean `exists`?"),
    (
        "i.title.startswith('a')",
        "startswith",
        "there is no function `startswith`",
        "did you mean `startsWith`?",
    ),
    ("i.frobnicate()", "frobnicate", "there is no function `frobnicate`", ""),
    ("items('tsak')", "'tsak'", "there is no kind `tsak`", "did you mean `task`?"),
    ("items(i.title)", "i.title", "`items` needs the name of a kind in quotes", ""),
    ("i.stauts", "stauts", "`task` has no field `stauts`", "did you mean `status`?"),
    ("has(i.tilte)", "tilte", "`task` has no field `tilte`", "did you mean `title`?"),
    ("i.blockers[0].nonsense", "nonsense", "`task` has no field `nonsense`", ""),
    ("d.due", "due", "`date` has no field `due`", ""),
    ("i.title.size", "size", "`string` has no field `size`", ""),
    (
        "i.blockers.ready",
        "ready",
        "`list of task` has no field `ready`",
        "ask each element, with `all` or `exists`",
    ),
    # calls
    ("size()", "size()", "`size` takes 1 argument, 0 given", ""),
    ("i.title.size(1)", "size(1)", "`size` takes 0 arguments, 1 given", ""),
    ("i.title.split()", "split()", "`split` takes 1 to 2 arguments, 0 given", ""),
    ("startsWith('a', 'b')", "startsWith", "`startsWith` is not written so", "write `x.startsWith(…)`"),
    ("i.in_cycle('a')", "in_cycle", "`in_cycle` is not written so", "write `in_cycle(…)`"),
    ("days(i.due)", "i.due", "`days` needs `int` here, this is `date`", ""),
    ("in_cycle(1, 'a')", "1", "`in_cycle` needs `record` here, this is `int`", ""),
    ("near(d, [1])", "d", "`near` needs `task` here, this is `date`", ""),
    ("near(i, ['a'])", "['a']", "`near` needs `list of int` here, this is `list of string`", ""),
    ("i.title.matches('(')", "'('", "not a pattern: missing ): (", ""),
    ("date('2026-30-01')", "'2026-30-01'", "there is no such day in the calendar", ""),
    ("date('yesterday')", "'yesterday'", "not a date such as 2026-01-31", ""),
    (
        "timestamp('2026-01-31')",
        "'2026-01-31'",
        "not a time with an offset, such as 2026-01-31T08:30:00Z",
        "",
    ),
    ("duration('3 days')", "'3 days'", "not a duration such as 36h or 1h30m", ""),
    ("duration('999999999999999h')", "'999999999999999h'", "the duration is out of range", ""),
    # values that never match
    ("i.status == 3", "i.status == 3", "`string` and `int` are never equal", ""),
    ("i.ready == 1", "i.ready == 1", "`bool` and `int` are never equal", ""),
    (
        "i.due == '2026-01-31'",
        "i.due == '2026-01-31'",
        "`date` and `string` are never equal",
        "convert the string with `date(…)`",
    ),
    (
        "'1h' != i.took",
        "'1h' != i.took",
        "`string` and `duration` are never equal",
        "convert the string with `duration(…)`",
    ),
    ("i == d", "i == d", "`task` and `date` are never equal", ""),
    ("d == date('2026-01-31')", "d == date('2026-01-31')", "`date` and `date` are never equal", ""),
    ("[1] == ['a']", "[1] == ['a']", "`list of int` and `list of string` are never equal", ""),
    ("1 in ['a']", "1 in ['a']", "`int` and `string` are never equal", ""),
    ("1 in 2", "2", "`in` needs a list or a map, this is `int`", ""),
    (
        "'a' in i.title",
        "i.title",
        "`in` needs a list or a map, this is `string`",
        "write `text.contains(part)`",
    ),
    # words of an enum
    (
        "i.status == 'validatd'",
        "'validatd'",
        "`validatd` is not a word of this field",
        "did you mean `validated`?",
    ),
    ("'Closed' != i.status", "'Closed'", "`Closed` is not a word of this field", "did you mean `closed`?"),
    (
        "i.status == 'xyz'",
        "'xyz'",
        "`xyz` is not a word of this field",
        "the words are `candidate`, `closed`, `validated`",
    ),
    ("i.status in ['closed', 'opne']", "'opne'", "`opne` is not a word of this field", None),
    ("'green' in i.labels", "'green'", "`green` is not a word of this field", None),
    ("i.status == colour", "i.status == colour", "`string` and `string` have no word in common", ""),
    # operators
    ("i < i", "i", "`task` has no order", ""),
    ("[1] < [2]", "[1]", "`list of int` has no order", ""),
    ("i.title < 1", "i.title < 1", "`string` and `int` have no order between them", ""),
    ("i.due > '2026'", "i.due > '2026'", "`date` and `string` have no order between them", None),
    (
        "now - i.due",
        "now - i.due",
        "`-` has no meaning for `timestamp` and `date`",
        "a date has no exact distance to a time: compare `date + days(n)` with the time",
    ),
    ("i.due + 3", "i.due + 3", "`+` has no meaning for `date` and `int`", "write `days(n)`"),
    (
        "1 + 1.0",
        "1 + 1.0",
        "`+` has no meaning for `int` and `double`",
        "convert one with `int(…)` or `double(…)`",
    ),
    (
        "i.title + 1",
        "i.title + 1",
        "`+` has no meaning for `string` and `int`",
        "convert the other with `string(…)`",
    ),
    ("i + i", "i + i", "`+` has no meaning for `task` and `task`", ""),
    ("d + days(1)", "d + days(1)", "`+` has no meaning for `date` and `duration`", ""),
    ("-i.title", "-i.title", "`-` has no meaning for `string`", ""),
    ("!i.title", "i.title", "what `!` turns round must be true or false, this is `string`", ""),
    ("i.ready && i.count", "i.count", "what stands beside `&&` must be true or false, this is `int`", ""),
    ("i.count || i.ready", "i.count", "what stands beside `||` must be true or false, this is `int`", ""),
    ("i.title ? 1 : 2", "i.title", "what stands before `?` must be true or false, this is `string`", ""),
    ("i.title.all(c, true)", "i.title", "`all` needs a list or a map, this is `string`", ""),
    ("i.all(c, true)", "i", "`all` needs a list or a map, this is `task`", ""),
    (
        "i.blockers.all(b, b.title)",
        "b.title",
        "the condition of `all` must be true or false, this is `string`",
        "",
    ),
    ("[1].map(x, 1, x)", "1", "the condition of `map` must be true or false, this is `int`", ""),
    ("[1].filter(x, 'a')", "'a'", "the condition of `filter` must be true or false, this is `string`", ""),
    ("[1]['a']", "'a'", "the place in a list is an int, this is `string`", ""),
    ("i['status']", "i['status']", "`task` has no elements", "write `.field`"),
    ("i.count[0]", "i.count[0]", "`int` has no elements", ""),
    ("{1.5: 2}", "1.5", "the key of a map is a string or an int, this is `double`", ""),
]


@pytest.mark.parametrize(("text", "marked", "message", "hint"), FAULTS)
def test_what_can_never_mean_anything_is_named(
    text: str, marked: str, message: str, hint: str | None
) -> None:
    fault = fault_of(text)
    assert (text[fault.start : fault.end], fault.message) == (marked, message)
    assert hint is None or fault.hint == hint


@pytest.mark.parametrize("text", ["i.title", "1", "i", "i.blockers", "null"])
def test_a_condition_is_true_or_false(text: str) -> None:
    fault = fault_of(text, condition=True)
    assert fault.message.startswith("a condition must be true or false, this is `")
    assert (fault.start, fault.end) == (0, len(text))


@pytest.mark.parametrize("text", ["i.ready", "x", "i.any", "i.count > 3"])
def test_a_condition_may_be_whatever_comes_out_bool(text: str) -> None:
    assert check_bool(parse(text), ENVIRONMENT) in (BOOL, DYN)


def test_the_last_place_of_a_doubled_slip_is_marked() -> None:
    fault = fault_of("i.title == i.titel")
    assert (fault.start, fault.end) == (13, 18)


def test_every_standard_function_has_a_signature() -> None:
    assert STANDARD.keys() == STANDARD_SIGNATURES.keys()


def test_host_functions_may_replace_standard_ones() -> None:
    environment = Environment(functions={"size": Signature((INT,), STRING)})
    assert check(parse("size(1)"), environment) == STRING
