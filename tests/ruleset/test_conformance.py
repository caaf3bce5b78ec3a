"""The public conformance suite of CEL (`conformance/README.md`): every test of it runs, or is listed with its reason.

`left_out.json` lists the suites that are not vendored and the tests that cannot pass, each under one of the reasons of
`REASONS`, and each reason is a row of the table of differences in `docs/expressions.md`. A test that is listed and
would pass is a fault too, so that the list never grows larger than the differences.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cortex_policy.ruleset import syntax
from cortex_policy.ruleset.checker import Environment, Signature, check
from cortex_policy.ruleset.evaluator import compile_expression
from cortex_policy.ruleset.functions import STANDARD
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.proof import compile_proof
from cortex_policy.ruleset.syntax import SyntaxFault, Type
from tests.docs.pages import section, table

HERE = Path(__file__).parent / "conformance"
SUITES: dict[str, int] = json.loads((HERE / "suites.json").read_text(encoding="utf-8"))
LEFT_OUT = json.loads((HERE / "left_out.json").read_text(encoding="utf-8"))

LEAST_RATIO = 0.98
LEAST_RUN = 975
"""Of 2,344 tests so many are within the language; a suite that nearly all is left out of would prove nothing."""

_PRIMITIVES = {
    "INT64": syntax.INT,
    "DOUBLE": syntax.DOUBLE,
    "BOOL": syntax.BOOL,
    "STRING": syntax.STRING,
    "BYTES": syntax.BYTES,
}
_MESSAGES = {"type.googleapis.com/google.protobuf.Duration": "duration"} | {
    "type.googleapis.com/google.protobuf.Timestamp": "timestamp"
}


class NotOurs(Exception):
    """The test speaks of a type or a function that the language does not have."""


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every vendored test with its name: suite/section/test, and which of those of one name it is."""
    for path in sorted((HERE / "data").glob("*.json")):
        for part, tests in json.loads(path.read_text(encoding="utf-8")).items():
            seen: dict[str, int] = {}
            for test in tests:
                name = f"{path.stem}/{part}/{test['name']}"
                seen[name] = seen.get(name, 0) + 1
                yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), test


CASES = dict(cases())
REASON_OF = {name: reason for reason, names in LEFT_OUT["tests"].items() for name in names}


# --------------------------------------------------------------------------- what a test says, in our values


def _value(written: dict[str, Any]) -> Any:
    ((kind, value),) = written.items()
    if kind in ("stringValue", "boolValue", "nullValue"):
        return value
    if kind == "int64Value":
        return int(value)
    if kind == "doubleValue":
        return float(value)
    if kind == "bytesValue":
        return base64.b64decode(value)
    if kind == "listValue":
        return tuple(_value(each) for each in value.get("values", []))
    if kind == "mapValue":
        return {_value(entry["key"]): _value(entry["value"]) for entry in value.get("entries", [])}
    if kind == "objectValue" and value["@type"] in _MESSAGES:
        return STANDARD[_MESSAGES[value["@type"]]](value["value"])
    raise NotOurs(kind)


def _type(written: dict[str, Any]) -> Type:
    ((kind, value),) = written.items()
    if kind == "primitive" and value in _PRIMITIVES:
        return _PRIMITIVES[value]
    if kind == "listType":
        return syntax.list_of(_type(value["elemType"]))
    if kind == "wellKnown":
        return {"ANY": syntax.DYN, "TIMESTAMP": syntax.TIMESTAMP, "DURATION": syntax.DURATION}[value]
    if kind in ("null", "dyn", "mapType"):
        return {"null": syntax.NULL, "dyn": syntax.DYN, "mapType": syntax.MAP}[kind]
    raise NotOurs(kind)


