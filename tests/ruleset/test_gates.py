"""Gate files are read strictly: whatever is wrong with one is a problem of the pack, with its place."""

from __future__ import annotations

import pytest

from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.ruleset.gates import Gate
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load
from tests.support import PACK

GATE = """
gate: start
for: t in items("task")
profiles: [own, board]
require:
  - {id: draft, profile: own, that: t.status == "draft", phase: pre, why: It must not be done., source: [tests]}
  - {id: needs, profile: board, that: 't.needs.all(n, n.status == "done")', phase: pre, why: Needs.}
  - {id: boxes, profile: own, that: 't.boxes.all(b, b.checked)', phase: post, why: Boxes.}
examples:
  pass:
    - {files: {a.md: x}, expect: {subject: T-1}}
  fail:
    - {name: done, files: {a.md: x}, expect: {subject: T-1, profile: own, condition: draft}}
  blocked:
    - {files: {a.md: x}, expect: {subject: T-1, phase: post, condition: boxes}}
"""


def loaded(text: str = GATE, **files: str) -> Ruleset:
    pack = {**PACK, "gates/start.yaml": text, **files}
    return load([PackFiles(name="tiny", origin="tiny", files=pack, schemas={})])


def gate(text: str = GATE) -> Gate:
    (found,) = loaded(text).gates
    return found


def problems(text: str, **files: str) -> list[Problem]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(text, **files)
    return list(caught.value.problems)


def test_a_gate_has_its_conditions_by_profile() -> None:
    found = gate()
    assert (found.name, found.profiles, found.variable, found.line) == ("start", ("own", "board"), "t", 2)
    assert [demand.id for demand in found.demands("own")] == ["draft", "boxes"]
    assert [demand.id for demand in found.demands("board")] == ["draft", "needs", "boxes"]
    assert [demand.phase for demand in found.require] == ["pre", "pre", "post"]


def test_the_offsets_of_a_condition_count_in_its_text() -> None:
    demand = gate().require[1]
    assert demand.written.text[demand.tree.start : demand.tree.end] == 't.needs.all(n, n.status == "done")'


def test_a_pack_may_have_no_gate() -> None:
    assert load([PackFiles(name="tiny", origin="tiny", files=PACK, schemas={})]).gates == ()


WRONG = [
    # what is wrong, what stands in its place, message, hint, line
    ("gate: start\n", "gate: start\nwen: true\n", "a gate has no key `wen`", "", 3),
    ("gate: start\n", "", "a gate lacks `gate`", "", 2),
    ("gate: start", "gate: Start Work", "`Start Work` is no name of a gate", "names look like", 2),
    ('for: t in items("task")\n', "", "a gate lacks `for`", "such as", 2),
    ('items("task")', 'items("tsk")', "no kind `tsk`", "did you mean `task`?", 3),
    ("t in items", "items", "`for` names a variable and a collection", "", 3),
    ("profiles: [own, board]\n", "", "a gate lacks `profiles`", "", 2),
    ("[own, board]", "[own, board, own]", "profile `own` is named twice", "", 4),
    ("[own, board]", "[own, board, extra]", "profile `extra` has no condition", "give it one", 4),
    ("profile: board", "profile: bord", "no profile `bord`", "did you mean `board`?", 7),
    ("phase: post", "phase: later", "`phase` is `later`, not one of pre, post", "", 8),
    (", phase: post", "", "a condition lacks `phase`", "", 8),
    ("why: Boxes.", "wy: Boxes.", "a condition has no key `wy`", "did you mean `why`?", 8),
    (", why: Boxes.", "", "a condition lacks `why`", "", 8),
    ("id: boxes", "id: needs", "condition `needs` is there twice", "", 8),
    ("that: 't.boxes.all(b, b.checked)', ", "", "a condition needs `that`: an expression", "", 8),
    ("t.boxes.all", "t.boxs.all", "no field `boxs`", "did you mean `boxes`?", 8),
    ('"draft"', '"drafft"', "drafft", "did you mean `draft`?", 6),
    ('t.status == "draft"', "t.title", "", "", 6),
    ("{id: draft", "x", "", "", 6),
]


