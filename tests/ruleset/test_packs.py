"""Mistakes in packs: each is found when the pack loads, shown at its place, and the pack judges nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cortex_policy.app.project import read_pack, shipped_packs
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.ruleset.forms import MAX_PROBLEMS
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load, without_examples
from tests.support import PACK

PACK_YAML, NOTES, OTHERS, RULES = "pack.yaml", "readers/notes.yaml", "readers/others.yaml", "rules/rules.yaml"


def problems(files: dict[str, str], schemas: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as raised:
        load([PackFiles(name="tiny", origin="tiny", files=files, schemas=schemas or {})])
    return raised.value.problems


def changed(name: str, old: str, new: str) -> dict[str, str]:
    assert old in PACK[name]
    return {**PACK, name: PACK[name].replace(old, new, 1)}


@pytest.mark.parametrize(
    ("name", "old", "new", "message", "at"),
    [
        (
            PACK_YAML,
            "  task:\n    about",
            "  task: one\n  work:\n    about",
            "kind `task` is a mapping",
            "task: one",
        ),
        (PACK_YAML, "title: text", "id: text", "every item has `id` already", "id: text"),
        (PACK_YAML, "title: text", "title: txt", "no type `txt`", "title: txt"),
        (PACK_YAML, "title: text", "title: [text]", "`title` has no type", "title: [text]"),
        (PACK_YAML, "title: text", "title: {enum: [a], reference: task}", "`title` has no type", "title: {"),
        (PACK_YAML, "{enum: [draft, done]}", "{enm: [a]}", "the type of `status` has no key `enm`", "enm"),
        (PACK_YAML, "{references: task}", "{references: tsk}", "no kind `tsk`", "tsk"),
        (PACK_YAML, r"id: 'T-\d+'", "id: [a]", "`id` is a pattern", "id: [a]"),
        (PACK_YAML, r"id: 'T-\d+'", "id: '('", "`(` cannot be used: ", "id: '('"),
        (
            PACK_YAML,
            r"id: 'T-\d+'",
            "id: x\n    actionable: [stat]",
            "kind `task` has no field `stat`",
            "stat",
        ),
        (
            PACK_YAML,
            "[board, declared]",
            "[board, status, declared]",
            "source `status` has the name of",
            "status",
        ),
        (
            PACK_YAML,
            "[board, declared]",
            "[board, {declared: first}]",
            "a rank of `precedence` is a source, or a list of sources of equal rank",
            "declared",
        ),
        (PACK_YAML, "kinds:", "kind:", "a pack has no key `kind`", "kind:"),
        (NOTES, "reader: notes", "readr: notes", "a reader has no key `readr`", "readr"),
        (NOTES, "files:", "file:", "reader `notes` lacks `files`", "reader"),
        (NOTES, "files:", "kinds: [x]\nfiles:", "a document kind is a mapping", "kinds: [x]"),
        (NOTES, "files:", "schemas: [x]\nfiles:", "a schema is a mapping of keys", "schemas: [x]"),
        (
            NOTES,
            "files:",
            "schemas: [{schema: a.json, files: ['*']}]\nfiles:",
            "no schema `a.json`",
            "a.json",
        ),
        (NOTES, "mentions: [task", "mentions: [entry", "no kind `entry` with an `id` pattern", "entry"),
        (NOTES, "document_references:", "#", "mentions of documents need `document_references`", "document"),
        (NOTES, "items:\n", "items:\n  - x\n", "a declaration of items is a mapping", "- x"),
        (NOTES, "  - kind: task", "  - kind: tsk", "no kind `tsk`", "tsk"),
        (
            NOTES,
            "heading: {levels",
            "item: {pattern: x}\n    heading: {levels",
            "`task` is declared by one of",
            "kind",
        ),
        (NOTES, "item: {pattern", "item: {patern", "item needs a `pattern` with a group", "patern"),
        (NOTES, "levels: [2, 3]", "levels: [2, 7]", "`7` is no heading level", "7"),
        (
            NOTES,
            r"(?P<id>T-\d+)",
            r"(T-\d+)",
            "the pattern has no group `id`, and there is no `id` template",
            "pattern",
        ),
        (
            NOTES,
            "heading: {levels: [2, 3], pattern",
            "heading: {levels: [2, 3], patern",
            "heading needs a `pattern`",
            "patern",
        ),
        (NOTES, "row: {columns: [task]}", "row: {}", "row needs `columns`", "row: {}"),
        (
            NOTES,
            "title: {group: title}",
            "title: {group: titel}",
            "the pattern has no group `titel`",
            "titel",
        ),
        (
            NOTES,
            "title: {group: title}",
            "tilte: {group: title}",
            "kind `task` has no field `tilte`",
            "tilte",
        ),
        (NOTES, "title: {group: title}", "title: x", "`title` says where the field stands", "title: x"),
        (
            NOTES,
            "status: {label: Status}",
            "status: {label: S, key: s}",
            "field `status` has 2 places, and a field has one",
            "status",
        ),
        (
            NOTES,
            "status: {label: Status}",
            "status: {key: status}",
            "an item declared by heading has no fields by",
            "key",
        ),
        (NOTES, "status: {label: Status}", "status: {boxes: true}", "`boxes` gives no enum", "boxes"),
        (NOTES, "status: {label: Status}", "status: {label: S, in: [row]}", "no block `row`", "row"),
        (
            OTHERS,
            "record: {id: [id], scalar: status}",
            "heading: {pattern: '(?P<id>x)'}",
            "a yaml file declares no items by",
            "kind",
        ),
        (OTHERS, "record: {id: [id], scalar: status}", "record: {}", "record needs `id`", "record"),
        (
            OTHERS,
            'record: {root: true, id: "entry:{stem}"}',
            "record: {id: [id]}",
            "kind `entry` has no `id` pattern",
            "record",
        ),
        (RULES, "- id: TNY-TSK-001", "- x\n- id: TNY-TSK-001", "a rule is a mapping of keys", "- x"),
        (RULES, "id: TNY-TSK-001", "id: TNY1", "`TNY1` is no rule code", "TNY1"),
        (RULES, "id: TNY-TSK-001", "id: TNY-TSK-002", "code `TNY-TSK-002` is taken by the rule at", ""),
        (RULES, 'for: t in items("task")', "for: [t]", "a rule lacks `for`", "id"),
        (RULES, 'for: t in items("task")', "for: t", "`for` names a variable and a collection", "for: t"),
        (
            RULES,
            'for: t in items("task")',
            "for: t in 1",
            "`for` runs over a list, and this is int",
            "for: t",
        ),
        (RULES, 'for: t in items("task")', "for: t in itms()", "", "itms"),
        (RULES, 'when: t.status == "done"', "when: [t]", "`when` is an expression", "when"),
        (RULES, 'when: t.status == "done"', "when: t.staus", "", "staus"),
        (
            RULES,
            'needs: t.needs.all(n, n.status == "done")',
            "needs: [x]",
            "condition `needs` is an expression",
            "needs: [x]",
        ),
        (
            RULES,
            'message: "{t.id} is done, but needs {n.id}"',
            "message: {need: x}",
            "no message for condition `needs`",
            "message",
        ),
        (RULES, 'message: "{t.id} is done, but needs {n.id}"', 'message: "{t.ide}"', "", "t.ide"),
        (RULES, "  severity: error", "  severity: loud", "`severity` is `loud`, not one of", "loud"),
        (
            RULES,
            "  severity: error",
            "  severity: error\n  since: {due: 2026-01-01, created: 2026-01-01}",
            "`since` names one date field",
            "since",
        ),
        (
            RULES,
            "  severity: error",
            "  severity: error\n  since: {dew: 2026-01-01}",
            "no date field `dew`",
            "dew",
        ),
        (
            RULES,
            "  severity: error",
            "  severity: error\n  since: {due: soon}",
            "`due` is a date `YYYY-MM-DD`",
            "soon",
        ),
    ],
)
def test_a_mistake_is_shown_where_it_stands(name: str, old: str, new: str, message: str, at: str) -> None:
    found = [each for each in problems(changed(name, old, new)) if each.message.startswith(message)]
    assert found, problems(changed(name, old, new))
    assert any(each.path == f"tiny/{name}" and at in each.source for each in found), found
    assert all(each.line > 0 and each.column > 0 for each in found)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "the schema cannot be read: "),
        ("[]", "a schema is a JSON object"),
        ('{"type": "objekt"}', "the schema is no JSON Schema: "),
    ],
)
def test_a_schema_that_is_none_is_shown_where_it_stands(schema: str, message: str) -> None:
    files = changed(NOTES, "files:", "schemas: [{schema: a.json, files: ['*']}]\nfiles:")
    (found,) = problems(files, {"a.json": schema})
    assert found.message.startswith(message)
    assert (found.path, found.line) == ("schemas/a.json", 1)


def test_a_reader_declares_only_from_sources_that_are_ranked() -> None:
    (found,) = problems(changed(PACK_YAML, "[board, declared]", "[declared]"))
    assert found.message == "reader `board` declares from `board`, which `precedence` does not rank"
    assert (found.path, found.source) == (f"tiny/{OTHERS}", "- reader: board")


def test_a_reader_that_is_no_mapping_is_shown_and_the_others_are_read() -> None:
    (found,) = problems({**PACK, "readers/more.yaml": "- x\n"})
    assert (found.message, found.path) == (
        "a reader is a mapping of keys to values",
        "tiny/readers/more.yaml",
    )


def test_a_rule_that_demands_nothing_is_refused() -> None:
    text = PACK[RULES].replace('require:\n    needs: t.needs.all(n, n.status == "done")', "require: {}")
    (found,) = problems({**PACK, RULES: text})
    assert (found.message, found.hint) == (
        "a rule without conditions would always pass",
        "name one under `require`",
    )


@pytest.mark.parametrize("way", ["record", "heading"])
def test_a_way_to_declare_items_is_a_mapping(way: str) -> None:
    name, old = (
        (OTHERS, "record: {id: [id], scalar: status}")
        if way == "record"
        else (NOTES, "row: {columns: [task]}")
    )
    found = problems(changed(name, old, f"{way}: x"))
    assert [(each.message, each.source.strip()) for each in found] == [
        (f"{way} is a mapping of keys to values", f"{way}: x")
    ]


def test_a_folder_without_pack_yaml_is_no_pack() -> None:
    found = problems({name: text for name, text in PACK.items() if name != PACK_YAML})
    assert found[0].message == "`tiny` is no pack: it has no `pack.yaml`"


@pytest.mark.parametrize("text", ["", "- a\n", "pack: [\n"])
def test_a_pack_file_that_is_no_mapping_loads_nothing(text: str) -> None:
    assert any(each.path == "tiny/pack.yaml" for each in problems({**PACK, PACK_YAML: text}))


def test_a_pack_without_rules_is_refused() -> None:
    assert [each.message for each in problems({**PACK, RULES: "[]"})] == [
        "no rule in pack `tiny`: nothing could ever be found"
    ]


def test_packs_that_are_joined_may_not_differ_on_a_kind() -> None:
    other = {PACK_YAML: "pack: b\nabout: b\nkinds:\n  task: {about: other}\n  box: {about: boxes}\n"}
    with pytest.raises(ConfigurationError) as raised:
        load([PackFiles(n, n, files, {}) for n, files in (("tiny", PACK), ("b", other))])
    assert [p.message for p in raised.value.problems if p.path == "b"] == [
        "kind `task` is declared by two packs",
        "kind `box` is built in",
    ]


def test_many_mistakes_are_told_up_to_a_limit() -> None:
    rules = "".join(f"- {{id: x{number}}}\n" for number in range(MAX_PROBLEMS))
    assert len(problems({**PACK, RULES: rules})) == MAX_PROBLEMS


@pytest.mark.parametrize(
    ("example", "message"),
    [
        ("x", "an example is a mapping of keys to values"),
        ("{name: one}", "an example has `files`: a mapping of paths to texts"),
        ("{files: {a.md: [x]}}", "document `a.md` is a text"),
    ],
)
def test_a_mistake_in_an_example_waits_until_examples_are_read(example: str, message: str) -> None:
    text = PACK[RULES].replace(
        "  source: [tests]\n", f"  source: [tests]\n  examples: {{pass: [{example}]}}\n", 1
    )
    loaded = load([PackFiles("tiny", "tiny", {**PACK, RULES: text}, {})])
    (found,) = [each for each in loaded.rules[0].examples().problems if each.message == message]
    assert (found.path, "examples" in found.source) == ("tiny/rules/rules.yaml", True)


# --------------------------------------------------------------------------- what a check does not read


@pytest.mark.parametrize("name", shipped_packs())
def test_the_rules_of_a_shipped_pack_are_the_same_without_their_examples(name: str) -> None:
    pack = read_pack(name, Path())
    whole, less = load([pack]), load([pack], whole=False)

    def said(ruleset: Ruleset) -> list[object]:
        return [
            (
                r.info,
                r.path,
                r.line,
                r.collection,
                r.when,
                [(c.id, c.tree, c.message) for c in r.require],
                r.since,
            )
            for r in ruleset.rules
        ]

    assert said(less) == said(whole)
    assert less.digest == whole.digest
    assert {k.name: k.fields for k in less.model.kinds.values()} == {
        k.name: k.fields for k in whole.model.kinds.values()
    }
    assert not any(rule.examples().found for rule in less.rules)
    assert all(rule.examples().found for rule in whole.rules)


def test_nothing_but_examples_is_cut() -> None:
    text = (
        "- id: A\n  examples:  # why\n    pass:\n\n      - files: {a.md: 'examples:'}\n  why: no examples:\n"
        "- id: B\n  examples: {pass: [],\n    fail: []}\n  message: |\n    examples\n- id: C\n"
    )
    cut = without_examples(text)
    assert cut.split("\n") == [
        *("- id: A", "", "", "", "", "  why: no examples:"),
        *("- id: B", "", "", "  message: |", "    examples", "- id: C", ""),
    ]


def test_broken_examples_of_a_pack_of_your_own_are_told_by_every_command() -> None:
    files = {**PACK, "rules/broken.yaml": "- id: TNY-ABC-001\n  examples: [\n"}
    with pytest.raises(ConfigurationError):
        load([PackFiles(name="tiny", origin="tiny", files=files, schemas={})], whole=False)
