"""What values and expressions can be built to do harm: an outcome within a second in every evaluator, and never true.

Time is that of the processor, so that a busy machine does not decide.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

import pytest
from hypothesis import given, settings

from cortex_policy.app.reading import read_files
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.evaluator import compile_expression
from cortex_policy.ruleset.explain import explain
from cortex_policy.ruleset.operators import OVER_BUDGET, Failure
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.proof import compile_proof, reads
from cortex_policy.ruleset.syntax import nests
from cortex_policy.ruleset.template import show
from cortex_policy.verdicts import decide
from cortex_policy.verdicts.gates import Verdict
from tests.ruleset.test_laws import ENVIRONMENTS, EXPRESSIONS, FUNCTIONS, key
from tests.support import NOW, ruleset
from tests.verdicts.test_gate_verdicts import GATE, READY, outcomes, verdict

SECONDS: Final = 1.0
TRACED: Final = 30.0
"""Measuring the coverage of tests makes every line that they run many times slower."""


def allowed() -> float:
    monitoring = getattr(sys, "monitoring", None)
    is_traced = sys.gettrace() is not None or (monitoring and monitoring.get_tool(monitoring.COVERAGE_ID))
    return TRACED if is_traced else SECONDS


Evaluator = Callable[[str, dict[str, Any]], Any]


def fast(text: str, values: dict[str, Any]) -> Any:
    return compile_expression(parse(text), {})(values)


def proof(text: str, values: dict[str, Any]) -> Any:
    found = compile_proof(parse(text), {})(values)
    reads(found)
    return found.value


def explained(text: str, values: dict[str, Any]) -> Any:
    return explain(parse(text), values, {}).value


EVALUATORS: Final = (fast, proof, explained)


def within_a_second(evaluator: Evaluator, text: str, values: dict[str, Any]) -> Any:
    """The outcome, which can be shown, and took no longer."""
    start = time.process_time()
    found = evaluator(text, values)
    shown = show(found)
    took = time.process_time() - start
    assert took < allowed(), f"{took:.1f} s for {text}"
    assert isinstance(shown, str)
    return found


# --------------------------------------------------------------------------- deep and cyclic data

DEPTH: Final = 50_000


def record(name: str, **values: Any) -> Record:
    return Record(kind="task", id=name, place=None, values=values, places={})


def deep(wrap: Callable[[Any], Any], core: Any) -> Any:
    for _ in range(DEPTH):
        core = wrap(core)
    return core


def cyclic_record() -> Record:
    found = record("A")
    found.values["a"] = found
    return found


def cyclic_map() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["a"] = found
    return found


def cyclic_list() -> tuple[Any, ...]:
    inner: dict[str, Any] = {}
    inner["a"] = (inner, 1)
    return (inner["a"], 1)


DEEP: Final[dict[str, Callable[[], Any]]] = {
    "lists": lambda: deep(lambda core: (core,), ()),
    "open lists": lambda: deep(lambda core: OpenTuple((core,)), ()),
    "maps": lambda: deep(lambda core: {"a": core}, {}),
    "records": lambda: deep(lambda core: record("A", a=core), 1),
    "a record in itself": cyclic_record,
    "a map in itself": cyclic_map,
    "a list in itself": cyclic_list,
}
ASKED: Final = (
    "x == y; x != y; x in [y]; [x] == [y]; {'a': x} == {'a': y}; x < y; x.a == y.a; x.a.a.a; has(x.a); size(x)"
    "; x + x; -x; !x; x && true; x ? 1 : 2; x[0]; x['a']; x in x; x.all(v, v == y); x.map(v, v)"
    "; [x, x].exists_one(v, v == y); [x].filter(v, v == y); [x, y].distinct(); [x, y].sort(); min([x, y]); sum([x])"
    "; string(x); int(x); dyn(x); [x].join(); x.matches('a'); x == null"
).split("; ")


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_data_50_000_levels_deep_and_data_in_itself_overflow_nothing(
    evaluator: Evaluator, shape: str
) -> None:
    values = {"x": DEEP[shape](), "y": DEEP[shape]()}
    for text in ASKED:
        within_a_second(evaluator, text, values)


@pytest.mark.parametrize("shape", ["lists", "maps", "a map in itself", "a list in itself"])
@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_what_lies_too_deep_to_compare_is_an_error(evaluator: Evaluator, shape: str) -> None:
    values = {"x": DEEP[shape](), "y": DEEP[shape]()}
    for text in ("x == y", "x != y", "x in [y]", "[x] == [y]"):
        found = evaluator(text, values)
        assert isinstance(found, Failure), text
        assert "16 levels" in found.reason


# --------------------------------------------------------------------------- endless work

HUNDRED: Final = tuple(range(100))
MACROS: Final = {
    "all": "a + b + c + d + e >= 0",
    "exists": "a + b + c + d + e < 0",
    "exists_one": "a + b + c + d + e < 0",
    "map": "a + b + c + d + e",
}


def five_times(macro: str, body: str) -> str:
    for variable in "edcba":
        body = f"h.{macro}({variable}, {body})"
    return body


@pytest.mark.parametrize(
    "text", ["{} || true", "true && ({} || true)", "!({} && false)", "({} ? 1 : 2) == 1 || true"]
)
def test_nothing_makes_up_for_a_budget_that_is_used_up(text: str) -> None:
    tree = parse(text.format("(" + five_times("exists", "a + b + c + d + e < 0") + ")"))
    env = {"h": HUNDRED}
    assert compile_expression(tree, FUNCTIONS)(env) is OVER_BUDGET
    assert compile_proof(tree, FUNCTIONS)(env).value is OVER_BUDGET


@pytest.mark.parametrize("macro", MACROS)
@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_a_hundred_to_the_fifth_ends_in_an_error(evaluator: Evaluator, macro: str) -> None:
    text = five_times(macro, MACROS[macro])
    assert within_a_second(evaluator, text, {"h": HUNDRED}) == OVER_BUDGET
    assert within_a_second(evaluator, f"{text} == {text}", {"h": HUNDRED}) == OVER_BUDGET


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, ENVIRONMENTS)
def test_deciding_first_changes_no_value(text: str, env: dict[str, Any]) -> None:
    """Nested macros are evaluated fast before they are proved; what is proved is the same."""
    nested = f"[1].all(w, [2].all(z, true)) ? {text} : 0"
    assert nests(parse(nested))
    assert key(compile_proof(parse(nested), FUNCTIONS)(env).value) == key(
        compile_expression(parse(text), FUNCTIONS)(env)
    )
    assert key(explain(parse(nested), env, FUNCTIONS).value) == key(
        compile_expression(parse(text), FUNCTIONS)(env)
    )


@pytest.mark.parametrize(("text", "wanted"), [
    ("x.all(a, a)", False),
    ("x.all(a, a).all(b, b)", False),
    ("x.map(a, a).filter(b, b)", False),
    ("x.all(a, a) && x.all(b, b)", False),
    ("x.all(a, x.all(b, b))", True),
    ("x.map(a, x.map(b, b), a)", True),
    ("x.all(a, a.all(b, b)).all(c, c)", True),
    ("!(x.exists(a, a in x.filter(b, b)))", True),
])  # fmt: skip
def test_a_macro_in_the_body_of_another_is_nested(text: str, wanted: bool) -> None:
    assert nests(parse(text)) is wanted


# --------------------------------------------------------------------------- catastrophic patterns

PATTERNS: Final = [
    "(a+)+$",
    "(a|a)*$",
    "(a|aa)+$",
    "(.*a){20}$",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(x+x+)+y",
    "a?" * 60 + "a" * 60,
    "((a{0,30}){0,30}){0,30}$",
]


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_is_catastrophic(evaluator: Evaluator, pattern: str) -> None:
    text = "a" * 60_000 + "!"
    for written in (f"s.matches('{pattern}')", "s.matches(p)"):
        found = within_a_second(evaluator, written, {"s": text, "p": pattern})
        assert found in (True, False) or isinstance(found, Failure)


# --------------------------------------------------------------------------- huge texts

HUGE: Final[dict[str, Callable[[int], str]]] = {
    "letters": lambda count: "a" * count,
    "letters beyond ascii": lambda count: "é" * count,
    "digits and a letter": lambda count: "1" * (count - 1) + "x",
    "hours": lambda count: "1h" * (count // 2),
    "commas": lambda count: "a," * (count // 2),
}
ASKED_OF_TEXT: Final = (
    "size(s); s == t; s < t; s + t; s + 'a'; s != 'a'; s.lowerAscii(); s.upperAscii(); s.trim(); s.split('')"
    "; s.split(','); s.split(',', 3); s.split('', 3); s.replace('a', 'b'); s.replace('a', ''); s.replace('', 'b')"
    "; s.substring(1); s.contains('zz'); s.startsWith('a'); s.endsWith('b'); s.matches('b'); s.matches('(a+)+$')"
    "; s.matches('^a'); matches('a', s); int(s); double(s); bool(s); string(s); bytes(s); duration(s); date(s)"
    "; timestamp(s); s in ['a']; s in [t]; s in {'a': 1}; {s: 1}; [s, t].distinct(); [s, t].sort(); [s, t].join()"
    "; [s].join(t); min([s, t]); sum([s]); s.all(x, true); [1, 2].map(x, s.lowerAscii()); {'a': s} == {'a': t}"
).split("; ")


@pytest.mark.parametrize("kind", HUGE)
def test_texts_of_40_megabytes_take_no_time(kind: str) -> None:
    text = HUGE[kind](40_000_000)
    values = {"s": text, "t": text[:-1] + "z"}
    for asked in ASKED_OF_TEXT:
        within_a_second(fast, asked, values)


@pytest.mark.parametrize(
    "asked", ["s + t", "s.replace('a', 'bb')", "s.split('')", "[s, t].join()", "matches('a', s)"]
)
@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_what_would_make_more_of_a_huge_text_is_an_error(evaluator: Evaluator, asked: str) -> None:
    values = {"s": "a" * 4_000_000, "t": "b" * 4_000_000}
    assert isinstance(within_a_second(evaluator, asked, values), Failure)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("double(s)", "1" * 60_000 + "x"),
        ("double(s)", "1" * 60_000),
        ("double(s)", "1." + "1" * 60_000 + "e"),
        ("duration(s)", "1h" * 30_000),
        ("duration(s)", "1h" * 30_000 + "x"),
        ("int(s)", "1" * 60_000),
    ],
)
@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_what_nobody_would_write_as_a_number_is_an_error(evaluator: Evaluator, asked: str, text: str) -> None:
    assert isinstance(within_a_second(evaluator, asked, {"s": text}), Failure)


@pytest.mark.parametrize("parts", ["a,", "a"])
def test_a_list_that_split_makes_is_bounded(parts: str) -> None:
    separator = "," if len(parts) == 2 else ""
    text = parts * 100_001
    assert isinstance(fast("s.split(t)", {"s": text, "t": separator}), Failure)
    assert len(fast("s.split(t, 100000)", {"s": text, "t": separator})) == 100_000
    assert isinstance(fast("s.split(t, 100001)", {"s": text, "t": separator}), Failure)


# --------------------------------------------------------------------------- slips

DAY = date(2026, 1, 31)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SLIPS: Final = [
    "1 / n == 1",
    "1 % n == 0",
    "1.0 / 0.0 > 1.0",
    "d == s",
    "d < s",
    "d in [s]",
    "now > s",
    "now - d > days(1)",
    "n == s",
    "i.title < 3",
    "[1, 's'].exists(x, x == 3)",
    "i.tags[9] == s",
    "n.field == 1",
    "no_such_name == 1",
    "no_such(1)",
    "n",
    "s",
]
AROUND: Final = ["{}", "!({})", "({}) && true", "({}) || false", "({}) ? true : true", "[1].all(x, {})"]


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_a_slip_is_an_error_however_it_is_wrapped(evaluator: Evaluator, slip: str) -> None:
    values = {"n": 0, "s": "text", "d": DAY, "now": NOON, "i": record("I", title="t", tags=("a",))}
    for around in AROUND if slip not in ("n", "s") else AROUND[1:]:
        assert isinstance(evaluator(around.format(slip), values), Failure), around


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_a_field_that_nobody_stated_is_unknown_however_it_is_wrapped(
    evaluator: Evaluator, around: str
) -> None:
    for asked in ("i.no_such == 's'", "i.no_such != 's'", "i.no_such in ['s']", "i.no_such.all(x, true)"):
        assert evaluator(around.format(asked), {"i": record("I")}) is UNKNOWN


HEAVY = f"[{list(range(100))}].all(h, {five_times('all', 'a + b + c + d + e >= 0')})"
BROKEN: Final = [
    "1 / size(t.boxes.filter(b, b == null)) == 1",
    "dyn(t.due) == t.title",
    "dyn(t).due == 3",
    HEAVY,
]
DUE = READY.replace("## T-1\n", "## T-1: A title\nDue: 2026-01-31\n")


@pytest.mark.parametrize("that", BROKEN, ids=["division", "date and text", "date and int", "hundred^5"])
def test_a_slip_in_a_gate_blocks_it(that: str) -> None:
    found = verdict(DUE, gate=GATE.replace("""t.status == "draft\"""", f"'{that}'"))
    assert outcomes(found)["draft"] == "error"
    assert found.verdict is Verdict.BLOCKED
    assert found.unblocking.sets == ()


