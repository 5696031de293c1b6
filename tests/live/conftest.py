"""Marks everything here as live, closes what tests opened, and has the hosts that sources look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cockpit.ssh.connections import Connections
from tests.helpers.ssh_lab import SshLab
from tests.live.collect import Closing
from tests.live.hosts import connections_to, host_lab, two_does


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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    """Hold a lab whose second target does as `two_does` says; a module that needs another has its own."""
    with host_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
async def connections(lab: SshLab) -> AsyncIterator[Connections]:
    """Connect to that lab, whose second target is well again."""
    two_does(lab)
    made = connections_to(lab)
    yield made
    await made.close()
