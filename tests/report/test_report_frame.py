from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_policy.report.frame import ELLIPSIS, MAX_CELLS, MIN_CELLS, cell_width, frame, wrap


@pytest.mark.parametrize(
    ("line", "column", "shown", "before"),
    [
        ("", 1, "", 0),
        ("", 9, "", 0),
        ("abc", 1, "abc", 0),
        ("abc", 3, "abc", 2),
        ("abc", 4, "abc", 3),
        ("abc", 99, "abc", 3),
        ("abc", 0, "abc", 0),
        ("\tabc", 2, "    abc", 4),
        ("a\tbc", 3, "a   bc", 4),
        ("漢字x", 3, "漢字x", 4),
        ("Ｆx", 2, "Ｆx", 2),
        ("漢\tx", 3, "漢  x", 4),
        ("e\u0301x", 3, "e\u0301x", 1),
        ("\x1b[x", 2, "\\u001b[x", 6),
        ("\u202ex", 2, "\\u202ex", 6),
    ],
)
def test_the_caret_stands_under_its_column(line: str, column: int, shown: str, before: int) -> None:
    assert frame(line, column, 40) == (shown, before)


ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    ("column", "shown", "under"),
    [
        (1, "abcdefghijklmnopq...", "a"),
        (26, "...stuvwxyzABCDEF...", "z"),
        (52, "...JKLMNOPQRSTUVWXYZ", "Z"),
    ],
)
def test_a_long_line_is_cut_around_the_caret(column: int, shown: str, under: str) -> None:
    text, before = frame(ALPHABET, column, 20)
    assert text == shown
    assert text[before] == under


def test_wide_characters_are_cut_whole() -> None:
    text, before = frame("漢" * 100, 50, 21)
    assert cell_width(text) <= 21
    assert text.startswith(ELLIPSIS + "漢") and text.endswith("漢" + ELLIPSIS)
    assert (before - len(ELLIPSIS)) % 2 == 0


@pytest.mark.parametrize("room", [None, 0, -5, 1])
def test_a_room_that_is_none_or_useless_has_a_bound(room: int | None) -> None:
    text, before = frame("x" * 5_000_000, 2_500_000, room)
    assert len(text) <= MAX_CELLS if room is None else len(text) <= MIN_CELLS
    assert text[before] == "x"


@given(st.text(st.characters(exclude_categories=()), max_size=80), st.integers(-2, 90), st.integers(0, 60))
def test_a_frame_fits_and_its_caret_stands_within(line: str, column: int, room: int) -> None:
    text, before = frame(line, column, room)
    assert cell_width(text) <= max(room, MIN_CELLS)
    assert 0 <= before < max(room, MIN_CELLS)


@given(st.text(ALPHABET + "\t漢\u0301", min_size=1, max_size=200), st.data())
def test_the_character_at_the_caret_is_the_one_at_the_column(line: str, data: st.DataObject) -> None:
    column = data.draw(st.integers(1, len(line)))
    text, before = frame(line, column, 30)
    wanted = " " if line[column - 1] == "\t" else line[column - 1]
    offsets = [cell_width(text[:index]) for index in range(len(text))]
    assert any(text[index] == wanted for index, offset in enumerate(offsets) if offset == before)


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("", 20, [""]),
        ("one two", None, ["one two"]),
        ("one two three four five", 20, ["one two three four", "five"]),
        ("x" * 45, 20, ["x" * 20, "x" * 20, "x" * 5]),
        ("a " + "x" * 25, 20, ["a", "x" * 20, "x" * 5]),
        ("漢" * 12, 20, ["漢" * 10, "漢" * 2]),
    ],
)
def test_text_is_wrapped_at_spaces(text: str, room: int | None, lines: list[str]) -> None:
    assert wrap(text, room) == lines
