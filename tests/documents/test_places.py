"""Every value keeps its path, line and column, whatever stands around it."""

from __future__ import annotations

import pytest

from cortex_policy.model import Reading
from tests.support import declared, read


def places(path: str, content: str, name: str, field: str) -> list[tuple[str, int, int]]:
    """Value, line and column of each value of one field, the members of collections one by one."""
    found: list[tuple[str, int, int]] = []
    for reading in declared(read(path, content), name).fields.get(field, ()):
        many = isinstance(reading.value, tuple) and all(
            isinstance(member, Reading) for member in reading.value
        )
        for each in reading.value if many else (reading,):
            text = getattr(each.value, "id", None) or getattr(each.value, "text", None) or str(each.value)
            found.append((text, each.place.line, each.place.column))
    return found


ITEM = "# Notes\n\n## T-1: First\n\n"
TABLE = "| task | needs | status |\n|---|---|---|\n"

VALUES = {
    "front matter": ("a.md", "---\nstatus: done\n---\n", "doc:a.md", "status", [("done", 2, 9)]),
    "front matter, quoted": ("a.md", '---\ntitle:   "x"\n---\n', "doc:a.md", "title", [("x", 2, 10)]),
    "front matter after a line separator": (
        "a.md",
        '---\nx: "a\u2028b\x85c"\ntitle: y\n---\n',
        "doc:a.md",
        "title",
        [("y", 3, 8)],
    ),
    "front matter after astral characters": (
        "a.md",
        "---\n{x: 😀😀, title: y}\n---\n",
        "doc:a.md",
        "title",
        [("y", 2, 16)],
    ),
    "heading": ("a.md", ITEM, "T-1", "title", [("First", 3, 4)]),
    "label": ("a.md", ITEM + "Status: done\n", "T-1", "status", [("done", 5, 1)]),
    "second label of a paragraph": (
        "a.md",
        ITEM + "Status: done\nNeeds: T-2\n",
        "T-1",
        "needs",
        [("T-2", 6, 8)],
    ),
    "label after CRLF": (
        "a.md",
        ITEM.replace("\n", "\r\n") + "Needs: T-2\r\n",
        "T-1",
        "needs",
        [("T-2", 5, 8)],
    ),
    "label after CR": ("a.md", ITEM.replace("\n", "\r") + "Needs: T-2\r", "T-1", "needs", [("T-2", 5, 8)]),
    "bold label": ("a.md", ITEM + "**Needs:** T-2\n", "T-1", "needs", [("T-2", 5, 12)]),
    "bold label, colon outside": ("a.md", ITEM + "**Needs**: T-2\n", "T-1", "needs", [("T-2", 5, 12)]),
    "label with another name": ("a.md", ITEM + "Blocked by: T-2\n", "T-1", "needs", [("T-2", 5, 13)]),
    "label in a list item": ("a.md", ITEM + "- Needs: T-2\n", "T-1", "needs", [("T-2", 5, 10)]),
    "label in a nested list item": ("a.md", ITEM + "- x\n  - Needs: T-2\n", "T-1", "needs", [("T-2", 6, 12)]),
    "value on the next line": (
        "a.md",
        ITEM + "Needs: T-2,\n  T-3\n",
        "T-1",
        "needs",
        [("T-2", 5, 8), ("T-3", 6, 3)],
    ),
    "list under an empty label": (
        "a.md",
        ITEM + "Needs:\n\n* T-2\n* `T-3`\n",
        "T-1",
        "needs",
        [("T-2", 7, 3), ("T-3", 8, 4)],
    ),
    "the same id twice": (
        "a.md",
        ITEM + "Needs: T-2, T-22, T-2\n",
        "T-1",
        "needs",
        [("T-2", 5, 8), ("T-22", 5, 13), ("T-2", 5, 19)],
    ),
    "after a comment": ("a.md", ITEM + "Needs: <!-- T-8 --> T-2\n", "T-1", "needs", [("T-2", 5, 21)]),
    "after wide characters": ("a.md", ITEM + "Needs: 日本語 T-2\n", "T-1", "needs", [("T-2", 5, 12)]),
    "after astral characters": ("a.md", ITEM + "Needs: 😀 T-2\n", "T-1", "needs", [("T-2", 5, 10)]),
    "after a tab": ("a.md", ITEM + "Needs:\tT-2\n", "T-1", "needs", [("T-2", 5, 8)]),
    "check box": ("a.md", ITEM + "- [ ] one\n", "T-1", "boxes", [("one", 5, 3)]),
    "nested check box": ("a.md", ITEM + "- x\n  - [x] two\n", "T-1", "boxes", [("two", 6, 5)]),
    "check boxes in order": (
        "a.md",
        ITEM + "1. [x] a\n2. [ ] b\n",
        "T-1",
        "boxes",
        [("a", 5, 4), ("b", 6, 4)],
    ),
    "table cell": ("a.md", TABLE + "| T-7 | T-2 | done |\n", "T-7", "status", [("done", 3, 15)]),
    "table cell with the row's own id": (
        "a.md",
        TABLE + "| T-7 | T-7 | done |\n",
        "T-7",
        "needs",
        [("T-7", 3, 9)],
    ),
    "table cells in back-ticks": (
        "a.md",
        TABLE + "| `T-7` | `T-2` | done |\n",
        "T-7",
        "needs",
        [("T-2", 3, 12)],
    ),
    "table cell after an escaped bar": (
        "a.md",
        TABLE + "| T-7 | x \\| T-2 | done |\n",
        "T-7",
        "status",
        [("done", 3, 20)],
    ),
    "table without outer bars": (
        "a.md",
        "task | needs\n---|---\nT-7 | T-2\n",
        "T-7",
        "needs",
        [("T-2", 3, 7)],
    ),
    "YAML record": ("a.yaml", "- id: T-1\n  status: done\n", "T-1", "status", [("done", 2, 11)]),
    "YAML entry": ("a.yaml", "T-1:   done\n", "T-1", "status", [("done", 1, 8)]),
    "YAML list": (
        "a.yaml",
        'T-1:\n  needs: [T-2, "T-3"]\n',
        "T-1",
        "needs",
        [("T-2", 2, 11), ("T-3", 2, 17)],
    ),
    "YAML text with two ids": (
        "a.yaml",
        "T-1: {needs: T-2 T-3}\n",
        "T-1",
        "needs",
        [("T-2", 1, 14), ("T-3", 1, 18)],
    ),
    "YAML after CRLF": ("a.yaml", "T-1:\r\n  status: done\r\n", "T-1", "status", [("done", 2, 11)]),
    "JSON record": ("a.json", '{"name": "n"}', "entry:a", "name", [("n", 1, 10)]),
    "JSON after tabs": ("a.json", '{\n\t"name":\t"n"}', "entry:a", "name", [("n", 2, 10)]),
    "JSON after a surrogate pair": (
        "a.json",
        '{"\\ud83d\\ude00": 1, "name": "n"}',
        "entry:a",
        "name",
        [("n", 1, 29)],
    ),
    "JSON after a line separator": (
        "a.json",
        '{"x": "\u2028",\n"name": "n"}',
        "entry:a",
        "name",
        [("n", 2, 9)],
    ),
    "JSON after CRLF": ("a.json", '{"x": 1,\r\n"name": "n"}', "entry:a", "name", [("n", 2, 9)]),
    "JSON list": (
        "a.json",
        '{"links": ["T-1", "日 T-2"]}',
        "entry:a",
        "links",
        [("T-1", 1, 13), ("T-2", 1, 22)],
    ),
}


