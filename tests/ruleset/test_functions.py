from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.functions import PATTERN_STEPS, STANDARD, Matcher, call, compile_pattern, text_of
from cortex_policy.ruleset.operators import MAX_STEPS, MAX_TEXT, OVER_BUDGET, Budget, Failure

A = Record(kind="task", id="A", place=None, values={}, places={})
B = Record(kind="task", id="B", place=None, values={}, places={})
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
NAIVE = datetime(2026, 5, 10)  # noqa: DTZ001 - the case
FAILED = Failure("broken")


def run(name: str, *values: Any) -> Any:
    return call(name, STANDARD[name], values, Budget())


VALUES: list[tuple[str, tuple[Any, ...], Any]] = [
    ("size", ("héé",), 3),
    ("size", (b"abc",), 3),
    ("size", ((1, UNKNOWN),), 2),
    ("size", ({"a": 1},), 1),
    ("size", (OpenTuple((1,)),), UNKNOWN),
    ("startsWith", ("abc", "ab"), True),
    ("endsWith", ("abc", "ab"), False),
    ("contains", ("abc", "b"), True),
    ("matches", ("abc", "b."), True),
    ("matches", ("abc", "^b"), False),
    ("lowerAscii", ("AÉz",), "aÉz"),
    ("upperAscii", ("aéZ",), "AéZ"),
    ("trim", (" \ta\n",), "a"),
    ("split", ("a,b,c", ","), ("a", "b", "c")),
    ("split", ("a,b,c", ",", 2), ("a", "b,c")),
    ("split", ("a,b,c", ",", 1), ("a,b,c",)),
    ("split", ("a,b,c", ",", 0), ()),
    ("split", ("a,b,c", ",", 10**12), ("a", "b", "c")),
    ("split", ("abc", ""), ("a", "b", "c")),
    ("split", ("abc", "", 2), ("a", "bc")),
    ("split", ("abc", "", 3), ("a", "b", "c")),
    ("join", (("a", "b"), "-"), "a-b"),
    ("join", (("a", "b"),), "ab"),
    ("join", ((),), ""),
    ("join", (("a", UNKNOWN),), UNKNOWN),
    ("join", (OpenTuple(("a",)),), UNKNOWN),
    ("replace", ("aaa", "a", "b"), "bbb"),
    ("replace", ("aaa", "a", "b", 2), "bba"),
    ("replace", ("aaa", "a", "b", 0), "aaa"),
    ("replace", ("ab", "", "-"), "-a-b-"),
    ("substring", ("abcd", 1), "bcd"),
    ("substring", ("abcd", 1, 3), "bc"),
    ("substring", ("abcd", 4), ""),
    ("int", (3,), 3),
    ("int", (3.9,), 3),
    ("int", (-3.9,), -3),
    ("int", ("-12",), -12),
    ("int", (NOON,), 1778414400),
    ("double", (3,), 3.0),
    ("double", ("-1.5e3",), -1500.0),
    ("double", (0.5,), 0.5),
    ("bool", ("true",), True),
    ("bool", ("f",), False),
    ("bool", (True,), True),
    ("string", ("a",), "a"),
    ("string", (12,), "12"),
    ("string", (1.0,), "1"),
    ("string", (0.5,), "0.5"),
    ("string", (True,), "true"),
    ("string", (False,), "false"),
    ("string", (b"\xc3\xa9",), "é"),
    ("string", (NOON,), "2026-05-10T12:00:00Z"),
    ("string", (NOON.astimezone(timezone(timedelta(hours=2))),), "2026-05-10T14:00:00+02:00"),
    ("string", (date(2026, 5, 10),), "2026-05-10"),
    ("string", (timedelta(minutes=1, milliseconds=5),), "60.005s"),
    ("string", (timedelta(seconds=-1.5),), "-1.5s"),
    ("string", (timedelta(0),), "0s"),
    ("timestamp", ("2026-05-10T12:00:00Z",), NOON),
    ("timestamp", ("2026-05-10t14:00:00.123456789+02:00",), NOON.replace(microsecond=123456)),
    ("timestamp", ("2026-05-10T12:00:00.5z",), NOON.replace(microsecond=500_000)),
    ("timestamp", (NOON,), NOON),
    ("timestamp", (0,), datetime(1970, 1, 1, tzinfo=UTC)),
    ("timestamp", (-1,), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ("int", (-(2**63),), -(2**63)),
    ("double", ("1" * 300,), float("1" * 300)),
    ("double", ("1.",), 1.0),
    ("bytes", ("é",), "é".encode()),
    ("bytes", (b"\xff",), b"\xff"),
    ("dyn", (1,), 1),
    ("dyn", (UNKNOWN,), UNKNOWN),
    ("days", (3_652_500,), timedelta(3_652_500)),
    ("date", ("2026-05-10",), date(2026, 5, 10)),
    ("date", (date(2026, 5, 10),), date(2026, 5, 10)),
    ("duration", ("1h30m",), timedelta(hours=1.5)),
    ("duration", ("-1.5s",), timedelta(seconds=-1.5)),
    ("duration", ("+2ms3us4000ns",), timedelta(microseconds=2007)),
    ("duration", ("0",), timedelta(0)),
    ("duration", (timedelta(1),), timedelta(1)),
    ("days", (3,), timedelta(days=3)),
    ("days", (-1,), timedelta(days=-1)),
    ("sum", ((1, 2),), 3),
    ("sum", ((0.5, 0.5),), 1.0),
    ("sum", ((timedelta(1), timedelta(2)),), timedelta(3)),
    ("sum", ((),), 0),
    ("sum", ((1, UNKNOWN),), UNKNOWN),
    ("sum", (OpenTuple((1,)),), UNKNOWN),
    ("sum", ((UNKNOWN, FAILED),), FAILED),
    ("min", ((2, 1.5, 3),), 1.5),
    ("max", (("a", "c", "b"),), "c"),
    ("max", ((NOON, NOON - timedelta(1)),), NOON),
    ("max", ((1, UNKNOWN),), UNKNOWN),
    ("min", (OpenTuple((1,)),), UNKNOWN),
    ("distinct", ((2, 1, 2, 1.0),), (2, 1)),
    ("distinct", ((A, B, A),), (A, B)),
    ("distinct", ((),), ()),
    ("distinct", ((1, UNKNOWN),), UNKNOWN),
    ("sort", ((2, 1, 1.5),), (1, 1.5, 2)),
    ("sort", ((True, False),), (False, True)),
    ("sort", ((UNKNOWN,),), UNKNOWN),
]


@pytest.mark.parametrize(("name", "values", "wanted"), VALUES)
def test_a_function_gives_its_value(name: str, values: tuple[Any, ...], wanted: Any) -> None:
    found = run(name, *values)
    assert found == wanted
    assert type(found) is type(wanted)


FAILURES: list[tuple[str, tuple[Any, ...], str]] = [
    ("size", (1,), "`size` has no meaning for an int"),
    ("startsWith", ("a", 1), "`startsWith` has no meaning for a string, an int"),
    ("size", (), "`size` has no meaning for nothing"),
    ("split", ("a", ",", True), "`split` has no meaning for a string, a string, a bool"),
    ("join", ((1, 2),), "`join` has no meaning for a list"),
    ("join", (("a" * 40_000,) * 2,), "the result is longer than 65,536 characters"),
    ("replace", ("a" * 60_000, "a", "bb"), "the result is longer than 65,536 characters"),
    ("substring", ("abc", 2, 1), "the part asked for lies outside the string"),
    ("substring", ("abc", -1), "the part asked for lies outside the string"),
    ("substring", ("abc", 0, 4), "the part asked for lies outside the string"),
    ("matches", ("a", "("), "not a pattern: missing ): ("),
    ("matches", ("a", "a" * 2_000), "a pattern may have 1,024 characters at most"),
    ("matches", ("a", "\ud800"), "not a pattern: it holds no text"),
    ("matches", ("\ud800", "a"), "`matches` has no meaning for a string, a string"),
    ("int", ("1.5",), "the string is no int"),
    ("int", ("٣",), "the string is no int"),
    ("int", (1e300,), "`int` has no meaning for a double"),
    ("int", (float("nan"),), "`int` has no meaning for a double"),
    ("int", (True,), "`int` has no meaning for a bool"),
    ("int", (NAIVE,), "a time without an offset has no number"),
    ("double", ("nan",), "the string is no double"),
    ("double", ("1_0",), "the string is no double"),
    ("double", (10**5000,), "`double` has no meaning for an int"),
    ("int", (-(2.0**63),), "`int` has no meaning for a double"),
    ("double", ("1" * 1_025,), "the string is no double"),
    ("bytes", (1,), "`bytes` has no meaning for an int"),
    ("bytes", ("\ud800",), "`bytes` has no meaning for a string"),
    ("timestamp", (10**15,), "`timestamp` has no meaning for an int"),
    ("timestamp", (1.5,), "`timestamp` has no meaning for a double"),
    ("duration", ("320000000000s",), "`duration` has no meaning for a string"),
    ("duration", ("1s" * 513,), "not a duration such as 36h or 1h30m"),
    ("days", (3_652_501,), "`days` has no meaning for an int"),
    ("sum", ((timedelta(3_652_500), timedelta(1)),), "`sum` has no meaning for a list"),
    ("split", ("a" * 100_001, ""), "the result has more than 100,000 elements"),
    ("bool", ("yes",), "the string is neither true nor false"),
    ("bool", (1,), "`bool` has no meaning for an int"),
    ("string", (b"\xff",), "`string` has no meaning for bytes"),
    ("string", ((),), "`string` has no meaning for a list"),
    ("string", (10**5000,), "`string` has no meaning for an int"),
    ("timestamp", ("2026-05-10T12:00:00",), "not a time with an offset, such as 2026-01-31T08:30:00Z"),
    ("timestamp", ("2026-13-10T12:00:00Z",), "there is no such time in the calendar"),
    ("date", ("2026-02-30",), "there is no such day in the calendar"),
    ("date", ("2026-W01-1",), "not a date such as 2026-01-31"),
    ("date", (NOON,), "`date` has no meaning for a timestamp"),
    ("duration", ("1 day",), "not a duration such as 36h or 1h30m"),
    ("duration", ("999999999999999h",), "`duration` has no meaning for a string"),
    ("days", (10**12,), "`days` has no meaning for an int"),
    ("days", (1.5,), "`days` has no meaning for a double"),
    ("sum", ((2**63 - 1, 1),), "`sum` has no meaning for a list"),
    ("sum", ((1, 0.5),), "`sum` has no meaning for a list"),
    ("min", ((),), "an empty list has no least and no greatest element"),
    ("max", ((1, "a"),), "`max` has no meaning for a list"),
    ("max", (((), ()),), "`max` has no meaning for a list"),
    ("max", ((A, B),), "cannot order a `task` and a `task`"),
    ("distinct", (((),),), "`distinct` has no meaning for a list"),
    ("sort", ((A, B),), "`sort` has no meaning for a list"),
    ("sort", ((1, "a"),), "`sort` has no meaning for a list"),
    ("sort", ((NOON, NAIVE),), "`sort` has no meaning for a list"),
]


@pytest.mark.parametrize(("name", "values", "reason"), FAILURES)
def test_a_function_without_a_meaning_is_an_error(name: str, values: tuple[Any, ...], reason: str) -> None:
    assert run(name, *values) == Failure(reason)


@pytest.mark.parametrize("name", ["sort", "distinct"])
def test_an_open_list_stays_open(name: str) -> None:
    found = run(name, OpenTuple((2, 1)))
    assert type(found) is OpenTuple
    assert set(found) == {1, 2}


@pytest.mark.parametrize("name", STANDARD)
def test_no_function_is_called_with_what_is_unknown_or_failed(name: str) -> None:
    assert run(name, UNKNOWN, UNKNOWN) is UNKNOWN
    assert run(name, UNKNOWN, FAILED) is FAILED


def test_large_arguments_cost() -> None:
    budget = Budget()
    budget.left = 100
    assert call("size", STANDARD["size"], ("a" * 10_000,), budget) is OVER_BUDGET
    budget.left = 100
    assert call("size", STANDARD["size"], ((1,) * 100,), budget) is OVER_BUDGET


def test_a_pattern_that_is_not_written_out_costs_more() -> None:
    budget = Budget()
    written_out = Matcher("b")
    assert call("matches", written_out, ("abc", "b"), budget) is True
    spent = MAX_STEPS - budget.left
    assert call("matches", STANDARD["matches"], ("abc", "b"), budget) is True
    assert MAX_STEPS - budget.left == 2 * spent + PATTERN_STEPS


def test_a_wide_pattern_over_a_long_text_costs_what_it_takes() -> None:
    budget = Budget()
    budget.left = 100_000
    pattern = "[[:word:]é-๙]{1,500}b"
    assert call("matches", Matcher(pattern), ("aé9" * 20_000, pattern), budget) is OVER_BUDGET


def test_a_pattern_takes_time_in_proportion_to_the_text() -> None:
    assert run("matches", "a" * MAX_TEXT, "(a*)*b") is False


def test_a_pattern_that_needs_too_much_memory_is_refused() -> None:
    assert isinstance(compile_pattern("((a{100}){100}){100}"), Failure)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas()
    | st.sampled_from([UNKNOWN, FAILED, A, B, object(), 10**400]),
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda values: st.sampled_from([tuple(values), OpenTuple(values), dict.fromkeys("ab", tuple(values))])
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(STANDARD)), st.lists(ANY, max_size=4))
def test_no_arguments_make_a_function_raise(name: str, values: list[Any]) -> None:
    run(name, *values)


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_text_of_a_time_reads_back_as_that_time(moment: datetime) -> None:
    assert run("timestamp", text_of(moment)) == moment


