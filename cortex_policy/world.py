"""The read-only outside: file tree, Git objects, shipped data, clock, environment. The only reader of those.

Everything is read once for each command and passed in as values. Links are never followed and nothing but regular
files is opened, so that a document's name can lead neither out of the root nor into a device that never ends. A
revision is read from the objects of its repository: nothing is checked out, and nothing that the repository configures
is run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from posixpath import normpath
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from cortex_policy.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    import subprocess
    import threading

CONFIG_NAME: Final = "cortex-policy.yaml"
SHOWN_ID: Final = 12
"""Characters of a commit's id where it is shown to a person; enough to tell any two apart."""
USUAL_WIDTH: Final = 80
"""Columns of a terminal that does not tell its width."""
WORKTREE: Final = "worktree"
"""How a result names the tree that it was read from, where that is no revision."""
MAX_FILES: Final = 500_000
"""Files in a root; beyond this somebody named the wrong directory."""
MAX_CONFIG_BYTES: Final = 1024 * 1024
"""One file of a pack or configuration; hand-written ones stay far below."""

MAX_GIT_SECONDS: Final = 120
"""One run of Git; listing and reading a hundred thousand files takes a few seconds."""
MAX_LISTING_BYTES: Final = 256 * 1024 * 1024
"""What Git may say of one tree; `MAX_FILES` paths of ordinary length are a fifth of it."""
MAX_LINK_BYTES: Final = 4096
"""A longer target of a symbolic link is no path."""
MAX_LINKS: Final = 40
"""Links that lead to links, as the system follows them."""

SKIPPED_FOLDERS: Final = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        ".venv",
        "venv",
        "__pycache__",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
    }
)
"""Folders of tools, in which no team keeps its documents."""


