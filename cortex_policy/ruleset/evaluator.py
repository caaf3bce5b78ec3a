"""The fast evaluator: a tree becomes nested closures that give the value and nothing else.

`explain` gives the same value with its reasons. The shapes that rules are made of (`x.field`, `x.field ==
"word"`, a macro over records) have closures of their own; what they do not settle at once goes to
`operators`, which alone decides what anything means. Source: `docs/expressions.md`; measured in
`tests/ruleset/test_evaluator.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset import operators
from cortex_policy.ruleset.functions import STANDARD, Matcher, call
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
    free_names,
    weight,
)

Values: TypeAlias = dict[str, Any]
Evaluate: TypeAlias = Callable[[Values], Any]
Elements: TypeAlias = tuple[Any, ...]


def compile_expression(node: Node, functions: Mapping[str, Callable[..., Any]]) -> Evaluate:
    """A function from the values of the variables to the value of `node`.

    It never raises, and never runs longer than `MAX_STEPS` allow: what goes wrong is a `Failure`.
    `functions` are the host functions, called with evaluated arguments that are neither unknown nor failed.
    The result holds its own budget, so two threads may not share it. A variable that is missing from the
    values is a `Failure`.
    """
    compiler = _Compiler(functions)
    run = compiler.compile(node)
    return _metered(run, compiler.budget) if compiler.spends else run


def _metered(run: Evaluate, budget: Budget) -> Evaluate:
    def metered(values: Values) -> Any:
        before = budget.left  # a host function may evaluate the same expression again
        budget.left = MAX_STEPS
        try:
            value = run(values)
            # INVARIANT: a budget that is used up is the end of the whole expression; no `|| true` makes up for it
            return value if budget.left >= 0 else OVER_BUDGET
        finally:
            budget.left = before

    return metered


def arguments_of(node: Call) -> tuple[Node, ...]:
    """What a function is called with: the target of a member call comes first."""
    return node.args if node.target is None else (node.target, *node.args)


def function_of(node: Call, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any] | None:
    """The function that a call means: a host function before a standard one of that name."""
    host = functions.get(node.function)
    if host is None and node.function == "matches":
        pattern = arguments_of(node)[-1:]
        if pattern and isinstance(pattern[0], Literal) and type(pattern[0].value) is str:
            return Matcher(pattern[0].value)
    return host or STANDARD.get(node.function)


def undeclared(name: str) -> Failure:
    return Failure(f"`{name}` has no value here")


def no_function(name: str) -> Failure:
    return Failure(f"there is no function `{name}`")


def _once(run: Evaluate) -> Evaluate:
    """A macro that reads no variable asks the documents the same question for every subject."""
    known: list[Any] = []

    def remembered(values: Values) -> Any:
        if not known:
            known.append(run(values))
        return known[0]

    return remembered


class _Compiler:
    """Closures for one expression; `spends` says whether any of them draws on the budget."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.functions = functions
        self.budget = Budget()
        self.spends = False

    def compile(self, node: Node) -> Evaluate:
        run = _COMPILERS[type(node)](self, node)
        return _once(run) if isinstance(node, Comprehension) and not free_names(node) else run

    def literal(self, node: Literal) -> Evaluate:
        value = node.value
        return lambda values: value

    def ident(self, node: Ident) -> Evaluate:
        name = node.name
        missing = undeclared(name)
        return lambda values: values.get(name, missing)

    def select(self, node: Select) -> Evaluate:
        field = node.field
        select = operators.select
        if isinstance(node.operand, Ident):
            name = node.operand.name
            missing = undeclared(name)

            def select_of_variable(values: Values) -> Any:
                value = values.get(name, missing)
                if value.__class__ is Record:
                    return value.values.get(field, UNKNOWN)
                return select(value, field)

            return select_of_variable
        operand = self.compile(node.operand)
        return lambda values: select(operand(values), field)

    def has(self, node: HasTest) -> Evaluate:
        operand = self.compile(node.select.operand)
        field = node.select.field
        has = operators.has
        return lambda values: has(operand(values), field)

    def index(self, node: Index) -> Evaluate:
        operand = self.compile(node.operand)
        key = self.compile(node.key)
        index = operators.index
        return lambda values: index(operand(values), key(values))

    def list(self, node: ListExpr) -> Evaluate:
        items = tuple(self.compile(item) for item in node.items)
        make = operators.make_list
        return lambda values: make(tuple(item(values) for item in items))

    def map(self, node: MapExpr) -> Evaluate:
        entries = tuple((self.compile(key), self.compile(value)) for key, value in node.entries)
        make = operators.make_map
        return lambda values: make((key(values), value(values)) for key, value in entries)

    def unary(self, node: Unary) -> Evaluate:
        operand = self.compile(node.operand)
        if node.operator == "-":
            minus = operators.minus
            return lambda values: minus(operand(values))
        negation = operators.negation

        def not_(values: Values) -> Any:
            value = operand(values)
            if value is True:
                return False
            return True if value is False else negation(value)

        return not_

    def binary(self, node: Binary) -> Evaluate:
        left = self.compile(node.left)
        if (
            node.operator in ("==", "!=")
            and isinstance(node.right, Literal)
            and type(node.right.value) is str
        ):
            return _equals_word(left, node.right.value, negated=node.operator == "!=")
        if node.operator == "in" and _only_words(node.right):
            return self._in_words(left, node.right)
        right = self.compile(node.right)
        if node.operator in operators.ORDERS:
            relation = node.operator
            compare = operators.compare
            return lambda values: compare(relation, left(values), right(values))
        self.spends = True
        budget = self.budget
        rule = _BINARY.get(node.operator)
        if rule is not None:
            return lambda values: rule(left(values), right(values), budget)
        sign = node.operator
        arithmetic = operators.arithmetic
        return lambda values: arithmetic(sign, left(values), right(values), budget)

    def _in_words(self, left: Evaluate, right: Node) -> Evaluate:
        words = self.compile(right)({})
        known = frozenset(words)
        budget = self.budget
        contains = operators.contains
        self.spends = True

        def in_words(values: Values) -> Any:
            value = left(values)
            return value in known if value.__class__ is str else contains(value, words, budget)

        return in_words

    def logical(self, node: Logical) -> Evaluate:
        operands = tuple(self.compile(operand) for operand in node.operands)
        decisive = node.operator == "||"
        worse, truth = operators.worse, operators.truth

        def logical(values: Values) -> Any:
            result: Any = not decisive
            for operand in operands:
                value = operand(values)
                if value is decisive:
                    return decisive
                if value.__class__ is not bool:
                    result = worse(result, truth(value))
            return result

        def two(values: Values) -> Any:
            value = first(values)
            if value is decisive:
                return decisive
            other = second(values)
            if other.__class__ is bool and (value.__class__ is bool or other is decisive):
                return other
            return worse(truth(value), truth(other))

        if len(operands) != 2:
            return logical
        first, second = operands
        return two

    def ternary(self, node: Ternary) -> Evaluate:
        condition, then, otherwise = (
            self.compile(node.condition),
            self.compile(node.then),
            self.compile(node.otherwise),
        )
        truth = operators.truth

        def ternary(values: Values) -> Any:
            value = truth(condition(values))
            if value is True:
                return then(values)
            return otherwise(values) if value is False else value

        return ternary

    def call(self, node: Call) -> Evaluate:
        name = node.function
        function = function_of(node, self.functions)
        if function is None:
            missing = no_function(name)
            return lambda values: missing
        args = tuple(self.compile(arg) for arg in arguments_of(node))
        self.spends = True
        budget = self.budget
        return lambda values: call(name, function, tuple(arg(values) for arg in args), budget)

    # ----------------------------------------------------------------- macros

    def comprehension(self, node: Comprehension) -> Evaluate:
        collection = self.compile(node.range)
        condition = None if node.condition is None else self.compile(node.condition)
        body = self.compile(node.body)
        cost = comprehension_cost(node)
        variable = node.variable
        run = _MACROS[node.macro]
        members = operators.members
        budget = self.budget
        self.spends = True

        def comprehension(values: Values) -> Any:
            found = collection(values)
            if found.__class__ is not tuple:
                found = members(found)
                if found.__class__ is not tuple and found.__class__ is not OpenTuple:
                    return found
            budget.left -= cost * len(found)
            if budget.left < 0:
                return OVER_BUDGET
            return run(found, values.copy(), variable, condition, body)

        return comprehension


