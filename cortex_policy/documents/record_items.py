"""Items and fields in a tree of nodes: front matter, YAML and JSON records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cortex_policy.documents.nodes import Mapping, Node, Scalar
from cortex_policy.documents.nodes import Sequence as NodeSequence
from cortex_policy.documents.outline import typed_reading
from cortex_policy.documents.patterns import IdPattern
from cortex_policy.documents.spec import DeclarationSpec, DocumentModel, FieldSource, ReaderSpec
from cortex_policy.documents.values import MAX_REFERENCES, references
from cortex_policy.model import Declaration, Fault, Place, Reading


class _Source:
    """Where the nodes came from: enough to make places and faults."""

    __slots__ = ("faults", "left", "lines", "model", "path")

    def __init__(self, path: str, lines: Sequence[str], model: DocumentModel, faults: list[Fault]) -> None:
        self.path = path
        self.lines = lines
        self.model = model
        self.faults = faults
        self.left = MAX_REFERENCES

    def place(self, node: Node) -> Place:
        return Place(self.path, node.mark.line, node.mark.column)

    def line(self, place: Place) -> str:
        return self.lines[place.line - 1] if place.line <= len(self.lines) else ""


def document_fields(
    node: Node | None,
    fields: Sequence[FieldSource],
    model: DocumentModel,
    path: str,
    lines: Sequence[str],
    faults: list[Fault],
) -> dict[str, tuple[Reading, ...]]:
    """The document's own fields that are declared as keys of its metadata or root record."""
    if not isinstance(node, Mapping):
        return {}
    return _fields(node, [f for f in fields if f.keys], _Source(path, lines, model, faults), f"doc:{path}")


def record_items(
    node: Node, reader: ReaderSpec, model: DocumentModel, path: str, lines: Sequence[str], faults: list[Fault]
) -> list[Declaration]:
    """Every item that the reader's record declarations find in the tree, in the order of the text."""
    source = _Source(path, lines, model, faults)
    found: list[Declaration] = []
    for spec in reader.declarations:
        if spec.only and not any(glob.match(path) for glob in spec.only):
            continue
        if any(glob.match(path) for glob in spec.exclude):
            continue
        if spec.at == "root":
            found += _root(node, spec, source)
        elif spec.at == "record":
            found += _records(node, spec, source)
    return sorted(found, key=lambda declaration: declaration.place)


def _root(node: Node, spec: DeclarationSpec, source: _Source) -> Iterator[Declaration]:
    """The whole file is one item."""
    if isinstance(node, Mapping):
        stem = source.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        values = {key.text: value.text for key, value in node.entries if isinstance(value, Scalar)}
        name = spec.id.format_map(_Blank({**values, "stem": stem, "path": source.path}))
        yield _declaration(node, name, source.place(node), spec, source)


class _Blank(dict[str, str]):
    """Template values in which what is absent is blank, so that a broken record still has an id."""

    def __missing__(self, key: str) -> str:
        return ""


def _records(node: Node, spec: DeclarationSpec, source: _Source) -> Iterator[Declaration]:
    """Every mapping with an id key, every entry whose key is an id, and every id listed under a key that is a value of
    the `scalar` field (`done: [A-1, A-2]`), wherever they stand in the tree.
    """
    stack: list[tuple[Node, Scalar | None]] = [(node, None)]
    ids = source.model.ids[spec.kind]
    while stack:
        current, above = stack.pop()
        if isinstance(current, NodeSequence):
            stack.extend((item, above) for item in reversed(current.items))
        elif isinstance(current, Mapping):
            name = _own_id(current, spec, ids)
            if name is not None:
                yield _under(
                    _declaration(current, name.text, source.place(name), spec, source), above, spec, source
                )
            for key, value in current.entries:
                if ids.fullmatch(key.text):
                    yield _declaration(value, key.text, source.place(key), spec, source)
                else:
                    stack.append((value, key))
        elif ids.fullmatch(current.text) and _group(above, spec, source) is not None:
            place = source.place(current)
            yield _under(
                Declaration(spec.kind, current.text, spec.source, place, source.line(place), {}),
                above,
                spec,
                source,
            )


