"""The guarded YAML loader: text becomes nodes that keep their place and their spelling, or faults.

YAML is read as events, never composed or constructed, so nothing in a file can choose a Python type, expand an alias,
or recurse. A plain scalar stays the text that was written (`0752`, `1.30`, `on`): whoever reads it types it by
declaration. JSON is read twice: `json` decides whether it is JSON at all, a scan of its tokens lends the places.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from typing import Any, Final, NamedTuple

import yaml

MAX_DEPTH: Final = 100
"""Nesting that no hand-written record reaches; far below any recursion limit."""
MAX_NODES: Final = 200_000
"""Events in one file; bounds memory on generated or hostile input."""
MAX_DIRECTIVES: Final = 16
"""Lines that may be `%` directives; libyaml compares each with all before it, in time that grows as their square."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mark(NamedTuple):
    """Where a node starts; line and column from 1."""

    line: int
    column: int


class Scalar(NamedTuple):
    """A scalar as written; `plain` is true when it had no quotes, so that a declaration may type it."""

    text: str
    plain: bool
    mark: Mark


class Sequence(NamedTuple):
    """A list of nodes."""

    items: list[Node]
    mark: Mark


class Mapping(NamedTuple):
    """Key and value pairs in the order of the text; a duplicate key stands twice (and is a fault)."""

    entries: list[tuple[Scalar, Node]]
    mark: Mark

    def get(self, key: str) -> Node | None:
        """The first value of `key`, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Sequence | Mapping


class NodeFault(NamedTuple):
    """What is wrong in a YAML or JSON text: `code` is a key of `faults.FAULTS`.

    `advice` is what to write instead, where the line shows what was meant.
    """

    code: str
    message: str
    mark: Mark
    advice: str = ""


class _Frame:
    """A collection that is still open while events arrive."""

    __slots__ = ("key", "keys", "node")

    def __init__(self, node: Sequence | Mapping) -> None:
        self.node = node
        self.key: Scalar | None = None
        self.keys: dict[str, Mark] = {}


class _Builder:
    """Turns events into nodes with an explicit stack: depth costs memory only, and that is bounded."""

    def __init__(self, line_offset: int, breaks: list[int] | None, last: int) -> None:
        self.offset = line_offset
        self.breaks = breaks
        self.last = last
        self.faults: list[NodeFault] = []
        self.stack: list[_Frame] = []
        self.roots: list[Node] = []

    def mark(self, event: Any) -> Mark:
        return self.inside(event.start_mark)

    def inside(self, mark: Any) -> Mark:
        """A mark of PyYAML, which at the end of a text may stand behind its last line."""
        if self.breaks is not None:
            return _mark_at(self.breaks, mark.index, self.offset)
        line = mark.line + 1 + self.offset
        return Mark(line, mark.column + 1) if line <= self.last else Mark(self.last, 1)

    def add(self, event: Any) -> None:
        """Take one event; raises `_TooDeep` beyond MAX_DEPTH."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def scalar(self, event: Any) -> None:
        mark = self.mark(event)
        self.guard(event, mark)
        self.place(Scalar(event.value, not event.style, mark))

    def alias(self, event: Any) -> None:
        mark = self.mark(event)
        self.faults.append(
            NodeFault("yaml-alias", f"alias `*{event.anchor}` is not followed: write the value out", mark)
        )
        self.place(Scalar("", False, mark))

    def open(self, event: Any) -> None:
        mark = self.mark(event)
        self.guard(event, mark)
        if len(self.stack) >= MAX_DEPTH:
            raise _TooDeep(mark)
        self.push(Mapping([], mark) if isinstance(event, yaml.MappingStartEvent) else Sequence([], mark))

    def push(self, node: Sequence | Mapping) -> None:
        """Place a collection and leave it open."""
        self.place(node)
        self.stack.append(_Frame(node))

    def close(self, event: Any) -> None:
        self.stack.pop()

    def document(self, event: Any) -> None:
        if self.roots:
            self.faults.append(
                NodeFault(
                    "yaml-second-document",
                    "a second YAML document follows: only one is read",
                    self.mark(event),
                )
            )

    def guard(self, event: Any, mark: Mark) -> None:
        """Anchors and explicit tags change what a file means behind its reader's back: both are faults."""
        if event.anchor is not None:
            self.faults.append(NodeFault("yaml-alias", f"anchor `&{event.anchor}` is not supported", mark))
        if event.tag is not None and event.tag != "!":
            self.faults.append(
                NodeFault("yaml-tag", f"tag `{event.tag}` is not applied: the text stays text", mark)
            )

    def place(self, node: Node) -> None:
        """Put a finished or freshly opened node where the enclosing collection expects it."""
        if not self.stack:
            self.roots.append(node)
            return
        frame = self.stack[-1]
        if isinstance(frame.node, Sequence):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self.as_key(frame, node)
        else:
            frame.node.entries.append((frame.key, node))
            frame.key = None

    def as_key(self, frame: _Frame, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            self.faults.append(NodeFault("yaml-key", "a mapping key is not plain text", node.mark))
            return Scalar("", False, node.mark)
        first = frame.keys.setdefault(node.text, node.mark)
        if first is not node.mark:
            self.faults.append(
                NodeFault(
                    "duplicate-key", f"key `{node.text}` stands twice (first on line {first.line})", node.mark
                )
            )
        return node


class _TooDeep(Exception):
    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark


_HANDLERS: Final[dict[type, Any]] = {
    yaml.ScalarEvent: _Builder.scalar,
    yaml.AliasEvent: _Builder.alias,
    yaml.MappingStartEvent: _Builder.open,
    yaml.SequenceStartEvent: _Builder.open,
    yaml.MappingEndEvent: _Builder.close,
    yaml.SequenceEndEvent: _Builder.close,
    yaml.DocumentStartEvent: _Builder.document,
}


_DIRECTIVE: Final = re.compile(r"^%", re.MULTILINE)
_OTHER_BREAK: Final = re.compile(r"[\x85\u2028\u2029]")
"""Where YAML 1.1 breaks a line and no editor does: marks are counted again by the lines of the file."""


def _line_breaks(text: str) -> list[int]:
    return [found.start() for found in re.finditer("\n", text)]


def _mark_at(breaks: list[int], position: int, offset: int = 0) -> Mark:
    """Line and column of the character at `position` of a text whose newlines stand at `breaks`."""
    line = bisect_left(breaks, position)
    return Mark(line + 1 + offset, position - (breaks[line - 1] + 1 if line else 0) + 1)


def load_yaml(text: str, *, line_offset: int = 0) -> tuple[Node | None, list[NodeFault]]:
    """Parse `text`; `line_offset` is the number of lines of the file that stand before it.

    Returns the root node (None when the text is empty or cannot be parsed) and every fault. Never raises.
    """
    if len(_DIRECTIVE.findall(text)) > MAX_DIRECTIVES:
        return None, [
            NodeFault("yaml-syntax", f"more than {MAX_DIRECTIVES} directives", Mark(1 + line_offset, 1))
        ]
    breaks = _line_breaks(text) if _OTHER_BREAK.search(text) else None
    builder = _Builder(line_offset, breaks, line_offset + text.count("\n") + 1)
    hard = _run(builder, text)
    if hard is not None:
        builder.faults.append(hard)
    faults = _advised(builder.faults, text, line_offset) if builder.faults else []
    return (builder.roots[0] if builder.roots and hard is None else None), faults


_VALUE: Final = re.compile(r"\s*(?:- +)*(?:[^\s:#'\"{\[][^:#]*:[ \t]+)?(.*)")
"""The value on a line of YAML: what follows the dashes and the key."""

_STARTS: Final = {
    "!": "quote it, as in `'!…'`: a value that starts with `!` is a tag to YAML",
    "*": "quote it, as in `'*…'`: a value that starts with `*` is an alias to YAML",
    "&": "quote it, as in `'&…'`: a value that starts with `&` is an anchor to YAML",
    "@": "quote it, as in `'@…'`: YAML keeps `@` at the start of a value for itself",
    "`": "quote it, as in '`…': YAML keeps the back-tick at the start of a value for itself",
    "%": "quote it, as in `'%…'`: a value that starts with `%` is a directive to YAML",
}
_ENDS: Final = "quote the whole value: it starts with `{}`, so YAML ends it at the matching one"
_SAYS: Final = (
    ("unknown escape", "write it in single quotes: in double quotes a backslash is YAML's own"),
    ("mapping values", "quote the whole value: `: ` inside it starts a mapping to YAML"),
    ("sequence entries", "put the list on lines of its own, or write `[a, b]`"),
    ("scanning an alias", _STARTS["*"]),
    ("scanning a tag", _STARTS["!"]),
)


def _advised(faults: list[NodeFault], text: str, line_offset: int) -> list[NodeFault]:
    lines = text.split("\n")
    return [
        fault._replace(advice=_advice(fault, lines[fault.mark.line - 1 - line_offset])) for fault in faults
    ]


def _advice(fault: NodeFault, line: str) -> str:
    """What to write instead, or an empty text where the line does not show what was meant."""
    if fault.code not in ("yaml-syntax", "yaml-tag"):
        return ""
    if (
        line[: fault.mark.column].expandtabs() != line[: fault.mark.column]
        and not line[: fault.mark.column].strip()
    ):
        return "indent with blanks: YAML takes no tabs there"
    found = _VALUE.match(line)
    start = found[1][:1] if found is not None else ""
    if start in _STARTS:
        return _STARTS[start]
    said = next((advice for words, advice in _SAYS if words in fault.message), "")
    closed = start and start in "{['\"" and "did not find expected" in fault.message
    return said or (_ENDS.format(start) if closed else "")


def _run(builder: _Builder, text: str) -> NodeFault | None:
    """Feed every event to the builder; a fault is returned when the text cannot be read to its end."""
    try:
        loader = _Loader(text)
        count = 0
        while loader.check_event():
            builder.add(loader.get_event())
            count += 1
            if count > MAX_NODES:
                return NodeFault(
                    "too-many-nodes", f"more than {MAX_NODES:,} nodes", Mark(1 + builder.offset, 1)
                )
    except _TooDeep as deep:
        return NodeFault("too-deep", f"nested deeper than {MAX_DEPTH} levels", deep.mark)
    except yaml.MarkedYAMLError as error:
        return NodeFault("yaml-syntax", _sentence(error), _error_mark(error, builder))
    except yaml.reader.ReaderError as error:
        return NodeFault(
            "yaml-syntax", _character(error), _position_mark(text, error.position, builder.offset)
        )
    except (RecursionError, ValueError, yaml.YAMLError):
        return NodeFault("yaml-syntax", "cannot be read as YAML", Mark(1 + builder.offset, 1))
    return None


def _sentence(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.problem, error.context) if part]
    return ", ".join(parts) or "cannot be read as YAML"


