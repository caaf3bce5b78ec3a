"""The guarded YAML loader: text becomes nodes that keep their place and their spelling, or faults.

YAML is read as events, never composed or constructed, so nothing in a file can choose a Python type, expand an alias,
or recurse. A plain scalar stays the text that was written (`0752`, `1.30`, `on`): whoever reads it types it by
declaration. JSON is read twice: `json` decides validity and values, the event stream lends the places.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

import yaml

MAX_DEPTH: Final = 100
"""Nesting that no hand-written record reaches; far below any recursion limit."""
MAX_NODES: Final = 200_000
"""Events in one file; bounds memory on generated or hostile input."""

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
    """What is wrong in a YAML or JSON text: `code` is a key of `faults.FAULTS`."""

    code: str
    message: str
    mark: Mark


class _Frame:
    """A collection that is still open while events arrive."""

    __slots__ = ("key", "keys", "node")

    def __init__(self, node: Sequence | Mapping) -> None:
        self.node = node
        self.key: Scalar | None = None
        self.keys: dict[str, Mark] = {}


class _Builder:
    """Turns events into nodes with an explicit stack: depth costs memory only, and that is bounded."""

    def __init__(self, line_offset: int) -> None:
        self.offset = line_offset
        self.faults: list[NodeFault] = []
        self.stack: list[_Frame] = []
        self.roots: list[Node] = []

    def mark(self, event: Any) -> Mark:
        return Mark(event.start_mark.line + 1 + self.offset, event.start_mark.column + 1)

    def add(self, event: Any) -> None:
        """Take one event; raises `_TooDeep` beyond MAX_DEPTH."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)

    def scalar(self, event: Any) -> None:
        mark = self.mark(event)
        self.guard(event, mark)
        self.place(Scalar(event.value, event.style is None, mark))

    def alias(self, event: Any) -> None:
        mark = self.mark(event)
        self.faults.append(NodeFault("yaml-alias", f"alias `*{event.anchor}` is not followed: write the value out", mark))
        self.place(Scalar("", False, mark))

    def open(self, event: Any) -> None:
        mark = self.mark(event)
        self.guard(event, mark)
        if len(self.stack) >= MAX_DEPTH:
            raise _TooDeep(mark)
        node: Node = Mapping([], mark) if isinstance(event, yaml.MappingStartEvent) else Sequence([], mark)
        self.place(node)
        self.stack.append(_Frame(node))

    def close(self, event: Any) -> None:
        self.stack.pop()

    def document(self, event: Any) -> None:
        if self.roots:
            self.faults.append(
                NodeFault("yaml-second-document", "a second YAML document follows: only one is read", self.mark(event))
            )

    def guard(self, event: Any, mark: Mark) -> None:
        """Anchors and explicit tags change what a file means behind its reader's back: both are faults."""
        if event.anchor is not None:
            self.faults.append(NodeFault("yaml-alias", f"anchor `&{event.anchor}` is not supported", mark))
        if event.tag is not None and event.tag != "!":
            self.faults.append(NodeFault("yaml-tag", f"tag `{event.tag}` is not applied: the text stays text", mark))

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


def load_yaml(text: str, *, line_offset: int = 0) -> tuple[Node | None, list[NodeFault]]:
    """Parse `text`; `line_offset` is the number of lines of the file that stand before it.

    Returns the root node (None when the text is empty or cannot be parsed) and every fault. Never raises.
    """
    builder = _Builder(line_offset)
    hard = _run(builder, text)
    if hard is not None:
        builder.faults.append(hard)
        return None, builder.faults
    return (builder.roots[0] if builder.roots else None), builder.faults


def _run(builder: _Builder, text: str) -> NodeFault | None:
    """Feed every event to the builder; a fault is returned when the text cannot be read to its end."""
    try:
        loader = _Loader(text)
        count = 0
        while loader.check_event():
            builder.add(loader.get_event())
            count += 1
            if count > MAX_NODES:
                return NodeFault("too-many-nodes", f"more than {MAX_NODES:,} nodes", Mark(1 + builder.offset, 1))
    except _TooDeep as deep:
        return NodeFault("too-deep", f"nested deeper than {MAX_DEPTH} levels", deep.mark)
    except yaml.MarkedYAMLError as error:
        return NodeFault("yaml-syntax", _sentence(error), _error_mark(error, builder.offset))
    except yaml.reader.ReaderError as error:
        return NodeFault("yaml-syntax", _character(error), _position_mark(text, error.position, builder.offset))
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


def _error_mark(error: yaml.MarkedYAMLError, offset: int) -> Mark:
    mark = error.problem_mark or error.context_mark
    return Mark(1 + offset, 1) if mark is None else Mark(mark.line + 1 + offset, mark.column + 1)


def _position_mark(text: str, position: int, offset: int) -> Mark:
    before = text[: max(0, position)]
    return Mark(before.count("\n") + 1 + offset, len(before) - before.rfind("\n"))


# --------------------------------------------------------------------------- JSON

_SURROGATES: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LONE: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def load_json(text: str) -> tuple[Node | None, Any, list[NodeFault]]:
    """Parse JSON: the node tree for places, the plain value, and every fault. Never raises.

    INVARIANT: what `json` refuses is never accepted because YAML would take it.
    """
    readable = _LONE.sub("?" * 6, _SURROGATES.sub("?" * 12, text)).replace("\t", " ")
    node, faults = load_yaml(readable)
    if any(fault.code in ("too-deep", "too-many-nodes") for fault in faults):
        return None, None, faults
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return None, None, [NodeFault("json-syntax", error.msg.lower(), Mark(error.lineno, error.colno))]
    except (RecursionError, ValueError) as error:
        return None, None, [NodeFault("json-syntax", str(error) or "nested too deep", Mark(1, 1))]
    duplicates = [fault for fault in faults if fault.code == "duplicate-key"]
    return _exact(node, value), value, duplicates


def _no_constant(name: str) -> None:
    raise ValueError(f"`{name}` is not JSON")


def _exact(node: Node | None, value: Any) -> Node | None:
    """Give each scalar the text that JSON means: the tree lends places, the parsed value the content."""
    if isinstance(node, Scalar):
        if isinstance(value, str):
            return Scalar(value, False, node.mark)
        return Scalar(json.dumps(value), True, node.mark)
    if isinstance(node, Sequence) and isinstance(value, list):
        pairs = zip(node.items, value, strict=False)
        return Sequence([n for n in (_exact(a, b) for a, b in pairs) if n is not None], node.mark)
    if isinstance(node, Mapping) and isinstance(value, dict):
        names = [str(key) for key in value]
        keys = {key.text for key, _ in node.entries}
        if keys == set(names):
            entries = [(key, _exact(child, value[key.text]) or child) for key, child in node.entries]
            return Mapping(entries, node.mark)
    return node


# --------------------------------------------------------------------------- plain data, for JSON Schema


def plain_data(node: Node | None) -> Any:
    """The node as JSON data. A plain scalar takes a type only if it would be spelt the same again."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return _plain_scalar(node)
    if isinstance(node, Sequence):
        return [plain_data(item) for item in node.items]
    return {key.text: plain_data(value) for key, value in reversed(node.entries)}


_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


def _plain_scalar(node: Scalar) -> Any:
    if not node.plain:
        return node.text
    if node.text in _WORDS:
        return _WORDS[node.text]
    for kind in (int, float):
        try:
            number = kind(node.text)
        except ValueError:
            continue
        if str(number) == node.text:
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
