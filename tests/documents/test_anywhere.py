"""What stands wherever it stands: fields by `line`, lists of silent sections, and claims about what was named above."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from cortex_policy.app.reading import read_files
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import UNKNOWN, OpenTuple, Record
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load
from tests.support import NOW

PACK = {
    "pack.yaml": r"""
pack: marks
about: Documents with marks, and runs that are only spoken of.
kinds:
  document:
    about: One file.
    fields:
      marks: list
      count: int
      phrases: list
      other: list
  task:
    about: One piece of work.
    id: 'T-\d+'
    fields: {note: text}
  run:
    about: One run, which no document declares.
    id: 'run-\d+'
    fields:
      status: {enum: [pass, fail]}
""",
    "readers/all.yaml": r"""
- reader: notes
  about: Markdown.
  format: markdown
  files: ["**/*.md"]
  fields:
    marks: {line: '(?i)\b(mark:\w+)'}
    count: {line: '^count is (\S+)$'}
    phrases: {section: '^Phrases$'}
    other: {section: '^Other$'}
  silent: ['^Phrases$', '^Quiet$']
  templates: ["form*.md"]
  items:
    - kind: task
      heading: {pattern: '^(?P<id>T-\d+)'}
      fields: {note: {label: Note}}
  claims:
    - kind: run
      subject: above
      pattern: '^Report was (?P<status>\w+)'
      fields: {status: {group: status}}
    - kind: run
      pattern: '^Passed: (?P<id>run-\d+)'
      fields: {status: {value: pass}}

- reader: records
  about: JSON.
  format: json
  files: ["**/*.json"]
  fields:
    marks: {line: '"(mark:\w+)"'}
""",
    "rules/one.yaml": r"""
