"""What the operators mean, for both evaluators: three-valued logic, comparison, arithmetic, membership,
fields.

Everything here is total: any value gives a value, `UNKNOWN` or a `Failure`, never an exception. An operand
that failed makes the result fail; an operand that is unknown makes it unknown; `&&`, `||` and the macros
alone look further. Source: `docs/expressions.md`, "Meaning".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from cortex_policy.model import UNKNOWN, OpenTuple, Record

MAX_STEPS: Final = 1_000_000
"""Work of one evaluation: nodes visited in macros, elements compared, characters made. About a second."""

MAX_TEXT: Final = 65_536
"""Characters (or bytes) that an expression may put together."""

MAX_ELEMENTS: Final = 100_000
"""Elements of a list that an expression may put together."""

MAX_VALUE_DEPTH: Final = 16
"""Levels of lists and maps that a comparison looks into."""

CHARACTERS_PER_STEP: Final = 64
"""So many characters cost what one visit of a node costs."""

_INT_MIN: Final = -(2**63)
_INT_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Failure:
    """The outcome `error`: the expression met a value that it has no meaning for. It never allows."""

    reason: str

    def __bool__(self) -> bool:
        raise TypeError("an error is neither true nor false")


class Budget:
    """What is left of `MAX_STEPS` in one evaluation."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def spend(self, steps: int) -> bool:
        """Whether that much was left. Once it was not, it never is again."""
        self.left -= steps
        return self.left >= 0


OVER_BUDGET: Final = Failure(f"the budget of {MAX_STEPS:,} steps is used up")
_TOO_DEEP: Final = Failure(f"lists and maps are compared down to {MAX_VALUE_DEPTH} levels only")
_TOO_LARGE: Final = Failure("the result is larger than an expression may make")

# --------------------------------------------------------------------------- words for values

NAMES: Final[Mapping[type, str]] = MappingProxyType(
    {
        bool: "a bool",
        int: "an int",
        float: "a double",
        str: "a string",
        bytes: "bytes",
        type(None): "null",
        tuple: "a list",
        OpenTuple: "a list",
        dict: "a map",
        date: "a date",
        datetime: "a timestamp",
        timedelta: "a duration",
        Record: "a record",
    }
)

_FAMILIES: Final[Mapping[type, str]] = MappingProxyType(
    dict(NAMES) | {int: "number", float: "number", date: "time", datetime: "time"}
)
"""Values of one family compare with each other, whatever their types."""

_SCALARS: Final = frozenset((str, int, float, bool, bytes, date, timedelta))
"""Types whose own `==` and `<` already mean what the language means, between two values of that very type."""


def name_of(value: Any) -> str:
    if value.__class__ is Record:
        return f"a `{value.kind}`"
    return NAMES.get(value.__class__, "a value that expressions cannot use")


def worse(left: Any, right: Any) -> Any:
    """What two operands, neither of them decisive, come to: error before unknown before a plain value."""
    if left.__class__ is Failure:
        return left
    if right.__class__ is Failure:
        return right
    return UNKNOWN if left is UNKNOWN or right is UNKNOWN else right


def poison(*values: Any) -> Any:
    """The first failure among the values, else UNKNOWN if one is unknown, else None: no obstacle."""
    for value in values:
        if value.__class__ is Failure:
            return value
    for value in values:
        if value is UNKNOWN:
            return UNKNOWN
    return None


# --------------------------------------------------------------------------- logic


def truth(value: Any) -> Any:
    """The value if it is one of the four outcomes, else a failure."""
    if value is True or value is False or value is UNKNOWN or value.__class__ is Failure:
        return value
    return Failure(f"expected true or false, found {name_of(value)}")


def conjunction(values: Iterable[Any]) -> Any:
    """`&&`: false if one is false, else error, else unknown, else true."""
    result: Any = True
    for value in values:
        outcome = truth(value)
        if outcome is False:
            return False
        result = worse(result, outcome)
    return result


def disjunction(values: Iterable[Any]) -> Any:
    """`||`: true if one is true, else error, else unknown, else false."""
    result: Any = False
    for value in values:
        outcome = truth(value)
        if outcome is True:
            return True
        result = worse(result, outcome)
    return result


def negation(value: Any) -> Any:
    """`!`: unknown and error stay what they are."""
    outcome = truth(value)
    return not outcome if outcome is True or outcome is False else outcome


def exactly_one(values: Iterable[Any], *, is_open: bool) -> Any:
    """`exists_one`: a second true one decides; else error, unknown (also of an open list), the count."""
    seen = 0
    rest: Any = UNKNOWN if is_open else True
    for value in values:
        outcome = truth(value)
        if outcome is True:
            seen += 1
            if seen == 2:
                return False
        elif outcome is not False:
            rest = worse(rest, outcome)
    return rest if rest is not True else seen == 1