def comprehension_cost(node: Comprehension) -> int:
    """Steps that one element costs: the nodes that are visited for it."""
    return weight(node.body) + (0 if node.condition is None else weight(node.condition))


def _only_words(node: Node) -> bool:
    return isinstance(node, ListExpr) and all(
        isinstance(item, Literal) and type(item.value) is str for item in node.items
    )


def _equals_word(left: Evaluate, word: str, *, negated: bool) -> Evaluate:
    budget = Budget()  # INVARIANT: comparing anything with a string spends nothing
    compare = operators.unequal if negated else operators.equal
    if negated:

        def differs(values: Values) -> Any:
            value = left(values)
            return value != word if value.__class__ is str else compare(value, word, budget)

        return differs

    def equals(values: Values) -> Any:
        value = left(values)
        return value == word if value.__class__ is str else compare(value, word, budget)

    return equals


_BINARY: Final[Mapping[str, Callable[[Any, Any, Budget], Any]]] = MappingProxyType(
    {"==": operators.equal, "!=": operators.unequal, "in": operators.contains}
)

# ---------------------------------------------------------------------- what the macros do with each element


def _all(found: Elements, scope: Values, variable: str, _condition: Evaluate | None, body: Evaluate) -> Any:
    result: Any = UNKNOWN if found.__class__ is OpenTuple else True
    for element in found:
        scope[variable] = element
        value = body(scope)
        if value is True:
            continue
        if value is False:
            return False
        result = operators.worse(result, operators.truth(value))
    return result


