"""`docs/claims.md` has every form, key and word of claims, and its house says what the page says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.app.reading import Reading, read_project
from cortex_policy.documents.nodes import Mapping, load_yaml
from cortex_policy.model import UNKNOWN
from cortex_policy.ruleset import claims
from tests.docs.pages import code, codes, named_files, section, table, write_files

PAGE = "docs/claims.md"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_the_keys_of_a_form_are_complete() -> None:
    assert sorted(code(row["key"]) for row in table(PAGE, "Forms")) == sorted(claims.CLAIM_KEYS)


def test_the_sources_of_times_are_complete() -> None:
    assert tuple(code(row["`at`"]) for row in table(PAGE, "When")) == claims.TIME_WORDS
    assert tuple(code(row["key of `times`"]) for row in table(PAGE, "When", 1)) == claims.TIMES_KEYS


def test_the_kinds_of_passages_are_complete() -> None:
    assert tuple(code(row["key"]) for row in table(PAGE, "What claims nothing")) == claims.UNCLAIMED_KEYS
    assert set(claims.UNCLAIMED_KINDS) <= set(codes(section(PAGE, "What claims nothing")))


def test_the_house_uses_every_key_of_a_form() -> None:
    node, _ = load_yaml(named_files(PAGE)["policy/readers/plans.yaml"])
    assert isinstance(node, Mapping)
    forms = node.get("claims")
    used = {key.text for form in getattr(forms, "items", []) for key, _ in form.entries}
    assert used == set(claims.CLAIM_KEYS)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    root = tmp_path_factory.mktemp("house")
    write_files(root, named_files(PAGE))
    project = open_project(root, ())
    return read_project(project, load_ruleset(project), NOW)


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-06-02T00:00:00", UNKNOWN),  # the closeout of that day may have been written already
        ("2026-06-02T04:00:00", "done"),
    ],
)
def test_the_status_of_the_night(house: Reading, moment: str, status: object) -> None:
    task = next(item for item in house.facts.items["task"] if item.id == "TASK-1")
    assert house.facts.functions["status_at"](task, datetime.fromisoformat(f"{moment}+00:00")) == status
