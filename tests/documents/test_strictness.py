"""What would change a document's meaning in silence is a finding, or the text stays as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.markdown import MAX_BLOCK_NESTING, MAX_QUOTES
from cortex_policy.documents.nodes import (
    MAX_DEPTH,
    MAX_DIRECTIVES,
    MAX_NODES,
    load_json,
    load_yaml,
    plain_data,
)
from cortex_policy.documents.reading import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_LINES
from cortex_policy.documents.values import MAX_REFERENCES
from tests.support import TINY, codes, declared, fault_places, read

FRONT = "---\ntitle: a\n---\n"


def field(path: str, content: str, name: str) -> list[object]:
    document = read(path, content)
    return [reading.value for reading in document.declarations[0].fields.get(name, ())]


FRONT_MATTER_CASES = {
    "byte order mark": ("\ufeff" + FRONT, ("byte-order-mark", 1, 1)),
    "two byte order marks": ("\ufeff\ufeff" + FRONT, ("byte-order-mark", 1, 1)),
    "a line before the fence": ("x\n" + FRONT, ("text-before-front-matter", 2, 1)),
    "a blank line before the fence": ("\n" + FRONT, ("text-before-front-matter", 2, 1)),
    "a comment before the fence": ("<!-- c -->\n\n" + FRONT, ("text-before-front-matter", 3, 1)),
    "a blank before the fence": (" ---\ntitle: a\n---\n", ("text-before-front-matter", 1, 1)),
    "a zero width space before the fence": ("\u200b---\ntitle: a\n---\n", ("text-before-front-matter", 1, 1)),
    "a quoted key after a late fence": ('x\n---\n"title": a\n---\n', ("text-before-front-matter", 2, 1)),
    "no closing fence": ("---\ntitle: a\n", ("front-matter-unclosed", 1, 1)),
    "a closing fence with other marks": ("---\ntitle: a\n***\n", ("front-matter-unclosed", 1, 1)),
    "a second block": (FRONT + "---\ntitle: b\n---\n", ("second-front-matter", 4, 1)),
    "a second block after blank lines": (FRONT + "\n\n---\ntitle: b\n---\n", ("second-front-matter", 6, 1)),
    "equal keys": ("---\ntitle: a\ntitle: b\n---\n", ("duplicate-key", 3, 1)),
    "equal nested keys": ("---\nx: {a: 1, a: 2}\n---\n", ("duplicate-key", 2, 11)),
    "a tag": ("---\ntitle: !!python/name:os.system a\n---\n", ("yaml-tag", 2, 8)),
    "a tag of its own": ("---\ntitle: !x a\n---\n", ("yaml-tag", 2, 8)),
    "an anchor": ("---\ntitle: &a a\n---\n", ("yaml-alias", 2, 8)),
    "a merge key with an alias": ("---\nx: &a {b: 1}\ny:\n  <<: *a\n---\n", ("yaml-alias", 4, 7)),
    "a key that is no text": ("---\n? [a]\n: b\n---\n", ("yaml-key", 2, 3)),
    "a list": ("---\n- a\n---\n", ("not-a-mapping", 2, 1)),
    "a sentence": ("---\njust words\n---\n", ("not-a-mapping", 2, 1)),
    "broken YAML": ("---\ntitle: [a\n---\n", ("yaml-syntax", 3, 1)),
    "a tab as indentation": ("---\nx:\n\ttitle: a\n---\n", ("yaml-syntax", 3, 1)),
    "a control character": ("---\ntitle: a\x07\n---\n", ("yaml-syntax", 2, 9)),
    "not a word of the vocabulary": ("---\nstatus: dnoe\n---\n", ("value-not-of-type", 2, 9)),
    "a list where one value stands": ("---\nstatus: [done]\n---\n", ("value-not-of-type", 2, 9)),
    "a date that is none": ("---\ncreated: 2025-30-01\n---\n", ("value-not-of-type", 2, 10)),
    "a number with a leading zero": ("---\ncount: 0752\n---\n", ("value-not-of-type", 2, 8)),
    "a number of 5,000 digits": ("---\ncount: " + "9" * 5000 + "\n---\n", ("value-not-of-type", 2, 8)),
    "nothing at all": ("", ("empty-document", 1, 1)),
    "blanks only": (" \n\t\n", ("empty-document", 1, 1)),
    "a NUL": ("a\nb\0\n", ("nul-character", 2, 1)),
}


@pytest.mark.parametrize(("content", "expected"), FRONT_MATTER_CASES.values(), ids=FRONT_MATTER_CASES)
def test_what_is_odd_in_front_matter_is_a_finding_at_its_place(
    content: str, expected: tuple[str, int, int]
) -> None:
    assert expected in fault_places(read("a.md", content))


def test_each_of_these_documents_has_its_fault_in_every_line_ending() -> None:
    for content, (code, line, _) in FRONT_MATTER_CASES.values():
        found = fault_places(read("a.md", content.replace("\n", "\r\n")))
        assert (code, line) in [(name, at) for name, at, _ in found], content


def test_metadata_behind_a_byte_order_mark_is_read_all_the_same() -> None:
    assert field("a.md", "\ufeff" + FRONT, "title") == ["a"]


def test_both_of_two_equal_keys_are_kept() -> None:
    assert field("a.md", "---\ntitle: a\ntitle: b\n---\n", "title") == ["a", "b"]


@pytest.mark.parametrize(
    "content", ["# A\n", "# A\n\n---\n\ntext\n\n---\n", "a | b\n---|---\n", "Setext\n---\n"]
)
def test_a_rule_line_in_prose_is_no_front_matter(content: str) -> None:
    assert codes(read("a.md", content)) == []


def test_front_matter_that_a_reader_demands() -> None:
    assert codes(read("strict/a.md", "# A\n")) == ["front-matter-missing"]
    assert codes(read("strict/a.md", FRONT)) == []
    assert codes(read("strict/a.md", "---\n---\n")) == [], "empty front matter is front matter"


SPELT = [
    "0752",
    "1.30",
    "1e3",
    "0x1F",
    "0o17",
    "on",
    "Yes",
    "NO",
    "~x",
    "1_000",
    ".inf",
    "-0",
    "12:30:45",
    "2025-30-01",
]


@pytest.mark.parametrize("written", SPELT)
def test_text_stays_the_text_that_was_written(written: str) -> None:
    assert field("a.md", f"---\nversion: {written}\n---\n", "version") == [written]


@pytest.mark.parametrize("written", [*SPELT, "nan", "inf", "-inf", "1" * 5000])
def test_a_schema_sees_no_type_that_would_be_spelt_otherwise(written: str) -> None:
    node, faults = load_yaml(f"a: {written}\n")
    assert (plain_data(node), faults) == ({"a": written}, [])


@pytest.mark.parametrize(
    ("written", "value"), [("1.30", "1.30"), ("1E400", "1E400"), ("-0", "-0"), ("7", "7")]
)
def test_a_json_number_keeps_its_spelling_as_text(written: str, value: str) -> None:
    name = declared(read("a.json", f'{{"name": {written}}}'), "entry:a").fields["name"]
    assert [reading.value for reading in name] == [value]


def test_a_json_number_is_a_number_for_a_schema() -> None:
    _, data, faults = load_json('{"a": 1.30, "b": 1e2, "c": 7, "d": "7", "e": null, "f": true}')
    assert (data, faults) == ({"a": 1.3, "b": 100.0, "c": 7, "d": "7", "e": None, "f": True}, [])


JSON_CASES = {
    "half a character": (r'{"name": "\ud800"}', ("json-syntax", 1, 10)),
    "half a character in a key": (r'{"\ud800": 1}', ("json-syntax", 1, 2)),
    "NaN": ('{"name":\n NaN}', ("json-syntax", 2, 2)),
    "the word NaN before NaN": ('{"NaN": "NaN",\n "b": -Infinity}', ("json-syntax", 2, 7)),
    "a comment": ('{"name": 1} // c', ("json-syntax", 1, 13)),
    "a trailing comma": ('{"name": 1,}', ("json-syntax", 1, 12)),
    "two values": ("{} {}", ("json-syntax", 1, 4)),
    "single quotes, which YAML would take": ("{'name': 1}", ("json-syntax", 1, 2)),
    "no quotes, which YAML would take": ("{name: 1}", ("json-syntax", 1, 2)),
    "a raw tab in a text": ('{"name": "a\tb"}', ("json-syntax", 1, 12)),
    "equal keys": ('{"name": 1,\n "name": 2}', ("duplicate-key", 2, 2)),
    "equal keys, one escaped": ('{"name": 1, "n\\u0061me": 2}', ("duplicate-key", 1, 13)),
    "a byte order mark": ('\ufeff{"name": 1}', ("byte-order-mark", 1, 1)),
    "nothing": ("", ("json-syntax", 1, 1)),
    "one value": ('"a"', ("not-a-mapping", 1, 1)),
}


@pytest.mark.parametrize(("content", "expected"), JSON_CASES.values(), ids=JSON_CASES)
def test_what_is_odd_in_json_is_a_finding_at_its_place(content: str, expected: tuple[str, int, int]) -> None:
    assert expected in fault_places(read("a.json", content))


@pytest.mark.parametrize(
    "content",
    [
        '{"name": "a\x7fb", "count": 1}',
        '{"name": "\u2028\x85\ufffe", "count": 1}',
        '{"' + "k" * 3000 + '": 0, "name": "n", "count": 1}',
        '{"name"\n:\n"n"\n,"count"\n:1}',
        r'{"\ud83d\ude00": 0, "\ud83d\ude01": 0, "name": "\/", "count": 1}',
        '{"name":"n","count":1,"x":{},"y":[],"z":""}',
    ],
)
def test_all_that_is_json_is_read(content: str) -> None:
    document = read("a.json", content)
    assert codes(document) == []
    assert [reading.value for reading in declared(document, "entry:a").fields["count"]] == [1]


YAML_CASES = {
    "a second document": ("a: 1\n---\nb: 2\n", "yaml-second-document"),
    "nothing but a comment": ("# x\n", "not-a-mapping"),
    "one value": ("x\n", "not-a-mapping"),
    "an unclosed quote": ('a: "x\n', "yaml-syntax"),
    "many directives": (
        "".join(f"%TAG !{n}! b\n" for n in range(MAX_DIRECTIVES + 1)) + "--- a\n",
        "yaml-syntax",
    ),
}


@pytest.mark.parametrize(("content", "code"), YAML_CASES.values(), ids=YAML_CASES)
def test_what_is_odd_in_a_yaml_record_is_a_finding(content: str, code: str) -> None:
    assert code in codes(read("a.yaml", content))


BOMB = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30))
LIMITS = {
    "bytes": ("a.md", "x" * (MAX_DOCUMENT_BYTES + 1), "too-large"),
    "lines": ("a.md", "\n" * (MAX_DOCUMENT_LINES + 1), "too-large"),
    "brackets in front matter": ("a.md", "---\na: " + "[" * 50_000 + "\n---\n", "too-deep"),
    "closed brackets in front matter": (
        "a.md",
        "---\na: " + "[" * 50_000 + "]" * 50_000 + "\n---\n",
        "too-deep",
    ),
    "braces in YAML": ("a.yaml", "{a: " * 50_000, "too-deep"),
    "dashes in YAML": ("a.yaml", "- " * 50_000, "too-deep"),
    "brackets in JSON": ("a.json", "[" * 50_000 + "]" * 50_000, "too-deep"),
    "objects in JSON": ("a.json", '{"a":' * 200 + "1" + "}" * 200, "too-deep"),
    "an alias bomb": ("a.yaml", BOMB, "yaml-alias"),
    "nodes in YAML": ("a.yaml", f"[{'a,' * MAX_NODES}]", "too-many-nodes"),
    "nodes in JSON": ("a.json", f"[{'1,' * MAX_NODES}1]", "too-many-nodes"),
    "ranges in Markdown": ("a.md", "## T-1\nNeeds: " + "T-1..T-999, " * 50_000, "too-many-nodes"),
    "ranges in many items": ("a.md", "## T-1\nNeeds: T-1..T-999\n" * 500, "too-many-nodes"),
    "ranges in YAML": ("a.yaml", "T-1: {needs: [" + "T-1..T-999, " * 5_000 + "]}", "too-many-nodes"),
    "nested lists": ("a.md", "- " * MAX_BLOCK_NESTING + "x", "too-deep"),
    "5,000 nested lists": ("a.md", "- " * 5_000 + "x", "too-deep"),
    "indented lists": ("a.md", "\n".join("  " * depth + "- x" for depth in range(1_000)), "too-deep"),
    "nested quotes": ("a.md", "a\n" + "> " * (MAX_QUOTES + 1) + "x", "too-deep"),
    "10,000 nested quotes": ("a.md", ">" * 10_000 + "x", "too-deep"),
    "lazy lines below nested quotes": ("a.md", ">" * 30 + "a\n" + "b\n" * 100_000, "too-deep"),
}


@pytest.mark.parametrize(("path", "content", "code"), LIMITS.values(), ids=LIMITS)
def test_beyond_a_limit_is_a_finding_and_hides_what_it_may_declare(
    path: str, content: str, code: str
) -> None:
    document = read(path, content)
    assert codes(document).count(code) >= 1
    assert document.complete is not FAULTS[code].hides
    assert len(document.declarations) < 1_000


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.md", "- " * (MAX_BLOCK_NESTING // 2 - 1) + "x"),
        ("a.md", "> " * MAX_QUOTES + "x"),
        ("a.md", "\n".join("> " * (n % 3) + "x" for n in range(100))),
        ("a.json", "[" * MAX_DEPTH + "]" * MAX_DEPTH),
        ("a.yaml", "[" * MAX_DEPTH + "]" * MAX_DEPTH),
    ],
)
def test_up_to_a_limit_is_no_finding(path: str, content: str) -> None:
    assert codes(read(path, content)) == []


def test_the_number_of_references_has_a_bound() -> None:
    document = read("a.md", "## T-1\nNeeds: " + "T-1..T-999, " * 90)
    total = sum(len(reading.value) for reading in declared(document, "T-1").fields["needs"])
    assert codes(document) == []
    assert 80_000 < total <= MAX_REFERENCES


UNREADABLE = {
    "not UTF-8": (b"a\n\xff\n", ("not-utf-8", 2)),
    "UTF-16": ("a".encode("utf-16"), ("not-utf-8", 1)),
    "cut in a character": ("é".encode()[:1], ("not-utf-8", 1)),
    "a surrogate in UTF-8": (b"\xed\xa0\x80", ("not-utf-8", 1)),
    "an overlong form": (b"\xc0\xaf", ("not-utf-8", 1)),
}


@pytest.mark.parametrize(("data", "expected"), UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("path", ["a.md", "a.yaml", "a.json"])
def test_what_is_no_text_is_a_finding_for_that_document(
    path: str, data: bytes, expected: tuple[str, int]
) -> None:
    document = read(path, data)
    assert [(fault.code, fault.place.line) for fault in document.faults] == [expected]
    assert not document.complete


def test_a_file_that_hides_may_hide_every_kind_of_its_reader() -> None:
    assert read("a.md", b"\xff").may_declare == {"task", "note", "box", "section"}


BYTES = st.binary(max_size=400) | st.text(max_size=200).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
PIECES = st.lists(
    st.sampled_from(
        (
            "---|\n|title: |## T-1|Needs: |T-2..T-9|- [ ] |> |```|<!--|-->|| a | b |\n|-|-|\n|{|}|[|]|:|,"
            "|\"|'|&a |*a |!!x |%TAG !a! b\n|\ufeff|\u2028|\x85|\t|\r|\\ud800|\\u00e9|0752|T-1: done|#|    "
            "|1. |N-01: x|Status: |😀|\x00|NaN|? |docs/a.md|../x|~"
        ).split("|")
    ),
    max_size=40,
).map(lambda pieces: "".join(pieces).encode())


@settings(deadline=None, max_examples=300)
@given(BYTES | PIECES, st.sampled_from(["a.md", "strict/a.md", "a.yaml", "a.json"]))
def test_any_bytes_give_one_document_always_the_same(data: bytes, path: str) -> None:
    document = read(path, data)
    assert document == read(path, data)
    assert document.complete is not any(FAULTS[fault.code].hides for fault in document.faults)
    lines = data.count(b"\n") + data.count(b"\r") + 1
    places = [fault.place for fault in document.faults]
    places += [
        reading.place
        for found in document.declarations
        for values in found.fields.values()
        for reading in values
    ]
    places += [mention.place for mention in document.mentions]
    assert all(1 <= place.line <= lines and place.column >= 1 and place.path == path for place in places)


@settings(deadline=None)
@given(PIECES)
def test_line_endings_do_not_change_what_is_read(data: bytes) -> None:
    unix = data.replace(b"\r", b"\n")
    assert read("a.md", unix)._replace(digest="") == read("a.md", unix.replace(b"\n", b"\r\n"))._replace(
        digest=""
    )


def test_the_reader_of_a_test_is_the_one_of_the_small_pack() -> None:
    assert [reader.name for reader in TINY.model.readers] == ["notes", "strict", "board", "records"]
