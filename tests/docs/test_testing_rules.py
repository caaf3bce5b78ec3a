"""`docs/testing-rules.md` is the format of scenarios, complete, and its tables are those of the program."""

from __future__ import annotations

from cortex_policy.ruleset.scenarios import (
    BECAUSE_KEYS,
    EXPECT_KEYS,
    FACT_KEYS,
    FINDING_KEYS,
    GATE_KEYS,
    SCENARIO_KEYS,
    VERDICTS,
)
from cortex_policy.verdicts.coverage import LEVELS
from tests.docs.pages import code, codes, section, table

PAGE = "docs/testing-rules.md"


def keys(heading: str, number: int = 0) -> list[str]:
    return [code(row["key"]) for row in table(PAGE, heading, number)]


def test_the_keys_of_a_scenario_are_complete() -> None:
    assert sorted(keys("The keys")) == sorted(SCENARIO_KEYS)
    (expect,) = [row["value"] for row in table(PAGE, "The keys") if code(row["key"]) == "expect"]
    assert codes(expect) == EXPECT_KEYS


def test_the_keys_of_what_is_expected_are_complete() -> None:
    assert keys("Findings") == FINDING_KEYS
    assert keys("Verdicts") == GATE_KEYS
    assert keys("Verdicts", 1) == BECAUSE_KEYS
    assert keys("Verdicts", 2) == FACT_KEYS


def test_the_verdicts_are_those_of_a_gate() -> None:
    (row,) = [row for row in table(PAGE, "Verdicts") if code(row["key"]) == "verdict"]
    assert codes(row["value"]) == list(VERDICTS)


def test_the_levels_are_those_that_are_counted() -> None:
    assert list(dict.fromkeys(code(row["level"]) for row in table(PAGE, "Coverage"))) == list(LEVELS)
    assert all(f"`{level}`" in section("docs/contract.md", "`test`") for level in LEVELS)
