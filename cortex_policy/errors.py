"""Failures, sorted by who must act: the author of a configuration, or the maintainers of this program.

A document that breaks a rule is never an exception: it is a `Finding` (see `model`). What is raised here ends a
command with the exit code that `docs/contract.md` promises, and is never shown as a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing wrong in a configuration, pack, rule, reader or schema file.

    `line` and `column` count from 1; `source` is the text of that line, `width` how many characters the caret covers.
    """

    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    width: int = 1
    source: str = ""
    hint: str = ""


class CortexPolicyError(Exception):
    """Base of everything this package raises on purpose."""


@dataclass(eq=False)
class ConfigurationError(CortexPolicyError):
    """The policy, not a document, is wrong: exit code 2. Carries every problem that was found, in order of place."""

    problems: tuple[Problem, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        return "; ".join(
            f"{p.path}:{p.line}:{p.column}: {p.message}" if p.path else p.message for p in self.problems
        )


class UndecidedError(CortexPolicyError):
    """Nothing could be decided (no document, no rule): exit code 3. INVARIANT: empty is never a pass."""
