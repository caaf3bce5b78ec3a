from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset import operators
from cortex_policy.ruleset.operators import Budget, Failure

FAILED = Failure("broken")
FOUR = {"t": True, "f": False, "u": UNKNOWN, "e": FAILED}

# Rows: the left operand; columns: the right one; both in the order t f u e.
AND = {"t": "tfue", "f": "ffff", "u": "ufue", "e": "efee"}
OR = {"t": "tttt", "f": "tfue", "u": "tuue", "e": "teee"}


def record(name: str, kind: str = "task", **values: Any) -> Record:
    return Record(kind=kind, id=name, place=None, values=values, places={})


def at(hour: int, offset: int = 0, day: int = 10) -> datetime:
    return datetime(2026, 5, day, hour, tzinfo=timezone(timedelta(hours=offset)))


@pytest.mark.parametrize(("left", "right"), list(product("tfue", repeat=2)))
def test_and_is_strong_kleene_with_error_above_unknown(left: str, right: str) -> None:
    wanted = FOUR[AND[left]["tfue".index(right)]]
    assert operators.conjunction((FOUR[left], FOUR[right])) is wanted


@pytest.mark.parametrize(("left", "right"), list(product("tfue", repeat=2)))
def test_or_is_strong_kleene_with_error_above_unknown(left: str, right: str) -> None:
    wanted = FOUR[OR[left]["tfue".index(right)]]
    assert operators.disjunction((FOUR[left], FOUR[right])) is wanted


@pytest.mark.parametrize(("value", "wanted"), ["tf", "ft", "uu", "ee"])
def test_not_turns_only_what_is_decided(value: str, wanted: str) -> None:
    assert operators.negation(FOUR[value]) is FOUR[wanted]


def test_the_first_error_is_the_one_reported() -> None:
    assert operators.conjunction((UNKNOWN, FAILED, Failure("later"))) is FAILED
    assert operators.disjunction((FAILED, Failure("later"))) is FAILED


@pytest.mark.parametrize("value", [1, 0, "", "true", None, (), date(2026, 1, 1), {}])
def test_only_a_bool_has_a_truth(value: object) -> None:
    found = operators.truth(value)
    assert isinstance(found, Failure)
    assert found.reason.startswith("expected true or false, found ")
    assert isinstance(operators.negation(value), Failure)


def test_neither_unknown_nor_error_can_be_asked_for_its_truth() -> None:
    with pytest.raises(TypeError):
        bool(FAILED)
    with pytest.raises(TypeError):
        bool(UNKNOWN)


ONE = [
    ("", False, False),
    ("t", False, True),
    ("f", False, False),
    ("ft", False, True),
    ("tft", False, False),
    ("tue", False, FAILED),
    ("tu", False, UNKNOWN),
    ("u", False, UNKNOWN),
    ("tuet", False, False),
    ("", True, UNKNOWN),
    ("t", True, UNKNOWN),
    ("tt", True, False),
    ("e", True, FAILED),
]


@pytest.mark.parametrize(("values", "is_open", "wanted"), ONE)
def test_exists_one_counts_what_is_sure(values: str, is_open: bool, wanted: object) -> None:
    assert operators.exactly_one((FOUR[each] for each in values), is_open=is_open) is wanted


EQUALITIES: list[tuple[Any, Any, Any]] = [
    (1, 1, True),
    (1, 1.0, True),
    (2**63, float(2**63), True),
    (float("nan"), float("nan"), False),
    ("a", "b", False),
    (b"a", b"a", True),
    (None, None, True),
    (None, "a", False),
    (0, None, False),
    (timedelta(1), timedelta(hours=24), True),
    ((), (), True),
    ((1, "a"), (1.0, "a"), True),
    ((1,), (1, 2), False),
    ((UNKNOWN, 1), (1, 2), False),
    ((UNKNOWN, 1), (1, 1), UNKNOWN),
    (OpenTuple((1,)), (1,), UNKNOWN),
    ((), OpenTuple(()), UNKNOWN),
    ((date(2026, 5, 10),), (date(2026, 5, 10),), True),
    ((date(2026, 5, 10),), (date(2026, 5, 11),), False),
    ({"a": 1}, {"a": 1}, True),
    ({"a": 1}, {"b": 1}, False),
    ({"a": UNKNOWN}, {"a": 1}, UNKNOWN),
    (record("a"), record("a"), True),
    (record("a"), record("b"), False),
    (record("a"), record("a", kind="note"), False),
    (UNKNOWN, 1, UNKNOWN),
    (UNKNOWN, None, UNKNOWN),
    (FAILED, UNKNOWN, FAILED),
    (1, FAILED, FAILED),
]


