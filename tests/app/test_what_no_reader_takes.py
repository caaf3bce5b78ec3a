"""Names that could hold documents and are read by nobody: links, and files that no reader takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cortex_policy.cli import _run
from cortex_policy.documents.patterns import folder_of, names_below
from tests.support import PACK, write

PLAN = "## T-1\n\nStatus: draft\n"


def house(tmp_path: Path, files: Mapping[str, str], markdown: str, config: str = "") -> Path:
    notes = PACK["readers/notes.yaml"].replace('files: ["**/*.md"]', f"files: {markdown}")
    others = PACK["readers/others.yaml"].replace('["**/*.yaml"]', '["**/BOARD.yaml"]')
    others = others.replace('["**/*.json"]', '["records/*.json"]')
    write(tmp_path / "tiny-pack", {**PACK, "readers/notes.yaml": notes, "readers/others.yaml": others})
    config = "version: 1\npacks: [../tiny-pack]\n" + config
    return write(tmp_path / "root", {"cortex-policy.yaml": config, **files})


def checked(capfd: pytest.CaptureFixture[str], root: Path) -> tuple[int, list[str], list[str]]:
    code = _run(["check", str(root), "--format", "json"])
    result = json.loads(capfd.readouterr().out)
    return code, [finding["subjects"][0] for finding in result["findings"]], result["notes"]


# --------------------------------------------------------------------------- links


@pytest.mark.parametrize("link", ["elsewhere", "deep/down", "docs"])
def test_a_linked_folder_is_told_when_only_one_name_in_it_could_be_read(capfd, tmp_path, link):
    write(tmp_path / "target", {"BOARD.yaml": "T-2: done\n"})
    root = house(tmp_path, {"plan.md": PLAN}, '["*.md"]')
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(tmp_path / "target")
    code, subjects, _ = checked(capfd, root)
    # the board that may lie in there may say of T-1 what it likes: that is unknown now
    assert (code, set(subjects)) == (1, {f"doc:{link}", "T-1"})
    (root / "cortex-policy.yaml").write_text(f"version: 1\npacks: [../tiny-pack]\nexclude: ['{link}/**']\n")
    assert checked(capfd, root)[:2] == (0, [])


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("**/BOARD.yaml", {"BOARD.yaml"}),
        ("*.md", {"_.md"}),
        ("docs/**/*-plan.md", {"_-plan.md", "docs/_-plan.md"}),
        ("a/b/c?.md", {"c_.md", "b/c_.md", "a/b/c_.md"}),
        ("docs/**", {"_", "docs/_"}),
    ],
)
def test_names_that_complete_a_path(glob: str, names: set[str]) -> None:
    assert set(names_below(glob)) == names


# --------------------------------------------------------------------------- files that nobody takes


@pytest.mark.parametrize(
    ("files", "markdown", "config", "told"),
    [
        (["deep/down.md"], '["*.md"]', "", "`deep/down.md`"),
        (["PLAN.MD", "other.markdown"], '["**/*.md"]', "", "2 files"),
        (["docs/a.markdown"], '["plan.md", "docs/**/*.md"]', "", "`docs/a.markdown`"),
        ([f"d/{n}.md" for n in "abcde"], '["*.md"]', "", "`d/a.md`, `d/b.md`, `d/c.md` and 2 more"),
        (["records/deep/a.json"], '["*.md"]', "", "`records/deep/a.json`"),
    ],
)
def test_a_file_beside_those_that_are_read_is_told(capfd, tmp_path, files, markdown, config, told):
    root = house(tmp_path, {"plan.md": PLAN, **dict.fromkeys(files, "x\n")}, markdown, config)
    code, findings, notes = checked(capfd, root)
    assert (code, findings) == (0, [])
    assert [note for note in notes if "no reader takes" in note and told in note]


@pytest.mark.parametrize(
    ("files", "markdown", "config"),
    [
        (["README.md"], '["plan.md", "docs/**/*.md"]', ""),
        (["deep/down.md"], '["*.md"]', "exclude: ['deep/**']\n"),
        (["plain/a.md"], '["**/*.md"]', ""),
        (["deep/plan.md"], '["plan.md"]', ""),
        (["other.yaml", "package.json", "notes.txt", "md"], '["*.md"]', ""),
    ],
    ids=[
        "where no reader looks",
        "left out by the root",
        "left out by the reader",
        "names picked",
        "other files",
    ],
)
def test_what_nobody_meant_to_be_read_is_not(capfd, tmp_path, files, markdown, config):
    root = house(tmp_path, {"plan.md": PLAN, **dict.fromkeys(files, "x\n")}, markdown, config)
    assert not [note for note in checked(capfd, root)[2] if "no reader takes" in note]


@pytest.mark.parametrize(
    ("glob", "folder"),
    [("*.md", ""), ("**/*.md", ""), ("**", ""), ("a/b/**/*.md", "a/b/"), ("a/*.md", "a/")]
    + [(glob, None) for glob in ("x.md", "**/x.md", "a-*.md", "*/b/*.md", "a?/*.md", "**/*-x.md")],
)
def test_the_folder_that_a_glob_takes(glob: str, folder: str | None) -> None:
    assert folder_of(glob) == folder


# --------------------------------------------------------------------------- readers that find nothing


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("# No task\n", ["reader `notes` found no item in 1 document: does its pattern fit?"]),
        ("# No\0\n", []),
    ],
    ids=["a pattern that does not fit", "a document that cannot be read, which is told already"],
)
def test_a_reader_that_finds_no_item(capfd, tmp_path, text, notes):
    root = house(tmp_path, {"plan.md": text}, '["*.md"]')
    assert checked(capfd, root)[2] == notes
