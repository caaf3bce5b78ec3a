"""Whether an expression can mean anything: names, fields, words, arguments and types, before any document
is read.

A fault is raised for what could never come out true or false, with a suggestion where one is near; whatever
depends on the values is left to the evaluators. Source: `docs/expressions.md`, "What is checked when a pack
is loaded".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cortex_policy.ruleset.functions import STANDARD, compile_pattern
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.syntax import (
    BOOL,
    BYTES,
    DATE,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    MAP,
    NULL,
    RECORD,
    STRING,
    TIMESTAMP,
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
    SyntaxFault,
    Ternary,
    Type,
    Unary,
    list_of,
    record_of,
)


class Signature(NamedTuple):
    """What a function takes and gives; the target of a member call counts as the first parameter.

    `optional` of the last parameters may be left out. `member` says that it is written `x.f(y)`, `either`
    that both forms will do. `result_of_kind`: the first argument is a literal string that names a declared
    kind, and the result is a list of its records, or one record where `many` is false. `follows` derives
    the result from the first argument: `argument` is its type, `element` that of its elements.
    """

    parameters: tuple[Type, ...]
    result: Type
    result_of_kind: bool = False
    member: bool = False
    many: bool = True
    either: bool = False
    optional: int = 0
    follows: str = ""


_LIST: Final = list_of(DYN)

STANDARD_SIGNATURES: Final[Mapping[str, Signature]] = MappingProxyType(
    {
        "size": Signature((DYN,), INT, either=True),
        "startsWith": Signature((STRING, STRING), BOOL, member=True),
        "endsWith": Signature((STRING, STRING), BOOL, member=True),
        "contains": Signature((STRING, STRING), BOOL, member=True),
        "matches": Signature((STRING, STRING), BOOL, either=True),
        "lowerAscii": Signature((STRING,), STRING, member=True),
        "upperAscii": Signature((STRING,), STRING, member=True),
        "trim": Signature((STRING,), STRING, member=True),
        "split": Signature((STRING, STRING, INT), list_of(STRING), member=True, optional=1),
        "join": Signature((list_of(STRING), STRING), STRING, member=True, optional=1),
        "replace": Signature((STRING, STRING, STRING, INT), STRING, member=True, optional=1),
        "substring": Signature((STRING, INT, INT), STRING, member=True, optional=1),
        "int": Signature((DYN,), INT),
        "double": Signature((DYN,), DOUBLE),
        "bool": Signature((DYN,), BOOL),
        "string": Signature((DYN,), STRING),
        "bytes": Signature((DYN,), BYTES),
        "dyn": Signature((DYN,), DYN),
        "timestamp": Signature((DYN,), TIMESTAMP),
        "date": Signature((DYN,), DATE),
        "duration": Signature((DYN,), DURATION),
        "days": Signature((INT,), DURATION),
        "sum": Signature((_LIST,), DYN, either=True, follows="element"),
        "min": Signature((_LIST,), DYN, either=True, follows="element"),
        "max": Signature((_LIST,), DYN, either=True, follows="element"),
        "distinct": Signature((_LIST,), _LIST, either=True, follows="argument"),
        "sort": Signature((_LIST,), _LIST, either=True, follows="argument"),
        "stated": Signature((_LIST,), _LIST, follows="argument"),
        "one": Signature((_LIST,), DYN, follows="element"),
        "paths_within": Signature((list_of(STRING), list_of(STRING)), BOOL),
    }
)


@dataclass(frozen=True, slots=True)
class Environment:
    """What an expression may speak of: record kinds with their fields, host functions, variables.

    The standard functions are always there.
    """

    kinds: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    functions: Mapping[str, Signature] = field(default_factory=dict)
    variables: Mapping[str, Type] = field(default_factory=dict)

    def with_variables(self, variables: Mapping[str, Type]) -> Environment:
        """The same, with these variables besides (or instead of) those of the same name."""
        return Environment(self.kinds, self.functions, {**self.variables, **variables})

    def with_functions(self, functions: Mapping[str, Signature]) -> Environment:
        """The same, with these host functions besides."""
        return Environment(self.kinds, {**self.functions, **functions}, self.variables)


def check(node: Node, environment: Environment) -> Type:
    """The type of the expression's value. Raises `SyntaxFault` for the first part without a meaning."""
    return _CHECKS[type(node)](node, environment)


