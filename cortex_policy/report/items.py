"""The `items` command: the typed graph as it is held true, every value with the claims that led to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from cortex_policy.model import Inputs, Place
from cortex_policy.report.check_json import SCHEMA_VERSION, inputs_value
from cortex_policy.report.escape import json_text, lines_to_text, visible
from cortex_policy.report.style import Style
from cortex_policy.report.words import counted

MAX_JOINED = 100
"""Characters of a list that still read well on one line."""


class ClaimView(NamedTuple):
    """What one place says of a field: the kind of claim, the value (JSON-able), the text it came from.

    `at` and `until` bound its time, where it has one; a `scope` is as far as it goes; `holds` says whether it won.
    """

    kind: str
    value: Any
    place: Place
    text: str
    at: str | None = None
    until: str | None = None
    scope: str = ""
    holds: bool = True


class FieldView(NamedTuple):
    """A field: `state` is `stated`, or why `value` is no answer: `conflict` where the claims disagree, `unread` where a
    document that could not be read may say otherwise, `scoped` where nothing is said without a scope.
    """

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


_NO_ANSWER: Final = {
    "conflict": "conflict: the claims below disagree",
    "unread": "unread: a document that could not be read may say otherwise than the claims below",
    "scoped": "no answer: the claims below hold within their scope",
}


def _field(field: FieldView, room: int, style: Style) -> Iterator[str]:
    name = visible(field.name)
    padding = " " * (room - len(name))
    if field.state != "stated":
        yield f"  {name}{padding}  {style.paint('error', _NO_ANSWER[field.state])}"
        yield from (_claim(claim, style) for claim in field.claims)
        return
    holding = [claim for claim in field.claims if claim.holds]
    origin = f"  {_origin(holding[0], style)}" if holding else ""
    more = f" and {counted(len(holding) - 1, 'more claim')}" if len(holding) > 1 else ""
    head, *rows = _lines(field.value)
    yield f"  {name}{padding}  {head}{origin}{style.paint('quiet', more)}"
    yield from (f"    {row}" for row in rows)
    yield from (_claim(claim, style) for claim in field.claims if not claim.holds)


def _claim(claim: ClaimView, style: Style) -> str:
    """A claim that does not hold, on a line of its own."""
    scope = f" {visible(claim.scope)}" if claim.scope else ""
    head, *_ = _lines(claim.value)
    return f"    {head}{scope}  {_origin(claim, style)}"


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
    when = f", {_when(claim)}" if claim.at else ""
    return style.paint("quiet", f"({visible(claim.kind)}{when}, {_place(claim.place)})")


def _when(claim: ClaimView) -> str:
    return str(claim.at) if claim.at == claim.until else f"{claim.at} to {claim.until}"


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
            {
                "kind": claim.kind,
                "value": claim.value,
                **claim.place._asdict(),
                "text": claim.text,
                "at": claim.at,
                "until": claim.until,
                "scope": claim.scope,
                "holds": claim.holds,
            }
            for claim in field.claims
        ],
    }
