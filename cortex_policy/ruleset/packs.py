"""A pack: kinds, readers, rules and schemas of one house of documents, loaded and checked as a whole.

Files come as texts (whoever calls has read them); the result is values. Several packs are joined into one `Ruleset`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar

from cortex_policy.documents.nodes import Node, Scalar
from cortex_policy.documents.nodes import Sequence as NodeSequence
from cortex_policy.documents.spec import DocumentModel, KindSpec, ReaderSpec
from cortex_policy.errors import ConfigurationError, Problem
from cortex_policy.facts.kinds import BUILTIN_KINDS, ITEM_FIELDS, kind_fields
from cortex_policy.ruleset.checker import Environment
from cortex_policy.ruleset.forms import Form, Source
from cortex_policy.ruleset.gates import Gate, read_gate
from cortex_policy.ruleset.kinds import Schemas, read_kinds, read_reader
from cortex_policy.ruleset.rules import Rule, environment, read_rule

PACK_KEYS: Final = ("pack", "about", "precedence", "kinds")


class PackFiles(NamedTuple):
    """A pack as read: `origin` is how its path is shown, `files` maps paths inside the pack to texts.

    `schemas` are all that its readers may name; those in `shipped` came with this installation, whose tests have
    checked them against the metaschema already (10 ms that every command would pay).
    """

    name: str
    origin: str
    files: Mapping[str, str]
    schemas: Mapping[str, str]
    shipped: frozenset[str] = frozenset()
    tested: bool = False
    """It came with this installation, whose tests have read all of it: a command that needs neither its gates nor its
    examples need not (130 ms)."""


class ScenarioFile(NamedTuple):
    """A file under `scenarios/` of a pack, with its path as it is shown; `rules` are the codes of the pack's rules."""

    pack: str
    path: str
    text: str
    rules: tuple[str, ...]


class Ruleset(NamedTuple):
    """Everything the packs say, checked: the document model, the rules in order of code, and their digest."""

    model: DocumentModel
    rules: tuple[Rule, ...]
    digest: str
    packs: tuple[str, ...]
    gates: tuple[Gate, ...] = ()
    scenarios: tuple[ScenarioFile, ...] = ()
    """As texts: only `cortex-policy test` reads them."""


def load(packs: Sequence[PackFiles], *, whole: bool = True) -> Ruleset:
    """Load and check packs; unless `whole`, the gates of tested packs and the examples of their rules are left out.

    Raises `ConfigurationError` with every problem found.
    """
    problems: list[Problem] = []
    loaded = [_Loading(pack, problems, whole=whole or not pack.tested) for pack in packs]
    for pack in loaded:
        pack.read_model()
    model = _join(loaded, problems)
    world = environment(kind_fields(model))
    rules: list[Rule] = []
    for pack in loaded:
        rules += pack.read_rules(world)
    found = [gate for pack in loaded if pack.whole for gate in pack.read_gates(world)]
    taken, again = (
        "code `{name}` is taken by the rule at {place}",
        "gate `{name}` is declared at {place} already",
    )
    _unique(rules, lambda rule: rule.info.id, taken, "codes are never reused: choose another", problems)
    _unique(found, lambda gate: gate.name, again, "choose another name", problems)
    if not problems and not rules:
        names = ", ".join(f"`{pack.name}`" for pack in packs)
        problems.append(
            Problem(
                message=f"no rule in pack {names}: nothing could ever be found",
                hint="add files under `rules/`",
            )
        )
    if problems:
        raise ConfigurationError(tuple(sorted(problems, key=lambda p: (p.path, p.line, p.column))))
    return Ruleset(
        model=model,
        rules=tuple(sorted(rules, key=lambda rule: rule.info.id)),
        digest=_digest(packs),
        packs=tuple(pack.name for pack in packs),
        gates=tuple(sorted(found, key=lambda gate: gate.name)),
        scenarios=tuple(file for pack in packs for file in _scenarios(pack, rules)),
    )


