"""A document that could not be read is one finding, not one for each rule that would have read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from cortex_policy.cli import _run
from tests.support import PACK, write

RULES = """
- id: TNY-DOC-001
  name: says-its-status
  for: d in items("document")
  require:
    status: d.status == "done"
    boxes: d.boxes.all(b, b.checked)
  severity: error
  message: "{d.path} is not done"
  why: Tests.
  source: [tests]
- id: TNY-DOC-002
  name: applies-to-some
  for: d in items("document")
  when: d.title == "A"
  require: {status: 'd.status == "done"'}
  severity: error
  message: "{d.path} is not done"
  why: Tests.
  source: [tests]
- id: TNY-DOC-003
  name: the-next-is-done
  for: d in items("document")
  when: has(d.next)
  require: {next: 'd.next.status == "done"'}
  severity: error
  message: "{d.path} comes before one that is not done"
  why: Tests.
  source: [tests]
- id: TNY-DOC-004
  name: all-items-are-done
  for: d in items("document")
  require: {tasks: 'items("task").all(t, t.status == "done")'}
  severity: error
  message: "there is an open task"
  why: Tests.
  source: [tests]
"""
WHOLE = "---\ntitle: A\nstatus: done\n---\n"
UNREAD = b"---\ntitle: A\nstatus: done\n---\n\0"


def house(tmp_path: Path, files: Mapping[str, str | bytes]) -> Path:
    write(tmp_path / "tiny-pack", {**PACK, "rules/rules.yaml": RULES})
    return write(tmp_path / "root", {"cortex-policy.yaml": "version: 1\npacks: [../tiny-pack]\n", **files})


def told(capfd: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, list[str]]:
    code = _run(["check", str(root), "--format", "concise", *arguments])
    lines = capfd.readouterr().out.splitlines()[:-1]
    return code, [line.partition(" error ")[2].split("]")[0] + "]" for line in lines if " error " in line]


DOUBTS: dict[str, tuple[Mapping[str, str | bytes], str]] = {
    "a whole document that lacks the value": ({"b.md": "---\ntitle: A\n---\n"}, "TNY-DOC-002 [doc:b.md]"),
    "a contradiction in what was read": (
        {"b.md": "---\ntitle: A\nstatus: draft\nstatus: done\n---\n" + "> " * 200 + "x\n"},
        "TNY-DOC-001 [doc:b.md]",
    ),
    "another document that was not read": (
        {"a.md": "---\nstatus: done\ntitle: B\nnext: b.md\n---\n", "b.md": UNREAD},
        "TNY-DOC-003 [doc:a.md]",
    ),
    "items that it may hold": ({"a.md": WHOLE, "b.md": UNREAD}, "TNY-DOC-004 [doc:a.md]"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_every_other_doubt_is_told(capfd, tmp_path, name):
    files, finding = DOUBTS[name]
    code, found = told(capfd, house(tmp_path, files))
    assert code in (1, 3)
    assert finding in found


@pytest.mark.parametrize("select", ["TNY-DOC-001", "TNY-DOC-002"])
def test_no_selection_makes_a_pass_of_an_unread_document(capfd, tmp_path, select):
    assert told(capfd, house(tmp_path, {"b.md": UNREAD}), "--select", select) == (3, [])


def test_what_an_unread_document_does_not_say_is_told_by_its_fault_alone(capfd, tmp_path):
    root = house(tmp_path, {"b.md": UNREAD})
    code, found = told(capfd, root, "--ignore", "TNY-DOC-004")
    assert (code, found) == (1, ["CPX-DOC-005 [doc:b.md]"])


def test_what_only_the_unread_could_tell_says_so(capfd, tmp_path):
    _run(["check", str(house(tmp_path, {"a.md": WHOLE, "b.md": UNREAD})), "--format", "concise"])
    line = next(line for line in capfd.readouterr().out.splitlines() if "TNY-DOC-004 [doc:a.md]" in line)
    assert line.endswith("there is an open task (what could tell cannot be read, or lies out of sight)")
