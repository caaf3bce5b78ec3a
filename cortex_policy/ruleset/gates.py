"""Gates: `gates/*.yaml` become compiled, checked values.

A gate is a list of named conditions on one subject, in profiles of growing strictness. As with rules, whatever is wrong
with it is a problem of the pack, with file, line, caret and suggestion, and never a verdict. Source: `docs/gates.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from cortex_policy.documents.nodes import Mapping as NodeMapping
from cortex_policy.documents.nodes import Mark, Node, Scalar
from cortex_policy.documents.values import FieldType, bare, scalar
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.model import SUPPLIED, Record
from cortex_policy.ruleset.checker import Environment, check
from cortex_policy.ruleset.forms import Form, Source, Written, suggest
from cortex_policy.ruleset.kinds import read_type
from cortex_policy.ruleset.parser import parse
from cortex_policy.ruleset.rules import read_condition, read_subject, static_type, texts_by_path
from cortex_policy.ruleset.syntax import DYN, Literal, SyntaxFault, record_of
from cortex_policy.ruleset.syntax import Node as Expression

GATE_KEYS: Final = "gate for inputs let profiles require examples".split()
INPUT_KEYS: Final = "type about".split()
DEMAND_KEYS: Final = "id profile that phase why source".split()
GATE_EXAMPLE_KEYS: Final = "name files set expect".split()
GATE_EXPECT_KEYS: Final = "subject profile phase condition".split()
PHASES: Final = ("pre", "post")
"""`pre`: needed before anything is dispatched; `post`: needed before the subject counts as done."""
EXAMPLE_VERDICTS: Final[Mapping[str, str]] = {"pass": "allow", "fail": "deny", "blocked": "blocked"}
"""What the examples below each key must come to."""

GIVEN: Final = "given"
"""What expressions call the facts that the caller supplies, and the kind of the record that holds them."""
INPUT_TYPES: Final = ("text", "bool", "int", "number", "date", "datetime", "duration", "list", "enum")
"""Types of supplied facts: those that can be written in one word of a command line."""

_NOTHING: Final = Literal(False, 0, 0)
"""Stands for an expression that is none, in a gate that is never made."""
_NOWHERE: Final = Scalar("", True, Mark(1, 1))
"""The same, as written."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_VARIABLE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class GateInput(NamedTuple):
    """A fact that no document can tell, such as a clean tree: whoever calls supplies it, or it is unknown."""

    name: str
    type: FieldType
    about: str


class Let(NamedTuple):
    """A value that conditions call by name; `text` is the expression as written."""

    name: str
    text: str
    tree: Expression


class Demand(NamedTuple):
    """One condition of a gate, `written` being the expression as its author wrote it."""

    id: str
    profile: str
    phase: str
    written: Written
    tree: Expression
    why: str
    source: tuple[str, ...]


class GateExample(NamedTuple):
    """A small repository that a gate is tried on: `verdict` is what `subject` must get, `condition` what decides, and
    `written` the line of the pack where it stands.
    """

    name: str
    verdict: str
    files: Mapping[str, str]
    given: Mapping[str, str]
    subject: str
    profile: str
    phase: str
    condition: str
    written: int


class GateExamples(NamedTuple):
    """The examples of one gate, and what is wrong with how they are written."""

    found: tuple[GateExample, ...]
    problems: tuple[Problem, ...]


class Gate(NamedTuple):
    """A gate, ready to be evaluated: for one `variable` out of `collection`, the demands of a profile must all hold."""

    name: str
    variable: str
    collection_text: str
    collection: Expression
    collection_written: Written
    inputs: tuple[GateInput, ...]
    lets: tuple[Let, ...]
    profiles: tuple[str, ...]
    require: tuple[Demand, ...]
    pack: str
    path: str
    line: int
    examples: Callable[[], GateExamples]
    """Reads the examples; only `cortex-policy test` needs them."""

    def demands(self, profile: str) -> tuple[Demand, ...]:
        """The conditions of `profile`: its own, and those of every profile before it."""
        included = self.profiles[: self.profiles.index(profile) + 1]
        return tuple(demand for demand in self.require if demand.profile in included)


