"""The records that rules see: first all of them empty, then their values, because they refer to each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from cortex_policy.documents.spec import DocumentModel, KindSpec
from cortex_policy.documents.values import MAX_DIGITS, Box
from cortex_policy.facts.kinds import BUILTIN_KINDS
from cortex_policy.facts.past import to_past
from cortex_policy.facts.resolving import Claim, Resolved, conflicts, resolve
from cortex_policy.graph import Graph, Key
from cortex_policy.model import UNKNOWN, Declaration, Document, OpenTuple, Place, Reading, Record, Ref

MAX_SHOWN: Final = 20
"""Places of mentions that are shown for an id that nobody declares."""


MAX_TWINS: Final = 1_000
"""Boxes of the same text in other documents; with more, each holding all others, memory grows as their square."""

_NORMAL: Final = re.compile(r"[^\w<>=]+|_+")


def normal_text(text: str) -> str:
    """The text as two people would call it the same: letters and digits only, case folded."""
    return _NORMAL.sub(" ", text).strip().casefold()


class Gathering:
    """Builds the records: first all of them empty, then their values, because they refer to each other."""

    def __init__(self, graph: Graph, model: DocumentModel) -> None:
        self.graph = graph
        self.model = model
        self.records: dict[Key, Record] = {}
        self.unspoken: dict[Key, Record] = {}
        self.items: dict[str, Sequence[Record]] = {}
        self.boxes: list[Record] = []
        self.documents: dict[str, Record] = {}
        self.collections = {
            kind.name: frozenset(name for name, declared in kind.fields.items() if declared.many)
            for kind in model.kinds.values()
        }
        self.referred = {edge.target: edge.place for edge in reversed(graph.edges)}
        self.by_path: dict[str, Document] = {document.path: document for document in graph.documents}
        self.rank = {source: rank for rank, sources in enumerate(model.precedence) for source in sources}
        declared = {spec.kind for reader in model.readers for spec in reader.declarations}
        self.undeclared = model.kinds.keys() - declared - {"document"}
        self.veiled = self._veils()
        self.claims: dict[Key, tuple[Claim, ...]] = {}
        self.holding: set[int] = set()
        self.origin = ""

    def run(self) -> None:
        for document in self.graph.documents:
            self._document(document)
        for key, declarations in self.graph.declarations.items():
            if key[0] != "document":
                self.records[key] = empty(key, _home(declarations).place)
        for key in self.graph.mentions:
            self.record(key)
        for key in self._claimed_only():
            self._fill_claimed(key)
        for key, declarations in self.graph.declarations.items():
            self._fill(key, declarations)
        self._twins()
        self._names()
        self._sort()

    # ---------------------------------------------------------------- records

    def _claimed_only(self) -> list[Key]:
        """Items of kinds that no reader declares: they are known only by what is claimed of them."""
        return sorted(key for key in self.graph.claims if key[0] in self.undeclared)

    def _fill_claimed(self, key: Key) -> None:
        """Give an item that is only claimed about its values."""
        record, kind = self.record(key), self.model.kinds[key[0]]
        claims = self.claims[key] = self._claims_in(self.graph.claims[key], kind)
        record.place = record.place or self.graph.claims[key][0].place
        self._singles(record, kind, claims)

    def record(self, key: Key) -> Record:
        """The record of `key`, made as a stub when nobody declares it."""
        record = self.records.get(key)
        if record is None:
            mentions = self.graph.mentions.get(key, ())
            place = mentions[0].place if mentions else self.referred.get(key)
            record = self.records[key] = empty(key, place)
            self._fill_stub(key)
        return record

    def absent(self, key: Key) -> Record:
        """The record of `key`; one that nobody declares or speaks of is made, and does not count as spoken of."""
        known = self.records.get(key) or self.unspoken.get(key)
        if known is None:
            known = self.unspoken[key] = self.record(key)
            del self.records[key]
        return known

    def _document(self, document: Document) -> None:
        key = ("document", f"doc:{document.path}")
        place = Place(document.path, 1, 1)
        record = self.records[key] = empty(key, place)
        self.documents[document.path] = record
        name = document.path.rsplit("/", 1)[-1]
        for field, value in (
            ("path", document.path),
            ("name", name),
            ("stem", name.rsplit(".", 1)[0]),
            ("folder", document.path.rpartition("/")[0]),
            ("reader", document.reader),
            ("complete", document.complete),
            ("outside", False),
            ("is_file", True),
        ):
            _set(record, field, value, (place,))

    def _fill(self, key: Key, declarations: tuple[Declaration, ...]) -> None:
        """Give a declared item its values: one view for each source, then the effective ones."""
        record = self.records[key]
        self._common(record, key, declarations)
        kind = self.model.kinds.get(key[0])
        if kind is None:
            self._plain(record, declarations)
            return
        said = (*declarations, *self.graph.claims.get(key, ()))
        claims = self.claims[key] = self._claims_in(said, kind)
        views = []
        for source in self._sources_of(said):
            own = said if len(said) == 1 else tuple(d for d in said if d.source == source)
            view = self._view(record, kind, own, [c for c in claims if c.source == source])
            views.append(view)
            _set(record, source, view, (own[0].place,))
        for name in self.collections[kind.name]:
            self._whole_list(record, name, views)
        self._singles(record, kind, claims)

    def _sources_of(self, said: Sequence[Declaration]) -> Sequence[str]:
        """The sources that say something, strongest first."""
        found = {declaration.source for declaration in said}
        return (
            tuple(found) if len(found) == 1 else [source for source in self.model.sources if source in found]
        )

    def _singles(self, record: Record, kind: KindSpec, claims: Sequence[Claim]) -> None:
        """The fields of one value: what holds, what contradicts what, and what has become stale."""
        by_field = _by_field(claims)
        for name in self.veiled.get(kind.name, ()):
            if name not in self.collections[kind.name]:
                by_field.setdefault(name, [])
        conflicting: list[Record] = []
        stale: list[Record] = []
        for name, own in by_field.items():
            resolved = resolve(own)
            if len(own) > 1:
                conflicting += [self._conflict(record, group) for group in conflicts(own)]
            veil = self._veil(kind.name, name, resolved) if self.veiled else ()
            if veil:
                _set(record, name, UNKNOWN, veil)
            elif resolved is not None:
                _set(record, name, resolved.value, tuple([claim.place for claim in resolved.holding]))
                stale += [self._stale(record, claim, resolved) for claim in resolved.losing]
                self.holding.update(map(id, resolved.holding))
        places = tuple(place for conflict in conflicting for place in conflict.places["values"])
        _set(record, "conflicts", tuple(conflicting), places)
        whole = kind.name not in self.veiled
        places = tuple(each.place for each in stale if each.place)
        _set(record, "stale", tuple(stale) if whole else OpenTuple(stale), places)

    def _claims_in(self, said: Sequence[Declaration], kind: KindSpec) -> tuple[Claim, ...]:
        """Every single value that is stated, by every source."""
        many = self.collections[kind.name]
        found = []
        for _, _, source, _, _, fields, at, scope in said:
            rank = self.rank[source]
            for name, readings in fields.items():
                if name not in many:
                    for value, place, _ in readings:
                        found.append(Claim(name, self._one(value, place), source, rank, place, at, scope))
        return tuple(found)

    # ---------------------------------------------------------------- what could not be read

    def _veils(self) -> dict[str, dict[str, list[tuple[int, tuple[Place, ...]]]]]:
        """By kind and field: the ranks in which a document that could not be read may say more, strongest first.

        What `declared` may hide is no veil: an item is declared once, and its declaration was read. Where no reader
        declares the kind, there is no declaration.
        """
        found: dict[str, dict[str, list[tuple[int, tuple[Place, ...]]]]] = {}
        for (kind, source, field), places in sorted(self.graph.hidden.items()):
            if source != "declared" or kind in self.undeclared:
                found.setdefault(kind, {}).setdefault(field, []).append((self.rank[source], places))
        for fields in found.values():
            for veils in fields.values():
                veils.sort()
        return found

    def _veil(self, kind: str, field: str, resolved: Resolved | None) -> tuple[Place, ...]:
        """The places of what may say otherwise, from a source as strong as the one that holds, or stronger."""
        rank = resolved.holding[0].rank if resolved is not None else len(self.model.precedence)
        veils = self.veiled.get(kind, {}).get(field, ())
        return tuple(place for veil, places in veils if veil <= rank for place in places)

    def _whole_list(self, record: Record, name: str, views: Sequence[Record]) -> None:
        """A list is that of the strongest source which states any; it may lack members of what could not be read."""
        _resolve(record, name, views)
        if self.veiled.get(record.kind, {}).get(name):
            value, places = record.values.get(name, ()), record.places.get(name, ())
            _set(record, name, OpenTuple(value), places)

    def _common(self, record: Record, key: Key, declarations: tuple[Declaration, ...]) -> None:
        place = _home(declarations).place
        places = (place,)
        _set(record, "id", key[1], places)
        _set(record, "kind", self.by_path[place.path].kind if key[0] == "document" else key[0], places)
        _set(record, "is_declared", True, places)
        _set(record, "document", self.documents[place.path], places)
        self._declared_by(record, tuple(d for d in declarations if d.source == "declared") or declarations)
        self._mentions(record, key)
        number = _number(key[1])
        if number is not None:
            _set(record, "number", number, places)

    def _declared_by(self, record: Record, declarations: tuple[Declaration, ...]) -> None:
        entries = tuple(self._declaration(declaration) for declaration in declarations)
        _set(record, "declarations", entries, tuple(declaration.place for declaration in declarations))

    def _declaration(self, declaration: Declaration) -> Record:
        place = declaration.place
        record = empty(("declaration", declaration.id), place)
        _set(record, "id", declaration.id, (place,))
        _set(record, "document", self.documents[place.path], (place,))
        _set(record, "source", declaration.source, (place,))
        return record

    def _mentions(self, record: Record, key: Key) -> None:
        found = []
        for mention in self.graph.mentions.get(key, ()):
            entry = empty(("mention", key[1]), mention.place)
            _set(entry, "id", key[1], (mention.place,))
            _set(entry, "document", self.documents[mention.place.path], (mention.place,))
            _set(entry, "within", mention.within, (mention.place,))
            found.append(entry)
        _set(record, "mentions", tuple(found), tuple(entry.place for entry in found if entry.place))

    def _fill_stub(self, key: Key) -> None:
        """An item that is only spoken of. Whether somebody declares it is unknown where not everything was seen."""
        record = self.records[key]
        places = (record.place,) if record.place else ()
        _set(record, "id", key[1], places)
        _set(record, "kind", key[0], places)
        number = _number(key[1])
        if number is not None:
            _set(record, "number", number, places)
        if key[0] == "document":
            _set(record, "path", key[1].removeprefix("doc:"), places)
            _set(record, "outside", key[1] in self.graph.outside, places)
            _set(record, "is_file", key[1] in self.graph.files, places)
        hidden = key[1] in self.graph.unseen if key[0] == "document" else key[0] in self.graph.open_kinds
        if not hidden:
            spoken = tuple(mention.place for mention in self.graph.mentions.get(key, ()))
            _set(record, "is_declared", False, spoken[:MAX_SHOWN] or places)
        self._mentions(record, key)

    def gap(self, kind: str, name: str, below: str) -> Record:
        """An id that nobody uses; it is shown at the id before it in the series."""
        record = self.record((kind, name))
        if record.place is None:
            record.place = self.records[(kind, below)].place
        return record

    # ---------------------------------------------------------------- values

    def _plain(self, record: Record, declarations: Sequence[Declaration]) -> None:
        """A record of a built-in kind (a section): its readings are its values."""
        for declaration in declarations:
            for name, readings in declaration.fields.items():
                places, value = self._value(readings, record)
                single = isinstance(readings[0].value, (str, Ref))
                _set(record, name, (value[0] if single and value else value) if single else value, places)

    def _view(
        self, record: Record, kind: KindSpec, said: tuple[Declaration, ...], claims: Sequence[Claim]
    ) -> Record:
        """What one source says of an item, over what is common to all of them."""
        view = Record(
            kind=record.kind,
            id=record.id,
            place=said[0].place,
            values=dict(record.values),
            places=dict(record.places),
        )
        self._declared_by(view, said)
        complete = all(self.by_path[declaration.place.path].complete for declaration in said)
        for name in self.collections[kind.name]:
            readings = [reading for declaration in said for reading in declaration.fields.get(name, ())]
            places, value = self._value(readings, view)
            _set(view, name, value if complete else OpenTuple(value), places)
        for name, own in _by_field(claims).items():
            resolved = resolve(own)
            if resolved is not None:
                _set(view, name, resolved.value, tuple([claim.place for claim in resolved.holding]))
        return view

    def _conflict(self, record: Record, claims: Sequence[Claim]) -> Record:
        places = tuple(claim.place for claim in claims)
        field = claims[0].field
        conflict = empty(("conflict", f"{record.id}.{field}"), places[0])
        _set(conflict, "id", conflict.id, places)
        _set(conflict, "field", field, places)
        _set(conflict, "source", " and ".join(dict.fromkeys(claim.source for claim in claims)), places)
        _set(conflict, "values", tuple(dict.fromkeys(_shown(claim.value) for claim in claims)), places)
        return conflict

    def _stale(self, record: Record, claim: Claim, resolved: Resolved) -> Record:
        """A claim that lost, with what holds instead."""
        stale = empty(("stale", f"{record.id}.{claim.field}"), claim.place)
        for name, value in (("id", stale.id), ("field", claim.field), ("value", claim.value)):
            _set(stale, name, value, (claim.place,))
        _set(stale, "source", claim.source, (claim.place,))
        _set(stale, "document", self.documents[claim.place.path], (claim.place,))
        _set(stale, "owner", record, (claim.place,))
        _set(stale, "holds", resolved.value, tuple(each.place for each in resolved.holding))
        return stale

    def claim_records(self, key: Key) -> tuple[Record, ...]:
        """Every claim on an item as rules see it, strongest source first and in the order of the text."""
        kind = self.model.kinds.get(key[0])
        if kind is None:
            return ()
        claims = self.claims.get(key) or self._claims_in(self.graph.claims.get(key, ()), kind)
        ordered = sorted(claims, key=lambda claim: (claim.rank, claim.place, claim.field))
        found = tuple(self._claim(self.record(key), claim) for claim in ordered)
        if self.origin:
            to_past(found, self.origin)
        return found

    def _claim(self, record: Record, claim: Claim) -> Record:
        values: dict[str, Any] = {
            "id": f"{record.id}.{claim.field}",
            "field": claim.field,
            "value": claim.value,
            "source": claim.source,
            "scope": claim.scope,
            "document": self.documents[claim.place.path],
            "owner": record,
            "holds": id(claim) in self.holding,
        }
        if claim.at is not None:
            values["at"], values["until"] = claim.at
        return Record(
            kind="claim",
            id=values["id"],
            place=claim.place,
            values=values,
            places=dict.fromkeys(values, (claim.place,)),
        )

    def _value(self, readings: Sequence[Reading], owner: Record) -> tuple[tuple[Place, ...], tuple[Any, ...]]:
        values: list[Any] = []
        for reading in readings:
            many = isinstance(reading.value, tuple) and not isinstance(reading.value, (Ref, Box))
            for element in reading.value if many else (reading,):
                values.append(self._one(element.value, element.place, owner))
        return tuple(reading.place for reading in readings), tuple(values)

    def _one(self, value: Any, place: Place, owner: Record | None = None) -> Any:
        if isinstance(value, Ref):
            if value.kind == "document":
                return self.record(("document", self.graph.resolve[(place.path, value.id)]))
            return self.record((value.kind, value.id))
        if isinstance(value, Box):
            return self._box(value, place, owner)
        return value

    def _box(self, box: Box, place: Place, owner: Record | None) -> Record:
        record = empty(("box", box.text), place)
        _set(record, "id", box.text, (place,))
        _set(record, "text", box.text, (place,))
        _set(record, "checked", box.checked, (place,))
        _set(record, "document", self.documents[place.path], (place,))
        if owner is not None:
            _set(record, "owner", self.records[(owner.kind, owner.id)], (place,))
        self.boxes.append(record)
        return record

    def _twins(self) -> None:
        """Boxes with the same text in other documents."""
        by_place = {box.place: box for box in self.boxes}
        same: dict[str, list[Record]] = {}
        for box in by_place.values():
            same.setdefault(normal_text(box.id), []).append(box)
        shared: dict[tuple[str, str], tuple[Record, ...]] = {}
        for box in self.boxes:
            path, text = _by_place(box)[0], normal_text(box.id)
            twins = shared.get((path, text))
            if twins is None:
                twins = shared[(path, text)] = _others(same[text], path)
            _set(box, "twins", twins, (box.place,) if box.place else ())
        self.boxes = sorted(by_place.values(), key=_by_place)

    def _names(self) -> None:
        """What each document speaks of."""
        names: dict[str, dict[Key, Record]] = {path: {} for path in self.documents}
        for key, mentions in sorted(self.graph.mentions.items()):
            for mention in mentions:
                names[mention.place.path][key] = self.records[key]
        for path, named in names.items():
            _set(self.documents[path], "names", tuple(named.values()), (Place(path, 1, 1),))

    # ---------------------------------------------------------------- collections

    def _sort(self) -> None:
        declared: dict[str, list[Record]] = {name: [] for name in (*BUILTIN_KINDS, *self.model.kinds)}
        for key in sorted(self.graph.declarations):
            declared.setdefault(key[0], []).append(self.records[key])
        declared["box"] = self.boxes
        for kind, records in declared.items():
            self.items[kind] = OpenTuple(records) if kind in self.graph.open_kinds else tuple(records)

    def parts(self, field: str) -> tuple[Record, ...]:
        """Every member of one list of parts, in the order of place; made when somebody asks."""
        found = [part for record in self.records.values() for part in record.values.get(field, ())]
        return tuple(sorted(found, key=_by_place))

    def spoken_of(self, key: Key) -> bool:
        """Whether some prose names the id, or some field does whose target nobody declares."""
        return key in self.graph.mentions or key not in self.graph.declarations

    def edges(self, relation: str) -> dict[Key, list[Key]]:
        """Who refers to whom in the effective value of one field."""
        found: dict[Key, list[Key]] = {}
        for key in self.graph.declarations:
            value = self.records[key].values.get(relation)
            targets = value if isinstance(value, tuple) else (value,)
            found[key] = [(target.kind, target.id) for target in targets if isinstance(target, Record)]
        return found


def _by_field(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        found.setdefault(claim.field, []).append(claim)
    return found


def _others(boxes: Sequence[Record], path: str) -> tuple[Record, ...]:
    """Those of `boxes` that stand in another document than `path`, in order; only the first MAX_TWINS of very many."""
    others = sorted((box for box in boxes if _by_place(box)[0] != path), key=_by_place)
    return OpenTuple(others[:MAX_TWINS]) if len(others) > MAX_TWINS else tuple(others)


def _home(declarations: Sequence[Declaration]) -> Declaration:
    """The declaration at which an item is shown: where it is written out, not where it is listed."""
    return next(
        (declaration for declaration in declarations if declaration.source == "declared"), declarations[0]
    )


def empty(key: Key, place: Place | None) -> Record:
    return Record(kind=key[0], id=key[1], place=place, values={}, places={})


def _set(record: Record, name: str, value: Any, places: tuple[Place, ...]) -> None:
    record.values[name] = value
    record.places[name] = places


def _resolve(record: Record, name: str, views: Sequence[Record]) -> None:
    """The effective value: that of the strongest source which states any; an empty list states nothing."""
    stating = [view for view in views if name in view.values]
    chosen = next((view for view in stating if view.places[name] or not _empty_list(view.values[name])), None)
    if chosen is None and stating:
        chosen = stating[0]
    if chosen is not None:
        _set(record, name, chosen.values[name], chosen.places[name])


def _empty_list(value: Any) -> bool:
    return isinstance(value, tuple) and not value


def _number(name: str) -> int | None:
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if 0 < len(digits) <= MAX_DIGITS else None


def _shown(value: Any) -> str:
    return value.id if isinstance(value, Record) else str(value)


def _by_place(record: Record) -> tuple[str, int, int]:
    return record.place or Place("", 0, 0)