def _under(
    declaration: Declaration, above: Scalar | None, spec: DeclarationSpec, source: _Source
) -> Declaration:
    """The same item with the value that its group gives it, where it states none itself."""
    reading = _group(above, spec, source)
    if reading is None or spec.scalar in declaration.fields:
        return declaration
    return declaration._replace(fields={**declaration.fields, spec.scalar: (reading,)})


def _group(above: Scalar | None, spec: DeclarationSpec, source: _Source) -> Reading | None:
    """What the key of a group says about its members, if it is a value of the field that scalars give."""
    field = next((field for field in spec.fields if field.name == spec.scalar), None)
    if above is None or field is None or field.type.name != "enum":
        return None
    place = source.place(above)
    lenient = field._replace(strict=False)
    return typed_reading(lenient, above.text, place, source.line(place), source.model, source.faults, "")


def _own_id(node: Mapping, spec: DeclarationSpec, ids: IdPattern) -> Scalar | None:
    """The id under one of the id keys: the whole value, or what it starts with (`A-1 - the title`)."""
    for key in spec.id_keys:
        value = node.get(key)
        if isinstance(value, Scalar):
            first = next(iter(ids.find(value.text)), None)
            if first is not None and first[0] == 0:
                return value._replace(text=value.text[: first[1]])
    return None


def _declaration(node: Node, name: str, place: Place, spec: DeclarationSpec, source: _Source) -> Declaration:
    fields: dict[str, tuple[Reading, ...]] = {}
    if isinstance(node, Mapping):
        fields = _fields(node, spec.fields, source, name)
    elif isinstance(node, Scalar) and spec.scalar:
        keyed = [f for f in spec.fields if f.name == spec.scalar]
        fields = {
            f.name: (reading,) for f in keyed if (reading := _reading(node, f, source, name)) is not None
        }
    return Declaration(spec.kind, name, spec.source, place, source.line(place), fields)


def _fields(
    node: Mapping, specs: Sequence[FieldSource], source: _Source, owner: str
) -> dict[str, tuple[Reading, ...]]:
    by_key: dict[str, list[FieldSource]] = {}
    for spec in specs:
        for name in spec.keys:
            by_key.setdefault(name, []).append(spec)
    fields: dict[str, tuple[Reading, ...]] = {}
    for key, value in node.entries:
        for spec in by_key.get(key.text, ()):
            reading = _reading(value, spec, source, owner)
            if reading is not None:
                fields[spec.name] = (*fields.get(spec.name, ()), reading)
    return fields


def _reading(node: Node, spec: FieldSource, source: _Source, owner: str) -> Reading | None:
    place = source.place(node)
    if spec.type.many:
        return Reading(tuple(_elements(node, spec, source)), place, source.line(place))
    if not isinstance(node, Scalar):
        if spec.strict:
            source.faults.append(
                Fault("value-not-of-type", f"`{spec.name}` of {owner} is not a single value", place)
            )
        return None
    if node.plain and node.text in ("", "~", "null"):
        return None
    return typed_reading(spec, node.text, place, source.line(place), source.model, source.faults, owner)


def _references(item: Scalar, spec: FieldSource, source: _Source) -> Iterator[Reading]:
    ids = source.model.ids.get(spec.type.target)
    if ids is None or source.left < 0:
        return
    place = source.place(item)
    found = references(item.text, ids, source.left, spec.unsaid)
    source.left -= len(found)
    if source.left < 0:
        message = f"more than {MAX_REFERENCES:,} references, those that ranges stand for among them"
        source.faults.append(Fault("too-many-nodes", message, place))
        return
    written = source.line(place)[place.column - 1 :]
    lead = max(0, written.find(item.text))
    for one in found:
        yield Reading(one.ref, place._replace(column=place.column + lead + one.start), source.line(place))


def _elements(node: Node, spec: FieldSource, source: _Source) -> Iterator[Reading]:
    scalars = node.items if isinstance(node, NodeSequence) else [node]
    for item in scalars:
        if not isinstance(item, Scalar) or (item.plain and item.text in ("", "~", "null")):
            continue
        place = source.place(item)
        if spec.type.name == "references":
            yield from _references(item, spec, source)
        else:
            yield Reading(item.text, place, source.line(place))