def _exists(
    found: Elements, scope: Values, variable: str, _condition: Evaluate | None, body: Evaluate
) -> Any:
    result: Any = UNKNOWN if found.__class__ is OpenTuple else False
    for element in found:
        scope[variable] = element
        value = body(scope)
        if value is False:
            continue
        if value is True:
            return True
        result = operators.worse(result, operators.truth(value))
    return result


def _outcomes(found: Elements, scope: Values, variable: str, body: Evaluate) -> Any:
    for element in found:
        scope[variable] = element
        yield body(scope)


def _exists_one(
    found: Elements, scope: Values, variable: str, _condition: Evaluate | None, body: Evaluate
) -> Any:
    is_open = found.__class__ is OpenTuple
    return operators.exactly_one(_outcomes(found, scope, variable, body), is_open=is_open)


def _filter(
    found: Elements, scope: Values, variable: str, _condition: Evaluate | None, body: Evaluate
) -> Any:
    return _kept(found, scope, variable, body, None)


def _map(found: Elements, scope: Values, variable: str, condition: Evaluate | None, body: Evaluate) -> Any:
    return _kept(found, scope, variable, condition, body)


def _kept(
    found: Elements, scope: Values, variable: str, condition: Evaluate | None, image: Evaluate | None
) -> Any:
    """The elements whose condition holds, or their images; open if the collection is or some are in doubt."""
    result = []
    is_open = found.__class__ is OpenTuple
    for element in found:
        scope[variable] = element
        keep = True if condition is None else operators.truth(condition(scope))
        if keep is True:
            value = element if image is None else image(scope)
            if value.__class__ is Failure:
                return value
            result.append(value)
        elif keep is UNKNOWN:
            is_open = True
        elif keep is not False:
            return keep
    return OpenTuple(result) if is_open else tuple(result)


_MACROS: Final[Mapping[str, Callable[[Elements, Values, str, Evaluate | None, Evaluate], Any]]] = (
    MappingProxyType(
        {"all": _all, "exists": _exists, "exists_one": _exists_one, "filter": _filter, "map": _map}
    )
)

_COMPILERS: Final[Mapping[type, Callable[[_Compiler, Any], Evaluate]]] = MappingProxyType(
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
