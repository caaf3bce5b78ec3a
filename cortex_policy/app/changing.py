"""`--at` and `--base`: which revision is judged, and which one the policy comes from.

With a base, configuration and packs are those of the base: whoever makes a change has no say in what judges it
(architecture, law 4). What the change does to the policy itself is compared, and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from cortex_policy import world
from cortex_policy.app.parsing import Progress
from cortex_policy.app.project import Project, open_project, open_revision, read_packs
from cortex_policy.app.reading import History, Reading, Texts, read_project, read_waiver_files
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import Finding, Location, Outcome, Place, RuleInfo
from cortex_policy.ruleset.changes import CHANGES, Weakening, compare, weaker_waivers
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load
from cortex_policy.ruleset.waivers import Waivers
from cortex_policy.verdicts import fingerprint

MAX_EDITED: Final = 10
"""Files of the policy that a note names; whoever edited more of them knows."""


class Request(NamedTuple):
    """What a caller names: root and packs, the revision that is judged, and the one it is compared with."""

    root: Path | None
    packs: tuple[str, ...] = ()
    at: str | None = None
    base: str | None = None


class PolicyChange(NamedTuple):
    """What a change does to the policy: findings where it is weaker, and sentences for a person.

    `waivers` are those that it leaves, to see what is wrong with them; they excuse nothing here. `codes` are those of
    the rules that it leaves.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    waivers: Waivers = Waivers()
    codes: frozenset[str] = frozenset()


def open_requested(request: Request) -> Project:
    """The project to judge. Without `at` it is that of the work tree. Raises `ConfigurationError`.

    A pack that the caller names by path is that of the work tree: the policy of today can judge the documents of then.
    """
    if request.at is None:
        return open_project(request.root, request.packs)
    snapshot = world.read_revision(request.root or Path(), request.at)
    project = open_revision(request.root, request.packs, snapshot)
    return project._replace(policy=None) if request.packs else project


class Comparing(NamedTuple):
    """A change: the project before it, the one after it with the policy from before, and that policy."""

    before: Project
    after: Project
    ruleset: Ruleset
    files: tuple[PackFiles, ...]

    @property
    def origin(self) -> str:
        """What the paths of places at the base start with."""
        return f"{self.before.revision[: world.SHOWN_ID]}:"

    def read(self, now: datetime, progress: Progress | None = None) -> Reading:
        """Base and change, read by the same policy at the same time. Raises `ConfigurationError`."""
        base = read_project(self.before, self.ruleset, now, progress, History(origin=self.origin))
        return read_project(self.after, self.ruleset, now, progress, History(base=base))


def open_change(request: Request) -> Comparing:
    """What `--base` compares. Raises `ConfigurationError`."""
    start = request.root or Path()
    before = open_revision(request.root, request.packs, world.read_revision(start, request.base or ""))
    snapshot = None
    if request.at is not None:
        snapshot = world.read_revision(start, request.at)._replace(start=before.folder)
    files = tuple(read_packs(before))
    return Comparing(before, before._replace(documents=snapshot), load(files, whole=False), files)


def judge_policy(change: Comparing, request: Request) -> PolicyChange:
    """What the change does to configuration and packs; nothing where it leaves them alone."""
    try:
        after = _open_after(change, request)
        files = tuple(read_packs(after))
        before_waivers = read_waiver_files(change.before, None, Texts())
        waivers = read_waiver_files(after, None, Texts())
        edited = [
            *_edited_configuration(change.before, after),
            *_edited(change.files, files),
            *_edited_waivers(before_waivers, waivers),
        ]
        ruleset = change.ruleset if files == change.files else load(files, whole=False)
    except ConfigurationError as error:
        return PolicyChange((_unreadable(error),))
    left = PolicyChange(waivers=waivers, codes=frozenset(rule.info.id for rule in ruleset.rules))
    if not edited:
        return left
    compared = compare(change.ruleset, ruleset, change.origin)
    weaker = [
        *_weaker_project(change.before, after, change.ruleset.packs, ruleset.packs),
        *compared.weaker,
        *weaker_waivers(before_waivers, waivers),
    ]
    findings = tuple(_finding(weakening, Outcome.FALSE) for weakening in weaker)
    names = ", ".join(f"`{name}`" for name in sorted(edited)[:MAX_EDITED])
    names += f" and {len(edited) - MAX_EDITED} more" if len(edited) > MAX_EDITED else ""
    notes = [f"the change edits the policy, and is judged by that of the base: {names}"]
    if compared.rewritten:
        codes = ", ".join(compared.rewritten)
        notes.append(f"whether these rewritten rules and gates demand less is for a person to say: {codes}")
    return left._replace(findings=findings, notes=tuple(notes))