@pytest.mark.parametrize(("left", "right", "wanted"), EQUALITIES)
def test_equality_is_by_value(left: Any, right: Any, wanted: Any) -> None:
    assert operators.equal(left, right, Budget()) is wanted
    assert operators.equal(right, left, Budget()) is wanted
    assert operators.unequal(left, right, Budget()) is operators.negation(wanted)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0.0),
        ("1", 1),
        ("a", b"a"),
        ("2026-05-10", date(2026, 5, 10)),
        ((), {}),
        ((1,), 1),
        (record("a"), "a"),
        (date(2026, 5, 10), timedelta(1)),
        (object(), object()),
        ([], []),
        ((1, "a"), (1, 2)),
    ],
)
def test_values_of_different_types_are_an_error_not_unequal(left: Any, right: Any) -> None:
    found = operators.equal(left, right, Budget())
    assert isinstance(found, Failure)
    assert found.reason.startswith("cannot compare ")
    assert isinstance(operators.unequal(left, right, Budget()), Failure)


def test_messages_name_values_as_authors_do() -> None:
    assert operators.equal(True, 1, Budget()) == Failure("cannot compare a bool with an int")
    assert operators.equal(record("a"), "a", Budget()) == Failure("cannot compare a `task` with a string")
    assert operators.compare("<", object(), 1) == Failure(
        "cannot order a value that expressions cannot use and an int"
    )


def test_deep_and_endless_values_are_not_followed() -> None:
    deep: Any = ()
    for _ in range(100):
        deep = (deep,)
    found = operators.equal(deep, deep, Budget())
    assert found == Failure("lists and maps are compared down to 16 levels only")
    endless: dict[str, Any] = {}
    endless["self"] = endless
    assert operators.equal(endless, endless, Budget()) == found


def test_values_that_share_their_parts_are_compared_within_the_budget() -> None:
    wide: Any = (1,) * 40
    for _ in range(10):
        wide = (wide,) * 40
    assert operators.equal(wide, wide, Budget()) is operators.OVER_BUDGET


def test_a_large_map_is_compared_within_the_budget() -> None:
    budget = Budget()
    budget.left = 1
    assert operators.equal({"a": 1, "b": 2}, {"a": 1, "b": 2}, budget) is operators.OVER_BUDGET


ORDERS: list[tuple[Any, str, Any, Any]] = [
    (1, "<", 2, True),
    (1, ">=", 1.0, True),
    (1.5, "<=", 1, False),
    ("a", "<", "b", True),
    (b"a", ">", b"b", False),
    (False, "<", True, True),
    (timedelta(1), ">", timedelta(hours=23), True),
    (UNKNOWN, "<", 1, UNKNOWN),
    (1, "<", UNKNOWN, UNKNOWN),
    (UNKNOWN, "<", FAILED, FAILED),
    (date(2026, 5, 10), "<", date(2026, 5, 11), True),
    (at(10), "<", at(10, 1), False),
    (at(10), ">", at(10, 1), True),
    (at(10), "<=", at(12, 2), True),
]


@pytest.mark.parametrize(("left", "relation", "right", "wanted"), ORDERS)
def test_values_of_one_sort_have_an_order(left: Any, relation: str, right: Any, wanted: Any) -> None:
    assert operators.compare(relation, left, right) is wanted


@pytest.mark.parametrize(
    ("left", "right"), [(1, "a"), (True, 1), ((), ()), (None, None), (record("a"), record("a")), ({}, {})]
)
def test_values_of_different_sorts_have_no_order(left: Any, right: Any) -> None:
    assert isinstance(operators.compare("<", left, right), Failure)


