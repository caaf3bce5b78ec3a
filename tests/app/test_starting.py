"""`init`: everything or nothing, inside the directory only, and what it writes passes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from cortex_policy.app.checking import Selection, check
from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.app.reading import read_project
from cortex_policy.app.starting import FILES, SNIPPETS, next_steps, start
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import CheckResult

CHECKOUT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def tree(directory: Path) -> dict[str, str]:
    """Every file below, by name, with its text; a link as such."""
    return {
        path.relative_to(directory).as_posix(): "-> link" if path.is_symlink() else path.read_text()
        for path in sorted(directory.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def refused(directory: Path, *, force: bool = False) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        start(directory, force=force)
    return [problem.message for problem in raised.value.problems]


def checked(root: Path) -> CheckResult:
    project = open_project(root, ())
    return check(read_project(project, load_ruleset(project), NOW), Selection())


# --------------------------------------------------------------------------- dark cases


@pytest.mark.parametrize("name", FILES)
def test_one_file_that_exists_forbids_all_of_them(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    assert refused(tmp_path) == [f"`{tmp_path / name}` exists"]
    assert tree(tmp_path) == {name: "mine"}


def test_every_file_that_exists_is_named_at_once(tmp_path: Path) -> None:
    start(tmp_path, force=False)
    assert refused(tmp_path) == [f"`{tmp_path / name}` exists" for name in FILES]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_a_link_in_place_of_a_file_is_never_followed(name: str, force: bool, tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside.txt", tmp_path / "inside"
    outside.write_text("not yours")
    (inside / name).parent.mkdir(parents=True)
    (inside / name).symlink_to(outside)
    assert refused(inside, force=force) == [f"`{inside / name}` is a link, which is not followed"]
    assert outside.read_text() == "not yours"
    assert list(tree(inside)) == [name]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("folder", ["docs", "docs/decisions"])
def test_a_link_in_place_of_a_folder_is_never_followed(folder: str, force: bool, tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    (inside / folder).parent.mkdir(parents=True)
    (inside / folder).symlink_to(outside)
    assert refused(inside, force=force) == [f"`{inside / folder}` is a link, which is not followed"]
    assert tree(outside) == {}
    assert list(tree(inside)) == [folder]


def test_a_link_that_leads_nowhere_is_no_free_name(tmp_path: Path) -> None:
    link = tmp_path / "WORKBOARD.yaml"
    link.symlink_to(tmp_path.parent / "later")
    assert refused(tmp_path, force=True) == [f"`{link}` is a link, which is not followed"]


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_in_place_of_a_file_and_a_file_in_place_of_a_folder(force: bool, tmp_path: Path) -> None:
    (tmp_path / "WORKBOARD.yaml").mkdir()
    (tmp_path / "docs").write_text("mine")
    assert refused(tmp_path, force=force) == [
        f"`{tmp_path / 'WORKBOARD.yaml'}` is not a file",
        f"`{tmp_path / 'docs'}` is not a directory",
    ]
    assert tree(tmp_path) == {"docs": "mine"}


@pytest.mark.parametrize("force", [False, True])
def test_a_directory_that_is_a_file(force: bool, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("mine")
    assert refused(tmp_path / "here", force=force) == [f"`{tmp_path / 'here'}` is no directory"]


def test_a_directory_that_is_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(tmp_path / "gone")
    assert refused(tmp_path / "here") == [f"`{tmp_path / 'here'}` is no directory"]
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("existing", [False, True], ids=["new directory", "existing directory"])
def test_a_failure_half_way_leaves_nothing_new(
    existing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "some" / "plans"
    if existing:
        (root / "docs").mkdir(parents=True)
        (root / "docs" / "mine.md").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    real = os.open

    def full(path: str | Path, *rest: int, **more: int) -> int:
        if Path(path).name == list(FILES)[-1].rsplit("/", 1)[-1]:
            raise OSError(28, "No space left on device")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", full)
    assert refused(root) == [f"cannot write `{root / list(FILES)[-1]}`: no space left on device"]
    assert sorted(tmp_path.rglob("*")) == before


def test_cleaning_up_leaves_what_somebody_else_wrote_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "plans"
    real = os.open

    def crowded(path: str | Path, *rest: int, **more: int) -> int:
        if Path(path).name == list(FILES)[-1].rsplit("/", 1)[-1]:
            (root / "docs" / "theirs.md").write_text("theirs")
            raise OSError(28, "No space left on device")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", crowded)
    assert refused(root) == [f"cannot write `{root / list(FILES)[-1]}`: no space left on device"]
    assert tree(root) == {"docs/theirs.md": "theirs"}


def test_a_hard_link_elsewhere_keeps_its_text_under_force(tmp_path: Path) -> None:
    other, root = tmp_path / "other.yaml", tmp_path / "plans"
    other.write_text("not yours")
    root.mkdir()
    os.link(other, root / "WORKBOARD.yaml")
    start(root, force=True)
    assert other.read_text() == "not yours"
    assert (root / "WORKBOARD.yaml").read_text() == FILES["WORKBOARD.yaml"]


# --------------------------------------------------------------------------- what is written


@pytest.mark.parametrize("name", ["", "new", "new/and/deeper"])
def test_what_it_writes_passes_and_is_more_than_nothing(name: str, tmp_path: Path) -> None:
    root = tmp_path / name
    written = start(root, force=False)
    assert written == tuple(str(root / name) for name in FILES)
    assert tree(root) == dict(FILES)
    result = checked(root)
    assert [(f.rule, f.message) for f in result.findings] == []
    assert (result.documents, result.items) == (3, 3)


def test_a_link_to_the_directory_itself_is_the_callers_own_choice(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    start(tmp_path / "link", force=False)
    assert tree(tmp_path / "real") == dict(FILES)


def test_force_overwrites_its_own_files_and_no_others(tmp_path: Path) -> None:
    start(tmp_path, force=False)
    (tmp_path / "docs" / "mine.md").write_text("mine")
    (tmp_path / "WORKBOARD.yaml").write_text("broken: [")
    start(tmp_path, force=True)
    assert tree(tmp_path) == {**FILES, "docs/mine.md": "mine"}


@pytest.mark.parametrize(
    ("name", "old", "new", "codes"),
    [
        ("docs/opening-hours-prd.md", "in progress", "done", ["SOT-BRD-001", "SOT-STA-003"]),
        ("docs/opening-hours-prd.md", "Status: in progress\n", "", ["SOT-STA-001"]),
        ("docs/opening-hours-prd.md", "WORK-1 - ", "WORK-3 - ", ["SOT-BRD-002", "SOT-BRD-003"]),
        ("docs/decisions/one-week.md", "Accepted by: Ada", "Liked by: Ada", ["SOT-DEC-002"]),
        ("docs/decisions/one-week.md", "DEC-1 - ", "DEC-2 - ", ["SOT-REF-001"]),
        ("WORKBOARD.yaml", "status: done", "status: dropped", ["SOT-BRD-001"]),
    ],
)
def test_the_example_is_watched(name: str, old: str, new: str, codes: list[str], tmp_path: Path) -> None:
    start(tmp_path, force=False)
    text = (tmp_path / name).read_text()
    assert text.count(old) == 1
    (tmp_path / name).write_text(text.replace(old, new))
    assert sorted(finding.rule for finding in checked(tmp_path).findings) == codes


def test_what_the_configuration_offers_in_comments_can_be_used(tmp_path: Path) -> None:
    start(tmp_path, force=False)
    path = tmp_path / "cortex-policy.yaml"
    offered = re.sub(r"^# (?=\w+: )", "", path.read_text(), flags=re.MULTILINE)
    assert set(yaml.safe_load(offered)) == {"version", "packs", "exclude", "truncated"}
    path.write_text(offered)
    project = open_project(tmp_path, ())
    assert project.exclude and project.truncated


# --------------------------------------------------------------------------- what is printed


def snippet(after: str) -> object:
    """The indented YAML that follows a sentence of the printed text."""
    block = SNIPPETS.split(after, 1)[1].split("\n\n", 2)[1]
    return yaml.safe_load(block)


def test_the_hook_that_is_offered_exists() -> None:
    hooks = {hook["id"] for hook in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())}
    found = snippet(".pre-commit-config.yaml:")
    assert isinstance(found, dict)
    assert {hook["id"] for repo in found["repos"] for hook in repo["hooks"]} <= hooks


def test_the_workflow_that_is_offered_is_one_and_uses_only_inputs_that_exist() -> None:
    inputs = set(yaml.safe_load((CHECKOUT / "action.yml").read_text())["inputs"])
    found = snippet(".github/workflows/policy.yml:")
    assert isinstance(found, dict)
    steps = found["jobs"]["check"]["steps"]
    ours = [step for step in steps if "/cortex-policy@" in step["uses"]]
    assert len(ours) == 1
    assert set(ours[0].get("with", {})) <= inputs
    assert found["permissions"] == {"contents": "read"}


def test_the_commands_that_are_offered_exist(tmp_path: Path) -> None:
    start(tmp_path, force=False)
    commands = re.findall(r"^  cortex-policy (\w+) ", SNIPPETS, re.MULTILINE)
    assert commands[0] == "check"
    for command in commands:
        ran = subprocess.run(
            [sys.executable, "-m", "cortex_policy", command],
            cwd=tmp_path,
            env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, ""), command


def test_the_command_line_writes_and_refuses_with_the_promised_exit_codes(tmp_path: Path) -> None:
    def init(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cortex_policy", "init", "plans", *options],
            cwd=tmp_path,
            env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    first, second, third = init(), init(), init("--force")
    assert (first.returncode, second.returncode, third.returncode) == (0, 2, 0)
    assert (
        first.stdout
        == third.stdout
        == "".join(f"wrote plans/{name}\n" for name in FILES) + next_steps(Path("plans"))
    )
    assert second.stdout == ""
    assert all(f"`plans/{name}` exists" in second.stderr for name in FILES)
