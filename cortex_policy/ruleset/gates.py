"""Gates: `gates/*.yaml` become compiled, checked values.

A gate is a list of named conditions on one subject, in profiles of growing strictness. As with rules, whatever is wrong
with it is a problem of the pack, with file, line, caret and suggestion, and never a verdict. Source: `docs/gates.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from cortex_policy.documents.nodes import Mapping as NodeMapping
from cortex_policy.documents.nodes import Mark, Node, Scalar
from cortex_policy.errors import Problem
from cortex_policy.ruleset.checker import Environment
from cortex_policy.ruleset.forms import Form, Source, Written, suggest
from cortex_policy.ruleset.rules import read_condition, read_subject, texts_by_path
from cortex_policy.ruleset.syntax import Literal
from cortex_policy.ruleset.syntax import Node as Expression

GATE_KEYS: Final = "gate for profiles require examples".split()
DEMAND_KEYS: Final = "id profile that phase why source".split()
GATE_EXAMPLE_KEYS: Final = "name files expect".split()
GATE_EXPECT_KEYS: Final = "subject profile phase condition".split()
PHASES: Final = ("pre", "post")
"""`pre`: needed before anything is dispatched; `post`: needed before the subject counts as done."""
EXAMPLE_VERDICTS: Final[Mapping[str, str]] = {"pass": "allow", "fail": "deny", "blocked": "blocked"}
"""What the examples below each key must come to."""

_NOTHING: Final = Literal(False, 0, 0)
"""Stands for an expression that is none, in a gate that is never made."""
_NOWHERE: Final = Scalar("", True, Mark(1, 1))
"""The same, as written."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


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
    require = _require(form, source, world.with_variables({subject.variable: subject.element}), profiles)
    _complete(form, source, profiles, require)
    if len(source.problems) > before:
        return None
    return Gate(
        name=name,
        variable=subject.variable,
        collection_text=" ".join(form.text("for").split()),
        collection=subject.collection,
        collection_written=subject.written,
        profiles=profiles,
        require=require,
        pack=pack,
        path=source.path,
        line=form.node.mark.line,
        examples=partial(read_gate_examples, form.node, source.path, source.text),
    )


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
        subject=expect.text("subject"),
        profile=expect.word("profile", profiles, profiles[-1]),
        phase=expect.word("phase", PHASES, "pre"),
        condition=expect.word("condition", known) if decisive or expect.get("condition") else "",
        written=node.mark.line,
    )
