"""Marks everything here as live, and closes what tests opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.live.collect import Closing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture
async def closing() -> AsyncIterator[Closing]:
    """Keep sources and clients, to be closed after the test: `source = closing(PrometheusSource(...))`."""
    kept = Closing()
    yield kept
    await kept.aclose()
