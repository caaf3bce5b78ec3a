"""Unblock sets: minimal, all of them, tried out, and never more than the limits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_policy.documents.spec import DocumentModel, KindSpec
from cortex_policy.documents.values import FieldType
from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.proof import MAX_MEMBERS, compile_proof
from cortex_policy.ruleset.unblock import (
    MAX_CHANGES,
    MAX_SETS,
    MAX_TRIALS,
    Attempt,
    Fields,
    Unblocking,
    needed,
    search,
)

MODEL = DocumentModel(
    readers=(),
    kinds={
        "task": KindSpec(
            name="task",
            about="",
            fields={
                "status": FieldType("enum", words=("open", "done", "dropped")),
                "ok": FieldType("bool"),
                "title": FieldType("text"),
                "needs": FieldType("references", target="task"),
                "fixed": FieldType("bool"),
            },
            actionable=("status", "ok", "title"),
        )
    },
)


def task(name: str, **values: Any) -> Record:
    return Record(
        kind="task", id=name, place=None, values={"id": name, "is_declared": True, **values}, places={}
    )


class World:
    """Some tasks and one condition; trying a set changes copies of the values and takes them back."""

    def __init__(self, text: str, env: Mapping[str, Any], *others: Record) -> None:
        self.env = dict(env)
        self.run = compile_proof(parse(text), {})
        self.records = {
            record.id: record for record in (*env.values(), *others) if isinstance(record, Record)
        }
        self.tried = 0

    def holds(self, changes: Fields) -> Any:
        return self.attempt(changes).allowed

    def attempt(self, changes: Fields) -> Attempt:
        self.tried += 1
        before = {name: record.values for name, record in self.records.items()}
        for ((_, name), field), value in changes.items():
            self.records[name].values = {**self.records[name].values, field: value}
        proof = self.run(dict(self.env))
        found = Attempt(True) if proof.value is True else needed(proof)
        for name, record in self.records.items():
            record.values = before[name]
        return found


def found(text: str, *others: Record, every: bool = True, **env: Any) -> Unblocking:
    return search(World(text, env, *others).attempt, MODEL, every=every)


def shown(unblocking: Unblocking) -> list[str]:
    return [" ".join(f"{c.subject}.{c.field}={c.to}" for c in changes) for changes in unblocking.sets]


CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("i.status == 'done'", {"status": "open"}, ["I.status=done"]),
    ("i.status == 'done'", {}, ["I.status=done"]),
    ("i.status != 'open'", {"status": "open"}, ["I.status=done", "I.status=dropped"]),
    ("i.ok", {"ok": False}, ["I.ok=True"]),
    ("i.ok", {}, ["I.ok=True"]),
    ("!i.ok", {"ok": True}, ["I.ok=False"]),
    ("i.ok && i.status == 'done'", {"ok": False, "status": "open"}, ["I.ok=True I.status=done"]),
    ("i.ok || i.status == 'done'", {"ok": False, "status": "open"}, ["I.ok=True", "I.status=done"]),
    (
        "!(i.ok && i.status == 'done')",
        {"ok": True, "status": "done"},
        ["I.ok=False", "I.status=open", "I.status=dropped"],
    ),
    ("!(i.ok && i.title == 'x')", {"ok": True}, ["I.ok=False"]),
    (
        "i.ok ? i.status == 'done' : i.status == 'open'",
        {"ok": True, "status": "open"},
        ["I.ok=False", "I.status=done"],
    ),
    # nothing that anybody can change
    ("i.fixed", {"fixed": False}, []),
    ("i.id == 'J'", {}, []),
    ("1 / 0 == 1", {}, []),
    ("i.status < 1", {"status": "open"}, []),
    ("false", {}, []),
]


@pytest.mark.parametrize(("text", "values", "sets"), CASES, ids=[text for text, *_ in CASES])
def test_every_minimal_set_is_found_smallest_first(
    text: str, values: dict[str, Any], sets: list[str]
) -> None:
    result = found(text, i=task("I", **values))
    assert shown(result) == sets
    assert result.complete


def test_a_field_without_a_list_of_values_is_named_and_nothing_is_proposed_for_it() -> None:
    result = found("i.title == 'x'", i=task("I"))
    assert (result.sets, result.open, result.complete) == ((), ("I.title",), True)


def test_nothing_is_proposed_for_what_nobody_declares() -> None:
    ghost = Record(kind="task", id="G", place=None, values={"id": "G"}, places={})
    assert found("i.needs.all(n, n.status == 'done')", ghost, i=task("I", needs=(ghost,))).sets == ()


def test_nothing_is_proposed_that_would_close_an_open_list() -> None:
    done = task("A", status="done")
    result = found("i.needs.all(n, n.status == 'done')", done, i=task("I", needs=OpenTuple((done,))))
    assert (result.sets, result.complete) == ((), True)


def test_each_of_several_blockers_must_change() -> None:
    needs = tuple(task(name, status="open") for name in "ABC")
    result = found("i.needs.all(n, n.status == 'done')", *needs, i=task("I", needs=needs))
    assert shown(result) == ["A.status=done B.status=done C.status=done"]


def test_one_of_several_ways_is_enough() -> None:
    needs = tuple(task(name, status="open") for name in "AB")
    result = found("i.needs.exists(n, n.status == 'done')", *needs, i=task("I", needs=needs))
    assert shown(result) == ["A.status=done", "B.status=done"]


def test_more_blockers_than_a_set_may_have_give_one_set_that_is_not_called_complete() -> None:
    needs = tuple(task(f"T{number:02}", status="open") for number in range(MAX_CHANGES + 9))
    result = found("i.needs.all(n, n.status in ['done', 'dropped'])", *needs, i=task("I", needs=needs))
    assert [len(changes) for changes in result.sets] == [len(needs)]
    assert not result.complete


def test_more_sets_than_anybody_compares_are_cut_and_that_is_said() -> None:
    needs = tuple(task(f"T{number:02}", ok=False) for number in range(MAX_SETS + 5))
    result = found("i.needs.exists(n, n.ok)", *needs, i=task("I", needs=needs))
    assert len(result.sets) == MAX_SETS
    assert not result.complete


def test_a_proof_that_left_members_out_is_never_called_complete() -> None:
    needs = tuple(task(f"T{number}", fixed=False) for number in range(2 * MAX_MEMBERS))
    result = found("i.needs.all(n, n.fixed)", *needs, i=task("I", needs=needs))
    assert (result.sets, result.complete) == ((), False)


def test_one_set_is_found_quickly_and_has_nothing_in_it_that_is_not_needed() -> None:
    needs = tuple(task(f"T{number:02}", status="open", ok=False) for number in range(30))
    world = World("i.needs.all(n, n.ok || n.status == 'done')", {"i": task("I", needs=needs)}, *needs)
    result = search(world.attempt, MODEL, every=False)
    assert [len(changes) for changes in result.sets] == [30]
    assert world.tried < 200


def test_one_set_loses_what_turned_out_not_to_be_needed() -> None:
    result = found("i.status == 'dropped' || i.ok", i=task("I", status="open", ok=False), every=False)
    assert shown(result) == ["I.ok=True"]


def test_a_search_for_one_set_that_ends_without_any_has_seen_everything() -> None:
    i, j = task("I", status="open"), task("J", status="open")
    result = found("i.status + j.status == 'x'", i=i, j=j, every=False)
    assert (result.sets, result.complete) == ((), True)


def test_a_search_that_would_take_too_long_ends_and_says_so() -> None:
    needs = tuple(task(f"T{number:02}", status="open") for number in range(12))
    text = "i.needs.map(n, n.status).join() == 'x'"
    world = World(text, {"i": task("I", needs=needs)}, *needs)
    for every in (True, False):
        result = search(world.attempt, MODEL, every=every)
        assert (result.sets, result.complete) == ((), False)
    assert world.tried <= 3 * MAX_TRIALS


# --------------------------------------------------------------------------- against trying everything

CONDITIONS = st.recursive(
    st.sampled_from(
        [
            "i.ok",
            "i.status == 'done'",
            "j.ok",
            "j.status != 'open'",
            "has(i.ok)",
            "i.fixed",
            "i.needs.all(n, n.ok)",
            "i.needs.exists(n, n.status == 'done')",
            "i.needs.exists_one(n, n.ok)",
            "i.needs.filter(n, n.ok).all(n, n.status == 'done')",
            "size(i.needs.filter(n, n.ok)) > 1",
            "i.status in ['done', 'dropped']",
            "i.status == j.status",
        ]
    ),
    lambda inner: (
        st.builds("!({})".format, inner)
        | st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {})".format, inner, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
    ),
    max_leaves=5,
)
FIELDS = st.fixed_dictionaries(
    {}, optional={"ok": st.booleans(), "status": st.sampled_from(["open", "done", "dropped"])}
)


def everything(world: World, subjects: list[str]) -> set[frozenset[tuple[str, str, Any]]]:
    """Every minimal set, by trying every set of changes."""
    fields = [(name, field) for name in subjects for field in ("ok", "status")]
    values: dict[str, list[Any]] = {
        "ok": [None, True, False],
        "status": [None, "open", "done", "dropped"],
    }
    turning = []
    for chosen in product(*(values[field] for _, field in fields)):
        changes = {
            (("task", name), field): value
            for (name, field), value in zip(fields, chosen, strict=True)
            if value is not None and world.records[name].values.get(field, UNKNOWN) != value
        }
        if world.holds(changes):
            turning.append(frozenset((name, field, value) for ((_, name), field), value in changes.items()))
    return {one for one in turning if not any(other < one for other in turning)}


@settings(max_examples=60, deadline=None)
@given(CONDITIONS, FIELDS, FIELDS)
def test_the_sets_are_those_that_trying_everything_gives(
    text: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    j = task("J", **other)
    i = task("I", needs=(j,), fixed=False, **one)
    i.values["needs"] = (i, j)
    world = World(text, {"i": i, "j": j})
    if world.holds({}):
        return
    result = search(world.attempt, MODEL)
    assert result.complete
    assert {frozenset((c.subject, c.field, c.to) for c in changes) for changes in result.sets} == everything(
        world, ["I", "J"]
    )
    assert [len(changes) for changes in result.sets] == sorted(len(changes) for changes in result.sets)
