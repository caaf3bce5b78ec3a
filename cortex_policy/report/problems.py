"""What is wrong with a configuration, shown with its line and a caret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cortex_policy.errors import Problem
from cortex_policy.report.escape import visible
from cortex_policy.report.frame import frame


def render_problems(problems: Iterable[Problem]) -> str:
    """One paragraph for each problem: message, place, the line with a caret, and the next step."""
    return "\n".join("\n".join(_problem(problem)) + "\n" for problem in problems)


def _problem(problem: Problem) -> Iterator[str]:
    yield f"configuration error: {visible(problem.message)}"
    if problem.path and problem.line:
        yield f"  --> {visible(problem.path)}:{problem.line}:{problem.column}"
        gutter = f"{problem.line} | "
        shown, left = frame(problem.source, problem.column, None)
        yield f"  {gutter}{shown}"
        yield " " * (2 + len(gutter) + left) + "^" * max(1, min(problem.width, len(shown) - left))
    elif problem.path:
        yield f"  --> {visible(problem.path)}"
    if problem.hint:
        yield f"  help: {visible(problem.hint)}"
