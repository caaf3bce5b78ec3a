from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cortex_policy.ruleset.parser import MAX_EXPRESSION_CHARS, MAX_NESTING, parse
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
    SyntaxFault,
    Ternary,
    Unary,
    free_names,
)


def fault_of(text: str) -> SyntaxFault:
    with pytest.raises(SyntaxFault) as caught:
        parse(text)
    return caught.value


def shape(node: Node) -> Any:
    """The tree without its places, as nested tuples."""
    return _SHAPES[type(node)](node)


_SHAPES: dict[type, Any] = {
    Literal: lambda n: n.value,
    Ident: lambda n: n.name,
    Select: lambda n: (".", shape(n.operand), n.field),
    HasTest: lambda n: ("has", shape(n.select)),
    Index: lambda n: ("[]", shape(n.operand), shape(n.key)),
    Call: lambda n: ("call", n.function, n.target and shape(n.target), *map(shape, n.args)),
    ListExpr: lambda n: [shape(item) for item in n.items],
    MapExpr: lambda n: [(shape(key), shape(value)) for key, value in n.entries],
    Unary: lambda n: (n.operator, shape(n.operand)),
    Binary: lambda n: (n.operator, shape(n.left), shape(n.right)),
    Logical: lambda n: (n.operator, *map(shape, n.operands)),
    Ternary: lambda n: ("?", shape(n.condition), shape(n.then), shape(n.otherwise)),
    Comprehension: lambda n: (
        n.macro,
        n.variable,
        shape(n.range),
        n.condition and shape(n.condition),
        shape(n.body),
    ),
}

LITERALS = [
    ("null", None),
    ("true", True),
    ("false", False),
    ("0", 0),
    ("007", 7),
    ("42u", 42),
    ("0x1F", 31),
    ("0XffU", 255),
    ("-1", -1),
    ("9223372036854775807", 2**63 - 1),
    ("-9223372036854775808", -(2**63)),
    ("-0x8000000000000000", -(2**63)),
    ("1.5", 1.5),
    (".5", 0.5),
    ("1e3", 1000.0),
    ("-2.5E-1", -0.25),
    ('""', ""),
    ("''", ""),
    ('"a\'b"', "a'b"),
    ("'a\"b'", 'a"b'),
    (r'"\a\b\f\n\r\t\v\\\?\"\'\`"', "\a\b\f\n\r\t\v\\?\"'`"),
    (r'"\x41\X42\u00e9\U0001F600\101"', "ABé😀A"),
    (r'r"\n\d"', r"\n\d"),
    (r"R'\'", "\\"),
    ('"""a\n"b" """', 'a\n"b" '),
    ("'''it's'''", "it's"),
    ('r"""\\"""', "\\"),
    (r'"""a\""""', 'a"'),
    ("''''''", ""),
    ('b"a\\xff\\377é"', b"a\xff\xff\xc3\xa9"),
    (r"B'\n'", b"\n"),
    (r'br"\n"', b"\\n"),
    ("b'''x'''", b"x"),
]


@pytest.mark.parametrize(("text", "value"), LITERALS)
def test_a_literal_is_its_value(text: str, value: object) -> None:
    node = parse(text)
    assert isinstance(node, Literal)
    assert (type(node.value), node.value, node.start, node.end) == (type(value), value, 0, len(text))


TREES = [
    ("a", "a"),
    ("a.b.c", (".", (".", "a", "b"), "c")),
    ("a.for", (".", "a", "for")),
    ("a[0].b", (".", ("[]", "a", 0), "b")),
    ("f()", ("call", "f", None)),
    ("f(a, 1)", ("call", "f", None, "a", 1)),
    ("a.f(b)", ("call", "f", "a", "b")),
    ("[]", []),
    ("[1, a,]", [1, "a"]),
    ("{}", []),
    ('{"a": 1, b: [2],}', [("a", 1), ("b", [2])]),
    ("has(a.b)", ("has", (".", "a", "b"))),
    ("!a", ("!", "a")),
    ("!!a", ("!", ("!", "a"))),
    ("--a", ("-", ("-", "a"))),
    ("--1", ("-", -1)),
    ("- 1", -1),
    ("-a.b", ("-", (".", "a", "b"))),
    ("a - -1", ("-", "a", -1)),
    ("a-1", ("-", "a", 1)),
    ("1 + 2 * 3 - 4", ("-", ("+", 1, ("*", 2, 3)), 4)),
    ("(1 + 2) * 3", ("*", ("+", 1, 2), 3)),
    ("a % b / c", ("/", ("%", "a", "b"), "c")),
    ("a + 1 < b", ("<", ("+", "a", 1), "b")),
    ("a <= b == c", ("==", ("<=", "a", "b"), "c")),
    ("a in [1]", ("in", "a", [1])),
    ("a > 1 && b >= 2 || c != d", ("||", ("&&", (">", "a", 1), (">=", "b", 2)), ("!=", "c", "d"))),
    ("a || b && c || d", ("||", "a", ("&&", "b", "c"), "d")),
    ("a && b && c", ("&&", "a", "b", "c")),
    ("a && (b && c)", ("&&", "a", ("&&", "b", "c"))),
    ("a ? b : c ? d : e", ("?", "a", "b", ("?", "c", "d", "e"))),
    ("xs.all(x, x)", ("all", "x", "xs", None, "x")),
    ("xs.exists(x, x)", ("exists", "x", "xs", None, "x")),
    ("xs.exists_one(x, x)", ("exists_one", "x", "xs", None, "x")),
    ("xs.filter(x, x)", ("filter", "x", "xs", None, "x")),
    ("xs.map(x, x)", ("map", "x", "xs", None, "x")),
    ("xs.map(x, c, x)", ("map", "x", "xs", "c", "x")),
    ("a // the first\n\t&& b//", ("&&", "a", "b")),
    ("inside", "inside"),
    ("bar", "bar"),
    ("r", "r"),
]


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_an_expression_is_read_as_cel_reads_it(text: str, tree: object) -> None:
    assert shape(parse(text)) == tree