# --------------------------------------------------------------------------- equality


def equal(left: Any, right: Any, budget: Budget) -> Any:
    """`==`: true, false, UNKNOWN or a failure (values of different types are never just unequal)."""
    if left.__class__ is right.__class__ and left.__class__ in _SCALARS:
        return left == right
    return _equal(left, right, budget, MAX_VALUE_DEPTH)


def unequal(left: Any, right: Any, budget: Budget) -> Any:
    """`!=`."""
    return negation(equal(left, right, budget))


def _equal(left: Any, right: Any, budget: Budget, depth: int) -> Any:
    if (stop := poison(left, right)) is not None:
        return stop
    if left is None or right is None:
        # `null` says that there is no value; asking for it is a question that fits every type, as in CEL.
        return left is right
    family = _FAMILIES.get(left.__class__)
    if family is None or family != _FAMILIES.get(right.__class__):
        return Failure(f"cannot compare {name_of(left)} with {name_of(right)}")
    rule = _EQUALITIES.get(family)
    return left == right if rule is None else rule(left, right, budget, depth)


def _equal_lists(left: tuple[Any, ...], right: tuple[Any, ...], budget: Budget, depth: int) -> Any:
    if left.__class__ is OpenTuple or right.__class__ is OpenTuple:
        return UNKNOWN
    if len(left) != len(right):
        return False
    return _equal_all(zip(left, right, strict=True), len(left), budget, depth)


def _equal_maps(left: dict[Any, Any], right: dict[Any, Any], budget: Budget, depth: int) -> Any:
    if not budget.spend(len(left)):
        return OVER_BUDGET
    if left.keys() != right.keys():
        return False
    return _equal_all(((left[key], right[key]) for key in left), len(left), budget, depth)


def _equal_all(pairs: Iterable[tuple[Any, Any]], count: int, budget: Budget, depth: int) -> Any:
    if depth == 0:
        return _TOO_DEEP
    if not budget.spend(count):
        return OVER_BUDGET
    return conjunction(_equal(left, right, budget, depth - 1) for left, right in pairs)


def _equal_records(left: Record, right: Record, _budget: Budget, _depth: int) -> Any:
    return left.kind == right.kind and left.id == right.id


def _equal_times(left: Any, right: Any, _budget: Budget, _depth: int) -> Any:
    return _time_order("==", left, right)


_EQUALITIES: Final[Mapping[str, Callable[[Any, Any, Budget, int], Any]]] = MappingProxyType(
    {"a list": _equal_lists, "a map": _equal_maps, "a record": _equal_records, "time": _equal_times}
)

# --------------------------------------------------------------------------- order

ORDERS: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)

_RELATIONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = MappingProxyType({**ORDERS, "==": operator.eq})

_ORDERED: Final = frozenset(("number", "time", "a string", "bytes", "a bool", "a duration"))


def compare(relation: str, left: Any, right: Any) -> Any:
    """`<`, `<=`, `>`, `>=`: true, false, UNKNOWN or a failure."""
    if left.__class__ is right.__class__ and left.__class__ in _SCALARS:
        return ORDERS[relation](left, right)
    if (stop := poison(left, right)) is not None:
        return stop
    family = _FAMILIES.get(left.__class__)
    if family not in _ORDERED or family != _FAMILIES.get(right.__class__):
        return Failure(f"cannot order {name_of(left)} and {name_of(right)}")
    if family == "time":
        return _time_order(relation, left, right)
    return ORDERS[relation](left, right)


_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_EAST: Final = 14 * 3_600 * _SECOND
_WEST: Final = 12 * 3_600 * _SECOND


def _span(value: Any) -> tuple[int, int]:
    """The first and the last instant that `value` may mean, in microseconds of UTC. Raises ValueError
    without offset.

    A date without a time is true of 50 hours: it begins where the clocks are 14 hours ahead, and ends where
    they are 12 behind. Whole numbers, so that the first and the last day of the calendar have a span too.
    """
    start = value.toordinal() * _DAY
    if value.__class__ is date:
        return start - _EAST, start + _DAY + _WEST - 1
    offset = value.utcoffset()
    if offset is None:
        raise ValueError
    start += ((value.hour * 60 + value.minute) * 60 + value.second) * _SECOND + value.microsecond
    instant = start - offset // timedelta(microseconds=1)
    return instant, instant


