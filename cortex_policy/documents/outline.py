"""Items, fields, boxes, sections and mentions in one Markdown document, found as the reader declares them.

One pass over the blocks. An item extends to the next heading of its level or above; every block belongs to the item
whose extent holds it, else to the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cortex_policy.documents.markdown import Block
from cortex_policy.documents.spec import DeclarationSpec, DocumentModel, FieldSource, ReaderSpec
from cortex_policy.documents.values import MAX_REFERENCES, Box, bare, check_box, references, scalar
from cortex_policy.model import Declaration, Fault, Mention, Place, Reading, Ref

MAX_LABEL_CHARS: Final = 80
"""A label is a few words; a longer text before a colon is a sentence."""


_LABEL: Final = re.compile(r"\s*[*_`]*[A-Z][\w /-]{0,60}[*_`]*:(?:[*_`]*\s|[*_`]*$)")
"""A line that looks like the start of another field, whether any reader knows it or not."""
_RUNNING: Final = frozenset({"text", "list", "references"})
"""Types whose values may be wrapped over several lines."""


_ONE_SPAN: Final = re.compile(r"`([^`]+)`[;.,]?")
"""A list item that is one code span, as lists of paths and commands are: its text is the value."""

_OPENING_QUOTES: Final = ('"', "'", "`", "\u201c", "\u2018", "\u00ab", "\u201e")


class _Extent:
    """A declaration whose extent is still open: what is read inside it goes to its fields."""

    __slots__ = (
        "by_label",
        "by_row",
        "end",
        "faults",
        "fences",
        "fields",
        "id",
        "kind",
        "level",
        "patterns",
        "pending",
        "place",
        "ref",
        "source",
        "sources",
        "text",
    )

    def __init__(
        self,
        kind: str,
        id: str,
        source: str,
        place: Place,
        text: str,
        level: int,
        sources: Sequence[FieldSource],
    ) -> None:
        self.kind = kind
        self.id = id
        self.ref = Ref(kind, id)
        self.source = source
        self.place = place
        self.text = text
        self.level = level
        self.sources = sources
        self.patterns = [source for source in sources if source.paragraph is not None]
        self.fences = [source for source in sources if source.fence is not None]
        self.by_label: dict[str, list[FieldSource]] = {}
        for spec in sources:
            for label in spec.labels:
                self.by_label.setdefault(label, []).append(spec)
        self.by_row: dict[str, list[FieldSource]] = {}
        for spec in sources:
            for row in spec.table:
                self.by_row.setdefault(row, []).append(spec)
        self.fields: dict[str, list[Reading]] = {}
        self.pending: FieldSource | None = None
        self.faults: list[Fault] = []
        """What is wrong with its values, as long as it is not known whether the document declares it."""
        self.end = 0

    def add(self, name: str, reading: Reading) -> None:
        self.fields.setdefault(name, []).append(reading)

    def add_all(self, fields: Mapping[str, Sequence[Reading]]) -> None:
        for name, readings in fields.items():
            self.fields.setdefault(name, []).extend(readings)

    def frozen(self) -> Declaration:
        fields = {name: tuple(map(_closed, readings)) for name, readings in self.fields.items()}
        return Declaration(self.kind, self.id, self.source, self.place, self.text, fields)


def _closed(reading: Reading) -> Reading:
    """A collection grows as a list while its extent is open."""
    return reading._replace(value=tuple(reading.value)) if isinstance(reading.value, list) else reading


class Heard(NamedTuple):
    """A block that asserts, and the item in whose extent it stands."""

    block: Block
    item: Ref | None


class Whole(NamedTuple):
    """An item that a whole document declares: how, and its extent, which counts once its line was met."""

    spec: DeclarationSpec
    extent: _Extent


class Outline:
    """Reads the blocks of one document; then holds its declarations, mentions and faults, and what was heard."""

    def __init__(self, path: str, reader: ReaderSpec, model: DocumentModel, lines: Sequence[str]) -> None:
        self.path = path
        self.reader = reader
        self.model = model
        self.lines = lines
        self.faults: list[Fault] = []
        self.mentions: list[Mention] = []
        self.heard: list[Heard] = []
        self._done: list[_Extent] = []
        self._document = _Extent(
            "document", f"doc:{path}", "declared", Place(path, 1, 1), "", 0, reader.fields
        )
        self.wholes: list[Whole] = []
        self._hoped: list[Whole] = []
        self._lead = ""
        self._item: _Extent | None = None
        self._zone: _Extent | None = None
        self._sections: list[_Extent] = []
        self._silent = 0
        self._unsaid = False
        self._template = any(glob.match(path) for glob in reader.templates)
        self._references_left = MAX_REFERENCES
        self._titles: dict[str, int] = {}
        self._stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        specs = [spec for spec in reader.declarations if self._applies(spec)]
        self._heading_specs = [spec for spec in specs if spec.at == "heading"]
        self._item_specs = [spec for spec in specs if spec.at == "item"]
        self._row_specs = [spec for spec in specs if spec.at == "row"]
        if not self._template:
            self._hoped = [Whole(spec, self._hope(spec)) for spec in specs if spec.at == "document"]
        self._owners = [self._document, *(whole.extent for whole in self._hoped)]
        declared = [field for spec in specs for field in spec.fields]
        self._patterned = [field for field in (*reader.fields, *declared) if field.paragraph is not None]
        self._live: set[int] = set()
        self._sentences = [s for s in reader.fields if s.sentence]

    def _hope(self, spec: DeclarationSpec) -> _Extent:
        return _Extent(spec.kind, "", spec.source, Place(self.path, 1, 1), "", 0, spec.fields)

    def _applies(self, spec: DeclarationSpec) -> bool:
        """Whether the document may declare such items: a template, by name, declares none."""
        if spec.only and not any(glob.match(self.path) for glob in spec.only):
            return False
        return not any(glob.match(self.path) for glob in spec.exclude)

    # ---------------------------------------------------------------- results

    def declarations(self) -> list[Declaration]:
        """Every item and section, in the order of the text."""
        return [extent.frozen() for extent in sorted(self._done, key=lambda extent: extent.place)]

    def document_fields(self) -> dict[str, tuple[Reading, ...]]:
        """The fields of the document itself that stand in its prose."""
        return dict(self._document.frozen().fields)

    # ---------------------------------------------------------------- one pass

    def read(self, blocks: Sequence[Block]) -> None:
        """Read every block, then scan what speaks for mentions of ids."""
        text = "\n".join(block.text for block in blocks)
        self._live = {id(field) for field in self._patterned if field.anywhere.search(text)}
        for block in blocks:
            if self._asserts(block):
                _BLOCKS[block.kind](self, block)
                if not self._silent:
                    self.heard.append(Heard(block, self._item.ref if self._item else None))
                    if self._hoped and block.kind != "fence":
                        self._meet(block)
            elif (
                self._unsaid and block.kind == "item" and not (block.quoted or self._silent or self._template)
            ):
                self._read_unsaid(block)
            if block.kind != "fence":
                self._lead = block.text
        self._close_sentences()
        self.read_lines()
        spoken = [(block, item.id if item else "") for block, item in self.heard if block.kind != "fence"]
        self._scan(spoken)

    def read_lines(self) -> None:
        """Fields that stand in any line of the file: in prose, quotations, fences, templates and metadata alike."""
        sources = [
            (owner, source) for owner in self._owners for source in owner.sources if source.line is not None
        ]
        if not sources:
            return
        text = "\n".join(self.lines)
        starts = [0, *(found.end() for found in re.finditer("\n", text))]
        for owner, source in sources:
            group = 1 if source.line.groups else 0
            for match in source.line.finditer(text):
                begin, end = match.span(group)
                if begin < 0 or begin == end:
                    continue
                number = bisect_right(starts, begin)
                place = Place(self.path, number, begin - starts[number - 1] + 1)
                self._found(owner, source, text[begin:end], place)

    def _found(self, owner: _Extent, source: FieldSource, text: str, place: Place) -> None:
        """What a pattern found in a line: one element of a list, or the value itself."""
        if source.type.name == "list":
            value = " ".join(text.split())
            owner.add(source.name, Reading((Reading(value, place, self._line(place.line)),), place, text))
        else:
            self._value(owner, source, text, place.line, text, place.column)

    def _read_unsaid(self, block: Block) -> None:
        """A list of what must not be asserts nothing, except for the field whose label it stands below."""
        for owner in self._here():
            if owner.pending is not None and owner.pending.labels:
                self._read_pending(owner, owner.pending, block, check_box(block.text))

    def _meet(self, block: Block) -> None:
        """Declare the items of the whole document whose line this block holds."""
        for whole in tuple(self._hoped):
            for index, row in enumerate(block.text.split("\n")):
                match = whole.spec.pattern.search(row)
                if match is None:
                    continue
                groups = {name: value for name, value in match.groupdict().items() if value is not None}
                extent, line = whole.extent, block.line + index
                extent.id = self._id(whole.spec, groups)
                extent.place, extent.text = self._place(line, row), self._line(line)
                for source in whole.spec.fields:
                    if source.group and source.group in groups:
                        self._value(extent, source, groups[source.group], line, row)
                self._hoped.remove(whole)
                self.wholes.append(whole)
                self._done.append(extent)
                self.faults += extent.faults
                break

    def _asserts(self, block: Block) -> bool:
        """Whether the document itself says what stands here: a quotation is somebody else's, a form to fill in and a
        list of what must not be are nobody's.
        """
        if block.level == 0 or block.kind == "heading":
            lead_in = self.reader.silent_lists
            self._unsaid = (
                lead_in is not None and block.text.rstrip().endswith(":") and bool(lead_in.search(block.text))
            )
        elif self._unsaid:
            return False
        if self._template and block.kind != "heading":
            self._read_sentences(block)
            return False
        return not block.quoted

    def heading(self, block: Block) -> None:
        self._end_extents(block.level, block.line)
        if self._silent:
            return
        self._read_heading_field(block)
        if self.reader.headings is None or self.reader.headings.search(block.text) is None:
            return  # most headings mean nothing to the reader: one search tells
        for spec in self._heading_specs:
            if block.level in spec.levels and self._declare(spec, block):
                return
        if block.level > 1 and self._is_silent(block):
            self._silent = block.level
            self._open_fields(block)
            return
        self._open_fields(block)
        self._open_section(block)

    def _is_silent(self, block: Block) -> bool:
        return self._template or (
            self.reader.silent is not None and bool(self.reader.silent.search(block.text))
        )

    def paragraph(self, block: Block) -> None:
        if self._silent:
            return
        for owner in self._here():
            if block.level == 0:
                owner.pending = None
            self._read_labels(owner, block)
            self._read_patterns(owner, block)
        self._read_sentences(block)

    def _here(self) -> Sequence[_Extent]:
        """Whose fields stand here: those of the item around, else of the document and what it declares as a whole."""
        return self._owners if self._item is None else (self._item,)

    def item(self, block: Block) -> None:
        if self._silent:
            self._read_listed(block)
            return
        for spec in self._item_specs:
            if self._declare(spec, block):
                return
        box = check_box(block.text)
        for owner in self._here():
            if box is not None:
                self._read_box(owner, block, box)
            if owner.pending is not None:
                self._read_pending(owner, owner.pending, block, box)
            else:
                self._read_labels(owner, block)
                self._read_patterns(owner, block)

    def _read_listed(self, block: Block) -> None:
        """What stands below a silent heading asserts nothing; it is only the list of a field that asks for just this
        section.
        """
        for owner in () if self._template else self._here():
            if owner.pending is not None and owner.pending.section is not None:
                self._read_pending(owner, owner.pending, block, check_box(block.text))

    def row(self, block: Block) -> None:
        if self._silent:
            return
        for spec in self._row_specs:
            self._declare_row(spec, block)
        for owner in self._here():
            if owner.by_row and len(block.cells) > 1:
                self._read_row(owner, block)

    def fence(self, block: Block) -> None:
        """What stands in a fence is an example, a quotation or a record of another format: it is read only for a field
        that asks for just this, wherever it stands.
        """
        for owner in self._here():
            for source in owner.fences:
                if source.fence.search(self._lead.rsplit("\n", 1)[-1]):
                    self._read_fence(owner, source, block)

    def _read_fence(self, owner: _Extent, source: FieldSource, block: Block) -> None:
        """The text of a fenced block, or what the pattern of the field finds in its lines."""
        rows = [
            (block.line + index, row) for index, row in enumerate(block.text.split("\n"), 1) if row.strip()
        ]
        if source.match is None:
            if rows:
                text = "\n".join(row for _, row in rows)
                self._value(owner, source, text, rows[0][0], rows[0][1])
            return
        for line, row in rows:
            match = source.match.search(row)
            if match is not None:
                self._value(owner, source, match.group(1) if match.re.groups else row, line, row)

    # ---------------------------------------------------------------- extents

    def _end_extents(self, level: int, line: int) -> None:
        for owner in self._owners:
            owner.pending = None
        if self._silent and level <= self._silent:
            self._silent = 0
        if self._item is not None:
            self._item.pending = None
            if level <= self._item.level:
                self._item = None
        while self._sections and level <= self._sections[-1].level:
            self._sections.pop().end = line

    def _declare(self, spec: DeclarationSpec, block: Block) -> bool:
        """Open an item if the block's first line declares one."""
        line = block.text.split("\n", 1)[0]
        match = spec.pattern.search(line)
        if match is None:
            return False
        groups = {name: value for name, value in match.groupdict().items() if value is not None}
        name = self._id(spec, groups)
        level = block.level if block.kind == "heading" else 7
        place = Place(self.path, block.line, self._column(block.line, line))
        extent = _Extent(spec.kind, name, spec.source, place, self._line(block.line), level, spec.fields)
        for source in spec.fields:
            if source.group and source.group in groups:
                self._value(extent, source, groups[source.group], block.line, line)
        self._done.append(extent)
        if block.kind == "heading":
            self._item = self._zone = extent
        return True

    def _id(self, spec: DeclarationSpec, groups: dict[str, str]) -> str:
        if not spec.id:
            return groups["id"]
        return spec.id.format_map({"stem": self._stem, "path": self.path, **groups})

    def _declare_row(self, spec: DeclarationSpec, block: Block) -> None:
        cells = {name.strip().casefold(): cell for name, cell in zip(block.header, block.cells, strict=False)}
        columns = [name.casefold() for name in spec.id_keys]
        if not all(column in cells for column in columns):
            return
        name = bare(cells[columns[0]])
        if spec.pattern is not None and spec.pattern.fullmatch(name) is None:
            return
        groups = {"id": name}
        at = cell_columns(self._line(block.line), block)
        own = cells[columns[0]]
        place = Place(self.path, block.line, at[columns[0]] + max(0, own.find(name)))
        extent = _Extent(
            spec.kind, self._id(spec, groups), spec.source, place, self._line(block.line), 7, spec.fields
        )
        for source in spec.fields:
            for column in source.columns:
                cell = cells.get(column.casefold(), "")
                if cell.strip():
                    self._value(extent, source, cell, block.line, cell, at[column.casefold()])
        self._done.append(extent)

    def _read_row(self, owner: _Extent, block: Block) -> None:
        """A table of names and values: the first cell names the field, the second is its value."""
        header, value = block.header[1].strip().casefold(), block.cells[1]
        column = cell_columns(self._line(block.line), block).get(header, 1)
        for source in owner.by_row.get(bare(block.cells[0]).casefold(), ()):
            if value.strip():
                self._value(owner, source, value, block.line, value, column)

    def _open_fields(self, block: Block) -> None:
        """The heading opens the list of every field that stands in such a section."""
        for owner in self._here():
            for source in owner.sources:
                if source.section is not None and source.section.search(block.text):
                    owner.pending = source
                    if source.type.many:
                        place = Place(self.path, block.line, 1)
                        owner.add(source.name, Reading([], place, self._line(block.line)))

    def _open_section(self, block: Block) -> None:
        if self.reader.sections is None or not self.reader.sections.search(block.text):
            return
        place = Place(self.path, block.line, 1)
        count = self._titles[block.text] = self._titles.get(block.text, 0) + 1
        name = f"{self.path}#{block.text}" + (f" ({count})" if count > 1 else "")
        extent = _Extent("section", name, "declared", place, self._line(block.line), block.level, ())
        extent.add("title", Reading(block.text, place, extent.text))
        if self._zone is not None:
            extent.add(
                "under", Reading(Ref(self._zone.kind, self._zone.id), self._zone.place, self._zone.text)
            )
        self._sections.append(extent)
        self._done.append(extent)

    # ---------------------------------------------------------------- fields

    def _read_heading_field(self, block: Block) -> None:
        for owner in self._owners:
            for source in owner.sources:
                if source.heading == block.level and source.name not in owner.fields:
                    self._value(owner, source, block.text, block.line, block.text)

    def _read_labels(self, owner: _Extent, block: Block) -> None:
        """`Label: value` at the start of a line. A text or a list runs on to the next line that looks like a label; a
        typed value stands on its own line."""
        if ":" not in block.text or not owner.by_label:
            return
        rows = block.text.split("\n")
        index = 0
        while index < len(rows):
            sources = self._label(owner, rows[index], block)
            end = index + 1
            while sources and end < len(rows) and not _LABEL.match(rows[end]):
                end += 1
            for source in sources:
                more = rows[index + 1 : end] if source.type.name in _RUNNING else []
                value = "\n".join([_after_label(rows[index]), *more]).strip()
                self._labelled(owner, source, value, block.line + index, rows[index])
            index = end

    def _label(self, owner: _Extent, row: str, block: Block) -> list[FieldSource]:
        """The fields that the label at the start of `row` stands for."""
        colon = row.find(":")
        if not 0 < colon <= MAX_LABEL_CHARS:
            return []
        sources = owner.by_label.get(row[:colon].strip(" \t*_`").casefold(), [])
        return [source for source in sources if block.kind in source.blocks]

    def _labelled(self, owner: _Extent, source: FieldSource, value: str, line: int, row: str) -> None:
        owner.pending = None
        if value:
            self._value(owner, source, value, line, row)
            return
        owner.pending = source
        if source.type.many:
            owner.add(source.name, Reading([], self._place(line, row), self._line(line)))

    def _read_pending(self, owner: _Extent, source: FieldSource, block: Block, box: Box | None) -> None:
        """A list item under an empty label or a declared section."""
        if not source.type.many:
            if source.name not in owner.fields:
                self._value(owner, source, block.text, block.line, block.text)
            return
        owner.fields[source.name][-1].value.extend(self._elements(source, block.text, block.line, box))

    def _elements(self, source: FieldSource, text: str, line: int, box: Box | None) -> tuple[Reading, ...]:
        place = self._place(line, text)
        if source.type.name == "references":
            return self._references(source, text, line)
        if source.type.name == "checklist":
            return (Reading(box, place, self._line(line)),) if box is not None else ()
        value = " ".join((box.text if box else text).split())
        span = _ONE_SPAN.fullmatch(value)
        return (Reading(span[1] if span else value, place, self._line(line)),)

    def _references(self, source: FieldSource, text: str, line: int, column: int = 0) -> tuple[Reading, ...]:
        ids = self.model.ids.get(source.type.target)
        if ids is None or self._references_left < 0:
            return ()
        found = references(text, ids, self._references_left, source.unsaid)
        self._references_left -= len(found)
        if self._references_left < 0:
            message = f"more than {MAX_REFERENCES:,} references, those that ranges stand for among them"
            self.faults.append(Fault("too-many-nodes", message, self._place(line, text)))
            return ()
        rows = Rows(text, line, column)
        places = (rows.place(self.path, one.start, self.lines) for one in found)
        return tuple(
            Reading(one.ref, place, self._line(place.line)) for one, place in zip(found, places, strict=True)
        )

    def _value(
        self, owner: _Extent, source: FieldSource, text: str, line: int, row: str, column: int = 0
    ) -> None:
        """A value on the line itself: typed by its declaration, or a fault that says what was expected.

        `column` is where `text` starts, when that is known better than by looking for `row` in the line.
        """
        place = Place(self.path, line, column) if column else self._place(line, row)
        if source.type.name == "references":
            owner.add(
                source.name, Reading(self._references(source, text, line, column), place, self._line(line))
            )
        elif source.type.name == "list":
            parts = [part.strip() for part in text.replace(";", ",").split(",")]
            elements = tuple(Reading(bare(part), place, self._line(line)) for part in parts if part)
            owner.add(source.name, Reading(elements, place, self._line(line)))
        else:
            self._scalar(owner, source, text, place)

    def _scalar(self, owner: _Extent, source: FieldSource, text: str, place: Place) -> None:
        faults, name = (self.faults, owner.id) if owner.id else (owner.faults, f"this {owner.kind}")
        reading = typed_reading(source, text, place, self._line(place.line), self.model, faults, name)
        if reading is not None:
            owner.add(source.name, reading)

    def _read_patterns(self, owner: _Extent, block: Block) -> None:
        for source in owner.patterns:
            if id(source) not in self._live or block.kind not in source.blocks:
                continue
            for index, row in enumerate(block.text.split("\n")):
                match = source.paragraph.search(row)
                if match is not None:
                    value = match.group(1) if match.re.groups else row
                    self._value(owner, source, value, block.line + index, row)

    def _read_box(self, owner: _Extent, block: Block, box: Box) -> None:
        for source in owner.sources:
            if not source.boxes:
                continue
            place = self._place(block.line, block.text)
            element = Reading(box, place, self._line(block.line))
            readings = owner.fields.get(source.name)
            if readings is None:
                owner.add(source.name, Reading([element], place, self._line(block.line)))
            else:
                readings[0].value.append(element)

    def _read_sentences(self, block: Block) -> None:
        """A sentence that must stand in the document's own prose; a quotation of it is somebody else's."""
        if block.quoted or block.kind != "paragraph" or not self._sentences:
            return
        text = " ".join(block.text.replace("*", "").split())
        for source in self._sentences:
            at = text.find(source.sentence)
            if at < 0 or source.name in self._document.fields or text[at - 1 : at] in _OPENING_QUOTES:
                continue
            place = self._place(block.line, block.text)
            self._document.add(source.name, Reading(True, place, self._line(block.line)))

    def _close_sentences(self) -> None:
        for source in self._sentences:
            if source.name not in self._document.fields:
                self._document.add(source.name, Reading(False, Place(self.path, 1, 1), self._line(1)))

    # ---------------------------------------------------------------- mentions

    def scan_lines(self) -> None:
        """Mentions in a record file: every line speaks."""
        self._scan([(Block("paragraph", number, 0, line), "") for number, line in enumerate(self.lines, 1)])

    def _scan(self, spoken: Sequence[tuple[Block, str]]) -> None:
        """One search over the joined text for each kind of id, then back to the block each match came from."""
        if not self.reader.mentions or not spoken:
            return
        starts: list[int] = []
        total = 0
        for block, _ in spoken:
            starts.append(total)
            total += len(block.text) + 1
        text = "\n".join(block.text for block, _ in spoken)
        declared = {(extent.place.line, extent.id) for extent in self._done}
        for ids in self.reader.mentions:
            rows = Rows(text, 0)
            for start, end in ids.find(text):
                index = bisect_right(starts, start) - 1
                block, within = spoken[index]
                place = rows.place(self.path, start, self.lines, starts[index], block)
                name = text[start:end]
                if (place.line, name) not in declared:
                    self.mentions.append(Mention(ids.kind, name, place, within))
        self._name_sections([extent for extent in self._done if extent.kind == "section"])

    def _name_sections(self, sections: Sequence[_Extent]) -> None:
        """What each section speaks of: the ids between its heading and the next one of its level or above."""
        mentions = sorted(self.mentions, key=lambda mention: mention.place.line)
        lines = [mention.place.line for mention in mentions]
        for section in sections:
            end = section.end or len(self.lines) + 1
            named = mentions[bisect_left(lines, section.place.line) : bisect_left(lines, end)]
            elements = tuple(Reading(Ref(m.kind, m.id), m.place, self._line(m.place.line)) for m in named)
            section.add("names", Reading(elements, section.place, section.text))

    # ---------------------------------------------------------------- places

    def _line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def _place(self, line: int, text: str) -> Place:
        return Place(self.path, line, self._column(line, text.split("\n", 1)[0].strip()))

    def _column(self, line: int, fragment: str) -> int:
        found = self._line(line).find(fragment) if fragment else -1
        return found + 1 if found >= 0 else 1