def read_gate(node: Node, source: Source, pack: str, world: Environment) -> Gate | None:
    """One gate; None when it cannot be evaluated (its problems are recorded)."""
    form = source.form(node, "a gate", GATE_KEYS)
    if form is None:
        return None
    before = len(source.problems)
    name = form.text("gate")
    if name and not _NAME.fullmatch(name):
        source.problem(form.get("gate"), f"`{name}` is no name of a gate", "names look like `run-admission`")
    profiles = _profiles(form, source)
    subject = read_subject(form, source, world)
    if subject is None:
        return None
    inputs = _inputs(form, source)
    world = _with_given(world, inputs).with_variables({subject.variable: subject.element})
    lets, world = _lets(form, source, world)
    require = _require(form, source, world, profiles)
    _complete(form, source, profiles, require)
    if len(source.problems) > before:
        return None
    return Gate(
        name=name,
        variable=subject.variable,
        collection_text=" ".join(form.text("for").split()),
        collection=subject.collection,
        collection_written=subject.written,
        inputs=inputs,
        lets=lets,
        profiles=profiles,
        require=require,
        pack=pack,
        path=source.path,
        line=form.node.mark.line,
        examples=partial(read_gate_examples, form.node, source.path, source.text),
    )


def _inputs(form: Form, source: Source) -> tuple[GateInput, ...]:
    """The facts that the caller may supply, with their types."""
    found: list[GateInput] = []
    for key, node in form.entries("inputs"):
        entry = source.form(node, f"input `{key.text}`", INPUT_KEYS)
        if entry is None:
            continue
        if not _VARIABLE.fullmatch(key.text):
            source.problem(key, f"`{key.text}` is no name of an input", "names look like `target_clean`")
        declared = read_type(key, entry.get("type") or entry.node, (), source)
        if declared is not None and declared.name not in INPUT_TYPES:
            types = ", ".join(INPUT_TYPES)
            source.problem(entry.get("type"), f"nobody can supply a {declared.name}", f"types: {types}")
        elif declared is not None:
            found.append(GateInput(key.text, declared, " ".join(entry.text("about").split())))
    return tuple(found)


def _with_given(world: Environment, inputs: Sequence[GateInput]) -> Environment:
    """What conditions may name, with `given` and its fields."""
    fields = {each.name: static_type(each.type) for each in inputs}
    known = Environment({**world.kinds, GIVEN: fields}, world.functions, world.variables)
    return known.with_variables({GIVEN: record_of(GIVEN)})


def _lets(form: Form, source: Source, world: Environment) -> tuple[tuple[Let, ...], Environment]:
    """The named values in order; each may use those before it."""
    found: list[Let] = []
    for key, node in form.entries("let"):
        if not _VARIABLE.fullmatch(key.text) or key.text in world.variables:
            source.problem(
                key, f"`{key.text}` is no name for a value", "choose one that means nothing else yet"
            )
        if not isinstance(node, Scalar):
            source.problem(node, f"`{key.text}` is an expression")
            continue
        try:
            tree = parse(node.text)
            world = world.with_variables({key.text: check(tree, world)})
        except SyntaxFault as fault:
            source.fault(node, fault)
            world = world.with_variables({key.text: DYN})
            continue
        found.append(Let(key.text, " ".join(node.text.split()), tree))
    return tuple(found), world


def _profiles(form: Form, source: Source) -> tuple[str, ...]:
    names = form.scalars("profiles")
    if not names and form.get("profiles") is None:
        source.problem(form.node, "a gate lacks `profiles`", "such as `profiles: [own]`")
    for number, node in enumerate(names):
        if node.text in [other.text for other in names[:number]]:
            source.problem(node, f"profile `{node.text}` is named twice", "each includes those before it")
    return tuple(node.text for node in names)


def _require(form: Form, source: Source, world: Environment, profiles: Sequence[str]) -> tuple[Demand, ...]:
    found: list[Demand] = []
    for node in form.nodes("require"):
        demand = source.form(node, "a condition", DEMAND_KEYS)
        if demand is None:
            continue
        read = _demand(demand, source, world, profiles)
        if read.id and read.id in [other.id for other in found]:
            source.problem(demand.get("id"), f"condition `{read.id}` is there twice", "choose another id")
        found.append(read)
    return tuple(found)


def _demand(form: Form, source: Source, world: Environment, profiles: Sequence[str]) -> Demand:
    node = form.get("that")
    tree = read_condition(node, source, world) if isinstance(node, Scalar) else None
    if not isinstance(node, Scalar):
        source.problem(node or form.node, "a condition needs `that`: an expression")
    profile = form.text("profile")
    if profile and profile not in profiles:
        known = ", ".join(profiles)
        hint = suggest(profile, profiles) or f"profiles: {known}"
        source.problem(form.get("profile"), f"no profile `{profile}`", hint)
    return Demand(
        id=form.text("id"),
        profile=profile,
        phase=form.word("phase", PHASES),
        written=Written(node if isinstance(node, Scalar) else _NOWHERE, source.path, source.text),
        tree=tree if tree is not None else _NOTHING,
        why=" ".join(form.text("why").split()),
        source=form.texts("source"),
    )


