"""The gate of the first governed run on the real documents, at three points in time.

What the documents said after the packet, after the approval and after the consumption are three revisions of one
repository. The executor's facts are supplied as it would supply them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from cortex_policy.cli import _run

ITEM = "CTO-WORK-049"
DOCS = ".sot/03-PROTOCOLS"
ADMISSION = f"{DOCS}/CTO-CASE-STAGE5-TARGET-REPOSITORY-ADMISSION.json"
NOW = "2026-06-03T00:00:00Z"

APPROVED = ("*-GOVERNED-EXECUTION-REQUEST-*", "*-GOVERNED-EXECUTION-APPROVAL-*", "*-HERMES-APPROVAL-*")
"""What was written to ask for the approval and to record it."""
CONSUMED = (
    "*-WORKFLOW-EXECUTION-ATTEMPT.md",
    "*-WORKFLOW-SCOPE-CASE-EVIDENCE.md",
    "*-WORKFLOW-PASS-EVIDENCE.md",
    "*-GOVERNED-EXECUTION-EVIDENCE-*",
    "*-HERMES-CONSUMED-*",
    "*-HERMES-LIVE-SMOKE-*",
    "*-HERMES-REAL-REFRESH-*",
    "*-HERMES-WEBUI-*",
    "*-STAGE5-REPEATABILITY-*",
    "*-STAGE6-REAL-GOVERNED-*",
    "*-STAGE6-REPEATABILITY-*",
    "*-ENDGOAL-*",
    "*-CORE-*",
)
"""What was written when the run was over, and later."""

STATES = ("after-packet", "after-approval", "after-consumption")

SUPPLIED = {
    "allow_case": "1",
    "case_stage": "5",
    "target_admission_file": f"/home/svrnty/workspaces/cto/{ADMISSION}",
    "forbidden_paths": "union",
    "case_writes": "src/strings.py,test_strings.py",
    "provider_available": "true",
    "target_clean": "true",
    "review_trigger_fired": "false",
    "artifacts_fresh": "true",
    "health_before_merge": "true",
    "health_after_merge": "true",
}


def of(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def git(root: Path, *args: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", *args]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def history(corpus: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents as a repository with one tag for each point in time."""
    source = corpus("cortex")
    root = tmp_path_factory.mktemp("history")
    git(root, "init", "-q")
    files = sorted(path for path in source.rglob("*") if path.is_file())
    left_out = ((*APPROVED, *CONSUMED), CONSUMED, ())
    for state, later in zip(STATES, left_out, strict=True):
        for path in files:
            target = root / path.relative_to(source)
            if not of(later, path.name) and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        git(root, "add", "-A")
        git(root, "commit", "-qm", state)
        git(root, "tag", state)
    for patterns in (APPROVED, CONSUMED):
        assert sum(of(patterns, path.name) for path in files) >= len(patterns)
    return root


@pytest.fixture(scope="module")
def at(history: Path) -> Callable[[str], list[str]]:
    """The options that read one revision."""
    return lambda state: ["--root", str(history), "--at", state]


def ask(capfdbinary: Any, options: list[str], *args: str, supplied: dict[str, str] = SUPPLIED) -> Any:
    """The verdict on the item as JSON, with its exit code beside it."""
    given = [f"--set={name}={value}" for name, value in supplied.items()]
    base = ["gate", ITEM, "--gate", "run-admission", "--pack", "cortex", "--now", NOW, "--format", "json"]
    code = _run([*base, *options, *given, *args])
    written = capfdbinary.readouterr()
    assert code in (0, 1, 3), written.err
    return {**json.loads(written.out), "code": code}


def outcomes(found: Any) -> dict[str, str]:
    return {each["id"].partition("-")[0]: each["outcome"] for each in found["conditions"]}


def places(found: Any, condition: str) -> set[tuple[str, int]]:
    (each,) = [each for each in found["conditions"] if each["id"].startswith(f"{condition}-")]
    return {(Path(fact["path"]).name, fact["line"]) for fact in each["facts"]}


# --------------------------------------------------------------------------- the three points in time

T, F, U = "true", "false", "unknown"
ALWAYS = dict.fromkeys(
    (*(f"g{n:02d}" for n in range(1, 10)), "g14", "g16", "g17", "g18", "g19", "g34"), (T, T, T)
)
EXPECTED = {
    **ALWAYS,
    "g10": (U, T, T),
    "g11": (U, T, T),
    "g12": (U, T, F),
    "g13": (U, T, F),
    "g15": (U, T, T),
    "g20": (U, U, U),
    "g21": (F, F, F),
    "g22": (F, F, F),
    "g23": (F, F, F),
    "g24": (F, F, F),
    "g25": (U, U, U),
    "g26": (U, U, U),
    "g27": (F, F, F),
    "g28": (U, F, F),
    "g29": (U, U, F),
    "g30": (U, U, T),
    "g31": (U, U, T),
    "g32": (U, U, T),
    "g33": (U, U, T),
    "g35": (U, U, T),
    "g36": (U, U, F),
}
"""Each condition after the packet, after the approval, after the consumption, with all that an executor supplies."""


