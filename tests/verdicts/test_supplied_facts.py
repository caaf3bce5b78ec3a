"""Supplied facts and named values of gates: what nobody says is unknown, and nothing empty ever passes."""

from __future__ import annotations

from typing import Any

import pytest

from cortex_policy.app.gating import choose_gate, gate_verdict, next_steps
from cortex_policy.app.reading import Reading, read_files
from cortex_policy.cli import _run
from cortex_policy.errors import ConfigurationError
from cortex_policy.report.agenda import render_agenda
from cortex_policy.report.gate import render_gate
from cortex_policy.report.style import Style
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load
from cortex_policy.verdicts.gates import GateVerdict
from tests.support import NOW, PACK, write

GATE = """
gate: start
for: t in items("task")
inputs:
  clean: {type: bool, about: Whether it is clean.}
  stage: {type: int, about: The stage.}
  writes: {type: list, about: What may be written.}
  mode: {type: {enum: [all, some]}, about: How much.}
let:
  parent: t.parent
  follower: one(items("task").filter(o, has(o.parent) && o.parent == t))
  followers: items("task").filter(o, has(o.parent) && o.parent == t)
profiles: [own]
require:
  - {id: clean, profile: own, phase: pre, why: It must be., that: given.clean}
"""
TEXT = "## T-1\nStatus: draft\n\n## T-2\nStatus: done\n"


def ruleset(gate: str = GATE) -> Ruleset:
    files = {**PACK, "gates/start.yaml": gate}
    return load([PackFiles(name="tiny", origin="tiny", files=files, schemas={})])


def read(gate: str, text: str = TEXT) -> Reading:
    return read_files({"a.md": text}, ruleset(gate), NOW)


def asking(*conditions: str) -> str:
    head = GATE.split("require:")[0]
    rows = [
        f"  - {{id: c{number}, profile: own, phase: pre, why: So., that: '{that}'}}"
        for number, that in enumerate(conditions)
    ]
    return head + "require:\n" + "\n".join(rows) + "\n"


def ask(that: str, text: str = TEXT, **given: str) -> GateVerdict:
    return gate_verdict(read(asking(that), text), "T-1", "", "", "pre", given)


def outcome(that: str, text: str = TEXT, **given: str) -> str:
    (condition,) = ask(that, text, **given).conditions
    return condition.outcome.value


@pytest.mark.parametrize(
    ("that", "given", "expected"),
    [
        ("given.clean", {}, "unknown"),
        ("!given.clean", {}, "unknown"),
        ("has(given.clean)", {}, "false"),
        ("given.clean", {"clean": "true"}, "true"),
        ("given.clean", {"clean": "no"}, "false"),
        ("given.stage == 5", {"stage": "5"}, "true"),
        ('given.mode == "all"', {"mode": "some"}, "false"),
        ('given.writes == ["a", "b c"]', {"writes": "a, b c"}, "true"),
        ('paths_within(given.writes, ["a/"])', {"writes": ""}, "unknown"),
        ('paths_within(given.writes, ["a/"])', {}, "unknown"),
        ('paths_within(given.writes, ["a/"])', {"writes": "a/b,a/../c"}, "false"),
    ],
)
def test_what_is_not_supplied_is_unknown(that: str, given: dict[str, str], expected: str) -> None:
    assert outcome(that, **given) == expected


@pytest.mark.parametrize(
    "given", [{"clan": "true"}, {"clean": "maybe"}, {"stage": "x"}, {"mode": "none"}, {"clean": ""}]
)
def test_a_fact_that_is_not_asked_for_or_of_another_type_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        ask("given.clean", **given)


def test_a_supplied_fact_is_shown_as_such_and_a_missing_one_too() -> None:
    supplied = render_gate(ask("given.clean", clean="false"), read(GATE).inputs, style=Style(width=80))
    assert "given.clean = false  (supplied by the caller)" in supplied
    found = ask("given.clean && given.stage == 1")
    missing = " ".join(render_gate(found, read(GATE).inputs, style=Style(width=80)).split())
    assert "given.clean is not supplied: only the caller can say it, by --set clean=VALUE" in missing
    assert "not supplied, and only the caller can say it (--set NAME=VALUE): clean, stage" in missing
    assert "nothing that is marked as actionable would unblock it" in missing


def test_what_waits_for_the_caller_is_never_dead() -> None:
    reading = read(asking("given.clean"))
    found = next_steps(reading, "", "")
    assert not found.dead
    assert len(found.blocked) == 2
    assert "not supplied, and only the caller can say it" in render_agenda(
        found, reading.inputs, style=Style(width=80)
    )
    assert next_steps(reading, "", "", {"clean": "true"}).ready == ("T-1", "T-2")