def _complete(form: Form, source: Source, profiles: Sequence[str], require: Sequence[Demand]) -> None:
    """INVARIANT: nothing empty is ever true, so neither a gate nor a profile of it may ask nothing."""
    if not require:
        source.problem(
            form.get("require") or form.node,
            "a gate without conditions would always allow",
            "name one under `require`",
        )
        return
    asked = {demand.profile for demand in require}
    for node in form.scalars("profiles"):
        if node.text not in asked:
            source.problem(
                node, f"profile `{node.text}` has no condition", "give it one, or remove it from `profiles`"
            )


# --------------------------------------------------------------------------- supplied facts

NOTHING_GIVEN: Final = Record(kind=GIVEN, id=GIVEN, place=SUPPLIED, values={}, places={})
"""No supplied fact at all: each is unknown."""


def supplied(gate: Gate, values: Mapping[str, str]) -> Record:
    """The facts that the caller gives, typed as the gate declares them; what is not given has no value.

    Raises `ConfigurationError` for a fact that the gate does not ask for, and for a value of another type.
    """
    declared = {each.name: each.type for each in gate.inputs}
    found: dict[str, Any] = {}
    problems = []
    for name, text in values.items():
        if name not in declared:
            known = ", ".join(declared) or "none"
            hint = suggest(name, declared) or f"it asks for: {known}"
            problems.append(Problem(message=f"gate `{gate.name}` asks for no `{name}`", hint=hint))
            continue
        try:
            found[name] = _supplied_value(text, declared[name])
        except ValueError as expected:
            shown = " ".join(text.split())[:80]
            problems.append(Problem(message=f"`{name}` is `{shown}`, expected {expected}"))
    if problems:
        raise ConfigurationError(tuple(problems))
    return Record(
        kind=GIVEN, id=GIVEN, place=SUPPLIED, values=found, places=dict.fromkeys(found, (SUPPLIED,))
    )


def _supplied_value(text: str, declared: FieldType) -> Any:
    """A value as the command line writes it; a list is separated by commas. Raises `ValueError`."""
    if declared.name != "list":
        if not text.strip():
            raise ValueError("a value")
        return scalar(text, declared)
    return tuple(bare(part) for part in text.split(",") if part.strip())


# --------------------------------------------------------------------------- examples


def read_gate_examples(gate: NodeMapping, path: str, text: str) -> GateExamples:
    """The examples of a gate that stands in the file at `path`."""
    problems: list[Problem] = []
    source = Source(path, text, problems)
    node = gate.get("examples")
    outer = source.form(node, "examples", tuple(EXAMPLE_VERDICTS)) if node is not None else None
    if outer is None:
        return GateExamples((), tuple(problems))
    form = Form(source, gate, "a gate", GATE_KEYS)
    found = [
        example
        for key in EXAMPLE_VERDICTS
        for number, entry in enumerate(outer.nodes(key), start=1)
        if (example := _example(entry, key, number, source, form)) is not None
    ]
    return GateExamples(tuple(found), tuple(problems))


def _example(node: Node, key: str, number: int, source: Source, gate: Form) -> GateExample | None:
    form = source.form(node, "an example", GATE_EXAMPLE_KEYS)
    if form is None:
        return None
    files = texts_by_path(form, "files")
    if not files:
        source.problem(node, "an example has `files`: a mapping of paths to texts")
    if form.get("expect") is None:
        source.problem(node, "an example has `expect`: the subject, and what decides")
        return None
    expect = source.form(form.get("expect"), "`expect`", GATE_EXPECT_KEYS)
    if expect is None:
        return None
    profiles = gate.texts("profiles")
    ids = [entry.get("id") for entry in gate.nodes("require") if isinstance(entry, NodeMapping)]
    known = [entry.text for entry in ids if isinstance(entry, Scalar)]
    decisive = key != "pass"
    return GateExample(
        name=form.text("name", f"{key} {number}"),
        verdict=key,
        files=files,
        given=texts_by_path(form, "set", "supplied fact"),
        subject=expect.text("subject"),
        profile=expect.word("profile", profiles, profiles[-1]),
        phase=expect.word("phase", PHASES, "pre"),
        condition=expect.word("condition", known) if decisive or expect.get("condition") else "",
        written=node.mark.line,
    )
