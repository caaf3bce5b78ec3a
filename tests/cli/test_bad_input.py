"""Whatever a repository or configuration holds: a finding or a refusal, never a crash, a hang or a pass."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_policy import cli
from cortex_policy.app import checking
from cortex_policy.report import render
from cortex_policy.report.style import Style
from tests.report.hostile import HOSTILE, raw_hidden
from tests.support import PACK, TINY, command, reading, repository, write

GOOD = {"a.md": "## T-1\n\nStatus: done\nNeeds: T-2\n\n## T-2\n\nStatus: done\n"}
BAD = {"a.md": "## T-1\n\nStatus: done\nNeeds: T-2\n\n## T-2\n\nStatus: draft\n"}
DARK = {"a.md": "## T-1\n\nStatus: done\nNeeds: T-2\n\n## T-2\n"}
FORMATS = cli.CHECK_FORMATS


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process: exit code, standard output, standard error."""

    def start(*arguments: object) -> tuple[int, str, str]:
        code = cli._run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return start


# --------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("files", "code"), [(GOOD, 0), (BAD, 1), (DARK, 3)], ids=["clean", "findings", "undecided"]
)
def test_exit_codes_are_the_same_in_every_format(
    tmp_path: Path, run: Run, form: str, files: dict[str, str], code: int
) -> None:
    root = repository(tmp_path / "r", files)
    found, out, err = run("check", root, "--format", form)
    assert (found, err) == (code, "")
    PARSERS.get(form, str)(out)


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_known_to_be_wrong_outweighs_what_is_unknown(tmp_path: Path, run: Run, form: str) -> None:
    root = repository(tmp_path / "r", {**BAD, "b.md": "## T-3\nStatus: done\nNeeds: T-4\n\n## T-4\n"})
    assert run("check", root, "--format", form)[0] == 1


@pytest.mark.parametrize("form", FORMATS)
def test_no_document_is_no_pass(tmp_path: Path, run: Run, form: str) -> None:
    for files in ({}, {"a.txt": "x"}):
        code, out, err = run("check", repository(tmp_path / "r", files), "--format", form)
        assert code == 3
        assert "no document" in err
        PARSERS.get(form, str)(out)


@pytest.mark.parametrize("form", FORMATS)
def test_no_rule_is_no_pass(tmp_path: Path, run: Run, form: str) -> None:
    root = repository(tmp_path / "r", GOOD)
    (tmp_path / "tiny-pack/rules/rules.yaml").unlink()
    code, out, err = run("check", root, "--format", form)
    assert (code, out) == (2, "")
    assert "no rule" in err


@pytest.mark.parametrize("form", FORMATS)
def test_a_path_that_is_not_there_is_a_mistake(tmp_path: Path, run: Run, form: str) -> None:
    code, out, err = run("check", tmp_path / "gone", "--format", form)
    assert (code, out) == (2, "")
    assert "no such directory" in err


