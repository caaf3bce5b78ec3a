"""Real documents, kept beside the checkout and never inside it.

In a lone clone these tests are skipped, with the reason; in CI (`CORTEX_POLICY_REQUIRE_CORPORA`) a missing one fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], Path]:
    """The root of a corpus, by name."""

    def find(name: str) -> Path:
        root = CORPORA / name
        if not root.is_dir():
            if os.environ.get("CORTEX_POLICY_REQUIRE_CORPORA"):
                pytest.fail(f"the corpus {root} is missing, and this run requires it")
            pytest.skip(f"no corpus at {root}: it lies beside the checkout, not in it")
        return root

    return find
