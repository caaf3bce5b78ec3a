"""Rules: `rules/*.yaml` become compiled, checked values.

An expression is parsed and checked once, when its rule loads; whatever is wrong with it is a problem of the pack, with
file, line, caret and suggestion, and never a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from cortex_policy.documents.nodes import Mapping as NodeMapping
from cortex_policy.documents.nodes import Node, Scalar
from cortex_policy.documents.values import FieldType
from cortex_policy.errors import Problem
from cortex_policy.model import RuleInfo, Severity
from cortex_policy.ruleset.checker import Environment, Signature, check, check_bool
from cortex_policy.ruleset.forms import Form, Source, Written, suggest
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.syntax import (
    BOOL,
    DATE,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    RECORD,
    STRING,
    TIMESTAMP,
    SyntaxFault,
    Type,
    enum_of,
    list_of,
    record_of,
)
from cortex_policy.ruleset.syntax import (
    Node as Expression,
)
from cortex_policy.ruleset.template import Template, parse_template

RULE_KEYS: Final = "id name on for when require unknown severity message why source since examples".split()
EXAMPLE_KEYS: Final = "name before files vacuous expect".split()
EXPECT_KEYS: Final = "subjects line path outcome condition".split()
_ID: Final = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*-\d{3}")
_FOR: Final = re.compile(r"\s*([a-z_][A-Za-z0-9_]*)\s+in\s+")


class Condition(NamedTuple):
    """One named demand of a rule: its text, its tree, the message for it, and the expression as written."""

    id: str
    text: str
    tree: Expression
    message: Template
    written: Written


class Subject(NamedTuple):
    """What `for` says: a variable, the collection that it runs over, its members, and the expression as written."""

    variable: str
    collection: Expression
    element: Type
    written: Written


class Example(NamedTuple):
    """A small repository that a rule is tried on.

    `files` maps paths to texts, `before` those that a change began with; `verdict` is `pass` or `fail`; `vacuous` says
    that a passing example has no subject on purpose; `written` is the line of the pack where it stands; the rest is
    what a failing example must show, each part empty when it is not asked for.
    """

    name: str
    verdict: str
    files: Mapping[str, str]
    vacuous: bool = False
    subjects: tuple[str, ...] = ()
    line: int = 0
    path: str = ""
    outcome: str = ""
    condition: str = ""
    before: Mapping[str, str] | None = None
    written: int = 0


NOTHING_NEVER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


class Examples(NamedTuple):
    """The examples of one rule, what is wrong with them, and the outcomes that its conditions never have."""

    found: tuple[Example, ...]
    problems: tuple[Problem, ...]
    never: Mapping[str, tuple[str, ...]] = NOTHING_NEVER


class Rule(NamedTuple):
    """A rule, ready to be evaluated: for every `variable` in `collection`, when `when` holds, all of `require` must.

    `since` names a date field and the day from which the rule binds; `report_unknown` says whether a subject that
    cannot be decided is a finding; `on_change` that the rule judges a change, and needs a base to compare with.
    """

    info: RuleInfo
    variable: str
    collection_text: str
    collection: Expression
    when_text: str
    when: Expression | None
    require: tuple[Condition, ...]
    report_unknown: bool
    since: tuple[str, date] | None
    path: str
    line: int
    examples: Callable[[], Examples]
    """Reads the examples; `check` never needs them, and they are most of a pack's text."""
    collection_written: Written
    when_written: Written | None
    on_change: bool = False


HOST_SIGNATURES: Final[Mapping[str, Signature]] = {
    "items": Signature((STRING,), list_of(DYN), result_of_kind=True),
    "mentioned": Signature((STRING,), list_of(DYN), result_of_kind=True),
    "gaps": Signature((STRING,), list_of(DYN), result_of_kind=True),
    "item": Signature((STRING,), DYN),
    "in_cycle": Signature((RECORD, STRING), BOOL),
    "reach": Signature((RECORD, STRING), list_of(DYN)),
    "claims": Signature((RECORD,), list_of(record_of("claim"))),
    "status_at": Signature((RECORD, TIMESTAMP), DYN),
}
"""The functions that answer from the documents (`facts.Facts.functions`); see `docs/expressions.md`."""


CHANGE_SIGNATURES: Final[Mapping[str, Signature]] = {
    "old": Signature((RECORD,), DYN, follows="argument"),
    "ever": Signature((STRING,), list_of(DYN), result_of_kind=True),
}
"""The functions that answer from the base too; only a rule `on: change` may call them."""


INJECTED: Final[Mapping[str, Type]] = {"now": TIMESTAMP, "today": DATE}
"""Variables that every expression may read: the one reading of the clock."""


def environment(fields: Mapping[str, Mapping[str, FieldType]]) -> Environment:
    """What expressions may name: the kinds with their fields, and every function."""
    kinds = {
        kind: {name: static_type(declared) for name, declared in named.items()}
        for kind, named in fields.items()
    }
    return Environment(kinds=kinds, functions=HOST_SIGNATURES, variables=INJECTED)