_EXAMPLES: Final = re.compile(r"^( *)examples:[^\n]*\n(?:(?:\1 [^\n]*)?\n)*", re.MULTILINE)


def without_examples(text: str) -> str:
    """The same rules on the same lines, with nothing below `examples`."""
    return _EXAMPLES.sub(lambda found: "\n" * found.group().count("\n"), text)


def _ranks(form: Form, source: Source) -> list[list[Scalar]]:
    """The sources of each rank of `precedence`; a list within the list is one rank."""
    node = form.get("precedence")
    ranks = node.items if isinstance(node, NodeSequence) else [node] if node is not None else []
    found: list[list[Scalar]] = []
    for rank in ranks:
        members = rank.items if isinstance(rank, NodeSequence) else [rank]
        names = [name for name in members if isinstance(name, Scalar)]
        if len(names) != len(members) or not names:
            source.problem(rank, "a rank of `precedence` is a source, or a list of sources of equal rank")
        found.append(names)
    return found


class _Loading:
    """One pack while it is read."""

    def __init__(self, pack: PackFiles, problems: list[Problem], *, whole: bool) -> None:
        self.pack = pack
        self.whole = whole
        self.problems = problems
        self.headed = False
        self.kinds: dict[str, KindSpec] = {}
        self.readers: list[ReaderSpec] = []
        self.precedence: tuple[tuple[str, ...], ...] = (("declared",),)

    def source(self, name: str) -> Source:
        text = self.pack.files[name]
        return Source(
            f"{self.pack.origin}/{name}", text if self.whole else without_examples(text), self.problems
        )

    def read_model(self) -> None:
        """`pack.yaml`, then every reader."""
        if "pack.yaml" not in self.pack.files:
            self.problems.append(
                Problem(
                    message=f"`{self.pack.origin}` is no pack: it has no `pack.yaml`", path=self.pack.origin
                )
            )
            return
        source = self.source("pack.yaml")
        node = source.load()
        form = source.form(node, "a pack", PACK_KEYS) if node is not None else None
        if form is None:
            return
        before = len(self.problems)
        self._head(form, source)
        self.headed = len(self.problems) == before
        schemas = Schemas(self.pack.schemas, self.pack.shipped)
        for _, node, source in self._documents("readers/"):
            reader = read_reader(node, source, self.kinds, schemas)
            if reader is not None:
                self._add_reader(reader, node, source)

    def _head(self, form: Form, source: Source) -> None:
        form.text("pack")
        form.text("about")
        self.kinds = read_kinds(form, source)
        ranks = [rank for rank in _ranks(form, source) if rank]
        self.precedence = tuple(tuple(scalar.text for scalar in rank) for rank in ranks) or (("declared",),)
        seen: set[str] = set()
        for scalar in (scalar for rank in ranks for scalar in rank):
            taken = next((k.name for k in self.kinds.values() if scalar.text in k.fields), None)
            if taken is not None:
                source.problem(scalar, f"source `{scalar.text}` has the name of a field of `{taken}`")
            if scalar.text in ITEM_FIELDS:
                source.problem(scalar, f"every item has a `{scalar.text}` already", "choose another name")
            if scalar.text in seen:
                source.problem(scalar, f"source `{scalar.text}` is ranked twice", "rank it once")
            seen.add(scalar.text)

    def _add_reader(self, reader: ReaderSpec, node: Node, source: Source) -> None:
        ranked = {name for rank in self.precedence for name in rank}
        made = [(spec.source, "declares") for spec in reader.declarations]
        made += [(spec.source, "claims") for spec in reader.claims]
        for name, does in dict.fromkeys(made):
            if name not in ranked:
                source.problem(
                    node, f"reader `{reader.name}` {does} from `{name}`, which `precedence` does not rank"
                )
        self.readers.append(reader)

    def _documents(self, folder: str) -> Iterable[tuple[str, Node, Source]]:
        """Each mapping in the YAML files of a folder; a file may hold one, or a list of them.

        None where `pack.yaml` is wrong: readers and rules would be blamed for kinds that are missing there.
        """
        if not self.headed:
            return
        for name in sorted(self.pack.files):
            if not name.startswith(folder) or not name.endswith((".yaml", ".yml")):
                continue
            source = self.source(name)
            node = source.load()
            if isinstance(node, NodeSequence):
                for item in node.items:
                    yield name, item, source
            elif node is not None:
                yield name, node, source

    def read_rules(self, world: Environment) -> list[Rule]:
        """Every rule of the pack that can be evaluated."""
        found = (
            read_rule(node, source, self.pack.name, world) for _, node, source in self._documents("rules/")
        )
        return [rule for rule in found if rule is not None]

    def read_gates(self, world: Environment) -> list[Gate]:
        """Every gate of the pack that can be evaluated."""
        found = (
            read_gate(node, source, self.pack.name, world) for _, node, source in self._documents("gates/")
        )
        return [gate for gate in found if gate is not None]


