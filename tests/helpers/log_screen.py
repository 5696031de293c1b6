"""The logs pane over log files that a process apart reads, as `cockpit logs FILE…` has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import json
from textual.pilot import Pilot

from cockpit.scope import WHOLE, Scope
from cockpit.signals import SECOND, rfc3339
from cockpit.stores.alerts import AlertStore
from cockpit.stores.base import Stores
from cockpit.stores.health import HealthStore
from cockpit.stores.logs import LogStore
from cockpit.stores.logs.files.reading import LogFiles
from cockpit.stores.traces import TraceStore
from tests.helpers.log_records import T0
from tests.helpers.pane_host import PaneHost
from widgets.logs import LogsPane
from widgets.messages import EvidencePinned

NOW = T0 + 86_400 * 30 * SECOND
LEVELS = ("info", "info", "info", "debug", "warn")


def line(number: int, *, msg: str = "", level: str = "", **more: object) -> bytes:
    """Return a JSON log line; each is a second after the one before."""
    said = {
        "time": rfc3339(T0 + number * SECOND, digits=3),
        "level": level or LEVELS[number % 5],
        "msg": msg or f"request {number} served",
        "service": ("checkout", "cart")[number % 2],
        "status": (200, 404, 500)[number % 3],
        **more,
    }
    return json.encode(said) + b"\n"


class FilesHost(PaneHost):
    """A screen with the logs pane over files, which also keeps what was pinned."""

    def on_evidence_pinned(self, event: EvidencePinned) -> None:
        self.told.append(event)


@asynccontextmanager
async def log_screen(
    paths: Sequence[Path], size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Pilot[None], FilesHost, LogsPane]]:
    """Open the pane, wait until all is read, and end the process at last."""
    files = LogFiles([str(path) for path in paths])
    stores = Stores(HealthStore(), AlertStore(), LogStore(), TraceStore(), files=files)
    pane = LogsPane(stores, number=1)
    host = FilesHost(pane, NOW)
    host.trail.amend(span=WHOLE)
    pane.follow(Scope(span=WHOLE))
    async with host.run_test(size=size) as pilot:
        files.start()
        try:
            await until(pilot, host, lambda: not files.left)
            yield pilot, host, pane
        finally:
            await files.stop()


async def until(pilot: Pilot[None], host: PaneHost, holds: Callable[[], object]) -> None:
    """Let the pane go on until something holds."""
    for _ in range(600):
        host.tick()
        await pilot.pause(0.01)
        if holds():
            host.tick()
            await pilot.pause()
            return
    raise AssertionError("it did not come to hold in time")
