"""How text is dressed: colour, width, and where frames take their lines from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# The lines of a document by its path relative to the root; empty where it cannot be read.
Sources = Callable[[str], Sequence[str]]

_CODES: Final[Mapping[str, str]] = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "good": "1;32",
    "gutter": "1;34",
    "strong": "1",
    "quiet": "2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What the output wants: `width` None wraps nothing; `version` is that of this program.

    `options` are what a next command must repeat of root and packs, or empty.
    """

    color: bool = False
    width: int | None = None
    version: str = ""
    options: str = ""

    def next_command(self, command: str) -> str:
        """Return a command that works as it stands where this one was run."""
        return " ".join(filter(None, ("cortex-policy", command, self.options)))

    def paint(self, part: str, text: str) -> str:
        """Return `text` in the colour of `part` (a key of the table above), or as it is without colour."""
        if not self.color or not text:
            return text
        return f"\x1b[{_CODES[part]}m{text}\x1b[0m"


def no_sources(path: str) -> Sequence[str]:
    """Know no document: frames then show the text that the location carries."""
    return ()
