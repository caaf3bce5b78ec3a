"""Patterns in configuration files: compiled where they stand, so that a fault is shown at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from cortex_policy.documents.nodes import Scalar
from cortex_policy.documents.patterns import PatternError, compile_pattern
from cortex_policy.ruleset.forms import Form, Source


def read_pattern(form: Form, key: str, source: Source) -> Any:
    node = form.get(key)
    if node is None:
        return None
    if not isinstance(node, Scalar):
        source.problem(node, f"`{key}` is a pattern")
        return None
    return compile_node(node, source)


def compile_node(node: Scalar, source: Source, compiler: Callable[[str], Any] = compile_pattern) -> Any:
    try:
        return compiler(node.text)
    except PatternError as error:
        source.problem(node, f"`{node.text}` cannot be used: {error}")
        return None


def read_all(form: Form, key: str, source: Source, compiler: Callable[[str], Any]) -> tuple[Any, ...]:
    compiled = (compile_node(node, source, compiler) for node in form.scalars(key))
    return tuple(pattern for pattern in compiled if pattern is not None)


def read_any(form: Form, key: str, source: Source) -> Any:
    """One pattern for a list of them; each is compiled alone first, so that a fault is found where it stands."""
    nodes = form.scalars(key)
    if not nodes or None in [compile_node(node, source) for node in nodes]:
        return None
    return alternation([node.text for node in nodes])


def alternation(patterns: Sequence[str]) -> Any:
    """One pattern for what any of `patterns` matches, without their groups; None for none."""
    parts = [re.sub(r"\(\?P?<\w+>", "(?:", pattern) for pattern in patterns]
    return compile_pattern("|".join(f"(?:{part})" for part in parts), limit=False) if parts else None
