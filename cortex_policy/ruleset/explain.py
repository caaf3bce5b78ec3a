"""The explaining evaluator: the same value as the fast one, and what it came from.

Every operand is visited, and those that decided the outcome hand up what they read: the false ones of an
`&&` that is false, the true ones of an `||` that is true, and so on (`docs/expressions.md`, "Reasons").
Each visit gives one `Part`; a proof tree would be one more field of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cortex_policy.model import UNKNOWN, OpenTuple, Place, Record
from cortex_policy.ruleset import operators
from cortex_policy.ruleset.evaluator import (
    Values,
    arguments_of,
    compile_expression,
    comprehension_cost,
    function_of,
    no_function,
    undeclared,
)
from cortex_policy.ruleset.functions import call
from cortex_policy.ruleset.operators import OVER_BUDGET, Budget, Failure
from cortex_policy.ruleset.syntax import (
    Binary,
    Call,
    Comprehension,
    HasTest,
    Ident,
    Index,
    ListExpr,
    Literal,
    Logical,
    MapExpr,
    Node,
    Select,
    Ternary,
    Unary,
    nests,
)

MAX_READS: Final = 200
"""Reads that one explanation, or one witness, names: more than that a person does not look at."""

MAX_WITNESSES: Final = 1_000
"""Elements that one explanation names as breaking a condition."""


class Read(NamedTuple):
    """A field that was looked at. `value` is UNKNOWN and `places` empty where nobody stated it."""

    record: Record
    field: str
    value: Any
    places: tuple[Place, ...]


class Witness(NamedTuple):
    """An element that breaks an `all`: the variables of the macros around it, and what was read."""

    bindings: tuple[tuple[str, Any], ...]
    reads: tuple[Read, ...]


class Explanation(NamedTuple):
    """The value of an expression, the fields that decided it in order, and the elements that broke it."""

    value: Any
    reads: tuple[Read, ...]
    witnesses: tuple[Witness, ...]


def explain(node: Node, env: Values, functions: Mapping[str, Callable[..., Any]]) -> Explanation:
    """The value of `node` with its reasons; never raises.

    INVARIANT: the value is that of `compile_expression`. Looking at every operand costs more than deciding;
    where that alone uses up the budget, the value is given without reasons; where deciding does, at once.
    """
    if nests(node) and compile_expression(node, functions)(env) is OVER_BUDGET:
        return Explanation(OVER_BUDGET, (), ())
    explainer = _Explainer(functions)
    part = explainer.visit(node, _Scope(env, ()))
    if explainer.budget.left < 0:
        return Explanation(compile_expression(node, functions)(env), (), ())
    return Explanation(part.value, _merged([part.reads]), part.witnesses[:MAX_WITNESSES])


class Part(NamedTuple):
    """What one node came to."""

    value: Any
    reads: tuple[Read, ...] = ()
    witnesses: tuple[Witness, ...] = ()


class _Scope(NamedTuple):
    values: Values
    bindings: tuple[tuple[str, Any], ...]

    def bind(self, variable: str, element: Any) -> _Scope:
        outer = tuple(binding for binding in self.bindings if binding[0] != variable)
        return _Scope({**self.values, variable: element}, (*outer, (variable, element)))


def _merged(groups: Iterable[tuple[Read, ...]]) -> tuple[Read, ...]:
    """The reads in order, each once, up to `MAX_READS`."""
    reads = _Reads()
    for group in groups:
        reads.add(group)
    return reads.named()


class _Reads:
    """The reads in order, each once; once there are `MAX_READS`, no more are looked at."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, str], Read] = {}

    def add(self, group: tuple[Read, ...]) -> None:
        if len(self.seen) < MAX_READS:
            for read in group:
                self.seen.setdefault((id(read.record), read.field), read)

    def named(self) -> tuple[Read, ...]:
        return tuple(self.seen.values())[:MAX_READS]


def _strict(value: Any, parts: Iterable[Part]) -> Part:
    """The part of an operator whose operands all matter."""
    used = tuple(parts)
    return Part(
        value, _merged(part.reads for part in used), tuple(w for part in used for w in part.witnesses)
    )


def _outcome(value: Any) -> str:
    truth = operators.truth(value)
    if truth is UNKNOWN:
        return "unknown"
    return "error" if truth.__class__ is Failure else ("true" if truth else "false")


_MATTERS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "&&": {
            "true": ("true",),
            "false": ("false",),
            "unknown": ("unknown", "error"),
            "error": ("unknown", "error"),
        },
        "||": {
            "true": ("true",),
            "false": ("false",),
            "unknown": ("false", "unknown", "error"),
            "error": ("false", "unknown", "error"),
        },
    }
)
"""Operator, its outcome: the operands, by their outcome, that matter."""


