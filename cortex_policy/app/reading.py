"""Every document of a project, read once and joined: what all other use cases start from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from cortex_policy import world
from cortex_policy.app.parallel import processes, spread
from cortex_policy.app.project import Project
from cortex_policy.documents.patterns import compile_glob
from cortex_policy.documents.reading import (
    MAX_DOCUMENT_BYTES,
    may_declare,
    read_document,
    schema_faults,
    unread,
)
from cortex_policy.documents.spec import DocumentModel, ReaderSpec
from cortex_policy.facts import BUILTIN_KINDS, Facts, gather
from cortex_policy.graph import Graph, Truncated, build
from cortex_policy.model import Document, Fault, Inputs
from cortex_policy.ruleset.packs import Ruleset

WEIGHT_OF_A_FILE: Final = 1_000
"""What a file costs beyond its length, in bytes of Markdown (3,000 of them are parsed in a millisecond)."""
WEIGHT_OF_JSONSCHEMA: Final = 120_000
"""What importing jsonschema costs, in bytes of Markdown."""
PARALLEL_FROM: Final = 300_000
"""Weight from which a second process saves more than starting it costs (10 ms with handing over the results)."""

Progress = Callable[[int, int], None]
"""Told how many documents are read, of how many."""


class Texts:
    """The bytes of every file that was read; lines are made of them when somebody wants to see some."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}
        self._lines: dict[str, list[str]] = {}

    def add(self, path: str, data: bytes | None) -> None:
        """Keep what was read; a file beyond the limit is shown no line of."""
        if data is not None and len(data) <= MAX_DOCUMENT_BYTES:
            self._data[path] = data

    def lines(self, path: str) -> Sequence[str]:
        """The lines of one file, as `documents` counts them; none when it could not be read."""
        if path not in self._lines:
            text = self._data.get(path, b"").decode("utf-8", errors="replace").removeprefix("\ufeff")
            self._lines[path] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return self._lines[path]


class Reading(NamedTuple):
    """Everything that was read: the documents joined, the facts, the lines to show, and what it was computed from."""

    ruleset: Ruleset
    graph: Graph
    facts: Facts
    texts: Texts
    inputs: Inputs
    now: datetime
    notes: tuple[str, ...] = ()

    def lines(self, path: str) -> Sequence[str]:
        """The lines of a document; none when it could not be read."""
        return self.texts.lines(path)


def read_project(
    project: Project, ruleset: Ruleset, now: datetime, progress: Progress | None = None
) -> Reading:
    """Read every document of a project. Raises `ConfigurationError`."""
    tree = world.list_tree(project.root)
    texts = Texts()
    documents = list(_documents(project, ruleset.model, tree, texts, progress))
    truncated = Truncated(
        kinds=frozenset((*BUILTIN_KINDS, *ruleset.model.kinds) if project.truncated else ()),
        globs=tuple(compile_glob(glob) for glob in project.truncated),
    )
    reading = _joined(documents, texts, ruleset, now, (*tree.files, *tree.folders), truncated)
    return reading if documents else reading._replace(notes=(_nothing(project, ruleset, tree),))


def _nothing(project: Project, ruleset: Ruleset, tree: world.Tree) -> str:
    """INVARIANT: no document is not a pass; this sentence goes with it."""
    names = ", ".join(f"`{name}`" for name in ruleset.packs)
    looked = f"{len(tree.files):,} file" + ("" if len(tree.files) == 1 else "s")
    return f"no document in `{project.root}` is one that {names} reads ({looked} looked at), so nothing was checked"


def read_files(files: Mapping[str, str], ruleset: Ruleset, now: datetime) -> Reading:
    """The same from texts in memory, as the examples of a rule give them."""
    texts = Texts()
    files_read = []
    for path, text in sorted(files.items()):
        readers = tuple(reader for reader in ruleset.model.readers if reader.takes(path))
        files_read.append(_File(path, readers, text.encode("utf-8")))
        texts.add(path, text.encode("utf-8"))
    documents = list(_parsed([file for file in files_read if file.readers], ruleset.model, None))
    return _joined(documents, texts, ruleset, now, tuple(sorted(files)), Truncated())


def _joined(
    documents: Sequence[Document],
    texts: Texts,
    ruleset: Ruleset,
    now: datetime,
    files: Sequence[str],
    truncated: Truncated,
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
        now=now,
    )


class _File(NamedTuple):
    """One file to read: its bytes, or None with the reason that they cannot be had."""

    path: str
    readers: tuple[ReaderSpec, ...]
    data: bytes | None
    problem: str = ""


