"""How many examples a property is tried on: few for each change, many on demand."""

from __future__ import annotations

import os

THOROUGH = 10
"""How many times as many with `HYPOTHESIS_PROFILE=thorough`."""


def examples(count: int) -> int:
    """Return how many examples to try: `count`, or with `HYPOTHESIS_PROFILE=thorough` ten times as many."""
    return count * THOROUGH if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else count
