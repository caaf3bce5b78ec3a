"""`check` with waivers and a baseline: what they take out of the count, and all that they never do."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from errno import EACCES
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_policy.app.checking import Selection, check, open_baseline
from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.app.reading import read_project
from cortex_policy.documents.faults import FAULTS
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import CheckResult, Fault, Finding, Location, Outcome, Place, Severity
from cortex_policy.report import Style, render
from cortex_policy.ruleset.baseline import Baseline
from cortex_policy.ruleset.waivers import WAIVER_FAULTS, WaiverFile, Waivers, read_waivers
from cortex_policy.verdicts.excusing import excuse
from tests.support import NOW, PACK, command, repository, write

CONFIG = "version: 1\npacks: [../tiny-pack]\nwaivers: waivers.yaml\n"
PLAN = "## T-1\n\nStatus: draft\n\n## T-2\n\nStatus: done\nNeeds: T-1\n\n## T-3\n\nStatus: done\nNeeds: T-1\n"
EVERYTHING = Selection()
WAIVER = {"rule": "TNY-TSK-001", "subject": "T-2", "reason": "by hand", "owner": "Ada", "until": "2026-12-31"}


def listed(*waivers: Mapping[str, str]) -> str:
    return json.dumps({"waivers": waivers}, indent=1)  # JSON is YAML


def house(tmp_path: Path, *waivers: Mapping[str, str], **files: str | bytes) -> Path:
    found: dict[str, str | bytes] = {"plan.md": PLAN, "waivers.yaml": listed(*waivers)}
    found |= {name.replace("_", "."): text for name, text in files.items()}
    return repository(tmp_path / "root", found, CONFIG)


def checked(
    root: Path, selection: Selection = EVERYTHING, now: datetime = NOW, baseline: Path | None = None
) -> CheckResult:
    project = open_project(root, ())
    known = open_baseline(baseline) if baseline is not None else None
    return check(read_project(project, load_ruleset(project), now), selection, baseline=known)


def named(result: CheckResult) -> list[tuple[str, str]]:
    return [(finding.rule, finding.subjects[0]) for finding in result.findings]


def faults_of(result: CheckResult) -> list[str]:
    names = {kind.id: name for name, kind in WAIVER_FAULTS.items()}
    return [names[finding.rule] for finding in result.findings if finding.rule in names]


# --------------------------------------------------------------------------- waivers


def test_a_waived_finding_does_not_count_and_is_listed(tmp_path: Path) -> None:
    result = checked(house(tmp_path, WAIVER))
    assert named(result) == [("TNY-TSK-001", "T-3")]
    (waived,) = result.waived
    assert (waived.finding.rule, waived.finding.subjects) == ("TNY-TSK-001", ("T-2",))
    assert waived[1:] == ("by hand", "Ada", "2026-12-31", Place("waivers.yaml", 3, 3))


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"owner": ""}, "waiver-without-owner"),
        ({"reason": " "}, "waiver-without-reason"),
        ({"until": "soon"}, "waiver-expired"),
        ({"until": ""}, "waiver-expired"),
        ({"until": "2026-01-30"}, "waiver-expired"),
        ({"rule": ""}, "waiver-malformed"),
        ({"rule": "TNY-TSK"}, "waiver-of-unknown-rule"),
        ({"rule": "TNY-TSK-*"}, "waiver-of-unknown-rule"),
        ({"rule": "TNY-TSK-002"}, "waiver-unused"),
        ({"subject": "T-*"}, "waiver-unused"),
        ({"subject": "T-9"}, "waiver-unused"),
        ({"condition": "need"}, "waiver-unused"),
        ({"path": "other.md"}, "waiver-unused"),
    ],
    ids=str,
)
def test_a_waiver_with_a_fault_covers_nothing_and_is_a_finding(
    tmp_path: Path, changed: dict[str, str], fault: str
) -> None:
    result = checked(house(tmp_path, {**WAIVER, **changed}))
    assert faults_of(result) == [fault]
    assert ("TNY-TSK-001", "T-2") in named(result)
    assert result.waived == ()


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        ("2026-12-31T00:00:00", True),
        ("2026-12-31T23:59:59", True),
        ("2027-01-01T00:00:00", False),
    ],
)
def test_the_last_day_is_inclusive(tmp_path: Path, now: str, counts: bool) -> None:
    result = checked(house(tmp_path, WAIVER), now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert (len(result.waived), faults_of(result)) == ((1, []) if counts else (0, ["waiver-expired"]))


def test_all_that_is_wrong_with_a_waiver_is_said_at_once(tmp_path: Path) -> None:
    waiver = {"rule": "TNY-TSK", "subject": "T-2", "until": "2025-01-01"}
    assert sorted(faults_of(checked(house(tmp_path, waiver)))) == [
        "waiver-expired",
        "waiver-of-unknown-rule",
        "waiver-without-owner",
        "waiver-without-reason",
    ]


def test_the_second_of_two_waivers_of_the_same_is_unused(tmp_path: Path) -> None:
    result = checked(house(tmp_path, WAIVER, {**WAIVER, "owner": "Bob"}))
    assert faults_of(result) == ["waiver-unused"]
    assert [waived.owner for waived in result.waived] == ["Ada"]


def test_two_expired_waivers_of_the_same_are_two_findings(tmp_path: Path) -> None:
    old = {**WAIVER, "until": "2025-01-01"}
    result = checked(house(tmp_path, old, old))
    assert faults_of(result) == ["waiver-expired"] * 2
    assert len({finding.fingerprint for finding in result.findings}) == len(result.findings)


def test_a_waiver_of_a_rule_that_was_not_asked_for_is_not_unused(tmp_path: Path) -> None:
    root = house(tmp_path, {**WAIVER, "subject": "T-9"})
    assert faults_of(checked(root, Selection(ignore=("TNY-TSK-001",)))) == []
    assert faults_of(checked(root)) == ["waiver-unused"]


def test_a_waiver_is_compared_with_what_only_does_not_show(tmp_path: Path) -> None:
    root = house(tmp_path, WAIVER, **{"other_md": "# nothing\n"})
    result = checked(root, Selection(only=("other.md",)))
    assert (result.findings, result.waived) == ((), ())


def test_the_faults_of_waivers_can_be_selected(tmp_path: Path) -> None:
    root = house(tmp_path, {**WAIVER, "owner": ""})
    assert named(checked(root, Selection(select=("CPX-WVR",)))) == [("CPX-WVR-003", "doc:waivers.yaml")]
    assert faults_of(checked(root, Selection(ignore=("CPX-WVR",)))) == []


@pytest.mark.parametrize(
    "fault", [kind for kind in FAULTS.values() if kind.hides], ids=lambda kind: kind.name
)
def test_no_waiver_covers_a_fault_that_hides_a_document(tmp_path: Path, fault: Any) -> None:
    waiver = {**WAIVER, "rule": fault.id, "subject": "doc:bad.md"}
    root = house(tmp_path, waiver, **{"bad_md": b"## T-4\n\0"})
    result = checked(root)
    assert faults_of(result) == ["waiver-not-allowed"]
    assert ("CPX-DOC-005", "doc:bad.md") in named(result)
    assert result.waived == ()


def test_no_waiver_covers_a_waiver(tmp_path: Path) -> None:
    expired = {**WAIVER, "until": "2025-01-01"}
    cover = {**WAIVER, "rule": "CPX-WVR-005", "subject": "doc:waivers.yaml"}
    assert sorted(faults_of(checked(house(tmp_path, expired, cover)))) == [
        "waiver-expired",
        "waiver-not-allowed",
    ]


def test_a_fault_that_hides_nothing_can_be_waived(tmp_path: Path) -> None:
    waiver = {**WAIVER, "rule": "CPX-DOC-006", "subject": "doc:mark.md"}
    result = checked(house(tmp_path, waiver, **{"mark_md": b"\xef\xbb\xbf## T-4\n\nStatus: draft\n"}))
    assert [waived.finding.name for waived in result.waived] == ["byte-order-mark"]


def test_what_is_undecided_can_be_waived_and_what_failed_cannot(tmp_path: Path) -> None:
    root = house(tmp_path, {**WAIVER, "rule": "TNY-NEW-001"}, {**WAIVER, "rule": "TNY-NEW-002"})
    rules = [
        {
            "id": f"TNY-NEW-00{number}",
            "name": f"new-{number}",
            "for": 't in items("task")',
            "when": 't.id == "T-2"',
            "require": {"it": condition},
            "severity": "error",
            "message": "no",
            "why": "no",
            "source": ["tests"],
        }
        for number, condition in ((1, 't.title == "x"'), (2, "1 / t.needs.filter(n, false).size() == 1"))
    ]
    write(tmp_path / "tiny-pack", {"rules/rules.yaml": json.dumps(rules)})
    result = checked(root)
    assert [waived.finding.outcome for waived in result.waived] == [Outcome.UNKNOWN]
    assert [(found.rule, found.outcome) for found in result.findings] == [("TNY-NEW-002", Outcome.ERROR)]


# --------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"waivers:\n- \xff", 2),
        (b"waivers:\n- {\n", 3),
        (b"waivers:\n- &a {}\n", 2),
        (b"# " * 600_000, 1),
    ],
    ids=["empty", "not UTF-8", "no YAML", "anchor", "too large"],
)
def test_a_file_that_cannot_be_read_is_a_finding_and_waives_nothing(
    tmp_path: Path, content: bytes, line: int
) -> None:
    root = house(tmp_path)
    (root / "waivers.yaml").write_bytes(content)
    result = checked(root)
    assert faults_of(result) == ["waivers-unreadable"]
    assert len(result.findings) == 3
    (place,) = [found.locations[0] for found in result.findings if found.rule == "CPX-WVR-001"]
    assert (place.path, place.line) == ("waivers.yaml", line)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    root = house(tmp_path)
    write(tmp_path, {"elsewhere.yaml": listed(WAIVER)})
    (root / "waivers.yaml").unlink()
    (root / "waivers.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    assert faults_of(checked(root)) == ["waivers-unreadable"]


def test_a_file_without_permission_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by a stand-in for the system, which refuses nothing to root."""
    root = house(tmp_path, WAIVER)
    real = os.open

    def refusing(path: Path, *options: int) -> int:
        if Path(path).name == "waivers.yaml":
            raise PermissionError(EACCES, "Permission denied")
        return real(path, *options)

    monkeypatch.setattr(os, "open", refusing)
    assert faults_of(checked(root)) == ["waivers-unreadable"]


