"""Items that a whole document declares, and values in fenced blocks."""

from __future__ import annotations

from typing import Any

import pytest

from cortex_policy.documents.reading import read_document
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import Document, Ref
from cortex_policy.ruleset.packs import PackFiles, load

KINDS = r"""
pack: tiny
about: Packets.
kinds:
  task: {about: Work., id: 'T-\d+', fields: {title: text}}
  packet:
    about: A packet.
    fields:
      serial: text
      state: {enum: [open, done]}
      task: {reference: task}
      sentence: text
      files: list
      forbidden: list
      count: int
      head: text
      owner: text
"""
READER = r"""
reader: packets
about: Packets.
format: markdown
files: ["**/*.md"]
silent: ['^Form$']
silent_lists: '(?i)\bforbidden\b'
items:
  - {kind: task, heading: {pattern: '^(?P<id>T-\d+)$'}}
  - kind: packet
    document: {pattern: '^This is packet (?P<serial>\d+)'}
    id: packet:{serial}
    fields:
      serial: {group: serial}
      state: {label: State}
      task: {fence: 'approve:$', match: 'approve (T-\d+)', strict: false}
      sentence: {fence: 'approve:$'}
      files: {label: Files}
      forbidden: {label: Forbidden files}
      count: {label: Count}
      head: {heading: 1}
      owner: {key: owner}
"""
RULE = """
id: TNY-PCK-001
name: some
for: p in items("packet")
require: {a: has(p.state)}
severity: error
message: "{p.id}"
why: So.
source: [tests]
"""


def model(reader: str = READER) -> Any:
    files = {"pack.yaml": KINDS, "readers/r.yaml": reader, "rules/r.yaml": RULE}
    return load([PackFiles(name="tiny", origin="tiny", files=files, schemas={})]).model


def read(text: str) -> Document:
    made = model()
    document = read_document("a.md", text.encode(), made.readers[0], made)
    assert document is not None
    return document


def packet(text: str) -> Any:
    (found,) = [each for each in read(text).declarations if each.kind == "packet"]
    return found


def values(text: str, field: str) -> list[Any]:
    """The readings of a field; those of a list as a tuple."""
    found = [reading.value for reading in packet(text).fields.get(field, ())]
    lists = [isinstance(value, tuple) and not isinstance(value, Ref) for value in found]
    return [
        tuple(element.value for element in value) if many else value
        for value, many in zip(found, lists, strict=True)
    ]


LINE = "\nThis is packet 7, at last.\n"


def test_the_line_declares_it_and_gives_its_groups() -> None:
    found = packet(f"---\nowner: Ada\n---\n# Head\n\nState: open\n{LINE}\nCount: 3\n")
    assert (found.id, found.place.line, found.place.column) == ("packet:7", 8, 1)
    assert {name: readings[0].value for name, readings in found.fields.items()} == {
        "serial": "7",
        "state": "open",
        "count": 3,
        "head": "Head",
        "owner": "Ada",
    }


@pytest.mark.parametrize(
    "text",
    [
        "# Head\n\nState: open\n",
        "```text\nThis is packet 7\n```\n",
        "> This is packet 7\n",
        "## Form\n\nThis is packet 7\n",
        "<!--\nThis is packet 7\n-->\n",
    ],
)
def test_without_its_line_there_is_no_item(text: str) -> None:
    assert [each for each in read(text).declarations if each.kind == "packet"] == []


def test_what_is_wrong_with_its_values_counts_only_if_it_is_there() -> None:
    assert [fault.code for fault in read("Count: many\n").faults] == []
    assert [fault.code for fault in read(f"Count: many\n{LINE}").faults] == ["value-not-of-type"]
    assert [fault.code for fault in read(f"{LINE}\nCount: many\n").faults] == ["value-not-of-type"]


def test_fields_in_other_items_are_theirs() -> None:
    assert values(f"{LINE}\n## T-1\n\nState: done\n", "state") == []


def test_a_fence_is_read_after_its_line_only() -> None:
    wanted = "\nSomebody must approve:\n\n```text\nI approve T-4\nnow\n```\n"
    text = f"{LINE}{wanted}\nNot this:\n\n```\nI approve T-5\n```\n"
    assert values(text, "sentence") == ["I approve T-4 now"]
    assert values(text, "task") == [Ref("task", "T-4")]
    (reading,) = packet(text).fields["task"]
    assert (reading.place.line, reading.text) == (7, "I approve T-4")


def test_two_fences_that_differ_are_two_statements() -> None:
    fence = "\nHe must approve:\n\n```\nI approve {}\n```\n"
    assert values(f"{LINE}{fence.format('T-1')}{fence.format('T-2')}", "task") == [
        Ref("task", "T-1"),
        Ref("task", "T-2"),
    ]


def test_a_fence_that_is_asked_for_is_read_below_a_silent_heading_but_not_in_a_quotation() -> None:
    assert values(f"{LINE}\n## Form\n\napprove:\n\n```\nI approve T-1\n```\n", "task") == [Ref("task", "T-1")]
    assert values(f"{LINE}\n> approve:\n>\n> ```\n> I approve T-1\n> ```\n", "task") == []
    assert values(f"{LINE}\napprove:\n\n```\n```\n", "sentence") == []


def test_a_list_of_what_must_not_be_is_read_for_its_own_label_only() -> None:
    assert values(f"{LINE}\nForbidden files:\n\n- `a.env`\n- b\n", "forbidden") == [("a.env", "b")]
    assert values(f"{LINE}\nForbidden, all of it:\n\n- State: open\n", "state") == []


def test_an_entry_that_is_one_code_span_is_bare() -> None:
    text = f"{LINE}\nFiles:\n\n- `a.py`\n- `b.py`;\n- `c` and `d`\n- no-op `e`;\n"
    assert values(text, "files") == [("a.py", "b.py", "`c` and `d`", "no-op `e`;")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("document: {pattern: '^This is packet (?P<serial>\\d+)'}", "document: {}"),
        ("    id: packet:{serial}\n", ""),
        ("state: {label: State}", "state: {column: State}"),
        ("state: {label: State}", "state: {label: State, match: 'x'}"),
        ("state: {label: State}", "state: {sentence: x}"),
        ("sentence: {fence: 'approve:$'}", "sentence: {fence: '('}"),
    ],
)
def test_a_declaration_that_could_never_be_read_is_refused(old: str, new: str) -> None:
    assert old in READER
    with pytest.raises(ConfigurationError):
        model(READER.replace(old, new, 1))