def check_bool(node: Node, environment: Environment) -> Type:
    """`check` for what must be true or false. Raises `SyntaxFault` for that too."""
    return _require_bool(node, check(node, environment), "a condition")


def _require_bool(node: Node, found: Type, what: str) -> Type:
    if found not in (BOOL, DYN):
        raise SyntaxFault(f"{what} must be true or false, this is `{found}`", node.start, node.end)
    return found


# --------------------------------------------------------------------------- suggestions

_FOREIGN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "not": "write `!(…)` for not",
        "len": "did you mean `size`?",
        "length": "did you mean `size`?",
        "count": "did you mean `size`?",
        "any": "did you mean `exists`?",
        "every": "did you mean `all`?",
        "lower": "did you mean `lowerAscii`?",
        "upper": "did you mean `upperAscii`?",
        "strip": "did you mean `trim`?",
        "startswith": "did you mean `startsWith`?",
        "endswith": "did you mean `endsWith`?",
        "None": "did you mean `null`?",
        "nil": "did you mean `null`?",
        "old": "only a rule that says `on: change` can ask what was before",
        "ever": "only a rule that says `on: change` can ask what was before",
    }
)
"""Names that people bring from other languages, or from another sort of rule."""


def _suggestion(name: str, known: Iterable[str]) -> str:
    import difflib  # only a fault needs it

    names = sorted(known)
    folded = {each.lower(): each for each in reversed(names)}
    if name.lower() in folded:
        return f"did you mean `{folded[name.lower()]}`?"
    if name in _FOREIGN:
        return _FOREIGN[name]
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean `{near[0]}`?" if near else ""


# --------------------------------------------------------------------------- names and fields


def _literal(node: Literal, _environment: Environment) -> Type:
    return _LITERALS[type(node.value)]


_LITERALS: Final[Mapping[type, Type]] = MappingProxyType(
    {bool: BOOL, int: INT, float: DOUBLE, str: STRING, bytes: BYTES, type(None): NULL}
)


def _ident(node: Ident, environment: Environment) -> Type:
    found = environment.variables.get(node.name)
    if found is not None:
        return found
    known = (*environment.variables, "true", "false", "null")
    hint = _suggestion(node.name, known) or "known here: " + ", ".join(sorted(environment.variables))
    raise SyntaxFault(f"`{node.name}` is not declared", node.start, node.end, hint)


def _select(node: Select, environment: Environment) -> Type:
    operand = check(node.operand, environment)
    if operand.kind:
        return _field(node, operand.name, environment)
    if operand in (DYN, MAP, RECORD):
        return DYN
    hint = "ask each element, with `all` or `exists`" if operand.name == "list" else ""
    raise SyntaxFault(f"`{operand}` has no field `{node.field}`", node.end - len(node.field), node.end, hint)


def _field(node: Select, kind: str, environment: Environment) -> Type:
    fields = environment.kinds.get(kind)
    if fields is None:
        return DYN
    found = fields.get(node.field)
    if found is not None:
        return found
    hint = _suggestion(node.field, fields)
    raise SyntaxFault(f"`{kind}` has no field `{node.field}`", node.end - len(node.field), node.end, hint)


def _has(node: HasTest, environment: Environment) -> Type:
    _select(node.select, environment)
    return BOOL


def _index(node: Index, environment: Environment) -> Type:
    operand = check(node.operand, environment)
    key = check(node.key, environment)
    if operand.name == "list" and not operand.kind:
        if key not in (INT, DYN):
            raise SyntaxFault(f"the place in a list is an int, this is `{key}`", node.key.start, node.key.end)
        return operand.element or DYN
    if operand in (MAP, DYN):
        return DYN
    hint = "write `.field`" if operand.kind or operand == RECORD else ""
    raise SyntaxFault(f"`{operand}` has no elements", node.start, node.end, hint)


def _list(node: ListExpr, environment: Environment) -> Type:
    return list_of(_common(check(item, environment) for item in node.items))


def _common(types: Iterable[Type]) -> Type:
    """The one type that covers all of these; vocabularies add up."""
    result: Type | None = None
    for each in types:
        result = each if result is None else _joint(result, each)
    return result or DYN


