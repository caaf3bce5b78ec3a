"""The page for newcomers is run as it stands: same commands, same order, same output."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "getting-started.md").read_text(encoding="utf-8")
MARK = "-- next command --"


class Step(NamedTuple):
    """One command of the page and the lines that it shows after it."""

    command: str
    shown: list[str]


def steps() -> list[Step]:
    found: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], []))
            else:
                found[-1].shown.append(line)
    return found


def run_all(directory: Path) -> list[list[str]]:
    """What each command prints, all of them in one shell, which keeps its directory."""
    bin_directory = directory / "bin"
    bin_directory.mkdir()
    command = bin_directory / "cortex-policy"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cortex_policy "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (directory / "work").mkdir()
    script = "".join(f"echo '{MARK}'\n{step.command}\n" for step in steps())
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=directory / "work",
        env={"PATH": f"{bin_directory}:/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return [part.splitlines() for part in ran.stdout.split(MARK + "\n")[1:]]


def matches(shown: list[str], printed: list[str]) -> bool:
    """`…` alone on a last line stands for all the rest, within a line for any text."""
    if shown and shown[-1] == "…":
        shown, printed = shown[:-1], printed[: len(shown) - 1]
    return all(
        re.fullmatch(".*".join(map(re.escape, want.split("…"))), got) is not None
        for want, got in zip_longest(shown, printed, fillvalue="")
    )


def test_every_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    printed = run_all(tmp_path)
    assert len(printed) == len(steps())
    for step, output in zip(steps(), printed, strict=True):
        assert matches(step.shown, output), f"{step.command}:\n" + "\n".join(output)


def test_the_page_goes_from_a_start_over_a_failure_to_a_pass() -> None:
    commands = [step.command for step in steps()]
    assert commands[0].startswith("cortex-policy init")
    codes = [step.shown[-1] for step in steps() if step.command.endswith("echo $?")]
    assert codes == ["1", "0"]


def test_there_is_no_command_that_the_test_does_not_see() -> None:
    fences = re.findall(r"^```(\w*)$", PAGE, re.MULTILINE)
    assert set(fences) == {"", "bash", "console"}
    assert fences.count("bash") == 1  # the installation, which needs a network


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:rules|docs|sot_examples)/[\w./-]+)`", PAGE))))
def test_every_path_that_the_page_names_exists(path: str) -> None:
    assert (CHECKOUT / path).exists()


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ([], [], True),
        ([], ["unexpected"], False),
        (["0"], [], False),
        (["a … c"], ["a b c"], True),
        (["a … c"], ["a b d"], False),
        (["a", "…"], ["a", "b", "c"], True),
        (["a", "…"], ["b", "a"], False),
    ],
)
def test_the_comparison_can_fail(shown: list[str], printed: list[str], expected: bool) -> None:
    assert matches(shown, printed) is expected