# --------------------------------------------------------------------------- named values

CHILD = TEXT + "Parent: T-1\n"


@pytest.mark.parametrize(
    ("that", "text", "expected"),
    [
        ('follower.status == "done"', TEXT, "unknown"),
        ('follower.status == "done"', CHILD, "true"),
        ('follower.status == "done"', CHILD + "\n## T-3\nParent: T-1\n", "error"),
        ('followers.all(f, f.status == "draft")', TEXT, "true"),
        ('stated(followers).all(f, f.status == "draft")', TEXT, "unknown"),
        ('stated(followers).exists(f, f.status == "done")', CHILD, "true"),
        ("size(followers) == 0", TEXT, "true"),
    ],
)
def test_nothing_empty_passes_by_a_name(that: str, text: str, expected: str) -> None:
    assert outcome(that, text) == expected


def test_a_name_without_a_value_is_explained_and_facts_go_by_the_name() -> None:
    (unknown,) = ask('follower.status == "done"').conditions
    assert unknown.missing == (
        'follower, that is one(items("task").filter(o, has(o.parent) && o.parent == t))',
    )
    (known,) = ask('follower.status == "done"', CHILD).conditions
    assert [fact.name for fact in known.facts] == ["follower.status"]


def test_what_a_name_rests_on_may_be_changed_to_unblock() -> None:
    """The search must see what was read for a name, or it would miss ways out."""
    gate = GATE.split("let:")[0] + (
        'let:\n  ready: items("task").filter(o, o.status == "done")\nprofiles: [own]\nrequire:\n'
        '  - {id: c, profile: own, phase: pre, why: So., that: "size(ready) == 2"}\n'
    )
    pack = PACK["pack.yaml"].replace(
        "      effort: duration\n", "      effort: duration\n    actionable: [status]\n"
    )
    files = {**PACK, "pack.yaml": pack, "gates/start.yaml": gate}
    rules = load([PackFiles(name="tiny", origin="tiny", files=files, schemas={})])
    found = gate_verdict(read_files({"a.md": TEXT}, rules, NOW), "T-1", "", "", "pre")
    assert [[(c.subject, c.to) for c in changes] for changes in found.unblocking.sets] == [[("T-1", "done")]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type: bool", "type: references"),
        ("type: bool", "type: bol"),
        ("  clean: {", "  Clean: {"),
        ("about: The stage.", "abut: The stage."),
        ("parent: t.parent", "parent: t.parents"),
        ("parent: t.parent", "now: t.parent"),
        ("parent: t.parent", "given: t.parent"),
        ("parent: t.parent", "parent: [t]"),
        ("that: given.clean", "that: given.clan"),
        ("that: given.clean", "that: given.stage"),
        ("that: given.clean", 'that: follower.statu == "done"'),
        ("that: given.clean", 'that: folower.status == "done"'),
    ],
)
def test_a_gate_that_means_nothing_is_a_mistake_of_the_pack(old: str, new: str) -> None:
    assert old in GATE
    with pytest.raises(ConfigurationError):
        ruleset(GATE.replace(old, new, 1))


def test_gates_of_tested_packs_are_left_out_for_those_who_ask_none() -> None:
    files = {**PACK, "gates/start.yaml": GATE.replace("that: given.clean", "that: nonsense(")}
    pack = PackFiles(name="tiny", origin="tiny", files=files, schemas={}, tested=True)
    assert load([pack], whole=False).gates == ()
    for broken, gates in ((pack, True), (pack._replace(tested=False), False)):
        with pytest.raises(ConfigurationError):
            load([broken], whole=gates)


def test_the_command_line_refuses_what_is_no_answer(tmp_path: Any, capfdbinary: Any) -> None:
    root = write(
        tmp_path, {"cortex-policy.yaml": "version: 1\npacks: [cortex]\n", ".sot/A-ISSUES.md": "# A\n"}
    )
    base = ["gate", "x", "--root", str(root), "--gate", "target-admission"]
    for wrong in (["--set", "a"], ["--set", "=1"], ["--set", "a=1"], ["--set", "review_trigger_fired=maybe"]):
        assert _run([*base, *wrong]) == 2
    twice = "review_trigger_fired=true"
    assert _run([*base, "--set", twice, "--set", twice]) == 2
    assert _run([*base, "--set", twice]) == 3
    assert choose_gate(ruleset(), "").inputs[0].about == "Whether it is clean."