def _character(error: Any) -> str:
    character = error.character
    point = character if isinstance(character, int) else ord(str(character)[:1] or "\0")
    return f"character U+{point:04X} is not allowed in YAML"


def _error_mark(error: yaml.MarkedYAMLError, builder: _Builder) -> Mark:
    mark = error.problem_mark or error.context_mark
    return Mark(1 + builder.offset, 1) if mark is None else builder.inside(mark)


def _position_mark(text: str, position: int, offset: int) -> Mark:
    before = text[: max(0, position)]
    return Mark(before.count("\n") + 1 + offset, len(before) - before.rfind("\n"))


# --------------------------------------------------------------------------- JSON

_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}:,]|[^\s"\[\]{}:,]+')
_LONE: Final = re.compile("[\ud800-\udfff]")


def load_json(text: str) -> tuple[Node | None, Any, list[NodeFault]]:
    """Parse JSON: the node tree, the same as plain data, and every fault. Never raises.

    INVARIANT: only what `json` accepts becomes nodes; the scan of the tokens relies on it.
    """
    try:
        json.loads(text, parse_constant=_no_constant, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        return None, None, [NodeFault("json-syntax", error.msg.lower(), Mark(error.lineno, error.colno))]
    except _NoConstant as error:
        return None, None, [NodeFault("json-syntax", f"`{error}` is not JSON", _place_of(str(error), text))]
    except RecursionError:
        return None, None, [NodeFault("too-deep", f"nested deeper than {MAX_DEPTH} levels", Mark(1, 1))]
    builder = _Builder(0, None, 1)
    hard = _build(builder, text)
    if hard is not None:
        return None, None, [hard]
    root = builder.roots[0]
    return root, plain_data(root, exact=False), builder.faults


class _NoConstant(Exception):
    """`NaN` and its like, which Python would take."""


def _no_constant(name: str) -> None:
    raise _NoConstant(name)


def _place_of(name: str, text: str) -> Mark:
    found = next((token.start() for token in _TOKEN.finditer(text) if token.group() == name), 0)
    return _mark_at(_line_breaks(text), found)


def _build(builder: _Builder, text: str) -> NodeFault | None:
    """Give every token of a JSON text to the builder; a fault is returned when there is too much of it."""
    breaks = _line_breaks(text)
    count = 0
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word in ",:":
            continue
        if word in "]}":
            builder.stack.pop()
            continue
        mark = _mark_at(breaks, token.start())
        count += 1
        if count > MAX_NODES:
            return NodeFault("too-many-nodes", f"more than {MAX_NODES:,} nodes", Mark(1, 1))
        if word not in "[{":
            builder.place(Scalar(_json_text(word, mark, builder.faults), word[0] != '"', mark))
            continue
        if len(builder.stack) >= MAX_DEPTH:
            return NodeFault("too-deep", f"nested deeper than {MAX_DEPTH} levels", mark)
        builder.push(Sequence([], mark) if word == "[" else Mapping([], mark))
    return None


def _json_text(token: str, mark: Mark, faults: list[NodeFault]) -> str:
    """What a scalar's token stands for; a number is its spelling."""
    if token[0] != '"':
        return token
    text = str(json.loads(token)) if "\\" in token else token[1:-1]
    lone = _LONE.search(text)
    if lone is None:
        return text
    faults.append(NodeFault("json-syntax", f"`\\u{ord(lone.group()):04x}` is half a character", mark))
    return _LONE.sub("\ufffd", text)


# --------------------------------------------------------------------------- plain data, for JSON Schema


def plain_data(node: Node | None, *, exact: bool = True) -> Any:
    """The node as JSON data. With `exact` a plain scalar takes a type only if it would be spelt the same again."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return _plain_scalar(node, exact)
    if isinstance(node, Sequence):
        return [plain_data(item, exact=exact) for item in node.items]
    return {key.text: plain_data(value, exact=exact) for key, value in reversed(node.entries)}


_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


def _plain_scalar(node: Scalar, exact: bool) -> Any:
    if not node.plain:
        return node.text
    if node.text in _WORDS:
        return _WORDS[node.text]
    for kind in (int, float):
        try:
            number = kind(node.text)
        except ValueError:
            continue
        if math.isfinite(number) and (not exact or str(number) == node.text):
            return number
    return node.text


def node_at(node: Node | None, path: list[str | int]) -> Node | None:
    """The deepest node on `path` (keys and indexes) that exists, for the place of a schema error."""
    for step in path:
        child: Node | None = None
        if isinstance(node, Mapping):
            child = node.get(str(step))
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            child = node.items[step]
        if child is None:
            return node
        node = child
    return node