DAY = date(2026, 5, 10)
INTERVALS: list[tuple[datetime, str, Any]] = [
    # the day begins at 10:00 UTC of the 9th (clocks 14 hours ahead) and ends at 12:00 UTC of the 11th
    (at(9, day=9), "<", False),
    (at(9, day=9), "<=", False),
    (at(9, day=9), ">", True),
    (at(9, day=9), ">=", True),
    (at(9, day=9), "==", False),
    (at(10, day=9), ">=", True),
    (at(10, day=9), ">", UNKNOWN),
    (at(10, day=9), "==", UNKNOWN),
    (at(10, day=9), "<", False),
    (at(12), "<", UNKNOWN),
    (at(12), "<=", UNKNOWN),
    (at(12), ">", UNKNOWN),
    (at(12), ">=", UNKNOWN),
    (at(12), "==", UNKNOWN),
    (at(12, day=11), "<", True),
    (at(12, day=11), "<=", True),
    (at(12, day=11), ">", False),
    (at(12, day=11), ">=", False),
    (at(12, day=11), "==", False),
    (at(23, 14, day=11), "<", UNKNOWN),
    (at(2, 14, day=12), "<", True),
]
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


def relate(relation: str, left: Any, right: Any) -> Any:
    if relation == "==":
        return operators.equal(left, right, Budget())
    return operators.compare(relation, left, right)


@pytest.mark.parametrize(("moment", "relation", "wanted"), INTERVALS)
def test_a_date_meets_a_time_only_where_all_its_instants_agree(
    moment: datetime, relation: str, wanted: Any
) -> None:
    assert relate(relation, DAY, moment) is wanted
    assert relate(MIRRORED[relation], moment, DAY) is wanted


def test_two_dates_compare_by_the_calendar() -> None:
    assert relate("==", DAY, DAY) is True
    assert relate("<=", DAY, DAY) is True
    assert relate("<", DAY, DAY) is False
    assert relate("==", DAY, date(2026, 5, 11)) is False


def test_two_times_are_equal_if_they_are_the_same_instant() -> None:
    assert relate("==", at(10), at(12, 2)) is True
    assert relate("==", at(10), at(12, 1)) is False


@pytest.mark.parametrize("edge", [date.min, date.max])
def test_the_ends_of_the_calendar_compare_too(edge: date) -> None:
    moment = datetime(edge.year, edge.month, edge.day, 12, tzinfo=timezone(timedelta(hours=14)))
    assert relate("==", edge, moment) is UNKNOWN
    assert relate("==", moment, moment.replace(microsecond=0)) is True


def test_a_time_without_an_offset_is_an_error() -> None:
    naive = datetime(2026, 5, 10)  # noqa: DTZ001 - the case
    for relation, other in product(MIRRORED, (naive, DAY, at(1))):
        assert isinstance(relate(relation, naive, other), Failure)
    assert isinstance(operators.arithmetic("-", naive, at(1), Budget()), Failure)


ARITHMETIC: list[tuple[str, Any, Any, Any]] = [
    ("+", 1, 2, 3),
    ("-", 1, 2, -1),
    ("*", 3, -2, -6),
    ("/", 7, 2, 3),
    ("/", -7, 2, -3),
    ("/", 7, -2, -3),
    ("/", -7, -2, 3),
    ("%", 7, 3, 1),
    ("%", -7, 3, -1),
    ("%", 7, -3, 1),
    ("+", 0.5, 0.25, 0.75),
    ("-", 0.5, 0.25, 0.25),
    ("*", 0.5, 0.5, 0.25),
    ("/", 1.0, 4.0, 0.25),
    ("+", "a", "b", "ab"),
    ("+", b"a", b"b", b"ab"),
    ("+", (1,), (2,), (1, 2)),
    ("+", timedelta(1), timedelta(2), timedelta(3)),
    ("-", timedelta(1), timedelta(2), timedelta(-1)),
    ("+", at(1), timedelta(hours=1), at(2)),
    ("+", timedelta(hours=1), at(1), at(2)),
    ("-", at(2), timedelta(hours=1), at(1)),
    ("-", at(2), at(2, 1), timedelta(hours=1)),
    ("+", DAY, timedelta(1), date(2026, 5, 11)),
    ("+", timedelta(1), DAY, date(2026, 5, 11)),
    ("-", DAY, timedelta(1), date(2026, 5, 9)),
    ("-", DAY, date(2026, 5, 1), timedelta(9)),
    ("+", UNKNOWN, 1, UNKNOWN),
    ("+", UNKNOWN, FAILED, FAILED),
]


