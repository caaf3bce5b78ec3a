"""The tree of an expression, its static types, and the fault that says an expression is wrong.

Every node carries `start` and `end`: offsets in characters into the text that was parsed, so that whoever
read the file can point at the very word. Source: `docs/expressions.md`, after the CEL grammar.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias


class SyntaxFault(Exception):
    """An expression that is not well formed, or can never mean anything. Offsets count characters from 0."""

    def __init__(self, message: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


# --------------------------------------------------------------------------- static types


class Type(NamedTuple):
    """What is known of a value before it exists.

    `kind` marks the name of a record kind, so that a kind called `date` is not the type DATE; `words` is
    the vocabulary of an enum, whose values are strings.
    """

    name: str
    element: Type | None = None
    kind: bool = False
    words: frozenset[str] | None = None

    def __str__(self) -> str:
        if self.name == "list" and self.element is not None and self.element != DYN:
            return f"list of {self.element}"
        return self.name


DYN: Final = Type("dyn")
BOOL: Final = Type("bool")
INT: Final = Type("int")
DOUBLE: Final = Type("double")
STRING: Final = Type("string")
BYTES: Final = Type("bytes")
NULL: Final = Type("null")
TIMESTAMP: Final = Type("timestamp")
DATE: Final = Type("date")
DURATION: Final = Type("duration")
MAP: Final = Type("map")
RECORD: Final = Type("record")
"""A record of any kind (a parameter of a function); `record_of` names one."""


def list_of(element: Type) -> Type:
    return Type("list", element)


def record_of(kind: str) -> Type:
    return Type(kind, kind=True)


def enum_of(words: frozenset[str]) -> Type:
    """A string that is one of these words."""
    return Type("string", words=words)


# --------------------------------------------------------------------------- the tree


class Literal(NamedTuple):
    """A constant: None, bool, int, float, str or bytes."""

    value: Any
    start: int
    end: int


class Ident(NamedTuple):
    name: str
    start: int
    end: int


class Select(NamedTuple):
    """`operand.field`; the field's name is the last thing in it: it ends at `end`."""

    operand: Node
    field: str
    start: int
    end: int


class HasTest(NamedTuple):
    """The macro `has(operand.field)`."""

    select: Select
    start: int
    end: int


class Index(NamedTuple):
    operand: Node
    key: Node
    start: int
    end: int


class Call(NamedTuple):
    """`function(args)` or `target.function(args)`; `name_start` is where the function's name stands."""

    function: str
    target: Node | None
    args: tuple[Node, ...]
    name_start: int
    start: int
    end: int


class ListExpr(NamedTuple):
    items: tuple[Node, ...]
    start: int
    end: int


class MapExpr(NamedTuple):
    entries: tuple[tuple[Node, Node], ...]
    start: int
    end: int


class Unary(NamedTuple):
    """`!` or `-`."""

    operator: str
    operand: Node
    start: int
    end: int


class Binary(NamedTuple):
    """Relations and arithmetic: `== != < <= > >= in + - * / %`."""

    operator: str
    left: Node
    right: Node
    start: int
    end: int


class Logical(NamedTuple):
    """A whole chain of `&&` or of `||`, so that long conditions are not deep ones."""

    operator: str
    operands: tuple[Node, ...]
    start: int
    end: int


class Ternary(NamedTuple):
    condition: Node
    then: Node
    otherwise: Node
    start: int
    end: int


class Comprehension(NamedTuple):
    """A macro over a collection: `all`, `exists`, `exists_one`, `map`, `filter`.

    `condition` is what `map` with three arguments asks first; the test of the other macros is `body`.
    """

    macro: str
    variable: str
    range: Node
    condition: Node | None
    body: Node
    start: int
    end: int


Node: TypeAlias = (
    Literal
    | Ident
    | Select
    | HasTest
    | Index
    | Call
    | ListExpr
    | MapExpr
    | Unary
    | Binary
    | Logical
    | Ternary
    | Comprehension
)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below `node`, in the order in which they are written."""
    if isinstance(node, MapExpr):
        return tuple(part for entry in node.entries for part in entry)
    return tuple(_flat(node[:-2]))


def _flat(fields: tuple[Any, ...]) -> Iterator[Node]:
    for value in fields:
        if isinstance(value, NODE_CLASSES):
            yield value
        elif isinstance(value, tuple):
            yield from value


NODE_CLASSES: Final = (
    Literal,
    Ident,
    Select,
    HasTest,
    Index,
    Call,
    ListExpr,
    MapExpr,
    Unary,
    Binary,
    Logical,
    Ternary,
    Comprehension,
)


def free_names(node: Node) -> frozenset[str]:
    """The variables that `node` reads and no macro inside it binds."""
    if isinstance(node, Ident):
        return frozenset((node.name,))
    if isinstance(node, Comprehension):
        inner = free_names(node.body)
        if node.condition is not None:
            inner |= free_names(node.condition)
        return free_names(node.range) | (inner - {node.variable})
    return frozenset().union(*(free_names(child) for child in children(node)))


def weight(node: Node) -> int:
    """How many nodes one visit of `node` costs; the body of a macro is charged when it runs."""
    if isinstance(node, Comprehension):
        return 1 + weight(node.range)
    return 1 + sum(weight(child) for child in children(node))


def nests(node: Node) -> bool:
    """Whether a macro stands in the body of another, so that the work grows as a product."""
    if isinstance(node, Comprehension):
        parts = (node.body,) if node.condition is None else (node.body, node.condition)
        return any(map(_has_macro, parts)) or nests(node.range)
    return any(map(nests, children(node)))


def _has_macro(node: Node) -> bool:
    return isinstance(node, Comprehension) or any(map(_has_macro, children(node)))
