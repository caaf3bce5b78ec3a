"""What the pages show is what happens: every file loads, every command runs, every output is as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cortex_policy.app.project import CONFIG_KEYS
from cortex_policy.documents.nodes import Mapping, Node, Sequence, load_json, load_yaml
from cortex_policy.ruleset.gates import GATE_KEYS
from cortex_policy.ruleset.kinds import FIELD_KEYS, ITEM_KEYS, READER_KEYS
from cortex_policy.ruleset.packs import PACK_KEYS
from cortex_policy.ruleset.rules import EXAMPLE_KEYS, RULE_KEYS
from tests.docs.pages import (
    ALL,
    CHECKOUT,
    OURS,
    Fence,
    agrees,
    command_line,
    fences,
    named_files,
    play,
    steps,
    write_files,
)

NEEDS_A_NETWORK = re.compile(r"make (demo|test)\b|python3 -m pip install \.")
SHOWN = [page for page in OURS if any(fence.language == "console" for fence in fences(page))]
HOUSES = ["README.md", "docs/readers.md", "docs/rules.md", "docs/gates.md", "docs/testing-rules.md"]
YAML = [(page, fence) for page in ALL for fence in fences(page) if fence.language in ("yaml", "yml")]
JSON = [(page, fence) for page in ALL for fence in fences(page) if fence.language == "json"]
FRAGMENTS = [(page, fence) for page, fence in YAML if page in OURS and not fence.name]
READING_KEYS = {*PACK_KEYS, *READER_KEYS, *ITEM_KEYS, *FIELD_KEYS}
KEYS = READING_KEYS | {*GATE_KEYS, *RULE_KEYS, *EXAMPLE_KEYS, *CONFIG_KEYS, "pass", "fail"}


def place(value: object) -> str:
    if isinstance(value, Fence):
        return f"line-{value.line}"
    return str(value)


@pytest.mark.parametrize("page", SHOWN)
def test_a_transcript_shows_what_happens(page: str, tmp_path: Path) -> None:
    write_files(tmp_path, named_files(page) or named_files("README.md"))
    (tmp_path / "sot_examples").symlink_to(CHECKOUT / "sot_examples")
    environment = command_line(tmp_path)
    for fence in fences(page):
        if fence.language != "console" or all(NEEDS_A_NETWORK.match(step.command) for step in steps(fence)):
            continue
        for step, written in play(fence, tmp_path, environment):
            assert agrees(step.shown, written), f"{page}:{fence.line}: $ {step.command}\n" + "\n".join(
                written
            )


@pytest.mark.parametrize("page", HOUSES)
def test_a_page_with_a_house_runs_it(page: str) -> None:
    assert page in SHOWN
    assert {"cortex-policy.yaml", "policy/pack.yaml"} <= set(named_files(page))


@pytest.mark.parametrize("page", HOUSES)
def test_the_rules_of_a_page_pass_their_own_examples(page: str, tmp_path: Path) -> None:
    write_files(tmp_path, named_files(page))
    run = Fence("console", "$ cortex-policy test\n$ echo $?\n", 0, "")
    (_, _), (_, code) = play(run, tmp_path, command_line(tmp_path))
    assert code == ["0"]


def test_only_make_and_pip_are_not_run() -> None:
    blocks = [fence for page in SHOWN for fence in fences(page) if fence.language == "console"]
    commands = [step.command for fence in blocks for step in steps(fence)]
    untried = [command for command in commands if NEEDS_A_NETWORK.match(command)]
    assert {command.split()[0] for command in untried} == {"make", "python3"}
    assert len(untried) < len(commands) / 2


@pytest.mark.parametrize(("page", "fence"), YAML, ids=place)
def test_yaml_in_the_pages_can_be_read(page: str, fence: Fence) -> None:
    node, faults = load_yaml(fence.text)
    assert faults == []
    assert node is not None


@pytest.mark.parametrize(("page", "fence"), JSON, ids=place)
def test_json_in_the_pages_can_be_read(page: str, fence: Fence) -> None:
    node, _, faults = load_json(fence.text)
    assert faults == []
    assert node is not None


def mappings(node: Node | None) -> list[Mapping]:
    if isinstance(node, Sequence):
        return [found for item in node.items for found in mappings(item)]
    return [node] if isinstance(node, Mapping) else []


@pytest.mark.parametrize(("page", "fence"), FRAGMENTS, ids=place)
def test_a_fragment_uses_keys_that_exist(page: str, fence: Fence) -> None:
    node, _ = load_yaml(fence.text)
    used = {key.text for mapping in mappings(node) for key, _ in mapping.entries}
    assert used
    assert used <= KEYS


@pytest.mark.parametrize(
    ("shown", "written", "same"),
    [
        ((), [], True),
        ((), ["a"], False),
        (("a",), [], False),
        (("a",), ["a"], True),
        (("a", "..."), ["a"], True),
        (("a", "...", "c"), ["a", "b", "b", "c"], True),
        (("a", "...", "c"), ["a", "b"], False),
        (("a.c",), ["abc"], False),
    ],
)
def test_a_transcript_is_compared_line_by_line(
    shown: tuple[str, ...], written: list[str], same: bool
) -> None:
    assert agrees(shown, written) is same


def test_a_wrong_transcript_is_noticed(tmp_path: Path) -> None:
    fence = Fence("console", "$ echo a\nb\n$ false\n$ echo $?\n1\n", 1, "")
    found = [agrees(step.shown, written) for step, written in play(fence, tmp_path, command_line(tmp_path))]
    assert found == [False, True, True]


def test_every_page_of_ours_is_there() -> None:
    assert [page for page in OURS if not (CHECKOUT / page).is_file()] == []
