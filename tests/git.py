"""Real Git repositories for tests, apart from whatever the person who runs the tests has configured."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support import write


class GitRepository:
    """A repository at `root`; its commits have one author and one time, so that the same content has the same id."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, ok: bool = True, given: bytes = b"", **env: str) -> bytes:
        """What a Git command says."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**isolated(self.root), **env},
            input=given,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0 or not ok, done.stderr.decode()
        return done.stdout

    def commit(self, files: Mapping[str, str | bytes], *gone: str) -> str:
        """Write `files`, remove `gone`, commit everything; the id of the commit."""
        write(self.root, files)
        for path in gone:
            (self.root / path).unlink()
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.id("HEAD")

    def id(self, name: str) -> str:
        return self.git("rev-parse", name).decode().strip()

    def tree(self, *entries: tuple[str, str, str, bytes]) -> str:
        """A commit of a tree made by hand: mode, type, object and name of each entry, whatever Git would say to it."""
        listing = b"".join(
            f"{mode} {kind} {name}\t".encode() + path + b"\0" for mode, kind, name, path in entries
        )
        tree = self.git("mktree", "-z", "--missing", given=listing).decode().strip()
        return self.git("commit-tree", tree, "-m", "by hand").decode().strip()

    def blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", given=data).decode().strip()


def isolated(root: Path) -> dict[str, str]:
    """An environment in which Git reads no configuration but that of the repository."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(root.parent / "home-of-nobody"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.invalid",
        "GIT_AUTHOR_DATE": "2026-01-31T12:00:00Z",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.invalid",
        "GIT_COMMITTER_DATE": "2026-01-31T12:00:00Z",
    }