@pytest.mark.parametrize(("path", "content", "name", "field", "expected"), VALUES.values(), ids=VALUES)
def test_a_value_stands_where_it_is_written(
    path: str, content: str, name: str, field: str, expected: list[tuple[str, int, int]]
) -> None:
    assert places(path, content, name, field) == expected


def test_every_place_names_the_file() -> None:
    for path, content, name, field, _ in VALUES.values():
        fields = declared(read(path, content), name).fields[field]
        assert {reading.place.path for reading in fields} == {path}


def test_a_reading_carries_the_text_of_its_line() -> None:
    (reading,) = declared(read("a.md", ITEM + "Status: done  \n"), "T-1").fields["status"]
    assert reading.text == "Status: done  "


DECLARATIONS = {
    "heading": ("a.md", "x\n\n### T-1\n", "T-1", 3, 5),
    "setext heading": ("a.md", "x\n\nT-1\n---\n", "T-1", 3, 1),
    "list item": ("a.md", "- x\n  - N-01: y\n", "N-01", 2, 5),
    "table row": ("a.md", TABLE + "|  `T-7` | |\n", "T-7", 3, 5),
    "YAML key": ("a.yaml", "a:\n  T-1: done\n", "T-1", 2, 3),
    "YAML id": ("a.yaml", "- status: done\n  id: T-1\n", "T-1", 2, 7),
    "JSON file": ("a.json", "\n {}", "entry:a", 2, 2),
}


