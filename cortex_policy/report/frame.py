"""One source line cut to the width at hand, with a caret that stays under its column.

Columns of a document count characters; columns of a terminal count cells: a tab, a wide character, a
combining mark and an escaped control take another number of cells than one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from cortex_policy.report.escape import visible

TAB: Final = 4
ELLIPSIS: Final = "..."
# Off a terminal nothing is cut to a width, but a line of a megabyte is no frame either.
MAX_CELLS: Final = 400
# Narrower than this a frame shows nothing of use; a terminal may well report a width of 0.
MIN_CELLS: Final = 20

_ZERO_WIDTH: Final = frozenset({"Mn", "Me"})


def cell_width(text: str) -> int:
    """Return how many terminal cells a visible text takes."""
    return len(text) if text.isascii() else sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.category(char) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def frame(line: str, column: int, room: int | None) -> tuple[str, int]:
    """Return what to show of `line` in at most `room` cells, and how many cells stand left of `column` in it.

    `column` counts characters from 1; one behind the end points at the end.
    """
    budget = MAX_CELLS if room is None else max(MIN_CELLS, min(room, MAX_CELLS))
    at = min(max(column - 1, 0), len(line))
    # Each character takes at most ten cells and combining marks none, so this window bounds the work, not the
    # picture.
    first = max(0, at - 4 * MAX_CELLS)
    cells = _cells(line[first : at + 4 * MAX_CELLS])
    return _cut(cells, at - first, budget)


def _cells(text: str) -> list[tuple[str, int]]:
    cells = []
    position = 0
    for char in text:
        shown = " " * (TAB - position % TAB) if char == "\t" else visible(char)
        width = cell_width(shown)
        cells.append((shown, width))
        position += width
    return cells


def _cut(cells: Sequence[tuple[str, int]], at: int, budget: int) -> tuple[str, int]:
    # The caret itself needs a cell, also behind the last character.
    before = sum(width for _, width in cells[:at])
    total = sum(width for _, width in cells)
    if max(total, before + 1) <= budget:
        return "".join(shown for shown, _ in cells), before
    start = 0 if before < budget // 2 else _start(cells, at, budget)
    head = ELLIPSIS if start else ""
    end = _fit(cells, start, budget - len(head))
    tail = ""
    if end < len(cells):
        end = _fit(cells, start, budget - len(head) - len(ELLIPSIS))
        tail = ELLIPSIS
    shown = "".join(text for text, _ in cells[start:end])
    return head + shown + tail, len(head) + sum(width for _, width in cells[start:at])


def _start(cells: Sequence[tuple[str, int]], at: int, budget: int) -> int:
    """Return where to start so that the caret stands in the middle, or further right where the line ends."""
    centred = _fit_back(cells, at, budget // 2 - len(ELLIPSIS))
    at_end = _fit_back(cells, len(cells), budget - len(ELLIPSIS) - (at == len(cells)))
    return min(centred, at_end)


def _fit_back(cells: Sequence[tuple[str, int]], at: int, room: int) -> int:
    start = at
    while start > 0 and cells[start - 1][1] <= room:
        start -= 1
        room -= cells[start][1]
    return start


def _fit(cells: Sequence[tuple[str, int]], start: int, room: int) -> int:
    end = start
    while end < len(cells) and cells[end][1] <= room:
        room -= cells[end][1]
        end += 1
    return end


def wrap(text: str, room: int | None) -> list[str]:
    """Return a visible text as lines of at most `room` cells, broken at spaces; longer words anywhere."""
    if room is None or cell_width(text) <= room:
        return [text]
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_width(joined) <= room:
            lines[-1] = joined
            continue
        pieces = _pieces(word, max(room, MIN_CELLS))
        lines[len(lines) if lines[-1] else -1 :] = pieces
    return lines


def _pieces(word: str, room: int) -> list[str]:
    pieces = []
    cells = _cells(word)
    start = 0
    while start < len(cells):
        end = max(_fit(cells, start, room), start + 1)
        pieces.append("".join(shown for shown, _ in cells[start:end]))
        start = end
    return pieces or [""]