def _same(left: Any, right: Any) -> bool:
    """Of one type and equal; NaN is itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right) or (isinstance(left, float) and math.isnan(left) and math.isnan(right))


# --------------------------------------------------------------------------- running one


def _checked(test: dict[str, Any], node: syntax.Node) -> Type | None:
    """The type that our checker gives. Raises SyntaxFault."""
    variables, functions = {}, {}
    for declared in test.get("typeEnv", []):
        if "ident" in declared:
            variables[declared["name"]] = _type(declared["ident"]["type"])
        else:
            functions[declared["name"]] = _signature(declared["function"]["overloads"])
    if test.get("disableCheck"):
        return None
    return check(node, Environment(variables=variables, functions=functions))


def _signature(overloads: list[dict[str, Any]]) -> Signature:
    if len(overloads) > 1:
        raise NotOurs("a function with several signatures")
    overload = overloads[0]
    return Signature(tuple(_type(each) for each in overload["params"]), _type(overload["resultType"]))


def _lacks(reason: str) -> bool:
    """Whether an expression was refused for a part of CEL that we lack; that it is refused proves nothing then."""
    if reason == "there is no function `f_unknown`":
        return False  # nobody has it
    return reason.startswith("there is no function") or reason == "an expression cannot construct messages"


def _evaluated(node: syntax.Node, test: dict[str, Any]) -> Any:
    """The value by both evaluators, which must agree."""
    values = {name: _value(bound["value"]) for name, bound in test.get("bindings", {}).items()}
    fast = compile_expression(node, {})(values)
    assert _same(compile_proof(node, {})(values).value, fast)
    if isinstance(fast, Failure) and _lacks(fast.reason):
        raise NotOurs(fast.reason)
    return fast


def problem_of(test: dict[str, Any]) -> str:
    """What is wrong with our outcome of a test; nothing if it passes."""
    wants_error = "evalError" in test
    try:
        node = parse(test["expr"])
        found = _checked(test, node)
        value = None if test.get("checkOnly") else _evaluated(node, test)
    except SyntaxFault as fault:
        return "" if wants_error and not _lacks(fault.message) else f"refused: {fault.message}"
    except NotOurs as reason:
        return f"not ours: {reason}"
    if wants_error:
        return "" if isinstance(value, Failure) else f"{value!r} in place of an error"
    return _mismatch(test, found, value)


def _mismatch(test: dict[str, Any], found: Type | None, value: Any) -> str:
    typed = test.get("typedResult", {})
    try:
        wanted = typed.get("result") or test.get("value") or {"boolValue": True}
        if not test.get("checkOnly") and not _same(value, _value(wanted)):
            return f"{value!r} in place of {_value(wanted)!r}"
        if "deducedType" in typed and found != _type(typed["deducedType"]):
            return f"of type {found} in place of {typed['deducedType']}"
    except NotOurs as reason:
        return f"not ours: {reason}"
    return ""


@cache
def problems() -> dict[str, str]:
    return {name: problem_of(test) for name, test in CASES.items()}


# --------------------------------------------------------------------------- the tests


def test_the_vendored_files_hold_every_test_of_their_suites() -> None:
    counts = {suite: 0 for suite in SUITES if suite not in LEFT_OUT["suites"]}
    for name in CASES:
        counts[name.split("/")[0]] += 1
    assert counts == {suite: count for suite, count in SUITES.items() if suite in counts}
    assert sum(SUITES.values()) == 2_344


def test_every_test_runs_or_is_listed_once_with_a_reason() -> None:
    listed = [name for names in LEFT_OUT["tests"].values() for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(CASES)
    assert set(LEFT_OUT["suites"]) <= set(SUITES)
    used = set(LEFT_OUT["tests"]) | set(LEFT_OUT["suites"].values())
    assert used == set(LEFT_OUT["reasons"])


def test_every_reason_is_a_row_of_the_table_of_differences() -> None:
    rows = [row[""] for row in table("docs/expressions.md", "Where this differs from CEL")]
    for reason, written in LEFT_OUT["reasons"].items():
        assert written["row"] in rows, reason
        assert written["why"], reason


def test_the_page_says_how_many_run() -> None:
    run = len(CASES) - len(REASON_OF)
    text = " ".join(section("docs/expressions.md", "Where this differs from CEL").split())
    assert f"of its {sum(SUITES.values()):,} tests {run:,} are within this language" in text
    assert f"The other {sum(SUITES.values()) - run:,} are listed" in text


def test_what_is_not_left_out_passes() -> None:
    failed = {name: problem for name, problem in problems().items() if problem and name not in REASON_OF}
    run = len(CASES) - len(REASON_OF)
    assert run >= LEAST_RUN
    assert (run - len(failed)) / run >= LEAST_RATIO, failed
    assert failed == {}, "these must pass, or be a difference that is documented"


@pytest.mark.parametrize("reason", LEFT_OUT["reasons"])
def test_nothing_is_left_out_that_would_pass(reason: str) -> None:
    assert [name for name in LEFT_OUT["tests"].get(reason, []) if not problems()[name]] == []