def _joint(left: Type, right: Type) -> Type:
    if left == right:
        return left
    if left.name == right.name == "string" and not left.kind and not right.kind:
        return STRING
    return DYN


def _map(node: MapExpr, environment: Environment) -> Type:
    for key, value in node.entries:
        found = check(key, environment)
        if found.name not in ("string", "int", "dyn") or found.kind:
            raise SyntaxFault(
                f"the key of a map is a string or an int, this is `{found}`", key.start, key.end
            )
        check(value, environment)
    return MAP


# --------------------------------------------------------------------------- operators

_FAMILIES: Final[Mapping[str, str]] = MappingProxyType(
    {"int": "number", "double": "number", "date": "time", "timestamp": "time"}
)
_ORDERED: Final = frozenset(("number", "time", "string", "bytes", "bool", "duration"))


def _family(found: Type) -> str:
    return "a record" if found.kind or found == RECORD else _FAMILIES.get(found.name, found.name)


def _may_equal(left: Type, right: Type) -> bool:
    if DYN in (left, right) or NULL in (left, right):
        return True
    if _family(left) != _family(right):
        return False
    if left.kind and right.kind:
        return left.name == right.name
    return left.element is None or right.element is None or _may_equal(left.element, right.element)


def _binary(node: Binary, environment: Environment) -> Type:
    left = check(node.left, environment)
    right = check(node.right, environment)
    if node.operator in ("==", "!="):
        return _equality(node, left, right)
    if node.operator == "in":
        return _membership(node, left, right)
    if node.operator in ("<", "<=", ">", ">="):
        return _order(node, left, right)
    return _arithmetic(node, left, right)


def _equality(node: Binary, left: Type, right: Type) -> Type:
    if not _may_equal(left, right):
        raise _mismatch(node, left, right, "are never equal")
    _check_word(node.left, left, right)
    _check_word(node.right, right, left)
    if left.words is not None and right.words is not None and not left.words & right.words:
        raise _mismatch(node, left, right, "have no word in common")
    return BOOL


def _mismatch(node: Binary, left: Type, right: Type, why: str) -> SyntaxFault:
    hint = ""
    for one, other in ((left, right), (right, left)):
        if one.name == "string" and other.name in ("timestamp", "date", "duration"):
            hint = f"convert the string with `{other.name}(…)`"
    return SyntaxFault(f"`{left}` and `{right}` {why}", node.start, node.end, hint)


def _check_word(node: Node, found: Type, other: Type) -> None:
    """A literal compared with an enum must be one of its words; so must each element of a literal list."""
    if other.words is None or found.words is not None:
        return
    for literal in node.items if isinstance(node, ListExpr) else (node,):
        if (
            isinstance(literal, Literal)
            and isinstance(literal.value, str)
            and literal.value not in other.words
        ):
            words = ", ".join(f"`{word}`" for word in sorted(other.words))
            hint = _suggestion(literal.value, other.words) or f"the words are {words}"
            raise SyntaxFault(
                f"`{literal.value}` is not a word of this field", literal.start, literal.end, hint
            )


def _membership(node: Binary, left: Type, right: Type) -> Type:
    if right in (MAP, DYN):
        return BOOL
    if right.name != "list" or right.kind:
        hint = "write `text.contains(part)`" if right.name == "string" else ""
        raise SyntaxFault(
            f"`in` needs a list or a map, this is `{right}`", node.right.start, node.right.end, hint
        )
    element = right.element or DYN
    if not _may_equal(left, element):
        raise _mismatch(node, left, element, "are never equal")
    _check_word(node.right, element, left)
    _check_word(node.left, left, element)
    return BOOL


def _order(node: Binary, left: Type, right: Type) -> Type:
    for operand, found in ((node.left, left), (node.right, right)):
        if found != DYN and _family(found) not in _ORDERED:
            raise SyntaxFault(f"`{found}` has no order", operand.start, operand.end)
    if DYN not in (left, right) and _family(left) != _family(right):
        raise _mismatch(node, left, right, "have no order between them")
    return BOOL


