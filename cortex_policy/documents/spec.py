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
    box in the extent. `unsaid` is what of a text refers to nothing (`values.unsaid`).
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
    blocks: frozenset[str] = frozenset({"paragraph", "item"})
    strict: bool = True
    unsaid: re.Pattern[str] | None = None


class DeclarationSpec(NamedTuple):
    """How items of one kind are found. `at` is `heading`, `item`, `row`, `record`, `keyed` or `root`.

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

    `precedence` lists the sources of claims, strongest first.
    """

    readers: tuple[ReaderSpec, ...]
    kinds: Mapping[str, KindSpec] = MappingProxyType({})
    ids: Mapping[str, IdPattern] = MappingProxyType({})
    precedence: tuple[str, ...] = ("declared",)
