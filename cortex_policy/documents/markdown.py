"""Markdown as a flat list of blocks with their lines: what readers look at.

Block tokens of markdown-it-py only: ids, statuses and boxes inside fences, HTML comments and link definitions are not
prose. Inline parsing costs as much again as block parsing, so it happens only where a reader asks for links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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

    Lines are the number of lines of the file before each part. `problem` is a key of `faults.FAULTS` with a line, or None.
    """

    metadata: str | None
    metadata_line: int
    body: str
    body_line: int
    problem: tuple[str, int] | None


_parser = MarkdownIt("commonmark", {"maxNesting": MAX_BLOCK_NESTING}).enable("table").disable("inline")
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
    tokens = _parser.parse(body)
    for token in tokens:
        if token.level >= MAX_BLOCK_NESTING - 1 and token.type in _CONTAINERS:
            line = token.map[0] + 1 if token.map else 1
            raise TooDeep(f"lists nested deeper than {MAX_BLOCK_NESTING // 2 - 1} levels", body_line + line)
    return list(_walk(tokens, body_line))


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


class _Row:
    """A table row while its cells arrive."""

    def __init__(self) -> None:
        self.header: tuple[str, ...] = ()
        self.cells: list[str] = []
        self.line = 0
        self.in_header = False


def _walk(tokens: list[Token], offset: int) -> Iterator[Block]:
    depth = quotes = heading = 0
    fresh_item = False
    row: _Row | None = None
    for token in tokens:
        kind = token.type
        if kind == "inline":
            first = (token.map or (0, 0))[0] + 1 + offset
            text = token.content if "<!--" not in token.content else _blank_comments(token.content)
            if row is not None:
                row.cells.append(text)
                row.line = first
            elif heading:
                yield Block("heading", first, heading, text, quotes > 0)
                heading = 0
            elif fresh_item:
                yield Block("item", first, depth, text, quotes > 0)
                fresh_item = False
            else:
                yield Block("paragraph", first, depth, text, quotes > 0)
        elif kind == "heading_open":
            heading = int(token.tag[1])
            fresh_item = False
        elif kind == "list_item_open":
            fresh_item = True
        elif kind == "list_item_close":
            fresh_item = False
        elif kind in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif kind in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif kind == "fence":
            yield Block("fence", token.map[0] + 1 + offset if token.map else 0, depth, token.content, quotes > 0, (token.info.strip(),))
        elif kind == "blockquote_open":
            quotes += 1
        elif kind == "blockquote_close":
            quotes -= 1
        elif kind == "table_open":
            row = _Row()
        elif kind == "table_close":
            row = None
        elif row is not None:
            yield from _table(kind, row, depth, quotes > 0)


def _table(kind: str, row: _Row, depth: int, quoted: bool) -> Iterator[Block]:
    if kind == "thead_open":
        row.in_header = True
    elif kind == "thead_close":
        row.in_header = False
    elif kind == "tr_open":
        row.cells = []
    elif kind == "tr_close":
        if row.in_header:
            row.header = tuple(row.cells)
        else:
            yield Block("row", row.line, depth, " | ".join(row.cells), quoted, tuple(row.cells), row.header)


def _blank_comments(text: str) -> str:
    """Comments become blanks of the same shape, so that what follows keeps its line and column."""
    parts = []
    start = 0
    while (opening := text.find("<!--", start)) >= 0 and (closing := text.find("-->", opening + 4)) >= 0:
        parts += [text[start:opening], re.sub(r"[^\n]", " ", text[opening : closing + 3])]
        start = closing + 3
    return "".join((*parts, text[start:]))


def link_targets(text: str) -> list[str]:
    """The destinations of the links in one block's text, in order."""
    found: list[str] = []
    for inline in _inline_parser.parseInline(text):
        found += [str(t.attrGet("href")) for t in inline.children or () if t.type == "link_open"]
    return found


_inline_parser = MarkdownIt("commonmark")
