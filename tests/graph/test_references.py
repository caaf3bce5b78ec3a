"""Who declares what, who refers to whom, and what leads nowhere; whatever the order of files."""

from __future__ import annotations

import random

import pytest

from cortex_policy.documents.patterns import compile_glob
from cortex_policy.documents.values import MAX_REFERENCES
from cortex_policy.facts import gather
from cortex_policy.graph import MAX_GAP, MAX_GAPS, Graph, Truncated, build, in_cycles, reachable
from tests.support import TINY, joined, read


def needs(graph: Graph) -> list[tuple[str, str]]:
    return [(edge.source[1], edge.target[1]) for edge in graph.edges if edge.relation == "needs"]


HEAD = "## T-1\n\n"
WRITTEN = {
    "bare": ("Needs: T-2", ["T-2"]),
    "in back-ticks": ("Needs: `T-2`", ["T-2"]),
    "with a full stop": ("Needs: T-2.", ["T-2"]),
    "with commas": ("Needs: T-2, T-3,T-4", ["T-2", "T-3", "T-4"]),
    "with prose around": ("Needs: the work of T-2 (and perhaps T-3).", ["T-2", "T-3"]),
    "in a link": ("Needs: [T-2](docs/T-3.md)", ["T-2", "T-3"]),
    "bullets below": ("Needs:\n\n- T-2\n- `T-3`, T-4.\n\nOther: T-9", ["T-2", "T-3", "T-4"]),
    "nested bullets below": ("Needs:\n\n- x\n  - T-2", ["T-2"]),
    "a range": ("Needs: T-15..T-18", ["T-15", "T-16", "T-17", "T-18"]),
    "a range with blanks and back-ticks": ("Needs: `T-5` .. `T-7`", ["T-5", "T-6", "T-7"]),
    "a range with a dash": ("Needs: T-5–T-7", ["T-5", "T-6", "T-7"]),
    "a range that keeps zeros": ("Needs: T-008..T-010", ["T-008", "T-009", "T-010"]),
    "a range backwards": ("Needs: T-9..T-5", ["T-9", "T-5"]),
    "a range of very long numbers": (
        f"Needs: T-{'1' * 5000}..T-{'2' * 5000}",
        ["T-" + "1" * 5000, "T-" + "2" * 5000],
    ),
    "a list": ("Needs: T-102/103/104", ["T-102", "T-103", "T-104"]),
    "a date is no list": ("Needs: T-1/2x", ["T-1"]),
    "none": ("Needs: none", []),
    "nothing": ("Needs:", []),
    "inside a longer id": ("Needs: XT-2, T-2x, T-2-b, T_2", []),
    "in a fence": ("Needs:\n\n```\n- T-2\n```", []),
    "in a comment": ("Needs: <!-- T-2 -->", []),
    "in a link definition": ("Needs:\n\n[x]: T-2", []),
    "in indented code": ("Needs:\n\n    T-2", []),
    "label in a fence": ("```\nNeeds: T-2\n```", []),
    "another case": ("NEEDS: T-2", ["T-2"]),
}