@pytest.mark.parametrize("form", FORMATS)
def test_an_internal_fault_is_no_verdict(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    root = repository(tmp_path / "r", GOOD)

    def fail(*_: object) -> None:
        raise KeyError("\x1b[31mboom")

    monkeypatch.setattr(checking, "decide", fail)
    code, out, err = run("check", root, "--format", form)
    assert (code, out) == (4, "")
    assert "internal fault" in err
    assert "report it" in err
    assert "Traceback" not in err
    assert "\x1b" not in err
    monkeypatch.setenv("CORTEX_POLICY_TRACEBACK", "1")
    assert "Traceback" in run("check", root)[2]


USAGE = {
    "no command": ("nope",),
    "no option": ("check", "--nope"),
    "no format": ("check", ".", "--format", "nope"),
    "no time": ("check", ".", "--now", "yesterday"),
    "no pack": ("check", ".", "--pack", "nope"),
    "no rule": ("check", ".", "--pack", "cortex", "--select", "NOPE"),
    "no path": ("check", ".", "--pack", "cortex", "--only", "nope.md"),
    "a file for a root": ("check", "a.md", "--pack", "cortex"),
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_a_mistake_in_the_command_is_exit_2(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(write(tmp_path, GOOD))
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.strip()


# --------------------------------------------------------------------------- configuration

HEAD = "version: 1\n"
CONFIGS: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "the file is empty"),
    "a byte order mark": (b"\xef\xbb\xbf" + HEAD.encode() + b"packs: [../tiny-pack]\n", "byte order mark"),
    "not UTF-8": (b"\xff", "not UTF-8"),
    "a list": ("- version: 1\n", "is a mapping"),
    "broken": (HEAD + "packs: [\n", ":3:1"),
    "equal keys": (HEAD + "packs: [../tiny-pack]\npacks: [cortex]\n", "stands twice"),
    "an alias": (HEAD + "packs: &a [../tiny-pack]\nexclude: *a\n", "alias"),
    "an unknown key": (HEAD + "pakcs: [../tiny-pack]\n", "did you mean `packs`?"),
    "no version": ("packs: [../tiny-pack]\n", "lacks `version`"),
    "another version": ("version: 2\npacks: [../tiny-pack]\n", "`version` is `2`"),
    "no packs": (HEAD, "no packs"),
    "a pack that is not there": (HEAD + "packs: [../tiny-pakc]\n", "no pack"),
    "a glob that leads out": (HEAD + "packs: [../tiny-pack]\nexclude: [../x]\n", "cannot be used"),
    "brackets": (HEAD + "packs: " + "[" * 50_000, "nested deeper"),
    "a NUL": (HEAD + "\0", "U+0000"),
    "ANSI": (HEAD + "\x1b[31m: x\n", "U+001B"),
}


@pytest.mark.parametrize(("config", "words"), CONFIGS.values(), ids=CONFIGS)
def test_a_broken_configuration_is_refused_with_its_place(
    tmp_path: Path, run: Run, config: str | bytes, words: str
) -> None:
    code, out, err = run("check", repository(tmp_path / "r", GOOD, config))
    assert (code, out) == (2, "")
    assert words in err
    assert raw_hidden(err) == set()
    assert "Error" not in err, "no class names"


PACKS = {
    "a rule that does not parse": (
        "rules/rules.yaml",
        'n.status == "done"',
        'n.status = "done"',
        "rules.yaml:7:36",
    ),
    "a rule with a misspelt field": (
        "rules/rules.yaml",
        "t.needs.all(n, n.status",
        "t.neds.all(n, n.status",
        "did you mean",
    ),
    "a rule with a misspelt key": ("rules/rules.yaml", "severity:", "severty:", "did you mean `severity`?"),
    "a reader with a misspelt field": (
        "readers/notes.yaml",
        "due: {label",
        "deu: {label",
        "did you mean `due`?",
    ),
    "a reader with a bad pattern": (
        "readers/notes.yaml",
        r"N-\d{2}): (?P<title>.*)$",
        r"N-\d{2}): (?P<title>.*$",
        "cannot be used",
    ),
    "a kind with an unknown type": ("pack.yaml", "due: date", "due: dat", "did you mean `date`?"),
    "no pack file": ("pack.yaml", "pack: tiny", "pakc: tiny", "did you mean `pack`?"),
}


@pytest.mark.parametrize(("path", "old", "new", "words"), PACKS.values(), ids=PACKS)
@pytest.mark.parametrize("form", ["full", "json", "sarif"])
def test_a_broken_pack_is_refused_with_file_line_caret_and_help(
    tmp_path: Path, run: Run, path: str, old: str, new: str, words: str, form: str
) -> None:
    root = repository(tmp_path / "r", GOOD)
    assert old in PACK[path]
    write(tmp_path / "tiny-pack", {path: PACK[path].replace(old, new, 1)})
    code, out, err = run("check", root, "--format", form)
    assert (code, out) == (2, ""), "never a verdict"
    assert words in err
    assert f"tiny-pack/{path}:" in err
    assert "^" in err


# --------------------------------------------------------------------------- documents

VICTIMS: dict[str, str | bytes] = {
    "good.md": BAD["a.md"],
    "bytes.md": b"\xff\xfe\x00",
    "nul.md": "a\0b",
    "bom.md": "\ufeff---\ntitle: x\n---\n",
    "late.md": "x\n---\ntitle: x\n---\n",
    "open.md": "---\ntitle: x\n",
    "twice.md": "---\ntitle: a\n---\n---\ntitle: b\n---\n",
    "same.md": "---\ntitle: a\ntitle: b\n---\n",
    "deep.md": "---\na: " + "[" * 50_000 + "\n---\n",
    "bomb.yaml": "a: &a [x]\n" + "".join(f"{c}: &{c} [*a, *a, *a]\n" for c in "bcdefgh"),
    "deep.json": "[" * 50_000,
    "lists.md": "- " * 5_000 + "x",
    "quotes.md": "> " * 10_000,
    "brackets.md": "[" * 500_000,
    "stars.md": "*a_ " * 50_000,
    "comments.md": "x <!-- " * 200_000,
    "empty.md": "",
}


def test_each_victim_has_its_finding_and_the_rest_is_checked(tmp_path: Path, run: Run) -> None:
    root = repository(tmp_path / "r", VICTIMS)
    (root / "folder.md").mkdir()
    (root / "loop.md").symlink_to("loop.md")
    os.mkfifo(root / "pipe.md")
    code, out, _ = run("check", root, "--format", "json")
    result = json.loads(out)
    hit = {location["path"] for found in result["findings"] for location in found["locations"]}
    assert code == 1
    assert result["summary"]["documents"] == len(VICTIMS) + 3
    assert hit == {*VICTIMS, "folder.md", "loop.md", "pipe.md"} - {"brackets.md", "stars.md", "comments.md"}
    assert any(found["rule"] == "TNY-TSK-001" for found in result["findings"])


SLOW = {
    "200,000 lines": ("a.md", "a line\n" * 199_000),
    "200,000 boxes": ("a.md", "- [ ] x\n" * 100_000),
    "one line of ids": ("a.md", " ".join(f"T-{n}" for n in range(100_000))),
    "one label of ids": ("a.md", "## T-1\nNeeds: " + " ".join(f"T-{n}" for n in range(90_000))),
    "bullets below a label": ("a.md", "## T-1\nNeeds:\n\n" + "".join(f"- T-{n}\n" for n in range(50_000))),
    "sections": ("a.md", "# Proof\n## Proof\nT-1\n" * 15_000),
    "ranges": ("a.md", "".join(f"## T-{n}\nNeeds: T-1..T-999\n" for n in range(20_000))),
    "a row of a million cells": ("a.md", "|task|b|\n|-|-|\n|" + "x|" * 1_000_000),
    "unclosed comments": ("a.md", "x <!-- " * 400_000),
    "late fences": ("a.md", "x\n" * 15 + "---\na: b\n" + "x\n" * 150_000),
    "escapes": ("a.json", '"' + "\\" * 3_000_000),
    "unclosed texts": ("a.json", '"\\' * 1_500_000),
    "directives": ("a.yaml", "".join(f"%TAG !a{n}! b\n" for n in range(150_000))),
    "a chain": ("a.md", "".join(f"## T-{n}\nNeeds: T-{n + 1}\n" for n in range(20_000))),
}
SECONDS = 40
"""Ten times what the slowest takes here: time that grows as a square takes minutes."""


@pytest.mark.parametrize(("path", "content"), SLOW.values(), ids=SLOW)
def test_no_document_takes_very_long(path: str, content: str) -> None:
    start = time.monotonic()
    found = reading({path: content})
    found.facts.functions["gaps"]("task")
    assert time.monotonic() - start < SECONDS


@pytest.mark.parametrize("size", [100 << 20, 1 << 30], ids=["100 MB", "1 GiB"])
def test_a_huge_file_takes_no_memory(tmp_path: Path, size: int) -> None:
    root = repository(tmp_path / "r", BAD)
    with (root / "huge.md").open("wb") as file:
        file.truncate(size)
    bound = 400 << 20
    done = command(
        "check",
        str(root),
        "--format",
        "json",
        limit=lambda: resource.setrlimit(resource.RLIMIT_AS, (bound, bound)),
    )
    findings = json.loads(done.stdout)["findings"]
    assert done.returncode == 1
    assert [found["name"] for found in findings if found["locations"][0]["path"] == "huge.md"] == [
        "too-large"
    ]


def test_a_huge_configuration_takes_no_memory(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", BAD)
    with (root / "cortex-policy.yaml").open("wb") as file:
        file.truncate(1 << 30)
    bound = 400 << 20
    done = command("check", str(root), limit=lambda: resource.setrlimit(resource.RLIMIT_AS, (bound, bound)))
    assert done.returncode == 2
    assert b"more than 1,048,576 bytes" in done.stderr


# --------------------------------------------------------------------------- order


def test_the_order_of_a_directory_listing_does_not_show(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(
        tmp_path / "r", {**BAD, **DARK, "x/b.md": BAD["a.md"], "x/c.md": "\ufeff", "y/d.json": "{"}
    )
    arguments = ("check", root, "--format", "json", "--now", "2026-01-31T12:00:00Z")
    first = run(*arguments)
    real = os.scandir

    class Backwards:
        def __init__(self, path: str) -> None:
            self._entries = sorted(real(path), key=lambda entry: entry.name, reverse=True)

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            return iter(self._entries)

        def __next__(self) -> os.DirEntry[str]:
            if not self._entries:
                raise StopIteration
            return self._entries.pop(0)

        def __enter__(self) -> Backwards:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing is open."""

    monkeypatch.setattr(os, "scandir", Backwards)
    assert run(*arguments) == first
    assert first[0] == 1


# --------------------------------------------------------------------------- hostile text


def commands(text: str) -> None:
    for line in text.splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line


def only_our_commands(text: str) -> None:
    for line in text.splitlines():
        if line.lstrip().startswith("::"):
            assert line.startswith(("::error ", "::warning ", "::notice "))


PARSERS: dict[str, Callable[[str], object]] = {
    "full": commands,
    "concise": commands,
    "github": only_our_commands,
    "json": json.loads,
    "sarif": json.loads,
    "gitlab": json.loads,
    "junit": ET.fromstring,
}


def hostile_files(text: str) -> dict[str, str]:
    return {
        "a.md": f"# {text}\n## T-1: {text}\nStatus: {text}\nNeeds: T-2 {text}\n- [ ] {text}\n\n{text}\n",
        "b.md": f"---\nstatus: {text}\n{text}: y\n---\n",
        "c.json": json.dumps({"name": text, "count": text, text: text}),
        "d.yaml": f"T-1: {text}\nT-2:\n  status: {json.dumps(text)}\n",
    }


def check_every_format(files: dict[str, str]) -> None:
    from cortex_policy.app.checking import Selection, check

    found = reading(files)
    result = check(found, Selection())
    assert result.findings
    for form in FORMATS:
        text = render(form, result, style=Style(width=60), sources=found.lines)
        assert raw_hidden(text) == set(), form
        PARSERS[form](text)
        assert text == render(form, result, style=Style(width=60), sources=found.lines)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_in_a_document_is_shown_and_not_obeyed(text: str) -> None:
    check_every_format(hostile_files(text.encode("utf-8", "replace").decode()))


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=40))
def test_any_text_in_a_document_leaves_every_format_sound(text: str) -> None:
    check_every_format(hostile_files(text))


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_of_files_are_shown_and_not_obeyed(tmp_path: Path, run: Run, form: str) -> None:
    root = repository(tmp_path / "r", GOOD)
    for name in (
        b"\x1b[31m.md",
        b"a\n::error::x.md",
        b"\xff.md",
        "\u202e.md".encode(),
        b"##[error]x.md",
        b"%0A,.md",
    ):
        with open(os.fsencode(root) + b"/" + name, "wb") as file:
            file.write(BAD["a.md"].replace("T-", f"T-{len(name)}").encode() + b"Due: \x1b[2J\n")
    code, out, err = run("check", root, "--format", form)
    assert (code, err) == (1, "")
    assert raw_hidden(out) == set()
    PARSERS[form](out)


def test_the_small_pack_has_rules_that_can_fail() -> None:
    assert [rule.info.id for rule in TINY.rules] == ["TNY-TSK-001", "TNY-TSK-002"]
