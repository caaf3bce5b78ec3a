"""The proof evaluator: the value of the fast one, and the tree of everything that was asked on the way.

An expression is compiled once to closures, as in `evaluator`; each gives a `Proof` in place of a value. Every operand
is visited, whatever the others came to. What an operator means is in `operators` alone, so the two agree
(`tests/ruleset/test_proof.py`). `explain` names the few facts that decided; a proof keeps all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from cortex_policy.model import UNKNOWN, OpenTuple, Outcome, Record
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
from cortex_policy.ruleset.explain import Read
from cortex_policy.ruleset.functions import call
from cortex_policy.ruleset.operators import MAX_STEPS, OVER_BUDGET, Budget, Failure
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

MAX_MEMBERS: Final = 1_000
"""Members of collections that one proof keeps; beyond them, as many again of those that decide. The rest is counted."""


class Proof(NamedTuple):
    """What one node came to.

    `node` is the expression, `value` its value, `children` the operands in order; for a macro the collection, then the
    proofs that were kept of its `members`, one for one. `record` is what a field was read of, and `left_out` counts
    proofs of members that were not kept, so that a proof never seems to be more than it is.
    """

    node: Node
    value: Any
    children: tuple[Proof, ...] = ()
    record: Record | None = None
    members: tuple[Any, ...] = ()
    left_out: int = 0

    @property
    def outcome(self) -> Outcome:
        """The value as one of the four outcomes."""
        if self.value is True or self.value is False:
            return Outcome.TRUE if self.value else Outcome.FALSE
        return Outcome.UNKNOWN if self.value is UNKNOWN else Outcome.ERROR

    def text(self, source: str) -> str:
        """The part of `source`, the expression's whole text, that this node is."""
        start, end = self.node.start, self.node.end
        part = source[start:end]
        while part.count("(") > part.count(")") and (more := _next(source, end)) >= 0:
            part, end = source[start : more + 1], more + 1
        while part.count(")") > part.count("(") and start and source[:start].rstrip().endswith("("):
            start = len(source[:start].rstrip()) - 1
            part = source[start:end]
        return " ".join(part.split())

    @property
    def read(self) -> Read | None:
        """The field that this very node looked at."""
        node = self.node.select if isinstance(self.node, HasTest) else self.node
        if self.record is None or not isinstance(node, Select):
            return None
        values, places = self.record.values, self.record.places
        return Read(self.record, node.field, values.get(node.field, UNKNOWN), places.get(node.field, ()))


def _next(source: str, end: int) -> int:
    """Where the next closing parenthesis stands, when nothing but blanks comes before it; else -1."""
    rest = source[end:].lstrip()
    return len(source) - len(rest) if rest.startswith(")") else -1


Prove: TypeAlias = Callable[[Values], Proof]


def walk(proof: Proof) -> Iterator[Proof]:
    """The proof and everything below it, in the order of the text."""
    yield proof
    for child in proof.children:
        yield from walk(child)


def reads(proof: Proof) -> tuple[Read, ...]:
    """Every field that was looked at below `proof`, each once, what was read first standing first."""
    found: dict[tuple[int, str], Read] = {}
    _gather(proof, found)
    return tuple(found.values())


def _gather(proof: Proof, found: dict[tuple[int, str], Read]) -> None:
    for child in proof.children:
        _gather(child, found)
    if proof.record is not None and (read := proof.read) is not None:
        found.setdefault((id(read.record), read.field), read)


def compile_proof(node: Node, functions: Mapping[str, Callable[..., Any]]) -> Prove:
    """A function from the values of the variables to the proof of `node`; it never raises.

    INVARIANT: the value is that of `compile_expression`. Looking at every operand costs more than deciding; where that
    alone uses up the budget, the value is given without a tree, and `left_out` says so. Where macros are nested,
    deciding comes first, so that a budget which it uses up alone is not used up twice.
    """
    compiler = _Compiler(functions)
    run = compiler.compile(node)
    limits = compiler.limits
    fast: list[Callable[[Values], Any]] = [compile_expression(node, functions)] if nests(node) else []
    decides_first = bool(fast)

    def prove(values: Values) -> Proof:
        if decides_first and fast[0](values) is OVER_BUDGET:
            return Proof(node, OVER_BUDGET, left_out=1)
        limits.left = MAX_STEPS
        limits.deciding = limits.others = MAX_MEMBERS
        proof = run(values)
        if limits.left >= 0:
            return proof
        if not fast:
            fast.append(compile_expression(node, functions))
        return Proof(node, fast[0](values), left_out=1)

    return prove


