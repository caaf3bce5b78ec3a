"""`docs/waivers.md` is what the program does with waivers."""

from __future__ import annotations

from cortex_policy.ruleset.changes import CHANGES
from cortex_policy.ruleset.waivers import WAIVER_FAULTS, WAIVER_KEYS, WaiverFile, read_waivers
from tests.docs.pages import code, fences, table

PAGE = "docs/waivers.md"
REVISIONS = "docs/revisions.md"


def test_the_keys_of_a_waiver_are_complete() -> None:
    assert [code(row["key"]) for row in table(PAGE, "Waivers")] == list(WAIVER_KEYS)


def test_the_faults_of_waivers_are_those_of_the_program() -> None:
    shown = [
        tuple(cell.replace("`", "") for cell in row.values()) for row in table(PAGE, "Faults of waivers")
    ]
    known = [(k.id, k.name, k.severity.value, k.why, k.fix) for k in WAIVER_FAULTS.values()]
    assert shown == [tuple(cell.replace("`", "") for cell in row) for row in known]


def test_the_waiver_that_is_shown_is_sound() -> None:
    (text,) = [fence.text for fence in fences(PAGE) if fence.language == "yaml"]
    read = read_waivers([WaiverFile("w.yaml", text.encode())])
    assert [waiver.sound for waiver in read.entries] == [True]
    assert read.faults == ()


def test_the_codes_of_changes_are_complete() -> None:
    shown = [row["code"] for row in table(REVISIONS, "Changes of the policy")]
    assert shown == [kind.id for kind in CHANGES.values()]
