"""JSON Schema validation with the place of each violation in the document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match

from cortex_policy.documents.nodes import Node, node_at
from cortex_policy.documents.spec import SchemaSpec
from cortex_policy.errors import ConfigurationError, Problem

_Broken = ValidationError | SchemaError

MAX_VIOLATIONS: Final = 50
"""Violations reported for one document; a record of the wrong kind would break every clause."""


class Violation(NamedTuple):
    """One clause of a schema that a document breaks, at the deepest node that exists."""

    message: str
    line: int
    column: int


class SchemaProblem(NamedTuple):
    """Why a schema cannot be used, and the path inside it (keys and indexes)."""

    message: str
    path: tuple[str | int, ...]


def schema_problem(schema: Any) -> SchemaProblem | None:
    """Why `schema` is not a JSON Schema of draft 2020-12, or None."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        cause = _cause(error)
        return SchemaProblem(_sentence(cause), tuple(cause.absolute_path))
    return None


@lru_cache(maxsize=64)
def _validator(schema: str) -> Draft202012Validator:
    """Compiled once for each schema: compiling for each document costs forty times as much."""
    return Draft202012Validator(json.loads(schema))


def _broken(spec: SchemaSpec, error: Exception) -> Problem:
    """A schema that cannot be applied: the first clause that is no JSON Schema, else what went wrong."""
    try:
        problem = schema_problem(json.loads(spec.schema))
    except ValueError as reason:
        problem = SchemaProblem(f"it is not JSON: {reason}", ())
    message = problem.message if problem is not None else str(error).split("\n")[0]
    return Problem(message=f"the schema cannot be used: {message}", path=f"schemas/{spec.name}")


def violations(spec: SchemaSpec, node: Node, data: Any) -> Iterator[Violation]:
    """Every violation of `spec` in `data`, ordered by place; `node` is the tree that `data` was made from."""
    try:
        found = list(_validator(spec.schema).iter_errors(data))
    except Exception as reason:  # noqa: BLE001 - whatever goes wrong in here, it is the schema that is broken
        raise ConfigurationError((_broken(spec, reason),)) from None
    errors = sorted(found, key=lambda error: [str(step) for step in error.absolute_path])
    for error in errors[:MAX_VIOLATIONS]:
        cause = _cause(error)
        place = node_at(node, [*cause.absolute_path, *_at_key(cause)])
        mark = place.mark if place is not None else node.mark
        yield Violation(f"{_sentence(cause)} (schema `{spec.name}`)", mark.line, mark.column)


def _cause(error: _Broken) -> Any:
    """For a failed combination, the branch that came closest."""
    return best_match([error]) if error.context else error  # type: ignore[list-item]  # a schema's own fault has the same shape


def _sentence(error: Any) -> str:
    """The violation in our words: what stands there, and what the schema asks for."""
    where = "/".join(str(step) for step in error.absolute_path)
    subject = f"`{where}`" if where else "the record"
    if error.validator is None:
        return f"{subject} is not allowed here"
    say = _SENTENCES.get(str(error.validator))
    return say(subject, error) if say else f"{subject}: {error.message}"


def _shown(value: Any) -> str:
    """A value as JSON spells it; a text without its quotes."""
    return (
        f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value, ensure_ascii=False, default=str)}`"
    )


def _unknown_keys(error: Any) -> list[str]:
    known = error.schema.get("properties", {})
    return [key for key in error.instance if key not in known]


def _at_key(error: Any) -> list[str]:
    """The key that a clause about keys is broken by, to point at it."""
    if error.validator == "additionalProperties":
        return _unknown_keys(error)[:1]
    about_a_key = "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str)
    return [error.instance] if about_a_key else []


def _required(subject: str, error: Any) -> str:
    instance = error.instance if isinstance(error.instance, Mapping) else {}
    missing = [f"`{name}`" for name in error.validator_value if name not in instance]
    named = [name for name in missing if name.strip("`") in error.message] or missing
    return f"{subject} lacks {', '.join(named)}"


_SENTENCES: Final[Mapping[str, Callable[[str, Any], str]]] = {
    "required": _required,
    "const": lambda subject, error: (
        f"{subject} is {_shown(error.instance)}, not {_shown(error.validator_value)}"
    ),
    "enum": lambda subject, error: (
        f"{subject} is {_shown(error.instance)}, not one of "
        + ", ".join(_shown(value) for value in error.validator_value)
    ),
    "type": lambda subject, error: (
        f"{subject} is {_shown(error.instance)}, not of type {error.validator_value}"
    ),
    "pattern": lambda subject, error: (
        f"{subject} is {_shown(error.instance)}, which does not match `{error.validator_value}`"
    ),
    "additionalProperties": lambda subject, error: (
        f"{subject} has keys that are not in its schema: "
        + ", ".join(f"`{key}`" for key in _unknown_keys(error))
    ),
    "not": lambda subject, error: f"{_shown(error.instance)} is not allowed in {subject}",
    "contains": lambda subject, error: (
        f"{subject} lacks "
        + (
            f"`{error.validator_value['const']}`"
            if isinstance(error.validator_value, dict) and "const" in error.validator_value
            else "an entry the schema asks for"
        )
    ),
    "minItems": lambda subject, error: f"{subject} has fewer than {error.validator_value} entries",
    "minLength": lambda subject, error: f"{subject} is empty or too short",
}
