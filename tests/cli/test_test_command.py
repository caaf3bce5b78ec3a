"""`test`: exit codes, thresholds, and what each format shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cortex_policy.cli import EXIT_CLEAN, EXIT_FINDINGS, EXIT_USAGE, _run
from tests.docs.pages import named_files, write_files

HOUSE = named_files("docs/testing-rules.md")
SCENARIO = "policy/scenarios/moving.yaml"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_files(tmp_path, HOUSE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfdbinary: Any, *arguments: str) -> tuple[int, str, str]:
    code = _run(["test", *arguments])
    out, err = capfdbinary.readouterr()
    return code, out.decode(), err.decode()


def write(root: Path, text: str, name: str = SCENARIO) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def test_a_pack_in_order_passes(house: Path, capfdbinary: Any) -> None:
    code, out, err = run(capfdbinary)
    assert (code, err) == (EXIT_CLEAN, "")
    assert "2 scenarios, 0 failed" in out


def test_a_pack_without_scenarios_passes(house: Path, capfdbinary: Any) -> None:
    (house / SCENARIO).unlink()
    code, out, _ = run(capfdbinary)
    assert code == EXIT_CLEAN
    assert "scenario" not in out
    assert json.loads(run(capfdbinary, "--format", "json")[1])["scenarios"] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty\n  --> policy/scenarios/moving.yaml:1:1"),
        ("scenario: [", "moving.yaml:1:1"),
        ("\0", "moving.yaml:1:1"),
        ("- {scenario: one, documents: {}, expect: {findings: []}}", "moving.yaml:1:30"),
        ("- {scenario: one, documents: {a.md: x}, expect: {}}", "moving.yaml:1:49"),
        (
            "- {scenario: one, documents: {a.md: x}, expect: {findings: [{rule: PLAN-BLK-009}]}}",
            "moving.yaml:1:68",
        ),
        (
            "- {scenario: one, documents: {a.md: x}, expect: {gates: [{gate: go, subject: x, verdict: allow}]}}",
            "moving.yaml:1:65",
        ),
        (
            "- {scenario: one, documents: {a.md: x}, expect: {findings: [{rule: PLAN-BLK-001, line: 7}]}}",
            "moving.yaml:1:88",
        ),
    ],
)
def test_a_scenario_that_means_nothing_is_a_mistake_with_its_place(
    house: Path, capfdbinary: Any, text: str, message: str
) -> None:
    write(house, text)
    code, out, err = run(capfdbinary)
    assert (code, out) == (EXIT_USAGE, "")
    assert message in err


def test_check_does_not_read_scenarios(house: Path, capfdbinary: Any) -> None:
    write(house, "[")
    write(house, "## TASK-1: measure\nStatus: open\n", "plan.md")
    assert _run(["check"]) == EXIT_CLEAN


def test_a_failure_is_told_with_its_proof(house: Path, capfdbinary: Any) -> None:
    write(house, HOUSE[SCENARIO].replace("value: open", "value: done"))
    code, out, _ = run(capfdbinary)
    assert code == EXIT_FINDINGS
    told = out[: out.index("not covered")].splitlines()
    assert told == [
        "failed policy the move waits for the measuring  policy/scenarios/moving.yaml:1",
        "  expected `blockers` to be decided by TASK-1.status = done at plan.md:2 that reads `Status: open`, "
        "got TASK-2.blocked_by = TASK-1 at plan.md:6, TASK-1.status = open at plan.md:2",
        "    false   blockers of TASK-2",
        '        t.blocked_by.all(b, b.status == "done")',
        "          TASK-2.blocked_by = TASK-1  plan.md:6:1",
        '          false   b = TASK-1: b.status == "done"',
        "                    TASK-1.status = open  plan.md:2:1",
        "",
    ]


def test_text_of_scenarios_is_escaped(house: Path, capfdbinary: Any) -> None:
    write(
        house,
        HOUSE[SCENARIO].replace("line: 6", "line: 5").replace("the move", '"\\e[31m\\u202ethe move"\n#'),
    )
    for form in ("text", "json", "junit"):
        code, out, _ = run(capfdbinary, "--format", form)
        assert code == EXIT_FINDINGS
        assert "\x1b" not in out
        assert "\u202e" not in out


# ------------------------------------------------------------------ thresholds


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        ([], EXIT_CLEAN, []),
        (["0"], EXIT_CLEAN, []),
        (["87.5"], EXIT_CLEAN, []),
        (["87.51"], EXIT_FINDINGS, ["conditions"]),
        (["100"], EXIT_FINDINGS, ["conditions", "branches"]),
        (["rules=100"], EXIT_CLEAN, []),
        (["branches=100"], EXIT_FINDINGS, ["branches"]),
        (["100", "conditions=80", "branches=90"], EXIT_CLEAN, []),
        (["conditions=80", "branches=90", "100"], EXIT_CLEAN, []),
        (["conditions=80", "conditions=100"], EXIT_FINDINGS, ["conditions"]),
    ],
)
def test_a_threshold_fails_the_levels_below_it(
    house: Path, capfdbinary: Any, given: list[str], code: int, told: list[str]
) -> None:
    options = [part for text in given for part in ("--threshold", text)]
    done, out, _ = run(capfdbinary, *options)
    assert done == code
    below = [line.split()[0] for line in out.splitlines() if "below the threshold" in line]
    assert below == told
    value = json.loads(run(capfdbinary, *options, "--format", "json")[1])["coverage"]
    assert [level for level in ("rules", "conditions", "branches") if not value[level]["reached"]] == told
    suite = ET.fromstring(run(capfdbinary, *options, "--format", "junit")[1])
    failed = [case.attrib["name"].split()[0] for case in suite.iter("testcase") if len(case)]
    assert failed == told


@pytest.mark.parametrize("given", ["-1", "101", "x", "", "nan", "rules=", "rules=x", "lines=5", "=5 "])
def test_a_threshold_that_is_none_is_a_wrong_call(house: Path, capfdbinary: Any, given: str) -> None:
    code, out, err = run(capfdbinary, "--threshold", given)
    assert (code, out) == (EXIT_USAGE, "")
    assert "is no percentage" in err or "is no level of coverage" in err


# ------------------------------------------------------------------ JUnit


def test_junit_has_a_case_for_each_test_and_counts_them(house: Path, capfdbinary: Any) -> None:
    write(house, HOUSE[SCENARIO].replace("line: 6", "line: 5"))
    code, out, _ = run(capfdbinary, "--format", "junit", "--threshold", "100")
    assert code == EXIT_FINDINGS
    root = ET.fromstring(out)
    assert root.tag == "testsuites"
    (suite,) = root
    cases = suite.findall("testcase")
    names = {(case.attrib["classname"], case.attrib["name"]) for case in cases}
    assert {("PLAN-BLK-001", "pass 1 (pass)"), ("start", "blocked 1 (blocked)")} <= names
    assert {("policy", "what was done is open again"), ("coverage", "branches reach 100 %")} <= names
    assert all({"name", "classname", "time"} <= case.attrib.keys() and len(case) <= 1 for case in cases)
    failed = [case for case in cases if case.find("failure") is not None]
    for element in (root, suite):
        assert element.attrib["tests"] == str(len(cases)) == "13"
        assert element.attrib["failures"] == str(len(failed)) == "3"
        assert (element.attrib["errors"], element.attrib["skipped"]) == ("0", "0")
    (miss,) = [case for case in failed if case.attrib["classname"] == "policy"]
    assert (miss.attrib["file"], miss.attrib["line"]) == (SCENARIO, "1")
    failure = miss.find("failure")
    assert failure is not None
    assert "at plan.md:5" in failure.attrib["message"]
    assert 'b = TASK-1: b.status == "done"' in str(failure.text)


# ------------------------------------------------------------------ the packs that ship


def test_the_packs_that_ship_are_covered(
    capfdbinary: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--threshold", "100", "--threshold", "branches=94", "--format", "json"]
    code, out, _ = run(capfdbinary, *options)
    value = json.loads(out)
    assert [gap for gap in value["coverage"]["uncovered"] if gap["level"] != "branches"] == []
    assert [tried["problem"] for tried in (*value["examples"], *value["scenarios"]) if not tried["ok"]] == []
    assert {tried["pack"] for tried in value["scenarios"]} == {"cortex", "starter"}
    assert code == EXIT_CLEAN
