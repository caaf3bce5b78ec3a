"""The `graph` command: nodes and edges as DOT, Mermaid or JSON, with whatever a document wrote as their
labels.

Source of the quoting: the DOT language (quoted ids, escString, HTML entities in labels) and Mermaid's
flowchart syntax (entity codes `#35;`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from cortex_policy.report.escape import json_text, lines_to_text, visible

_DOT: Final = {ord("\\"): "\\\\", ord('"'): '\\"'}
_DOT_LABEL: Final = {**_DOT, ord("&"): "&amp;"}
# All of ASCII but what is plain text in every Mermaid version: directives, links, HTML and Markdown never
# start.
_MERMAID: Final = re.compile(r"[^A-Za-z0-9 .,:_/()\u0080-\U0010ffff-]")


class NodeView(NamedTuple):
    """A thing of the graph; `state` is a word to show with it (its status, `missing`), or empty."""

    id: str
    kind: str
    label: str
    path: str
    line: int
    state: str


class EdgeView(NamedTuple):
    """A reference from `source` to `target` (ids of nodes), and where it was read."""

    source: str
    target: str
    relation: str
    path: str
    line: int


class GraphView(NamedTuple):
    """Nodes and edges in the order to show; an edge may name a node that nobody declared."""

    nodes: tuple[NodeView, ...]
    edges: tuple[EdgeView, ...]


def render_json(view: GraphView) -> str:
    """Return the graph as JSON: `{"schema_version": "1", "nodes": [...], "edges": [...]}`."""
    return json_text(
        {
            "schema_version": "1",
            "nodes": [node._asdict() for node in view.nodes],
            "edges": [edge._asdict() for edge in view.edges],
        }
    )


def render_dot(view: GraphView) -> str:
    """Return the graph in the DOT language; a node's tooltip is its place."""
    return lines_to_text(_dot(view))


def render_mermaid(view: GraphView) -> str:
    """Return the graph as a Mermaid flowchart, its nodes numbered, because ids are free text."""
    return lines_to_text(_mermaid(view))


# The formats of `graph --format`.
FORMATS: Final[Mapping[str, Callable[[GraphView], str]]] = {
    "dot": render_dot,
    "mermaid": render_mermaid,
    "json": render_json,
}


def _all_nodes(view: GraphView) -> tuple[NodeView, ...]:
    """Return the nodes, and one in the state `missing` for each end of an edge that is no node."""
    nodes = {node.id: node for node in view.nodes}
    for edge in view.edges:
        for end in (edge.source, edge.target):
            nodes.setdefault(end, NodeView(end, "", end, edge.path, edge.line, "missing"))
    return tuple(nodes.values())


def _label_lines(node: NodeView) -> list[str]:
    about = " ".join(filter(None, (node.kind, f"({node.state})" if node.state else "")))
    label = node.label if node.label != node.id else ""
    return [visible(line) for line in (node.id, label, about) if line]


def _dot(view: GraphView) -> Iterator[str]:
    yield "digraph cortex_policy {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    for node in _all_nodes(view):
        label = "\\n".join(line.translate(_DOT_LABEL) for line in _label_lines(node))
        place = visible(f"{node.path}:{node.line}" if node.path else "").translate(_DOT_LABEL)
        dashed = ", style=dashed" if node.state == "missing" else ""
        yield f'  {_dot_id(node.id)} [label="{label}", tooltip="{place}"{dashed}];'
    for edge in view.edges:
        relation = visible(edge.relation).translate(_DOT_LABEL)
        yield f'  {_dot_id(edge.source)} -> {_dot_id(edge.target)} [label="{relation}"];'
    yield "}"


def _dot_id(text: str) -> str:
    return f'"{visible(text).translate(_DOT)}"'


def _mermaid(view: GraphView) -> Iterator[str]:
    nodes = _all_nodes(view)
    number = {node.id: f"n{index}" for index, node in enumerate(nodes)}
    yield "flowchart LR"
    for node in nodes:
        label = "<br/>".join(_mermaid_text(line) for line in _label_lines(node))
        yield f'  {number[node.id]}["{label}"]'
    for edge in view.edges:
        ends = (number[edge.source], number[edge.target])
        relation = f'|"{_mermaid_text(visible(edge.relation))}"|' if edge.relation else ""
        yield f"  {ends[0]} -->{relation} {ends[1]}"
    missing = [number[node.id] for node in nodes if node.state == "missing"]
    if missing:
        yield "  classDef missing stroke-dasharray: 5 5"
        yield f"  class {','.join(missing)} missing"


def _mermaid_text(text: str) -> str:
    return _MERMAID.sub(lambda match: f"#{ord(match.group())};", text)
