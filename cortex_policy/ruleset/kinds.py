"""Kinds and readers: `pack.yaml` and `readers/*.yaml` become the values that `documents` and `facts` work by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cortex_policy.documents.nodes import Mapping as NodeMapping
from cortex_policy.documents.nodes import Node, Scalar, load_json, node_at
from cortex_policy.documents.patterns import IdPattern, compile_glob, compile_pattern
from cortex_policy.documents.spec import DeclarationSpec, FieldSource, KindSpec, ReaderSpec, SchemaSpec
from cortex_policy.documents.values import COLLECTIONS, SCALARS, FieldType, unsaid
from cortex_policy.ruleset.claims import read_claims, read_times, read_unclaimed
from cortex_policy.ruleset.forms import Form, Source, suggest
from cortex_policy.ruleset.patterns import alternation, compile_node, read_all, read_any, read_pattern

_SIMPLE_TYPES: Final = tuple(sorted((set(SCALARS) - {"enum"}) | (COLLECTIONS - {"references"})))
_RESERVED: Final = frozenset(
    {"id", "kind", "number", "is_declared", "document", "declarations", "mentions", "conflicts", "stale"}
)

KIND_KEYS: Final = ("about", "id", "fields", "actionable")
READER_KEYS: Final = (
    "reader about format files exclude where front_matter kinds schemas fields silent silent_lists templates "
    "sections mentions "
    "document_references items claims times unclaimed"
).split()
ITEM_KEYS: Final = "kind source heading item row document record id only exclude fields".split()
FIELD_KEYS: Final = (
    "key label group paragraph sentence section column table heading boxes fence line in match strict none stop"
).split()
_PLACES: Final = "key label group paragraph sentence section column table heading boxes fence line".split()
_BLOCKS: Final = ("paragraph", "item")

_PROSE: Final = frozenset({"document", "heading", "whole"})
_PLACES_OF: Final[Mapping[str, frozenset[str]]] = {
    "key": frozenset({"document", "record", "whole"}),
    "label": _PROSE,
    "group": frozenset({"heading", "item", "whole"}),
    "paragraph": _PROSE,
    "sentence": frozenset({"document"}),
    "section": _PROSE,
    "column": frozenset({"row"}),
    "table": _PROSE,
    "heading": frozenset({"document", "whole"}),
    "boxes": _PROSE,
    "fence": _PROSE,
    "line": frozenset({"document", "whole"}),
}
"""For each place of a field, what may have fields there; a field that could never be read is a broken pack.

