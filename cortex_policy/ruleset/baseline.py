"""A baseline: the findings that a repository had when it adopted its rules, by fingerprint and never by count.

It is the output of a former `check --format json`. Source of the rules: `docs/waivers.md`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import Outcome

SCHEMA_VERSION: Final = "1"
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
_HINT: Final = "write it with `cortex-policy check --format json`"


class Baseline(NamedTuple):
    """Known findings: fingerprint and outcome, with the code of the rule; and the digest of the file.

    The outcome is part of the key because the fingerprint does not hold it: what was false and now cannot be decided
    is another fault than the one that was accepted.
    """

    known: Mapping[tuple[str, Outcome], str]
    digest: str


def read_baseline(text: str, path: str) -> Baseline:
    """Read a baseline; `path` is how messages name it. Raises `ConfigurationError`."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        problem = _problem(path, f"is no JSON: {error.msg.lower()}")
        placed = problem._replace(line=error.lineno, column=error.colno, source=line)
        raise ConfigurationError((placed,)) from None
    except (RecursionError, ValueError):
        raise _wrong(path, "cannot be read as JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("findings"), list):
        raise _wrong(path, "is no output of `check --format json`")
    if value.get("schema_version") != SCHEMA_VERSION:
        raise _wrong(path, f"has another `schema_version` than `{SCHEMA_VERSION}`")
    _whole(value, path)
    known = dict(_known(found, path) for found in value["findings"])
    return Baseline(known, "sha256:" + sha256(text.encode()).hexdigest())


def _whole(value: Mapping[str, Any], path: str) -> None:
    """What was written with a baseline lacks what that one knew, and would bring all of it back."""
    summary = value.get("summary")
    if not isinstance(summary, dict) or summary.get("known", 0) != 0:
        raise _wrong(path, "was itself written with `--baseline`, so it lacks what was known then")
    inputs = value.get("inputs")
    if isinstance(inputs, dict) and inputs.get("base"):
        raise _wrong(path, "was written with `--base`, so it lacks what stood there already")


def _known(found: Any, path: str) -> tuple[tuple[str, Outcome], str]:
    parts = [
        found.get(key) if isinstance(found, dict) else None for key in ("fingerprint", "outcome", "rule")
    ]
    if not all(isinstance(part, str) and part for part in parts) or parts[1] not in _OUTCOMES:
        raise _wrong(path, "has a finding without fingerprint, outcome or rule")
    fingerprint, outcome, rule = map(str, parts)
    return (fingerprint, _OUTCOMES[outcome]), rule


def _wrong(path: str, what: str) -> ConfigurationError:
    return ConfigurationError((_problem(path, what),))


def _problem(path: str, what: str) -> Problem:
    return Problem(message=f"the baseline `{path}` {what}", path=path, hint=_HINT)