_WORD: Final = re.compile(r"[\w-]+")


class Rows:
    """The rows of a text that was taken from the lines of a file: from an offset in it back to line and column.

    `line` is the line of the text's first row, `column` where it starts if that is known. Offsets come in ascending
    order, so that all work is done once a row.
    """

    def __init__(self, text: str, line: int, column: int = 0) -> None:
        self._text = text
        self._line = line
        self._column = column
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._row = -1
        self._shift = 0
        self._cursor = 0

    def place(
        self, path: str, offset: int, lines: Sequence[str], start: int = 0, block: Block | None = None
    ) -> Place:
        """Where `offset` stands; with `block`, the part of the text from `start` on is that block's."""
        row = bisect_left(self._breaks, offset)
        first = bisect_left(self._breaks, start)
        number = row - first + (self._line if block is None else block.line)
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        begin = max(start, self._breaks[row - 1] + 1 if row else 0)
        if row != self._row:
            end = self._breaks[row] if row < len(self._breaks) else len(self._text)
            self._row, self._cursor = row, 0
            self._shift = self._column - 1 if self._column else _shift(line, self._text[begin:end])
        if self._shift >= 0:
            return Place(path, number, self._shift + offset - begin + 1)
        return Place(path, number, self._search(line, offset))

    def _search(self, line: str, offset: int) -> int:
        """A row that is not the line's own text, such as the cells of a table: the next place with the same word."""
        word = _WORD.match(self._text, offset)
        found = (
            re.compile(rf"(?<![\w-]){re.escape(word.group())}").search(line, self._cursor) if word else None
        )
        if found is None:
            return 1
        self._cursor = found.end()
        return found.start() + 1