def _time_order(relation: str, left: Any, right: Any) -> Any:
    """True or false if every instant that the two may mean agrees, else UNKNOWN.

    Two dates compare by the calendar.
    """
    if left.__class__ is date and right.__class__ is date:
        return _RELATIONS[relation](left, right)
    try:
        (first, last), (start, end) = _span(left), _span(right)
    except ValueError:
        return Failure("a time without an offset from UTC cannot be compared")
    if relation == "==" and (first, last) != (start, end) and first <= end and start <= last:
        return UNKNOWN
    outcomes = {_RELATIONS[relation](a, b) for a in (first, last) for b in (start, end)}
    return outcomes.pop() if len(outcomes) == 1 else UNKNOWN


# --------------------------------------------------------------------------- membership, fields, elements


def contains(element: Any, collection: Any, budget: Budget) -> Any:
    """`in`: true if found; else what the comparisons came to; of an open list never false."""
    if (stop := poison(collection)) is not None:
        return stop
    if collection.__class__ is dict:
        return _has_key(element, collection)
    if collection.__class__ is not tuple and collection.__class__ is not OpenTuple:
        return Failure(f"`in` needs a list or a map, found {name_of(collection)}")
    if element.__class__ is Failure:
        return element
    if not budget.spend(len(collection)):
        return OVER_BUDGET
    found = disjunction(equal(element, member, budget) for member in collection)
    return UNKNOWN if found is False and collection.__class__ is OpenTuple else found


_KEYS: Final = frozenset((str, int))


def _has_key(key: Any, mapping: dict[Any, Any]) -> Any:
    if (stop := poison(key)) is not None:
        return stop
    if key.__class__ not in _KEYS:
        return Failure(f"the key of a map is a string or an int, found {name_of(key)}")
    return key in mapping


def select(value: Any, field: str) -> Any:
    """`value.field`: what nobody stated is unknown."""
    if value.__class__ is Record:
        return value.values.get(field, UNKNOWN)
    if value.__class__ is dict:
        return value.get(field, UNKNOWN)
    if (stop := poison(value)) is not None:
        return stop
    return Failure(f"{name_of(value)} has no field `{field}`")


def has(value: Any, field: str) -> Any:
    """`has(value.field)`: whether it is stated; unknown if it is stated and could not be read.

    An empty list states nothing (as CEL has it for repeated fields); an open one may have unseen members.
    """
    found = select(value, field)
    stated = value.values if value.__class__ is Record else value
    if stated.__class__ is not dict:
        return found
    if found is UNKNOWN:
        return UNKNOWN if field in stated else False
    if isinstance(found, tuple) and not found:
        return UNKNOWN if found.__class__ is OpenTuple else False
    return found if found.__class__ is Failure else True


def index(value: Any, key: Any) -> Any:
    """`value[key]`: a key that a map lacks is unknown, a place that a list lacks an error."""
    if (stop := poison(value, key)) is not None:
        return stop
    if value.__class__ is dict:
        present = _has_key(key, value)
        return (value[key] if present else UNKNOWN) if present.__class__ is bool else present
    if value.__class__ is not tuple and value.__class__ is not OpenTuple:
        return Failure(f"{name_of(value)} has no elements")
    if key.__class__ is not int:
        return Failure(f"the place in a list is an int, found {name_of(key)}")
    if value.__class__ is OpenTuple:
        return UNKNOWN
    return value[key] if 0 <= key < len(value) else Failure(f"the list has no place {_brief(key)}")


def _brief(number: int) -> str:
    return str(number) if _INT_MIN <= number <= _INT_MAX else "so far away"


def members(value: Any) -> Any:
    """The collection that a macro runs over, as a tuple (the keys of a map), or what stands in the way."""
    if value.__class__ is tuple or value.__class__ is OpenTuple:
        return value
    if value.__class__ is dict:
        return tuple(value)
    if (stop := poison(value)) is not None:
        return stop
    return Failure(f"expected a list, found {name_of(value)}")


def make_map(entries: Iterable[tuple[Any, Any]]) -> Any:
    """A map from evaluated keys and values."""
    result: dict[Any, Any] = {}
    for key, value in entries:
        if value.__class__ is Failure:
            return value
        present = _has_key(key, result)
        if present is not False:
            return Failure("a map has one key twice") if present is True else present
        result[key] = value
    return result


def make_list(values: tuple[Any, ...]) -> Any:
    """A list from evaluated elements: an unknown element is an element, one that failed is not."""
    for value in values:
        if value.__class__ is Failure:
            return value
    return values


# --------------------------------------------------------------------------- arithmetic


