"""Other processors parse their share of the documents while this one still loads the rules.

They are started before anything heavy is imported, and read root and packs for themselves. What they deliver counts
only where they have seen the same bytes as the parent: there is one reading of the world (architecture, law 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cortex_policy import world
from cortex_policy.app.parallel import Helpers, processes, start

if TYPE_CHECKING:
    from cortex_policy.app.parsing import Delivery

LEAD: Final = 70_000
"""What loading the rules costs the parent, in bytes of Markdown (see `parsing`)."""
AHEAD_FROM: Final = 300_000
"""Bytes below a root from which another process saves more than its start costs."""


def start_ahead(root: Path | None, packs: Sequence[str]) -> Helpers:
    """Helpers for the documents of `root` in the work tree; nobody where there is little to do."""
    config = world.find_config(Path()) if root is None else None
    folder = root or (config.parent if config is not None else Path())
    count = processes()
    if count == 1 or not world.holds(folder, AHEAD_FROM):
        return Helpers()

    def work(number: int, of: int) -> Delivery:
        from cortex_policy.app.parsing import parse_ahead

        return parse_ahead(root, packs, number, of, LEAD)

    return start(work, count, LEAD)
