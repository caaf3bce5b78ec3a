"""Block rules that a text cannot need are left out of the parser; nobody can tell from the tokens."""

from __future__ import annotations

from collections.abc import MutableMapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cortex_policy.documents.markdown import MAX_BLOCK_NESTING, _parser

WHOLE = MarkdownIt("commonmark", {"maxNesting": MAX_BLOCK_NESTING}).enable("table").disable("inline")

PIECES = (
    *("a", " ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", "\0", "\xa0", "\x0b"),
    *("#", "# ", "-", "- ", "* ", "+ ", "1. ", "1)", "_", "*", "***", "---", "- - -", "=", "===", "> ", ">"),
    *("```", "~~~", "`", "|", "| a | b |", "|---|---|", ":-", "<", "<div>", "<!-- ", "-->", "</script>"),
    *("[a]: b", "[a]:", "]:", "[", "]", "\\", "\\|", "é"),
)


def shape(tokens: list[Token]) -> list[MutableMapping[str, object]]:
    return [token.as_dict() for token in tokens]


@settings(max_examples=2_000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_a_parser_without_idle_rules_gives_the_same_tokens(text: str) -> None:
    assert shape(_parser(text).parse(text)) == shape(WHOLE.parse(text))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a\n===", "lheading"),
        ("a\n---   ", "lheading"),
        ("> a\n> -", "lheading"),
        ("***", "hr"),
        ("- - -\t", "hr"),
        ("_ _ _\r\n", "hr"),
        ("# a", "heading"),
        ("> a", "blockquote"),
        ("<p>", "html_block"),
        ("[a]: b", "reference"),
        ("~~~\na", "fence"),
        ("a | b\n-- | -", "table"),
    ],
)
def test_a_rule_that_matches_is_never_left_out(text: str, rule: str) -> None:
    parser = _parser(text)
    assert rule in parser.get_active_rules()["block"]
    assert shape(parser.parse(text)) == shape(WHOLE.parse(text))
    assert shape(parser.parse(text)) != shape(WHOLE.disable(rule).parse(text))
    WHOLE.enable(rule)


def test_plain_prose_needs_few_rules() -> None:
    assert _parser("one\ntwo\n\n- three").get_active_rules()["block"] == ["code", "list", "paragraph"]
