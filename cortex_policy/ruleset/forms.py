"""Strict reading of configuration files: every key known, every value of its shape, every problem with its place.

Problems are collected, not thrown one by one: the author of a pack sees all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.nodes import Mapping, Node, Scalar, load_yaml
from cortex_policy.documents.nodes import Sequence as NodeSequence
from cortex_policy.errors import Problem
from cortex_policy.model import Place
from cortex_policy.ruleset.syntax import Node as Expression
from cortex_policy.ruleset.syntax import SyntaxFault

MAX_PROBLEMS: Final = 100
"""Beyond this many problems more of them help nobody."""


class Source:
    """One configuration file: its text for carets, and where problems in it are collected."""

    def __init__(self, path: str, text: str, problems: list[Problem]) -> None:
        self.path = path
        self.lines = text.split("\n")
        self.text = text
        self.problems = problems

    def problem(self, node: Node | None, message: str, hint: str = "") -> None:
        """Record that something is wrong at `node` (None: at the top of the file)."""
        line, column = node.mark if node is not None else (1, 1)
        width = max(1, len(node.text)) if isinstance(node, Scalar) and "\n" not in node.text else 1
        self._add(message, line, column, width, hint)

    def fault(self, scalar: Scalar, fault: SyntaxFault, shift: int = 0) -> None:
        """Record a fault in an expression that stands in `scalar`, `shift` characters after its start."""
        line, column = _place_in(self.lines, scalar, shift + fault.start)
        self._add(fault.message, line, column, max(1, fault.end - fault.start), fault.hint)

    def _add(self, message: str, line: int, column: int, width: int, hint: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
            self.problems.append(
                Problem(
                    message=message,
                    path=self.path,
                    line=line,
                    column=column,
                    width=width,
                    source=text,
                    hint=hint,
                )
            )

    def load(self) -> Node | None:
        """The file's nodes; a file that cannot be read exactly as written is a problem."""
        node, faults = load_yaml(self.text)
        for fault in faults:
            hint = fault.advice or FAULTS[fault.code].fix
            self._add(fault.message, fault.mark.line, fault.mark.column, 1, hint)
        if node is None and not faults:
            self.problem(None, "the file is empty", "write into it what its folder is for, or remove it")
        return None if faults else node

    def form(self, node: Node | None, what: str, keys: Iterable[str]) -> Form | None:
        """`node` as a mapping with these keys only; None (and a problem) when it is none."""
        if not isinstance(node, Mapping):
            self.problem(node, f"{what} is a mapping of keys to values", "keys: " + ", ".join(keys))
            return None
        return Form(self, node, what, tuple(keys))


def _place_in(lines: Sequence[str], scalar: Scalar, offset: int) -> tuple[int, int]:
    """Line and column in the file of the character `offset` of a scalar's value.

    The value of a quoted or folded scalar is not the text of the file: the nearest line that holds the words
    around the offset is taken.
    """
    before = scalar.text[:offset]
    row = before.count("\n")
    start = before.rfind("\n") + 1
    line_text = scalar.text.split("\n")[row] if row < len(scalar.text.split("\n")) else ""
    for number in range(scalar.mark.line, len(lines) + 1):
        found = lines[number - 1].find(line_text) if line_text else -1
        if found >= 0:
            return number, found + 1 + offset - start
    return scalar.mark.line, scalar.mark.column


class Written(NamedTuple):
    """An expression as its author wrote it, so that any part of it can be shown, and found again.

    `scalar` holds it from the character `start` on; `path` and `file` are the path and the text of the file.
    """

    scalar: Scalar
    path: str
    file: str
    start: int = 0

    @property
    def text(self) -> str:
        """The whole expression; the offsets of its tree count in it."""
        return self.scalar.text[self.start :]

    def part(self, node: Expression) -> str:
        """The text of one node, on one line."""
        return " ".join(self.text[node.start : node.end].split())

    def place(self, node: Expression) -> Place:
        """Where one node stands. In a folded scalar that is the first line that holds its words, else the scalar."""
        lines = self.file.split("\n")
        line, column = _place_in(lines, self.scalar, self.start + node.start)
        if (line, column) == self.scalar.mark:
            words = self.part(node)
            for number in range(line, len(lines) + 1):
                if (found := lines[number - 1].find(words)) >= 0:
                    return Place(self.path, number, found + 1)
        return Place(self.path, line, column)


class Form:
    """A mapping whose keys are declared; unknown ones are problems with a suggestion."""

    def __init__(self, source: Source, node: Mapping, what: str, keys: Sequence[str]) -> None:
        self.source = source
        self.node = node
        self.what = what
        for key, _ in node.entries:
            if key.text not in keys:
                source.problem(
                    key,
                    f"{what} has no key `{key.text}`",
                    suggest(key.text, keys) or "keys: " + ", ".join(keys),
                )

    def get(self, key: str) -> Node | None:
        """The node under `key`, or None."""
        return self.node.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without `default` it must be there."""
        node = self.node.get(key)
        if isinstance(node, Scalar) and node.text:
            return node.text
        if node is not None:
            self.source.problem(node, f"`{key}` of {self.what} is a text", f"write `{key}: …` on one line")
        elif default is None:
            self.source.problem(self.node, f"{self.what} lacks `{key}`", f"add `{key}: …`")
        return default or ""

    def word(self, key: str, words: Sequence[str], default: str | None = None) -> str:
        """One of `words`."""
        value = self.text(key, default)
        if value and value not in words:
            self.source.problem(
                self.node.get(key),
                f"`{key}` is `{value}`, not one of {', '.join(words)}",
                suggest(value, words),
            )
            return words[0]
        return value

    def flag(self, key: str, default: bool) -> bool:
        """`true` or `false`."""
        return self.word(key, ("true", "false"), "true" if default else "false") == "true"

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or a single one."""
        return tuple(node.text for node in self.scalars(key))

    def scalars(self, key: str) -> list[Scalar]:
        """The nodes of a list of texts, or of a single one."""
        node = self.node.get(key)
        if node is None:
            return []
        found = [
            n for n in (node.items if isinstance(node, NodeSequence) else [node]) if isinstance(n, Scalar)
        ]
        if not found or (isinstance(node, NodeSequence) and len(found) != len(node.items)):
            self.source.problem(node, f"`{key}` of {self.what} is a text or a list of texts")
        return found

    def entries(self, key: str) -> list[tuple[Scalar, Node]]:
        """The entries of a mapping under `key`; empty when it is absent."""
        node = self.node.get(key)
        if node is None:
            return []
        if not isinstance(node, Mapping):
            self.source.problem(
                node, f"`{key}` of {self.what} is a mapping", f"write `name: …` lines below `{key}:`"
            )
            return []
        return node.entries

    def nodes(self, key: str) -> Iterator[Node]:
        """The entries of a list under `key`; nothing when it is absent."""
        node = self.node.get(key)
        if isinstance(node, NodeSequence):
            yield from node.items
        elif node is not None:
            self.source.problem(
                node, f"`{key}` of {self.what} is a list", f"write lines that start with `- ` below `{key}:`"
            )


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean` for a misspelt word, or an empty text."""
    from difflib import get_close_matches  # only for a message

    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""


def starts_of(codes: Iterable[str]) -> str:
    """With what codes of rules start, for somebody who named none of them."""
    return "codes start with " + ", ".join(sorted({code.rpartition("-")[0] for code in codes}))
