"""Typed answers about items: the effective value of each field, with every place it was read.

Sources are weighed in the declared order, those of one rank by time; what nobody orders is a conflict and leaves the
value unknown, and what loses is stale. No graph handle leaks out: rules see records and the functions in
`Facts.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cortex_policy.documents.spec import DocumentModel
from cortex_policy.facts.gathering import Gathering
from cortex_policy.facts.past import to_past
from cortex_policy.facts.questions import AtBase, Hop, Questions
from cortex_policy.graph import Graph, Key
from cortex_policy.model import Declaration, Record


class Facts(NamedTuple):
    """What rules decide on.

    `items` maps a kind to its records in order of id; `functions` are the host functions of the rule language (pure,
    over these records alone); `claims` maps a record to the declarations it was made from. `path(record, relation,
    target)` is how a record reaches another along a field; `trial()` gives a copy to try changes on. `then` gives what
    a record was in these facts, for facts of a later revision; `has_base` says whether these are such, so that `old`
    answers.
    """

    items: Mapping[str, Sequence[Record]]
    functions: Mapping[str, Callable[..., Any]]
    claims: Mapping[Key, tuple[Declaration, ...]]
    path: Callable[[Record, str, Record], tuple[Hop, ...]]
    trial: Callable[[], Trial]
    then: Callable[[Record, int], Record]
    has_base: bool = False


def gather(graph: Graph, model: DocumentModel, base: Facts | None = None, origin: str = "") -> Facts:
    """Every record of the graph, resolved. The same graph gives the same facts, in the same order.

    `base` are the facts that `old` answers from. `origin` is put before the path of every place: facts that are a base
    themselves have their places in another revision.
    """
    return _facts(_gathered(graph, model, origin), base, origin)


def _gathered(graph: Graph, model: DocumentModel, origin: str) -> Gathering:
    world = Gathering(graph, model)
    world.run()
    world.origin = origin
    if origin:
        to_past([*world.records.values(), *world.boxes], origin)
    return world


def _facts(world: Gathering, base: Facts | None, origin: str) -> Facts:
    questions = Questions(world, base)
    return Facts(
        items=world.items,
        functions=questions.table(),
        claims=world.graph.declarations,
        path=questions.path,
        trial=lambda: Trial(world.graph, world.model, base, origin),
        then=AtBase(world, origin).then,
        has_base=base is not None,
    )


class Trial:
    """A copy of the facts that belongs to whoever tries changes on it: nobody else sees one, and no document changes.

    INVARIANT: only single values of items are set. References, and with them what host functions remember, stay.
    """

    def __init__(self, graph: Graph, model: DocumentModel, base: Facts | None, origin: str) -> None:
        self._world = _gathered(graph, model, origin)
        self._before: list[tuple[Record, dict[str, Any]]] = []
        self.facts = _facts(self._world, base, origin)

    def set(self, changes: Mapping[tuple[Key, str], Any]) -> None:
        """Take back what was set before, and give these fields of items these values."""
        for record, values in reversed(self._before):
            record.values = values
        self._before.clear()
        for (key, field), value in changes.items():
            record = self._world.records[key]
            settled = tuple(c for c in record.values.get("conflicts", ()) if c.values["field"] != field)
            heard = tuple(s for s in record.values.get("stale", ()) if s.values["field"] != field)
            self._change(record, {field: value, "conflicts": settled, "stale": heard})
            for source in self._world.model.sources:
                view = record.values.get(source)
                if isinstance(view, Record):
                    self._change(view, {field: value})

    def _change(self, record: Record, values: dict[str, Any]) -> None:
        self._before.append((record, record.values))
        record.values = {**record.values, **values}