FAULTS = [
    # what is missing
    ("", 0, 0, "expected a value, but the expression ends here", ""),
    ("  // only a comment", 19, 19, "expected a value, but the expression ends here", ""),
    ("a &&", 4, 4, "expected a value, but the expression ends here", ""),
    ("a.", 2, 2, "expected the name of a field or function, but the expression ends here", ""),
    ("a ? b", 5, 5, "expected `:` and the other branch, but the expression ends here", ""),
    ('{"a" 1}', 5, 6, "expected `:` and a value, found `1`", ""),
    ("f(a,)", 4, 5, "expected an argument, found `)`", ""),
    ("[,]", 1, 2, "expected a value, found `,`", ""),
    # what is never closed
    ("a && (b || c", 5, 6, "this `(` is never closed", "add `)`"),
    ("f(a", 1, 2, "this `(` is never closed", "add `)`"),
    ("a[1", 1, 2, "this `[` is never closed", "add `]`"),
    ("[1, 2", 0, 1, "this `[` is never closed", "add `]`"),
    ('{"a": 1', 0, 1, "this `{` is never closed", "add `}`"),
    ("(a b)", 3, 4, "expected `)`, found `b`", ""),
    ('a == "b', 5, 6, "this string is never closed", 'add `"`'),
    ('"""a', 0, 1, "this string is never closed", 'add `"`'),
    ("r'a", 0, 2, "this string is never closed", "add `'`"),
    ('"a\nb"', 0, 1, "this string is never closed", 'add `"`'),
    # usual slips
    ('a = "b"', 2, 3, "expected an operator, found `=`", "write `==` to compare"),
    ("a === b", 4, 5, "expected a value, found `=`", "write `==` to compare"),
    ("a and b", 2, 5, "expected an operator, found `and`", "write `&&` for and"),
    ("a OR b", 2, 4, "expected an operator, found `OR`", "write `||` for or"),
    ("a & b", 2, 3, "expected an operator, found `&`", "write `&&` for and"),
    ("a | b", 2, 3, "expected an operator, found `|`", "write `||` for or"),
    ("not a", 0, 3, "unexpected `not`", "write `!(…)` for not"),
    ("a not in b", 2, 5, "expected an operator, found `not`", "write `!(…)` for not"),
    ("a <> b", 3, 4, "expected a value, found `>`", "write `!=` for not equal"),
    ("a == “b”", 5, 6, "expected a value, found `“`", "write straight quotes"),
    ("a; b", 1, 2, "expected an operator, found `;`", "an expression is one line of thought: it has no `;`"),
    # what CEL has no place for
    ("!-a", 1, 2, "expected a value, found `-`", ""),
    ("a ? b ? c : d : e", 6, 7, "expected `:` and the other branch, found `?`", ""),
    ("in", 0, 2, "expected a value, found `in`", ""),
    ("a.in", 2, 4, "expected the name of a field or function, found `in`", ""),
    ("a.true", 2, 6, "expected the name of a field or function, found `true`", ""),
    ("a + while", 4, 9, "`while` is a reserved word", ""),
    ("a }", 2, 3, "unexpected `}` after the expression", ""),
    ("#", 0, 1, "expected a value, found `#`", ""),
    # what this language leaves out
    ("Item{id: 1}", 4, 5, "an expression cannot construct messages", ""),
    ("a.B{}", 3, 4, "an expression cannot construct messages", ""),
    (".a", 0, 1, "expected a value, found `.`", ""),
    # macros
    ("has(a)", 0, 6, "`has` takes one field", "write `has(x.field)`"),
    ("has(a.b, c)", 0, 11, "`has` takes one field", "write `has(x.field)`"),
    ("xs.all(x)", 3, 6, "`all` takes a variable and an expression", "write `….all(x, …)`"),
    ("xs.exists(x.y, z)", 10, 13, "`exists` needs a plain variable first", "write `….exists(x, …)`"),
    # literals
    ("9223372036854775808", 0, 19, "the number does not fit into 64 bits", ""),
    ("-9223372036854775809", 1, 20, "the number does not fit into 64 bits", ""),
    ("1e999", 0, 5, "the number is too large", ""),
    (r'a == "x\qy"', 7, 9, r"`\q` is no escape", "double the backslash"),
    (r'"""ab\xZZ"""', 5, 7, r"`\x` is no escape", "double the backslash"),
    (r'"\ud800"', 1, 7, r"`\ud800` is no character", ""),
    (r'"\U00110000"', 1, 11, r"`\U00110000` is no character", ""),
    (r'b"a\u0041"', 3, 9, r"`\u0041` has no place in bytes", r"write `\x…`"),
    ('b"a\ud800"', 3, 4, "this character cannot be written as bytes", ""),
]


