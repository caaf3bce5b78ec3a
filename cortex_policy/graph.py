"""Items and references of all documents joined: who declares what, who refers to whom, what leads nowhere.

The only owner of networkx, which is imported where cycles or closures are asked for (150 ms).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from posixpath import normpath
from typing import Final, NamedTuple

from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.spec import DocumentModel
from cortex_policy.documents.values import MAX_DIGITS
from cortex_policy.model import Declaration, Document, Mention, Place, Ref

MAX_GAP: Final = 50
"""A hole in a numbering wider than this is two numberings."""
MAX_GAPS: Final = 10_000
"""Gaps of one kind; whoever has so many sees that from the first of them."""

Key = tuple[str, str]
"""Kind and id."""


class Truncated(NamedTuple):
    """What lies partly out of sight: kinds of which more may be declared there, and the globs of the paths."""

    kinds: frozenset[str] = frozenset()
    globs: tuple[re.Pattern[str], ...] = ()


class Edge(NamedTuple):
    """One reference in one field: `relation` is the field's name, `place` where the target's id is written."""

    source: Key
    relation: str
    target: Key
    place: Place


class Graph(NamedTuple):
    """All documents joined.

    `declarations` and `mentions` are ordered by place; `open_kinds` are the kinds of which some document out of sight
    may declare more; `claims` are what documents say of items beside declaring them, and `hidden` names, by kind,
    source and field, the documents that may say more and could not be read; `outside` are the document references that
    leave the root, `unseen` those into what is truncated, `files` those that reach a file which is no document.
    """

    documents: tuple[Document, ...]
    declarations: Mapping[Key, tuple[Declaration, ...]]
    mentions: Mapping[Key, tuple[Mention, ...]]
    edges: tuple[Edge, ...]
    open_kinds: frozenset[str]
    outside: frozenset[str]
    unseen: frozenset[str]
    files: frozenset[str]
    resolve: Mapping[tuple[str, str], str]
    claims: Mapping[Key, tuple[Declaration, ...]]
    hidden: Mapping[tuple[str, str, str], tuple[Place, ...]]

    def gaps(self, kind: str) -> tuple[tuple[str, str], ...]:
        """Ids of `kind` that nobody declares or mentions, between the lowest and the highest that somebody does.

        Each with the id that is used next below it.
        """
        series: dict[tuple[str, int], set[int]] = {}
        for known_kind, name in (*self.declarations, *self.mentions):
            stem = name.rstrip("0123456789")
            digits = name[len(stem) :]
            if known_kind == kind and stem and 0 < len(digits) <= MAX_DIGITS:
                series.setdefault((stem, len(digits)), set()).add(int(digits))
        missing = []
        for (stem, width), numbers in sorted(series.items()):
            ordered = sorted(numbers)
            for low, high in pairwise(ordered):
                if 1 < high - low <= MAX_GAP:
                    below = f"{stem}{low:0{width}d}"
                    missing += [(f"{stem}{number:0{width}d}", below) for number in range(low + 1, high)]
                if len(missing) >= MAX_GAPS:
                    return tuple(missing[:MAX_GAPS])
        return tuple(missing)


def in_cycles(edges: Mapping[Key, Sequence[Key]]) -> frozenset[Key]:
    """Everything that reaches itself along `edges`.

    The standard library tells whether there is any cycle; only then is networkx asked which nodes are in one.
    """
    try:
        TopologicalSorter(edges).prepare()
    except CycleError:
        return _members_of_cycles(edges)
    return frozenset()


def _members_of_cycles(edges: Mapping[Key, Sequence[Key]]) -> frozenset[Key]:
    import networkx

    digraph: networkx.DiGraph[Key] = networkx.DiGraph()
    digraph.add_edges_from((source, target) for source, targets in edges.items() for target in targets)
    loops = {source for source, targets in edges.items() if source in targets}
    groups = (group for group in networkx.strongly_connected_components(digraph) if len(group) > 1)
    return frozenset(loops.union(*groups))


def reachable(edges: Mapping[Key, Sequence[Key]], start: Key) -> tuple[Key, ...]:
    """Everything that `start` reaches along `edges`, nearest first; `start` itself only if it is in a cycle."""
    found: dict[Key, None] = {}
    queue = list(edges.get(start, ()))
    for key in queue:
        if key not in found:
            found[key] = None
            queue.extend(edges.get(key, ()))
    return tuple(found)


def way(edges: Mapping[Key, Sequence[Key]], start: Key, goal: Key) -> tuple[Key, ...]:
    """A shortest way from `start` to `goal` along one edge or more, both ends included; empty when there is none."""
    came: dict[Key, Key] = {}
    queue = [start]
    for key in queue:
        for target in edges.get(key, ()):
            if target not in came:
                came[target] = key
                queue.append(target)
        if goal in came:
            break
    if goal not in came:
        return ()
    back = [goal, came[goal]]
    while back[-1] != start:
        back.append(came[back[-1]])
    return tuple(reversed(back))


def build(
    documents: Iterable[Document],
    model: DocumentModel,
    tree: Iterable[str],
    truncated: Truncated | None = None,
) -> Graph:
    """Join `documents`; `tree` lists every path of the root, `truncated` says what of it lies out of sight.

    The result does not depend on the order of any input.
    """
    ordered = tuple(sorted(documents, key=lambda document: document.path))
    truncated = truncated or Truncated()
    resolver = _Resolver(ordered, frozenset(tree), truncated)
    declarations: dict[Key, list[Declaration]] = {}
    mentions: dict[Key, list[Mention]] = {}
    claims: dict[Key, list[Declaration]] = {}
    for document in ordered:
        for claim in document.claims:
            claims.setdefault((claim.kind, claim.id), []).append(claim)
        for declaration in document.declarations:
            declarations.setdefault((declaration.kind, declaration.id), []).append(declaration)
        for mention in document.mentions:
            name = resolver.key(Ref(mention.kind, mention.id), document.path)[1]
            mentions.setdefault((mention.kind, name), []).append(mention._replace(id=name))
    edges = tuple(_edges(declarations, model, resolver))
    return Graph(
        documents=ordered,
        declarations={
            key: tuple(sorted(found, key=lambda d: d.place)) for key, found in declarations.items()
        },
        mentions={key: tuple(sorted(found, key=lambda m: m.place)) for key, found in mentions.items()},
        edges=edges,
        open_kinds=_open_kinds(ordered) | truncated.kinds,
        unseen=frozenset(resolver.unseen),
        outside=frozenset(resolver.outside),
        files=frozenset(resolver.files),
        resolve=resolver.known,
        claims={key: tuple(sorted(found, key=lambda d: d.place)) for key, found in claims.items()},
        hidden=_hidden(ordered),
    )


def _hidden(documents: Sequence[Document]) -> dict[tuple[str, str, str], tuple[Place, ...]]:
    """What documents that were not read whole may say, each with the place of the first fault that hides it."""
    hidden: dict[tuple[str, str, str], tuple[Place, ...]] = {}
    for document in documents:
        faults = [fault.place for fault in document.faults if FAULTS[fault.code].hides]
        for said in document.may_claim if faults else ():
            hidden[said] = (*hidden.get(said, ()), faults[0])
    return hidden


def _open_kinds(documents: Sequence[Document]) -> frozenset[str]:
    hidden: set[str] = set()
    for document in documents:
        if any(FAULTS[fault.code].hides for fault in document.faults):
            hidden |= document.may_declare
    return frozenset(hidden)


def _edges(
    declarations: Mapping[Key, list[Declaration]], model: DocumentModel, resolver: _Resolver
) -> Iterable[Edge]:
    """Every reference in every reference field, in the order of item, field and text."""
    for key in sorted(declarations):
        kind = model.kinds.get(key[0])
        if kind is None:
            continue
        for declaration in sorted(declarations[key], key=lambda d: d.place):
            for name, readings in declaration.fields.items():
                if name not in kind.fields or kind.fields[name].name not in (
                    "reference",
                    "references",
                    "path",
                ):
                    continue
                for reading in readings:
                    values = (
                        reading.value
                        if isinstance(reading.value, tuple) and not isinstance(reading.value, Ref)
                        else (reading,)
                    )
                    for element in values:
                        yield Edge(
                            key, name, resolver.key(element.value, declaration.place.path), element.place
                        )


class _Resolver:
    """Turns references as written into keys; a document may be named by path from the root, by path from the
    referring file, or by a bare file name that only one document has."""

    def __init__(self, documents: Sequence[Document], tree: frozenset[str], truncated: Truncated) -> None:
        self.paths = frozenset(document.path for document in documents)
        self.tree = tree
        self.truncated = truncated
        self.outside: set[str] = set()
        self.unseen: set[str] = set()
        self.files: set[str] = set()
        self.known: dict[tuple[str, str], str] = {}
        self.by_name: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            self.by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)

    def key(self, ref: Ref, origin: str) -> Key:
        if ref.kind != "document":
            return (ref.kind, ref.id)
        name = self.known.get((origin, ref.id))
        if name is None:
            name = self.known[(origin, ref.id)] = self._document(ref.id, origin)
        return ("document", name)

    def _document(self, written: str, origin: str) -> str:
        path = written.split("#", 1)[0].removeprefix("./")
        if path.startswith(("/", "~")) or "://" in path:
            self.outside.add(f"doc:{written}")
            return f"doc:{written}"
        folder = origin.rsplit("/", 1)[0] if "/" in origin else ""
        candidates = (normpath(path), normpath(f"{folder}/{path}"))
        for candidate in candidates:
            if candidate in self.paths:
                return f"doc:{candidate}"
            if candidate in self.tree:
                self.files.add(f"doc:{candidate}")
                return f"doc:{candidate}"
        if all(candidate.startswith("..") for candidate in candidates):
            self.outside.add(f"doc:{written}")
        if any(glob.match(candidate) for glob in self.truncated.globs for candidate in candidates):
            self.unseen.add(f"doc:{path}")
        named = self.by_name.get(path, [])
        return f"doc:{named[0]}" if len(named) == 1 else f"doc:{path}"
