"""Words with which a value refers to nothing: what they cover, and above all what they do not."""

from __future__ import annotations

import time

import pytest

from cortex_policy.documents.patterns import IdPattern, compile_pattern
from cortex_policy.documents.values import references, unsaid
from cortex_policy.errors import ConfigurationError
from tests.support import PACK, ruleset

IDS = IdPattern("task", compile_pattern(r"T-\d+"))
WORDS = unsaid(["none", "n/a"], ["no longer", "was"])


def found(text: str) -> list[str]:
    return [one.ref.id for one in references(text, IDS, silent=WORDS)]


@pytest.mark.parametrize(
    "text",
    [
        "T-1",
        "None of these is done: T-1",
        "none, but T-1 comes first",
        "None (so far), T-1",
        "nonesuch T-1",
        "T-1 (none better)",
        "was blocked for long; T-1",
        "no longer than T-9, T-1".replace("T-9", "a day"),
        "waste T-1",
        "it-was T-1",
        "T-1 was written by T-2",
        "T-1, was T-2",
        "T-1 (was T-2)",
        "T-1. Was T-2",
    ],
)
def test_what_is_said_counts(text: str) -> None:
    assert found(text) == ["T-1"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "None",
        "none.",
        "*None*",
        "N/A",
        "None (was T-1)",
        "none (T-1 is done).",
        "no longer T-1",
        "No  longer\tT-1/2",
    ],
)
def test_what_is_unsaid_does_not(text: str) -> None:
    assert found(text) == []


def test_places_are_those_of_the_text() -> None:
    assert [one.start for one in references("was T-1, T-2", IDS, silent=WORDS)] == [9]


def test_without_words_every_id_counts() -> None:
    assert unsaid([], []) is None
    assert [one.ref.id for one in references("None (was T-1)", IDS)] == ["T-1"]


@pytest.mark.parametrize(
    "text", ["none" + "(" * 200_000, "none" + "-" * 200_000 + "x", "no " * 100_000, "was " * 100_000]
)
def test_a_hostile_value_costs_no_more_than_its_length(text: str) -> None:
    start = time.process_time()
    assert found(text) == []
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("status: {label: Status, none: [none]}", "`none` is for fields of references, and this is enum"),
        ("needs: {label: Needs, stop: ['-']}", "`stop` of field `needs` is a word or a phrase"),
        ("needs: {label: Needs, stop: {was: x}}", "`stop` of field `needs` is a text or a list of texts"),
    ],
)
def test_words_where_they_mean_nothing_are_a_broken_pack(field: str, words: str) -> None:
    name = field.partition(":")[0]
    written = {"status": "status: {label: Status}", "needs": "needs: {label: [Needs, Blocked by]}"}[name]
    notes = PACK["readers/notes.yaml"].replace(written, field)
    with pytest.raises(ConfigurationError, match=words):
        ruleset(notes=notes)
