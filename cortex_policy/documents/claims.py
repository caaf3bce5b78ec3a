"""Claims: what a Markdown document says of items in sentences, lines with a label and table rows.

The forms are the reader's; each is one search over the joined text of the whole document. Only assertions count: what
stands in a quotation, below a heading of criteria or in a conditional sentence claims nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from cortex_policy.documents.markdown import Block
from cortex_policy.documents.outline import Heard, Rows, cell_columns
from cortex_policy.documents.spec import ClaimField, ClaimSpec, DocumentModel, ReaderSpec
from cortex_policy.documents.values import FieldType, references, scalar, span
from cortex_policy.model import Declaration, Fault, Place, Reading, When

MAX_CLAIMS: Final = 100_000
"""Claims of one document; a person writes some dozens."""
MAX_SENTENCE: Final = 2_000
"""Characters to either side of a claim in which its sentence must begin and end. A longer one claims nothing."""

_TIME: Final = FieldType("datetime")
_SENTENCE_END: Final = re.compile(r"[.!?][\"'`)\u201d\u2019\u00bb]*\s")
_MARK: Final = re.compile('[`"\u201c\u201d\u201e\u00ab\u00bb]')
_CLOSES: Final[Mapping[str, str]] = {
    "`": "`",
    '"': '"',
    "\u201d": "\u201c",
    "\u00bb": "\u00ab",
    "\u201c": "\u201e",
}
"""What closes a quotation, and what it was opened with; the last closes in one tongue and opens in another."""


def find_claims(
    path: str,
    heard: Sequence[Heard],
    reader: ReaderSpec,
    model: DocumentModel,
    lines: Sequence[str],
    fields: Mapping[str, tuple[Reading, ...]],
    faults: list[Fault],
) -> list[Declaration]:
    """Every claim, in the order of the text. `fields` are those of the document, from which claims inherit subjects
    and dates.
    """
    forms = reader.claims_of(path)
    if not forms or not heard:
        return []
    search = _Search(path, heard, reader, model, lines, fields)
    found: list[Declaration] = []
    for form in forms:
        for claim in search.claims(form):
            if len(found) == MAX_CLAIMS:
                message = f"more than {MAX_CLAIMS:,} claims"
                faults.append(Fault("too-many-nodes", message, claim.place))
                return found
            found.append(claim)
    return sorted(found, key=lambda claim: claim.place)


class _Match(NamedTuple):
    """Where a form was found: the block, by its index among all that was heard, and offsets in its text."""

    number: int
    start: int
    groups: Mapping[str, tuple[int, int]]


class _Search:
    """The blocks of one document, joined, with the headings above each."""

    def __init__(
        self,
        path: str,
        heard: Sequence[Heard],
        reader: ReaderSpec,
        model: DocumentModel,
        lines: Sequence[str],
        fields: Mapping[str, tuple[Reading, ...]],
    ) -> None:
        self.path = path
        self.heard = heard
        self.reader = reader
        self.model = model
        self.lines = lines
        self.fields = fields
        self.prose = [index for index, each in enumerate(heard) if each.block.kind != "fence"]
        self.starts: list[int] = []
        total = 0
        for index in self.prose:
            self.starts.append(total)
            total += len(heard[index].block.text) + 1
        self.by_line = "\n".join(heard[index].block.text for index in self.prose)
        self.by_block = "\n".join(heard[index].block.text.replace("\n", " ") for index in self.prose)
        self._sections: _Sections | None = None
        self._quoting = _Quoting("", -1)
        self._named: dict[str, Sequence[int]] = {}
        self._rows_of = -1
        self._placing = Rows("", 0)

    @property
    def sections(self) -> _Sections:
        """The headings and times of the document; most documents claim nothing and never ask."""
        if self._sections is None:
            self._sections = _Sections(
                [each.block for each in self.heard], self.reader.times.runs, self.reader.unclaimed.lists
            )
        return self._sections

    def claims(self, form: ClaimSpec) -> Iterator[Declaration]:
        """Every claim that is made in one form."""
        for match in self._rows(form) if form.columns else self._matches(form):
            if self._asserted(match, form):
                yield from self._claimed(match, form)

    # ---------------------------------------------------------------- where a form is found

    def _matches(self, form: ClaimSpec) -> Iterator[_Match]:
        groups = form.pattern.groupindex
        for at, match, begin in self._hits(form):
            if self.heard[self.prose[at]].block.kind in form.blocks:
                spans = {name: match.span(number) for name, number in groups.items()}
                told = {name: (a - begin, b - begin) for name, (a, b) in spans.items() if a >= 0}
                yield _Match(self.prose[at], match.start() - begin, told)

    def _hits(self, form: ClaimSpec) -> Iterator[tuple[int, Any, int]]:
        """One search over everything. What runs from one block into the next is no match: the blocks that it touches
        are searched alone. Gives the block, by its index in `prose`, the match, and where the block starts in its text.
        """
        text = self.by_line if form.lines else self.by_block
        alone = -1
        for match in form.pattern.finditer(text):
            at = bisect_right(self.starts, match.start()) - 1
            last = bisect_right(self.starts, max(match.start(), match.end() - 1)) - 1
            if at <= alone:
                continue
            if last == at:
                yield at, match, self.starts[at]
                continue
            for index in range(at, last + 1):
                begin = self.starts[index]
                block = text[begin : begin + len(self.heard[self.prose[index]].block.text)]
                known = max(0, match.start() - begin)
                yield from ((index, m, 0) for m in form.pattern.finditer(block) if m.start() >= known)
            alone = last

    def _rows(self, form: ClaimSpec) -> Iterator[_Match]:
        """Table rows below all the headers that the form names; a cell's group is its header."""
        wanted = [column.casefold() for column in form.columns]
        for index in self.prose:
            block = self.heard[index].block
            names = [name.strip().casefold() for name in block.header] if block.kind == "row" else []
            if not names or not all(column in names for column in wanted):
                continue
            groups: dict[str, tuple[int, int]] = {}
            begin = 0
            for name, cell in zip(names, block.cells, strict=False):
                groups.setdefault(name, (begin, begin + len(cell)))
                begin += len(cell) + 3
            yield _Match(index, 0, groups)

    # ---------------------------------------------------------------- what asserts

    def _asserted(self, match: _Match, form: ClaimSpec) -> bool:
        """Whether the document says this itself, here and now, without an if."""
        unclaimed = self.reader.unclaimed
        block = self.heard[match.number].block
        titles = [self.heard[index].block.text for index in self.sections.above(match.number)]
        if form.under is not None and not any(form.under.search(title) for title in titles):
            return False
        if unclaimed.headings is not None and any(unclaimed.headings.search(title) for title in titles):
            return False
        if self.sections.listed[match.number]:
            return False
        if block.kind == "row":
            return True
        sentence = _line(block.text, match.start) if form.lines else _sentence(block.text, match.start)
        if sentence is None or (unclaimed.sentences is not None and unclaimed.sentences.search(sentence)):
            return False
        if self._quoting.index != match.number or self._quoting.at > match.start:
            self._quoting = _Quoting(block.text, match.number)
        return not self._quoting.quoted(match.start)

    # ---------------------------------------------------------------- what is claimed

    def _claimed(self, match: _Match, form: ClaimSpec) -> Iterator[Declaration]:
        fields = {
            field.name: (reading,)
            for field in form.fields
            if (reading := self._reading(match, field)) is not None
        }
        if not fields:
            return
        at = self._time(match, form.times)
        scope = " ".join(self._text(match, "scope").split())
        for name, place in self._subjects(match, form):
            line = self._line(place)
            yield Declaration(form.kind, name, form.source, place, line, fields, at, scope)

    def _text(self, match: _Match, group: str) -> str:
        begin, end = match.groups.get(group, (0, 0))
        return self.heard[match.number].block.text[begin:end].replace("\n", " ")

    def _reading(self, match: _Match, field: ClaimField) -> Reading | None:
        """The value of one field; a text that is not of its type states nothing."""
        group = field.group or field.column.casefold()
        text = field.constant or self._text(match, group)
        place = self._place(match, match.groups.get(group, (match.start, 0))[0])
        try:
            value = scalar(text, field.type) if text.strip() else ""
        except ValueError:
            return None
        return Reading(value, place, self._line(place)) if value != "" else None

    def _subjects(self, match: _Match, form: ClaimSpec) -> Iterator[tuple[str, Place]]:
        """The ids that the claim is about, each once."""
        seen: set[str] = set()
        for subject in form.subjects:
            for name, place in self._subject(match, form, subject):
                if name not in seen:
                    seen.add(name)
                    yield name, place

    def _subject(self, match: _Match, form: ClaimSpec, subject: str) -> Iterator[tuple[str, Place]]:
        here = self._place(match, match.start)
        item = self.heard[match.number].item
        if subject == "document":
            yield f"doc:{self.path}", here
        elif subject == "item":
            if item is not None and item.kind == form.kind:
                yield item.id, here
        elif subject == "above":
            yield from self._above(match, form.kind, here)
        elif subject in match.groups:
            begin, end = match.groups[subject]
            text = self.heard[match.number].block.text[begin:end]
            for found in references(text, self.model.ids[form.kind], MAX_CLAIMS):
                yield found.ref.id, self._place(match, begin + found.start)
        else:
            for reading in self.fields.get(subject, ()):
                for element in reading.value:
                    yield element.value.id, here

    def _above(self, match: _Match, kind: str, here: Place) -> Iterator[tuple[str, Place]]:
        """The id of the kind that was named last before the claim, in the same section."""
        ids, heading = self.model.ids[kind], next(self.sections.above(match.number), -1)
        text = self.heard[match.number].block.text[max(0, match.start - MAX_SENTENCE) : match.start]
        found = list(ids.find(text))
        index = self._naming(kind)[match.number]
        if not found and index > heading:
            text = self.heard[index].block.text
            found = list(ids.find(text))
        if found:
            yield text[found[-1][0] : found[-1][1]], here

    def _naming(self, kind: str) -> Sequence[int]:
        """Of each block, the nearest one before it that names an id of the kind; -1 where there is none."""
        if kind not in self._named:
            nearest, last = [], -1
            for index, each in enumerate(self.heard):
                nearest.append(last)
                spoken = each.block.kind not in ("heading", "fence")
                if spoken and next(iter(self.model.ids[kind].find(each.block.text)), None) is not None:
                    last = index
            self._named[kind] = nearest
        return self._named[kind]

    def _place(self, match: _Match, offset: int) -> Place:
        block = self.heard[match.number].block
        if block.kind == "row":
            line = self._line(Place(self.path, block.line, 1))
            return Place(self.path, block.line, _cell_column(line, block, offset))
        if self._rows_of != match.number:
            self._rows_of, self._placing = match.number, Rows(block.text, block.line)
        return self._placing.place(self.path, max(0, offset), self.lines)

    def _line(self, place: Place) -> str:
        return self.lines[place.line - 1] if 0 < place.line <= len(self.lines) else ""

    # ---------------------------------------------------------------- when

    def _time(self, match: _Match, sources: Sequence[str]) -> When | None:
        """The time of a claim, from the first source that tells one."""
        for source in sources:
            found = self._time_from(match, source)
            if found is not None:
                return found
        return None

    def _time_from(self, match: _Match, source: str) -> When | None:
        if source == "dates":
            return self._dates()
        if source == "group":
            return _at(moment(self._text(match, "at")))
        if source == "document":
            return _at(self.sections.latest(0, len(self.heard)))
        for heading in self.sections.above(match.number):
            if source == "section":
                found = self.sections.latest(*self.sections.extent(heading))
            else:
                found = _heading_time(self.heard[heading].block.text, self.reader.times.headings)
            if found is not None:
                return When(found, found)
        return None

    def _dates(self) -> When | None:
        """From the first to the last date of the document; one that is missing or told twice leaves it open."""
        days: list[date] = []
        for name in self.reader.times.dates:
            values = {reading.value for reading in self.fields.get(name, ())}
            if len(values) != 1:
                return None
            days.extend(values)
        return When(days[0], days[-1]) if days and days[0] <= days[-1] else None


