"""Verdicts of gates: the one table, the dark cases, proofs with places, and what is next."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_policy.app.gating import choose_gate, choose_profile
from cortex_policy.app.reading import Reading, read_files
from cortex_policy.errors import ConfigurationError, UndecidedError
from cortex_policy.model import UNKNOWN, OpenTuple, Outcome, Record
from cortex_policy.ruleset.explain import Read
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load
from cortex_policy.ruleset.steps import missing, plain
from cortex_policy.verdicts.agenda import Agenda, agenda
from cortex_policy.verdicts.gates import GateVerdict, Judge, Verdict, combine, deciding, judge
from tests.support import NOW, PACK

GATE = """
gate: start
for: t in items("task")
profiles: [own, board]
require:
  - {id: draft, profile: own, that: t.status == "draft", phase: pre, why: It must not be done.}
  - {id: needs, profile: board, that: 't.needs.all(n, n.status == "done")', phase: pre, why: Needs.}
  - {id: boxes, profile: own, that: 't.boxes.all(b, b.checked)', phase: post, why: Boxes.}
"""
ACTIONABLE = PACK["pack.yaml"].replace(
    "about: One piece of work.", "about: Work.\n    actionable: [status, due]"
)


def ruleset(gate: str = GATE) -> Ruleset:
    files = {**PACK, "pack.yaml": ACTIONABLE, "gates/start.yaml": gate}
    return load([PackFiles(name="tiny", origin="tiny", files=files, schemas={})])


def read(text: str, gate: str = GATE, **files: str) -> Reading:
    return read_files(
        {"a.md": text, **{f"{name}.md": more for name, more in files.items()}}, ruleset(gate), NOW
    )


def judging(reading: Reading, profile: str = "", phase: str = "pre") -> Judge:
    gate = choose_gate(reading.ruleset, "")
    return Judge(gate, choose_profile(gate, profile), phase, reading.facts, reading.lines, NOW)


def verdict(
    text: str, subject: str = "T-1", gate: str = GATE, *, profile: str = "", phase: str = "pre", **files: str
) -> GateVerdict:
    reading = read(text, gate, **files)
    return judge(judging(reading, profile, phase), subject, reading.ruleset.model)


def outcomes(found: GateVerdict) -> dict[str, str]:
    return {each.id: each.outcome.value for each in found.conditions}


def sets(found: GateVerdict) -> list[str]:
    return [" ".join(f"{c.subject}.{c.field}={c.to}" for c in changes) for changes in found.unblocking.sets]


READY = "## T-1\nStatus: draft\nNeeds: T-2\n\n## T-2\nStatus: done\n"
DENIED = READY.replace("Status: done", "Status: draft")
BLOCKED = READY.replace("Status: done\n", "")


# --------------------------------------------------------------------------- the table


@pytest.mark.parametrize("count", range(4))
def test_the_one_table(count: int) -> None:
    for given_outcomes in product(Outcome, repeat=count):
        found = combine(given_outcomes)
        if Outcome.FALSE in given_outcomes:
            assert found is Verdict.DENY
        elif count and all(outcome is Outcome.TRUE for outcome in given_outcomes):
            assert found is Verdict.ALLOW
        else:
            assert found is Verdict.BLOCKED


@given(st.lists(st.sampled_from(Outcome)), st.sampled_from(Outcome))
def test_one_more_condition_never_opens_a_gate(outcomes: list[Outcome], more: Outcome) -> None:
    if combine(outcomes) is not Verdict.ALLOW and outcomes:
        assert combine([*outcomes, more]) is not Verdict.ALLOW
    if more is not Outcome.TRUE:
        assert combine([*outcomes, more]) is not Verdict.ALLOW


# --------------------------------------------------------------------------- dark cases


def test_nothing_at_all_is_never_allow() -> None:
    assert combine([]) is Verdict.BLOCKED


DARK = [
    # documents, what is asked for, the reason
    ({"text": READY}, "T-9", "no document declares `T-9`"),
    ({"text": READY + "\nT-9 is spoken of.\n"}, "T-9", "no document declares `T-9`"),
    (
        {"text": READY, "b": "- N-01: a remark\n"},
        "N-01",
        'the gate is not for `N-01`: it is for `t in items("task")`',
    ),
    ({"text": READY, "b": "## T-1\nStatus: draft\n"}, "T-1", "`T-1` is declared 2 times: a.md:1, b.md:1"),
    ({"text": READY, "b": "---\n: [\n---\n"}, "T-9", "it cannot be told whether the gate is for `T-9`"),
]


@pytest.mark.parametrize(("files", "subject", "reason"), DARK, ids=[reason for *_, reason in DARK])
def test_a_subject_in_doubt_is_blocked_and_the_reason_is_given(
    files: dict[str, str], subject: str, reason: str
) -> None:
    found = verdict(subject=subject, **files)
    assert (found.verdict, found.reason.startswith(reason)) == (Verdict.BLOCKED, True), found.reason
    assert set(outcomes(found).values()) == {"unknown"}
    assert all(each.missing == (subject,) for each in found.conditions)
    assert found.unblocking.sets == ()


def test_what_is_only_spoken_of_is_blocked() -> None:
    gate = GATE.replace('items("task")', 'mentioned("task")')
    found = verdict(READY.replace("Needs: T-2", "Needs: T-9"), "T-9", gate)
    assert (found.verdict, found.reason) == (Verdict.BLOCKED, "no document declares `T-9`")


def test_one_id_of_two_kinds_is_blocked() -> None:
    gate = GATE.replace('items("task")', 'items("task") + items("task")').replace("t.boxes.all", "[].all")
    found = verdict(READY, gate=gate)
    assert found.verdict is Verdict.BLOCKED
    assert found.reason == "`T-1` is the name of several things: a task and a task"


def test_subjects_that_cannot_be_listed_block_everything() -> None:
    gate = GATE.replace('items("task")', '[1 / 0].map(x, item("T-1"))')
    found = verdict(READY, gate=gate)
    assert (found.verdict, found.reason) == (
        Verdict.BLOCKED,
        "what the gate is for cannot be listed: division by zero",
    )
    with pytest.raises(UndecidedError, match="cannot be listed"):
        agenda(judging(read(READY, gate)), ruleset().model)


def test_a_profile_that_asks_nothing_before_dispatch_is_blocked() -> None:
    gate = GATE.replace("phase: pre", "phase: post")
    found = verdict(READY, gate=gate)
    assert (found.verdict, found.reason) == (
        Verdict.BLOCKED,
        "profile `board` asks nothing in phase `pre`",
    )
    assert verdict(READY, gate=gate, phase="post").verdict is Verdict.ALLOW
    assert [waiting.reason for waiting in listed(READY, gate).blocked] == [found.reason] * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (READY.replace("Status: draft\n", ""), Verdict.BLOCKED),
        (READY.replace("Status: draft", "Status: draft\n\nStatus: done"), Verdict.BLOCKED),
        (BLOCKED, Verdict.BLOCKED),
        (READY.split("## T-2")[0], Verdict.BLOCKED),
        (READY.replace("T-2\n\n", "T-2, T-9\n\n"), Verdict.BLOCKED),
        (DENIED, Verdict.DENY),
        (READY, Verdict.ALLOW),
    ],
)
def test_missing_contradictory_and_undeclared_never_allow(text: str, expected: Verdict) -> None:
    assert verdict(text).verdict is expected


@pytest.mark.parametrize("that", ["1 / 0 == 1", "t.tags[3] == t.title", "t.due < now", "item(t.title) == t"])
def test_an_error_and_a_missing_value_never_allow(that: str) -> None:
    found = verdict(READY, gate=GATE.replace('t.status == "draft"', f"'{that}'"))
    assert found.verdict is Verdict.BLOCKED
    assert outcomes(found)["draft"] in ("unknown", "error")


def test_a_denial_lists_what_is_unknown_too() -> None:
    found = verdict(BLOCKED.replace("Status: draft", "Status: done"))
    assert found.verdict is Verdict.DENY
    assert outcomes(found) == {"draft": "false", "needs": "unknown", "boxes": "true"}
    assert [condition.id for condition in deciding(found)] == ["draft"]


# --------------------------------------------------------------------------- profiles and phases


def test_a_profile_includes_those_before_it_and_the_default_is_the_strictest() -> None:
    assert list(outcomes(verdict(DENIED, profile="own"))) == ["draft", "boxes"]
    assert verdict(DENIED, profile="own").verdict is Verdict.ALLOW
    assert verdict(DENIED).verdict is Verdict.DENY


def test_what_is_needed_later_is_shown_and_does_not_count() -> None:
    text = READY.replace("Needs: T-2", "Needs: T-2\n\n- [ ] not yet")
    found = verdict(text)
    assert found.verdict is Verdict.ALLOW
    assert [(each.id, each.counts, each.outcome.value) for each in found.conditions][-1] == (
        "boxes",
        False,
        "false",
    )
    assert verdict(text, phase="post").verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("gate", "profile", "message"),
    [("strat", "", "no gate `strat`"), ("start", "onw", "gate `start` has no profile `onw`")],
)
def test_a_misspelt_name_is_a_mistake_of_the_call(gate: str, profile: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        choose_profile(choose_gate(ruleset(), gate), profile)
    assert caught.value.problems[0].hint.startswith("did you mean")


def test_of_several_gates_one_must_be_named() -> None:
    files = {**PACK, "gates/a.yaml": GATE, "gates/b.yaml": GATE.replace("gate: start", "gate: stop")}
    several = load([PackFiles(name="tiny", origin="tiny", files=files, schemas={})])
    with pytest.raises(ConfigurationError, match="there are several gates"):
        choose_gate(several, "")
    none = load([PackFiles(name="tiny", origin="tiny", files=PACK, schemas={})])
    with pytest.raises(ConfigurationError, match="no gate in `tiny`"):
        choose_gate(none, "")


# --------------------------------------------------------------------------- reasons


def test_every_fact_has_its_place_and_the_line() -> None:
    found = {each.id: each for each in verdict(DENIED).conditions}
    facts = [(f.name, f.value, f.path, f.line, f.column, f.text) for f in found["needs"].facts]
    assert facts == [
        ("T-1.needs", ["T-2"], "a.md", 3, 1, "Needs: T-2"),
        ("T-2.status", "draft", "a.md", 6, 1, "Status: draft"),
    ]
    proof = found["needs"].proof
    assert proof is not None
    assert (proof.text, proof.outcome) == ('t.needs.all(n, n.status == "done")', Outcome.FALSE)
    (member,) = proof.steps
    assert (member.member, member.text, member.outcome) == ("n = T-2", 'n.status == "done"', Outcome.FALSE)


def test_what_is_missing_is_named_and_shown_where_it_is_missing() -> None:
    (condition,) = deciding(verdict(BLOCKED))
    assert condition.missing == ("T-2.status",)
    assert ("T-2.status", None, 5) in [(f.name, f.value, f.line) for f in condition.facts]


def test_both_statements_of_a_conflict_are_facts_without_a_value() -> None:
    text = READY.replace("Status: draft", "Status: draft\n\nStatus: done")
    (condition,) = deciding(verdict(text))
    assert [(f.name, f.value, f.line) for f in condition.facts] == [
        ("T-1.status", None, 2),
        ("T-1.status", None, 4),
    ]
    assert condition.missing == ("T-1.status",)


def test_a_list_that_may_lack_members_is_named() -> None:
    gate = GATE.replace("t.needs.all", 'items("task").all')
    found = verdict(READY.replace("draft", "done"), gate=gate, b="---\n: [\n---\n")
    missing = {each.id: each.missing for each in found.conditions}
    assert missing["needs"] == ('items("task") (may lack members)',)


CHAIN = "## T-1\nStatus: draft\nNeeds: T-2\n\n## T-2\nStatus: done\nNeeds: T-3\n\n## T-3\nStatus: draft\n"


def steps(found: GateVerdict, name: str) -> list[list[tuple[str, str, int]]]:
    (proof,) = [each.proof for each in found.conditions if each.id == name]
    assert proof is not None
    every = [proof]
    for step in every:
        every.extend(step.steps)
    return [[(h.source, h.target, h.place.line) for h in step.hops] for step in every if step.hops]


def test_the_path_of_everything_that_is_reached_is_shown() -> None:
    gate = GATE.replace("t.needs.all", 'reach(t, "needs").all')
    assert steps(verdict(CHAIN, gate=gate), "needs") == [
        [("T-1", "T-2", 3)],
        [("T-1", "T-2", 3), ("T-2", "T-3", 7)],
    ]
    gate = GATE.replace('t.needs.all(n, n.status == "done")', 'size(reach(t, "needs")) == 0')
    assert steps(verdict(CHAIN, gate=gate), "needs") == [[("T-1", "T-2", 3), ("T-2", "T-3", 7)]]


def test_a_condition_inside_a_function_is_an_operand_of_its_own() -> None:
    gate = GATE.replace(
        't.needs.all(n, n.status == "done")', 'size(t.needs.filter(n, n.status == "draft")) == 0'
    )
    (condition,) = deciding(verdict(DENIED, gate=gate))
    assert condition.proof is not None
    (inner,) = condition.proof.steps
    assert inner.text == 't.needs.filter(n, n.status == "draft")'
    assert [step.member for step in inner.steps] == ["n = T-2"]


def test_a_way_along_a_field_that_nobody_wrote_stands_where_the_item_does() -> None:
    gate = GATE.replace('t.needs.all(n, n.status == "done")', 'size(reach(t, "document")) == 0')
    assert steps(verdict(READY, gate=gate), "needs") == [[("T-1", "doc:a.md", 1)]]


def test_a_way_to_what_is_not_reached_is_none() -> None:
    reading = read(CHAIN)
    one, _, three = reading.facts.items["task"]
    assert reading.facts.path(three, "needs", one) == ()


def test_a_list_of_an_item_that_may_lack_members_is_named() -> None:
    record = Record(kind="task", id="T-1", place=None, values={}, places={})
    assert missing([Read(record, "needs", OpenTuple(), ())], (), "") == ("T-1.needs (may lack members)",)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (UNKNOWN, None),
        ({"a": (1, UNKNOWN)}, {"a": [1, None]}),
        (date(2026, 1, 31), "2026-01-31"),
        (timedelta(hours=1), "3600s"),
        (True, True),
    ],
)
def test_a_value_is_shown_as_json_can_hold_it(value: object, shown: object) -> None:
    assert plain(value) == shown


def test_the_path_of_a_circle_is_shown() -> None:
    gate = GATE.replace('t.needs.all(n, n.status == "done")', '!in_cycle(t, "needs")')
    found = verdict(CHAIN + "Needs: T-1\n", gate=gate)
    assert steps(found, "needs") == [[("T-1", "T-2", 3), ("T-2", "T-3", 7), ("T-3", "T-1", 11)]]
    assert sets(found) == []
    assert steps(verdict(CHAIN, gate=gate), "needs") == []


# --------------------------------------------------------------------------- unblocking


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (READY, []),
        (DENIED, ["T-2.status=done"]),
        (BLOCKED, ["T-2.status=done"]),
        (DENIED.replace("Status: draft\nNeeds", "Needs"), ["T-1.status=draft T-2.status=done"]),
        (READY.replace("Status: draft", "Status: draft\n\nStatus: done"), ["T-1.status=draft"]),
        (READY.split("## T-2")[0], []),
    ],
)
def test_the_sets_turn_the_verdict(text: str, expected: list[str]) -> None:
    assert sets(verdict(text)) == expected


def test_a_set_that_would_take_the_subject_out_of_the_gate_is_no_way() -> None:
    gate = GATE.replace('items("task")', 'items("task").filter(x, x.status == "done")')
    found = verdict(READY.replace("Status: draft", "Status: done"), gate=gate)
    assert found.verdict is Verdict.DENY
    assert (sets(found), found.unblocking.complete) == ([], False)


def test_a_field_whose_values_cannot_be_listed_is_named() -> None:
    found = verdict(READY, gate=GATE.replace('t.status == "draft"', "t.due < today"))
    assert (sets(found), found.unblocking.open) == ([], ("T-1.due",))


def test_trying_changes_leaves_the_facts_as_they_are() -> None:
    reading = read(DENIED)
    before = {(r.kind, r.id): dict(r.values) for r in reading.facts.items["task"]}
    assert sets(judge(judging(reading), "T-1", reading.ruleset.model))
    assert {(r.kind, r.id): dict(r.values) for r in reading.facts.items["task"]} == before


STATUS = st.sampled_from(["", "Status: draft\n", "Status: done\n"])


@settings(max_examples=40, deadline=None)
@given(st.tuples(STATUS, STATUS, STATUS))
def test_every_set_turns_the_verdict_when_somebody_writes_it_down(statuses: tuple[str, str, str]) -> None:
    def text(lines: dict[str, str]) -> str:
        needs = {"T-1": "Needs: T-2, T-3\n", "T-2": "", "T-3": ""}
        return "".join(f"## {name}\n{line}{needs[name]}\n" for name, line in lines.items())

    lines = dict(zip(("T-1", "T-2", "T-3"), statuses, strict=True))
    found = verdict(text(lines))
    assert found.verdict is Verdict.ALLOW or found.unblocking.sets
    for changes in found.unblocking.sets:
        written = {**lines, **{c.subject: f"Status: {c.to}\n" for c in changes}}
        assert verdict(text(written)).verdict is Verdict.ALLOW
        for left in changes:
            fewer = {**written, left.subject: lines[left.subject]}
            assert verdict(text(fewer)).verdict is not Verdict.ALLOW


# --------------------------------------------------------------------------- what is next


def listed(text: str, gate: str = GATE, **files: str) -> Agenda:
    reading = read(text, gate, **files)
    return agenda(judging(reading), reading.ruleset.model)


def causes(found: Agenda) -> dict[str, list[str]]:
    return {
        waiting.subject: [("o " if cause.circle else "") + cause.subject for cause in waiting.causes]
        for waiting in (*found.blocked, *found.dead)
    }


LONG = (
    "## T-1\nStatus: draft\n\n## T-2\nStatus: draft\nNeeds: T-1\n\n## T-3\nStatus: draft\nNeeds: T-2\n\n"
    "## T-4\nStatus: draft\nNeeds: T-3, T-5\n\n## T-5\n"
)


def test_root_causes_are_those_that_wait_for_nobody() -> None:
    found = listed(LONG)
    assert found.ready == ("T-1",)
    assert causes(found) == {"T-2": ["T-1"], "T-3": ["T-1"], "T-4": ["T-1", "T-5"], "T-5": ["T-5"]}
    facts = {c.subject: [(f.name, f.value, f.line) for f in c.facts] for c in found.blocked[2].causes}
    assert facts == {"T-1": [("T-1.status", "draft", 2)], "T-5": [("T-5.status", None, 16)]}


def test_a_circle_is_its_own_root() -> None:
    circle = "## T-1\nStatus: draft\nNeeds: T-2\n\n## T-2\nStatus: draft\nNeeds: T-1\n\n"
    found = listed(circle + "## T-3\nStatus: draft\nNeeds: T-1\n")
    assert causes(found) == {name: ["o T-1", "o T-2"] for name in ("T-1", "T-2", "T-3")}


def test_what_nobody_can_change_is_dead_and_says_for_what_it_waits() -> None:
    found = listed("## T-1\nStatus: draft\nNeeds: T-9\n\n## T-2\nStatus: draft\nNeeds: T-1\n")
    assert [waiting.subject for waiting in found.dead] == ["T-1"]
    assert [waiting.subject for waiting in found.blocked] == ["T-2"]
    assert causes(found) == {"T-1": ["T-9"], "T-2": ["T-9"]}


def test_what_waits_for_a_value_that_nobody_can_guess_is_not_dead() -> None:
    found = listed("## T-1\n", GATE.replace('t.status == "draft"', "t.due < today"))
    assert ([w.subject for w in found.blocked], found.dead) == (["T-1"], ())


def test_a_subject_in_doubt_is_blocked_and_never_dead() -> None:
    found = listed(READY, b="## T-1\nStatus: draft\n")
    assert [(w.subject, w.verdict.value, w.reason != "") for w in found.blocked] == [
        ("T-1", "blocked", True),
        ("T-2", "deny", False),
    ]


def test_an_open_list_of_subjects_is_said() -> None:
    assert listed(READY).notes == ()
    assert listed(READY, b="---\n: [\n---\n").notes == (
        'there may be more subjects: `t in items("task")` may lack members',
    )