RULE = """
- id: TNY-TSK-003
  name: broken
  for: t in items("task")
  require: {sane: 'THAT'}
  severity: error
  message: "{t.id} is not sane"
  why: A test.
  source: [tests]
"""


@pytest.mark.parametrize(
    ("that", "line"),
    list(zip(BROKEN, (1, 2, 2, 1), strict=True)),
    ids=["division", "date and text", "date and int", "hundred^5"],
)
def test_a_slip_in_a_rule_is_a_finding_with_its_place(that: str, line: int) -> None:
    read = read_files({"a.md": DUE.split("## T-2")[0]}, ruleset(rules=RULE.replace("THAT", that)), NOW)
    start = time.process_time()
    found = decide(read.ruleset, read.facts, read.graph, read.lines, NOW).findings
    assert time.process_time() - start < 2 * allowed()
    assert [(each.subjects, each.condition, each.outcome.value) for each in found] == [
        (("T-1",), "sane", "error")
    ]
    assert "cannot be evaluated: " in found[0].message
    assert (found[0].locations[0].path, found[0].locations[0].line) == ("a.md", line)


@pytest.mark.parametrize(
    ("that", "said"),
    [
        ('t.stauts == "done"', "has no field `stauts`"),
        ("t.due == t.title", "never equal"),
        ("now > t.title", "no order between them"),
        ("now - t.due > days(1)", "has no meaning"),
    ],
)
def test_a_slip_that_can_be_seen_refuses_the_pack(that: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ruleset(rules=RULE.replace("THAT", that))
    assert said in str(caught.value)
    assert ":5:" in str(caught.value)