class Tree(NamedTuple):
    """The names below a root, read once. Paths are relative with `/`, sorted.

    `odd` maps a path that is not a regular file, or a folder that cannot be listed, to what it is.
    """

    root: Path
    files: tuple[str, ...]
    odd: Mapping[str, str]
    folders: tuple[str, ...]

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` + 1 bytes of a file. Raises `OSError`.

        INVARIANT: a name that became a link or a device since the tree was listed is not opened.
        """
        descriptor = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError("not a regular file")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(limit + 1)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Nothing is held open."""


def list_tree(root: Path) -> Tree:
    """Every name below `root`. Raises `ConfigurationError` when `root` is no directory or holds too many files."""
    if not root.is_dir():
        raise ConfigurationError((no_directory(root),))
    files: list[str] = []
    folders: list[str] = []
    odd: dict[str, str] = {}
    stack = [""]
    while stack:
        for name, kind in _entries(root, stack.pop(), odd):
            if kind == "file":
                files.append(name)
            elif kind == "folder":
                folders.append(name)
                stack.append(name + "/")
            else:
                odd[name] = kind
        if len(files) > MAX_FILES:
            raise _too_many(f"below `{root}`")
    return Tree(root=root, files=tuple(sorted(files)), odd=odd, folders=tuple(sorted(folders)))


def _too_many(where: str) -> ConfigurationError:
    problem = Problem(
        message=f"more than {MAX_FILES:,} files {where}", hint="is this the root of the documents?"
    )
    return ConfigurationError((problem,))


def no_directory(root: Path) -> Problem:
    """Why `root` cannot be the root of documents."""
    if root.exists():
        return Problem(
            message=f"not a directory: `{root}`",
            hint="name the directory that holds it, and use `--only` for single files",
        )
    return Problem(message=f"no such directory: `{root}`", hint="name the root of the documents")


def _entries(root: Path, folder: str, odd: dict[str, str]) -> Iterator[tuple[str, str]]:
    try:
        entries = list(os.scandir(root / folder))
    except OSError as error:
        odd[folder.rstrip("/") or "."] = f"a directory that cannot be listed ({_reason(error)})"
        return
    for entry in entries:
        kind = _kind(entry)
        if kind != "folder" or entry.name not in SKIPPED_FOLDERS:
            yield folder + entry.name, kind


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        if entry.is_symlink():
            return "a symbolic link to a directory" if entry.is_dir() else "a symbolic link"
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        return "file" if entry.is_file(follow_symlinks=False) else "not a regular file"
    except OSError as error:
        return f"a name that cannot be looked at ({_reason(error)})"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or "unknown reason").lower()


def reason(error: OSError) -> str:
    """Why the system refused, in words."""
    return _reason(error)


def find_config(start: Path) -> Path | None:
    """The nearest `cortex-policy.yaml` in `start` or above."""
    start = start.absolute()
    for folder in (start, *start.parents):
        candidate = folder / CONFIG_NAME
        if candidate.is_file():
            return candidate
    return None


def read_text(path: Path, shown: str, limit: int = MAX_CONFIG_BYTES) -> str:
    """A configuration file of at most `limit` bytes. Raises `ConfigurationError` when it cannot be read as text."""
    try:
        if not path.is_file():  # a pipe would be waited for, for ever
            raise ConfigurationError((Problem(message=f"`{shown}` is not a file", path=shown),))
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConfigurationError(
            (Problem(message=f"cannot read `{shown}`: {_reason(error)}", path=shown),)
        ) from None
    return _text(data, shown, limit)


def _text(data: bytes, shown: str, limit: int = MAX_CONFIG_BYTES) -> str:
    """A configuration file as text. Raises `ConfigurationError` when it is too long, or not plain UTF-8."""
    if len(data) > limit:
        raise ConfigurationError((Problem(message=f"`{shown}` has more than {limit:,} bytes", path=shown),))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            (Problem(message=f"`{shown}` is not UTF-8", path=shown, line=line, column=1),)
        ) from None
    if text.startswith("\ufeff"):
        problem = Problem(
            message=f"`{shown}` starts with a byte order mark",
            path=shown,
            line=1,
            column=1,
            hint="save it as UTF-8 without BOM",
        )
        raise ConfigurationError((problem,))
    return text


def shipped(folder: str) -> Path:
    """`rules` or `schemas`, wherever this installation keeps them: inside the wheel, or beside the package.

    Raises `ConfigurationError` when the installation lost them.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / "_shipped" / folder, package.parent / folder):
        if candidate.is_dir():
            return candidate
    raise ConfigurationError(
        (Problem(message=f"this installation has no `{folder}`", hint="install cortex-policy again"),)
    )


def read_folder(folder: Path, shown: str, suffixes: tuple[str, ...]) -> dict[str, str]:
    """Every file below `folder` with one of `suffixes`, by path inside it. Raises `ConfigurationError`."""
    found: dict[str, str] = {}
    for current, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(suffixes):
                path = Path(current, name)
                inside = path.relative_to(folder).as_posix()
                found[inside] = read_text(path, f"{shown}/{inside}")
    return found


def now() -> datetime:
    """The clock, read once for each command."""
    return datetime.now(UTC).replace(microsecond=0)


def variable(name: str) -> str | None:
    """One environment variable."""
    return os.environ.get(name)


def terminal_width(descriptor: int) -> int:
    """Columns of the terminal behind `descriptor`: what `COLUMNS` or the terminal itself says, else the usual ones."""
    with suppress(ValueError):
        if (told := int(variable("COLUMNS") or "0")) > 0:
            return told
    try:
        return os.get_terminal_size(descriptor).columns or USUAL_WIDTH
    except OSError:
        return USUAL_WIDTH


# --------------------------------------------------------------------------- Git


class Blob(NamedTuple):
    """A file of a revision: the name of its object, and its size; -1 when this repository lacks the object."""

    name: str
    size: int


class Repository(NamedTuple):
    """Where the objects lie: `top` is the folder that holds `.git`, `program` the Git that reads them."""

    top: Path
    program: str

    def output(self, *arguments: str, complaints: bool = True) -> tuple[bool, bytes, str]:
        """Whether a Git command succeeded, what it said, and its complaint. At most `MAX_LISTING_BYTES` are read.

        Without `complaints` they are dropped: one for each object that is missing would fill the pipe.
        """
        process, stop = self.start(*arguments, complaints=complaints)
        try:
            said = _pipe(process.stdout).read(MAX_LISTING_BYTES + 1)
            if len(said) > MAX_LISTING_BYTES:
                process.kill()
            complaint = _pipe(process.stderr).read(MAX_LINK_BYTES) if complaints else b""
            return process.wait() == 0, said, complaint.decode("utf-8", errors="replace").strip()
        finally:
            end(process, stop)

    def start(
        self, *arguments: str, complaints: bool = False
    ) -> tuple[subprocess.Popen[bytes], threading.Timer]:
        """Start Git on these objects, for at most `MAX_GIT_SECONDS`.

        INVARIANT: nothing that the repository says is run, fetched or followed.

        Configuration on the command line wins over that of the repository. A name in the repository cannot replace a
        command of Git, and the commands that are used here run no filter, hook or pager.
        """
        import subprocess  # 8 ms, and only a revision needs it
        import threading

        process = subprocess.Popen(
            [self.program, *_GIT_OPTIONS, f"--git-dir={self.top / '.git'}", *arguments],
            cwd="/" if os.name == "posix" else None,
            env=_git_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if complaints else subprocess.DEVNULL,
        )
        stop = threading.Timer(MAX_GIT_SECONDS, process.kill)
        stop.daemon = True
        stop.start()
        return process, stop


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("git was started without a pipe")
    return pipe


def end(process: subprocess.Popen[bytes], stop: threading.Timer) -> None:
    """End a Git command, and whoever watches over it."""
    stop.cancel()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.kill()
    process.wait()
    stop.join()


_GIT_OPTIONS: Final = (
    "--no-pager",
    "--no-replace-objects",
    "--no-optional-locks",
    "--literal-pathspecs",
    *(
        part
        for setting in (
            "core.hooksPath=/dev/null",
            "core.fsmonitor=",
            "core.attributesFile=/dev/null",
            "core.commitGraph=false",
            "core.warnAmbiguousRefs=true",
            "protocol.allow=never",
            "safe.bareRepository=explicit",
            "color.ui=never",
            "maintenance.auto=false",
            "gc.auto=0",
        )
        for part in ("-c", setting)
    ),
)


def _git_environment() -> dict[str, str]:
    """Nothing of the caller's but where programs are found: no configuration, no network, no questions."""
    return {
        "PATH": _absolute_paths(),
        "HOME": os.devnull,
        "XDG_CONFIG_HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_ALLOW_PROTOCOL": "none",  # wins over `protocol.NAME.allow` of the repository
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_PAGER": "",
        "GIT_ASKPASS": "",
    }


def _absolute_paths() -> str:
    """The search path without its relative parts, which would lead into the repository."""
    parts = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(part for part in parts if os.path.isabs(part))


def find_repository(start: Path) -> tuple[Repository, str]:
    """The repository that holds the folder `start`, which need not be there any more, and what it calls the folder.

    The path is taken as written: a link that a change made in the work tree does not lead to another folder of the
    base. Only a path outside of any repository is followed. Raises `ConfigurationError`.
    """
    import shutil  # 2 ms

    program = shutil.which("git", path=_absolute_paths())
    if program is None:
        raise _refused("there is no `git` on the search path", "install Git: revisions are read by it")
    for folder in (Path(os.path.abspath(start)), Path(os.path.realpath(start))):
        for top in (folder, *folder.parents):
            if os.path.lexists(top / ".git"):
                return Repository(top=top, program=program), _relative(folder, top)
    raise _refused(f"`{start}` lies in no Git repository", "leave `--at` and `--base` out")


def _relative(path: Path, top: Path) -> str:
    """`path` from `top`, which itself is an empty text. Raises `ValueError` where it does not lie below."""
    inside = path.relative_to(top).as_posix()
    return "" if inside == "." else inside


def _refused(message: str, hint: str) -> ConfigurationError:
    return ConfigurationError((Problem(message=message, hint=hint),))


class Snapshot(NamedTuple):
    """Every name of one commit, read once. Paths start at the top of the repository.

    `odd` maps a path that is no regular file to what it is, as in `Tree`; `start` is the folder that was asked for.
    """

    start: str
    repository: Repository
    commit: str
    blobs: Mapping[str, Blob]
    folders: frozenset[str]
    odd: Mapping[str, str]

    def inside(self, path: Path) -> str:
        """A folder, as written, as this commit names it; the top is an empty text. Raises `ConfigurationError`."""
        try:
            return _relative(Path(os.path.abspath(path)), self.repository.top)
        except ValueError:
            message = f"`{path}` lies outside of the repository `{self.repository.top}`"
            raise _refused(message, "name a path in the repository") from None

    def has(self, path: Path) -> bool:
        """Whether something has that name in this commit."""
        try:
            name = self.inside(path)
        except ConfigurationError:
            return False
        return not name or name in self.blobs or name in self.folders or name in self.odd

    def tree(self, folder: str) -> RevisionTree:
        """What lies below one folder. Raises `ConfigurationError` when this commit has no such folder."""
        if folder and folder not in self.folders:
            raise _refused(
                f"revision {self.commit[:SHOWN_ID]} has no folder `{folder}`",
                "name a root that was there then",
            )
        start = f"{folder}/" if folder else ""
        below = slice(len(start), None)
        blobs = {path[below]: blob for path, blob in self.blobs.items() if path.startswith(start)}
        if len(blobs) > MAX_FILES:
            raise _too_many(f"in revision {self.commit[:SHOWN_ID]}")
        return RevisionTree(
            self.repository,
            blobs,
            {path[below]: what for path, what in self.odd.items() if path.startswith(start)},
            tuple(sorted(path[below] for path in self.folders if path.startswith(start))),
        )

    def text(self, path: str, shown: str) -> str:
        """A configuration file of this commit, one of `blobs`, as `read_text` gives it. Raises `ConfigurationError`."""
        return self.texts([(path, shown)])[0]

    def texts(self, wanted: Iterable[tuple[str, str]]) -> list[str]:
        """Several of `blobs`, each with the name it is shown by. Raises `ConfigurationError`."""
        tree = RevisionTree(self.repository, self.blobs, {}, ())
        try:
            return [self._text(tree, path, f"{self.commit[:SHOWN_ID]}:{shown}") for path, shown in wanted]
        finally:
            tree.close()

    def _text(self, tree: RevisionTree, path: str, shown: str) -> str:
        try:
            return _text(tree.read(path, MAX_CONFIG_BYTES), shown)
        except OSError as error:
            problem = Problem(message=f"cannot read `{shown}`: {_reason(error)}", path=shown)
            raise ConfigurationError((problem,)) from None

    def read_folder(self, folder: str, shown: str, suffixes: tuple[str, ...]) -> dict[str, str]:
        """Every file below `folder` with one of `suffixes`, as `read_folder` of the work tree. Raises the same."""
        start = f"{folder}/" if folder else ""
        names = [
            path[len(start) :]
            for path in sorted(self.blobs)
            if path.startswith(start) and path.endswith(suffixes)
        ]
        return dict(zip(names, self.texts((start + name, f"{shown}/{name}") for name in names), strict=True))


class RevisionTree:
    """The names below a folder of a commit, to be used where a `Tree` is."""

    def __init__(
        self,
        repository: Repository,
        blobs: Mapping[str, Blob],
        odd: Mapping[str, str],
        folders: tuple[str, ...],
    ) -> None:
        self.files = tuple(sorted(blobs))
        self.odd = odd
        self.folders = folders
        self._repository = repository
        self._blobs = blobs
        self._reader: tuple[subprocess.Popen[bytes], threading.Timer] | None = None
        self._killed = False

    def read(self, path: str, limit: int) -> bytes:
        """A file of at most `limit` bytes. Raises `OSError`.

        INVARIANT: a larger one is not read. Its place is taken by the name of its object and zero bytes, one more than
        `limit` in all, so that it is found too large, and that another large file in its place is noticed.
        """
        blob = self._blobs[path]
        if blob.size < 0:
            raise OSError("the repository lacks the object")
        if blob.size > limit:
            return blob.name.encode("ascii").ljust(limit + 1, b"\0")
        return self._object(blob)

    def _object(self, blob: Blob) -> bytes:
        """The bytes of one object, from a Git that stays open for all of them.

        A Git that was killed, because it took too long or too much, is not started again: a repository that is built
        to be slow costs its time once, and not once for each file.
        """
        if self._killed:
            raise OSError("git was stopped while it read another object")
        if self._reader is None:
            self._reader = self._repository.start("cat-file", "--batch")
        process = self._reader[0]
        try:
            return _answer(process, blob)
        except OSError:
            self._killed = process.poll() is not None and process.returncode < 0
            self.close()
            raise

    def close(self) -> None:
        """End the Git that reads, if one was started."""
        if self._reader is not None:
            end(*self._reader)
            self._reader = None


def _answer(process: subprocess.Popen[bytes], blob: Blob) -> bytes:
    """One object from `cat-file --batch`. Raises `OSError`; where Git has ended, it has ended for certain then."""
    asked, said = _pipe(process.stdin), _pipe(process.stdout)
    try:
        asked.write(blob.name.encode("ascii") + b"\n")
        asked.flush()
    except OSError:
        process.wait()
        raise
    head = said.readline(MAX_LINK_BYTES)
    if head != f"{blob.name} blob {blob.size}\n".encode("ascii"):
        if not head.endswith(b"\n"):
            process.wait()
        raise OSError("git cannot read the object")
    data = said.read(blob.size + 1)
    if len(data) != blob.size + 1:
        process.wait()
        raise OSError("git stopped while it read the object")
    return data[:-1]


AnyTree = Tree | RevisionTree
"""Where documents are read from: the work tree, or a revision."""


def read_revision(start: Path, revision: str) -> Snapshot:
    """The commit that `revision` names in the repository of the folder `start`, listed.

    Raises `ConfigurationError` when there is no repository, or no such commit.
    """
    repository, folder = find_repository(start)
    commit = _commit(repository, revision)
    listed, said, _ = repository.output(
        "ls-tree", "-r", "-t", "-z", "-l", "--full-tree", commit, complaints=False
    )
    if len(said) > MAX_LISTING_BYTES or said.count(b"\0") > 2 * MAX_FILES:  # as many folders as files
        raise _too_many(f"in revision {commit[:SHOWN_ID]}")
    if not listed:
        raise _refused(f"git cannot list revision {commit[:SHOWN_ID]}", "run `git fsck` in the repository")
    return _listed(repository, commit, said)._replace(start=folder)


def _commit(repository: Repository, revision: str) -> str:
    """The full id of a commit. A name that stands for two things is refused: the change could have made the second."""
    if not revision or "\0" in revision:
        raise _refused(f"`{revision}` is no revision", "name a commit, branch or tag")
    found, said, complaint = repository.output(
        "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"
    )
    commit = said.decode("ascii", errors="replace").strip()
    if not found or not commit.isalnum():
        shallow = os.path.lexists(repository.top / ".git" / "shallow")
        hint = (
            "this clone is shallow: fetch the commit first, such as by `git fetch --unshallow`"
            if shallow
            else "name a commit, branch or tag that this repository has; `git fetch` brings those of others"
        )
        raise _refused(f"no revision `{revision}` in `{repository.top}`: {_complaint(complaint)}", hint)
    if "is ambiguous" in complaint and revision != commit:
        hint = "write it out, such as `refs/heads/NAME`, or name the commit by its id"
        raise _refused(f"`{revision}` names more than one thing in `{repository.top}`", hint)
    return commit


def _complaint(complaint: str) -> str:
    """Git's own reason, in one line."""
    last = complaint.splitlines()[-1] if complaint else "git gave no reason"
    return last.removeprefix("fatal: ")


def _listed(repository: Repository, commit: str, said: bytes) -> Snapshot:
    """What `ls-tree -r -t -z -l` said: `MODE TYPE OBJECT SIZE<TAB>PATH`, each ended by a zero byte."""
    blobs: dict[str, Blob] = {}
    folders: set[str] = set()
    odd: dict[str, str] = {}
    links: dict[str, Blob] = {}
    for line in said.split(b"\0")[:-1]:
        head, _, raw = line.partition(b"\t")
        mode, kind, name, size = head.decode("ascii").split()
        path = os.fsdecode(raw)
        if _is_skipped(path, kind):
            continue
        if path in blobs or path in folders or path in odd or path in links or not _is_path(path):
            blobs.pop(path, None)
            odd[path] = "a name that no checkout could have"
        elif kind == "tree":
            folders.add(path)
        elif kind == "commit":
            odd[path] = "a submodule, which is a directory of another repository"
        else:
            found = links if mode == "120000" else blobs
            found[path] = Blob(name, int(size) if size.isdigit() else -1)
    odd.update(_links(repository, links, folders, odd))
    return Snapshot("", repository, commit, blobs, frozenset(folders), odd)


def _is_skipped(path: str, kind: str) -> bool:
    """Whether the work tree would not be looked at there."""
    parts = path.split("/")
    return not SKIPPED_FOLDERS.isdisjoint(parts if kind in ("tree", "commit") else parts[:-1])


def _is_path(path: str) -> bool:
    return not {"", ".", "..", ".git"} & set(path.split("/"))


def _links(
    repository: Repository,
    links: Mapping[str, Blob],
    folders: set[str],
    odd: Mapping[str, str],
) -> dict[str, str]:
    """What each symbolic link is: one to a directory could hold documents. No link is followed out of the commit."""
    tree = RevisionTree(repository, links, {}, ())
    targets: dict[str, str] = {}
    try:
        for path in links:
            targets[path] = _target(tree, path)
    finally:
        tree.close()
    directories = {*folders, *(path for path, what in odd.items() if "directory" in what), "."}
    return {path: _link(path, targets, directories) for path in links}


def _target(tree: RevisionTree, path: str) -> str:
    try:
        return os.fsdecode(tree.read(path, MAX_LINK_BYTES))
    except OSError:
        return ""


def _link(path: str, targets: Mapping[str, str], directories: set[str]) -> str:
    for _ in range(MAX_LINKS):
        written = targets[path]
        path = normpath(f"{path.rpartition('/')[0] or '.'}/{written}") if written[:1] != "/" else written
        if path in directories:
            return "a symbolic link to a directory"
        if path[:1] == "/" or path.split("/")[0] == "..":
            return "a symbolic link out of the repository, perhaps to a directory"
        if path not in targets:
            return "a symbolic link"
    return "a name that cannot be looked at (too many levels of symbolic links)"