@pytest.mark.parametrize(
    ("path", "content", "name", "line", "column"), DECLARATIONS.values(), ids=DECLARATIONS
)
def test_an_item_is_declared_where_its_id_stands(
    path: str, content: str, name: str, line: int, column: int
) -> None:
    assert declared(read(path, content), name).place == (path, line, column)


SPOKEN = {
    "bare": ("see T-5 now", [("T-5", 1, 5)]),
    "in back-ticks": ("see `T-5`", [("T-5", 1, 6)]),
    "with a full stop": ("see T-5.", [("T-5", 1, 5)]),
    "in brackets": ("(T-5), [T-6]", [("T-5", 1, 2), ("T-6", 1, 9)]),
    "in a link": ("[x](T-5)", [("T-5", 1, 5)]),
    "twice on a line": ("T-5 T-55 T-5", [("T-5", 1, 1), ("T-55", 1, 5), ("T-5", 1, 10)]),
    "after a longer one": ("T-55, T-5", [("T-55", 1, 1), ("T-5", 1, 7)]),
    "in a numbered list": ("1. 1 T-1", [("T-1", 1, 6)]),
    "behind a comment": ("<b> <!-- T-5 --> T-5", [("T-5", 1, 18)]),
    "between comments": ("a <!-- T-4 --> T-5 <!-- T-6\nT-7 --> T-8", [("T-5", 1, 16), ("T-8", 2, 9)]),
    "in a table": ("|a|b|\n|-|-|\n|T-55|T-5|\n", [("T-55", 3, 2), ("T-5", 3, 7)]),
    "in a heading": ("# On T-5 #", [("T-5", 1, 6)]),
    "a path": ("see docs/x.md.", [("docs/x.md", 1, 5)]),
    "inside a longer id": ("T-5a XT-5 T-5-x x-T-5 T-5_ 4T-5", []),
    "in a fence": ("```\nT-5\n```\n\n~~~ T-6\nT-7\n", []),
    "in indented code": ("x\n\n    T-5\n", []),
    "in a comment": ("<!-- T-5 -->\n\n<!--\nT-6\n\nT-7\n-->\n", []),
    "in a comment in a line": ("a <!-- T-5 --> b", []),
    "in a link definition": ("[x]: T-5.md\n[y]: docs/y.md 'T-6'\n", []),
    "under a heading that silences": ("# A\n## Silent\nT-5\n### Sub\nT-6\n## Other\nT-7", [("T-7", 7, 1)]),
    "an unclosed comment is text": ("a <!-- T-5", [("T-5", 1, 8)]),
}


@pytest.mark.parametrize(("content", "expected"), SPOKEN.values(), ids=SPOKEN)
def test_prose_mentions_what_speaks_and_nothing_else(
    content: str, expected: list[tuple[str, int, int]]
) -> None:
    found = [
        (mention.id, mention.place.line, mention.place.column) for mention in read("a.md", content).mentions
    ]
    assert found == expected


def test_a_mention_knows_the_item_that_it_stands_in() -> None:
    found = read("a.md", "T-9\n\n## T-1\n\nT-8\n\n### Detail\n\nT-7\n\n## Other\n\nT-6\n").mentions
    assert [(mention.id, mention.within) for mention in found] == [
        ("T-9", ""),
        ("T-8", "T-1"),
        ("T-7", "T-1"),
        ("T-6", ""),
    ]


def test_a_section_names_what_stands_up_to_the_next_heading_of_its_level() -> None:
    content = "# Proof one\nT-1\n## Proof two\nT-2\n# Other\nT-3\n"
    named = {
        found.id: [member.value.id for member in found.fields["names"][0].value]
        for found in read("a.md", content).declarations
        if found.kind == "section"
    }
    assert named == {"a.md#Proof one": ["T-1", "T-2"], "a.md#Proof two": ["T-2"]}
