"""Text becomes typed values, by the declaration of its field and never by how it looks.

One literal table maps each type name to its function. A function returns the value or raises `ValueError` with the
form it expects; nobody guesses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from cortex_policy.documents.patterns import IdPattern
from cortex_policy.model import Ref

MAX_DIGITS: Final = 18
"""Digits of an id that count; Python refuses to convert thousands of them."""
MAX_REFERENCES: Final = 100_000
"""References in one document; a few characters of range stand for a thousand of them."""


class FieldType(NamedTuple):
    """The declared type of a field: `name` is a key of `SCALARS` or one of `COLLECTIONS`.

    `words` is the vocabulary of an enum, `target` the kind that references point to.
    """

    name: str
    words: tuple[str, ...] = ()
    target: str = ""

    @property
    def many(self) -> bool:
        return self.name in COLLECTIONS


COLLECTIONS: Final = frozenset({"references", "checklist", "list"})


class Box(NamedTuple):
    """One check box: its text, and whether it is ticked."""

    text: str
    checked: bool


def bare(text: str) -> str:
    """The text without what Markdown writes around a value: blanks, back-ticks, emphasis, quotes."""
    text = text.strip()
    while len(text) > 1 and text[0] == text[-1] and text[0] in "`*_\"'":
        text = text[1:-1].strip()
    return text


def bare_sentence(text: str) -> str:
    """`bare`, and without one full stop at the end."""
    text = bare(text)
    return bare(text[:-1]) if text.endswith(".") else text


def _enum(text: str, kind: FieldType) -> str:
    word = bare_sentence(text)
    for known in kind.words:
        if word.casefold() == known.casefold():
            return known
    raise ValueError("one of " + ", ".join(f"`{known}`" for known in kind.words))


def _bool(text: str, kind: FieldType) -> bool:
    word = bare_sentence(text).casefold()
    if word in ("true", "yes"):
        return True
    if word in ("false", "no"):
        return False
    raise ValueError("`true` or `false`")


def _int(text: str, kind: FieldType) -> int:
    word = bare_sentence(text)
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", word):
        raise ValueError("a whole number without leading zeros")
    return int(word)


def _number(text: str, kind: FieldType) -> float:
    word = bare_sentence(text)
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?", word):
        raise ValueError("a number such as `12.5`")
    return float(word)


def _percent(text: str, kind: FieldType) -> float:
    word = bare_sentence(text)
    found = re.fullmatch(r"[~≈]?\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%", word)
    if found is None:
        raise ValueError("a percentage such as `82.4 %`")
    return float(found[1])


def _date(text: str, kind: FieldType) -> date:
    word = bare_sentence(text)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", word):
        raise ValueError("a date `YYYY-MM-DD`")
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise ValueError("a date that exists, as `YYYY-MM-DD`") from None


def _datetime(text: str, kind: FieldType) -> datetime | date:
    """A time with its offset; a date without a time stays a date, which rules treat as an interval."""
    word = bare_sentence(text)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", word):
        return _date(word, kind)
    try:
        value = datetime.fromisoformat(word)
    except ValueError:
        raise ValueError("a time such as `2026-01-31T12:00:00Z`") from None
    if value.tzinfo is None:
        raise ValueError("a time with its offset, such as `2026-01-31T12:00:00Z`")
    return value


_DURATION: Final = re.compile(
    r"(?:(\d{1,6})\s*d)?\s*(?:(\d{1,6})\s*h)?\s*(?:(\d{1,6})\s*m(?:in)?)?\s*(?:(\d{1,6})\s*s)?"
)


def _duration(text: str, kind: FieldType) -> timedelta:
    found = _DURATION.fullmatch(bare_sentence(text).lstrip("~"))
    if found is None or not any(found.groups()):
        raise ValueError("a duration such as `1h 30m`")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _path(text: str, kind: FieldType) -> Ref:
    word = bare_sentence(text)
    if not re.fullmatch(r"[^\s`<>|*]+", word) or (
        "/" not in word and not re.search(r"\.[A-Za-z]\w{0,7}$", word)
    ):
        raise ValueError("a path")
    return Ref("document", word)


def _text(text: str, kind: FieldType) -> str:
    return " ".join(text.split())


_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_EAST: Final = 14 * 3_600 * _SECOND
_WEST: Final = 12 * 3_600 * _SECOND


def span(value: Any) -> tuple[int, int]:
    """The first and the last instant that `value` may mean, in microseconds of UTC. Raises ValueError
    without offset.

    A date without a time is true of 50 hours: it begins where the clocks are 14 hours ahead, and ends where
    they are 12 behind. Whole numbers, so that the first and the last day of the calendar have a span too.
    """
    start = value.toordinal() * _DAY
    if value.__class__ is date:
        return start - _EAST, start + _DAY + _WEST - 1
    offset = value.utcoffset()
    if offset is None:
        raise ValueError
    start += ((value.hour * 60 + value.minute) * 60 + value.second) * _SECOND + value.microsecond
    instant = start - offset // timedelta(microseconds=1)
    return instant, instant


SCALARS: Final[Mapping[str, Callable[[str, FieldType], Any]]] = {
    "text": _text,
    "enum": _enum,
    "bool": _bool,
    "int": _int,
    "number": _number,
    "percent": _percent,
    "date": _date,
    "datetime": _datetime,
    "duration": _duration,
    "path": _path,
}


def scalar(text: str, kind: FieldType) -> Any:
    """The value of `text` as `kind`; raises `ValueError` whose text is the form that was expected."""
    return SCALARS[kind.name](text, kind)


class Found(NamedTuple):
    """An id found in a text: the reference, and the offset at which it is written."""

    ref: Ref
    start: int


_MORE: Final = re.compile(r"/([0-9]+)(?![A-Za-z0-9_-])")
_UNTIL: Final = re.compile(r"`?\s*(?:\.\.\.?|–|—)\s*`?")


def unsaid(none: Iterable[str], stop: Iterable[str]) -> re.Pattern[str] | None:
    """What of a text refers to nothing, by the words of a reader; None where there are no words.

    A whole value that is one of `none`, with a remark in parentheses or without; and what follows one of `stop`, to the
    end of its part of the sentence. INVARIANT: no more than that, for an overlooked blocker opens what it blocks.
    """
    whole = "|".join(map(_words, none))
    phrases = "|".join(map(_words, stop))
    parts = [rf"\A\W*+(?:{whole})(?!\w)[^\w(]*+(?:\([^()]*+\))?\W*+\Z"] if whole else []
    parts += [rf"(?<![\w-])(?:{phrases})(?![\w-])(?:[^,;.()\n]|\.(?=\w))*+"] if phrases else []
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _words(phrase: str) -> str:
    return r"\s+".join(map(re.escape, phrase.split()))


def references(
    text: str, ids: IdPattern, most: int = MAX_REFERENCES, silent: re.Pattern[str] | None = None
) -> list[Found]:
    """Every id of one kind in `text`, written singly, as a range `A-1..A-4`, or as a list `A-1/2/3`.

    What `silent` (see `unsaid`) matches refers to nothing. Whoever gets more than `most` has not got all of them.
    """
    if silent is not None:
        text = silent.sub(lambda match: " " * len(match[0]), text)  # what is left keeps its place
    spans = list(ids.find(text))
    found: list[Found] = []
    for index, (start, end) in enumerate(spans):
        if len(found) > most:
            break
        name = text[start:end]
        found.append(Found(Ref(ids.kind, name), start))
        if index + 1 < len(spans) and _UNTIL.fullmatch(text[end : spans[index + 1][0]]):
            between = _range(name, text[slice(*spans[index + 1])])
            found += [Found(Ref(ids.kind, other), start) for other in between]
        found += [Found(Ref(ids.kind, other), start) for other in _siblings(name, text, end)]
    return found


def _siblings(name: str, text: str, end: int) -> list[str]:
    """`102/103/104` after `A-`: the same prefix with other numbers."""
    stem = name.rstrip("0123456789")
    others = []
    while stem != name and (more := _MORE.match(text, end)):
        others.append(stem + more[1])
        end = more.end()
    return others


def _range(first: str, last: str) -> list[str]:
    """The ids strictly between the two ends of a range; empty when they are not of one series."""
    stem = first.rstrip("0123456789")
    if last.rstrip("0123456789") != stem or stem in (first, last):
        return []
    if max(len(first), len(last)) - len(stem) > MAX_DIGITS:
        return []
    low, high = int(first[len(stem) :]), int(last[len(stem) :])
    if high <= low:
        return []
    width = len(first) - len(stem)
    last_wanted = min(
        high, low + MAX_REFERENCES + 2
    )  # one more than is read, so that a wider range is noticed
    return [f"{stem}{number:0{width}d}" for number in range(low + 1, last_wanted)]


def check_box(text: str) -> Box | None:
    """The box that a list item starts with, or None."""
    if text[:1] == "[" and text[2:3] == "]" and text[1:2] in (" ", "x", "X") and text[3:4] in (" ", "\n", ""):
        return Box(" ".join(text[4:].split()), text[1] != " ")
    return None
