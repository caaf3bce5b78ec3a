"""The files of a tree as documents, each process its share of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cortex_policy import world
from cortex_policy.app.parallel import processes, spread
from cortex_policy.app.project import Project
from cortex_policy.documents.patterns import compile_glob, folder_of, names_below
from cortex_policy.documents.reading import (
    MAX_DOCUMENT_BYTES,
    may_declare,
    read_document,
    schema_faults,
    unread,
)
from cortex_policy.documents.spec import DocumentModel, ReaderSpec
from cortex_policy.model import Document, Fault

WEIGHT_OF_A_FILE: Final = 1_000
"""What a file costs beyond its length, in bytes of Markdown (3,000 of them are parsed in a millisecond)."""
WEIGHT_OF_JSONSCHEMA: Final = 120_000
"""What importing jsonschema costs, in bytes of Markdown."""
PARALLEL_FROM: Final = 300_000
"""Weight from which a second process saves more than starting it costs (10 ms with handing over the results)."""

Progress = Callable[[int, int], None]
"""Told how many documents are read, of how many."""


class File(NamedTuple):
    """One file to parse: its bytes, or None with the reason that they cannot be had."""

    path: str
    readers: tuple[ReaderSpec, ...]
    data: bytes | None
    problem: str = ""


def readers_of(project: Project, model: DocumentModel) -> Callable[[str], tuple[ReaderSpec, ...]]:
    """Which readers take a path of this project."""
    exclude = [compile_glob(glob) for glob in project.exclude]
    waivers = frozenset(project.waivers)  # they are policy, not documents

    def readers(path: str) -> tuple[ReaderSpec, ...]:
        if path in waivers or any(glob.match(path) for glob in exclude):
            return ()
        return tuple(reader for reader in model.readers if reader.takes(path))

    return readers


def load_files(project: Project, model: DocumentModel, tree: world.AnyTree) -> list[File]:
    """The bytes of every file that a reader takes, each read once."""
    readers_for = readers_of(project, model)
    try:
        return [_load(path, readers, tree) for path in tree.files if (readers := readers_for(path))]
    finally:
        tree.close()


def _load(path: str, readers: tuple[ReaderSpec, ...], tree: world.AnyTree) -> File:
    try:
        return File(path, readers, tree.read(path, MAX_DOCUMENT_BYTES))
    except OSError as error:
        return File(path, readers, None, f"it cannot be read: {world.reason(error)}")


def odd_documents(project: Project, model: DocumentModel, tree: world.AnyTree) -> Iterator[Document]:
    """Names that are no regular files, where documents could be."""
    readers_for = readers_of(project, model)
    for path, what in sorted(tree.odd.items()):
        yield from _odd(path, what, model, readers_for)
    for path in tree.folders:
        for reader in readers_for(path)[:1]:
            yield unread(path, reader, "not-a-file", "this is a directory")


def _anything(document: Document, readers: Sequence[ReaderSpec]) -> Document:
    """The document for a directory that is not entered: whatever these readers could find may lie in it."""
    specs = [(s.kind, s.source, s.fields) for reader in readers for s in reader.declarations]
    forms = [(s.kind, s.source, s.fields) for reader in readers for s in reader.claims]
    declared = ((kind, source, field.name) for kind, source, fields in specs for field in fields)
    claimed = ((kind, source, field.name) for kind, source, fields in forms for field in fields)
    kinds = frozenset(kind for reader in readers for kind in may_declare(reader))
    return document._replace(may_declare=kinds, may_claim=frozenset((*declared, *claimed)))


def _odd(
    path: str, what: str, model: DocumentModel, readers_for: Callable[[str], Sequence[ReaderSpec]]
) -> Iterator[Document]:
    """A name that is not a regular file, where a document could be: in its place, or inside it."""
    probes = [path]
    if "directory" in what:
        names = (name for reader in model.readers for glob in reader.globs for name in names_below(glob))
        probes += [f"{path}/{name}" for name in names]
    readers = tuple(dict.fromkeys(reader for probe in probes for reader in readers_for(probe)[:1]))
    if readers:
        what = f"this is {what}, which is not followed" if "link" in what else f"this is {what}"
        document = unread(path, readers[0], "not-a-file", what)
        yield _anything(document, readers) if "directory" in what else document


SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "markdown": (".md", ".markdown", ".mdown", ".mkd"),
    "json": (".json",),
    "yaml": (".yaml", ".yml"),
}
"""How files of each format are called."""


def left_over(
    project: Project, model: DocumentModel, tree: world.AnyTree, taken: Collection[str]
) -> list[str]:
    """Files that no reader takes and nobody leaves out, in folders where a reader takes what is called like them.

    A folder where no reader looks is no business of the packs; one file in a folder where they look is a slip.
    """
    folders = {
        (folder, suffix)
        for reader in model.readers
        for glob in reader.globs
        if (folder := folder_of(glob)) is not None
        for suffix in SUFFIXES[reader.format]
    }
    if not folders:
        return []
    exclude = [
        *map(compile_glob, project.exclude),
        *(glob for reader in model.readers for glob in reader.exclude),
    ]
    silent = {world.CONFIG_NAME, *project.waivers, *taken}
    suffixes = tuple({suffix for _, suffix in folders})
    return [
        path
        for path in tree.files
        if path not in silent
        and path.lower().endswith(suffixes)
        and any(path.startswith(folder) and path.lower().endswith(suffix) for folder, suffix in folders)
        and not any(glob.match(path) for glob in exclude)
    ]


def parse_files(
    files: Sequence[File], model: DocumentModel, progress: Progress | None = None
) -> Iterator[Document]:
    """Every file as a document. Validation is one job, because whoever does it pays 40 ms for jsonschema once."""
    weights = [len(file.data or b"") + WEIGHT_OF_A_FILE for file in files]
    validated = [file for file in files if any(reader.schemas for reader in file.readers)]
    jobs: list[tuple[File, ...]] = [(file,) for file in files]
    if validated:
        jobs.append(tuple(validated))
        weights.append(WEIGHT_OF_JSONSCHEMA + WEIGHT_OF_A_FILE * len(validated))
    count = processes() if sum(weights) >= PARALLEL_FROM else 1
    done = 0

    def work(job: tuple[File, ...]) -> _Read:
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


def _parse(file: File, model: DocumentModel) -> Document | None:
    """One file by the first reader that takes it."""
    if file.data is None:
        return unread(file.path, file.readers[0], "unreadable", file.problem)
    for reader in file.readers:
        document = read_document(file.path, file.data, reader, model)
        if document is not None:
            return document
    return None


def _violations(files: Sequence[File]) -> dict[tuple[str, str], tuple[Fault, ...]]:
    """What schemas say against each file, by its path and the reader that has the schema."""
    return {
        (file.path, reader.name): faults
        for file in files
        for reader in file.readers
        if file.data is not None and (faults := schema_faults(file.path, file.data, reader))
    }