def arithmetic(sign: str, left: Any, right: Any, budget: Budget) -> Any:
    """`+ - * / %`: a value, UNKNOWN or a failure; ints stay within 64 bits, as in CEL."""
    if (stop := poison(left, right)) is not None:
        return stop
    rule = _ARITHMETIC.get((sign, left.__class__, right.__class__))
    if rule is None:
        return Failure(f"`{sign}` has no meaning for {name_of(left)} and {name_of(right)}")
    if left.__class__ in _SIZED and not budget.spend(_cost(left, right)):
        return OVER_BUDGET
    try:
        return rule(left, right)
    except ZeroDivisionError:
        return Failure("division by zero")
    except (OverflowError, ValueError):
        return Failure("the result is out of range")
    except TypeError:
        return Failure("a time without an offset from UTC cannot be used")


def minus(value: Any) -> Any:
    """Unary `-`."""
    if (stop := poison(value)) is not None:
        return stop
    if value.__class__ is float:
        return -value
    if value.__class__ is not int:
        return Failure(f"`-` has no meaning for {name_of(value)}")
    return -value if _INT_MIN < value <= _INT_MAX else Failure("the result is out of range")


def whole(value: int) -> int:
    """The int itself; raises OverflowError if it does not fit into 64 bits."""
    if _INT_MIN <= value <= _INT_MAX:
        return value
    raise OverflowError


_LONGEST: Final = timedelta(seconds=315_576_000_000)


def lasting(value: timedelta) -> timedelta:
    """The duration itself; raises OverflowError beyond 10,000 years either way, the range of CEL's durations."""
    if -_LONGEST <= value <= _LONGEST:
        return value
    raise OverflowError


def _add(left: int, right: int) -> int:
    return whole(left + right)


def _subtract(left: int, right: int) -> int:
    return whole(left - right)


def _multiply(left: int, right: int) -> int:
    return whole(whole(left) * whole(right))


def _divide(left: int, right: int) -> int:
    """Towards zero, as in CEL; Python rounds down."""
    quotient = abs(left) // abs(right)
    return whole(quotient if (left < 0) == (right < 0) else -quotient)


def _remainder(left: int, right: int) -> int:
    """With the sign of the dividend, as in CEL."""
    _divide(left, right)  # where the quotient does not fit, CEL has no remainder either
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def _move(day: date, by: timedelta) -> Any:
    """A date moves by whole days; by less, nobody could say where it lands."""
    if by % timedelta(days=1):
        return Failure("a date without a time moves by whole days only")
    return day + by


def _join_texts(left: Any, right: Any) -> Any:
    return left + right if len(left) + len(right) <= MAX_TEXT else _TOO_LARGE


def _join_lists(left: tuple[Any, ...], right: tuple[Any, ...]) -> Any:
    if len(left) + len(right) > MAX_ELEMENTS:
        return _TOO_LARGE
    joined = (*left, *right)
    return OpenTuple(joined) if left.__class__ is OpenTuple or right.__class__ is OpenTuple else joined


_SIZED: Final = frozenset((str, bytes, tuple, OpenTuple))


def _cost(left: Any, right: Any) -> int:
    size = len(left) + len(right)
    return size if isinstance(left, tuple) else size // CHARACTERS_PER_STEP


_ARITHMETIC: Final[Mapping[tuple[str, type, type], Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        ("+", int, int): _add,
        ("-", int, int): _subtract,
        ("*", int, int): _multiply,
        ("/", int, int): _divide,
        ("%", int, int): _remainder,
        ("+", float, float): operator.add,
        ("-", float, float): operator.sub,
        ("*", float, float): operator.mul,
        ("/", float, float): operator.truediv,
        ("+", str, str): _join_texts,
        ("+", bytes, bytes): _join_texts,
        ("+", tuple, tuple): _join_lists,
        ("+", tuple, OpenTuple): _join_lists,
        ("+", OpenTuple, tuple): _join_lists,
        ("+", OpenTuple, OpenTuple): _join_lists,
        ("+", timedelta, timedelta): lambda left, right: lasting(left + right),
        ("-", timedelta, timedelta): lambda left, right: lasting(left - right),
        ("+", datetime, timedelta): operator.add,
        ("+", timedelta, datetime): operator.add,
        ("-", datetime, timedelta): operator.sub,
        ("-", datetime, datetime): operator.sub,
        ("+", date, timedelta): _move,
        ("+", timedelta, date): lambda by, day: _move(day, by),
        ("-", date, timedelta): lambda day, by: _move(day, -by),
        ("-", date, date): operator.sub,
    }
)
"""Which types an operator takes. INVARIANT: what is not in this table is an error, never a guess."""