def cell_columns(line: str, block: Block) -> dict[str, int]:
    """The column of each cell of a table row, by the name of its column."""
    found: dict[str, int] = {}
    cursor = 0
    for name, cell in zip(block.header, block.cells, strict=False):
        written = cell.replace("|", "\\|")
        start = line.find(written, cursor)
        found[name.strip().casefold()] = max(0, start) + 1
        cursor = start + len(written) if start >= 0 else cursor
    return found


def _shift(line: str, row: str) -> int:
    """How far into `line` the `row` taken from it starts; -1 when it does not stand there as it is.

    Almost every row is the end of its line. Comments in it were made blanks of the same length.
    """
    for end in (len(line), len(line.rstrip())):
        begin = end - len(row)
        if begin < 0:
            continue
        written = line[begin:end]
        if written == row or (
            "<!--" in line and all(a in (b, " ") for a, b in zip(row, written, strict=True))
        ):
            return begin
    lead = len(row) - len(row.lstrip())
    return max(-1, line.find(row.strip()) - lead)


def _after_label(row: str) -> str:
    """What follows the colon; emphasis that opened before the label and closes after the colon is the label's."""
    label, _, value = row.partition(":")
    opening = re.match(r"\s*([*_]{1,3})", label)
    if opening is not None and not label.rstrip().endswith(opening[1]):
        return value.removeprefix(opening[1])
    return value


_BLOCKS: Final[dict[str, Callable[[Outline, Block], None]]] = {
    "heading": Outline.heading,
    "paragraph": Outline.paragraph,
    "item": Outline.item,
    "row": Outline.row,
    "fence": Outline.fence,
}


def typed_reading(
    source: FieldSource,
    text: str,
    place: Place,
    line: str,
    model: DocumentModel,
    faults: list[Fault],
    owner: str,
) -> Reading | None:
    """The typed value of one scalar field, or None with a fault (unless the declaration is lenient)."""
    try:
        if source.type.name == "reference":
            return Reading(_one_reference(source, text, model), place, line)
        return Reading(scalar(text, source.type), place, line)
    except ValueError as expected:
        if source.strict:
            shown = " ".join(text.split())[:80]
            faults.append(
                Fault(
                    "value-not-of-type",
                    f"`{source.name}` of {owner} is `{shown}`, expected {expected}",
                    place,
                )
            )
        return None


def _one_reference(source: FieldSource, text: str, model: DocumentModel) -> Any:
    ids = model.ids.get(source.type.target)
    found = references(text, ids, silent=source.unsaid) if ids is not None else []
    if len(found) != 1:
        raise ValueError(f"one id of a {source.type.target}")
    return found[0].ref
