"""The counting of outcomes: what is asked for, what is left, and when a level is reached."""

from __future__ import annotations

import pytest

from cortex_policy.model import Place
from cortex_policy.verdicts.coverage import LEVELS, Key, Level, Point, coverage

PLACE = Place("rules/a.yaml", 3, 1)


def point(level: str, part: str, *wants: str, line: int = 3) -> Point:
    key: Key = (level, "ABC-XYZ-001", part, 0, 0)
    return Point(key, wants, part, PLACE._replace(line=line))


@pytest.mark.parametrize(
    ("covered", "total", "percent"),
    [(0, 0, 0.0), (0, 3, 0.0), (1, 3, 33.3), (2, 3, 66.6), (3, 3, 100.0), (99_999, 100_000, 99.9)],
)
def test_a_percentage_is_never_rounded_up(covered: int, total: int, percent: float) -> None:
    assert Level("rules", covered, total).percent == percent


@pytest.mark.parametrize(
    ("covered", "total", "threshold", "reached"),
    [
        (0, 0, None, True),
        (0, 0, 0.0, False),  # where there is nothing to see, nothing is reached
        (0, 0, 100.0, False),
        (0, 3, 0.0, True),
        (2, 3, 66.6, True),
        (2, 3, 66.7, False),
        (99_999, 100_000, 100.0, False),
        (3, 3, 100.0, True),
    ],
)
def test_a_threshold_is_compared_with_what_was_counted(
    covered: int, total: int, threshold: float | None, reached: bool
) -> None:
    assert Level("rules", covered, total, threshold).reached is reached


def test_what_was_not_seen_is_left_in_the_order_of_places() -> None:
    points = [
        point("branches", "b", "true", "false", line=9),
        point("conditions", "a", "true", "false", "unknown", line=4),
        point("rules", "", "applies"),
        point("branches", "a", "true", "false", line=4),
    ]
    seen = frozenset(
        {
            (points[0].key, "true"),
            (points[1].key, "false"),
            (points[1].key, "error"),  # an outcome that nobody asks for counts nothing
            (points[2].key, "applies"),
            (("conditions", "ABC-XYZ-002", "a", 0, 0), "true"),  # nor that of another rule
        }
    )
    found = coverage(points, seen, {"rules": 100.0})
    assert [(level.name, level.covered, level.total, level.threshold) for level in found.levels] == [
        ("rules", 1, 1, 100.0),
        ("conditions", 1, 3, None),
        ("branches", 1, 4, None),
    ]
    assert [(gap.level, gap.part, gap.lacks) for gap in found.gaps] == [
        ("conditions", "a", ("true", "unknown")),
        ("branches", "a", ("true", "false")),
        ("branches", "b", ("false",)),
    ]


def test_nothing_at_all_covers_nothing() -> None:
    found = coverage([], frozenset(), dict.fromkeys(LEVELS, 0.0))
    assert [level.reached for level in found.levels] == [False, False, False]
