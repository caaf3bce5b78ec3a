"""The `test` command: what examples and scenarios showed, and what they covered; as text, JSON and JUnit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from cortex_policy.report.check_json import SCHEMA_VERSION
from cortex_policy.report.escape import json_text, lines_to_text, visible
from cortex_policy.report.gate import hanging, outcome_text, proof_lines, step_value
from cortex_policy.report.junit import suite_text
from cortex_policy.report.style import Style
from cortex_policy.report.words import counted
from cortex_policy.verdicts.coverage import Coverage, Gap, Level
from cortex_policy.verdicts.expecting import AllTried, Miss, Tried
from cortex_policy.verdicts.proving import Shown


def render_tests(tested: AllTried, *, style: Style) -> str:
    """Every failure with its proof, every gap in the coverage, then how much was seen to work."""
    failed = [tried for tried in tested.results if tried.misses]
    lines = [line for tried in failed for line in _failure(tried, style)]
    gaps = [line for gap in tested.coverage.gaps for line in hanging(_gap(gap), "", style)]
    if gaps:
        lines += [style.paint("strong", "not covered:"), *gaps, ""]
    tone = "error" if failed or not tested.results else "good"
    lines.append(style.paint(tone, _summary(tested)))
    lines.append(style.paint("quiet", _covered(tested.coverage)))
    lines += (style.paint("error", text) for text in _short(tested.coverage))
    return lines_to_text(lines)


def _failure(tried: Tried, style: Style) -> Iterator[str]:
    head = style.paint("error", "failed") + " " + style.paint("strong", visible(tried.owner))
    where = f"{visible(tried.path)}:{tried.line}"
    yield f"{head} {visible(tried.name)}  {where}"
    yield from _misses(tried, style)
    yield ""


def _misses(tried: Tried, style: Style) -> Iterator[str]:
    """Each miss and its proofs; a proof that two of them share is shown once."""
    known: set[tuple[str, str]] = set()
    for miss in tried.misses:
        yield from hanging(visible(miss.problem), "  ", style)
        for shown in miss.proofs:
            if (shown.part, shown.subject) not in known:
                known.add((shown.part, shown.subject))
                yield from _proof(shown, style)


def _proof(shown: Shown, style: Style) -> Iterator[str]:
    """`blockers of TASK-1:` and the tree."""
    subject = f" of {shown.subject}" if shown.subject else ""
    yield f"    {outcome_text(shown.step.outcome, style)}{visible(shown.part + subject)}"
    yield from proof_lines(shown.step, " " * 8, style)


def _gap(gap: Gap) -> str:
    """`rules/a.yaml:7:9 ABC-XYZ-001 blockers lacks false: b.status == "done"`."""
    part = f" {gap.part}" if gap.part else ""
    lacks = " and ".join(gap.lacks)
    place = f"{gap.place.path}:{gap.place.line}:{gap.place.column}"
    return visible(f"  {place} {gap.owner}{part} lacks {lacks}: {gap.text}")


def _summary(tested: AllTried) -> str:
    """`3 rules of 4 and 1 gate of 1 pass all examples; 9 examples, 1 failed; 2 scenarios, 0 failed`."""
    examples = [tried for tried in tested.results if tried.kind != "scenario"]
    passing = []
    for noun in ("rule", "gate"):
        own = [tried for tried in examples if tried.kind == noun]
        every = {tried.owner for tried in own}
        broken = {tried.owner for tried in own if tried.misses}
        if own or noun == "rule":
            passing.append(f"{counted(len(every) - len(broken), noun)} of {len(every)}")
    told = f"{' and '.join(passing)} pass all examples; {_tally(examples, 'example')}"
    scenarios = [tried for tried in tested.results if tried.kind == "scenario"]
    return f"{told}; {_tally(scenarios, 'scenario')}" if scenarios else told


def _tally(results: Sequence[Tried], noun: str) -> str:
    return f"{counted(len(results), noun)}, {sum(1 for tried in results if tried.misses)} failed"


def _covered(coverage: Coverage) -> str:
    told = (
        f"{level.name} {_percent(level.percent)} ({level.covered} of {level.total} outcomes)"
        for level in coverage.levels
    )
    return f"coverage: {', '.join(told)}"


def _percent(value: float) -> str:
    return f"{value:g} %"


def _short(coverage: Coverage) -> Iterator[str]:
    """What is below its threshold, and the next step."""
    for level in coverage.levels:
        if level.threshold is not None and not level.reached:
            yield _below(level, level.threshold)


def _below(level: Level, threshold: float) -> str:
    return (
        f"{level.name} are covered to {_percent(level.percent)}, below the threshold of {_percent(threshold)}: "
        "add examples or scenarios for what is not covered"
    )


# --------------------------------------------------------------------------- JSON


def render_tests_json(tested: AllTried) -> str:
    """The same as JSON."""
    examples = [tried for tried in tested.results if tried.kind != "scenario"]
    scenarios = [tried for tried in tested.results if tried.kind == "scenario"]
    return json_text(
        {
            "schema_version": SCHEMA_VERSION,
            "summary": {
                "rules": len({tried.owner for tried in examples}),
                "examples": len(examples),
                "failed": sum(1 for tried in examples if tried.misses),
                "scenarios": len(scenarios),
                "scenarios_failed": sum(1 for tried in scenarios if tried.misses),
            },
            "examples": [
                {"rule": tried.owner, "name": tried.name, "verdict": tried.verdict, **_tried_value(tried)}
                for tried in examples
            ],
            "scenarios": [
                {"pack": tried.owner, "name": tried.name, **_tried_value(tried)} for tried in scenarios
            ],
            "coverage": _coverage_value(tested.coverage),
        }
    )


def _tried_value(tried: Tried) -> dict[str, Any]:
    return {
        "ok": not tried.misses,
        "problem": tried.problem,
        "path": tried.path,
        "line": tried.line,
        "misses": [_miss_value(miss) for miss in tried.misses],
    }


def _miss_value(miss: Miss) -> dict[str, Any]:
    proofs = [
        {"condition": shown.part, "subject": shown.subject, "proof": step_value(shown.step)}
        for shown in miss.proofs
    ]
    return {"expected": miss.expected, "got": miss.got, "proofs": proofs}


def _coverage_value(coverage: Coverage) -> dict[str, Any]:
    levels = {
        level.name: {
            "covered": level.covered,
            "total": level.total,
            "percent": level.percent,
            "threshold": level.threshold,
            "reached": level.reached,
        }
        for level in coverage.levels
    }
    return {**levels, "uncovered": [_gap_value(gap) for gap in coverage.gaps]}


def _gap_value(gap: Gap) -> dict[str, Any]:
    return {
        "level": gap.level,
        "rule": gap.owner,
        "condition": gap.part,
        "lacks": list(gap.lacks),
        "expression": gap.text,
        **gap.place._asdict(),
    }


# --------------------------------------------------------------------------- JUnit


def render_tests_junit(tested: AllTried, *, style: Style) -> str:
    """One test suite: a case for each example and scenario, and for each level of coverage that has a threshold."""
    suite = ET.Element("testsuite", {"name": "cortex-policy test"})
    named = [
        ("version", style.version),
        *((level.name, _percent(level.percent)) for level in tested.coverage.levels),
    ]
    properties = ET.SubElement(suite, "properties")
    for name, value in named:
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for tried in tested.results:
        _case(suite, tried, style)
    for level in tested.coverage.levels:
        if level.threshold is not None:
            case = _empty_case(suite, f"{level.name} reach {_percent(level.threshold)}", "coverage")
            if not level.reached:
                gaps = [gap for gap in tested.coverage.gaps if gap.level == level.name]
                _fail(case, _below(level, level.threshold), [_gap(gap) for gap in gaps])
    return suite_text(suite)


def _empty_case(suite: ET.Element, name: str, owner: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"name": visible(name), "classname": visible(owner), "time": "0"})


def _case(suite: ET.Element, tried: Tried, style: Style) -> None:
    verdict = f" ({tried.verdict})" if tried.verdict else ""
    case = _empty_case(suite, tried.name + verdict, tried.owner)
    case.attrib |= {"file": visible(tried.path), "line": str(tried.line)}
    if tried.misses:
        _fail(case, tried.problem, list(_misses(tried, Style(version=style.version))))


def _fail(case: ET.Element, message: str, lines: Sequence[str]) -> None:
    failure = ET.SubElement(case, "failure", {"type": "expectation", "message": visible(message)})
    failure.text = "\n".join(["", *lines])
