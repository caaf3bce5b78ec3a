"""Markdown as a flat list of blocks with their lines: what readers look at.

Block tokens of markdown-it-py only: ids, statuses and boxes inside fences, HTML comments and link definitions are not
prose. Inline parsing costs as much again as block parsing, and nothing here needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import frontmatter
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_BLOCK_NESTING: Final = 40
"""Where markdown-it-py stops descending; a list takes two levels. A document that goes so far is refused."""
MAX_QUOTES: Final = 8
"""Nested quotes: each level costs 5 µs for each line that follows lazily, without a mark of its own."""

FENCE: Final = frontmatter.default_handlers.YAMLHandler.FM_BOUNDARY
"""The front matter boundary of python-frontmatter: three or more dashes alone on a line."""


class Block(NamedTuple):
    """One heading, paragraph, list item, table row or fence.

    `kind` is `heading`, `paragraph`, `item` (the text of a list item), `row` or `fence`; `line` is the line of the file
    on which `text` starts; `level` is the heading level, or the list depth (0 outside lists); `cells` are a row's cells
    with `header` naming the columns.
    """

    kind: str
    line: int
    level: int
    text: str
    quoted: bool = False
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()


_QUOTES: Final = re.compile(r"\n(?:[ \t>*+-]|[0-9]{1,9}[.)])*>")


class Split(NamedTuple):
    """A Markdown text cut at its front matter; `metadata` is None where there is none.

    Lines are the number of lines of the file before each part. `problem` is a key of `faults.FAULTS` with a line.
    """

    metadata: str | None
    metadata_line: int
    body: str
    body_line: int
    problem: tuple[str, int] | None


_MARKS: Final[Mapping[str, re.Pattern[str]]] = {
    "table": re.compile(r"\|"),
    "fence": re.compile(r"```|~~~"),
    "blockquote": re.compile(r">"),
    "hr": re.compile(r"[\r\n][ \t>*+_0-9.)-]*[*_-][ \t]*(?:[\r\n]|\Z)"),
    "reference": re.compile(r"\]:"),
    "html_block": re.compile(r"<"),
    "heading": re.compile(r"#"),
    "lheading": re.compile(r"[\r\n][ \t>]*(?:=+|-+)[ \t]*(?:[\r\n]|\Z)"),
}
"""What a text must hold for a block rule of markdown-it-py to match anywhere in it: every line is asked by every rule,
so a rule that cannot match is left out. A rule or an underline has a line to itself, after marks of quotes or lists."""
_handler = frontmatter.default_handlers.YAMLHandler()
_PAIR: Final = re.compile(r"^\s*[\"']?[A-Za-z_][\w .-]*[\"']?\s*:(\s|$)")
_BLANK: Final = " \t\ufeff\u200b\u2060\xa0"
"""What an editor shows as nothing, in front of a fence that is then none."""
_ANY_FENCE: Final = re.compile(r"^[ \t]*-{3,}[ \t]*$", re.MULTILINE)
MAX_PAIR_CHARS: Final = 200
"""How much of a line is looked at to see whether it is `key: value`."""
MAX_LEADING_LINES: Final = 20
"""How far below the first line a front matter fence is still taken for a misplaced one."""


def split_front_matter(text: str) -> Split:
    """Cut `text` at its front matter with python-frontmatter's own splitter; never raises."""
    if not _handler.detect(text):
        return Split(None, 0, text, 0, _misplaced(text))
    opening = FENCE.match(text)
    start = opening.end() if opening else 0
    metadata_line = text.count("\n", 0, start)
    try:
        metadata, body = _handler.split(text)
    except ValueError:
        return Split(None, 0, text[start:], metadata_line, ("front-matter-unclosed", 1))
    body_line = text.count("\n", 0, len(text) - len(body))
    return Split(metadata, metadata_line, body, body_line, _second(body, body_line))


def _misplaced(text: str) -> tuple[str, int] | None:
    """A fence with `key: value` under it that does not stand on line 1, as far as MAX_LEADING_LINES."""
    start = 0
    for number in range(1, MAX_LEADING_LINES + 1):
        end = text.find("\n", start)
        if end < 0:
            break
        following = text[end + 1 : end + 1 + MAX_PAIR_CHARS].split("\n", 1)[0]
        opens = len(text) > start and FENCE.match(text[start:end].lstrip(_BLANK))
        if opens and _PAIR.match(following) and _ANY_FENCE.search(text, end + 1):
            return ("text-before-front-matter", number)
        start = end + 1
    return None


def _second(body: str, body_line: int) -> tuple[str, int] | None:
    """A second fenced block of `key: value` lines directly after the first."""
    start = len(body) - len(body.lstrip())
    rest = body[start:]
    opening = FENCE.match(rest)
    if opening is None:
        return None
    closing = FENCE.search(rest, opening.end())
    inner = rest[opening.end() : closing.start()].strip() if closing else ""
    if inner and all(_PAIR.match(line) or line[:1] in " #-" or not line for line in inner.split("\n")):
        return ("second-front-matter", body_line + body.count("\n", 0, start) + 1)
    return None


