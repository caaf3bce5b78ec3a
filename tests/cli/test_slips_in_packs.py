"""Slips that authors of packs make: each ends with 2, says what is wrong, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from cortex_policy.cli import _run
from tests.docs.pages import named_files
from tests.support import read, write

PACK: Final = "policy/pack.yaml"
READER: Final = "policy/readers/plan.yaml"
RULE: Final = "policy/rules/blockers.yaml"
WHEN: Final = 'when: t.status == "done"'
IDS: Final = r"id: 'TASK-\d+'"
MESSAGE: Final = 'message: "{t.id} is done, but its blocker {b.id} is {b.status}"'

# What is written in which file, what instead of it, and words of the message and of its help.
SLIPS: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "a pattern whose `\\b` is a backspace": (PACK, IDS, r'id: "\bTASK-[0-9]+"', "backspace", "single quotes"),
    "an expression whose `\\b` is a backspace": (
        RULE,
        WHEN,
        r"""when: t.title.matches("\bmove\b")""",
        "the pattern holds a backspace",
        r"help: write it as a raw string, such as `r'\bword'`",
    ),
    "a regex in double quotes": (
        PACK,
        IDS,
        r'id: "TASK-\d+"',
        "unknown escape",
        "help: write it in single quotes",
    ),
    "an expression that starts with `!`": (
        RULE,
        WHEN,
        "when: !has(t.title)",
        "tag `!has(t.title)`",
        "help: quote it",
    ),
    "one with more in it": (
        RULE,
        WHEN,
        "when: !has(t.x) && t.y",
        "scanning an anchor",
        "starts with `!` is a tag",
    ),
    "a glob without quotes": (
        READER,
        'files: ["*.md"]',
        "files: *.md",
        "alias",
        "starts with `*` is an alias",
    ),
    "a glob without quotes in a list": (
        READER,
        'files: ["*.md"]',
        "files: [**/*.md]",
        "alias",
        "help: quote it",
    ),
    "a value that starts with `@`": (
        RULE,
        "severity: error",
        "severity: @error",
        "any token",
        "help: quote it",
    ),
    "a value that starts with a back-tick": (RULE, "why: Work", "why: `Work`", "any token", "help: quote it"),
    "an anchor": (RULE, "severity: error", "severity: &a error", "anchor `&a`", "help: write the value out"),
    "a message that starts with a brace": (
        RULE,
        MESSAGE,
        "message: {t.id} is done",
        "expected",
        "quote the whole",
    ),
    "an expression that starts with a quote": (
        RULE,
        WHEN,
        'when: "done" == t.status',
        "expected",
        "quote the whole",
    ),
    "a colon in a value": (
        RULE,
        WHEN,
        "when: t.a ? true : false",
        "mapping values",
        "help: quote the whole value",
    ),
    "a list on the line of its key": (
        RULE,
        "severity: error",
        "source: - a",
        "sequence",
        "or write `[a, b]`",
    ),
    "a tab": (RULE, "  blockers:", "\tblockers:", "any token", "help: indent with blanks"),
    "look-around": (PACK, IDS, r"id: 'TASK-\d+(?!x)'", "(?!", "RE2 has no look-around"),
    "a name that is not declared": (
        RULE,
        "{b.id}",
        "{c.id}",
        "`c` is not declared",
        "help: known here: b, now, t,",
    ),
    "a pattern without the group": (READER, "?P<id>", "", "no group `id`", "help: write `(?P<id>…)`"),
    "a field without a place": (
        READER,
        "{label: Status}",
        "{}",
        "has no place",
        "help: name one of key, label",
    ),
    "a field with two": (
        READER,
        "{label: Status}",
        "{label: A, key: b}",
        "2 places",
        "help: name one of key, label",
    ),
    "a key that is missing": (
        RULE,
        "why: Work",
        "# Work",
        "lacks `why`",
        "help: add `why: …`",
    ),
    "conditions as a list": (
        RULE,
        "  blockers: ",
        "  - ",
        "is a mapping",
        "help: write `name: …` lines below",
    ),
    "a rule that is a text": (RULE, "id: PLAN", "PLAN", "a", "help: "),
}


def told(capfd: pytest.CaptureFixture[str], root: Path) -> tuple[int, str]:
    code = _run(["check", str(root)])
    return code, capfd.readouterr().err


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_told_with_what_to_write(capfd, tmp_path, name):
    file, written, instead, message, advice = SLIPS[name]
    files = named_files("README.md")
    assert written in files[file]
    files[file] = files[file].replace(written, instead, 1)
    code, text = told(capfd, write(tmp_path, files))
    assert code == 2
    assert message in text
    assert advice in text
    assert f"--> {tmp_path / file}:" in text or f"--> policy/{file.removeprefix('policy/')}:" in text


def test_an_empty_file_of_rules(capfd, tmp_path):
    code, text = told(capfd, write(tmp_path, {**named_files("README.md"), RULE: ""}))
    assert (code, "the file is empty" in text, "or remove it" in text) == (2, True, True)
    assert " | \n" not in text, "there is no line to show"


def test_what_is_wrong_in_the_kinds_is_not_told_again_of_readers_and_rules(capfd, tmp_path):
    files = named_files("README.md")
    files[PACK] = files[PACK].replace("references: task", "references: tassk")
    code, text = told(capfd, write(tmp_path, files))
    assert (code, text.count("configuration error")) == (2, 1)
    assert "did you mean `task`?" in text


def test_a_document_gets_the_same_advice():
    document = read("a.md", "---\ntitle: Plans: the second\n---\n")
    (fault,) = document.faults
    assert fault.message.endswith("(quote the whole value: `: ` inside it starts a mapping to YAML)")
