"""What can be wrong with a document itself, whatever its pack demands: one literal table.

Each entry is a rule like any other to its readers: it has an identifier, a severity, a reason, and a page.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cortex_policy.model import Severity


class FaultKind(NamedTuple):
    """`id` is stable and never reused; `why` says what would go wrong in silence; `fix` is the next step.

    `hides` is true when part of the document was not understood, so that it may declare what nobody sees.
    """

    id: str
    name: str
    severity: Severity
    hides: bool
    why: str
    fix: str


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

FAULTS: Final[dict[str, FaultKind]] = {
    name: FaultKind(f"CPX-DOC-{number:03d}", name, severity, hides, why, fix)
    for number, name, severity, hides, why, fix in (
        (
            1,
            "unreadable",
            _ERROR,
            True,
            "A file that cannot be opened may hold anything, so nothing that depends on it can pass.",
            "make it readable, or exclude it in the configuration",
        ),
        (
            2,
            "not-a-file",
            _ERROR,
            True,
            "A directory, link, socket or device is not read under a document's name: a link could leave the root.",
            "replace it by a regular file, or exclude it",
        ),
        (
            3,
            "too-large",
            _ERROR,
            True,
            "A document beyond the size limit is not read at all.",
            "split it, or exclude it",
        ),
        (
            4,
            "not-utf-8",
            _ERROR,
            True,
            "Bytes that are not UTF-8 read differently in every tool.",
            "save it as UTF-8",
        ),
        (
            5,
            "nul-character",
            _ERROR,
            True,
            "A NUL byte ends the text in some tools and not in others.",
            "remove it",
        ),
        (
            6,
            "byte-order-mark",
            _ERROR,
            False,
            "A byte order mark hides the front matter fence from many tools, which then see no metadata.",
            "save it as UTF-8 without BOM",
        ),
        (
            7,
            "text-before-front-matter",
            _ERROR,
            True,
            "Front matter counts only on the first line; anything before it turns metadata into prose.",
            "move the `---` fence to line 1",
        ),
        (
            8,
            "front-matter-unclosed",
            _ERROR,
            True,
            "Without the closing fence there is no front matter, only text that looks like it.",
            "close it with a line `---`",
        ),
        (
            9,
            "second-front-matter",
            _ERROR,
            False,
            "A second block of metadata can contradict the first, and tools disagree on which one counts.",
            "merge the two blocks",
        ),
        (
            10,
            "front-matter-missing",
            _ERROR,
            False,
            "The reader of this document demands front matter.",
            "add it, fenced by `---` lines",
        ),
        (
            11,
            "yaml-syntax",
            _ERROR,
            True,
            "Metadata that cannot be parsed is not empty metadata.",
            "mend the YAML at the place shown",
        ),
        (
            12,
            "json-syntax",
            _ERROR,
            True,
            "A record that cannot be parsed is not an empty record.",
            "mend the JSON at the place shown",
        ),
        (
            13,
            "duplicate-key",
            _ERROR,
            False,
            "Which of two equal keys counts differs from tool to tool, so one can hide the other.",
            "keep one of them",
        ),
        (14, "yaml-tag", _ERROR, False, "A tag lets a file choose its own types.", "remove the tag"),
        (
            15,
            "yaml-alias",
            _ERROR,
            False,
            "Aliases expand to text that is not where a reader looks, and without bound.",
            "write the value out",
        ),
        (16, "yaml-key", _ERROR, False, "Only text can be a key.", "use a plain key"),
        (
            17,
            "yaml-second-document",
            _ERROR,
            True,
            "Only the first YAML document of a file is read.",
            "split the file",
        ),
        (18, "too-deep", _ERROR, True, "Nesting beyond the limit is not read.", "flatten it"),
        (
            19,
            "too-many-nodes",
            _ERROR,
            True,
            "A file with more nodes than the limit is not read.",
            "split it",
        ),
        (
            20,
            "schema-violation",
            _ERROR,
            False,
            "The document's metadata or record does not have the shape its schema demands.",
            "write it as the schema demands",
        ),
        (
            21,
            "value-not-of-type",
            _ERROR,
            False,
            "A value that is not of its declared type says nothing that a rule may rely on.",
            "write it in the form shown",
        ),
        (
            22,
            "empty-document",
            _ERROR,
            True,
            "An empty document asserts nothing, though its name says that it should.",
            "write it, or remove it",
        ),
        (
            23,
            "not-a-mapping",
            _ERROR,
            True,
            "Metadata and records are mappings of keys to values.",
            "write `key: value` lines",
        ),
    )
}
