"""The host functions of the rule language, and what records of a later revision were in these facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from cortex_policy.facts.gathering import Gathering, empty
from cortex_policy.facts.kinds import BUILTIN_KINDS, LISTED_BY
from cortex_policy.facts.past import to_past
from cortex_policy.facts.resolving import resolve_at
from cortex_policy.graph import Key, in_cycles, reachable, way
from cortex_policy.model import UNKNOWN, OpenTuple, Past, Place, Record

if TYPE_CHECKING:
    from cortex_policy.facts import Facts


class Hop(NamedTuple):
    """One step along a field: `source` refers to `target`, and where that is written."""

    source: str
    target: str
    place: Place


class AtBase:
    """What records of a later revision were in this one."""

    def __init__(self, world: Gathering, origin: str) -> None:
        self.world = world
        self.origin = origin
        self.boxes: dict[Owned, list[Record]] | None = None

    def then(self, record: Record, position: int) -> Record:
        """The same item, document or box here; one that was not there is a record that nobody declares.

        Of several boxes with one text and owner it is the one in the same `position`. Raises `TypeError` for what
        cannot be told from its like: a declaration, a mention, a conflict.
        """
        if record.kind in LISTED_BY or record.kind == "claim":
            raise TypeError
        if record.kind == "box":
            return self._box(record, position)
        found = self.world.absent((record.kind, record.id))
        if self.origin:
            to_past([found], self.origin)
        return found

    def _box(self, box: Record, position: int) -> Record:
        if self.boxes is None:
            self.boxes = by_owner(self.world.boxes)
        same = self.boxes.get(owned(box), [])
        return same[position] if position < len(same) else empty(("box", box.id), None)


Owned = tuple[Key, str]
"""The owner of a box, and its text."""


def owned(box: Record) -> Owned:
    owner = box.values.get("owner")
    return (owner.kind, owner.id) if isinstance(owner, Record) else ("", ""), box.id


def by_owner(boxes: Iterable[Record]) -> dict[Owned, list[Record]]:
    found: dict[Owned, list[Record]] = {}
    for box in boxes:
        found.setdefault(owned(box), []).append(box)
    return found


class Questions:
    """The host functions of the rule language. Each answers from the records alone, and remembers."""

    def __init__(self, world: Gathering, base: Facts | None) -> None:
        self.world = world
        self.base = base
        self.boxes: dict[Owned, list[Record]] | None = None
        self.relations: dict[str, dict[Key, list[Key]]] = {}
        self.cycles: dict[str, frozenset[Key]] = {}
        self.spoken: dict[str, Sequence[Record]] = {}
        self.said: dict[Key, Sequence[Record]] = {}

    def items(self, kind: str) -> Sequence[Record]:
        """Every declared item of a kind."""
        found = self.world.items
        if kind == "claim" and not found[kind]:
            every = [each for key in sorted(self.world.claims) for each in self._said(key)]
            found[kind] = OpenTuple(every) if self.world.veiled else tuple(every)
        if kind in LISTED_BY and not found[kind]:
            found[kind] = self.world.parts(LISTED_BY[kind])
        return found[kind]

    def item(self, name: str) -> Any:
        """The item with this id, whatever its kind; unknown when there is none."""
        keys = ((kind, name) for kind in sorted(self.world.items))
        return next((self.world.records[key] for key in keys if key in self.world.records), UNKNOWN)

    def mentioned(self, kind: str) -> Sequence[Record]:
        """Every item of a kind that is spoken of, declared or not."""
        if kind not in self.spoken:
            keys = sorted(key for key in self.world.records if key[0] == kind and self.world.spoken_of(key))
            self.spoken[kind] = tuple(self.world.records[key] for key in keys)
        return self.spoken[kind]

    def gaps(self, kind: str) -> Sequence[Record]:
        """The ids between the lowest and the highest of a series that nobody uses."""
        return tuple(self.world.gap(kind, name, below) for name, below in self.world.graph.gaps(kind))

    def in_cycle(self, record: Record, relation: str) -> bool:
        """Whether `record` reaches itself along a field."""
        if relation not in self.cycles:
            self.cycles[relation] = in_cycles(self._along(relation))
        return (record.kind, record.id) in self.cycles[relation]

    def reach(self, record: Record, relation: str) -> Sequence[Record]:
        """Everything that `record` reaches along a field, nearest first."""
        keys = reachable(self._along(relation), (record.kind, record.id))
        return tuple(self.world.record(key) for key in keys)

    def claims(self, record: Record) -> Sequence[Record]:
        """Every claim on an item, whether it holds or not; open where a document that may make more was not read."""
        if self.base is not None and isinstance(record.place, Past):
            then: Sequence[Record] = self.base.functions["claims"](record)
            return then
        found = self._said((record.kind, record.id))
        return OpenTuple(found) if record.kind in self.world.veiled else found

    def _said(self, key: Key) -> Sequence[Record]:
        if key not in self.said:
            self.said[key] = self.world.claim_records(key)
        return self.said[key]

    def status_at(self, record: Record, time: date) -> Any:
        """The status of an item as it was known at `time`; unknown where a claim without a time leaves it open."""
        if self.base is not None and isinstance(record.place, Past):
            return self.base.functions["status_at"](record, time)
        key = (record.kind, record.id)
        if self.world.veiled.get(record.kind, {}).get("status"):
            return UNKNOWN
        return resolve_at([c for c in self.world.claims.get(key, ()) if c.field == "status"], time)

    def path(self, record: Record, relation: str, target: Record) -> tuple[Hop, ...]:
        """How `record` reaches `target` along a field, on a shortest way; empty when it does not."""
        ends = (record.kind, record.id), (target.kind, target.id)
        found = way(self._along(relation), *ends)
        return tuple(
            Hop(one[1], other[1], self._written(one, relation, other)) for one, other in pairwise(found)
        )

    def _written(self, source: Key, relation: str, target: Key) -> Place:
        """Where one item refers to another by a field; without a place of its own, where the item stands."""
        for edge in self.world.graph.edges:
            if edge.source == source and edge.relation == relation and edge.target == target:
                return edge.place
        return self.world.records[source].place or Place("", 0, 0)

    def old(self, record: Record) -> Any:
        """The same item, document or box at the base; unknown where there is no base."""
        if self.base is None:
            return UNKNOWN
        return self.base.then(record, self._position(record) if record.kind == "box" else 0)

    def _position(self, box: Record) -> int:
        """Which one it is among the boxes with the same text and owner."""
        if self.boxes is None:
            self.boxes = by_owner(self.world.boxes)
        same = [other.place for other in self.boxes.get(owned(box), ())]
        return same.index(box.place) if box.place in same else len(same)

    def ever(self, kind: str) -> Sequence[Record]:
        """Every item of a kind that is declared now or was at the base, in order of id.

        Raises `TypeError` for parts of items.
        """
        if kind in BUILTIN_KINDS and kind != "document":
            raise TypeError
        now = self.items(kind)
        then = self.base.items.get(kind, ()) if self.base is not None else ()
        here = {record.id for record in now}
        every = sorted([*now, *(self._gone(record) for record in then if record.id not in here)], key=by_id)
        return OpenTuple(every) if isinstance(now, OpenTuple) or isinstance(then, OpenTuple) else tuple(every)

    def _gone(self, then: Record) -> Record:
        """What nobody declares any more; it is shown where it stood, in this revision if that document is there."""
        record = self.world.absent((then.kind, then.id))
        if record.place is None and then.place is not None:
            path = then.place.path.partition(":")[2]
            record.place = Place(path, 1, 1) if path in self.world.documents else then.place
        return record

    def _along(self, relation: str) -> dict[Key, list[Key]]:
        if relation not in self.relations:
            self.relations[relation] = self.world.edges(relation)
        return self.relations[relation]

    def table(self) -> dict[str, Callable[..., Any]]:
        """The functions by the names that expressions use."""
        return {
            "items": self.items,
            "item": self.item,
            "mentioned": self.mentioned,
            "gaps": self.gaps,
            "in_cycle": self.in_cycle,
            "reach": self.reach,
            "claims": self.claims,
            "status_at": self.status_at,
            "old": self.old,
            "ever": self.ever,
        }


def by_id(record: Record) -> str:
    return record.id
