"""Our two evaluators against two stock implementations of CEL, over 100,000 generated expressions and values.

Wherever nothing is unknown, all four must give the same value, or all four an error. What may differ is named: the
differences that `docs/expressions.md` lists, and the faults of a stock implementation in which the other one agrees
with us; each is told by what was asked in the expression, and a share of them that grew would be a failure too.
Why these two: `docs/adr/0006-stock-cel-in-tests.md`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple

import cel as rust
import pytest
from cel_expr_python import cel as cpp
from cel_expr_python.ext import ext_strings

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.evaluator import compile_expression
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.proof import Proof, compile_proof, walk
from cortex_policy.ruleset.syntax import Binary, Call, Comprehension, HasTest, Unary
from tests.docs.pages import table
from tests.ruleset.generated import ALL, Writer, environment, ours

SHARDS: Final = 10
EXPRESSIONS: Final = 5_800
"""Expressions of one shard."""
VALUES_EACH: Final = 2
LEAST: Final = 10_000
"""Cases of one shard in which all four agree: what remains without those that are unknown or excused."""
MOST_EXCUSED: Final = 0.03
"""Of the cases in which nothing is unknown."""

ERROR: Final = "error"
REFUSED: Final = "not even parsed"
"""No outcome of ours: everything that is generated must parse everywhere."""


class Case(NamedTuple):
    """One expression over one set of values: the outcomes, each as `plain` has it, and our proof."""

    text: str
    values: dict[str, Any]
    fast: Any
    proof: Proof
    stock: Mapping[str, Any]

    @property
    def is_known(self) -> bool:
        return not any(
            part.value is UNKNOWN or part.value.__class__ is OpenTuple for part in walk(self.proof)
        )


# --------------------------------------------------------------------------- outcomes


def plain(value: Any) -> Any:
    """An outcome in which the types count, as all implementations can be compared by."""
    if isinstance(value, Failure):
        return ERROR
    if isinstance(value, Record):
        return plain(value.values)
    if isinstance(value, list | tuple):
        return ("list", tuple(plain(each) for each in value))
    if isinstance(value, dict):
        return ("map", frozenset((plain(key), plain(each)) for key, each in value.items()))
    if isinstance(value, float) and math.isnan(value):
        return ("float", "nan")
    return ("bytes", bytes(value)) if isinstance(value, bytes | bytearray) else (type(value).__name__, value)


_NAME: Final = re.compile(r"[a-z_]+")
_VARIABLES: Final = {"at": cpp.Type.TIMESTAMP, "for_": cpp.Type.DURATION}
_CPP: Final = cpp.NewEnv(
    variables={name: _VARIABLES.get(name, cpp.Type.DYN) for name in environment(Random(0), ALL)},
    extensions=[ext_strings.ExtStrings()],
)


Ask = Callable[[dict[str, Any]], Any]


def by_cpp(text: str) -> Ask:
    """What cel-cpp makes of the expression. The library raises its errors, or gives them as values."""
    try:
        program = _CPP.compile(text, disable_check=True)
    except (RuntimeError, ValueError):
        return lambda values: REFUSED

    def ask(values: dict[str, Any]) -> Any:
        found = program.eval(data=values)
        return ERROR if found.type() == cpp.Type.ERROR else plain(found.plain_value())

    return ask


def by_rust(text: str) -> Ask:
    """What cel-rust makes of the expression. Whatever goes wrong is a standard exception of Python."""
    try:
        program = rust.compile(text)
    except ValueError:
        return lambda values: REFUSED

    def ask(values: dict[str, Any]) -> Any:
        try:
            return plain(program.execute(values))
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError):
            return ERROR

    return ask


STOCKS: Final[Mapping[str, Callable[[str], Ask]]] = {"cpp": by_cpp, "rust": by_rust}

# --------------------------------------------------------------------------- what may differ

Tells = Callable[[Proof], bool]


def _operands(part: Proof, *operators: str) -> tuple[Any, ...]:
    """The values on both sides of one of these operators, or nothing."""
    if not isinstance(part.node, Binary) or part.node.operator not in operators:
        return ()
    return tuple(child.value for child in part.children)


def _argument(part: Proof, function: str) -> Any:
    """The first argument of a call of this function, `_NOTHING` for any other node."""
    if not isinstance(part.node, Call) or part.node.function != function or not part.children:
        return _NOTHING
    return part.children[0].value


_NOTHING: Final = object()


def _kinds(values: tuple[Any, ...]) -> tuple[type, ...]:
    return tuple(type(value) for value in values)


def _compares_types(part: Proof) -> bool:
    return (
        bool(_operands(part, "==", "!=", "in"))
        and isinstance(part.value, Failure)
        and part.value.reason.startswith("cannot compare")
    )


def _has_of_an_empty_list(part: Proof) -> bool:
    if not isinstance(part.node, HasTest) or part.value is not False:
        return False
    held = part.children[0].value
    return (held.values if isinstance(held, Record) else held).get(part.node.select.field) == ()


def _asks_for_another_key(part: Proof) -> bool:
    return isinstance(part.value, Failure) and _kinds(_operands(part, "in"))[1:] == (dict,)


def _reads_a_map_in_order(part: Proof) -> bool:
    if not isinstance(part.node, Comprehension) or part.node.macro not in ("map", "filter"):
        return False
    held = part.children[0].value
    return isinstance(held, dict) and len(held) > 1


def _one_of_two_and_an_error(part: Proof) -> bool:
    return (
        isinstance(part.node, Comprehension)
        and part.node.macro == "exists_one"
        and part.value is False
        and any(isinstance(child.value, Failure) for child in part.children[1:])
    )


def _floats_by_zero(part: Proof) -> bool:
    values = _operands(part, "/")
    return _kinds(values) == (float, float) and values[1] == 0


OURS: Final[Mapping[str, Tells]] = {
    '`1 == "a"` (values known at run time only)': _compares_types,
    "`has(m.k)` of an empty list in a map": _has_of_an_empty_list,
    "keys of maps": _asks_for_another_key,
    "`1.0 / 0.0`": lambda part: isinstance(part.value, Failure) and _floats_by_zero(part),
    "`exists_one` with an error in one element": _one_of_two_and_an_error,
    "order of the keys of a map": _reads_a_map_in_order,
    "`string(1e21)` and the like": lambda part: isinstance(_argument(part, "string"), float),
    "`string` of a time with an offset": lambda part: isinstance(_argument(part, "string"), datetime),
}
"""Where we differ, by the row of the table in `docs/expressions.md`, and how it is told."""


def _is_text_beyond_ascii(value: Any) -> bool:
    return isinstance(value, str) and not value.isascii()


def _negated(part: Proof) -> Any:
    is_minus = isinstance(part.node, Unary) and part.node.operator == "-"
    return part.children[0].value if is_minus else _NOTHING


def _part_to_the_end(part: Proof) -> bool:
    text = _argument(part, "substring")
    return isinstance(text, str) and isinstance(part.value, str) and part.children[-1].value == len(text)


STOCK: Final[Mapping[str, Mapping[str, Tells]]] = {
    "cpp": {
        "int() of a bool is an int": lambda part: isinstance(_argument(part, "int"), bool),
        "substring() up to the last character is an error": _part_to_the_end,
        "split() of nothing by nothing has an element": lambda part: (
            _argument(part, "split") == "" == part.children[1].value
        ),
        "string() of a duration has three digits or none": lambda part: isinstance(
            _argument(part, "string"), timedelta
        ),
    },
    "rust": {
        "size() counts bytes": lambda part: _is_text_beyond_ascii(_argument(part, "size")),
        "string() knows no bool": lambda part: isinstance(_argument(part, "string"), bool),
        "string() of a duration is as Go has it": lambda part: isinstance(
            _argument(part, "string"), timedelta
        ),
        "string() of bytes that are no text is a text": lambda part: isinstance(
            _argument(part, "string"), bytes
        ),
        "int() knows no time": lambda part: isinstance(_argument(part, "int"), datetime),
        "a map can be added to a list": lambda part: _kinds(_operands(part, "+")) == (tuple, dict),
        "- of a bool is !": lambda part: isinstance(_negated(part), bool),
        "- of the least int wraps": lambda part: _negated(part) == -(2**63),
        "a duration plus a time has no meaning": lambda part: (
            _kinds(_operands(part, "+")) == (timedelta, datetime)
        ),
    },
}
"""Where one stock implementation differs from the other, which agrees with us."""


def excuse(case: Case, stock: str) -> str:
    """The first difference that explains why `stock` came to another outcome; nothing if none does."""
    told = {**STOCK[stock], **OURS}
    for name, tells in told.items():
        if any(tells(part) for part in walk(case.proof)):
            return name
    return ""


# --------------------------------------------------------------------------- the tests


def made(
    seed: int, count: int, stocks: Mapping[str, Callable[[str], Ask]], *, extensions: bool = False
) -> Iterator[Case]:
    """So many expressions, no two alike, each over `VALUES_EACH` sets of values (over one, if it has no variable)."""
    writer = Writer(seed, extensions=extensions)
    random = Random(-seed)
    for text in islice(_unlike(writer), count):
        names = ALL.intersection(_NAME.findall(text))
        node = parse(text)
        fast, prove = compile_expression(node, {}), compile_proof(node, {})
        asks = {name: ask(text) for name, ask in stocks.items()}
        for _ in range(VALUES_EACH if names else 1):
            values = environment(random, names)
            own = {name: ours(value) for name, value in values.items()}
            yield Case(
                text, values, plain(fast(own)), prove(own), {name: ask(values) for name, ask in asks.items()}
            )


def _unlike(writer: Writer) -> Iterator[str]:
    seen: set[str] = set()
    while True:
        text = writer.expression()
        if text not in seen:
            seen.add(text)
            yield text


class Compared(NamedTuple):
    """`agreed` cases, all of them with nothing unknown; how often each difference was met; and what nothing explains,
    the shortest expression first. `unknown` counts the cases in which something was, and which are held to less."""

    agreed: int
    unknown: int
    excused: Counter[str]
    faults: list[Case]


def compared(cases: Iterator[Case]) -> Compared:
    agreed = unknown = 0
    excused: Counter[str] = Counter()
    faults = []
    for case in cases:
        assert plain(case.proof.value) == case.fast, case.text
        differing = [name for name, outcome in case.stock.items() if not _fits(case, outcome)]
        found = [excuse(case, name) for name in differing]
        if not all(found):
            faults.append(case)
        elif not case.is_known:
            unknown += 1
        elif found:
            excused.update(set(found))
        else:
            agreed += 1
    return Compared(agreed, unknown, excused, sorted(faults, key=lambda case: len(case.text)))


def _fits(case: Case, outcome: Any) -> bool:
    """Whether an outcome of CEL goes with ours.

    Where something is missing, CEL has an error and we have unknown; so ours must be unknown only where CEL has an
    error, and what both decide must be the same.
    """
    if outcome == case.fast:
        return True
    if case.is_known:
        return False
    return bool(outcome == ERROR)


def shown(case: Case) -> str:
    outcomes = " ".join(f"{name}: {outcome}" for name, outcome in case.stock.items())
    return f"{case.text}\n  over {case.values}\n  ours: {case.fast}  {outcomes}"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_all_four_agree_wherever_nothing_is_unknown(shard: int) -> None:
    found = compared(made(shard, EXPRESSIONS, STOCKS))
    assert not found.faults, f"{len(found.faults)} cases, the shortest: {shown(found.faults[0])}"
    assert found.agreed >= LEAST
    assert found.excused.total() <= MOST_EXCUSED * found.agreed, found.excused
    assert found.unknown > 0


def test_the_extensions_agree_with_the_one_that_has_them() -> None:
    found = compared(made(SHARDS, 2_000, {"cpp": by_cpp}, extensions=True))
    assert not found.faults, f"{len(found.faults)} cases, the shortest: {shown(found.faults[0])}"
    assert found.agreed >= 3_500
    assert found.excused.total() <= MOST_EXCUSED * found.agreed, found.excused


def test_at_least_100_000_cases_are_compared_and_there_is_some_of_everything() -> None:
    assert SHARDS * LEAST >= 100_000
    cases = list(made(0, 1_000, {}))
    assert len({case.text for case in cases}) == 1_000
    outcomes = Counter("error" if case.fast == ERROR else case.fast[0] for case in cases)
    assert {"error", "bool", "int", "str", "list", "map", "float", "bytes"} <= set(outcomes)
    assert outcomes["error"] <= len(cases) // 3


@pytest.mark.parametrize(("text", "name"), [
    ("n == s", '`1 == "a"` (values known at run time only)'),
    ("1.0 / 0.0 > 1.0", "`1.0 / 0.0`"),
    ("has({'a': []}.a)", "`has(m.k)` of an empty list in a map"),
    ("[1, 1, 0].exists_one(x, 1 / x == 1)", "`exists_one` with an error in one element"),
    ("true in {'a': 1}", "keys of maps"),
])  # fmt: skip
def test_the_documented_differences_are_really_there(text: str, name: str) -> None:
    case = _case(text, {"n": 1, "s": "a"})
    assert all(outcome != case.fast for outcome in case.stock.values())
    assert all(excuse(case, stock) == name for stock in STOCKS)


def _case(text: str, values: dict[str, Any]) -> Case:
    node = parse(text)
    fast, proof = compile_expression(node, {})(values), compile_proof(node, {})(values)
    return Case(text, values, plain(fast), proof, {name: ask(text)(values) for name, ask in STOCKS.items()})


def test_a_difference_that_is_not_named_is_found() -> None:
    """The comparison can fail: outcomes that were tampered with are faults."""
    case = _case("n + 1 == 2", {"n": 1})
    for outcome in (plain(False), plain(1), ERROR, REFUSED):
        wrong = case._replace(stock={**case.stock, "rust": outcome})
        assert compared(iter([case, wrong])).faults == [wrong]
    lost = _case("m.a == 2", {"m": {}})
    assert compared(iter([lost])) == (0, 1, Counter(), [])
    wrong = lost._replace(stock={**lost.stock, "cpp": plain(False)})
    assert compared(iter([wrong])).faults == [wrong]


def test_every_difference_that_excuses_is_documented() -> None:
    rows = {row[""] for row in table("docs/expressions.md", "Where this differs from CEL")}
    assert set(OURS) <= rows
