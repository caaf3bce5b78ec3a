"""The standard functions of the language: pure, total, bounded.

Each is called with values that are neither unknown nor failed, and gives a value, UNKNOWN or a `Failure`; a
member function gets what stands before the dot as its first argument. Wrong types are a `Failure` by way of
`call`. Source: `docs/expressions.md`, "Functions"; names and meaning are those of CEL and its extensions
where those exist.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.operators import (
    CHARACTERS_PER_STEP,
    MAX_ELEMENTS,
    MAX_TEXT,
    NAMES,
    OVER_BUDGET,
    Budget,
    Failure,
    compare,
    lasting,
    name_of,
    poison,
    whole,
)

MAX_PATTERN_CHARS: Final = 1_024
"""A longer pattern is not read by a person either; bounds the automaton that is built from it."""

PATTERN_MEMORY: Final = 1 << 20
"""Bytes of the automaton of one pattern; bounds the time to build it to some milliseconds."""

PATTERN_STEPS: Final = 5_000
"""What building the automaton costs where a pattern is not written out, so that it is built each time."""

MAX_WRITTEN: Final = 1_024
"""Characters of a double or a duration: nobody writes a longer one, and reading it would take its time."""

STATES_PER_STEP: Final = 256
"""States of an automaton, times characters, that cost what one visit of a node costs."""

_CAUGHT: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def call(name: str, function: Callable[..., Any], values: tuple[Any, ...], budget: Budget) -> Any:
    """What `function` gives for evaluated arguments; never raises, whatever it is given."""
    if (stop := poison(*values)) is not None:
        return stop
    if not budget.spend(sum(_cost(value) for value in values)):
        return OVER_BUDGET
    try:
        if function is _matches:
            if not budget.spend(PATTERN_STEPS):
                return OVER_BUDGET
            function = Matcher(_expect(values[1], str))
        if function.__class__ is Matcher and not budget.spend(function.steps(values[0])):
            return OVER_BUDGET
        return function(*values)
    except _CAUGHT:
        given = ", ".join(name_of(value) for value in values) or "nothing"
        return Failure(f"`{name}` has no meaning for {given}")


def _cost(value: Any) -> int:
    if value.__class__ is str or value.__class__ is bytes:
        return 1 + len(value) // CHARACTERS_PER_STEP
    return 1 + len(value) if value.__class__ in (tuple, OpenTuple, dict) else 1


def _expect(value: Any, *types: type) -> Any:
    if value.__class__ in types:
        return value
    raise TypeError


# --------------------------------------------------------------------------- texts


_TOO_LONG: Final = Failure(f"the result is longer than {MAX_TEXT:,} characters")
_TOO_MANY: Final = Failure(f"the result has more than {MAX_ELEMENTS:,} elements")


def _starts_with(text: str, start: str) -> bool:
    return bool(_expect(text, str).startswith(_expect(start, str)))


def _ends_with(text: str, end: str) -> bool:
    return bool(_expect(text, str).endswith(_expect(end, str)))


def _contains(text: str, part: str) -> bool:
    return _expect(part, str) in _expect(text, str)


def _lower_ascii(text: str) -> Any:
    # bytes know no letters but those of ASCII; a table of characters would be forty times slower
    return _expect(text, str).encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _upper_ascii(text: str) -> Any:
    return _expect(text, str).encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def _trim(text: str) -> Any:
    return _expect(text, str).strip()


def _split(text: str, separator: str, limit: int = -1) -> Any:
    text, separator, limit = _expect(text, str), _expect(separator, str), _expect(limit, int)
    if limit == 0:
        return ()
    parts = text.count(separator) + 1 if separator else len(text)
    if (parts if limit < 0 else min(parts, limit)) > MAX_ELEMENTS:
        return _TOO_MANY
    if separator:
        return tuple(text.split(separator, min(limit - 1, len(text)) if limit > 0 else -1))
    if limit < 0 or limit >= len(text):
        return tuple(text)
    return (*text[: limit - 1], text[limit - 1 :])


def _join(texts: tuple[str, ...], separator: str = "") -> Any:
    separator = _expect(separator, str)
    values = _closed(texts)
    if values is UNKNOWN or values.__class__ is Failure:
        return values
    size = sum(len(_expect(value, str)) for value in values) + len(separator) * (len(values) - 1)
    return separator.join(values) if size <= MAX_TEXT else _TOO_LONG


def _replace(text: str, old: str, new: str, limit: int = -1) -> Any:
    text, old, new, limit = _expect(text, str), _expect(old, str), _expect(new, str), _expect(limit, int)
    count = text.count(old) if limit < 0 else min(limit, text.count(old))
    if len(text) + count * (len(new) - len(old)) > MAX_TEXT:
        return _TOO_LONG
    return text.replace(old, new, count)


def _substring(text: str, start: int, end: int | None = None) -> Any:
    text, start = _expect(text, str), _expect(start, int)
    end = len(text) if end is None else _expect(end, int)
    if not 0 <= start <= end <= len(text):
        return Failure("the part asked for lies outside the string")
    return text[start:end]


def compile_pattern(pattern: str) -> Any:
    """The pattern of `matches`, compiled, or the `Failure` that says why it is none (by RE2)."""
    if len(pattern) > MAX_PATTERN_CHARS:
        return Failure(f"a pattern may have {MAX_PATTERN_CHARS:,} characters at most")
    import re2  # heavy, and few evaluations need it

    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, ValueError) as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else "it holds no text"
        return Failure(f"not a pattern: {text}")


def _matches(text: str, pattern: str) -> Any:
    return Matcher(_expect(pattern, str))(text, pattern)


class Matcher:
    """`matches` for one pattern, so that a pattern that is written out is compiled once."""

    __slots__ = ("_compiled", "_size")

    def __init__(self, pattern: str) -> None:
        self._compiled = compile_pattern(pattern)
        self._size = 0 if self._compiled.__class__ is Failure else self._compiled.programsize

    def steps(self, text: Any) -> int:
        """What one match costs: RE2 is linear in the text, and in the size of the automaton."""
        return len(text) * self._size // STATES_PER_STEP if text.__class__ is str else 0

    def __call__(self, text: str, _pattern: str) -> Any:
        if self._compiled.__class__ is Failure:
            return self._compiled
        return self._compiled.search(_expect(text, str)) is not None


# --------------------------------------------------------------------------- conversions

_INT: Final = re.compile(r"[+-]?[0-9]{1,19}")
_DOUBLE: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""INVARIANT: a digit can be taken in one way only, here and below, so that Python's `re` stays linear in the text."""
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION: Final = re.compile(r"[+-]?(?:0|(?:[0-9]{1,15}(?:\.[0-9]{1,9})?(?:h|ms|m|us|ns|s))+)")
_DURATION_PART: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?(h|ms|m|us|ns|s)")
_NANOSECONDS: Final[Mapping[str, int]] = MappingProxyType(
    {"h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
)
_BOOLS: Final[Mapping[str, bool]] = MappingProxyType(
    dict.fromkeys(("true", "True", "TRUE", "t", "1"), True)
    | dict.fromkeys(("false", "False", "FALSE", "f", "0"), False)
)


def _int(value: Any) -> Any:
    value = _expect(value, int, float, str, datetime)
    if isinstance(value, datetime):
        return (
            math.floor(value.timestamp())
            if value.tzinfo
            else Failure("a time without an offset has no number")
        )
    if isinstance(value, str) and not _INT.fullmatch(value):
        return Failure("the string is no int")
    if value == -(2.0**63) and value.__class__ is float:
        raise OverflowError  # as in CEL: so large a double has lost its last digits, it may stand for less
    return whole(int(value))


def _double(value: Any) -> Any:
    value = _expect(value, int, float, str)
    if isinstance(value, str) and (len(value) > MAX_WRITTEN or not _DOUBLE.fullmatch(value)):
        return Failure("the string is no double")
    return float(value)


def _bool(value: Any) -> Any:
    if value.__class__ is bool:
        return value
    return _BOOLS.get(_expect(value, str), Failure("the string is neither true nor false"))


def text_of(value: Any) -> str:
    """The text of a plain value: ISO 8601, durations in seconds. Raises TypeError for other values."""
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is float:
        return repr(value).removesuffix(".0")
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("+00:00") + ("Z" if value.utcoffset() == timedelta(0) else "")
    if value.__class__ is date:
        return str(value.isoformat())
    if value.__class__ is timedelta:
        return f"{_decimal(value // timedelta(microseconds=1))}s"
    return str(_expect(value, str, int))


def _decimal(microseconds: int) -> str:
    sign = "-" if microseconds < 0 else ""
    seconds, rest = divmod(abs(microseconds), 10**6)
    return f"{sign}{seconds}.{rest:06}".rstrip("0").rstrip(".")


def _string(value: Any) -> Any:
    if value.__class__ is bytes:
        return value.decode()
    return text_of(value)


def _bytes(value: Any) -> Any:
    return value if value.__class__ is bytes else _expect(value, str).encode()


def _dyn(value: Any) -> Any:
    """The value itself: `dyn` tells the checker of another CEL implementation to leave the type open."""
    return value


def _timestamp(value: Any) -> Any:
    if value.__class__ is datetime:
        return value
    if value.__class__ is int:
        return _EPOCH + timedelta(seconds=value)
    match = _TIMESTAMP.fullmatch(_expect(value, str))
    if match is None:
        return Failure("not a time with an offset, such as 2026-01-31T08:30:00Z")
    day, clock, fraction, offset = match.groups("")
    try:
        return datetime.fromisoformat(
            f"{day}T{clock}{fraction[:7].ljust(7, '0') if fraction else ''}{offset.upper()}"
        )
    except ValueError:
        return Failure("there is no such time in the calendar")


def _date(value: Any) -> Any:
    if value.__class__ is date:
        return value
    match = _DATE.fullmatch(_expect(value, str))
    if match is None:
        return Failure("not a date such as 2026-01-31")
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return Failure("there is no such day in the calendar")


def _duration(value: Any) -> Any:
    if value.__class__ is timedelta:
        return value
    if len(_expect(value, str)) > MAX_WRITTEN or not _DURATION.fullmatch(value):
        return Failure("not a duration such as 36h or 1h30m")
    total = 0
    for units, fraction, unit in _DURATION_PART.findall(value):
        scale = _NANOSECONDS[unit]
        total += int(units) * scale + int((fraction or "0").ljust(9, "0")) * scale // 10**9
    microseconds = total // 1_000
    return lasting(timedelta(microseconds=-microseconds if value.startswith("-") else microseconds))


def _days(count: int) -> Any:
    return lasting(timedelta(days=_expect(count, int)))


# --------------------------------------------------------------------------- collections


def _size(value: Any) -> Any:
    if value.__class__ is OpenTuple:
        return UNKNOWN
    return len(_expect(value, str, bytes, tuple, dict))


def _closed(values: Any) -> Any:
    """The list itself, if it can be counted on: UNKNOWN for an open one or one with an unknown element."""
    stop = poison(*_expect(values, tuple, OpenTuple))
    if stop is None and values.__class__ is OpenTuple:
        return UNKNOWN
    return values if stop is None else stop


_GROUPS: Final[Mapping[type, str]] = MappingProxyType(
    {int: "number", float: "number"}
    | {kind: NAMES[kind] for kind in (bool, str, bytes, date, datetime, timedelta, Record)}
)


def _one_group(values: tuple[Any, ...]) -> str:
    """The one sort that all the elements are of. Raises TypeError if there is none."""
    groups = {_GROUPS.get(value.__class__, "") for value in values}
    if len(groups) > 1 or "" in groups:
        raise TypeError
    return groups.pop() if groups else ""


def _sum(values: Any) -> Any:
    values = _closed(values)
    if values is UNKNOWN or values.__class__ is Failure:
        return values
    kinds = {value.__class__ for value in values}
    if not kinds <= {int} and not kinds <= {float} and not kinds <= {timedelta}:
        raise TypeError
    total = sum(values, timedelta(0) if timedelta in kinds else 0)
    if total.__class__ is timedelta:
        return lasting(total)
    return whole(total) if total.__class__ is int else total


def _extreme(relation: str) -> Callable[[Any], Any]:
    def extreme(values: Any) -> Any:
        values = _closed(values)
        if values is UNKNOWN or values.__class__ is Failure:
            return values
        if not values:
            return Failure("an empty list has no least and no greatest element")
        _one_group(values)
        best = values[0]
        for value in values[1:]:
            first = compare(relation, value, best)
            if first.__class__ is not bool:
                return first
            best = value if first else best
        return best

    return extreme


def _key(value: Any) -> Any:
    return (value.kind, value.id) if value.__class__ is Record else value


def _distinct(values: Any) -> Any:
    stop = poison(*_expect(values, tuple, OpenTuple))
    if stop is not None:
        return stop
    _one_group(values)
    seen: dict[Any, Any] = {}
    for value in values:
        seen.setdefault(_key(value), value)
    return values.__class__(seen.values())


def _sort(values: Any) -> Any:
    stop = poison(*_expect(values, tuple, OpenTuple))
    if stop is not None:
        return stop
    _one_group(values)
    return values.__class__(sorted(values))


def _stated(values: Any) -> Any:
    """The list itself; unknown where it is empty, because what nobody stated shows nothing."""
    return values if _expect(values, tuple, OpenTuple) or values.__class__ is OpenTuple else UNKNOWN


def _one(values: Any) -> Any:
    """The only element; unknown where there is none, or where the list may lack members."""
    values = _expect(values, tuple, OpenTuple)
    if values.__class__ is OpenTuple or not values:
        return UNKNOWN
    return values[0] if len(values) == 1 else Failure(f"there are {len(values)} where only one is meant")


# --------------------------------------------------------------------------- paths


def _paths_within(paths: Any, allowed: Any) -> Any:
    """Whether each path lies in one of `allowed`; unknown where no path is named, and where a list may lack members.

    A path that leaves the root it is relative to lies nowhere; an entry that cannot be understood is a failure.
    """
    paths, allowed = _closed(paths), _closed(allowed)
    for values in (paths, allowed):
        if values is UNKNOWN or values.__class__ is Failure:
            return values
    areas = [_area(_expect(entry, str)) for entry in allowed]
    wrong = next((area for area in areas if area.__class__ is Failure), None)
    if wrong is not None:
        return wrong
    if not paths:
        return UNKNOWN
    return all(_inside(_parts(_expect(path, str)), areas) for path in paths)


def _parts(path: str) -> tuple[str, ...]:
    """The steps of a path; empty for one that does not stay below the root it is relative to."""
    steps = tuple(step for step in path.strip().split("/") if step not in ("", "."))
    strange = path.strip().startswith(("/", "~")) or "\\" in path or ".." in steps
    return () if strange else steps


def _area(entry: str) -> Any:
    """What one entry covers: its steps, and whether all that lies below (`src/`, `src/**`) is meant too."""
    below = entry.strip().endswith(("/", "/**"))
    steps = _parts(entry.strip().removesuffix("**"))
    if not steps or any("**" in step for step in steps):
        return Failure(f"`{entry[:80]}` is no path below the root, such as `src/`, `src/a.py` or `*.md`")
    return steps, below


def _inside(steps: tuple[str, ...], areas: list[Any]) -> bool:
    return bool(steps) and any(
        (len(steps) >= len(area) if below else len(steps) == len(area))
        and all(_like(step, pattern) for step, pattern in zip(steps, area, strict=False))
        for area, below in areas
    )


def _like(text: str, pattern: str) -> bool:
    """Whether `text` matches `pattern`, in which `*` stands for any characters; linear in each literal piece."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first) or len(text) < len(pattern) - len(rest) or not text.endswith(rest[-1]):
        return False
    at, end = len(first), len(text) - len(rest[-1])
    for piece in rest[:-1]:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return at <= end


STANDARD: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "size": _size,
        "startsWith": _starts_with,
        "endsWith": _ends_with,
        "contains": _contains,
        "matches": _matches,
        "lowerAscii": _lower_ascii,
        "upperAscii": _upper_ascii,
        "trim": _trim,
        "split": _split,
        "join": _join,
        "replace": _replace,
        "substring": _substring,
        "int": _int,
        "double": _double,
        "bool": _bool,
        "string": _string,
        "bytes": _bytes,
        "dyn": _dyn,
        "timestamp": _timestamp,
        "date": _date,
        "duration": _duration,
        "days": _days,
        "sum": _sum,
        "min": _extreme("<"),
        "max": _extreme(">"),
        "distinct": _distinct,
        "sort": _sort,
        "stated": _stated,
        "one": _one,
        "paths_within": _paths_within,
    }
)
