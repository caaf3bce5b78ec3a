"""Expressions and values by the thousand, typed as a grammar would have it, from a seed: the same seed, the same cases.

Most of what is made has a meaning; one part in thirty is of the wrong type on purpose, because errors must agree too.
Only what CEL and we both have is made (`docs/expressions.md`); a record is a map to CEL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from cortex_policy.model import Record

MAX_DEPTH: Final = 4
WRONG: Final = 0.03

INTS: Final = (0, 1, 2, 3, 5, 10, -1, -2, -7, 2**31, 2**53 - 1, 2**62, 2**63 - 1, -(2**63))
DOUBLES: Final = (0.0, 1.0, 2.0, 0.5, -1.5, 3.25, 1e10, -2.0)
STRINGS: Final = (
    "",
    "a",
    "b",
    "ab",
    "abc",
    "validated",
    "candidate",
    "A-1",
    "A-12",
    "é",
    "日本",
    "a b",
    "1",
    "true",
)
PATTERNS: Final = ("a", "^a", "b$", "^[A-Z]-[0-9]+$", "", ".", "^$", "(a|b)+", "a{2}", "[^a]", "\\\\d", "(")
WORDS: Final = ("validated", "candidate", "retired")
BYTES: Final = (b"", b"a", b"ab", b"\xff")
TIMES: Final = (
    datetime(2026, 1, 31, tzinfo=UTC),
    datetime(2026, 1, 31, 8, 30, 15, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC),
)
WRITTEN_TIMES: Final = ("2026-01-31T00:00:00Z", "2026-01-31T10:00:00+02:00", "2024-02-29T23:59:59.5Z")
SPANS: Final = (timedelta(0), timedelta(hours=36), timedelta(seconds=-90), timedelta(milliseconds=1500))

_COMPARED: Final = ("int", "string", "double", "bool", "bytes", "time", "span")
"""What generated expressions compare for order; lists and maps only for equality."""

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bool": ("done",),
    "int": ("n",),
    "string": ("id", "status"),
    "ints": ("counts",),
    "strings": ("tags",),
    "records": ("blocked_by",),
}
_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "bool": ("b", "c"),
    "int": ("n", "k"),
    "double": ("d",),
    "string": ("s", "t"),
    "bytes": ("y",),
    "ints": ("ns",),
    "strings": ("ss",),
    "records": ("rs",),
    "record": ("r",),
    "map": ("m",),
    "time": ("at",),
    "span": ("for_",),
}
_KEYS: Final = ("a", "b", "k")
_ELEMENTS: Final[Mapping[str, str]] = {
    "ints": "int",
    "strings": "string",
    "records": "record",
    "map": "string",
}
_TYPES: Final = ("bool", "int", "double", "string", "bytes", "ints", "strings", "map", "time", "span")


class Writer:
    """Writes expressions of one type; `scope` holds the variables of the macros around, by type."""

    def __init__(self, seed: int, *, extensions: bool = False) -> None:
        self.random = Random(seed)
        self.scope: list[tuple[str, str]] = []
        self.makers: dict[str, tuple[Callable[[int], str], ...]] = {
            "bool": (
                self._logic, self._logic, self._order, self._order, self._equality, self._equality, self._not,
                self._member, self._quantifier, self._quantifier, self._text_test, self._has, self._field("bool"),
                self._choice("bool"), self._item("bool"),
            ),
            "int": (
                self._sum("int"), self._sum("int"), self._minus, self._size, self._size, self._field("int"),
                self._choice("int"), self._item("int"), self._entry, self._convert("int", "string", "double", "int"),
            ),
            "double": (self._quotient, self._choice("double"), self._convert("double", "int", "double")),
            "string": (
                self._plus("string"), self._field("string"), self._choice("string"), self._item("string"),
                self._convert("string", "int", "string"),
            ),
            "bytes": (self._plus("bytes"), self._choice("bytes")),
            "ints": (
                self._list("int"), self._filter("ints"), self._map("int"), self._map("int"), self._plus("ints"),
                self._field("ints"),
            ),
            "strings": (
                self._list("string"), self._filter("strings"), self._map("string"), self._plus("strings"),
                self._field("strings"),
            ),
            "records": (self._filter("records"), self._field("records")),
            "record": (self._choice("record"), self._item("record")),
            "map": (self._map_of_ints, self._choice("map")),
            "time": (self._moved, self._choice("time")),
            "span": (self._plus("span"), self._choice("span"), self._distance),
        }  # fmt: skip
        if extensions:
            self.makers = self.makers | {
                "string": (
                    *self.makers["string"],
                    *(4 * (self._part, self._cased, self._replaced, self._joined)),
                ),
                "strings": (*self.makers["strings"], *(8 * (self._split,))),
            }

    def expression(self) -> str:
        wanted = self.random.choice(("bool", "bool", "bool", "int", "string", "ints", "strings", *_TYPES))
        return self.write(wanted, self.random.randint(2, MAX_DEPTH))

    def write(self, wanted: str, depth: int) -> str:
        if self.random.random() < WRONG:
            wanted = self.random.choice(_TYPES)
        if depth <= 0 or self.random.random() < 0.15:
            return self._leaf(wanted)
        return self.random.choice(self.makers[wanted])(depth - 1)

    # ----------------------------------------------------------------- leaves

    def _leaf(self, wanted: str) -> str:
        bound = [name for name, kind in self.scope if kind == wanted]
        if bound and self.random.random() < 0.6:
            return self.random.choice(bound)
        if wanted in ("record", "records") or self.random.random() < 0.5:
            return self.random.choice(_VARIABLES[wanted])
        return self._literal(wanted)

    def _literal(self, wanted: str) -> str:
        pick = self.random.choice
        if wanted == "bool":
            return pick(("true", "false"))
        if wanted == "int":
            return str(pick(INTS))
        if wanted == "double":
            return repr(pick(DOUBLES)).replace("e+", "e")
        if wanted == "string":
            return f"'{pick(STRINGS)}'"
        if wanted == "bytes":
            return pick(("b''", "b'a'", "b'ab'", "b'\\xff'"))
        if wanted == "time":
            return f"timestamp('{pick(WRITTEN_TIMES)}')"
        if wanted == "span":
            return f"duration('{pick(('0s', '36h', '-90s', '1h30m', '1.5s', '250ms'))}')"
        if wanted == "map":
            return "{}"
        return "[]"

    # ----------------------------------------------------------------- bool

    def _logic(self, depth: int) -> str:
        operator = self.random.choice((" && ", " || "))
        return (
            "(" + operator.join(self.write("bool", depth) for _ in range(self.random.choice((2, 2, 3)))) + ")"
        )

    def _not(self, depth: int) -> str:
        return f"!{self._operand('bool', depth)}"

    def _operand(self, wanted: str, depth: int) -> str:
        return f"({self.write(wanted, depth)})"

    def _order(self, depth: int) -> str:
        wanted = self.random.choice(_COMPARED)
        operator = self.random.choice(("<", "<=", ">", ">="))
        return f"({self.write(wanted, depth)} {operator} {self.write(wanted, depth)})"

    def _equality(self, depth: int) -> str:
        wanted = self.random.choice((*_COMPARED, "string", "string", "int", "ints", "strings", "map"))
        operator = self.random.choice(("==", "!="))
        return f"({self.write(wanted, depth)} {operator} {self.write(wanted, depth)})"

    def _member(self, depth: int) -> str:
        where = self.random.choice(("ints", "strings", "map"))
        return f"({self.write(_ELEMENTS[where], depth)} in {self.write(where, depth)})"

    def _quantifier(self, depth: int) -> str:
        macro = self.random.choice(("all", "all", "exists", "exists_one"))
        return self._macro(
            macro, self.random.choice(("ints", "strings", "records", "records", "map")), "bool", depth
        )

    def _macro(self, macro: str, over: str, body: str, depth: int, condition: str = "") -> str:
        source = self._operand(over, depth)
        variable = f"v{len(self.scope)}"
        self.scope.append((variable, _ELEMENTS[over]))
        inner = f"{self.write(condition, depth)}, " if condition else ""
        text = f"{source}.{macro}({variable}, {inner}{self.write(body, depth)})"
        self.scope.pop()
        return text

    def _text_test(self, depth: int) -> str:
        function = self.random.choice(("startsWith", "endsWith", "contains", "matches"))
        other = f"'{self.random.choice(PATTERNS)}'" if function == "matches" else self.write("string", depth)
        return f"{self._operand('string', depth)}.{function}({other})"

    def _has(self, depth: int) -> str:
        if self.random.random() < 0.5:
            return f"has({self._operand('map', depth)}.{self.random.choice(_KEYS)})"
        fields = [name for names in _FIELDS.values() for name in names]
        return f"has({self._operand('record', depth)}.{self.random.choice((*fields, 'missing'))})"

    # ----------------------------------------------------------------- what several types have

    def _field(self, wanted: str) -> Callable[[int], str]:
        return lambda depth: f"{self._operand('record', depth)}.{self.random.choice(_FIELDS[wanted])}"

    def _choice(self, wanted: str) -> Callable[[int], str]:
        return lambda depth: (
            f"({self.write('bool', depth)} ? {self.write(wanted, depth)} : {self.write(wanted, depth)})"
        )

    def _item(self, wanted: str) -> Callable[[int], str]:
        over = {"int": "ints", "string": "strings", "record": "records"}.get(wanted)
        if over is None:
            return lambda depth: f"[{self.write(wanted, depth)}][0]"
        return lambda depth: f"{self._operand(over, depth)}[{self.random.choice((0, 0, 0, 1, -1, 9))}]"

    def _plus(self, wanted: str) -> Callable[[int], str]:
        return lambda depth: f"({self.write(wanted, depth)} + {self.write(wanted, depth)})"

    def _convert(self, function: str, *sources: str) -> Callable[[int], str]:
        return lambda depth: f"{function}({self.write(self.random.choice(sources), depth)})"

    # ----------------------------------------------------------------- numbers

    def _sum(self, wanted: str) -> Callable[[int], str]:
        return lambda depth: (
            f"({self.write(wanted, depth)} {self.random.choice('+-*/%')} {self.write(wanted, depth)})"
        )

    def _quotient(self, depth: int) -> str:
        return f"({self.write('double', depth)} {self.random.choice('+-*/')} {self.write('double', depth)})"

    def _minus(self, depth: int) -> str:
        return f"-{self._operand('int', depth)}"

    def _size(self, depth: int) -> str:
        wanted = self.random.choice(("string", "ints", "strings", "records", "map", "bytes"))
        text = self.write(wanted, depth)
        return f"size({text})" if self.random.random() < 0.5 else f"({text}).size()"

    def _entry(self, depth: int) -> str:
        key = self.random.choice(_KEYS)
        text = self._operand("map", depth)
        return f"{text}.{key}" if self.random.random() < 0.5 else f"{text}['{key}']"

    # ----------------------------------------------------------------- lists, maps, times

    def _list(self, element: str) -> Callable[[int], str]:
        return lambda depth: (
            "[" + ", ".join(self.write(element, depth) for _ in range(self.random.randint(0, 3))) + "]"
        )

    def _filter(self, over: str) -> Callable[[int], str]:
        return lambda depth: self._macro("filter", over, "bool", depth)

    def _map(self, body: str) -> Callable[[int], str]:
        def write(depth: int) -> str:
            over = self.random.choice(("ints", "strings", "records"))  # in what order a map is read is open
            return self._macro("map", over, body, depth, self.random.choice(("", "", "bool")))

        return write

    def _map_of_ints(self, depth: int) -> str:
        keys = self.random.sample(_KEYS, self.random.randint(0, 3))
        return "{" + ", ".join(f"'{key}': {self.write('int', depth)}" for key in keys) + "}"

    def _moved(self, depth: int) -> str:
        return f"({self.write('time', depth)} {self.random.choice('+-')} {self.write('span', depth)})"

    def _distance(self, depth: int) -> str:
        return f"({self.write('time', depth)} - {self.write('time', depth)})"

    # ----------------------------------------------------------------- the extensions that we have

    def _part(self, depth: int) -> str:
        ends = ", ".join(str(self.random.randint(-1, 3)) for _ in range(self.random.randint(1, 2)))
        return f"{self._operand('string', depth)}.substring({ends})"

    def _cased(self, depth: int) -> str:
        return (
            f"{self._operand('string', depth)}.{self.random.choice(('lowerAscii', 'upperAscii', 'trim'))}()"
        )

    def _replaced(self, depth: int) -> str:
        limit = self.random.choice(("", ", 0", ", 1", ", -1", ", 2"))
        parts = f"{self.write('string', depth)}, {self.write('string', depth)}{limit}"
        return f"{self._operand('string', depth)}.replace({parts})"

    def _joined(self, depth: int) -> str:
        return (
            f"{self._operand('strings', depth)}.join({self.random.choice(('', self.write('string', depth)))})"
        )

    def _split(self, depth: int) -> str:
        limit = self.random.choice(("", ", 0", ", 1", ", -1", ", 2"))
        return f"{self._operand('string', depth)}.split({self.write('string', depth)}{limit})"


# --------------------------------------------------------------------------- values


_VALUES: Final[Mapping[str, Callable[[Random], Any]]] = {
    "b": lambda random: random.random() < 0.5,
    "c": lambda random: random.random() < 0.5,
    "n": lambda random: random.choice(INTS),
    "k": lambda random: random.choice(INTS[:9]),
    "d": lambda random: random.choice(DOUBLES),
    "s": lambda random: random.choice(STRINGS),
    "t": lambda random: random.choice(STRINGS),
    "y": lambda random: random.choice(BYTES),
    "ns": lambda random: [random.choice(INTS[:9]) for _ in range(random.randint(0, 4))],
    "ss": lambda random: [random.choice(STRINGS) for _ in range(random.randint(0, 3))],
    "m": lambda random: {key: random.choice(INTS) for key in random.sample(_KEYS, random.randint(0, 3))},
    "at": lambda random: random.choice(TIMES),
    "for_": lambda random: random.choice(SPANS),
    "r": lambda random: record(random, 2),
    "rs": lambda random: [record(random, 1) for _ in range(random.randint(0, 3))],
}
ALL: Final = frozenset(_VALUES)


def environment(random: Random, names: Set[str]) -> dict[str, Any]:
    """Plain values for these variables (other names are passed over); `ours` makes records of the maps among them."""
    return {name: value(random) for name, value in _VALUES.items() if name in names}


def record(random: Random, depth: int) -> dict[str, Any]:
    """A map that stands for a record: a field that is not stated is not there."""
    values = {
        "id": f"A-{random.randint(1, 12)}",
        "status": random.choice(WORDS),
        "n": random.choice(INTS[:9]),
        "done": random.random() < 0.5,
        "tags": [random.choice(STRINGS) for _ in range(random.randint(0, 3))],
        "counts": [random.choice(INTS[:9]) for _ in range(random.randint(0, 3))],
        "blocked_by": [record(random, depth - 1) for _ in range(random.randint(0, 2))] if depth else [],
    }
    return {key: value for key, value in values.items() if key == "id" or random.random() < 0.9}


def ours(value: Any) -> Any:
    """The same value as the evaluators take it."""
    if isinstance(value, list):
        return tuple(ours(each) for each in value)
    if isinstance(value, dict) and "id" in value:
        values = {key: ours(each) for key, each in value.items()}
        return Record(kind="task", id=value["id"], place=None, values=values, places={})
    return {key: ours(each) for key, each in value.items()} if isinstance(value, dict) else value
