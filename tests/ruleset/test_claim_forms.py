"""Claim forms that could never give a claim are mistakes of the pack, each at its place."""

from __future__ import annotations

import pytest

from cortex_policy.errors import ConfigurationError
from cortex_policy.ruleset.packs import PackFiles, load
from tests.facts.test_claims import PACK

READER = "readers/all.yaml"
MODEL = "pack.yaml"

BROKEN = {
    "no kind": (
        READER,
        "  - kind: task\n      source: proof",
        "  - kind: tusk\n      source: proof",
        "no kind `tusk`",
    ),
    "no rank": (
        READER,
        "source: proof",
        "source: hearsay",
        "claims from `hearsay`, which `precedence` does not rank",
    ),
    "two forms": (
        READER,
        "      label: [Status, Now]",
        "      label: Status\n      row: [Task]",
        "one of pattern, label, row",
    ),
    "no form": (READER, "      label: [Status, Now]\n", "", "one of pattern, label, row"),
    "a pattern that matches all": (
        READER,
        "'^(?P<at>[0-9TZ:+-]+) closes (?P<id>T-\\d+)'",
        "'x*'",
        "matches the empty text",
    ),
    "a pattern that is a list": (
        READER,
        "'^(?P<at>[0-9TZ:+-]+) closes (?P<id>T-\\d+)'",
        "[a]",
        "`pattern` is a pattern",
    ),
    "no subject in the pattern": (READER, "closes (?P<id>T-\\d+)'", "closes T-1'", "has no subject `id`"),
    "a subject that the document has not": (
        READER,
        "subject: [about, item]",
        "subject: [abuot]",
        "has no subject `abuot`",
    ),
    "a subject that is no reference": (
        READER,
        "subject: [about, item]",
        "subject: [created]",
        "has no subject `created`",
    ),
    "a document about a task": (
        READER,
        "subject: [about, item]",
        "subject: [document]",
        "has no subject `document`",
    ),
    "ids of a kind that has none": (
        READER,
        "      subject: document\n      in: [heading]",
        "      subject: day\n      in: [heading]",
        "has no `id` pattern",
    ),
    "no field": (READER, "      fields: {status: {value: done}}\n", "", "lacks `fields`"),
    "an unknown field": (
        READER,
        "fields: {status: {value: done}}",
        "fields: {state: {value: done}}",
        "no field `state`",
    ),
    "a list": (
        READER,
        "fields: {status: {value: done}}",
        "fields: {needs: {value: T-1}}",
        "refers or is a list",
    ),
    "a value of another type": (READER, "{value: done}", "{value: finished}", "is no value of `status`"),
    "a group that is not there": (
        READER,
        "fields: {status: {group: status}}",
        "fields: {status: {group: stat}}",
        "has no `stat`",
    ),
    "a column that is not there": (READER, "{column: State}", "{column: Stat}", "has no `Stat`"),
    "two ways": (READER, "{value: done}", "{value: done, group: id}", "one of group, column, value"),
    "no way": (READER, "{value: done}", "{}", "one of group, column, value"),
    "a document kind that is not there": (
        READER,
        "documents: [plan]",
        "documents: [plot]",
        "`documents` knows no `plot`",
    ),
    "a block that is not there": (READER, "in: [paragraph, item]", "in: [fence]", "`in` knows no `fence`"),
    "a time that is not there": (READER, "at: [group]", "at: [grope]", "`at` knows no `grope`"),
    "a group without a time": (
        READER,
        "'^(?P<at>[0-9TZ:+-]+) closes",
        "'^closes",
        "`group` tells no time here",
    ),
    "runs without a pattern": (
        READER,
        "    runs: 'run-(?P<at>[0-9TZ:+-]+)'\n",
        "",
        "`section` tells no time here",
    ),
    "headings without a pattern": (
        READER,
        "    headings: '(?P<at>\\d{4}-\\d{2}-\\d{2})$'\n    dates",
        "    dates",
        "`heading` tells no time here",
    ),
    "no dates": (READER, "    dates: [created, reviewed]\n", "", "`dates` tells no time here"),
    "a date that documents have not": (
        READER,
        "dates: [created, reviewed]",
        "dates: [creation]",
        "no date `creation`",
    ),
    "a date that is none": (READER, "dates: [created, reviewed]", "dates: [count]", "no date `count`"),
    "a pattern of times without a time": (
        READER,
        "'run-(?P<at>[0-9TZ:+-]+)'",
        "'run-'",
        "no group `(?P<at>…)`",
    ),
    "times that are no mapping": (
        READER,
        "  times:\n    runs: 'run-(?P<at>[0-9TZ:+-]+)'",
        "  times: x\n  where:\n    runs: 'a'",
        "`times` is a mapping",
    ),
    "what is unclaimed by another name": (
        READER,
        "    criterion:\n",
        "    criteria:\n",
        "has no key `criteria`",
    ),
    "where nothing is claimed": (READER, "sentences: ['(?i)", "sentence: ['(?i)", "has no key `sentence`"),
    "a pattern that cannot be": (READER, "lists: ['\\bbefore\\b']", "lists: ['(']", "cannot be used"),
    "an unknown key": (
        READER,
        "      documents: [plan]",
        "      document: [plan]",
        "a claim has no key `document`",
    ),
    "claims that are no list": (
        READER,
        "  claims:\n    - kind: task",
        "  claims: x\n  where:\n    - kind: task",
        "`claims` of a reader is a list",
    ),
    "a claim that is no mapping": (READER, "  claims:\n", "  claims:\n    - x\n", "a claim is a mapping"),
    "claims in records": (
        READER,
        "  format: yaml\n",
        "  format: yaml\n  claims: [{kind: task, label: A, subject: item, fields: {status: {group: value}}}]\n",
        "a yaml file makes no claims in prose",
    ),
    "a source ranked twice": (MODEL, "declared, dated]", "declared, proof]", "`proof` is ranked twice"),
    "an empty rank": (MODEL, "[proof, report]", "[]", "a rank of `precedence` is a source"),
    "a rank in a rank": (MODEL, "[proof, report]", "[proof, [report]]", "a rank of `precedence` is a source"),
    "a source with the name of a field": (
        MODEL,
        "declared, dated]",
        "declared, weight]",
        "has the name of a field of `task`",
    ),
    "a source with a name that is taken": (
        MODEL,
        "declared, dated]",
        "declared, stale]",
        "every item has a `stale` already",
    ),
    "a field with a name that is taken": (
        MODEL,
        "      weight: int",
        "      stale: int",
        "every item has `stale` already",
    ),
}


@pytest.mark.parametrize(("path", "old", "new", "message"), BROKEN.values(), ids=BROKEN)
def test_a_form_that_could_never_claim_is_refused(path: str, old: str, new: str, message: str) -> None:
    assert old in PACK[path]
    files = {**PACK, path: PACK[path].replace(old, new, 1)}
    with pytest.raises(ConfigurationError) as caught:
        load([PackFiles(name="said", origin="said", files=files, schemas={})])
    told = [problem for problem in caught.value.problems if message in problem.message]
    assert told, [problem.message for problem in caught.value.problems]
    assert told[0].path == f"said/{path}"
    assert told[0].line > 0


def test_one_rank_may_be_written_without_a_list() -> None:
    files = {name: text for name, text in PACK.items() if name != READER}
    files[MODEL] = files[MODEL].replace("[board, [proof, report], declared, dated]", "declared")
    assert load([PackFiles(name="said", origin="said", files=files, schemas={})]).model.precedence == (
        ("declared",),
    )
