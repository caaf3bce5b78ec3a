"""Messages with expressions in braces: `{i.id} waits for {b.id}`; `{{` and `}}` are braces.

Source: `docs/expressions.md`, "Messages".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.evaluator import Values, compile_expression
from cortex_policy.ruleset.functions import text_of
from cortex_policy.ruleset.operators import Failure
from cortex_policy.ruleset.parser import MAX_EXPRESSION_CHARS, parse_prefix
from cortex_policy.ruleset.syntax import Node, SyntaxFault, free_names

MAX_SHOWN_ELEMENTS: Final = 20
"""Elements of a list that a message shows; the rest is `…`."""

MAX_SHOWN_CHARS: Final = 1_000
"""Characters that one expression adds to a message."""

MAX_SHOWN_DEPTH: Final = 3
"""Levels of lists and maps that a message shows."""

_BRACE: Final = re.compile(r"\{\{|\}\}|\{|\}")


class Template(NamedTuple):
    """Literal text and expressions in turn, with offsets into the text; `names`: the variables read."""

    parts: tuple[str | Node, ...]
    names: frozenset[str]

    @property
    def expressions(self) -> tuple[Node, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))


def parse_template(text: str) -> Template:
    """The parts of a message. Raises `SyntaxFault` with offsets into `text`."""
    if len(text) > MAX_EXPRESSION_CHARS:
        raise SyntaxFault(f"a message may have {MAX_EXPRESSION_CHARS:,} characters at most", 0, len(text))
    parts: list[str | Node] = []
    position = 0
    while (brace := _BRACE.search(text, position)) is not None:
        parts.append(text[position : brace.start()])
        if brace.group() == "}":
            raise SyntaxFault("this `}` closes nothing", brace.start(), brace.end(), "write `}}` for a brace")
        if brace.group() == "{":
            node, position = _embedded(text, brace)
            parts.append(node)
        else:
            parts.append(brace.group()[0])
            position = brace.end()
    parts.append(text[position:])
    names = frozenset().union(*(free_names(part) for part in parts if not isinstance(part, str)))
    return Template(tuple(part for part in parts if part), names)


def _embedded(text: str, brace: re.Match[str]) -> tuple[Node, int]:
    node, end = parse_prefix(text, brace.end())
    if text[end : end + 1] != "}":
        raise SyntaxFault(
            "this `{` is never closed", brace.start(), brace.end(), "add `}`, or write `{{` for a brace"
        )
    return node, end + 1


def render(template: Template, env: Values, functions: Mapping[str, Callable[..., Any]]) -> str:
    """The message for these values; never raises. What is unknown reads `not stated`."""
    pieces = []
    for part in template.parts:
        if isinstance(part, str):
            pieces.append(part)
        else:
            pieces.append(_cut(show(compile_expression(part, functions)(env))))
    return "".join(pieces)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARS else text[: MAX_SHOWN_CHARS - 1] + "…"


def show(value: Any, depth: int = MAX_SHOWN_DEPTH) -> str:
    """A value as a person reads it: records by their id, lists with commas, dates and times in ISO 8601."""
    if value is UNKNOWN:
        return "not stated"
    if value is None:
        return "null"
    if value.__class__ is Failure:
        return f"error ({value.reason})"
    if value.__class__ is Record:
        return str(value.id)
    if value.__class__ in (tuple, OpenTuple, dict):
        return _show_many(value, depth)
    if value.__class__ is bytes:
        return str(value[:MAX_SHOWN_CHARS].decode("utf-8", "replace"))
    try:
        return text_of(value)
    except (TypeError, ValueError, OverflowError):
        return "a value that cannot be shown"


def _show_many(value: Any, depth: int) -> str:
    if depth == 0:
        return "…"
    shown = [_cut(show(member, depth - 1)) for member in islice(value, MAX_SHOWN_ELEMENTS)]
    if value.__class__ is dict:
        shown = [
            f"{key}: {_cut(show(value[name], depth - 1))}" for key, name in zip(shown, value, strict=False)
        ]
    if len(value) > MAX_SHOWN_ELEMENTS or value.__class__ is OpenTuple:
        shown.append("…")
    return ", ".join(shown) or "none"