@pytest.mark.parametrize(
    "named_file", ["nowhere.yaml", "../tiny-pack/pack.yaml", "/etc/hostname", "folder", "*.yaml"]
)
def test_a_file_that_is_not_there_is_a_mistake_of_the_configuration(tmp_path: Path, named_file: str) -> None:
    config = CONFIG.replace("waivers.yaml", f"'{named_file}'")
    root = repository(tmp_path / "root", {"plan.md": PLAN, "folder/a.md": ""}, config)
    with pytest.raises(ConfigurationError) as caught:
        checked(root)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (3, 10)
    assert f"`{named_file}`" in problem.message


def test_several_files_count_and_none_of_them_is_a_document(tmp_path: Path) -> None:
    config = CONFIG.replace("waivers.yaml", "[./waivers.yaml, more/waivers.yaml, waivers.yaml]")
    files = {
        "plan.md": PLAN,
        "waivers.yaml": listed(WAIVER),
        "more/waivers.yaml": listed({**WAIVER, "subject": "T-3"}),
    }
    result = checked(repository(tmp_path / "root", files, config))
    assert (result.documents, result.findings, len(result.waived)) == (1, (), 2)


def test_waivers_are_among_the_inputs(tmp_path: Path) -> None:
    root = house(tmp_path, WAIVER)
    first = checked(root).inputs
    write(root, {"waivers.yaml": listed({**WAIVER, "reason": "another"})})
    second = checked(root).inputs
    assert first.waivers != second.waivers
    assert first._replace(waivers="") == second._replace(waivers="")