def _documents(
    project: Project, model: DocumentModel, tree: world.Tree, texts: Texts, progress: Progress | None
) -> Iterator[Document]:
    """First every byte is read, then every file is parsed, by several processes when there is much of it."""
    exclude = [compile_glob(glob) for glob in project.exclude]

    def reader_of(path: str) -> tuple[ReaderSpec, ...]:
        if any(glob.match(path) for glob in exclude):
            return ()
        return tuple(reader for reader in model.readers if reader.takes(path))

    for path, what in sorted(tree.odd.items()):
        for document in _odd(path, what, reader_of):
            yield _anything(document, model) if "directory" in what else document
    for path in tree.folders:
        for reader in reader_of(path)[:1]:
            yield unread(path, reader, "not-a-file", "this is a directory")
    files = [_load(path, readers, tree) for path in tree.files if (readers := reader_of(path))]
    for file in files:
        texts.add(file.path, file.data)
    yield from _parsed(files, model, progress)


def _anything(document: Document, model: DocumentModel) -> Document:
    """The document for a directory that is not entered: whatever any reader could find may lie in it."""
    everything = frozenset(kind for reader in model.readers for kind in may_declare(reader))
    sayings = (
        (kind.name, source, field)
        for kind in model.kinds.values()
        for source in model.sources
        for field in kind.fields
    )
    return document._replace(may_declare=everything, may_claim=frozenset(sayings))


def _parsed(files: Sequence[_File], model: DocumentModel, progress: Progress | None) -> Iterator[Document]:
    """Every file as a document. Validation is one job, because whoever does it pays 40 ms for jsonschema once."""
    weights = [len(file.data or b"") + WEIGHT_OF_A_FILE for file in files]
    validated = [file for file in files if any(reader.schemas for reader in file.readers)]
    jobs: list[tuple[_File, ...]] = [(file,) for file in files]
    if validated:
        jobs.append(tuple(validated))
        weights.append(WEIGHT_OF_JSONSCHEMA + WEIGHT_OF_A_FILE * len(validated))
    count = processes() if sum(weights) >= PARALLEL_FROM else 1
    done = 0

    def work(job: tuple[_File, ...]) -> _Read:
        nonlocal done
        if job is jobs[-1] and validated:
            return _Read(None, _violations(job))
        done += count
        if progress is not None:
            progress(min(done, len(files)), len(files))
        return _Read(_parse(job[0], model), {})

    found = spread(work, jobs, weights, count)
    violations = found[-1].violations if found else {}
    for document in (read.document for read in found):
        if document is not None:
            faults = violations.get((document.path, document.reader), ())
            yield document._replace(faults=document.faults + faults) if faults else document


class _Read(NamedTuple):
    """What one job of reading gives: a document, or what schemas say by path and reader."""

    document: Document | None
    violations: Mapping[tuple[str, str], tuple[Fault, ...]]


def _violations(files: Sequence[_File]) -> dict[tuple[str, str], tuple[Fault, ...]]:
    """What schemas say against each file, by its path and the reader that has the schema."""
    return {
        (file.path, reader.name): faults
        for file in files
        for reader in file.readers
        if file.data is not None and (faults := schema_faults(file.path, file.data, reader))
    }


def _odd(path: str, what: str, reader_of: Callable[[str], Sequence[ReaderSpec]]) -> Iterator[Document]:
    """A name that is not a regular file, where a document could be: in its place, or inside it."""
    inside = "directory" in what
    probes = [path, *(f"{path}/_{suffix}" for suffix in (".md", ".json", ".yaml"))] if inside else [path]
    for probe in probes:
        for reader in reader_of(probe)[:1]:
            what = f"this is {what}, which is not followed" if "link" in what else f"this is {what}"
            yield unread(path, reader, "not-a-file", what)
            return


def _load(path: str, readers: tuple[ReaderSpec, ...], tree: world.Tree) -> _File:
    try:
        return _File(path, readers, tree.read(path, MAX_DOCUMENT_BYTES))
    except OSError as error:
        return _File(path, readers, None, f"it cannot be read: {world.reason(error)}")


def _parse(file: _File, model: DocumentModel) -> Document | None:
    """One file by the first reader that takes it."""
    if file.data is None:
        return unread(file.path, file.readers[0], "unreadable", file.problem)
    for reader in file.readers:
        document = read_document(file.path, file.data, reader, model)
        if document is not None:
            return document
    return None


def _digest(documents: Iterable[Document]) -> str:
    total = sha256()
    for document in documents:
        total.update(f"{document.path}\0{document.digest}\n".encode("utf-8", errors="surrogateescape"))
    return "sha256:" + total.hexdigest()