def _scenarios(pack: PackFiles, rules: Sequence[Rule]) -> Iterable[ScenarioFile]:
    codes = tuple(sorted(rule.info.id for rule in rules if rule.info.pack == pack.name))
    for name in sorted(pack.files):
        if name.startswith("scenarios/"):
            yield ScenarioFile(pack.name, f"{pack.origin}/{name}", pack.files[name], codes)


def _join(packs: Sequence[_Loading], problems: list[Problem]) -> DocumentModel:
    """One model of all packs: a kind belongs to one pack, precedence is that of the first pack that ranks a source."""
    kinds: dict[str, KindSpec] = {}
    precedence: list[tuple[str, ...]] = []
    readers: list[ReaderSpec] = []
    for pack in packs:
        for name, kind in pack.kinds.items():
            if name in kinds and kinds[name] != kind:
                problems.append(
                    Problem(
                        message=f"kind `{name}` is declared by two packs",
                        path=pack.pack.origin,
                        hint="rename one",
                    )
                )
            if name in BUILTIN_KINDS and name != "document":
                problems.append(
                    Problem(message=f"kind `{name}` is built in", path=pack.pack.origin, hint="rename it")
                )
            kinds[name] = kind
        known = {source for rank in precedence for source in rank}
        ranks = (tuple(source for source in rank if source not in known) for rank in pack.precedence)
        precedence += [rank for rank in ranks if rank]
        readers += pack.readers
    kinds.setdefault("document", KindSpec(name="document", about="One file of the root.", fields={}))
    ids = {name: kind.ids for name, kind in kinds.items() if kind.ids is not None}
    return DocumentModel(readers=tuple(readers), kinds=kinds, ids=ids, precedence=tuple(precedence))


_Named = TypeVar("_Named", Rule, Gate)


def _unique(
    found: Sequence[_Named], name: Callable[[_Named], str], says: str, hint: str, problems: list[Problem]
) -> None:
    """INVARIANT: a name means one thing, whichever packs are joined; a code means one rule, for ever."""
    seen: dict[str, _Named] = {}
    for each in found:
        first = seen.setdefault(name(each), each)
        if first is not each:
            place = f"{first.path}:{first.line}"
            message = says.format(name=name(each), place=place)
            problems.append(Problem(message=message, path=each.path, line=each.line, column=1, hint=hint))


def _digest(packs: Sequence[PackFiles]) -> str:
    """The digest of every file of every pack and its schemas, independent of where they lie."""
    total = sha256()
    for pack in packs:
        for group in (pack.files, pack.schemas):
            for name in sorted(group):
                total.update(f"{pack.name}\0{name}\0{len(group[name].encode())}\0".encode())
                total.update(group[name].encode())
    return "sha256:" + total.hexdigest()