def _at(found: date | None) -> When | None:
    return When(found, found) if found is not None else None


def moment(text: str) -> date | None:
    """The time that is written: a datetime with its offset, or a whole day; None for what is neither."""
    try:
        value: date = scalar(text, _TIME)
    except ValueError:
        return None
    return value


def _heading_time(title: str, pattern: Any) -> date | None:
    match = pattern.search(title)
    return moment(match.group(pattern.groupindex["at"])) if match is not None else None


def _line(text: str, start: int) -> str:
    """The line in which a label stands: what is said there does not depend on the next one."""
    end = text.find("\n", start)
    return text[text.rfind("\n", 0, start) + 1 : end if end >= 0 else len(text)]


def _sentence(text: str, start: int) -> str | None:
    """The sentence in which a claim starts; None where it does not begin and end within reach."""
    low, high = max(0, start - MAX_SENTENCE), start + MAX_SENTENCE
    begin = low
    for stop in _SENTENCE_END.finditer(text, low, start):
        begin = stop.end()
    closing = _SENTENCE_END.search(text, start, high)
    if (begin == low and low > 0) or (closing is None and high < len(text)):
        return None
    return text[begin : closing.end() if closing else len(text)].replace("\n", " ")


class _Quoting:
    """Whether a quotation is open at an offset of a text; asked in ascending order, so that all is looked at once."""

    def __init__(self, text: str, index: int) -> None:
        self.text = text
        self.index = index
        self.at = 0
        self._open: set[str] = set()

    def quoted(self, offset: int) -> bool:
        for found in _MARK.finditer(self.text, self.at, offset):
            mark = found.group()
            opening = _CLOSES.get(mark, "")
            if opening in self._open:
                self._open.discard(opening)
            elif mark not in "\u201d\u00bb":
                self._open.add(mark)
        self.at = offset
        return bool(self._open)


