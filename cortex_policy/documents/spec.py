"""What a pack declares about documents: readers, the items they find, and where each field stands.

Values only; `ruleset.packs` makes them from YAML, `documents.reading` applies them. The words are those of
`docs/readers.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cortex_policy.documents.patterns import IdPattern
from cortex_policy.documents.values import FieldType


class FieldSource(NamedTuple):
    """Where one field is read. Exactly one of the places is set.

    `keys`: front matter or record keys; `labels`: `Label: value` lines, case-folded; `group`: a group of the declaring
    pattern; `paragraph`: a pattern in lines of prose (`anywhere`: the same for many lines at once); `sentence`: a text
    that must stand in prose; `section`: the list under a heading; `columns`: cells of the declaring table row; `table`:
    the second cell of a row that starts with the name; `heading`: the first heading of that level; `boxes`: every check
    box in the extent; `fence`: the fenced block below a line that matches (`match`: only the first group of each line);
    `line`: a pattern in any line of the file. `unsaid` is what of a text refers to nothing (`values.unsaid`).
    """

    name: str
    type: FieldType
    keys: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    group: str = ""
    paragraph: Any = None
    anywhere: Any = None
    sentence: str = ""
    section: Any = None
    columns: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    heading: int = 0
    boxes: bool = False
    fence: Any = None
    match: Any = None
    line: Any = None
    blocks: frozenset[str] = frozenset({"paragraph", "item"})
    strict: bool = True
    unsaid: re.Pattern[str] | None = None


class DeclarationSpec(NamedTuple):
    """How items of one kind are found. `at` is `heading`, `item`, `row`, `document`, `record` or `root`.

    `id` is a template over the pattern's groups, `{stem}` and `{name}`; empty means the group or key named `id`.
    """

    kind: str
    source: str
    at: str
    levels: frozenset[int] = frozenset()
    pattern: Any = None
    id: str = ""
    id_keys: tuple[str, ...] = ()
    scalar: str = ""
    fields: tuple[FieldSource, ...] = ()
    only: tuple[re.Pattern[str], ...] = ()
    exclude: tuple[re.Pattern[str], ...] = ()


class ClaimField(NamedTuple):
    """What a claim says of one field: the text of `group` or of the cell in `column`, or always `constant`."""

    name: str
    type: FieldType
    group: str = ""
    column: str = ""
    constant: str = ""


class ClaimSpec(NamedTuple):
    """One form in which documents of some kinds make claims.

    `pattern` is searched in sentences, or line by line where `lines` is set; without one, the claim is a table row with
    the header names `columns`. `subjects` name what is claimed about: `id` (a group or column of ids), `item`,
    `above`, `document`, or reference fields of the document. `times` names where the time is taken from, in order.
    """

    kind: str
    source: str
    pattern: Any = None
    lines: bool = False
    columns: tuple[str, ...] = ()
    blocks: frozenset[str] = frozenset({"paragraph", "item"})
    documents: frozenset[str] = frozenset()
    under: Any = None
    subjects: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    fields: tuple[ClaimField, ...] = ()


class TimeSpec(NamedTuple):
    """How a house writes times: in the names of runs, in headings (patterns with a group `at`), and in date fields of
    the document, the earliest first.
    """

    runs: Any = None
    headings: Any = None
    dates: tuple[str, ...] = ()


class UnclaimedSpec(NamedTuple):
    """Where nothing is claimed: below such headings, in lists after such lines, in such sentences."""

    headings: Any = None
    lists: Any = None
    sentences: Any = None


class SchemaSpec(NamedTuple):
    """A JSON Schema, as JSON text, for the metadata or records of the files that match."""

    name: str
    files: tuple[re.Pattern[str], ...]
    schema: str


class ReaderSpec(NamedTuple):
    """One kind of file: which it takes, how it is cut, and what is found in it.

    `silent` and `sections` are patterns of headings; `headings` matches every heading that any part of the reader could
    match.
    """

    name: str
    format: str
    files: tuple[re.Pattern[str], ...]
    exclude: tuple[re.Pattern[str], ...] = ()
    where_keys: tuple[str, ...] = ()
    front_matter: str = "optional"
    kinds: tuple[tuple[str, tuple[re.Pattern[str], ...]], ...] = ()
    fields: tuple[FieldSource, ...] = ()
    declarations: tuple[DeclarationSpec, ...] = ()
    sections: Any = None
    silent: Any = None
    silent_lists: Any = None
    templates: tuple[re.Pattern[str], ...] = ()
    headings: Any = None
    mentions: tuple[IdPattern, ...] = ()
    schemas: tuple[SchemaSpec, ...] = ()
    claims: tuple[ClaimSpec, ...] = ()
    times: TimeSpec = TimeSpec()
    unclaimed: UnclaimedSpec = UnclaimedSpec()
    globs: tuple[str, ...] = ()
    """What `files` was made of."""

    def takes(self, path: str) -> bool:
        """Whether the file at `path` (relative, with `/`) is this reader's by name."""
        return any(glob.match(path) for glob in self.files) and not any(
            glob.match(path) for glob in self.exclude
        )

    def kind_of(self, path: str) -> str:
        """The document kind of `path`: the first whose globs match its name, else the reader's own name."""
        for kind, globs in self.kinds:
            if any(glob.match(path) for glob in globs):
                return kind
        return self.name

    def claims_of(self, path: str) -> list[ClaimSpec]:
        """The forms in which the file at `path` may make claims."""
        kind = self.kind_of(path)
        return [spec for spec in self.claims if not spec.documents or kind in spec.documents]


class KindSpec(NamedTuple):
    """A kind of item: its fields with their types, and how its ids look (None: ids are made from templates)."""

    name: str
    about: str
    fields: Mapping[str, FieldType]
    ids: IdPattern | None = None
    actionable: tuple[str, ...] = ()
    """Fields that somebody may change to move the item on; what names the item is never among them."""


class DocumentModel(NamedTuple):
    """Everything that the packs say about documents: kinds, readers, and which source of a value wins.

    `precedence` ranks the sources of claims, strongest first; those of one rank are weighed by time.
    """

    readers: tuple[ReaderSpec, ...]
    kinds: Mapping[str, KindSpec] = MappingProxyType({})
    ids: Mapping[str, IdPattern] = MappingProxyType({})
    precedence: tuple[tuple[str, ...], ...] = (("declared",),)

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source, strongest first."""
        return tuple(source for rank in self.precedence for source in rank)
