from __future__ import annotations

from typing import Any

import pytest

from cortex_policy.model import UNKNOWN, OpenTuple, Place
from cortex_policy.ruleset.explain import MAX_READS, MAX_WITNESSES, Explanation, Read, explain
from cortex_policy.ruleset.operators import OVER_BUDGET, Failure
from cortex_policy.ruleset.parser import parse
from tests.support import task

A = task("A", status="validated", n=1)
B = task("B", status="candidate", n=2)
C = task("C", n=3)
ITEM = task("I", status="validated", blocked_by=(A, B, C), done=(A,), broken=Failure("broken"))
NEST = task("N", groups=(task("G", parts=(A, B)), task("H", parts=(A,)), task("K", parts=(B, C))))
ENV: dict[str, Any] = {
    "i": ITEM,
    "nest": NEST,
    "open": OpenTuple((A,)),
    "holder": task("P", open=OpenTuple((A,))),
    "m": {"a": 1},
}
FUNCTIONS = {"same": lambda value: value}


def reasons(text: str) -> Explanation:
    return explain(parse(text), ENV, FUNCTIONS)


def names(reads: tuple[Read, ...]) -> str:
    return " ".join(f"{read.record.id}.{read.field}" for read in reads)


READS = [
    # expression, value, what decided it
    ("true", True, ""),
    ("i.status", "validated", "I.status"),
    ("i.status == 'validated'", True, "I.status"),
    ("i.missing", UNKNOWN, "I.missing"),
    ("has(i.missing)", False, "I.missing"),
    ("has(i.status)", True, "I.status"),
    ("m.a == 1", True, ""),
    ("i.done[0].status", "validated", "I.done A.status"),
    ("i.status == i.status", True, "I.status"),
    ("[i.status, i.missing]", ("validated", UNKNOWN), "I.status I.missing"),
    ("{i.status: i.done}.validated == i.done", True, "I.status I.done"),
    ("same(i.status)", "validated", "I.status"),
    ("i.status.size()", 9, "I.status"),
    ("-i.n", UNKNOWN, "I.n"),
    # and: false by its false operands, undecided by its undecided ones, true by all
    ("i.status == 'a' && i.missing == 'a'", False, "I.status"),
    ("i.missing == 'a' && i.status == 'a'", False, "I.status"),
    ("i.status == 'a' && i.done == []", False, "I.status I.done"),
    ("i.status == 'validated' && i.missing == 'a'", UNKNOWN, "I.missing"),
    ("i.missing == 'a' && i.broken", Failure("broken"), "I.missing I.broken"),
    ("i.status == 'validated' && size(i.done) == 1", True, "I.status I.done"),
    # or: true by its true operands, else by all that are not true
    ("i.missing == 'a' || i.status == 'validated'", True, "I.status"),
    ("i.missing == 'a' || i.status == 'a'", UNKNOWN, "I.missing I.status"),
    ("i.status == 'a' || i.done == []", False, "I.status I.done"),
    ("i.status == 'a' || i.broken", Failure("broken"), "I.status I.broken"),
    # not: by what its operand came to
    ("!(i.status == 'validated' && i.missing == 'a')", UNKNOWN, "I.missing"),
    ("!(i.status == 'a' && i.missing == 'a')", True, "I.status"),
    ("!(i.missing == 'a' || i.status == 'validated')", False, "I.status"),
    # a choice: by its condition and the branch taken
    ("i.status == 'validated' ? i.done : i.missing", (A,), "I.status I.done"),
    ("i.missing == 'a' ? i.done : i.status", UNKNOWN, "I.missing"),
    # macros
    ("i.blocked_by.all(b, b.status == 'validated')", False, "I.blocked_by B.status"),
    ("i.done.all(b, b.status == 'validated')", True, "I.done A.status"),
    ("i.missing.all(b, b.status == 'validated')", UNKNOWN, "I.missing"),
    ("holder.open.all(b, b.status == 'validated')", UNKNOWN, "P.open"),
    ("i.blocked_by.exists(b, b.status == 'validated')", True, "I.blocked_by A.status"),
    ("i.blocked_by.exists(b, b.status == 'zzz')", UNKNOWN, "I.blocked_by A.status B.status C.status"),
    ("!i.blocked_by.exists(b, b.status == 'candidate')", False, "I.blocked_by B.status"),
    ("i.done.exists(b, b.n == 9)", False, "I.done A.n"),
    ("i.blocked_by.exists_one(b, b.n == 2)", True, "I.blocked_by A.n B.n C.n"),
    ("i.blocked_by.map(b, b.n)", (1, 2, 3), "I.blocked_by A.n B.n C.n"),
    ("i.blocked_by.map(b, b.n > 2, b.status)", (UNKNOWN,), "I.blocked_by A.n B.n C.n C.status"),
    ("i.done.filter(b, b.n == 1)", (A,), "I.done A.n"),
    ("i.done.filter(b, b.n)", Failure("expected true or false, found an int"), "I.done A.n"),
    ("no_such(i.status)", Failure("there is no function `no_such`"), ""),
]


