"""A revision is read from objects: nothing is checked out, run, fetched or replaced, whatever the repository says."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex_policy import world
from cortex_policy.errors import ConfigurationError
from tests.git import GitRepository
from tests.support import command

NOTE = "# T-1\n"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "repo")


def everything(snapshot: world.Snapshot) -> dict[str, bytes]:
    tree = snapshot.tree("")
    try:
        return {path: tree.read(path, 1_000_000) for path in tree.files}
    finally:
        tree.close()


def read(repo: GitRepository, revision: str = "HEAD") -> dict[str, bytes]:
    return everything(world.read_revision(repo.root, revision))


# --------------------------------------------------------------------------- what is refused


def test_a_folder_in_no_repository(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="lies in no Git repository"):
        world.read_revision(tmp_path, "HEAD")


@pytest.mark.parametrize(
    "revision",
    [
        "nowhere",
        "",
        "--upload-pack=x",
        "--help",
        "-h",
        "HEAD\0",
        "HEAD\nHEAD",
        "0" * 40,
        "HEAD:a.md",
        "HEAD..HEAD",
        "^HEAD",
        "\udcff",
    ],
)
def test_what_is_no_revision(repo: GitRepository, revision: str) -> None:
    repo.commit({"a.md": NOTE})
    with pytest.raises(ConfigurationError):
        world.read_revision(repo.root, revision)


def test_a_name_that_stands_for_two_things(repo: GitRepository) -> None:
    first = repo.commit({"a.md": NOTE})
    repo.commit({"b.md": NOTE})
    repo.git("tag", "main", first)
    with pytest.raises(ConfigurationError, match="names more than one thing"):
        world.read_revision(repo.root, "main")
    assert sorted(read(repo, "refs/heads/main")) == ["a.md", "b.md"]


def test_a_commit_that_a_shallow_clone_lacks(repo: GitRepository, tmp_path: Path) -> None:
    first = repo.commit({"a.md": NOTE})
    repo.commit({"b.md": NOTE})
    repo.git("clone", "-q", "--depth=1", f"file://{repo.root}", str(tmp_path / "shallow"))
    with pytest.raises(ConfigurationError) as raised:
        world.read_revision(tmp_path / "shallow", first)
    assert "shallow" in raised.value.problems[0].hint


def test_a_repository_without_commits_or_with_a_broken_one(repo: GitRepository) -> None:
    with pytest.raises(ConfigurationError, match="no revision `HEAD`"):
        world.read_revision(repo.root, "HEAD")
    repo.commit({"folder/a.md": NOTE})
    tree = repo.id("HEAD:folder")
    (repo.root / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(ConfigurationError, match="cannot list"):
        world.read_revision(repo.root, "HEAD")
    shutil.rmtree(repo.root / ".git")
    (repo.root / ".git").write_text("gitdir: nowhere\n")
    with pytest.raises(ConfigurationError, match="no revision `HEAD`"):
        world.read_revision(repo.root, "HEAD")


def test_no_git_at_all(repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"a.md": NOTE})
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(ConfigurationError, match="no `git`"):
        world.read_revision(repo.root, "HEAD")


def test_too_many_files_and_too_long_a_listing(repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"a": "", "b": "", "c/d": ""})
    monkeypatch.setattr(world, "MAX_FILES", 2)
    with pytest.raises(ConfigurationError, match="more than 2 files"):
        world.read_revision(repo.root, "HEAD").tree("")
    monkeypatch.setattr(world, "MAX_FILES", 1)
    with pytest.raises(ConfigurationError, match="more than 1 files"):
        world.read_revision(repo.root, "HEAD")
    monkeypatch.setattr(world, "MAX_FILES", 2)
    monkeypatch.setattr(world, "MAX_LISTING_BYTES", 100)  # an id is shorter, the list longer
    with pytest.raises(ConfigurationError, match="more than 2 files"):
        world.read_revision(repo.root, "HEAD")


def test_a_repository_that_never_answers_is_given_up(
    repo: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit({"a.md": NOTE})
    name = repo.id("HEAD")
    path = repo.root / ".git/objects" / name[:2] / name[2:]
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(world, "MAX_GIT_SECONDS", 0.2)
    with pytest.raises(ConfigurationError, match="no revision"):
        world.read_revision(repo.root, name)


# --------------------------------------------------------------------------- what is read


def test_the_files_are_those_of_the_commit_and_the_work_tree_does_not_matter(repo: GitRepository) -> None:
    first = repo.commit({"a.md": "one", "c/b.md": "two"})
    repo.commit({"a.md": "other", "new.md": ""}, "c/b.md")
    shutil.rmtree(repo.root / "c", ignore_errors=True)
    assert read(repo, first) == {"a.md": b"one", "c/b.md": b"two"}
    assert read(repo, "HEAD~1") == read(repo, first)
    snapshot = world.read_revision(repo.root, "HEAD~1")
    assert (snapshot.commit, snapshot.tree("").folders) == (first, ("c",))


def test_the_root_may_be_a_folder_even_one_that_is_gone(repo: GitRepository) -> None:
    repo.commit({"a.md": "", "c/b.md": "", "c/d/e.md": ""})
    shutil.rmtree(repo.root / "c")
    snapshot = world.read_revision(repo.root / "c", "HEAD")
    tree = snapshot.tree(snapshot.start)
    assert (tree.files, tree.folders) == (("b.md", "d/e.md"), ("d",))
    with pytest.raises(ConfigurationError, match="has no folder `nowhere`"):
        snapshot.tree("nowhere")


def test_a_linked_work_tree_and_a_root_behind_a_link(repo: GitRepository, tmp_path: Path) -> None:
    repo.commit({"c/a.md": "one"})
    repo.git("worktree", "add", "-q", str(tmp_path / "other"))
    assert everything(world.read_revision(tmp_path / "other", "HEAD")) == {"c/a.md": b"one"}
    (tmp_path / "link").symlink_to(repo.root / "c")
    assert world.read_revision(tmp_path / "link", "HEAD").start == "c"


def test_a_link_in_the_work_tree_leads_to_no_other_folder(repo: GitRepository) -> None:
    repo.commit({"strict/a.md": "", "lax/b.md": ""})
    shutil.rmtree(repo.root / "strict")
    (repo.root / "strict").symlink_to("lax")
    assert world.read_revision(repo.root / "strict", "HEAD").start == "strict"


def test_folders_of_tools_are_left_out(repo: GitRepository) -> None:
    repo.commit({"node_modules/a.md": "", "c/.venv/b.md": "", "venv": "a file"})
    snapshot = world.read_revision(repo.root, "HEAD")
    assert (snapshot.tree("").files, snapshot.tree("").folders) == (("venv",), ("c",))


@pytest.mark.parametrize(
    "name", [b"two\nlines.md", b"tab\there.md", b'"quoted".md', b"\xff\xfe.md", b"-x.md", b"a b"]
)
def test_odd_names_are_names(repo: GitRepository, name: bytes) -> None:
    (repo.root / os.fsdecode(name)).write_text("text")
    repo.commit({})
    assert read(repo) == {os.fsdecode(name): b"text"}
    assert world.list_tree(repo.root).files == (os.fsdecode(name),)


def test_names_that_no_checkout_could_have(repo: GitRepository) -> None:
    blob = repo.blob(b"text")
    commit = repo.tree(("100644", "blob", blob, b".."), ("100644", "blob", blob, b"a.md"))
    tree = world.read_revision(repo.root, commit).tree("")
    assert (tree.files, dict(tree.odd)) == (("a.md",), {"..": "a name that no checkout could have"})


def test_a_name_that_stands_twice(repo: GitRepository) -> None:
    raw = b"".join(b"100644 a.md\0" + bytes.fromhex(repo.blob(data)) for data in (b"one", b"two"))
    tree = repo.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=raw).decode().strip()
    commit = repo.git("commit-tree", tree, "-m", "twice").decode().strip()
    found = world.read_revision(repo.root, commit).tree("")
    assert (found.files, list(found.odd)) == ((), ["a.md"])


def test_links_and_submodules_are_no_files(repo: GitRepository) -> None:
    links = {
        "file.md": "a.md",
        "folder.md": "c",
        "c/up.md": "../c",
        "twice.md": "file.md",
        "to-folder.md": "folder.md",
        "self.md": "self.md",
        "nowhere.md": "gone",
        "out.md": "../../etc",
        "root.md": "/etc",
    }
    repo.commit({"a.md": "", "c/b.md": ""})
    for path, target in links.items():
        (repo.root / path).symlink_to(target)
    repo.commit({})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.id('HEAD')},module.md")
    repo.git("commit", "-q", "-m", "submodule")
    tree = world.read_revision(repo.root, "HEAD").tree("")
    assert tree.files == ("a.md", "c/b.md")
    to_a_directory = {path for path, what in tree.odd.items() if "directory" in what}
    assert to_a_directory == {"folder.md", "c/up.md", "to-folder.md", "out.md", "root.md", "module.md"}
    assert {path for path in links if "link" not in tree.odd[path]} == set()
    same = {
        path: what
        for path, what in world.list_tree(repo.root).odd.items()
        if path not in ("out.md", "root.md")
    }
    assert {path: what for path, what in tree.odd.items() if path in same} == same


def test_a_large_file_is_not_read_and_still_told_from_another(repo: GitRepository) -> None:
    repo.commit({"a.md": b"x" * 2_000, "b.md": b"y" * 2_000, "c.md": b"z" * 1_000})
    tree = world.read_revision(repo.root, "HEAD").tree("")
    found = [tree.read(path, 1_000) for path in tree.files]
    tree.close()
    assert [len(data) for data in found] == [1_001, 1_001, 1_000]
    assert found[0] != found[1]
    assert b"x" * 10 not in found[0]


def test_an_object_that_is_missing_or_broken_cannot_be_read_and_the_others_can(repo: GitRepository) -> None:
    repo.commit({"a.md": "one", "b.md": "two", "c.md": "three"})
    for path, replacement in (("a.md", None), ("b.md", b"no object")):
        name = repo.id(f"HEAD:{path}")
        file = repo.root / ".git/objects" / name[:2] / name[2:]
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)
        file.unlink() if replacement is None else file.write_bytes(replacement)
    tree = world.read_revision(repo.root, "HEAD").tree("")
    for path in ("a.md", "b.md"):
        with pytest.raises(OSError, match="object"):
            tree.read(path, 100)
    assert tree.read("c.md", 100) == b"three"
    tree.close()


def test_what_a_commit_has_and_what_lies_outside_of_it(repo: GitRepository) -> None:
    repo.commit({"a.md": "", "c/b.md": ""})
    snapshot = world.read_revision(repo.root, "HEAD")
    assert [snapshot.has(repo.root / name) for name in ("", "a.md", "c", "d", "..")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_configuration_whose_object_is_missing(repo: GitRepository) -> None:
    repo.commit({"cortex-policy.yaml": "version: 1"})
    name = repo.id("HEAD:cortex-policy.yaml")
    (repo.root / ".git/objects" / name[:2] / name[2:]).unlink()
    snapshot = world.read_revision(repo.root, "HEAD")
    with pytest.raises(ConfigurationError, match="cannot read"):
        snapshot.text("cortex-policy.yaml", "cortex-policy.yaml")


def test_a_git_that_ends_in_between_is_an_error_of_reading(repo: GitRepository) -> None:
    repo.commit({"a.md": "one"})
    tree = world.read_revision(repo.root, "HEAD").tree("")
    assert tree.read("a.md", 100) == b"one"
    assert tree._reader is not None
    tree._reader[0].kill()
    tree._reader[0].wait()
    for reason in ("Broken pipe", "stopped while it read another"):
        with pytest.raises(OSError, match=reason):
            tree.read("a.md", 100)


def test_an_object_that_never_comes_costs_its_time_once(
    repo: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit({"a.md": "one", "b.md": "two"})
    tree = world.read_revision(repo.root, "HEAD").tree("")
    name = repo.id("HEAD:a.md")
    path = repo.root / ".git/objects" / name[:2] / name[2:]
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(world, "MAX_GIT_SECONDS", 0.2)
    for file, reason in (("a.md", "cannot read"), ("b.md", "stopped while it read another")):
        with pytest.raises(OSError, match=reason):
            tree.read(file, 100)


# --------------------------------------------------------------------------- hostile repositories

POLICY = {
    "cortex-policy.yaml": "version: 1\npacks: [starter]\n",
    "docs/plan.md": "---\ntype: prd\nstatus: active\n---\n## WORK-1 - One\nStatus: open\n",
}


class Canary:
    """A program that leaves a mark when it is run."""

    def __init__(self, folder: Path) -> None:
        self.mark = folder / "mark"
        self.program = folder / "canary"
        self.program.write_text(f"#!/bin/sh\ntouch '{self.mark}'\ncat 2>/dev/null </dev/null\nexit 0\n")
        self.program.chmod(0o755)

    def sang(self) -> bool:
        found = self.mark.exists()
        self.mark.unlink(missing_ok=True)
        return found


def fsmonitor(repo: GitRepository, program: str) -> None:
    repo.git("config", "core.fsmonitor", program)


def smudge(repo: GitRepository, program: str) -> None:
    repo.git("config", "filter.x.smudge", program)
    repo.git("config", "filter.x.clean", "cat")
    repo.git("config", "filter.x.required", "true")


def textconv(repo: GitRepository, program: str) -> None:
    repo.git("config", "diff.x.textconv", program)


def alias(repo: GitRepository, program: str) -> None:
    for name in ("ls-tree", "cat-file", "rev-parse", "canary"):
        repo.git("config", f"alias.{name}", f"!{program}")


def hooks(repo: GitRepository, program: str) -> None:
    repo.git("config", "core.hooksPath", "hooks-of-mine")
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        (repo.root / "hooks-of-mine").mkdir(exist_ok=True)
        shutil.copy(program, repo.root / "hooks-of-mine" / name)


def missing_object(repo: GitRepository) -> None:
    name = repo.id("HEAD~1:docs/plan.md")
    (repo.root / ".git/objects" / name[:2] / name[2:]).unlink()


def promisor(repo: GitRepository, url: str) -> None:
    missing_object(repo)
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": url,
        "remote.origin.promisor": "true",
        "remote.origin.partialCloneFilter": "blob:none",
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "protocol.ssh.allow": "always",
    }.items():
        repo.git("config", key, value)


def ssh(repo: GitRepository, program: str) -> None:
    promisor(repo, "ssh://host.invalid/x")
    repo.git("config", "core.sshCommand", program)


def ext(repo: GitRepository, program: str) -> None:
    promisor(repo, f"ext::{program} %S x")


def upload_pack(repo: GitRepository, program: str) -> None:
    promisor(repo, f"file://{repo.root}")
    repo.git("config", "remote.origin.uploadpack", program)


Control = tuple[str, ...]
HOSTILE: dict[str, tuple[Callable[[GitRepository, str], None], Control]] = {
    "file system monitor": (fsmonitor, ("status",)),
    "smudge filter": (smudge, ("checkout", "HEAD~1", "--", "docs/plan.md")),
    "text conversion": (textconv, ("cat-file", "--textconv", "HEAD:docs/plan.md")),
    "alias": (alias, ("canary",)),
    "hooks": (hooks, ("checkout", "-q", "-B", "side")),
    "ssh of a promised object": (ssh, ("cat-file", "-p", "HEAD~1:docs/plan.md")),
    "transport of a promised object": (ext, ("cat-file", "-p", "HEAD~1:docs/plan.md")),
    "upload pack of a promised object": (upload_pack, ("cat-file", "-p", "HEAD~1:docs/plan.md")),
}
"""How a program gets into a repository, and the Git command that runs it where nobody is careful."""


@pytest.fixture
def house(repo: GitRepository) -> GitRepository:
    repo.commit({**POLICY, ".gitattributes": "*.md filter=x diff=x\n"})
    repo.commit({"docs/plan.md": POLICY["docs/plan.md"] + "Owner: Ada\n"})
    return repo


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_the_repository_brings_is_run(house: GitRepository, tmp_path: Path, name: str) -> None:
    plant, control = HOSTILE[name]
    canary = Canary(tmp_path)
    plant(house, str(canary.program))
    canary.sang()
    done = command("check", "--at", "HEAD~1", "--format", "json", cwd=house.root)
    assert done.returncode in (0, 1, 3), done.stderr
    done = command("check", "--at", "HEAD", "--base", "HEAD~1", cwd=house.root)
    assert done.returncode in (0, 1, 3), done.stderr
    done = command("check", "--base", "HEAD~1", cwd=house.root)
    assert done.returncode in (0, 1, 3), done.stderr
    assert not canary.sang()
    house.git(*control, ok=False, GIT_TERMINAL_PROMPT="0")
    assert canary.sang(), "the canary would not have sung: this test shows nothing"


def test_a_pager_and_other_programs_that_need_a_terminal(house: GitRepository, tmp_path: Path) -> None:
    canary = Canary(tmp_path)
    for key in (
        "core.pager",
        "pager.ls-tree",
        "pager.cat-file",
        "pager.rev-parse",
        "core.askPass",
        "core.editor",
    ):
        house.git("config", key, str(canary.program))
    done = command("check", "--at", "HEAD", cwd=house.root, env={"GIT_PAGER_IN_USE": "1"})
    assert done.returncode == 0, done.stderr
    assert not canary.sang()


def test_variables_that_steer_git_have_no_effect(house: GitRepository, tmp_path: Path) -> None:
    canary = Canary(tmp_path)
    env = {
        "GIT_DIR": str(tmp_path),
        "GIT_OBJECT_DIRECTORY": str(tmp_path),
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(canary.program),
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_PAGER": str(canary.program),
    }
    done = command("check", "--at", "HEAD", cwd=house.root, env=env)
    assert done.returncode == 0, done.stderr
    assert not canary.sang()
    assert not (tmp_path / "trace").exists()


def test_a_git_that_lies_in_the_repository_is_not_the_one_that_reads(
    house: GitRepository, tmp_path: Path
) -> None:
    canary = Canary(tmp_path)
    shutil.copy(canary.program, house.root / "git")
    done = command("check", "--at", "HEAD", cwd=house.root, env={"PATH": f".:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    assert not canary.sang()


def test_replaced_and_grafted_objects_are_not_followed(house: GitRepository) -> None:
    path = "docs/plan.md"
    other = house.blob(b"replaced")
    house.git("replace", house.id(f"HEAD:{path}"), other)
    assert house.git("cat-file", "-p", f"HEAD:{path}") == b"replaced"
    assert read(house)[path].startswith(b"---\ntype: prd")
    grafted = house.tree(("100644", "blob", other, b"evil.md"))
    (house.root / ".git/info").mkdir(exist_ok=True)
    (house.root / ".git/info/grafts").write_text(f"{house.id('HEAD')} {grafted}\n")
    house.git("replace", "-d", house.id(f"HEAD:{path}"), ok=False)
    assert "evil.md" not in read(house, "HEAD~1")


def test_objects_of_another_repository_are_read_by_their_ids_only(
    house: GitRepository, tmp_path: Path
) -> None:
    lender = GitRepository(tmp_path / "lender")
    lender.commit({**POLICY, "docs/lent.md": "lent"})
    commit = lender.id("HEAD")
    (house.root / ".git/objects/info").mkdir(exist_ok=True)
    (house.root / ".git/objects/info/alternates").write_text(f"{lender.root}/.git/objects\n")
    assert read(house, commit)["docs/lent.md"] == b"lent"
    assert "docs/lent.md" not in read(house)


def test_a_work_tree_configured_elsewhere_changes_nothing(house: GitRepository, tmp_path: Path) -> None:
    house.git("config", "core.worktree", str(tmp_path))
    assert sorted(read(house)) == [".gitattributes", "cortex-policy.yaml", "docs/plan.md"]


def test_nothing_is_written(house: GitRepository) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in sorted(house.root.rglob("*"))
        }

    before = state()
    command("check", "--at", "HEAD~1", cwd=house.root)
    command("check", "--base", "HEAD~1", cwd=house.root)
    assert state() == before
