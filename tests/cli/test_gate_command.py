"""`gate` and `next` on the command line: exit codes, JSON of the contract, 80 columns, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cortex_policy.app.gating import gate_verdict, next_steps
from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.app.reading import read_project
from cortex_policy.cli import _run
from cortex_policy.model import Inputs
from cortex_policy.report.agenda import render_agenda
from cortex_policy.report.gate import CLAIMED, MAX_MEMBERS, render_gate, render_gate_json
from cortex_policy.report.style import Style
from tests.git import GitRepository
from tests.report.hostile import HOSTILE, raw_hidden
from tests.support import CHECKOUT, NOW, repository, write

EXAMPLE = CHECKOUT / "sot_examples" / "gates"
TIME = "2026-01-31T12:00:00Z"
CONTRACT = ["schema_version", "gate", "subject", "profile", "verdict", "conditions", "unblock", "inputs"]
CONDITION = ["id", "phase", "outcome", "expression", "facts", "missing", "why"]
FACT = ["name", "value", "path", "line", "column"]
INPUTS = Inputs("sha256:0", "sha256:0", TIME, "worktree")
FRONT = "---\ntype: prd\nstatus: active\n---\n"


def run(capfdbinary: Any, *args: str) -> tuple[int, str, str]:
    code = _run(args)
    written = capfdbinary.readouterr()
    return code, written.out.decode(), written.err.decode()


def as_json(capfdbinary: Any, *args: str) -> Any:
    _, out, _ = run(capfdbinary, *args, "--format", "json", "--now", TIME)
    return json.loads(out)


def plan(root: Path, text: str) -> Path:
    return write(root, {"cortex-policy.yaml": "version: 1\npacks: [starter]\n", "docs/plan.md": FRONT + text})


# --------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["WORK-4"], 0),
        (["WORK-4", "--phase", "post"], 1),
        (["WORK-5"], 1),
        (["WORK-3"], 3),
        (["WORK-99"], 3),
        (["WORK-3", "--gate", "start-work", "--profile", "ready"], 3),
        (["WORK-3", "--trust", "documents"], 3),
        (["WORK-3", "--trust", "verified"], 2),
        (["WORK-3", "--gate", "strat-work"], 2),
        (["WORK-3", "--profile", "redy"], 2),
        (["WORK-3", "--now", "noon"], 2),
        (["WORK-3", "--pack", "cortex"], 2),
        ([], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_the_exit_code_is_the_verdict(args: list[str], code: int, capfdbinary: Any) -> None:
    assert run(capfdbinary, "gate", "--root", str(EXAMPLE), *args)[0] == code


def test_no_document_is_no_verdict(tmp_path: Path, capfdbinary: Any) -> None:
    write(tmp_path, {"cortex-policy.yaml": "version: 1\npacks: [starter]\n"})
    for args in (["gate", "WORK-1"], ["next"]):
        code, out, err = run(capfdbinary, *args, "--root", str(tmp_path))
        assert (code, out) == (3, "")
        assert err.startswith("undecided: no document")


def test_where_the_root_has_an_authority_claims_are_not_enough_unless_asked_for(
    tmp_path: Path, capfdbinary: Any
) -> None:
    root = shutil.copytree(EXAMPLE, tmp_path / "root")
    write(root, {"authority.yaml": "version: 1\n"})
    code, out, err = run(capfdbinary, "gate", "WORK-4", "--root", str(root))
    assert (code, out) == (2, "")
    assert "trust `verified` is not there yet" in err
    assert run(capfdbinary, "gate", "WORK-4", "--root", str(root), "--trust", "documents")[0] == 0
    assert run(capfdbinary, "next", "--root", str(root))[0] == 2
    assert run(capfdbinary, "next", "--root", str(root), "--trust", "documents")[0] == 0


# --------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("subject", ["WORK-3", "WORK-4", "WORK-5", "WORK-99"])
def test_the_json_is_that_of_the_contract_key_by_key(subject: str, capfdbinary: Any) -> None:
    found = as_json(capfdbinary, "gate", subject, "--root", str(EXAMPLE))
    assert list(found)[: len(CONTRACT)] == CONTRACT
    for condition in found["conditions"]:
        assert list(condition)[: len(CONDITION)] == CONDITION
        assert all(list(fact)[: len(FACT)] == FACT for fact in condition["facts"])
    schema = json.loads((CHECKOUT / "schemas" / "gate.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)
    assert (found["trust"], found["dispatches"]) == ("documents", False)


def test_the_unblock_sets_are_those_of_the_contract(capfdbinary: Any) -> None:
    accepted = {"subject": "DEC-1", "field": "status", "to": "accepted"}
    assert as_json(capfdbinary, "gate", "WORK-3", "--root", str(EXAMPLE))["unblock"] == [
        [accepted, {"subject": "WORK-2", "field": "status", "to": "done"}],
        [accepted, {"subject": "WORK-2", "field": "status", "to": "dropped"}],
    ]


def test_the_three_lists_of_next(capfdbinary: Any) -> None:
    found = as_json(capfdbinary, "next", "--root", str(EXAMPLE))
    schema = json.loads((CHECKOUT / "schemas" / "next.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)
    assert found["ready"] == [{"subject": "WORK-4"}]
    assert [(w["subject"], [c["subject"] for c in w["root_causes"]]) for w in found["blocked"]] == [
        ("WORK-2", ["WORK-2"]),
        ("WORK-3", ["DEC-1", "WORK-2"]),
    ]
    assert [w["subject"] for w in found["dead_blocked"]] == ["WORK-5"]


def test_the_same_documents_give_the_same_bytes(capfdbinary: Any) -> None:
    args = ["gate", "WORK-3", "--root", str(EXAMPLE), "--now", TIME]
    assert run(capfdbinary, *args) == run(capfdbinary, *args)


# --------------------------------------------------------------------------- at a revision


def test_gate_and_next_read_a_revision_and_not_the_work_tree(tmp_path: Path, capfdbinary: Any) -> None:
    """Two revisions in which the item has another name; in the work tree it has none."""
    shutil.copytree(EXAMPLE, tmp_path / "root")
    repo = GitRepository(tmp_path / "root")
    plan = repo.root / "docs" / "plan.md"
    ready = repo.commit({})
    text = plan.read_text("utf-8")
    renamed = repo.commit({"docs/plan.md": text.replace("WORK-4", "WORK-44")})
    plan.write_text(text.replace("WORK-4", "WORK-45"), "utf-8")
    root = ["--root", str(repo.root)]
    found = as_json(capfdbinary, "gate", "WORK-4", "--at", ready, *root)
    assert (found["verdict"], found["inputs"]["revision"]) == ("allow", ready)
    schema = json.loads((CHECKOUT / "schemas" / "gate.schema.json").read_text("utf-8"))
    jsonschema.validate(found, schema)
    assert as_json(capfdbinary, "gate", "WORK-4", "--at", renamed, *root)["verdict"] == "blocked"
    assert as_json(capfdbinary, "gate", "WORK-44", "--at", renamed, *root)["verdict"] == "allow"
    assert as_json(capfdbinary, "next", "--at", ready, *root)["ready"] == [{"subject": "WORK-4"}]
    later = as_json(capfdbinary, "next", "--at", renamed, *root)
    assert (later["ready"], later["inputs"]["revision"]) == ([{"subject": "WORK-44"}], renamed)
    assert run(capfdbinary, "gate", "WORK-4", *root)[0] == 3


@pytest.mark.parametrize("command", [["gate", "WORK-4"], ["next"]])
def test_a_revision_that_is_not_there_decides_nothing(
    tmp_path: Path, capfdbinary: Any, command: list[str]
) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "root")
    repo = GitRepository(tmp_path / "root")
    repo.commit({})
    code, out, err = run(capfdbinary, *command, "--at", "nowhere", "--root", str(repo.root))
    assert (code, out) == (2, "")
    assert "nowhere" in err


def test_the_authority_is_that_of_the_revision(tmp_path: Path, capfdbinary: Any) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "root")
    repo = GitRepository(tmp_path / "root")
    before = repo.commit({})
    since = repo.commit({"authority.yaml": "version: 1\n"})
    (repo.root / "authority.yaml").unlink()
    args = ["gate", "WORK-4", "--now", TIME, "--root", str(repo.root), "--at"]
    assert run(capfdbinary, *args, before)[0] == 0
    code, _, err = run(capfdbinary, *args, since)
    assert code == 2
    assert "authority.yaml" in err


# --------------------------------------------------------------------------- text


def shown(root: Path, subject: str, width: int | None = None) -> str:
    project = open_project(root, ())
    reading = read_project(project, load_ruleset(project), NOW)
    return render_gate(gate_verdict(reading, subject, "", "", "pre"), INPUTS, style=Style(width=width))


@pytest.mark.parametrize("subject", ["WORK-3", "WORK-4", "WORK-5", "WORK-99"])
def test_a_proof_fits_into_80_columns(subject: str) -> None:
    lines = shown(EXAMPLE, subject, 80).splitlines()
    assert max(len(line) for line in lines) <= 80


def test_next_fits_into_80_columns() -> None:
    project = open_project(EXAMPLE, ())
    found = next_steps(read_project(project, load_ruleset(project), NOW), "", "")
    assert max(len(line) for line in render_agenda(found, INPUTS, style=Style(width=80)).splitlines()) <= 80


def test_the_text_says_on_whose_word_it_was_taken() -> None:
    assert CLAIMED in shown(EXAMPLE, "WORK-3")
    assert "never dispatches" in CLAIMED


def test_each_fact_stands_with_path_and_line() -> None:
    text = shown(EXAMPLE, "WORK-3")
    assert "WORK-2.status has no value  docs/plan.md:15:4: ## WORK-2 - Write the receipt" in text
    assert "WORK-1.status = done  docs/plan.md:11:1" in text
    assert "missing: WORK-2.status" in text


def test_a_long_list_of_members_is_cut_and_counted(tmp_path: Path) -> None:
    names = [f"WORK-{number}" for number in range(2, MAX_MEMBERS + 7)]
    items = "".join(f"## {name} - Part\nStatus: open\n\n" for name in names)
    root = plan(
        tmp_path, f"## WORK-1 - All\nStatus: open\nBlocked by: {', '.join(names)}\n\n- [ ] box\n\n{items}"
    )
    text = shown(root, "WORK-1")
    assert "and 5 more members" in text
    assert "the search reached a limit: there may be others" in text
    assert text.count(".status -> done") == len(names)


def test_a_circle_shows_its_way_round_and_that_nothing_helps(tmp_path: Path) -> None:
    one = "## WORK-1 - One\nStatus: open\nBlocked by: WORK-2\n\n- [ ] box\n\n"
    root = plan(tmp_path, one + "## WORK-2 - Two\nStatus: open\nBlocked by: WORK-1\n")
    text = shown(root, "WORK-1")
    assert "WORK-1 -> WORK-2  docs/plan.md:7:13" in text
    assert "WORK-2 -> WORK-1  docs/plan.md:13:13" in text
    assert "nothing that is marked as actionable would unblock it" in text


def test_a_value_that_nobody_can_propose_is_named(tmp_path: Path) -> None:
    root = plan(tmp_path, "## WORK-1 - One\nStatus: open\n")
    assert "WORK-1.criteria may have to change too" in shown(root, "WORK-1")


TINY = """
gate: start
for: t in items("task")
profiles: [own]
require:
  - {id: known, profile: own, that: 'item("T-9").is_declared', phase: pre, why: It must be there.}
  - {id: sane, profile: own, that: 't.tags[3] == "x"', phase: pre, why: Four tags.}
