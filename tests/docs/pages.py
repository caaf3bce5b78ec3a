"""The documentation as tests see it: fenced blocks, tables, transcripts, links.

Three habits make the pages testable, and are worth keeping when you write one:

- a fenced block below a line that holds nothing but `` `path`: `` is the file of that name;
- in a `console` block, a line `$ command` is run, what follows is its output (standard error too), and a line
  `...` stands for any lines; `$ echo $?` shows an exit code;
- in a table, the first code span of a cell is what the cell speaks of.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from markdown_it import MarkdownIt

CHECKOUT: Final = Path(__file__).parents[2]
OURS: Final = (
    "README.md",
    "docs/index.md",
    "docs/contract.md",
    "docs/readers.md",
    "docs/rules.md",
    "docs/gates.md",
    "docs/testing-rules.md",
    "docs/limits.md",
)
ALL: Final = sorted(
    path.relative_to(CHECKOUT).as_posix()
    for path in (*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"), *CHECKOUT.glob("sot_examples/*.md"))
)
_NAMED: Final = re.compile(r"^`([^`]+)`:$")
_SEPARATOR: Final = "\x1e"


class Fence(NamedTuple):
    """A fenced block: its language, text and line, and the file name above it or an empty text."""

    language: str
    text: str
    line: int
    name: str


class Step(NamedTuple):
    """One command of a transcript, and the lines that are shown below it."""

    command: str
    shown: tuple[str, ...]


def text_of(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")


def fences(page: str) -> list[Fence]:
    """The fenced blocks of a page, in order."""
    tokens = MarkdownIt("commonmark").parse(text_of(page))
    found = []
    for index, token in enumerate(tokens):
        if token.type == "fence" and token.map is not None:
            above = tokens[index - 2].content if index >= 2 and tokens[index - 2].type == "inline" else ""
            named = _NAMED.match(above)
            found.append(
                Fence(token.info.strip(), token.content, token.map[0] + 1, named[1] if named else "")
            )
    return found


def named_files(page: str) -> dict[str, str]:
    """The files that a page shows in full, by path."""
    return {fence.name: fence.text for fence in fences(page) if fence.name}


def steps(fence: Fence) -> list[Step]:
    """The commands of a `console` block."""
    found: list[Step] = []
    for line in fence.text.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], ()))
        else:
            found[-1] = found[-1]._replace(shown=(*found[-1].shown, line))
    return found


def section(page: str, heading: str) -> str:
    """The text below a heading, to the next heading of its level or above. Fails when there is none."""
    lines = text_of(page).splitlines()
    start = next(
        number for number, line in enumerate(lines) if re.fullmatch(rf"#+ {re.escape(heading)}", line)
    )
    level = len(lines[start]) - len(lines[start].lstrip("#"))
    body: list[str] = []
    fenced = False
    for line in lines[start + 1 :]:
        fenced ^= line.startswith("```")
        if not fenced and re.match(rf"#{{1,{level}}} ", line):
            break
        body.append(line)
    return "\n".join(body)


def table(page: str, heading: str, number: int = 0) -> list[dict[str, str]]:
    """The rows of the table `number` below a heading, by column name."""
    tokens = MarkdownIt("commonmark").enable("table").parse(section(page, heading))
    tables: list[list[list[str]]] = []
    for index, token in enumerate(tokens):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in ("th_open", "td_open"):
            tables[-1][-1].append(tokens[index + 1].content)
    header, *rows = tables[number]
    return [dict(zip(header, row, strict=True)) for row in rows]


def codes(cell: str) -> list[str]:
    """The code spans of a cell, in order; `\\|` is how a table writes a bar."""
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`]+)`", cell)]


def code(cell: str) -> str:
    """The first code span of a cell."""
    return codes(cell)[0]


def links(page: str) -> list[str]:
    """The destinations of the links of a page."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text_of(page))
    inline = (child for token in tokens for child in token.children or ())
    return [str(child.attrGet("href")) for child in inline if child.type == "link_open"]


def anchors(page: str) -> set[str]:
    """The anchors that a page's headings get where it is shown."""
    tokens = MarkdownIt("commonmark").parse(text_of(page))
    titles = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def write_files(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def command_line(root: Path) -> dict[str, str]:
    """An environment in which `cortex-policy` is this checkout's."""
    folder = root / ".bin"
    folder.mkdir(exist_ok=True)
    program = folder / "cortex-policy"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{CHECKOUT}" exec "{sys.executable}" -m cortex_policy "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return {**kept, "PATH": f"{folder}:{os.environ['PATH']}", "LANG": "C.UTF-8"}


def play(fence: Fence, root: Path, environment: dict[str, str]) -> list[tuple[Step, list[str]]]:
    """Run the commands of one block in one shell; each with the lines that it wrote."""
    script = "".join(f"{step.command}\n_code=$?; printf '\\036'; (exit $_code)\n" for step in steps(fence))
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    outputs = done.stdout.split(_SEPARATOR)[:-1]
    return [(step, output.splitlines()) for step, output in zip(steps(fence), outputs, strict=True)]


def agrees(shown: tuple[str, ...], written: list[str]) -> bool:
    """Whether output is as shown, where a line `...` stands for any lines."""
    pattern = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in written)) is not None
