"""`docs/readers.md` is the reader format, complete, and its house is read as it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.app.reading import Reading, read_project
from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.nodes import Mapping, load_yaml
from cortex_policy.documents.patterns import IdPattern, compile_pattern
from cortex_policy.documents.values import COLLECTIONS, SCALARS, FieldType, references, scalar
from cortex_policy.model import UNKNOWN, Record
from cortex_policy.ruleset import kinds
from cortex_policy.ruleset.packs import PACK_KEYS
from tests.docs.pages import code, codes, named_files, table, write_files

PAGE = "docs/readers.md"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
IDS = IdPattern("task", compile_pattern(r"TASK-\d+"))
TYPES = {code(row["type"]): row for row in table(PAGE, "Types")}


def keys(heading: str, number: int = 0) -> list[str]:
    return [code(row["key"]) for row in table(PAGE, heading, number)]


# --------------------------------------------------------------------------- tables


def test_the_keys_of_a_pack_are_complete() -> None:
    assert keys("pack.yaml") == list(PACK_KEYS)


def test_the_keys_of_a_reader_are_complete() -> None:
    assert keys("A reader") == kinds.READER_KEYS


def test_the_keys_of_an_item_are_complete() -> None:
    assert keys("Items") == kinds.ITEM_KEYS


def test_the_ways_to_declare_items_are_complete() -> None:
    shown = {(code(row["way"]), code(row["key"])) for row in table(PAGE, "Items", 1)}
    assert shown == {(way, key) for way, names in kinds._WAYS.items() for key in names}


def test_the_places_of_fields_are_complete() -> None:
    assert keys("Places") == kinds._PLACES
    assert keys("Places") + keys("Places", 1) == kinds.FIELD_KEYS


def test_every_type_has_its_row() -> None:
    assert set(TYPES) == set(SCALARS)
    shown = {code(row["type"]).strip("{}").split(":")[0] for row in table(PAGE, "Types", 1)}
    assert shown == COLLECTIONS | {"reference"}


def field_type(name: str) -> FieldType:
    return FieldType(name, words=("open", "done") if name == "enum" else ())


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, row in TYPES.items() for t in codes(row["takes"])])
def test_a_type_takes_what_the_page_says(name: str, text: str) -> None:
    assert scalar(text, field_type(name)) is not None


@pytest.mark.parametrize(
    ("name", "text"), [(n, t) for n, row in TYPES.items() for t in codes(row["refuses"])]
)
def test_a_type_refuses_what_the_page_says(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^\S"):
        scalar(text, field_type(name))


@pytest.mark.parametrize("row", table(PAGE, "Types", 2), ids=lambda row: row["written"])
def test_references_mean_what_the_page_says(row: dict[str, str]) -> None:
    assert [found.ref.id for found in references(code(row["written"]), IDS)] == codes(row["means"])


def test_the_faults_of_documents_are_those_of_the_program() -> None:
    shown = [tuple(cell.strip("`") for cell in row.values()) for row in table(PAGE, "Faults of documents")]
    known = [
        (kind.id, kind.name, kind.severity.value, "yes" if kind.hides else "no", kind.why, kind.fix)
        for kind in FAULTS.values()
    ]
    strip = [tuple(cell.strip("`") for cell in row) for row in known]
    assert shown == strip


# --------------------------------------------------------------------------- the house of the page


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    root = tmp_path_factory.mktemp("house")
    write_files(root, named_files(PAGE))
    project = open_project(root, ())
    return read_project(project, load_ruleset(project), NOW)


def record(house: Reading, kind: str, name: str) -> Record:
    return next(found for found in house.facts.items[kind] if found.id == name)


def test_the_house_uses_every_key_and_place() -> None:
    used: set[str] = set()
    for name, text in named_files(PAGE).items():
        if name.startswith("policy/readers/"):
            node, faults = load_yaml(text)
            assert faults == []
            stack = [node]
            while stack:
                current = stack.pop()
                if isinstance(current, Mapping):
                    used |= {key.text for key, _ in current.entries}
                    stack += [value for _, value in current.entries]
                else:
                    stack += getattr(current, "items", [])
    elsewhere = {"claims", "times", "unclaimed"}  # the house of docs/claims.md has them
    rare = {"where", "schemas", "only", "templates", "silent_lists", "table"} | elsewhere
    assert {*kinds.READER_KEYS, *kinds.ITEM_KEYS, *kinds.FIELD_KEYS} - used <= rare


def test_the_stronger_source_wins_and_both_can_be_seen(house: Reading) -> None:
    task = record(house, "task", "TASK-2")
    assert task.values["status"] == "open"
    assert task.values["declared"].values["status"] == "done"
    assert task.values["board"].values["status"] == "open"
    assert task.values["conflicts"] == ()


def test_a_list_item_is_no_paragraph(house: Reading) -> None:
    assert "status" not in record(house, "task", "TASK-1").values["declared"].values


def test_a_form_to_fill_in_is_no_item(house: Reading) -> None:
    assert [task.id for task in house.facts.items["task"]] == ["TASK-1", "TASK-2", "TASK-3"]


def test_a_lenient_field_gives_neither_value_nor_fault(house: Reading) -> None:
    assert "seen" not in record(house, "host", "host:db1").values
    assert [fault for document in house.graph.documents for fault in document.faults] == []


def test_boxes_sections_and_mentions_are_found(house: Reading) -> None:
    task = record(house, "task", "TASK-3")
    assert [(box.id, box.values["checked"]) for box in task.values["steps"]] == [
        ("try it on a copy", True),
        ("do it", False),
    ]
    (section,) = house.facts.items["section"]
    assert section.values["title"] == "Results"
    assert section.values["under"] is task
    assert [named.id for named in section.values["names"]] == ["doc:plans/load-plan.md"]
    assert task.values["replaces"].values["is_declared"] is False
    assert record(house, "document", "doc:plans/move-plan.md").values["kind"] == "plan"


CONFLICT = "---\nowner: Ada\n---\n## TASK-7: a\n\nStatus: open\n\nState: done\n"


def test_what_one_source_says_twice_and_differently_is_unknown(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = tmp_path_factory.mktemp("house")
    write_files(root, {**named_files(PAGE), "plans/a.md": CONFLICT})
    project = open_project(root, ())
    task = record(read_project(project, load_ruleset(project), NOW), "task", "TASK-7")
    assert task.values["status"] is UNKNOWN
    (conflict,) = task.values["conflicts"]
    assert conflict.values["values"] == ("open", "done")
    assert [place.line for place in conflict.places["values"]] == [6, 8]


def test_a_document_that_cannot_be_read_leaves_lists_open(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("house")
    write_files(root, {**named_files(PAGE), "plans/a.md": "---\nowner: Ada\n"})
    project = open_project(root, ())
    reading = read_project(project, load_ruleset(project), NOW)
    assert type(reading.facts.items["task"]).__name__ == "OpenTuple"
    assert type(reading.facts.items["host"]).__name__ == "tuple"