class _Sections:
    """The headings above each block, how far each reaches, and the times that are written in between.

    `listed` tells of each block whether it stands in a list that was opened by a line which matches `leads`.
    """

    def __init__(self, blocks: Sequence[Block], runs: Any, leads: Any) -> None:
        self.listed = list(_listed(blocks, leads))
        self._above: list[int] = []
        self._parent: dict[int, int] = {}
        self._level = {index: block.level for index, block in enumerate(blocks) if block.kind == "heading"}
        self._end: dict[int, int] = {}
        current = -1
        for index, block in enumerate(blocks):
            if block.kind == "heading":
                while current >= 0 and self._level[current] >= block.level:
                    self._end[current] = index
                    current = self._parent[current]
                self._parent[index] = current
                current = index
            self._above.append(current)
        self._size = len(blocks)
        self._times = list(_times(blocks, runs)) if runs is not None else []
        self._at = [index for index, _ in self._times]
        self._known: dict[tuple[int, int], date | None] = {}

    def above(self, index: int) -> Iterator[int]:
        """The headings above a block, the nearest first, without the title of the document."""
        heading = self._above[index]
        while heading >= 0:
            if self._level[heading] > 1:
                yield heading
            heading = self._parent[heading]

    def extent(self, heading: int) -> tuple[int, int]:
        """The blocks from a heading up to the next one of its level or above."""
        return heading, self._end.get(heading, self._size)

    def latest(self, first: int, end: int) -> date | None:
        """The latest time written in these blocks; None without any, or where one of them is no time at all."""
        if (first, end) not in self._known:
            found = self._times[bisect_left(self._at, first) : bisect_left(self._at, end)]
            times = [time for _, time in found if time is not None]
            whole = len(times) == len(found) > 0
            self._known[first, end] = max(times, key=span) if whole else None
        return self._known[first, end]