class _Explainer:
    """One walk over the tree. What an operator means is in `operators`; here is only what mattered."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.functions = functions
        self.budget = Budget()
        self.found: dict[int, Callable[..., Any] | None] = {}

    def visit(self, node: Node, scope: _Scope) -> Part:
        return _VISITS[type(node)](self, node, scope)

    def visit_all(self, nodes: Iterable[Node], scope: _Scope) -> list[Part]:
        return [self.visit(node, scope) for node in nodes]

    def literal(self, node: Literal, _scope: _Scope) -> Part:
        return Part(node.value)

    def ident(self, node: Ident, scope: _Scope) -> Part:
        return Part(scope.values[node.name] if node.name in scope.values else undeclared(node.name))

    def select(self, node: Select, scope: _Scope) -> Part:
        operand = self.visit(node.operand, scope)
        return _field_read(operand, node.field, operators.select(operand.value, node.field))

    def has(self, node: HasTest, scope: _Scope) -> Part:
        operand = self.visit(node.select.operand, scope)
        return _field_read(operand, node.select.field, operators.has(operand.value, node.select.field))

    def index(self, node: Index, scope: _Scope) -> Part:
        parts = self.visit_all((node.operand, node.key), scope)
        return _strict(operators.index(parts[0].value, parts[1].value), parts)

    def list(self, node: ListExpr, scope: _Scope) -> Part:
        parts = self.visit_all(node.items, scope)
        return _strict(operators.make_list(tuple(part.value for part in parts)), parts)

    def map(self, node: MapExpr, scope: _Scope) -> Part:
        keys = self.visit_all((key for key, _ in node.entries), scope)
        values = self.visit_all((value for _, value in node.entries), scope)
        pairs = ((key.value, value.value) for key, value in zip(keys, values, strict=True))
        return _strict(operators.make_map(pairs), (*keys, *values))

    def unary(self, node: Unary, scope: _Scope) -> Part:
        operand = self.visit(node.operand, scope)
        rule = operators.negation if node.operator == "!" else operators.minus
        return operand._replace(value=rule(operand.value))

    def binary(self, node: Binary, scope: _Scope) -> Part:
        parts = self.visit_all((node.left, node.right), scope)
        return _strict(self._apply(node.operator, parts[0].value, parts[1].value), parts)

    def _apply(self, operator: str, left: Any, right: Any) -> Any:
        if operator in operators.ORDERS:
            return operators.compare(operator, left, right)
        rule = _RULES.get(operator)
        if rule is not None:
            return rule(left, right, self.budget)
        return operators.arithmetic(operator, left, right, self.budget)

    def logical(self, node: Logical, scope: _Scope) -> Part:
        parts = self.visit_all(node.operands, scope)
        combine = operators.conjunction if node.operator == "&&" else operators.disjunction
        value = combine(part.value for part in parts)
        matters = _MATTERS[node.operator][_outcome(value)]
        return _strict(value, (part for part in parts if _outcome(part.value) in matters))

    def ternary(self, node: Ternary, scope: _Scope) -> Part:
        condition = self.visit(node.condition, scope)
        truth = operators.truth(condition.value)
        if truth.__class__ is not bool:
            return condition._replace(value=truth)
        branch = self.visit(node.then if truth else node.otherwise, scope)
        return _strict(branch.value, (condition, branch))

    def call(self, node: Call, scope: _Scope) -> Part:
        if id(node) not in self.found:
            self.found[id(node)] = function_of(node, self.functions)
        function = self.found[id(node)]
        if function is None:
            return Part(no_function(node.function))
        parts = self.visit_all(arguments_of(node), scope)
        value = call(node.function, function, tuple(part.value for part in parts), self.budget)
        return _strict(value, parts)

    # ----------------------------------------------------------------- macros

    def comprehension(self, node: Comprehension, scope: _Scope) -> Part:
        source = self.visit(node.range, scope)
        found = operators.members(source.value)
        if found.__class__ is not tuple and found.__class__ is not OpenTuple:
            return source._replace(value=found)
        if not self.budget.spend(comprehension_cost(node) * len(found)):
            return source._replace(value=OVER_BUDGET)
        if node.macro in ("map", "filter"):
            return self._kept(node, scope, source, found)
        return self._tested(node, scope, source, found)

    def _tested(self, node: Comprehension, scope: _Scope, source: Part, found: tuple[Any, ...]) -> Part:
        """`all`, `exists`, `exists_one`: the elements by their outcome, then what the macro makes of that."""
        tally = _Tally(scope, node.variable)
        for element in found:
            part = self.visit(node.body, scope.bind(node.variable, element))
            tally.add(element, part)
        value = _VALUES[node.macro](tally, found.__class__ is OpenTuple)
        outcome = _outcome(value)
        if node.macro == "all" and outcome != "true":
            witnesses = tally.witnesses(outcome, source.reads)
            reads = _merged((source.reads, *(witness.reads for witness in witnesses)))
            return Part(value, reads, (*source.witnesses, *witnesses))
        only_true = node.macro == "exists" and outcome == "true"
        reads = _merged((source.reads, tally.reads("true") if only_true else tally.reads()))
        return Part(value, reads, source.witnesses)

    def _kept(self, node: Comprehension, scope: _Scope, source: Part, found: tuple[Any, ...]) -> Part:
        """`map` and `filter`: the result, and all that was read for it."""
        condition = node.body if node.macro == "filter" else node.condition
        result: list[Any] = []
        reads = _Reads()
        reads.add(source.reads)
        is_open = found.__class__ is OpenTuple
        for element in found:
            inner = scope.bind(node.variable, element)
            asked = Part(True) if condition is None else self.visit(condition, inner)
            keep = operators.truth(asked.value)
            image = Part(element)
            if node.macro == "map" and keep is True:
                image = self.visit(node.body, inner)
            reads.add(asked.reads)
            reads.add(image.reads)
            failure = keep if keep is not True else image.value
            if failure.__class__ is Failure:
                return Part(failure, reads.named(), source.witnesses)
            is_open = is_open or keep is UNKNOWN
            if keep is True:
                result.append(image.value)
        return Part(OpenTuple(result) if is_open else tuple(result), reads.named(), source.witnesses)


def _field_read(operand: Part, field: str, value: Any) -> Part:
    record = operand.value
    if record.__class__ is not Record:
        return operand._replace(value=value)
    read = Read(record, field, record.values.get(field, UNKNOWN), record.places.get(field, ()))
    return Part(value, (*operand.reads, read), operand.witnesses)


class _Tally:
    """The elements of a collection by what the body came to for them, as many as are ever named."""

    def __init__(self, scope: _Scope, variable: str) -> None:
        self.scope = scope
        self.variable = variable
        self.groups: dict[str, list[tuple[Any, Part]]] = {"true": [], "false": [], "unknown": [], "error": []}
        self.order: list[Part] = []

    def add(self, element: Any, part: Part) -> None:
        group = self.groups[_outcome(part.value)]
        if len(group) < MAX_WITNESSES:
            group.append((element, part))
        if len(self.order) < MAX_READS:
            self.order.append(part)

    def reads(self, outcome: str = "") -> tuple[Read, ...]:
        return _merged(part.reads for part in (self._parts(outcome) if outcome else self.order))

    def _parts(self, outcome: str) -> list[Part]:
        return [part for _, part in self.groups[outcome]]

    def failure(self) -> Any:
        """The first error."""
        return operators.truth(self._parts("error")[0].value)

    def witnesses(self, outcome: str, source: tuple[Read, ...]) -> list[Witness]:
        """One for each element of that outcome; a plain value, which has no place, with the reads of its collection.
        Where a macro inside named its own, those are more exact."""
        found: list[Witness] = []
        for element, part in self.groups[outcome]:
            reads = [part.reads] if element.__class__ is Record else [source, part.reads]
            own = Witness(self.scope.bind(self.variable, element).bindings, _merged(reads))
            found.extend(part.witnesses or (own,))
        return found[:MAX_WITNESSES]


def _value_of_all(tally: _Tally, is_open: bool) -> Any:
    return _decided(tally, is_open, by="false")


def _value_of_exists(tally: _Tally, is_open: bool) -> Any:
    return _decided(tally, is_open, by="true")


def _decided(tally: _Tally, is_open: bool, *, by: str) -> Any:
    if tally.groups[by]:
        return by == "true"
    if tally.groups["error"]:
        return tally.failure()
    return UNKNOWN if tally.groups["unknown"] or is_open else by != "true"


def _value_of_exists_one(tally: _Tally, is_open: bool) -> Any:
    if len(tally.groups["true"]) > 1:
        return False
    if tally.groups["error"]:
        return tally.failure()
    return UNKNOWN if tally.groups["unknown"] or is_open else len(tally.groups["true"]) == 1


_VALUES: Final[Mapping[str, Callable[[_Tally, bool], Any]]] = MappingProxyType(
    {"all": _value_of_all, "exists": _value_of_exists, "exists_one": _value_of_exists_one}
)

_RULES: Final[Mapping[str, Callable[[Any, Any, Budget], Any]]] = MappingProxyType(
    {"==": operators.equal, "!=": operators.unequal, "in": operators.contains}
)

_VISITS: Final[Mapping[type, Callable[[_Explainer, Any, _Scope], Part]]] = MappingProxyType(
    {
        Literal: _Explainer.literal,
        Ident: _Explainer.ident,
        Select: _Explainer.select,
        HasTest: _Explainer.has,
        Index: _Explainer.index,
        Call: _Explainer.call,
        ListExpr: _Explainer.list,
        MapExpr: _Explainer.map,
        Unary: _Explainer.unary,
        Binary: _Explainer.binary,
        Logical: _Explainer.logical,
        Ternary: _Explainer.ternary,
        Comprehension: _Explainer.comprehension,
    }
)
