"""The frozen values that every module shares.

Two shapes carry everything. Up to `facts`, a document is a `Document` of `Declaration`s holding `Reading`s: what one
file says, and where. From `facts` on, an item is a `Record`: what is held true, and from which places. `Finding` is
what a rule says about records.

Hot values are named tuples (a document has thousands of places); all lines and columns count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any, Final, NamedTuple


class Place(NamedTuple):
    """Where a value was read: path relative to the root with `/`, line and column from 1."""

    path: str
    line: int
    column: int


class Past(Place):
    """A place in the revision that a change is compared with: its path is `COMMIT:PATH`."""

    __slots__ = ()


class Severity(Enum):
    """How loud a finding is; the order is the order of `--severity`."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        return ("info", "warning", "error").index(self.value)


class Outcome(Enum):
    """What a condition evaluates to (strong Kleene, with error apart). Only TRUE ever passes."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"
    ERROR = "error"


# --------------------------------------------------------------------------- what one document says


class Ref(NamedTuple):
    """A reference as written, before the graph resolves it: the kind and id it names."""

    kind: str
    id: str


class Reading(NamedTuple):
    """One value of one field, with the place it was read at and the text it was read from."""

    value: Any
    place: Place
    text: str


class Fault(NamedTuple):
    """Something about the document itself that may not pass silently; `code` is a key of `documents.faults.FAULTS`."""

    code: str
    message: str
    place: Place


class Mention(NamedTuple):
    """An id that stands somewhere in a document's prose: `within` is the id of the item whose section holds it."""

    kind: str
    id: str
    place: Place
    within: str


class When(NamedTuple):
    """The time of a claim: it was made between `first` and `last`, each a datetime with its offset or a whole day.

    A run has both at one instant.
    """

    first: date
    last: date


class Declaration(NamedTuple):
    """One declaration of one item in one document, or one claim about it.

    `source` is the kind of claim that the document makes (`declared`, `workboard`, …); `fields` maps a field name to
    its readings in the order of the text. A claim may have a time, and a scope beyond which it says nothing.
    """

    kind: str
    id: str
    source: str
    place: Place
    text: str
    fields: Mapping[str, tuple[Reading, ...]]
    at: When | None = None
    scope: str = ""


class Document(NamedTuple):
    """All that one file says, from its bytes and the pack alone (so it can be cached, or read in another process).

    `claims` are what it says of items that it need not declare. `complete` is false when some of the file could not be
    read, so that it may declare items of the kinds in `may_declare` that nobody sees, and say what is in `may_claim`:
    kind, source and field.
    """

    path: str
    kind: str
    reader: str
    digest: str
    complete: bool
    declarations: tuple[Declaration, ...]
    mentions: tuple[Mention, ...]
    faults: tuple[Fault, ...]
    may_declare: frozenset[str]
    claims: tuple[Declaration, ...] = ()
    may_claim: frozenset[tuple[str, str, str]] = frozenset()


# --------------------------------------------------------------------------- what is held true


class Unknown:
    """The value of what nobody stated, or could read. There is one: `UNKNOWN`."""

    __slots__ = ()
    _one: Unknown | None = None

    def __new__(cls) -> Unknown:
        if cls._one is None:
            cls._one = super().__new__(cls)
        return cls._one

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("unknown is neither true nor false")


UNKNOWN: Final = Unknown()


class OpenTuple(tuple[Any, ...]):
    """A collection that may lack members: a document that could declare some was unreadable or lies out of sight.

    `all` over it is never true, `exists` never false, its size unknown.
    """

    __slots__ = ()


class Record:
    """A typed thing that rules speak of: an item, a document, a checkbox, a mention.

    `values` holds the effective value of each field that has one (absent means unknown); `places` says where each was
    read; `place` is where the record itself stands. Built by `facts` only, and never changed after.
    """

    __slots__ = ("id", "kind", "place", "places", "values")

    def __init__(
        self,
        *,
        kind: str,
        id: str,
        place: Place | None,
        values: dict[str, Any],
        places: dict[str, tuple[Place, ...]],
    ) -> None:
        self.kind = kind
        self.id = id
        self.place = place
        self.values = values
        self.places = places

    def __repr__(self) -> str:
        return f"<{self.kind} {self.id}>"


# --------------------------------------------------------------------------- what is reported


class Location(NamedTuple):
    """A place with the text of its line, as it is shown to a person. `role` is `primary` or `related`."""

    path: str
    line: int
    column: int
    text: str
    role: str


class Finding(NamedTuple):
    """A rule that does not hold, or cannot be decided, for the subjects named.

    `outcome` is `false`, `unknown` or `error`; `fingerprint` depends on rule, subjects and the content concerned and
    never on line numbers (`docs/contract.md`).
    """

    rule: str
    name: str
    severity: Severity
    outcome: Outcome
    subjects: tuple[str, ...]
    condition: str
    message: str
    locations: tuple[Location, ...]
    fingerprint: str


class Waived(NamedTuple):
    """A finding that does not count because a waiver covers it: why, by whose word, and to the end of which day.

    `place` is where the waiver stands; `until` is an ISO date.
    """

    finding: Finding
    reason: str
    owner: str
    until: str
    place: Place


class RuleInfo(NamedTuple):
    """What a reader of a report wants to know of a rule, without the means to evaluate it."""

    id: str
    name: str
    severity: Severity
    why: str
    source: tuple[str, ...]
    message: str
    pack: str


class Inputs(NamedTuple):
    """What a result was computed from, so that a stranger can compute it again.

    `revision` is `worktree` or the id of a commit; `base` that of the commit it was compared with, if any. `waivers`
    and `baseline` are empty where there are none.
    """

    documents: str
    rules: str
    now: str
    revision: str
    base: str = ""
    waivers: str = ""
    baseline: str = ""


class CheckResult(NamedTuple):
    """The outcome of one `check`, complete: every format of `report` is a function of this value.

    `findings` are those that count. `waived` and `known` (to the baseline) do not; `gone` counts what the baseline
    knows and nothing shows any more. `exempt` counts subjects that `since` grandfathers; `unread` are the documents
    that may hide something; `notes` are sentences a person should read (never findings); `not_applied` counts rules
    over a change where there is no base to compare with.
    """

    documents: int
    items: int
    rules: tuple[RuleInfo, ...]
    findings: tuple[Finding, ...]
    inputs: Inputs
    exempt: int = 0
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_applied: int = 0
    waived: tuple[Waived, ...] = ()
    known: tuple[Finding, ...] = ()
    gone: int = 0

    @property
    def undecided(self) -> int:
        return sum(1 for finding in self.findings if finding.outcome is not Outcome.FALSE)

    def count(self, severity: Severity) -> int:
        return sum(1 for finding in self.findings if finding.severity is severity)