@pytest.mark.parametrize(("sign", "left", "right", "wanted"), ARITHMETIC)
def test_arithmetic(sign: str, left: Any, right: Any, wanted: Any) -> None:
    found = operators.arithmetic(sign, left, right, Budget())
    assert found == wanted
    assert type(found) is type(wanted)


BAD_ARITHMETIC: list[tuple[str, Any, Any, str]] = [
    ("/", 1, 0, "division by zero"),
    ("%", 1, 0, "division by zero"),
    ("%", -(2**63), -1, "the result is out of range"),
    ("+", timedelta(3_652_500), timedelta(microseconds=1), "the result is out of range"),
    ("-", timedelta(-3_652_500), timedelta(microseconds=1), "the result is out of range"),
    ("/", 1.0, 0.0, "division by zero"),
    ("+", 2**63 - 1, 1, "the result is out of range"),
    ("-", -(2**63), 1, "the result is out of range"),
    ("*", 2**62, 2, "the result is out of range"),
    ("*", 2**200, 2**200, "the result is out of range"),
    ("/", -(2**63), -1, "the result is out of range"),
    ("+", date.max, timedelta(1), "the result is out of range"),
    ("+", datetime.max.replace(tzinfo=UTC), timedelta(1), "the result is out of range"),
    ("-", DAY, timedelta.min, "the result is out of range"),
    ("+", timedelta.max, timedelta.max, "the result is out of range"),
    ("+", DAY, timedelta(hours=12), "a date without a time moves by whole days only"),
    ("+", 1, 1.0, "`+` has no meaning for an int and a double"),
    ("+", True, True, "`+` has no meaning for a bool and a bool"),
    ("-", at(1), DAY, "`-` has no meaning for a timestamp and a date"),
    ("%", 1.0, 1.0, "`%` has no meaning for a double and a double"),
    ("*", "a", 3, "`*` has no meaning for a string and an int"),
    ("+", "a" * 40_000, "a" * 40_000, "the result is larger than an expression may make"),
    ("+", (1,) * 60_000, (1,) * 60_000, "the result is larger than an expression may make"),
]


@pytest.mark.parametrize(("sign", "left", "right", "reason"), BAD_ARITHMETIC)
def test_arithmetic_without_a_meaning_is_an_error(sign: str, left: Any, right: Any, reason: str) -> None:
    assert operators.arithmetic(sign, left, right, Budget()) == Failure(reason)


def test_joining_with_an_open_list_gives_an_open_list() -> None:
    for left, right in (((1,), OpenTuple((2,))), (OpenTuple((1,)), (2,)), (OpenTuple((1,)), OpenTuple((2,)))):
        found = operators.arithmetic("+", left, right, Budget())
        assert (type(found), tuple(found)) == (OpenTuple, (1, 2))


def test_joining_costs() -> None:
    budget = Budget()
    budget.left = 3
    assert operators.arithmetic("+", (1, 2), (3, 4), budget) is operators.OVER_BUDGET


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1, -1),
        (0.5, -0.5),
        (UNKNOWN, UNKNOWN),
        (FAILED, FAILED),
        (-(2**63), Failure("the result is out of range")),
        (True, Failure("`-` has no meaning for a bool")),
    ],
)
def test_minus(value: Any, wanted: Any) -> None:
    assert operators.minus(value) == wanted


MEMBERS: list[tuple[Any, Any, Any]] = [
    (1, (), False),
    (1, (2, 1), True),
    (1, (1.0,), True),
    (1, (UNKNOWN, 1), True),
    (1, (UNKNOWN, 2), UNKNOWN),
    (1, (FAILED, 1), True),
    (1, (UNKNOWN, FAILED), FAILED),
    (1, OpenTuple((1,)), True),
    (1, OpenTuple((2,)), UNKNOWN),
    (1, OpenTuple(()), UNKNOWN),
    (UNKNOWN, (), False),
    (UNKNOWN, (1,), UNKNOWN),
    (FAILED, (), FAILED),
    (1, UNKNOWN, UNKNOWN),
    (1, FAILED, FAILED),
    ("a", {"a": 1}, True),
    ("b", {"a": 1}, False),
    (UNKNOWN, {"a": 1}, UNKNOWN),
    (True, {"a": 1}, Failure("the key of a map is a string or an int, found a bool")),
    ("a", "abc", Failure("`in` needs a list or a map, found a string")),
    ("a", (1,), Failure("cannot compare a string with an int")),
]