_STATIC: Final[Mapping[str, Type]] = {
    "text": STRING,
    "bool": BOOL,
    "int": INT,
    "number": DOUBLE,
    "percent": DOUBLE,
    "date": DATE,
    "datetime": TIMESTAMP,
    "duration": DURATION,
    "list": list_of(STRING),
    "checklist": list_of(record_of("box")),
    "path": record_of("document"),
}


def static_type(declared: FieldType) -> Type:
    """The type that expressions see of a declared field."""
    if declared.name == "enum":
        return enum_of(frozenset(declared.words))
    if declared.name == "reference":
        return record_of(declared.target) if declared.target else DYN
    if declared.name == "references":
        return list_of(record_of(declared.target) if declared.target else DYN)
    return _STATIC[declared.name]


def read_rule(node: Node, source: Source, pack: str, world: Environment) -> Rule | None:
    """One rule; None when it cannot be evaluated (its problems are recorded)."""
    form = source.form(node, "a rule", RULE_KEYS)
    if form is None:
        return None
    before = len(source.problems)
    code = form.text("id")
    if code and not _ID.fullmatch(code):
        source.problem(form.get("id"), f"`{code}` is no rule code", "codes look like `ABC-XYZ-001`")
    on_change = form.word("on", ("change",), "") == "change"
    if on_change:
        world = world.with_functions(CHANGE_SIGNATURES)
    subject = read_subject(form, source, world)
    if subject is None:
        return None
    inner = world.with_variables({subject.variable: subject.element})
    when_node = form.get("when")
    when = read_condition(when_node, source, inner) if isinstance(when_node, Scalar) else None
    if when_node is not None and not isinstance(when_node, Scalar):
        source.problem(when_node, "`when` is an expression")
    require = _require(form, source, inner)
    info = RuleInfo(
        id=code,
        name=form.text("name"),
        severity=Severity(form.word("severity", ("error", "warning", "info")) or "error"),
        why=" ".join(form.text("why").split()),
        source=form.texts("source"),
        message=_first_message(form),
        pack=pack,
    )
    unknown = form.word("unknown", ("report", "ignore"), "report")
    since = _since(form, source, world, subject.element)
    if len(source.problems) > before:
        return None
    return Rule(
        info=info,
        variable=subject.variable,
        collection_text=form.text("for"),
        collection=subject.collection,
        when_text=form.text("when", ""),
        when=when,
        require=require,
        report_unknown=unknown == "report",
        since=since,
        path=source.path,
        line=form.node.mark.line,
        examples=partial(read_examples, form.node, source.path, source.text),
        collection_written=subject.written,
        when_written=Written(when_node, source.path, source.text) if isinstance(when_node, Scalar) else None,
        on_change=on_change,
    )


def read_subject(form: Form, source: Source, world: Environment) -> Subject | None:
    """`i in items("work_item")`: the variable, the collection, and what its members are."""
    node = form.get("for")
    if not isinstance(node, Scalar):
        source.problem(form.node, f"{form.what} lacks `for`", 'such as `for: i in items("work_item")`')
        return None
    head = _FOR.match(node.text)
    if head is None:
        source.problem(node, "`for` names a variable and a collection", 'such as `i in items("work_item")`')
        return None
    try:
        tree = parse(node.text[head.end() :])
        kind = check(tree, world)
    except SyntaxFault as fault:
        source.fault(node, fault, head.end())
        return None
    if kind.name not in ("list", "dyn"):
        source.problem(node, f"`for` runs over a list, and this is {kind}")
        return None
    return Subject(head[1], tree, kind.element or DYN, Written(node, source.path, source.text, head.end()))


def read_condition(node: Scalar, source: Source, world: Environment) -> Expression | None:
    """An expression that is true or false; None (and a problem) when it is none."""
    try:
        tree = parse(node.text)
        check_bool(tree, world)
    except SyntaxFault as fault:
        source.fault(node, fault)
        return None
    return tree


def _require(form: Form, source: Source, world: Environment) -> tuple[Condition, ...]:
    entries = form.entries("require")
    if not entries:
        source.problem(
            form.get("require") or form.node,
            "a rule without conditions would always pass",
            "name one under `require`",
        )
    found = []
    for key, node in entries:
        message = _message(form, key, source, world, node)
        if not isinstance(node, Scalar):
            source.problem(node, f"condition `{key.text}` is an expression")
            continue
        tree = read_condition(node, source, world)
        if tree is not None and message is not None:
            written = Written(node, source.path, source.text)
            found.append(Condition(key.text, " ".join(node.text.split()), tree, message, written))
    return tuple(found)


def _message(
    form: Form, condition: Scalar, source: Source, world: Environment, node: Node
) -> Template | None:
    """The message of one condition: `message` is a text for all of them, or a mapping by condition."""
    written = form.get("message")
    if isinstance(written, NodeMapping):
        written = written.get(condition.text)
    if not isinstance(written, Scalar) or not written.text:
        source.problem(form.get("message") or form.node, f"no message for condition `{condition.text}`")
        return None
    try:
        template = parse_template(written.text)
        for tree in template.expressions:
            check(tree, _with_macros(world, node))
    except SyntaxFault as fault:
        source.fault(written, fault)
        return None
    return template


