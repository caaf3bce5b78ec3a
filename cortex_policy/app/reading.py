"""Every document of a project, read once and joined: what all other use cases start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from cortex_policy import world
from cortex_policy.app.parsing import File, Progress, left_over, load_files, odd_documents, parse_files
from cortex_policy.app.project import Project
from cortex_policy.documents.patterns import compile_glob
from cortex_policy.documents.reading import MAX_DOCUMENT_BYTES
from cortex_policy.facts import Facts, gather
from cortex_policy.facts.kinds import BUILTIN_KINDS
from cortex_policy.graph import Graph, Truncated, build
from cortex_policy.model import Document, Inputs
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.ruleset.waivers import WaiverFile, Waivers, read_waivers

MAX_NAMED: Final = 3
"""Documents that a note names."""


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
    """Everything that was read: the documents joined, the facts, the lines to show, and what it was computed from.

    `origin` is what the paths of places start with where this is a base, `base` the one that this is compared with.
    """

    ruleset: Ruleset
    graph: Graph
    facts: Facts
    texts: Texts
    inputs: Inputs
    now: datetime
    notes: tuple[str, ...] = ()
    origin: str = ""
    base: Reading | None = None
    waivers: Waivers = Waivers()

    def lines(self, path: str) -> Sequence[str]:
        """The lines of a document; none when it could not be read. `COMMIT:PATH` is one of the base."""
        if self.base is not None and path.startswith(self.base.origin):
            return self.base.lines(path)
        return self.texts.lines(path.removeprefix(self.origin))


class History(NamedTuple):
    """How a reading stands to others: it is itself a base when it has an `origin`, or is compared with `base`."""

    origin: str = ""
    base: Reading | None = None


ALONE: Final = History()


def read_project(
    project: Project,
    ruleset: Ruleset,
    now: datetime,
    progress: Progress | None = None,
    history: History = ALONE,
) -> Reading:
    """Read every document of a project. Raises `ConfigurationError`."""
    tree = project.tree()
    texts = Texts()
    waivers = read_waiver_files(project, tree, texts)
    files = load_files(project, ruleset.model, tree)
    for file in files:
        texts.add(file.path, file.data)
    documents = [
        *odd_documents(project, ruleset.model, tree),
        *parse_files(files, ruleset.model, progress),
    ]
    truncated = _truncated(project.truncated, ruleset)
    names = (*tree.files, *tree.folders)
    reading = _joined(documents, texts, ruleset, now, names, truncated, history, project.revision)
    reading = reading._replace(waivers=waivers)
    if not documents:
        return reading._replace(notes=(_nothing(project, ruleset, tree),))
    left = left_over(project, ruleset.model, tree, {file.path for file in files})
    return reading._replace(notes=(_left(left),)) if left else reading


def read_waiver_files(project: Project, tree: world.AnyTree | None, texts: Texts) -> Waivers:
    """The waivers of a project, from where its policy is read; `tree` is what was listed of its documents, if it was.

    Raises `ConfigurationError`.
    """
    if not project.waivers:
        return Waivers()
    source = project.waiver_source
    if tree is None or source is not project.documents:
        tree = world.list_tree(project.root) if source is None else source.tree(project.folder)
    try:
        return read_waivers([_waiver_file(path, tree, texts) for path in project.waivers])
    finally:
        tree.close()


def _waiver_file(path: str, tree: world.AnyTree, texts: Texts) -> WaiverFile:
    """One file of waivers; what is no regular file of the tree, or too large, is not read."""
    if path not in tree.files:
        return WaiverFile(path, None, f"`{path}` is no regular file of the root")
    try:
        data = tree.read(path, world.MAX_CONFIG_BYTES)
    except OSError as error:
        return WaiverFile(path, None, f"it cannot be read: {world.reason(error)}")
    if len(data) > world.MAX_CONFIG_BYTES:
        return WaiverFile(path, None, f"more than {world.MAX_CONFIG_BYTES:,} bytes")
    texts.add(path, data)
    return WaiverFile(path, data)


def _left(paths: Sequence[str]) -> str:
    """A file that its author takes for a document, and nobody reads, would never be missed."""
    shown = some(paths)
    if len(paths) == 1:
        return (
            f"no reader takes {shown}, though its folder is read: nothing in it was checked (or `exclude` it)"
        )
    return (
        f"no reader takes {len(paths):,} files in folders that are read: nothing in them was checked "
        f"(or `exclude` them): {shown}"
    )


def some(paths: Sequence[str]) -> str:
    """The first paths, and how many more there are."""
    more = f" and {len(paths) - MAX_NAMED:,} more" if len(paths) > MAX_NAMED else ""
    return ", ".join(f"`{path}`" for path in paths[:MAX_NAMED]) + more


def _nothing(project: Project, ruleset: Ruleset, tree: world.AnyTree) -> str:
    """INVARIANT: no document is not a pass; this sentence goes with it."""
    names = ", ".join(f"`{name}`" for name in ruleset.packs)
    looked = f"{len(tree.files):,} file" + ("" if len(tree.files) == 1 else "s")
    where = "" if project.documents is None else f" at {project.revision[: world.SHOWN_ID]}"
    found = f"no document in `{project.root}`{where} is one that {names} reads ({looked} looked at)"
    return f"{found}, so nothing was checked"


def _truncated(globs: Sequence[str], ruleset: Ruleset) -> Truncated:
    """What lies partly out of sight may declare items of every kind."""
    return Truncated(
        kinds=frozenset((*BUILTIN_KINDS, *ruleset.model.kinds) if globs else ()),
        globs=tuple(compile_glob(glob) for glob in globs),
    )


def read_files(
    files: Mapping[str, str],
    ruleset: Ruleset,
    now: datetime,
    history: History = ALONE,
    truncated: Sequence[str] = (),
) -> Reading:
    """The same from texts in memory, as the examples of a rule give them. Half a character is no UTF-8."""
    texts = Texts()
    files_read = []
    for path, text in sorted(files.items()):
        readers = tuple(reader for reader in ruleset.model.readers if reader.takes(path))
        data = text.encode("utf-8", errors="surrogatepass")
        files_read.append(File(path, readers, data))
        texts.add(path, data)
    taken = [file for file in files_read if file.readers]
    documents = list(parse_files(taken, ruleset.model))
    hidden = _truncated(truncated, ruleset)
    return _joined(documents, texts, ruleset, now, tuple(sorted(files)), hidden, history, world.WORKTREE)


def _joined(
    documents: Sequence[Document],
    texts: Texts,
    ruleset: Ruleset,
    now: datetime,
    files: Sequence[str],
    truncated: Truncated,
    history: History,
    revision: str,
) -> Reading:
    graph = build(documents, ruleset.model, files, truncated)
    base = history.base
    return Reading(
        ruleset=ruleset,
        graph=graph,
        facts=gather(graph, ruleset.model, base.facts if base is not None else None, history.origin),
        texts=texts,
        inputs=Inputs(
            documents=_digest(graph.documents),
            rules=ruleset.digest,
            now=now.isoformat().replace("+00:00", "Z"),
            revision=revision,
            base=base.inputs.revision if base is not None else "",
        ),
        now=now,
        origin=history.origin,
        base=base,
    )


def _digest(documents: Iterable[Document]) -> str:
    total = sha256()
    for document in documents:
        total.update(f"{document.path}\0{document.digest}\n".encode("utf-8", errors="surrogateescape"))
    return "sha256:" + total.hexdigest()