id: MARK-DOC-001
name: any
for: r in mentioned("run")
require: {one: 'r.conflicts.all(c, c.field != "status")'}
severity: error
message: "{r.id} {c.values}"
why: For the test.
""",
}


def pack(**changed: str) -> Ruleset:
    files = {path: changed.get(path.split("/")[0].split(".")[0], text) for path, text in PACK.items()}
    return load([PackFiles(name="marks", origin="marks", files=files, schemas={})])


def document(text: str, path: str = "a.md") -> Record:
    facts = read_files({path: text}, pack(), NOW).facts
    return next(found for found in facts.items["document"] if found.values["path"] == path)


def runs(files: Mapping[str, Any]) -> dict[str, Any]:
    """The status of every run that is spoken of; a list for those that contradict each other."""
    facts = read_files(files, pack(), NOW).facts
    found = {}
    for record in facts.functions["mentioned"]("run"):
        told = [conflict.values["values"] for conflict in record.values.get("conflicts", ())]
        found[record.id] = list(told[0]) if told else record.values.get("status", UNKNOWN)
    return found


# ------------------------------------------------------------------------------------------------- any line


@pytest.mark.parametrize(
    "text",
    [
        "A mark:x.\n",
        "## T-1\n\nA mark:x.\n",
        "- one\n  - mark:x\n",
        "> mark:x\n",
        "```text\nmark:x\n```\n",
        "<!-- mark:x -->\n",
        "## Quiet\n\n- mark:x\n",
        "---\nkey: mark:x\n---\n# A\n",
        "| a |\n| --- |\n| mark:x |\n",
    ],
    ids=["prose", "item", "nested", "quotation", "fence", "comment", "silent", "metadata", "table"],
)
def test_a_line_is_read_wherever_it_stands(text):
    record = document(text)
    assert record.values["marks"] == ("mark:x",)
    (place,) = record.places["marks"]
    line = text.split("\n")[place.line - 1]
    assert line[place.column - 1 :].startswith("mark:x")


def test_a_template_is_read_too():
    assert document("mark:x\n", "form.md").values["marks"] == ("mark:x",)


def test_every_match_is_an_element_and_commas_do_not_cut():
    record = document("mark:a, mark:b\n\nmark:c\n")
    assert record.values["marks"] == ("mark:a", "mark:b", "mark:c")
    assert [(place.line, place.column) for place in record.places["marks"]] == [(1, 1), (1, 9), (3, 1)]


def test_without_a_match_the_list_is_empty_and_closed():
    assert document("# A\n").values["marks"] == ()


def test_one_value_of_a_type():
    assert document("count is 3\n").values["count"] == 3


def test_a_value_that_is_not_of_its_type_is_told():
    reading = read_files({"a.md": "count is many\n"}, pack(), NOW)
    assert [fault.code for each in reading.graph.documents for fault in each.faults] == ["value-not-of-type"]


def test_two_values_decide_nothing():
    record = document("count is 3\n\ncount is 4\n")
    assert record.values.get("count", UNKNOWN) is UNKNOWN
    assert [conflict.values["field"] for conflict in record.values["conflicts"]] == ["count"]


def test_a_record_has_lines_at_any_depth():
    assert document('{"a": {"b": [{"mark:deep": 1}]}}', "a.json").values["marks"] == ("mark:deep",)


def test_a_file_that_cannot_be_read_states_nothing():
    record = document("mark:x \0\n")
    assert record.values["complete"] is False
    assert record.values["marks"] == ()
    assert isinstance(record.values["marks"], OpenTuple)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{label: Note}", "{line: 'x'}", "has no fields by `line`"),
        ("'^count is (\\S+)$'", "'x*'", "matches the empty text"),
        ("'^count is (\\S+)$'", "'('", "missing )"),
    ],
)
def test_a_line_that_could_never_be_read_is_a_broken_pack(old, new, said):
    readers = PACK["readers/all.yaml"]
    assert old in readers
    with pytest.raises(ConfigurationError) as caught:
        pack(readers=readers.replace(old, new))
    assert any(said in problem.message for problem in caught.value.problems)


# ------------------------------------------------------------------------------------------------- silent lists


def test_a_field_may_ask_for_the_list_of_a_silent_section():
    record = document("## Phrases\n\n- one, two\n- `T-1`\n\n## Next\n\n- three\n")
    assert record.values["phrases"] == ("one, two", "T-1")


def test_what_stands_there_asserts_nothing_else():
    record = document("## Phrases\n\n- Note: x\n\n### Other\n\n- y\n")
    assert record.values["other"] == ()
    assert document("## Quiet\n\n- y\n").values["phrases"] == ()


def test_the_list_of_a_template_stays_unread():
    assert document("## Phrases\n\n- one\n", "form.md").values["phrases"] == ()


# ------------------------------------------------------------------------------------------------- named above


def test_a_claim_is_about_the_id_named_last_above_it():
    text = "## One\n\n- run-1\n- run-2 after run-3\n- Report was fail.\n\n## Two\n\n- run-1\n- Report was pass.\n"
    assert runs({"a.md": text}) == {"run-3": "fail", "run-1": "pass"}


@pytest.mark.parametrize(
    "text",
    [
        "## One\n\n- run-1\n\n## Two\n\n- Report was fail.\n",
        "## run-1\n\n- Report was fail.\n",
        "## One\n\n```text\nrun-1\n```\n\n- Report was fail.\n",
        "## One\n\n> run-1\n\n- Report was fail.\n",
        "- Report was fail.\n- run-1\n",
    ],
    ids=["another section", "heading", "fence", "quotation", "below"],
)
def test_what_does_not_stand_above_in_the_section_is_not_meant(text):
    assert runs({"a.md": text}) == {}


def test_a_subsection_is_a_section_of_its_own():
    assert runs({"a.md": "## One\n\n- run-1\n\n### More\n\n- Report was fail.\n"}) == {}


def test_what_nobody_declares_is_known_by_what_is_claimed_of_it():
    files = {"a.md": "- run-1\n- Report was fail.\n", "b.md": "- Passed: run-1\n"}
    assert runs(files) == {"run-1": ["fail", "pass"]}


def test_where_a_document_cannot_be_read_nothing_is_sure():
    files = {"a.md": "- run-1\n- Report was fail.\n", "b.md": "---\nkey: [\n---\n# B\n"}
    assert runs(files) == {"run-1": UNKNOWN}


def test_an_item_that_could_be_declared_is_not_made_by_a_claim():
    facts = read_files({"a.md": "T-1 is spoken of.\n"}, pack(), NOW).facts
    assert facts.items["task"] == ()
    assert facts.items["run"] == ()


def test_the_subject_above_needs_ids():
    kinds = PACK["pack.yaml"].replace("    id: 'run-\\d+'\n", "")
    with pytest.raises(ConfigurationError) as caught:
        pack(pack=kinds)
    assert any("no `id` pattern" in problem.message for problem in caught.value.problems)


def test_many_claims_below_one_name_take_no_time():
    text = "- run-1\n" + "- Report was fail.\n" * 20_000
    started = time.process_time()
    assert runs({"a.md": text}) == {"run-1": "fail"}
    assert time.process_time() - started < 20