@pytest.mark.parametrize(("element", "collection", "wanted"), MEMBERS)
def test_membership(element: Any, collection: Any, wanted: Any) -> None:
    assert operators.contains(element, collection, Budget()) == wanted


def test_membership_costs() -> None:
    budget = Budget()
    budget.left = 1
    assert operators.contains(1, (1, 2), budget) is operators.OVER_BUDGET


SOME = record("a", title="x", lost=UNKNOWN, broken=FAILED, empty=(), open=OpenTuple(()), full=(1,))
FIELDS: list[tuple[Any, str, Any, Any]] = [
    (SOME, "title", "x", True),
    (SOME, "missing", UNKNOWN, False),
    (SOME, "lost", UNKNOWN, UNKNOWN),
    (SOME, "empty", (), False),
    (SOME, "open", (), UNKNOWN),
    (SOME, "full", (1,), True),
    (SOME, "broken", FAILED, FAILED),
    ({"a": 1}, "a", 1, True),
    ({"a": 1}, "b", UNKNOWN, False),
    ({"a": UNKNOWN}, "a", UNKNOWN, UNKNOWN),
    (UNKNOWN, "a", UNKNOWN, UNKNOWN),
    (FAILED, "a", FAILED, FAILED),
    ("text", "a", Failure("a string has no field `a`"), Failure("a string has no field `a`")),
]


@pytest.mark.parametrize(("value", "field", "selected", "present"), FIELDS)
def test_what_nobody_stated_is_unknown_and_absent(
    value: Any, field: str, selected: Any, present: Any
) -> None:
    assert operators.select(value, field) == selected
    assert operators.has(value, field) == present


INDEXES: list[tuple[Any, Any, Any]] = [
    ((1, 2), 1, 2),
    ((1, 2), 2, Failure("the list has no place 2")),
    ((1, 2), -1, Failure("the list has no place -1")),
    ((1, 2), 2**200, Failure("the list has no place so far away")),
    ((1, 2), True, Failure("the place in a list is an int, found a bool")),
    ((1, 2), UNKNOWN, UNKNOWN),
    (OpenTuple((1, 2)), 0, UNKNOWN),
    (OpenTuple((1, 2)), 9, UNKNOWN),
    ({"a": 1}, "a", 1),
    ({"a": 1}, "b", UNKNOWN),
    ({1: 2}, 1, 2),
    ({1: 2}, True, Failure("the key of a map is a string or an int, found a bool")),
    (UNKNOWN, 0, UNKNOWN),
    (UNKNOWN, FAILED, FAILED),
    (SOME, "title", Failure("a `task` has no elements")),
]


@pytest.mark.parametrize(("value", "key", "wanted"), INDEXES)
def test_an_element(value: Any, key: Any, wanted: Any) -> None:
    assert operators.index(value, key) == wanted


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        ((), {}),
        ((("a", 1), (2, UNKNOWN)), {"a": 1, 2: UNKNOWN}),
        ((("a", FAILED),), FAILED),
        (((UNKNOWN, 1),), UNKNOWN),
        ((("a", 1), ("a", 2)), Failure("a map has one key twice")),
        (((True, 1),), Failure("the key of a map is a string or an int, found a bool")),
    ],
)
def test_a_map_that_is_written_out(entries: tuple[tuple[Any, Any], ...], wanted: Any) -> None:
    assert operators.make_map(entries) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ((1,), (1,)),
        ({"a": 1}, ("a",)),
        (UNKNOWN, UNKNOWN),
        (FAILED, FAILED),
        ("abc", Failure("expected a list, found a string")),
        ([1], Failure("expected a list, found a value that expressions cannot use")),
    ],
)
def test_what_a_macro_runs_over(value: Any, wanted: Any) -> None:
    assert operators.members(value) == wanted
