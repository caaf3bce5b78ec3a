"""The kinds that every pack has, and the fields that every item has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cortex_policy.documents.spec import DocumentModel
from cortex_policy.documents.values import FieldType

_TEXT, _BOOL, _INT = FieldType("text"), FieldType("bool"), FieldType("int")


LISTED_BY: Final = {
    "declaration": "declarations",
    "mention": "mentions",
    "conflict": "conflicts",
    "stale": "stale",
}
"""Built-in kinds that are parts of other records, and the field that lists them."""


def _list(kind: str) -> FieldType:
    return FieldType("references", target=kind)


def _one(kind: str) -> FieldType:
    return FieldType("reference", target=kind)


ITEM_FIELDS: Final[Mapping[str, FieldType]] = {
    "id": _TEXT,
    "kind": _TEXT,
    "number": _INT,
    "is_declared": _BOOL,
    "document": _one("document"),
    "declarations": _list("declaration"),
    "mentions": _list("mention"),
    "conflicts": _list("conflict"),
    "stale": _list("stale"),
}
"""What every item has, beside the fields of its kind and one view of itself for each source."""

BUILTIN_KINDS: Final[Mapping[str, Mapping[str, FieldType]]] = {
    "document": {
        "path": _TEXT,
        "name": _TEXT,
        "stem": _TEXT,
        "folder": _TEXT,
        "reader": _TEXT,
        "complete": _BOOL,
        "outside": _BOOL,
        "is_file": _BOOL,
        "names": _list(""),
    },
    "section": {
        "id": _TEXT,
        "title": _TEXT,
        "document": _one("document"),
        "under": _one(""),
        "names": _list(""),
    },
    "box": {
        "id": _TEXT,
        "text": _TEXT,
        "checked": _BOOL,
        "document": _one("document"),
        "owner": _one(""),
        "twins": _list("box"),
    },
    "declaration": {"id": _TEXT, "document": _one("document"), "source": _TEXT},
    "mention": {"id": _TEXT, "document": _one("document"), "within": _TEXT},
    "conflict": {"id": _TEXT, "field": _TEXT, "source": _TEXT, "values": FieldType("list")},
    "claim": {
        "id": _TEXT,
        "field": _TEXT,
        "value": _one(""),
        "source": _TEXT,
        "at": FieldType("datetime"),
        "until": FieldType("datetime"),
        "scope": _TEXT,
        "document": _one("document"),
        "owner": _one(""),
        "holds": _BOOL,
    },
    "stale": {
        "id": _TEXT,
        "field": _TEXT,
        "value": _one(""),
        "source": _TEXT,
        "document": _one("document"),
        "owner": _one(""),
        "holds": _one(""),
    },
}
"""The kinds that every pack has, with their fields; an empty target means a record of any kind."""


def kind_fields(model: DocumentModel) -> dict[str, dict[str, FieldType]]:
    """The fields of every kind that rules may name: built in, declared, and one view for each source."""
    fields = {name: dict(builtin) for name, builtin in BUILTIN_KINDS.items()}
    for name, kind in model.kinds.items():
        views = {source: _one(name) for source in model.sources}
        fields[name] = {**fields.get(name, {}), **ITEM_FIELDS, **views, **kind.fields}
    fields["document"] = {**ITEM_FIELDS, **fields["document"]}
    return fields
