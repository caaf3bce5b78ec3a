"""Waivers: documented exceptions from rules, read from YAML files of the root into checked values.

What stands in a file is judged here, each fault at its line; what depends on the day, the rules and the findings is
judged by `verdicts`. Source of the rules: `docs/waivers.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Final, NamedTuple

from cortex_policy.documents.faults import FaultKind
from cortex_policy.documents.nodes import Mapping as MappingNode
from cortex_policy.documents.nodes import Mark, Node, Scalar, load_yaml
from cortex_policy.documents.nodes import Sequence as SequenceNode
from cortex_policy.model import Fault, Finding, Place, Severity
from cortex_policy.ruleset.forms import suggest

WAIVER_KEYS: Final = ("rule", "subject", "condition", "path", "reason", "owner", "until")

WAIVER_FAULTS: Final[Mapping[str, FaultKind]] = {
    name: FaultKind(f"CPX-WVR-{number:03d}", name, Severity.ERROR, False, why, fix)
    for number, name, why, fix in (
        (
            1,
            "waivers-unreadable",
            "A file that cannot be read exactly as written may mean another exception than its author did: none of "
            "its waivers counts.",
            "mend the file at the place shown",
        ),
        (
            2,
            "waiver-malformed",
            "A waiver that does not name one rule and its subject could be taken to cover more than was meant.",
            "write `rule`, `subject`, `reason`, `owner` and `until`, each a text",
        ),
        (
            3,
            "waiver-without-owner",
            "An exception that nobody answers for stays for ever.",
            "name a person or team under `owner`",
        ),
        (
            4,
            "waiver-without-reason",
            "An exception without a reason cannot be reviewed.",
            "say under `reason` why the rule may be broken here",
        ),
        (
            5,
            "waiver-expired",
            "An exception ends on the day that was agreed on; an end that is missing or no date has passed already.",
            "mend what it covers and remove it, or agree on a new day for `until`, as 2026-01-31",
        ),
        (
            6,
            "waiver-of-unknown-rule",
            "A waiver of a rule that does not exist covers nothing, though its author believes that it does.",
            "write the code of a rule in full: `cortex-policy rule` lists them",
        ),
        (
            7,
            "waiver-not-allowed",
            "A document that cannot be read may hide anything, a waiver that covers waivers has no end, and a change "
            "of the policy is for those who own it: none of these can be excused.",
            "remove the waiver and mend what it was to cover",
        ),
        (
            8,
            "waiver-unused",
            "A waiver that covers nothing any more is an open door for the next fault of the same name.",
            "remove it",
        ),
    )
}
"""What can be wrong with a waiver: one literal table. Codes are stable and never reused."""

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NOTHING: Final = ("", "~", "null", "Null", "NULL")
"""How YAML writes nothing; with quotes too, since nobody is called so."""


class Waiver(NamedTuple):
    """One exception. It covers findings with exactly this rule and these subjects; `condition` and `path` narrow it.

    `until` is the last day on which it counts, None where there is no such day. INVARIANT: a waiver that is not `sound`
    covers nothing; it is kept so that all that is wrong with it can be said at once.
    """

    rule: str
    subjects: tuple[str, ...]
    condition: str
    path: str
    reason: str
    owner: str
    until: date | None
    place: Place
    sound: bool = True

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is of this rule, these subjects and, where they are given, this condition and path."""
        first = finding.locations[0].path if finding.locations else ""
        return (
            self.rule == finding.rule
            and self.subjects == tuple(sorted(finding.subjects))
            and self.condition in ("", finding.condition)
            and self.path in ("", first)
        )

    @property
    def label(self) -> str:
        return _label(self.rule, self.subjects)


class WaiverFile(NamedTuple):
    """A file of waivers as read: its bytes, or None with the reason that they cannot be had."""

    path: str
    data: bytes | None
    problem: str = ""


class Waivers(NamedTuple):
    """All that the waiver files say, in their order: what can be used, what is wrong, and the digest of the bytes."""

    files: tuple[str, ...] = ()
    entries: tuple[Waiver, ...] = ()
    faults: tuple[Fault, ...] = ()
    digest: str = ""


def read_waivers(files: Iterable[WaiverFile]) -> Waivers:
    """Read waiver files. Nothing raises for what a file contains: every fault is listed with its place."""
    files = tuple(files)
    entries: list[Waiver] = []
    faults: list[Fault] = []
    total = sha256()
    for file in files:
        data = file.data if file.data is not None else b""
        total.update(f"{file.path}\0{len(data)}\0".encode("utf-8", errors="surrogateescape"))
        total.update(data)
        for node in _nodes(file, faults):
            waiver = _waiver(node, file.path, faults)
            if waiver is not None:
                entries.append(waiver)
    digest = "sha256:" + total.hexdigest() if files else ""
    return Waivers(tuple(file.path for file in files), tuple(entries), tuple(faults), digest)