class _Limits(Budget):
    """What is left of the budget, and of the members that a proof keeps: those that decide, and the others."""

    __slots__ = ("deciding", "others")

    def __init__(self) -> None:
        super().__init__()
        self.deciding = self.others = MAX_MEMBERS

    def keeps(self, plain: bool) -> bool:
        """Whether one more member is kept; one that decided nothing is not, once there are many."""
        self.deciding -= 0 if plain else 1
        return not plain and self.deciding >= 0


_NEW: Final = tuple.__new__
"""A named tuple without the cost of its own constructor: proofs are made by the million."""


def _leaf(node: Node, value: Any) -> Proof:
    return Proof(node, value)


class _Compiler:
    """Closures for one expression. They share one budget, so two threads may not share the result."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.functions = functions
        self.limits = _Limits()

    def compile(self, node: Node) -> Prove:
        return _COMPILERS[type(node)](self, node)

    def compile_all(self, nodes: tuple[Node, ...]) -> tuple[Prove, ...]:
        return tuple(self.compile(node) for node in nodes)

    def literal(self, node: Literal) -> Prove:
        proof = _leaf(node, node.value)
        return lambda values: proof

    def ident(self, node: Ident) -> Prove:
        name = node.name
        missing = undeclared(name)
        return lambda values: Proof(node, values.get(name, missing))

    def select(self, node: Select) -> Prove:
        field = node.field
        select = operators.select
        if isinstance(node.operand, Ident):
            name = node.operand.name
            missing = undeclared(name)

            def select_of_variable(values: Values) -> Proof:
                record = values.get(name, missing)
                if record.__class__ is Record:
                    return _NEW(Proof, (node, record.values.get(field, UNKNOWN), (), record, (), 0))
                return Proof(node, select(record, field))

            return select_of_variable
        operand = self.compile(node.operand)

        def select_of_value(values: Values) -> Proof:
            inner = operand(values)
            record = inner.value if inner.value.__class__ is Record else None
            return Proof(node, select(inner.value, field), (inner,), record)

        return select_of_value

    def has(self, node: HasTest) -> Prove:
        operand = self.compile(node.select.operand)
        field = node.select.field

        def has(values: Values) -> Proof:
            inner = operand(values)
            record = inner.value if inner.value.__class__ is Record else None
            return Proof(node, operators.has(inner.value, field), (inner,), record)

        return has

    def index(self, node: Index) -> Prove:
        operand, key = self.compile_all((node.operand, node.key))

        def index(values: Values) -> Proof:
            parts = operand(values), key(values)
            return Proof(node, operators.index(parts[0].value, parts[1].value), parts)

        return index

    def list(self, node: ListExpr) -> Prove:
        items = self.compile_all(node.items)

        def make(values: Values) -> Proof:
            parts = tuple(item(values) for item in items)
            return Proof(node, operators.make_list(tuple(part.value for part in parts)), parts)

        return make

    def map(self, node: MapExpr) -> Prove:
        entries = tuple((self.compile(key), self.compile(value)) for key, value in node.entries)

        def make(values: Values) -> Proof:
            pairs = tuple((key(values), value(values)) for key, value in entries)
            value = operators.make_map((key.value, image.value) for key, image in pairs)
            return Proof(node, value, tuple(part for pair in pairs for part in pair))

        return make

    def unary(self, node: Unary) -> Prove:
        operand = self.compile(node.operand)
        rule = operators.negation if node.operator == "!" else operators.minus

        def unary(values: Values) -> Proof:
            inner = operand(values)
            return Proof(node, rule(inner.value), (inner,))

        return unary

    def binary(self, node: Binary) -> Prove:
        left, right = self.compile_all((node.left, node.right))
        limits = self.limits
        if node.operator == "==" and isinstance(node.right, Literal) and type(node.right.value) is str:
            return _equals_word(node, left, _leaf(node.right, node.right.value), limits)
        rule = _RULES.get(node.operator)
        relation = node.operator
        if rule is not None:
            apply = rule
        elif relation in operators.ORDERS:

            def apply(one: Any, other: Any, _budget: Budget) -> Any:
                return operators.compare(relation, one, other)

        else:

            def apply(one: Any, other: Any, budget: Budget) -> Any:
                return operators.arithmetic(relation, one, other, budget)

        def binary(values: Values) -> Proof:
            parts = left(values), right(values)
            return Proof(node, apply(parts[0].value, parts[1].value, limits), parts)

        return binary

    def logical(self, node: Logical) -> Prove:
        operands = self.compile_all(node.operands)
        combine = operators.conjunction if node.operator == "&&" else operators.disjunction

        plain = node.operator == "&&"

        def logical(values: Values) -> Proof:
            parts = tuple([operand(values) for operand in operands])
            return Proof(node, combine([part.value for part in parts]), parts)

        if len(operands) != 2:
            return logical
        first, second = operands

        def logical_of_two(values: Values) -> Proof:
            one, two = first(values), second(values)
            value = plain if one[1] is plain and two[1] is plain else combine((one[1], two[1]))
            return _NEW(Proof, (node, value, (one, two), None, (), 0))

        return logical_of_two

    def ternary(self, node: Ternary) -> Prove:
        condition, then, otherwise = self.compile_all((node.condition, node.then, node.otherwise))

        def ternary(values: Values) -> Proof:
            asked = condition(values)
            truth = operators.truth(asked.value)
            if truth.__class__ is not bool:
                return Proof(node, truth, (asked,))
            branch = (then if truth else otherwise)(values)
            return Proof(node, branch.value, (asked, branch))

        return ternary

    def call(self, node: Call) -> Prove:
        function = function_of(node, self.functions)
        if function is None:
            proof = _leaf(node, no_function(node.function))
            return lambda values: proof
        args = self.compile_all(arguments_of(node))
        limits = self.limits

        def called(values: Values) -> Proof:
            parts = tuple(arg(values) for arg in args)
            given = tuple(part.value for part in parts)
            return Proof(node, call(node.function, function, given, limits), parts)

        return called

    # ----------------------------------------------------------------- macros

    def comprehension(self, node: Comprehension) -> Prove:
        collection, body = self.compile_all((node.range, node.body))
        condition = None if node.condition is None else self.compile(node.condition)
        if node.macro in ("map", "filter"):
            tried = (body, None) if node.macro == "filter" else (condition, body)
            return self._over(node, collection, _keeping(node, *tried))
        return self._over(node, collection, _testing(node, body))

    def _over(self, node: Comprehension, collection: Prove, run: _Run) -> Prove:
        """What all macros share: the collection, and what its members cost."""
        cost = comprehension_cost(node)
        limits = self.limits

        def comprehension(values: Values) -> Proof:
            source = collection(values)
            found = source.value
            if found.__class__ is not tuple:
                found = operators.members(found)
                if found.__class__ is not tuple and found.__class__ is not OpenTuple:
                    return Proof(node, found, (source,))
            limits.left -= cost * len(found)
            if limits.left < 0:
                return Proof(node, OVER_BUDGET, (source,))
            return run(source, found, values.copy(), limits)

        return comprehension


_Run: TypeAlias = Callable[[Proof, tuple[Any, ...], Values, _Limits], Proof]


def _equals_word(node: Binary, left: Prove, word: Proof, limits: _Limits) -> Prove:
    """`… == "word"`, the commonest question of all."""
    written = word.value
    side = node.left
    if isinstance(side, Select) and isinstance(side.operand, Ident):
        name, field = side.operand.name, side.field

        def field_equals(values: Values) -> Proof:
            record = values.get(name)
            if record.__class__ is not Record:
                return equals(values)
            value = record.values.get(field, UNKNOWN)
            same = value == written if value.__class__ is str else operators.equal(value, written, limits)
            part = _NEW(Proof, (side, value, (), record, (), 0))
            return _NEW(Proof, (node, same, (part, word), None, (), 0))

    def equals(values: Values) -> Proof:
        part = left(values)
        value = part.value
        same = value == written if value.__class__ is str else operators.equal(value, written, limits)
        return _NEW(Proof, (node, same, (part, word), None, (), 0))

    return field_equals if isinstance(side, Select) and isinstance(side.operand, Ident) else equals


def _testing(node: Comprehension, body: Prove) -> _Run:
    """`all`, `exists`, `exists_one`: every member is asked; those that decide are kept first."""
    variable = node.variable
    plain = node.macro == "all"
    value_of = _VALUES[node.macro]

    def run(source: Proof, found: tuple[Any, ...], scope: Values, limits: _Limits) -> Proof:
        parts = [source]
        outcomes = []
        for element in found:
            scope[variable] = element
            proof = body(scope)
            parts.append(proof)
            outcomes.append(proof[1])
        value = value_of(outcomes, found.__class__ is OpenTuple)
        limits.others -= len(found)
        if limits.others >= 0:
            return _NEW(Proof, (node, value, tuple(parts), None, found, 0))
        kept = [number for number, outcome in enumerate(outcomes) if limits.keeps(outcome is plain)]
        return Proof(
            node,
            value,
            (source, *(parts[number + 1] for number in kept)),
            members=tuple(found[number] for number in kept),
            left_out=len(found) - len(kept),
        )

    return run


def _keeping(node: Comprehension, condition: Prove | None, image: Prove | None) -> _Run:
    """`map` and `filter`: up to the first failure, as the fast evaluator does."""
    variable = node.variable

    def run(source: Proof, found: tuple[Any, ...], scope: Values, limits: _Limits) -> Proof:
        kept = _Kept(source, limits, found.__class__ is OpenTuple)
        for element in found:
            scope[variable] = element
            keep: Any = True
            if condition is not None:
                keep = kept.ask(condition(scope), element)
            if keep is True:
                kept.take(element if image is None else kept.show(image(scope), element))
            elif keep is not False and keep is not UNKNOWN:
                kept.failure = keep
            if kept.failure is not None:
                break
        return Proof(
            node, kept.value(), tuple(kept.parts), members=tuple(kept.members), left_out=kept.left_out
        )

    return run


class _Kept:
    """What `map` and `filter` gather."""

    def __init__(self, source: Proof, limits: _Limits, is_open: bool) -> None:
        self.parts = [source]
        self.members: list[Any] = []
        self.limits = limits
        self.is_open = is_open
        self.result: list[Any] = []
        self.failure: Failure | None = None
        self.left_out = 0

    def show(self, proof: Proof, element: Any) -> Any:
        """Keep the proof if there is room; its value."""
        if self.limits.keeps(plain=False):
            self.parts.append(proof)
            self.members.append(element)
        else:
            self.left_out += 1
        return proof.value

    def ask(self, proof: Proof, element: Any) -> Any:
        """Whether the member is taken; in doubt the result may lack members."""
        keep = operators.truth(self.show(proof, element))
        self.is_open = self.is_open or keep is UNKNOWN
        return keep

    def take(self, value: Any) -> None:
        if value.__class__ is Failure:
            self.failure = value
        else:
            self.result.append(value)

    def value(self) -> Any:
        if self.failure is not None:
            return self.failure
        return OpenTuple(self.result) if self.is_open else tuple(self.result)


def _value_of_all(outcomes: list[Any], is_open: bool) -> Any:
    for value in outcomes:
        if value is not True:
            break
    else:
        return UNKNOWN if is_open else True
    value = operators.conjunction(outcomes)
    return operators.worse(UNKNOWN, value) if is_open and value is not False else value


def _value_of_exists(outcomes: list[Any], is_open: bool) -> Any:
    value = operators.disjunction(outcomes)
    return operators.worse(UNKNOWN, value) if is_open and value is not True else value


def _value_of_exists_one(outcomes: list[Any], is_open: bool) -> Any:
    return operators.exactly_one(outcomes, is_open=is_open)


_VALUES: Final[Mapping[str, Callable[[list[Any], bool], Any]]] = MappingProxyType(
    {"all": _value_of_all, "exists": _value_of_exists, "exists_one": _value_of_exists_one}
)

_RULES: Final[Mapping[str, Callable[[Any, Any, Budget], Any]]] = MappingProxyType(
    {"==": operators.equal, "!=": operators.unequal, "in": operators.contains}
)

_COMPILERS: Final[Mapping[type, Callable[[_Compiler, Any], Prove]]] = MappingProxyType(
    {
        Literal: _Compiler.literal,
        Ident: _Compiler.ident,
        Select: _Compiler.select,
        HasTest: _Compiler.has,
        Index: _Compiler.index,
        Call: _Compiler.call,
        ListExpr: _Compiler.list,
        MapExpr: _Compiler.map,
        Unary: _Compiler.unary,
        Binary: _Compiler.binary,
        Logical: _Compiler.logical,
        Ternary: _Compiler.ternary,
        Comprehension: _Compiler.comprehension,
    }
)