_ARITHMETIC: Final[Mapping[tuple[str, str, str], Type]] = MappingProxyType(
    {(sign, "int", "int"): INT for sign in "+-*/%"}
    | {(sign, "double", "double"): DOUBLE for sign in "+-*/"}
    | {(sign, "duration", "duration"): DURATION for sign in "+-"}
    | {
        ("+", "string", "string"): STRING,
        ("+", "bytes", "bytes"): BYTES,
        ("+", "timestamp", "duration"): TIMESTAMP,
        ("+", "duration", "timestamp"): TIMESTAMP,
        ("-", "timestamp", "duration"): TIMESTAMP,
        ("-", "timestamp", "timestamp"): DURATION,
        ("+", "date", "duration"): DATE,
        ("+", "duration", "date"): DATE,
        ("-", "date", "duration"): DATE,
        ("-", "date", "date"): DURATION,
    }
)


def _arithmetic(node: Binary, left: Type, right: Type) -> Type:
    if DYN in (left, right):
        return DYN
    plain = not left.kind and not right.kind
    if plain and node.operator == "+" and left.name == right.name == "list":
        return list_of(_joint(left.element or DYN, right.element or DYN))
    found = _ARITHMETIC.get((node.operator, left.name, right.name)) if plain else None
    if found is None:
        raise SyntaxFault(
            f"`{node.operator}` has no meaning for `{left}` and `{right}`",
            node.start,
            node.end,
            _arithmetic_hint(left.name, right.name),
        )
    return found


def _arithmetic_hint(left: str, right: str) -> str:
    if {left, right} == {"date", "timestamp"}:
        return "a date has no exact distance to a time: compare `date + days(n)` with the time"
    if {left, right} == {"int", "double"}:
        return "convert one with `int(…)` or `double(…)`"
    if "int" in (left, right) and {left, right} & {"date", "timestamp", "duration"}:
        return "write `days(n)`"
    return "convert the other with `string(…)`" if "string" in (left, right) else ""


def _logical(node: Logical, environment: Environment) -> Type:
    for operand in node.operands:
        _require_bool(operand, check(operand, environment), f"what stands beside `{node.operator}`")
    return BOOL


def _unary(node: Unary, environment: Environment) -> Type:
    found = check(node.operand, environment)
    if node.operator == "!":
        _require_bool(node.operand, found, "what `!` turns round")
        return BOOL
    if found not in (INT, DOUBLE, DYN):
        raise SyntaxFault(f"`-` has no meaning for `{found}`", node.start, node.end)
    return found


def _ternary(node: Ternary, environment: Environment) -> Type:
    _require_bool(node.condition, check(node.condition, environment), "what stands before `?`")
    return _joint(check(node.then, environment), check(node.otherwise, environment))


# --------------------------------------------------------------------------- macros and functions


def _comprehension(node: Comprehension, environment: Environment) -> Type:
    collection = check(node.range, environment)
    if collection.kind or collection.name not in ("list", "map", "dyn"):
        message = f"`{node.macro}` needs a list or a map, this is `{collection}`"
        raise SyntaxFault(message, node.range.start, node.range.end)
    element = collection.element or DYN
    inner = environment.with_variables({node.variable: element})
    if node.condition is not None:
        _require_bool(node.condition, check(node.condition, inner), "the condition of `map`")
    body = check(node.body, inner)
    if node.macro == "map":
        return list_of(body)
    _require_bool(node.body, body, f"the condition of `{node.macro}`")
    return list_of(element) if node.macro == "filter" else BOOL


def _call(node: Call, environment: Environment) -> Type:
    signature = environment.functions.get(node.function) or STANDARD_SIGNATURES.get(node.function)
    name_end = node.name_start + len(node.function)
    if signature is None:
        known = {*environment.functions, *STANDARD_SIGNATURES}
        hint = _suggestion(node.function, known | _MACRO_NAMES)
        raise SyntaxFault(f"there is no function `{node.function}`", node.name_start, name_end, hint)
    if not signature.either and signature.member != (node.target is not None):
        form = f"x.{node.function}(…)" if signature.member else f"{node.function}(…)"
        raise SyntaxFault(
            f"`{node.function}` is not written so", node.name_start, name_end, f"write `{form}`"
        )
    args = node.args if node.target is None else (node.target, *node.args)
    _check_count(node, signature, len(args), name_end)
    types = tuple(check(arg, environment) for arg in args)
    for arg, found, wanted in zip(args, types, signature.parameters, strict=False):
        _check_argument(node.function, arg, found, wanted)
    _check_literals(node.function, args)
    return _result(node, signature, args, types, environment)


