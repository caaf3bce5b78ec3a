"""`python -m cortex_policy`: the same as the console script `cortex-policy`."""

from __future__ import annotations

from cortex_policy.cli import main

if __name__ == "__main__":
    main()