"""


def tiny(root: Path) -> Path:
    repository(root, {"a.md": "## T-1\nTags: a, b\n", "b.md": "## T-2\n", "c.md": "## T-2\n"})
    write(root.parent / "tiny-pack", {"gates/start.yaml": TINY})
    return root


def test_what_cannot_be_evaluated_and_what_is_not_there_is_said(tmp_path: Path) -> None:
    text = shown(tiny(tmp_path / "root"), "T-1")
    assert "cannot be evaluated: " in text
    assert 'item("T-9"): no value' in text
    assert "error: sane" in text


def test_next_says_why_there_is_nothing_to_decide_on(tmp_path: Path, capfdbinary: Any) -> None:
    code, out, _ = run(capfdbinary, "next", "--root", str(tiny(tmp_path / "root")))
    assert code == 0
    assert "T-2  blocked: not decided\n    `T-2` is declared 2 times: b.md:1, c.md:1\n" in out


@pytest.mark.parametrize(
    ("examples", "problem"),
    [
        ("", "expected an example of the gate below `pass`, which should be allowed, got none"),
        (
            "  pass:\n    - {files: {a.md: '## T-1'}, expect: {subject: T-1}}",
            "expected allow, got blocked: known",
        ),
        (
            "  fail:\n    - {files: {a.md: '## T-1'}, expect: {subject: T-1, condition: sane}}",
            "expected deny, got blocked: known",
        ),
        (
            "  blocked:\n    - {files: {a.md: '## T-1'}, expect: {subject: T-2, condition: sane}}",
            "expected blocked by `sane`, got no document declares `T-2`",
        ),
    ],
)
def test_an_example_that_shows_something_else_fails(
    examples: str, problem: str, tmp_path: Path, capfdbinary: Any
) -> None:
    root = tiny(tmp_path / "root")
    write(tmp_path / "tiny-pack", {"gates/start.yaml": f"{TINY}examples:\n{examples or '  pass: []'}\n"})
    code, out, _ = run(capfdbinary, "test", "--root", str(root))
    assert code == 1
    assert problem in out
    assert "0 gates of 1" in out


def test_an_example_that_is_misspelt_is_a_mistake_of_the_pack(tmp_path: Path, capfdbinary: Any) -> None:
    root = tiny(tmp_path / "root")
    write(tmp_path / "tiny-pack", {"gates/start.yaml": f"{TINY}examples:\n  pas: []\n"})
    code, _, err = run(capfdbinary, "test", "--root", str(root))
    assert code == 2
    assert "examples has no key `pas`" in err


def test_text_from_documents_and_from_the_call_is_escaped(tmp_path: Path) -> None:
    project = open_project(plan(tmp_path, "## WORK-1 - One\nStatus: open\n"), ())
    reading = read_project(project, load_ruleset(project), NOW)
    for subject in HOSTILE.values():
        found = gate_verdict(reading, subject, "", "", "pre")
        for text in (render_gate(found, INPUTS, style=Style()), render_gate_json(found, INPUTS)):
            assert raw_hidden(text) == set()
