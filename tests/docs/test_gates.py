"""`docs/gates.md` is the gate format, complete, and its tables are those of the program."""

from __future__ import annotations

from cortex_policy.cli import EXIT_CLEAN, EXIT_FINDINGS, EXIT_UNDECIDED
from cortex_policy.model import Outcome
from cortex_policy.ruleset.gates import (
    DEMAND_KEYS,
    EXAMPLE_VERDICTS,
    GATE_EXAMPLE_KEYS,
    GATE_EXPECT_KEYS,
    GATE_KEYS,
    PHASES,
)
from cortex_policy.verdicts.gates import combine
from tests.docs.pages import code, codes, section, table

PAGE = "docs/gates.md"
OUTCOMES = {
    "all are true": [Outcome.TRUE, Outcome.TRUE],
    "one is false": [Outcome.TRUE, Outcome.FALSE, Outcome.UNKNOWN, Outcome.ERROR],
    "none is false, one is unknown or an error": [Outcome.TRUE, Outcome.UNKNOWN],
    "there are none": [],
}


def keys(heading: str, number: int = 0) -> list[str]:
    return [code(row["key"]) for row in table(PAGE, heading, number)]


def test_the_keys_of_a_gate_and_of_a_condition_are_complete() -> None:
    assert keys("The keys") == GATE_KEYS
    assert keys("The keys", 1) == DEMAND_KEYS


def test_the_keys_of_an_example_are_complete() -> None:
    assert keys("Examples of a gate") == GATE_EXAMPLE_KEYS
    assert keys("Examples of a gate", 1) == GATE_EXPECT_KEYS


def test_the_phases_are_complete() -> None:
    (row,) = [row for row in table(PAGE, "The keys", 1) if code(row["key"]) == "phase"]
    assert codes(row["value"]) == list(PHASES)


def test_the_table_of_verdicts_is_that_of_the_program() -> None:
    exits = {"allow": EXIT_CLEAN, "deny": EXIT_FINDINGS, "blocked": EXIT_UNDECIDED}
    for row in table(PAGE, "How a gate is decided"):
        verdict = combine(OUTCOMES[row["the conditions that count"]]).value
        assert (code(row["verdict"]), row["exit code"]) == (verdict, str(exits[verdict]))


def test_the_verdicts_of_examples_are_those_of_the_program() -> None:
    text = section(PAGE, "Examples of a gate")
    for key, verdict in EXAMPLE_VERDICTS.items():
        assert f"elow `{key}`" in text
        assert f"`{verdict}`" in text
