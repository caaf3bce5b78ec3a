"""A baseline is a former output of `check`, whole, or it is a mistake: never an empty list of known findings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cortex_policy.errors import ConfigurationError
from cortex_policy.model import Outcome
from cortex_policy.ruleset.baseline import read_baseline

FOUND = {"fingerprint": "sha256:0a", "outcome": "false", "rule": "A-1", "more": 1}
GOOD: dict[str, Any] = {"schema_version": "1", "summary": {}, "findings": [FOUND], "later": {}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "cannot be read as JSON|is no JSON"),
        ("1" * 5000, "cannot be read as JSON"),
        ("[]", "is no output of `check --format json`"),
        ("{}", "is no output"),
        ("null", "is no output"),
        (json.dumps({**GOOD, "findings": {}}), "is no output"),
        (json.dumps({**GOOD, "schema_version": "2"}), "another `schema_version`"),
        (json.dumps({**GOOD, "schema_version": 1}), "another `schema_version`"),
        (json.dumps({key: value for key, value in GOOD.items() if key != "schema_version"}), "another"),
        (json.dumps({**GOOD, "summary": {"known": 1}}), "itself written with `--baseline`"),
        (json.dumps({**GOOD, "summary": None}), "itself written with `--baseline`"),
        (json.dumps({**GOOD, "findings": [1]}), "a finding without"),
        (json.dumps({**GOOD, "findings": [FOUND, {**FOUND, "rule": ""}]}), "a finding without"),
        (json.dumps({**GOOD, "findings": [{**FOUND, "fingerprint": None}]}), "a finding without"),
        (json.dumps({**GOOD, "findings": [{**FOUND, "outcome": "maybe"}]}), "a finding without"),
        (json.dumps({**GOOD, "findings": [{**FOUND, "outcome": ["false"]}]}), "a finding without"),
    ],
)
def test_what_is_no_baseline_is_a_mistake(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_baseline(text, "old.json")
    (problem,) = caught.value.problems
    assert problem.path == "old.json"
    assert "check --format json" in problem.hint


def test_a_fault_in_the_json_has_its_place() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_baseline('{\n  "a": }', "old.json")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.source) == (2, 8, '  "a": }')


def test_a_baseline_knows_fingerprints_with_their_outcome() -> None:
    found = read_baseline(json.dumps(GOOD), "old.json")
    assert found.known == {("sha256:0a", Outcome.FALSE): "A-1"}
    assert found.digest.startswith("sha256:")


def test_a_baseline_without_findings_knows_nothing() -> None:
    assert read_baseline(json.dumps({**GOOD, "findings": []}), "old.json").known == {}
