"""`items`, `graph`, `rule`: the same values that rules see, made ready to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from cortex_policy.app.changing import change_infos
from cortex_policy.app.checking import Selection, rule_infos
from cortex_policy.app.reading import Reading
from cortex_policy.documents.values import Box
from cortex_policy.errors import ConfigurationError, Problem, UndecidedError
from cortex_policy.graph import Key
from cortex_policy.model import UNKNOWN, Declaration, Place, Record, Ref
from cortex_policy.model import Reading as Stated
from cortex_policy.report.graph import EdgeView, GraphView, NodeView
from cortex_policy.report.items import ClaimView, FieldView, ItemView
from cortex_policy.report.rule_page import RulePage
from cortex_policy.ruleset.forms import starts_of, suggest
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.ruleset.rules import Example, Rule


def item_views(reading: Reading, kind: str, name: str) -> tuple[ItemView, ...]:
    """Every item, or those of one kind, or one by id. Raises `ConfigurationError` when there is no such kind or id."""
    _something(reading)
    kinds = sorted(reading.ruleset.model.kinds)
    if kind and kind not in kinds:
        raise ConfigurationError(
            (Problem(message=f"no kind `{kind}`", hint=suggest(kind, kinds) or "kinds: " + ", ".join(kinds)),)
        )
    keys = [key for key in sorted(reading.graph.declarations) if key[0] in kinds]
    if kind:
        keys = [key for key in keys if key[0] == kind]
    elif not name:
        keys = [key for key in keys if key[0] != "document"]
    if name:
        ids = [key[1] for key in keys]
        if name not in ids:
            raise ConfigurationError(
                (Problem(message=f"no document declares `{name}`", hint=suggest(name, ids)),)
            )
        keys = [key for key in keys if key[1] == name]
    records = {
        (record.kind, record.id): record for kind in kinds for record in reading.facts.items.get(kind, ())
    }
    return tuple(_item_view(key, records[key], reading) for key in keys)


def _something(reading: Reading) -> None:
    """An empty list of nothing read would look like an empty list of items."""
    if not reading.graph.documents:
        raise UndecidedError(reading.notes[0])


def _item_view(key: Key, record: Record, reading: Reading) -> ItemView:
    declarations = reading.graph.declarations[key]
    fields = reading.ruleset.model.kinds[key[0]].fields
    sources = reading.ruleset.model.sources
    said = (*declarations, *reading.graph.claims.get(key, ()))
    return ItemView(
        kind=key[0],
        id=key[1],
        declarations=tuple(declaration.place for declaration in declarations),
        fields=tuple(
            view for name in fields if (view := _field_view(name, record, said, sources)) is not None
        ),
        declaration_texts=tuple(declaration.text for declaration in declarations),
        mentions=tuple(mention.place for mention in reading.graph.mentions.get(key, ())),
    )


def _field_view(
    name: str, record: Record, said: Sequence[Declaration], sources: Sequence[str]
) -> FieldView | None:
    """A field with every claim on it: those that hold first, then by the strength of their sources."""
    value, held = record.values.get(name, UNKNOWN), frozenset(record.places.get(name, ()))
    claims = [
        ClaimView(
            kind=each.source,
            value=_stated(reading.value),
            place=reading.place,
            text=reading.text,
            at=_moment(each.at.first) if each.at else None,
            until=_moment(each.at.last) if each.at else None,
            scope=each.scope,
            holds=value is not UNKNOWN and not each.scope and reading.place in held,
        )
        for each in said
        for reading in each.fields.get(name, ())
    ]
    if not claims:
        return None
    claims.sort(key=lambda claim: (not claim.holds, sources.index(claim.kind)))
    return FieldView(name, _plain(value), _state(name, record), tuple(claims))


def _state(name: str, record: Record) -> str:
    if record.values.get(name, UNKNOWN) is not UNKNOWN:
        return "stated"
    if any(conflict.values["field"] == name for conflict in record.values.get("conflicts", ())):
        return "conflict"
    return "unread" if record.places.get(name) else "scoped"


def _moment(value: date) -> str:
    text = value.isoformat()
    return text.replace("+00:00", "Z")


def _stated(value: Any) -> Any:
    """One claim's value as JSON."""
    if isinstance(value, Ref):
        return value.id
    if isinstance(value, Box):
        return {"text": value.text, "checked": value.checked}
    if isinstance(value, tuple):
        return [_stated(element.value if isinstance(element, Stated) else element) for element in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    """A fact's value as JSON; a conflict has none."""
    if value is UNKNOWN:
        return None
    if isinstance(value, Record):
        if value.kind != "box":
            return value.id
        place = value.place or Place("", 0, 0)
        return {"text": value.id, "checked": value.values["checked"], "path": place.path, "line": place.line}
    if isinstance(value, tuple):
        return [_plain(element) for element in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else value


# --------------------------------------------------------------------------- graph


def graph_view(reading: Reading, subject: str, depth: int) -> GraphView:
    """Items and documents with their references; with `subject`, what lies at most `depth` steps around it.

    Raises `ConfigurationError` when nothing has the id `subject`.
    """
    _something(reading)
    kinds = set(reading.ruleset.model.kinds)
    declared = [key for key in reading.graph.declarations if key[0] in kinds]
    spoken = [
        key for key in reading.graph.mentions if key[0] in kinds and key not in reading.graph.declarations
    ]
    edges = {(edge.source, edge.relation, edge.target): edge.place for edge in reading.graph.edges}
    for key in declared:
        for declaration in reading.graph.declarations[key]:
            if key[0] != "document":
                edges[(("document", f"doc:{declaration.place.path}"), "declares", key)] = declaration.place
    keys = set(declared) | set(spoken) | {end for source, _, target in edges for end in (source, target)}
    if subject:
        keys = _around(subject, keys, edges, depth)
    nodes = tuple(_node(key, reading) for key in sorted(keys))
    shown = tuple(
        EdgeView(source[1], target[1], relation, place.path, place.line)
        for (source, relation, target), place in sorted(edges.items())
        if source in keys and target in keys
    )
    return GraphView(nodes, shown)


def _around(subject: str, keys: set[Key], edges: Iterable[tuple[Key, str, Key]], depth: int) -> set[Key]:
    names = {key[1]: key for key in sorted(keys)}
    start = names.get(subject) or names.get(f"doc:{subject}")
    if start is None:
        raise ConfigurationError(
            (Problem(message=f"nothing is called `{subject}`", hint=suggest(subject, names)),)
        )
    near = {start}
    for _ in range(depth):
        near |= {t for s, _, t in edges if s in near} | {s for s, _, t in edges if t in near}
    return near


def _node(key: Key, reading: Reading) -> NodeView:
    declarations = reading.graph.declarations.get(key, ())
    records = {record.id: record for record in reading.facts.items.get(key[0], ())}
    record = records.get(key[1])
    values = record.values if record is not None else {}
    title, status = values.get("title", ""), values.get("status", "")
    place = declarations[0].place if declarations else Place("", 0, 0)
    state = status if isinstance(status, str) and declarations else ("" if declarations else "undeclared")
    return NodeView(key[1], key[0], title if isinstance(title, str) else "", place.path, place.line, state)


# --------------------------------------------------------------------------- rules


def rule_pages(rulesets: Sequence[Ruleset], code: str) -> tuple[RulePage, ...]:
    """The page of one rule, or of all. Raises `ConfigurationError` when no rule has that code or name."""
    rules = {rule.info.id: rule for ruleset in rulesets for rule in ruleset.rules}
    every = {info.id: info for ruleset in rulesets for info in rule_infos(ruleset, Selection())}
    every |= {info.id: info for info in change_infos()}
    infos = tuple(every[name] for name in sorted(every))
    if code:
        found = [info for info in infos if code.casefold() in (info.id.casefold(), info.name.casefold())]
        if not found:
            known = [info.id for info in infos]
            hint = suggest(code.upper(), known) or starts_of(known)
            raise ConfigurationError((Problem(message=f"no rule `{code}`", hint=hint),))
        infos = tuple(found)
    return tuple(_page(rules[info.id]) if info.id in rules else RulePage(info) for info in infos)


def _page(rule: Rule) -> RulePage:
    examples = rule.examples()
    if examples.problems:
        raise ConfigurationError(examples.problems)
    return RulePage(
        rule.info,
        on="change" if rule.on_change else "",
        for_=rule.collection_text,
        when=rule.when_text,
        require=tuple((condition.id, condition.text) for condition in rule.require),
        examples=tuple(
            (example.verdict, "\n".join(f"{path}:\n{text}" for path, text in _files(example)))
            for example in examples.found
        ),
    )


def _files(example: Example) -> Iterable[tuple[str, str]]:
    """The files of an example, those that a change began with first."""
    before = example.before or {}
    return [*((f"before:{path}", text) for path, text in before.items()), *example.files.items()]