@pytest.mark.parametrize(("text", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_every_way_to_write_a_reference(text: str, expected: list[str]) -> None:
    assert needs(joined({"a.md": HEAD + text + "\n"})) == [("T-1", name) for name in expected]


TREE = {
    "docs/deep/a.md": "",
    "docs/x.md": "x",
    "docs/deep/y.md": "x",
    "one/same.md": "x",
    "two/same.md": "x",
    "only.md": "x",
}
PATHS = {
    "from the root": ("docs/x.md", "doc:docs/x.md", ""),
    "from the root, with a dot": ("./docs/x.md", "doc:docs/x.md", ""),
    "from the folder": ("y.md", "doc:docs/deep/y.md", ""),
    "upwards": ("../x.md", "doc:docs/x.md", ""),
    "with a fragment": ("docs/x.md#part", "doc:docs/x.md", ""),
    "a bare name that one file has": ("x.md", "doc:docs/x.md", ""),
    "a bare name that two files have": ("same.md", "doc:same.md", "dangling"),
    "a name that nothing has": ("docs/gone.md", "doc:docs/gone.md", "dangling"),
    "a file that is no document": ("src/main.py", "doc:src/main.py", "file"),
    "above the root": ("../../../etc/passwd", "doc:../../../etc/passwd", "outside"),
    "absolute": ("/etc/passwd", "doc:/etc/passwd", "outside"),
    "at home": ("~/x.md", "doc:~/x.md", "outside"),
    "on another machine": ("https://example.invalid/x.md", "doc:https://example.invalid/x.md", "outside"),
}


@pytest.mark.parametrize(("written", "target", "state"), PATHS.values(), ids=PATHS)
def test_every_way_to_name_a_document(written: str, target: str, state: str) -> None:
    files = {**TREE, "docs/deep/a.md": f"---\nnext: {written}\n---\n"}
    graph = joined(files, more=["src/main.py"])
    (edge,) = [edge for edge in graph.edges if edge.relation == "next"]
    assert edge.target == ("document", target)
    assert edge.place == ("docs/deep/a.md", 2, 7)
    known = edge.target in graph.declarations
    assert (known, target in graph.outside, target in graph.files) == (
        state == "",
        state == "outside",
        state == "file",
    )


def test_an_item_keeps_every_declaration_in_the_order_of_place() -> None:
    graph = joined({"b.md": "## T-1\n\n## T-1\n", "a.yaml": "T-1: done\n"})
    declarations = graph.declarations[("task", "T-1")]
    assert [(found.source, found.place[:2]) for found in declarations] == [
        ("board", ("a.yaml", 1)),
        ("declared", ("b.md", 1)),
        ("declared", ("b.md", 3)),
    ]


def test_documents_may_declare_several_items_and_kinds() -> None:
    graph = joined({"a.md": "## T-1\n\n- N-01: x\n\n## T-2\n"})
    assert set(graph.declarations) == {
        ("document", "doc:a.md"),
        ("task", "T-1"),
        ("task", "T-2"),
        ("note", "N-01"),
    }


CYCLES = {
    "none": ({"T-1": "T-2", "T-2": "T-3"}, set()),
    "itself": ({"T-1": "T-1", "T-2": "T-1"}, {"T-1"}),
    "two": ({"T-1": "T-2", "T-2": "T-1", "T-3": "T-1"}, {"T-1", "T-2"}),
    "two apart": ({"T-1": "T-2", "T-2": "T-1", "T-3": "T-4", "T-4": "T-3"}, {"T-1", "T-2", "T-3", "T-4"}),
    "through many": ({f"T-{n}": f"T-{(n + 1) % 3000}" for n in range(3000)}, {f"T-{n}" for n in range(3000)}),
}


def adjacency(graph: Graph) -> dict[tuple[str, str], list[tuple[str, str]]]:
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for edge in graph.edges:
        found.setdefault(edge.source, []).append(edge.target)
    return found


@pytest.mark.parametrize(("edges", "expected"), CYCLES.values(), ids=CYCLES)
def test_cycles(edges: dict[str, str], expected: set[str]) -> None:
    content = "".join(f"## {source}\nNeeds: {target}\n\n" for source, target in edges.items())
    graph = joined({"a.md": content})
    assert in_cycles(adjacency(graph)) == {("task", name) for name in expected}
    functions = gather(graph, TINY.model).functions
    tasks = {task.id: task for task in functions["items"]("task")}
    assert {name for name, task in tasks.items() if functions["in_cycle"](task, "needs")} == expected


def test_reach_goes_all_the_way_and_ends_in_cycles() -> None:
    edges = adjacency(
        joined({"a.md": "## T-1\nNeeds: T-2\n\n## T-2\nNeeds: T-3\n\n## T-3\nNeeds: T-2, T-9\n"})
    )
    assert [name for _, name in reachable(edges, ("task", "T-1"))] == ["T-2", "T-3", "T-9"]
    assert [name for _, name in reachable(edges, ("task", "T-9"))] == []
    assert [name for _, name in reachable(edges, ("task", "T-2"))] == ["T-3", "T-2", "T-9"]


def test_a_range_too_wide_is_a_finding_and_no_partial_list() -> None:
    graph = joined({"a.md": f"## T-1\nNeeds: T-2..T-{MAX_REFERENCES * 10}\n"})
    assert [fault.code for fault in graph.documents[0].faults] == ["too-many-nodes"]
    assert needs(graph) == []
    assert "task" in graph.open_kinds


def test_what_lies_in_a_truncated_folder_is_neither_dangling_nor_outside() -> None:
    truncated = Truncated(kinds=frozenset({"task"}), globs=(compile_glob("away/**"),))
    files = {"a.md": "---\nnext: away/x.md\n---\n", "b.md": "---\nnext: here/x.md\n---\n"}
    graph = joined(files, truncated=truncated)
    assert (graph.unseen, graph.outside, graph.open_kinds) == (
        frozenset({"doc:away/x.md"}),
        frozenset(),
        frozenset({"task"}),
    )


def test_gaps_lie_between_what_is_declared_or_mentioned() -> None:
    graph = joined({"a.md": "## T-2\n\nsee T-5\n", "b.md": "T-08 T-10\n"})
    assert graph.gaps("task") == (("T-3", "T-2"), ("T-4", "T-2"), ("T-09", "T-08"))


def test_gaps_have_bounds() -> None:
    wide = joined({"a.md": f"T-1 T-{MAX_GAP + 2}"})
    assert wide.gaps("task") == ()
    many = joined({"a.md": "\n".join(f"T-{n:07d}" for n in range(0, 450_000, 45))})
    assert len(many.gaps("task")) == MAX_GAPS
    assert joined({"a.md": f"T-{'9' * 5000} T-{'9' * 4999}7"}).gaps("task") == ()


FILES = {
    f"docs/{n}.md": f"---\nnext: docs/{(n * 7) % 12}.md\n---\n## T-{n}\nNeeds: T-{n + 3}, T-9\n\nT-{n % 4}\n"
    for n in range(12)
}
MORE = {
    "b.yaml": "T-1: done\nT-2: {status: draft, needs: [T-7]}\n",
    "c.json": '{"links": ["T-3"]}',
    "d.md": "\ufeff",
    "e.md": "---\n",
}


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_documents_does_not_matter(seed: int) -> None:
    documents = [read(path, text) for path, text in {**FILES, **MORE}.items()]
    tree = [*FILES, *MORE]
    first = build(documents, TINY.model, tree)
    shuffler = random.Random(seed)
    shuffler.shuffle(documents)
    shuffler.shuffle(tree)
    second = build(documents, TINY.model, tree)
    assert first == second
    assert list(first.declarations) == list(second.declarations)
    assert list(first.mentions) == list(second.mentions)
    assert repr(first.edges) == repr(second.edges)


def test_a_document_that_hides_opens_the_kinds_that_it_may_declare() -> None:
    whole = joined({"a.md": "## T-1\n"})
    broken = joined({"a.md": "## T-1\n", "b.json": "{"})
    hidden = joined({"a.md": "## T-1\n", "b.md": "---\nx\n"})
    assert (whole.open_kinds, broken.open_kinds) == (frozenset(), frozenset({"entry"}))
    assert hidden.open_kinds == {"task", "note", "box", "section"}
