"""`docs/contract.md` is the surface as it is: each option, exit code and key, no more and no fewer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import click
import click.testing
import pytest
from jsonschema import Draft202012Validator

from cortex_policy import cli as command_line_module
from cortex_policy.app.project import CONFIG_KEYS, shipped_packs
from cortex_policy.cli import cli
from tests.docs.pages import (
    CHECKOUT,
    code,
    codes,
    command_line,
    fences,
    named_files,
    section,
    table,
    text_of,
    write_files,
)

PAGE = "docs/contract.md"
COMMANDS = sorted(cli.commands)
OPAQUE = {
    "given",
    "items[].fields.*.value",
    "items[].fields.*.claims[].value",
    *(f"{facts}.value" for facts in ("conditions[].facts[]", "blocked[].root_causes[].facts[]")),
    "conditions[].proof",
    *(f"{tried}[].misses[].proofs[].proof" for tried in ("examples", "scenarios")),
    "dead_blocked[]",
}
"""Keys whose value is whatever a document states, a tree, or said of another key."""
BY_NAME = {"items[].fields"}
"""Objects whose keys are names out of documents."""


def params(command: str) -> dict[str, click.Parameter]:
    """Options by their long name, arguments by what `--help` calls them."""
    context = click.Context(cli.commands[command])
    return {
        param.make_metavar(context).strip("[]") if isinstance(param, click.Argument) else param.opts[0]: param
        for param in cli.commands[command].params
        if not getattr(param, "hidden", False)  # answered with what to write instead; no help shows it
    }


def rows(command: str) -> dict[str, dict[str, str]]:
    return {code(row["option"]): row for row in table(PAGE, f"`{command}`")}


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    shown = [line[5:-1] for line in section(PAGE, "Commands").splitlines() if line.startswith("### `")]
    assert sorted(shown) == COMMANDS


def test_the_readme_lists_the_same_commands() -> None:
    assert sorted(code(row["command"]) for row in table("README.md", "Commands")) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_on_the_page_and_vice_versa(command: str) -> None:
    assert sorted(rows(command)) == sorted(params(command))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_what_the_page_names(command: str) -> None:
    done = click.testing.CliRunner().invoke(cli, [command, "--help"])
    assert done.exit_code == 0
    assert [name for name in rows(command) if name not in done.output] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_values_defaults_and_repetition_are_as_the_page_says(command: str) -> None:
    shown = rows(command)
    for name, param in params(command).items():
        row = shown[name]
        if isinstance(param.type, click.Choice):
            assert codes(row["value"]) == list(param.type.choices), name
            assert code(row["default"]) == param.default, name
        elif isinstance(param.type, click.IntRange):
            assert row["value"] == f"{param.type.min} to {param.type.max}", name
            assert code(row["default"]) == str(param.default), name
        elif isinstance(param, click.Option) and not param.is_flag:
            assert codes(row["value"]) == [param.metavar], name
        assert ("repeatable" in row["does"]) == bool(param.multiple), name


@pytest.mark.parametrize("page", [PAGE, "README.md"])
def test_the_exit_codes_are_those_of_the_program(page: str) -> None:
    program = {value for name, value in vars(command_line_module).items() if name.startswith("EXIT_")}
    shown = [row["code"].strip("`") for row in table(page, "Exit codes")]
    assert shown == [str(value) for value in sorted(program)]


def test_what_is_not_there_yet_is_not_there() -> None:
    planned = [code(row["command"]) for row in table(PAGE, "Not there yet")]
    assert set(planned) & set(COMMANDS) == set()
    assert planned
    for command in planned:
        assert click.testing.CliRunner().invoke(cli, [command]).exit_code == 2


def test_the_configuration_has_these_keys() -> None:
    assert [code(row["key"]) for row in table(PAGE, "The root and its configuration")] == list(CONFIG_KEYS)


def test_every_variable_of_the_environment_is_named() -> None:
    names = {code(row["variable"]) for row in table(PAGE, "Streams")}
    sources = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "cortex_policy").rglob("*.py"))
    for name in names - {"COLUMNS"}:  # read by the standard library
        assert f'variable("{name}")' in sources
    assert {part.split('"')[0] for part in sources.split('variable("')[1:]} <= names


# --------------------------------------------------------------------------- JSON


def run(root: Path, *args: str) -> Any:
    done = subprocess.run(
        ["cortex-policy", *args],
        cwd=root,
        env=command_line(root),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode in (0, 1, 3), done.stderr
    return json.loads(done.stdout)


def keys(value: Any, path: str = "") -> set[str]:
    """Every key of a JSON value, by path; empty lists show as lists."""
    if path in OPAQUE:
        return {path}
    if isinstance(value, dict):
        found: set[str] = set()
        for name, inner in value.items():
            found |= keys(inner, f"{path}.{'*' if path in BY_NAME else name}".lstrip("."))
        return found
    if isinstance(value, list):
        return set().union(*(keys(inner, f"{path}[]") for inner in value)) if value else {f"{path}[]"}
    return {path}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    files = named_files("README.md")
    files["policy/rules/blockers.yaml"] += 'source: ["team handbook"]\n'
    files["cortex-policy.yaml"] += "waivers: waivers.yaml\n"
    files["more.md"] = "## TASK-3: more\nStatus: done\nBlocked by: TASK-1\n"
    files["waivers.yaml"] = (
        "waivers:\n- {rule: PLAN-BLK-001, subject: TASK-3, reason: why, owner: Ada, until: 9999-12-31}\n"
    )
    write_files(tmp_path, files)
    return tmp_path


@pytest.mark.parametrize("command", ["check", "items", "graph", "rule"])
def test_json_has_the_keys_of_the_page(command: str, house: Path) -> None:
    codes_given = ["PLAN-BLK-001"] if command == "rule" else []
    found = keys(run(house, command, *codes_given, "--format", "json"))
    written = {key for key in found if not any(other.startswith(f"{key}.") for other in found)}
    assert sorted(written) == sorted(code(row["key"]) for row in table(PAGE, f"`{command} --format json`"))


def test_json_of_tests_has_the_keys_of_the_page(tmp_path: Path) -> None:
    files = named_files("docs/testing-rules.md")
    for name in ("policy/rules/blockers.yaml", "policy/scenarios/moving.yaml"):
        assert "line: 6}" in files[name]
        files[name] = files[name].replace("line: 6}", "line: 5}")  # so that there is a miss to look at
    write_files(tmp_path, files)
    found = keys(run(tmp_path, "test", "--format", "json"))
    written = {key for key in found if not any(other.startswith((f"{key}.", f"{key}[")) for other in found)}
    assert sorted(written) == sorted(code(row["key"]) for row in table(PAGE, "`test --format json`"))


ASKED = {"gate": ["TASK-6"], "next": []}


@pytest.mark.parametrize("command", ASKED)
def test_json_of_gates_has_the_keys_of_the_page(command: str, tmp_path: Path) -> None:
    write_files(tmp_path, named_files("docs/gates.md"))
    found = keys(run(tmp_path, command, *ASKED[command], "--format", "json"))
    written = {key for key in found if not any(other.startswith(f"{key}.") for other in found)}
    written = {key for key in written if not any(other.startswith(f"{key}[") for other in written)}
    assert sorted(written) == sorted(code(row["key"]) for row in table(PAGE, f"`{command} --format json`"))


def test_every_command_with_json_has_its_table() -> None:
    with_json = [
        name
        for name in COMMANDS
        if any(
            isinstance(p.type, click.Choice) and "json" in p.type.choices for p in cli.commands[name].params
        )
    ]
    shown = [line for line in section(PAGE, "JSON").splitlines() if line.startswith("### ")]
    assert sorted(shown) == sorted(f"### `{name} --format json`" for name in with_json)


def test_the_json_that_is_shown_is_what_the_program_writes(tmp_path: Path) -> None:
    (shown,) = [json.loads(fence.text) for fence in fences(PAGE) if fence.language == "json"]
    schema = json.loads((CHECKOUT / "schemas/check.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(shown)
    write_files(tmp_path, named_files("README.md"))
    written = run(tmp_path, "check", "--format", "json", "--now", shown["inputs"]["now"])
    for value in (shown, written):  # these two grow with the packs that ship
        value["inputs"].pop("rules")
        value["summary"].pop("rules")
    assert shown == written


def test_the_page_promises_the_version_that_is_written(house: Path) -> None:
    version = run(house, "check", "--format", "json")["schema_version"]
    assert text_of(PAGE).count(f'`"{version}"`') >= 1
    assert version == "1"


# --------------------------------------------------------------------------- promises in prose


def test_outside_a_root_the_rules_of_every_shipped_pack_are_shown(tmp_path: Path) -> None:
    shown = {rule["pack"] for rule in run(tmp_path, "rule", "--format", "json")["rules"]}
    assert {*shipped_packs(), "documents", "changes", "waivers"} == shown


@pytest.mark.parametrize(
    ("args", "exit_code"),
    [
        (["check"], 1),
        (["check", "--ignore", "PLAN"], 0),
        (["check", "--select", "NOBODY"], 2),
        (["check", "--only", "nowhere.md"], 2),
        (["check", "nowhere"], 2),
        (["check", "--pack", "nowhere"], 2),
        (["check", "--now", "noon"], 2),
        (["check", "--at", "HEAD"], 2),  # no repository here
        (["check", "--base", "HEAD"], 2),
        (["check", "--pack", "policy", "policy"], 3),
        (["items", "--kind", "nothing"], 2),
        (["items", "--id", "TASK-9"], 2),
        (["graph", "TASK-9"], 2),
        (["rule", "PLAN-BLK-009"], 2),
        (["gate", "TASK-1"], 2),
        (["next"], 2),
        (["test"], 0),
        (["--version"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_the_exit_codes_mean_what_the_page_says(args: list[str], exit_code: int, house: Path) -> None:
    done = subprocess.run(
        ["cortex-policy", *args],
        cwd=house,
        env=command_line(house),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