def test_the_rules_of_waivers_count_only_where_there_are_waivers(tmp_path: Path) -> None:
    with_file = {info.id for info in checked(house(tmp_path)).rules}
    write(tmp_path / "root", {"cortex-policy.yaml": CONFIG.replace("waivers:", "truncated:")})
    without = {info.id for info in checked(tmp_path / "root").rules}
    assert with_file - without == {kind.id for kind in WAIVER_FAULTS.values()}


# --------------------------------------------------------------------------- baseline


def taken(root: Path, tmp_path: Path, name: str = "baseline.json") -> Path:
    """The baseline of a root, written as a user would."""
    path = tmp_path / name
    path.write_text(render("json", checked(root), style=Style()), encoding="utf-8")
    return path


def test_known_findings_do_not_count(tmp_path: Path) -> None:
    root = house(tmp_path)
    result = checked(root, baseline=taken(root, tmp_path))
    assert (result.findings, len(result.known), result.gone, result.notes) == ((), 2, 0, ())


def test_one_fault_swapped_for_another_is_noticed(tmp_path: Path) -> None:
    root = house(tmp_path)
    baseline = taken(root, tmp_path)
    write(root, {"plan.md": PLAN.replace("## T-3", "## T-4")})
    result = checked(root, baseline=baseline)
    assert named(result) == [("TNY-TSK-001", "T-4")]
    assert (len(result.known), result.gone) == (1, 1)
    assert "1 known finding is gone" in result.notes[0]


