"""The JSON of every command is what its published schema says (`docs/contract.md`)."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from cortex_policy.cli import _run

CHECKOUT = Path(__file__).parents[2]
FAULTY = str(CHECKOUT / "sot_examples" / "faulty")
GATES = str(CHECKOUT / "sot_examples" / "gates")
COMMANDS = {
    "check": ["check", FAULTY],
    "items": ["items", "--root", FAULTY],
    "graph": ["graph", "--root", FAULTY],
    "rule": ["rule", "--root", FAULTY],
    "test": ["test", "starter"],
    "gate": ["gate", "WORK-3", "--root", GATES],
    "next": ["next", "--root", GATES],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_output_is_what_the_schema_says(capfdbinary, name):
    assert _run([*COMMANDS[name], "--format", "json"]) in (0, 1, 3)
    schema = json.loads((CHECKOUT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    value = json.loads(capfdbinary.readouterr().out)
    jsonschema.Draft202012Validator(schema).validate(value)
    assert any(value[key] for key in value if isinstance(value[key], list)), "an empty list shows nothing"
