"""Text from documents is shown, never obeyed: by no terminal, no CI runner, no parser of a report.

Every string that comes from outside passes through `visible` (text formats) or `json_text` (JSON formats),
and every text for people through `lines_to_text`. Source of the rule: `docs/contract.md`, "text from
documents is always escaped".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

# What a reader cannot see, or what acts on how other text is seen. Lone surrogates stand for undecodable
# bytes in file names; U+FFFE and U+FFFF, with the C0 controls, are what XML 1.0 forbids (production 2, Char).
_UNSEEN: Final = (
    r"\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: terminal control
    r"\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # soft hyphen, joiners and blank fillers
    r"\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # zero width, bidi, line and paragraph separators
    r"\ufe00-\ufe0d\ufff0-\ufffb\ufffe\uffff"  # variation selectors but for emoji, annotation
    r"\U000e0000-\U000e0fff"  # tags, variation selectors supplement
)
_SURROGATES: Final = r"\ud800-\udfff"
_HIDDEN: Final = re.compile(f"[{_UNSEEN}{_SURROGATES}]")
_SHORT: Final[Mapping[str, str]] = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# GitHub reads `::command::` behind any white space at line start and the older `##[command]` anywhere in a
# line; Azure reads `##vso[`, TeamCity `##teamcity[`.
_COMMAND_START: Final = re.compile(r"^(\s*):(?=:)")
_COMMAND_ANYWHERE: Final = re.compile(r"##(?=[A-Za-z]{0,16}\[)")


def visible(text: str) -> str:
    """Return `text` with each character that is unseen, or acts on others, as a `\\u202e`-like escape."""
    return _HIDDEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _SHORT.get(char) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def defuse(line: str) -> str:
    """Return one line of text such that no CI runner takes it for a command."""
    return _COMMAND_ANYWHERE.sub(r"#\\u0023", _COMMAND_START.sub(r"\1\\u003a", line))


def lines_to_text(lines: Iterable[str]) -> str:
    """Join `visible` lines to a text for people and CI logs: each is defused and ends in a newline."""
    return "".join(f"{defuse(line)}\n" for line in lines)


def json_text(value: Any) -> str:
    """Return `value` as indented JSON whose strings hold no raw control, bidi or invisible character.

    They are JSON escapes, so that a parser gives the text back as it was. A lone surrogate alone becomes
    visible text (`\\\\udc80`): it is no Unicode character, and strict parsers reject a document that holds
    one (RFC 8259, 8.2).
    """
    # json.dumps escapes what stands below U+0020 inside strings, so each newline that is left is layout.
    return f"{_HIDDEN.sub(_json_escape, json.dumps(value, ensure_ascii=False, indent=2))}\n"


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x0A:
        return "\n"
    if 0xD800 <= code <= 0xDFFF:
        return f"\\\\u{code:04x}"
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
