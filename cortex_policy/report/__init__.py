"""Values become text: one module for each output format, imported only when its format is asked for.

A format module has one entry, `render(result, style, sources) -> str`, which is pure: the same arguments give
the same text, and the text always ends in a newline and can be encoded as UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final, cast

from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import CheckResult
from cortex_policy.report.style import Sources, Style, no_sources

__all__ = ["FORMATS", "Sources", "Style", "no_sources", "render"]

# The formats of `check --format` (docs/contract.md), each with the module that renders it.
FORMATS: Final[Mapping[str, str]] = {
    "full": "cortex_policy.report.full",
    "concise": "cortex_policy.report.concise",
    "json": "cortex_policy.report.check_json",
    "sarif": "cortex_policy.report.sarif",
    "junit": "cortex_policy.report.junit",
    "github": "cortex_policy.report.github",
    "gitlab": "cortex_policy.report.gitlab",
}

_Render = Callable[[CheckResult, Style, Sources], str]


def render(name: str, result: CheckResult, *, style: Style, sources: Sources = no_sources) -> str:
    """Return `result` in the format `name`, a key of `FORMATS`.

    Raises ConfigurationError where there is no such format.
    """
    if name not in FORMATS:
        known = ", ".join(f"`{known}`" for known in FORMATS)
        problem = Problem(message=f"there is no output format `{name}`", hint=f"use one of {known}")
        raise ConfigurationError((problem,))
    module = import_module(FORMATS[name])
    return cast(_Render, module.render)(result, style, sources)