def test_another_cause_of_the_same_fault_is_noticed(tmp_path: Path) -> None:
    root = house(tmp_path)
    baseline = taken(root, tmp_path)
    write(root, {"plan.md": PLAN.replace("Needs: T-1\n\n", "Needs: T-5\n\n") + "\n## T-5\n\nStatus: draft\n"})
    assert named(checked(root, baseline=baseline)) == [("TNY-TSK-001", "T-2")]


def test_a_known_fault_that_moves_is_still_known(tmp_path: Path) -> None:
    root = house(tmp_path)
    baseline = taken(root, tmp_path)
    write(root, {"plan.md": "# New\n\nwords\n\n" + PLAN})
    assert checked(root, baseline=baseline).findings == ()


def test_a_known_fault_that_becomes_undecided_is_another(tmp_path: Path) -> None:
    root = house(tmp_path)
    baseline = taken(root, tmp_path)
    write(root, {"plan.md": PLAN.replace("Status: draft", "")})
    result = checked(root, baseline=baseline)
    assert {found.outcome for found in result.findings} == {Outcome.UNKNOWN}
    assert {("TNY-TSK-001", "T-2"), ("TNY-TSK-001", "T-3")} <= set(named(result))
    assert result.gone == 2


def test_a_baseline_never_covers_what_hides_a_document(tmp_path: Path) -> None:
    root = house(tmp_path, **{"bad_md": b"## T-4\n\0"})
    result = checked(root, baseline=taken(root, tmp_path))
    assert named(result) == [("CPX-DOC-005", "doc:bad.md")]


def test_a_baseline_never_covers_a_fault_of_a_waiver(tmp_path: Path) -> None:
    root = house(tmp_path, {**WAIVER, "until": "2025-01-01"})
    result = checked(root, baseline=taken(root, tmp_path))
    assert faults_of(result) == ["waiver-expired"]


def test_what_is_waived_is_not_in_the_baseline(tmp_path: Path) -> None:
    root = house(tmp_path, WAIVER)
    baseline = taken(root, tmp_path)
    write(root, {"waivers.yaml": "waivers: []\n"})
    assert named(checked(root, baseline=baseline)) == [("TNY-TSK-001", "T-2")]


def test_a_waiver_comes_before_the_baseline(tmp_path: Path) -> None:
    root = house(tmp_path)
    baseline = taken(root, tmp_path)
    write(root, {"waivers.yaml": listed(WAIVER)})
    result = checked(root, baseline=baseline)
    assert (len(result.waived), len(result.known), result.gone, result.findings) == (1, 1, 0, ())


def test_only_what_was_asked_for_can_be_gone(tmp_path: Path) -> None:
    root = house(tmp_path, **{"other_md": "# nothing\n"})
    baseline = taken(root, tmp_path)
    assert checked(root, Selection(ignore=("TNY-TSK-001",)), baseline=baseline).gone == 0
    shown = checked(root, Selection(only=("other.md",)), baseline=baseline)
    assert (shown.gone, shown.known) == (0, ())


def test_what_a_rule_found_that_is_no_more_is_gone(tmp_path: Path) -> None:
    root = house(tmp_path)
    baseline = taken(root, tmp_path)
    write(
        tmp_path / "tiny-pack", {"rules/rules.yaml": PACK["rules/rules.yaml"].replace("TSK-001", "TSK-009")}
    )
    result = checked(root, baseline=baseline)
    assert (len(result.findings), result.gone) == (2, 2)


def test_the_baseline_is_among_the_inputs(tmp_path: Path) -> None:
    root = house(tmp_path)
    assert checked(root).inputs.baseline == ""
    assert checked(root, baseline=taken(root, tmp_path)).inputs.baseline.startswith("sha256:")


# --------------------------------------------------------------------------- the command


def test_exit_codes_with_waivers_and_baseline(tmp_path: Path) -> None:
    root = house(tmp_path, WAIVER)
    now = ("--now", "2026-01-31")
    first = command("check", "--format", "json", *now, cwd=root)
    assert first.returncode == 1
    (tmp_path / "old.json").write_bytes(first.stdout)
    known = command("check", "--baseline", "../old.json", *now, cwd=root)
    assert known.returncode == 0, known.stdout
    assert b"1 finding waived, 1 finding known to the baseline" in known.stdout
    late = command(
        "check", "--baseline", "../old.json", "--now", "2027-01-01", "--format", "concise", cwd=root
    )
    assert late.returncode == 1
    assert late.stdout.count(b"\n") == 3


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"schema_version": "2", "findings": []}'])
def test_a_baseline_that_cannot_be_used_is_a_mistake(tmp_path: Path, content: bytes | None) -> None:
    root = house(tmp_path)
    if content is not None:
        (tmp_path / "old.json").write_bytes(content)
    done = command("check", "--baseline", "../old.json", cwd=root)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"old.json" in done.stderr


