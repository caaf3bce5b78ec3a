"""`docs/limits.md` names every bound of the program, with its value."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.docs.pages import CHECKOUT, code, section, table, text_of

PAGE = "docs/limits.md"
HEADINGS = re.findall(r"^## (.+)$", text_of(PAGE), re.MULTILINE)
ROWS = [row for heading in HEADINGS for row in table(PAGE, heading)]
NO_LIMITS = re.compile(r"EXIT_\w+|TAB|PARALLEL_FROM|WEIGHT_OF_\w+")
"""Whole numbers that bound nothing: exit codes, and from when a second process is worth its start."""


def constants(path: Path) -> dict[str, int]:
    """The public constants of a module that are whole numbers."""
    name = path.relative_to(CHECKOUT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [
        node.target.id
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and ast.unparse(node.annotation).startswith("Final")
        and not node.target.id.startswith("_")
    ]
    if not names:
        return {}
    values = {constant: getattr(importlib.import_module(name), constant) for constant in names}
    return {constant: value for constant, value in values.items() if type(value) is int}


def known() -> dict[tuple[str, str], int]:
    package = CHECKOUT / "cortex_policy"
    return {
        (path.relative_to(package).as_posix(), constant): value
        for path in sorted(package.rglob("*.py"))
        for constant, value in constants(path).items()
        if not NO_LIMITS.fullmatch(constant)
    }


def shown() -> dict[tuple[str, str], int]:
    return {(code(row["where"]), code(row["limit"])): int(row["value"].replace(",", "")) for row in ROWS}


def test_every_limit_of_the_program_is_on_the_page_with_its_value() -> None:
    missing = {f"| `{where}` | `{name}` | {value:,} |" for (where, name), value in known().items()} - {
        f"| `{where}` | `{name}` | {value:,} |" for (where, name), value in shown().items()
    }
    assert missing == set()


def test_every_limit_of_the_page_is_one_of_the_program() -> None:
    assert set(shown()) - set(known()) == set()
    assert len(shown()) == len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["limit"])
def test_every_limit_has_a_reason(row: dict[str, str]) -> None:
    assert len(row["why"].split()) >= 2


def test_the_page_has_nothing_but_its_tables_below_its_headings() -> None:
    assert all(section(PAGE, heading).count("| where |") == 1 for heading in HEADINGS)
