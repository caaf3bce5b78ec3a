"""Apply a reader to the bytes of one file: `read_document`.

The result depends on the bytes, the path and the reader alone. Nothing raises for what a file contains: whatever
cannot be read is a fault at its place, and marks the document as incomplete when it may hide declarations.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.markdown import TooDeep, blocks, split_front_matter
from cortex_policy.documents.nodes import Mapping, Node, NodeFault, Scalar, load_json, load_yaml, plain_data
from cortex_policy.documents.outline import Outline
from cortex_policy.documents.record_items import document_fields, record_items
from cortex_policy.documents.spec import DocumentModel, ReaderSpec
from cortex_policy.model import Declaration, Document, Fault, Mention, Place

MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
"""Ten times the largest document of the real houses; a block parse of it takes about a second."""
MAX_DOCUMENT_LINES: Final = 200_000
"""Lines cost more than bytes: Markdown that is built to be slow takes 50 µs for each."""
MAX_VIOLATION_CHARS: Final = 500
"""A violation quotes the value that breaks the schema, which may be the whole document."""


def unread(path: str, reader: ReaderSpec, code: str, message: str) -> Document:
    """The document for a file that could not be read: one fault, and whatever it may declare is out of sight."""
    fault = Fault(code, message, Place(path, 1, 1))
    return _Assembly(path, reader, "").finish([fault])


def read_document(path: str, data: bytes, reader: ReaderSpec, model: DocumentModel) -> Document | None:
    """Read one file. Returns None when the reader asks for metadata keys that the file plainly does not have.

    What its schemas say of it is told by `schema_faults`.
    """
    assembly = _Assembly(path, reader, "sha256:" + sha256(data).hexdigest())
    if len(data) > MAX_DOCUMENT_BYTES:
        return assembly.stop(
            "too-large", f"{len(data):,} bytes, more than the limit of {MAX_DOCUMENT_BYTES:,}"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return assembly.stop("not-utf-8", f"byte 0x{data[error.start]:02x} is not UTF-8", line)
    if "\0" in text:
        return assembly.stop("nul-character", "a NUL character", text.count("\n", 0, text.index("\0")) + 1)
    if text.startswith("\ufeff"):
        assembly.fault("byte-order-mark", "the file starts with a byte order mark", Place(path, 1, 1))
    text = _normal(text)
    if text.count("\n") > MAX_DOCUMENT_LINES:
        return assembly.stop("too-large", f"more than the limit of {MAX_DOCUMENT_LINES:,} lines")
    if not text.strip():
        assembly.fault("empty-document", "the document is empty", Place(path, 1, 1))
    if reader.format == "markdown":
        return _markdown(assembly, text, model)
    return _record(assembly, text, model)


def schema_faults(path: str, data: bytes, reader: ReaderSpec) -> tuple[Fault, ...]:
    """What the reader's JSON Schemas say against the metadata or record of one file.

    A metadata that cannot be read has its fault from `read_document` already, and is judged by no schema. Raises
    `ConfigurationError` when a schema cannot be applied.
    """
    schemas = [spec for spec in reader.schemas if any(glob.match(path) for glob in spec.files)]
    node = _record_node(data, reader.format) if schemas and len(data) <= MAX_DOCUMENT_BYTES else None
    if node is None:
        return ()
    from cortex_policy.documents.schema import violations  # 40 ms: only where a document has a schema

    data_of = plain_data(node, exact=reader.format != "json")
    found = (violation for spec in schemas for violation in violations(spec, node, data_of))
    return tuple(
        Fault("schema-violation", _short(each.message), Place(path, each.line, each.column)) for each in found
    )


def _short(message: str) -> str:
    return message if len(message) <= MAX_VIOLATION_CHARS else message[:MAX_VIOLATION_CHARS] + "…"


def _record_node(data: bytes, form: str) -> Node | None:
    """The metadata or record in a file, when it can be read as one."""
    try:
        text = _normal(data.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    if form == "json":
        return load_json(text)[0]
    if form == "yaml":
        return load_yaml(text)[0]
    split = split_front_matter(text)
    if split.metadata is None:
        return None
    node = load_yaml(split.metadata, line_offset=split.metadata_line)[0]
    return node if isinstance(node, Mapping) else None


def _normal(text: str) -> str:
    """Without any byte order mark, and with one kind of line end."""
    return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


class _Assembly:
    """Collects what is found in one file, and makes the frozen document of it."""

    def __init__(self, path: str, reader: ReaderSpec, digest: str) -> None:
        self.path = path
        self.reader = reader
        self.digest = digest
        self.faults: list[Fault] = []
        self.declarations: list[Declaration] = []
        self.mentions: list[Mention] = []
        self.claims: list[Declaration] = []

    def fault(self, code: str, message: str, place: Place) -> None:
        self.faults.append(Fault(code, message, place))

    def node_faults(self, faults: list[NodeFault]) -> None:
        for fault in faults:
            message = f"{fault.message} ({fault.advice})" if fault.advice else fault.message
            self.fault(fault.code, message, Place(self.path, fault.mark.line, fault.mark.column))

    def stop(self, code: str, message: str, line: int = 1) -> Document:
        return self.finish([Fault(code, message, Place(self.path, line, 1))])

    def finish(self, more: list[Fault] | None = None) -> Document:
        faults = tuple(self.faults + (more or []))
        return Document(
            path=self.path,
            kind=self.reader.kind_of(self.path),
            reader=self.reader.name,
            digest=self.digest,
            complete=not any(FAULTS[fault.code].hides for fault in faults),
            declarations=tuple(self.declarations) or (_bare_document(self.path),),
            mentions=tuple(self.mentions),
            faults=faults,
            may_declare=may_declare(self.reader),
            claims=tuple(self.claims),
            may_claim=may_claim(self.reader, self.path),
        )


def may_declare(reader: ReaderSpec) -> frozenset[str]:
    """Every kind of record that a file of this reader may hold."""
    kinds = {spec.kind for spec in reader.declarations}
    sources = [*reader.fields, *(source for spec in reader.declarations for source in spec.fields)]
    if any(source.type.name == "checklist" for source in sources):
        kinds.add("box")
    if reader.sections is not None:
        kinds.add("section")
    return frozenset(kinds)


def may_claim(reader: ReaderSpec, path: str) -> frozenset[tuple[str, str, str]]:
    """Kind, source and field of everything that the file at `path` may say of items."""
    declared = ((spec.kind, spec.source, field.name) for spec in reader.declarations for field in spec.fields)
    claimed = (
        (spec.kind, spec.source, field.name) for spec in reader.claims_of(path) for field in spec.fields
    )
    return frozenset((*declared, *claimed))


def _bare_document(path: str) -> Declaration:
    return Declaration("document", f"doc:{path}", "declared", Place(path, 1, 1), "", {})


def _markdown(assembly: _Assembly, text: str, model: DocumentModel) -> Document | None:
    path, reader = assembly.path, assembly.reader
    split = split_front_matter(text)
    metadata: Node | None = None
    if split.problem is not None:
        code, line = split.problem
        assembly.fault(code, _SPLIT_MESSAGES[code], Place(path, line, 1))
    if split.metadata is not None:
        metadata, faults = load_yaml(split.metadata, line_offset=split.metadata_line)
        assembly.node_faults(faults)
        if metadata is not None and not isinstance(metadata, Mapping):
            assembly.fault(
                "not-a-mapping", "front matter is not a mapping", Place(path, metadata.mark.line, 1)
            )
            metadata = None
    if reader.where_keys and not assembly.faults and not _has_key(metadata, reader.where_keys):
        return None
    if split.metadata is None and reader.front_matter == "required" and split.problem is None:
        assembly.fault("front-matter-missing", "no front matter on line 1", Place(path, 1, 1))
    lines = text.split("\n")
    outline = Outline(path, reader, model, lines)
    try:
        outline.read(blocks(split.body, split.body_line))
    except TooDeep as deep:
        assembly.fault("too-deep", str(deep), Place(path, deep.line, 1))
    fields = document_fields(metadata, reader.fields, model, path, lines, assembly.faults)
    fields.update(outline.document_fields())
    for whole in outline.wholes:
        own = document_fields(metadata, whole.spec.fields, model, path, lines, assembly.faults)
        whole.extent.add_all(own)
    assembly.declarations.append(_bare_document(path)._replace(fields=fields))
    assembly.declarations += outline.declarations()
    assembly.mentions += outline.mentions
    assembly.faults += outline.faults
    if reader.claims:
        from cortex_policy.documents.claims import find_claims  # only for packs that know claims

        assembly.claims += find_claims(path, outline.heard, reader, model, lines, fields, assembly.faults)
    return assembly.finish()


_SPLIT_MESSAGES: Final = {
    "front-matter-unclosed": "the front matter that opens on line 1 is never closed",
    "text-before-front-matter": "front matter starts here, but only line 1 counts",
    "second-front-matter": "a second front matter block follows the first",
}


def _has_key(node: Node | None, keys: tuple[str, ...]) -> bool:
    return isinstance(node, Mapping) and any(key.text in keys for key, _ in node.entries)


def _record(assembly: _Assembly, text: str, model: DocumentModel) -> Document | None:
    path, reader = assembly.path, assembly.reader
    if reader.format == "json":
        node, _, faults = load_json(text)
    else:
        node, faults = load_yaml(text)
    assembly.node_faults(faults)
    if reader.where_keys and not assembly.faults and not _has_key(node, reader.where_keys):
        return None
    if isinstance(node, Scalar) or (node is None and not assembly.faults):
        mark = node.mark if node is not None else (1, 1)
        assembly.fault(
            "not-a-mapping", "the file is a single value or none, not a record", Place(path, *mark)
        )
    lines = text.split("\n")
    outline = Outline(path, reader, model, lines)
    outline.read_lines()
    outline.scan_lines()
    fields = document_fields(node, reader.fields, model, path, lines, assembly.faults)
    fields.update(outline.document_fields())
    assembly.declarations.append(_bare_document(path)._replace(fields=fields))
    if node is not None:
        assembly.declarations += record_items(node, reader, model, path, lines, assembly.faults)
    assembly.mentions += outline.mentions
    assembly.faults += outline.faults
    return assembly.finish()
