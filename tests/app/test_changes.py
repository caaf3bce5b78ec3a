"""`--at` and `--base`: what a change brings, judged by a policy on which the change has no say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cortex_policy.app import changing
from cortex_policy.app.changing import Request, judge_policy, open_change, open_requested
from cortex_policy.app.checking import Selection, check
from cortex_policy.app.project import load_ruleset
from cortex_policy.app.reading import read_project
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import CheckResult
from cortex_policy.ruleset.baseline import Baseline
from cortex_policy.ruleset.changes import CHANGES
from tests.git import GitRepository
from tests.support import NOW, PACK, command

TRANSITIONS = r"""
- id: TNY-CHG-001
  name: done-stays-done
  on: change
  for: t in ever("task")
  when: 'old(t).is_declared ? has(old(t).status) && old(t).status == "done" : false'
  require:
    declared: t.is_declared
    status: '!t.is_declared || (has(t.status) && t.status == "done")'
  severity: error
  message:
    declared: "{t.id} was {old(t).status}, and is gone"
    status: "{t.id} was {old(t).status}, and is {t.status}"
  why: Others build on it.
  source: [tests]
- id: TNY-CHG-002
  name: ticks-stay
  on: change
  for: b in items("box")
  when: has(old(b).checked) && old(b).checked
  require:
    checked: b.checked
  severity: error
  message: "{b.text} was ticked"
  why: Somebody saw it.
  source: [tests]
"""
CONFIG = 'version: 1\npacks: [policy]\nexclude: ["policy/**"]\n'


def excluding(glob: str) -> str:
    return CONFIG.replace('"policy/**"', f'"policy/**", "{glob}"')


GATE = r"""
gate: finish
for: t in items("task")
profiles: [own, team]
require:
  - id: stated
    profile: own
    phase: pre
    that: has(t.status)
    why: Nobody finishes what nobody began.
    source: [tests]
  - id: done
    profile: team
    phase: pre
    that: t.status == "done"
    why: It is finished when it is done.
    source: [tests]
