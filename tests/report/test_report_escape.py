from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_policy.report.escape import defuse, json_text, lines_to_text, visible
from tests.report.hostile import HOSTILE, raw_hidden

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain text, ümläut, 漢字, 👍️", "plain text, ümläut, 漢字, 👍️"),
        ("a\\b", "a\\b"),
        ("\x1b[31m", "\\u001b[31m"),
        ("\x9b", "\\u009b"),
        ("\x7f", "\\u007f"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\u202e", "\\u202e"),
        ("\u2066\u2069\u061c", "\\u2066\\u2069\\u061c"),
        ("\u200b\u200c\u200d\u2060\ufeff", "\\u200b\\u200c\\u200d\\u2060\\ufeff"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("\ufff9\ufffe", "\\ufff9\\ufffe"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_hostile_text_stays_raw(text: str) -> None:
    assert raw_hidden(visible(text)) == set()


@given(ANY_TEXT)
def test_visible_text_is_visible_already(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert raw_hidden(visible(text)) == set()


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("::error::x", "\\u003a:error::x"),
        ("   ::error::x", "   \\u003a:error::x"),
        ("\u3000::error::x", "\u3000\\u003a:error::x"),
        (":::", "\\u003a::"),
        ("a ::error::x", "a ::error::x"),
        (": x", ": x"),
        ("a ##[error]x", "a #\\u0023[error]x"),
        ("###[group]", "##\\u0023[group]"),
        ("##vso[x]", "#\\u0023vso[x]"),
        ("##teamcity[x]", "#\\u0023teamcity[x]"),
        ("## heading [link]", "## heading [link]"),
    ],
)
def test_a_line_never_starts_a_ci_command(line: str, safe: str) -> None:
    assert defuse(line) == safe
    assert defuse(safe) == safe


def test_no_lines_are_no_text() -> None:
    assert lines_to_text([]) == ""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_json_holds_nothing_raw(text: str) -> None:
    written = json_text({text: [text]})
    assert raw_hidden(written) == set()
    written.encode("utf-8")
    json.loads(written)


@given(st.text())
def test_json_gives_every_text_back(text: str) -> None:
    assert json.loads(json_text([text, {text: 1}])) == [text, {text: 1}]


@given(ANY_TEXT)
def test_json_shows_lone_surrogates_and_nothing_else(text: str) -> None:
    shown = "".join(visible(char) if "\ud800" <= char <= "\udfff" else char for char in text)
    assert json.loads(json_text(text)) == shown
