"""cortex-policy: a declarative policy engine over documents that are the source of truth."""

from __future__ import annotations

__version__ = "0.1.0"
