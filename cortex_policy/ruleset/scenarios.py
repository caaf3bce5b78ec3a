"""Scenarios: `scenarios/*.yaml` become checked values: documents, and what rules and gates must say of them.

Only `cortex-policy test` reads them. As everywhere in a pack, whatever is wrong with one is a problem with its place.
Source: `docs/testing-rules.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from cortex_policy.documents.faults import FAULTS
from cortex_policy.documents.nodes import Node, Scalar
from cortex_policy.documents.nodes import Sequence as NodeSequence
from cortex_policy.documents.patterns import PatternError, compile_glob
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.ruleset.forms import Form, Source, suggest
from cortex_policy.ruleset.gates import PHASES, Gate, supplied
from cortex_policy.ruleset.packs import Ruleset, ScenarioFile
from cortex_policy.ruleset.rules import texts_by_path

SCENARIO_KEYS: Final = "scenario now documents before truncated rules vacuous expect".split()
EXPECT_KEYS: Final = "findings gates".split()
FINDING_KEYS: Final = "rule subjects condition outcome path line text".split()
GATE_KEYS: Final = "gate subject profile phase set verdict because reason".split()
BECAUSE_KEYS: Final = "condition outcome facts missing".split()
FACT_KEYS: Final = "name value path line text".split()
VERDICTS: Final[Mapping[str, str]] = {"allow": "true", "deny": "false", "blocked": "unknown"}
"""What a gate says, and the outcome of the conditions that make it say so."""
OUTCOMES: Final = ("true", "false", "unknown", "error")
BEFORE: Final = "before:"
"""What the paths of places at the base start with."""


class ExpectedFinding(NamedTuple):
    """A finding that must come. What is empty, or 0, is not asked for; `written` is the line of the scenario."""

    rule: str
    subject: str = ""
    condition: str = ""
    outcome: str = ""
    path: str = ""
    line: int = 0
    text: str = ""
    written: int = 0


class ExpectedFact(NamedTuple):
    """A fact that must have decided. `value` None is not asked for; what is empty, or 0, neither."""

    name: str
    value: str | tuple[str, ...] | None = None
    path: str = ""
    line: int = 0
    text: str = ""


class ExpectedCondition(NamedTuple):
    """What one condition of a gate must come to, and from which facts; an empty outcome is not asked for."""

    id: str
    outcome: str = ""
    facts: tuple[ExpectedFact, ...] = ()
    missing: tuple[str, ...] = ()


class ExpectedVerdict(NamedTuple):
    """What a gate must say of one subject. `exact`: no condition may decide but those in `because`; `given` are the
    facts that the caller supplies.
    """

    gate: str
    subject: str
    profile: str
    phase: str
    verdict: str
    because: tuple[ExpectedCondition, ...] = ()
    reason: str = ""
    exact: bool = True
    written: int = 0
    given: Mapping[str, str] = MappingProxyType({})


class Scenario(NamedTuple):
    """Documents, and what must be said of them.

    `rules` are the codes that are asked, `named` whether the scenario chose them, `vacuous` that some of them are meant
    to apply to nothing; `findings` None: no rule is asked.
    `before` are the documents that a change began with, `truncated` globs of what lies partly out of sight; `now` None
    is the time of the call.
    """

    name: str
    pack: str
    path: str
    line: int
    documents: Mapping[str, str]
    before: Mapping[str, str] | None
    truncated: tuple[str, ...]
    now: datetime | None
    rules: tuple[str, ...]
    named: bool
    vacuous: bool
    findings: tuple[ExpectedFinding, ...] | None
    gates: tuple[ExpectedVerdict, ...]


class Scenarios(NamedTuple):
    """Every scenario of the packs, and what is wrong with how they are written."""

    found: tuple[Scenario, ...]
    problems: tuple[Problem, ...]


def read_scenarios(ruleset: Ruleset) -> Scenarios:
    """The scenarios of every pack of `ruleset`."""
    problems: list[Problem] = []
    found: list[Scenario] = []
    for file in ruleset.scenarios:
        source = Source(file.path, file.text, problems)
        reader = _Reader(source, file, ruleset)
        for node in _nodes(source):
            scenario = reader.scenario(node)
            found += () if scenario is None else (scenario,)
    return Scenarios(tuple(found), tuple(problems))


def _nodes(source: Source) -> Sequence[Node]:
    """A file holds one scenario, or a list of them. INVARIANT: one that holds none is a mistake, and not a pass."""
    node = source.load()
    nodes = node.items if isinstance(node, NodeSequence) else [] if node is None else [node]
    if node is not None and not nodes:
        source.problem(
            node, "no scenario in this file", "a scenario has `scenario`, `documents` and `expect`"
        )
    return nodes


class _Reader:
    """Reads the scenarios of one file."""

    def __init__(self, source: Source, file: ScenarioFile, ruleset: Ruleset) -> None:
        self.source = source
        self.file = file
        self.gates = {gate.name: gate for gate in ruleset.gates}
        faults = {kind.id: ("readable",) for kind in FAULTS.values()}
        conditions = {r.info.id: ("for", "when", *(c.id for c in r.require)) for r in ruleset.rules}
        self.conditions: Mapping[str, tuple[str, ...]] = {**conditions, **faults}
        self.own = (*(code for code in file.rules if code in conditions), *faults)
        self.lines: dict[str, int] = {}

    def scenario(self, node: Node) -> Scenario | None:
        """One scenario; None when it has problems, which are recorded."""
        already = len(self.source.problems)
        form = self.source.form(node, "a scenario", SCENARIO_KEYS)
        if form is None:
            return None
        documents = texts_by_path(form, "documents")
        if not documents:
            hint = "a scenario has `documents`: a mapping of paths to texts"
            self.source.problem(
                form.get("documents") or node, "a scenario without documents says nothing", hint
            )
        before = texts_by_path(form, "before") if form.get("before") is not None else None
        self.lines = {path: text.count("\n") + 1 for path, text in documents.items()}
        self.lines |= {f"{BEFORE}{path}": text.count("\n") + 1 for path, text in (before or {}).items()}
        rules = tuple(self._known(each, "rule", self.conditions) for each in form.scalars("rules"))
        findings, gates = self._expect(form, rules)
        scenario = Scenario(
            name=form.text("scenario"),
            pack=self.file.pack,
            path=self.source.path,
            line=node.mark.line,
            documents=documents,
            before=before,
            truncated=tuple(self._glob(scalar) for scalar in form.scalars("truncated")),
            now=self._now(form),
            rules=rules or self.own,
            named=bool(rules),
            vacuous=form.flag("vacuous", False),
            findings=findings,
            gates=gates,
        )
        return scenario if len(self.source.problems) == already else None

    def _glob(self, scalar: Scalar) -> str:
        try:
            compile_glob(scalar.text)
        except PatternError as error:
            self.source.problem(scalar, f"`{scalar.text}` cannot be used: {error}")
        return scalar.text

    def _now(self, form: Form) -> datetime | None:
        written = form.text("now", "")
        if not written:
            return None
        try:
            value = datetime.fromisoformat(written)
        except ValueError:
            self.source.problem(form.get("now"), f"`{written}` is no time", "such as 2026-01-31T12:00:00Z")
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)

    def _expect(
        self, form: Form, rules: Sequence[str]
    ) -> tuple[tuple[ExpectedFinding, ...] | None, tuple[ExpectedVerdict, ...]]:
        """INVARIANT: a scenario that expects nothing is a mistake; `findings: []` expects that nothing is found."""
        node = form.get("expect")
        expect = None if node is None else self.source.form(node, "`expect`", EXPECT_KEYS)
        if expect is None or (expect.get("findings") is None and not list(expect.nodes("gates"))):
            hint = "`findings` (`[]` for none) or `gates`"
            self.source.problem(node or form.node, "a scenario expects something", hint)
            return None, ()
        if rules and expect.get("findings") is None:
            self.source.problem(
                form.get("rules"), "`rules` without `findings` asks nothing", "add `findings`"
            )
        found = tuple(each for entry in expect.nodes("findings") for each in self._finding(entry, rules))
        gates = (self._verdict(entry) for entry in expect.nodes("gates"))
        told = tuple(each for each in gates if each is not None)
        return (None if expect.get("findings") is None else found), told

    def _known(self, scalar: Scalar | None, what: str, known: Mapping[str, object] | Sequence[str]) -> str:
        """The text of a scalar that must be one of `known`; what is not there is reported elsewhere."""
        if scalar is None:
            return ""
        if scalar.text not in known:
            names = sorted(known)
            hint = suggest(scalar.text, names) or f"{what}s: " + ", ".join(names[:12])
            self.source.problem(scalar, f"no {what} `{scalar.text}`", hint)
        return scalar.text

    def _named(self, form: Form, key: str, known: Mapping[str, object] | Sequence[str]) -> str:
        """A needed text out of `known`."""
        form.text(key)
        node = form.get(key)
        return self._known(node if isinstance(node, Scalar) else None, key, known)

    def _finding(self, node: Node, rules: Sequence[str]) -> Iterator[ExpectedFinding]:
        """One entry, as one expectation for each of its subjects."""
        form = self.source.form(node, "a finding", FINDING_KEYS)
        if form is None:
            return
        code = self._named(form, "rule", self.conditions)
        if rules and code in self.conditions and code not in rules:
            hint = "add it there, or leave `rules` out"
            self.source.problem(form.get("rule"), f"`{code}` is not among the `rules` of the scenario", hint)
        condition = form.text("condition", "")
        if condition and code in self.conditions:
            self._named(form, "condition", self.conditions[code])
        path, line = self._place(form)
        for subject in form.texts("subjects") or ("",):
            yield ExpectedFinding(
                rule=code,
                subject=subject,
                condition=condition,
                outcome=form.word("outcome", OUTCOMES[1:], "false"),
                path=path,
                line=line,
                text=form.text("text", ""),
                written=node.mark.line,
            )

    def _place(self, form: Form) -> tuple[str, int]:
        """Path and line, which must be there in the documents: what nobody can find proves nothing."""
        path = form.text("path", "")
        if path and path not in self.lines:
            hint = suggest(path, self.lines) or "documents: " + ", ".join(sorted(self.lines))
            self.source.problem(form.get("path"), f"no document `{path}` in this scenario", hint)
        written = form.text("line", "")
        if not written:
            return path, 0
        if not written.isascii() or not written.isdigit() or written.strip("0") == "":
            self.source.problem(form.get("line"), f"`{written}` is no line", "lines count from 1")
            return path, 0
        most = self.lines.get(path, max(self.lines.values(), default=0))
        if int(written) > most:
            where = f"`{path}` has" if path in self.lines else "no document has more than"
            self.source.problem(form.get("line"), f"there is no line {written}", f"{where} {most} lines")
        return path, int(written)

    def _verdict(self, node: Node) -> ExpectedVerdict | None:
        form = self.source.form(node, "a verdict", GATE_KEYS)
        if form is None:
            return None
        gate = self.gates.get(self._named(form, "gate", self.gates))
        profiles = gate.profiles if gate is not None else ()
        verdict = form.word("verdict", tuple(VERDICTS))
        because = tuple(self._because(entry, gate, verdict) for entry in form.nodes("because"))
        reason = form.text("reason", "")
        if verdict not in ("", "allow") and not because and not reason:
            # INVARIANT: a refusal counts only for the reason that is named, never for another.
            self.source.problem(form.node, f"`{verdict}` needs `because`: the conditions that decide", _WHY)
        return ExpectedVerdict(
            gate=gate.name if gate is not None else "",
            subject=form.text("subject"),
            profile=self._named(form, "profile", profiles) if form.get("profile") else "".join(profiles[-1:]),
            phase=form.word("phase", PHASES, "pre"),
            verdict=verdict,
            because=tuple(each for each in because if each is not None),
            reason=reason,
            written=node.mark.line,
            given=self._given(form, gate),
        )

    def _given(self, form: Form, gate: Gate | None) -> Mapping[str, str]:
        """The supplied facts, each one that the gate asks for."""
        given = texts_by_path(form, "set", "supplied fact")
        if gate is not None:
            try:
                supplied(gate, given)
            except ConfigurationError as error:
                for problem in error.problems:
                    self.source.problem(form.get("set"), problem.message, problem.hint)
        return given

    def _because(self, node: Node, gate: Gate | None, verdict: str) -> ExpectedCondition | None:
        form = self.source.form(node, "a condition", BECAUSE_KEYS)
        if form is None:
            return None
        known = [demand.id for demand in gate.require] if gate is not None else []
        facts = (self._fact(entry) for entry in form.nodes("facts"))
        return ExpectedCondition(
            id=self._named(form, "condition", known) if gate is not None else "",
            outcome=form.word("outcome", OUTCOMES, VERDICTS.get(verdict, "true")),
            facts=tuple(fact for fact in facts if fact is not None),
            missing=form.texts("missing"),
        )

    def _fact(self, node: Node) -> ExpectedFact | None:
        form = self.source.form(node, "a fact", FACT_KEYS)
        if form is None:
            return None
        path, line = self._place(form)
        return ExpectedFact(
            name=form.text("name"),
            value=_value(form),
            path=path,
            line=line,
            text=form.text("text", ""),
        )


_WHY: Final = "such as `because: [{condition: blockers}]`; or `reason`, where there is nothing to decide on"


def _value(form: Form) -> str | tuple[str, ...] | None:
    """A text, or a list of them, which may be empty."""
    node = form.get("value")
    if isinstance(node, NodeSequence):
        return form.texts("value") if node.items else ()
    return None if node is None else form.text("value")
