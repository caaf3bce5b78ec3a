"""From the text of an expression to its tree: the CEL grammar, with exact places and advice on usual slips.

A stock CEL parser accepts whatever this one accepts. Left out on purpose (`docs/expressions.md`):
constructing messages, a leading dot, quoted field names. Source of the grammar: the CEL language
definition, section "Syntax".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

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
    children,
)

MAX_EXPRESSION_CHARS: Final = 16_384
"""Longer than any condition a person reviews; bounds the work of every later step."""

MAX_NESTING: Final = 64
"""Levels of the tree, and of brackets: twice what the CEL specification asks implementations for."""

_MAX_DESCENT: Final = 2 * MAX_NESTING
"""Recursive steps of the parser: each bracket takes two."""

_INT_MIN: Final = -(2**63)
_INT_MAX: Final = 2**63 - 1
_INT_DIGITS: Final = 20

_TOKEN: Final = re.compile(
    r"""
      (?P<space>(?:[ \t\n\f\r]+|//[^\n]*)+)
    | (?P<string>
        [bB]?[rR](?:\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|"(?!"")[^"\r\n]*"|'(?!'')[^'\r\n]*')
      | [bB]?(?:\"{3}(?s:[^\\]|\\.)*?\"{3}|'{3}(?s:[^\\]|\\.)*?'{3}
               |"(?!"")(?:[^"\\\r\n]|\\[^\r\n])*"|'(?!'')(?:[^'\\\r\n]|\\[^\r\n])*'))
    | (?P<unclosed>[bB]?[rR]?["'])
    | (?P<float>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    | (?P<int>0[xX][0-9a-fA-F]+[uU]?|[0-9]+[uU]?)
    | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    | (?P<op>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    | (?P<bad>(?s:.))
    """,
    re.VERBOSE,
)

_POWERS: Final[Mapping[str, int]] = MappingProxyType(
    {"||": 1, "&&": 2}
    | dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3)
    | dict.fromkeys(("+", "-"), 4)
    | dict.fromkeys(("*", "/", "%"), 5)
)

_CONSTANTS: Final[Mapping[str, object]] = MappingProxyType({"true": True, "false": False, "null": None})

_RESERVED: Final = frozenset(
    {
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    }
)

_SLIPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "=": "write `==` to compare",
        "&": "write `&&` for and",
        "|": "write `||` for or",
        "and": "write `&&` for and",
        "or": "write `||` for or",
        "not": "write `!(…)` for not",
        "is": "write `==` to compare",
        "“": "write straight quotes",
        "”": "write straight quotes",
        "\u2018": "write straight quotes",
        "’": "write straight quotes",
        ";": "an expression is one line of thought: it has no `;`",
        ">": "write `!=` for not equal",
    }
)

_MACROS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {"all": (2,), "exists": (2,), "exists_one": (2,), "filter": (2,), "map": (2, 3)}
)

_SIMPLE_ESCAPES: Final[Mapping[str, str]] = MappingProxyType(
    dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))
)

_ESCAPE: Final = re.compile(
    r"\\(?:[xX](?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<simple>[abfnrtv\\?\"'`]))"
)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def parse(text: str) -> Node:
    """The tree of a whole expression. Raises `SyntaxFault` and nothing else, for any text."""
    node, end = parse_prefix(text, 0)
    if end != len(text):
        raise SyntaxFault(f"unexpected `{text[end]}` after the expression", end, end + 1)
    return node


def parse_prefix(text: str, start: int) -> tuple[Node, int]:
    """The tree of the expression at `start`, and where it ends: at a `}` that it did not open, or at the end.

    Offsets count from the beginning of `text`. Raises `SyntaxFault`.
    """
    if len(text) - start > MAX_EXPRESSION_CHARS:
        raise SyntaxFault(
            f"an expression may have {MAX_EXPRESSION_CHARS:,} characters at most", start, len(text)
        )
    parser = _Parser(text, start)
    node = parser.whole()
    _bound_depth(node)
    return node, parser.token.start


def _bound_depth(root: Node) -> None:
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_NESTING:
            raise _too_deep(node.start, node.end)
        pending.extend((child, depth + 1) for child in children(node))


def _too_deep(start: int, end: int) -> SyntaxFault:
    hint = "name a part of it as a condition of its own"
    return SyntaxFault(f"the expression is nested deeper than {MAX_NESTING} levels", start, end, hint)


class _Parser:
    """Precedence climbing over one token of lookahead: `token` is what is not consumed yet."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.descent = 0
        self.last_end = start
        self.token = self._scan(start)

    # ----------------------------------------------------------------- tokens

    def _scan(self, position: int) -> _Token:
        match = _TOKEN.match(self.text, position)
        if match is not None and match.lastgroup == "space":
            position = match.end()
            match = _TOKEN.match(self.text, position)
        if match is None:
            return _Token("end", "", position, position)
        return _Token(str(match.lastgroup), match.group(), match.start(), match.end())

    def _advance(self) -> _Token:
        token = self.token
        self.last_end = token.end
        self.token = self._scan(token.end)
        return token

    def _accept(self, text: str) -> bool:
        if self.token.kind == "op" and self.token.text == text:
            self._advance()
            return True
        return False

    def _close(self, closing: str, opening: _Token) -> None:
        if self._accept(closing):
            return
        if self.token.kind == "end":
            raise SyntaxFault(
                f"this `{opening.text}` is never closed", opening.start, opening.end, f"add `{closing}`"
            )
        raise self._unexpected(f"expected `{closing}`")

    def _unexpected(self, expected: str) -> SyntaxFault:
        token = self.token
        if token.kind == "end":
            return SyntaxFault(f"{expected}, but the expression ends here", token.start, token.end)
        if token.kind == "unclosed":
            return SyntaxFault(
                "this string is never closed", token.start, token.end, f"add `{token.text[-1]}`"
            )
        return SyntaxFault(
            f"{expected}, found `{token.text}`", token.start, token.end, _SLIPS.get(token.text.lower(), "")
        )

    # ----------------------------------------------------------------- expressions

    def whole(self) -> Node:
        node = self._expression()
        if self.token.kind == "end" or self.token.text == "}":
            return node
        if isinstance(node, Ident) and node.name.lower() == "not":
            raise SyntaxFault(f"unexpected `{node.name}`", node.start, node.end, _SLIPS["not"])
        raise self._unexpected("expected an operator")

    def _enter(self) -> None:
        self.descent += 1
        if self.descent > _MAX_DESCENT:
            raise _too_deep(self.token.start, self.token.end)

    def _expression(self) -> Node:
        self._enter()
        node = self._binary(1)
        if self._accept("?"):
            then = self._binary(1)
            if not self._accept(":"):
                raise self._unexpected("expected `:` and the other branch")
            otherwise = self._expression()
            node = Ternary(node, then, otherwise, node.start, otherwise.end)
        self.descent -= 1
        return node

    def _binary(self, floor: int) -> Node:
        self._enter()
        left = self._unary()
        while (power := self._power()) >= floor:
            operator = self._advance().text
            left = _joined(operator, left, self._binary(power + 1))
        self.descent -= 1
        return left

    def _power(self) -> int:
        token = self.token
        return _POWERS.get(token.text, 0) if token.kind in ("op", "name") else 0

    def _unary(self) -> Node:
        operator = self.token.text
        if self.token.kind != "op" or operator not in ("!", "-"):
            return self._postfix(self._primary())
        starts = []
        while self.token.kind == "op" and self.token.text == operator:
            starts.append(self._advance().start)
        if operator == "-" and self.token.kind in ("int", "float"):
            node = self._postfix(self._number("-", starts.pop()))
        else:
            node = self._postfix(self._primary())
        for start in reversed(starts):
            node = Unary(operator, node, start, node.end)
        return node

    def _postfix(self, node: Node) -> Node:
        while self.token.kind == "op":
            opening = self.token
            if self._accept("."):
                node = self._member(node)
            elif self._accept("["):
                index = self._expression()
                self._close("]", opening)
                node = Index(node, index, node.start, self.last_end)
            elif opening.text == "{" and isinstance(node, Ident | Select):
                raise SyntaxFault("an expression cannot construct messages", opening.start, opening.end)
            else:
                break
        return node

    def _member(self, operand: Node) -> Node:
        if self.token.kind != "name" or self.token.text in _CONSTANTS or self.token.text == "in":
            raise self._unexpected("expected the name of a field or function")
        name = self._advance()
        opening = self.token
        if not self._accept("("):
            return Select(operand, name.text, operand.start, name.end)
        args = self._items(")", opening)
        if name.text in _MACROS:
            return self._macro(operand, name, args)
        return Call(name.text, operand, args, name.start, operand.start, self.last_end)

    def _macro(self, operand: Node, name: _Token, args: tuple[Node, ...]) -> Node:
        if len(args) not in _MACROS[name.text]:
            hint = f"write `….{name.text}(x, …)`"
            raise SyntaxFault(f"`{name.text}` takes a variable and an expression", name.start, name.end, hint)
        variable = args[0]
        if not isinstance(variable, Ident):
            hint = f"write `….{name.text}(x, …)`"
            raise SyntaxFault(
                f"`{name.text}` needs a plain variable first", variable.start, variable.end, hint
            )
        condition = args[1] if len(args) == 3 else None
        return Comprehension(
            name.text, variable.name, operand, condition, args[-1], operand.start, self.last_end
        )

    def _items(self, closing: str, opening: _Token) -> tuple[Node, ...]:
        """Expressions with commas between them; only a list may end in a comma, as in CEL."""
        items: list[Node] = []
        while not (self.token.kind == "op" and self.token.text == closing):
            items.append(self._expression())
            if not self._accept(","):
                break
            if closing == ")" and self.token.text == closing:
                raise self._unexpected("expected an argument")
        self._close(closing, opening)
        return tuple(items)

    # ----------------------------------------------------------------- operands

    def _primary(self) -> Node:
        kind = self.token.kind
        if kind in ("int", "float"):
            return self._number("", self.token.start)
        if kind == "string":
            token = self._advance()
            return Literal(_string(token), token.start, token.end)
        if kind == "name":
            return self._name()
        return self._bracketed()

    def _bracketed(self) -> Node:
        opening = self.token
        if self._accept("("):
            node = self._expression()
            self._close(")", opening)
            return node
        if self._accept("["):
            return ListExpr(self._items("]", opening), opening.start, self.last_end)
        if self._accept("{"):
            return self._map(opening)
        raise self._unexpected("expected a value")

    def _map(self, opening: _Token) -> Node:
        entries: list[tuple[Node, Node]] = []
        while not (self.token.kind == "op" and self.token.text == "}"):
            key = self._expression()
            if not self._accept(":"):
                raise self._unexpected("expected `:` and a value")
            entries.append((key, self._expression()))
            if not self._accept(","):
                break
        self._close("}", opening)
        return MapExpr(tuple(entries), opening.start, self.last_end)

    def _name(self) -> Node:
        if self.token.text == "in":
            raise self._unexpected("expected a value")
        name = self._advance()
        if name.text in _CONSTANTS:
            return Literal(_CONSTANTS[name.text], name.start, name.end)
        if name.text in _RESERVED:
            raise SyntaxFault(f"`{name.text}` is a reserved word", name.start, name.end)
        opening = self.token
        if not self._accept("("):
            return Ident(name.text, name.start, name.end)
        args = self._items(")", opening)
        if name.text == "has":
            return self._has(name, args)
        return Call(name.text, None, args, name.start, name.start, self.last_end)

    def _has(self, name: _Token, args: tuple[Node, ...]) -> Node:
        if len(args) != 1 or not isinstance(args[0], Select):
            raise SyntaxFault("`has` takes one field", name.start, self.last_end, "write `has(x.field)`")
        return HasTest(args[0], name.start, self.last_end)

    def _number(self, sign: str, start: int) -> Node:
        token = self._advance()
        if token.kind == "float":
            value = float(sign + token.text)
            if value in (float("inf"), float("-inf")):
                raise SyntaxFault("the number is too large", token.start, token.end)
            return Literal(value, start, token.end)
        return Literal(_integer(sign, token), start, token.end)


def _joined(operator: str, left: Node, right: Node) -> Node:
    if operator not in ("&&", "||"):
        return Binary(operator, left, right, left.start, right.end)
    if isinstance(left, Logical) and left.operator == operator:
        return Logical(operator, (*left.operands, right), left.start, right.end)
    return Logical(operator, (left, right), left.start, right.end)


def _integer(sign: str, token: _Token) -> int:
    digits = token.text.rstrip("uU").lower()
    base = 16 if digits.startswith("0x") else 10
    digits = digits.removeprefix("0x").lstrip("0") or "0"
    if len(digits) <= _INT_DIGITS and _INT_MIN <= (value := int(sign + digits, base)) <= _INT_MAX:
        return value
    raise SyntaxFault("the number does not fit into 64 bits", token.start, token.end)


# --------------------------------------------------------------------------- strings


def _string(token: _Token) -> str | bytes:
    text = token.text
    body_start = re.match(r"[bBrR]*", text).end()  # type: ignore[union-attr]
    prefix = text[:body_start].lower()
    width = 3 if text[body_start : body_start + 3] in ('"""', "'''") else 1
    body = text[body_start + width : -width]
    offset = token.start + body_start + width
    if "b" in prefix:
        return _bytes(body, offset, raw="r" in prefix)
    return body if "r" in prefix else _unescaped(body, offset)


def _escape(body: str, position: int, offset: int) -> re.Match[str]:
    match = _ESCAPE.match(body, position)
    if match is None:
        start = offset + position
        raise SyntaxFault(
            f"`{body[position : position + 2]}` is no escape", start, start + 2, "double the backslash"
        )
    return match


def _unescaped(body: str, offset: int) -> str:
    pieces = []
    position = 0
    while (slash := body.find("\\", position)) >= 0:
        match = _escape(body, slash, offset)
        pieces += [body[position:slash], _character(match, offset)]
        position = match.end()
    return "".join(pieces) + body[position:]


def _character(match: re.Match[str], offset: int) -> str:
    if simple := match["simple"]:
        return _SIMPLE_ESCAPES[simple]
    code = (
        int(match["octal"], 8)
        if match["octal"]
        else int(match["byte"] or match["short"] or match["long"], 16)
    )
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        start = offset + match.start()
        raise SyntaxFault(f"`{match.group()}` is no character", start, offset + match.end())
    return chr(code)


def _bytes(body: str, offset: int, *, raw: bool) -> bytes:
    pieces = []
    position = 0
    while not raw and (slash := body.find("\\", position)) >= 0:
        match = _escape(body, slash, offset)
        pieces += [_utf8(body[position:slash], offset + position), _byte(match, offset)]
        position = match.end()
    return b"".join(pieces) + _utf8(body[position:], offset + position)


def _byte(match: re.Match[str], offset: int) -> bytes:
    if simple := match["simple"]:
        return _SIMPLE_ESCAPES[simple].encode()
    if match["short"] or match["long"]:
        start = offset + match.start()
        raise SyntaxFault(
            f"`{match.group()}` has no place in bytes", start, offset + match.end(), "write `\\x…`"
        )
    return bytes([int(match["octal"], 8) if match["octal"] else int(match["byte"], 16)])


def _utf8(text: str, offset: int) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        place = offset + error.start
        raise SyntaxFault("this character cannot be written as bytes", place, place + 1) from None