_MACRO_NAMES: Final = frozenset(("all", "exists", "exists_one", "filter", "map", "has"))


def _check_count(node: Call, signature: Signature, given: int, name_end: int) -> None:
    most = len(signature.parameters)
    least = most - signature.optional
    if least <= given <= most:
        return
    shift = 1 if node.target is not None else 0
    least, most, given = least - shift, most - shift, given - shift
    wanted = str(most) if least == most else f"{least} to {most}"
    message = f"`{node.function}` takes {wanted} argument{'' if wanted == '1' else 's'}, {given} given"
    raise SyntaxFault(message, node.name_start, max(name_end, node.end))


def _check_argument(function: str, arg: Node, found: Type, wanted: Type) -> None:
    if wanted == RECORD and (found.kind or found in (RECORD, DYN)):
        return
    if wanted != RECORD and (found == DYN or wanted == DYN or _fits(found, wanted)):
        return
    raise SyntaxFault(f"`{function}` needs `{wanted}` here, this is `{found}`", arg.start, arg.end)


def _fits(found: Type, wanted: Type) -> bool:
    if found.kind != wanted.kind:
        return found == RECORD
    if found.name != wanted.name:
        return False
    return (
        found.element is None
        or wanted.element is None
        or DYN in (found.element, wanted.element)
        or _fits(found.element, wanted.element)
    )


def _check_literals(function: str, args: tuple[Node, ...]) -> None:
    """A pattern, date, time or duration that is written out is read now: its slip is the rule's."""
    position, read = _WRITTEN_OUT.get(function, (0, None))
    if read is None or position >= len(args):
        return
    arg = args[position]
    if isinstance(arg, Literal) and isinstance(arg.value, str):
        if read is compile_pattern and "\b" in arg.value:
            hint = "write it as a raw string, such as `r'\\bword'`"
            raise SyntaxFault("the pattern holds a backspace, which no text does", arg.start, arg.end, hint)
        value = read(arg.value)
        if isinstance(value, Failure):
            raise SyntaxFault(value.reason, arg.start, arg.end)


def _read_duration(text: str) -> Any:
    try:
        return STANDARD["duration"](text)
    except OverflowError:
        return Failure("the duration is out of range")


_WRITTEN_OUT: Final[Mapping[str, tuple[int, Callable[[str], Any] | None]]] = MappingProxyType(
    {
        "matches": (1, compile_pattern),
        "date": (0, STANDARD["date"]),
        "timestamp": (0, STANDARD["timestamp"]),
        "duration": (0, _read_duration),
    }
)


def _result(
    node: Call,
    signature: Signature,
    args: tuple[Node, ...],
    types: tuple[Type, ...],
    environment: Environment,
) -> Type:
    if signature.result_of_kind:
        found = record_of(_kind_named(node, args[0], environment))
        return list_of(found) if signature.many else found
    if signature.follows == "argument" and types[0].kind:
        return types[0]
    if signature.follows and types[0].name == "list" and not types[0].kind:
        return types[0] if signature.follows == "argument" else types[0].element or DYN
    return signature.result


def _kind_named(node: Call, arg: Node, environment: Environment) -> str:
    if not isinstance(arg, Literal) or not isinstance(arg.value, str):
        raise SyntaxFault(f"`{node.function}` needs the name of a kind in quotes", arg.start, arg.end)
    if arg.value not in environment.kinds:
        hint = _suggestion(arg.value, environment.kinds)
        raise SyntaxFault(f"there is no kind `{arg.value}`", arg.start, arg.end, hint)
    return arg.value


_CHECKS: Final[Mapping[type, Callable[[Any, Environment], Type]]] = MappingProxyType(
    {
        Literal: _literal,
        Ident: _ident,
        Select: _select,
        HasTest: _has,
        Index: _index,
        Call: _call,
        ListExpr: _list,
        MapExpr: _map,
        Unary: _unary,
        Binary: _binary,
        Logical: _logical,
        Ternary: _ternary,
        Comprehension: _comprehension,
    }
)
