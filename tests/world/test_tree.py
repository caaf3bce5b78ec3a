"""The tree is read once, follows no link, opens nothing but files, and says what it could not see."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cortex_policy import world
from cortex_policy.app.project import open_project, read_pack
from cortex_policy.app.reading import read_project
from cortex_policy.documents.reading import MAX_DOCUMENT_BYTES
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import Document
from tests.support import NOW, TINY, repository, write


def documents(root: Path) -> dict[str, Document]:
    found = read_project(open_project(root, ()), TINY, NOW)
    return {document.path: document for document in found.graph.documents}


def faults(root: Path, path: str) -> list[str]:
    return [fault.code for fault in documents(root)[path].faults]


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such directory"):
        world.list_tree(tmp_path / "gone")
    write(tmp_path, {"file": ""})
    with pytest.raises(ConfigurationError, match="not a directory"):
        world.list_tree(tmp_path / "file")


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "MAX_FILES", 2)
    with pytest.raises(ConfigurationError, match="more than 2 files"):
        world.list_tree(write(tmp_path, {"a": "", "b": "", "c/d": ""}))


def test_names_are_sorted_and_folders_of_tools_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"b/x.md": "", "a.md": "", ".git/x.md": "", "c/node_modules/x.md": "", "b.md": ""})
    tree = world.list_tree(tmp_path)
    assert (tree.files, tree.folders, dict(tree.odd)) == (("a.md", "b.md", "b/x.md"), ("b", "c"), {})


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def dangling(path: Path) -> None:
    path.symlink_to("gone.md")


def outward(path: Path) -> None:
    (path.parents[1] / "secret.md").write_text("## T-9\n")
    path.symlink_to("../secret.md")


def upward(path: Path) -> None:
    path.symlink_to("..")


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inner.md").write_text("## T-8\n")


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize("make", [fifo, loop, device, dangling, outward, upward, folder, unix_socket])
def test_what_is_no_file_is_a_finding_and_the_rest_is_checked(tmp_path: Path, make: object) -> None:
    root = repository(tmp_path / "r", {"a.md": "## T-1\n"})
    make(root / "x.md")  # type: ignore[operator]  # the table holds functions of several shapes
    found = documents(root)
    assert faults(root, "x.md") == ["not-a-file"]
    assert not found["x.md"].complete
    assert [each.id for each in found["a.md"].declarations] == ["doc:a.md", "T-1"]
    assert not any(each.id == "T-9" for document in found.values() for each in document.declarations)


def test_a_linked_folder_is_not_entered_and_may_hide_everything(tmp_path: Path) -> None:
    write(tmp_path / "other", {"x.md": "## T-9\n"})
    root = repository(tmp_path / "r", {"a.md": "## T-1\n"})
    (root / "docs").symlink_to("../other")
    (root / "self").symlink_to(".")
    assert set(documents(root)) == {"a.md", "docs", "self"}
    assert documents(root)["docs"].may_declare == {"task", "note", "entry", "box", "section"}


def test_a_folder_that_cannot_be_listed_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "r", {"a.md": "## T-1\n", "shut/b.md": "## T-2\n"})
    real = os.scandir

    def refuse(path: Path) -> object:
        if path == root / "shut/":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert faults(root, "shut") == ["not-a-file"]
    assert documents(root)["shut"].may_declare == {"task", "note", "entry", "box", "section"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "permission denied"),
        (FileNotFoundError(2, "No such file or directory"), "no such file"),
        (OSError(5, "Input/output error"), "input/output error"),
    ],
)
def test_a_file_that_cannot_be_opened_is_a_finding_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    root = repository(tmp_path / "r", {"a.md": "## T-1\n", "b.md": "## T-2\n"})
    real = os.open

    def refuse(path: object, *arguments: int, **more: int) -> int:
        if str(path).endswith("b.md"):
            raise error
        return real(path, *arguments, **more)  # type: ignore[arg-type]  # the arguments are those of the function that it stands for

    monkeypatch.setattr(os, "open", refuse)
    (fault,) = documents(root)["b.md"].faults
    assert fault.code == "unreadable"
    assert words in fault.message
    assert documents(root)["a.md"].complete


def test_a_file_that_vanishes_after_the_listing(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.md": "x"})
    tree = world.list_tree(root)
    (root / "a.md").unlink()
    with pytest.raises(FileNotFoundError):
        tree.read("a.md", 10)


@pytest.mark.parametrize("make", [fifo, outward, device, folder])
def test_what_is_swapped_in_after_the_listing_is_not_read(tmp_path: Path, make: object) -> None:
    root = write(tmp_path / "r", {"a.md": "x"})
    tree = world.list_tree(root)
    (root / "a.md").unlink()
    make(root / "a.md")  # type: ignore[operator]  # the table holds functions of several shapes
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError):
        tree.read("a.md", 10)
    assert len(os.listdir("/proc/self/fd")) == before, "no descriptor is left open"


def test_never_more_is_read_than_the_limit(tmp_path: Path) -> None:
    with (tmp_path / "a.md").open("wb") as file:
        file.truncate(1 << 40)
    assert len(world.list_tree(tmp_path).read("a.md", 1000)) == 1001


def test_a_file_beyond_the_limit_is_a_finding(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.md": "## T-1\n"})
    with (root / "big.md").open("wb") as file:
        file.truncate(MAX_DOCUMENT_BYTES + 1)
    assert faults(root, "big.md") == ["too-large"]


@pytest.mark.parametrize(
    "name", [b"a\nb.md", b"\x1b[31mred.md", b"\xff\xfe.md", "é\u202e.md".encode(), b"%0A::x.md", b"'\"`.md"]
)
def test_any_file_name_is_read(tmp_path: Path, name: bytes) -> None:
    root = repository(tmp_path / "r", {"a.md": "## T-1\n"})
    with open(os.fsencode(root) + b"/" + name, "wb") as file:
        file.write(b"## T-2\nNeeds: T-1\n")
    found = documents(root)[os.fsdecode(name)]
    assert [each.id for each in found.declarations][1:] == ["T-2"]


CONFIG = {
    "a byte order mark": (b"\xef\xbb\xbfversion: 1\n", "byte order mark"),
    "not UTF-8": (b"version: 1\n\xff", "not UTF-8"),
    "too large": (b"#" * (world.MAX_CONFIG_BYTES + 1), "more than 1,048,576 bytes"),
}


@pytest.mark.parametrize(("data", "words"), CONFIG.values(), ids=CONFIG)
def test_a_configuration_that_is_no_text(tmp_path: Path, data: bytes, words: str) -> None:
    write(tmp_path, {"c.yaml": data})
    with pytest.raises(ConfigurationError, match=words):
        world.read_text(tmp_path / "c.yaml", "c.yaml")


def test_a_pipe_in_a_pack_is_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, {"pack/pack.yaml": "pack: x\n"})
    os.mkfifo(tmp_path / "pack/other.yaml")
    with pytest.raises(ConfigurationError, match="is not a file"):
        read_pack("pack", tmp_path)
