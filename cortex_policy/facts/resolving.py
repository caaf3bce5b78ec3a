"""Which of several claims holds: the strongest rank of sources, and within it what is surely newest.

Values only, and no document: the claims of one field of one item. Source of the rules: `docs/claims.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from cortex_policy.documents.values import span
from cortex_policy.model import UNKNOWN, Place, When


class Claim(NamedTuple):
    """One value of one field, as one place states it. `rank` is 0 for the strongest sources.

    A claim with a `scope` is true within it and decides nothing beyond.
    """

    field: str
    value: Any
    source: str
    rank: int
    place: Place
    at: When | None = None
    scope: str = ""


class Resolved(NamedTuple):
    """What holds: `value` with the claims that state it, and the losing ones. Contradicting claims hold together:
    `value` is UNKNOWN, and `holding` are all that nobody orders.
    """

    value: Any
    holding: tuple[Claim, ...]
    losing: tuple[Claim, ...] = ()


def same(one: Any, other: Any) -> bool:
    """Whether two values are one: `1` and `true` are not."""
    return one is other or (type(one) is type(other) and bool(one == other))


def before(one: When | None, other: When | None) -> bool:
    """Whether a time lies surely before another: not if they may overlap, or one of them is not known.

    Two days compare by the calendar, as they do in expressions.
    """
    if one is None or other is None:
        return False
    if _day(one.last) and _day(other.first):
        return one.last < other.first
    return span(one.last)[1] < span(other.first)[0]


def _day(value: date) -> bool:
    return not isinstance(value, datetime)


def newest(claims: Sequence[Claim]) -> Any:
    """The value that the claims of one rank come to: the one they agree on, or that of the surely newest; else UNKNOWN.

    If any claim is later than all that contradict it, then the one that begins last is; or, among days, which compare
    by the calendar, the day that begins last.
    """
    if all(same(claim.value, claims[0].value) for claim in claims):
        return claims[0].value
    dated = [claim for claim in claims if claim.at is not None]
    days = [claim for claim in dated if claim.at is not None and _day(claim.at.first)]
    for candidates in (dated, days):
        last = max(candidates, key=_beginning, default=None)
        if last is not None and all(same(c.value, last.value) or before(c.at, last.at) for c in claims):
            return last.value
    return UNKNOWN


def _beginning(claim: Claim) -> tuple[int, Place]:
    return span(claim.at.first)[0] if claim.at is not None else 0, claim.place


def resolve(claims: Iterable[Claim]) -> Resolved | None:
    """What holds of one field; None when nothing is stated without a scope."""
    stated = [claim for claim in claims if not claim.scope]
    if len(stated) < 2:
        return Resolved(stated[0].value, tuple(stated)) if stated else None
    rank = min(claim.rank for claim in stated)
    deciding = [claim for claim in stated if claim.rank == rank]
    value = newest(deciding)
    if value is UNKNOWN:
        return Resolved(UNKNOWN, tuple(deciding))
    holding = tuple(claim for claim in deciding if same(claim.value, value))
    losing = tuple(claim for claim in stated if not same(claim.value, value))
    return Resolved(value, holding, losing)


def conflicts(claims: Iterable[Claim]) -> list[tuple[Claim, ...]]:
    """The claims of each rank that contradict each other without an order, strongest rank first."""
    ranks: dict[int, list[Claim]] = {}
    for claim in claims:
        if not claim.scope:
            ranks.setdefault(claim.rank, []).append(claim)
    return [tuple(own) for _, own in sorted(ranks.items()) if newest(own) is UNKNOWN]


def resolve_at(claims: Sequence[Claim], time: date) -> Any:
    """What held at `time`: by the claims that were surely made until then. A claim that may have been made by then, and
    would change the answer, leaves it UNKNOWN; so does having none.
    """
    first, last = span(time)
    surely = [claim for claim in claims if claim.at is not None and span(claim.at.last)[1] <= first]
    held = resolve(surely)
    if held is None or held.value is UNKNOWN:
        return UNKNOWN
    rank = held.holding[0].rank
    settled = set(map(id, surely))
    for claim in claims:
        possible = id(claim) not in settled and (claim.at is None or span(claim.at.first)[0] <= last)
        if possible and not claim.scope and claim.rank <= rank and not same(claim.value, held.value):
            return UNKNOWN
    return held.value