def blocks(body: str, body_line: int) -> list[Block]:
    """The blocks of a Markdown text in order; `body_line` is the number of lines of the file before it.

    Raises `TooDeep` where something is nested so deep that it would not be read, or only in a very long time.
    """
    if body.count(">") > MAX_QUOTES:
        _refuse_quotes(body, body_line)
    tokens = _parser(body).parse(body)
    for token in tokens:
        if token.level >= MAX_BLOCK_NESTING - 1 and token.type in _CONTAINERS:
            line = token.map[0] + 1 if token.map else 1
            raise TooDeep(f"lists nested deeper than {MAX_BLOCK_NESTING // 2 - 1} levels", body_line + line)
    return _Walk(body_line).run(tokens)


def _parser(body: str) -> MarkdownIt:
    """A parser with the rules that `body` can need; the same tokens as one with all of them."""
    lines = "\n" + body  # so that the first line begins as every other does
    idle = [rule for rule, mark in _MARKS.items() if mark.search(lines) is None]
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_BLOCK_NESTING}).enable("table")
    return parser.disable(["inline", *idle])


_CONTAINERS: Final = frozenset({"list_item_open", "blockquote_open"})


def _refuse_quotes(body: str, body_line: int) -> None:
    text = "\n" + body
    for found in _QUOTES.finditer(text):
        if found.group().count(">") > MAX_QUOTES:
            line = text.count("\n", 0, found.start() + 1)
            raise TooDeep(f"quotes nested deeper than {MAX_QUOTES} levels", body_line + line)


class TooDeep(Exception):
    """Blocks are nested beyond a limit; `line` is the first line of the file at which that shows."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class _Walk:
    """Turns block tokens into blocks: what is open (heading, list, quote, table) while the text arrives."""

    __slots__ = (
        "blocks",
        "cells",
        "depth",
        "fresh_item",
        "header",
        "heading",
        "in_header",
        "offset",
        "quotes",
        "table",
    )

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.blocks: list[Block] = []
        self.depth = self.quotes = self.heading = 0
        self.fresh_item = self.table = self.in_header = False
        self.header: tuple[str, ...] = ()
        self.cells: list[tuple[int, str]] = []

    def run(self, tokens: list[Token]) -> list[Block]:
        for token in tokens:
            step = _STEPS.get(token.type)
            if step is not None:
                step(self, token)
        return self.blocks

    def add(self, kind: str, level: int, token: Token, text: str) -> None:
        line = token.map[0] + 1 + self.offset if token.map else 0
        self.blocks.append(Block(kind, line, level, text, self.quotes > 0))

    def inline(self, token: Token) -> None:
        """The text of whatever was opened last."""
        text = token.content if "<!--" not in token.content else _blank_comments(token.content)
        if self.table:
            self.cells.append((token.map[0] + 1 + self.offset if token.map else 0, text))
        elif self.heading:
            self.add("heading", self.heading, token, text)
            self.heading = 0
        elif self.fresh_item:
            self.add("item", self.depth, token, text)
            self.fresh_item = False
        else:
            self.add("paragraph", self.depth, token, text)

    def open_heading(self, token: Token) -> None:
        self.heading = int(token.tag[1])
        self.fresh_item = False

    def open_item(self, token: Token) -> None:
        self.fresh_item = True

    def close_item(self, token: Token) -> None:
        self.fresh_item = False

    def open_list(self, token: Token) -> None:
        self.depth += 1

    def close_list(self, token: Token) -> None:
        self.depth -= 1

    def open_quote(self, token: Token) -> None:
        self.quotes += 1

    def close_quote(self, token: Token) -> None:
        self.quotes -= 1

    def fence(self, token: Token) -> None:
        self.add("fence", self.depth, token, token.content)

    def open_table(self, token: Token) -> None:
        self.table, self.header = True, ()

    def close_table(self, token: Token) -> None:
        self.table = False

    def open_header(self, token: Token) -> None:
        self.in_header = True

    def close_header(self, token: Token) -> None:
        self.in_header = False

    def open_row(self, token: Token) -> None:
        self.cells = []

    def close_row(self, token: Token) -> None:
        texts = tuple(text for _, text in self.cells)
        if self.in_header:
            self.header = texts
        elif self.cells:
            line = self.cells[-1][0]
            self.blocks.append(
                Block("row", line, self.depth, " | ".join(texts), self.quotes > 0, texts, self.header)
            )


_STEPS: Final[Mapping[str, Callable[[_Walk, Token], None]]] = {
    "inline": _Walk.inline,
    "heading_open": _Walk.open_heading,
    "list_item_open": _Walk.open_item,
    "list_item_close": _Walk.close_item,
    "bullet_list_open": _Walk.open_list,
    "ordered_list_open": _Walk.open_list,
    "bullet_list_close": _Walk.close_list,
    "ordered_list_close": _Walk.close_list,
    "blockquote_open": _Walk.open_quote,
    "blockquote_close": _Walk.close_quote,
    "fence": _Walk.fence,
    "table_open": _Walk.open_table,
    "table_close": _Walk.close_table,
    "thead_open": _Walk.open_header,
    "thead_close": _Walk.close_header,
    "tr_open": _Walk.open_row,
    "tr_close": _Walk.close_row,
}
"""What each block token means; all others carry nothing that readers look at."""


def _blank_comments(text: str) -> str:
    """Comments become blanks of the same shape, so that what follows keeps its line and column."""
    parts = []
    start = 0
    while (opening := text.find("<!--", start)) >= 0 and (closing := text.find("-->", opening + 4)) >= 0:
        parts += [text[start:opening], re.sub(r"[^\n]", " ", text[opening : closing + 3])]
        start = closing + 3
    return "".join((*parts, text[start:]))
