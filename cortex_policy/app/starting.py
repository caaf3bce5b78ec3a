"""`init`: a configuration, a workboard and an example that passes, written into a directory.

The only use case that writes. It looks first, and writes nothing when anything stands in the way; it follows
no link inside the directory, because a link could lead to a file of somebody else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Final

from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.world import CONFIG_NAME, reason

_CONFIGURATION: Final = """\
# What cortex-policy checks below this directory, and by which rules.
version: 1

# The rules. `starter` is shipped; a folder of your own is named by its path, such as `policy`.
packs: [starter]

# Files that no rule should see.
# exclude: ["docs/archive/**"]

# Files that belong to these documents but are not here, because this is only a part of them. What could be
# declared in one of them is then undecided rather than missing.
# truncated: ["docs/partners/**"]
"""

_WORKBOARD: Final = """\
# Every work item with its status: open, in progress, blocked, done or dropped. The documents declare the
# items; the check tells when this list and the documents disagree.
items:
  - {id: WORK-1, title: Collect the opening hours, status: done}
  - {id: WORK-2, title: Show the opening hours, status: in progress, blocked_by: [WORK-1]}
"""

_PRD: Final = """\
---
type: prd
status: active
owner: shop team
created: 2026-01-12
last_reviewed: 2026-01-19
---

# Opening hours on the door

Customers stand before a closed door because nobody told them when it opens. This example plans a sign for the
door; replace it by a plan of your own.

## WORK-1 - Collect the opening hours

Status: done
Owner: Ada

- [x] every shop has named its hours
- [x] the holidays are in the list

## WORK-2 - Show the opening hours

Status: in progress
Owner: Grace
Blocked by: WORK-1

The sign shows the hours of this week only, as DEC-1 says.

- [x] the sign can be read from two metres away
- [ ] it changes by itself on Monday
"""

_DECISION: Final = """\
---
type: decision
status: active
owner: shop team
created: 2026-01-13
last_reviewed: 2026-01-13
---

# DEC-1 - Show one week at a time

Status: accepted
Accepted by: Ada and Grace, for the shop team

A sign with the hours of the whole year is not read by anybody who stands before a closed door. WORK-2 shows
one week.
"""

FILES: Final[Mapping[str, str]] = {
    CONFIG_NAME: _CONFIGURATION,
    "WORKBOARD.yaml": _WORKBOARD,
    "docs/opening-hours-prd.md": _PRD,
    "docs/decisions/one-week.md": _DECISION,
}
"""What `init` writes: path in the directory, and text."""

SNIPPETS: Final = """
Next:
  cortex-policy check           in this directory; the example passes
  cortex-policy rule            lists what is checked, `cortex-policy rule CODE` explains one rule
  cortex-policy items           shows what was read from the documents

To check at every commit, in .pre-commit-config.yaml:

  repos:
    - repo: <repository of cortex-policy>
      rev: <commit that you trust>
      hooks:
        - id: cortex-policy-check

To check every pull request on GitHub, in .github/workflows/policy.yml:

  name: policy
  on: [pull_request]
  permissions:
    contents: read
  jobs:
    check:
      runs-on: ubuntu-latest
      steps:
        - uses: actions/checkout@v4
          with:
            persist-credentials: false
        - uses: <owner>/cortex-policy@<commit that you trust>

Other ways, and what the exit codes mean: docs/ci.md of cortex-policy.
"""
"""What `init` prints when it has written everything into the current directory."""


def next_steps(directory: Path) -> str:
    """What to do after `start`; commands work as printed, where `init` was run. Text, ends in a newline."""
    if directory == Path():
        return SNIPPETS
    return SNIPPETS.replace("Next:\n", f"Next:\n  cd {quote(str(directory))}\n", 1)


def start(directory: Path, *, force: bool) -> tuple[str, ...]:
    """Write `FILES` into `directory`, which is made when it is absent; return the paths in the order written.

    Raises `ConfigurationError` when one of them exists (unless `force`) or anything but a file or folder
    stands in the way, before the first is written; and when the system refuses, after removing again what was
    new. Source: `docs/contract.md`, `init`.
    """
    problems = list(_in_the_way(directory, force))
    if problems:
        raise ConfigurationError(tuple(problems))
    made: list[Path] = []
    for name, text in FILES.items():
        try:
            _write(directory, name, text, made)
        except OSError as error:
            _undo(made)
            problem = Problem(message=f"cannot write `{directory / name}`: {reason(error)}")
            raise ConfigurationError((problem,)) from None
    return tuple(str(directory / name) for name in FILES)


def _in_the_way(directory: Path, force: bool) -> Iterable[Problem]:
    """Everything that forbids to write, so that it is told at once and before the first file is written."""
    if os.path.lexists(directory) and not directory.is_dir():
        yield Problem(message=f"`{directory}` is no directory", hint="name a directory, or a new name")
        return
    seen: set[Path] = set()
    for name in FILES:
        for folder in reversed(Path(name).parents[:-1]):
            if folder not in seen:
                seen.add(folder)
                yield from _not_a_folder(directory / folder)
        yield from _not_free(directory / name, force)


def _not_a_folder(path: Path) -> Iterable[Problem]:
    mode = _mode(path)
    if mode is not None and not stat.S_ISDIR(mode):
        what = "a link, which is not followed" if stat.S_ISLNK(mode) else "not a directory"
        yield Problem(message=f"`{path}` is {what}", hint="move it away")


def _not_free(path: Path, force: bool) -> Iterable[Problem]:
    mode = _mode(path)
    if mode is None:
        return
    if not stat.S_ISREG(mode):
        what = "a link, which is not followed" if stat.S_ISLNK(mode) else "not a file"
        yield Problem(message=f"`{path}` is {what}", hint="move it away")
    elif not force:
        yield Problem(message=f"`{path}` exists", hint="move it away, or overwrite it with `--force`")


def _mode(path: Path) -> int | None:
    """What stands under the name itself; None when nothing does, or when it cannot be looked at."""
    try:
        return path.lstat().st_mode
    except OSError:
        return None


def _write(directory: Path, name: str, text: str, made: list[Path]) -> None:
    """Write one file, noting what is new in `made`. INVARIANT: the name is made here, so it is no link."""
    path = directory / name
    _make_folders(path.parent, made)
    if _mode(path) is not None:
        path.unlink()  # a hard link would carry the new text into a file elsewhere
    else:
        made.append(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _make_folders(folder: Path, made: list[Path]) -> None:
    for missing in reversed([f for f in (folder, *folder.parents) if not f.is_dir()]):
        missing.mkdir()
        made.append(missing)


def _undo(made: list[Path]) -> None:
    """Remove what this run created, last first; what cannot be removed stays: the first failure is news."""
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
