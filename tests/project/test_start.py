"""A stranger starts the project: two commands, shown first, which set themselves up and fail loudly."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
MAKEFILE = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
FIRST_SCREEN = 40
TARGETS = [
    "bench",
    "ci",
    "clean",
    "contracts",
    "coverage",
    "demo",
    "format",
    "help",
    "lint",
    "rules",
    "setup",
    "test",
    "types",
    "wheel-check",
]


def run_in(directory: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def checkout_with(tmp_path: Path, *names: str) -> Path:
    """An otherwise empty checkout that holds copies of `names`."""
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_shows_the_command_on_its_first_screen(command: str) -> None:
    lines = (CHECKOUT / "README.md").read_text(encoding="utf-8").splitlines()[:FIRST_SCREEN]
    assert any(re.search(rf"\b{command}\b", line) for line in lines)


@pytest.mark.parametrize("target", TARGETS)
def test_make_explains_its_target(target: str) -> None:
    done = run_in(CHECKOUT, "make", "--no-print-directory")
    assert done.returncode == 0
    assert re.search(rf"^make {target} +\w", done.stdout, re.MULTILINE)


def test_make_explains_every_target_that_it_has() -> None:
    phony = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[0].split()
    assert sorted(phony) == sorted(TARGETS)


@pytest.mark.parametrize("name", ["run", "demo", "setup"])
def test_a_script_can_be_run_and_stops_at_the_first_error(name: str) -> None:
    path = CHECKOUT / ".ci" / name
    assert os.access(path, os.X_OK)
    assert "\nset -euo pipefail\n" in path.read_text(encoding="utf-8")
    assert run_in(CHECKOUT, "bash", "-n", str(path)).returncode == 0


# ------------------------------------------------------------ set-up


def test_setup_says_which_python_is_missing(tmp_path: Path) -> None:
    done = run_in(checkout_with(tmp_path, ".ci/setup"), ".ci/setup", "no-such-python")
    assert done.returncode == 1
    assert "`no-such-python` was not found" in done.stderr


def test_setup_refuses_a_python_that_is_too_old(tmp_path: Path) -> None:
    checkout_with(tmp_path, ".ci/setup")
    script(tmp_path / "old", '[ "$1" = --version ] && echo "Python 3.8.1"; [ "$1" != -c ]')
    done = run_in(tmp_path, ".ci/setup", "./old")
    assert done.returncode == 1
    assert "is Python 3.8.1; Python 3.11 or newer is needed" in done.stderr


@pytest.mark.parametrize(("failures", "code"), [(0, 0), (1, 0), (2, 1)])
def test_setup_tries_pip_twice(tmp_path: Path, failures: int, code: int) -> None:
    checkout_with(tmp_path, ".ci/setup")
    pip = f'echo pip >>calls; [ "$(wc -l <calls)" -gt {failures} ] || {{ echo "index is down"; exit 1; }}'
    script(tmp_path / "pip", pip)
    script(tmp_path / "python", "case $* in *venv*) mkdir -p .venv/bin; cp pip .venv/bin/python;; esac")
    script(tmp_path / "bin" / "sleep", "")
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = run_in(tmp_path, ".ci/setup", "./python", PATH=path)
    assert done.returncode == code, done.stderr
    assert (tmp_path / ".venv" / ".ready").exists() == (code == 0)
    assert ("index is down" in done.stderr) == (code == 1)


# ------------------------------------------------------------ demo


@pytest.mark.parametrize(
    ("clean", "faulty", "gates", "code"),
    [
        (0, 1, 3, 0),
        (0, 0, 3, 1),
        (1, 1, 3, 1),
        (0, 3, 3, 1),
        (4, 1, 3, 1),
        (0, 2, 3, 1),
        (0, 1, 0, 1),
        (0, 1, 1, 1),
        (0, 1, 4, 1),
    ],
)
def test_the_demo_fails_unless_every_root_ends_as_it_should(
    tmp_path: Path, clean: int, faulty: int, gates: int, code: int
) -> None:
    checkout_with(tmp_path, ".ci/demo")
    fake = f"case $* in *clean*) exit {clean};; *faulty*) exit {faulty};; *gates*) exit {gates};; esac"
    script(tmp_path / ".venv" / "bin" / "python", fake)
    done = run_in(tmp_path, ".ci/demo")
    assert done.returncode == code
    assert ("demo FAILED" in done.stderr) == (code == 1)


def test_the_roots_of_the_demo_exist() -> None:
    roots = re.findall(r"^show (\S+) (\d) ", (CHECKOUT / ".ci" / "demo").read_text("utf-8"), re.MULTILINE)
    assert [code for _, code in roots] == ["0", "1", "3"]
    assert [root for root, _ in roots if not (CHECKOUT / root).is_dir()] == []


# ------------------------------------------------------------ CI


STEPS = ["setup", "test", "lint", "types", "contracts", "rules", "demo", "wheel-check"]


@pytest.mark.parametrize("broken", ["", *STEPS, "corpora"])
def test_ci_runs_every_step_and_fails_if_one_did(tmp_path: Path, broken: str) -> None:
    checkout_with(tmp_path, ".ci/run")
    recipe = f'\t@echo "$@ $$CORTEX_POLICY_REQUIRE_CORPORA" >>calls; [ $@ != "{broken}" ]\n'
    (tmp_path / "Makefile").write_text(f"{' '.join(STEPS)}:\n{recipe}", encoding="utf-8")
    pytest_says = f'echo "$4 $CORTEX_POLICY_REQUIRE_CORPORA" >>calls; [ "{broken}" != corpora ]'
    script(tmp_path / ".venv" / "bin" / "python", pytest_says)
    done = run_in(tmp_path, ".ci/run")
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert calls == [f"{step} 1" for step in [*STEPS, "tests/corpora"]]
    assert done.returncode == (1 if broken else 0), done.stdout
    assert ("=== FAILED" in done.stdout) == bool(broken)
