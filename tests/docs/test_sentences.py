"""Sentences of the documentation that no table holds, each tried on the program."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from tests.docs.pages import text_of
from tests.support import PACK, command, repository, write


def said(page: str, sentence: str) -> bool:
    return sentence in " ".join(text_of(page).split())


def test_a_finding_below_the_severity_fails_its_test_case_and_not_the_check(tmp_path: Path) -> None:
    sentence = "also one below `--severity`, which decides the exit code alone"
    assert said("docs/output-formats.md", sentence)
    root = repository(
        tmp_path / "r", {"a.md": "## T-1\n\nStatus: done\nNeeds: T-2\n\n## T-2\n\nStatus: draft\n"}
    )
    rules = PACK["rules/rules.yaml"].replace("severity: error", "severity: warning")
    write(tmp_path / "tiny-pack", {"rules/rules.yaml": rules})
    found = command("check", "--format", "junit", "--severity", "error", cwd=root)
    suite = next(ET.fromstring(found.stdout).iter("testsuite"))
    assert (found.returncode, suite.get("failures")) == (0, "1")
    ignored = command("check", "--format", "junit", "--ignore", "TNY-TSK-001", cwd=root)
    assert next(ET.fromstring(ignored.stdout).iter("testsuite")).get("failures") == "0"


def test_help_is_laid_out_for_80_columns_and_a_complaint_is_not(tmp_path: Path) -> None:
    assert said("docs/contract.md", "the pages of `--help` are laid out for 80 columns at most, everywhere")
    for width in ("40", "300"):
        shown = command("check", "--help", env={"COLUMNS": width}).stdout.decode()
        assert max(map(len, shown.splitlines())) <= 80
    name = "x" * 150 + " " + "y" * 50
    told = command("check", name, cwd=tmp_path, env={"COLUMNS": "40"}).stderr.decode()
    assert f"no such directory: `{name}`" in told


def completed(words: str) -> list[str]:
    env = {
        "_CORTEX_POLICY_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    return command(env=env).stdout.decode().split()


def test_completion_knows_commands_options_files_and_listed_values() -> None:
    assert said(
        "docs/ci.md", "Completes commands, options, files, and the values that the help of an option lists"
    )
    assert completed("cortex-policy che") == ["plain,check"]
    assert completed("cortex-policy check --sev") == ["plain,--severity"]
    assert completed("cortex-policy check doc") == ["file,doc"]
    assert completed("cortex-policy check --format s") == ["plain,sarif"]
