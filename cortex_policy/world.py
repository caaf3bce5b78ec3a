"""The read-only outside: file tree, shipped data, clock, environment. The only reader of those.

Everything is read once for each command and passed in as values. Links are never followed and nothing but regular
files is opened, so that a document's name can lead neither out of the root nor into a device that never ends.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from cortex_policy.errors import ConfigurationError, Problem

CONFIG_NAME: Final = "cortex-policy.yaml"
MAX_FILES: Final = 500_000
"""Files in a root; beyond this somebody named the wrong directory."""
MAX_CONFIG_BYTES: Final = 1024 * 1024
"""One file of a pack or configuration; hand-written ones stay far below."""

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
            raise ConfigurationError(
                (
                    Problem(
                        message=f"more than {MAX_FILES:,} files below `{root}`",
                        hint="is this the root of the documents?",
                    ),
                )
            )
    return Tree(root=root, files=tuple(sorted(files)), odd=odd, folders=tuple(sorted(folders)))


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


def terminal_width() -> int:
    """Columns of the terminal, from `COLUMNS` or the terminal itself; 80 when neither says."""
    import shutil  # 2 ms, and only a terminal has a width

    return shutil.get_terminal_size((80, 24)).columns
