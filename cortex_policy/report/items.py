"""The `items` command: the typed graph as it is held true, every value with the claims that led to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cortex_policy.model import Inputs, Place
from cortex_policy.report.check_json import SCHEMA_VERSION, inputs_value
from cortex_policy.report.escape import json_text, lines_to_text, visible
from cortex_policy.report.style import Style
from cortex_policy.report.words import counted

MAX_JOINED = 100
"""Characters of a list that still read well on one line."""


class ClaimView(NamedTuple):
    """What one place says of a field: the kind of claim, the value (JSON-able), the text it came from."""

    kind: str
    value: Any
    place: Place
    text: str


class FieldView(NamedTuple):
    """A field: `state` is `stated`, or `conflict` where the claims disagree and `value` is no answer."""

    name: str
    value: Any
    state: str
    claims: tuple[ClaimView, ...]


class ItemView(NamedTuple):
    """An item with the places that declare it and its fields, in the order to show."""

    kind: str
    id: str
    declarations: tuple[Place, ...]
    fields: tuple[FieldView, ...]
    # The text of each declaration, in the order of `declarations`; may be shorter.
    declaration_texts: tuple[str, ...] = ()
    # Where the item is spoken of, beside its declarations.
    mentions: tuple[Place, ...] = ()


def render_items(items: Sequence[ItemView], *, style: Style) -> str:
    """Return the items as text."""
    lines: list[str] = []
    for item in items:
        lines += [*_item(item, style), ""]
    return lines_to_text([*lines, counted(len(items), "item")])


def render_items_json(items: Sequence[ItemView], inputs: Inputs) -> str:
    """Return the items as JSON: `{"schema_version": "1", "items": [...], "inputs": {...}}`."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "items": [_item_value(item) for item in items],
            "inputs": inputs_value(inputs),
        }
    )


def _item(item: ItemView, style: Style) -> Iterator[str]:
    yield f"{style.paint('strong', visible(item.id))} {style.paint('quiet', visible(item.kind))}"
    for place in item.declarations:
        yield f"  {style.paint('gutter', '-->')} {_place(place)}"
    room = max((len(visible(field.name)) for field in item.fields), default=0)
    for field in item.fields:
        yield from _field(field, room, style)


def _field(field: FieldView, room: int, style: Style) -> Iterator[str]:
    name = visible(field.name)
    padding = " " * (room - len(name))
    if field.state == "conflict":
        yield f"  {name}{padding}  {style.paint('error', 'conflict')}: the claims below disagree"
        yield from (f"    {_shown(c.value)}  {_origin(c, style)}" for c in field.claims)
        return
    origin = f"  {_origin(field.claims[0], style)}" if field.claims else ""
    more = f" and {counted(len(field.claims) - 1, 'more claim')}" if len(field.claims) > 1 else ""
    head, *rows = _lines(field.value)
    yield f"  {name}{padding}  {head}{origin}{style.paint('quiet', more)}"
    yield from (f"    {row}" for row in rows)


def _lines(value: Any) -> list[str]:
    """A value as lines: ids on one, boxes and longer texts below a count."""
    if not isinstance(value, list) or not value:
        return ["none" if value == [] else _shown(value)]
    if all(isinstance(entry, dict) and "checked" in entry for entry in value):
        ticked = sum(1 for entry in value if entry["checked"])
        rows = [
            f"[{'x' if box['checked'] else ' '}] {visible(box['text'])}  (line {box['line']})"
            for box in value
        ]
        return [f"{ticked} of {len(value)} ticked", *rows]
    texts = [_shown(entry) for entry in value]
    joined = ", ".join(texts)
    return [joined] if len(joined) <= MAX_JOINED else [f"{len(texts)} entries", *(f"- {t}" for t in texts)]


def _origin(claim: ClaimView, style: Style) -> str:
    return style.paint("quiet", f"({visible(claim.kind)}, {_place(claim.place)})")


def _place(place: Place) -> str:
    return f"{visible(place.path)}:{place.line}:{place.column}"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return visible(value) or '""'
    return visible(json.dumps(value, ensure_ascii=False))


def _item_value(item: ItemView) -> dict[str, Any]:
    texts = (*item.declaration_texts, *[""] * len(item.declarations))
    return {
        "id": item.id,
        "kind": item.kind,
        "declarations": [
            {**place._asdict(), "text": text} for place, text in zip(item.declarations, texts, strict=False)
        ],
        "mentions": [place._asdict() for place in item.mentions],
        "fields": {field.name: _field_value(field) for field in item.fields},
    }


def _field_value(field: FieldView) -> dict[str, Any]:
    return {
        "value": field.value,
        "state": field.state,
        "claims": [
            {"kind": claim.kind, "value": claim.value, **claim.place._asdict(), "text": claim.text}
            for claim in field.claims
        ],
    }