@pytest.mark.parametrize("number", range(3), ids=STATES)
def test_every_condition_has_the_right_outcome_at_each_point(number: int, capfdbinary: Any, at: Any) -> None:
    found = outcomes(ask(capfdbinary, at(STATES[number]), "--phase", "post"))
    assert found == {name: states[number] for name, states in EXPECTED.items()}


@pytest.mark.parametrize(
    ("state", "verdict", "code"),
    [("after-packet", "blocked", 3), ("after-approval", "allow", 0), ("after-consumption", "deny", 1)],
)
def test_profile_own_blocks_then_allows_then_denies(
    state: str, verdict: str, code: int, capfdbinary: Any, at: Any
) -> None:
    found = ask(capfdbinary, at(state), "--profile", "own")
    assert (found["verdict"], found["code"]) == (verdict, code)
    assert found["dispatches"] is False


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("profile", ["stage", "contract"])
def test_the_stricter_profiles_never_allow_and_say_why(
    state: str, profile: str, capfdbinary: Any, at: Any
) -> None:
    found = ask(capfdbinary, at(state), "--profile", profile)
    assert found["verdict"] == "deny"
    assert places(found, "g21") == {("CTO-CASE-SOURCE-ADMISSION-RECORD.md", 45)}
    assert ("CTO-CASE-STAGED-PROOF-GATES.md", 45) in places(found, "g20")
    if profile == "contract":
        assert ("CTO-CASE-SOURCE-ADMISSION-RECORD.md", 104) in places(found, "g22")
        assert places(found, "g23") == {("CTO-HARNESS-EVIDENCE-INTERFACE-CONTRACT.md", 4)}
        assert places(found, "g24") == {("CTO-CASE-ADAPTER-CONTRACT.md", 4)}


def test_what_was_used_up_is_shown_at_its_line(capfdbinary: Any, at: Any) -> None:
    found = ask(capfdbinary, at("after-consumption"), "--profile", "own")
    assert ("CTO-GOVERNED-EXECUTION-EVIDENCE-CLOSEOUT.md", 19) in places(found, "g12")
    assert ("CTO-GOVERNED-EXECUTION-EVIDENCE-CLOSEOUT.md", 19) in places(found, "g13")
    assert [c["id"] for c in found["conditions"] if c["counts"] and c["outcome"] == "false"] == [
        "g12-approval-unused",
        "g13-newest-record-allows",
    ]


def test_a_quotation_is_no_grant(capfdbinary: Any, at: Any, history: Path) -> None:
    """The request quotes the sentence word for word, and the packet holds it; before the approval nobody granted it."""
    git(history, "checkout", "-q", "-b", "no-grant", "after-approval")
    git(history, "rm", "-q", f"{DOCS}/CTO-GOVERNED-EXECUTION-APPROVAL-RECORD.md")
    git(history, "commit", "-qm", "no grant")
    found = ask(capfdbinary, at("no-grant"), "--profile", "own")
    assert found["verdict"] == "deny"
    assert outcomes(found)["g10"] == "unknown"
    assert outcomes(found)["g13"] == "false"
    assert ("CTO-GOVERNED-EXECUTION-REQUEST-RECORD.md", 24) in places(found, "g13")


@pytest.mark.parametrize(
    "missing",
    [
        name
        for name in SUPPLIED
        if name not in ("artifacts_fresh", "health_before_merge", "health_after_merge")
    ],
)
def test_what_nobody_supplies_is_unknown_and_blocks(missing: str, capfdbinary: Any, at: Any) -> None:
    supplied = {name: value for name, value in SUPPLIED.items() if name != missing}
    found = ask(capfdbinary, at("after-approval"), "--profile", "own", supplied=supplied)
    assert (found["verdict"], found["code"]) == ("blocked", 3)
    assert any(f"given.{missing}" in each["missing"] for each in found["conditions"])


def test_nothing_supplied_blocks_and_names_everything_that_only_the_caller_can_say(
    capfdbinary: Any, at: Any
) -> None:
    found = ask(capfdbinary, at("after-approval"), "--profile", "own", supplied={})
    assert found["verdict"] == "blocked"
    assert found["given"] == {}
    assert "given.target_clean" in found["unblock_open"]


def test_next_says_what_the_run_waits_for(capfdbinary: Any, at: Any) -> None:
    given = [f"--set={name}={value}" for name, value in SUPPLIED.items()]
    command = [
        "next",
        "--gate",
        "run-admission",
        "--pack",
        "cortex",
        "--profile",
        "own",
        "--format",
        "json",
        "--now",
        NOW,
    ]

    def agenda(state: str, *more: str) -> Any:
        assert _run([*command, *at(state), *more]) == 0
        return json.loads(capfdbinary.readouterr().out)

    assert [each["subject"] for each in agenda("after-approval", *given)["ready"]] == [ITEM]
    (waiting,) = agenda("after-approval")["blocked"]
    assert {cause["subject"] for cause in waiting["root_causes"]} >= {"given"}
    spent = agenda("after-consumption", *given)
    (waiting,) = spent["blocked"] + spent["dead_blocked"]
    assert waiting["conditions"] == ["g12-approval-unused", "g13-newest-record-allows"]
    assert [cause["subject"] for cause in waiting["root_causes"]] == [
        "consumption:CTO-GOVERNED-EXECUTION-EVIDENCE-CLOSEOUT"
    ]
