"""Hooks, action, recipes and completion hold what their users rely on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.git import GitRepository

CHECKOUT = Path(__file__).parents[2]
CI_PAGE = (CHECKOUT / "docs" / "ci.md").read_text(encoding="utf-8")
FORMATS = "full concise json sarif junit github gitlab"


def load(name: str) -> Any:
    return yaml.safe_load((CHECKOUT / name).read_text(encoding="utf-8"))


HOOKS = {hook["id"]: hook for hook in load(".pre-commit-hooks.yaml")}
ACTION = load("action.yml")
STEPS = ACTION["runs"]["steps"]
CHECK_STEP = next(step for step in STEPS if step.get("id") == "check")


# ------------------------------------------------------------ pre-commit


def test_there_is_a_hook_for_checking_and_one_for_testing() -> None:
    assert {id: hook["entry"] for id, hook in HOOKS.items()} == {
        "cortex-policy-check": "cortex-policy check",
        "cortex-policy-test": "cortex-policy test",
    }


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_a_hook_never_gets_a_list_of_changed_files(hook: dict[str, Any]) -> None:
    assert hook["language"] == "python"
    assert hook["pass_filenames"] is False
    assert hook["require_serial"] is True


def test_the_checking_hook_runs_even_when_no_document_changed() -> None:
    assert HOOKS["cortex-policy-check"]["always_run"] is True


# ------------------------------------------------------------ action


def test_the_action_offers_these_inputs() -> None:
    assert set(ACTION["inputs"]) == {
        "root", "pack", "format", "severity", "base", "args", "sarif-file", "python-version",
    }  # fmt: skip
    assert ACTION["inputs"]["format"]["default"] == "github"
    assert ACTION["runs"]["using"] == "composite"


def test_every_input_of_the_action_is_explained_in_the_page() -> None:
    for name, given in ACTION["inputs"].items():
        default = f"`{given['default']}`" if given["default"] else ""
        assert re.search(rf"^\| `{name}` \| {re.escape(default)} ?\|", CI_PAGE, re.MULTILINE), name


@pytest.mark.parametrize("step", [s for s in STEPS if "run" in s], ids=lambda step: step["name"])
def test_no_input_is_written_into_a_script(step: dict[str, Any]) -> None:
    assert "${{" not in step["run"]
    assert step["shell"] == "bash"


def test_the_install_cannot_pick_up_a_module_of_the_checked_repository() -> None:
    (install,) = [step["run"] for step in STEPS if "pip install" in step.get("run", "")]
    assert install.startswith("python -I -m pip install ")
    assert install.rstrip().endswith('"$ACTION_PATH"')


def run_action(tmp_path: Path, code: str = "0", **inputs: str) -> tuple[int, list[list[str]], str]:
    """Run the script of the action's check with a fake `cortex-policy` that ends with `code`."""
    fake = tmp_path / "bin" / "cortex-policy"
    fake.parent.mkdir()
    fake.write_text(
        '#!/usr/bin/env bash\nprintf "%s\\0" "$@" >>calls\nprintf "\\n" >>calls\necho report\nexit "$CODE"\n',
        encoding="utf-8",
    )
    fake.chmod(0o755)
    defaults = {name: str(given["default"]) for name, given in ACTION["inputs"].items()}
    given = {**defaults, **{name.replace("_", "-"): value for name, value in inputs.items()}}
    environment = {
        variable: given[re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", expression)[1]]  # type: ignore[index]  # no match fails the test, as it should
        for variable, expression in CHECK_STEP["env"].items()
    }
    environment |= {
        "PATH": f"{fake.parent}{os.pathsep}{os.environ['PATH']}",
        "CODE": code,
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", CHECK_STEP["run"]],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    record = tmp_path / "calls"
    calls = record.read_text(encoding="utf-8").split("\n")[:-1] if record.exists() else []
    return (
        done.returncode,
        [call.split("\0")[:-1] for call in calls],
        (tmp_path / "output").read_text("utf-8"),
    )


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "4"])
@pytest.mark.parametrize("sarif", ["", "report.sarif"])
def test_the_action_ends_with_the_exit_code_of_the_check(tmp_path: Path, code: str, sarif: str) -> None:
    ended, _, output = run_action(tmp_path, code, sarif_file=sarif)
    assert ended == int(code)
    assert output == f"exit-code={code}\n"


def test_the_action_without_inputs_checks_the_workspace(tmp_path: Path) -> None:
    assert run_action(tmp_path)[1] == [["check", "--format=github", "--", "."]]


def test_the_action_hands_every_input_on(tmp_path: Path) -> None:
    given = {"root": "docs", "pack": "one two", "format": "concise", "severity": "warning"}
    _, calls, _ = run_action(tmp_path, **given, args="--only a\n b")
    options = ["--pack=one", "--pack=two", "--severity=warning", "--only", "a", "b"]
    assert calls == [["check", "--format=concise", *options, "--", "docs"]]


