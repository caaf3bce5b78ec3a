"""The small repositories that a newcomer runs first: one in order, one with a fault in every corner."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cortex_policy.app.checking import Selection, check
from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.app.reading import read_project
from cortex_policy.model import CheckResult, Outcome

CHECKOUT = Path(__file__).parents[2]
EXAMPLES = CHECKOUT / "sot_examples"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROW = re.compile(
    r"^\| (?P<fault>[^|]+) \| (?P<code>[A-Z]+-[A-Z]+-\d{3}) \| `(?P<path>[^`]+):(?P<line>\d+)` \|$"
)


def checked(root: Path) -> CheckResult:
    project = open_project(root, ())
    return check(read_project(project, load_ruleset(project), NOW), Selection())


def planted() -> list[tuple[str, str, int]]:
    """The table of the README: code, path and line of each fault."""
    text = (EXAMPLES / "faulty" / "README.md").read_text(encoding="utf-8")
    rows = [ROW.match(line) for line in text.splitlines()]
    return [(row["code"], row["path"], int(row["line"])) for row in rows if row is not None]


def found(result: CheckResult) -> list[tuple[str, str, int]]:
    return [(f.rule, f.locations[0].path, f.locations[0].line) for f in result.findings]


def run(*arguments: str, directory: Path = CHECKOUT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cortex_policy", *arguments],
        cwd=directory,
        env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


# --------------------------------------------------------------------------- clean


def test_the_clean_example_has_no_finding_of_any_severity() -> None:
    result = checked(EXAMPLES / "clean")
    assert [(f.rule, f.message) for f in result.findings] == []
    assert result.exempt == 0


def test_the_clean_example_holds_every_kind_of_document() -> None:
    """INVARIANT: a check that met nothing is no evidence of order."""
    project = open_project(EXAMPLES / "clean", ())
    reading = read_project(project, load_ruleset(project), NOW)
    kinds = {document.kind for document in reading.graph.documents}
    assert kinds >= {"prd", "issues", "closeout", "record", "packet", "intent", "workboard"}
    assert kinds >= {"model-admissions", "target-admissions"}
    statuses = {item.values["status"] for item in reading.facts.items["work_item"]}
    assert {"validated", "candidate"} <= statuses


@pytest.mark.parametrize("document", sorted(p.name for p in (EXAMPLES / "clean").rglob("*-PRD.md")))
def test_the_clean_example_does_not_stay_clean_without_one_of_its_requirements(
    document: str, tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLES / "clean", tmp_path / "copy")
    for path in (tmp_path / "copy").rglob(document):
        path.unlink()
    assert checked(tmp_path / "copy").findings


# --------------------------------------------------------------------------- faulty


def test_every_planted_fault_is_found_at_its_line_and_nothing_else_is() -> None:
    assert sorted(found(checked(EXAMPLES / "faulty"))) == sorted(planted())


def test_every_planted_fault_is_false_and_none_merely_undecided() -> None:
    outcomes = {finding.outcome for finding in checked(EXAMPLES / "faulty").findings}
    assert outcomes == {Outcome.FALSE}


def test_there_are_a_dozen_faults_and_more_each_of_its_own_kind() -> None:
    codes = {code for code, _, _ in planted()}
    assert len(codes) >= 12
    assert len(planted()) == len(set(planted()))


def test_a_finding_that_names_a_second_place_names_another_one() -> None:
    for finding in checked(EXAMPLES / "faulty").findings:
        places = [(place.path, place.line, place.column) for place in finding.locations]
        assert len(places) == len(set(places)), finding.rule


@pytest.mark.parametrize("path", sorted({path for _, path, _ in planted()}))
def test_mending_one_document_removes_faults_from_it(path: str, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(EXAMPLES / "faulty", root)
    before = [place for place in found(checked(root)) if place[1] == path]
    shutil.copy(EXAMPLES / "clean" / path, root / path)
    after = [place for place in found(checked(root)) if place[1] == path]
    assert len(after) < len(before)


# --------------------------------------------------------------------------- both


@pytest.mark.parametrize(("example", "code"), [("clean", 0), ("faulty", 1)])
def test_the_command_ends_as_the_example_is_called(example: str, code: int) -> None:
    inside = run("check", "--format", "concise", directory=EXAMPLES / example)
    outside = run("check", f"sot_examples/{example}", "--format", "concise")
    assert (inside.returncode, outside.returncode) == (code, code)
    assert inside.stdout == outside.stdout
    assert inside.stderr == outside.stderr == ""


@pytest.mark.parametrize("example", ["clean", "faulty"])
def test_every_command_that_a_readme_shows_works(example: str) -> None:
    text = (EXAMPLES / example / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"`cortex-policy ([^`]+)`", text)
    assert commands
    for command in commands:
        ran = run(*command.split())
        assert ran.returncode == (1 if "check sot_examples/faulty" in command else 0), (command, ran.stderr)
        assert ran.stdout, command


@pytest.mark.parametrize("example", ["clean", "faulty"])
def test_ids_are_of_our_own_series(example: str) -> None:
    ids = [
        int(number)
        for path in (EXAMPLES / example).rglob("*")
        if path.is_file()
        for number in re.findall(r"CTO-WORK-(\d+)", path.read_text(encoding="utf-8"))
    ]
    assert ids
    assert all(400 <= number < 500 for number in ids)