@pytest.mark.parametrize(("text", "start", "end", "message", "hint"), FAULTS)
def test_a_slip_is_named_where_it_stands(text: str, start: int, end: int, message: str, hint: str) -> None:
    fault = fault_of(text)
    assert (fault.start, fault.end, fault.message, fault.hint) == (start, end, message, hint)


def test_every_node_knows_where_it_stands() -> None:
    text = 'xs.all(x, x.a == "b") && f(-y)'
    node = parse(text)
    assert isinstance(node, Logical)
    macro, call = node.operands
    assert isinstance(macro, Comprehension)
    assert isinstance(call, Call)
    spans: list[Node] = [node, macro, macro.range, macro.body, call, call.args[0]]
    assert [text[each.start : each.end] for each in spans] == [
        text,
        'xs.all(x, x.a == "b")',
        "xs",
        'x.a == "b"',
        "f(-y)",
        "-y",
    ]
    assert text[call.name_start :].startswith("f(")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "a" + ")" * 5000,
        "[" * 5000,
        "!" * 5000 + "a",
        "-" * 5000 + "a",
        "a" + ".b" * 5000,
        "a" + "+a" * 5000,
        "a" + "[a" * 5000,
        "a ? b : " * 1000 + "c",
        "1||1&&1==1+1*(" * 900,
        "xs.all(x, " * 1000,
    ],
)
def test_deep_expressions_are_refused_before_they_overflow(text: str) -> None:
    assert fault_of(text).message == f"the expression is nested deeper than {MAX_NESTING} levels"


def test_wide_expressions_are_not_deep_ones() -> None:
    node = parse(" && ".join(["a"] * 3000))
    assert isinstance(node, Logical)
    assert len(node.operands) == 3000


def test_nesting_up_to_the_limit_is_read() -> None:
    parse("(" * (MAX_NESTING - 1) + "a" + ")" * (MAX_NESTING - 1))
    parse("a" + ".b" * (MAX_NESTING - 1))


def test_long_expressions_are_refused() -> None:
    parse("a".ljust(MAX_EXPRESSION_CHARS))
    fault = fault_of("a".ljust(MAX_EXPRESSION_CHARS + 1))
    assert fault.message == "an expression may have 16,384 characters at most"


def test_a_very_long_number_is_refused() -> None:
    assert fault_of("1" * 10_000).message == "the number does not fit into 64 bits"
    assert parse("0" * 10_000 + "1") == Literal(1, 0, 10_001)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1", set()),
        ("a.b[c] + f(d)", {"a", "c", "d"}),
        ("xs.all(x, x == y)", {"xs", "y"}),
        ("x.all(x, x)", {"x"}),
        ("xs.map(x, c && x, x + z)", {"xs", "c", "z"}),
        ('{"k": v}.k || has(w.q)', {"v", "w"}),
    ],
)
def test_free_names_are_those_no_macro_binds(text: str, names: set[str]) -> None:
    assert free_names(parse(text)) == names


WORDS = st.sampled_from(
    "a b . .. ( ) [ ] { } , : ? ! - + * / % < <= == = != && & || | in has all exists map not and true null 1 "
    '1u 0x 1e9 .5 " \' """ r\' b" \\ \\u // \n“ for'.split(" ")
)


@given(st.text() | st.lists(WORDS).map(" ".join) | st.lists(WORDS).map("".join))
@example("\ud800")
@example('b"\ud800')
def test_any_text_gives_a_tree_or_a_fault_inside_it(text: str) -> None:
    try:
        node = parse(text)
    except SyntaxFault as fault:
        assert 0 <= fault.start <= fault.end <= len(text)
        assert fault.message
    else:
        assert 0 <= node.start < node.end <= len(text)
