"""Every document of a project, read once and joined: what all other use cases start from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cortex_policy import world
from cortex_policy.app.project import Project
from cortex_policy.documents.patterns import compile_glob
from cortex_policy.documents.reading import MAX_DOCUMENT_BYTES, read_document, unread
from cortex_policy.documents.spec import DocumentModel, ReaderSpec
from cortex_policy.errors import UndecidedError
from cortex_policy.facts import Facts, gather
from cortex_policy.graph import Graph, build
from cortex_policy.model import Document, Inputs
from cortex_policy.ruleset.packs import Ruleset

Progress = Callable[[int, int], None]
"""Told how many documents are read, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that was read: the documents joined, the facts, the lines to show, and what it was computed from."""

    ruleset: Ruleset
    graph: Graph
    facts: Facts
    texts: dict[str, list[str]]
    inputs: Inputs

    def lines(self, path: str) -> Sequence[str]:
        """The lines of a document; none when it could not be read."""
        return self.texts.get(path, ())


def read_project(project: Project, ruleset: Ruleset, now: datetime, progress: Progress | None = None) -> Reading:
    """Read every document of a project. Raises `ConfigurationError`, and `UndecidedError` when there is none.

    INVARIANT: no document is not a pass.
    """
    tree = world.list_tree(project.root)
    texts: dict[str, list[str]] = {}
    documents = list(_documents(project, ruleset.model, tree, texts, progress))
    if not documents:
        names = ", ".join(f"`{name}`" for name in ruleset.packs)
        raise UndecidedError(
            f"no document in `{project.root}` is one that {names} reads ({len(tree.files):,} files looked at), so nothing was checked"
        )
    truncated = sorted(ruleset.model.kinds) if project.truncated else []
    return _joined(documents, texts, ruleset, now, tree.files, truncated)


def read_files(files: Mapping[str, str], ruleset: Ruleset, now: datetime) -> Reading:
    """The same from texts in memory, as the examples of a rule give them."""
    texts: dict[str, list[str]] = {}
    documents = []
    for path, text in sorted(files.items()):
        readers = [reader for reader in ruleset.model.readers if reader.takes(path)]
        document = _by_first_reader(path, text.encode("utf-8"), readers, ruleset.model, texts)
        if document is not None:
            documents.append(document)
    return _joined(documents, texts, ruleset, now, tuple(sorted(files)), [])


def _joined(
    documents: Sequence[Document],
    texts: dict[str, list[str]],
    ruleset: Ruleset,
    now: datetime,
    files: Sequence[str],
    truncated: Sequence[str],
) -> Reading:
    graph = build(documents, ruleset.model, files, truncated)
    return Reading(
        ruleset=ruleset,
        graph=graph,
        facts=gather(graph, ruleset.model),
        texts=texts,
        inputs=Inputs(
            documents=_digest(graph.documents),
            rules=ruleset.digest,
            now=now.isoformat().replace("+00:00", "Z"),
            revision="worktree",
        ),
    )


def _documents(
    project: Project, model: DocumentModel, tree: world.Tree, texts: dict[str, list[str]], progress: Progress | None
) -> Iterator[Document]:
    exclude = [compile_glob(glob) for glob in project.exclude]

    def reader_of(path: str) -> list[ReaderSpec]:
        if any(glob.match(path) for glob in exclude):
            return []
        return [reader for reader in model.readers if reader.takes(path)]

    for path, what in sorted(tree.odd.items()):
        yield from _odd(path, what, reader_of)
    for path in tree.folders:
        for reader in reader_of(path)[:1]:
            yield unread(path, reader, "not-a-file", "this is a directory")
    taken = [(path, readers) for path in tree.files if (readers := reader_of(path))]
    for count, (path, readers) in enumerate(taken, start=1):
        document = _read(path, readers, model, tree, texts)
        if progress is not None:
            progress(count, len(taken))
        if document is not None:
            yield document


def _odd(path: str, what: str, reader_of: Callable[[str], list[ReaderSpec]]) -> Iterator[Document]:
    """A name that is not a regular file, where a document could be: in its place, or inside it."""
    inside = "directory" in what
    probes = [path, *(f"{path}/_{suffix}" for suffix in (".md", ".json", ".yaml"))] if inside else [path]
    for probe in probes:
        for reader in reader_of(probe)[:1]:
            yield unread(path, reader, "not-a-file", f"this is {what}, which is not followed" if "link" in what else f"this is {what}")
            return


def _read(
    path: str, readers: Sequence[ReaderSpec], model: DocumentModel, tree: world.Tree, texts: dict[str, list[str]]
) -> Document | None:
    """One file by the first reader that takes it."""
    try:
        data = tree.read(path, MAX_DOCUMENT_BYTES)
    except OSError as error:
        return unread(path, readers[0], "unreadable", f"it cannot be read: {world.reason(error)}")
    return _by_first_reader(path, data, readers, model, texts)


def _by_first_reader(
    path: str, data: bytes, readers: Sequence[ReaderSpec], model: DocumentModel, texts: dict[str, list[str]]
) -> Document | None:
    for reader in readers:
        document = read_document(path, data, reader, model)
        if document is not None:
            texts[path] = _lines(data)
            return document
    return None


def _lines(data: bytes) -> list[str]:
    if len(data) > MAX_DOCUMENT_BYTES:
        return []
    text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _digest(documents: Iterable[Document]) -> str:
    total = sha256()
    for document in documents:
        total.update(f"{document.path}\0{document.digest}\n".encode("utf-8", errors="surrogateescape"))
    return "sha256:" + total.hexdigest()