@given(st.timedeltas(min_value=timedelta(-(10**6)), max_value=timedelta(10**6)))
def test_the_text_of_a_duration_reads_back_as_that_duration(length: timedelta) -> None:
    assert run("duration", text_of(length)) == length


# --------------------------------------------------------------------------- what nobody states


@pytest.mark.parametrize(
    ("paths", "areas", "expected"),
    [
        (("src/a.py",), ("src/",), True),
        (("src/a.py",), ("src",), False),
        (("src",), ("src/",), True),
        (("a.py",), ("./a.py",), True),
        (("src/x/a.py",), ("src/**",), True),
        (("src/x/a.py",), ("src/*",), False),
        (("src/a.py",), ("src/*.py",), True),
        (("src/a.pyc",), ("src/*.py",), False),
        ((".env.local",), (".env.*",), True),
        (("ab",), ("a*a*b",), False),
        (("axayb",), ("a*a*b",), True),
        (("a",), ("*a*a*",), False),
        (("src/../etc/a",), ("src/",), False),
        (("/src/a",), ("src/",), False),
        (("~/a",), ("*",), False),
        (("src\\a",), ("src/",), False),
        (("",), ("*",), False),
        (("a", "b"), ("a",), False),
        (("a",), (), False),
        ((), ("a",), UNKNOWN),
        (OpenTuple(("a",)), ("a",), UNKNOWN),
        (("a",), OpenTuple(("a",)), UNKNOWN),
    ],
)
def test_paths_within(paths: Any, areas: Any, expected: Any) -> None:
    assert call("paths_within", STANDARD["paths_within"], (paths, areas), Budget()) is expected


@pytest.mark.parametrize("areas", [("/etc/",), ("a/**/b",), ("",), ("../a",), ("**",), (1,)])
def test_an_area_that_cannot_be_read_is_an_error(areas: Any) -> None:
    assert isinstance(call("paths_within", STANDARD["paths_within"], (("a",), areas), Budget()), Failure)


def test_stated_and_one() -> None:
    def of(name: str, value: Any) -> Any:
        return call(name, STANDARD[name], (value,), Budget())

    assert of("stated", ()) is UNKNOWN
    assert of("stated", (1,)) == (1,)
    assert of("stated", OpenTuple()).__class__ is OpenTuple
    assert isinstance(of("stated", 1), Failure)
    assert of("one", (1,)) == 1
    assert of("one", ()) is UNKNOWN
    assert of("one", OpenTuple((1,))) is UNKNOWN
    assert isinstance(of("one", (1, 2)), Failure)
    assert isinstance(of("one", "a"), Failure)
