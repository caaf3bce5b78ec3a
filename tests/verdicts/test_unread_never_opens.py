"""A gate that would allow does not while some document that may speak of the subject could not be read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cortex_policy.cli import _run

GATES = Path(__file__).parents[2] / "sot_examples" / "gates"
FRONT = b"---\ntype: prd\nstatus: active\n"

DARK: dict[str, Callable[[Path], object]] = {
    "a workboard that is broken": lambda root: (root / "WORKBOARD.yaml").write_text("items: [\n"),
    "an empty workboard": lambda root: (root / "WORKBOARD.yaml").write_text(""),
    "a document that is not UTF-8": lambda root: (root / "docs/b.md").write_bytes(FRONT + b"---\n\xff"),
    "front matter that is never closed": lambda root: (root / "docs/b.md").write_bytes(
        FRONT + b"## WORK-9 - x\n"
    ),
    "a directory with a document's name": lambda root: (root / "docs/b.md").mkdir(),
    "a second declaration": lambda root: (root / "docs/b.md").write_bytes(
        FRONT + b"---\n# B\n\n## WORK-4 - again\n\nStatus: open\n\n- [ ] x\n"
    ),
}


def verdict(capfdbinary, root: Path) -> tuple[int, dict]:
    code = _run(["gate", "WORK-4", "--root", str(root), "--format", "json"])
    return code, json.loads(capfdbinary.readouterr().out)


@pytest.mark.parametrize("name", DARK)
def test_what_nobody_read_never_opens_a_gate(capfdbinary, tmp_path, name):
    root = tmp_path / "root"
    shutil.copytree(GATES, root)
    assert verdict(capfdbinary, root)[0] == 0
    DARK[name](root)
    code, told = verdict(capfdbinary, root)
    assert (code, told["verdict"]) == (3, "blocked")
    assert told["reason"]
    assert told["unblock"] == []
