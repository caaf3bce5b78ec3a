"""What rules see: effective values, conflicts left unknown, and what nobody could see left open."""

from __future__ import annotations

import random

import pytest

from cortex_policy.app.reading import Reading
from cortex_policy.facts import gather
from cortex_policy.facts.gathering import MAX_TWINS
from cortex_policy.graph import Truncated, build
from cortex_policy.model import UNKNOWN, OpenTuple, Record
from tests.support import TINY, read, reading, record

OPEN = ("task", "box", "section", "document")
TASK = "## T-1: One\n\nStatus: draft\nNeeds: T-2\n"


def by_id(found: Reading, kind: str) -> dict[str, Record]:
    return {each.id: each for each in found.facts.items[kind]}


def test_no_document_gives_no_fact() -> None:
    found = reading({})
    assert all(not records for records in found.facts.items.values())


def test_an_absent_value_is_not_there() -> None:
    task = record({"a.md": "## T-1\n"}, "task", "T-1")
    assert "status" not in task.values
    assert task.values["needs"] == ()


def test_the_board_outweighs_the_declaration_and_both_can_be_seen() -> None:
    task = record({"a.md": TASK, "b.yaml": "T-1: done\n"}, "task", "T-1")
    assert task.values["status"] == "done"
    assert [place[:2] for place in task.places["status"]] == [("b.yaml", 1)]
    assert task.values["board"].values["status"] == "done"
    assert task.values["declared"].values["status"] == "draft"
    assert task.values["conflicts"] == ()


CONFLICTS = {
    "in one document": {"a.md": "## T-1\nStatus: done\nStatus: draft\n"},
    "in two declarations": {"a.md": "## T-1\nStatus: done\n\n## T-1\nStatus: draft\n"},
    "in two documents": {"a.md": "## T-1\nStatus: done\n", "b.md": "## T-1\nStatus: draft\n"},
    "by equal keys": {"a.yaml": "T-1:\n  status: done\n  status: draft\n"},
}


@pytest.mark.parametrize("files", CONFLICTS.values(), ids=CONFLICTS)
def test_statements_of_one_source_that_differ_leave_the_value_unknown(files: dict[str, str]) -> None:
    task = record(files, "task", "T-1")
    assert task.values["status"] is UNKNOWN
    (conflict,) = task.values["conflicts"]
    assert (conflict.values["field"], set(conflict.values["values"])) == ("status", {"done", "draft"})
    assert len(conflict.places["values"]) == 2


def test_equal_statements_are_no_conflict() -> None:
    task = record({"a.md": "## T-1\nStatus: done\n", "b.md": "## T-1\nStatus: Done.\n"}, "task", "T-1")
    assert (task.values["status"], task.values["conflicts"]) == ("done", ())


def test_an_id_that_nobody_declares_is_told_from_one_that_nobody_could_see() -> None:
    (target,) = record({"a.md": TASK}, "task", "T-1").values["needs"]
    assert target.values["is_declared"] is False
    for files in ({"a.md": TASK, "b.md": b"\xff".decode("latin-1") + "\0"}, {"a.md": TASK, "c.yaml": "{"}):
        (unseen,) = record(files, "task", "T-1").values["needs"]
        assert "is_declared" not in unseen.values


def test_what_is_truncated_is_unknown_and_not_dangling() -> None:
    graph = build([read("a.md", TASK)], TINY.model, ["a.md"], Truncated(kinds=frozenset(OPEN)))
    facts = gather(graph, TINY.model)
    (target,) = facts.items["task"][0].values["needs"]
    assert "is_declared" not in target.values
    assert all(isinstance(facts.items[kind], OpenTuple) for kind in OPEN)
    assert not isinstance(facts.items["note"], OpenTuple)


def test_a_collection_in_a_document_that_hides_is_open() -> None:
    hidden = record({"a.md": "---\nx\n" + TASK}, "task", "T-1")
    assert isinstance(hidden.values["needs"], OpenTuple)
    assert not isinstance(record({"a.md": TASK}, "task", "T-1").values["needs"], OpenTuple)


def test_all_boxes_and_sections_are_open_when_a_document_hides() -> None:
    found = reading({"a.md": "- [x] a\n\n# Proof\n", "b.md": "---\nx\n"}).facts
    assert isinstance(found.items["box"], OpenTuple)
    assert isinstance(found.items["section"], OpenTuple)


def test_a_box_has_its_owner() -> None:
    found = reading({"a.md": "- [ ] mine\n\n## T-1\n\n- [x] its\n  - [ ] nested\n"})
    owners = {box.id: box.values["owner"].id for box in found.facts.items["box"]}
    assert owners == {"mine": "doc:a.md", "its": "T-1", "nested": "T-1"}


def test_twins_stand_in_other_documents() -> None:
    found = reading({"a.md": "- [ ] Do it.\n- [x] do it\n", "b.md": "- [x] `do` it\n"})
    twins = {
        tuple(box.place or ()): [twin.place for twin in box.values["twins"]]
        for box in found.facts.items["box"]
    }
    assert twins == {
        ("a.md", 1, 3): [("b.md", 1, 3)],
        ("a.md", 2, 3): [("b.md", 1, 3)],
        ("b.md", 1, 3): [("a.md", 1, 3), ("a.md", 2, 3)],
    }


def test_very_many_twins_are_an_open_collection() -> None:
    found = reading({"a.md": "- [ ] x\n" * 2_000, "b.md": "- [x] x\n" * (MAX_TWINS + 1)})
    first = found.facts.items["box"][0]
    assert isinstance(first.values["twins"], OpenTuple)
    assert len(first.values["twins"]) == MAX_TWINS


def test_an_id_of_thousands_of_digits_has_no_number() -> None:
    name = "T-" + "9" * 5000
    assert "number" not in record({"a.md": f"## {name}\n"}, "task", name).values
    assert record({"a.md": "## T-07\n"}, "task", "T-07").values["number"] == 7


def test_functions_answer_for_what_is_not_there() -> None:
    functions = reading({"a.md": TASK}).facts.functions
    assert functions["item"]("T-404") is UNKNOWN
    assert {"T-2"} <= {found.id for found in functions["mentioned"]("task")}
    assert functions["gaps"]("task") == ()


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_documents_does_not_show_in_the_facts(seed: int) -> None:
    texts = {
        f"{n}.md": f"## T-{n % 5}\nStatus: {'done' if n % 2 else 'draft'}\n- [ ] x\n\nT-{n}\n"
        for n in range(12)
    }
    documents = [read(path, text) for path, text in texts.items()]
    first = gather(build(documents, TINY.model, texts), TINY.model)
    random.Random(seed).shuffle(documents)
    second = gather(build(documents, TINY.model, reversed(list(texts))), TINY.model)
    for kind, records in first.items.items():
        assert [shape(each) for each in records] == [shape(each) for each in second.items[kind]]


def shape(found: Record) -> object:
    values = {name: shown(value) for name, value in found.values.items()}
    return found.id, found.place, list(values.items()), found.places


def shown(value: object) -> object:
    if isinstance(value, Record):
        return value.kind, value.id, value.place
    return tuple(shown(each) for each in value) if isinstance(value, tuple) else value