@pytest.mark.parametrize(
    ("old", "new", "message", "hint", "line"), WRONG, ids=[f"{o}>{n}" for o, n, *_ in WRONG]
)
def test_a_mistake_has_its_place_and_a_suggestion(
    old: str, new: str, message: str, hint: str, line: int
) -> None:
    assert old in GATE
    found = problems(GATE.replace(old, new, 1))
    assert found[0].path == "tiny/gates/start.yaml"
    if message:
        assert any(message in problem.message for problem in found), found
    assert any(hint in problem.hint for problem in found), found
    assert line in [problem.line for problem in found]


@pytest.mark.parametrize("require", ["require: []", ""])
def test_a_gate_that_asks_nothing_is_no_gate(require: str) -> None:
    (problem,) = problems(GATE[: GATE.index("require:")] + require + "\n")
    assert problem.message == "a gate without conditions would always allow"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- nothing\n", "a gate is a mapping"),
        (GATE.replace("examples:", "  - nothing\nexamples:"), "a condition is a mapping"),
    ],
)
def test_what_is_no_mapping_is_no_gate_and_no_condition(text: str, message: str) -> None:
    assert any(message in problem.message for problem in problems(text))


def test_a_name_means_one_gate() -> None:
    (problem,) = problems(GATE, **{"gates/other.yaml": GATE})
    assert problem.message == "gate `start` is declared at tiny/gates/other.yaml:2 already"
    assert (problem.path, problem.line) == ("tiny/gates/start.yaml", 2)


def test_the_digest_of_the_rules_covers_gates() -> None:
    assert loaded().digest != loaded(GATE.replace("Needs.", "It needs.")).digest


# --------------------------------------------------------------------------- actionable fields


def with_actionable(names: str) -> str:
    return PACK["pack.yaml"].replace("about: One piece of work.", f"about: Work.\n    actionable: {names}")


def test_a_kind_says_which_of_its_fields_are_actionable() -> None:
    found = loaded(GATE, **{"pack.yaml": with_actionable("[status]")})
    assert found.model.kinds["task"].actionable == ("status",)
    assert found.model.kinds["note"].actionable == ()


@pytest.mark.parametrize(
    ("name", "hint"), [("id", ""), ("statsu", "did you mean `status`?"), ("document", "")]
)
def test_only_what_a_kind_declares_is_actionable_so_never_what_names_an_item(name: str, hint: str) -> None:
    (problem,) = problems(GATE, **{"pack.yaml": with_actionable(f"[{name}]")})
    assert problem.message == f"kind `task` has no field `{name}` that could be actionable"
    assert problem.hint.startswith(hint)


# --------------------------------------------------------------------------- examples


def test_examples_say_what_they_show() -> None:
    found = gate().examples()
    assert found.problems == ()
    assert [(e.name, e.verdict, e.subject, e.profile, e.phase, e.condition) for e in found.found] == [
        ("pass 1", "pass", "T-1", "board", "pre", ""),
        ("done", "fail", "T-1", "own", "pre", "draft"),
        ("blocked 1", "blocked", "T-1", "board", "post", "boxes"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", condition: draft", "", "`expect` lacks `condition`"),
        ("condition: draft", "condition: drafd", "`condition` is `drafd`, not one of draft, needs, boxes"),
        ("profile: own, condition", "profile: mine, condition", "`profile` is `mine`, not one of own, board"),
        ("subject: T-1}}\n  fail", "}}\n  fail", "`expect` lacks `subject`"),
        (", expect: {subject: T-1}}", "}", "an example has `expect`: the subject, and what decides"),
        ("{files: {a.md: x}, expect: {subject: T-1}}", "{expect: {subject: T-1}}", "an example has `files`"),
        ("  pass:", "  passes:", "examples has no key `passes`"),
        ("name: done", "nam: done", "an example has no key `nam`"),
        ("expect: {subject: T-1}}\n  fail", "expect: T-1}\n  fail", "`expect` is a mapping"),
        ("    - {files: {a.md: x}, expect: {subject: T-1}}", "    - nothing", "an example is a mapping"),
    ],
)
def test_a_mistake_in_an_example_is_a_mistake_of_the_pack(old: str, new: str, message: str) -> None:
    assert old in GATE
    found = gate(GATE.replace(old, new, 1)).examples().problems
    assert any(message in problem.message for problem in found), found


def test_a_gate_without_examples_has_none() -> None:
    text = GATE[: GATE.index("examples:")]
    assert gate(text).examples().found == ()