def _nodes(file: WaiverFile, faults: list[Fault]) -> Sequence[Node]:
    """The entries of one file; none, and a fault, when any of the file cannot be read as written."""
    text, wrong = _text(file)
    root: Node | None = None
    if not wrong:
        root, found = load_yaml(text)
        wrong = [(fault.message, fault.mark) for fault in found] or _shape(root)
    faults += (Fault("waivers-unreadable", message, Place(file.path, *mark)) for message, mark in wrong)
    listed = root.get("waivers") if isinstance(root, MappingNode) else None
    return listed.items if isinstance(listed, SequenceNode) and not wrong else ()


def _text(file: WaiverFile) -> tuple[str, list[tuple[str, Mark]]]:
    """The text of one file, and what is wrong with its bytes."""
    if file.data is None:
        return "", [(file.problem, Mark(1, 1))]
    try:
        text = file.data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = file.data.count(b"\n", 0, error.start) + 1
        return "", [("the file is not UTF-8", Mark(line, 1))]
    if text.startswith("\ufeff"):
        return "", [("the file starts with a byte order mark", Mark(1, 1))]
    return text, []


def _shape(root: Node | None) -> list[tuple[str, Mark]]:
    """What is wrong with a file that is YAML, and no mapping of `waivers` to a list."""
    listed = root.get("waivers") if isinstance(root, MappingNode) else None
    if not isinstance(root, MappingNode) or listed is None:
        mark = root.mark if root is not None else Mark(1, 1)
        return [("the file has no `waivers:` with a list", mark)]
    others = [key for key, _ in root.entries if key.text != "waivers"]
    if others:
        return [(f"the file has a key `{key.text}` beside `waivers`", key.mark) for key in others]
    return [] if isinstance(listed, SequenceNode) else [("`waivers` is no list", listed.mark)]


def _waiver(node: Node, path: str, faults: list[Fault]) -> Waiver | None:
    """One entry with its faults, or None where it is no mapping at all."""
    place = Place(path, *node.mark)
    if not isinstance(node, MappingNode):
        faults.append(Fault("waiver-malformed", "a waiver is a mapping of keys to values", place))
        return None
    entry = _Entry(node, path)
    waiver = Waiver(
        rule=entry.text("rule", "waiver-malformed"),
        subjects=entry.subjects(),
        condition=entry.text("condition"),
        path=entry.text("path"),
        reason=entry.text("reason", "waiver-without-reason"),
        owner=entry.text("owner", "waiver-without-owner"),
        until=entry.day(),
        place=place,
    )
    faults += entry.faults
    return waiver._replace(sound=not entry.faults)


class _Entry:
    """One entry while it is read."""

    def __init__(self, node: MappingNode, path: str) -> None:
        self.node = node
        self.path = path
        self.faults: list[Fault] = []
        rule, subject = node.get("rule"), node.get("subject")
        self.label = _label(
            rule.text if isinstance(rule, Scalar) else "",
            (subject.text,) if isinstance(subject, Scalar) else (),
        )
        for key, _ in node.entries:
            if key.text not in WAIVER_KEYS:
                hint = suggest(key.text, WAIVER_KEYS) or "keys: " + ", ".join(WAIVER_KEYS)
                self.fault("waiver-malformed", key, f"has a key `{key.text}` that means nothing ({hint})")

    def fault(self, code: str, node: Node | None, what: str) -> None:
        mark = (node if node is not None else self.node).mark
        self.faults.append(Fault(code, f"the waiver {self.label} {what}", Place(self.path, *mark)))

    def text(self, key: str, needed: str = "") -> str:
        """The text under `key`; where it is missing or none, that is the fault `needed`."""
        node = self.node.get(key)
        if isinstance(node, Scalar) and not _is_nothing(node):
            return node.text.strip()
        if node is not None and not isinstance(node, Scalar):
            self.fault(needed or "waiver-malformed", node, f"has no text under `{key}`")
        elif needed:
            self.fault(needed, node, f"has no `{key}`")
        elif node is not None:  # an empty one would narrow nothing, whatever its author meant
            self.fault("waiver-malformed", node, f"has an empty `{key}`")
        return ""

    def subjects(self) -> tuple[str, ...]:
        """One subject, or the list of all subjects of a finding about several."""
        node = self.node.get("subject")
        if not isinstance(node, SequenceNode):
            return (self.text("subject", "waiver-malformed"),)
        found = [item.text for item in node.items if isinstance(item, Scalar) and not _is_nothing(item)]
        if not found or len(found) < len(node.items):
            self.fault("waiver-malformed", node, "has a `subject` that is no text and no list of texts")
        return tuple(sorted(found))

    def day(self) -> date | None:
        """The last day; malformed is expired."""
        text = self.text("until", "waiver-expired")
        try:
            if _DATE.fullmatch(text):
                return date.fromisoformat(text)
        except ValueError:
            pass
        if text:
            self.fault("waiver-expired", self.node.get("until"), f"ends on `{text}`, which is no date")
        return None


def _is_nothing(node: Scalar) -> bool:
    """Nothing that anybody could read: an invisible sign or a dash names nobody."""
    return node.text.strip() in _NOTHING or re.search(r"\w", node.text) is None


def _label(rule: str, subjects: Sequence[str]) -> str:
    return f"of `{rule}`" + (" for " + ", ".join(f"`{subject}`" for subject in subjects) if subjects else "")
