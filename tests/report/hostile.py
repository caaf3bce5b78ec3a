"""Texts that want to be obeyed, and what may never stand in an output as it is."""

from __future__ import annotations

import unicodedata

HOSTILE = {
    "ansi colour": "\x1b[31mred\x1b[0m",
    "8-bit csi": "\x9b2J cleared",
    "osc 8 link": "\x1b]8;;https://example.invalid\x1b\\click\x1b]8;;\x1b\\",
    "bell and backspace": "a\x07b\x08c\x7f",
    "bidi override": "safe\u202egnp.exe",
    "bidi isolate": "\u2066a\u2069\u2067b\u2069\u2068c\u2069",
    "bidi marks": "\u061ca\u200eb\u200f",
    "zero width": "TA\u200bSK\u200c-\u200d1\u2060\ufeff",
    "line separators": "one\u2028two\u2029three\x85four",
    "newlines": "one\ntwo\r\nthree\rfour\x0bfive\x0csix",
    "github command": "::error file=x::owned",
    "github command in a line": "a\n::set-output name=x::y",
    "github command behind space": " \t::add-mask::x",
    "github v1 command": "text ##[error]owned and ###[group]more",
    "azure command": "##vso[task.setvariable variable=x]y",
    "github properties": "a%0A,b:c%",
    "xml forbidden": "\x00\x01\x0e\ufffe\uffff",
    "cdata end": "]]> & <b attr='\"'>",
    "script end": "</script><script>alert(1)</script>",
    "markdown link": "[click](https://example.invalid) ![i](x)",
    "lone surrogates": "name\udc80\udcff\ud800",
    "surrogates that pair": "\ud83d\ude00",
    "tag characters": "a\U000e0041\U000e007f\U000e0100",
    "annotation": "\ufff9a\ufffab\ufffb",
    "fillers": "\u3164\u115f\uffa0\u034f\xad",
    "mermaid": '"] --> x["%%{init: {}}%% `a` #quot; <br/>',
    "dot": '"]; x -> y [label="\\N \\',
    "rich markup": "[bold red]x[/] {0} %s $(id)",
}


def raw_hidden(text: str) -> set[str]:
    """The characters of an output that may not stand there raw; written apart from the table under test."""
    hidden = {char for char in set(text) if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}} - {"\n"}
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"}
    hidden |= {char for char in set(text) if unicodedata.bidirectional(char) in bidi} - {"\n"}
    return hidden | (set(text) & set("\u061c\u200e\u200f\u200b\u200c\u200d\u2060\ufeff"))