def _open_after(change: Comparing, request: Request) -> Project:
    """The project as the change leaves it, with its own policy."""
    if change.after.documents is not None:
        return open_revision(change.before.root, request.packs, change.after.documents)
    return open_project(change.before.root, request.packs)


def _edited_configuration(before: Project, after: Project) -> Iterator[str]:
    was = (before.packs, before.exclude, before.truncated, before.waivers)
    if was != (after.packs, after.exclude, after.truncated, after.waivers):
        yield world.CONFIG_NAME


def _edited_waivers(before: Waivers, after: Waivers) -> Iterator[str]:
    """The files of waivers of which what they say differs, or where it stands."""
    for path in dict.fromkeys((*before.files, *after.files)):
        if _said(before, path) != _said(after, path):
            yield path


def _said(waivers: Waivers, path: str) -> tuple[object, ...]:
    entries = tuple(waiver for waiver in waivers.entries if waiver.place.path == path)
    return (
        path in waivers.files,
        entries,
        tuple(fault for fault in waivers.faults if fault.place.path == path),
    )


def _edited(before: Iterable[PackFiles], after: Iterable[PackFiles]) -> Iterator[str]:
    """The files, as they are shown, in which packs that stay differ; a pack that comes or goes is a configuration's."""
    now = {pack.origin: dict(_policy_files(pack)) for pack in after}
    for pack in before:
        old = dict(_policy_files(pack))
        new = now.get(pack.origin, old)
        yield from (f"{pack.origin}/{name}" for name in {**old, **new} if old.get(name) != new.get(name))


def _policy_files(pack: PackFiles) -> Iterator[tuple[str, str]]:
    yield from pack.files.items()
    for name, text in pack.schemas.items():
        if name not in pack.shipped:
            yield f"schemas/{name}", text


def _weaker_project(
    before: Project, after: Project, packs_before: Sequence[str], packs_after: Sequence[str]
) -> Iterator[Weakening]:
    """What the configuration takes away."""
    place = Place(world.CONFIG_NAME, 1, 1)
    for name in packs_before:
        if name not in packs_after:
            yield Weakening("pack-dropped", f"pack:{name}", f"pack `{name}` is no longer used", place)
    for key, old, new in (
        ("exclude", before.exclude, after.exclude),
        ("truncated", before.truncated, after.truncated),
    ):
        for glob in new:
            if glob not in old:
                message = f"`{key}` names `{glob}`, which it did not"
                yield Weakening("documents-excluded", f"doc:{world.CONFIG_NAME}", message, place)


def _unreadable(error: ConfigurationError) -> Finding:
    """A policy that cannot be loaded may be weaker, and nobody can tell."""
    first = error.problems[0]
    in_config = not first.path or first.path.endswith(
        world.CONFIG_NAME
    )  # shown with its folder, or its revision
    path = world.CONFIG_NAME if in_config else first.path
    place = Place(path, first.line or 1, first.column or 1)
    hint = f" ({first.hint})" if first.hint else ""
    message = f"the policy cannot be loaded after the change: {first.message}{hint}"
    subject = f"doc:{world.CONFIG_NAME}"
    return _finding(Weakening("policy-unreadable", subject, message, place), Outcome.UNKNOWN)


def _finding(weakening: Weakening, outcome: Outcome) -> Finding:
    kind = CHANGES[weakening.change]
    place = weakening.place if weakening.place.path else Place(world.CONFIG_NAME, 1, 1)
    return Finding(
        rule=kind.id,
        name=kind.name,
        severity=kind.severity,
        outcome=outcome,
        subjects=(weakening.subject,),
        condition="kept",
        message=f"{weakening.message}; {kind.fix}",
        locations=(Location(place.path, place.line, place.column, "", "primary"),),
        fingerprint=fingerprint(kind.id, (weakening.subject,), "kept", [weakening.message]),
    )


def change_infos() -> tuple[RuleInfo, ...]:
    """The rules over changes of the policy, as the others are shown."""
    return tuple(
        RuleInfo(
            id=kind.id,
            name=kind.name,
            severity=kind.severity,
            why=kind.why,
            source=("docs/revisions.md",),
            message=kind.fix,
            pack="changes",
        )
        for kind in CHANGES.values()
    )
