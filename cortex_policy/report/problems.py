"""What is wrong with a configuration, shown with its line and a caret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cortex_policy.errors import Problem
from cortex_policy.report.escape import visible
from cortex_policy.report.frame import cell_width, frame, wrap

INDENT: Final = "  "


def render_problems(problems: Iterable[Problem], width: int | None = None) -> str:
    """One paragraph for each problem: message, place, the line with a caret, and the next step.

    On a terminal of `width` columns sentences are wrapped and lines cut around the caret; None leaves all as it is.
    """
    return "\n".join("\n".join(_problem(problem, width)) + "\n" for problem in problems)


def _problem(problem: Problem, width: int | None) -> Iterator[str]:
    yield from _sentence(f"configuration error: {visible(problem.message)}", "", width)
    if problem.path and problem.line:
        yield f"  --> {visible(problem.path)}:{problem.line}:{problem.column}"
    elif problem.path:
        yield f"  --> {visible(problem.path)}"
    if problem.path and problem.line and problem.source.strip():
        gutter = f"{INDENT}{problem.line} | "
        room = None if width is None else width - len(gutter)
        shown, left = frame(problem.source, problem.column, room)
        yield f"{gutter}{shown}"
        yield " " * (len(gutter) + left) + "^" * max(1, min(problem.width, cell_width(shown) - left))
    if problem.hint:
        command = "`cortex-policy " in problem.hint  # is to be copied: one line, whatever the width
        yield from _sentence(f"help: {visible(problem.hint)}", INDENT, None if command else width)


def _sentence(text: str, indent: str, width: int | None) -> Iterator[str]:
    """A sentence whose further lines, if it needs any, stand a step to the right."""
    first, *rest = wrap(text, None if width is None else width - len(indent) - len(INDENT))
    yield indent + first
    yield from (f"{indent}{INDENT}{line}" for line in rest)