@pytest.mark.parametrize(("text", "value", "read"), READS, ids=[text for text, *_ in READS])
def test_an_outcome_names_the_fields_that_decided_it(text: str, value: Any, read: str) -> None:
    found = reasons(text)
    assert (found.value, names(found.reads)) == (value, read)


def test_a_read_carries_the_value_and_every_place() -> None:
    assert reasons("i.status == 'a'").reads == (Read(ITEM, "status", "validated", (Place("I.md", 1, 1),)),)


def test_what_nobody_stated_is_read_as_unknown_and_stands_nowhere() -> None:
    for text in ("i.missing == 'a'", "has(i.missing)"):
        assert reasons(text).reads == (Read(ITEM, "missing", UNKNOWN, ()),)


WITNESSES = [
    ("i.status == 'validated'", []),
    ("i.done.all(b, b.status == 'validated')", []),
    ("i.blocked_by.exists(b, b.status == 'zzz')", []),
    ("i.blocked_by.all(b, b.status == 'validated')", ["b=B: B.status"]),
    ("i.blocked_by.all(b, b.n == 9)", ["b=A: A.n", "b=B: B.n", "b=C: C.n"]),
    ("[A, C].all(b, b.status == 'validated')", ["b=C: C.status"]),
    ("i.blocked_by.all(b, b.status < b.n)", ["b=A: A.status A.n", "b=B: B.status B.n"]),
    ("open.all(b, b.status == 'validated')", []),
    ("i.status == 'a' && i.blocked_by.all(b, b.n == 1)", ["b=B: B.n", "b=C: C.n"]),
    ("i.status == 'a' || i.blocked_by.all(b, b.n < 3)", ["b=C: C.n"]),
    ("i.status == 'a' || !i.blocked_by.all(b, b.n < 9)", []),
    (
        "nest.groups.all(g, g.parts.all(p, p.status == 'validated'))",
        ["g=G,p=B: B.status", "g=K,p=B: B.status"],
    ),
    ("nest.groups.all(g, size(g.parts) == 2)", ["g=H: H.parts"]),
    ("nest.groups.exists(g, g.parts.all(p, p.n == 9))", []),
    ("nest.groups.all(g, g.parts.exists(p, p.n == 1))", ["g=K: K.parts B.n C.n"]),
    ("nest.groups.all(x, x.parts.all(x, x.n < 3))", ["x=C: C.n"]),
]


@pytest.mark.parametrize(("text", "wanted"), WITNESSES, ids=[text for text, _ in WITNESSES])
def test_each_element_that_breaks_an_all_is_a_witness(text: str, wanted: list[str]) -> None:
    found = explain(parse(text), {**ENV, "A": A, "C": C}, FUNCTIONS)
    shown = [
        ",".join(f"{name}={element.id}" for name, element in each.bindings) + ": " + names(each.reads)
        for each in found.witnesses
    ]
    assert shown == wanted


def test_the_reads_of_the_collection_come_before_those_of_the_witnesses() -> None:
    found = reasons("nest.groups.all(g, g.parts.all(p, p.status == 'validated'))")
    assert names(found.reads) == "N.groups B.status"


def test_a_plain_value_has_no_place_but_that_of_its_list() -> None:
    noted = task("P", notes=("a", "b"))
    (witness,) = explain(parse("[p].all(q, q.notes.all(n, n == 'a'))"), {"p": noted}, {}).witnesses
    assert dict(witness.bindings)["n"] == "b"
    assert names(witness.reads) == "P.notes"


def test_a_bare_value_stands_where_its_list_does_however_deep() -> None:
    lists = {"many": (task("A", words=("no", "yes")), task("B", words=("yes",)))}
    found = explain(parse("many.all(d, d.words.all(w, w == 'yes'))"), lists, {})
    assert names(found.reads) == "A.words"
    (witness,) = found.witnesses
    assert names(witness.reads) == "A.words"
    assert witness.bindings[1] == ("w", "no")


def test_an_explanation_is_not_longer_than_a_person_reads() -> None:
    many = tuple(task(str(number), n=number) for number in range(MAX_WITNESSES + 50))
    for text in ("many.all(x, x.n < 0)", "many.exists(x, x.n < 0)", "many.map(x, x.n) == []"):
        found = explain(parse(text), {"many": many}, {})
        assert found.value is False
        assert len(found.reads) == MAX_READS
    witnesses = explain(parse("many.all(x, x.n < 0)"), {"many": many}, {}).witnesses
    assert len(witnesses) == MAX_WITNESSES


def test_looking_at_everything_may_cost_more_than_deciding_and_the_decision_stands() -> None:
    text = "false && many.all(x, many.all(y, x + y >= 0))"
    assert explain(parse(text), {"many": tuple(range(2_000))}, {}) == Explanation(False, (), ())


def test_a_used_up_budget_is_the_outcome() -> None:
    text = "many.all(x, many.all(y, x + y >= 0))"
    assert explain(parse(text), {"many": tuple(range(2_000))}, {}).value == OVER_BUDGET
