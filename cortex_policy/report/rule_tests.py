"""The `test` command: what the examples of the rules showed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cortex_policy.report.check_json import SCHEMA_VERSION
from cortex_policy.report.escape import json_text, lines_to_text, visible
from cortex_policy.report.style import Style
from cortex_policy.report.words import counted


class ExampleOutcome(Protocol):
    """One example that was run; `problem` is empty when it showed what it should."""

    @property
    def rule(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def problem(self) -> str: ...
    @property
    def is_gate(self) -> bool: ...


def render_examples(results: Sequence[ExampleOutcome], *, style: Style) -> str:
    """Every failed example with its reason, then how many of how many rules were seen to work."""
    failed = [result for result in results if result.problem]
    lines: list[str] = []
    for result in failed:
        head = style.paint("error", "failed") + " " + style.paint("strong", visible(result.rule))
        lines += [f"{head} {visible(result.name)}: {visible(result.problem)}"]
    if failed:
        lines.append("")
    tone = "error" if failed or not results else "good"
    passing = [_passing([result for result in results if not result.is_gate], "rule")]
    passing += (
        [_passing(gates, "gate")] if (gates := [result for result in results if result.is_gate]) else []
    )
    summary = f"{' and '.join(passing)} pass all examples"
    lines.append(style.paint(tone, f"{summary}; {counted(len(results), 'example')}, {len(failed)} failed"))
    return lines_to_text(lines)


def _passing(results: Sequence[ExampleOutcome], noun: str) -> str:
    """`3 rules of 4`."""
    every = {result.rule for result in results}
    broken = {result.rule for result in results if result.problem}
    return f"{counted(len(every) - len(broken), noun)} of {len(every)}"


def render_examples_json(results: Sequence[ExampleOutcome]) -> str:
    """The same as JSON."""
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "summary": {
                "rules": len({result.rule for result in results}),
                "examples": len(results),
                "failed": sum(1 for result in results if result.problem),
            },
            "examples": [
                {
                    "rule": r.rule,
                    "name": r.name,
                    "verdict": r.verdict,
                    "ok": not r.problem,
                    "problem": r.problem,
                }
                for r in results
            ],
        }
    )
