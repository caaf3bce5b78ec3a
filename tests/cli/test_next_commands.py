"""A command that is printed as the next step works as it stands, where the first one was run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cortex_policy.cli import _run
from tests.support import command, repository

FILES = {"a.md": "## T-1\n\nStatus: done\nNeeds: T-2\n\n## T-2\n\nStatus: draft\n"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "a house; of 'plans'", FILES)


def printed(text: str) -> list[str]:
    return re.findall(r"cortex-policy ([a-z].*?)`?$", text, re.MULTILINE)


SHIPPED = ["--pack", "starter"]


def configured(root: Path, packs: str) -> list[str]:
    """The arguments of a check of a root that has one finding, by the packs of its configuration."""
    (root / "cortex-policy.yaml").write_text(f"version: 1\npacks: [{packs}]\n")
    return [str(root)]


def own(root: Path) -> str:
    return str(root.parent / "tiny-pack")


@pytest.mark.parametrize(
    ("call", "repeated"),
    [
        (lambda root: [str(root), "--pack", own(root)], lambda root: ["--pack", own(root)]),
        (lambda root: configured(root, "../tiny-pack"), lambda root: ["--root", str(root)]),
        (lambda root: [str(root), "--pack", "starter"], lambda root: SHIPPED),
        (lambda root: configured(root, "starter"), lambda root: SHIPPED),
    ],
    ids=["own pack given", "own pack configured", "shipped pack given", "shipped pack configured"],
)
def test_the_help_of_a_finding_works_from_where_the_check_was_run(root: Path, call, repeated) -> None:
    (root / "b.md").write_text("---\nstatus: active\n---\n# B\n")
    found = command("check", *call(root), cwd=Path("/"))
    for text in sorted(set(printed(found.stdout.decode()))):
        name, code, *options = shlex.split(text)
        assert (name, options) == ("rule", repeated(root))
        page = command(name, code, *options, cwd=Path("/"))
        assert (page.returncode, page.stdout.decode().split()[0]) == (0, code)
    assert found.returncode == 1


def test_nothing_is_repeated_that_was_not_given(root: Path) -> None:
    found = command("check", cwd=root)
    assert set(printed(found.stdout.decode())) == {"rule TNY-TSK-001"}
    assert command("rule", "TNY-TSK-001", cwd=root).returncode == 0


def test_a_baseline_that_is_not_there_can_be_written_by_the_command_that_is_told(root: Path) -> None:
    told = command("check", str(root), "--baseline", "old one.json", cwd=Path("/")).stderr.decode()
    (next_one,) = printed(told)
    assert shlex.split(next_one) == ["check", str(root), "--format", "json", ">", "old one.json"]


def test_a_root_without_configuration_is_named_again(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a b").mkdir()
    assert _run(["check", str(tmp_path / "a b")]) == 2
    assert f"`cortex-policy init '{tmp_path / 'a b'}'`" in capfd.readouterr().err


def test_the_root_of_check_is_its_argument(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["check", "--root", "a b"]) == 2
    assert "takes its root as an argument: cortex-policy check 'a b'" in capfd.readouterr().err


def test_what_init_offers_starts_in_its_directory(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(["init", "new plans"]) == 0
    assert b"Next:\n  cd 'new plans'\n  cortex-policy check" in capfdbinary.readouterr().out
    assert _run(["init", "."]) == 0
    assert b"  cd " not in capfdbinary.readouterr().out


@pytest.mark.parametrize("call", [["check", ".", "--select", "ABC"], ["rule", "ABC"]])
def test_who_names_no_code_is_told_how_they_start(
    capfd: pytest.CaptureFixture[str], root: Path, monkeypatch: pytest.MonkeyPatch, call: list[str]
) -> None:
    monkeypatch.chdir(root)
    assert _run(call) == 2
    told = capfd.readouterr().err
    assert "help: codes start with CPX-" in told
    assert ", TNY-TSK\n" in told
