"""The claims of a reader: the forms in which documents assert, when they did, and where nothing is claimed.

A form that could never give a claim is a broken pack, not an empty result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import re2

from cortex_policy.documents.nodes import Mapping as NodeMapping
from cortex_policy.documents.nodes import Node, Scalar
from cortex_policy.documents.patterns import compile_pattern
from cortex_policy.documents.spec import (
    ClaimField,
    ClaimSpec,
    KindSpec,
    ReaderSpec,
    TimeSpec,
    UnclaimedSpec,
)
from cortex_policy.documents.values import FieldType, scalar
from cortex_policy.ruleset.forms import Form, Source, suggest
from cortex_policy.ruleset.patterns import compile_node, read_any, read_pattern

CLAIM_KEYS: Final = "kind source pattern label row in documents under subject at fields".split()
CLAIM_FIELD_KEYS: Final = ("group", "column", "value")
TIMES_KEYS: Final = ("runs", "headings", "dates")
TIME_WORDS: Final = ("group", "section", "heading", "document", "dates")
"""Where the time of a claim may come from; see `docs/claims.md`."""
UNCLAIMED_KINDS: Final = ("criterion", "phrase", "template", "prohibition", "conditional", "history")
"""What a passage is that asserts nothing."""
UNCLAIMED_KEYS: Final = ("headings", "lists", "sentences")
_AROUND: Final = ("item", "above")
"""Subjects that stand around a claim: the item of the section, and the id that was named last in it."""
_FORMS: Final = ("pattern", "label", "row")
_BLOCKS: Final = ("paragraph", "item", "heading")
_LABEL: Final = r"(?im)^[ \t*_`]*(?:{labels})[*_`]*[ \t]*:[ \t]*[*_]*[ \t]*(?P<value>.*\S)"


def read_times(form: Form, source: Source, document: KindSpec | None) -> TimeSpec:
    """The `times` of a reader."""
    node = form.get("times")
    inner = source.form(node, "`times`", TIMES_KEYS) if node is not None else None
    if inner is None:
        return TimeSpec()
    patterns = {key: read_pattern(inner, key, source) for key in ("runs", "headings")}
    for key, pattern in patterns.items():
        if pattern is not None and "at" not in pattern.groupindex:
            source.problem(inner.get(key), "the pattern has no group `(?P<at>…)` for the time")
            patterns[key] = None
    known = document.fields if document is not None else {}
    for name in inner.scalars("dates"):
        if name.text not in known or known[name.text].name != "date":
            dates = [field for field, kind in known.items() if kind.name == "date"]
            source.problem(
                name, f"documents have no date `{name.text}`", suggest(name.text, dates) or "name date fields"
            )
    return TimeSpec(patterns["runs"], patterns["headings"], inner.texts("dates"))


def read_unclaimed(form: Form, source: Source) -> UnclaimedSpec:
    """The `unclaimed` of a reader: one pattern for all that its kinds of passages name."""
    node = form.get("unclaimed")
    kinds = source.form(node, "`unclaimed`", UNCLAIMED_KINDS) if node is not None else None
    if kinds is None or not isinstance(node, NodeMapping):
        return UnclaimedSpec()
    forms = [source.form(value, f"`{key.text}`", UNCLAIMED_KEYS) for key, value in node.entries]
    compiled = []
    for key in UNCLAIMED_KEYS:
        found = [read_any(inner, key, source) for inner in forms if inner is not None]
        compiled.append(_joined([pattern for pattern in found if pattern is not None]))
    return UnclaimedSpec(*compiled)


def _joined(patterns: list[Any]) -> Any:
    if len(patterns) < 2:
        return patterns[0] if patterns else None
    return compile_pattern("|".join(f"(?:{pattern.pattern})" for pattern in patterns), limit=False)


def read_claims(
    form: Form, source: Source, kinds: Mapping[str, KindSpec], reader: ReaderSpec
) -> Iterator[ClaimSpec]:
    """The `claims` of a reader. Records state what they state in fields; only Markdown claims in prose."""
    for node in form.nodes("claims"):
        if reader.format != "markdown":
            source.problem(node, f"a {reader.format} file makes no claims in prose", "declare fields instead")
            continue
        spec = _claim(node, source, kinds, reader)
        if spec is not None:
            yield spec


def _claim(node: Node, source: Source, kinds: Mapping[str, KindSpec], reader: ReaderSpec) -> ClaimSpec | None:
    form = source.form(node, "a claim", CLAIM_KEYS)
    if form is None:
        return None
    name = form.text("kind")
    if name not in kinds:
        source.problem(form.get("kind") or node, f"no kind `{name}`", suggest(name, kinds))
        return None
    ways = [way for way in _FORMS if form.get(way) is not None]
    if len(ways) != 1:
        source.problem(node, "a claim is made in one of pattern, label, row")
        return None
    pattern = _pattern(form, source)
    columns = form.texts("row")
    if pattern is None and not columns:
        return None
    words = [*columns] if columns else [*pattern.groupindex]
    subjects = _subjects(form, source, kinds, kinds[name], words)
    return ClaimSpec(
        kind=name,
        source=form.text("source", "declared"),
        pattern=pattern,
        lines=ways[0] == "label",
        columns=columns,
        blocks=frozenset({"row"} if columns else _words(form, "in", _BLOCKS, source) or _BLOCKS[:2]),
        documents=frozenset(_words(form, "documents", _document_kinds(reader), source)),
        under=read_pattern(form, "under", source),
        subjects=tuple(subject.casefold() if columns else subject for subject in subjects),
        times=_times(form, source, reader.times, words),
        fields=tuple(_fields(form, source, kinds[name], words)),
    )


def _document_kinds(reader: ReaderSpec) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(kind for kind, _ in reader.kinds), reader.name)))


def _words(form: Form, key: str, known: Iterable[str], source: Source) -> tuple[str, ...]:
    """The texts under `key`, each of which must be known."""
    known = tuple(known)
    for node in form.scalars(key):
        if node.text not in known:
            hint = suggest(node.text, known) or "known: " + ", ".join(known)
            source.problem(node, f"`{key}` knows no `{node.text}`", hint)
    return form.texts(key)


def _pattern(form: Form, source: Source) -> Any:
    """The pattern of a form, for many lines at once; the labels of a form are one pattern."""
    node = form.get("pattern")
    if isinstance(node, Scalar):
        if compile_node(node, source) is None:
            return None
        return compile_pattern(f"(?m)(?:{node.text})", limit=False)
    if node is not None:
        source.problem(node, "`pattern` is a pattern")
        return None
    labels = form.texts("label")
    if not labels:
        return None
    text = _LABEL.replace("{labels}", "|".join(re2.escape(label) for label in labels))
    return compile_pattern(text, limit=False)


def _subjects(
    form: Form, source: Source, kinds: Mapping[str, KindSpec], kind: KindSpec, words: list[str]
) -> tuple[str, ...]:
    """What a claim is about: ids that it names, the item or document around it, or a field of the document."""
    about = form.texts("subject") or ("id",)
    document = kinds.get("document")
    fields = document.fields if document is not None else {}
    for name in about:
        named = kind.name == "document" if name == "document" else name in (*_AROUND, *words)
        inherited = name in fields and fields[name] == FieldType("references", target=kind.name)
        if not named and not inherited:
            source.problem(
                form.get("subject") or form.node,
                f"a claim about `{kind.name}` has no subject `{name}`",
                "name a group or column of ids, `item`, `above`, `document`, or a field of the document that refers to "
                "them",
            )
        elif name in (*words, "above") and kind.ids is None:
            source.problem(form.node, f"kind `{kind.name}` has no `id` pattern to find its ids by")
    return about


def _times(form: Form, source: Source, times: TimeSpec, words: list[str]) -> tuple[str, ...]:
    """Where the time comes from; each source must be able to tell one."""
    able = {
        "group": "at" in words,
        "section": times.runs is not None,
        "document": times.runs is not None,
        "heading": times.headings is not None,
        "dates": bool(times.dates),
    }
    found = _words(form, "at", TIME_WORDS, source)
    for word in found:
        if not able.get(word, True):
            hint = "write `(?P<at>…)` in the pattern" if word == "group" else "say how under `times`"
            source.problem(form.get("at"), f"`{word}` tells no time here", hint)
    return found


def _fields(form: Form, source: Source, kind: KindSpec, words: list[str]) -> Iterator[ClaimField]:
    """What is claimed: single values only, because lists are stated where they are kept."""
    entries = form.entries("fields")
    if not entries:
        source.problem(form.node, "a claim lacks `fields`: what it says")
    for key, node in entries:
        declared = kind.fields.get(key.text)
        inner = source.form(node, f"field `{key.text}`", CLAIM_FIELD_KEYS)
        if declared is None:
            hint = suggest(key.text, kind.fields) or "fields stand in `pack.yaml`"
            source.problem(key, f"kind `{kind.name}` has no field `{key.text}`", hint)
        elif declared.many or declared.name in ("reference", "path"):
            source.problem(key, f"`{key.text}` refers or is a list; a claim gives single values")
        elif inner is not None:
            yield _field(key, inner, declared, source, words)


def _field(key: Scalar, form: Form, declared: FieldType, source: Source, words: list[str]) -> ClaimField:
    ways = [way for way in CLAIM_FIELD_KEYS if form.get(way) is not None]
    group, column, constant = (form.text(way, "") for way in CLAIM_FIELD_KEYS)
    if len(ways) != 1:
        source.problem(form.node, f"`{key.text}` is one of group, column, value")
    for name in filter(None, (group, column)):
        if name not in words:
            source.problem(form.node, f"the claim has no `{name}`", suggest(name, words))
    if constant:
        try:
            scalar(constant, declared)
        except ValueError as expected:
            source.problem(form.get("value"), f"`{constant}` is no value of `{key.text}`: {expected}")
    return ClaimField(key.text, declared, group, column, constant)
