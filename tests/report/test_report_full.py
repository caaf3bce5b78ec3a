from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cortex_policy.model import CheckResult, Finding, Outcome
from cortex_policy.report import Style, render
from cortex_policy.report.frame import cell_width
from cortex_policy.report.full import MAX_RELATED, MAX_SUBJECTS
from tests.report.results import BLOCKERS, EXPIRY, RULES, finding, place, result, sample, sources

GOLDEN = Path(__file__).parent / "golden"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
NARROW = Style(width=80)


def full(*findings: Finding, style: Style = NARROW, **more: Any) -> str:
    return render("full", result(*findings, **more), style=style, sources=sources)


def test_the_sample_reads_like_this() -> None:
    text = render("full", sample(), style=NARROW, sources=sources)
    assert text == (GOLDEN / "full.txt").read_text(encoding="utf-8")


def test_colour_adds_colour_only() -> None:
    coloured = render("full", sample(), style=Style(color=True, width=80), sources=sources)
    assert coloured != ANSI.sub("", coloured) == render("full", sample(), style=NARROW, sources=sources)


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        (result(), "1;32"),
        (result(rules=()), "1;31"),
        (result(finding(EXPIRY)), "1;33"),
        (result(finding(EXPIRY), finding()), "1;31"),
    ],
)
def test_the_verdict_is_green_only_when_something_was_checked(value: CheckResult, colour: str) -> None:
    text = render("full", value, style=Style(color=True))
    verdict = next(line for line in text.splitlines() if ", checked against " in line or "nothing" in line)
    assert verdict.startswith(f"\x1b[{colour}m")


def test_no_line_is_wider_than_the_terminal() -> None:
    wide = finding(
        message="矛盾" * 60 + " and a long explanation" * 9,
        locations=(place(text="漢字 " * 80, column=200), place("b.md", 99999, 5, "y" * 300, "related")),
    )
    assert max(cell_width(line) for line in full(wide).splitlines()) <= 80


def test_off_a_terminal_nothing_is_wrapped() -> None:
    message = "a long explanation " * 20 + "end"
    assert f"  {message}\n" in full(finding(message=message), style=Style())


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"documents": 0}, "nothing was checked: there is no document; this is not a pass"),
        ({"rules": ()}, "nothing was checked: there is no rule; this is not a pass"),
        (
            {"documents": 0, "rules": ()},
            "nothing was checked: there is no document and no rule; this is not a pass",
        ),
        ({}, "no findings: 2 documents with 3 items, checked against 3 rules"),
        (
            {"documents": 1, "items": 1, "rules": (BLOCKERS,)},
            "no findings: 1 document with 1 item, checked against 1 rule",
        ),
    ],
)
@pytest.mark.parametrize("name", ["full", "concise", "github"])
def test_a_clean_result_says_what_was_checked(name: str, counts: dict[str, Any], said: str) -> None:
    assert said in render(name, result(**counts), style=Style()).splitlines()


def test_exemptions_and_notes_are_told() -> None:
    text = full(exempt=2, notes=("one", "two"))
    assert "  2 subjects exempt, being older than the rule\n  note: one\n  note: two\n" in text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.UNKNOWN, "= undecided: something this condition needs is missing"),
        (Outcome.ERROR, "= not evaluated: this condition ended in an error, which never counts as a pass"),
    ],
)
def test_an_outcome_that_is_no_failure_is_said_in_words(outcome: Outcome, words: str) -> None:
    assert words in full(finding(outcome=outcome), style=Style())
    assert words not in full(finding(), style=Style())


def test_only_some_related_places_are_shown_and_the_others_counted() -> None:
    places = [place(f"p{n}.md", n, 1, "x", "related") for n in range(1, MAX_RELATED + 3)]
    text = full(finding(locations=(place(), *places)))
    assert text.count("(related)") == MAX_RELATED
    assert "= and 2 more places\n" in text


def test_a_place_is_shown_once() -> None:
    text = full(finding(locations=(place(), place(role="related"), place())))
    assert text.count("-->") == 1


def test_the_primary_place_comes_first() -> None:
    text = full(finding(locations=(place("a.md", role="related"), place("b.md"))))
    assert text.index("b.md") < text.index("a.md")


def test_only_some_subjects_are_shown_and_the_others_counted() -> None:
    text = full(finding(subjects=tuple(f"T-{n}" for n in range(MAX_SUBJECTS + 2))))
    assert "= subject: T-0, T-1, T-2, T-3, T-4 and 2 more\n" in text


def test_a_line_that_nobody_can_read_has_no_frame() -> None:
    text = full(finding(locations=(place("gone.md", 7, 2, ""),)))
    assert "  --> gone.md:7:2\n   |\n   = subject" in text


def test_the_document_is_preferred_to_the_text_of_the_place() -> None:
    text = full(finding(locations=(place("plan/tasks.md", 12, 3, "Status: done"),)))
    assert " 12 | - Status: done\n    |   ^\n" in text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.FALSE, "does not hold"),
        (Outcome.UNKNOWN, "cannot be decided"),
        (Outcome.ERROR, "cannot be evaluated"),
    ],
)
def test_a_finding_without_a_message_still_says_what_is_wrong(outcome: Outcome, words: str) -> None:
    assert f"  the condition `blockers` {words}\n" in full(finding(outcome=outcome, message=""))


def test_a_document_cannot_start_a_ci_command() -> None:
    text = full(
        finding(message="::error::owned " * 9, locations=(place("::error::.md", text="::warning::owned"),)),
        rules=RULES,
        notes=("::debug::x",),
    )
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