def test_a_baseline_may_not_be_a_folder_or_a_pipe(tmp_path: Path) -> None:
    root = house(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for name in ("..", "../pipe"):
        assert command("check", "--baseline", name, cwd=root).returncode == 2


def test_what_was_written_with_a_baseline_is_none(tmp_path: Path) -> None:
    root = house(tmp_path)
    old = taken(root, tmp_path)
    again = command("check", "--baseline", str(old), "--format", "json", cwd=root)
    (tmp_path / "new.json").write_bytes(again.stdout)
    done = command("check", "--baseline", "../new.json", cwd=root)
    assert done.returncode == 2
    assert b"itself written with `--baseline`" in done.stderr


# --------------------------------------------------------------------------- laws

RULES, SUBJECTS = ("A-1", "A-2", "CPX-DOC-001"), ("T-1", "T-2")


def made(rule: str, subject: str, outcome: Outcome, condition: str) -> Finding:
    return Finding(
        rule=rule,
        name="",
        severity=Severity.ERROR,
        outcome=outcome,
        subjects=(subject,),
        condition=condition,
        message="",
        locations=(Location("a.md", 1, 1, "", "primary"),),
        fingerprint=f"{rule} {subject} {condition}",
    )


FINDINGS = st.lists(
    st.builds(
        made,
        st.sampled_from(RULES),
        st.sampled_from(SUBJECTS),
        st.sampled_from([Outcome.FALSE, Outcome.UNKNOWN, Outcome.ERROR]),
        st.sampled_from(["c", "for"]),
    ),
    unique=True,
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "rule": st.sampled_from((*RULES, "A-3")),
            "subject": st.sampled_from(SUBJECTS),
            "owner": st.sampled_from(["Ada", ""]),
            "reason": st.just("because"),
            "until": st.sampled_from(["2026-01-30", "2026-01-31", "never"]),
        }
    )
)


def excused(findings: list[Finding], waivers: Waivers, baseline: Baseline | None) -> Any:
    return excuse(
        findings,
        waivers,
        baseline,
        codes=frozenset(RULES),
        takes=lambda code: True,
        lines=lambda path: (),
        today=NOW.date(),
    )


@given(FINDINGS, ENTRIES, st.none() | FINDINGS)
def test_every_finding_counts_or_is_waived_or_is_known(
    findings: list[Finding], entries: list[dict[str, str]], old: list[Finding] | None
) -> None:
    waivers = read_waivers([WaiverFile("w.yaml", listed(*entries).encode())])
    known = {(found.fingerprint, found.outcome): found.rule for found in old or ()}
    result = excused(findings, waivers, None if old is None else Baseline(known, ""))
    own = [found for found in result.findings if found.condition != "waiver"]
    there = [*own, *(waived.finding for waived in result.waived), *result.known]
    assert sorted(there, key=repr) == sorted(findings, key=repr)
    assert all(found.outcome is not Outcome.ERROR for found in there[len(own) :])
    assert all(found.rule != "CPX-DOC-001" and found.condition != "for" for found in there[len(own) :])
    assert all(waived.owner == "Ada" and waived.until == "2026-01-31" for waived in result.waived)
    assert len(result.waived) + len(result.findings) >= min(1, len(entries))


@given(FINDINGS, FINDINGS)
def test_a_baseline_is_no_number(old: list[Finding], new: list[Finding]) -> None:
    known = {(found.fingerprint, found.outcome): found.rule for found in old}
    result = excused(new, Waivers(), Baseline(known, ""))
    assert set(new) - set(old) <= set(result.findings)
    assert result.gone == len(set(old) - set(new))


def test_a_fault_of_a_file_is_shown_at_its_place() -> None:
    fault = Fault("waivers-unreadable", "it is a riddle", Place("w.yaml", 2, 3))
    (found,) = excused([], Waivers(("w.yaml",), (), (fault,), ""), None).findings
    assert (found.rule, found.subjects, found.condition) == ("CPX-WVR-001", ("doc:w.yaml",), "waiver")
    assert found.locations[0][:3] == ("w.yaml", 2, 3)