`document` is the document itself, `whole` an item that a whole document declares.
"""
_TYPES_AT: Final[Mapping[str, frozenset[str]]] = {
    "sentence": frozenset({"bool"}),
    "boxes": frozenset({"checklist"}),
    "section": COLLECTIONS,
}
"""Places that give values of some types only."""


def read_kinds(form: Form, source: Source) -> dict[str, KindSpec]:
    """The `kinds` of a pack."""
    kinds: dict[str, KindSpec] = {}
    entries = form.entries("kinds")
    names = [key.text for key, _ in entries]
    for key, node in entries:
        kind = source.form(node, f"kind `{key.text}`", KIND_KEYS)
        if kind is None:
            continue
        typed = ((name, read_type(name, value, names, source)) for name, value in kind.entries("fields"))
        fields = {name.text: declared for name, declared in typed if declared is not None}
        ids = read_pattern(kind, "id", source)
        kinds[key.text] = KindSpec(
            name=key.text,
            about=" ".join(kind.text("about").split()),
            fields=fields,
            ids=IdPattern(key.text, ids) if ids is not None else None,
            actionable=_actionable(kind, fields, source),
        )
    return kinds


def _actionable(kind: Form, fields: Mapping[str, FieldType], source: Source) -> tuple[str, ...]:
    """The fields that `next` and `gate` may propose to change. Each is one that the kind declares, so no identity."""
    for node in kind.scalars("actionable"):
        if node.text not in fields:
            source.problem(
                node,
                f"{kind.what} has no field `{node.text}` that could be actionable",
                suggest(node.text, fields) or "fields stand under `fields`",
            )
    return kind.texts("actionable")


def read_type(name: Scalar, node: Node, kinds: Sequence[str], source: Source) -> FieldType | None:
    """`date`, `{enum: [a, b]}`, `{references: kind}` …; None when it is none of them."""
    if name.text in _RESERVED:
        source.problem(name, f"every item has `{name.text}` already", "choose another name")
    if isinstance(node, Scalar):
        if node.text in _SIMPLE_TYPES:
            return FieldType(node.text)
        hint = suggest(node.text, _SIMPLE_TYPES) or "types: " + ", ".join(_SIMPLE_TYPES)
        source.problem(node, f"no type `{node.text}`", hint)
        return None
    if not isinstance(node, NodeMapping) or len(node.entries) != 1:
        source.problem(
            node,
            f"`{name.text}` has no type",
            "such as `text`, `{enum: [open, done]}` or `{references: task}`",
        )
        return None
    form = Form(source, node, f"the type of `{name.text}`", ("enum", "reference", "references"))
    shape = node.entries[0][0].text
    if shape == "enum":
        words = form.texts("enum")
        return FieldType("enum", words=words) if words else None
    if shape not in ("reference", "references"):
        return None
    target = form.text(shape)
    if target and target not in kinds:
        source.problem(
            form.get(shape), f"no kind `{target}`", suggest(target, kinds) or "kinds: " + ", ".join(kinds)
        )
        return None
    return FieldType(shape, target=target)


def _anywhere(form: Form, source: Source, key: str) -> Any:
    """The pattern under `key` for many lines at once."""
    node = form.get(key)
    if not isinstance(node, Scalar) or compile_node(node, source) is None:
        return None
    return compile_pattern(f"(?m)(?:{node.text})", limit=False)


def _headings(reader: ReaderSpec) -> Any:
    """What any heading must match to mean something to the reader."""
    fields = [*reader.fields, *(field for spec in reader.declarations for field in spec.fields)]
    used = [
        *(spec.pattern for spec in reader.declarations if spec.at == "heading"),
        *(field.section for field in fields),
        reader.silent,
        reader.sections,
    ]
    return alternation([pattern.pattern for pattern in used if pattern is not None])


class Schemas(NamedTuple):
    """The JSON Schemas that readers may name, as texts; those in `checked` are known to be well formed."""

    texts: Mapping[str, str]
    checked: frozenset[str]


def read_reader(
    node: Node, source: Source, kinds: Mapping[str, KindSpec], schemas: Schemas
) -> ReaderSpec | None:
    """One reader."""
    form = source.form(node, "a reader", READER_KEYS)
    if form is None:
        return None
    name = form.text("reader")
    form.text("about")
    files = read_all(form, "files", source, compile_glob)
    if form.get("files") is None:
        source.problem(
            form.node, f"reader `{name}` lacks `files`", "name the files it takes, such as `docs/**/*.md`"
        )
    reader = ReaderSpec(
        name=name,
        format=form.word("format", ("markdown", "yaml", "json")),
        files=files,
        exclude=read_all(form, "exclude", source, compile_glob),
        where_keys=form.texts("where"),
        front_matter=form.word("front_matter", ("required", "optional"), "optional"),
        kinds=tuple(_document_kinds(form, source)),
        fields=_fields(form, source, kinds.get("document"), "document", "document"),
        declarations=tuple(_declarations(form, source, kinds)),
        sections=read_pattern(form, "sections", source),
        silent=read_any(form, "silent", source),
        silent_lists=read_pattern(form, "silent_lists", source),
        templates=read_all(form, "templates", source, compile_glob),
        mentions=tuple(_mentions(form, source, kinds)),
        schemas=tuple(_schemas(form, source, schemas)),
        times=read_times(form, source, kinds.get("document")),
        unclaimed=read_unclaimed(form, source),
        globs=form.texts("files"),
    )
    reader = reader._replace(claims=tuple(read_claims(form, source, kinds, reader)))
    return reader._replace(headings=_headings(reader))


def _document_kinds(form: Form, source: Source) -> list[tuple[str, tuple[Any, ...]]]:
    found = []
    for node in form.nodes("kinds"):
        entry = source.form(node, "a document kind", ("kind", "files"))
        if entry is not None:
            found.append((entry.text("kind"), read_all(entry, "files", source, compile_glob)))
    return found


def _schemas(form: Form, source: Source, schemas: Schemas) -> list[SchemaSpec]:
    found = []
    for node in form.nodes("schemas"):
        entry = source.form(node, "a schema", ("schema", "files"))
        if entry is None:
            continue
        name = entry.text("schema")
        text = schemas.texts.get(name)
        if text is None:
            source.problem(
                entry.get("schema"),
                f"no schema `{name}`",
                suggest(name, schemas.texts) or "schemas stand in `schemas/`",
            )
        elif name in schemas.checked or _is_schema(Source(f"schemas/{name}", text, source.problems)):
            found.append(
                SchemaSpec(name=name, files=read_all(entry, "files", source, compile_glob), schema=text)
            )
    return found


def _is_schema(source: Source) -> bool:
    """Whether the file is a JSON Schema; its problems are recorded where they stand in it."""
    from cortex_policy.documents.schema import schema_problem  # 40 ms: only for packs that have schemas

    node, value, faults = load_json(source.text)
    for fault in faults:
        source.problem(Scalar("", True, fault.mark), f"the schema cannot be read: {fault.message}")
    if faults:
        return False
    if not isinstance(value, dict):
        source.problem(node, "a schema is a JSON object")
        return False
    problem = schema_problem(value)
    if problem is not None:
        source.problem(node_at(node, list(problem.path)), f"the schema is no JSON Schema: {problem.message}")
    return problem is None


def _mentions(form: Form, source: Source, kinds: Mapping[str, KindSpec]) -> list[IdPattern]:
    found = []
    for node in form.scalars("mentions"):
        if node.text == "document":
            pattern = read_pattern(form, "document_references", source)
            if pattern is None:
                source.problem(
                    node, "mentions of documents need `document_references`, a pattern for their paths"
                )
            else:
                found.append(IdPattern("document", pattern))
            continue
        ids = kinds[node.text].ids if node.text in kinds else None
        if ids is None:
            hint = "give it an `id` in `pack.yaml`" if node.text in kinds else suggest(node.text, kinds)
            source.problem(node, f"no kind `{node.text}` with an `id` pattern", hint)
        else:
            found.append(ids)
    return found


def _declarations(form: Form, source: Source, kinds: Mapping[str, KindSpec]) -> Iterator[DeclarationSpec]:
    """The items of a reader. Records are declared in records, everything else in Markdown."""
    markdown = form.text("format", "markdown") == "markdown"
    for node in form.nodes("items"):
        spec = _declaration(node, source, kinds)
        if spec is None:
            continue
        if markdown is (spec.at in ("record", "root")):
            source.problem(
                node, f"a {form.text('format')} file declares no items by {_WAY_OF.get(spec.at, spec.at)}"
            )
        yield spec


def _declaration(node: Node, source: Source, kinds: Mapping[str, KindSpec]) -> DeclarationSpec | None:
    """One way in which a document declares items: by heading, list item, table row, as a whole, or by record."""
    form = source.form(node, "a declaration of items", ITEM_KEYS)
    if form is None:
        return None
    name = form.text("kind")
    if name not in kinds:
        source.problem(
            form.get("kind") or node,
            f"no kind `{name}`",
            suggest(name, kinds) or "kinds stand in `pack.yaml`",
        )
        return None
    ways = [way for way in _WAYS if form.get(way) is not None]
    if len(ways) != 1:
        source.problem(node, f"`{name}` is declared by one of {', '.join(_WAYS)}", "name exactly one of them")
        return None
    shape = source.form(form.get(ways[0]), ways[0], _WAYS[ways[0]])
    if shape is None:
        return None
    pattern = read_pattern(shape, "pattern", source)
    _check_id(form, shape, ways[0], pattern, kinds[name], source)
    return DeclarationSpec(
        kind=name,
        source=form.text("source", "declared"),
        at="root" if ways[0] == "record" and shape.flag("root", False) else ways[0],
        levels=_levels(shape, source) if ways[0] == "heading" else frozenset(),
        pattern=pattern,
        id=form.text("id", "") or (shape.text("id", "") if shape.get("root") else ""),
        id_keys=() if shape.get("root") else shape.texts("id" if ways[0] == "record" else "columns"),
        scalar=shape.text("scalar", "") if ways[0] == "record" else "",
        fields=_fields(form, source, kinds[name], name, _WHERE.get(ways[0], ways[0]), pattern),
        only=read_all(form, "only", source, compile_glob),
        exclude=read_all(form, "exclude", source, compile_glob),
    )


_WAY_OF: Final = {"root": "record"}
_WHERE: Final = {"document": "whole"}

_WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "heading": ("levels", "pattern"),
    "item": ("pattern",),
    "row": ("columns", "pattern"),
    "document": ("pattern",),
    "record": ("id", "root", "scalar"),
}


def _levels(shape: Form, source: Source) -> frozenset[int]:
    """The heading levels that declare items; all of them when none is named."""
    found = set()
    for node in shape.scalars("levels"):
        if node.text in ("1", "2", "3", "4", "5", "6"):
            found.add(int(node.text))
        else:
            source.problem(node, f"`{node.text}` is no heading level", "levels are 1 to 6")
    return frozenset(found or range(1, 7))


def _check_id(form: Form, shape: Form, way: str, pattern: Any, kind: KindSpec, source: Source) -> None:
    """INVARIANT: a declaration that could never give an id is a broken pack, not an empty result."""
    if way in ("heading", "item"):
        if pattern is None:
            hint = r"such as `pattern: '^(?P<id>TASK-\d+): '`"
            source.problem(shape.node, f"{way} needs a `pattern` with a group `id`", hint)
        elif "id" not in pattern.groupindex and form.get("id") is None:
            source.problem(
                shape.get("pattern"),
                "the pattern has no group `id`, and there is no `id` template",
                "write `(?P<id>…)` around what is the id",
            )
    elif way == "record" and shape.get("id") is None:
        source.problem(shape.node, "record needs `id`: the keys that hold ids, or with `root` a template")
    elif way == "record" and not shape.flag("root", False) and kind.ids is None:
        source.problem(
            shape.node, f"kind `{kind.name}` has no `id` pattern, so its records cannot be told from others"
        )
    elif way == "document":
        _check_whole_id(form, shape, pattern, source)
    elif way == "row" and shape.get("columns") is None:
        source.problem(shape.node, "row needs `columns`: the header names, the id's first")


def _check_whole_id(form: Form, shape: Form, pattern: Any, source: Source) -> None:
    if pattern is None:
        source.problem(shape.node, "document needs a `pattern`: a line that says what the document is")
    elif "id" not in pattern.groupindex and form.get("id") is None:
        source.problem(form.node, "document needs an `id` template, such as `packet:{stem}`")


def _fields(
    form: Form, source: Source, kind: KindSpec | None, name: str, where: str, pattern: Any = None
) -> tuple[FieldSource, ...]:
    """The fields of a document or item; `where` is how the item is declared, `pattern` what its groups come from."""
    found = []
    declared = kind.fields if kind is not None else {}
    for key, node in form.entries("fields"):
        if key.text not in declared:
            hint = suggest(key.text, declared) or "fields stand in `pack.yaml`"
            source.problem(key, f"kind `{name}` has no field `{key.text}`", hint)
            continue
        if not isinstance(node, NodeMapping):
            source.problem(node, f"`{key.text}` says where the field stands, such as `{{label: Status}}`")
            continue
        inner = Form(source, node, f"field `{key.text}`", FIELD_KEYS)
        field = _field(key.text, declared[key.text], inner, where, source)
        if field is None:
            continue
        if field.group and pattern is not None and field.group not in pattern.groupindex:
            hint = suggest(field.group, pattern.groupindex) or f"write `(?P<{field.group}>…)` in the pattern"
            source.problem(inner.get("group"), f"the pattern has no group `{field.group}`", hint)
        found.append(field)
    return tuple(found)


def _field(name: str, kind: FieldType, form: Form, where: str, source: Source) -> FieldSource | None:
    places = [place for place in _PLACES if form.get(place) is not None]
    if len(places) != 1:
        what = "has no place" if not places else f"has {len(places)} places, and a field has one"
        source.problem(form.node, f"field `{name}` {what}", f"name one of {', '.join(_PLACES)}")
        return None
    place = places[0]
    if where not in _PLACES_OF[place]:
        possible = ", ".join(f"`{other}`" for other in _PLACES if where in _PLACES_OF[other])
        what = "a document" if where == "document" else f"an item declared by {where}"
        source.problem(form.get(place), f"{what} has no fields by `{place}`", f"possible: {possible}")
    elif kind.name not in _TYPES_AT.get(place, (kind.name,)):
        kinds = ", ".join(sorted(_TYPES_AT[place]))
        source.problem(
            form.get(place), f"`{place}` gives no {kind.name}", f"it is for fields of type {kinds}"
        )
    blocks = form.texts("in") or _BLOCKS
    for node in form.scalars("in"):
        if node.text not in _BLOCKS:
            source.problem(node, f"no block `{node.text}`", "blocks: " + ", ".join(_BLOCKS))
    if form.get("match") is not None and place != "fence":
        source.problem(form.get("match"), "`match` goes with `fence`")
    level = form.text("heading", "0")
    return FieldSource(
        name=name,
        type=kind,
        keys=form.texts("key"),
        labels=tuple(label.casefold() for label in form.texts("label")),
        group=form.text("group", ""),
        paragraph=read_pattern(form, "paragraph", source),
        anywhere=_anywhere(form, source, "paragraph"),
        sentence=" ".join(form.text("sentence", "").split()),
        section=read_pattern(form, "section", source),
        columns=form.texts("column"),
        table=tuple(row.casefold() for row in form.texts("table")),
        heading=int(level) if level in "0123456" else 0,
        boxes=form.flag("boxes", False),
        fence=read_pattern(form, "fence", source),
        match=read_pattern(form, "match", source),
        line=_anywhere(form, source, "line"),
        blocks=frozenset(blocks),
        strict=form.flag("strict", True),
        unsaid=_unsaid(form, kind, source),
    )


def _unsaid(form: Form, kind: FieldType, source: Source) -> re.Pattern[str] | None:
    """The words with which a text refers to nothing; only a field of references has them."""
    for key in ("none", "stop"):
        if form.get(key) is not None and kind.name not in ("reference", "references"):
            source.problem(form.get(key), f"`{key}` is for fields of references, and this is {kind.name}")
        for node in form.scalars(key):
            if not re.search(r"\w", node.text):
                source.problem(node, f"`{key}` of {form.what} is a word or a phrase")
    return unsaid(form.texts("none"), form.texts("stop"))