def test_the_action_compares_with_where_the_change_began(tmp_path: Path) -> None:
    """And not with the tip of the base branch, where others went on."""
    repo = GitRepository(tmp_path)
    began = repo.commit({"a.md": "one"})
    repo.git("checkout", "-q", "-b", "change")
    repo.commit({"a.md": "two"})
    repo.git("checkout", "-q", "main")
    repo.commit({"b.md": "others"})
    repo.git("checkout", "-q", "change")
    _, calls, _ = run_action(tmp_path, base="main", args="--only a.md", sarif_file="report.sarif")
    options = [f"--base={began}", "--only", "a.md", "--", "."]
    assert calls == [["check", "--format=github", *options], ["check", "--format=sarif", *options]]


@pytest.mark.parametrize(
    "base", ["nowhere", "--all", "--help", "-a", "HEAD:a.md", "$(touch owned)", "`touch owned`", "*"]
)
def test_a_base_that_is_none_ends_the_action_unchecked(tmp_path: Path, base: str) -> None:
    GitRepository(tmp_path).commit({"a.md": "one"})
    ended, calls, output = run_action(tmp_path, base=base)
    assert (ended, calls, output) == (2, [], "exit-code=2\n")
    assert not (tmp_path / "owned").exists()


def test_a_base_without_common_history_ends_the_action_unchecked(tmp_path: Path) -> None:
    repo = GitRepository(tmp_path)
    repo.commit({"a.md": "one"})
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit({"a.md": "two"})
    assert run_action(tmp_path, base="main")[:2] == (2, [])


@pytest.mark.parametrize("name", ["root", "pack", "format", "severity", "args", "sarif_file"])
@pytest.mark.parametrize("evil", ["$(touch${IFS}owned)", "`touch${IFS}owned`", ";touch${IFS}owned;", "*"])
def test_an_input_is_never_a_command(tmp_path: Path, name: str, evil: str) -> None:
    _, calls, _ = run_action(tmp_path, **{name: evil})
    assert not (tmp_path / "owned").exists()
    assert name == "sarif_file" or any(evil in argument for argument in calls[0])


def test_a_root_is_never_an_option(tmp_path: Path) -> None:
    assert run_action(tmp_path, root="--help")[1] == [["check", "--format=github", "--", "--help"]]


@pytest.mark.parametrize(
    ("code", "written"), [("0", True), ("1", True), ("3", True), ("2", False), ("4", False)]
)
def test_a_sarif_report_is_written_where_there_is_a_verdict(tmp_path: Path, code: str, written: bool) -> None:
    _, calls, _ = run_action(tmp_path, code, sarif_file="report.sarif")
    assert (tmp_path / "report.sarif").exists() == written
    assert ["check", "--format=sarif", "--", "."] in calls or not written


# ------------------------------------------------------------ page, completion


def command_line(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; sys.argv[0] = 'cortex-policy'; from cortex_policy.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


COMMANDS = sorted(set(re.findall(r"(?:^\$ |[`/])cortex-policy ([a-z]+)\b", CI_PAGE, re.MULTILINE)))


def test_the_page_names_commands() -> None:
    assert COMMANDS == ["check", "test"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_exists(command: str) -> None:
    done = command_line(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"cortex-policy {command}" in done.stdout


def options_after(command: str) -> set[str]:
    lines = [line for line in CI_PAGE.splitlines() if f"cortex-policy {command}" in line]
    return {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z-]+", line)}


def test_the_options_that_page_and_action_use_exist() -> None:
    used = options_after("check") | {"--pack", "--severity", "--base", "--format"}
    offered = set(re.findall(r"--[a-z-]+", command_line("check", "--help").stdout))
    assert used <= offered


@pytest.mark.parametrize("format", FORMATS.split())
def test_the_command_knows_every_format_that_the_action_promises(format: str) -> None:
    assert format in ACTION["inputs"]["format"]["description"]
    assert re.search(rf"\b{format}\b", command_line("check", "--help").stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_page_shows_a_completion_that_the_command_can_print(shell: str) -> None:
    assert f"_CORTEX_POLICY_COMPLETE={shell}_source cortex-policy >" in CI_PAGE
    done = command_line(_CORTEX_POLICY_COMPLETE=f"{shell}_source")
    assert done.returncode == 0, done.stderr
    assert f"_CORTEX_POLICY_COMPLETE={shell}_complete" in done.stdout


def test_every_yaml_of_the_page_parses() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", CI_PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    assert all(isinstance(yaml.safe_load(block), dict) for block in blocks)


def test_the_page_names_hooks_that_exist() -> None:
    assert set(re.findall(r"- id: ([\w-]+)", CI_PAGE)) == set(HOOKS)
