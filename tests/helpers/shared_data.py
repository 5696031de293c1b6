"""Where public test data lies, which is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_data(name: str) -> Path:
    """Return a folder of the shared data, or skip: it is looked for beside the project and above it."""
    given = os.environ.get("COCKPIT_SHARED_DATA")
    places = (
        [Path(given)]
        if given
        else [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    )
    for place in places:
        if (place / name).is_dir():
            return place / name
    pytest.skip(f"shared/data/{name} is not there (COCKPIT_SHARED_DATA says where)")
