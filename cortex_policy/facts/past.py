"""Records of a base have their places in another revision."""

from __future__ import annotations

from collections.abc import Iterable

from cortex_policy.model import Past, Place, Record


def to_past(records: Iterable[Record], origin: str) -> None:
    """Give every place of these records, and of all that they hold, its revision."""
    seen: set[int] = set()
    stack = list(records)
    while stack:
        record = stack.pop()
        if id(record) in seen or isinstance(record.place, Past):
            continue
        seen.add(id(record))
        if record.place is not None:
            record.place = _past(record.place, origin)
        for name, places in record.places.items():
            record.places[name] = tuple(_past(place, origin) for place in places)
        for value in record.values.values():
            held = value if isinstance(value, tuple) else (value,)
            stack += [element for element in held if isinstance(element, Record)]


def _past(place: Place, origin: str) -> Place:
    return place if isinstance(place, Past) else Past(origin + place.path, place.line, place.column)
