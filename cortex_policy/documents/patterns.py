"""Patterns and globs that packs declare: linear-time matching, whatever a document holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import re2

MAX_PATTERN_CHARS: Final = 500
"""Longer patterns are generated, and belong into several."""


class PatternError(ValueError):
    """A pattern or glob that cannot be used; the text says why."""


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


_OPTIONS: Final = _options()


def compile_pattern(text: str, *, limit: bool = True) -> Any:
    """Compile with RE2 (no back-references or look-around, linear time). Raises `PatternError`.

    `limit` is off for an alternation of patterns that were each within it.
    """
    if limit and len(text) > MAX_PATTERN_CHARS:
        raise PatternError(f"longer than {MAX_PATTERN_CHARS} characters")
    if "\b" in text:
        # It would be found in no document, and whatever relies on it would never be looked at.
        raise PatternError(
            "it holds a backspace, which is what `\\b` stands for in double quotes: use single quotes"
        )
    try:
        pattern = re2.compile(text, _OPTIONS)
    except re2.error as error:
        reason = error.args[0] if error.args else "cannot be compiled"
        said = reason.decode() if isinstance(reason, bytes) else str(reason)
        lacks = said.startswith(("invalid perl operator", "invalid escape sequence"))
        raise PatternError(
            said + ("; RE2 has no look-around and no back-references" if lacks else "")
        ) from None
    if pattern.search(""):
        raise PatternError("it matches the empty text, and so everything")
    return pattern


class IdPattern(NamedTuple):
    """How the ids of one kind look. `A-12` is not in `A-123`, `A-12-notes` or `A-12.1`."""

    kind: str
    pattern: Any

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each id in `text`."""
        for match in self.pattern.finditer(text):
            start, end = match.span()
            if not (_joins(text, start - 1, self.kind == "document") or _continues(text, end)):
                yield start, end

    def fullmatch(self, text: str) -> bool:
        """Whether `text` is exactly one id."""
        return self.pattern.fullmatch(text) is not None


def _joins(text: str, index: int, path: bool) -> bool:
    """Whether the character before belongs to the same word; a path that goes on to the left is another path."""
    if index < 0:
        return False
    return text[index].isalnum() or text[index] in ("_-/.~:<>" if path else "_-")


def _continues(text: str, index: int) -> bool:
    if index >= len(text):
        return False
    character = text[index]
    if character.isalnum() or character == "_":
        return True
    following = text[index + 1 : index + 2]
    return (character == "-" and following.isalnum()) or (character == "." and following.isdigit())


def compile_glob(glob: str) -> re.Pattern[str]:
    """A path glob as a regular expression: `*` and `?` stay within a folder, `**/` crosses any number of them.

    The result has no nested repetition, so the standard engine is safe on it. Raises `PatternError`.
    """
    if not glob or glob.startswith("/") or ".." in glob.split("/"):
        raise PatternError("a glob is relative to the root and stays inside it")
    parts = []
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", glob):
        parts.append({"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece)))
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


def names_below(glob: str) -> Iterator[str]:
    """Names that complete the path of a folder to one that `glob` takes, if any name does."""
    parts = glob.split("/")
    for start in range(len(parts)):
        tail = [part for part in parts[start:-1] if part != "**"]
        yield "/".join(re.sub(r"[*?]+", "_", part) for part in (*tail, parts[-1]))


def folder_of(glob: str) -> str | None:
    """The folder whose files `glob` takes by their suffix, ``""`` or such as ``"a/"``; None where it picks names."""
    found = re.fullmatch(r"((?:[^*?/]+/)*)(?:\*\*/)?\*+(?:\.\w+)?", glob)
    return found[1] if found is not None else None