"""

HOUSE = {
    "cortex-policy.yaml": CONFIG,
    **{f"policy/{name}": text for name, text in PACK.items()},
    "policy/rules/changes.yaml": TRANSITIONS,
    "policy/gates/finish.yaml": GATE,
}
DONE = "## T-1\n\nStatus: done\n\n- [x] it works\n"
MISSING = "## T-2\n\nStatus: draft\nNeeds: T-9\n"
BROKEN = "## T-2\n\nStatus: done\nNeeds: T-9\n"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "repo")


def change(root: Path, base: str, at: str | None = None, packs: tuple[str, ...] = ()) -> CheckResult:
    request = Request(root, packs, at, base)
    opened = open_change(request)
    return check(opened.read(NOW), Selection(), judge_policy(opened, request))


def test_what_cannot_be_read_is_no_pass_though_the_base_had_it_too(repo: GitRepository) -> None:
    base = repo.commit({**HOUSE, "notes/a.md": DONE, "notes/b.md": b"\xff"})
    found = change(repo.root, base)
    assert (found.findings, found.unread) == ((), ("notes/b.md",))
    assert any("`notes/b.md`" in note and "read whole" in note for note in found.notes)
    args = ("check", str(repo.root), "--base", base, "--now", "2026-01-31T12:00:00Z")
    assert command(*args).returncode == 3


def plain(root: Path, at: str | None = None) -> CheckResult:
    project = open_requested(Request(root, (), at))
    return check(read_project(project, load_ruleset(project), NOW), Selection())


def found(result: CheckResult) -> list[tuple[str, str, str]]:
    return [(f.rule, f.subjects[0], f.outcome.value) for f in result.findings]


def places(result: CheckResult) -> list[tuple[str, int]]:
    return [(place.path, place.line) for finding in result.findings for place in finding.locations]


# --------------------------------------------------------------------------- a revision


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["a.md", "b.md", "c/d.md", "e.json", "f.yaml", "g.md/h.md", "strict/x.md"]),
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([DONE.encode(), BROKEN.encode(), b"---\ntitle: [\n---\n", b"", b"x" * 4_200_000]),
        ),
    )
)
def test_a_clean_checkout_and_its_commit_give_the_same(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    repo = GitRepository(tmp_path_factory.mktemp("clean") / "repo")
    commit = repo.commit({**HOUSE, **files})
    (repo.root / "link.md").symlink_to("a.md")
    (repo.root / "folder").symlink_to("c")
    commit = repo.commit({})
    here, there = plain(repo.root), plain(repo.root, "HEAD")
    assert there.findings == here.findings
    assert there._replace(inputs=here.inputs) == here
    assert (here.inputs.revision, there.inputs.revision) == ("worktree", commit)
    if all(len(data) <= 4_194_304 for data in files.values()):
        assert there.inputs.documents == here.inputs.documents


def test_configuration_and_packs_are_those_of_the_revision(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": BROKEN})
    other = PACK["rules/rules.yaml"].replace("TNY-TSK-002", "TNY-TSK-003")
    repo.commit({"policy/rules/rules.yaml": other, "cortex-policy.yaml": excluding("b.md")})
    rules = {finding.rule for finding in plain(repo.root, first).findings}
    assert rules == {"TNY-TSK-001", "TNY-TSK-002"}
    assert "TNY-TSK-003" in {finding.rule for finding in plain(repo.root).findings}


def test_the_root_of_a_revision_is_found_upwards(
    repo: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit(
        {**{f"sub/{path}": text for path, text in HOUSE.items()}, "sub/deep/a.md": BROKEN, "z.md": BROKEN}
    )
    monkeypatch.chdir(repo.root / "sub/deep")
    request = Request(None, (), "HEAD")
    project = open_requested(request)
    assert (project.folder, project.root) == ("sub", repo.root / "sub")
    result = check(read_project(project, load_ruleset(project), NOW), Selection())
    assert {path for path, _ in places(result)} == {"deep/a.md"}
    assert found(change_of(Request(None, (), "HEAD", "HEAD"))) == []


def change_of(request: Request) -> CheckResult:
    opened = open_change(request)
    return check(opened.read(NOW), Selection(), judge_policy(opened, request))


def test_no_configuration_then(repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    first = repo.commit({"docs/plan.md": "---\ntype: prd\nstatus: active\n---\n## WORK-1 - One\n"})
    repo.commit({**HOUSE})
    for request in (Request(repo.root, (), first), Request(repo.root, (), None, first)):
        with pytest.raises(ConfigurationError, match=r"no `cortex-policy.yaml` at revision") as raised:
            open_change(request) if request.base else open_requested(request)
        assert "--pack" in raised.value.problems[0].hint
    excluded = [
        ("CPX-CHG-003", "doc:cortex-policy.yaml", "false")
    ]  # by the configuration that the change brings
    assert found(change(repo.root, first, packs=("starter",))) == excluded
    with pytest.raises(ConfigurationError, match="no pack `policy` at revision"):
        change(repo.root, first, packs=("policy",))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"cortex-policy.yaml": b"\xff"}, "is not UTF-8"),
        ({"cortex-policy.yaml": "version: 2\npacks: [policy]\n"}, "not one of 1"),
        ({"cortex-policy.yaml": "x" * 1_100_000}, "more than"),
        ({"cortex-policy.yaml": "version: 1\npacks: [../policy]\n"}, "lies outside of the repository"),
        ({"cortex-policy.yaml": "version: 1\npacks: [nowhere]\n"}, "no pack `nowhere` at revision"),
        ({"policy/rules/rules.yaml": "- id: x\n"}, "rules.yaml"),
    ],
)
def test_a_policy_that_was_broken_then(repo: GitRepository, files: Mapping[str, Any], message: str) -> None:
    first = repo.commit({**HOUSE, **files})
    repo.commit(HOUSE)
    with pytest.raises(ConfigurationError, match=message):
        change(repo.root, first)


# --------------------------------------------------------------------------- what a change brings


def test_only_what_the_change_brings(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": BROKEN})
    repo.commit({"b.md": BROKEN.replace("T-2", "T-3"), "a.md": "\n\n" + BROKEN})
    result = change(repo.root, first)
    assert {subject for _, subject, _ in found(result)} == {"T-3"}
    (note,) = result.notes
    assert "has 2 findings already" in note
    assert (result.inputs.revision, result.inputs.base) == ("worktree", first)


def test_one_fault_for_another_is_noticed(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": BROKEN})
    repo.commit({"a.md": BROKEN.replace("T-9", "T-8")})
    assert [f.message for f in change(repo.root, first).findings if f.rule == "TNY-TSK-002"] == [
        "T-2 needs T-8, which nobody declares"
    ]


def test_a_revision_against_another_and_the_work_tree_does_not_matter(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    second = repo.commit({"b.md": BROKEN})
    (repo.root / "a.md").unlink()
    result = change(repo.root, first, second)
    assert {subject for _, subject, _ in found(result)} == {"T-2"}
    assert result.inputs.revision == second


def test_everything_removed_is_no_pass(repo: GitRepository) -> None:
    repo.commit({**HOUSE, "a.md": DONE})
    (repo.root / "a.md").unlink()
    done = command("check", "--base", "HEAD", "--format", "json", cwd=repo.root)
    assert done.returncode == 3
    assert [f["rule"] for f in json.loads(done.stdout)["findings"]] == ["TNY-CHG-001"]


# --------------------------------------------------------------------------- transitions


@pytest.mark.parametrize(
    ("after", "expected", "where"),
    [
        ({"a.md": DONE}, [], []),
        ({"a.md": "\n" + DONE + "Due: 2026-01-01\n"}, [], []),
        (
            {"a.md": DONE.replace("done", "draft")},
            [("TNY-CHG-001", "T-1", "false")],
            [("a.md", 3), ("BASE:a.md", 3)],
        ),
        (
            {"a.md": DONE.replace("Status: done\n", "")},
            [("TNY-CHG-001", "T-1", "false")],
            [("a.md", 1), ("BASE:a.md", 1)],
        ),
        ({"a.md": "# empty\n"}, [("TNY-CHG-001", "T-1", "false")], [("a.md", 1), ("BASE:a.md", 1)]),
        ({"a.md": DONE.replace("[x]", "[ ]")}, [("TNY-CHG-002", "T-1", "false")], None),
        ({"b.md": DONE}, [], []),
        ({"b.md": "## T-2\n"}, [("TNY-CHG-001", "T-1", "false")], [("BASE:a.md", 1)]),
    ],
    ids=["same", "edited", "draft again", "no status", "no heading", "unticked", "moved", "gone"],
)
def test_transitions(
    repo: GitRepository,
    after: dict[str, str],
    expected: list[tuple[str, str, str]],
    where: list[tuple[str, int]] | None,
) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit(after, *(["a.md"] if "a.md" not in after else []))
    result = change(repo.root, first)
    assert [entry for entry in found(result) if "CHG" in entry[0]] == expected
    if where is not None:
        shown = [
            (place.path.replace(first[:12], "BASE"), place.line)
            for finding in result.findings
            for place in finding.locations
            if "CHG" in finding.rule
        ]
        assert [place for place in dict.fromkeys(shown) if place in where] == where


def test_the_line_at_the_base_is_shown_as_it_was(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit({"a.md": "## T-1\n\nStatus: draft\n"})
    (finding,) = [f for f in change(repo.root, first).findings if f.rule == "TNY-CHG-001"]
    texts = [place.text for place in finding.locations]
    assert texts[0] == "## T-1"
    assert texts.index("Status: draft") < texts.index("Status: done")
    assert finding.message == "T-1 was done, and is draft"


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ("## T-1\n\nStatus: done\n\0", "## T-1\n\nStatus: draft\n", "unknown"),  # what it was cannot be read
        (DONE, DONE + "\0", "unknown"),  # what it is cannot
    ],
)
def test_what_cannot_be_read_is_unknown(repo: GitRepository, before: str, after: str, outcome: str) -> None:
    first = repo.commit({**HOUSE, "a.md": before})
    repo.commit({"a.md": after})
    rules = {(f.rule, f.outcome.value) for f in change(repo.root, first).findings}
    assert ("TNY-CHG-001", outcome) in rules


def test_a_new_item_has_no_past_and_that_is_no_doubt(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": "# nothing\n"})
    repo.commit({"a.md": DONE})
    assert found(change(repo.root, first)) == []


def test_without_a_base_transitions_are_counted_and_not_applied(repo: GitRepository) -> None:
    repo.commit({**HOUSE, "a.md": DONE})
    result = plain(repo.root)
    assert result.not_applied == 2
    assert not {"TNY-CHG-001", "CPX-CHG-001"} & {info.id for info in result.rules}
    based = change(repo.root, "HEAD")
    assert based.not_applied == 0
    assert {"TNY-CHG-001", "CPX-CHG-001"} <= {info.id for info in based.rules}


def test_what_vanished_is_not_taken_for_spoken_of(repo: GitRepository) -> None:
    mentioned = TRANSITIONS + (
        "- id: TNY-REF-001\n  name: declared\n  for: t in mentioned('task')\n  require: {yes: t.is_declared}\n"
        "  severity: error\n  message: '{t.id} is not declared'\n  why: x\n  source: [tests]\n"
    )
    first = repo.commit({**HOUSE, "policy/rules/changes.yaml": mentioned, "a.md": DONE, "b.md": "## T-2\n"})
    repo.commit({"a.md": "# empty\n"})
    assert [rule for rule, _, _ in found(change(repo.root, first))] == ["TNY-CHG-001"]


def test_two_boxes_with_one_text_keep_their_order(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": "## T-1\n\n- [ ] it works\n- [x] it works\n"})
    repo.commit({"a.md": "## T-1\n\n- [ ] it works\n- [ ] it works\n- [ ] it works\n"})
    result = change(repo.root, first)
    assert [rule for rule, _, _ in found(result)] == ["TNY-CHG-002"]
    assert ("a.md", 4) in places(result)


# --------------------------------------------------------------------------- the policy


RULE = PACK["rules/rules.yaml"]


def rule(old: str, new: str) -> dict[str, str]:
    assert old in RULE
    return {"policy/rules/rules.yaml": RULE.replace(old, new, 1)}


SECOND = "  require:\n    exist:"
WAIVER = {"rule": "TNY-TSK-002", "subject": "T-2", "reason": "by hand", "owner": "Ada", "until": "2026-12-31"}
TRANSITION_WAIVER = {**WAIVER, "rule": "TNY-CHG-001", "subject": "T-1"}


def waiving(*waivers: Mapping[str, str]) -> dict[str, str]:
    """The configuration with a file of waivers; JSON is YAML."""
    return {
        "cortex-policy.yaml": CONFIG + "waivers: waivers.yaml\n",
        "waivers.yaml": json.dumps({"waivers": waivers}),
    }


def gate(old: str, new: str) -> dict[str, str]:
    assert old in GATE
    return {"policy/gates/finish.yaml": GATE.replace(old, new)}


WEAKER: dict[str, tuple[dict[str, str], str, str]] = {
    "severity": (rule("severity: error", "severity: info"), "severity-lowered", "rule:TNY-TSK-001"),
    "unknown": (
        rule("severity: error", "unknown: ignore\n  severity: error"),
        "unknown-ignored",
        "rule:TNY-TSK-001",
    ),
    "since": (
        rule("severity: error", "since: {due: 2026-01-01}\n  severity: error"),
        "exemption-widened",
        "rule:TNY-TSK-001",
    ),
    "rule": (
        {"policy/rules/rules.yaml": RULE.split("- id: TNY-TSK-002")[0]},
        "rule-removed",
        "rule:TNY-TSK-002",
    ),
    "code": (rule("TNY-TSK-002", "TNY-TSK-003"), "rule-removed", "rule:TNY-TSK-002"),
    "condition": (rule("    exist:", "    other:"), "rule-removed", "rule:TNY-TSK-002"),
    "exclude": (
        {"cortex-policy.yaml": excluding("x/**")},
        "documents-excluded",
        "doc:cortex-policy.yaml",
    ),
    "truncated": (
        {"cortex-policy.yaml": CONFIG + 'truncated: ["x/**"]\n'},
        "documents-excluded",
        "doc:cortex-policy.yaml",
    ),
    "pack": ({"cortex-policy.yaml": "version: 1\npacks: [starter]\n"}, "pack-dropped", "pack:policy"),
    "broken": ({"cortex-policy.yaml": "version: [\n"}, "policy-unreadable", "doc:cortex-policy.yaml"),
    "broken rule": (rule("t.needs", "t.need"), "policy-unreadable", "doc:cortex-policy.yaml"),
    "reader": (
        {"policy/readers/others.yaml": PACK["readers/others.yaml"].split("- reader: records")[0]},
        "reader-removed",
        "reader:records",
    ),
    "gate condition": (gate("- id: done", "- id: begun"), "gate-weakened", "gate:finish"),
    "gate profile": (
        {"policy/gates/finish.yaml": GATE.replace("team", "all")},
        "gate-weakened",
        "gate:finish",
    ),
    "gate later": (
        {"policy/gates/finish.yaml": "phase: post".join(GATE.rsplit("phase: pre", 1))},
        "gate-weakened",
        "gate:finish",
    ),
    "gate renamed": (gate("gate: finish", "gate: end"), "gate-weakened", "gate:finish"),
    "waiver": (waiving(TRANSITION_WAIVER), "waiver-added", "rule:TNY-CHG-001"),
    "only for changes": (
        rule("  name: needs-exist\n", "  name: needs-exist\n  on: change\n"),
        "rule-removed",
        "rule:TNY-TSK-002",
    ),
}


def test_every_sort_of_weakening_is_shown_here() -> None:
    assert {name for _, name, _ in WEAKER.values()} == set(CHANGES)


@pytest.mark.parametrize("at", [None, "HEAD"], ids=["work tree", "revision"])
@pytest.mark.parametrize("name", WEAKER)
def test_a_change_that_weakens_the_policy(repo: GitRepository, name: str, at: str | None) -> None:
    files, kind, subject = WEAKER[name]
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit(files)
    result = change(repo.root, first, at)
    outcome = "unknown" if kind == "policy-unreadable" else "false"
    assert found(result) == [(CHANGES[kind].id, subject, outcome)]
    path = result.findings[0].locations[0].path
    assert path != "" and "/cortex-policy.yaml" not in path and not path.startswith("/")
    if kind == "policy-unreadable" and "cortex-policy.yaml" in files:
        assert path == "cortex-policy.yaml"


def test_a_configuration_that_is_removed(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit({}, "cortex-policy.yaml")
    assert found(change(repo.root, first)) == [("CPX-CHG-001", "doc:cortex-policy.yaml", "unknown")]


STRONGER: dict[str, dict[str, str]] = {
    "nothing": {},
    "a comment": {"policy/rules/rules.yaml": "# told better\n" + RULE},
    "a rule more": rule("- id: TNY-TSK-002", "- id: TNY-TSK-002\n  unknown: report"),
    "excluding less": {"cortex-policy.yaml": "version: 1\npacks: [policy]\n"},
}


@pytest.mark.parametrize("name", STRONGER)
def test_a_change_that_does_not(repo: GitRepository, name: str) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit(STRONGER[name])
    result = change(repo.root, first)
    assert found(result) == []
    assert any("edits the policy" in note for note in result.notes) == bool(STRONGER[name])


@pytest.mark.parametrize(
    ("before", "after", "weaker"),
    [
        ("{due: 2026-01-01}", "{due: 2026-01-02}", True),
        ("{due: 2026-01-02}", "{due: 2026-01-01}", False),
        ("{due: 2026-01-01}", "{created: 2026-01-01}", True),
        ("{due: 2026-01-01}", None, False),
    ],
)
def test_since(repo: GitRepository, before: str, after: str | None, weaker: bool) -> None:
    first = repo.commit({**HOUSE, **rule("severity: error", f"since: {before}\n  severity: error")})
    repo.commit(rule("severity: error", f"since: {after}\n  severity: error" if after else "severity: error"))
    assert [code for code, _, _ in found(change(repo.root, first))] == (["CPX-CHG-007"] if weaker else [])


def test_the_change_is_judged_by_the_rules_it_removes(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit({**WEAKER["rule"][0], "cortex-policy.yaml": excluding("b.md"), "b.md": BROKEN})
    rules = {code for code, _, _ in found(change(repo.root, first))}
    assert {"TNY-TSK-002", "CPX-CHG-004", "CPX-CHG-003"} <= rules


# --------------------------------------------------------------------------- waivers and baseline of a change


def test_a_change_does_not_waive_its_own_findings(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit({**waiving(WAIVER), "b.md": MISSING})
    result = change(repo.root, first)
    assert [code for code, _, _ in found(result)] == ["TNY-TSK-002", "CPX-CHG-009"]
    assert result.waived == ()
    assert plain(repo.root).waived != ()
    assert any("`waivers.yaml`" in note and "edits the policy" in note for note in result.notes)


@pytest.mark.parametrize("at", [None, "HEAD"])
def test_a_waiver_of_the_base_covers_what_a_change_brings(repo: GitRepository, at: str | None) -> None:
    first = repo.commit({**HOUSE, **waiving(WAIVER, {**WAIVER, "subject": "T-3"}), "a.md": DONE})
    repo.commit({"b.md": MISSING})
    result = change(repo.root, first, at)
    assert found(result) == []
    (waived,) = result.waived
    assert (waived.finding.subjects, waived.place.path) == (("T-2",), f"{first[:12]}:waivers.yaml")
    assert result.inputs.waivers.startswith("sha256:")


def test_a_transition_is_waived_by_the_base_only(repo: GitRepository) -> None:
    files = {**HOUSE, "a.md": DONE}
    first = repo.commit({**files, **waiving(TRANSITION_WAIVER)})
    repo.commit({"a.md": DONE.replace("Status: done", "Status: draft")})
    assert found(change(repo.root, first)) == []
    assert [waived.finding.rule for waived in change(repo.root, first).waived] == ["TNY-CHG-001"]
    assert found(plain(repo.root)) == []  # and it is not unused where there is no change


def test_a_waiver_that_a_change_leaves_without_use_is_a_finding(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, **waiving(WAIVER), "b.md": MISSING})
    repo.commit({"b.md": MISSING.replace("Needs: T-9\n", "")})
    assert found(change(repo.root, first)) == [("CPX-WVR-008", "doc:waivers.yaml", "false")]
    repo.commit({"waivers.yaml": '{"waivers": []}'})
    assert found(change(repo.root, first)) == []


def test_a_fault_of_waivers_that_the_base_has_is_not_the_change_s(repo: GitRepository) -> None:
    expired = {**WAIVER, "until": "2025-01-01"}
    first = repo.commit({**HOUSE, **waiving(expired), "b.md": MISSING})
    repo.commit({"a.md": DONE})
    assert found(change(repo.root, first)) == []
    repo.commit(waiving(expired, {**WAIVER, "owner": "", "subject": "T-1"}))
    assert found(change(repo.root, first)) == [("CPX-WVR-003", "doc:waivers.yaml", "false")]


@pytest.mark.parametrize(
    ("changed", "wider"),
    [
        ({}, False),
        ({"until": "2026-12-30"}, False),
        ({"until": "2027-01-01"}, True),
        ({"condition": "exist"}, False),
        ({"path": "b.md"}, False),
        ({"subject": "T-1"}, True),
        ({"rule": "TNY-TSK-001"}, True),
    ],
    ids=str,
)
def test_which_waivers_excuse_more(repo: GitRepository, changed: dict[str, str], wider: bool) -> None:
    first = repo.commit({**HOUSE, **waiving(WAIVER), "b.md": MISSING})
    repo.commit(waiving({**WAIVER, **changed}))
    told = [entry for entry in found(change(repo.root, first)) if entry[0].startswith("CPX-CHG")]
    assert told == ([("CPX-CHG-009", f"rule:{changed.get('rule', 'TNY-TSK-002')}", "false")] if wider else [])


def test_a_waiver_that_narrows_no_more_excuses_more(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, **waiving({**WAIVER, "path": "b.md"}), "b.md": MISSING})
    repo.commit(waiving(WAIVER))
    assert found(change(repo.root, first)) == [("CPX-CHG-009", "rule:TNY-TSK-002", "false")]


def test_a_rule_and_its_waiver_may_come_together(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    new = RULE + RULE.split("- id: TNY-TSK-002")[1].join(["- id: TNY-TSK-003", ""])
    repo.commit({**waiving({**WAIVER, "rule": "TNY-TSK-003"}), "policy/rules/rules.yaml": new})
    assert found(change(repo.root, first)) == [("CPX-CHG-009", "rule:TNY-TSK-003", "false")]


def test_the_waivers_of_a_revision_are_those_of_then(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, **waiving(WAIVER), "b.md": MISSING})
    repo.commit({**waiving(), "waivers.yaml": '{"waivers": []}'})
    (repo.root / "waivers.yaml").write_text("broken: [", "utf-8")
    assert found(plain(repo.root, first)) == []
    assert [waived.place.path for waived in plain(repo.root, first).waived] == ["waivers.yaml"]
    assert [code for code, _, _ in found(plain(repo.root, "HEAD"))] == ["TNY-TSK-002"]
    assert "CPX-WVR-001" in [code for code, _, _ in found(plain(repo.root))]


def test_a_file_of_waivers_that_the_revision_does_not_have(repo: GitRepository) -> None:
    repo.commit({**HOUSE, "cortex-policy.yaml": CONFIG + "waivers: waivers.yaml\n"})
    (repo.root / "waivers.yaml").write_text('{"waivers": []}', "utf-8")
    with pytest.raises(ConfigurationError, match="no file of the root"):
        plain(repo.root, "HEAD")


def test_a_waiver_of_a_change_of_the_policy_cannot_count(repo: GitRepository) -> None:
    cover = {**WAIVER, "rule": "CPX-CHG-005", "subject": "rule:TNY-TSK-001"}
    first = repo.commit({**HOUSE, **waiving(cover), "a.md": DONE})
    repo.commit(rule("severity: error", "severity: info"))
    assert found(change(repo.root, first)) == [("CPX-CHG-005", "rule:TNY-TSK-001", "false")]
    assert [code for code, _, _ in found(plain(repo.root, first))] == ["CPX-WVR-007"]


def test_a_baseline_holds_with_a_base_too(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit({"b.md": MISSING})
    opened = open_change(Request(repo.root, (), None, first))
    known = {(finding.fingerprint, finding.outcome): finding.rule for finding in plain(repo.root).findings}
    result = check(
        opened.read(NOW), Selection(), judge_policy(opened, Request(repo.root)), Baseline(known, "d")
    )
    assert (found(result), [finding.rule for finding in result.known]) == ([], ["TNY-TSK-002"])


def test_what_was_written_with_a_base_is_no_baseline(repo: GitRepository, tmp_path: Path) -> None:
    first = repo.commit({**HOUSE, "b.md": MISSING})
    args = ("check", str(repo.root), "--format", "json")
    (tmp_path / "base.json").write_bytes(command(*args, "--base", first).stdout)
    refused = command(*args, "--baseline", str(tmp_path / "base.json"))
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"--base" in refused.stderr


def test_a_link_to_a_laxer_pack_leads_nowhere(repo: GitRepository) -> None:
    lax = {f"lax/{name}": text for name, text in PACK.items()}
    lax["lax/rules/rules.yaml"] = RULE.split("- id: TNY-TSK-002")[0]
    first = repo.commit({**HOUSE, **lax, "a.md": DONE})
    repo.git("rm", "-rq", "policy")
    (repo.root / "policy").symlink_to("lax")
    repo.commit({"b.md": BROKEN})
    assert "TNY-TSK-002" in {code for code, _, _ in found(change(repo.root, first))}


def test_rewritten_rules_are_named_for_a_person(repo: GitRepository) -> None:
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit(rule('n.status == "done")', 'n.status == "done" || true)'))
    result = change(repo.root, first)
    assert found(result) == []
    assert [note for note in result.notes if "TNY-TSK-001" in note and "for a person" in note]


def test_many_edited_files_are_counted(repo: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "MAX_EDITED", 1)
    first = repo.commit({**HOUSE, "a.md": DONE})
    repo.commit({f"policy/{name}": f"# x\n{text}" for name, text in PACK.items()})
    assert any(f"and {len(PACK) - 1} more" in note for note in change(repo.root, first).notes)


# --------------------------------------------------------------------------- the command line


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["check", "--at", "HEAD~1"], 1),
        (["check", "--base", "HEAD~1"], 1),
        (["check", "--base", "HEAD"], 0),
        (["check", "--base", "HEAD~1", "--at", "HEAD", "--only", "b.md"], 0),
        (["check", "--base", "HEAD~1", "--only", "gone.md"], 1),
        (["check", "--at", "HEAD~1", "--only", "gone.md"], 0),
        (["check", "--at", "HEAD", "--only", "gone.md"], 2),
        (["check", "--base", "HEAD~1", "--ignore", "TNY-CHG"], 0),
        (["check", "--base", "HEAD~1", "--select", "CPX-CHG"], 0),
        (["check", "--at", "nowhere"], 2),
        (["check", "--base", "--upload-pack=x"], 2),
        (["items", "--at", "HEAD~1", "--id", "T-1"], 0),
        (["items", "--at", "HEAD", "--id", "T-1"], 2),
        (["graph", "T-1", "--at", "HEAD~1", "--now", "2026-01-01"], 0),
        (["graph", "T-1"], 2),
        (["items", "--now", "noon"], 2),
        (["rule", "CPX-CHG-004"], 0),
        (["rule", "TNY-CHG-001"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_exit_codes(tmp_path_factory: pytest.TempPathFactory, args: list[str], code: int) -> None:
    repo = GitRepository(tmp_path_factory.mktemp("line") / "repo")
    repo.commit({**HOUSE, "gone.md": DONE, "b.md": "## T-2\n", "c.md": "## T-3\nNeeds: T-9\n"})
    repo.commit({"c.md": "## T-3\nNeeds: T-2\n"}, "gone.md")
    done = command(*args, cwd=repo.root)
    assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
    assert b"Traceback" not in done.stderr