def _with_macros(world: Environment, node: Node) -> Environment:
    """A message may name the variables of its condition's macros: those are the members that decided."""
    names = (
        re.findall(r"\b(?:all|exists|exists_one)\(\s*([a-z_]\w*)\s*,", node.text)
        if isinstance(node, Scalar)
        else []
    )
    return world.with_variables({name: DYN for name in names if name not in world.variables})


def _first_message(form: Form) -> str:
    written = form.get("message")
    if isinstance(written, NodeMapping):
        texts = [value.text for _, value in written.entries if isinstance(value, Scalar)]
        return texts[0] if texts else ""
    return written.text if isinstance(written, Scalar) else ""


def _since(form: Form, source: Source, world: Environment, element: Type) -> tuple[str, date] | None:
    entries = form.entries("since")
    if not entries:
        return None
    if len(entries) > 1:
        source.problem(entries[1][0], "`since` names one date field")
    key, node = entries[0]
    known = {**world.kinds.get(element.name, {}), **world.kinds.get("document", {})}
    if key.text not in known:
        source.problem(key, f"no date field `{key.text}`", suggest(key.text, known))
        return None
    try:
        return key.text, date.fromisoformat(node.text if isinstance(node, Scalar) else "")
    except ValueError:
        source.problem(node, f"`{key.text}` is a date `YYYY-MM-DD`")
        return None


# --------------------------------------------------------------------------- examples


def read_examples(rule: NodeMapping, path: str, text: str) -> Examples:
    """The examples of a rule that stands in the file at `path`."""
    problems: list[Problem] = []
    source = Source(path, text, problems)
    node, on = rule.get("examples"), rule.get("on")
    on_change = isinstance(on, Scalar) and on.text == "change"
    outer = source.form(node, "examples", ("pass", "fail", "never")) if node is not None else None
    found = []
    if outer is None:
        return Examples((), tuple(problems))
    for verdict in ("pass", "fail"):
        for number, entry in enumerate(outer.nodes(verdict), start=1):
            example = _example(entry, verdict, number, source, on_change)
            if example is not None:
                found.append(example)
    never = _never(outer, rule, source)
    return Examples(tuple(found), tuple(problems), never)


def _never(examples: Form, rule: NodeMapping, source: Source) -> dict[str, tuple[str, ...]]:
    """Condition, and outcomes that it cannot have; `test` fails when it sees one of them all the same."""
    require = rule.get("require")
    known = [key.text for key, _ in require.entries] if isinstance(require, NodeMapping) else []
    node = examples.get("never")
    form = None if node is None else source.form(node, "`never`", known)
    found = {} if form is None else {key: form.scalars(key) for key in known if form.get(key) is not None}
    for scalar in (scalar for scalars in found.values() for scalar in scalars):
        if scalar.text not in _SEEN:
            hint = suggest(scalar.text, _SEEN)
            source.problem(scalar, f"`{scalar.text}` is not one of {', '.join(_SEEN)}", hint)
    return {key: tuple(scalar.text for scalar in scalars) for key, scalars in found.items()}


_SEEN: Final = ("true", "false", "unknown")


def texts_by_path(form: Form, key: str, what: str = "document") -> dict[str, str]:
    """The documents under `key`, or whatever else has a name and a text: a mapping of paths to texts."""
    entries = form.entries(key)
    for name, value in entries:
        if not isinstance(value, Scalar):
            form.source.problem(value, f"{what} `{name.text}` is a text", "write it behind `|`")
    return {name.text: value.text for name, value in entries if isinstance(value, Scalar)}


def _example(node: Node, verdict: str, number: int, source: Source, on_change: bool) -> Example | None:
    form = source.form(node, "an example", EXAMPLE_KEYS)
    if form is None:
        return None
    files = texts_by_path(form, "files")
    if not files:
        source.problem(node, "an example has `files`: a mapping of paths to texts")
    if (form.get("before") is not None) != on_change:
        source.problem(
            node,
            "an example of a rule `on: change` has `before`, and no other has",
            "`before` maps paths to the texts that the change began with; `{}` for none",
        )
    expect = (
        source.form(form.get("expect"), "`expect`", EXPECT_KEYS) if form.get("expect") is not None else None
    )
    return Example(
        name=form.text("name", f"{verdict} {number}"),
        verdict=verdict,
        files=files,
        vacuous=form.flag("vacuous", False),
        subjects=expect.texts("subjects") if expect else (),
        line=int(expect.text("line", "0")) if expect and expect.text("line", "0").isdigit() else 0,
        path=expect.text("path", "") if expect else "",
        outcome=expect.word("outcome", ("false", "unknown", "error"), "false") if expect else "false",
        condition=expect.text("condition", "") if expect else "",
        before=texts_by_path(form, "before") if on_change else None,
        written=node.mark.line,
    )
