"""Files of waivers: what cannot be read exactly as written covers nothing, and says so at its line."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_policy.documents.faults import FAULTS
from cortex_policy.model import Finding, Location, Outcome, Severity
from cortex_policy.ruleset.changes import CHANGES
from cortex_policy.ruleset.waivers import (
    WAIVER_FAULTS,
    WAIVER_KEYS,
    WaiverFile,
    Waivers,
    read_waivers,
)
from cortex_policy.verdicts.excusing import excusable

ONE = "{rule: A-1, subject: T-1, reason: because, owner: Ada, until: 2026-01-31}"


def waivers(text: str | bytes | None, problem: str = "") -> Waivers:
    data = text.encode() if isinstance(text, str) else text
    return read_waivers([WaiverFile("w.yaml", data, problem)])


def entry(**changed: str | None) -> Waivers:
    """One waiver, with some of its lines changed or left out."""
    lines = {"rule": "A-1", "subject": "T-1", "reason": "because", "owner": "Ada", "until": "2026-01-31"}
    merged = {key: value for key, value in {**lines, **changed}.items() if value is not None}
    body = "".join(f"    {key}: {value}\n" for key, value in merged.items())
    return waivers("waivers:\n  -\n" + body)


def said(found: Waivers) -> list[tuple[str, int, int]]:
    return [(fault.code, fault.place.line, fault.place.column) for fault in found.faults]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (None, (1, 1), "gone"),
        ("", (1, 1), "no `waivers:`"),
        ("# nothing\n", (1, 1), "no `waivers:`"),
        (b"waivers:\n- \xff\n", (2, 1), "not UTF-8"),
        ("\ufeffwaivers: []\n", (1, 1), "byte order mark"),
        ("waivers:\n", (1, 9), "no list"),
        ("waivers: none\n", (1, 10), "no list"),
        (f"- {ONE}\n", (1, 1), "no `waivers:`"),
        ("waiver: []\n", (1, 1), "no `waivers:`"),
        (f"waivers: [{ONE}]\nversion: 1\n", (2, 1), "a key `version` beside"),
        (f"waivers: [{ONE}]\nwaivers: []\n", (2, 1), "stands twice"),
        (f"waivers: [{ONE}]\n---\nwaivers: []\n", (2, 1), "second YAML document"),
        (f"waivers:\n- {ONE}\n- [\n", (4, 1), ""),
        (f"waivers:\n- &a {ONE}\n", (2, 3), "anchor"),
        (f"waivers:\n- !x {ONE}\n", (2, 3), "tag"),
        ("waivers:\n- {owner: Ada, owner: Bob}\n", (2, 16), "stands twice"),
    ],
)
def test_a_file_that_is_not_read_as_written_covers_nothing(
    text: str | bytes | None, place: tuple[int, int], words: str
) -> None:
    found = waivers(text, "gone")
    assert found.entries == ()
    assert {fault.code for fault in found.faults} == {"waivers-unreadable"}
    assert any(words in fault.message for fault in found.faults)
    assert place in {(fault.place.line, fault.place.column) for fault in found.faults}


def test_no_waiver_is_no_fault() -> None:
    found = waivers("waivers: []\n")
    assert (found.entries, found.faults, found.files) == ((), (), ("w.yaml",))
    assert found.digest.startswith("sha256:")
    assert read_waivers([]) == Waivers()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"rule": None}, ("waiver-malformed", 3, 5)),
        ({"rule": ""}, ("waiver-malformed", 3, 10)),
        ({"rule": "[A-1]"}, ("waiver-malformed", 3, 11)),
        ({"subject": None}, ("waiver-malformed", 3, 5)),
        ({"subject": "[]"}, ("waiver-malformed", 4, 14)),
        ({"subject": "[T-1, [T-2]]"}, ("waiver-malformed", 4, 14)),
        ({"subject": "[T-1, ~]"}, ("waiver-malformed", 4, 14)),
        ({"subject": "{id: T-1}"}, ("waiver-malformed", 4, 14)),
        ({"condition": ""}, ("waiver-malformed", 8, 15)),
        ({"condition": "[a]"}, ("waiver-malformed", 8, 16)),
        ({"path": "~"}, ("waiver-malformed", 8, 11)),
        ({"rules": "A-2"}, ("waiver-malformed", 8, 5)),
        ({"owner": None}, ("waiver-without-owner", 3, 5)),
        ({"owner": ""}, ("waiver-without-owner", 6, 11)),
        ({"owner": "null"}, ("waiver-without-owner", 6, 12)),
        ({"owner": "~"}, ("waiver-without-owner", 6, 12)),
        ({"owner": "'  '"}, ("waiver-without-owner", 6, 12)),
        ({"owner": "'-'"}, ("waiver-without-owner", 6, 12)),
        ({"owner": '"\\u200b"'}, ("waiver-without-owner", 6, 12)),
        ({"owner": "{name: Ada}"}, ("waiver-without-owner", 6, 12)),
        ({"reason": None}, ("waiver-without-reason", 3, 5)),
        ({"reason": "''"}, ("waiver-without-reason", 5, 13)),
        ({"until": None}, ("waiver-expired", 3, 5)),
        ({"until": "never"}, ("waiver-expired", 7, 12)),
        ({"until": "2026-02-30"}, ("waiver-expired", 7, 12)),
        ({"until": "2026-1-31"}, ("waiver-expired", 7, 12)),
        ({"until": "20260131"}, ("waiver-expired", 7, 12)),
        ({"until": "2026-W05-6"}, ("waiver-expired", 7, 12)),
        ({"until": "2026-01-31T12:00:00Z"}, ("waiver-expired", 7, 12)),
        ({"until": "9999-99-99"}, ("waiver-expired", 7, 12)),
        ({"until": "٢٠٢٦-٠١-٣١"}, ("waiver-expired", 7, 12)),
    ],
    ids=str,
)
def test_a_fault_has_its_place_and_takes_the_waiver_away(
    changed: dict[str, str | None], fault: tuple[str, int, int]
) -> None:
    found = entry(**changed)
    assert said(found) == [fault]
    assert [waiver.sound for waiver in found.entries] == [False]


def test_an_entry_that_is_no_mapping_is_a_fault_and_the_others_stay() -> None:
    found = waivers(f"waivers:\n- A-1\n- [A-1, T-1]\n- {ONE}\n")
    assert said(found) == [("waiver-malformed", 2, 3), ("waiver-malformed", 3, 3)]
    assert [waiver.place.line for waiver in found.entries if waiver.sound] == [4]


def test_everything_that_is_wrong_with_an_entry_is_said_at_once() -> None:
    (found, *rest) = waivers("waivers:\n- {rule: A-1, subject: T-1}\n").faults
    assert [fault.code for fault in (found, *rest)] == [
        "waiver-without-reason",
        "waiver-without-owner",
        "waiver-expired",
    ]


def test_a_misspelt_key_is_suggested() -> None:
    (fault,) = entry(untill="2027-01-01").faults
    assert "did you mean `until`?" in fault.message


def test_a_waiver_as_written() -> None:
    (waiver,) = entry(subject="[T-2, T-1]", condition="c", path="a.md").entries
    assert waiver.sound
    assert waiver[:5] == ("A-1", ("T-1", "T-2"), "c", "a.md", "because")
    assert (waiver.owner, waiver.until, waiver.place) == ("Ada", date(2026, 1, 31), ("w.yaml", 3, 5))


def finding(**changed: object) -> Finding:
    base = Finding(
        rule="A-1",
        name="a",
        severity=Severity.ERROR,
        outcome=Outcome.FALSE,
        subjects=("T-1",),
        condition="c",
        message="m",
        locations=(Location("a.md", 1, 1, "", "primary"),),
        fingerprint="sha256:0",
    )
    return base._replace(**changed)  # type: ignore[arg-type]  # the table holds one field of any type in each row


@pytest.mark.parametrize(
    ("waiver", "met", "covered"),
    [
        ({}, {}, True),
        ({}, {"condition": "other"}, True),
        ({"rule": "A"}, {}, False),
        ({"rule": "A-10"}, {}, False),
        ({"rule": "a-1"}, {}, False),
        ({"rule": "A-*"}, {}, False),
        ({}, {"rule": "A-10"}, False),
        ({"subject": "T"}, {}, False),
        ({"subject": "T-*"}, {}, False),
        ({"subject": "t-1"}, {}, False),
        ({}, {"subjects": ("T-10",)}, False),
        ({}, {"subjects": ("T-1", "T-2")}, False),
        ({"subject": "[T-1, T-2]"}, {}, False),
        ({"subject": "[T-2, T-1]"}, {"subjects": ("T-1", "T-2")}, True),
        ({}, {"subjects": ()}, False),
        ({"condition": "c"}, {}, True),
        ({"condition": "C"}, {}, False),
        ({"path": "a.md"}, {}, True),
        ({"path": "b.md"}, {}, False),
        ({"path": "'*.md'"}, {}, False),
        ({"path": "a.md"}, {"locations": ()}, False),
    ],
    ids=str,
)
def test_a_waiver_covers_exactly_what_it_names(
    waiver: dict[str, str], met: dict[str, object], covered: bool
) -> None:
    (read,) = entry(**waiver).entries
    assert read.covers(finding(**met)) is covered


@pytest.mark.parametrize(
    ("rule", "outcome", "condition", "expected"),
    [
        ("A-1", Outcome.FALSE, "c", True),
        ("A-1", Outcome.UNKNOWN, "when", True),
        ("A-1", Outcome.ERROR, "c", False),
        ("A-1", Outcome.UNKNOWN, "for", False),
        *((kind.id, Outcome.FALSE, "readable", not kind.hides) for kind in FAULTS.values()),
        *((kind.id, Outcome.FALSE, "waiver", False) for kind in WAIVER_FAULTS.values()),
        *((kind.id, Outcome.FALSE, "kept", False) for kind in CHANGES.values()),
    ],
)
def test_what_may_hide_a_fault_is_never_excused(
    rule: str, outcome: Outcome, condition: str, expected: bool
) -> None:
    assert excusable(rule, outcome, condition) is expected


def test_codes_are_unique_and_in_order() -> None:
    codes = [kind.id for kind in WAIVER_FAULTS.values()]
    assert codes == sorted(set(codes))
    assert not set(codes) & {kind.id for kind in FAULTS.values()}


def test_the_digest_is_that_of_paths_and_bytes() -> None:
    files = [WaiverFile("a", b"x"), WaiverFile("b", b"y")]
    digests = {
        read_waivers(given).digest
        for given in (
            files,
            files[:1],
            [WaiverFile("a", b"xb"), *files[1:]],
            [WaiverFile("a", None), *files[1:]],
        )
    }
    assert len(digests) == 4


@given(st.binary(max_size=200))
def test_any_bytes_give_waivers_or_faults(data: bytes) -> None:
    found = waivers(b"waivers:\n" + data)
    assert found.entries or found.faults or found.digest


LINE = st.text("{}[]:,- \n'\"&*!~abc", max_size=12)


@given(st.dictionaries(st.sampled_from(WAIVER_KEYS), LINE, max_size=7))
def test_a_sound_waiver_names_all_that_it_needs(lines: dict[str, str]) -> None:
    body = "".join(f"  {key}: {value}\n" for key, value in lines.items())
    for waiver in waivers(f"waivers:\n-\n{body}").entries:
        needed = (waiver.rule, waiver.subjects, waiver.reason, waiver.owner, waiver.until)
        assert not waiver.sound or all(needed)
