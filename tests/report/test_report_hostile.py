"""No document can make any format say something else than what it is: a law, tried on any text."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_policy.model import CheckResult, Outcome, RuleInfo, Severity
from cortex_policy.report import FORMATS, Style, render
from tests.report.hostile import HOSTILE, raw_hidden
from tests.report.results import finding, place, result

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(list(HOSTILE.values()))


def built(path: str, text: str, subject: str, message: str) -> CheckResult:
    rule = RuleInfo(
        id=subject or "X",
        name=text,
        severity=Severity.ERROR,
        why=message,
        source=(path,),
        message=text,
        pack=path,
    )
    places = (place(path, 3, 2, text), place(path + "2", 1, 1, message, "related"))
    found = finding(
        rule, outcome=Outcome.UNKNOWN, subjects=(subject,), condition=text, message=message, locations=places
    )
    return result(found, rules=(rule,), notes=(message, text))


def check_all(value: CheckResult) -> None:
    for name in FORMATS:
        text = render(name, value, style=Style(width=60), sources=lambda path: ())
        assert raw_hidden(text) == set(), name
        text.encode("utf-8")
        assert text == render(name, value, style=Style(width=60))
        CHECKS[name](text)


def no_command(text: str) -> None:
    for line in text.splitlines():
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def only_our_commands(text: str) -> None:
    ours = [line for line in text.split("\n") if line.lstrip().startswith("::")]
    assert len(ours) == 1
    assert ours[0].startswith("::error ")
    assert "##[" not in text


CHECKS: dict[str, Callable[[str], object]] = {
    "full": no_command,
    "concise": no_command,
    "json": json.loads,
    "sarif": json.loads,
    "junit": ET.fromstring,
    "github": only_our_commands,
    "gitlab": json.loads,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_vector_gets_through(text: str) -> None:
    check_all(built(text, text, text, text))


@settings(deadline=None)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_text_gets_through(path: str, text: str, subject: str, message: str) -> None:
    check_all(built(path, text, subject, message))


@given(ANY_TEXT)
def test_a_hostile_text_adds_no_line_to_concise(text: str) -> None:
    assert render("concise", built(text, text, text, text), style=Style()).count("\n") == 2


def test_xml_keeps_what_it_forbids_visible() -> None:
    document = ET.fromstring(render("junit", built("a", "b", "S", "x\x00\ufffe]]>"), style=Style()))
    node = document.find("testsuite/testcase/failure")
    assert node is not None
    assert node.attrib["message"] == "undecided: x\\u0000\\ufffe]]>"