def _listed(blocks: Sequence[Block], leads: Any) -> Iterator[bool]:
    """Of each block, whether a line above it that opens its list matches `leads`."""
    openers: list[tuple[int, bool]] = []
    for block in blocks:
        level = 0 if block.kind == "heading" else block.level
        while openers and openers[-1][0] >= level:
            openers.pop()
        yield any(leading for _, leading in openers)
        if leads is not None and block.kind in ("paragraph", "item"):
            text = block.text.rstrip()
            openers.append((level, text.endswith(":") and leads.search(text) is not None))


def _times(blocks: Sequence[Block], runs: Any) -> Iterator[tuple[int, date | None]]:
    """Every time of a run, with the index of its block; None for what looks like one and is none."""
    starts: list[int] = []
    total = 0
    for block in blocks:
        starts.append(total)
        total += len(block.text) + 1
    text = "\n".join(block.text for block in blocks)
    group = runs.groupindex["at"]
    for match in runs.finditer(text):
        yield bisect_right(starts, match.start()) - 1, moment(match.group(group))


def _cell_column(line: str, block: Block, offset: int) -> int:
    """The column in `line` of an offset in the joined cells of a row."""
    columns = cell_columns(line, block)
    begin = 0
    for name, cell in zip(block.header, block.cells, strict=False):
        if begin <= offset <= begin + len(cell):
            return columns[name.strip().casefold()] + offset - begin
        begin += len(cell) + 3
    return 1
