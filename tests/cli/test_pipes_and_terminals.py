"""Where text goes: pipes, files, terminals, closed streams."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import command as run
from tests.support import environment, repository

LONG = "word " * 60
FILES = {f"{n}.md": f"## T-{n}\n\nStatus: done\nNeeds: T-{n}00 {LONG}\n" for n in range(1, 60)}
COMMAND = [sys.executable, "-m", "cortex_policy"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "r", FILES)


def shell(script: str, root: Path, **env: str) -> subprocess.CompletedProcess[bytes]:
    text = script.replace("CHECK", f"{sys.executable} -m cortex_policy check .")
    return subprocess.run(
        ["bash", "-c", text], cwd=root, env=environment(env), capture_output=True, timeout=60, check=False
    )


def on_terminal(root: Path, *arguments: str, **env: str) -> str:
    """What a terminal of 60 columns is sent by `check`."""
    return sent_to_a_terminal(root, None, *arguments, **env)


def sent_to_a_terminal(root: Path, output: int | None, *arguments: str, **env: str) -> str:
    """The same where standard output leads to `output`, if to that."""
    main, other = pty.openpty()
    settings = {"TERM": "xterm", "COLUMNS": "60", **env}
    with subprocess.Popen(
        [*COMMAND, "check", ".", *arguments],
        cwd=root,
        env=environment(settings),
        stdin=other,
        stdout=other if output is None else output,
        stderr=other,
    ) as process:
        os.close(other)
        data = b""
        while select.select([main], [], [], 60)[0]:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            data += part
        process.wait(timeout=60)
    os.close(main)
    return data.decode().replace("\r\n", "\n")


ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("form", ["full", "concise", "json", "sarif", "junit", "github", "gitlab"])
def test_a_closed_pipe_ends_quietly(root: Path, form: str) -> None:
    done = shell(f"CHECK --format {form} | head -c 10; echo ${{PIPESTATUS[0]}}", root)
    assert done.stderr == b""
    assert done.stdout.endswith(b"1\n")


def test_a_pipe_that_was_never_read_ends_quietly(root: Path) -> None:
    done = shell("CHECK | true; exit ${PIPESTATUS[0]}", root)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


@pytest.mark.parametrize("closed", [">&-", "2>&- >/dev/null", ">&- 2>&-", "<&- >/dev/null"])
def test_a_stream_that_was_closed_changes_no_exit_code(root: Path, closed: str) -> None:
    done = shell(f"CHECK {closed}", root)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_a_mistake_keeps_its_exit_code_with_closed_streams(root: Path) -> None:
    assert shell("CHECK --format nope >&- 2>&-", root).returncode == 2


def test_a_disk_that_is_full_is_no_verdict(root: Path) -> None:
    done = shell("CHECK > /dev/full", root)
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["full", "concise", "json"])
def test_a_file_gets_what_a_pipe_gets(root: Path, form: str) -> None:
    arguments = ("check", ".", "--format", form, "--now", "2026-01-31T12:00:00Z")
    piped = run(*arguments, cwd=root)
    with (root.parent / "out").open("wb") as file:
        filed = run(*arguments, cwd=root, stdout=file, stderr=subprocess.PIPE)
    assert (root.parent / "out").read_bytes() == piped.stdout
    assert (piped.returncode, filed.returncode) == (1, 1)


@pytest.mark.parametrize("env", [{}, {"COLUMNS": "20"}, {"TERM": "xterm-256color"}, {"NO_COLOR": "1"}])
def test_off_a_terminal_nothing_is_coloured_or_wrapped(root: Path, env: dict[str, str]) -> None:
    plain = run("check", ".", cwd=root, env={"TERM": "dumb"}).stdout
    done = run("check", ".", cwd=root, env=env).stdout
    assert b"\x1b" not in done
    assert done.splitlines()[:-1] == plain.splitlines()[:-1], "the last line has the time"


def test_colour_can_be_forced_and_refused_off_a_terminal(root: Path) -> None:
    assert b"\x1b[" in run("check", ".", cwd=root, env={"FORCE_COLOR": "1"}).stdout
    assert b"\x1b" not in run("check", ".", cwd=root, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


def test_forced_colour_adds_nothing_but_colour(root: Path) -> None:
    forced = run(
        "check", ".", "--now", "2026-01-31T12:00:00Z", cwd=root, env={"FORCE_COLOR": "1"}
    ).stdout.decode()
    plain = run("check", ".", "--now", "2026-01-31T12:00:00Z", cwd=root).stdout.decode()
    assert ANSI.sub("", forced) == plain


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github", "gitlab"])
def test_formats_for_machines_are_never_coloured(root: Path, form: str) -> None:
    assert b"\x1b" not in run("check", ".", "--format", form, cwd=root, env={"FORCE_COLOR": "1"}).stdout


def test_a_terminal_gets_colour_and_its_width(root: Path) -> None:
    text = on_terminal(root)
    assert "\x1b[" in text
    assert max(len(ANSI.sub("", line)) for line in text.split("\n")) <= 60
    wide = on_terminal(root, COLUMNS="200")
    assert 60 < max(len(ANSI.sub("", line)) for line in wide.split("\n")) <= 200


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colour_gets_none(root: Path, env: dict[str, str]) -> None:
    assert "\x1b[" not in on_terminal(root, **env)


def test_a_terminal_is_never_sent_what_a_document_holds(root: Path) -> None:
    (root / "bad.md").write_bytes("## T-1\nStatus: \x1b[31mred \x1b]8;;x\x07 \u202e\n".encode())
    text = on_terminal(root)
    assert "\\u001b" in text or "\\x1b" in text
    assert set(re.findall(r"\x1b.", text)) <= {"\x1b["}
    assert "\x1b[31mred" not in text
    assert not set(text) & set("\x07\u202e")


@pytest.mark.parametrize("env", [{"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {}])
def test_output_is_utf_8_whatever_the_locale(root: Path, env: dict[str, str]) -> None:
    (root / "é日本.md").write_text("## T-1: é\nStatus: 日本\n", encoding="utf-8")
    done = run("check", ".", "--format", "concise", cwd=root, env=env)
    assert done.returncode == 1
    assert "é日本.md:2:1".encode() in done.stdout
    assert done.stderr == b""


def test_a_locale_without_such_characters_shows_names_escaped(root: Path) -> None:
    (root / "é日本.md").write_text("## T-1: é\nStatus: 日本\n", encoding="utf-8")
    done = run("check", ".", "--format", "concise", cwd=root, env={"PYTHONUTF8": "0", "LC_ALL": "POSIX"})
    assert (done.returncode, done.stderr) == (1, b"")
    assert "日本`, expected".encode() in done.stdout


def test_a_complaint_survives_a_locale_without_such_characters(root: Path) -> None:
    done = run("check", "é日本", cwd=root, env={"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2
    assert b"no such directory" in done.stderr


WIDE = "packs: [" + ", ".join(f"a-rather-long-name-of-a-pack-{n}" for n in range(30)) + "]"


@pytest.mark.parametrize("output", [None, subprocess.DEVNULL])
def test_a_configuration_error_fits_the_terminal(tmp_path: Path, output: int | None) -> None:
    root = repository(tmp_path / "r", {}, f"{{version: 1, {WIDE}, exlude: ['*.md']}}\n")
    text = sent_to_a_terminal(root, output)
    lines = text.split("\n")
    assert "  --> " in text and "has no key `exlude`" in " ".join(text.split())
    assert max(len(line) for line in lines if "-->" not in line) <= 60
    frame = next(index for index, line in enumerate(lines) if line.lstrip().startswith("1 | "))
    caret = lines[frame + 1]
    assert lines[frame][caret.index("^") : caret.rindex("^") + 1] == "exlude"


def test_off_a_terminal_a_configuration_error_is_whole(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {}, f"{{version: 1, {WIDE[:300]}], exlude: ['*.md']}}\n")
    told = run("check", ".", cwd=root, env={"COLUMNS": "60"}).stderr.decode()
    assert WIDE[:300] in told
    assert "configuration error: the configuration has no key `exlude`\n" in told


@pytest.mark.parametrize("columns", ["0", "-5", "x", "", "9" * 5000])
def test_a_width_that_is_none_is_not_taken(root: Path, columns: str) -> None:
    assert "\x1b[" in on_terminal(root, COLUMNS=columns)
